"""Numbers in rows and columns, shaded; who is highest in each column has a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actlab.plots.style import INK, NEUTRAL, Plot, axis
from actlab.plots.style import label as name_axes


def grid(
    values: Mapping[str, Mapping[str, float]],
    ax: Any | None = None,
    *,
    what: str,
    x: str,
    where: str,
) -> Plot:
    """One row per name, one column per setting; the highest number of each column is framed.

    - ``values``: row → column → number, shown without decimals; every row has every column.
    - ``what`` is shown, against the columns' meaning ``x``, ``where`` (for the title).

    Raises ``ValueError`` for rows with different columns.
    """
    from matplotlib.patches import Rectangle

    rows = list(values)
    columns = list(values[rows[0]]) if rows else []
    if not columns or any(list(row) != columns for row in values.values()):
        raise ValueError("expected rows with the same columns, and at least one of each.")
    numbers = np.array([[row[column] for column in columns] for row in values.values()])
    ax = axis(ax, height=3.6)
    image = ax.imshow(numbers, cmap="Blues", vmin=0, vmax=numbers.max() * 1.1, aspect="auto")
    best = numbers.argmax(0)
    frames = {}
    for (i, j), number in np.ndenumerate(numbers):
        dark = image.norm(number) > 0.6
        ax.text(
            j,
            i,
            f"{number:.0f}",
            ha="center",
            va="center",
            color="white" if dark else INK,
            weight="bold" if best[j] == i else "normal",
        )
        if best[j] == i:
            corner = (j - 0.46, i - 0.46)
            hue = NEUTRAL[1]
            frame = Rectangle(corner, 0.92, 0.92, fill=False, edgecolor=hue, linewidth=2.5)
            frames[columns[j]] = ax.add_patch(frame)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    winners = list(dict.fromkeys(rows[i] for i in best))
    found = "which one wins depends on the column"
    if len(winners) == 1:
        found = f"{winners[0]} wins in every column"
    name_axes(ax, title=f"{where}: {found}", x=x, y="")
    told = "; ".join(
        f"at {column} {rows[i]} {numbers[i, j]:.0f}"
        for j, (column, i) in enumerate(zip(columns, best, strict=True))
    )
    alt = f"Table of {what}, {where}, by {x}; highest {told}."
    return Plot(ax, alt, {"image": image, **frames})
