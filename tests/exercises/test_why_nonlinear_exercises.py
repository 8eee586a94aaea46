"""The checkers of the first chapter: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab.exercises import why_nonlinear as check


def _collapse(layers, order=1, bias_through=True, keep_bias=True, stop=None):
    weight, bias = layers[0]
    for w, b in layers[1:stop]:
        bias = (w @ bias if bias_through else bias) + b
        weight = w @ weight if order == 1 else weight @ w
    return weight, bias if keep_bias else 0 * bias


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_collapse, None),
        (lambda layers: tuple(torch.from_numpy(part) for part in _collapse(layers)), None),
        (lambda layers: tuple(map(keras.ops.convert_to_tensor, _collapse(layers))), None),
        (lambda layers: _collapse(layers, order=-1), "wrong order"),
        (lambda layers: _collapse(layers, keep_bias=False), "got lost"),
        (lambda layers: _collapse(layers, bias_through=False), "only added up"),
        (lambda layers: (_collapse(layers)[0], np.array([9.0, 9.0])), "the bias should be"),
        (lambda layers: (2 * _collapse(layers)[0], layers[0][1]), "the matrix should be"),
        (lambda layers: _collapse(layers, stop=2), "reach every layer"),
        (lambda layers: (_collapse(layers)[0], layers[-1][0] @ layers[0][1] + layers[-1][1])
         if len(layers) == 2 else (_collapse(layers)[0], layers[-1][1]), "Carry matrix and bias"),
        (lambda layers: _collapse(layers)[0], "a pair (W, b)"),
        (lambda layers: (1.0, 2.0), "a matrix and a vector"),
        ("W", "must be a function"),
    ],
)  # fmt: skip
def test_collapse(answer, hint):
    feedback = check.check_collapse(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def _torch_xor(last=(1.0, -2.0), bias=(0.0, -1.0), hidden=2, out_bias=0.0):
    model = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[0].weight[:2] = 1.0
        model[0].bias[:2] = torch.tensor(bias)
        model[2].weight[0, :2] = torch.tensor(last)
        model[2].bias += out_bias
    return model


def _keras_xor():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, "relu"), keras.layers.Dense(1)]
    )
    model.set_weights([np.ones((2, 2)), np.array([0, -1]), np.array([[1], [-2]]), np.zeros(1)])
    return model


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (_torch_xor, None),
        (_keras_xor, None),
        (lambda: _torch_xor(bias=(0.0, 0.0)), "still linear"),
        (lambda: nn.Linear(2, 1), "still linear"),
        (lambda: _torch_xor(last=(-1.0, 2.0), out_bias=1.0), "this is the opposite"),
        (lambda: _torch_xor(last=(1.0, -1.0)), "expected 0, 1, 1, 0"),
        (lambda: _torch_xor(hidden=8), "with 33 weights"),
        (lambda: nn.Linear(2, 3), "expected four outputs"),
        (lambda: "XOR", "can be called"),
    ],
)
def test_xor(model, hint):
    feedback = check.check_xor(model())
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def _borrowed(x, slope=lambda x: x.clamp(-1, 1), step=lambda x: (x >= 0).to(x.dtype)):
    return slope(x) + (step(x) - slope(x)).detach()


def _borrowed_in_keras(x):
    ramp = keras.ops.clip(x, -1.0, 1.0)
    return ramp + keras.ops.stop_gradient(keras.ops.cast(x >= 0, "float32") - ramp)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_borrowed, None),
        (_borrowed_in_keras, None),
        (lambda x: _borrowed(x, slope=lambda x: (x.clamp(-1, 1) + 1) / 2), None),
        (lambda x: _borrowed(x, slope=lambda x: x), "passes everywhere"),
        (lambda x: _borrowed(x, slope=lambda x: 3 * x.clamp(-1, 1)), "slope is 1"),
        (lambda x: (x >= 0).to(x.dtype), "still zero, or there is none"),
        (lambda x: keras.ops.cast(x >= 0, "float32"), "still zero, or there is none"),
        (torch.sign, "this is the sign"),
        (lambda x: x.clamp(-1, 1), "the ramp itself"),
        (lambda x: _borrowed(x, step=lambda x: (x > 0).to(x.dtype)), "At 0 the step is 1"),
        (lambda x: _borrowed(x)[:3], "expected the shape"),
        (lambda x: x.no_such_method(), "no_such_method"),
        (1.0, "must be a function"),
    ],
)
def test_borrowed_slope(answer, hint):
    feedback = check.check_borrowed_slope(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def test_no_answer_is_not_an_error():
    assert "no answer yet" in check.check_collapse(...).message
