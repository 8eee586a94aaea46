"""What chapter 10 says in words is what the functions and the study say."""

import math
import re
from pathlib import Path

from actlab import claims, study
from actlab.experiments import gates
from actlab.experiments.contest import over_splits

TEXT = (Path(__file__).parents[2] / "notebooks/10_gates.py").read_text("utf-8")
WORDS = " ".join(TEXT.replace("\n# ", " ").split())


def test_the_worked_numbers():
    gate = 1 / (1 + math.exp(-2))
    assert "the gate is 88 % open, and 2.64 passes" in WORDS
    assert (round(100 * gate), round(3 * gate, 2)) == (88, 2.64)
    assert r"$\log 27 = 3.30$" in TEXT
    assert round(math.log(len(gates.ALPHABET)), 2) == 3.30


def test_the_study_is_what_the_text_says():
    plain = len(gates.ARMS) - len(gates.GATED)
    assert "two plain blocks and five gated ones" in WORDS
    assert (plain, len(gates.GATED)) == (2, 5)
    assert "networks of equally many weights" in WORDS
    assert gates.count(True) == gates.count(False)
    table = study.load(gates.GATES.name)
    assert "on ten cuts of the text with two seeds each, and two more" in WORDS
    assert table.split.nunique() == 10
    assert (table.groupby(["arm", "split"]).seed.nunique() == 4).all()


def test_what_the_text_says_of_the_trial():
    table = study.load(gates.GATES.name)
    assert "until its validation loss has not improved for 3,000 steps" in WORDS
    assert (table.ran - table.best_at == 3000).all()
    assert "(After 8,000 steps, where an earlier version of this trial ended, nine in" in WORDS
    assert round((table.best_at > 8000).mean(), 1) == 0.9
    assert "No gate is shown to be ahead, none to be behind" in WORDS
    for name in ("gates-any-helps", "gates-beat-plain"):
        found = claims.get(name).recorded()
        assert found.verdict == "not shown"
        assert all(lead.low < 0 < lead.high for lead in cases(name).values())
        assert all(lead.n == 20 for lead in cases(name).values()) or name == "gates-beat-plain"
    assert {case for (case,) in cases("gates-any-helps")} == set(gates.GATED)
    assert "so small a lead twenty networks could have missed" in WORDS
    assert 0.02 < found.measured[gates.LEAD].half_width() < 0.05
    assert "With all forty in the picture GEGLU *would* lead by a hair" in WORDS
    for rival in ("ReLU", "GELU"):
        lead, _ = over_splits(gates.values(rival) - gates.values("GEGLU"), 0.975)
        assert 0 < lead.low < 0.005


def cases(name):
    (measured,) = claims.get(name).recorded().measured.values()
    return measured.cases


def test_what_the_text_says_of_speed():
    assert "Nor is a gate shown to train faster. That verdict was once another" in WORDS
    claim = claims.get("gates-faster")
    assert claim.recorded().verdict == "not shown"
    assert claim.amended[-1].verdict == "holds when …"
    assert "once more GLU has ReLU's: what was saved is gone" in WORDS
    own, same = (
        [found for (who, rate, _), found in cases("gates-faster").items() if (who, rate) == key]
        for key in (
            ("GLU over ReLU", "a rate of its own"),
            ("GLU over ReLU", "the plain block's rate"),
        )
    )
    assert all(a.mean > b.mean for a, b in zip(own, same, strict=True))
    assert all(abs(found.mean) < 5 for found in same)
    assert "GEGLU even comes later than GELU to the first of the losses" in WORDS
    late = cases("gates-faster")["GEGLU over GELU", "a rate of its own", "a loss of 2.6"]
    assert late.high < 0


def test_a_larger_rate_alone_is_faster():
    assert "GLU's was nearly twice ReLU's, and a larger rate alone is faster" in WORDS
    rates = gates.SPEED.axes["lr"]
    slower, faster = (rates[rates.index(0.01) + shift] for shift in (-1, 0))
    assert 1.7 < faster / slower < 2
    for arm in ("ReLU", "GLU"):
        steps = [gates.steps_to(arm, rate, 2.6).mean() for rate in (slower, faster)]
        assert steps[1] < 0.9 * steps[0]


def test_the_ledger_has_two_more_claims_than_the_chapter():
    calls = re.findall(r"claims\.trial\((.*?)\)", TEXT, re.DOTALL)
    shown = set(re.findall(r'"([a-z-]+)"', " ".join(calls)))
    known = {claim.id for claim in claims.all() if claim.chapter == "10_gates"}
    assert "(Two more claims, on the bilinear block and on which curve sits in the gate" in WORDS
    assert known - shown == {"gates-bilinear-enough", "gates-curve-hardly-matters"}
