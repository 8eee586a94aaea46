"""Checkers of the chapter "The same network, twice"."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises.decision import expect_a_difference, pair, said
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import (
    Array,
    is_keras,
    is_torch,
    numbers,
    run,
    watch,
)

LAYERS = ("relu", "tanh", "gelu", "leaky_relu")
SLOPE = 0.07  # of the leaky ReLU: the default of neither framework
WIDTH = 6
CLOSE = 2e-5  # of the largest output: many times the rounding of float32, and less than a
# twentieth of what separates the two GELUs


@checker("the answer must be a function that gets a model and returns its twin")
def check_port(answer: Any) -> str:
    """Exercise 20.1: an ``nn.Sequential`` to Keras, or a Keras ``Sequential`` to PyTorch.

    Four dense layers of equal width, so that a kernel fits both ways round, each followed by one
    of the four activations, and a last one.
    """
    rng = np.random.default_rng(0)
    layers = [
        (rng.normal(0, 0.7, (WIDTH, WIDTH)), rng.normal(0, 0.5, WIDTH)) for _ in range(len(LAYERS))
    ]
    layers.append((rng.normal(0, 0.7, (3, WIDTH)), rng.normal(0, 0.5, 3)))
    x = rng.normal(0, 1.5, (101, WIDTH)).astype(np.float32)
    found, to = _ported(answer, layers)
    got = watch(found, x, training=False).output
    right = _outputs(layers, x)
    expect(
        got.shape == right.shape,
        f"for {len(x)} inputs expected outputs of shape {right.shape}, got {got.shape}. Is a layer "
        "missing?",
    )

    def near(other: Array) -> bool:
        return float(np.abs(got - other).max()) < CLOSE * float(np.abs(right).max())

    if near(right):
        return f"the twin in {to} computes the same, up to rounding."
    turned = [(w.T, b) if w.shape[0] == w.shape[1] else (w, b) for w, b in layers]
    bare = [(w, 0 * b) for w, b in layers]
    slopes = {0.01: "PyTorch's", 0.2: "an older Keras's", 0.3: "Keras's"}
    for wrong, hint in (
        (
            _outputs(turned, x),
            "the square weight matrices lie the wrong way round: (out, in) in PyTorch, (in, out) "
            "in Keras. They fit both ways, so nobody complains.",
        ),
        (_outputs(bare, x), "the biases have got lost on the way: they are 0 in your twin."),
        (
            _outputs(layers, x, activations=False),
            "the activations have got lost: your twin is linear.",
        ),
        *(
            (
                _outputs(layers, x, slope=slope),
                f"the leaky ReLU has a slope of {slope}: {whose} default. The model that was "
                "given has another.",
            )
            for slope, whose in slopes.items()
        ),
        (
            _outputs(layers, x, gelu="gelu_tanh"),
            "this is GELU's approximation by tanh. The original computes the exact one.",
        ),
        (
            _outputs(layers, x, gelu="relu"),
            "where the original has GELU, your twin has ReLU.",
        ),
        (
            _outputs(layers, x, gelu="silu"),
            "where the original has GELU, your twin has SiLU.",
        ),
    ):
        expect(not near(wrong), hint)
    raise Wrong(
        f"the outputs differ by up to {np.abs(got - right).max():.2g}. Compare layer by layer: the "
        "first that differs has the mistake."
    )


def _ported(answer: Any, layers: list[tuple[Array, Array]]) -> tuple[Any, str]:
    """What the answer makes of the model in PyTorch, or else of the one in Keras."""
    problems: list[Wrong] = []
    for make, is_twin, to, own in (
        (_in_torch, is_keras, "Keras", is_torch),
        (_in_keras, is_torch, "PyTorch", is_keras),
    ):
        try:
            found = run(answer, make(layers))
        except Wrong as problem:
            problems.append(problem)
            continue
        if is_twin(found) or (callable(found) and not own(found)):
            return found, to
        problems.append(
            Wrong(
                f"expected a model in {to}, got {type(found).__name__}"
                + (", of the framework it came from." if own(found) else ".")
            )
        )
    # A port for one direction fails in the other at once: the longer story is the one to tell.
    told = [problem for problem in problems if "expected a model" in str(problem)] or problems
    raise told[0] if len(told) == 1 else Wrong(f"{_both(told)}")


def _both(told: list[Wrong]) -> str:
    from_torch, from_keras = (str(problem).removesuffix(" Mend that first.") for problem in told)
    return (
        f"given the PyTorch model: {from_torch} Given the Keras model: {from_keras} One of the two "
        "directions is enough; mend that one."
    )


def _in_torch(layers: list[tuple[Array, Array]]) -> Any:
    import torch
    from torch import nn

    kinds: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "gelu": nn.GELU,
        "leaky_relu": lambda: nn.LeakyReLU(SLOPE),
    }
    modules: list[nn.Module] = []
    for i, (weight, bias) in enumerate(layers):
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float32)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules.append(linear)
        if i < len(LAYERS):
            modules.append(kinds[LAYERS[i]]())
    return nn.Sequential(*modules)


def _in_keras(layers: list[tuple[Array, Array]]) -> Any:
    import keras

    model = keras.Sequential([keras.Input((WIDTH,), dtype="float32")])
    for i, (weight, bias) in enumerate(layers):
        dense = keras.layers.Dense(weight.shape[0], dtype="float32")
        model.add(dense)
        dense.set_weights([weight.T, bias])
        if i < len(LAYERS):
            model.add(
                keras.layers.LeakyReLU(negative_slope=SLOPE)
                if LAYERS[i] == "leaky_relu"
                else keras.layers.Activation(LAYERS[i])
            )
    return model


def _outputs(
    layers: list[tuple[Array, Array]],
    x: npt.NDArray[Any],
    *,
    slope: float = SLOPE,
    gelu: str = "gelu",
    activations: bool = True,
) -> Array:
    h: Array = x.astype(np.float64)
    for i, (weight, bias) in enumerate(layers):
        h = h @ weight.T + bias
        if i < len(LAYERS) and activations:
            name = gelu if LAYERS[i] == "gelu" else LAYERS[i]
            given = {"negative_slope": slope} if name == "leaky_relu" else {}
            h = np.asarray(catalog.get(name).reference(h, **given))
    return h


# --- One training, twice --------------------------------------------------------------------------

RATE, MOMENTUM = 0.05, 0.9
Layers = list[tuple[Array, Array]]


class Variant(NamedTuple):
    """A training by hand, right by default; the others are what people do instead."""

    momentum: float = MOMENTUM
    nesterov: bool = False
    after: bool = False  # the loss of a batch is taken after its step
    activation: str = "tanh"
    total: bool = False  # the sum over the batch instead of the mean
    softmax_twice: bool = False
    rate: float = RATE


@checker("the answer must be a function of (weights, batches)")
def check_retrace(answer: Any) -> str:
    """Exercise 20.2: train from given weights on given batches; return the loss of each.

    The same training is done here in NumPy, by hand, in double precision.
    """
    rng = np.random.default_rng(1)
    sizes = (5, 8, 8, 3)
    weights = [
        (rng.normal(0, 0.8, (o, i)).astype(np.float32), rng.normal(0, 0.4, o).astype(np.float32))
        for i, o in itertools.pairwise(sizes)
    ]
    batches = [
        (rng.normal(0, 1, (16, 5)).astype(np.float32), rng.integers(0, 3, 16)) for _ in range(25)
    ]
    given = [(w.copy(), b.copy()) for w, b in weights], [(x.copy(), y.copy()) for x, y in batches]
    _warm_up()
    value = run(answer, *given)
    losses = numbers(value).ravel()
    expect(
        losses.size == len(batches),
        f"for {len(batches)} batches expected as many losses, got {losses.size}: one for each "
        "batch, before its step.",
    )
    right = trace(weights, batches)

    def near(other: Array) -> bool:
        return np.allclose(losses, other, rtol=2e-4, atol=2e-4)

    if near(right):
        return f"all {len(batches)} losses agree, from {right[0]:.3f} to {right[-1]:.3f}."
    turned = [(w.T if w.shape[0] == w.shape[1] else w, b) for w, b in weights]
    bare = [(w, 0 * b) for w, b in weights]
    for wrong, hint in (
        (
            trace(turned, batches),
            "the square weight matrix of the second layer lies the wrong way round. W has the "
            "shape (out, in).",
        ),
        (trace(bare, batches), "the biases were not copied: they start at 0 in your network."),
        (
            trace(weights, batches, Variant(after=True)),
            "you note each loss after its step; noted before, it is what the step is made from.",
        ),
        (
            trace(weights, batches, Variant(momentum=0.0)),
            "this is SGD without momentum.",
        ),
        (
            trace(weights, batches, Variant(nesterov=True)),
            "this is Nesterov's momentum; plain momentum was used.",
        ),
        (
            trace(weights, batches, Variant(activation="relu")),
            "the hidden layers have ReLU; they had tanh.",
        ),
        (
            trace(weights, batches, Variant(activation="linear")),
            "the hidden layers have no activation; they had tanh.",
        ),
        (
            trace(weights, batches, Variant(total=True)),
            "your loss is the sum over the batch, and so is your gradient; the mean was used.",
        ),
        (
            trace(weights, batches, Variant(softmax_twice=True)),
            "a softmax too many: the loss takes logits and applies one itself.",
        ),
        (
            trace(weights, batches, Variant(rate=0.01)),
            "the learning rate is 0.01, Keras's default; 0.05 was used.",
        ),
        (
            np.cumsum(right) / np.arange(1, len(right) + 1),
            "each of your losses is the mean of all so far: what Keras reports until its metrics "
            "are reset.",
        ),
        (
            np.full(len(batches), right[0]) if np.ptp(losses) == 0 else right * np.nan,
            "the loss never changes: is there a step?",
        ),
    ):
        expect(not near(wrong), hint)
    still = trace(weights, batches, Variant(rate=0.0))
    expect(not near(still), "these are the losses of a network that never takes a step.")
    expect(
        np.isclose(losses[0], right[0], rtol=1e-3),
        f"the first loss should be {right[0]:.4f}, got {losses[0]:.4f}, and no step was taken yet: "
        "so it is the weights that did not arrive, or the loss is another one.",
    )
    at = int(np.argmax(~np.isclose(losses, right, rtol=2e-4, atol=2e-4)))
    raise Wrong(
        f"the weights arrived, the losses agree up to batch {at}; then {right[at]:.4f} was "
        f"expected, got {losses[at]:.4f}. So the steps differ: rate, momentum, order of batches?"
    )


def _warm_up() -> None:
    """The first optimiser loads PyTorch's compiler: seconds that are not the answer's."""
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE).step()


def trace(
    weights: Any, batches: list[tuple[Any, Any]], how: Variant | None = None
) -> npt.NDArray[np.float64]:
    """The losses of tanh layers trained by SGD with momentum, by hand: (batches,).

    Forward h = f(h Wᵀ + b), backward the chain rule, then v ← μ v + g and w ← w − η v.
    """
    how = how or Variant()
    layers = [(np.array(w, np.float64), np.array(b, np.float64)) for w, b in weights]
    speed = [(np.zeros_like(w), np.zeros_like(b)) for w, b in layers]
    losses = []
    for x, y in batches:
        loss, gradients = _loss_and_gradients(layers, np.asarray(x, np.float64), y, how)
        for layer, velocity, gradient in zip(layers, speed, gradients, strict=True):
            for i in range(2):
                velocity[i][...] = how.momentum * velocity[i] + gradient[i]
                look = gradient[i] + how.momentum * velocity[i] if how.nesterov else velocity[i]
                layer[i][...] -= how.rate * look
        if how.after:
            loss, _ = _loss_and_gradients(layers, np.asarray(x, np.float64), y, how)
        losses.append(loss)
    return np.array(losses)


def _loss_and_gradients(layers: Layers, x: Array, y: Any, how: Variant) -> tuple[float, Layers]:
    record = catalog.get(how.activation)
    inputs, sums = [x], []
    for i, (weight, bias) in enumerate(layers):
        sums.append(inputs[-1] @ weight.T + bias)
        if i < len(layers) - 1:
            inputs.append(np.asarray(record.reference(sums[-1])))
    scale = 1.0 if how.total else 1 / len(y)
    share = _softmax(sums[-1])
    if how.softmax_twice:
        second = _softmax(share)
        loss = -np.log(second[np.arange(len(y)), y]).sum() * scale
        down = (second - np.eye(share.shape[1])[y]) * scale
        down = share * (down - (down * share).sum(1, keepdims=True))
    else:
        loss = -np.log(share[np.arange(len(y)), y]).sum() * scale
        down = (share - np.eye(share.shape[1])[y]) * scale
    gradients: Layers = []
    for i in reversed(range(len(layers))):
        gradients.append((down.T @ inputs[i], down.sum(0)))
        if i:
            down = (down @ layers[i][0]) * np.asarray(record.derivative(sums[i - 1]))
    return float(loss), gradients[::-1]


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(1, keepdims=True))
    result: Array = e / e.sum(1, keepdims=True)
    return result


# --- No difference --------------------------------------------------------------------------------


@checker("the answer must be the pair (rule, difference)", calls=False)
def check_no_difference(answer: Any) -> str:
    """Exercise 20.3: a rule for "no difference", with a margin of its own, and an interval.

    It is tried on invented intervals: all of it within the margin, all outside, on both sides.
    """
    rule, difference = pair(answer, "difference")
    for middle, word, why in (
        (0.0, "holds", "no difference at all, sure to the last digit"),
        (50.0, "refuted", "50 points of difference, sure to the last digit"),
        (-50.0, "refuted", "50 points the other way round, sure to the last digit"),
    ):
        told = said(rule, middle - 1e-9, middle, middle + 1e-9)
        expect(
            told == word,
            f"{why}, and your rule says '{told}' instead of '{word}'. The claim is that it makes "
            "*no* difference.",
        )
    margin = _margin(rule)
    for low, high in ((-30.0, 30.0), (-30.0, 0.1 * margin), (-0.1 * margin, 30.0)):
        word = said(rule, low, (low + high) / 2, high)
        expect(
            word != "holds",
            f"for the interval [{low:.2g}, {high:.2g}] your rule says 'holds', though 20 points of "
            "difference are in it. That 0 lies inside shows nothing: a run of three networks would "
            "'prove' every claim of this kind. The whole interval must be small.",
        )
        expect(
            word != "refuted",
            f"for the interval [{low:.2g}, {high:.2g}] your rule says 'refuted', though no "
            "difference at all is in it too. Not to have shown it is not to have shown the "
            "opposite.",
        )
    inside = said(rule, -0.4 * margin, 0.0, 0.4 * margin)
    expect(
        inside == "holds",
        f"your margin is {margin:.2g} points, the whole interval [{-0.4 * margin:.2g}, "
        f"{0.4 * margin:.2g}] lies within, and your rule says '{inside}'.",
    )
    for low, high in ((31.0, 45.0), (-45.0, -31.0)):
        outside = said(rule, low, (low + high) / 2, high)
        expect(
            outside == "refuted",
            f"the whole interval [{low:.2g}, {high:.2g}] lies outside of every margin, and your "
            f"rule says '{outside}'.",
        )
    expect_a_difference(difference, "difference")
    word = said(rule, difference.low, difference.mean, difference.high, difference)
    return (
        f"within {margin:.2g} points counts as none; measured {difference.mean:.2g} "
        f"[{difference.low:.2g}, {difference.high:.2g}]: {word}, by your rule and in your run."
    )


def _margin(rule: Any) -> float:
    """Up to which difference a narrow interval holds; more than 0 and at most 30 points."""
    ends = []
    for sign in (1, -1):
        low, high = 0.0, 50.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            at = sign * middle
            if said(rule, at - 1e-9, at, at + 1e-9) == "holds":
                low = middle
            else:
                high = middle
        ends.append(low)
    margin = min(ends)
    expect(
        margin > 1e-4,
        "your rule lets no difference pass, however small, and no interval is ever that narrow: "
        "name a margin, below which a difference is none to you.",
    )
    expect(
        max(ends) <= 30,
        f"your margin is {max(ends):.2g} points of accuracy. Choose one that a difference could "
        "exceed.",
    )
    return margin
