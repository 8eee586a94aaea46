"""What chapter 4 says in words about committed studies is what they say."""

import re
from pathlib import Path

import pytest

from actlab import catalog, claims, study
from actlab.experiments import contest, cost, decay

CHAPTER = (Path(__file__).parents[2] / "notebooks/04_leaky.py").read_text("utf-8")


def slope(name, optimiser, decaying):
    found = decay.by_decaying(name)
    (group,) = (part for title, part in found.items() if title.startswith(optimiser))
    return group[decaying].mean


def test_learned_slopes_rise_on_digits_and_fall_on_mnist1d():
    assert slope("digits", "SGD", "nothing") > decay.START > slope("mnist1d", "SGD", "nothing")


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_what_decay_does_to_slopes(name):
    for optimiser in ("SGD", "AdamW"):
        nothing = slope(name, optimiser, "nothing")
        assert slope(name, optimiser, "slopes only") < nothing
        assert slope(name, optimiser, "all but the slopes") > nothing
    assert slope(name, "SGD", "everything") > slope(name, "SGD", "nothing")
    assert slope(name, "AdamW", "everything") < slope(name, "AdamW", "nothing")


def test_a_short_contest_crowns_another_winner():
    means = study.load(contest.LEAKY.name).groupby(["data", "depth", "arm"])
    means = means[["accuracy_1", "accuracy"]].mean()
    first = means.groupby(["data", "depth"]).idxmax().map(lambda place: place[-1])
    assert (first.accuracy_1 != first.accuracy).any()


def test_learned_and_random_slopes_are_slow_to_train():
    for framework in cost.FRAMEWORKS:
        table = study.load("leaky_cost", framework=framework, what="step")
        times = table.pivot(index="round", columns="activation", values="seconds")
        fixed, learned, drawn = (
            cost.middle(times[name] / times.relu) for name in ("leaky_relu", "prelu", "rrelu")
        )
        assert learned.low > fixed.high
        assert drawn.low > fixed.high


def test_the_ledger_has_as_many_more_as_the_chapter_says():
    """About a dozen."""
    shown = set(re.findall(r'"([a-z-]+)"', " ".join(re.findall(r"claims\.trial\((.*)\)", CHAPTER))))
    known = {claim.id for claim in claims.all() if claim.chapter == "04_leaky"}
    assert shown <= known
    assert len(shown) <= 6
    assert 11 <= len(known - shown) <= 13
    assert "a dozen more claims of this chapter" in CHAPTER


@pytest.mark.parametrize("place", ["nn.LeakyReLU", "layers.LeakyReLU", "activations.leaky_relu"])
def test_the_default_slopes_of_the_text(place):
    said = {"nn.LeakyReLU": 0.01, "layers.LeakyReLU": 0.3, "activations.leaky_relu": 0.2}
    (found,) = (
        one.default("negative_slope")
        for one in catalog.get("leaky_relu").places
        if one.path.endswith(place) and one.when == "now" and not one.in_place
    )
    assert found == said[place]
