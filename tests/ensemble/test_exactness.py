"""Member i of an ensemble equals the plain network trained alone."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from actlab import catalog, ensemble
from tests.ensemble import reference

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
HIDDEN_KINDS = ("elementwise", "vector", "gate")
ACTIVATIONS = ensemble.hidden_activations()


@functools.cache
def small_data():
    """80 examples, so that batches of 32 leave a smaller one of 16."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(110, 12)), rng.integers(0, 4, 110)
    return x[:80], y[:80], x[80:], y[80:]


def differences(result, dtype):
    """Largest difference per member: losses, validation loss, and every trained weight."""
    x, y, x_valid, y_valid = small_data()
    found = {}
    for i in range(len(result)):
        settings, seed = result.arms[result.arm_of[i]], int(result.seed_of[i])
        epochs = result.train_loss.shape[1]
        losses, network, logits = reference.train(
            settings, seed, x, y, epochs, getattr(torch, dtype), 4, x_valid
        )
        valid = torch.nn.functional.cross_entropy(logits, torch.as_tensor(y_valid)).item()
        ours = result.member(i)
        pairs = list(zip(ours.parameters(), network.parameters(), strict=True))
        with torch.no_grad():
            same_input = ours.eval()(torch.as_tensor(x_valid).to(logits.dtype))
        found[result.arm_of[i], seed] = max(
            np.abs(result.train_loss[i] - losses).max(),
            abs(result.valid_loss[i, -1] - valid),
            *((a - b).abs().max().item() for a, b in pairs),
            (same_input - logits).abs().max().item(),
        )
    return found


def check(result, dtype):
    found = differences(result, dtype)
    wrong = {k: v for k, v in found.items() if not v <= TOLERANCE[dtype]}
    assert not wrong, f"worst {max(found.values()):.2e}: {wrong}"


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind", HIDDEN_KINDS)
def test_every_activation(kind, dtype):
    names = [name for name in ACTIVATIONS if catalog.get(name).kind == kind]
    result = ensemble.train(
        small_data(), arms=names, seeds=[3, 8], hidden=(7, 6), epochs=2, batch_size=32, dtype=dtype
    )
    check(result, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_parameter_setting(dtype):
    """The hand-written gradients take the parameters' odd values too (a negative slope, say)."""
    arms = {}
    for name in ACTIVATIONS:
        for parameter in catalog.get(name).parameters:
            for value in parameter.examples:
                own = {"activation": name, "params": {parameter.name: value}}
                try:
                    ensemble.Settings(**own)
                except catalog.ParameterError:
                    continue  # PyTorch has the function at its default only, and the engine says so
                arms[f"{name} {parameter.name}={value}"] = own
    arms["leaky_relu backwards"] = {"activation": "leaky_relu", "params": {"negative_slope": -0.3}}
    result = ensemble.train(
        small_data(), arms=arms, seeds=[1], hidden=(7, 6), epochs=1, batch_size=32, dtype=dtype
    )
    check(result, dtype)


OPTIONS = {
    "plain sgd": {"momentum": 0.0},
    "weight decay": {"weight_decay": 0.01},
    "clipped": {"clip_norm": 0.3},
    "clipped, no momentum": {"clip_norm": 0.3, "momentum": 0.0},
    "adam": {"optimizer": "adam", "lr": 1e-3},
    "adam, decay, clipped": {
        "optimizer": "adam",
        "lr": 1e-3,
        "weight_decay": 0.01,
        "clip_norm": 0.3,
    },
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": "layer"},
    # A bias before batch norm has a gradient of exactly zero: what is left is rounding, which
    # Adam would blow up to a step of size lr in either network. A larger eps keeps it small.
    "batch norm, adam": {"normalization": "batch", "optimizer": "adam", "lr": 1e-3, "eps": 1e-3},
    "residual": {"residual": True},
    "residual, layer norm, dropout": {
        "residual": True,
        "normalization": "layer",
        "dropout": 0.2,
        "clip_norm": 1.0,
    },
    "dropout": {"dropout": 0.3},
    "alpha dropout": {"dropout": 0.1, "alpha_dropout": True, "init": "lecun_normal"},
    "no hidden layer": {"hidden": ()},
    "one big batch": {"batch_size": 80},
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option(option, dtype):
    settings = {"hidden": (8, 8, 6), "batch_size": 32, "lr": 0.05, **OPTIONS[option]}
    result = ensemble.train(
        small_data(),
        arms={
            "relu": {"activation": "relu"},
            "selu": {"activation": "selu", "lr": settings["lr"] / 2},
            "gelu": {"activation": "gelu", "init": "orthogonal"},
            "prelu": {"activation": "prelu"},
            "mish": {"activation": "mish"},
            "softsign": {"activation": "softsign"},
        },
        seeds=[3, 8],
        epochs=3,
        dtype=dtype,
        **settings,
    )
    check(result, dtype)


def test_the_comparison_can_fail():
    """A wrong learning rate of one arm in a million parts is seen."""
    result = ensemble.train(
        small_data(),
        arms=["relu"],
        seeds=[3],
        hidden=(7, 6),
        epochs=2,
        dtype="float64",
        batch_size=32,
    )
    result.arms["relu"] = ensemble.Settings(
        activation="relu", hidden=(7, 6), batch_size=32, lr=0.01 * (1 + 1e-6)
    )
    with pytest.raises(AssertionError, match="worst"):
        check(result, "float64")
