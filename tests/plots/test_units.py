"""Every unit is one dot, and what is marked is told in the title and in words."""

import numpy as np
import pytest

from actlab import plots


def title(plot):
    return plot.ax.get_title(loc="left") + plot.ax.get_title()


def draw(*dead, size=16):
    return plots.units([np.arange(size) < count for count in dead], marked="dead")


def test_every_unit_is_one_dot_of_the_right_kind():
    drawn = draw(0, 4, 16)
    for layer, count in enumerate((0, 4, 16)):
        assert len(drawn.artists[layer, True].get_offsets()) == count
        assert len(drawn.artists[layer, False].get_offsets()) == 16 - count
    dots = np.concatenate([artist.get_offsets() for artist in drawn.artists.values()])
    assert len(np.unique(dots, axis=0)) == 3 * 16


def test_title_ticks_and_alt_text_are_computed():
    drawn = draw(0, 4, 16)
    assert title(drawn) == "20 of 48 units are dead (hollow)"
    assert [tick.get_text() for tick in drawn.ax.get_xticklabels()] == [
        "1\n0 %",
        "2\n25 %",
        "3\n100 %",
    ]
    assert "20 of 48 are dead and hollow. By layer, in per cent: 0, 25, 100." in drawn.alt


def test_tensors_are_fine():
    torch = pytest.importorskip("torch")
    assert title(plots.units([torch.zeros(9) == 0], marked="dead")).startswith("9 of 9")


@pytest.mark.parametrize("layers", [[], [[True], []], [[0.5, 1.0]], [[[True]]]])
def test_what_is_no_row_of_truth_values_is_refused(layers):
    with pytest.raises(ValueError, match="expected for each layer a row of truth values"):
        plots.units(layers, marked="dead")
