"""Several as one: runs of a study, rivals, and networks of which something is so or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy.typing as npt

from actlab import stats
from actlab.stats import Interval


def in_both(runs: Iterable[npt.ArrayLike], confidence: float = 0.95) -> Interval:
    """What runs of their own (other seeds, another tuning) say together.

    ``runs``: the values of each. The interval reaches over those of all runs, so that it lies in a
    zone only if every run's does: a learning rate that was chosen badly once is no finding.
    """
    found = [stats.mean_interval(values, confidence) for values in runs]
    mean, n = sum(one.mean for one in found) / len(found), sum(one.n for one in found)
    low, high = min(one.low for one in found), max(one.high for one in found)
    return Interval(mean, low, high, n, confidence=confidence)


def share_of(count: int, total: int, confidence: float = 0.95) -> Interval:
    """In how many per cent of so many networks it is so, with Wilson's interval."""
    found = stats.share_interval(count, total, confidence)
    return replace(found, mean=100 * found.mean, low=100 * found.low, high=100 * found.high)


def least(
    found: Sequence[Interval], confidence: float, corrected: Sequence[Interval] | None = None
) -> Interval:
    """The smallest of several means.

    It is above a number if all of them are, which needs no correction: ``found`` at
    ``confidence``. It is below one if any of them is: ``corrected``, the same at the confidence
    :func:`shared` among them, unless ``found`` is that already.
    """
    mean, low = min(one.mean for one in found), min(one.low for one in found)
    high, n = min(one.high for one in corrected or found), sum(one.n for one in found)
    return Interval(mean, low, high, n, confidence=confidence)


def shared(confidence: float, among: int) -> float:
    """The confidence that each of ``among`` intervals needs for all to hold (Bonferroni)."""
    return 1 - (1 - confidence) / among


def size(found: Interval) -> Interval:
    """The interval of the absolute value of a mean."""
    low, high = sorted((abs(found.low), abs(found.high)))
    low = 0.0 if found.low < 0 < found.high else low
    return replace(found, mean=abs(found.mean), low=low, high=high)
