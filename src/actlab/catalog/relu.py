"""ReLU and the functions that clip it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog.places import torch_since_then
from actlab.catalog.record import (
    REQUIRED,
    Activation,
    Array,
    Interval,
    Origin,
    Parameter,
    Place,
    Properties,
)
from actlab.catalog.values import real


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


_INPLACE = {"inplace": False}

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
        *torch_since_then("torch.nn.ReLU", arguments=_INPLACE),
        *torch_since_then("torch.nn.functional.relu", arguments=_INPLACE),
        *torch_since_then("torch.nn.functional.relu_"),
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
            note="The layer called the slope negative_slope when the function called it alpha.",
        ),
    ),
    kink_note="At 0 the derivative is 0, the left one.",
)


def _relu6(x: Array) -> Array:
    return np.where(np.isnan(x), x, np.clip(x, 0.0, 6.0) + 0.0)


def _relu6_derivative(x: Array) -> Array:
    return np.where(np.isnan(x), x, ((x > 0) & (x < 6)).astype(np.float64))


def _relu6_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, 6.0, closed=(True, True)),
        zero_centred=False,
        monotonic=True,
        smoothness=0,
        kinks=(0.0, 6.0),
        saturation=("hard", "hard"),
        limits=(0.0, 6.0),
    )


RELU6 = Activation(
    name="relu6",
    title="ReLU6",
    family="relu",
    summary="A ReLU that stops at 6, so that low-precision numbers can hold every output.",
    formula=r"\min(\max(0, x), 6)",
    origin=Origin(
        citation="Krizhevsky, 2010",
        title="Convolutional Deep Belief Networks on CIFAR-10",
        url="https://www.cs.toronto.edu/~kriz/conv-cifar10-aug2010.pdf",
    ),
    forward=_relu6,
    backward=_relu6_derivative,
    describe=_relu6_properties,
    places=(
        *torch_since_then("torch.nn.ReLU6", arguments=_INPLACE),
        *torch_since_then("torch.nn.functional.relu6", arguments=_INPLACE),
        Place("keras.activations.relu6"),
        Place(
            "keras.layers.ReLU",
            arguments={"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
            fixed={"max_value": 6.0},
        ),
        Place(
            "tf.keras.layers.ReLU",
            when="then",
            arguments={"max_value": None, "negative_slope": 0, "threshold": 0},
            fixed={"max_value": 6.0},
        ),
    ),
    kink_note="At 0 and at 6 the derivative is 0, that of the flat side.",
)


def _threshold(x: Array, threshold: float, value: float) -> Array:
    return np.where((x > threshold) | np.isnan(x), x, value)


def _threshold_derivative(x: Array, threshold: float, value: float) -> Array:
    return np.where(np.isnan(x), x, (x > threshold).astype(np.float64))


def _threshold_properties(threshold: float, value: float) -> Properties:
    return Properties(
        range=Interval(min(threshold, value), math.inf, closed=(value <= threshold, False)),
        zero_centred=False,
        monotonic=value <= threshold,
        smoothness=0 if value == threshold else -1,
        kinks=(float(threshold),),
        saturation=("hard", None),
        limits=(float(value), math.inf),
    )


THRESHOLD = Activation(
    name="threshold",
    title="Threshold",
    family="relu",
    summary="Keeps what exceeds a threshold and puts a fixed value in place of the rest.",
    formula=r"\begin{cases} x & x > \theta \\ v & x \le \theta \end{cases}",
    origin=Origin(
        citation="Collobert et al., 2011",
        title="Torch7: A Matlab-like Environment for Machine Learning",
        url="https://publications.idiap.ch/downloads/papers/2011/Collobert_NIPSWORKSHOP_2011.pdf",
    ),
    forward=_threshold,
    backward=_threshold_derivative,
    describe=_threshold_properties,
    parameters=(
        Parameter("threshold", 1.0, "θ, above which the input passes", check=real, examples=(0.1,)),
        Parameter("value", 0.0, "v, what stands in for the rest", check=real, examples=(20.0,)),
    ),
    places=(
        *torch_since_then(
            "torch.nn.Threshold",
            arguments={"threshold": REQUIRED, "value": REQUIRED, "inplace": False},
        ),
        *torch_since_then(
            "torch.nn.functional.threshold",
            arguments={"threshold": REQUIRED, "value": REQUIRED, "inplace": False},
        ),
        *torch_since_then(
            "torch.nn.functional.threshold_", arguments={"threshold": REQUIRED, "value": REQUIRED}
        ),
        Place(
            "keras.activations.threshold",
            arguments={"threshold": REQUIRED, "default_value": REQUIRED},
            names={"value": "default_value"},
        ),
    ),
    kink_note="At the threshold the derivative is 0: the point belongs to the flat piece.",
)

THRESHOLDED_RELU = Activation(
    name="thresholded_relu",
    title="Thresholded ReLU",
    family="relu",
    summary="A ReLU that lets through only what exceeds θ, without moving it down: it jumps there.",
    formula=r"\begin{cases} x & x > \theta \\ 0 & x \le \theta \end{cases}",
    origin=Origin(
        citation="Konda et al., 2014",
        title="Zero-bias autoencoders and the benefits of co-adapting features",
        url="https://arxiv.org/abs/1402.3337",
    ),
    forward=lambda x, theta: _threshold(x, theta, 0.0),
    backward=lambda x, theta: _threshold_derivative(x, theta, 0.0),
    describe=lambda theta: _threshold_properties(theta, 0.0),
    parameters=(
        Parameter(
            "theta",
            1.0,
            "θ, above which the input passes",
            valid="zero or a positive number",
            check=lambda value: real(value) and value >= 0,
            examples=(0.5, 2.0, 0.0),
        ),
    ),
    places=(
        *torch_since_then(
            "torch.nn.Threshold",
            arguments={"threshold": REQUIRED, "value": REQUIRED, "inplace": False},
            names={"theta": "threshold"},
            fixed={"value": 0.0},
        ),
        Place(
            "keras.activations.relu",
            arguments={"negative_slope": 0.0, "max_value": None, "threshold": 0.0},
            names={"theta": "threshold"},
        ),
        Place(
            "keras.layers.ReLU",
            arguments={"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
            names={"theta": "threshold"},
            note="keras.layers has no ThresholdedReLU any more; this is what replaced it.",
        ),
        Place("tf.keras.layers.ThresholdedReLU", when="then", arguments={"theta": 1.0}),
    ),
    kink_note="At θ the derivative is 0: the point belongs to the flat piece.",
)

RECORDS = (RELU, RELU6, THRESHOLD, THRESHOLDED_RELU)
