"""A report card for any activation: ``actlab.report(f)``, ``python -m actlab.report module:f``.

This module can be called: ``actlab.report`` is the place of the command and the name of the
function (:func:`actlab.report.make.report`).
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actlab.report.card import Card


class _Callable(types.ModuleType):
    def __call__(self, f: Any, name: str | None = None, **options: Any) -> Card:
        from actlab.report.make import report

        return report(f, name, **options)


sys.modules[__name__].__class__ = _Callable
