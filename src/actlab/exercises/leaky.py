"""Checkers of the chapter "Leaky, parametric, randomised, thresholded"."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import limited
from actlab.exercises.observe import (
    Array,
    Seen,
    compare,
    curve,
    first,
    is_torch,
    numbers,
    watch,
    weights,
    write,
)
from actlab.exercises.own import own_rule

STEPS = 10  # enough to see a weak decay at a small learning rate, in float64
TRAINING = 120.0  # seconds that an answer may train
AWAKE = 0.8  # of unseen digits, where a network counts as awake


@checker("the answer must be a layer, a module or a function of x")
def check_ported_layer(answer: Any) -> str:
    """Exercise 4.1: the old layer ``tf.keras.layers.LeakyReLU()``, arguments left out, of today.

    The answer is an ``nn.Module``, a Keras layer, or a function of x.
    """
    x = np.array([-10.0, -1.0, -0.01, 0.0, 0.5, 7.0], np.float32)
    got, _ = curve(answer, x)
    slope = float(got[1] / x[1])
    compare(
        x,
        got,
        np.where(x > 0, x, 0.3 * x),
        (
            not np.allclose(got[3:], x[3:]),
            f"positive inputs must pass unchanged; for x = 7 you return {got[-1]:g}.",
        ),
        (
            np.isclose(slope, 0),
            "this is the plain ReLU; the old layer lets a part of the negative side by.",
        ),
        (
            np.isclose(slope, 0.01),
            "your slope is 0.01, PyTorch's default. The old code named no slope, so it used its "
            "own default: see the first section of the chapter.",
        ),
        (
            np.isclose(slope, 0.2),
            "your slope is 0.2, the default of the function keras.activations.leaky_relu. The old "
            "code used the layer.",
        ),
        (
            np.isclose(slope, -0.3),
            "the sign: a negative input stays negative, at 0.3 of its size.",
        ),
        (
            np.isclose(slope, 1 / 0.3, rtol=1e-2),
            "the slope is upside down: 0.3 of the negative side passes, not 1/0.3 of it.",
        ),
        (not np.isclose(slope, 0.3), f"expected the old layer's slope; yours is {slope:.3g}."),
        (not np.allclose(got[:3], slope * x[:3]), "the slope is not constant."),
    )
    return "the slope of the old layer, whatever today's default is."


@checker("expected an nn.Module or a Keras model")
def check_slope_per_channel(answer: Any) -> str:
    """Exercise 4.2: two convolutions of 16 and 32 channels, a PReLU after each, 48 slopes in all.

    The answer takes images (1, 28, 28) in PyTorch, (28, 28, 1) in Keras. Its weights are shaken,
    and the slopes that change are counted by the axes along which they differ.
    """
    shapeless = not getattr(answer, "built", True)
    image = (1, 28, 28) if is_torch(answer) else (28, 28, 1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((23, *image)).astype(np.float32)
    before = _slopes(watch(answer, x, training=False))
    for weight in weights(answer):
        old = numbers(weight)
        write(weight, old + rng.uniform(-0.15, 0.15, old.shape))
    after = _slopes(watch(answer, x, training=False))
    learned = {i: slope for i, slope in after if not any(_same(slope, old) for _, old in before)}
    counts = [_count(slope) for slope in learned.values()]
    expect(
        len(counts) == 2,
        f"expected two PReLU layers, one after each convolution, found {len(counts)}"
        + " that learn their slopes." * (len(after) > len(counts))
        + " (The model had no shape yet: begin with keras.Input((28, 28, 1)).)" * shapeless,
    )
    cure = "num_parameters" if is_torch(answer) else "shared_axes"
    expect(
        counts != [1, 1],
        "each layer has a single slope for all channels (PyTorch's default). They should have one "
        f"each: see {cure}.",
    )
    expect(
        max(counts) <= 32,
        f"{sum(counts):,} slopes: one for every pixel of every channel, Keras's default. Which "
        f"axes of (batch, height, width, channels) should share one? See {cure}.",
    )
    expect(
        counts != [32, 16],
        "one slope per channel, but the other way round: the first convolution has 16 channels, "
        "the second 32.",
    )
    expect(
        counts == [16, 32],
        f"expected 16 and 32 slopes, one per channel, found {counts[0]:,} and {counts[1]:,}.",
    )
    return "48 slopes, one per channel, at any image size."


def _slopes(seen: Seen) -> list[tuple[int, Array]]:
    """Wherever a step is an earlier one with its negatives scaled: which, and every place's factor.

    (NaN where no sample was negative.)
    """
    found = []
    steps = [step.value for step in seen.steps]
    for i, j in itertools.combinations(range(len(steps)), 2):
        before, after = steps[i], steps[j]
        if before.shape != after.shape or before.ndim < 2:
            continue
        positive, negative = before > 0, before < -1e-3 * np.abs(before).max()
        if not (positive.any() and negative.any()):
            continue
        if not np.allclose(after[positive], before[positive], 1e-3, 1e-5):
            continue
        factor = np.ma.masked_where(~negative, after / np.where(negative, before, 1))
        if not np.allclose(factor, 1) and np.ma.max(np.ma.ptp(factor, axis=0)) < 1e-2:
            found.append((i, np.ma.filled(factor.mean(axis=0), np.nan)))
    return found


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and not np.any(np.abs(a - b) > 1e-3)  # NaN is nothing to go by


def _count(slope: Array) -> int:
    """How many slopes there are: the places along all axes on which they differ."""
    known = np.ma.masked_invalid(slope)
    varies = [np.ma.max(np.ma.ptp(known, axis=axis)) > 1e-2 for axis in range(slope.ndim)]
    return math.prod(size for size, different in zip(slope.shape, varies, strict=True) if different)


@checker("the answer must be a function that takes the model")
def check_slopes_spared(answer: Any) -> str:
    """Exercise 4.3: ``make(model)`` returns an optimiser whose decay spares the slopes of PReLU.

    It is called with a small PyTorch model or with a small Keras model, whichever it takes.
    """
    before, after = _steps(answer, gradient=0.0)
    size = {
        name: float(np.linalg.norm(after[name]) / np.linalg.norm(before[name])) for name in before
    }
    shrunk = {name: ratio < 1 - 1e-9 for name, ratio in size.items()}
    slopes, weights, biases = (
        [name for name in before if kind in name] for kind in ("slope", "weight", "bias")
    )
    expect(
        all(np.isfinite(ratio) and ratio < 1 + 1e-9 for ratio in size.values()),
        "without any gradient some parameters grow: has the weight decay the wrong sign?",
    )
    expect(
        any(shrunk[name] for name in weights),
        "after some steps without any gradient the weights are as before: nothing decays. Give the "
        "optimiser a weight_decay (and, in PyTorch, all the parameters).",
    )
    expect(
        not any(shrunk[name] for name in slopes),
        "the slopes shrank: they decay with everything else. In PyTorch give them a parameter "
        "group of their own, in Keras see exclude_from_weight_decay.",
    )
    expect(
        all(np.allclose(after[name], before[name], 1e-9) for name in slopes),
        "the slopes changed without a gradient, although they did not shrink.",
    )
    expect(
        all(shrunk[name] for name in weights),
        "only a part of the weights decays: is a layer missing from the groups?",
    )
    expect(
        all(shrunk[name] for name in biases),
        "the weights decay and the slopes do not, but the biases are spared as well. Many do that; "
        "here everything but the slopes shall decay. (One axis is not what marks a slope.)",
    )
    before, after = _steps(answer, gradient=1.0)
    expect(
        not any(np.allclose(after[name], before[name], 1e-9) for name in slopes),
        "the slopes do not decay, but they do not learn either: the optimiser must know them.",
    )
    return "weights decay, slopes only learn."


def _steps(make: Any, gradient: float) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters before and after some steps in which every gradient is ``gradient``."""

    def attempt(bench: Callable[[], _Bench], method: str) -> tuple[dict[str, Array], ...]:
        model, parameters, step = bench()
        with limited():
            optimiser = make(model)
        if not hasattr(optimiser, method) and hasattr(optimiser, "apply"):
            raise TypeError("the optimiser is Keras's, the model PyTorch's")
        expect(
            hasattr(optimiser, method),
            f"the function must return an optimiser, it returned {type(optimiser).__name__}.",
        )
        before = {name: numbers(parameter) for name, parameter in parameters.items()}
        with limited():
            for _ in range(STEPS):
                step(optimiser, gradient)
        return before, {name: numbers(parameter) for name, parameter in parameters.items()}

    before, after = first(
        [lambda: attempt(_torch_bench, "step"), lambda: attempt(_keras_bench, "apply")]
    )
    return before, after


class _Bench(NamedTuple):
    """A small model in float64, its parameters by kind, and a step of an optimiser."""

    model: Any
    parameters: dict[str, Any]
    step: Callable[[Any, float], object]


def _torch_bench() -> _Bench:
    import torch
    from torch import nn

    model = nn.Sequential(
        *(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 4), nn.PReLU(), nn.Linear(4, 2))
    ).double()
    parameters = {
        f"{'slope' if isinstance(module, nn.PReLU) else name} {i}": parameter
        for i, module in enumerate(model)
        for name, parameter in module.named_parameters()
    }

    def step(optimiser: Any, gradient: float) -> None:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()

    return _Bench(model, parameters, step)


def _keras_bench() -> _Bench:
    from actlab.frameworks import keras as framework

    framework.start()
    import keras

    model = keras.Sequential([keras.Input((3,), dtype="float64")])
    for units in (4, 4, 2):
        model.add(keras.layers.Dense(units, bias_initializer="ones", dtype="float64"))
        if units == 4:
            quarter = keras.initializers.Constant(0.25)
            model.add(keras.layers.PReLU(alpha_initializer=quarter, dtype="float64"))
    kinds = {"kernel": "weight", "bias": "bias", "alpha": "slope"}
    parameters = {
        f"{kinds[variable.name]} {i}": variable
        for i, layer in enumerate(model.layers)
        for variable in layer.trainable_variables
    }

    def step(optimiser: Any, gradient: float) -> None:
        learned = model.trainable_variables
        optimiser.apply([keras.ops.full(v.shape, gradient, v.dtype) for v in learned], learned)

    return _Bench(model, parameters, step)


@checker("the answer must be a layer, a module or a function of x")
def check_ported_threshold(answer: Any) -> str:
    """Exercise 4.1: the old layer ``tf.keras.layers.ThresholdedReLU(theta=0.5)`` of today.

    The answer is an ``nn.Module``, a Keras layer, or a function of x.
    """
    x = np.array([-3.0, -0.1, 0.0, 0.25, 0.49, 0.51, 1.0, 2.0, 100.0], np.float32)
    got, _ = curve(answer, x)
    compare(
        x,
        got,
        catalog.get("thresholded_relu").reference(x, theta=0.5),
        (
            np.maximum(x - 0.5, 0),
            "this moves the curve: 1 becomes 0.5. What passes the threshold passes unchanged.",
        ),
        (
            np.maximum(x, 0),
            "this is the plain ReLU: 0.25 lies below the threshold and must become 0.",
        ),
        (
            np.maximum(x, 0.5),
            "what lies below the threshold becomes 0, not the threshold. PyTorch's Threshold takes "
            "both: threshold and value.",
        ),
        (np.where(x > 1, x, 0), "your threshold is 1, the old default; this layer had theta=0.5."),
        (
            np.where(np.abs(x) > 0.5, x, 0),
            "this cuts on both sides (hard shrink): −3 must become 0 as well.",
        ),
        (np.where(x > 0.5, 1, 0), "this is a step; above the threshold x itself passes, not 1."),
    )
    return "a jump at 0.5, the identity above it, 0 below."


# --- Training -------------------------------------------------------------------------------------

Convert = Callable[[npt.NDArray[Any]], Any]


@checker("the answer must be a function of a network, x and y")
def check_wake(answer: Any) -> str:
    """Exercise 4.4: ``wake(network, x, y)`` trains a sleeping network, which unseen digits test.

    It is called with three hidden layers of slope 0.01 and biases −8 in PyTorch or in Keras,
    whichever it takes; it trains them in place or returns a network.
    """
    digits = data.load("digits")
    x, x_test = digits.x_train.astype(float), digits.x_test.astype(float)
    y, y_test = digits.y_train, digits.y_test

    def attempt(sleeper: Callable[[], Any], convert: Convert) -> tuple[Array, bool]:
        network = sleeper()
        before = [numbers(weight) for weight in weights(network)]
        labels = convert(y) if is_torch(network) else y
        with limited(TRAINING):
            returned = answer(network, convert(x), labels)
        awake = returned if callable(getattr(returned, "state_dict", None)) else network
        awake = returned if hasattr(returned, "trainable_variables") else awake
        after = [numbers(weight) for weight in weights(awake)]
        same = len(before) == len(after) and all(map(np.array_equal, before, after))
        logits = _logits(awake, convert(x_test))
        return logits, same

    logits, same = first(
        [lambda: attempt(_torch_sleeper, _as_torch), lambda: attempt(_keras_sleeper, _as_keras)]
    )
    expect(
        logits.shape == (len(x_test), 10),
        f"the network answers {len(x_test)} digits with an array of shape {logits.shape}; expected "
        "ten numbers for each of them.",
    )
    expect(
        not same,
        "the network is as it was. Train the one that is given, or return yours.",
    )
    expect(
        np.isfinite(logits).all(),
        "the network answers with NaN or infinity: it has diverged. Try a smaller learning rate.",
    )
    share = float((logits.argmax(1) == y_test).mean())
    expect(
        share > 0.2,
        f"{share:.0%} of the unseen digits are right, no more than chance: it still sleeps. Plain "
        "gradient descent multiplies a gradient of next to nothing by the learning rate. Which "
        "optimiser divides the gradient by its own size first? (If yours does: a larger rate.)",
    )
    expect(
        share > AWAKE,
        f"it is waking up: {share:.0%} of the unseen digits are right, and more than {AWAKE:.0%} "
        "are asked for. Train for more epochs, or with a larger learning rate.",
    )
    return f"awake: {share:.0%} of the digits that it has not seen are right."


def _torch_sleeper() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(3):
        linear = nn.Linear(64, 64)
        nn.init.kaiming_normal_(linear.weight, a=0.01)
        nn.init.constant_(linear.bias, -8.0)
        layers += [linear, nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def _keras_sleeper() -> Any:
    from actlab.frameworks import keras as framework

    framework.start()
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(3):
        deep = keras.initializers.Constant(-8.0)
        dense = keras.layers.Dense(64, kernel_initializer="he_normal", bias_initializer=deep)
        model.add(dense)
        model.add(keras.layers.LeakyReLU(negative_slope=0.01))
    model.add(keras.layers.Dense(10))
    return model


def _as_torch(values: npt.NDArray[Any]) -> Any:
    import torch

    tensor = torch.from_numpy(values)
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def _as_keras(values: npt.NDArray[Any]) -> Any:
    import keras

    return values.astype(keras.config.floatx())


def _logits(network: Any, x: Any) -> Array:
    """What a trained network answers, in inference mode."""
    with limited():
        if is_torch(network):
            import torch

            parameter = next(network.parameters(), x)
            with torch.no_grad():
                return numbers(network.eval()(x.to(parameter.dtype)))
        return numbers(network(x, training=False))


# --- A rule of one's own --------------------------------------------------------------------------


@checker("the answer must be (rule, relu, leaky)", calls=False)
def check_leaky_rule(answer: Any) -> str:
    """Exercise 4.5: ``rule, relu, leaky``: a rule of one's own and the test errors of either."""
    return own_rule(answer, ("relu", "leaky"), "the leaky networks make fewer errors")
