"""What the frameworks are fed: every 16-bit number, a dense grid of wider ones, and the edges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from actlab.frameworks.binding import Array, limits, numpy_dtype, rounded


def points(dtype: str, kinks: Iterable[float] = (), *, sparse: bool = False) -> Array:
    """Inputs for an elementwise function in ``dtype``: ascending float64, NaN last, shape ``(m,)``.

    All of float16 and bfloat16 (``sparse``: one in sixteen, and the edges). Of float32 and
    float64: steps of 1/64 on [-20, 20]; two numbers in every binade (every fourth in float64)
    and all powers of ten; ±0,
    the largest and smallest subnormal, the smallest normal and the largest number; every kink;
    where exp over- and underflows, where squares overflow and where 1 + exp(-x) rounds to 1; all
    of these with both neighbours; ±inf and NaN.
    """
    if numpy_dtype(dtype).itemsize == 2:
        bits = np.arange(2**16, dtype=np.uint16)
        with np.errstate(invalid="ignore"):  # signalling NaNs
            every = bits.view(numpy_dtype(dtype)).astype(np.float64)
        return _in_order(np.concatenate([every[::16], edges(dtype, kinks)]) if sparse else every)
    eps, tiny, largest, smallest = limits(dtype)
    step = 4 if dtype == "float64" else 1
    exponents = np.arange(np.log2(smallest), np.log2(largest), step).astype(int)
    logarithms = np.log([largest, tiny, smallest, eps])
    landmarks = [
        *kinks,
        *logarithms,
        *-logarithms,
        np.sqrt(largest),
        -np.sqrt(largest),
        *(sign * size for sign in (1, -1) for size in (smallest, tiny / 2, tiny, largest, eps)),
    ]
    around = beside(rounded(landmarks, dtype))
    with np.errstate(over="ignore"):
        binades = np.outer([-1.0, 1.0], np.outer([1.0, 1.375], np.ldexp(1.0, exponents))).ravel()
    decimals = np.arange(np.log10(tiny), np.log10(largest)).astype(int)
    decades = np.outer([-1.0, 1.0], 10.0**decimals).ravel()
    grid = np.arange(-20, 20 + 1 / 64, 1 / 64)
    wide = np.linspace(-1, 1, 1537) * 1.05 * logarithms[0]
    specials = [-0.0, 0.0, -np.inf, np.inf, np.nan]
    return _in_order(
        rounded(np.concatenate([around, binades, decades, grid, wide, specials]), dtype).astype(
            np.float64
        )
    )


def edges(dtype: str, kinks: Iterable[float] = ()) -> Array:
    """The few of :func:`points` at which a single number may fare differently from an array."""
    _, tiny, largest, smallest = limits(dtype)
    sizes = [smallest, tiny / 2, largest]
    near = beside(rounded(list(kinks), dtype))
    return _in_order(np.array([*near, *sizes, *np.negative(sizes), -np.inf, np.inf, np.nan]))


def beside(x: np.ndarray[Any, Any]) -> Array:
    """Each number with its next lower and next higher neighbour in its own dtype, as float64."""
    with np.errstate(all="ignore"):
        low = np.nextafter(x, x.dtype.type(-np.inf))
        high = np.nextafter(x, x.dtype.type(np.inf))
    return np.concatenate([part.astype(np.float64) for part in (low, x, high)])


def _in_order(x: Array) -> Array:
    """Ascending and unique, -0 before +0, one NaN at the end."""
    numbers = np.unique(x[~np.isnan(x) & (x != 0)])
    negative, positive = numbers[numbers < 0], numbers[numbers > 0]
    return np.concatenate([negative, [-0.0, 0.0], positive, [np.nan]])


def rows(dtype: str) -> dict[str, Array]:
    """Rows of four for functions of a whole row, by what is special about them."""
    _, tiny, largest, _ = limits(dtype)
    nan, inf = np.nan, np.inf
    named = {
        "ordinary": [0.5, -1.25, 2.0, 0.125],
        "ties": [1.0, 1.0, 0.0, 1.0],
        "small": [0.01, -0.02, 0.03, 0.015],
        "spread": [-3.0, 0.0, 3.0, 6.0],
        "zeros": [0.0, 0.0, 0.0, 0.0],
        "minus zeros": [-0.0, -0.0, 0.0, 0.0],
        "a tie at the border of the support": [1.0, 0.0, 0.0, -1.0],
        "two ahead": [2.0, 2.0, -1.0, -1.0],
        "far apart": [30.0, 0.0, -30.0, 15.0],
        "very far apart": [1000.0, -1000.0, 0.0, 1.0],
        "large and equal": [1000.0, 1000.0, 1000.0, 1000.0],
        "large": [5000.0, 5001.0, 4990.0, 5002.0],
        "largest": [largest, largest, 0.0, -largest],
        "half of the largest": [largest / 2, largest / 4, -largest / 2, 0.0],
        "subnormal": [tiny / 4, -tiny / 2, tiny / 8, 0.0],
        "one masked": [1.0, -inf, 0.0, 2.0],
        "all but one masked": [-inf, 1.0, -inf, -inf],
        "all masked": [-inf, -inf, -inf, -inf],
        "one infinite": [1.0, inf, 0.0, -1.0],
        "two infinite": [inf, inf, 0.0, 1.0],
        "both infinities": [inf, -inf, 0.0, 1.0],
        "a NaN": [1.0, nan, 0.0, 2.0],
    }
    return {name: rounded(row, dtype).astype(np.float64) for name, row in named.items()}
