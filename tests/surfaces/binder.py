"""What Binder installs: the chapters' requirements at the course's exact versions, CPU-only.

Derived from ``requirements.txt`` (the versions) and ``pyproject.toml`` (what is needed at run
time); ``python -m tests.surfaces.binder`` writes ``.binder/requirements.txt``, a test compares.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TARGET = ROOT / ".binder" / "requirements.txt"
# Beside the package: the interface, its kernel, and .py twins that open as notebooks; setuptools
# builds our own package.
INTERFACE = ("jupyterlab", "ipykernel", "jupytext", "setuptools")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_NAMES = {"tensorflow": "tensorflow-cpu"}
HEADER = f"""\
# Written by `python -m tests.surfaces.binder` from the course's requirements; do not edit.
# Binder has no GPU: these are the CPU builds, which are smaller by gigabytes.
--extra-index-url {CPU_INDEX}
"""


def pins(text: str) -> dict[str, str]:
    """Canonical name → the line that pins it."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    wanted = [line for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(line.split("==")[0]): line for line in wanted}


def closure(names: Iterable[str], known: Iterable[str]) -> set[str]:
    """The named packages and everything they need, as far as it is among the ``known``."""
    waiting, found = [canonicalize_name(name) for name in names], set()
    while waiting:
        name = waiting.pop()
        if name in found or name not in known:
            continue
        found.add(name)
        for line in requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return found


def derived() -> str:
    """The content that ``.binder/requirements.txt`` must have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    exact = pins((ROOT / "requirements.txt").read_text())
    needed = [Requirement(line).name for line in project["dependencies"]]
    lines = [exact[name] for name in sorted(closure([*needed, *INTERFACE], exact))]
    for name, cpu in CPU_NAMES.items():
        lines = [line.replace(f"{name}==", f"{cpu}==") for line in lines]
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(derived())
