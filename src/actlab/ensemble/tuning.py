"""Every arm gets its fair chance: its own learning rate, chosen on validation data."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from actlab import inputs
from actlab.ensemble.activations import Function
from actlab.ensemble.search import Choice, trying
from actlab.ensemble.settings import by_name, make_seeds, separate
from actlab.ensemble.training import train

Metric = Literal["valid_accuracy", "valid_loss"]


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The learning rate chosen for every arm, and all that was tried.

    - ``lr``: arm → learning rate.
    - ``table``: one row per arm and learning rate: mean ``valid_accuracy`` and ``valid_loss``
      over the seeds, the share ``diverged``, and whether it was ``chosen``.
    - ``at_edge``: the arms whose choice is the smallest or largest learning rate tried, so that a
      better one may lie beyond.
    """

    lr: dict[str, float]
    table: pd.DataFrame
    at_edge: tuple[str, ...]
    arms: dict[str, dict[str, Any]]
    """The arms with their learning rates filled in: pass them to :func:`train`."""


def tune(
    data: Any,
    *,
    arms: Mapping[str, Mapping[str, Any]] | Sequence[str | Function] | None = None,
    lrs: Iterable[float] = (0.003, 0.01, 0.03, 0.1, 0.3),
    seeds: int | Iterable[int] = 3,
    metric: Metric = "valid_accuracy",
    **options: Any,
) -> Tuning:
    """Train every arm with every learning rate on a few seeds; choose by validation data.

    >>> tuning = tune(data, arms=["relu", "tanh"], epochs=10)
    >>> result = train(data, arms=tuning.arms, seeds=range(100, 120), epochs=10)

    The best mean ``metric`` over the seeds wins (of the last epoch, or with ``patience`` of the
    best one), validation loss breaking a tie of accuracies. A learning rate with which any network
    diverged loses to all with which none did. The test set is not touched: it is not even handed
    on. ``options`` are those of :func:`train`. Use other seeds for the experiment itself.

    Warns, and says so in ``at_edge``, when a choice lies at an end of the grid. Raises
    ``ValueError`` for an empty or repeated grid, for missing validation data, and where every
    learning rate of an arm diverged; ``TypeError`` for an arm that has a rate of its own.
    """
    grid = inputs.several(lrs, "lrs", "[0.01, 0.1]")
    if not all(inputs.is_real(lr) and lr > 0 for lr in grid):
        raise ValueError(f"lrs={grid}: expected positive numbers.")
    grid = sorted(map(float, grid))
    if not grid or len(set(grid)) < len(grid):
        raise ValueError(f"lrs={grid}: expected different learning rates, at least one.")
    inputs.choice(metric, "metric", ("valid_accuracy", "valid_loss"))
    if "lr" in options:
        raise TypeError("lr is what is tuned: give the candidates as lrs.")
    train_and_valid = _without_test(data)
    arms = by_name([options.get("activation", "relu")] if arms is None else arms)
    if own := [str(name) for name, settings in arms.items() if "lr" in settings]:
        raise TypeError(
            f"{', '.join(own)}: lr is what is tuned, and would replace the arm's own; leave it out."
        )
    plan = {(name, lr): {**own, "lr": lr} for name, own in arms.items() for lr in grid}
    result = train(
        train_and_valid,
        arms={f"{name}, lr={lr}": own for (name, lr), own in plan.items()},
        seeds=seeds,
        **{"keep_weights": False, **options},
    )
    frame = result.to_frame()
    rows = []
    for name, lr in plan:
        tried = frame[frame["arm"] == f"{name}, lr={lr}"]
        row = {"arm": name, "lr": lr, "diverged": tried["diverged"].mean()}
        # A mean over the survivors would flatter a learning rate that loses networks.
        means = tried[["valid_accuracy", "valid_loss"]].mean(skipna=False)
        rows.append({**row, **means})
    table = pd.DataFrame(rows)
    order = pd.DataFrame({"loss": table["valid_loss"], "lr": table["lr"]})
    order.insert(0, "accuracy", -table["valid_accuracy"] if metric == "valid_accuracy" else 0.0)
    ranked = table.loc[order.sort_values(list(order)).index].dropna(subset=["valid_loss"])
    best = ranked.groupby("arm", sort=False)["lr"].first()
    if lost := [str(name) for name in arms if name not in best]:
        raise ValueError(
            f"{', '.join(lost)}: some network diverged with every learning rate of {grid}; "
            "try smaller ones."
        )
    chosen = {name: float(best[name]) for name in arms}
    table["chosen"] = table["lr"] == table["arm"].map(chosen)
    at_edge = tuple(name for name in arms if len(grid) > 1 and chosen[name] in (grid[0], grid[-1]))
    if at_edge:
        edges = ", ".join(map(str, at_edge))
        warnings.warn(
            f"the best learning rate lies at the edge of {grid} for {edges}: "
            "widen lrs before you compare arms.",
            stacklevel=2,
        )
    tuned = {name: {**own, "lr": chosen[name]} for name, own in arms.items()}
    return Tuning(lr=chosen, table=table, at_edge=at_edge, arms=tuned)


def fair_rate(
    splits: Sequence[Any],
    arm: Mapping[str, Any],
    seeds: int | Iterable[int] = 2,
    *,
    metric: Metric = "valid_accuracy",
    start: float = 0.03,
    **options: Any,
) -> Choice:
    """The learning rate of one arm, chosen over several splits of the data: :func:`search`.

    ``splits``: data sets as for :func:`train`, of which only training and validation part are
    looked at; ``seeds`` of each. A rate's scores are the ``metric`` of every network (validation
    loss breaks ties of the accuracy), so with five splits and two seeds it is chosen by ten.
    """
    return fair_rates(splits, {"it": arm}, seeds, metric=metric, start=start, **options)["it"]


def fair_rates(
    splits: Sequence[Any],
    arms: Mapping[str, Mapping[str, Any]],
    seeds: int | Iterable[int] = 2,
    *,
    metric: Metric = "valid_accuracy",
    start: float = 0.03,
    **options: Any,
) -> dict[str, Choice]:
    """:func:`fair_rate` of several arms, whose networks are trained together: the same choices.

    ``options`` are those of :func:`train`, for all arms alike.
    """
    inputs.choice(metric, "metric", ("valid_accuracy", "valid_loss"))
    seeds = make_seeds(seeds)
    start = inputs.number(start)
    if not inputs.is_real(start) or start <= 0:
        raise ValueError(f"start={start!r}: expected a positive number.")
    if any("lr" in own for own in arms.values()):
        raise TypeError("lr is what is chosen, and would replace the arm's own; leave it out.")
    parts = [_without_test(data) for data in splits]
    columns = ["loss"] if metric == "valid_loss" else ["valid_accuracy", "loss"]
    searches = {name: trying(start) for name in arms}
    asked = {name: next(search) for name, search in searches.items()}
    chosen: dict[str, Choice] = {}
    while asked:
        tried = {
            f"{rate} {name}": {**arms[name], "lr": rate}
            for name, rates in asked.items()
            for rate in rates
        }
        tables = [
            train(part, arms=tried, seeds=seeds, **{"keep_weights": False, **options}).to_frame()
            for part in parts
        ]
        table = pd.concat(tables).assign(loss=lambda frame: -frame["valid_loss"])
        scores = {key: rows[columns].to_numpy(float) for key, rows in table.groupby("arm")}
        for name, rates in list(asked.items()):
            try:
                asked[name] = searches[name].send({r: scores[f"{r} {name}"] for r in rates})
            except StopIteration as found:
                chosen[name] = found.value
                del asked[name]
    return {name: chosen[name] for name in arms}


def _without_test(data: Any) -> tuple[np.ndarray[Any, Any], ...]:
    """Training and validation part. Raises ``ValueError`` if the latter is missing."""
    arrays = separate(data)
    if arrays[2] is None:
        raise ValueError("tuning needs validation data: give x_valid and y_valid.")
    return tuple(arrays[:4])
