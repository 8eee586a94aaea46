"""A book of two pages, built with this course's settings: what the extension does in earnest."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from . import pages
from .conftest import ROOT
from .test_checks_can_fail import PNG

pytestmark = pytest.mark.site

CHAPTER = """# A chapter

> **Predict.** What is $1 + 1$?

> **Exercise 1.1.** Add.

> **Verdict: refuted.** It is 3.

> An ordinary quotation.
"""


def notebook(alt: str | None, markdown: str = CHAPTER) -> nbformat.NotebookNode:
    image = new_output("display_data", {"image/png": base64.b64encode(PNG).decode()})
    metadata = {"mystnb": {"image": {"alt": alt}}} if alt else {}
    cells = [
        new_markdown_cell(markdown),
        new_code_cell("show()", execution_count=1, outputs=[image], metadata=metadata),
        new_code_cell("show()", execution_count=2, outputs=[image], metadata=metadata),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return new_notebook(cells=cells, metadata=kernel | language)


def build(root: Path, chapter: nbformat.NotebookNode) -> subprocess.CompletedProcess[str]:
    (root / "notebooks").mkdir(parents=True)
    nbformat.write(chapter, root / "notebooks" / "01_a.ipynb")
    shutil.copytree(ROOT / "book" / "_ext", root / "book" / "_ext")
    shutil.copytree(ROOT / "book" / "static", root / "book" / "static")
    (root / "book" / "index.md").write_text("# A book\n\nNo formula here.\n")
    shutil.copy(ROOT / "_config.yml", root)
    contents = {
        "format": "jb-book",
        "root": "book/index",
        "chapters": [{"glob": "notebooks/*"}],
    }
    (root / "_toc.yml").write_text(yaml.safe_dump(contents))
    # The reference is tested elsewhere; its pictures would take most of the time.
    (root / "book" / "_ext" / "actlab_site" / "__init__.py").write_text(
        (ROOT / "book" / "_ext" / "actlab_site" / "__init__.py")
        .read_text()
        .replace("reference.write_pages(", "str(")
    )
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "-n", "--keep-going"]
    return subprocess.run([*command, root], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("book")
    result = build(root, notebook("A single grey point"))
    assert result.returncode == 0, result.stderr
    return root


def test_boxes_have_classes_and_ids(book):
    text = (book / "_build/html/notebooks/01_a.html").read_text()
    assert '<div class="box box-predict admonition" id="predict-1">' in text
    assert '<div class="box box-exercise admonition" id="exercise-1-1">' in text
    assert '<div class="box box-verdict verdict-refuted admonition" id="verdict-1">' in text
    assert "<blockquote" in text


def test_a_formula_is_set_by_the_browser_alone(book):
    text = (book / "_build/html/notebooks/01_a.html").read_text()
    assert "<math><mrow><mn>1</mn><mo>+</mo><mn>1</mn></mrow></math>" in text
    assert "MathJax" not in text


def foreign(page: Path) -> list[str]:
    """Scripts, styles and pictures that a page takes from elsewhere, or from a missing file."""
    text = page.read_text("utf-8")
    tags = re.findall(r"<(?:script|img|iframe)\b[^>]*>|<link\b[^>]*stylesheet[^>]*>", text)
    sources = [found[1] for tag in tags if (found := re.search(r'(?:src|href)="([^"]+)"', tag))]
    assert len(sources) > 1
    local = {source: (page.parent / source.split("?")[0]) for source in sources}
    return [source for source, path in local.items() if not path.is_file()]


def test_everything_that_a_page_loads_lies_in_the_book(book):
    pages_of = book / "_build/html"
    for name in ("notebooks/01_a.html", "book/index.html"):
        assert foreign(pages_of / name) == []
    text = (pages_of / "notebooks/01_a.html").read_text("utf-8")
    stranger = pages_of / "notebooks" / "stranger.html"
    stranger.write_text(re.sub(r'src="[^"]*site.js', 'src="https://example.org/site.js', text))
    assert [s for s in foreign(stranger) if s.startswith("https://example.org/")]
    stranger.unlink()


def test_the_launch_buttons_open_the_notebook(book):
    page = book / "_build/html/notebooks/01_a.html"
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert pages.launch_problems(page, "notebooks/01_a.html", settings, book) == []


def test_pictures_have_size_and_the_second_loads_late(book):
    page = book / "_build/html/notebooks/01_a.html"
    assert pages.image_problems(page) == []
    article = page.read_text().split("<article", 1)[1]
    assert article.count('loading="lazy"') >= 1


def test_faults_fail_the_build(tmp_path):
    chapter = "# A\n\n> **Verdict: perhaps.** So.\n\n[gone](gone.md)\n"
    result = build(tmp_path, notebook(None, chapter))
    assert result.returncode != 0
    said = result.stdout + result.stderr
    for complaint in (
        "notebooks/01_a: ../_images/",
        "has no alt text that says what is to be seen",
        "unknown verdict 'perhaps'; expected one of holds, holds when, refuted, not shown",
        "gone.md",
    ):
        assert complaint in said, said
