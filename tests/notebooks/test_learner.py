"""The learner's edition is made from the chapter: same code, no results, answers closed."""

import copy
import shutil
from pathlib import Path

import jupytext
import nbformat
import pytest

from . import execute, gates, learner

DATA = Path(__file__).parent / "data"
ADDRESS = "https://example.org/course"
FULL = f"{ADDRESS}/blob/main/notebooks/good.ipynb"


@pytest.fixture
def good():
    return gates.read(DATA / "good.ipynb", ADDRESS).nb


@pytest.fixture
def made(good):
    return learner.edition(good, "good", ADDRESS)


def prose(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def code(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "code"]


def test_every_learners_edition_is_in_step():
    assert learner.problems() == []


def test_the_code_is_the_same_and_nothing_has_been_run(good, made):
    assert code(made) == code(good)
    for cell in made.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert set(cell.metadata) <= {"tags"}
        assert cell.metadata.get("tags", ["setup"]) == ["setup"]
    nbformat.validate(made)


def test_the_full_edition_is_one_click_away(made):
    assert f"[full edition]({FULL})" in made.cells[0].source


def test_solutions_are_taken_out_and_linked(made):
    text = "\n".join(prose(made))
    assert "relu.reference(3.0)" not in text
    assert f"[Solutions]({FULL}), when you have tried." in text


def test_what_explains_an_answer_is_folded_and_a_guess_has_its_place(made):
    text = prose(made)
    why = next(cell for cell in text if "Only what is positive passes." in cell)
    assert why.startswith(f"<details>\n<summary>{learner.WHY}</summary>\n\nOnly")
    assert text.count(learner.GUESS) == 3
    for number, cell in enumerate(made.cells):
        if "> **Predict." in cell.source:
            assert made.cells[number + 1].source == learner.GUESS


def test_links_lead_one_folder_further(good):
    good.cells[2].source += "\n\nSee [it](../book/reference/claims.html) and [that](01_a.ipynb)."
    text = "\n".join(prose(learner.edition(good, "good", ADDRESS)))
    assert "[it](../../book/reference/claims.html) and [that](01_a.ipynb)" in text


def test_a_change_that_was_not_carried_over_is_seen(tmp_path):
    shutil.copy(DATA / "good.py", tmp_path)
    assert learner.problems(tmp_path, ADDRESS) == [
        "good: no learner's edition; run `python -m tests.notebooks.learner`"
    ]
    (tmp_path / "learner").mkdir()
    (tmp_path / "learner" / "gone.ipynb").write_text("{}")
    assert any("without a chapter" in said for said in learner.problems(tmp_path, ADDRESS))
    learner.main(tmp_path, ADDRESS)
    assert learner.problems(tmp_path, ADDRESS) == []
    source = tmp_path / "good.py"
    source.write_text(source.read_text().replace("And again?", "And again, please?"))
    assert "another chapter's" in learner.problems(tmp_path, ADDRESS)[0]


def test_it_runs_alone_in_an_empty_folder(made, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "prepare", lambda: None)
    setup = next(cell for cell in made.cells if "setup" in cell.metadata.get("tags", ()))
    setup.source = setup.source.replace("machine.prepare()", "pass")
    execute.run_cells(made, tmp_path, execute.QUIET, timeout=60)
    assert [cell.execution_count for cell in made.cells if cell.cell_type == "code"]


def test_it_is_made_from_the_source_and_not_from_what_came_out(good):
    source = jupytext.reads((DATA / "good.py").read_text("utf-8"), fmt="py:percent")
    spoiled = copy.deepcopy(good)
    for cell in spoiled.cells:
        cell.pop("outputs", None)
    assert learner.text_of(source, "good", ADDRESS) == learner.text_of(good, "good", ADDRESS)
