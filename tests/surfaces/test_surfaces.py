"""The doors to the course: README, make, the CI script, the public workflow, Binder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from . import pins

ROOT = pins.ROOT
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# What stands at the top, and only because a tool looks for it there or the course consists of it.
TOP = {
    ".binder", ".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md",
    "CITATION.cff", "LICENSE", "LICENSE-CC-BY-4.0.txt", "LICENSE-TEXT.md", "Makefile", "README.md",
    "_config.yml", "_toc.yml", "benchmarks", "book", "cluster", "hub", "notebooks",
    "pyproject.toml", "requirements-book.txt", "requirements.txt", "src", "tests",
}  # fmt: skip


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# --- the workflow ---------------------------------------------------------------------------------

# The first major version of each action that does not need Node 20.
NODE_24 = {
    "actions/checkout": 5,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "actions/upload-pages-artifact": 5,
    "actions/deploy-pages": 5,
}
PULL_REQUEST = "${{ github.event_name == 'pull_request' }}"


def workflow_problems(text: str) -> list[str]:
    """Actions not pinned by commit or too old, rights beyond reading, a publish that is cut off."""
    workflow = yaml.safe_load(text)
    problems = [
        f"not pinned by commit with its version behind it: {line.strip()}"
        for line in text.splitlines()
        if re.search(r"\buses:", line)
        and not re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
    ]
    for action, version in re.findall(r"uses: ([\w./-]+)@\w+ # v(\d+)\.", text):
        if int(version) < NODE_24.get(action, 0):
            problems.append(f"{action} v{version} runs on Node 20, which GitHub gives up")
    groups = [workflow, *workflow["jobs"].values()]
    for concurrency in filter(None, (part.get("concurrency") for part in groups)):
        if concurrency.get("cancel-in-progress") not in (False, None, PULL_REQUEST):
            problems.append("a push to main can cut a running deployment off")
    if workflow.get("permissions") != {"contents": "read"}:
        problems.append("the token can do more than read")
    for name, job in workflow["jobs"].items():
        more = set(job.get("permissions", {}).items()) - {("contents", "read")}
        if more and not (name == "publish" and more == {("pages", "write"), ("id-token", "write")}):
            problems.append(f"job {name} asks for {sorted(more)}")
    return problems


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_their_actions_and_only_read(path):
    assert workflow_problems(path.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"checkout@[0-9a-f]{40} # v[\d.]+", "checkout@v4"),
        (r"checkout@([0-9a-f]{40}) # v[\d.]+", r"checkout@\1"),
        (r"contents: read", "contents: write"),
        (r"pages: write", "packages: write"),
        (r"permissions:\n  contents: read\n", ""),
        (r"    timeout-minutes: 45", "    permissions: {contents: write}"),
        (r"deploy-pages@([0-9a-f]{40}) # v[\d.]+", r"deploy-pages@\1 # v4.0.5"),
        (r"cancel-in-progress: \$.*", "cancel-in-progress: true"),
        (r"cancel-in-progress: false", "cancel-in-progress: true"),
    ],
)
def test_a_careless_workflow_is_noticed(old, new):
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    assert workflow_problems(changed)


def test_the_public_ci_runs_the_same_checks_and_publishes_what_it_tested():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    steps = jobs["test"]["steps"]
    assert ".ci/run" in [step.get("run") for step in steps]
    [artifact] = [s for s in steps if "upload-pages-artifact" in s.get("uses", "")]
    assert artifact["with"]["path"] == "_build/html"
    assert jobs["publish"]["needs"] == "test"


def test_the_public_ci_tries_every_python_that_the_course_takes():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    [measured] = [s["with"]["python-version"] for s in jobs["test"]["steps"] if "python" in str(s)]
    others = jobs["other-pythons"]["strategy"]["matrix"]["python"]
    assert [measured, *others] == ["3.11", "3.12", "3.13"]
    fits = re.search(r"\((3, \d+)\) <= sys.version_info\[:2\] <= \((3, \d+)\)", FINDER.read_text())
    assert fits is not None
    assert fits.groups() == ("3, 11", "3, 13")
    for step in jobs["other-pythons"]["steps"]:
        for folder in re.findall(r"\btests/\w+", step.get("run", "")):
            assert (ROOT / folder).is_dir(), folder


# --- the CI script --------------------------------------------------------------------------------

FINDER = ROOT / ".ci" / "python"
A_PYTHON = """case "$2" in *'print('*) echo 3.12 ;; *) exit 0 ;; esac"""


def fake_machine(folder: Path, tools: dict[str, str]) -> dict[str, Any]:
    """A PATH with a few real tools and the given scripts; nothing else of this machine."""
    bin_ = folder / "bin"
    bin_.mkdir()
    for name in ("bash", "cat", "dirname", "env", "sh", "test"):
        (bin_ / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for name, script in {"id": "echo 0", **tools}.items():
        (bin_ / name).write_text(f"#!/bin/bash\n{script}\n")
        (bin_ / name).chmod(0o755)
    return {
        "PATH": str(bin_),
        "ACTLAB_DATA": str(folder / "data"),
        "LOG": str(folder / "log"),
    }


NOTE = 'echo "${0##*/} $* CI=$CI OFFLINE=$ACTLAB_OFFLINE" >> "$LOG"'


def run_ci(environment: dict[str, str]) -> tuple[int, list[str], str]:
    result = subprocess.run(
        [str(ROOT / ".ci" / "run")], env=environment, capture_output=True, text=True, check=False
    )
    log = Path(environment["LOG"])
    return result.returncode, log.read_text().splitlines() if log.exists() else [], result.stderr


def test_on_a_bare_machine_the_ci_script_installs_what_is_missing_and_tests(tmp_path):
    status, log, _ = run_ci(fake_machine(tmp_path, {"apt-get": NOTE, "make": NOTE}))
    assert status == 0
    update, install, test = log
    assert update.startswith("apt-get update")
    for package in ("git", "g++", "python3", "python3-venv", "chromium"):
        assert f" {package} " in install
    assert " dataset-fashion-mnist " in install
    assert " make " not in install
    assert test == "make test CI=true OFFLINE=1"


def test_on_a_complete_machine_it_installs_nothing_and_reports_a_failure(tmp_path):
    there = dict.fromkeys(("git", "g++", "google-chrome"), "exit 0")
    there["python3.12"] = A_PYTHON  # whichever of the three the distribution has
    environment = fake_machine(tmp_path, {**there, "apt-get": NOTE, "make": f"{NOTE}; exit 3"})
    (tmp_path / "data").mkdir()
    status, log, _ = run_ci(environment)
    assert status == 3
    if Path("/usr/share/fonts/truetype/dejavu").is_dir():
        assert log == ["make test CI=true OFFLINE=1"]


def test_a_failed_installation_stops_the_ci_script(tmp_path):
    status, log, _ = run_ci(fake_machine(tmp_path, {"apt-get": "exit 100", "make": NOTE}))
    assert status == 100
    assert log == []


def test_who_is_not_root_installs_with_sudo_or_is_told_what_is_missing(tmp_path):
    user = {"id": "echo 1000", "make": NOTE, "apt-get": NOTE}
    (tmp_path / "with").mkdir()
    status, log, _ = run_ci(fake_machine(tmp_path / "with", {**user, "sudo": f'{NOTE}; "$@"'}))
    assert status == 0
    assert log[0].startswith("sudo apt-get update")
    (tmp_path / "without").mkdir()
    status, log, said = run_ci(fake_machine(tmp_path / "without", user))
    assert (status, log) == (1, [])
    assert "Missing here: git g++ python3 python3-venv chromium" in said
    (tmp_path / "other").mkdir()
    status, log, said = run_ci(fake_machine(tmp_path / "other", {"make": NOTE}))  # not Debian
    assert (status, log) == (1, [])
    assert "as root" in said


# --- make and the README --------------------------------------------------------------------------


def test_the_readme_gives_the_two_commands_first_and_shows_a_picture():
    text = (ROOT / "README.md").read_text()
    block = re.search(r"```bash\n(.*?)```", text, re.DOTALL)
    assert block is not None
    assert [line.split("#")[0].strip() for line in block[1].splitlines()] == [
        "make book",
        "make test",
    ]
    [(alt, picture)] = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    assert len(alt.split()) > 5
    assert (ROOT / picture).is_file()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link


def make(*arguments: str) -> str:
    # A make that runs these tests passes its own flags on, --print-directory among them.
    environment = {
        k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    command = ["make", "--no-print-directory", *arguments]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout


def test_help_lists_every_target():
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert declared is not None
    listed = re.findall(r"^  make (\w+) +\S", make("help"), re.MULTILINE)
    assert sorted(listed) == sorted(declared[1].split())
    assert {"book", "serve", "test", "lab", "notebooks", "bench"} <= set(listed)


@pytest.mark.site
def test_a_second_make_book_does_nothing_but_say_which_file_to_open():
    if not (ROOT / "_build" / "html" / ".built").exists():
        pytest.skip("the site is not built; run 'make book'")
    cache = ROOT / "notebooks" / ".ruff_cache"  # what tools leave there is no source
    cache.mkdir(exist_ok=True)
    (cache / "of-a-test").touch()
    # --dry-run: were there something to do, it must not be done while the site is being tested.
    said = make("--dry-run", "book").splitlines()
    where = "The book is ready: open _build/html/index.html in a browser, or run 'make serve'."
    assert said == [f'echo "{where}"']


# --- one place for everything ---------------------------------------------------------------------


def test_nothing_lies_about_at_the_top():
    assert {name.split("/")[0] for name in tracked()} <= TOP


# --- Binder ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["book", "binder"])
def test_the_derived_lists_have_the_exact_versions_of_the_course(name):
    path, derived = getattr(pins, name.upper()), getattr(pins, name)()
    assert path.read_text() == derived, "run: python -m tests.surfaces.pins"


def test_binder_gets_no_cuda_and_no_development_tools():
    pinned, exact = pins.pins(pins.BINDER.read_text()), pins.exact()
    assert {"torch", "tensorflow-cpu", "keras", "jupyterlab"} <= pinned.keys()
    assert not pinned.keys() & {
        "tensorflow",
        "pytest",
        "mypy",
        "ruff",
        "playwright",
        "jupyter-book",
    }
    assert not [name for name in pinned if name.startswith(("nvidia", "triton"))]
    for name, line in pinned.items():
        assert line.split("==")[1] == exact[name.removesuffix("-cpu")].split("==")[1]


def test_the_site_is_built_without_frameworks_and_development_tools():
    pinned = pins.pins(pins.BOOK.read_text())
    assert {"jupyter-book", "sphinx", "numpy", "matplotlib"} <= pinned.keys()
    unneeded = {"torch", "tensorflow", "keras", "jupyterlab", "pytest", "mypy", "playwright"}
    assert not pinned.keys() & unneeded


def test_binder_uses_the_python_of_the_course_and_installs_the_helpers():
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip() == "python-3.11"
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert "--no-deps" in script.read_text()


# Debian 12, Ubuntu 24.04, and the newest that the course takes.
DISTRIBUTIONS = ("3.11.2", "3.12.3", "3.13.0")


def refusals(found: Iterable[tuple[str, str | None]]) -> list[str]:
    """Packages (name, what Python they ask for) that one of the distributions cannot install."""
    return [
        f"{name} asks for Python {wanted}, which {version} is not"
        for name, wanted in found
        for version in DISTRIBUTIONS
        if wanted and not SpecifierSet(wanted).contains(version)
    ]


def test_the_pythons_of_debian_and_ubuntu_can_install_every_package():
    """A pin that asks for 3.11.5 ends the installation on Debian 12, which has 3.11.2."""
    names = [line.split("==")[0] for line in pins.exact().values()]
    asked = [(name, metadata.metadata(name).get("Requires-Python")) for name in names]
    assert refusals(asked) == []
    assert refusals([("strict", ">=3.11.5"), ("any", None)]) == [
        "strict asks for Python >=3.11.5, which 3.11.2 is not"
    ]


def test_requirements_are_exact_and_the_package_has_lower_bounds_only():
    text = (ROOT / "requirements.txt").read_text()
    for name, line in pins.pins(text).items():
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), name
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in project["dependencies"]:
        assert re.fullmatch(r"[\w.-]+>=[\d.]+", line)
        assert pins.canonicalize_name(line.split(">=")[0]) in pins.pins(text)
