"""The gallery of report cards: a table that sorts, and a page for each card, from their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from actlab.frameworks.pages import search_form
from actlab.report.card import Card
from actlab.report.published import PUBLISHED, Published
from actlab_site.boxes import slug

INTRODUCTION = """\
# Report cards

Functions from papers that neither library has, each put through `actlab.report`: what is wrong with
its values and slopes, its properties, the start that suits it, its cost against ReLU, and a fair
small trial against ReLU, GELU and SiLU: every arm tuned alike, on several splits of two data sets,
trained to the plateau. The last ones have a fault that was put in on purpose, to see whether
it is named. A card for a function of yours takes two or three minutes:

```bash
python -m actlab.report my_module:my_function
```
"""
HEADS = (
    ("name", "Function"),
    ("faults", "Faults"),
    ("gain", "Start: LeCun ×"),
    ("cost", "Time, in ReLUs"),
    ("ahead", "Ahead"),
    ("behind", "Behind"),
    ("same", "Not told apart"),
)


def pages(cards: Mapping[str, Card]) -> Iterator[tuple[str, str]]:
    """File → Markdown: the gallery, and every card."""
    shown = [(one, cards[one.name]) for one in PUBLISHED if one.name in cards]
    yield "report-cards.md", gallery(shown)
    for one, card in shown:
        yield f"card-{slug(one.name)}.md", page(one, card)


def page(one: Published, card: Card) -> str:
    """One card."""
    origin = f"{one.origin.title} ({one.origin.citation})"
    source = f"[{origin}]({one.origin.url})" if one.origin.url else origin
    body = card.body().replace("<table>", '<table class="table">')
    return (
        f"# {one.name}\n\n$$f(x) = {one.formula}$$\n\n{source}. "
        f"[All report cards](report-cards.md)\n\n```{{raw}} html\n{body}\n```\n"
    )


def gallery(shown: list[tuple[Published, Card]]) -> str:
    """The table, sorted by name until a reader sorts it otherwise."""
    head = "".join(f'<th scope="col" data-key="{key}">{words}</th>' for key, words in HEADS)
    box = ("faults", "with a fault")
    form = search_form("cards", "the cards", "cards", box=box, count=len(shown))
    rows = "\n".join(
        line(one, card) for one, card in sorted(shown, key=lambda s: s[0].name.casefold())
    )
    return (
        f"{INTRODUCTION}\n```{{raw}} html\n"
        f"{form}\n"
        f'<div class="wide" tabindex="0" role="region" aria-label="Report cards">'
        f'<table class="table" id="cards"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>\n```\n"
    )


def line(one: Published, card: Card) -> str:
    """One function of the gallery."""
    outcomes = [duel.outcome for duel in card.trial.duels] if card.trial else []
    counts = {
        "ahead": outcomes.count("ahead"),
        "behind": outcomes.count("behind"),
        "same": outcomes.count("no difference seen"),
    }
    kinds = ", ".join(dict.fromkeys(fault.kind for fault in card.faults))
    cells: list[tuple[str, Any, str]] = [
        ("faults", kinds, escape(kinds) or "none"),
        ("gain", *_number(card.start.gain if card.start else None)),
        ("cost", *_number(card.cost[-1].median if card.cost else None)),
        *((key, *_number(n if outcomes else None, "d")) for key, n in counts.items()),
    ]
    data = " ".join(f'data-{key}="{escape(str(value), quote=True)}"' for key, value, _ in cells)
    return (
        f'<tr data-item data-name="{escape(one.name)}" {data}><th scope="row">'
        f'<a href="card-{slug(one.name)}.html">{escape(one.name)}</a></th>'
        + "".join(f"<td>{shown}</td>" for _, _, shown in cells)
        + "</tr>"
    )


def _number(value: float | None, spec: str = ".3g") -> tuple[str, str]:
    """As it is sorted by, and as it is shown."""
    if value is None:
        return "", "–"
    # Equally many decimals: the sorting compares digit groups.
    return str(value) if spec == "d" else f"{value:.6f}", format(value, spec)
