"""The ledger: every claim on trial, its experiment, its rule and its verdict.

>>> from actlab import claims
>>> claims.get("relu-output-positive").evaluate()
"""

from __future__ import annotations

import difflib

from actlab.claims import (
    choice,
    cost,
    elu_natural_gradient,
    elu_selu,
    elu_selu_training,
    leaky,
    leaky_asleep,
    leaky_decay,
    leaky_training,
    relu,
    relu_training,
    selu_cnn,
    sigmoid_tanh,
    sigmoid_training,
    why_nonlinear,
)
from actlab.claims.ledger import Claim, Finding, Trial, Verdict

__all__ = ["Claim", "Finding", "Trial", "Verdict", "all", "get", "trial"]

# Chapter by chapter, in the order of the book.
_MODULES = (
    why_nonlinear,
    choice,
    relu,
    relu_training,
    cost,
    sigmoid_tanh,
    sigmoid_training,
    leaky,
    leaky_asleep,
    leaky_training,
    leaky_decay,
    elu_selu,
    elu_selu_training,
    elu_natural_gradient,
    selu_cnn,
)
_CLAIMS: dict[str, Claim] = {claim.id: claim for module in _MODULES for claim in module.CLAIMS}


def get(claim_id: str) -> Claim:
    """One claim. Raises ``KeyError`` naming the nearest ids."""
    if isinstance(claim_id, str) and claim_id in _CLAIMS:
        return _CLAIMS[claim_id]
    nearest = (
        difflib.get_close_matches(str(claim_id), _CLAIMS, n=3, cutoff=0.4) or list(_CLAIMS)[:3]
    )
    raise KeyError(f"unknown claim {claim_id!r}: the nearest are {', '.join(nearest)}")


def all() -> tuple[Claim, ...]:
    """Every claim, chapter by chapter."""
    return tuple(_CLAIMS.values())


def trial(*ids: str, run: bool = False) -> Trial:
    """Claims with their recorded verdicts, or with ``run`` those of an evaluation now."""
    cases = [get(claim_id) for claim_id in ids]
    return Trial(tuple((claim, claim.evaluate() if run else claim.recorded()) for claim in cases))
