"""SELU against ReLU in small convolutional networks, both initialised and tuned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actlab.experiments import rivals
from actlab.experiments.contest import OPTIONS
from actlab.experiments.seeds import root_seeds
from actlab.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from actlab.data import Dataset

# n · Var(w): LeCun's and He's.
VARIANCES = {"selu": 1.0, "relu": 2.0}


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


def learn(model: nn.Module, data: Dataset, lr: float, seed: int, epochs: int) -> nn.Module:
    """SGD with momentum 0.9, batches of 64, in place."""
    import torch
    from torch import nn

    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(y), generator=order), 64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return model


def accuracy(model: nn.Module, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    """Share of right answers; NaN if the network has diverged."""
    import torch

    with torch.no_grad():
        logits: Tensor = model(torch.from_numpy(x))
    if not bool(logits.isfinite().all()):
        return math.nan
    return (logits.argmax(1) == torch.from_numpy(y)).double().mean().item()


def convolution_cell(
    data: str, root: int, arm: str, *, epochs: int, rates: Sequence[float]
) -> pd.DataFrame:
    """One arm on digits (2-D) or 2,000 examples of MNIST-1D (1-D), tuned on two seeds."""
    import pandas as pd

    from actlab import data as datasets

    loaded = datasets.load(data, **OPTIONS.get(data, {}))
    seeds = root_seeds(root)

    def trained(seed: int, lr: float) -> nn.Module:
        return learn(network(arm, loaded, seed), loaded, lr, seed, epochs)

    valid = {}
    for lr in rates:
        tried = [
            accuracy(trained(seed, lr), loaded.x_valid, loaded.y_valid)
            for seed in (seeds[0] + 500, seeds[0] + 501)
        ]
        valid[lr] = float(np.nan_to_num(tried, nan=0.1).mean())
    best = max(valid, key=lambda lr: valid[lr])
    rows = [
        (seed, best, np.float32(accuracy(trained(seed, best), loaded.x_test, loaded.y_test)))
        for seed in seeds
    ]
    return pd.DataFrame(rows, columns=["seed", "lr", "test_accuracy"])


CONVOLUTIONS = Study(
    name="selu_cnn",
    title="SELU and ReLU in small convolutional networks",
    task=convolution_cell,
    axes={"data": ("digits", "mnist1d"), "root": (0, 1), "arm": tuple(VARIANCES)},
    settings={"epochs": 10, "rates": (0.01, 0.03, 0.1)},
)
STUDIES = (CONVOLUTIONS,)

AHEAD = rivals.Lead(
    CONVOLUTIONS.name,
    "selu",
    ("relu",),
    "Three convolutions and a linear layer on digits (2-D) and on 2,000 examples of MNIST-1D "
    "(1-D), 10 epochs; SELU from LeCun's start against ReLU from He's, learning rate tuned for "
    "each; two runs of 20 seeds, paired by seed and data order, which both have to show it.",
    "Small convolutional networks · two data sets · 2 runs with 20 paired seeds each",
)
