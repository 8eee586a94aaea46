"""Who is ahead after a short training, in two runs of twenty seeds: broken requirements, images.

Every arm's learning rate was chosen on validation data with two seeds of its own; then 20 other
seeds were trained with it and the test set was touched once. All of it was done twice. A lead
counts if both runs show it; it is that of a start (8 to 12 epochs), not of a plateau: for that see
:mod:`actlab.experiments.contest`. Until ``contest_broken`` has run, this decides.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.experiments.contest import TITLES
from actlab.experiments.together import in_both, least, shared
from actlab.study import load
from actlab.trial import Case, Evidence, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

# --- Training -------------------------------------------------------------------------------------


def tuned(
    data: Any,
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    rates: Sequence[float] = (0.001, 0.003, 0.01, 0.03, 0.1),
    *,
    probe: Any = None,
    probe_at: Sequence[int] = (),
    **options: Any,
) -> tuple[Any, pd.DataFrame]:
    """Tune every arm's learning rate on two seeds of its own, then train it with ``seeds``.

    Returns the result and a table: one row per network, with its ``lr`` and whether that lies at
    an ``edge`` of the grid.
    """
    from actlab import ensemble

    seeds = list(seeds)
    with warnings.catch_warnings():  # the table says which arms chose an edge
        warnings.simplefilter("ignore")
        tuning = ensemble.tune(
            data,
            arms=arms,
            lrs=rates,
            seeds=[seeds[0] + 500, seeds[0] + 501],
            progress=False,
            **options,
        )
    result = ensemble.train(
        data,
        arms=tuning.arms,
        seeds=seeds,
        probe=probe,
        probe_at=probe_at,
        keep_weights=False,
        progress=False,
        **options,
    )
    table = result.to_frame().drop(columns=["best_epoch", "valid_loss", "test_loss"])
    return result, table.assign(lr=table.arm.map(tuning.lr), edge=table.arm.isin(tuning.at_edge))


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The same with float32 in place of float64, learning rates aside."""
    floats = [c for c in table.columns[table.dtypes == "float64"] if c != "lr"]
    return table.astype(dict.fromkeys(floats, "float32"))


# --- Reading --------------------------------------------------------------------------------------


def scores(table: pd.DataFrame, **where: Any) -> list[Array]:
    """Test accuracies in per cent by seed, for each of the two runs; diverged counts as chance."""
    for column, value in where.items():
        table = table[table[column] == value]
    part = table.assign(score=100 * table.test_accuracy.astype(float).fillna(0.1))
    return [part[part.root == root].sort_values("seed").score.to_numpy() for root in (0, 1)]


@dataclass(frozen=True)
class Lead:
    """How far an arm is ahead of the nearest of its rivals: both runs, paired by seed.

    - ``study``, ``arm``, ``over``: whose table; the arm and its rivals, in its ``column``.
    - ``by``: factor → the column whose values are its levels; ``where``: what else has to be so
      (a value, or one of several); ``titles``: a value → the reader's words for it.
    - ``prose``, ``scope``: see :class:`actlab.trial.Experiment`.
    """

    study: str
    arm: str
    over: tuple[str, ...]
    prose: str
    scope: str
    by: Mapping[str, str] = field(default_factory=lambda: {"data": "data"})
    where: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    column: str = "arm"

    quantity = "lead in test accuracy"
    cheap = False

    def words(self) -> str:
        """``prose``."""
        return self.prose

    def __call__(self, root: int, level: Level) -> Evidence:
        """The lead over the nearest rival in every case; both runs, whatever the ``root``."""
        table = self.table()
        places = table[list(self.by.values())].drop_duplicates()
        keys = [dict(zip(self.by.values(), row, strict=True)) for row in places.to_numpy()]
        sure = level(len(keys))
        cases: dict[Case, stats.Interval] = {}
        floors, notes = {}, {}
        for key in keys:
            case = tuple(self.titles.get(str(v), TITLES.get(str(v), str(v))) for v in key.values())
            ours = scores(table, **{self.column: self.arm}, **key)
            leads = {
                rival: in_both(
                    map(np.subtract, ours, scores(table, **{self.column: rival}, **key)),
                    shared(sure, len(self.over)),
                )
                for rival in self.over
            }
            cases[case] = least(list(leads.values()), sure)
            floors[case] = stats.noise_floor(ours[0])
            if len(leads) > 1:
                notes[", ".join(case)] = {rival: lead.mean for rival, lead in leads.items()}
        return {self.quantity: Measured(cases, tuple(self.by), floors, notes)}

    def table(self) -> pd.DataFrame:
        """The rows that are looked at."""
        table = load(self.study)
        for column, value in self.where.items():
            wanted = value if isinstance(value, tuple) else (value,)
            table = table[table[column].isin(wanted)]
        return table
