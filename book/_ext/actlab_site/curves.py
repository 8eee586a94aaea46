"""The reference pages' pictures: f and f′ of one record, as an opaque PNG with its alt text."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import plots
from actlab.catalog import Activation

LIMITS = (-5.0, 5.0)
POINTS = 1001
BOX = (64, 40)
"""Of a small drawing, in its own units."""


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
        inputs = inputs.reshape(len(x), 3, *[1] * (-record.axis - 1))  # Softmax2d: (3, 1, 1)
        f = record.reference(inputs).reshape(len(x), 3)
        return f[:, 0], record.derivative(inputs).reshape(len(x), 3, 3)[:, 0, 0]
    if record.kind == "gate":
        inputs = np.stack([x, x], axis=-1)
        return record.reference(inputs)[..., 0], record.derivative(inputs)[..., 0, :].sum(axis=-1)
    return record.reference(x), record.derivative(x)


def limits(record: Activation) -> tuple[float, float]:
    """The inputs drawn: −5 to 5, or further where there is a kink to see (ReLU6 at 6)."""
    kinks = record.properties.kinks
    return min([LIMITS[0], *(k - 2 for k in kinks)]), max([LIMITS[1], *(k + 2 for k in kinks)])


def grid(record: Activation) -> tuple[Any, Any, Any]:
    """``x``, f and f′ with a NaN either side of every kink: no line is drawn across a jump."""
    known = record.properties
    kinks = np.array(known.kinks)
    sides = [np.nextafter(kinks, -np.inf), np.nextafter(kinks, np.inf)]
    x = np.unique(np.concatenate([np.linspace(*limits(record), POINTS), kinks, *sides]))
    f, slope = curve(record, x)
    at = np.searchsorted(x, kinks)
    gaps = np.concatenate([at, at + 1])
    if known.smoothness < 0:  # a jump tears f as well; a kink only f′
        f = np.insert(f, gaps, np.nan)
    else:
        f = np.insert(f, gaps, f[at].tolist() * 2)
    return np.insert(x, gaps, x[at].tolist() * 2), f, np.insert(slope, gaps, np.nan)


def alt_text(record: Activation) -> str:
    """What is to be seen, in numbers read off the reference itself."""
    at = np.array([-2.0, 0.0, 2.0])
    f, slope = curve(record, at)
    values = ", ".join(f"{y:.3g} at {x:g}" for x, y in zip(at, f, strict=True))
    slopes = ", ".join(f"{y:.3g} at {x:g}" for x, y in zip(at[[0, 2]], slope[[0, 2]], strict=True))
    shown = f" Drawn is {what_is_drawn(record)}." if what_is_drawn(record) else ""
    low, high = limits(record)
    return (
        f"Curve of {record.title} and its slope for inputs from {low:g} to {high:g}."
        f"{shown} The output is {values}; the slope is {slopes}."
    ).replace("-", "−")


def picture(record: Activation) -> bytes:
    """The reference page's figure: the curve solid, its slope dashed."""
    fig, ax = plots.figure(width=5.0, height=3.1, layout="none")
    x, f, slope = grid(record)
    fig.subplots_adjust(left=0.11, right=0.98, bottom=0.15, top=0.91)
    ax.axhline(0, color=plots.INK, linewidth=0.8)
    ax.axvline(0, color=plots.INK, linewidth=0.8)
    ax.plot(x, slope, color=plots.INK, linestyle=(0, (4, 2)), linewidth=1.4, label="slope f′(x)")
    ax.plot(x, f, color=plots.colour(record.name), linewidth=2.6, label="output f(x)")
    ax.set_ylim(*_y_limits(f, slope))
    ax.set_xlim(*limits(record))
    ax.legend(loc="best")
    plots.label(ax, title=record.title, x="input x", y="output and slope")
    return _close(fig)


def poster(records: list[Activation], columns: int = 8) -> bytes:
    """The front page's figure: every curve, small, with its name in the catalog."""
    rows = -(-len(records) // columns)
    fig, axes = plots.figure(columns, rows, width=10.0, height=1.15 * rows, layout="none")
    # Margins by hand here and below: measuring them takes longer than drawing.
    fig.subplots_adjust(0.005, 0.02, 0.995, 1 - 0.25 / (1.15 * rows), wspace=0.08, hspace=0.35)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, record in zip(axes.flat, records, strict=False):
        _sketch(ax, record)
        ax.set_title(record.name, fontsize=8, fontweight="normal", loc="center")
    return _close(fig)


def sketch(record: Activation, points: int = 81) -> str:
    """The curve as a small drawing without words."""
    if not drawable(record):
        return ""
    kinks = [kink for kink in record.properties.kinks if abs(kink) < 4]
    corners = [
        end for kink in kinks for end in (np.nextafter(kink, -4), kink, np.nextafter(kink, 4))
    ]
    x = np.unique(np.concatenate([np.linspace(-4, 4, points), corners]))
    y = np.asarray(curve(record, x)[0], float)
    low, high = min(float(y.min()), -0.3), max(float(y.max()), 1.1)

    def at(a: float, b: float) -> str:
        right, down = (a + 4) / 8, (high - b) / (high - low)
        return f"{3 + right * (BOX[0] - 6):.1f} {3 + down * (BOX[1] - 6):.1f}"

    path = "L".join(at(a, b) for a, b in zip(x, y, strict=True))
    zero = at(0, 0).split()
    return (
        f'<svg viewBox="0 0 {BOX[0]} {BOX[1]}" aria-hidden="true">'
        f'<path class="axes" d="M0 {zero[1]}H{BOX[0]}M{zero[0]} 0V{BOX[1]}"/>'
        f'<path class="curve" d="M{path}"/></svg>'
    )


def _sketch(ax: Any, record: Activation) -> None:
    x, f, _ = grid(record)
    ax.axhline(0, color=plots.GRID, linewidth=1)
    ax.axvline(0, color=plots.GRID, linewidth=1)
    ax.plot(x, f, color=plots.colour(record.name), linewidth=2.6)
    ax.set_ylim(*_y_limits(f, f))
    ax.set_axis_off()


def _y_limits(f: Any, slope: Any) -> tuple[float, float]:
    """Room for the whole curve, but no taller than the inputs are wide (exponentials)."""
    both = np.concatenate([f, slope])
    low, high = np.nanmin(both), np.nanmax(both)
    low, high = max(low, LIMITS[0]), min(high, 1.4 * LIMITS[1])
    low, high = min(low, -0.25), max(high, 1.1)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _close(fig: Any) -> bytes:
    import matplotlib.pyplot as plt

    data = plots.png(fig)
    plt.close(fig)
    return data
