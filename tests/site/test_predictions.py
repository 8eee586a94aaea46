"""Predict, choose, reveal: in a small book, built with this course's settings, in a browser."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from . import pages
from .test_checks_can_fail import PNG
from .test_small_book import build

pytestmark = pytest.mark.site

ASK = """# A chapter

Half of the units are dead.

> **Predict.** Set the biases to zero. How many of the deep units are dead then?
>
> - as many as before
> - about half of them, $1/2$
> - nearly `none`
"""
SAID = "> **Measured.** 6 % of the units: *nearly `none`*. The folklore says: *as many as before*."
WHY = """So it is [not the function](#later).

<details>
<summary>For the curious: why</summary>

Because of $w$.

</details>
"""
AGAIN = "> **Predict.** And now?\n>\n> - more\n> - fewer\n"
LATER = "## Later\n\nThe end."


def code(source, *outputs, tags=("reveal",), alt=""):
    metadata = {"tags": list(tags)} | ({"mystnb": {"image": {"alt": alt}}} if alt else {})
    return new_code_cell(source, execution_count=1, outputs=list(outputs), metadata=metadata)


def shown(**data):
    kinds = {"text": "text/plain", "markdown": "text/markdown", "png": "image/png"}
    return new_output("display_data", {kinds[name]: value for name, value in data.items()})


def said(text):
    return shown(text="<IPython.core.display.Markdown object>", markdown=text)


def chapter(answer: str = SAID) -> nbformat.NotebookNode:
    png = base64.b64encode(PNG).decode()
    reveal = {"tags": ["reveal"]}
    cells = [
        new_markdown_cell(ASK),
        code("first = count()", new_output("stream", text="counted 10 layers")),
        code("plot()", shown(png=png, text="a figure"), said(answer), alt="One grey point here"),
        new_markdown_cell(WHY, metadata=reveal),
        new_markdown_cell(AGAIN),
        code("more()", said("> **Measured.** 7 units: *more*.")),
        new_markdown_cell("After it.", metadata={}),
        new_markdown_cell(LATER),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return new_notebook(cells=cells, metadata=kernel | language)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("book")
    result = build(root, chapter())
    assert result.returncode == 0, result.stderr
    return root / "_build/html"


@pytest.fixture(scope="module")
def home(folder):
    with pages.served(folder) as url:
        yield f"{url}/notebooks/01_a.html"


@pytest.fixture
def opened(page, home):
    page.goto(home)
    return page


def fold(page, number=1):
    return page.locator(f"#predict-{number}-answer")


def is_seen(page, text):
    return page.get_by_text(text).first.is_visible()


def test_the_answer_is_covered_and_the_code_is_not(opened):
    for text in ("first = count()", "plot()", "more()", "After it."):
        assert is_seen(opened, text)
    for text in ("counted 10 layers", "6 % of the units", "not the function", "7 units"):
        assert not is_seen(opened, text)
    assert not opened.locator("details.reveal img").first.is_visible()
    assert opened.locator("details.reveal").count() == 2
    fold(opened).locator("summary").first.click()
    for text in ("counted 10 layers", "6 % of the units", "not the function"):
        assert is_seen(opened, text)
    assert opened.locator("details.reveal img").first.is_visible()
    assert not is_seen(opened, "7 units")


def answer(page):
    return " ".join(fold(page).locator(".answer").inner_text().split())


@pytest.mark.parametrize(
    ("pick", "you"),
    [
        (None, ""),
        (0, "You and the folklore said as many as before. "),
        (1, "You said about half of them, 1/2. "),
        (2, "You said nearly none, and so it is. "),
    ],
)
def test_the_pick_is_compared_with_what_was_measured(opened, pick, you):
    radios = opened.locator("#predict-1 input[type=radio]")
    assert radios.count() == 3
    if pick is not None:
        radios.nth(pick).check()
    assert opened.locator("label.right").count() == 0
    fold(opened).locator("summary").first.click()
    opened.wait_for_function("document.querySelector('label.right')")
    measured = "Measured: 6 % of the units: nearly none. The folklore says: as many as before."
    assert answer(opened) == you + measured
    assert opened.locator("label.right").inner_text().startswith("nearly none")
    radios.nth(1).check()  # a change of mind is told, too
    assert answer(opened).startswith("You said about half of them")


def test_by_keyboard(opened):
    opened.locator("#predict-1 input").first.focus()
    opened.keyboard.press("ArrowDown")
    assert opened.locator("#predict-1 input").nth(1).is_checked()
    fold(opened).locator("summary").first.focus()
    opened.keyboard.press("Enter")
    assert is_seen(opened, "6 % of the units")


def test_without_a_script(browser, home):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home)
    page.locator("#predict-1 input").nth(2).check()
    assert not is_seen(page, "6 % of the units")
    fold(page).locator("summary").first.click()
    assert is_seen(page, "6 % of the units")
    context.close()


def test_on_paper_it_is_open(browser, home):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home)
    page.emulate_media(media="print")
    assert is_seen(page, "6 % of the units")
    assert not fold(page).locator("summary").first.is_visible()
    context.close()


def test_a_link_into_the_answer_opens_it(opened, home):
    opened.evaluate("location.hash = '#predict-1-answer'")
    opened.wait_for_function("document.querySelector('#predict-1-answer').open")
    other = opened.context.new_page()
    other.goto(f"{home}#predict-1-answer")
    other.wait_for_function("document.querySelector('#predict-1-answer').open")
    assert not fold(other, 2).evaluate("fold => fold.open")


def test_a_search_into_the_answer_opens_it(opened, home):
    opened.evaluate("localStorage.setItem('sphinx_highlight_terms', 'curious')")
    opened.goto(home)
    opened.wait_for_function("document.querySelector('#predict-1-answer').open")


def test_the_page_is_accessible_open_and_fits_a_phone(page, home):
    address, _, name = home.partition("/notebooks/")
    visit = pages.Visit(page, address).open(f"notebooks/{name}")
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    page.locator("#predict-1 input").first.check()
    problems = [*pages.overflow_problems(page), *pages.math_problems(page)]
    for theme in ("light", "dark"):
        problems += pages.axe_problems(page, theme)
    assert not visit.problems + problems


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("> **Measured.** 6 %: *none*.", "measured is 'none', none of the choices"),
        ("> **Found.** 6 %: *none*.", "nothing measured answers this prediction"),
    ],
)
def test_an_answer_that_is_no_choice_fails_the_build(tmp_path, answer, says):
    result = build(tmp_path, chapter(answer))
    assert result.returncode != 0
    assert says in re.sub(r"\s+", " ", result.stdout + result.stderr)
