"""The first five minutes on a machine that lacks something: each gets a sentence, or works."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from .notebooks import gates
from .surfaces import pins

ROOT = Path(__file__).parents[1]
FINDER = ROOT / ".ci" / "python"


def load(root: Path) -> Any:
    """The installer of the copy of the course at ``root``, as a module."""
    spec = importlib.util.spec_from_file_location("install", root / ".ci" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["install"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


# Builds the editable package of the copy without any other package.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name, info = "tiny-1-py3-none-any.whl", "tiny-1.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\njupyter-book = tiny:build\\n",
        "tiny.py": "import os\\ndef build(): os.makedirs('_build/html', exist_ok=True)\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in files) + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


def copied(root: Path) -> Path:
    """What ``make book`` needs of the course, with nothing to install and nothing to build."""
    for name in ("Makefile", ".ci/install.py", ".ci/python"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("requirements.txt", "requirements-book.txt"):
        (root / name).write_text("")
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    return root


@pytest.fixture
def copy(tmp_path) -> Path:
    return copied(tmp_path / "course")


def outside(**more: str) -> dict[str, str]:
    """The surroundings of a shell: this process's, without what a running make hands on."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return {**kept, "PIP_NO_INDEX": "1", "PYTHON": sys.executable, **more}


def make(root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=root,
        env=outside(**more),
        capture_output=True,
        text=True,
        check=False,
    )


# --- a Python -------------------------------------------------------------------------------------


def machine(folder: Path, pythons: dict[str, str], venv: bool = True) -> str:
    """A PATH on which these names are Pythons of these versions (and nothing else is there)."""
    folder.mkdir()
    for name, version in pythons.items():
        major, minor = version.split(".")
        script = f"""#!/bin/sh
case "$2" in
  *'print('*) echo {version} ;;
  *version_info*) [ {major} -eq 3 ] && [ {minor} -ge 11 ] && [ {minor} -le 13 ] ;;
  *ensurepip*) {"true" if venv else "false"} ;;
  *) echo "{name} ran: $*" ;;
esac
"""
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return str(folder)


def find(path: str, *arguments: str, **more: str) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", str(FINDER), *arguments],
        env={"PATH": path, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3", "python"])
def test_any_of_three_pythons_under_any_name_will_do(name, tmp_path):
    version = name.removeprefix("python") if "." in name else "3.12"
    path = machine(tmp_path / "bin", {name: version})
    assert find(path, "a b", "c") == (0, f"{name} ran: a b c\n")


def test_an_old_python_in_front_is_passed_over_and_the_measured_one_comes_first(tmp_path):
    path = machine(tmp_path / "bin", {"python3": "3.9", "python3.13": "3.13", "python3.11": "3.11"})
    assert find(path, "x")[1].startswith("python3.11 ran")


def test_without_a_python_it_says_what_it_found_and_how_to_get_one(tmp_path):
    status, said = find(machine(tmp_path / "bin", {"python3": "3.9", "python": "2.7"}), "x")
    assert status == 1
    assert "needs Python 3.11, 3.12 or 3.13; found: python3 is 3.9, python is 2.7." in said
    assert "apt install" in said
    assert "brew install" in said
    status, said = find(machine(tmp_path / "new", {"python3": "3.14"}), "x")
    assert (status, "python3 is 3.14" in said) == (1, True)
    status, said = find(machine(tmp_path / "none", {}), "x")
    assert (status, "none at all" in said) == (1, True)


def test_a_python_without_venv_names_the_package_to_install(tmp_path):
    status, said = find(machine(tmp_path / "bin", {"python3": "3.12"}, venv=False), "x")
    assert status == 1
    assert "sudo apt install python3.12-venv" in said


def test_a_python_of_ones_own_choice_is_taken_and_a_wrong_one_is_told(tmp_path):
    path = machine(tmp_path / "bin", {"python3.11": "3.11"})
    own = Path(machine(tmp_path / "my own", {"py": "3.13", "old": "3.8"}))
    assert find(path, "x", PYTHON=str(own / "py"))[1].startswith("py ran")
    status, said = find(path, "x", PYTHON=str(own / "old"))
    assert status == 1
    assert f"{own / 'old'} is 3.8" in said
    assert find(path, "x", PYTHON=str(own / "none"))[0] == 1


def test_this_python_will_do():
    assert find(os.environ["PATH"], "-c", "print(7)", PYTHON=sys.executable) == (0, "7\n")


# --- make -----------------------------------------------------------------------------------------


def test_on_windows_make_names_wsl(copy):
    done = make(copy, "help", OS="Windows_NT")
    assert done.returncode != 0
    assert "WSL" in done.stderr


def test_root_may_open_jupyter_and_nobody_else_is_told_to(copy, tmp_path):
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    for user, allowed in (("0", True), ("1000", False), ("10", False)):
        (fakes / "id").write_text(f"#!/bin/sh\necho {user}\n")
        (fakes / "id").chmod(0o755)
        done = make(copy, "--dry-run", "lab", PATH=f"{fakes}:{os.environ['PATH']}")
        assert ("--allow-root" in done.stdout) == allowed


def test_make_needs_nothing_newer_than_macos_has():
    """GNU make 3.81 and bash 3.2: what came later would fail there, or be silently ignored."""
    text = (ROOT / "Makefile").read_text("utf-8")
    later = r"\.ONESHELL|\$\(file |\$\(guile|!=|::=|\bundefine\b|\bprivate\b|\$\(let |\$\(intcmp"
    assert re.findall(later, text) == []
    bashisms = r"\bmapfile\b|\breadarray\b|declare -[Ag]|\$\{\w+(?:,,|\^\^|@\w)\}|&>>|\|&|wait -n"
    assert re.findall(bashisms, text) == []
    # 3.81 ignores .SHELLFLAGS: no recipe may count on -e, so none has a second command behind ; .
    recipes = re.findall(r"^\t(?!@grep|\t)(.*)$", text, re.MULTILINE)
    assert [line for line in recipes if ";" in line] == []


# --- the folder .venv -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """One real environment, made by ``make book`` in a folder with a difficult name."""
    root = copied(tmp_path_factory.mktemp("home") / "a path with spaces, ünïcode (and more)")
    done = make(root, "book")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def nothing_to_do(root: Path) -> bool:
    return make(root, "--dry-run", "book").stdout.startswith('echo "The book is ready')


def test_in_a_path_with_spaces_it_installs_and_builds(made):
    assert (made / "_build" / "html" / ".built").exists()
    assert nothing_to_do(made)


def test_a_folder_that_was_moved_and_one_that_was_broken_work_again(made, tmp_path):
    here = tmp_path / "another name"
    shutil.copytree(made, here, symlinks=True)
    script = here / ".venv" / "bin" / "jupyter-book"
    assert str(made) in script.read_text()
    done = make(here, "book")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The course was in {made}" in done.stdout
    assert str(made) not in script.read_text()
    assert subprocess.run([script], check=False).returncode == 0
    assert nothing_to_do(here)
    assert nothing_to_do(made)

    # The Python that it was made with is gone.
    (here / ".venv" / "bin" / "python").unlink()
    done = make(here, "book", "--always-make")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cannot be used: its Python or its pip does not run. It is made again." in done.stdout
    assert subprocess.run([script], check=False).returncode == 0


def test_what_a_kill_leaves_behind_is_noticed(made, tmp_path):
    here = tmp_path / "course"
    shutil.copytree(made, here, symlinks=True)
    install = load(here)
    assert install.fault() == ""
    packages = next(here.glob(".venv/lib/python*/site-packages"))
    half = packages / "half-1.dist-info"  # pip was killed while it installed a package
    half.mkdir()
    (half / "METADATA").write_text("Name: half\nVersion: 1\n")
    assert install.fault() == "half-1 is only half there"
    (half / "RECORD").write_text("")
    assert install.fault() == ""
    # `python -m venv` was killed before pip was whole, or before there was an environment.
    (packages / "pip" / "_internal").rename(packages / "away")
    assert "its pip does not run" in install.fault()
    (packages / "away").rename(packages / "pip" / "_internal")
    assert install.fault() == ""
    (here / ".venv" / "pyvenv.cfg").unlink()
    assert "does not run" in install.fault()


@pytest.fixture
def install(copy) -> Any:
    return load(copy)


def test_a_python_that_the_course_cannot_use_is_told(install, monkeypatch):
    (install.VENV / "bin").mkdir(parents=True)
    fake = install.VENV / "bin" / "python"
    fake.write_text("#!/bin/sh\necho 3 10\n")
    fake.chmod(0o755)
    assert install.fault() == "it has Python 3.10, and the course needs 3.11, 3.12 or 3.13"


def test_a_link_is_never_removed(install, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    install.VENV.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(install.InstallError, match="Remove the link"):
        install.main("book")
    assert (tmp_path / "elsewhere").is_dir()
    (tmp_path / "elsewhere").rmdir()
    assert install.fault() == "it is a link to nowhere"


def test_what_sudo_made_is_told_with_the_way_back(install, monkeypatch):
    install.VENV.mkdir()
    monkeypatch.setattr(install.os, "access", lambda path, mode: path != install.VENV)
    with pytest.raises(install.InstallError, match=r"sudo chown -R \$\(id -u\)"):
        install.main("book")


def test_a_path_with_a_colon_is_told(install, monkeypatch):
    monkeypatch.setattr(install, "ROOT", Path("/home/me/a:b"))
    with pytest.raises(install.InstallError, match="Rename the folder"):
        install.main("book")


# --- disk, network, pip ---------------------------------------------------------------------------


def test_too_small_a_disk_is_told_before_anything_happens(install, monkeypatch):
    usage = shutil.disk_usage(install.ROOT)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: usage._replace(free=300_000_000))
    (install.VENV / "bin").mkdir(parents=True)  # broken, but not removed while it can't be replaced
    with pytest.raises(install.InstallError, match=r"needs [0-9.]+ MB there, and 300 MB are free"):
        install.main("book")
    assert install.VENV.exists()
    monkeypatch.setattr(install, "cpu_torch", lambda: "")
    with pytest.raises(install.InstallError, match=r"needs [0-9.]+ GB there"):
        install.main("all")


def test_the_temporary_folder_and_pips_cache_count_on_the_disk_they_are_on(install, monkeypatch):
    """A download lies there twice, beside what is installed."""
    usage = shutil.disk_usage(install.ROOT)
    monkeypatch.setenv("PIP_CACHE_DIR", str(install.ROOT))
    monkeypatch.setattr(install.tempfile, "gettempdir", lambda: str(install.ROOT))
    for free, enough in ((1210, True), (1190, False)):
        monkeypatch.setattr(
            install.shutil, "disk_usage", lambda _, free=free: usage._replace(free=free * 1e6)
        )
        if enough:
            install.check_space(install.Size(100, 1000), 0)
        else:
            with pytest.raises(install.InstallError, match=r"needs 1\.2 GB there"):
                install.check_space(install.Size(100, 1000), 0)


def test_what_is_there_already_need_not_fit_again(install, monkeypatch):
    usage = shutil.disk_usage(install.ROOT)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: usage._replace(free=50_000_000))
    install.check_space(install.Size(100, 1000), 960)
    with pytest.raises(install.InstallError):
        install.check_space(install.Size(100, 1000), 940)


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (f"ERROR: {os.strerror(errno.ENOSPC)}", "The disk became full"),
        (
            "WARNING: Retrying (Retry(total=1, …)) after NewConnectionError",
            "is this machine online",
        ),
        ("HTTPSConnectionPool(host=…): Max retries exceeded", "HTTPS_PROXY"),
        ("ERROR: something of its own", "something of its own"),
    ],
)
def test_a_failure_of_pip_becomes_a_sentence(install, says, sentence):
    command = [sys.executable, "-c", f"print({says!r}); raise SystemExit(1)"]
    with pytest.raises(install.InstallError, match=re.escape(sentence)):
        install.run(command)
    install.run(command, may_fail=True)


def test_an_installation_that_was_killed_says_so(install):
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(install.InstallError, match=r"stopped \(SIGKILL\)"):
        install.run([sys.executable, "-c", killed])


def test_large_downloads_are_told_and_small_ones_not(install, capsys):
    lines = ["Downloading torch-2.whl (191.8 MB)", "Downloading six.whl (11 kB)"]
    install.run([sys.executable, "-c", f"print(*{lines!r}, sep='\\n')"])
    assert capsys.readouterr().out == "  torch-2.whl (191.8 MB)\n"


def test_really_without_a_network_it_says_so_and_breaks_nothing(made):
    """A closed port stands for a network that is not there."""
    (made / "requirements-book.txt").write_text("six==1.17.0\n")
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "https://127.0.0.1:9/simple", "PIP_NO_CACHE_DIR": "1", "PIP_NO_INDEX": "0",
    }  # fmt: skip
    done = make(made, "book", **nowhere)
    assert done.returncode != 0
    assert "is this machine online?" in done.stderr
    assert load(made).fault() == ""
    (made / "requirements-book.txt").write_text("")
    assert make(made, "book").returncode == 0


def test_a_folder_of_wheels_is_all_that_is_asked(install):
    assert "--no-index" not in install.pip("--requirement", "x")
    install.WHEELS.mkdir()
    command = install.pip("--requirement", "x")
    assert command[command.index("--find-links") + 1] == str(install.WHEELS)
    assert "--no-index" in command


class Page:
    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self) -> bytes:
        return self.text.encode()


def test_the_cpu_build_is_taken_where_it_is_to_be_had_and_there_is_no_gpu(install, monkeypatch):
    (install.ROOT / "requirements.txt").write_text("a==1\ntorch==2.13.0\n")
    here = f"cp3{sys.version_info.minor}"
    listed = f'<a href="torch-2.13.0%2Bcpu-{here}-{here}-manylinux_2_28_x86_64.whl">'
    monkeypatch.setattr(install.sys, "platform", "linux")
    monkeypatch.setattr(install, "has_gpu", lambda: False)
    monkeypatch.setattr(install.urllib.request, "urlopen", lambda *_, **__: Page(listed))
    assert install.cpu_torch() == "torch==2.13.0"
    monkeypatch.setattr(install, "has_gpu", lambda: True)
    assert install.cpu_torch() == ""
    monkeypatch.setattr(install, "has_gpu", lambda: False)
    monkeypatch.setattr(install.urllib.request, "urlopen", lambda *_, **__: Page("torch-2.12.0"))
    assert install.cpu_torch() == ""

    def unreachable(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(install.urllib.request, "urlopen", unreachable)
    assert install.cpu_torch() == ""
    monkeypatch.setattr(install.sys, "platform", "darwin")
    assert install.cpu_torch() == ""


def test_everybody_names_the_same_cpu_index(install):
    assert install.CPU_INDEX == pins.CPU_INDEX


# --- what is said about sizes ---------------------------------------------------------------------


def installed_mb(names: set[str]) -> float:
    """Megabytes of the files of these installed packages."""
    total = 0
    for name in names:
        for path in metadata.distribution(name).files or ():
            found = Path(str(path.locate()))
            total += found.stat().st_size if found.exists() else 0
    return total / 1e6


@pytest.mark.parametrize(("what", "text"), [("book", pins.book), ("all", None)])
def test_the_sizes_said_are_those_of_what_is_installed(install, what, text):
    names = set(pins.pins(text()) if text else pins.exact())
    weighed = installed_mb(names)
    assert 0.85 * weighed < install.SIZES[what].disk < 1.3 * weighed + 50  # blocks, caches, pip


@pytest.mark.parametrize("name", ["README.md", "book/how-to-run.md"])
def test_readme_and_how_to_run_say_the_sizes(install, name):
    text = (ROOT / name).read_text("utf-8")
    for size in install.SIZES.values():
        assert install.words(size.download) in text
        assert install.words(size.disk) in text


def test_how_to_run_says_what_memory_a_chapter_may_take():
    text = (ROOT / "book" / "how-to-run.md").read_text("utf-8")
    assert f"more than {gates.MAX_MB / 1000:g} GB" in text


# --- the site without a framework -----------------------------------------------------------------

# Refuses every package that requirements-book.txt does not list.
BLOCKED = """
import sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name
allowed = set({allowed!r})
known = packages_distributions()
class Blocker:
    def find_spec(self, name, path=None, target=None):
        owners = {{canonicalize_name(n) for n in known.get(name.split(".")[0], ())}}
        if owners and not owners & allowed:
            raise ModuleNotFoundError(f"{{name}} is not in requirements-book.txt", name=name)
sys.meta_path.insert(0, Blocker())
"""
PAGES = """
from pathlib import Path
import actlab.study, actlab.claims
from actlab_site import reference
picture = reference.curves.picture  # one drawing of many is enough
reference.curves.picture = lambda record: picture(record) if record.name == "softmax" else b""
reference.curves.poster = lambda records: b""
for name, content in reference.pages(Path({root!r})):
    path = Path({out!r}) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
print(sorted({{"torch", "tensorflow", "keras"}} & sys.modules.keys()))
"""


def run_blocked(code: str, allowed: set[str]) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "book" / "_ext")])
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(allowed=sorted(allowed)) + code],
        env={**os.environ, "PYTHONPATH": paths, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_page_is_made_without_a_framework_and_from_the_listed_packages_alone(tmp_path):
    allowed = {"actlab", *pins.pins(pins.BOOK.read_text("utf-8"))}
    done = run_blocked(PAGES.format(root=str(ROOT), out=str(tmp_path)), allowed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    written = {path.name for path in tmp_path.rglob("*.md")}
    assert {"claims.md", "disagreements.md", "benchmark.md", "then-and-now.md"} <= written
    assert "PyTorch 2." in (tmp_path / "then-and-now.md").read_text("utf-8")


def test_a_page_that_needed_a_framework_would_be_noticed():
    allowed = {"actlab", *pins.pins(pins.BOOK.read_text("utf-8"))}
    trying = "from actlab import claims; claims.get('relu-output-positive').evaluate()"
    for code in (trying, "import torch", "import jupyterlab"):
        done = run_blocked(code, allowed)
        assert done.returncode != 0
        assert "is not in requirements-book.txt" in done.stderr
