"""Checkers of the chapter "SELU: a network that normalises itself"."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from actlab import data
from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import Array, Layer, Seen, mixes, numbers, watch
from actlab.exercises.own import own_rule, trained

ALPHA_PRIME = -SELU_SCALE * SELU_ALPHA
"""What SELU tends to on the left, and alpha dropout drops to."""
NORMALISED = (
    "in training, what becomes of an input hangs on the others in its batch: that is batch norm. "
    "SELU is to do without."
)
TOLERATED = 0.1  # of n · Var(w) from 1; a drawn layer's own standard deviation is at most 0.016


@checker("the answer must be the pair (scale, alpha)", calls=False)
def check_he_constants(answer: Any) -> str:
    """Exercise 6.1: (λ, α) for which He's start, n·Var(w) = 2, keeps mean 0 and variance 1."""
    wanted = "the answer must be the pair (scale, alpha)."
    expect(not callable(answer), f"{wanted} This is a function or a class: call it.")
    pair = numbers(answer).ravel()
    expect(pair.size == 2, wanted)
    expect(np.isfinite(pair).all(), f"{wanted} These are {pair}: the search went astray.")
    scale, alpha = pair.tolist()
    expect(
        not np.allclose([scale, alpha], [SELU_SCALE, SELU_ALPHA], atol=1e-3),
        "these are the paper's numbers, for weights of variance 1/n. Under He's start the "
        "pre-activations have variance 2.",
    )
    mean, square = _moments(scale, alpha, 2.0)
    for wrong, hint in (
        ((alpha, scale, 2.0), "right numbers, wrong order: first the scale λ, then α."),
        (
            (scale, alpha, 4.0),
            "you used 2 as the standard deviation of z; it is the variance.",
        ),
        (
            (scale, alpha / scale, 2.0),
            "you multiplied the two: the left side has λ · α as its factor, so α is that over λ.",
        ),
    ):
        other = _moments(*wrong)
        expect(
            max(abs(mean), abs(square - 1)) < 1e-3 or max(abs(other[0]), abs(other[1] - 1)) > 1e-3,
            hint,
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


def _moments(scale: float, alpha: float, variance: float) -> tuple[float, float]:
    """E[f(z)] and E[f(z)²] of λ · ELU(z; α) for z ~ N(0, variance), in closed form.

    From E[exp(k z); z < 0] = exp(k² variance / 2) Φ(−k √variance).
    """

    def left(k: int) -> float:
        deviation = math.sqrt(variance)
        return math.exp(k * k * variance / 2) * math.erfc(k * deviation / math.sqrt(2)) / 2

    mean = math.sqrt(variance / (2 * math.pi)) + alpha * (left(1) - left(0))
    square = variance / 2 + alpha**2 * (left(2) - 2 * left(1) + left(0))
    return scale * mean, scale**2 * square


@checker("expected an nn.Sequential or a Keras model")
def check_self_normalising(answer: Any) -> str:
    """Exercise 6.2: 64 inputs, eight hidden layers of 128 SELU units, alpha dropout, 10 logits.

    The answer is a module, a model or a function of 64 inputs. Every weight matrix is found as the
    affine map that takes one layer's outputs to the next one's inputs.
    """
    x = np.random.default_rng(0).standard_normal((257, 64)).astype(np.float32)
    seen = watch(answer, x, training=False)
    layers = seen.layers("selu")
    expect(
        [layer.after[0].size for layer in layers] == [128] * 8,
        "every hidden layer needs SELU: expected eight hidden ones of 128 such units, found "
        f"{[layer.after[0].size for layer in layers]}.",
    )
    logits = seen.output
    expect(logits.shape == (257, 10), f"expected 10 logits, got shape {logits.shape[1:]}.")
    sources = [x.astype(float), *(layer.after for layer in layers)]
    targets = [*(layer.before for layer in layers), logits]
    maps = [_affine(*pair) for pair in zip(sources, targets, strict=True)]
    expect(
        maps[-1].error < 0.01,
        "the last layer must give logits: between it and the last SELU there is no more than a "
        "weight matrix and a bias, no activation.",
    )
    for i, layer_map in enumerate(maps[:-1]):
        expect(
            layer_map.error < 0.01,
            f"in front of hidden layer {i + 1} there is more than a weight matrix and a bias: a "
            "normalisation, a connection that skips a layer? SELU is to do without.",
        )
    expect(not mixes(answer, x, "selu"), NORMALISED)
    expect(
        all(np.abs(layer_map.bias).max() < 0.01 for layer_map in maps),
        "some biases are not 0: PyTorch draws them at random unless you set them.",
    )
    # n · Var(w) of every hidden layer, to be 1.
    variances = [float(m.weight.var() * m.weight.shape[0]) for m in maps[:-1]]
    deep = float(np.mean(variances[1:]))
    for value, name in (
        (2.0, "He's initialisation, made for ReLU"),
        (9 / 16, "the gain 3/4 that calculate_gain('selu') returns"),
        (1 / 3, "PyTorch's default"),
        (128.0, "weights of variance 1, whatever their number"),
    ):
        expect(
            abs(deep / value - 1) > TOLERATED,
            f"the weights have n · Var(w) = {deep:.2f}: this is {name}. It has to be 1.",
        )
    expect(
        abs(variances[0] - 2 / 3) > 0.07 or abs(deep - 1) > TOLERATED,
        f"in the first layer n · Var(w) is {variances[0]:.2f}: Glorot's initialisation (Keras's "
        "default) averages the two widths. In the square layers it happens to be right, here not.",
    )
    expect(
        abs(variances[0] - 1 / 2) > 0.05 or abs(deep - 1) > TOLERATED,
        f"in the first layer n · Var(w) is {variances[0]:.2f}: it counts the 128 units it goes to "
        "(fan out), or is orthogonal. What counts are the 64 inputs it comes from.",
    )
    off = [i for i, value in enumerate(variances) if abs(value - 1) > TOLERATED]
    expect(
        not off,
        f"layer {off[0] + 1 if off else 0} has n · Var(w) = {variances[off[0]] if off else 0:.2f}; "
        "self-normalisation needs 1.",
    )
    _expect_alpha_dropout(watch(answer, x, training=True))
    return f"n · Var(w) is {min(variances):.2f} to {max(variances):.2f} in the hidden layers."


@checker("expected a PyTorch module or a Keras model, after training")
def check_trained_selu(answer: Any) -> str:
    """Exercise 6.3: eight hidden layers of SELU, trained on the digits without batch norm."""
    praise = trained(answer, "selu", layers=8)
    expect(not mixes(answer, data.load("digits").x_valid, "selu"), NORMALISED)
    return praise


@checker("the answer must be three things: rule, intact, broken", calls=False)
def check_break_rule(answer: Any) -> str:
    """Exercise 6.4: ``rule, intact, broken``: a rule of one's own and accuracies by seed."""
    return own_rule(answer, ("intact", "broken"), "what you broke was needed")


class _Affine(NamedTuple):
    """The best map y = x W + b; b and the error relative to the spread of y (b: at least 1)."""

    weight: Array
    bias: Array
    error: float


def _affine(x: Array, y: Array) -> _Affine:
    inputs = np.hstack([x, np.ones((len(x), 1))])
    gram: Array = inputs.T @ inputs
    solution: Array = np.linalg.pinv(gram, 1e-12, hermitian=True) @ (inputs.T @ y)
    spread = float(np.std(y))
    error = float(np.std(y - inputs @ solution)) / max(spread, 1e-30)
    return _Affine(solution[:-1], solution[-1] / max(spread, 1.0), error)


def _expect_alpha_dropout(seen: Seen) -> None:
    """Behind the layers of a call in training mode there is 5 % of alpha dropout, and no other."""
    layers = seen.layers("selu")
    ends = [*(layer.step for layer in layers[1:]), len(seen.steps)]
    drops = []
    for layer, end in zip(layers, ends, strict=True):
        later = [step.value for step in seen.steps[layer.step + 1 : end]]
        found = [_drop(layer, value) for value in later if value.shape == layer.after.shape]
        drops += [drop for drop in found if drop is not None][-1:]
    expect(drops, "there is no alpha dropout yet: nothing changes behind the SELUs in training.")
    for share, factor, offset, value in drops:
        expect(
            abs(value) > 1e-3,
            "plain dropout sets units to 0, which lies in the middle of SELU's range. The one that "
            "keeps mean and variance is called alpha dropout.",
        )
        expect(
            abs(value - offset - factor * ALPHA_PRIME) < 0.05,
            f"the dropout sends units to {value:.2f}; alpha dropout sends them to where SELU ends "
            "on the left, and then rescales all.",
        )
        expect(
            0.03 < share < 0.07, f"5 % of the right dropout were wanted, this drops {share:.0%}."
        )


def _drop(layer: Layer, value: Array) -> tuple[float, float, float, float] | None:
    """If ``value`` is the layer's output after a dropout: share, factor, offset, dropped value."""
    numbers, counts = np.unique(value, return_counts=True)
    dropped, share = float(numbers[counts.argmax()]), counts.max() / value.size
    kept = value != dropped
    if share < 1e-3 or kept.mean() < 1e-3:
        return None
    factor, offset = np.polyfit(layer.after[kept], value[kept], 1)
    fits = np.allclose(value[kept], factor * layer.after[kept] + offset, atol=0.02)
    return (float(share), float(factor), float(offset), dropped) if fits and factor > 0.1 else None
