"""Every unit of a network as a dot, layer by layer, and which of them are marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.plots.style import INK, NEUTRAL, Plot, axis, label

ACROSS = 8  # dots in a row of a layer's block


def units(layers: Sequence[npt.ArrayLike], *, marked: str, ax: Any | None = None) -> Plot:
    """One block of dots per layer, the first layer on the left; marked units are dark and hollow.

    - ``layers``: for each layer an array of truth values, one per unit.
    - ``marked``: what a marked unit is ("dead"), for the title.

    Raises ``ValueError`` where there is no layer or a layer is no row of truth values.
    """
    found = [np.asarray(layer) for layer in layers]
    if not found or any(
        layer.ndim != 1 or layer.dtype != bool or not layer.size for layer in found
    ):
        raise ValueError(
            "layers: expected for each layer a row of truth values, one per unit, got "
            f"{[(layer.dtype.name, layer.shape) for layer in found]}."
        )
    ax = axis(ax, height=3.4)
    rows = max(-(-layer.size // ACROSS) for layer in found)
    dots = {}
    for number, layer in enumerate(found):
        at = np.arange(layer.size)
        high = -(-layer.size // ACROSS)
        x = number * (ACROSS + 3) + at % ACROSS
        y = (rows - high) / 2 + at // ACROSS
        alive = {"s": 13, "color": NEUTRAL[0], "linewidths": 0}
        silent = {"s": 11, "facecolors": "white", "edgecolors": INK, "linewidths": 0.8}
        for state, style in ((False, alive), (True, silent)):
            chosen = layer == state
            dots[number, state] = ax.scatter(x[chosen], y[chosen], **style)
    middle = [number * (ACROSS + 3) + (ACROSS - 1) / 2 for number in range(len(found))]
    shares = [100 * float(layer.mean()) for layer in found]
    names = [f"{n}\n{share:.0f} %" for n, share in enumerate(shares, 1)]
    ax.set_xticks(middle, names)
    ax.set_yticks([])
    ax.grid(False)
    ax.set_ylim(-1, rows)
    total, count = sum(layer.size for layer in found), sum(int(layer.sum()) for layer in found)
    title = f"{count} of {total} units are {marked} (hollow)"
    label(ax, title=title, x=f"hidden layer, and how many of its units are {marked}", y="")
    told = ", ".join(f"{share:.0f}" for share in shares)
    alt = (
        f"Every unit of {len(found)} hidden layers as a dot; {count} of {total} are {marked} and "
        f"hollow. By layer, in per cent: {told}."
    )
    return Plot(ax, alt, dots)
