"""The finished site made lighter: one style sheet, pruned; one script; icons as a small font.

Jupyter Book's theme brings 550 KB of style sheets, a font with two thousand icons, a dozen scripts
and, on every page, the index of the search. Here what every page has in common is put together,
without the rules that apply to nothing on the site and without the icons that nobody shows.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont

STYLE, SCRIPT = "_static/site.css", "_static/site.js"
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
"""Scripts that only the page of search results needs."""
IDLE = {
    "togglebutton.js": r'class="(?:[^"]* )?(?:toggle|admonition dropdown)[ "]',
    "design-tabs.js": "sd-tab-set",
}
"""Scripts that serve a kind of element, and the sign of it: they stay only where one is used."""
GONE = ("*.map", "fontawesome.js*", "fa-*.ttf", "fa-*.woff2")
"""Files that nothing on the site asks for any more."""

_LINK = re.compile(r'\s*<link\b(?=[^>]*\brel="stylesheet")[^>]*\bhref="([^"]+)"[^>]*>')
_SCRIPT = re.compile(r'\s*<script\b[^>]*\bsrc="([^"]+)"[^>]*></script>')
_PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
_OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')


# What the theme's scripts do at once, in one task that a slow phone takes half a second for, and
# the same in many short ones. First: each of their dozen starts, of which the first to ask for a
# size has the whole page laid out, in a task of its own. Then: they ask of every code block whether
# it scrolls, also of those in folds or far below, and write down the answer before they ask the
# next, so that each question lays out the page anew; a few are asked at a time, when there is
# nothing else to do.
PATIENT = {
    '"loading"!=document.readyState?t():document.addEventListener("DOMContentLoaded",t)': (
        '"loading"!=document.readyState?setTimeout(t):document.addEventListener('
        '"DOMContentLoaded",()=>setTimeout(t))'
    ),
    '"loading"!=document.readyState?e():document.addEventListener("DOMContentLoaded",e)': (
        '"loading"!=document.readyState?setTimeout(e):document.addEventListener('
        '"DOMContentLoaded",()=>setTimeout(e))'
    ),
    '"loading"!=document.readyState?e():document.addEventListener?': (
        '"loading"!=document.readyState?setTimeout(e):document.addEventListener?'
    ),
    ".forEach(e=>{e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1})": (
        ".forEach((e,i,all)=>{if(i)return;const idle=self.requestIdleCallback||setTimeout;let n=0;"
        "const look=()=>{const some=[...all].slice(n,n+=12),"
        "scrolls=some.map(a=>a.checkVisibility({contentVisibilityAuto:true})&&(a.scrollWidth>a.clientWidth||a.scrollHeight>a.clientHeight)?0:-1);"
        "some.forEach((a,k)=>{a.tabIndex===scrolls[k]||(a.tabIndex=scrolls[k])});"
        "n<all.length&&idle(look)};idle(look)})"
    ),
}


def lighten(site: Path) -> None:
    """Change all pages of a built site, and write what they share; does nothing the second time."""
    pages = {p: p.read_text("utf-8") for p in sorted(site.rglob("*.html")) if _is_page(p, site)}
    styles = shared(_LINK, pages, site)
    if not styles:
        return
    idle = [
        name for name, sign in IDLE.items() if not any(re.search(sign, t) for t in pages.values())
    ]
    scripts = shared(_SCRIPT, pages, site, without=(*SEARCH, *idle, "documentation_options.js"))
    ours = [p for p in (site / "_static").rglob("*.js") if not _is_foreign(p, site)]
    words = used(pages.values(), (path.read_text("utf-8") for path in {*scripts, *ours}))
    css = prune("\n".join(inlined(path, site) for path in styles), words)
    css = with_icons(css, site / "_static" / "vendor" / "fontawesome" / "webfonts")
    (site / STYLE).write_text(css, "utf-8")
    # A first statement, so that the "use strict" of one file does not hold for all.
    code = "0;\n" + "\n;\n".join(path.read_text("utf-8") for path in scripts)
    for at_once, bit_by_bit in PATIENT.items():
        code = code.replace(at_once, bit_by_bit)
    (site / SCRIPT).write_text(re.sub(r"//# sourceMappingURL=\S+", "", code), "utf-8")
    options = (site / "_static" / "documentation_options.js").read_text("utf-8").strip()
    for path, before in pages.items():
        up = "../" * (len(path.relative_to(site).parts) - 1)
        link = f'<link rel="stylesheet" href="{up}{_tag(site, STYLE)}" />'
        script = f'<script defer="defer" src="{up}{_tag(site, SCRIPT)}"></script>'
        html = _replaced(before, _LINK, path, styles, link)
        html = _replaced(html, _SCRIPT, path, scripts, script)
        html = _without(html, (*idle, *(() if path.name == "search.html" else SEARCH)))
        html = _OPTIONS.sub(lambda _: f"<script>{options}</script>", html)
        path.write_text(_PRELOAD.sub("", html), "utf-8")
    for path in styles + scripts:
        path.unlink()
    for pattern in GONE:
        for path in (site / "_static").rglob(pattern):
            path.unlink()


def _is_page(path: Path, site: Path) -> bool:
    return not path.is_relative_to(site / "_static") and path.name != "404.html"


def _is_foreign(path: Path, site: Path) -> bool:
    return bool({"scripts", "vendor"} & set(path.relative_to(site).parts))


def shared(
    pattern: re.Pattern[str], pages: dict[Path, str], site: Path, without: Iterable[str] = ()
) -> list[Path]:
    """The files of the site that every page loads, in the order of the first page."""
    found = []
    for path, html in pages.items():
        if pattern.search(html):  # a page that only leads elsewhere loads nothing
            found.append([_file(path, link) for link in pattern.findall(html)])
    common = set.intersection(*map(set, found)) if found else set()
    return [
        path
        for path in (found[0] if found else ())
        if path in common
        and path.is_relative_to(site.resolve())
        and path.name not in without
        and path != (site / STYLE).resolve()
    ]


def _file(page: Path, link: str) -> Path:
    return (page.parent / link.partition("?")[0]).resolve()


def _tag(site: Path, name: str) -> str:
    """The address of a file, another one when it changes."""
    return f"{name}?v={hashlib.sha256((site / name).read_bytes()).hexdigest()[:8]}"


def _replaced(html: str, pattern: re.Pattern[str], page: Path, files: list[Path], tag: str) -> str:
    """The page with one tag in the place of the first of some files, and without the others."""
    first = True

    def instead(found: re.Match[str]) -> str:
        nonlocal first
        if _file(page, found[1]) not in files:
            return found[0]
        text, first = ("\n    " + tag if first else ""), False
        return text

    return pattern.sub(instead, html)


def _without(html: str, names: Iterable[str]) -> str:
    ends = tuple(f"/{name}" for name in names)
    return _SCRIPT.sub(lambda m: "" if f"/{m[1].partition('?')[0]}".endswith(ends) else m[0], html)


# --- style sheets ---------------------------------------------------------------------------------


def inlined(path: Path, site: Path) -> str:
    """A style sheet with what it imports, its addresses seen from the folder of the shared one."""
    text = path.read_text("utf-8")
    text = re.sub(
        r'@import "([^"]+)";', lambda m: inlined((path.parent / m[1]).resolve(), site), text
    )
    home = (site / STYLE).resolve().parent

    def seen(found: re.Match[str]) -> str:
        address = found[1].strip("\"'")
        if re.match(r"data:|#|https?:|/", address):
            return found[0]
        return f"url({Path(os.path.relpath((path.parent / address).resolve(), home)).as_posix()})"

    return re.sub(r"url\(([^)]+)\)", seen, text)


def used(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Every class, id and element of the pages, and every word that a script might make one of."""
    found: set[str] = {"html", "body"}
    for html in pages:
        for names in re.findall(r'\b(?:class|id)="([^"]*)"', html):
            found.update(names.split())
        found.update(name.lower() for name in re.findall(r"<([a-zA-Z][\w-]*)", html))
    for text in scripts:
        for words in re.findall(r"""["'`.]([^"'`\n]{2,80}?)(?=["'`])""", text):
            found.update(re.findall(r"[A-Za-z][\w-]*", words))
    return found


def prune(css: str, words: set[str]) -> str:
    """The style sheet without the rules that apply to nothing, and without white space."""
    return _written(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), words)


def _written(rules: Iterable[Any], words: set[str]) -> str:
    parts = []
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in selectors(rule.prelude) if applies(s, words)]
            body = _body(rule.content)
            if kept and body:
                parts.append(f"{','.join(kept)}{{{body}}}")
        elif rule.type == "at-rule" and rule.content is not None:
            prelude = tinycss2.serialize(rule.prelude).strip()
            if rule.lower_at_keyword in ("media", "supports", "container", "layer"):
                inner = tinycss2.parse_rule_list(
                    rule.content, skip_comments=True, skip_whitespace=True
                )
                body = _written(inner, words)
            else:
                body = _body(rule.content)
            if body:
                parts.append(f"@{rule.at_keyword} {prelude}{{{body}}}")
    return "".join(parts)


def _body(content: list[Any]) -> str:
    text = tinycss2.serialize([token for token in content if token.type != "comment"])
    return re.sub(r"\s+", " ", text).strip().rstrip(";").strip()


def selectors(prelude: list[Any]) -> Iterator[str]:
    """The parts of a list of selectors."""
    part: list[Any] = []
    for token in [*prelude, None]:
        if token is None or (token.type == "literal" and token.value == ","):
            yield re.sub(r"\s+", " ", tinycss2.serialize(part)).strip()
            part = []
        elif token.type != "comment":
            part.append(token)


def applies(selector: str, words: set[str]) -> bool:
    """Whether there may be an element that a selector picks: it asks for nothing that is not there.

    What stands inside of ``:not(…)``, ``:is(…)`` and their kin is not looked at.
    """
    plain = re.sub(r"\[[^\]]*\]", "", selector)
    while (shorter := re.sub(r":[\w-]+\([^()]*\)", "", plain)) != plain:
        plain = shorter
    plain = re.sub(r"::?[\w-]+", "", plain)
    asked = re.findall(r"[.#]((?:\\.|[\w-])+)", plain)
    elements = re.findall(r"(?:^|[\s>+~])([a-zA-Z][\w-]*)", plain)
    asked = [re.sub(r"\\(.)", r"\1", name) for name in asked]
    return all(name in words for name in asked) and all(e.lower() in words for e in elements)


# --- icons ----------------------------------------------------------------------------------------

_FACE = re.compile(r"@font-face ?\{[^}]*\}")


def with_icons(css: str, fonts: Path) -> str:
    """The style sheet with its icon fonts inside it, each cut down to the icons it names."""
    codes = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", css)}
    codes |= {ord(letter) for letter in re.findall("[\ue000-\uf8ff]", css)}
    seen: set[tuple[str, str]] = set()

    def small(found: re.Match[str]) -> str:
        address = re.search(r"url\(([^)]*webfonts/(fa-[\w-]+)\.woff2)\)", found[0])
        if address is None:
            return found[0]
        family = re.search(r"font-family:\s*([^;}]+)", found[0])
        weight = re.search(r"font-weight:\s*(\w+)", found[0])
        key = (family[1].strip("\"'") if family else "", weight[1] if weight else "")
        rest = css.replace(found[0], "")
        if key in seen or key[0].replace("\\", "") not in rest.replace("\\", ""):
            return ""
        data = cut(fonts / f"{address[2]}.ttf", codes)
        if data is None:
            return ""
        seen.add(key)
        source = f'src:url(data:font/woff;base64,{data}) format("woff")'
        return re.sub(r"src:.*(?=\})", lambda _: source, found[0])

    return _FACE.sub(small, css)


def cut(font: Path, codes: set[int]) -> str | None:
    """A font with these letters only, as WOFF in base64; None if it has none of them."""
    loaded = TTFont(font)
    wanted = codes & set(loaded.getBestCmap())
    if not wanted:
        return None
    options = subset.Options()
    options.flavor, options.hinting, options.notdef_outline = "woff", False, False
    options.layout_features, options.name_IDs, options.drop_tables = (
        [],
        [],
        [*options.drop_tables, "FFTM"],
    )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(loaded)
    loaded.flavor = "woff"
    buffer = io.BytesIO()
    loaded.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode()
