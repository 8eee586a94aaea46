"""What an experiment found: intervals by case, and which cases have something in common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Self

from actlab.stats import Array, Interval, mean_interval

Level = Callable[[int], float]
"""How sure each of so many intervals has to be (:meth:`actlab.trial.Rule.level`)."""
Case = tuple[str, ...]
Evidence = Mapping[str, "Measured"]
"""Quantity → what was measured of it; every quantity has the same cases."""

# How a reader hears the level of a factor. What is not here is said as it is.
PHRASES = {"data": "on {}", "task": "for {}", "rival": "against {}", "between": "between {}"}
PHRASES |= {"depth": "with {} hidden layers", "layer": "in layer {}", "same": "from the same {}"}
PHRASES |= {"start": "under {} initialisation", "rate": "at a learning rate of {}"}
PHRASES |= {"input mean": "inputs of mean {}", "input sd": "sd {}"}
PHRASES |= dict.fromkeys(("framework", "arithmetic", "dtype"), "in {}")
PHRASES |= dict.fromkeys(("optimiser", "change", "view"), "with {}")
# The same where there is little room, in a table or beside a picture.
SHORT = {"depth": "{} layers", "rival": "over {}"}
LISTED, NAMED = 6, 18  # cases, and words, in which they are named one by one; more are counted
STORED = ("mean", "low", "high", "n", "confidence")  # of an interval


@dataclass(frozen=True)
class Measured:
    """Intervals by case.

    - ``cases``: case → interval, in the unit of the rule's bound. A case is a tuple with one
      level (a string) for each of ``factors``; a number known exactly is an interval of no width.
      There may be none, for a question about cases that did not arise (nothing is shown then).
    - ``factors``: what the levels are levels of (``("data", "depth")``); see :data:`PHRASES`.
    - ``floors``: case → how far two means of the control drift apart by chance, of the same kind
      as the interval (paired beside paired), where it was measured.
    - ``notes``: further numbers for the reader; nothing is decided by them.
    """

    cases: Mapping[Case, Interval]
    factors: tuple[str, ...] = ("case",)
    floors: Mapping[Case, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for case, found in self.cases.items():
            if not isinstance(case, tuple) or len(case) != len(self.factors):
                one_each = f"one level for each of {', '.join(self.factors)}"
                raise ValueError(f"case {case!r}: expected a tuple with {one_each}.")
            if not (math.isfinite(found.mean) and found.low <= found.mean <= found.high):
                raise ValueError(f"case {case!r}: {found} is no interval around a finite mean.")

    @classmethod
    def of(cls, cases: Mapping[Any, Interval], *factors: str, **more: Any) -> Self:
        """By case, or by plain names for cases that differ in one thing."""
        named = {name if isinstance(name, tuple) else (name,): one for name, one in cases.items()}
        return cls(named, factors or ("case",), **more)

    @classmethod
    def exact(cls, cases: Mapping[Any, float], *factors: str, **more: Any) -> Self:
        """From numbers that no seed can change."""
        found = {name: Interval(value, value, value, n=1) for name, value in cases.items()}
        return cls.of(found, *factors, **more)

    @classmethod
    def means(cls, samples: Mapping[Any, Array], level: Level, *factors: str, **more: Any) -> Self:
        """From one value a network, (seeds,): their mean, as sure as so many cases ask."""
        sure = level(len(samples))
        found = {name: mean_interval(values, sure) for name, values in samples.items()}
        return cls.of(found, *factors, **more)

    def title(self, case: Case) -> str:
        """A case in the reader's words."""
        return self._said([case])

    def short(self, case: Case) -> str:
        """A case in few words: ``digits, 5 layers``."""
        pairs = zip(self.factors, case, strict=True)
        return ", ".join(SHORT.get(factor, "{}").format(level) for factor, level in pairs)

    def condition(self, chosen: Iterable[Case]) -> str:
        """What exactly the chosen cases have in common, in the reader's words.

        The smallest set of factors whose levels single them out (``on MNIST-1D, with 10 hidden
        layers``), or the rest (``everywhere but on digits``); else the cases one by one, or, where
        these are many, how many of them (``in 23 of 32 cases``).
        """
        among = set(chosen)
        wanted = [case for case in self.cases if case in among]
        if found := self._common(wanted):
            return found
        if found := self._common([case for case in self.cases if case not in among]):
            return f"everywhere but {found}"
        groups: dict[Case, list[Case]] = {}  # what differs in the last factor alone
        for case in wanted:
            groups.setdefault(case[:-1], []).append(case)
        listed = "; ".join(map(self._said, groups.values()))
        few = len(groups) <= LISTED and len(wanted) <= 2 * LISTED and len(listed.split()) <= NAMED
        return listed if few else f"in {len(wanted)} of {len(self.cases)} cases"

    def _common(self, wanted: Sequence[Case]) -> str:
        for size in range(1, len(self.factors) + 1):
            for axes in itertools.combinations(range(len(self.factors)), size):
                levels = {axis: {case[axis] for case in wanted} for axis in axes}
                picked = [c for c in self.cases if all(c[a] in levels[a] for a in axes)]
                if picked == wanted:
                    return self._said(wanted, axes)
        return ""

    def _said(self, cases: Sequence[Case], axes: Iterable[int] | None = None) -> str:
        """Which levels cases have of some factors, or of all: ``on digits or wine, with SGD``."""
        phrases = []
        for axis in range(len(self.factors)) if axes is None else axes:
            levels = dict.fromkeys(case[axis] for case in cases)
            phrases.append(PHRASES.get(self.factors[axis], "{}").format(" or ".join(levels)))
        return ", ".join(phrases).replace("with 1 hidden layers", "with 1 hidden layer")

    def half_width(self) -> float:
        """The smallest effect that could have been seen: the widest interval's half-width."""
        return max(((f.high - f.low) / 2 for f in self.cases.values()), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON can hold it; :meth:`from_json` reads it back."""
        numbers = attrgetter(*STORED)
        cases = [[list(case), *numbers(found)] for case, found in self.cases.items()]
        floors = [[list(case), floor] for case, floor in self.floors.items()]
        notes = dict(self.notes)
        return {"factors": list(self.factors), "cases": cases, "floors": floors, "notes": notes}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` gave."""
        cases = {
            tuple(case): Interval(**dict(zip(STORED, numbers, strict=True)))
            for case, *numbers in stored["cases"]
        }
        floors = {tuple(case): floor for case, floor in stored["floors"]}
        return cls(cases, tuple(stored["factors"]), floors, stored["notes"])
