"""The checkers of the ReLU chapter: right answers pass, each usual mistake gets its own hint."""

from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab import probes
from actlab.exercises import relu
from tests.exercises.judge import judge


def test_no_answer_is_not_an_error():
    assert not relu.check_dead_share(...).ok
    assert "no answer yet" in repr(relu.check_dead_share(None))


def test_an_exception_in_the_answer_becomes_a_hint():
    assert "ZeroDivisionError" in relu.check_dead_share(lambda h: 1 / 0).message


def _loop(h):
    dead = 0
    for unit in range(h.shape[1]):
        if not any(h[:, unit]):
            dead += 1
    return dead / h.shape[1]


def _in_place(h):
    h[h != 0] = 1
    return 1 - h.max(0).mean()


def _scripted(h):
    return (h.abs().amax(0) == 0).float().mean()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda h: (h == 0).all(0).mean(), None),
        (lambda h: (torch.as_tensor(h) == 0).all(0).double().mean(), None),
        (lambda h: (h == 0).all(dim=0).float().mean(), None),
        (lambda h: (h.abs().amax(0) == 0).half().mean(), None),
        (lambda h: tf.reduce_mean(tf.cast(tf.reduce_all(tf.equal(h, 0), 0), tf.float32)), None),
        (lambda h: keras.ops.mean(keras.ops.all(h == 0, axis=0)), None),
        (lambda h: pd.DataFrame(h).eq(0).all().mean(), None),
        (lambda h: 1 - np.count_nonzero(np.any(h, axis=0)) / h.shape[1], None),
        (lambda h: np.isclose(h, 0).min(axis=0).mean(keepdims=True), None),
        (lambda h: probes.dead_share(h[None]), None),
        (_loop, None),
        (_in_place, None),
        (torch.jit.script(_scripted), None),
        (lambda h: (h == 0).mean(), "share of zeros"),
        (lambda h: (h == 0).all(1).mean(), "along which axis"),
        (lambda h: (h == 0).all(), "along which axis"),
        (lambda h: (h == 0).all(0).sum(), "number of dead units"),
        (lambda h: (h == 0).all(0).mean() * 100, "in per cent"),
        (lambda h: (h == 0).any(0).mean(), "'zero on some input'"),
        (lambda h: (h == 0).all(0).sum() / len(h), "divide by the number of inputs"),
        (lambda h: (h[0] == 0).mean(), "share of zeros"),
        (lambda h: (h.mean(0) < 0.5).mean(), "mean or a sum of 0"),
        (lambda h: (h.std(0) == 0).mean(), "1 for both inputs was counted dead"),
        (lambda h: (h.sum(0) == 0).mean(), "mean or a sum of 0"),
        (lambda h: 1 - (h == 0).all(0).mean() * 1.5, "expected 0.5"),
        (lambda h: (h == 0).all(0), "expected 0.5"),
        (lambda h: h, "expected 0.5"),
        (lambda h: print((h == 0).all(0).mean()), "is a return missing"),
        (lambda h: "half", "expected numbers"),
        (0.5, "must be a function"),
    ],
)
def test_dead_share(answer, hint):
    judge(relu.check_dead_share, answer, hint)


def _torch_network(repair=lambda layer: None, depth=10, width=64, kind=nn.ReLU, extra=()):
    torch.manual_seed(0)
    modules = [
        module
        for _ in range(depth)
        for module in (nn.Linear(width, width), *(part() for part in extra), kind())
    ]
    model = nn.Sequential(*modules)
    for layer in model:
        if isinstance(layer, nn.Linear):
            repair(layer)
    return model


def _he(layer):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def _constant(value):
    return lambda layer: (nn.init.constant_(layer.weight, value), nn.init.zeros_(layer.bias))


def _normal(deviation):
    return lambda layer: (nn.init.normal_(layer.weight, 0, deviation), nn.init.zeros_(layer.bias))


class _Subclassed(nn.Module):
    """No module but the linear ones, no biases, ReLU written by hand, a skip at every layer."""

    def __init__(self, skip=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.skip = skip
        self.linears = nn.ModuleList(nn.Linear(64, 64, bias=False) for _ in range(10))
        for linear in self.linears:
            nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu")

    def forward(self, x):
        for linear in self.linears:
            x = torch.where(linear(x) > 0, linear(x), 0) + self.skip * x
        return x


class _OneMatrix(nn.Module):
    """All weights in one tensor, columns as samples."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weights = nn.Parameter(torch.randn(10, 64, 64) / 32**0.5)

    def forward(self, x):
        h = x.T
        for w in self.weights:
            h = torch.maximum(w @ h, torch.zeros(()))
        return h.T


def _keras_dense(kernel="he_normal", kind="relu", **options):
    return keras.layers.Dense(64, kind, kernel_initializer=kernel, **options)


def _keras_network(functional=False, dtype=None, nested=False, own=None, **options):
    keras.utils.set_random_seed(0)
    layers = [layer for _ in range(10) for layer in (own or (lambda: [_keras_dense(**options)]))()]
    if functional:
        x = h = keras.Input((64,))
        for layer in layers:
            h = layer(h)
        return keras.Model(x, h)
    if nested:
        half = keras.Sequential(layers[:5])
        return keras.Sequential([keras.Input((64,)), half, keras.Sequential(layers[5:])])
    return keras.Sequential([keras.Input((64,)), *layers])


class _KerasSubclassed(keras.Model):
    def __init__(self):
        super().__init__()
        keras.utils.set_random_seed(0)
        self.dense = [_keras_dense(kind=None) for _ in range(10)]

    def call(self, x):
        for layer in self.dense:
            x = tf.nn.relu(layer(x))
        return x


def _by_hand(x):
    rng = np.random.default_rng(0)
    for _ in range(10):
        x = np.maximum(x @ (rng.standard_normal((64, 64)) / 32**0.5), 0)
    return x


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (partial(_torch_network, _he), None),
        (partial(_torch_network, lambda layer: nn.init.zeros_(layer.bias)), None),
        (partial(_torch_network, lambda layer: nn.init.kaiming_normal_(layer.weight)), None),
        (partial(_torch_network, lambda layer: (nn.init.orthogonal_(layer.weight, 2**0.5),
                                                nn.init.constant_(layer.bias, 0.01))), None),
        (partial(_torch_network, extra=[partial(nn.BatchNorm1d, 64)]), None),
        (partial(_torch_network, _he, extra=[partial(nn.Dropout, 0.1)]), None),
        (partial(_torch_network, _he, kind=partial(nn.ReLU, inplace=True)), None),
        (lambda: nn.Sequential(*_torch_network(_he), nn.Linear(64, 10)), None),
        (lambda: nn.Sequential(nn.Flatten(), _torch_network(_he)).double(), None),
        (lambda: _torch_network(_he).half(), None),
        (lambda: _torch_network(_he).bfloat16(), None),
        (lambda: torch.jit.script(_torch_network(_he)), None),
        (lambda: torch.compile(_torch_network(_he)), None),
        (_Subclassed, None),
        (lambda: _Subclassed(skip=0.5), None),
        (_OneMatrix, None),
        (lambda: lambda x: _torch_network(_he)(x), None),
        (lambda: _by_hand, None),
        (_keras_network, None),
        (lambda: _keras_network(functional=True), None),
        (lambda: _keras_network(nested=True), None),
        (lambda: _keras_network(kernel="glorot_uniform"), None),
        (lambda: _keras_network(kernel="he_uniform", use_bias=False), None),
        (lambda: _keras_network(kind=keras.layers.ReLU()), None),
        (lambda: _keras_network(kind=lambda z: keras.ops.maximum(z, 0)), None),
        (lambda: _keras_network(kind=keras.layers.LeakyReLU(negative_slope=0.0)), None),
        (lambda: _keras_network(dtype="float16"), None),
        (lambda: _keras_network(own=lambda: [keras.layers.EinsumDense(
            "ab,bc->ac", 64, kernel_initializer="he_normal"), keras.layers.ReLU()]), None),
        (_KerasSubclassed, None),
        (_torch_network, "dead"),
        (lambda: _keras_network(kernel="zeros"), "returns 0 for every input"),
        (partial(_torch_network, _he, depth=4), "ten ReLU layers"),
        (partial(_torch_network, _he, kind=nn.GELU), "ten ReLU layers"),
        (partial(_torch_network, _he, kind=nn.Tanh), "ten ReLU layers"),
        (partial(_torch_network, _he, kind=nn.Identity), "ten ReLU layers"),
        (partial(_torch_network, _he, kind=partial(nn.LeakyReLU, 0.1)), "ten ReLU layers"),
        (lambda: nn.Sequential(*_torch_network(_he), nn.Linear(64, 64), nn.ReLU()), "found 11"),
        (partial(_torch_network, _he, width=32), "RuntimeError"),
        (partial(_torch_network, lambda layer: nn.init.ones_(layer.bias)), "drown the signal"),
        (
            lambda: _keras_network(
                kernel=keras.initializers.RandomUniform(-0.1, 0.1), bias_initializer="ones"
            ),
            "drown the signal",
        ),
        (lambda: _keras_network(kernel="ones"), "the signal explodes"),
        (partial(_torch_network, _normal(1.0)), "the signal explodes"),
        (partial(_torch_network, _constant(1 / 32)), "all compute the same"),
        (lambda: _keras_network(kernel=keras.initializers.Constant(0.03)), "all compute the same"),
        (partial(_torch_network, _normal(0.01)), "the units live, but the inputs have size"),
        (
            lambda: _keras_network(kernel=keras.initializers.RandomNormal(0, 0.01)),
            "the units live, but the inputs have size",
        ),
        (lambda: [nn.Linear(64, 64)], "expected an nn.Sequential or a Keras model"),
        (lambda: nn.ModuleList(_torch_network(_he)), "your code stopped with"),
        (lambda: "He", "expected an nn.Sequential or a Keras model"),
    ],
)  # fmt: skip
def test_born_alive(model, hint):
    judge(relu.check_born_alive, model(), hint)


def _ported(x):
    x = np.asarray(x)
    return np.where(x >= 1, np.minimum(x, 6), 0.1 * (x - 1))


def _in_place_ported(x):
    below = x < 1
    x[below] = 0.1 * (x[below] - 1)
    return x.clip(max=6)


class _Module(nn.Module):
    def forward(self, x):
        return nn.functional.leaky_relu(x - 1, 0.1).clamp_(max=5) + (x >= 1).float()


def _one_number(x):
    return min(x, 6) if x >= 1 else 0.1 * (x - 1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_ported, None),
        (_in_place_ported, None),
        (_Module(), None),
        (torch.jit.script(_Module()), None),
        (_one_number, None),
        (np.vectorize(_one_number), None),
        (lambda x: torch.where(x >= 1, x.clamp(max=6), 0.1 * (x - 1)), None),
        (lambda x: keras.activations.relu(x, negative_slope=0.1, max_value=6, threshold=1), None),
        (keras.layers.ReLU(negative_slope=0.1, max_value=6, threshold=1), None),
        (tf.function(lambda x: tf.where(x >= 1, tf.minimum(x, 6), 0.1 * (x - 1))), None),
        (lambda x: [_one_number(v) for v in x], None),
        (lambda x: np.select([x < 1, x < 6], [0.1 * (x - 1), x], 6), None),
        (lambda x: np.maximum(x, 0), "plain ReLU"),
        (nn.ReLU6(), "ReLU6"),
        (lambda x: np.where(x >= 1, x, 0.1 * (x - 1)), "clipped to max_value"),
        (lambda x: keras.activations.relu(x, negative_slope=0.1, threshold=1), "max_value"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0), "slope of 0.1"),
        (lambda x: keras.activations.relu(x, max_value=6, threshold=1), "slope of 0.1"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0.1 * x), "from the threshold"),
        (lambda x: np.where(x >= 0, np.minimum(x, 6), 0.1 * (x - 1)), "bend at 0"),
        (lambda x: np.where(x >= 1, np.minimum(x - 1, 6), 0.1 * (x - 1)), "return x − 1"),
        (lambda x: np.where(x >= 1, np.minimum(x, 6), 0.2 * (x - 1)), "for x = [-2.]"),
        (lambda x: keras.activations.relu(x, alpha=0.1, max_value=6, threshold=1), "alpha"),
        (lambda x: _ported(x)[:3], "expected the shape"),
        (lambda x: None, "is a return missing"),
        (keras.layers.ReLU, "this is a class"),
        (6, "must be a function"),
    ],
)
def test_ported_relu(answer, hint):
    judge(relu.check_ported_relu, answer, hint)


# --- Exercise 2.4 -------------------------------------------------------------------------------


class Digits:
    """Ten images, one hot each, so that a network can be written down."""

    x_train = x_test = 4 * np.eye(64, dtype=np.float32)[:10]
    y_train = y_test = np.arange(10)


def survivor(alive=10, hidden=20, right=10, scale=1.0):
    """One hidden layer: as many units copy an image each, the others are dead."""
    first, last = nn.Linear(64, hidden), nn.Linear(hidden, 10)
    with torch.no_grad():
        for parameter in (*first.parameters(), *last.parameters()):
            parameter.zero_()
        for unit in range(alive):
            first.weight[unit, unit] = scale
            last.weight[unit if unit < right else 0, unit] = 1.0
        first.bias.sub_(1.0)
    return nn.Sequential(first, nn.ReLU(), last)


def in_keras(network):
    first, _, last = network
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(first.out_features, "relu"), keras.layers.Dense(10)]
    )
    arrays = [first.weight.T, first.bias, last.weight.T, last.bias]
    model.set_weights([array.detach().numpy() for array in arrays])
    return model


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, _, self.last = survivor()

    def forward(self, x):
        return self.last(torch.nn.functional.relu(self.first(x)))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (survivor, None),
        (lambda: in_keras(survivor()), None),
        (lambda: nn.Sequential(nn.Dropout(0.9), *survivor()), None),  # off when it is judged
        (Functional, None),
        (lambda: survivor(hidden=12), "right on 100%, but only 17% of its hidden units are dead"),
        (lambda: in_keras(survivor(hidden=12)), "but only 17%"),
        (lambda: survivor(right=6), "50% of its units are dead, and it is right on 60% only"),
        (lambda: in_keras(survivor(right=6)), "right on 60% only"),
        (lambda: survivor(alive=2), "no better than chance"),
        (lambda: in_keras(survivor(alive=2)), "no better than chance"),
        (lambda: survivor(scale=np.nan), "diverged"),
        (lambda: survivor()[:2], "expected ten outputs"),
        (lambda: nn.Linear(64, 10), "no ReLU layer was found"),
        (lambda: keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)]), "no ReLU layer"),
    ],
)
def test_dead_but_right(answer, hint):
    judge(partial(relu.check_dead_but_right, digits=Digits), answer(), hint)


# --- Exercise 2.5 -------------------------------------------------------------------------------


def by_interval(before, after):
    spared = 1 - after / before
    error = 2 * spared.std(ddof=1) / np.sqrt(len(spared))
    if spared.mean() + error < 0.5:
        return "holds"
    return "refuted" if spared.mean() - error > 0.5 else "not shown"


def by_all(before, after):
    saved = after < before / 2
    return "refuted" if saved.all() else "not shown" if saved.any() else "holds"


def by_test(before, after):
    from scipy.stats import ttest_rel

    if ttest_rel(after, before / 2).pvalue > 0.01:
        return "not shown"
    return "refuted" if after.mean() < before.mean() / 2 else "holds"


def in_torch(before, after):
    return by_interval(torch.from_numpy(before).numpy(), torch.from_numpy(after).numpy())


def in_tensorflow(before, after):
    saved = tf.constant(after) < tf.constant(before) / 2
    return "refuted" if bool(tf.reduce_all(saved)) else by_all(before, after)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (by_interval, None),
        (by_all, None),
        (by_test, None),
        (in_torch, None),
        (in_tensorflow, None),
        (lambda before, after: by_all(before, after).capitalize() + ".", None),
        (lambda before, after: np.where(True, by_all(before, after), ""), None),
        (lambda before, after: 1 / 0, "your code stopped with ZeroDivisionError"),
        (lambda before, after: "refuted", "always says 'refuted'"),
        (lambda before, after: after.mean() < before.mean() / 2, 'expected "holds", "refuted"'),
        (
            lambda before, after: {"holds": "refuted", "refuted": "holds"}.get(
                by_all(before, after), "not shown"
            ),
            "wrong way round",
        ),
        (
            lambda before, after: "refuted" if after.mean() < 0.8 * before.mean() else "holds",
            "of four networks two are saved and two are not",
        ),
        (
            lambda before, after: "holds" if after.mean() > 0.4 else "not shown",
            "Your rule says 'not shown'",
        ),
        (
            lambda before, after: "refuted" if after.mean() < 0.2 else "not shown",
            "the change does not help",
        ),
        (lambda before: "holds", "your code stopped with TypeError"),
    ],
)
def test_own_rule(answer, hint):
    judge(relu.check_own_rule, answer, hint)
