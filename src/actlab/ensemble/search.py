"""The one way in which a learning rate is chosen, whatever is trained with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Score = Callable[[Sequence[float]], Mapping[float, Array]]
"""Rates → for each of them the scores of its seeds, (seeds,) or (seeds, 2); higher is better, a
second column breaks ties of the first, and a network that diverged is NaN."""

SMALLEST, LARGEST = 1e-6, 1e3  # nobody's best rate lies beyond; a search that gets there says so


@dataclass(frozen=True)
class Choice:
    """The rate chosen, and all that was tried.

    - ``values``: rate → how good it was, (mean + worst seed) / 2; −∞ where a network diverged.
    - ``at_edge``: the search ended at the smallest or largest rate it may try.
    """

    rate: float
    values: dict[float, float]
    at_edge: bool


def search(score: Score, start: float = 0.03) -> Choice:
    """Choose a rate: half-decades that spread until the best lies inside, then quarter-decades.

    A rate is as good as the average of its mean and its *worst* seed, so that a cliff which one
    seed in ten falls off is not chosen; one with which any network diverged loses to all others.
    Raises ``ValueError`` where networks diverged with every rate.
    """
    asks = trying(start)
    rates = next(asks)
    while True:
        try:
            rates = asks.send(score(rates))
        except StopIteration as found:
            choice: Choice = found.value
            return choice


def trying(start: float = 0.03) -> Generator[list[float], Mapping[float, Array], Choice]:
    """:func:`search` step by step: yields the rates to try next, takes their scores."""
    values: dict[int, tuple[float, ...]] = {}  # in quarter-decades from the start

    def rate(k: int) -> float:
        return float(f"{start * 10 ** (k / 4):.3g}")

    def look(steps: Sequence[int]) -> Generator[list[float], Mapping[float, Array], None]:
        if new := [k for k in steps if k not in values]:
            found = yield [rate(k) for k in new]
            values.update({k: _value(found[rate(k)]) for k in new})

    def best() -> int:
        # Of equals the one in the middle: its neighbours are as good.
        top = max(values.values())
        equal = sorted(k for k, value in values.items() if value == top)
        return equal[(len(equal) - 1) // 2]

    yield from look([-4, -2, 0, 2, 4])
    edge = False
    while not edge:
        low, high, at = min(values), max(values), best()
        nothing = values[at][0] == -math.inf  # all diverged: only smaller rates can help
        if low < at < high and not nothing:
            break
        further = [low - 2] if at == low or nothing else [high + 2]
        if edge := not SMALLEST <= rate(further[0]) <= LARGEST:
            break
        yield from look(further)
    at = best()
    yield from look([k for k in (at - 1, at + 1) if min(values) < k < max(values)])
    at = best()
    if values[at][0] == -math.inf:
        raise ValueError(
            f"networks diverged with every learning rate from {rate(min(values)):g} to "
            f"{rate(max(values)):g}: it is not the rate; look at the start and at the data."
        )
    return Choice(rate(at), {rate(k): values[k][0] for k in sorted(values)}, edge)


def _value(scores: Array) -> tuple[float, ...]:
    columns = np.asarray(scores, dtype=float).reshape(len(scores), -1)
    if not np.isfinite(columns).all():
        return (-math.inf,) * columns.shape[1]
    # Rounded: the last bits of a mean are no reason to prefer a rate.
    return tuple(float(np.round((column.mean() + column.min()) / 2, 9)) for column in columns.T)
