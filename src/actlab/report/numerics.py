"""What a function is, found by calling it: faults of its values and slopes, and its properties.

Everything rests on float64 values; a derivative comes from them by finite differences, so that a
wrong one is noticed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.catalog.record import Interval, Properties, Saturation
from actlab.frameworks.binding import limits
from actlab.report.card import Fault
from actlab.report.subject import PRECISIONS, Subject
from actlab.theory import normal_mean

Array = npt.NDArray[np.float64]
Curve = Callable[[Array], Array]

# An odd step, so that a kink at a round number lies inside a cell and not on its edge.
DENSE = np.arange(-30.0, 30.0, 0.0147)
FAR = np.concatenate([-np.geomspace(1e6, 30, 300), np.geomspace(30, 1e6, 300)])
TINY = np.concatenate([-np.geomspace(1e-2, 1e-12, 60), [0.0], np.geomspace(1e-12, 1e-2, 60)])
GRID = np.unique(np.concatenate([DENSE, FAR, TINY]))
KINK = 1e-3  # a jump in f, f' or f'' below this is none
WRONG = 0.01  # relative to the result, or to 1 if that is smaller


# --- Faults ---------------------------------------------------------------------------------------


def faults(subject: Subject, found: Properties) -> list[Fault]:
    """What is wrong with values and slopes, in float64 and three precisions."""
    return [
        *_not_finite(subject),
        *_off(subject),
        *_wrong_slopes(subject, found.kinks),
        *_overwrites(subject),
        *_other_dtypes(subject),
    ]


def _not_finite(subject: Subject) -> Iterator[Fault]:
    exact = {"value": subject.values(GRID), "slope": subject.slopes(GRID)}
    for what, full in exact.items():
        ordinary = np.abs(GRID) <= 700  # beyond it e^x is not a float64
        if (bad := ordinary & ~np.isfinite(full)).any():
            yield Fault(
                "not finite",
                f"float64: the {what} is {_first(GRID[ordinary], bad[ordinary], full[ordinary])}.",
            )
    for dtype in PRECISIONS:
        largest = limits(dtype).largest
        x = GRID[np.abs(GRID) < largest]
        for what, full in exact.items():
            wanted = full[np.abs(GRID) < largest]
            try:
                got = (subject.values if what == "value" else subject.slopes)(x, dtype)
            except Exception as error:
                yield Fault("refused", f"{dtype}: the {what} raises {type(error).__name__}.")
                continue
            # What it should be is known, and the format has it.
            known = np.isfinite(wanted) & (np.abs(wanted) < largest / 2)
            bad = ~np.isfinite(got[known])
            if bad.any():
                kind = "NaN" if np.isnan(got[known][bad]).any() else "overflow"
                where = _first(x[known], bad, got[known])
                yield Fault(kind, f"{dtype}: the {what} is {where}.")


def _first(x: Array, bad: npt.NDArray[np.bool_], got: Array) -> str:
    """From where on a result is not finite, on each side."""
    parts = []
    for side, word in ((x > 0, "from x = {:.3g} on"), (x <= 0, "from x = {:.3g} down")):
        if (here := bad & side).any():
            at = np.flatnonzero(here)[np.abs(x[here]).argmin()]
            value = "NaN" if np.isnan(got[at]) else "infinite"
            after = x[side & (np.abs(x) >= abs(x[at]))]
            lasts = here.sum() == len(after)
            near = f"at x = {x[at]:.3g}" + (" and elsewhere" if here.sum() > 1 else "")
            parts.append(f"{value} {word.format(x[at]) if lasts and here.sum() > 1 else near}")
    return ", ".join(parts)


def _off(subject: Subject) -> Iterator[Fault]:
    """Finite results of float32 that are not those of float64."""
    x = GRID.astype(np.float32).astype(np.float64)
    for what, ask in (("value", subject.values), ("slope", subject.slopes)):
        wanted, got = ask(x), ask(x, "float32")
        with np.errstate(all="ignore"):
            apart = np.abs(got - wanted) / np.maximum(np.abs(wanted), 1)
            # Where a last bit of x changes the exact result as much, nothing can be done.
            beside = ask(np.nextafter(x.astype(np.float32), np.float32(np.inf)).astype(np.float64))
            shaky = np.abs(beside - wanted) / np.maximum(np.abs(wanted), 1) > WRONG / 4
        bad = np.isfinite(apart) & (apart > WRONG) & ~shaky
        if bad.any():
            worst = int(np.where(bad, apart, 0).argmax())
            yield Fault(
                "inaccurate",
                f"float32: at x = {x[worst]:.3g} the {what} is {got[worst]:.4g}, in float64 "
                f"{wanted[worst]:.4g}.",
            )


def _wrong_slopes(subject: Subject, kinks: tuple[float, ...]) -> Iterator[Fault]:
    """Where automatic differentiation does not give what finite differences give."""
    x = DENSE[np.all([np.abs(DENSE - k) > 3e-3 * max(1, abs(k)) for k in (*kinks, 1e9)], axis=0)]
    right = difference(subject.values, x)
    got = subject.slopes(x)
    with np.errstate(all="ignore"):
        apart = np.abs(got - right) / np.maximum(np.abs(right), 1)
    bad = np.isfinite(apart) & (apart > WRONG)
    if bad.any():
        worst = int(np.where(bad, apart, 0).argmax())
        share = 100 * bad.mean()
        yield Fault(
            "wrong slope",
            f"Automatic differentiation is wrong on {share:.3g} % of [−30, 30]: at x = "
            f"{x[worst]:.3g} it gives {got[worst]:.4g}, finite differences {right[worst]:.4g}.",
        )
    for kink in kinks:
        step = 1e-6 * max(1, abs(kink))
        a, b, c = subject.values(np.array([kink - step, kink, kink + step]))
        sides = sorted(((b - a) / step, (c - b) / step))
        if abs(c - a) > KINK:
            continue  # a jump has no slope to be right about
        (slope,) = subject.slopes(np.array([kink]))
        if not sides[0] - WRONG <= slope <= sides[1] + WRONG:
            yield Fault(
                "slope at a kink",
                f"At the kink x = {kink:.4g} automatic differentiation gives {slope:.4g}; the "
                f"slopes beside it are {sides[0]:.3g} and {sides[1]:.3g}.",
            )


def _overwrites(subject: Subject) -> Iterator[Fault]:
    if subject.framework != "torch":
        return
    import torch

    x = torch.linspace(-3, 3, 12).view(3, 4)
    kept = x.clone()
    subject.function(x)
    if not torch.equal(x, kept):
        yield Fault("in place", "It overwrites the tensor that it is given.")


def _other_dtypes(subject: Subject) -> Iterator[Fault]:
    for dtype in PRECISIONS:
        try:
            got = subject.dtype(dtype)
        except Exception:  # told of as refused
            continue
        if got != dtype:
            yield Fault("dtype", f"It turns {dtype} into {got}.")


def difference(f: Curve, x: Array) -> Array:
    """f'(x) by central differences of two widths, extrapolated (Richardson, 1911)."""
    h = 1e-3 * np.maximum(np.abs(x), 1e-1)
    with np.errstate(all="ignore"):
        wide = (f(x + h) - f(x - h)) / (2 * h)
        half = (f(x + h / 2) - f(x - h / 2)) / h
        result: Array = (4 * half - wide) / 3
    return result


# --- Properties -----------------------------------------------------------------------------------


def properties(f: Curve) -> Properties:
    """The properties of a curve, found numerically; ``f`` maps float64 arrays to such.

    Kinks are looked for in [−30, 30] and found to about nine digits. What happens at ±∞ is what
    has happened by ±10⁶. Smoothness is −1, 0, 1 or ∞, which here means 2 or more.
    """
    smoothness, kinks = _kinks(f)
    y = f(GRID)
    finite = np.isfinite(y)
    ends = _limit(f, -1), _limit(f, +1)
    steps = np.diff(y[finite])
    scale = np.maximum(np.abs(y[finite][1:]), 1)
    with np.errstate(all="ignore"):
        monotonic = bool((steps >= -1e-9 * scale).all())
        mean = normal_mean(f, kinks=kinks)
    return Properties(
        range=_range(f, ends, kinks),
        smoothness=smoothness,
        zero_centred=abs(mean) < 1e-7,
        monotonic=monotonic,
        kinks=kinks,
        saturation=_saturation(f, kinks),
        limits=ends,
    )


def _slope(f: Curve) -> Curve:
    """Its slope by differences so narrow that a kink is found to many digits."""

    def slope(x: Array) -> Array:
        h = 1e-6 * np.maximum(np.abs(x), 1)
        out: Array = (f(x + h) - f(x - h)) / (2 * h)
        return out

    return slope


def _bend(f: Curve) -> Curve:
    def bend(x: Array) -> Array:
        h = 1e-4 * np.maximum(np.abs(x), 1)
        out: Array = (f(x + h) - 2 * f(x) + f(x - h)) / h**2
        return out

    return bend


def _kinks(f: Curve) -> tuple[float, tuple[float, ...]]:
    """The k of C^k, and where the derivative of order k + 1 jumps."""
    for order, curve, narrow in ((-1, f, 1e-9), (0, _slope(f), 4e-6), (1, _bend(f), 6e-4)):
        jumps = _jumps(curve, narrow)
        if jumps:
            centred = [_centre(f, at, order) for at in jumps]
            return order, tuple(centred)
    return math.inf, ()


def _jumps(curve: Curve, narrow: float) -> list[float]:
    """Where a curve changes by as much in an interval as narrow as this as in a wide one."""
    with np.errstate(all="ignore"):
        y = curve(DENSE)
    change = np.abs(np.diff(y))
    typical = np.maximum(change[:-2], change[2:])  # of the cells beside
    cells = 1 + np.flatnonzero((change[1:-1] > KINK) & (change[1:-1] > 1.5 * typical))
    # A kink close to the edge between two cells shows in both, and stands out of neither.
    pair = 1 + np.flatnonzero(
        (change[1:-2] + change[2:-1] > KINK)
        & (change[1:-2] + change[2:-1] > 3 * np.maximum(change[:-3], change[3:]))
    )
    found: list[float] = []
    for first, last in [(c, c + 1) for c in cells] + [(c, c + 2) for c in pair]:
        low, high = DENSE[first], DENSE[last]
        whole = abs(float(curve(np.array([high]))[0] - curve(np.array([low]))[0]))
        while high - low > narrow * max(1, abs(low)):
            middle = (low + high) / 2
            a, b, c = curve(np.array([low, middle, high]))
            low, high = (low, middle) if abs(b - a) >= abs(c - b) else (middle, high)
        left, right = curve(np.array([low - narrow, high + narrow]))
        at = (low + high) / 2
        if abs(right - left) > 0.6 * whole and not any(abs(at - k) < 1e-2 for k in found):
            found.append(at)
    return sorted(found)


def _centre(f: Curve, at: float, order: int) -> float:
    """A kink more exactly, where straight lines on both sides cross; and a round number as such."""
    if order == 0:
        h = 1e-3 * max(1, abs(at))
        left, right = np.array([at - h, at - h / 2]), np.array([at + h / 2, at + h])
        (a, b), (c, d) = f(left), f(right)
        one, other = (b - a) / (h / 2), (d - c) / (h / 2)
        if abs(one - other) > KINK:
            crossing = (c - other * right[0] - a + one * left[0]) / (one - other)
            at = float(crossing) if abs(crossing - at) < h else at
    near = round(at, 3)
    return near + 0.0 if abs(near - at) < (1e-3 if order == 1 else 2e-5) else float(at)


def _limit(f: Curve, side: int) -> float:
    """The value at ±∞; infinite where it still grows, NaN where it does not settle."""
    x = side * np.array([1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6])
    with np.errstate(all="ignore"):
        y = f(x)
    if np.isnan(y).any():
        return math.nan
    if np.isinf(y[-1]):
        return float(y[-1])
    apart = np.abs(np.diff(y))
    if apart[-1] <= 1e-5 * max(1, abs(y[-1])) and apart[-1] <= apart[0] + 1e-12:
        near = round(float(y[-1]), 4)
        return near + 0.0 if abs(near - y[-1]) < 1e-5 else float(y[-1])
    if (np.diff(y) > 0).all():
        return math.inf
    if (np.diff(y) < 0).all():
        return -math.inf
    return math.nan


def _range(f: Curve, ends: tuple[float, float], kinks: tuple[float, ...]) -> Interval:
    """From the smallest to the largest output, each sought around the grid's best."""
    from scipy.optimize import minimize_scalar

    x = np.unique([*GRID, *kinks])
    with np.errstate(all="ignore"):
        y = f(x)
    found = []
    for sign in (1, -1):
        limit = min((sign * end for end in ends if not math.isnan(end)), default=math.inf)
        if limit == -math.inf:
            found.append((-sign * math.inf, False))
            continue
        heights = np.where(np.isfinite(y), sign * y, np.inf)
        at = int(heights.argmin())
        low, high = x[max(at - 1, 0)], x[min(at + 1, len(x) - 1)]
        with np.errstate(all="ignore"):
            best = minimize_scalar(
                lambda v, s=sign: float(s * f(np.array([v]))[0]),
                bounds=(low, high),
                method="bounded",
            )
        attained = min(float(heights[at]), float(best.fun))
        if limit <= attained + 1e-5 * max(1, abs(limit)):
            # A limit that is reached at an ordinary number belongs to the range: sigmoid's does
            # not, though float64 rounds to it from 37 on.
            reached = bool((y[np.abs(x) < 8] == sign * limit).any())
            found.append((sign * limit, reached))
        else:
            found.append((sign * attained, True))
    (lower, closed), (upper, also) = found
    return Interval(lower + 0.0, upper + 0.0, (closed, also))


def _saturation(f: Curve, kinks: tuple[float, ...]) -> Saturation:
    slope = _slope(f)
    with np.errstate(all="ignore"):
        largest = np.nanmax(np.abs(slope(DENSE)))
    words: list[Any] = []
    for side in (-1, 1):
        with np.errstate(all="ignore"):
            far = np.abs(slope(side * np.array([1e3, 1e4, 1e5])))
            flat = slope(side * np.linspace(35, 100, 2000))
        beyond = max((side * k for k in kinks), default=-math.inf)
        if not (far <= 1e-3 * max(largest, 1e-12)).all():
            words.append(None)
        elif not flat.any() and _flat_from(f, side, beyond):
            words.append("hard")
        else:
            words.append("soft")
    return words[0], words[1]


def _flat_from(f: Curve, side: int, kink: float) -> bool:
    """Whether f is constant right behind its last kink on that side."""
    if not math.isfinite(kink):
        return False
    y = f(side * (kink + np.linspace(0.01, 1, 50)))
    return bool((y == y[0]).all())


def curve(subject: Subject) -> dict[str, list[float]]:
    """``x`` from −4 to 4, ``value`` and ``slope``: what a card draws."""
    x = np.linspace(-4, 4, 161)
    return {
        "x": x.tolist(),
        "value": subject.values(x).tolist(),
        "slope": subject.slopes(x).tolist(),
    }
