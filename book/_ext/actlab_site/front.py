"""What stands on the front page, from the records: verdicts, the score, the curves.

The page itself is ``book/index.md``; ```` ```{front} verdicts ```` and its like put these in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from actlab import catalog, claims
from actlab.catalog import Activation
from actlab.trial.card import picture
from actlab_site import curves, lab, ledger, reference

LEDGER = "reference/claims.html"


@dataclass(frozen=True)
class Shown:
    """A claim on the front page; ``said``: how it is said where nothing stands before it."""

    claim: str
    said: str = ""


SHOWN = (
    Shown("relu-kills-itself", "It is ReLU, the function, that kills the units of deep networks."),
    Shown("elu-faster"),
    Shown("selu-deep"),
)
"""Verdicts that surprise those who know the folklore; their words and pictures are the records'."""

LIVE = "&".join(
    (
        "data=digits&net=6x16&seed=1&speed=2&two=1",
        "a=relu,torch,torch,1,sgd,0.1",
        "b=relu,he,zero,1,sgd,0.1",
    )
)


def lead() -> str:
    """How many claims, and how they were tried."""
    return (
        f'<p class="lead">{len(claims.all())} things that are said about activation functions, put '
        "on trial: in both frameworks, over many random seeds, each under a written rule. And a "
        "course that lets you do the same.</p>"
    )


def verdicts() -> str:
    """Three of them, each with its sentence and its picture."""
    shown = "".join(map(trial, SHOWN))
    return f'<ol class="trials" aria-label="Three verdicts">{shown}</ol>{ledger.LEGEND}'


def trial(shown: Shown) -> str:
    """One verdict: the claim, what became of it, the intervals."""
    claim = claims.get(shown.claim)
    found = claim.recorded()
    what, bound = next(iter(claim.by.bounds.items()))
    address, said = f"{LEDGER}#{ledger.label(claim)}", escape(shown.said or claim.statement)
    return (
        f'<li class="verdict-card plain"><div>{ledger.tag(found.verdict)}'
        f'<p class="statement"><a href="{address}">“{said}”</a></p>'
        f'<p class="finding">{escape(found.because)}</p>'
        f'<p class="scope">{escape(claim.asks.scope)}</p></div>'
        f"<div>{picture(what, found.measured[what], bound)}</div></li>"
    )


def score() -> str:
    """All verdicts counted; each count leads to its lines of the ledger."""
    tried = [(claim, ledger.recorded(claim)) for claim in claims.all()]
    return ledger.score(ledger.claims_found(tried), LEDGER)


def live() -> str:
    """The lab with a small network."""
    return (
        f'<div class="al-embed live">{lab.frame("lab", LIVE, brief=True)}'
        '<p class="al-fallback">Here two small networks would train side by side, from two starts. '
        "It needs JavaScript. What it shows is "
        'measured in the chapter on <a href="../notebooks/02_relu.html">ReLU</a>.</p></div></div>'
    )


def every_curve(records: Iterable[Activation]) -> str:
    """Each curve as a link to its entry in the reference."""
    drawn = filter(curves.drawable, records)
    tiles = "".join(reference.tile(record, "reference/") for record in drawn)
    return f'<ul class="curves">{tiles}</ul>'


PARTS = {
    "lead": lead,
    "verdicts": verdicts,
    "score": score,
    "live": live,
    "curves": lambda: every_curve(catalog.records()),
}


class Front(Directive):
    """```` ```{front} score ````: one of :data:`PARTS`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """HTML, as it stands."""
        name: Any = self.arguments[0]
        if name not in PARTS:
            raise self.error(f"front: no part {name!r}; there are {', '.join(PARTS)}.")
        return [nodes.raw("", PARTS[name](), format="html")]
