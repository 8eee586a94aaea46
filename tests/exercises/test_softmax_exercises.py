"""The checkers of the softmax chapter: right answers pass, each usual mistake gets its own hint."""

import math

import keras
import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import softmax
from tests.exercises.judge import judge


def _by_row(x):
    rows = []
    for row in np.asarray(x, float):
        top = max(row)
        rows.append([s - top - math.log(sum(math.exp(t - top) for t in row)) for s in row])
    return rows


def _one_top(x):
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: torch.log_softmax(torch.as_tensor(x), 1), None),
        (nn.LogSoftmax(1), None),
        (lambda x: x - x.logsumexp(1, keepdim=True), None),
        (lambda x: x - scipy.special.logsumexp(x, axis=1, keepdims=True), None),
        (lambda x: tf.nn.log_softmax(x), None),
        (lambda x: keras.activations.log_softmax(x), None),
        (keras.layers.Lambda(lambda x: keras.ops.log_softmax(x)), None),
        (_by_row, None),
        (lambda x: -functional.softplus(torch.zeros(1)) + x.log_softmax(-1) + math.log(2), None),
        (lambda x: torch.log(torch.softmax(torch.as_tensor(x), 1)), "rounded to 0"),
        (lambda x: x - np.log(np.exp(x).sum(1, keepdims=True)), "e to the power of 1000"),
        (_one_top, "Every row has its own"),
        (lambda x: torch.log_softmax(torch.as_tensor(x), 0), "add up over"),
        (lambda x: scipy.special.softmax(x, axis=1), "the shares themselves"),
        (lambda x: -scipy.special.log_softmax(x, axis=1), "the sign"),
        (lambda x: scipy.special.log_softmax(x, axis=1) / np.log(10), "base 10"),
        (lambda x: x - x.max(1, keepdims=True), "not the logarithm of the sum"),
        (lambda x: x - x.sum(1, keepdims=True), "sum of the scores"),
        (lambda x: scipy.special.log_softmax(x, axis=1).sum(1), "got (5,)"),
        (lambda x: scipy.special.log_softmax(x), "expected"),
        (lambda x: None, "is a return missing"),
        (3, "must be a function"),
    ],
)
def test_log_softmax(answer, hint):
    judge(softmax.check_log_softmax, answer, hint)


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
        (lambda a, b: a / 2, "expected one temperature"),
        (lambda a: 1, "stopped with TypeError"),
    ],
)
def test_temperature(answer, hint):
    judge(softmax.check_temperature, answer, hint)


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
        judge(softmax.check_probabilities, answer, None)


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

        feedback = softmax.check_probabilities(answer)
        assert not feedback.ok
        assert "too sure" in feedback.message or "right on" in feedback.message
        return
    judge(softmax.check_probabilities, lambda x: change(network(torch.as_tensor(x))), hint)


def _rule(bound, inclusive=False):
    def verdict(low, high):
        if low > bound or (inclusive and low >= bound):
            return "holds"
        return "refuted" if high <= bound else "not shown"

    return verdict


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_rule(0), None),
        (_rule(5, inclusive=True), None),
        (lambda a, b: "holds" if a > 3 else "refuted" if b < 1 else "not shown", None),
        (
            lambda low, high: {1: "holds", 0: "not shown", -1: "refuted"}[(low > 2) - (high < 2)],
            None,
        ),
        (lambda a, b: "holds" if (a + b) / 2 > 2 else "refuted", "the middle"),
        (lambda a, b: "holds" if b > 2 else "refuted", "says nothing"),
        (lambda a, b: "holds" if a > 2 else "refuted", "Refuted is not what is left over"),
        (lambda a, b: "holds" if a > 2 else "not shown", "could your rule ever refute"),
        (lambda a, b: "holds" if b < 0 else "refuted" if a > 0 else "not shown", "the sign"),
        (_rule(0.02 * 1000), "are lost"),
        (lambda a, b: "yes", "expected one of"),
        (lambda a, b: True, "expected one of"),
        ("holds", "must be a function"),
    ],
)
def test_verdict(answer, hint):
    judge(softmax.check_verdict, answer, hint)
