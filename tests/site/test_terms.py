"""A chapter's words lead to the glossary: each once, where it first stands, and nothing else."""

import re

import pytest
from actlab_site import terms
from actlab_site.glossary import Term
from docutils import nodes
from docutils.utils import new_document
from sphinx import addnodes

TERMS = (
    Term("dead unit", "", ("dying ReLU", "DeadUnits"), ()),
    Term("gain", "", (), ()),
    Term("kink", "", (), ()),
)


def linked(*children):
    document = new_document("it")
    document += list(children)
    terms.link(document, "notebooks/it", TERMS)
    return [(x["reftarget"], x.astext()) for x in document.findall(addnodes.pending_xref)]


def paragraph(*parts):
    return nodes.paragraph("", "", *parts)


def test_the_first_mention_is_linked_and_no_other():
    text = "Dead units again. A dead unit, a gain, and a gain at a kink."
    first = paragraph(nodes.Text(text))
    assert linked(first, paragraph(nodes.Text("a gain"))) == [
        ("dead unit", "Dead units"),
        ("gain", "gain"),
        ("kink", "kink"),
    ]
    assert first.astext() == text


def test_another_name_counts_and_part_of_a_word_does_not():
    assert linked(paragraph(nodes.Text("A dying ReLU"))) == [("dead unit", "dying ReLU")]
    assert linked(paragraph(nodes.Text("again, gained, calculate_gain, gain-like"))) == []


@pytest.mark.parametrize(
    "kept",
    [
        nodes.reference("", "gain", refuri="x"),
        nodes.literal("", "gain"),
        nodes.math("", "gain"),
    ],
)
def test_links_code_and_formulas_stay(kept):
    assert linked(paragraph(kept)) == []
    assert linked(paragraph(nodes.emphasis("", "gain"))) == [("gain", "gain")]


def test_headings_stay():
    assert linked(nodes.section("", nodes.title("", "The gain"))) == []


def test_the_chapters_lead_to_the_glossary(site):
    for path in sorted((site / "notebooks").glob("[0-9]*.html")):
        text = path.read_text("utf-8")
        targets = re.findall(r'href="\.\./book/reference/glossary\.html#(term-[\w-]+)"', text)
        article = [t for t in targets if t.startswith("term-")]
        assert len(article) >= 4, path.name
        assert len(set(article)) == len(article), path.name
