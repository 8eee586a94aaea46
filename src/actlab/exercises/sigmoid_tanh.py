"""Checkers of the chapter "Sigmoid and tanh: saturation and vanishing gradients"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises.feedback import checker, expect, outputs

Array = npt.NDArray[Any]


@checker
def check_log_sigmoid(answer: Any) -> str:
    """Exercise 3.1: log σ(x) without underflow or overflow, in float32.

    The answer is a function of a NumPy array, PyTorch tensor or Keras tensor.
    """
    expect(callable(answer), "the answer must be a function of x.")
    x = np.array([-1000, -104, -90, -20, -1, 0, 1, 16, 20, 60, 1000], np.float32)
    expected = catalog.get("log_sigmoid").reference(x)
    got = outputs(answer, x)
    expect(got.shape == x.shape, f"expected the shape of the input {x.shape}, got {got.shape}.")
    at = {float(value): result for value, result in zip(x, got, strict=True)}
    expect(
        not np.isclose(at[0.0], 0.5),
        "at 0 you return 0.5: this is σ itself; its logarithm is wanted.",
    )
    expect(not np.isclose(at[0.0], math.log(2)), "the sign: σ is below 1, so its log is negative.")
    expect(
        np.isfinite(at[-1000.0]),
        f"at x = −1000 you return {at[-1000.0]}, but log σ(−1000) is −1000. Either σ has "
        "underflown to 0 before the log, or e^1000 has overflown. Rewrite it so that the "
        "exponential only ever sees −|x|.",
    )
    expect(
        np.isfinite(at[1000.0]),
        f"negative inputs are fine now, but at x = 1000 you return {at[1000.0]}: this side "
        "overflows instead. Let the exponential see −|x| on both sides.",
    )
    expect(
        at[20.0] != 0,
        "nearly: at x = 20 you return exactly 0 instead of about −2e-9. In float32 1 + e^−20 is 1; "
        "there is a function that computes log(1 + t) for a small t.",
    )
    wrong = ~np.isclose(got, expected, rtol=1e-4, atol=0)
    expect(
        not wrong.any(),
        f"for x = {x[wrong][:1]} expected {expected[wrong][:1]}, got {got[wrong][:1]}.",
    )
    return "finite and exact from −1000 to 1000."


@checker
def check_decades(answer: Any) -> str:
    """Exercise 3.2: ``decades(name, variance, q)``, the predicted slope of log10 ‖gradient‖.

    ``name`` of the activation, ``variance``: units × Var(weight), ``q``: the variance of the
    pre-activations. Sampling is fine: 0.01 decades are tolerated.
    """
    expect(callable(answer), "the answer must be a function of name, variance and q.")
    z = np.linspace(-9, 9, 4000)
    w = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    for name, variance, q in (("sigmoid", 1.0, 0.26), ("tanh", 2.0, 0.6), ("relu", 2.0, 2.0)):
        slope = catalog.get(name).derivative(math.sqrt(q) * z)
        squares = float(w @ slope**2)
        right = math.log10(variance * squares) / 2
        got = float(np.asarray(answer(name, variance, q)))
        case = f"for {name} with variance {variance:g} and q = {q:g}"
        if abs(got - right) < 0.01:
            continue
        for wrong, hint in (
            (-right, "the sign: a gradient that shrinks loses decades, so the answer is negative."),
            (
                2 * right,
                "this is the change of the *mean square*; the norm is its root.",
            ),
            (math.log(variance * squares) / 2, "a decade is a power of ten, not of e."),
            (
                math.log10(squares) / 2,
                "the weights are missing: their variance multiplies the mean squared slope.",
            ),
            (
                math.log10(variance * float(w @ slope) ** 2) / 2,
                "this is the square of the mean slope; the mean of the squared slope is wanted.",
            ),
            (
                math.log10(variance * float(catalog.get(name).derivative(0.0)) ** 2 + 1e-99) / 2,
                "this is the slope at 0; average over pre-activations of variance q.",
            ),
        ):
            expect(abs(got - wrong) > 0.01, f"{case}: {hint}")
        expect(False, f"{case} expected {right:.3f} decades per layer, got {got:.3f}.")
    return "the root of variance × mean squared slope, in decades."


@checker
def check_deep_sigmoid(answer: Any) -> str:
    """Exercise 3.3: ten sigmoid layers of 64 units whose first layer learns, too.

    The answer is a PyTorch module or a Keras model from 64 inputs to 10 logits. (Call it before
    training.)
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((512, 64)).astype(np.float32)
    y = rng.integers(0, 10, 512)
    outputs, gradients = _look_inside(answer, x, y)
    expect(
        len(outputs) == 10 and all(output.shape[1] == 64 for output in outputs),
        f"expected ten sigmoid layers of 64 units, found {[o.shape[1] for o in outputs]}; keep the "
        "architecture and the sigmoids, change what surrounds them.",
    )
    expect(
        len(gradients) == 11,
        f"expected 11 weight matrices (ten hidden, one for the 10 logits), found {len(gradients)}.",
    )
    spread = float(outputs[-1].std(0).mean())
    flat = float(np.mean([(output * (1 - output)).mean() for output in outputs]))
    ratio = gradients[0] / gradients[9]
    expect(np.isfinite(ratio), "the gradients are infinite or NaN: the weights are far too large.")
    expect(
        flat > 0.02,
        f"the sigmoids are saturated: their mean slope is {flat:.3f}, and 1/4 is the most. The "
        "weights are too large for an uncentred curve.",
    )
    expect(
        ratio > 1e-4,
        f"the first layer's gradient is {ratio:.0e} of the last hidden layer's. A sigmoid's slope "
        "is at most 1/4: by how much must the weights be larger to make up for it?",
    )
    expect(
        ratio > 0.03,
        f"better: the first layer gets {ratio:.1%} of the last hidden layer's gradient. What is "
        "left is the offset: every sigmoid sends about 1/2 up, times all of a unit's weights. "
        "Which bias takes that away again? (Or normalise between the layers.)",
    )
    expect(ratio < 10, f"now the gradient explodes: {ratio:.0f} times as large in the first layer.")
    expect(
        spread > 1e-3,
        f"the gradients are fine, but the last layer's outputs differ by {spread:.0e} from input "
        "to input: it does not see them any more.",
    )
    return f"the first layer gets {ratio:.1f} times the last hidden layer's gradient."


def _look_inside(model: Any, x: Array, y: Array) -> tuple[list[Array], list[float]]:
    """Every sigmoid's outputs (inputs, units), and the norm of every weight matrix's gradient."""
    import torch

    if isinstance(model, torch.nn.Module):
        return _look_inside_torch(model, x, y)
    import keras
    import tensorflow as tf

    expect(
        isinstance(model, keras.Model),
        f"expected a PyTorch module or a Keras model, got {type(model).__name__}.",
    )
    hidden = [layer for layer in model.layers if _is_sigmoid(layer)]
    expect(hidden, "no layer with a sigmoid was found in the Keras model.")
    inner = keras.Model(model.inputs[0], [layer.output for layer in hidden])
    outputs = [np.asarray(output) for output in inner(x, training=True)]
    kernels = [v for v in model.trainable_variables if len(v.shape) == 2]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(y, model(x, training=True))
    found = tape.gradient(value, [v.value for v in kernels])
    return outputs, [float(np.linalg.norm(gradient)) for gradient in found]


def _is_sigmoid(layer: Any) -> bool:
    import keras

    return getattr(layer, "activation", None) is keras.activations.sigmoid


def _look_inside_torch(model: Any, x: Array, y: Array) -> tuple[list[Array], list[float]]:
    import torch

    outputs: list[Array] = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: outputs.append(output.detach().numpy()))
        for module in model.modules()
        if isinstance(module, torch.nn.Sigmoid)
    ]
    expect(hooks, "no nn.Sigmoid was found; use the module, not the function, so that we see it.")
    weights = [p for p in model.parameters() if p.dim() == 2]
    try:
        logits = model(torch.from_numpy(x))
    finally:
        for hook in hooks:
            hook.remove()
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(y))
    gradients = torch.autograd.grad(loss, weights)
    return outputs, [float(gradient.norm()) for gradient in gradients]
