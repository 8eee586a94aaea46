"""The checkers of the sigmoid chapter: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab import catalog
from actlab.exercises import sigmoid_tanh as exercises


def test_no_answer_is_not_an_error():
    assert "no answer yet" in exercises.check_log_sigmoid(...).message


def _stable(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_stable, None),
        (torch.nn.functional.logsigmoid, None),
        (keras.activations.log_sigmoid, None),
        (lambda x: 1 / (1 + np.exp(-x)), "σ itself"),
        (lambda x: np.log(1 + np.exp(-x)), "the sign"),
        (lambda x: np.log(1 / (1 + np.exp(-x))), "x = −1000"),
        (lambda x: torch.log(torch.sigmoid(x)), "x = −1000"),
        (lambda x: x - np.log1p(np.exp(x)), "x = 1000"),
        (lambda x: np.minimum(x, 0) - np.log(1 + np.exp(-np.abs(x))), "exactly 0"),
        (lambda x: _stable(x) * 1.01, "expected"),
        (lambda x: _stable(x)[:2], "the shape"),
        (0.0, "must be a function"),
    ],
)
def test_log_sigmoid(answer, hint):
    feedback = exercises.check_log_sigmoid(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def _slope(name, q):
    z = np.random.default_rng(1).standard_normal(200_000)
    return catalog.get(name).derivative(np.sqrt(q) * z)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda n, v, q: 0.5 * np.log10(v * (_slope(n, q) ** 2).mean()), None),
        (lambda n, v, q: -0.5 * np.log10(v * (_slope(n, q) ** 2).mean()), "the sign"),
        (lambda n, v, q: np.log10(v * (_slope(n, q) ** 2).mean()), "the norm is its root"),
        (lambda n, v, q: 0.5 * np.log(v * (_slope(n, q) ** 2).mean()), "power of ten"),
        (lambda n, v, q: 0.5 * np.log10((_slope(n, q) ** 2).mean()), "weights are missing"),
        (lambda n, v, q: 0.5 * np.log10(v * _slope(n, q).mean() ** 2), "square of the mean slope"),
        (lambda n, v, q: np.log10(np.sqrt(v) * catalog.get(n).derivative(0.0)), "slope at 0"),
        (lambda n, v, q: 1.0, "expected -0.6"),
        (None, "no answer yet"),
        (2, "must be a function"),
    ],
)
def test_decades(answer, hint):
    feedback = exercises.check_decades(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def _torch_network(gain=1.0, centred=False, norm=False, depth=10, activation=nn.Sigmoid):
    torch.manual_seed(0)
    layers = []
    for i in range(depth):
        layer = nn.Linear(64, 64)
        nn.init.orthogonal_(layer.weight, gain=gain)
        nn.init.zeros_(layer.bias)
        if centred and i:
            layer.bias.data = -layer.weight.data.sum(1) / 2
        layers += [layer, *([nn.BatchNorm1d(64)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def _keras_network(gain=1.0, centred=False, norm=False):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,))])
    for i in range(10):
        start = keras.initializers.Orthogonal(gain=gain, seed=i)
        model.add(keras.layers.Dense(64, kernel_initializer=start))
        if norm:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Activation("sigmoid"))
    model.add(keras.layers.Dense(10))
    if centred:
        for layer in [layer for layer in model.layers if layer.weights][1:-1]:
            kernel, _ = layer.get_weights()
            layer.set_weights([kernel, -kernel.sum(0) / 2])
    return model


@pytest.mark.parametrize(
    "model",
    [
        lambda: _torch_network(gain=4, centred=True),
        lambda: _torch_network(norm=True, gain=4),
        lambda: _keras_network(gain=4, centred=True),
        lambda: _keras_network(norm=True, gain=4),
    ],
)
def test_a_repaired_network_passes(model):
    feedback = exercises.check_deep_sigmoid(model())
    assert feedback.ok, feedback


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (_torch_network, "at most 1/4"),
        (_keras_network, "at most 1/4"),
        (lambda: _torch_network(gain=4), "the offset"),
        (lambda: _keras_network(gain=4), "the offset"),
        (lambda: _torch_network(gain=40), "saturated"),
        (lambda: _torch_network(gain=4, centred=True, depth=5), "ten sigmoid layers"),
        (lambda: _torch_network(activation=nn.Tanh), "no nn.Sigmoid"),
        (lambda: "He", "expected a PyTorch module or a Keras model"),
    ],
)
def test_deep_sigmoid_hints(model, hint):
    feedback = exercises.check_deep_sigmoid(model())
    assert not feedback.ok
    assert hint in feedback.message
