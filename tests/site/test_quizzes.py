"""Five questions a chapter: what they say is so, and how they work in a page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from actlab_site import quizzes
from actlab_site.quizzes import Option, Question

from . import pages
from .conftest import ROOT

QUIZZES = quizzes.read(ROOT / quizzes.FILE)
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
ASKED = [(chapter, number) for chapter, asked in QUIZZES.items() for number in range(len(asked))]
WIDEST = 72  # characters of a line of code


def untrue(question: Question) -> list[str]:
    """What the question's own code says against its options."""
    made: dict[str, object] = {}
    exec(compile(question.code, "quiz", "exec"), made)
    problems = []
    for option in question.options:
        found = bool(eval(option.so, made))
        if found is not option.right:
            problems.append(f"{option.say!r} is marked {option.right}, the code says {found}")
    return problems


def test_every_chapter_has_five_questions():
    assert set(CHAPTERS) <= set(QUIZZES)
    assert {len(asked) for asked in QUIZZES.values()} == {5}


def test_a_chapter_that_stands_there_twice_is_refused(tmp_path):
    twice = tmp_path / "quizzes.yml"
    twice.write_text("02_relu: []\n03_sigmoid_tanh: []\n02_relu: []\n")
    with pytest.raises(ValueError, match="02_relu twice"):
        quizzes.read(twice)


@pytest.mark.parametrize(("chapter", "number"), ASKED)
def test_the_right_option_is_right_and_the_others_are_wrong(chapter, number, capsys):
    question = QUIZZES[chapter][number]
    assert untrue(question) == []
    said = [option.say for option in question.options]
    assert 3 <= len(set(said)) == len(said)
    assert all(len(option.why.split()) >= 4 for option in question.options)
    assert max(map(len, question.code.splitlines())) <= WIDEST


def test_the_right_answer_is_neither_always_in_one_place_nor_always_the_longest():
    asked = [question for found in QUIZZES.values() for question in found]
    places = Counter(question.options.index(question.right) for question in asked)
    assert max(places.values()) <= 0.45 * len(asked), places
    longest = [q for q in asked if max(q.options, key=lambda o: len(o.say)).right]
    assert len(longest) <= 0.6 * len(asked)


THREE = Question(
    "One and one?",
    "x = 1 + 1",
    (
        Option("Two.", "The sum of both.", "x == 2", right=True),
        Option("Three.", "One too many.", "x == 3"),
        Option("One.", "That is `max`.", "x == 1"),
    ),
)


def test_a_wrong_answer_is_noticed():
    assert untrue(THREE) == []
    assert len(untrue(replace(THREE, code="x = 1 + 2"))) == 2
    swapped = tuple(replace(option, right=option.say == "One.") for option in THREE.options)
    assert len(untrue(replace(THREE, options=swapped))) == 2


def test_an_option_says_why_and_is_escaped():
    html = quizzes.choices(replace(THREE, ask="a < b"), "q")
    assert html.count('class="why"') == 3
    assert "✘ That is <code" in html
    assert "a &lt; b" in quizzes.inline("a < b")
    assert quizzes.letter(THREE) == "a"


# --- in a page ------------------------------------------------------------------------------------

PAGE = "notebooks/02_relu.html"
SHOWN = """(box) => [...box.querySelectorAll(".why")].map((why) => why.checkVisibility())"""


@pytest.mark.site
@pytest.mark.parametrize("name", CHAPTERS)
def test_it_stands_at_the_end_of_its_chapter(site, name):
    html = (site / "notebooks" / f"{name}.html").read_text("utf-8")
    assert html.count('class="box-quiz') + html.count("box box-quiz") == 5
    assert '<section id="quiz">' in html


@pytest.mark.site
def test_the_keyboard_answers_and_nothing_is_remembered(page, address):
    page.goto(f"{address}/{PAGE}")
    kept = page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
    question = QUIZZES["02_relu"][0]
    right = question.options.index(question.right)
    box = page.locator("#quiz-1")
    assert not any(box.evaluate(SHOWN))
    for picks, said in ((right, "Yes. "), ((right + 1) % 3, "No. ")):
        box.locator("input").nth(picks).focus()
        page.keyboard.press("Space")
        assert box.locator("input").nth(picks).is_checked()
        if said == "Yes. ":
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        page.wait_for_function(
            "said => document.querySelector('#quiz-1 .you').textContent === said", arg=said
        )
        assert all(box.evaluate(SHOWN))
    assert page.locator("#quiz-2").evaluate(SHOWN) == [False] * 3
    assert page.evaluate("JSON.stringify({...localStorage}) + document.cookie") == kept
    page.reload()
    assert page.locator(".box-quiz input:checked, .box-quiz details[open]").count() == 0


@pytest.mark.site
def test_it_works_without_a_script_and_on_paper(browser, address):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    why = page.locator("#quiz-3 .why").first
    assert not why.is_visible()
    page.locator("#quiz-3 summary").click()
    assert why.is_visible()
    assert page.locator("#quiz-3 .answer").inner_text().startswith("Right:")
    page.emulate_media(media="print")
    assert page.locator("#quiz-4 .why").first.is_visible()
    context.close()


@pytest.mark.site
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_opened_on_a_small_phone_it_fits_and_has_no_violation(browser, address, theme):
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=theme)
    page.goto(f"{address}/{PAGE}")
    page.evaluate(
        "document.querySelectorAll('#quiz details').forEach((fold) => (fold.open = true))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.wait_for_timeout(500)
    page.evaluate(pages.AXE)
    found = page.evaluate("axe.run('#quiz', {resultTypes: ['violations'], preload: false})")
    assert [(v["id"], v["nodes"][0]["html"][:150]) for v in found["violations"]] == []
    page.close()
