"""The ledger: every claim on trial, its experiment, its rule and its verdict.

>>> from actlab import claims
>>> claims.get("relu-output-positive").evaluate()
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import replace
from functools import cache

from actlab.claims.ledger import Claim as Old
from actlab.claims.ledger import Finding, Trial, Verdict, Wording, wordings
from actlab.trial import Claim

__all__ = ["Claim", "Finding", "Trial", "Verdict", "Wording", "all", "get", "trial", "wordings"]

# Module → chapter, in the order of the book. A module is imported when a claim is asked for: the
# experiments of the older ones need PyTorch, and the ledger's page only the claims' words.
_MODULES = {
    "why_nonlinear": "01_why_nonlinear",
    "relu": "02_relu",
    "sigmoid_tanh": "03_sigmoid_tanh",
    "leaky": "04_leaky",
    "elu_selu": "05_elu_selu",
}


@cache
def _claims() -> dict[str, Claim | Old]:
    found: dict[str, Claim | Old] = {}
    for name, chapter in _MODULES.items():
        for claim in importlib.import_module(f"{__name__}.{name}").CLAIMS:
            if claim.id in found:
                raise ValueError(f"two claims are called {claim.id!r}.")
            found[claim.id] = replace(claim, chapter=chapter)
    return found


def get(claim_id: str) -> Claim | Old:
    """One claim. Raises ``KeyError`` naming the nearest ids."""
    known = _claims()
    if isinstance(claim_id, str) and claim_id in known:
        return known[claim_id]
    nearest = difflib.get_close_matches(str(claim_id), known, n=3, cutoff=0.4) or list(known)[:3]
    raise KeyError(f"unknown claim {claim_id!r}: the nearest are {', '.join(nearest)}")


def all() -> tuple[Claim | Old, ...]:
    """Every claim, chapter by chapter."""
    return tuple(_claims().values())


def trial(*ids: str, run: bool = False) -> Trial:
    """Claims with their recorded verdicts, or with ``run`` those of an evaluation now."""
    cases = [get(claim_id) for claim_id in ids]
    return Trial(tuple((claim, claim.evaluate() if run else claim.recorded()) for claim in cases))
