"""The functions that let a little of the negative side through."""

from __future__ import annotations

import math

import numpy as np

from actlab.catalog.places import torch_since_then
from actlab.catalog.record import (
    REQUIRED,
    Activation,
    Array,
    Constraint,
    Interval,
    Origin,
    Parameter,
    Place,
    Properties,
)
from actlab.catalog.values import real


def _leaky(x: Array, negative_slope: float) -> Array:
    if negative_slope == 0:  # a ReLU, not 0 · x, which is NaN at -inf
        return np.where(x > 0, x, np.where(np.isnan(x), x, 0.0))
    return np.where(x > 0, x, negative_slope * x)


def _leaky_derivative(x: Array, negative_slope: float) -> Array:
    return np.where(np.isnan(x), x, np.where(x > 0, 1.0, negative_slope))


def _leaky_properties(negative_slope: float) -> Properties:
    slope = negative_slope
    straight = slope == 1
    left = -math.copysign(math.inf, slope) if slope else 0.0
    return Properties(
        range=Interval(min(left, 0.0), math.inf, closed=(slope <= 0, False)),
        zero_centred=straight,
        monotonic=slope >= 0,
        smoothness=math.inf if straight else 0,
        kinks=() if straight else (0.0,),
        saturation=(None if slope else "hard", None),
        limits=(left, math.inf),
    )


_SLOPES = (0.3, 0.2, 0.0, 1.0, -0.5)

LEAKY_RELU = Activation(
    name="leaky_relu",
    title="Leaky ReLU",
    family="leaky",
    summary="A ReLU whose negative side keeps a small fixed slope, so a gradient always flows.",
    formula=r"\max(0, x) + a \min(0, x)",
    origin=Origin(
        citation="Maas et al., 2013",
        title="Rectifier Nonlinearities Improve Neural Network Acoustic Models",
        url="https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf",
    ),
    forward=_leaky,
    backward=_leaky_derivative,
    describe=_leaky_properties,
    parameters=(
        Parameter(
            "negative_slope", 0.01, "a, the slope for negative input", check=real, examples=_SLOPES
        ),
    ),
    places=(
        *torch_since_then(
            "torch.nn.LeakyReLU", arguments={"negative_slope": 0.01, "inplace": False}
        ),
        *torch_since_then(
            "torch.nn.functional.leaky_relu", arguments={"negative_slope": 0.01, "inplace": False}
        ),
        *torch_since_then("torch.nn.functional.leaky_relu_", arguments={"negative_slope": 0.01}),
        Place("keras.activations.leaky_relu", arguments={"negative_slope": 0.2}),
        Place(
            "keras.activations.relu",
            arguments={"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
        ),
        Place("keras.layers.LeakyReLU", arguments={"negative_slope": 0.3}),
        Place(
            "tf.keras.activations.relu",
            when="then",
            arguments={"alpha": 0.0, "max_value": None, "threshold": 0},
            names={"negative_slope": "alpha"},
            note="There was no leaky_relu among them; relu with an alpha did its work.",
        ),
        Place(
            "tf.keras.layers.LeakyReLU",
            when="then",
            arguments={"alpha": 0.3},
            names={"negative_slope": "alpha"},
        ),
    ),
    kink_note="At 0 the derivative is a, the left one.",
)

_PRELU_KERAS = {
    "alpha_regularizer": None,
    "alpha_constraint": None,
    "shared_axes": None,
}
_PRELU_KERAS_NOTE = (
    "One slope per unit unless shared_axes says otherwise, learned from zero; a starting slope "
    "is given as an initializer, keras.initializers.Constant(slope)."
)

PRELU = Activation(
    name="prelu",
    title="Parametric ReLU",
    family="leaky",
    summary="A leaky ReLU that learns its negative slope, one for all or one per channel.",
    formula=r"\max(0, x) + a \min(0, x), \quad a \text{ learned}",
    origin=Origin(
        citation="He et al., 2015",
        title="Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet "
        "Classification",
        url="https://arxiv.org/abs/1502.01852",
    ),
    forward=_leaky,
    backward=_leaky_derivative,
    describe=_leaky_properties,
    parameters=(
        Parameter(
            "negative_slope",
            0.25,
            "a, where the learned slope starts",
            check=real,
            examples=_SLOPES,
        ),
    ),
    places=(
        *torch_since_then(
            "torch.nn.PReLU",
            arguments={"num_parameters": 1, "init": 0.25},
            names={"negative_slope": "init"},
            note="One slope for all units, or num_parameters of them along dimension 1.",
        ),
        *torch_since_then(
            "torch.nn.functional.prelu",
            arguments={"weight": REQUIRED},
            names={"negative_slope": "weight"},
            note="weight is a tensor.",
        ),
        Place(
            "keras.layers.PReLU",
            arguments={"alpha_initializer": "Zeros", **_PRELU_KERAS},
            names={"negative_slope": "alpha_initializer"},
            note=_PRELU_KERAS_NOTE,
        ),
        Place(
            "tf.keras.layers.PReLU",
            when="then",
            arguments={"alpha_initializer": "zeros", **_PRELU_KERAS},
            names={"negative_slope": "alpha_initializer"},
            note=_PRELU_KERAS_NOTE,
        ),
    ),
    kink_note="At 0 the derivative is a, the left one.",
)


def _mean_slope(lower: float, upper: float) -> float:
    return (lower + upper) / 2


_RRELU = {"lower": 1 / 8, "upper": 1 / 3}

RRELU = Activation(
    name="rrelu",
    title="Randomised leaky ReLU",
    family="leaky",
    summary="A leaky ReLU that draws a new negative slope for every number while training; "
    "afterwards it uses the mean slope, and so does this reference.",
    formula=r"\max(0, x) + a \min(0, x), \quad a \sim \mathcal{U}(l, u) \text{ in training, }"
    r" a = \tfrac{l + u}{2} \text{ afterwards}",
    origin=Origin(
        citation="Xu et al., 2015",
        title="Empirical Evaluation of Rectified Activations in Convolutional Network",
        url="https://arxiv.org/abs/1505.00853",
    ),
    forward=lambda x, lower, upper: _leaky(x, _mean_slope(lower, upper)),
    backward=lambda x, lower, upper: _leaky_derivative(x, _mean_slope(lower, upper)),
    describe=lambda lower, upper: _leaky_properties(_mean_slope(lower, upper)),
    parameters=(
        Parameter("lower", 1 / 8, "l, the smallest slope drawn", check=real, examples=(0.0, 0.25)),
        Parameter("upper", 1 / 3, "u, the largest slope drawn", check=real, examples=(0.5,)),
    ),
    constraint=Constraint("lower ≤ upper", lambda lower, upper: lower <= upper),
    places=(
        *torch_since_then("torch.nn.RReLU", arguments={**_RRELU, "inplace": False}),
        *torch_since_then(
            "torch.nn.functional.rrelu", arguments={**_RRELU, "training": False, "inplace": False}
        ),
        *torch_since_then("torch.nn.functional.rrelu_", arguments={**_RRELU, "training": False}),
    ),
    stochastic=True,
    kink_note="At 0 the derivative is a, the left one.",
)


RECORDS = (LEAKY_RELU, PRELU, RRELU)
