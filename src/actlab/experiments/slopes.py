"""Slopes that are learned, drawn or fixed: where they go, and when which of them is worth it."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import (
    LEAKY,
    LEAKY_ARMS,
    LONGEST,
    PATIENCE,
    RANDOM_SLOPES,
    SEEDS,
    SPLITS,
    TITLES,
    Ahead,
    accuracies,
    leaky,
    method,
    over_splits,
    prelu,
    rrelu,
    splits_of,
)
from actlab.experiments.seeds import root_seeds
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load, part_of
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from actlab.ensemble import Result

# --- Where learned slopes go ----------------------------------------------------------------------


def learned(result: Result) -> Array:
    """The slopes of trained PReLU networks, one per layer: (networks, layers)."""
    from torch import nn

    return np.array(
        [
            [unit.weight.item() for unit in network or () if isinstance(unit, nn.PReLU)]
            for network in result.networks
        ]
    )


def slopes_cell(data: str, depth: int, *, of: str) -> pd.DataFrame:
    """The PReLU networks of the contest ``of`` once more: one row per network and layer."""
    from actlab import ensemble

    rate = load(LEAKY.name, data=data, depth=depth, arm="PReLU").lr.iloc[0]
    tables = []
    for split, part in enumerate(splits_of(data, **LEAKY.settings["options"][data])):
        result = ensemble.train(
            part,
            arms={"PReLU": {**LEAKY_ARMS["PReLU"], "lr": float(rate)}},
            hidden=(LEAKY.settings["width"],) * depth,
            seeds=range(SEEDS),
            epochs=LONGEST,
            patience=PATIENCE,
            progress=False,
            **LEAKY.settings["common"],
        )
        seed, layer = np.meshgrid(result.seed_of, range(1, depth + 1), indexing="ij")
        columns = {
            "split": split,
            "seed": seed.ravel(),
            "layer": layer.ravel(),
            "slope": learned(result).ravel(),
            "accuracy": np.repeat(result.test_accuracy, depth),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


DEPTH = 10
LEARNED = Study(
    name="prelu_slopes",
    title="Slopes that the PReLU networks of the contest learn",
    task=slopes_cell,
    axes={"data": LEAKY.axes["data"], "depth": (DEPTH,)},
    settings={"of": LEAKY.digest},
)


@experiment(
    f"The PReLU networks of this contest: {LEAKY.title.lower()}. {method(PATIENCE)} Rank "
    "correlation of learned slope and layer in each of them.",
    Ahead(LEAKY, "PReLU", over="ReLU").scope,
    LEARNED.name,
)
def falling(root: int, level: Level) -> Evidence:
    """Rank correlation of slope and layer in each network; whatever the ``root``."""
    from scipy.stats import spearmanr

    def rank_correlation(slopes: Array) -> float:
        return float(spearmanr(range(DEPTH), slopes).statistic)

    table = load(LEARNED.name)
    cases: dict[Case, Interval] = {}
    for data in LEARNED.axes["data"]:
        slopes = [grid_of(table, "slope", data=data, layer=1 + i) for i in range(DEPTH)]
        found = np.apply_along_axis(rank_correlation, 0, slopes)
        cases[TITLES[data], str(DEPTH)], _ = over_splits(found, level(len(LEARNED.axes["data"])))
    notes = {
        "slopes below 0 (%)": 100 * float((table.slope < 0).mean()),
        "slopes above 1 (%)": 100 * float((table.slope > 1).mean()),
    }
    return {"rank correlation of slope and layer": Measured(cases, ("data", "depth"), notes=notes)}


@experiment(
    f"{LEAKY.title}; {LEAKY.words()}. {method(PATIENCE)} How much the lead over ReLU varies "
    "between the six settings, as a standard deviation: PReLU's divided by that of every other "
    "arm; interval by the jackknife over the splits.",
    falling.scope,
    LEAKY.name,
)
def spread(root: int, level: Level) -> Evidence:
    """Spread over the settings of PReLU's lead over ReLU, relative to each other arm's.

    The interval is that of the jackknife over the splits, of the logarithm.
    """
    table = load(LEAKY.name)
    places = list(itertools.product(LEAKY.axes["data"], LEAKY.axes["depth"]))

    def scores(arm: str) -> Array:
        return np.array([accuracies(table, arm, data=name, depth=n) for name, n in places])

    leads = {arm: np.nanmean(scores(arm) - scores("ReLU"), axis=2) for arm in LEAKY_ARMS}

    def spread(arm: str, without: Any = ()) -> float:
        return float(np.delete(leads[arm], without, axis=1).mean(1).std(ddof=1))

    rivals = [arm for arm in LEAKY_ARMS if arm not in ("ReLU", "PReLU")]
    cases: dict[str, Interval] = {}
    for rival in rivals:
        ratio, *others = (
            math.log(spread("PReLU", without) / spread(rival, without))
            for without in ((), *range(SPLITS))
        )
        pseudo = [SPLITS * ratio - (SPLITS - 1) * other for other in others]
        found = stats.mean_interval(pseudo, level(len(rivals)))
        half = found.high - found.mean
        mean, low, high = (math.exp(ratio + by) for by in (0, -half, half))
        cases[rival] = Interval(mean, low, high, SPLITS * SEEDS, confidence=found.confidence)
    spreads = {arm: spread(arm) for arm in LEAKY_ARMS if arm != "ReLU"}
    notes = {"spread of the lead over ReLU (points)": spreads}
    return {"relative spread of the lead": Measured.of(cases, "rival", notes=notes)}


# --- Fixed, learned, random: the same mean slope, more and more data ------------------------------

MEAN_SLOPE = sum(RANDOM_SLOPES) / 2
KINDS: dict[str, dict[str, Any]] = {
    "fixed": leaky(MEAN_SLOPE),
    "learned": prelu(MEAN_SLOPE),
    "random": rrelu(),
}
# Examples that differ; they are repeated until an epoch is as long as the largest size.
SIZES = {"mnist1d": (200, 600, 3_000), "fashion_mnist": (160, 1_280, 10_240)}
EPOCHS = {"mnist1d": 20, "fashion_mnist": 5}  # 940 and 800 updates, whatever the size
RATES = (0.005, 0.015, 0.05, 0.15)


def repeated(name: str, size: int) -> tuple[Any, ...]:
    """``size`` training examples, repeated to the length of the largest size of that data set.

    And at most 1,000 validation examples; the test set is whole.
    """
    data = datasets.load(name, size=size)
    copies = SIZES[name][-1] // size
    return (
        *(np.tile(data.x_train, (copies, 1)), np.tile(data.y_train, copies)),
        *(data.x_valid[:1_000], data.y_valid[:1_000]),
        *(data.x_test, data.y_test),
    )


def sizes_cell(data: str, size: int, root: int, arm: str) -> pd.DataFrame:
    """One row per network: accuracies, ``train_loss`` (of the last epoch) and ``test_loss``.

    At the best of four rates on five seeds of their own; ``edge``: it is the first or the last.
    """
    from actlab import ensemble

    part = repeated(data, size)
    run: dict[str, Any] = {"epochs": EPOCHS[data], "progress": False}
    arms = {arm: {**KINDS[arm], "hidden": (64,) * 3, "batch_size": 64}}
    tuning = range(1000 * root + 500, 1000 * root + 505)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the edge is recorded instead
        tuned = ensemble.tune(part, arms=arms, lrs=RATES, seeds=tuning, **run)
    result = ensemble.train(
        part, arms=tuned.arms, seeds=root_seeds(root), keep_weights=False, **run
    )
    table = result.to_frame().drop(columns=["best_epoch", "valid_loss"])
    return table.assign(lr=tuned.lr[arm], edge=bool(tuned.at_edge))


BY_SIZE = Study(
    name="leaky_sizes",
    title="Fixed, learned and random slopes of the same mean, training sets of growing size",
    task=sizes_cell,
    axes={
        "data": tuple(SIZES),
        "size": tuple(sorted(size for sizes in SIZES.values() for size in sizes)),
        "root": (0, 1),
        "arm": tuple(KINDS),
    },
    only=lambda cell: cell["size"] in SIZES[cell["data"]],
)
STUDIES = (LEARNED, BY_SIZE)


def advantage(table: pd.DataFrame, name: str, arm: str) -> Array:
    """An arm minus the fixed slope in points, (seeds, sizes); a diverged network is at chance."""
    chance = 0.1  # ten classes of about equal size
    ours, fixed = (
        np.nan_to_num(
            grid_of(table, "test_accuracy", "seed", "size", data=name, arm=one), nan=chance
        )
        for one in (arm, "fixed")
    )
    return 100 * (ours - fixed)


_SIZES = (
    "A slope fixed at RReLU's mean, one learned from there, and RReLU, each with its own start "
    "and learning rate (of four, by five other seeds); three hidden layers, the same number of "
    "updates on training sets of growing size (MNIST-1D 200 to 3,000, Fashion-MNIST 160 to "
    "10,240); 20 seeds, paired."
)
_SCOPE = "Three fully connected layers of 64 · MNIST-1D, Fashion-MNIST · one split, 20 seeds"


@experiment(
    f"{_SIZES} Test accuracy with the learned slope minus that with the fixed one.",
    _SCOPE,
    BY_SIZE.name,
)
def large(root: int, level: Level) -> Evidence:
    """Learned minus fixed: how it grows with ten times the data, and at the largest size."""
    table, growth, largest = load(BY_SIZE.name, root=root), {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(table, name, "learned")
        per_tenfold = np.polyfit(np.log10(sizes), ahead.T, 1)[0]  # one slope per seed
        growth[TITLES[name]] = stats.mean_interval(per_tenfold, level(len(SIZES)))
        largest[TITLES[name]] = stats.mean_interval(ahead[:, -1], level(len(SIZES)))
    return {
        "lead at the largest size": Measured.of(largest, "data"),
        "growth of the lead for ten times the data": Measured.of(growth, "data"),
    }


@experiment(
    f"{_SIZES} Test accuracy with the random slope minus that with the fixed one on the smallest "
    "sets, where the networks overfit most.",
    _SCOPE,
    BY_SIZE.name,
)
def overfitted(root: int, level: Level) -> Evidence:
    """Random minus fixed at the smallest size, where the networks overfit most."""
    table, cases, gaps = load(BY_SIZE.name, root=root), {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(table, name, "random")[:, 0]
        cases[TITLES[name]] = stats.mean_interval(ahead, level(len(SIZES)))
        part = part_of(table, data=name, size=sizes[0])
        gap = (part.test_loss - part.train_loss).groupby(part.arm).mean()
        gaps[TITLES[name]] = {arm: float(gap[arm]) for arm in ("fixed", "random")}
    notes = {"test loss minus training loss": gaps}
    return {"lead on the smallest training set": Measured.of(cases, "data", notes=notes)}
