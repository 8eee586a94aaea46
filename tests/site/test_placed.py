"""The live lab and the explorers in the chapters: each stands in its section, and works."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from actlab_site import placed
from docutils import nodes
from docutils.utils import new_document

from . import pages
from .conftest import ROOT

CHAPTERS = list(dict.fromkeys(place.chapter for place in placed.PLACED))


def chapter(*titles):
    document = new_document("page")
    document.settings.env = SimpleNamespace(docname="notebooks/02_relu")
    for title in titles:
        section = nodes.section("", nodes.title("", title), nodes.paragraph("", "Text."))
        section += nodes.section("", nodes.title("", "Below"))
        document += section
    return document


def test_a_piece_stands_at_the_end_of_its_section_before_those_below(caplog):
    document = chapter("Who killed the ReLU?", "Train one, and count", "Exercises")
    placed.PlacedTransform(document).apply()
    for section, piece in zip(document.children, ("signals", "lab", None), strict=True):
        kinds = [type(node).__name__ for node in section.children]
        raw = ["raw"] if piece else []
        assert kinds == ["title", "paragraph", *raw, "section"]
        if piece:
            assert f'data-actlab="{piece}"' in section[2].astext()
    assert not caplog.records


def test_a_section_that_is_gone_is_named_with_those_that_are_there(monkeypatch):
    said = []
    monkeypatch.setattr(
        placed.logger, "warning", lambda text, *parts, **_: said.append(text % parts)
    )
    placed.PlacedTransform(chapter("Who killed the ReLU?", "Train two")).apply()
    assert len(said) == 1
    for words in ("no section 'Train one, and count'", "placed.py", "Train two"):
        assert words in said[0]


def test_every_chapter_that_a_piece_is_placed_in_exists():
    for name in CHAPTERS:
        assert (ROOT / "notebooks" / f"{name}.ipynb").is_file()
    assert placed.of("notebooks/99_none") == placed.of("book/lab") == []


@pytest.mark.site
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_pieces_of_a_chapter_open_in_the_state_that_their_link_names(page, address, name):
    page.set_default_timeout(120_000)  # a test machine may be busy
    visit = pages.Visit(page, address).open(f"notebooks/{name}.html")
    folds = page.locator("article details.al-embed")
    wanted = placed.of(f"notebooks/{name}")
    assert folds.count() == len(wanted)
    assert page.locator("[data-live]").count() == 0  # nothing is loaded until it is asked for
    for number, place in enumerate(wanted):
        fold = folds.nth(number)
        link = fold.locator(".al-fallback a")
        assert link.get_attribute("href") == f"../book/{place.piece}.html#{place.state}"
        fold.locator("summary").first.click()
        fold.locator("[data-live]").wait_for()
        fold.locator(".al-say, .al-plot svg").first.wait_for()
        assert fold.locator(".al-note").is_hidden()
        page.set_viewport_size(pages.PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= pages.PHONE["width"]
        page.set_viewport_size(pages.DESK)
        fold.locator("summary").first.click()
    assert not visit.problems, pages.listed(visit.problems)
