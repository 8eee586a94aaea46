"""Initial weights are those of the frameworks, in distribution; with bounds and bias rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from actlab import ensemble
from actlab.ensemble.initial import INITIALISERS

FAN_IN, FAN_OUT = 300, 200
KERAS = {
    "keras": "glorot_uniform",
    "glorot_uniform": "glorot_uniform",
    "glorot_normal": "glorot_normal",
    "he_uniform": "he_uniform",
    "he_normal": "he_normal",
    "lecun_uniform": "lecun_uniform",
    "lecun_normal": "lecun_normal",
    "orthogonal": "orthogonal",
}
TORCH = {
    "torch": None,
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "kaiming_uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
}
# 60,000 weights: a scale that is off by 2 % is seen (p < 1e-4), an honest one passes.
SURELY_DIFFERENT = 1e-4


def ours(init, seed=0, fan_in=FAN_IN, fan_out=FAN_OUT, **settings):
    settings = ensemble.Settings(init=init, hidden=(fan_out,), **settings)
    ((weight, bias),) = ensemble.initial_weights(settings, [(fan_in, fan_out)], seed)
    assert weight.dtype == bias.dtype == torch.float64
    return weight.numpy(), bias.numpy()


def same_distribution(a, b):
    return stats.ks_2samp(np.ravel(a), np.ravel(b)).pvalue > SURELY_DIFFERENT


def of_torch(init):
    torch.manual_seed(7)
    layer = nn.Linear(FAN_IN, FAN_OUT)
    if TORCH[init]:
        TORCH[init](layer.weight)
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def test_every_name_is_compared():
    assert {*TORCH, *KERAS} == set(INITIALISERS)


@pytest.mark.parametrize("init", TORCH)
def test_as_pytorch_draws(init):
    their_weight, their_bias = of_torch(init)
    assert same_distribution(ours(init)[0], their_weight)
    biases = np.concatenate([ours(init, seed)[1] for seed in range(20)])
    assert same_distribution(biases, their_bias)
    assert np.abs(biases).max() <= 1 / math.sqrt(FAN_IN)


@pytest.mark.parametrize("init", KERAS)
def test_as_keras_draws(init):
    import keras

    keras.utils.set_random_seed(7)
    layer = keras.layers.Dense(FAN_OUT, kernel_initializer=KERAS[init])
    layer.build((None, FAN_IN))
    kernel, their_bias = (np.asarray(w) for w in layer.get_weights())
    weight, bias = ours(init)
    assert same_distribution(weight, kernel)
    assert not bias.any()
    assert not their_bias.any()


def test_keras_normals_are_cut_and_pytorch_normals_are_not():
    for init, cut in (("he_normal", True), ("kaiming_normal", False)):
        weight, _ = ours(init)
        sd = math.sqrt(2 / FAN_IN)
        assert weight.std() == pytest.approx(sd, rel=0.01)
        # Keras cuts at two sd of the normal it starts from, which is 1.137 times as wide.
        assert bool(np.abs(weight).max() < 2 / 0.8796 * sd) is cut


def test_the_comparison_can_fail():
    weight, _ = ours("torch", gain=1.03)
    assert not same_distribution(weight, of_torch("torch")[0])
    assert not same_distribution(ours("he_normal")[0], of_torch("kaiming_normal")[0])


@pytest.mark.parametrize("shape", [(7, 12), (12, 7), (9, 9)])
def test_orthogonal_is_orthonormal_whichever_side_is_longer(shape):
    weight, _ = ours("orthogonal", fan_in=shape[0], fan_out=shape[1], gain=2.0)
    gram = weight @ weight.T if shape[1] <= shape[0] else weight.T @ weight
    np.testing.assert_allclose(gram, 4 * np.eye(min(shape)), atol=1e-12)


def test_orthogonal_is_uniform_over_rotations():
    """The first entry of a Haar-distributed 3 × 3 matrix is uniform on [-1, 1] (Archimedes)."""
    first = [ours("orthogonal", seed, fan_in=3, fan_out=3)[0][0, 0] for seed in range(500)]
    assert stats.kstest(first, "uniform", (-1, 2)).pvalue > SURELY_DIFFERENT


def test_gain_scales_weights_and_leaves_the_bias():
    (w1, b1), (w2, b2) = ours("torch"), ours("torch", gain=3.0)
    np.testing.assert_allclose(w2, 3 * w1)
    np.testing.assert_array_equal(b1, b2)


@pytest.mark.parametrize("init", ["he_normal", lambda shape, rng: torch.ones(shape).double()])
def test_a_branch_gain_scales_the_weights_of_what_adds_to_its_input_only(init):
    own = {"init": init, "gain": 2.0, "hidden": (4, 4, 3, 3), "residual": True}
    sizes = ensemble.Settings(**own).layer_sizes(5, 3)  # the last layer is 3 → 3, and no block
    plain, ours_ = (
        ensemble.initial_weights(ensemble.Settings(**own, **more), sizes, 0)
        for more in ({}, {"branch_gain": 0.5})
    )
    ratios = [float((b / a).mean()) for (a, _), (b, _) in zip(plain, ours_, strict=True)]
    assert ratios == pytest.approx([1, 0.5, 1, 0.5, 1])


def test_the_bias_can_be_chosen():
    assert (ours("torch", bias=0)[1] == 0).all()
    assert (ours("he_normal", bias=0.1)[1] == 0.1).all()
    np.testing.assert_array_equal(ours("he_normal", bias="torch")[1], ours("torch")[1])


def test_a_bias_may_be_made_from_the_weights_it_stands_beside():
    settings = ensemble.Settings(
        init="orthogonal", gain=4.0, bias=lambda w, layer: layer * w.sum(1)
    )
    first, second = ensemble.initial_weights(settings, [(3, 4), (4, 2)], 0)
    assert (first[1] == 0).all()
    torch.testing.assert_close(second[1], second[0].sum(1))


def test_an_initialisation_of_ones_own():
    def constant(shape, generator):
        return torch.full(shape, 0.25)

    weight, bias = ours(constant)
    assert weight.shape == (FAN_OUT, FAN_IN)
    assert (weight == 0.25).all()
    assert (bias == 0).all()


def test_seeds_differ_and_repeat():
    assert (ours("torch", 1)[0] == ours("torch", 1)[0]).all()
    assert (ours("torch", 1)[0] != ours("torch", 2)[0]).any()


def test_the_order_is_a_fresh_permutation_every_epoch():
    orders = ensemble.data_order(5, 100)
    first, second = next(orders), next(orders)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100))
    assert not torch.equal(first, second)
    assert torch.equal(first, next(ensemble.data_order(5, 100)))
    assert not torch.equal(first, next(ensemble.data_order(6, 100)))
