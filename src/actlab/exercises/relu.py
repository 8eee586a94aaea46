"""Checkers of the chapter "ReLU, and who killed it"."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import catalog
from actlab.exercises.feedback import checker, expect, outputs


@checker
def check_dead_share(answer: Any) -> str:
    """Exercise 2.1: a function from activations (inputs, units) to the share of dead units."""
    expect(callable(answer), "the answer must be a function; leave out the brackets of the call.")
    dying = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.0, 0.0]])
    share = _number(answer(dying))
    expect(
        share != 0.75,
        "this is the share of zeros among all activations. A unit that rests on most inputs is "
        "not dead; it is dead if it is zero on every input.",
    )
    expect(
        share != 0.0,
        "no unit was found dead, but units 0 and 2 are zero on all three inputs. Inputs are the "
        "rows here and units the columns: along which axis do you ask 'all'?",
    )
    expect(share != 2, "this is the number of dead units; the share divides it by all units.")
    expect(share == 0.5, f"expected 0.5 (2 of 4 units are zero on every input), got {share:g}.")
    alive = np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    share = _number(answer(alive))
    expect(
        share == 0.0,
        f"every unit fires on the second input, so nothing is dead, but you found {share:g}. "
        "'Zero on some input' is not 'zero on every input'.",
    )
    cancelling = np.array([[1.0, 0.0], [-1.0, 0.0]])
    expect(
        _number(answer(cancelling)) == 0.5,
        "a unit with outputs +1 and -1 (a leaky one, say) was counted dead: a mean or a sum of 0 "
        "does not mean that every output is 0.",
    )
    return "zero on every input, counted per unit, divided by the units."


@checker
def check_born_alive(answer: Any) -> str:
    """Exercise 2.2: ten hidden layers of 64 units (PyTorch or Keras), born alive.

    The answer is an ``nn.Sequential`` or a Keras model that takes 64 inputs.
    """
    x = np.random.default_rng(0).standard_normal((2000, 64)).astype(np.float32)
    layers = _hidden_outputs(answer, x)
    expect(
        len(layers) == 10,
        f"expected ten ReLU layers, found {len(layers)}; keep the architecture, change the start.",
    )
    expect(
        all(layer.shape[1] == 64 for layer in layers),
        f"expected 64 units in every layer, found {[layer.shape[1] for layer in layers]}.",
    )
    dead = float(np.mean([np.all(layer == 0, axis=0).mean() for layer in layers[5:]]))
    # How much the last layer's answer depends on the input at all.
    relative = float(layers[-1].std(0).mean() / max(abs(layers[-1].mean()), 1e-30))
    expect(
        dead < 0.15,
        f"{dead:.0%} of the units in layers 6 to 10 are dead. Compare the spread of the signal "
        "that reaches them with the size of their biases: which of the two should go?",
    )
    expect(
        relative > 0.2,
        f"few units are dead, but in the last layer the outputs differ by only {relative:.1%} of "
        "their mean from input to input: the biases still drown the signal.",
    )
    return f"{dead:.0%} dead in layers 6 to 10, and the last layer still sees its input."


@checker
def check_ported_relu(answer: Any) -> str:
    """Exercise 2.3: the old call ``relu(x, alpha=0.1, max_value=6, threshold=1)`` of today.

    The answer is a function of a NumPy array, PyTorch tensor or Keras tensor.
    """
    expect(callable(answer), "the answer must be a function of x.")
    # Not the threshold itself: there Keras's code gives 0 where its documentation says x.
    x = np.array([-2.0, -0.5, 0.0, 0.5, 0.999, 1.001, 2.0, 5.999, 6.0, 7.0, 100.0], np.float32)
    # Keras: x from the threshold on, clipped from above; alpha * (x - threshold) below it.
    expected = np.where(x >= 1, np.minimum(x, 6), 0.1 * (x - 1))
    got = outputs(answer, x)
    expect(
        got.shape == x.shape, f"expected the shape of the input {x.shape}, got shape {got.shape}."
    )
    plain = catalog.get("relu").reference(x)
    expect(not np.allclose(got, plain), "this is the plain ReLU; all three arguments are lost.")
    expect(
        got[-1] <= 6,
        f"x = 100 must be clipped to max_value = 6, you return {got[-1]:g}.",
    )
    expect(
        not np.isclose(got[0], 0.0),
        "below the threshold there is a slope of 0.1 (the old alpha, now negative_slope); you "
        "return 0 for x = -2.",
    )
    expect(
        not np.isclose(got[0], -0.2),
        "for x = -2 you return 0.1 · x. Keras measures the slope from the threshold: "
        "0.1 · (x − threshold).",
    )
    wrong = ~np.isclose(got, expected, atol=1e-5)
    expect(
        not wrong.any(),
        f"for x = {x[wrong][:1]} expected {expected[wrong][:1]}, got {got[wrong][:1]}.",
    )
    return "the same curve as the old call, at every kink."


def _number(value: Any) -> float:
    array = np.asarray(value, dtype=float)
    return float(array.item()) if array.size == 1 else np.nan


def _hidden_outputs(model: Any, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The outputs of every ReLU of an ``nn.Sequential`` or a Keras model of dense layers."""
    import torch
    from torch import nn

    if isinstance(model, nn.Sequential):
        outputs, tensor = [], torch.from_numpy(x)
        with torch.no_grad():
            for module in model:
                tensor = module(tensor)
                if isinstance(module, nn.ReLU):
                    outputs.append(tensor.numpy())
        return outputs
    import keras

    expect(
        isinstance(model, keras.Model),
        f"expected an nn.Sequential or a Keras model, got {type(model).__name__}.",
    )
    outputs, signal = [], x
    for layer in model.layers:
        signal = layer(signal)
        activation = getattr(layer, "activation", None)
        if isinstance(layer, keras.layers.ReLU) or activation is keras.activations.relu:
            outputs.append(np.asarray(signal))
    return outputs
