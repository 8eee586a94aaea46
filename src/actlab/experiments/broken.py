"""What it costs a SELU network to break one of its requirements: normalisation, accuracy, or both.

And whether ELU, or SELU's curve without its kink, does better where one is broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlab import stats
from actlab.catalog.elu import SELU_ALPHA
from actlab.experiments import contest, normalised, untrained
from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import size
from actlab.stats import Array, Interval
from actlab.study import load
from actlab.trial import Case, Evidence, Level, Measured, Rule, above, experiment

INTACT = "as the paper asks"
# Label → settings; ``inputs``: a shift and a stretch of the standardised data.
CONDITIONS: dict[str, dict[str, Any]] = {
    INTACT: {},
    "He normal": {"init": "he_normal"},
    "PyTorch default": {"init": "torch"},
    "skip connections": {"residual": True},
    "plain dropout 10 %": {"dropout": 0.1},
    "input: mean 5, sd 5": {"inputs": (5.0, 5.0)},
    "Glorot uniform": {"init": "keras"},
    "orthogonal": {"init": "orthogonal"},
    "input: sd 0.1": {"inputs": (0.0, 0.1)},
    "alpha dropout 10 %": {"dropout": 0.1, "alpha_dropout": True},
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
    settings = {**normalised.SELU, **CONDITIONS[condition], "hidden": (width,) * depth}
    shift, stretch = settings.pop("inputs", (0.0, 1.0))
    networks = untrained.draw(root_seeds(root), **settings)
    return normalised.moments(networks, shift + stretch * normalised.standardised(), drop=True)


def drift(sd: Array, confidence: float) -> Interval:
    """How far the layer furthest off is from standard deviation 1, in powers of ten, either way."""
    found = [stats.mean_interval(v, confidence) for v in np.log10(sd.T[normalised.SETTLED])]
    return size(normalised.furthest(found))


# --- Trained --------------------------------------------------------------------------------------

WIDTH = 32
SMALL: dict[str, tuple[dict[str, Any], int]] = {
    "digits": ({}, 12),
    "mnist1d": (contest.OPTIONS["mnist1d"], 8),
}
TRAINED = contest.contest(
    "contest_broken",
    "SELU, ELU and a curve without kink under broken requirements",
    {
        f"{curve} | {condition}": {"init": "lecun_normal", **CURVES[curve], **settings}
        for condition, settings in CONDITIONS.items()
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
    when: contest.When = "plateau"

    cheap = False
    study = TRAINED
    scope = (
        f"Networks of 12 × {WIDTH} units, untrained ones of 30 × 128 · digits, MNIST-1D · "
        f"{contest.SPLITS} splits with {contest.SEEDS} paired seeds each"
    )

    @classmethod
    def of(cls, *breaks: str, what: str) -> Costs:
        """Breaks beside the network that is as the paper asks."""
        return cls(dict.fromkeys(breaks, INTACT), what)

    def __call__(self, root: int, level: Level) -> Evidence:
        """What each break costs on each data set; untrained networks are drawn from ``root``."""
        table, sure = load(TRAINED.name), level(len(self.breaks) * len(SMALL))
        lost: dict[Case, Interval] = {}
        drifts: dict[Case, Interval] = {}
        floors: dict[Case, float] = {}
        hanging: dict[str, bool] = {}
        for condition, beside in self.breaks.items():
            drifted = drift(untrained_moments(condition, root)[1], sure)
            for data in SMALL:
                intact, broken = (
                    contest.accuracies(table, f"selu | {c}", self.when, data=data)
                    for c in (beside, condition)
                )
                case = (WORDS.get(condition, condition), contest.TITLES[data])
                lost[case], hangs = contest.over_splits(intact - broken, sure)
                drifts[case], floors[case] = drifted, contest.floor(intact)
                if hangs:
                    hanging[", ".join(case)] = True
        factors, notes = ("break", "data"), {"hangs on one split": hanging} if hanging else {}
        return {LOST: Measured(lost, factors, floors, notes), DRIFT: Measured(drifts, factors)}

    def lengths(self) -> dict[str, Costs]:
        """The same question after the shorter trainings."""
        return contest.other_lengths(self)

    def words(self) -> str:
        """The experiment in prose."""
        return (
            "SELU networks, intact and broken in one point: untrained ones (30 layers of 128 "
            "units, 100 digits, 20 networks), of whose layers 11 to 30 the one counts whose "
            "standard deviation is furthest from 1 (a factor of 1.25 is 0.0969 powers of ten); and "
            f"trained ones ({TRAINED.words()}). {contest.method()} Broken by {self.what}."
        )


# --- Another curve --------------------------------------------------------------------------------

ELU_LEAD = contest.Ahead(
    TRAINED, pairs={WORDS.get(c, c): (f"elu | {c}", f"selu | {c}") for c in BROKEN}
)
BEYOND = "gain of the curve without kink beyond half of ELU's"
KINK = Rule({BEYOND: above(0, "points")}, together=True)


@experiment(
    f"{ELU_LEAD.words()} Where ELU is ahead of SELU: how much a CELU with SELU's α (the same "
    "floor, no kink) gains on SELU, less half of what ELU gains.",
    ELU_LEAD.scope,
    TRAINED.name,
)
def smooth(root: int, level: Level) -> Evidence:
    """Where ELU leads: what the curve without the kink gains on SELU, beyond half of that lead."""
    (leads,) = ELU_LEAD(root, contest.BEATS.level).values()
    ahead = [case for case, lead in leads.cases.items() if lead.low > 0]
    table = ELU_LEAD.table()
    places = ELU_LEAD.places(table)
    cases: dict[Case, Interval] = {}
    for case in ahead:
        (elu, selu), key = places[case]
        arms = (elu, selu, selu.replace("selu", "without kink"))
        ours, theirs, curved = (contest.accuracies(table, arm, **key) for arm in arms)
        beyond = curved - theirs - (ours - theirs) / 2
        cases[case], _ = contest.over_splits(beyond, level(len(ahead)))
    return {BEYOND: Measured(cases, ELU_LEAD.factors)}
