"""What a checker says: right or not, and if not, what to look at next."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Feedback:
    """The answer of a checker. ``ok`` is what a test asks for, ``message`` what a learner reads."""

    ok: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Right' if self.ok else 'Not yet'}: {self.message}"


class Wrong(Exception):  # noqa: N818 - not an error of the program, but an answer
    """Raised inside a checker at the first thing that is wrong; its text is the hint."""


def expect(condition: Any, hint: str) -> None:
    """Stop the check with a hint unless the condition is true."""
    if not bool(condition):
        raise Wrong(hint)


def checker(check: Callable[..., str]) -> Callable[..., Feedback]:
    """Turn a function that raises :class:`Wrong` or returns praise into a checker.

    ``None`` or ``...`` counts as not answered; an exception in the learner's own code is reported
    as a hint, because a traceback through our code helps nobody.
    """

    @functools.wraps(check)
    def checked(answer: Any) -> Feedback:
        if answer is None or answer is ...:
            return Feedback(False, "no answer yet. Replace the ... in the cell above and run both.")
        try:
            return Feedback(True, check(answer))
        except Wrong as hint:
            return Feedback(False, str(hint))
        except Exception as error:
            return Feedback(
                False, f"your code stopped with {type(error).__name__}: {error}. Mend that first."
            )

    return checked


def outputs(function: Callable[..., Any], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The answer's outputs for ``x`` as NumPy, whichever framework it is written in."""
    import torch

    with np.errstate(all="ignore"):
        try:
            result = function(x)
        except (TypeError, AttributeError):  # a PyTorch function wants a tensor
            result = function(torch.from_numpy(x))
    if isinstance(result, torch.Tensor):
        result = result.detach().numpy()
    return np.asarray(result)
