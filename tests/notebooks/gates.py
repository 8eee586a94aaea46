"""What a chapter must be before anyone reads it: each gate names what is wrong and what to do.

A gate takes a :class:`Notebook` and yields one sentence per problem. :func:`check` runs them all.
"""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from . import honest, teaching

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"

MAX_SECONDS = 90
MAX_MB = 1500
MAX_BYTES = 1_500_000
MAX_LINES = 20  # of a code cell; aim at 15
TAGS = ("setup", "reveal")  # every other tag hides something somewhere

# The one text of the cell that makes a notebook run on Colab. `make notebooks` writes it into
# every chapter, with the repository's address from _config.yml.
SETUP = """\
# On Colab this installs the course's helpers; elsewhere it only
# looks whether they are there. Then it loads the frameworks as the
# text uses them: on the CPU, and without their log.
import sys
from importlib.util import find_spec
from subprocess import run

course = "{repository}"
helpers = f"actlab @ git+{{course}}"
if "google.colab" in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    run([*pip, helpers], check=True)
assert find_spec("actlab"), f'Missing; pip install "{{helpers}}"'

from actlab import machine

machine.prepare()\
"""

# The line under a chapter's title; `make notebooks` writes the three numbers.
HEADER = re.compile(
    r"(?P<minutes>\d+) minutes to read(?:, exercises apart)? · "
    r"runs in about (?P<seconds>\d+) s and (?P<gb>\d+\.\d) GB on 2 cores · needs:? \S"
)


@dataclass(frozen=True)
class Notebook:
    """A chapter as committed: the parsed ``.ipynb``, the text of its twin, its size in bytes."""

    name: str
    nb: Any
    twin: str | None
    repository: str
    size: int = 0

    def cells(self, kind: str | None = None) -> Iterator[tuple[str, Any]]:
        """Every cell (of one kind) with words that say which one it is."""
        for number, cell in enumerate(self.nb.cells, 1):
            if kind in (None, cell.cell_type):
                yield f"cell {number} ({_first_line(cell)})", cell


def read(path: Path, repository: str | None = None) -> Notebook:
    """The chapter at ``path`` (``.ipynb``) with its twin beside it."""
    twin = path.with_suffix(".py")
    return Notebook(
        path.name,
        nbformat.read(path, as_version=nbformat.NO_CONVERT),
        twin.read_text("utf-8") if twin.exists() else None,
        repository or repository_address(),
        path.stat().st_size,
    )


def repository_address(config: Path = ROOT / "_config.yml") -> str:
    """The address of the repository, from the one place where it stands."""
    return str(yaml.safe_load(config.read_text("utf-8"))["repository"]["url"])


def check(notebook: Notebook) -> list[str]:
    """Every problem that any gate finds."""
    gates = (*GATES, *teaching.GATES)
    return [f"{notebook.name}, {problem}" for gate in gates for problem in gate(notebook)]


def _first_line(cell: Any) -> str:
    line = next((line for line in cell.source.splitlines() if line.strip()), "empty")
    return line if len(line) <= 40 else f"{line[:39]}…"


# --- Honest outputs -----------------------------------------------------------------------------


def ran_top_to_bottom(notebook: Notebook) -> Iterator[str]:
    """Every code cell was run, once, in order, in a fresh kernel."""
    for expected, (where, cell) in enumerate(notebook.cells("code"), 1):
        if not cell.source.strip():
            yield f"{where}: is empty; remove it"
        elif cell.execution_count is None:
            yield f"{where}: was not run; run `make notebooks`"
        elif cell.execution_count != expected:
            yield (
                f"{where}: was run as number {cell.execution_count} instead of {expected}; "
                "run `make notebooks`"
            )


def ran_without_complaint(notebook: Notebook) -> Iterator[str]:
    """No error, nothing on stderr."""
    for where, cell in notebook.cells("code"):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{where}: ended in {output.ename}; repair it"
            elif output.output_type == "stream" and output.name == "stderr":
                yield f"{where}: wrote to stderr ({_short(output.text)}); remove the cause"


def has_only_known_magics(notebook: Notebook) -> Iterator[str]:
    """nbval passes a cell whose magic does not exist, so this has to look."""
    for where, cell in notebook.cells("code"):
        for percent, name in re.findall(r"^\s*(%{1,2})([A-Za-z_]\w*)", cell.source, re.MULTILINE):
            if name not in _magics()["cell" if percent == "%%" else "line"]:
                yield f"{where}: IPython has no magic {percent}{name}; remove it"
        for text in _texts(cell):
            if "UsageError:" in text:
                yield f"{where}: IPython refused a line ({_short(text)}); repair it"


def hides_nothing(notebook: Notebook) -> Iterator[str]:
    """No tag, metadata, magic or call that keeps a cell, its code or what it says from a reader."""
    for key in sorted(set(notebook.nb.metadata) - {"actlab", "kernelspec", "language_info"}):
        yield f"metadata: {key} is none of the course's; remove it"
    for where, cell in notebook.cells():
        for tag in cell.metadata.get("tags", ()):
            if tag not in TAGS:
                yield f"{where}: the tag {tag} is none of the course's; remove it"
        known = {"tags", "mystnb", "lines_to_next_cell"} | (
            {"jupyter"} if teaching.is_collapsed(cell) else set()
        )
        for key in sorted(set(cell.metadata) - known):
            yield f"{where}: the metadata {key} are none of the course's; remove them"
        for key in sorted(set(cell.metadata.get("mystnb", {})) - {"image"}):
            yield f"{where}: mystnb's {key} changes what the book shows; remove it"
        if cell.cell_type == "raw":
            yield f"{where}: a raw cell is not shown by all; make it Markdown or code"
    for where, cell in notebook.cells("code"):
        for magic in re.findall(r"^\s*(%%\w+)", cell.source):
            yield f"{where}: {magic} takes the cell from Python or its output from the reader"
    yield from _in_code(notebook, honest.hidden)


def lives(notebook: Notebook) -> Iterator[str]:
    """No branch that never runs, no condition or assertion that cannot turn out otherwise."""
    yield from _in_code(notebook, honest.dead)


def computes_what_it_shows(notebook: Notebook) -> Iterator[str]:
    """No number is printed that was typed."""
    yield from _in_code(notebook, honest.typed)


def leaves_verdicts_to_the_ledger(notebook: Notebook) -> Iterator[str]:
    """Boxes with a claim or a verdict are outputs of code that asked the ledger."""
    for where, cell in notebook.cells("markdown"):
        if match := re.search(
            r"^[ \t>]*>[ \t]*\*\*(?:Verdict|Claim)\b|\*\*Verdict:", cell.source, re.MULTILINE
        ):
            yield f"{where}: {_short(match[0])} is written by hand; let claims.trial(…) print it"
    yield from _in_code(notebook, honest.decided_by_hand)


def _in_code(notebook: Notebook, look: Any) -> Iterator[str]:
    try:
        codes = honest.parse(list(notebook.cells("code")))
    except SyntaxError as error:
        yield f"code: is no Python ({error.msg}: {_short(error.text or '')}); repair it"
        return
    yield from (f"{where}: {problem}" for where, problem in look(codes))


def _magics() -> dict[str, dict[str, Any]]:
    from IPython.core.interactiveshell import InteractiveShell

    magics: dict[str, dict[str, Any]] = InteractiveShell.instance().magics_manager.lsmagic()
    return magics


# What cannot be the same on another machine. A path counts when it starts at the root and has
# two parts (or one of the names below); the folder of Debian's data package is part of the text.
_TRACES = {
    "an absolute path": re.compile(
        r"(?<![\w:/.<)\]}$\\*~-])/(?!usr/share/datasets\b)"
        r"(?:(?:[\w.+-]+/)+[\w.+-]+|(?:home|root|tmp|Users|content|mnt)\b)"
        r"|\b[A-Za-z]:\\{1,2}\w|~[\w-]*/[\w.]"
    ),
    "the path of an installed package": re.compile(r"(?:site|dist)-packages"),
    "a memory address": re.compile(r"\bat 0x[0-9A-Fa-f]{4,}|\b0x[0-9A-Fa-f]{9,16}\b"),
}


def has_no_traces_of_a_machine(notebook: Notebook) -> Iterator[str]:
    """No absolute paths and no memory addresses, in sources or outputs."""
    for where, cell in notebook.cells():
        outputs = [*_texts(cell)] if cell.cell_type == "code" else []
        for text in (cell.source, *outputs):
            place = "source" if text is cell.source else "output"
            for what, pattern in _TRACES.items():
                if match := pattern.search(text):
                    yield f"{where}: the {place} holds {what} ({match[0]}); do not print it"


def can_be_compared(notebook: Notebook) -> Iterator[str]:
    """No cell opts out of the comparison with its re-execution."""
    for where, cell in notebook.cells("code"):
        marks = re.findall(r"#\s*((?:NBVAL|PYTEST_VALIDATE)_\w+)", cell.source)
        tags = [tag for tag in cell.metadata.get("tags", ()) if tag.startswith(("nbval", "raises"))]
        for mark in marks + tags:
            yield f"{where}: {mark} exempts it from the comparison; remove it, print what repeats"


def _texts(cell: Any) -> Iterator[str]:
    """Everything readable in a cell's outputs (no pictures)."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield "\n".join((output.ename, output.evalue, *output.traceback))
        else:
            for kind, content in output.data.items():
                if isinstance(content, str) and kind not in ("image/png", "image/jpeg"):
                    # A picture inside HTML is no text either.
                    yield re.sub(r"data:[\w/+-]+;base64,[A-Za-z0-9+/=\s]+", "", content)


def _short(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= 60 else f"{line[:59]}…"


# --- Figures ------------------------------------------------------------------------------------


def has_described_figures(notebook: Notebook) -> Iterator[str]:
    """One opaque PNG per cell, with alt text that says what is to be seen, each its own."""
    seen: dict[str, str] = {}
    for where, cell in notebook.cells("code"):
        for text in _texts(cell):
            if re.search(r"<img\b(?![^>]*\balt=\"[^\"]{40,}\")", text):
                yield f"{where}: an <img> in the output has no alt text; add one"
        pictures = list(_pictures(cell))
        for output in cell.outputs:
            for kind in set(output.get("metadata", {})) - set(output.get("data", {})):
                yield f"{where}: an output describes a picture ({kind}) that is not there"
        if not pictures:
            if _alt(cell):
                yield f"{where}: alt text without its picture; run `make notebooks`"
            continue
        if len(pictures) > 1:
            yield f"{where}: shows {len(pictures)} figures under one alt text; split the cell"
        for kind, data, own_alt in pictures:
            alt = _alt(cell)
            if own_alt is not None and own_alt != alt:
                yield f"{where}: the figure's alt text is not the cell's; run `make notebooks`"
            if kind != "image/png":
                yield f"{where}: the figure is {kind}; show it as a PNG"
            elif not _is_opaque(data):
                yield f"{where}: the figure is transparent; give it a white face colour"
        if complaint := _complaint(alt):
            yield f"{where}: the figure's alt text {complaint}; say what is to be seen"
        elif alt in seen:
            yield f"{where}: the figure has the alt text of {seen[alt]}; say what this one shows"
        seen[alt] = where


def _pictures(cell: Any) -> Iterator[tuple[str, str, str | None]]:
    for output in cell.outputs:
        for kind, data in output.get("data", {}).items():
            if kind.startswith("image/"):
                yield kind, data, output.metadata.get(kind, {}).get("alt")


def _alt(cell: Any) -> str:
    return str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))


def _complaint(alt: str) -> str:
    if not alt:
        return "is missing"
    if re.search(r"\.(png|svg|jpe?g|gif|webp)\b", alt) or len(alt.split()) < 2:
        return f"is a file's name ({alt})"
    return f"has {len(alt)} characters instead of at least 40" if len(alt) < 40 else ""


def _is_opaque(png: str) -> bool:
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return image.convert("RGBA").getchannel("A").getextrema()[0] == 255


# --- The twin -----------------------------------------------------------------------------------


def source_text(nb: Any) -> str:
    """The twin that belongs to a notebook: its sources, and of its metadata what an author writes.

    Alt text that a figure brought along is an output, so it does not stand in the twin; nor does
    what ``make notebooks`` collapses.
    """
    bare = nbformat.from_dict(nb)
    for cell in bare.cells:
        if teaching.is_reveal(cell):
            cell.metadata.pop("jupyter", None)
        if cell.cell_type == "code" and any(alt for _, _, alt in _pictures(cell)):
            cell.metadata.pop("mystnb", None)
    bare.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    return str(jupytext.writes(bare, fmt="py:percent"))


KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def equals_its_twin(notebook: Notebook) -> Iterator[str]:
    """The twin holds the same cells: type, source and metadata, one by one."""
    if notebook.twin is None:
        yield "twin: there is no .py beside it; run `jupytext --to py:percent` on it once"
        return
    repair = "run `make notebooks` (the .py is what counts)"
    ours = jupytext.reads(source_text(notebook.nb), fmt="py:percent").cells
    twins = jupytext.reads(notebook.twin, fmt="py:percent").cells
    for number, (our, twin) in enumerate(zip(ours, twins, strict=False), 1):
        where = f"cell {number} ({_first_line(our)})"
        if our.cell_type != twin.cell_type:
            yield f"{where}: is {our.cell_type} here and {twin.cell_type} in the .py; {repair}"
        elif our.source != twin.source:
            yield f"{where}: the source is not that of the .py; {repair}"
        elif our.metadata != twin.metadata:
            yield f"{where}: the metadata are not those of the .py; {repair}"
    if len(ours) != len(twins):
        yield f"twin: {len(ours)} cells here, {len(twins)} in the .py; {repair}"


def unpaired(folder: Path = FOLDER) -> list[str]:
    """Files of the folder without their twin."""
    sources = {path.stem for path in folder.glob("*.py")}
    notebooks = {path.stem for path in folder.glob("*.ipynb")}
    return [
        *(f"{stem}.py has no .ipynb; run `make notebooks`" for stem in sorted(sources - notebooks)),
        *(f"{stem}.ipynb has no .py; add it or remove it" for stem in sorted(notebooks - sources)),
    ]


# --- Markdown that reads well in the book, JupyterLab, Colab and on GitHub ----------------------

_TAGS = "details|summary|sub|sup|br|kbd"
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^`\n]*\n.*?^[ \t>]*\1[`~]*[ \t]*$", re.M | re.S)
# Neither code nor a formula in a line of text goes on after an empty line.
_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
_MATH = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?:(?!\n\s*\n)[^$])+\$", re.DOTALL)

# (pattern, what it is, what to write instead), searched in the text without code …
_IN_PROSE = (
    (r"^\s*>\s*\[!\w+\]", "a GitHub alert", "> **Note.** …"),
    (r"\[\^[^\]]+\]", "a footnote", "parentheses or a link"),
    (r"^[^\s>|#-][^\n]*\n:[ \t]+\S", "a definition list", "a list or a table"),
    (r"^\s*:{3,}", "a ::: fence", "a blockquote"),
    (r"^(?:>\s?)*%", "a line that begins with %", "another line break (the book takes it out)"),
    (r"^\([\w-]+\)=\s*$", "a MyST target", "a plain heading"),
    (r"\{\{.*?\}\}", "a substitution", "the text itself"),
    (r"\\\$", "an escaped dollar sign", "the word dollar or USD"),
    (r"\[\]\(", "a link without text", "words inside the brackets"),
    (r"!\[\s*\]\(", "a picture without alt text", "words inside the brackets"),
)
# … and without formulas.
_IN_PLAIN = (
    (r"~~\S.*?~~", "struck-through text", "other words"),
    (r"\\begin\{", "a bare LaTeX environment", "$$ around it"),
    (r"\\[(\[]", r"a formula in \( or \[", "$ or $$"),
    (r"(?<!\\)\$", "a dollar sign without its partner", "the word dollar or USD"),
    (rf"</?(?!(?:{_TAGS})\b)[a-zA-Z][\w-]*(?=[\s/>])", "raw HTML", "Markdown"),
)
# Searched before code is taken out, because they are made of backticks.
_IN_RAW = ((r"^[ \t>]*(`{3,}|~{3,})\s*\{", "a MyST directive", "a blockquote"),)
_ROLE = (r"(?<![\w\\`])\{[A-Za-z][\w:.+-]*\}`[^`\n]+`", "a MyST role", "a link or plain code")


def renders_everywhere(notebook: Notebook) -> Iterator[str]:
    """Only the Markdown that all four readers show alike."""
    for where, cell in notebook.cells("markdown"):
        without_fences = _blank(_FENCE, cell.source)
        prose = _blank(_CODE, without_fences)
        plain = _blank(_MATH, prose)
        rules = (
            *((cell.source, rule) for rule in _IN_RAW),
            (without_fences, _ROLE),
            *((prose, rule) for rule in _IN_PROSE),
            *((plain, rule) for rule in _IN_PLAIN),
        )
        for text, (pattern, what, instead) in rules:
            if match := re.search(pattern, text, re.MULTILINE):
                yield f"{where}: {what} ({_short(match[0])}) is not shown by all; use {instead}"
        for row in re.findall(r"^[ >]*\|.*$", prose, re.MULTILINE):
            if bars := [formula for formula in _MATH.findall(row) if "|" in formula]:
                yield f"{where}: | in a table's formula ({bars[0]}) ends the column; use \\lVert"
        for formula in _MATH.findall(prose):
            if not formula.startswith("$$") and formula[1:-1] != formula[1:-1].strip():
                yield f"{where}: blanks inside the dollar signs of {_short(formula)}; remove them"
        yield from (f"{where}: {problem}" for problem in _folds(prose))


def _folds(text: str) -> Iterator[str]:
    """``<details>`` shows Markdown only with blank lines around its content."""
    text = re.sub(r"^>[ ]?", "", text, flags=re.MULTILINE)
    instead = "leave a blank line after </summary> and before </details>"
    if re.search(r"</summary>[ \t]*(?:\S|\n[ \t]*\S)", text):
        yield f"the content of <details> starts without a blank line; {instead}"
    if re.search(r"\S[ \t]*\n?[ \t]*</details>", text):
        yield f"the content of <details> ends without a blank line; {instead}"
    if len(re.findall("<details", text)) != len(re.findall("</details>", text)):
        yield "<details> is not closed in the same cell; close it"


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with blanks in place of what matches, so that lines stay where they are."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


# --- What a chapter has -------------------------------------------------------------------------


def keeps_the_contract(notebook: Notebook) -> Iterator[str]:
    """Title, header line, one setup cell, short cells, a prediction and key points."""
    first = notebook.nb.cells[0] if notebook.nb.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "cell 1: is not a Markdown cell that starts with the title (# …); add it"
    elif not HEADER.search(first.source):
        yield (
            "cell 1: lacks the line '0 minutes to read · runs in about 0 s and 0.0 GB on 2 cores "
            "· needs …' (`make notebooks` fills in the numbers)"
        )
    setups = [
        (where, cell)
        for where, cell in notebook.cells("code")
        if "setup" in cell.metadata.get("tags", ())
    ]
    if len(setups) != 1:
        yield f"setup: {len(setups)} cells are tagged 'setup' instead of one"
    for where, cell in setups:
        if cell.source != setup_source(notebook.repository):
            yield f"{where}: is not the course's setup cell; run `make notebooks`"
    for where, cell in notebook.cells("code"):
        if (lines := len(cell.source.splitlines())) > MAX_LINES:
            yield f"{where}: has {lines} lines instead of at most {MAX_LINES}; split it"
    prose = "\n".join(cell.source for _, cell in notebook.cells("markdown"))
    for box in ("Predict", "Key points"):
        if not re.search(rf"^> \*\*{box}\b", prose, re.MULTILINE):
            yield f"boxes: there is no '> **{box}.** …'; add one"


def setup_source(repository: str) -> str:
    """The setup cell of a notebook of this repository."""
    return SETUP.format(repository=repository)


def says_what_it_costs(notebook: Notebook) -> Iterator[str]:
    """The header's numbers are the measured ones, and within the limits of a free machine."""
    measured = notebook.nb.metadata.get("actlab", {})
    header = HEADER.search(notebook.nb.cells[0].source) if notebook.nb.cells else None
    if not {"seconds", "peak_mb"} <= set(measured):
        yield "metadata: seconds and memory were not measured; run `make notebooks`"
        return
    seconds, gb = measured["seconds"], measured["peak_mb"] / 1000
    if seconds > MAX_SECONDS:
        yield f"it runs {seconds:.0f} s instead of at most {MAX_SECONDS}; make it smaller"
    if measured["peak_mb"] > MAX_MB:
        yield f"it takes {measured['peak_mb']:.0f} MB instead of at most {MAX_MB}; make it smaller"
    if header:  # else the contract complains
        minutes = teaching.reading_minutes(notebook.nb)
        for what, said, true, rounding in (
            ("seconds", float(header["seconds"]), seconds, 5),
            ("GB", float(header["gb"]), gb, 0.1),
            ("minutes to read", float(header["minutes"]), minutes, 0),
        ):
            exact = what == "minutes to read"
            if said != true if exact else not agrees(said, true, rounding):
                yield (
                    f"cell 1: the header says {said:g} {what}, measured were {true:.3g}; "
                    "run `make notebooks`"
                )
        if minutes > teaching.MAX_MINUTES:
            most = teaching.MAX_MINUTES
            yield f"it takes {minutes} minutes instead of at most {most}; shorten it"


def agrees(said: float, measured: float, rounding: float) -> bool:
    """Whether a rounded statement is within a quarter of what was measured."""
    return abs(said - measured) <= max(rounding, 0.25 * measured)


def has_the_right_form(notebook: Notebook) -> Iterator[str]:
    """nbformat 4.5 with ids, the standard kernel, a size that loads quickly."""
    nb = notebook.nb
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        yield f"format: is {nb.nbformat}.{nb.nbformat_minor} instead of 4.5; run `make notebooks`"
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "metadata: the kernel is not python3; run `make notebooks`"
    ids = Counter(cell.get("id") for cell in nb.cells)
    for where, cell in notebook.cells():
        if not cell.get("id"):
            yield f"{where}: has no id; run `make notebooks`"
        elif ids[cell.id] > 1:
            yield f"{where}: shares its id {cell.id}; run `make notebooks`"
    if notebook.size > MAX_BYTES:
        yield f"size: {notebook.size:,} bytes instead of at most {MAX_BYTES:,}; shrink the figures"


GATES = (
    ran_top_to_bottom,
    ran_without_complaint,
    has_only_known_magics,
    has_no_traces_of_a_machine,
    can_be_compared,
    hides_nothing,
    lives,
    computes_what_it_shows,
    leaves_verdicts_to_the_ledger,
    has_described_figures,
    equals_its_twin,
    renders_everywhere,
    keeps_the_contract,
    says_what_it_costs,
    has_the_right_form,
)
