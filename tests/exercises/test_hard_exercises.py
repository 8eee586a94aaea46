"""The checkers of the chapter on hard functions: right answers pass, mistakes get their hint."""

import copy

import keras
import numpy as np
import pytest
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import hard
from tests.exercises import rules
from tests.exercises.judge import judge


class Old(nn.Module):
    def forward(self, x):
        return functional.relu6(1.2 * x + 3) / 6


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: functional.hardsigmoid(1.2 * x), None),
        (lambda x: keras.activations.hard_sigmoid(1.2 * x), None),
        (lambda x: keras.activations.hard_sigmoid(x * 6 / 5), None),
        (lambda x: np.clip(0.2 * x + 0.5, 0, 1), None),
        (lambda x: min(max(0.2 * x + 0.5, 0), 1), None),
        (Old(), None),
        (keras.layers.Activation(lambda x: ops.clip(0.2 * x + 0.5, 0, 1)), None),
        (functional.hardsigmoid, "this is today's"),
        (keras.activations.hard_sigmoid, "this is today's"),
        (lambda x: functional.hardsigmoid(x / 1.2), "the input must become larger"),
        (lambda x: 0.2 * x + 0.5, "must end"),
        (torch.sigmoid, "the smooth sigmoid"),
        (keras.activations.sparse_sigmoid, "this ends at ±1"),
        (lambda x: functional.hardsigmoid(1.3 * x), "expected"),
        (0.2, "expected a function"),
    ],
)
def test_old_gate(answer, hint):
    judge(hard.check_old_gate, answer, hint)


def right(x, top=255, shift=0):
    x = np.asarray(x, float)
    low, high = min(x.min(), 0), max(x.max(), 0)
    scale = (high - low) / top
    zero = round(-low / scale)
    levels = np.clip(np.round(x / scale) + zero, 0, top)
    return levels - shift, scale, zero - shift


def in_bytes(x):
    levels, scale, zero = right(x)
    return levels.astype(np.uint8), scale, zero


def in_torch(x):
    x = torch.as_tensor(x).float()
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    scale = (high - low) / 255
    zero = (-low / scale).round().int()
    return ((x / scale).round() + zero).clamp(0, 255).to(torch.uint8), scale, zero


def in_keras(x):
    x = ops.convert_to_tensor(x, "float32")
    low, high = ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)
    scale = (high - low) / 255
    zero = ops.round(-low / scale)
    return ops.clip(ops.round(x / scale) + zero, 0, 255), scale, zero


def own_range(x):
    """Without the 0."""
    x = np.asarray(x, float)
    scale = np.ptp(x) / 255
    zero = round(-x.min() / scale)
    return np.clip(np.round(x / scale) + zero, 0, 255), scale, zero


def symmetric(x):
    x = np.asarray(x, float)
    scale = np.abs(x).max() / 127
    return np.round(x / scale), scale, 0


def cut_off(x):
    _, scale, zero = right(x)
    x = np.asarray(x, float)
    return np.clip(np.floor(x / scale) + zero, 0, 255), scale, zero


def overflows(x):
    levels, scale, zero = right(x)
    return (levels.astype(int) + 1) % 256, scale, zero


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (right, None),
        (in_bytes, None),
        (lambda x: list(right(x)), None),
        (lambda x: right(x, shift=128), None),
        (in_torch, None),
        (in_keras, None),
        (own_range, "0 must be one"),
        (symmetric, "Half of the levels are never used"),
        (cut_off, "Round to the nearest level"),
        (overflows, "did an integer overflow"),
        (lambda x: (right(x)[0] / 2, *right(x)[1:]), "must be whole numbers"),
        (lambda x: right(x, top=1000), "do not fit in eight bits"),
        (lambda x: right(x)[0], "expected three things"),
        (lambda x: (right(x)[0][:3], *right(x)[1:]), "expected 50"),
        (8, "expected a function"),
    ],
)
def test_levels(answer, hint):
    judge(hard.check_levels, answer, hint)


class Rounded(nn.Module):
    def __init__(self, through):
        super().__init__()
        self.through = through

    def forward(self, z):
        line = z.clamp(0, 3)
        return line + (line.round() - line).detach() if self.through else line.round()


def two_bits(activation, epochs=40):
    torch.manual_seed(0)
    digits = data.load("digits")
    x = torch.tensor(digits.x_train, dtype=torch.float32)
    y = torch.tensor(digits.y_train)
    hidden, last = nn.Sequential(nn.Linear(64, 8), activation), nn.Linear(8, 10)
    optimiser = torch.optim.SGD([*hidden.parameters(), *last.parameters()], 0.03, 0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            functional.cross_entropy(last(hidden(x[rows])), y[rows]).backward()
            optimiser.step()
    return hidden, last


def test_two_bits():
    hidden, last = two_bits(Rounded(True))
    double = [copy.deepcopy(part).double() for part in (hidden, last)]
    good = two_bits(nn.ReLU())
    weights = [part.detach().numpy() for part in last.parameters()]
    dense = keras.layers.Dense(10)
    dense.build((None, 8))
    dense.set_weights([weights[0].T, weights[1]])
    for answer, hint in [
        ((hidden, last), None),
        ([hidden, last], None),
        ((hidden, dense), None),
        (double, None),
        ((lambda x: double[0](x), lambda h: double[1](h)), None),
        ((lambda x: hidden(x) / 3, lambda h: last(3 * h)), None),
        ((lambda x: hidden(x).detach().numpy(), lambda h: h @ weights[0].T + weights[1]), None),
        (good, "different values; two bits have 4"),
        (two_bits(Rounded(True), 0), "was it trained?"),
        (two_bits(Rounded(False)), "Do the first layer's weights move?"),
        ((hidden, lambda h: h), "expected 10 scores"),
        ((hidden,), "expected two things"),
        (hidden, "expected two things"),
        (
            (
                lambda x: hidden(torch.cat([x, x], 1)[:, :64]).repeat(1, 2),
                lambda h: last(h[:, :64]),
            ),
            "at most 8",
        ),
    ]:
        judge(hard.check_two_bits, answer, hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(hard.check_relu6_rule, answer, hint)
