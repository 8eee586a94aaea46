"""The page "The starting document": what the course set out from, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from actlab_site import ledger
from actlab_site.tables import table

INTRODUCTION = """\
# The starting document

This course set out from a summary that many of us have read in one form or another: a notebook
named *Activation Functions in Keras and PyTorch*, of the year 2020. It lists what Keras 2.4 and
PyTorch 1.7 offer, with a line of code and a few sentences for each function, and ends with a
ranking. Nearly every sentence of it stands in dozens of other texts as well, and that is why it
is worth trying: it is a good summary of what is commonly said. Below, section by section and in our
words, is what it says, and what a measurement made of it.

Its lines of code have aged, too: [then and now](then-and-now.md) has today's."""

# What has no record yet: the chapter that will try it, or where it can be seen without a verdict.
OPEN = "not tried"
SEEN = "no verdict; what there is to see: [Choosing](../../notebooks/18_choosing.ipynb)"
TO_COME = {
    "introduction": (
        ("Activations decide how accurate a network is and how costly its training.", SEEN),
    ),
    "ReLU": (
        (
            "ReLU is the one used most, and the one that libraries and processors speed up.",
            "to be tried: *Cost*",
        ),
        ("With ReLU a network converges quickly.", SEEN),
    ),
    "PReLU": (("PReLU learns the slope of its negative side.", OPEN),),
    "RReLU": (("Choose between PReLU and RReLU by cross-validation.", OPEN),),
    "ELU": (
        ("Mean activations closer to 0 make a network learn faster.", OPEN),
        ("It is the exponential that makes ELU slow.", "to be tried: *Cost*"),
    ),
    "SELU": (("A network normalises itself if all of its layers are dense ones with SELU.", OPEN),),
    "the lists": (("These are all the activations of both libraries.", OPEN),),
}
SECTIONS = (
    *("introduction", "ReLU", "Leaky ReLU", "PReLU", "RReLU", "ELU", "SELU", "Sigmoid", "TanH"),
    *("Softmax", "Softplus", "the lists", "the ranking"),
)


def section(source: str) -> str | None:
    """The section of the document that a claim's source names; None for a claim from elsewhere."""
    if "starting document" not in source:
        return None
    if "ranking" in source or "last section" in source:
        return "the ranking"
    if "additional functions" in source:
        return "the lists"
    named = re.search(r"starting document, (?:section )?((?:Leaky )?\w+)", source)
    return named[1] if named else None


def page(claims: Iterable[Any]) -> str:
    """The page's Markdown."""
    tried: dict[str, list[Any]] = {}
    for claim in claims:
        if (name := section(claim.source)) is not None:
            if name not in SECTIONS:
                raise ValueError(f"claim {claim.id}: the starting document has no section {name}.")
            tried.setdefault(name, []).append(claim)
    blocks = [INTRODUCTION]
    for name in SECTIONS:
        rows = [(ledger.link(claim), ledger.verdict(claim)) for claim in tried.get(name, ())]
        rows += TO_COME.get(name, ())
        if rows:
            blocks += [f"## {name[0].upper()}{name[1:]}", table(("It says", "Verdict"), rows)]
    return "\n\n".join(blocks) + "\n"
