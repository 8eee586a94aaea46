"""Boxes: a blockquote that opens with a bold keyword becomes an admonition.

A notebook has to read well on GitHub, in JupyterLab and on Colab too, so its Markdown cannot use
directives. ``> **Exercise 3.1.** Train it.`` is a fine quotation everywhere; here, in the book, it
becomes a coloured box with the id ``exercise-3-1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

KINDS = ("Predict", "Exercise", "Claim", "Verdict", "Key points", "Misconception", "Questions")
VERDICTS = ("holds", "holds when", "refuted", "not shown")

_LABEL = re.compile(rf"(?P<kind>{'|'.join(KINDS)})(?P<rest>\b.*?)\s*[.:?]?", re.DOTALL)


@dataclass(frozen=True)
class Box:
    """What a bold label asks for: the box's kind, its title, id (may be empty) and classes."""

    kind: str
    title: str
    id: str
    classes: tuple[str, ...]


class UnknownVerdictError(ValueError):
    """A verdict box whose verdict is none of the four."""


def slug(text: str) -> str:
    """Lower-case words joined by hyphens: ``Exercise 3.1`` → ``exercise-3-1``."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def read_label(label: str) -> Box | None:
    """The box that a bold label such as ``Exercise 3.1.`` opens; None for ordinary bold text.

    Raises :class:`UnknownVerdictError` for a verdict the rules of evidence do not know.
    """
    match = _LABEL.fullmatch(label.strip())
    if match is None:
        return None
    kind, rest = match["kind"], match["rest"].strip(" :")
    # "Predictions are cheap" opens with a keyword too, but is no label: a label goes on with
    # nothing, a number, or (for claims and verdicts) words after a colon or an identifier.
    if kind != "Verdict" and rest and not re.fullmatch(r"[\w.:-]*[\d_-][\w.:-]*", rest):
        return None
    classes = ["box", f"box-{slug(kind)}"]
    if kind == "Verdict":
        classes.append(f"verdict-{slug(_verdict(rest))}")
        return Box(kind, f"Verdict: {rest}", "", tuple(classes))
    title = f"{kind} {rest}".strip()
    return Box(kind, title, slug(title) if rest else "", tuple(classes))


def _verdict(text: str) -> str:
    for verdict in sorted(VERDICTS, key=len, reverse=True):
        if text == verdict or text.startswith(f"{verdict} "):
            return verdict
    raise UnknownVerdictError(f"unknown verdict {text!r}; expected one of {', '.join(VERDICTS)}")


def open_box(quote: nodes.block_quote) -> tuple[Box, nodes.strong] | None:
    """The box this quotation asks for and the bold label that says so."""
    if not quote.children or not isinstance(quote.children[0], nodes.paragraph):
        return None
    # markdown-it puts an empty text node in front of leading bold text.
    inline = [node for node in quote.children[0].children if node.astext().strip()]
    if not inline or not isinstance(inline[0], nodes.strong):
        return None
    box = read_label(inline[0].astext())
    return None if box is None else (box, inline[0])


def dress(quote: nodes.block_quote, number: int = 1) -> nodes.admonition | None:
    """An admonition with the quotation's content, or None when the quotation is only that.

    ``number`` counts boxes of the same kind on the page: it makes the id where the label
    has no number of its own.
    """
    opened = open_box(quote)
    if opened is None:
        return None
    box, label = opened
    first = quote.children[0]
    rest = first.children[first.children.index(label) + 1 :]
    box_id = box.id or f"{slug(box.kind)}-{number}"
    admonition = nodes.admonition(classes=list(box.classes), ids=[box_id], names=[box_id])
    admonition += nodes.title(box.title, box.title)
    if "".join(node.astext() for node in rest).strip():
        paragraph = nodes.paragraph()
        if isinstance(rest[0], nodes.Text):
            rest = [nodes.Text(rest[0].astext().lstrip()), *rest[1:]]
        paragraph += rest
        admonition += paragraph
    admonition += quote.children[1:]
    admonition.source, admonition.line = quote.source, quote.line
    return admonition


class BoxTransform(SphinxTransform):
    """Dress every quotation of a page that opens with a keyword."""

    default_priority = 250

    def apply(self, **_: Any) -> None:
        """Replace the quotations in place; an unknown verdict is a warning (so, an error)."""
        counts: dict[str, int] = {}
        for quote in list(self.document.findall(nodes.block_quote)):
            try:
                opened = open_box(quote)
            except UnknownVerdictError as error:
                logger.warning(str(error), location=quote)
                continue
            if opened is None:
                continue
            kind = opened[0].kind
            counts[kind] = counts.get(kind, 0) + 1
            box = dress(quote, counts[kind])
            assert box is not None  # open_box just said so
            quote.replace_self(box)
            self.document.note_explicit_target(box)
