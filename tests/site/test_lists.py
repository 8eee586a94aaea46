"""The ledger and the disagreements: short when opened, filtered, sorted, linked into, whole."""

from __future__ import annotations

import re

import pytest
from actlab_site import ledger

from actlab import claims

from . import pages

pytestmark = pytest.mark.site

LISTS = {"claims": ("selu", "claims"), "disagreements": ("celu", "entries")}
ENTRIES = {
    f"{ledger.entries(c)}": [claim for claim in claims.all() if claim.chapter == c]
    for c in dict.fromkeys(claim.chapter for claim in claims.all())
}
TALLEST = 6000  # px, on a phone, as opened
SHOWN = "[data-item]:not([hidden])"


def opened(page, address, name, rest=""):
    return pages.Visit(page, address).open(f"book/reference/{name}.html{rest}")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", [*LISTS, *ENTRIES])
def test_a_list_is_short_on_a_phone(browser, address, name, scripts):
    context = browser.new_context(viewport=pages.PHONE, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{address}/book/reference/{name}.html")
    height = page.locator("html").bounding_box()["height"]
    assert height < TALLEST, f"{height:.0f} px"
    assert page.locator("form.filters").is_visible() == (scripts and name in LISTS)
    context.close()


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_is_there_without_javascript(browser, address, name):
    context = browser.new_context(viewport=pages.PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/reference/{name}.html")
    if name == "claims":
        page.check(".more input")  # a phone is shown the first lines only
        lines = page.locator("[data-item] th a")
        lines.nth(lines.count() - 1).click()
        last, inside = page.locator("details:target"), "dl"
    else:
        page.locator("details.kind > summary").last.click()
        last, inside = page.locator("[data-item]").last, ".body"
    last.locator("summary").first.click()
    assert last.locator(inside).first.is_visible()
    context.close()


def test_a_link_opens_its_entry_whatever_is_filtered(page, address):
    anchor = "kink-celu-gradient"
    visit = opened(page, address, "disagreements", f"?find=nothing+of+the+kind#{anchor}")
    fold = page.locator(f"#{anchor}")
    assert fold.is_visible()
    assert fold.evaluate("fold => fold.open")
    assert page.input_value("form.filters input[name=find]") == ""
    other = page.locator(SHOWN).first.get_attribute("id")
    page.evaluate(f"location.hash = '{other}'")
    page.wait_for_selector(f"details#{other}[open]")
    assert not visit.problems


def test_an_old_link_into_the_ledger_opens_the_entry_where_it_is_now(browser, page, address):
    visit = opened(page, address, "claims", "?find=nothing+of+the+kind#on-trial-selu-deep")
    page.wait_for_url("**/claims-06-selu.html#on-trial-selu-deep")
    assert page.locator("details#on-trial-selu-deep[open] dl").is_visible()
    assert not visit.problems
    context = browser.new_context(viewport=pages.PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/reference/claims.html#on-trial-selu-deep")
    assert page.locator("#on-trial-selu-deep a").first.is_visible()  # beyond the lines of a phone
    context.close()


@pytest.mark.parametrize("name", ENTRIES)
def test_each_claim_of_a_chapter_has_its_entry_and_its_line_leads_there(site, name):
    folder = site / "book" / "reference"
    found = pages.parse(folder / f"{name}.html").ids
    leading = pages.parse(folder / "claims.html").links
    for claim in ENTRIES[name]:
        assert ledger.label(claim) in found
        assert f"{name}.html#{ledger.label(claim)}" in leading


@pytest.mark.parametrize("name", LISTS)
def test_search_and_menus_pick_and_the_address_keeps_it(page, address, name):
    word, of = LISTS[name]
    visit = opened(page, address, name)
    every = page.locator("[data-item]").count()
    said = page.locator("form.filters [role=status]")
    assert said.inner_text() == f"{every} {of}"
    page.fill("form.filters input[name=find]", word)
    few = page.locator(SHOWN).count()
    assert 0 < few < every
    assert all(word in t.lower() for t in page.locator(SHOWN).all_text_contents())
    assert said.inner_text() == f"{few} of {every} {of}"
    page.reload()
    assert page.locator(SHOWN).count() == few
    page.fill("form.filters input[name=find]", "no such word")
    assert "None of the" in said.inner_text()
    page.fill("form.filters input[name=find]", "")
    menu = page.locator("form.filters select").first
    key, value = menu.get_attribute("name"), menu.locator("option").nth(2).get_attribute("value")
    menu.select_option(value)
    assert page.locator(SHOWN).count() == page.locator(f'[data-item][data-{key}="{value}"]').count()
    opened_again = f"?{key}=of-no-such-value"
    page.goto(f"{address}/book/reference/{name}.html{opened_again}")
    assert page.locator(SHOWN).count() == every
    assert not visit.problems


def test_the_ledger_is_sorted_by_its_heads(page, address):
    opened(page, address, "claims")
    for key in ("rank", "share", "chapter", "amended"):
        head = page.locator(f"th[data-key={key}]")
        for order in ("ascending", "descending"):
            head.locator("button").click()
            assert head.get_attribute("aria-sort") == order
            values = page.locator("[data-item]").evaluate_all(
                f"all => all.map(i => i.dataset.{key})"
            )
            numbers = [float(re.sub(r"\D", "", value.replace("-1", "")) or -1) for value in values]
            if key == "share":
                numbers = [float(value) for value in values]
            assert numbers == sorted(numbers, reverse=order == "descending")
    assert page.locator("[aria-sort]").count() == 1


def test_the_score_counts_and_leads_to_its_lines(page, address):
    opened(page, address, "claims")
    for link in page.locator(".score a").all():
        count = int(link.locator("b").inner_text())
        wanted = re.search(r"verdict=(\w+)", link.get_attribute("href"))[1]
        assert page.locator(f'[data-item][data-verdict="{wanted}"]').count() == count
    assert page.locator("[data-item]").count() == len(claims.all())
    page.locator(".score a").nth(2).click()
    page.wait_for_url(re.compile("verdict=refuted"))
    assert {"refuted"} == set(
        page.locator(SHOWN).evaluate_all("all => all.map((item) => item.dataset.verdict)")
    )


def test_every_line_shows_its_verdict_as_a_picture(page, address):
    opened(page, address, "claims")
    for claim in claims.all():
        drawn = page.locator(f"#on-trial-{claim.id} svg.mini")
        cases = len(next(iter(claim.recorded().measured.values())).cases)
        assert drawn.locator("circle").count() == cases
        assert drawn.get_attribute("aria-label")


@pytest.mark.parametrize("size", [pages.PHONE, pages.DESK], ids=["phone", "desk"])
def test_an_open_entry_has_its_numbers_as_a_table_with_heads(page, address, size):
    page.set_viewport_size(size)
    opened(page, address, "claims-06-selu", "#on-trial-selu-deep")
    entry = page.locator("#on-trial-selu-deep")
    entry.locator("details.fold > summary").click()
    table = entry.locator("table.numbers").first
    heads = table.locator("thead th")
    assert heads.count() > 1
    for head in heads.all()[1:]:
        assert head.bounding_box()["width"] > 20
    widths = [table.locator(part).first.bounding_box()["width"] for part in ("thead", "tbody")]
    assert widths[0] == pytest.approx(widths[1], abs=1)
    assert widths[1] > 0.9 * table.bounding_box()["width"]
