"""What kind of curve a function is: its shape, its range and its kin, in both frameworks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval, mean_interval
from actlab.trial import Case, Evidence, Experiment, Level, Measured

Array = npt.NDArray[np.float64]

DTYPES = ("float32", "float64")
STEP = 1e-3  # between neighbours, where slopes and their changes are measured


def frameworks() -> dict[str, Any]:
    """The two sides: title → module with ``values`` and ``gradients`` of a record."""
    from actlab.frameworks import keras, torch

    return {"PyTorch": torch, "Keras": keras}


def _by_precision(differences: dict[tuple[str, str], float], **notes: Any) -> Evidence:
    cases: dict[Case, Interval] = {c: Interval(d, d, d, n=1) for c, d in differences.items()}
    return {"largest difference": Measured(cases, ("framework", "dtype"), notes=notes)}


def _two_softmax(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).uniform(-30, 30, 10_000)
    pairs = np.stack([x, np.zeros_like(x)], 1)
    worst = {}
    for title, framework in frameworks().items():
        for dtype in DTYPES:
            single = framework.values(catalog.get("sigmoid"), x, dtype)
            double = framework.values(catalog.get("softmax"), pairs, dtype)[:, 0]
            difference = np.abs(single - double) / double
            worst[title, dtype] = float(difference.max() / np.finfo(dtype).eps)
    return _by_precision(worst)


def _tanh_is_sigmoid(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).uniform(-20, 20, 10_000)
    tiny = 10.0 ** np.arange(-1.0, -11.0, -1)
    worst, near_zero = {}, {}
    for title, framework in frameworks().items():
        for dtype in DTYPES:

            def pair(at: Array, framework: Any = framework, dtype: str = dtype) -> Any:
                # The argument is doubled in the framework's own precision: it is exact.
                doubled = framework.values(catalog.get("sigmoid"), 2 * at, dtype)
                combined = (2 * doubled.astype(dtype) - 1).astype(np.float64)
                return framework.values(catalog.get("tanh"), at, dtype), combined

            tanh, other = pair(x)
            worst[title, dtype] = float(np.abs(tanh - other).max() / np.finfo(dtype).eps)
            tanh, other = pair(tiny)
            near_zero[f"{title} {dtype}"] = float(np.abs(other / tanh - 1).max())
    return _by_precision(worst, **{"relative difference near zero": near_zero})


def _neighbours(root: int, reach: float) -> Array:
    """Inputs ``STEP`` apart from -reach to reach, shifted at random by less than a step."""
    shift = np.random.default_rng(root).uniform(0, STEP)
    return shift + np.arange(-reach, reach, STEP)


def _smooth_slope(root: int, level: Level) -> Evidence:
    x, steepest = _neighbours(root, 10), 1 / (6 * math.sqrt(3))
    changes = {
        title: _change(framework.gradients(catalog.get("sigmoid"), x, "float64")) / steepest
        for title, framework in frameworks().items()
    }
    return {"fastest change of the slope": Measured.exact(changes, "framework")}


def _change(values: Array) -> float:
    """The largest change between neighbours, over their distance."""
    return float(np.abs(np.diff(values)).max() / STEP)


def _s_shape(root: int, level: Level) -> Evidence:
    x, record = _neighbours(root, 8), catalog.get("tanh")
    found: dict[str, dict[str, float]] = {}
    for title, framework in frameworks().items():
        y = framework.values(record, x, "float64")
        slope = framework.gradients(record, x, "float64")
        turns = x[np.flatnonzero(np.diff(np.sign(np.diff(slope))) != 0) + 1]
        for what, value in (
            ("number of turning points", len(turns)),
            ("turning point's distance from 0", np.abs(turns).max(initial=0)),
            ("deepest fall", max(0.0, -np.diff(y).min())),
            ("steepest slope", _change(y)),
            ("fastest change of the slope", _change(slope) / (4 / (3 * math.sqrt(3)))),
        ):
            found.setdefault(what, {})[title] = float(value)
    return {what: Measured.exact(values, "framework") for what, values in found.items()}


def _jumps(root: int, level: Level) -> Evidence:
    h = 1e-6
    rng = np.random.default_rng(root)
    changes: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for record in catalog.records():
        known = all(isinstance(v, float | int | str | None) for v in record.defaults.values())
        if record.kind != "elementwise" or record.stochastic or not known:
            continue
        kinks = [kink for kink in record.properties.kinks if abs(kink) < 5]
        x = np.concatenate([rng.uniform(-5, 5, 10_000), *([k - h / 2] for k in kinks)])
        change = np.abs(record.reference(x + h) - record.reference(x)).max() / h
        changes[record.properties.smoothness >= 1][record.title] = float(change)
    notes = {"of smooth functions": changes[True]}
    return {"largest change": Measured.exact(changes[False], "function", notes=notes)}


def _beyond_five(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    x = np.concatenate([[5.0], 5 + rng.exponential(3, 10_000)])
    record = catalog.get("sigmoid")
    cases: dict[Case, Interval] = {}
    for title, framework in frameworks().items():
        for side, at, limit in (("below −5", -x, 0), ("above 5", x, 1)):
            error = float(np.abs(framework.values(record, at, "float32") - limit).max())
            cases[title, side] = Interval(error, error, error, n=1)
    notes = {
        "slope left at 5": float(record.derivative(5.0) / record.derivative(0.0)),
        "slope below 1 % from": record.saturates_beyond(0.01)[1],
    }
    return {"distance from the limit": Measured(cases, ("framework", "side"), notes=notes)}


def _offset(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).standard_normal(100_000)
    sides = frameworks()
    cases = {
        title: _size(mean_interval(f.values(catalog.get("sigmoid"), x, "float32"), level(2)))
        for title, f in sides.items()
    }
    return {"mean output's distance from 0": Measured.of(cases, "framework")}


def _size(found: Interval) -> Interval:
    """The interval of the absolute value."""
    low, high = sorted(map(abs, (found.low, found.high)))
    if found.low < 0 < found.high:
        low = 0.0
    return Interval(abs(found.mean), low, high, found.n, confidence=found.confidence)


def labels_left(scale: float, root: int, *, squashed: bool = True) -> Array:
    """Squared error of 20 small networks trained on labels of ±scale, with tanh at the end or not.

    200 examples of five numbers; the label is the sign of the first. 100 steps of Adam.
    """
    import torch

    seeds = root_seeds(root)
    x = np.random.default_rng(root).standard_normal((200, 5)).astype(np.float32)
    inputs = torch.from_numpy(x).expand(len(seeds), -1, -1)
    wanted = torch.where(inputs[:, :, :1] > 0, scale, -scale)
    drawn = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = torch.nn.Linear(5, 16), torch.nn.Linear(16, 1)
        drawn.append([p.detach() for layer in layers for p in (layer.weight.T, layer.bias[None])])
    weights = [torch.stack(p).requires_grad_() for p in zip(*drawn, strict=True)]
    optimizer = torch.optim.Adam(weights, lr=0.05)
    for _ in range(100):
        hidden = torch.baddbmm(weights[1], inputs, weights[0]).tanh()
        outputs = torch.baddbmm(weights[3], hidden, weights[2])
        squares = ((outputs.tanh() if squashed else outputs) - wanted).square().mean((1, 2))
        optimizer.zero_grad()
        squares.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return squares.detach().double().numpy()


def _labels(root: int, level: Level) -> Evidence:
    found = mean_interval(labels_left(2.0, root), level(1))
    notes = {
        "with labels of ±1": float(labels_left(1.0, root).mean()),
        "with labels of ±2 and no tanh at the end": float(
            labels_left(2.0, root, squashed=False).mean()
        ),
    }
    return {"squared error": Measured.of({"labels of ±2": found}, notes=notes)}


_BOTH = "The function itself, in PyTorch and Keras"

TWO_SOFTMAX = Experiment(
    prose=(
        "σ(x) against the first output of softmax([x, 0]) at 10,000 random x from −30 to 30, "
        "both frameworks, float32 and float64; the difference is relative."
    ),
    scope=_BOTH,
    measure=_two_softmax,
)
TANH_IS_SIGMOID = Experiment(
    prose=(
        "tanh x against 2σ(2x) − 1 at 10,000 random x from −20 to 20, both frameworks, float32 "
        "and float64; the difference is absolute, as both lie between −1 and 1."
    ),
    scope=_BOTH,
    measure=_tanh_is_sigmoid,
)
SMOOTH_SLOPE = Experiment(
    prose=(
        "Gradients of the sigmoid at 20,000 neighbouring inputs from −10 to 10, both frameworks: "
        "their change per step over the sigmoid's largest curvature, 1/(6√3)."
    ),
    scope=_BOTH,
    measure=_smooth_slope,
)
S_SHAPE = Experiment(
    prose=(
        "Outputs and gradients of tanh at 16,000 neighbouring inputs from −8 to 8, both "
        "frameworks. A turning point is where the slope stops growing; the change of the slope "
        "per step is given over tanh's largest curvature, 4/(3√3)."
    ),
    scope=_BOTH,
    measure=_s_shape,
)
JUMPS = Experiment(
    prose=(
        "The largest change of the output over a step of 1e-6, for every elementwise function of "
        "the catalog without a smooth gradient, at 10,000 random inputs and across every kink."
    ),
    scope="Every elementwise function of the catalog, computed in float64",
    measure=_jumps,
)
BEYOND_FIVE = Experiment(
    prose="Outputs of the sigmoid at ±5 and at 10,000 random inputs beyond, both frameworks.",
    scope=_BOTH,
    measure=_beyond_five,
)
OFFSET = Experiment(
    prose="The mean of 100,000 outputs for standard normal inputs, both frameworks.",
    scope=_BOTH,
    measure=_offset,
)
LABELS = Experiment(
    prose=(
        "20 small networks with a tanh output are trained on labels of −2 and 2 (100 steps of "
        "Adam). If tanh scaled the labels, they would fit them as they fit −1 and 1."
    ),
    scope="Networks of 16 hidden units · 200 made-up examples · 20 seeds",
    measure=_labels,
)
