"""Measure where PyTorch, Keras and the float64 reference differ.

``python -m actlab.frameworks.parity record`` measures every place of every record anew and writes
``differences.json``, ``check`` says what is no longer true of it, ``add`` adds what another
processor shows. What counts as a difference is
said in :mod:`actlab.frameworks.cases`, how it is kept in :mod:`actlab.frameworks.differences`.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.catalog import Activation, ParameterError, Place
from actlab.frameworks import inputs, lines
from actlab.frameworks.binding import DTYPES, Array, arguments, find, places_of, required
from actlab.frameworks.cases import (
    FRAMEWORKS,
    INACCURATE,
    ULPS,
    Case,
    Group,
    Quantity,
    classify,
    compared,
    groups,
)
from actlab.frameworks.differences import (
    PATH,
    Difference,
    Witness,
    compare,
    load,
    merged,
    recorded_versions,
    same_results,
    save,
    versions,
)
from actlab.frameworks.specials import SPECIALS


def settings_of(record: Activation) -> Iterator[dict[str, Any]]:
    """The defaults, then every example that the catalog gives for a parameter, one at a time."""
    yield {}
    for parameter in record.parameters:
        for example in parameter.examples:
            try:
                record.resolve({parameter.name: example})
            except ParameterError:  # not together with the other defaults
                continue
            yield {parameter.name: example}


def differences_in(case: Case, *, witnesses: bool = True) -> Iterator[Difference]:
    """All differences of one case from the reference, the places that share one together.

    Looking for the ``witnesses`` takes most of the time.
    """
    found: dict[tuple[Any, ...], tuple[list[Place], Group]] = {}
    for place in places_of(case.record):
        try:
            arguments(case.record, place, case.setting)
        except ParameterError:
            continue  # this place can not be given the setting; another one can
        find(place.path)  # a path that leads nowhere is a mistake of the catalog
        for quantity in case.exact:
            try:
                got = case.evaluate(place, quantity)
            except Exception:  # whatever the framework raises is a finding
                group = Group("refused", "", (), 0, math.inf, _ordinary(case))
                key = (place.framework, quantity, group.name)
                found.setdefault(key, ([], group))[0].append(place)
                break  # no value, so no gradient either
            for group in groups(case, quantity, got):
                key = (place.framework, quantity, group.name)
                found.setdefault(key, ([], group))[0].append(place)
    for (_, quantity, _), (places, group) in found.items():
        yield Difference(
            case.record.name,
            case.setting,
            quantity,
            group.category,
            case.dtype,
            group.side,
            tuple(place.path for place in places),
            group.span,
            group.inputs,
            group.error,
            witness(case, places[0], quantity, group) if witnesses else None,
        )


def witness(case: Case, place: Place, quantity: Quantity, group: Group) -> Witness:
    """The plainest input of a group at which a line of code shows the difference.

    A number is tried alone first, then in an array of 64: some results depend on it. Raises
    ``RuntimeError`` where no line shows what the measurement saw.
    """
    beside = counterpart(case, place)
    for copies in (1,) if case.names else (1, 64):
        for index in _plainest(case, group.shown):
            one = case.pick(np.array([index]))
            output = None
            if case.names and quantity == "gradient":
                got = one.evaluate(place, quantity)
                wrong = np.isin(classify(one, quantity, got)[0][0], _alike(group.category))
                output = int(wrong.any(axis=-1).argmax())
                one = one.of_output(output)
            x = one.x[0].tolist()
            calls = [
                lines.write(
                    each,
                    arguments(case.record, each, case.setting),
                    quantity,
                    case.dtype,
                    x,
                    copies=copies,
                    output=output,
                    axis=case.record.axis,
                )
                for each in (place, *beside)
            ]
            results = [lines.run(call) for call in calls]
            if group.category == "refused":
                differs = isinstance(results[0], str)
            elif isinstance(results[0], str):
                continue
            else:
                got = np.reshape(results[0][0], one.exact[quantity].shape)
                differs = bool(
                    np.isin(classify(one, quantity, got)[0], _alike(group.category)).any()
                )
            if differs:
                return Witness(
                    x,
                    np.squeeze(one.exact[quantity]).tolist(),
                    tuple(r if isinstance(r, str) else np.squeeze(r[0]).tolist() for r in results),
                    beside[0].path if beside else "",
                    copies,
                    output,
                )
    raise RuntimeError(
        f"no line of code shows {group.category!r} of the {quantity} of {place.path} in "
        f"{case.dtype} at {dict(case.setting)}, measured on {group.span}"
    )


def counterpart(case: Case, place: Place) -> list[Place]:
    """The place to show beside this one: in the other framework, if possible of its own kind."""
    other = "keras" if place.framework == "torch" else "torch"
    able = []
    for candidate in places_of(case.record, other):
        try:
            arguments(case.record, candidate, case.setting)
        except ParameterError:
            continue
        able.append(candidate)
    able.sort(key=lambda candidate: (candidate.is_class != place.is_class, candidate.in_place))
    return able[:1]


def _ordinary(case: Case) -> npt.NDArray[np.intp]:
    return np.flatnonzero(case.x == -1.0)[:1] if not case.names else np.arange(1)


def _alike(category: str) -> tuple[str, ...]:
    return INACCURATE if category in INACCURATE else (category,)


def _plainest(case: Case, indices: npt.NDArray[np.intp]) -> list[int]:
    """A few of the indices: of the inputs that are shortest to write, of those the nearest to 1."""
    if case.names:
        return [int(i) for i in indices]
    spread = indices[np.unique(np.linspace(0, indices.size - 1, 400).astype(int))]
    size = np.abs(case.x[indices])
    with np.errstate(all="ignore"):
        decades = 10.0 ** np.round(np.log10(size))
    easy = indices[np.isin(size, [2, 3, 4, 5, 8, 20, 50]) | np.isclose(size, decades, rtol=1e-3)]
    candidates = np.unique(np.concatenate([easy, spread]))

    def effort(i: int) -> tuple[float, ...]:
        x = float(case.x[i])
        far = abs(math.log10(abs(x))) if x and math.isfinite(x) else 0.0
        return len(lines.shortest(x, case.dtype).lstrip("-")), far, math.copysign(1, -x)

    return [int(i) for i in sorted(candidates, key=effort)[:6]]


def differences_by_length(case: Case) -> Iterator[Difference]:
    """Edges at which a number alone fares differently from the same number in an array."""
    edges = inputs.edges(case.dtype, case.kinks)
    at = np.flatnonzero(np.isin(case.x, edges) | np.isnan(case.x))
    for place in places_of(case.record):
        if place.in_place:
            continue
        for quantity in case.exact:
            among = case.evaluate(place, quantity)[at]
            alone = np.concatenate([case.evaluate(place, quantity, case.x[[i]]) for i in at])
            with np.errstate(invalid="ignore"):
                apart = np.abs(among - alone) > 2 * ULPS * case.unit[quantity][at]
            apart |= (np.isnan(among) != np.isnan(alone)) | ((among == 0) != (alone == 0))
            if apart.any():
                yield _length_difference(case, place, quantity, at[apart])


def _length_difference(
    case: Case, place: Place, quantity: Quantity, indices: npt.NDArray[np.intp]
) -> Difference:
    passed = arguments(case.record, place, case.setting)
    for index in _plainest(case, indices):
        x = float(case.x[index])
        calls = [
            lines.write(place, passed, quantity, case.dtype, x, copies=copies) for copies in (1, 64)
        ]
        alone, among = (float(np.ravel(lines.run(call))[0]) for call in calls)
        if not (alone == among or (math.isnan(alone) and math.isnan(among))):
            break
    else:
        raise RuntimeError(f"no array of 64 shows how {place.path} depends on the length")
    return Difference(
        case.record.name,
        case.setting,
        quantity,
        "length",
        case.dtype,
        "",
        (place.path,),
        (float(case.x[indices[0]]), float(case.x[indices[-1]])),
        indices.size,
        math.inf,
        Witness(x, float(case.exact[quantity][index]), (alone, among), copies=64),
    )


def differences_by_default(record: Activation) -> Iterator[Difference]:
    """Places that compute different functions when nothing is said about the parameters."""
    x = [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]
    kinds: list[tuple[Array, Place]] = []
    names = {name.replace("_", "") for name in (record.name, *record.aliases)}
    for place in places_of(record):
        if place.path.rpartition(".")[2].lower().replace("_", "") not in names:
            continue  # another function's object, which computes this one at other parameters
        side = FRAMEWORKS[place.framework]
        function = side.call(place, required(record, place), dtype="float32")
        got = side.evaluate(function, x, "float32")
        if not any(np.allclose(got, other, atol=1e-4) for other, _ in kinds):
            kinds.append((got, place))
    if len(kinds) < 2:
        return
    spread = np.ptp([got for got, _ in kinds], axis=0)
    at = int(spread.argmax())
    yield Difference(
        record.name,
        {},
        "value",
        "default",
        "float32",
        "",
        tuple(place.path for _, place in kinds),
        (x[at], x[at]),
        int((spread > 0).sum()),
        math.inf,
        Witness(x[at], float(record.reference(x[at])), tuple(float(got[at]) for got, _ in kinds)),
    )


def differences_by_use() -> Iterator[Difference]:
    """The differences of :mod:`actlab.frameworks.specials`, as they are today."""
    for special in SPECIALS.values():
        results = special.results()
        if same_results(*results[:2]) and not special.both:
            continue
        yield Difference(
            special.record,
            {},
            "value",
            special.category,
            "",
            special.slug,
            (),
            (),
            0,
            math.inf,
            Witness(None, None, results),
        )


def measure(
    records: Sequence[Activation] | None = None, *, witnesses: bool = True
) -> list[Difference]:
    """Every difference of these records (of all that can be compared, with the special ones).

    At other settings than the default, only what the place does not already show at the default.
    Minutes with ``witnesses``, without about two.
    """
    found = [] if records is not None else list(differences_by_use())
    for record in catalog.records() if records is None else records:
        if not compared(record):
            continue
        if record.kind == "elementwise":
            found += differences_by_default(record)
        seen: set[tuple[Any, ...]] = set()
        for setting in settings_of(record):
            for dtype in DTYPES:
                case = Case.of(record, setting, dtype)
                here = list(differences_in(case, witnesses=witnesses))
                if setting:
                    here = [new for old in here if (new := _unseen(old, seen)) is not None]
                else:
                    seen.update(kind for difference in here for kind in _kinds(difference))
                    if record.kind == "elementwise":
                        here += differences_by_length(case)
                found += here
    return found


def _kinds(difference: Difference) -> list[tuple[Any, ...]]:
    kind = "inaccurate" if difference.category in INACCURATE else difference.category
    return [(path, difference.quantity, kind, difference.dtype) for path in difference.places]


def _unseen(difference: Difference, seen: set[tuple[Any, ...]]) -> Difference | None:
    """The difference with those of its places only that do not show its kind anyway."""
    kinds = zip(difference.places, _kinds(difference), strict=True)
    places = tuple(path for path, kind in kinds if kind not in seen)
    return dataclasses.replace(difference, places=places) if places else None


VARIANTS: tuple[Mapping[str, str], ...] = (
    {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    {"ATEN_CPU_CAPABILITY": "default", "TF_ENABLE_ONEDNN_OPTS": "0"},
)
"""How to make the libraries behave as on a lesser processor."""


def record(path: Path = PATH) -> None:
    """Measure everything anew and write it down.

    Measures again as on lesser processors (in processes of their own) and marks what not all of
    them show, so that the record is true on other machines than this one.
    """
    found = _as_elsewhere(measure(), "measure")
    save(found, path)
    print(f"{len(found)} differences in {path}")


def add(path: Path = PATH) -> None:
    """Add what this processor shows, and measure the differences in use anew.

    For when ``check`` finds what the record's own processor did not show, or a use is new: the
    rest of the record stays, and what not both show is marked. Raises ``SystemExit`` when the
    record was made with other versions.
    """
    if recorded_versions(path) != versions():
        raise SystemExit("recorded with other versions: record anew instead.")
    old = [difference for difference in load(path) if difference.places]
    here = [difference for difference in measure(witnesses=False) if difference.places]
    known = {(place, *difference.key) for difference in old for place in difference.places}
    names = {d.record for d in here if any((place, *d.key) not in known for place in d.places)}
    here = [difference for difference in here if difference.record not in names]
    here += measure([catalog.get(name) for name in sorted(names)])  # with witnesses
    found = _as_elsewhere(list(differences_by_use()), "uses") + merged(old, here)
    save(found, path)
    print(f"{len(found)} differences in {path}")


def _as_elsewhere(found: list[Difference], command: str) -> list[Difference]:
    """What was found, and marked what the command does not find as on a lesser processor."""
    for variant in VARIANTS:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "measured.json"
            line = [sys.executable, "-m", "actlab.frameworks.parity", command, str(file)]
            subprocess.run(line, env={**os.environ, **variant}, check=True)
            there = load(file)
        problems = compare(found, there)
        found = merged(found, there)
        print(f"{variant}: {len(problems)} differ", *problems, sep="\n  ")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands: 1 if ``check`` finds what is no longer true, else 0."""
    parser = argparse.ArgumentParser(prog="python -m actlab.frameworks.parity", description=__doc__)
    parser.add_argument("command", choices=["record", "add", "check", "measure", "uses"])
    parser.add_argument("file", type=Path, nargs="?", default=PATH, help="the record (.json)")
    chosen = parser.parse_args(arguments)
    if chosen.command == "record":
        record(chosen.file)
    elif chosen.command == "add":
        add(chosen.file)
    elif chosen.command == "uses":
        save(differences_by_use(), chosen.file)
    elif chosen.command == "measure":
        save(measure(witnesses=False), chosen.file)
    else:
        problems = compare(load(chosen.file), measure(witnesses=False))
        print(*problems, sep="\n")
        return int(bool(problems))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
