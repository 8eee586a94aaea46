"""The function in which one half of the input decides how much of the other half passes."""

from __future__ import annotations

import math

import numpy as np

from actlab.catalog.places import torch_since_then
from actlab.catalog.record import Activation, Array, Interval, Origin, Place, Properties


def _halves(x: Array) -> tuple[Array, Array]:
    n = x.shape[-1]
    if n == 0 or n % 2:
        raise ValueError(
            f"glu halves the last axis: expected an even, positive length, got {n} "
            f"(input of shape {x.shape})."
        )
    return x[..., : n // 2], x[..., n // 2 :]


def _glu(x: Array) -> Array:
    value, gate = _halves(x)
    # σ(gate) in two factors, neither of which is subnormal: a large value times it stays exact.
    root = np.exp(-np.abs(gate) / 2)
    return np.where(gate < 0, value * root * (root / (1.0 + root * root)), value / (1 + root**2))


def _glu_jacobian(x: Array) -> Array:
    value, gate = _halves(x)
    root = np.exp(-np.abs(gate) / 2)
    tail = root * root
    by_value = np.where(gate < 0, tail, 1.0) / (1.0 + tail)
    by_gate = value * root * (root / (1.0 + tail) ** 2)
    one = np.eye(value.shape[-1])
    return np.concatenate([by_value[..., None] * one, by_gate[..., None] * one], axis=-1)


GLU = Activation(
    name="glu",
    title="GLU (gated linear unit)",
    family="gated",
    kind="gate",
    summary="The first half of the input times the sigmoid of the second.",
    formula=r"a \odot \sigma(b), \quad x = (a, b)",
    origin=Origin(
        citation="Dauphin et al., 2016",
        title="Language Modeling with Gated Convolutional Networks",
        url="https://arxiv.org/abs/1612.08083",
    ),
    forward=_glu,
    backward=_glu_jacobian,
    describe=lambda: Properties(range=Interval(-math.inf, math.inf), smoothness=math.inf),
    places=(
        *torch_since_then("torch.nn.GLU", arguments={"dim": -1}),
        *torch_since_then("torch.nn.functional.glu", arguments={"dim": -1}),
        Place("keras.activations.glu", arguments={"axis": -1}),
    ),
)

RECORDS = (GLU,)
