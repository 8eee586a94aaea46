"""Units on the negative side for every input: who falls asleep, who wakes, what is passed on.

A unit is *asleep* if its input is at most 0 for every training example, *dead* if its output is 0
for every one. For ReLU the two are the same; a leaky unit can only sleep.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import TITLES, leaky
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot

Array = npt.NDArray[np.float64]

CHANCE = 0.1  # ten classes of about equal size
SLOPES = {"ReLU": 0.0, "leaky 0.01": 0.01, "leaky 0.3": 0.3}
RATES = (0.01, 0.03, 0.1, 0.2)
CHECKS = {"digits": (0, 1, 2, 5, 20), "mnist1d": (0, 1, 2, 5, 10)}  # after so many epochs

COMA_SLOPES = (0.0, 0.01, 0.1, 0.3)
COMA_DEPTHS = (1, 3, 5)
COMA_RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
COMA_EPOCHS = 20
# LeCun's weights and this bias put every unit on the negative side for every digit.
COMA: dict[str, Any] = {"init": "lecun_normal", "gain": 1.0, "bias": -8.0, "batch_size": 128}


def sleeping_units(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: hidden units at or below 0 for every input, and those whose output is 0 for every one.

    Boolean, (networks, all hidden units).
    """
    import torch

    awake: list[torch.Tensor] = []
    for batch in snapshot.batches(1024, preactivations=True):
        firing = [(layer > 0).any(1) for layer in batch]
        awake = firing if not awake else [a | f for a, f in zip(awake, firing, strict=True)]
    dead = [layer.largest == 0 for layer in snapshot.stats]
    return {"asleep": ~torch.cat(awake, 1), "dead": torch.cat(dead, 1)}


def sleep(name: str, root: int, seeds: int = 20) -> pd.DataFrame:
    """Three slopes × four learning rates on one data set: who is asleep, who is dead, who woke."""
    import pandas as pd

    from actlab import ensemble

    data = datasets.load(name)
    per_epoch = math.ceil(len(data.y_train) / 64)
    tables = []
    for (arm, slope), lr in itertools.product(SLOPES.items(), RATES):
        result = ensemble.train(
            data,
            arms={arm: {**leaky(slope), "hidden": (64,) * 5, "batch_size": 64, "lr": lr}},
            seeds=root_seeds(root, seeds),
            epochs=CHECKS[name][-1],
            probe=sleeping_units,
            probe_at=[per_epoch * epoch for epoch in CHECKS[name]],
            keep_weights=False,
            progress=False,
        )
        asleep, dead = result.probe("asleep", arm), result.probe("dead", arm)
        ever = np.nanmax(asleep, axis=1) > 0
        table = result.to_frame()[["arm", "seed", "test_accuracy", "valid_accuracy", "diverged"]]
        tables.append(
            table.assign(
                lr=lr,
                asleep=asleep[:, -1].mean(1),
                dead=np.nanmax(dead.mean(2), axis=1),  # the most at any check
                ever_asleep=ever.mean(1),
                woke=(ever & (asleep[:, -1] == 0)).mean(1),
            )
        )
    return pd.concat(tables, ignore_index=True)


def coma(root: int, seeds: int = 20) -> pd.DataFrame:
    """Networks whose every unit starts asleep, and for slope 0.01 the same ones awake; digits."""
    import pandas as pd

    from actlab import ensemble

    data = datasets.load("digits")
    tables = []
    starts = [*((slope, COMA["bias"]) for slope in COMA_SLOPES), (0.01, 0.0)]
    for (slope, bias), depth in itertools.product(starts, COMA_DEPTHS):
        own = {**leaky(slope), **COMA, "bias": bias, "hidden": (64,) * depth}
        result = ensemble.train(
            data,
            arms={f"{lr:g}": {**own, "lr": lr} for lr in COMA_RATES},
            seeds=root_seeds(root, seeds),
            epochs=COMA_EPOCHS,
            probe=sleeping_units,
            probe_at=[0],
            keep_weights=False,
            progress=False,
        )
        start = np.concatenate([result.probe("asleep", lr)[:, 0].mean(1) for lr in result.arms])
        table = result.to_frame()[["arm", "seed", "test_accuracy", "valid_accuracy", "diverged"]]
        table = table.assign(lr=table.arm.astype(float), arm="coma" if bias else "awake")
        tables.append(table.assign(slope=slope, depth=depth, asleep=start))
    return pd.concat(tables, ignore_index=True)


def asleep_cell(root: int, data: str) -> pd.DataFrame:
    """Networks that may fall asleep on a data set, or those put to sleep (``"coma"``)."""
    return coma(root) if data == "coma" else sleep(data, root)


ASLEEP = Study(
    name="leaky_asleep",
    title="Units that fall asleep in training, and networks put to sleep",
    task=asleep_cell,
    axes={"root": (0, 1), "data": (*CHECKS, "coma")},
)
STUDIES = (ASLEEP,)

# --- Who sleeps -----------------------------------------------------------------------------------


def _table(root: int) -> pd.DataFrame:
    table = load(ASLEEP.name)
    return table[table.root == root]


def standing(table: pd.DataFrame, name: str, arm: str, lr: float) -> pd.DataFrame:
    """The networks of one arm and rate that have not diverged, by seed."""
    rows = table[(table.data == name) & (table.arm == arm) & (table.lr == lr)]
    return rows[~rows.diverged].set_index("seed").sort_index()


def _dead(root: int, level: Level) -> Evidence:
    table = _table(root)
    table = table[(table.data != "coma") & ~table.diverged]

    def most(what: str, arm: str, data: Sequence[str] = tuple(CHECKS)) -> float:
        return 100 * float(table[(table.arm == arm) & table.data.isin(data)][what].max())

    cases: dict[Case, Interval] = {}
    for arm, name in itertools.product(list(SLOPES)[1:], CHECKS):
        share = most("dead", arm, [name])
        cases[arm, TITLES[name]] = Interval(share, share, share, n=1)
    notes = {
        "networks that stand": {arm: int((table.arm == arm).sum()) for arm in SLOPES},
        "most units asleep at the end (%)": {arm: most("asleep", arm) for arm in SLOPES},
        "most units of a ReLU network dead (%)": most("dead", "ReLU"),
    }
    return {"largest share of dead units": Measured(cases, ("arm", "data"), notes=notes)}


def _beyond_half(root: int, level: Level) -> Evidence:
    """Where ReLUs fall asleep: the share with slope 0.01 minus half of ReLU's, paired."""
    table = _table(root)
    excess: dict[Case, Any] = {}
    notes = {}
    for name, lr in itertools.product(CHECKS, RATES):
        relu, leak = (standing(table, name, arm, lr).asleep for arm in ("ReLU", "leaky 0.01"))
        both = relu.index.intersection(leak.index)
        if len(both) >= 10 and relu.mean() > 0.01:
            excess[TITLES[name], f"{lr:g}"] = 100 * (leak[both] - relu[both] / 2)
            notes[f"{TITLES[name]}, {lr:g}"] = {
                "ReLU (%)": 100 * float(relu.mean()),
                "leaky 0.01 (%)": 100 * float(leak.mean()),
            }
    cases = {k: stats.mean_interval(v, level(len(excess))) for k, v in excess.items()}
    quantity = "share of sleepers beyond half of ReLU's"
    return {quantity: Measured(cases, ("data", "rate"), notes=notes)}


_SLEEP = (
    "Five hidden layers of 64 with slope 0, 0.01 and 0.3, He's start for each, momentum, four "
    "learning rates, on digits and MNIST-1D, 20 seeds; all training inputs are passed through "
    "before training and at four later epochs. Networks that diverged are not counted."
)
_SCOPE = "Five fully connected layers of 64 · digits, MNIST-1D · one split, 20 seeds"

NEVER_DEAD = Experiment(
    prose=f"{_SLEEP} A unit is dead if its output is 0 for every input; the most at any check.",
    scope=_SCOPE,
    measure=_dead,
    study=ASLEEP.name,
)
CURED = Experiment(
    prose=(
        f"{_SLEEP} A unit is asleep if its input is 0 or below for every example. Where more than "
        "1 % of the ReLUs are asleep after training, and ten pairs of networks stand: the share "
        "asleep with slope 0.01 minus half of ReLU's, paired."
    ),
    scope=_SCOPE,
    measure=_beyond_half,
    study=ASLEEP.name,
)

# --- Who wakes up ---------------------------------------------------------------------------------


def coma_result(table: pd.DataFrame, slope: float, depth: int, arm: str) -> Array:
    """Test accuracies at the rate with the best validation accuracy, by seed; diverged is chance.

    ``arm`` is ``"coma"`` or ``"awake"``.
    """
    rows = table[(table.data == "coma") & (table.arm == arm) & (table.depth == depth)]
    rows = rows[np.isclose(rows.slope, slope)]
    scores = rows.assign(score=rows.valid_accuracy.fillna(CHANCE)).groupby("lr").score.mean()
    best = rows[rows.lr == scores.idxmax()].sort_values("seed")
    return np.asarray(best.test_accuracy.fillna(CHANCE), dtype=np.float64)


def after_coma(root: int = 0) -> dict[str, dict[str, Interval]]:
    """Test accuracy (%) of the networks put to sleep: depth → slope → interval."""
    table = _table(root)
    return {
        f"{depth} hidden layer{'s' * (depth > 1)}": {
            f"{slope:g}": stats.mean_interval(100 * coma_result(table, slope, depth, "coma"))
            for slope in COMA_SLOPES
        }
        for depth in COMA_DEPTHS
    }


def _regained(root: int, level: Level) -> Evidence:
    """Way from chance to the waking network that the sleeping one makes, slope 0.01, per depth."""
    table = _table(root)
    cases = {}
    for depth in COMA_DEPTHS:
        slept, awake = (coma_result(table, 0.01, depth, arm) for arm in ("coma", "awake"))
        way = 100 * (slept - CHANCE) / (awake - CHANCE)
        cases[str(depth)] = stats.mean_interval(way, level(len(COMA_DEPTHS)))
    notes = {
        "accuracy after the coma (%), by slope": {
            depth: {slope: found.mean for slope, found in by_slope.items()}
            for depth, by_slope in after_coma(root).items()
        },
        "fewest units asleep at the start (%)": 100
        * float(table[(table.data == "coma") & (table.arm == "coma")].asleep.min()),
    }
    return {"share of the accuracy regained": Measured.of(cases, "depth", notes=notes)}


REGAINED = Experiment(
    prose=(
        "Digits: networks of 1, 3 and 5 hidden layers whose biases of −8 put every unit on the "
        "negative side, beside the same networks with biases of 0; slope 0.01, six learning rates "
        "of which the best on validation data counts, 20 seeds, paired. The accuracy regained is "
        "the share of the way from chance to the waking network."
    ),
    scope="Fully connected layers of 64 · digits · one split, 20 seeds",
    measure=_regained,
    study=ASLEEP.name,
)
