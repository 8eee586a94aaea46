"""The checkers of the chapter on shrinkage: right answers pass, mistakes get their hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import shrinkage
from tests.exercises import rules
from tests.exercises.judge import judge


class Bias(nn.Module):
    def forward(self, x):
        return (x - 0.5).clamp(min=0)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: torch.relu(x - 0.5), None),
        (lambda x: keras.activations.relu(x, threshold=0) * 0 + ops.relu(x - 0.5), None),
        (lambda x: np.maximum(x - 0.5, 0), None),
        (lambda x: max(x - 0.5, 0), None),
        (lambda x: functional.softshrink(x).clamp(min=0), None),
        (Bias(), None),
        (functional.softshrink, "below 0, and a rate is not"),
        (torch.relu, "nobody has paid"),
        (lambda x: x - 0.5, "moved by the price, rightly"),
        (lambda x: torch.relu(x + 0.5), "the sign"),
        (lambda x: torch.where(x > 1, x, 0.0), "this is for a fee"),
        (lambda x: torch.where(x > 0.5, x, 0.0), "a little less would be cheaper"),
        (lambda x: torch.relu(x - 0.4), "expected"),
        (0.5, "expected a function"),
    ],
)
def test_rates(answer, hint):
    judge(shrinkage.check_rates, answer, hint)


def two_relus(x, threshold):
    return torch.relu(x - threshold) - torch.relu(-x - threshold)


def by_sign(x, threshold):
    return torch.sign(x) * torch.relu(x.abs() - threshold)


def cut_off(x, threshold):
    return two_relus(x, threshold.detach())


def in_numpy(x, threshold):
    x, threshold = np.asarray(x), np.asarray(threshold)
    return x - np.clip(x, -threshold, threshold)


def straight_through(x, threshold):
    """Right values; the threshold's gradient has the wrong sign."""
    right = two_relus(x, threshold.detach())
    return right + (threshold - threshold.detach())


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (two_relus, None),
        (by_sign, None),
        (lambda x, t: x - torch.clamp(x, -t, t), None),
        (lambda x, t: torch.where(x > t, x - t, torch.where(x < -t, x + t, 0.0 * x)), None),
        (lambda x, t: x - ops.clip(x, -t, t), None),
        (lambda x, t: ops.relu(x - t) - ops.relu(-x - t), None),
        (lambda x, t: x - tf.clip_by_value(x, -t, t), None),
        (functional.softshrink, "takes a plain number"),
        (cut_off, "no gradient reaches the thresholds"),
        (lambda x, t: two_relus(x.detach(), t), "no gradient comes back to the signal"),
        (straight_through, "a gradient is not"),
        (lambda x, t: torch.where(x.abs() > t, x, 0.0), "this is hard shrink"),
        (lambda x, t: torch.relu(x - t), "the right half only"),
        (lambda x, t: two_relus(x, t.mean()), "expected"),
        (lambda x, t: two_relus(x, t).sum(), "expected the shape"),
        (in_numpy, "your code stopped"),
        (lambda x, t: undefined_name, "undefined_name"),  # noqa: F821
        (0.5, "expected a function"),
    ],
)
def test_learned_threshold(answer, hint):
    judge(shrinkage.check_threshold, answer, hint)


def by_components(shrink):
    """A function of the principal components of training digits, and back."""
    x = data.load("digits").x_train
    middle = x.mean(0)
    rows = np.linalg.svd(x - middle, full_matrices=False)[2]
    return lambda noisy: middle + shrink((noisy - middle) @ rows.T) @ rows


def wiener():
    x = data.load("digits").x_train
    rows = np.linalg.svd(x - x.mean(0), full_matrices=False)[2]
    variance = ((x - x.mean(0)) @ rows.T).var(0)
    return by_components(lambda z: z * variance / (variance + shrinkage.NOISE**2))


def cut(threshold):
    return by_components(lambda z: z - z.clip(-threshold, threshold))


def test_denoised():
    clean = data.load("digits").x_test.astype(np.float32)
    noise = np.random.default_rng(0).normal(0, shrinkage.NOISE, clean.shape).astype(np.float32)
    errors = [np.mean((cut(t)(clean + noise) - clean) ** 2) for t in np.arange(0.3, 0.6, 0.05)]
    assert round(float(min(errors)), 3) == shrinkage.SOFT > shrinkage.ENOUGH
    good = wiener()
    double = nn.Linear(64, 64).double()
    constant = good(np.zeros((1, 64)))
    with torch.no_grad():
        double.weight.copy_(torch.tensor((good(np.eye(64)) - constant).T))
        double.bias.copy_(torch.tensor(constant[0]))
    for answer, hint in [
        (good, None),
        (lambda x: torch.tensor(good(x.numpy())), None),
        (double, None),
        (lambda x: double(x), None),
        (lambda x: ops.convert_to_tensor(good(np.asarray(x))), None),
        (cut(0.45), "The best soft threshold alone"),
        (lambda x: x, "the noise is still in it"),
        (lambda x: x - good(x), "this is the *noise*"),
        (lambda x: clean, "too good"),
        (lambda x: 0 * x, "Untouched, the digits have less"),
        (lambda x: good(x)[:, :10], "expected an image"),
        (lambda x: x * np.nan, "infinite or NaN"),
        (nn.Linear(64, 64), "Untouched, the digits have less"),
        (clean, "expected a function"),
    ]:
        judge(shrinkage.check_denoised, answer, hint)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(shrinkage.check_shrink_rule, answer, hint)
