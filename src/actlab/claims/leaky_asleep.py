"""Chapter "Leaky, parametric, randomised, thresholded": units on the wrong side for every input."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from actlab import data as datasets
from actlab import ensemble, plots, stats, study
from actlab.claims.leaky_training import (
    CHANCE,
    CHAPTER,
    DOCUMENT,
    TITLES,
    Array,
    as_list,
    compact,
    leaky,
)
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot

SLEEPERS = {"ReLU": 0.0, "leaky 0.01": 0.01, "leaky 0.3": 0.3}
SLEEP_RATES = (0.01, 0.03, 0.1, 0.2)
SLEEP_EPOCHS = {"digits": (0, 1, 2, 5, 20), "mnist1d": (0, 1, 2, 5, 10)}

COMA_SLOPES = (0.0, 0.01, 0.1, 0.3)
COMA_DEPTHS = (1, 3, 5)
COMA_RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
COMA_EPOCHS = 20
# LeCun's weights and this bias put every unit on the negative side for every digit.
COMA: dict[str, Any] = {"init": "lecun_normal", "gain": 1.0, "bias": -8.0, "batch_size": 128}


def sleeping_units(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: hidden units at or below 0 for every input, and those whose output is 0 for every one.

    Boolean, (networks, all hidden units). For ReLU the two are the same.
    """
    awake: list[torch.Tensor] = []
    for batch in snapshot.batches(1024, preactivations=True):
        firing = [(layer > 0).any(1) for layer in batch]
        awake = firing if not awake else [a | f for a, f in zip(awake, firing, strict=True)]
    dead = [layer.largest == 0 for layer in snapshot.stats]
    return {"asleep": ~torch.cat(awake, 1), "dead": torch.cat(dead, 1)}


def sleep(name: str, root: int, seeds: int = 20) -> pd.DataFrame:
    """Three slopes × four learning rates on one data set: who is asleep, who is dead, who woke."""
    import pandas as pd

    data = datasets.load(name)
    checks = SLEEP_EPOCHS[name]
    per_epoch = math.ceil(len(data.y_train) / 64)
    tables = []
    for (arm, slope), lr in itertools.product(SLEEPERS.items(), SLEEP_RATES):
        result = ensemble.train(
            data,
            arms={arm: {**leaky(slope), "hidden": (64,) * 5, "batch_size": 64, "lr": lr}},
            seeds=root_seeds(root, seeds),
            epochs=checks[-1],
            probe=sleeping_units,
            probe_at=[per_epoch * epoch for epoch in checks],
            keep_weights=False,
            progress=False,
        )
        asleep, dead = result.probe("asleep", arm), result.probe("dead", arm)
        ever = np.nanmax(asleep, axis=1) > 0
        awake_now = asleep[:, -1] == 0
        table = result.to_frame()[["arm", "seed", "test_accuracy", "valid_accuracy", "diverged"]]
        tables.append(
            table.assign(
                data=name,
                root=root,
                lr=lr,
                asleep=asleep[:, -1].mean(1),
                dead=np.nanmax(dead.mean(2), axis=1),  # the most at any check
                ever_asleep=ever.mean(1),
                woke=(ever & awake_now).mean(1),
            )
        )
    return pd.concat(tables, ignore_index=True)


def coma(root: int, seeds: int = 20) -> pd.DataFrame:
    """Networks whose every unit starts asleep, and for slope 0.01 the same ones awake; digits."""
    import pandas as pd

    data = datasets.load("digits")
    tables = []
    starts = [*((slope, COMA["bias"]) for slope in COMA_SLOPES), (0.01, 0.0)]
    for (slope, bias), depth in itertools.product(starts, COMA_DEPTHS):
        own = {**leaky(slope), **COMA, "bias": bias, "hidden": (64,) * depth}
        result = ensemble.train(
            data,
            arms={f"{lr:g}": {**own, "lr": lr} for lr in COMA_RATES},
            seeds=root_seeds(root, seeds),
            epochs=COMA_EPOCHS,
            probe=sleeping_units,
            probe_at=[0],
            keep_weights=False,
            progress=False,
        )
        start = np.concatenate([result.probe("asleep", lr)[:, 0].mean(1) for lr in result.arms])
        table = result.to_frame()[["arm", "seed", "test_accuracy", "valid_accuracy", "diverged"]]
        table = table.assign(lr=table.arm.astype(float), arm="coma" if bias else "awake")
        tables.append(table.assign(root=root, slope=slope, depth=depth, asleep=start))
    return pd.concat(tables, ignore_index=True)


def asleep_study() -> pd.DataFrame:
    """Sleeping units: those that fall asleep in training, and networks put to sleep."""
    import pandas as pd

    tables = [
        table
        for root in (0, 1)
        for table in (sleep("digits", root), sleep("mnist1d", root), coma(root).assign(data="coma"))
    ]
    return compact(pd.concat(tables, ignore_index=True))


def standing(table: pd.DataFrame, name: str, arm: str, lr: float) -> pd.DataFrame:
    """The networks of one arm and rate that have not diverged, by seed."""
    rows = table[(table.data == name) & (table.arm == arm) & (table.lr == lr)]
    return rows[~rows.diverged].set_index("seed").sort_index()


def asleep_by_learning_rate(table: pd.DataFrame, name: str, ax: Any | None = None) -> Plot:
    """Share of sleeping units at the end against the learning rate, one line per slope."""
    ax = plots.axis(ax, height=3.4)
    sentences, at_first = [], []
    artists = {}
    for i, arm in enumerate(SLEEPERS):
        shown, ends = [], []
        for lr in SLEEP_RATES:
            rows = standing(table, name, arm, lr)
            if len(rows) >= 10:  # at least half of the networks
                shown.append(lr)
                ends.append(stats.mean_interval(100 * rows.asleep))
        artists[arm] = plots.band(
            ax,
            shown,
            [end.mean for end in ends],
            [end.low for end in ends],
            [end.high for end in ends],
            label=arm,
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
        )
        at_first.append(f"{arm} {ends[0].mean:.1f} %")
        sentences.append(f"{arm} from {ends[0].mean:.1f} % to {ends[-1].mean:.1f} %")
    ax.set_xscale("log")
    ax.set_xticks(SLEEP_RATES, [f"{lr:g}" for lr in SLEEP_RATES])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.legend()
    title = f"{TITLES[name]}, lowest rate: {', '.join(at_first[:2])}"
    plots.label(ax, title=title, x="learning rate", y="units asleep (%)")
    alt = (
        f"Line plot for {TITLES[name]} of the share of hidden units asleep after training against "
        f"the learning rate: {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def woken(table: pd.DataFrame) -> pd.DataFrame:
    """Of the units found asleep at any check, how many are awake at the end, in per cent.

    One row per data set, slope and learning rate at which all networks stand and some slept.
    """
    import pandas as pd

    rows = []
    for name, lr, arm in itertools.product(SLEEP_EPOCHS, SLEEP_RATES, SLEEPERS):
        part = standing(table, name, arm, lr)
        if len(part) == 20 and part.ever_asleep.mean() > 0.01:
            share = 100 * part.woke.sum() / part.ever_asleep.sum()
            rows.append((TITLES[name], lr, arm, share))
    frame = pd.DataFrame(rows, columns=["data", "learning rate", "arm", "woken"])
    wide = frame.pivot(index=["data", "learning rate"], columns="arm", values="woken")
    wide = wide[list(SLEEPERS)].rename_axis(columns=None)
    return wide.dropna(subset=["ReLU", "leaky 0.01"]).reset_index()


def coma_result(table: pd.DataFrame, slope: float, depth: int, arm: str) -> Array:
    """Test accuracies at the rate with the best validation accuracy, by seed; diverged is chance.

    ``arm`` is ``"coma"`` or ``"awake"``.
    """
    rows = table[(table.data == "coma") & (table.arm == arm) & (table.depth == depth)]
    rows = rows[np.isclose(rows.slope, slope)]
    scores = rows.assign(score=rows.valid_accuracy.fillna(CHANCE)).groupby("lr").score.mean()
    best = rows[rows.lr == scores.idxmax()].sort_values("seed")
    return np.asarray(best.test_accuracy.fillna(CHANCE), dtype=np.float64)


def coma_plot(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """Accuracy of the networks put to sleep against the slope, one line per depth."""
    ax = plots.axis(ax, height=3.6)
    sentences, best = [], []
    artists = {}
    marks = np.arange(len(COMA_SLOPES))
    for i, depth in enumerate(COMA_DEPTHS):
        ends = [
            stats.mean_interval(100 * coma_result(table, slope, depth, "coma"))
            for slope in COMA_SLOPES
        ]
        artists[f"{depth}"] = plots.band(
            ax,
            marks,
            [end.mean for end in ends],
            [end.low for end in ends],
            [end.high for end in ends],
            label=_layers(str(depth)),
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
        )
        numbers = ", ".join(f"{end.mean:.0f} %" for end in ends)
        sentences.append(f"{_layers(str(depth))}: {numbers}")
        best.append(max(end.mean for end in ends))
    ax.set_xticks(marks, [f"{slope:g}" for slope in COMA_SLOPES])
    ax.set_ylim(0, 100)
    ax.legend()
    plots.label(
        ax,
        title=f"{COMA_DEPTHS[-1]} layers asleep: no slope gets beyond {best[-1]:.0f} %",
        x="slope on the negative side (0 is ReLU)",
        y="test accuracy (%)",
    )
    alt = (
        "Line plot of the test accuracy of networks whose every unit starts asleep, for the "
        f"slopes {', '.join(f'{slope:g}' for slope in COMA_SLOPES)}: {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def _never_dead(seed: int) -> Evidence:
    table = study.load("leaky_asleep")
    table = table[(table.root == seed) & (table.data != "coma") & ~table.diverged]
    return {
        "dead": {arm: float(table[table.arm == arm].dead.max()) for arm in SLEEPERS},
        "asleep": {arm: float(table[table.arm == arm].asleep.max()) for arm in SLEEPERS},
        "networks": {arm: int((table.arm == arm).sum()) for arm in SLEEPERS},
    }


def _decide_never_dead(evidence: Evidence) -> tuple[Verdict, str]:
    dead = {arm: share for arm, share in evidence["dead"].items() if arm != "ReLU"}
    networks = sum(evidence["networks"][arm] for arm in dead)
    worst = max(dead.values())
    asleep = max(evidence["asleep"][arm] for arm in dead)
    if worst == 0:
        return "holds", (
            f"In {networks} leaky networks no unit was 0 for every input, at any check. That is "
            f"all it says: in one of them {asleep:.0%} of the units were below zero for every "
            f"input at the end. (A ReLU network had up to {evidence['dead']['ReLU']:.0%} dead.)"
        )
    return "refuted", f"In {networks} leaky networks up to {worst:.1%} of the units were dead."


def _cures(seed: int) -> Evidence:
    table = study.load("leaky_asleep")
    table = table[table.root == seed]
    cases = []
    for name, lr in itertools.product(SLEEP_EPOCHS, SLEEP_RATES):
        part = {arm: standing(table, name, arm, lr).asleep for arm in SLEEPERS}
        both = part["ReLU"].index.intersection(part["leaky 0.01"].index)
        if len(both) < 10 or part["ReLU"].mean() <= 0.01:
            continue
        excess = stats.mean_interval(part["leaky 0.01"][both] - part["ReLU"][both] / 2)
        cases.append(
            {
                "where": f"{TITLES[name]} at {lr:g}",
                "excess_over_half": as_list(excess),
                **{arm: float(values.mean()) for arm, values in part.items() if len(values)},
            }
        )
    return {"cases": cases}


def _decide_cures(evidence: Evidence) -> tuple[Verdict, str]:
    cases = evidence["cases"]
    if not cases:
        return "not shown", "At no learning rate did more than 1 % of the ReLUs fall asleep."
    cured = [case for case in cases if case["excess_over_half"][2] < 0]
    numbers = "; ".join(
        f"{case['where']}: ReLU {case['ReLU']:.0%}, slope 0.01 {case['leaky 0.01']:.0%}"
        for case in cases
    )
    text = f"Share of units below zero for every input after training: {numbers}."
    if len(cured) == len(cases):
        return "holds", text
    if cured:
        names = " or ".join(case["where"] for case in cured)
        return "holds when …", f"… the learning rate is that of {names}. {text}"
    return "refuted", f"Nowhere is it less than half beyond doubt. {text}"


def _backprop(seed: int) -> Evidence:
    """Way from chance to the waking network that the sleeping one makes, slope 0.01, per depth."""
    table = study.load("leaky_asleep")
    table = table[table.root == seed]
    way, reached = {}, {}
    for depth in COMA_DEPTHS:
        coma_, awake = (coma_result(table, 0.01, depth, arm) for arm in ("coma", "awake"))
        way[str(depth)] = as_list(stats.mean_interval((coma_ - CHANCE) / (awake - CHANCE)))
        reached[str(depth)] = {
            f"{slope:g}": float(coma_result(table, slope, depth, "coma").mean())
            for slope in COMA_SLOPES
        }
    start = table[(table.data == "coma") & (table.arm == "coma")].asleep.min()
    return {"way": way, "coma_accuracy": reached, "least_asleep_at_start": float(start)}


def _decide_backprop(evidence: Evidence) -> tuple[Verdict, str]:
    way = evidence["way"]
    recovers = [depth for depth, (_, low, _) in way.items() if low > 0.5]
    fails = [depth for depth, (_, _, high) in way.items() if high < 0.5]
    numbers = "; ".join(
        f"{_layers(depth)}: slope 0.01 {reached['0.01']:.0%}, slope 0.3 {reached['0.3']:.0%}, "
        f"ReLU {reached['0']:.0%}"
        for depth, reached in evidence["coma_accuracy"].items()
    )
    text = f"Test accuracy of networks that start with every unit asleep: {numbers}."
    if len(recovers) == len(way):
        return "holds", text
    if recovers:
        return "holds when …", f"… only {_layers(' or '.join(recovers))} must wake up. {text}"
    return ("refuted" if len(fails) == len(way) else "not shown"), text


def _layers(depth: str) -> str:
    return f"{depth} hidden layer{'s' * (depth != '1')}"


_SLEEP = (
    "Five hidden layers of 64 with slope 0, 0.01 and 0.3, He's start for each, momentum, four "
    "learning rates, on digits and MNIST-1D, 20 seeds; all training inputs are passed through "
    "before training and at four later epochs."
)

CLAIMS = (
    Claim(
        id="leaky-never-dead",
        statement="The small slope ensures that leaky ReLUs never die.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=f"{_SLEEP} A unit is dead if its output is 0 for every input.",
        rule=(
            "Holds if no leaky unit is dead at any check in a network that still stands; refuted "
            "by a single one."
        ),
        measure=_never_dead,
        decide=_decide_never_dead,
        otherwise={
            "dead": {"ReLU": 0.5, "leaky 0.01": 0.1, "leaky 0.3": 0.0},
            "asleep": {"ReLU": 0.5, "leaky 0.01": 0.1, "leaky 0.3": 0.0},
            "networks": {"ReLU": 10, "leaky 0.01": 10, "leaky 0.3": 10},
        },
        cheap=False,
    ),
    Claim(
        id="leaky-cures-sleep",
        statement="Leaky ReLU solves ReLU's problem of dead units.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=f"{_SLEEP} A unit is asleep if its input is 0 or below for every example.",
        rule=(
            "Wherever more than 1 % of the ReLUs are asleep after training (and ten pairs of "
            "networks stand): holds if with slope 0.01 it is less than half as many (95 % interval "
            "of the paired difference) in all cases, holds when … in some, refuted if in none."
        ),
        measure=_cures,
        decide=_decide_cures,
        otherwise={
            "cases": [
                {"where": where, "excess_over_half": excess, "ReLU": 0.2, "leaky 0.01": 0.02}
                for where, excess in (
                    ("Digits at 0.1", [-0.08, -0.09, -0.07]),
                    ("Digits at 0.2", [-0.08, -0.1, -0.06]),
                )
            ]
        },
        cheap=False,
    ),
    Claim(
        id="leaky-backprop",
        statement="The small slope enables backpropagation, even for negative input.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "Digits: networks of 1, 3 and 5 hidden layers whose biases of −8 put every unit on "
            "the negative side, beside the same networks with biases of 0; slope 0.01, six "
            "learning rates of which the best on validation data counts, 20 seeds, paired."
        ),
        rule=(
            "Holds if at every depth the sleeping network comes more than half of the way from "
            "chance to the waking one (95 % interval), holds when … at some, refuted if less than "
            "half at all. A first rule asked for 5 points below the waking network; with one "
            "hidden layer that lay inside the interval, and the verdict changed with the seeds."
        ),
        measure=_backprop,
        decide=_decide_backprop,
        otherwise={
            "way": {"1": [1.0, 0.99, 1.01], "3": [1.0, 0.99, 1.01]},
            "coma_accuracy": {
                "1": {"0": 0.1, "0.01": 0.97, "0.3": 0.97},
                "3": {"0": 0.1, "0.01": 0.97, "0.3": 0.97},
            },
        },
        cheap=False,
    ),
)
