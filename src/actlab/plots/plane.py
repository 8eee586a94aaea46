"""Two quantities against each other: each arm a point, each pair of arms a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actlab.plots.style import INK, MARKERS, Plot, axis, label, levels
from actlab.stats import Interval


def steps(
    pairs: Mapping[str, tuple[tuple[Interval, Interval], tuple[Interval, Interval]]],
    *,
    x: str,
    y: str,
    name: str,
    change: str,
    colours: Mapping[str, str] | None = None,
    ax: Any | None = None,
) -> Plot:
    """From (x, y) before to (x, y) after a ``change``, for each of some arms; with intervals in y.

    ``name``: of the panel; its title says by how much y changes for each arm. A filled mark is
    the arm as it is, an open one the arm changed.
    """
    ax = axis(ax, height=3.6)
    artists, told, moved = {}, [], []
    for i, (arm, ends) in enumerate(pairs.items()):
        hue = (colours or {}).get(arm, INK)
        for (across, up), face, title in zip(
            ends, (hue, "white"), (arm, f"{arm}, {change}"), strict=True
        ):
            ax.plot([across.mean] * 2, [up.low, up.high], color=hue)
            (artists[title],) = ax.plot(
                *([across.mean], [up.mean], MARKERS[i]), color=hue, mfc=face, markersize=8
            )
            artists[title].set_label(title)
            told.append(f"{title} {across.mean:.2f}, {up.format(2)}")
        (before, after) = ends
        ax.plot(
            [before[0].mean, after[0].mean],
            [before[1].mean, after[1].mean],
            color=hue,
            linewidth=1,
            linestyle=":",
            zorder=1,
        )
        moved.append(f"{arm} {after[1].mean - before[1].mean:+.2f}".replace("-", "−"))
    label(ax, title=f"{name}\n{', '.join(moved)}", x=x, y=y)
    every = [up for ends in pairs.values() for _, up in ends]
    alt = f"{name}, {x} and {y} with {levels(every)} intervals: {'; '.join(told)}."
    return Plot(ax, alt, artists)
