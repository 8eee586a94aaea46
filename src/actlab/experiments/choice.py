"""How much the choice of an activation matters, next to three others.

A full factorial design: every activation with every learning rate, initialisation and depth, on
two data sets. What a choice is *worth* is the test accuracy that choosing well, by validation
data, gains over choosing blindly.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

FACTORS: dict[str, tuple[Any, ...]] = {
    "activation": ("sigmoid", "tanh", "relu", "elu", "selu", "gelu", "silu"),
    "lr": (0.003, 0.01, 0.03, 0.1, 0.3),
    "init": ("torch", "keras", "he_normal"),
    "depth": (1, 3, 6),
}
TITLES = {
    "activation": "activation",
    "lr": "learning rate",
    "init": "initialisation",
    "depth": "depth",
}
LR = list(FACTORS).index("lr")
DATA = {"digits": "digits", "mnist1d": "MNIST-1D"}
VIEWS = ("all else left to chance", "learning rate tuned", "all else tuned")
SHORT = dict(zip(VIEWS, ("untuned", "rate tuned", "all tuned"), strict=True))
CHANCE = 0.1  # a network that diverged is scored as if it guessed one of the ten classes

# --- The studies ----------------------------------------------------------------------------------


def cell(root: int, depth: int, *, data: str, size: int | None) -> pd.DataFrame:
    """Every activation, learning rate and initialisation at one depth, twenty networks each."""
    import pandas as pd

    from actlab import ensemble

    shared = {"lr": FACTORS["lr"], "init": FACTORS["init"]}
    arms = ensemble.cross(activation=FACTORS["activation"], **shared)
    result = ensemble.train(
        datasets.load(data, size=size),
        arms=arms,
        seeds=root_seeds(root),
        epochs=10,
        hidden=(32,) * depth,
        keep_weights=False,
        progress=False,
    )
    frame = result.to_frame()
    own = pd.DataFrame([arms[arm] for arm in frame["arm"]])
    accuracy = frame[["valid_accuracy", "test_accuracy"]].astype("float32")
    return pd.concat([own, frame[["seed", "diverged"]], accuracy], axis=1)


DIGITS, MNIST1D = (
    Study(
        name=f"choice_{data}",
        title=f"Activation × learning rate × initialisation × depth on {DATA[data]}",
        task=cell,
        axes={"root": (0, 1), "depth": FACTORS["depth"]},
        settings={"data": data, "size": size},
    )
    for data, size in (("digits", None), ("mnist1d", 2_000))
)
STUDIES = (DIGITS, MNIST1D)


def accuracies(data: str, root: int = 0) -> tuple[Array, Array]:
    """Validation and test accuracy of the study, axes as in ``FACTORS``, the last is the seed."""
    import pandas as pd

    table = load(f"choice_{data}")
    table = table[table.root == root]
    full = pd.MultiIndex.from_product([*FACTORS.values(), root_seeds(root)])
    table = table.set_index([*FACTORS, "seed"]).loc[full]
    shape = (*map(len, FACTORS.values()), -1)
    valid, test = (
        table[f"{part}_accuracy"].fillna(CHANCE).to_numpy(np.float64).reshape(shape)
        for part in ("valid", "test")
    )
    return valid, test


# --- What a choice is worth -----------------------------------------------------------------------


def tuned(valid: Array, test: Array, *axes: int) -> tuple[Array, Array]:
    """Both accuracies with these axes set to their best mean validation accuracy.

    The last axis is the seed. The axes stay, with length 1.
    """
    means = valid.mean(-1, keepdims=True)
    others = [axis for axis in range(valid.ndim) if axis not in axes]
    shape = [valid.shape[axis] for axis in others]

    def flat(x: Array, seeds: int) -> Array:  # (others, all combinations of the axes, seeds)
        x = np.moveaxis(x, axes, range(-1 - len(axes), -1))
        return x.reshape(*shape[:-1], -1, seeds)

    best = flat(means, 1).argmax(-2)[..., None]
    return tuple(  # type: ignore[return-value]
        np.expand_dims(np.take_along_axis(flat(x, x.shape[-1]), best, -2).squeeze(-2), axes)
        for x in (valid, test)
    )


def worth(valid: Array, test: Array, axis: int) -> Array:
    """What choosing along ``axis`` gains over choosing blindly, for each seed (in accuracy).

    In every setting of the other axes the best mean validation accuracy is chosen; its test
    accuracy is compared with the mean along the axis. Then the mean over all those settings.
    """
    gain = tuned(valid, test, axis)[1] - test.mean(axis, keepdims=True)
    result: Array = gain.reshape(-1, gain.shape[-1]).mean(0)
    return result


def worths(data: str, root: int = 0, without: str | None = None) -> dict[str, dict[str, Array]]:
    """View → factor → what the choice is worth, by seed.

    The views differ in what happens to the other choices: left to chance, only the learning rate
    tuned for each of their combinations, or all of them tuned. ``without``: an activation that is
    no candidate.
    """
    valid, test = accuracies(data, root)
    if without is not None:
        left = [i for i, name in enumerate(FACTORS["activation"]) if name != without]
        valid, test = valid[left], test[left]
    axes = range(len(FACTORS))
    by_view: dict[str, dict[str, Array]] = {view: {} for view in VIEWS}
    for axis, factor in enumerate(FACTORS):
        rest = [other for other in axes if other != axis]
        by_view[VIEWS[0]][factor] = worth(valid, test, axis)
        if axis != LR:
            by_view[VIEWS[1]][factor] = worth(*tuned(valid, test, LR), axis)
        by_view[VIEWS[2]][factor] = worth(*tuned(valid, test, *rest), axis)
    return by_view


def worth_by_view(data: str, root: int = 0) -> dict[str, dict[str, Interval]]:
    """View → choice in words → what it is worth, in points of test accuracy."""
    return {
        view: {TITLES[factor]: stats.mean_interval(100 * gain) for factor, gain in values.items()}
        for view, values in worths(data, root).items()
    }


def by_rate(data: str, init: str, depth: int, root: int = 0) -> dict[str, dict[str, float]]:
    """Activation → learning rate → mean test accuracy in per cent, at one start and depth."""
    test = accuracies(data, root)[1]
    chosen = FACTORS["init"].index(init), FACTORS["depth"].index(depth)
    means = 100 * test[:, :, chosen[0], chosen[1]].mean(-1)
    rates = [f"{rate:g}" for rate in FACTORS["lr"]]
    return {
        name: dict(zip(rates, map(float, row), strict=True))
        for name, row in zip(FACTORS["activation"], means, strict=True)
    }


def reversals(test: Array, confidence: float = 0.95) -> tuple[int, int]:
    """How many pairs along axis 0 turn round, and how many pairs there are.

    A pair turns round if the first is better in one setting of the other axes and the second in
    another, both by a paired t test corrected (Bonferroni) for all pairs and settings.
    """
    from scipy.stats import t as student

    seeds = test.shape[-1]
    flat = test.reshape(len(test), -1, seeds)
    pairs = list(itertools.combinations(range(len(test)), 2))
    comparisons = len(pairs) * flat.shape[1]
    needed = student.ppf(1 - (1 - confidence) / comparisons / 2, seeds - 1)
    turned = 0
    for a, b in pairs:
        difference = flat[a] - flat[b]
        error = difference.std(-1, ddof=1) / np.sqrt(seeds)
        t = difference.mean(-1) / np.maximum(error, 1e-12)
        turned += bool((t > needed).any() and (t < -needed).any())
    return turned, len(pairs)


# --- Claims ---------------------------------------------------------------------------------------


def _crucial(root: int, level: Level) -> Evidence:
    gains: dict[Case, Interval] = {}
    leads: dict[Case, Interval] = {}
    rivals: dict[str, str] = {}
    sure = level(2 * len(DATA) * len(VIEWS))
    for (data, title), without in itertools.product(DATA.items(), (None, "sigmoid")):
        candidates = f"without {without}" if without else "with sigmoid"
        for view, values in worths(data, root, without).items():
            others = {name: gain for name, gain in values.items() if name != "activation"}
            strongest = max(others, key=lambda name: float(others[name].mean()))
            case = (title, SHORT[view], candidates)
            gains[case] = stats.mean_interval(100 * values["activation"], sure)
            leads[case] = stats.mean_interval(
                100 * (values["activation"] - others[strongest]), sure
            )
            rivals[", ".join(case)] = TITLES[strongest]
    factors = ("data", "tuning", "candidates")
    return {
        "lead over other choices": Measured(leads, factors, notes={"strongest other": rivals}),
        "gain from the activation": Measured(gains, factors),
    }


def _experimenting(root: int, level: Level) -> Evidence:
    gains = {}
    for data, title in DATA.items():
        valid, test = accuracies(data, root)
        relu = FACTORS["activation"].index("relu")
        seeds = np.arange(test.shape[-1])
        # One practitioner per seed, who sees only the networks of that seed.
        every, own = (
            (v.reshape(-1, len(seeds)), t.reshape(-1, len(seeds)))
            for v, t in ((valid, test), (valid[relu], test[relu]))
        )
        best, relus = (100 * t[v.argmax(0), seeds] for v, t in (every, own))
        gains[title] = stats.paired_difference(best, relus, level(len(DATA)))
    return {"gain of the best of seven over ReLU": Measured.of(gains, "data")}


def _order(root: int, level: Level) -> Evidence:
    cases: dict[Case, Interval] = {}
    for data, title in DATA.items():
        valid, test = accuracies(data, root)
        for view, seen in (
            ("equal learning rates", test),
            ("a learning rate of its own for each", tuned(valid, test, LR)[1]),
        ):
            turned, pairs = reversals(seen)
            share = 100 * turned / pairs
            cases[title, view] = Interval(share, share, share, n=1)
    return {"share of pairs that turn round": Measured(cases, ("data", "view"))}


_GRID = (
    "Seven activations × five learning rates (0.003 to 0.3, momentum 0.9) × three "
    "initialisations (PyTorch's, Keras's, He's) × 1, 3 or 6 hidden layers of 32 units, ten epochs, "
    "20 seeds each, on digits and MNIST-1D"
)
_SCOPE = "Small fully connected networks, ten epochs · digits, MNIST-1D · 20 seeds"

CRUCIAL = Experiment(
    prose=(
        f"{_GRID}. What a choice is worth: test accuracy of the option with the best validation "
        "accuracy minus the mean over its options; with the other choices untuned, with the "
        "learning rate tuned, with all of them tuned; and with sigmoid among the candidates or "
        "not. The lead is that over the strongest other choice, paired by seed."
    ),
    scope=_SCOPE,
    measure=_crucial,
    study="choice_digits",
)
EXPERIMENTING = Experiment(
    prose=(
        f"{_GRID}. For each seed: the setting with the best validation accuracy among all, against "
        "the best among those with ReLU; test accuracies, paired by seed."
    ),
    scope=_SCOPE,
    measure=_experimenting,
    study="choice_digits",
)
ORDER = Experiment(
    prose=(
        f"{_GRID}. A pair of activations turns round if each is better in some setting (paired t "
        "tests, corrected for all pairs and settings); with equal learning rates, and with the "
        "best one for each activation, initialisation and depth."
    ),
    scope=_SCOPE,
    measure=_order,
    study="choice_digits",
)
