"""Who is ahead in the contests of the first house: short trainings, two runs of twenty seeds.

Every arm's learning rate was chosen on validation data with two seeds of its own; then 20 other
seeds were trained with it and the test set was touched once. All of it was done twice. A lead
counts if both runs show it; it is that of a start (5 to 30 epochs), not of a plateau: for that see
:mod:`actlab.experiments.contest`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.experiments.contest import TITLES
from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import in_both, least, shared
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

# Each activation with the initialisation that suits it; the last arm is there to be unfair.
FAIR: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu", "init": "lecun_normal"},
    "relu": {"activation": "relu", "init": "he_normal"},
    "elu": {"activation": "elu", "init": "he_normal"},
    "gelu": {"activation": "gelu", "init": "he_normal"},
    "tanh": {"activation": "tanh", "init": "glorot_normal"},
    "relu + batch norm": {"activation": "relu", "init": "he_normal", "normalization": "batch"},
    "relu, PyTorch default": {"activation": "relu", "init": "torch"},
}
RIVALS = ("relu", "elu", "gelu", "tanh")
NAMES = TITLES | {
    "wine": "wine",
    "breast_cancer": "breast cancer",
    "election": "the election study",
    "marriages": "the survey on marriages",
}
CHANCE = {"wine": 1 / 3, "breast_cancer": 1 / 2, "election": 1 / 2, "marriages": 1 / 2}
OPTIONS: dict[str, dict[str, Any]] = {
    "mnist1d": {"size": 2_000},
    "fashion_mnist": {"size": 3_000},
    "marriages": {"size": 500},
}

# --- Training -------------------------------------------------------------------------------------


def tuned(
    data: Any,
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    rates: Sequence[float] = (0.001, 0.003, 0.01, 0.03, 0.1),
    *,
    probe: Any = None,
    probe_at: Sequence[int] = (),
    **options: Any,
) -> tuple[Any, pd.DataFrame]:
    """Tune every arm's learning rate on two seeds of its own, then train it with ``seeds``.

    Returns the result and a table: one row per network, with its ``lr`` and whether that lies at
    an ``edge`` of the grid.
    """
    from actlab import ensemble

    seeds = list(seeds)
    with warnings.catch_warnings():  # the table says which arms chose an edge
        warnings.simplefilter("ignore")
        tuning = ensemble.tune(
            data,
            arms=arms,
            lrs=rates,
            seeds=[seeds[0] + 500, seeds[0] + 501],
            progress=False,
            **options,
        )
    result = ensemble.train(
        data,
        arms=tuning.arms,
        seeds=seeds,
        probe=probe,
        probe_at=probe_at,
        keep_weights=False,
        progress=False,
        **options,
    )
    table = result.to_frame().drop(columns=["best_epoch", "valid_loss", "test_loss"])
    return result, table.assign(lr=table.arm.map(tuning.lr), edge=table.arm.isin(tuning.at_edge))


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The same with float32 in place of float64, learning rates aside."""
    floats = [c for c in table.columns[table.dtypes == "float64"] if c != "lr"]
    return table.astype(dict.fromkeys(floats, "float32"))


def deep_cell(data: str, depth: int, root: int, *, epochs: Mapping[str, int]) -> pd.DataFrame:
    """Seven arms of one depth; ``loss_1`` … is the training loss epoch by epoch."""
    from actlab import data as datasets

    loaded = datasets.load(data, **OPTIONS.get(data, {}))
    result, table = tuned(loaded, FAIR, root_seeds(root), epochs=epochs[data], hidden=(64,) * depth)
    curves = {f"loss_{e + 1}": result.train_loss[:, e] for e in range(epochs[data])}
    return compact(table.assign(**curves))


DEEP = Study(
    name="selu_deep",
    title="SELU and six others in deep networks, a short training",
    task=deep_cell,
    axes={"data": ("digits", "mnist1d", "fashion_mnist"), "depth": (8, 16), "root": (0, 1)},
    settings={"epochs": {"digits": 15, "mnist1d": 10, "fashion_mnist": 5}},
    only=lambda c: (c["data"], c["depth"]) not in (("mnist1d", 8), ("fashion_mnist", 16)),
)

PUBLISHED: dict[str, dict[str, Any]] = {
    "ReLU, PyTorch default": {"activation": "relu", "init": "torch"},
    "ReLU, He normal": {"activation": "relu", "init": "he_normal"},
    "SELU, LeCun normal": {"activation": "selu", "init": "lecun_normal", "alpha_dropout": True},
}
# The tutorial: 784-512-256-10, plain SGD with 0.001 for 20 epochs of 390 steps.
LR_TIMES_STEPS = 0.001 * 20 * 390


def replay_cell(data: str, root: int, protocol: str, *, epochs: int) -> pd.DataFrame:
    """The tutorial's network at half its width, with its learning rate or tuned."""
    from actlab import data as datasets

    loaded = datasets.load(data, **OPTIONS.get(data, {}))
    steps = epochs * math.ceil(len(loaded.y_train) / 128)
    rates = (LR_TIMES_STEPS / steps,) if protocol == "published" else (0.1, 0.3, 1.0, 3.0)
    options: dict[str, Any] = {"hidden": (256, 128), "dropout": 0.05, "momentum": 0.0}
    _, table = tuned(loaded, PUBLISHED, root_seeds(root), rates, epochs=epochs, **options)
    return compact(table)


REPLAY = Study(
    name="selu_replay",
    title="The tutorial of SELU's authors, replayed and repaired",
    task=replay_cell,
    axes={"data": ("digits", "mnist1d"), "root": (0, 1), "protocol": ("published", "tuned")},
    settings={"epochs": 20},
)

TABULAR = ("selu", "relu", "elu", "tanh", "relu + batch norm")


def tabular_cell(data: str, root: int, *, splits: int) -> pd.DataFrame:
    """Eight layers of 32 units on many splits of a table; the mean of three networks for each."""
    import pandas as pd

    from actlab import data as datasets

    tables = []
    for split in root_seeds(root, splits):
        _, table = tuned(
            datasets.load(data, seed=split, **OPTIONS.get(data, {})),
            {arm: FAIR[arm] for arm in TABULAR},
            range(3 * split, 3 * split + 3),
            epochs=30,
            hidden=(32,) * 8,
            batch_size=32,
        )
        table["test_accuracy"] = table.test_accuracy.fillna(CHANCE[data])
        means = table.groupby("arm", sort=False)[["test_accuracy", "lr"]].mean()
        tables.append(means.reset_index().assign(seed=split))
    return compact(pd.concat(tables, ignore_index=True))


TABLES = Study(
    name="selu_tabular",
    title="SELU and its rivals on four tables",
    task=tabular_cell,
    axes={"data": ("wine", "breast_cancer", "election", "marriages"), "root": (0, 1)},
    settings={"splits": 20},
)


def linear_cell(data: str, root: int, *, splits: int, strengths: Sequence[float]) -> pd.DataFrame:
    """Logistic regression on the same splits, its strength C chosen on the validation part."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from actlab import data as datasets

    rows = []
    for split in root_seeds(root, splits):
        part = datasets.load(data, seed=split, **OPTIONS.get(data, {}))
        fits = [
            LogisticRegression(C=c, max_iter=5_000).fit(part.x_train, part.y_train)
            for c in strengths
        ]
        best = max(fits, key=lambda fit: fit.score(part.x_valid, part.y_valid))
        rows.append((split, best.C, np.float32(best.score(part.x_test, part.y_test))))
    return pd.DataFrame(rows, columns=["seed", "C", "test_accuracy"])


LINEAR = Study(
    name="linear_tables",
    title="Logistic regression on the splits of the four tables",
    task=linear_cell,
    axes=TABLES.axes,
    settings={"splits": 20, "strengths": (0.01, 0.1, 1.0, 10.0)},
)
STUDIES = (DEEP, REPLAY, TABLES, LINEAR)

# --- Reading --------------------------------------------------------------------------------------


def scores(table: pd.DataFrame, **where: Any) -> list[Array]:
    """Test accuracies in per cent by seed, for each of the two runs; diverged counts as chance."""
    for column, value in where.items():
        table = table[table[column] == value]
    chance = table.data.map(CHANCE).fillna(0.1)
    part = table.assign(score=100 * table.test_accuracy.fillna(chance).astype(float))
    return [part[part.root == root].sort_values("seed").score.to_numpy() for root in (0, 1)]


@dataclass(frozen=True)
class Lead:
    """How far an arm is ahead of the nearest of its rivals: both runs, paired by seed.

    - ``study``, ``arm``, ``over``: whose table; the arm and its rivals, in its ``column``.
    - ``by``: factor → the column whose values are its levels; ``where``: what else has to be so
      (a value, or one of several); ``titles``: a value → the reader's words for it.
    - ``prose``, ``scope``: see :class:`actlab.trial.Experiment`.
    """

    study: str
    arm: str
    over: tuple[str, ...]
    prose: str
    scope: str
    by: Mapping[str, str] = field(default_factory=lambda: {"data": "data"})
    where: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    column: str = "arm"

    quantity = "lead in test accuracy"
    cheap = False

    def words(self) -> str:
        """``prose``."""
        return self.prose

    def __call__(self, root: int, level: Level) -> Evidence:
        """The lead over the nearest rival in every case; both runs, whatever the ``root``."""
        table = self.table()
        places = table[list(self.by.values())].drop_duplicates()
        keys = [dict(zip(self.by.values(), row, strict=True)) for row in places.to_numpy()]
        sure = level(len(keys))
        cases: dict[Case, stats.Interval] = {}
        floors, notes = {}, {}
        for key in keys:
            case = tuple(self.titles.get(str(v), NAMES.get(str(v), str(v))) for v in key.values())
            ours = scores(table, **{self.column: self.arm}, **key)
            leads = {
                rival: in_both(
                    map(np.subtract, ours, scores(table, **{self.column: rival}, **key)),
                    shared(sure, len(self.over)),
                )
                for rival in self.over
            }
            cases[case] = least(list(leads.values()), sure)
            floors[case] = stats.noise_floor(ours[0])
            if len(leads) > 1:
                notes[", ".join(case)] = {rival: lead.mean for rival, lead in leads.items()}
        return {self.quantity: Measured(cases, tuple(self.by), floors, notes)}

    def table(self) -> pd.DataFrame:
        """The rows that are looked at."""
        table = load(self.study)
        for column, value in self.where.items():
            wanted = value if isinstance(value, tuple) else (value,)
            table = table[table[column].isin(wanted)]
        return table


_TWICE = "two runs of 20 seeds, which both have to show it"
_DEEP = (
    "Networks of 8 and 16 hidden layers of 64 units on digits, 16 on 2,000 examples of MNIST-1D, 8 "
    "on 3,000 images of Fashion-MNIST; SELU from LeCun's start, ReLU, ELU and GELU from He's, tanh "
    "from Glorot's; SGD with momentum, 5 to 15 epochs, learning rate tuned for each arm on "
    f"validation data; {_TWICE}."
)
_DEEP_SCOPE = "Networks of 8 and 16 × 64 units · three data sets · 5 to 15 epochs"

DEEP_LEAD = Lead(
    DEEP.name,
    "selu",
    RIVALS,
    f"{_DEEP} Test accuracy of SELU against whichever of ReLU, ELU, GELU and tanh comes nearest.",
    _DEEP_SCOPE,
    by={"data": "data", "depth": "depth"},
)
TABLE_LEAD = Lead(
    TABLES.name,
    "selu",
    TABULAR[1:],
    "Wine, breast cancer, an election study and a survey on marriages (500 training examples); "
    "eight hidden layers of 32 units, SELU against whichever of ReLU, ELU, tanh and ReLU with "
    "batch norm comes nearest, learning rate tuned for each; two runs of 20 random splits (they "
    "overlap, so the intervals are somewhat too narrow), three networks in each.",
    "Networks of 8 × 32 units · four tables · 2 runs of 20 splits",
)


def tables(root: int, level: Level) -> Evidence:
    """:data:`TABLE_LEAD`, with what a linear model reaches on the same splits beside it."""
    evidence = TABLE_LEAD(root, level)
    (quantity, found), networks, linear = *evidence.items(), TABLE_LEAD.table(), load(LINEAR.name)
    notes = dict(found.notes)
    for data in TABLES.axes["data"]:
        ours, its = scores(networks, arm="selu", data=data), scores(linear, data=data)
        lead = in_both(map(np.subtract, ours, its), level(len(TABLES.axes["data"])))
        notes[f"{NAMES[data]}, over logistic regression"] = [lead.mean, lead.low, lead.high]
    return {quantity: Measured(found.cases, found.factors, found.floors, notes)}


ON_TABLES = Experiment(
    f"{TABLE_LEAD.prose} Beside it, logistic regression on the same splits.",
    TABLE_LEAD.scope,
    tables,
    study="selu_tabular",
)
REPLAY_LEAD = Lead(
    REPLAY.name,
    "SELU, LeCun normal",
    ("ReLU, He normal",),
    "The tutorial's network at half its width (two hidden layers, plain SGD, 20 epochs, dropout of "
    "5 %: alpha dropout for SELU, plain dropout for ReLU, as published) on digits and 2,000 "
    "examples of MNIST-1D, ReLU from He's start instead of PyTorch's, the learning rate tuned for "
    f"both; {_TWICE}.",
    "Networks of 256 and 128 units · two data sets · 20 epochs",
    where={"protocol": "tuned"},
)


def replayed(root: int, level: Level) -> Evidence:
    """:data:`REPLAY_LEAD`, with the leads at the published rate beside it."""
    evidence, table = REPLAY_LEAD(root, level), load(REPLAY.name)
    ((quantity, found),) = evidence.items()
    notes = {}
    for data in REPLAY.axes["data"]:
        arms = [scores(table, arm=arm, protocol="published", data=data) for arm in PUBLISHED]
        for start, theirs in zip(("PyTorch's", "He's"), arms, strict=False):
            lead = in_both(map(np.subtract, arms[-1], theirs), level(2))
            name = f"{NAMES[data]}, at the published rate over ReLU from {start} start"
            notes[name] = [lead.mean, lead.low, lead.high]
    return {quantity: Measured(found.cases, found.factors, found.floors, notes)}


REPLAYED = Experiment(REPLAY_LEAD.prose, REPLAY_LEAD.scope, replayed, study="selu_replay")

# --- Speed ----------------------------------------------------------------------------------------


def epochs_to(losses: Array, target: float) -> Array:
    """Epochs until the training loss falls to ``target``, (networks,) from (networks, epochs).

    Interpolated in the logarithm of the loss. Where it is there after the first epoch the answer
    is 1; where it never gets there (or diverged), the number of epochs.
    """
    result = np.full(len(losses), float(losses.shape[1]))
    for i, curve in enumerate(losses):
        there = np.flatnonzero(curve <= target)
        if len(there):
            e = int(there[0])
            result[i] = 1.0
            if e:
                before, after = np.log(curve[e - 1]), np.log(curve[e])
                result[i] = e + (before - math.log(target)) / (before - after)
    return result


def epochs_saved(root: int, level: Level) -> Evidence:
    """Epochs that ELU saves to where ReLU's mean loss is after half of them, in per cent."""
    table = load(DEEP.name)
    places = table[["data", "depth"]].drop_duplicates().itertuples(index=False)
    keys = [(str(data), int(depth)) for data, depth in places]
    cases: dict[Case, stats.Interval] = {}
    for data, depth in keys:
        part = table[(table.data == data) & (table.depth == depth)].sort_values("seed")
        ratios = []
        for run in (0, 1):
            losses = {
                arm: rows.filter(like="loss_").dropna(axis=1, how="all").to_numpy()
                for arm, rows in part[part.root == run].groupby("arm")
            }
            half = losses["relu"].shape[1] // 2
            target = float(np.nanmean(losses["relu"][:, half - 1]))
            elu, relu = (epochs_to(losses[arm], target) for arm in ("elu", "relu"))
            ratios.append(np.log(elu / relu))
        found = in_both(ratios, level(len(keys)))
        mean, high, low = (100 * (1 - math.exp(v)) for v in (found.mean, found.low, found.high))
        cases[NAMES[data], str(depth)] = stats.Interval(
            mean, low, high, found.n, confidence=found.confidence
        )
    return {"share of epochs saved": Measured(cases, ("data", "depth"))}


FASTER = Experiment(
    f"{_DEEP} Epochs until the training loss is where ReLU's mean is after half of them, paired by "
    "seed: the share of ReLU's that ELU saves (geometric mean).",
    _DEEP_SCOPE,
    epochs_saved,
    study="selu_deep",
)
