"""The recorded differences: what one is, how they are stored, and when two records are the same.

Differing inputs are gathered by record, setting, quantity, dtype, place, category and side of
zero; each group keeps the interval it spans, how many of the probed numbers it holds, and a
witness that one line of code per framework reproduces. They live in ``differences.json``, which
``python -m actlab.frameworks.parity record`` writes.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actlab import catalog
from actlab.frameworks import lines
from actlab.frameworks.binding import arguments, places_of, required, rounded
from actlab.frameworks.cases import CATEGORIES, INACCURATE, ULPS
from actlab.frameworks.specials import SPECIALS

PATH = Path(__file__).with_name("differences.json")


@dataclass(frozen=True)
class Witness:
    """One input that shows a difference, and what came of it.

    ``x`` is a number, of which the tensor holds ``copies``, or a row, of whose result ``output``
    the gradient is taken. ``results`` are those of the place that differs and of ``beside``, its
    counterpart in the other framework (empty where there is none).
    """

    x: Any
    exact: Any
    results: tuple[Any, ...]
    beside: str = ""
    copies: int = 1
    output: int | None = None

    @property
    def agree(self) -> bool:
        """Both frameworks give (nearly) the same, however far from the exact result."""
        if len(self.results) < 2 or self.exact is None:
            return False
        if any(isinstance(result, str) for result in self.results):  # the name of an error
            return bool(self.results[0] == self.results[1])
        exact, first, second = (np.asarray(a, float) for a in (self.exact, *self.results[:2]))
        if not np.isfinite(exact).all():
            return same_results(first, second, relative=1e-3)
        with np.errstate(all="ignore"):  # nan - nan and inf - inf: no difference to speak of
            apart, off = np.nan_to_num([first - second, first - exact], posinf=np.inf)
        unlike = (np.isnan(first) != np.isnan(second)) | (np.isinf(first) != np.isinf(second))
        return bool(not unlike.any() and np.abs(apart).max() <= np.abs(off).max() / 2)


@dataclass(frozen=True)
class Difference:
    """Inputs of one kind at which some places of a framework differ from the reference.

    ``span`` is the smallest interval that holds them, or the names of the rows; ``inputs`` is how
    many of those probed they are, ``error`` the worst error as a multiple of the unavoidable one
    (infinite for a NaN). ``everywhere`` is false for what only some processors show.
    """

    record: str
    setting: Mapping[str, Any]
    quantity: str
    category: str
    dtype: str
    side: str
    places: tuple[str, ...]
    span: tuple[Any, ...]
    inputs: int
    error: float
    witness: Witness | None
    everywhere: bool = True

    @property
    def framework(self) -> str:
        """The framework that differs ("" where two differ from one another)."""
        return self.places[0].split(".")[0] if self.places else ""

    @property
    def calls(self) -> tuple[str, ...]:
        """The lines of code, after ``lines.PREAMBLE``, that give the results of the witness."""
        shown = self.witness
        if shown is None:
            return ()
        if not self.places:
            return SPECIALS[self.record, self.side].calls
        record = catalog.get(self.record)
        at = {place.path: place for place in places_of(record)}
        if self.category == "default":
            return tuple(
                lines.write(at[path], required(record, at[path]), "value", self.dtype, shown.x)
                for path in self.places
            )
        paths = [self.places[0], shown.beside]
        lengths = [shown.copies, shown.copies]
        if self.category == "length":
            paths, lengths = [self.places[0]] * 2, [1, shown.copies]
        return tuple(
            lines.write(
                at[path],
                arguments(record, at[path], self.setting),
                self.quantity,
                self.dtype,
                shown.x,
                copies=copies,
                output=shown.output,
                axis=record.axis,
            )
            for path, copies in zip(paths, lengths, strict=True)
            if path
        )

    @property
    def key(self) -> tuple[Any, ...]:
        """With the place, what makes it the same difference in another measurement."""
        kind = "inaccurate" if self.category in INACCURATE else self.category
        setting = tuple(self.setting.items())
        return self.record, setting, self.quantity, kind, self.dtype, self.side

    @property
    def clear(self) -> bool:
        """Seen everywhere, and not a rounding more or less."""
        return self.everywhere and (self.category not in INACCURATE or self.error > 2 * ULPS)

    @property
    def title(self) -> str:
        """In a few words."""
        at = "".join(f", {name}={value}" for name, value in self.setting.items())
        return f"{self.quantity} of {self.record}{at} in {self.dtype}: {CATEGORIES[self.category]}"

    @property
    def extent(self) -> str:
        """Where, and how much."""
        return f"{self.span}, {self.inputs} inputs, error {self.error:.3g}"


@dataclass(frozen=True)
class Change:
    """At one place, a difference that is new, gone (``now`` or ``before`` is None) or moved."""

    place: str
    before: Difference | None
    now: Difference | None

    @property
    def difference(self) -> Difference:
        """What it is about: the measured one, or the recorded one that is gone."""
        found = self.now or self.before
        assert found is not None
        return found

    def __str__(self) -> str:
        """In a sentence."""
        said = f"{self.difference.title} at {self.place}"
        if self.before is None:
            return f"new: {said}"
        if self.now is None:
            return f"gone: {said}"
        return f"moved: {said}: recorded {self.before.extent}, measured {self.now.extent}"


def changes(recorded: Iterable[Difference], measured: Iterable[Difference]) -> list[Change]:
    """What is new, gone or moved, place by place; empty when the record is true.

    A loss of accuracy within a factor of two of the tolerance may come and go, and its extent may
    vary as much: processors round differently. The same holds for what was not seen everywhere.
    """
    old, new = _by_place(recorded), _by_place(measured)
    found = []
    for key in {**old, **new}:
        before, now = old.get(key), new.get(key)
        if not all(difference.clear for difference in (before, now) if difference):
            continue
        if before is None or now is None or not _same_extent(before, now):
            found.append(Change(key[0], before, now))
    return found


def compare(recorded: Iterable[Difference], measured: Iterable[Difference]) -> list[str]:
    """The :func:`changes`, a sentence each, sorted."""
    return sorted(map(str, changes(recorded, measured)))


def _by_place(differences: Iterable[Difference]) -> dict[tuple[Any, ...], Difference]:
    return {
        (path, *difference.key): difference
        for difference in differences
        for path in difference.places or ("both",)
    }


def _same_extent(old: Difference, new: Difference) -> bool:
    if old.category == "default" or not old.places:
        if old.witness is None or new.witness is None:
            return False
        pairs = zip(old.witness.results, new.witness.results, strict=True)
        return all(same_results(before, now, relative=1e-3) for before, now in pairs)
    if old.category in INACCURATE:
        return max(old.error, new.error) <= 2 * min(old.error, new.error)
    return old.span == new.span or (
        len(old.span) == len(new.span) == 2
        and not isinstance(old.span[0], str)
        and np.allclose(old.span, new.span, rtol=0.01, atol=0.0, equal_nan=True)
    )


def merged(here: Iterable[Difference], there: Iterable[Difference]) -> list[Difference]:
    """What was found here, marked where it is different there, and what was found only there."""
    old, new = _by_place(here), _by_place(there)
    result = []
    for difference in here:
        shared = all(
            (key := (path, *difference.key)) in new and _same_extent(difference, new[key])
            for path in difference.places or ("both",)
        )
        result.append(dataclasses.replace(difference, everywhere=difference.everywhere and shared))
    for (path, *_), difference in new.items():
        if (path, *difference.key) not in old:
            result.append(dataclasses.replace(difference, places=(path,), everywhere=False))
    return result


def same_results(first: Any, second: Any, *, relative: float = 1e-12) -> bool:
    """Whether two results (numbers, lists of them, names of errors) are the same."""
    if isinstance(first, str) or isinstance(second, str):
        return bool(first == second)
    if np.shape(first) != np.shape(second):
        return False
    return bool(np.allclose(first, second, rtol=relative, atol=0.0, equal_nan=True))


def versions() -> dict[str, str]:
    """The versions of the libraries whose results are recorded."""
    return {name: importlib.metadata.version(name) for name in ("torch", "keras", "tensorflow")}


def save(differences: Iterable[Difference], path: Path = PATH) -> None:
    """Write the record, a line for each difference, its dtypes together."""
    together: dict[str, list[dict[str, Any]]] = {}
    for difference in differences:
        entry = _encode(difference)
        shared = json.dumps({name: entry.pop(name) for name in SHARED if name in entry})
        together.setdefault(shared, []).append(entry)
    header = json.dumps({"versions": versions(), "ulps": ULPS})[:-1]
    body = ",\n".join(
        f'{shared[:-1]}, "found": {json.dumps(entries)}}}' for shared, entries in together.items()
    )
    temporary = path.with_suffix(".part")
    temporary.write_text(f'{header}, "differences": [\n{body}\n]}}\n', encoding="utf-8")
    temporary.replace(path)


def load(path: Path = PATH) -> list[Difference]:
    """The recorded differences, in the order of the catalog."""
    stored = json.loads(path.read_text(encoding="utf-8"))["differences"]
    return [
        _decode({name: group[name] for name in SHARED if name in group} | entry)
        for group in stored
        for entry in group["found"]
    ]


def recorded_versions(path: Path = PATH) -> dict[str, str]:
    """The versions with which the record was made."""
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["versions"]
    return found


SHARED = ("record", "setting", "quantity", "category", "side", "places")
OMITTED = {"setting": {}, "side": "", "everywhere": True, "beside": "", "copies": 1, "output": None}
"""What is not written because it is nearly always so."""


def _encode(difference: Difference) -> dict[str, Any]:
    entry: dict[str, Any] = _written(dataclasses.asdict(difference))
    entry["error"] = _written(float(f"{difference.error:.3g}"))
    dtype, shown = difference.dtype, difference.witness
    if dtype:
        entry["span"] = _written(difference.span, dtype)
        if shown is not None:
            entry["witness"]["x"] = _written(shown.x, dtype)
            entry["witness"]["results"] = _written(shown.results, dtype)
            if dtype != "float64":
                entry["witness"]["exact"] = _written(_nine_digits(shown.exact))
    return entry


def _written(value: Any, dtype: str = "") -> Any:
    """Numbers as short as ``dtype`` allows; those that JSON does not know as words."""
    if isinstance(value, dict):
        return {
            name: _written(element, dtype)
            for name, element in value.items()
            if name not in OMITTED or element != OMITTED[name]
        }
    if isinstance(value, list | tuple):
        return [_written(element, dtype) for element in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return str(value)
    return float(lines.shortest(value, dtype)) if dtype else value


def _nine_digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_nine_digits(element) for element in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _decode(entry: Mapping[str, Any]) -> Difference:
    dtype = entry["dtype"]
    read = {"setting": {}, "side": "", **entry, "error": float(entry["error"])}
    read["places"] = tuple(entry["places"])
    read["span"] = tuple(_read(entry["span"], dtype))
    shown = entry.get("witness")
    if shown is not None:
        exact, results = _read(shown["exact"], ""), tuple(_read(shown["results"], dtype))
        own = {**shown, "x": _read(shown["x"], dtype), "exact": exact, "results": results}
        read["witness"] = Witness(**own)
    return Difference(**read)


def _read(value: Any, dtype: str) -> Any:
    if isinstance(value, list):
        return [_read(element, dtype) for element in value]
    if value in ("nan", "inf", "-inf"):
        return float(value)
    return float(rounded(value, dtype)) if dtype and isinstance(value, float) else value
