"""A drawing of a small network: units as circles, weights as lines."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.plots.style import INK, NEUTRAL, Plot, axis

MOST = 5  # units of a layer that are drawn; of a larger one two, dots, and two
SIZE = 0.34  # of a unit, where layers are 2.4 apart and units 1


def network(
    layers: Mapping[str, Sequence[str]],
    *,
    weights: Sequence[npt.ArrayLike] = (),
    biases: Sequence[npt.ArrayLike] = (),
    title: str | None = None,
    ax: Any | None = None,
) -> Plot:
    """Layers from left to right, every unit joined to all of the next layer.

    - ``layers``: the layer's name → what stands in its units: ``{"inputs": ["x₁", "x₂"], "hidden":
      ["tanh"] * 4, "output": ["y"]}``.
    - ``weights``: of each layer but the first, shape (units out, units in): a positive weight is a
      solid blue line, a negative one dashed orange, its size the width; few of them are written
      on. ``biases``: of each layer but the first, (units out,): written under the units.
    - ``title``: without one, how many weights and biases such a network has.

    Raises ``ValueError`` for fewer than two layers, a layer without units, or weights or biases of
    another shape.
    """
    names, units = list(layers), [list(texts) for texts in layers.values()]
    matrices = _shaped(weights, units, "weights")
    offsets = _shaped(biases, units, "biases")
    ax = axis(ax, height=1.3 + 0.62 * max(min(len(texts), MOST) for texts in units))
    places = [_places(column, texts) for column, texts in enumerate(units)]
    drawn = [matrix for matrix in matrices if matrix.size]
    largest = max((float(np.abs(matrix).max()) for matrix in drawn), default=1.0) or 1.0
    written = sum(matrix.size for matrix in drawn) <= 16
    lines = {}
    for i in range(len(units) - 1):
        for a, start in places[i].items():
            for b, end in places[i + 1].items():
                weight = float(matrices[i][b, a]) if matrices else None
                lines[i, a, b] = _join(ax, (start, end), weight, largest, written)
    circles = {
        (i, unit): _unit(ax, place, units[i][unit], offsets[i - 1][unit] if offsets and i else None)
        for i, column in enumerate(places)
        for unit, place in column.items()
    }
    top = max(y for column in places for _, y in column.values()) + 0.5
    for column, (name, texts) in enumerate(zip(names, units, strict=True)):
        if len(texts) > MOST:
            ax.text(2.4 * column, 0, "⋮", ha="center", va="center", fontsize=16)
        over = f"{name}\n({len(texts)})" if len(texts) > MOST else name
        ax.text(2.4 * column, top, over, ha="center", va="bottom")
    pairs = list(itertools.pairwise(units))
    count = sum(len(a) * len(b) for a, b in pairs), sum(len(b) for _, b in pairs)
    ax.set_title(title or f"{count[0]:,} weights and {count[1]:,} biases")
    ax.set(xlim=(-0.9, 2.4 * (len(units) - 1) + 0.9), ylim=(-top - 0.05, top + 0.65))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return Plot(ax, _told(names, units, matrices, offsets), {"lines": lines, "units": circles})


def _shaped(
    given: Sequence[npt.ArrayLike], units: list[list[str]], what: str
) -> list[npt.NDArray[np.float64]]:
    """The arrays, each of the shape that its layer wants, or none at all."""
    if len(units) < 2 or not all(units):
        raise ValueError(f"layers: expected two or more, none empty, got {units}.")
    arrays = [np.asarray(array, np.float64) for array in given]
    shapes = [
        (len(after), len(before)) if what == "weights" else (len(after),)
        for before, after in itertools.pairwise(units)
    ]
    if arrays and [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"{what}: expected the shapes {shapes} (units out first), got "
            f"{[array.shape for array in arrays]}."
        )
    return arrays


def _places(column: int, texts: list[str]) -> dict[int, tuple[float, float]]:
    """Unit → where it is drawn; a large layer has a free place in its middle, for dots."""
    count, half = len(texts), MOST // 2
    slots = [slot for slot in range(min(count, MOST)) if count <= MOST or slot != half]
    shown = [slot if slot < half else slot + max(0, count - MOST) for slot in slots]
    middle = (min(count, MOST) - 1) / 2
    return {unit: (2.4 * column, middle - slot) for unit, slot in zip(shown, slots, strict=True)}


def _join(
    ax: Any,
    ends: tuple[tuple[float, float], tuple[float, float]],
    weight: float | None,
    largest: float,
    written: bool,
) -> Any:
    start, end = ends
    dashes: Any
    colour, dashes, width = INK, "-", 0.8
    if weight is not None:
        colour, dashes = (NEUTRAL[1], (0, (4, 2))) if weight < 0 else (NEUTRAL[0], "-")
        width = 0.4 + 3 * abs(weight) / largest
    (line,) = ax.plot(
        [start[0], end[0]],
        [start[1], end[1]],
        color=colour,
        linestyle=dashes,
        linewidth=width,
        zorder=1,
    )
    if weight is not None and written:
        at = 0.36  # before the middle, where lines cross
        ax.text(
            start[0] + at * (end[0] - start[0]),
            start[1] + at * (end[1] - start[1]),
            _number(weight),
            ha="center",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
    return line


def _unit(ax: Any, place: tuple[float, float], text: str, bias: float | None) -> Any:
    from matplotlib.patches import Circle

    circle = ax.add_patch(Circle(place, SIZE, facecolor="white", edgecolor=INK, zorder=2))
    ax.text(*place, text, ha="center", va="center", fontsize=9.5, zorder=3)
    if bias is not None:
        below = (place[0], place[1] - SIZE - 0.02)
        ax.text(*below, f"{bias:+.3g}".replace("-", "−"), ha="center", va="top", fontsize=9)
    return circle


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _told(
    names: list[str],
    units: list[list[str]],
    matrices: list[npt.NDArray[np.float64]],
    offsets: list[npt.NDArray[np.float64]],
) -> str:
    """The alt text: every layer with its units, and the numbers where there are few."""
    columns = [
        f"{name}: {len(texts)} units, {texts[0]} to {texts[-1]}"
        if len(texts) > MOST
        else f"{name}: {', '.join(texts)}"
        for name, texts in zip(names, units, strict=True)
    ]
    said = f"Drawing of a network from left to right: {'; '.join(columns)}."
    said += " Every unit is joined to all of the next layer."
    for what, arrays in (("Weights", matrices), ("Biases", offsets)):
        if arrays and sum(array.size for array in arrays) <= 16:
            each = [
                f"{name} {', '.join(map(_number, array.ravel().tolist()))}"
                for name, array in zip(names[1:], arrays, strict=True)
            ]
            said += f" {what} into {'; '.join(each)}."
    return said
