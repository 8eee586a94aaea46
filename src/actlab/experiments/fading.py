"""How signals and gradients fade from layer to layer, before training and in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import theory
from actlab.experiments import untrained
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval, mean_interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot

Array = npt.NDArray[np.float64]

WIDTH = 64  # as many units as digits has pixels: then every weight matrix is square
ACTIVATIONS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "selu": "SELU"}
CENTRED = "orthogonal × 4, centred"
STARTS = {**untrained.STARTS, CENTRED: {"init": untrained.centred_orthogonal}}
DEPTHS = (2, 5, 10, 20, 50)
THEORY = {**theory.STARTS, CENTRED: theory.Start(16.0, centred=True)}

# --- At the start ---------------------------------------------------------------------------------


def start_cell(activation: str, start: str, depth: int, *, width: int) -> pd.DataFrame:
    """Gradient norms at the start, two roots × 20 seeds: one row per network and layer.

    ``log_norm``: log10 of :func:`untrained.weight_gradients`; of depths below the largest only
    the first and the last hidden layer are kept.
    """
    import pandas as pd

    x, y = untrained.digits()
    layers = np.arange(depth) if depth == max(DEPTHS) else np.array([0, depth - 1])
    tables = []
    for root in (0, 1):
        seeds = root_seeds(root)
        networks = untrained.draw(
            seeds, activation=activation, hidden=(width,) * depth, **STARTS[start]
        )
        norms = np.log10(untrained.weight_gradients(networks, x, y)[:, layers]).round(3)
        columns = {
            "root": root,
            "seed": np.repeat(seeds, len(layers)),
            "layer": np.tile(layers + 1, len(seeds)),
            "log_norm": norms.ravel(),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True).astype({"log_norm": "float32"})


AT_START = Study(
    name="gradients_at_start",
    title="Gradients before training: activations, starts and depths",
    task=start_cell,
    axes={"activation": tuple(ACTIVATIONS), "start": tuple(STARTS), "depth": DEPTHS},
    settings={"width": WIDTH},
    only=lambda cell: cell["start"] != CENTRED or cell["activation"] == "sigmoid",
)


def profile(table: pd.DataFrame, activation: str, start: str, depth: int = 50) -> Array:
    """log10 gradient norms of one arm of ``AT_START`` and one root: (seeds, layers)."""
    part = table[(table.activation == activation) & (table.start == start) & (table.depth == depth)]
    wide = part.pivot(index="seed", columns="layer", values="log_norm")
    return np.asarray(wide, dtype=np.float64)


def live(activation: str, depth: int, seeds: int = 20, **start: Any) -> Array:
    """The same as log10 relative to the last layer, measured now on digits: (seeds, layers)."""
    networks = untrained.draw(range(seeds), activation=activation, hidden=(WIDTH,) * depth, **start)
    return untrained.decades(untrained.weight_gradients(networks, *untrained.digits()))


def expected(activation: str, start: theory.Start, depth: int) -> Array:
    """What theory says of :func:`live`: (layers,)."""
    return np.log10(theory.layers(activation, start, depth, width=WIDTH).gradient())


INNER = slice(9, 40)  # layers 10 to 40 of 50: away from the input and from the loss


def slopes(root: int, confidence: float = 0.95) -> dict[Case, tuple[Interval, float]]:
    """Decades per layer on the way back, measured and expected, by activation and start."""
    table = load(AT_START.name)
    table = table[table.root == root]
    layers = np.arange(50)[INNER]
    found: dict[Case, tuple[Interval, float]] = {}
    for (name, title), start in itertools.product(ACTIVATIONS.items(), untrained.STARTS):
        # Per seed the least-squares slope over the layers; back through the network is down.
        measured = -np.polyfit(layers, profile(table, name, start)[:, INNER].T, 1)[0]
        line = -np.polyfit(layers, expected(name, THEORY[start], 50)[INNER], 1)[0]
        found[title, start] = mean_interval(measured, confidence), float(line)
    return found


def _prediction(root: int, level: Level) -> Evidence:
    found = slopes(root, level(len(ACTIVATIONS) * len(untrained.STARTS)))
    cases = {
        case: Interval(m.mean - line, m.low - line, m.high - line, m.n, confidence=m.confidence)
        for case, (m, line) in found.items()
    }
    span = [measured.mean for measured, _ in found.values()]
    notes = {"measured, from … to …": [min(span), max(span)]}
    return {"error of the prediction": Measured(cases, ("activation", "start"), notes=notes)}


def _first_over_last(root: int, level: Level) -> Evidence:
    table = load(AT_START.name)
    table = table[table.root == root]
    cases = {
        start: mean_interval(
            np.diff(profile(table, "sigmoid", start, 20)[:, ::-1])[:, 0], level(len(STARTS))
        )
        for start in STARTS
    }
    return {"gradient ratio": Measured.of(cases, "start")}


# --- In training ----------------------------------------------------------------------------------

TRAINED_EPOCHS = 3
# Between square layers LeCun's weights are Glorot's, so four starts stand for five.
TRAINED_STARTS = ("PyTorch default", "Glorot", "orthogonal", "He")
VANISHED = -3.0  # decades: the first layer gets less than a thousandth of the last one's gradient
SMALLEST = -45.0  # what float32 rounds to zero, in decades


def norms_probe(snapshot: Snapshot) -> Mapping[str, Any]:
    """log10 of the gradient norm of every hidden layer's weights, (networks, layers)."""
    from actlab import probes

    norms = probes.gradient_norms(snapshot.gradients, snapshot.weights).gradient
    return {"log_norm": norms[:-1].log10().T}


def training_cell(
    root: int,
    depth: int,
    activation: str,
    start: str,
    *,
    width: int,
    rates: Sequence[float],
    epochs: int,
    **common: Any,
) -> pd.DataFrame:
    """Gradient norms before, after one and after three epochs; one row per network, look, layer.

    Digits; the rate of two tuning seeds with the lowest validation loss. log10 of the gradient
    norm over 256 training digits; all layers of 2 and 10; of 50 the first and every tenth.
    """
    import pandas as pd

    from actlab import data, ensemble

    digits = data.load("digits")
    settings: dict[str, Any] = {**common, **STARTS[start], "hidden": (width,) * depth}
    settings["activation"] = activation
    tuned = ensemble.tune(
        digits,
        arms={"it": settings},
        lrs=rates,
        seeds=root_seeds(root, 502)[500:],
        metric="valid_loss",
        epochs=epochs,
        progress=False,
    )
    per_epoch = math.ceil(len(digits.y_train) / settings["batch_size"])
    looks = {epoch: epoch * per_epoch for epoch in (0, 1, epochs)}
    result = ensemble.train(
        digits,
        arms=tuned.arms,
        seeds=root_seeds(root),
        epochs=epochs,
        probe=norms_probe,
        probe_at=list(looks.values()),
        probe_data=(digits.x_train[:256], digits.y_train[:256]),
        keep_weights=False,
        progress=False,
    )
    norms = np.maximum(result.probe("log_norm", "it"), SMALLEST)
    missing = len(looks) - norms.shape[1]  # where all networks have diverged
    norms = np.pad(norms, [(0, 0), (0, missing), (0, 0)], constant_values=np.nan)
    layers = [1, *range(10, 51, 10)] if depth == 50 else list(range(1, depth + 1))
    tables = [
        pd.DataFrame(
            {
                "lr": tuned.lr["it"],
                "seed": result.seed_of,
                "epoch": epoch,
                "layer": layer,
                "log_norm": norms[:, look, layer - 1].round(4),
                "valid_accuracy": result.valid_accuracy[:, -1].round(4),
            }
        )
        for (look, epoch), layer in itertools.product(enumerate(looks), layers)
    ]
    narrow = {"log_norm": "float32", "valid_accuracy": "float32"}
    return pd.concat(tables, ignore_index=True).astype(narrow)


IN_TRAINING = Study(
    name="gradients_in_training",
    title="Gradients before training and in it: activations, starts and depths",
    task=training_cell,
    axes={
        "root": (0, 1),
        "depth": (2, 10, 50),
        "activation": tuple(ACTIVATIONS),
        "start": TRAINED_STARTS,
    },
    settings={
        "width": WIDTH,
        "rates": (0.0003, 0.003, 0.03, 0.3),
        "epochs": TRAINED_EPOCHS,
        "batch_size": 32,
        "momentum": 0.9,
    },
)
STUDIES = (AT_START, IN_TRAINING)


def trained_ratio(
    table: pd.DataFrame, activation: str, start: str, depth: int, epoch: int
) -> Array:
    """First over last hidden layer's gradient norm, in decades, seed by seed."""
    part = table[
        (table.activation == activation)
        & (table.start == start)
        & (table.depth == depth)
        & (table.epoch == epoch)
    ].pivot(index="seed", columns="layer", values="log_norm")
    return np.asarray(part[1] - part[depth], dtype=np.float64)


def before_and_after(
    table: pd.DataFrame, depth: int, confidence: float = 0.95
) -> dict[Case, tuple[Interval | None, Interval | None]]:
    """:func:`trained_ratio` at the first and the last look, of networks that did not diverge.

    By activation and start; ``None`` where fewer than two networks are left.
    """
    found: dict[Case, tuple[Interval | None, Interval | None]] = {}
    for (name, title), start in itertools.product(ACTIVATIONS.items(), TRAINED_STARTS):
        looks = [trained_ratio(table, name, start, depth, e) for e in (0, TRAINED_EPOCHS)]
        left = np.isfinite(looks[1])
        both = [mean_interval(v[left], confidence) if left.sum() > 1 else None for v in looks]
        found[title, start] = (both[0], both[1])
    return found


def _stays_vanished(root: int, level: Level) -> Evidence:
    table = load(IN_TRAINING.name)
    table = table[table.root == root]
    every = {
        (*case, str(depth)): looks
        for depth in IN_TRAINING.axes["depth"]
        for case, looks in before_and_after(table, depth).items()
    }
    cases: dict[Case, Interval] = {}
    lost = []
    for case, (before, after) in every.items():
        if before is None or after is None:
            continue
        if before.high < VANISHED:
            cases[case] = after
        elif before.low > VANISHED > after.high:
            lost.append(", ".join(case))
    notes = {"cases tried": len(every), "vanished during training": lost}
    measured = Measured(cases, ("activation", "start", "depth"), notes=notes)
    return {"gradient ratio after training": measured}


# --- Signals --------------------------------------------------------------------------------------


def _used_range(root: int, level: Level) -> Evidence:
    x, _ = untrained.digits()
    networks = untrained.draw(
        root_seeds(root), activation="sigmoid", hidden=(WIDTH,) * 10, init="glorot_uniform"
    )
    spans = []
    for layer in untrained.outputs(networks, x):
        low, high = np.quantile(layer.numpy(), [0.05, 0.95], axis=1)
        spans.append(100 * (high - low).mean(1))
    cases = {"10": mean_interval(spans[-1], level(1))}
    notes = {"by layer": [float(span.mean()) for span in spans]}
    return {
        "part of its range that a unit of the tenth layer uses": Measured.of(
            cases, "layer", notes=notes
        )
    }


def _centred_layers(root: int, level: Level) -> Evidence:
    x, _ = untrained.digits()
    cases: dict[Case, Interval] = {}
    off = {}
    for start, settings in untrained.STARTS.items():
        networks = untrained.draw(
            root_seeds(root), activation="tanh", hidden=(WIDTH,) * 10, **settings
        )
        units = [layer.mean(1).numpy() for layer in untrained.outputs(networks, x)]
        for i, means in enumerate(units):
            cases[start, str(i + 1)] = mean_interval(means.mean(1), level(50))
        off[start] = float(np.abs(units[-1]).max(1).mean())
    notes = {"mean of the most off-centre unit of layer 10": off}
    return {"mean output": Measured(cases, ("start", "layer"), notes=notes)}


_SCOPE = "Untrained networks, 64 units a layer · digits · 20 seeds"

PREDICTION = Experiment(
    prose=(
        "Fifty hidden layers of 64 units, before training, 256 digits, 20 seeds; sigmoid, tanh, "
        "ReLU and SELU under five initialisations; slope of log10 of the weights' gradient norm "
        "over layers 10 to 40, against the theory of infinitely wide networks (that factor, times "
        "the change of the signal that the weights receive)."
    ),
    scope=_SCOPE,
    measure=_prediction,
    study="gradients_at_start",
)
FIRST_OVER_LAST = Experiment(
    prose=(
        "Twenty hidden layers of 64 sigmoid units, before training, 256 digits, 20 seeds: gradient "
        "norm of the first layer over that of the last hidden layer, for five initialisations and "
        "for orthogonal weights × 4 whose rows sum to zero."
    ),
    scope=_SCOPE,
    measure=_first_over_last,
    study="gradients_at_start",
)
STAYS_VANISHED = Experiment(
    prose=(
        "Digits; 2, 10 and 50 hidden layers of 64; sigmoid, tanh, ReLU and SELU under four starts; "
        "three epochs of SGD with momentum at a learning rate tuned for each case (four rates, two "
        "seeds, validation loss), 20 seeds: gradient norm of the first hidden layer over that of "
        "the last, in decades. Asked are the cases in which it is below 1/1,000 at the start."
    ),
    scope="Networks of 64 units a layer · digits · three epochs · 20 seeds",
    measure=_stays_vanished,
    study="gradients_in_training",
)
USED_RANGE = Experiment(
    prose=(
        "Ten sigmoid layers of 64 units, Glorot's start, 256 digits, 20 seeds: how far a unit's "
        "output moves from digit to digit, from its 5th to its 95th percentile, in per cent of "
        "the range from 0 to 1."
    ),
    scope=_SCOPE,
    measure=_used_range,
)
CENTRED_LAYERS = Experiment(
    prose=(
        "Ten tanh layers of 64 units, before training, 256 digits, five initialisations, 20 "
        "seeds: mean output of each layer over units and inputs."
    ),
    scope=_SCOPE,
    measure=_centred_layers,
)
