"""Which values a parameter may take: small tests for :class:`actlab.catalog.record.Parameter`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab import inputs


def real(value: Any) -> bool:
    """A finite number (not a bool)."""
    return inputs.is_real(inputs.number(value))


def positive(value: Any) -> bool:
    """A finite number above 0."""
    return real(value) and bool(value > 0)


def positive_or_inf(value: Any) -> bool:
    """A number above 0, infinity included."""
    return positive(value) or (isinstance(value, float) and value == math.inf)


def count(value: Any) -> bool:
    """A whole number of at least 1."""
    return inputs.is_integer(inputs.number(value)) and bool(value >= 1)


def flag(value: Any) -> bool:
    """True or False."""
    return isinstance(value, bool | np.bool_)


def array(*dimensions: int) -> Any:
    """A test for arrays of real numbers with one of these numbers of dimensions."""

    def test(value: Any) -> bool:
        if not isinstance(value, np.ndarray | list | tuple):
            return 0 in dimensions and real(value)
        try:
            return inputs.array(value, "").ndim in dimensions
        except TypeError:
            return False

    return test


def optional(test: Any) -> Any:
    """``None``, or what ``test`` allows."""
    return lambda value: value is None or test(value)
