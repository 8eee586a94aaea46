"""The logistic curve, its logarithm, and its straight-line imitations."""

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


def _sigmoid(x: Array) -> Array:
    return numerics.logistic(x)


def _sigmoid_derivative(x: Array) -> Array:
    tail = np.exp(-np.abs(x))
    return tail / (1.0 + tail) ** 2


def _sigmoid_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(0.0, 1.0),
        zero_centred=False,
        monotonic=True,
        smoothness=math.inf,
        saturation=("soft", "soft"),
        limits=(0.0, 1.0),
    )


SIGMOID = Activation(
    name="sigmoid",
    title="Sigmoid (logistic)",
    family="sigmoid",
    summary="Squeezes the line into (0, 1); the probability that belongs to a log-odds.",
    formula=r"\frac{1}{1 + e^{-x}}",
    origin=Origin(
        citation="Rumelhart et al., 1986",
        title="Learning representations by back-propagating errors",
        url="https://doi.org/10.1038/323533a0",
    ),
    forward=_sigmoid,
    backward=_sigmoid_derivative,
    describe=_sigmoid_properties,
    places=(
        *torch_since_then("torch.nn.Sigmoid"),
        *torch_since_then("torch.nn.functional.sigmoid"),
        *keras_since_then("keras.activations.sigmoid"),
    ),
    aliases=("logistic", "expit", "torch.special.expit"),
)


def _log_sigmoid(x: Array) -> Array:
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


def _log_sigmoid_derivative(x: Array) -> Array:
    return numerics.logistic(-x)


def _log_sigmoid_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(-math.inf, 0.0),
        zero_centred=False,
        monotonic=True,
        smoothness=math.inf,
        saturation=(None, "soft"),
        limits=(-math.inf, 0.0),
    )


LOG_SIGMOID = Activation(
    name="log_sigmoid",
    title="Log-sigmoid",
    family="sigmoid",
    summary="The logarithm of the sigmoid without its underflow; a log-likelihood, not a hidden "
    "layer's curve.",
    formula=r"\log \frac{1}{1 + e^{-x}}",
    origin=Origin(
        citation="Cox, 1958",
        title="The Regression Analysis of Binary Sequences",
        url="https://doi.org/10.1111/j.2517-6161.1958.tb00292.x",
    ),
    forward=_log_sigmoid,
    backward=_log_sigmoid_derivative,
    describe=_log_sigmoid_properties,
    places=(
        *torch_since_then("torch.nn.LogSigmoid"),
        *torch_since_then("torch.nn.functional.logsigmoid"),
        Place("keras.activations.log_sigmoid"),
    ),
    aliases=("logsigmoid",),
)


def _hard_sigmoid(x: Array, limit: float) -> Array:
    line = (np.clip(x, -limit, limit) + limit) / (2 * limit)
    return np.where(np.isnan(x), x, line)


def _hard_sigmoid_derivative(x: Array, limit: float) -> Array:
    return np.where(np.isnan(x), x, np.where(np.abs(x) < limit, 0.5 / limit, 0.0))


def _hard_sigmoid_properties(limit: float) -> Properties:
    return Properties(
        range=Interval(0.0, 1.0, closed=(True, True)),
        zero_centred=False,
        monotonic=True,
        smoothness=0,
        kinks=(-float(limit), float(limit)),
        saturation=("hard", "hard"),
        limits=(0.0, 1.0),
    )


HARD_SIGMOID = Activation(
    name="hard_sigmoid",
    title="Hard sigmoid",
    family="sigmoid",
    summary="A sigmoid of three straight pieces, cheap to compute and flat at both ends.",
    formula=r"\min\left(\max\left(0, \frac{x + L}{2L}\right), 1\right)",
    origin=Origin(
        citation="Howard et al., 2019",
        title="Searching for MobileNetV3",
        url="https://arxiv.org/abs/1905.02244",
    ),
    forward=_hard_sigmoid,
    backward=_hard_sigmoid_derivative,
    describe=_hard_sigmoid_properties,
    parameters=(
        Parameter(
            "limit",
            3.0,
            "L: the ends are reached at −L and L, the slope between is 1 / (2L)",
            valid="a positive number",
            check=positive,
            examples=(2.5, 1.0),
        ),
    ),
    places=(
        *torch_since_then("torch.nn.Hardsigmoid", arguments={"inplace": False}),
        *torch_since_then("torch.nn.functional.hardsigmoid", arguments={"inplace": False}),
        Place("keras.activations.hard_sigmoid"),
        Place(
            "tf.keras.activations.hard_sigmoid",
            when="then",
            settings={"limit": 2.5},
            note="Was clip(0.2 x + 0.5, 0, 1): slope 1/5 and ends at ±2.5. Since Keras 3 it is "
            "relu6(x + 3) / 6, as in PyTorch: slope 1/6 and ends at ±3.",
        ),
    ),
    kink_note="At both kinks the derivative is 0, that of the flat side.",
)

SPARSE_SIGMOID = Activation(
    name="sparse_sigmoid",
    title="Sparse sigmoid",
    family="sigmoid",
    summary="Sparsemax over an input and a zero: a hard sigmoid with its ends at −1 and 1.",
    formula=r"\min\left(\max\left(0, \frac{x + 1}{2}\right), 1\right)",
    origin=Origin(
        citation="Blondel et al., 2019",
        title="Learning with Fenchel-Young Losses",
        url="https://arxiv.org/abs/1901.02324",
    ),
    forward=lambda x: _hard_sigmoid(x, 1.0),
    backward=lambda x: _hard_sigmoid_derivative(x, 1.0),
    describe=lambda: _hard_sigmoid_properties(1.0),
    places=(Place("keras.activations.sparse_sigmoid"),),
    kink_note="At both kinks the derivative is 0, that of the flat side.",
)

RECORDS = (SIGMOID, LOG_SIGMOID, HARD_SIGMOID, SPARSE_SIGMOID)
