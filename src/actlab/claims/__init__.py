"""The ledger: every claim on trial, its experiment, its rule and its verdict.

>>> from actlab import claims
>>> claims.get("relu-output-positive").evaluate()
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import replace
from functools import cache
from types import ModuleType

from actlab import catalog
from actlab.trial import Claim, Row
from actlab.trial.card import Trial
from actlab.trial.cheat import Cheat

# Module → chapter, in the order of the book.
_MODULES = {
    chapter.split("_", 1)[1]: chapter
    for chapter in (
        *("01_why_nonlinear", "02_relu", "03_sigmoid_tanh", "04_leaky", "05_elu", "06_selu"),
        *("07_self_gated", "08_softmax", "09_softmax_family", "10_gates", "11_attention"),
        *("12_smooth", "13_hard", "14_shrinkage", "15_cost", "18_choosing"),
    )
}


def _chapters() -> dict[str, ModuleType]:
    """Chapter → its record file: ``CLAIMS``, ``CHEAT`` and ``HOME`` (what it is the chapter of)."""
    return {
        chapter: importlib.import_module(f"{__name__}.{name}") for name, chapter in _MODULES.items()
    }


@cache
def _claims() -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for chapter, module in _chapters().items():
        for claim in module.CLAIMS:
            if claim.id in found:
                raise ValueError(f"two claims are called {claim.id!r}.")
            found[claim.id] = replace(claim, chapter=chapter)
    return found


def get(claim_id: str) -> Claim:
    """One claim. Raises ``KeyError`` naming the nearest ids."""
    known = _claims()
    if isinstance(claim_id, str) and claim_id in known:
        return known[claim_id]
    nearest = difflib.get_close_matches(str(claim_id), known, n=3, cutoff=0.4) or list(known)[:3]
    raise KeyError(f"unknown claim {claim_id!r}: the nearest are {', '.join(nearest)}")


def all() -> tuple[Claim, ...]:
    """Every claim, chapter by chapter."""
    return tuple(_claims().values())


def trial(*ids: str, run: bool = False) -> Trial:
    """Claims with their recorded verdicts, or with ``run`` those of an evaluation now."""
    return Trial(tuple((c, c.evaluate() if run else c.recorded()) for c in map(get, ids)))


def homes() -> dict[str, str]:
    """Record of the catalog → the chapter that is about it; ``KeyError`` for an unknown one."""
    return {
        catalog.get(record).name: chapter
        for chapter, module in _chapters().items()
        for record in getattr(module, "HOME", ())
    }


def rows() -> dict[str, tuple[Row, ...]]:
    """The cheat rows by chapter (``"02_relu"``), in the order of the book, where there are any."""
    found = {chapter: getattr(module, "CHEAT", ()) for chapter, module in _chapters().items()}
    return {chapter: cheat for chapter, cheat in found.items() if cheat}


def cheat(chapter: str) -> Cheat:
    """The cheat rows of a chapter, by the name of its record file: ``claims.cheat("relu")``.

    Raises ``KeyError`` for a chapter, an activation or a claim that nobody knows, and
    ``LookupError`` where the record file has no ``CHEAT`` yet.
    """
    if chapter not in _MODULES:
        nearest = difflib.get_close_matches(str(chapter), _MODULES, n=3, cutoff=0.4) or _MODULES
        raise KeyError(f"no chapter is called {chapter!r}: the nearest are {', '.join(nearest)}")
    if (found := rows().get(_MODULES[chapter])) is None:
        raise LookupError(
            f"actlab.claims.{chapter} has no cheat row yet: write CHEAT = (Row(...),) there."
        )
    for row in found:
        catalog.get(row.activation)
    return Cheat(found, {name: get(name) for row in found for name in row.evidence})
