"""What a finished page must be like; every check returns the problems it found, in words."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))

from actlab_site import finish

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
FILE_ENDINGS = (".png", ".svg", ".jpg", ".jpeg", ".gif", ".webp")


# --- what can be read off the file ----------------------------------------------------------------


@dataclass
class Parsed(HTMLParser):
    """Ids, links and images of one page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    takes_settings: bool = False  # a piece of the lab reads its settings from the address

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found[key] or "" for key in ("id", "name") if key in found}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        if tag == "img":
            self.images.append(found)
        self.takes_settings |= "data-own" in found


@functools.lru_cache(maxsize=500)
def parse(path: Path) -> Parsed:
    parsed = Parsed()
    parsed.feed(path.read_text(encoding="utf-8"))
    return parsed


def html_files(site: Path) -> list[Path]:
    """Every page, without what merely redirects and without the theme's own files."""
    found = (p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)
    return sorted(p for p in found if 'http-equiv="Refresh"' not in p.read_text("utf-8")[:500])


def link_problems(path: Path, site: Path) -> list[str]:
    """Links inside the site whose page or anchor does not exist."""
    problems = []
    for link in parse(path).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(site.resolve()) or not target.is_file():
            problems.append(f"{link}: no such page")
        elif parts.fragment and target.suffix == ".html":
            fragment = unquote(parts.fragment)
            if parse(target).takes_settings and "=" in fragment:
                continue
            if fragment not in parse(target).ids:
                problems.append(f"{link}: no such place on the page")
    return problems


def image_problems(path: Path) -> list[str]:
    """Images without size or without an alt text that says something."""
    problems = []
    for image in parse(path).images:
        source, alt = image.get("src"), (image.get("alt") or "").strip()
        if len(alt.split()) < 2 or alt.lower().endswith(FILE_ENDINGS):
            problems.append(f"{source}: alt text {alt!r} says nothing")
        if not (image.get("width") or "").isdigit() or not (image.get("height") or "").isdigit():
            problems.append(f"{source}: no width and height")
    return problems


HEAVIEST = 280_000  # bytes of a first visit, text packed, all pictures seen
MOST = 25  # requests
SCRIPTS = 60_000  # bytes, packed; the search page alone brings its index
ELEMENTS = 6_000
LONG = {"disagreements.html": 12_000}  # its entries are folded, and what is folded is not laid out
LOADED = r'<(?:script|img)\b[^>]*\bsrc="([^"#]+)"|<link\b(?=[^>]*stylesheet)[^>]*\bhref="([^"]+)"'


def weight_problems(path: Path, site: Path) -> list[str]:
    """Whether a page and all that it loads (but the lab) is heavier than a first visit may be."""
    text = path.read_text("utf-8")
    links = {first or second for first, second in re.findall(LOADED, text)}
    own = {link for link in links if not urlsplit(link).scheme}
    files_ = [path, *((path.parent / unquote(urlsplit(link).path)) for link in own)]
    if "<math" in text:
        files_.append(site / "_static" / "vendor" / "stix-two-math" / "math.woff")
    packed = (".html", ".css", ".js", ".svg")
    sizes = [
        len(gzip.compress(file.read_bytes(), 6)) if file.suffix in packed else file.stat().st_size
        for file in files_
        if file.is_file()
    ]
    problems = []
    if sum(sizes) > HEAVIEST:
        problems.append(f"{sum(sizes) / 1000:.0f} KB, more than {HEAVIEST / 1000:.0f}")
    if len(files_) > MOST:
        problems.append(f"{len(files_)} requests, more than {MOST}")
    scripts = sum(
        size
        for file, size in zip((f for f in files_ if f.is_file()), sizes, strict=True)
        if file.suffix == ".js"
    )
    if scripts > SCRIPTS and path.name != "search.html":
        problems.append(f"{scripts / 1000:.0f} KB of scripts, more than {SCRIPTS / 1000:.0f}")
    elements, most = len(re.findall(r"<[a-z]", text)), LONG.get(path.name, ELEMENTS)
    if elements > most:
        problems.append(f"{elements} elements, more than {most}")
    return problems


# --- what only a browser can tell -----------------------------------------------------------------


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The site on a free port of this machine; yields its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            # A page that is written twice in a second has one date: the second must be asked for.
            self.send_header("Cache-Control", "no-store")
            super().end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Visit:
    """One page opened with the network closed: what it asked for and what it complained about."""

    page: Any
    address: str
    problems: list[str] = field(default_factory=list)

    def open(self, name: str) -> Visit:
        self.page.route("**/*", self._same_host_only)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self.page.on("response", self._response)
        self.page.goto(f"{self.address}/{name}", wait_until="load")
        return self

    def _same_host_only(self, route: Any) -> None:
        if route.request.url.startswith((f"{self.address}/", "data:", "blob:")):
            route.continue_()
        else:
            self.problems.append(f"asked another host: {route.request.url}")
            route.abort()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console error: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.problems.append(f"status {response.status}: {response.url}")


def math_problems(page: Any) -> list[str]:
    """Formulas that were not converted, or whose font did not arrive."""
    found = page.evaluate(
        """async () => {
            await document.fonts.ready;
            const shown = [...document.querySelectorAll("article .math")];
            // What is folded away is not drawn, and asks for no font.
            const drawn = [...document.querySelectorAll("article .math math")];
            const math = drawn.find((formula) => formula.checkVisibility());
            return {
                left: shown.filter((formula) => !formula.querySelector("math")).length,
                font: !math || [...document.fonts].some((font) =>
                    font.family.includes("Course Math") && font.status === "loaded"),
            };
        }"""
    )
    problems = [f"{found['left']} formulas are not set"] if found["left"] else []
    return problems if found["font"] else [*problems, "the formulas have no font of their own"]


# The pictures of intervals in a card are as wide as the room that their names leave them; where a
# card is folded, it is opened to see.
CRAMPED = """() => [...document.querySelectorAll(".verdict-card")].flatMap((card) => {
    const fold = card.closest("details:not([open])");
    if (fold) fold.open = true;
    const end = card.getBoundingClientRect().right + 1;
    const outside = [...card.querySelectorAll("table.intervals *, caption")]
        .filter((part) => !part.closest("details") && part.tagName !== "text")
        .filter((part) => part.getBoundingClientRect().right > end).length;
    const narrow = [...card.querySelectorAll("table.intervals svg[role=img]")]
        .filter((picture) => picture.getBoundingClientRect().width < 100).length;
    const name = card.querySelector(".statement, .finding")?.textContent;
    if (fold) fold.open = false;
    return [
        ...(outside ? [`a card's picture runs out of it: ${name}`] : []),
        ...(narrow ? [`a card's picture is too narrow: ${name}`] : []),
    ];
})"""


# What code scrolls, the keyboard reaches; on a phone it wraps, and nothing need be reached.
REACHED = """() => [...document.querySelectorAll("pre")].every(
    (code) => code.scrollWidth <= code.clientWidth || code.tabIndex === 0)"""


def lay_out(page: Any) -> None:
    """Lay out all sections, also those to which no reader has come yet."""
    page.add_style_tag(content="article section { content-visibility: visible !important }")
    page.evaluate("dispatchEvent(new Event('resize'))")


def overflow_problems(page: Any) -> list[str]:
    """Whether the page is wider than a phone, or something on it is cut off there."""
    from playwright.sync_api import TimeoutError as Late

    page.set_viewport_size(PHONE)
    page.evaluate("document.querySelectorAll('.more input').forEach((box) => (box.checked = true))")
    width = page.evaluate("document.documentElement.scrollWidth")
    problems = [f"on a phone {problem}" for problem in page.evaluate(CRAMPED)]
    page.set_viewport_size(DESK)
    with suppress(Late):  # else axe tells: the theme looks when the machine is idle
        page.wait_for_function(REACHED, timeout=20_000)
    if width > PHONE["width"]:
        problems.append(f"{width} px wide on a screen of {PHONE['width']}")
    return problems


# Axe takes minutes over thousands of elements that are alike. Code tokens of one kind on one kind
# of ground have one colour, and the rows of a table alternate two: the first stand for the rest.
THIN_OUT = """() => {
    const seen = new Set();
    const unwrap = (element) => element.replaceWith(...element.childNodes);
    for (const token of document.querySelectorAll("div.highlight span[class]")) {
        const kind = token.className + token.closest("div.highlight").parentElement.className;
        if (seen.has(kind)) unwrap(token);
        seen.add(kind);
    }
    document.querySelectorAll("code.literal > span.pre").forEach(unwrap);
    document.querySelectorAll("tbody tr:nth-child(n+5)").forEach((row) => row.remove());
    document.querySelectorAll("pre, code").forEach((code) => code.normalize());
}"""


def axe_problems(page: Any, theme: str) -> list[str]:
    """Accessibility violations in one colour scheme."""
    page.evaluate(
        """(theme) => {
            document.documentElement.dataset.mode = theme;
            document.documentElement.dataset.theme = theme;
            document.getAnimations().forEach((animation) => animation.finish());
        }""",
        theme,
    )
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    # preload would fetch style sheets again, from addresses that axe gets wrong.
    page.evaluate(THIN_OUT)
    result = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")
    return [
        f"{theme}: {violation['id']}: {' '.join(node['html'].split())[:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def browser_problems(page: Any, address: str, name: str) -> list[str]:
    """Everything a browser can tell about one page."""
    visit = Visit(page, address).open(name)
    lay_out(page)
    problems = math_problems(page) + overflow_problems(page)
    for theme in ("light", "dark"):
        problems += axe_problems(page, theme)
    return [*visit.problems, *problems]


def listed(problems: Iterable[str]) -> str:
    return "\n".join(problems)


# --- launch buttons and vendored files ------------------------------------------------------------


def launch_problems(path: Path, name: str, settings: dict[str, Any], root: Path) -> list[str]:
    """Whether Colab and Binder buttons lead to this notebook's learner's edition, if it has one."""
    notebook = Path(name).with_suffix(".ipynb").as_posix()
    learners = finish.learners(notebook)
    notebook = learners if (root / learners).is_file() else notebook
    repository = settings["repository"]
    owner = "/".join(repository["url"].split("/")[-2:])
    branch = repository["branch"]
    wanted = {
        f"https://mybinder.org/v2/gh/{owner}/{branch}?urlpath=lab/tree/{notebook}",
        f"https://colab.research.google.com/github/{owner}/blob/{branch}/{notebook}",
    }
    problems = [f"no button to {url}" for url in sorted(wanted - set(parse(path).links))]
    if not (root / notebook).is_file():
        problems.append(f"{notebook} is not in the repository")
    return problems


BUTTONS = {
    "Binder": r"https://mybinder\.org/v2/gh/([^/]+/[^/]+)/([^/?]+)\?urlpath=lab/tree/(.+)",
    "Colab": r"https://colab\.research\.google\.com/github/([^/]+/[^/]+)/blob/([^/]+)/(.+)",
}


def opened_problems(
    links: Iterable[str], chapter: str, settings: dict[str, Any], root: Path, tracked: Iterable[str]
) -> list[str]:
    """What a learner would not get who presses a chapter's buttons, piece by piece of each link.

    The repository and the branch that the site is made from; a file that the branch holds, which
    is the learner's edition; and in it nothing that has been run.
    """
    problems = []
    repository = "/".join(settings["repository"]["url"].split("/")[-2:])
    for service, pattern in BUTTONS.items():
        found = {match.groups() for link in links if (match := re.fullmatch(pattern, link))}
        if len(found) != 1:
            problems.append(f"{service}: {len(found)} buttons")
            continue
        [(owner, branch, file)] = found
        if owner != repository:
            problems.append(f"{service}: the repository {owner} instead of {repository}")
        if branch != settings["repository"]["branch"]:
            problems.append(f"{service}: the branch {branch}")
        if file != f"notebooks/learner/{chapter}.ipynb":
            problems.append(f"{service}: {file} is not the learner's edition")
        if file not in tracked:
            problems.append(f"{service}: {file} is not in the repository")
            continue
        cells = json.loads((root / file).read_text("utf-8"))["cells"]
        if any(cell.get("outputs") for cell in cells):
            problems.append(f"{service}: {file} has been run")
    return problems


def manifest_problems(folder: Path) -> list[str]:
    """Files that differ from the manifest, are missing from it, or have no licence beside them."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    problems = [
        f"{name}: not as in the manifest"
        for name in sorted(found.keys() | manifest["files"].keys())
        if found.get(name) != manifest["files"].get(name)
    ]
    problems += [f"no {key}" for key in ("name", "version", "licence") if not manifest.get(key)]
    return problems if "LICENSE" in found else [*problems, "no LICENSE"]


# --- chapters -------------------------------------------------------------------------------------

# What is wider than its frame, or too small to read; folded parts are opened first.
_UNFIT = """([width, least]) => {
    document.querySelectorAll("details").forEach((fold) => (fold.open = true));
    const article = document.querySelector("article");
    const problems = [];
    const name = (part) => (part.innerText || part.alt || "").trim().split("\\n")[0].slice(0, 50);
    const shown = (part) => part.getClientRects().length > 0;
    const size = (part) => parseFloat(getComputedStyle(part).fontSize);
    for (const part of article.querySelectorAll("pre, table, .cell_output")) {
        if (!shown(part)) continue;
        const frame = part.tagName === "TABLE" ? part.parentElement : part;
        if (frame.scrollWidth > frame.clientWidth + 1)
            problems.push(`scrolls sideways, ${frame.scrollWidth} px: ${name(part)}`);
        const styled = getComputedStyle(frame).overflowX;
        if (["hidden", "clip"].includes(styled) && frame.scrollWidth > frame.clientWidth + 1)
            problems.push(`is cut off: ${name(part)}`);
        if (part.classList.contains("cell_output")) continue;
        if (size(part) < least) problems.push(`${size(part)} px are too small: ${name(part)}`);
    }
    for (const cell of article.querySelectorAll("table:not(.intervals) :is(td, th)")) {
        const text = cell.innerText.trim();
        if (shown(cell) && text.length > 8 && cell.clientWidth < 40)
            problems.push(`a column of ${cell.clientWidth} px: ${name(cell)}`);
    }
    for (const picture of article.querySelectorAll("img")) {
        const box = picture.getBoundingClientRect(), around = article.getBoundingClientRect();
        if (!shown(picture)) problems.push(`is not shown: ${name(picture)}`);
        else if (box.left < around.left - 1 || box.right > around.right + 1)
            problems.push(`runs out of the page: ${name(picture)}`);
        else if (width < 1000 && picture.closest(".cell_output") &&
                box.width < Math.min(width, picture.getAttribute("width")) - 1)
            problems.push(`is only ${box.width} px wide: ${name(picture)}`);
        else if (box.width > 120 && Math.abs(box.width / box.height -
                picture.getAttribute("width") / picture.getAttribute("height")) > 0.05)
            problems.push(`is squeezed: ${name(picture)}`);
    }
    return problems;
}"""
READABLE = 11  # px, of code and tables


def chapter_problems(page: Any) -> list[str]:
    """What scrolls sideways at a desk, is unreadable on a phone, or is clipped."""
    problems = []
    lay_out(page)
    for where, size in (("at a desk", DESK), ("on a phone", PHONE)):
        page.set_viewport_size(size)
        found = page.evaluate(_UNFIT, [size["width"], READABLE])
        problems += [f"{where}: {problem}" for problem in found]
    page.set_viewport_size(DESK)
    return problems
