"""How much the choice of an activation matters, next to three others.

A full factorial design: every activation with every learning rate, initialisation and depth, on
two data sets. What a choice is *worth* is the test accuracy that choosing well, by validation
data, gains over choosing blindly.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.stats import Array, Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Evidence, Level, Measured, experiment

FACTORS: dict[str, tuple[Any, ...]] = {
    "activation": ("sigmoid", "tanh", "relu", "elu", "selu", "gelu", "silu"),
    "lr": (0.003, 0.01, 0.03, 0.1, 0.3),
    "init": ("torch", "keras", "he_normal"),
    "depth": (1, 3, 6),
}
TITLES = {name: name for name in FACTORS} | {"lr": "learning rate", "init": "initialisation"}
LR = list(FACTORS).index("lr")
DATA = {"digits": "digits", "mnist1d": "MNIST-1D"}
VIEWS: dict[str, tuple[str, tuple[int, ...]]] = {  # in short, and which other choices are tuned
    "all else left to chance": ("untuned", ()),
    "learning rate tuned": ("rate tuned", (LR,)),
    "all else tuned": ("all tuned", tuple(range(len(FACTORS)))),
}
CHANCE = 0.1  # a network that diverged is scored as if it guessed one of the ten classes


def cell(root: int, depth: int, *, data: str, size: int | None) -> pd.DataFrame:
    """Every activation, learning rate and initialisation at one depth, twenty networks each."""
    from actlab import ensemble

    arms = ensemble.cross(**{name: FACTORS[name] for name in ("activation", "lr", "init")})
    run: dict[str, Any] = {"epochs": 10, "keep_weights": False, "progress": False}
    run |= {"arms": arms, "seeds": root_seeds(root), "hidden": (32,) * depth}
    result = ensemble.train(datasets.load(data, size=size), **run)
    frame = result.to_frame()
    own = pd.DataFrame([arms[arm] for arm in frame["arm"]])
    accuracy = frame[["valid_accuracy", "test_accuracy"]].astype("float32")
    return pd.concat([own, frame[["seed", "diverged"]], accuracy], axis=1)


DIGITS, MNIST1D = STUDIES = tuple(
    Study(
        name=f"choice_{data}",
        title=f"Activation × learning rate × initialisation × depth on {DATA[data]}",
        task=cell,
        axes={"root": (0, 1), "depth": FACTORS["depth"]},
        settings={"data": data, "size": size},
    )
    for data, size in (("digits", None), ("mnist1d", 2_000))
)


def accuracies(data: str, root: int = 0) -> tuple[Array, Array]:
    """Validation and test accuracy of the study, axes as in ``FACTORS``, the last is the seed."""
    table = load(f"choice_{data}", root=root).set_index([*FACTORS, "seed"])
    full = pd.MultiIndex.from_product([*FACTORS.values(), root_seeds(root)])
    columns = table.loc[full, ["valid_accuracy", "test_accuracy"]].fillna(CHANCE)
    valid, test = columns.to_numpy(np.float64).T.reshape(2, *map(len, FACTORS.values()), -1)
    return valid, test


def tuned(valid: Array, test: Array, *axes: int) -> tuple[Array, Array]:
    """Both accuracies with these axes (then of length 1) at the best mean validation accuracy."""
    for axis in reversed(axes):  # the best along one, then of these the best along the next
        best = valid.mean(-1, keepdims=True).argmax(axis, keepdims=True)
        valid, test = (np.take_along_axis(x, best, axis) for x in (valid, test))
    return valid, test


def worth(valid: Array, test: Array, axis: int) -> Array:
    """What choosing along ``axis`` gains over choosing blindly, for each seed (in accuracy).

    In every setting of the other axes the best mean validation accuracy is chosen; its test
    accuracy is compared with the mean along the axis. Then the mean over all those settings.
    """
    gain = tuned(valid, test, axis)[1] - test.mean(axis, keepdims=True)
    return np.asarray(gain.reshape(-1, gain.shape[-1]).mean(0))


def worths(data: str, root: int = 0, without: str | None = None) -> dict[str, dict[str, Array]]:
    """View → factor → what the choice is worth, by seed; ``without``: who is no candidate.

    In the second of :data:`VIEWS` the learning rate is tuned for each combination of the others.
    """
    left = [i for i, name in enumerate(FACTORS["activation"]) if name != without]
    valid, test = (part[left] for part in accuracies(data, root))
    return {
        view: {
            factor: worth(*tuned(valid, test, *(other for other in others if other != axis)), axis)
            for axis, factor in enumerate(FACTORS)
            if others != (axis,)  # the learning rate is no choice where it is tuned
        }
        for view, (_, others) in VIEWS.items()
    }


def worth_by_view(data: str) -> dict[str, dict[str, Interval]]:
    """View → choice in words → what it is worth, in points of test accuracy."""
    return {
        view: {TITLES[factor]: stats.mean_interval(100 * gain) for factor, gain in values.items()}
        for view, values in worths(data).items()
    }


def by_rate(data: str, init: str, depth: int, root: int = 0) -> dict[str, dict[str, float]]:
    """Activation → learning rate → mean test accuracy in per cent, at one start and depth."""
    start, layers = FACTORS["init"].index(init), FACTORS["depth"].index(depth)
    means = 100 * accuracies(data, root)[1][:, :, start, layers].mean(-1)
    rates = [f"{rate:g}" for rate in FACTORS["lr"]]
    table = pd.DataFrame(means, FACTORS["activation"], rates)
    return {str(name): row.to_dict() for name, row in table.iterrows()}


def reversals(test: Array) -> tuple[int, int]:
    """How many pairs along axis 0 turn round, and how many pairs there are.

    A pair turns round if the first is better in one setting of the other axes and the second in
    another, both by a paired t test corrected (Bonferroni) for all pairs and settings.
    """
    from scipy.stats import t as student

    seeds = test.shape[-1]
    first, second = np.triu_indices(len(test), 1)
    difference = (test[first] - test[second]).reshape(len(first), -1, seeds)
    mean, error = difference.mean(-1), difference.std(-1, ddof=1) / np.sqrt(seeds)
    t = mean / np.maximum(error, 1e-12)
    needed = student.ppf(1 - (1 - 0.95) / t.size / 2, seeds - 1)
    turned = (t > needed).any(1) & (t < -needed).any(1)
    return int(turned.sum()), len(turned)


_GRID = (
    "Seven activations × five learning rates (0.003 to 0.3, momentum 0.9) × three "
    "initialisations (PyTorch's, Keras's, He's) × 1, 3 or 6 hidden layers of 32 units, ten epochs, "
    "20 seeds each, on digits and MNIST-1D"
)
_SCOPE = "Small fully connected networks, ten epochs · digits, MNIST-1D · 20 seeds"
LEAD, GAIN = "lead over other choices", "gain from the activation"


@experiment(
    f"{_GRID}. What a choice is worth: test accuracy of the option with the best validation "
    "accuracy minus the mean over its options; with the other choices untuned, with the "
    "learning rate tuned, with all of them tuned; and with sigmoid among the candidates or "
    "not. The lead is that over the strongest other choice, paired by seed.",
    _SCOPE,
    DIGITS.name,
)
def crucial(root: int, level: Level) -> Evidence:
    gains, leads, rivals = {}, {}, {}
    for (data, title), without in itertools.product(DATA.items(), (None, "sigmoid")):
        candidates = f"without {without}" if without else "with sigmoid"
        for view, values in worths(data, root, without).items():
            case = (title, VIEWS[view][0], candidates)
            ours = values.pop("activation")
            strongest = max(values, key=lambda name: float(values[name].mean()))
            gains[case], leads[case] = 100 * ours, 100 * (ours - values[strongest])
            rivals[", ".join(case)] = TITLES[strongest]
    factors = ("data", "tuning", "candidates")
    notes = {"strongest other": rivals}
    return {
        LEAD: Measured.means(leads, level, *factors, notes=notes),
        GAIN: Measured.means(gains, level, *factors),
    }


@experiment(
    f"{_GRID}. For each seed: the setting with the best validation accuracy among all, against "
    "the best among those with ReLU; test accuracies, paired by seed.",
    _SCOPE,
    DIGITS.name,
)
def experimenting(root: int, level: Level) -> Evidence:
    relu = FACTORS["activation"].index("relu")
    gains = {}
    for data, title in DATA.items():
        valid, test = accuracies(data, root)
        gains[title] = 100 * _best(valid, test) - 100 * _best(valid[relu], test[relu])
    return {"gain of the best of seven over ReLU": Measured.means(gains, level, "data")}


def _best(valid: Array, test: Array) -> Array:
    """What one practitioner per seed ends with, who sees only the networks of that seed."""
    valid, test = (part.reshape(-1, part.shape[-1]) for part in (valid, test))
    return np.asarray(np.take_along_axis(test, valid.argmax(0)[None], 0)[0])


@experiment(
    f"{_GRID}. A pair of activations turns round if each is better in some setting (paired t "
    "tests, corrected for all pairs and settings); with equal learning rates, and with the "
    "best one for each activation, initialisation and depth.",
    _SCOPE,
    DIGITS.name,
)
def order(root: int, level: Level) -> Evidence:
    shares = {}
    for data, title in DATA.items():
        valid, test = accuracies(data, root)
        best = tuned(valid, test, LR)[1]
        views = {"equal learning rates": test, "a learning rate of its own for each": best}
        for view, seen in views.items():
            turned, pairs = reversals(seen)
            shares[title, view] = 100 * turned / pairs
    return {"share of pairs that turn round": Measured.exact(shares, "data", "view")}
