"""The smooth functions that weigh the input by how large it is: they dip below zero first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog import numerics
from actlab.catalog.places import torch_since_then
from actlab.catalog.record import Activation, Array, Interval, Origin, Place, Properties


def _dipping_properties(minimum: float) -> Properties:
    """Falls from 0 to ``minimum``, then rises for ever; smooth."""
    return Properties(
        range=Interval(minimum, math.inf, closed=(True, False)),
        zero_centred=False,
        monotonic=False,
        smoothness=math.inf,
        saturation=("soft", None),
        limits=(0.0, math.inf),
    )


def _gelu(x: Array) -> Array:
    t = np.maximum(-x, 1.5)
    # t · Mills(t) → 1: the tail is −φ(t) to first order, and no product of tiny numbers is lost.
    tail = -numerics.normal_density(t) * np.where(np.isinf(t), 1.0, t * numerics.mills_ratio(t))
    return np.where(x < -1.5, tail, x * numerics.normal_cdf(np.maximum(x, -1.5)))


def _gelu_derivative(x: Array) -> Array:
    t = np.maximum(-x, 1.5)
    tail = numerics.normal_density(t) * (numerics.mills_ratio(t) - np.minimum(t, 1e3))
    right = np.clip(x, -1.5, 1e3)
    body = numerics.normal_cdf(right) + right * numerics.normal_density(right)
    return np.where(np.isnan(x), x, np.where(x < -1.5, tail, body))


_GELU_ORIGIN = Origin(
    citation="Hendrycks & Gimpel, 2016",
    title="Gaussian Error Linear Units (GELUs)",
    url="https://arxiv.org/abs/1606.08415",
)

GELU = Activation(
    name="gelu",
    title="GELU",
    family="gelu",
    summary="The input times the probability that a standard normal number is below it.",
    formula=r"x\,\Phi(x) = \frac{x}{2}\left(1 + \operatorname{erf}\frac{x}{\sqrt{2}}\right)",
    origin=_GELU_ORIGIN,
    forward=_gelu,
    backward=_gelu_derivative,
    describe=lambda: _dipping_properties(-0.16997120747990366),
    places=(
        Place("torch.nn.GELU", arguments={"approximate": "none"}),
        Place("torch.nn.GELU", when="then"),
        Place("torch.nn.functional.gelu", arguments={"approximate": "none"}),
        Place("torch.nn.functional.gelu", when="then"),
        Place("keras.activations.gelu", arguments={"approximate": False}),
        Place(
            "tf.keras.activations.gelu",
            when="then",
            arguments={"approximate": False},
            note="New in TensorFlow 2.4; TensorFlow 2.3, which also carried Keras 2.4, had none.",
        ),
    ),
)

# 2u = x (a + b x²) with a = 2 √(2/π) and b = 0.044715 a, each as a double and its rounding error.
_A, _A_ERROR = 1.5957691216057308, -9.96930880911092e-17
_B, _B_ERROR = 0.07135481627260025, -6.175149918155315e-19


def _gelu_tanh_argument(x: Array) -> tuple[Array, Array]:
    """2u and its rounding error."""
    square, square_error = numerics.two_product(x, x)
    cubic, cubic_error = numerics.two_product(square, _B)
    cubic_error += square_error * _B + square * _B_ERROR
    slope, slope_error = numerics.two_sum(np.full_like(x, _A), cubic)
    slope_error += cubic_error + _A_ERROR
    argument, error = numerics.two_product(slope, x)
    return argument, error + slope_error * x


def _gelu_tanh(x: Array) -> Array:
    near = np.clip(x, -40.0, 40.0)  # beyond, the tail has long underflowed
    argument, error = _gelu_tanh_argument(near)
    # The tail is split in two halves, so that x times it is rounded once if it is subnormal.
    half = numerics.exp(-np.abs(argument) / 2, -np.sign(argument) * error / 2)
    left = near * half * (half / (1.0 + half * half))
    return np.where(x < 0, left, x / (1.0 + half * half))


def _gelu_tanh_derivative(x: Array) -> Array:
    near = np.clip(x, -40.0, 40.0)
    argument, error = _gelu_tanh_argument(near)
    half = numerics.exp(-np.abs(argument) / 2, -np.sign(argument) * error / 2)
    tail = half * half
    growth = near * (_A + 3.0 * _B * near * near)  # x · d(2u)/dx
    left = half * (half / (1.0 + tail) * (1.0 + growth / (1.0 + tail)))
    right = (1.0 + growth * tail / (1.0 + tail)) / (1.0 + tail)
    return np.where(x < 0, left, right)


GELU_TANH = Activation(
    name="gelu_tanh",
    title="GELU (tanh approximation)",
    family="gelu",
    summary="GELU with its normal distribution replaced by a tanh; never off by more than 5e-4.",
    formula=r"\frac{x}{2}\left(1 + \tanh\left(\sqrt{\tfrac{2}{\pi}}"
    r"\left(x + 0.044715\,x^3\right)\right)\right)",
    origin=_GELU_ORIGIN,
    forward=_gelu_tanh,
    backward=_gelu_tanh_derivative,
    describe=lambda: _dipping_properties(-0.17004075057125406),
    places=(
        Place("torch.nn.GELU", arguments={"approximate": "none"}, fixed={"approximate": "tanh"}),
        Place(
            "torch.nn.functional.gelu",
            arguments={"approximate": "none"},
            fixed={"approximate": "tanh"},
        ),
        Place(
            "keras.activations.gelu",
            arguments={"approximate": False},
            fixed={"approximate": True},
        ),
        Place(
            "tf.keras.activations.gelu",
            when="then",
            arguments={"approximate": False},
            fixed={"approximate": True},
            note="New in TensorFlow 2.4; TensorFlow 2.3, which also carried Keras 2.4, had none.",
        ),
    ),
)


def _silu(x: Array) -> Array:
    half = np.exp(-np.abs(x) / 2)
    left = np.maximum(x, -1e4) * half * (half / (1.0 + half * half))
    return np.where(x < 0, left, x / (1.0 + half * half))


def _silu_derivative(x: Array) -> Array:
    half = np.exp(-np.abs(x) / 2)
    tail = half * half
    near = np.clip(x, -1e4, 1e4)
    left = half * (half / (1.0 + tail) * (1.0 + near / (1.0 + tail)))
    right = (1.0 + near * tail / (1.0 + tail)) / (1.0 + tail)
    return np.where(np.isnan(x), x, np.where(x < 0, left, right))


SILU = Activation(
    name="silu",
    title="SiLU (Swish)",
    family="gelu",
    summary="The input times its own sigmoid.",
    formula=r"x\,\sigma(x) = \frac{x}{1 + e^{-x}}",
    origin=Origin(
        citation="Elfwing et al., 2017",
        title="Sigmoid-Weighted Linear Units for Neural Network Function Approximation in "
        "Reinforcement Learning",
        url="https://arxiv.org/abs/1702.03118",
    ),
    forward=_silu,
    backward=_silu_derivative,
    describe=lambda: _dipping_properties(-0.27846454276107380),
    places=(
        *torch_since_then("torch.nn.SiLU", arguments={"inplace": False}),
        *torch_since_then("torch.nn.functional.silu", arguments={"inplace": False}),
        Place("keras.activations.silu"),
        Place("keras.activations.swish", note="The same function under its other name."),
        Place("tf.keras.activations.swish", when="then", note="Had this name alone."),
    ),
    aliases=("swish",),
)


def _mish(x: Array) -> Array:
    half = np.exp(-np.abs(x) / 2)
    tail = half * half
    # tanh(log(1 + e^x)) as a quotient of polynomials in e^x, or in e^-x to the right of 0.
    left = np.maximum(x, -1e4) * half * (half * (tail + 2.0) / (tail * (tail + 2.0) + 2.0))
    right = x * (1.0 + 2.0 * tail) / (1.0 + 2.0 * tail * (1.0 + tail))
    return np.where(x < 0, left, np.where(np.isinf(x), x, right))


def _mish_derivative(x: Array) -> Array:
    half, tail = np.exp(-np.abs(x) / 2), np.exp(-np.abs(x))
    near = np.clip(x, -1e4, 1e4)
    below = tail * (tail + 2.0) + 2.0
    left = (tail + 2.0) / below + 4.0 * near * (1.0 + tail) / below**2
    # Far out the factor is lost before the product is: there it is multiplied in two halves.
    left = np.where(tail > 1e-200, tail * left, half * (half * left))
    above = 1.0 + 2.0 * tail * (1.0 + tail)
    right = (1.0 + 2.0 * tail) / above + 4.0 * near * (tail / above) ** 2 * (1.0 + tail)
    return np.where(np.isnan(x), x, np.where(x < 0, left, right))


MISH = Activation(
    name="mish",
    title="Mish",
    family="gelu",
    summary="The input times the tanh of its softplus; it dips a little deeper than SiLU.",
    formula=r"x \tanh(\log(1 + e^x))",
    origin=Origin(
        citation="Misra, 2019",
        title="Mish: A Self Regularized Non-Monotonic Activation Function",
        url="https://arxiv.org/abs/1908.08681",
    ),
    forward=_mish,
    backward=_mish_derivative,
    describe=lambda: _dipping_properties(-0.30884341301725041),
    places=(
        Place("torch.nn.Mish", arguments={"inplace": False}, note="New in PyTorch 1.9."),
        Place("torch.nn.functional.mish", arguments={"inplace": False}),
        Place("keras.activations.mish"),
    ),
)


def _hard_silu(x: Array) -> Array:
    middle = np.clip(x, -3.0, 3.0)
    return np.where(x > 3, x, np.where(np.isnan(x), x, middle * (middle + 3.0) / 6.0))


def _hard_silu_derivative(x: Array) -> Array:
    outside = (x > 3).astype(np.float64)
    inside = (2.0 * np.clip(x, -3.0, 3.0) + 3.0) / 6.0
    return np.where(np.isnan(x), x, np.where((x > -3) & (x <= 3), inside, outside))


def _hard_silu_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(-0.375, math.inf, closed=(True, False)),
        zero_centred=False,
        monotonic=False,
        smoothness=0,
        kinks=(-3.0, 3.0),
        saturation=("hard", None),
        limits=(0.0, math.inf),
    )


HARD_SILU = Activation(
    name="hard_silu",
    title="Hard SiLU (hard swish)",
    family="gelu",
    summary="SiLU with the hard sigmoid in place of the sigmoid: a parabola between two lines.",
    formula=r"x\,\frac{\min(\max(0, x + 3), 6)}{6}",
    origin=Origin(
        citation="Howard et al., 2019",
        title="Searching for MobileNetV3",
        url="https://arxiv.org/abs/1905.02244",
    ),
    forward=_hard_silu,
    backward=_hard_silu_derivative,
    describe=_hard_silu_properties,
    places=(
        *torch_since_then("torch.nn.Hardswish", arguments={"inplace": False}),
        *torch_since_then("torch.nn.functional.hardswish", arguments={"inplace": False}),
        Place("keras.activations.hard_silu"),
        Place("keras.activations.hard_swish", note="The same function under its other name."),
    ),
    aliases=("hard_swish", "hardswish"),
    kink_note="At −3 the derivative is 0 and at 3 it is 3/2, the left ones.",
)

RECORDS = (GELU, GELU_TANH, SILU, MISH, HARD_SILU)
