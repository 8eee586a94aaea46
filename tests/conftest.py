"""What every test starts from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

# Before any test module is imported: no test may fetch a data set.
os.environ["ACTLAB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for all rooms: Playwright runs once in a process."""
    from playwright.sync_api import Error, sync_playwright

    from tests.site.conftest import FLAGS, chromium, missing

    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        except Error as error:
            missing(
                "no Chromium: install the package chromium, set ACTLAB_CHROMIUM, or run "
                f"'playwright install chromium' ({str(error).splitlines()[0]})"
            )
        yield opened
        opened.close()
