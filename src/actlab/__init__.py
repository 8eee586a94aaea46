"""Helpers of the course "Activation Functions in Keras and PyTorch"."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actlab.frameworks.translate import Translation


def translate(line: str, when: str | None = None) -> Translation:
    """What a line of code computes, in today's PyTorch and Keras.

    As :func:`actlab.frameworks.translate.translate`, which this calls.

    >>> print(actlab.translate("keras.layers.LeakyReLU(alpha=0.3)"))
    """
    from actlab.frameworks.translate import translate

    return translate(line, when)


def __getattr__(name: str) -> Any:
    """``actlab.report``, which is a module and can be called, without importing it beforehand."""
    if name == "report":
        return importlib.import_module("actlab.report")
    raise AttributeError(f"module 'actlab' has no attribute {name!r}")
