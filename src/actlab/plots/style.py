"""The look of every figure: palette, sizes, what a figure is, how it is shown.

Every activation keeps one colour and one line style through the whole course. The hues are
told apart with the three common colour-vision deficiencies (a test simulates them) and have a
contrast of at least 3 : 1 against the white panel.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actlab.stats import Interval

DPI = 144
WIDTH = 6.6  # inches; with letters of 11 points still readable on a phone

# (colour, dash pattern). A family shares its hue; its members differ by their dashes.
_SOLID, _DASHED, _DOTTED, _DASHDOT = "-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5))
STYLES: dict[str, tuple[str, Any]] = {
    "relu": ("#0B5EAF", _SOLID),
    "relu6": ("#0B5EAF", _DASHED),
    "threshold": ("#0B5EAF", _DOTTED),
    "thresholded_relu": ("#0B5EAF", _DASHDOT),
    "leaky_relu": ("#0BA668", _SOLID),
    "prelu": ("#0BA668", _DASHED),
    "rrelu": ("#0BA668", _DOTTED),
    "elu": ("#E97013", _SOLID),
    "celu": ("#E97013", _DASHED),
    "exponential": ("#E97013", _DOTTED),
    "selu": ("#67102A", _SOLID),
    "sigmoid": ("#BB5B92", _SOLID),
    "hard_sigmoid": ("#BB5B92", _DASHED),
    "log_sigmoid": ("#BB5B92", _DOTTED),
    "sparse_sigmoid": ("#BB5B92", _DASHDOT),
    "tanh": ("#735519", _SOLID),
    "hard_tanh": ("#735519", _DASHED),
    "softsign": ("#735519", _DOTTED),
    "tanh_shrink": ("#735519", _DASHDOT),
    "gelu": ("#1C0A86", _SOLID),
    "gelu_tanh": ("#1C0A86", _DASHED),
    "silu": ("#9057FF", _SOLID),
    "hard_silu": ("#9057FF", _DASHED),
    "mish": ("#9057FF", _DOTTED),
    "softplus": ("#4D7C0F", _SOLID),
    "squareplus": ("#4D7C0F", _DASHED),
    "sparse_plus": ("#4D7C0F", _DOTTED),
    "soft_shrink": ("#8A6D5B", _SOLID),
    "hard_shrink": ("#8A6D5B", _DASHED),
    "linear": ("#555555", _SOLID),
    "binary_step": ("#000000", _SOLID),
}
INK = "#1f2328"
GRID = "#d9dde3"
# For things that are not activations (initialisations, optimisers, data sets), in this order.
NEUTRAL = ("#0B5EAF", "#E97013", "#0BA668", "#67102A", "#9057FF", "#735519", "#555555")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_STYLE: dict[Any, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
    "figure.constrained_layout.use": True,
}


def colour(name: str) -> str:
    """The colour of an activation through the whole course (grey for those without one)."""
    return STYLES.get(name, ("#555555", _SOLID))[0]


def line_style(name: str) -> dict[str, Any]:
    """``color`` and ``linestyle`` of an activation: ``ax.plot(x, y, **line_style("relu"))``."""
    hue, dashes = STYLES.get(name, ("#555555", _SOLID))
    return {"color": hue, "linestyle": dashes}


def use_style() -> None:
    """Switch matplotlib to the course's style, for this process."""
    import matplotlib as mpl

    mpl.rcParams.update(_STYLE)


def figure(
    columns: int = 1, rows: int = 1, *, height: float = 3.2, width: float = WIDTH, **kwargs: Any
) -> tuple[Any, Any]:
    """A new figure and its axes (like ``plt.subplots``); sizes in inches."""
    import matplotlib.pyplot as plt

    return plt.subplots(rows, columns, figsize=(width, height), **kwargs)


def axis(ax: Any | None, **kwargs: Any) -> Any:
    """The given axes, or those of a new figure."""
    return figure(**kwargs)[1] if ax is None else ax


@dataclass(frozen=True)
class Plot:
    """What a plotting function returns: its axes, its artists by name, and its alt text."""

    ax: Any
    alt: str
    artists: Mapping[Any, Any] = field(default_factory=dict)

    def show(self, alt: str | None = None) -> None:
        """Show the whole figure as one opaque PNG that carries its alt text, and close it.

        In a notebook the alt text travels in the output's metadata, from where
        ``make notebooks`` copies it to the place that the book reads.
        """
        show(self.ax.figure, alt or self.alt)


def show(fig: Any, alt: str) -> None:
    """Display a figure as a PNG with alt text; ``alt`` says what is to be seen.

    Where no picture can be shown (a terminal), the alt text is printed in its place.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display

    data = png(fig)
    plt.close(fig)
    width = int.from_bytes(data[16:20], "big")
    # The bundle itself: IPython's Image takes no alt text before version 8, and Colab has 7.
    bundle = {"image/png": base64.b64encode(data).decode(), "text/plain": alt}
    shown = {"width": round(width * 0.7), "alt": alt}
    display(bundle, metadata={"image/png": shown}, raw=True)  # type: ignore[no-untyped-call]


def png(fig: Any) -> bytes:
    """The figure as an opaque PNG of at most 128 colours (a third of the size, no visible loss)."""
    from PIL import Image

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", facecolor="white", dpi=DPI)
    small = io.BytesIO()
    image = Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


def table(columns: Any, digits: int = 4) -> Any:
    """A table without row numbers that every front end shows; ``columns`` is a frame or a mapping.

    Floats are shown with ``digits`` significant digits, with the sign of a negative zero.
    """
    import pandas as pd
    from IPython.display import HTML

    frame = pd.DataFrame(columns)
    shown = frame.map(lambda value: _number(value, digits) if isinstance(value, float) else value)
    return HTML(shown.to_html(index=False, border=0, justify="left"))  # type: ignore[no-untyped-call]


def _number(value: float, digits: int) -> str:
    if np.isnan(value):
        return "NaN"
    return f"{value:.{digits}g}".replace("inf", "∞").replace("-", "−")


def panels(plots: Sequence[Plot]) -> str:
    """One alt text for a figure of several panels, left to right."""
    return " ".join(f"Panel {chr(65 + i)}: {plot.alt}" for i, plot in enumerate(plots))


def levels(intervals: Iterable[Interval]) -> str:
    """How sure the intervals of a figure are: ``95 %``."""
    return " and ".join(sorted({f"{found.confidence * 100:.4g} %" for found in intervals}))


def label(ax: Any, *, title: str, x: str, y: str) -> None:
    """Title (the finding) and axis labels (with units)."""
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
