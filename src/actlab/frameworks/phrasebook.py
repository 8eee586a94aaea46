"""Translations made beforehand, so that a page can translate without a kernel.

    python -m actlab.frameworks.phrasebook    # writes phrasebook.json again

Every place and spelling that the catalog knows is translated by
:func:`actlab.frameworks.translate.translate`: without arguments, and with each of its arguments
(and two at a time), numbers standing for any other. A number becomes a gap in the answer where the
answers for several numbers differ in that number only.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actlab import catalog
from actlab.catalog import REQUIRED, Place
from actlab.catalog.record import _key, _spellings
from actlab.frameworks.translate import translate

PATH = Path(__file__).with_suffix(".json")
WHEN = (None, "now", "then")
GAP = "{%d}"  # the i-th number of the line
NUMBERS = (0.123457, 0.37, 2.5)  # of which the first is looked for in the answer
# What else arguments may be, by name; others are tried with a number.
OTHER = {
    "approximate": ("'tanh'", "'none'", "True", "False"),
    "inplace": ("True", "False"),
    "dim": ("-1", "1", "0"),
    "axis": ("-1", "1", "0"),
}


def fresh() -> dict[str, Any]:
    """The whole book: ``answers``, a list, and ``lines``: when → key → the answer's number.

    A key is the name in small letters as the catalog reads it, and in parentheses the arguments
    by name in alphabetical order, ``=`` what was given or ``=#`` for any number. ``order``: name →
    its arguments in order, for lines that give them without a name; names of functions, whose
    first argument is the tensor, have ``x`` first.
    """
    answers: dict[str, int] = {}
    lines: dict[str, dict[str, int]] = {str(when): {} for when in WHEN}
    order: dict[str, list[str]] = {}
    alike: dict[tuple[Any, ...], tuple[tuple[str, str, int], ...]] = {}
    for spelling, places in spellings().items():
        for first in places[:1]:
            order[_key(spelling)] = ([] if first.is_class else ["x"]) + list(first.arguments)
        # What is translated is the place; where it is said to stand may make a difference.
        own = bool(catalog.places(spelling))
        kind = (tuple(p.path for p in places), spelling.rpartition(".")[0], own)
        if kind in alike:
            for time, text, number in alike[kind]:
                lines[time][_key(spelling) + text] = number
            continue
        found = []
        for given, when in itertools.product(variants(places), WHEN):
            made = answer(spelling, given, when)
            text = written(given)
            plain = lines["None"].get(_key(spelling) + text)
            if made is None or (when and answers.get(made) == plain):
                continue  # the same as when nothing is said about the time
            found.append((str(when), text, answers.setdefault(made, len(answers))))
            lines[str(when)][_key(spelling) + text] = found[-1][2]
        alike[kind] = tuple(found)
    return {"answers": list(answers), "lines": lines, "order": order}


def spellings() -> dict[str, list[Place]]:
    """A way to write every name that the catalog tells from others → the places that it may be."""
    found: dict[str, tuple[str, list[Place]]] = {}  # key → the first spelling, and all places
    for record in catalog.records():
        for place in record.places:
            for spelling in _spellings(place):
                found.setdefault(_key(spelling), (spelling, []))[1].append(place)
    for record in catalog.records():
        for name in (record.name, *record.aliases):
            found.setdefault(_key(name), (name, list(record.places)))
    return dict(found.values())


def variants(places: list[Place]) -> Iterator[dict[str, str]]:
    """Arguments to try, as they are written; ``#`` for a number."""
    numeric: dict[str, None] = {}
    other: dict[str, None] = {}
    for place in places:
        for name, default in place.arguments.items():
            number = isinstance(default, (int, float)) and not isinstance(default, bool)
            (numeric if number or default is REQUIRED else other)[name] = None
    yield {}
    for count in (1, 2):
        for names in itertools.combinations(numeric, count):
            yield dict.fromkeys(names, "#")
    for name in other:
        for value in OTHER.get(name, ("#",)):
            yield {name: value}


def written(given: dict[str, str]) -> str:
    """The arguments of a line's key."""
    return f"({', '.join(f'{k}={given[k]}' for k in sorted(given))})"


def answer(spelling: str, given: dict[str, str], when: str | None) -> str | None:
    """What the translation says, with gaps for numbers; ``None`` where there is none, or no one."""
    gaps = sorted(name for name, value in given.items() if value == "#")
    # The second number is the larger one, or else the smaller: a function may ask for either.
    return _answer(spelling, given, gaps, when, 1) or _answer(spelling, given, gaps, when, -1)


def _answer(
    spelling: str, given: dict[str, str], gaps: list[str], when: str | None, step: int
) -> str | None:
    said = []
    for number in NUMBERS if gaps else NUMBERS[:1]:
        digits = [repr(number + 0.010101 * step * j) for j in range(len(gaps))]
        values = {**given, **dict(zip(gaps, digits, strict=True))}
        text = ", ".join(f"{name}={value}" for name, value in values.items())
        try:
            made = str(
                translate(f"{spelling}({text})" if text or "." in spelling else spelling, when)
            )
        except (TypeError, ValueError, KeyError):
            return None
        said.append((made, digits))
    template, digits = said[0]
    for j, one in enumerate(digits):
        template = template.replace(one, GAP % j)
    for text, digits in said[1:]:
        filled = template
        for j, one in enumerate(digits):
            filled = filled.replace(GAP % j, one)
        if filled != text:
            return None
    return template


@functools.cache
def load() -> dict[str, Any]:
    """The committed book."""
    found: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return found


def main() -> None:
    """Write the book again."""
    PATH.write_text(json.dumps(fresh(), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
