"""Quotations that open with a keyword become boxes; all others stay what they are."""

import pytest
from actlab_site import boxes
from docutils import nodes
from docutils.utils import new_document


def quotation(label: str, text: str = " Train it.", *more: nodes.Node) -> nodes.block_quote:
    # markdown-it puts an empty text node in front of leading bold text.
    first = nodes.paragraph("", "", nodes.Text(""), nodes.strong("", label), nodes.Text(text))
    return nodes.block_quote("", first, *more)


@pytest.mark.parametrize(
    ("label", "title", "box_id", "classes"),
    [
        ("Predict.", "Predict", "predict-1", ["box", "box-predict"]),
        ("Exercise 3.1.", "Exercise 3.1", "exercise-3-1", ["box", "box-exercise"]),
        ("Claim.", "Claim", "claim-1", ["box", "box-claim"]),
        ("Claim relu-never-dies.", "Claim relu-never-dies", "claim-relu-never-dies", None),
        ("Key points.", "Key points", "key-points-1", ["box", "box-key-points"]),
        ("Misconception.", "Misconception", "misconception-1", ["box", "box-misconception"]),
        ("Verdict: holds.", "Verdict: holds", "verdict-1", ["box", "box-verdict", "verdict-holds"]),
        ("Verdict: refuted.", "Verdict: refuted", "verdict-1", None),
        ("Verdict: holds when ….", "Verdict: holds when …", "verdict-1", None),
    ],
)
def test_a_keyword_makes_a_box(label, title, box_id, classes):
    box = boxes.dress(quotation(label))
    assert isinstance(box, nodes.admonition)
    assert box[0].astext() == title
    assert box[1].astext() == "Train it."
    assert box["ids"] == [box_id]
    assert classes is None or box["classes"] == classes


@pytest.mark.parametrize("verdict", ["holds", "holds when", "refuted", "not shown"])
def test_each_verdict_has_its_own_look(verdict):
    box = boxes.dress(quotation(f"Verdict: {verdict}."))
    assert f"verdict-{verdict.replace(' ', '-')}" in box["classes"]


@pytest.mark.parametrize("label", ["Verdict: maybe.", "Verdict.", "Verdict: holdsomething."])
def test_a_verdict_that_the_rules_do_not_know_is_refused(label):
    with pytest.raises(boxes.UnknownVerdictError, match="expected one of holds"):
        boxes.dress(quotation(label))


@pytest.mark.parametrize("label", ["Note.", "Predictions are cheap.", "Exercise makes strong."])
def test_ordinary_bold_text_stays_a_quotation(label):
    assert boxes.dress(quotation(label)) is None


def test_a_quotation_without_a_label_stays_one():
    assert boxes.dress(nodes.block_quote("", nodes.paragraph("", "Predict."))) is None
    assert boxes.dress(nodes.block_quote("", nodes.bullet_list())) is None
    assert boxes.dress(nodes.block_quote()) is None


def test_everything_behind_the_label_is_kept():
    listed = nodes.bullet_list("", nodes.list_item("", nodes.paragraph("", "one")))
    box = boxes.dress(quotation("Key points.", "", listed))
    assert [type(node) for node in box] == [nodes.title, nodes.bullet_list]


def test_boxes_of_one_kind_get_different_ids_and_can_be_linked_to():
    document = new_document("page")
    document += [quotation("Predict."), quotation("Predict."), quotation("Exercise 1.2.")]
    boxes.BoxTransform(document).apply()
    assert [box["ids"] for box in document.findall(nodes.admonition)] == [
        ["predict-1"],
        ["predict-2"],
        ["exercise-1-2"],
    ]
    assert document.nameids["exercise-1-2"] == "exercise-1-2"
