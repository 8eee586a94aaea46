"""``python -m actlab.doctor`` in surroundings that lack something: each fault and its remedy."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from actlab import data, doctor

from .notebooks import gates

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "actlab"


def run(**variables):
    return subprocess.run(
        [sys.executable, "-m", "actlab.doctor"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def is_fault(found, says, remedy):
    assert found.state == doctor.FAULT
    assert says in found.says
    assert remedy in found.remedy
    assert found.remedy.endswith(".")
    assert f"→ {found.remedy}" in str(found)
    return True


# --- the whole ------------------------------------------------------------------------------------


def test_this_machine_trains_in_both_frameworks_and_a_broken_one_is_told(tmp_path):
    done = run(ACTLAB_DATA="")
    for name in ("torch", "keras"):
        assert f"{name} {metadata.version(name)}" in done.stdout
    assert done.stdout.count(" steps in a second") == 2
    assert done.stderr == ""
    assert (done.returncode == 1) == (doctor.FAULT in done.stdout)

    for name in ("torch", "tensorflow"):  # it is installed, but part of it is gone
        (tmp_path / f"{name}.py").write_text("import part_of_it\n")
    done = run(PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert done.returncode == 1
    assert done.stdout.count("does not start: part_of_it is missing") == 2
    assert "2 faults: see the arrows above." in done.stdout


@pytest.mark.parametrize(("states", "status", "last"), [
    (("ok", "ok"), 0, "Ready."),
    (("ok", "note"), 0, "Ready, with what the notes say."),
    (("FAULT", "note"), 1, "1 fault: see the arrow above."),
])  # fmt: skip
def test_the_last_line_and_the_exit_status(states, status, last, monkeypatch, capsys):
    found = [doctor.Found("Thing", state, "so") for state in states]
    monkeypatch.setattr(doctor, "look", lambda: iter(found))
    assert doctor.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == last


# --- Python and packages --------------------------------------------------------------------------


def test_another_python_is_told_and_nothing_else(monkeypatch):
    found = doctor.python((3, 10))
    assert is_fault(found, "3.10, and the course needs 3.11 to 3.13", "make lab")
    assert doctor.python((3, 14)).state == doctor.FAULT
    assert [doctor.python((3, minor)).state for minor in (11, 12, 13)] == [doctor.OK] * 3
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 0))
    assert [one.what for one in doctor.look()] == ["Python"]


def test_the_pythons_are_those_that_make_takes():
    fits = "(%d, %d) <= sys.version_info[:2] <= (%d, %d)"
    assert fits % (*doctor.PYTHONS[0], *doctor.PYTHONS[1]) in (ROOT / ".ci" / "python").read_text()


@pytest.mark.parametrize("name", ["__init__.py", "doctor.py"])
def test_an_old_python_can_read_it(name):
    """Python 3.10 and older have to get as far as the sentence."""
    tree = ast.parse((PACKAGE / name).read_text(), feature_version=(3, 8))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]
    assert isinstance(tree.body[1], ast.ImportFrom)
    assert tree.body[1].names[0].name == "annotations"
    at_top = {part.module or "" for part in tree.body if isinstance(part, ast.ImportFrom)}
    assert not [module for module in at_top if module.startswith("actlab")]


def test_what_is_not_installed_or_too_old_is_named(monkeypatch):
    def version(name):
        if name == "keras":
            raise metadata.PackageNotFoundError
        return "1.0"

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = doctor.packages(dict(doctor.versions()))
    assert is_fault(found, "missing: keras", "make lab")
    bounds = {"keras": "3.10", "torch": "2.4"}
    monkeypatch.setattr(doctor, "bounds", lambda: bounds)
    known = dict.fromkeys(doctor.NEEDED, "9")
    found = doctor.packages({**known, "keras": "3.9.2", "torch": "2.13.0+cpu"})
    assert is_fault(found, "too old: keras 3.9.2 (at least 3.10)", "make lab")
    assert "torch" not in found.says


def test_the_bounds_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {f"{name}>={least}" for name, least in doctor.bounds().items()} == {
        *project["dependencies"]
    }


def test_a_python_without_a_kernel_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    assert is_fault(doctor.notebook(), "no kernel", "make lab")


# --- memory and disk ------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path):
    """A machine with 8 GB free, whose container allows what a test writes."""
    for folder in ("proc", "sys/fs/cgroup"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 7812500 kB\n")
    return tmp_path


def limit(machine, most, now):
    (machine / "sys/fs/cgroup/memory.max").write_text(f"{most}\n")
    (machine / "sys/fs/cgroup/memory.current").write_text(f"{now}\n")


def test_free_memory_is_the_machines_or_what_the_container_leaves(machine):
    assert doctor.memory_mb(machine) == 8000
    limit(machine, "max", 0)
    assert doctor.memory_mb(machine) == 8000
    limit(machine, 2_000_000_000, 700_000_000)
    assert doctor.memory_mb(machine) == 1300
    found = doctor.memory(doctor.memory_mb(machine))
    assert is_fault(found, "1.3 GB free, and a chapter takes up to 1.5 GB", "Kernel")


def test_little_memory_is_a_note_and_unknown_memory_too():
    found = doctor.memory(2000)
    assert found.state == doctor.NOTE
    assert "one open chapter at a time" in found.says
    assert doctor.memory(None).state == doctor.NOTE
    assert doctor.memory(2 * doctor.CHAPTER_MB).state == doctor.OK


def test_a_chapters_memory_is_what_the_gates_allow():
    assert doctor.CHAPTER_MB == gates.MAX_MB


def test_a_full_disk_is_told(monkeypatch, tmp_path):
    usage = doctor.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage._replace(free=20e6))
    assert is_fault(doctor.disk(tmp_path), "20 MB free", "make room there")


# --- data -----------------------------------------------------------------------------------------


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine on which Fashion-MNIST never was."""
    monkeypatch.setattr(data, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ACTLAB_DATA", raising=False)
    return tmp_path


def test_without_fashion_mnist_there_is_a_note(nowhere):
    found = doctor.data()
    assert found.state == doctor.NOTE
    assert "digits" in found.says
    assert "ACTLAB_DATA" in found.remedy


def test_a_half_copied_folder_and_a_damaged_file_are_told(nowhere, monkeypatch):
    monkeypatch.setenv("ACTLAB_DATA", str(nowhere / "mine"))
    (nowhere / "mine").mkdir()
    first, *rest = data.FASHION_MNIST_FILES
    (nowhere / "mine" / first).write_bytes(b"half")
    found = doctor.data()
    assert is_fault(found, f"lacks {rest[0]}", "copy the four files")
    assert first not in found.says
    for name in rest:
        (nowhere / "mine" / name).write_bytes(b"")
    assert is_fault(doctor.data(), f"{first} is truncated or damaged", "copy the four files")


def test_a_folder_of_nobody_is_told(nowhere, monkeypatch):
    monkeypatch.setenv("ACTLAB_DATA", "~nosuchuser/data")
    assert is_fault(doctor.data(), "there is no such user", "copy the four files")


# --- training -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "stderr", "says", "remedy"), [
    (-signal.SIGILL, "", "built for another processor", "AVX"),
    (-signal.SIGKILL, "", "for want of memory", "close other programs"),
    (1, "ModuleNotFoundError: No module named 'torch'\n", "torch is missing", "make lab"),
    (1, "Traceback\nImportError: libcudart.so.13\n", "libcudart.so.13", "delete .venv"),
    (3, "", "status 3", "delete .venv"),
])  # fmt: skip
def test_a_framework_that_does_not_start_is_explained(status, stderr, says, remedy):
    assert is_fault(doctor.failed("PyTorch", status, stderr), says, remedy)


def test_a_loss_that_does_not_fall_is_a_fault():
    said = {"start": 1.0, "losses": [0.7, 0.7], "n": 20}
    assert is_fault(doctor.judged("Keras", said), "from 0.7 to 0.7", "delete .venv")
    assert doctor.judged("Keras", {**said, "losses": [0.7, float("nan")]}).state == doctor.FAULT
    assert doctor.judged("Keras", {**said, "losses": [0.7, 0.6]}).state == doctor.OK


def test_one_that_never_ends_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    monkeypatch.setitem(doctor.STEPS, "torch", "time.sleep(60)\n")
    assert is_fault(doctor.training("PyTorch"), "did not train", "close")
