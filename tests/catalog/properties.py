"""Which of a record's stated properties are not so: measured from the curve, never from the record.

``observe`` measures a curve once; ``complaints`` compares a statement with what was observed.
Each number that decides something is a constant here with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath as mp
import numpy as np

from actlab.catalog import Activation, Properties

from .formulas import precise

# Up to here all tails are told from their limits by this many digits: the steepest is
# gelu_tanh's, 1e-345 at −22; the flattest, celu's with α = 2.5, has 1e-4 to go.
REACH = 22
DIGITS = 400
FAR = 10**12
# A jump of a derivative is larger, what is left of a continuous one at this distance is smaller:
# softplus drops by 2e-9 where PyTorch's threshold of 20 cuts it.
BESIDE = mp.mpf(10) ** -25
JUMP = mp.mpf(10) ** -12
# A mean further from 0 than this is not 0; the constants (SELU's) are doubles.
MEAN = mp.mpf(10) ** -15


@dataclass(frozen=True)
class Observed:
    """What the curve is like."""

    f: Callable[[Any], mp.mpf]
    lowest: mp.mpf
    highest: mp.mpf
    attained: tuple[bool, bool]
    far: tuple[mp.mpf, mp.mpf]
    falls: bool
    mean: mp.mpf
    saturation: tuple[str | None, str | None]
    rough: tuple[tuple[float, float], ...]  # cells that no polynomial fits: a kink is inside


def observe(record: Activation, params: dict[str, Any], suspects: Iterable[float]) -> Observed:
    """Measure the curve. ``suspects`` are points beside which to look as well: stated kinks."""
    with mp.workdps(DIGITS):
        f = precise(record.name, params)
        near = [mp.mpf(i) / 8 for i in range(-8 * REACH, 8 * REACH + 1)]
        beside = [k + s * 10 * BESIDE for k in map(mp.mpf, suspects) for s in (-1, 0, 1)]
        x = sorted({*near, *beside})
        y = [f(at) for at in x]
        far = f(mp.mpf(-FAR)), f(mp.mpf(FAR))
        low, low_attained = _extreme(f, x, y, +1, far)
        high, high_attained = _extreme(f, x, y, -1, far)
        with mp.workdps(25):
            cuts = sorted({-REACH, -6, -2, 0, 2, 6, REACH, *suspects})
            mean = mp.quad(lambda t: f(t) * mp.npdf(t), cuts)
        return Observed(
            f=f,
            lowest=low,
            highest=high,
            attained=(low_attained, high_attained),
            far=far,
            falls=any(b < a for a, b in pairwise(y)),
            mean=mean,
            saturation=(_end(f, -1), _end(f, +1)),
            rough=tuple(_rough_cells(record, params)),
        )


def _extreme(f, x, y, sign, far):
    """The smallest value (largest for sign −1) and whether any input gives it."""
    values = [sign * v for v in y]
    at = min(range(len(values)), key=values.__getitem__)
    lowest = values[at]
    valley = 0 < at < len(x) - 1 and all(
        lowest < values[at + side] < lowest + 0.02 for side in (-1, 1)
    )
    if valley:
        left, right = x[at - 1], x[at + 1]
        for _ in range(100):  # to its bottom
            third = (right - left) / 3
            a, b = left + third, right - third
            left, right = (left, b) if sign * f(a) < sign * f(b) else (a, right)
        lowest = min(lowest, sign * f((left + right) / 2))
    infimum = min(lowest, *(sign * v for v in far))
    # On a flat piece many points share the value; a tail's last point is beaten by a further one.
    return sign * infimum, valley or values.count(infimum) >= 3


def _end(f, side):
    near, further = f(side * mp.mpf(REACH)), f(side * mp.mpf(REACH + 5))
    if near == further:
        return "hard"
    return "soft" if abs(mp.diff(f, side * mp.mpf(10) ** 4)) < 1e-6 else None


def _rough_cells(record: Activation, params: dict[str, Any]):
    """Cells of [-25, 25] in which the function is no polynomial of degree 14 to 12 digits."""
    for width, offset in ((0.1, 0.0371), (0.13, 0.0513)):
        starts = np.arange(-25 + offset, 25, width)
        nodes = np.cos(np.pi * (np.arange(40) + 0.5) / 40)
        x = starts[:, None] + width * (nodes + 1) / 2
        y = record.reference(x, **params)
        basis = np.polynomial.chebyshev.chebvander(nodes, 14)
        projection = basis @ np.linalg.pinv(basis)
        size = np.maximum(np.abs(y).max(axis=1), 1e-3)
        miss = np.abs(y - y @ projection.T).max(axis=1) / size
        yield from ((start, start + width) for start in starts[miss > 1e-12])


def complaints(said: Properties, seen: Observed) -> list[str]:
    """One line for every statement that is not so."""
    with mp.workdps(DIGITS):
        return [
            *_about_range(said, seen),
            *_about_kinks(said, seen),
            *_about_limits(said, seen),
            *_about_the_rest(said, seen),
        ]


def _about_range(said, seen):
    for side, bound, extreme in (
        (0, said.range.lower, seen.lowest),
        (1, said.range.upper, seen.highest),
    ):
        closed, name = said.range.closed[side], ("lower", "upper")[side]
        outward = 2 * side - 1
        if math.isinf(bound):
            if closed or bound * outward < 0 or outward * extreme < 10**6:
                yield f"range: {name} end {bound} is not where the values go ({mp.nstr(extreme)})"
            continue
        if outward * (extreme - bound) > 2 * math.ulp(bound):
            yield f"range: {mp.nstr(extreme, 20)} lies outside the {name} end {bound}"
        elif abs(extreme - bound) > max(2 * math.ulp(bound), 1e-9 if not closed else 0):
            yield f"range: values come no nearer to the {name} end {bound} than {extreme}"
        elif closed != seen.attained[side]:
            yield f"range: the {name} end {bound} is {'' if not closed else 'not '}attained"


def _about_kinks(said, seen):
    if math.isinf(said.smoothness) != (not said.kinks):
        yield f"kinks: {said.kinks} do not go with smoothness {said.smoothness}"
    hidden = [c for c in seen.rough if not any(c[0] <= k <= c[1] for k in said.kinks)]
    if hidden:
        yield f"kinks: the curve is not smooth in {hidden[:3]}, where none is stated"
    if math.isinf(said.smoothness):
        return
    for kink in map(mp.mpf, said.kinks):
        for order in range(int(said.smoothness) + 2):
            gap = _jump(seen.f, kink, order)
            if order <= said.smoothness and gap > JUMP:
                yield f"smoothness: the derivative of order {order} jumps at {kink}"
            if order == said.smoothness + 1 and gap <= JUMP:
                yield f"smoothness: the derivative of order {order} does not jump at {kink}"


def _jump(f, at, order):
    with mp.workdps(200):
        left, right = (mp.diff(f, at + s * BESIDE, order) if order else f(at + s * BESIDE)
                       for s in (-1, 1))  # fmt: skip
        return abs(left - right)


def _about_limits(said, seen):
    for limit, value, end in zip(said.limits, seen.far, "−+", strict=True):
        if math.isinf(limit):
            wrong = math.copysign(1, limit) * value < 10**6
        else:
            wrong = abs(value - limit) > 1e-9
        if wrong:
            yield f"limits: at {end}∞ the value tends to {mp.nstr(value)}, not {limit}"


def _about_the_rest(said, seen):
    if said.monotonic == seen.falls:
        yield f"monotonic: the curve {'falls' if seen.falls else 'never falls'}"
    if said.zero_centred != (abs(seen.mean) < MEAN):
        yield f"zero_centred: the mean for standard normal input is {mp.nstr(seen.mean)}"
    if said.saturation != seen.saturation:
        yield f"saturation: it is {seen.saturation}, not {said.saturation}"


def bends(
    function: Callable[..., Any], shape: tuple[int, ...], width: float = 2e-2, reach: float = 1.0
) -> float:
    """The smoothness of a function of arrays of this shape: −1 a jump, 0 a kink, inf neither.

    Along random lines it is fitted by quintics, cell by cell. Cells ten times as small leave the
    misfit of a jump as it is, divide that of a kink by ten, and remove that of a smooth curve.
    """
    rng = np.random.default_rng(3)
    nodes = np.cos(np.pi * (np.arange(12) + 0.5) / 12)
    basis = np.polynomial.chebyshev.chebvander(nodes, 5)
    projection = basis @ np.linalg.pinv(basis)
    misses = []
    for cell in (width, width / 10):
        worst = 0.0
        for _ in range(2):
            start, direction = rng.normal(size=shape), rng.normal(size=shape)
            at = np.arange(-reach, reach, cell)[:, None] + cell * (nodes + 1) / 2
            y = function(start + at[(..., *(None,) * len(shape))] * direction)
            fitted = np.einsum("pq,cq...->cp...", projection, y)
            worst = max(worst, float(np.abs(y - fitted).max()))
        misses.append(worst)
    if misses[1] < 1e-12:
        return math.inf
    return -1 if misses[1] > 0.5 * misses[0] else 0
