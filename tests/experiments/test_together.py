"""Several intervals as one lie where each of them lies."""

import numpy as np
import pytest

from actlab.experiments.together import in_both, least, shared
from actlab.stats import Interval, mean_interval


def test_both_runs_have_to_show_it():
    one, other = np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.5, 6.0, 7.0])
    found = in_both([one, other], 0.9)
    parts = [mean_interval(run, 0.9) for run in (one, other)]
    assert found.mean == pytest.approx((parts[0].mean + parts[1].mean) / 2)
    assert (found.low, found.high) == (parts[0].low, parts[1].high)
    assert (found.n, found.confidence) == (7, 0.9)


def test_the_least_of_several_is_not_above_any():
    found = [Interval(2, 1, 3, 20), Interval(1, -4, 6, 20), Interval(5, 4, 5.5, 20)]
    smallest = least(found, 0.95)
    assert (smallest.mean, smallest.low, smallest.high) == (1, -4, 3)


def test_the_least_of_equal_arms_is_covered_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        arms = rng.normal(size=(4, 20))
        found = least([mean_interval(arm, shared(0.95, 4)) for arm in arms], 0.95)
        covered += found.low <= 0 <= found.high
    assert covered / 400 > 0.93
