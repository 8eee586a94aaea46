"""The verdict card: one claim, one word, one sentence, one small picture; the rest is folded.

Plain HTML that reads without a style sheet too (a table with text in every cell), so that it is
the same in the book, in Jupyter, in Colab and in GitHub's preview; the book adds its colours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
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
MET, MISSED = "#17693a", "#52606d"
REFERENCE = "../book/reference/"  # the folder of the ledger's page, as a chapter sees it
ENTRY = f"{REFERENCE}claims.html#on-trial-"  # goes on with the id of a claim


@dataclass(frozen=True)
class Trial:
    """Some claims with what was found, to be shown in a notebook."""

    cases: tuple[tuple[Claim, Finding], ...]

    def __repr__(self) -> str:
        return "\n\n".join(f"{claim.statement}\n{finding}" for claim, finding in self.cases)

    def _repr_html_(self) -> str:
        return "\n".join(card(claim, finding) for claim, finding in self.cases)


def card(claim: Claim, finding: Finding) -> str:
    """The card as HTML, for a chapter."""
    bounds, found, verdict = claim.by.bounds, finding.measured, finding.verdict
    html = [
        f'<div class="verdict-card {KINDS[verdict]}">',
        f'<p class="source">Claim · {linked(claim.source)}</p>',
        f'<p class="statement"><strong>“{escape(claim.statement)}”</strong></p>',
        f'<p class="line"><strong class="chip">{SIGNS[verdict]} {verdict}'
        f'</strong> <small class="scope">{escape(claim.asks.scope)}</small></p>',
        f'<p class="finding">{escape(finding.because)}</p>',
        *(picture(what, found[what], bound) for what, bound in bounds.items() if found[what].cases),
        '<details class="fold"><summary>All numbers, and the rule</summary>',
        *(numbers(what, measured, bounds[what]) for what, measured in found.items()),
        f"<p><strong>Rule, {written(claim)}.</strong> {escape(claim.rule)}</p>",
        "</details>",
        f'<p class="more"><a href="{ENTRY}{claim.id}">In the ledger</a></p>',
        "</div>",
    ]
    return "\n".join(html)


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
    rows = (_row(name, cases, measured, bound, scale) for name, cases in grouped(measured))
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
    if len(cases) <= ROWS:
        return [(measured.short(case), [case]) for case in cases]
    factors = [list(dict.fromkeys(levels)) for levels in zip(*cases, strict=True)]
    fitting = [axis for axis, levels in enumerate(factors) if len(levels) <= ROWS]
    if not fitting:
        return [(f"all {len(cases)}", cases)]
    axis = max(fitting, key=lambda axis: len(factors[axis]))
    return [(level, [case for case in cases if case[axis] == level]) for level in factors[axis]]


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
        self.width = self.high - self.low
        step = 10.0 ** math.floor(math.log10(self.width / 3))
        step *= next(m for m in (1, 2, 5, 10) if self.width / (step * m) <= 6)
        first = math.ceil((self.low + 0.04 * self.width) / step)
        last = math.floor((self.high - 0.04 * self.width) / step)
        self.ticks = [round(i * step, 10) for i in range(first, last + 1)]

    def at(self, value: float) -> str:
        """``37.5%``."""
        return f"{100 * (value - self.low) / self.width:.2f}%"


def _row(name: str, cases: Sequence[Case], measured: Measured, bound: Bound, scale: Scale) -> str:
    floors = [measured.floors[case] for case in cases if case in measured.floors]
    marks = [rect("floor", -max(floors), max(floors), scale)] if floors else []
    marks.append(rect("zone", *scale.zone, scale))
    found = [measured.cases[case] for case in cases]
    met, said = [bound.met(interval) for interval in found], []
    for interval, passes in zip(found, met, strict=True):
        kind, colour, fill = ("in", MET, MET) if passes else ("out", MISSED, "#ffffff")
        stroke = f'stroke="{colour}" stroke-width="2"/>'
        marks.append(
            f'<line class="{kind}" x1="{scale.at(interval.low)}" x2="{scale.at(interval.high)}" '
            f'y1="50%" y2="50%" {stroke}<circle class="{kind}" cx="{scale.at(interval.mean)}" '
            f'cy="50%" r="4.5" fill="{fill}" {stroke}'
        )
        within = "within the claim" if passes else "not within the claim"
        said.append(f"{_interval(interval, bound.unit)}, {within}")
    label = escape(f"{name}: {'; '.join(said)}")
    value = digits(found[0].mean, bound.unit) if len(found) == 1 else f"{sum(met)} of {len(met)}"
    return (
        f'<tr><th scope="row">{escape(name)}</th><td width="60%"><svg role="img" '
        f'aria-label="{label}" width="100%" height="28">{"".join(marks)}</svg></td>'
        f"<td>{value}</td></tr>"
    )


def rect(kind: str, low: float, high: float, scale: Scale) -> str:
    """A band of a picture, by the name of its paint."""
    colour, opacity = PAINT[kind]
    width = f"{100 * (high - low) / scale.width:.2f}%" if low < high else "3"  # a number is a line
    return (
        f'<rect class="{kind}" x="{scale.at(low)}" width="{width}" '
        f'height="100%" fill="{colour}" fill-opacity="{opacity}"/>'
    )


def numbers(what: str, measured: Measured, bound: Bound) -> str:
    """Every case with its interval, the noise floor, and what the claim needs."""
    unit, floors = bound.unit, measured.floors
    heads = ["", f"{what} ({unit})" if unit else what, "interval"]
    heads += ["noise floor"] if floors else []
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    rows = []
    for case, found in measured.cases.items():
        span = _interval(found, unit) if found.low < found.high else "exact"
        cells = [digits(found.mean, unit), span]
        if floors:
            cells.append(f"± {digits(floors[case], unit).lstrip('+')}" if case in floors else "–")
        rows.append(line(measured.short(case), *cells))
    return (
        f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'
        f"</table><p>The claim needs: {escape(bound.words())}.</p>"
    )


def line(head: str, *cells: str) -> str:
    """A line of a table; ``cells`` are HTML already."""
    data = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(head)}</th>{data}</tr>'


def _interval(found: Interval, unit: str) -> str:
    return f"{digits(found.low, unit)} to {digits(found.high, unit)}"
