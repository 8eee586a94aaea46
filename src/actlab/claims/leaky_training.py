"""Chapter "Leaky, parametric, randomised, thresholded": the trained networks and their claims."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch import nn

from actlab import data as datasets
from actlab import ensemble, plots, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Result

CHAPTER = "04_leaky"
DOCUMENT = "starting document, section Leaky ReLU"
PRELU_DOCUMENT = "starting document, section PReLU"
RRELU_DOCUMENT = "starting document, section RReLU"
HE = "[He et al., 2015](https://arxiv.org/abs/1502.01852)"
XU = "[Xu et al., 2015](https://arxiv.org/abs/1505.00853)"

Array = npt.NDArray[np.float64]

INTERESTING = 0.005  # half a point of accuracy: less is not worth a change of activation
CHANCE = 0.1  # all data sets here have ten classes of about equal size
RATES = (0.005, 0.015, 0.05, 0.15)
TITLES = {"digits": "Digits", "mnist1d": "MNIST-1D", "fashion_mnist": "Fashion-MNIST"}

LOWER, UPPER = 1 / 8, 1 / 3  # RReLU's range in PyTorch
MEAN_SLOPE = (LOWER + UPPER) / 2


def fair_start(mean_square_slope: float) -> dict[str, Any]:
    """He's start for a leaky unit: weights of variance 2 / ((1 + a²) n) (He et al., 2015, eq. 15).

    ``mean_square_slope`` is a², or its mean where the slope is random.
    """
    return {"init": "he_normal", "gain": (1 + mean_square_slope) ** -0.5}


def leaky(slope: float) -> dict[str, Any]:
    """The settings of a leaky arm; slope 0 is ReLU."""
    if slope == 0:
        return {"activation": "relu", **fair_start(0)}
    return {
        "activation": "leaky_relu",
        "params": {"negative_slope": slope},
        **fair_start(slope**2),
    }


def prelu(start: float) -> dict[str, Any]:
    """The settings of an arm that learns one slope per layer."""
    return {"activation": "prelu", "params": {"negative_slope": start}, **fair_start(start**2)}


def rrelu() -> dict[str, Any]:
    """The settings of a randomised arm; the mean square of a uniform number is m² + (u − l)²/12."""
    spread = (UPPER - LOWER) ** 2 / 12
    return {"activation": "rrelu", **fair_start(MEAN_SLOPE**2 + spread)}


def tuned(
    data: Any, arm: Mapping[str, Any], root: int, seeds: int, **options: Any
) -> tuple[float, bool]:
    """The learning rate chosen on seeds of its own, and whether it lies at the grid's edge.

    Too few seeds can choose a rate at which the next network diverges.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the edge is recorded instead
        found = ensemble.tune(
            data,
            arms={"arm": dict(arm)},
            lrs=RATES,
            seeds=range(1000 * root + 500, 1000 * root + 500 + seeds),
            progress=False,
            **options,
        )
    return found.lr["arm"], bool(found.at_edge)


def with_fewer(data: Any, valid: int = 1_000) -> tuple[Any, ...]:
    """All of a data set but for a validation part of at most ``valid`` examples."""
    return (
        *(data.x_train, data.y_train),
        *(data.x_valid[:valid], data.y_valid[:valid]),
        *(data.x_test, data.y_test),
    )


def learned_slopes(result: Result) -> list[dict[str, float]]:
    """Per network, the slopes of its PReLU layers, ``slope1`` nearest the input."""
    found = []
    for network in result.networks:
        assert network is not None
        units = [module for module in network if isinstance(module, nn.PReLU)]
        found.append({f"slope{i}": unit.weight.item() for i, unit in enumerate(units, 1)})
    return found


# --- The contest: six arms, six settings ---------------------------------------------------------

VERY_LEAKY = 1 / 5.5  # the better one of the two slopes of Xu et al. (2015)
ARMS: dict[str, dict[str, Any]] = {
    "ReLU": leaky(0),
    "leaky 0.01": leaky(0.01),
    "leaky 0.18": leaky(VERY_LEAKY),
    "leaky 0.3": leaky(0.3),
    "PReLU": prelu(0.25),
    "RReLU": rrelu(),
}
DEPTHS = (5, 10)
CONTESTS: dict[str, tuple[dict[str, Any], int]] = {
    "digits": ({}, 15),
    "mnist1d": ({}, 12),
    "fashion_mnist": ({"size": 2_000}, 8),
}


def contest(name: str) -> pd.DataFrame:
    """One data set, two depths, six arms, each with its own rate; two roots × 20 seeds."""
    import pandas as pd

    options, epochs = CONTESTS[name]
    data = with_fewer(datasets.load(name, **options))
    tables = []
    for root, depth, (arm, own) in itertools.product((0, 1), DEPTHS, ARMS.items()):
        settings = {**own, "hidden": (64,) * depth, "batch_size": 64}
        lr, edge = tuned(data, settings, root, 5, epochs=epochs)
        result = ensemble.train(
            data,
            arms={arm: {**settings, "lr": lr}},
            seeds=root_seeds(root),
            epochs=epochs,
            progress=False,
        )
        table = result.to_frame().drop(columns=["best_epoch", "valid_loss", "test_loss"])
        table = table.assign(data=name, depth=depth, root=root, lr=lr, edge=edge)
        tables.append(pd.concat([table, pd.DataFrame(learned_slopes(result))], axis=1))
    return compact(pd.concat(tables, ignore_index=True))


def contest_study() -> pd.DataFrame:
    """The contest on digits and on MNIST-1D."""
    import pandas as pd

    return pd.concat([contest("digits"), contest("mnist1d")], ignore_index=True)


def contest_fashion_study() -> pd.DataFrame:
    """The contest on 2,000 images of Fashion-MNIST."""
    return contest("fashion_mnist")


def contest_table(root: int) -> pd.DataFrame:
    """Both committed tables of the contest, one root; ``accuracy``: a diverged one is chance."""
    import pandas as pd

    parts = [study.load(name) for name in ("leaky_contest", "leaky_contest_fashion")]
    table = pd.concat(parts, ignore_index=True)
    table = table[table.root == root]
    return table.assign(accuracy=table.test_accuracy.fillna(CHANCE))


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """Fewer digits, so that the committed file is small."""
    for column in table.columns[table.dtypes == "float64"]:
        if column != "lr":
            table[column] = table[column].round(5).astype("float32")
    for column in table.columns[table.dtypes == "int64"]:
        table[column] = table[column].astype("int32")
    return table


def places(table: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """The settings of the contest: a name and the rows."""
    for (name, depth), part in table.groupby(["data", "depth"], sort=False):
        yield f"{TITLES[str(name)]}, {depth} layers", part


def accuracies(part: pd.DataFrame, arm: str) -> Array:
    """Test accuracies of one arm, in the order of its seeds."""
    rows = part[part.arm == arm].sort_values("seed")
    return np.asarray(rows.accuracy, dtype=np.float64)


def differences(table: pd.DataFrame, arm: str, control: str) -> dict[str, stats.Difference]:
    """Per setting, how much better ``arm`` is than ``control``: paired, intervals simultaneous."""
    cases = list(places(table))
    confidence = 1 - 0.05 / len(cases)
    return {
        name: stats.paired_difference(accuracies(part, arm), accuracies(part, control), confidence)
        for name, part in cases
    }


def contest_plot(table: pd.DataFrame, arms: tuple[str, ...], ax: Any | None = None) -> Plot:
    """How far each arm is ahead of ReLU in every setting: points, simultaneous intervals.

    Grey: how far two means of ReLU itself would drift apart by the choice of seeds alone.
    """
    ax = plots.axis(ax, height=6.0)
    sentences = []
    artists = {}
    names: list[str] = []
    for i, arm in enumerate(arms):
        found = differences(table, arm, "ReLU")
        names = list(found)
        y = np.arange(len(names)) + 0.16 * (i - (len(arms) - 1) / 2)
        mean, low, high = (
            100 * np.array([getattr(d, end) for d in found.values()])
            for end in ("mean", "low", "high")
        )
        hue = plots.NEUTRAL[i]
        ax.hlines(y, low, high, color=hue)
        (artists[arm],) = ax.plot(mean, y, plots.MARKERS[i], color=hue, label=arm)
        sentences.append(f"{arm} from {mean.min():+.1f} to {mean.max():+.1f}")
    ax.axvline(0, color=plots.INK, linewidth=1)
    for row, (_, part) in enumerate(places(table)):
        floor = 100 * stats.noise_floor(accuracies(part, "ReLU"))
        band = ax.fill_betweenx(
            [row - 0.45, row + 0.45], -floor, floor, color=plots.GRID, linewidth=0
        )
    band.set_label("noise floor of ReLU")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)  # the first setting on top
    ax.figure.legend(ncols=3, loc="outside lower center")
    ahead = [sum(d.low > 0 for d in differences(table, arm, "ReLU").values()) for arm in arms]
    title = (
        f"{arms[0]} ahead in {ahead[0]} of {len(names)}, the others in {sum(ahead[1:])} of "
        f"{len(names) * (len(arms) - 1)}"
    )
    plots.label(ax, title=title, x="test accuracy minus that of ReLU (points)", y="")
    alt = (
        f"For {len(names)} settings, the test accuracy of {len(arms)} activations minus that of "
        f"ReLU, as dots with intervals over a grey band, the noise floor: {'; '.join(sentences)} "
        f"points. Beyond doubt {title}."
    )
    return Plot(ax, alt, artists)


def slopes(table: pd.DataFrame, name: str, depth: int) -> Array:
    """The learned slopes (networks, layers) of the PReLU arm; diverged networks are left out."""
    rows = table[(table.arm == "PReLU") & (table.data == name) & (table.depth == depth)]
    rows = rows[~rows.diverged].sort_values("seed")
    return np.asarray(rows[[f"slope{i}" for i in range(1, depth + 1)]], dtype=np.float64)


def slopes_plot(table: pd.DataFrame, depth: int, ax: Any | None = None) -> Plot:
    """Learned slopes by layer, one line per data set; the start is marked."""
    groups = {TITLES[name]: slopes(table, name, depth) for name in CONTESTS}
    last = {name: values[:, -1].mean() for name, values in groups.items()}
    first = {name: values[:, 0].mean() for name, values in groups.items()}
    falls = [name for name in groups if first[name] > last[name]]
    plot = plots.by_layer(
        groups,
        ax=ax,
        title=f"Steeper in the first layer than in the last: {len(falls)} of 3 data sets",
        y="learned slope",
    )
    plot.ax.axhline(0.25, color=plots.INK, linewidth=1, linestyle=":")
    plot.ax.annotate("start", (depth, 0.25), ha="right", va="bottom")
    return plot


def as_list(found: stats.Interval) -> list[float]:
    """Mean, low and high, as JSON can hold them."""
    return [found.mean, found.low, found.high]


def as_points(values: list[float]) -> str:
    """``+1.2 [+0.8, +1.6]``, from shares."""
    mean, low, high = (100 * value for value in values)
    return f"{mean:+z.1f} [{low:+z.1f}, {high:+z.1f}]"


def _ahead(arm: str, control: str) -> Any:
    def measure(seed: int) -> Evidence:
        found = differences(contest_table(seed), arm, control)
        return {"ahead": {name: as_list(d) for name, d in found.items()}}

    return measure


def decide_ahead(evidence: Evidence) -> tuple[Verdict, str]:
    """The rule of all claims that one arm beats another, from intervals of the difference."""
    ahead = evidence["ahead"]
    better = [name for name, (_, low, _) in ahead.items() if low > 0]
    small = [name for name, (_, _, high) in ahead.items() if high < INTERESTING]
    numbers = "; ".join(f"{name} {as_points(values)}" for name, values in ahead.items())
    text = f"In points of test accuracy: {numbers}."
    if len(better) == len(ahead):
        return "holds", text
    if better:
        return "holds when …", f"… the setting is {' or '.join(better)}. {text}"
    return ("refuted" if len(small) == len(ahead) else "not shown"), text


def _depends(seed: int) -> Evidence:
    """Spread over the settings of each arm's advantage over ReLU, relative to PReLU's."""
    table = contest_table(seed)
    parts = [part for _, part in places(table)]
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, 20, (2_000, len(parts), 20))  # seeds resampled within each setting

    def spreads(arm: str) -> tuple[float, Array]:
        ahead = np.array([accuracies(p, arm) - accuracies(p, "ReLU") for p in parts])
        resampled = np.take_along_axis(ahead[None], draws, axis=2).mean(2)
        return float(ahead.mean(1).std(ddof=1)), resampled.std(1, ddof=1)

    own, own_draws = spreads("PReLU")
    evidence: dict[str, Any] = {"spread": {"PReLU": own}, "ratio": {}}
    for arm in ARMS:
        if arm not in ("ReLU", "PReLU"):
            other, other_draws = spreads(arm)
            low, high = np.quantile(own_draws / other_draws, (0.025, 0.975))
            evidence["spread"][arm] = other
            evidence["ratio"][arm] = [own / other, float(low), float(high)]
    return evidence


def _decide_depends(evidence: Evidence) -> tuple[Verdict, str]:
    ratios = evidence["ratio"]
    spread = "; ".join(f"{arm} {100 * value:.2f}" for arm, value in evidence["spread"].items())
    text = (
        "The advantage over ReLU varies between the settings, as a standard deviation in points, "
        f"by: {spread}."
    )
    if all(low > 1 for _, low, _ in ratios.values()):
        return "holds", text
    if any(high < 1 for _, _, high in ratios.values()):
        return "refuted", text
    return "not shown", text


def _first_layer(seed: int) -> Evidence:
    from scipy.stats import spearmanr

    table = contest_table(seed)
    found = {}
    for name, depth in itertools.product(CONTESTS, DEPTHS):
        layers = np.arange(depth)
        ranks = [float(spearmanr(layers, row).statistic) for row in slopes(table, name, depth)]
        found[f"{TITLES[name]}, {depth} layers"] = as_list(stats.mean_interval(ranks))
    every = [
        slopes(table, name, depth).ravel() for name, depth in itertools.product(CONTESTS, DEPTHS)
    ]
    joined = np.concatenate(every)
    return {
        "correlation": found,
        "below_zero": float((joined < 0).mean()),
        "above_one": float((joined > 1).mean()),
    }


def _decide_first_layer(evidence: Evidence) -> tuple[Verdict, str]:
    found = evidence["correlation"]
    falls = [name for name, (_, _, high) in found.items() if high < -0.3]
    numbers = "; ".join(f"{name} {mean:+.2f}" for name, (mean, _, _) in found.items())
    text = (
        f"The rank correlation of slope and layer is: {numbers}. Of all learned slopes "
        f"{evidence['below_zero']:.0%} are negative and {evidence['above_one']:.0%} above 1."
    )
    if len(falls) == len(found):
        return "holds", text
    if falls:
        return "holds when …", f"… the setting is {' or '.join(falls)}. {text}"
    return "refuted", text


# --- Fixed, learned, random: the same mean slope, more and more data -----------------------------

SLOPE_KINDS: dict[str, dict[str, Any]] = {
    "fixed": leaky(MEAN_SLOPE),
    "learned": prelu(MEAN_SLOPE),
    "random": rrelu(),
}
# Examples that differ; they are repeated until an epoch is as long as the largest size.
SIZES = {"mnist1d": (200, 600, 3_000), "fashion_mnist": (160, 1_280, 10_240)}
SIZE_EPOCHS = {"mnist1d": 20, "fashion_mnist": 5}  # 940 and 800 updates, whatever the size


def repeated(name: str, size: int) -> tuple[Any, ...]:
    """``size`` training examples of a data set, repeated to the length of its largest size."""
    x, y, *rest = with_fewer(datasets.load(name, size=size))
    copies = SIZES[name][-1] // size
    return (np.tile(x, (copies, 1)), np.tile(y, copies), *rest)


def sizes_study() -> pd.DataFrame:
    """Fixed, learned and random slope with the same mean, training sets of growing size.

    Rows: the accuracies, ``train_loss`` (of the last epoch) and ``test_loss`` of one network.
    """
    import pandas as pd

    tables = []
    for name, sizes in SIZES.items():
        for size in sizes:
            data = repeated(name, size)
            for root, (arm, own) in itertools.product((0, 1), SLOPE_KINDS.items()):
                settings = {**own, "hidden": (64,) * 3, "batch_size": 64}
                epochs = SIZE_EPOCHS[name]
                lr, edge = tuned(data, settings, root, 5, epochs=epochs)
                result = ensemble.train(
                    data,
                    arms={arm: {**settings, "lr": lr}},
                    seeds=root_seeds(root),
                    epochs=epochs,
                    keep_weights=False,
                    progress=False,
                )
                table = result.to_frame().drop(columns=["best_epoch", "valid_loss"])
                tables.append(table.assign(data=name, size=size, root=root, lr=lr, edge=edge))
    return compact(pd.concat(tables, ignore_index=True))


def advantage(table: pd.DataFrame, name: str, arm: str, what: str = "test_accuracy") -> Array:
    """An arm minus the fixed slope, (seeds, sizes); a diverged network's accuracy is chance."""
    part = table[table.data == name]

    def values(kind: str) -> Array:
        wide = part[part.arm == kind].pivot(index="seed", columns="size", values=what)
        return np.asarray(wide.fillna(CHANCE), dtype=np.float64)

    return values(arm) - values("fixed")


def sizes_plot(table: pd.DataFrame, name: str, ax: Any | None = None) -> Plot:
    """Learned and random slope minus the fixed one, against the number of training examples."""
    ax = plots.axis(ax, height=3.4)
    sentences = []
    artists = {}
    for i, (arm, title) in enumerate((("learned", "PReLU"), ("random", "RReLU"))):
        ends = [stats.mean_interval(100 * column) for column in advantage(table, name, arm).T]
        artists[title] = plots.band(
            ax,
            SIZES[name],
            [end.mean for end in ends],
            [end.low for end in ends],
            [end.high for end in ends],
            label=f"{title} ({arm})",
            color=plots.NEUTRAL[i + 1],
            marker=plots.MARKERS[i + 1],
        )
        sentences.append(f"{title} from {ends[0].mean:+.1f} to {ends[-1].mean:+.1f}")
    fixed = table[(table.data == name) & (table.arm == "fixed")]
    floors = [
        100 * stats.noise_floor(fixed[fixed["size"] == size].test_accuracy.fillna(CHANCE))
        for size in SIZES[name]
    ]
    ax.fill_between(
        *(SIZES[name], np.negative(floors), floors),
        color=plots.GRID,
        linewidth=0,
        zorder=0,
        label="noise floor of the fixed slope",
    )
    ax.axhline(0, color=plots.INK, linewidth=1)
    ax.set_xscale("log")
    ax.set_xticks(SIZES[name], [f"{size:,}" for size in SIZES[name]])
    ax.minorticks_off()
    ax.legend()
    learned = table[(table.data == name) & (table.arm == "learned")]
    lost = learned.groupby("size").diverged.sum()
    if lost.max():
        title = f"{lost.max()} of 20 PReLU networks diverge at {lost.idxmax():,} examples"
    else:
        ahead = 100 * advantage(table, name, "learned").mean(0)
        most = f"{ahead[np.abs(ahead).argmax()]:+.1f}".replace("-", "−")
        title = f"learned against fixed, up to {most} points"
    title = f"{TITLES[name]}: {title}"
    plots.label(
        ax,
        title=title,
        x="different training examples",
        y="ahead of a fixed slope (points)",
    )
    alt = (
        f"Line plot for {TITLES[name]} of test accuracy minus that of a fixed slope of the same "
        f"mean against the number of training examples: {'; '.join(sentences)} points, over a grey "
        f"band, the noise floor of {floors[0]:.1f} to {floors[-1]:.1f} points. {title}."
    )
    return Plot(ax, alt, artists)


def _large_data(seed: int) -> Evidence:
    table = study.load("leaky_sizes")
    table = table[table.root == seed]
    trend, largest = {}, {}
    for name, sizes in SIZES.items():
        ahead = advantage(table, name, "learned")
        decades = np.log10(sizes)
        per_decade = np.polyfit(decades, ahead.T, 1)[0]  # one slope per seed
        trend[TITLES[name]] = as_list(stats.mean_interval(per_decade))
        largest[TITLES[name]] = as_list(stats.mean_interval(ahead[:, -1]))
    return {"per_tenfold": trend, "at_largest": largest}


def _decide_large_data(evidence: Evidence) -> tuple[Verdict, str]:
    trend, largest = evidence["per_tenfold"], evidence["at_largest"]
    grows = [name for name in trend if trend[name][1] > 0 and largest[name][1] > 0]
    flat = [name for name in trend if trend[name][2] < INTERESTING]
    numbers = "; ".join(
        f"{name} {as_points(trend[name])} points for ten times the data, "
        f"{as_points(largest[name])} at the largest size"
        for name in trend
    )
    text = f"Learned minus fixed slope: {numbers}."
    if len(grows) == len(trend):
        return "holds", text
    if grows:
        return "holds when …", f"… the data are {' or '.join(grows)}. {text}"
    return ("refuted" if len(flat) == len(trend) else "not shown"), text


def _overfitting(seed: int) -> Evidence:
    """At the smallest size, where the networks overfit most: accuracy and gap against fixed."""
    table = study.load("leaky_sizes")
    table = table[table.root == seed]
    ahead, gaps, more = {}, {}, {}
    for name, sizes in SIZES.items():
        random = advantage(table, name, "random")
        ahead[TITLES[name]] = as_list(stats.mean_interval(random[:, 0]))
        more[TITLES[name]] = as_list(stats.mean_interval(random[:, 0] - random[:, -1]))
        part = table[(table.data == name) & (table["size"] == sizes[0])]
        gap = (part.test_loss - part.train_loss).groupby(part.arm).mean()
        gaps[TITLES[name]] = {arm: float(gap[arm]) for arm in ("fixed", "random")}
    return {"ahead_where_overfitting": ahead, "more_than_at_largest": more, "gap": gaps}


def _decide_overfitting(evidence: Evidence) -> tuple[Verdict, str]:
    ahead, gaps = evidence["ahead_where_overfitting"], evidence["gap"]
    helps = [name for name, (_, low, _) in ahead.items() if low > 0]
    small = [name for name, (_, _, high) in ahead.items() if high < INTERESTING]
    numbers = "; ".join(
        f"{name} {as_points(ahead[name])} points, test loss minus training loss "
        f"{gaps[name]['random']:.2f} instead of {gaps[name]['fixed']:.2f}"
        for name in ahead
    )
    text = f"Random minus fixed slope on the smallest training sets: {numbers}."
    if len(helps) == len(ahead):
        return "holds", text
    if helps:
        return "holds when …", f"… the data are {' or '.join(helps)}. {text}"
    return ("refuted" if len(small) == len(ahead) else "not shown"), text


_CONTEST = (
    "Five and ten hidden layers of 64 on digits, MNIST-1D and 2,000 images of Fashion-MNIST; each "
    "arm with He's start for its own slope and its own learning rate (of four, by five other "
    "seeds); 20 seeds, paired."
)
_AHEAD_RULE = (
    "Holds if the interval of the difference in test accuracy (95 % for all six settings "
    "together) lies above 0 in every setting; holds when … in some; refuted if in all six it lies "
    "below half a point."
)
OTHERWISE_AHEAD = {
    "ahead": {"Digits, 5 layers": [0.02, 0.01, 0.03], "MNIST-1D, 5 layers": [0.03, 0.02, 0.04]}
}
_SIZES = (
    "A slope fixed at RReLU's mean, one learned from there, and RReLU, each with its own start "
    "and learning rate; three hidden layers, the same number of updates on training sets of "
    "growing size (MNIST-1D 200 to 3,000, Fashion-MNIST 160 to 10,240); 20 seeds, paired."
)

CLAIMS = (
    Claim(
        id="leaky-beats-relu",
        statement="Leaky ReLU outperforms ReLU.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=f"{_CONTEST} Slope 0.01 against ReLU.",
        rule=_AHEAD_RULE,
        measure=_ahead("leaky 0.01", "ReLU"),
        decide=decide_ahead,
        otherwise=OTHERWISE_AHEAD,
        cheap=False,
    ),
    Claim(
        id="leaky-steeper-better",
        statement="A leaky ReLU with a larger slope (1/5.5) is better than one with 0.01.",
        source=XU,
        chapter=CHAPTER,
        experiment=f"{_CONTEST} Slope 0.18 against slope 0.01.",
        rule=_AHEAD_RULE,
        measure=_ahead("leaky 0.18", "leaky 0.01"),
        decide=decide_ahead,
        otherwise=OTHERWISE_AHEAD,
        cheap=False,
    ),
    Claim(
        id="prelu-beats-relu",
        statement="PReLU outperforms ReLU.",
        source=f"{HE}; the ranking at the end of the starting document",
        chapter=CHAPTER,
        experiment=f"{_CONTEST} One learned slope per layer, from 0.25, against ReLU.",
        rule=_AHEAD_RULE,
        measure=_ahead("PReLU", "ReLU"),
        decide=decide_ahead,
        otherwise=OTHERWISE_AHEAD,
        cheap=False,
    ),
    Claim(
        id="rrelu-beats-relu",
        statement="RReLU outperforms ReLU.",
        source=f"{XU}; the ranking at the end of the starting document",
        chapter=CHAPTER,
        experiment=f"{_CONTEST} Slopes drawn from 1/8 to 1/3 against ReLU.",
        rule=_AHEAD_RULE,
        measure=_ahead("RReLU", "ReLU"),
        decide=decide_ahead,
        otherwise=OTHERWISE_AHEAD,
        cheap=False,
    ),
    Claim(
        id="prelu-depends-on-problem",
        statement="A disadvantage of PReLU is that it performs differently on different problems.",
        source=PRELU_DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            f"{_CONTEST} How much the advantage over ReLU varies between the six settings, for "
            "PReLU and for every other arm; seeds resampled 2,000 times."
        ),
        rule=(
            "Holds if it varies more for PReLU than for every other arm (95 % intervals of the "
            "ratios above 1); refuted if less than for some arm (an interval below 1)."
        ),
        measure=_depends,
        decide=_decide_depends,
        otherwise={
            "spread": {"PReLU": 0.02, "RReLU": 0.01},
            "ratio": {"RReLU": [2.0, 1.5, 2.5], "leaky 0.3": [3.0, 2.0, 4.0]},
        },
        cheap=False,
    ),
    Claim(
        id="prelu-first-layer",
        statement="PReLU learns a large slope in the first layer and smaller ones deeper down.",
        source=HE,
        chapter=CHAPTER,
        experiment=(
            f"{_CONTEST} Rank correlation of learned slope and layer in each PReLU network."
        ),
        rule=(
            "Holds if the correlation lies below −0.3 (95 % interval over the seeds) in all six "
            "settings, holds when … in some, refuted if in none."
        ),
        measure=_first_layer,
        decide=_decide_first_layer,
        otherwise={
            "correlation": {"Digits, 5 layers": [-0.9, -1.0, -0.8]},
            "below_zero": 0.0,
            "above_one": 0.0,
        },
        cheap=False,
    ),
    Claim(
        id="prelu-large-data",
        statement="PReLU is worth a try when the training set is large.",
        source=RRELU_DOCUMENT,
        chapter=CHAPTER,
        experiment=_SIZES,
        rule=(
            "Learned minus fixed slope. Holds if on both data sets the advantage grows with the "
            "logarithm of the size and is above 0 at the largest (95 % intervals), holds when … on "
            "one, refuted if on both it grows by less than half a point for ten times the data."
        ),
        measure=_large_data,
        decide=_decide_large_data,
        otherwise={
            "per_tenfold": {"MNIST-1D": [0.02, 0.01, 0.03], "Fashion-MNIST": [0.02, 0.01, 0.03]},
            "at_largest": {"MNIST-1D": [0.02, 0.01, 0.03], "Fashion-MNIST": [0.02, 0.01, 0.03]},
        },
        cheap=False,
    ),
    Claim(
        id="rrelu-overfitting",
        statement="RReLU is worth a try when the network overfits.",
        source=f"{RRELU_DOCUMENT}; {XU}",
        chapter=CHAPTER,
        experiment=f"{_SIZES} On the smallest sets the networks overfit most.",
        rule=(
            "Random minus fixed slope on the smallest sets. Holds if the 95 % interval lies above "
            "0 on both data sets, holds when … on one, refuted if on both it lies below half a "
            "point."
        ),
        measure=_overfitting,
        decide=_decide_overfitting,
        otherwise={
            "ahead_where_overfitting": {"MNIST-1D": [0.02, 0.01, 0.03]},
            "gap": {"MNIST-1D": {"fixed": 2.0, "random": 1.0}},
        },
        cheap=False,
    ),
)
