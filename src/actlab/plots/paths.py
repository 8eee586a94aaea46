"""One line for each network: what a mean over seeds would hide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import inputs
from actlab.plots.style import INK, NEUTRAL, Plot, axis, label


def paths(
    values: npt.ArrayLike,
    stops: Sequence[int | None] = (),
    *,
    line: float,
    y: str,
    title: str | None = None,
    ax: Any | None = None,
) -> Plot:
    """The course of every network over the epochs, and where an early stop would have ended it.

    - ``values``: (networks, epochs), from the first epoch on; NaN where a network was not there.
    - ``stops``: for each network the epoch at which it would have been stopped (from 1), or None;
      marked by a cross. None given: no crosses.
    - ``line``: a level, dotted; the title counts who gets above it, and who is stopped before.
    - ``y``: the axis with its unit.

    Raises ``ValueError`` for another shape, another number of stops, or a stop out of range.
    """
    table = inputs.array(values, "values").astype(float)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"values: expected (networks, epochs), got shape {table.shape}.")
    n, last = table.shape
    if stops and len(stops) != n:
        raise ValueError(f"{len(stops)} stops for {n} networks: expected one each.")
    if strange := [stop for stop in stops if stop is not None and not 1 <= stop <= last]:
        raise ValueError(f"a stop at epoch {strange[0]}: expected 1 to {last}, or None.")
    ax = axis(ax, height=3.6)
    epochs = np.arange(1, last + 1)
    drawn = ax.plot(epochs, table.T, color=NEUTRAL[0], linewidth=1, alpha=0.6)
    at = [(stop, table[i, stop - 1]) for i, stop in enumerate(stops) if stop is not None]
    artists: dict[str, Any] = {"paths": drawn}
    if at:
        (artists["stops"],) = ax.plot(
            *np.array(at).T, "x", color=NEUTRAL[1], markersize=8, mew=2, zorder=5, label="stopped"
        )
    artists["line"] = ax.axhline(line, color=INK, linewidth=1, linestyle=":", label=f"{line:g}")
    ax.legend(loc="upper left")
    above = table > line
    risen = above.any(1)
    early = sum(stop is not None and not above[i, :stop].any() for i, stop in enumerate(stops))
    found = f"{risen.sum()} of {n} networks rise above {line:g}"
    if stops:
        found += f"; an early stop ends {early} before"
    label(ax, title=title or found, x="epochs of training", y=y)
    alt = f"Line plot of {y} for {n} networks over {last} epochs. {found}."
    if risen.any():
        first = above[risen].argmax(1) + 1
        alt += f" The first rises at epoch {first.min()}, the last at epoch {first.max()}."
    if at:
        alt += f" Crosses mark where {len(at)} would have been stopped."
    return Plot(ax, alt, artists)
