"""The bundle holds what a room needs, and a copy that is not whole is told file by file."""

from __future__ import annotations

import ast
import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from actlab_class import bundle, guide, verify, wheels

from actlab import data
from tests.notebooks import editions, gates
from tests.site import pages
from tests.surfaces import offline, track

ROOT = Path(__file__).parents[2]


SIX = f"# six-1-py3-none-any.whl\nsix==1 --hash=sha256:{'0' * 64}\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A small clone of the course with everything built, after a fashion."""
    root = tmp_path_factory.mktemp("course")
    for name in ("LICENSE", "pyproject.toml", "Makefile", "notebooks/02_relu.ipynb"):
        bundle.copy(ROOT / name, root / name)
    for name, text in {
        "html/index.html": "<p>site</p>",
        "html/.built": "",
        "html/notebooks/02_relu.html": "",
        "html/book/teaching.html": "",
        "pdf/activation-functions.pdf": "%PDF-1.7",
        "slides/02_relu.html": "<p>slides</p>" * 100,
        **{f"editions/{kind}/02_relu.ipynb": "{}" for kind in ("learner", "live")},
        **{f"editions/{kind}/02_relu.ipynb": "{}" for kind in ("solutions", "instructor")},
    }.items():
        path = root / "_build" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "requirements.txt").write_text("# the versions\nsix==1\n")
    (root / ".gitignore").write_text("_build/\nwheels/\n")
    for name in wheels.SYSTEMS:
        wheels.path_of(name, root).parent.mkdir(parents=True, exist_ok=True)
        wheels.path_of(name, root).write_text(SIX)
    for command in (("init", "--quiet"), ("add", "--all")):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "wheels").mkdir()
    (root / "wheels" / "six-1-py3-none-any.whl").write_bytes(b"wheel")
    return root


@pytest.fixture(scope="module")
def packed(course, tmp_path_factory):
    """The bundle of it, with data of the right names."""
    folder = tmp_path_factory.mktemp("data")
    for name in data.FASHION_MNIST_FILES:
        (folder / name).write_bytes(gzip.compress(name.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "folder", lambda: folder)
        return bundle.pack(tmp_path_factory.mktemp("bundle") / "it", course)


@pytest.fixture
def copied(packed, tmp_path):
    return Path(shutil.copytree(packed, tmp_path / "copy"))


def checked(folder):
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_it_holds_site_pdf_slides_editions_course_packages_lists_and_data(packed):
    for name in (
        *(
            "site/index.html",
            "pdf/activation-functions.pdf",
            "lists/macos.txt",
            "lists/windows.txt",
        ),
        *("slides/02_relu.html", "editions/live/02_relu.ipynb"),
        *("course/notebooks/02_relu.ipynb", "course/Makefile"),
        *("course/wheels/six-1-py3-none-any.whl", "index.html", "verify.py"),
        *(f"{bundle.FASHION}/{name}" for name in data.FASHION_MNIST_FILES),
    ):
        assert (packed / name).is_file(), name
    assert not list(packed.rglob(".built"))
    passed_on = (packed / bundle.FASHION / "LICENSE").read_text()
    assert "Zalando SE" in passed_on
    assert "actlab" not in passed_on
    assert "Permission is hereby granted" in passed_on


def test_the_page_to_start_from_leads_to_everything(packed):
    assert pages.link_problems(packed / "index.html", packed) == []
    text = (packed / "index.html").read_text()
    assert f"ACTLAB_DATA=$PWD/{bundle.FASHION}" in text
    assert "course/wheels" in text
    for name, system in wheels.SYSTEMS.items():
        assert f'<a href="lists/{name}.txt">{system.title}</a>' in text
        assert wheels.command(name, "course/wheels", "lists") in text
    without = bundle.start([], fetched=False, fashion=False, release="1")
    assert "not in this bundle" in without
    assert "chapters use digits" in without
    assert "ACTLAB_DATA" not in without


def test_a_whole_copy_is_whole_also_for_sha256sum(copied):
    status, said = checked(copied)
    assert (status, len(said)) == (0, 1)
    assert re.fullmatch(r"All \d+ files are as they were packed\.", said[0])
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--check", "--strict", "--quiet", verify.SUMS]
        subprocess.run(command, cwd=copied, check=True)


def half(path):
    path.write_bytes(path.read_bytes()[:200])


def changed(path):
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(("name", "harm", "says"), [
    ("slides/02_relu.html", Path.unlink, "is missing: copy it again."),
    ("slides/02_relu.html", half, "is only half copied (200 of 1300 bytes): copy it again."),
    ("site/index.html", changed, "is not the file that was packed: copy it again."),
    ("course/wheels/six-1-py3-none-any.whl", changed, "is not the file that was packed"),
    ("lists/macos.txt", changed, "is not the file that was packed"),
    ("pdf/activation-functions.pdf", Path.unlink, "is missing"),
])  # fmt: skip
def test_a_file_that_is_not_whole_is_named(name, harm, says, copied):
    harm(copied / name)
    status, said = checked(copied)
    assert status == 1
    assert len(said) == 1
    assert said[0].startswith(f"{name} {says}")


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("not a sum\n")])
def test_without_its_list_a_copy_is_to_be_made_again(harm, copied):
    harm(copied / verify.SUMS)
    status, said = checked(copied)
    assert (status, said) == (
        1, [f"{verify.SUMS} is missing or damaged: copy the whole folder again."]
    )  # fmt: skip


def test_any_python_can_run_the_check():
    ast.parse(Path(verify.__file__).read_text("utf-8"), feature_version=(3, 6))


def test_packages_that_were_asked_for_later_are_to_be_fetched(course, tmp_path, monkeypatch):
    pins = course / "requirements.txt"
    before = pins.read_text()
    try:
        pins.write_text(f"{before}la_tex==3.81.1\n")
        monkeypatch.setattr(bundle, "listed", lambda *_: "")
        with pytest.raises(bundle.BundleError, match=r"lacks la_tex==3.*wheels' again"):
            bundle.pack(tmp_path / "it", course)
        (course / "wheels" / "la_tex-3.81.1+cpu-py3-none-any.whl").write_bytes(b"")
        assert bundle.unfetched(course) == []
    finally:
        pins.write_text(before)
        (course / "wheels" / "la_tex-3.81.1+cpu-py3-none-any.whl").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["site", "pdf", "slides", "editions"])
def test_what_is_not_built_is_named_with_its_command(name, course, tmp_path, monkeypatch):
    found = bundle.parts(course)
    empty = {name: bundle.Part(tmp_path / "nothing", found[name].made_by)}
    monkeypatch.setattr(bundle, "parts", lambda _: {**found, **empty})
    with pytest.raises(bundle.BundleError, match=f"{name} is not built: run 'make "):
        bundle.pack(tmp_path / "it", course)
    assert not (tmp_path / "it").exists()


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("# nothing\n")])
def test_a_list_that_is_not_of_today_is_to_be_made_again(harm, course, tmp_path):
    path = wheels.path_of("windows", course)
    harm(path)
    try:
        with pytest.raises(
            bundle.BundleError, match=r"windows.*six is missing.*actlab_class.wheels"
        ):
            bundle.pack(tmp_path / "it", course)
        assert not (tmp_path / "it").exists()
    finally:
        path.write_text(SIX)


# --- the rehearsal --------------------------------------------------------------------------------


def last():
    return json.loads(offline.RESULTS.read_text("utf-8"))


def test_the_last_rehearsal_without_a_network_went_well():
    result = last()
    assert offline.wrong(result) == []
    assert result["new_account"]
    assert f"{result['bundle_mb']:,} MB" in guide.rehearsal()


def test_the_last_rehearsal_taught_the_half_day_track():
    result = last()
    assert result["track"] == guide.TRACKS[1].title == "Half a day"
    assert result["taught"] == [[name, [*done]] for name, done in offline.taught()], (
        "run: make rehearse"
    )
    told = guide.rehearsal()
    before = sum(result["steps"][name]["seconds"] for name in offline.STEPS[:4]) / 60
    assert f"is ready after {before:.0f} minutes" in told
    assert before < guide.WELCOME
    for row in result["rows"]:
        line = f"| {row['what']} | {row['minutes']} | {row['cells']} | {row['seconds']:.0f} |"
        assert (line in told) == bool(row["cells"])
    for _, exercises in offline.taught():
        for number in exercises:
            assert any(row["what"] == f"Exercise {number}" for row in result["rows"])


def row(**change):
    return {"what": "The scene", "minutes": 2, "seconds": 5.0, "cells": 3, "problems": [], **change}


@pytest.mark.parametrize(("change", "said"), [
    ({"reached": ["pypi.org"]}, "pypi.org could be reached"),
    ({"steps": {"unpack": {"status": 0}}}, "doctor: was not tried"),
    ({"steps": {"verify": {"status": 1}}}, "verify: ended with status 1"),
    ({"rows": [row(problems=["02_relu: NameError: x"])]}, "The scene: 02_relu: NameError: x"),
    ({"rows": [row(seconds=61)]}, "The scene: the machine takes 61 s of 2 minutes"),
    ({"rows": [row(cells=0, seconds=0)]}, "nothing was run"),
])  # fmt: skip
def test_a_rehearsal_that_went_wrong_is_told(change, said):
    assert said in offline.wrong({**last(), **change})


# --- the track ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """The editions of the bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    for path in (gates.FOLDER / f"{name}.ipynb" for name in ("02_relu", "06_selu")):
        for kind, nb in editions.editions(path, "https://example.org/course"):
            (folder / "editions" / kind).mkdir(parents=True, exist_ok=True)
            (folder / "editions" / kind / path.name).write_text(nbformat.writes(nb))
    return folder


class Machine:
    """Runs nothing: a checker refuses blanks, is content with all else."""

    def __init__(self, **other):
        self.ran, self.other = [], other

    def __call__(self, source):
        self.ran.append(source)
        said = {"ok": str("= ..." not in source), "message": "'no answer yet. Replace the ...'"}
        return 2.0, "", {**said, **self.other}


def test_a_track_is_taught_from_the_bundles_own_files_row_by_row(handed_out):
    machine = Machine()
    rows = track.teach(handed_out, guide.TRACKS[1], machine)
    assert track.wrong(rows) == []
    assert sum(row["cells"] for row in rows) == len(machine.ran)
    # All code of both chapters up to the exercises, with what is typed live in its place.
    assert not [source for source in machine.ran if "# live" in source]
    for name in ("02_relu", "06_selu"):
        chapter = nbformat.read(gates.FOLDER / f"{name}.ipynb", 4)
        end = next(n for n, cell in enumerate(chapter.cells) if "## Exercises" in cell.source)
        before = [cell.source for cell in chapter.cells[:end] if cell.cell_type == "code"]
        assert {*before} <= {*machine.ran}
    solved = {row["what"]: row["cells"] for row in rows if row["what"].startswith("Exercise")}
    assert solved.keys() == {"Exercise 2.1", "Exercise 2.4", "Exercise 6.2"}
    assert min(solved.values()) >= 2  # the blank, and a solution


@pytest.mark.parametrize(("other", "said"), [
    ({"ok": "True"}, "Exercise 2.1: 02_relu: the checker says"),
    ({"ok": "False"}, "Exercise 2.1: 02_relu: the checker says"),
    ({"message": "'wrong'"}, "Exercise 2.1: 02_relu: the checker's hint is 'wrong'"),
])  # fmt: skip
def test_a_checker_that_is_content_with_a_blank_or_not_with_a_solution_is_told(
    other, said, handed_out
):
    rows = track.teach(handed_out, guide.TRACKS[1], Machine(**other))
    assert any(one.startswith(said) for one in track.wrong(rows))


def test_an_instructor_who_is_not_told_what_to_type_is_seen(handed_out, tmp_path):
    copy = Path(shutil.copytree(handed_out, tmp_path / "it"))
    path = copy / "editions" / "instructor" / "02_relu.ipynb"
    path.write_text(path.read_text().replace("Type this: live 1", "Type that: live 1"))
    with pytest.raises(track.TrackError, match=r"02_relu: .* not told what to type for \[1\b"):
        track.teach(copy, guide.TRACKS[1], Machine())


def test_a_kernel_times_a_cell_and_tells_its_error_and_its_feedback(tmp_path):
    kernel = track.Kernel(tmp_path)
    try:
        seconds, error, said = kernel.run(
            "from types import SimpleNamespace\nfor _ in range(3): pass\n"
            "SimpleNamespace(ok=False, message='no answer yet')"
        )
        assert (error, said) == ("", {"ok": "False", "message": "'no answer yet'"})
        assert 0 < seconds < 60
        assert kernel.run("x = 1")[2] == {}
        assert kernel.run("1 / 0")[1] == "ZeroDivisionError: division by zero"
    finally:
        kernel.close()


def test_without_a_bundle_a_rehearsal_says_what_to_do(tmp_path):
    with pytest.raises(offline.OfflineError, match="run 'make wheels' and 'make bundle' first"):
        offline.newest(tmp_path)


def test_outside_of_a_clone_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(bundle.BundleError, match="in a clone of the course"):
        bundle.tracked(tmp_path)
