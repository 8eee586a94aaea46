"""Formulas as MathML, converted when the book is built: browsers set them, no script does.

A formula that cannot be converted is a warning, so an error. Browsers need a font that knows how
formulas are built; a small one comes with the site (``PYTHONPATH=src:book/_ext python -m
actlab_site.mathml STIXTwoMath-Regular.ttf`` writes it).
"""

from __future__ import annotations

import html
import re
import string
import sys
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)

# What the converter writes and a browser would set otherwise than TeX: function names are upright
# and stand off their argument, and a tilde is a relation.
_MENDED = (
    (re.compile(r"<mi>~</mi>"), "<mo>∼</mo>"),
    (re.compile(r"<mi>(\w{2,})</mi>"), r'<mi mathvariant="normal">\1</mi>'),
    (re.compile(r' xmlns="[^"]*"'), ""),
    (re.compile(r' display="inline"'), ""),
)


@cache
def mathml(latex: str, *, block: bool = False) -> str:
    """The ``<math>`` element of a formula. Raises ``ValueError`` where a command is unknown."""
    lines = re.sub(r"^\\begin\{split\}|\\end\{split\}$", "", latex.strip())
    plain = re.sub(r"\\.", "", lines)
    if plain.count("{") != plain.count("}"):
        raise ValueError("its braces do not match")
    try:
        text = convert(lines, display="block" if block else "inline")
    except Exception as error:  # the converter has many of its own
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if unknown := re.search(r">(\\[a-zA-Z]+)", text):
        raise ValueError(f"unknown command {unknown[1]}")
    text = re.sub(r"&#x0*([0-9A-F]+);", _letter, text)
    for pattern, instead in _MENDED:
        text = pattern.sub(instead, text)
    return text


def _letter(entity: re.Match[str]) -> str:
    """A letter instead of its number, but for what HTML would take for markup."""
    return html.escape(chr(int(entity[1], 16)), quote=False)


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write an inline formula."""
    _write(translator, node, "span", block=False)


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own line."""
    _write(translator, node, "div", block=True)


def _write(translator: Any, node: nodes.Element, tag: str, *, block: bool) -> None:
    try:
        text = mathml(node.astext(), block=block)
    except ValueError as error:
        logger.warning("no MathML for the formula %r: %s", node.astext(), error, location=node)
        text = html.escape(node.astext())
    opening = translator.starttag(node, tag, "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{opening}{text}</{tag}>")
    raise nodes.SkipNode


# --- the font -------------------------------------------------------------------------------------

FONT = "book/static/vendor/stix-two-math/math.woff"
SIGNS = " !'()*+,-./:;<=>[]{|}±·×Φ…′‖ ←∑−√∞∼≈≤≥⊙⊤⌈⌉𝒰"
GREEK = "".join(map(chr, range(0x3B1, 0x3CA)))


def letters() -> set[int]:
    """What the font of the formulas has: letters, upright and slanted, Greek, digits and signs."""
    plain = string.ascii_letters + string.digits + GREEK + SIGNS
    return {ord(c) for c in plain} | {slanted(c) for c in string.ascii_letters + GREEK}


def slanted(letter: str) -> int:
    """The code of a letter as a variable: what browsers show of ``<mi>x</mi>``."""
    if letter == "h":
        return 0x210E  # Planck's constant was there before the others
    first, code = next(
        (first, code)
        for first, code in (("a", 0x1D44E), ("A", 0x1D434), ("α", 0x1D6FC))
        if 0 <= ord(letter) - ord(first) < 26
    )
    return code + ord(letter) - ord(first)


def write_font(source: Path, target: Path) -> None:
    """Cut STIX Two Math (``source``, a .ttf) down to :func:`letters`."""
    font = TTFont(source)
    options = subset.Options()
    options.flavor, options.hinting, options.glyph_names = "woff", False, False
    options.layout_features, options.name_IDs = [], [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables = [*options.drop_tables, "GSUB", "GPOS"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters())
    cutter.subset(font)
    font.flavor = "woff"
    target.parent.mkdir(parents=True, exist_ok=True)
    font.save(target)


if __name__ == "__main__":
    write_font(Path(sys.argv[1]), Path(__file__).resolve().parents[3] / FONT)
