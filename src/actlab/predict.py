"""Predict, then reveal: the end of a cell that answers a prediction.

A chapter asks a question with two to four choices, and the cell that measures the answer says
which of them it was::

    predict.reveal(
        f"{share:.0%} of the deep units",
        choice=predict.pick(share, {"nearly none": 0.1, "about half": 0.6, "as many": 1}),
        folklore="as many",
    )

In the book the answer is covered until the reader has chosen, and is then compared with the choice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from actlab import inputs


def pick(value: float, limits: Mapping[str, float]) -> str:
    """The choice that a measured number belongs to.

    ``limits`` maps each choice to the largest value that it still covers, in rising order; the
    answer is the first whose limit is at least ``value``. The last limit may be ``math.inf``.

    Raises ``TypeError`` for something else than a number and a mapping, and ``ValueError`` where
    ``value`` is NaN or above every limit, and for fewer than two choices or limits that do not
    rise.
    """
    if not isinstance(limits, Mapping):
        raise TypeError(
            "limits: expected a mapping from each choice to its upper limit, such as "
            f"{{'few': 0.1, 'many': 1}}, got {type(limits).__name__}."
        )
    ends = {
        text(choice, "limits"): number(end, f"limits[{choice!r}]") for choice, end in limits.items()
    }
    if len(ends) < 2:
        raise ValueError(f"limits: expected two to four choices, got {len(ends)}.")
    rising = list(ends.values())
    if any(not low < high for low, high in itertools.pairwise(rising)):
        raise ValueError(f"limits: expected upper limits that rise, got {rising}.")
    found = number(value, "value")
    for choice, end in ends.items():
        if found <= end:
            return choice
    raise ValueError(
        f"value: {found:g} lies above every limit ({rising[-1]:g} is the largest), so no choice "
        "covers it. Give the last choice a higher limit, math.inf for any number."
    )


def reveal(measured: str, *, choice: str, folklore: str | None = None) -> None:
    """Say what was measured, which choice that was, and what is commonly said.

    Prints one Markdown quotation. ``measured``: the result in words, with its unit;
    ``choice``: one of the choices of the prediction before it, word for word (a test of the
    chapters compares them); ``folklore``: a choice too, or words of its own.

    Raises ``TypeError`` for what is no text and ``ValueError`` for empty text or several lines.
    """
    from IPython.display import Markdown, display

    said = f"> **Measured.** {text(measured, 'measured').rstrip('.')}: *{text(choice, 'choice')}*."
    if folklore is not None:
        said += f" The folklore says: *{text(folklore, 'folklore').rstrip('.')}*."
    display(Markdown(said))  # type: ignore[no-untyped-call]


def text(value: str, name: str) -> str:
    """One line of text; raises ``TypeError`` or ``ValueError`` that begins with ``name``."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected text, got {value!r}.")
    if not value.strip() or "\n" in value.strip():
        raise ValueError(f"{name}: expected one line of text, got {value!r}.")
    return value.strip()


def number(value: float, name: str) -> float:
    """A real number but NaN; raises ``TypeError`` or ``ValueError`` that begins with ``name``."""
    found = inputs.array(value, name)
    if found.size != 1:
        raise TypeError(f"{name}: expected one number, got {found.size} of them.")
    if math.isnan(found.item()):
        raise ValueError(f"{name}: is NaN: nothing was measured, so no choice can be right.")
    return float(found.item())
