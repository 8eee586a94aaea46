"""How many steps it takes to a target: curves that differ in their offset, or in their slope."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.experiments.contest import (
    FAIR,
    OPTIONS,
    SEEDS,
    SPLITS,
    TITLES,
    TUNING,
    TUNING_SEEDS,
    over_splits,
    splits_of,
)
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

    from actlab.ensemble import Snapshot


@dataclass(frozen=True)
class Curve:
    """height · base(stretch · z) + lift; ``gain``: on the weights it starts from, LeCun's.

    ``undone``: the biases take away at the start what the curve sends up at 0, so that the network
    starts as the same function as that of its centred twin.
    """

    base: Literal["tanh", "sigmoid"]
    stretch: float = 1.0
    height: float = 1.0
    lift: float = 0.0
    gain: float = 1.0
    undone: bool = False

    def __call__(self, z: Tensor) -> Tensor:
        """Any shape."""
        bent: Tensor = getattr(self.stretch * z, self.base)()
        return self.height * bent + self.lift

    def undo(self, weights: Tensor, layer: int) -> Tensor:
        """The biases of a layer (not the first) that take away what the curve sends up at 0."""
        return -self(weights.new_zeros(())) * weights.sum(1) * (layer > 0)

    @property
    def settings(self) -> dict[str, Any]:
        """Those of an arm: the curve, LeCun's weights times its gain, its biases."""
        bias = self.undo if self.undone else None
        return {"activation": self, "init": "lecun_normal", "gain": self.gain, "bias": bias}


CURVES: dict[str, Curve] = {
    "tanh": Curve("tanh"),
    "tanh + 1": Curve("tanh", lift=1),
    "σ(4x) − ½": Curve("sigmoid", stretch=4, lift=-0.5),
    "σ(4x)": Curve("sigmoid", stretch=4),
    "2σ(x) − 1": Curve("sigmoid", height=2, lift=-1),
    "σ(x) − ½": Curve("sigmoid", lift=-0.5),
    "σ(x)": Curve("sigmoid"),
    "σ(x) − ½, weights × 4": Curve("sigmoid", lift=-0.5, gain=4),
    "σ(x), weights × 4": Curve("sigmoid", gain=4),
}
# Each pair has the same curve and the same start; only the offset differs.
LIFTED = (
    ("tanh", "tanh + 1"),
    ("σ(4x) − ½", "σ(4x)"),
    ("σ(x) − ½", "σ(x)"),
    ("σ(x) − ½, weights × 4", "σ(x), weights × 4"),
)
FLATTENED = ("σ(4x) − ½", "σ(x) − ½")  # both centred, the same range; slope 1 against 1/4
# The lifted ones once more, with biases that undo the lift.
SAME_START = {
    **CURVES,
    **{f"{lifted}, undone": replace(CURVES[lifted], undone=True) for _, lifted in LIFTED},
}
SEVERAL = {"digits": (0.9, 0.95), "mnist1d": (0.3, 0.4)}
GOALS = [(data, target) for data, targets in SEVERAL.items() for target in targets]
STEPS, EVERY = 400, 5
DEPTH = 8  # of the race between ELU and ReLU


def validation_accuracy(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the share of the probe data that each network is right about."""
    x, y = snapshot.data.x, snapshot.data.y
    logits = snapshot.networks.forward(x.mT.expand(len(snapshot.networks), -1, -1), "observe")
    return {"accuracy": (logits.argmax(1) == y).double().mean(1)}


def race(
    data: Any,
    own: Mapping[str, Any],
    seeds: Iterable[int],
    rates: Sequence[float],
    *,
    targets: Sequence[float],
    steps: int = STEPS,
    hidden: Sequence[int] = (64,) * 5,
) -> tuple[npt.NDArray[np.int64], Array]:
    """Steps until the validation accuracy first reaches each target: (targets, rates, seeds).

    ``own``: the arm's settings. Looked for after every ``EVERY`` steps, on at most 1,000 examples;
    ``steps + EVERY`` where it is not reached. Also returns the highest accuracy that was seen,
    (rates, seeds); 0 where a network diverged.
    """
    from actlab import ensemble

    result = ensemble.train(
        data,
        arms={f"{rate:g}": {**own, "lr": rate} for rate in rates},
        seeds=seeds,
        epochs=math.ceil(steps * 64 / len(data.y_train)),
        hidden=tuple(hidden),
        batch_size=64,
        probe=validation_accuracy,
        probe_at=range(EVERY, steps + 1, EVERY),
        probe_data=(data.x_valid[:1_000], data.y_valid[:1_000]),
        keep_weights=False,
        progress=False,
    )
    first, highest = [], []
    for arm in result.arms:
        seen = result.probe("accuracy", arm)  # (seeds, looks); NaN where it diverged: never there
        looks = np.append(result.probe_steps(arm), steps + EVERY)
        there = [seen >= target for target in targets]
        first.append([looks[np.where(yes.any(1), yes.argmax(1), -1)] for yes in there])
        highest.append(np.nan_to_num(seen).max(1))
    return np.moveaxis(np.array(first), 0, 1), np.array(highest, dtype=np.float64)


def race_cell(
    own: Mapping[str, Any], splits: Sequence[Any], goals: Sequence[float], **options: Any
) -> pd.DataFrame:
    """The rate of fewest steps to the farthest target over all splits, then other networks.

    Of rates with which nobody arrives the one that comes nearest is chosen: by the accuracy, as the
    steps are equal. One row per network and target.
    """
    from actlab.ensemble.search import search

    def score(rates: Sequence[float]) -> dict[float, Array]:
        tried = [race(part, own, TUNING, rates, targets=[max(goals)], **options) for part in splits]
        fewest = -np.concatenate([steps[0] for steps, _ in tried], axis=1).astype(float)
        highest = np.concatenate([seen for _, seen in tried], axis=1)
        return dict(zip(rates, np.stack([fewest, highest], axis=2), strict=True))

    chosen = search(score)
    tables = []
    for i, part in enumerate(splits):
        found, _ = race(part, own, range(SEEDS), [chosen.rate], targets=goals, **options)
        row = {"split": i, "lr": chosen.rate, "edge": chosen.at_edge, "seed": range(SEEDS)}
        for target, (steps,) in zip(goals, found, strict=True):
            tables.append(pd.DataFrame({**row, "target": target, "steps": steps}))
    return pd.concat(tables, ignore_index=True)


def same_start_cell(
    data: str, curve: str, *, targets: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """One of :data:`SAME_START` on one data set."""
    return race_cell(SAME_START[curve].settings, splits_of(data), targets[data])


def kinds_cell(
    data: str, depth: int, arm: str, *, targets: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """One of :data:`~actlab.experiments.contest.FAIR` on one data set, in one depth."""
    splits = splits_of(data, **OPTIONS.get(data, {}))
    return race_cell(FAIR[arm], splits, targets[data], hidden=(64,) * depth)


RACE = Study(
    name="race_same_start",
    title="Steps to two targets: lifted curves, also with biases that undo the lift",
    task=same_start_cell,
    axes={"data": tuple(SEVERAL), "curve": tuple(SAME_START)},
    settings={"targets": SEVERAL},
)
KINDS = Study(
    name="race_elu",
    title="Steps to two targets: ELU and ReLU",
    task=kinds_cell,
    axes={"data": tuple(SEVERAL), "depth": (DEPTH,), "arm": ("elu", "relu")},
    settings={"targets": SEVERAL},
)
STUDIES = (RACE, KINDS)

_TUNED = (
    f"Data split in {SPLITS} ways, {SEEDS} seeds each, paired; each with the learning rate of "
    f"fewest steps to the farther target among {SPLITS * TUNING_SEEDS} other networks. Steps are "
    "looked at five by five; networks that do not arrive within 400 count with 405; geometric "
    "means. Every interval is widened to cover what is found without any one split."
)


def ratio(more: Array, fewer: Array, confidence: float = 0.95) -> Interval:
    """The geometric mean of ``more / fewer``, steps of (splits, seeds), over both."""
    found, _ = over_splits(np.log(more / fewer), confidence)
    mean, low, high = map(math.exp, (found.mean, found.low, found.high))
    return Interval(mean, low, high, found.n, confidence=confidence)


def times_as_many(
    table: pd.DataFrame, data: str, target: float, pair: tuple[str, str], confidence: float = 0.95
) -> Interval:
    """How many times as many steps the second curve of ``pair`` needs as the first, paired."""
    fewer, more = (grid_of(table, "steps", data=data, target=target, curve=curve) for curve in pair)
    return ratio(more, fewer, confidence)


@experiment(
    "Four pairs of curves that differ by a constant only, in five hidden layers of 64: steps of "
    "the lifted one over those of its centred twin, until 90 and 95 % validation accuracy on "
    "digits, 30 and 40 % on MNIST-1D. Both start from the same weights and biases of 0; and once "
    f"more as the same function: biases that take the lift away at the start. {_TUNED}",
    f"Five hidden layers of 64 units · two data sets · {SPLITS} splits, {SEEDS} seeds each",
    RACE.name,
)
def lifting(root: int, level: Level) -> Evidence:
    """Steps of the lifted curve over those of its centred twin; whatever the ``root``."""
    table = load(RACE.name)
    keys = list(itertools.product(GOALS, LIFTED, (("weights", ""), ("function", ", undone"))))
    cases: dict[Case, Interval] = {
        (TITLES[data], f"{100 * goal:g} %", lifted, start): times_as_many(
            table, data, goal, (centred, lifted + suffix), level(len(keys))
        )
        for (data, goal), (centred, lifted), (start, suffix) in keys
    }
    arrived = (table.steps <= STEPS).groupby([table.data, table.target, table.curve]).mean()
    notes = {
        "of a slope four times smaller": {
            f"{TITLES[data]}, {100 * goal:g} %": times_as_many(table, data, goal, FLATTENED).mean
            for data, goal in GOALS
        },
        "share that arrives": {
            f"{curve}, {TITLES[data]}, {100 * goal:g} %": float(share)
            for (data, goal, curve), share in arrived.items()
            if share < 1
        },
    }
    return {"ratio of steps": Measured(cases, ("data", "target", "curve", "same"), notes=notes)}


@experiment(
    "Eight hidden layers of 64, He's start, on digits (until 90 and 95 % validation accuracy) and "
    "2,000 examples of MNIST-1D (30 and 40 %): the share of ReLU's steps that ELU saves. "
    f"{_TUNED}",
    f"Small fully connected networks · two data sets · {SPLITS} splits, {SEEDS} seeds each",
    KINDS.name,
)
def faster(root: int, level: Level) -> Evidence:
    """Steps that ELU saves, in per cent of ReLU's; whatever the ``root``."""
    table = load(KINDS.name)
    sure = level(len(GOALS))
    cases: dict[Case, Interval] = {}
    for data, target in GOALS:
        elu, relu = (
            grid_of(table, "steps", data=data, target=target, arm=arm) for arm in ("elu", "relu")
        )
        left = ratio(elu, relu, sure)
        mean, low, high = (100 * (1 - share) for share in (left.mean, left.high, left.low))
        case = (TITLES[data], str(DEPTH), f"{100 * target:g} %")
        cases[case] = Interval(mean, low, high, left.n, confidence=sure)
    return {"share of steps saved": Measured(cases, ("data", "depth", "target"))}
