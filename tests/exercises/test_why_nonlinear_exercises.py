"""The checkers of the first chapter: right answers pass, each usual mistake gets its own hint."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab.exercises import why_nonlinear as check
from tests.exercises.judge import judge


def _collapse(layers, order=1, bias_through=True, keep_bias=True, stop=None):
    weight, bias = layers[0]
    for w, b in layers[1:stop]:
        bias = (w @ bias if bias_through else bias) + b
        weight = w @ weight if order == 1 else weight @ w
    return weight, bias if keep_bias else 0 * bias


def _affine_trick(layers):
    """One matrix more: (W b; 0 1), multiplied up."""
    big = [np.block([[w, b[:, None]], [np.zeros(w.shape[1]), 1]]) for w, b in layers]
    product = functools.reduce(lambda a, b: b @ a, big)
    return product[:-1, :-1], product[:-1, -1]


def _probing(layers):
    """Ask the network itself: the bias is f(0), the columns of W are f(e) - f(0)."""

    def network(h):
        for w, b in layers:
            h = w @ h + b
        return h

    bias = network(np.zeros(layers[0][0].shape[1]))
    return np.array([network(e) - bias for e in np.eye(layers[0][0].shape[1])]).T, bias


def _in_place(layers):
    weight, bias = layers.pop(0)
    while layers:
        w, b = layers.pop(0)
        bias = np.add(w @ bias, b, out=b)
        weight = w @ weight
    return [weight, bias]


def _only_tensors(layers):
    weight, bias = layers[0][0].clone(), layers[0][1].clone()
    for w, b in layers[1:]:
        weight, bias = torch.mm(w, weight), torch.mv(w, bias).add_(b)
    return weight, bias


def _only_tensorflow(layers):
    weight, bias = layers[0]
    for w, b in layers[1:]:
        weight, bias = tf.matmul(w, weight), tf.linalg.matvec(w, bias) + b
    return weight, bias


def _recursive(layers):
    *rest, (w, b) = layers
    if not rest:
        return w, b
    weight, bias = _recursive(rest)
    return w @ weight, w @ bias + b


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_collapse, None),
        (lambda layers: tuple(torch.from_numpy(part) for part in _collapse(layers)), None),
        (lambda layers: tuple(map(keras.ops.convert_to_tensor, _collapse(layers))), None),
        (_affine_trick, None),
        (_probing, None),
        (_in_place, None),
        (_only_tensors, None),
        (_only_tensorflow, None),
        (_recursive, None),
        (lambda layers: [part.tolist() for part in _collapse(layers)], None),
        (lambda layers: _collapse(layers, order=-1), "wrong order"),
        (lambda layers: (_collapse(layers)[0].T, _collapse(layers)[1]), "transpose"),
        (lambda layers: _collapse(layers, keep_bias=False), "got lost"),
        (lambda layers: _collapse(layers, bias_through=False), "only added up"),
        (lambda layers: (_collapse(layers)[0], np.array([9.0, 9.0])), "the bias should be"),
        (lambda layers: (2 * _collapse(layers)[0], layers[0][1]), "the matrix should be"),
        (lambda layers: _collapse(layers, stop=2), "reach every layer"),
        (lambda layers: (_collapse(layers)[0], layers[-1][0] @ layers[0][1] + layers[-1][1])
         if len(layers) == 2 else (_collapse(layers)[0], layers[-1][1]), "Carry matrix and bias"),
        (lambda layers: _collapse(layers) if len(layers) > 1 else ([[0.0]], [0.0]), "single one"),
        (lambda layers: _collapse(layers) if len(layers) < 3 else
         (_collapse(layers)[0], layers[-1][1]), "Carry matrix and bias"),
        (lambda layers: _collapse(layers)[0], "a pair (W, b)"),
        (lambda layers: print(_collapse(layers)), "a pair (W, b)"),
        (lambda layers: (1.0, 2.0), "a matrix and a vector"),
        (lambda layers: (_collapse(layers)[0], _collapse(layers)[1][:, None]), "a vector"),
        (lambda layers: ("W", "b"), "expected numbers"),
        ("W", "must be a function"),
    ],
)  # fmt: skip
def test_collapse(answer, hint):
    judge(check.check_collapse, answer, hint)


def _torch_xor(last=(1.0, -2.0), bias=(0.0, -1.0), hidden=2, out_bias=0.0, kind=nn.ReLU):
    model = nn.Sequential(nn.Linear(2, hidden), kind(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[0].weight[:2] = 1.0
        model[0].bias[:2] = torch.tensor(bias)
        model[2].weight[0, :2] = torch.tensor(last)
        model[2].bias += out_bias
    return model


def _one_unit_per_direction(x, relu):
    """relu(x₀ − x₁) + relu(x₁ − x₀), with no bias."""
    return relu(x @ [[1.0, -1.0], [-1.0, 1.0]]) @ [[1.0], [1.0]]


class _Subclassed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.ModuleDict({"first": nn.Linear(2, 2, bias=False)})
        self.inner["first"].weight.data = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])

    def forward(self, x):
        h = self.inner["first"](x)
        return (h * (h > 0)).sum(-1)


class _KerasSubclassed(keras.Model):
    def call(self, x):
        h = tf.matmul(x, [[1.0, 1.0], [1.0, 1.0]]) + [0.0, -1.0]
        return tf.matmul((h + abs(h)) / 2, [[1.0], [-2.0]])


def _keras_xor(kind="relu", dtype=None, functional=False):
    hidden, last = keras.layers.Dense(2, kind, dtype=dtype), keras.layers.Dense(1, dtype=dtype)
    if functional:
        x = keras.Input((2,))
        inner = keras.Sequential([keras.Input((2,)), hidden])
        model = keras.Model(x, last(inner(x)))
    else:
        model = keras.Sequential([keras.Input((2,)), hidden, last])
    model.set_weights([np.ones((2, 2)), np.array([0, -1]), np.array([[1], [-2]]), np.zeros(1)])
    return model


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (_torch_xor, None),
        (_keras_xor, None),
        (lambda: _torch_xor().double(), None),
        (lambda: _torch_xor().half(), None),
        (lambda: torch.jit.script(_torch_xor()), None),
        (lambda: torch.jit.trace(_torch_xor(), torch.zeros(4, 2)), None),
        (lambda: nn.Sequential(nn.Sequential(*_torch_xor()), nn.Flatten(0)), None),
        (lambda: _torch_xor(kind=lambda: nn.ReLU(inplace=True)), None),
        (lambda: _torch_xor(kind=lambda: nn.PReLU(init=0.0)), None),
        (lambda: _torch_xor(kind=lambda: nn.Threshold(0.0, 0.0)), None),
        (_Subclassed, None),
        (lambda: lambda x: _torch_xor()(x), None),
        (lambda: torch.vmap(_torch_xor()), None),
        (lambda: lambda x: torch.relu(x @ torch.ones(2, 2) - torch.tensor([0.0, 1.0]))
         @ torch.tensor([1.0, -2.0]), None),
        (lambda: lambda x: _one_unit_per_direction(x, lambda z: np.maximum(0, z)), None),
        (lambda: lambda x: np.where(x.sum(1) > 0, x.sum(1), 0) - 2 * np.clip(x.sum(1) - 1, 0, None),
         None),
        (lambda: lambda x: x[:, 0] + x[:, 1] - 2 * torch.relu(x.sum(1) - 1), None),
        (lambda: _keras_xor(functional=True), None),
        (lambda: _keras_xor(kind=keras.layers.ReLU()), None),
        (lambda: _keras_xor(dtype="float64"), None),
        (lambda: _keras_xor(dtype="mixed_float16"), None),
        (_KerasSubclassed, None),
        (lambda: tf.function(_keras_xor()), None),
        (lambda: lambda x: abs(x[:, 0] - x[:, 1]), "an absolute value does the work"),
        (lambda: lambda x: (x[:, :1] - x[:, 1:]).abs(), "an absolute value does the work"),
        (lambda: lambda x: keras.ops.abs(x[:, 0] - x[:, 1]), "an absolute value does the work"),
        (lambda: lambda x: (x[:, 0] != x[:, 1]) * 1.0, "no ReLU unit was seen"),
        (lambda: lambda x: x[:, 0] + x[:, 1] - 2 * x[:, 0] * x[:, 1], "no ReLU unit was seen"),
        (lambda: lambda x: x.amax(1) - x.amin(1), "no ReLU unit was seen"),
        (lambda: _torch_xor(bias=(0.0, 0.0)), "still linear"),
        (lambda: nn.Linear(2, 1), "still linear"),
        (lambda: _torch_xor(kind=nn.Identity), "still linear"),
        (lambda: _keras_xor(kind="linear"), "still linear"),
        (lambda: _torch_xor(last=(-1.0, 2.0), out_bias=1.0), "this is the opposite"),
        (lambda: _torch_xor(last=(1.0, -1.0)), "expected 0, 1, 1, 0"),
        (lambda: _keras_xor(kind="sigmoid"), "expected 0, 1, 1, 0"),
        (lambda: _torch_xor(hidden=8), "with 33 weights"),
        (lambda: nn.Sequential(*_torch_xor(), nn.ReLU()), "with 3 ReLU units"),
        (lambda: nn.Linear(2, 3), "expected four outputs"),
        (lambda: nn.Linear(3, 1), "RuntimeError"),
        (lambda: nn.Sequential, "this is a class"),
        (lambda: lambda: _torch_xor(), "takes no arguments"),
        (lambda: list(_torch_xor()), "can be called"),
        (lambda: "XOR", "can be called"),
    ],
)  # fmt: skip
def test_xor(model, hint):
    judge(check.check_xor, model(), hint)


def _borrowed(x, slope=lambda x: x.clamp(-1, 1), step=lambda x: (x >= 0).to(x.dtype)):
    return slope(x) + (step(x) - slope(x)).detach()


def _borrowed_in_keras(x):
    ramp = keras.ops.clip(x, -1.0, 1.0)
    return ramp + keras.ops.stop_gradient(keras.ops.cast(x >= 0, "float32") - ramp)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * (ctx.saved_tensors[0].abs() <= 1)


class _Module(nn.Module):
    def forward(self, x):
        ramp = nn.functional.hardtanh(x)
        return torch.heaviside(x, torch.ones(())).sub_(ramp).detach() + ramp


@tf.custom_gradient
def _in_tensorflow(x):
    return tf.cast(x >= 0, x.dtype), lambda gradient: gradient * tf.cast(abs(x) < 1, x.dtype)


@keras.ops.custom_gradient
def _custom_in_keras(x):
    step = keras.ops.where(x >= 0, 1.0, 0.0)
    return step, lambda gradient: keras.ops.where(keras.ops.abs(x) <= 1, gradient, 0.0)


class _Layer(keras.layers.Layer):
    def call(self, x):
        return _borrowed_in_keras(x)


def _with_hook(x):
    step = torch.where(x >= 0, 1.0, 0.0) + 0 * x
    step.register_hook(lambda gradient: gradient)
    return step + (x.clip(-1, 1) - x.clip(-1, 1).detach())


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_borrowed, None),
        (_borrowed_in_keras, None),
        (_Step.apply, None),
        (_Module(), None),
        (_in_tensorflow, None),
        (_custom_in_keras, None),
        (_Layer(), None),
        (_with_hook, None),
        (torch.jit.script(_Module()), None),
        (tf.function(_borrowed_in_keras), None),
        (lambda x: (x >= 0) + nn.Hardtanh()(x) - nn.Hardtanh()(x).data, None),
        (lambda x: _borrowed(x, slope=lambda x: (x.clamp(-1, 1) + 1) / 2), "slope between −1"),
        (lambda x: _borrowed(x, slope=lambda x: x), "passes everywhere"),
        (lambda x: _borrowed(x, slope=lambda x: 3 * x.clamp(-1, 1)), "slope is 1"),
        (lambda x: _borrowed(x, slope=torch.sigmoid), "that of another curve"),
        (lambda x: _borrowed(x, slope=torch.tanh), "that of another curve"),
        (lambda x: _borrowed(x, slope=lambda x: -x.clamp(-1, 1)), "the wrong sign"),
        (lambda x: (x >= 0).to(x.dtype), "still zero, or there is none"),
        (lambda x: x.clamp(-1, 1).detach() + (x >= 0) - x.clamp(-1, 1).detach(), "still zero"),
        (lambda x: keras.ops.cast(x >= 0, "float32"), "still zero, or there is none"),
        (torch.sign, "this is the sign"),
        (torch.sigmoid, "this is the sigmoid"),
        (lambda x: x.clamp(-1, 1), "the ramp itself"),
        (nn.Hardtanh(), "the ramp itself"),
        (lambda x: _borrowed(x, step=lambda x: (x > 0).to(x.dtype)), "At 0 the step is 1"),
        (lambda x: _borrowed(x, step=lambda x: (x < 0).to(x.dtype)), "the step goes down"),
        (lambda x: _borrowed(x)[:3], "expected the shape"),
        (lambda x: x.no_such_method(), "no_such_method"),
        (lambda x: np.heaviside(x, 1), "your code stopped with"),
        (_Step, "_Step.apply"),
        (1.0, "must be a function"),
    ],
)
def test_borrowed_slope(answer, hint):
    judge(check.check_borrowed_slope, answer, hint)


def test_no_answer_is_not_an_error():
    assert "no answer yet" in check.check_collapse(...).message
