"""The checkers of the ELU chapter: right answers pass, each mistake gets its hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab.exercises import elu
from tests.exercises import rules
from tests.exercises.judge import judge


class _Elu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x > 0, x, torch.expm1(x))

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0)))


class _Module(nn.Module):
    def forward(self, x):
        return torch.relu(x) + torch.expm1(x.clamp(max=0))


def keras_elu(x):
    return keras.ops.where(x > 0, x, keras.ops.expm1(keras.ops.minimum(x, 0.0)))


def keras_naive(x):
    return keras.ops.where(x > 0, x, keras.ops.exp(x) - 1)


def in_place(x):
    left = x <= 0
    x[left] = torch.expm1(x[left])
    return x


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: torch.where(x > 0, x, torch.expm1(x.clamp(max=0))), None),
        (nn.ELU(), None),
        (nn.ELU(inplace=True), None),
        (_Module(), None),
        (torch.jit.script(_Module()), None),
        (_Elu.apply, None),
        (in_place, None),
        (keras_elu, None),
        (tf.function(keras_elu), None),
        (keras.layers.Lambda(lambda x: tf.nn.relu(x) + tf.math.expm1(tf.minimum(x, 0))), None),
        (keras.layers.Activation(keras_elu), None),
        (lambda x: torch.where(x > 0, x, torch.exp(x) - 1), "the gradient is NaN"),
        (lambda x: torch.where(x > 0, x, torch.expm1(x)), "the gradient is NaN"),
        (keras_naive, "the gradient is NaN"),
        (lambda x: (x > 0) * x + (x <= 0) * (torch.exp(x) - 1), "the output is NaN"),
        (lambda x: torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1), "loses the digits"),
        (torch.relu, "this is ReLU"),
        (nn.SELU(), "this is SELU"),
        (nn.ELU(alpha=2.0), "far to the left"),
        (nn.LeakyReLU(), "far to the left"),
        (nn.Softplus(), "far to the left"),
        (lambda x: nn.functional.elu(x).detach() + 0 * x, "the gradient is [0.]"),
        (lambda x: nn.functional.elu(x).detach(), "no gradient comes back"),
        (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), "your code stopped with"),
        (lambda x: nn.functional.elu(x)[:3], "expected the shape"),
        (nn.ELU, "this is a class"),
        (1.0, "must be a function"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
    ],
)
def test_safe_elu(answer, hint):
    judge(elu.check_safe_elu, answer, hint)


class _Celu(nn.Module):
    def forward(self, x):
        return torch.relu(x) + (torch.exp(2 * x.clamp(max=0)) - 1) / 2


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: 0.5 * nn.functional.elu(x / 0.5), None),
        (lambda x: nn.functional.elu(2 * x) / 2, None),
        (nn.CELU(0.5), None),
        (_Celu(), None),
        (torch.jit.script(_Celu()), None),
        (lambda x: keras.ops.elu(x / 0.5) * 0.5, None),
        (keras.layers.Lambda(lambda x: 0.5 * tf.nn.elu(2.0 * x)), None),
        (tf.function(lambda x: 0.5 * tf.nn.elu(2.0 * x)), None),
        (nn.ELU(), "this is ELU, which is CELU with"),
        (nn.ELU(0.5), "jumps from 0.5 to 1"),
        (lambda x: keras.ops.elu(x, 0.5), "jumps from 0.5 to 1"),
        (lambda x: nn.functional.elu(x / 0.5), "What brings both back"),
        (lambda x: 0.5 * nn.functional.elu(0.5 * x), "the wrong way round"),
        (nn.CELU(2.0), "CELU with α = 2"),
        (lambda x: torch.where(x > 0, x, (torch.exp(2 * x) - 1) / 2), "missing or NaN"),
        (lambda x: nn.functional.celu(x, 0.5).detach(), "missing or NaN"),
        (lambda x: nn.functional.celu(x.detach(), 0.5) + 0 * x, "the gradient is"),
        (lambda x: x, "for x ="),
        (lambda x: nn.functional.celu(x, 0.5)[:3], "expected the shape"),
        (nn.CELU, "this is a class"),
        (0.5, "must be a function"),
    ],
)
def test_celu_from_elu(answer, hint):
    judge(elu.check_celu_from_elu, answer, hint)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_trained_elu(framework):
    rules.try_trained(elu.check_trained_elu, framework, "elu", 5)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(elu.check_elu_rule, answer, hint)


def test_a_notebook_from_before_the_chapter_became_two_finds_its_checkers():
    from actlab.exercises import elu, elu_selu, selu

    assert elu_selu.check_safe_elu is elu.check_safe_elu
    assert elu_selu.check_he_constants is selu.check_he_constants
