"""What a compiler changes: a graph and XLA for Keras, ``torch.compile`` for PyTorch.

A compiler fuses operations and brings routines of its own. Every function that a grid of inputs
can compare is called eagerly and compiled, forwards and backwards, and both results are judged as
in :mod:`actlab.frameworks.cases`, but that fewer digits still count as right. Kept is where right
becomes wrong or the reverse, and does so as on an older processor. ``compiled.json`` holds it,
which ``python -m actlab.frameworks.compiled`` writes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.catalog import Activation, Place
from actlab.frameworks import lines
from actlab.frameworks.binding import Array, places_of
from actlab.frameworks.cases import FRAMEWORKS, Case, Quantity, classify, compared
from actlab.frameworks.differences import versions

PATH = Path(__file__).with_name("compiled.json")

ROUTES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tf.function": ("keras", ("float32", "float16")),
    "XLA": ("keras", ("float32", "float16")),
    "torch.compile": ("torch", ("float32",)),
}
"""Compiler → framework and formats that are tried."""

OLDER: Mapping[str, str] = {
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",  # before AVX2 it refuses float16
    "ATEN_CPU_CAPABILITY": "avx2",  # before AVX2 it compiles numbers one by one: another routine
    "TF_ENABLE_ONEDNN_OPTS": "0",
}
"""How to make the compilers (and what is eager) behave as on a processor with AVX2 only."""


@dataclass(frozen=True)
class Change:
    """Inputs at which one verdict, eagerly, becomes another, compiled ("" is: right).

    ``x`` is one of the ``inputs``; ``results`` are the eager and the compiled one there.
    """

    route: str
    record: str
    quantity: Quantity
    dtype: str
    before: str
    after: str
    inputs: int
    x: Any
    exact: Any
    results: tuple[Any, Any]

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same change in another measurement."""
        return self.route, self.record, self.quantity, self.dtype, self.before, self.after

    @property
    def better(self) -> bool:
        """Whether the compiled result is the right one."""
        return self.after == ""


def place_of(record: Activation, framework: str) -> Place | None:
    """The function (else the layer) that is compiled."""
    places = [place for place in places_of(record, framework) if not place.in_place]
    return min(places, key=lambda place: place.is_class, default=None)


def compile_by(route: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled."""
    compiled: Callable[..., Any]
    if route == "torch.compile":
        import torch

        torch.compiler.reset()
        # Its cache on disk does not know ATEN_CPU_CAPABILITY: code for one processor on another.
        compiled = torch.compile(function, dynamic=False, options={"fx_graph_cache": False})
    else:
        import tensorflow as tf

        compiled = tf.function(function, jit_compile=route == "XLA")
    return compiled


def changes_in(route: str, record: Activation) -> Iterator[Change]:
    """Where compiling makes right results of a record wrong, or wrong ones right."""
    framework, dtypes = ROUTES[route]
    place = place_of(record, framework)
    if place is None or not compared(record):
        return
    for dtype in dtypes:
        case = Case.of(record, {}, dtype)
        for quantity in case.exact:
            eager = _verdicts(case, quantity, place)
            after = _verdicts(case, quantity, place, route)
            if eager is None or after is None:
                if (eager is None) != (after is None):
                    words = ("refused", "") if eager is None else ("", "refused")
                    yield Change(
                        route, record.name, quantity, dtype, *words, len(case.x), None, None, (0, 0)
                    )
                continue
            pairs = np.stack([eager[0], after[0]])
            for before, now in sorted({(str(a), str(b)) for a, b in pairs.reshape(2, -1).T}):
                at = np.argwhere((pairs[0] == before) & (pairs[1] == now))
                if before == now or "" not in (before, now):
                    continue
                plain = [_plainness(case.x[i], dtype) for i in at[:, 0]]
                index = tuple(at[plain.index(min(plain))])
                yield Change(
                    route,
                    record.name,
                    quantity,
                    dtype,
                    before,
                    now,
                    len(np.unique(at[:, 0])),
                    case.x[index[0]].tolist(),
                    float(case.exact[quantity][index]),
                    (float(eager[1][index]), float(after[1][index])),
                )


def _verdicts(
    case: Case, quantity: Quantity, place: Place, route: str | None = None
) -> tuple[npt.NDArray[np.object_], Array] | None:
    """The verdict on every result and the results; None for an error."""
    function = FRAMEWORKS[place.framework].at(case.record, place, dtype=case.dtype)
    if route is not None:
        function = compile_by(route, function)
    try:
        with warnings.catch_warnings(action="ignore"):
            got = case.call(function, place.framework, quantity)
    except Exception:  # whatever the framework raises is a finding
        return None
    verdict = classify(case, quantity, got)[0]
    verdict[verdict == "digits"] = ""  # how many, processors differ on
    return verdict, got


def _plainness(x: Any, dtype: str) -> tuple[float, ...]:
    if isinstance(x, np.ndarray):
        return (0.0,)
    far = abs(np.log10(abs(x))) if np.isfinite(x) and x else 0.0
    return len(lines.shortest(float(x), dtype).lstrip("-")), far


def measure(routes: Iterable[str] = ROUTES, names: Iterable[str] | None = None) -> list[Change]:
    """All changes of these compilers, on all functions or those named. Minutes."""
    records = [catalog.get(n) for n in names] if names is not None else list(catalog.records())
    return [
        change for route in routes for record in records for change in changes_in(route, record)
    ]


def tried(route: str) -> list[str]:
    """The functions that a compiler is tried on."""
    framework, _ = ROUTES[route]
    return [r.name for r in catalog.records() if compared(r) and place_of(r, framework) is not None]


def save(changes: Iterable[Change], path: Path = PATH) -> None:
    """Write the record, a line for each change."""
    rows = ",\n".join(json.dumps(_written(dataclasses.asdict(change))) for change in changes)
    text = f'{{"versions": {json.dumps(versions())}, "changes": [\n{rows}\n]}}\n'
    temporary = path.with_suffix(".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def load(path: Path = PATH) -> list[Change]:
    """The recorded changes."""
    rows = json.loads(path.read_text(encoding="utf-8"))["changes"]
    return [Change(**{**_read(row), "results": tuple(_read(row["results"]))}) for row in rows]


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _written(element) for name, element in value.items()}
    if isinstance(value, list | tuple):
        return [_written(element) for element in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read(element) for name, element in value.items()}
    if isinstance(value, list):
        return [_read(element) for element in value]
    return float(value) if value in ("nan", "inf", "-inf") else value


def record(path: Path = PATH) -> None:
    """Measure here and as on an older processor, and keep what both show."""
    found = measure()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "measured.json"
        command = [sys.executable, "-m", "actlab.frameworks.compiled", "measure", str(file)]
        subprocess.run(command, env={**os.environ, **OLDER}, check=True)
        there = {change.key for change in load(file)}
    save([change for change in found if change.key in there], path)
    print(f"{len(found)} changes here, {len(there)} on an older processor; both are in {path}")


def main(arguments: Sequence[str] | None = None) -> int:
    """``record`` (the default) rewrites the data; ``measure`` writes what is seen here and now."""
    parser = argparse.ArgumentParser(prog="python -m actlab.frameworks.compiled")
    parser.add_argument("command", choices=["record", "measure"], nargs="?", default="record")
    parser.add_argument("file", type=Path, nargs="?", default=PATH, help="the record (.json)")
    chosen = parser.parse_args(arguments)
    if chosen.command == "record":
        record(chosen.file)
    else:
        save(measure(), chosen.file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
