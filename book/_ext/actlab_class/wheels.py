"""Lists of packages for systems that ours is not: exact versions, file names, checksums.

    PYTHONPATH=book/_ext python -m actlab_class.wheels      (asks the package index)

``make wheels`` fetches for machines like the one it runs on. For macOS and Windows there are these
lists, made from ``requirements.txt``: ``pip download`` takes them on any machine, and refuses a
file whose checksum differs. They also hold what only such a system needs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ".ci/lists"
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class System:
    """A system by the names that people, uv and pip call it."""

    title: str
    target: str
    platform: str  # the newest tag that it must take


SYSTEMS = {
    "macos": System(
        "macOS 14 or newer on Apple silicon", "aarch64-apple-darwin", "macosx_14_0_arm64"
    ),
    "windows": System("Windows", "x86_64-pc-windows-msvc", "win_amd64"),
}


MARKERS = {
    "macos": {
        "sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix",
        "platform_machine": "arm64",
    },
    "windows": {
        "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt",
        "platform_machine": "AMD64",
    },
}  # fmt: skip


class ListError(RuntimeError):
    """Why there is no list."""


def path_of(name: str, root: Path = ROOT) -> Path:
    """The list of a system."""
    return root / FOLDER / f"{name}.txt"


def command(name: str, into: str, place: str, python: str = "3.12") -> str:
    """What fetches the packages of a system, on any machine with a network."""
    return (
        f"python3 -m pip download --no-deps --require-hashes --only-binary=:all: "
        f"--platform {SYSTEMS[name].platform} --python-version {python} "
        f"--dest {into} -r {place}/{name}.txt"
    )


# --- what a list must hold ------------------------------------------------------------------------

_ENTRY = re.compile(r"((?:^# .+\n)+)^([\w.-]+)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)$", re.M)


def entries(text: str) -> dict[str, tuple[str, list[str], int]]:
    """Canonical name → version, files, number of checksums."""
    return {
        canonicalize_name(name): (version, files.replace("# ", "").split(), hashes.count("--hash"))
        for files, name, version, hashes in _ENTRY.findall(text)
    }


def problems(name: str, text: str, root: Path = ROOT) -> list[str]:
    """What is missing from a list, or too much, a sentence each."""
    listed = entries(text)
    pins = dict(
        re.findall(r"^([\w.-]+)==([\w.]+)$", (root / "requirements.txt").read_text("utf-8"), re.M)
    )
    pins = {canonicalize_name(pin): version for pin, version in pins.items()}
    lines = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
    found = [f"{len(lines)} packages, {len(listed)} with files and checksums"]
    found = found if len(lines) != len(listed) else []
    for pin, version in pins.items():
        if pin not in listed:
            found.append(f"{pin} is missing")
        elif listed[pin][0] != version:
            found.append(f"{pin} is {listed[pin][0]} instead of {version}")
    needed = {*needs(pins, name)}
    found += [
        f"{more} is asked for by nobody" for more in sorted(listed.keys() - pins.keys() - needed)
    ]
    for package, (version, files, hashes) in listed.items():
        if len(files) != hashes:
            found.append(f"{package}: {len(files)} files and {hashes} checksums")
        for python in PYTHONS:
            if not any(fits(file, package, version, python, name) for file in files):
                found.append(f"{package} has no file for Python {python}")
    return found


def needs(known: Iterable[str], name: str) -> Iterator[str]:
    """The packages that the pinned ones need on that system, and those that these need."""
    there = {**MARKERS[name], "extra": ""}
    for package in known:
        try:
            asked = requires(package) or ()
        except PackageNotFoundError:
            continue
        for line in asked:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate(there):
                yield canonicalize_name(wanted.name)


@cache
def tags(python: str, name: str) -> frozenset[Tag]:
    """What pip takes for a Python on a system."""
    version = (3, int(python.partition(".")[2]))
    own = f"cp3{version[1]}"
    platforms = [SYSTEMS[name].platform]
    if name == "macos":
        platforms = list(mac_platforms((14, 0), "arm64"))
    return frozenset(
        (
            *cpython_tags(version, [own], platforms),
            *compatible_tags(version, own, platforms),
        )
    )


def fits(file: str, package: str, version: str, python: str, name: str) -> bool:
    """Whether a wheel is of that package and for that Python on that system."""
    try:
        own, number, _, carries = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return False
    same = (own, str(number)) == (canonicalize_name(package), version)
    return same and not carries.isdisjoint(tags(python, name))


# --- how it is made -------------------------------------------------------------------------------


def resolved(name: str, python: str, root: Path = ROOT) -> list[dict[str, Any]]:
    """The packages of ``requirements.txt``, and what they need there, as the index has them."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "pylock.toml"
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"),
                *("requirements.txt", "--python-platform", SYSTEMS[name].target),
                *("--python-version", python, "--only-binary", ":all:", "--output-file", str(lock)),
            ],
            cwd=root,
            env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ListError(f"no list for {SYSTEMS[name].title}, Python {python}: {done.stderr}")
        return list(tomllib.loads(lock.read_text("utf-8"))["packages"])


def written(name: str, packages: Mapping[str, list[dict[str, Any]]]) -> str:
    """The list; ``packages`` are those of each Python."""
    together: dict[tuple[str, str], dict[str, str]] = {}
    weights = []
    for found in packages.values():
        weights.append(sum(min(wheel["size"] for wheel in one["wheels"]) for one in found))
        for one in found:
            files = together.setdefault((one["name"], one["version"]), {})
            for wheel in one["wheels"]:
                files[wheel["url"].rpartition("/")[2]] = wheel["hashes"]["sha256"]
    lines = [
        f"# {SYSTEMS[name].title}, Python {PYTHONS[0]} to {PYTHONS[-1]}: {len(together)} packages, "
        f"{max(weights) / 1e6:,.0f} MB for one Python.",
        "# Written by `python -m actlab_class.wheels` from requirements.txt; do not edit.",
        "",
    ]
    for (package, version), files in sorted(together.items()):
        lines += [f"# {file}" for file in sorted(files)]
        sums = " ".join(f"--hash=sha256:{files[file]}" for file in sorted(files))
        lines.append(f"{package}=={version} {sums}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the lists of all systems."""
    for name in SYSTEMS:
        text = written(name, {python: resolved(name, python) for python in PYTHONS})
        if wrong := problems(name, text):
            raise ListError(f"{name}: {'; '.join(wrong)}")
        path_of(name).parent.mkdir(exist_ok=True)
        path_of(name).write_text(text, "utf-8")
        print(text.partition("\n")[0].removeprefix("# "))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ListError as error:
        sys.exit(str(error))
