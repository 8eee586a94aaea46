"""No rule was changed, in words or numbers, without saying so."""

import json
from dataclasses import replace

import pytest

from actlab import claims
from actlab.claims import ledger

from .rules import GOLDEN, turning_points, written

ALL = claims.all()
BEFORE = json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_the_rule_is_the_one_that_was_written_down(claim):
    assert written(claim) == BEFORE.get(claim.id)


def test_no_rule_is_left_over():
    assert set(BEFORE) == {claim.id for claim in ALL}


def test_nearly_every_rule_turns_at_a_number_of_its_prose():
    without = [name for name, kept in BEFORE.items() if not kept.get("turns at", "by record")]
    assert len(without) <= len(BEFORE) // 8, without


def test_a_moved_threshold_is_found_out():
    def decide(evidence):
        return ("holds" if evidence["share"] > 0.5 else "refuted"), "So it is."

    claim = ledger.Claim(
        id="relu-output-positive",  # recorded evidence of another kind turns nothing
        statement="More than half.",
        source="nobody",
        chapter="none",
        experiment="None.",
        rule="Holds above 0.5, else refuted.",
        measure=lambda seed: {"share": 0.1},
        decide=decide,
        otherwise={"share": 0.1},
    )
    assert 0.5 in turning_points(claim)
    laxer = replace(claim, decide=lambda evidence: decide({"share": evidence["share"] + 0.05}))
    assert 0.5 not in turning_points(laxer)
