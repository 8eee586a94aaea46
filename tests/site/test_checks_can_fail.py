"""Every check of the site goes red on a page that has the fault, and only then."""

from __future__ import annotations

import json
import shutil

import pytest

from . import pages
from .conftest import ROOT

GOOD = """<!DOCTYPE html>
<html lang="en"><head><title>Good</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html[data-theme=dark] :is(body, a) {background: #111; color: #eee}</style></head>
<body><main><h1 id="top">Good</h1><article>
<p>Words. <a href="other.html#there">Away</a> <a href="#top">Up</a></p>
<img src="a.png" width="8" height="8" alt="A small square">
</article></main></body></html>
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63f80f00010101001bb6ee560000000049454e44ae426082"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "other.html").write_text('<p id="there">Here</p>')
    (tmp_path / "a.png").write_bytes(PNG)
    return tmp_path


def problems_of(folder, html, page=None, address=None):
    path = folder / "page.html"
    path.write_text(html)
    pages.parse.cache_clear()
    found = pages.link_problems(path, folder) + pages.image_problems(path)
    return found + (pages.browser_problems(page, address, path.name) if page else [])


READ = [
    ('href="other.html#there"', 'href="gone.html"', "gone.html: no such page"),
    ('href="other.html#there"', 'href="other.html#gone"', "#gone: no such place"),
    ('href="other.html#there"', 'href="other.html#a=relu"', "#a=relu: no such place"),
    ('href="other.html#there"', 'href="../../etc/hosts"', "no such page"),
    ('alt="A small square"', 'alt="a.png"', "says nothing"),
    ('alt="A small square"', 'alt="_images/5f3a 1.png"', "says nothing"),
    ('alt="A small square"', 'alt=""', "says nothing"),
    (' alt="A small square"', "", "says nothing"),
    (' height="8"', "", "no width and height"),
]
SEEN = [
    ("Words.", '<img src="https://example.org/x.png" alt="From elsewhere" width="1" height="1">',
     "asked another host: https://example.org/x.png"),
    ("Words.", "<script>fetch('https://example.org/late').catch(() => 0)</script>",
     "asked another host"),
    ("Words.", '<script src="gone.js"></script>', "status 404"),
    ("Words.", "<script>console.error('broken')</script>", "console error: broken"),
    ("Words.", "<script>nothing()</script>", "script error"),
    ("Words.", '<div style="width: 1000px">wide</div>', "px wide on a screen of 390"),
    ("Words.", '<div class="verdict-card"><table class="intervals"><tr><th>name</th><td>'
     '<svg role="img" aria-label="it" width="60" height="9"></svg></td></tr></table></div>',
     "a card's picture is too narrow"),
    ("Words.", '<div class="verdict-card" style="width: 200px"><table class="intervals" '
     'style="width: 300px"><tr><td>far</td></tr></table></div>', "picture runs out of it"),
    ("Words.", '<span style="color: #ddd">pale</span>', "light: color-contrast"),
    ("Words.", '<span style="color: #222">dark</span>', "dark: color-contrast"),
    ("Words.", '<div><div class="highlight"><pre><span class="k" style="color: #ddd">if</span>'
     "</pre></div></div>", "light: color-contrast"),
    ("Words.", '<table><tr><td style="color: #ddd">pale</td></tr></table>',
     "light: color-contrast"),
    ("Words.", "<button></button>", "button-name"),
    ("Words.", '<span class="math">\\(x\\)</span>', "1 formulas are not set"),
    ("Words.", '<span class="math"><math><mi>x</mi></math></span>', "no font of their own"),
]  # fmt: skip


def test_a_good_page_has_no_problem_to_read(folder):
    assert problems_of(folder, GOOD) == []


@pytest.mark.parametrize(("old", "new", "problem"), READ)
def test_a_fault_that_can_be_read(folder, old, new, problem):
    assert old in GOOD
    found = problems_of(folder, GOOD.replace(old, new))
    assert any(problem in text for text in found), found


@pytest.mark.site
def test_a_good_page_has_no_problem_to_see(folder, page):
    with pages.served(folder) as address:
        assert problems_of(folder, GOOD, page, address) == []


@pytest.mark.site
@pytest.mark.parametrize(("old", "new", "problem"), SEEN)
def test_a_fault_that_must_be_seen(folder, page, old, new, problem):
    assert old in GOOD
    with pages.served(folder) as address:
        found = problems_of(folder, GOOD.replace(old, new), page, address)
    assert any(problem in text for text in found), found


def test_a_changed_missing_or_additional_vendored_file_is_noticed(tmp_path):
    vendor = tmp_path / "font"
    shutil.copytree(ROOT / "book" / "static" / "vendor" / "stix-two-math", vendor)
    assert pages.manifest_problems(vendor) == []
    font = vendor / "math.woff"
    font.write_bytes(font.read_bytes() + b" ")
    (vendor / "new.js").touch()
    (vendor / "LICENSE").unlink()
    assert pages.manifest_problems(vendor) == [
        "LICENSE: not as in the manifest",
        "math.woff: not as in the manifest",
        "new.js: not as in the manifest",
        "no LICENSE",
    ]


def test_a_launch_button_to_another_notebook_is_noticed(tmp_path):
    settings = {"repository": {"url": "https://github.com/owner/course", "branch": "main"}}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_a.ipynb").write_text(json.dumps({}))
    path = tmp_path / "page.html"
    binder = "https://mybinder.org/v2/gh/owner/course/main?urlpath=lab/tree/notebooks/{}.ipynb"
    colab = "https://colab.research.google.com/github/owner/course/blob/main/notebooks/{}.ipynb"
    for stem, count in (("01_a", 0), ("02_b", 2)):
        path.write_text("".join(f'<a href="{u.format(stem)}">x</a>' for u in (binder, colab)))
        pages.parse.cache_clear()
        found = pages.launch_problems(path, "notebooks/01_a.html", settings, tmp_path)
        assert len(found) == count


UNFIT = [
    (
        '<div class="cell_output"><pre style="overflow: auto">' + "x" * 400 + "</pre></div>",
        "scrolls",
    ),
    (
        '<div style="overflow: auto"><table><tr><td>' + "x" * 400 + "</td></tr></table></div>",
        "scrolls",
    ),
    (
        '<pre style="overflow: auto; white-space: pre">' + "x" * 60 + "</pre>",
        "on a phone: scrolls",
    ),
    (
        '<div class="cell_output"><img src="a.png" width="600" height="300" alt="A small one" '
        'style="width: 50%; height: auto"></div>',
        "on a phone: is only",
    ),
    ('<pre style="overflow: hidden">' + "x" * 400 + "</pre>", "is cut off"),
    ('<details><summary>More</summary><pre style="font-size: 9px">x</pre></details>', "too small"),
    (
        '<table style="table-layout: fixed; width: 200px"><tr><td>a</td><td style="width: 170px">b'
        '</td></tr><tr><td style="overflow-wrap: anywhere">a longer text</td></tr></table>',
        "a column of",
    ),
    ('<img src="a.png" width="900" height="8" style="width: 2000px" alt="A wide one">', "runs out"),
    (
        '<img src="a.png" width="300" height="300" style="height: 60px" alt="A flat one">',
        "is squeezed",
    ),
    (
        '<img src="a.png" width="8" height="8" style="display: none" alt="A hidden one">',
        "not shown",
    ),
]


@pytest.mark.site
@pytest.mark.parametrize(("html", "says"), UNFIT)
def test_what_does_not_fit_is_seen(page, folder, html, says):
    (folder / "page.html").write_text(
        GOOD.replace(
            "<article>", '<article style="width: 690px; max-width: 100%; font-size: 16px">'
        )
    )
    with pages.served(folder) as address:
        page.goto(f"{address}/page.html")
        assert pages.chapter_problems(page) == []
        (folder / "page.html").write_text(
            (folder / "page.html").read_text().replace("Words.", f"{html}<p>")
        )
        page.goto(f"{address}/page.html")
        assert [problem for problem in pages.chapter_problems(page) if says in problem]
