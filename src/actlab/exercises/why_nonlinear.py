"""Checkers of the chapter "Start here: why non-linear at all"."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import data
from actlab.exercises.decision import expect_a_difference, pair, said
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import (
    Array,
    Seen,
    compare,
    numbers,
    slopes,
    watch,
    weights,
)

STEP_UNITS = 32
LEAST_RIGHT = 0.88  # of the test digits; 32 random steps reach 0.82, learned ones 0.93


@checker("the answer must be a function; leave out the brackets of the call")
def check_collapse(answer: Any) -> str:
    """Exercise 1.1: a function from layers [(W, b), …] to the one (W, b) that replaces them all.

    A layer computes W h + b, with W of shape (units out, units in).
    """
    first = (np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, 0.0]))
    second = (np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([0.0, 5.0]))
    weight, bias = _weight_and_bias(answer, [first, second])
    product = second[0] @ first[0]
    expect(
        not np.allclose(weight, first[0] @ second[0]),
        "the matrices are multiplied in the wrong order. The first layer acts first, so it "
        "stands on the right: W₂ (W₁ h) = (W₂ W₁) h.",
    )
    expect(
        not np.allclose(weight, product.T),
        "this is the matrix's transpose. Here W has the shape (units out, units in).",
    )
    expect(
        np.allclose(weight, product),
        f"for two layers the matrix should be W₂ W₁ = {product.tolist()}, got {weight.tolist()}.",
    )
    expect(
        not np.allclose(bias, 0), "the matrix is right, but the biases have got lost on the way."
    )
    expect(
        not np.allclose(bias, first[1] + second[1]),
        "the biases are only added up. The first layer's bias passes through the second layer's "
        "matrix before it comes out.",
    )
    expect(
        np.allclose(bias, second[0] @ first[1] + second[1]),
        f"the matrix is right; the bias should be {(second[0] @ first[1] + second[1]).tolist()}, "
        f"got {bias.tolist()}.",
    )
    weight, bias = _weight_and_bias(answer, [first])
    expect(
        np.allclose(weight, first[0]) and np.allclose(bias, first[1]),
        "right for two layers; a single one should come back as it is.",
    )
    rng = np.random.default_rng(0)
    widths = (5, 4, 3, 2)
    layers = [
        (rng.standard_normal((o, i)), rng.standard_normal(o)) for i, o in itertools.pairwise(widths)
    ]
    h = expected = rng.standard_normal(5)
    for w, b in layers:
        expected = w @ expected + b
    weight, bias = _weight_and_bias(answer, layers)
    expect(
        weight.shape == (2, 5),
        f"right for two layers; for three layers of widths 5 → 4 → 3 → 2 the matrix must have "
        f"shape (2, 5), got {weight.shape}. Does your loop reach every layer?",
    )
    expect(
        np.allclose(weight @ h + bias, expected, rtol=1e-3, atol=1e-3),
        "right for two layers, but for three the outputs differ. Carry matrix and bias along, "
        "layer by layer.",
    )
    return "one matrix and one bias, whatever the depth."


@checker("expected a network that can be called (nn.Sequential or a Keras model)")
def check_xor(answer: Any) -> str:
    """Exercise 1.2: a network of two ReLU units (PyTorch or Keras) that computes XOR."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    around = np.random.default_rng(0).uniform(-3, 3, (57, 2))  # where a ReLU shows its two sides
    seen = watch(answer, np.vstack([corners, around]).astype(np.float32), training=False)
    got = seen.output
    expect(
        got.size == seen.samples,
        f"for four inputs expected four outputs, got shape {(4, *got.shape[1:])}. The last layer "
        "has one unit.",
    )
    f00, f01, f10, f11 = (float(value) for value in got.ravel()[:4])
    values = f"(0,0) → {f00:.3g}, (0,1) → {f01:.3g}, (1,0) → {f10:.3g}, (1,1) → {f11:.3g}"
    wanted = np.allclose([f00, f01, f10, f11], [0, 1, 1, 0], atol=0.01)
    expect(
        wanted or not np.isclose(f00 + f11, f01 + f10, atol=1e-4),
        f"{values}. The two diagonals add up to the same: on these corners the network is still "
        "linear. Make a ReLU cut something off: its input must be negative at some corner.",
    )
    expect(
        not np.allclose([f00, f01, f10, f11], [1, 0, 0, 1], atol=0.01),
        "this is the opposite, 1 where the inputs agree. Change the signs of the last layer.",
    )
    expect(wanted, f"expected 0, 1, 1, 0, got {values}.")
    units = sum(layer.after[0].size for layer in seen.layers("relu"))
    absolute = any(name.split("::")[-1].startswith("abs") for name in seen.names)
    expect(
        units or not absolute,
        "the corners are right, but there is no ReLU unit in it: an absolute value does the work. "
        "|z| is relu(z) + relu(−z): which weights make two ReLU units compute this?",
    )
    expect(
        units,
        "the corners are right, but no ReLU unit was seen at work. Build it of linear layers and "
        "ReLU, as nn.Sequential or as a Keras model.",
    )
    size = sum(numbers(weight).size for weight in weights(answer))
    expect(
        units <= 2,
        f"it computes XOR, but with {units} ReLU units"
        + (f", with {size} weights and biases in all" if size else "")
        + ". Two are enough, and the output needs none.",
    )
    return "two kinks are enough."


@checker("the answer must be a function of x")
def check_borrowed_slope(answer: Any) -> str:
    """Exercise 1.3: the step forward, the slope of a ramp from −1 to 1 backward.

    The answer is a function of a PyTorch or a Keras tensor.
    """
    x = np.array([-3.0, -1.5, -0.9, -0.5, -0.1, 0.0, 0.1, 0.5, 0.9, 1.5, 3.0], np.float32)
    got, slope = slopes(answer, x)
    expect(got.shape == x.shape, f"expected the shape of the input {x.shape}, got {got.shape}.")
    ramp = np.clip(x, -1, 1)
    forward = (
        "forward this is the {}. The output must jump from 0 to 1; only the slope is borrowed."
    )
    compare(
        x,
        got,
        (x >= 0).astype(np.float64),
        (ramp, forward.format("ramp itself")),
        ((ramp + 1) / 2, forward.format("ramp itself, from 0 to 1")),
        (1 / (1 + np.exp(-x)), forward.format("sigmoid")),
        (np.sign(x), "forward this is the sign, −1 or 1; our step gives 0 or 1."),
        (
            np.allclose(got, x > 0, atol=1e-5),
            "forward it is right but for one point: at 0 you return 0. At 0 the step is 1.",
        ),
        (np.allclose(got, x < 0, atol=1e-5), "the step goes down; it should go up, from 0 to 1."),
        atol=1e-5,
    )
    expect(
        slope is not None and not np.allclose(slope, 0),
        "forward it is right; backward the gradient is still zero, or there is none. The part "
        "whose gradient counts must not be inside the stop (detach, stop_gradient).",
    )
    assert slope is not None
    inside, outside = slope[np.abs(x) < 1], slope[np.abs(x) > 1]
    expect(
        np.allclose(outside, 0, atol=1e-5) or not np.allclose(slope, slope[0]),
        f"the gradient passes everywhere (at x = 3 it is {slope[-1]:g}). The ramp is flat beyond "
        "−1 and 1, so units far from the jump should be left alone.",
    )
    expect(
        np.allclose(outside, 0, atol=1e-5),
        f"beyond −1 and 1 the ramp is flat, but at x = 3 your slope is {slope[-1]:.3g}: that of "
        "another curve.",
    )
    expect(
        not np.allclose(inside, 0.5, atol=1e-4),
        "your slope between −1 and 1 is 1/2: you borrow from a ramp that climbs from 0 to 1. The "
        "slope asked for is 1, that of a ramp from −1 to 1.",
    )
    expect(
        not np.allclose(inside, -1, atol=1e-4),
        "the slope has the wrong sign: stop(step − ramp) is added to the ramp, not to −ramp.",
    )
    expect(
        np.allclose(inside, 1, atol=1e-4), f"between −1 and 1 the ramp's slope is 1, got {inside}."
    )
    return "a step on the way there, a ramp on the way back."


@checker("expected a trained network (nn.Module, Keras model or function)")
def check_step_network(answer: Any) -> str:
    """Exercise 1.4: 64 pixels, at most 32 step units, 10 scores; 88 % of the test digits right.

    The answer is a module, a model or a function. Steps are found in the numbers: a layer whose
    outputs have two values, and jump where what went in changes its sign.
    """
    digits = data.load("digits")
    seen = watch(answer, digits.x_test, training=False)
    scores = seen.output
    expect(
        scores.shape == (seen.samples, 10),
        f"for {seen.samples} images of 64 pixels expected 10 scores each, got shape "
        f"{scores.shape}.",
    )
    codes = _codes(seen)
    right = float(np.mean(scores.argmax(1) == digits.y_test))
    expect(
        codes,
        f"it reads {right:.0%} of the digits, but without steps: no layer was found whose outputs "
        "have only two values. Is the activation there, and forward really a step, not the ramp?",
    )
    widths = [code.shape[1] for code in codes]
    expect(
        max(widths) <= STEP_UNITS,
        f"it has {max(widths)} step units in a layer; at most {STEP_UNITS} are allowed.",
    )
    expect(
        _reads_only(codes[-1], seen, scores),
        "the scores do not come from the steps alone: between the last steps and the scores there "
        "is one layer of weights and biases, and nothing passes the steps by.",
    )
    expect(
        right > 0.3,
        f"it reads {right:.0%} of the test digits, hardly more than by guessing. Was it trained, "
        "and on these digits (data.load standardises them)?",
    )
    expect(
        right >= LEAST_RIGHT,
        f"it reads {right:.0%} of the test digits. "
        + (
            "That is what a last layer makes of random steps: compare the first layer's weights "
            "before and after. Do they move? A step needs a slope that it borrows."
            if right < 0.86
            else "Nearly: train a little longer, or with another learning rate."
        ),
    )
    return f"{right:.0%} of the test digits, through {widths[-1]} bits."


def _codes(seen: Seen) -> list[Array]:
    """The outputs of layers of steps, in order: two values, which an earlier array decides.

    Which values is free (0 and 1, −1 and 1), where a unit jumps, and what it does just there.
    """
    found: list[Array] = []
    for j, (after, _) in enumerate(seen.steps):
        if after.ndim != 2 or (after.shape[1] == 10 and j == len(seen.steps) - 1):
            continue
        low, high = after.min(), after.max()
        middle = (low + high) / 2
        bits = after > middle
        flat = np.where(bits, high, low)
        if high - low < 1e-3 or not np.allclose(after, flat, atol=1e-3 * (high - low)):
            continue
        if any(_decides(before, bits) for before, _ in seen.steps[:j]):
            found.append(bits.astype(np.float64))
    return found


def _decides(before: Array, bits: npt.NDArray[np.bool_]) -> bool:
    """Whether every unit jumps at one height of ``before``, up or down, and ``before`` does not."""
    if before.shape != bits.shape or len(np.unique(before.round(3))) <= 2:
        return False
    return any(
        bool(np.all(np.where(up, -np.inf, z).max(0) <= np.where(up, z, np.inf).min(0)))
        for z, up in ((before, bits), (-before, bits))
    )


def _reads_only(code: Array, seen: Seen, scores: Array) -> bool:
    """Whether the scores, or what a softmax at the end got, are an affine map of the code."""
    inputs = np.hstack([code, np.ones((len(code), 1))])
    winner = scores.argmax(1)
    for logits in (scores, *(step.value for step in reversed(seen.steps))):
        if logits.shape != scores.shape or not np.array_equal(logits.argmax(1), winner):
            continue
        fitted = inputs @ np.linalg.lstsq(inputs, logits, rcond=None)[0]
        if np.std(logits - fitted) < 0.01 * np.std(logits):
            return True
    return False


@checker("the answer must be the pair (rule, gain)", calls=False)
def check_decision(answer: Any) -> str:
    """Exercise 1.5: a pair (rule, gain): a rule with a bound of its own, and a measured interval.

    The rule gets a :class:`~actlab.stats.Interval` in points and returns one of three words. It is
    tried on invented intervals: all of it above its bound, all below, and on both sides.
    """
    rule, gain = pair(answer, "gain")
    lost, held = _bounds(rule)
    for low, mean, high in ((-0.1, 0.9, 1.9), (-1.9, -0.9, 0.1), (-4, -0.2, 9), (-9, 0.2, 4)):
        for bound, word, which, instead in (
            (held, "holds", "below", "A mean alone decides nothing: ask where the whole one lies."),
            (lost, "refuted", "above", "Not to have shown it is not to have shown the opposite."),
        ):
            expect(
                said(rule, bound + low, bound + mean, bound + high) != word,
                f"for the interval [{bound + low:.2g}, {bound + high:.2g}] with mean "
                f"{bound + mean:.2g} your rule says '{word}', though part of it lies {which} your "
                f"bound of {bound:.2g}. {instead}",
            )
    for low, high, wanted in ((held + 0.3, held + 30, "holds"), (lost - 30, lost - 0.3, "refuted")):
        word = said(rule, low, (low + high) / 2, high)
        expect(
            word == wanted,
            f"the whole interval [{low:.2g}, {high:.2g}] lies on one side of your bound, and your "
            f"rule says '{word}' instead of '{wanted}'.",
        )
    expect_a_difference(gain, "gain")
    word = said(rule, gain.low, gain.mean, gain.high, gain)
    return (
        f"your bound is {held:.2g} points, the gain is {gain.mean:.2g} [{gain.low:.2g}, "
        f"{gain.high:.2g}]: {word}, by your rule and on these data."
    )


def _bounds(rule: Any) -> tuple[float, float]:
    """Up to where narrow intervals are refuted, and from where on they hold; often the same."""

    def narrow(middle: float) -> str:
        return said(rule, middle - 1e-9, middle, middle + 1e-9)

    expect(
        narrow(50) == "holds",
        "activations that gain 50 points, sure to the last digit, and your rule says "
        f"'{narrow(50)}'. The claim is that leaving them out costs accuracy: so it holds.",
    )
    expect(
        narrow(-50) == "refuted",
        "activations that lose 50 points, sure to the last digit, and your rule says "
        f"'{narrow(-50)}'. A rule that nothing can refute decides nothing.",
    )

    def turn(word: str) -> float:
        low, high = -50.0, 50.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            if (narrow(middle) == word) == (word == "holds"):
                high = middle
            else:
                low = middle
        return high

    lost, held = turn("refuted"), turn("holds")
    expect(
        -1e-3 <= held <= 30,
        f"your bound lies at {held:.2g} points. The claim says that accuracy is lost: choose a "
        "bound from 0 on that a measured loss could reach.",
    )
    return round(lost, 3), max(round(held, 3), 0.0)


def _weight_and_bias(answer: Any, layers: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    value = watch(answer, layers).result
    expect(
        isinstance(value, (tuple, list)) and len(value) == 2,
        f"the function must return a pair (W, b), got {type(value).__name__}.",
    )
    weight, bias = (numbers(part) for part in value)
    expect(
        weight.ndim == 2 and bias.ndim == 1,
        "expected a matrix and a vector, in this order, got shapes "
        f"{weight.shape} and {bias.shape}.",
    )
    return weight, bias
