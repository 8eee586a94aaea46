"""Training sets of one length, advantages by seed, starts that suit a slope."""

import math

import numpy as np
import pandas as pd
import pytest
from torch import nn

from actlab.experiments import contest, slopes
from actlab.study import StudyError


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 1.0])
def test_the_fair_start_is_the_gain_of_pytorch(slope):
    gain = contest.leaky(slope)["gain"] * math.sqrt(2)  # he_normal brings the √2
    assert gain == pytest.approx(nn.init.calculate_gain("leaky_relu", slope))


def test_the_mean_square_of_a_random_slope():
    drawn = np.random.default_rng(0).uniform(*contest.RANDOM_SLOPES, 1_000_000)
    expected = (1 + np.mean(drawn**2)) ** -0.5
    assert contest.rrelu()["gain"] == pytest.approx(expected, rel=1e-4)


def test_examples_are_repeated_to_the_length_of_the_largest_set():
    x, y, x_valid, *_ = slopes.repeated("mnist1d", 200)
    assert len(x) == len(y) == slopes.SIZES["mnist1d"][-1]
    assert len(np.unique(x, axis=0)) == 200
    assert len(x_valid) <= 1_000


def test_an_advantage_is_paired_by_seed():
    rows = [
        {"data": "mnist1d", "arm": arm, "seed": seed, "size": size, "test_accuracy": accuracy}
        for seed in (0, 1)
        for size in (10, 20)
        for arm, accuracy in (("fixed", 0.5), ("learned", 0.5 + seed / 10 + size / 1000))
    ]
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    found = slopes.advantage(table, "mnist1d", "learned")
    assert found == pytest.approx(np.array([[1, 2], [11, 12]]))
    table.loc[(table.arm == "learned") & (table.seed == 1), "test_accuracy"] = np.nan
    assert slopes.advantage(table, "mnist1d", "learned")[1] == pytest.approx([-40, -40])


def test_the_slopes_are_those_of_the_contest(monkeypatch):
    """A cell trains the same networks again: their accuracies are those of the contest."""
    monkeypatch.setattr(contest, "LONGEST", 3)
    monkeypatch.setattr(contest, "SPLITS", 1)
    cell = slopes.slopes_cell("digits", 5, of=contest.LEAKY.digest)
    assert len(cell) == 4 * 5
    assert cell.slope.between(-1, 1.5).all()
    assert cell.groupby("seed").accuracy.nunique().max() == 1


def test_slopes_of_another_contest_are_refused():
    with pytest.raises(StudyError, match="contest_leaky has another grid now"):
        slopes.slopes_cell("digits", 5, of="another")


def test_falling_slopes_have_a_negative_rank_correlation(monkeypatch):
    rows = [
        {**cell, "split": split, "seed": seed, "layer": layer, "slope": 1 / layer + seed / 1000}
        for cell in slopes.LEARNED.cells()
        for split in range(5)
        for seed in range(4)
        for layer in range(1, cell["depth"] + 1)
    ]
    monkeypatch.setattr(slopes, "load", lambda name: pd.DataFrame(rows))
    (found,) = slopes.falling(0, lambda n: 0.95).values()
    assert [f.mean for f in found.cases.values()] == pytest.approx([-1] * 3)
    assert ("MNIST-1D", "10") in found.cases


def test_the_spread_is_relative_to_that_of_each_other_arm(monkeypatch):
    rng = np.random.default_rng(0)
    by_arm = {"ReLU": 0, "PReLU": 2.0}
    rows = [
        {**cell, "split": split, "seed": seed, "diverged": False}
        | {"accuracy": 0.8 + by_arm.get(cell["arm"], 1.0) * place / 100 + rng.normal() / 1e5}
        for place, cell in enumerate(slopes.LEAKY.cells())
        for place in [place // 6]
        for split in range(5)
        for seed in range(4)
    ]
    table = pd.DataFrame(rows)
    monkeypatch.setattr(slopes, "load", lambda name: table)
    (found,) = slopes.spread(0, lambda n: 0.95).values()
    assert list(found.cases) == [("leaky 0.01",), ("leaky 0.18",), ("leaky 0.3",), ("RReLU",)]
    for interval in found.cases.values():
        assert interval.mean == pytest.approx(2, rel=1e-3)
        assert interval.low < 2 < interval.high
        assert interval.high - interval.low < 0.01
