"""Every network has its line, every stop its cross, and the title counts them."""

import numpy as np
import pytest

from actlab import plots

VALUES = np.array([[10, 10, 10, 60], [10, 30, 50, 70], [10, 10, 10, 10]])


def title(plot):
    return plot.ax.get_title(loc="left") + plot.ax.get_title()


def test_lines_and_crosses_are_where_they_belong():
    plot = plots.paths(VALUES, [3, None, 2], line=20, y="accuracy (%)")
    for line, values in zip(plot.artists["paths"], VALUES, strict=True):
        assert line.get_xdata().tolist() == [1, 2, 3, 4]
        assert line.get_ydata().tolist() == values.tolist()
    crosses = plot.artists["stops"]
    assert list(zip(crosses.get_xdata(), crosses.get_ydata(), strict=True)) == [(3, 10), (2, 10)]
    assert plot.artists["line"].get_ydata()[0] == 20
    found = "2 of 3 networks rise above 20; an early stop ends 2 before"
    assert found == title(plot)
    assert found in plot.alt
    assert "The first rises at epoch 2, the last at epoch 4" in plot.alt
    assert "Crosses mark where 2 would have been stopped" in plot.alt


def test_other_numbers_have_another_title():
    plot = plots.paths(VALUES[2:], line=5, y="accuracy (%)")
    assert title(plot) == "1 of 1 networks rise above 5"
    assert "stops" not in plot.artists
    stopped = plots.paths(VALUES, [4, 4, 4], line=20, y="accuracy (%)")
    assert "an early stop ends 1 before" in stopped.alt


@pytest.mark.parametrize(
    ("values", "stops", "message"),
    [
        ([1, 2], (), r"expected \(networks, epochs\)"),
        (VALUES, [1], "1 stops for 3 networks"),
        (VALUES, [1, 2, 9], "a stop at epoch 9"),
    ],
)
def test_what_does_not_fit_is_refused(values, stops, message):
    with pytest.raises(ValueError, match=message):
        plots.paths(values, stops, line=20, y="y")
