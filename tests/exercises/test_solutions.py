"""Every folded solution in every chapter is run, and its checker must be content.

A solution is a fenced Python block inside ``<details>`` whose last line calls the checker.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def solutions():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        for title, body in DETAILS.findall(text):
            if "olution" in title:
                yield pytest.param(CODE.findall(body), id=f"{path.stem}: {title}")


def run_solution(blocks):
    """Execute the blocks of one solution and return what its last expression gives."""
    namespace = {}
    tree = ast.parse("\n".join(blocks))
    assert isinstance(tree.body[-1], ast.Expr), "the last line must call the checker"
    last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, "solution", "exec"), namespace)
    return eval(compile(last, "solution", "eval"), namespace)


@pytest.mark.parametrize("blocks", solutions())
def test_solution(blocks):
    feedback = run_solution(blocks)
    assert feedback.ok, feedback


def test_a_wrong_solution_would_be_seen():
    wrong = "from actlab.exercises import relu\nrelu.check_dead_share(lambda h: (h == 0).mean())"
    assert not run_solution([wrong]).ok
