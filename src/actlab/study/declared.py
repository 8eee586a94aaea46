"""A large experiment, declared once: what differs between its cells, and what happens in one."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Cell = dict[str, Any]
"""One value for each axis of a study: the smallest piece that is run, kept and resumed."""


class StudyError(Exception):
    """A study cannot be run or read as asked; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Declared beside its ``task``; run by ``python -m actlab.study NAME``.

    - ``axes``: what differs between the cells, axis → values (numbers, strings or booleans). The
      cells are all combinations, in this order, for which ``only`` is true (a fractional design).
    - ``settings``: what is the same in every cell; with others a result is another result.
    - ``task(**cell, **settings)``: does one cell, a few minutes of work, and returns its rows. A
      module-level function, so that a worker elsewhere can import it; it draws everything that is
      random from the cell, so that the same cell gives the same rows on every worker.
    - ``quiet``: measures time: refuses a busy machine and a cluster.
    - ``gpu``: asks for workers with the resource ``GPU``; ``build``: a study from one's own grid.
    """

    name: str
    title: str
    task: Callable[..., pd.DataFrame] = field(repr=False)
    axes: Mapping[str, Sequence[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    only: Callable[[Cell], bool] = field(default=lambda cell: True, repr=False)
    quiet: bool = False
    gpu: bool = False
    build: Callable[..., Study] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"study {self.name!r}: a name is lower-case letters, digits and _.")
        for axis, values in self.axes.items():
            said = f"study {self.name}: axis {axis!r}"
            if not values:
                raise ValueError(f"{said} is empty.")
            if len(set(values)) < len(values):
                raise ValueError(f"{said} has a value twice.")
            if odd := [v for v in values if not isinstance(v, str | int | float)]:
                columns = "numbers, strings or booleans, which stand as columns in the table"
                raise ValueError(f"{said} has {odd[0]!r}; expected {columns}.")
        if both := self.axes.keys() & self.settings.keys():
            raise ValueError(f"study {self.name}: {', '.join(sorted(both))} is axis and setting.")
        if not next(self.cells(), {}):
            raise ValueError(f"study {self.name} has no cell.")

    def cells(self) -> Iterator[Cell]:
        """Every cell, in the order in which its rows stand in the table."""
        points = itertools.product(*self.axes.values())
        return filter(self.only, (dict(zip(self.axes, values, strict=True)) for values in points))

    @property
    def digest(self) -> str:
        """Fingerprint of the grid: it changes with the cells and with the settings."""
        return digest({"cells": list(self.cells()), "settings": dict(self.settings)})

    def words(self) -> str:
        """The grid in one sentence, for a caption: ``data (3) × depth (2) × arm (6): 36 cells``."""
        axes = " × ".join(f"{axis} ({len(values)})" for axis, values in self.axes.items())
        return f"{axes}: {len(list(self.cells()))} cells"


def digest(thing: Any) -> str:
    """A short fingerprint of anything that JSON can hold (functions by their names)."""
    text = json.dumps(thing, sort_keys=True, default=lambda f: f"{f.__module__}.{f.__qualname__}")
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def root_seeds(root: int, count: int = 20) -> range:
    """The seeds of one root seed, as axes have it; different roots share none."""
    return range(1000 * root, 1000 * root + count)
