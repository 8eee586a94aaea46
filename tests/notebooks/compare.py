"""Run every notebook again and compare it, output by output, with what is committed.

    python -m tests.notebooks.compare

nbval does it, strictly, and nothing is sanitised. Two rules differ from its own (the hook below,
for which this module is also a pytest plugin): stderr is not compared, because warnings depend on
the machine and a gate refuses any that are stored; and the metadata of outputs are, because a
figure's alt text stands there.

Where Fashion-MNIST is missing the chapters that use it run on digits, so that their outputs
differ: they are then run without a comparison, with a loud message. In CI that is an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from actlab import data

from . import gates
from .execute import prepare, without_data


def pytest_itemcollected(item: pytest.Item) -> None:
    """Apply our two rules to the notebook this cell belongs to."""
    from nbval.plugin import IPyNbFile

    if isinstance(notebook := item.parent, IPyNbFile):
        notebook.skip_compare = (*({*notebook.skip_compare} - {"metadata"}), "stderr")


def run(notebooks: list[Path], *options: str) -> int:
    """Run nbval over the notebooks, two at a time; return pytest's exit code."""
    if not notebooks:
        return 0
    prepare()
    arguments = ["-p", __name__, "-n", "2", "--dist", "loadfile", "--nbval-current-env"]
    return int(pytest.main([*arguments, "-p", "no:cacheprovider", *options, *map(str, notebooks)]))


def main(folder: Path = gates.FOLDER, *options: str) -> int:
    """Compare all of a folder's notebooks; 0 when every output is what it was.

    ``options`` are more options for pytest.
    """
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        sys.exit(f"There is no notebook in {folder}.")
    unlike = without_data(notebooks)
    if unlike:
        names = ", ".join(path.name for path in unlike)
        if os.environ.get("CI"):
            sys.exit(f"{names}: Fashion-MNIST is missing, so nothing is proved.{data.THREE_WAYS}")
        print(f"\n*** NOT COMPARED, because Fashion-MNIST is missing: {names}.{data.THREE_WAYS}\n")
    strict = run([path for path in notebooks if path not in unlike], "--nbval", *options)
    return run(unlike, "--nbval-lax", *options) or strict


if __name__ == "__main__":
    sys.exit(main())
