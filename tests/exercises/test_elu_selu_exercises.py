"""The checkers of the ELU and SELU chapter: right answers pass, each mistake gets its hint."""

import numpy as np
import pytest
import torch
from scipy.optimize import fsolve
from torch import nn

from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from actlab.claims.elu_selu import gaussian_mean
from actlab.exercises import elu_selu


def constants(variance):
    def off(pair):
        def f(z):
            return pair[0] * np.where(z > 0, z, pair[1] * np.expm1(np.minimum(z, 0)))

        return gaussian_mean(f, variance), gaussian_mean(lambda z: f(z) ** 2, variance) - 1

    return tuple(fsolve(off, (1.0, 1.7)))


def test_the_papers_constants_are_those_for_variance_one():
    assert np.allclose(constants(1.0), (SELU_SCALE, SELU_ALPHA), atol=1e-9)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (constants(2.0), None),
        (np.array(constants(2.0)), None),
        (constants(2.0)[::-1], "wrong order"),
        (constants(1.0), "the paper's numbers"),
        (constants(4.0), "it is the variance"),
        ((0.7, 1.6), "alpha that is off"),
        ((1.0, constants(2.0)[1]), "multiplies the whole function"),
        (1.05, "must be the pair"),
    ],
)
def test_he_constants(answer, hint):
    feedback = elu_selu.check_he_constants(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


def keras_elu(x):
    from keras import ops

    return ops.where(x > 0, x, ops.expm1(ops.minimum(x, 0.0)))


def keras_naive(x):
    from keras import ops

    return ops.where(x > 0, x, ops.exp(x) - 1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: torch.where(x > 0, x, torch.expm1(x.clamp(max=0))), None),
        (nn.ELU(), None),
        (keras_elu, None),
        (lambda x: torch.where(x > 0, x, torch.exp(x) - 1), "the gradient is NaN"),
        (keras_naive, "the gradient is NaN"),
        (lambda x: (x > 0) * x + (x <= 0) * (torch.exp(x) - 1), "the output is NaN"),
        (lambda x: torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1), "loses the digits"),
        (torch.relu, "this is ReLU"),
        (nn.ELU(alpha=2.0), "far to the left"),
        (lambda x: nn.functional.elu(x).detach() + 0 * x, "the gradient is [0.]"),
        (lambda x: nn.functional.elu(x)[:3], "expected the shape"),
        (1.0, "must be a function"),
        (lambda x: undefined_name, "NameError"),  # noqa: F821
    ],
)
def test_safe_elu(answer, hint):
    feedback = elu_selu.check_safe_elu(answer)
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message


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
            layers += [activation(), *([dropout(0.05)] if dropout else [])]
    return nn.Sequential(*layers, *last)


def keras_network(**options):
    import keras

    keras.utils.set_random_seed(0)
    hidden = [
        layer
        for _ in range(8)
        for layer in (
            keras.layers.Dense(128, activation="selu", **options),
            keras.layers.AlphaDropout(0.05),
        )
    ]
    return keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (torch_network, None),
        (lambda: keras_network(kernel_initializer="lecun_normal"), None),
        (lambda: torch_network(gain=2**0.5), "He's initialisation"),
        (lambda: torch_network(gain=0.75), "calculate_gain"),
        (lambda: torch_network(gain=3**-0.5), "PyTorch's default"),
        (lambda: torch_network(gain=1.2), "has n · Var(w)"),
        (keras_network, "averages the two widths"),
        (lambda: torch_network(bias=0.1), "biases are not 0"),
        (lambda: torch_network(dropout=nn.Dropout), "middle of SELU's range"),
        (lambda: torch_network(dropout=None), "no alpha dropout yet"),
        (lambda: torch_network(activation=nn.ELU), "every hidden layer needs SELU"),
        (lambda: torch_network(last=(nn.Softmax(1),)), "must give logits"),
        (lambda: torch_network(depth=4), "eight hidden ones"),
        (lambda: "SELU", "expected an nn.Sequential or a Keras model"),
    ],
)
def test_self_normalising(model, hint):
    feedback = elu_selu.check_self_normalising(model())
    assert feedback.ok == (hint is None), feedback
    assert hint is None or hint in feedback.message
