"""Shares, reliability and matrices: what is drawn, said in the title and in the alt text."""

import numpy as np
import pytest

from actlab import plots


def test_every_share_is_a_bar_and_the_title_follows_the_first_class():
    plot = plots.shares({"cold": [0.7, 0.3], "hot": [0.5, 0.5]}, ["A", "B"])
    heights = {name: [bar.get_height() for bar in bars] for name, bars in plot.artists.items()}
    assert heights == {"cold": [70, 30], "hot": [50, 50]}
    assert plot.ax.get_title() == "A gets 50 to 70 %"
    assert "cold 70, 30; hot 50, 50" in plot.alt
    assert plots.shares({"cold": [0.9, 0.1]}, ["A", "B"]).ax.get_title() == "A gets 90 %"


def test_shares_that_do_not_fit_the_names_are_refused():
    with pytest.raises(ValueError, match="expected 2 numbers a group"):
        plots.shares({"cold": [0.7, 0.2, 0.1]}, ["A", "B"])


def test_reliability_draws_the_accuracy_of_each_bin_that_has_examples_enough():
    confidence = np.array([0.95] * 20 + [0.55] * 10 + [0.25] * 2)  # the last two are too few
    right = np.array([True] * 15 + [False] * 5 + [True] * 5 + [False] * 5 + [True] * 2)
    plot = plots.reliability({"raw": (confidence, right)})
    assert plot.artists["raw"].get_xydata() == pytest.approx(np.array([[55, 50], [95, 75]]))
    assert plot.ax.get_title() == "raw: says 78 %, is right in 69 %"
    assert "55 → 50, 95 → 75" in plot.alt


def test_reliability_wants_rows_of_one_length():
    with pytest.raises(ValueError, match="two rows of one length"):
        plots.reliability({"raw": ([0.5, 0.6], [True])})


def test_a_matrix_shows_its_numbers():
    plot = plots.matrix([[0.25, -0.25], [-0.25, 0.25]], ["A", "B"], title="t", x="x", y="y")
    assert sorted(text.get_text() for text in plot.ax.texts) == ["+0.25", "+0.25", "−0.25", "−0.25"]
    assert "row A: +0.25, −0.25" in plot.alt
    with pytest.raises(ValueError, match="expected 2 rows"):
        plots.matrix([[1.0]], ["A", "B"], title="t", x="x", y="y")
