"""The functions with an exponential negative side, and the exponential itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog import numerics
from actlab.catalog.places import keras_since_then, torch_since_then
from actlab.catalog.record import (
    Activation,
    Array,
    Interval,
    Origin,
    Parameter,
    Place,
    Properties,
)
from actlab.catalog.values import positive

# The fixed point (mean 0, variance 1) of the paper, as both frameworks write it.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
_SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


def _elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _elu_derivative(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, alpha * np.exp(x))


def _elu_properties(alpha: float) -> Properties:
    return Properties(
        range=Interval(-alpha, math.inf),
        # The α that puts the mean of a standard normal input at 0 is SELU's.
        zero_centred=alpha == SELU_ALPHA,
        monotonic=True,
        smoothness=1 if alpha == 1 else 0,
        kinks=(0.0,),
        saturation=("soft", None),
        limits=(-alpha, math.inf),
    )


_ELU_FORMULA = r"\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}"

ELU = Activation(
    name="elu",
    title="ELU",
    family="elu",
    summary="Follows the input when positive and falls smoothly towards −α when negative.",
    formula=_ELU_FORMULA,
    origin=Origin(
        citation="Clevert et al., 2015",
        title="Fast and Accurate Deep Network Learning by Exponential Linear Units (ELUs)",
        url="https://arxiv.org/abs/1511.07289",
    ),
    forward=_elu,
    backward=_elu_derivative,
    describe=_elu_properties,
    parameters=(
        Parameter(
            "alpha",
            1.0,
            "α: the curve falls to −α, and its slope left of 0 is α",
            valid="a positive number",
            check=positive,
            examples=(0.5, 2.0, SELU_ALPHA),
        ),
    ),
    places=(
        *torch_since_then("torch.nn.ELU", arguments={"alpha": 1.0, "inplace": False}),
        *torch_since_then("torch.nn.functional.elu", arguments={"alpha": 1.0, "inplace": False}),
        *torch_since_then("torch.nn.functional.elu_", arguments={"alpha": 1.0}),
        *keras_since_then("keras.activations.elu", arguments={"alpha": 1.0}),
        *keras_since_then("keras.layers.ELU", arguments={"alpha": 1.0}),
    ),
    kink_note="At 0 the derivative is α, the left one.",
)


def _celu(x: Array, alpha: float) -> Array:
    ratio = x / alpha
    # Where the curve is a straight line to the last bit, x/α may be too small to be exact.
    curve = np.where(np.abs(ratio) < 1e-17, x, alpha * np.expm1(ratio))
    return np.where(x > 0, x, curve)


def _celu_derivative(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, numerics.exp(*numerics.quotient(x, alpha)))


def _celu_properties(alpha: float) -> Properties:
    return Properties(
        range=Interval(-alpha, math.inf),
        zero_centred=False,
        monotonic=True,
        smoothness=1,
        kinks=(0.0,),
        saturation=("soft", None),
        limits=(-alpha, math.inf),
    )


CELU = Activation(
    name="celu",
    title="CELU",
    family="elu",
    summary="An ELU stretched along x, so that its slope at 0 is 1 for every α.",
    formula=r"\max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))",
    origin=Origin(
        citation="Barron, 2017",
        title="Continuously Differentiable Exponential Linear Units",
        url="https://arxiv.org/abs/1704.07483",
    ),
    forward=_celu,
    backward=_celu_derivative,
    describe=_celu_properties,
    parameters=(
        Parameter(
            "alpha",
            1.0,
            "α: the curve falls to −α, the slower the larger",
            valid="a positive number",
            check=positive,
            examples=(0.3, 2.5),
        ),
    ),
    places=(
        *torch_since_then("torch.nn.CELU", arguments={"alpha": 1.0, "inplace": False}),
        *torch_since_then("torch.nn.functional.celu", arguments={"alpha": 1.0, "inplace": False}),
        *torch_since_then("torch.nn.functional.celu_", arguments={"alpha": 1.0}),
        Place("keras.activations.celu", arguments={"alpha": 1.0}),
    ),
)


def _selu(x: Array) -> Array:
    return np.where(x > 0, SELU_SCALE * x, _SELU_SCALE_ALPHA * np.expm1(x))


def _selu_derivative(x: Array) -> Array:
    return np.where(x > 0, SELU_SCALE, _SELU_SCALE_ALPHA * np.exp(x))


def _selu_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(-_SELU_SCALE_ALPHA, math.inf),
        zero_centred=True,
        monotonic=True,
        smoothness=0,
        kinks=(0.0,),
        saturation=("soft", None),
        limits=(-_SELU_SCALE_ALPHA, math.inf),
    )


SELU = Activation(
    name="selu",
    title="SELU",
    family="elu",
    summary="An ELU scaled so that mean 0 and variance 1 reproduce themselves from layer to layer.",
    formula=r"\lambda \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases},"
    r" \quad \lambda \approx 1.0507,\ \alpha \approx 1.6733",
    origin=Origin(
        citation="Klambauer et al., 2017",
        title="Self-Normalizing Neural Networks",
        url="https://arxiv.org/abs/1706.02515",
    ),
    forward=_selu,
    backward=_selu_derivative,
    describe=_selu_properties,
    places=(
        *torch_since_then("torch.nn.SELU", arguments={"inplace": False}),
        *torch_since_then("torch.nn.functional.selu", arguments={"inplace": False}),
        *torch_since_then("torch.nn.functional.selu_"),
        *keras_since_then("keras.activations.selu"),
    ),
    kink_note="At 0 the derivative is λα, the left one.",
)


def _exponential_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, math.inf),
        zero_centred=False,
        monotonic=True,
        smoothness=math.inf,
        saturation=("soft", None),
        limits=(0.0, math.inf),
    )


EXPONENTIAL = Activation(
    name="exponential",
    title="Exponential",
    family="elu",
    summary="Turns a sum into a positive rate; for output layers that predict counts.",
    formula=r"e^x",
    origin=Origin(
        citation="Nelder & Wedderburn, 1972",
        title="Generalized Linear Models",
        url="https://doi.org/10.2307/2344614",
    ),
    forward=np.exp,
    backward=np.exp,
    describe=_exponential_properties,
    places=keras_since_then("keras.activations.exponential"),
    aliases=("exp", "torch.exp", "keras.ops.exp", "tf.exp", "tf.math.exp"),
)

RECORDS = (ELU, CELU, SELU, EXPONENTIAL)
