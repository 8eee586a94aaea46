"""The grand trial: twenty activations, six data sets, networks shallow, deep and normalised.

A *block* is a data set, a network and a normalisation; every activation is trained in every block
(:func:`grand_cell`). All 6 × 3 × 3 blocks would not fit, so a third of them is run: in
:func:`third` every data set meets every depth and every normalisation once, and every depth meets
every normalisation on two data sets. (Such a plan is an orthogonal array of strength 2, Taguchi's
L18: averages over any one of the three factors do not depend on the others, so the effects of the
activation, and of activation × data set, × depth, × normalisation, can be told apart. Those of
three factors together cannot.) Where a network is deep, the block is run once more with residual
connections, which are therefore compared in pairs. Residual and without a norm, the weights of the
n layers that add to their input begin at 1/n of the start for plain layers, whichever activation
(:func:`branch_gain`).
"""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import inputs
from actlab.experiments.contest import SEEDS, SPLITS, TUNING_SEEDS, rrelu
from actlab.experiments.untrained import centred_orthogonal
from actlab.study import Cell, Study, StudyError

if TYPE_CHECKING:
    from actlab.data import Dataset

# --- Who takes part -------------------------------------------------------------------------------

# Arm → settings. Where no start is given it is LeCun's, times the gain that the theory finds for
# the activation (:func:`start`). A sigmoid's critical gain, 10, saturates it: it starts as a tanh.
ARMS: dict[str, dict[str, Any]] = {
    "SELU": {"activation": "selu"},
    "ELU": {"activation": "elu"},
    "leaky 0.01": {"activation": "leaky_relu", "params": {"negative_slope": 0.01}},
    "leaky 0.3": {"activation": "leaky_relu", "params": {"negative_slope": 0.3}},
    "RReLU": rrelu(),
    "PReLU": {"activation": "prelu"},
    "ReLU": {"activation": "relu"},
    "tanh": {"activation": "tanh"},
    "sigmoid": {"activation": "sigmoid", "init": centred_orthogonal},
    "GELU": {"activation": "gelu"},
    "SiLU": {"activation": "silu"},
    "Mish": {"activation": "mish"},
    "hard SiLU": {"activation": "hard_silu"},
    "softplus": {"activation": "softplus"},
    "ReLU6": {"activation": "relu6"},
    "softsign": {"activation": "softsign"},
    "hard tanh": {"activation": "hard_tanh"},
    # Its slope at 0 is 1/6, the sigmoid's 1/4: half as much again.
    "hard sigmoid": {"activation": "hard_sigmoid", "init": centred_orthogonal, "gain": 1.5},
    "tanhshrink": {"activation": "tanh_shrink"},
    "linear": {"activation": "linear"},
}
# Data set → how many of its training examples (None: all), and the validation accuracies that are
# targets of the race: about half of the way, most of it, nearly all of it.
DATA: dict[str, tuple[int | None, tuple[float, ...]]] = {
    "fashion_mnist": (500, (0.65, 0.72, 0.76)),
    "digits": (400, (0.80, 0.90, 0.93)),
    "mnist1d": (500, (0.30, 0.38, 0.44)),
    "breast_cancer": (None, (0.90, 0.94, 0.96)),
    "election": (400, (0.85, 0.88, 0.90)),
    "marriages": (400, (0.66, 0.69, 0.71)),
}
NETWORKS = ("2 layers", "4 layers", "8 layers", "8 layers, residual")
NORMS = ("none", "batch", "layer")
UNTUNED = 0.00949  # of the rates that all arms try, the one nearest to both frameworks' 0.01
SHORT, MIDDLE = 5, 20  # epochs after which it is noted what training has come to
VALIDATED = 400  # validation examples, at most


def layers(network: str) -> int:
    """How many hidden layers a network of :data:`NETWORKS` has."""
    return int(network.split(maxsplit=1)[0])


def third(data: Sequence[str], networks: Sequence[str], norms: Sequence[str]) -> Any:
    """The cells of a Latin square: each data set meets each depth and each normalisation once.

    Networks of one depth share their normalisation.
    """
    depths = sorted({layers(network) for network in networks})

    def chosen(cell: Cell) -> bool:
        step = data.index(cell["data"]) + depths.index(layers(cell["network"]))
        return norms.index(cell["norm"]) == step % len(norms)

    return chosen


def start(arm: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with their start: unless it has one, LeCun's × the critical gain."""
    if "init" in arm:
        return dict(arm)
    gain = _gain(arm["activation"], **arm.get("params", {}))
    return {**arm, "init": "lecun_normal", "gain": gain}


def branch_gain(network: str, norm: str, power: float) -> float:
    """What a start for plain layers is multiplied by in the n layers that add to their input.

    n^−``power`` where nothing normalises, else 1. With 0 the signal grows from block to block. With
    ½ (`Hayou et al., 2021 <https://arxiv.org/abs/2010.12859>`_) its growth is bounded at any depth
    if what the blocks add has mean zero. ReLU's has not, goes in the same direction n times, and
    the signal grows as exp(c √n) still: only 1 bounds it for every activation.
    """
    alone = norm == "none" and network.endswith("residual")
    return float((layers(network) - 1) ** -power) if alone else 1.0


@cache
def _gain(name: str, **params: Any) -> float:
    from actlab import theory

    return round(theory.critical_gain(name, **params), 4)


# --- One block ------------------------------------------------------------------------------------


def grand_cell(
    data: str,
    network: str,
    norm: str,
    *,
    arms: Mapping[str, Mapping[str, Any]],
    sizes: Mapping[str, int | None],
    targets: Mapping[str, Sequence[float]],
    splits: int,
    seeds: int,
    tuning: tuple[int, int],
    patience: int,
    longest: int,
    common: Mapping[str, Any],
    branch_power: float,
    dtype: str = "float32",
) -> pd.DataFrame:
    """Tune every arm in one block, then train it to the plateau; one row per network.

    - ``lr``: chosen by :func:`actlab.ensemble.fair_rates`, after ``tries`` rates; ``edge``: at the
      end of what may be tried; ``tolerant``: decades of neighbouring rates whose validation loss
      is at most a tenth above the best one's.
    - ``loss_tuned``, ``loss_untuned``: the validation loss in the tuning, (mean + worst) / 2, at
      the chosen rate and at :data:`UNTUNED`; infinite where a network diverged.
    - ``accuracy_5``, ``accuracy_20``, ``accuracy``: on the test set, after so many epochs and at
      the plateau; shares, NaN where the network diverged.
    - ``target_1`` … ``target_3``: the epoch in which the validation accuracy reached it, else 0.
    - ``seconds``: processor time per network and epoch, the one column that another machine
      fills otherwise.

    ``tuning``: seeds of each split, and epochs. A column ``valid_loss`` and ``ran`` as in
    :func:`actlab.experiments.contest.contest_cell`.
    """
    from actlab import data as datasets
    from actlab import ensemble

    parts = [_trimmed(datasets.load(data, seed=i, size=sizes[data])) for i in range(splits)]
    built: dict[str, Any] = {
        **common,
        "hidden": (common["hidden"],) * layers(network),
        "normalization": None if norm == "none" else norm,
        "residual": network.endswith("residual"),
        "branch_gain": branch_gain(network, norm, branch_power),
    }
    quiet: dict[str, Any] = {"keep_weights": False, "progress": False, "dtype": dtype}
    ready = {arm: {**built, **start(own)} for arm, own in arms.items()}
    tuning_run = {"epochs": tuning[1], "patience": max(2, patience // 2), **quiet}
    rates = ensemble.fair_rates(
        parts, ready, range(1000, 1000 + tuning[0]), metric="valid_loss", **tuning_run
    )
    tables = []
    for arm, tuned in rates.items():
        for split, part in enumerate(parts):
            began = time.process_time()
            result = ensemble.train(
                part,
                arms={arm: {**ready[arm], "lr": tuned.rate}},
                seeds=range(seeds),
                epochs=longest,
                patience=patience,
                report_at=(SHORT, MIDDLE),
                **quiet,
            )
            spent = time.process_time() - began
            ran = np.isfinite(result.valid_loss).sum(1)
            tables.append(
                pd.DataFrame(
                    {
                        "arm": arm,
                        "split": np.int8(split),
                        "seed": result.seed_of.astype("int8"),
                        "lr": tuned.rate,
                        "edge": tuned.at_edge,
                        "tries": np.int8(len(tuned.values)),
                        "tolerant": tolerant(tuned.values),
                        "loss_tuned": -tuned.values[tuned.rate],
                        "loss_untuned": -tuned.values[UNTUNED],
                        "accuracy_5": result.at(SHORT).test_accuracy,
                        "accuracy_20": result.at(MIDDLE).test_accuracy,
                        "accuracy": result.test_accuracy,
                        "valid_loss": np.nanmin(result.valid_loss, axis=1, initial=np.inf),
                        "ran": ran.astype("int16"),
                        "diverged": result.diverged,
                        **{
                            f"target_{i}": _first(result.valid_accuracy >= target)
                            for i, target in enumerate(targets[data], 1)
                        },
                        "seconds": spent / (max(1, int(ran.max())) * len(ran)),
                    }
                )
            )
    table = pd.concat(tables, ignore_index=True)
    floats = [c for c in table.columns[table.dtypes == "float64"] if c != "lr"]
    return table.astype(dict.fromkeys(floats, "float32"))


def _trimmed(part: Dataset) -> Dataset:
    """No more validation examples than it takes (they were shuffled when they were drawn)."""
    from dataclasses import replace

    return replace(part, x_valid=part.x_valid[:VALIDATED], y_valid=part.y_valid[:VALIDATED])


def _first(reached: Any) -> Any:
    """(networks, epochs) → the first epoch, from 1, in which it is so; 0 for never."""
    return np.where(reached.any(1), reached.argmax(1) + 1, 0).astype("int16")


def tolerant(values: Mapping[float, float]) -> float:
    """Decades of rates around the best with a validation loss at most a tenth above its own.

    ``values``: rate → score, minus the loss, of those that were tried.
    """
    rates = sorted(values)
    best = max(rates, key=lambda rate: values[rate])
    good = [values[rate] >= 1.1 * values[best] for rate in rates]
    low = high = rates.index(best)
    while low > 0 and good[low - 1]:
        low -= 1
    while high < len(rates) - 1 and good[high + 1]:
        high += 1
    return math.log10(rates[high] / rates[low])


# --- Declared -------------------------------------------------------------------------------------


def build(
    name: str,
    title: str = "A trial of activations",
    *,
    arms: Iterable[str] = tuple(ARMS),
    data: Iterable[str] = tuple(DATA),
    networks: Iterable[str] = NETWORKS,
    norms: Iterable[str] = NORMS,
    fraction: bool = False,
    sizes: Mapping[str, int] | None = None,
    width: int = 16,
    splits: int = SPLITS,
    seeds: int = SEEDS,
    tuning_seeds: int = TUNING_SEEDS,
    tuning_epochs: int = 20,
    patience: int = 12,
    longest: int = 200,
    branch_power: float = 1,
    dtype: str = "float32",
) -> Study:
    """A grid of this trial: what a file for ``--grid`` may say, by the names of the arguments.

    ``arms``: names of :data:`ARMS` or of the catalog; ``fraction``: only the :func:`third`;
    ``sizes``: data set → training examples; ``seeds``, ``tuning_seeds``: of each split;
    ``branch_power``: see :func:`branch_gain`.
    Raises ``StudyError`` that names what is unknown or empty, before anything is run.
    """
    from actlab import data as datasets

    chosen = {arm: ARMS.get(arm) or _by_theory(arm) for arm in arms}
    places = [known("data set", place, datasets.names()) for place in data]
    nets = [known("network", network, NETWORKS) for network in networks]
    kinds = [known("norm", norm, NORMS) for norm in norms]
    for what, values in (("arms", chosen), ("data", places), ("networks", nets), ("norms", kinds)):
        if not values:
            raise StudyError(f"{what} is empty: give at least one, or leave it out.")
    if not isinstance(sizes or {}, Mapping):
        raise StudyError(f"sizes={sizes!r}: expected data set = number of training examples.")
    for key in sizes or {}:
        known("data set", key, places)
    kept = {place: (sizes or {}).get(place, DATA.get(place, (None,))[0]) for place in places}
    inputs.integer(width, "width", 1)
    inputs.integer(splits, "splits", 2)
    for count, what in ((seeds, "seeds"), (tuning_seeds, "tuning_seeds")):
        inputs.integer(count, what, 1)
    for count, what in ((tuning_epochs, "tuning_epochs"), (patience, "patience")):
        inputs.integer(count, what, 1)
    inputs.integer(longest, "longest", MIDDLE)
    if not inputs.is_real(branch_power):
        raise StudyError(f"branch_power={branch_power!r}: expected a number, such as 1.")
    return Study(
        name=name,
        title=title,
        task=grand_cell,
        axes={"data": places, "network": nets, "norm": kinds},
        only=third(places, nets, kinds) if fraction else lambda cell: True,
        settings={
            "arms": chosen,
            "sizes": kept,
            "targets": {place: DATA.get(place, (None, (0.5, 0.7, 0.9)))[1] for place in places},
            "splits": splits,
            "seeds": seeds,
            "tuning": (tuning_seeds, tuning_epochs),
            "patience": patience,
            "longest": longest,
            "branch_power": branch_power,
            "common": {"hidden": width, "batch_size": 64},
            **({} if dtype == "float32" else {"dtype": dtype}),
        },
        build=build,
    )


def _by_theory(arm: Any) -> dict[str, Any]:
    """The settings of an activation of the catalog. Raises ``StudyError`` if it has no start."""
    from actlab import catalog

    try:
        start({"activation": known("arm", arm, [*ARMS, *catalog.names()])})
    except (TypeError, ValueError) as error:
        raise StudyError(f"arm {arm!r} has no start by theory: {error}") from None
    return {"activation": arm}


def known(what: str, value: Any, names: Iterable[str]) -> Any:
    """The value, if it is one of the names. Raises ``StudyError`` with the nearest ones."""
    names = list(names)
    if value in names:
        return value
    nearest = difflib.get_close_matches(str(value), names, n=3, cutoff=0.4) or names[:6]
    raise StudyError(f"unknown {what} {value!r}: the nearest are {', '.join(nearest)}.")


GRAND = build(
    "grand_trial",
    "Twenty activations on six data sets, shallow and deep, normalised and not",
    fraction=True,
)
# Six arms, small networks: the same, in less than a minute. A chapter prints what comes of it, so
# it is computed with twice the usual digits, on which processors agree.
SMALL = build(
    "grand_trial_small",
    "The grand trial in a minute",
    arms=("SELU", "ELU", "leaky 0.3", "ReLU", "tanh", "sigmoid"),
    data=("digits", "mnist1d"),
    networks=NETWORKS[:1],
    norms=NORMS[:1],
    sizes={"digits": 200, "mnist1d": 300},
    seeds=4,
    tuning_epochs=12,
    longest=24,
    dtype="float64",
)
STUDIES = (GRAND, SMALL)
