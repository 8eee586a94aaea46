"""The lists of packages for other systems: complete, exact, and refused where a file differs."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
import zipfile

import pytest
from actlab_class import wheels

every = pytest.mark.parametrize("name", wheels.SYSTEMS)


def of(name):
    return wheels.path_of(name).read_text("utf-8")


@every
def test_a_list_has_every_package_of_the_course_with_its_files_and_checksums(name):
    assert wheels.problems(name, of(name)) == [], "run: python -m actlab_class.wheels"
    assert len(wheels.entries(of(name))) > 200


def test_each_system_has_what_only_it_needs():
    macos, windows = (wheels.entries(of(name)).keys() for name in ("macos", "windows"))
    assert "appnope" in macos - windows
    assert {"colorama", "pywinpty"} <= windows - macos


ENTRY = r"(?m)^# numpy-.*\n(?:# .*\n)*numpy==.*\n"


def without(text):
    return re.sub(ENTRY, "", text)


def another(text):
    version = wheels.entries(text)["numpy"][0]
    return text.replace(f"numpy-{version}", "numpy-1.0").replace(f"numpy=={version}", "numpy==1.0")


def one_checksum_less(text):
    return re.sub(r"(?m)^(numpy==.*) --hash=\S+$", r"\1", text)


def half_a_checksum(text):
    return re.sub(r"(?m)^(numpy==.*)[0-9a-f]{32}$", r"\1", text)


def one_python_less(text):
    kept = re.sub(r"(?m)^# numpy-.*cp312.*\n", "", text)
    gone = text.count("\n") - kept.count("\n")
    return re.sub(rf"(?m)^(numpy==\S+)((?: --hash=\S+){{{gone}}})", r"\1", kept)


def of_linux(text):
    return re.sub(r"(numpy-.*)-(macosx\w+|win_amd64)\.whl", r"\1-manylinux_2_28_x86_64.whl", text)


def one_more(text):
    return f"{text}# left_pad-1-py3-none-any.whl\nleft-pad==1 --hash=sha256:{'0' * 64}\n"


@every
@pytest.mark.parametrize(("harm", "said"), [
    (without, "numpy is missing"),
    (another, "numpy is 1.0 instead of 2"),
    (one_checksum_less, "numpy: "),
    (half_a_checksum, "packages, "),
    (one_python_less, "numpy has no file for Python 3.12"),
    (of_linux, "numpy has no file for Python 3.11"),
    (one_more, "left-pad is asked for by nobody"),
])  # fmt: skip
def test_a_list_that_cannot_be_used_is_named(harm, said, name):
    assert harm(of(name)) != of(name)
    assert any(one.startswith(said) or said in one for one in wheels.problems(name, harm(of(name))))


@pytest.mark.parametrize(("file", "name", "taken"), [
    ("numpy-2-cp312-cp312-macosx_11_0_arm64.whl", "macos", True),
    ("numpy-2-cp312-cp312-macosx_14_0_universal2.whl", "macos", True),
    ("numpy-2-cp312-cp312-macosx_15_0_arm64.whl", "macos", False),
    ("numpy-2-cp312-cp312-macosx_11_0_x86_64.whl", "macos", False),
    ("numpy-2-cp39-abi3-win_amd64.whl", "windows", True),
    ("numpy-2-cp313-abi3-win_amd64.whl", "windows", False),
    ("numpy-2-cp312-cp312-win_arm64.whl", "windows", False),
    ("numpy-2-py3-none-any.whl", "windows", True),
    ("numpy-1-py3-none-any.whl", "windows", False),
    ("scipy-2-py3-none-any.whl", "windows", False),
    ("numpy-2.tar.gz", "macos", False),
])  # fmt: skip
def test_which_files_a_system_takes(file, name, taken):
    assert wheels.fits(file, "numpy", "2", "3.12", name) == taken


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path):
    """A folder with one wheel for each system, and lists of them; no network."""
    for name, system in wheels.SYSTEMS.items():
        path = tmp_path / f"tiny-1-py3-none-{system.platform}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(
                "tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n"
            )
            wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            wheel.writestr("tiny-1.dist-info/RECORD", "")
        found = {
            "name": "tiny",
            "version": "1",
            "wheels": [{
                "url": f"x/{path.name}",
                "size": path.stat().st_size,
                "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
            }],
        }  # fmt: skip
        (tmp_path / "lists").mkdir(exist_ok=True)
        text = wheels.written(name, {python: [found] for python in wheels.PYTHONS})
        (tmp_path / "lists" / f"{name}.txt").write_text(text)
    return tmp_path


def fetch(name, folder):
    command = shlex.split(wheels.command(name, "wheels", "lists"))
    assert command.pop(0) == "python3"
    return subprocess.run(
        [sys.executable, *command, "--isolated", "--no-index", "--find-links", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@every
def test_the_page_tells_the_same_command(name):
    page = (wheels.ROOT / "book" / "how-to-run.md").read_text("utf-8").replace(" \\\n ", "")
    assert f"\n{wheels.command(name, 'wheels', wheels.FOLDER)}\n" in page


@every
def test_the_command_fetches_what_the_list_says_on_any_machine(name, index):
    done = fetch(name, index)
    assert done.returncode == 0, done.stderr
    [file] = (index / "wheels").iterdir()
    assert wheels.SYSTEMS[name].platform in file.name


def test_a_file_whose_checksum_differs_is_refused_with_both(index):
    [path] = index.glob("*win_amd64.whl")
    with zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr("tiny.py", "import os")
    done = fetch("windows", index)
    assert done.returncode == 1
    assert "Expected sha256" in done.stderr
    assert not (index / "wheels").exists() or not [*(index / "wheels").iterdir()]


def test_without_an_index_the_reason_is_told(monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text("six==1\n")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(wheels.ListError, match=r"(?s)no list for Windows, Python 3.11: .*six"):
        wheels.resolved("windows", "3.11", tmp_path)
