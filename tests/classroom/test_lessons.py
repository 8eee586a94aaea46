"""Parts, predictions and exercises are those of the chapter; what cannot be read is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from actlab_class import lessons

from tests.notebooks import gates, teaching

CHAPTERS = sorted(gates.FOLDER.glob("[0-9]*.ipynb"))
RELU = gates.FOLDER / "02_relu.ipynb"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_minutes_add_up_to_those_at_the_chapters_top(path):
    lesson = lessons.read(path)
    header = gates.HEADER.search(gates.read(path).nb.cells[0].source)
    assert lesson.minutes == int(header["minutes"])
    assert sum(part.minutes for part in lesson.parts) == lesson.minutes
    for part in lesson.parts:
        assert abs(part.minutes - sum(item.minutes for item in part.items)) < 1


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_predictions_and_exercises_are_those_that_the_gates_see(path):
    lesson, notebook = lessons.read(path), gates.read(path)
    asked = list(teaching.predictions(notebook))
    assert [box.choices for box in asked] == [poll.choices for poll in lesson.predictions]
    for box, poll in zip(asked, lesson.predictions, strict=True):
        [answer] = [said for _, cell in box.answer for said in teaching.measured(cell)]
        assert poll.answer == answer
        assert poll.question
    text = "\n".join(cell.source for _, cell in notebook.cells("markdown"))
    assert text.count("> **Exercise ") == len(lesson.exercises)
    for exercise in lesson.exercises:
        assert exercise.number.split(".")[0] == lesson.number
        assert all("check." in code for code in exercise.solutions.values())
    assert len(lesson.questions) >= 3
    assert len(lesson.points) >= 3
    cards = [found for _, cell in notebook.cells("code") for found in cell.get("outputs", ())]
    shown = sum(out.get("data", {}).get("text/html", "").count('"verdict-card') for out in cards)
    assert shown == len(lesson.cards)
    assert all(card.statement and card.verdict and card.finding for card in lesson.cards)


def test_an_answer_is_read_with_and_without_folklore():
    first, _, _, last = (lessons.read(RELU).predictions[n] for n in (0, 1, 2, 3))
    assert (first.answer, first.folklore) == ("a billionth", "")
    assert last.folklore == 'the "40 %" of lecture notes, or more'
    assert "folklore" not in last.words


def test_a_solutions_lines_make_an_exercises_minutes():
    solution = "import torch\n\n# why\na = 1\nb = 2\ncheck.it(a)\n"
    assert lessons.Exercise("1.1", "", (), {"PyTorch": solution}).minutes == 5
    longer = solution.replace("b = 2\n", "b = 2\nc = 3\n")
    assert lessons.Exercise("1.1", "", (), {"PyTorch": longer}).minutes == 10
    both = {"PyTorch": longer, "Keras": solution}
    assert lessons.Exercise("1.1", "", (), both).minutes == 5


# --- what cannot be read --------------------------------------------------------------------------


def broken(folder: Path, change) -> Path:
    nb = json.loads(RELU.read_text("utf-8"))
    change(nb["cells"])
    path = folder / RELU.name
    path.write_text(json.dumps(nb))
    return path


def without_header(cells):
    cells[0]["source"] = ["# ReLU\n", "\n", "It takes a while."]


def answered_twice(cells):
    for cell in cells:
        for output in cell.get("outputs", ()):
            if "**Measured.**" in "".join(output.get("data", {}).get("text/markdown", "")):
                cell["outputs"].append(output)
                return


def without_solutions(cells):
    for cell in cells:
        cell["source"] = "".join(cell["source"]).replace("Solution", "Remark")


@pytest.mark.parametrize(("change", "said"), [
    (without_header, "does not begin with a title and the line of its minutes"),
    (answered_twice, "Prediction 2.1 is answered 2 times"),
    (without_solutions, "Exercise 2.1 lacks its cell or its solutions"),
])  # fmt: skip
def test_a_chapter_that_lacks_something_is_named(change, said, tmp_path):
    assert lessons.read(broken(tmp_path, lambda cells: None)).title.startswith("ReLU")
    with pytest.raises(lessons.LessonError, match=said):
        lessons.read(broken(tmp_path, change))


def test_half_a_file_is_no_notebook(tmp_path):
    shutil.copy(RELU, tmp_path)
    path = tmp_path / RELU.name
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(lessons.LessonError, match="is no notebook that can be read"):
        lessons.read(path)
    with pytest.raises(lessons.LessonError, match=r"02_relu has no exercise 2\.9; it has 2\.1"):
        lessons.read(RELU).exercise("2.9")
