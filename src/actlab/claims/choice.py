"""Chapter "Start here": how much the choice of an activation matters, next to three others.

A full factorial design: every activation with every learning rate, initialisation and depth, on
two data sets. What a choice is *worth* is the test accuracy that choosing well, by validation
data, gains over choosing blindly.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from actlab import data as datasets
from actlab import ensemble, plots, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

CHAPTER = "01_why_nonlinear"
DOCUMENT = "starting document, introduction"

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
DATA: dict[str, dict[str, Any]] = {"digits": {}, "mnist1d": {"size": 2_000}}
VIEWS = ("all else left to chance", "learning rate tuned", "all else tuned")
CHANCE = 0.1  # a network that diverged is scored as if it guessed one of the ten classes
WORTH = 0.01  # a choice that gains less than one point is not worth the name "crucial"


def _study(name: str) -> pd.DataFrame:
    import pandas as pd

    data = datasets.load(name, **DATA[name])
    tables = []
    for root, depth in itertools.product((0, 1), FACTORS["depth"]):
        shared = {"lr": FACTORS["lr"], "init": FACTORS["init"]}
        arms = ensemble.cross(activation=FACTORS["activation"], **shared)
        result = ensemble.train(
            data,
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
        found = pd.concat([own, frame[["seed", "diverged"]], accuracy], axis=1)
        tables.append(found.assign(depth=depth, root=root))
    return pd.concat(tables, ignore_index=True)


def digits_study() -> pd.DataFrame:
    """The whole grid on the digits, two roots × 20 seeds: one row per network."""
    return _study("digits")


def mnist1d_study() -> pd.DataFrame:
    """The whole grid on MNIST-1D (2,000 training examples), two roots × 20 seeds."""
    return _study("mnist1d")


def accuracies(data: str, root: int = 0) -> tuple[Array, Array]:
    """Validation and test accuracy of the study, axes as in ``FACTORS``, the last is the seed."""
    import pandas as pd

    table = study.load(f"choice_{data}")
    table = table[table.root == root]
    full = pd.MultiIndex.from_product([*FACTORS.values(), root_seeds(root)])
    table = table.set_index([*FACTORS, "seed"]).loc[full]
    shape = (*map(len, FACTORS.values()), -1)
    valid, test = (
        table[f"{part}_accuracy"].fillna(CHANCE).to_numpy(np.float64).reshape(shape)
        for part in ("valid", "test")
    )
    return valid, test


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


def worths(data: str, root: int = 0) -> dict[str, dict[str, Array]]:
    """View → factor → what the choice is worth, by seed.

    The views differ in what happens to the other choices: left to chance, only the learning rate
    tuned for each of their combinations, or all of them tuned.
    """
    valid, test = accuracies(data, root)
    axes = range(len(FACTORS))
    by_view: dict[str, dict[str, Array]] = {view: {} for view in VIEWS}
    for axis, factor in enumerate(FACTORS):
        rest = [other for other in axes if other != axis]
        by_view[VIEWS[0]][factor] = worth(valid, test, axis)
        if axis != LR:
            by_view[VIEWS[1]][factor] = worth(*tuned(valid, test, LR), axis)
        by_view[VIEWS[2]][factor] = worth(*tuned(valid, test, *rest), axis)
    return by_view


def at_upper_end(data: str, root: int = 0) -> list[str]:
    """The activations that do best, by validation accuracy, at the largest learning rate tried."""
    means = accuracies(data, root)[0].mean(-1)
    best_by_rate = np.moveaxis(means, LR, 1).reshape(*means.shape[:2], -1).max(-1)
    names = FACTORS["activation"]
    return [
        name for name, row in zip(names, best_by_rate, strict=True) if row.argmax() == len(row) - 1
    ]


def variance_shares(data: str, root: int = 0, resamples: int = 500) -> dict[str, list[float]]:
    """Of the variance between settings: each factor alone, and what they do only together.

    Main effects of the mean test accuracies (eta squared), the rest are interactions; with 95 %
    percentile bootstrap intervals over the seeds: [share, low, high].
    """
    test = accuracies(data, root)[1]
    seeds = test.shape[-1]
    drawn = np.random.default_rng(root).integers(seeds, size=(resamples, seeds))
    shares: dict[str, list[float]] = {}
    # Axis 0 is the resample; the first one holds every seed once.
    means = np.stack([test.mean(-1), *(test[..., rows].mean(-1) for rows in drawn)])
    settings = tuple(range(1, means.ndim))
    total = means.var(settings)
    alone = []
    for axis, factor in enumerate(FACTORS):
        main = means.mean(tuple(a for a in settings if a != axis + 1)).var(1) / total
        alone.append(main)
        shares[TITLES[factor]] = [main[0], *np.quantile(main[1:], (0.025, 0.975))]
    rest = 1 - np.sum(alone, 0)
    shares["only together"] = [rest[0], *np.quantile(rest[1:], (0.025, 0.975))]
    return {name: [float(value) for value in values] for name, values in shares.items()}


def _strongest(values: dict[str, Array]) -> str:
    """The factor that is worth most on average over the seeds."""
    return max(values, key=lambda factor: float(values[factor].mean()))


def reversals(test: Array, confidence: float = 0.95) -> tuple[int, int]:
    """How many pairs along axis 0 turn round, and how many pairs there are.

    A pair turns round if the first is better in one setting of the other axes and the second in
    another, both by a paired t test corrected (Bonferroni) for all pairs and settings.
    """
    seeds = test.shape[-1]
    flat = test.reshape(len(test), -1, seeds)
    pairs = list(itertools.combinations(range(len(test)), 2))
    comparisons = len(pairs) * flat.shape[1]
    needed = distributions.t.ppf(1 - (1 - confidence) / comparisons / 2, seeds - 1)
    turned = 0
    for a, b in pairs:
        difference = flat[a] - flat[b]
        error = difference.std(-1, ddof=1) / np.sqrt(seeds)
        t = difference.mean(-1) / np.maximum(error, 1e-12)
        turned += bool((t > needed).any() and (t < -needed).any())
    return turned, len(pairs)


# --- Figures -----------------------------------------------------------------------------------


def worth_plot(data: str, root: int = 0, ax: Any | None = None) -> Plot:
    """What each of the four choices is worth, in three views: dots with 95 % intervals."""
    ax = plots.axis(ax, height=3.6)
    by_view = worths(data, root)
    height = {factor: row for row, factor in enumerate(FACTORS)}
    sentences, artists = [], {}
    for i, (view, values) in enumerate(by_view.items()):
        found = {factor: stats.mean_interval(100 * gain) for factor, gain in values.items()}
        rows = np.array([height[factor] for factor in found]) + 0.22 * (i - 1)
        for row, interval in zip(rows, found.values(), strict=True):
            ax.plot([interval.low, interval.high], [row, row], color=plots.NEUTRAL[i])
        means = [interval.mean for interval in found.values()]
        mark = plots.MARKERS[i]
        artists[view] = ax.plot(means, rows, mark, color=plots.NEUTRAL[i], label=view)[0]
        numbers = ", ".join(f"{TITLES[f]} {interval.mean:.1f}" for f, interval in found.items())
        sentences.append(f"{view}: {numbers}")
    ax.set_yticks(list(height.values()), [TITLES[factor] for factor in height])
    ax.set_ylim(len(height) - 0.5, -0.5)
    ax.set_xlim(left=-0.7)
    ax.axvline(0, color=plots.INK, linewidth=0.8)
    ax.legend()
    blind, fair = (TITLES[_strongest(by_view[view])] for view in (VIEWS[0], VIEWS[2]))
    name = _readable(data)
    title = f"{name}: untuned, most hangs on the {blind};\ntuned, most hangs on the {fair}"
    if blind == fair:
        title = f"{name}: most hangs on the {fair},\ntuned or not"
    plots.label(
        ax,
        title=title,
        x="gain over a blind choice (points of test accuracy)",
        y="",
    )
    alt = f"Gain in points of test accuracy from choosing well on {name}: {'; '.join(sentences)}."
    return Plot(ax, alt, artists)


def grid_plot(data: str, init: str, depth: int, root: int = 0, ax: Any | None = None) -> Plot:
    """Test accuracy of every activation at every learning rate; the best of each rate is framed."""
    ax = plots.axis(ax, height=3.6)
    test = accuracies(data, root)[1]
    chosen = FACTORS["init"].index(init), FACTORS["depth"].index(depth)
    means = 100 * test[:, :, chosen[0], chosen[1]].mean(-1)
    image = ax.imshow(means, cmap="Blues", vmin=0, vmax=means.max() * 1.1, aspect="auto")
    names, rates = FACTORS["activation"], FACTORS["lr"]
    best = means.argmax(0)
    for row, column in np.ndindex(*means.shape):
        dark = image.norm(means[row, column]) > 0.6
        ax.text(
            column,
            row,
            f"{means[row, column]:.0f}",
            ha="center",
            va="center",
            color="white" if dark else plots.INK,
            weight="bold" if best[column] == row else "normal",
        )
        if best[column] == row:
            ax.add_patch(_frame(column, row))
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set_yticks(range(len(names)), names)
    ax.grid(False)
    winners = list(dict.fromkeys(names[row] for row in best))
    name = _readable(data)
    title = f"{name}: which one wins depends on the learning rate"
    if len(winners) == 1:
        title = f"{name}: {winners[0]} wins at every learning rate"
    plots.label(ax, title=title, x="learning rate (SGD, momentum 0.9)", y="")
    alt = (
        f"Table of mean test accuracy in per cent on {name}, activations by learning rates; best "
        + "; ".join(
            f"at {rate:g} {names[row]} {means[row, i]:.0f}"
            for i, (rate, row) in enumerate(zip(rates, best, strict=True))
        )
        + "."
    )
    return Plot(ax, alt, {"image": image})


def _readable(text: str) -> str:
    return text.replace("mnist1d", "MNIST-1D")


def _frame(column: int, row: int) -> Any:
    from matplotlib.patches import Rectangle

    size = 0.92
    corner = (column - size / 2, row - size / 2)
    return Rectangle(corner, size, size, fill=False, edgecolor=plots.NEUTRAL[1], linewidth=2.5)


# --- The claims --------------------------------------------------------------------------------


def _points(interval: stats.Interval | list[float]) -> list[float]:
    """Mean and ends of an interval, in percentage points."""
    if isinstance(interval, stats.Interval):
        interval = [interval.mean, interval.low, interval.high]
    return [round(100 * value, 3) for value in interval]


def _crucial(seed: int) -> Evidence:
    cases = {}
    for data in DATA:
        for view, values in worths(data, seed).items():
            strongest = _strongest({f: v for f, v in values.items() if f != "activation"})
            lead = values["activation"] - values[strongest]
            cases[f"{data}, {view}"] = {
                "activation": _points(stats.mean_interval(values["activation"])),
                "strongest_other": TITLES[strongest],
                "other": _points(stats.mean_interval(values[strongest])),
                "lead": _points(stats.mean_interval(lead)),
            }
    return {"cases": cases}


def _decide_crucial(evidence: Evidence) -> tuple[Verdict, str]:
    cases = evidence["cases"]
    least = 100 * WORTH
    for_it = [
        name
        for name, case in cases.items()
        if case["activation"][1] > least and case["lead"][1] > 0
    ]
    against = [
        name for name, case in cases.items() if case["activation"][2] < least or case["lead"][2] < 0
    ]
    numbers = "Points gained by choosing well, the activation against the strongest other: "
    numbers += "; ".join(
        f"{name}: {case['activation'][0]:.1f} against {case['other'][0]:.1f} "
        f"({case['strongest_other']})"
        for name, case in cases.items()
    )
    numbers = _readable(numbers)
    if len(for_it) == len(cases):
        return "holds", f"It is worth more than any of the other three choices. {numbers}."
    if len(against) == len(cases):
        return "refuted", f"Everywhere some other choice is worth more. {numbers}."
    if for_it:
        where = " or ".join(name.replace(", ", " with ") for name in for_it)
        return "holds when …", f"… it is {_readable(where)}. {numbers}."
    return "not shown", f"{numbers}."


def _experimenting(seed: int) -> Evidence:
    gains = {}
    for data in DATA:
        valid, test = accuracies(data, seed)
        relu = FACTORS["activation"].index("relu")
        seeds = np.arange(test.shape[-1])
        # One practitioner per seed, who sees only the networks of that seed.
        every, own = (
            (v.reshape(-1, len(seeds)), t.reshape(-1, len(seeds)))
            for v, t in ((valid, test), (valid[relu], test[relu]))
        )
        picked = [t[v.argmax(0), seeds] for v, t in (every, own)]
        gains[data] = _points(stats.paired_difference(*picked))
    return {"gain": gains}


def _decide_experimenting(evidence: Evidence) -> tuple[Verdict, str]:
    gains = evidence["gain"]
    each = {
        data: stats.verdict_from_difference(stats.Interval(gain[0], gain[1], gain[2], n=20), 0.5)
        for data, gain in gains.items()
    }
    numbers = "; ".join(
        f"{_readable(data)}: {mean:+z.1f} points [{low:+z.1f}, {high:+z.1f}]"
        for data, (mean, low, high) in gains.items()
    )
    good = [data for data, verdict in each.items() if verdict == "holds"]
    if len(good) == len(each):
        return "holds", f"Against ReLU, tuned as carefully, the best of seven gains {numbers}."
    if good:
        return "holds when …", (
            f"… the problem is {_readable(' or '.join(good))}. The best of seven against ReLU, "
            f"tuned as carefully: {numbers}."
        )
    if all(verdict == "refuted" for verdict in each.values()):
        return "refuted", f"Against ReLU, tuned as carefully, it gains only {numbers}."
    return "not shown", f"The best of seven against ReLU, tuned as carefully: {numbers}."


def _stable_order(seed: int) -> Evidence:
    turned = {data: list(reversals(accuracies(data, seed)[1])) for data in DATA}
    return {"reversed_pairs": turned}


def _decide_stable_order(evidence: Evidence) -> tuple[Verdict, str]:
    turned = evidence["reversed_pairs"]
    numbers = "; ".join(
        f"{_readable(data)}: {some} of {pairs} pairs" for data, (some, pairs) in turned.items()
    )
    shares = [some / pairs for some, pairs in turned.values()]
    if max(shares) <= 0.1:
        return "holds", f"Few pairs turn round ({numbers})."
    if min(shares) > 0.5:
        return "refuted", (
            "For most pairs there is a setting in which the one is better and another in which "
            f"the other is, beyond chance ({numbers})."
        )
    return "not shown", f"Some pairs turn round, others do not ({numbers})."


_GRID = (
    "Seven activations × five learning rates (0.003 to 0.3, momentum 0.9) × three "
    "initialisations (PyTorch's, Keras's, He's) × 1, 3 or 6 hidden layers of 32 units, ten epochs, "
    "20 seeds each, on digits and MNIST-1D"
)

CLAIMS = (
    Claim(
        id="choice-crucial",
        statement="In building and training a network the choice of the activation is crucial.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            f"{_GRID}. What a choice is worth: test accuracy of the option with the best "
            "validation accuracy minus the mean over its options; with the other choices left to "
            "chance, with the learning rate tuned, with all of them tuned."
        ),
        rule=(
            "A case (data set and view) speaks for it if the activation is worth more than 1 "
            "point and more than each of the other choices (95 % intervals, paired by seed). Holds "
            "if all six cases do; holds when … some do; refuted if in all six the activation is "
            "worth less than 1 point or less than another choice."
        ),
        measure=_crucial,
        decide=_decide_crucial,
        otherwise={
            "cases": {
                "digits, all else tuned": {
                    "activation": [0.5, 0.4, 0.6],
                    "strongest_other": "depth",
                    "other": [2.0, 1.9, 2.1],
                    "lead": [-1.5, -1.6, -1.4],
                }
            }
        },
        cheap=False,
    ),
    Claim(
        id="choice-experiment-pays",
        statement="Trying different activations for different problems gives better results.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            f"{_GRID}. For each seed: the setting with the best validation accuracy among all, "
            "against the best among those with ReLU; test accuracies, paired by seed."
        ),
        rule=(
            "Holds if on both data sets the gain is above half a point (95 % interval), holds "
            "when … on one, refuted if on both it is below."
        ),
        measure=_experimenting,
        decide=_decide_experimenting,
        otherwise={"gain": {"digits": [0.1, 0.0, 0.2], "mnist1d": [0.2, 0.1, 0.3]}},
        cheap=False,
    ),
    Claim(
        id="choice-order-stable",
        statement=(
            "Which of two activations is the better one does not depend on the learning rate, the "
            "initialisation and the depth."
        ),
        source="what every ranking takes for granted, the starting document's included",
        chapter=CHAPTER,
        experiment=(
            f"{_GRID}. A pair of activations turns round if each is better in some setting "
            "(paired t tests, corrected for all pairs and settings)."
        ),
        rule=(
            "Holds if on both data sets at most one pair in ten turns round; refuted if on both "
            "more than half do; else not shown."
        ),
        measure=_stable_order,
        decide=_decide_stable_order,
        otherwise={"reversed_pairs": {"digits": [1, 21], "mnist1d": [0, 21]}},
        cheap=False,
    ),
)
