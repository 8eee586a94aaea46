"""Checkers of the chapter "ELU, CELU, SELU: self-normalisation"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from actlab.exercises.feedback import checker, expect

Array = npt.NDArray[np.float64]


@checker
def check_he_constants(answer: Any) -> str:
    """Exercise 5.1: (λ, α) for which He's start, n·Var(w) = 2, keeps mean 0 and variance 1."""
    from actlab.claims.elu_selu import gaussian_mean

    expect(
        isinstance(answer, Sequence | np.ndarray) and len(answer) == 2,
        "the answer must be the pair (scale, alpha).",
    )
    scale, alpha = (float(number) for number in answer)
    expect(
        not np.allclose([scale, alpha], [SELU_SCALE, SELU_ALPHA], atol=1e-3),
        "these are the paper's numbers, for weights of variance 1/n. Under He's start the "
        "pre-activations have variance 2.",
    )

    def moments(scale: float, alpha: float, variance: float = 2.0) -> tuple[float, float]:
        def f(z: Array) -> Array:
            return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))

        return float(gaussian_mean(f, variance)), float(
            gaussian_mean(lambda z: f(z) ** 2, variance)
        )

    mean, square = moments(scale, alpha)
    if max(abs(mean), abs(square - 1)) > 1e-3:
        swapped = moments(alpha, scale)
        expect(
            max(abs(swapped[0]), abs(swapped[1] - 1)) > 1e-3,
            "right numbers, wrong order: first the scale λ, then α.",
        )
        halved = moments(scale, alpha, 4.0)
        expect(
            max(abs(halved[0]), abs(halved[1] - 1)) > 1e-3,
            "you used 2 as the standard deviation of z; it is the variance.",
        )
    expect(
        abs(mean) < 1e-3,
        f"with these two the mean of the output is {mean:+.4f} instead of 0. The mean does not "
        "depend on the scale: so it is alpha that is off.",
    )
    expect(
        abs(square - 1) < 1e-3,
        f"the mean is 0, but the mean square is {square:.4f} instead of 1. Which number multiplies "
        "the whole function?",
    )
    return f"mean {abs(mean):.1g} and mean square {square:.4f} under He's start."


@checker
def check_safe_elu(answer: Any) -> str:
    """Exercise 5.2: ELU (α = 1) by hand, with gradients that are never NaN, in either framework."""
    expect(callable(answer), "the answer must be a function of x.")
    x = np.array([-200.0, -30.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 80.0, 100.0, 1e4], np.float32)
    y, slope = _values_and_slopes(answer, x)
    exact = np.where(x > 0, x, np.expm1(np.minimum(x, 0).astype(np.float64)))
    expect(y.shape == x.shape, f"expected the shape of the input {x.shape}, got {y.shape}.")
    expect(
        not np.isnan(y).any(),
        f"the output is NaN at x = {x[np.isnan(y)][:1]}: inf − inf, or 0 · inf?",
    )
    expect(
        not np.isnan(slope).any(),
        f"the gradient is NaN at x = {x[np.isnan(slope)][:1]}. The branch that 'where' does not "
        "choose is computed all the same, and backwards its infinite slope meets a 0. Make its "
        "*input* harmless: what can you do to x before it enters the exponential?",
    )
    expect(not np.allclose(y, np.maximum(x, 0)), "this is ReLU: the negative side is missing.")
    expect(abs(y[0] + 1) < 1e-3, f"far to the left ELU returns −1 for α = 1, you return {y[0]:g}.")
    expect(
        abs(y[3] / exact[3] - 1) < 1e-3,
        f"at x = −0.000001 you return {y[3]:.4g}, ELU is {exact[3]:.4g}: exp(x) − 1 loses the "
        "digits of small numbers. There is a function made for it.",
    )
    wrong = ~np.isclose(y, exact, rtol=1e-5, atol=1e-7)
    expect(
        not wrong.any(), f"at x = {x[wrong][:1]} expected {exact[wrong][:1]}, got {y[wrong][:1]}."
    )
    right_slope = np.where(x > 0, 1.0, np.exp(np.minimum(x, 0).astype(np.float64)))
    away = x != 0
    wrong = away & ~np.isclose(slope, right_slope, rtol=1e-4, atol=1e-6)
    expect(
        not wrong.any(),
        f"the output is right, but at x = {x[wrong][:1]} the gradient is {slope[wrong][:1]} "
        f"instead of {right_slope[wrong][:1]}.",
    )
    return "the right values, small ones to the last digits, and no NaN on the way back."


@checker
def check_self_normalising(answer: Any) -> str:
    """Exercise 5.3: 64 inputs, eight hidden layers of 128 SELU units, alpha dropout, 10 logits.

    The answer is an ``nn.Sequential`` or a Keras model.
    """
    parts = _parts(answer)
    sizes = [weight.shape for weight in parts.weights]
    expect(
        sizes == [(64, 128), *[(128, 128)] * 7, (128, 10)],
        f"expected layers 64 → 128 → … → 128 → 10 with eight hidden ones, found {sizes}.",
    )
    hidden, last = parts.activations[:-1], parts.activations[-1]
    expect(
        all(name == "selu" for name in hidden),
        f"every hidden layer needs SELU, found {sorted(set(hidden) - {'selu'})}.",
    )
    expect(last == "linear", f"the last layer must give logits: no activation there, found {last}.")
    expect(
        "Dropout" not in parts.dropouts,
        "plain dropout sets units to 0, which lies in the middle of SELU's range. The one that "
        "keeps mean and variance is called alpha dropout.",
    )
    expect("AlphaDropout" in parts.dropouts, "there is no alpha dropout yet.")
    expect(
        all(np.abs(bias).max() < 1e-6 for bias in parts.biases),
        "some biases are not 0: PyTorch draws them at random unless you set them.",
    )
    # n · Var(w) of every hidden layer, to be 1.
    variances = [float(weight.var() * weight.shape[0]) for weight in parts.weights[:-1]]
    deep = float(np.mean(variances[1:]))
    for value, name in (
        (2.0, "He's initialisation, made for ReLU"),
        (9 / 16, "the gain 3/4 that calculate_gain('selu') returns"),
        (1 / 3, "PyTorch's default"),
    ):
        expect(
            abs(deep / value - 1) > 0.1,
            f"the weights have n · Var(w) = {deep:.2f}: this is {name}. It has to be 1.",
        )
    expect(
        abs(variances[0] - 2 / 3) > 0.07 or abs(deep - 1) > 0.1,
        f"in the first layer n · Var(w) is {variances[0]:.2f}: Glorot's initialisation (Keras's "
        "default) averages the two widths. In the square layers it happens to be right, here not.",
    )
    off = [i for i, value in enumerate(variances) if abs(value - 1) > 0.1]
    expect(
        not off,
        f"layer {off[0] + 1 if off else 0} has n · Var(w) = {variances[off[0]] if off else 0:.2f}; "
        "self-normalisation needs 1.",
    )
    return f"n · Var(w) is {min(variances):.2f} to {max(variances):.2f} in the hidden layers."


@dataclass(frozen=True)
class _Parts:
    """Weights (in, out) and biases of the linear layers, activations behind them, dropouts."""

    weights: list[Array]
    biases: list[Array]
    activations: list[str]
    dropouts: list[str]


def _parts(model: Any) -> _Parts:
    from torch import nn

    if isinstance(model, nn.Sequential):
        return _torch_parts(model)
    import keras

    expect(
        isinstance(model, keras.Model),
        f"expected an nn.Sequential or a Keras model, got {type(model).__name__}.",
    )
    parts = _Parts([], [], [], [])
    for layer in model.layers:
        name = type(layer).__name__
        if isinstance(layer, keras.layers.Dense):
            expect(layer.built, "the model has no weights yet: give it an Input of 64 features.")
            parts.weights.append(np.asarray(layer.kernel, dtype=np.float64))
            parts.biases.append(np.asarray(layer.bias, dtype=np.float64))
            parts.activations.append(layer.activation.__name__)
        elif isinstance(layer, keras.layers.Activation) and parts.activations:
            parts.activations[-1] = layer.activation.__name__
        elif "Dropout" in name:
            parts.dropouts.append(name)
    return parts


def _torch_parts(model: Any) -> _Parts:
    from torch import nn

    parts = _Parts([], [], [], [])
    for module in model:
        name = type(module).__name__
        if isinstance(module, nn.Linear):
            parts.weights.append(module.weight.detach().double().numpy().T)
            parts.biases.append(module.bias.detach().double().numpy())
            parts.activations.append("linear")
        elif "Dropout" in name:
            parts.dropouts.append("AlphaDropout" if "Alpha" in name else "Dropout")
        elif parts.activations:
            parts.activations[-1] = name.lower()
    return parts


def _values_and_slopes(function: Any, x: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """f(x) and f'(x) as the framework gives them in which the function is written."""
    from actlab.frameworks import keras, torch

    try:
        return torch.evaluate(function, x, "float32"), torch.differentiate(function, x, "float32")
    except Exception as error:
        first = error
    try:
        return keras.evaluate(function, x, "float32"), keras.differentiate(function, x, "float32")
    except Exception:
        raise first from None
