"""Slopes that are learned, drawn or fixed: where they go, and when which of them is worth it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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
    leaky,
    method,
    over_splits,
    prelu,
    rrelu,
)
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load, part_of
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Result

Array = npt.NDArray[np.float64]

CHANCE = 0.1  # ten classes of about equal size

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
    import pandas as pd

    from actlab import ensemble

    contested = load(LEAKY.name)
    rows = part_of(contested, data=data, depth=depth, arm="PReLU")
    tables = []
    for split in range(SPLITS):
        result = ensemble.train(
            datasets.load(data, seed=split, **LEAKY.settings["options"][data]),
            arms={"PReLU": {**LEAKY_ARMS["PReLU"], "lr": float(rows.lr.iloc[0])}},
            hidden=(LEAKY.settings["width"],) * depth,
            seeds=range(SEEDS),
            epochs=LONGEST,
            patience=PATIENCE,
            progress=False,
            **LEAKY.settings["common"],
        )
        found = learned(result)
        seed, layer = np.meshgrid(result.seed_of, range(1, depth + 1), indexing="ij")
        columns = {"split": split, "seed": seed.ravel(), "layer": layer.ravel()}
        accuracy = np.repeat(result.test_accuracy, depth)
        tables.append(pd.DataFrame({**columns, "slope": found.ravel(), "accuracy": accuracy}))
    return pd.concat(tables, ignore_index=True)


LEARNED = Study(
    name="prelu_slopes",
    title="Slopes that the PReLU networks of the contest learn",
    task=slopes_cell,
    axes={"data": LEAKY.axes["data"], "depth": (10,)},
    settings={"of": LEAKY.digest},
)


def by_layer(depth: int) -> dict[str, Array]:
    """Data set → learned slopes (networks, layers)."""
    table = load(LEARNED.name, depth=depth)
    return {
        TITLES[data]: part.pivot(
            index=["split", "seed"], columns="layer", values="slope"
        ).to_numpy()
        for data, part in table.groupby("data", sort=False)
    }


def _falling(root: int, level: Level) -> Evidence:
    """Rank correlation of slope and layer in each network; whatever the ``root``."""
    from scipy.stats import spearmanr

    depths = LEARNED.axes["depth"]
    cases: dict[Case, Interval] = {}
    for depth in depths:
        for data, slopes in by_layer(depth).items():
            ranks = [spearmanr(range(depth), row).statistic for row in slopes]
            sure = level(len(depths) * len(LEARNED.axes["data"]))
            cases[data, str(depth)], _ = over_splits(np.reshape(ranks, (SPLITS, SEEDS)), sure)
    slope = load(LEARNED.name).slope
    notes = {
        "slopes below 0 (%)": 100 * float((slope < 0).mean()),
        "slopes above 1 (%)": 100 * float((slope > 1).mean()),
    }
    return {"rank correlation of slope and layer": Measured(cases, ("data", "depth"), notes=notes)}


FALLING = Experiment(
    prose=(
        f"The PReLU networks of this contest: {LEAKY.title.lower()}. {method(PATIENCE)} Rank "
        "correlation of learned slope and layer in each of them."
    ),
    scope=Ahead(LEAKY, "PReLU", over="ReLU").scope,
    measure=_falling,
    study=LEARNED.name,
)


def _spread(root: int, level: Level) -> Evidence:
    """Spread over the settings of PReLU's lead over ReLU, relative to each other arm's.

    The interval is that of the jackknife over the splits, of the logarithm.
    """
    arms = [arm for arm in LEAKY_ARMS if arm != "ReLU"]
    leads = {arm: Ahead(LEAKY, arm, over="ReLU") for arm in arms}
    by_split = {
        arm: np.array(
            list(lead(0, lambda cases: 0.95)[lead.quantity].notes["lead by split"].values())
        )
        for arm, lead in leads.items()
    }

    def spread(arm: str, kept: Sequence[int]) -> float:
        return float(by_split[arm][:, kept].mean(1).std(ddof=1))

    every = list(range(SPLITS))
    cases: dict[str, Interval] = {}
    for arm in arms:
        if arm == "PReLU":
            continue
        ratios = [
            math.log(spread("PReLU", kept) / spread(arm, kept))
            for kept in (every, *([i for i in every if i != one] for one in every))
        ]
        pseudo = [SPLITS * ratios[0] - (SPLITS - 1) * ratio for ratio in ratios[1:]]
        found = stats.mean_interval(pseudo, level(len(arms) - 1))
        half = found.high - found.mean
        mean, low, high = (math.exp(ratios[0] + by) for by in (0, -half, half))
        cases[arm] = Interval(mean, low, high, SPLITS * SEEDS, confidence=found.confidence)
    notes = {"spread of the lead over ReLU (points)": {arm: spread(arm, every) for arm in arms}}
    return {"relative spread of the lead": Measured.of(cases, "rival", notes=notes)}


SPREAD = Experiment(
    prose=(
        f"{LEAKY.title}; {LEAKY.words()}. {method(PATIENCE)} How much the lead over ReLU varies "
        "between the six settings, as a standard deviation: PReLU's divided by that of every other "
        "arm; interval by the jackknife over the splits."
    ),
    scope=FALLING.scope,
    measure=_spread,
    study=LEAKY.name,
)

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


def with_fewer(data: Any, valid: int = 1_000) -> tuple[Any, ...]:
    """All of a data set but for a validation part of at most ``valid`` examples."""
    return (
        *(data.x_train, data.y_train),
        *(data.x_valid[:valid], data.y_valid[:valid]),
        *(data.x_test, data.y_test),
    )


def repeated(name: str, size: int) -> tuple[Any, ...]:
    """``size`` training examples, repeated to the length of the largest size of that data set."""
    x, y, *rest = with_fewer(datasets.load(name, size=size))
    copies = SIZES[name][-1] // size
    return (np.tile(x, (copies, 1)), np.tile(y, copies), *rest)


def tuned(part: Any, settings: Mapping[str, Any], root: int, epochs: int) -> tuple[float, bool]:
    """The best of four rates on five seeds of their own, and whether it lies at the grid's edge.

    The tuning of the studies that a contest of :mod:`actlab.experiments.contest` will replace.
    """
    from actlab import ensemble

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the edge is recorded instead
        found = ensemble.tune(
            part,
            arms={"arm": dict(settings)},
            lrs=RATES,
            seeds=range(1000 * root + 500, 1000 * root + 505),
            epochs=epochs,
            progress=False,
        )
    return found.lr["arm"], bool(found.at_edge)


def sizes_cell(data: str, size: int, root: int, arm: str) -> pd.DataFrame:
    """One row per network: accuracies, ``train_loss`` (of the last epoch) and ``test_loss``."""
    from actlab import ensemble

    part = repeated(data, size)
    settings = {**KINDS[arm], "hidden": (64,) * 3, "batch_size": 64}
    lr, edge = tuned(part, settings, root, EPOCHS[data])
    result = ensemble.train(
        part,
        arms={arm: {**settings, "lr": lr}},
        seeds=root_seeds(root),
        epochs=EPOCHS[data],
        keep_weights=False,
        progress=False,
    )
    table = result.to_frame().drop(columns=["best_epoch", "valid_loss"])
    return table.assign(lr=lr, edge=edge)


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
    part = table[table.data == name]

    def values(kind: str) -> Array:
        wide = part[part.arm == kind].pivot(index="seed", columns="size", values="test_accuracy")
        return np.asarray(wide.fillna(CHANCE), dtype=np.float64)

    return 100 * (values(arm) - values("fixed"))


def _sizes(root: int) -> pd.DataFrame:
    table = load(BY_SIZE.name)
    return table[table.root == root]


def _large(root: int, level: Level) -> Evidence:
    """Learned minus fixed: how it grows with ten times the data, and at the largest size."""
    growth, largest = {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(_sizes(root), name, "learned")
        per_tenfold = np.polyfit(np.log10(sizes), ahead.T, 1)[0]  # one slope per seed
        growth[TITLES[name]] = stats.mean_interval(per_tenfold, level(len(SIZES)))
        largest[TITLES[name]] = stats.mean_interval(ahead[:, -1], level(len(SIZES)))
    return {
        "lead at the largest size": Measured.of(largest, "data"),
        "growth of the lead for ten times the data": Measured.of(growth, "data"),
    }


def _overfitted(root: int, level: Level) -> Evidence:
    """Random minus fixed at the smallest size, where the networks overfit most."""
    table, cases, gaps = _sizes(root), {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(table, name, "random")[:, 0]
        cases[TITLES[name]] = stats.mean_interval(ahead, level(len(SIZES)))
        part = table[(table.data == name) & (table["size"] == sizes[0])]
        gap = (part.test_loss - part.train_loss).groupby(part.arm).mean()
        gaps[TITLES[name]] = {arm: float(gap[arm]) for arm in ("fixed", "random")}
    notes = {"test loss minus training loss": gaps}
    return {"lead on the smallest training set": Measured.of(cases, "data", notes=notes)}


_SIZES = (
    "A slope fixed at RReLU's mean, one learned from there, and RReLU, each with its own start "
    "and learning rate (of four, by five other seeds); three hidden layers, the same number of "
    "updates on training sets of growing size (MNIST-1D 200 to 3,000, Fashion-MNIST 160 to "
    "10,240); 20 seeds, paired."
)
_SCOPE = "Three fully connected layers of 64 · MNIST-1D, Fashion-MNIST · one split, 20 seeds"

LARGE = Experiment(
    prose=f"{_SIZES} Test accuracy with the learned slope minus that with the fixed one.",
    scope=_SCOPE,
    measure=_large,
    study=BY_SIZE.name,
)
OVERFITTED = Experiment(
    prose=(
        f"{_SIZES} Test accuracy with the random slope minus that with the fixed one on the "
        "smallest sets, where the networks overfit most."
    ),
    scope=_SCOPE,
    measure=_overfitted,
    study=BY_SIZE.name,
)
