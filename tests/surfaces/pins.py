"""The lists of exact versions that derive from the course's one list, ``requirements.txt``.

- ``requirements-book.txt``: what the site is built with; neither PyTorch nor TensorFlow is in it.
- ``.binder/requirements.txt``: what Binder installs to run the chapters, without CUDA.

``python -m tests.surfaces.pins`` writes both; tests compare.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "requirements-book.txt"
BINDER = ROOT / ".binder" / "requirements.txt"
# Jupyter Book, what the helpers and the extension import for the site's pages, and what builds our
# own package.
SITE = (
    "jupyter-book", "matplotlib", "ml-dtypes", "numpy", "pandas", "pillow", "scipy", "setuptools",
    "fonttools", "latex2mathml", "tinycss2",
)  # fmt: skip
# Beside the package: the interface, its kernel, and .py twins that open as notebooks; setuptools
# builds our own package.
INTERFACE = ("jupyterlab", "ipykernel", "jupytext", "setuptools")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_NAMES = {"tensorflow": "tensorflow-cpu"}
WRITTEN = "# Written by `python -m tests.surfaces.pins` from requirements.txt; do not edit.\n"
BOOK_HEADER = f"{WRITTEN}# What the site is built with: no framework, nothing to test or to run.\n"
BINDER_HEADER = f"""\
{WRITTEN}# Binder has no GPU: these are the CPU builds, which are smaller by gigabytes.
--extra-index-url {CPU_INDEX}
"""


def pins(text: str) -> dict[str, str]:
    """Canonical name → the line that pins it."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    wanted = [line for line in lines if line and not line.startswith("-")]
    return {canonicalize_name(line.split("==")[0]): line for line in wanted}


def exact() -> dict[str, str]:
    """The pins of the course."""
    return pins((ROOT / "requirements.txt").read_text("utf-8"))


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


def book() -> str:
    """The content that ``requirements-book.txt`` must have."""
    known = exact()
    return BOOK_HEADER + "".join(f"{known[name]}\n" for name in sorted(closure(SITE, known)))


def binder() -> str:
    """The content that ``.binder/requirements.txt`` must have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known = exact()
    needed = [Requirement(line).name for line in project["dependencies"]]
    lines = [known[name] for name in sorted(closure([*needed, *INTERFACE], known))]
    for name, cpu in CPU_NAMES.items():
        lines = [line.replace(f"{name}==", f"{cpu}==") for line in lines]
    return BINDER_HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    BOOK.write_text(book(), "utf-8")
    BINDER.write_text(binder(), "utf-8")
