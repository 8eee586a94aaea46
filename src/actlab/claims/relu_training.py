"""What happens to ReLUs during training: who dies, at which learning rate, and who comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from actlab import data as datasets
from actlab import ensemble, plots, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import CHAPTER, DOCUMENT, root_seeds
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Result

# Half-decades around the usual value of each optimiser, far enough up to break it.
LEARNING_RATES = {
    "SGD": (0.01, 0.03, 0.1, 0.3, 1.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "Adam": (0.0003, 0.001, 0.003, 0.01, 0.03),
}
OPTIMISERS: dict[str, dict[str, Any]] = {
    "SGD": {"optimizer": "sgd", "momentum": 0.0},
    "momentum": {"optimizer": "sgd", "momentum": 0.9},
    "Adam": {"optimizer": "adam"},
}
BASE: dict[str, Any] = {
    "activation": "relu",
    "hidden": (64,) * 5,
    "init": "he_normal",
    "batch_size": 128,
}
# One change at a time, on digits, with momentum at its three middle learning rates.
VARIANTS: dict[str, dict[str, Any]] = {
    "2 layers": {"hidden": (64,) * 2},
    "10 layers": {"hidden": (64,) * 10},
    "width 16": {"hidden": (16,) * 5},
    "width 128": {"hidden": (128,) * 5},
    "PyTorch's init": {"init": "torch"},
    "Keras's init": {"init": "keras"},
    "batch norm": {"normalization": "batch"},
}
TITLES = {"digits": "Digits", "mnist1d": "MNIST-1D", "fashion_mnist": "Fashion-MNIST"}
CHANCE = 0.1  # all three data sets have ten classes of about equal size


def train(
    data: Any,
    seeds: Iterable[int],
    checks: Sequence[int],
    arms: Mapping[str, Mapping[str, Any]],
    progress: bool | None = None,
    *,
    dtype: str = "float32",
) -> Result:
    """Train ReLU networks (``BASE``, overridden by each arm), counting the dead at some epochs.

    ``checks``: those epochs; 0 is before training, the last one ends it.
    """
    per_epoch = math.ceil(len(data.y_train) / BASE["batch_size"])
    return ensemble.train(
        data,
        arms=arms,
        seeds=seeds,
        epochs=max(checks),
        probe="dead",
        probe_at=[per_epoch * epoch for epoch in checks],
        keep_weights=False,
        progress=progress,
        dtype=dtype,
        **BASE,
    )


def follow(result: Result, arm: str, checks: Sequence[int]) -> pd.DataFrame:
    """One row per network and checked epoch of an arm: shares of all its hidden units.

    ``dead`` now; ``born_dead`` at the start; ``died``: dead now, alive at the start; ``revived``:
    units that were dead at some check and fire now; ``ever_dead``: dead at any check so far;
    ``first_revived``: like ``revived``, for the first hidden layer alone.
    """
    import pandas as pd

    fates = result.fates(arm)  # name → (seeds, checks, layers)
    widths = result.arms[arm].hidden
    share = {name: np.average(values, 2, widths) for name, values in fates.items()}
    share["first_revived"] = fates["revived"][:, :, 0]
    rows = [
        {"seed": seed, "epoch": epoch, **{name: v[i, j] for name, v in share.items()}}
        for i, seed in enumerate(result.seed_of[result.index(arm)])
        for j, epoch in enumerate(checks)
        if j < share["dead"].shape[1] and np.isfinite(share["dead"][i, j])
    ]
    return pd.DataFrame(rows)


def training_study() -> pd.DataFrame:
    """Three data sets × optimisers × learning rates, and variants, two roots × 20 seeds each."""
    import pandas as pd

    grid = {
        f"{optimiser}, lr={lr:g}": (optimiser, "base", {**OPTIMISERS[optimiser], "lr": lr})
        for optimiser, rates in LEARNING_RATES.items()
        for lr in rates
    }
    variants = {
        f"{variant}, lr={lr:g}": ("momentum", variant, {**OPTIMISERS["momentum"], **own, "lr": lr})
        for variant, own in VARIANTS.items()
        for lr in LEARNING_RATES["momentum"][1:4]
    }
    fashion = {"hidden": (256, 256, 128, 128)}
    tables = []
    for name, options, checks, arms, own in (
        ("digits", {}, (0, 1, 2, 3, 5, 10, 20, 30), {**grid, **variants}, {}),
        ("mnist1d", {}, (0, 1, 2, 3, 5, 10, 15), grid, {}),
        ("fashion_mnist", {"size": 5_000}, (0, 1, 2, 3, 5), grid, fashion),
    ):
        data = datasets.load(name, **options)  # type: ignore[arg-type]
        for root in (0, 1):
            for arm, (optimiser, variant, choice) in arms.items():
                result = train(data, root_seeds(root), checks, {arm: {**own, **choice}}, False)
                outcome = result.to_frame().set_index("seed")
                table = follow(result, arm, checks)
                tables.append(
                    table.assign(
                        data=name,
                        root=root,
                        optimiser=optimiser,
                        variant=variant,
                        lr=choice["lr"],
                        last=table.epoch == checks[-1],
                        diverged=table.seed.map(outcome.diverged),
                        valid_accuracy=table.seed.map(outcome.valid_accuracy),
                        test_accuracy=table.seed.map(outcome.test_accuracy),
                    )
                )
    table = pd.concat(tables, ignore_index=True)
    for column in table.columns[table.dtypes == "float64"]:
        if column != "lr":
            table[column] = table[column].astype("float32")
    return table


def final(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The last check of every network that got there, for the rows that match."""
    for key, value in where.items():
        table = table[table[key] == value]
    return table[table["last"] & ~table.diverged]


def tuned(table: pd.DataFrame, data: str, optimiser: str, variant: str = "base") -> float:
    """The learning rate with the best mean validation accuracy (diverged ones count as chance)."""
    part = table[(table.data == data) & (table.optimiser == optimiser) & (table.variant == variant)]
    networks = part.drop_duplicates(["lr", "seed"])
    scores = networks.assign(score=networks.valid_accuracy.fillna(CHANCE))
    return float(scores.groupby("lr").score.mean().idxmax())


def dead_by_learning_rate(table: pd.DataFrame, data: str, ax: Any | None = None) -> Plot:
    """Dead share at the end of training against the learning rate, one line per optimiser.

    The ring marks the learning rate with the best validation accuracy. Diverged networks are left
    out; a rate at which more than half of them diverged has no point.
    """
    ax = plots.axis(ax, height=3.6)
    sentences = []
    artists = {}
    for i, (optimiser, rates) in enumerate(LEARNING_RATES.items()):
        shown, ends = [], []
        for lr in rates:
            rows = final(table, data=data, optimiser=optimiser, variant="base", lr=lr)
            if len(rows) >= 10:
                shown.append(lr)
                ends.append(stats.mean_interval(100 * rows.dead))
        artists[optimiser] = plots.band(
            ax,
            shown,
            [end.mean for end in ends],
            [end.low for end in ends],
            [end.high for end in ends],
            label=optimiser,
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
        )
        best = tuned(table, data, optimiser)
        at_best = ends[shown.index(best)].mean
        ax.plot(best, at_best, "o", ms=13, mfc="none", mec=plots.NEUTRAL[i], mew=1.8)
        sentences.append(
            f"{optimiser}: {at_best:.0f} % at the tuned rate {best:g}, at most "
            f"{max(end.mean for end in ends):.0f} %"
        )
    ax.set_xscale("log")
    ax.set_ylim(0, 100)
    ax.legend(title="ring: tuned rate")
    title = TITLES[data]
    plots.label(ax, title=title, x="learning rate", y="dead hidden units (%)")
    alt = (
        f"Line plot for {title} of the share of dead hidden units after training against the "
        f"learning rate, from 0 to 100 %, one line per optimiser. {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def where_reached(table: pd.DataFrame, share: float) -> pd.DataFrame:
    """Per data set and optimiser, the smallest learning rate with a mean dead share ≥ ``share``.

    Columns ``data``, ``optimiser``, ``lr``, ``times_tuned`` (that rate over the tuned one),
    ``accuracy`` (validation, there) and ``tuned_accuracy`` (at the tuned rate). NaN where no rate
    reaches it; rates at which more than half of the networks diverged do not count.
    """
    import pandas as pd

    rows = []
    for data in table.data.unique():
        for optimiser, rates in LEARNING_RATES.items():
            best = tuned(table, data, optimiser)
            at_best = final(table, data=data, optimiser=optimiser, variant="base", lr=best)
            row = {
                "data": data,
                "optimiser": optimiser,
                "tuned_accuracy": float(at_best.valid_accuracy.mean()),
            }
            for lr in rates:
                ends = final(table, data=data, optimiser=optimiser, variant="base", lr=lr)
                if len(ends) >= 10 and ends.dead.mean() >= share:
                    row["lr"] = lr
                    row["times_tuned"] = lr / best
                    row["accuracy"] = float(ends.valid_accuracy.mean())
                    break
            rows.append(row)
    columns = ["data", "optimiser", "lr", "times_tuned", "accuracy", "tuned_accuracy"]
    return pd.DataFrame(rows, columns=columns)


def dead_over_time(table: pd.DataFrame, data: str, optimiser: str, ax: Any | None = None) -> Plot:
    """Dead share against the epoch, one line per learning rate; networks that did not diverge."""
    ax = plots.axis(ax, height=3.6)
    best = tuned(table, data, optimiser)
    sentences, artists = [], {}
    rows = table[
        (table.data == data)
        & (table.optimiser == optimiser)
        & (table.variant == "base")
        & ~table.diverged
    ]
    for i, (lr, part) in enumerate(rows.groupby("lr")):
        if part.seed.nunique() < 10:
            continue
        looks = [stats.mean_interval(100 * look.dead) for _, look in part.groupby("epoch")]
        artists[lr] = plots.band(
            ax,
            sorted(part.epoch.unique()),
            [look.mean for look in looks],
            [look.low for look in looks],
            [look.high for look in looks],
            label=f"{lr:g}{' (tuned)' if lr == best else ''}",
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
        )
        sentences.append(f"{lr:g}: {looks[0].mean:.0f} % at first, {looks[-1].mean:.0f} % at last")
    ax.set_xscale("symlog", linthresh=1)
    epochs = sorted(rows.epoch.unique())
    ax.set_xticks(epochs, [str(epoch) for epoch in epochs])
    ax.minorticks_off()
    ax.set_ylim(0)
    ax.legend(title="learning rate", ncol=2)
    title = f"{TITLES[data]}, {optimiser}: who dies, dies early"
    plots.label(ax, title=title, x="epoch", y="dead (% of hidden units)")
    alt = (
        f"Line plot of the share of dead hidden units on {TITLES[data]} with {optimiser} against "
        f"the epoch, one line per learning rate. {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def by_variant(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """Dead share after training for each of ``VARIANTS``: at its tuned rate and at the largest.

    Digits, momentum. Diverged networks are left out; a row without a hollow marker lost more than
    half of its networks at the largest rate.
    """
    ax = plots.axis(ax, height=4.2)
    rates = LEARNING_RATES["momentum"][1:4]
    names = ["base", *VARIANTS]
    labels = ["5 layers of 64, He", *VARIANTS]
    kinds = ((True, "at its tuned learning rate"), (False, f"at {rates[-1]:g}"))
    sentences, artists = [], {}
    for at_best, label in kinds:
        drawn: list[tuple[int, stats.Interval]] = []
        for place, name in enumerate(names):
            rows = table[table.lr.isin(rates)]
            lr = tuned(rows, "digits", "momentum", name) if at_best else rates[-1]
            ends = final(rows, data="digits", optimiser="momentum", variant=name, lr=lr)
            if len(ends) >= 10:
                drawn.append((place, stats.mean_interval(100 * ends.dead)))
        i = 0 if at_best else 1
        artists[label] = ax.errorbar(
            [found.mean for _, found in drawn],
            [place + (0.12 if i else -0.12) for place, _ in drawn],
            xerr=[
                [found.mean - found.low for _, found in drawn],
                [found.high - found.mean for _, found in drawn],
            ],
            fmt=plots.MARKERS[i],
            ms=7,
            mfc=plots.NEUTRAL[i] if at_best else "white",
            color=plots.NEUTRAL[i],
            label=label,
        )
        shown = ", ".join(f"{labels[place]} {found.mean:.1f} %" for place, found in drawn)
        sentences.append(f"{label[0].upper()}{label[1:]}: {shown}")
    ax.set_yticks(range(len(names)), labels)
    ax.invert_yaxis()
    ax.set_xlim(left=-1)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.18), ncol=2)
    normalised = final(table, data="digits", optimiser="momentum", variant="batch norm")
    worst = normalised.dead.max()
    title = (
        f"With batch norm at most {100 * worst:.1f} % die" if worst else "Batch norm: nobody dies"
    )
    plots.label(ax, title=title, x="dead after training (% of hidden units)", y="")
    alt = (
        "Dot plot of the share of dead hidden units after training on digits with momentum, one "
        f"row per variant of the network, with 95 % intervals. {'. '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def _interval(values: npt.ArrayLike) -> list[float]:
    found = stats.mean_interval(values)
    return [found.mean, found.low, found.high]


def _study(seed: int) -> pd.DataFrame:
    table = study.load("relu_training")
    return table[table.root == seed]


def _died_at_tuned(seed: int) -> Evidence:
    table = _study(seed)
    died = {}
    for data in table.data.unique():
        for optimiser in LEARNING_RATES:
            rows = final(
                table,
                data=data,
                optimiser=optimiser,
                variant="base",
                lr=tuned(table, data, optimiser),
            )
            died[f"{data}, {optimiser}"] = _interval(rows.died)
    return {"died": died}


def _decide_died(evidence: Evidence) -> tuple[Verdict, str]:
    died = evidence["died"]
    some = [name for name, (_, low, _) in died.items() if low > 0.01]
    few = [name for name, (_, _, high) in died.items() if high < 0.01]
    most = max(died, key=lambda name: died[name][0])
    span = f"from {min(v[0] for v in died.values()):.1%} to {died[most][0]:.1%} ({most})"
    if len(some) == len(died):
        return "holds", f"At the tuned learning rate the share that dies is {span}."
    if len(few) == len(died):
        return "refuted", f"At the tuned learning rate hardly any unit dies: {span}."
    if some:
        return "holds when …", (
            f"… the setting is one of {'; '.join(some)}. Over all nine settings, at the tuned "
            f"learning rate, the share that dies is {span}."
        )
    return "not shown", f"At the tuned learning rate the share that dies is {span}."


def _half_dead(seed: int) -> Evidence:
    table = _study(seed)
    cases = []
    for data in table.data.unique():
        for optimiser, rates in LEARNING_RATES.items():
            best = tuned(table, data, optimiser)
            for lr in rates:
                rows = final(table, data=data, optimiser=optimiser, variant="base", lr=lr)
                if len(rows) >= 10:  # most networks still stand
                    cases.append(
                        {
                            "data": data,
                            "optimiser": optimiser,
                            "lr": lr,
                            "times_tuned": lr / best,
                            "dead": _interval(rows.dead),
                            "accuracy": float(rows.valid_accuracy.mean()),
                        }
                    )
    return {"cases": cases}


def _decide_half_dead(evidence: Evidence) -> tuple[Verdict, str]:
    cases = evidence["cases"]
    half = [case for case in cases if case["dead"][1] >= 0.5]
    if not half:
        worst = max(cases, key=lambda case: case["dead"][0])
        return "refuted", (
            f"In no setting whose networks still stand is half of the units dead; the most is "
            f"{worst['dead'][0]:.0%} ({worst['data']}, {worst['optimiser']}, lr {worst['lr']:g})."
        )
    reached = {(case["data"], case["optimiser"]) for case in half}
    everywhere = {(case["data"], case["optimiser"]) for case in cases}
    best = max(case["accuracy"] for case in half)
    least = min(case["times_tuned"] for case in half)
    text = (
        f"It happens in {len(reached)} of {len(everywhere)} combinations of data set and "
        f"optimiser, at {least:.0f} times the tuned learning rate or more, where the accuracy "
        f"is {best:.0%} at best"
    )
    if reached == everywhere:
        return "holds", f"{text}."
    names = "; ".join(sorted(f"{data} with {optimiser}" for data, optimiser in reached))
    return "holds when …", f"… the learning rate is far too large. {text} ({names})."


def _revival(seed: int) -> Evidence:
    table = _study(seed)
    rows = table[table["last"] & ~table.diverged & (table.variant == "base")]
    shares = {}
    for (data, optimiser), part in rows.groupby(["data", "optimiser"]):
        dead = part[part.ever_dead > 0]
        if len(dead) >= 10:
            shares[f"{data}, {optimiser}"] = _interval(dead.revived / dead.ever_dead)
    return {
        "revived_of_dead": shares,
        "first_layer_plain_sgd": float(rows[rows.optimiser == "SGD"].first_revived.max()),
        "first_layer_others": float(rows[rows.optimiser != "SGD"].first_revived.max()),
    }


def _decide_revival(evidence: Evidence) -> tuple[Verdict, str]:
    shares = evidence["revived_of_dead"]
    often = [name for name, (_, low, _) in shares.items() if low > 0.05]
    span = (
        f"of the units found dead at some check, between {min(v[0] for v in shares.values()):.0%} "
        f"and {max(v[0] for v in shares.values()):.0%} fire again at the end, depending on data "
        "set and optimiser"
    )
    first = evidence["first_layer_plain_sgd"]
    text = f"{span}; in the first layer, under plain SGD, at most {first:.1%} of the units"
    if len(often) == len(shares):
        return "holds", f"{text[0].upper()}{text[1:]}."
    if often:
        return "holds when …", f"… there is something to move the inputs: {text}."
    return "refuted", f"{text[0].upper()}{text[1:]}."


def _dead_and_accuracy(seed: int) -> Evidence:
    """Rank correlation of dead share and test accuracy between seeds of one and the same arm."""
    from scipy.stats import spearmanr

    table = _study(seed)
    rows = final(table)
    within, across = [], []
    for (data, optimiser, variant), group in rows.groupby(["data", "optimiser", "variant"]):
        best = tuned(table, str(data), str(optimiser), str(variant))
        arm = group[group.lr == best]
        if len(arm) >= 10 and arm.dead.nunique() > 2:
            within.append(float(spearmanr(arm.dead, arm.test_accuracy).statistic))
        means = group.groupby("lr")[["dead", "test_accuracy"]].mean()
        if len(means) >= 3 and means.dead.nunique() > 2:
            across.append(float(spearmanr(means.dead, means.test_accuracy).statistic))
    return {"within": _interval(within), "across": _interval(across), "arms": len(within)}


def _decide_dead_and_accuracy(evidence: Evidence) -> tuple[Verdict, str]:
    mean, low, high = evidence["within"]
    numbers = (
        f"between seeds of one tuned setting the rank correlation of dead share and test accuracy "
        f"is {mean:+.2f} [{low:+.2f}, {high:+.2f}] over {evidence['arms']} settings; between "
        f"learning rates of one setting it is {evidence['across'][0]:+.2f} "
        f"[{evidence['across'][1]:+.2f}, {evidence['across'][2]:+.2f}]"
    )
    if high < -0.3:
        return "holds", f"{numbers[0].upper()}{numbers[1:]}."
    if low > -0.3 and evidence["across"][2] < -0.3:
        return "holds when …", (
            f"… learning rates are compared, not networks: {numbers}. A large dead share is a "
            "symptom of a learning rate that is too large."
        )
    if low > -0.3:
        return "refuted", f"{numbers[0].upper()}{numbers[1:]}."
    return "not shown", f"{numbers[0].upper()}{numbers[1:]}."


def _half_killed(shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    """He normal weights, but the first half of a hidden layer's units get none: dead for good.

    With no weights and no bias the pre-activation is 0, where ReLU's gradient is 0 too.
    """
    weight: torch.Tensor = torch.randn(shape, generator=generator, dtype=torch.float64)
    weight *= math.sqrt(2 / shape[1])
    if shape[0] == BASE["hidden"][0]:
        weight[: shape[0] // 2].zero_()
    return weight


def _half_killed_networks(seed: int) -> Evidence:
    starts: dict[str, Any] = {"intact": "he_normal", "half dead": _half_killed}
    arms = {
        f"{name}, lr={lr:g}": {"init": init, "lr": lr, **OPTIMISERS["momentum"]}
        for name, init in starts.items()
        for lr in (0.01, 0.03, 0.1)
    }
    result = train(datasets.load("digits"), root_seeds(seed), (0, 20), arms, progress=False)
    evidence: dict[str, Any] = {}
    for name in starts:
        mine = [arm for arm in arms if arm.startswith(name)]
        best = max(mine, key=lambda arm: np.nan_to_num(result.by_arm("valid_accuracy")[arm]).mean())
        last = result.fates(best)["dead"][:, -1].mean(1)  # all layers are as wide
        evidence[name] = {
            "accuracy": _interval(result.by_arm("test_accuracy")[best]),
            "dead": float(last.mean()),
        }
    return evidence


def _decide_half_killed(evidence: Evidence) -> tuple[Verdict, str]:
    intact, half = evidence["intact"], evidence["half dead"]
    numbers = (
        f"with {half['dead']:.0%} of its hidden units dead the network reaches "
        f"{half['accuracy'][0]:.1%} [{half['accuracy'][1]:.1%}, {half['accuracy'][2]:.1%}] on the "
        f"test digits; intact it reaches {intact['accuracy'][0]:.1%} "
        f"[{intact['accuracy'][1]:.1%}, {intact['accuracy'][2]:.1%}]"
    )
    loss = intact["accuracy"][0] - half["accuracy"][0]
    text = f"{numbers[0].upper()}{numbers[1:]}."
    if loss > 0.2:
        return "holds", text
    return ("refuted" if loss < 0.05 else "not shown"), text


_SETTINGS = (
    "ReLU networks from He's start on digits, MNIST-1D and 5,000 images of Fashion-MNIST; SGD, "
    "momentum and Adam at five learning rates each, 20 seeds; a unit is dead if it is 0 for every "
    "training input, counted before training and at several epochs."
)

CLAIMS = (
    Claim(
        id="relu-dead-stops-learning",
        statement="With dead ReLUs the network can no longer backpropagate or learn.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "Digits, five hidden layers of 64: half of the units of every hidden layer are killed "
            "for good before training; 20 seeds, learning rate tuned for each arm."
        ),
        rule=(
            "Holds if the half-dead network loses more than 20 points of test accuracy against "
            "the intact one; refuted if it loses less than 5."
        ),
        measure=_half_killed_networks,
        decide=_decide_half_killed,
        otherwise={
            "intact": {"accuracy": [0.97, 0.96, 0.98], "dead": 0.0},
            "half dead": {"accuracy": [0.1, 0.09, 0.11], "dead": 0.5},
        },
    ),
    Claim(
        id="relu-some-die",
        statement="Some ReLUs die during training and from then on only output 0.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=_SETTINGS,
        rule=(
            "At the learning rate with the best validation accuracy: holds if the 95 % interval "
            "of the share of units that die lies above 1 % in all nine combinations of data set "
            "and optimiser, holds when … in some, refuted if all lie below 1 %."
        ),
        measure=_died_at_tuned,
        decide=_decide_died,
        otherwise={"died": {"digits, SGD": [0.0001, 0.0, 0.0002]}},
        cheap=False,
    ),
    Claim(
        id="relu-half-die-large-lr",
        statement="With a large learning rate half of the ReLUs may die.",
        source=f"{DOCUMENT}; 'up to 40 %' in [CS231n](https://cs231n.github.io/neural-networks-1/)",
        chapter=CHAPTER,
        experiment=_SETTINGS,
        rule=(
            "Holds if in every combination of data set and optimiser there is a learning rate at "
            "which at least half of the networks do not diverge and the 95 % interval of their "
            "dead share lies above 50 %; holds when … in some; refuted if in none."
        ),
        measure=_half_dead,
        decide=_decide_half_dead,
        otherwise={
            "cases": [
                {
                    "data": "digits",
                    "optimiser": "SGD",
                    "lr": 1.0,
                    "times_tuned": 10.0,
                    "dead": [0.1, 0.05, 0.15],
                    "accuracy": 0.9,
                }
            ]
        },
        cheap=False,
    ),
    Claim(
        id="relu-revive",
        statement="Dead ReLUs may come back to life during training.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=_SETTINGS,
        rule=(
            "Of the units that were dead at some check, the share that fires at the last one: "
            "holds if its 95 % interval lies above 5 % in all combinations of data set and "
            "optimiser, holds when … in some, refuted if in none."
        ),
        measure=_revival,
        decide=_decide_revival,
        otherwise={
            "revived_of_dead": {"digits, SGD": [0.001, 0.0, 0.002]},
            "first_layer_plain_sgd": 0.0,
            "first_layer_others": 0.0,
        },
        cheap=False,
    ),
    Claim(
        id="relu-dead-hurts",
        statement="A network with more dead units is a worse network.",
        source="what every dead-ReLU warning takes for granted",
        chapter=CHAPTER,
        experiment=(
            "The same networks: rank correlation of dead share and test accuracy, between the "
            "seeds of each tuned setting and between the learning rates of each setting."
        ),
        rule=(
            "Holds if the correlation between seeds is below −0.3 (95 % interval over settings); "
            "holds when … only the one between learning rates is; refuted if neither is."
        ),
        measure=_dead_and_accuracy,
        decide=_decide_dead_and_accuracy,
        otherwise={"within": [-0.8, -0.9, -0.7], "across": [-0.9, -1.0, -0.8], "arms": 20},
        cheap=False,
    ),
)
