"""The instructor's pages: tracks with a plan by the minute, what to say, polls, a survey.

The minutes are those of the chapters, so a chapter that grows moves every plan it is in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actlab_site.tables import table

from actlab_class.lessons import Card, Lesson, LessonError, Part, Prediction

ROOT = Path(__file__).resolve().parents[3]
POLL = 2  # minutes more for a prediction than a reader needs: hands up, a word with a neighbour
WELCOME, CLOSE, BREAK, LUNCH = 10, 5, 15, 60
LEAST_SPARE = 5  # minutes that a track must leave for questions


@dataclass(frozen=True)
class Track:
    """A workshop: its minutes, and what is taught in which order.

    ``steps`` are "welcome", "break", "lunch", "close", or (chapter, exercises done in the room).
    """

    title: str
    minutes: int
    about: str
    steps: tuple[str | tuple[str, tuple[str, ...]], ...]


TRACKS = (
    Track(
        "Ninety minutes",
        90,
        "One chapter from beginning to end: the most instructive of the myths.",
        ("welcome", ("02_relu", ("2.1", "2.2")), "close"),
    ),
    Track(
        "Half a day",
        180,
        "Two chapters that answer each other: what goes wrong in a deep network, and what a "
        "function was made to do about it.",
        ("welcome", ("02_relu", ("2.1", "2.4")), "break", ("06_selu", ("6.2",)), "close"),
    ),
    Track(
        "A day",
        420,
        "Why non-linear at all; how signals die and gradients fade; and how to carry a network "
        "from one framework to the other without losing it.",
        (
            "welcome",
            ("01_why_nonlinear", ("1.1", "1.4")),
            "break",
            ("02_relu", ("2.2", "2.4")),
            "lunch",
            ("03_sigmoid_tanh", ("3.1", "3.3")),
            "break",
            ("20_twins", ("20.1",)),
            "close",
        ),
    ),
)
FIXED = {
    "welcome": ("Welcome: everybody runs the check; the survey", WELCOME),
    "break": ("Break", BREAK),
    "lunch": ("Lunch", LUNCH),
    "close": ("What will you do differently on Monday? The survey again", CLOSE),
}


@dataclass(frozen=True)
class Row:
    """One line of a plan."""

    what: str
    minutes: int
    how: str = ""


def plan(track: Track, lessons: Mapping[str, Lesson]) -> list[Row]:
    """The lines of a track; they add up to its minutes.

    Raises :class:`LessonError` where it does not fit, or names a chapter that is not there.
    """
    rows: list[Row] = []
    for step in track.steps:
        if isinstance(step, str):
            rows.append(Row(*FIXED[step]))
            continue
        name, exercises = step
        if name not in lessons:
            raise LessonError(f"{track.title}: there is no chapter {name}.")
        rows += of_chapter(lessons[name], exercises)
    spare = track.minutes - sum(row.minutes for row in rows)
    if spare < LEAST_SPARE:
        raise LessonError(
            f"{track.title}: {track.minutes - spare} minutes are planned, and {LEAST_SPARE} of "
            f"{track.minutes} must stay free. Take an exercise or a chapter out in "
            "book/_ext/actlab_class/guide.py."
        )
    rows.insert(len(rows) - 1, Row("Questions, and what took longer", spare))
    return rows


def of_chapter(lesson: Lesson, exercises: Sequence[str]) -> Iterator[Row]:
    """The lines of a chapter: its sections, these exercises, its key points."""
    for part in lesson.parts:
        if part.kind == "exercise":
            continue
        if part.kind == "closing":
            for number in exercises:
                yield _exercise(lesson, number)
        title = {"opening": lesson.title, "closing": "Key points"}.get(part.kind, part.title)
        yield Row(title, part.minutes + POLL * len(part.predictions), how(part))


def how(part: Part) -> str:
    """What is done in a part: which polls, how much is typed."""
    said = []
    if part.predictions:
        numbers = " and ".join(poll.number for poll in part.predictions)
        said.append(f"poll {numbers}")
    if part.kind == "opening":
        said.append("tell it, ask the questions")
    elif part.kind == "closing":
        said.append("let the room say them first")
    return ", ".join(said)


def _exercise(lesson: Lesson, number: str) -> Row:
    exercise = lesson.exercise(number)
    text = next(
        part
        for part in lesson.parts
        if part.title == f"Exercise {number}"
        or (part.title == "Exercises" and number.endswith(".1"))
    )
    return Row(f"Exercise {number}", exercise.minutes + text.minutes, "in pairs, with its checker")


# --- pages ----------------------------------------------------------------------------------------


def tracks(lessons: Sequence[Lesson]) -> str:
    """The plans of all tracks, as Markdown without a title."""
    known = {lesson.name: lesson for lesson in lessons}
    blocks = []
    for track in TRACKS:
        clock, rows = 0, []
        for row in plan(track, known):
            rows.append((f"{clock // 60}:{clock % 60:02}", f"{row.minutes}", row.what, row.how))
            clock += row.minutes
        rows.append((f"{clock // 60}:{clock % 60:02}", "", "**End**", ""))
        wants = [
            f"- {question}"
            for step in track.steps
            if not isinstance(step, str)
            for question in known[step[0]].questions
        ]
        blocks += [
            f"### {track.title}",
            track.about,
            table(("From", "Minutes", "What", "How"), rows),
            "Afterwards everybody can answer:\n\n" + "\n".join(wants),
        ]
    return "\n\n".join(blocks) + "\n"


def notes(lessons: Sequence[Lesson]) -> str:
    """The page "What to say": for each prediction what learners think, and what answers them."""
    blocks = [
        "# What to say at each prediction",
        "Ask, let everybody choose, count hands, and only then open the answer. Let one who chose "
        "a wrong answer say why: the reason is usually good, and the measurement is about it. "
        "Every answer here is the one that the chapter measured. *The page gives all answers away; "
        "what a room may see is on [the polls](polls.md).*",
    ]
    for lesson in lessons:
        blocks.append(f"## {lesson.title}")
        blocks.append(
            f"[The chapter](../../notebooks/{lesson.name}.ipynb) takes {lesson.minutes} minutes to "
            f"read and {room_minutes(lesson)} in a room, exercises apart. It is for who knows: "
            f"{lesson.needs}."
        )
        for part in lesson.parts:
            for poll in part.predictions:
                blocks += _note(poll, part.title)
        rows = [(one.number, f"{one.minutes}", f"{len(one.solutions)}") for one in lesson.exercises]
        blocks.append(table(("Exercise", "Minutes in a room", "Solutions"), rows))
    rows = [
        (f"{n}", card.statement, card.verdict, card.finding)
        for n, card in enumerate(asked(lessons), 1)
    ]
    blocks += [
        "## The survey",
        "What was measured of its sentences; the numbers are of small networks, and each is in the "
        "[ledger](claims.md).",
        table(("", "Sentence", "Verdict", "Found"), rows),
    ]
    return "\n\n".join(blocks) + "\n"


def room_minutes(lesson: Lesson) -> int:
    """Minutes of a chapter in a room, exercises apart."""
    read = sum(part.minutes for part in lesson.parts if part.kind != "exercise")
    return read + POLL * len(lesson.predictions)


def _note(poll: Prediction, section: str) -> Iterator[str]:
    yield f"### Poll {poll.number}: {section}"
    yield poll.question
    rows = [(mark(choice, poll), choice) for choice in poll.choices]
    yield "\n".join(f"- {choice}{f' ({said})' if said else ''}" for said, choice in rows)
    yield f"**What learners get wrong.** {misled(poll)}"
    yield f"**Measured.** {poll.words.rstrip('.')}: *{poll.answer}*."
    if poll.why:
        yield f"**What to say.** {deeper(poll.why)}"


def mark(choice: str, poll: Prediction) -> str:
    """What a choice is: the answer, the folklore, both, or nothing in particular."""
    words = [
        word
        for word, said in (("measured", poll.answer), ("folklore", poll.folklore))
        if plain(said) == plain(choice)
    ]
    return ", ".join(words)


def misled(poll: Prediction) -> str:
    """Which answers a room gives, and what stands behind them."""
    wrong = [choice for choice in poll.choices if plain(choice) != plain(poll.answer)]
    if poll.folklore and plain(poll.folklore) != plain(poll.answer):
        said = f"The folklore says *{poll.folklore}*, and most of a room has heard it."
        rest = [choice for choice in wrong if plain(choice) != plain(poll.folklore)]
        more = f" Who doubts it often stops at *{listed(rest)}*." if rest else ""
        return said + more
    if poll.folklore:
        return (
            f"The folklore is right here. Who has learnt to distrust it answers *{listed(wrong)}*."
        )
    return f"No folklore answers this, so guesses spread: *{listed(wrong)}*. Ask for reasons."


def listed(choices: Sequence[str]) -> str:
    """Choices in one sentence."""
    return "* or *".join(choices)


def plain(text: str) -> str:
    """A choice as it is compared: without Markdown, case and final stop."""
    return text.replace("*", "").replace("`", "").strip(" .").casefold()


def deeper(markdown: str) -> str:
    """A chapter's Markdown with links that lead from a generated page."""
    return (
        markdown.replace("](../book/reference/", "](")
        .replace("](../book/", "](../")
        .replace("](0", "](../../notebooks/0")
        .replace("](2", "](../../notebooks/2")
    )


def polls(lessons: Sequence[Lesson]) -> str:
    """All predictions to print, without answers."""
    blocks = [
        "# Polls",
        "Every prediction of the course, without its answer: to print, or to show to a room. The "
        "numbers are those of [what to say](teaching-notes.md).",
        "```{raw} html\n"
        '<p class="print"><button type="button" onclick="print()">Print them</button></p>'
        "\n```",
    ]
    for lesson in lessons:
        blocks.append(f"## {lesson.number}. {lesson.title}")
        for part in lesson.parts:
            for poll in part.predictions:
                choices = "\n".join(f"- ☐ {choice}" for choice in poll.choices)
                blocks.append(f"**{poll.number}** *({part.title})* {poll.question}\n\n{choices}")
    return "\n\n".join(blocks) + "\n"


def survey(lessons: Sequence[Lesson]) -> str:
    """Sentences to agree with, before and after: the first that each chapter tries."""
    return (
        "\n".join(
            f"{n}. {card.statement} *(agree, disagree, no idea)*"
            for n, card in enumerate(asked(lessons), 1)
        )
        + "\n"
    )


def asked(lessons: Sequence[Lesson]) -> list[Card]:
    """The verdicts that the survey asks for."""
    return [lesson.cards[0] for lesson in lessons if lesson.cards]


def rehearsal(path: Path = ROOT / "tests" / "surfaces" / "offline.json") -> str:
    """What the last rehearsal without a network took, step by step and row by row of its track."""
    seen = json.loads(path.read_text("utf-8"))
    steps = [
        (name[0].upper() + name[1:], f"{step['seconds']:,}") for name, step in seen["steps"].items()
    ]
    rows = [row for row in seen["rows"] if row["cells"]]
    taught = [
        (row["what"], f"{row['minutes']}", f"{row['cells']}", f"{row['seconds']:.0f}")
        for row in rows
    ]
    share = sum(row["seconds"] for row in rows) / sum(60 * row["minutes"] for row in rows)
    longest = max(rows, key=lambda row: row["seconds"])
    before = sum(
        seen["steps"][name]["seconds"] for name in ("unpack", "verify", "install", "doctor")
    )
    whose = "a new account" if seen["new_account"] else "an empty home"
    return (
        f"Tried on {seen['day']}: the zip ({seen['bundle_mb']:,} MB) under {whose} on a machine of "
        f"{seen['machine']['cores']} cores that had other things to do, in a network namespace in "
        "which nothing answers.\n\n"
        + table(("Step", "Seconds"), steps)
        + f"\n\nWho comes with nothing installed is ready after {before / 60:.0f} minutes of "
        f"these, with the doctor's word; the welcome has {WELCOME}.\n\nThe track "
        f"*{seen['track']}* was then taught from the bundle's own files: every cell of the "
        "live-coding edition with what the instructor's edition says to type; of every exercise "
        "the blank, which its checker refuses, and all solutions, with which it is "
        f"content. The machine needs {share:.0%} of the minutes in which something runs, and most "
        f"in *{longest['what']}*, {longest['seconds']:.0f} seconds of {longest['minutes']} "
        "minutes.\n\n" + table(("Row of the plan", "Minutes", "Cells", "Seconds"), taught) + "\n"
    )


def pages(lessons: Sequence[Lesson]) -> Iterator[tuple[str, str]]:
    """Every page and fragment: its name below ``book/reference``, and its text."""
    yield "tracks.part", tracks(lessons)
    yield "survey.part", survey(lessons)
    yield "rehearsal.part", rehearsal()
    yield "teaching-notes.md", notes(lessons)
    yield "polls.md", polls(lessons)
