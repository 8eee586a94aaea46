"""What it costs a SELU network to break one of its requirements: normalisation, accuracy, or both.

And whether ELU, or SELU's curve without its kink, does better where one is broken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.catalog.elu import SELU_ALPHA
from actlab.experiments import normalised, rivals, untrained
from actlab.experiments.contest import BEATS, OPTIONS, TITLES, transformed
from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import in_both
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

INTACT = "as the paper asks"
# Label → settings and what happens to the standardised input (shift, stretch).
CONDITIONS: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    INTACT: ({}, (0.0, 1.0)),
    "He normal": ({"init": "he_normal"}, (0.0, 1.0)),
    "PyTorch default": ({"init": "torch"}, (0.0, 1.0)),
    "skip connections": ({"residual": True}, (0.0, 1.0)),
    "plain dropout 10 %": ({"dropout": 0.1}, (0.0, 1.0)),
    "input: mean 5, sd 5": ({}, (5.0, 5.0)),
    "Glorot uniform": ({"init": "keras"}, (0.0, 1.0)),
    "orthogonal": ({"init": "orthogonal"}, (0.0, 1.0)),
    "gain 3/4": ({"gain": 0.75}, (0.0, 1.0)),
    "input: sd 0.1": ({}, (0.0, 0.1)),
    "plain dropout 5 %": ({"dropout": 0.05}, (0.0, 1.0)),
    "alpha dropout 5 %": ({"dropout": 0.05, "alpha_dropout": True}, (0.0, 1.0)),
    "alpha dropout 10 %": ({"dropout": 0.1, "alpha_dropout": True}, (0.0, 1.0)),
}
# Under these three curves were trained; under the others SELU is alone.
BROKEN = tuple(CONDITIONS)[1:6]
WORDS = {
    "He normal": "He's weights",
    "PyTorch default": "PyTorch's start",
    "input: mean 5, sd 5": "inputs of mean 5 and sd 5",
    "Glorot uniform": "Glorot's weights",
    "orthogonal": "orthogonal weights",
    "input: sd 0.1": "inputs of sd 0.1",
}
# The kink is the jump of SELU's slope at 0. CELU with the same α has the same floor and no kink.
CURVES: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu"},
    "elu": {"activation": "elu"},
    "without kink": {"activation": "celu", "params": {"alpha": SELU_ALPHA}},
}

# --- Untrained ------------------------------------------------------------------------------------


def untrained_moments(
    condition: str, root: int = 0, depth: int = 30, width: int = 128
) -> tuple[Array, Array]:
    """Mean and standard deviation of untrained SELU networks' layers, (seeds, layers) each."""
    settings, (shift, stretch) = CONDITIONS[condition]
    x = shift + stretch * normalised.standardised()
    settings = {**normalised.SELU, **settings, "hidden": (width,) * depth}
    networks = untrained.draw(root_seeds(root), **settings)
    return normalised.moments(networks, x, drop=True)


def drift(sd: Array, confidence: float) -> Interval:
    """How far the layer furthest off is from standard deviation 1, in powers of ten, either way."""
    found = [stats.mean_interval(v, confidence) for v in np.log10(sd.T[normalised.SETTLED])]
    worst = normalised.furthest(found)
    low, high = sorted((abs(worst.low), abs(worst.high)))
    low = 0.0 if worst.low < 0 < worst.high else low
    return Interval(abs(worst.mean), low, high, worst.n, confidence=confidence)


# --- Trained --------------------------------------------------------------------------------------


def broken_cell(
    data: str,
    root: int,
    condition: str,
    *,
    epochs: Mapping[str, int],
    rates: Sequence[float] = (0.0003, 0.001, 0.003, 0.01, 0.03),
    alone: bool = False,
) -> pd.DataFrame:
    """Twelve layers of 64 units under one condition, tuned: SELU ``alone``, or all three curves."""
    from actlab import data as datasets

    settings, change = CONDITIONS[condition]
    loaded = datasets.load(data, **OPTIONS.get(data, {}))
    curves = CURVES if condition in BROKEN and not alone else ("selu",)
    _, table = rivals.tuned(
        transformed(loaded, *change),
        {curve: {"init": "lecun_normal", **CURVES[curve], **settings} for curve in curves},
        root_seeds(root),
        rates=rates,
        epochs=epochs[data],
        hidden=(64,) * 12,
    )
    return rivals.compact(table.rename(columns={"arm": "curve"}))


TRAINED = Study(
    name="selu_broken",
    title="SELU, ELU and a curve without kink under broken requirements",
    task=broken_cell,
    axes={"data": ("digits", "mnist1d"), "root": (0, 1), "condition": tuple(CONDITIONS)},
    settings={"epochs": {"digits": 12, "mnist1d": 8}},
)
# Who starts slowly may only start slowly.
STARTS = (INTACT, "Glorot uniform", "orthogonal", "He normal", "PyTorch default")
LONGER = Study(
    name="selu_starts",
    title="SELU from five starts, trained four times as long",
    task=broken_cell,
    axes={**TRAINED.axes, "condition": STARTS},
    settings={
        "epochs": {data: 4 * short for data, short in TRAINED.settings["epochs"].items()},
        "rates": (0.001, 0.003, 0.01, 0.03, 0.1),
        "alone": True,
    },
)
STUDIES = (TRAINED, LONGER)


def lost(table: pd.DataFrame, data: str, condition: str, intact: str, sure: float) -> Interval:
    """Test accuracy of the intact SELU networks minus that of the broken ones, in points."""
    ours, theirs = (
        rivals.scores(table, data=data, curve="selu", condition=c) for c in (intact, condition)
    )
    return in_both(map(np.subtract, ours, theirs), sure)


LOST, DRIFT = "accuracy lost", "drift of the standard deviation"
# 0.0969 powers of ten: outside of 0.8 to 1.25.
NEEDS = Rule({LOST: above(0, "points"), DRIFT: above(0.0969, "powers of ten")}, together=True)


def costs(breaks: Mapping[str, str], study: Study, root: int, level: Level) -> Evidence:
    """What each break costs; ``breaks``: condition → the one that is intact beside it."""
    table = load(study.name)
    pairs = [(condition, data) for condition in breaks for data in study.axes["data"]]
    sure = level(len(pairs))
    drifts = {c: drift(untrained_moments(c, root)[1], sure) for c in breaks}
    cases: dict[Case, Any] = {(WORDS.get(c, c), TITLES[data]): (c, data) for c, data in pairs}
    accuracy = {at: lost(table, data, c, breaks[c], sure) for at, (c, data) in cases.items()}
    normal = {at: drifts[c] for at, (c, _) in cases.items()}
    return {LOST: Measured(accuracy, ("break", "data")), DRIFT: Measured(normal, ("break", "data"))}


def requirement(
    breaks: Sequence[str] | Mapping[str, str], what: str, study: Study = TRAINED
) -> Experiment:
    """What a claim asks that something is needed; ``what``: the ways of breaking it, in words."""
    against = breaks if isinstance(breaks, Mapping) else dict.fromkeys(breaks, INTACT)
    least, most = sorted(study.settings["epochs"].values())
    return Experiment(
        "SELU networks, intact and broken in one point: untrained ones (30 layers of 128 units, "
        "100 digits, 20 networks), of whose layers 11 to 30 the one counts whose standard "
        "deviation is furthest from 1 (a factor of 1.25 is 0.0969 powers of ten); and trained ones "
        f"(12 layers of 64 units, digits and 2,000 examples of MNIST-1D, {least} to {most} epochs, "
        "learning rate tuned for each, two runs of 20 paired seeds, which both have to show it). "
        f"Broken by {what}.",
        f"Networks of 12 × 64 units · two data sets, {least} to {most} epochs · 2 runs with 20 "
        "paired seeds each",
        partial(costs, against, study),
        study=study.name,
    )


# --- Another curve --------------------------------------------------------------------------------

SHORT = WORDS | {"plain dropout 10 %": "dropout"}
_BREAKS = (
    "SELU, ELU and a CELU with SELU's α (the same floor, no kink), 12 layers of 64 units from the "
    "same weights, on digits and 2,000 examples of MNIST-1D, 8 to 12 epochs, with one requirement "
    "broken at a time (He's weights, PyTorch's start, skip connections, plain dropout of 10 %, "
    "inputs of mean 5 and sd 5); learning rate tuned for each, two runs of 20 paired seeds, which "
    "both have to show it."
)
ELU_LEAD = rivals.Lead(
    TRAINED.name,
    "elu",
    ("selu",),
    f"{_BREAKS} Test accuracy of ELU minus SELU.",
    "Networks of 12 × 64 units · two data sets, five breaks · 2 runs with 20 paired seeds each",
    by={"break": "condition", "data": "data"},
    where={"condition": BROKEN},
    titles=SHORT,
    column="curve",
)
BEYOND = "gain of the curve without kink beyond half of ELU's"
KINK = Rule({BEYOND: above(0, "points")}, together=True)


def explained(root: int, level: Level) -> Evidence:
    """Where ELU leads: what the curve without the kink gains on SELU, beyond half of that lead."""
    (leads,) = ELU_LEAD(root, BEATS.level).values()
    table = ELU_LEAD.table()
    ahead = [case for case, lead in leads.cases.items() if lead.low > 0]
    labels = {SHORT.get(c, c): c for c in BROKEN}
    names = {TITLES[data]: data for data in TRAINED.axes["data"]}
    cases: dict[Case, Interval] = {}
    for condition, data in ahead:
        selu, elu, smooth = (
            rivals.scores(table, curve=c, condition=labels[condition], data=names[data])
            for c in CURVES
        )
        beyond = [s - (a + b) / 2 for s, a, b in zip(smooth, selu, elu, strict=True)]
        cases[condition, data] = in_both(beyond, level(len(ahead)))
    return {BEYOND: Measured(cases, ("break", "data"))}


SMOOTH = Experiment(
    f"{_BREAKS} Where ELU is ahead of SELU: how much the curve without the kink gains on SELU, "
    "less half of what ELU gains.",
    ELU_LEAD.scope,
    explained,
    study="selu_broken",
)
