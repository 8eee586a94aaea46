"""The pages that derive from the catalog, written before Sphinx looks for pages.

Nothing here is typed by hand: a new record in :mod:`actlab.catalog` is a new entry in the gallery,
on its family's page and in the then-and-now table. No framework is imported: what they compute
and what the experiments found is read from committed records.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from actlab_class import costs, guide, hub, lessons

from actlab import catalog, plots
from actlab.catalog import REQUIRED, Activation, Place
from actlab.frameworks.differences import recorded_versions
from actlab.report import published
from actlab_site import benchmark, cards, choosing, curves, glossary, lab, ledger, starting
from actlab_site.tables import table

FOLDER = "book/reference"
THEN = {"torch": "PyTorch 1.7", "keras": "Keras 2.4"}


@cache
def now(framework: str) -> str:
    """The release that the course was measured with, ``PyTorch 2.13``; it need not be installed."""
    title = {"torch": "PyTorch", "keras": "Keras"}[framework]
    return f"{title} {'.'.join(recorded_versions()[framework].split('.')[:2])}"


def write_pages(root: Path) -> None:
    """Write every page and picture into ``root/book/reference``; remove what is left over there.

    A file whose content is unchanged keeps its time stamp, so Sphinx rebuilds only what changed.
    """
    plots.use_style()
    folder = root / FOLDER
    wanted = {folder / name: content for name, content in pages(root)}
    for path, content in wanted.items():
        data = content.encode() if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def pages(root: Path) -> Iterator[tuple[str, str | bytes]]:
    """Every generated file: its path below the folder, and its content."""
    yield "index.md", gallery(catalog.records())
    yield "then-and-now.md", then_and_now(catalog.records())
    for family, names in catalog.families().items():
        yield (
            f"family-{family.replace('_', '-')}.md",
            family_page([catalog.get(name) for name in names], root / "notebooks"),
        )
    drawn = [record for record in catalog.records() if curves.drawable(record)]
    yield "curves/all.png", curves.poster(drawn)
    for record in drawn:
        yield f"curves/{record.name}.png", curves.picture(record)
    for name, write in (
        ("disagreements", _disagreements),
        ("glossary", glossary.page),
        ("starting-document", lambda: starting.page(_claims())),
        ("cheat-sheet", lambda: _cheat_sheet(root)),
        ("choosing", _choosing),
    ):
        if lists(root, f"{FOLDER}/{name}"):  # these take longer, and import more, than the others
            yield f"{name}.md", write()
    if lists(root, f"{FOLDER}/claims"):
        yield from ledger.pages(_claims(), root / "notebooks")
    if lists(root, f"{FOLDER}/report-cards"):
        yield from cards.pages(published.cards())
    if lists(root, "book/teaching"):
        found = lessons.all_of(root / "notebooks")
        yield from guide.pages(found)
        yield "costs.md", costs.page(found, root, repository(root))
        yield "hub.part", hub.fragment(found, repository(root))
        yield "hub-update.part", hub.update()
    if lists(root, f"{FOLDER}/benchmark"):
        result = benchmark.read(root)
        yield "benchmark.md", benchmark.page(result)
        yield "curves/benchmark.png", benchmark.picture(result)


def repository(root: Path) -> str:
    """The address of the repository, as it stands in ``_config.yml``."""
    found = re.search(r"^  url: (\S+)$", (root / "_config.yml").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def lists(root: Path, page: str) -> bool:
    """Whether the table of contents lists a page."""
    contents = root / "_toc.yml"
    return contents.exists() and page in contents.read_text("utf-8").split()


def _disagreements() -> str:
    from actlab.frameworks import pages

    return pages.disagreements()


def _choosing() -> str:
    from actlab import claims

    return choosing.page(claims.get)


def _claims() -> Iterable[Any]:
    from actlab import claims

    return claims.all()


# --- one activation -----------------------------------------------------------------------------


def family_page(records: list[Activation], notebooks: Path | None = None) -> str:
    """The reference page of one family: every member with formula, curve, properties, places.

    ``notebooks``: the folder in which the members' chapters are looked for.
    """
    # GELU and GELU (tanh approximation) are one word in a heading.
    title = ", ".join(dict.fromkeys(record.title.split(" (")[0] for record in records))
    return (
        "\n\n".join(
            [f"# {title}", f"{motto(records[0])}.", *(entry(r, notebooks) for r in records)]
        )
        + "\n"
    )


def motto(record: Activation) -> str:
    """What a family has in common: the first line of the docstring of the module that holds it."""
    doc = inspect.getdoc(sys.modules[module_of(record)]) or record.family
    return doc.splitlines()[0].rstrip(".")


def module_of(record: Activation) -> str:
    """The catalog module that lists the record."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith("actlab.catalog.") and record in getattr(module, "RECORDS", ()):
            return name
    raise LookupError(f"no module of actlab.catalog lists {record.name}")


def _cheat_sheet(root: Path) -> str:
    from actlab import claims
    from actlab_site import cheat

    return cheat.page(claims.rows(), root)


def source_of(page: str) -> str | None:
    """The file that a generated page is made from, or None for a page written by hand."""
    if not page.startswith(f"{FOLDER}/"):
        return None
    name = page.removeprefix(f"{FOLDER}/")
    for family, names in catalog.families().items():
        if name == f"family-{family.replace('_', '-')}":
            return f"src/{module_of(catalog.get(names[0])).replace('.', '/')}.py"
    if chapter := re.fullmatch(r"claims-\d+-(.+)", name):
        return f"src/actlab/claims/{chapter[1].replace('-', '_')}.py"
    return {
        "disagreements": "src/actlab/frameworks/pages.py",
        "claims": "src/actlab/claims/__init__.py",
        "glossary": "book/_ext/actlab_site/glossary.py",
        "starting-document": "book/_ext/actlab_site/starting.py",
        "cheat-sheet": "book/_ext/actlab_site/cheat.py",
        "benchmark": "benchmarks/ensemble.py",
        "teaching-notes": "book/_ext/actlab_class/guide.py",
        "polls": "book/_ext/actlab_class/guide.py",
        "costs": "book/_ext/actlab_class/costs.py",
    }.get(name, "book/_ext/actlab_site/reference.py")


def anchor(record: Activation) -> str:
    """The label of a record's entry, for links from every page."""
    return f"activation-{record.name.replace('_', '-')}"


def entry(record: Activation, notebooks: Path | None = None) -> str:
    """One activation: what it does, formula, curve, properties, parameters, places, origin.

    And its chapter, where there is one in the folder ``notebooks``.
    """
    blocks = [
        f"({anchor(record)})=\n## {record.title}",
        record.summary,
        f"$$\nf(x) = {record.formula}\n$$",
        f":::{{div}} record\n{figure(record)}"
        f"{table(('Property', 'Value'), properties(record))}\n:::",
    ]
    if curves.what_is_drawn(record):
        blocks.append(f"The figure shows {curves.what_is_drawn(record)}.")
    if record.kind == "elementwise":
        piece = lab.folded("explore", f"f={record.name}", f"Move {record.title}")
        blocks.append(f"```{{raw}} html\n{piece}\n```")
    if record.parameters:
        rows = [(f"`{p.name}`", p.meaning, f"`{p.default!r}`", p.valid) for p in record.parameters]
        blocks.append(table(("Parameter", "Meaning", "Default here", "Allowed"), rows))
    blocks.append(places(record))
    if record.kink_note:
        blocks.append(record.kink_note)
    blocks.append(
        f"From {record.origin.citation}: [{record.origin.title}]({record.origin.url})."
        f" In the course's own helper: `catalog.get({record.name!r})`."
    )
    if notebooks and (home := home_of(record, notebooks)):
        blocks.append("Taught and tried in the chapter [{}]({}).".format(*home))
    return "\n\n".join(blocks)


def home_of(record: Activation, notebooks: Path) -> tuple[str, str] | None:
    """Title and link of the chapter that is about a record, if it has one in this folder."""
    from actlab import claims

    path = notebooks / f"{claims.homes().get(record.name)}.ipynb"
    return ledger.chapter_of(path) if path.exists() else None


def figure(record: Activation) -> str:
    """The picture as Markdown, with its alt text; empty for what has no curve."""
    if not curves.drawable(record):
        return ""
    alt = curves.alt_text(record).replace("[", "(").replace("]", ")")
    return f"![{alt}](curves/{record.name}.png)\n\n"


def properties(record: Activation) -> list[tuple[str, str]]:
    """The property table's rows: what each is called, and its value in words."""
    known = record.properties
    yes = {True: "yes", False: "no"}
    rows = [("Outputs", str(known.range))]
    if record.kind == "elementwise" and record.parameters:
        rows.insert(0, ("With", ", ".join(f"`{k}={v!r}`" for k, v in record.defaults.items())))
    if known.zero_centred is not None:
        rows.append(("Zero-centred", yes[known.zero_centred]))
    if known.monotonic is not None:
        rows.append(("Monotonic", yes[known.monotonic]))
    rows.append(("Smoothness", smoothness(known.smoothness, known.kinks)))
    if known.saturation is not None:
        ends = ("Slope at −∞", "Slope at +∞")
        rows += [(end, SATURATION[kind]) for end, kind in zip(ends, known.saturation, strict=True)]
    if record.stochastic:
        rows.append(("Random", "in training"))
    return rows


SATURATION = {"hard": "exactly 0", "soft": "tends to 0", None: "does not vanish"}


def smoothness(order: float, kinks: Iterable[float]) -> str:
    """C^k in words, with the places where it breaks."""
    if math.isinf(order):
        return "smooth"
    where = ", ".join(f"{kink:.4g}".replace("-", "−") for kink in kinks)
    at = f" at {where}" if where else ""
    word = {-1: "jump", 0: "kink"}.get(int(order))
    return f"{word}{at}" if word else f"C{'⁰¹²³⁴⁵⁶⁷⁸⁹'[int(order)]}, no further{at}"


# --- where it lives -----------------------------------------------------------------------------


def signature(place: Place) -> str:
    """The call with the framework's own argument names and defaults, as code."""
    arguments = ", ".join(_argument(*argument) for argument in place.arguments.items())
    return f"`{place.path}({arguments})`"


def places(record: Activation) -> str:
    """Table of the record's objects in both frameworks, then and now."""
    rows = [
        (_cell(then), _cell(now)) for framework in THEN for then, now in pairs(record, framework)
    ]
    if not rows:
        return "Neither framework has it, then or now."
    lines = table(("Then (PyTorch 1.7, Keras 2.4)", f"Now ({now('torch')}, {now('keras')})"), rows)
    missing = [now(f) for f in THEN if not record.where(f)]
    return f"{lines}\n\nNot in {' or '.join(missing)}." if missing else lines


def pairs(record: Activation, framework: str) -> list[tuple[Place | None, Place | None]]:
    """(then, now) for every object of a framework that computes the record."""
    then = _by_object(record.where(framework, "then"))
    now = _by_object(record.where(framework, "now"))
    return [(then.get(key), now.get(key)) for key in dict.fromkeys([*now, *then])]


def _by_object(found: Iterable[Place]) -> dict[str, Place]:
    # keras.layers.ReLU was tf.keras.layers.ReLU; the same object has the same last two names.
    return {".".join(place.path.split(".")[-2:]): place for place in found}


def _cell(place: Place | None) -> str:
    if place is None:
        return "–"
    return signature(place) + (f" ({place.note})" if place.note else "")


def then_and_now(records: Iterable[Activation]) -> str:
    """What a notebook written for Keras 2.4 and PyTorch 1.7 has to change today."""
    records = list(records)
    blocks = [
        "# Then and now",
        "The summary this course grew out of was written for Keras 2.4 and PyTorch 1.7. This page "
        f"lists what reads differently with {now('keras')} and {now('torch')}: arguments that one "
        "of the two has and the other has not, or has with another default; calls that are new, "
        "and calls that are gone. Objects are named as they are called today.",
        "## What changed most often",
        table(("Change", "Where"), most_often(records)),
    ]
    for framework, release in THEN.items():
        known = [(r, *pair) for r in records for pair in pairs(r, framework)]
        name = release.split()[0]
        changed = [
            (f"`{new.path}`", only(old, new), only(new, old))
            for _, old, new in known
            if old and new and differ(old, new)
        ]
        same = sum(bool(old and new) for _, old, new in known) - len(changed)
        came = [f"{r.title}: {usage(r, new)}" for r, old, new in known if new and not old]
        went = [f"{r.title}: {usage(r, old)}" for r, old, new in known if old and not new]
        blocks.append(f"## {name}")
        if changed:
            blocks.append(
                table(("Object", f"Only in {release}", f"Only in {now(framework)}"), changed)
            )
        blocks.append(f"Arguments and defaults of {same} other objects are what they were.")
        notes = [
            f"`{old.path}`: {old.note}"
            for _, old, new in known
            if old and old.note and old.note != (new.note if new else "")
        ]
        for heading, entries in {
            f"New calls in {name}": came,
            f"Gone from {name}": went,
            f"What no argument of {release} told": notes,
        }.items():
            if entries:
                blocks.append(f"### {heading}\n\n" + "\n".join(f"- {e}" for e in entries))
    return "\n\n".join(blocks) + "\n"


def most_often(records: Iterable[Activation]) -> list[tuple[str, str]]:
    """The changes of arguments that more than one object has seen, the commonest first."""
    seen: dict[str, dict[str, None]] = {}
    for framework in THEN:
        for record in records:
            for then, today in pairs(record, framework):
                for change in changes(then, today) if then and today else ():
                    seen.setdefault(change, {})[f"`{today.path}`"] = None
    rows = sorted(seen.items(), key=lambda row: -len(row[1]))
    return [(change, ", ".join(places)) for change, places in rows if len(places) > 1]


def changes(then: Place, now: Place) -> Iterator[str]:
    """What happened to the arguments of an object, each in words.

    An argument was renamed where one is gone and one is new with the same default.
    """
    gone = {name: d for name, d in then.arguments.items() if name not in now.arguments}
    new = {name: d for name, d in now.arguments.items() if name not in then.arguments}
    for old, default in gone.items():
        other = next((name for name, value in new.items() if value == default), None)
        if other is None:
            yield f"`{old}` is gone"
        else:
            del new[other]
            yield f"`{old}` is called `{other}`"
    yield from (f"`{name}` is new" for name in new)


def usage(record: Activation, place: Place) -> str:
    """The shortest call that computes the record: fixed arguments, and its own parameters."""
    arguments = [f"{name}={value!r}" for name, value in place.fixed.items()]
    for parameter in record.parameters:
        name = place.names.get(parameter.name, parameter.name)
        if name in place.arguments and name not in place.fixed:
            arguments.append(f"{name}=…")
    return f"`{place.path}({', '.join(arguments)})`"


def differ(then: Place, now: Place) -> bool:
    """Whether two versions of an object take other arguments, in another order or by default."""
    return list(then.arguments.items()) != list(now.arguments.items())


def only(place: Place, other: Place) -> str:
    """The arguments with defaults that ``place`` has and ``other`` has not, as code."""
    own = [a for a in place.arguments.items() if a not in list(other.arguments.items())]
    if not own:
        return "–" if len(place.arguments) < len(other.arguments) else "another order"
    return ", ".join(f"`{_argument(*a)}`" for a in own)


def _argument(name: str, default: Any) -> str:
    return name if default is REQUIRED else f"{name}={default!r}"


# --- the gallery --------------------------------------------------------------------------------


HOW_TO_READ = """\
:::{dropdown} How to read an entry
Every value is checked numerically by a test. *Outputs* is the smallest interval that holds all
outputs for finite inputs. *Zero-centred* means that a standard normal input gives a mean output of
exactly 0. *Monotonic* means that the curve never falls. *Smoothness* says how often the curve can
be differentiated everywhere: a *jump* tears the curve itself, a *kink* only its slope; C¹ has a
continuous slope and C² a continuous curvature. *Slope* at −∞ and +∞ tells saturation: *exactly 0*
from some point on, or it *tends to 0* without reaching it.
:::"""


def gallery(records: Iterable[Activation]) -> str:
    """One small curve per activation, grouped by family, each linked to its entry."""
    by_family: dict[str, list[Activation]] = {}
    for record in records:
        by_family.setdefault(record.family, []).append(record)
    blocks = [
        "# Every activation at a glance",
        "All the activation functions of both libraries, drawn from the same records that the "
        "tests check. Choose one for its formula, its slope, its properties and where it lives.",
        HOW_TO_READ,
    ]
    for members in by_family.values():
        tiles = "".join(tile(record) for record in members)
        html = f'```{{raw}} html\n<ul class="curves gallery">{tiles}</ul>\n```'
        blocks += [f"## {motto(members[0])}", html]
    return "\n\n".join(blocks) + "\n"


def tile(record: Activation, folder: str = "") -> str:
    """A small curve with its name, which leads to the record's entry: an item of a list.

    ``folder``: the way to the reference's pages.
    """
    page = f"{folder}family-{record.family.replace('_', '-')}.html#{anchor(record)}"
    light = plots.colour(record.name)
    drawn = curves.sketch(record, points=33)
    name = escape(record.title.split(" (")[0] if drawn else record.title)
    kind = "" if drawn else ' class="words"'
    return (
        f'<li{kind} style="--c:{light};--d:{lab.lifted(light)}"><a href="{page}">{drawn}'
        f"<span>{name}</span></a></li>"
    )
