"""Lines and bands are where the intervals are, and the words say what is drawn."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from actlab import plots
from actlab.stats import Interval

GROUPS = {
    "ReLU": {
        0.01: Interval(1.0, 0.5, 1.5, 20),
        0.1: Interval(22.0, 20.0, 25.0, 20),
        1.0: Interval(40.0, 30.0, 50.0, 20),
    },
    "leaky": {0.1: Interval(2.0, 1.5, 3.0, 20), 0.01: Interval(3.0, 2.0, 4.0, 20)},
}


def has_colour(collection, colour):
    return mpl.colors.same_color(collection.get_facecolor()[0][:3], colour)


def ends_of_band(plot, line):
    """x → (low, high) of the band that has the line's colour."""
    (path,) = next(c for c in plot.ax.collections if has_colour(c, line.get_color())).get_paths()
    found = {}
    for x, y in path.vertices:
        low, high = found.get(x, (y, y))
        found[x] = (min(low, y), max(high, y))
    return found


def test_a_band_is_the_interval_of_students_t_around_the_mean():
    from scipy import stats

    values = np.array([[0.0, 1.0, 5.0], [1.0, 3.0, 4.0], [2.0, 8.0, 6.0], [0.5, 2.0, 7.0]])
    plot = plots.by_layer({"a": values, "b": 2 * values}, title="Two", y="loss")
    for name, table in (("a", values), ("b", 2 * values)):
        line = plot.artists[name]
        np.testing.assert_allclose(line.get_xdata(), [1, 2, 3])
        np.testing.assert_allclose(line.get_ydata(), table.mean(0))
        half = stats.t.ppf(0.975, 3) * table.std(0, ddof=1) / 2
        bands = [c for c in plot.ax.collections if has_colour(c, line.get_color())]
        (path,) = bands[0].get_paths()
        for x, mean, reach in zip((1, 2, 3), table.mean(0), half, strict=True):
            at = path.vertices[path.vertices[:, 0] == x, 1]
            assert (at.min(), at.max()) == pytest.approx((mean - reach, mean + reach))
    assert "95 % intervals over the seeds" in plot.alt


def test_every_group_has_its_line_and_its_band():
    plot = plots.lines(GROUPS, x="learning rate", y="asleep (%)", log="x")
    assert [text.get_text() for text in plot.ax.get_legend().get_texts()] == ["ReLU", "leaky"]
    for name, group in GROUPS.items():
        line = plot.artists[name]
        assert dict(zip(*line.get_data(), strict=True)) == {x: i.mean for x, i in group.items()}
        assert list(line.get_xdata()) == sorted(group)  # whatever order they came in
        assert ends_of_band(plot, line) == {x: (i.low, i.high) for x, i in group.items()}
    assert plot.ax.get_xscale() == "log"
    assert [t.get_text() for t in plot.ax.get_xticklabels()] == ["0.01", "0.1", "1"]
    colours = {line.get_color() for line in plot.artists.values()}
    markers = {line.get_marker() for line in plot.artists.values()}
    assert len(colours) == len(markers) == 2


def test_what_lines_say_is_what_they_show():
    plot = plots.lines(GROUPS, x="learning rate", y="asleep (%)")
    assert plot.ax.get_title() == "Highest at 1: ReLU (40)"
    assert plot.alt == (
        "Line plot of asleep (%) against learning rate: ReLU 1 at 0.01, 22 at 0.1, 40 at 1; "
        "leaky 3 at 0.01, 2 at 0.1. Shaded bands: 95 % intervals."
    )
    swapped = dict(zip(GROUPS, reversed(GROUPS.values()), strict=True))
    assert "Highest at 1: leaky" in plots.lines(swapped, x="", y="").ax.get_title()


def test_a_title_may_name_the_data_and_leave_the_finding_to_the_figure():
    plot = plots.lines(GROUPS, x="", y="", title="Digits: {}")
    assert plot.ax.get_title() == "Digits: highest at 1: ReLU (40)"
    assert plot.alt.endswith("Digits: highest at 1: ReLU (40).")


def test_noise_lies_around_zero_at_its_own_place():
    found = {"a": {10.0: Interval(-1, -2, 0, 20), 100.0: Interval(2, 1, 3, 20)}}
    plot = plots.lines(found, x="size", y="lead", floors={10.0: 0.5, 100.0: 0.2}, log="x")
    x, y = plot.artists["noise floor"].get_paths()[0].vertices.T
    for place, floor in ((10, 0.5), (100, 0.2)):
        assert (y[x == place].min(), y[x == place].max()) == (-floor, floor)
    assert "A grey band around 0: noise of up to 0.5." in plot.alt
    assert "a −1 at 10" in plot.alt


def test_layers_that_rise_are_counted():
    up, down = np.array([[0.0, 1.0], [0.1, 1.1]]), np.array([[1.0, 0.0], [1.1, 0.1]])
    plot = plots.by_layer({"up": up, "down": down, "too": 2 * down}, y="slope")
    assert plot.ax.get_title() == "Higher in the last layer than in the first: 1 of 3"


def test_the_ends_of_a_long_line_are_said():
    long = {"a": {float(x): Interval(x * 2.0, x, x * 3.0, 20) for x in range(1, 9)}}
    assert "a 2 at 1, 16 at 8. " in plots.lines(long, x="x", y="y").alt


def test_names_stand_side_by_side_in_their_order():
    found = {"a": {"none": Interval(1, 0, 2, 20), "all": Interval(3, 2, 4, 20)}}
    plot = plots.lines(
        found, x="what decays", y="slope", title="Given", marks={"start": 0.25}, ax=plt.axes()
    )
    assert [t.get_text() for t in plot.ax.get_xticklabels()] == ["none", "all"]
    assert list(plot.artists["a"].get_ydata()) == [1, 3]
    assert plot.artists["start"].get_ydata()[0] == 0.25
    assert plot.ax.get_title() == "Given"
    assert plot.alt.endswith("A dotted line: start, 0.25. Given.")


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "groups: expected a mapping"),
        ({"a": {}}, r"groups\['a'\]: expected a mapping"),
        ({"a": {1: 3.0}}, r"groups\['a'\], 1: expected an Interval, got float"),
        ({"a": {1: Interval(1, 1, 1, 2), "b": Interval(1, 1, 1, 2)}}, "all numbers or all names"),
    ],
)
def test_what_are_no_lines_is_said_before_a_figure_is_made(groups, message):
    with pytest.raises(TypeError, match=message):
        plots.lines(groups, x="", y="")
    assert not plt.get_fignums()


def test_a_ring_stands_around_the_point_that_it_is_about():
    rings = ("tuned rate", {"ReLU": 0.1, "leaky": 0.01})
    plot = plots.lines(GROUPS, x="learning rate", y="dead (%)", log="x", rings=rings)
    drawn = [line for line in plot.ax.lines if line.get_markersize() == 13]
    assert [(*ring.get_xdata(), *ring.get_ydata()) for ring in drawn] == [(0.1, 22), (0.01, 3)]
    for ring, name in zip(drawn, rings[1], strict=True):
        assert ring.get_markeredgecolor() == plot.artists[name].get_color()
    assert "A ring, tuned rate: ReLU at 0.1 (22); leaky at 0.01 (3)." in plot.alt
    assert plot.ax.get_legend().get_title().get_text() == "ring: tuned rate"


def test_without_intervals_no_band_is_told_of():
    exact = {"it": {1.0: Interval(2, 2, 2, n=1), 2.0: Interval(3, 3, 3, n=1)}}
    assert "band" not in plots.lines(exact, x="steps", y="error").alt
