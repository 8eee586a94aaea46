"""The functions that take something away from every input: made for denoising and sparse codes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab.catalog.places import torch_since_then
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

_THRESHOLD = Parameter(
    "threshold",
    0.5,
    "λ: input of no more than this size becomes 0",
    valid="a positive number",
    check=positive,
    examples=(0.1, 2.0),
)


def _shrinking_properties(smoothness: float, kinks: tuple[float, ...] = ()) -> Properties:
    return Properties(
        range=Interval(-math.inf, math.inf),
        zero_centred=True,
        monotonic=True,
        smoothness=smoothness,
        kinks=kinks,
        saturation=(None, None),
        limits=(-math.inf, math.inf),
    )


def _soft_shrink(x: Array, threshold: float) -> Array:
    return np.where(np.isnan(x), x, x - np.clip(x, -threshold, threshold))


def _shrink_derivative(x: Array, threshold: float) -> Array:
    return np.where(np.isnan(x), x, (np.abs(x) > threshold).astype(np.float64))


SOFT_SHRINK = Activation(
    name="soft_shrink",
    title="Soft shrink",
    family="shrink",
    summary="Moves every input towards 0 by λ and stops there.",
    formula=r"\operatorname{sign}(x) \max(|x| - \lambda, 0)",
    origin=Origin(
        citation="Donoho, 1995",
        title="De-noising by soft-thresholding",
        url="https://doi.org/10.1109/18.382009",
    ),
    forward=_soft_shrink,
    backward=_shrink_derivative,
    describe=lambda threshold: _shrinking_properties(0, (-float(threshold), float(threshold))),
    parameters=(_THRESHOLD,),
    places=(
        *torch_since_then(
            "torch.nn.Softshrink", arguments={"lambd": 0.5}, names={"threshold": "lambd"}
        ),
        *torch_since_then(
            "torch.nn.functional.softshrink", arguments={"lambd": 0.5}, names={"threshold": "lambd"}
        ),
        Place("keras.activations.soft_shrink", arguments={"threshold": 0.5}),
    ),
    aliases=("softshrink",),
    kink_note="At both kinks the derivative is 0, that of the flat side.",
)


def _hard_shrink(x: Array, threshold: float) -> Array:
    return np.where((np.abs(x) > threshold) | np.isnan(x), x, 0.0)


HARD_SHRINK = Activation(
    name="hard_shrink",
    title="Hard shrink",
    family="shrink",
    summary="Keeps what is larger than λ as it is and sets the rest to zero.",
    formula=r"\begin{cases} x & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}",
    origin=Origin(
        citation="Donoho & Johnstone, 1994",
        title="Ideal spatial adaptation by wavelet shrinkage",
        url="https://doi.org/10.1093/biomet/81.3.425",
    ),
    forward=_hard_shrink,
    backward=_shrink_derivative,
    describe=lambda threshold: _shrinking_properties(-1, (-float(threshold), float(threshold))),
    parameters=(_THRESHOLD,),
    places=(
        *torch_since_then(
            "torch.nn.Hardshrink", arguments={"lambd": 0.5}, names={"threshold": "lambd"}
        ),
        *torch_since_then(
            "torch.nn.functional.hardshrink", arguments={"lambd": 0.5}, names={"threshold": "lambd"}
        ),
        Place("keras.activations.hard_shrink", arguments={"threshold": 0.5}),
    ),
    aliases=("hardshrink",),
    kink_note="At both jumps the derivative is 0: the points belong to the flat piece.",
)


def _tanh_shrink(x: Array) -> Array:
    # x − tanh x cancels near 0. Lambert's tanh x = x / (1 + c), c = x² / (3 + x² / (5 + …)),
    # makes it x c / (1 + c), in which every operation adds positive numbers.
    near = np.clip(x, -2.0, 2.0)
    square = near * near
    fraction = np.zeros_like(x)
    for odd in range(41, 1, -2):
        fraction = square / (odd + fraction)
    return np.where(np.abs(x) < 2, near * (fraction / (1.0 + fraction)), x - np.tanh(x))


def _tanh_shrink_derivative(x: Array) -> Array:
    return np.tanh(x) ** 2


def _tanh_shrink_properties(**_: Any) -> Properties:
    return _shrinking_properties(math.inf)


TANH_SHRINK = Activation(
    name="tanh_shrink",
    title="Tanh shrink",
    family="shrink",
    summary="What tanh takes away: almost nothing near 0, the input less 1 far out.",
    formula=r"x - \tanh x",
    origin=Origin(
        citation="Collobert et al., 2011",
        title="Torch7: A Matlab-like Environment for Machine Learning",
        url="https://publications.idiap.ch/downloads/papers/2011/Collobert_NIPSWORKSHOP_2011.pdf",
    ),
    forward=_tanh_shrink,
    backward=_tanh_shrink_derivative,
    describe=_tanh_shrink_properties,
    places=(
        *torch_since_then("torch.nn.Tanhshrink"),
        *torch_since_then("torch.nn.functional.tanhshrink"),
        Place("keras.activations.tanh_shrink"),
    ),
    aliases=("tanhshrink",),
)

RECORDS = (SOFT_SHRINK, HARD_SHRINK, TANH_SHRINK)
