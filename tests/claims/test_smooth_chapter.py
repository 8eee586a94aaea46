"""What chapter 12 says in words is what the studies and the functions say."""

import math
from pathlib import Path

import numpy as np
import pytest

from actlab import catalog, claims, data, study
from actlab.exercises import smooth as exercises
from actlab.experiments import contest, counts, smooth

CHAPTER = (Path(__file__).parents[2] / "notebooks/12_smooth.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# ", " ").replace(" > ", " ").split())


def recorded(name):
    return claims.get(name).recorded()


def test_the_worked_numbers():
    assert r"$\log 2 = 0.69$" in WORDS
    assert round(math.log(2), 2) == 0.69
    softplus = catalog.get("softplus").reference
    assert "within 0.01 of ReLU from 4.6 on" in WORDS
    assert round(float(softplus(-4.6)), 3) == 0.01
    assert "nearer at 0, 0.069" in WORDS
    assert round(float(softplus(0.0, beta=10)), 3) == 0.069
    assert "$e^{100}$ has 44 digits, float32 ends at 39" in WORDS
    assert len(f"{math.exp(100):.0f}") == 44
    assert len(f"{float(np.finfo(np.float32).max):.0f}") == 39
    assert "an input of 11.5 is enough" in WORDS
    limit = float(np.finfo(np.float16).max)
    assert math.exp(11) < limit < math.exp(11.5)
    assert r"$3 - 3 \log 3 = -0.30$" in WORDS
    assert round(3 - 3 * math.log(3), 2) == -0.30


def test_the_visits():
    x, y = data.visits()
    assert "20,190 years" in WORDS
    assert "nine facts" in WORDS
    assert x.shape == (20_190, 9)
    assert "The mean is 2.86 visits" in WORDS
    assert round(y.mean(), 2) == 2.86
    assert f"below {exercises.ENOUGH} is wanted; the regression has {exercises.LINEAR}" in WORDS


def test_nobody_can_tell_the_outputs_apart():
    finding = recorded("exponential-for-counts")
    assert "Nobody can tell them apart" in WORDS
    assert finding.verdict == "not shown"
    assert "to three thousandths of the deviance" in WORDS
    assert finding.measured[counts.BETTER].half_width() < 0.35
    assert "less than nothing for one row in ten thousand" in WORDS
    below = study.load(counts.VISITS.name).groupby("output").below.mean()
    assert below["linear"] == pytest.approx(1e-4, rel=0.2)


def test_what_is_said_of_the_trials():
    assert "no value and no gradient lost more than half of its digits" in WORDS
    assert recorded("softplus-own-safe").verdict == "holds"
    assert "In a network of three layers this has only begun" in WORDS
    assert smooth.DEPTH == 3
    spread = smooth.apart(count=3, activation="softplus")
    lost = np.log10(spread[:, :1] / spread)
    assert lost[:, smooth.DEPTH].mean() < lost[:, -1].mean() / 3
    assert "weights six times too large" in WORDS
    assert smooth.LARGE == 6
    assert "Each at its own best rate, to the plateau" in WORDS
    assert contest.PATIENCE == 20
    assert "Training does not bring the tanhs back" in WORDS
    assert "hardly anything is saturated in either" in WORDS
    shares = study.load(smooth.SATURATED.name).groupby(["gain", "activation"])
    after = shares.after.mean()
    assert after[smooth.LARGE, "tanh"] > shares.before.mean()[smooth.LARGE, "tanh"]
    assert after[1.0].max() < 0.02
    assert "before it 60 % of their inputs lie" in WORDS
    assert "afterwards 74 %; of the softsigns' 12 %" in WORDS
    assert round(shares.before.mean()[smooth.LARGE, "tanh"], 2) == 0.60
    found = [round(after[smooth.LARGE, name], 2) for name in ("tanh", "softsign")]
    assert found == [0.74, 0.12]


def test_a_chapter_is_the_home_of_its_records():
    homes = claims.homes()
    family = {*catalog.families()["softplus"], "softsign", "log_sigmoid", "exponential"}
    assert {name for name, chapter in homes.items() if chapter == "12_smooth"} == family


def test_who_is_ahead():
    lead = "lead in test accuracy"
    relu = recorded("relu-beats-softplus").measured[lead].cases
    assert "With 500 digits to learn from nobody is shown to be ahead" in WORDS
    assert "it is softplus, by more than a point" in WORDS
    assert relu["digits",].low < 0 < relu["digits",].high
    assert relu["MNIST-1D",].high < -1
    assert all(options["size"] == 500 for options in smooth.CONTEST.settings["options"].values())
    assert "softsign trains to better networks" in WORDS
    assert recorded("softsign-bad-start").verdict == "holds"
    assert "overflowed in half of the networks and more, and ended far behind ReLU" in WORDS
    exponential = study.load(smooth.CONTEST.name).query("arm == 'exponential'")
    assert (exponential.groupby("data").diverged.mean() >= 0.5).all()
    behind = recorded("exponential-hidden").measured[lead].cases
    assert all(found.low > 5 for found in behind.values())


def test_softplus_units_hardly_fall_silent_at_the_rates_at_which_one_trains():
    cases = recorded("softplus-no-dead").measured["share of networks with silent units"].cases
    assert all(found.mean == 0 for (_, rate), found in cases.items() if float(rate) <= 0.03)
