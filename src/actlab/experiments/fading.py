"""How signals and gradients fade from layer to layer, before training and in it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from actlab import theory
from actlab.experiments import normalised, untrained
from actlab.stats import Array, mean_interval
from actlab.study import Study, grid_of, load, root_seeds, table_of
from actlab.trial import Evidence, Level, Measured, experiment

WIDTH = 64  # as many units as digits has pixels: then every weight matrix is square
ACTIVATIONS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "selu": "SELU"}
CENTRED = "orthogonal × 4, centred"
STARTS = {**untrained.STARTS, CENTRED: {"init": untrained.centred_orthogonal}}
DEPTHS = (2, 5, 10, 20, 50)
_SCOPE = "Untrained networks, 64 units a layer · digits · 20 seeds"

# --- The weights' gradients at the start ----------------------------------------------------------


def start_cell(activation: str, start: str, depth: int, *, width: int) -> pd.DataFrame:
    """Gradient norms at the start, two roots × 20 seeds: one row per network and layer.

    ``log_norm``: log10 of :func:`untrained.weight_gradients`; of depths below the largest only
    the first and the last hidden layer are kept.
    """
    layers = range(1, depth + 1) if depth == max(DEPTHS) else (1, depth)
    seeds = [*root_seeds(0), *root_seeds(1)]
    settings = {"activation": activation, "hidden": (width,) * depth, **STARTS[start]}
    norms = untrained.weight_gradients(untrained.draw(seeds, **settings), *untrained.digits())
    norms = np.log10(norms[:, np.array(layers) - 1]).round(3).astype(np.float32)
    root = np.repeat([0, 1], 20)[:, None]
    return table_of({"root": root, "log_norm": norms}, seed=seeds, layer=layers)


AT_START = Study(
    name="gradients_at_start",
    title="Gradients before training: activations, starts and depths",
    task=start_cell,
    axes={"activation": tuple(ACTIVATIONS), "start": tuple(STARTS), "depth": DEPTHS},
    settings={"width": WIDTH},
    only=lambda cell: cell["start"] != CENTRED or cell["activation"] == "sigmoid",
)


def profile(table: pd.DataFrame, **where: Any) -> Array:
    """log10 gradient norms of one arm and one root, of either study: (seeds, layers)."""
    return grid_of(table, "log_norm", rows="seed", columns="layer", **where)


def first_over_last(table: pd.DataFrame, **where: Any) -> Array:
    """The first hidden layer's gradient norm over the last one's, in decades, seed by seed."""
    norms = profile(table, **where)
    return norms[:, 0] - norms[:, -1]


@experiment(
    "Fifty hidden layers of 64 units, before training, 256 digits, 20 seeds; sigmoid, tanh, "
    "ReLU and SELU under five initialisations; slope of log10 of the weights' gradient norm "
    "over layers 10 to 40, against the theory of infinitely wide networks (that factor, times "
    "the change of the signal that the weights receive).",
    _SCOPE,
    AT_START.name,
)
def prediction(root: int, level: Level) -> Evidence:
    table = load(AT_START.name, root=root, depth=50)
    errors, means = {}, []
    for (name, title), start in itertools.product(ACTIVATIONS.items(), untrained.STARTS):
        measured = _slope(profile(table, activation=name, start=start))
        wide = theory.layers(name, theory.STARTS[start], 50)
        errors[title, start] = measured - _slope(np.log10(wide.gradient()))
        means.append(float(measured.mean()))
    notes = {"measured, from … to …": [min(means), max(means)]}
    found = Measured.means(errors, level, "activation", "start", notes=notes)
    return {"error of the prediction": found}


def _slope(norms: Array) -> Array:
    """Decades per layer on the way back, over layers 10 to 40: away from input and loss."""
    slopes: Array = -np.polyfit(np.arange(9, 40), norms[..., 9:40].T, 1)[0]
    return slopes


@experiment(
    "Twenty hidden layers of 64 sigmoid units, before training, 256 digits, 20 seeds: gradient "
    "norm of the first layer over that of the last hidden layer, for five initialisations and "
    "for orthogonal weights × 4 whose rows sum to zero.",
    _SCOPE,
    AT_START.name,
)
def vanishing(root: int, level: Level) -> Evidence:
    table = load(AT_START.name, root=root, activation="sigmoid", depth=20)
    ratios = {start: first_over_last(table, start=start) for start in STARTS}
    return {"gradient ratio": Measured.means(ratios, level, "start")}


# --- In training ----------------------------------------------------------------------------------

EPOCHS, SGD = 3, {"batch_size": 32, "momentum": 0.9}
# Between square layers LeCun's weights are Glorot's, so four starts stand for five.
TRAINED_STARTS = ("PyTorch default", "Glorot", "orthogonal", "He")
VANISHED = -3.0  # decades: the first layer gets less than a thousandth of the last one's gradient


def training_cell(
    root: int, depth: int, activation: str, start: str, *, width: int, rates: Any, **how: Any
) -> pd.DataFrame:
    """Gradient norms before, after one and after three epochs; one row per network, look, layer.

    Digits; the rate of two tuning seeds with the lowest validation loss. log10 of the gradient
    norm over 256 training digits; all layers of 2 and 10; of 50 the first and every tenth.
    """
    from actlab import data, ensemble

    digits, how = data.load("digits"), {**how, "progress": False}
    arms = {"it": {**STARTS[start], "activation": activation, "hidden": (width,) * depth}}
    seeds = root_seeds(root, 502)[500:]
    tuned = ensemble.tune(digits, arms=arms, lrs=rates, seeds=seeds, metric="valid_loss", **how)
    how |= {"probe": "gradients", "probe_data": (digits.x_train[:256], digits.y_train[:256])}
    result = ensemble.train(digits, arms=tuned.arms, seeds=root_seeds(root), **how)
    norms = np.log10(np.maximum(result.probe("gradient_norm", "it"), 1e-45))  # float32 may say 0
    missing = 1 + how["epochs"] - norms.shape[1]  # where all networks have diverged
    norms = np.pad(norms, [(0, 0), (0, missing), (0, 0)], constant_values=np.nan)
    looks = [0, 1, how["epochs"]]
    layers = [1, *range(10, 51, 10)] if depth == 50 else list(range(1, depth + 1))
    norms = norms[:, looks][:, :, np.array(layers) - 1].transpose(1, 2, 0).round(4)
    accuracy = np.float32(result.valid_accuracy[:, -1].round(4))
    columns = {"lr": tuned.lr["it"], "log_norm": np.float32(norms), "valid_accuracy": accuracy}
    return table_of(columns, epoch=looks, layer=layers, seed=root_seeds(root))


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
    settings={"width": WIDTH, "rates": (0.0003, 0.003, 0.03, 0.3), "epochs": EPOCHS, **SGD},
)
STUDIES = (AT_START, IN_TRAINING)


@experiment(
    "Digits; 2, 10 and 50 hidden layers of 64; sigmoid, tanh, ReLU and SELU under four starts; "
    "three epochs of SGD with momentum at a learning rate tuned for each case (four rates, two "
    "seeds, validation loss), 20 seeds: gradient norm of the first hidden layer over that of "
    "the last, in decades. Asked are the cases in which it is below 1/1,000 at the start.",
    "Networks of 64 units a layer · digits · three epochs · 20 seeds",
    IN_TRAINING.name,
)
def stays_vanished(root: int, level: Level) -> Evidence:
    table = load(IN_TRAINING.name, root=root)
    arms = list(itertools.product(IN_TRAINING.axes["depth"], ACTIVATIONS.items(), TRAINED_STARTS))
    cases, lost = {}, []
    for depth, (name, title), start in arms:
        where = {"activation": name, "start": start, "depth": depth}
        looks = [first_over_last(table, **where, epoch=e) for e in (0, EPOCHS)]
        left = np.isfinite(looks[1])  # the others diverged
        if left.sum() < 2:
            continue
        before, after = (mean_interval(look[left], level(len(arms))) for look in looks)
        if before.high < VANISHED:
            cases[title, start, str(depth)] = after
        elif before.low > VANISHED > after.high:
            lost.append(f"{title}, {start}, {depth}")
    notes = {"cases tried": len(arms), "vanished during training": lost}
    found = Measured.of(cases, "activation", "start", "depth", notes=notes)
    return {"gradient ratio after training": found}


# --- Signals --------------------------------------------------------------------------------------

USED = "part of its range that a unit of the tenth layer uses"


def ten_layers(root: int, activation: str, **start: Any) -> Array:
    """What each layer hands on for 256 digits, (layers, networks, inputs, units)."""
    hidden = (WIDTH,) * 10
    networks = untrained.draw(root_seeds(root), activation=activation, hidden=hidden, **start)
    return np.stack(untrained.outputs(networks, untrained.digits()[0]))


@experiment(
    "Ten sigmoid layers of 64 units, Glorot's start, 256 digits, 20 seeds: how far a unit's "
    "output moves from digit to digit, from its 5th to its 95th percentile, in per cent of "
    "the range from 0 to 1.",
    _SCOPE,
)
def used_range(root: int, level: Level) -> Evidence:
    low, high = np.quantile(ten_layers(root, "sigmoid", init="glorot_uniform"), [0.05, 0.95], 2)
    spans = 100 * (high - low).mean(2)  # (layers, networks)
    notes = {"by layer": spans.mean(1).tolist()}
    return {USED: Measured.means({"10": spans[-1]}, level, "layer", notes=notes)}


@experiment(
    "Ten tanh layers of 64 units, before training, 256 digits, five initialisations, 20 "
    "seeds: mean output of each layer over units and inputs.",
    _SCOPE,
)
def centred_layers(root: int, level: Level) -> Evidence:
    means, off = {}, {}
    for start, settings in untrained.STARTS.items():
        units = ten_layers(root, "tanh", **settings).mean(2)  # (layers, networks, units)
        for i, layer in enumerate(units.mean(2), 1):
            means[start, str(i)] = layer
        off[start] = float(np.abs(units[-1]).max(1).mean())
    notes = {"mean of the most off-centre unit of layer 10": off}
    return {"mean output": Measured.means(means, level, "start", "layer", notes=notes)}


# --- The outputs' gradients at the start ----------------------------------------------------------

LOSING: dict[str, dict[str, Any]] = {
    "LeCun": {"init": "lecun_normal"},
    "He": {"init": "he_normal"},
    "¾ LeCun": {"init": "lecun_normal", "gain": 0.75},
    "PyTorch default": {"init": "torch"},
}


def decades_lost(activation: str, depth: int, root: int) -> dict[str, Array]:
    """Start → powers of ten that a gradient loses from the last layer to the first, (networks,)."""
    lost, hidden = {}, (128,) * depth
    for name, start in LOSING.items():
        networks = untrained.draw(root_seeds(root), activation=activation, hidden=hidden, **start)
        norms = untrained.output_gradients(networks, normalised.standardised(), root)
        lost[name] = -untrained.decades(norms)[:, 0]
    return lost


@experiment(
    "Untrained networks of 30 layers of 128 units, ELU and ReLU with the same weights, four "
    "initialisations, 20 networks: how many powers of ten the gradient of the layers' outputs "
    "loses from the last layer to the first. Counted are the initialisations under which ReLU "
    "loses more than half a power of ten.",
    "Untrained networks of 30 × 128 units · digits · 20 paired seeds",
)
def elu_saves(root: int, level: Level) -> Evidence:
    relu, elu = (decades_lost(activation, 30, root) for activation in ("relu", "elu"))
    saved = {n: lost - elu[n] for n, lost in relu.items() if mean_interval(lost).low > 0.5}
    notes = {n: {"ReLU": float(relu[n].mean()), "ELU": float(elu[n].mean())} for n in LOSING}
    return {"loss that ELU saves": Measured.means(saved, level, "start", notes=notes)}


@experiment(
    "Untrained SELU networks of 50 layers of 128 units under four initialisations, 20 networks: "
    "how many powers of ten the gradient of the layers' outputs loses from the last layer to the "
    "first (below 0: it grows on the way back).",
    "Untrained networks of 50 × 128 units · digits · 20 seeds",
)
def selu_loses(root: int, level: Level) -> Evidence:
    lost = decades_lost("selu", 50, root)
    return {"loss of the gradient": Measured.means(lost, level, "start")}
