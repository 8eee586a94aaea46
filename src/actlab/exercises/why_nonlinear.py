"""Checkers of the chapter "Start here: why non-linear at all"."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.exercises.feedback import checker, expect

Array = npt.NDArray[Any]


@checker
def check_collapse(answer: Any) -> str:
    """Exercise 1.1: a function from layers [(W, b), …] to the one (W, b) that replaces them all.

    A layer computes W h + b, with W of shape (units out, units in).
    """
    expect(callable(answer), "the answer must be a function; leave out the brackets of the call.")
    first = (np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([1.0, 0.0]))
    second = (np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([0.0, 5.0]))
    weight, bias = _weight_and_bias(answer([first, second]))
    product = second[0] @ first[0]
    expect(
        not np.allclose(weight, first[0] @ second[0]),
        "the matrices are multiplied in the wrong order. The first layer acts first, so it "
        "stands on the right: W₂ (W₁ h) = (W₂ W₁) h.",
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
    rng = np.random.default_rng(0)
    widths = (5, 4, 3, 2)
    layers = [
        (rng.standard_normal((o, i)), rng.standard_normal(o)) for i, o in itertools.pairwise(widths)
    ]
    h = expected = rng.standard_normal(5)
    for w, b in layers:
        expected = w @ expected + b
    weight, bias = _weight_and_bias(answer(layers))
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


@checker
def check_xor(answer: Any) -> str:
    """Exercise 1.2: a network of two ReLU units (PyTorch or Keras) that computes XOR."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    expect(
        callable(answer),
        f"expected a network that can be called (nn.Sequential or a Keras model), got "
        f"{type(answer).__name__}.",
    )
    got = _outputs(answer, x)
    expect(
        got.size == 4,
        f"for four inputs expected four outputs, got shape {got.shape}. The last layer has one "
        "unit.",
    )
    f00, f01, f10, f11 = (float(value) for value in got.ravel())
    corners = f"(0,0) → {f00:.3g}, (0,1) → {f01:.3g}, (1,0) → {f10:.3g}, (1,1) → {f11:.3g}"
    wanted = np.allclose([f00, f01, f10, f11], [0, 1, 1, 0], atol=0.01)
    expect(
        wanted or not np.isclose(f00 + f11, f01 + f10, atol=1e-4),
        f"{corners}. The two diagonals add up to the same: on these corners the network is still "
        "linear. Make a ReLU cut something off: its input must be negative at some corner.",
    )
    expect(
        not np.allclose([f00, f01, f10, f11], [1, 0, 0, 1], atol=0.01),
        "this is the opposite, 1 where the inputs agree. Change the signs of the last layer.",
    )
    expect(wanted, f"expected 0, 1, 1, 0, got {corners}.")
    size = _parameters(answer)
    expect(
        size <= 9,
        f"it computes XOR, but with {size} weights and biases. Two hidden units need nine.",
    )
    return "two kinks are enough."


@checker
def check_borrowed_slope(answer: Any) -> str:
    """Exercise 1.3: the step forward, the slope of a ramp from −1 to 1 backward.

    The answer is a function of a PyTorch or a Keras tensor.
    """
    expect(callable(answer), "the answer must be a function of x.")
    x = np.array([-3.0, -1.5, -0.5, -0.1, 0.0, 0.1, 0.5, 1.5, 3.0], np.float32)
    outputs, slopes = _value_and_gradient(answer, x)
    expect(
        outputs.shape == x.shape, f"expected the shape of the input {x.shape}, got {outputs.shape}."
    )
    expect(
        not np.allclose(outputs, np.clip(x, -1, 1), atol=1e-5)
        and not np.allclose(outputs, (np.clip(x, -1, 1) + 1) / 2, atol=1e-5),
        "forward this is the ramp itself. The output must jump from 0 to 1; only the slope is "
        "borrowed.",
    )
    expect(
        not np.allclose(outputs, np.sign(x), atol=1e-5),
        "forward this is the sign, −1 or 1; our step gives 0 or 1.",
    )
    wrong = ~np.isclose(outputs, x >= 0, atol=1e-5)
    expect(
        not wrong.any(),
        f"forward, for x = {x[wrong][:1]} expected {(x >= 0)[wrong][:1].astype(int)}, got "
        f"{outputs[wrong][:1]}. At 0 the step is 1.",
    )
    expect(
        slopes is not None and not np.allclose(slopes, 0),
        "forward it is right; backward the gradient is still zero, or there is none. The part "
        "whose gradient counts must not be inside the stop (detach, stop_gradient).",
    )
    assert slopes is not None
    expect(
        np.allclose(slopes[np.abs(x) > 1], 0),
        f"the gradient passes everywhere (at x = 3 it is {slopes[-1]:g}). The ramp is flat beyond "
        "−1 and 1, so units far from the jump should be left alone.",
    )
    expect(
        np.allclose(slopes[np.abs(x) < 1], 1, atol=1e-4)
        or np.allclose(slopes[np.abs(x) < 1], 0.5, atol=1e-4),
        f"between −1 and 1 the ramp's slope is 1, got {slopes[np.abs(x) < 1]}.",
    )
    return "a step on the way there, a ramp on the way back."


def _weight_and_bias(value: Any) -> tuple[Array, Array]:
    expect(
        isinstance(value, (tuple, list)) and len(value) == 2,
        f"the function must return a pair (W, b), got {type(value).__name__}.",
    )
    weight, bias = (_numpy(part) for part in value)
    expect(
        weight.ndim == 2 and bias.ndim == 1,
        f"expected a matrix and a vector, got shapes {weight.shape} and {bias.shape}.",
    )
    return weight, bias


def _numpy(value: Any) -> Array:
    """NumPy from NumPy, PyTorch or Keras."""
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


def _is_torch(answer: Any) -> bool:
    from torch import nn

    return isinstance(answer, nn.Module)


def _outputs(model: Any, x: Array) -> Array:
    import torch

    return _numpy(model(torch.from_numpy(x) if _is_torch(model) else x))


def _parameters(model: Any) -> int:
    if _is_torch(model):
        return sum(parameter.numel() for parameter in model.parameters())
    return int(model.count_params()) if hasattr(model, "count_params") else 0


def _value_and_gradient(function: Any, x: Array) -> tuple[Array, Array | None]:
    """Outputs and gradients of a function written in PyTorch, or else in Keras on TensorFlow."""
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    try:
        result = function(tensor)
        in_torch = isinstance(result, torch.Tensor)
    except Exception:  # written for the other framework, or wrong: the other one will tell
        in_torch = False
    if in_torch:
        if not result.requires_grad:
            return _numpy(result), None
        (gradient,) = torch.autograd.grad(result.sum(), tensor, allow_unused=True)
        return _numpy(result), None if gradient is None else _numpy(gradient)
    import keras
    import tensorflow as tf

    variable = keras.Variable(x)
    with tf.GradientTape() as tape:
        result = function(variable.value)
    gradient = tape.gradient(result, variable.value)
    return _numpy(result), None if gradient is None else _numpy(gradient)
