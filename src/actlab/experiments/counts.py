"""Which function of the last layer suits counts: visits to a doctor, by four outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.experiments.contest import PAIRED, SEEDS, SPLITS, over_splits
from actlab.study import Study, load
from actlab.trial import Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Array = npt.NDArray[np.float64]

FLOOR = 0.01  # the smallest rate that anybody is judged with
OUTPUTS = ("exponential", "softplus", "ReLU", "linear")


def deviance(y: Tensor, rate: Tensor) -> Tensor:
    """Mean Poisson deviance, 2 [y log(y / rate) - y + rate], of rates of at least ``FLOOR``."""
    import torch

    rate = rate.clamp(min=FLOOR)
    found: Tensor = 2 * (torch.special.xlogy(y, y / rate) - y + rate).mean()
    return found


def counts_cell(output: str, split: int, *, train: int) -> pd.DataFrame:
    """L-BFGS on ``train`` examples until the deviance on a fifth has not got better for 60 steps.

    One row per seed, of the rest: ``deviance``, its ``squares``, and the share ``below`` 0.
    """
    import torch
    from torch import nn

    from actlab import data as datasets

    x, y = (torch.from_numpy(part) for part in datasets.visits())
    order = torch.from_numpy(np.random.default_rng(split).permutation(len(y)))
    rows, valid, test = order[:train], order[train:][: len(y) // 5], order[train + len(y) // 5 :]
    x = (x - x[rows].mean(0)) / x[rows].std(0)
    mean = float(y[rows].mean())
    starts: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
        "exponential": (torch.exp, math.log(mean)),
        "softplus": (nn.functional.softplus, math.log(math.expm1(mean))),
        "ReLU": (torch.relu, mean),
        "linear": (torch.clone, mean),
    }
    curve, bias = starts[output]
    found = []
    for seed in range(SEEDS):
        torch.manual_seed(1000 * split + seed)
        last = nn.Linear(x.shape[1], 1)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, bias)
        network = nn.Sequential(last, nn.Flatten(0)).double()
        best, kept, waited = math.inf, x, 0
        for _ in steps(network, curve, x[rows], y[rows], squares=output == "linear"):
            with torch.no_grad():
                rate = curve(network(x))
            now = float(deviance(y[valid], rate[valid]))
            waited = 0 if now < best - 1e-5 else waited + 1
            if now < best:
                best, kept = now, rate[test]
            if waited == 3:
                break
        squares = (y[test] - kept).square().mean()
        below = (kept < 0).double().mean()
        found.append((seed, float(deviance(y[test], kept)), float(squares), float(below)))
    return pd.DataFrame(found, columns=["seed", "deviance", "squares", "below"])


def steps(
    network: Module, curve: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, squares: bool
) -> Iterator[None]:
    """Twenty steps of L-BFGS at a time, on the Poisson likelihood or on squares."""
    from torch.nn import functional
    from torch.optim import LBFGS

    optimiser = LBFGS(network.parameters(), max_iter=20, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        rate = curve(network(x))
        if squares:
            value = functional.mse_loss(rate, y)
        else:
            value = functional.poisson_nll_loss(rate, y, log_input=False)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    while True:
        optimiser.step(loss)  # type: ignore[no-untyped-call]
        yield


VISITS = Study(
    name="count_outputs",
    title="Outputs for counts: visits to a doctor",
    task=counts_cell,
    axes={"output": OUTPUTS, "split": tuple(range(SPLITS))},
    settings={"train": 6_000},
)
STUDIES = (VISITS,)

BETTER = "deviance saved"


@experiment(
    "Visits to a doctor in a year (RAND's health insurance experiment, 20,190 person-years, nine "
    "facts about each), no hidden layer: the Poisson deviance on new rows with an exponential at "
    "the output against a softplus and a ReLU (all three trained on the Poisson likelihood) and a "
    "bare line (trained on squares). L-BFGS on 6,000 rows until the "
    f"validation deviance is at its best. No rate below {FLOOR:g} is judged. A person may stand in "
    "several rows, so new rows are not always new persons.",
    f"Visits to a doctor · {PAIRED}",
    VISITS.name,
)
def for_counts(root: int, level: Level) -> Evidence:
    table = load(VISITS.name)
    wide = {
        name: rows.pivot(index="split", columns="seed", values="deviance").to_numpy()
        for name, rows in table.groupby("output")
    }
    ours, *rivals = OUTPUTS
    cases = {
        rival: over_splits(100 * (1 - wide[ours] / wide[rival]), level(len(rivals)))[0]
        for rival in rivals
    }
    means = table.groupby("output")[["deviance", "squares", "below"]].mean()
    notes = {name: row.to_dict() for name, row in means.iterrows()}
    return {BETTER: Measured.of(cases, "rival", notes=notes)}
