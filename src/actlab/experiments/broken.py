"""What it costs a SELU network to break one of its requirements: normalisation, accuracy, or both.

And whether ELU, or SELU's curve without its kink, does better where one is broken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from actlab import stats
from actlab.catalog.elu import SELU_ALPHA
from actlab.experiments import contest, normalised, untrained
from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import size
from actlab.stats import Array, Interval
from actlab.trial import Case, Evidence, Level, Measured, Rule, above, experiment

INTACT = "as the paper asks"
# Label → settings (``inputs``: a shift and a stretch of the standardised data), and in words.
CONDITIONS: dict[str, tuple[dict[str, Any], str]] = {
    INTACT: ({}, INTACT),
    "He normal": ({"init": "he_normal"}, "He's weights"),
    "PyTorch default": ({"init": "torch"}, "PyTorch's start"),
    "skip connections": ({"residual": True}, "skip connections"),
    "plain dropout 10 %": ({"dropout": 0.1}, "plain dropout 10 %"),
    "input: mean 5, sd 5": ({"inputs": (5.0, 5.0)}, "inputs of mean 5 and sd 5"),
    "Glorot uniform": ({"init": "keras"}, "Glorot's weights"),
    "orthogonal": ({"init": "orthogonal"}, "orthogonal weights"),
    "input: sd 0.1": ({"inputs": (0.0, 0.1)}, "inputs of sd 0.1"),
    "alpha dropout 10 %": ({"dropout": 0.1, "alpha_dropout": True}, "alpha dropout 10 %"),
}
# Under these three curves are trained; under the others SELU is alone.
BROKEN = ("He normal", "skip connections", "input: mean 5, sd 5")
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
    settings = {**normalised.SELU, **CONDITIONS[condition][0], "hidden": (width,) * depth}
    shift, stretch = settings.pop("inputs", (0.0, 1.0))
    networks = untrained.draw(root_seeds(root), **settings)
    return normalised.moments(networks, shift + stretch * normalised.standardised(), drop=True)


def drift(sd: Array, confidence: float) -> Interval:
    """How far the layer furthest off is from standard deviation 1, in powers of ten, either way."""
    found = [stats.mean_interval(v, confidence) for v in np.log10(sd.T[normalised.SETTLED])]
    return size(normalised.furthest(found))


# --- Trained --------------------------------------------------------------------------------------

WIDTH = 32
SMALL = {"digits": ({}, 12), "mnist1d": (contest.OPTIONS["mnist1d"], 8)}
TRAINED = contest.contest(
    "contest_broken",
    "SELU, ELU and a curve without kink under broken requirements",
    {
        f"{curve} | {condition}": {"init": "lecun_normal", **CURVES[curve], **settings}
        for condition, (settings, _) in CONDITIONS.items()
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


def costs(*breaks: str, what: str, beside: str = INTACT) -> contest.Lasting:
    """What a SELU network loses by each break: test accuracy, and its normalisation.

    ``breaks``: conditions; ``what``: those in words; ``beside``: the one that counts as intact.
    """
    said = {label: CONDITIONS[label][1] for label in breaks}
    pairs = {words: (f"selu | {beside}", f"selu | {label}") for label, words in said.items()}

    def measure(root: int, level: Level, when: contest.When = "plateau") -> Evidence:
        asked = contest.Ahead(TRAINED, pairs=pairs, when=when)
        (lead,) = asked(root, level).values()
        floors = {
            case: contest.floor(contest.accuracies(part, intact, when))
            for case, ((intact, _), part) in asked.places().items()
        }
        notes = {what: note for what, note in lead.notes.items() if what == "hangs on one split"}
        sure = level(len(lead.cases))
        drifts = {said[label]: drift(untrained_moments(label, root)[1], sure) for label in breaks}
        return {
            LOST: replace(lead, floors=floors, notes=notes),
            DRIFT: Measured({case: drifts[case[0]] for case in lead.cases}, lead.factors),
        }

    return contest.Lasting(
        "SELU networks, intact and broken in one point: untrained ones (30 layers of 128 units, "
        "100 digits, 20 networks), of whose layers 11 to 30 the one counts whose standard "
        "deviation is furthest from 1 (a factor of 1.25 is 0.0969 powers of ten); and trained ones "
        f"({TRAINED.words()}). {contest.method()} Broken by {what}.",
        f"Networks of 12 × {WIDTH} units, untrained ones of 30 × 128 · digits, MNIST-1D · "
        f"{contest.PAIRED}",
        measure,
        TRAINED.name,
    )


# --- Another curve --------------------------------------------------------------------------------

ELU_LEAD = contest.Ahead(
    TRAINED, pairs={CONDITIONS[c][1]: (f"elu | {c}", f"selu | {c}") for c in BROKEN}
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
    places = ELU_LEAD.places()
    cases: dict[Case, Interval] = {}
    for case in ahead:
        (elu, selu), part = places[case]
        arms = (elu, selu, selu.replace("selu", "without kink"))
        ours, theirs, curved = (contest.accuracies(part, arm) for arm in arms)
        beyond = curved - theirs - (ours - theirs) / 2
        cases[case], _ = contest.over_splits(beyond, level(len(ahead)))
    return {BEYOND: Measured(cases, ELU_LEAD.factors)}
