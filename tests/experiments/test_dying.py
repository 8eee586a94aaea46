"""Who is dead is counted rightly, and the tables and figures show what is in the study's rows."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from actlab import data as datasets
from actlab import study
from actlab.experiments import dying, plateau


def surely(cases):
    return 0.95


def networks(lr, dead, accuracy, *, seeds=20, diverged=0, data="digits", optimiser="SGD", **more):
    """The last rows of so many networks of one setting."""
    return pd.DataFrame(
        {
            "data": data,
            "root": 0,
            "optimiser": optimiser,
            "variant": "base",
            "lr": lr,
            "seed": range(seeds),
            "epoch": 30,
            "last": True,
            "dead": dead,
            "died": dead,
            "ever_dead": dead,
            "revived": 0.0,
            "first_revived": 0.0,
            "diverged": np.arange(seeds) < diverged,
            "valid_accuracy": accuracy,
        }
        | more
    )


@pytest.fixture
def rows(monkeypatch):
    def given(*tables):
        made = pd.concat(tables)
        monkeypatch.setattr(dying, "load", lambda name, **where: study.part_of(made, **where))

    return given


# --- Before training ------------------------------------------------------------------------------


def test_the_larger_weights_are_the_very_same_and_so_are_the_biases():
    from actlab.experiments import untrained

    small, large = (
        untrained.draw([3], hidden=(8, 8), activation="relu", **dying.STARTS[name]).linears[1]
        for name in ("PyTorch default", "He, PyTorch's biases")
    )
    assert torch.allclose(large.weight.value, small.weight.value * 6**0.5)
    assert torch.equal(large.bias.value, small.bias.value)


# The tutorial's figures for one seed: dead units by layer, in per cent.
PUBLISHED = (0.0, 0.0, 2.7, 10.6, 34.8, 46.9, 45.3, 47.7, 56.3, 43.8)


def test_the_published_shares_are_right():
    """Chapter 2 says that its own count is nearly the tutorial's; on its images it is the same."""
    try:
        x = plateau.published_split()[0]
    except datasets.DataError as reason:
        pytest.skip(str(reason))
    torch.manual_seed(42)
    widths = [x.shape[1], *dying.WIDTHS]
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    h, dead = torch.from_numpy(x), []
    with torch.no_grad():
        for layer in layers:
            h = layer(h).relu()
            dead.append(100 * float((h == 0).all(0).double().mean()))
    np.testing.assert_allclose(dead, PUBLISHED, atol=0.06)


# --- In training ----------------------------------------------------------------------------------


def where_reached(table, share):
    """Per data set and optimiser, the smallest learning rate with a mean dead share ≥ ``share``.

    Columns ``data``, ``optimiser``, ``lr``, ``times_tuned`` (that rate over the tuned one),
    ``accuracy`` (validation, there) and ``tuned_accuracy`` (at the tuned rate). NaN where no rate
    reaches it; rates at which more than half of the networks diverged do not count.
    """
    rows = []
    for data, optimiser in itertools.product(table.data.unique(), dying.LEARNING_RATES):
        best = dying.tuned(table, data, optimiser)
        at_best = dying.final(table, data=data, optimiser=optimiser, variant="base", lr=best)
        row = {
            "data": data,
            "optimiser": optimiser,
            "tuned_accuracy": float(at_best.valid_accuracy.mean()),
        }
        for lr in dying.LEARNING_RATES[optimiser]:
            ends = dying.final(table, data=data, optimiser=optimiser, variant="base", lr=lr)
            if len(ends) >= dying.STAND and ends.dead.mean() >= share:
                row["lr"] = lr
                row["times_tuned"] = lr / best
                row["accuracy"] = float(ends.valid_accuracy.mean())
                break
        rows.append(row)
    columns = ["data", "optimiser", "lr", "times_tuned", "accuracy", "tuned_accuracy"]
    return pd.DataFrame(rows, columns=columns)


def test_where_reached_is_the_smallest_rate_that_still_stands():
    table = pd.concat(
        [
            networks(0.01, 0.05, 0.95),
            networks(0.03, 0.30, 0.90),
            networks(0.1, 0.45, 0.80),
            networks(0.3, 0.90, 0.20),
            networks(0.0003, 0.05, 0.95, optimiser="Adam"),
            networks(0.001, 0.99, 0.10, diverged=15, optimiser="Adam"),  # five stand: no case
            networks(0.003, 0.10, 0.50, optimiser="momentum"),
        ]
    )
    found = where_reached(table, 0.4).set_index("optimiser")
    assert found.lr["SGD"] == 0.1
    assert found.times_tuned["SGD"] == pytest.approx(10)
    assert found.accuracy["SGD"] == pytest.approx(0.80)
    assert found.tuned_accuracy["SGD"] == pytest.approx(0.95)
    assert found.loc[["Adam", "momentum"], "lr"].isna().all()
    assert where_reached(table, 0.5).set_index("optimiser").lr["SGD"] == 0.3


ELSEWHERE = [
    networks(lr, 0.0, 0.9, data=data, optimiser=optimiser)
    for data in dying.DATA
    for optimiser, lr in (("SGD", 0.01), ("momentum", 0.003), ("Adam", 0.0003))
    if (data, optimiser) != ("digits", "SGD")
]


def test_a_network_loses_units_where_more_than_a_hundredth_dies_at_its_tuned_rate(rows):
    dead = np.where(np.arange(20) < 15, 0.02, 0.005)
    rows(networks(0.03, dead, 0.9), networks(0.1, 0.5, 0.8), *ELSEWHERE)
    found = dying.died(0, surely)["share of networks that lose units"]
    assert found.cases["digits", "plain SGD"].mean == 75
    assert found.cases["digits", "Adam"].mean == 0
    assert len(found.cases) == 9


def test_the_largest_rate_is_one_that_most_networks_survive(rows):
    rows(
        networks(0.1, 0.2, 0.9),
        networks(0.3, 0.6, 0.1, diverged=10),
        networks(1.0, 0.9, 0.1, diverged=11),
        *ELSEWHERE,
    )
    found = dying.dead_at_largest(0, surely)["share of dead units"]
    assert found.cases["digits", "plain SGD"].mean == pytest.approx(60)
    assert found.cases["digits", "plain SGD"].n == 10


def test_only_networks_with_dead_units_are_asked_whether_they_revive(rows):
    ever = np.where(np.arange(20) < 12, 0.1, 0.0)
    back = np.where(np.arange(20) < 6, 0.05, 0.0)
    rows(networks(0.1, 0.1, 0.9, ever_dead=ever, revived=back), *ELSEWHERE)
    found = dying.revived(0, surely)["share of networks in which dead units fire again"]
    assert list(found.cases) == [("digits", "plain SGD")]  # elsewhere the question does not arise
    assert found.cases["digits", "plain SGD"].mean == 50
    assert found.notes["dead units that fire again (%)"] == {"digits, plain SGD": 25}


def test_half_of_the_hidden_units_are_killed_and_no_output():
    generator = torch.Generator().manual_seed(0)
    hidden = dying.half_killed((64, 10), generator)
    assert int((hidden == 0).all(1).sum()) == 32
    assert int((dying.half_killed((10, 64), generator) == 0).all(1).sum()) == 0


def test_the_text_of_the_chapter_agrees_with_the_study():
    """Sentences of the chapter that speak of the table without printing it."""
    table = study.load("relu_training")
    for root in (0, 1):
        reached = where_reached(table[table.root == root], 0.4)
        by = {name: part.set_index("data") for name, part in reached.groupby("optimiser")}
        assert by["SGD"].lr.isna().all()  # "plain SGD never gets there"
        momentum = by["momentum"].dropna()
        assert (momentum.accuracy < 0.2).all()  # "a rate at which nothing is learned any more"
        assert by["Adam"].lr.notna().all()  # "on all three data sets"
        assert (by["Adam"].accuracy > 0.4).all()  # "and the networks still learn"
        digits = by["Adam"].loc["digits"]
        assert digits.tuned_accuracy - digits.accuracy < 0.03  # "hardly worse than at its best"
        variant = dying.final(table[table.root == root], variant="batch norm")
        assert variant.dead.max() < 0.005  # "batch norm ends the story"


def test_what_the_figures_show_are_the_means_of_the_rows():
    table = study.load("relu_training")
    table = table[table.root == 0]
    last = dying.final(table, data="digits", optimiser="momentum", variant="base", lr=0.1)
    mean = pytest.approx(100 * last.dead.mean(), rel=1e-5)
    assert dying.dead_by_rate(table, "digits")["momentum"][0.1].mean == mean


def test_one_cell_of_the_study_has_the_columns_of_its_table(monkeypatch):
    monkeypatch.setitem(dying.DATA, "digits", ({"size": 200}, (0, 1), {}))
    cell = {"data": "digits", "root": 0, "optimiser": "Adam", "variant": "2 layers", "lr": 0.001}
    found = dying.training_cell(**cell, **dying.RELU_TRAINING.settings)
    assert {*found.columns, *cell} == set(study.load("relu_training").columns)
    assert len(found) == 2 * 20


def test_what_chapter_2_says_of_adam_is_so():
    """With 40 % dead it is nearly as good on digits and clearly worse elsewhere."""
    table = study.load("relu_training")
    table = table[table.root == 0]
    reached = where_reached(table, 0.4)
    adam = reached[reached.optimiser == "Adam"].set_index("data")
    lost = adam.tuned_accuracy - adam.accuracy
    assert lost["digits"] < 0.02
    assert lost["mnist1d"] > 0.05
    assert lost["fashion_mnist"] > 0.05
    momentum = reached[reached.optimiser == "momentum"].set_index("data")
    assert momentum.accuracy["digits"] < 0.15  # nothing is learned
    worst = {}
    for data in dying.DATA:
        rates = dying.dead_by_rate(table, data)
        worst[data] = max(rates[name][dying.tuned(table, data, name)].mean for name in rates)
    assert max(worst, key=worst.get) == "digits"
