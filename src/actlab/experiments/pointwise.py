"""What a function does to single numbers: its range, its zeros, its slopes, in both frameworks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.catalog import Activation
from actlab.trial import Evidence, Experiment, Level, Measured

Array = npt.NDArray[Any]

XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR_Y = np.array([0, 1, 1, 0])
"""The four corners of the square, and whether the two inputs differ."""


def functions() -> list[Activation]:
    """The deterministic records that act on one number at a time."""
    return [r for r in catalog.records() if r.kind == "elementwise" and not r.stochastic]


def random_inputs(seed: int, n: int = 10_000) -> Array:
    """Numbers of both signs and of all sizes from a thousandth to a thousand."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-3, 3, n)
    return np.where(rng.random(n) < 0.5, -size, size)


def share_outside(record: Activation, x: Array, limit: float = 1.0) -> float:
    """Per cent of the inputs ``x`` whose output lies outside -limit to limit."""
    return 100 * float(np.mean(np.abs(record.reference(x)) > limit))


def additivity_gap(record: Activation, seed: int) -> float:
    """The largest deviation of f(a + b) from f(a) + f(b), which is 0 for a linear function."""
    a, b = np.random.default_rng(seed).integers(-8, 9, (2, 1000)) / 4  # their sums are exact
    gap = record.reference(a + b) - record.reference(a) - record.reference(b)
    return float(np.abs(gap).max())


def corners(outputs: Any) -> int:
    """How many of XOR's four corners are on the right side of one half."""
    return int(np.sum((np.asarray(outputs) > 0.5) == XOR_Y))


def in_both(what: str, name: str, x: Array) -> dict[str, Array]:
    """``values`` or ``gradients`` of an activation at float32 numbers, by framework."""
    from actlab.frameworks import keras, torch

    record = catalog.get(name)
    both = {"PyTorch": torch, "Keras": keras}
    return {title: getattr(one, what)(record, x, "float32") for title, one in both.items()}


def _outside(root: int, level: Level) -> Evidence:
    x = random_inputs(root)
    shares = {record.title: share_outside(record, x) for record in functions()}
    return {"share of outputs outside −1 to 1": Measured.exact(shares, "function")}


def _silent(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).uniform(-10, 10, 10_000)
    shares = {r.title: 100 * float(np.mean(r.reference(x) == 0)) for r in functions()}
    return {"share of inputs without any output": Measured.exact(shares, "function")}


def _step_bends(root: int, level: Level) -> Evidence:
    # Two step units, by hand: "at least one" and "both"; the output is their difference.
    step = catalog.get("binary_step").reference
    total = XOR_X.sum(1)
    right = corners(step(total - 0.5) - step(total - 1.5))
    gap, line = (additivity_gap(catalog.get(name), root) for name in ("binary_step", "linear"))
    return {
        "largest gap between f(a + b) and f(a) + f(b)": Measured.exact(
            {"step": gap}, "function", notes={"the same gap of the line": line}
        ),
        "number of XOR's corners that two step units get right": Measured.exact(
            {"step": right}, "function"
        ),
    }


def _relu_slopes(root: int, level: Level) -> Evidence:
    x = -(10.0 ** np.random.default_rng(root).uniform(-37, 37, 10_000)).astype(np.float32)
    largest = {n: float(np.abs(g).max()) for n, g in in_both("gradients", "relu", x).items()}
    return {"largest gradient": Measured.exact(largest, "framework")}


def _relu_outputs(root: int, level: Level) -> Evidence:
    z = np.random.default_rng(root).standard_normal((1000, 10)).astype(np.float32)
    outputs = in_both("values", "relu", z)
    shares = {name: 100 * float(np.mean(y <= 0)) for name, y in outputs.items()}
    smallest = min(float(y.min()) for y in outputs.values())
    notes = {"smallest output": smallest}
    return {"share of outputs at or below 0": Measured.exact(shares, "framework", notes=notes)}


def _relu_near_zero(root: int, level: Level) -> Evidence:
    tiny = float(np.finfo(np.float32).smallest_normal)
    rng = np.random.default_rng(root)
    x = np.array([tiny, *10.0 ** rng.uniform(-30, -1, 1000)], np.float32)
    smallest = {name: float(g.min()) for name, g in in_both("gradients", "relu", x).items()}
    return {"smallest gradient above 0": Measured.exact(smallest, "framework")}


_CATALOG = "Every function of the catalog that acts on single numbers"
_BOTH = "ReLU in PyTorch and Keras, float32"

OUTSIDE = Experiment(
    prose=(
        "Every function of the catalog that acts on single numbers, at 10,000 random inputs of "
        "both signs between a thousandth and a thousand."
    ),
    scope=_CATALOG,
    measure=_outside,
)
SILENT = Experiment(
    prose=(
        "The same functions at 10,000 inputs between −10 and 10; 'not activated' is an output of "
        "exactly 0."
    ),
    scope=_CATALOG,
    measure=_silent,
)
STEP_BENDS = Experiment(
    prose=(
        "Whether f(a + b) = f(a) + f(b) at 1,000 pairs, and whether two step units with weights "
        "set by hand compute XOR, which no line can."
    ),
    scope="The binary step, computed exactly",
    measure=_step_bends,
)
RELU_SLOPES = Experiment(
    prose="Gradients at 10,000 random negative inputs of all magnitudes, both frameworks.",
    scope=_BOTH,
    measure=_relu_slopes,
)
RELU_OUTPUTS = Experiment(
    prose="10,000 outputs for standard normal pre-activations, both frameworks.",
    scope=_BOTH,
    measure=_relu_outputs,
)
RELU_NEAR_ZERO = Experiment(
    prose="Gradients at 1,001 positive inputs down to the smallest normal float32.",
    scope=_BOTH,
    measure=_relu_near_zero,
)
