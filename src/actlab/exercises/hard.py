"""Checkers of the chapter "Hard and clipped"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import compare, curve, numbers, returned, run
from actlab.exercises.own import own_rule

Array = npt.NDArray[Any]


@checker("expected a function, a module or a layer")
def check_old_gate(answer: Any) -> str:
    """Exercise 13.1: Keras 2's hard sigmoid."""
    x = np.array([-4, -3, -2.7, -2.5, -1, 0, 0.5, 2, 2.5, 2.7, 3, 4], np.float32)
    got, _ = curve(answer, x)
    record = catalog.get("hard_sigmoid")
    then = next(p for p in record.places if p.when == "then" and p.framework == "keras")
    right = record.reference(x, limit=then.settings["limit"])
    compare(
        x,
        got,
        right,
        (record.reference(x), "this is today's, which ends at ±3; Keras 2's ended at ±2.5."),
        (
            record.reference(x / 1.2),
            "now it ends at ±3.6: the input must become larger, to be at 3 when x is 2.5.",
        ),
        (0.2 * x + 0.5, "the line is right, and must end: at 0 and at 1."),
        (catalog.get("sigmoid").reference(x), "this is the smooth sigmoid."),
        (
            record.reference(x, limit=1.0),
            "this ends at ±1: Keras 2's line had a slope of 0.2.",
        ),
        atol=1e-5,
    )
    return "Keras 2's gate, to the last bit but a few."


BITS = 8


@checker("expected a function of an array that returns levels, scale and zero point")
def check_levels(answer: Any) -> str:
    """Exercise 13.2: ``levels, scale, zero`` of an array in eight bits, 0 a level of its own."""
    rng = np.random.default_rng(0)
    cases = {
        "numbers from −1 to 4.1": np.append(rng.uniform(-1, 4.1, 500), [-1, 4.1, 0]),
        "positive numbers from 2 to 3": np.append(rng.uniform(2, 3, 500), [2, 3]),
        "negative numbers from −3 to −2": np.append(rng.uniform(-3, -2, 500), [-2, -3]),
    }
    top = 2**BITS - 1
    for words, x in cases.items():
        told = _three(answer, x)
        levels, scale, zero = told
        expect(levels.shape == x.shape, f"expected {len(x)} levels, got shape {levels.shape}.")
        expect(
            np.array_equal(levels, np.round(levels)) and zero == round(zero),
            f"{words}: levels and zero point must be whole numbers.",
        )
        shift = 128 if -128 <= min(levels.min(), zero) < 0 else 0  # int8 instead of uint8
        expect(
            levels.min() + shift >= 0 and levels.max() + shift <= top,
            f"{words}: levels from {levels.min():g} to {levels.max():g} do not fit in eight bits.",
        )
        expect(scale > 0, f"{words}: the scale is {scale:g}; it is a distance, above 0.")
        low, high = min(x.min(), 0.0), max(x.max(), 0.0)
        least = (high - low) / top
        back = scale * (levels - zero)
        off = np.abs(back - x).max()
        expect(
            0 <= zero + shift <= top,
            f"{words}: the zero point is {zero:g}, no level. 0 must be one, or a ReLU's zeros and "
            "a padding become something else: let the range hold 0.",
        )
        expect(
            off > 0.55 * scale or scale < 1.5 * least,
            f"{words}: the scale is {scale:.3g}, and {least:.3g} would do. Half of the levels are "
            "never used: the range need not be as long on both sides of 0.",
        )
        expect(
            not (0.55 * scale < off <= 1.05 * scale),
            f"{words}: a number is off by {off:.3g}, more than half of the scale {scale:.3g}. "
            "Round to the nearest level; a cast cuts off.",
        )
        expect(
            off <= 0.55 * scale,
            f"{words}: read back as scale · (level − zero), a number is off by {off:.3g}, with a "
            f"scale of {scale:.3g}. Was something clipped, or did an integer overflow?",
        )
    return "no number is off by more than half a level, and 0 is exact."


def _three(answer: Any, x: Array) -> tuple[Array, float, float]:
    told: Any = None
    for give in (np.copy, _tensor, _keras):
        try:
            told = run(answer, give(x))
            break
        except Wrong as hint:
            told = hint
    if isinstance(told, Wrong):
        raise told
    expect(
        isinstance(told, (tuple, list)) and len(told) == 3,
        "expected three things: levels, scale, zero point.",
    )
    levels, scale, zero = (numbers(part) for part in told)
    expect(scale.size == zero.size == 1, "scale and zero point are one number each.")
    return levels, float(scale.item()), float(zero.item())


def _tensor(x: Array) -> Any:
    import torch

    return torch.tensor(x)


def _keras(x: Array) -> Any:
    import keras

    return keras.ops.convert_to_tensor(x)


LEVELS, UNITS, ENOUGH = 4, 8, 0.92


@checker("the answer must be two things: hidden, last", calls=False)
def check_two_bits(answer: Any) -> str:
    """Exercise 13.3: ``hidden, last``: a network whose hidden numbers have four values."""
    expect(
        isinstance(answer, (tuple, list)) and len(answer) == 2 and all(map(callable, answer)),
        "expected two things that can be called: hidden, last.",
    )
    hidden, last = answer
    digits = data.load("digits")
    codes = returned(hidden, digits.x_test.astype(np.float32))
    expect(
        codes.ndim == 2 and len(codes) == len(digits.y_test),
        f"expected a row of hidden numbers for each of {len(digits.y_test)} digits, got shape "
        f"{codes.shape}.",
    )
    expect(codes.shape[1] <= UNITS, f"{codes.shape[1]} hidden numbers; at most {UNITS}.")
    values = len(np.unique(codes.round(4)))
    expect(
        values <= LEVELS,
        f"the hidden numbers have {values} different values; two bits have {LEVELS}. Forward it "
        "must be the rounded one: x + stop(rounded − x).",
    )
    scores = returned(last, codes.astype(np.float32))
    expect(
        scores.shape == (len(codes), 10), f"expected 10 scores a digit, got shape {scores.shape}."
    )
    right = float(np.mean(scores.argmax(1) == digits.y_test))
    expect(
        right >= ENOUGH,
        f"it reads {right:.0%} of the test digits; {ENOUGH:.0%} are wanted. "
        + (
            "That is about chance: was it trained?"
            if right < 0.2
            else "Do the first layer's weights move? Rounding alone sends no gradient back. And "
            "training must see the rounded numbers: rounding afterwards costs more."
        ),
    )
    return f"{right:.0%} of the test digits, through {codes.shape[1]} numbers of two bits."


@checker("the answer must be three things: rule, relu, relu6", calls=False)
def check_relu6_rule(answer: Any) -> str:
    """Exercise 13.4: ``rule, relu, relu6``: a rule of one's own and errors in four bits by seed."""
    return own_rule(answer, ("relu", "relu6"), "ReLU6's networks make fewer errors in four bits")
