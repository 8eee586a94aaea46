"""A chapter as a teacher sees it: parts with their minutes, predictions, exercises.

Everything is read from the executed notebook, so nothing here can say what the chapter does not.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any

WORDS, LINES, SAID = 200, 12, 150  # a minute: of prose, of code, of a verdict card
SHOWN, GUESSED = 0.5, 1  # minutes for a figure or a table, for a prediction
WRITTEN = 1  # lines of a solution that a learner writes in a minute
UNDERSTOOD = 3  # minutes until it is clear what an exercise asks for
STEP = 5  # minutes to which its time is rounded up

_QUOTE = re.compile(r"^>.*(?:\n>.*)*", re.MULTILINE)
_CHOICE = re.compile(r"^> - (.*(?:\n>   .*)*)", re.MULTILINE)
_FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_MEASURED = re.compile(
    r"^> \*\*Measured\.\*\* (?P<words>.*?): \*(?P<answer>.+?)\*\."
    r"(?: The folklore says: \*(?P<folklore>.+?)\*\.)?$",
    re.MULTILINE,
)
# Where a new part begins, inside a cell too.
_BEGINS = re.compile(r"^(?=## |> \*\*(?:Exercise|Key points)\b)", re.MULTILINE)
HEADER = re.compile(
    r"(?P<minutes>\d+) minutes to read.*?runs in about (?P<seconds>\d+) s and (?P<gb>[\d.]+) GB"
    r".*?needs:? (?P<needs>[^*]+)",
    re.DOTALL,
)


class LessonError(ValueError):
    """A chapter that cannot be read as a lesson; says what is missing."""


# --- cells ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """A cell, or the part of a Markdown cell that belongs to one part of the chapter."""

    kind: str  # "markdown" or "code"
    source: str
    outputs: tuple[Any, ...] = ()
    tags: tuple[str, ...] = ()
    alt: str = ""

    @property
    def is_reveal(self) -> bool:
        """Whether it answers a prediction."""
        return "reveal" in self.tags

    @property
    def minutes(self) -> float:
        """To read it: the rule behind a chapter's header."""
        if self.kind == "markdown":
            prose = re.sub(r"<details>.*?</details>", "", self.source, flags=re.DOTALL)
            asked = len(re.findall(r"^> \*\*Predict", self.source, re.MULTILINE))
            return len(re.findall(r"\w[\w'-]*", prose)) / WORDS + GUESSED * asked
        data = [output.get("data", {}) for output in self.outputs]
        shown = sum("image/png" in one or "text/html" in one for one in data)
        said = sum(len(sentences(_text(one.get("text/html", ""))).split()) for one in data)
        return len(code_lines(self.source)) / LINES + SHOWN * shown + said / SAID


def code_lines(source: str) -> list[str]:
    """The lines of some code without empty ones and comments."""
    lines = [line.strip() for line in source.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def sentences(html: str) -> str:
    """What the verdict cards among some HTML say in words, opened by nobody."""
    said = re.findall(r'<p class="(?:statement|finding)">(.*?)</p>', html, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", " ".join(said)))


def reading_minutes(nb: Any) -> int:
    """Minutes to read a chapter, its exercises apart.

    Prose 200 words a minute (folded parts apart), the sentences of verdict cards 150, code 12
    lines, half a minute for a figure or a table, a minute for a prediction.
    """
    return round(sum(item.minutes for item in items(nb)))


def fingerprint(nb: Any, repository: str) -> str:
    """Changes when the code of a chapter does, but not with its prose or our own address."""
    code = "\n".join(item.source for item in items(nb) if item.kind == "code")
    return hashlib.sha256(code.replace(repository, "").encode()).hexdigest()[:16]


def items(nb: Any) -> Iterator[Item]:
    """The cells of a notebook (a dictionary as it is stored, or nbformat's own)."""
    for cell in nb["cells"]:
        metadata = cell.get("metadata", {})
        yield Item(
            cell["cell_type"],
            _text(cell["source"]),
            tuple(cell.get("outputs", ())),
            tuple(metadata.get("tags", ())),
            metadata.get("mystnb", {}).get("image", {}).get("alt", ""),
        )


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


# --- what a chapter consists of -------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """A question with choices, and what was measured; the texts are Markdown."""

    number: str  # "2.3": the third of chapter 2
    question: str
    choices: tuple[str, ...]
    answer: str
    words: str  # what was measured
    folklore: str
    why: str  # the chapter's explanation


@dataclass(frozen=True)
class Exercise:
    """What is to be done, the cells that wait for it, and solutions: title → code."""

    number: str
    text: str
    blanks: tuple[str, ...]
    solutions: dict[str, str]

    @property
    def minutes(self) -> int:
        """Time in a room: to understand it, and the shortest solution, a minute a line."""
        own = min(
            sum(not re.match(r"(?:import|from|check\.)", line) for line in code_lines(code))
            for code in self.solutions.values()
        )
        return STEP * math.ceil((UNDERSTOOD + own / WRITTEN) / STEP)


@dataclass(frozen=True)
class Card:
    """A verdict that the chapter shows: the claim, the word, what was found."""

    statement: str
    verdict: str
    finding: str


@dataclass(frozen=True)
class Part:
    """A section of a chapter (or its opening, an exercise, its end) with whole minutes to read."""

    kind: str  # "opening", "section", "exercise", "closing"
    title: str
    items: tuple[Item, ...]
    minutes: int
    predictions: tuple[Prediction, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """One chapter."""

    name: str  # "02_relu"
    title: str
    minutes: int
    seconds: int
    gb: float
    needs: str
    questions: tuple[str, ...]
    points: tuple[str, ...]
    parts: tuple[Part, ...]
    exercises: tuple[Exercise, ...]
    cards: tuple[Card, ...]
    measured: dict[str, float]

    @property
    def number(self) -> str:
        """As exercises count: "2"."""
        return str(int(self.name[:2]))

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """All of them, in order."""
        return tuple(asked for part in self.parts for asked in part.predictions)

    def exercise(self, number: str) -> Exercise:
        """The exercise "2.4"; raises :class:`LessonError` that names those there are."""
        for one in self.exercises:
            if one.number == number:
                return one
        known = ", ".join(one.number for one in self.exercises)
        raise LessonError(f"{self.name} has no exercise {number}; it has {known}.")


def read(path: Path) -> Lesson:
    """The executed chapter at ``path`` (``.ipynb``); raises :class:`LessonError`."""
    try:
        nb = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LessonError(f"{path.name} is no notebook that can be read ({error}).") from error
    cells = list(items(nb))
    first = cells[0].source if cells else ""
    header, title = HEADER.search(first), re.match(r"# (.+)", first)
    if header is None or title is None:
        raise LessonError(f"{path.name} does not begin with a title and the line of its minutes.")
    cut = list(pieces(cells))
    asked = iter(_predictions(cells, str(int(path.stem[:2]))))
    parts = [
        Part(kind, name, held, minutes, tuple(next(asked) for _ in range(_asks(held))))
        for (kind, name, held), minutes in zip(cut, _whole(cut), strict=True)
    ]
    return Lesson(
        name=path.stem,
        title=title[1],
        minutes=int(header["minutes"]),
        seconds=int(header["seconds"]),
        gb=float(header["gb"]),
        needs=" ".join(header["needs"].split()).rstrip("."),
        questions=_listed(cells, "Questions"),
        points=_listed(cells, "Key points"),
        parts=tuple(parts),
        exercises=tuple(_exercises(cells)),
        cards=tuple(card for item in cells for card in cards_of(item)),
        measured=dict(nb["metadata"].get("actlab", {})),
    )


def all_of(folder: Path) -> list[Lesson]:
    """The lessons of all chapters in a folder, in the order of the book."""
    return [read(path) for path in sorted(folder.glob("[0-9]*.ipynb"))]


# --- parts ----------------------------------------------------------------------------------------

Piece = tuple[str, str, tuple[Item, ...]]


def pieces(cells: Iterable[Item]) -> Iterator[Piece]:
    """The chapter cut at its sections, exercises and key points."""
    kind, title, held = "opening", "Opening", list[Item]()
    for cell in cells:
        texts = _BEGINS.split(cell.source) if cell.kind == "markdown" else [cell.source]
        for text in texts:
            begins = _name(text) if cell.kind == "markdown" else None
            # `## Exercises` itself belongs to the first of them.
            if begins and not (kind == "exercise" and title == "Exercises"):
                yield kind, title, tuple(held)
                held = []
            if begins:
                kind, title = begins
            if text.strip():
                held.append(Item(cell.kind, text.strip("\n"), cell.outputs, cell.tags, cell.alt))
    yield kind, title, tuple(held)


def _name(text: str) -> tuple[str, str] | None:
    """Kind and title of the part that a text opens."""
    if heading := re.match(r"## (.+)", text):
        return ("exercise" if heading[1] == "Exercises" else "section", heading[1])
    if exercise := re.match(r"> \*\*(Exercise [\d.]+?)\.\*\*", text):
        return "exercise", exercise[1]
    return ("closing", "Key points") if text.startswith("> **Key points") else None


def _whole(cut: Sequence[Piece]) -> list[int]:
    """Whole minutes of each part, which add up to those of the chapter (largest remainder)."""
    exact = [sum(item.minutes for item in held) for _, _, held in cut]
    found = [math.floor(minutes) for minutes in exact]
    order = sorted(range(len(exact)), key=lambda n: found[n] - exact[n])
    for n in order[: round(sum(exact)) - sum(found)]:
        found[n] += 1
    return found


def _asks(held: Iterable[Item]) -> int:
    return sum(
        len(re.findall(r"^> \*\*Predict\b", item.source, re.MULTILINE))
        for item in held
        if item.kind == "markdown"
    )


# --- predictions, exercises, lists ----------------------------------------------------------------


def _predictions(cells: Sequence[Item], chapter: str) -> Iterator[Prediction]:
    count = 0
    for n, cell in enumerate(cells):
        for box in _QUOTE.findall(cell.source) if cell.kind == "markdown" else ():
            if not box.startswith("> **Predict"):
                continue
            count += 1
            number = f"{chapter}.{count}"
            behind = list[Item]()
            for item in cells[n + 1 :]:
                if not item.is_reveal:
                    break
                behind.append(item)
            found = [
                match
                for item in behind
                for output in item.outputs
                for match in _MEASURED.finditer(
                    _text(output.get("data", {}).get("text/markdown", ""))
                )
            ]
            if len(found) != 1:
                raise LessonError(f"Prediction {number} is answered {len(found)} times, not once.")
            why = "\n\n".join(item.source for item in behind if item.kind == "markdown")
            question = re.sub(r"^> ?", "", box.split("\n> - ")[0], flags=re.MULTILINE)
            yield Prediction(
                number=number,
                question=_flow(question.removeprefix("**Predict.**")),
                choices=tuple(_flow(re.sub(r"\n>\s*", " ", c)) for c in _CHOICE.findall(box)),
                answer=found[0]["answer"],
                words=found[0]["words"],
                folklore=found[0]["folklore"] or "",
                why=why,
            )


def _exercises(cells: Sequence[Item]) -> Iterator[Exercise]:
    """Every exercise, with the cell behind it and the folded solutions behind that."""
    for n, cell in enumerate(cells):
        for box in _QUOTE.findall(cell.source) if cell.kind == "markdown" else ():
            if not (opened := re.match(r"> \*\*Exercise ([\d.]+?)\.\*\*", box)):
                continue
            text = re.sub(r"^> ?", "", box, flags=re.MULTILINE)
            blanks = [*itertools.takewhile(lambda item: item.kind == "code", cells[n + 1 :])]
            after = cells[n + 1 + len(blanks)].source if n + 1 + len(blanks) < len(cells) else ""
            solutions = {
                title: "\n".join(_CODE.findall(body))
                for title, body in _FOLD.findall(after)
                if "olution" in title
            }
            if not blanks or not solutions:
                raise LessonError(f"Exercise {opened[1]} lacks its cell or its solutions.")
            text = text.split(".** ", 1)[1].strip()
            yield Exercise(opened[1], text, tuple(b.source for b in blanks), solutions)


def cards_of(item: Item) -> Iterator[Card]:
    """The verdict cards among the outputs of a cell."""
    for output in item.outputs:
        html = _text(output.get("data", {}).get("text/html", ""))
        for card in html.split('<div class="verdict-card')[1:]:
            statement, verdict, finding = (
                unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""
                for found in (
                    re.search(pattern, card, re.DOTALL)
                    for pattern in (
                        r'<p class="statement">(.*?)</p>',
                        r'<strong class="chip">(.*?)</strong>',
                        r'<p class="finding">(.*?)</p>',
                    )
                )
            )
            yield Card(statement.strip("“”"), verdict, finding)


def _listed(cells: Iterable[Item], name: str) -> tuple[str, ...]:
    """The list in a box, or below a bold word."""
    for cell in cells:
        if cell.kind != "markdown":
            continue
        text = re.sub(r"^> ?", "", cell.source, flags=re.MULTILINE)
        if found := re.search(rf"\*\*{name}\.?\*\*\s*((?:- .+\n?(?:  .+\n?)*)+)", text):
            return tuple(
                _flow(one) for one in re.split(r"^- ", found[1], flags=re.M) if one.strip()
            )
    return ()


def _flow(text: str) -> str:
    """One paragraph in one line; paragraphs stay apart."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))
