"""Which networks of sigmoids train at all: a published one, ten layers, and thirty against ReLU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from actlab import data
from actlab.experiments import contest
from actlab.experiments.fading import CENTRED
from actlab.experiments.together import share_of
from actlab.experiments.untrained import centred_orthogonal
from actlab.stats import Array
from actlab.study import Study, grid_of, load, root_seeds
from actlab.trial import Evidence, Level, Measured, experiment

# --- The published network ------------------------------------------------------------------------

# UvA's training on Fashion-MNIST in [-1, 1].
UVA = {"activation": "sigmoid", "batch_size": 256, "momentum": 0.9, "init": "torch", "lr": 0.01}
HIDDEN = (512, 256, 256, 128)
PATIENCE = 7
RUNS = {"as published": {}, "learning rate × 10": {"lr": 0.1}, "Keras default": {"init": "keras"}}
EPOCHS = {"as published": 25, "learning rate × 10": 6, "Keras default": 6}
OFF_THE_PLATEAU = 0.2  # twice chance


def published_split() -> tuple[Any, ...]:
    """Fashion-MNIST in [-1, 1], split as the tutorial does: by PyTorch's generator, seed 42."""
    import torch

    images = data.load("fashion_mnist", scale="symmetric")
    x = np.concatenate([images.x_train, images.x_valid])
    y = np.concatenate([images.y_train, images.y_valid])
    place = np.argsort(np.concatenate([images.rows_train, images.rows_valid]))
    order = torch.randperm(len(place), generator=torch.Generator().manual_seed(42)).numpy()
    train, valid = np.split(place[order], [50_000])  # from the published order to ours
    return x[train], y[train], x[valid], y[valid], images.x_test, images.y_test


def _histories(settings: Mapping[str, Any], seeds: Sequence[int], epochs: int) -> pd.DataFrame:
    from actlab import ensemble

    run: dict[str, Any] = {"epochs": epochs, "keep_weights": False, "progress": False}
    result = ensemble.train(published_split(), arms={"it": {**UVA, **settings}}, seeds=seeds, **run)
    history = result.history().drop(columns="arm").astype({"valid_loss": "float32"})
    return history.assign(test_accuracy=np.repeat(result.test_accuracy, epochs))


def quarter_cell(
    root: int, arm: str, *, arms: Mapping[str, Any], epochs: Mapping[str, int], hidden: Any
) -> pd.DataFrame:
    """The published run, narrower, without its early stopping: a row per network and epoch."""
    return _histories({"hidden": hidden, **arms[arm]}, root_seeds(root), epochs[arm])


def full_cell(seed: int, *, hidden: Any, epochs: int) -> pd.DataFrame:
    """The published run at its own size, to the end, without early stopping."""
    return _histories({"hidden": hidden}, [seed], epochs).assign(arm="full size")


QUARTER = Study(
    name="sigmoid_failure",
    title="The published sigmoid network at a quarter of its width, without early stopping",
    task=quarter_cell,
    axes={"root": (0, 1), "arm": tuple(RUNS)},
    settings={"arms": RUNS, "epochs": EPOCHS, "hidden": tuple(width // 4 for width in HIDDEN)},
)
FULL = Study(
    name="sigmoid_failure_full",
    title="The published sigmoid network at its own size, without early stopping",
    task=full_cell,
    axes={"seed": (0, 1, 2)},
    settings={"hidden": HIDDEN, "epochs": 50},
)


def accuracy_paths(table: pd.DataFrame, arm: str) -> Array:
    """Validation accuracy of one arm: (seeds, epochs)."""
    return grid_of(table, "valid_accuracy", "seed", "epoch", arm=arm)


def published_stop(accuracy: Array) -> tuple[int | None, int]:
    """The epoch at which the tutorial stops, and the one whose weights it keeps (both from 1).

    ``accuracy``: validation accuracy after each epoch. It stops once ``PATIENCE`` epochs have
    passed since the best one, and a tie is no improvement; ``None`` if it goes on to the end.
    """
    best = 1
    for epoch, value in enumerate(accuracy, 1):
        if value > accuracy[best - 1]:
            best = epoch
        elif epoch - best == PATIENCE:
            return epoch, best
    return None, best


@experiment(
    "The published run (its data, split, batches, learning rate and initialisation) at a quarter "
    "of its width, 25 epochs, 40 seeds; its early stopping applied afterwards to the recorded "
    "validation accuracies. Beyond chance: more than 20 % right. (The tutorial leaves out the "
    "last, smaller batch of an epoch; here it is used.)",
    "Four sigmoid layers of 128 to 32 units · Fashion-MNIST · 25 epochs · 40 seeds",
    QUARTER.name,
)
def beyond_chance(root: int, level: Level) -> Evidence:
    """Root 0 looks at all 40 networks; each other one leaves another fifth of them out."""
    table = load(QUARTER.name).query("seed % 5 != @root - 1")
    paths = {arm: accuracy_paths(table, arm) for arm in RUNS}
    off = {arm: accuracy > OFF_THE_PLATEAU for arm, accuracy in paths.items()}
    left = {arm: float(np.median(1 + x[x.any(1)].argmax(1))) for arm, x in off.items()}  # epochs
    kept = np.array([path[published_stop(path)[1] - 1] for path in paths["as published"]])
    beyond = {
        "with the published early stopping": kept > OFF_THE_PLATEAU,
        "without early stopping": off["as published"].any(1),
    }
    cases = {name: share_of(int(np.sum(x)), len(kept), level(2)) for name, x in beyond.items()}
    notes = {
        "median epoch at which chance is left": left,
        "last validation accuracy": {arm: float(x[:, -1].mean()) for arm, x in paths.items()},
    }
    return {"share of networks beyond chance": Measured.of(cases, "stopping", notes=notes)}


# --- Ten layers of sigmoids, and thirty -----------------------------------------------------------

CRITICAL_GAIN = 10.15  # theory.critical_gain("sigmoid") to two digits (a test computes it)

# Ways to start or build a network of sigmoids.
WAYS: dict[str, dict[str, Any]] = {
    "PyTorch default": {"init": "torch"},
    "Keras default": {"init": "keras"},
    "orthogonal": {"init": "orthogonal"},
    "orthogonal × 4": {"init": "orthogonal", "gain": 4.0},
    "orthogonal, critical": {"init": "orthogonal", "gain": CRITICAL_GAIN},
    CENTRED: {"init": centred_orthogonal},
    "Adam": {"init": "keras", "optimizer": "adam", "momentum": 0.0},
    "batch norm": {"init": "keras", "normalization": "batch"},
    "residual": {"init": "keras", "residual": True},
}
ARMS: dict[str, dict[str, Any]] = {
    **{name: {"activation": "sigmoid", **way} for name, way in WAYS.items()},
    "tanh, Keras default": {"activation": "tanh", "init": "keras"},
    "ReLU, He": {"activation": "relu", "init": "he_normal"},
}
# Three times as deep, to see what orthogonal weights are for.
ORTHOGONAL = ("tanh, orthogonal", CENTRED)
RIVALS = ("ReLU, He", "ReLU, orthogonal × √2")
# Until nothing more comes of it; with ten layers all of them, with thirty those of the claim. A
# network of sigmoids may wait at chance for long: the usual patience would end it there.
TO_THE_END = contest.contest(
    "contest_deep_sigmoid",
    "Ten and thirty layers of 32: sigmoids and their remedies, tanh and ReLU, to the end",
    {
        **ARMS,
        "tanh, orthogonal": {"activation": "tanh", "init": "orthogonal"},
        "ReLU, orthogonal × √2": {"activation": "relu", "init": "orthogonal", "gain": math.sqrt(2)},
    },
    data={"digits": ({}, 20)},
    depths=(10, 30),
    width=32,
    only=lambda cell: cell["arm"] in (ARMS if cell["depth"] == 10 else ORTHOGONAL + RIVALS),
    patience=100,
    batch_size=128,
)
STUDIES = (QUARTER, FULL, TO_THE_END)


def trained(root: int, level: Level, when: contest.When = "plateau") -> Evidence:
    """Test accuracy of every way, over splits and seeds, whatever the ``root``."""
    table = load(TO_THE_END.name)
    found = {arm: contest.accuracies(table, arm, when, depth=10) for arm in ARMS}
    cases = {way: contest.over_splits(found[way], level(len(WAYS)))[0] for way in WAYS}
    notes = {arm: float(np.nanmean(found[arm])) for arm in ARMS if arm not in WAYS}
    return {"test accuracy": Measured.of(cases, "way", notes=notes)}


TRAINS = contest.Lasting(
    "Digits, ten hidden layers of 32: sigmoid networks started in six ways (SGD with momentum), "
    "with Adam, with batch norm, with residual connections. "
    f"{contest.method(TO_THE_END.settings['patience'])} A network trains if it is right about more "
    "than half of the digits.",
    f"Ten hidden layers of 32 units · digits · {contest.SPLITS} splits with {contest.SEEDS} seeds "
    "each",
    trained,
    TO_THE_END.name,
)
AHEAD_OF_RELU = contest.Ahead(
    TO_THE_END,
    pairs={f"{ours} over {theirs}": (ours, theirs) for ours in ORTHOGONAL for theirs in RIVALS},
    factor="networks",
    where={"depth": 30},
)
