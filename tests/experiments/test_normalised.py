"""Moments, their drift and what dropout leaves: against theory, and on numbers made up."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from actlab import theory
from actlab.experiments import contest, fading, normalised, selu, untrained
from actlab.stats import Interval


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(7).standard_normal((50, 64))


def test_selu_has_the_fixed_point_and_elu_has_not():
    selu, elu = theory.layers("selu"), theory.layers("elu")
    assert np.allclose((selu.mean[0], selu.sd[0]), (0, 1), atol=1e-12)
    assert not np.allclose((elu.mean[0], elu.sd[0]), (0, 1), atol=0.1)


def test_measured_moments_follow_the_theory():
    x = 0.5 + np.random.default_rng(7).standard_normal((50, 512))
    arm = {"activation": "elu", "init": "lecun_normal", "gain": math.sqrt(1.5)}
    networks = untrained.draw(range(10), features=512, hidden=(512,) * 5, **arm)
    mean, sd = normalised.moments(networks, x)
    expected = theory.layers("elu", theory.Start(1.5), 5, mean=0.5)
    assert np.allclose(mean.mean(0), expected.mean, atol=0.03)
    assert np.allclose(sd.mean(0), expected.sd, rtol=0.03)


def test_gradients_are_lost_as_the_theory_says():
    lost = fading.decades_lost("selu", 10, 0)["LeCun"]
    expected = -9 / 2 * math.log10(theory.layers("selu").factor[0])
    assert lost.mean() == pytest.approx(expected, abs=0.1)


def test_alpha_dropout_keeps_the_moments_and_plain_dropout_does_not(x):
    sds = {}
    for alpha in (False, True):
        drop = {"dropout": 0.3, "alpha_dropout": alpha}
        networks = untrained.draw(range(10), hidden=(128,) * 3, **normalised.SELU, **drop)
        sds[alpha] = normalised.moments(networks, x, drop=True)[1].mean(0)[-1]
        assert normalised.moments(networks, x)[1].mean(0)[-1] == pytest.approx(1, abs=0.05)
    assert sds[True] == pytest.approx(1, abs=0.05)
    assert sds[False] > 1.3


def test_the_layer_furthest_off_is_judged():
    inside, wide, off = (
        Interval(0, -0.1, 0.1, 9),
        Interval(0, -0.4, 0.4, 9),
        Interval(0.3, 0.2, 0.35, 9),
    )
    assert normalised.furthest([inside, off]) == off
    assert normalised.furthest([inside, off, wide]) == wide
    low, high = Interval(0.5, 0.45, 0.55, 9), Interval(1.6, 1.5, 1.7, 9)  # 0.45 is further than 1.7
    assert normalised.furthest([low, high], 1.0) == low
    assert normalised.furthest([Interval(5, -1, 11, 9), low], 1.0).mean == 5


def test_drift_counts_either_way_and_not_the_first_ten_layers():
    noise = np.random.default_rng(0).normal(0, 0.01, (20, 30))
    for factor in (10.0, 0.1):
        sd = 10.0**noise * np.where(np.arange(30) == 20, factor, 1)
        found = selu.drift(sd, 0.95)
        assert found.mean == pytest.approx(1, abs=0.01)
        assert found.low < 1 < found.high
    early = 10.0**noise * np.where(np.arange(30) < 10, 50.0, 1)
    found = selu.drift(early, 0.95)
    assert (found.low, found.high) == pytest.approx((0, 0), abs=0.02)


@pytest.mark.parametrize("condition", selu.CONDITIONS)
def test_every_condition_can_be_drawn(condition):
    mean, sd = selu.untrained_moments(condition, depth=2, width=16)
    assert mean.shape == sd.shape == (20, 2)


def test_calculate_gain_is_not_the_gain():
    assert nn.init.calculate_gain("selu") ** 2 < 0.6
    assert torch.tensor(theory.layers("selu", theory.Start(9 / 16), 30).sd)[-1] < 0.3


def test_the_layer_furthest_off_is_found_over_all_splits(monkeypatch):
    rows = [
        {"data": data, "split": split, "seed": seed, "epoch": epoch, "layer": layer}
        | {
            "mean": 0.3 * (1 + (epoch and layer == 3)),
            "sd": 2.0 if (layer, epoch) == (3, 60) else 1.0,
        }
        for data in ("digits", "mnist1d")
        for split in range(5)
        for seed in range(4)
        for epoch in (0, 60)
        for layer in (1, 2, 3)
    ]
    monkeypatch.setattr(normalised, "load", lambda name: pd.DataFrame(rows))
    found = normalised.while_learning(0, lambda n: 0.95)
    scale = {case: one.mean for case, one in found[normalised.SCALE].cases.items()}
    assert scale["digits", "before training"] == 0
    assert scale["MNIST-1D", "after training"] == pytest.approx(0.30103)
    offset = found[normalised.OFFSET].cases["digits", "after training"]
    assert offset.mean == pytest.approx(0.3, abs=1e-6)


def test_a_cell_follows_every_layer_of_every_split(monkeypatch):
    monkeypatch.setattr(contest, "SPLITS", 2)
    cell = normalised.moments_cell("digits", depth=2, checks=(0, 1))
    assert len(cell) == 2 * 4 * 2 * 2
    start = cell[(cell.epoch == 0) & (cell.layer == 1)]
    assert start.sd.between(0.5, 1.5).all()
    assert start.lr.nunique() == 1
