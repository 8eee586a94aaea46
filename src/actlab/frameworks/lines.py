"""The lines of code that show a difference: written here, run by :func:`run`, then printed."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from actlab.catalog import Place
from actlab.frameworks import keras as keras_side
from actlab.frameworks.binding import Array, rounded

PREAMBLE = """\
import keras
import numpy as np
import tensorflow as tf
import torch


def torch_gradient(f, x):
    x.requires_grad_()
    y = f(x.clone())  # a function may work in place
    return torch.autograd.grad(y.sum(), x)[0]


def keras_gradient(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def torch_attention(mask, **options):  # all weights 1; one query, on the tokens 1 and 3
    layer = torch.nn.MultiheadAttention(1, 1, bias=False)
    for weight in layer.parameters():
        torch.nn.init.ones_(weight)
    tokens = torch.tensor([[1.0], [3.0]])
    mask = torch.tensor([mask])
    return layer(torch.ones(1, 1), tokens, tokens, attn_mask=mask, **options)[0]


def keras_attention(mask, dropout=0.0, **options):  # the same
    layer = keras.layers.MultiHeadAttention(
        1, 1, dropout=dropout, use_bias=False, kernel_initializer="ones"
    )
    tokens = tf.constant([[[1.0], [3.0]]])
    mask = tf.constant([[mask]])
    found = layer(tf.ones([1, 1, 1]), tokens, attention_mask=mask, **options)
    return found[0][0] if isinstance(found, tuple) else found[0]
"""
"""What every pair of lines presupposes."""


def write(
    place: Place,
    passed: Mapping[str, Any],
    quantity: str,
    dtype: str,
    x: Any,
    *,
    copies: int = 1,
    output: int | None = None,
    axis: int = -1,
) -> str:
    """One line that calls ``place`` with the arguments ``passed`` at ``x``.

    ``x`` is a number, of which the tensor holds ``copies``, or a row along ``axis``; ``output``
    picks the element of the result whose gradient is taken.
    """
    options = {name: _argument(name, value, dtype) for name, value in passed.items()}
    data = _literal(x, dtype, axis)
    if place.framework == "torch":
        kind = f"dtype=torch.{dtype}"
        shape = f"({copies},)"
        fed = (
            f"torch.full({shape}, {data}, {kind})"
            if copies > 1
            else f"torch.tensor([{data}], {kind})"
        )
        if place.is_class and "init" in options:  # a weight of its own
            options["dtype"] = f"torch.{dtype}"
    else:
        if dtype == "bfloat16" and _subnormal(x):  # given as text, it would arrive as zero
            array = f"np.full({copies}, {data}" if copies > 1 else f"np.array([{data}]"
            fed = f'tf.constant({array}, "bfloat16"))'
        elif copies > 1:
            fed = f'tf.constant({data}, "{dtype}", shape=[{copies}])'
        else:
            fed = f'tf.constant([{data}], "{dtype}")'
        if place.is_class:
            options["dtype"] = f'"{dtype}"'
    written = ", ".join(f"{name}={value}" for name, value in options.items())
    function = f"{place.path}({written})" if place.is_class else place.path
    if place.path == "torch.nn.RReLU":
        function += ".eval()"  # random while training
    bound = "" if place.is_class or not written else f", {written}"
    if quantity == "value":
        return f"{function}({fed}{bound})"
    if bound or output is not None:
        rest = ", :" * (-axis - 1)
        picked = "" if output is None else f"[..., {output}{rest}]"
        function = f"lambda x: {function}(x{bound}){picked}"
    return f"{place.framework}_gradient({function}, {fed})"


def run(line: str) -> Array | str:
    """Evaluate a line after the preamble: what it returned (float64), or the name of its error."""
    try:
        with warnings.catch_warnings(action="ignore"):
            result = eval(line, _namespace())
    except Exception as error:  # whatever the framework raises is the answer
        return type(error).__name__
    if hasattr(result, "detach"):
        result = result.detach().double()
    return np.asarray(result).astype(np.float64)


@functools.cache
def _namespace() -> dict[str, Any]:
    keras_side.start()
    names: dict[str, Any] = {}
    exec(PREAMBLE, names)
    return names


def shortest(x: float, dtype: str) -> str:
    """The shortest decimal that is this number in ``dtype`` (0.1 rather than 0.0999755859375)."""
    if not math.isfinite(x):
        return str(x)
    text = str(rounded(x, dtype)[()])
    if float(rounded(float(text), dtype)) != x:
        text = repr(x)
    if x == int(x) and abs(x) < 1e7:
        text = str(int(x)) + ".0"
        text = f"-{text}" if x == 0 and math.copysign(1, x) < 0 else text
    return text


def _argument(name: str, value: Any, dtype: str) -> str:
    """An argument's value as source code."""
    if name == "weight":
        return f"torch.tensor([{value!r}], dtype=torch.{dtype})"
    if name.endswith("_initializer") and isinstance(value, int | float):
        return f"keras.initializers.Constant({value!r})"
    return repr(value)


def _subnormal(x: Any) -> bool:
    size = np.abs(x)
    return bool(np.any((size > 0) & (size < np.finfo(np.float32).tiny)))


def _literal(x: Any, dtype: str, axis: int = -1) -> str:
    if isinstance(x, list):
        open_, close = "[" * (-axis - 1), "]" * (-axis - 1)
        return "[" + ", ".join(f"{open_}{_literal(e, dtype)}{close}" for e in x) + "]"
    return shortest(x, dtype) if np.isfinite(x) else f'float("{x}")'
