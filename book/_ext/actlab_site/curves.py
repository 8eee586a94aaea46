"""The reference pages' pictures: f and f′ of one record, as an opaque PNG with its alt text."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import plots
from actlab.catalog import Activation

LIMITS = (-5.0, 5.0)
POINTS = 1001


def drawable(record: Activation) -> bool:
    """Whether the record has a curve: one number in, one number out (layers have not)."""
    return record.kind != "layer"


def what_is_drawn(record: Activation) -> str:
    """In words, which curve stands for a function of several numbers; empty for the others."""
    return {
        "vector": "the first of three outputs while its input x moves and the other two stay at 0",
        "gate": "the output when both halves of the input equal x",
    }.get(record.kind, "")


def curve(record: Activation, x: Any) -> tuple[Any, Any]:
    """F and f′ along the drawn line, both of the shape of ``x``."""
    if record.kind == "vector":
        inputs = np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=-1)
        return record.reference(inputs)[..., 0], record.derivative(inputs)[..., 0, 0]
    if record.kind == "gate":
        inputs = np.stack([x, x], axis=-1)
        return record.reference(inputs)[..., 0], record.derivative(inputs)[..., 0, :].sum(axis=-1)
    return record.reference(x), record.derivative(x)


def grid(record: Activation) -> tuple[Any, Any, Any]:
    """``x``, f and f′, with a NaN at every kink, so that no line is drawn across a jump."""
    kinks = [k for k in record.properties.kinks if LIMITS[0] < k < LIMITS[1]]
    x = np.unique(np.concatenate([np.linspace(*LIMITS, POINTS), *_either_side(kinks)]))
    f, slope = curve(record, x)
    at = np.searchsorted(x, kinks)
    smooth = record.properties.smoothness
    x = np.insert(x, at, np.nan)
    # A kink leaves f in one piece and tears f′; a jump tears both; a smoother knot tears neither.
    f = np.insert(f, at, np.nan if smooth < 0 else np.asarray(f)[at] if len(at) else np.nan)
    slope = np.insert(slope, at, np.nan)
    return x, f, slope


def _either_side(kinks: list[float]) -> list[Any]:
    return [np.array([np.nextafter(k, -np.inf), np.nextafter(k, np.inf)]) for k in kinks]


def alt_text(record: Activation) -> str:
    """What is to be seen, in numbers read off the reference itself."""
    at = np.array([-2.0, 0.0, 2.0])
    f, slope = curve(record, at)
    values = ", ".join(f"{y:.3g} at {x:g}" for x, y in zip(at, f, strict=True))
    slopes = ", ".join(f"{y:.3g} at {x:g}" for x, y in zip(at[[0, 2]], slope[[0, 2]], strict=True))
    shown = f" Drawn is {what_is_drawn(record)}." if what_is_drawn(record) else ""
    return (
        f"Curve of {record.title} and its slope for inputs from {LIMITS[0]:g} to {LIMITS[1]:g}."
        f"{shown} The output is {values}; the slope is {slopes}."
    ).replace("-", "−")


def picture(record: Activation) -> bytes:
    """The reference page's figure: the curve solid, its slope dashed."""
    fig, ax = plots.figure(width=5.0, height=3.1)
    x, f, slope = grid(record)
    ax.axhline(0, color=plots.INK, linewidth=0.8)
    ax.axvline(0, color=plots.INK, linewidth=0.8)
    ax.plot(x, slope, color=plots.INK, linestyle=(0, (4, 2)), linewidth=1.4, label="slope f′(x)")
    ax.plot(x, f, color=plots.colour(record.name), linewidth=2.6, label="output f(x)")
    ax.set_ylim(*_y_limits(f, slope))
    ax.set_xlim(*LIMITS)
    ax.legend(loc="best")
    plots.label(ax, title=record.title, x="input x", y="output and slope")
    return _close(fig)


def thumbnail(record: Activation) -> bytes:
    """The gallery's figure: the curve alone, between two bare axes."""
    fig, ax = plots.figure(width=1.9, height=1.25)
    x, f, _ = grid(record)
    ax.axhline(0, color=plots.GRID, linewidth=1)
    ax.axvline(0, color=plots.GRID, linewidth=1)
    ax.plot(x, f, color=plots.colour(record.name), linewidth=2.6)
    low, high = _y_limits(f, f)
    ax.set_ylim(low, high)
    ax.set_axis_off()
    return _close(fig)


def _y_limits(f: Any, slope: Any) -> tuple[float, float]:
    """Room for the whole curve, but no taller than the inputs are wide (exponentials)."""
    both = np.concatenate([f, slope])
    low, high = np.nanmin(both), np.nanmax(both)
    low, high = max(low, LIMITS[0]), min(high, LIMITS[1])
    low, high = min(low, -0.25), max(high, 1.1)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _close(fig: Any) -> bytes:
    import matplotlib.pyplot as plt

    data = plots.png(fig)
    plt.close(fig)
    return data
