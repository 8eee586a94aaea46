"""Where in the chapters the live lab and the explorers stand: a record each, not Markdown.

Colab, Jupyter and GitHub show a chapter without them. The book puts each at the end of its section,
where the answers are known, as a fold that loads nothing until it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from actlab_site import lab

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placed:
    """A piece at the end of a chapter's section, in a state, with what it invites to."""

    chapter: str
    section: str
    piece: str
    state: str
    invites: str


PLACED = (
    Placed(
        "02_relu",
        "Who killed the ReLU?",
        "signals",
        "a=relu,torch,1&b=relu,he,1",
        "Move the depth, the weights and the start, and see when units are born dead",
    ),
    Placed(
        "02_relu",
        "Train one, and count",
        "lab",
        "preset=relu",
        "Train both starts here, and watch every unit live or die",
    ),
    Placed(
        "03_sigmoid_tanh",
        "Down: the size of a gradient",
        "signals",
        "a=sigmoid,torch,1&b=tanh,glorot,1",
        "Follow the gradient down through other functions, starts and depths",
    ),
    Placed(
        "03_sigmoid_tanh",
        "Train it",
        "lab",
        "preset=vanish",
        "Watch ten layers of sigmoids beside ten of tanhs while they train",
    ),
    Placed(
        "04_leaky",
        "Three of them by hand",
        "explore",
        "f=leaky_relu,elu,relu",
        "Move the slope of the left side, and see what becomes of a normal input",
    ),
    Placed(
        "05_elu",
        "α, and the kink that CELU mends",
        "explore",
        "f=elu:0.5,celu:0.5,relu",
        "Move α, and see where the kink goes",
    ),
    Placed(
        "06_selu",
        "A hundred layers",
        "signals",
        "a=selu,lecun,1&b=relu,he,1",
        "Send a signal through SELU and through ReLU layers, each from its own start",
    ),
    Placed(
        "06_selu",
        "While it learns",
        "lab",
        "preset=selu",
        "Watch whether SELU keeps its scale while it learns",
    ),
    Placed(
        "07_self_gated",
        "A gate that looks at what it lets through",
        "explore",
        "f=gelu,silu,mish,relu",
        "Lay the four over each other, and look at their slopes",
    ),
    Placed(
        "07_self_gated",
        "A start for thirty layers",
        "signals",
        "a=gelu,he,1&b=relu,he,1",
        "Send a signal through GELU and through ReLU layers, both from He's start",
    ),
    Placed(
        "12_smooth",
        "A ReLU without a corner",
        "explore",
        "f=softplus,squareplus,relu",
        "Move β and b, and see how near the three come",
    ),
    Placed(
        "12_smooth",
        "What it costs never to be 0",
        "signals",
        "a=softplus,he,1&b=relu,he,1",
        "Send a signal through softplus and through ReLU layers, both from He's start",
    ),
    Placed(
        "13_hard",
        "Is hard worse?",
        "explore",
        "f=silu,hard_silu,tanh,hard_tanh",
        "Lay each hard function over its smooth twin, and look at their slopes",
    ),
    Placed(
        "14_shrinkage",
        "An answer to a question",
        "explore",
        "f=soft_shrink,hard_shrink,tanh_shrink",
        "Move the thresholds, and look at the slopes",
    ),
    Placed(
        "14_shrinkage",
        "Thirty layers",
        "signals",
        "a=soft_shrink,lecun,1.365&b=tanh,lecun,1",
        "Send a signal through soft shrink and through tanh, and move the weights a little",
    ),
)


def of(docname: str) -> list[Placed]:
    """What belongs into a page of the book: ``notebooks/02_relu``."""
    folder, _, name = docname.rpartition("/")
    return [placed for placed in PLACED if folder == "notebooks" and placed.chapter == name]


def html(placed: Placed) -> str:
    """The fold; without JavaScript it holds the link to the piece's own page."""
    address = f"../book/{placed.piece}.html#{placed.state}"
    return lab.folded(
        placed.piece,
        placed.state,
        placed.invites,
        f'<a href="{escape(address)}">{escape(placed.invites)}</a>, on a page of its own.',
    )


class PlacedTransform(SphinxTransform):
    """Put the pieces of a chapter into their sections."""

    default_priority = 265

    def apply(self, **_: Any) -> None:
        """Change the page in place; a section that is not there is a warning (so, an error)."""
        sections = {s.next_node(nodes.title).astext(): s for s in self._sections()}
        for placed in of(self.env.docname):
            section = sections.get(placed.section)
            if section is None:
                logger.warning(
                    "the chapter has no section %r for the piece that "
                    "book/_ext/actlab_site/placed.py puts there; its sections are: %s",
                    placed.section,
                    "; ".join(sections),
                    location=self.env.docname,
                )
                continue
            below = [i for i, n in enumerate(section.children) if isinstance(n, nodes.section)]
            at = below[0] if below else len(section.children)
            section.insert(at, nodes.raw("", html(placed), format="html"))

    def _sections(self) -> list[nodes.section]:
        return list(self.document.findall(nodes.section))
