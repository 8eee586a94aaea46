"""``make changes``: what other versions do to each activation, beside what is recorded.

    python -m tests.surfaces.changes [lowest | colab | newest ...]

What is recorded: names, arguments and defaults in the catalog, the names that are no activations in
``tests/catalog/exclusions.py``, and where results differ from the exact ones in
``differences.json``. Each is asked of the named environments of ``make surfaces`` (or, without a
name, of the versions that are running), and one table per activation says what changed: values,
defaults, names, what is gone and what is new. On GitHub it also becomes the summary of the job.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from actlab import catalog
from actlab.catalog import Activation
from actlab.frameworks import differences, lines, parity
from actlab.frameworks.binding import places_of
from actlab.frameworks.cases import CATEGORIES
from actlab.frameworks.differences import Change, Difference
from tests.catalog import installed
from tests.catalog.exclusions import EXCLUDED

ROOT = Path(__file__).parents[2]
NOTHING = "–"
UNKNOWN = "In no record yet"  # the heading of names that nobody has looked at


@dataclass(frozen=True)
class Row:
    """One thing that changed: of which activation, what, where, from what to what."""

    activation: str
    what: str
    where: str
    before: str
    now: str


# --- names and defaults ---------------------------------------------------------------------------


def there(path: str) -> bool:
    """Whether the running library has this name."""
    try:
        installed.real(path)
    except (ImportError, AttributeError):
        return False
    return True


def names() -> Iterator[Row]:
    """Names that are gone from the libraries, and those that they have gained."""
    for record in catalog.records():
        for path in dict.fromkeys(place.path for place in places_of(record)):
            if not there(path):
                yield Row(record.name, "name gone", f"`{path}`", "there", NOTHING)
    for module, excluded in EXCLUDED.items():
        for name in sorted(installed.public(module) - installed.placed(module) - excluded):
            if getattr(installed.real(f"{module}.{name}"), "__module__", "") != "typing":
                yield Row(UNKNOWN, "new name", f"`{module}.{name}`", NOTHING, "there")


def defaults() -> Iterator[Row]:
    """Arguments that came, went or moved, and defaults that are others."""
    for record in catalog.records():
        for path, place in {place.path: place for place in places_of(record)}.items():
            if not there(path):
                continue
            try:
                takes = installed.actual_arguments(path)
            except (ValueError, TypeError, AssertionError) as error:
                yield Row(record.name, "signature", f"`{path}`", NOTHING, f"unreadable: {error}")
                continue
            recorded = dict(place.arguments)
            for name in {**recorded, **takes}:
                before, now = (
                    f"`{known[name]!r}`" if name in known else NOTHING
                    for known in (recorded, takes)
                )
                if name not in takes:
                    yield Row(record.name, "argument gone", f"`{path}({name})`", before, now)
                elif name not in recorded:
                    yield Row(record.name, "new argument", f"`{path}({name})`", before, now)
                elif recorded[name] != takes[name]:
                    yield Row(record.name, "default", f"`{path}({name})`", before, now)
            if list(recorded) != list(takes) and recorded.keys() == takes.keys():
                order = (", ".join(recorded), ", ".join(takes))
                yield Row(record.name, "order of arguments", f"`{path}`", *order)


# --- values ---------------------------------------------------------------------------------------


def values(recorded: Sequence[Difference], records: Iterable[Activation]) -> Iterator[Row]:
    """Where results came nearer to the exact ones, went further from them, or are others."""
    for record in records:
        known = tuple(place for place in record.places if place.when == "now" and there(place.path))
        paths = {place.path for place in known}
        mine = [left(one, paths) for one in recorded if one.record == record.name and one.places]
        now = replace(record, places=known)
        before = [one for one in mine if one is not None]
        try:
            found = differences.changes(before, parity.measure([now], witnesses=False))
            if any(change.before is None for change in found):  # with lines that show what is new
                found = differences.changes(before, parity.measure([now]))
        except Exception as error:  # whatever an older framework raises is a finding
            yield Row(record.name, "values", "", NOTHING, f"not measured: {reason(error)}")
        else:
            yield from rows(found)


def uses(recorded: Sequence[Difference]) -> Iterator[Row]:
    """The same for the differences in use, which no grid of inputs shows."""
    before = [difference for difference in recorded if not difference.places]
    try:
        yield from rows(differences.changes(before, parity.differences_by_use()))
    except Exception as error:
        yield Row(UNKNOWN, "differences in use", "", NOTHING, f"not measured: {reason(error)}")


def reason(error: Exception) -> str:
    """An error in one line of a table."""
    return f"{type(error).__name__}: {str(error).strip()}".partition("\n")[0][:200]


def left(difference: Difference, paths: set[str]) -> Difference | None:
    """The difference with the places that are still there; None where none is."""
    places = tuple(path for path in difference.places if path in paths)
    return replace(difference, places=places) if places else None


def rows(changes: Iterable[Change]) -> Iterator[Row]:
    """The changes in words; the same one in several places or formats once."""
    together: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        one = change.difference
        kind = (change.before is None, change.now is None)
        key = (one.record, one.quantity, one.category, tuple(one.setting.items()), one.side, kind)
        together.setdefault(key, []).append(change)
    for found in together.values():
        one = found[0].difference
        at = ", ".join(f"{name}={value}" for name, value in one.setting.items())
        formats = ", ".join(dict.fromkeys(c.difference.dtype for c in found if c.difference.dtype))
        where = ", ".join(f"`{c.place}`" for c in {c.place: c for c in found}.values())
        shown, before, now = results(found[0])
        what = f"{one.quantity}: {CATEGORIES[one.category]}"
        if details := "; ".join(filter(None, (at, formats))):
            what += f" ({details})"
        yield Row(one.record, what, shown or where, before, now)


def results(change: Change) -> tuple[str, str, str]:
    """The lines of code that show it, what they returned (or should), and what they return now."""
    new = change.before is None
    one = change.difference
    seen = one.witness if new else change.before.witness
    if seen is None or not seen.results:
        return "", extent(change.before), extent(change.now)
    count = 1 if one.places and one.category not in ("default", "length") else len(seen.results)
    calls = (one if new else change.before).calls[:count]
    now = [lines.run(call) for call in calls]
    recorded = [seen.exact] * count if new and one.places else list(seen.results[:count])
    shown = [
        (f"`{call}`", *written(before, after))
        for call, before, after in zip(calls, recorded, now, strict=True)
        if new or not same(before, after)
    ]
    if not shown:  # it is in the extent, or in the size of the error
        said = [extent(change.before), extent(change.now)]
        if said[0] == said[1] and change.now:
            errors = (change.before.error, change.now.error)
            said = [f"{error:.3g} times the unavoidable error" for error in errors]
        return "; ".join(f"`{call}`" for call in calls), *said
    where, before, after = ("; ".join(column) for column in zip(*shown, strict=True))
    return where, f"{before} is exact" if new and one.places else before, after


def same(first: Any, second: Any) -> bool:
    """Whether two results are the same, whatever shape a line gives them."""
    if isinstance(first, str) or isinstance(second, str):
        return isinstance(first, str) and isinstance(second, str) and first == second
    return differences.same_results(np.squeeze(first), np.squeeze(second))


def extent(difference: Difference | None) -> str:
    """``3 inputs from -13 to -12.5``."""
    if difference is None:
        return "as it should be"
    count = f"{difference.inputs} input{'s' * (difference.inputs != 1)}"
    if not difference.span:
        return "an error" if difference.category == "refused" else count
    if isinstance(difference.span[0], str):
        return f"{count}: {', '.join(difference.span)}"
    ends = [f"{end:.6g}" for end in difference.span]
    return f"{count}: {ends[0]}" if ends[0] == ends[-1] else f"{count} from {ends[0]} to {ends[-1]}"


def written(*results: Any) -> Iterator[str]:
    """Numbers (and lists of them, and names of errors) to as many digits as tell them apart."""
    for digits in (6, 9, 17):
        said = [_written(result, digits) for result in results]
        if len({*said}) == len(said):
            break
    return iter(said)


def _written(result: Any, digits: int) -> str:
    if isinstance(result, str):
        return result
    flat = np.ravel(np.asarray(result, dtype=float))
    said = ", ".join(f"{number:.{digits}g}" for number in flat[:6])
    return said if flat.size == 1 else f"[{said}{', …' if flat.size > 6 else ''}]"


# --- the page -------------------------------------------------------------------------------------


def page(found: Iterable[Row], recorded: Mapping[str, str], running: Mapping[str, str]) -> str:
    """Markdown: a table for each activation that changed, in the catalog's order."""
    by_name: dict[str, list[Row]] = {}
    for row in found:
        by_name.setdefault(row.activation, []).append(row)
    order = [UNKNOWN, *(record.name for record in catalog.records())]
    assert by_name.keys() <= {*order}
    versions = (
        ", ".join(f"{name} {version}" for name, version in known.items())
        for known in (running, recorded)
    )
    blocks = [
        "# What changed for each activation",
        "{}, beside what is recorded of {}.".format(*versions),
    ]
    changed = [name for name in order if name in by_name]
    for name in changed:
        blocks.append(f"## {title(name)}")
        cells = [("What", "Where", "Recorded", "Now"), ("---",) * 4]
        cells += [(row.what, row.where, row.before, row.now) for row in by_name[name]]
        blocks.append("\n".join(f"| {' | '.join(map(cell, row))} |" for row in cells))
    same = len(order) - 1 - len([name for name in changed if name != UNKNOWN])
    blocks.append(f"{same} of {len(order) - 1} activations are as they are recorded.")
    return "\n\n".join(blocks) + "\n"


def title(name: str) -> str:
    """The activation's title."""
    known: dict[str, Activation] = {record.name: record for record in catalog.records()}
    return known[name].title if name in known else name


def cell(text: str) -> str:
    """What would end a cell of a table is written otherwise."""
    return text.replace("|", "\\|").replace("\n", " ")


def tell(text: str) -> None:
    """To the terminal and, on GitHub, to the top of the job's page."""
    print(text, flush=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page_of_job:
            page_of_job.write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell what changed in each environment; that something did is no failure."""
    parser = argparse.ArgumentParser(prog="make changes", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="environment")
    parser.add_argument("--into", type=Path, help="where the environments are")
    chosen = parser.parse_args(arguments)
    if not chosen.names:
        recorded = differences.load()
        measured = [*values(recorded, catalog.records()), *uses(recorded)]
        found = [*names(), *defaults(), *measured]
        tell(page(found, differences.recorded_versions(), differences.versions()))
        return 0
    from . import environments, runs  # they need more than an environment has

    into = (chosen.into or environments.FOLDER).resolve()
    for name in chosen.names:
        if name not in environments.ENVIRONMENTS:
            known = ", ".join(environments.ENVIRONMENTS)
            parser.error(f"no environment {name!r}: there are {known}")
        python = environments.build(name, into)
        command = [str(python), "-m", "tests.surfaces.changes"]
        subprocess.run(command, cwd=ROOT, env=runs.PLAIN, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
