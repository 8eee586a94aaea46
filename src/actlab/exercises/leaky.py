"""Checkers of the chapter "Leaky, parametric, randomised, thresholded"."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import catalog
from actlab.exercises.feedback import checker, expect, outputs

STEPS = 50  # enough to see a weak decay at a small learning rate in float32


@checker
def check_ported_layer(answer: Any) -> str:
    """Exercise 4.1: the old layer ``tf.keras.layers.LeakyReLU()``, arguments left out, of today.

    The answer is an ``nn.Module``, a Keras layer, or a function of x.
    """
    expect(
        not isinstance(answer, type),
        "this is a class; make one object of it, with its brackets and its slope.",
    )
    expect(callable(answer), "the answer must be a layer, a module or a function of x.")
    x = np.array([-10.0, -1.0, -0.01, 0.0, 0.5, 7.0], np.float32)
    got = outputs(answer, x)
    expect(got.shape == x.shape, f"expected the shape of the input {x.shape}, got {got.shape}.")
    expect(
        np.allclose(got[3:], x[3:]),
        f"positive inputs must pass unchanged; for x = 7 you return {got[-1]:g}.",
    )
    slope = float(got[1] / x[1])
    expect(slope != 0, "this is the plain ReLU; the old layer lets a part of the negative side by.")
    expect(
        not np.isclose(slope, 0.01),
        "your slope is 0.01, PyTorch's default. The old code named no slope, so it used its own "
        "default: which one, says the table at the top of the chapter.",
    )
    expect(
        not np.isclose(slope, 0.2),
        "your slope is 0.2, the default of the function keras.activations.leaky_relu. The old "
        "code used the layer.",
    )
    expect(np.isclose(slope, 0.3), f"expected the old layer's slope; yours is {slope:.3g}.")
    expect(np.allclose(got, np.where(x > 0, x, 0.3 * x), rtol=1e-5), "the slope is not constant.")
    return "the slope of the old layer, whatever today's default is."


@checker
def check_slope_per_channel(answer: Any) -> str:
    """Exercise 4.2: two convolutions of 16 and 32 channels, a PReLU after each, 48 slopes in all.

    The answer is an ``nn.Sequential`` for images (1, 28, 28) or a Keras model for (28, 28, 1).
    """
    import torch
    from torch import nn

    if isinstance(answer, nn.Module):
        units = [module for module in answer.modules() if isinstance(module, nn.PReLU)]
        counts = [unit.weight.numel() for unit in units]
        with torch.no_grad():
            answer(torch.zeros(2, 1, 28, 28))  # raises where the slopes do not fit the channels
        default, cure = 1, "num_parameters"
    else:
        import keras

        expect(
            isinstance(answer, keras.Model),
            f"expected an nn.Module or a Keras model, got {type(answer).__name__}.",
        )
        expect(answer.built, "the model has no shape yet: begin with keras.Input((28, 28, 1)).")
        layers = [layer for layer in answer.layers if isinstance(layer, keras.layers.PReLU)]
        counts = [int(np.prod(layer.alpha.shape)) for layer in layers]
        default, cure = 28 * 28, "shared_axes"
    expect(
        len(counts) == 2,
        f"expected two PReLU layers, one after each convolution, found {len(counts)}.",
    )
    expect(
        counts != [1, 1],
        "each layer has a single slope for all channels (PyTorch's default). They should have one "
        f"each: see {cure}.",
    )
    expect(
        max(counts) <= 32 or default == 1,
        f"{sum(counts):,} slopes: one for every pixel of every channel, Keras's default. Which "
        f"axes of (batch, height, width, channels) should share one? See {cure}.",
    )
    expect(
        counts == [16, 32],
        f"expected 16 and 32 slopes, one per channel, found {counts[0]:,} and {counts[1]:,}.",
    )
    return "48 slopes, one per channel, at any image size."


@checker
def check_slopes_spared(answer: Any) -> str:
    """Exercise 4.3: ``make(model)`` returns an optimiser whose decay spares the slopes of PReLU.

    It is called with a small PyTorch model or with a small Keras model, whichever it takes.
    """
    expect(callable(answer), "the answer must be a function that takes the model.")
    before, after = _steps(answer, gradient=0.0)
    slopes = [name for name in before if "slope" in name]
    weights = [name for name in before if "weight" in name]
    size = {
        name: float(np.linalg.norm(after[name]) / np.linalg.norm(before[name])) for name in before
    }
    shrunk = {name: ratio < 1 - 1e-6 for name, ratio in size.items()}
    same = {name: bool(np.allclose(after[name], before[name], rtol=1e-6)) for name in before}
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
        all(same[name] for name in slopes),
        "the slopes changed without a gradient, although they did not shrink.",
    )
    expect(
        all(shrunk[name] for name in weights),
        "only a part of the weights decays: is a layer missing from the groups?",
    )
    before, after = _steps(answer, gradient=1.0)
    expect(
        not any(np.allclose(after[name], before[name]) for name in slopes),
        "the slopes do not decay, but they do not learn either: the optimiser must know them.",
    )
    return "weights decay, slopes only learn."


def _steps(
    make: Any, gradient: float
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
    """Parameters before and after some steps in which every gradient is ``gradient``."""
    import torch
    from torch import nn

    torch_model = nn.Sequential(
        *(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 4), nn.PReLU(), nn.Linear(4, 2))
    )
    try:
        optimiser = make(torch_model)
    except AttributeError:  # it asks the model for what only a Keras model has
        return _keras_steps(make, gradient)
    expect(
        isinstance(optimiser, torch.optim.Optimizer) or hasattr(optimiser, "apply"),
        f"the function must return an optimiser, it returned {type(optimiser).__name__}.",
    )
    if not isinstance(optimiser, torch.optim.Optimizer):
        return _keras_steps(make, gradient)
    names: dict[str, torch.Tensor] = {}
    for i, module in enumerate(torch_model):
        if isinstance(module, nn.PReLU):
            names[f"slope{i}"] = module.weight
        elif isinstance(module, nn.Linear):
            names[f"weight{i}"] = module.weight
    before = {name: p.detach().numpy().copy() for name, p in names.items()}
    for _ in range(STEPS):
        for parameter in torch_model.parameters():
            parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()
    return before, {name: p.detach().numpy().copy() for name, p in names.items()}


def _keras_steps(
    make: Any, gradient: float
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
    import keras

    model = keras.Sequential([keras.Input((3,))])
    for units in (4, 4):
        model.add(keras.layers.Dense(units))
        model.add(keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25)))
    model.add(keras.layers.Dense(2))
    optimiser = make(model)
    expect(
        isinstance(optimiser, keras.Optimizer),
        f"the function must return an optimiser, it returned {type(optimiser).__name__}.",
    )
    names = {}
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.PReLU):
            names[f"slope{i}"] = layer.alpha
        else:
            names[f"weight{i}"] = layer.kernel
    before = {name: np.array(variable) for name, variable in names.items()}
    variables = model.trainable_variables
    for _ in range(STEPS):
        optimiser.apply([keras.ops.full(v.shape, gradient) for v in variables], variables)
    return before, {name: np.array(variable) for name, variable in names.items()}


@checker
def check_ported_threshold(answer: Any) -> str:
    """Exercise 4.4: the old layer ``tf.keras.layers.ThresholdedReLU(theta=0.5)`` of today.

    The answer is an ``nn.Module``, a Keras layer, or a function of x.
    """
    expect(
        not isinstance(answer, type),
        "this is a class; make one object of it, with its brackets and its arguments.",
    )
    expect(callable(answer), "the answer must be a layer, a module or a function of x.")
    x = np.array([-3.0, -0.1, 0.0, 0.25, 0.49, 0.51, 1.0, 2.0, 100.0], np.float32)
    expected = catalog.get("thresholded_relu").reference(x, theta=0.5)
    got = outputs(answer, x)
    expect(got.shape == x.shape, f"expected the shape of the input {x.shape}, got {got.shape}.")
    expect(
        not np.allclose(got, np.maximum(x - 0.5, 0)),
        "this moves the curve: 1 becomes 0.5. What passes the threshold passes unchanged.",
    )
    expect(
        not np.allclose(got, np.maximum(x, 0)),
        "this is the plain ReLU: 0.25 lies below the threshold and must become 0.",
    )
    expect(
        not np.allclose(got, np.where(x > 0.5, x, 0.5)),
        "what lies below the threshold becomes 0, not the threshold. PyTorch's Threshold takes "
        "both: threshold and value.",
    )
    expect(
        not np.allclose(got, np.where(x > 1, x, 0)),
        "your threshold is 1, the old default; this layer had theta=0.5.",
    )
    wrong = ~np.isclose(got, expected)
    expect(
        not wrong.any(),
        f"for x = {x[wrong][:1]} expected {expected[wrong][:1]}, got {got[wrong][:1]}.",
    )
    return "a jump at 0.5, the identity above it, 0 below."
