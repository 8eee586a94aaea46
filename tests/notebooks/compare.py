"""Run every notebook again and compare it, output by output, with what is committed.

    python -m tests.notebooks.compare

nbval does it, strictly, and nothing is sanitised. Three rules differ from its own (the hook below,
for which this module is also a pytest plugin): stderr is not compared, because warnings depend on
the machine and a gate refuses any that are stored; the metadata of outputs are, because a
figure's alt text stands there; and pictures are, as an eye would (:mod:`.pictures`).

Where Fashion-MNIST is missing the chapters that use it run on digits, so that their outputs
differ: they are then run without a comparison, with a loud message. In CI that is an error.
"""

from __future__ import annotations

import base64
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from actlab import data
from tests.conftest import ONE_THREAD

from . import gates, pictures
from .execute import prepare, without_data


def pytest_itemcollected(item: pytest.Item) -> None:
    """Apply our rules to this cell and the notebook it belongs to."""
    from nbval.plugin import IPyNbCell

    if isinstance(item, IPyNbCell):
        notebook = item.parent
        notebook.skip_compare = (*({*notebook.skip_compare} - {"metadata"}), "stderr")
        item.compare_outputs = partial(_same_outputs, item, item.compare_outputs)


def _same_outputs(cell: Any, nbval: Any, again: Any, committed: Any, *skip: Any) -> bool:
    """What nbval finds; and if it finds nothing, what an eye would see in the pictures."""
    if not nbval(again, committed, *skip):
        return False
    new, old = shown_pictures(again), shown_pictures(committed)
    problems = [pictures.difference(*pair) for pair in zip(old, new, strict=False)]
    if len(new) != len(old):
        problems.append(f"is one of {len(new)} instead of {len(old)}")
    cell.comparison_traceback += [f"The picture {problem}." for problem in problems if problem]
    return not any(problems)


def shown_pictures(outputs: Any) -> list[bytes]:
    """The PNGs among the outputs of a cell."""
    found = (output.get("data", {}).get("image/png") for output in outputs)
    return [base64.b64decode(png) for png in found if png is not None]


def run(notebooks: list[Path], *options: str) -> int:
    """Run nbval over the notebooks, two at a time; return pytest's exit code."""
    if not notebooks:
        return 0
    prepare()
    os.environ |= ONE_THREAD  # four threads that wait for each other on two cores may take minutes
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
