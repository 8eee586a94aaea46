"""The functions that make the numbers along an axis compete: probabilities and their logarithms."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from actlab.catalog import numerics
from actlab.catalog.places import keras_since_then, torch_since_then
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
from actlab.catalog.values import array, flag, optional, positive

_UNIT = Interval(0.0, 1.0)
_AXIS_NOTE = (
    "Without a dim it warns and guesses: 0 for 0, 1 or 3 dimensions, otherwise 1; the reference "
    "takes the last axis."
)


def _shifted(x: Array) -> tuple[Array, Array]:
    """X less its largest entry, as (rounded, rounding error); NaN where that is infinite."""
    return numerics.two_sum(x, -x.max(axis=-1, keepdims=True))


def _without_own(weights: Array) -> Array:
    """For every entry the sum of the others: 1 − p without cancellation where p is near 1."""
    n = weights.shape[-1]
    others: Array = weights @ (1.0 - np.eye(n))
    return others


def _probabilities(weights: Array) -> Array:
    total: Array = weights.sum(axis=-1, keepdims=True)
    return weights / total


def _jacobian(weights: Array) -> Array:
    """The softmax's: p_i (δ_ij − p_j), from unnormalised weights."""
    p = _probabilities(weights)
    result = -p[..., :, None] * p[..., None, :]
    own = np.arange(p.shape[-1])
    result[..., own, own] = p * _without_own(weights) / weights.sum(axis=-1, keepdims=True)
    return result


def _softmax(x: Array) -> Array:
    return _probabilities(numerics.exp(*_shifted(x)))


def _softmax_jacobian(x: Array) -> Array:
    return _jacobian(numerics.exp(*_shifted(x)))


SOFTMAX = Activation(
    name="softmax",
    title="Softmax",
    family="softmax",
    kind="vector",
    summary="Turns a vector of scores into probabilities: positive, summing to 1.",
    formula=r"\frac{e^{x_i}}{\sum_j e^{x_j}}",
    origin=Origin(
        citation="Bridle, 1989",
        title="Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum "
        "Mutual Information Estimation of Parameters",
        url="https://proceedings.neurips.cc/paper/1989/hash/"
        "0336dcbab05b9d5ad24f4333c7658a0e-Abstract.html",
    ),
    forward=_softmax,
    backward=_softmax_jacobian,
    describe=lambda: Properties(range=_UNIT, smoothness=math.inf),
    places=(
        *torch_since_then("torch.nn.Softmax", arguments={"dim": None}, note=_AXIS_NOTE),
        *torch_since_then("torch.nn.functional.softmax", arguments={"dim": None}, note=_AXIS_NOTE),
        Place("keras.activations.softmax", arguments={"axis": -1}),
        Place(
            "tf.keras.activations.softmax",
            when="then",
            arguments={"axis": -1},
            note="Refused a single vector: it wanted at least two dimensions.",
        ),
        *keras_since_then("keras.layers.Softmax", arguments={"axis": -1}),
    ),
)


def _log_softmax(x: Array) -> Array:
    shifted, error = _shifted(x)
    weights = numerics.exp(shifted, error)
    # Without the largest entry, whose weight is exactly 1: log1p sees what remains.
    np.put_along_axis(weights, x.argmax(axis=-1)[..., None], 0.0, axis=-1)
    rest = weights.sum(axis=-1, keepdims=True)
    rest = np.where(np.isnan(shifted).any(axis=-1, keepdims=True), np.nan, rest)
    return shifted + (error - np.log1p(rest))


def _log_softmax_jacobian(x: Array) -> Array:
    weights = numerics.exp(*_shifted(x))
    result = np.repeat(-_probabilities(weights)[..., None, :], x.shape[-1], axis=-2)
    own = np.arange(x.shape[-1])
    result[..., own, own] = _without_own(weights) / weights.sum(axis=-1, keepdims=True)
    return result


LOG_SOFTMAX = Activation(
    name="log_softmax",
    title="Log-softmax",
    family="softmax",
    kind="vector",
    summary="The logarithm of the softmax without its underflow: what cross-entropy is made of.",
    formula=r"x_i - \log \sum_j e^{x_j}",
    origin=SOFTMAX.origin,
    forward=_log_softmax,
    backward=_log_softmax_jacobian,
    describe=lambda: Properties(range=Interval(-math.inf, 0.0), smoothness=math.inf),
    places=(
        *torch_since_then("torch.nn.LogSoftmax", arguments={"dim": None}, note=_AXIS_NOTE),
        *torch_since_then(
            "torch.nn.functional.log_softmax", arguments={"dim": None}, note=_AXIS_NOTE
        ),
        Place("keras.activations.log_softmax", arguments={"axis": -1}),
    ),
)

SOFTMIN = Activation(
    name="softmin",
    title="Softmin",
    family="softmax",
    kind="vector",
    summary="The softmax of the negated input: the smallest score gets the largest share.",
    formula=r"\frac{e^{-x_i}}{\sum_j e^{-x_j}}",
    origin=SOFTMAX.origin,
    forward=lambda x: _softmax(-x),
    backward=lambda x: -_softmax_jacobian(-x),
    describe=lambda: Properties(range=_UNIT, smoothness=math.inf),
    places=(
        *torch_since_then("torch.nn.Softmin", arguments={"dim": None}, note=_AXIS_NOTE),
        *torch_since_then("torch.nn.functional.softmin", arguments={"dim": None}, note=_AXIS_NOTE),
    ),
)

SOFTMAX_2D = Activation(
    name="softmax2d",
    title="Softmax2d",
    family="softmax",
    kind="vector",
    axis=-3,
    summary="A softmax over the channels at every pixel of a (…, channels, height, width) image.",
    formula=r"\frac{e^{x_{c,h,w}}}{\sum_k e^{x_{k,h,w}}}",
    origin=Origin(
        citation="Long et al., 2014",
        title="Fully Convolutional Networks for Semantic Segmentation",
        url="https://arxiv.org/abs/1411.4038",
    ),
    forward=lambda x: np.moveaxis(_softmax(np.moveaxis(x, -3, -1)), -1, -3),
    backward=lambda x: np.moveaxis(_softmax_jacobian(np.moveaxis(x, -3, -1)), -2, -4),
    describe=lambda: Properties(range=_UNIT, smoothness=math.inf),
    places=torch_since_then("torch.nn.Softmax2d"),
)


_STEP = 2**1074  # every finite float64 is a whole number of steps of 1 / _STEP


@functools.partial(np.vectorize, signature="(n)->(n),(n)", otypes=[float, float])
def _on_simplex(row: Array) -> tuple[Array, Array]:
    """The nearest point of the simplex, rounded once, and 1 on its support; NaN where undefined.

    In whole numbers, as any rounding before the last can cost a small output all of its digits.
    """
    top = row.max()
    if not math.isfinite(top):
        return np.full(row.shape, np.nan), np.full(row.shape, np.nan)
    point, support = np.zeros_like(row), np.zeros_like(row)
    near = np.flatnonzero(row >= top - 1.0)  # what lies 1 or more below the largest gets 0
    ratios = [row[i].as_integer_ratio() for i in near]
    steps = [numerator * (_STEP // denominator) for numerator, denominator in ratios]
    size, total = 0, 0
    for step in sorted(steps, reverse=True):
        if _STEP + size * step <= total:
            break
        size, total = size + 1, total + step
    for i, step in zip(near, steps, strict=True):
        share = _STEP + size * step - total
        point[i], support[i] = max(share, 0) / (size * _STEP), share > 0
    return point, support


def _sparsemax(x: Array) -> Array:
    point: Array = _on_simplex(x)[0]
    return point


def _sparsemax_jacobian(x: Array) -> Array:
    support = _on_simplex(x)[1]
    pairs = support[..., :, None] * support[..., None, :]
    result: Array = np.eye(x.shape[-1]) * pairs - pairs / support.sum(axis=-1)[..., None, None]
    return result


SPARSEMAX = Activation(
    name="sparsemax",
    title="Sparsemax",
    family="softmax",
    kind="vector",
    summary="The nearest point of the probability simplex: a softmax that can say exactly 0.",
    formula=r"\max(0, x_i - \tau(x)), \quad \tau(x) \text{ such that the outputs sum to } 1",
    origin=Origin(
        citation="Martins & Astudillo, 2016",
        title="From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label "
        "Classification",
        url="https://arxiv.org/abs/1602.02068",
    ),
    forward=_sparsemax,
    backward=_sparsemax_jacobian,
    describe=lambda: Properties(range=Interval(0.0, 1.0, closed=(True, True)), smoothness=0),
    places=(Place("keras.activations.sparsemax", arguments={"axis": -1}),),
    kink_note="Where an output just reaches 0, the derivative is that of the side on which it "
    "stays 0.",
)


def _gumbel_weights(x: Array, tau: float, noise: Any) -> Array:
    noise = np.zeros(1) if noise is None else np.asarray(noise, dtype=np.float64)
    try:
        noise = np.broadcast_to(noise, x.shape)
    except ValueError:
        raise ValueError(
            f"gumbel_softmax: noise of shape {noise.shape} does not fit input of shape {x.shape}."
        ) from None
    scores, error = numerics.two_sum(x, noise)
    shifted, shift_error = _shifted(scores)
    top = scores.argmax(axis=-1)[..., None]
    error = shift_error + error - np.take_along_axis(error, top, axis=-1)
    ratio, ratio_error = numerics.quotient(shifted, tau)
    return numerics.exp(ratio, ratio_error + error / tau)


def _gumbel_softmax(x: Array, tau: float, hard: bool, noise: Any) -> Array:
    weights = _gumbel_weights(x, tau, noise)
    if not hard:
        return _probabilities(weights)
    one_hot = np.zeros_like(x)
    np.put_along_axis(one_hot, weights.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return np.where(np.isnan(weights).any(axis=-1, keepdims=True), np.nan, one_hot)


def _gumbel_softmax_jacobian(x: Array, tau: float, hard: bool, noise: Any) -> Array:
    return _jacobian(_gumbel_weights(x, tau, noise)) / tau


def _gumbel_softmax_properties(tau: float, hard: bool, noise: Any) -> Properties:
    if hard:
        return Properties(range=Interval(0.0, 1.0, closed=(True, True)), smoothness=-1)
    return Properties(range=_UNIT, smoothness=math.inf)


_GUMBEL = {"tau": 1, "hard": False, "eps": 1e-10, "dim": -1}

GUMBEL_SOFTMAX = Activation(
    name="gumbel_softmax",
    title="Gumbel-softmax",
    family="softmax",
    kind="vector",
    summary="Draws from a categorical distribution in a way that lets a gradient through; this "
    "reference adds the noise it is given, none by default.",
    formula=r"\frac{e^{(x_i + g_i) / \tau}}{\sum_j e^{(x_j + g_j) / \tau}},"
    r" \quad g_i = -\log(-\log u_i),\ u_i \sim \mathcal{U}(0, 1)",
    origin=Origin(
        citation="Jang et al., 2016",
        title="Categorical Reparameterization with Gumbel-Softmax",
        url="https://arxiv.org/abs/1611.01144",
    ),
    forward=_gumbel_softmax,
    backward=_gumbel_softmax_jacobian,
    describe=_gumbel_softmax_properties,
    parameters=(
        Parameter(
            "tau",
            1.0,
            "τ, the temperature: towards 0 the output becomes one-hot",
            valid="a positive number",
            check=positive,
            examples=(0.3, 2.0),
        ),
        Parameter(
            "hard",
            False,
            "whether to return the one-hot vector, with the soft one's derivative",
            valid="True or False",
            check=flag,
            examples=(True,),
        ),
        Parameter(
            "noise",
            None,
            "g, the Gumbel noise; the frameworks draw it anew each time",
            valid="None or an array that fits the input's shape",
            check=optional(array(*range(9))),
        ),
    ),
    places=torch_since_then(
        "torch.nn.functional.gumbel_softmax",
        arguments=_GUMBEL,
        note="Draws its own noise, training or not; eps is ignored.",
    ),
    stochastic=True,
    kink_note="With hard=True the derivative is the soft output's (straight-through).",
)


def _tail_logits(x: Array, tails: Sequence[Any]) -> list[Array]:
    return [x @ np.asarray(down).T @ np.asarray(up).T for down, up in tails]


def _head_logits(x: Array, head_weight: Any, head_bias: Any, tails: Sequence[Any]) -> Array:
    weight = np.asarray(head_weight, dtype=np.float64)
    features = weight.shape[1]
    if x.ndim < 1 or x.shape[-1] != features:
        raise ValueError(
            f"adaptive_log_softmax: head_weight takes {features} features, got input of shape "
            f"{x.shape}."
        )
    if weight.shape[0] <= len(tails):
        raise ValueError(
            f"adaptive_log_softmax: head_weight needs a row for every frequent class and one for "
            f"each of the {len(tails)} tails, got {weight.shape[0]} rows."
        )
    for number, (down, up) in enumerate(tails):
        rows, columns = np.shape(down), np.shape(up)
        if len(rows) != 2 or len(columns) != 2 or rows[1] != features or columns[1] != rows[0]:
            raise ValueError(
                f"adaptive_log_softmax: tail {number} needs weights of shapes (h, {features}) "
                f"and (classes, h), got {rows} and {columns}."
            )
    bias = 0.0 if head_bias is None else np.asarray(head_bias, dtype=np.float64)
    logits: Array = x @ weight.T + bias
    return logits


def _adaptive(x: Array, head_weight: Any, tails: Sequence[Any], head_bias: Any) -> Array:
    head = _log_softmax(_head_logits(x, head_weight, head_bias, tails))
    frequent = head.shape[-1] - len(tails)
    parts = [head[..., :frequent]]
    for number, logits in enumerate(_tail_logits(x, tails)):
        cluster = head[..., frequent + number, None]
        parts.append(cluster + _log_softmax(logits))
    return np.concatenate(parts, axis=-1)


def _adaptive_jacobian(x: Array, head_weight: Any, tails: Sequence[Any], head_bias: Any) -> Array:
    rows = x.reshape(-1, x.shape[-1])
    head_logits = _head_logits(rows, head_weight, head_bias, tails)
    head = _log_softmax_jacobian(head_logits) @ np.asarray(head_weight)
    frequent = head.shape[-2] - len(tails)
    parts = [head[:, :frequent]]
    for number, logits in enumerate(_tail_logits(rows, tails)):
        down, up = tails[number]
        inside = _log_softmax_jacobian(logits) @ np.asarray(up) @ np.asarray(down)
        parts.append(head[:, frequent + number, None] + inside)
    each = np.concatenate(parts, axis=1)  # (rows, classes, features): no row sees another
    n, classes, features = each.shape
    whole = np.zeros((n, classes, n, features))
    whole[np.arange(n), :, np.arange(n)] = each
    return whole.reshape(*x.shape[:-1], classes, *x.shape)


def _is_tails(value: Any) -> bool:
    weights = array(2)
    return isinstance(value, Sequence) and all(
        isinstance(pair, Sequence) and len(pair) == 2 and all(map(weights, pair)) for pair in value
    )


ADAPTIVE_LOG_SOFTMAX = Activation(
    name="adaptive_log_softmax",
    title="Adaptive log-softmax",
    family="softmax",
    kind="layer",
    summary="A log-softmax over very many classes: frequent ones at once, rare ones by way of a "
    "cluster with a smaller layer of its own.",
    formula=r"\begin{cases} \log p_{\text{head}}(i) & i \text{ frequent} \\"
    r" \log p_{\text{head}}(\text{cluster of } i) + \log p_{\text{cluster}}(i) &"
    r" \text{otherwise} \end{cases}",
    origin=Origin(
        citation="Grave et al., 2016",
        title="Efficient softmax approximation for GPUs",
        url="https://arxiv.org/abs/1609.04309",
    ),
    forward=_adaptive,
    backward=_adaptive_jacobian,
    describe=lambda **_: Properties(range=Interval(-math.inf, 0.0), smoothness=math.inf),
    parameters=(
        Parameter(
            "head_weight",
            REQUIRED,
            "a row for every frequent class and one for each cluster: (classes + clusters, "
            "features)",
            valid="a matrix",
            check=array(2),
        ),
        Parameter(
            "tails",
            REQUIRED,
            "for each cluster the weights of its two layers, (h, features) and (classes, h)",
            valid="a sequence of pairs of matrices",
            check=_is_tails,
        ),
        Parameter(
            "head_bias",
            None,
            "added to the head's scores",
            valid="None or a vector",
            check=optional(array(1)),
        ),
    ),
    places=torch_since_then(
        "torch.nn.AdaptiveLogSoftmaxWithLoss",
        arguments={
            "in_features": REQUIRED,
            "n_classes": REQUIRED,
            "cutoffs": REQUIRED,
            "div_value": 4.0,
            "head_bias": False,
        },
        note="The reference is its log_prob; called with targets it returns their log-probability "
        "and the mean loss. head_bias is a switch there, cutoffs are where the clusters begin.",
    ),
)

RECORDS = (
    SOFTMAX,
    LOG_SOFTMAX,
    SOFTMIN,
    SOFTMAX_2D,
    SPARSEMAX,
    GUMBEL_SOFTMAX,
    ADAPTIVE_LOG_SOFTMAX,
)
