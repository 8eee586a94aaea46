"""Take the README's picture of the built site: ``python -m tests.site.picture PAGE [SCROLL]``."""

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
    small = io.BytesIO()
    shot.quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    TARGET.write_bytes(take(sys.argv[1], *map(int, sys.argv[2:])))
