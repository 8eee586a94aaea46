"""Predict, then reveal: choices that can be picked, and an answer that is covered until opened.

In a notebook a prediction is a quotation with a list of choices, and the cells tagged ``reveal``
behind it hold the answer. Here the list becomes radio buttons, and what those cells show (not
their code) goes into one ``<details>`` that looks like a button. That needs no script: it opens by
mouse, keyboard and search, and on paper it is open. ``course.js`` only adds what the reader picked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from html import escape
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

TAG = "tag_reveal"
BUTTON = "Look at what was measured"


def keep_answers(renderer: type) -> None:
    """Let MyST-NB's renderer put an answer that is Markdown into a container of its own.

    It drops the tags of Markdown cells, because a container around a heading would break the page;
    a gate of the notebooks keeps headings out of answers.
    """
    plain = renderer.render_nb_cell_markdown
    if hasattr(plain, "__wrapped__"):  # a second build in this process
        return

    @wraps(plain)
    def render(self: Any, token: Any) -> None:
        if "reveal" not in token.meta["metadata"].get("tags", ()):
            plain(self, token)
            return
        with self.current_node_context(nodes.container(classes=[TAG]), append=True):
            self.render_children(token)

    renderer.render_nb_cell_markdown = render


class PredictionTransform(SphinxTransform):
    """Dress every prediction that has choices, and cover the answers behind it."""

    default_priority = 260  # behind the boxes

    def apply(self, **_: Any) -> None:
        """Change the document in place; an answer that is no choice is a warning (so, an error)."""
        for box in list(self.document.findall(_is_prediction)):
            number = box["ids"][0]
            choices = offer(box, number)
            cells = list(answers(box))
            if not choices or not cells:
                if choices or cells:
                    logger.warning("a prediction has no choices or no answer", location=box)
                continue
            measured = cover(box, cells, number)
            if measured is None:
                logger.warning("nothing measured answers this prediction", location=box)
            elif measured["answer"] not in choices:
                logger.warning(
                    "measured is %r, none of the choices", measured["answer"], location=box
                )


def _is_prediction(node: nodes.Node) -> bool:
    return isinstance(node, nodes.admonition) and "box-predict" in node["classes"]


def raw(html: str) -> nodes.raw:
    """HTML between nodes."""
    return nodes.raw("", html, format="html")


def offer(box: nodes.admonition, name: str) -> list[str]:
    """Make the list of a box a group of radio buttons; the choices in words (none without list)."""
    found = [child for child in box.children if isinstance(child, nodes.bullet_list)]
    if not found:
        return []
    listed = found[-1]
    question = next((child for child in box.children if isinstance(child, nodes.paragraph)), None)
    if question is not None:
        question["ids"].append(f"{name}-question")
        question["classes"].append("question")
    parts: list[nodes.Node] = [
        raw(f'<div class="choices" role="radiogroup" aria-labelledby="{name}-question">')
    ]
    choices = []
    for item in listed.children:
        text = " ".join(item.astext().split())
        choices.append(text)
        said = nodes.inline()
        said += [part.deepcopy() for child in item.children for part in child.children]
        value = escape(text, quote=True)
        parts += [raw(f'<label><input type="radio" name="{name}" value="{value}">'), said]
        parts.append(raw("</label>"))
    parts.append(raw("</div>"))
    at = box.index(listed)
    box[at : at + 1] = parts
    return choices


def answers(box: nodes.admonition) -> Iterator[nodes.container]:
    """The cells behind a box that are tagged as its answer, as far as they follow one another."""
    siblings = box.parent.children
    for node in siblings[siblings.index(box) + 1 :]:
        if not (isinstance(node, nodes.container) and TAG in node["classes"]):
            return
        yield node


def cover(box: nodes.admonition, cells: list[nodes.container], name: str) -> Any:
    """Move what the cells show into one fold behind their code; what was measured, or None."""
    parent = box.parent
    shown: list[nodes.Node] = []
    for cell in cells:
        outputs = [child for child in cell.children if _is_output(child)]
        for child in outputs:
            cell.remove(child)
        shown += outputs
        if "cell" not in cell["classes"]:  # Markdown
            shown += cell.children
            parent.remove(cell)
    measured = take_measured(shown)
    codes = [cell for cell in cells if "cell" in cell["classes"]]
    at = parent.index(codes[-1] if codes else box) + 1
    say: list[nodes.Node] = []
    if measured is not None:
        attributes = "".join(
            f' data-{key}="{escape(measured[key], quote=True)}"' for key in ("answer", "folklore")
        )
        say = [
            raw(f'<p class="answer" role="status"{attributes}><span class="you"></span>'),
            measured["words"],
            raw("</p>"),
        ]
    parent[at:at] = [
        raw(
            f'<details class="reveal" id="{name}-answer" data-prediction="{name}">'
            f'<summary><span class="tri" aria-hidden="true"></span>{BUTTON}</summary>'
            '<div class="out">'
        ),
        *say,
        *(node for node in shown if node.children or not _is_output(node)),
        raw("</div></details>"),
    ]
    return measured


def _is_output(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def take_measured(shown: list[nodes.Node]) -> dict[str, Any] | None:
    """Take the quotation that says what was measured out of the outputs, and read it."""
    for output in shown:
        for quote in list(output.findall(nodes.block_quote)):
            text = quote.astext().strip()
            if not text.startswith("Measured."):
                continue
            said = [node.astext() for node in quote.findall(nodes.emphasis)]
            words = nodes.inline(classes=["measured"])
            words += [part.deepcopy() for child in quote.children for part in child.children]
            label = next(words.findall(nodes.strong))
            label.clear()
            label += nodes.Text("Measured:")
            _drop(quote, output)
            return {
                "answer": " ".join(said[0].split()) if said else "",
                "folklore": " ".join(said[1].split()) if len(said) > 1 else "",
                "words": words,
            }
    return None


def _drop(node: nodes.Node, output: nodes.Node) -> None:
    """Remove a node with the containers around it that hold the same output in other forms."""
    while node.parent is not output and not (
        isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"
    ):
        node = node.parent
    node.parent.remove(node)
