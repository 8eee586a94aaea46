"""What weight decay does to slopes that are learned, and what sparing them is worth."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import TITLES, prelu
from actlab.experiments.slopes import learned
from actlab.stats import Array, Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from actlab.ensemble import Snapshot

START = 0.25
SETTINGS = {**prelu(START), "hidden": (64,) * 5, "batch_size": 64, "progress": False}
SLOPES = [f"slope{layer}" for layer in range(1, 6)]
EPOCHS = {"digits": 20, "mnist1d": 10}
# Learning rate and two strengths of each; AdamW multiplies its decay by the rate, SGD's L2 too.
OPTIMISERS = {"SGD": (0.03, (0.001, 0.01)), "AdamW": (0.003, (0.1, 1.0))}
# What decays, of what is learned.
DECAYING: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "slopes only": ("activation",),
    "all but the slopes": ("weights", "biases"),
    "everything": ("weights", "biases", "activation"),
}


def strengths(decaying: str, optimiser: str) -> tuple[float, ...]:
    """Those tried: both where everything decays, the stronger one where only a part does."""
    if decaying == "nothing":
        return (0.0,)
    both = OPTIMISERS[optimiser][1]
    return both if decaying == "everything" else both[1:]


def size(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: root mean square of the hidden layers' weights, (networks,)."""
    import torch

    squares = [weight.square().mean((1, 2)) for weight in snapshot.weights[:-1]]
    return {"size": torch.stack(squares).mean(0).sqrt()}


def decay_cell(data: str, optimiser: str, root: int, decaying: str, *, dtype: str) -> pd.DataFrame:
    """PReLU networks, one slope per layer: a row per seed and strength of the decay.

    The learned :data:`SLOPES`, the test ``accuracy``, and the ``size`` of the hidden layers'
    weights relative to the start.
    """
    from actlab import ensemble

    arms = {
        f"{strength:g}": {"weight_decay": dict.fromkeys(DECAYING[decaying], strength)}
        for strength in strengths(decaying, optimiser)
    }
    run = SETTINGS | {"optimizer": optimiser.lower(), "lr": OPTIMISERS[optimiser][0]}
    run |= {"epochs": EPOCHS[data], "seeds": root_seeds(root), "dtype": dtype}
    result = ensemble.train(datasets.load(data), arms=arms, probe=size, **run)
    first, last = np.concatenate([result.probe("size", arm)[:, [0, -1]] for arm in arms]).T
    table = pd.DataFrame(learned(result), columns=SLOPES)
    table = table.assign(seed=result.seed_of, accuracy=result.test_accuracy, size=last / first)
    return table.assign(strength=result.arm_of.astype(float))


DECAY = Study(
    name="leaky_decay",
    title="Learned slopes under decay of everything, of a part, of nothing",
    task=decay_cell,
    axes={
        "data": tuple(EPOCHS),
        "optimiser": tuple(OPTIMISERS),
        "root": (0, 1),
        "decaying": tuple(DECAYING),
    },
    settings={"dtype": "float64"},  # in which all processors agree on a slope
)
STUDIES = (DECAY,)


def networks(root: int, decaying: str, data: str, optimiser: str, strength: float) -> pd.DataFrame:
    """Twenty networks, by seed; ``slope`` is the mean over the layers, NaN where one diverged."""
    table = load(DECAY.name, root=root, data=data, optimiser=optimiser, decaying=decaying)
    wanted = 0 if decaying == "nothing" else strength
    part = table[np.isclose(table.strength, wanted)].set_index("seed").sort_index()
    return part.assign(slope=part[SLOPES].mean(axis=1, skipna=False))


def by_decaying(name: str) -> dict[str, dict[str, Interval]]:
    """Mean learned slope at the stronger decay: optimiser → what decays → interval."""
    found: dict[str, dict[str, Interval]] = {}
    for optimiser, (_, (_, strong)) in OPTIMISERS.items():
        slopes = {part: networks(0, part, name, optimiser, strong).slope for part in DECAYING}
        means = {part: stats.mean_interval(each, nan="drop") for part, each in slopes.items()}
        found[f"{optimiser}, decay {strong:g}"] = means
    return found


def _places(decaying: str) -> dict[Case, tuple[str, str, float]]:
    """Case → data, optimiser and strength, of all that were tried."""
    return {
        (TITLES[name], f"{optimiser} at decay {strength:g}"): (name, optimiser, strength)
        for name, optimiser in itertools.product(EPOCHS, OPTIMISERS)
        for strength in strengths(decaying, optimiser)
    }


_NETWORKS = "PReLU networks of five hidden layers of 64, one slope per layer, digits and MNIST-1D,"


@experiment(
    f"{_NETWORKS} SGD (L2 penalty 0.001 and 0.01) and AdamW (0.1 and 1), decay on everything "
    "against none; change of the mean learned slope, in per cent of that without decay; 20 seeds, "
    "paired.",
    "Five fully connected layers of 64 · digits, MNIST-1D · one split, 20 seeds",
    DECAY.name,
)
def change(root: int, level: Level) -> Evidence:
    """By decay on everything; in the notes on a part."""
    shifts: dict[Case, Array] = {}
    notes: dict[str, dict[str, float]] = {"slopes only": {}, "all but the slopes": {}}
    for case, place in _places("everything").items():
        none = networks(root, "nothing", *place).slope
        usual = none.mean() / 100
        shifts[case] = ((networks(root, "everything", *place).slope - none) / usual).dropna()
        for decaying, means in notes.items():
            if len(part := networks(root, decaying, *place)):  # the stronger decay alone
                means[", ".join(case)] = float(((part.slope - none) / usual).mean())
    found = Measured.means(shifts, level, "data", "optimiser", notes=notes)
    return {"change of the mean slope": found}


@experiment(
    f"{_NETWORKS} SGD (L2 penalty 0.01) and AdamW (decay 1): test accuracy with decay on all but "
    "the slopes, minus that with decay on everything; 20 seeds, paired.",
    change.scope,
    DECAY.name,
)
def spared(root: int, level: Level) -> Evidence:
    leads, floors = {}, {}
    for case, place in _places("all but the slopes").items():
        ours = 100 * networks(root, "all but the slopes", *place).accuracy
        usual = 100 * networks(root, "everything", *place).accuracy
        leads[case], floors[case] = ours - usual, stats.noise_floor(usual)
    found = Measured.means(leads, level, "data", "optimiser", floors=floors)
    return {"lead in test accuracy": found}


@experiment(
    "Digits, five hidden layers with batch norm before each PReLU, SGD with decay 0.01 on "
    "everything against none, 20 seeds, paired: change of the learned slopes. The outputs of "
    "layers 1 to 4 are normalised again, that of layer 5 feeds the output layer.",
    "Five fully connected layers of 64 with batch norm · digits · one split, 20 seeds",
)
def normalised(root: int, level: Level) -> Evidence:
    from actlab import ensemble

    arms = {"none": {"weight_decay": 0.0}, "decay": {"weight_decay": 0.01}}
    run = SETTINGS | {"lr": 0.03, "epochs": 10, "normalization": "batch", "seeds": root_seeds(root)}
    result = ensemble.train(datasets.load("digits"), arms=arms, **run)
    slopes = learned(result)
    change = slopes[result.index("decay")] - slopes[result.index("none")]
    inner, last = {TITLES["digits"]: change[:, :-1].mean(1)}, {TITLES["digits"]: change[:, -1]}
    return {
        "change of the slopes of layers 1 to 4": Measured.means(inner, level, "data"),
        "change of the slope of layer 5": Measured.means(last, level, "data"),
    }
