"""How many steps it takes to a target: curves that differ in their offset, or in their slope."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.experiments import contest
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load, table_of
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

    from actlab.ensemble import Snapshot


@dataclass(frozen=True)
class Curve:
    """height · base(stretch · z) + lift; ``gain``: on the weights it starts from, LeCun's."""

    base: Literal["tanh", "sigmoid"]
    stretch: float = 1.0
    height: float = 1.0
    lift: float = 0.0
    gain: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        """Any shape."""
        bent: Tensor = getattr(self.stretch * z, self.base)()
        return self.height * bent + self.lift

    def undo(self, weights: Tensor, layer: int) -> Tensor:
        """The biases of a layer (not the first) that take away what the curve sends up at 0."""
        return -self(weights.new_zeros(())) * weights.sum(1) * (layer > 0)


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
SAME_START: dict[str, dict[str, Any]] = {
    name: {"activation": curve, "init": "lecun_normal", "gain": curve.gain, "hidden": (64,) * 5}
    for name, curve in CURVES.items()
}
# The lifted ones once more: as the same function at the start as their centred twins.
SAME_START |= {
    f"{lifted}, undone": {**SAME_START[lifted], "bias": CURVES[lifted].undo} for _, lifted in LIFTED
}

SEVERAL = {"digits": (0.9, 0.95), "mnist1d": (0.3, 0.4)}
GOALS = {  # data set and target → how a reader hears them
    (data, target): (contest.TITLES[data], f"{100 * target:g} %")
    for data, targets in SEVERAL.items()
    for target in targets
}
STEPS, EVERY = 400, 5
DEPTH = 8  # of the race between ELU and ReLU
Floats = Sequence[float]


def validation_accuracy(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the share of the probe data that each network is right about."""
    x, y = snapshot.data.x, snapshot.data.y
    logits = snapshot.networks.forward(x.mT.expand(len(snapshot.networks), -1, -1), "observe")
    return {"accuracy": (logits.argmax(1) == y).double().mean(1)}


def race(
    data: Any, own: Mapping[str, Any], seeds: Iterable[int], rates: Floats, targets: Floats
) -> tuple[npt.NDArray[np.int64], Array]:
    """Steps until the validation accuracy first reaches each target: (targets, rates, seeds).

    Of an arm with the settings ``own``; looked for every ``EVERY`` steps, on at most 1,000
    examples; ``STEPS + EVERY`` where it is not reached. Also returns the highest accuracy that was
    seen, (rates, seeds); 0 where a network diverged.
    """
    from actlab import ensemble

    at = range(EVERY, STEPS + 1, EVERY)
    run: dict[str, Any] = {"batch_size": 64, "epochs": math.ceil(STEPS * 64 / len(data.y_train))}
    run |= {"probe": validation_accuracy, "probe_at": at, "keep_weights": False, "progress": False}
    run["probe_data"] = data.x_valid[:1_000], data.y_valid[:1_000]
    arms = {f"{rate:g}": {**own, "lr": rate} for rate in rates}
    result = ensemble.train(data, arms=arms, seeds=seeds, **run)
    seen = [result.probe("accuracy", arm) for arm in result.arms]  # (seeds, looks), NaN: diverged
    looks = np.array([*at, STEPS + EVERY])

    def first(there: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return looks[np.where(there.any(1), there.argmax(1), -1)]

    needed = np.array([[first(one >= target) for one in seen] for target in targets])
    return needed, np.array([np.nan_to_num(one).max(1) for one in seen])


def race_cell(own: Mapping[str, Any], splits: list[Any], goals: Floats) -> pd.DataFrame:
    """The rate of fewest steps to the farthest target over all splits, then other networks.

    Of rates with which nobody arrives the one that comes nearest is chosen: by the accuracy, as the
    steps are equal. One row per network and target.
    """
    from actlab.ensemble.search import search

    def score(rates: Floats) -> dict[float, Array]:
        tried = [race(part, own, contest.TUNING, rates, [max(goals)]) for part in splits]
        steps, highest = (np.concatenate(found, axis=-1) for found in zip(*tried, strict=True))
        return dict(zip(rates, np.stack([-steps[0], highest], axis=-1), strict=True))

    chosen = search(score)
    seeds = range(contest.SEEDS)
    steps = [race(part, own, seeds, [chosen.rate], goals)[0][:, 0] for part in splits]
    columns = {"lr": chosen.rate, "edge": chosen.at_edge, "steps": steps}
    return table_of(columns, split=range(len(splits)), target=goals, seed=seeds)


def same_start_cell(data: str, curve: str, *, targets: Mapping[str, Floats]) -> pd.DataFrame:
    """One of :data:`SAME_START` on one data set."""
    return race_cell(SAME_START[curve], contest.splits_of(data), targets[data])


def kinds_cell(data: str, depth: int, arm: str, *, targets: Mapping[str, Floats]) -> pd.DataFrame:
    """One of :data:`~actlab.experiments.contest.FAIR` on one data set, in one depth."""
    splits = contest.splits_of(data, **contest.OPTIONS.get(data, {}))
    return race_cell({**contest.FAIR[arm], "hidden": (64,) * depth}, splits, targets[data])


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


def times_as_many(
    table: pd.DataFrame, data: str, target: float, pair: tuple[str, str], confidence: float = 0.95
) -> Interval:
    """How many times as many steps the second curve needs as the first: paired geometric mean."""
    fewer, more = (grid_of(table, "steps", data=data, target=target, curve=curve) for curve in pair)
    found, _ = contest.over_splits(np.log(more / fewer), confidence)
    mean, low, high = map(math.exp, (found.mean, found.low, found.high))
    return Interval(mean, low, high, found.n, confidence=confidence)


_TUNED = (
    f"Data split in {contest.SPLITS} ways, {contest.SEEDS} seeds each, paired; each with the "
    "learning rate of fewest steps to the farther target among "
    f"{contest.SPLITS * contest.TUNING_SEEDS} other networks. Steps are looked at five by five; "
    "networks that do not arrive within 400 count with 405; geometric means. Every interval is "
    "widened to cover what is found without any one split."
)
_ON = f"two data sets · {contest.SPLITS} splits, {contest.SEEDS} seeds each"


@experiment(
    "Four pairs of curves that differ by a constant only, in five hidden layers of 64: steps of "
    "the lifted one over those of its centred twin, until 90 and 95 % validation accuracy on "
    "digits, 30 and 40 % on MNIST-1D. Both start from the same weights and biases of 0; and once "
    f"more as the same function: biases that take the lift away at the start. {_TUNED}",
    f"Five hidden layers of 64 units · {_ON}",
    RACE.name,
)
def lifting(root: int, level: Level) -> Evidence:
    table = load(RACE.name)
    keys = list(itertools.product(GOALS, LIFTED, (("weights", ""), ("function", ", undone"))))
    cases: dict[Case, Interval] = {
        (*GOALS[goal], lifted, start): times_as_many(
            table, *goal, (centred, lifted + suffix), level(len(keys))
        )
        for goal, (centred, lifted), (start, suffix) in keys
    }
    arrived = (table.steps <= STEPS).groupby([table.curve, table.data, table.target]).mean()
    flattened = ("σ(4x) − ½", "σ(x) − ½")  # both centred, the same range; slope 1 against 1/4
    notes = {
        "of a slope four times smaller": {
            ", ".join(case): times_as_many(table, *goal, flattened).mean
            for goal, case in GOALS.items()
        },
        "share that arrives": {
            ", ".join((curve, *GOALS[data, target])): float(share)
            for (curve, data, target), share in arrived[arrived < 1].items()
        },
    }
    return {"ratio of steps": Measured(cases, ("data", "target", "curve", "same"), notes=notes)}


@experiment(
    "Eight hidden layers of 64, He's start, on digits (until 90 and 95 % validation accuracy) and "
    f"2,000 examples of MNIST-1D (30 and 40 %): the share of ReLU's steps that ELU saves. {_TUNED}",
    f"Small fully connected networks · {_ON}",
    KINDS.name,
)
def faster(root: int, level: Level) -> Evidence:
    table, sure = load(KINDS.name).rename(columns={"arm": "curve"}), level(len(GOALS))
    cases: dict[Case, Interval] = {}
    for goal, (data, target) in GOALS.items():
        left = times_as_many(table, *goal, ("relu", "elu"), sure)
        mean, low, high = (100 * (1 - share) for share in (left.mean, left.high, left.low))
        cases[data, str(DEPTH), target] = Interval(mean, low, high, left.n, confidence=sure)
    return {"share of steps saved": Measured(cases, ("data", "depth", "target"))}
