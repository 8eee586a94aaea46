"""Rows with an interval each: arms, cases, or arms within cases, against a bound and the noise."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from actlab.plots.style import GRID, INK, MARKERS, NEUTRAL, Plot, axis, colour, levels
from actlab.plots.style import label as name_axes
from actlab.stats import Interval

ZONE = "#dff3ea"


def rows(
    intervals: Mapping[str, Interval] | Mapping[str, Mapping[str, Interval]],
    ax: Any | None = None,
    colours: Mapping[str, str] | None = None,
    label: str = "mean",
    percent: bool = False,
    *,
    title: str | None = None,
    zone: tuple[float, float] | None = None,
    floors: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
) -> Plot:
    """One row per name, first on top: the mean as a dot, the interval as a bar.

    - ``intervals``: name → interval, or group → name → interval: then each row shows every group,
      with a colour and a marker of its own. A name that a group lacks has no dot of it.
    - ``title``: where it has ``{}``, the finding is filled in; without a title it stands alone.
    - ``label``: the x axis with its unit; ``percent`` shows 0.87 as 87.
    - ``zone``: where a claim puts the numbers, from … to (an end may be infinite), shaded.
    - ``floors``: name → noise floor, a grey band of so much on both sides of 0.
    - ``marks``: label → place of a dotted line.

    Raises ``ValueError`` without intervals or for a floor of no row, ``TypeError`` for what are
    no intervals.
    """
    groups, names = _groups(intervals)
    if strange := [name for name in floors or {} if name not in names]:
        raise ValueError(f"a noise floor of {strange[0]!r}: the rows are {', '.join(names)}.")
    grouped = list(groups) != [""]
    height = 1.2 + 0.3 * len(names) * (1 + 0.3 * len(groups) if grouped else 1.0)
    ax = axis(ax, height=height, layout="constrained")
    scale = 100.0 if percent else 1.0
    for name, floor in (floors or {}).items():
        row = names.index(name)
        grey = ax.fill_betweenx(
            [row - 0.45, row + 0.45], -floor * scale, floor * scale, color=GRID, linewidth=0
        )
    step = min(0.16, 0.96 / len(groups))  # many groups move closer, and stay in their row
    artists = {}
    for i, (group, found) in enumerate(groups.items()):
        shift = step * (i - (len(groups) - 1) / 2)
        for name, interval in found.items():
            key = group if grouped else name
            hue = NEUTRAL[i % len(NEUTRAL)] if grouped else colour(name)
            hue = (colours or {}).get(key, hue)
            y = names.index(name) + shift
            mean, low, high = scale * np.array([interval.mean, interval.low, interval.high])
            (bar,) = ax.plot([low, high], [y, y], color=hue)
            (dot,) = ax.plot([mean], [y], MARKERS[i % len(MARKERS)], color=hue)
            artists[(group, name) if grouped else name] = (bar, dot)
        if grouped:
            dot.set_label(group)
    for name, place in (marks or {}).items():
        ax.axvline(place * scale, color=INK, linewidth=1, linestyle=":", label=name)
    if zone is not None:
        _shade(ax, zone, scale)
    if floors:
        grey.set_label("noise floor")
    if grouped or floors or marks:
        _explain(ax)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    finding = _finding(groups, zone, scale)
    finding = title.replace("{}", finding) if title else finding
    name_axes(ax, title=textwrap.fill(finding, 44), x=label, y="")
    every = [interval for found in groups.values() for interval in found.values()]
    told = "; ".join(
        f"{group}: {_told(found, percent, len(every) > 12)}" if grouped else _told(found, percent)
        for group, found in groups.items()
    )
    if len(every) > 12 and grouped:
        told = f"{len(names)} rows ({', '.join(names)}); {told}"
    alt = f"Means with {levels(every)} intervals, {label}: {told}."
    if floors:
        reach = [scale * value for value in floors.values()]
        alt += f" A grey band: noise of up to {max(reach):.2g} on both sides of 0."
    dotted = "".join(
        f" A dotted line: {name}, {scale * at:g}." for name, at in (marks or {}).items()
    )
    said = f" {finding}." if zone is not None or title else ""
    return Plot(ax, alt + dotted + said, artists)


def _groups(intervals: Any) -> tuple[dict[str, Mapping[str, Interval]], list[str]]:
    """Group → name → interval (one group called "" where there are none), and all names."""
    if not isinstance(intervals, Mapping) or not intervals:
        raise ValueError("no intervals to draw: expected a mapping from names to intervals.")
    grouped = isinstance(next(iter(intervals.values())), Mapping)
    groups = dict(intervals) if grouped else {"": intervals}
    for found in groups.values():
        if not isinstance(found, Mapping) or not found:
            raise TypeError(f"expected a mapping from names to intervals, got {found!r}.")
        for name, interval in found.items():
            if not isinstance(interval, Interval):
                raise TypeError(f"{name}: expected an Interval, got {type(interval).__name__}.")
    return groups, list(dict.fromkeys(name for found in groups.values() for name in found))


def _shade(ax: Any, zone: tuple[float, float], scale: float) -> None:
    """The zone as far as the axes go, with a line at each of its ends."""
    ends = [end * scale for end in zone]
    for end in ends:
        if math.isfinite(end):
            ax.axvline(end, color=INK, linewidth=1)
    left, right = ax.get_xlim()
    ax.axvspan(max(ends[0], left), min(ends[1], right), color=ZONE, linewidth=0, zorder=0)
    ax.set_xlim(left, right)


def _explain(ax: Any) -> None:
    """A legend, outside of the rows where the figure has no other axes."""
    if len(ax.figure.axes) == 1:
        ax.figure.legend(ncols=3, loc="outside lower center")
    else:
        ax.legend()


def _finding(
    groups: Mapping[str, Mapping[str, Interval]], zone: tuple[float, float] | None, scale: float
) -> str:
    """How many rows lie in the zone, or whose mean is highest."""
    if zone is None:
        every = {
            f"{group}, {name}" if group else name: i
            for group, found in groups.items()
            for name, i in found.items()
        }
        top = max(every, key=lambda name: every[name].mean)
        return f"Highest mean: {top} (bars: {levels(every.values())} intervals)"
    low, high = zone
    inside = {
        group: sum(low < i.low and i.high < high for i in found.values())
        for group, found in groups.items()
    }
    words = f"above {scale * low:g}" if high == math.inf else f"below {scale * high:g}"
    if math.isfinite(low) and math.isfinite(high):
        words = f"between {scale * low:g} and {scale * high:g}"
    words = f"Beyond doubt {words}:".replace("-", "−")
    if list(groups) == [""]:
        return f"{words} {inside['']} of {len(groups[''])}"
    if len(groups) <= 3:
        parts = [f"{group} {k} of {len(groups[group])}" for group, k in inside.items()]
        return f"{words} {', '.join(parts)}"
    least, most = min(inside, key=inside.__getitem__), max(inside, key=inside.__getitem__)
    return f"{words} {inside[least]} ({least}) to {inside[most]} ({most}) of {len(groups[most])}"


def _told(found: Mapping[str, Interval], percent: bool, brief: bool = False) -> str:
    if brief:
        means = [f"{(100 if percent else 1) * i.mean:.3g}" for i in found.values()]
        low, high = min(means, key=float), max(means, key=float)
        return f"from {low} to {high}".replace("-", "−")
    return "; ".join(f"{name} {i.format(percent=percent)}" for name, i in found.items())
