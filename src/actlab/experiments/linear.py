"""What networks without an activation and networks of steps compute, and how they train."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import catalog, stats
from actlab import data as datasets
from actlab.experiments import untrained
from actlab.experiments.pointwise import DTYPES
from actlab.stats import Array, Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Evidence, Experiment, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

    from actlab.ensemble import Result

# What is measured, where a rule has to name it.
DEVIATION = "largest deviation"
GAP = "largest gap between f(a + b) and f(a) + f(b)"
CORNERS = "number of XOR's corners that two step units get right"
ACCURACY, LOSS = "difference in test accuracy", "change of the training loss"

# --- One matrix -----------------------------------------------------------------------------------


def linear_layers(depth: int, width: int, seed: int) -> Array:
    """Random layers h → W h + b, float64; the size of the signal is kept.

    Each is one matrix that acts on h with a 1 below it: (depth, width + 1, width + 1).
    """
    rng = np.random.default_rng(seed)
    layers = np.tile(np.eye(width + 1), (depth, 1, 1))
    for layer in layers:
        layer[:-1, :-1] = rng.standard_normal((width, width)) / np.sqrt(width)
        layer[:-1, -1] = rng.standard_normal(width)
    return layers


def collapse_gap(layers: Array, x: Array, dtype: str) -> tuple[float, float]:
    """How far the collapsed network is from the layered one, in floats of this type.

    ``x``: (inputs, width). Returns the largest deviation relative to the largest output, and the
    largest deviation relative to what rounding alone may cause, element by element: two ways to
    compute a product of L matrices of size n differ by at most 2 L γ |W_L| … |W_1| |x| with
    γ = n u / (1 - n u) and unit roundoff u, to first order in u (Higham, 2002, section 3.5).
    """
    signal = np.concatenate([x, np.ones((len(x), 1))], 1).T.astype(dtype)
    n, unit = len(signal), float(np.finfo(dtype).eps) / 2
    one, layered, largest = np.eye(n, dtype=dtype), signal, np.abs(signal).astype(np.float64)
    for matrix in layers.astype(dtype):
        one, layered, largest = matrix @ one, matrix @ layered, np.abs(matrix) @ largest
    allowed = 2 * len(layers) * n * unit / (1 - n * unit) * largest
    gap = np.abs((one @ signal).astype(np.float64) - layered)
    return float(gap.max() / np.abs(layered).max()), float((gap / allowed).max())


@experiment(
    "2, 5 and 20 random layers of 64 units with biases, 21 networks, 1,000 inputs: outputs "
    "layer by layer and by the product of the matrices; their largest difference, relative "
    "to the bound that rounding obeys (Higham, 2002).",
    "Random linear networks of 64 units, float32 and float64",
)
def collapse(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).standard_normal((1000, 64))
    drawn = [linear_layers(depth, 64, 100 * root + i) for depth in (2, 5, 20) for i in range(7)]
    worst = {f: np.max([collapse_gap(net, x, f) for net in drawn], 0).tolist() for f in DTYPES}
    allowed = {dtype: of_allowed for dtype, (_, of_allowed) in worst.items()}
    notes = {f"largest deviation over largest output, {f}": gap for f, (gap, _) in worst.items()}
    return {DEVIATION: Measured.exact(allowed, "dtype", notes=notes)}


# --- XOR ------------------------------------------------------------------------------------------

XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR_Y = np.array([0, 1, 1, 0])
"""The four corners of the square, and whether the two inputs differ."""


def corners(outputs: Any) -> int:
    """How many of XOR's four corners are on the right side of one half."""
    return int(np.sum((np.asarray(outputs) > 0.5) == XOR_Y))


def xor_layers(smallest: int) -> list[Array]:
    """Linear layers that compute XOR in float32 and are zero in exact arithmetic.

    The second unit carries (x1 + x2) / 2 through numbers so small that a half is lost: it comes
    out as "x1 and x2". ``smallest`` is the exponent of the smallest number that survives: -149
    with gradual underflow (half of 2^-149 is a tie, and ties go to even), -126 where anything
    smaller is flushed to zero (Foerster, 2017, "Nonlinear computation in deep linear networks").
    """
    half, rest = (smallest - 1) // 2, smallest // 2  # together one below the smallest
    scaled = [np.diag([1, 2.0**exponent]) for exponent in (rest, -half, -rest - 1)]
    return [np.array([[1, 1]]), np.array([[1], [2.0**half]]), *scaled, np.array([[1, -2]])]


def run_linear(layers: Sequence[Array], how: str) -> list[float]:
    """The outputs of linear layers without biases at the four corners.

    ``how``: ``"exact"`` (fractions), ``"torch"`` or ``"keras"`` (float32).
    """
    import keras
    from torch import from_numpy, nn

    number: Any = np.vectorize(Fraction, otypes=[object]) if how == "exact" else np.float32
    signal = number(XOR_X)
    for weight in map(number, layers):
        if how == "exact":
            signal = signal @ weight.T
        elif how == "torch":
            signal = nn.functional.linear(from_numpy(signal), from_numpy(weight)).numpy()
        else:
            layer = keras.layers.Dense(len(weight), use_bias=False)
            layer.build(signal.shape)
            layer.set_weights([weight.T])
            signal = np.array(layer(signal))
    return [float(value) for value in signal[:, 0]]


def trained(data: Any, seeds: Sequence[int], **settings: Any) -> Result:
    """Networks of every arm, one for each seed."""
    from actlab import ensemble

    return ensemble.train(data, seeds=seeds, progress=False, **settings)


@experiment(
    "20 trained networks (two hidden layers of 8) for each of linear, tanh and ReLU, of which "
    "the best linear one counts; and linear layers built by hand, computed exactly (fractions) "
    "and in float32.",
    "Linear networks on the four corners of XOR",
)
def xor(root: int, level: Level) -> Evidence:
    how = {"hidden": (8, 8), "init": "glorot_uniform", "batch_size": 4, "lr": 0.1, "epochs": 400}
    result = trained((XOR_X, XOR_Y) * 2, root_seeds(root), arms=["linear", "tanh", "relu"], **how)
    shares = result.by_arm("valid_accuracy")
    counts = {name: np.round(4 * share).astype(int) for name, share in shares.items()}
    right = {
        ("exact arithmetic", "set by hand"): corners(run_linear(xor_layers(-149), "exact")),
        ("PyTorch's float32", "set by hand"): corners(run_linear(xor_layers(-149), "torch")),
        ("Keras's float32", "set by hand"): corners(run_linear(xor_layers(-126), "keras")),
        ("PyTorch's float32", "trained"): int(counts["linear"].max()),
    }
    notes = {f"of 20 trained, with all four: {n}": int(sum(c == 4)) for n, c in counts.items()}
    return {"number of corners right": Measured.exact(right, "arithmetic", "weights", notes=notes)}


@experiment(
    "Whether f(a + b) = f(a) + f(b) at 1,000 pairs, and whether two step units with weights "
    "set by hand compute XOR, which no line can.",
    "The binary step, computed exactly",
)
def step_bends(root: int, level: Level) -> Evidence:
    a, b = np.random.default_rng(root).integers(-8, 9, (2, 1000)) / 4  # their sums are exact
    step, line = (catalog.get(name).reference for name in ("binary_step", "linear"))
    gap, of_line = (float(np.abs(f(a + b) - f(a) - f(b)).max()) for f in (step, line))
    # Two step units, by hand: "at least one" and "both"; the output is their difference.
    total = XOR_X.sum(1)
    right = corners(step(total - 0.5) - step(total - 1.5))
    notes = {"the same gap of the line": of_line}
    return {
        GAP: Measured.exact({"step": gap}, "function", notes=notes),
        CORNERS: Measured.exact({"step": right}, "function"),
    }


# --- Training -------------------------------------------------------------------------------------

SETTINGS: dict[str, Any] = {"hidden": (64, 64), "lr": 0.03, "init": "glorot_uniform"}
_SCOPE = "Small step networks · digits · 20 seeds"


@experiment(
    "Two hidden layers of 64 on the digits, ten epochs, 20 seeds; step networks, and tanh networks "
    "from the same start, whose weights do move: the largest change of any hidden weight or bias.",
    _SCOPE,
)
def stuck(root: int, level: Level) -> Evidence:
    from torch.nn.utils import parameters_to_vector as flat

    seeds, largest = root_seeds(root), {}
    result = trained(datasets.load("digits"), seeds, arms=["binary_step", "tanh"], **SETTINGS)
    for name in result.arms:
        start = untrained.draw(seeds, activation=name, dtype="float32", **SETTINGS)
        pairs = [(start.plain(i), result.member(name, seed)) for i, seed in enumerate(seeds)]
        changes = [flat(new[:-1].parameters()) - flat(old[:-1].parameters()) for old, new in pairs]
        largest[name] = max(change.abs().max().item() for change in changes)
    if not largest["tanh"]:
        raise RuntimeError("not even the weights of the tanh networks moved: the run was broken.")
    notes = {"largest change in the tanh networks": largest["tanh"]}
    change = Measured.exact({"step networks": largest["binary_step"]}, notes=notes)
    return {"largest change of a hidden weight": change}


def on_digits(root: int, level: Level, arm: str, **settings: Any) -> Evidence:
    """How many digits twenty networks of one activation get right."""
    result = trained(datasets.load("digits"), root_seeds(root), arms=[arm], lr=0.03, **settings)
    accuracy = {"digits": 100 * result.by_arm()[arm]}
    return {"test accuracy": Measured.means(accuracy, level, "data")}


TRAINS = Experiment(
    "Three hidden linear layers of 64 on the digits, PyTorch's start, SGD with momentum, ten "
    "epochs, 20 seeds; guessing gives 10 %.",
    "Small linear networks · digits · 20 seeds",
    partial(on_digits, arm="linear", hidden=(64, 64, 64)),
)
CLASSES = Experiment(
    "One hidden layer of 256 steps on the digits (ten classes), ten epochs, 20 seeds; guessing "
    "gives 10 %.",
    _SCOPE,
    partial(on_digits, arm="binary_step", hidden=(256,), init="glorot_uniform"),
)


def straight_through(x: Tensor) -> Tensor:
    """The step forward; backward the slope of a ramp: 1 from -1 to 1, else 0.

    A straight-through estimator (Hinton, 2012, lecture 9; Bengio, Léonard and Courville, 2013)
    lets the gradient pass unchanged; to cancel it beyond ±1 is Hubara et al.'s (2016).
    """
    ramp = x.clamp(-1, 1)
    return (x >= 0).to(x.dtype) + (ramp - ramp.detach())  # adds an exact 0


TITLES = {"digits": "digits", "mnist1d": "MNIST-1D"}
DEPTHS: dict[str, dict[str, Any]] = {
    arm: {"activation": "linear", "hidden": hidden, "init": "glorot_uniform"}
    for arm, hidden in (("no hidden layer", ()), ("three linear layers", (64, 64, 64)))
}
STEPS: dict[str, dict[str, Any]] = {
    "step": {**SETTINGS, "activation": "binary_step"},
    "borrowed slope": {**SETTINGS, "activation": straight_through},
}
ARMS = DEPTHS | STEPS


def cell(data: str, root: int, tuning: bool, arm: str, lr: float, *, options: Any) -> pd.DataFrame:
    """Twenty networks of one arm at one rate; those to tune with have other seeds."""
    seeds = root_seeds(root, 520)[500:] if tuning else root_seeds(root)
    arms = {arm: {**ARMS[arm], "lr": lr}}
    result = trained(datasets.load(data, **options[data]), seeds, arms=arms)
    measures = ["train_loss", "valid_accuracy", "test_accuracy"]
    return result.to_frame()[["seed", *measures]].astype(dict.fromkeys(measures, "float32"))


LINEAR_AND_STEP = Study(
    name="linear_and_step",
    title="Linear networks with and without depth, steps with and without a borrowed slope",
    task=cell,
    axes={
        "data": tuple(TITLES),
        "root": (0, 1),
        "tuning": (True, False),
        "arm": tuple(ARMS),
        "lr": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    },
    settings={"options": {"digits": {}, "mnist1d": {"size": 1_000}}},
)
STUDIES = (LINEAR_AND_STEP,)


def tuned(arm: str, what: str = "test_accuracy", **where: Any) -> tuple[float, Array]:
    """The learning rate that is best for an arm on the tuning seeds, and ``what`` on the others.

    Best is the lowest ``train_loss`` if that is asked for, else the highest validation accuracy;
    a rate at which a network diverged is out. ``where``: the data set and the root of the study.
    """
    rows = load(LINEAR_AND_STEP.name, arm=arm, **where)
    score = -rows.train_loss if what == "train_loss" else rows.valid_accuracy
    means = score[rows.tuning].groupby(rows.lr).apply(lambda v: v.mean(skipna=False))
    best = float(means.idxmax())
    chosen = rows[~rows.tuning & (rows.lr == best)].sort_values("seed")
    return best, chosen[what].to_numpy(np.float64)


@experiment(
    "Three hidden linear layers of 64 against none, on digits and MNIST-1D (1,000 training "
    "examples), ten epochs, 20 seeds, paired; the learning rate of each tuned on 20 other "
    "seeds, for the accuracy and for the loss. A factor of 1.25 in the loss is +25 or −20 %.",
    "Small linear networks · digits, MNIST-1D · 20 seeds",
    LINEAR_AND_STEP.name,
)
def depth(root: int, level: Level) -> Evidence:
    accuracy, loss, rates = {}, {}, {}
    for data, title in TITLES.items():
        (none, shallow), (three, deep) = (tuned(arm, data=data, root=root) for arm in DEPTHS)
        rates[title] = {"none": none, "three": three}
        accuracy[title] = 100 * deep - 100 * shallow
        logs = [np.log(tuned(arm, "train_loss", data=data, root=root)[1]) for arm in DEPTHS]
        ratio = stats.mean_interval(logs[1] - logs[0], level(2))
        mean, low, high = (100 * float(np.expm1(v)) for v in (ratio.mean, ratio.low, ratio.high))
        loss[title] = Interval(mean, low, high, ratio.n, confidence=ratio.confidence)
    notes = {"learning rate by hidden layers": rates}
    return {
        ACCURACY: Measured.means(accuracy, level, "data", notes=notes),
        LOSS: Measured.of(loss, "data"),
    }


@experiment(
    "Step networks (two hidden layers of 64) on digits and MNIST-1D (1,000 training examples) "
    "as they are, and with the slope of a ramp put in on the way back; learning rate of each "
    "tuned on 20 other seeds, 20 seeds, paired.",
    "Small step networks · digits, MNIST-1D · 20 seeds",
    LINEAR_AND_STEP.name,
)
def borrowed(root: int, level: Level) -> Evidence:
    gain, notes = {}, {}
    for data, title in TITLES.items():
        theirs, ours = (100 * tuned(arm, data=data, root=root)[1] for arm in STEPS)
        gain[title] = ours - theirs
        notes[title] = {"borrowed slope": ours.mean(), "stuck": theirs.mean()}
    return {"gain from a borrowed slope": Measured.means(gain, level, "data", notes=notes)}
