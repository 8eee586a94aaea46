"""Shorthand for the places of a function that are the same then and now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from actlab.catalog.record import Place


def torch_since_then(path: str, /, *, note: str = "", **details: Any) -> tuple[Place, Place]:
    """A PyTorch object that takes today what it took in 1.7."""
    now = Place(path, note=note, **details)
    return now, replace(now, when="then")


def keras_since_then(path: str, /, *, note: str = "", **details: Any) -> tuple[Place, Place]:
    """A Keras object that takes today what it took in 2.4, when it lived in ``tf.keras``."""
    now = Place(path, note=note, **details)
    return now, replace(now, path=f"tf.{path}", when="then")
