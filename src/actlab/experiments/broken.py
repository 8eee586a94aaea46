"""What it costs a SELU network to break one of its requirements: normalisation, accuracy, or both.

And whether ELU, or SELU's curve without its kink, does better where one is broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.catalog.elu import SELU_ALPHA
from actlab.experiments import normalised, untrained
from actlab.experiments.contest import (
    BEATS,
    OPTIONS,
    SEEDS,
    SPLITS,
    TITLES,
    Ahead,
    When,
    accuracies,
    contest,
    floor,
    method,
    other_lengths,
    over_splits,
)
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above

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
    "input: sd 0.1": ({}, (0.0, 0.1)),
    "alpha dropout 10 %": ({"dropout": 0.1, "alpha_dropout": True}, (0.0, 1.0)),
}
# Under these three curves are trained; under the others SELU is alone.
BROKEN = ("He normal", "skip connections", "input: mean 5, sd 5")
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

WIDTH = 32
SMALL: dict[str, tuple[dict[str, Any], int]] = {
    "digits": ({}, 12),
    "mnist1d": (OPTIONS["mnist1d"], 8),
}
TRAINED = contest(
    "contest_broken",
    "SELU, ELU and a curve without kink under broken requirements",
    {
        f"{curve} | {condition}": {
            "init": "lecun_normal",
            **CURVES[curve],
            **settings,
            **({} if change == (0.0, 1.0) else {"inputs": change}),
        }
        for condition, (settings, change) in CONDITIONS.items()
        for curve in CURVES
        if curve == "selu" or condition in BROKEN
    },
    data=SMALL,
    depths=(12,),
    width=WIDTH,
)
STUDIES = (TRAINED,)

LOST, DRIFT = "accuracy lost", "drift of the standard deviation"
# 0.0969 powers of ten: outside of 0.8 to 1.25.
NEEDS = Rule({LOST: above(0, "points"), DRIFT: above(0.0969, "powers of ten")}, together=True)


@dataclass(frozen=True)
class Costs:
    """What a SELU network loses by each break: test accuracy, and its normalisation.

    ``breaks``: condition → the one that is intact beside it; ``what``: the breaks in words.
    """

    breaks: Mapping[str, str]
    what: str
    when: When = "plateau"

    cheap = False
    study = TRAINED
    scope = (
        f"Networks of 12 × {WIDTH} units, untrained ones of 30 × 128 · digits, MNIST-1D · "
        f"{SPLITS} splits with {SEEDS} paired seeds each"
    )

    @classmethod
    def of(cls, *breaks: str, what: str) -> Costs:
        """Breaks beside the network that is as the paper asks."""
        return cls(dict.fromkeys(breaks, INTACT), what)

    def __call__(self, root: int, level: Level) -> Evidence:
        """What each break costs on each data set; untrained networks are drawn from ``root``."""
        table = load(TRAINED.name)
        places = [(condition, data) for condition in self.breaks for data in SMALL]
        sure = level(len(places))
        drifts = {c: drift(untrained_moments(c, root)[1], sure) for c in self.breaks}
        lost: dict[Case, Interval] = {}
        floors: dict[Case, float] = {}
        hanging: dict[str, bool] = {}
        for condition, data in places:
            intact, broken = (
                accuracies(table, f"selu | {c}", self.when, data=data)
                for c in (self.breaks[condition], condition)
            )
            case = (WORDS.get(condition, condition), TITLES[data])
            lost[case], hangs = over_splits(intact - broken, sure)
            floors[case] = floor(intact)
            if hangs:
                hanging[", ".join(case)] = True
        normal: dict[Case, Interval] = {
            (WORDS.get(c, c), TITLES[data]): drifts[c] for c, data in places
        }
        notes = {"hangs on one split": hanging} if hanging else {}
        return {
            LOST: Measured(lost, ("break", "data"), floors, notes),
            DRIFT: Measured(normal, ("break", "data")),
        }

    def lengths(self) -> dict[str, Costs]:
        """The same question after the shorter trainings."""
        return other_lengths(self)

    def words(self) -> str:
        """The experiment in prose."""
        return (
            "SELU networks, intact and broken in one point: untrained ones (30 layers of 128 "
            "units, 100 digits, 20 networks), of whose layers 11 to 30 the one counts whose "
            "standard deviation is furthest from 1 (a factor of 1.25 is 0.0969 powers of ten); and "
            f"trained ones ({TRAINED.words()}). {method()} Broken by {self.what}."
        )


# --- Another curve --------------------------------------------------------------------------------

ELU_LEAD = Ahead(
    TRAINED,
    pairs={WORDS.get(c, c): (f"elu | {c}", f"selu | {c}") for c in BROKEN},
)
BEYOND = "gain of the curve without kink beyond half of ELU's"
KINK = Rule({BEYOND: above(0, "points")}, together=True)


def explained(root: int, level: Level) -> Evidence:
    """Where ELU leads: what the curve without the kink gains on SELU, beyond half of that lead."""
    (leads,) = ELU_LEAD(root, BEATS.level).values()
    table = ELU_LEAD.table()
    ahead = [case for case, lead in leads.cases.items() if lead.low > 0]
    places = ELU_LEAD.places(table)
    cases: dict[Case, Interval] = {}
    for case in ahead:
        (elu, selu), key = places[case]
        smooth = selu.replace("selu", "without kink")
        gained, lead = (
            accuracies(table, arm, **key) - accuracies(table, selu, **key) for arm in (smooth, elu)
        )
        cases[case], _ = over_splits(gained - lead / 2, level(len(ahead)))
    return {BEYOND: Measured(cases, ELU_LEAD.factors)}


SMOOTH = Experiment(
    f"{ELU_LEAD.words()} Where ELU is ahead of SELU: how much a CELU with SELU's α (the same "
    "floor, no kink) gains on SELU, less half of what ELU gains.",
    ELU_LEAD.scope,
    explained,
    study=TRAINED.name,
)
