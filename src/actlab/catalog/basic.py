"""The two functions that are no non-linearity to learn with: the straight line and the step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog.places import keras_since_then, torch_since_then
from actlab.catalog.record import Activation, Array, Interval, Origin, Place, Properties


def _linear(x: Array) -> Array:
    return x


def _linear_derivative(x: Array) -> Array:
    return np.where(np.isnan(x), x, 1.0)


def _linear_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(-math.inf, math.inf),
        zero_centred=True,
        monotonic=True,
        smoothness=math.inf,
        saturation=(None, None),
        limits=(-math.inf, math.inf),
    )


LINEAR = Activation(
    name="linear",
    title="Linear (identity)",
    family="basic",
    summary="Leaves its input as it is; a stack of layers with it is one linear layer.",
    formula=r"x",
    origin=Origin(
        citation="Widrow & Hoff, 1960",
        title="Adaptive Switching Circuits",
        url="https://isl.stanford.edu/~widrow/papers/c1960adaptiveswitching.pdf",
    ),
    forward=_linear,
    backward=_linear_derivative,
    describe=_linear_properties,
    places=(
        *torch_since_then("torch.nn.Identity", note="Takes any arguments and ignores them."),
        *keras_since_then("keras.activations.linear"),
        Place("keras.layers.Identity"),
    ),
    aliases=("identity", "tf.identity"),
)


def _step(x: Array) -> Array:
    return np.where(np.isnan(x), x, (x >= 0).astype(np.float64))


def _step_derivative(x: Array) -> Array:
    return np.where(np.isnan(x), x, 0.0)


def _step_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, 1.0, closed=(True, True)),
        zero_centred=False,
        monotonic=True,
        smoothness=-1,
        kinks=(0.0,),
        saturation=("hard", "hard"),
        limits=(0.0, 1.0),
    )


BINARY_STEP = Activation(
    name="binary_step",
    title="Binary step",
    family="basic",
    summary="Fires or does not; its derivative gives gradient descent nothing to follow.",
    formula=r"\begin{cases} 0 & x < 0 \\ 1 & x \ge 0 \end{cases}",
    origin=Origin(
        citation="McCulloch & Pitts, 1943",
        title="A Logical Calculus of the Ideas Immanent in Nervous Activity",
        url="https://doi.org/10.1007/BF02478259",
    ),
    forward=_step,
    backward=_step_derivative,
    describe=_step_properties,
    aliases=("heaviside", "step", "torch.heaviside", "keras.ops.heaviside"),
    kink_note="At the jump the derivative is given as 0, as everywhere else.",
)

RECORDS = (LINEAR, BINARY_STEP)
