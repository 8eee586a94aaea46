"""The search finds a thing by either framework's word, and by the reader's.

Sphinx's index holds what stands on a page. Added are, for every page, the other names of what it
explains: from the catalog (names, aliases, the calls of both frameworks, then and now) and from the
glossary. Each becomes an entry of the book's index, which the search looks through first, and its
words become keywords of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

from actlab import catalog
from actlab.catalog import Activation
from actlab_site import reference
from actlab_site.glossary import GLOSSARY


def names(record: Activation) -> Iterator[str]:
    """What people may type to find a record."""
    yield from (record.title.split(" (")[0], record.name, record.name.replace("_", " "))
    yield from record.aliases
    for framework in ("torch", "keras"):
        for when in ("now", "then"):
            yield from (place.path.rpartition(".")[2] for place in record.where(framework, when))


@cache
def known() -> dict[str, dict[str, tuple[str, ...]]]:
    """Page → place on it (``""`` for its top) → the names of what is explained there."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for record in catalog.records():
        page = f"book/reference/family-{record.family.replace('_', '-')}"
        own = tuple(dict.fromkeys(names(record)))
        found.setdefault(page, {})[reference.anchor(record)] = own
    for term in GLOSSARY:
        for page in term.pages:
            top = found.setdefault(page, {})
            top[""] = (*top.get("", ()), term.name, *term.also)
    return found


class WordTransform(SphinxTransform):
    """Put the names of what a page explains into the index."""

    default_priority = 270

    def apply(self, **_: Any) -> None:
        """Change the page in place; nothing of it is shown."""
        places = known().get(self.env.docname, {})
        section = self.document.next_node(nodes.section)
        if not places or section is None:
            return
        entries = [
            ("single", name, place or section["ids"][0], "main", None)
            for place, own in places.items()
            for name in own
        ]
        section.insert(1, addnodes.index(entries=entries))
        words = {w for own in places.values() for name in own for w in re.findall(r"\w+", name)}
        self.document.insert(0, nodes.meta(name="keywords", content=", ".join(sorted(words))))
