"""SELU and its rivals in deep stacks, on tables, and in the network of its authors' tutorial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from actlab.experiments.broken import SMALL, WIDTH
from actlab.experiments.contest import (
    FAIR,
    OPTIONS,
    SPLITS,
    TITLES,
    Ahead,
    accuracies,
    contest,
    over_splits,
)
from actlab.experiments.seeds import root_seeds
from actlab.study import Study, load
from actlab.trial import Evidence, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

RIVALS = ("relu", "elu", "gelu", "tanh")

DEEP = contest(
    "contest_stacks",
    "SELU and five rivals in deep plain stacks",
    {arm: FAIR[arm] for arm in ("selu", "relu", "elu", "gelu", "tanh", "relu + batch norm")},
    data={**SMALL, "fashion_mnist": ({"size": 2_000}, 5)},
    depths=(8, 16),
    width=WIDTH,
    only=lambda cell: cell["depth"] == 16 or cell["data"] == "digits",
    batch_size=64,
)
TABULAR = ("relu", "elu", "tanh", "relu + batch norm")
TABLES = contest(
    "contest_tables",
    "SELU and four rivals on four tables",
    {arm: FAIR[arm] for arm in ("selu", *TABULAR)},
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
    data=SMALL,
    depths=(2,),
    width=128,
    momentum=0.0,
)


def linear_cell(data: str, root: int, *, splits: int, strengths: Sequence[float]) -> pd.DataFrame:
    """Logistic regression on many splits, its strength C chosen on the validation part."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    from actlab import data as datasets

    rows = []
    for split in root_seeds(root, splits):
        part = datasets.load(data, seed=split, **OPTIONS.get(data, {}))
        fits = [
            LogisticRegression(C=c, max_iter=5_000).fit(part.x_train, part.y_train)
            for c in strengths
        ]
        best = max(fits, key=lambda fit: fit.score(part.x_valid, part.y_valid))
        rows.append((split, best.C, np.float32(best.score(part.x_test, part.y_test))))
    return pd.DataFrame(rows, columns=["seed", "C", "test_accuracy"])


LINEAR = Study(
    name="linear_tables",
    title="Logistic regression on the splits of the four tables",
    task=linear_cell,
    axes={"data": TABLES.axes["data"], "root": (0, 1)},
    settings={"splits": 20, "strengths": (0.01, 0.1, 1.0, 10.0)},
)
STUDIES = (DEEP, TABLES, REPLAY, LINEAR)


class BesideLinear(Ahead):
    """A lead on tables, with that over a linear model on the same splits in the notes."""

    def __call__(self, root: int, level: Level) -> Evidence:
        """See :class:`Ahead`."""
        ((quantity, found),) = super().__call__(root, level).items()
        table, linear, notes = self.table(), load(LINEAR.name), dict(found.notes)
        for data in self.study.axes["data"]:
            rows = linear[(linear.data == data) & (linear.seed < SPLITS)].sort_values("seed")
            its = 100 * rows.test_accuracy.to_numpy(float)[:, None]
            lead, _ = over_splits(accuracies(table, self.arm, self.when, data=data) - its, 0.95)
            notes[f"{TITLES[data]}, over logistic regression"] = [lead.mean, lead.low, lead.high]
        return {quantity: Measured(found.cases, found.factors, found.floors, notes)}

    def words(self) -> str:
        """The experiment in prose."""
        return f"{super().words()} Beside it, logistic regression on the same splits."


DEEP_LEAD = Ahead(DEEP, "selu", over=RIVALS)
ON_TABLES = BesideLinear(TABLES, "selu", over=TABULAR)
REPLAYED = Ahead(
    REPLAY,
    pairs={
        "no dropout": ("SELU", "ReLU"),
        "plain dropout": ("SELU, dropout", "ReLU, dropout"),
        "dropout as published": ("SELU, alpha dropout", "ReLU, dropout"),
    },
    factor="change",
)
