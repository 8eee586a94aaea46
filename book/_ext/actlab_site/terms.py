"""Links from a chapter's text to the glossary: each term where it first stands in a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

from actlab_site.glossary import GLOSSARY, Term

# What is a link, code or a heading already stays as it is.
KEPT = (
    nodes.reference,
    nodes.literal,
    nodes.title,
    nodes.raw,
    nodes.math,
    nodes.FixedTextElement,
    addnodes.pending_xref,
)


class TermTransform(SphinxTransform):
    """Links the first mention of every term; in the chapters, and nowhere else."""

    default_priority = 690  # paragraphs are dressed by then, and references not yet resolved

    def apply(self, **_: object) -> None:
        """Replace the texts of this document."""
        if self.env.docname.startswith("notebooks/"):
            link(self.document, self.env.docname)


def link(document: nodes.document, docname: str, terms: Iterable[Term] = GLOSSARY) -> None:
    """Put the links in."""
    missing = {term.name: pattern(term) for term in terms}
    for text in list(document.findall(nodes.Text)):
        if not missing or not _in_paragraph(text):
            continue
        new: list[nodes.Node] = []
        rest = str(text)
        while found := _first(missing, rest):
            name, at = found
            word = at.group()
            xref = addnodes.pending_xref(
                "",
                nodes.inline(word, word, classes=["xref", "std", "std-term"]),
                refdomain="std",
                reftype="term",
                reftarget=name,
                refdoc=docname,
                refexplicit=True,
                refwarn=True,
                classes=["term"],
            )
            new += [nodes.Text(rest[: at.start()]), xref]
            rest = rest[at.end() :]
            del missing[name]
        if new:
            text.parent.replace(text, [*new, nodes.Text(rest)])


def pattern(term: Term) -> re.Pattern[str]:
    """The term and its other names of plain words, in the singular and the plural."""
    plain = [term.name, *(name for name in term.also if re.fullmatch(r"[A-Za-z]+ [A-Za-z]+", name))]
    words = "|".join(re.escape(name) for name in sorted(plain, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{words})s?(?![\w-])", re.IGNORECASE)


def _first(missing: dict[str, re.Pattern[str]], text: str) -> tuple[str, re.Match[str]] | None:
    """The leftmost term in a text, the longest of those that begin there."""
    found = [(name, at) for name, one in missing.items() if (at := one.search(text))]
    return min(found, key=lambda f: (f[1].start(), -f[1].end()), default=None)


def _in_paragraph(text: nodes.Text) -> bool:
    ancestors = list(_up(text))
    return any(isinstance(node, nodes.paragraph) for node in ancestors) and not any(
        isinstance(node, KEPT) for node in ancestors
    )


def _up(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node
