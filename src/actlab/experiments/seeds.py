"""Which seeds an experiment draws from."""

from __future__ import annotations


def root_seeds(root: int, count: int = 20) -> range:
    """The seeds of one root seed; different roots share none."""
    return range(1000 * root, 1000 * root + count)
