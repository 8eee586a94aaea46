"""What every test starts from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

# Before any test module is imported: no test may fetch a data set.
os.environ["ACTLAB_OFFLINE"] = "1"

# Workers beside each other have a core each: a second thread of one would wait for the other's.
# (Measured: a sixth of the processor's time.)
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    "1",
)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {name: os.environ.get(name, one) for name, one in ONE_THREAD.items()}


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
