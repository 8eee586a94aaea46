"""Does a stack of layers keep mean 0 and standard deviation 1, before training and while it learns.

The rules look from the 11th layer to the 30th: an attracting fixed point needs some layers to
attract. There the layer whose interval reaches furthest from the fixed point is judged.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments import contest, untrained
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load, part_of, root_seeds, table_of
from actlab.trial import Case, Evidence, Level, Measured, Rule, experiment, within

if TYPE_CHECKING:
    from actlab.ensemble import Networks

SELU: dict[str, Any] = {"activation": "selu", "init": "lecun_normal"}
SETTLED = slice(10, 30)
MEAN, SD = "mean of the layer furthest off", "standard deviation of the layer furthest off"
KEPT = Rule({SD: within(0.8, 1.25), MEAN: within(-0.2, 0.2)}, together=True)


def standardised() -> Array:
    """The first hundred digits, standardised: (100, 64)."""
    return datasets.load("digits").x_train[:100].astype(np.float64)


def moments(networks: Networks, x: Any, *, drop: bool = False) -> tuple[Array, Array]:
    """Mean and sd of every layer's outputs, (networks, layers) each; ``drop`` as in training."""
    import torch

    layers = untrained.outputs(networks, x, "train" if drop else "observe")
    found = [torch.var_mean(layer.double(), (1, 2), correction=0) for layer in layers]
    variance, mean = (torch.stack(part, 1).numpy() for part in zip(*found, strict=True))
    return mean, np.sqrt(variance)


def furthest(found: Sequence[Interval], target: float = 0.0) -> Interval:
    """The interval with an end furthest from ``target`` (as a ratio, where that is not 0)."""

    def reach(interval: Interval) -> float:
        ends = np.array([interval.low, interval.high])
        away = np.log(np.maximum(ends, 1e-12) / target) if target else ends
        return float(np.abs(away).max())

    return max(found, key=reach)


_UNTRAINED = "Untrained networks of 30 × 128 units · digits · 20 seeds"


@experiment(
    "Nine kinds of input (digits with means −2, 0, 2 and standard deviations 0.1, 1, 5) through 30 "
    "untrained SELU layers of 128 units, LeCun normal, 20 networks: mean and standard deviation "
    "behind the last.",
    _UNTRAINED,
)
def attracted(root: int, level: Level) -> Evidence:
    networks, x = untrained.draw(root_seeds(root), hidden=(128,) * 30, **SELU), standardised()
    means, sds = {}, {}
    for shift, stretch in itertools.product((-2.0, 0.0, 2.0), (0.1, 1.0, 5.0)):
        mean, sd = moments(networks, shift + stretch * x)
        case = f"{shift:g}".replace("-", "−"), f"{stretch:g}"
        means[case], sds[case] = mean[:, -1], sd[:, -1]
    return {
        "standard deviation": Measured.means(sds, level, "input mean", "input sd"),
        "mean": Measured.means(means, level, "input mean", "input sd"),
    }


@experiment(
    "Untrained SELU networks of 30 layers of 128 units, weights LeCun normal times the gain, 20 "
    "networks: mean and standard deviation of layers 11 to 30.",
    _UNTRAINED,
)
def gain(root: int, level: Level) -> Evidence:
    import torch

    gain = torch.nn.init.calculate_gain("selu")
    networks = untrained.draw(root_seeds(root), hidden=(128,) * 30, gain=gain, **SELU)
    mean, sd = moments(networks, standardised())

    def judged(values: Array, target: float, **notes: float) -> Measured:
        layers = [stats.mean_interval(layer, level(1)) for layer in values.T[SETTLED]]
        return Measured.of({f"gain {gain:g}": furthest(layers, target)}, notes=notes)

    known = {f"standard deviation, layer {n}": float(sd[:, n - 1].mean()) for n in (1, 10, 30)}
    return {SD: judged(sd, 1.0, gain=gain, **known), MEAN: judged(mean, 0.0)}


CHECKS = (0, 1, 2, 5, 10, 15, 60)  # epochs


def moments_cell(data: str, *, depth: int, checks: Sequence[int]) -> pd.DataFrame:
    """Mean and standard deviation per layer and epoch while SELU networks learn, split by split."""
    from actlab import ensemble

    splits = contest.splits_of(data, **contest.OPTIONS.get(data, {}))
    own = {**SELU, "hidden": (64,) * depth}
    run: dict[str, Any] = {"epochs": max(checks), "progress": False, "keep_weights": False}
    tuned = ensemble.fair_rate(splits, own, contest.TUNING, metric="valid_loss", **run)
    run |= {"arms": {"selu": {**own, "lr": tuned.rate}}, "seeds": range(contest.SEEDS)}
    found = []
    for part in splits:
        at = [epoch * math.ceil(len(part.y_train) / 128) for epoch in checks]
        result = ensemble.train(part, probe="moments", probe_at=at, **run)
        found.append([result.probe(f"activation_{what}", "selu") for what in ("mean", "variance")])
    mean, variance = np.stack(found, axis=1)
    columns = {"mean": mean.astype(np.float32), "sd": np.sqrt(variance).astype(np.float32)}
    columns |= {"lr": tuned.rate, "edge": tuned.at_edge}
    parts, layers = range(len(splits)), range(1, depth + 1)
    return table_of(columns, split=parts, seed=run["seeds"], epoch=checks, layer=layers)


LEARNING = Study(
    name="selu_moments",
    title="Mean and standard deviation by layer while SELU networks learn",
    task=moments_cell,
    axes={"data": ("digits", "mnist1d")},
    settings={"depth": 16, "checks": CHECKS},
)
STUDIES = (LEARNING,)

SCALE, OFFSET = "scale of the layer furthest off", "offset of the layer furthest off"
# 0.0969 powers of ten: outside of 0.8 to 1.25.
PRESERVED = Rule(
    {SCALE: within(-0.0969, 0.0969, "powers of ten"), OFFSET: within(-0.2, 0.2, "sd")},
    together=True,
)


@experiment(
    "16 hidden layers of 64 SELU units, LeCun normal, on digits and 2,000 examples of MNIST-1D, "
    f"split in {contest.SPLITS} ways with {contest.SEEDS} seeds each, at a learning rate chosen "
    f"with {contest.SPLITS * contest.TUNING_SEEDS} other networks: the standard deviation of every "
    "layer's activations over the training data (its scale, in powers of ten), and their mean in "
    f"units of it (its offset), before training and after {max(CHECKS)} epochs; of the layers the "
    "one furthest off counts.",
    f"Networks of 16 × 64 units · two data sets · {contest.SPLITS} splits with {contest.SEEDS} "
    "seeds each",
    LEARNING.name,
)
def while_learning(root: int, level: Level) -> Evidence:
    table = load(LEARNING.name).dropna()
    table = table.assign(scale=np.log10(table.sd), offset=table["mean"] / table.sd)
    times = {"before training": 0, "after training": max(CHECKS)}

    def off(what: str) -> Measured:
        cases: dict[Case, Interval] = {}
        for data, (when, epoch) in itertools.product(LEARNING.axes["data"], times.items()):
            part = part_of(table, data=data, epoch=epoch)
            layers = [grid_of(layer, what) for _, layer in part.groupby("layer")]
            found = [contest.over_splits(layer, level(4))[0] for layer in layers]
            cases[contest.TITLES[data], when] = furthest(found)
        return Measured(cases, ("data", "when"))

    return {SCALE: off("scale"), OFFSET: off("offset")}
