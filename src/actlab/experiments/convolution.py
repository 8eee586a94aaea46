"""SELU against ReLU in small convolutional networks, both initialised and tuned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actlab.experiments.contest import (
    COLUMNS,
    LONGEST,
    OPTIONS,
    PATIENCE,
    SEEDS,
    SPLITS,
    TUNING_SEEDS,
    Ahead,
)
from actlab.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from actlab.data import Dataset

# n · Var(w): LeCun's and He's.
VARIANCES = {"selu": 1.0, "relu": 2.0}
NAMES = (COLUMNS["once"], COLUMNS["four times"])


def network(activation: str, data: Dataset, seed: int) -> nn.Sequential:
    """Three convolutions (8, 16, 32 channels) with two poolings, and one linear layer."""
    import torch
    from torch import nn

    from actlab import catalog

    def act() -> nn.Module:
        module: nn.Module = catalog.get(activation).torch()
        return module

    shape = data.image_shape or (data.n_features,)
    flat = len(shape) == 1
    pool = nn.MaxPool1d if flat else nn.MaxPool2d

    def convolution(channels_in: int, channels_out: int) -> nn.Module:
        if flat:
            return nn.Conv1d(channels_in, channels_out, 5, padding=2)
        return nn.Conv2d(channels_in, channels_out, 3, padding=1)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Unflatten(1, (1, *shape)),
            *(convolution(1, 8), act(), pool(2)),
            *(convolution(8, 16), act(), pool(2)),
            *(convolution(16, 32), act(), nn.Flatten()),
            nn.Linear(32 * math.prod(side // 4 for side in shape), data.n_classes),
        )
        for module in model:
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                nn.init.normal_(module.weight, std=math.sqrt(VARIANCES[activation] / fan_in))
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return model


def learn(
    model: nn.Module,
    data: Dataset,
    lr: float,
    seed: int,
    epochs: int = LONGEST,
    *,
    report_at: Sequence[int] = (),
) -> dict[str, Any]:
    """Train in place by SGD (momentum 0.9, batches of 64) until nothing more comes of it.

    That is when the validation loss has not improved for ``PATIENCE`` epochs, or after ``epochs``.
    Returns ``valid_loss``, the best one; ``accuracy``: on the test set, of the weights that had
    it, and as it stood after the epochs of ``report_at`` ``accuracy_1``, ``accuracy_4``; how many
    epochs it ``ran``; and whether it ``diverged``: then the accuracies are NaN.
    """
    import torch
    from torch.nn.functional import cross_entropy

    x, x_valid, x_test = map(torch.from_numpy, (data.x_train, data.x_valid, data.x_test))
    y, y_valid, y_test = map(torch.from_numpy, (data.y_train, data.y_valid, data.y_test))
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    epoch, best, best_epoch, right, stood = 0, math.inf, 0, math.nan, {}
    while epoch < epochs and epoch - best_epoch < PATIENCE:
        epoch += 1
        for rows in torch.split(torch.randperm(len(y), generator=order), 64):
            optimiser.zero_grad()
            cross_entropy(model(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            loss = cross_entropy(model(x_valid), y_valid).item()
            if not math.isfinite(loss):
                lost = dict.fromkeys(("accuracy", *NAMES), math.nan)
                return {"valid_loss": math.inf, **lost, "ran": epoch, "diverged": True}
            if loss < best:
                best, best_epoch = loss, epoch
                right = (model(x_test).argmax(1) == y_test).double().mean().item()
        stood[epoch] = right
    reported = {name: stood[min(at, epoch)] for name, at in zip(NAMES, report_at, strict=False)}
    return {"valid_loss": best, "accuracy": right, **reported, "ran": epoch, "diverged": False}


def convolution_cell(data: str, arm: str, *, epochs: int) -> pd.DataFrame:
    """One arm on digits (2-D) or MNIST-1D (1-D), as in a contest: one row per network."""
    import pandas as pd

    from actlab import data as datasets
    from actlab.ensemble.search import search

    splits = [datasets.load(data, seed=i, **OPTIONS.get(data, {})) for i in range(SPLITS)]

    def losses(lr: float) -> list[float]:
        return [
            learn(network(arm, part, seed), part, lr, seed, 4 * epochs)["valid_loss"]
            for part in splits
            for seed in range(1000, 1000 + TUNING_SEEDS)
        ]

    def score(rates: Sequence[float]) -> dict[float, np.ndarray[Any, Any]]:
        tried = {rate: np.array(losses(rate)) for rate in rates}
        return {rate: np.where(np.isfinite(lost), -lost, np.nan) for rate, lost in tried.items()}

    chosen = search(score)
    rows = [
        {"split": i, "seed": seed, "lr": chosen.rate, "edge": chosen.at_edge}
        | learn(network(arm, part, seed), part, chosen.rate, seed, report_at=(epochs, 4 * epochs))
        for i, part in enumerate(splits)
        for seed in range(SEEDS)
    ]
    return pd.DataFrame(rows)


CONVOLUTIONS = Study(
    name="contest_convolution",
    title="Three convolutions and a linear layer: SELU from LeCun's start, ReLU from He's",
    task=convolution_cell,
    axes={"data": ("digits", "mnist1d"), "arm": tuple(VARIANCES)},
    settings={"epochs": 5},
)
STUDIES = (CONVOLUTIONS,)
AHEAD = Ahead(CONVOLUTIONS, "selu", over="relu")
