"""Networks of step functions, which have no slope to follow: stuck, and with a borrowed one.

Their study holds linear networks of two depths too, tuned in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.seeds import root_seeds
from actlab.study import Study, load
from actlab.trial import Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from actlab.ensemble import Result

Array = npt.NDArray[Any]

# Matched start and data order; the tanh networks are there to show that the run can move weights.
SETTINGS: dict[str, Any] = {"hidden": (64, 64), "lr": 0.03, "init": "glorot_uniform"}
TITLES = {"digits": "digits", "mnist1d": "MNIST-1D"}


def straight_through(x: Tensor) -> Tensor:
    """The step forward; backward the slope of a ramp: 1 from -1 to 1, else 0.

    A straight-through estimator (Hinton, 2012, lecture 9; Bengio, Léonard and Courville, 2013)
    lets the gradient pass unchanged; to cancel it beyond ±1 is Hubara et al.'s (2016).
    """
    step = (x >= 0).to(x.dtype)
    ramp = x.clamp(-1, 1)
    return step + (ramp - ramp.detach())  # adds an exact 0


@cache
def stuck(
    seeds: tuple[int, ...], epochs: int = 10, dtype: str = "float32"
) -> tuple[Result, dict[str, float]]:
    """Train step and tanh networks on the digits, and see how far the hidden weights moved.

    Returns the result, with the gradients before training as a probe, and, per activation, the
    largest change of any hidden weight or bias.
    """
    from torch import nn

    from actlab import ensemble

    digits = datasets.load("digits")
    names = ["binary_step", "tanh"]
    result = ensemble.train(
        digits,
        arms=names,
        seeds=seeds,
        epochs=epochs,
        probe="gradients",
        probe_at=(0,),
        progress=False,
        dtype=dtype,
        **SETTINGS,
    )
    moved = {}
    for name in names:
        sizes = result.arms[name].layer_sizes(digits.n_features, digits.n_classes)
        moved[name] = 0.0
        for seed in seeds:
            start = ensemble.initial_weights(result.arms[name], sizes, seed)
            linear = [m for m in result.member(name, seed) if isinstance(m, nn.Linear)]
            for (weight, bias), layer in zip(start[:-1], linear[:-1], strict=True):
                for before, after in ((weight, layer.weight), (bias, layer.bias)):
                    change = (after.detach() - before.to(after.dtype)).abs().max().item()
                    moved[name] = max(moved[name], change)
    return result, moved


# --- The study ------------------------------------------------------------------------------------

DEPTHS: dict[str, dict[str, Any]] = {
    arm: {"activation": "linear", "hidden": hidden, "init": "glorot_uniform"}
    for arm, hidden in (("no hidden layer", ()), ("three linear layers", (64, 64, 64)))
}
ARMS: dict[str, dict[str, Any]] = {
    **DEPTHS,
    "step": {**SETTINGS, "activation": "binary_step"},
    "borrowed slope": {**SETTINGS, "activation": straight_through},
}


def cell(
    data: str, root: int, tuning: bool, arm: str, lr: float, *, options: Mapping[str, Any]
) -> pd.DataFrame:
    """Twenty networks of one arm at one rate; those to tune with have other seeds."""
    from actlab import ensemble

    result = ensemble.train(
        datasets.load(data, **options[data]),
        arms={arm: {**ARMS[arm], "lr": lr}},
        seeds=[(500 if tuning else 0) + seed for seed in root_seeds(root)],
        keep_weights=False,
        progress=False,
    )
    measures = ["train_loss", "valid_accuracy", "test_accuracy"]
    return result.to_frame()[["seed", *measures]].astype(dict.fromkeys(measures, "float32"))


LINEAR_AND_STEP = Study(
    name="linear_and_step",
    title="Linear networks with and without depth, steps with and without a borrowed slope",
    task=cell,
    axes={
        "data": ("digits", "mnist1d"),
        "root": (0, 1),
        "tuning": (True, False),
        "arm": tuple(ARMS),
        "lr": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    },
    settings={"options": {"digits": {}, "mnist1d": {"size": 1_000}}},
)
STUDIES = (LINEAR_AND_STEP,)


def tables(root: int) -> dict[str, pd.DataFrame]:
    """The rows of one root of the study, by data set."""
    table = load(LINEAR_AND_STEP.name)
    return {name: table[(table.root == root) & (table.data == name)] for name in TITLES}


def tuned(
    table: pd.DataFrame, arm: str, what: str = "test_accuracy", by: str = "valid_accuracy"
) -> tuple[float, Array]:
    """The learning rate that is best for an arm on the tuning seeds, and ``what`` on the others.

    ``table``: the rows of one data set and root of the study. ``by``: a loss is minimised, an
    accuracy maximised; a rate at which a network diverged is out.
    """
    rows = table[table.arm == arm]
    sign = -1 if "loss" in by else 1
    score = sign * rows[rows.tuning].groupby("lr")[by].apply(lambda v: v.mean(skipna=False))
    best = float(score.idxmax())
    chosen = rows[~rows.tuning & (rows.lr == best)].sort_values("seed")
    return best, chosen[what].to_numpy(np.float64)


# --- Claims ---------------------------------------------------------------------------------------


def _stuck(root: int, level: Level) -> Evidence:
    moved = stuck(tuple(root_seeds(root)))[1]
    if not moved["tanh"]:
        raise RuntimeError("not even the weights of the tanh networks moved: the run was broken.")
    notes = {"largest change in the tanh networks": moved["tanh"]}
    change = Measured.exact({"step networks": moved["binary_step"]}, notes=notes)
    return {"largest change of a hidden weight": change}


def _classes(root: int, level: Level) -> Evidence:
    from actlab import ensemble

    result = ensemble.train(
        datasets.load("digits"),
        arms=["binary_step"],
        seeds=root_seeds(root),
        hidden=(256,),
        init="glorot_uniform",
        lr=0.03,
        keep_weights=False,
        progress=False,
    )
    found = stats.mean_interval(100 * result.by_arm()["binary_step"], level(1))
    return {"test accuracy": Measured.of({"digits": found}, "data")}


def _borrowed(root: int, level: Level) -> Evidence:
    gain, notes = {}, {}
    for name, table in tables(root).items():
        ours, theirs = (100 * tuned(table, arm)[1] for arm in ("borrowed slope", "step"))
        gain[TITLES[name]] = stats.paired_difference(ours, theirs, level(len(TITLES)))
        notes[TITLES[name]] = {"borrowed slope": ours.mean(), "stuck": theirs.mean()}
    return {"gain from a borrowed slope": Measured.of(gain, "data", notes=notes)}


STUCK = Experiment(
    prose=(
        "Two hidden layers of 64 on the digits, ten epochs, 20 seeds; step networks, and tanh "
        "networks from the same start, whose weights do move: the largest change of any hidden "
        "weight or bias."
    ),
    scope="Small step networks · digits · 20 seeds",
    measure=_stuck,
)
CLASSES = Experiment(
    prose=(
        "One hidden layer of 256 steps on the digits (ten classes), ten epochs, 20 seeds; guessing "
        "gives 10 %."
    ),
    scope="Small step networks · digits · 20 seeds",
    measure=_classes,
)
BORROWED = Experiment(
    prose=(
        "Step networks (two hidden layers of 64) on digits and MNIST-1D (1,000 training examples) "
        "as they are, and with the slope of a ramp put in on the way back; learning rate of each "
        "tuned on 20 other seeds, 20 seeds, paired."
    ),
    scope="Small step networks · digits, MNIST-1D · 20 seeds",
    measure=_borrowed,
    study="linear_and_step",
)
