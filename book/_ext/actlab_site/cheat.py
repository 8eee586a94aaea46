"""The page "Cheat sheet": every chapter's cheat rows on one sheet of paper, from the records.

What a framework does by default comes from the catalog, what a row says from the chapter's record
file, and every row links to the verdicts that it stands on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from actlab import catalog, claims
from actlab.trial.card import KINDS, SIGNS
from actlab.trial.cheat import FRAMEWORKS, Row
from actlab_site import curves

INTRODUCTION = """\
# Cheat sheet

What to remember of each activation, on the two sides of one sheet to print. Nothing stands here
without a verdict behind it: the signs in the last column lead to them. Defaults in **bold** differ
between the two frameworks, or between two calls of one."""
HEADS = ("", "Activation", "When", "Start", *FRAMEWORKS.values(), "Trap", "Verdicts")


def page(rows: Mapping[str, Sequence[Row]], root: Path) -> str:
    """The page's Markdown: chapter → its rows, in the order of the book."""
    lines = [
        '<div class="cheat-sheet" role="region" aria-label="Cheat sheet">',
        "<table><thead><tr><td></td>",
        *(f'<th scope="col">{head}</th>' for head in HEADS[1:]),
        "</tr></thead><tbody>",
        *(line(row, chapter) for chapter, found in rows.items() for row in found),
        "</tbody></table>",
        f'<p class="foot">{footer(root)}</p>',
        "</div>",
        '<p class="print"><button type="button" onclick="print()">Print it: one A4 sheet</button>',
        "</p>",
    ]
    return f"{INTRODUCTION}\n\n```{{raw}} html\n" + "\n".join(lines) + "\n```\n"


def footer(root: Path) -> str:
    """With what the course is measured, and what the signs mean."""
    text = (root / "requirements.txt").read_text("utf-8")
    versions = dict(re.findall(r"^(torch|keras)==(\d+\.\d+)", text, re.MULTILINE))
    signs = " · ".join(f"{sign} {verdict}" for verdict, sign in SIGNS.items())
    return (
        f"PyTorch {versions['torch']}, Keras {versions['keras']}. Small networks, twenty seeds and "
        f"more; scope and numbers are in the ledger. {signs}"
    )


def line(row: Row, chapter: str) -> str:
    """One row of the table."""
    cells = [("When", escape(row.use)), ("Start", escape(row.start))]
    for framework, title in FRAMEWORKS.items():
        calls = [f"<code>{breakable(call)}</code>" for call in row.defaults(framework)]
        words = "<br>".join(calls) or "does not have it"
        cells.append((title, f"<b>{words}</b>" if row.differ and calls else words))
    cells.append(("Trap", escape(row.trap)))
    cells.append(("Verdicts", " ".join(map(verdict, row.evidence))))
    return (
        f'<tr><td class="curve">{curves.sketch(catalog.get(row.activation))}</td>'
        f'<th scope="row"><a href="../../notebooks/{chapter}.html">{escape(row.title)}</a></th>'
        + "".join(f'<td data-head="{head}">{cell}</td>' for head, cell in cells)
        + "</tr>"
    )


def verdict(name: str) -> str:
    """A claim's sign, which links to its entry in the ledger and says what it claims."""
    claim = claims.get(name)
    found = claim.recorded().verdict
    said = escape(f"{found}: {claim.statement}", quote=True)
    return (
        f'<a class="{KINDS[found]}" href="claims.html#on-trial-{name}" title="{said}" '
        f'aria-label="{said}">{SIGNS[found]}</a>'
    )


def breakable(call: str) -> str:
    """A call that may go on in the next line behind a dot, a bracket or an underscore."""
    return re.sub(r"([._(=])", r"\1<wbr>", escape(call))
