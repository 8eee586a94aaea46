"""Times of calls that take turns, and what their rounds say together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.stats import Interval

Call = Callable[[], Any]


def in_turns(
    made: Mapping[tuple[Any, ...], Call], names: Sequence[str], rounds: int, calls: int
) -> pd.DataFrame:
    """Seconds of the fastest of ``calls`` calls, a row per round and key, the keys taking turns.

    ``names``: of the parts of a key, which become columns beside ``round`` and ``seconds``.
    """
    for call in made.values():  # tracing, allocation and first touch are not what we ask
        for _ in range(3):
            call()
    rows = []
    for round_ in range(rounds):
        for key, call in made.items():
            seconds = []
            for _ in range(calls):
                started = time.perf_counter()
                call()
                seconds.append(time.perf_counter() - started)
            rows.append((*key, round_, min(seconds)))
    return pd.DataFrame(rows, columns=[*names, "round", "seconds"])


def middle(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of the middle half of the rounds, which a busy moment cannot move, by bootstrap."""
    x = np.asarray(values, dtype=float)
    resamples = np.random.default_rng(0).choice(x, (4_000, len(x)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(_middle_mean(resamples), (tail, 1 - tail))
    return Interval(float(_middle_mean(x)), float(low), float(high), len(x), confidence=confidence)


def _middle_mean(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(x, 0.25, axis=-1))
