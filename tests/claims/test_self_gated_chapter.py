"""What chapter 7 says in words is what the studies and the functions say."""

import math
from pathlib import Path

import numpy as np
import torch
from scipy.stats import norm

from actlab import claims, data, study
from actlab.catalog import get
from actlab.experiments import contest, self_gated

CHAPTER = (Path(__file__).parents[2] / "notebooks/07_self_gated.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# ", " ").split())
LEAD = "lead in test accuracy"


def leads(name):
    return claims.get(name).recorded().measured[LEAD].cases


def test_the_worked_numbers():
    assert r"$\Phi(1)$ is 0.84" in WORDS
    assert round(norm.cdf(1), 2) == 0.84
    assert "(Mish's 60 %)" in WORDS
    assert math.isclose(math.tanh(math.log(2)), 0.6)
    assert "65,536 times" in WORDS
    assert 2**2**self_gated.SHALLOW == 65_536
    assert "sixteen layers" in WORDS
    assert self_gated.DEEP == 16
    x = np.linspace(-7, 7, 14_001)
    gap = np.abs(get("gelu_tanh").reference(x) - get("gelu").reference(x)).max()
    assert "half a thousandth at most" in WORDS
    assert 0.00045 < gap < 0.0005
    assert "359 new digits" in WORDS
    assert len(data.load("digits").y_test) == 359
    assert "3,590 answers" in WORDS


def test_what_the_text_says_of_each_trial():
    table = study.load(self_gated.CONTEST.name)
    assert "each arm at its own best rate" in WORDS
    assert "five splits with four seeds each" in WORDS
    assert (contest.SPLITS, contest.SEEDS) == (5, 4)
    assert "until nothing improves for twenty epochs" in WORDS
    assert contest.PATIENCE == 20
    assert "All four leads are above 0 and none beyond chance" in WORDS
    assert all(found.mean > 0 >= found.low for found in leads("gelu-beats-relu").values())
    swish = leads("swish-beats-relu")
    passing = claims.get("swish-beats-relu").recorded().decision.passing
    assert "on one data set without a norm; with layer norm that lead is gone" in WORDS
    assert passing == (("no normalisation", "MNIST-1D"),)
    assert swish["layer norm", "MNIST-1D"].mean < 0
    assert "*Mish* is not shown to be ahead of Swish" in WORDS
    assert claims.get("mish-beats-swish").recorded().verdict == "not shown"
    assert "Without a norm it hardly trains" in WORDS
    squared = table[(table.arm == "ReLU²")].groupby("data").accuracy.mean()
    assert (squared < 0.5).all()


def test_he_costs_gelu_time_on_the_digits_and_nothing_at_the_end():
    assert "On the digits He's start is behind *early*, and at the end nobody can tell" in WORDS
    table = study.load(self_gated.CONTEST.name)
    deep = table[(table.depth == self_gated.DEEP) & (table.data == "digits")]
    early = deep.groupby("arm").accuracy_1.mean()
    assert early["GELU, He's start"] < min(early["GELU"], early["ReLU"]) - 0.05
    assert claims.get("gelu-own-start").recorded().verdict == "not shown"


def test_units_are_silent_where_the_text_says():
    table = study.load(self_gated.SILENT.name)
    assert "stays within 0.001 of 0" in WORDS
    assert self_gated.TOLERANCE == 0.001
    assert "hardly a GELU or SiLU unit falls silent" in WORDS
    sane = table[table.lr < 0.2]
    share = sane.groupby(["activation", "lr"]).silent.mean()
    assert (share[["gelu", "silu"]] < 1e-3).all()
    assert "nearly every ReLU network has dead ones" in WORDS
    assert (sane[sane.activation == "relu"].zero > 0).mean() > 0.9
    assert "At the largest rate (not drawn) all three kinds collapse" in WORDS
    assert (table[table.lr >= 0.3].valid_accuracy.dropna() < 0.2).all()


def test_where_gelu_is_exactly_0_its_slope_is_as_good_as_0():
    assert "Out there the slope, too, is 0 or as good as" in WORDS
    x = torch.linspace(-30, -5.56, 2_000)
    for fast in (True, False):  # oneDNN rounds the slope to 0, PyTorch's own code does not
        leaf = x.clone().requires_grad_()
        with torch.backends.mkldnn.flags(enabled=fast):
            y = torch.nn.functional.gelu(leaf)
            y.sum().backward()
        assert (y == 0).all()
        assert leaf.grad.abs().max() < 1e-6


def test_a_deep_stack_fades_to_what_the_cheat_row_says():
    lost = claims.get("gelu-he-start").recorded().measured[self_gated.FADED].cases
    assert "less than a thousandth in thirty layers" in claims.rows()["07_self_gated"][1].trap
    assert lost["SiLU",].low > 3
    starts = " ".join(row.start for row in claims.rows()["07_self_gated"])
    for name, said in (("gelu", 2.16), ("silu", 2.43)):
        assert f"variance {said}/n" in starts
        assert round(self_gated.GAINS[name] ** 2, 2) == said
