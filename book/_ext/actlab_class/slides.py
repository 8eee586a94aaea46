"""A deck of slides for each chapter: one HTML file that needs nothing else, and its PDF.

    make slides        (python -m actlab_class.slides [--into FOLDER] [--no-pdf])

A slide has one thing: a question, some code, a figure with its alt text, a verdict. What the
chapter says about it is in the speaker's notes (key N), with the minutes and what learners get
wrong.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from actlab_class import guide, lessons
from actlab_class.lessons import Card, Exercise, Item, Lesson, Part, Prediction

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
COURSE = "Activation Functions in Keras and PyTorch"
ROOM = 540  # of the 720 pixels of a slide, for code and what it prints
LARGEST, SMALLEST = 26, 16  # pixels of a letter of code
LINE = 1.4  # times its size
MOST_WORDS = 70  # of the points on one slide
SHORT = 7  # words: a sentence that says little without the next
PRINTED = 14  # lines of output that still stand under the code

_CHAPTERS_OWN = re.compile(r"\]\((?!https?:)[^)]*\)")
_SENTENCE = re.compile(r"(.+?[.!?:])(?=\s+[\"“(*`$A-Z0-9]|$)", re.DOTALL)


@dataclass(frozen=True)
class Slide:
    """One slide: its heading, what is on it (HTML), a class, what the speaker says (HTML)."""

    heading: str
    body: str
    kind: str
    notes: str = ""


# --- Markdown, formulas, code ---------------------------------------------------------------------


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(tex: str, options: dict[str, Any]) -> str:
        return math(tex, display=options["display_mode"])

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return dollarmath_plugin(parser, renderer=formula) or parser


def html(markdown: str) -> str:
    """A chapter's Markdown without folded parts; links inside the course lose their target."""
    text = re.sub(r"<details>.*?</details>", "", markdown, flags=re.DOTALL)
    return str(_markdown().render(_CHAPTERS_OWN.sub("]()", text))).replace('<a href="">', "<a>")


def inline(markdown: str) -> str:
    """One paragraph, without its tags."""
    return re.sub(r"^<p>|</p>\s*$", "", html(markdown).strip())


def math(tex: str, display: bool = False) -> str:
    """A formula as a drawing, with its LaTeX as alt text; plain code where it cannot be drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextToPath

    said = " ".join(tex.split())
    drawable = re.sub(r"\\(g|l)e(?![a-zA-Z])", r"\\\1eq", said)
    size, maker = 100, TextToPath()
    prop = FontProperties(size=size)
    try:
        width, height, depth = maker.get_text_width_height_descent(f"${drawable}$", prop, True)
        points, codes = maker.get_text_path(prop, f"${drawable}$", ismath=True)
    except ValueError:
        return f"<code>{escape(said)}</code>"
    steps = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
    scale = size / 100
    path, last = [], None
    for (x, y), code in zip(points, codes, strict=True):
        if code == Outline.CLOSEPOLY:
            path.append("Z")
        else:
            step = "" if code == last and code in (Outline.CURVE3, Outline.CURVE4) else steps[code]
            path.append(f"{step}{x / scale:.1f} {-y / scale:.1f}")
        last = code
    # The glyphs come with 100 units to an em.
    em = 100
    drawn = (
        f'<svg class="math{" display" * display}" role="img" aria-label="{escape(said, True)}" '
        f'viewBox="0 {-(height - depth):.1f} {width:.1f} {height:.1f}" '
        f'style="width:{width / em:.3f}em;height:{height / em:.3f}em;'
        f'vertical-align:{-depth / em:.3f}em"><path d="{" ".join(path)}"/></svg>'
    )
    return f"<p>{drawn}</p>" if display else drawn


def code(source: str, below: int = 0) -> str:
    """Highlighted Python, in letters that fit with ``below`` more lines under it."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    source = re.sub(r"\n{3,}", "\n\n", source)  # a slide has no room for two empty lines
    lines = len(source.splitlines()) + below
    size = max(SMALLEST, min(LARGEST, int(ROOM / LINE / max(1, lines))))
    formatter = HtmlFormatter(nowrap=True)
    return (
        f'<pre class="code" tabindex="0" style="font-size:{size}px">'
        f"{highlight(source, PythonLexer(), formatter).rstrip()}</pre>"
    )


def printed(text: str, lines: int = 0) -> str:
    """What a cell printed, under ``lines`` of code."""
    many = len(text.splitlines()) + lines
    size = max(SMALLEST, min(LARGEST, int(ROOM / LINE / max(1, many))))
    return f'<pre class="out" tabindex="0" style="font-size:{size}px">{escape(text)}</pre>'


def sentences(markdown: str) -> list[str]:
    """What opens each paragraph, as Markdown; headings, quotations and tables apart.

    That is its first sentence, and the next where the first has fewer than :data:`SHORT` words.
    """
    text = re.sub(r"<details>.*?</details>", "", markdown, flags=re.DOTALL)
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        line = " ".join(paragraph.split())
        if line and not re.match(r"[#>|<!-]|\d+\. |```|\$\$|\*\*What next", line):
            said = ""
            for one in _SENTENCE.findall(line) or [line]:
                said = f"{said} {one.strip()}".strip()
                if len(said.split()) >= SHORT:
                    break
            found.append(said)
    return found


def introduction(markdown: str) -> str:
    """The sentence that leads over to the code below: the last one, if it ends with a colon."""
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", markdown.strip())]
    last = _SENTENCE.findall(paragraphs[-1]) if paragraphs else []
    if last and last[-1].endswith(":") and not paragraphs[-1].startswith((">", "#", "-", "|")):
        return str(last[-1]).strip()
    return ""


# --- slides ---------------------------------------------------------------------------------------


def deck(lesson: Lesson) -> list[Slide]:
    """All slides of a chapter."""
    opening = lesson.parts[0]
    slides = [
        Slide(
            lesson.title,
            f'<p class="course">{COURSE}</p><p>{lesson.minutes} minutes to read, '
            f"{guide.room_minutes(lesson)} in a room</p>",
            "title",
            html(opening.items[0].source.partition("\n")[2]),
        ),
        Slide("Questions", listing(lesson.questions), "points", ""),
    ]
    for part in lesson.parts:
        if part.kind in ("opening", "section"):
            slides += _section(part, lesson)
    for exercise in lesson.exercises:
        slides.append(_exercise(exercise))
    slides.append(Slide("Key points", listing(lesson.points), "points", ""))
    return [slide for slide in slides if slide.body]


def _section(part: Part, lesson: Lesson) -> Iterator[Slide]:
    extra = guide.POLL * len(part.predictions)
    heading = lesson.title if part.kind == "opening" else part.title
    minutes = f"<p><strong>{part.minutes + extra} minutes in a room.</strong></p>"
    polls = iter(part.predictions)
    poll: Prediction | None = None
    said = lead = ""
    items = part.items[1:] if part.kind == "opening" else part.items
    for item in items:
        if item.kind == "markdown":
            if item.is_reveal:
                continue
            text, asks, _ = item.source.partition("> **Predict")
            text = re.sub(r"^## .*\n?", "", text)
            text = re.split(r"^\*\*Questions\*\*", text, flags=re.MULTILINE)[0]
            firsts = sentences(text)
            said = html(text)
            for points in spread(firsts if len(firsts) > 1 else []):
                yield Slide(heading, listing(points), "points", minutes + said)
                minutes = ""
            lead = introduction(text) or (firsts[0] if len(firsts) == 1 else "")
            if asks:
                poll = next(polls)
                yield _asks(poll, heading)
        elif not _is_setup(item):
            answers = poll if item.is_reveal else None
            for slide in _shows(item, heading, lead, minutes + said, answers):
                yield slide
                minutes = said = ""
            lead = ""
            if not item.is_reveal:
                poll = None


def _is_setup(item: Item) -> bool:
    lines = lessons.code_lines(item.source)
    imports = [line for line in lines if re.match(r"(?:import|from) |plots\.use_style\(", line)]
    return "setup" in item.tags or len(imports) == len(lines)


def _asks(poll: Prediction, heading: str) -> Slide:
    choices = "".join(f"<li>{inline(choice)}</li>" for choice in poll.choices)
    return Slide(
        f"Predict ({poll.number})",
        f'<div class="question">{html(poll.question)}</div><ol class="choices">{choices}</ol>',
        "poll",
        f"<p>{escape(heading)}. {inline(guide.misled(poll))}</p>",
    )


def _shows(
    item: Item, heading: str, lead: str, notes: str, poll: Prediction | None
) -> Iterator[Slide]:
    """The code with what it prints, then figures, tables and verdicts, each on its own slide."""
    text = "".join(_printed(item))
    below = len(text.splitlines()) if text else 0
    together = below <= PRINTED
    if poll is None and not _only_verdicts(item):
        first = f"<p>{inline(lead)}</p>" if lead else ""
        room = below * together + (3 if lead else 0)
        body = first + code(item.source, room)
        if text and together:
            body += printed(text, len(item.source.splitlines()) + (3 if lead else 0))
        yield Slide(heading, body, "code", notes)
        notes = ""
    if text and (poll is not None or not together or _only_verdicts(item)):
        yield Slide(heading, printed(text), "code", notes)
    for output in item.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            yield Slide(heading, figure(_joined(data["image/png"]), item.alt), "figure", "")
        elif "text/html" in data and "verdict-card" not in _joined(data["text/html"]):
            table = re.sub(r"<style.*?</style>", "", _joined(data["text/html"]), flags=re.DOTALL)
            yield Slide(heading, f'<div class="table">{table}</div>', "table", "")
        elif "**Measured.**" in _joined(data.get("text/markdown", "")) and poll:
            yield _measured(poll)
    for card in lessons.cards_of(item):
        yield Slide(heading, verdict(card), "verdict", "")


def _only_verdicts(item: Item) -> bool:
    """Whether a cell only asks for cards, of which the slide shows what they say."""
    return all(
        line.startswith("claims.") or line in ")" for line in lessons.code_lines(item.source)
    )


def _printed(item: Item) -> Iterator[str]:
    for output in item.outputs:
        data = output.get("data", {})
        if output["output_type"] == "stream":
            yield _joined(output["text"])
        elif set(data) == {"text/plain"}:
            yield _joined(data["text/plain"]) + "\n"


def _joined(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _measured(poll: Prediction) -> Slide:
    items = []
    for choice in poll.choices:
        kind = guide.mark(choice, poll)
        mark = "✔ " if "measured" in kind else ""
        tail = " <small>(the folklore)</small>" if "folklore" in kind else ""
        items.append(f'<li class="{kind.replace(",", "")}">{mark}{inline(choice)}{tail}</li>')
    return Slide(
        f"Measured ({poll.number})",
        f'<div class="question"><p>{inline(poll.words)}</p></div>'
        f'<ol class="choices">{"".join(items)}</ol>'
        + "".join(f"<p>{inline(said)}</p>" for said in sentences(poll.why)[:2]),
        "poll answer",
        html(poll.why),
    )


def verdict(card: Card) -> str:
    """A claim with its verdict."""
    return (
        f'<blockquote class="claim">{escape(card.statement)}</blockquote>'
        f'<p class="chip">{escape(card.verdict)}</p><p class="finding">{escape(card.finding)}</p>'
    )


def figure(png: str, alt: str) -> str:
    """A picture with its alt text, as large as the slide allows."""
    data = "".join(png.split())
    width, height = struct.unpack(">II", base64.b64decode(data[:44])[16:24])
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(alt, True)}" '
        f'width="{width}" height="{height}">'
    )


def _exercise(exercise: Exercise) -> Slide:
    return Slide(
        f"Exercise {exercise.number}",
        html(exercise.text) + "".join(code(blank, 8) for blank in exercise.blanks),
        "exercise",
        f"<p>{exercise.minutes} minutes, in pairs. {len(exercise.solutions)} solutions are folded "
        "under the cell in the chapter.</p>",
    )


def listing(points: Iterable[str]) -> str:
    """Points as a list."""
    items = "".join(f"<li>{inline(point)}</li>" for point in points)
    return f"<ul>{items}</ul>" if items else ""


def spread(points: Sequence[str]) -> Iterator[list[str]]:
    """Points on as many slides as they need."""
    now: list[str] = []
    for point in points:
        if now and len(" ".join([*now, point]).split()) > MOST_WORDS:
            yield now
            now = []
        now.append(point)
    if now:
        yield now


# --- files ----------------------------------------------------------------------------------------


def page(lesson: Lesson) -> str:
    """The whole file."""
    from pygments.formatters import HtmlFormatter

    slides = deck(lesson)
    colours = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".code")
    sections = "\n".join(
        f'<section class="slide {slide.kind}" id="s{n}" aria-label="{n} of {len(slides)}">'
        f"<h{1 if n == 1 else 2}>{inline(slide.heading)}</h{1 if n == 1 else 2}>"
        f'<div class="body">{slide.body}</div>'
        f'<p class="place">{n} / {len(slides)}</p>'
        f'<aside class="notes">{slide.notes}</aside></section>'
        for n, slide in enumerate(slides, 1)
    )
    frame = (HERE / "slides.html").read_text("utf-8")
    for name, value in {
        "TITLE": escape(f"{lesson.title} – {COURSE}"),
        "COLOURS": colours,
        "SLIDES": sections,
    }.items():
        frame = frame.replace(f"%%{name}%%", value)
    return frame


def chromium() -> str:
    """Where Chromium is: ``ACTLAB_CHROMIUM`` or the system's; empty where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("ACTLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")


def pdf(source: Path) -> Path:
    """Print a deck with Chromium; raises ``RuntimeError`` where there is none."""
    browser = chromium()
    if not browser:
        raise RuntimeError("no Chromium: install the package chromium, or give --no-pdf.")
    target = source.with_suffix(".pdf")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")
    command = [browser, *flags, f"--print-to-pdf={target}", source.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not target.exists():
        raise RuntimeError(f"Chromium printed nothing: {done.stderr[-300:]}")
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every deck anew."""
    parser = argparse.ArgumentParser(prog="make slides", description="A deck for each chapter.")
    parser.add_argument("--into", type=Path, default=ROOT / "_build" / "slides")
    parser.add_argument("--no-pdf", action="store_true", help="only HTML")
    chosen = parser.parse_args(arguments)
    shutil.rmtree(chosen.into, ignore_errors=True)
    chosen.into.mkdir(parents=True)
    for lesson in lessons.all_of(ROOT / "notebooks"):
        path = chosen.into / f"{lesson.name}.html"
        path.write_text(page(lesson), "utf-8")
        if not chosen.no_pdf:
            pdf(path)
        print(f"{path.name}: {len(deck(lesson))} slides")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
