"""The ledger keeps its own rules."""

import json

import pytest

from actlab import claims
from actlab.claims import ledger
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


def assert_same(found, recorded):
    """Equal numbers, within what training on another processor changes: a hundredth."""
    assert type(found) is type(recorded)
    if isinstance(found, dict):
        assert found.keys() == recorded.keys()
        for key, value in found.items():
            assert_same(value, recorded[key])
    elif isinstance(found, list):
        assert len(found) == len(recorded)
        for ours, theirs in zip(found, recorded, strict=True):
            assert_same(ours, theirs)
    elif isinstance(found, float):
        assert found == pytest.approx(recorded, rel=0.01, abs=0.01)
    else:
        assert found == recorded


def test_a_changed_number_would_be_seen():
    assert_same({"a": [0.5, 0.25]}, {"a": [0.501, 0.25]})
    for other in ({"a": [0.52, 0.25]}, {"a": [0.5]}, {"b": [0.5, 0.25]}):
        with pytest.raises(AssertionError):
            assert_same({"a": [0.5, 0.25]}, other)


@by_id
def test_the_recorded_verdict_is_what_the_experiment_says_today(claim):
    found = claim.evaluate(seed=0)
    recorded = claim.recorded()
    assert found.verdict == recorded.verdict
    if claim.cheap:
        assert_same(json.loads(json.dumps(found.evidence)), recorded.evidence)
    else:  # it reads a committed table
        assert found.because == recorded.because


@by_id
def test_the_verdict_survives_another_root_seed(claim):
    assert claim.evaluate(seed=1).verdict == claim.recorded().verdict


def test_the_words_that_the_page_is_made_from_are_the_claims_own(tmp_path, monkeypatch):
    filed = ledger.WORDINGS.read_bytes()
    monkeypatch.setattr(ledger, "WORDINGS", tmp_path / "wordings.json")
    ledger.file_wordings(ALL)
    assert ledger.WORDINGS.read_bytes() == filed, "run: python -m actlab.claims words"
    for words, claim in zip(claims.wordings(), ALL, strict=True):
        assert words._repr_markdown_() == claim._repr_markdown_()
        assert words.recorded() == claim.recorded()


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
