"""Which ReLUs are dead: before training, by the start; in training, by the learning rate.

A unit is dead if it is 0 for every training input.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments import untrained
from actlab.experiments.contest import TITLES
from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import share_of
from actlab.stats import Array, Interval
from actlab.study import Cell, Study, grid_of, load, part_of
from actlab.trial import Case, Evidence, Experiment, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from actlab.ensemble import Result
    from actlab.ensemble.watching import Probe

Arm = dict[str, Any]  # settings of :func:`actlab.ensemble.train`

CHANCE = 0.1  # ten classes of about equal size

# --- Before training ------------------------------------------------------------------------------

WIDTHS = (256,) * 5 + (128,) * 5  # the network of the published figures
DEEP = slice(5, 10)  # "deep": the layers behind the first half
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
    activation: str,
    init: str,
    root: int,
    data: str = "fashion_mnist",
    *,
    starts: Mapping[str, Arm] = STARTS,
    widths: Sequence[int] = WIDTHS,
) -> pd.DataFrame:
    """What the layers of untrained networks do with the training images: a row per seed and layer.

    Columns ``seed``, ``layer`` and those of :class:`actlab.experiments.untrained.Signals`.
    """
    x, seeds = datasets.load(data, scale="symmetric").x_train, root_seeds(root)
    shape: Arm = {"features": x.shape[1], "hidden": tuple(widths), "dtype": "float32"}
    networks = untrained.draw(seeds, activation=activation, **shape, **starts[init])
    values = {name: found.ravel() for name, found in vars(untrained.signals(networks, x)).items()}
    index = pd.MultiIndex.from_product([seeds, range(1, len(widths) + 1)], names=["seed", "layer"])
    return pd.DataFrame(values, index=index).reset_index()


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


def deep_dead(root: int, data: str) -> dict[str, Array]:
    """Start → mean dead share of the deep layers of ReLU networks, by seed.

    On Fashion-MNIST from the study; on other data measured now, for those starts that change one
    thing alone.
    """
    if data == "fashion_mnist":
        table = load("born_dead", root=root, activation="relu")
    else:
        starts = (DEFAULT, "same weights, zero bias", "He, PyTorch's biases")
        cells = [born_dead_cell("relu", init, root, data).assign(init=init) for init in starts]
        table = pd.concat(cells)
    known = [init for init in STARTS if init in set(table.init)]
    return {init: per_layer(table, "dead", init=init)[:, DEEP].mean(axis=1) for init in known}


_TEN = "Ten hidden layers (5×256, 5×128), the 50,000 training images of Fashion-MNIST, 20 seeds"
_UNTRAINED = "Untrained networks of ten hidden layers"


@experiment(
    f"{_TEN}, by initialisation; mean dead share of layers 6 to 10.",
    f"{_UNTRAINED} · Fashion-MNIST · 20 seeds",
    "born_dead",
)
def born(root: int, level: Level) -> Evidence:
    dead = deep_dead(root, "fashion_mnist")
    cases = {init: stats.mean_interval(100 * x, level(len(dead))) for init, x in dead.items()}
    return {"share of deep units that are born dead": Measured.of(cases, "start")}


@experiment(
    f"{_TEN}, and the same on the training digits: how many of the units of layers 6 to 10 that "
    "are dead under PyTorch's default start are alive under another one, which differs in its "
    "weights, its biases or both; on digits in one alone, the rest being the very same. Paired by "
    "seed.",
    f"{_UNTRAINED} · Fashion-MNIST, digits · 20 seeds",
)
def spared(root: int, level: Level) -> Evidence:
    shares: dict[Case, Array] = {}
    for data in ("fashion_mnist", "digits"):
        dead = deep_dead(root, data)
        for init, change in CHANGES.items():
            if init in dead:
                shares[TITLES[data], change] = 100 * (1 - dead[init] / dead[DEFAULT])
    cases = {case: stats.mean_interval(x, level(len(shares))) for case, x in shares.items()}
    quantity = "share of the dead deep units that another start spares"
    return {quantity: Measured(cases, ("data", "change"))}


@experiment(
    "The same start (PyTorch's default) with Swish in place of ReLU: how much the pre-activations "
    "of the last hidden layer vary from image to image, relative to their offset, over ReLU's, in "
    "powers of ten; paired by seed.",
    f"{_UNTRAINED} · Fashion-MNIST · 20 seeds",
    "born_dead",
)
def swish(root: int, level: Level) -> Evidence:
    """How much the last layer's pre-activations differ between inputs, relative to their offset."""
    last = load("born_dead", root=root, init=DEFAULT, layer=len(WIDTHS))
    relative = last.assign(it=last.spread / last.offset)
    relu, silu = (part_of(relative, activation=name).it.to_numpy() for name in ("relu", "silu"))
    gain = stats.mean_interval(np.log10(silu / relu), level(1))
    notes = {"relative spread": {"ReLU": float(relu.mean()), "Swish": float(silu.mean())}}
    return {"gain in relative spread": Measured.of({"Swish": gain}, notes=notes)}


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
    data: Any,
    root: int,
    checks: Sequence[int],
    arms: Mapping[str, Arm],
    probe: str | Probe = "dead",
    *,
    batch_size: int = 128,
    **settings: Any,
) -> Result:
    """Train twenty networks per arm, looking at their units after some epochs.

    ``checks``: those epochs; 0 is before training, the last one ends it. ``settings``: see
    :func:`actlab.ensemble.train`; they hold for all arms.
    """
    from actlab import ensemble

    per_epoch = math.ceil(len(data.y_train) / batch_size)
    return ensemble.train(
        data,
        arms=arms,
        seeds=root_seeds(root),
        epochs=checks[-1],
        probe=probe,
        probe_at=[per_epoch * epoch for epoch in checks],
        batch_size=batch_size,
        keep_weights=False,
        progress=False,
        **settings,
    )


def training_cell(
    data: str, root: int, optimiser: str, variant: str, lr: float, **settings: Any
) -> pd.DataFrame:
    """Twenty networks of one setting: a row per network and checked epoch that it reached.

    Shares of all its hidden units: ``dead`` now; ``born_dead`` at the start; ``died``: dead now,
    alive at the start; ``revived``: units that were dead at some check and fire now;
    ``ever_dead``: dead at any check so far; ``first_revived``: like ``revived``, for the first
    hidden layer alone. ``last``: whether this is the last check. Then what came of the network.
    """
    options, checks, own = DATA[data]
    arm = {**own, **OPTIMISERS[optimiser], **VARIANTS[variant], "lr": lr}
    result = train(datasets.load(data, **options), root, checks, {"it": arm}, **BASE)
    fates = result.fates("it")  # name → (seeds, checks, layers)
    widths = result.arms["it"].hidden
    shares = {name: np.average(values, 2, widths).ravel() for name, values in fates.items()}
    shares["first_revived"] = fates["revived"][:, :, 0].ravel()
    seen = checks[: fates["dead"].shape[1]]  # none of the later ones, if all networks diverged
    index = pd.MultiIndex.from_product([root_seeds(root), seen], names=["seed", "epoch"])
    table = pd.DataFrame(shares, index=index).dropna().reset_index()
    table["last"] = table.epoch == checks[-1]
    outcome = result.to_frame().set_index("seed")
    table = table.join(outcome[["diverged", "valid_accuracy", "test_accuracy"]], on="seed")
    single = table.columns[table.dtypes == "float64"]
    return table.astype(dict.fromkeys(single, "float32"))


def _of_interest(cell: Cell) -> bool:
    """Each optimiser at rates of its own; the variants on digits with momentum's middle rates."""
    rates = LEARNING_RATES[cell["optimiser"]]
    middle = (cell["data"], cell["optimiser"]) == ("digits", "momentum") and cell["lr"] in rates[
        1:4
    ]
    return middle or (cell["variant"] == "base" and cell["lr"] in rates)


RELU_TRAINING = Study(
    name="relu_training",
    title="Who dies in training: data sets, optimisers, learning rates, variants",
    task=training_cell,
    axes={
        "data": tuple(DATA),
        "root": (0, 1),
        "optimiser": tuple(OPTIMISERS),
        "variant": tuple(VARIANTS),
        "lr": tuple(sorted({lr for rates in LEARNING_RATES.values() for lr in rates})),
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


def best_rate(networks: pd.DataFrame) -> float:
    """The learning rate with the best mean validation accuracy (diverged ones count as chance)."""
    scores = networks.valid_accuracy.fillna(CHANCE).groupby(networks.lr).mean()
    return float(scores.idxmax())


def tuned(table: pd.DataFrame, data: str, optimiser: str, variant: str = "base") -> float:
    """:func:`best_rate` in one setting."""
    rows = part_of(table, data=data, optimiser=optimiser, variant=variant)
    return best_rate(rows.drop_duplicates(["lr", "seed"]))


def largest(table: pd.DataFrame, data: str, optimiser: str) -> float:
    """The largest learning rate at which at least half of the networks stand."""
    standing = final(table, data=data, optimiser=optimiser, variant="base").groupby("lr").size()
    return float(standing[standing >= STAND].index.max())


def dead_by_rate(table: pd.DataFrame, data: str) -> dict[str, dict[float | str, Interval]]:
    """Optimiser → learning rate → dead units after training in per cent, over the networks.

    Diverged networks are left out, and rates at which more than half of them diverged.
    """
    found: dict[str, dict[float | str, Interval]] = {}
    for optimiser in LEARNING_RATES:
        ends = final(table, data=data, optimiser=optimiser, variant="base").groupby("lr").dead
        found[optimiser] = {
            lr: stats.mean_interval(100 * dead) for lr, dead in ends if len(dead) >= STAND
        }
    return found


# --- Claims ---------------------------------------------------------------------------------------

FACTORS = ("data", "optimiser")


def _shares(
    root: int, column: str, rate: Callable[[pd.DataFrame, str, str], float]
) -> dict[Case, pd.Series[float]]:
    """Data set and optimiser → a share of every network's units at a ``rate`` of its own, per cent.

    Networks that have none (NaN) are left out, and settings in which fewer than ``STAND`` have one.
    """
    table = load("relu_training", root=root, variant="base")
    table = table.assign(woken=table.revived / table.ever_dead)  # NaN where none was dead
    found: dict[Case, pd.Series[float]] = {}
    for data, optimiser in itertools.product(DATA, OPTIMISERS):
        networks = final(table, data=data, optimiser=optimiser, lr=rate(table, data, optimiser))
        shares = 100 * networks[column].dropna()
        if len(shares) >= STAND:
            found[TITLES[data], "plain SGD" if optimiser == "SGD" else optimiser] = shares
    return found


def _in_how_many(
    shares: Mapping[Case, pd.Series[float]], above: float, level: Level, note: str
) -> Measured:
    """The networks whose share is ``above`` so many per cent; ``note``: what their means are."""
    cases = {
        case: share_of(int((x > above).sum()), len(x), level(len(shares)))
        for case, x in shares.items()
    }
    means = {", ".join(case): float(x.mean()) for case, x in shares.items()}
    return Measured(cases, FACTORS, notes={note: means})


def _died(root: int, level: Level) -> Evidence:
    died = _in_how_many(_shares(root, "died", tuned), 1, level, "units that die (%)")
    return {"share of networks that lose units": died}


def _largest(root: int, level: Level) -> Evidence:
    dead = _shares(root, "dead", largest)
    cases = {case: stats.mean_interval(x, level(len(dead))) for case, x in dead.items()}
    return {"share of dead units": Measured(cases, FACTORS)}


def _revived(root: int, level: Level) -> Evidence:
    table = final(load("relu_training", root=root, variant="base"))
    first = table.first_revived.groupby(table.optimiser == "SGD").max()
    most = {"plain SGD": float(first[True]), "others": float(first[False])}
    woken = _shares(root, "woken", tuned)
    found = _in_how_many(woken, 0, level, "dead units that fire again (%)")
    notes = {**found.notes, "in the first layer, at most": most}
    return {"share of networks in which dead units fire again": replace(found, notes=notes)}


def _accuracy(root: int, level: Level) -> Evidence:
    """Rank correlations of dead share and test accuracy, one per setting."""
    from scipy.stats import spearmanr

    table = load("relu_training", root=root)
    found: dict[str, list[float]] = {"seeds": [], "learning rates": []}
    for place, group in final(table).groupby(["data", "optimiser", "variant"]):
        seeds = part_of(group, lr=tuned(table, *place))
        rates = group.groupby("lr")[["dead", "test_accuracy"]].mean()
        for what, rows, least in (("seeds", seeds, STAND), ("learning rates", rates, 3)):
            if len(rows) >= least and rows.dead.nunique() > 2:
                found[what].append(float(spearmanr(rows.dead, rows.test_accuracy).statistic))
    cases = {f"{x} of one setting": stats.mean_interval(r, level(2)) for x, r in found.items()}
    return {"rank correlation of dead share and test accuracy": Measured.of(cases, "between")}


def half_killed(shape: tuple[int, int], generator: Generator) -> Tensor:
    """He normal weights, but the first half of a hidden layer's units get none: dead for good.

    With no weights and no bias the pre-activation is 0, where ReLU's gradient is 0 too.
    """
    import torch

    weight: Tensor = torch.randn(shape, generator=generator, dtype=torch.float64)
    weight *= math.sqrt(2 / shape[1])
    if shape[0] == BASE["hidden"][0]:
        weight[: shape[0] // 2].zero_()
    return weight


def _half_killed(root: int, level: Level) -> Evidence:
    accuracy, notes = {}, {}
    for name, init in {"intact": "he_normal", "half dead": half_killed}.items():
        arms = {f"{lr:g}": {"lr": lr} for lr in (0.01, 0.03, 0.1)}
        # In float64, which is the same on every processor.
        settings = {**BASE, **OPTIMISERS["momentum"], "init": init, "dtype": "float64"}
        result = train(datasets.load("digits"), root, (0, 20), arms, **settings)
        networks = result.to_frame()
        best = f"{best_rate(networks.assign(lr=networks.arm.astype(float))):g}"
        accuracy[name] = 100 * result.by_arm("test_accuracy")[best]
        last = result.fates(best)["dead"][:, -1].mean(1)  # all layers are as wide
        notes[name] = {"accuracy": float(accuracy[name].mean()), "dead": 100 * float(last.mean())}
    lost = stats.paired_difference(accuracy["intact"], accuracy["half dead"], level(1))
    return {"loss of test accuracy": Measured.of({"half of the units dead": lost}, notes=notes)}


_SETTINGS = (
    "ReLU networks from He's start on digits, MNIST-1D and 5,000 images of Fashion-MNIST; SGD, "
    "momentum and Adam at five learning rates each, 20 seeds; a unit is dead if it is 0 for every "
    "training input, counted before training and at several epochs. Networks that diverge are "
    "left out."
)
_AT_TUNED = f"{_SETTINGS} At the learning rate with the best validation accuracy:"
_SMALL = "Small fully connected ReLU networks"


def _trained(measure: Callable[[int, Level], Evidence], prose: str) -> Experiment:
    scope = f"{_SMALL} · digits, MNIST-1D, Fashion-MNIST · 20 seeds"
    return Experiment(prose, scope, measure, RELU_TRAINING.name)


DIED = _trained(_died, f"{_AT_TUNED} units that are dead at the end and were alive at the start.")
LARGEST = _trained(
    _largest,
    f"{_SETTINGS} At the largest learning rate at which at least half of the networks do not "
    "diverge: units that are dead at the end.",
)
REVIVED = _trained(
    _revived,
    f"{_AT_TUNED} of the units that were dead at some check, those that fire at the last one; "
    "networks without any are left out. Counted are the networks with at least one; Wilson's "
    "interval.",
)
ACCURACY = _trained(
    _accuracy,
    "The same networks: rank correlation of dead share and test accuracy, between the seeds of "
    "each setting at its tuned rate, and between the learning rates of each setting.",
)
HALF_KILLED = Experiment(
    "Digits, five hidden layers of 64: half of the units of every hidden layer are killed for good "
    "before training; 20 seeds, learning rate tuned for each arm; against the intact network, "
    "paired by seed.",
    f"{_SMALL} · digits · 20 seeds",
    _half_killed,
)
