"""The checkers of the chapter on self-gated functions: right answers pass, mistakes get hints."""

import keras
import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn
from torch.nn import functional

from actlab import data, theory
from actlab.exercises import self_gated
from tests.exercises import rules
from tests.exercises.judge import judge

Z = np.random.default_rng(0).standard_normal(400_000)


def by_integral(f):
    return brentq(lambda g: theory.normal_mean(lambda z: f(g * z) ** 2) - 1, 0.1, 10)


def by_drawing(f):
    return torch.tensor(brentq(lambda g: np.mean(f(g * Z) ** 2) - 1, 0.1, 10))


def once(f):
    return np.mean(f(Z) ** 2) ** -0.5


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (by_integral, None),
        (by_drawing, None),
        (lambda f: [keras.ops.array(by_integral(f))], None),
        (lambda f: by_integral(f) ** 2, "the gain is its root"),
        (lambda f: 2**0.5, "He's gain"),
        (once, "twice the input is not twice the output"),
        (lambda f: 1.0, "comes out with"),
        (lambda f: f, "expected numbers"),
        (lambda f: [1, 2], "expected one number"),
        (1.468, "must be a function"),
    ],
)
def test_own_gain(answer, hint):
    judge(self_gated.check_own_gain, answer, hint)


def nearest(f, x=(-3, -2, 2, 3)):
    x = torch.tensor(x, dtype=torch.float32)
    gap = {
        "exact": functional.gelu(x),
        "tanh": functional.gelu(x, approximate="tanh"),
        "sigmoid": x * torch.sigmoid(1.702 * x),
    }
    found = torch.as_tensor(np.asarray(f(x.numpy())))
    return min(gap, key=lambda name: (gap[name] - found).abs().max())


def equal(f):
    x = np.linspace(-3, 3, 61, dtype=np.float32)
    return next((k for k, right in self_gated._gelus(x).items() if _same(f(x), right)), "exact")


def _same(found, right):
    return np.array_equal(found, right.astype(np.float32))


def in_keras(f):
    x = keras.ops.linspace(-4.0, 4.0, 81)
    gaps = [
        np.abs(f(x) - np.asarray(keras.ops.gelu(x, approximate=one))).max() for one in (False, True)
    ]
    return "sigmoid" if min(gaps) > 1e-3 else "tanh" if gaps[1] < gaps[0] else "exact"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (nearest, None),
        (in_keras, None),
        (equal, "which one is nearest"),
        (lambda f: nearest(f, [0, 30]), "At 0 and far out"),
        (lambda f: "exact", "of the tanh one you say 'exact'"),
        (lambda f: "erf", "expected one of exact, tanh, sigmoid"),
        (lambda f: None, "you say None"),
        (lambda f, x: "exact", "TypeError"),
        ("tanh", "must be a function"),
    ],
)
def test_which_gelu(answer, hint):
    judge(self_gated.check_which_gelu, answer, hint)


def deep(kind=nn.GELU, norm=nn.LayerNorm, depth=8, epochs=20):
    torch.manual_seed(0)
    digits = data.load("digits")
    x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
    layers = [part for _ in range(depth) for part in (nn.Linear(64, 64), norm(64), kind())]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    optimiser = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimiser.step()
    return model


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({}, None),
        ({"kind": lambda: nn.GELU(approximate="tanh")}, None),
        ({"epochs": 0}, "was it trained?"),
        ({"depth": 3, "epochs": 0}, "expected 8 hidden layers"),
        ({"kind": nn.ReLU, "epochs": 0}, "and 8 of ReLU"),
        ({"norm": nn.BatchNorm1d}, "that is batch norm"),
        ({"norm": lambda n: nn.Sequential(nn.BatchNorm1d(n), nn.Dropout(0.02))}, "batch norm"),
        ({"norm": lambda n: nn.Sequential(nn.LayerNorm(n), nn.Dropout(0.02))}, None),
    ],
)
def test_a_deep_network(given, hint):
    judge(self_gated.check_deep_gelu, deep(**given), hint)


def test_a_deep_network_in_keras():
    model = deep()
    layers = []
    for _ in range(8):
        layers += [keras.layers.Dense(64), keras.layers.LayerNormalization(epsilon=1e-5)]
        layers += [keras.layers.Activation("gelu")]
    twin = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])
    twin.set_weights([weight.detach().numpy().T for weight in model.parameters()])
    judge(self_gated.check_deep_gelu, twin, None)
    judge(self_gated.check_deep_gelu, "network", "expected a PyTorch module or a Keras model")


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(self_gated.check_dip_rule, answer, hint)
