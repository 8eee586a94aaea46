"""SELU and ELU against their rivals to the plateau, every arm tuned on five splits: the contests.

The successors of the short trainings in :mod:`actlab.experiments.rivals` and
:mod:`actlab.experiments.broken`.
"""

from __future__ import annotations

from typing import Any

from actlab.experiments.broken import BROKEN, CONDITIONS, CURVES
from actlab.experiments.contest import contest
from actlab.experiments.rivals import FAIR, OPTIONS, TABULAR

WIDTH = 32  # half of that of the short trainings, which pays for the plateau
_SMALL: dict[str, tuple[dict[str, Any], int]] = {
    "digits": ({}, 12),
    "mnist1d": (OPTIONS["mnist1d"], 8),
}

DEEP = contest(
    "contest_stacks",
    "SELU and five rivals in deep plain stacks",
    {arm: FAIR[arm] for arm in ("selu", "relu", "elu", "gelu", "tanh", "relu + batch norm")},
    data={**_SMALL, "fashion_mnist": ({"size": 2_000}, 5)},
    depths=(8, 16),
    width=WIDTH,
    only=lambda cell: cell["depth"] == 16 or cell["data"] == "digits",
    batch_size=64,
)
TABLES = contest(
    "contest_tables",
    "SELU and four rivals on four tables",
    {arm: FAIR[arm] for arm in TABULAR},
    data={
        name: (OPTIONS.get(name, {}), 30)
        for name in ("wine", "breast_cancer", "election", "marriages")
    },
    depths=(8,),
    width=32,
    batch_size=32,
)
# The tutorial compares SELU with alpha dropout to ReLU with plain dropout: three things at once.
REPLAY = contest(
    "contest_replay",
    "The network of SELU's authors, its start, its curve and its dropout taken apart",
    {
        "ReLU, PyTorch default": FAIR["relu, PyTorch default"],
        "ReLU": FAIR["relu"],
        "ReLU, dropout": {**FAIR["relu"], "dropout": 0.05},
        "SELU": FAIR["selu"],
        "SELU, dropout": {**FAIR["selu"], "dropout": 0.05},
        "SELU, alpha dropout": {**FAIR["selu"], "dropout": 0.05, "alpha_dropout": True},
    },
    data=_SMALL,
    depths=(2,),
    width=128,
    momentum=0.0,
)
REQUIREMENTS = contest(
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
        if condition not in ("gain 3/4", "plain dropout 5 %", "alpha dropout 5 %")
        if curve == "selu" or condition in BROKEN
    },
    data=_SMALL,
    depths=(12,),
    width=WIDTH,
)
STUDIES = (DEEP, TABLES, REPLAY, REQUIREMENTS)
