"""Output layers and losses that belong together, in both frameworks, and pairs silently wrong.

Every line here is run by a test: the right ones give the same number in both frameworks, which is
that of a plain formula; the wrong ones raise nothing (one of them warns) and give another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Framework = Literal["torch", "keras"]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wrong:
    """A line that runs and computes something else, and what goes wrong."""

    framework: Framework
    line: str
    why: str


@dataclass(frozen=True)
class Pair:
    """What is predicted, the last layer, and the loss: ``z`` is what that layer gives, ``y`` truth.

    - ``units``: how many units the layer has; ``layer``: its activation, by framework.
    - ``torch``, ``keras``: the line that computes the loss.
    - ``claims``: ids of the claims that were decided about it.
    """

    task: str
    units: str
    layer: dict[str, str]
    torch: str
    keras: str
    wrong: tuple[Wrong, ...]
    claims: tuple[str, ...] = ()

    def line(self, framework: Framework) -> str:
        """The right line in one framework."""
        return self.torch if framework == "torch" else self.keras


NONE = {"torch": "none", "keras": "none"}

PAIRS = (
    Pair(
        "one of several classes",
        "one per class",
        NONE,
        "nn.CrossEntropyLoss()(z, y)",
        "losses.SparseCategoricalCrossentropy(from_logits=True)(y, z)",
        (
            Wrong(
                "torch",
                "nn.CrossEntropyLoss()(nn.Softmax(-1)(z), y)",
                "the loss has a softmax of its own: two of them flatten every gradient",
            ),
            Wrong(
                "keras",
                "losses.SparseCategoricalCrossentropy()(y, z)",
                "without from_logits=True the numbers are taken for probabilities",
            ),
            Wrong(
                "torch",
                "nn.NLLLoss()(z, y)",
                "NLLLoss wants logarithms of probabilities: nn.LogSoftmax(-1) before it",
            ),
        ),
        ("softmax-twice-harms", "softmax-from-logits", "softmax-log-twice-harmless"),
    ),
    Pair(
        "yes or no",
        "one",
        NONE,
        "nn.BCEWithLogitsLoss()(z1, y1)",
        "losses.BinaryCrossentropy(from_logits=True)(y1, z1)",
        (
            Wrong(
                "torch",
                "nn.BCEWithLogitsLoss()(torch.sigmoid(z1), y1)",
                "the loss has a sigmoid of its own: no answer can become sure",
            ),
            Wrong(
                "torch",
                "nn.BCELoss()(torch.softmax(z1, -1), y1)",
                "a softmax over one unit is always 1",
            ),
            Wrong(
                "keras",
                "losses.BinaryCrossentropy()(y1, z1)",
                "without from_logits=True the numbers are taken for probabilities and cut off",
            ),
        ),
        ("sigmoid-two-softmax",),
    ),
    Pair(
        "several labels, each there or not",
        "one per label",
        NONE,
        "nn.BCEWithLogitsLoss()(z, labels)",
        "losses.BinaryCrossentropy(from_logits=True)(labels, z)",
        (
            Wrong(
                "torch",
                "nn.CrossEntropyLoss()(z, labels)",
                "it takes the labels of a row for shares of one answer",
            ),
            Wrong(
                "keras",
                "losses.CategoricalCrossentropy(from_logits=True)(labels, z)",
                "it takes the labels of a row for shares of one answer",
            ),
        ),
    ),
    Pair(
        "a number",
        "one",
        NONE,
        "nn.MSELoss()(z1, target)",
        "losses.MeanSquaredError()(target, z1)",
        (
            Wrong(
                "torch",
                "nn.MSELoss()(z1, target[:, 0])",
                "shapes (n, 1) and (n,) become (n, n): every answer is compared with every target",
            ),
            Wrong(
                "torch",
                "nn.MSELoss()(torch.relu(z1), target)",
                "a ReLU as last layer cannot say anything below zero, and learns nothing there",
            ),
            Wrong(
                "keras",
                "losses.MeanSquaredError()(target, keras.activations.tanh(z1))",
                "a tanh as last layer cannot say anything beyond ±1",
            ),
        ),
        ("relu-output-positive", "tanh-scales-labels"),
    ),
    Pair(
        "a count",
        "one",
        {"torch": "none (the logarithm of the rate)", "keras": "exponential"},
        "nn.PoissonNLLLoss()(z1, counts)",
        "losses.Poisson()(counts, keras.activations.exponential(z1))",
        (
            Wrong(
                "torch",
                "nn.PoissonNLLLoss()(torch.exp(z1), counts)",
                "log_input=True is the default: the exponential is taken twice",
            ),
            Wrong(
                "keras",
                "losses.Poisson()(counts, keras.activations.relu(z1))",
                "a rate of exactly 0 is certain that nothing happens, and has no gradient",
            ),
        ),
    ),
)


def numbers() -> dict[str, Array]:
    """The arrays that the lines are about: 6 examples, 4 classes."""
    rng = np.random.default_rng(4)
    return {
        "z": rng.normal(size=(6, 4)) * 2,
        "y": rng.integers(0, 4, 6).astype(float),
        "z1": rng.normal(size=(6, 1)) * 2,
        "y1": rng.integers(0, 2, (6, 1)).astype(float),
        "labels": rng.integers(0, 2, (6, 4)).astype(float),
        "target": rng.normal(size=(6, 1)) * 2,
        "counts": rng.poisson(2.0, (6, 1)).astype(float),
    }


def loss(framework: Framework, line: str) -> float:
    """What a line computes on :func:`numbers`, in float32."""
    space: dict[str, Any]
    if framework == "torch":
        import torch
        from torch import nn

        space = {"torch": torch, "nn": nn}
        for name, values in numbers().items():
            kind = torch.long if name == "y" else torch.float32
            space[name] = torch.tensor(values, dtype=kind)
    else:
        from actlab.frameworks.keras import start

        start()
        import keras

        space = {"keras": keras, "losses": keras.losses}
        for name, values in numbers().items():
            plain = np.int64 if name == "y" else np.float32
            space[name] = keras.ops.convert_to_tensor(values.astype(plain))
    return float(eval(line, space))


def references() -> dict[str, float]:
    """Task → the loss by its formula, in float64 NumPy."""
    n = numbers()
    z, y, z1 = n["z"], n["y"].astype(int), n["z1"]
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))

    def binary(logits: Array, truth: Array) -> float:
        p = 1 / (1 + np.exp(-logits))
        return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p)))

    return {
        "one of several classes": float(-log_p[np.arange(len(y)), y].mean()),
        "yes or no": binary(z1, n["y1"]),
        "several labels, each there or not": binary(z, n["labels"]),
        "a number": float(np.mean((z1 - n["target"]) ** 2)),
        "a count": float(np.mean(np.exp(z1) - n["counts"] * z1)),
    }
