"""The checkers of the chapter on gates: right answers pass, each mistake gets its hint."""

import math

import keras
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import gates
from tests.exercises import rules
from tests.exercises.judge import judge


def _halves(x):
    return torch.as_tensor(x).chunk(2, -1)


def _in_keras(x):
    value, gate = keras.ops.split(x, 2, axis=-1)
    return value * keras.activations.gelu(gate)


def _with(curve):
    def answer(x):
        value, gate = _halves(x)
        return value * curve(gate)

    return answer


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_with(functional.gelu), None),
        (_in_keras, None),
        (lambda x: _with(functional.gelu)(x).tolist(), None),
        (lambda x: _halves(x)[1] * functional.gelu(_halves(x)[0]), "bend the first half"),
        (lambda x: functional.glu(torch.as_tensor(x)), "this is GLU"),
        (_with(functional.silu), "this is SwiGLU"),
        (_with(lambda z: z), "this is the bilinear unit"),
        (lambda x: functional.gelu(_halves(x)[0] * _halves(x)[1]), "you bend the product"),
        (lambda x: math.prod(map(functional.gelu, _halves(x))), "you bend both halves"),
        (
            lambda x: torch.as_tensor(x)[..., ::2] * functional.gelu(torch.as_tensor(x)[..., 1::2]),
            "every other number",
        ),
        (_with(lambda z: functional.gelu(z, approximate="tanh")), "the tanh approximation"),
        (_with(functional.relu), "expected"),
        (lambda x: functional.gelu(torch.as_tensor(x)), "the last axis is halved"),
        (3, "must be a function"),
    ],
)
def test_geglu(answer, hint):
    judge(gates.check_geglu, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda plain, multiple: math.ceil(2 * plain / 3 / multiple) * multiple, None),
        (lambda plain, multiple: -(-2 * plain // (3 * multiple)) * multiple, None),
        (lambda plain, multiple: math.ceil(plain / multiple) * multiple, "as wide as the plain"),
        (lambda plain, multiple: math.ceil(1.5 * plain / multiple) * multiple, "narrower or"),
        (lambda plain, multiple: 2 * plain // 3 // multiple * multiple, "round up"),
        (lambda plain, multiple: math.ceil(2 * plain / 3), "no multiple of"),
        (lambda plain, multiple: (2 * plain // 3 // multiple + 1) * multiple, "would do"),
        (lambda plain: plain, "stopped with TypeError"),
    ],
)
def test_width(answer, hint):
    judge(gates.check_width, answer, hint)


class Bilinear(nn.Module):
    def __init__(self, kind="bilinear"):
        super().__init__()
        self.kind = kind
        self.up, self.gate, self.out = nn.Linear(64, 32), nn.Linear(64, 32), nn.Linear(32, 10)

    def forward(self, x):
        value = self.up(x)
        bent = {
            "bilinear": lambda: value * self.gate(x),
            "halves": lambda: math.prod(
                functional.linear(x, torch.cat([self.up.weight, self.gate.weight])).chunk(2, -1)
            ),
            "mish": lambda: value * functional.mish(self.gate(x)),
            "hard": lambda: value * functional.hardsigmoid(self.gate(x)),
            "shares": lambda: value * self.gate(x).softmax(-1),
            "abs": lambda: value * self.gate(x).abs(),
            "max": lambda: torch.maximum(value, self.gate(x)),
            "relu": lambda: value * self.gate(x).relu(),
            "square": lambda: value * value,
            "linear": lambda: value,
        }[self.kind]()
        return self.out(bent)


def _trained(model):
    digits = data.load("digits")
    x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
    torch.manual_seed(0)
    for module in model.children():
        module.reset_parameters()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(20):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("bilinear", None),
        ("halves", None),
        ("mish", "a layer of Mish"),
        ("hard", "a layer of"),
        ("shares", "a softmax inside"),
        ("abs", "a curve in it, abs"),
        ("max", "two others, number by number"),
        ("relu", "a layer of ReLU"),
        ("square", "a map of its own"),
        ("linear", "a linear model"),
    ],
)
def test_a_network_without_a_curve(kind, hint):
    network = Bilinear(kind)
    judge(gates.check_bilinear, network if hint else _trained(network), hint)


def test_a_network_in_keras_and_one_that_was_never_trained():
    network = _trained(Bilinear())
    given = keras.Input((64,))
    product = keras.layers.Multiply()(
        [keras.layers.Dense(32)(given), keras.layers.Dense(32)(given)]
    )
    twin = keras.Model(given, keras.layers.Dense(10)(product))
    judge(gates.check_bilinear, twin, "Was it trained")
    twin.set_weights([weight.detach().numpy().T for weight in network.parameters()])
    judge(gates.check_bilinear, twin, None)
    judge(gates.check_bilinear, nn.Sequential(network, nn.Softmax(-1)), None)
    judge(gates.check_bilinear, nn.Linear(64, 3), "expected 10 logits")
    judge(gates.check_bilinear, lambda x: np.full((len(x), 10), np.nan), "infinite or NaN")


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(gates.check_gate_rule, answer, hint)
