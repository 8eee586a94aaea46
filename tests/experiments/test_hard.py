"""Rounding to few bits does what the text says, and the contest's networks are those it says."""

import numpy as np
import pytest
import torch
from torch import nn

from actlab import data, ensemble, theory
from actlab.experiments import hard
from actlab.frameworks import keras as keras_side
from actlab.study import load


@pytest.mark.parametrize("bits", hard.BITS)
def test_levels_are_pytorchs(bits):
    x = torch.tensor(np.random.default_rng(0).uniform(-1, 5, 1000), dtype=torch.float32)
    low, high = float(x.min()), float(x.max())
    scale, zero, top = hard.levels(low, high, bits)
    right = torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, top)
    found = hard.few_bits(x, low, high, bits)
    torch.testing.assert_close(found, right)
    assert len(found.unique()) <= 2**bits
    assert 0.0 in hard.few_bits(torch.zeros(1), 2.0, 3.0, bits)
    assert hard.levels(0.0, 0.0, bits)[0] > 0


def test_weights_have_a_scale_for_each_output():
    weight = torch.tensor([[1.0, -0.3, 0.0], [0.01, 0.002, -0.01], [0.0, 0.0, 0.0]])
    coarse = hard.coarse_weights(weight, 8)
    torch.testing.assert_close(coarse, weight, rtol=0, atol=1 / 254)
    assert (coarse - weight).abs()[1].max() <= 0.01 / 254 * 1.001


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).eval()


def test_many_bits_change_nothing_and_few_do(network):
    digits = data.load("digits")
    x, seen = (torch.tensor(part[:50]).float() for part in (digits.x_test, digits.x_train))
    with torch.no_grad():
        exact = network(x)
    torch.testing.assert_close(hard.outputs(network, x, seen, 16), exact, rtol=0, atol=1e-2)
    off = [
        float((hard.outputs(network, x, seen, bits, hidden_only=True) - exact).abs().mean())
        for bits in (8, 6, 4)
    ]
    assert off[0] < off[1] < off[2]
    cut = hard.outputs(network, x, seen, 8, hidden_only=True, cut=0.5)
    assert float((cut - exact).abs().mean()) > off[0]


def test_what_is_counted(network):
    digits = data.load("digits")
    found = hard.rounded_accuracies(network, digits)
    names = {f"{bits} bits, {end}" for bits in hard.BITS for end in ("largest", "cut")}
    assert set(found) == {"float32", "float16", "int8", "largest"} | names
    assert found["largest"] > 0


def test_the_two_ways_straight_through():
    for f, inside in ((hard.clipped_sign, 1.0), (hard.plain_sign, 0.0)):
        z = torch.tensor([-3.0, -1.0, -0.2, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
        y = f(z)
        assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1]
        y.sum().backward()
        right = (z.abs() <= 1).float() if inside else torch.ones(7)
        assert torch.equal(z.grad, right)


def test_corners_are_those_of_the_catalog():
    found = hard.corners()
    assert len(found) == 8
    assert found["Hard tanh at 1"] == {"PyTorch": 0.0, "Keras": 1.0}
    assert keras_side  # what the corners were asked of


def test_the_starts():
    for arm, name in (("tanh", "tanh"), ("hard tanh", "hard_tanh"), ("hard SiLU", "hard_silu")):
        assert hard.ARMS[arm]["gain"] == pytest.approx(theory.critical_gain(name), abs=0.02)


def test_the_same_seed_and_rate_give_the_same_networks():
    digits = data.load("digits", seed=3)
    common = {"epochs": 3, "hidden": (8,), "progress": False}
    arm = {"a": {**hard.ARMS["ReLU6"], "lr": 0.05}}
    one = ensemble.train(digits, arms=arm, seeds=2, keep_weights=False, report_at=(1,), **common)
    two = ensemble.train(digits, arms=arm, seeds=2, **common)
    assert np.array_equal(one.test_accuracy, two.test_accuracy)
    for network, accuracy in zip(two.networks, two.test_accuracy, strict=True):
        assert hard.rounded_accuracies(network, digits)["float32"] == pytest.approx(accuracy)


def test_the_table_has_twenty_networks_of_each_kind():
    table = load(hard.CONTEST.name)
    assert (table.groupby(["data", "arm"]).size() == 20).all()
    assert set(table.arm) == set(hard.ARMS)
    assert not table.edge.any()
    rounded = table[table.arm.isin(hard.FEW_BITS) & ~table.diverged]
    assert rounded.float32.notna().all()
    assert np.allclose(rounded.float32, rounded.accuracy, atol=1.5e-3)
    assert (rounded[rounded.arm == "ReLU6"].largest <= 6).all()
