"""The checkers of the SELU chapter: right answers pass, each mistake gets its hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from scipy.integrate import quad
from scipy.optimize import fsolve
from torch import nn

from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from actlab.exercises import selu
from tests.exercises import rules
from tests.exercises.judge import judge


def constants(variance):
    def off(pair):
        return np.subtract(selu._moments(*pair, variance), (0, 1))

    return tuple(fsolve(off, (1.0, 1.7)))


def test_the_papers_constants_are_those_for_variance_one():
    assert np.allclose(constants(1.0), (SELU_SCALE, SELU_ALPHA), atol=1e-9)


@pytest.mark.parametrize(("scale", "alpha", "variance"), [(1.05, 1.67, 1.0), (0.7, 2.0, 2.0)])
def test_the_moments_are_those_of_adaptive_quadrature(scale, alpha, variance):
    def mean(power):
        def f(z):
            y = scale * (z if z > 0 else alpha * np.expm1(z))
            return y**power * np.exp(-(z**2) / 2 / variance) / np.sqrt(2 * np.pi * variance)

        return quad(f, -30, 0)[0] + quad(f, 0, 30)[0]

    assert selu._moments(scale, alpha, variance) == pytest.approx((mean(1), mean(2)), abs=1e-7)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (constants(2.0), None),
        (np.array(constants(2.0)), None),
        (list(constants(2.0)), None),
        (torch.tensor(constants(2.0), dtype=torch.float64), None),
        (torch.tensor(constants(2.0), requires_grad=True), None),
        (tuple(torch.tensor(value) for value in constants(2.0)), None),
        (tf.constant(constants(2.0)), None),
        (keras.Variable(constants(2.0)), None),
        (np.array([constants(2.0)]), None),
        (np.round(constants(2.0), 4), None),
        (constants(2.0)[::-1], "wrong order"),
        (constants(1.0), "the paper's numbers"),
        (constants(4.0), "it is the variance"),
        ((constants(2.0)[0], constants(2.0)[0] * constants(2.0)[1]), "multiplied the two"),
        ((0.7, 1.6), "alpha that is off"),
        ((1.0, constants(2.0)[1]), "multiplies the whole function"),
        ((np.nan, 1.0), "went astray"),
        (1.05, "must be the pair"),
        ((1.0, 2.0, 3.0), "must be the pair"),
        ({"scale": 0.75, "alpha": 1.97}, "expected numbers"),
        ("0.75, 1.97", "expected numbers"),
        (constants, "call it"),
        (np.ndarray, "call it"),
    ],
)
def test_he_constants(answer, hint):
    judge(selu.check_he_constants, answer, hint)


def torch_network(gain=1.0, activation=nn.SELU, dropout=nn.AlphaDropout, bias=0.0, **options):
    depth, width, last = options.get("depth", 8), options.get("width", 128), options.get("last", ())
    torch.manual_seed(0)
    sizes = [64, *[width] * depth, 10]
    layers = []
    for i in range(depth + 1):
        linear = nn.Linear(sizes[i], sizes[i + 1])
        nn.init.normal_(linear.weight, std=gain / sizes[i] ** 0.5)
        nn.init.constant_(linear.bias, bias)
        layers.append(linear)
        if i < depth:
            layers += [*options.get("norm", list)(), activation()]
            layers += [dropout(options.get("rate", 0.05))] if dropout else []
    return nn.Sequential(*layers, *last)


class _Subclassed(nn.Module):
    """No biases, SELU and alpha dropout by hand, the last layer registered first."""

    def __init__(self, skip=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.out = nn.Linear(128, 10, bias=False)
        sizes = [64, *[128] * 8]
        self.hidden = nn.ModuleList(
            nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.skip = skip
        for linear in self.hidden:
            linear.weight.data.normal_(std=linear.in_features**-0.5)

    def forward(self, x):
        for linear in self.hidden:
            z, old = linear(x), x
            x = SELU_SCALE * torch.where(z > 0, z, SELU_ALPHA * torch.expm1(z.clamp(max=0)))
            if self.skip and old.shape == x.shape:
                x = x + self.skip * old
            x = nn.functional.alpha_dropout(x, 0.05, self.training)
        return self.out(x)


def keras_network(functional=False, nested=False, kind="selu", head=10, **options):
    keras.utils.set_random_seed(0)
    hidden = [
        layer
        for _ in range(8)
        for layer in (
            keras.layers.Dense(128, activation=kind, **options),
            keras.layers.AlphaDropout(0.05),
        )
    ]
    layers = [keras.Input((64,)), *hidden, keras.layers.Dense(head)]
    if functional:
        x = h = layers[0]
        for layer in layers[1:]:
            h = layer(h)
        return keras.Model(x, h)
    if nested:
        layers[1:8] = [keras.Sequential(layers[1:8])]
    return keras.Sequential(layers)


lecun = {"kernel_initializer": "lecun_normal"}


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (torch_network, None),
        (lambda: torch_network(activation=lambda: nn.SELU(inplace=True)), None),
        (lambda: torch_network().double(), None),
        (lambda: torch.jit.script(torch_network()), None),
        (lambda: nn.Sequential(torch_network()), None),
        (lambda: nn.Sequential(*torch_network(last=(nn.Identity(),))), None),
        (_Subclassed, None),
        (lambda: torch_network().train(False), None),
        (lambda: keras_network(**lecun), None),
        (lambda: keras_network(kernel_initializer="lecun_uniform"), None),
        (lambda: keras_network(**lecun, functional=True), None),
        (lambda: keras_network(**lecun, nested=True), None),
        (lambda: keras_network(**lecun, use_bias=False), None),
        (
            lambda: keras_network(
                **lecun, kind=lambda z: SELU_SCALE * keras.ops.elu(z, SELU_ALPHA)
            ),
            None,
        ),
        (lambda: torch_network(gain=2**0.5), "He's initialisation"),
        (lambda: keras_network(kernel_initializer="he_normal"), "He's initialisation"),
        (lambda: torch_network(gain=0.75), "calculate_gain"),
        (lambda: torch_network(gain=3**-0.5), "PyTorch's default"),
        (lambda: torch_network(gain=128**0.5), "whatever their number"),
        (lambda: torch_network(gain=1.2), "has n · Var(w)"),
        (keras_network, "averages the two widths"),
        (lambda: torch_network(bias=0.1), "biases are not 0"),
        (lambda: torch_network(dropout=nn.Dropout), "middle of SELU's range"),
        (lambda: torch_network(dropout=None), "no alpha dropout yet"),
        (lambda: torch_network(rate=0.5), "this drops 50%"),
        (lambda: torch_network(activation=nn.ELU), "every hidden layer needs SELU"),
        (lambda: torch_network(activation=nn.ReLU), "every hidden layer needs SELU"),
        (lambda: torch_network(last=(nn.Softmax(1),)), "must give logits"),
        (lambda: torch_network(last=(nn.LogSoftmax(1),)), "must give logits"),
        (lambda: torch_network(depth=4), "eight hidden ones"),
        (lambda: torch_network(width=64), "eight hidden ones"),
        (lambda: torch_network(norm=lambda: [nn.LayerNorm(128)]), "more than a weight matrix"),
        (lambda: torch_network(norm=lambda: [nn.BatchNorm1d(128)]), "that is batch norm"),
        (lambda: _Subclassed(skip=1.0), "more than a weight matrix"),
        (lambda: keras_network(**lecun, head=1), "expected 10 logits"),
        (lambda: nn.Linear(32, 10), "RuntimeError"),
        (lambda: "SELU", "expected an nn.Sequential or a Keras model"),
    ],
)
def test_self_normalising(model, hint):
    judge(selu.check_self_normalising, model(), hint)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_trained_selu(framework):
    rules.try_trained(selu.check_trained_selu, framework, "selu", 8)


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(selu.check_break_rule, answer, hint)
