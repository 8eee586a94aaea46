"""The chapters as a teacher sees them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from actlab_class import lessons  # noqa: E402


@pytest.fixture(scope="session")
def chapters():
    """Every chapter, read."""
    return lessons.all_of(ROOT / "notebooks")
