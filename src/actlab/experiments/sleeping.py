"""Units on the flat side for every input: who falls asleep, who wakes, what is passed on.

A unit is *asleep* if its input is at most 0 for every training example (one of ELU's: if its slope
stays below 1 % there), *dead* if its output is 0 (at its floor) for every one. For ReLU the two are
the same; a leaky unit can only sleep.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import catalog
from actlab import data as datasets
from actlab.experiments.contest import FAIR, TITLES, leaky
from actlab.experiments.dying import CHANCE, best_rate, train
from actlab.experiments.pointwise import frameworks
from actlab.experiments.together import share_of
from actlab.stats import Array
from actlab.study import Study, load, part_of, root_seeds
from actlab.trial import Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

    from actlab.ensemble import Snapshot


def _largest(snapshot: Snapshot, **of: bool) -> Tensor:
    """The largest output of every hidden unit over all inputs, (networks, units)."""
    import torch

    batches = snapshot.batches(1024, **of)
    return torch.stack([torch.cat([z.amax(1) for z in batch], 1) for batch in batches]).amax(0)


# --- Leaky units ----------------------------------------------------------------------------------

SLOPES = {"ReLU": 0.0, "leaky 0.01": 0.01, "leaky 0.3": 0.3}
RATES = (0.01, 0.03, 0.1, 0.2)
CHECKS = {"digits": (0, 1, 2, 5, 20), "mnist1d": (0, 1, 2, 5, 10)}  # after so many epochs

COMA_SLOPES, COMA_DEPTHS = (0.0, 0.01, 0.1, 0.3), (1, 3, 5)
COMA_RATES, COMA_EPOCHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0), 20
COMA_BIAS = -8.0  # with LeCun's weights every unit is on the negative side for every digit
KEPT = ["arm", "seed", "test_accuracy", "valid_accuracy", "diverged"]


def sleeping_units(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: which units are asleep; boolean, (networks, all hidden units)."""
    return {"asleep": _largest(snapshot, preactivations=True) <= 0}


def sleep(root: int, data: str) -> pd.DataFrame:
    """Three slopes × four learning rates, who sleeps and who woke; ``"coma"`` is :func:`coma`."""
    if data == "coma":
        return coma(root)
    loaded = datasets.load(data)
    settings = {"hidden": (64,) * 5, "batch_size": 64, "probe": ["dead", sleeping_units]}
    tables = []
    for (arm, slope), lr in itertools.product(SLOPES.items(), RATES):
        result = train(loaded, root, CHECKS[data], {arm: {**leaky(slope), "lr": lr}}, **settings)
        asleep, dead = result.probe("asleep", arm), result.probe("dead_units", arm)
        ever = np.nanmax(asleep, axis=1) > 0
        table = result.to_frame()[KEPT].assign(
            lr=lr,
            asleep=asleep[:, -1].mean(1),
            dead=np.nanmax(dead.mean(2), axis=1),  # the most at any check
            ever_asleep=ever.mean(1),
            woke=(ever & (asleep[:, -1] == 0)).mean(1),
        )
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def coma(root: int) -> pd.DataFrame:
    """Networks whose every unit starts asleep, and for slope 0.01 the same ones awake; digits."""
    data, checks = datasets.load("digits"), (0, COMA_EPOCHS)
    arms = {f"{lr:g}": {"lr": lr} for lr in COMA_RATES}
    starts = [*((slope, COMA_BIAS) for slope in COMA_SLOPES), (0.01, 0.0)]
    tables = []
    for (slope, bias), depth in itertools.product(starts, COMA_DEPTHS):
        own = {**leaky(slope), "init": "lecun_normal", "gain": 1.0, "bias": bias}
        result = train(data, root, checks, arms, probe=sleeping_units, hidden=(64,) * depth, **own)
        table = result.to_frame()[KEPT].assign(slope=slope, depth=depth)
        table["asleep"] = np.concatenate([result.probe("asleep", a)[:, 0].mean(1) for a in arms])
        tables.append(table.assign(lr=table.arm.astype(float), arm="coma" if bias else "awake"))
    return pd.concat(tables, ignore_index=True)


LEAKY_ASLEEP = Study(
    name="leaky_asleep",
    title="Units that fall asleep in training, and networks put to sleep",
    task=sleep,
    axes={"root": (0, 1), "data": (*CHECKS, "coma")},
)

_SLEEP = (
    "Five hidden layers of 64 with slope 0, 0.01 and 0.3, He's start for each, momentum, four "
    "learning rates, on digits and MNIST-1D, 20 seeds; all training inputs are passed through "
    "before training and at four later epochs. Networks that diverged are not counted."
)
_SCOPE = "Five fully connected layers of 64 · digits, MNIST-1D · one split, 20 seeds"


@experiment(
    f"{_SLEEP} A unit is dead if its output is 0 for every input; the most at any check.",
    _SCOPE,
    LEAKY_ASLEEP.name,
)
def never_dead(root: int, level: Level) -> Evidence:
    table = load(LEAKY_ASLEEP.name, root=root, diverged=False)
    table = table[table.data != "coma"]
    most = 100 * table.groupby(["arm", "data"])[["dead", "asleep"]].max()
    shares = {(arm, TITLES[data]): x for (arm, data), x in most.dead.items() if arm != "ReLU"}
    notes = {
        "networks that stand": table.arm.value_counts().to_dict(),
        "most units asleep at the end (%)": most.asleep.groupby("arm").max().to_dict(),
        "most units of a ReLU network dead (%)": float(most.dead["ReLU"].max()),
    }
    return {"largest share of dead units": Measured.exact(shares, "arm", "data", notes=notes)}


@experiment(
    f"{_SLEEP} A unit is asleep if its input is 0 or below for every example. Where more than 1 % "
    "of the ReLUs are asleep after training, and ten pairs of networks stand: the share asleep "
    "with slope 0.01 minus half of ReLU's, paired.",
    _SCOPE,
    LEAKY_ASLEEP.name,
)
def cured(root: int, level: Level) -> Evidence:
    table = load(LEAKY_ASLEEP.name, root=root, diverged=False).set_index("seed")
    beyond, notes = {}, {}
    for name, lr in itertools.product(CHECKS, RATES):
        rows = part_of(table, data=name, lr=lr)
        relu, leak = (100 * part_of(rows, arm=arm).asleep for arm in ("ReLU", "leaky 0.01"))
        pairs = (leak - relu / 2).dropna()
        if len(pairs) >= 10 and relu.mean() > 1:
            case = TITLES[name], f"{lr:g}"
            beyond[case] = pairs
            notes[", ".join(case)] = {"ReLU (%)": relu.mean(), "leaky 0.01 (%)": leak.mean()}
    found = Measured.means(beyond, level, "data", "rate", notes=notes)
    return {"share of sleepers beyond half of ReLU's": found}


# --- Who wakes up ---------------------------------------------------------------------------------


def _reached(table: pd.DataFrame, slope: float, depth: int, arm: str) -> Array:
    """Test accuracies at the best rate on validation data, by seed; diverged is chance."""
    rows = part_of(table[np.isclose(table.slope, slope)], arm=arm, depth=depth)
    best = part_of(rows, lr=best_rate(rows)).sort_values("seed")
    return np.asarray(best.test_accuracy.fillna(CHANCE), dtype=np.float64)


@experiment(
    "Digits: networks of 1, 3 and 5 hidden layers whose biases of −8 put every unit on the "
    "negative side, beside the same networks with biases of 0; slope 0.01, six learning rates of "
    "which the best on validation data counts, 20 seeds, paired. The accuracy regained is the "
    "share of the way from chance to the waking network.",
    "Fully connected layers of 64 · digits · one split, 20 seeds",
    LEAKY_ASLEEP.name,
)
def regained(root: int, level: Level) -> Evidence:
    table = load(LEAKY_ASLEEP.name, root=root, data="coma")
    way, after = {}, {}
    for depth in COMA_DEPTHS:
        slept = {slope: _reached(table, slope, depth, "coma") for slope in COMA_SLOPES}
        awake = _reached(table, 0.01, depth, "awake")
        way[str(depth)] = 100 * (slept[0.01] - CHANCE) / (awake - CHANCE)
        means = {f"{slope:g}": 100 * float(reached.mean()) for slope, reached in slept.items()}
        after[f"{depth} hidden layer{'s' * (depth > 1)}"] = means
    notes = {
        "accuracy after the coma (%), by slope": after,
        "fewest units asleep at the start (%)": 100 * part_of(table, arm="coma").asleep.min(),
    }
    return {"share of the accuracy regained": Measured.means(way, level, "depth", notes=notes)}


# --- ELU's floor ----------------------------------------------------------------------------------


@experiment(
    "Outputs at 1,000 random inputs between −1000 and −20 for α = 0.5, 1 and 2, both frameworks, "
    "float32; and where their gradients become exactly 0.",
    "Both frameworks on one CPU, float32",
)
def levels_off(root: int, level: Level) -> Evidence:
    record = catalog.get("elu")
    x = -np.random.default_rng(root).uniform(20, 1000, 1000)
    grid = -np.arange(0, 120, 0.25)
    off, notes = {}, {}
    for name, framework in frameworks().items():
        for alpha in (0.5, 1.0, 2.0):
            y = framework.values(record, x, "float32", alpha=alpha)
            off[name, f"α = {alpha:g}"] = 1e6 * float(np.abs(y / alpha + 1).max())
        silent = framework.gradients(record, grid, "float32") == 0
        notes[f"gradient exactly 0 from, {name}"] = float(grid[silent].max())
    return {"distance from −α": Measured.exact(off, "framework", "alpha", notes=notes)}


# The lowest output. The slope has fallen to 1 % of the largest one on the negative side where the
# output has come within 1 % of it.
FLOORS = {"relu": 0.0, "elu": -1.0, "selu": catalog.get("selu").properties.range.lower}


def highest_outputs(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the largest output of every hidden unit over all inputs, (networks, units)."""
    return {"highest": _largest(snapshot)}


def elu_cell(activation: str, lr: float, root: int, *, epochs: int) -> pd.DataFrame:
    """Digits, five hidden layers of 64, momentum: what share of the units sleeps afterwards.

    ``asleep``: share of hidden units whose slope stays below 1 % for every training input;
    ``dead``: whose output is at its floor to the last bit, where Keras's gradient is exactly 0.
    Both are NaN where the network diverged.
    """
    arms = {activation: {**FAIR[activation], "lr": lr}}
    data, layers = datasets.load("digits"), (64,) * 5
    result = train(data, root, (0, epochs), arms, probe=highest_outputs, hidden=layers)
    highest = result.probe("highest", activation)[:, -1].astype(np.float32)
    floor = np.float32(FLOORS[activation])
    shares = {
        name: np.where(result.diverged, np.nan, (highest <= limit).mean(1))
        for name, limit in {"asleep": 0.99 * floor, "dead": floor}.items()
    }
    frame = result.to_frame()[["seed", "diverged", "valid_accuracy"]].assign(**shares)
    return frame.astype(dict.fromkeys(["valid_accuracy", *shares], "float32"))


ELU_ASLEEP = Study(
    name="elu_asleep",
    title="Units that sleep on every input, by activation and learning rate",
    task=elu_cell,
    axes={"activation": tuple(FLOORS), "lr": (0.003, 0.01, 0.03, 0.1, 0.3), "root": (0, 1)},
    settings={"epochs": 20},
)
STUDIES = (LEAKY_ASLEEP, ELU_ASLEEP)

LOST = "share of networks with sleeping units"


@experiment(
    "Digits, five hidden layers of 64 ELU units, He's start, momentum at five learning rates, 20 "
    "epochs, 40 seeds: in how many networks the slope of more than one hidden unit in a hundred "
    "stays below 1 % for every training input. Networks that diverged count among them.",
    "Networks of 5 × 64 units · digits · 40 seeds",
    ELU_ASLEEP.name,
)
def asleep(root: int, level: Level) -> Evidence:
    """Both runs, whatever the ``root``. Survivors alone would flatter a rate that kills."""
    standing = load(ELU_ASLEEP.name, activation="elu", diverged=False)
    rates = ELU_ASLEEP.axes["lr"]
    networks = sum(len(root_seeds(run)) for run in ELU_ASLEEP.axes["root"])
    cases, notes = {}, {}
    for lr in rates:
        shares = part_of(standing, lr=lr).asleep
        awake = int((shares <= 0.01).sum())
        cases[f"{lr:g}"] = share_of(networks - awake, networks, level(len(rates)))
        notes[f"{lr:g}"] = {
            "networks that stand": len(shares),
            "units asleep in them (%)": 100 * float(shares.mean()) if awake else None,
        }
    return {LOST: Measured.of(cases, "rate", notes=notes)}
