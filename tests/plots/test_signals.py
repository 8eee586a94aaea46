"""The ways of networks are where the numbers are, and the words count them."""

import numpy as np

from actlab import plots


def test_ways_show_every_network_and_how_far_they_are_apart():
    values = np.array([[1.0, 2.0], [1.0, 0.5]])
    plot = plots.ways(
        values, [1.0, 1.2], name="ReLU", y="standard deviation", color="k", ratio=True
    )
    assert len(plot.artists["ways"]) == 2
    assert plot.artists["ways"][1].get_ydata().tolist() == [1.0, 0.5]
    assert plot.artists["expected"].get_ydata().tolist() == [1.0, 1.2]
    assert plot.ax.get_title() == "ReLU: 4.0-fold apart"
    assert "from 0.50 to 2.00" in plot.alt
    plain = plots.ways(values, [1.0, 1.2], name="ReLU", y="mean", color="k")
    assert plain.ax.get_title() == "ReLU: 1.50 apart"


def test_a_large_spread_is_not_said_more_precisely_than_it_is_known():
    values = np.array([[1.0, 0.02], [1.0, 8.634]])
    plot = plots.ways(values, [1.0, 1.0], name="GELU", y="size", color="k", ratio=True)
    assert plot.ax.get_title() == "GELU: 430-fold apart"
