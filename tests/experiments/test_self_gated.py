"""The self-gated curves, their twins and their starts are what the claims say they are."""

import keras
import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from actlab import catalog, theory
from actlab.experiments import self_gated
from actlab.study import load

Z = torch.linspace(-6, 6, 4001, dtype=torch.float64)
GELU = torch.nn.functional.gelu(Z)


def slope(function):
    z = Z.clone().requires_grad_()
    return torch.autograd.grad(function(z).sum(), z)[0]


def test_the_twins_are_gelu_to_the_right_of_its_lowest_point_and_never_rise_left_of_it():
    gelu = catalog.get("gelu")
    low = brentq(lambda x: float(gelu.derivative(np.array(x))), -0.8, -0.7, xtol=1e-15)
    assert pytest.approx(low, abs=1e-12) == self_gated.BOTTOM
    left = low > Z
    for twin in (self_gated.flat_tail, self_gated.folded_tail):
        assert torch.allclose(twin(Z)[~left], GELU[~left], atol=1e-12)
        assert (slope(twin) >= 0).all()
        assert not torch.allclose(twin(Z)[left], GELU[left], atol=0.1)
    assert (slope(self_gated.flat_tail)[left] == 0).all()
    turned = slope(torch.nn.functional.gelu)[left]
    assert torch.allclose(slope(self_gated.folded_tail)[left], -turned)


def test_squared_relu():
    assert torch.equal(self_gated.squared_relu(torch.tensor([-2.0, 3.0])), torch.tensor([0.0, 9.0]))


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "relu²"])
def test_a_gain_keeps_a_signal_of_size_one(name):
    square = self_gated.squared_relu
    f = (
        catalog.get(name).reference
        if name != "relu²"
        else lambda z: square(torch.tensor(z)).numpy()
    )
    gain = self_gated.GAINS[name]
    kept = theory.normal_mean(lambda z: f(gain * z) ** 2)
    assert kept == pytest.approx(1, abs=2e-3)
    assert abs(kept - 1) < abs(theory.normal_mean(lambda z: f((gain + 0.001) * z) ** 2) - 1)


def test_keras_has_two_defaults_and_pytorch_one():
    two = np.array([-2.0])
    exact, tanh = (float(catalog.get(n).reference(two)[0]) for n in ("gelu", "gelu_tanh"))
    assert float(keras.ops.gelu(two)[0]) == pytest.approx(tanh, abs=1e-9)
    assert float(keras.activations.gelu(two)[0]) == pytest.approx(exact, abs=1e-7)
    assert torch.nn.functional.gelu(torch.tensor(-2.0)).item() == pytest.approx(exact, abs=1e-6)


def test_both_studies_have_twenty_networks_of_each_kind_and_more():
    table = load(self_gated.CONTEST.name)
    assert (table.groupby(["data", "depth", "arm"]).size() == 20).all()
    assert not table.edge.any()
    silent = load(self_gated.SILENT.name)
    assert (silent.groupby(["activation", "lr"]).size() == 40).all()


def test_a_network_that_diverged_is_a_network_lost():
    table = load(self_gated.SILENT.name)
    found = self_gated.never_silent(0, lambda cases: 0.95)[self_gated.LOST].cases
    for (title, rate), share in found.items():
        rows = table[table.activation == self_gated.SELF_GATED[title]]
        rows = rows[np.isclose(rows.lr, float(rate))]
        lost = (rows.diverged | (rows.silent > 0.01)).mean()
        assert share.mean == pytest.approx(100 * lost)
        assert rows.silent[rows.diverged].isna().all()


def test_the_cell_counts_silent_units_and_changed_answers():
    found = self_gated.silent_cell("gelu", 0.03, 0, epochs=1)
    assert len(found) == 20
    assert (found.silent >= found.zero).all()
    assert (found.moved < 0.02).all()
    assert not found.diverged.any()
