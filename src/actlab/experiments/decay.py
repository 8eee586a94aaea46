"""What weight decay does to slopes that are learned, and what sparing them is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import TITLES, prelu
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

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
    import torch
    from torch.nn import functional

    from actlab.ensemble import Settings, data_order, initial_weights

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

    def forward(x: torch.Tensor) -> torch.Tensor:
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


def decay_cell(data: str, optimiser: str, root: int, decaying: str) -> pd.DataFrame:
    """One row per seed and strength: the learned slopes, the accuracy, the size of the weights."""
    import pandas as pd

    on_weights, on_slopes = DECAYING[decaying]
    tables = []
    for strength in strengths(decaying, optimiser):
        found = train_with_decay(
            datasets.load(data),
            root_seeds(root),
            EPOCHS[data],
            optimiser=optimiser,
            weights=strength * on_weights,
            slopes=strength * on_slopes,
        )
        columns = {f"slope{i}": row for i, row in enumerate(found.slopes.T, 1)}
        table = pd.DataFrame({"seed": root_seeds(root), **columns, "accuracy": found.accuracy})
        tables.append(table.assign(size=found.size, strength=strength))
    return pd.concat(tables, ignore_index=True)


DECAY = Study(
    name="leaky_decay",
    title="Learned slopes under decay of everything, of a part, of nothing",
    task=decay_cell,
    axes={
        "data": tuple(EPOCHS),
        "optimiser": tuple(OPTIMISERS),
        "root": (0, 1),
        "decaying": tuple(DECAYING),
    },
)
STUDIES = (DECAY,)


def strengths(decaying: str, optimiser: str) -> tuple[float, ...]:
    """Those tried: both where everything decays, the stronger one where only a part does."""
    if decaying == "nothing":
        return (0.0,)
    both = OPTIMISERS[optimiser][1]
    return both if decaying == "everything" else both[1:]


# --- Reading --------------------------------------------------------------------------------------


def _part(root: int, name: str, optimiser: str) -> pd.DataFrame:
    table = load(DECAY.name)
    return table[
        (table.root == root) & (table.data == name) & (table.optimiser == optimiser)
    ].sort_values("seed")


def mean_slope(part: pd.DataFrame, decaying: str, strength: float = 0.0) -> Array:
    """Each network's slope, the mean over its layers, by seed; NaN where it diverged."""
    rows = part[(part.decaying == decaying) & np.isclose(part.strength, strength)]
    columns = [name for name in part.columns if name.startswith("slope")]
    return np.asarray(rows[columns].mean(axis=1, skipna=False), np.float64)


def by_decaying(name: str, root: int = 0) -> dict[str, dict[str, Interval]]:
    """Mean learned slope at the stronger decay: optimiser → what decays → interval."""
    return {
        f"{optimiser}, decay {both[1]:g}": {
            decaying: stats.mean_interval(
                mean_slope(
                    _part(root, name, optimiser), decaying, strengths(decaying, optimiser)[-1]
                ),
                nan="drop",
            )
            for decaying in DECAYING
        }
        for optimiser, (_, both) in OPTIMISERS.items()
    }


def _cases(strong: bool) -> list[tuple[str, str, float]]:
    return [
        (name, optimiser, strength)
        for name in EPOCHS
        for optimiser, (_, both) in OPTIMISERS.items()
        for strength in both[strong:]
    ]


def _case(name: str, optimiser: str, strength: float) -> Case:
    return TITLES[name], f"{optimiser} at decay {strength:g}"


def _change(root: int, level: Level) -> Evidence:
    """Change of the mean slope in per cent by decay on everything; in the notes on a part."""
    found: dict[Case, Interval] = {}
    notes: dict[str, dict[str, float]] = {"slopes only": {}, "all but the slopes": {}}
    for name, optimiser, strength in _cases(strong=False):
        part = _part(root, name, optimiser)
        none, case = mean_slope(part, "nothing"), _case(name, optimiser, strength)
        usual = np.nanmean(none) / 100
        shift = (mean_slope(part, "everything", strength) - none) / usual
        confidence = level(len(_cases(strong=False)))
        found[case] = stats.mean_interval(shift, confidence, nan="drop")
        for decaying, means in notes.items():
            if strength in strengths(decaying, optimiser):
                change = (mean_slope(part, decaying, strength) - none) / usual
                means[", ".join(case)] = float(np.nanmean(change))
    return {"change of the mean slope": Measured(found, ("data", "optimiser"), notes=notes)}


CHANGE = Experiment(
    prose=(
        "PReLU networks of five hidden layers of 64, one slope per layer, digits and MNIST-1D, "
        "SGD (L2 penalty 0.001 and 0.01) and AdamW (0.1 and 1), decay on everything against none; "
        "change of the mean learned slope, in per cent of that without decay; 20 seeds, paired."
    ),
    scope="Five fully connected layers of 64 · digits, MNIST-1D · one split, 20 seeds",
    measure=_change,
    study=DECAY.name,
)


def _spared(root: int, level: Level) -> Evidence:
    """Test accuracy with decay on all but the slopes minus that with decay on everything."""
    cases, floors = {}, {}
    for name, optimiser, strength in _cases(strong=True):
        part = _part(root, name, optimiser)
        part = part[np.isclose(part.strength, strength)]
        spared, everything = (
            100 * np.asarray(part[part.decaying == decaying].accuracy, np.float64)
            for decaying in ("all but the slopes", "everything")
        )
        case = _case(name, optimiser, strength)
        cases[case] = stats.paired_difference(spared, everything, level(len(_cases(strong=True))))
        floors[case] = stats.noise_floor(everything)
    return {"lead in test accuracy": Measured(cases, ("data", "optimiser"), floors)}


SPARED = Experiment(
    prose=(
        "PReLU networks of five hidden layers of 64, one slope per layer, digits and MNIST-1D, SGD "
        "(L2 penalty 0.01) and AdamW (decay 1): test accuracy with decay on all but the slopes, "
        "minus that with decay on everything; 20 seeds, paired."
    ),
    scope=CHANGE.scope,
    measure=_spared,
    study=DECAY.name,
)

# --- Live -----------------------------------------------------------------------------------------


def decayed_slopes(
    images: Any,
    decays: Iterable[float],
    seeds: Iterable[int] = range(20),
    normalization: str | None = None,
    dtype: str = "float32",
) -> dict[str, Array]:
    """Learned slopes (seeds, 5 layers) under SGD with decay on everything, slopes included."""
    from actlab import ensemble
    from actlab.experiments.slopes import learned

    arms = {f"weight decay {d:g}": {**prelu(START), "weight_decay": d} for d in decays}
    result = ensemble.train(
        images,
        arms=arms,
        seeds=seeds,
        epochs=10,
        lr=0.03,
        batch_size=BATCH,
        normalization=normalization,
        dtype=dtype,
        progress=False,
    )
    slopes = learned(result)
    return {arm: slopes[result.index(arm)] for arm in arms}


def _normalised(root: int, level: Level) -> Evidence:
    found = decayed_slopes(datasets.load("digits"), (0, 0.01), root_seeds(root), "batch")
    change = found["weight decay 0.01"] - found["weight decay 0"]
    parts = {
        "change of the slopes of layers 1 to 4": change[:, :-1].mean(1),
        "change of the slope of layer 5": change[:, -1],
    }
    return {
        what: Measured.of({TITLES["digits"]: stats.mean_interval(part, level(1))}, "data")
        for what, part in parts.items()
    }


NORMALISED = Experiment(
    prose=(
        "Digits, five hidden layers with batch norm before each PReLU, SGD with decay 0.01 on "
        "everything against none, 20 seeds, paired: change of the learned slopes. The outputs of "
        "layers 1 to 4 are normalised again, that of layer 5 feeds the output layer."
    ),
    scope="Five fully connected layers of 64 with batch norm · digits · one split, 20 seeds",
    measure=_normalised,
)
