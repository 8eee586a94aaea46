"""Slopes that are learned, drawn or fixed: where they go, and when which of them is worth it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments import contest
from actlab.experiments.contest import LEAKY, SEEDS, SPLITS, TITLES
from actlab.stats import Array, Interval
from actlab.study import Study, StudyError, grid_of, load, part_of, root_seeds, table_of
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from actlab.ensemble import Result

# --- Where learned slopes go ----------------------------------------------------------------------


def learned(result: Result) -> Array:
    """The slopes of trained PReLU networks, one per layer: (networks, layers)."""
    from torch import nn

    units = [[u for u in network or () if isinstance(u, nn.PReLU)] for network in result.networks]
    return np.array([[unit.weight.item() for unit in own] for own in units])


def slopes_cell(data: str, depth: int, *, of: str) -> pd.DataFrame:
    """The PReLU networks of the contest with grid ``of`` once more: a row per network and layer."""
    rates = load(LEAKY.name, data=data, depth=depth, arm="PReLU")
    if rates.attrs["grid"] != of:
        raise StudyError(f"{LEAKY.name} has another grid now: run it first.")
    own = contest.networks(LEAKY.settings, "PReLU", depth) | {"lr": float(rates.lr.iloc[0])}
    splits = contest.splits_of(data, **LEAKY.settings["options"][data])
    results = [contest.trained(part, "PReLU", own) for part in splits]
    slopes = [learned(result) for result in results]
    columns = {"slope": slopes, "accuracy": [r.test_accuracy[:, None] for r in results]}
    return table_of(columns, split=range(len(splits)), seed=range(SEEDS), layer=range(1, depth + 1))


DEPTH = 10
LEARNED = Study(
    name="prelu_slopes",
    title="Slopes that the PReLU networks of the contest learn",
    task=slopes_cell,
    axes={"data": LEAKY.axes["data"], "depth": (DEPTH,)},
    settings={"of": LEAKY.digest},
)


@experiment(
    f"The PReLU networks of this contest: {LEAKY.title.lower()}. {contest.method()} Rank "
    "correlation of learned slope and layer in each of them.",
    contest.Ahead(LEAKY, "PReLU", over="ReLU").scope,
    LEARNED.name,
)
def falling(root: int, level: Level) -> Evidence:
    from scipy.stats import spearmanr

    table, layers = load(LEARNED.name), range(1, DEPTH + 1)
    sure = level(len(LEARNED.axes["data"]))
    cases: dict[Case, Interval] = {}
    for data in LEARNED.axes["data"]:
        slopes = [grid_of(table, "slope", data=data, layer=layer) for layer in layers]
        found = np.apply_along_axis(lambda own: spearmanr(layers, own).statistic, 0, slopes)
        cases[TITLES[data], str(DEPTH)], _ = contest.over_splits(found, sure)
    notes = {
        "slopes below 0 (%)": 100 * float((table.slope < 0).mean()),
        "slopes above 1 (%)": 100 * float((table.slope > 1).mean()),
    }
    return {"rank correlation of slope and layer": Measured(cases, ("data", "depth"), notes=notes)}


@experiment(
    f"{LEAKY.title}; {LEAKY.words()}. {contest.method()} How much the lead over ReLU varies "
    "between the six settings, as a standard deviation: PReLU's divided by that of every other "
    "arm; interval by the jackknife over the splits.",
    falling.scope,
    LEAKY.name,
)
def spread(root: int, level: Level) -> Evidence:
    table = load(LEAKY.name)
    parts = [part for _, part in table.groupby(["data", "depth"])]

    def spreads(arm: str) -> Array:
        """Over all splits, and without each of them: (1 + splits,)."""
        leads = [contest.accuracies(at, arm) - contest.accuracies(at, "ReLU") for at in parts]
        lead = np.nanmean(leads, axis=2)  # (settings, splits)
        kept = [lead, *(np.delete(lead, split, axis=1) for split in range(SPLITS))]
        return np.array([some.mean(1).std(ddof=1) for some in kept])

    found = {arm: spreads(arm) for arm in LEAKY.axes["arm"] if arm != "ReLU"}
    notes = {"spread of the lead over ReLU (points)": {a: float(x[0]) for a, x in found.items()}}
    ours = found.pop("PReLU")
    cases: dict[str, Interval] = {}
    for rival, its in found.items():
        ratio, *without = np.log(ours / its)
        pseudo = SPLITS * ratio - (SPLITS - 1) * np.array(without)  # as the jackknife asks
        around = stats.mean_interval(pseudo, level(len(found)))
        half = around.high - around.mean
        mean, low, high = np.exp([ratio, ratio - half, ratio + half]).tolist()
        cases[rival] = Interval(mean, low, high, SPLITS * SEEDS, confidence=around.confidence)
    return {"relative spread of the lead": Measured.of(cases, "rival", notes=notes)}


# --- Fixed, learned, random: the same mean slope, more and more data ------------------------------

MEAN_SLOPE = sum(contest.RANDOM_SLOPES) / 2
KINDS: dict[str, dict[str, Any]] = {
    "fixed": contest.leaky(MEAN_SLOPE),
    "learned": contest.prelu(MEAN_SLOPE),
    "random": contest.rrelu(),
}
# Examples that differ; they are repeated until an epoch is as long as the largest size.
SIZES = {"mnist1d": (200, 600, 3_000), "fashion_mnist": (160, 1_280, 10_240)}
EPOCHS = {"mnist1d": 20, "fashion_mnist": 5}  # 940 and 800 updates, whatever the size
RATES = (0.005, 0.015, 0.05, 0.15)


def repeated(name: str, size: int) -> tuple[Any, ...]:
    """``size`` training examples, repeated to the length of the largest size of that data set."""
    data = datasets.load(name, size=size)
    copies = SIZES[name][-1] // size
    train = np.tile(data.x_train, (copies, 1)), np.tile(data.y_train, copies)
    return *train, data.x_valid[:1_000], data.y_valid[:1_000], data.x_test, data.y_test


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
    result = ensemble.train(part, arms=tuned.arms, seeds=root_seeds(root), **run)
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
    filled = table.fillna({"test_accuracy": 0.1})  # ten classes of about equal size
    where = {"rows": "seed", "columns": "size", "data": name}
    ours, fixed = (grid_of(filled, "test_accuracy", arm=one, **where) for one in (arm, "fixed"))
    return 100 * (ours - fixed)


LARGEST, GROWTH = "lead at the largest size", "growth of the lead for ten times the data"
SMALLEST = "lead on the smallest training set"
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
    table, growth, largest = load(BY_SIZE.name, root=root), {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(table, name, "learned")
        largest[TITLES[name]] = ahead[:, -1]
        growth[TITLES[name]] = np.polyfit(np.log10(sizes), ahead.T, 1)[0]  # one slope per seed
    return {
        LARGEST: Measured.means(largest, level, "data"),
        GROWTH: Measured.means(growth, level, "data"),
    }


@experiment(
    f"{_SIZES} Test accuracy with the random slope minus that with the fixed one on the smallest "
    "sets, where the networks overfit most.",
    _SCOPE,
    BY_SIZE.name,
)
def overfitted(root: int, level: Level) -> Evidence:
    table, ahead, gaps = load(BY_SIZE.name, root=root), {}, {}
    for name, sizes in SIZES.items():
        ahead[TITLES[name]] = advantage(table, name, "random")[:, 0]
        part = part_of(table, data=name, size=sizes[0])
        gap = (part.test_loss - part.train_loss).groupby(part.arm).mean()
        gaps[TITLES[name]] = gap[["fixed", "random"]].to_dict()
    notes = {"test loss minus training loss": gaps}
    return {SMALLEST: Measured.means(ahead, level, "data", notes=notes)}
