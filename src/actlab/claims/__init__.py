"""The ledger: every claim on trial, its experiment, its rule and its verdict.

>>> from actlab import claims
>>> claims.get("relu-output-positive").evaluate()
"""

from __future__ import annotations

import difflib

from actlab.claims import cost, relu, relu_training
from actlab.claims.ledger import Claim, Finding, Verdict

__all__ = ["Claim", "Finding", "Verdict", "all", "get"]

# Chapter by chapter, in the order of the book.
_MODULES = (relu, relu_training, cost)
_CLAIMS: dict[str, Claim] = {claim.id: claim for module in _MODULES for claim in module.CLAIMS}


def get(claim_id: str) -> Claim:
    """One claim. Raises ``KeyError`` naming the nearest ids."""
    if claim_id in _CLAIMS:
        return _CLAIMS[claim_id]
    nearest = difflib.get_close_matches(claim_id, _CLAIMS, n=3, cutoff=0.4) or list(_CLAIMS)[:3]
    raise KeyError(f"unknown claim {claim_id!r}: the nearest are {', '.join(nearest)}")


def all() -> tuple[Claim, ...]:
    """Every claim, chapter by chapter."""
    return tuple(_CLAIMS.values())
