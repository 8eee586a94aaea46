"""Every fault of ``make mutants`` can still be put in, so that the table does not rot."""

import shutil

import pytest

from . import __main__ as runner
from .table import MUTANTS, CellMutant, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.why}")
def test_it_can_be_put_in(mutant):
    assert mutant.problem(runner.ROOT) == ""
    assert mutant.new != mutant.old
    for path in mutant.tests.split():
        if path.endswith(".py"):
            assert (runner.ROOT / "tests" / path).is_file(), path


def test_there_are_enough_and_none_twice():
    assert len(MUTANTS) >= 60
    assert len(set(MUTANTS)) == len(MUTANTS)


def test_what_no_longer_fits_is_found_out(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\ny = 1\n")
    assert "gone" in Mutant("b.py", "x", "y", "", "").problem(tmp_path)
    assert "2 times" in Mutant("a.py", "= 1", "= 2", "", "").problem(tmp_path)
    assert "0 times" in Mutant("a.py", "z", "y", "", "").problem(tmp_path)


def test_a_cell_is_raised_and_nothing_else(tmp_path):
    from actlab.study import store

    name = "src/actlab/results/born_dead.parquet"
    (tmp_path / name).parent.mkdir(parents=True)
    shutil.copy(runner.ROOT / name, tmp_path / name)
    before = store.read(tmp_path / name)
    CellMutant(name, "dead", "0.05", "", "").put_in(tmp_path)
    after = store.read(tmp_path / name)
    assert after["dead"].iloc[0] == pytest.approx(before["dead"].iloc[0] + 0.05)
    after.loc[0, "dead"] = before.loc[0, "dead"]
    assert after.equals(before)


@pytest.fixture
def tiny(monkeypatch):
    """A repository of one file and one test instead of this one."""

    def copy(to):
        (to / "tests").mkdir(parents=True)
        (to / "a.txt").write_text("one\ntwo\n")
        (to / "tests" / "test_a.py").write_text(
            "from pathlib import Path\n\n\ndef test_one():\n"
            "    assert Path('a.txt').read_text().startswith('one')\n"
        )
        return to

    def use(*mutants):
        monkeypatch.setattr(runner, "MUTANTS", mutants)

    monkeypatch.setattr(runner, "copy", copy)
    return use


def test_the_score_is_honest(tiny, capsys):
    seen = Mutant("a.txt", "one", "eins", "first line", "test_a.py -k one")
    missed = Mutant("a.txt", "two", "zwei", "second line", "test_a.py -k one")
    tiny(seen, missed)
    assert runner.main(["first"]) == 0
    assert "1 of 1 faults were seen (100%)" in capsys.readouterr().out
    assert runner.main([]) == 1
    assert "SURVIVES" in (said := capsys.readouterr().out)
    assert "1 of 2 faults were seen (50%)" in said


def test_tests_that_fail_by_themselves_or_are_none_prove_nothing(tiny):
    for tests in ("test_a.py -k nothing", "test_b.py"):
        tiny(Mutant("a.txt", "one", "eins", "", tests))
        with pytest.raises(SystemExit, match="do not pass, or select nothing"):
            runner.main([])
    with pytest.raises(SystemExit, match="No fault has nowhere"):
        runner.main(["nowhere"])
