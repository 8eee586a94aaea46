"""What a checker says: right or not, and if not, what to look at next."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actlab.exercises.guard import Wrong, quiet, untouched


@dataclass(frozen=True)
class Feedback:
    """The answer of a checker. ``ok`` is what a test asks for, ``message`` what a learner reads."""

    ok: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Right' if self.ok else 'Not yet'}: {self.message}"


def expect(condition: Any, hint: str) -> None:
    """Stop the check with a hint unless the condition is true."""
    if not bool(condition):
        raise Wrong(hint)


def checker(
    wanted: str, calls: bool = True
) -> Callable[[Callable[[Any], str]], Callable[[Any], Feedback]]:
    """Turn a function that raises :class:`Wrong` or returns praise into a checker.

    ``wanted`` begins the sentence for an answer that is no such thing ("the answer must be ...");
    ``calls`` says whether it has to be callable. ``None`` or ``...`` counts as not answered.
    Whatever the answer does, a checker raises nothing and leaves the learner's kernel as it was.
    """

    def decorate(check: Callable[[Any], str]) -> Callable[[Any], Feedback]:
        @functools.wraps(check)
        def checked(answer: Any) -> Feedback:
            answer = getattr(answer, "_orig_mod", answer)  # what torch.compile wraps
            if answer is None or answer is ...:
                return Feedback(
                    False, "no answer yet. Replace the ... in the cell above and run both."
                )
            try:
                if calls:
                    _expect_callable(answer, wanted)
                with quiet(), untouched(answer):
                    return Feedback(True, check(answer))
            except Wrong as hint:
                return Feedback(False, str(hint))
            except Exception as error:
                return Feedback(
                    False,
                    f"this answer could not be judged ({type(error).__name__}: {error}); {wanted}.",
                )

        return checked

    return decorate


def _expect_callable(answer: Any, wanted: str) -> None:
    if isinstance(answer, type):
        name = answer.__name__
        cure = (
            f"give the function {name}.apply"
            if hasattr(answer, "apply") and hasattr(answer, "backward")
            else f"make one object of it, with brackets and arguments: {name}(...)"
        )
        raise Wrong(f"this is a class; {cure}.")
    expect(callable(answer), f"{wanted}, got {type(answer).__name__}.")
    try:
        takes = inspect.signature(answer).parameters
    except (TypeError, ValueError):  # built in: nobody knows
        return
    expect(takes, "this function takes no arguments. If it makes the answer, then call it.")
