"""Which ReLUs are dead: before training, by the start; in training, by the learning rate.

A unit is dead if it is 0 for every training input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments import untrained
from actlab.experiments.contest import TITLES
from actlab.experiments.together import share_of
from actlab.stats import Array, Interval
from actlab.study import Cell, Study, grid_of, load, part_of, root_seeds, table_of
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from actlab.ensemble import Result

Arm = dict[str, Any]  # settings of :func:`actlab.ensemble.train`

CHANCE = 0.1  # ten classes of about equal size

# --- Before training ------------------------------------------------------------------------------

WIDTHS = (256,) * 5 + (128,) * 5  # the network of the published figures
HALF = 5  # "deep" are the layers behind so many
DEFAULT = "PyTorch default"
STARTS: dict[str, Arm] = {
    DEFAULT: {"init": "torch"},
    "same weights, zero bias": {"init": "torch", "bias": 0},
    "He, PyTorch's biases": {"init": "kaiming_uniform"},
    "He": {"init": "he_uniform"},
    "Keras default": {"init": "keras"},
}
# What each of them changes against PyTorch's default. (Without biases the size of the weights does
# not matter: it moves no pre-activation across 0.)
CHANGES = {
    "same weights, zero bias": "the biases set to zero",
    "He, PyTorch's biases": "the weights √6 times larger (He's)",
    "He": "He's weights without biases",
    "Keras default": "Keras's default",
}


def born_dead_cell(
    activation: str, init: str, root: int, data: str = "fashion_mnist", *, starts: Any, widths: Any
) -> pd.DataFrame:
    """What the layers of untrained networks do with the training images: a row per seed and layer.

    Columns ``seed``, ``layer`` and those of :class:`actlab.experiments.untrained.Signals`.
    """
    x, seeds = datasets.load(data, scale="symmetric").x_train, root_seeds(root)
    arm = {"activation": activation, "hidden": widths, **starts[init]}
    networks = untrained.draw(seeds, features=x.shape[1], dtype="float32", **arm)
    found = untrained.signals(networks, x)._asdict()
    return table_of(found, seed=seeds, layer=range(1, len(widths) + 1))


BORN_DEAD = Study(
    name="born_dead",
    title="Dead before training: weights and biases, small or not",
    task=born_dead_cell,
    axes={"activation": ("relu", "silu", "tanh"), "init": tuple(STARTS), "root": (0, 1)},
    only=lambda cell: cell["activation"] == "relu" or cell["init"] in (DEFAULT, "He"),
    settings={"starts": STARTS, "widths": WIDTHS},
)


def per_layer(table: pd.DataFrame, column: str, **where: Any) -> Array:
    """One column as an array (seeds, layers), for the rows that match."""
    return grid_of(table, column, "seed", "layer", **where)


def deep_dead(table: pd.DataFrame) -> pd.DataFrame:
    """Mean dead share of the deep layers: a row per seed, a column per start."""
    return table[table.layer > HALF].pivot_table("dead", "seed", "init")


_TEN = "Ten hidden layers (5×256, 5×128), the 50,000 training images of Fashion-MNIST, 20 seeds"
_UNTRAINED = "Untrained networks of ten hidden layers"
_BORN_DEAD = (f"{_UNTRAINED} · Fashion-MNIST · 20 seeds", BORN_DEAD.name)  # scope, study
SPARED = "share of the dead deep units that another start spares"


@experiment(f"{_TEN}, by initialisation; mean dead share of layers 6 to 10.", *_BORN_DEAD)
def born(root: int, level: Level) -> Evidence:
    dead = 100 * deep_dead(load("born_dead", root=root, activation="relu"))
    shares = {init: dead[init] for init in STARTS if init in dead}
    return {"share of deep units that are born dead": Measured.means(shares, level, "start")}


@experiment(
    f"{_TEN}, and the same on the training digits: how many of the units of layers 6 to 10 that "
    "are dead under PyTorch's default start are alive under another one, which differs in its "
    "weights, its biases or both; on digits in one alone, the rest being the very same. Paired by "
    "seed.",
    f"{_UNTRAINED} · Fashion-MNIST, digits · 20 seeds",
)
def spared(root: int, level: Level) -> Evidence:
    alone = (DEFAULT, "same weights, zero bias", "He, PyTorch's biases")  # one change at most
    how = BORN_DEAD.settings
    cells = [born_dead_cell("relu", i, root, "digits", **how).assign(init=i) for i in alone]
    dead = {
        "Fashion-MNIST": deep_dead(load("born_dead", root=root, activation="relu")),
        "digits": deep_dead(pd.concat(cells)),
    }
    shares = {
        (data, change): 100 * (1 - its[init] / its[DEFAULT])
        for data, its in dead.items()
        for init, change in CHANGES.items()
        if init in its
    }
    return {SPARED: Measured.means(shares, level, "data", "change")}


@experiment(
    "The same start (PyTorch's default) with Swish in place of ReLU: how much the pre-activations "
    "of the last hidden layer vary from image to image, relative to their offset, over ReLU's, in "
    "powers of ten; paired by seed.",
    *_BORN_DEAD,
)
def swish(root: int, level: Level) -> Evidence:
    last = load("born_dead", root=root, init=DEFAULT, layer=len(WIDTHS))
    relative = last.assign(it=last.spread / last.offset)
    relu, silu = (part_of(relative, activation=name).it.to_numpy() for name in ("relu", "silu"))
    notes = {"relative spread": {"ReLU": float(relu.mean()), "Swish": float(silu.mean())}}
    gain = {"Swish": np.log10(silu / relu)}
    return {"gain in relative spread": Measured.means(gain, level, notes=notes)}


# --- In training ----------------------------------------------------------------------------------

# Half-decades around the usual value of each optimiser, far enough up to break it.
LEARNING_RATES = {
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "Adam": (0.0003, 0.001, 0.003, 0.01, 0.03),
}
OPTIMISERS: dict[str, Arm] = {
    "SGD": {"optimizer": "sgd", "momentum": 0.0},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "Adam": {"optimizer": "adam"},
}
BASE: Arm = {"activation": "relu", "hidden": (64,) * 5, "init": "he_normal", "batch_size": 128}
VARIANTS: dict[str, Arm] = {
    "base": {},
    "2 layers": {"hidden": (64,) * 2},
    "10 layers": {"hidden": (64,) * 10},
    "width 16": {"hidden": (16,) * 5},
    "width 128": {"hidden": (128,) * 5},
    "PyTorch's init": {"init": "torch"},
    "Keras's init": {"init": "keras"},
    "batch norm": {"normalization": "batch"},
}
# Options, the epochs at which the dead are counted, and what the networks differ in.
DATA: dict[str, tuple[Arm, tuple[int, ...], Arm]] = {
    "digits": ({}, (0, 1, 2, 3, 5, 10, 20, 30), {}),
    "mnist1d": ({}, (0, 1, 2, 3, 5, 10, 15), {}),
    "fashion_mnist": ({"size": 5_000}, (0, 1, 2, 3, 5), {"hidden": (256, 256, 128, 128)}),
}


def train(
    data: Any, root: int, checks: Sequence[int], arms: Mapping[str, Arm], **settings: Any
) -> Result:
    """Twenty networks per arm, probed at the epochs ``checks`` (0: untrained) up to the last."""
    from actlab import ensemble

    settings = {"probe": "dead", "batch_size": 128, "keep_weights": False, **settings}
    per_epoch = math.ceil(len(data.y_train) / settings["batch_size"])
    settings |= {"epochs": checks[-1], "probe_at": [per_epoch * epoch for epoch in checks]}
    return ensemble.train(data, arms=arms, seeds=root_seeds(root), progress=False, **settings)


def training_cell(
    data: str,
    root: int,
    optimiser: str,
    variant: str,
    lr: float,
    *,
    base: Arm,
    variants: Mapping[str, Arm],
    data_options: Any,
) -> pd.DataFrame:
    """Twenty networks of one setting: a row per network and checked epoch that it reached.

    The :meth:`~actlab.ensemble.Result.fates` of its hidden units, as shares of all of them, and
    ``first_revived`` of the first layer's; whether this is the ``last`` check; what came of it.
    """
    options, checks, own = data_options[data]
    arm = {**own, **OPTIMISERS[optimiser], **variants[variant], "lr": lr}
    result = train(datasets.load(data, **options), root, checks, {"it": arm}, **base)
    fates, widths = result.fates("it"), result.arms["it"].hidden  # by seed, check, layer
    shares = {name: np.average(values, 2, widths) for name, values in fates.items()}
    shares["first_revived"] = fates["revived"][:, :, 0]
    seen = checks[: len(fates["dead"][0])]  # none of the later ones, if all networks diverged
    table = table_of(shares, seed=root_seeds(root), epoch=seen).dropna()
    outcome = result.to_frame().set_index("seed")[["diverged", "valid_accuracy", "test_accuracy"]]
    table = table.assign(last=table.epoch == checks[-1]).join(outcome, on="seed")
    return table.astype(dict.fromkeys(table.columns[table.dtypes == "float64"], "float32"))


def _of_interest(cell: Cell) -> bool:
    """Each optimiser at rates of its own; the variants on digits with momentum's middle rates."""
    rates = LEARNING_RATES[cell["optimiser"]]
    if cell["variant"] == "base":
        return cell["lr"] in rates
    return (cell["data"], cell["optimiser"]) == ("digits", "momentum") and cell["lr"] in rates[1:4]


RELU_TRAINING = Study(
    name="relu_training",
    title="Who dies in training: data sets, optimisers, learning rates, variants",
    task=training_cell,
    axes={
        "data": tuple(DATA),
        "root": (0, 1),
        "optimiser": tuple(OPTIMISERS),
        "variant": tuple(VARIANTS),
        "lr": tuple(sorted(set().union(*LEARNING_RATES.values()))),
    },
    only=_of_interest,
    settings={"base": BASE, "variants": VARIANTS, "data_options": DATA},
)

STUDIES = (BORN_DEAD, RELU_TRAINING)

# --- Reading --------------------------------------------------------------------------------------

STAND = 10  # of 20 networks: a rate at which more diverge is not one that anybody trains at


def final(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The last check of every network that got there, for the rows that match."""
    return part_of(table, last=True, diverged=False, **where)


def best_rate(rows: pd.DataFrame) -> float:
    """The learning rate with the best mean validation accuracy (diverged ones count as chance)."""
    networks = rows.drop_duplicates(["lr", "seed"])
    scores = networks.valid_accuracy.fillna(CHANCE).groupby(networks.lr).mean()
    return float(scores.idxmax())


def tuned(table: pd.DataFrame, data: str, optimiser: str, variant: str = "base") -> float:
    """:func:`best_rate` in one setting."""
    return best_rate(part_of(table, data=data, optimiser=optimiser, variant=variant))


def largest_rate(rows: pd.DataFrame) -> float:
    """The largest learning rate at which at least half of the networks stand."""
    standing = final(rows).groupby("lr").size()
    return float(standing[standing >= STAND].index.max())


def dead_by_rate(table: pd.DataFrame, data: str) -> dict[str, dict[float | str, Interval]]:
    """Optimiser → learning rate → dead units after training in per cent, over the networks.

    Diverged networks are left out, and rates at which more than half of them diverged.
    """
    ends = final(table, data=data, variant="base")
    return {
        optimiser: {
            lr: stats.mean_interval(100 * dead)
            for lr, dead in part_of(ends, optimiser=optimiser).groupby("lr").dead
            if len(dead) >= STAND
        }
        for optimiser in LEARNING_RATES
    }


# --- Claims ---------------------------------------------------------------------------------------

_SMALL = "Small fully connected ReLU networks"
_TRAINED = (f"{_SMALL} · digits, MNIST-1D, Fashion-MNIST · 20 seeds", RELU_TRAINING.name)
_SETTINGS = (
    "ReLU networks from He's start on digits, MNIST-1D and 5,000 images of Fashion-MNIST; SGD, "
    "momentum and Adam at five learning rates each, 20 seeds; a unit is dead if it is 0 for every "
    "training input, counted before training and at several epochs. Networks that diverge are "
    "left out."
)
_AT_TUNED = f"{_SETTINGS} At the learning rate with the best validation accuracy:"
FACTORS = ("data", "optimiser")
REVIVED = "share of networks in which dead units fire again"
RANKS = "rank correlation of dead share and test accuracy"


def _shares(root: int, column: str, rate: Callable[[pd.DataFrame], float]) -> dict[Case, Array]:
    """Data set and optimiser → a share of every network's units at a ``rate`` of its own, per cent.

    Networks that have none (NaN) are left out, and settings in which fewer than ``STAND`` have one.
    """
    table = load("relu_training", root=root, variant="base")
    table = table.assign(woken=table.revived / table.ever_dead)  # NaN where none was dead
    found: dict[Case, Array] = {}
    for (data, optimiser), rows in table.groupby(["data", "optimiser"], sort=False):
        shares = 100 * final(rows, lr=rate(rows))[column].dropna().to_numpy()
        if len(shares) >= STAND:
            found[TITLES[data], "plain SGD" if optimiser == "SGD" else optimiser] = shares
    return found


def _count(root: int, column: str, above: float, level: Level, note: str, **more: Any) -> Measured:
    """Tuned networks whose share is ``above`` so many per cent; ``note`` names their means."""
    shares = _shares(root, column, best_rate)
    sure = level(len(shares))
    cases = {case: share_of(int((x > above).sum()), len(x), sure) for case, x in shares.items()}
    means = {", ".join(case): float(x.mean()) for case, x in shares.items()}
    return Measured(cases, FACTORS, notes={note: means, **more})


@experiment(f"{_AT_TUNED} units that are dead at the end and were alive at the start.", *_TRAINED)
def died(root: int, level: Level) -> Evidence:
    found = _count(root, "died", 1, level, "units that die (%)")
    return {"share of networks that lose units": found}


@experiment(
    f"{_SETTINGS} At the largest learning rate at which at least half of the networks do not "
    "diverge: units that are dead at the end.",
    *_TRAINED,
)
def dead_at_largest(root: int, level: Level) -> Evidence:
    dead = _shares(root, "dead", largest_rate)
    return {"share of dead units": Measured.means(dead, level, *FACTORS)}


@experiment(
    f"{_AT_TUNED} of the units that were dead at some check, those that fire at the last one; "
    "networks without any are left out. Counted are the networks with at least one; Wilson's "
    "interval.",
    *_TRAINED,
)
def revived(root: int, level: Level) -> Evidence:
    table = final(load("relu_training", root=root, variant="base"))
    plain = np.where(table.optimiser == "SGD", "plain SGD", "others")
    more = {"in the first layer, at most": table.first_revived.groupby(plain).max().to_dict()}
    return {REVIVED: _count(root, "woken", 0, level, "dead units that fire again (%)", **more)}


@experiment(
    "The same networks: rank correlation of dead share and test accuracy, between the seeds of "
    "each setting at its tuned rate, and between the learning rates of each setting.",
    *_TRAINED,
)
def dead_and_accuracy(root: int, level: Level) -> Evidence:
    found: dict[str, list[float]] = {"seeds": [], "learning rates": []}
    for _, group in load("relu_training", root=root).groupby(["data", "optimiser", "variant"]):
        seeds = final(group, lr=best_rate(group))
        rates = final(group).groupby("lr")[["dead", "test_accuracy"]].mean()
        for what, rows, least in (("seeds", seeds, STAND), ("learning rates", rates, 3)):
            if len(rows) >= least and rows.dead.nunique() > 2:
                found[what].append(rows.dead.corr(rows.test_accuracy, method="spearman"))
    ranks = {f"{what} of one setting": np.array(rho) for what, rho in found.items()}
    return {RANKS: Measured.means(ranks, level, "between")}


def half_killed(shape: tuple[int, int], generator: Generator) -> Tensor:
    """He normal weights, but the first half of a hidden layer's units get none: dead for good.

    With no weights and no bias the pre-activation is 0, where ReLU's gradient is 0 too.
    """
    import torch

    weight = torch.randn(shape, generator=generator, dtype=torch.float64)
    if shape[0] == BASE["hidden"][0]:
        weight[: shape[0] // 2] = 0
    return weight * math.sqrt(2 / shape[1])


@experiment(
    "Digits, five hidden layers of 64: half of the units of every hidden layer are killed for good "
    "before training; 20 seeds, learning rate tuned for each arm; against the intact network, "
    "paired by seed.",
    f"{_SMALL} · digits · 20 seeds",
)
def half_dead(root: int, level: Level) -> Evidence:
    accuracy, notes = {}, {}
    arms = {f"{lr:g}": {"lr": lr} for lr in (0.01, 0.03, 0.1)}
    for name, init in {"intact": "he_normal", "half dead": half_killed}.items():
        # In float64, which is the same on every processor.
        settings = {**BASE, **OPTIMISERS["momentum"], "init": init, "dtype": "float64"}
        result = train(datasets.load("digits"), root, (0, 20), arms, **settings)
        best = f"{best_rate(result.to_frame().rename(columns={'arm': 'lr'})):g}"
        accuracy[name] = 100 * result.by_arm("test_accuracy")[best]
        last = result.fates(best)["dead"][:, -1].mean(1)  # all layers are as wide
        notes[name] = {"accuracy": float(accuracy[name].mean()), "dead": 100 * float(last.mean())}
    lost = {"half of the units dead": accuracy["intact"] - accuracy["half dead"]}
    return {"loss of test accuracy": Measured.means(lost, level, notes=notes)}
