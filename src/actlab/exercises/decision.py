"""Answers that decide: a rule of the reader's own, and a measured interval.

The rule gets an :class:`~actlab.stats.Interval` and returns one of three words. What it is worth is
seen on invented intervals, which a checker chooses; its bound is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actlab.exercises.feedback import expect
from actlab.exercises.observe import run
from actlab.stats import Interval

WORDS = ("holds", "refuted", "not shown")


def plain(word: Any) -> str | None:
    """One of the three words in whatever spelling a rule says it, or None."""
    word = word.item() if getattr(word, "ndim", None) == 0 else word  # np.where makes arrays
    if not isinstance(word, str):
        return None
    found = word.strip().strip(".").lower().replace("_", " ").replace("-", " ")
    return found if found in WORDS else None


FEWEST_SEEDS = 20
Rule = Callable[[Interval], Any]


def pair(answer: Any, name: str) -> tuple[Rule, Interval]:
    """The rule and the interval of an answer (rule, ``name``), in either order."""
    expect(
        isinstance(answer, (tuple, list)) and len(answer) == 2,
        f"the answer must be the pair (rule, {name}).",
    )
    rule, found = answer
    if isinstance(rule, Interval) and callable(found):
        rule, found = found, rule
    expect(
        callable(rule),
        f"the first of the pair must be your rule, a function; got {type(rule).__name__}.",
    )
    expect(
        isinstance(found, Interval),
        "the second of the pair must be the measured interval, from stats.paired_difference; got "
        f"{type(found).__name__}.",
    )
    return rule, found


def said(rule: Any, low: float, mean: float, high: float, given: Interval | None = None) -> str:
    """What the rule says of an interval, as one of the three words."""
    interval = given or Interval(mean, low, high, FEWEST_SEEDS)
    told = run(rule, interval)
    word = plain(told)
    expect(
        word or isinstance(told, str),
        f"your rule must return a word, got {type(told).__name__}: is a return missing for some "
        f"intervals, such as [{low:.2g}, {high:.2g}]?",
    )
    expect(word, f"your rule says {told!r}; expected 'holds', 'refuted' or 'not shown'.")
    return str(word)


def expect_a_difference(found: Interval, name: str) -> None:
    """The measured interval is one of differences in points, from enough networks."""
    expect(
        found.n >= FEWEST_SEEDS,
        f"the rule is sound, but the {name} comes from {found.n} networks; take at least "
        f"{FEWEST_SEEDS} of each kind.",
    )
    expect(
        found.low > -60 and found.high < 60,
        f"the rule is sound; the interval [{found.low:.3g}, {found.high:.3g}] looks like an "
        "accuracy, not like a difference of two. Use stats.paired_difference.",
    )
