"""What makes a chapter teach: predictions that can be made, code that can be read, few verdicts.

Gates like those in :mod:`.gates`, which runs them.
"""

from __future__ import annotations

import ast
import itertools
import re
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))

from actlab_class import lessons

if TYPE_CHECKING:
    from .gates import Notebook

WITHOUT_ROW = ("18_choosing", "20_twins")  # about comparing and porting, not an activation

MAX_WIDTH = 72
MAX_MINUTES = 35
MAX_CARDS = 6
HELPED = 1 / 7  # of the code lines at most call a helper of the chapter
PREDICTIONS = range(3, 8)
EXERCISES = range(3, 6)
CHOICES = range(2, 5)

# A heading, or a box of its own
_OPENS = re.compile(r"^(?:#+ |> \*\*(?:Predict|Exercise|Key points|Questions)\b)", re.MULTILINE)
_QUOTE = re.compile(r"^>.*(?:\n>.*)*", re.MULTILINE)
# `  > - a choice`, perhaps over several lines
_CHOICE = re.compile(r"^> - (.*(?:\n>   .*)*)", re.MULTILINE)
_MEASURED = re.compile(r"^> \*\*Measured\.\*\* .*?: \*(?P<choice>.+?)\*\.(?: The folklore|$)", re.M)


def is_reveal(cell: Any) -> bool:
    """Whether a cell holds the answer to a prediction."""
    return "reveal" in cell.metadata.get("tags", ())


# --- Predict, then reveal -----------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """A box, and the run of cells behind it that are tagged as its answer."""

    where: str
    choices: tuple[str, ...]
    is_last: bool  # nothing follows it in its cell
    answer: tuple[tuple[str, Any], ...]


def predictions(notebook: Notebook) -> Iterator[Prediction]:
    """The predictions that a chapter asks for."""
    cells = list(notebook.cells())
    for number, (where, cell) in enumerate(cells, 1):
        if cell.cell_type != "markdown":
            continue
        behind = tuple(itertools.takewhile(lambda pair: is_reveal(pair[1]), cells[number:]))
        for box in _QUOTE.finditer(cell.source):
            if box[0].startswith("> **Predict"):
                choices = tuple(
                    re.sub(r"\n>\s*", " ", choice).strip() for choice in _CHOICE.findall(box[0])
                )
                rest = cell.source[box.end() :].strip()
                yield Prediction(where, choices, not rest, behind)


def measured(cell: Any) -> list[str]:
    """The choices that a cell's outputs reveal."""
    found = []
    for output in cell.get("outputs", ()):
        text = output.get("data", {}).get("text/markdown", "")
        found += [match["choice"] for match in _MEASURED.finditer(text)]
    return found


def reveals_its_predictions(notebook: Notebook) -> Iterator[str]:
    """Every box offers choices, ends its cell, and is answered by the tagged cells behind it."""
    asked = list(predictions(notebook))
    if len(asked) not in PREDICTIONS:
        yield f"boxes: {len(asked)} predictions; expected {_span(PREDICTIONS)}"
    for box in asked:
        if len(box.choices) not in CHOICES:
            yield f"{box.where}: the prediction has {len(box.choices)} choices ('> - …'); " + (
                f"expected {_span(CHOICES)}"
            )
        if not box.is_last:
            yield f"{box.where}: something follows the Predict box; let it end its cell"
        codes = [(where, cell) for where, cell in box.answer if cell.cell_type == "code"]
        if not codes:
            yield f"{box.where}: the next cell is not tagged 'reveal'; tag the cells that answer"
            continue
        found = [choice for _, cell in codes for choice in measured(cell)]
        if len(found) != 1 or not measured(codes[-1][1]):
            yield f"{codes[-1][0]}: does not end with the one answer; end it with predict.reveal(…)"
        for choice in found:
            if choice not in box.choices:
                yield f"{codes[-1][0]}: reveals {choice!r}, which is none of the choices"
    answers = {where for box in asked for where, _ in box.answer}
    for where, cell in notebook.cells():
        if is_reveal(cell) and where not in answers:
            yield f"{where}: is tagged 'reveal' without a prediction before it"
        elif is_reveal(cell) and cell.cell_type == "markdown" and _OPENS.search(cell.source):
            yield f"{where}: a heading or a box would be covered too; begin a new cell with it"
        if cell.cell_type == "code" and is_reveal(cell) and not is_collapsed(cell):
            yield f"{where}: the answer is open in Lab; run `make notebooks`"


def is_collapsed(cell: Any) -> bool:
    """Whether a cell is an answer whose outputs start closed, and nothing else is hidden."""
    return is_reveal(cell) and cell.metadata.get("jupyter") == {"outputs_hidden": True}


def collapse(nb: Any) -> None:
    """In JupyterLab and Binder the outputs of what answers a prediction start closed."""
    for cell in nb.cells:
        cell.metadata.pop("jupyter", None)
        if cell.cell_type == "code" and is_reveal(cell):
            cell.metadata["jupyter"] = {"outputs_hidden": True}


def _span(allowed: range) -> str:
    return f"{allowed[0]} to {allowed[-1]}"


# --- The essential code is in the cell ----------------------------------------------------------


def code_lines(cell: Any) -> list[str]:
    """The lines of a code cell without empty ones and comments."""
    return lessons.code_lines(cell.source)


def shows_the_essential_code(notebook: Notebook) -> Iterator[str]:
    """Few lines call helpers, and a training step in each framework can be changed."""
    cells = [cell for _, cell in notebook.cells("code")]
    names = {name for cell in cells for name in _helpers(cell.source)}
    lines = [line for cell in cells for line in code_lines(cell)]
    calls = re.compile(rf"\b(?:{'|'.join(map(re.escape, names)) or '(?!)'})[.(]")
    helped = sum(bool(calls.search(line)) for line in lines)
    if helped > HELPED * len(lines):
        yield (
            f"code: {helped} of {len(lines)} lines call a helper ({', '.join(sorted(names))}); "
            "at most one in seven: write the idea itself into the cell"
        )
    source = "\n".join(lines)
    for framework, parts in {
        "PyTorch (.backward and .step)": (r"\.backward\(", r"\.step\("),
        "Keras (.fit or GradientTape)": (r"\.fit\(|GradientTape\(",),
    }.items():
        if not all(re.search(part, source) for part in parts):
            yield f"code: no whole training step in {framework}; let readers change one"


def _helpers(source: str) -> Iterator[str]:
    """Names that a cell imports from the chapters' own experiments."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic; another gate looks
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "actlab.experiments"
        ):
            yield from (alias.asname or alias.name for alias in node.names)


def fits_the_page(notebook: Notebook) -> Iterator[str]:
    """No line of code is longer than the book's page, or a projector, is wide."""
    for where, cell in notebook.cells("code"):
        for line in cell.source.splitlines():
            if len(line) > MAX_WIDTH:
                yield f"{where}: {len(line)} characters in a line instead of at most {MAX_WIDTH}"


reading_minutes = lessons.reading_minutes  # the rule behind the header


def can_be_run_again(notebook: Notebook) -> Iterator[str]:
    """Whoever changes a cell and runs it once more finds its names as they were."""
    cells = [(where, *_names(cell.source)) for where, cell in notebook.cells("code")]
    for i, (where, read, _) in enumerate(cells):
        before = {name for _, _, bound in cells[:i] for name in bound}
        for later, _, bound in cells[i + 1 :]:
            for name in sorted(read & before & bound):
                yield f"{where}: reads {name}, which {later} binds again; take another name there"


def _names(source: str) -> tuple[set[str], set[str]]:
    """What a cell, and the functions in it, read without binding it there; and what it binds."""
    try:
        top = symtable.symtable(source, "cell", "exec")
    except SyntaxError:  # a magic; another gate looks
        return set(), set()
    free: set[str] = set()
    bound = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_namespace()  # an import is the same every time
    }
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        free |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (table is top or symbol.is_global())
        }
    return free - bound, bound


# --- Few verdicts, some exercises, one row to remember --------------------------------------------


def shows_few_verdicts(notebook: Notebook) -> Iterator[str]:
    """The verdicts that teach; the others are in the ledger."""
    cards = sum(len(re.findall(r'class="verdict-card', html)) for html in _html(notebook.nb))
    if cards > MAX_CARDS:
        yield f"verdicts: {cards} cards instead of at most {MAX_CARDS}; link to the ledger instead"


def ends_with_work_and_a_row(notebook: Notebook) -> Iterator[str]:
    """Exercises, then key points, then the cheat row."""
    cells = [cell for _, cell in notebook.cells()]
    text = "\n".join(cell.source for _, cell in notebook.cells("markdown"))
    exercises = len(re.findall(r"^> \*\*Exercise\b", text, re.MULTILINE))
    if exercises not in EXERCISES:
        yield f"boxes: {exercises} exercises; expected {_span(EXERCISES)}"
    points = [
        n for n, cell in enumerate(cells) if re.search(r"^> \*\*Key points", cell.source, re.M)
    ]
    rows = [
        n
        for n, cell in enumerate(cells)
        if cell.cell_type == "code" and re.search(r"\bclaims\.cheat\(", cell.source)
    ]
    if notebook.name.removesuffix(".ipynb") in WITHOUT_ROW:
        return
    if len(rows) != 1:
        yield f"cheat row: {len(rows)} cells call claims.cheat(…) instead of one"
    elif points and rows[0] < points[-1]:
        yield "cheat row: stands before the key points; put it behind them"


def _html(nb: Any) -> Iterator[str]:
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            yield str(output.get("data", {}).get("text/html", ""))


GATES = (
    reveals_its_predictions,
    shows_the_essential_code,
    fits_the_page,
    can_be_run_again,
    shows_few_verdicts,
    ends_with_work_and_a_row,
)
