"""Where a curve is at its floor: how flat it is there, and whether units end up there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actlab import catalog, stats
from actlab.experiments.contest import FAIR
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot


def levels_off(root: int, level: Level) -> Evidence:
    """How far ELU's outputs below −20 are from −α, and where its gradient becomes exactly 0."""
    from actlab.frameworks import keras, torch

    record = catalog.get("elu")
    x = -np.random.default_rng(root).uniform(20, 1000, 1000)
    grid = -np.arange(0, 120, 0.25)
    cases: dict[Case, Interval] = {}
    notes: dict[str, float] = {}
    for name, framework in (("PyTorch", torch), ("Keras", keras)):
        for alpha in (0.5, 1.0, 2.0):
            y = framework.values(record, x, "float32", alpha=alpha)
            off = 1e6 * float(np.abs(y / alpha + 1).max())
            cases[name, f"α = {alpha:g}"] = Interval(off, off, off, n=1)
        silent = framework.gradients(record, grid, "float32") == 0
        notes[f"gradient exactly 0 from, {name}"] = float(grid[silent].max())
    return {"distance from −α": Measured(cases, ("framework", "alpha"), notes=notes)}


LEVELS_OFF = Experiment(
    "Outputs at 1,000 random inputs between −1000 and −20 for α = 0.5, 1 and 2, both frameworks, "
    "float32; and where their gradients become exactly 0.",
    "Both frameworks on one CPU, float32",
    levels_off,
)

# --- Units that sleep -----------------------------------------------------------------------------

# The lowest output. The slope has fallen to 1 % of the largest one on the negative side where the
# output has come within 1 % of it.
FLOORS = {"relu": 0.0, "elu": -1.0, "selu": catalog.get("selu").properties.range.lower}


def highest_outputs(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the largest output of every hidden unit over all inputs, (networks, units)."""
    import torch

    highest: list[torch.Tensor] = []
    for batch in snapshot.batches(1024):
        tops = [layer.amax(1) for layer in batch]
        pairs = zip(highest, tops, strict=True)
        highest = [torch.maximum(a, b) for a, b in pairs] if highest else tops
    return {"highest": torch.cat(highest, 1)}


def asleep_cell(activation: str, lr: float, root: int, *, epochs: int) -> pd.DataFrame:
    """Digits, five hidden layers of 64, momentum: what share of the units sleeps afterwards.

    ``asleep``: share of hidden units whose slope stays below 1 % for every training input;
    ``dead``: whose output is at its floor to the last bit, where Keras's gradient is exactly 0.
    Both are NaN where the network diverged.
    """
    from actlab import data as datasets
    from actlab import ensemble

    data = datasets.load("digits")
    result = ensemble.train(
        data,
        arms={activation: {**FAIR[activation], "lr": lr}},
        seeds=root_seeds(root),
        epochs=epochs,
        hidden=(64,) * 5,
        probe=highest_outputs,
        probe_at=[epochs * math.ceil(len(data.y_train) / 128)],
        keep_weights=False,
        progress=False,
    )
    frame = result.to_frame()[["seed", "diverged", "valid_accuracy"]].assign(
        asleep=math.nan, dead=math.nan
    )
    if not result.diverged.all():  # else nobody is there to look at
        floor = np.float32(FLOORS[activation])
        highest = result.probe("highest", activation)[:, -1].astype(np.float32)
        stands = ~result.diverged
        frame.loc[stands, "asleep"] = (highest <= 0.99 * floor).mean(1)[stands]
        frame.loc[stands, "dead"] = (highest <= floor).mean(1)[stands]
    floats = ["valid_accuracy", "asleep", "dead"]
    return frame.astype(dict.fromkeys(floats, "float32"))


ASLEEP = Study(
    name="elu_asleep",
    title="Units that sleep on every input, by activation and learning rate",
    task=asleep_cell,
    axes={"activation": tuple(FLOORS), "lr": (0.003, 0.01, 0.03, 0.1, 0.3), "root": (0, 1)},
    settings={"epochs": 20},
)
STUDIES = (ASLEEP,)

LOST = "share of networks with sleeping units"


def asleep(root: int, level: Level, *, activation: str = "elu") -> Evidence:
    """In how many networks more than a unit in a hundred sleeps; both runs, whatever the ``root``.

    A network that diverged counts as well: to look at the survivors alone would flatter a rate
    that kills.
    """
    table = load(ASLEEP.name)
    part = table[(table.activation == activation) & ~table.diverged]
    rates: Sequence[float] = ASLEEP.axes["lr"]
    networks = sum(len(root_seeds(run)) for run in ASLEEP.axes["root"])
    cases, notes = {}, {}
    for lr in rates:
        standing = part[np.isclose(part.lr, lr)]
        awake = int((standing.asleep <= 0.01).sum())
        found = stats.share_interval(networks - awake, networks, level(len(rates)))
        ends = (100 * found.mean, 100 * found.low, 100 * found.high)
        cases[f"{lr:g}"] = Interval(*ends, networks, confidence=found.confidence)
        notes[f"{lr:g}"] = {
            "networks that stand": len(standing),
            "units asleep in them (%)": 100 * float(standing.asleep.mean()) if awake else None,
        }
    return {LOST: Measured.of(cases, "rate", notes=notes)}


SLEEPS = Experiment(
    "Digits, five hidden layers of 64 ELU units, He's start, momentum at five learning rates, 20 "
    "epochs, 40 seeds: in how many networks the slope of more than one hidden unit in a hundred "
    "stays below 1 % for every training input. Networks that diverged count among them.",
    "Networks of 5 × 64 units · digits · 40 seeds",
    asleep,
    study="elu_asleep",
)
