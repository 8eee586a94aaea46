"""Softplus, log-sigmoid, softsign, the exponential: arithmetic, starts, training, saturation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog, stats
from actlab.experiments import untrained
from actlab.experiments.contest import FAIR, PAIRED, SEEDS, SPLITS, contest, over_splits
from actlab.experiments.normalised import standardised
from actlab.experiments.pointwise import frameworks
from actlab.experiments.self_gated import LOST, RATES, lost, own_start, silent_cell
from actlab.experiments.shares import DTYPES
from actlab.frameworks.binding import rounded
from actlab.stats import Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Case, Evidence, Experiment, Level, Measured, experiment

Array = npt.NDArray[np.float64]

# --- Near ReLU ------------------------------------------------------------------------------------

GAP = "distance from ReLU"


@experiment(
    "Softplus with β = 1 and β = 10 against ReLU at 0, ±1, ±3 and ±10; the distance is the same on "
    "both sides.",
    "The function itself",
)
def near(root: int, level: Level) -> Evidence:
    cases: dict[Case, Interval] = {}
    for beta, size in itertools.product((1.0, 10.0), (0.0, 1.0, 3.0, 10.0)):
        gap = float(catalog.get("softplus").reference(-size, beta=beta))  # the same on both sides
        cases[f"β = {beta:g}", f"at ±{size:g}" if size else "at 0"] = Interval(gap, gap, gap, 1)
    return {GAP: Measured(cases, ("β", "place"))}


# --- Written as on paper --------------------------------------------------------------------------

WRONG = "share of inputs with a wrong value or gradient"
GRID = np.arange(-100, 100.25, 0.25)


def on_paper(name: str, framework: str) -> Callable[[Any], Any]:
    """The formula as a textbook has it, of a tensor of that framework."""
    library: Any
    if framework == "PyTorch":
        import torch

        library = torch
    else:
        import keras

        library = keras.ops
    if name == "softplus":
        return lambda x: library.log(1 + library.exp(x))
    return lambda x: library.log(library.sigmoid(x))


def wrong(name: str, framework: str, dtype: str, own: bool) -> npt.NDArray[np.bool_]:
    """(2, inputs): where value and gradient have lost more than half of the format's digits.

    What is smaller than the format's smallest normal number may be off by as much. ``own``: the
    framework's own function, else the formula :func:`on_paper`.
    """
    record, side, x = catalog.get(name), frameworks()[framework], rounded(GRID, dtype)
    function = side.build(record) if own else on_paper(name, framework)
    about = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    pairs = (
        (side.evaluate(function, x, dtype), record.reference(x)),
        (side.differentiate(function, x, dtype), record.derivative(x)),
    )
    small, digits = float(about.smallest_normal), math.sqrt(float(about.eps))
    return np.stack([~(np.abs(f - r) <= np.maximum(digits * np.abs(r), small)) for f, r in pairs])


def _wrong(root: int, level: Level, *, own: bool) -> Evidence:
    cases: dict[Case, Interval] = {}
    notes: dict[str, dict[str, float]] = {}
    for name, framework, dtype in itertools.product(
        ("softplus", "log_sigmoid"), frameworks(), DTYPES
    ):
        found = wrong(name, framework, dtype, own)
        case = (catalog.get(name).title, framework, dtype)
        share = 100 * float(found.any(0).mean())
        cases[case] = Interval(share, share, share, n=1)
        notes[", ".join(case)] = {
            "values (%)": 100 * float(found[0].mean()),
            "gradients (%)": 100 * float(found[1].mean()),
        }
    return {WRONG: Measured(cases, ("function", "framework", "dtype"), notes=notes)}


_FORMATS = (
    "at 801 inputs from −100 to 100, both frameworks, three formats: where the value or the "
    "gradient that automatic differentiation gives has lost more than half of the format's digits "
    "(of what is smaller than its smallest normal number, more than that number)."
)
ON_PAPER = Experiment(
    f"log(1 + exp x) and log(sigmoid x), written so, {_FORMATS}",
    "Both frameworks on one CPU, in three formats",
    lambda root, level: _wrong(root, level, own=False),
)
OWN = Experiment(
    f"The frameworks' own softplus and log-sigmoid {_FORMATS}",
    ON_PAPER.scope,
    lambda root, level: _wrong(root, level, own=True),
)

# --- Before training ------------------------------------------------------------------------------

BLURRED = "difference between inputs lost by layer 30"
RECTIFIERS: dict[str, dict[str, Any]] = {
    "softplus": {"activation": "softplus"},
    "softplus, β = 10": {"activation": "softplus", "params": {"beta": 10.0}},
    "squareplus": {"activation": "squareplus"},
}


def apart(root: int = 0, count: int = 20, **arm: Any) -> Array:
    """How far a unit's input differs from digit to digit, (networks, 30 layers), He's start."""
    networks = untrained.draw(root_seeds(root, count), hidden=(128,) * 30, init="he_normal", **arm)
    return untrained.signals(networks, standardised()).spread


@experiment(
    "Untrained networks of 30 layers of 128 units, He's normal weights, biases 0, 20 networks for "
    "each function: how many powers of ten the spread of a unit's input from digit to digit loses "
    "from the first layer to the last.",
    "Untrained networks of 30 × 128 units · digits · 20 seeds",
)
def blurs(root: int, level: Level) -> Evidence:
    found = {}
    for title, arm in ({"ReLU": {"activation": "relu"}} | RECTIFIERS).items():
        spread = apart(root, **arm)
        found[title] = np.log10(spread[:, 0] / spread[:, -1])
    notes = {"ReLU": float(found.pop("ReLU").mean())}
    cases = {title: stats.mean_interval(v, level(len(found))) for title, v in found.items()}
    return {BLURRED: Measured.of(cases, "function", notes=notes)}


# --- Trained to the plateau -----------------------------------------------------------------------

DEPTH = 3
LARGE = 6.0  # the factor on LeCun's weights of a start that saturates
ARMS: dict[str, dict[str, Any]] = {
    "ReLU": FAIR["relu"],
    "softplus": {"activation": "softplus", **own_start(1.43)},  # the critical gain
    # E[exp(z - 1/16)²] = 1 for z ~ N(0, 1/16). Of networks with larger weights (variance 1/2n) some
    # overflow on MNIST-1D before the first step.
    "exponential": {"activation": "exponential", **own_start(0.25), "bias": -1 / 16},
    "tanh, large start": {"activation": "tanh", **own_start(LARGE)},
    "softsign, large start": {"activation": "softsign", **own_start(LARGE)},
}
CONTEST = contest(
    "contest_smooth",
    "Smooth functions and those they replace, three hidden layers",
    ARMS,
    data={"digits": ({"size": 500}, 30), "mnist1d": ({"size": 500}, 20)},
    depths=(DEPTH,),
    width=32,
)

# --- What falls silent, and what saturates --------------------------------------------------------

SILENT = Study(
    name="softplus_silent",
    title="Softplus units that fall silent, by learning rate",
    task=silent_cell,
    axes={"activation": ("softplus",), "lr": RATES, "root": (0, 1)},
    settings={"epochs": 20},
)


@experiment(
    "Digits, five hidden layers of 64, He's start, momentum at five learning rates, 20 epochs, 40 "
    "seeds: in how many networks more than one hidden unit in a hundred stays within 0.001 of 0 "
    "for every training input. Networks that diverged count too.",
    "Networks of 5 × 64 units · digits · 40 seeds",
    SILENT.name,
)
def never_silent(root: int, level: Level) -> Evidence:
    """Both runs, whatever the ``root``."""
    return {LOST: lost(load(SILENT.name), {"softplus": "softplus"}, level)}


STARTS = {"LeCun's": 1.0, "a large": LARGE}


def saturated_cell(
    activation: str, gain: float, split: int, *, lr: float, epochs: int
) -> pd.DataFrame:
    """Share of pre-activations where the slope is below 1 % of its best, in three layers of 32.

    ``before`` and ``after`` training, by seed; NaN where the network diverged.
    """
    from actlab import data as datasets
    from actlab import ensemble

    digits = datasets.load("digits", seed=split)
    arm = {"activation": activation, **own_start(gain), "lr": lr}
    result = ensemble.train(
        digits,
        arms={activation: arm},
        seeds=SEEDS,
        epochs=epochs,
        hidden=(32,) * DEPTH,
        batch_size=64,
        probe="saturation",
        probe_at=[0, epochs * math.ceil(len(digits.y_train) / 64)],
        keep_weights=False,
        progress=False,
    )
    share = result.probe("saturation_share", activation).mean(-1)
    return result.to_frame()[["seed", "diverged"]].assign(before=share[:, 0], after=share[:, 1])


SATURATED = Study(
    name="softsign_saturated",
    title="How much of a network of tanhs or softsigns is saturated after training",
    task=saturated_cell,
    axes={
        "activation": ("tanh", "softsign"),
        "gain": tuple(STARTS.values()),
        "split": tuple(range(SPLITS)),
    },
    settings={"lr": 0.03, "epochs": 30},
)
LESS = "share saturated, tanh's less softsign's"


@experiment(
    "Digits, three hidden layers of 32, LeCun's start and one with weights six times as large, "
    "momentum at rate 0.03, 30 epochs: the share of pre-activations at which the slope is below 1 "
    "% of its best, of tanh less that of softsign, paired by split and seed.",
    f"Networks of 3 × 32 units · digits · {PAIRED}",
    SATURATED.name,
)
def saturates(root: int, level: Level) -> Evidence:
    table = load(SATURATED.name)
    cases: dict[Case, Interval] = {}
    notes: dict[str, Any] = {}
    for start, gain in STARTS.items():
        part = table[table.gain == gain]
        wide = {
            name: 100 * rows.pivot(index="split", columns="seed", values="after").to_numpy()
            for name, rows in part.groupby("activation")
        }
        cases[start,], _ = over_splits(wide["tanh"] - wide["softsign"], level(len(STARTS)))
        means = 100 * part.groupby("activation")[["before", "after"]].mean()
        notes |= {f"{start} start, {name}": row.to_dict() for name, row in means.iterrows()}
    return {LESS: Measured(cases, ("start",), notes=notes)}


STUDIES = (CONTEST, SILENT, SATURATED)
