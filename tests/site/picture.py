"""Take pictures of the built site: ``python -m tests.site.picture PAGE [SCROLL]`` for the README.

``python -m tests.site.picture lab`` takes those that stand in for the lab and the signal explorer
where there is no JavaScript.
"""

from __future__ import annotations

import io
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from . import pages
from .conftest import FLAGS, ROOT, SITE, chromium

TARGET = ROOT / "book" / "static" / "course.png"


def take(name: str, scroll: int = 0) -> bytes:
    """One screen of a page, as a PNG of 256 colours."""
    with sync_playwright() as playwright, pages.served(SITE) as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_context(viewport=pages.DESK, color_scheme="light").new_page()
        pages.Visit(page, address).open(name)
        page.mouse.wheel(0, scroll)
        page.wait_for_timeout(500)
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    return packed(shot)


def packed(shot: Image.Image) -> bytes:
    """As a PNG of 256 colours."""
    small = io.BytesIO()
    shot.quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


PIECES = {
    "lab": ("preset=relu&steps=100", ".al-lanes"),
    "signals": ("a=relu,torch,1&b=relu,he,1", ".al-plots"),
}


def take_pieces() -> None:
    """The lab's grids after a hundred steps, and the signal explorer's plots."""
    with sync_playwright() as playwright, pages.served(SITE) as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for piece, (state, part) in PIECES.items():
            tall = {"width": pages.DESK["width"], "height": 2400}
            page = browser.new_context(viewport=tall, color_scheme="light").new_page()
            page.set_default_timeout(300_000)
            page.goto(f"{address}/book/{piece}.html#{state}")
            page.wait_for_selector(part)
            if piece == "lab":
                page.add_style_tag(
                    content=".al-transport, .al-settings, .al-unit, .al-numbers {display: none}"
                )
                page.wait_for_function("location.hash.includes('steps=100')")
            page.wait_for_timeout(1000)
            shot = Image.open(io.BytesIO(page.locator(part).screenshot())).convert("RGB")
            (TARGET.parent / f"{piece}.png").write_bytes(packed(shot))
        browser.close()


if __name__ == "__main__" and sys.argv[1:] == ["lab"]:
    take_pieces()
elif __name__ == "__main__":
    TARGET.write_bytes(take(sys.argv[1], *map(int, sys.argv[2:])))
