"""What people bring, turned once into the arrays and numbers that the rest computes with.

No framework is imported here: a tensor is known by what it can do.
"""

from __future__ import annotations

import contextlib
import numbers
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def array(values: Any, name: str, kinds: str = "biuf") -> Array:
    """``values`` as a NumPy array of numbers, in C order and this machine's byte order.

    Taken are arrays of any layout (strided, read-only, memory-mapped, masked, sparse), numbers,
    lists, pandas frames and series (nullable ones too), tensors of PyTorch (on any device, with a
    gradient or without), TensorFlow and JAX, and whatever else has ``__array__``. What pandas or a
    mask calls missing becomes NaN; other numbers keep their dtype, but for bfloat16 and narrower
    ones, which NumPy does not have: they become float32. The result may share its memory with
    ``values``: do not write to it.

    Raises ``TypeError`` that begins with ``name`` for text, objects, dates, complex numbers
    (unless ``kinds``, of NumPy's dtypes, has ``"c"``), rows of different lengths, and for what can
    not be read as an array.
    """
    try:
        found = np.asarray(_readable(values, name))
    except Exception as error:  # of whatever library it comes from
        raise TypeError(
            f"{name}: expected real numbers, got a {type(values).__name__} that can not be read as "
            f"an array: {error}"
        ) from error
    if found.dtype.type.__module__ == "ml_dtypes":
        found = found.astype(np.float32)
    if found.dtype == object:
        found = _without_objects(found, name)
    if found.dtype.kind not in kinds:
        hint = ": turn text into numbers first" if found.dtype.kind in "SUT" else ""
        raise TypeError(
            f"{name}: expected real numbers (float or integer array), got dtype "
            f"{found.dtype}{hint}."
        )
    return np.asarray(found, dtype=found.dtype.newbyteorder("="), order="C")


def _readable(values: Any, name: str) -> Any:
    """Something that ``np.asarray`` reads without losing or misunderstanding it."""
    if hasattr(values, "detach"):  # a PyTorch tensor
        values = values.detach()
        values = values if str(values.layout) == "torch.strided" else values.to_dense()
        wide = values.dtype.itemsize > 1 and str(values.dtype) != "torch.bfloat16"
        values = values if wide or not values.is_floating_point() else values.float()
        values = values.numpy(force=True)
    elif callable(getattr(values, "numpy", None)):  # a TensorFlow tensor
        values = values.numpy()
    elif hasattr(values, "toarray"):  # a sparse matrix
        values = values.toarray()
    elif isinstance(values, np.ma.MaskedArray) and (mask := np.ma.getmaskarray(values)).any():
        values = np.where(mask, np.nan, values.data)  # np.asarray would forget the mask
    if hasattr(values, "iloc"):  # pandas, whose nullable columns would become objects
        dtypes = [values.dtype] if values.ndim == 1 else list(values.dtypes)
        nullable = any(not isinstance(dtype, np.dtype) for dtype in dtypes)
        if nullable and all(getattr(dtype, "kind", "O") in "biuf" for dtype in dtypes):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(values, (list, tuple)) and any(hasattr(v, "__array__") for v in values):
        return np.stack([array(v, name) for v in values])
    return values


def _without_objects(found: Array, name: str) -> Array:
    """The numbers inside an array of Python objects, pandas's NA as NaN."""
    if not found.ndim:
        raise TypeError(
            f"{name}: expected real numbers in an array or a list, got "
            f"{_short(found[()])} ({type(found[()]).__name__})."
        )
    inside = [np.nan if type(v).__name__ == "NAType" else v for v in found.flat]
    for value in inside:
        if not isinstance(value, (numbers.Real, np.bool_)):
            raise TypeError(
                f"{name}: expected real numbers (float or integer array), got dtype object, with "
                f"{_short(value)} ({type(value).__name__}) inside."
            )
    numeric = np.array(inside).reshape(found.shape)
    try:
        return numeric.astype(float) if numeric.dtype == object else numeric
    except OverflowError:
        raise TypeError(f"{name}: an integer inside is too large for any float.") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def labels(values: Any, name: str) -> npt.NDArray[np.int64]:
    """Class numbers, shape (n,), from integers, booleans or floats without a fraction.

    A column (n, 1) is one label a row. Raises ``TypeError`` for what are not numbers, and
    ``ValueError`` that says what to do for fractions, missing or negative labels, and one-hot rows.
    """
    y = array(values, name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        one_hot = np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
        raise ValueError(
            f"{name} has shape {y.shape}: expected (n,), one class number a row; "
            + (f"one-hot rows become that by {name}.argmax(1)." if one_hot else "not one row each.")
        )
    if y.ndim != 1:
        raise ValueError(f"{name} has shape {y.shape}: expected (n,), one class number a row.")
    if y.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = np.isfinite(y) & (np.floor(y) == y)
        if not whole.all():
            raise ValueError(
                f"{name} holds {y[~whole][0]} (row {np.flatnonzero(~whole)[0]}): expected class "
                "numbers 0, 1, 2, … without a fraction."
            )
    if len(y) and y.min() < 0:
        raise ValueError(f"{name} holds labels from {y.min():.0f} to {y.max():.0f}: {NUMBERED}")
    if len(y) and y.max() >= 2**31:
        raise ValueError(f"{name} holds the label {y.max():.0f}: {NUMBERED}")
    return y.astype(np.int64)


NUMBERED = (
    "expected 0 to k - 1 for k classes; classes, y = np.unique(y, return_inverse=True) numbers "
    "them so."
)


def number(value: Any) -> Any:
    """The Python bool, int or float for a number of any kind; anything else as it is.

    NumPy's numbers and arrays or tensors without an axis are numbers too: kept in a narrow type
    they would make all that is computed with them narrow.
    """
    if getattr(value, "shape", None) == () and not isinstance(value, np.generic):
        try:
            value = array(value, "")[()]
        except TypeError:
            return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def is_integer(value: Any) -> bool:
    """Whether :func:`number` gave an int (a bool is none)."""
    return type(value) is int


def is_real(value: Any) -> bool:
    """Whether :func:`number` gave an int or float that is a finite float (a bool is none)."""
    return type(value) in (int, float) and -sys.float_info.max <= value <= sys.float_info.max


def integer(value: Any, name: str, least: int, most: int | None = None) -> int:
    """A Python int from ``least`` to ``most``; a bool or 2.0 is none.

    Raises ``ValueError`` that begins with ``name``.
    """
    found = number(value)
    if is_integer(found) and least <= found and (most is None or found <= most):
        return int(found)
    if most is not None:
        expected = f"an integer from {least} to {most}"
    else:
        expected = {0: "zero or a positive integer", 1: "a positive integer"}.get(
            least, f"an integer of at least {least}"
        )
    raise ValueError(f"{name}={_short(value)}: expected {expected}.")


def several(values: Any, name: str, such_as: str) -> list[Any]:
    """The values of a list, an array or the like, each through :func:`number`.

    Raises ``TypeError`` that begins with ``name`` for a single one, and for text.
    """
    if not isinstance(values, (str, bytes)):
        with contextlib.suppress(TypeError):
            return list(map(number, values))
    raise TypeError(f"{name}={_short(values)}: expected a list, such as {such_as}.")


def choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """``value`` if it is one of the words. Raises ``ValueError`` that begins with ``name``."""
    if isinstance(value, str) and value in choices:
        return value
    *others, last = map(repr, choices)
    raise ValueError(f"{name}={_short(value)}: expected {', '.join(others)} or {last}.")
