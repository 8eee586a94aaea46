"""The built site, served, and one headless Chromium for all of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))

from . import pages

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing(reason: str) -> None:
    """Skip on a learner's machine; on CI a check that cannot run is a failure."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def chromium() -> str | None:
    """Where Chromium is: ``ACTLAB_CHROMIUM``, the system's, or None for Playwright's own."""
    system = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("ACTLAB_CHROMIUM") or next(filter(None, system), None)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport=pages.DESK, color_scheme="light")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / ".built").exists():
        missing("the site is not built; run 'make book'")
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with pages.served(site) as url:
        yield url
