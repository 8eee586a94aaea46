"""Checkers of the chapter "Shrinkage"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import compare, curve, pulls, returned
from actlab.exercises.own import own_rule

Array = npt.NDArray[Any]


@checker("expected a function, a module or a layer")
def check_rates(answer: Any) -> str:
    """Exercise 14.1: the cheapest answer of at least 0, at a price of one half for its size."""
    x = np.array([-3, -1, -0.5, -0.2, 0, 0.2, 0.5, 0.9, 1, 3], np.float32)
    y, _ = curve(answer, x)
    wide = x.astype(np.float64)
    soft = catalog.get("soft_shrink").reference(wide)
    compare(
        x,
        y,
        np.maximum(wide - 0.5, 0),
        (
            soft,
            "some of these answers are below 0, and a rate is not. What is cheapest for x = −3?",
        ),
        (
            np.maximum(wide, 0),
            "these answers are not below 0, but nobody has paid for them: at x = 3 the answer 3 "
            "costs 1.5, and 2.9 costs 1.455.",
        ),
        (wide - 0.5, "moved by the price, rightly; but some of these answers are below 0."),
        (np.maximum(wide + 0.5, 0), "the sign: a price moves the answer towards 0."),
        (
            np.where(wide > 1, wide, 0),
            "this is for a fee, the same for all answers; here twice as much costs twice as much.",
        ),
        (
            np.where(wide > 0.5, wide, 0),
            "what is above the price is kept whole; but a little less would be cheaper: try 2.9 "
            "for x = 3.",
        ),
    )
    return "it is a ReLU with a bias of −λ: a ReLU layer, too, answers with few rates above 0."


SIGNAL = np.array(
    [[-2, -0.7, 0.1, 0.7], [2, 0.3, -0.4, -3], [1, -1, 3, 0.2], [0.05, 5, -0.3, -0.9]], np.float32
)
LIMITS = np.array([0.5, 0.1, 0.2, 0.8], np.float32)
WEIGHTS = np.arange(1, 17, dtype=np.float32).reshape(4, 4)


@checker("expected a function of the signal and the thresholds")
def check_threshold(answer: Any) -> str:
    """Exercise 14.2: soft shrink with a threshold for each column, which a gradient reaches."""
    try:
        y, (by_signal, by_limit) = pulls(answer, WEIGHTS, SIGNAL, LIMITS)
    except Wrong as hint:
        if "must be Number" in str(hint):
            raise Wrong(
                "PyTorch's softshrink takes a plain number. Write it with two ReLUs, or as x less "
                "x cut off at ±threshold."
            ) from None
        raise
    x, limit = SIGNAL.astype(float), LIMITS.astype(float)
    on = np.abs(x) > limit
    right = np.where(on, x - np.sign(x) * limit, 0)
    expect(
        not np.allclose(y, np.where(on, x, 0), 1e-4, 1e-6),
        "this is hard shrink: what is beyond the threshold must be moved by it, too.",
    )
    expect(
        not np.allclose(y, np.maximum(x - limit, 0), 1e-4, 1e-6),
        "this is the right half only; for negative inputs there is a second ReLU.",
    )
    off = ~np.isclose(y, right, 1e-4, 1e-5)
    expect(
        not off.any(),
        f"for x = {x[off][:1]} and threshold {np.broadcast_to(limit, x.shape)[off][:1]} expected "
        f"{right[off][:1]}, got {y[off][:1]}.",
    )
    expect(by_signal is not None, "no gradient comes back to the signal: something cuts it off.")
    expect(
        by_limit is not None,
        "the values are right, and no gradient reaches the thresholds: 'float', 'item', 'detach' "
        "or an array of NumPy's on the way cuts it off.",
    )
    assert by_signal is not None
    assert by_limit is not None
    wanted = (-np.sign(x) * on * WEIGHTS).sum(0)
    expect(
        np.allclose(by_signal, on * WEIGHTS, 1e-4) and np.allclose(by_limit, wanted, 1e-4),
        "the values are right; a gradient is not. A higher threshold lowers what is above it and "
        f"raises what is below −threshold: for a weighted sum expected {wanted}, got {by_limit}.",
    )
    return "the values are right, and every threshold hears of its own column."


NOISE, ENOUGH, SOFT = 0.5, 0.12, 0.136  # SOFT: the best soft threshold's error


@checker("expected a function from noisy digits to clean ones, or a module or model after training")
def check_denoised(answer: Any) -> str:
    """Exercise 14.3: test digits with noise of 0.5; the squared error must be below 0.12."""
    clean = data.load("digits").x_test.astype(np.float32)
    noise = np.random.default_rng(0).normal(0, NOISE, clean.shape).astype(np.float32)
    noisy = clean + noise
    found = np.asarray(returned(answer, noisy), dtype=float)
    expect(
        found.shape == clean.shape,
        f"expected an image for each of {len(clean)}, in 64 numbers, got {found.shape}.",
    )
    expect(np.isfinite(found).all(), "some pixels are infinite or NaN: a smaller learning rate?")

    def error(guess: Array) -> float:
        return float(np.mean((guess - clean) ** 2))

    expect(
        error(found) > 1e-4,
        "that is too good: from noisy pixels nobody gets the clean ones back so exactly.",
    )
    expect(
        not np.allclose(found, noisy, atol=1e-3),
        f"the noise is still in it, all of it: an error of {error(found):.2f}.",
    )
    expect(
        not error(noisy - found) < ENOUGH,
        "this is the *noise*, and well found. Take it away from what came in.",
    )
    expect(
        error(found) < ENOUGH,
        f"a squared error of {error(found):.3f}; below {ENOUGH} is wanted. "
        + (
            "Untouched, the digits have less. Was it trained on digits as data.load gives them, "
            "to give back the clean ones?"
            if error(found) > NOISE**2
            else f"The best soft threshold alone comes to {SOFT}: draw new noise for every batch, "
            "and give it more epochs, or more units."
        ),
    )
    return f"a squared error of {error(found):.3f}, where the best soft threshold has {SOFT}."


@checker("the answer must be three things: rule, relu, shrink", calls=False)
def check_shrink_rule(answer: Any) -> str:
    """Exercise 14.4: ``rule, relu, shrink``: a rule of one's own and test errors by seed."""
    return own_rule(answer, ("relu", "shrink"), "soft shrink makes the test error smaller")
