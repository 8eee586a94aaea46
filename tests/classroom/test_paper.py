"""The whole book as one PDF, read as Chromium writes it: bookmarks, tags, links, sheets."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path

import pytest
import yaml
from actlab_class import paper
from bs4 import BeautifulSoup

from tests.site import pages
from tests.site.conftest import ROOT, SITE, missing
from tests.site.test_checks_can_fail import PNG

pytestmark = pytest.mark.site

STRING = rb"(\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f]*>)"
WIDTH = round((210 - 2 * 16) / 25.4 * 96 / paper.SCALE)  # px between the margins of a sheet


def text(string: bytes) -> str:
    """What a string of a PDF says, without differences of white space."""
    if string.startswith(b"<"):
        raw = bytes.fromhex(string[1:-1].decode())
    else:
        raw = re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), string[1:-1])
        raw = re.sub(rb"\\(.)", rb"\1", raw)
    return one_line(raw.decode("utf-16" if raw.startswith(b"\xfe\xff") else "latin-1"))


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def one_line(words: str) -> str:
    return " ".join(words.split())


def bookmarks(pdf: bytes) -> list[str]:
    return [text(s) for s in re.findall(rb"<</Title " + STRING + rb"\n/Dest", pdf)]


def described(pdf: bytes) -> set[str]:
    """The alternative texts of all figures in the tree of tags."""
    figures = re.findall(rb"/S /Figure\n/Alt " + STRING, pdf)
    assert len(figures) == len(re.findall(rb"/S /Figure\b", pdf)), "a figure without words"
    return {text(string) for string in figures}


def pictures(html: str) -> set[str]:
    """What the pictures of a page are said to show."""
    article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
    found = article.select("img[alt], svg[role=img][aria-label]")
    return {one_line(str(node.get("alt") or node["aria-label"])) for node in found}


def unfit(browser, html: str, folder: Path) -> list[str]:
    """What is wider than a sheet, cut off in its frame, or a picture that is not there."""
    source = folder / "book.html"
    source.write_text(html, "utf-8")
    page = browser.new_page(viewport={"width": WIDTH, "height": 1200})
    page.emulate_media(media="print")
    page.goto(source.as_uri(), timeout=120_000)
    found = page.evaluate(
        """() => [...document.querySelectorAll(".page :is(pre, table, img, figure, .math, svg)")]
            .filter((part) => part.checkVisibility() && !part.closest("svg svg"))
            .filter((part) => part.getBoundingClientRect().right > innerWidth + 1 ||
                part.tagName === "PRE" && part.scrollWidth > part.clientWidth + 1 ||
                part.tagName === "IMG" && !part.naturalWidth)
            .map((part) => `${part.closest(".page").id}: ${part.outerHTML.slice(0, 90)}`)"""
    )
    page.close()
    return found


@pytest.fixture(scope="module")
def whole():
    """All pages of the site as one."""
    if not (SITE / ".built").exists():
        missing("the site is not built; run 'make book'")
    return paper.together(SITE)


@pytest.fixture(scope="module")
def pdf(browser, whole):
    return paper.printed(browser, whole)


def test_every_page_of_the_site_and_every_part_has_its_bookmark(pdf):
    found = bookmarks(pdf)
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]:
        assert part["caption"] in found
    names = [p for p in pages.html_files(SITE) if p.parent != SITE]  # index, search, not found
    assert len(names) > 50
    for path in names:
        title = re.search(r'<h1>((?:(?!</h1>).)*)<a class="headerlink', text_of(path), re.DOTALL)
        assert one_line(unescape(re.sub("<[^>]+>", "", title[1]))) in found, path


def test_every_figure_has_its_words_in_the_tree_of_tags(pdf):
    found = described(pdf)
    for path in sorted((SITE / "notebooks").glob("*.html")):
        shown = pictures(text_of(path))
        assert shown
        assert shown <= found, (path.name, shown - found)


def test_it_says_its_title_and_its_language_and_is_tagged(pdf):
    assert b"/Title (Activation Functions in Keras and PyTorch)" in pdf
    assert b"/Lang (en)" in pdf
    assert b"/Marked true" in pdf
    assert b"/DisplayDocTitle true" in pdf


def test_links_between_pages_lead_inside_and_none_to_a_file(pdf, whole):
    assert b"file:" not in b"".join(re.findall(rb"/URI " + STRING, pdf))
    places = paper.sheets(pdf)
    led = {name.decode() for name in re.findall(rb"/Dest /([^\s/>]+)", pdf)}
    assert len(led) > 200
    assert led <= set(places)
    assert "notebooks-02_relu" in led
    ids = re.findall(r'\sid="([^"]+)"', whole)
    assert len(ids) == len(set(ids))
    inside = set(re.findall(r'href="#([^"]+)"', whole))
    assert inside <= set(ids), inside - set(ids)


def test_nothing_is_left_that_only_a_screen_can_do(whole):
    body = whole.partition("<body>")[2]
    for tag in ("button", "form", "script", "select", "input", "noscript"):
        assert f"<{tag}" not in body
    assert "headerlink" not in body
    assert not re.search(r"It\s+needs\s+JavaScript", body)
    assert "<details" in body
    assert not re.search(r"<details(?![^>]*\bopen)", body)


def test_no_code_and_no_figure_is_cut_off(browser, whole, tmp_path):
    assert unfit(browser, whole, tmp_path) == []


# --- a small book, and what can go wrong ----------------------------------------------------------

MENU = """<nav class="bd-docs-nav"><li class="toctree-l1"><a href="#">Front</a></li>
<p><span class="caption-text">Part</span></p>
<li class="toctree-l1"><a href="../notebooks/01_a.html">A</a></li></nav>"""
PAGE = """<html><head><link rel="canonical" href="https://course.example/{name}.html"></head><body>
{menu}<article class="bd-article"><section id="s"><h1>{title}</h1>{body}</section></article>"""
POINT = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def small(folder: Path, body: str) -> Path:
    for name, title, text_ in (
        ("book/index", "Front", '<a href="../notebooks/01_a.html#s">to A</a>'),
        ("notebooks/01_a", "Title: A", body),
    ):
        path = folder / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        menu = MENU if name == "book/index" else ""
        path.write_text(PAGE.format(name=name, title=title, body=text_, menu=menu), "utf-8")
    return folder


def test_the_table_of_contents_says_on_which_sheet_a_page_lies(browser, tmp_path):
    many = "".join(f"<p>{'word ' * 200}</p>" for _ in range(30))
    site = small(tmp_path / "site", f"{many}<h2>Last</h2><p>(ends) – here</p>")
    target = tmp_path / "pdf" / "book.pdf"
    count = paper.write(browser, site, target)
    pdf = target.read_bytes()
    assert sorted(bookmarks(pdf)) == ["Contents", "Front", "Last", "Part", "Title: A"]
    places = paper.sheets(pdf)
    assert (places["book-index"], places["notebooks-01_a"]) == (3, 4)
    assert count > places["notebooks-01_a--s"] == 4
    assert "4</span>" in paper.numbered(paper.together(site), places)


def test_links_lead_inside_or_to_the_site(tmp_path):
    body = """<a href="../book/index.html">in</a> <a href="../book/lab.html#relu=1">out</a>
        <a href="#s">here</a> <a href="#gone">gone</a> <a href="https://doi.example/1">paper</a>"""
    html = paper.together(small(tmp_path, body))
    assert re.findall(r'<a href="([^"]+)">(in|out|here|gone|paper|to A)</a>', html) == [
        ("#notebooks-01_a--s", "to A"),
        ("#book-index", "in"),
        ("https://course.example/book/lab.html#relu=1", "out"),
        ("#notebooks-01_a--s", "here"),
        ("https://course.example/notebooks/01_a.html#gone", "gone"),
        ("https://doi.example/1", "paper"),
    ]


def test_a_figure_without_words_and_wide_code_are_noticed(browser, tmp_path):
    wide = f"<pre style='white-space: pre'>{'x' * 300}</pre>"
    bare = f'<img src="{POINT}" width="50" height="50">'
    html = paper.together(small(tmp_path, wide + bare.replace("<img", '<img alt="A red point"')))
    assert any("<pre" in problem for problem in unfit(browser, html, tmp_path))
    assert described(paper.printed(browser, html)) == {"A red point"}
    silent = paper.printed(browser, html.replace("A red point", ""))
    assert "A red point" not in described(silent)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(RuntimeError, match="run 'make book' first"):
        paper.together(tmp_path)
