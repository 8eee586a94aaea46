"""The cheat sheet: every row of every chapter, with its verdicts, on one sheet of paper."""

from __future__ import annotations

import re

import pytest
from actlab_site import cheat

from actlab import claims
from actlab.trial import Row

from .conftest import ROOT

PAGE = "book/reference/cheat-sheet.html"


def row(activation: str = "leaky_relu", **changes: object) -> Row:
    words = {"use": "a < b", "start": "He", "trap": "none", "evidence": ("relu-revive",)}
    return Row(activation=activation, **(words | changes))  # type: ignore[arg-type]


def test_every_row_of_every_chapter_is_on_it_with_its_verdicts():
    text = cheat.page(claims.rows(), ROOT)
    rows = [row for found in claims.rows().values() for row in found]
    assert text.count('<th scope="row">') == len(rows)
    for found in rows:
        for name in found.evidence:
            assert f'href="claims.html#on-trial-{name}"' in text


def test_a_row_has_its_defaults_its_curve_and_its_verdict():
    line = cheat.line(row(), "04_leaky")
    assert "a &lt; b" in line
    assert re.search(r"<b><code>layers\.<wbr>LeakyReLU", line)
    assert 'href="../../notebooks/04_leaky.html"' in line
    assert '<path class="curve" d="M3.0 ' in line
    assert claims.get("relu-revive").recorded().verdict in line
    assert "<b><code>" not in cheat.line(row("relu"), "02_relu")


@pytest.mark.site
def test_it_fits_one_sheet_of_paper(page, address):
    page.goto(f"{address}/{PAGE}")
    pdf = page.pdf(format="A4", margin=dict.fromkeys(("top", "left", "bottom", "right"), "8mm"))
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2  # its two sides
    page.evaluate(
        """() => {
            const body = document.querySelector(".cheat-sheet tbody");
            body.append(...[...Array(80)].map(() => body.rows[0].cloneNode(true)));
        }"""
    )
    pdf = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 2  # the count can tell
