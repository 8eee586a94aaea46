"""The site made lighter: what goes is what nothing uses, and no page outgrows its budget."""

from __future__ import annotations

import base64
import io
import re
import secrets
from pathlib import Path

import pydata_sphinx_theme
import pytest
from actlab_site import lighter
from fontTools.ttLib import TTFont

from . import pages
from .conftest import ROOT, SITE
from .test_site import NAMES

WORDS = {"html", "body", "p", "a", "em", "box", "open", "note-1"}
FONTS = next(Path(pydata_sphinx_theme.__file__).parent.rglob("fa-solid-900.ttf")).parent


@pytest.mark.parametrize(
    ("selector", "stays"),
    [
        (".box", True),
        (".boxes", False),
        ("p.box > em", True),
        ("p.box > strong", False),
        ("#note-1", True),
        ("#note-2", False),
        ('html[data-theme="dark"] .box::before', True),
        (".box:not(.gone)", True),
        (".box:is(.gone, .open)", True),
        (".box:hover a:focus-visible", True),
        (".gone:not(.box)", False),
        ("*", True),
        (":root", True),
    ],
)
def test_a_rule_stays_where_an_element_may_be_meant(selector, stays):
    assert lighter.applies(selector, WORDS) == stays


def test_pruning_keeps_what_applies_and_nothing_else():
    css = """
    /* a remark */
    .gone, .box { color: red; }
    .gone { color: blue }
    @media (max-width: 600px) { .gone { top: 0 } .open > a { left: 0 } }
    @media print { .gone { top: 0 } }
    @keyframes turn { from { top: 0 } to { top: 1px } }
    """
    assert lighter.prune(css, WORDS) == (
        ".box{color: red}"
        "@media (max-width: 600px){.open > a{left: 0}}"
        "@keyframes turn{from { top: 0 } to { top: 1px }}"
    )


def test_what_is_used_is_read_off_pages_and_scripts():
    found = lighter.used(
        ['<p class="one two" id="three"><math></math></p>'], ["node.classList.add('is-open')"]
    )
    assert {"one", "two", "three", "p", "math", "is-open"} <= found
    assert "four" not in found


def test_the_icon_font_holds_the_icons_in_use_and_no_others():
    css = (
        "@font-face {font-family:Icons;font-weight:900;src:url(vendor/webfonts/fa-solid-900.woff2)}"
        "@font-face {font-family:Idle;font-weight:400;src:url(vendor/webfonts/fa-brands-400.woff2)}"
        '.a{font-family:Icons;content:"\\f135"}.b::after{content:"\uf005"}'
    )
    light = lighter.with_icons(css, FONTS)
    (data,) = re.findall(r"data:font/woff;base64,([^)]+)", light)
    font = TTFont(io.BytesIO(base64.b64decode(data)))
    assert set(font.getBestCmap()) == {0xF135, 0xF005}
    assert "Idle" not in light


STYLES = '<link href="{up}_static/a.css?v=1" rel="stylesheet" />\n<link rel="stylesheet" href="{up}'
STYLES += '_static/b.css" />'
OWN = '\n<link rel="stylesheet" href="{up}_static/own.css" />'
SCRIPTS = '<script src="{up}_static/documentation_options.js"></script>\n<script defer="defer" src='
SCRIPTS += '"{up}_static/x.js"></script>\n<script defer="defer" src="{up}searchindex.js"></script>'
BODY = '<body><p class="box">Hello</p></body>'


@pytest.fixture
def two_pages(tmp_path):
    static = tmp_path / "_static"
    (static / "vendor").mkdir(parents=True)
    (static / "a.css").write_text('@import "c.css";\n.box { background: url("../p.png") }')
    (static / "b.css").write_text(".nobody { color: red }")
    (static / "c.css").write_text("p { margin: 0 }")
    (static / "own.css").write_text("p { color: red }")
    (static / "x.js").write_text('"use strict"; var one = 1;\n//# sourceMappingURL=x.js.map')
    (static / "x.js.map").write_text("{}")
    (static / "documentation_options.js").write_text("const DOCUMENTATION_OPTIONS = {};")
    (tmp_path / "sub").mkdir()
    for name, own in (("a.html", ""), ("sub/b.html", OWN), ("search.html", "")):
        up = "../" * name.count("/")
        head = (STYLES + own + SCRIPTS).format(up=up)
        (tmp_path / name).write_text(f"<html><head>{head}</head>{BODY}</html>")
    return tmp_path


def test_what_all_pages_share_becomes_one_style_sheet_and_one_script(two_pages):
    lighter.lighten(two_pages)
    css = (two_pages / "_static" / "site.css").read_text()
    assert css == "p{margin: 0}.box{background: url(../p.png)}"
    text = (two_pages / "sub" / "b.html").read_text()
    links = re.findall(r'(?:href|src)="([^"?]+)', text)
    assert links == ["../_static/site.css", "../_static/own.css", "../_static/site.js"]
    assert "<script>const DOCUMENTATION_OPTIONS = {};</script>" in text
    assert "searchindex.js" not in (two_pages / "a.html").read_text()
    assert "searchindex.js" in (two_pages / "search.html").read_text()
    assert (two_pages / "_static" / "site.js").read_text().startswith("0;")
    left = {path.name for path in (two_pages / "_static").iterdir()}
    assert not left & {"a.css", "b.css", "x.js", "x.js.map"}


def test_doing_it_again_changes_nothing(two_pages):
    lighter.lighten(two_pages)
    before = {p: p.read_bytes() for p in two_pages.rglob("*") if p.is_file()}
    lighter.lighten(two_pages)
    assert {p: p.read_bytes() for p in two_pages.rglob("*") if p.is_file()} == before


# --- budgets --------------------------------------------------------------------------------------


@pytest.mark.site
@pytest.mark.parametrize("name", NAMES)
def test_no_page_outgrows_its_budget(site, name):
    assert pages.weight_problems(site / name, site) == []


def test_a_page_that_outgrows_its_budget_is_noticed(tmp_path):
    (tmp_path / "a.png").write_bytes(bytes(1000))
    (tmp_path / "b.js").write_text("x" * 100_000)  # little when it is packed
    page = tmp_path / "page.html"
    page.write_text('<script src="b.js?v=1"></script><img src="a.png">')
    assert pages.weight_problems(page, tmp_path) == []
    (tmp_path / "a.png").write_bytes(bytes(pages.HEAVIEST))
    assert "KB" in pages.weight_problems(page, tmp_path)[0]
    page.write_text("".join(f'<script src="b.js?v={i}"></script>' for i in range(30)))
    assert "31 requests" in pages.weight_problems(page, tmp_path)[0]
    page.write_text('<script src="b.js"></script>' + "<p>x</p>" * pages.ELEMENTS)
    (tmp_path / "b.js").write_bytes(secrets.token_bytes(pages.SCRIPTS))
    assert pages.weight_problems(page, tmp_path) == [
        "60 KB of scripts, more than 60",
        "6001 elements, more than 6000",
    ]
    page.rename(tmp_path / "search.html")
    assert not any(
        "scripts" in p for p in pages.weight_problems(tmp_path / "search.html", tmp_path)
    )


@pytest.mark.site
def test_the_site_ships_no_icon_font_and_no_source_map():
    assert (ROOT / "_build").is_dir()
    left = [p.name for pattern in lighter.GONE for p in (SITE / "_static").rglob(pattern)]
    assert left == []


@pytest.mark.site
def test_what_the_theme_does_slowly_is_found_and_mended():
    """If not: the theme was changed; PATIENT in actlab_site/lighter.py says what to look for."""
    code = (SITE / lighter.SCRIPT).read_text("utf-8")
    for at_once, bit_by_bit in lighter.PATIENT.items():
        assert bit_by_bit in code
        assert at_once not in code


@pytest.mark.site
@pytest.mark.parametrize(
    ("stored", "system", "shown"),
    [(None, "dark", "dark"), (None, "light", "light"), ("dark", "light", "dark")],
)
def test_the_theme_is_there_before_the_scripts(browser, address, stored, system, shown):
    context = browser.new_context(color_scheme=system)
    page = context.new_page()
    page.route("**/site.js*", lambda route: route.abort())
    if stored:
        page.add_init_script(f"localStorage.setItem('mode', '{stored}')")
    page.goto(f"{address}/book/evidence.html")
    assert page.evaluate("document.documentElement.dataset.theme") == shown
    context.close()
