"""The drawing has every unit and weight, counts them, and tells of them in words."""

import numpy as np
import pytest

from actlab import plots

XOR = {"inputs": ["x₁", "x₂"], "hidden": ["relu", "relu"], "output": ["y"]}


def title(plot):
    return plot.ax.get_title(loc="left") + plot.ax.get_title()


def test_units_and_weights_are_counted():
    plot = plots.network({"inputs": ["x₁", "x₂"], "hidden": ["tanh"] * 3, "output": ["y"]})
    assert len(plot.artists["units"]) == 6
    assert len(plot.artists["lines"]) == 9
    assert title(plot) == "9 weights and 4 biases"
    assert "hidden: tanh, tanh, tanh; output: y" in plot.alt
    assert "Weights" not in plot.alt


def test_weights_are_seen_and_told():
    plot = plots.network(XOR, weights=[[[1, -1], [3, 1]], [[1, -2]]], biases=[[0, -1], [0.5]])
    positive, negative = (plot.artists["lines"][key] for key in ((0, 0, 1), (1, 1, 0)))
    assert positive.get_linewidth() > negative.get_linewidth()  # 3 and −2
    assert positive.get_color() != negative.get_color()
    assert positive.get_linestyle() == "-" != negative.get_linestyle()
    texts = [text.get_text() for text in plot.ax.texts]
    assert {"3", "−2", "+0.5", "relu", "hidden"} <= set(texts)
    assert "Weights into hidden 1, −1, 3, 1; output 1, −2." in plot.alt
    assert "Biases into hidden 0, −1; output 0.5." in plot.alt


def test_a_large_layer_has_its_ends_and_dots():
    weights = [np.ones((64, 8)), np.ones((1, 64))]
    plot = plots.network(
        {"pixels": ["x"] * 8, "hidden": ["relu"] * 64, "output": ["y"]}, weights=weights
    )
    assert [unit for layer, unit in plot.artists["units"] if layer == 1] == [0, 1, 62, 63]
    texts = [text.get_text() for text in plot.ax.texts]
    assert texts.count("⋮") == 2
    assert "hidden\n(64)" in texts
    assert "1" not in texts  # too many to write on
    assert title(plot) == "576 weights and 65 biases"
    assert "hidden: 64 units, relu to relu" in plot.alt


@pytest.mark.parametrize(
    ("layers", "given", "message"),
    [
        ({"inputs": ["x"]}, {}, "two or more"),
        ({"inputs": ["x"], "output": []}, {}, "none empty"),
        (XOR, {"weights": [np.ones((2, 2)), np.ones((2, 1))]}, r"\(1, 2\)\] \(units out first\)"),
        (XOR, {"biases": [np.ones(2)]}, "biases: expected the shapes"),
    ],
)
def test_what_can_not_be_drawn(layers, given, message):
    with pytest.raises(ValueError, match=message):
        plots.network(layers, **given)
