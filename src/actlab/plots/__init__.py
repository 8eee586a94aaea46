"""How a figure looks: one function per figure idea.

It takes numbers and intervals and ``ax=``, returns a :class:`Plot`, and writes its own alt text.
Nothing here loads or measures.
"""

from actlab.plots.curves import curves
from actlab.plots.grid import grid
from actlab.plots.lines import band, by_layer, lines
from actlab.plots.network import network
from actlab.plots.paths import paths
from actlab.plots.probabilities import matrix, reliability, shares
from actlab.plots.ranks import critical_difference_diagram, rank_plot
from actlab.plots.rows import rows
from actlab.plots.signals import ways
from actlab.plots.style import (
    DPI,
    GRID,
    INK,
    MARKERS,
    NEUTRAL,
    STYLES,
    WIDTH,
    Plot,
    axis,
    colour,
    figure,
    label,
    levels,
    line_style,
    panels,
    png,
    show,
    table,
    use_style,
)
from actlab.plots.units import units

__all__ = [
    "DPI",
    "GRID",
    "INK",
    "MARKERS",
    "NEUTRAL",
    "STYLES",
    "WIDTH",
    "Plot",
    "axis",
    "band",
    "by_layer",
    "colour",
    "critical_difference_diagram",
    "curves",
    "figure",
    "grid",
    "label",
    "levels",
    "line_style",
    "lines",
    "matrix",
    "network",
    "panels",
    "paths",
    "png",
    "rank_plot",
    "reliability",
    "rows",
    "shares",
    "show",
    "table",
    "units",
    "use_style",
    "ways",
]
