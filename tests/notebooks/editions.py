"""``make editions``: what a class gets, from the chapters, in ``_build/editions``.

    python -m tests.notebooks.editions [--into FOLDER]

- ``learner``: nothing has been run, answers closed, exercises blank (see :mod:`.learner`);
- ``live``: the same, and about a fifth of the code is blank, the part that a section teaches: to be
  typed in front of a room;
- ``solutions``: the exercises with every solution in its place;
- ``instructor``: the chapter with its outputs, notes at each prediction, and the code that the live
  edition leaves out.
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from . import gates, learner
from .teaching import lessons

from actlab_class import guide  # isort: skip  # teaching says where it is

INTO = gates.ROOT / "_build" / "editions"
NAMES = ("learner", "live", "solutions", "instructor")
FILLED = 0.8  # of the code lines of the live edition
NEAR = 0.05
# What a room need not see typed: helpers, figures, verdicts, words.
_HELPS = re.compile(r"\b(?:plots|claims|predict|study|check|print|display)\b[.(]")
_TEACHES = re.compile(r"^\s*def |\.backward\(|\.fit\(|GradientTape", re.MULTILINE)
_BLANK = re.compile(r"^( *)\.\.\.  # live (\d+): \d+ lines?$", re.MULTILINE)


class EditionError(ValueError):
    """A chapter from which an edition cannot be made."""


# --- live coding ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Lines that are typed live: their number in the chapter, the whole cell, the lines."""

    number: int
    source: str
    code: str


def live(nb: Any, name: str, repository: str) -> tuple[Any, list[Step]]:
    """The live-coding edition, and what is to be typed."""
    made = learner.edition(nb, name, repository, learner.branch())
    steps: list[Step] = []
    for n in chosen(made):
        whole = made.cells[n].source
        made.cells[n].source, taken = blanked(whole, len(steps))
        steps += [Step(len(steps) + k, whole, code) for k, code in enumerate(taken, 1)]
    made.cells[0].source = made.cells[0].source.replace(
        "*This is the learner's edition: nothing has been run, and blanks wait for you.",
        "*This is the live-coding edition: nothing has been run, and where a line says `live`, "
        "code is typed in the room.",
    )
    return made, steps


def chosen(nb: Any) -> list[int]:
    """The cells whose idea is typed: the most telling first, until a fifth of the lines is blank.

    The numbers are in the order of the chapter. Raises :class:`EditionError` where there are not
    enough of them.
    """
    total, candidates = 0, []
    exercises = next(
        (n for n, cell in enumerate(nb.cells) if re.search(r"^## Exercises", cell.source, re.M)),
        len(nb.cells),
    )
    for n, cell in enumerate(nb.cells[:exercises]):
        if cell.cell_type != "code":
            continue
        lines = len(lessons.code_lines(cell.source))
        total += lines
        if "setup" in cell.metadata.get("tags", ()):
            continue
        least = sum(len(lessons.code_lines(code)) for code in blanked(cell.source, 0)[1])
        if least >= 2:
            helped = len(_HELPS.findall(cell.source)) / max(1, lines)
            teaches = bool(_TEACHES.search(cell.source))
            candidates.append((not teaches, helped, n, least))
    wanted, found, left = (1 - FILLED) * total, list[int](), 0.0
    for *_, n, least in sorted(candidates):
        if left + least <= wanted + NEAR * total:
            found.append(n)
            left += least
        if left >= wanted:
            break
    if abs(left - wanted) > NEAR * total:
        raise EditionError(f"{left:.0f} of {total} lines can be typed live, wanted {wanted:.0f}.")
    return sorted(found)


def blanked(source: str, count: int) -> tuple[str, list[str]]:
    """A cell with what it teaches taken out, and the pieces; ``count`` blanks came before.

    Imports, assertions, figures and what is printed stay; of a function its first line and its
    docstring.
    """
    tree = ast.parse(source)
    spans: list[tuple[int, int, int]] = []  # first line, last line (from 0), columns
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                spans.append((body[0].lineno - 1, node.end_lineno or 0, body[0].col_offset))
        elif _is_typed(node, source):
            first = node.lineno - 1
            if spans and spans[-1][1] == first and spans[-1][2] == 0 == node.col_offset:
                spans[-1] = (spans[-1][0], node.end_lineno or 0, 0)
            else:
                spans.append((first, node.end_lineno or 0, 0))
    lines = source.splitlines()
    taken = ["\n".join(lines[first:end]) for first, end, _ in spans]
    for n, (first, end, column) in reversed([*enumerate(spans)]):
        many = len(lessons.code_lines(taken[n]))
        said = f"...  # live {count + n + 1}: {many} line{'s' * (many > 1)}"
        lines[first:end] = [" " * column + said]
    return "\n".join(lines), taken


def _is_typed(node: ast.stmt, source: str) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.ClassDef):
        return False
    text = ast.get_source_segment(source, node) or ""
    return not _HELPS.search(text)


def filled(nb: Any, steps: Sequence[Step]) -> Any:
    """The live edition after every step was typed."""
    done = copy.deepcopy(nb)
    typed = {step.number: step.code for step in steps}
    for cell in done.cells:
        if cell.cell_type == "code":
            cell.source = _BLANK.sub(lambda blank: typed[int(blank[2])], cell.source)
    return done


# --- solutions and notes --------------------------------------------------------------------------


def solutions(nb: Any, name: str, repository: str, lesson: lessons.Lesson) -> Any:
    """The exercises with all their solutions as cells, each of which ends with the checker."""
    made = learner.edition(nb, name, repository, learner.branch())
    cells, waiting = [], list(lesson.exercises)
    current: lessons.Exercise | None = None
    for cell in made.cells:
        # One cell may hold the end of one exercise and the beginning of the next.
        if opened := re.findall(r"^> \*\*Exercise ([\d.]+?)\.\*\*", cell.source, re.MULTILINE):
            [current] = [one for one in waiting if one.number == opened[-1]]
        if current and cell.source == current.blanks[0]:
            for title, code in current.solutions.items():
                cells.append(nbformat.v4.new_markdown_cell(f"*{title}*"))
                cells.append(nbformat.v4.new_code_cell(code))
        elif not (current and cell.source in current.blanks):
            cell.source = re.sub(r"\[Solutions\]\(\S+\), when you have tried\.\s*", "", cell.source)
            if cell.source and cell.source != learner.GUESS:
                cells.append(cell)
    made.cells = cells
    made.cells[0].source = made.cells[0].source.replace(
        "*This is the learner's edition: nothing has been run, and blanks wait for you.",
        "*This is the edition with solutions: nothing has been run, and every exercise is solved.",
    )
    return named(made)


def instructor(
    nb: Any, name: str, repository: str, lesson: lessons.Lesson, steps: Sequence[Step]
) -> Any:
    """The chapter as it is read, with notes: minutes, what learners get wrong, what is typed."""
    made = copy.deepcopy(nb)
    polls = iter(lesson.predictions)
    parts = {part.title: part for part in lesson.parts if part.kind == "section"}
    cells: list[Any] = []
    for cell in made.cells:
        cell.metadata.pop("jupyter", None)
        cells.append(cell)
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^## (.+)$", cell.source, re.MULTILINE):
                if heading in parts:
                    extra = guide.POLL * len(parts[heading].predictions)
                    cells.append(note(f"{parts[heading].minutes + extra} minutes in a room."))
            if re.search(r"^> \*\*Predict\b", cell.source, re.MULTILINE):
                poll = next(polls)
                cells.append(note(f"Poll {poll.number}. {guide.misled(poll)}"))
        else:
            said = [f"live {step.number}" for step in steps if step.source == cell.source]
            if said:
                cells.insert(-1, note(f"Type this: {', '.join(said)}."))
    made.cells = cells
    made.cells[0].source += (
        f"\n\n*This is the instructor's edition of [this chapter]({repository}/blob/"
        f"{learner.branch()}/notebooks/{name}.ipynb): it has the answers.*"
    )
    return named(made)


def note(text: str) -> Any:
    """A cell for the instructor."""
    return nbformat.v4.new_markdown_cell(f"> **Instructor.** {text}")


def named(nb: Any) -> Any:
    """With ids made from the content."""
    from .execute import name_cells

    name_cells(nb)
    return nb


# --- all of them ----------------------------------------------------------------------------------


def editions(path: Path, repository: str) -> Iterator[tuple[str, Any]]:
    """Every edition of an executed chapter (``.ipynb``), with its name."""
    nb, lesson = nbformat.read(path, as_version=4), lessons.read(path)
    name = path.stem
    yield "learner", learner.edition(nb, name, repository, learner.branch())
    typed, steps = live(nb, name, repository)
    yield "live", named(typed)
    yield "solutions", solutions(nb, name, repository, lesson)
    yield "instructor", instructor(nb, name, repository, lesson, steps)


def answers_in(nb: Any, lesson: lessons.Lesson, chapter: Any) -> list[str]:
    """What a copy for learners holds of the answers: outputs, measured words, solutions' lines."""
    found = [f"cell {n} has an output" for n, cell in enumerate(nb.cells, 1) if cell.get("outputs")]
    text = "\n".join(cell.source for cell in nb.cells)
    found += [f"prediction {p.number}" for p in lesson.predictions if p.words in text]
    # A line that the chapter shows outside of its solutions gives nothing away.
    shown = "\n".join(learner._prose(cell.source, "") for cell in chapter.cells)
    known = {line.strip() for line in shown.splitlines()}
    lines = {line.strip() for line in text.splitlines()}
    for exercise in lesson.exercises:
        for title, code in exercise.solutions.items():
            own = {line for line in lessons.code_lines(code) if len(line) > 8} - known
            if leaked := own & lines:
                found.append(f"exercise {exercise.number}, {title}: {min(leaked)}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all editions anew."""
    parser = argparse.ArgumentParser(prog="make editions", description="What a class gets.")
    parser.add_argument("--into", type=Path, default=INTO)
    into = parser.parse_args(arguments).into
    for name in NAMES:
        shutil.rmtree(into / name, ignore_errors=True)
    chapters = sorted(gates.FOLDER.glob("[0-9]*.ipynb"))
    for path in chapters:
        for name, nb in editions(path, gates.repository_address()):
            nbformat.validate(nb)
            (into / name).mkdir(parents=True, exist_ok=True)
            (into / name / path.name).write_text(nbformat.writes(nb) + "\n", "utf-8")
    print(f"{len(NAMES)} editions of {len(chapters)} chapters in {into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
