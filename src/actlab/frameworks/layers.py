"""Layers with weights of their own: from the record's arrays into the framework's objects.

A record of the kind "layer" (attention, the adaptive softmax) takes its weights and further inputs
as parameters. Each function here turns those into something to call on a tensor ``x``, which
computes in ``dtype``. All raise :class:`~actlab.catalog.ParameterError` for what the framework's
object can not be.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from actlab.catalog import ParameterError
from actlab.frameworks.binding import Array, rounded

Function = Callable[[Any], Any]
ROLES = ("query", "key", "value", "output")


def torch_scaled_dot_product(dtype: str, params: Mapping[str, Any]) -> Function:
    """``torch.nn.functional.scaled_dot_product_attention``."""
    from torch.nn import functional

    key, value = _torch(params["key"], dtype), _torch(params["value"], dtype)
    mask, causal = _torch(params["mask"], dtype), params["causal"]

    def attend(x: Any) -> Any:
        keys = x if key is None else key
        values = keys if value is None else value
        if mask is None or not causal:
            return functional.scaled_dot_product_attention(
                x, keys, values, attn_mask=mask, is_causal=causal, scale=params["scale"]
            )
        both = _torch(_allowed(params, x.shape[-2], keys.shape[-2]), dtype)
        return functional.scaled_dot_product_attention(
            x, keys, values, attn_mask=both, scale=params["scale"]
        )

    return attend


def torch_multi_head(dtype: str, params: Mapping[str, Any]) -> Function:
    """``torch.nn.MultiheadAttention``, whose heads share as many features as the query has."""
    import torch

    weights = {role: np.asarray(params[f"{role}_weight"], float) for role in ROLES}
    features = weights["query"].shape[1]
    if any(len(weights[role]) != features for role in ROLES):
        raise ParameterError(
            f"torch.nn.MultiheadAttention projects everything to the query's {features} features; "
            f"got {', '.join(f'{len(weights[role])} for the {role}' for role in ROLES)}."
        )
    module = torch.nn.MultiheadAttention(
        features,
        params["num_heads"],
        kdim=weights["key"].shape[1],
        vdim=weights["value"].shape[1],
        batch_first=True,
        dtype=getattr(torch, dtype),
    ).eval()
    biases = [_or_zeros(params[f"{role}_bias"], features) for role in ROLES]
    own = dict(module.named_parameters())
    values = {
        "out_proj.weight": weights["output"],
        "out_proj.bias": biases[3],
        "in_proj_bias": np.concatenate(biases[:3]),
        "in_proj_weight": np.concatenate([weights[role] for role in ROLES[:3]])
        if "in_proj_weight" in own
        else None,
        **{f"{role[0]}_proj_weight": weights[role] for role in ROLES[:3]},
    }
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(_torch(values[name], dtype))

    def attend(x: Any) -> Any:
        keys = x if params["key"] is None else _torch(params["key"], dtype)
        values = keys if params["value"] is None else _torch(params["value"], dtype)
        mask = _allowed(params, x.shape[-2], keys.shape[-2])
        if mask is not None and mask.dtype == bool:
            mask = ~mask  # True means here: do not look
        return module(x, keys, values, attn_mask=_torch(mask, dtype), need_weights=False)[0]

    return attend


def torch_adaptive_log_softmax(dtype: str, params: Mapping[str, Any]) -> Function:
    """The ``log_prob`` of ``torch.nn.AdaptiveLogSoftmaxWithLoss``."""
    import torch

    head, tails, cutoffs = _adaptive(params)
    biased = params["head_bias"] is not None
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        head.shape[1], cutoffs[-1], cutoffs[:-1], div_value=1.0, head_bias=biased
    ).eval()
    module.head.weight = torch.nn.Parameter(_torch(head, dtype))
    if biased:
        module.head.bias = torch.nn.Parameter(_torch(params["head_bias"], dtype))
    for i, pair in enumerate(tails):
        cluster: Any = module.tail[i]
        for linear, weight in zip(cluster, pair, strict=True):
            linear.weight = torch.nn.Parameter(_torch(weight, dtype))
    function: Function = module.log_prob
    return function


def keras_scaled_dot_product(dtype: str, params: Mapping[str, Any]) -> Function:
    """``keras.layers.Attention``, which multiplies by nothing (scale 1) or by a weight."""
    import keras

    scale = params["scale"]
    layer = keras.layers.Attention(use_scale=scale != 1.0, dtype=dtype)

    def attend(x: Any) -> Any:
        factor = float(x.shape[-1]) ** -0.5 if scale is None else scale
        return _keras_attention(layer, x, dtype, params, [np.asarray(factor)])

    return attend


def keras_additive(dtype: str, params: Mapping[str, Any]) -> Function:
    """``keras.layers.AdditiveAttention``."""
    import keras

    layer = keras.layers.AdditiveAttention(dtype=dtype)

    def attend(x: Any) -> Any:
        scale = np.ones(x.shape[-1]) if params["scale"] is None else np.asarray(params["scale"])
        return _keras_attention(layer, x, dtype, params, [scale])

    return attend


def keras_multi_head(dtype: str, params: Mapping[str, Any]) -> Function:
    """``keras.layers.MultiHeadAttention``, or ``GroupQueryAttention`` where heads share keys."""
    import keras

    weights = {role: np.asarray(params[f"{role}_weight"], float) for role in ROLES}
    heads = params["num_heads"]
    shared = params.get("num_key_value_heads", heads)
    size = len(weights["query"]) // heads
    if "num_key_value_heads" in params:
        layer = keras.layers.GroupQueryAttention(size, heads, shared, dtype=dtype)
    else:
        layer = keras.layers.MultiHeadAttention(
            heads,
            size,
            value_dim=len(weights["value"]) // heads,
            output_shape=len(weights["output"]),
            dtype=dtype,
        )
    values = []
    for role, count in zip(ROLES, (heads, shared, shared, heads), strict=True):
        matrix, bias = weights[role], _or_zeros(params[f"{role}_bias"], len(weights[role]))
        if role == "output":
            values += [matrix.T.reshape(heads, -1, len(matrix)), bias]
        else:
            kernel = matrix.T.reshape(matrix.shape[1], count, -1)
            values += [kernel, bias.reshape(count, -1)]

    def attend(x: Any) -> Any:
        import tensorflow as tf

        query, key, value, mask = _keras_inputs(x, dtype, params)
        if not layer.built:
            layer.build(query.shape, value.shape, key.shape)
            layer.set_weights([rounded(array, dtype) for array in values])
        output = layer(
            query, value, key, attention_mask=mask, use_causal_mask=params["causal"], training=False
        )
        return output[0] if len(x.shape) == 2 else tf.convert_to_tensor(output)

    return attend


def keras_adaptive_log_softmax(dtype: str, params: Mapping[str, Any]) -> Function:
    """The course's recipe, :class:`actlab.recipes.keras.AdaptiveLogSoftmaxWithLoss`."""
    from actlab.recipes.keras import AdaptiveLogSoftmaxWithLoss

    head, tails, cutoffs = _adaptive(params)
    features = head.shape[1]
    widths = [len(down) for down, _ in tails]
    ratio = features / widths[0]
    if [int(features // ratio ** (i + 1)) for i in range(len(widths))] != widths:
        raise ParameterError(
            f"AdaptiveLogSoftmaxWithLoss: clusters of {widths} numbers are not {features} features "
            "divided by the powers of one number."
        )
    biased = params["head_bias"] is not None
    layer = AdaptiveLogSoftmaxWithLoss(
        cutoffs[-1], cutoffs[:-1], div_value=ratio, head_bias=biased, dtype=dtype
    )
    layer.build((None, features))
    values = [head.T, *([np.asarray(params["head_bias"])] if biased else [])]
    values += [weight.T for pair in tails for weight in pair]
    layer.set_weights([rounded(array, dtype) for array in values])
    function: Function = layer.log_prob
    return function


def _keras_attention(
    layer: Any, x: Any, dtype: str, params: Mapping[str, Any], weights: list[Array]
) -> Any:
    query, key, value, mask = _keras_inputs(x, dtype, params)
    if mask is not None:
        raise ParameterError(
            f"keras.layers.{type(layer).__name__} masks whole queries and keys, not pairs of them; "
            "it can not be given this mask."
        )
    if not layer.built:
        layer.build([query.shape, value.shape, key.shape])
        if layer.weights:
            layer.set_weights([rounded(array, dtype) for array in weights])
    output = layer([query, value, key], use_causal_mask=params["causal"], training=False)
    return output[0] if len(x.shape) == 2 else output


def _keras_inputs(x: Any, dtype: str, params: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Query, key, value and mask with a batch dimension, which Keras insists on."""
    import tensorflow as tf

    def given(name: str, otherwise: Any) -> Any:
        array = params[name]
        if array is None:
            return otherwise
        tensor = tf.constant(rounded(array, dtype))
        return tensor[None] if len(tensor.shape) == 2 else tensor

    query = x[None] if len(x.shape) == 2 else x
    key = given("key", query)
    mask = params["mask"]
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise ParameterError("Keras's attention takes a boolean mask, not numbers to add.")
        mask = np.broadcast_to(mask, (1, query.shape[-2], key.shape[-2]))
    return query, key, given("value", key), mask


def _allowed(params: Mapping[str, Any], queries: int, keys: int) -> Any:
    """The mask with causality in it: boolean (True: look), numbers to add, or None."""
    mask = None if params["mask"] is None else np.broadcast_to(params["mask"], (queries, keys))
    if not params["causal"]:
        return mask
    lower = np.tri(queries, keys, dtype=bool)
    if mask is None:
        return lower
    return mask & lower if mask.dtype == bool else np.where(lower, mask, -np.inf)


def _adaptive(params: Mapping[str, Any]) -> tuple[Array, list[tuple[Array, Array]], list[int]]:
    """The head, the clusters, and where the clusters begin (and the last one ends)."""
    tails = [(np.asarray(down, float), np.asarray(up, float)) for down, up in params["tails"]]
    head = np.asarray(params["head_weight"], float)
    sizes = [len(head) - len(tails), *(len(up) for _, up in tails)]
    return head, tails, list(itertools.accumulate(sizes))


def _torch(array: Any, dtype: str) -> Any:
    """A tensor in ``dtype`` (masks stay boolean), None for None."""
    import torch

    if array is None:
        return None
    if np.asarray(array).dtype == bool:
        return torch.from_numpy(np.array(array))
    return torch.from_numpy(rounded(array, dtype).astype(np.float64)).to(getattr(torch, dtype))


def _or_zeros(bias: Any, size: int) -> Array:
    return np.zeros(size) if bias is None else np.asarray(bias, dtype=np.float64)


TORCH: dict[str, Callable[[str, Mapping[str, Any]], Function]] = {
    "scaled_dot_product_attention": torch_scaled_dot_product,
    "multi_head_attention": torch_multi_head,
    "adaptive_log_softmax": torch_adaptive_log_softmax,
}
KERAS: dict[str, Callable[[str, Mapping[str, Any]], Function]] = {
    "scaled_dot_product_attention": keras_scaled_dot_product,
    "additive_attention": keras_additive,
    "multi_head_attention": keras_multi_head,
    "grouped_query_attention": keras_multi_head,
    "adaptive_log_softmax": keras_adaptive_log_softmax,
}
"""Name of the record → the function that builds it."""
