"""The runs elsewhere: what they must see, and what the last ones, which are committed, saw."""

from __future__ import annotations

import ast
import base64
import copy
import io
import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.utils import canonicalize_name

from actlab import data
from tests.notebooks import gates

from . import environments, processors, runs

GOOD = Path(gates.__file__).parent / "data" / "good.ipynb"


# --- What is committed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "surfaces"),
    [(environments, environments.ENVIRONMENTS), (processors, processors.PROCESSORS)],
    ids=["environments", "processors"],
)
def test_the_last_runs_went_well(module, surfaces):
    assert runs.results(module.RESULTS).keys() == surfaces.keys()
    assert runs.failures(module.RESULTS) == []
    for sentence in runs.stale(module.RESULTS, surfaces):  # a run takes too long for this test
        warnings.warn(sentence, stacklevel=1)


@pytest.mark.parametrize("name", environments.ENVIRONMENTS)
def test_the_last_runs_had_the_versions_of_the_table(name):
    assert environments.unmet(name, runs.results(environments.RESULTS)[name]["versions"]) == []


def test_other_versions_are_noticed():
    versions = runs.results(environments.RESULTS)["lowest"]["versions"]
    assert environments.unmet("lowest", versions | {"torch": "2.13.0"}) == [
        "lowest: torch was 2.13.0 instead of ==2.4.*"
    ]
    assert "torch was missing" in environments.unmet("colab", {})[0]


def test_a_failure_and_a_stale_result_are_said(tmp_path):
    path = tmp_path / "results.json"
    chapter, other = sorted(gates.FOLDER.glob("*.ipynb"))[:2]
    code = runs.fingerprint(gates.read(chapter).nb)
    went = {"code": code, "seconds": 30.0, "peak_mb": 1200, "problems": []}
    runs.store(path, "here", {}, {chapter.stem: went, "gone": went})
    assert runs.failures(path) == []
    assert f"here: {other.stem} never ran there" in runs.stale(path, ["here"])
    assert not [said for said in runs.stale(path, ["here"]) if chapter.stem in said]
    runs.store(path, "here", {}, {chapter.stem: went | {"code": "old", "problems": ["cell 3"]}})
    assert runs.failures(path) == [f"here, {chapter.stem}: cell 3"]
    assert f"here: {chapter.stem} has changed since it ran there" in runs.stale(path, ["here"])
    assert "gone" not in path.read_text()  # a chapter that is no more


def test_prose_and_our_address_change_no_code():
    nb = gates.read(GOOD, "https://example.org/course").nb
    before = runs.fingerprint(nb)
    nb.cells[0].source += " More."
    assert runs.fingerprint(nb) == before
    nb.cells[4].source += "  # another cell"
    assert runs.fingerprint(nb) != before


# --- What a run must see --------------------------------------------------------------------------


@pytest.fixture
def good():
    return gates.read(GOOD).nb


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def failed(nb):
    error = nbformat.v4.new_output("error", ename="TypeError", evalue="alt?", traceback=[])
    nb.cells[3].outputs = [error]


def no_picture(nb):
    nb.cells[5].outputs = []


def no_alt(nb):
    del nb.cells[5].outputs[0].metadata["image/png"]["alt"]
    del nb.cells[5].metadata["mystnb"]


def complaint(nb):
    nb.cells[3].outputs.append(stream("UserWarning: old", "stderr"))


def other_number(nb):
    nb.cells[3].outputs = [stream("ReLU gives 0.0 0.0 2.26\n")]


def other_alt(nb):
    nb.cells[5].outputs[0].metadata["image/png"]["alt"] = "An empty white panel of another kind."


def other_picture(nb):
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "black").save(buffer, format="png")
    nb.cells[5].outputs[0].data["image/png"] = base64.b64encode(buffer.getvalue()).decode()


def other_value(nb):
    nb.cells[4].outputs[0].data["text/plain"] = "2.5"


@pytest.mark.parametrize(
    ("problems", "spoil", "says"),
    [
        (environments.problems, failed, r"cell 4: TypeError: alt\?"),
        (environments.problems, complaint, "cell 4: wrote to stderr: UserWarning: old"),
        (environments.problems, no_picture, "cell 6: 0 figures instead of 1"),
        (environments.problems, no_alt, "alt text is missing"),
        (processors.differences, failed, r"cell 4, error: \+TypeError: alt\?"),
        (processors.differences, other_number, r"-ReLU gives 0.0 0.0 2.25 \+ReLU gives .* 2.26"),
        (processors.differences, other_alt, r"alt text \(image/png\): .*\+An empty white panel of"),
        (processors.differences, other_value, r"cell 5, text/plain: -2.25 \+2.5"),
        (processors.differences, other_picture, "cell 6, picture: shows something else"),
        (processors.differences, no_picture, "cell 6, alt text"),
        (processors.differences, complaint, r"cell 4, stderr: \+UserWarning"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_problem_is_seen(problems, spoil, says, good):
    again = copy.deepcopy(good)
    assert list(problems(good, again)) == []
    spoil(again)
    assert any(re.search(says, problem) for problem in problems(good, again))


def test_a_chapter_runs_in_a_given_python(tmp_path):
    """In a plain notebook's surroundings: what C++ code writes is a complaint as well."""
    cells = [
        "import sys; print(sys.flags.optimize)",
        "import os; os.write(2, b'lib: some/where/x'); 'ACTLAB_OFFLINE' in os.environ",
        "1 / 0",
        "print('and on')",
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    chapter = tmp_path / "chapter.ipynb"
    nbformat.write(nb, chapter)
    result = runs.run(
        chapter, environments.problems, command=[sys.executable, "-O"], environment=runs.PLAIN
    )
    assert result["seconds"] > 0
    assert result["peak_mb"] > 30
    assert "cell 3: ZeroDivisionError: division by zero" in result["problems"]
    assert any(p.startswith("cell 2: wrote to stderr: lib") for p in result["problems"])
    assert nbformat.read(chapter, 4) == nb


# --- What the package needs -----------------------------------------------------------------------


def imported(text: str) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


# All packages that are installed are read for it, which takes half a second.
distributions = cache(packages_distributions)


def undeclared(text: str, optional: set[str] = frozenset()) -> set[str]:
    """Packages that a module imports and ``pyproject.toml`` does not ask for."""
    known = {canonicalize_name(requirement.name) for requirement in runs.dependencies()} | optional
    where = distributions()
    return {
        package
        for package in imported(text)
        if package not in sys.stdlib_module_names
        and package != "actlab"
        and not {canonicalize_name(name) for name in where.get(package, [package])} & known
    }


@pytest.mark.parametrize(
    "path", sorted(Path(data.__file__).parent.rglob("*.py")), ids=lambda path: path.stem
)
def test_what_is_imported_is_declared(path):
    cluster = {"dask", "distributed"}  # an extra
    assert undeclared(path.read_text(), cluster) == set()


def test_an_undeclared_import_is_noticed():
    assert undeclared("def f():\n    from pytest import x\n    import PIL, os") == {"pytest"}


# --- The public workflow --------------------------------------------------------------------------


def test_every_environment_and_all_processors_are_tried_every_week():
    workflow = yaml.safe_load((gates.ROOT / ".github" / "workflows" / "weekly.yml").read_text())
    jobs = workflow["jobs"]
    assert "schedule" in workflow[True]  # YAML reads the key `on` so
    matrix = jobs["surfaces"]["strategy"]["matrix"]
    assert matrix["environment"] == list(environments.ENVIRONMENTS)
    last = [job["steps"][-1]["run"] for job in jobs.values()]
    assert last == ["make surfaces NAMES=${{ matrix.environment }}", "make processors"]
    assert workflow["env"]["UV_TORCH_BACKEND"] == "cpu"
