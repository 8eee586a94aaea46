"""The curves from −1 to 1, centred on zero."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from actlab.catalog.places import keras_since_then, torch_since_then
from actlab.catalog.record import (
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


def _tanh_derivative(x: Array) -> Array:
    tail = np.exp(-2.0 * np.abs(x))
    return 4.0 * tail / (1.0 + tail) ** 2


def _squashing_properties(**_: Any) -> Properties:
    return Properties(
        range=Interval(-1.0, 1.0),
        zero_centred=True,
        monotonic=True,
        smoothness=math.inf,
        saturation=("soft", "soft"),
        limits=(-1.0, 1.0),
    )


TANH = Activation(
    name="tanh",
    title="Tanh (hyperbolic tangent)",
    family="tanh",
    summary="A sigmoid stretched to (−1, 1): 2·sigmoid(2x) − 1, centred on zero.",
    formula=r"\tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}}",
    origin=Origin(
        citation="LeCun et al., 1998",
        title="Efficient BackProp",
        url="https://doi.org/10.1007/3-540-49430-8_2",
    ),
    forward=np.tanh,
    backward=_tanh_derivative,
    describe=_squashing_properties,
    places=(
        *torch_since_then("torch.nn.Tanh"),
        *torch_since_then("torch.nn.functional.tanh"),
        *keras_since_then("keras.activations.tanh"),
    ),
)


def _hard_tanh(x: Array, min_val: float, max_val: float) -> Array:
    return np.where(np.isnan(x), x, np.clip(x, min_val, max_val))


def _hard_tanh_derivative(x: Array, min_val: float, max_val: float) -> Array:
    return np.where(np.isnan(x), x, ((x > min_val) & (x < max_val)).astype(np.float64))


def _hard_tanh_properties(min_val: float, max_val: float) -> Properties:
    return Properties(
        range=Interval(min_val, max_val, closed=(True, True)),
        zero_centred=min_val == -max_val,
        monotonic=True,
        smoothness=0,
        kinks=(float(min_val), float(max_val)),
        saturation=("hard", "hard"),
        limits=(float(min_val), float(max_val)),
    )


_HARD_TANH = {"min_val": -1.0, "max_val": 1.0}

HARD_TANH = Activation(
    name="hard_tanh",
    title="Hard tanh",
    family="tanh",
    summary="The identity, clipped at both ends.",
    formula=r"\min(\max(m, x), M), \quad m = -1,\ M = 1",
    origin=Origin(
        citation="Collobert et al., 2011",
        title="Natural Language Processing (almost) from Scratch",
        url="https://arxiv.org/abs/1103.0398",
    ),
    forward=_hard_tanh,
    backward=_hard_tanh_derivative,
    describe=_hard_tanh_properties,
    parameters=(
        Parameter("min_val", -1.0, "m, the smallest output", check=real, examples=(-2.0,)),
        Parameter("max_val", 1.0, "M, the largest output", check=real, examples=(2.0,)),
    ),
    constraint=Constraint("min_val < max_val", lambda min_val, max_val: min_val < max_val),
    places=(
        *torch_since_then(
            "torch.nn.Hardtanh",
            arguments={**_HARD_TANH, "inplace": False, "min_value": None, "max_value": None},
            note="min_value and max_value are deprecated names of min_val and max_val.",
        ),
        *torch_since_then(
            "torch.nn.functional.hardtanh", arguments={**_HARD_TANH, "inplace": False}
        ),
        *torch_since_then("torch.nn.functional.hardtanh_", arguments=_HARD_TANH),
        Place("keras.activations.hard_tanh"),
    ),
    aliases=("hardtanh",),
    kink_note="At both kinks the derivative is 0, that of the flat side.",
)


def _softsign(x: Array) -> Array:
    return np.where(np.isinf(x), np.sign(x), x / (1.0 + np.abs(x)))


def _softsign_derivative(x: Array) -> Array:
    share = 1.0 / (1.0 + np.abs(x))
    return share * share


SOFTSIGN = Activation(
    name="softsign",
    title="Softsign",
    family="tanh",
    summary="Like tanh from −1 to 1, but it gets there polynomially, not exponentially.",
    formula=r"\frac{x}{1 + |x|}",
    origin=Origin(
        citation="Turian et al., 2009",
        title="Quadratic Features and Deep Architectures for Chunking",
        url="https://aclanthology.org/N09-2062/",
    ),
    forward=_softsign,
    backward=_softsign_derivative,
    # The second derivative is −2 sign(x) / (1 + |x|)³: it jumps at 0.
    describe=lambda: replace(_squashing_properties(), smoothness=1, kinks=(0.0,)),
    places=(
        *torch_since_then("torch.nn.Softsign"),
        *torch_since_then("torch.nn.functional.softsign"),
        *keras_since_then("keras.activations.softsign"),
    ),
)

RECORDS = (TANH, HARD_TANH, SOFTSIGN)
