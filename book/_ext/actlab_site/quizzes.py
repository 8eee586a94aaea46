"""Five questions at the end of each chapter, from ``book/quizzes.yml``.

They look like predictions, and need no script either: a choice, and a fold with the answer, which
also shows what is to be said of each option. A test runs the code that a question cites.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.transforms import SphinxTransform

from actlab_site.predictions import raw

FILE = "book/quizzes.yml"
INTRODUCTION = (
    "To see what has stayed. Choose, then look: each option says why. Nothing runs here, and "
    "nothing is kept when you leave the page."
)
BUTTON = "Look at the answer"


@dataclass(frozen=True)
class Option:
    """What one says, why it is right or not, and ``so``: the same, as code after the question's."""

    say: str
    why: str
    so: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with its options; its code stands beside it (``shown`` first) or in the answer."""

    ask: str
    code: str
    options: tuple[Option, ...]
    shown: str = "last"

    @property
    def right(self) -> Option:
        """The one that the code agrees with."""
        (found,) = (option for option in self.options if option.right)
        return found


@cache
def read(path: Path) -> dict[str, tuple[Question, ...]]:
    """The questions of every chapter, by its name; none where there is no such file.

    Raises ``ValueError`` for a chapter that stands there twice: YAML would keep the second only.
    """
    if not path.is_file():
        return {}
    text = path.read_text("utf-8")
    names = [key.value for key, _ in yaml.compose(text).value]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{path.name}: {', '.join(twice)} twice; join its questions in one place.")
    return {
        chapter: tuple(
            Question(**{**asked, "options": tuple(Option(**o) for o in asked["options"])})
            for asked in found
        )
        for chapter, found in yaml.safe_load(text).items()
    }


class QuizTransform(SphinxTransform):
    """Put a chapter's questions behind its last section."""

    default_priority = 262  # behind the predictions, which they look like

    def apply(self, **_: Any) -> None:
        """Change the page in place."""
        folder, _, name = self.env.docname.rpartition("/")
        questions = read(Path(self.env.srcdir) / FILE).get(name) if folder == "notebooks" else None
        if not questions:
            return
        self.env.note_dependency(FILE)
        chapter = next(self.document.findall(nodes.section))
        section = nodes.section(ids=["quiz"], names=["quiz"])
        section += nodes.title("", "Five questions")
        section += nodes.paragraph("", INTRODUCTION)
        for number, question in enumerate(questions, 1):
            section += box(question, number)
        chapter += section


def box(question: Question, number: int) -> nodes.admonition:
    """A question with its choices and its answer."""
    name = f"quiz-{number}"
    found = nodes.admonition(classes=["box", "box-quiz"], ids=[name], names=[name])
    title = f"Question {number}"
    found += nodes.title(title, title)
    text = question.code.strip()
    code = nodes.literal_block(text, text, language="python")
    first = question.shown == "first"
    found += raw(f'<p class="question" id="{name}-question">{inline(question.ask)}</p>')
    if first:
        found += code
    found += raw(choices(question, name))
    found += raw(
        f'<details class="reveal" id="{name}-answer" data-prediction="{name}"><summary>'
        f'<span class="tri" aria-hidden="true"></span>{BUTTON}</summary><div class="out">'
        f'<p class="answer" role="status" data-answer="{letter(question)}">'
        f'<span class="you"></span><strong>Right:</strong> {inline(question.right.say)}</p>'
    )
    if not first:
        found += code
    found += raw("</div></details>")
    return found


def choices(question: Question, name: str) -> str:
    """The options, each with what is to be said of it, which is shown with the answer."""
    rows = "".join(
        f'<label><input type="radio" name="{name}" value="{value}">'
        f"<span>{inline(option.say)}</span></label>"
        f'<p class="why">{"✔" if option.right else "✘"} {inline(option.why)}</p>'
        for value, option in zip("abcd", question.options, strict=False)
    )
    return f'<div class="choices" role="radiogroup" aria-labelledby="{name}-question">{rows}</div>'


def letter(question: Question) -> str:
    """Which of the options is right."""
    return escape("abcd"[question.options.index(question.right)])


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "typographer": False})


def inline(text: str) -> str:
    """One line of Markdown as HTML."""
    found = str(_markdown().renderInline(text.strip()))
    return found.replace("<code>", '<code class="docutils literal notranslate">')
