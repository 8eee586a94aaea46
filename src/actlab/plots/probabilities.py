"""Probabilities: shares side by side, and how often answers of a given confidence are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.plots.style import INK, MARKERS, NEUTRAL, Plot, axis, label


def shares(
    groups: Mapping[str, npt.ArrayLike],
    names: Sequence[str],
    *,
    x: str = "class",
    ax: Any | None = None,
) -> Plot:
    """Bars side by side: for each class the share that each group gives it.

    ``groups``: label → one number a class; ``names``: of the classes. The title says what the
    first class gets. Raises ``ValueError`` where a group has not one number for each name.
    """
    found = {name: np.asarray(values, float) for name, values in groups.items()}
    if not found or any(values.shape != (len(names),) for values in found.values()):
        shapes = {name: values.shape for name, values in found.items()}
        raise ValueError(f"shares: expected {len(names)} numbers a group, got {shapes}.")
    ax = axis(ax, height=3.0)
    wide = 0.8 / len(found)
    artists = {}
    for i, (name, values) in enumerate(found.items()):
        places = np.arange(len(names)) + wide * (i - (len(found) - 1) / 2)
        hue = NEUTRAL[i % len(NEUTRAL)]
        artists[name] = ax.bar(places, 100 * values, 0.92 * wide, color=hue, label=name)
    ax.set_xticks(range(len(names)), names)
    if len(found) > 1:
        ax.legend()
    first = [100 * values[0] for values in found.values()]
    title = f"{names[0]} gets {min(first):.0f} to {max(first):.0f} %"
    if len(found) == 1:
        title = f"{names[0]} gets {first[0]:.0f} %"
    label(ax, title=title, x=x, y="share (%)")
    told = "; ".join(
        f"{name} {', '.join(f'{100 * value:.3g}' for value in values)}"
        for name, values in found.items()
    )
    return Plot(ax, f"Bars of the shares of {', '.join(names)} in per cent: {told}.", artists)


def reliability(
    groups: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    bins: int = 10,
    ax: Any | None = None,
) -> Plot:
    """Reliability diagram: how often answers of about the same confidence are right.

    ``groups``: label → (confidence, right), each (n,): the largest probability of every example
    and whether that class was right. Bins of equal width with fewer than five examples are left
    out; the bars are Wilson intervals. On the dotted diagonal, 70 % is 70 %.
    """
    ax = axis(ax, height=3.8, width=5.4)
    ax.plot([0, 100], [0, 100], ":", color=INK, label="says what it knows")
    artists, titles, told = {}, [], []
    for i, (name, (confidence, right)) in enumerate(groups.items()):
        sure, hits = np.asarray(confidence, float), np.asarray(right, bool)
        if sure.shape != hits.shape or sure.ndim != 1:
            raise ValueError(
                f"{name}: expected two rows of one length, got {sure.shape}, {hits.shape}."
            )
        place = np.minimum((sure * bins).astype(int), bins - 1)
        full = [b for b in range(bins) if (place == b).sum() >= 5]
        x = [100 * sure[place == b].mean() for b in full]
        found = [
            stats.share_interval(int(hits[place == b].sum()), int((place == b).sum())) for b in full
        ]
        hue = NEUTRAL[i % len(NEUTRAL)]
        (line,) = ax.plot(
            x, [100 * f.mean for f in found], MARKERS[i], color=hue, linestyle="-", label=name
        )
        ax.vlines(x, [100 * f.low for f in found], [100 * f.high for f in found], color=hue)
        artists[name] = line
        titles.append(f"{name}: says {sure.mean():.0%}, is right in {hits.mean():.0%}")
        pairs = ", ".join(f"{a:.0f} → {100 * f.mean:.0f}" for a, f in zip(x, found, strict=True))
        told.append(f"{name} (mean confidence → accuracy, %): {pairs}")
    ax.legend()
    said = "\n".join(titles).replace("%", " %")
    label(ax, title=said, x="confidence (%)", y="accuracy (%)")
    alt = f"Reliability diagram. {'; '.join(told)}. {' / '.join(titles)}. A dotted diagonal."
    return Plot(ax, alt.replace("%", " %").replace("  %", " %"), artists)


def matrix(
    values: npt.ArrayLike,
    names: Sequence[str],
    *,
    title: str,
    x: str,
    y: str,
    ax: Any | None = None,
) -> Plot:
    """A square matrix in colours, red above 0 and blue below, with its numbers."""
    table = np.asarray(values, float)
    if table.shape != (len(names), len(names)):
        raise ValueError(f"matrix: expected {len(names)} rows and columns, got {table.shape}.")
    ax = axis(ax, height=3.6, width=4.6)
    top = np.abs(table).max()
    image = ax.imshow(table, cmap="RdBu_r", vmin=-top, vmax=top)
    for (i, j), value in np.ndenumerate(table):
        shade = "white" if abs(value) > 0.6 * top else INK
        text = f"{value:+.2f}".replace("-", "−")
        ax.text(j, i, text, ha="center", va="center", color=shade)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.grid(False)
    label(ax, title=title, x=x, y=y)
    told = "; ".join(
        f"row {name}: {', '.join(f'{v:+.2f}' for v in row)}"
        for name, row in zip(names, table, strict=True)
    )
    return Plot(
        ax, f"Matrix, {y} against {x}: {told}. {title}.".replace("-0", "−0"), {"image": image}
    )
