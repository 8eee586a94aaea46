"""The verdict card: one claim, one word, one sentence, one small picture; the rest is folded.

Plain HTML that reads without a style sheet too (a table with text in every cell), so that it is
the same in the book, in Jupyter, in Colab and in GitHub's preview; the book adds its colours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from actlab.stats import Interval
from actlab.trial.bound import Bound, digits, number
from actlab.trial.measured import Case, Measured

if TYPE_CHECKING:
    from actlab.trial.claim import Claim, Finding

ROWS = 8  # with more cases a row is what they have in common, and holds several intervals
SIGNS = {"holds": "✔", "holds when …": "◐", "refuted": "✘", "not shown": "?"}
KINDS = {"holds": "holds", "holds when …": "when", "refuted": "refuted", "not shown": "notshown"}
PAINT = {"floor": ("currentColor", 0.14), "zone": ("#12558c", 0.16)}  # colour, opacity
REFERENCE = "../book/reference/"  # the folder of the ledger's page, as a chapter sees it


def card(claim: Claim, finding: Finding, reference: str = REFERENCE) -> str:
    """The card as HTML. ``reference``: the way to the ledger's page; empty on that page itself."""
    by = claim.by
    pictures = [
        picture(what, finding.measured[what], bound)
        for what, bound in by.bounds.items()
        if finding.measured[what].cases
    ]
    entry = f"{reference}claims.html#on-trial-{claim.id}"
    link = f'<p class="more"><a href="{entry}">In the ledger</a></p>'
    return "\n".join(
        [
            f'<div class="verdict-card {KINDS[finding.verdict]}">',
            f'<p class="source">Claim · {linked(claim.source, reference)}</p>',
            f'<p class="statement"><strong>“{escape(claim.statement)}”</strong></p>',
            f'<p class="line"><strong class="chip">{SIGNS[finding.verdict]} {finding.verdict}'
            f'</strong> <small class="scope">{escape(claim.asks.scope)}</small></p>',
            f'<p class="finding">{escape(finding.because)}</p>',
            *pictures,
            '<details class="fold"><summary>All numbers, and the rule</summary>',
            *(numbers(what, found, by.bounds[what]) for what, found in finding.measured.items()),
            f"<p><strong>Rule, {written(claim)}.</strong> {escape(by.prose())}</p>",
            "</details>",
            *([link] if reference else []),
            "</div>",
        ]
    )


def linked(source: str, reference: str = REFERENCE) -> str:
    """Markdown's links as HTML's; the starting document has a page of the book."""
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', escape(source))
    document = f'<a href="{reference}starting-document.html">starting document</a>'
    return text.replace("starting document", document, 1)


def written(claim: Claim) -> str:
    """When the rule was: before the run, or changed later, and then on which day."""
    if not claim.amended:
        return "written before the run"
    return f"changed on {claim.amended[-1].until}, when results were known (see the ledger)"


def picture(what: str, measured: Measured, bound: Bound) -> str:
    """The intervals against the bound: a filled dot for one that meets it, grey for noise."""
    scale = Scale(measured, bound)
    rows = []
    for name, cases in grouped(measured):
        found = [measured.cases[case] for case in cases]
        shown = [
            (interval, measured.floors.get(case), bound.met(interval))
            for case, interval in zip(cases, found, strict=True)
        ]
        rows.append(_row(name, shown, scale, bound.unit))
    ticks = "".join(
        f'<text x="{scale.at(tick)}" y="12" text-anchor="middle" font-size="11" '
        f'fill="currentColor">{number(tick)}</text>'
        for tick in scale.ticks
    )
    noise = "; grey: the noise floor" if measured.floors else ""
    said = what[0].upper() + what[1:] + (f" ({bound.unit})" if bound.unit else "")
    return (
        f'<table class="intervals"><caption>{escape(said)}; shaded: '
        f"where the claim puts it{noise}. A filled dot: the whole interval lies there.</caption>"
        f"{''.join(rows)}"
        f'<tr aria-hidden="true"><td></td><td width="60%"><svg width="100%" height="16">'
        f"{ticks}</svg></td><td></td></tr></table>"
    )


def grouped(measured: Measured) -> list[tuple[str, list[Case]]]:
    """The rows of a picture: the cases, or where they are too many, the levels of one factor."""
    cases = list(measured.cases)
    if len(cases) > ROWS:
        counts = [len({case[axis] for case in cases}) for axis in range(len(measured.factors))]
        fitting = [axis for axis, count in enumerate(counts) if count <= ROWS]
        axis = max(fitting, key=counts.__getitem__) if fitting else None
        if axis is None:
            return [(f"all {len(cases)}", cases)]
        levels = dict.fromkeys(case[axis] for case in cases)
        return [(level, [c for c in cases if c[axis] == level]) for level in levels]
    return [(measured.short(case), [case]) for case in cases]


class Scale:
    """From numbers to positions in per cent, with room for every interval, the bound and noise."""

    def __init__(self, measured: Measured, bound: Bound) -> None:
        ends = [end for found in measured.cases.values() for end in (found.low, found.high)]
        ends += [sign * floor for floor in measured.floors.values() for sign in (-1, 1)]
        ends += [end for end in (bound.low, bound.high) if math.isfinite(end)]
        low, high = min(ends), max(ends)
        room = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        self.low, self.high = low - room, high + room
        self.zone = (max(bound.low, self.low), min(bound.high, self.high))
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 3))
        step *= next(m for m in (1, 2, 5, 10) if (self.high - self.low) / (step * m) <= 6)
        first = math.ceil((self.low + 0.04 * (self.high - self.low)) / step)
        last = math.floor((self.high - 0.04 * (self.high - self.low)) / step)
        self.ticks = [round(i * step, 10) for i in range(first, last + 1)]

    def at(self, value: float) -> str:
        """``37.5%``."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"

    def width(self, low: float, high: float) -> str:
        """The distance between two values."""
        return f"{100 * (high - low) / (self.high - self.low):.2f}%"


Shown = tuple[Interval, float | None, bool]


def _row(name: str, shown: Sequence[Shown], scale: Scale, unit: str) -> str:
    marks, said = [], []
    floors = [floor for _, floor, _ in shown if floor is not None]
    if floors:
        marks.append(rect("floor", -max(floors), max(floors), scale))
    low, high = scale.zone
    marks.append(rect("zone", low, high, scale))
    for found, _, passes in shown:
        colour = "#17693a" if passes else "#52606d"
        kind = "in" if passes else "out"
        centre, ends = scale.at(found.mean), (scale.at(found.low), scale.at(found.high))
        fill = colour if passes else "#ffffff"
        marks.append(
            f'<line class="{kind}" x1="{ends[0]}" x2="{ends[1]}" y1="50%" y2="50%" '
            f'stroke="{colour}" stroke-width="2"/>'
            f'<circle class="{kind}" cx="{centre}" cy="50%" r="4.5" fill="{fill}" '
            f'stroke="{colour}" stroke-width="2"/>'
        )
        said.append(f"{_interval(found, unit)}, {'' if passes else 'not '}within the claim")
    label = escape(f"{name}: {'; '.join(said)}")
    value = digits(shown[0][0].mean, unit) if len(shown) == 1 else _share(shown)
    return (
        f'<tr><th scope="row">{escape(name)}</th><td width="60%"><svg role="img" '
        f'aria-label="{label}" width="100%" height="28">{"".join(marks)}</svg></td>'
        f"<td>{value}</td></tr>"
    )


def _share(shown: Sequence[Shown]) -> str:
    return f"{sum(passes for *_, passes in shown)} of {len(shown)}"


def rect(kind: str, low: float, high: float, scale: Scale) -> str:
    """A band of a picture, by the name of its paint."""
    colour, opacity = PAINT[kind]
    width = scale.width(low, high) if low < high else "3"  # a single number is a line
    return (
        f'<rect class="{kind}" x="{scale.at(low)}" width="{width}" '
        f'height="100%" fill="{colour}" fill-opacity="{opacity}"/>'
    )


def numbers(what: str, measured: Measured, bound: Bound) -> str:
    """Every case with its interval, the noise floor, and what the claim needs."""
    unit = bound.unit
    heads = ["", f"{what} ({unit})" if unit else what, "interval"]
    heads += ["noise floor"] if measured.floors else []
    rows = []
    for case, found in measured.cases.items():
        exact = found.low == found.high
        cells = [digits(found.mean, unit), "exact" if exact else _interval(found, unit)]
        if measured.floors:
            floor = measured.floors.get(case)
            cells.append("–" if floor is None else f"± {digits(floor, unit).lstrip('+')}")
        rows.append(
            f'<tr><th scope="row">{escape(measured.short(case))}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return (
        f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        f"</table><p>The claim needs: {escape(bound.words())}.</p>"
    )


def _interval(found: Interval, unit: str) -> str:
    return f"{digits(found.low, unit)} to {digits(found.high, unit)}"
