"""What becomes of ELU and SELU in training: fair and unfair comparisons, broken requirements.

Every arm's learning rate is tuned on validation data with seeds of its own; then 20 other seeds
are trained with it and the test set is touched once. A network that diverged counts as chance.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from actlab import data as datasets
from actlab import ensemble, stats, study
from actlab.catalog.elu import SELU_ALPHA
from actlab.claims.elu_selu import (
    CHAPTER,
    DOCUMENT_ELU,
    DOCUMENT_SELU,
    MEAN_BAND,
    PAPER,
    SD_BAND,
    SELU_LIMIT,
    Array,
    grade,
    interval,
    normalised,
    on_both_roots,
)
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.ensemble import Result, Snapshot

if TYPE_CHECKING:
    import pandas as pd

    from actlab.data import Dataset
    from actlab.plots import Plot

# Each activation with the initialisation that suits it; the last arm is there to be unfair.
FAIR: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu", "init": "lecun_normal"},
    "relu": {"activation": "relu", "init": "he_normal"},
    "elu": {"activation": "elu", "init": "he_normal"},
    "gelu": {"activation": "gelu", "init": "he_normal"},
    "tanh": {"activation": "tanh", "init": "glorot_normal"},
    "relu + batch norm": {
        "activation": "relu",
        "init": "he_normal",
        "normalization": "batch",
    },
    "relu, PyTorch default": {"activation": "relu", "init": "torch"},
}
RIVALS = ("relu", "elu", "gelu", "tanh")
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
TABLES: dict[str, dict[str, Any]] = {
    "wine": {},
    "breast_cancer": {},
    "election": {},
    "marriages": {"size": 500},
}
CHANCE = {
    "wine": 1 / 3,
    "breast_cancer": 1 / 2,
    "election": 1 / 2,
    "marriages": 1 / 2,
}  # 1/10 for the others


def train_tuned(
    data: Any,
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Iterable[int],
    rates: Sequence[float] = RATES,
    *,
    probe: Any = None,
    probe_at: Sequence[int] = (),
    **options: Any,
) -> tuple[Result, pd.DataFrame]:
    """Tune every arm's learning rate on two seeds of its own, then train it with ``seeds``.

    Returns the result and a table: one row per network, with its ``lr`` and whether that lies at
    an ``edge`` of the grid.
    """
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


def compact(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table with float32 in place of float64, learning rates aside."""
    import pandas as pd

    table = pd.concat(tables, ignore_index=True)
    for column in table.columns[table.dtypes == "float64"]:
        if column != "lr":
            table[column] = table[column].astype("float32")
    return table


def scores(table: pd.DataFrame) -> Array:
    """Test accuracies in the order of the seeds; a network that diverged counts as chance."""
    ordered = table.sort_values("seed")
    chance = ordered.data.map(CHANCE).fillna(0.1)
    result: Array = ordered.test_accuracy.fillna(chance).to_numpy(np.float64)
    return result


def _root(name: str, root: int) -> pd.DataFrame:
    table = study.load(name)
    return table[table.root == root]


# --- Deep networks, every arm with its fair chance ---------------------------------------------

# (data set, options of data.load, depths, epochs)
DEEP: tuple[tuple[str, dict[str, Any], tuple[int, ...], int], ...] = (
    ("digits", {}, (8, 16), 15),
    ("mnist1d", {"size": 2_000}, (16,), 10),
    ("fashion_mnist", {"size": 3_000}, (8,), 5),
)


def deep_study() -> pd.DataFrame:
    """Seven arms in four settings, two roots × 20 seeds; ``loss_1`` … is the training loss."""
    tables = []
    for name, options, depths, epochs in DEEP:
        data = datasets.load(name, **options)
        for depth in depths:
            for root in (0, 1):
                result, table = train_tuned(
                    data, FAIR, root_seeds(root), epochs=epochs, hidden=(64,) * depth
                )
                curves = {f"loss_{e + 1}": result.train_loss[:, e] for e in range(epochs)}
                tables.append(table.assign(data=name, depth=depth, root=root, **curves))
    return compact(tables)


def settings(table: pd.DataFrame) -> list[tuple[str, int]]:
    """The (data set, depth) pairs of the deep study."""
    pairs = table[["data", "depth"]].drop_duplicates()
    return [(str(data), int(depth)) for data, depth in pairs.itertuples(index=False)]


def by_arm(table: pd.DataFrame, data: str, depth: int) -> dict[str, Array]:
    """Test accuracies of every arm of one setting, arm → (seeds,)."""
    part = table[(table.data == data) & (table.depth == depth)]
    return {arm: scores(part[part.arm == arm]) for arm in FAIR}


def _duels(values: Mapping[str, Array], hero: str, rivals: Sequence[str]) -> dict[str, Any]:
    """Hero against each rival: paired difference in points; who wins after Holm's correction."""
    comparison = stats.compare({arm: values[arm] for arm in (hero, *rivals)})
    duels: dict[str, Any] = {}
    for rival in rivals:
        difference = interval(100 * (values[hero] - values[rival]))
        sign = np.sign(difference[0]) if comparison.significant(hero, rival) else 0
        duels[rival] = {"difference": difference, "winner": int(sign)}
    return duels


def _deep(seed: int) -> Evidence:
    table = _root("selu_deep", seed)
    found: dict[str, Any] = {}
    for data, depth in settings(table):
        values = by_arm(table, data, depth)
        found[f"{data}, {depth} layers"] = {
            "duels": _duels(values, "selu", RIVALS),
            "floor": 100 * stats.noise_floor(values["selu"]),
            "batch_norm": interval(100 * (values["selu"] - values["relu + batch norm"])),
        }
    return {"settings": found}


def _decide_deep(evidence: Evidence) -> tuple[Verdict, str]:
    found = evidence["settings"]
    clear = [name for name, e in found.items() if all(d["winner"] > 0 for d in e["duels"].values())]
    text = "SELU minus ReLU, in points of test accuracy: " + "; ".join(
        f"{name} {_signed(e['duels']['relu']['difference'])}" for name, e in found.items()
    )
    best = {
        rival: sum(e["duels"][rival]["winner"] < 0 for e in found.values())
        for rival in next(iter(found.values()))["duels"]
    }
    ahead = ", ".join(f"{rival} in {n}" for rival, n in best.items() if n)
    text += f". Of {len(found)} settings SELU loses to {ahead}" if ahead else ""
    level = [
        name
        for name, e in found.items()
        if any(d["difference"][2] < 0.5 for d in e["duels"].values())
    ]
    text = f"It beats all four rivals in {len(clear)} of {len(found)} settings. {text}"
    enough = clear if 2 * len(clear) >= len(found) else []
    refuted = 2 * len(level) > len(found)
    return grade(enough, len(found), text, refuted=refuted, when="the setting is")


def _signed(values: Sequence[float]) -> str:
    mean, low, high = values
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def duel_figure(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """SELU minus each rival in every setting of the deep study (one root), with 95 % intervals.

    Grey: how far two runs of SELU itself lie apart by the choice of seeds alone.
    """
    from actlab import plots

    ax = plots.axis(ax, height=5.2)
    rivals = dict(zip(RIVALS, ("ReLU", "ELU", "GELU", "tanh"), strict=True))
    rivals["relu + batch norm"] = "ReLU + batch norm"
    names, sentences, artists, wins = [], [], {}, 0
    edge = 11.0  # what lies beyond is written, or it would squeeze all the others
    for group, (data, depth) in enumerate(settings(table)):
        values = by_arm(table, data, depth)
        names.append(f"{data}\n{depth} layers")
        floor = 100 * stats.noise_floor(values["selu"])
        edges = group - 0.42, group + 0.42
        artists["noise floor"] = ax.fill_betweenx(edges, -floor, floor, color=plots.GRID)
        sentences.append(f"{data}, {depth} layers (noise floor {floor:.1f})")
        for i, (rival, title) in enumerate(rivals.items()):
            mean, low, high = interval(100 * (values["selu"] - values[rival]))
            wins += low > 0
            y = group + 0.14 * (i - 2)
            hue = plots.INK if "batch" in rival else plots.colour(rival)
            ax.plot([low, min(high, edge)], [y, y], color=hue)
            (artists[title],) = ax.plot([mean], [y], plots.MARKERS[i], color=hue)
            if mean > edge:
                ax.text(
                    edge, y - 0.08, f"{title} {mean:+.0f} →", ha="right", va="bottom", color=hue
                )
            sentences.append(f"{title} {_signed((mean, low, high))}")
    ax.axvline(0, color=plots.INK, linewidth=1)
    ax.set_xlim(-3, edge)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.figure.legend(artists.values(), artists, ncols=3, loc="outside lower center")
    plots.label(
        ax,
        title=f"SELU is ahead in {wins} of {len(names) * len(rivals)} fair duels",
        x="test accuracy of SELU minus the rival's (points)",
        y="",
    )
    return plots.Plot(
        ax,
        "Dots with 95 % intervals, grouped by data set and depth: the test accuracy of SELU minus "
        f"that of a rival, in points. {'; '.join(sentences)}.",
        artists,
    )


_STARTS = {"lecun_normal": "LeCun", "he_normal": "He", "torch": "PyTorch default"}


def learning_figure(result: Result, ax: Any | None = None) -> Plot:
    """Validation accuracy by epoch of SELU and of ReLU from two starts; mean, 95 % interval."""
    from actlab import plots

    ax = plots.axis(ax, height=3.6)
    artists: dict[str, Any] = {}
    ends = {}
    for i, (arm, own) in enumerate(result.arms.items()):
        curves = 100 * result.valid_accuracy[result.index(arm)]
        found = [stats.mean_interval(column) for column in curves.T]
        ends[arm] = found[-1].mean
        artists[arm] = plots.band(
            ax,
            np.arange(1, curves.shape[1] + 1),
            [e.mean for e in found],
            [e.low for e in found],
            [e.high for e in found],
            label=f"{own.record.title}, {_STARTS.get(str(own.init), own.init)}",
            color=plots.colour(own.record.name),
            linestyle="--" if own.init == "torch" else "-",
            marker=plots.MARKERS[i],
        )
    ax.set_ylim(0, 100)
    ax.legend(loc="center right")
    leads = sorted((ends["selu"] - end for arm, end in ends.items() if arm != "selu"), reverse=True)
    plots.label(
        ax,
        title=f"SELU leads ReLU by {' points, or by '.join(f'{lead:.0f}' for lead in leads)}",
        x="epoch",
        y="validation accuracy (%)",
    )
    listing = ", ".join(f"{artists[arm].get_label()} {end:.1f} %" for arm, end in ends.items())
    alt = f"Line plot of validation accuracy by epoch; after the last one: {listing}."
    return plots.Plot(ax, alt, artists)


def epochs_to(losses: Array, target: float) -> Array:
    """Epochs until the training loss falls to ``target``, (networks,) from (networks, epochs).

    Interpolated in the logarithm of the loss. Where it is there after the first epoch the answer
    is 1; where it never gets there (or diverged), the number of epochs.
    """
    result = np.full(len(losses), float(losses.shape[1]))
    for i, curve in enumerate(losses):
        there = np.flatnonzero(curve <= target)
        if len(there):
            e = int(there[0])
            result[i] = 1.0
            if e:
                before, after = np.log(curve[e - 1]), np.log(curve[e])
                result[i] = e + (before - math.log(target)) / (before - after)
    return result


def _faster(seed: int) -> Evidence:
    table = _root("selu_deep", seed)
    found = {}
    for data, depth in settings(table):
        part = table[(table.data == data) & (table.depth == depth)].sort_values("seed")
        losses = {
            arm: part[part.arm == arm].filter(like="loss_").dropna(axis=1, how="all").to_numpy()
            for arm in ("relu", "elu")
        }
        half = losses["relu"].shape[1] // 2
        target = float(np.nanmean(losses["relu"][:, half - 1]))
        epochs = {arm: epochs_to(curves, target) for arm, curves in losses.items()}
        ratio = interval(np.log(epochs["elu"] / epochs["relu"]))
        found[f"{data}, {depth} layers"] = [math.exp(value) for value in ratio]
    return {"ratio": found}


def _decide_faster(evidence: Evidence) -> tuple[Verdict, str]:
    ratio = evidence["ratio"]
    faster = [name for name, (_, _, high) in ratio.items() if high < 1]
    text = "Epochs that ELU needs for each of ReLU's: " + "; ".join(
        f"{name} {mean:.2f} [{low:.2f}, {high:.2f}]" for name, (mean, low, high) in ratio.items()
    )
    no_faster = all(low > 0.95 for _, low, _ in ratio.values())
    return grade(faster, len(ratio), text, refuted=no_faster, when="the setting is")


# --- The published comparison, and its repair --------------------------------------------------

REPLAY: dict[str, dict[str, Any]] = {
    "ReLU, PyTorch default": {"activation": "relu", "init": "torch"},
    "ReLU, He normal": {"activation": "relu", "init": "he_normal"},
    "SELU, LeCun normal": {"activation": "selu", "init": "lecun_normal", "alpha_dropout": True},
}
# The tutorial: 784-512-256-10, plain SGD with 0.001 for 20 epochs of 390 steps.
LR_TIMES_STEPS = 0.001 * 20 * 390


def replay_study() -> pd.DataFrame:
    """The tutorial's network at half its width, with its learning rate and tuned; two roots."""
    tables = []
    options: dict[str, Any] = {
        "epochs": 20,
        "hidden": (256, 128),
        "dropout": 0.05,
        "momentum": 0.0,
    }
    for name, size in (("digits", {}), ("mnist1d", {"size": 2_000})):
        data = datasets.load(name, **size)  # type: ignore[arg-type]
        steps = 20 * math.ceil(len(data.y_train) / 128)
        for root in (0, 1):
            for protocol, rates in (
                ("published", (LR_TIMES_STEPS / steps,)),
                ("tuned", (0.1, 0.3, 1.0, 3.0)),
            ):
                _, table = train_tuned(data, REPLAY, root_seeds(root), rates, **options)
                tables.append(table.assign(data=name, root=root, protocol=protocol))
    return compact(tables)


def replayed(table: pd.DataFrame, data: str, protocol: str) -> dict[str, Array]:
    """Test accuracies of the replay, arm → (seeds,)."""
    part = table[(table.data == data) & (table.protocol == protocol)]
    return {arm: scores(part[part.arm == arm]) for arm in REPLAY}


def replay_table(table: pd.DataFrame) -> dict[str, list[str]]:
    """Mean and worst test accuracy (%) of every arm of the replay (one root), for a reader."""
    short = {arm: arm.removesuffix(" normal").removesuffix(" default") for arm in REPLAY}
    columns: dict[str, list[str]] = {
        "data": [],
        "rate": [],
        **{name: [] for name in short.values()},
    }
    for data in sorted(table.data.unique()):
        for protocol in ("published", "tuned"):
            columns["data"].append(data)
            columns["rate"].append(protocol)
            for arm, values in replayed(table, data, protocol).items():
                columns[short[arm]].append(f"{100 * values.mean():.1f} ({100 * values.min():.1f})")
    return columns


def _unfair(seed: int) -> Evidence:
    table = _root("selu_replay", seed)
    found = {}
    for data in sorted(table.data.unique()):
        published, tuned = (replayed(table, data, p) for p in ("published", "tuned"))
        plain, he, selu = REPLAY
        found[data] = {
            "published": interval(100 * (published[selu] - published[plain])),
            "initialised": interval(100 * (published[selu] - published[he])),
            "tuned": interval(100 * (tuned[selu] - tuned[he])),
        }
    return found


def _decide_unfair(evidence: Evidence) -> tuple[Verdict, str]:
    text = "; ".join(
        f"{data}: as published {_signed(e['published'])}, with He's start for ReLU "
        f"{_signed(e['initialised'])}, both tuned as well {_signed(e['tuned'])}"
        for data, e in evidence.items()
    )
    better = [data for data, e in evidence.items() if e["tuned"][1] > 0]
    handicap = all(
        e["published"][1] > 0 and e["tuned"][2] < e["published"][0] / 2 for e in evidence.values()
    )
    text = f"SELU minus ReLU, in points of test accuracy, on {text}"
    return grade(better, len(evidence), text, refuted=handicap, when="the data are")


# --- Tabular data ------------------------------------------------------------------------------

TABULAR = ("selu", "relu", "elu", "tanh", "relu + batch norm")


def tabular_study() -> pd.DataFrame:
    """``TABLES``, two roots × 20 splits; the mean of three networks for each."""
    tables = []
    arms = {arm: FAIR[arm] for arm in TABULAR}
    for name, options in TABLES.items():
        for root in (0, 1):
            for split in root_seeds(root):
                _, table = train_tuned(
                    datasets.load(name, seed=split, **options),
                    arms,
                    range(3 * split, 3 * split + 3),
                    rates=RATES,
                    epochs=30,
                    hidden=(32,) * 8,
                    batch_size=32,
                )
                table["test_accuracy"] = table.test_accuracy.fillna(CHANCE[name])
                means = table.groupby("arm", sort=False)[["test_accuracy", "lr"]].mean()
                tables.append(means.reset_index().assign(data=name, root=root, seed=split))
    return compact(tables)


def _tabular(seed: int) -> Evidence:
    table = _root("selu_tabular", seed)
    found = {}
    for data in sorted(table.data.unique()):
        part = table[table.data == data]
        values = {arm: scores(part[part.arm == arm]) for arm in TABULAR}
        found[data] = {
            "duels": _duels(values, "selu", TABULAR[1:]),
            "accuracy": {arm: 100 * float(v.mean()) for arm, v in values.items()},
        }
    return found


def _decide_tabular(evidence: Evidence) -> tuple[Verdict, str]:
    clear = [
        data for data, e in evidence.items() if all(d["winner"] > 0 for d in e["duels"].values())
    ]
    text = "; ".join(
        f"{data}: "
        + ", ".join(f"{arm} {mean:.1f} %" for arm, mean in e["accuracy"].items())
        + f"; SELU minus ReLU {_signed(e['duels']['relu']['difference'])} points"
        for data, e in evidence.items()
    )
    level = all(
        any(d["difference"][2] < 0.5 for d in e["duels"].values()) for e in evidence.values()
    )
    text = (
        f"It beats all rivals on {len(clear)} of {len(evidence)} data sets. Test accuracy on {text}"
    )
    return grade(clear, len(evidence), text, refuted=level, when="the data are")


# --- Moments during training -------------------------------------------------------------------

CHECKS = (0, 1, 2, 5, 10, 15)
_DEPTH = 16


def moments_probe(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: mean and standard deviation of every hidden layer, (networks, layers) each."""
    pairs = [torch.var_mean(layer.double(), (1, 2), correction=0) for layer in snapshot.activations]
    return {
        "mean": torch.stack([mean for _, mean in pairs], 1),
        "sd": torch.stack([variance for variance, _ in pairs], 1).sqrt(),
    }


def moments_study() -> pd.DataFrame:
    """Mean and standard deviation per layer and epoch while SELU networks learn; two roots."""
    import pandas as pd

    tables = []
    for name, options in (("digits", {}), ("mnist1d", {"size": 2_000})):
        data = datasets.load(name, **options)  # type: ignore[arg-type]
        per_epoch = math.ceil(len(data.y_train) / 128)
        for root in (0, 1):
            result, table = train_tuned(
                data,
                {"selu": FAIR["selu"]},
                root_seeds(root),
                probe=moments_probe,
                probe_at=[epoch * per_epoch for epoch in CHECKS],
                epochs=max(CHECKS),
                hidden=(64,) * _DEPTH,
            )
            mean, sd = (result.probe(what, "selu") for what in ("mean", "sd"))
            index = np.meshgrid(table.seed, CHECKS, range(1, _DEPTH + 1), indexing="ij")
            columns = dict(zip(("seed", "epoch", "layer"), (i.ravel() for i in index), strict=True))
            rows = pd.DataFrame({**columns, "mean": mean.ravel(), "sd": sd.ravel()})
            tables.append(rows.assign(data=name, root=root, lr=table.lr.iloc[0]))
    return compact(tables)


def moments_at(table: pd.DataFrame, data: str, epoch: int) -> tuple[Array, Array]:
    """Mean and standard deviation, (seeds, layers) each, of the networks that stand."""
    part = table[(table.data == data) & (table.epoch == epoch)].dropna()
    mean, sd = (
        part.pivot(index="seed", columns="layer", values=what).to_numpy(np.float64)
        for what in ("mean", "sd")
    )
    return mean, sd


def _preserves(seed: int) -> Evidence:
    table = _root("selu_moments", seed)
    found: dict[str, Any] = {}
    for data in sorted(table.data.unique()):
        for when, epoch in (("before", 0), ("after", max(CHECKS))):
            mean, sd = moments_at(table, data, epoch)
            found[f"{data}, {when} training"] = {
                "kept": normalised(mean, sd, slice(None)),
                "mean": [float(mean.mean(0).min()), float(mean.mean(0).max())],
                "sd": [float(sd.mean(0).min()), float(sd.mean(0).max())],
                "networks": len(mean),
            }
    return found


def _decide_preserves(evidence: Evidence) -> tuple[Verdict, str]:
    kept = [name for name, e in evidence.items() if e["kept"]]
    text = "Over the layers, " + "; ".join(
        f"{name}: means {e['mean'][0]:+.2f} to {e['mean'][1]:+.2f}, standard deviations "
        f"{e['sd'][0]:.2f} to {e['sd'][1]:.2f}"
        for name, e in evidence.items()
    )
    return grade(kept, len(evidence), text)


# --- Units that sleep --------------------------------------------------------------------------

ASLEEP_RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
# The output at which the slope has fallen to 1 % of the largest one on the negative side.
_FLOOR = {"relu": 0.0, "elu": -1.0, "selu": SELU_LIMIT}


def highest_outputs(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the largest output of every hidden unit over all inputs, (networks, units)."""
    highest: list[torch.Tensor] = []
    for batch in snapshot.batches(1024):
        tops = [layer.amax(1) for layer in batch]
        pairs = zip(highest, tops, strict=True)
        highest = [torch.maximum(a, b) for a, b in pairs] if highest else tops
    return {"highest": torch.cat(highest, 1)}


def asleep_study() -> pd.DataFrame:
    """Digits, five hidden layers of 64, momentum at five learning rates, two roots × 20 seeds.

    ``asleep``: share of hidden units whose slope stays below 1 % for every training input;
    ``dead``: whose output is at its floor to the last bit, where Keras's gradient is exactly 0.
    """
    data = datasets.load("digits")
    tables = []
    arms = {
        f"{name}, lr={lr:g}": {**FAIR[name], "lr": lr} for name in _FLOOR for lr in ASLEEP_RATES
    }
    for root in (0, 1):
        result = ensemble.train(
            data,
            arms=arms,
            seeds=root_seeds(root),
            epochs=20,
            hidden=(64,) * 5,
            probe=highest_outputs,
            probe_at=[20 * math.ceil(len(data.y_train) / 128)],
            keep_weights=False,
            progress=False,
        )
        for arm, own in arms.items():
            if result.diverged[result.index(arm)].all():  # nobody there to look at
                continue
            floor = np.float32(_FLOOR[str(own["activation"])])
            frame = result.to_frame()
            highest = result.probe("highest", arm)[:, -1].astype(np.float32)
            tables.append(
                frame[frame.arm == arm][["seed", "diverged", "valid_accuracy"]].assign(
                    activation=own["activation"],
                    lr=own["lr"],
                    root=root,
                    asleep=(highest <= 0.99 * floor).mean(1),
                    dead=(highest <= floor).mean(1),
                )
            )
    return compact(tables)


def _asleep(seed: int) -> Evidence:
    table = _root("elu_asleep", seed)
    found: dict[str, Any] = {}
    for activation in _FLOOR:
        part = table[table.activation == activation]
        scored = part.assign(score=part.valid_accuracy.fillna(0.1))
        best = float(scored.groupby("lr").score.mean().idxmax())
        shares = {}
        for lr in ASLEEP_RATES:
            standing = part[(part.lr == lr) & ~part.diverged]
            if len(standing) >= 10:
                shares[f"{lr:g}"] = {
                    "asleep": interval(standing.asleep),
                    "dead": float(standing.dead.mean()),
                    "accuracy": float(standing.valid_accuracy.mean()),
                }
        found[activation] = {"tuned": f"{best:g}", "shares": shares}
    return found


def _decide_asleep(evidence: Evidence) -> tuple[Verdict, str]:
    elu, relu = evidence["elu"], evidence["relu"]
    few = [lr for lr, e in elu["shares"].items() if e["asleep"][2] < 0.01]
    many = {lr: e for lr, e in elu["shares"].items() if lr not in few}
    at_best = elu["shares"][elu["tuned"]]["asleep"][0]
    relu_best = relu["shares"][relu["tuned"]]["asleep"][0]
    text = (
        f"At the tuned learning rate ({elu['tuned']}) {at_best:.1%} of the units sleep on every "
        f"training digit (ReLU at its own: {relu_best:.1%} dead)"
    )
    for lr, e in many.items():
        text += (
            f"; at {lr} it is {e['asleep'][0]:.1%}, and {e['dead']:.1%} are dead to the last bit, "
            f"while the accuracy is {e['accuracy']:.0%}"
        )
    if not many:
        return "holds", f"{text}."
    if elu["tuned"] in few:
        return "holds when …", f"… the learning rate is not far too large. {text}."
    return "refuted", f"{text}."


# --- Breaking the requirements -----------------------------------------------------------------

# The kink is the jump of SELU's slope at 0. CELU with the same α has the same floor and no kink.
CURVES: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu"},
    "elu": {"activation": "elu"},
    "without kink": {"activation": "celu", "params": {"alpha": SELU_ALPHA}},
}
# Label → settings and what happens to the standardised input (shift, stretch).
CONDITIONS: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "as the paper asks": ({}, (0.0, 1.0)),
    "He normal": ({"init": "he_normal"}, (0.0, 1.0)),
    "PyTorch default": ({"init": "torch"}, (0.0, 1.0)),
    "skip connections": ({"residual": True}, (0.0, 1.0)),
    "plain dropout 10 %": ({"dropout": 0.1}, (0.0, 1.0)),
    "input: mean 5, sd 5": ({}, (5.0, 5.0)),
    "Glorot uniform": ({"init": "keras"}, (0.0, 1.0)),
    "orthogonal": ({"init": "orthogonal"}, (0.0, 1.0)),
    "gain 3/4": ({"gain": 0.75}, (0.0, 1.0)),
    "input: sd 0.1": ({}, (0.0, 0.1)),
    "plain dropout 5 %": ({"dropout": 0.05}, (0.0, 1.0)),
    "alpha dropout 5 %": ({"dropout": 0.05, "alpha_dropout": True}, (0.0, 1.0)),
    "alpha dropout 10 %": ({"dropout": 0.1, "alpha_dropout": True}, (0.0, 1.0)),
}
# Under these the three curves are compared; under the others SELU is alone.
BROKEN = tuple(CONDITIONS)[1:6]


def transformed(data: Dataset, shift: float, stretch: float) -> Dataset:
    """The same data with inputs ``shift + stretch · x``."""
    parts = {
        part: shift + stretch * getattr(data, part) for part in ("x_train", "x_valid", "x_test")
    }
    return dataclasses.replace(data, **parts)


def broken_study() -> pd.DataFrame:
    """SELU, ELU and CELU under every condition, 12 layers of 64, two roots × 20 seeds."""
    tables = []
    for name, options, epochs in (("digits", {}, 12), ("mnist1d", {"size": 2_000}, 8)):
        data = datasets.load(name, **options)  # type: ignore[arg-type]
        for root in (0, 1):
            for change in sorted({change for _, change in CONDITIONS.values()}):
                arms = {
                    f"{curve} | {label}": {"init": "lecun_normal", **own, **settings}
                    for label, (settings, its_change) in CONDITIONS.items()
                    for curve, own in CURVES.items()
                    if its_change == change and (curve == "selu" or label in BROKEN)
                }
                _, table = train_tuned(
                    transformed(data, *change),
                    arms,
                    root_seeds(root),
                    rates=(0.0003, 0.001, 0.003, 0.01, 0.03),
                    epochs=epochs,
                    hidden=(64,) * 12,
                )
                names = table.arm.str.split(" | ", regex=False, expand=True)
                table = table.assign(curve=names[0], condition=names[1]).drop(columns="arm")
                tables.append(table.assign(data=name, root=root))
    return compact(tables)


def accuracies(table: pd.DataFrame, root: int, data: str, curve: str, condition: str) -> Array:
    """Test accuracies of the broken study, (seeds,)."""
    return scores(
        table[
            (table.root == root)
            & (table.data == data)
            & (table.curve == curve)
            & (table.condition == condition)
        ]
    )


def cost_figure(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """Test accuracy that each break costs a SELU network, in points, with 95 % intervals.

    ``table``: the broken study. Filled marks are its first run, open ones the second.
    """
    from actlab import plots

    ax = plots.axis(ax, height=5.6)
    intact, *names = (name for name in CONDITIONS)
    artists: dict[str, Any] = {}
    sentences = []
    costs = dict.fromkeys(names, 0.0)
    for place, name in enumerate(names):
        for i, data in enumerate(sorted(table.data.unique())):
            for root, face in enumerate((plots.NEUTRAL[i], "white")):
                values = (accuracies(table, root, data, "selu", which) for which in (intact, name))
                mean, low, high = interval(100 * np.subtract(*values))
                y = place + 0.18 * (2 * i + root - 1.5)
                style = {"color": plots.NEUTRAL[i], "mfc": face, "markersize": 6}
                ax.plot([low, high], [y, y], color=plots.NEUTRAL[i], linewidth=1.5)
                label = f"{data}, {'second' if root else 'first'} run"
                (artists[label],) = ax.plot([mean], [y], plots.MARKERS[i], **style)
                costs[name] += mean
                if not root:
                    sentences.append(f"{name}, {data} {_signed((mean, low, high))}")
    ax.axvline(0, color=plots.INK, linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.figure.legend(artists.values(), artists, ncols=2, loc="outside lower center")
    plots.label(
        ax,
        title=f"{max(costs, key=costs.__getitem__).capitalize()} costs the most",
        x="test accuracy lost (points)",
        y="",
    )
    return plots.Plot(
        ax,
        "Dots with 95 % intervals: test accuracy of the intact SELU network minus that of the "
        f"broken one, in points; first run: {'; '.join(sentences)}.",
        artists,
    )


def _broken(seed: int) -> Evidence:
    """Every broken condition and data set: ELU minus SELU, and the kinkless curve's share of it."""
    from statsmodels.stats.multitest import multipletests

    table = study.load("selu_broken")
    cells: dict[str, Any] = {}
    for condition in BROKEN:
        for data in sorted(table.data.unique()):
            selu, elu, smooth = (
                100 * accuracies(table, seed, data, curve, condition) for curve in CURVES
            )
            gain = stats.paired_difference(elu, selu)
            cells[f"{condition}, {data}"] = {
                "elu_minus_selu": [gain.mean, gain.low, gain.high],
                "smooth_minus_selu": interval(smooth - selu),
                "beyond_half": interval(smooth - (selu + elu) / 2),
                "p": gain.p_wilcoxon,
            }
    corrected = multipletests([cell["p"] for cell in cells.values()], method="holm")[1]
    for cell, p in zip(cells.values(), corrected, strict=True):
        cell["better"] = bool(p < 0.05 and cell["elu_minus_selu"][0] > 0)
        cell["worse"] = bool(p < 0.05 and cell["elu_minus_selu"][0] < 0)
    return {"cells": cells}


def _decide_broken(evidence: Evidence) -> tuple[Verdict, str]:
    cells = evidence["cells"]
    better = [name for name, cell in cells.items() if cell["better"]]
    worse = [name for name, cell in cells.items() if cell["worse"]]
    text = (
        f"Of {len(cells)} combinations of a broken requirement and a data set ELU is better in "
        f"{len(better)} and worse in {len(worse)}. ELU minus SELU in points: "
    ) + "; ".join(f"{name} {_signed(cell['elu_minus_selu'])}" for name, cell in cells.items())
    level = all(cell["elu_minus_selu"][2] < 0.5 for cell in cells.values())
    return grade(better, len(cells), text, refuted=level)


def _decide_kink(evidence: Evidence) -> tuple[Verdict, str]:
    cells = {name: cell for name, cell in evidence["cells"].items() if cell["better"]}
    if not cells:
        return "refuted", "ELU is better in none of the combinations: there is nothing to explain."
    blamed = [name for name, cell in cells.items() if cell["beyond_half"][1] > 0]
    text = "What ELU gains on SELU, and what the curve without the kink gains, in points: " + (
        "; ".join(
            f"{name} {cell['elu_minus_selu'][0]:+.1f} and {_signed(cell['smooth_minus_selu'])}"
            for name, cell in cells.items()
        )
    )
    innocent = all(cell["beyond_half"][2] < 0 for cell in cells.values())
    return grade(blamed, len(cells), text, refuted=innocent)


_DEEP = (
    "Networks of 8 and 16 hidden layers of 64 units on digits, 16 on 2,000 examples of MNIST-1D, 8 "
    "on 3,000 images of Fashion-MNIST; SELU from LeCun's start, ReLU, ELU and GELU from He's, tanh "
    "from Glorot's; SGD with momentum, learning rate tuned for each arm on validation data, 20 "
    "seeds"
)
_BREAKS = (
    "SELU, ELU and a CELU with SELU's α (the same floor, no kink), 12 layers of 64 units from the "
    "same weights, on digits and 2,000 examples of MNIST-1D, with one requirement broken at a time "
    "(He's start, PyTorch's start, skip connections, plain dropout of 10 %, inputs of mean 5 "
    "and sd 5); learning rate tuned for each, 20 seeds"
)

_CLAIMS = (
    Claim(
        id="elu-faster",
        statement="An ELU network converges in fewer epochs than a ReLU network.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            f"{_DEEP}. Epochs until the training loss is where ReLU's mean is after half of them, "
            "ELU's divided by ReLU's, paired by seed."
        ),
        rule=(
            "Holds if the 95 % interval of the (geometric) mean ratio lies below 1 in all four "
            "settings; holds when … in some; refuted if ELU saves less than 5 % in all (interval "
            "above 0.95)."
        ),
        measure=_faster,
        decide=_decide_faster,
        otherwise={"ratio": {"digits, 8 layers": [1.2, 1.1, 1.3]}},
        cheap=False,
    ),
    Claim(
        id="elu-no-dead",
        statement="ELU leaves no unit dead.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            "Digits, five hidden layers of 64 units, momentum at five learning rates, 20 seeds: "
            "the share of hidden units whose slope stays below 1 % for every training input."
        ),
        rule=(
            "Holds if that share is below 1 % (95 % interval) at every learning rate at which at "
            "least half of the networks stand; holds when … at the one with the best validation "
            "accuracy, but not at all; refuted if not even there."
        ),
        measure=_asleep,
        decide=_decide_asleep,
        otherwise={
            name: {
                "tuned": "0.03",
                "shares": {"0.03": {"asleep": [0.3, 0.2, 0.4], "dead": 0.1, "accuracy": 0.9}},
            }
            for name in ("elu", "relu")
        },
        cheap=False,
    ),
    Claim(
        id="selu-deep",
        statement="In deep networks SELU clearly outperforms other activation functions.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_DEEP}. Test accuracy of SELU against ReLU, ELU, GELU and tanh.",
        rule=(
            "SELU wins a setting if its test accuracy is higher than that of each of the four "
            "(Wilcoxon's test, Holm's correction, 5 %). Holds if it wins all four settings; holds "
            "when … at least two; refuted if in at least three there is a rival over which its "
            "lead is less than half a point (95 % interval)."
        ),
        measure=_deep,
        decide=_decide_deep,
        otherwise={
            "settings": {
                "digits, 8 layers": {
                    "duels": {"relu": {"difference": [9.0, 8.0, 10.0], "winner": 1}},
                    "floor": 0.5,
                    "batch_norm": [1.0, 0.5, 1.5],
                }
            }
        },
        cheap=False,
    ),
    Claim(
        id="selu-unfair",
        statement="In its authors' own side-by-side SELU beats ReLU, so it is the better function.",
        source="[SNN tutorial, MLP on MNIST](https://github.com/bioinf-jku/SNNs)",
        chapter=CHAPTER,
        experiment=(
            "The tutorial's network at half its width (two hidden layers, dropout 5 %, plain SGD, "
            "the same product of learning rate and steps) on digits and 2,000 examples of "
            "MNIST-1D, 20 seeds: as published (ReLU from PyTorch's default start, SELU from "
            "LeCun's), with He's start for ReLU, and with the learning rate tuned as well."
        ),
        rule=(
            "Holds if SELU's test accuracy is higher on both data sets once both arms are suitably "
            "initialised and tuned (95 % interval, paired); holds when … on one; refuted if it is "
            "higher as published on both, and less than half of that lead is left on both."
        ),
        measure=_unfair,
        decide=_decide_unfair,
        otherwise={
            "digits": {
                "published": [9.0, 8.0, 10.0],
                "initialised": [9.0, 8.0, 10.0],
                "tuned": [9.0, 8.0, 10.0],
            }
        },
        cheap=False,
    ),
    Claim(
        id="selu-tabular",
        statement="On tabular data self-normalising networks beat other feed-forward networks.",
        source=PAPER,
        chapter=CHAPTER,
        experiment=(
            "Wine, breast cancer, an election study and a survey on marriages (500 training "
            "examples); eight hidden layers of 32 units, SELU against ReLU, ELU, tanh and ReLU "
            "with batch norm, learning rate tuned for each; 20 random splits of the data (they "
            "overlap, so the intervals are somewhat too narrow), three networks in each."
        ),
        rule=(
            "Holds if SELU's test accuracy is higher than that of each rival (Wilcoxon's test over "
            "the splits, Holm's correction, 5 %) on all four data sets; holds when … on some; "
            "refuted if on each there is a rival over which its lead is less than half a point "
            "(95 % interval)."
        ),
        measure=_tabular,
        decide=_decide_tabular,
        otherwise={
            "wine": {
                "duels": {"relu": {"difference": [9.0, 8.0, 10.0], "winner": 1}},
                "accuracy": {"selu": 99.0, "relu": 90.0},
            }
        },
        cheap=False,
    ),
    Claim(
        id="selu-preserves",
        statement="While it learns, a SELU network keeps mean 0 and sd 1 in every layer.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=(
            "16 hidden layers of 64 SELU units, LeCun normal, tuned learning rate, on digits and "
            "MNIST-1D, 20 seeds: mean and standard deviation of every layer's activations over the "
            "training data, before training and after the last epoch."
        ),
        rule=(
            f"Holds if before and after training, on both data sets, the 95 % intervals lie within "
            f"{MEAN_BAND[0]} to {MEAN_BAND[1]} for the mean and {SD_BAND[0]} to {SD_BAND[1]} for "
            "the standard deviation in every layer; holds when … in some of these four cases; "
            "refuted in none."
        ),
        measure=_preserves,
        decide=_decide_preserves,
        otherwise={
            "digits, before training": {"kept": False, "mean": [1.0, 2.0], "sd": [3.0, 4.0]},
        },
        cheap=False,
    ),
    Claim(
        id="elu-when-broken",
        statement="Where a network cannot normalise itself, ELU does better than SELU.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_BREAKS}. Test accuracy of ELU minus SELU.",
        rule=(
            "Holds if ELU is better (Wilcoxon's test, Holm's correction over the ten combinations, "
            "5 %) in all of them; holds when … in some; refuted if its lead is less than half a "
            "point in all (95 % interval)."
        ),
        measure=_broken,
        decide=_decide_broken,
        otherwise={
            "cells": {
                "He normal, digits": {
                    "better": False,
                    "worse": True,
                    "elu_minus_selu": [-5.0, -6.0, -4.0],
                }
            }
        },
        cheap=False,
    ),
    Claim(
        id="selu-kink",
        statement="That is because SELU is not smooth at 0.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_BREAKS}. How much the curve without the kink gains on SELU, beside ELU.",
        rule=(
            "Looks at the combinations in which ELU is better than SELU. Holds if the curve "
            "without the kink recovers more than half of ELU's lead in all of them (95 % interval, "
            "paired); holds when … in some; refuted if less than half in all, or if ELU is better "
            "nowhere."
        ),
        measure=_broken,
        decide=_decide_kink,
        otherwise={
            "cells": {
                "He normal, digits": {
                    "better": True,
                    "worse": False,
                    "elu_minus_selu": [5.0, 4.0, 6.0],
                    "smooth_minus_selu": [5.0, 4.0, 6.0],
                    "beyond_half": [2.5, 2.0, 3.0],
                }
            }
        },
        cheap=False,
    ),
)
CLAIMS = tuple(map(on_both_roots, _CLAIMS))
