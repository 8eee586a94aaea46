"""Softmax at work: every position of a sequence takes a weighted mean of the others' values."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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
from actlab.catalog.values import array, count, flag, optional, real

Mask = npt.NDArray[Any] | None


class _Attended(NamedTuple):
    """One sequence's output (L, V), and what its derivatives are made from."""

    output: Array
    weights: Array  # (L, S), rows sum to 1
    value: Array  # (S, V)
    score_by_query: Array  # (L, S, E): of score (i, m) with respect to query i
    score_by_key: Array  # (L, S, E): … with respect to key m

    def _by_score(self) -> Array:
        """dO_ik / d score_im = P_im (V_mk − O_ik)."""
        return self.weights[:, None, :] * (self.value.T[None] - self.output[:, :, None])

    def by_query(self) -> Array:
        """Shape (L, V, L, E)."""
        one = np.eye(len(self.output))
        result: Array = np.einsum("ikm,iml,ij->ikjl", self._by_score(), self.score_by_query, one)
        return result

    def by_key(self) -> Array:
        """Shape (L, V, S, E)."""
        result: Array = np.einsum("ikm,iml->ikml", self._by_score(), self.score_by_key)
        return result

    def by_value(self) -> Array:
        """Shape (L, V, S, V)."""
        result: Array = np.einsum("im,kl->ikml", self.weights, np.eye(self.value.shape[1]))
        return result


def _attend(value: Array, scores: Array, by_query: Array, by_key: Array, mask: Mask) -> _Attended:
    """Weighted means of ``value`` by the softmax of ``scores``, those less what is masked."""
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return _Attended(weights @ value, weights, value, by_query, by_key)


def _dot_product(query: Array, key: Array, value: Array, scale: float, mask: Mask) -> _Attended:
    shape = (len(query), len(key), query.shape[1])
    return _attend(
        value,
        scale * (query @ key.T),
        scale * np.broadcast_to(key, shape),
        scale * np.broadcast_to(query[:, None], shape),
        mask,
    )


def _additive(query: Array, key: Array, value: Array, scale: Array, mask: Mask) -> _Attended:
    inside = np.tanh(query[:, None] + key[None])
    slope = scale * (1.0 - inside**2)
    return _attend(value, inside @ scale, slope, slope, mask)


def _sequence(name: str, role: str, given: Any, x: Array, features: int | None) -> Array:
    """``given`` as an array with x's batch dimensions, or x itself where it is None."""
    result = x if given is None else np.asarray(given, dtype=np.float64)
    if result.ndim != x.ndim or result.shape[:-2] != x.shape[:-2]:
        raise ValueError(
            f"{name}: {role} of shape {result.shape} does not fit query of shape {x.shape}; "
            f"expected {(*x.shape[:-2], 'positions', 'features')}."
        )
    if features is not None and result.shape[-1] != features:
        raise ValueError(
            f"{name}: {role} has {result.shape[-1]} features, expected {features} "
            f"(shape {result.shape})."
        )
    return result


def _mask(name: str, mask: Any, causal: bool, positions: tuple[int, int]) -> Mask:
    """The mask as (L, S): boolean, True where to look, or a number to add to each score."""
    lower = np.tri(*positions, dtype=bool)
    if mask is None:
        return lower if causal else None
    result = np.asarray(mask)
    try:
        result = np.broadcast_to(result, positions)
    except ValueError:
        raise ValueError(
            f"{name}: mask of shape {result.shape} does not fit {positions[0]} queries and "
            f"{positions[1]} keys."
        ) from None
    if not causal:
        return result
    return result & lower if result.dtype == bool else np.where(lower, result, -np.inf)


# Of one sequence: the output, and the derivative for when it is asked for (it is the larger).
_One = Callable[[Array, Array, Array, Mask], tuple[Array, Callable[[], Array]]]


def _over_batch(
    name: str, x: Array, one: _One, *, derive: bool, key: Any, value: Any, mask: Any, causal: bool
) -> Array:
    """``one`` applied to every sequence of a batch: the outputs, or the derivative by x.

    x: (…, L, E). The derivative has the shape output.shape + x.shape, zero between sequences.
    """
    if x.ndim < 2:
        raise ValueError(f"{name}: expected (…, positions, features), got shape {x.shape}.")
    keys = _sequence(name, "key", key, x, None)
    values = keys if value is None else _sequence(name, "value", value, x, None)
    if values.shape[-2] != keys.shape[-2]:
        raise ValueError(
            f"{name}: expected as many values as keys, got {values.shape[-2]} values and "
            f"{keys.shape[-2]} keys."
        )
    together = _mask(name, mask, causal, (x.shape[-2], keys.shape[-2]))
    batch = x.shape[:-2]
    places = list(np.ndindex(batch))
    results = [one(x[at], keys[at], values[at], together) for at in places]
    shape = (*batch, *results[0][0].shape)
    if not derive:
        return np.stack([output for output, _ in results]).reshape(shape)
    whole = np.zeros(shape + x.shape)
    for at, (_, derivative) in zip(places, results, strict=True):
        whole[(*at, slice(None), slice(None), *at)] = derivative()
    return whole


def _by_x(
    attended: _Attended, key: Any, value: Any, through: tuple[Array, Array, Array] | None = None
) -> Array:
    """The derivative by x: the query and, where none is given, key and value too.

    ``through`` are the projections (to, from) that query, key and value have passed.
    """
    by = (attended.by_query, attended.by_key, attended.by_value)
    is_x = (True, key is None, key is None and value is None)
    parts = [
        part() if through is None else part() @ through[i]
        for i, (part, wanted) in enumerate(zip(by, is_x, strict=True))
        if wanted
    ]
    return sum(parts[1:], parts[0])


def _scaled_dot_product(
    x: Array, *, scale: float | None, key: Any, value: Any, **rest: Any
) -> Array:
    name = "scaled_dot_product_attention"
    factor = 1 / math.sqrt(x.shape[-1]) if scale is None else scale

    def one(q: Array, k: Array, v: Array, m: Mask) -> tuple[Array, Callable[[], Array]]:
        _sequence(name, "key", k, q, q.shape[-1])
        attended = _dot_product(q, k, v, factor, m)
        return attended.output, lambda: _by_x(attended, key, value)

    return _over_batch(name, x, one, key=key, value=value, **rest)


_KEY = Parameter(
    "key",
    None,
    "what the queries x are compared with; None for x itself (self-attention)",
    valid="None or an array shaped like the input, with any number of positions",
    check=optional(array(*range(2, 9))),
)
_VALUE = Parameter(
    "value",
    None,
    "what is averaged; None for the key",
    valid="None or an array with as many positions as the key",
    check=optional(array(*range(2, 9))),
)
_MASK = Parameter(
    "mask",
    None,
    "which key each query may look at: True where it may, or a number to add to the score",
    valid="None or an array of shape (queries, keys)",
    check=optional(array(0, 1, 2)),
)
_CAUSAL = Parameter(
    "causal",
    False,
    "whether a query may look only at its own position and those before",
    valid="True or False",
    check=flag,
    examples=(True,),
)
_SEQUENCES = (_KEY, _VALUE, _MASK, _CAUSAL)


def _unbounded(**_: Any) -> Properties:
    return Properties(range=Interval(-math.inf, math.inf), smoothness=math.inf)


_VASWANI = Origin(
    citation="Vaswani et al., 2017",
    title="Attention Is All You Need",
    url="https://arxiv.org/abs/1706.03762",
)

_KERAS_CALL = "Called with [query, value, key]: the key comes last, and is the value if left out."

SCALED_DOT_PRODUCT_ATTENTION = Activation(
    name="scaled_dot_product_attention",
    title="Scaled dot-product attention",
    family="attention",
    kind="layer",
    summary="For every query the mean of the values, weighted by a softmax of the scaled products "
    "with the keys.",
    formula=r"\operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d}}\right) V",
    origin=_VASWANI,
    forward=partial(_scaled_dot_product, derive=False),
    backward=partial(_scaled_dot_product, derive=True),
    describe=_unbounded,
    parameters=(
        *_SEQUENCES,
        Parameter(
            "scale",
            None,
            "what the products are multiplied by; None for 1/√d with d features",
            valid="None or any real number",
            check=optional(real),
            examples=(1.0,),
        ),
    ),
    places=(
        Place(
            "torch.nn.functional.scaled_dot_product_attention",
            arguments={
                "key": REQUIRED,
                "value": REQUIRED,
                "attn_mask": None,
                "dropout_p": 0.0,
                "is_causal": False,
                "scale": None,
                "enable_gqa": False,
            },
            names={"mask": "attn_mask", "causal": "is_causal"},
            note="New in PyTorch 2.0. In a boolean mask True means: look here.",
        ),
        Place(
            "keras.layers.Attention",
            arguments={"use_scale": False, "score_mode": "dot", "dropout": 0.0, "seed": None},
            settings={"scale": 1.0},
            note=f"{_KERAS_CALL} The products are not divided by √d; use_scale=True learns a "
            "factor that starts at 1. In a mask True means: look here.",
        ),
        Place(
            "tf.keras.layers.Attention",
            when="then",
            arguments={"use_scale": False, "causal": False, "dropout": 0.0},
            settings={"scale": 1.0},
            note=f"{_KERAS_CALL} Whether it was causal was an argument of the layer, today it is "
            "one of the call (use_causal_mask).",
        ),
    ),
    aliases=("sdpa", "dot_product_attention", "keras.ops.dot_product_attention"),
)


def _additive_attention(x: Array, *, scale: Any, key: Any, value: Any, **rest: Any) -> Array:
    name = "additive_attention"
    factor = np.ones(x.shape[-1]) if scale is None else np.asarray(scale, dtype=np.float64)
    if factor.shape != x.shape[-1:]:
        raise ValueError(
            f"{name}: scale of shape {factor.shape} does not fit input of shape {x.shape}."
        )

    def one(q: Array, k: Array, v: Array, m: Mask) -> tuple[Array, Callable[[], Array]]:
        _sequence(name, "key", k, q, q.shape[-1])
        attended = _additive(q, k, v, factor, m)
        return attended.output, lambda: _by_x(attended, key, value)

    return _over_batch(name, x, one, key=key, value=value, **rest)


ADDITIVE_ATTENTION = Activation(
    name="additive_attention",
    title="Additive attention",
    family="attention",
    kind="layer",
    summary="Attention that compares query and key by a tanh of their sum, not by a product.",
    formula=r"\operatorname{softmax}_j\left(\sum_l w_l \tanh(Q_{il} + K_{jl})\right) V",
    origin=Origin(
        citation="Bahdanau et al., 2014",
        title="Neural Machine Translation by Jointly Learning to Align and Translate",
        url="https://arxiv.org/abs/1409.0473",
    ),
    forward=partial(_additive_attention, derive=False),
    backward=partial(_additive_attention, derive=True),
    describe=_unbounded,
    parameters=(
        *_SEQUENCES,
        Parameter(
            "scale",
            None,
            "w, a weight for every feature; None for ones",
            valid="None or a vector with an entry for every feature",
            check=optional(array(1)),
        ),
    ),
    places=(
        Place(
            "keras.layers.AdditiveAttention",
            arguments={"use_scale": True, "dropout": 0.0},
            note=f"{_KERAS_CALL} Its scale is learned and starts from Glorot's distribution. The "
            "projections of the paper are left to the layers before.",
        ),
        Place(
            "tf.keras.layers.AdditiveAttention",
            when="then",
            arguments={"use_scale": True, "causal": False, "dropout": 0.0},
            note=_KERAS_CALL,
        ),
        Place(
            "keras.layers.Attention",
            arguments={"use_scale": False, "score_mode": "dot", "dropout": 0.0, "seed": None},
            fixed={"score_mode": "concat"},
            note=f"{_KERAS_CALL} With this mode a learned scale is one number inside the tanh.",
        ),
    ),
)


def _projection(name: str, role: str, weight: Any, bias: Any, x: Array) -> tuple[Array, Array]:
    """X Wᵀ + b and W, after a look at the shapes."""
    matrix = np.asarray(weight, dtype=np.float64)
    if matrix.shape[1] != x.shape[-1]:
        raise ValueError(
            f"{name}: {role}_weight of shape {matrix.shape} does not fit {role} of shape {x.shape}."
        )
    offset = np.zeros(len(matrix)) if bias is None else np.asarray(bias, dtype=np.float64)
    if offset.shape != (len(matrix),):
        raise ValueError(
            f"{name}: {role}_bias of shape {offset.shape} does not fit {role}_weight of shape "
            f"{matrix.shape}."
        )
    return x @ matrix.T + offset, matrix


def _split(
    name: str, role: str, projected: Array, matrix: Array, heads: int
) -> list[tuple[Array, Array]]:
    """What every head gets of a projection, and the rows of the matrix that made it."""
    if len(matrix) % heads:
        raise ValueError(
            f"{name}: {role}_weight has {len(matrix)} rows, not a multiple of {heads} heads."
        )
    return list(
        zip(np.split(projected, heads, axis=1), np.split(matrix, heads, axis=0), strict=True)
    )


def _multi_head(
    name: str,
    x: Array,
    num_heads: int,
    num_key_value_heads: int,
    *,
    derive: bool,
    key: Any,
    value: Any,
    mask: Any,
    causal: bool,
    **weights: Any,
) -> Array:
    heads = {"query": num_heads, "key": num_key_value_heads, "value": num_key_value_heads}
    sharing = num_heads // num_key_value_heads

    def project(role: str, sequence: Array) -> tuple[Array, Array]:
        return _projection(name, role, weights[f"{role}_weight"], weights[f"{role}_bias"], sequence)

    def one(query: Array, k: Array, v: Array, allowed: Mask) -> tuple[Array, Callable[[], Array]]:
        inputs = {"query": query, "key": k, "value": v}
        of = {
            role: _split(name, role, *project(role, inputs[role]), heads[role]) for role in inputs
        }
        attended, through = [], []
        for head in range(num_heads):
            q, by_q = of["query"][head]
            k_head, by_k = of["key"][head // sharing]
            v_head, by_v = of["value"][head // sharing]
            if q.shape[1] != k_head.shape[1]:
                raise ValueError(
                    f"{name}: heads of {q.shape[1]} query and {k_head.shape[1]} key features "
                    "cannot be multiplied."
                )
            attended.append(_dot_product(q, k_head, v_head, 1 / math.sqrt(q.shape[1]), allowed))
            through.append((by_q, by_k, by_v))
        together = np.concatenate([each.output for each in attended], axis=1)
        output, mixing = project("output", together)

        def derivative() -> Array:
            parts = [
                _by_x(each, key, value, matrices)
                for each, matrices in zip(attended, through, strict=True)
            ]
            result: Array = np.einsum("ok,ikje->ioje", mixing, np.concatenate(parts, axis=1))
            return result

        return output, derivative

    return _over_batch(name, x, one, derive=derive, key=key, value=value, mask=mask, causal=causal)


def _multi_head_attention(x: Array, *, num_heads: int, **rest: Any) -> Array:
    return _multi_head("multi_head_attention", x, num_heads, num_heads, **rest)


def _grouped_query_attention(
    x: Array, *, num_heads: int, num_key_value_heads: int, **rest: Any
) -> Array:
    return _multi_head("grouped_query_attention", x, num_heads, num_key_value_heads, **rest)


_ROLES = ("query", "key", "value", "output")

_HEADS = Parameter(
    "num_heads", REQUIRED, "how many heads share the features", "a whole number ≥ 1", count
)
_WEIGHTS = (
    *(
        Parameter(
            f"{role}_weight",
            REQUIRED,
            "the last projection, (outputs, all heads' value features)"
            if role == "output"
            else f"the {role}'s projection, (outputs, inputs), its rows head after head",
            valid="a matrix",
            check=array(2),
        )
        for role in _ROLES
    ),
    *(
        Parameter(
            f"{role}_bias",
            None,
            f"added after the {role}'s projection",
            valid="None or a vector",
            check=optional(array(1)),
        )
        for role in _ROLES
    ),
)

_TORCH_MHA = {
    "embed_dim": REQUIRED,
    "num_heads": REQUIRED,
    "dropout": 0.0,
    "bias": True,
    "add_bias_kv": False,
    "add_zero_attn": False,
    "kdim": None,
    "vdim": None,
}
_TORCH_MHA_FORWARD = {
    "key": REQUIRED,
    "value": REQUIRED,
    "embed_dim_to_check": REQUIRED,
    "num_heads": REQUIRED,
    "in_proj_weight": REQUIRED,
    "in_proj_bias": REQUIRED,
    "bias_k": REQUIRED,
    "bias_v": REQUIRED,
    "add_zero_attn": REQUIRED,
    "dropout_p": REQUIRED,
    "out_proj_weight": REQUIRED,
    "out_proj_bias": REQUIRED,
    "training": True,
    "key_padding_mask": None,
    "need_weights": True,
    "attn_mask": None,
    "use_separate_proj_weight": False,
    "q_proj_weight": None,
    "k_proj_weight": None,
    "v_proj_weight": None,
    "static_k": None,
    "static_v": None,
}
_TORCH_NAMES = {
    "output_weight": "out_proj_weight",
    "output_bias": "out_proj_bias",
    "query_weight": "q_proj_weight",
    "key_weight": "k_proj_weight",
    "value_weight": "v_proj_weight",
    "mask": "attn_mask",
}
_TORCH_NOTE = (
    "In a boolean mask True means: do not look here, the opposite of "
    "scaled_dot_product_attention. Query, key and value projections are stacked in "
    "in_proj_weight; positions come first, the batch second"
)
_KERAS_INITIALIZERS = {
    "kernel_initializer": "glorot_uniform",
    "bias_initializer": "zeros",
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}
_KERAS_MHA_NOTE = (
    "Called as (query, value, key): the key comes last, and is the value if left out. In a mask "
    "True means: look here. key_dim is the size of one head."
)

MULTI_HEAD_ATTENTION = Activation(
    name="multi_head_attention",
    title="Multi-head attention",
    family="attention",
    kind="layer",
    summary="Several attentions side by side, each on its own projection, then mixed.",
    formula=r"\left[\operatorname{softmax}\left(\frac{Q_h K_h^\top}{\sqrt{d}}\right) V_h"
    r"\right]_{h = 1 \dots H} W_O^\top",
    origin=_VASWANI,
    forward=partial(_multi_head_attention, derive=False),
    backward=partial(_multi_head_attention, derive=True),
    describe=_unbounded,
    parameters=(_HEADS, *_WEIGHTS, *_SEQUENCES),
    places=(
        Place(
            "torch.nn.MultiheadAttention",
            arguments={**_TORCH_MHA, "batch_first": False},
            note=f"{_TORCH_NOTE} unless batch_first=True.",
        ),
        Place(
            "torch.nn.MultiheadAttention",
            when="then",
            arguments=_TORCH_MHA,
            note=f"{_TORCH_NOTE}.",
        ),
        Place(
            "torch.nn.functional.multi_head_attention_forward",
            arguments={
                **_TORCH_MHA_FORWARD,
                "average_attn_weights": True,
                "is_causal": False,
            },
            names={**_TORCH_NAMES, "causal": "is_causal"},
            note=f"{_TORCH_NOTE}.",
        ),
        Place(
            "torch.nn.functional.multi_head_attention_forward",
            when="then",
            arguments=_TORCH_MHA_FORWARD,
            names=_TORCH_NAMES,
            note=f"{_TORCH_NOTE}.",
        ),
        Place(
            "keras.layers.MultiHeadAttention",
            arguments={
                "num_heads": REQUIRED,
                "key_dim": REQUIRED,
                "value_dim": None,
                "dropout": 0.0,
                "use_bias": True,
                "output_shape": None,
                "attention_axes": None,
                "sliding_window": None,
                "flash_attention": None,
                **_KERAS_INITIALIZERS,
                "use_gate": False,
                "seed": None,
            },
            note=_KERAS_MHA_NOTE,
        ),
        Place(
            "tf.keras.layers.MultiHeadAttention",
            when="then",
            arguments={
                "num_heads": REQUIRED,
                "key_dim": REQUIRED,
                "value_dim": None,
                "dropout": 0.0,
                "use_bias": True,
                "output_shape": None,
                "attention_axes": None,
                **_KERAS_INITIALIZERS,
            },
            note=f"New in TensorFlow 2.4. {_KERAS_MHA_NOTE}",
        ),
    ),
)

GROUPED_QUERY_ATTENTION = Activation(
    name="grouped_query_attention",
    title="Grouped-query attention",
    family="attention",
    kind="layer",
    summary="Multi-head attention in which several query heads share one key and value head.",
    formula=r"\left[\operatorname{softmax}\left(\frac{Q_h K_{g(h)}^\top}{\sqrt{d}}\right) "
    r"V_{g(h)}\right]_{h = 1 \dots H} W_O^\top, \quad g(h) = \lceil h G / H \rceil",
    origin=Origin(
        citation="Ainslie et al., 2023",
        title="GQA: Training Generalized Multi-Query Transformer Models from Multi-Head "
        "Checkpoints",
        url="https://arxiv.org/abs/2305.13245",
    ),
    forward=partial(_grouped_query_attention, derive=False),
    backward=partial(_grouped_query_attention, derive=True),
    describe=_unbounded,
    parameters=(
        _HEADS,
        Parameter(
            "num_key_value_heads",
            REQUIRED,
            "G, how many key and value heads there are",
            "a whole number ≥ 1",
            count,
        ),
        *_WEIGHTS,
        *_SEQUENCES,
    ),
    constraint=Constraint(
        "num_heads a multiple of num_key_value_heads",
        lambda num_heads, num_key_value_heads, **_: num_heads % num_key_value_heads == 0,
    ),
    places=(
        Place(
            "keras.layers.GroupQueryAttention",
            arguments={
                "head_dim": REQUIRED,
                "num_query_heads": REQUIRED,
                "num_key_value_heads": REQUIRED,
                "dropout": 0.0,
                "use_bias": True,
                "sliding_window": None,
                "flash_attention": None,
                **_KERAS_INITIALIZERS,
                "use_gate": False,
                "seed": None,
            },
            names={"num_heads": "num_query_heads"},
            note=_KERAS_MHA_NOTE.replace("key_dim", "head_dim"),
        ),
    ),
    aliases=("group_query_attention",),
)

RECORDS = (
    SCALED_DOT_PRODUCT_ATTENTION,
    ADDITIVE_ATTENTION,
    MULTI_HEAD_ATTENTION,
    GROUPED_QUERY_ATTENTION,
)
