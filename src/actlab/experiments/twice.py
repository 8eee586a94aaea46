"""What a second softmax before the loss costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    import torch

TITLES = {"digits": "digits", "mnist1d": "MNIST-1D"}
SIZE = 1_000  # training examples, so that both data sets have epochs of the same length


def trained(
    data: Any, seeds: Sequence[int], rates: Sequence[float], twice: bool, marks: Sequence[int]
) -> dict[int, list[torch.Tensor]]:
    """Train one network of 64 ReLUs per (seed, rate) by plain SGD, all of them side by side.

    ``twice``: the loss gets ``softmax(logits)`` instead of the logits. Returns, for each epoch in
    ``marks``, the weights; every one of them has the networks as its first axis. Batches of 64,
    the same order for all networks of an epoch.
    """
    import torch
    from torch.nn.functional import cross_entropy

    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    sizes = (x.shape[1], 64, data.n_classes)
    weights: list[torch.Tensor] = []
    for fan_in, fan_out, variance in ((sizes[0], sizes[1], 2.0), (sizes[1], sizes[2], 1.0)):
        drawn = [
            torch.randn(fan_in, fan_out, generator=torch.Generator().manual_seed(seed + fan_out))
            for seed in seeds
        ]
        weights += [torch.stack(drawn) * (variance / fan_in) ** 0.5]
        weights += [torch.zeros(len(seeds), 1, fan_out)]
    rate = torch.tensor(rates).reshape(-1, 1, 1)
    for weight in weights:
        weight.requires_grad_()
    found = {}
    order = torch.Generator().manual_seed(int(seeds[0]))
    for epoch in range(1, max(marks) + 1):
        for rows in torch.randperm(len(x), generator=order).split(64):  # type: ignore[no-untyped-call]
            logits = outputs(weights, x[rows])
            into_loss = logits.softmax(-1) if twice else logits
            labels = y[rows].repeat(len(seeds))
            loss = cross_entropy(into_loss.flatten(0, 1), labels, reduction="sum") / len(rows)
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for weight, gradient in zip(weights, gradients, strict=True):
                    weight.sub_(rate * gradient)
        if epoch in marks:
            found[epoch] = [weight.detach().clone() for weight in weights]
    return found


def outputs(weights: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The logits of every network: (networks, n, classes)."""
    first, bias, second, end = weights
    return (x @ first + bias).relu() @ second + end


def accuracy_and_loss(
    weights: Sequence[torch.Tensor], x: Any, y: Any
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Of every network: how often its largest share is right, and −log of the true one's share.

    Both take the probabilities to be *one* softmax of the logits, in either arm. A network that
    diverged is at chance: its accuracy 1 / classes, its loss log(classes).
    """
    import torch

    with torch.no_grad():
        logits = outputs(weights, torch.from_numpy(x)).double()
        right = (logits.argmax(-1).numpy() == y).mean(1)
        rows = torch.arange(len(y))
        loss = -logits.log_softmax(-1)[:, rows, torch.from_numpy(y)].mean(1).numpy()
    stands = np.isfinite(logits.numpy()).all((1, 2))
    classes = logits.shape[-1]
    return np.where(stands, right, 1 / classes), np.where(stands, loss, np.log(classes))


def twice_cell(
    data: str,
    *,
    splits: Sequence[int],
    rates: Sequence[float],
    tuning_seeds: int,
    seeds: int,
    epochs: Sequence[int],
) -> pd.DataFrame:
    """Tune both arms on the validation data of all splits, then train and judge on the test sets.

    Arms: "once" and "twice" at the rate that is best for each, and "twice, rate kept" at the one
    that is best for "once". What training had come to after the first of ``epochs`` is noted, too.
    """
    loaded = {split: datasets.load(data, seed=split, size=SIZE) for split in splits}
    best: dict[bool, float] = {}
    for twice in (False, True):
        valid = np.zeros(len(rates))
        for split, part in loaded.items():
            tuners = [10_000 + 100 * split + i for i in range(tuning_seeds)]
            grid: list[tuple[Any, Any]] = [(seed, lr) for lr in rates for seed in tuners]
            numbers, lrs = ([one[i] for one in grid] for i in (0, 1))
            tuned = trained(part, numbers, lrs, twice, epochs[-1:])[epochs[-1]]
            accuracy, _ = accuracy_and_loss(tuned, part.x_valid, part.y_valid)
            valid += accuracy.reshape(len(rates), -1).mean(1)
        best[twice] = rates[int(valid.argmax())]
    rows = []
    for split, part in loaded.items():
        numbers = [100 * split + i for i in range(seeds)]
        for arm, lr in (("once", best[False]), ("twice", best[True]), (KEPT, best[False])):
            after = trained(part, numbers, [lr] * seeds, arm != "once", epochs)
            one: dict[str, Any] = {"split": split, "seed": numbers, "arm": arm, "lr": lr}
            one["edge"] = lr in (rates[0], rates[-1])
            for epoch, column in zip(epochs, ("early", "late"), strict=True):
                accuracy, loss = accuracy_and_loss(after[epoch], part.x_test, part.y_test)
                one |= {f"accuracy_{column}": accuracy, f"loss_{column}": loss}
            rows.append(pd.DataFrame(one))
    return pd.concat(rows, ignore_index=True)


KEPT = "twice, rate kept"
TWICE = Study(
    name="softmax_twice",
    title="A softmax before the cross-entropy, which has its own",
    task=twice_cell,
    axes={"data": tuple(TITLES)},
    settings={
        "splits": (0, 1, 2, 3, 4),
        "rates": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
        "tuning_seeds": 2,
        "seeds": 4,
        "epochs": (10, 30),
    },
)
STUDIES = (TWICE,)
CHANGES = {KEPT: "the learning rate kept", "twice": "the learning rate tuned anew"}


def differences(
    column: str, root: int = 0, confidence: Callable[[int], float] = lambda cases: 0.95
) -> dict[Case, stats.Interval]:
    """(data, change) → once minus twice in a column, paired by split and seed."""
    table = load(TWICE.name)
    table = table[table.split != root - 1] if root else table
    wide = table.pivot(index=["data", "split", "seed"], columns="arm", values=column)
    cells = [(name, arm) for name in TITLES for arm in CHANGES]
    found: dict[Case, stats.Interval] = {}
    for name, arm in cells:
        part = wide.loc[name]
        gap = (part["once"] - part[arm]).groupby("split").apply(lambda one: one.to_numpy())
        values = np.array(gap.tolist())
        found[TITLES[name], CHANGES[arm]] = stats.nested_interval(values, confidence(len(cells)))
    return found


LOST = "lost test accuracy"


@experiment(
    "One hidden layer of 64 ReLUs, SGD, batches of 64, 30 epochs of 1,000 examples of digits and "
    "of MNIST-1D; five splits, four seeds each, paired. The network with one softmax (in the "
    "loss) minus the one with a second before it: once with the learning rate that is best with "
    "one, once with its own best of six (ten tuning networks, validation accuracy).",
    "Networks of 64 ReLUs · two data sets · 5 splits × 4 seeds",
    TWICE.name,
)
def harm(root: int, level: Level) -> Evidence:
    cases = {}
    for case, found in differences("accuracy_late", root, level).items():
        ends = (100 * found.mean, 100 * found.low, 100 * found.high)
        cases[case] = stats.Interval(*ends, found.n, confidence=found.confidence)
    early = differences("accuracy_early", root)
    loss = differences("loss_late", root)
    notes = {
        ", ".join(case): {
            "lost after a third of the training (points)": 100 * early[case].mean,
            "test loss, twice minus once": -loss[case].mean,
        }
        for case in cases
    }
    return {LOST: Measured(cases, ("data", "change"), notes=notes)}
