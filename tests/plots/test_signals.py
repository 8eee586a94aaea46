"""Arrows, ways, heat and steps are where the numbers are, and the words count them."""

import numpy as np
import pytest

from actlab import plots
from actlab.stats import Interval


def test_flow_counts_the_paths_that_arrive():
    start, end = (np.zeros(2), np.ones(2)), (np.array([0.3, 0.0]), np.ones(2))
    home, astray = ([1.0, 0.0], [2.0, 1.0]), ([1.0, 0.5], [2.0, 1.5])
    plot = plots.flow(start, end, [home, astray])
    assert plot.ax.get_title().startswith("1 of 2 paths end at mean 0, sd 1")
    assert plots.flow(start, end, [home]).ax.get_title().startswith("Every path")
    assert "(0.50, 1.50)" in plot.alt
    assert plot.artists["paths"][1].get_xydata().tolist() == [[1.0, 2.0], [0.5, 1.5]]
    assert plot.ax.collections[0].U.tolist() == pytest.approx([0.3, 0.0])  # the step, not the end


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


def test_heat_counts_the_rows_that_leave_their_band_in_the_layers_that_count():
    flat = np.zeros(4), np.ones(4)
    rows = {
        "kept": flat,
        "early": (np.array([5.0, 0, 0, 0]), np.array([9.0, 1, 1, 1])),
        "sd": (np.zeros(4), np.array([1.0, 1, 2, 1])),
        "mean": (np.array([0.0, 0, 0.3, 0]), np.ones(4)),
    }
    plot = plots.heat(rows, bands=((-0.2, 0.2), (0.8, 1.25)), layers=slice(1, 4))
    assert plot.ax.get_title() == "2 of 4 networks lose mean 0, sd 1"
    assert plot.alt.endswith("Outside the bands in layers 2 to 4: sd, mean.")
    assert plot.artists["image"].get_array()[1].tolist() == [9, 1, 1, 1]
    assert [text.get_text() for text in plot.ax.get_yticklabels()] == list(rows)


def test_steps_are_from_the_arm_to_the_arm_changed():
    def point(x, y):
        return Interval(x, x, x, 20), Interval(y, y - 0.1, y + 0.2, 20)

    pairs = {"ReLU": (point(0.8, 0.3), point(0.0, 0.25)), "ELU": (point(0.6, 0.5), point(0.0, 0.7))}
    plot = plots.steps(pairs, x="mean", y="cosine", name="Trained", change="centred")
    assert plot.ax.get_title() == "Trained\nReLU −0.05, ELU +0.20"
    assert plot.artists["ELU"].get_xydata().tolist() == [[0.6, 0.5]]
    assert plot.artists["ELU, centred"].get_xydata().tolist() == [[0.0, 0.7]]
    assert plot.artists["ELU, centred"].get_markerfacecolor() == "white"
    bars = [line.get_ydata().tolist() for line in plot.ax.lines if line.get_linestyle() == "-"]
    assert pytest.approx([0.4, 0.7]) in bars  # ELU's interval, not its mirror image
    assert "ELU, centred 0.00" in plot.alt
