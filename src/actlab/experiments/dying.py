"""Which ReLUs are dead: before training, by the start; in training, by the learning rate.

A unit is dead if it is 0 for every training input.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import TITLES
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd
    from torch import Generator, Tensor

    from actlab.ensemble import Result

Array = npt.NDArray[np.float64]

CHANCE = 0.1  # ten classes of about equal size

# --- Before training ------------------------------------------------------------------------------

WIDTHS = (256,) * 5 + (128,) * 5  # the network of the published figures
DEEP = slice(5, 10)  # "deep": the layers behind the first half
DEFAULT = "PyTorch default"
STARTS: dict[str, dict[str, Any]] = {
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
    activation: str, init: str, root: int, *, starts: Mapping[str, Any], widths: Sequence[int]
) -> pd.DataFrame:
    """Untrained networks on the training images of Fashion-MNIST: a row per seed and layer."""
    images = datasets.load("fashion_mnist", scale="symmetric").x_train
    return untrained_layers(images, root_seeds(root), activation, starts[init], widths)


def untrained_layers(
    x: Any,
    seeds: Sequence[int],
    activation: str = "relu",
    start: Mapping[str, Any] = STARTS[DEFAULT],
    widths: Sequence[int] = WIDTHS,
) -> pd.DataFrame:
    """What each layer of untrained networks does with the inputs ``x`` (samples, features).

    Columns ``seed``, ``layer`` and those of :class:`actlab.experiments.untrained.Signals`.
    """
    import pandas as pd

    from actlab.experiments import untrained

    settings = {"activation": activation, "hidden": tuple(widths), **start}
    networks = untrained.draw(seeds, features=x.shape[1], dtype="float32", **settings)
    found = untrained.signals(networks, x)
    index = pd.MultiIndex.from_product([seeds, range(1, len(widths) + 1)], names=["seed", "layer"])
    columns = ("dead", "always_on", "spread", "offset")
    values = {name: getattr(found, name).ravel() for name in columns}
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
    for key, value in where.items():
        table = table[table[key] == value]
    return np.asarray(table.pivot(index="seed", columns="layer", values=column), dtype=float)


def relative_spread(table: pd.DataFrame, activation: str, init: str) -> Array:
    """How much pre-activations differ between inputs, relative to their offset: (seeds, layers)."""
    where = {"activation": activation, "init": init}
    return per_layer(table, "spread", **where) / per_layer(table, "offset", **where)


def _deep(table: pd.DataFrame, init: str) -> Array:
    """Mean dead share of the deep layers, by seed."""
    result: Array = per_layer(table, "dead", activation="relu", init=init)[:, DEEP].mean(1)
    return result


def deep_dead(x: Any, seeds: Sequence[int], start: Mapping[str, Any]) -> Array:
    """Mean dead share of the deep layers of untrained ReLU networks, by seed."""
    import torch

    from actlab.experiments import untrained

    networks = untrained.draw(
        seeds, features=x.shape[1], dtype="float32", activation="relu", hidden=WIDTHS, **start
    )
    alive: list[Tensor] = []
    for rows in np.array_split(x, max(len(x) // 256, 1)):
        fire = [(h > 0).any(1) for h in untrained.outputs(networks, rows)[DEEP]]
        alive = list(map(torch.logical_or, alive, fire)) if alive else fire
    dead = torch.stack([1 - layer.double().mean(1) for layer in alive], 1).mean(1)
    result: Array = dead.numpy()
    return result


def _born(root: int, level: Level) -> Evidence:
    table = load("born_dead")
    table = table[table.root == root]
    known = [init for init in STARTS if (table.init == init).any()]
    cases = {
        init: stats.mean_interval(100 * _deep(table, init), level(len(known))) for init in known
    }
    return {"share of deep units that are born dead": Measured.of(cases, "start")}


def _spared(root: int, level: Level) -> Evidence:
    committed = load("born_dead")
    x = datasets.load("digits", scale="symmetric").x_train
    seeds = root_seeds(root)
    one_change = (DEFAULT, "same weights, zero bias", "He, PyTorch's biases")
    live = {init: deep_dead(x, seeds, STARTS[init]) for init in one_change}
    shares: dict[Case, Array] = {}
    old = committed[committed.root == root]
    fashion = {init: _deep(old, init) for init in STARTS if (old.init == init).any()}
    for data, deep in (("fashion_mnist", fashion), ("digits", live)):
        for init, change in CHANGES.items():
            if init in deep:
                shares[TITLES[data], change] = 100 * (1 - deep[init] / deep[DEFAULT])
    cases = {case: stats.mean_interval(v, level(len(shares))) for case, v in shares.items()}
    return {
        "share of the dead deep units that another start spares": Measured(
            cases, ("data", "change")
        )
    }


def _swish(root: int, level: Level) -> Evidence:
    table = load("born_dead")
    table = table[table.root == root]
    relu, silu = (relative_spread(table, name, DEFAULT)[:, -1] for name in ("relu", "silu"))
    gain = stats.mean_interval(np.log10(silu / relu), level(1))
    notes = {"relative spread": {"ReLU": float(relu.mean()), "Swish": float(silu.mean())}}
    return {"gain in relative spread": Measured.of({"Swish": gain}, notes=notes)}


_UNTRAINED = "Untrained networks of ten hidden layers · Fashion-MNIST · 20 seeds"
_TEN = "Ten hidden layers (5×256, 5×128), the 50,000 training images of Fashion-MNIST, 20 seeds"

BORN = Experiment(
    prose=f"{_TEN}, by initialisation; mean dead share of layers 6 to 10.",
    scope=_UNTRAINED,
    measure=_born,
    study="born_dead",
)
SPARED = Experiment(
    prose=(
        f"{_TEN}, and the same on the training digits: how many of the units of layers 6 to 10 "
        "that are dead under PyTorch's default start are alive under another one, which differs "
        "in its weights, its biases or both; on digits in one alone, the rest being the very same. "
        "Paired by seed."
    ),
    scope="Untrained networks of ten hidden layers · Fashion-MNIST, digits · 20 seeds",
    measure=_spared,
)
SWISH = Experiment(
    prose=(
        "The same start (PyTorch's default) with Swish in place of ReLU: how much the "
        "pre-activations of the last hidden layer vary from image to image, relative to their "
        "offset, over ReLU's, in powers of ten; paired by seed."
    ),
    scope=_UNTRAINED,
    measure=_swish,
    study="born_dead",
)

# --- In training ----------------------------------------------------------------------------------

# Half-decades around the usual value of each optimiser, far enough up to break it.
LEARNING_RATES = {
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "Adam": (0.0003, 0.001, 0.003, 0.01, 0.03),
}
OPTIMISERS: dict[str, dict[str, Any]] = {
    "SGD": {"optimizer": "sgd", "momentum": 0.0},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "Adam": {"optimizer": "adam"},
}
BASE: dict[str, Any] = {
    "activation": "relu",
    "hidden": (64,) * 5,
    "init": "he_normal",
    "batch_size": 128,
}
# One change at a time, on digits, with momentum at its three middle learning rates.
MIDDLE = LEARNING_RATES["momentum"][1:4]
VARIANTS: dict[str, dict[str, Any]] = {
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
DATA: dict[str, tuple[dict[str, Any], tuple[int, ...], dict[str, Any]]] = {
    "digits": ({}, (0, 1, 2, 3, 5, 10, 20, 30), {}),
    "mnist1d": ({}, (0, 1, 2, 3, 5, 10, 15), {}),
    "fashion_mnist": ({"size": 5_000}, (0, 1, 2, 3, 5), {"hidden": (256, 256, 128, 128)}),
}


def train(
    data: Any,
    seeds: Iterable[int],
    checks: Sequence[int],
    arms: Mapping[str, Mapping[str, Any]],
    progress: bool | None = None,
    *,
    dtype: str = "float32",
) -> Result:
    """Train ReLU networks (``BASE``, overridden by each arm), counting the dead at some epochs.

    ``checks``: those epochs; 0 is before training, the last one ends it.
    """
    from actlab import ensemble

    per_epoch = math.ceil(len(data.y_train) / BASE["batch_size"])
    return ensemble.train(
        data,
        arms=arms,
        seeds=seeds,
        epochs=max(checks),
        probe="dead",
        probe_at=[per_epoch * epoch for epoch in checks],
        keep_weights=False,
        progress=progress,
        dtype=dtype,
        **BASE,
    )


def follow(result: Result, arm: str, checks: Sequence[int]) -> pd.DataFrame:
    """One row per network and checked epoch of an arm: shares of all its hidden units.

    ``dead`` now; ``born_dead`` at the start; ``died``: dead now, alive at the start; ``revived``:
    units that were dead at some check and fire now; ``ever_dead``: dead at any check so far;
    ``first_revived``: like ``revived``, for the first hidden layer alone.
    """
    import pandas as pd

    fates = result.fates(arm)  # name → (seeds, checks, layers)
    widths = result.arms[arm].hidden
    share = {name: np.average(values, 2, widths) for name, values in fates.items()}
    share["first_revived"] = fates["revived"][:, :, 0]
    rows = [
        {"seed": seed, "epoch": epoch, **{name: v[i, j] for name, v in share.items()}}
        for i, seed in enumerate(result.seed_of[result.index(arm)])
        for j, epoch in enumerate(checks)
        if j < share["dead"].shape[1] and np.isfinite(share["dead"][i, j])
    ]
    return pd.DataFrame(rows)


def training_cell(
    data: str, root: int, optimiser: str, variant: str, lr: float, **settings: Any
) -> pd.DataFrame:
    """Twenty networks of one setting: a row per network and checked epoch."""
    options, checks, own = DATA[data]
    arm = {**own, **OPTIMISERS[optimiser], **VARIANTS[variant], "lr": lr}
    loaded = datasets.load(data, **options)
    result = train(loaded, root_seeds(root), checks, {"it": arm}, progress=False)
    outcome = result.to_frame().set_index("seed")
    table = follow(result, "it", checks)
    table["last"] = table.epoch == checks[-1]
    for column in ("diverged", "valid_accuracy", "test_accuracy"):
        table[column] = table.seed.map(outcome[column])
    single = table.columns[table.dtypes == "float64"]
    return table.astype(dict.fromkeys(single, "float32"))


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
    only=lambda cell: (
        cell["lr"] in LEARNING_RATES[cell["optimiser"]]
        and (
            cell["variant"] == "base"
            or (
                cell["data"] == "digits"
                and cell["optimiser"] == "momentum"
                and cell["lr"] in MIDDLE
            )
        )
    ),
    settings={"base": BASE, "variants": VARIANTS, "data_options": DATA},
)

STUDIES = (BORN_DEAD, RELU_TRAINING)

# --- Reading --------------------------------------------------------------------------------------

STAND = 10  # of 20 networks: a rate at which more diverge is not one that anybody trains at


def final(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The last check of every network that got there, for the rows that match."""
    for key, value in where.items():
        table = table[table[key] == value]
    return table[table["last"] & ~table.diverged]


def tuned(table: pd.DataFrame, data: str, optimiser: str, variant: str = "base") -> float:
    """The learning rate with the best mean validation accuracy (diverged ones count as chance)."""
    part = table[(table.data == data) & (table.optimiser == optimiser) & (table.variant == variant)]
    networks = part.drop_duplicates(["lr", "seed"])
    scores = networks.assign(score=networks.valid_accuracy.fillna(CHANCE))
    return float(scores.groupby("lr").score.mean().idxmax())


def dead_by_rate(table: pd.DataFrame, data: str) -> dict[str, dict[float | str, Interval]]:
    """Optimiser → learning rate → dead units after training in per cent, over the networks.

    Diverged networks are left out, and rates at which more than half of them diverged.
    """
    found: dict[str, dict[float | str, Interval]] = {}
    for optimiser, rates in LEARNING_RATES.items():
        ends = {
            lr: final(table, data=data, optimiser=optimiser, variant="base", lr=lr) for lr in rates
        }
        found[optimiser] = {
            lr: stats.mean_interval(100 * rows.dead)
            for lr, rows in ends.items()
            if len(rows) >= STAND
        }
    return found


# --- Claims ---------------------------------------------------------------------------------------

FACTORS = ("data", "optimiser")
Values = Callable[["pd.DataFrame", str, str], npt.ArrayLike]
Summary = Callable[[Array, float], Interval]


def _by_setting(
    root: int, level: Level, values: Values, summary: Summary = stats.mean_interval
) -> dict[Case, Interval]:
    """One number for each network, summed up for each data set and optimiser, in per cent."""
    table = load("relu_training")
    table = table[(table.root == root) & (table.variant == "base")]
    places = list(itertools.product(DATA, OPTIMISERS))
    found = {(d, o): np.asarray(values(table, d, o), dtype=float) for d, o in places}
    kept = {place: numbers for place, numbers in found.items() if len(numbers) >= STAND}
    return {
        (TITLES[d], "plain SGD" if o == "SGD" else o): summary(100 * x, level(len(kept)))
        for (d, o), x in kept.items()
    }


def _share_above(least: float) -> Summary:
    """In how many per cent of the networks a number is above ``least``, with Wilson's interval."""

    def summary(x: Array, confidence: float) -> Interval:
        share = stats.share_interval(int((x > least).sum()), len(x), confidence)
        ends = (100 * share.mean, 100 * share.low, 100 * share.high)
        return Interval(*ends, len(x), confidence=confidence)

    return summary


def _at_tuned(table: pd.DataFrame, data: str, optimiser: str) -> pd.DataFrame:
    return final(table, data=data, optimiser=optimiser, lr=tuned(table, data, optimiser))


def _died(root: int, level: Level) -> Evidence:
    def died(*place: Any) -> npt.ArrayLike:
        values: npt.ArrayLike = _at_tuned(*place).died
        return values

    cases = _by_setting(root, level, died, _share_above(1))
    units = {", ".join(case): i.mean for case, i in _by_setting(root, level, died).items()}
    quantity = "share of networks that lose units"
    return {quantity: Measured(cases, FACTORS, notes={"units that die (%)": units})}


def _largest(root: int, level: Level) -> Evidence:
    def dead(table: pd.DataFrame, data: str, optimiser: str) -> npt.ArrayLike:
        ends = (
            final(table, data=data, optimiser=optimiser, lr=lr) for lr in LEARNING_RATES[optimiser]
        )
        values: npt.ArrayLike = [rows.dead for rows in ends if len(rows) >= STAND][-1]
        return values

    return {"share of dead units": Measured(_by_setting(root, level, dead), FACTORS)}


def _revived(root: int, level: Level) -> Evidence:
    def share(table: pd.DataFrame, data: str, optimiser: str) -> npt.ArrayLike:
        rows = _at_tuned(table, data, optimiser)
        rows = rows[rows.ever_dead > 0]
        values: npt.ArrayLike = rows.revived / rows.ever_dead
        return values

    table = final(load("relu_training"), root=root, variant="base")
    first = table.first_revived.groupby(table.optimiser == "SGD").max()
    units = {", ".join(case): i.mean for case, i in _by_setting(root, level, share).items()}
    notes = {
        "dead units that fire again (%)": units,
        "in the first layer, at most": {
            "plain SGD": float(first[True]),
            "others": float(first[False]),
        },
    }
    cases = _by_setting(root, level, share, _share_above(0))
    quantity = "share of networks in which dead units fire again"
    return {quantity: Measured(cases, FACTORS, notes=notes)}


def _accuracy(root: int, level: Level) -> Evidence:
    """Rank correlations of dead share and test accuracy, one per setting."""
    from scipy.stats import spearmanr

    table = load("relu_training")
    table = table[table.root == root]
    seeds, rates = [], []
    for (data, optimiser, variant), group in final(table).groupby(["data", "optimiser", "variant"]):
        best = tuned(table, str(data), str(optimiser), str(variant))
        arm = group[group.lr == best]
        if len(arm) >= STAND and arm.dead.nunique() > 2:
            seeds.append(float(spearmanr(arm.dead, arm.test_accuracy).statistic))
        means = group.groupby("lr")[["dead", "test_accuracy"]].mean()
        if len(means) >= 3 and means.dead.nunique() > 2:
            rates.append(float(spearmanr(means.dead, means.test_accuracy).statistic))
    cases = {"seeds of one setting": seeds, "learning rates of one setting": rates}
    found = {name: stats.mean_interval(values, level(2)) for name, values in cases.items()}
    return {"rank correlation of dead share and test accuracy": Measured.of(found, "between")}


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
    starts: dict[str, Any] = {"intact": "he_normal", "half dead": half_killed}
    arms = {
        f"{name}, lr={lr:g}": {"init": init, "lr": lr, **OPTIMISERS["momentum"]}
        for name, init in starts.items()
        for lr in (0.01, 0.03, 0.1)
    }
    run: dict[str, Any] = {"progress": False, "dtype": "float64"}  # the same on every processor
    result = train(datasets.load("digits"), root_seeds(root), (0, 20), arms, **run)
    accuracy, notes = {}, {}
    for name in starts:
        mine = [arm for arm in arms if arm.startswith(name)]
        best = max(mine, key=lambda arm: np.nan_to_num(result.by_arm("valid_accuracy")[arm]).mean())
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
_SCOPE = "Small fully connected ReLU networks · digits, MNIST-1D, Fashion-MNIST · 20 seeds"

DIED = Experiment(
    prose=(
        f"{_SETTINGS} At the learning rate with the best validation accuracy: units that are dead "
        "at the end and were alive at the start."
    ),
    scope=_SCOPE,
    measure=_died,
    study="relu_training",
)
LARGEST = Experiment(
    prose=(
        f"{_SETTINGS} At the largest learning rate at which at least half of the networks do not "
        "diverge: units that are dead at the end."
    ),
    scope=_SCOPE,
    measure=_largest,
    study="relu_training",
)
REVIVED = Experiment(
    prose=(
        f"{_SETTINGS} At the learning rate with the best validation accuracy: of the units that "
        "were dead at some check, those that fire at the last one; networks without any are left "
        "out. Counted are the networks with at least one; Wilson's interval."
    ),
    scope=_SCOPE,
    measure=_revived,
    study="relu_training",
)
ACCURACY = Experiment(
    prose=(
        "The same networks: rank correlation of dead share and test accuracy, between the seeds "
        "of each setting at its tuned rate, and between the learning rates of each setting."
    ),
    scope=_SCOPE,
    measure=_accuracy,
    study="relu_training",
)
HALF_KILLED = Experiment(
    prose=(
        "Digits, five hidden layers of 64: half of the units of every hidden layer are killed for "
        "good before training; 20 seeds, learning rate tuned for each arm; against the intact "
        "network, paired by seed."
    ),
    scope="Small fully connected ReLU networks · digits · 20 seeds",
    measure=_half_killed,
)
