"""``.ci/python .ci/install.py book|all|wheels``: the course's packages, at their exact versions.

``book`` puts into .venv what builds the site, ``all`` what runs everything; ``wheels`` only fetches
that, for machines without internet. Standard library only, because nothing else is there yet. What
a new machine may lack is looked for before anything is changed, and said in a sentence with what to
do about it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
WHEELS = ROOT / "wheels"  # packages brought along to a room without internet
LISTS = {"book": "requirements-book.txt", "all": "requirements.txt"}
# What the Makefile looks at; they hold the folder for which they were made.
STAMPS = {"book": (".book-ready",), "all": (".book-ready", ".ready")}
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Size:
    """Megabytes to download, and on the disk afterwards."""

    download: int
    disk: int


# Measured on Linux (x86_64). A test weighs what is installed, and that the prose says the same.
SIZES = {"book": Size(140, 660), "all": Size(1200, 4200), "CUDA": Size(3700, 8000)}


class InstallError(Exception):
    """What is wrong and what to do, for the person in front of the screen."""


def words(megabytes: float) -> str:
    """``660 MB``, ``4.2 GB``."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.2g} GB"


def main(what: str) -> None:
    """Make .venv ready for ``book`` or ``all``; raises :class:`InstallError` with the reason."""
    check_place()
    broken = fault()
    here = not broken and any(VENV.glob("lib/python*/site-packages/torch-*.dist-info"))
    chosen = what == "book" or here or WHEELS.is_dir()  # no PyTorch to choose
    torch = "" if chosen else cpu_torch()
    cuda = sys.platform == "linux" and not (chosen or torch)
    check_space(SIZES["CUDA" if cuda else what], 0 if broken else weight(VENV))
    if broken:
        remove(broken)
    if not VENV.exists():
        print("Making the folder .venv.", flush=True)
        run([sys.executable, "-m", "venv", str(VENV)])
    settle()
    if torch:  # not by an extra index: pip would ask it for each of two hundred packages
        run(pip("--no-deps", "--index-url", CPU_INDEX, torch), may_fail=True)
    run(pip("--requirement", LISTS[what]))
    run(pip("--no-deps", "--no-build-isolation", "--editable", "."))
    for stamp in STAMPS[what]:
        (VENV / stamp).write_text(f"{ROOT}\n", "utf-8")


def fetch() -> None:
    """Fetch all packages into ``wheels``, with which :func:`main` needs no internet."""
    part = WHEELS.with_name(".wheels.part")
    torch = cpu_torch()
    size = SIZES["all" if torch or sys.platform != "linux" else "CUDA"].download
    check_space(Size(0, size), weight(part))
    print(f"Fetching about {words(size)} into the folder wheels.", flush=True)
    command = [str(VENV / "bin" / "python"), "-m", "pip", "download", "--dest", str(part)]
    if torch:
        run([*command, "--no-deps", "--index-url", CPU_INDEX, torch], may_fail=True)
    run([*command, "--find-links", str(part), "--requirement", LISTS["all"]])
    shutil.rmtree(WHEELS, ignore_errors=True)
    part.rename(WHEELS)
    print("Hand round the course with the folder 'wheels': 'make' then installs from it.")


# --- the folder .venv -----------------------------------------------------------------------------


def check_place() -> None:
    """The folder can hold a virtual environment, and we may write to both."""
    if os.pathsep in str(ROOT):
        raise InstallError(
            f"Python cannot make an environment in a folder whose path contains {os.pathsep!r}: "
            f"{ROOT}\nRename the folder or move the course, then give the same command again."
        )
    for folder in (ROOT, VENV):
        if folder.exists() and not os.access(folder, os.W_OK):
            raise InstallError(
                f"You may not write to {folder}; perhaps 'sudo make' made it.\n"
                f"To make it yours: sudo chown -R $(id -u) '{ROOT}'"
            )


def fault() -> str:
    """Why .venv cannot be used as it is; empty where it can, or where there is none."""
    if not VENV.exists():
        return "it is a link to nowhere" if VENV.is_symlink() else ""
    # An interrupted `python -m venv` leaves a Python without pip, or one that is no environment's.
    probe = (
        "import sys, pip._internal.cli.main; assert sys.prefix != sys.base_prefix; "
        "print(*sys.version_info[:2])"
    )
    try:
        asked = [str(VENV / "bin" / "python"), "-I", "-c", probe]
        answer = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "its Python or its pip does not run"
    major, minor = map(int, answer.split())
    if not (3, 11) <= (major, minor) <= (3, 13):
        return f"it has Python {major}.{minor}, and the course needs 3.11, 3.12 or 3.13"
    # The last that pip writes of a package is the list of its files.
    for package in VENV.glob("lib/python*/site-packages/*.dist-info"):
        if not (package / "RECORD").exists():
            return f"{package.stem} is only half there"
    return ""


def remove(reason: str) -> None:
    """Remove a broken .venv, and say so."""
    if VENV.is_symlink():
        raise InstallError(f".venv is a link ({os.readlink(VENV)}), and {reason}. Remove the link.")
    print(f"The folder .venv cannot be used: {reason}. It is made again.", flush=True)
    shutil.rmtree(VENV)


def settle() -> None:
    """Let the scripts of a .venv whose folder was moved point to where it is now."""
    stamp = VENV / ".book-ready"
    old = stamp.read_text("utf-8").strip() if stamp.exists() else ""
    if old in ("", str(ROOT)) or VENV.is_symlink():
        return
    print(f"The course was in {old}; .venv is told where it is now.", flush=True)
    # The first line that pip, too, writes where a path has spaces or is long: it is shell script
    # and Python at once.
    python = re.compile(rb"^#!%b/\.venv/bin/python[\d.]*\n" % re.escape(old.encode()))
    start = b"#!/bin/sh\n'''exec' \"%b/bin/python\" \"$0\" \"$@\"\n' '''\n" % str(VENV).encode()
    for script in (VENV / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            text = python.sub(lambda _: start, script.read_bytes())
            script.write_bytes(text.replace(f"{old}/.venv".encode(), str(VENV).encode()))


# --- what will be needed --------------------------------------------------------------------------


def cpu_torch() -> str:
    """The PyTorch to take from the index of CPU builds, ``torch==2.13.0``; "": pip's own choice."""
    found = re.search(r"^torch==(\S+)$", (ROOT / LISTS["all"]).read_text("utf-8"), re.MULTILINE)
    wanted = found and sys.platform == "linux" and not has_gpu() and cpu_build(found[1])
    return found[0] if found and wanted else ""


def has_gpu() -> bool:
    """Whether a driver of NVIDIA is loaded."""
    return Path("/proc/driver/nvidia/version").exists()


def cpu_build(version: str) -> bool:
    """Whether the index of CPU builds can be reached and has this PyTorch for this Python."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=10) as page:
            listed = page.read().decode()
    except (OSError, ValueError):
        return False
    return f"torch-{version}%2Bcpu-cp3{sys.version_info.minor}-" in listed


def check_space(size: Size, installed: int) -> None:
    """There is room for what is still missing, wherever pip puts it."""
    missing = max(0, size.disk - installed)
    download = round(size.download * missing / size.disk)
    cache = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache")
    wanted = [(VENV, missing), (Path(tempfile.gettempdir()), download), (cache, download)]
    disks: dict[int, tuple[Path, int]] = {}
    for folder, amount in wanted:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        first, so_far = disks.get(there.stat().st_dev, (there, 0))
        disks[there.stat().st_dev] = (first, so_far + amount)
    for folder, amount in disks.values():
        free = shutil.disk_usage(folder).free / 1e6
        if free < amount:
            raise InstallError(
                f"Not enough space on the disk that holds {folder}: the installation needs "
                f"{words(amount)} there, and {words(free)} are free. Nothing was changed."
            )
    if download > SIZES["book"].download / 2:
        print(
            f"Installing into .venv: about {words(download)} to download, {words(missing)} on the "
            "disk. This takes some minutes.",
            flush=True,
        )


def weight(folder: Path) -> int:
    """Megabytes that a folder takes."""
    total = 0
    for place, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(place, name)).st_size for name in names)
    return round(total / 1e6)


# --- pip ------------------------------------------------------------------------------------------


def pip(*arguments: str) -> list[str]:
    """The command that installs, from the folder ``wheels`` alone where there is one."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--retries", "2"]
    command.append("--disable-pip-version-check")
    if WHEELS.is_dir():
        command += ["--no-index", "--find-links", str(WHEELS)]
    return [*command, *arguments]


# What pip or the system says, and what that means here. The first that fits is told.
REASONS = (
    (
        os.strerror(errno.ENOSPC),
        "The disk became full. Make room, then give the same command again.",
    ),
    (
        "HTTPSConnection|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|"
        "ProxyError|Network is unreachable|name resolution|Connection (refused|reset|aborted)",
        "There is no way to the packages: is this machine online? Behind a proxy, set HTTPS_PROXY. "
        "For a room without internet, see 'A room without internet' in book/how-to-run.md.",
    ),
)
LARGE = re.compile(r"Downloading (\S+) \((\d{2,}\.\d MB|[\d.]+ GB)\)")


def run(command: list[str], *, may_fail: bool = False) -> None:
    """Run it in the course's folder, tell of large downloads, and explain a failure."""
    said = []
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PIP_USER": "0"},  # a user's own setting has no place in .venv
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if found := LARGE.search(line):
            print(f"  {found[1]} ({found[2]})", flush=True)
        elif line.startswith("Installing collected packages"):
            print("  unpacking …", flush=True)
        elif "Retrying (Retry(total=1" in line:
            print("  no answer; trying again …", flush=True)
    status = process.wait()
    if status == 0 or may_fail:
        return
    if status < 0:
        raise InstallError(
            f"The installation was stopped ({signal.Signals(-status).name}), perhaps for want of "
            "memory. Give the same command again to go on."
        )
    for sign, reason in REASONS:
        if re.search(sign, "".join(said)):
            raise InstallError(reason)
    raise InstallError("".join(said[-30:]) + "\nThe installation failed, for the reason above.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in (*LISTS, "wheels"):
        sys.exit("usage: .ci/python .ci/install.py book|all|wheels")
    try:
        fetch() if sys.argv[1] == "wheels" else main(sys.argv[1])
    except InstallError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Give the same command again to go on.")
