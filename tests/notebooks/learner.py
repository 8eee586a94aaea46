"""The learner's edition of a chapter: nothing has been run, answers are closed, exercises blank.

    python -m tests.notebooks.learner

It is made from the full edition, never written: ``notebooks/learner/NAME.ipynb`` has the same code,
cell by cell, and is what Colab and Binder open. ``make notebooks`` writes it with the chapter; this
command writes all of them without running anything, and removes those whose chapter is gone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from . import gates, teaching

FOLDER = "learner"
GUESS = "**My guess:** …"
WHY = "What was measured means"
_SOLUTIONS = re.compile(r"(?:<details>\s*<summary>[^\n]*olution.*?</details>\s*)+", re.DOTALL)


def edition(nb: Any, name: str, repository: str, branch: str = "main") -> Any:
    """The learner's edition of the chapter ``name`` (``02_relu``), a new notebook."""
    from .execute import name_cells

    full = f"{repository}/blob/{branch}/notebooks/{name}.ipynb"
    cells = []
    for number, cell in enumerate(nb.cells):
        tags = [tag for tag in cell.metadata.get("tags", ()) if tag != "reveal"]
        metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(cell.source, metadata=metadata))
            continue
        text = _prose(cell.source, full)
        if number == 0:
            text += (
                "\n\n*This is the learner's edition: nothing has been run, and blanks wait for "
                f"you. The [full edition]({full}) has every result and the solutions.*"
            )
        if teaching.is_reveal(cell):
            text = f"<details>\n<summary>{WHY}</summary>\n\n{text}\n\n</details>"
        cells.append(nbformat.v4.new_markdown_cell(text, metadata=metadata))
        if re.search(r"^> \*\*Predict\b", text, re.MULTILINE):
            cells.append(nbformat.v4.new_markdown_cell(GUESS))
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata = nbformat.from_dict(
        {"kernelspec": gates.KERNEL, "language_info": {"name": "python"}}
    )
    made.nbformat, made.nbformat_minor = 4, 5
    name_cells(made)
    return made


def _prose(text: str, full: str) -> str:
    """Without solutions, and with links that lead from one folder further down."""
    text = _SOLUTIONS.sub(f"[Solutions]({full}), when you have tried.\n\n", text).rstrip()
    return text.replace("](../", "](../../")


def path_of(chapter: Path) -> Path:
    """Where the learner's edition of a chapter (``.py`` or ``.ipynb``) lies."""
    return chapter.parent / FOLDER / f"{chapter.stem}.ipynb"


def write(chapter: Path, nb: Any, repository: str) -> None:
    """Write the learner's edition of a chapter beside it."""
    from .execute import replace

    path = path_of(chapter)
    path.parent.mkdir(exist_ok=True)
    replace(path, text_of(nb, chapter.stem, repository))


def text_of(nb: Any, name: str, repository: str) -> str:
    """The learner's edition as it is stored."""
    return str(nbformat.writes(edition(nb, name, repository, branch()))) + "\n"


def branch(config: Path = gates.ROOT / "_config.yml") -> str:
    """The branch that the site is made from."""
    return str(yaml.safe_load(config.read_text("utf-8"))["repository"]["branch"])


def problems(folder: Path = gates.FOLDER, repository: str | None = None) -> list[str]:
    """Learner's editions that are missing, left over, or not what their chapter makes."""
    repository = repository or gates.repository_address()
    repair = "run `python -m tests.notebooks.learner`"
    chapters = {path.stem: path for path in sorted(folder.glob("*.py"))}
    made = {path.stem: path for path in sorted((folder / FOLDER).glob("*.ipynb"))}
    found = [
        f"{name}: a learner's edition without a chapter; {repair}"
        for name in made.keys() - chapters.keys()
    ]
    for name, path in chapters.items():
        nb = jupytext.reads(path.read_text("utf-8"), fmt="py:percent")
        if name not in made:
            found.append(f"{name}: no learner's edition; {repair}")
        elif made[name].read_text("utf-8") != text_of(nb, name, repository):
            found.append(f"{name}: the learner's edition is another chapter's; {repair}")
    return found


def main(folder: Path = gates.FOLDER, repository: str | None = None) -> int:
    """Write every learner's edition, remove those of chapters that are gone."""
    chapters = sorted(folder.glob("*.py"))
    for path in (folder / FOLDER).glob("*.ipynb"):
        if path.stem not in {chapter.stem for chapter in chapters}:
            path.unlink()
    for chapter in chapters:
        nb = jupytext.reads(chapter.read_text("utf-8"), fmt="py:percent")
        write(chapter, nb, repository or gates.repository_address())
    print(f"{len(chapters)} learner's editions in {folder.name}/{FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
