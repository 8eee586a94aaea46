"""Colours that everyone can tell apart, figures that say what they show."""

import base64
import io
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from actlab import catalog, plots

mpl.use("Agg")

# Machado, Oliveira & Fernandes (2009), severity 1.0, applied to linear RGB.
CVD = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Those that meet in one figure again and again.
TOGETHER = ("relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "gelu", "silu")


def linear(colour):
    rgb = np.array(mpl.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Linear RGB → CIE Lab (D65)."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_with_white(colour):
    return 1.05 / (float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) + 0.05)


def distance(a, b, sight):
    return float(np.linalg.norm(lab(CVD[sight] @ linear(a)) - lab(CVD[sight] @ linear(b))))


@pytest.mark.parametrize("name", [*plots.STYLES])
def test_contrast_on_the_white_panel(name):
    assert contrast_with_white(plots.colour(name)) >= 3


def test_contrast_can_fail():
    assert contrast_with_white("#F0E442") < 3


@pytest.mark.parametrize("sight", CVD)
@pytest.mark.parametrize("pair", itertools.combinations(TOGETHER, 2), ids="-".join)
def test_colours_are_told_apart(pair, sight):
    assert distance(*map(plots.colour, pair), sight) > 20


def test_telling_apart_can_fail():
    assert distance("#0072B2", "#0074B4", "normal") < 10
    assert distance("#008000", "#A05A00", "protan") < distance("#008000", "#A05A00", "normal")


def test_no_two_activations_look_alike():
    looks = [(colour, str(dashes)) for colour, dashes in plots.STYLES.values()]
    assert len(set(looks)) == len(looks)
    assert set(plots.STYLES) <= set(catalog.names())


def test_curves_name_their_axes_and_write_their_alt_text():
    plot = plots.curves([catalog.get("relu")])
    assert plot.ax.get_xlabel() == "input x"
    assert plot.ax.get_ylabel() == "output f(x)"
    assert "ReLU" in plot.alt
    assert "from 0 to 4" in plot.alt


def test_a_plot_uses_the_axes_it_is_given():
    _, ax = plots.figure()
    values = np.array([[0.0, 1.0], [0.0, 3.0], [0.3, 2.0]])
    plot = plots.by_layer({"a": values}, ax=ax, title="It grows", y="dead units (%)")
    assert plot.ax is ax
    assert ax.get_title(loc="left") or ax.get_title()
    assert "a goes from 0.1 to 2" in plot.alt


def test_png_is_opaque_and_small():
    plots.use_style()
    plot = plots.curves([catalog.get("relu")])
    data = plots.png(plot.ax.figure)
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P"
    assert "transparency" not in image.info
    assert len(data) < 60_000


def test_a_figure_is_shown_with_its_alt_text_by_any_ipython(monkeypatch):
    """As a bundle: IPython 7's ``Image``, which Colab has, takes no alt text."""
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda *a, **k: shown.append((a, k)))
    plot = plots.curves([catalog.get("relu")])
    plot.show()
    [((bundle,), more)] = shown
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert bundle["text/plain"] == plot.alt  # for a terminal
    assert more["raw"]
    assert more["metadata"]["image/png"] == {"alt": plot.alt, "width": round(image.width * 0.7)}
    assert not plt.fignum_exists(plot.ax.figure.number)


def test_table_shows_what_is_special_about_a_number():
    shown = plots.table({"x": [-0.0, float("inf"), float("nan"), 0.123456]}).data
    for text in ("−0", "∞", "NaN", "0.1235"):
        assert f"<td>{text}</td>" in shown


def test_curves_draw_the_function_or_its_slope():
    record = catalog.get("tanh")
    for derivative, expected in ((False, record.reference), (True, record.derivative)):
        plot = plots.curves([record], derivative=derivative, limits=(-2, 2))
        x, y = plot.artists["tanh"].get_data()
        assert (x.min(), x.max()) == (-2, 2)
        np.testing.assert_array_equal(y, expected(x))
        assert ("slope" in plot.alt) == derivative


# --- Bad input ------------------------------------------------------------------------------------


def test_curves_by_name():
    one, two = (
        plots.curves(["relu", "nn.Tanh"]),
        plots.curves([catalog.get("relu"), catalog.get("tanh")]),
    )
    assert one.alt == two.alt
    plt.close("all")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.curves("relu"), "records='relu': expected a list"),
        (lambda: plots.curves([None]), "expected the name of an activation"),
        (lambda: plots.curves(["relu"], limits=(1, -1)), "two numbers, the smaller first"),
        (lambda: plots.curves(["relu"], limits=(0, np.inf)), "two numbers, the smaller first"),
        (lambda: plots.curves(["relu"], limits=3), "limits=3: expected a list"),
        (lambda: plots.by_layer({}, title="", y=""), "a mapping from labels to arrays"),
        (lambda: plots.by_layer([[1.0]], title="", y=""), "a mapping from labels to arrays"),
        (lambda: plots.by_layer({"a": [1.0, 2.0]}, title="", y=""), r"got \{'a': \(2,\)\}"),
        (
            lambda: plots.by_layer({"a": np.ones((2, 3)), "b": np.ones((2, 4))}, title="", y=""),
            "of as many layers",
        ),
        (lambda: plots.by_layer({"a": [["x"]]}, title="", y=""), r"groups\['a'\]: expected real"),
    ],
)
def test_what_cannot_be_drawn_is_said_before_a_figure_is_made(draw, message):
    before = plt.get_fignums()
    with pytest.raises((TypeError, ValueError), match=message):
        draw()
    assert plt.get_fignums() == before
