"""Signals through layers: where a layer takes them, every network's way, all ways as a heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.plots.style import INK, MARKERS, NEUTRAL, Plot, axis, label

Array = npt.NDArray[np.float64]


def flow(
    start: tuple[Array, Array],
    end: tuple[Array, Array],
    paths: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    fixed: tuple[float, float] = (0.0, 1.0),
    ax: Any | None = None,
) -> Plot:
    """Where one layer takes mean and standard deviation, and the paths of a few signals.

    - ``start``, ``end``: (means, standard deviations) before and behind a layer, one each a point.
    - ``paths``: (means, standard deviations) layer by layer, the input first.
    - ``fixed``: the point that maps to itself.
    """
    ax = axis(ax, height=4.2, width=6.0)
    steps = [np.subtract(after, before) for after, before in zip(end, start, strict=True)]
    style = {"angles": "xy", "scale_units": "xy", "scale": 3.0, "width": 0.003, "color": "#8a919b"}
    ax.quiver(*start, *steps, **style)
    lines = []
    for i, (mean, sd) in enumerate(paths):
        hue, mark = NEUTRAL[i % len(NEUTRAL)], MARKERS[i % len(MARKERS)]
        lines += ax.plot(mean, sd, color=hue, marker=mark, markersize=5, linewidth=1.5)
    ax.plot(*([value] for value in fixed), "*", color=INK, markersize=20, zorder=5)
    ends = [(np.asarray(mean)[-1], np.asarray(sd)[-1]) for mean, sd in paths]
    there = sum(bool(np.hypot(*np.subtract(end, fixed)) < 0.05) for end in ends)
    goal = f"mean {fixed[0]:g}, sd {fixed[1]:g}"
    count = "Every path ends" if there == len(paths) else f"{there} of {len(paths)} paths end"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    place = (fixed[0] - 0.12, fixed[1] + 0.02)
    ax.annotate(f"fixed point ({fixed[0]:g}, {fixed[1]:g})", fixed, place, ha="right", bbox=box)
    label(ax, title=f"{count} at {goal}", x="mean of the activations", y="standard deviation")
    told = ", ".join(f"({mean:.2f}, {sd:.2f})".replace("-", "−") for mean, sd in ends)
    return Plot(
        ax,
        "Arrows in the plane of mean and standard deviation show one third of the step that a "
        f"layer makes. {len(paths)} paths through the layers end at {told}; {goal} is marked.",
        {"paths": lines},
    )


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
    apart = f"{high / low:.1f}-fold" if ratio else f"{high - low:.2f}"
    if ratio:
        ax.set_yscale("log")
        ax.minorticks_off()
    label(ax, title=f"{name}: {apart} apart", x="hidden layer", y=y)
    alt = (
        f"{y.capitalize()} by layer in {len(values)} networks, {name}; in layer {layers[-1]} from "
        f"{low:.2f} to {high:.2f}, where the theory of infinitely wide layers, a dashed line, says "
        f"{np.asarray(expected)[-1]:.2f}."
    ).replace("-0", "−0")
    return Plot(ax, alt, {"ways": lines, "expected": dashed})


def heat(
    moments: Mapping[str, tuple[Array, Array]],
    *,
    bands: tuple[tuple[float, float], tuple[float, float]],
    layers: slice,
    ax: Any | None = None,
) -> Plot:
    """A row per network, a column per layer; the colour is the standard deviation.

    - ``moments``: row → means and standard deviations by layer, each (layers,).
    - ``bands``: where both have to stay in these ``layers``; the title counts the rows that leave.
    """
    from matplotlib.colors import LogNorm

    ax = axis(ax, height=1.7 + 0.36 * len(moments))
    table = np.array([sd for _, sd in moments.values()])
    image = ax.imshow(
        table, cmap="RdBu_r", norm=LogNorm(0.1, 10), aspect="auto", interpolation="nearest"
    )
    ax.grid(False)
    ax.set_yticks(range(len(moments)), list(moments))
    shown = [0, *range(9, table.shape[1], 10)]
    ax.set_xticks(shown, [str(place + 1) for place in shown])
    ends = {name: (_number(mean[-1]), _number(sd[-1])) for name, (mean, sd) in moments.items()}
    right = ax.secondary_yaxis("right")
    texts = [f"{mean:>6} {sd:>6}" for mean, sd in ends.values()]
    right.set_yticks(range(len(moments)), texts, fontfamily="DejaVu Sans Mono", fontsize=10)
    right.set_ylabel(f"mean and sd behind layer {table.shape[1]}")
    right.tick_params(length=0)
    ticks = [0.1, 0.3, 1, 3, 10]
    bar = ax.figure.colorbar(
        image, ax=ax, location="bottom", shrink=0.7, extend="both", ticks=ticks
    )
    bar.ax.set_xticklabels([f"{tick:g}" for tick in ticks])
    bar.ax.minorticks_off()
    bar.set_label("standard deviation")
    lost = [
        name
        for name, both in moments.items()
        if any(
            not (low < part[layers].min() and part[layers].max() < high)
            for part, (low, high) in zip(both, bands, strict=True)
        )
    ]
    title = f"{len(lost)} of {len(moments)} networks lose mean 0, sd 1"
    label(ax, title=title, x="hidden layer", y="")
    rows = "; ".join(f"{name} {mean} and {sd}" for name, (mean, sd) in ends.items())
    first, last = layers.start + 1, min(layers.stop, table.shape[1])
    return Plot(
        ax,
        "Heat map of the standard deviation of the activations, one row per way to build the "
        f"network, one column per layer. Mean and standard deviation at layer {table.shape[1]} "
        f"are: {rows}. Outside the bands in layers {first} to {last}: {', '.join(lost)}.",
        {"image": image},
    )


def _number(value: float) -> str:
    text = f"{round(value, 2) + 0.0:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.replace("-", "−")
