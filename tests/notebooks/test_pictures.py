"""What an eye would see in a picture is seen, and what only a processor changes is not."""

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageDraw

from actlab import plots

from . import gates, pictures

mpl.use("Agg")
HEIGHT = 12.0  # of both panels, in units of the data


def draw(*, up=0.0, wider=0.0, colour="#E97013", title="54.9 %", swap=False, without=False):
    """Two panels with two bands each; the second line of the first panel can be changed."""
    plots.use_style()
    rng = np.random.default_rng(0)
    figure, axes = plots.figure(2)
    x = np.arange(1, 11)
    for panel, ax in enumerate(axes[::-1] if swap else axes):
        for line in range(2):
            y = rng.normal(size=10).cumsum()
            changed = (panel, line) == (0, 1)
            if changed and without:
                continue
            centre, half = y + up * changed, 0.4 + wider * changed
            hue = colour if line else "#0B5EAF"
            plots.band(ax, x, centre, centre - half, centre + half, label=str(line), color=hue)
        ax.set_ylim(-HEIGHT / 2, HEIGHT / 2)
        plots.label(ax, title=title, x="hidden layer", y="loss")
    data = plots.png(figure)
    mpl.pyplot.close(figure)
    return data, axes[0].bbox.height / HEIGHT


@pytest.fixture(scope="module")
def good():
    return draw()[0]


@pytest.fixture(scope="module")
def pixels():
    """How many pixels one unit of the data takes."""
    return draw()[1]


def test_the_same_and_what_rounding_does_are_equal(good, pixels):
    assert pictures.difference(good, good) == ""
    for shift in (-0.7, -0.01, 1e-6, 0.3, 0.7):
        assert pictures.difference(good, draw(up=shift / pixels)[0]) == ""


def test_a_line_that_moved_by_two_pixels_is_seen(good, pixels):
    for shift in (2, -2, 5, 50):
        assert "shows something else" in pictures.difference(good, draw(up=shift / pixels)[0])


@pytest.mark.parametrize(
    "change",
    [
        {"wider": 0.1},
        {"wider": -0.1},
        {"colour": "#67102A"},
        {"without": True},
        {"swap": True},
        {"title": "54.8 %"},
        {"title": "55.9 %"},
        {"title": "-54.9 %"},
    ],
    ids=str,
)
def test_another_picture_is_seen_from_both_sides(change, good):
    other = draw(**change)[0]
    assert "shows something else" in pictures.difference(good, other)
    assert "shows something else" in pictures.difference(other, good)


def committed():
    """The first figure of every chapter."""
    for path in sorted(gates.FOLDER.glob("*.ipynb")):
        cells = gates.read(path).cells("code")
        found = [data for _, cell in cells for _, data, _ in gates._pictures(cell)]
        yield pytest.param(base64.b64decode(found[0]), id=path.stem)


def painted(png, box, colour):
    image = Image.open(io.BytesIO(png)).convert("RGB")
    ImageDraw.Draw(image).rectangle(box(*image.size), fill=colour)
    return encoded(image)


def encoded(image):
    buffer = io.BytesIO()
    image.save(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("png", committed())
def test_a_spoiled_picture_of_a_chapter_is_seen(png, good):
    assert pictures.difference(png, png) == ""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert pictures.difference(png, encoded(image)) == ""  # without the palette
    width, height = image.size
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    moved = image.copy()
    moved.paste(image.crop((0, 0, width, height - 3)), (0, 3))
    spoiled = [
        painted(png, lambda w, h: (0, 0, w, h), "black"),
        painted(png, lambda w, h: (0, 0, w, h), "white"),
        painted(png, lambda w, h: (w // 2, h // 2, w // 2 + 9, h // 2 + 9), "red"),
        encoded(mirrored),
        encoded(moved),
    ]
    for number, other in enumerate(spoiled):
        assert "shows something else" in pictures.difference(png, other), number
    assert "pixels large instead of" in pictures.difference(png, encoded(image.crop((0, 0, 9, 9))))
