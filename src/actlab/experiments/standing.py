"""What the grand trial says of the most copied order of activations: as a whole, and in pairs.

A network's score is its test accuracy in per cent at the plateau; one that diverged has that of
guessing. The order's third place, "Leaky ReLU (RReLU, PReLU)", is the mean of the four leaky arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import stats
from actlab.experiments.contest import BEATS, CHANCE, TITLES, Ahead, over_splits
from actlab.experiments.grand import DATA, GRAND, NETWORKS, NORMS
from actlab.stats import Interval
from actlab.study import load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above, experiment

Array = npt.NDArray[np.float64]

TIER = "leaky"
LEAKY = ("leaky 0.01", "leaky 0.3", "RReLU", "PReLU")
ORDER = ("SELU", "ELU", TIER, "ReLU", "tanh", "sigmoid")
RESAMPLES = 4_000
WHOLE, AGREES, LESS = (
    "probability of the whole order",
    "rank correlation with the order",
    "spread between activations that goes away",
)


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """One row per block, split and seed, one column per arm and for the leaky ones together."""
    chance = table.data.map(lambda name: CHANCE.get(str(name), 0.1))
    percent = table.assign(percent=100 * table.accuracy.astype(float).fillna(chance))
    axes = ["data", "network", "norm", "split", "seed"]
    wide = percent.pivot(index=axes, columns="arm", values="percent")
    if set(LEAKY) <= set(wide):
        wide[TIER] = wide[list(LEAKY)].mean(axis=1)
    return wide


def contestants(wide: pd.DataFrame, data: str, arms: Sequence[str] = ORDER) -> Array:
    """The scores of one data set, (networks, splits, seeds, arms)."""
    part = wide.loc[data, list(arms)]
    networks, _, splits, seeds = (part.index.get_level_values(i).nunique() for i in range(4))
    values: Array = part.to_numpy(float).reshape(networks, splits, seeds, len(arms))
    return values


def ranks(means: Array) -> Array:
    """Ranks along the last axis, 1 for the highest; (…, arms), averaged over the first axis."""
    from scipy.stats import rankdata

    ranked: Array = rankdata(-means.round(9), axis=-1).mean(axis=0)
    return ranked


def resampled(wide: pd.DataFrame, root: int, arms: Sequence[str] = ORDER) -> Array:
    """Mean ranks, (resamples, arms), with data sets, their splits and their seeds drawn anew."""
    rng = np.random.default_rng(root)
    values = [contestants(wide, data, arms) for data in wide.index.unique("data")]
    found = np.zeros((RESAMPLES, len(arms)))
    for _ in values:  # as many data sets as there are
        picks = rng.integers(len(values), size=RESAMPLES)
        for which, its in enumerate(values):
            rows = np.flatnonzero(picks == which)
            splits = rng.integers(its.shape[1], size=(len(rows), its.shape[1], 1))
            seeds = rng.integers(its.shape[2], size=(len(rows), *its.shape[1:3]))
            found[rows] += ranks(its[:, splits, seeds].mean(axis=(2, 3))) / len(values)
    return found


_DONE = (
    f"{GRAND.title} (every third of all blocks of data set × depth × normalisation, balanced; the "
    "deepest also with residual connections): each arm tuned in each block by the same search over "
    "ten networks, then 20 networks, five splits with four seeds each, trained until the "
    "validation loss has not improved for 12 epochs, or for 200. Networks that diverged count as "
    "guessing."
)
_SCOPE = "Networks of 2 to 8 × 16 units · six data sets · 5 splits with 4 paired seeds each"


@experiment(
    f"{_DONE} Data sets, splits and seeds are drawn anew {RESAMPLES:,} times; the mean ranks over "
    "all blocks have to come out in the order, all six places.",
    _SCOPE,
    GRAND.name,
)
def whole_order(root: int, level: Level) -> Evidence:
    """In how many resamples all six places come out as the order says."""
    wide = scores(load(GRAND.name))
    drawn = resampled(wide, root)
    right = int((np.diff(drawn, axis=1) > 0).all(axis=1).sum())
    share = stats.share_interval(right, RESAMPLES, level(1))
    ends = (100 * share.mean, 100 * share.low, 100 * share.high)
    found = Interval(*ends, RESAMPLES, confidence=level(1))
    notes = {"mean rank": dict(zip(ORDER, drawn.mean(axis=0).round(2).tolist(), strict=True))}
    return {WHOLE: Measured.of({"SELU > ELU > … > sigmoid": found}, notes=notes)}


@experiment(
    f"{_DONE} Kendall's rank correlation between the order and the mean ranks of its six places "
    "over the blocks of a data set, split by split.",
    _SCOPE,
    GRAND.name,
)
def agreement(root: int, level: Level) -> Evidence:
    """Kendall's τ between the order and the mean ranks, by data set; whatever the ``root``."""
    from scipy.stats import kendalltau

    wide = scores(load(GRAND.name))
    cases: dict[Case, Interval] = {}
    for data in DATA:
        by_split = ranks(contestants(wide, data).mean(axis=2))
        taus = [[kendalltau(range(len(ORDER)), row).statistic] for row in by_split]
        cases[(TITLES[data],)], _ = over_splits(np.nan_to_num(np.array(taus)), level(len(DATA)))
    return {AGREES: Measured(cases, ("data",))}


def lead(ours: str, theirs: str, root: int, level: Level) -> Evidence:
    """How far one is ahead of the other on each data set, over its four blocks."""
    wide = scores(load(GRAND.name))
    cases: dict[Case, Interval] = {}
    floors: dict[Case, float] = {}
    hangs = {}
    for data in DATA:
        values = contestants(wide, data, (ours, theirs)).mean(axis=0)
        case = (TITLES[data],)
        cases[case], hanging = over_splits(values[..., 0] - values[..., 1], level(len(DATA)))
        floors[case] = stats.nested_noise_floor(list(values[..., 1]))
        if hanging:
            hangs[TITLES[data]] = True
    notes = {"hangs on one split": hangs} if hangs else {}
    return {Ahead.quantity: Measured(cases, ("data",), floors, notes)}


def spreads(wide: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation between activations (linear aside), a row for each block."""
    arms = [arm for arm in wide if arm not in ("linear", TIER)]
    means = wide[arms].groupby(level=["data", "network", "norm"]).mean()
    return means.std(axis=1).rename("spread").reset_index()


@experiment(
    f"{_DONE} The spread is the standard deviation of 19 activations' mean accuracies in a block; "
    "of every data set that without normalisation less that with it (other depths, balanced over "
    "the data sets), and that of eight layers less that of the same with residual connections.",
    _SCOPE,
    GRAND.name,
)
def helped(root: int, level: Level) -> Evidence:
    """By how much the spread shrinks with each help; whatever the ``root``."""
    table = spreads(scores(load(GRAND.name)))
    plain = table[table.network != NETWORKS[-1]]
    plain = plain.pivot(index="data", columns="norm", values="spread")
    deep = table.pivot(index="data", columns="network", values="spread")
    gone = {
        **{f"{norm} normalisation": plain["none"] - plain[norm] for norm in NORMS[1:]},
        "residual connections": deep[NETWORKS[-2]] - deep[NETWORKS[-1]],
    }
    cases = {name: stats.mean_interval(values, level(len(gone))) for name, values in gone.items()}
    return {LESS: Measured.of(cases, "change")}


# --- What the claims ask --------------------------------------------------------------------------


def pair(ours: str, theirs: str) -> Experiment:
    """One over another of the order, by data set."""
    return Experiment(
        f"{_DONE} {ours} against {theirs}, averaged over the four blocks of a data set, in pairs.",
        _SCOPE,
        partial(lead, ours, theirs),
        study=GRAND.name,
    )


PROBABLE = Rule({WHOLE: above(95, "%", clear=90)}, partial=False)
HELPFUL = Rule({AGREES: above(0)}, together=True, of="data set")
SHRINKS = Rule({LESS: above(0, "points")}, together=True)
__all__ = ["BEATS", "HELPFUL", "PROBABLE", "SHRINKS", "agreement", "helped", "pair", "whole_order"]
