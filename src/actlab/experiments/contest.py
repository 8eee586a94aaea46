"""Which activation trains to the better network: every arm tuned, on several splits, to the end.

A contest has one cell for each data set, depth and arm. Its learning rate is chosen over all
splits (:func:`actlab.ensemble.fair_rate`); then networks from other seeds are trained on every
split until the validation loss has not improved for ``patience`` epochs. What they had come to
after ``epochs`` and four times as many is noted on the way: a lead that is gone at the end was a
matter of who starts fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actlab.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from actlab.data import Dataset

SPLITS, SEEDS, TUNING_SEEDS = 5, 4, 2  # of each split: 20 networks are reported, 10 tuned with
PATIENCE, LONGEST = 20, 300  # epochs without improvement; and at most
TITLES = {
    "digits": "digits",
    "mnist1d": "MNIST-1D",
    "fashion_mnist": "Fashion-MNIST",
    "wine": "wine",
    "breast_cancer": "breast cancer",
    "election": "the election study",
    "marriages": "the survey on marriages",
}

# --- Starts ---------------------------------------------------------------------------------------


def leaky_start(mean_square_slope: float) -> dict[str, Any]:
    """He's start for a leaky unit: weights of variance 2 / ((1 + a²) n) (He et al., 2015, eq. 15).

    ``mean_square_slope`` is a², or its mean where the slope is random; 0 is ReLU.
    """
    return {"init": "he_normal", "gain": (1 + mean_square_slope) ** -0.5}


def leaky(slope: float) -> dict[str, Any]:
    """The settings of a leaky arm; slope 0 is ReLU."""
    if slope == 0:
        return {"activation": "relu", **leaky_start(0)}
    return {
        "activation": "leaky_relu",
        "params": {"negative_slope": slope},
        **leaky_start(slope**2),
    }


def prelu(slope: float) -> dict[str, Any]:
    """The settings of an arm that learns one slope per layer, from ``slope``."""
    return {"activation": "prelu", "params": {"negative_slope": slope}, **leaky_start(slope**2)}


RANDOM_SLOPES = (1 / 8, 1 / 3)  # RReLU's range in PyTorch


def rrelu() -> dict[str, Any]:
    """The settings of an arm with random slopes: the mean square is mean² + variance."""
    low, high = RANDOM_SLOPES
    return {"activation": "rrelu", **leaky_start(((low + high) / 2) ** 2 + (high - low) ** 2 / 12)}


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
# What is left of the larger data sets, so that many networks can be trained to the end.
OPTIONS: dict[str, dict[str, Any]] = {
    "mnist1d": {"size": 2_000},
    "fashion_mnist": {"size": 3_000},
    "marriages": {"size": 500},
}

# --- Training -------------------------------------------------------------------------------------


def transformed(data: Dataset, shift: float, stretch: float) -> Dataset:
    """The same data with inputs ``shift + stretch · x``."""
    parts = {
        part: shift + stretch * getattr(data, part) for part in ("x_train", "x_valid", "x_test")
    }
    return replace(data, **parts)


def contest_cell(
    data: str,
    depth: int,
    arm: str,
    *,
    arms: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Mapping[str, Any]],
    epochs: Mapping[str, int],
    width: int,
    common: Mapping[str, Any],
    patience: int | None = None,
) -> pd.DataFrame:
    """Tune one arm on one data set, then train it to the plateau: one row per network.

    ``accuracy_1``, ``accuracy_4``, ``accuracy``: on the test set, of the weights with the best
    validation loss after ``epochs``, after four times as many, and at the plateau, where the
    network had run for ``ran`` epochs. A network that diverged is NaN. An arm's ``inputs``
    are a shift and a stretch of the standardised data.
    """
    import pandas as pd

    from actlab import data as datasets
    from actlab import ensemble

    own = dict(arms[arm])
    change = own.pop("inputs", (0.0, 1.0))
    splits = [
        transformed(datasets.load(data, seed=split, **options[data]), *change)
        for split in range(SPLITS)
    ]
    settings = {**common, **own, "hidden": (width,) * depth}
    once = epochs[data]
    run: dict[str, Any] = {"patience": patience or PATIENCE, "progress": False}
    tuned = ensemble.fair_rate(
        splits,
        settings,
        range(1000, 1000 + TUNING_SEEDS),
        metric="valid_loss",
        epochs=4 * once,
        **run,
    )
    tables = []
    for split, part in enumerate(splits):
        result = ensemble.train(
            part,
            arms={arm: {**settings, "lr": tuned.rate}},
            seeds=range(SEEDS),
            epochs=LONGEST,
            report_at=(once, 4 * once),
            keep_weights=False,
            **run,
        )
        tables.append(
            pd.DataFrame(
                {
                    "split": split,
                    "seed": result.seed_of,
                    "lr": tuned.rate,
                    "edge": tuned.at_edge,
                    "accuracy_1": result.at(once).test_accuracy,
                    "accuracy_4": result.at(4 * once).test_accuracy,
                    "accuracy": result.test_accuracy,
                    "valid_loss": np.nanmin(result.valid_loss, axis=1, initial=np.inf),
                    "ran": np.isfinite(result.valid_loss).sum(1),
                    "diverged": result.diverged,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def contest(
    name: str,
    title: str,
    arms: Mapping[str, Mapping[str, Any]],
    *,
    data: Mapping[str, tuple[Mapping[str, Any], int]],
    depths: Sequence[int],
    width: int = 64,
    only: Callable[[Mapping[str, Any]], bool] = lambda cell: True,
    patience: int | None = None,
    **common: Any,
) -> Study:
    """Declare a contest. ``data``: name → options of :func:`actlab.data.load`, and 1 × epochs.

    ``patience``: where ``PATIENCE`` epochs would end a network that waits at chance.
    """
    return Study(
        name=name,
        title=title,
        task=contest_cell,
        axes={"data": tuple(data), "depth": tuple(depths), "arm": tuple(arms)},
        only=only,
        settings={
            "arms": {arm: dict(own) for arm, own in arms.items()},
            "options": {part: dict(options) for part, (options, _) in data.items()},
            "epochs": {part: once for part, (_, once) in data.items()},
            "width": width,
            "common": common,
            **({"patience": patience} if patience else {}),
        },
    )


# --- The slopes -----------------------------------------------------------------------------------

LEAKY_ARMS: dict[str, dict[str, Any]] = {
    "ReLU": leaky(0),
    "leaky 0.01": leaky(0.01),
    "leaky 0.18": leaky(1 / 5.5),  # the better one of the two slopes of Xu et al. (2015)
    "leaky 0.3": leaky(0.3),
    "PReLU": prelu(0.25),
    "RReLU": rrelu(),
}

LEAKY = contest(
    "contest_leaky",
    "Six slopes against each other, three data sets, two depths",
    LEAKY_ARMS,
    data={
        "digits": ({}, 15),
        "mnist1d": ({}, 12),
        "fashion_mnist": ({"size": 2_000}, 8),
    },
    depths=(5, 10),
    batch_size=64,
)

STUDIES = (LEAKY,)
