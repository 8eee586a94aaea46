"""The numbers stand in their cells, and the frame is around the highest of a column."""

import pytest

from actlab import plots

VALUES = {"ReLU": {"0.1": 20.0, "1": 71.0}, "tanh": {"0.1": 35.0, "1": 10.0}}
WORDS = {"what": "test accuracy (%)", "x": "learning rate", "where": "Digits"}


def test_every_number_is_in_its_cell_and_the_highest_of_a_column_is_framed():
    plot = plots.grid(VALUES, **WORDS)
    shown = {text.get_position(): text.get_text() for text in plot.ax.texts}
    assert shown == {(0, 0): "20", (1, 0): "71", (0, 1): "35", (1, 1): "10"}
    assert [text.get_text() for text in plot.ax.get_yticklabels()] == ["ReLU", "tanh"]
    assert [text.get_text() for text in plot.ax.get_xticklabels()] == ["0.1", "1"]
    middle = {name: plot.artists[name].get_center() for name in ("0.1", "1")}
    assert middle["0.1"] == pytest.approx((0, 1))
    assert middle["1"] == pytest.approx((1, 0))
    assert "at 0.1 tanh 35; at 1 ReLU 71" in plot.alt


def test_the_title_says_who_wins():
    assert plots.grid(VALUES, **WORDS).ax.get_title().endswith("depends on the column")
    always = {"ReLU": {"0.1": 2.0, "1": 3.0}, "tanh": {"0.1": 1.0, "1": 2.0}}
    title = plots.grid(always, **WORDS).ax.get_title()
    assert title == "Digits: ReLU wins in every column"


def test_rows_with_other_columns_are_refused():
    with pytest.raises(ValueError, match="the same columns"):
        plots.grid({"ReLU": {"0.1": 1.0}, "tanh": {"1": 1.0}}, **WORDS)
