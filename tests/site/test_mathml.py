"""Formulas become MathML when the book is built, and the font of the site has all they need."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace

import pytest
from actlab_site import mathml
from docutils import nodes
from fontTools.ttLib import TTFont

from actlab import catalog

from . import pages
from .conftest import ROOT, SITE


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\frac{1}{2}", ["<mfrac>", "<mn>1</mn>", "<mn>2</mn>"]),
        (r"x^2", ["<msup>", "<mi>x</mi>"]),
        (r"\tanh x", ['<mi mathvariant="normal">tanh</mi>']),
        (r"a \sim b", ["<mo>∼</mo>"]),
        (r"a < b", ["<mo>&lt;</mo>"]),
    ],
)
def test_a_formula_is_converted(latex, parts):
    text = mathml.mathml(latex)
    assert text.startswith("<math>")
    for part in parts:
        assert part in text
    assert 'display="block"' in mathml.mathml(latex, block=True)


@pytest.mark.parametrize("latex", [r"\frac{1", r"\nosuchcommand x"])
def test_what_cannot_be_converted_is_a_warning_that_shows_it(monkeypatch, latex):
    said = []
    monkeypatch.setattr(mathml.logger, "warning", lambda text, *parts, **_: said.append(parts))
    translator = SimpleNamespace(body=[], starttag=lambda node, tag, _, CLASS: f"<{tag}>")
    with pytest.raises(nodes.SkipNode):
        mathml.visit_inline(translator, nodes.math("", latex))
    assert said[0][0] == latex
    assert html.escape(latex) in "".join(translator.body)


def lacking(texts):
    """Letters of formulas that the font does not have, as variables are drawn in MathML."""
    known = set(TTFont(ROOT / mathml.FONT).getBestCmap())
    missing = set()
    for text in texts:
        for tag, attributes, inside in re.findall(r"<(m\w+)([^>]*)>([^<]+)</", text):
            letters = html.unescape(inside).replace("\u00a0", " ")
            alone = tag == "mi" and len(letters) == 1 and "mathvariant" not in attributes
            if alone and letters in mathml.GREEK + "abcdefghijklmnopqrstuvwxyz":
                missing |= {letters} if mathml.slanted(letters) not in known else set()
            missing |= {letter for letter in letters if ord(letter) not in known}
    return missing


def test_the_font_has_every_letter_of_the_catalog():
    assert lacking(mathml.mathml(record.formula) for record in catalog.records()) == set()


def test_a_letter_that_the_font_lacks_is_noticed():
    assert lacking(["<mi>ℵ</mi>"]) == {"ℵ"}


@pytest.mark.site
def test_the_font_has_every_letter_of_the_book():
    """If not: add it to SIGNS in actlab_site/mathml.py, and write the font again."""
    found = [
        t for p in pages.html_files(SITE) for t in re.findall("<math.*?</math>", p.read_text())
    ]
    assert len(found) > 100
    assert lacking(found) == set()
