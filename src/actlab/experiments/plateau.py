"""A published sigmoid network that ended at chance: a failure, or a plateau cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import share_of
from actlab.stats import Array
from actlab.study import Study, grid_of, load
from actlab.trial import Evidence, Level, Measured, experiment

# UvA's training on Fashion-MNIST in [-1, 1].
PUBLISHED: dict[str, Any] = {
    "activation": "sigmoid",
    "batch_size": 256,
    "momentum": 0.9,
    "init": "torch",
    "lr": 0.01,
}
HIDDEN = (512, 256, 256, 128)
PATIENCE = 7
ARMS: dict[str, dict[str, Any]] = {
    "as published": {},
    "learning rate × 10": {"lr": 0.1},
    "Keras default": {"init": "keras"},
}
EPOCHS = {"as published": 25, "learning rate × 10": 6, "Keras default": 6}
OFF_THE_PLATEAU = 0.2  # twice chance


def published_split() -> tuple[Any, ...]:
    """Fashion-MNIST in [-1, 1], split as the tutorial does: by PyTorch's generator, seed 42."""
    import torch

    from actlab import data

    images = data.load("fashion_mnist", scale="symmetric")
    x = np.concatenate([images.x_train, images.x_valid])
    y = np.concatenate([images.y_train, images.y_valid])
    place = np.argsort(np.concatenate([images.rows_train, images.rows_valid]))
    order = torch.randperm(len(place), generator=torch.Generator().manual_seed(42)).numpy()
    train, valid = np.split(place[order], [50_000])  # from the published order to ours
    return x[train], y[train], x[valid], y[valid], images.x_test, images.y_test


def _histories(settings: Mapping[str, Any], seeds: Sequence[int], epochs: int) -> pd.DataFrame:
    from actlab import ensemble

    result = ensemble.train(
        published_split(),
        arms={"it": {**PUBLISHED, **settings}},
        seeds=seeds,
        epochs=epochs,
        keep_weights=False,
        progress=False,
    )
    history = result.history().drop(columns="arm").astype({"valid_loss": "float32"})
    return history.assign(test_accuracy=np.repeat(result.test_accuracy, epochs))


def quarter_cell(
    root: int, arm: str, *, arms: Mapping[str, Any], epochs: Mapping[str, int], hidden: Any
) -> pd.DataFrame:
    """The published run at a quarter of its width, without its early stopping: 20 networks.

    One row per network and epoch: validation accuracy and losses.
    """
    return _histories({"hidden": hidden, **arms[arm]}, root_seeds(root), epochs[arm])


def full_cell(seed: int, *, hidden: Any, epochs: int) -> pd.DataFrame:
    """The published run at its own size, to the end, without early stopping."""
    return _histories({"hidden": hidden}, [seed], epochs).assign(arm="full size")


QUARTER = Study(
    name="sigmoid_failure",
    title="The published sigmoid network at a quarter of its width, without early stopping",
    task=quarter_cell,
    axes={"root": (0, 1), "arm": tuple(ARMS)},
    settings={"arms": ARMS, "epochs": EPOCHS, "hidden": tuple(width // 4 for width in HIDDEN)},
)
FULL = Study(
    name="sigmoid_failure_full",
    title="The published sigmoid network at its own size, without early stopping",
    task=full_cell,
    axes={"seed": (0, 1, 2)},
    settings={"hidden": HIDDEN, "epochs": 50},
)
STUDIES = (QUARTER, FULL)


def accuracy_paths(table: pd.DataFrame, arm: str) -> Array:
    """Validation accuracy of one arm: (seeds, epochs)."""
    return grid_of(table, "valid_accuracy", "seed", "epoch", arm=arm)


def published_stop(accuracy: Array, patience: int = PATIENCE) -> tuple[int | None, int]:
    """The epoch at which the tutorial stops, and the one whose weights it keeps (both from 1).

    ``accuracy``: validation accuracy after each epoch. It stops once ``patience`` epochs have
    passed since the best one, and a tie is no improvement; ``None`` if it goes on to the end.
    """
    best = 0
    for epoch in range(1, len(accuracy)):
        if accuracy[epoch] > accuracy[best]:
            best = epoch
        elif best <= epoch - patience:
            return epoch + 1, best + 1
    return None, best + 1


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
    table = load(QUARTER.name)
    table = table[table.seed % 5 != root - 1] if root else table
    paths = {arm: accuracy_paths(table, arm) for arm in ARMS}
    off = {arm: accuracy > OFF_THE_PLATEAU for arm, accuracy in paths.items()}
    left = {arm: np.where(x.any(1), x.argmax(1) + 1, np.nan) for arm, x in off.items()}  # epochs
    published = paths["as published"]
    kept = np.array([path[published_stop(path)[1] - 1] for path in published])
    beyond = {
        "with the published early stopping": kept > OFF_THE_PLATEAU,
        "without early stopping": off["as published"].any(1),
    }
    cases = {name: share_of(int(np.sum(x)), len(kept), level(2)) for name, x in beyond.items()}
    notes = {
        "median epoch at which chance is left": {
            a: float(np.nanmedian(x)) for a, x in left.items()
        },
        "last validation accuracy": {arm: float(x[:, -1].mean()) for arm, x in paths.items()},
    }
    return {"share of networks beyond chance": Measured.of(cases, "stopping", notes=notes)}
