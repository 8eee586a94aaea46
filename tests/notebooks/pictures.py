"""Whether two pictures show the same, as far as an eye can tell.

Another processor moves a curve by a fraction of a pixel; that shifts the edges of lines, and the
palette of 128 colours with them. So each pixel of either picture is looked for in the other, not
at its place only but beside it too, and a few that are not found do not matter. A line that moved
further, another digit, a wider band, a swapped panel, another colour leave many in one place.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

REACH = 1  # pixel: a three hundredth of a panel; one image of 540 is half of that
LEVELS = 20  # of 255 in any channel: a shaded band differs from white by 40
WINDOW = 16  # pixels: about one letter
SHARE = 0.05  # of a window's pixels; 0.75 pixels leave 0.02, another digit leaves 0.12 and more


def difference(committed: bytes, again: bytes) -> str:
    """What an eye would notice between two PNGs; empty where it would notice nothing."""
    old, new = _pixels(committed), _pixels(again)
    if old.shape != new.shape:
        return f"is {_size(new)} pixels large instead of {_size(old)}"
    lost = np.maximum(_unexplained(old, new), _unexplained(new, old))
    crowd = ndimage.uniform_filter(lost, WINDOW, mode="constant")
    y, x = np.unravel_index(int(crowd.argmax()), crowd.shape)
    if crowd[y, x] <= SHARE:
        return ""
    return f"shows something else, most of all {x} pixels from the left and {y} from the top"


def _pixels(png: bytes) -> npt.NDArray[np.int16]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def _unexplained(
    picture: npt.NDArray[np.int16], other: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """1 where a pixel lies outside the colours that the other picture has thereabouts."""
    near = (2 * REACH + 1, 2 * REACH + 1, 1)
    below = ndimage.minimum_filter(other, near) - LEVELS > picture
    above = ndimage.maximum_filter(other, near) + LEVELS < picture
    return (below | above).any(axis=2).astype(np.float64)


def _size(picture: npt.NDArray[np.int16]) -> str:
    return f"{picture.shape[1]} × {picture.shape[0]}"
