"""Lines with their intervals as bands: a quantity against a number, a case or a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import inputs, stats
from actlab.plots.style import GRID, INK, MARKERS, NEUTRAL, Plot, axis, label, levels
from actlab.stats import Interval

Styles = Mapping[str, Mapping[str, Any]]


def band(
    ax: Any,
    x: npt.ArrayLike,
    centre: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    label: str,
    color: str,
    marker: str = "o",
    linestyle: Any = "-",
) -> Any:
    """A line with markers and its interval as a shaded band; returns the line."""
    (line,) = ax.plot(x, centre, label=label, color=color, marker=marker, linestyle=linestyle)
    ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
    return line


def lines(
    groups: Mapping[str, Mapping[float | str, Interval]],
    *,
    ax: Any | None = None,
    x: str,
    y: str,
    title: str | None = None,
    styles: Styles | None = None,
    marks: Mapping[str, float] | None = None,
    floors: Mapping[float, float] | None = None,
    rings: tuple[str, Mapping[str, float | str]] | None = None,
    log: str = "",
) -> Plot:
    """A quantity against ``x`` for several groups, each a line with its intervals as a band.

    - ``groups``: label → place on the x axis → interval. Places that are numbers stand where they
      are, names stand side by side in the order in which they first come. A group that lacks a
      place has no point there.
    - ``x``, ``y``: the axes' labels, with units; ``log``: which of them are logarithmic, ``"x"``,
      ``"y"`` or ``"xy"``.
    - ``title``: where it has ``{}``, the finding is filled in; without a title it stands alone.
    - ``styles``: label → ``color`` and ``linestyle``; ``marks``: label → height of a dotted line.
    - ``floors``: place → noise floor, a grey band of so much on both sides of 0.
    - ``rings``: what a ring around a point means, and label → the place that has one.

    Raises ``TypeError`` for what are no intervals, and for numbers and names mixed.
    """
    order = _places(groups)
    ax = axis(ax, height=3.6)
    named = isinstance(order[0], str)
    where = {place: float(i) if named else float(place) for i, place in enumerate(order)}
    artists = {}
    for i, (name, group) in enumerate(groups.items()):
        at = [place for place in order if place in group]
        ends, style = [group[place] for place in at], _style(i, (styles or {}).get(name))
        artists[name] = _draw(ax, name, [where[place] for place in at], ends, style)
    if floors:
        reach = np.array([floors[place] for place in floors])
        at = [where[place] for place in floors]
        artists["noise floor"] = ax.fill_between(
            at, -reach, reach, color=GRID, linewidth=0, zorder=0, label="noise floor"
        )
    for name, height in (marks or {}).items():
        artists[name] = ax.axhline(height, color=INK, linewidth=1, linestyle=":", label=name)
    meaning, ringed = rings or ("", {})
    for name, place in ringed.items():
        colour, mean = artists[name].get_color(), groups[name][place].mean
        ax.plot([where[place]], [mean], "o", ms=13, mfc="none", mec=colour, mew=1.8)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    if named or "x" in log:
        ax.set_xticks(list(where.values()), [_text(place) for place in order])
        from matplotlib.ticker import NullLocator

        ax.xaxis.set_minor_locator(NullLocator())  # minorticks_off: from matplotlib 3.9 on
    if len(artists) > 1:
        ax.legend(title=f"ring: {meaning}" if rings else None)
    last = {name: group[order[-1]] for name, group in groups.items() if order[-1] in group}
    top = max(last, key=lambda name: last[name].mean)
    finding = f"highest at {_text(order[-1])}: {top} ({_signed(last[top].mean)})"
    said = title.replace("{}", finding) if title else finding[0].upper() + finding[1:]
    label(ax, title=said, x=x, y=y)
    told = "; ".join(f"{name} {_told(group, order)}" for name, group in groups.items())
    dotted = "".join(f" A dotted line: {name}, {mark:g}." for name, mark in (marks or {}).items())
    every = [one for group in groups.values() for one in group.values() if one.low < one.high]
    bands = f" Shaded bands: {levels(every)} intervals." if every else ""
    alt = f"Line plot of {y} against {x}: {told}.{bands}{dotted}"
    if floors:
        alt += f" A grey band around 0: noise of up to {max(floors.values()):.2g}."
    if title:
        alt += f" {said}."
    if rings:
        alt += f" A ring, {meaning}: " + "; ".join(
            f"{name} at {_text(place)} ({groups[name][place].mean:.3g})"
            for name, place in ringed.items()
        )
        alt += "."
    return Plot(ax, alt, artists)


def by_layer(
    groups: Mapping[str, npt.NDArray[Any]],
    *,
    ax: Any | None = None,
    title: str | None = None,
    y: str,
    styles: Styles | None = None,
    points: Mapping[str, npt.ArrayLike] | None = None,
    log: bool = False,
) -> Plot:
    """A quantity per layer for several groups: mean line and 95 % t interval over the seeds.

    ``groups``: label → array (seeds, layers). ``title``: without one it says how many of the
    groups end higher than they begin. ``points``: extra single runs drawn as crosses.
    ``styles``: label → ``color`` and ``linestyle``, as :func:`actlab.plots.line_style` gives them.
    Raises ``TypeError`` for no mapping, ``ValueError`` for arrays of another shape.
    """
    if not isinstance(groups, Mapping) or not groups:
        raise TypeError("groups: expected a mapping from labels to arrays (seeds, layers).")
    groups = {name: inputs.array(values, f"groups[{name!r}]") for name, values in groups.items()}
    shapes = {name: values.shape for name, values in groups.items()}
    if (
        any(len(shape) != 2 for shape in shapes.values())
        or len({s[1] for s in shapes.values()}) > 1
    ):
        raise ValueError(
            f"groups: expected arrays (seeds, layers) of as many layers, got {shapes}."
        )
    ax = axis(ax, height=3.6)
    artists = {}
    sentences = []
    for i, (name, values) in enumerate(groups.items()):
        table = values.astype(float)
        layers = np.arange(1, table.shape[1] + 1)
        ends = [stats.mean_interval(column) for column in table.T]
        artists[name] = _draw(ax, name, layers, ends, _style(i, (styles or {}).get(name)))
        sentences.append(f"{name} goes from {ends[0].mean:.3g} to {ends[-1].mean:.3g}")
    for name, single in (points or {}).items():
        run = inputs.array(single, f"points[{name!r}]").astype(float)
        artists[name] = ax.plot(
            np.arange(1, len(run) + 1), run, "x", color=INK, label=name, markersize=7, zorder=5
        )[0]
    if log:
        ax.set_yscale("log")
    if len(layers) > 20:  # a tick and a marker at 1, 10, 20, …
        shown = [0, *range(9, len(layers), 10)]
        layers = layers[shown]
        for name in groups:
            artists[name].set_markevery(shown)
    ax.set_xticks(layers)
    ax.legend()
    rises = sum(float(v[:, -1].mean()) > float(v[:, 0].mean()) for v in groups.values())
    finding = f"Higher in the last layer than in the first: {rises} of {len(groups)}"
    label(ax, title=title or finding, x="hidden layer (1 is nearest the input)", y=y)
    alt = (
        f"Line plot of {y} by hidden layer, from the first to the last of {table.shape[1]} layers: "
        + "; ".join(sentences)
        + ". Shaded bands are 95 % intervals over the seeds."
    )
    return Plot(ax, alt, artists)


def _draw(ax: Any, name: str, x: Any, ends: list[Interval], style: Mapping[str, Any]) -> Any:
    low, high = [e.low for e in ends], [e.high for e in ends]
    return band(ax, x, [e.mean for e in ends], low, high, label=name, **style)


def _style(i: int, own: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "color": NEUTRAL[i % len(NEUTRAL)],
        "marker": MARKERS[i % len(MARKERS)],
        **(own or {}),
    }


def _places(groups: Any) -> list[Any]:
    """Every place on the x axis, numbers by size, names as they come."""
    if not isinstance(groups, Mapping) or not groups:
        raise TypeError("groups: expected a mapping from labels to mappings from x to intervals.")
    places: dict[Any, None] = {}
    for name, group in groups.items():
        if not isinstance(group, Mapping) or not group:
            raise TypeError(f"groups[{name!r}]: expected a mapping from x to intervals.")
        for place, found in group.items():
            if not isinstance(found, Interval):
                raise TypeError(
                    f"groups[{name!r}], {place}: expected an Interval, got {type(found).__name__}."
                )
            places[place] = None
    names = [isinstance(place, str) for place in places]
    if any(names) and not all(names):
        raise TypeError("the places on the x axis: expected all numbers or all names.")
    return list(places) if names[0] else sorted(places)


def _text(place: float | str) -> str:
    return place if isinstance(place, str) else f"{place:,g}".replace("-", "−")


def _told(group: Mapping[Any, Interval], order: list[Any]) -> str:
    """Every point of a short line, the ends of a long one."""
    at = [place for place in order if place in group]
    if len(at) > 6:
        at = [at[0], at[-1]]
    return ", ".join(f"{_signed(group[p].mean)} at {_text(p)}" for p in at)


def _signed(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
