"""The last touch on every finished page: lighter, steadier, more accessible.

Each step is a small function from HTML to HTML and changes nothing when it is applied twice,
because an incremental build leaves unchanged pages as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from PIL import Image
from sphinx.util import logging

from actlab import claims
from actlab_site import feed, ledger, lighter, lost, reference

logger = logging.getLogger(__name__)

_IMG = re.compile(r"<img\b[^>]*>")
_LENGTH = re.compile(r"\b(width|height):\s*(\d+(?:\.\d+)?)(px|%)")


def finish_site(app: Any, error: Exception | None) -> None:
    """Finish every page of a successful HTML build."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    (site / "404.html").write_text(lost.page_of(app), encoding="utf-8")
    tried = claims.all()
    text = feed.feed(tried, app.config.html_title, app.config.html_baseurl)
    homes = {ledger.label(claim): ledger.address(claim) for claim in tried}
    (site / feed.NAME).write_text(text, encoding="utf-8")
    for path in sorted(site.rglob("*.html")):
        if path.is_relative_to(site / "_static"):
            continue
        name = path.relative_to(site).with_suffix("").as_posix()
        before = path.read_text(encoding="utf-8")
        after = to_entries(finish_page(before, name, path.parent), homes)
        if (Path(app.srcdir) / learners(f"{name}.ipynb")).is_file():
            after = launch_learners(after, name)
        for picture in without_alt(after):
            logger.warning("%s: %s has no alt text that says what is to be seen", name, picture)
        if after != before:
            path.write_text(after, encoding="utf-8")
    lighter.lighten(site)


def finish_page(html: str, name: str, folder: Path) -> str:
    """All steps on one page; ``folder`` is where its relative addresses start."""
    for step in (
        without_icon_script,
        settled_theme,
        deferred_scripts,
        named_controls,
        without_idle_elements,
    ):
        html = step(html)
    html = sized_images(html, lambda address: picture_size(folder, address))
    return edit_link(html, name)


def without_icon_script(html: str) -> str:
    """Drop FontAwesome's 1.5 MB of JavaScript: the theme's style sheet has the icons as a font."""
    return re.sub(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>", "", html)


# As the theme's own script decides later, when the page has been styled once in vain.
SETTLED = """document.documentElement.dataset.theme = ((mode) => mode === "light" || mode === "dark"
      ? mode : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")(
      localStorage.getItem("mode") || "auto");"""


def settled_theme(html: str) -> str:
    """Decide between light and dark before anything is drawn."""
    late = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
    return html.replace(late, SETTLED)


def deferred_scripts(html: str) -> str:
    """Let the text appear before the scripts run.

    ``documentation_options.js`` stays: a script inside the page sets a field of its object.
    """
    return re.sub(
        r"<script (?=[^>]*\bsrc=)(?![^>]*\b(?:defer|async)\b)(?![^>]*documentation_options)",
        '<script defer="defer" ',
        html,
    )


def named_controls(html: str) -> str:
    """Give a screen reader the names that the theme, pandas and Markdown leave out."""
    html = re.sub(
        r'(<div id="pst-primary-sidebar"(?![^>]*\brole=))',
        r'\1 role="navigation" aria-label="Course"',
        html,
    )
    html = re.sub(
        r'<summary>(?=<span class="toctree-toggle")', '<summary aria-label="Pages below">', html
    )
    html = re.sub(r"<th[^>]*>\s*(<p>\s*</p>)?\s*</th>", "<td></td>", html)  # a corner is no header
    # A task-list item's own text is its checkbox's label.
    return re.sub(
        r'<input class="task-list-item-checkbox"(?! aria-label)([^>]*)>([^<]*)',
        lambda m: (
            f'<input class="task-list-item-checkbox" aria-label="{escape(m[2].strip())}"'
            f"{m[1]}>{m[2]}"
        ),
        html,
    )


def without_idle_elements(html: str) -> str:
    """Drop the elements that no style sheet here means: words in code, lone paragraphs in cells."""
    html = re.sub(r'<span class="pre">([^<]*)</span>', r"\1", html)
    return re.sub(
        r"(<t[dh]\b[^>]*>)<p>((?:(?!</?p\b).)*)</p>\s*(</t[dh]>)", r"\1\2\3", html, flags=re.S
    )


def sized_images(html: str, size_of: Callable[[str], tuple[int, int] | None]) -> str:
    """Write width and height on every image, so that nothing jumps, and load late ones late.

    ``size_of`` gives an image's size in pixels from its address, or None if it cannot be read.
    """
    first = True

    def sized(match: re.Match[str]) -> str:
        nonlocal first
        tag = match[0]
        size = size_of(attribute(tag, "src") or "")
        if size is not None:
            tag = with_size(tag, *size)
        if first:  # the first picture is often what the reader is waiting for
            first = False
            return tag
        return tag if attribute(tag, "loading") else add_attribute(tag, "loading", "lazy")

    return _IMG.sub(sized, html)


def with_size(tag: str, width: int, height: int) -> str:
    """The tag with ``width`` and ``height``; a width asked for in the page keeps its say."""
    style = attribute(tag, "style") or ""
    asked = {name: float(value) for name, value, unit in _LENGTH.findall(style) if unit == "px"}
    if (given := attribute(tag, "width")) and given.removesuffix("px").isdigit():
        asked.setdefault("width", float(given.removesuffix("px")))
    if "width" in asked:
        height, width = round(height * asked["width"] / width), round(asked["width"])
    elif "height" in asked:
        height, width = round(asked["height"]), round(width * asked["height"] / height)
    return add_attribute(add_attribute(tag, "width", str(width)), "height", str(height))


def attribute(tag: str, name: str) -> str | None:
    """The value of an attribute of a tag, unescaped; None where it has none."""
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    return None if match is None else unescape(match[1])


def add_attribute(tag: str, name: str, value: str) -> str:
    """The tag with the attribute set, in the place of an earlier value if it has one."""
    written = f' {name}="{escape(value)}"'
    if attribute(tag, name) is not None:
        return re.sub(rf'\s{name}="[^"]*"', lambda _: written, tag, count=1)
    return re.sub(r"\s*(/?)>$", rf"{written}\1>", tag)


@lru_cache
def picture_size(folder: Path, address: str) -> tuple[int, int] | None:
    """The size in pixels of the image at an address relative to ``folder``, if it is a file."""
    parts = urlsplit(address)
    path = folder / unquote(parts.path)
    if parts.scheme or not path.is_file():
        return None
    if path.suffix == ".svg":
        return _svg_size(path.read_text(encoding="utf-8"))
    with Image.open(path) as image:
        return image.size


def _svg_size(text: str) -> tuple[int, int] | None:
    match = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', text)
    return None if match is None else (round(float(match[1])), round(float(match[2])))


def without_alt(html: str) -> list[str]:
    """The images of a page whose alt text is missing, empty or a file's name."""
    return [
        attribute(tag, "src") or tag
        for tag in _IMG.findall(html)
        if not is_meaningful(attribute(tag, "alt"))
    ]


def is_meaningful(alt: str | None) -> bool:
    """Whether an alt text says something: words, not a path, a file name or a hash."""
    return (
        alt is not None
        and len(alt.split()) >= 2
        and not re.search(r"\.(png|svg|jpe?g|gif|webp)$", alt.strip())
    )


def learners(notebook: str) -> str:
    """Where the learner's edition of a notebook lies: ``notebooks/learner/02_relu.ipynb``."""
    folder, _, name = notebook.rpartition("/")
    return f"{folder}/learner/{name}"


def launch_learners(html: str, name: str) -> str:
    """Colab and Binder open the edition in which nothing has been run; its header links to this."""
    notebook = re.escape(f"{name}.ipynb")
    return re.sub(
        rf'(href="https://(?:mybinder\.org|colab\.research\.google\.com)/[^"]*?/){notebook}"',
        lambda found: f'{found[1]}{learners(f"{name}.ipynb")}"',
        html,
    )


def to_entries(html: str, homes: dict[str, str]) -> str:
    """Links to a claim's line in the ledger lead to its entry at once."""
    return re.sub(r"\bclaims\.html#([\w-]+)", lambda found: homes.get(found[1], found[0]), html)


def edit_link(html: str, name: str) -> str:
    """On a generated page "suggest edit" leads to the file that the page is made from."""
    source = reference.source_of(name)
    if source is None:
        return html
    return re.sub(rf"(/edit/[^/\"]+/){re.escape(name)}\.md", rf"\g<1>{source}", html)
