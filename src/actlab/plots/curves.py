"""The curves of activations, straight from their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from actlab import inputs
from actlab.plots.style import Plot, axis, label, line_style


def curves(
    records: Sequence[Any],
    *,
    ax: Any | None = None,
    derivative: bool = False,
    limits: tuple[float, float] = (-4.0, 4.0),
    title: str | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plot:
    """The reference curves (or derivatives) of some catalog records on one pair of axes.

    ``records``: records or their names. Raises ``TypeError`` or ``ValueError`` for what is none,
    and for ``limits`` that are not two numbers, the smaller first.
    """
    from actlab import catalog

    records = [
        found if isinstance(found, catalog.Activation) else catalog.get(found)
        for found in inputs.several(records, "records", '["relu", "tanh"]')
    ]
    ends = inputs.several(limits, "limits", "(-4, 4)")
    if len(ends) != 2 or not all(map(inputs.is_real, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"limits={limits!r}: expected two numbers, the smaller first.")
    ax = axis(ax, height=3.0, width=5.0)
    x = np.linspace(ends[0], ends[1], 801)
    artists = {}
    lows, highs = [], []
    for record in records:
        given = dict((params or {}).get(record.name, {}))
        y = record.derivative(x, **given) if derivative else record.reference(x, **given)
        (artists[record.name],) = ax.plot(x, y, label=record.title, **line_style(record.name))
        lows.append(np.nanmin(y))
        highs.append(np.nanmax(y))
    what = "slope" if derivative else "output"
    names = ", ".join(record.title for record in records)
    label(
        ax,
        title=title or (names + (" – slope" if derivative else "")),
        x="input x",
        y="slope f′(x)" if derivative else "output f(x)",
    )
    if len(records) > 1:
        ax.legend()
    alt = (
        f"Line plot of the {what} of {names} for inputs from {ends[0]:g} to {ends[1]:g}; "
        f"the {what} runs from {min(lows):.3g} to {max(highs):.3g}."
    )
    return Plot(ax, alt, artists)
