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

import pytest
from actlab_class import bundle, guide, verify

from actlab import data
from tests.site import pages
from tests.surfaces import offline

ROOT = Path(__file__).parents[2]


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
        "slides/02_relu.html": "<p>slides</p>" * 100,
        **{f"editions/{kind}/02_relu.ipynb": "{}" for kind in ("learner", "live")},
        **{f"editions/{kind}/02_relu.ipynb": "{}" for kind in ("solutions", "instructor")},
    }.items():
        path = root / "_build" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "requirements.txt").write_text("# the versions\nsix==1\n")
    (root / ".gitignore").write_text("_build/\nwheels/\n")
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


def test_it_holds_site_slides_editions_course_packages_and_data(packed):
    for name in (
        *("site/index.html", "slides/02_relu.html", "editions/live/02_relu.ipynb"),
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
    without = bundle.start([], wheels=False, fashion=False, release="1")
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


def test_packages_that_were_asked_for_later_are_to_be_fetched(course, tmp_path):
    pins = course / "requirements.txt"
    before = pins.read_text()
    try:
        pins.write_text(f"{before}la_tex==3.81.1\n")
        with pytest.raises(bundle.BundleError, match=r"lacks la_tex==3.*wheels' again"):
            bundle.pack(tmp_path / "it", course)
        (course / "wheels" / "la_tex-3.81.1+cpu-py3-none-any.whl").write_bytes(b"")
        assert bundle.unfetched(course) == []
    finally:
        pins.write_text(before)
        (course / "wheels" / "la_tex-3.81.1+cpu-py3-none-any.whl").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["site", "slides", "editions"])
def test_what_is_not_built_is_named_with_its_command(name, course, tmp_path, monkeypatch):
    found = bundle.parts(course)
    empty = {name: bundle.Part(tmp_path / "nothing", found[name].made_by)}
    monkeypatch.setattr(bundle, "parts", lambda _: {**found, **empty})
    with pytest.raises(bundle.BundleError, match=f"{name} is not built: run 'make "):
        bundle.pack(tmp_path / "it", course)
    assert not (tmp_path / "it").exists()


# --- the rehearsal --------------------------------------------------------------------------------


def test_the_last_rehearsal_without_a_network_went_well():
    result = json.loads(offline.RESULTS.read_text("utf-8"))
    assert offline.wrong(result) == []
    half_a_day = [step[0] for step in guide.TRACKS[1].steps if not isinstance(step, str)]
    assert result["chapters"] == half_a_day == [*offline.TRACK]
    assert f"{result['bundle_mb']:,} MB" in guide.rehearsal()


@pytest.mark.parametrize(("change", "said"), [
    ({"reached": ["pypi.org"]}, "pypi.org could be reached"),
    ({"steps": {"unpack": {"status": 0}}}, "doctor: was not tried"),
    ({"steps": {"verify": {"status": 1}}}, "verify: ended with status 1"),
])  # fmt: skip
def test_a_rehearsal_that_went_wrong_is_told(change, said):
    result = {**json.loads(offline.RESULTS.read_text("utf-8")), **change}
    assert said in offline.wrong(result)


def test_without_a_bundle_a_rehearsal_says_what_to_do(tmp_path):
    with pytest.raises(offline.OfflineError, match="run 'make wheels' and 'make bundle' first"):
        offline.newest(tmp_path)


def test_outside_of_a_clone_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(bundle.BundleError, match="in a clone of the course"):
        bundle.tracked(tmp_path)
