"""Slides: nothing runs over the edge, every figure has words, everything is in the one file."""

from __future__ import annotations

import base64
import re
from functools import cache

import pytest
from actlab_class import guide, lessons, slides

from tests.notebooks import gates
from tests.site import pages
from tests.site.conftest import missing

CHAPTERS = sorted(gates.FOLDER.glob("[0-9]*.ipynb"))
every = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@cache
def made(path):
    lesson = lessons.read(path)
    return lesson, slides.page(lesson)


# --- what is on them ------------------------------------------------------------------------------


@every
def test_every_poll_comes_before_its_answer_and_every_exercise_is_there(path):
    lesson, _ = made(path)
    deck = slides.deck(lesson)
    headings = [slide.heading for slide in deck]
    for poll in lesson.predictions:
        asked = headings.index(f"Predict ({poll.number})")
        told = headings.index(f"Measured ({poll.number})")
        assert asked < told
        before = "".join(slide.body for slide in deck[: asked + 1])
        assert slides.inline(poll.words) not in before
        for choice in poll.choices:
            assert slides.inline(choice) in deck[asked].body
        assert "measured" not in deck[asked].body
        assert slides.inline(guide.misled(poll)) in deck[asked].notes
    assert [h for h in headings if h.startswith("Exercise")] == [
        f"Exercise {exercise.number}" for exercise in lesson.exercises
    ]
    assert headings[-1] == "Key points"


@every
def test_every_figure_of_the_sections_has_its_alt_text_and_every_verdict_its_slide(path):
    lesson, html = made(path)
    figures = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', html)
    wanted = [
        item
        for part in lesson.parts
        for item in part.items
        if any("image/png" in output.get("data", {}) for output in item.outputs)
    ]
    assert len(figures) == len(wanted)
    for (data, alt), item in zip(figures, wanted, strict=True):
        assert slides.escape(item.alt, True) == alt
        assert len(alt) >= 40
        assert base64.b64decode(data).startswith(b"\x89PNG")
    assert html.count('class="slide verdict"') == len(lesson.cards)


@every
def test_a_deck_needs_nothing_else(path):
    _, html = made(path)
    assert not re.search(r'(?:src|href)="(?!data:image/png|https://|mailto:)', html)
    assert not re.search(r"<link|<script src|@import|url\(", html)
    assert "%%" not in re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)


# --- how they are made ----------------------------------------------------------------------------


def test_formulas_are_drawn_with_their_words_and_one_that_cannot_be_is_shown_as_code():
    drawn = slides.inline(r"It is $\mathrm{relu}(x) \ge 0$.")
    assert r'aria-label="\mathrm{relu}(x) \ge 0"' in drawn
    assert "<path" in drawn
    assert slides.math(r"\begin{cases}") == r"<code>\begin{cases}</code>"


@every
def test_every_formula_of_the_slides_can_be_drawn(path):
    _, html = made(path)
    for tex in re.findall(r"<code>(.*?)</code>", html):
        assert not re.search(r"\\[a-z]{2,}", tex), tex


def test_points_are_the_sentences_that_open_paragraphs():
    text = (
        "## Title\n\nHere it is. A network of ten layers is drawn by PyTorch. More.\n\n"
        "> **Box.** Not this.\n\n1. nor this\n\nLook at the picture of the last layer:"
    )
    assert slides.sentences(text) == [
        "Here it is. A network of ten layers is drawn by PyTorch.",
        "Look at the picture of the last layer:",
    ]
    assert slides.introduction(text) == "Look at the picture of the last layer:"
    assert slides.introduction("No colon.") == ""
    points = ["word " * 40] * 3
    assert [len(part) for part in slides.spread(points)] == [1, 1, 1]
    assert [len(part) for part in slides.spread(["a b"] * 3)] == [3]


@pytest.mark.parametrize(("lines", "size"), [(3, 26), (20, 19), (60, 16)])
def test_longer_code_has_smaller_letters(lines, size):
    assert f"font-size:{size}px" in slides.code("\n".join(["x = 1"] * lines))


# --- in a browser ---------------------------------------------------------------------------------

OVERFLOWS = """() => slides.flatMap((slide, n) => {
    show(n);
    const found = [];
    const frame = slide.getBoundingClientRect();
    for (const part of slide.querySelectorAll(".body, .body *, h1, h2")) {
        if (part.closest("svg, .notes")) continue;
        const box = part.getBoundingClientRect();
        if (box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1)
            found.push(`slide ${n + 1}: ${part.tagName} runs over the edge`);
        if (part.scrollWidth > part.clientWidth + 1 && part.clientWidth)
            found.push(`slide ${n + 1}: ${part.tagName} is ${part.scrollWidth} px wide`);
    }
    const body = slide.querySelector(".body");
    if (body.scrollHeight > body.clientHeight + 1) found.push(`slide ${n + 1}: too tall`);
    const zoom = Number(body.style.zoom || 1);
    if (zoom < 0.7) found.push(`slide ${n + 1}: letters at ${zoom}`);
    const image = slide.querySelector("img");
    if (image && !(image.complete && image.naturalWidth)) found.push(`slide ${n + 1}: no picture`);
    return found;
})"""


@pytest.fixture
def screen(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context.new_page()
    context.close()


def opened(screen, html, folder):
    path = folder / "deck.html"
    path.write_text(html, "utf-8")
    problems = []
    screen.on("request", lambda request: problems.append(request.url))
    screen.on("pageerror", lambda error: problems.append(str(error)))
    screen.goto(path.as_uri())
    return [url for url in problems if not url.startswith(("file:", "data:"))]


@every
@pytest.mark.site
def test_no_slide_overflows_and_nothing_is_asked_for(path, screen, tmp_path):
    _, html = made(path)
    assert opened(screen, html, tmp_path) == []
    assert screen.evaluate(OVERFLOWS) == []


@pytest.mark.site
@pytest.mark.parametrize(("old", "new"), [
    ("<p>34 minutes", f"<p>{'much more text ' * 400} minutes"),
    ("<p>34 minutes", f"<p style='white-space:nowrap'>{'wide ' * 90} minutes"),
    ("data:image/png;base64,iVBOR", "data:image/png;base64,broken"),
])  # fmt: skip
def test_a_slide_that_overflows_would_be_seen(old, new, screen, tmp_path):
    html = re.sub(r"<p>\d+ minutes", "<p>34 minutes", made(CHAPTERS[1])[1])
    assert old in html
    opened(screen, html.replace(old, new), tmp_path)
    assert screen.evaluate(OVERFLOWS)


@pytest.mark.site
def test_keys_turn_slides_and_show_the_notes(screen, tmp_path):
    lesson, html = made(CHAPTERS[1])
    opened(screen, html, tmp_path)
    deck = slides.deck(lesson)
    shown = "document.querySelector('.now').id"
    for key, place in (("ArrowRight", 2), ("End", len(deck)), ("ArrowLeft", len(deck) - 1)):
        screen.keyboard.press(key)
        assert screen.evaluate(shown) == f"s{place}"
    screen.evaluate("location.hash = '#s9'")
    screen.wait_for_function(f"{shown} === 's9'")
    notes = screen.locator(".now .notes")
    assert not notes.is_visible()
    screen.keyboard.press("n")
    assert notes.is_visible()
    assert notes.inner_text().strip()
    screen.evaluate(pages.AXE)
    found = screen.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


@pytest.mark.site
def test_the_pdf_has_a_page_for_every_slide(tmp_path):
    lesson, html = made(CHAPTERS[1])
    path = tmp_path / "deck.html"
    path.write_text(html, "utf-8")
    try:
        printed = slides.pdf(path).read_bytes()
    except RuntimeError as error:
        missing(str(error))
    count = len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    assert count == len(slides.deck(lesson))


def test_without_chromium_the_pdf_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(slides.shutil, "which", lambda _: None)
    monkeypatch.delenv("ACTLAB_CHROMIUM", raising=False)
    with pytest.raises(RuntimeError, match="install the package chromium, or give --no-pdf"):
        slides.pdf(tmp_path / "deck.html")
