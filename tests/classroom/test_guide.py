"""The instructor's pages: minutes that add up, polls without answers, sizes that are true."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from actlab_class import costs, guide, lessons

from actlab import doctor
from tests.notebooks import gates
from tests.surfaces import runs
from tests.test_newcomer import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def known(chapters):
    return {lesson.name: lesson for lesson in chapters}


# --- plans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("track", guide.TRACKS, ids=lambda track: track.title)
def test_a_plan_adds_up_to_its_track_and_to_the_chapters(track, known):
    rows = guide.plan(track, known)
    assert sum(row.minutes for row in rows) == track.minutes
    assert all(row.minutes > 0 for row in rows)
    [spare] = [row.minutes for row in rows if row.what.startswith("Questions")]
    assert guide.LEAST_SPARE <= spare <= track.minutes / 5
    taught = [step for step in track.steps if not isinstance(step, str)]
    fixed = sum(guide.FIXED[step][1] for step in track.steps if isinstance(step, str))
    # Each chapter's own minutes, two more a prediction, and the exercises that are done.
    own = 0
    for name, exercises in taught:
        lesson = known[name]
        apart = {part.title: part.minutes for part in lesson.parts if part.kind == "exercise"}
        own += lesson.minutes - sum(apart.values()) + guide.POLL * len(lesson.predictions)
        for number in exercises:
            own += lesson.exercise(number).minutes
            own += apart.get(f"Exercise {number}", apart.get("Exercises", 0))
    assert own + fixed + spare == track.minutes


def test_the_page_tells_the_same_clock(chapters):
    text = guide.tracks(chapters)
    for track, block in zip(guide.TRACKS, text.split("### ")[1:], strict=True):
        clock = 0
        for start, minutes in re.findall(r"^\| (\d+:\d\d) \| (\d*) \|", block, re.MULTILINE):
            hours, past = start.split(":")
            assert 60 * int(hours) + int(past) == clock
            clock += int(minutes or 0)
        assert clock == track.minutes


def test_a_chapter_that_grew_too_long_is_told_and_so_is_one_that_is_gone(known):
    track = guide.TRACKS[0]
    relu = known["02_relu"]
    longer = replace(relu, parts=(*relu.parts, lessons.Part("section", "More", (), 30)))
    with pytest.raises(lessons.LessonError, match=r"\d+ minutes are planned.*Take an exercise"):
        guide.plan(track, {**known, "02_relu": longer})
    with pytest.raises(lessons.LessonError, match="there is no chapter 02_relu"):
        guide.plan(track, {})


# --- polls and notes ------------------------------------------------------------------------------


def told(text, chapters):
    """The predictions whose measured words stand in a text."""
    return [
        poll.number
        for lesson in chapters
        for poll in lesson.predictions
        if poll.words in text or "(measured)" in text
    ]


def test_polls_ask_everything_and_tell_nothing(chapters):
    text = guide.polls(chapters)
    assert told(text, chapters) == []
    for lesson in chapters:
        for poll in lesson.predictions:
            assert poll.question in text
            assert "\n".join(f"- ☐ {choice}" for choice in poll.choices) in text
    assert told(guide.notes(chapters), chapters)  # or this test would not see a leak


def test_notes_answer_every_poll_with_the_chapters_words(chapters):
    text = guide.notes(chapters)
    for lesson in chapters:
        for poll in lesson.predictions:
            [note] = re.findall(
                rf"^### Poll {re.escape(poll.number)}:.*?(?=^##|\Z)", text, re.M | re.S
            )
            assert f"*{poll.answer}*" in note
            assert poll.words.rstrip(".") in note
            assert note.count("measured") == 1
            for choice in poll.choices:
                assert f"- {choice}" in note
        for card in lesson.cards[:1]:
            assert card.finding.replace("|", "\\|") in text


def prediction(answer="few", folklore=""):
    return lessons.Prediction("1.1", "?", ("few", "half", "all"), answer, "3 %", folklore, "")


@pytest.mark.parametrize(("folklore", "said"), [
    ("", "No folklore answers this, so guesses spread: *half* or *all*."),
    ("all", "The folklore says *all*, and most of a room has heard it. Who doubts it often stops"),
    ("few", "The folklore is right here. Who has learnt to distrust it answers *half* or *all*."),
    ("everything", "The folklore says *everything*"),
])  # fmt: skip
def test_what_learners_get_wrong_follows_from_the_folklore(folklore, said):
    assert said in guide.misled(prediction(folklore=folklore))


def test_links_of_an_explanation_lead_from_the_page():
    text = "[a](../book/reference/claims.md), [b](03_x.ipynb), [c](20_y.ipynb), [d](https://e.org)"
    assert guide.deeper(text) == (
        "[a](claims.md), [b](../../notebooks/03_x.ipynb), "
        "[c](../../notebooks/20_y.ipynb), [d](https://e.org)"
    )


# --- the page written by hand ---------------------------------------------------------------------


def test_the_mail_tells_the_sizes_that_the_installer_knows():
    mail = (ROOT / "book" / "teaching.md").read_text("utf-8")
    install = load(ROOT)
    for what in ("all", "CUDA"):
        size = install.SIZES[what]
        assert install.words(size.download) in mail
        assert install.words(size.disk) in mail
    assert "actlab.doctor" in mail
    assert gates.repository_address() in mail
    assert "3.11, 3.12 or 3.13" in " ".join(mail.split())
    assert "begins with 'Ready'" in " ".join(mail.split())
    assert 'print("\\nReady"' in Path(doctor.__file__).read_text("utf-8")


# --- costs ----------------------------------------------------------------------------------------


def test_costs_are_the_measured_ones(chapters):
    text = costs.page(chapters, ROOT, gates.repository_address())
    first = text.partition("## Elsewhere")[0]
    for lesson in chapters:
        measured = gates.read(gates.FOLDER / f"{lesson.name}.ipynb").nb.metadata["actlab"]
        row = f"| {measured['seconds']:.0f} | {measured['peak_mb'] / 1000:.1f} |"
        assert f"[{lesson.title}](../../notebooks/{lesson.name}.ipynb) {row}" in first
    for name in costs.RESULTS:
        for result in json.loads((ROOT / name).read_text("utf-8")).values():
            for chapter in result["chapters"].values():
                assert f"| {chapter['seconds']:.0f}" in text


def test_a_run_of_an_earlier_text_has_a_star(chapters):
    lesson = chapters[0]
    nb = gates.read(gates.FOLDER / f"{lesson.name}.ipynb").nb
    cost = {"code": runs.fingerprint(nb), "seconds": 12.3, "peak_mb": 1234}
    prints = {one.name: cost["code"] for one in chapters}
    table = list(costs.rows([lesson], {lesson.name: cost}, prints))
    assert table[0][1:] == ("12", "1.2")
    table = list(costs.rows([lesson], {lesson.name: {**cost, "code": "0"}}, prints))
    assert table[0][1:] == ("12*", "1.2*")
    assert next(costs.rows([lesson], {}, prints))[1:] == ("–", "–")
