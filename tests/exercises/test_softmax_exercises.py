"""The checkers of the softmax chapter: right answers pass, each usual mistake gets its own hint."""

import math

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import softmax
from tests.exercises import rules
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


def _pixel(axis, along=1, of=scipy.special.log_softmax, reduce=np.mean):
    """The loss with its shares made along one axis and the label's looked up along another."""

    def loss(scores, labels):
        logs = of(scores, axis=axis)
        return -reduce(np.take_along_axis(logs, np.expand_dims(labels, along), along))

    return loss


def _in_keras(scores, labels):
    last = keras.ops.transpose(scores, (0, 2, 3, 1))
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return entropy(labels, last)


def _lifted(scores, axis):
    return np.log(np.maximum(scipy.special.softmax(scores, axis=axis), 1e-7))


def _twice(scores, axis):
    return scipy.special.log_softmax(scipy.special.softmax(scores, axis=axis), axis=axis)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (functional.cross_entropy, None),
        (nn.CrossEntropyLoss(), None),
        (lambda s, y: functional.nll_loss(s.log_softmax(1), y), None),
        (lambda s, y: functional.cross_entropy(torch.as_tensor(s), torch.as_tensor(y)), None),
        (_in_keras, None),
        (_pixel(1), None),
        (_pixel(0), "axis 0, the batch"),
        (_pixel(2), "axis 2, the height"),
        (_pixel(2, 2), "axis 2, the height"),
        (_pixel(3), "axis 3, the width"),
        (_pixel(-1, -1), "axis 3, the width"),
        (
            lambda s, y: keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, s),
            "axis 3, the width",
        ),
        (lambda s, y: functional.cross_entropy(s.softmax(1), y), "a softmax too many"),
        (_pixel(1, of=_twice), "a softmax too many"),
        (_pixel(1, reduce=np.sum), "their mean is asked for"),
        (_pixel(1, reduce=lambda x: x.sum() / 2), "divided by the pictures alone"),
        (lambda s, y: -functional.cross_entropy(s, y), "the sign"),
        (lambda s, y: functional.cross_entropy(s, y, reduction="none"), "expected one number"),
        (_pixel(1, of=_lifted), "was rounded to 0, or lifted"),
        (lambda s, y: functional.nll_loss(s.softmax(1).log(), y), "was rounded to 0, or lifted"),
        (lambda s, y: 1.0, "the classes lie along axis 1"),
        (lambda s: s, "stopped with TypeError"),
        ("cross_entropy", "must be a function"),
    ],
)
def test_pixel_loss(answer, hint):
    judge(softmax.check_pixel_loss, answer, hint)


@pytest.fixture(scope="module")
def one_unit():
    tumours = data.load("breast_cancer")
    x, y = torch.from_numpy(tumours.x_train), torch.from_numpy(tumours.y_train)
    torch.manual_seed(0)
    model = nn.Linear(x.shape[1], 1)
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(100):
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(model(x)[:, 0], y.to(x)).backward()
        optimizer.step()
    return model


def test_one_unit_in_every_dress(one_unit):
    twin = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1, "sigmoid")])
    twin.set_weights([weight.detach().numpy().T for weight in one_unit.parameters()])
    for answer in (
        nn.Sequential(one_unit, nn.Sigmoid()),
        twin,
        lambda x: twin.predict(np.asarray(x), verbose=0),
        lambda x: one_unit(torch.as_tensor(x)).sigmoid().flatten().tolist(),
        lambda x: one_unit(x).sigmoid().squeeze(1),
    ):
        judge(softmax.check_one_unit, answer, None)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda s: s.softmax(1), "a softmax over a single unit"),
        (lambda s: s.softmax(0), "a softmax over the batch"),
        (lambda s: s, "these are scores"),
        (lambda s: (s > 0).double(), "these are decisions"),
        (lambda s: (-s).sigmoid(), "the shares of class 0"),
        (lambda s: torch.cat([-s, s], 1).softmax(1), "One unit is asked for"),
        (lambda s: s.sigmoid().roll(1, 0), "Was it trained"),
        (lambda s: 0.4 * s.sigmoid(), "Was it trained"),
        (lambda s: s * float("nan"), "NaN"),
        (lambda s: None, "is a return missing"),
    ],
)
def test_wrong_shares_of_one_unit(one_unit, change, hint):
    judge(softmax.check_one_unit, lambda x: change(one_unit(torch.as_tensor(x))), hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(softmax.check_twice_rule, answer, hint)
