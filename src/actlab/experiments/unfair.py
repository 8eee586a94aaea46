"""What the grand trial shows besides accuracy; and what a careless comparison would have said.

Everything here takes the table of a trial (:func:`actlab.experiments.grand.grand_cell`). Each
argument of :func:`ranking` breaks one rule of a fair comparison.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from actlab.experiments.contest import CHANCE
from actlab.experiments.grand import GRAND

BLOCK = ["data", "network", "norm"]
When = Literal["accuracy_5", "accuracy_20", "accuracy"]


def ranking(
    table: pd.DataFrame,
    *,
    data: str | None = None,
    network: tuple[int, int] | None = None,
    when: When = "accuracy",
    tuned: bool = True,
    best: bool = False,
) -> pd.Series:
    """Mean rank of every arm over the blocks, the best (lowest) first.

    - ``data``: one data set alone; ``network``: of every twenty only that of this split and seed.
    - ``when``: after 5 or 20 epochs, not at the plateau; ``tuned=False``: by the validation loss
      that the tuning saw at one rate for all, 0.0095; ``best``: the luckiest network of twenty.

    Raises ``ValueError`` where nothing is left to rank.
    """
    part = table if data is None else table[table.data == data]
    if network is not None:
        part = part[(part.split == network[0]) & (part.seed == network[1])]
    if not len(part):
        raise ValueError(f"nothing to rank: no network of data={data!r}, network={network!r}.")
    chance = part.data.map(lambda name: CHANCE.get(str(name), 0.1))
    score = part[when].astype(float).fillna(chance) if tuned else -part.loss_untuned.astype(float)
    by = part.assign(score=score).groupby([*BLOCK, "arm"], sort=False).score
    wide = (by.max() if best else by.mean()).round(9).unstack("arm")
    return wide.rank(axis=1, ascending=False).mean().sort_values(kind="stable")


def turned(fair: pd.Series, other: pd.Series) -> float:
    """The share of pairs (%) that another ranking has the other way round; a tie counts half."""
    arms = list(fair.index)
    one, two = fair.to_numpy(), other.loc[arms].to_numpy()
    first, second = np.triu_indices(len(arms), 1)
    same = np.sign(one[first] - one[second]) * np.sign(two[first] - two[second])
    return float(100 * ((same < 0) + 0.5 * (same == 0)).mean())


def to_targets(table: pd.DataFrame, seconds: bool = False) -> pd.DataFrame:
    """Median epochs (or processor seconds) to each target, a row a block and target, by arm.

    A network that never got there took infinitely long; targets that no arm reached are left out.
    """
    pieces = []
    for target in [name for name in table if str(name).startswith("target_")]:
        epochs = table[target].astype(float).replace(0, np.inf)
        spent = epochs * table.seconds if seconds else epochs
        by = table.assign(spent=spent).groupby([*BLOCK, "arm"], sort=False).spent
        pieces.append(by.median().unstack("arm").assign(target=str(target)[-1]))
    wide = pd.concat(pieces).set_index("target", append=True)
    return wide[np.isfinite(wide).any(axis=1)]


def profile(
    times: pd.DataFrame, factors: tuple[float, ...] = (1, 1.5, 2, 3, 5, 10)
) -> pd.DataFrame:
    """Performance profiles (Dolan & Moré, 2002): factor → share (%) of targets, by arm.

    An arm's share at 2 is that of the targets it reached in at most twice the time of the fastest.
    """
    ratio = times.div(times.min(axis=1), axis=0)
    shares = {factor: 100 * (ratio <= factor).mean() for factor in factors}
    return pd.DataFrame(shares).T.rename_axis("factor")


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Arm → how it behaves, means over the blocks.

    ``tolerant``: decades of learning rates that lose no more than a tenth; ``untuned``: times the
    tuned validation loss at 0.0095 (median); ``worst``: points that the worst network of twenty
    lies below their mean; ``diverged``: share of networks (%).
    """
    percent = 100 * table.accuracy.astype(float)
    by = table.assign(percent=percent).groupby([*BLOCK, "arm"], sort=False)
    blocks = pd.DataFrame(
        {
            "tolerant": by.tolerant.first(),
            "untuned": by.loss_untuned.first() / by.loss_tuned.first(),
            "worst": by.percent.mean() - by.percent.min(),
            "diverged": 100 * by.diverged.mean(),
        }
    )
    found = blocks.groupby("arm", sort=False).mean()
    found["untuned"] = blocks.untuned.groupby("arm", sort=False).median()
    return found.loc[[arm for arm in GRAND.settings["arms"] if arm in found.index]]
