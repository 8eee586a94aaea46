"""Exact float64 building blocks: what is lost to rounding before an exponential comes back here.

The relative error of ``exp(y)`` is the *absolute* error of y: a y of 700 that carries half an ulp
costs 250 ulp in the result. So where an argument has to be computed (beta * x, x²/2), its
rounding error is computed too, and ``exp(y + error) = exp(y) * exp(error)``.
"""

from __future__ import annotations

import math

import numpy as np

from actlab.catalog.record import Array

_SPLIT = 2.0**27 + 1  # cuts a 53-bit number into two of 26 bits, whose products are exact


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """A + b as (rounded sum, its rounding error): the pair is exact (Knuth's TwoSum)."""
    total = a + b
    b_part = total - a
    error = (a - (total - b_part)) + (b - b_part)
    return total, _finite(error)


def two_product(a: Array, b: Array | float) -> tuple[Array, Array]:
    """A * b as (rounded product, its rounding error), exact by Dekker's product.

    The error is given as 0 where it is not representable (|a| or |b| above 1e300, or a product
    near the smallest number), where no caller of ours can see it.
    """
    product = a * b
    a_big = a * _SPLIT - (a * _SPLIT - a)
    b_big = b * _SPLIT - (b * _SPLIT - b)
    a_small, b_small = a - a_big, b - b_big
    error = a_small * b_small - (((product - a_big * b_big) - a_small * b_big) - a_big * b_small)
    return product, _finite(error)


def quotient(a: Array, b: float) -> tuple[Array, Array]:
    """A / b as (rounded quotient, its rounding error to double precision)."""
    ratio = a / b
    high, low = two_product(ratio, b)
    return ratio, _finite(((a - high) - low) / b)


def _finite(error: Array) -> Array:
    return np.where(np.isfinite(error), error, 0.0)


def exp(y: Array, error: Array | float = 0.0) -> Array:
    """The exponential of y + error, the error being what y was rounded by."""
    # Where the error itself is that large, exp(y) is 0 and must stay so.
    result: Array = np.exp(y) * np.exp(np.clip(error, -700.0, 700.0))
    return result


def logistic(y: Array, error: Array | float = 0.0) -> Array:
    """1 / (1 + exp(-(y + error))), without overflow and with its left tail intact."""
    tail = exp(-np.abs(y), -np.sign(y) * error)
    return np.where(y >= 0, 1.0, tail) / (1.0 + tail)


def normal_density(x: Array) -> Array:
    """The standard normal density; subnormal values included."""
    square, error = two_product(x, x)
    return exp(-square / 2, -error / 2) * (1 / math.sqrt(2 * math.pi))


def mills_ratio(t: Array) -> Array:
    """(1 - Φ(t)) / φ(t) for t ≥ 1.5 by Laplace's continued fraction.

    200 terms reach the last bit at t = 1.5; every operation adds positive numbers.
    """
    ratio = np.zeros_like(t)
    for term in range(200, 0, -1):
        ratio = term / (t + ratio)
    return 1.0 / (t + ratio)


_ERFC = np.vectorize(math.erfc, otypes=[np.float64])


def normal_cdf(x: Array) -> Array:
    """Φ(x) for x ≥ -1.5; to the left use :func:`mills_ratio`."""
    result: Array = 0.5 * _ERFC(-x / math.sqrt(2))
    return result
