"""The checkers of the ELU chapter: right answers pass, each mistake gets its hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab.exercises import elu
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
