"""Four editions of one chapter: blanks that fail with a hint, solutions, notes, no answer lost."""

from __future__ import annotations

import ast
import copy
import re
from functools import cache

import nbformat
import pytest

from tests.exercises import test_solutions

from . import editions, gates, learner
from .teaching import lessons

CHAPTERS = sorted(gates.FOLDER.glob("[0-9]*.ipynb"))
ADDRESS = "https://example.org/course"
every = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@cache
def made(path):
    nb = nbformat.read(path, 4)
    return nb, lessons.read(path), dict(editions.editions(path, ADDRESS))


def code(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "code"]


# --- learner and live -----------------------------------------------------------------------------


@every
def test_no_copy_for_learners_holds_an_answer(path):
    nb, lesson, found = made(path)
    for name in ("learner", "live"):
        assert editions.answers_in(found[name], lesson, nb) == []
    for name in ("solutions", "instructor"):  # or this would see nothing
        assert editions.answers_in(found[name], lesson, nb)


def test_an_answer_that_leaks_is_named():
    nb, lesson, found = made(CHAPTERS[1])
    for leak, said in (
        ("return (h == 0).all(axis=0).mean()", "exercise 2.1"),
        (lesson.predictions[0].words, "prediction 2.1"),
    ):
        leaky = copy.deepcopy(found["learner"])
        leaky.cells[5].source += f"\n\n    {leak}"
        assert editions.answers_in(leaky, lesson, nb)[0].startswith(said)
    leaky = copy.deepcopy(found["learner"])
    leaky.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    assert "has an output" in editions.answers_in(leaky, lesson, nb)[0]


def imports(nb):
    """What a chapter imports before its exercises, ready to run."""
    found = [
        node
        for source in code(nb)
        for node in ast.parse(source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return compile(ast.Module(found, []), "imports", "exec")


@every
def test_every_blank_fails_its_checker_with_the_hint_to_fill_it(path):
    _, lesson, found = made(path)
    namespace = {}
    exec(imports(found["learner"]), namespace)
    for exercise in lesson.exercises:
        for blank in exercise.blanks:
            assert blank in code(found["learner"])
            tree = ast.parse(blank)
            last = ast.Expression(tree.body.pop().value)
            exec(compile(tree, "blank", "exec"), namespace)
            feedback = eval(compile(last, "blank", "eval"), namespace)
            assert not feedback.ok
            assert feedback.message.startswith("no answer yet. Replace the ..."), exercise.number


@every
def test_what_is_typed_live_is_a_fifth_of_the_code_and_nothing_else_changes(path):
    nb, _, found = made(path)
    _, steps = editions.live(nb, path.stem, ADDRESS)
    assert [step.number for step in steps] == [*range(1, len(steps) + 1)]
    complete = editions.filled(found["live"], steps)
    # The chapter's own code, which every `make test` runs.
    assert code(complete) == code(found["learner"]) == code(nb)
    assert code(found["live"]) != code(nb)
    end = next(n for n, cell in enumerate(nb.cells) if "## Exercises" in cell.source)
    before = [cell for cell in nb.cells[:end] if cell.cell_type == "code"]
    total = sum(len(lessons.code_lines(cell.source)) for cell in before)
    typed = sum(len(lessons.code_lines(step.code)) for step in steps)
    assert 0.75 <= 1 - typed / total <= 0.85
    for source in code(found["live"]):
        ast.parse(source)


def test_a_blank_keeps_what_a_room_need_not_see_typed():
    source = (
        'import numpy as np\n\n\ndef f(x):\n    """Why."""\n    y = x\n    return y\n\n\n'
        "a = 1\nb = 2\nassert a < b\nprint(a)\nfor n in range(3):\n    a += n"
    )
    blank, taken = editions.blanked(source, 4)
    assert blank == (
        'import numpy as np\n\n\ndef f(x):\n    """Why."""\n    ...  # live 5: 2 lines\n\n\n'
        "...  # live 6: 2 lines\nassert a < b\nprint(a)\n...  # live 7: 2 lines"
    )
    assert taken == ["    y = x\n    return y", "a = 1\nb = 2", "for n in range(3):\n    a += n"]


def test_a_chapter_with_too_little_to_type_is_named():
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)\nprint(2)")])
    with pytest.raises(editions.EditionError, match="0 of 2 lines can be typed live"):
        editions.chosen(nb)


# --- solutions and notes --------------------------------------------------------------------------


@every
def test_the_solutions_are_those_that_are_run_by_the_tests_of_the_exercises(path):
    """tests/exercises/test_solutions.py runs them, and their checkers must be content."""
    run = [
        "\n".join(param.values[0])
        for param in test_solutions.solutions()
        if param.id.startswith(path.stem)
    ]
    _, lesson, found = made(path)
    cells = code(found["solutions"])
    assert [source for source in cells if source in run] == run
    assert len(run) == sum(len(exercise.solutions) for exercise in lesson.exercises)
    assert not [source for source in cells if "= ...\n" in source]
    titles = " ".join(title for exercise in lesson.exercises for title in exercise.solutions)
    assert "PyTorch" in titles or "either" in titles
    assert "Keras" in titles or "either" in titles


@every
def test_the_instructor_reads_what_goes_wrong_and_what_is_typed(path):
    nb, lesson, found = made(path)
    text = "\n".join(cell.source for cell in found["instructor"].cells)
    assert code(found["instructor"]) == code(nb)
    for poll in lesson.predictions:
        assert f"> **Instructor.** Poll {poll.number}. " in text
    _, steps = editions.live(nb, path.stem, ADDRESS)
    for step in steps:
        assert re.search(rf"Type this: .*\blive {step.number}\b", text)
    outputs = sum(len(cell.get("outputs", ())) for cell in found["instructor"].cells)
    assert outputs == sum(len(cell.get("outputs", ())) for cell in nb.cells)


@every
def test_all_are_notebooks(path):
    _, _, found = made(path)
    assert tuple(found) == editions.NAMES
    for nb in found.values():
        nbformat.validate(nb)
        ids = [cell.id for cell in nb.cells]
        assert len(ids) == len(set(ids))


def test_one_command_writes_them_all_and_nothing_stays_from_before(tmp_path, capsys):
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "old.ipynb").write_text("{}")
    assert editions.main(["--into", str(tmp_path)]) == 0
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.ipynb"))
    assert names == sorted(f"{name}/{path.name}" for name in editions.NAMES for path in CHAPTERS)
    committed = learner.path_of(CHAPTERS[0]).read_text("utf-8")
    assert (tmp_path / "learner" / CHAPTERS[0].name).read_text("utf-8") == committed
    assert "4 editions" in capsys.readouterr().out
