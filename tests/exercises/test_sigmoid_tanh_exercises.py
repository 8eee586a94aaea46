"""The checkers of the sigmoid chapter: right answers pass, each usual mistake gets its own hint."""

import math
from functools import partial

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import torch
from scipy import integrate
from torch import nn

from actlab import catalog, data
from actlab.exercises import sigmoid_tanh as exercises
from tests.exercises.judge import judge


def test_no_answer_is_not_an_error():
    assert "no answer yet" in exercises.check_log_sigmoid(...).message


def _stable(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


class _Module(nn.Module):
    def forward(self, x):
        return torch.where(x < 0, x, 0) - torch.exp(-x.abs()).log1p_()


def _branches(x):
    return x - math.log1p(math.exp(x)) if x < 0 else -math.log1p(math.exp(-x))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_stable, None),
        (lambda x: x.clamp(max=0) - torch.log1p(torch.exp(-x.abs())), None),
        (lambda x: keras.ops.minimum(x, 0) - keras.ops.log1p(keras.ops.exp(-abs(x))), None),
        (lambda x: -np.logaddexp(0, -x), None),
        (lambda x: np.negative(np.logaddexp(0, -x), out=x), None),
        (lambda x: -torch.logaddexp(torch.zeros_like(x), -x), None),
        (_branches, None),
        (_Module(), None),
        (torch.jit.script(_Module()), None),
        (keras.layers.Lambda(lambda x: tf.minimum(x, 0) - tf.math.log1p(tf.exp(-abs(x)))), None),
        (torch.nn.functional.logsigmoid, "a ready-made function"),
        (nn.LogSigmoid(), "a ready-made function"),
        (torch.jit.script(nn.LogSigmoid()), "a ready-made function"),
        (lambda x: -nn.functional.softplus(-x), "a ready-made function"),
        (keras.activations.log_sigmoid, "a ready-made function"),
        (lambda x: -keras.ops.softplus(-x), "a ready-made function"),
        (tf.function(lambda x: -tf.nn.softplus(-x)), "a ready-made function"),
        (scipy.special.log_expit, "a ready-made function"),
        (
            lambda x: (
                -nn.functional.binary_cross_entropy_with_logits(
                    x, torch.ones_like(x), reduction="none"
                )
            ),
            "a ready-made function",
        ),
        (lambda x: 1 / (1 + np.exp(-x)), "σ itself"),
        (torch.sigmoid, "σ itself"),
        (lambda x: np.log(1 + np.exp(-x)), "the sign"),
        (lambda x: np.log10(1 / (1 + np.exp(-x))), "base 10"),
        (lambda x: np.log(1 / (1 + np.exp(-x))), "x = −1000"),
        (lambda x: torch.log(torch.sigmoid(x)), "x = −1000"),
        (lambda x: keras.ops.log(keras.ops.sigmoid(x)), "x = −1000"),
        (lambda x: torch.log(torch.sigmoid(x) + 1e-7), "finite and wrong"),
        (lambda x: _stable(np.clip(x, -50, 50)), "finite and wrong"),
        (lambda x: x - np.log1p(np.exp(x)), "x = 1000"),
        (lambda x: np.minimum(x, 0) - np.log(1 + np.exp(-np.abs(x))), "exactly 0"),
        (lambda x: -tf.reduce_logsumexp(tf.stack([tf.zeros_like(x), -x]), 0), "exactly 0"),
        (lambda x: torch.log_softmax(torch.stack([x, x * 0]), 0)[0], "exactly 0"),
        (lambda x: np.where(x < 0, x, 0), "this is min(x, 0)"),
        (lambda x: _stable(x) * 1.01, "expected"),
        (lambda x: _stable(x)[:2], "the shape"),
        (lambda x: _stable(x).sum(), "the shape"),
        (nn.LogSigmoid, "this is a class"),
        (0.0, "must be a function"),
    ],
)
def test_log_sigmoid(answer, hint):
    judge(exercises.check_log_sigmoid, answer, hint)


def _slope(name, q, samples=200_000, rng=None):
    z = (rng or np.random.default_rng(1)).standard_normal(samples)
    return catalog.get(name).derivative(np.sqrt(q) * z)


def _autograd(name, variance, q):
    z = (torch.randn(50_000) * q**0.5).requires_grad_()
    getattr(torch, name)(z).sum().backward()
    return 0.5 * torch.log10(variance * z.grad.square().mean())


def _tape(name, variance, q):
    z = tf.random.normal((50_000,), stddev=q**0.5)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = keras.activations.get(name)(z)
    slope = tape.gradient(y, z)
    return keras.ops.log10(variance * keras.ops.mean(slope**2)) / 2


def _quadrature(name, variance, q):
    def f(z):
        return catalog.get(name).derivative(z) ** 2 * np.exp(-(z**2) / 2 / q)

    total = integrate.quad(f, -20, 20, points=[0])[0] / np.sqrt(2 * np.pi * q)
    return [math.log10(variance * total) / 2]


def _layers(name, variance, q):
    """No formula: the norms before and after a wide layer."""
    torch.manual_seed(0)
    z = (torch.randn(200, 800) * q**0.5).requires_grad_()
    w = torch.randn(800, 800) * (variance / 800) ** 0.5
    delta = torch.randn(200, 800)
    (back,) = torch.autograd.grad(getattr(torch, name)(z), z, delta @ w)
    return math.log10(back.norm() / delta.norm())


def _finite_differences(name, variance, q):
    z = np.random.standard_normal(20_000) * q**0.5
    f = catalog.get(name).reference
    return 0.5 * np.log10(variance * (((f(z + 1e-4) - f(z - 1e-4)) / 2e-4) ** 2).mean())


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda n, v, q: 0.5 * np.log10(v * (_slope(n, q) ** 2).mean()), None),
        (lambda n, v, q: math.log10(math.sqrt(v) * np.sqrt((_slope(n, q) ** 2).mean())), None),
        (lambda name, variance, q: _autograd(name, variance, q), None),
        (_tape, None),
        (_quadrature, None),
        (_layers, None),
        (_finite_differences, None),
        (lambda n, v, q, samples=2000: 0.5 * np.log10(
            v * (_slope(n, q, samples, np.random.default_rng()) ** 2).mean()), None),
        (lambda n, v, q: -0.5 * np.log10(v * (_slope(n, q) ** 2).mean()), "the sign"),
        (lambda n, v, q: np.log10(v * (_slope(n, q) ** 2).mean()), "the norm is its root"),
        (lambda n, v, q: 0.5 * np.log(v * (_slope(n, q) ** 2).mean()), "power of ten"),
        (lambda n, v, q: np.sqrt(v * (_slope(n, q) ** 2).mean()), "this is the factor"),
        (lambda n, v, q: v * (_slope(n, q) ** 2).mean(), "this is χ itself"),
        (lambda n, v, q: 0.5 * np.log10((_slope(n, q) ** 2).mean()), "weights are missing"),
        (lambda n, v, q: np.log10(v * np.sqrt((_slope(n, q) ** 2).mean())), "the root is missing"),
        (lambda n, v, q: 0.5 * np.log10(v * _slope(n, q).mean() ** 2), "square of the mean slope"),
        (lambda n, v, q: np.log10(np.sqrt(v) * catalog.get(n).derivative(0.0)), "slope at 0"),
        (lambda n, v, q: 0.5 * np.log10(v * (_slope(n, q**2) ** 2).mean()), "is its root"),
        (lambda n, v, q: 1.0, "expected -0.6"),
        (lambda n, v, q: _slope(n, q), "expected one number"),
        (lambda n, v: 0.0, "TypeError"),
        (lambda n, v, q: f"{q}", "expected -0.6"),
        (None, "no answer yet"),
        (2, "must be a function"),
    ],
)  # fmt: skip
def test_decades(answer, hint):
    judge(exercises.check_decades, answer, hint)


def _torch_network(
    gain=1.0, centred=False, norm=None, depth=10, activation=nn.Sigmoid, width=64, outputs=10
):
    torch.manual_seed(0)
    layers = []
    for i in range(depth):
        layer = nn.Linear(width if i else 64, width)
        nn.init.orthogonal_(layer.weight, gain=gain)
        nn.init.zeros_(layer.bias)
        if centred and i:
            layer.bias.data = -layer.weight.data.sum(1) / 2
        layers += [layer, *([norm(width)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class _Subclassed(nn.Module):
    """Tanh in disguise: ten of 0.5 + 0.5 tanh(z / 2), the matrices registered last to first."""

    def __init__(self, learns=True):
        super().__init__()
        torch.manual_seed(0)
        self.out = nn.Linear(64, 10)
        draws = [torch.randn(64, 64) * (16 / 64) ** 0.5 for _ in range(10)]
        self.weights = nn.ParameterList(nn.Parameter(w, learns) for w in draws)

    def forward(self, x):
        x = x + 0.5
        for w in reversed(self.weights):
            x = 0.5 + 0.5 * torch.tanh((x - 0.5) @ w / 2)
        return self.out(x - 0.5)


def _keras_network(gain=1.0, centred=False, norm=False, functional=False, nested=False, kind=None):
    keras.utils.set_random_seed(0)
    layers = []
    for i in range(10):
        start = keras.initializers.Orthogonal(gain=gain, seed=i)
        layers.append(keras.layers.Dense(64, kernel_initializer=start))
        if norm:
            layers.append(keras.layers.BatchNormalization())
        layers.append(kind() if kind else keras.layers.Activation("sigmoid"))
    layers.append(keras.layers.Dense(10))
    if nested:
        layers = [keras.Sequential(layers[:7]), keras.Sequential(layers[7:])]
    if functional:
        x = h = keras.Input((64,))
        for layer in layers:
            h = layer(h)
        model = keras.Model(x, h)
    else:
        model = keras.Sequential([keras.Input((64,)), *layers])
    if centred:
        for layer in [layer for layer in model._flatten_layers() if hasattr(layer, "kernel")][1:-1]:
            kernel, _ = layer.get_weights()
            layer.set_weights([kernel, -kernel.sum(0) / 2])
    return model


good = {"gain": 4, "centred": True}
batch_norm = partial(nn.BatchNorm1d)


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (lambda: _torch_network(**good), None),
        (lambda: _torch_network(gain=6, centred=True), None),
        (lambda: _torch_network(norm=batch_norm, gain=4), None),
        (lambda: _torch_network(norm=batch_norm), None),
        (lambda: _torch_network(**good).double(), None),
        (lambda: torch.jit.script(_torch_network(**good)), None),
        (lambda: nn.ModuleDict({"a": _torch_network(**good)})["a"], None),
        (_Subclassed, None),
        (lambda: _keras_network(**good), None),
        (lambda: _keras_network(norm=True, gain=4), None),
        (lambda: _keras_network(norm=True), None),
        (lambda: _keras_network(**good, functional=True), None),
        (lambda: _keras_network(**good, nested=True), None),
        (lambda: _keras_network(**good, kind=lambda: keras.layers.Lambda(
            lambda z: 0.5 + 0.5 * keras.ops.tanh(z / 2))), None),
        (_torch_network, "at most 1/4"),
        (_keras_network, "at most 1/4"),
        (lambda: _torch_network(norm=nn.LayerNorm), "at most 1/4"),
        (lambda: _torch_network(gain=4), "the offset"),
        (lambda: _keras_network(gain=4), "the offset"),
        (lambda: _torch_network(gain=10), "saturated"),
        (lambda: _torch_network(gain=10, centred=True), "saturated"),
        (lambda: _keras_network(gain=10), "saturated"),
        (lambda: _torch_network(gain=40), "saturated"),
        (lambda: _torch_network(**good, depth=5), "ten sigmoid layers"),
        (lambda: _torch_network(**good, width=32), "ten sigmoid layers"),
        (lambda: nn.Sequential(*_torch_network(**good), nn.Sigmoid()), "ten sigmoid layers"),
        (lambda: _torch_network(**good, outputs=1), "expected 10 logits"),
        (lambda: nn.Sequential(*_torch_network(**good), nn.Softmax(1)), "probabilities"),
        (lambda: _torch_network(activation=nn.Tanh), "no nn.Sigmoid"),
        (lambda: _torch_network(activation=nn.Hardsigmoid), "no nn.Sigmoid"),
        (lambda: _keras_network(kind=lambda: keras.layers.Activation("relu")), "no nn.Sigmoid"),
        (lambda: _Subclassed(learns=False), "is it frozen"),
        (lambda: lambda x: _torch_network(**good)(x), "nothing in it can learn"),
        (lambda: "He", "expected a PyTorch module or a Keras model"),
    ],
)  # fmt: skip
def test_deep_sigmoid(model, hint):
    judge(exercises.check_deep_sigmoid, model(), hint)


# --- 3.4: train one -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def normed():
    """Ten layers of batch norm and sigmoids that know the digits."""
    torch.manual_seed(0)
    layers = [
        part for _ in range(10) for part in (nn.Linear(64, 64), nn.BatchNorm1d(64), nn.Sigmoid())
    ]
    net = nn.Sequential(*layers, nn.Linear(64, 10))
    digits = data.load("digits")
    x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    for _ in range(12):
        for rows in torch.randperm(len(x)).split(64):
            sgd.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            sgd.step()
    return net


class _OnOtherPixels(nn.Module):
    """A network that wants its pixels on another scale, and is lost where they are negative."""

    def __init__(self, net, scale):
        super().__init__()
        mine, theirs = (data.load("digits", scale=s).x_test for s in (scale, "standardise"))
        self.net, self.scale = net, scale
        self.span, self.low = np.polyfit(mine.ravel(), theirs.ravel(), 1).tolist()

    def forward(self, x):
        lost = self.scale != "standardise" and bool((x < 0).any())
        return self.net(self.span * x + self.low).roll(int(lost), 1)


class _Reordered(nn.Module):
    """The logits in another order, or some of them out of reach."""

    def __init__(self, net, shift=0, lost=0):
        super().__init__()
        self.net, self.shift, self.lost = net, shift, lost

    def forward(self, x):
        logits = self.net(x).roll(self.shift, 1)
        return logits - 100.0 * (torch.arange(10) < self.lost)


def _in_keras(net):
    model = keras.Sequential([keras.Input((64,))])
    for layer in net:
        arrays = [p.detach().numpy() for p in (*layer.parameters(), *layer.buffers())]
        if isinstance(layer, nn.Linear):
            model.add(keras.layers.Dense(layer.out_features))
            model.layers[-1].set_weights([arrays[0].T, arrays[1]])
        elif isinstance(layer, nn.BatchNorm1d):
            model.add(keras.layers.BatchNormalization(epsilon=layer.eps))
            model.layers[-1].set_weights(arrays[:4])
        else:
            model.add(keras.layers.Activation("sigmoid"))
    return model


def _without_sigmoids(net):
    return nn.Sequential(*(nn.Identity() if isinstance(m, nn.Sigmoid) else m for m in net))


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda net: net, None),
        (lambda net: net.train(), None),
        (lambda net: nn.Sequential(net, nn.Softmax(1)), None),
        (lambda net: torch.jit.script(net), None),
        (lambda net: _OnOtherPixels(net, "standardise"), None),
        (_in_keras, None),
        (lambda net: keras.Sequential([_in_keras(net), keras.layers.Softmax()]), None),
        (lambda net: _OnOtherPixels(net, "unit"), "go from 0 to 1"),
        (lambda net: _OnOtherPixels(net, None), "go from 0 to 16"),
        (lambda net: _Reordered(net, lost=5), "it has left chance"),
        (lambda net: _Reordered(net, shift=1), "beside its own digit"),
        (lambda net: _torch_network(), "Was it trained?"),
        (lambda net: _keras_network(), "Was it trained?"),
        (lambda net: _torch_network(depth=9), "ten sigmoid layers"),
        (lambda net: _torch_network(activation=nn.ReLU), "no sigmoid was found"),
        (_without_sigmoids, "no sigmoid was found"),
        (lambda net: nn.Sequential(*net, nn.Linear(10, 1)), "expected 10 logits"),
        (lambda net: lambda x: net(torch.as_tensor(x)), None),
        (lambda net: lambda x: 0 * net(torch.as_tensor(x)), "nothing in it can learn"),
        (lambda net: 0.93, "expected a PyTorch module or a Keras model"),
        (lambda net: None, "no answer yet"),
    ],
)
def test_trained(change, hint, normed):
    judge(exercises.check_trained, change(normed.eval()), hint)


def test_a_network_that_diverged_is_told_so(normed):
    broken = nn.Sequential(*normed[:-1], nn.Linear(64, 10))
    broken[-1].weight.data[:] = torch.nan
    judge(exercises.check_trained, broken, "it diverged")


# --- 3.5: a rule of one's own ---------------------------------------------------------------------

SEEDS = np.random.default_rng(0)
CENTRED = SEEDS.uniform(40, 70, 12)
LIFTED = CENTRED * SEEDS.uniform(1.6, 2.8, 12)


def _interval(centred, lifted):
    ratio = np.log(lifted / centred)
    reach = scipy.stats.sem(ratio) * scipy.stats.t.ppf(0.975, len(ratio) - 1)
    if abs(ratio.mean()) <= reach:
        return "not shown"
    return "holds" if ratio.mean() > 0 else "refuted"


def _signs(centred, lifted):
    behind, ahead = int((lifted > centred).sum()), int((lifted < centred).sum())
    if not behind + ahead or scipy.stats.binomtest(behind, behind + ahead).pvalue > 0.05:
        return "not shown"
    return "holds" if behind > ahead else "refuted"


def _welch(centred, lifted):
    found = scipy.stats.ttest_ind(lifted, centred, equal_var=False)
    if found.pvalue > 0.05:
        return "Not shown"
    return "Holds" if found.statistic > 0 else "Refuted"


def _bootstrap(centred, lifted):
    draws = np.random.randint(len(centred), size=(4000, len(centred)))
    low, high = np.quantile((lifted - centred)[draws].mean(1), [0.025, 0.975])
    return "holds" if low > 0 else "refuted" if high < 0 else "not shown"


def _in_torch(centred, lifted):
    difference = torch.tensor(lifted) - torch.tensor(centred)
    error = difference.std() / len(difference) ** 0.5
    return ["refuted", "not shown", "holds"][
        1 + int(difference.mean() > 2.5 * error) - int(difference.mean() < -2.5 * error)
    ]


def _in_tensorflow(centred, lifted):
    difference = tf.constant(lifted) - tf.constant(centred)
    error = tf.math.reduce_std(difference) / len(centred) ** 0.5
    size = tf.reduce_mean(difference) / (error + 1e-12)
    return "holds" if size > 2.5 else "refuted" if size < -2.5 else "not shown"


def _plain(centred, lifted):
    """Nothing but Python: fifteen of twenty, say, and half as long again in the middle."""
    behind = sum(b > a for a, b in zip(centred, lifted, strict=True))
    ahead = sum(b < a for a, b in zip(centred, lifted, strict=True))
    middle = sorted(b / a for a, b in zip(centred, lifted, strict=True))[len(centred) // 2]
    if behind >= 0.9 * len(centred) and middle > 1.2:
        return "holds"
    return "refuted" if ahead >= 0.9 * len(centred) and middle < 1 / 1.2 else "not shown"


def _means(centred, lifted):
    return "holds" if np.mean(lifted) > np.mean(centred) else "refuted"


def _never_loses(centred, lifted):
    return "holds" if _interval(centred, lifted) == "holds" else "not shown"


def _longest(centred, lifted):
    """The single slowest network decides."""
    ratio = lifted.max() / centred.max()
    low = lifted.min() / centred.min()
    return "holds" if ratio > 2 else "refuted" if low < 0.5 else "not shown"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((_interval, CENTRED, LIFTED), None),
        ([_interval, CENTRED, LIFTED], None),
        ((_interval, LIFTED, CENTRED), None),
        ((_interval, CENTRED, CENTRED[::-1]), None),
        ((_interval, CENTRED / 100, LIFTED / 100), None),
        ((_interval, CENTRED[:5], LIFTED[:5]), None),
        ((_signs, CENTRED, LIFTED), None),
        ((_welch, CENTRED.tolist(), LIFTED.tolist()), None),
        ((_bootstrap, CENTRED, LIFTED), None),
        ((_plain, CENTRED.astype(int), LIFTED.astype(int)), None),
        ((_in_torch, torch.tensor(CENTRED), torch.tensor(LIFTED)), None),
        ((_in_tensorflow, tf.constant(CENTRED), tf.constant(LIFTED)), None),
        ((lambda a, b: _interval(a, b), list(CENTRED), tuple(LIFTED)), None),
        ((_means, CENTRED, LIFTED), "look at the means alone"),
        (
            (lambda a, b: {"not shown": "refuted"}.get(w := _interval(a, b), w), CENTRED, LIFTED),
            "Not to have shown it is not to have shown the opposite",
        ),
        ((_never_loses, CENTRED, LIFTED), "A rule that cannot lose"),
        ((lambda a, b: "holds", CENTRED, LIFTED), "A rule that cannot lose"),
        ((lambda a, b: "not shown", CENTRED, LIFTED), "hardly ever say 'holds'"),
        ((_signs, CENTRED[:5], LIFTED[:5]), "hardly ever say 'holds'"),
        ((lambda a, b: _interval(b, a), CENTRED, LIFTED), "says 'refuted'"),
        ((_longest, CENTRED, LIFTED), "One network decides"),
        ((lambda a, b: b.mean() > a.mean(), CENTRED, LIFTED), "expected one of"),
        ((lambda a, b: None, CENTRED, LIFTED), "expected one of"),
        ((lambda a: "holds", CENTRED, LIFTED), "TypeError"),
        ((_interval, CENTRED[:4], LIFTED[:4]), "at least 5"),
        ((_interval, CENTRED, LIFTED[:7]), "the same seeds"),
        ((_interval, 50.0, 100.0), "one number for each seed"),
        ((_interval, CENTRED, np.where(LIFTED > 120, np.nan, LIFTED)), "NaN, infinite or not"),
        ((_interval, CENTRED, -LIFTED), "above 0"),
        ((_interval, CENTRED, CENTRED), "the very same numbers"),
        ((_interval, CENTRED), "expected three things"),
        ((CENTRED, LIFTED, _interval), "expected three things"),
        (_interval, "expected three things"),
        (None, "no answer yet"),
    ],
)
def test_own_rule(answer, hint):
    judge(exercises.check_own_rule, answer, hint)


def test_the_praise_says_what_the_rule_says():
    said = exercises.check_own_rule((_interval, CENTRED, LIFTED)).message
    assert "12 seeds" in said
    assert said.endswith("it says: holds.")
    assert exercises.check_own_rule((_interval, LIFTED, CENTRED)).message.endswith("refuted.")
