"""Which deep networks train at all: ten layers of sigmoids, and thirty against ReLU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlab.experiments import contest
from actlab.experiments.fading import CENTRED
from actlab.experiments.untrained import centred_orthogonal
from actlab.study import load
from actlab.trial import Evidence, Level, Measured

CRITICAL_GAIN = 10.15  # theory.critical_gain("sigmoid") to two digits (a test computes it)

# Ways to start or build a network of sigmoids.
WAYS: dict[str, dict[str, Any]] = {
    "PyTorch default": {"init": "torch"},
    "Keras default": {"init": "keras"},
    "orthogonal": {"init": "orthogonal"},
    "orthogonal × 4": {"init": "orthogonal", "gain": 4.0},
    "orthogonal, critical": {"init": "orthogonal", "gain": CRITICAL_GAIN},
    CENTRED: {"init": centred_orthogonal},
    "Adam": {"init": "keras", "optimizer": "adam", "momentum": 0.0},
    "batch norm": {"init": "keras", "normalization": "batch"},
    "residual": {"init": "keras", "residual": True},
}
ARMS: dict[str, dict[str, Any]] = {
    **{name: {"activation": "sigmoid", **way} for name, way in WAYS.items()},
    "tanh, Keras default": {"activation": "tanh", "init": "keras"},
    "ReLU, He": {"activation": "relu", "init": "he_normal"},
}
# Three times as deep, to see what orthogonal weights are for.
ORTHOGONAL = ("tanh, orthogonal", CENTRED)
RIVALS = ("ReLU, He", "ReLU, orthogonal × √2")
VERY_DEEP_ARMS: dict[str, dict[str, Any]] = {
    "tanh, orthogonal": {"activation": "tanh", "init": "orthogonal"},
    "ReLU, orthogonal × √2": {"activation": "relu", "init": "orthogonal", "gain": math.sqrt(2)},
}
# Until nothing more comes of it; with ten layers all of them, with thirty those of the claim. A
# network of sigmoids may wait at chance for long: PATIENCE would end it there.
TO_THE_END = contest.contest(
    "contest_deep_sigmoid",
    "Ten and thirty layers of 32: sigmoids and their remedies, tanh and ReLU, to the end",
    {**ARMS, **VERY_DEEP_ARMS},
    data={"digits": ({}, 20)},
    depths=(10, 30),
    width=32,
    only=lambda cell: cell["arm"] in (ARMS if cell["depth"] == 10 else ORTHOGONAL + RIVALS),
    patience=100,
    batch_size=128,
)
STUDIES = (TO_THE_END,)


@dataclass(frozen=True)
class Trains:
    """How many digits networks of ten layers of sigmoids get right, by the way they start."""

    when: contest.When = "plateau"

    cheap = False
    study = TO_THE_END
    scope = (
        f"Ten hidden layers of 32 units · digits · {contest.SPLITS} splits with {contest.SEEDS} "
        "seeds each"
    )

    def __call__(self, root: int, level: Level) -> Evidence:
        """Test accuracy of every way, over splits and seeds, whatever the ``root``."""
        table = load(TO_THE_END.name)
        found = {arm: contest.accuracies(table, arm, self.when, depth=10) for arm in ARMS}
        cases = {way: contest.over_splits(found[way], level(len(WAYS)))[0] for way in WAYS}
        notes = {arm: float(np.nanmean(found[arm])) for arm in ARMS if arm not in WAYS}
        return {"test accuracy": Measured.of(cases, "way", notes=notes)}

    def lengths(self) -> dict[str, Trains]:
        """The same question after the shorter trainings."""
        return contest.other_lengths(self)

    def words(self) -> str:
        """The experiment in prose."""
        return (
            "Digits, ten hidden layers of 32: sigmoid networks started in six ways (SGD with "
            "momentum), with Adam, with batch norm, with residual connections. "
            f"{contest.method(TO_THE_END.settings['patience'])} A network trains if it is right "
            "about more than half of the digits."
        )


TRAINS = Trains()
AHEAD_OF_RELU = contest.Ahead(
    TO_THE_END,
    pairs={f"{ours} over {theirs}": (ours, theirs) for ours in ORTHOGONAL for theirs in RIVALS},
    factor="networks",
    where={"depth": 30},
)
