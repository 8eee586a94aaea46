"""The checkers of the chapter after softmax: right answers pass, each mistake gets its hint."""

import math

import keras
import numpy as np
import pytest
import scipy.optimize
import torch
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import softmax_family
from tests.exercises import rules
from tests.exercises.judge import judge


def _loss(logits, labels, temperature):
    return functional.cross_entropy(
        torch.as_tensor(np.asarray(logits)) / float(temperature),
        torch.as_tensor(np.asarray(labels)),
    ).item()


def _searched(low, high, count=200):
    grid = np.geomspace(low, high, count)
    return lambda logits, labels: grid[np.argmin([_loss(logits, labels, T) for T in grid])]


def _fitted(logits, labels):
    logits, labels = torch.as_tensor(logits), torch.as_tensor(labels)
    log_t = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=60)

    def closure():
        optimizer.zero_grad()
        loss = functional.cross_entropy(logits / log_t.exp(), labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_t.exp()


def _bounded(logits, labels):
    return scipy.optimize.minimize_scalar(
        lambda t: _loss(logits, labels, math.exp(t)), bounds=(-4, 4), method="bounded"
    ).x


def _accuracy(logits, labels):
    grid = np.geomspace(0.1, 10, 100)
    hits = [(np.asarray(logits / T).argmax(1) == np.asarray(labels)).mean() for T in grid]
    return grid[np.argmax(hits)]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_searched(0.05, 20), None),
        (_fitted, None),
        (lambda a, b: math.exp(_bounded(a, b)), None),
        (lambda a, b: [_searched(0.1, 10)(a, b)], None),
        (lambda a, b: 1 / _searched(0.05, 20)(a, b), "its inverse"),
        (_bounded, "the logarithm of the best"),
        (lambda a, b: 1.0, "you return 1"),
        (_searched(0.05, 2), "Does your search go far enough"),
        (_searched(1.1, 20), "Does your search go far enough"),
        (_accuracy, "Does your search go far enough"),
        (lambda a, b: _loss(a, b, _searched(0.05, 20)(a, b)), "the smallest loss"),
        (lambda a, b: -2, "is positive"),
        (lambda a, b: a / 2, "expected one number"),
        (lambda a: 1, "stopped with TypeError"),
    ],
)
def test_temperature(answer, hint):
    judge(softmax_family.check_temperature, answer, hint)


@pytest.fixture(scope="module")
def network():
    digits = data.load("digits")
    x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(20):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


def test_right_probabilities_in_every_dress(network):
    twin = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]
    )
    twin.set_weights([weight.detach().numpy().T for weight in network.parameters()])
    for answer in (
        nn.Sequential(network, nn.Softmax(1)),
        twin,
        lambda x: twin.predict(np.asarray(x), verbose=0),
        lambda x: network(torch.as_tensor(x)).softmax(-1).tolist(),
    ):
        judge(softmax_family.check_probabilities, answer, None)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda s: s, "these are scores"),
        (lambda s: s.log_softmax(1), "logarithms of shares"),
        (lambda s: s.softmax(0), "over the examples"),
        (lambda s: s.softmax(1).softmax(1), "a softmax of a softmax"),
        (lambda s: (30 * s).softmax(1), None),
        (lambda s: (s / 8).softmax(1), "too shy"),
        (lambda s: s.softmax(1).roll(1, 1), "Was the network trained"),
        (lambda s: s.softmax(1).amax(1), "expected shares of shape"),
        (lambda s: s.softmax(1) * float("nan"), "NaN"),
    ],
)
def test_wrong_probabilities(network, change, hint):
    if hint is None:  # so sure that it is wrong only where it errs: more wrong answers are needed
        noisy = nn.Sequential(nn.Dropout(0.0), network)
        torch.manual_seed(0)

        def answer(x):
            scores = noisy(torch.as_tensor(x) + 0.9 * torch.randn(len(x), 64))
            return (30 * scores).softmax(1)

        feedback = softmax_family.check_probabilities(answer)
        assert not feedback.ok
        assert "too sure" in feedback.message or "right on" in feedback.message
        return
    judge(softmax_family.check_probabilities, lambda x: change(network(torch.as_tensor(x))), hint)


def _gumbel(scores, n):
    noise = np.random.default_rng(1).gumbel(size=(n, 4))
    return (scores + noise).argmax(1)


def _in_torch(scores, n):
    noise = -torch.rand(n, len(scores)).log().neg().log()
    return (torch.as_tensor(scores) + noise).argmax(1)


def _in_keras(scores, n):
    u = keras.random.uniform((n, 4), 1e-7, 1)
    return keras.ops.argmax(scores - keras.ops.log(-keras.ops.log(u)), 1)


def _noisy(draw):
    return lambda scores, n: (scores + draw(np.random.default_rng(2), (n, 4))).argmax(1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_gumbel, None),
        (_in_torch, None),
        (_in_keras, None),
        (lambda s, n: functional.gumbel_softmax(s.expand(n, -1), hard=True).argmax(1), None),
        (lambda s, n: torch.multinomial(s.softmax(0), n, replacement=True), None),
        (lambda s, n: _gumbel(s, n).tolist(), None),
        (lambda s, n: functional.gumbel_softmax(s.expand(n, -1), hard=True), "got a table"),
        (lambda s, n: _gumbel(s, n)[:5], "expected shape"),
        (lambda s, n: _gumbel(s, n) + 1, "from 0 to 3"),
        (lambda s, n: np.full(n, np.argmax(s)), "noise of its own"),
        (lambda s, n: np.full(n, (s + np.ones(4)).argmax()), "noise of its own"),
        (_noisy(lambda rng, size: -rng.gumbel(size=size)), "wrong sign"),
        (_noisy(lambda rng, size: rng.standard_normal(size)), "is your noise normal"),
        (_noisy(lambda rng, size: rng.random(size)), "uniform"),
        (_noisy(lambda rng, size: rng.exponential(size=size)), "a second logarithm"),
        (_noisy(lambda rng, size: 2 * rng.gumbel(size=size)), "twice too large"),
        (lambda s, n: np.random.default_rng(0).integers(0, 4, n), "equally often"),
        (_noisy(lambda rng, size: 0.6 * rng.gumbel(size=size)), "those of the softmax are"),
        (lambda s: s, "stopped with TypeError"),
        (3, "must be a function"),
    ],
)
def test_draws(answer, hint):
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    judge(softmax_family.check_draws, answer, hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(softmax_family.check_scaling_rule, answer, hint)
