"""The whole book as one PDF, with bookmarks and tagged figures.

    make pdf        (python -m actlab_class.paper [--into FILE])

The built pages are put together as one page, in the order of the table of contents, with every fold
open and every link between them leading inside; Chromium prints that page at once, because tags and
bookmarks do not survive the joining of files. It is printed twice: the first time tells on which
page each heading lands, which the table of contents then says.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from actlab_class.bundle import version
from actlab_class.slides import COURSE, ROOT, chromium

HERE = Path(__file__).parent
SCALE = 0.8  # of a screen's letters: a sheet is then as wide as a small window
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu")
START = "book/index"
NEEDS_A_SCREEN = "form, button, script, noscript, .headerlink, .print, .more, .toctree-wrapper"
NEEDS_SCRIPTS = re.compile(r"It\s+needs\s+JavaScript[^.]*\.\s*")
Places = Mapping[Path, Mapping[str, str]]
"""Page → name of a place on it, empty for all of it → that place's name in the book."""
POINTS = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
"""Attributes that name other elements."""


@dataclass(frozen=True)
class Page:
    """One page of the site: its name without ending, its file, the part it opens, its depth."""

    name: str
    path: Path
    part: str
    depth: int

    @property
    def slug(self) -> str:
        """A word that no other page has: the first of all its ids."""
        return self.name.replace("/", "-")

    @cached_property
    def soup(self) -> BeautifulSoup:
        """What is in the file."""
        return BeautifulSoup(self.path.read_text("utf-8"), "html.parser")

    @cached_property
    def article(self) -> Tag:
        """The page without what stands around it."""
        found = self.soup.select_one("article.bd-article")
        if found is None:
            raise RuntimeError(f"{self.path} has no article: run 'make book' again.")
        return found

    @cached_property
    def title(self) -> str:
        """Its first heading."""
        heading = self.article.select_one("h1")
        if heading is None:
            raise RuntimeError(f"{self.path} has no heading.")
        return " ".join(heading.get_text().removesuffix("#").split())


def contents(site: Path) -> list[Page]:
    """The pages in the order of the site's own table of contents."""
    start = site / f"{START}.html"
    if not start.is_file():
        raise RuntimeError("the site is not built: run 'make book' first.")
    menu = BeautifulSoup(start.read_text("utf-8"), "html.parser").select_one("nav.bd-docs-nav")
    assert menu is not None, start
    pages, part = [], ""
    for node in menu.select(".caption-text, li > a"):
        if node.name == "span":
            part = node.get_text(strip=True)
            continue
        address = str(node["href"])
        path = start if address == "#" else (start.parent / unquote(address)).resolve()
        depth = int(re.findall(r"toctree-l(\d)", " ".join(node.parent["class"]))[0])
        name = path.relative_to(site.resolve()).with_suffix("").as_posix()
        pages.append(Page(name, path, part, depth))
        part = ""
    return pages


# --- one page of all ------------------------------------------------------------------------------


def together(site: Path) -> str:
    """All pages as one; :func:`numbered` says on which sheet each stands."""
    pages = contents(site.resolve())
    styles = {str(path): None for page in pages for path in style_sheets(page)}
    for page in pages:
        on_paper(page.article, home(page))
    lines = "".join(listed(pages))  # while each page has its own headings, and below, its own ids
    places = {
        page.path: {"": page.slug} | {name: f"{page.slug}--{name}" for name in ids(page)}
        for page in pages
    }
    body = "".join(placed(page, places) for page in pages)
    frame = (HERE / "paper.html").read_text("utf-8")
    for name, value in {
        "TITLE": escape(COURSE),
        "VERSION": version(ROOT),
        "HOME": re.sub(rf"{START}\.html$", "", home(pages[0])),
        "STYLES": "\n".join(f'<link rel="stylesheet" href="{Path(p).as_uri()}">' for p in styles),
        "CONTENTS": lines,
        "PAGES": body,
    }.items():
        frame = frame.replace(f"%%{name}%%", value)
    return frame


def style_sheets(page: Page) -> Iterator[Path]:
    """What dresses a page."""
    for link in page.soup.select('head link[rel="stylesheet"]'):
        yield (page.path.parent / urlsplit(str(link["href"])).path).resolve()


def home(page: Page) -> str:
    """A page's own address on the web."""
    link = page.soup.select_one('link[rel="canonical"]')
    assert link is not None, page.path
    return str(link["href"])


def ids(page: Page) -> list[str]:
    """The names of places on a page."""
    return [str(node["id"]) for node in page.article.select("[id]")]


def opened(page: Page) -> str:
    """The heading of the part that a page opens, if it does."""
    return f'<h1 class="part">{escape(page.part)}</h1>' if page.part else ""


def listed(pages: Sequence[Page]) -> Iterator[str]:
    """The lines of the table of contents."""
    for page in pages:
        if page.part:
            yield f'<li class="l0">{escape(page.part)}</li>'
        yield (
            f'<li class="l{page.depth}"><a href="#{page.slug}">{escape(page.title)}</a>'
            f'<span data-sheet="{page.slug}"></span></li>'
        )


def numbered(whole: str, found: Mapping[str, int]) -> str:
    """The page of all with a sheet's number at each line of its table of contents."""
    return re.sub(
        r'(<span data-sheet="([^"]+)">)[^<]*', lambda m: f"{m[1]}{found.get(m[2], 0)}", whole
    )


def placed(page: Page, places: Places) -> str:
    """A page's article in its place in the book, below the heading of a part that it opens."""
    article = page.article
    for node in article.find_all(True):
        named(node, page)
        for name in ("href", "xlink:href"):
            if name in node.attrs and node.name in ("a", "use"):
                node[name] = leads(str(node[name]), page, places)
    below = page.depth if page.name != START else 0
    for level in range(6, 0, -1):  # below the part and, where there is one, the page above
        for heading in article.find_all(f"h{level}"):
            heading.name = f"h{min(6, level + below)}"
            heading["class"] = [*heading.get("class", []), f"was-h{level}"]
    return (
        f'<div class="page" id="{page.slug}">{opened(page)}'
        f'<article class="bd-article">{article.decode_contents()}</article></div>'
    )


def on_paper(article: Tag, address: str) -> None:
    """What a screen does by itself: folds are open, choices are circles, and nothing moves."""
    for node in article.select(NEEDS_A_SCREEN):
        node.decompose()
    for fold in article.select("details"):
        fold["open"] = ""
    for choice in article.select('input[type="radio"], input[type="checkbox"]'):
        choice.replace_with("○ " if choice.get("type") == "radio" else "☐ ")
    for piece in article.select("[data-actlab], [data-translate]"):
        said = piece.select_one(".al-fallback")
        if said is not None and (first := said if said.name == "p" else said.select_one("p")):
            for text in first.find_all(string=NEEDS_SCRIPTS):
                text.replace_with(NEEDS_SCRIPTS.sub("", str(text)))
            first.append(
                BeautifulSoup(f' <a href="{address}">On the site it moves.</a>', "html.parser")
            )
    for section in article.select("section:not(:has(> :not(h2)))"):  # what stood in it is gone
        section.decompose()
    for picture in article.select("a.image-reference"):  # leads to itself alone
        picture.unwrap()


def named(node: Tag, page: Page) -> None:
    """Give an element, and what it points to, names that no other page has."""
    if "id" in node.attrs:
        node["id"] = f"{page.slug}--{node['id']}"
    for name in POINTS:
        if name in node.attrs:
            words = node[name] if isinstance(node[name], list) else str(node[name]).split()
            node[name] = " ".join(f"{page.slug}--{word}" for word in words)
    for name, value in list(node.attrs.items()):
        if isinstance(value, str) and "url(#" in value:
            node[name] = value.replace("url(#", f"url(#{page.slug}--")
    if node.name == "img":
        node.attrs.pop("loading", None)
        if not urlsplit(str(node["src"])).scheme:
            node["src"] = (page.path.parent / unquote(str(node["src"]))).resolve().as_uri()


def leads(address: str, page: Page, places: Places) -> str:
    """Where a link leads in the book: inside where its place is there, else to the site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return address
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    place = places.get(path, {}).get(unquote(parts.fragment))
    return urljoin(home(page), address) if place is None or parts.query else f"#{place}"


# --- printing -------------------------------------------------------------------------------------


def sheets(pdf: bytes) -> dict[str, int]:
    """The number of the sheet on which each named place of a PDF lies, as Chromium writes them."""
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL)
    }
    catalog = next(body for body in objects.values() if body.startswith(b"<</Type /Catalog"))

    def pages(number: int) -> Iterator[int]:
        kids = re.search(rb"/Kids \[([^\]]*)\]", objects[number])
        if kids is None:
            yield number
            return
        for kid in re.findall(rb"(\d+) 0 R", kids[1]):
            yield from pages(int(kid))

    def root(name: bytes) -> int:
        return int(re.search(rb"/%s (\d+) 0 R" % name, catalog)[1])

    place = {page: sheet for sheet, page in enumerate(pages(root(b"Pages")), 1)}
    names = re.findall(rb"/([^\s/\[]+) \[(\d+) 0 R", objects[root(b"Dests")])
    return {name.decode(): place[int(page)] for name, page in names}


def printed(browser: Any, html: str) -> bytes:
    """One page of HTML as a PDF."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "book.html"
        source.write_text(html, "utf-8")
        page = browser.new_page()
        page.goto(source.as_uri(), timeout=120_000)
        pdf = page.pdf(
            scale=SCALE, tagged=True, outline=True, prefer_css_page_size=True, print_background=True
        )
        page.close()
    return bytes(pdf)


def write(browser: Any, site: Path, target: Path) -> int:
    """Print the book of a built site; the number of its sheets."""
    whole = together(site)
    first = sheets(printed(browser, whole))
    pdf = printed(browser, numbered(whole, first))
    if sheets(pdf) != first:
        raise RuntimeError("the numbers in the table of contents moved the pages that they name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the PDF anew."""
    from playwright.sync_api import Error, sync_playwright

    parser = argparse.ArgumentParser(prog="make pdf", description="The whole book as one PDF.")
    built = ROOT / "_build"
    parser.add_argument("--into", type=Path, default=built / "pdf" / "activation-functions.pdf")
    parser.add_argument("--site", type=Path, default=built / "html")
    chosen = parser.parse_args(arguments)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium() or None, args=FLAGS)
            count = write(browser, chosen.site, chosen.into)
    except Error as error:
        raise RuntimeError(
            "no Chromium: install the package chromium, set ACTLAB_CHROMIUM, or run "
            f"'playwright install chromium' ({str(error).splitlines()[0]})"
        ) from error
    print(f"{chosen.into}: {count} pages, {chosen.into.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
