"""The checkers of the chapter on cost: right answers pass, mistakes get their hint."""

import statistics
import time

import keras
import numpy as np
import pytest
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import cost
from tests.exercises import rules
from tests.exercises.judge import judge


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda y: 1 - np.exp(-y), None),
        (lambda y: -torch.expm1(-y), None),
        (lambda y: ops.sigmoid(ops.log(ops.expm1(y))), None),
        (lambda y: (np.exp(y) - 1) / np.exp(y), None),
        (lambda y: 1 - torch.exp(-torch.as_tensor(y).bfloat16()), None),
        (lambda y: np.tanh(y), "expected"),
        (torch.sigmoid, "if the number given were the *input*"),
        (lambda y: np.exp(-y), "one minus the slope"),
        (lambda y: 1 + np.exp(-y), "look at the sign"),
        (lambda y: y, "the output itself"),
        (lambda y: 1 - np.exp(-2 * y), "expected"),
        (3, "expected a function"),
    ],
)
def test_slope_from_output(answer, hint):
    judge(cost.check_slope_from_output, answer, hint)


def seconds(call, clock=time.perf_counter):
    began = clock()
    call()
    return clock() - began


def fair(f, g):
    f(), g()
    rounds = [(seconds(f), seconds(g)) for _ in range(9)]
    return statistics.median(one / other for one, other in rounds)


def shortest(f, g):
    return min(seconds(f) for _ in range(8)) / min(seconds(g) for _ in range(8))


def in_one_go(f, g):
    """Both alone, and the mean."""
    f(), g()
    return np.mean([seconds(f) for _ in range(10)]) / np.mean([seconds(g) for _ in range(10)])


def warm_for_long(f, g):
    """Five calls before the clock runs, and then the mean of five."""
    for _ in range(5):
        f(), g()
    return sum(seconds(f) for _ in range(5)) / sum(seconds(g) for _ in range(5))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (fair, None),
        (shortest, None),
        (lambda f, g: torch.tensor(fair(f, g)), None),
        (lambda f, g: 1 / fair(f, g), "upside down"),
        (in_one_go, "the smallest or the median"),
        (warm_for_long, "the smallest or the median"),
        (lambda f, g: seconds(f) / seconds(g), "called 1 times"),
        (lambda f, g: sum(seconds(f) for _ in range(6)) / sum(seconds(g) for _ in range(6)), "100"),
        (lambda f, g: (fair(f, g), 1), "expected one number"),
        (2, "expected a function"),
    ],
)
def test_fair_ratio(answer, hint):
    judge(cost.check_fair_ratio, answer, hint)


class Frugal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = functional.softplus(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return gradient * -torch.expm1(-y)


class Layer(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def network(function, epochs=20, width=64):
    torch.manual_seed(0)
    digits = data.load("digits")
    x, y = torch.tensor(digits.x_train).float(), torch.tensor(digits.y_train)
    model = nn.Sequential(
        *(nn.Linear(64, width), Layer(function), nn.Linear(width, width), Layer(function)),
        nn.Linear(width, 10),
    )
    optimiser = torch.optim.SGD(model.parameters(), 0.05, 0.9)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimiser.step()
    return model


def test_frugal():
    judge(cost.check_frugal, network(Frugal.apply), None)
    judge(cost.check_frugal, network(Frugal.apply, width=40).double(), None)
    judge(cost.check_frugal, kept := network(functional.softplus), "keeps 2.0 arrays")
    judge(cost.check_frugal, network(torch.relu), "expected 2 hidden layers of Softplus")
    judge(cost.check_frugal, network(Frugal.apply, epochs=0), "was it trained?")
    judge(cost.check_frugal, network(functional.softplus).requires_grad_(False), "frozen")
    with torch.no_grad():
        judge(cost.check_frugal, kept, "keeps 2.0 arrays")
    judge(cost.check_frugal, functional.softplus, "expected")


@ops.custom_gradient
def frugal(x):
    y = keras.activations.softplus(x)

    def backward(*arguments, upstream=None):
        gradient = arguments[0] if upstream is None else upstream
        return gradient * -ops.expm1(-y)

    return y, backward


@pytest.mark.parametrize(("activation", "hint"), [(frugal, None), ("softplus", "keeps its input")])
def test_frugal_in_keras(activation, hint):
    keras.utils.set_random_seed(0)
    digits = data.load("digits")
    hidden = [keras.layers.Dense(64, activation) for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss)
    model.fit(digits.x_train, digits.y_train, batch_size=64, epochs=20, verbose=0)
    judge(cost.check_frugal, model, hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_speed_rule(answer, hint):
    if hint is None and any(np.any(np.asarray(part) == 0) for part in answer[1:]):
        hint = "not above 0. Are they seconds? (A clock that says 0"
    hint = hint and cost.in_rounds(hint).replace("or below 0", "or not above 0")
    judge(cost.check_speed_rule, answer, hint)


def test_of_times_it_speaks_of_rounds():
    few = rules.by_interval, rules.MANY[:5], rules.FEW[:5]
    judge(cost.check_speed_rule, few, "5 rounds: who is ahead")
    never = rules.by_interval, rules.MANY, np.full_like(rules.MANY, np.nan)
    judge(cost.check_speed_rule, never, "not above 0. Are they seconds?")
    right = cost.check_speed_rule((rules.by_interval, rules.MANY, rules.FEW))
    assert f"{rules.SEEDS} rounds" in right.message
