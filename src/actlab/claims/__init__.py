"""The ledger: every claim on trial, its experiment, its rule and its verdict.

>>> from actlab import claims
>>> claims.get("relu-output-positive").evaluate()
"""

from __future__ import annotations

import difflib
import importlib
from functools import cache

from actlab.claims.ledger import Claim, Finding, Trial, Verdict, Wording, wordings

__all__ = ["Claim", "Finding", "Trial", "Verdict", "Wording", "all", "get", "trial", "wordings"]

# Chapter by chapter, in the order of the book. A module is imported when a claim is asked for:
# the experiments need PyTorch, and the ledger's page only the claims' words.
_MODULES = (
    "why_nonlinear",
    "choice",
    "relu",
    "relu_training",
    "cost",
    "sigmoid_tanh",
    "sigmoid_training",
    "leaky",
    "leaky_asleep",
    "leaky_training",
    "leaky_decay",
    "elu_selu",
    "elu_selu_training",
    "elu_natural_gradient",
    "selu_cnn",
)


@cache
def _claims() -> dict[str, Claim]:
    modules = [importlib.import_module(f"{__name__}.{name}") for name in _MODULES]
    return {claim.id: claim for module in modules for claim in module.CLAIMS}


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
    cases = [get(claim_id) for claim_id in ids]
    return Trial(tuple((claim, claim.evaluate() if run else claim.recorded()) for claim in cases))
