"""Dots and bars are where the intervals are, over the right zone and the right noise."""

import math

import matplotlib as mpl
import pytest

from actlab import plots
from actlab.plots.rows import ZONE
from actlab.stats import Interval

GROUPED = {
    "leaky 0.01": {"digits": Interval(0.1, -0.2, 0.4, 20), "wine": Interval(0.2, 0.1, 0.3, 20)},
    "leaky 0.3": {"digits": Interval(1.0, 0.5, 1.5, 20), "wine": Interval(2.0, 1.0, 3.0, 20)},
}


def title(plot):
    lines = plot.ax.get_title().split("\n")
    assert max(map(len, lines)) <= 44  # beside long names of rows there is no more room
    return " ".join(lines)


def test_rows_draw_the_intervals():
    intervals = {"relu": Interval(0.86, 0.85, 0.87, 20), "mine": Interval(0.88, 0.875, 0.885, 20)}
    plot = plots.rows(
        intervals, colours={"mine": "#123456"}, label="test accuracy (%)", percent=True
    )
    bar, dot = plot.artists["mine"]
    assert list(bar.get_xdata()) == [87.5, 88.5]
    assert list(dot.get_xdata()) == [88.0]
    assert bar.get_color() == "#123456"
    assert plot.ax.get_xlabel() == "test accuracy (%)"
    assert "mine" in title(plot)
    assert "relu 86.0 % [85.0, 87.0] (n=20)" in plot.alt
    top, bottom = (plot.artists[name][1].get_ydata()[0] for name in intervals)
    low, high = plot.ax.get_ylim()
    assert (low > high) == (top < bottom)  # the first name is on top
    with pytest.raises(ValueError, match="no intervals"):
        plots.rows({})


def test_every_group_has_its_dots_in_every_row():
    plot = plots.rows(GROUPED, label="lead (points)", zone=(0, math.inf))
    assert set(plot.artists) == {(arm, data) for arm in GROUPED for data in GROUPED[arm]}
    for (arm, data), (bar, dot) in plot.artists.items():
        found = GROUPED[arm][data]
        assert list(bar.get_xdata()) == [found.low, found.high]
        assert list(dot.get_xdata()) == [found.mean]
        row = [t.get_text() for t in plot.ax.get_yticklabels()].index(data)
        assert abs(dot.get_ydata()[0] - row) < 0.4
        assert bar.get_color() == dot.get_color()
    looks = {arm: plot.artists[arm, "digits"][1] for arm in GROUPED}
    assert len({dot.get_color() for dot in looks.values()}) == 2
    (legend,) = plot.ax.figure.legends
    names = {t.get_text(): h.get_color() for t, h in zip(
        legend.get_texts(), legend.legend_handles, strict=True
    )}  # fmt: skip
    assert names == {arm: dot.get_color() for arm, dot in looks.items()}
    assert title(plot) == "Beyond doubt above 0: leaky 0.01 1 of 2, leaky 0.3 2 of 2"
    assert "leaky 0.01: digits 0.100 [-0.200, 0.400] (n=20); wine 0.200" in plot.alt
    assert plot.alt.endswith("Beyond doubt above 0: leaky 0.01 1 of 2, leaky 0.3 2 of 2.")


@pytest.mark.parametrize("count", [2, 5, 9])
def test_many_groups_stay_in_their_rows(count):
    groups = {f"{i}": {"a": Interval(i, i - 1, i + 1, 20), "b": Interval(0, -1, 1, 20)}
              for i in range(count)}  # fmt: skip
    plot = plots.rows(groups)
    for (_, row), (bar, dot) in plot.artists.items():
        places = [*bar.get_ydata(), *dot.get_ydata()]
        assert max(abs(y - "ab".index(row)) for y in places) < 0.5
    ys = [dot.get_ydata()[0] for _, dot in plot.artists.values()]
    assert len(set(ys)) == len(ys)


def test_without_a_zone_the_highest_of_all_groups_is_named():
    assert title(plots.rows(GROUPED)) == "Highest mean: leaky 0.3, wine (bars: 95 % intervals)"


def test_many_groups_are_counted_from_least_to_most():
    many = {f"{k}": {f"{i}": Interval(i - k, i - k - 0.1, i - k + 0.1, 9) for i in range(5)}
            for k in range(5)}  # fmt: skip
    plot = plots.rows(many, zone=(0, math.inf))
    assert title(plot) == "Beyond doubt above 0: 0 (4) to 4 (0) of 5"
    assert "5 rows (0, 1, 2, 3, 4); 0: from 0 to 4; 1: from −1 to 3; " in plot.alt


def test_the_zone_is_shaded_as_far_as_the_axes_go():
    found = {"a": Interval(1.0, 0.5, 1.5, 20), "b": Interval(3.0, 2.5, 3.5, 20)}
    for zone, words in (
        ((1.0, math.inf), "above 1: 1 of 2"),
        ((-math.inf, 2.0), "below 2: 1 of 2"),
        ((0.0, 4.0), "between 0 and 4: 2 of 2"),
        ((-4.0, -1.0), "between −4 and −1: 0 of 2"),
    ):
        plot = plots.rows(found, zone=zone)
        assert title(plot) == f"Beyond doubt {words}"
        left, right = plot.ax.get_xlim()
        (shade,) = [p for p in plot.ax.patches if mpl.colors.same_color(p.get_facecolor(), ZONE)]
        x = shade.get_extents().transformed(plot.ax.transData.inverted())
        assert (x.x0, x.x1) == pytest.approx((max(zone[0], left), min(zone[1], right)))
        drawn = {line.get_xdata()[0] for line in plot.ax.lines if len(set(line.get_xdata())) == 1}
        assert {end for end in zone if math.isfinite(end)} <= drawn


def test_the_noise_floor_lies_behind_its_own_row():
    plot = plots.rows(GROUPED, floors={"wine": 0.3, "digits": 0.1}, percent=True)
    grey = [c for c in plot.ax.collections
            if mpl.colors.same_color(c.get_facecolor()[0], plots.GRID)]  # fmt: skip
    reach = {}
    for band in grey:
        x, y = band.get_paths()[0].vertices.T
        reach[round(float(y.mean()))] = (float(x.min()), float(x.max()))
    assert reach == {0: pytest.approx((-10, 10)), 1: pytest.approx((-30, 30))}
    assert "A grey band: noise of up to 30 on both sides of 0." in plot.alt
    assert "noise floor" in [t.get_text() for t in plot.ax.figure.legends[0].get_texts()]


def test_a_title_may_name_the_data_and_leave_the_finding_to_the_figure():
    plot = plots.rows({"a": Interval(1, 0, 2, 20)}, title="Digits. {}")
    assert title(plot) == "Digits. Highest mean: a (bars: 95 % intervals)"


def test_a_mark_is_a_dotted_line_that_has_a_name():
    plot = plots.rows({"a": Interval(1, 0, 2, 20)}, marks={"chance": 0.1}, percent=True)
    (line,) = [line for line in plot.ax.lines if line.get_label() == "chance"]
    assert list(line.get_xdata()) == [10, 10]
    assert "A dotted line: chance, 10." in plot.alt


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.rows({}), ValueError, "no intervals to draw"),
        (lambda: plots.rows({"a": 1.0}), TypeError, "a: expected an Interval, got float"),
        (lambda: plots.rows({"a": {}}), TypeError, "expected a mapping from names to intervals"),
        (
            lambda: plots.rows(GROUPED, floors={"moon": 1}),
            ValueError,
            "a noise floor of 'moon': the rows are digits, wine",
        ),
    ],
)
def test_what_are_no_rows_is_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
