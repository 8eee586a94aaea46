"""Accessibility of whole pages, not thinned out, on a phone and at a desk, by day and by night.

One of each kind; what every page has in common is tested on all of them in ``test_site.py``.
"""

from __future__ import annotations

import pytest

from . import pages

pytestmark = pytest.mark.site

KINDS = {
    "book/index.html": "article h1",
    "notebooks/02_relu.html": "article h1",
    "book/reference/claims.html": "form.filters",
    "book/reference/claims-06-selu.html#on-trial-selu-deep": "details[open] dl",
    "book/lab.html#data=digits&net=2x8&two=1": "[data-live] .al-net",
}
VIEWS = ((320, "light"), (320, "dark"), (390, "dark"), (1280, "light"), (1280, "dark"))


def violations(page):
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(pages.AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")["violations"]
    return [
        f"{violation['id']}: {' '.join(node['html'].split())[:160]}"
        for violation in found
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_page_has_no_violation(browser, address, name):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)  # a test machine may be busy
    page.goto(f"{address}/{name}")
    page.wait_for_selector(KINDS[name])
    pages.lay_out(page)
    problems = []
    for width, theme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(
            """(theme) => Object.assign(document.documentElement.dataset, {mode: theme, theme})""",
            theme,
        )
        page.wait_for_timeout(700)  # the theme looks again at what scrolls
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        problems += [f"{width} px, {theme}: {problem}" for problem in violations(page)]
    context.close()
    assert not problems, pages.listed(problems)


def test_a_violation_anywhere_is_seen(browser, address):
    """The last line of code of a chapter, in a colour that is too pale."""
    page = browser.new_page()
    page.goto(f"{address}/notebooks/02_relu.html")
    pages.lay_out(page)
    page.evaluate(
        """() => {
            const tokens = document.querySelectorAll("div.cell_input .highlight span[class]");
            const words = [...tokens].filter((token) => token.textContent.length > 3);
            words.filter((token) => token.checkVisibility()).at(-1).style.color = "#cfcfcf";
        }"""
    )
    assert any("color-contrast" in problem for problem in violations(page))
    page.close()


def test_who_wants_no_motion_gets_none(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/notebooks/02_relu.html")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((element) => {
            const style = getComputedStyle(element);
            const long = (text) => text.split(",").some((part) => parseFloat(part) > 0);
            return long(style.transitionDuration) || long(style.animationDuration);
        }).map((element) => element.className)"""
    )
    assert moving == []
    context.close()


def test_the_keyboard_reaches_the_text_first_and_every_stop_shows(page, address):
    page.goto(f"{address}/notebooks/02_relu.html")
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("document.activeElement.textContent")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
                const at = document.activeElement;
                const ring = [at, at.closest("label"), ...at.children].some((part) => {
                    const style = part && getComputedStyle(part);
                    return style && (style.outlineStyle !== "none" || style.boxShadow !== "none");
                });
                return [at.outerHTML.slice(0, 120), ring];
            }"""
        )
        assert stop[1], stop[0]
        seen.add(stop[0])
    assert len(seen) > 40


# --- nothing is laid out in vain ------------------------------------------------------------------

REACHED_HERE = pages.REACHED.replace(
    "every(", "filter((code) => code.checkVisibility({contentVisibilityAuto: true})).every("
)
LAID_OUT = 2500  # elements, the menus among them; a whole chapter has up to twice as many


def laid_out(page):
    page.wait_for_timeout(500)
    return page.evaluate(
        """[...document.querySelectorAll("body *")].filter(
            (element) => element.checkVisibility({contentVisibilityAuto: true})).length"""
    )


@pytest.mark.parametrize("size", [pages.PHONE, pages.DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["02_relu", "06_selu", "07_self_gated"])
def test_a_chapter_lays_out_what_is_near_and_the_rest_when_one_comes_near(
    page, address, name, size
):
    page.set_viewport_size(size)
    page.goto(f"{address}/notebooks/{name}.html")
    near = laid_out(page)
    assert near < LAID_OUT
    last = page.locator("article > section > section > h2").last
    last.scroll_into_view_if_needed()
    page.wait_for_function(
        "(title) => title.checkVisibility({contentVisibilityAuto: true})",
        arg=last.element_handle(),
    )
    page.wait_for_function(REACHED_HERE)
    pages.lay_out(page)
    assert laid_out(page) > near


# --- nothing moves --------------------------------------------------------------------------------

STILL = 0.002  # of the layout-shift score
WATCH = """window.shifts = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


def moved(browser, url, size, before=""):
    page = browser.new_page(viewport=size)
    page.set_default_timeout(120_000)  # a test machine may be busy
    page.add_init_script(WATCH + before)
    page.goto(url)
    if page.locator("[data-own]").count():
        page.wait_for_selector("[data-own][data-live]")
    page.wait_for_timeout(800)
    found = page.evaluate("window.shifts")
    page.close()
    return found


@pytest.mark.parametrize("size", [pages.PHONE, pages.DESK], ids=["phone", "desk"])
@pytest.mark.parametrize(
    "name",
    [
        "book/index",
        "book/explore",
        "book/signals",
        "book/reference/claims",
        "book/reference/claims-06-selu",
        "book/reference/disagreements",
        "notebooks/02_relu",
    ],
)
def test_nothing_moves_when_a_page_arrives(browser, address, name, size):
    assert moved(browser, f"{address}/{name}.html", size) < STILL


def test_what_moves_is_noticed(browser, address):
    late = """addEventListener("load", () => setTimeout(() => {
        const block = document.createElement("div");
        block.style.height = "300px";
        document.querySelector("article").prepend(block);
    }, 300));"""
    assert moved(browser, f"{address}/book/evidence.html", pages.DESK, late) > STILL
