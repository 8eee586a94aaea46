"""The ledger keeps its own rules."""

import json

import pytest

from actlab import claims
from actlab.claims.ledger import VERDICTS, Finding, record

ALL = claims.all()
by_id = pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)


@by_id
def test_a_claim_says_what_was_decided_before_the_run(claim):
    for text in (claim.statement, claim.experiment, claim.rule):
        assert len(text) > 20
        assert text.endswith(".")
    assert claim.source
    assert "olds" in claim.rule
    assert "efuted" in claim.rule


@by_id
def test_the_rule_could_have_decided_otherwise(claim):
    verdict, because = claim.decide(claim.otherwise)
    assert verdict != claim.recorded().verdict
    assert because


@by_id
def test_the_recorded_verdict_is_what_the_experiment_says_today(claim):
    found = claim.evaluate(seed=0)
    recorded = claim.recorded()
    assert found.verdict == recorded.verdict
    assert found.because == recorded.because


@by_id
def test_the_verdict_survives_another_root_seed(claim):
    assert claim.evaluate(seed=1).verdict == claim.recorded().verdict


def test_no_verdict_is_left_over_from_a_claim_that_is_gone():
    assert set(json.loads(VERDICTS.read_text())) == {claim.id for claim in ALL}


def test_a_changed_verdict_would_be_seen(tmp_path, monkeypatch):
    claim = claims.get("relu-output-positive")
    monkeypatch.setattr("actlab.claims.ledger.VERDICTS", tmp_path / "verdicts.json")
    record([Finding(claim.id, "holds", "because we say so", {})])
    assert claim.recorded().verdict != claim.evaluate().verdict


def test_an_unknown_claim_names_the_nearest():
    with pytest.raises(KeyError, match="relu-output-positive"):
        claims.get("relu-output-postive")


def test_a_finding_reads_well():
    finding = Finding("x", "refuted", "It is not so.", {})
    assert str(finding) == "REFUTED: It is not so."
    assert finding._repr_markdown_() == "> **Verdict: refuted.** It is not so."
