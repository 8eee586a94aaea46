"""Signals through layers: every network's way, beside what theory expects."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.plots.style import INK, Plot, axis, label

Array = npt.NDArray[np.float64]


def ways(
    values: Array,
    expected: npt.ArrayLike,
    *,
    name: str,
    y: str,
    color: str,
    ax: Any | None = None,
    ratio: bool = False,
) -> Plot:
    """A quantity by layer in every network, (networks, layers), and what theory expects, dashed.

    ``ratio``: a positive quantity, on a logarithmic axis; the title says how far the networks are
    apart in the last layer, as a ratio or a difference.
    """
    ax = axis(ax, height=3.0)
    layers = np.arange(1, values.shape[1] + 1)
    lines = ax.plot(layers, values.T, color=color, linewidth=0.8, alpha=0.6)
    (dashed,) = ax.plot(layers, expected, color=INK, linestyle="--", label="infinitely wide")
    low, high = values[:, -1].min(), values[:, -1].max()
    apart = f"{high - low:.2f}"
    if ratio:  # two digits: the spread of twenty networks is not known better
        fold = high / low
        apart = f"{fold:.1f}-fold" if fold < 10 else f"{float(f'{fold:.2g}'):g}-fold"
    if ratio:
        ax.set_yscale("log")
        ax.minorticks_off()
    label(ax, title=f"{name}: {apart} apart", x="hidden layer", y=y)
    alt = (
        f"{y[0].upper() + y[1:]} by layer in {len(values)} networks, {name}; in layer "
        f"{layers[-1]} from {low:.2f} to {high:.2f}, where the theory of infinitely wide layers, a "
        "dashed line, says "
        f"{np.asarray(expected)[-1]:.2f}."
    ).replace("-0", "−0")
    return Plot(ax, alt, {"ways": lines, "expected": dashed})
