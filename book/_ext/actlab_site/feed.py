"""The feed of amendments, ``amendments.xml``: every rule that was changed after a result was seen.

Whoever builds on a verdict can be told when it changes. Made from the ledger's history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from actlab_site import ledger

NAME = "amendments.xml"
TITLE = "Changed rules and verdicts"
_ATOM = "http://www.w3.org/2005/Atom"


def feed(claims: Iterable[Any], title: str, home: str) -> str:
    """An Atom feed, the latest change first; ``home``: the address of the site."""
    home = home.rstrip("/")
    changes = [(old, claim) for claim in claims for old in claim.amended]
    changes.sort(key=lambda change: (change[0].until, change[1].id), reverse=True)
    root = ElementTree.Element("feed", xmlns=_ATOM)
    _text(root, "title", f"{title}: {TITLE.lower()}")
    _text(root, "id", f"{home}/{NAME}")
    _text(root, "updated", _moment(changes[0][0].until if changes else "1970-01-01"))
    ElementTree.SubElement(root, "link", rel="self", href=f"{home}/{NAME}")
    ElementTree.SubElement(root, "author").append(_named("name", "The course's contributors"))
    for old, claim in changes:
        page = f"{home}/book/reference/claims.html#{ledger.label(claim)}"
        mark = hashlib.sha256(f"{old.until} {old.rule}".encode()).hexdigest()[:12]
        entry = ElementTree.SubElement(root, "entry")
        _text(entry, "title", f"{claim.statement} ({old.verdict} → {ledger.verdict(claim)})")
        _text(entry, "id", f"{page}-{mark}")
        _text(entry, "updated", _moment(old.until))
        ElementTree.SubElement(entry, "link", href=page)
        _text(
            entry,
            "summary",
            f"Until {old.until} the verdict was: {old.verdict}, by this rule: {old.rule} "
            f"{old.known} Since then it is: {ledger.verdict(claim)}, by this rule: {claim.rule}",
        )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _moment(day: str) -> str:
    return f"{day}T00:00:00Z"


def _named(tag: str, text: str) -> Any:
    element = ElementTree.Element(tag)
    element.text = text
    return element


def _text(parent: Any, tag: str, text: str) -> None:
    parent.append(_named(tag, text))
