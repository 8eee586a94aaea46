"""What chapter 10 says in words is what the functions and the study say."""

import math
import re
from pathlib import Path

from actlab import claims, study
from actlab.experiments import gates

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
    assert "two plain blocks and four gated ones" in WORDS
    assert (plain, len(gates.GATED)) == (2, 4)
    assert "networks of equally many weights" in WORDS
    assert gates.count(True) == gates.count(False)
    table = study.load(gates.GATES.name)
    assert "on ten cuts of the text with two seeds each" in WORDS
    assert table.split.nunique() == 10
    assert (table.groupby(["arm", "split"]).seed.nunique() == 2).all()


def test_what_the_text_says_of_the_trial():
    table = study.load(gates.GATES.name)
    assert "for 8,000 steps. More than a fifth of the networks were best at the very end" in WORDS
    assert (table.ran == 8000).all()
    assert 0.2 < (table.best_at == 8000).mean() < 0.25
    assert "GEGLU and SwiGLU are not shown to be ahead, nor behind" in WORDS
    found = claims.get("gates-beat-plain").recorded()
    assert found.verdict == "not shown"
    assert all(lead.low < 0 < lead.high for lead in found.measured[gates.LEAD].cases.values())
    assert "so small a lead our twenty networks could have missed" in WORDS
    assert 0.02 < found.measured[gates.LEAD].half_width() < 0.05


def test_what_was_not_asked():
    assert "(ReGLU is not among them)" in WORDS
    assert "ReGLU" not in gates.ARMS
    assert "Whether *any* gate helps was not asked" in WORDS
    sides = {"GEGLU", "SwiGLU"}
    assert {case for (case,) in cases("gates-beat-plain")} == sides


def cases(name):
    (measured,) = claims.get(name).recorded().measured.values()
    return measured.cases


def test_the_gate_that_is_faster_has_the_larger_rate():
    assert "the rate chosen for GLU is nearly twice ReLU's, and a larger rate alone is" in WORDS
    rates = study.load(gates.GATES.name).groupby("arm").lr.first()
    assert 1.7 < rates["GLU"] / rates["ReLU"] < 2
    passing = claims.get("gates-faster").recorded().decision.passing
    assert {who for who, _ in passing} == {"GLU over ReLU"}
    splits = [gates.split_letters(split) for split in (30, 31)]
    steps = []
    for rate in (rates["ReLU"], rates["GLU"]):
        valid, _ = gates.fitted(
            "ReLU",
            splits,
            (1, 2),
            [rate] * 2,
            marks=[400],
            every=20,
            patience=20,
            batch=gates.GATES.settings["batch"],
        )
        steps.append(20 * (1 + (valid <= 2.6).argmax(0)).mean())
    assert steps[1] < 0.9 * steps[0]


def test_the_ledger_has_one_more_claim_than_the_chapter():
    calls = re.findall(r"claims\.trial\((.*?)\)", TEXT, re.DOTALL)
    shown = set(re.findall(r'"([a-z-]+)"', " ".join(calls)))
    known = {claim.id for claim in claims.all() if claim.chapter == "10_gates"}
    assert "One more claim, on the bilinear block" in WORDS
    assert known - shown == {"gates-bilinear-enough"}
