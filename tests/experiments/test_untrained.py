"""Signals and gradients of untrained networks are what plain PyTorch finds, one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from actlab import theory
from actlab.experiments import untrained

X, Y = untrained.digits(100)  # more than one batch


def drawn(activation="relu", depth=4, seeds=(3, 7), **settings):
    return untrained.draw(seeds, activation=activation, hidden=(64,) * depth, **settings)


def one_by_one(model, x, y):
    """Root mean square over the examples of every hidden layer's gradient norm, by autograd."""
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    squares = []
    for xi, yi in zip(torch.from_numpy(x), torch.from_numpy(y), strict=True):
        loss = nn.functional.cross_entropy(model(xi[None]), yi[None])
        grads = torch.autograd.grad(loss, [layer.weight for layer in linears[:-1]])
        squares.append([float(grad.square().sum()) for grad in grads])
    return np.sqrt(np.mean(squares, 0))


@pytest.mark.parametrize(
    ("activation", "more"),
    [
        ("sigmoid", {"init": "torch", "gain": 2.0}),
        ("relu", {"init": "he_normal"}),
        ("gelu", {"init": "keras", "residual": True}),
        ("mish", {"init": untrained.centred_orthogonal}),
    ],
)
def test_the_weights_gradients_are_what_autograd_finds(activation, more):
    networks = drawn(activation, **more)
    got = untrained.weight_gradients(networks, X, Y)
    assert got.shape == (2, 4)
    for i in (0, 1):
        np.testing.assert_allclose(got[i], one_by_one(networks.plain(i), X, Y), rtol=1e-8)
    relative = untrained.decades(got)
    np.testing.assert_allclose(10 ** relative[:, 0], got[:, 0] / got[:, -1])


@pytest.mark.parametrize("residual", [False, True])
def test_the_outputs_gradients_are_what_autograd_finds(residual):
    networks = drawn("tanh", init="glorot_normal", residual=residual)
    got = untrained.output_gradients(networks, X[:50], seed=5)
    read_out = torch.randn(
        (2, 64, 50), generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    signal, signals = torch.from_numpy(X[:50]), []
    for layer in networks.plain(1)[:-1] if residual else pairs(networks.plain(1)):
        signal = layer(signal)
        signals.append(signal)
    grads = torch.autograd.grad((signal * read_out[1].T).sum(), signals)
    np.testing.assert_allclose(got[1], [float(g.norm()) for g in grads], rtol=1e-8)


def pairs(model):
    modules = list(model)[:-1]
    return [nn.Sequential(*modules[i : i + 2]) for i in range(0, len(modules), 2)]


def test_signals_are_what_a_plain_pass_finds():
    networks = untrained.draw([3, 7], activation="relu", hidden=(64, 32, 16, 16, 16), init="torch")
    got = untrained.signals(networks, X)
    signal = torch.from_numpy(X)
    for layer, pair in enumerate(pairs(networks.plain(1))):
        z = pair[0](signal).detach()
        signal = pair(signal).detach()
        expected = {
            "spread": z.var(0, correction=0).mean().sqrt(),
            "offset": z.mean(0).square().mean().sqrt(),
            "dead": (z <= 0).all(0).double().mean(),
            "always_on": (z > 0).all(0).double().mean(),
        }
        for name, value in expected.items():
            field = getattr(got, name)
            assert field.shape == (2, 5)
            assert field[1, layer] == pytest.approx(float(value), rel=1e-9), name
    assert (got.dead > 0).any()
    assert (got.always_on > 0).any()


def test_what_is_handed_on_includes_skips_and_in_training_what_is_dropped():
    networks = drawn("tanh", init="keras", residual=True, dropout=0.5)
    quiet = [layer.clone() for layer in untrained.outputs(networks, X)]
    first = networks.plain(0)[:-1].eval()[0](torch.from_numpy(X))
    torch.testing.assert_close(quiet[0][0], first)
    assert (untrained.outputs(networks, X, "train")[0] != quiet[0]).any()


@pytest.mark.parametrize("name", theory.STARTS)
def test_the_starts_are_those_of_the_theory(name):
    networks = drawn(depth=2, seeds=range(20), **untrained.STARTS[name])
    expected = theory.STARTS[name]
    weight, bias = networks.linears[1].weight.value, networks.linears[1].bias.value
    assert 64 * float(weight.var()) == pytest.approx(expected.weight_variance, rel=0.02)
    assert 64 * float(bias.var()) == pytest.approx(expected.bias_variance, rel=0.15)


def test_a_centred_sigmoid_network_starts_as_a_tanh_network():
    weight = untrained.centred_orthogonal((64, 64), torch.Generator().manual_seed(0))
    h = torch.randn(64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(weight @ torch.sigmoid(h), weight @ torch.tanh(h / 2) / 2)
    values = torch.linalg.svdvals(weight)
    torch.testing.assert_close(values[:-1], torch.full((63,), 4.0, dtype=torch.float64))
    assert values[-1] < 1e-10


def test_fifty_sigmoid_layers_do_not_underflow():
    norms = untrained.weight_gradients(drawn("sigmoid", depth=50, init="torch"), X, Y)
    assert (norms > 0).all()
    assert (untrained.decades(norms)[:, 0] < -38).all()
