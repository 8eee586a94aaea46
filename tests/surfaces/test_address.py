"""Another address: one command sets it everywhere; the page that tells of it can be followed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks import execute, gates

from .test_surfaces import ROOT, tracked

spec = importlib.util.spec_from_file_location("address", ROOT / ".ci" / "address.py")
assert spec is not None
assert spec.loader is not None
address: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(address)

OLD = address.current()
OWNER, REPO = "Jane-Doe", "my.course"
NEW = f"https://github.com/{OWNER}/{REPO}"
# owner/repo wherever it is part of an address on GitHub, Binder or Colab.
ADDRESSES = re.compile(
    r"(?:github\.com[/:]|/gh/|/github/)([\w-]+/[\w.-]+?)(?=\.git\b|[^\w.-]|\.?$)"
)


@pytest.mark.parametrize(
    "url",
    [  # put together, so that this file does not hold the address of the fork below
        NEW,
        f"{NEW}/",
        f"{NEW}.git",
        f"http://www.github.com/{OWNER}/{REPO}",
        f" git@github.com:{OWNER}/{REPO}.git\n",
        f"{OWNER}/{REPO}",
    ],
)
def test_every_way_to_write_an_address_is_understood(url):
    assert address.parse(url) == (OWNER, REPO)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "course",
        "https://github.com/Jane-Doe",
        "https://github.com/-jane/course",
        "https://github.com/jane-/course",
        "https://github.com/ja--ne/course",
        "https://github.com/jane/..",
        "https://github.com/jane/my course",
        "https://github.com/jane/course/tree/main",
        "https://gitlab.com/jane/course",
        f"https://github.com/{'j' * 40}/course",
        'https://github.com/jane/course"; rm -rf .',
    ],
)
def test_what_is_no_address_is_refused_and_nothing_is_touched(url, tmp_path):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    with pytest.raises(ValueError, match="expected URL=https://github"):
        address.main(url, tmp_path)
    assert (tmp_path / "_config.yml").read_bytes() == (ROOT / "_config.yml").read_bytes()


@pytest.mark.parametrize(
    ("owner", "repo", "site"),
    [
        ("My-Team", "my.course", "https://my-team.github.io/my.course/"),
        ("Jane-Doe", "Jane-Doe.github.io", "https://jane-doe.github.io/"),
    ],
)
def test_where_pages_shows_a_repository(owner, repo, site):
    assert address.site(owner, repo) == site


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("git+https://github.com/a/b", "git+https://github.com/c/d"),
        ("https://github.com/a/b.git, yes", "https://github.com/c/d.git, yes"),
        ("See git@github.com:a/b.", "See git@github.com:c/d."),
        ("https://mybinder.org/v2/gh/a/b/main", "https://mybinder.org/v2/gh/c/d/main"),
        ("research.google.com/github/a/b/blob", "research.google.com/github/c/d/blob"),
        ("https://a.github.io/b/book/index.html", "https://c.github.io/d/book/index.html"),
        # What only looks like it stays: other repositories, and a/b that is no address.
        ("https://github.com/a/b-side", "https://github.com/a/b-side"),
        ("https://github.com/a/b.js", "https://github.com/a/b.js"),
        ("https://github.com/ba/b", "https://github.com/ba/b"),
        ("the ratio a/b", "the ratio a/b"),
    ],
)  # fmt: skip
def test_addresses_and_only_addresses_are_replaced(before, after):
    assert address.replaced(before, ("a", "b"), ("c", "d")) == after


def test_all_addresses_of_this_copy_agree():
    """Pages of other projects may be linked, but this one has a single address."""
    for name in ("README.md", "pyproject.toml", "_config.yml"):
        text = (ROOT / name).read_text("utf-8")
        assert set(ADDRESSES.findall(text)) <= {"/".join(OLD), "OWNER/REPO"}, name
        if name != "_config.yml":
            assert address.site(*OLD) in text, name
    for path in gates.FOLDER.glob("*.py"):
        assert "/".join(OLD) in ADDRESSES.findall(path.read_text("utf-8")), path.name


# --- the page, to the letter ----------------------------------------------------------------------


def commands() -> str:
    """What the page "Publish your own copy" tells a reader to type."""
    text = (ROOT / "book" / "publish.md").read_text("utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return "".join(blocks).replace("OWNER", OWNER).replace("REPO", REPO)


@pytest.fixture(scope="module")
def fork(tmp_path_factory) -> tuple[Path, Path]:
    """A fork on a "GitHub" that is a folder, and the clone in which the page was followed."""
    github, work = tmp_path_factory.mktemp("github"), tmp_path_factory.mktemp("work")
    settings = {
        f"url.file://{github}/.insteadOf": "https://github.com/",
        "user.name": "Jane", "user.email": "jane@example.org", "commit.gpgsign": "false",
        "init.defaultBranch": "main", "core.autocrlf": "false",
    }  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "MAKE"))}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}

    def shell(script: str, folder: Path) -> None:
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    original = github / "original"
    for name in tracked():
        (original / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, original / name)
    shell("git init -q; git add --all --force; git commit -qm 'The course'", original)
    shell(f"git clone -q --bare original {OWNER}/{REPO}", github)
    shell(commands(), work)
    return github / OWNER / REPO, work / REPO


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_following_the_page_leaves_no_trace_of_the_old_address(fork):
    remote, clone = fork
    assert git(clone, "status", "--porcelain") == ""
    assert git(remote, "log", "--format=%s", "main").splitlines()[0] == "The course's new address"
    assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "grep", "--fixed-strings", "/".join(OLD)) == ""
    assert git(clone, "grep", "--fixed-strings", address.site(*OLD)) == ""
    holders = git(clone, "grep", "--name-only", "--fixed-strings", f"{OWNER}/{REPO}").split()
    chapters = [f"notebooks/{path.name}" for path in gates.FOLDER.glob("[0-9]*")]
    chapters += [f"notebooks/learner/{path.name}" for path in gates.FOLDER.glob("[0-9]*.ipynb")]
    assert sorted(holders) == sorted(
        [
            "CITATION.cff",
            "LICENSE-TEXT.md",
            "_config.yml",
            "book/hub.md",
            "book/teaching.md",
            "hub/values.yaml",
            "pyproject.toml",
            *chapters,
        ]
    )


def test_the_gates_pass_at_the_new_address_and_only_there(fork):
    _, clone = fork
    repository = gates.repository_address(clone / "_config.yml")
    assert repository == NEW
    for path in sorted((clone / "notebooks").glob("*.ipynb")):
        assert gates.check(gates.read(path, repository)) == []
    assert any("setup cell" in p for p in gates.check(gates.read(path, "https://github.com/x/y")))


def test_nothing_was_run_and_every_output_is_what_it_was(fork):
    _, clone = fork
    for path in gates.FOLDER.glob("*.ipynb"):
        before, after = (
            nbformat.read(folder / path.name, as_version=4)
            for folder in (path.parent, clone / "notebooks")
        )
        changed = 0
        for old, new in zip(before.cells, after.cells, strict=True):
            changed += old.source != new.source
            old.source, old.id = address.replaced(old.source, OLD, (OWNER, REPO)), new.id
            assert old == new
        assert changed == 1
        ids = [cell.id for cell in after.cells]
        execute.name_cells(after)
        assert ids == [cell.id for cell in after.cells]


def test_there_and_back_again_changes_nothing(fork, tmp_path):
    _, clone = fork
    shutil.copytree(clone, tmp_path / "clone")
    address.main("/".join(OLD), tmp_path / "clone")
    assert git(tmp_path / "clone", "diff", "--stat", "HEAD~1") == ""
    assert address.main("/".join(OLD), tmp_path / "clone") == []
