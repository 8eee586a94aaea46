"""The ReLU with its corner rounded off, by an exponential, a square root or a parabola."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog import numerics
from actlab.catalog.places import keras_since_then
from actlab.catalog.record import (
    Activation,
    Array,
    Interval,
    Origin,
    Parameter,
    Place,
    Properties,
)
from actlab.catalog.values import positive, positive_or_inf


def _softplus(x: Array, beta: float, threshold: float) -> Array:
    scaled, error = numerics.two_product(x, beta)
    tail = numerics.exp(-np.abs(scaled), -np.sign(scaled) * error)
    curve = np.maximum(x, 0.0) + np.log1p(tail) / beta
    return np.where(scaled > threshold, x, curve)


def _softplus_derivative(x: Array, beta: float, threshold: float) -> Array:
    scaled, error = numerics.two_product(x, beta)
    return np.where(scaled > threshold, 1.0, numerics.logistic(scaled, error))


def _softplus_properties(beta: float, threshold: float) -> Properties:
    exact = math.isinf(threshold)
    return Properties(
        range=Interval(0.0, math.inf),
        zero_centred=False,
        # Where PyTorch goes over to the straight line, the curve drops by log(1 + e^-threshold).
        monotonic=exact,
        smoothness=math.inf if exact else -1,
        kinks=() if exact else (threshold / beta,),
        saturation=("soft", None),
        limits=(0.0, math.inf),
    )


SOFTPLUS = Activation(
    name="softplus",
    title="Softplus",
    family="softplus",
    summary="A smooth ReLU, near 0 on the left and near x on the right; its slope is the sigmoid.",
    formula=r"\frac{1}{\beta} \log(1 + e^{\beta x})",
    origin=Origin(
        citation="Dugas et al., 2000",
        title="Incorporating Second-Order Functional Knowledge for Better Option Pricing",
        url="https://proceedings.neurips.cc/paper/2000/hash/"
        "44968aece94f667e4095002d140b5896-Abstract.html",
    ),
    forward=_softplus,
    backward=_softplus_derivative,
    describe=_softplus_properties,
    parameters=(
        Parameter(
            "beta",
            1.0,
            "β, how sharp the corner is",
            valid="a positive number",
            check=positive,
            examples=(0.5, 3.0, 10.0),
        ),
        Parameter(
            "threshold",
            math.inf,
            "where β x exceeds it, x itself is returned; infinity for the exact function",
            valid="a positive number or infinity",
            check=positive_or_inf,
            examples=(20.0, 5.0),
        ),
    ),
    places=(
        Place(
            "torch.nn.Softplus",
            arguments={"beta": 1.0, "threshold": 20.0},
            keeps=("threshold",),
        ),
        Place("torch.nn.Softplus", when="then", arguments={"beta": 1, "threshold": 20}),
        Place(
            "torch.nn.functional.softplus",
            arguments={"beta": 1, "threshold": 20},
            keeps=("threshold",),
        ),
        Place("torch.nn.functional.softplus", when="then", arguments={"beta": 1, "threshold": 20}),
        *keras_since_then("keras.activations.softplus"),
    ),
    kink_note="With a finite threshold the derivative there is that of the curve, the left one.",
)


def _squareplus(x: Array, b: float) -> Array:
    root = np.hypot(x, math.sqrt(b))
    # For negative x the sum cancels; multiplied by its conjugate it does not. Halves first: the
    # sum of two numbers near the largest one would overflow.
    return np.where(x > 0, x / 2 + root / 2, (b / 4) / (root / 2 - x / 2))


def _squareplus_derivative(x: Array, b: float) -> Array:
    root = np.hypot(x, math.sqrt(b))
    right = np.where(np.isinf(x), 1.0, 0.5 + 0.5 * (x / root))
    return np.where(np.isnan(x), x, np.where(x > 0, right, (b / 4) / (root / 2 - x / 2) / root))


def _squareplus_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, math.inf),
        zero_centred=False,
        monotonic=True,
        smoothness=math.inf,
        saturation=("soft", None),
        limits=(0.0, math.inf),
    )


SQUAREPLUS = Activation(
    name="squareplus",
    title="Squareplus",
    family="softplus",
    summary="Softplus's shape from a square root alone, without exponential or logarithm.",
    formula=r"\frac{x + \sqrt{x^2 + b}}{2}",
    origin=Origin(
        citation="Barron, 2021",
        title="Squareplus: A Softplus-Like Algebraic Rectifier",
        url="https://arxiv.org/abs/2112.11687",
    ),
    forward=_squareplus,
    backward=_squareplus_derivative,
    describe=_squareplus_properties,
    parameters=(
        Parameter(
            "b",
            4.0,
            "b, how wide the bend is: the height at 0 is √b / 2",
            valid="a positive number",
            check=positive,
            examples=(1.0, 0.3),
        ),
    ),
    places=(Place("keras.activations.squareplus", arguments={"b": 4}),),
)


def _sparse_plus(x: Array) -> Array:
    bend = (np.clip(x, -1.0, 1.0) + 1.0) / 2
    return np.where((x >= 1) | np.isnan(x), x, bend * bend)


def _sparse_plus_derivative(x: Array) -> Array:
    return np.where(np.isnan(x), x, (np.clip(x, -1.0, 1.0) + 1.0) / 2)


def _sparse_plus_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, math.inf, closed=(True, False)),
        zero_centred=False,
        monotonic=True,
        smoothness=1,
        kinks=(-1.0, 1.0),
        saturation=("hard", None),
        limits=(0.0, math.inf),
    )


SPARSE_PLUS = Activation(
    name="sparse_plus",
    title="Sparse plus",
    family="softplus",
    summary="A ReLU with a parabola for a corner; exactly 0 below −1 and x above 1.",
    formula=r"\begin{cases} 0 & x \le -1 \\ \frac{(x + 1)^2}{4} & -1 < x < 1 \\"
    r" x & x \ge 1 \end{cases}",
    origin=Origin(
        citation="Blondel et al., 2019",
        title="Learning with Fenchel-Young Losses",
        url="https://arxiv.org/abs/1901.02324",
    ),
    forward=_sparse_plus,
    backward=_sparse_plus_derivative,
    describe=_sparse_plus_properties,
    places=(Place("keras.activations.sparse_plus"),),
)

RECORDS = (SOFTPLUS, SQUAREPLUS, SPARSE_PLUS)
