"""ReLU and the functions that clip it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog.record import Activation, Array, Interval, Origin, Place, Properties


def _relu(x: Array) -> Array:
    return np.where(x > 0, x, np.where(np.isnan(x), x, 0.0))


def _relu_derivative(x: Array) -> Array:
    return np.where(np.isnan(x), x, (x > 0).astype(np.float64))


def _relu_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, math.inf, closed=(True, False)),
        zero_centred=False,
        monotonic=True,
        smoothness=0,
        kinks=(0.0,),
        saturation=("hard", None),
        limits=(0.0, math.inf),
    )


RELU = Activation(
    name="relu",
    title="ReLU",
    family="relu",
    summary="Keeps what is positive and sets the rest to zero.",
    formula=r"\max(0, x)",
    origin=Origin(
        citation="Nair & Hinton, 2010",
        title="Rectified Linear Units Improve Restricted Boltzmann Machines",
        url="https://icml.cc/Conferences/2010/papers/432.pdf",
    ),
    forward=_relu,
    backward=_relu_derivative,
    describe=_relu_properties,
    places=(
        Place("torch.nn.ReLU", arguments={"inplace": False}),
        Place("torch.nn.functional.relu", arguments={"inplace": False}),
        Place("torch.nn.ReLU", when="then", arguments={"inplace": False}),
        Place("torch.nn.functional.relu", when="then", arguments={"inplace": False}),
        Place(
            "keras.activations.relu",
            arguments={"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
        ),
        Place(
            "keras.layers.ReLU",
            arguments={"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        ),
        Place(
            "tf.keras.activations.relu",
            when="then",
            arguments={"alpha": 0.0, "max_value": None, "threshold": 0},
        ),
        Place(
            "tf.keras.layers.ReLU",
            when="then",
            arguments={"max_value": None, "negative_slope": 0, "threshold": 0},
        ),
    ),
)

RECORDS = (RELU,)
