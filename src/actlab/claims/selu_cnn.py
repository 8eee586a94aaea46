"""SELU in small convolutional networks: two data sets, both arms initialised and tuned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab import data as datasets
from actlab import study
from actlab.claims.elu_selu import CHAPTER, DOCUMENT_SELU, grade, interval, on_both_roots
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds

if TYPE_CHECKING:
    import pandas as pd

    from actlab.data import Dataset

RATES = (0.01, 0.03, 0.1)
EPOCHS = 10
# Activation, and the variance of a weight times its number of inputs: LeCun's and He's.
ARMS: dict[str, tuple[type[nn.Module], float]] = {"selu": (nn.SELU, 1.0), "relu": (nn.ReLU, 2.0)}


def network(arm: str, data: Dataset, seed: int) -> nn.Sequential:
    """Three convolutions (8, 16, 32 channels) with two poolings, and one linear layer."""
    activation, variance = ARMS[arm]
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
            *(convolution(1, 8), activation(), pool(2)),
            *(convolution(8, 16), activation(), pool(2)),
            *(convolution(16, 32), activation(), nn.Flatten()),
            nn.Linear(32 * math.prod(side // 4 for side in shape), data.n_classes),
        )
        for module in model:
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                nn.init.normal_(module.weight, std=math.sqrt(variance / fan_in))
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return model


def learn(model: nn.Module, data: Dataset, lr: float, seed: int) -> nn.Module:
    """SGD with momentum 0.9, batches of 64, for ``EPOCHS`` epochs, in place."""
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(y), generator=order), 64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return model


@torch.no_grad()
def accuracy(model: nn.Module, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    """Share of right answers; NaN if the network has diverged."""
    logits: Tensor = model(torch.from_numpy(x))
    if not bool(logits.isfinite().all()):
        return math.nan
    return (logits.argmax(1) == torch.from_numpy(y)).double().mean().item()


def study_() -> pd.DataFrame:
    """Digits (2-D) and 2,000 examples of MNIST-1D (1-D), two roots × 20 seeds."""
    import pandas as pd

    rows = []
    for name, options in (("digits", {}), ("mnist1d", {"size": 2_000})):
        data = datasets.load(name, **options)  # type: ignore[arg-type]
        for root in (0, 1):
            seeds = root_seeds(root)
            for arm in ARMS:
                valid = {}
                for lr in RATES:
                    tried = [
                        accuracy(
                            learn(network(arm, data, seed), data, lr, seed),
                            data.x_valid,
                            data.y_valid,
                        )
                        for seed in (seeds[0] + 500, seeds[0] + 501)
                    ]
                    valid[lr] = float(np.nan_to_num(tried, nan=0.1).mean())
                best = max(valid, key=lambda lr: valid[lr])
                for seed in seeds:
                    model = learn(network(arm, data, seed), data, best, seed)
                    score = accuracy(model, data.x_test, data.y_test)
                    rows.append((name, root, arm, seed, best, np.float32(score)))
    return pd.DataFrame(rows, columns=["data", "root", "arm", "seed", "lr", "test_accuracy"])


def _measure(seed: int) -> Evidence:
    table = study.load("selu_cnn")
    table = table[table.root == seed]
    found: dict[str, Any] = {}
    for data in sorted(table.data.unique()):
        arms = {
            arm: 100
            * table[(table.data == data) & (table.arm == arm)]
            .sort_values("seed")
            .test_accuracy.fillna(0.1)
            .to_numpy(np.float64)
            for arm in ARMS
        }
        found[data] = {
            "selu": interval(arms["selu"]),
            "relu": interval(arms["relu"]),
            "difference": interval(arms["selu"] - arms["relu"]),
        }
    return found


def _decide(evidence: Evidence) -> tuple[Verdict, str]:
    better = [data for data, e in evidence.items() if e["difference"][1] > 0]
    text = "; ".join(
        f"{data}: SELU {e['selu'][0]:.1f} %, ReLU {e['relu'][0]:.1f} %, difference "
        f"{e['difference'][0]:+.1f} [{e['difference'][1]:+.1f}, {e['difference'][2]:+.1f}] points"
        for data, e in evidence.items()
    )
    level = all(e["difference"][2] < 0.5 for e in evidence.values())
    text = f"Test accuracy, {text}"
    return grade(better, len(evidence), text, refuted=level, when="the data are")


_CLAIMS = (
    Claim(
        id="selu-cnn",
        statement="SELU improves convolutional networks.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=(
            "Three convolutions and a linear layer on digits (2-D) and on 2,000 examples of "
            "MNIST-1D (1-D); SELU from LeCun's start against ReLU from He's, learning rate tuned "
            "for each, 20 seeds."
        ),
        rule=(
            "Holds if SELU's test accuracy is higher on both data sets (95 % interval, paired by "
            "seed and data order); holds when … on one; refuted if on both the interval ends below "
            "half a point."
        ),
        measure=_measure,
        decide=_decide,
        otherwise={
            "digits": {
                "selu": [99.0, 98.9, 99.1],
                "relu": [90.0, 89.0, 91.0],
                "difference": [9.0, 8.0, 10.0],
            }
        },
        cheap=False,
    ),
)
CLAIMS = tuple(map(on_both_roots, _CLAIMS))
