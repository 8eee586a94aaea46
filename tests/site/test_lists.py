"""The ledger and the disagreements: short when opened, filtered, sorted, linked into, whole."""

from __future__ import annotations

import re

import pytest

from actlab import claims

from . import pages

pytestmark = pytest.mark.site

LISTS = {
    "claims": ("on-trial-selu-deep", "selu", "claims"),
    "disagreements": ("kink-celu-gradient", "celu", "entries"),
}
TALLEST = 6000  # px, on a phone, as opened
SHOWN = "[data-item]:not([hidden])"


def opened(page, address, name, rest=""):
    return pages.Visit(page, address).open(f"book/reference/{name}.html{rest}")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_short_on_a_phone(browser, address, name, scripts):
    context = browser.new_context(viewport=pages.PHONE, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{address}/book/reference/{name}.html")
    height = page.locator("html").bounding_box()["height"]
    assert height < TALLEST, f"{height:.0f} px"
    assert page.locator("form.filters").is_visible() == scripts
    context.close()


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_is_there_without_javascript(browser, address, name):
    context = browser.new_context(viewport=pages.PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/reference/{name}.html")
    if name == "claims":
        page.check(".more input")  # a phone is shown the first lines only
    else:
        page.locator("details.kind > summary").last.click()
    items = page.locator("[data-item]")
    last = items.nth(items.count() - 1)
    last.locator("summary").first.click()
    inside = last.locator("dl" if name == "claims" else ".body")
    assert inside.first.is_visible()
    context.close()


@pytest.mark.parametrize("name", LISTS)
def test_a_link_opens_its_entry_whatever_is_filtered(page, address, name):
    anchor, _, _ = LISTS[name]
    visit = opened(page, address, name, f"?find=nothing+of+the+kind#{anchor}")
    fold = page.locator(f"#{anchor}")
    assert fold.is_visible()
    assert fold.evaluate("e => (e.matches('details') ? e : e.querySelector('details')).open")
    assert page.input_value("form.filters input[name=find]") == ""
    other = page.locator(SHOWN).first.get_attribute("id")
    page.evaluate(f"location.hash = '{other}'")
    page.wait_for_function(
        f"document.querySelector('#{other} details[open], details#{other}[open]')"
    )
    assert not visit.problems


@pytest.mark.parametrize("name", LISTS)
def test_search_and_menus_pick_and_the_address_keeps_it(page, address, name):
    _, word, of = LISTS[name]
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
    opened(page, address, "claims", "#on-trial-selu-deep")
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
