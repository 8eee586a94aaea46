import base64
import importlib.util
import io
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from actlab import data, machine
from tests.conftest import ONE_THREAD

from . import compare, execute, gates

DATA = Path(__file__).parent / "data"
ADDRESS = "https://example.org/course"
# The good notebook needs no framework, and to load two of them takes longer than all the rest.
LOADS, LOADS_NOT = "machine.prepare()", "pass"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the good pair, which loads no framework; this process stays as it is."""
    monkeypatch.setattr(execute, "prepare", lambda: None)
    monkeypatch.setattr(gates, "SETUP", gates.SETUP.replace(LOADS, LOADS_NOT))
    for name in ("good.py", "good.ipynb"):
        (tmp_path / name).write_text((DATA / name).read_text().replace(LOADS, LOADS_NOT))
    return tmp_path


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_second_run_changes_nothing_but_the_measurement(folder, capsys):
    (folder / "good.ipynb").unlink()
    source = folder / "good.py"
    text = source.read_text()
    setup = gates.setup_source(ADDRESS)
    assert setup in text
    source.write_text(text.replace(setup, "# an old setup cell"))
    assert execute.main(["good"], folder, ADDRESS) == 0
    assert re.search(r"good … \d+ s( \(as before.*\))?, \d+ MB", capsys.readouterr().out)
    again, committed = (gates.read(path / "good.ipynb", ADDRESS) for path in (folder, DATA))
    committed.nb.cells[1].source = committed.nb.cells[1].source.replace(LOADS, LOADS_NOT)
    execute.name_cells(committed.nb)
    assert again.nb.metadata.actlab.peak_mb > 30
    for notebook in (again, committed):
        notebook.nb.metadata.pop("actlab")
        # The seconds of the header are this machine's, and the cell's id comes from its text.
        notebook.nb.cells[0].pop("id")
        notebook.nb.cells[0].source = gates.HEADER.sub("", notebook.nb.cells[0].source)
    assert again.nb == committed.nb
    assert sorted(snapshot(folder)) == ["good.ipynb", "good.py"]


def test_a_cell_that_fails_leaves_both_files_as_they_were(folder, capsys):
    source = folder / "good.py"
    source.write_text(source.read_text().replace("float(values.sum())", "1 / 0"))
    before = snapshot(folder)
    assert execute.main([], folder, ADDRESS) == 1
    assert snapshot(folder) == before
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_problems_that_a_gate_finds_are_said(folder, capsys):
    source = folder / "good.py"
    source.write_text(source.read_text().replace("> **Key points.**", "Key points:"))
    assert execute.main([], folder, ADDRESS) == 1
    assert "there is no '> **Key points.** …'" in capsys.readouterr().out
    assert "Key points:" in (folder / "good.ipynb").read_text()


def test_an_unknown_chapter_lists_the_nearest(folder):
    with pytest.raises(SystemExit, match="no chapter 'goood'; the nearest are good"):
        execute.main(["goood"], folder, ADDRESS)
    with pytest.raises(SystemExit, match="There is no chapter"):
        execute.main([], folder / "empty", ADDRESS)


def test_without_fashion_mnist_no_chapter_is_rewritten(folder, monkeypatch):
    source = folder / "good.py"
    source.write_text(source.read_text() + "\n# %%\ndata.load('fashion_mnist')\n")
    before = snapshot(folder)
    monkeypatch.setattr(data, "available", lambda name: False)
    with pytest.raises(SystemExit, match=r"good\.py would run on other data"):
        execute.main([], folder, ADDRESS)
    assert snapshot(folder) == before


def test_what_a_run_measures_and_stores(tmp_path):
    cells = [
        "big = b'x' * 300_000_000\ndel big",
        "import os; os.write(2, b'what a C++ library says about this processor');",
        "import sys; print('what Python complains of', file=sys.stderr)",
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    measured = execute.run_cells(nb, tmp_path, execute.QUIET, timeout=60)
    assert 300 < measured["peak_mb"] < 600  # memory that was given back counts
    assert 0 < measured["seconds"] < 60
    assert [len(cell.outputs) for cell in nb.cells] == [0, 0, 1]
    assert nb.cells[2].outputs[0].name == "stderr"


@pytest.mark.parametrize("busy", [True, False])
def test_a_busy_machine_measures_no_seconds(folder, monkeypatch, busy):
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0 if busy else 0.1, 0, 0))
    stored = nbformat.read(folder / "good.ipynb", 4)
    stored.metadata.actlab.seconds = 5000.0
    nbformat.write(stored, folder / "good.ipynb")
    nb = execute.execute(folder / "good.py", ADDRESS)
    assert (nb.metadata.actlab.seconds == 5000.0) == busy
    (folder / "good.ipynb").unlink()
    assert execute.seconds_before(folder / "good.ipynb") is None


# --- The setup cell -----------------------------------------------------------------------------


def run_setup(monkeypatch, *, colab, installed):
    """What the cell asks pip for; it must load the frameworks last of all."""
    asked = []
    monkeypatch.setattr(machine, "prepare", lambda: asked.append("frameworks"))
    monkeypatch.setattr(subprocess, "run", lambda command, check: asked.append((command, check)))
    find = (lambda name: None) if not installed else importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", find)
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(gates.setup_source(ADDRESS), {})
    assert asked.pop() == "frameworks"
    return asked


def test_setup_does_nothing_where_the_helpers_are(monkeypatch):
    assert run_setup(monkeypatch, colab=False, installed=True) == []


def test_setup_installs_on_colab(monkeypatch):
    from packaging.requirements import Requirement

    ((command, check),) = run_setup(monkeypatch, colab=True, installed=True)
    assert check
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert Requirement(command[-1]).url == f"git+{ADDRESS}"


def test_setup_says_what_is_missing(monkeypatch):
    with pytest.raises(AssertionError, match=r'Missing; pip install "actlab @ git\+https://exam'):
        run_setup(monkeypatch, colab=False, installed=False)


def test_setup_needs_no_file_of_the_repository(tmp_path):
    script = tmp_path / "setup_cell.py"
    script.write_text(gates.setup_source(ADDRESS) + "\nimport actlab.catalog\n")
    subprocess.run([sys.executable, script.name], cwd=tmp_path, check=True)


# --- What the executor writes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds", "peak_mb", "written"),
    [
        ("0 s and 0.0 GB", 3, 60, "5 s and 0.1 GB"),
        ("0 s and 0.0 GB", 62, 1149, "60 s and 1.1 GB"),
        ("60 s and 1.1 GB", 71, 1230, "60 s and 1.1 GB"),  # still agrees: no needless change
        ("60 s and 1.1 GB", 82, 1500, "80 s and 1.5 GB"),
        ("60 s and 1.1 GB", 40, 700, "40 s and 0.7 GB"),
    ],
)
def test_the_header_says_what_was_measured(said, seconds, peak_mb, written):
    nb = gates.read(DATA / "good.ipynb", ADDRESS).nb
    nb.cells[0].source = nb.cells[0].source.replace("5 s and 0.1 GB", said)
    execute._write_header(nb, seconds, peak_mb)
    assert f"runs in about {written} on 2 cores · needs nothing*" in nb.cells[0].source
    nb.metadata.actlab = {"seconds": seconds, "peak_mb": peak_mb}
    assert not list(gates.says_what_it_costs(gates.Notebook("x", nb, None, ADDRESS)))


def test_ids_stay_when_a_cell_is_added():
    cells = [nbformat.v4.new_code_cell(source) for source in ("a", "b", "a")]
    nb = nbformat.v4.new_notebook(cells=cells)
    execute.name_cells(nb)
    before = [cell.id for cell in nb.cells]
    assert len(set(before)) == 3
    nb.cells.insert(1, nbformat.v4.new_markdown_cell("a"))
    execute.name_cells(nb)
    assert [cell.id for i, cell in enumerate(nb.cells) if i != 1] == before


# --- The comparison with nbval ------------------------------------------------------------------

# Changes to the stored outputs of code cells 1 to 4, in two copies of the good notebook.
LIES = {
    ("one", 1): ("ReLU gives 0.0 0.0 2.25", "ReLU gives 0.0 0.0 2.26"),
    ("one", 2): ('"2.25"', '"2.5"'),
    ("one", 3): ("in which 3 dots", "in which 4 dots"),  # the alt text that the figure brought
    ("one", 4): ("'of': 3", "'of': 30"),
    ("two", 1): ("ReLU gives 0.0 0.0 2.25", "ReLU gives 0.0 -0.0 2.25"),
    ("two", 2): ('"2.25"', '"2.250"'),
    ("two", 3): ("IPython.core.display.Image object", "Figure size 640x480 with 1 Axes"),
    ("two", 4): ("'of': 3", "'off': 3"),
}


def painted(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The exit code and report of one comparison: the good notebook, the lies, two more copies."""
    folder = tmp_path_factory.mktemp("lies")
    text = (DATA / "good.ipynb").read_text().replace(LOADS, LOADS_NOT)
    copies = {"good": text, "one": text, "two": text}
    for (stem, _), (old, new) in LIES.items():
        assert old in copies[stem]
        copies[stem] = copies[stem].replace(old, new)
    dropped, stderr, black, bare = (nbformat.reads(text, as_version=4) for _ in range(4))
    dropped.cells[4].outputs = []
    black.cells[5].outputs[0].data["image/png"] = painted("black")
    del bare.cells[5].outputs[0].data["image/png"]  # the alt text stays
    stderr.cells[4].source = "import sys; print('old CPU', file=sys.stderr); 2.25"
    copies |= {"dropped": nbformat.writes(dropped), "stderr": nbformat.writes(stderr)}
    copies |= {"black": nbformat.writes(black), "bare": nbformat.writes(bare)}
    for stem, copy in copies.items():
        (folder / f"{stem}.ipynb").write_text(copy)
    run = (
        "import sys; from pathlib import Path; from tests.notebooks import compare; "
        "sys.exit(compare.main(Path(sys.argv[1]), '-n', '0'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", run, str(folder)],
        cwd=gates.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def failed(compared, stem):
    """The code cells of a notebook that the comparison found different."""
    found = re.findall(rf"^FAILED .*\b{stem}\.ipynb::Cell (\d+)", compared[1], re.MULTILINE)
    return [int(cell) for cell in found]


def test_the_truth_passes(compared):
    code, report = compared
    assert code == 1, report  # because of the lies
    lies = len(LIES) + 3
    assert f"{lies} failed, {7 * 11 - lies} passed" in report, report
    assert failed(compared, "good") == []


@pytest.mark.parametrize(("stem", "cell"), LIES)
def test_a_lie_is_seen(stem, cell, compared):
    assert cell in failed(compared, stem), compared[1]


def test_a_dropped_output_is_seen(compared):
    assert failed(compared, "dropped") == [2]


def test_a_blackened_and_a_deleted_picture_are_seen(compared):
    assert failed(compared, "black") == failed(compared, "bare") == [3]
    assert "The picture shows something else" in compared[1]
    assert "The picture is one of 1 instead of 0" in compared[1]


def test_what_a_machine_says_on_stderr_does_not_matter(compared):
    assert failed(compared, "stderr") == []


# --- Without Fashion-MNIST ----------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two notebooks, one of which uses Fashion-MNIST; what nbval would have been asked."""
    (tmp_path / "fashion.ipynb").write_text('data.load("fashion_mnist")')
    (tmp_path / "digits.ipynb").write_text('data.load("digits")')
    asked = []

    def run(notebooks, option):
        asked.append(([path.stem for path in notebooks], option))
        return 0

    monkeypatch.setattr(compare, "run", run)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path, asked


def test_with_fashion_mnist_everything_is_compared(runs, monkeypatch):
    folder, asked = runs
    monkeypatch.setattr(data, "available", lambda name: True)
    assert compare.main(folder) == 0
    assert asked == [(["digits", "fashion"], "--nbval"), ([], "--nbval-lax")]


def test_without_fashion_mnist_its_chapters_only_run(runs, monkeypatch, capsys):
    folder, asked = runs
    monkeypatch.setattr(data, "available", lambda name: False)
    assert compare.main(folder) == 0
    assert asked == [(["digits"], "--nbval"), (["fashion"], "--nbval-lax")]
    assert (
        "NOT COMPARED, because Fashion-MNIST is missing: fashion.ipynb" in capsys.readouterr().out
    )


def test_without_fashion_mnist_ci_fails(runs, monkeypatch):
    folder, asked = runs
    monkeypatch.setattr(data, "available", lambda name: False)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match=r"fashion\.ipynb: Fashion-MNIST is missing"):
        compare.main(folder)
    assert asked == []


def test_a_folder_without_notebooks_is_no_success(tmp_path):
    with pytest.raises(SystemExit, match="no notebook"):
        compare.main(tmp_path)


def test_two_kernels_on_two_cores_have_one_thread_each(monkeypatch):
    """Two threads each may wait for one another for minutes; the surroundings alone say two."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(os, "sched_setaffinity", lambda *where: None, raising=False)
    monkeypatch.setattr(compare.pytest, "main", lambda arguments: 0)
    assert compare.run([DATA / "good.ipynb"]) == 0
    assert {os.environ[name] for name in ONE_THREAD} == {"1"}
