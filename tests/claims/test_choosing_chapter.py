"""What the chapter "Choosing" says in words is what the trial, the program and the ledger say."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from actlab import claims, data, ensemble, plots, stats, study
from actlab.experiments import contest, grand, standing, unfair

FOLDER = Path(__file__).parents[2] / "notebooks"
CHAPTER = (FOLDER / "18_choosing.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# > ", " ").replace("\n# ", " ").split())
AXES = ["data", "network", "norm"]


def printed():
    """Everything that the executed chapter printed."""
    cells = json.loads((FOLDER / "18_choosing.ipynb").read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return "".join("".join(output.get("text", ())) for output in outputs)


@pytest.fixture(scope="module")
def full():
    return study.load(grand.GRAND.name)


@pytest.fixture(scope="module")
def places(full):
    return standing.scores(full).groupby(AXES).mean()


def test_the_seed_that_was_chosen_proves_the_ranking():
    lines = printed().splitlines()
    assert lines[0] == "seed 3: SELU > ELU > ReLU > Tanh"
    assert lines[4] == "SELU > ELU > ReLU > Tanh"  # the fourth of the twenty
    assert len({*lines[1:5]}) == 4
    assert math.factorial(4) == 24
    assert "Four names can be put in 24 orders" in WORDS


def test_the_program_has_some_thirty_lines():
    assert "a program of some thirty lines" in WORDS
    begin = CHAPTER.index("digits = data.load")
    program = CHAPTER[begin : CHAPTER.index("# There it is.")]
    lines = [line for line in program.splitlines() if line and not line.startswith("#")]
    assert 28 <= len(lines) <= 36


def test_the_worked_numbers(full):
    digits = data.load("digits", size=300)
    assert "300 digits to learn from" in WORDS
    assert len(digits.y_train) == 300
    assert "tested with the same 359" in WORDS
    assert len(digits.y_test) == 359
    assert "for half the effect take four times the networks, for a tenth a hundred times" in WORDS
    for part, times in ((2, 4), (10, 100)):
        assert math.sqrt(2 / (20 * times)) == pytest.approx(math.sqrt(2 / 20) / part)
    assert "190" in WORDS
    assert full.arm.nunique() * (full.arm.nunique() - 1) // 2 == 190
    assert "that the tuning saw at 0.0095" in WORDS
    assert round(grand.UNTUNED, 4) == 0.0095
    assert "4,000 times" in WORDS
    assert standing.RESAMPLES == 4_000


def test_what_the_text_says_of_the_trial(full):
    assert "found with ten other networks; five splits with four seeds each" in WORDS
    assert (contest.SPLITS, contest.SEEDS, contest.SPLITS * contest.TUNING_SEEDS) == (5, 4, 10)
    assert "has not improved for twelve epochs, at most twenty-four" in WORDS
    assert grand.SMALL.settings["longest"] == 24
    assert "at most 200 epochs" in WORDS
    assert grand.GRAND.settings["longest"] == 200 == full.ran.max()
    assert grand.GRAND.settings["patience"] == grand.SMALL.settings["patience"] == 12
    assert "twenty functions, six data sets" in WORDS
    assert (full.arm.nunique(), full.data.nunique()) == (20, 6)
    assert "the 24 places (data set, network, norm)" in WORDS
    assert full.groupby(AXES).ngroups == 24
    assert "four places each share their data set" in WORDS
    assert (full[AXES].drop_duplicates().data.value_counts() == 4).all()
    assert "slopes 0.01 and 0.3, learned, and drawn" in WORDS
    assert standing.LEAKY == ("leaky 0.01", "leaky 0.3", "RReLU", "PReLU")


def test_six_witnesses_tell_no_pair_of_twenty_apart(places):
    assert "Holm's smallest $p$ would be above 1" in WORDS
    of_data = places.drop(columns=standing.TIER).groupby("data").mean()
    compared = stats.compare(of_data)
    assert 190 * 2.0 ** (1 - len(of_data)) > 1
    assert compared.smallest_p == 1
    assert not compared.pairs.significant.any()


def test_linear_is_ahead_of_relu_where_little_is_to_be_bent(full, places):
    assert "ranks third of twenty" in WORDS
    assert unfair.ranking(full).index.get_loc("linear") == 2
    assert "On five of the six data sets it is ahead of ReLU, on MNIST-1D far behind" in WORDS
    ahead = (places["linear"] - places["ReLU"]).groupby("data").mean()
    assert (ahead.drop("mnist1d") > 0).all()
    assert ahead["mnist1d"] < -2


def residual_relu(power, lr, epochs):
    """Mean accuracy on the digits, per cent: the trial's network, at one rate."""
    network = "8 layers, residual"
    arm = {**grand.start(grand.ARMS["ReLU"]), "hidden": (16,) * 8, "residual": True, "lr": lr}
    arm["branch_gain"] = grand.branch_gain(network, "none", power)
    scores = []
    for split in range(5):
        part = grand._trimmed(data.load("digits", seed=split, size=400))
        run = {"arms": {"it": {**arm, "batch_size": 64}}, "seeds": 4, "patience": 12}
        result = ensemble.train(part, **run, epochs=epochs, keep_weights=False, progress=False)
        scores.append(100 * result.test_accuracy.mean())
    return np.mean(scores)


def test_what_a_start_for_plain_layers_costs_where_blocks_add_up(places):
    """The first run's rates were a thousandth for ReLU and ten for tanh; untuned here."""
    assert "ReLU was nearly forty points behind tanh" in WORDS
    there = places.loc["digits", "8 layers, residual", "none"]
    assert 35 < there["tanh"] - residual_relu(0, 0.000949, 200) < 42
    assert "the forty points became two" in WORDS
    assert 1 < there["tanh"] - there["ReLU"] < 2.5
    assert residual_relu(1, 0.03, 60) == pytest.approx(there["ReLU"], abs=2)


def test_how_far_the_signal_grows_where_blocks_add_up():
    assert "the signal of ReLU about 36 times as large, that of tanh 3 times" in WORDS
    rng = torch.Generator().manual_seed(0)
    for arm, f, grown in (("ReLU", torch.relu, 36), ("tanh", torch.tanh, 3)):
        gain = grand.start(grand.ARMS[arm])["gain"]
        ratios = []
        for _ in range(200):
            x = torch.randn(100, 64, generator=rng)
            first = x = f(x @ torch.randn(64, 16, generator=rng) * gain / 8)
            for _ in range(7):
                x = x + f(x @ torch.randn(16, 16, generator=rng) * gain / 4)
            ratios.append((x.square().mean() / first.square().mean()).sqrt())
        assert float(torch.tensor(ratios).median()) == pytest.approx(grown, rel=0.1)


def test_what_lies_below_its_noise_floor():
    assert '("Breast cancer" in the table above is below its grey.)' in WORDS
    (measured,) = claims.get("ranking-leaky-relu").recorded().measured.values()
    passing = claims.get("ranking-leaky-relu").recorded().decision.passing
    assert passing == (("digits",), ("breast cancer",))
    cancer = ("breast cancer",)
    assert 0 < measured.cases[cancer].mean < measured.floors[cancer]
    assert measured.cases["digits",].mean > measured.floors["digits",]


def test_who_leads_and_what_follows_them():
    assert "On average SELU and ELU do lead; what follows them does not follow the ranking" in WORDS
    whole = claims.get("ranking-whole").recorded()
    ranks = whole.measured[standing.WHOLE].notes["mean rank"]
    order = sorted(ranks, key=ranks.get)
    assert order[:2] == ["SELU", "ELU"]
    assert order[2:] != ["leaky", "ReLU", "tanh", "sigmoid"]
    assert whole.verdict == "refuted"


def test_a_carelessness_is_one_argument_and_moves_the_ranking(full):
    fair = unfair.ranking(full)
    for one in ({"tuned": False}, {"when": "accuracy_5"}, {"best": True}, {"data": "digits"}):
        assert 0 < unfair.turned(fair, unfair.ranking(full, **one)) < 50


def test_the_minute_is_computed_with_digits_on_which_processors_agree():
    assert grand.SMALL.settings["dtype"] == "float64"
    assert "dtype" not in grand.GRAND.settings  # its grid is the one that ran
    tiny = {**grand.SMALL.settings, "arms": {"ReLU": grand.ARMS["ReLU"]}, "tuning": (1, 1)}
    tiny |= {"longest": 20, "splits": 2, "seeds": 1}
    cell = {"data": "digits", "network": "2 layers", "norm": "none"}
    losses = [
        grand.grand_cell(**cell, **{**tiny, "dtype": dtype}).valid_loss.to_numpy()
        for dtype in ("float64", "float32")
    ]
    assert np.allclose(*losses, atol=1e-3)
    assert not np.array_equal(*losses)


def test_a_diagram_of_many_arms_keeps_their_colours_and_a_short_alt_text(places):
    blocks = places.drop(columns=standing.TIER)
    compared = stats.compare(blocks)
    hues = {arm: plots.colour(own["activation"]) for arm, own in grand.ARMS.items()}
    plot = plots.critical_difference_diagram(compared, colours=hues)
    alike = (~compared.pairs.significant).sum()
    assert alike > plots.ranks.LISTED
    best = compared.mean_ranks.index[0]
    assert f"Not told apart from {best}: " in plot.alt
    assert len(plot.alt) < 1200
    colours = {line.get_color() for line in plot.ax.get_lines()}
    assert hues["SELU"] in colours
