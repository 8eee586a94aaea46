"""Checkers of the chapter "ELU: an exponential on the left"."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import catalog
from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import compare, slopes
from actlab.exercises.own import own_rule, trained

ALPHA = 0.5  # of the CELU in exercise 5.2


@checker("the answer must be a function of x")
def check_safe_elu(answer: Any) -> str:
    """Exercise 5.1: ELU (α = 1) by hand, with gradients that are never NaN, in either framework."""
    x = np.array([-200.0, -30.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 80.0, 100.0, 1e4], np.float32)
    y, slope = slopes(answer, x)
    expect(y.shape == x.shape, f"expected the shape of the input {x.shape}, got {y.shape}.")
    expect(
        slope is not None,
        "no gradient comes back: something in it (detach, a NumPy function, a cast) cuts it off.",
    )
    assert slope is not None
    exact = catalog.get("elu").reference(x.astype(np.float64), alpha=1.0)
    right_slope = np.where(x > 0, 1.0, np.exp(np.minimum(x, 0).astype(np.float64)))
    compare(
        x,
        y,
        exact,
        (
            np.isnan(y).any(),
            f"the output is NaN at x = {x[np.isnan(y)][:1]}: inf − inf, or 0 · inf?",
        ),
        (
            np.isnan(slope).any(),
            f"the gradient is NaN at x = {x[np.isnan(slope)][:1]}. The branch that 'where' does "
            "not choose is computed all the same, and backwards its infinite slope meets a 0. Make "
            "its *input* harmless: what can you do to x before it enters the exponential?",
        ),
        (np.maximum(x, 0), "this is ReLU: the negative side is missing."),
        (
            SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
            "this is SELU; ELU has no scale, and here α = 1.",
        ),
        (
            abs(y[0] + 1) > 1e-3,
            f"far to the left ELU returns −1 for α = 1, you return {y[0]:g}.",
        ),
        (
            abs(y[3] / exact[3] - 1) > 1e-3,
            f"at x = −0.000001 you return {y[3]:.4g}, ELU is {exact[3]:.4g}: exp(x) − 1 loses the "
            "digits of small numbers. There is a function made for it.",
        ),
        atol=1e-7,
    )
    off = (x != 0) & ~np.isclose(slope, right_slope, rtol=1e-4, atol=1e-6)
    expect(
        not off.any(),
        f"the output is right, but at x = {x[off][:1]} the gradient is {slope[off][:1]} "
        f"instead of {right_slope[off][:1]}.",
    )
    return "the right values, small ones to the last digits, and no NaN on the way back."


@checker("the answer must be a function of x")
def check_celu_from_elu(answer: Any) -> str:
    """Exercise 5.2: CELU with α = 0.5, made of an ELU with α = 1, in either framework."""
    x = np.array([-40.0, -3.0, -1.0, -0.1, 0.25, 1.0, 50.0, 200.0], np.float32)
    y, slope = slopes(answer, x)
    expect(y.shape == x.shape, f"expected the shape of the input {x.shape}, got {y.shape}.")

    def elu(z: Any) -> Any:
        return catalog.get("elu").reference(z, alpha=1.0)

    wide = x.astype(np.float64)
    compare(
        x,
        y,
        catalog.get("celu").reference(wide, alpha=ALPHA),
        (
            np.isnan(y).any(),
            f"the output is NaN at x = {x[np.isnan(y)][:1]}: inf − inf, or 0 · inf?",
        ),
        (elu(wide), "this is ELU, which is CELU with α = 1. The floor is to lie at −0.5."),
        (
            np.where(wide > 0, wide, ALPHA * elu(wide)),
            "this is ELU with α = 0.5: the right floor, but its slope jumps from 0.5 to 1 at 0. In "
            "CELU α divides x as well.",
        ),
        (
            elu(wide / ALPHA),
            "you stretched x by 1/α; now the straight side has slope 2 and the floor lies at −1. "
            "What brings both back?",
        ),
        (
            ALPHA * elu(wide * ALPHA),
            "the wrong way round: x is divided by α in the exponent, not multiplied.",
        ),
        (
            np.where(wide > 0, wide, elu(wide * ALPHA) / ALPHA),
            "this is CELU with α = 2: its floor lies at −2. Did α and 1/α change places?",
        ),
    )
    expect(
        slope is not None and np.isfinite(slope).all(),
        "the values are right, but the gradient is missing or NaN. For large x, does an "
        "exponential see a positive number?",
    )
    assert slope is not None
    right = catalog.get("celu").derivative(wide, alpha=ALPHA)
    off = ~np.isclose(slope, right, rtol=1e-4, atol=1e-6)
    expect(
        not off.any(),
        f"the values are right, but at x = {x[off][:1]} the gradient is {slope[off][:1]} instead "
        f"of {right[off][:1]}.",
    )
    return "CELU for α = 0.5, in values and slopes."


@checker("expected a PyTorch module or a Keras model, after training")
def check_trained_elu(answer: Any) -> str:
    """Exercise 5.3: five hidden layers of ELU (α = 1), trained on the digits."""
    return trained(answer, "elu", layers=5)


@checker("the answer must be three things: rule, relu, elu", calls=False)
def check_elu_rule(answer: Any) -> str:
    """Exercise 5.4: ``rule, relu, elu``: a rule of one's own and the epochs that each needs."""
    return own_rule(answer, ("relu", "elu"), "ELU needs fewer epochs")
