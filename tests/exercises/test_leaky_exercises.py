"""The checkers of the leaky chapter: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab.exercises import leaky


def judge(feedback, hint):
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (nn.LeakyReLU(0.3), None),
        (keras.layers.LeakyReLU(), None),
        (keras.layers.LeakyReLU(negative_slope=0.3), None),
        (lambda x: np.where(x > 0, x, 0.3 * x), None),
        (lambda x: torch.where(x > 0, x, 0.3 * x), None),
        (nn.LeakyReLU(), "PyTorch's default"),
        (keras.activations.leaky_relu, "default of the function"),
        (nn.ReLU(), "plain ReLU"),
        (nn.LeakyReLU(0.1), "yours is 0.1"),
        (nn.LeakyReLU, "this is a class"),
        (0.3, "must be a layer"),
        (lambda x: 0.3 * x, "must pass unchanged"),
        (lambda x: np.where(x > -2, np.where(x > 0, x, 0.3 * x), -0.6), "not constant"),
        (lambda x: x[:2], "expected the shape"),
    ],
)
def test_ported_layer(answer, hint):
    judge(leaky.check_ported_layer(answer), hint)


def torch_cnn(first, second):
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), first, nn.Conv2d(16, 32, 3, padding=1), second)
    )


def keras_cnn(**arguments):
    layers = [
        layer
        for channels in (16, 32)
        for layer in (
            keras.layers.Conv2D(channels, 3, padding="same"),
            keras.layers.PReLU(**arguments),
        )
    ]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers])


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(32)), None),
        (lambda: keras_cnn(shared_axes=[1, 2]), None),
        (lambda: torch_cnn(nn.PReLU(), nn.PReLU()), "single slope"),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU()), "found 16 and 1"),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(7)), "your code stopped with"),
        (lambda: torch_cnn(nn.PReLU(16), nn.ReLU()), "found 1"),
        (keras_cnn, "one for every pixel"),
        (lambda: keras_cnn(shared_axes=[1, 2, 3]), "single slope"),
        (lambda: keras_cnn(shared_axes=[3]), "one for every pixel"),
        (lambda: keras.Sequential([keras.layers.PReLU()]), "no shape yet"),
        (lambda: 48, "expected an nn.Module or a Keras model"),
    ],
)
def test_slope_per_channel(answer, hint):
    judge(leaky.check_slope_per_channel(answer()), hint)


def groups(model, *, decay=0.1, everything=False, forget=False):
    slopes = [p for m in model if isinstance(m, nn.PReLU) for p in m.parameters()]
    others = [p for m in model if isinstance(m, nn.Linear) for p in m.parameters()]
    if everything:
        return torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=decay)
    if forget:
        return torch.optim.AdamW(others, lr=0.1, weight_decay=decay)
    return torch.optim.AdamW(
        [{"params": others}, {"params": slopes, "weight_decay": 0.0}], lr=0.1, weight_decay=decay
    )


def keras_adamw(model, spare=True):
    optimiser = keras.optimizers.AdamW(0.1, weight_decay=0.1)
    slopes = [layer.alpha for layer in model.layers if isinstance(layer, keras.layers.PReLU)]
    if spare:
        optimiser.exclude_from_weight_decay(var_list=slopes)
    return optimiser


def only_first(model):
    rest = [*model[1:].parameters()]
    parts = [{"params": model[0].parameters()}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.SGD(parts, lr=0.1, weight_decay=0.1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (groups, None),
        (keras_adamw, None),
        (lambda model: groups(model, everything=True), "the slopes shrank"),
        (lambda model: groups(model, decay=0.0), "nothing decays"),
        (lambda model: groups(model, forget=True), "do not learn"),
        (only_first, "only a part"),
        (lambda model: keras_adamw(model, spare=False), "the slopes shrank"),
        (lambda model: [p for layer in model.layers for p in layer.weights], "return an optimiser"),
        (lambda model: None, "must return an optimiser"),
        (0.1, "must be a function"),
    ],
)
def test_slopes_spared(answer, hint):
    judge(leaky.check_slopes_spared(answer), hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (nn.Threshold(0.5, 0.0), None),
        (keras.layers.ReLU(threshold=0.5), None),
        (lambda x: np.where(x > 0.5, x, 0), None),
        (lambda x: torch.where(x > 0.5, x, 0), None),
        (nn.Threshold(0.5, 0.5), "not the threshold"),
        (nn.Threshold(1.0, 0.0), "the old default"),
        (nn.ReLU(), "plain ReLU"),
        (lambda x: np.maximum(x - 0.5, 0), "moves the curve"),
        (lambda x: np.where(x > 0.5, 2 * x, 0), "for x = [0.51]"),
        (nn.Threshold, "this is a class"),
        (1, "must be a layer"),
        (lambda x: x[1:], "expected the shape"),
    ],
)
def test_ported_threshold(answer, hint):
    judge(leaky.check_ported_threshold(answer), hint)
