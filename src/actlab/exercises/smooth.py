"""Checkers of the chapter "Softplus and its smooth relatives"."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import compare, curve, returned, slopes
from actlab.exercises.own import own_rule

Array = npt.NDArray[Any]


@checker("expected a function, a module or a layer")
def check_log1mexp(answer: Any) -> str:
    """Exercise 12.1: log(1 − σ(x)), value and gradient, for float32 of any size."""
    x = np.array([-200, -90, -20, -1, 0, 1, 20, 90, 200], np.float32)
    y, slope = slopes(answer, x)
    expect(y.shape == x.shape, f"expected the shape of the input {x.shape}, got {y.shape}.")
    expect(slope is not None, "no gradient comes back: something in it cuts it off.")
    assert slope is not None
    record, wide = catalog.get("softplus"), x.astype(np.float64)
    right, right_slope = -record.reference(wide), -record.derivative(wide)
    lost = np.isinf(y) | np.isnan(y)
    compare(
        x,
        y,
        right,
        (
            lost.any(),
            f"the output is {y[lost][:1]} at x = {x[lost][:1]}. Where is σ(x) exactly 1? Write it "
            "without σ: 1 − σ(x) = σ(−x).",
        ),
        (right + wide, "this is log σ(x); 1 − σ(x) is wanted."),
        (-right, "the sign: a probability is below 1, and its logarithm below 0."),
        (
            y[2] == 0,
            "left of −17 it is exactly 0, and should be nearly −exp(x): a sum with 1 forgets what "
            "is smaller than its last digit. There is log1p.",
        ),
        atol=1e-12,
    )
    bad = np.isnan(slope)
    expect(
        not bad.any(),
        f"the value is right, but the gradient is NaN at x = {x[bad][:1]}. What 'where' does not "
        "choose is computed all the same, and backwards its infinite slope meets a 0. Let the "
        "exponential see nothing but negative numbers.",
    )
    expect(
        np.isclose(slope[4], -0.5) or not np.allclose(slope[3::2], right_slope[3::2], 1e-4),
        f"right but for the slope at exactly 0, {slope[4]:g} instead of −0.5: a corner and |x| "
        "have slopes there of their library's choosing, and a network may well start at 0. A "
        "maximum of two equal numbers shares its slope.",
    )
    expect(
        np.allclose(slope, right_slope, 1e-4, 1e-12),
        f"the values are right; the slope at x = {x[4]:g} is {slope[4]:.3g}, expected −0.5.",
    )
    return "value and gradient are right from −200 to 200, in float32."


@checker("expected a function")
def check_inverse(answer: Any) -> str:
    """Exercise 12.2: the x whose softplus is y, for float32 y from a millionth to a thousand."""
    y = np.array([1e-6, 1e-3, 0.1, np.log(2), 1, 10, 89, 1000], np.float32)
    wide = y.astype(np.float64)
    found, _ = curve(answer, y)
    lost, right = ~np.isfinite(found), wide + np.log(-np.expm1(-wide))
    compare(
        y,
        found,
        right,
        (
            lost.any(),
            f"for y = {y[lost][:1]} you return {found[lost][:1]}. exp(y) − 1 = exp(y) · (1 − "
            "exp(−y)): take the logarithm of the product.",
        ),
        (np.log(wide), "this undoes the exponential, not softplus."),
        (np.logaddexp(0, wide), "this is softplus itself; wanted is the way back."),
        (
            np.allclose(found[3:], right[3:], 1e-3, 1e-3)
            and not np.isclose(found[0], right[0], 1e-4),
            f"for y = {y[0]:g} you return {found[0]:.4g}, where softplus is nearly exp(x): digits "
            "were lost in exp(y) − 1. There is expm1.",
        ),
        rtol=1e-4,
        atol=1e-5,
    )
    return "softplus brings every number back, from a millionth to a thousand."


@cache
def _visits() -> tuple[Array, Array]:
    """The facts, scaled as in the chapter, and the visits."""
    x, y = data.visits()
    return ((x - x.mean(0)) / x.std(0, ddof=1)).astype(np.float32), y


def _deviance(y: Array, rate: Any) -> float:
    rate = np.maximum(rate, 0.01)
    return float(np.mean(2 * (y * np.log(np.where(y > 0, y, 1) / rate) - y + rate)))


LINEAR = 4.16  # what the chapter's Poisson regression comes to on all rows
ENOUGH = 4.14


@checker("expected a function from scaled facts to rates, or a module or model after training")
def check_visits(answer: Any) -> str:
    """Exercise 12.3: rates of visits, below the deviance of the Poisson regression."""
    x, y = _visits()
    rate = np.asarray(returned(answer, x), dtype=float)
    rate = rate[:, 0] if rate.ndim == 2 and rate.shape[1] == 1 else rate
    expect(
        rate.shape == y.shape, f"expected one rate for each of {len(y):,} rows, got {rate.shape}."
    )
    expect(np.isfinite(rate).all(), "some rates are infinite or NaN: a smaller learning rate?")
    expect(np.ptp(rate) > 1e-6, "every row gets the same rate: was it trained?")
    expect(
        not np.isclose(_deviance(y, np.exp(np.clip(rate, -20, 20))), ENOUGH, rtol=0.06),
        "these are *logarithms* of good rates: return their exponential.",
    )
    below = int(np.sum(rate < 0))
    expect(below == 0, f"{below:,} of the rates are below 0. Nobody sees a doctor −1 times.")
    found = _deviance(y, rate)
    expect(
        found < ENOUGH,
        f"the deviance is {found:.2f}; below {ENOUGH} is wanted, and Poisson regression has "
        f"{LINEAR}. "
        + (
            f"On average you predict {rate.mean():.2f} visits, and there were {y.mean():.2f}: is "
            "an exponential missing, or one too many?"
            if not 0.8 < rate.mean() / y.mean() < 1.25
            else "Give it a hidden layer, or more epochs."
        ),
    )
    return f"a deviance of {found:.2f}, where the Poisson regression has {LINEAR}."


@checker("the answer must be three things: rule, relu, softplus", calls=False)
def check_softplus_rule(answer: Any) -> str:
    """Exercise 12.4: ``rule, relu, softplus``: a rule of one's own and test errors by seed."""
    return own_rule(answer, ("relu", "softplus"), "softplus makes the test error smaller")
