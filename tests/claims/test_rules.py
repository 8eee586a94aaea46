"""No rule was changed, in words or numbers, without saying so."""

import json
from dataclasses import replace

import pytest

from actlab import claims

from .rules import GOLDEN, written

ALL = claims.all()
BEFORE = json.loads(GOLDEN.read_text("utf-8"))
by_id = pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)


@by_id
def test_the_rule_is_the_one_that_was_written_down(claim):
    assert written(claim) == BEFORE.get(claim.id)


def test_no_rule_is_left_over():
    assert set(BEFORE) == {claim.id for claim in ALL}


@by_id
def test_a_moved_threshold_is_found_out(claim):
    """Each end of each bound, and the distance at which the opposite begins."""
    for what, bound in claim.by.bounds.items():
        for name in ("low", "high", "clear"):
            value = getattr(bound, name)
            if abs(value) == float("inf") or (name == "clear" and not value):
                continue
            ends = {"low": bound.low, "high": bound.high, "clear": bound.clear}
            ends[name] = value + 0.01 * (abs(value) or 1.0)
            if ends["low"] > ends["high"]:
                ends["high"] = ends["low"]
            moved = {**claim.by.bounds, what: replace(bound, **ends)}
            changed = replace(claim, by=replace(claim.by, bounds=moved))
            assert written(changed) != BEFORE[claim.id], (what, name)
