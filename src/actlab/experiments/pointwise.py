"""What a function does to numbers, in both frameworks, and what these have under its name."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog
from actlab.catalog import Activation
from actlab.experiments.together import size
from actlab.frameworks.binding import find
from actlab.stats import Array, mean_interval
from actlab.study import root_seeds
from actlab.trial import Evidence, Level, Measured, experiment

DTYPES = ("float32", "float64")
STEP = 1e-3  # between neighbours, where slopes and their changes are measured
BEND = "fastest change of the slope"


def functions() -> list[Activation]:
    """The deterministic records that act on one number at a time."""
    return [r for r in catalog.records() if r.kind == "elementwise" and not r.stochastic]


def frameworks() -> dict[str, Any]:
    """The two sides: title → module with ``values`` and ``gradients`` of a record."""
    from actlab.frameworks import keras, torch

    return {"PyTorch": torch, "Keras": keras}


def in_both(what: str, name: str, x: npt.NDArray[Any], dtype: str = "float32") -> dict[str, Array]:
    """``values`` or ``gradients`` of an activation at these numbers, by framework."""
    record = catalog.get(name)
    return {title: getattr(side, what)(record, x, dtype) for title, side in frameworks().items()}


def in_formats(name: str, x: Array) -> dict[tuple[str, str], Array]:
    """Values of an activation at these numbers, by framework and number format."""
    both = {dtype: in_both("values", name, x, dtype) for dtype in DTYPES}
    return {(title, dtype): both[dtype][title] for title in frameworks() for dtype in DTYPES}


# --- All functions --------------------------------------------------------------------------------

_CATALOG = "Every function of the catalog that acts on single numbers"


@experiment(
    f"{_CATALOG}, at 10,000 random inputs of both signs between a thousandth and a thousand.",
    _CATALOG,
)
def outside(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    magnitude = 10.0 ** rng.uniform(-3, 3, 10_000)
    x = np.where(rng.random(10_000) < 0.5, -magnitude, magnitude)
    shares = {r.title: 100 * float(np.mean(np.abs(r.reference(x)) > 1)) for r in functions()}
    return {"share of outputs outside −1 to 1": Measured.exact(shares, "function")}


@experiment(
    "The same functions at 10,000 inputs between −10 and 10; 'not activated' is an output of "
    "exactly 0.",
    _CATALOG,
)
def silent(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).uniform(-10, 10, 10_000)
    shares = {r.title: 100 * float(np.mean(r.reference(x) == 0)) for r in functions()}
    return {"share of inputs without any output": Measured.exact(shares, "function")}


@experiment(
    "The largest change of the output over a step of 1e-6, for every elementwise function of "
    "the catalog without a smooth gradient, at 10,000 random inputs and across every kink.",
    "Every elementwise function of the catalog, computed in float64",
)
def jumps(root: int, level: Level) -> Evidence:
    h = 1e-6
    rng = np.random.default_rng(root)
    changes: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for record in functions():
        across = [kink - h / 2 for kink in record.properties.kinks if abs(kink) < 5]
        x = np.append(rng.uniform(-5, 5, 10_000), across)
        change = np.abs(record.reference(x + h) - record.reference(x)).max() / h
        changes[record.properties.smoothness >= 1][record.title] = float(change)
    notes = {"of smooth functions": changes[True]}
    return {"largest change": Measured.exact(changes[False], "function", notes=notes)}


# --- ReLU -----------------------------------------------------------------------------------------

_RELU = "ReLU in PyTorch and Keras, float32"


@experiment("Gradients at 10,000 random negative inputs of all magnitudes, both frameworks.", _RELU)
def relu_slopes(root: int, level: Level) -> Evidence:
    x = -(10.0 ** np.random.default_rng(root).uniform(-37, 37, 10_000))
    largest = {n: float(np.abs(g).max()) for n, g in in_both("gradients", "relu", x).items()}
    return {"largest gradient": Measured.exact(largest, "framework")}


@experiment("10,000 outputs for standard normal pre-activations, both frameworks.", _RELU)
def relu_outputs(root: int, level: Level) -> Evidence:
    outputs = in_both("values", "relu", np.random.default_rng(root).standard_normal(10_000))
    shares = {name: 100 * float(np.mean(y <= 0)) for name, y in outputs.items()}
    notes = {"smallest output": min(float(y.min()) for y in outputs.values())}
    return {"share of outputs at or below 0": Measured.exact(shares, "framework", notes=notes)}


@experiment("Gradients at 1,001 positive inputs down to the smallest normal float32.", _RELU)
def relu_near_zero(root: int, level: Level) -> Evidence:
    tiny = float(np.finfo(np.float32).smallest_normal)
    x = np.append(tiny, 10.0 ** np.random.default_rng(root).uniform(-30, -1, 1000))
    smallest = {name: float(g.min()) for name, g in in_both("gradients", "relu", x).items()}
    return {"smallest gradient above 0": Measured.exact(smallest, "framework")}


# --- Sigmoid and tanh -----------------------------------------------------------------------------

_BOTH = "The function itself, in PyTorch and Keras"


@experiment(
    "σ(x) against the first output of softmax([x, 0]) at 10,000 random x from −30 to 30, "
    "both frameworks, float32 and float64; the difference is relative.",
    _BOTH,
)
def two_softmax(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).uniform(-30, 30, 10_000)
    pairs = in_formats("softmax", np.stack([x, np.zeros_like(x)], 1))
    first, sigmoid = {case: y[:, 0] for case, y in pairs.items()}, in_formats("sigmoid", x)
    return _in_epsilons({case: np.abs(sigmoid[case] - y) / y for case, y in first.items()})


def _in_epsilons(differences: Mapping[tuple[str, str], Array], **more: Any) -> Evidence:
    """The largest by framework and number format, in machine epsilons."""
    worst = {case: float(d.max() / np.finfo(case[1]).eps) for case, d in differences.items()}
    return {"largest difference": Measured.exact(worst, "framework", "dtype", **more)}


@experiment(
    "tanh x against 2σ(2x) − 1 at 10,000 random x from −20 to 20, both frameworks, float32 "
    "and float64; the difference is absolute, as both lie between −1 and 1.",
    _BOTH,
)
def tanh_is_sigmoid(root: int, level: Level) -> Evidence:
    tiny = 10.0 ** np.arange(-1.0, -11.0, -1)
    x = np.append(np.random.default_rng(root).uniform(-20, 20, 10_000), tiny)
    doubled = in_formats("sigmoid", 2 * x)  # in the format itself it is exact to double x
    apart, near_zero = {}, {}
    for case, tanh in in_formats("tanh", x).items():
        other = 2 * doubled[case].astype(case[1]) - 1
        apart[case] = np.abs(tanh - other)[: -len(tiny)]
        near_zero[" ".join(case)] = float(np.abs(other / tanh - 1)[-len(tiny) :].max())
    return _in_epsilons(apart, notes={"relative difference near zero": near_zero})


def _neighbours(root: int, reach: float) -> Array:
    """Inputs ``STEP`` apart from -reach to reach, shifted at random by less than a step."""
    return np.random.default_rng(root).uniform(0, STEP) + np.arange(-reach, reach, STEP)


def _change(values: Array) -> float:
    """The largest change between neighbours, over their distance."""
    return float(np.abs(np.diff(values)).max() / STEP)


@experiment(
    "Gradients of the sigmoid at 20,000 neighbouring inputs from −10 to 10, both frameworks: "
    "their change per step over the sigmoid's largest curvature, 1/(6√3).",
    _BOTH,
)
def smooth_slope(root: int, level: Level) -> Evidence:
    slopes = in_both("gradients", "sigmoid", _neighbours(root, 10), "float64")
    curvature = 1 / (6 * math.sqrt(3))
    changes = {title: _change(slope) / curvature for title, slope in slopes.items()}
    return {BEND: Measured.exact(changes, "framework")}


@experiment(
    "Outputs and gradients of tanh at 16,000 neighbouring inputs from −8 to 8, both "
    "frameworks. A turning point is where the slope stops growing; the change of the slope "
    "per step is given over tanh's largest curvature, 4/(3√3).",
    _BOTH,
)
def s_shape(root: int, level: Level) -> Evidence:
    x = _neighbours(root, 8)
    outputs, slopes = (in_both(of, "tanh", x, "float64") for of in ("values", "gradients"))
    found = {}
    for title, slope in slopes.items():
        turns = x[np.flatnonzero(np.diff(np.sign(np.diff(slope))) != 0) + 1]
        found[title] = {
            "number of turning points": float(len(turns)),
            "turning point's distance from 0": np.abs(turns).max(initial=0),
            "deepest fall": max(0.0, -np.diff(outputs[title]).min()),
            "steepest slope": _change(outputs[title]),
            BEND: _change(slope) / (4 / (3 * math.sqrt(3))),
        }
    rows = pd.DataFrame(found).to_dict("index")
    return {str(what): Measured.exact(values, "framework") for what, values in rows.items()}


@experiment(
    "Outputs of the sigmoid at ±5 and at 10,000 random inputs beyond, both frameworks.", _BOTH
)
def beyond_five(root: int, level: Level) -> Evidence:
    x = np.append(5.0, 5 + np.random.default_rng(root).exponential(3, 10_000))
    low, high = (in_both("values", "sigmoid", side) for side in (-x, x))
    errors = {}
    for title in low:
        errors[title, "below −5"] = float(low[title].max())
        errors[title, "above 5"] = float(np.abs(high[title] - 1).max())
    record = catalog.get("sigmoid")
    notes = {
        "slope left at 5": float(record.derivative(5.0) / record.derivative(0.0)),
        "slope below 1 % from": record.saturates_beyond(0.01)[1],
    }
    return {"distance from the limit": Measured.exact(errors, "framework", "side", notes=notes)}


@experiment("The mean of 100,000 outputs for standard normal inputs, both frameworks.", _BOTH)
def offset(root: int, level: Level) -> Evidence:
    outputs = in_both("values", "sigmoid", np.random.default_rng(root).standard_normal(100_000))
    cases = {title: size(mean_interval(y, level(2))) for title, y in outputs.items()}
    return {"mean output's distance from 0": Measured.of(cases, "framework")}


def labels_left(scale: float, root: int, *, tanh: bool = True) -> Array:
    """Squared error of 20 small networks trained on labels of ±scale, with tanh at the end or not.

    200 examples of five numbers; the label is the sign of the first. 100 steps of Adam.
    """
    import torch
    from torch import nn

    x = torch.from_numpy(np.random.default_rng(root).standard_normal((200, 5)).astype(np.float32))
    wanted = torch.where(x[:, :1] > 0, scale, -scale)
    errors = []
    for seed in root_seeds(root):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            parts = [nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1), nn.Tanh()]
        model = nn.Sequential(*(parts if tanh else parts[:-1]))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(100):
            error = nn.functional.mse_loss(model(x), wanted)
            optimizer.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        errors.append(error.item())
    return np.array(errors)


@experiment(
    "20 small networks with a tanh output are trained on labels of −2 and 2 (100 steps of "
    "Adam). If tanh scaled the labels, they would fit them as they fit −1 and 1.",
    "Networks of 16 hidden units · 200 made-up examples · 20 seeds",
)
def labels(root: int, level: Level) -> Evidence:
    left = {"labels of ±2": labels_left(2.0, root)}
    others = {
        "with labels of ±1": labels_left(1.0, root),
        "with labels of ±2 and no tanh at the end": labels_left(2.0, root, tanh=False),
    }
    notes = {which: float(errors.mean()) for which, errors in others.items()}
    return {"squared error": Measured.means(left, level, notes=notes)}


# --- The leaky family, as the libraries have it ---------------------------------------------------


@experiment(
    "The default slopes of torch.nn.LeakyReLU, torch.nn.functional.leaky_relu, "
    "keras.layers.LeakyReLU and keras.activations.leaky_relu, asked of the libraries.",
    "The installed versions of PyTorch and Keras",
)
def default_slopes(root: int, level: Level) -> Evidence:
    places = {
        ("PyTorch", "the layer"): "torch.nn.LeakyReLU",
        ("PyTorch", "the function"): "torch.nn.functional.leaky_relu",
        ("Keras", "the layer"): "keras.layers.LeakyReLU",
        ("Keras", "the function"): "keras.activations.leaky_relu",
    }
    frameworks()["Keras"].start()
    takes = {case: inspect.signature(find(path)).parameters for case, path in places.items()}
    slopes = {case: parameters["negative_slope"].default for case, parameters in takes.items()}
    return {"default slope": Measured.exact(slopes, "framework", "place")}


@experiment(
    "All public names of keras.layers, keras.activations and keras.ops.",
    "The installed version of Keras",
)
def rrelu_in_keras(root: int, level: Level) -> Evidence:
    frameworks()["Keras"].start()
    modules = ("keras.layers", "keras.activations", "keras.ops")
    names = [(module, name) for module in modules for name in dir(find(module))]
    hits = [(where, n) for where, n in names if re.search("rrelu|randomizedrelu", n.lower())]
    counts = {module: float(sum(where == module for where, _ in hits)) for module in modules}
    notes = {"names looked at": len(names), "found": [".".join(hit) for hit in hits]}
    return {"number of RReLUs": Measured.exact(counts, "module", notes=notes)}
