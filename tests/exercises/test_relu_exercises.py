"""The checkers of the ReLU chapter: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import torch
from torch import nn

from actlab.exercises import relu


def test_no_answer_is_not_an_error():
    assert not relu.check_dead_share(...).ok
    assert "no answer yet" in repr(relu.check_dead_share(None))


def test_an_exception_in_the_answer_becomes_a_hint():
    assert "ZeroDivisionError" in relu.check_dead_share(lambda h: 1 / 0).message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda h: (h == 0).all(0).mean(), None),
        (lambda h: (torch.as_tensor(h) == 0).all(0).double().mean(), None),
        (lambda h: (h == 0).mean(), "share of zeros"),
        (lambda h: (h == 0).all(1).mean(), "along which axis"),
        (lambda h: (h == 0).all(0).sum(), "number of dead units"),
        (lambda h: (h.sum(0) == 0).mean(), "mean or a sum of 0"),
        (lambda h: 1 - (h == 0).all(0).mean() * 1.5, "expected 0.5"),
        (0.5, "must be a function"),
        (lambda h: h, "expected 0.5"),
    ],
)
def test_dead_share(answer, hint):
    feedback = relu.check_dead_share(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def _torch_network(repair, depth=10, width=64):
    torch.manual_seed(0)
    model = nn.Sequential(*(m for _ in range(depth) for m in (nn.Linear(width, width), nn.ReLU())))
    for layer in model:
        if isinstance(layer, nn.Linear):
            repair(layer)
    return model


def _he(layer):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def test_born_alive_accepts_a_repaired_network():
    assert relu.check_born_alive(_torch_network(_he)).ok


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (lambda: _torch_network(lambda layer: None), "dead"),
        (lambda: _torch_network(_he, depth=4), "ten ReLU layers"),
        (lambda: _torch_network(lambda layer: nn.init.ones_(layer.bias)), "drown the signal"),
        (lambda: "He", "expected an nn.Sequential or a Keras model"),
    ],
)
def test_born_alive_hints(model, hint):
    feedback = relu.check_born_alive(model())
    assert not feedback.ok
    assert hint in feedback.message


def _ported(x):
    x = np.asarray(x)
    return np.where(x >= 1, np.minimum(x, 6), 0.1 * (x - 1))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_ported, None),
        (lambda x: torch.where(x >= 1, x.clamp(max=6), 0.1 * (x - 1)), None),
        (lambda x: np.maximum(x, 0), "plain ReLU"),
        (lambda x: np.where(x >= 1, x, 0.1 * (x - 1)), "clipped to max_value"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0), "slope of 0.1"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0.1 * x), "from the threshold"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0.2 * (x - 1)), "for x = [-2.]"),
        (lambda x: keras.activations.relu(x, negative_slope=0.1, max_value=6, threshold=1), None),
        (lambda x: _ported(x)[:3], "expected the shape"),
        (6, "must be a function"),
    ],
)
def test_ported_relu(answer, hint):
    feedback = relu.check_ported_relu(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message
