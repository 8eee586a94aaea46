"""What weight decay does to slopes that are learned, and what sparing them is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments import untrained
from actlab.experiments.contest import TITLES, prelu
from actlab.experiments.seeds import root_seeds
from actlab.experiments.slopes import learned
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Level, Measured, experiment

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


def strengths(decaying: str, optimiser: str) -> tuple[float, ...]:
    """Those tried: both where everything decays, the stronger one where only a part does."""
    if decaying == "nothing":
        return (0.0,)
    both = OPTIMISERS[optimiser][1]
    return both if decaying == "everything" else both[1:]


def train_with_decay(
    data: Any,
    seed: int,
    epochs: int,
    *,
    optimiser: str = "SGD",
    weights: float = 0.0,
    slopes: float = 0.0,
) -> dict[str, float]:
    """Train a PReLU network, one slope per layer, with a decay of its own for weights and slopes.

    Returns the slopes (``slope1`` to ``slope5``), the test ``accuracy``, and the ``size`` of the
    hidden layers' weights: their root mean square relative to the start. The lab's ensemble decays
    all parameters alike, so this is a plain training loop, from the same start and with the same
    order of the data as in :func:`actlab.ensemble.train`.
    """
    import torch
    from torch import nn

    from actlab.ensemble import data_order

    settings = {**prelu(START), "hidden": (64,) * 5, "dtype": "float32"}
    sizes = {"features": data.n_features, "classes": data.n_classes}
    network = untrained.draw([seed], **sizes, **settings).plain(0)
    linears = [layer for layer in network if isinstance(layer, nn.Linear)]
    leaks = [unit.weight for unit in network if isinstance(unit, nn.PReLU)]
    groups = [
        {"params": [p for layer in linears for p in layer.parameters()], "weight_decay": weights},
        {"params": leaks, "weight_decay": slopes},
    ]
    lr, _ = OPTIMISERS[optimiser]
    step = (
        torch.optim.SGD(groups, lr=lr, momentum=0.9)
        if optimiser == "SGD"
        else torch.optim.AdamW(groups, lr=lr)
    )

    def mean_square() -> float:
        return float(np.mean([layer.weight.detach().square().mean() for layer in linears[:-1]]))

    x, y, x_test, y_test = (
        torch.from_numpy(part) for part in (data.x_train, data.y_train, data.x_test, data.y_test)
    )
    order, start = data_order(seed, len(y)), mean_square()
    for _ in range(epochs):
        for rows in torch.split(next(order), BATCH):
            step.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            step.step()
    return {
        **{f"slope{i}": leak.item() for i, leak in enumerate(leaks, 1)},
        "accuracy": (network(x_test).argmax(1) == y_test).double().mean().item(),
        "size": (mean_square() / start) ** 0.5,
    }


def decay_cell(data: str, optimiser: str, root: int, decaying: str) -> pd.DataFrame:
    """One row per seed and strength: the learned slopes, the accuracy, the size of the weights."""
    part = datasets.load(data)
    on_weights, on_slopes = DECAYING[decaying]
    rows = []
    for strength in strengths(decaying, optimiser):
        decay = {"weights": strength * on_weights, "slopes": strength * on_slopes}
        for seed in root_seeds(root):
            found = train_with_decay(part, seed, EPOCHS[data], optimiser=optimiser, **decay)
            rows.append({"seed": seed, **found, "strength": strength})
    return pd.DataFrame(rows)


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

# --- Reading --------------------------------------------------------------------------------------


def networks(
    root: int, data: str, optimiser: str, decaying: str, strength: float = 0.0
) -> pd.DataFrame:
    """Twenty networks, by seed; ``slope`` is the mean over the layers, NaN where one diverged."""
    table = load(DECAY.name, root=root, data=data, optimiser=optimiser, decaying=decaying)
    part = table[np.isclose(table.strength, strength)].set_index("seed").sort_index()
    slopes = part[[f"slope{layer}" for layer in range(1, 6)]]
    return part.assign(slope=slopes.mean(axis=1, skipna=False))


def by_decaying(name: str, root: int = 0) -> dict[str, dict[str, Interval]]:
    """Mean learned slope at the stronger decay: optimiser → what decays → interval."""
    found: dict[str, dict[str, Interval]] = {}
    for optimiser, (_, (_, strong)) in OPTIMISERS.items():
        for decaying in DECAYING:
            strength = strengths(decaying, optimiser)[-1]
            slope = networks(root, name, optimiser, decaying, strength).slope
            its = found.setdefault(f"{optimiser}, decay {strong:g}", {})
            its[decaying] = stats.mean_interval(slope, nan="drop")
    return found


def _settings(decaying: str) -> dict[Case, tuple[str, str, float]]:
    """Case → data, optimiser and strength, of all that were tried."""
    return {
        (TITLES[name], f"{optimiser} at decay {strength:g}"): (name, optimiser, strength)
        for name in EPOCHS
        for optimiser in OPTIMISERS
        for strength in strengths(decaying, optimiser)
    }


_NETWORKS = "PReLU networks of five hidden layers of 64, one slope per layer, digits and MNIST-1D,"


@experiment(
    f"{_NETWORKS} SGD (L2 penalty 0.001 and 0.01) and AdamW (0.1 and 1), decay on everything "
    "against none; change of the mean learned slope, in per cent of that without decay; 20 seeds, "
    "paired.",
    "Five fully connected layers of 64 · digits, MNIST-1D · one split, 20 seeds",
    DECAY.name,
)
def change(root: int, level: Level) -> Evidence:
    """Change of the mean slope in per cent by decay on everything; in the notes on a part."""
    found: dict[Case, Interval] = {}
    notes: dict[str, dict[str, float]] = {"slopes only": {}, "all but the slopes": {}}
    places = _settings("everything")
    for case, (name, optimiser, strength) in places.items():
        none = networks(root, name, optimiser, "nothing").slope
        usual = none.mean() / 100
        all_decay = networks(root, name, optimiser, "everything", strength).slope
        shift = (all_decay - none) / usual
        found[case] = stats.mean_interval(shift, level(len(places)), nan="drop")
        for decaying, means in notes.items():
            if strength in strengths(decaying, optimiser):
                change = networks(root, name, optimiser, decaying, strength).slope - none
                means[", ".join(case)] = float((change / usual).mean())
    return {"change of the mean slope": Measured(found, ("data", "optimiser"), notes=notes)}


@experiment(
    f"{_NETWORKS} SGD (L2 penalty 0.01) and AdamW (decay 1): test accuracy with decay on all but "
    "the slopes, minus that with decay on everything; 20 seeds, paired.",
    change.scope,
    DECAY.name,
)
def spared(root: int, level: Level) -> Evidence:
    """Test accuracy with decay on all but the slopes minus that with decay on everything."""
    cases, floors = {}, {}
    places = _settings("all but the slopes")
    for case, (name, optimiser, strength) in places.items():
        spared, everything = (
            100 * networks(root, name, optimiser, decaying, strength).accuracy
            for decaying in ("all but the slopes", "everything")
        )
        cases[case] = stats.paired_difference(spared, everything, level(len(places)))
        floors[case] = stats.noise_floor(everything)
    return {"lead in test accuracy": Measured(cases, ("data", "optimiser"), floors)}


@experiment(
    "Digits, five hidden layers with batch norm before each PReLU, SGD with decay 0.01 on "
    "everything against none, 20 seeds, paired: change of the learned slopes. The outputs of "
    "layers 1 to 4 are normalised again, that of layer 5 feeds the output layer.",
    "Five fully connected layers of 64 with batch norm · digits · one split, 20 seeds",
)
def normalised(root: int, level: Level) -> Evidence:
    """With batch norm, live: what decay on everything, slopes included, changes."""
    from actlab import ensemble

    result = ensemble.train(
        datasets.load("digits"),
        arms={name: {"weight_decay": decay} for name, decay in (("none", 0.0), ("decay", 0.01))},
        seeds=root_seeds(root),
        epochs=10,
        lr=0.03,
        batch_size=BATCH,
        normalization="batch",
        progress=False,
        **prelu(START),
    )
    slopes = learned(result)
    change = slopes[result.index("decay")] - slopes[result.index("none")]
    parts = {
        "change of the slopes of layers 1 to 4": change[:, :-1].mean(1),
        "change of the slope of layer 5": change[:, -1],
    }
    return {
        what: Measured.of({TITLES["digits"]: stats.mean_interval(part, level(1))}, "data")
        for what, part in parts.items()
    }
