"""Chapter "Leaky, parametric, randomised, thresholded": weight decay and learned slopes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from actlab import data as datasets
from actlab import plots, stats, study
from actlab.claims.leaky_training import (
    CHAPTER,
    OTHERWISE_AHEAD,
    TITLES,
    Array,
    as_list,
    compact,
    decide_ahead,
    prelu,
)
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.ensemble import Settings, data_order, initial_weights
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

START = 0.25
BATCH = 64
EPOCHS = {"digits": 20, "mnist1d": 10}
# Learning rate and two strengths of each; AdamW multiplies its decay by the rate, SGD's L2 too.
OPTIMISERS: dict[str, tuple[float, tuple[float, float]]] = {
    "SGD": (0.03, (0.001, 0.01)),
    "AdamW": (0.003, (0.1, 1.0)),
}
# Which parameters decay: (weights and biases, slopes).
DECAYING = {
    "nothing": (0, 0),
    "slopes only": (0, 1),
    "all but the slopes": (1, 0),
    "everything": (1, 1),
}


@dataclass(frozen=True)
class Decayed:
    """Trained PReLU networks, one row per seed: slopes (seeds, layers), accuracy, size.

    ``size`` is the root mean square of the hidden layers' weights relative to the start.
    """

    slopes: Array
    accuracy: Array
    size: Array


def train_with_decay(
    data: Any,
    seeds: Iterable[int],
    epochs: int,
    *,
    optimiser: str = "SGD",
    weights: float = 0.0,
    slopes: float = 0.0,
    hidden: tuple[int, ...] = (64,) * 5,
) -> Decayed:
    """Train PReLU networks, one slope per layer, with a decay of its own for weights and slopes.

    The lab's ensemble decays all parameters alike, so this is a plain training loop: the networks
    are stacked along the first axis, autograd and :mod:`torch.optim` with two parameter groups do
    the rest. Same start and same order of the data as in :func:`actlab.ensemble.train`.
    """
    seeds = list(seeds)
    settings = Settings(**prelu(START), hidden=hidden, batch_size=BATCH)
    sizes = settings.layer_sizes(data.n_features, data.n_classes)
    starts = [initial_weights(settings, sizes, seed) for seed in seeds]
    kernels, biases = (
        [
            torch.stack([start[layer][part] for start in starts]).float()
            for layer in range(len(sizes))
        ]
        for part in (0, 1)
    )
    matrices = [kernel.mT.contiguous().requires_grad_() for kernel in kernels]
    offsets = [bias[:, None].requires_grad_() for bias in biases]
    leaks = [torch.full((len(seeds), 1, 1), START, requires_grad=True) for _ in hidden]
    first = [matrix.detach().square().mean((1, 2)) for matrix in matrices[:-1]]

    def forward(x: Tensor) -> Tensor:
        for matrix, offset, leak in zip(matrices, offsets, leaks, strict=False):
            z = torch.baddbmm(offset, x, matrix)
            x = torch.where(z > 0, z, leak * z)
        return torch.baddbmm(offsets[-1], x, matrices[-1])

    groups = [
        {"params": [*matrices, *offsets], "weight_decay": weights},
        {"params": leaks, "weight_decay": slopes},
    ]
    lr = OPTIMISERS[optimiser][0]
    step: torch.optim.Optimizer
    if optimiser == "SGD":
        step = torch.optim.SGD(groups, lr=lr, momentum=0.9)
    else:
        step = torch.optim.AdamW(groups, lr=lr)
    x_train, y_train = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    orders = [data_order(seed, len(y_train)) for seed in seeds]
    for _ in range(epochs):
        order = torch.stack([next(o) for o in orders])
        for index in torch.split(order, BATCH, dim=1):
            step.zero_grad()
            logits = forward(x_train[index])
            losses = functional.cross_entropy(logits.mT, y_train[index], reduction="none")
            losses.mean(1).sum().backward()  # type: ignore[no-untyped-call]
            step.step()
    with torch.no_grad():
        x_test = torch.from_numpy(data.x_test).expand(len(seeds), -1, -1)
        hits = forward(x_test).argmax(2) == torch.from_numpy(data.y_test)
        last = [matrix.square().mean((1, 2)) for matrix in matrices[:-1]]
        size = (torch.stack(last).mean(0) / torch.stack(first).mean(0)).sqrt()
        return Decayed(
            slopes=torch.cat(leaks, 1)[:, :, 0].double().numpy(),
            accuracy=hits.double().mean(1).numpy(),
            size=size.double().numpy(),
        )


def decay_study() -> pd.DataFrame:
    """Two data sets × two optimisers × what decays and how much; two roots × 20 seeds."""
    import pandas as pd

    tables = []
    for name, (optimiser, (_, strengths)), root in itertools.product(
        EPOCHS, OPTIMISERS.items(), (0, 1)
    ):
        data = datasets.load(name)
        for decaying, (on_weights, on_slopes) in DECAYING.items():
            for strength in strengths_of(decaying, strengths):
                found = train_with_decay(
                    data,
                    root_seeds(root),
                    EPOCHS[name],
                    optimiser=optimiser,
                    weights=strength * on_weights,
                    slopes=strength * on_slopes,
                )
                columns = {f"slope{i}": row for i, row in enumerate(found.slopes.T, 1)}
                table = pd.DataFrame(
                    {"seed": root_seeds(root), **columns, "accuracy": found.accuracy}
                )
                tables.append(
                    table.assign(
                        size=found.size,
                        data=name,
                        optimiser=optimiser,
                        root=root,
                        decaying=decaying,
                        strength=strength,
                    )
                )
    return compact(pd.concat(tables, ignore_index=True))


def strengths_of(decaying: str, strengths: tuple[float, float]) -> tuple[float, ...]:
    """Those tried: both where everything decays, the stronger one where only a part does."""
    if decaying == "nothing":
        return (0.0,)
    return strengths if decaying == "everything" else strengths[1:]


def mean_slope(table: pd.DataFrame, decaying: str, strength: float = 0.0) -> Array:
    """Each network's slope, the mean over its layers, by seed; NaN where it diverged."""
    rows = table[(table.decaying == decaying) & np.isclose(table.strength, strength)]
    columns = [name for name in table.columns if name.startswith("slope")]
    return np.asarray(rows.sort_values("seed")[columns].mean(axis=1, skipna=False), np.float64)


def decay_plot(table: pd.DataFrame, name: str, ax: Any | None = None) -> Plot:
    """Mean learned slope by what decays, at the stronger decay of each optimiser."""
    ax = plots.axis(ax, height=3.2)
    sentences: list[str] = []
    sgd: list[float] = []
    artists = {}
    marks = np.arange(len(DECAYING))
    for i, (optimiser, (_, strengths)) in enumerate(OPTIMISERS.items()):
        part = table[(table.data == name) & (table.optimiser == optimiser)]
        ends = [
            stats.mean_interval(
                mean_slope(part, decaying, strengths_of(decaying, strengths)[-1]), nan="drop"
            )
            for decaying in DECAYING
        ]
        at = marks + 0.1 * (i - 0.5)
        hue = plots.NEUTRAL[i]
        ax.vlines(at, [e.low for e in ends], [e.high for e in ends], color=hue)
        label = f"{optimiser}, decay {strengths[1]:g}"
        (artists[optimiser],) = ax.plot(
            at, [e.mean for e in ends], plots.MARKERS[i], color=hue, label=label
        )
        numbers = ", ".join(
            f"{decaying} {e.mean:.2f}" for decaying, e in zip(DECAYING, ends, strict=True)
        )
        sentences.append(f"{optimiser}: {numbers}")
        sgd = sgd or [ends[0].mean, ends[-1].mean]
    ax.axhline(START, color=plots.INK, linewidth=1, linestyle=":")
    ax.annotate("start", (marks[-1] + 0.4, START), ha="right", va="bottom")
    ax.set_xticks(marks, [words.replace("all but", "all but\n") for words in DECAYING])
    ax.set_xlim(-0.4, marks[-1] + 0.4)
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])  # room for the legend
    ax.legend(loc="upper left", ncols=2)
    title = f"{TITLES[name]}: decay takes SGD's slopes from {sgd[0]:.2f} to {sgd[1]:.2f}"
    plots.label(ax, title=title, x="what decays", y="mean learned slope")
    alt = (
        f"Dots with intervals for {TITLES[name]}: the mean learned slope by what decays. "
        f"{'; '.join(sentences)}. The slopes started at {START}."
    )
    return Plot(ax, alt, artists)


def _decay(seed: int) -> Evidence:
    table = study.load("leaky_decay")
    table = table[table.root == seed]
    change: dict[str, dict[str, list[float]]] = {name: {} for name in DECAYING if name != "nothing"}
    for name, (optimiser, (_, strengths)) in itertools.product(EPOCHS, OPTIMISERS.items()):
        part = table[(table.data == name) & (table.optimiser == optimiser)]
        none = mean_slope(part, "nothing")
        for decaying, found in change.items():
            for strength in strengths_of(decaying, strengths):
                shift = mean_slope(part, decaying, strength) - none
                where = f"{TITLES[name]}, {optimiser} {strength:g}"
                found[where] = as_list(stats.mean_interval(shift, nan="drop"))
    return {"change": change}


def _decide_decay(evidence: Evidence) -> tuple[Verdict, str]:
    change = evidence["change"]
    everything = change["everything"]
    falls = [where for where, (_, _, high) in everything.items() if high < 0]
    rises = [where for where, (_, low, _) in everything.items() if low > 0]

    def span(decaying: str) -> str:
        means = [mean for mean, _, _ in change[decaying].values()]
        return f"{min(means):+.2f} to {max(means):+.2f}"

    text = (
        f"Decay on everything lowers the mean slope in {len(falls)} of {len(everything)} settings "
        f"and raises it in {len(rises)} (changes from {span('everything')}). Decay on the slopes "
        f"alone changes it by {span('slopes only')}, on all but the slopes by "
        f"{span('all but the slopes')}."
    )
    if len(falls) == len(everything):
        return "holds", text
    if falls:
        return "holds when …", f"… the setting is {' or '.join(falls)}. {text}"
    return ("refuted" if rises else "not shown"), text


def _sparing(seed: int) -> Evidence:
    """Test accuracy with decay on all but the slopes minus that with decay on everything."""
    table = study.load("leaky_decay")
    table = table[table.root == seed]
    ahead = {}
    for name, (optimiser, (_, strengths)) in itertools.product(EPOCHS, OPTIMISERS.items()):
        part = table[(table.data == name) & (table.optimiser == optimiser)]
        part = part[np.isclose(part.strength, strengths[1])].sort_values("seed")
        spared, everything = (
            np.asarray(part[part.decaying == decaying].accuracy, np.float64)
            for decaying in ("all but the slopes", "everything")
        )
        found = stats.paired_difference(spared, everything, 1 - 0.05 / 4)
        ahead[f"{TITLES[name]}, {optimiser} {strengths[1]:g}"] = as_list(found)
    return {"ahead": ahead}


CLAIMS = (
    Claim(
        id="prelu-decay-to-relu",
        statement="Weight decay pushes the slopes of PReLU to zero, and so towards ReLU.",
        source=(
            "[He et al., 2015](https://arxiv.org/abs/1502.01852), and the warning in PyTorch's "
            "documentation of PReLU"
        ),
        chapter=CHAPTER,
        experiment=(
            "PReLU networks of five hidden layers of 64, one slope per layer, digits and MNIST-1D, "
            "SGD (L2 penalty 0.001 and 0.01) and AdamW (0.1 and 1), decay on nothing, on the "
            "slopes, on all but the slopes, on everything; mean learned slope; 20 seeds, paired."
        ),
        rule=(
            "Decay on everything against none. Holds if the mean slope falls (95 % interval of the "
            "paired difference below 0) in all eight settings, holds when … in some, refuted if in "
            "none, provided that it rises in one."
        ),
        measure=_decay,
        decide=_decide_decay,
        otherwise={
            "change": {
                decaying: {"Digits, SGD 0.01": [-0.2, -0.3, -0.1]}
                for decaying in ("everything", "slopes only", "all but the slopes")
            }
        },
        cheap=False,
    ),
    Claim(
        id="prelu-decay-hurts",
        statement="For good performance weight decay must not be used on the slopes of PReLU.",
        source="PyTorch's documentation of PReLU",
        chapter=CHAPTER,
        experiment=(
            "The same networks, the stronger decay of each optimiser: test accuracy with decay on "
            "all but the slopes, minus that with decay on everything; 20 seeds, paired."
        ),
        rule=(
            "Holds if the interval of the difference (95 % for all four settings together) lies "
            "above 0 in every setting; holds when … in some; refuted if in all four it lies below "
            "half a point."
        ),
        measure=_sparing,
        decide=decide_ahead,
        otherwise=OTHERWISE_AHEAD,
        cheap=False,
    ),
)
