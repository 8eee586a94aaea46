"""What `make test` promises, `make` would really do; read off `make --dry-run`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CI = (ROOT / ".ci" / "run").read_text("utf-8")

# The words of one command of `make test` each, in any order; options that would weaken it.
PROMISES = {
    "the book is built with warnings as errors": "jupyter-book build -W -n --all .",
    "ruff checks everything": "ruff check .",
    "the format is checked": "ruff format --check .",
    "types are checked": "mypy",
    "spelling is checked": "codespell",
    "all tests are run": "pytest tests",
    "notebooks are run again and compared": "tests.notebooks.compare",
}
WEAKENS = {"-k", "-m", "--ignore", "--deselect", "--exit-zero", "--collect-only", "--lf"}
FORGIVES = r"\|\|\s*(?:true|:|exit 0)|;\s*(?:true|:)\s*$|^\t[@+]*-|^\.(?:IGNORE|SILENT)\b"


def commands(makefile: str, target: str, folder: Path) -> list[list[str]]:
    """The words of each command that this Makefile would run for the target, from nothing."""
    folder.mkdir()
    (folder / "Makefile").write_text(makefile)
    for prerequisite in (*ROOT.glob("requirements*.txt"), ROOT / "pyproject.toml"):
        shutil.copy(prerequisite, folder)
    dry = ["make", "--dry-run", "--always-make", target]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(dry, cwd=folder, env=outside, capture_output=True, text=True, check=True)
    return [shlex.split(line, comments=True) for line in done.stdout.splitlines()]


def problems(makefile: str, folder: Path) -> list[str]:
    """The promises that this Makefile does not keep."""
    asked = commands(makefile, "test", folder)
    broken = []
    for promise, text in PROMISES.items():
        words = set(text.split())
        kept = [
            command
            for command in asked
            if words <= {*command, *(Path(word).name for word in command)}
            # `python -m module` is the command, not an option of it
            and not WEAKENS & {*re.sub(r"python -m", "", " ".join(command)).split()}
        ]
        if not kept:
            broken.append(promise)
    if re.search(FORGIVES, makefile.replace("\\\n", " "), re.MULTILINE):
        broken.append("a command's failure is make's failure")
    if not re.search(r"^\.SHELLFLAGS := -eu -o pipefail -c$", makefile, re.MULTILINE):
        broken.append("a failure inside a command is seen")
    return broken


@pytest.fixture(autouse=True)
def _make():
    if not shutil.which("make"):
        pytest.skip("there is no make")


def test_the_makefile_keeps_its_promises(tmp_path):
    assert problems(MAKEFILE, tmp_path / "here") == []


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        (" -W ", " ", "the book is built"),
        (" -n --keep-going", " --keep-going", "the book is built"),
        ("--all -W", "-W", "the book is built"),
        ("\t$(BIN)/python -m tests.notebooks.compare\n", "", "notebooks are run"),
        ("-m tests.notebooks.compare", "-m tests.notebooks.execute", "notebooks are run"),
        ("tests.notebooks.compare\n", "tests.notebooks.compare || true\n", "failure is make's"),
        ("\t$(BIN)/python -m pytest", "\t-$(BIN)/python -m pytest", "failure is make's"),
        ("loadfile tests", "loadfile tests -k 'not site'", "all tests"),
        ("loadfile tests", "loadfile tests/catalog", "all tests"),
        ("\t$(MAKE) --no-print-directory lint\n", "", "types"),
        ("\t$(BIN)/ruff check .\n", "", "ruff checks"),
        ("ruff check .", "ruff check --exit-zero .", "ruff checks"),
        ("format --check", "format", "format is checked"),
        ("\t$(BIN)/mypy\n", "", "types"),
        ("\t$(BIN)/codespell\n", "", "spelling"),
        ("test: $(READY) book ", "test: $(READY) ", "the book is built"),
        ("-eu -o pipefail", "-u", "inside a command"),
    ],
)
def test_a_broken_promise_is_seen(old, new, promise, tmp_path):
    assert MAKEFILE.count(old) == 1
    found = problems(MAKEFILE.replace(old, new), tmp_path / "here")
    assert any(promise in problem for problem in found), found


def ci_problems(script: str, workflow: str) -> list[str]:
    """What keeps public CI from being `make test` on a bare machine."""
    lines = [line.split("#")[0].strip() for line in script.splitlines()]
    code = [line for line in lines if line]
    broken = []
    if not code or code[-1] != "exec make test":
        broken.append("the script does not end in make test")
    if "set -euo pipefail" not in code or re.search(FORGIVES, script, re.MULTILINE):
        broken.append("the script forgives failures")
    if 'export CI="${CI:-true}"' not in code:
        broken.append("what cannot be checked is skipped")
    if not re.search(r"run: (?:bash )?(?:\./)?\.ci/run\s*$", workflow, re.MULTILINE):
        broken.append("the workflow does not run the script")
    if "continue-on-error" in workflow:
        broken.append("the workflow forgives failures")
    return broken


WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_ci_runs_make_test():
    assert ci_problems(CI, WORKFLOW) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exec make test", "exec make lint"),
        ("exec make test", "make test || true"),
        ("set -euo pipefail", "set -u"),
        ('export CI="${CI:-true}"', 'export CI=""'),
        ("run: .ci/run", "run: make book"),
        ("run: .ci/run", "continue-on-error: true\n        run: .ci/run"),
    ],
)
def test_a_weaker_ci_is_seen(old, new):
    assert (CI + WORKFLOW).count(old) == 1
    assert ci_problems(CI.replace(old, new), WORKFLOW.replace(old, new))
