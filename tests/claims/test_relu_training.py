"""The tables and figures about training ReLUs show what is in the study's rows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from actlab import study
from actlab.claims import relu_training as training


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def networks(lr, dead, accuracy, *, seeds=20, diverged=0, data="digits", optimiser="SGD"):
    """The last rows of so many networks of one setting."""
    return pd.DataFrame(
        {
            "data": data,
            "optimiser": optimiser,
            "variant": "base",
            "lr": lr,
            "seed": range(seeds),
            "epoch": 30,
            "last": True,
            "dead": dead,
            "diverged": np.arange(seeds) < diverged,
            "valid_accuracy": accuracy,
        }
    )


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
    found = training.where_reached(table, 0.4).set_index("optimiser")
    assert found.lr["SGD"] == 0.1
    assert found.times_tuned["SGD"] == pytest.approx(10)
    assert found.accuracy["SGD"] == pytest.approx(0.80)
    assert found.tuned_accuracy["SGD"] == pytest.approx(0.95)
    assert found.loc[["Adam", "momentum"], "lr"].isna().all()
    assert training.where_reached(table, 0.5).set_index("optimiser").lr["SGD"] == 0.3


def test_the_text_of_the_chapter_agrees_with_the_study():
    """Sentences of the chapter that speak of the table without printing it."""
    table = study.load("relu_training")
    for root in (0, 1):
        reached = training.where_reached(table[table.root == root], 0.4)
        by = {name: part.set_index("data") for name, part in reached.groupby("optimiser")}
        assert by["SGD"].lr.isna().all()  # "plain SGD never gets there"
        momentum = by["momentum"].dropna()
        assert (momentum.accuracy < 0.2).all()  # "a rate at which nothing is learned any more"
        assert by["Adam"].lr.notna().all()  # "on all three data sets"
        assert (by["Adam"].accuracy > 0.4).all()  # "and the networks still learn"
        digits = by["Adam"].loc["digits"]
        assert digits.tuned_accuracy - digits.accuracy < 0.03  # "hardly worse than at its best"
        variant = training.final(table[table.root == root], variant="batch norm")
        assert variant.dead.max() < 0.005  # "batch norm ends the story"


def test_the_figures_show_the_means_of_the_rows():
    table = study.load("relu_training")
    table = table[table.root == 0]
    drawn = training.dead_over_time(table, "digits", "Adam")
    rows = table[(table.data == "digits") & (table.optimiser == "Adam") & (table.variant == "base")]
    for lr, line in drawn.artists.items():
        part = rows[(rows.lr == lr) & ~rows.diverged]
        expected = 100 * part.groupby("epoch").dead.mean().to_numpy()
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-5)
    dots = training.by_variant(table).artists["at 0.1"]
    last = training.final(table, data="digits", optimiser="momentum", variant="base", lr=0.1)
    assert dots.lines[0].get_xdata()[0] == pytest.approx(100 * last.dead.mean(), rel=1e-5)
