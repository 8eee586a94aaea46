"""Ranks are where they belong, and no winner is named where there is none."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from actlab import plots, stats

ARMS = {"relu": 0.86, "tanh": 0.84, "elu": 0.88, "selu": 0.8801}


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(3)
    return stats.compare(
        pd.DataFrame({name: rng.normal(mean, 0.01, 20) for name, mean in ARMS.items()})
    )


def test_rank_plot_draws_mean_ranks_and_every_block(comparison):
    _, ax = plt.subplots()
    plot = plots.rank_plot(comparison, ax=ax)
    assert plot.ax is ax
    for arm, rank in comparison.mean_ranks.items():
        discs, line = plot.artists[arm]
        assert list(line.get_xdata()) == [rank, rank]
        assert discs.get_sizes().sum() == pytest.approx(400)  # every block is in one disc
        assert f"{arm} {rank:.2f}" in plot.alt
    best, second = comparison.mean_ranks.index[:2]
    assert f"{best} ranks best, not told apart from {second} (" in plot.alt


def test_a_diagram_takes_colours_of_its_own(comparison):
    own = {"elu": "#123456"}
    plot = plots.critical_difference_diagram(comparison, colours=own)
    drawn = {line.get_color() for line in plot.ax.get_lines()}
    assert "#123456" in drawn
    assert plots.colour("relu") in drawn
    assert plots.colour("elu") not in drawn


def test_where_many_pairs_are_alike_the_alt_text_names_those_with_the_best(comparison, monkeypatch):
    monkeypatch.setattr("actlab.plots.ranks.LISTED", 0)
    best, second = comparison.mean_ranks.index[:2]
    plot = plots.critical_difference_diagram(comparison)
    assert plot.alt.endswith(f" Not told apart from {best}: {second}.")


def test_rank_plot_does_not_name_a_winner_where_there_is_none():
    rng = np.random.default_rng(10)
    plot = plots.rank_plot(stats.compare(dict(zip("abc", rng.normal(size=(3, 10)), strict=True))))
    assert plot.alt.startswith("No arm is told apart")
    assert "ranks best" not in plot.alt


def test_critical_difference_bars_join_just_the_pairs_not_told_apart(comparison):
    plot = plots.critical_difference_diagram(comparison)
    ranks = comparison.mean_ranks
    by_rank = {rank: arm for arm, rank in ranks.items()}
    joined = set()
    for (bar,) in plot.artists["crossbars"]:
        names = [by_rank[x] for x in sorted(bar.get_xdata())]
        joined |= {frozenset(pair) for pair in pairwise(names)}
    apart = [row for row in comparison.to_frame().itertuples() if row.significant]
    together = [row for row in comparison.to_frame().itertuples() if not row.significant]
    assert joined == {frozenset((row.a, row.b)) for row in together} == {frozenset(("elu", "selu"))}
    assert f"{len(apart)} of 6 pairs differ" in plot.alt
    for row in together:
        assert f"{row.a} and {row.b}" in plot.alt
    assert plot.ax.get_xlabel() == "mean rank (1 = best)"
