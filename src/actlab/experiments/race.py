"""How many steps it takes to a target: curves that differ in their offset, or in their slope."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from actlab.experiments.contest import (
    FAIR,
    OPTIONS,
    SEEDS,
    SPLITS,
    TITLES,
    TUNING_SEEDS,
    over_splits,
)
from actlab.stats import Interval
from actlab.study import Study, grid_of, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from actlab.ensemble import Snapshot

Array = npt.NDArray[np.float64]


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

    @property
    def offset(self) -> float:
        """What it sends up at 0."""
        return self.height * {"tanh": 0.0, "sigmoid": 0.5}[self.base] + self.lift

    @property
    def centred(self) -> bool:
        """Whether it passes through the origin."""
        return self.offset == 0

    def bias(self, weights: Tensor, layer: int) -> Tensor:
        """Where every network starts: at 0, or, where the offset is undone, less what it adds."""
        undo: Tensor = -self.offset * weights.sum(1) * (self.undone and layer > 0)
        return undo


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
STEPS, EVERY = 400, 5
# The lifted ones once more, with biases that undo the lift.
SAME_START = {
    **CURVES,
    **{f"{lifted}, undone": replace(CURVES[lifted], undone=True) for _, lifted in LIFTED},
}
SEVERAL = {"digits": (0.9, 0.95), "mnist1d": (0.3, 0.4)}


def settings_of(curve: Curve) -> dict[str, Any]:
    """The settings of an arm: the curve, LeCun's weights times its gain, its biases."""
    bias = curve.bias if curve.undone else None
    return {"activation": curve, "init": "lecun_normal", "gain": curve.gain, "bias": bias}


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
    batch_size: int = 64,
    **settings: Any,
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
        epochs=math.ceil(steps * batch_size / len(data.y_train)),
        hidden=tuple(hidden),
        batch_size=batch_size,
        probe=validation_accuracy,
        probe_at=range(EVERY, steps + 1, EVERY),
        probe_data=(data.x_valid[:1_000], data.y_valid[:1_000]),
        keep_weights=False,
        progress=False,
        **settings,
    )
    found = []
    for target in targets:
        rows = []
        for arm in result.arms:
            there = result.probe("accuracy", arm) >= target  # NaN where it diverged: never
            looks = np.append(result.probe_steps(arm), steps + EVERY)
            rows.append(looks[np.where(there.any(1), there.argmax(1), len(looks) - 1)])
        found.append(rows)
    seen = [np.nan_to_num(result.probe("accuracy", arm)).max(1) for arm in result.arms]
    return np.array(found), np.array(seen, dtype=np.float64)


def race_cell(
    own: Mapping[str, Any], splits: Sequence[Any], goals: Sequence[float], **options: Any
) -> pd.DataFrame:
    """The rate of fewest steps to the farthest target over all splits, then other networks.

    Of rates with which nobody arrives the one that comes nearest is chosen: by the accuracy, as the
    steps are equal. One row per network and target.
    """
    import pandas as pd

    from actlab.ensemble.search import search

    tuning = range(1000, 1000 + TUNING_SEEDS)

    def score(rates: Sequence[float]) -> dict[float, Array]:
        tried = [race(part, own, tuning, rates, targets=[max(goals)], **options) for part in splits]
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
    from actlab import data as datasets

    splits = [datasets.load(data, seed=split) for split in range(SPLITS)]
    return race_cell(settings_of(SAME_START[curve]), splits, targets[data])


def kinds_cell(
    data: str, depth: int, arm: str, *, targets: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """One of :data:`~actlab.experiments.contest.FAIR` on one data set, in one depth."""
    from actlab import data as datasets

    options = OPTIONS.get(data, {})
    splits = [datasets.load(data, seed=split, **options) for split in range(SPLITS)]
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
    axes={"data": tuple(SEVERAL), "depth": (8,), "arm": ("elu", "relu")},
    settings={"targets": SEVERAL},
)
STUDIES = (RACE, KINDS)


def steps_to(table: pd.DataFrame, **where: Any) -> Array:
    """Steps of one arm to one target, (splits, seeds)."""
    return grid_of(table, "steps", **where)


def _over_splits(ratios: Array, confidence: float) -> Interval:
    """Their geometric mean, over seeds and splits."""
    found, _ = over_splits(np.log(ratios), confidence)
    mean, low, high = map(math.exp, (found.mean, found.low, found.high))
    return Interval(mean, low, high, found.n, confidence=confidence)


def _goals(targets: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    return [(data, goal) for data, goals in targets.items() for goal in goals]


_TUNED = (
    f"Data split in {SPLITS} ways, {SEEDS} seeds each, paired; each with the learning rate of "
    f"fewest steps to the farther target among {SPLITS * TUNING_SEEDS} other networks. Steps are "
    "looked at five by five; networks that do not arrive within 400 count with 405; geometric "
    "means. Every interval is widened to cover what is found without any one split."
)


def times_as_many(
    table: pd.DataFrame, data: str, target: float, pair: tuple[str, str], confidence: float = 0.95
) -> Interval:
    """How many times as many steps the second curve of ``pair`` needs as the first, paired."""
    fewer, more = (steps_to(table, data=data, target=target, curve=curve) for curve in pair)
    return _over_splits(more / fewer, confidence)


def _lifting(root: int, level: Level) -> Evidence:
    """Steps of the lifted curve over those of its centred twin; whatever the ``root``."""
    table = load(RACE.name)
    starts = {"weights": "", "function": ", undone"}
    keys = list(itertools.product(_goals(SEVERAL), LIFTED, starts.items()))
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
            for data, goal in _goals(SEVERAL)
        },
        "share that arrives": {
            f"{curve}, {TITLES[data]}, {100 * goal:g} %": float(share)
            for (data, goal, curve), share in arrived.items()
            if share < 1
        },
    }
    return {"ratio of steps": Measured(cases, ("data", "target", "curve", "same"), notes=notes)}


LIFTING = Experiment(
    prose=(
        "Four pairs of curves that differ by a constant only, in five hidden layers of 64: steps "
        "of the lifted one over those of its centred twin, until 90 and 95 % validation accuracy "
        "on digits, 30 and 40 % on MNIST-1D. Both start from the same weights and biases of 0; "
        "and once more as the same function: biases that take the lift away at the start. "
        f"{_TUNED}"
    ),
    scope=f"Five hidden layers of 64 units · two data sets · {SPLITS} splits, {SEEDS} seeds each",
    measure=_lifting,
    study=RACE.name,
)

# --- ELU and ReLU ---------------------------------------------------------------------------------


def _saved(root: int, level: Level) -> Evidence:
    """Steps that ELU saves, in per cent of ReLU's; whatever the ``root``."""
    table = load(KINDS.name)
    targets: Mapping[str, Sequence[float]] = KINDS.settings["targets"]
    sure = level(len(_goals(targets)) * len(KINDS.axes["depth"]))
    cases: dict[Case, Interval] = {}
    for data, target in _goals(targets):
        for depth in KINDS.axes["depth"]:
            elu, relu = (
                steps_to(table, data=data, target=target, depth=depth, arm=arm)
                for arm in ("elu", "relu")
            )
            ratio = _over_splits(elu / relu, sure)
            mean, high, low = (100 * (1 - value) for value in (ratio.mean, ratio.low, ratio.high))
            case = (TITLES[data], str(depth), f"{100 * target:g} %")
            cases[case] = Interval(mean, low, high, ratio.n, confidence=sure)
    return {"share of steps saved": Measured(cases, ("data", "depth", "target"))}


FASTER = Experiment(
    prose=(
        "Eight hidden layers of 64, He's start, on digits (until 90 and 95 % validation accuracy) "
        "and 2,000 examples of MNIST-1D (30 and 40 %): the share of ReLU's steps that ELU saves. "
        f"{_TUNED}"
    ),
    scope=f"Small fully connected networks · two data sets · {SPLITS} splits, {SEEDS} seeds each",
    measure=_saved,
    study=KINDS.name,
)
