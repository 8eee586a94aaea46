"""The front page: verdicts, score, a network, curves and doors, all from the records."""

from __future__ import annotations

import re

import pytest
from actlab_site import curves, front

from actlab import catalog, claims

from . import pages


def test_what_is_shown_is_what_is_on_file():
    html = front.verdicts()
    for shown in front.SHOWN:
        found = claims.get(shown.claim).recorded()
        assert f'href="reference/claims.html#on-trial-{shown.claim}"' in html
        assert front.escape(found.because) in html
        assert f"</span> {found.verdict}</span>" in html
    counts = [int(n) for n in re.findall(r"<b>(\d+)</b>", front.score())]
    assert sum(counts) == len(claims.all())
    assert front.lead().startswith(f'<p class="lead">{len(claims.all())} things')


def test_the_three_do_not_all_say_the_same():
    """Changed verdicts may make another choice necessary: then choose others in front.py."""
    assert len({claims.get(shown.claim).recorded().verdict for shown in front.SHOWN}) == 3


def test_every_drawn_curve_is_a_link():
    html = front.every_curve(catalog.records())
    drawn = [record for record in catalog.records() if curves.drawable(record)]
    assert html.count("<a href=") == len(drawn)
    for record in drawn:
        assert f"#activation-{record.name.replace('_', '-')}" in html


@pytest.mark.site
@pytest.mark.parametrize("size", [pages.PHONE, pages.DESK], ids=["phone", "desk"])
def test_the_front_page_shows_a_verdict_at_once_and_a_network_when_one_comes_near(
    page, address, size
):
    page.set_default_timeout(120_000)  # a test machine may be busy
    page.set_viewport_size(size)
    visit = pages.Visit(page, address).open("book/index.html")
    assert page.locator(".trials li").first.bounding_box()["y"] < size["height"]
    before = page.locator(".live").bounding_box()["height"]
    page.locator(".live").scroll_into_view_if_needed()
    page.wait_for_selector(".live [data-live]")
    page.wait_for_function("document.querySelector('.al-say')?.textContent")
    after = page.locator(".live").bounding_box()["height"]
    assert abs(after - before) < 0.1 * before  # nothing below it moves
    assert page.locator(".live .al-note").is_hidden()
    for door in ("Read", "Run", "Teach"):
        assert page.locator(f"p.rubric:has-text('{door}'), h3:has-text('{door}')").count() == 1
    assert not visit.problems, pages.listed(visit.problems)
