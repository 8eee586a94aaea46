"""Checkers of the chapter "Start here: why non-linear at all"."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import Array, compare, numbers, slopes, watch, weights


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


def _weight_and_bias(answer: Any, layers: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    value = watch(answer, layers).result
    expect(
        isinstance(value, (tuple, list)) and len(value) == 2,
        f"the function must return a pair (W, b), got {type(value).__name__}.",
    )
    weight, bias = (numbers(part) for part in value)
    expect(
        weight.ndim == 2 and bias.ndim == 1,
        f"expected a matrix and a vector, got shapes {weight.shape} and {bias.shape}.",
    )
    return weight, bias
