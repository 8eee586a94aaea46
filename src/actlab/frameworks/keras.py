"""Activations as Keras computes them (on its TensorFlow backend).

>>> from actlab import catalog
>>> from actlab.frameworks import keras as framework
>>> framework.values(catalog.get("leaky_relu"), [-2.0, 3.0], "float16", negative_slope=0.1)
array([-0.19995117,  3.        ])
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actlab.catalog import Activation, Place
from actlab.frameworks import layers
from actlab.frameworks.binding import (
    Array,
    arguments,
    choose,
    find,
    jacobian_axis,
    rounded,
)


@functools.cache
def start() -> None:
    """Import Keras on TensorFlow, told to share a GPU instead of taking all of its memory.

    Raises ``RuntimeError`` when Keras was already started on another backend.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {keras.backend.backend()!r}, expected 'tensorflow': set the "
            "environment variable KERAS_BACKEND=tensorflow before Keras is first imported."
        )
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def build(record: Activation, /, **params: Any) -> Callable[..., Any]:
    """The function as Keras has it, ready to call on a tensor.

    ``params`` bear the record's names. The first place in ``keras`` that takes them is built (a
    function with its arguments bound, or a layer), else the recipe of :mod:`actlab.recipes.keras`.

    Raises :class:`~actlab.catalog.ParameterError` for parameters and
    :class:`~actlab.frameworks.binding.UnavailableError` where there is neither.
    """
    return _build(record, None, params)


def at(
    record: Activation, place: Place, /, *, dtype: str | None = None, **params: Any
) -> Callable[..., Any]:
    """The function at one place, whichever it is; a layer computes in ``dtype`` if one is given.

    Without it a layer computes in Keras's default, float32, whatever it is fed.
    """
    return call(place, arguments(record, place, params), dtype=dtype)


def call(
    place: Place, passed: Mapping[str, Any], *, dtype: str | None = None
) -> Callable[..., Any]:
    """The object at ``place`` with these arguments of its own: a layer, or a function of x."""
    start()
    target = find(place.path)
    if not place.is_class:
        return functools.partial(target, **passed)
    import keras

    own = dict(passed)
    for name, value in passed.items():
        if name.endswith("_initializer") and isinstance(value, int | float):
            own[name] = keras.initializers.Constant(value)
    layer: Callable[..., Any] = target(**own, dtype=dtype)
    return layer


def tensor(x: npt.ArrayLike, dtype: str) -> Any:
    """``x`` rounded to ``dtype``, as a TensorFlow tensor."""
    start()
    import tensorflow as tf

    return tf.constant(rounded(x, dtype))


def values(record: Activation, x: npt.ArrayLike, dtype: str, /, **params: Any) -> Array:
    """f(x) as Keras returned it in ``dtype`` (``x`` is rounded to it first), in float64."""
    return evaluate(_build(record, dtype, params), x, dtype)


def gradients(record: Activation, x: npt.ArrayLike, dtype: str, /, **params: Any) -> Array:
    """f'(x) as ``GradientTape`` returned it in ``dtype``, in float64; shapes as ``derivative``."""
    axis = jacobian_axis(record)
    return differentiate(_build(record, dtype, params), x, dtype, axis=axis)


def evaluate(function: Callable[..., Any], x: npt.ArrayLike, dtype: str) -> Array:
    """Call a layer or function on ``x`` in ``dtype``; float64 array of what it returned."""
    return np.asarray(function(tensor(x, dtype))).astype(np.float64)


def differentiate(
    function: Callable[..., Any],
    x: npt.ArrayLike,
    dtype: str,
    *,
    axis: int | Literal["all"] | None = None,
) -> Array:
    """Its gradient by a tape: f' of an elementwise f, or the Jacobian (``catalog.Kind``).

    ``axis`` is the one along which outputs depend on inputs; "all" if every output may depend on
    every input.
    """
    inputs = tensor(x, dtype)
    import tensorflow as tf

    with tf.GradientTape(persistent=axis is not None) as tape:
        tape.watch(inputs)
        outputs = function(inputs)

    def row(seed: npt.NDArray[Any]) -> Array:
        typed = tf.constant(seed.astype(outputs.dtype.as_numpy_dtype))
        gradient = tape.gradient(outputs, inputs, typed, unconnected_gradients="zero")
        return np.asarray(gradient).astype(np.float64)

    if axis is None:
        return row(np.ones(outputs.shape))
    if axis == "all":
        seeds = np.eye(int(np.prod(outputs.shape))).reshape(-1, *outputs.shape)
        return np.stack([row(seed) for seed in seeds]).reshape(*outputs.shape, *inputs.shape)
    by_output = []
    for i in range(outputs.shape[axis]):
        one = np.zeros(outputs.shape)
        np.moveaxis(one, axis, 0)[i] = 1
        by_output.append(np.moveaxis(row(one), axis, -1))
    return np.stack(by_output, axis=axis - 1)


def _build(record: Activation, dtype: str | None, params: dict[str, Any]) -> Callable[..., Any]:
    start()
    from actlab.recipes.keras import RECIPES

    if record.kind == "layer" and record.name in layers.KERAS:
        return layers.KERAS[record.name](dtype or "float32", record.resolve(params))
    found = choose(record, "keras", params, RECIPES)
    if isinstance(found, Place):
        return at(record, found, dtype=dtype, **params)
    order = {"data_format": "channels_first"} if record.axis == -3 else {}  # as in the record
    layer: Callable[..., Any] = found(**params, **order, dtype=dtype)
    return layer
