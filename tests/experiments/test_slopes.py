"""Training sets of one length, advantages by seed, starts that suit a slope."""

import math

import numpy as np
import pandas as pd
import pytest
from torch import nn

from actlab.experiments import contest, first_contest, slopes


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


def test_a_lead_of_the_first_contest_is_paired_over_both_tunings():
    found = first_contest.FirstAhead("PReLU", "ReLU")(0, lambda cases: 0.95)[
        "lead in test accuracy"
    ]
    table = first_contest.table(0)
    wide = table[(table.data == "digits") & (table.depth == 10)].pivot(
        index="seed", columns="arm", values="accuracy"
    )
    assert len(wide) == found.cases["digits", "10"].n == 40
    assert found.cases["digits", "10"].mean == pytest.approx((wide["PReLU"] - wide["ReLU"]).mean())
    some = first_contest.FirstAhead("PReLU", "ReLU")(1, lambda cases: 0.95)
    assert some["lead in test accuracy"].cases["digits", "10"].n == 36


def test_slopes_by_layer_are_those_of_networks_that_stand():
    found = first_contest.by_layer(depth=5)
    assert {name: values.shape[1] for name, values in found.items()} == dict.fromkeys(
        ("digits", "MNIST-1D", "Fashion-MNIST"), 5
    )
    assert all(np.isfinite(values).all() for values in found.values())
