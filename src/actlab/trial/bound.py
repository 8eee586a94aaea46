"""The zone in which a claim puts its numbers, and the other side of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from actlab.stats import Interval


@dataclass(frozen=True)
class Bound:
    """A zone from ``low`` to ``high``, with its ends if ``closed``; see :func:`above` and its kin.

    An interval *meets* the bound when the whole of it lies in the zone, and *opposes* it when the
    whole of it lies on the other side, by at least ``clear``: "more than 20 points" with
    ``clear=15`` is opposed by what lies at or below 5. Whatever does neither shows nothing.
    """

    low: float
    high: float
    unit: str = ""
    closed: bool = False
    clear: float = 0.0

    def __post_init__(self) -> None:
        if not self.low <= self.high:  # also where one is NaN
            raise ValueError(f"a zone from {self.low} to {self.high}: expected low <= high.")
        if self.low == self.high and not self.closed:
            raise ValueError(f"the open zone from {self.low} to {self.high} holds no number.")
        if self.low == -math.inf and self.high == math.inf:
            raise ValueError("a zone without an end could not be missed: give one.")
        if not 0 <= self.clear < math.inf:
            raise ValueError(f"clear={self.clear}: expected a distance of 0 or more.")

    def met(self, found: Interval) -> bool:
        """Whether the whole interval lies in the zone."""
        if self.closed:
            return self.low <= found.low and found.high <= self.high
        return self.low < found.low and found.high < self.high

    def opposed(self, found: Interval) -> bool:
        """Whether the whole interval lies on the other side, below the zone or above it."""
        low, high = self.low - self.clear, self.high + self.clear
        if self.closed:
            return found.high < low or found.low > high
        return found.high <= low or found.low >= high

    def words(self) -> str:
        """``above 0.5 points``, ``between 40 and 60 %``, ``exactly 0``."""
        ends = ("at least {}", "at most {}") if self.closed else ("above {}", "below {}")
        return self._said(0.0, *ends, "between {} and {}", "exactly {}")

    def other_side(self) -> str:
        """The opposite, in words: ``at or below 0.5 points``, ``outside 40 to 60 %``."""
        ends = ("below {}", "above {}") if self.closed else ("at or below {}", "at or above {}")
        return self._said(self.clear, *ends, "outside {} to {}", "different from {}")

    def _said(self, clear: float, from_low: str, to_high: str, both: str, point: str) -> str:
        if self.high == math.inf:
            phrase = from_low
        elif self.low == -math.inf:
            phrase = to_high
        else:
            phrase = both if self.low < self.high or clear else point
        ends = (number(end) for end in (self.low - clear, self.high + clear) if math.isfinite(end))
        return f"{phrase.format(*ends)} {self.unit}".rstrip()


def above(value: float, unit: str = "", clear: float = 0.0) -> Bound:
    """More than ``value``; opposed at or below ``value - clear``."""
    return Bound(value, math.inf, unit, clear=clear)


def below(value: float, unit: str = "", clear: float = 0.0) -> Bound:
    """Less than ``value``; opposed at or above ``value + clear``."""
    return Bound(-math.inf, value, unit, clear=clear)


def at_least(value: float, unit: str = "", clear: float = 0.0) -> Bound:
    """``value`` or more; opposed below ``value - clear``."""
    return Bound(value, math.inf, unit, closed=True, clear=clear)


def at_most(value: float, unit: str = "", clear: float = 0.0) -> Bound:
    """``value`` or less; opposed above ``value + clear``."""
    return Bound(-math.inf, value, unit, closed=True, clear=clear)


def within(low: float, high: float, unit: str = "", clear: float = 0.0) -> Bound:
    """Between ``low`` and ``high``, neither included; opposed ``clear`` outside of them."""
    return Bound(low, high, unit, clear=clear)


def exactly(value: float, unit: str = "") -> Bound:
    """``value`` itself and no other number."""
    return Bound(value, value, unit, closed=True)


def number(value: float) -> str:
    """A number of a rule in words: no trailing zeros, a real minus sign."""
    return f"{value:,.10g}".replace("-", "−")


def digits(value: float, unit: str = "") -> str:
    """A measured number in words: points and per cent to a tenth, the rest to a hundredth.

    What is smaller has two significant digits; points carry their sign.
    """
    sign = "+" if unit == "points" else ""
    if value == round(value) or abs(value) >= 1000:
        return (sign if value > 0 else "") + number(round(value))
    decimals = 1 if unit in ("points", "%") else 2
    form = f"z.{decimals}f" if abs(value) >= 10**-decimals else ".2g"
    return f"{value:{sign}{form}}".replace("-", "−")
