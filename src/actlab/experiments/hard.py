"""Hard and clipped functions: against their smooth twins, at their corners, in few bits.

A number in ``bits`` bits is one of 2 ** bits levels, evenly spaced over a range that is read off
what a layer gave on the training data (calibration). One large number makes the spaces wide for all
others; a function that ends at 6, or a range that is cut off, does not let it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog
from actlab.experiments.contest import (
    FAIR,
    OPTIONS,
    PAIRED,
    SEEDS,
    SPLITS,
    TITLES,
    Ahead,
    contest,
    contest_cell,
    networks,
    over_splits,
    splits_of,
    trained,
)
from actlab.experiments.pointwise import frameworks
from actlab.experiments.self_gated import GAINS, own_start
from actlab.study import grid_of, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = npt.NDArray[np.float64]

# --- At the corners -------------------------------------------------------------------------------

APART = "difference between the two frameworks' gradients"
HARD = ("hard_tanh", "relu6", "hard_sigmoid", "hard_silu")


def corners() -> dict[str, dict[str, float]]:
    """Function and corner → the gradient there, by framework, in float32."""
    found = {}
    for record in map(catalog.get, HARD):
        for kink in record.properties.kinks:
            at = f"{record.title} at {kink:g}".replace("-", "−")
            found[at] = {
                title: float(side.gradients(record, np.array([kink]), "float32")[0])
                for title, side in frameworks().items()
            }
    return found


def _corners(root: int, level: Level) -> Evidence:
    found = corners()
    gaps = {at: abs(slopes["PyTorch"] - slopes["Keras"]) for at, slopes in found.items()}
    return {APART: Measured.exact(gaps, "corner", notes=found)}


CORNERS = Experiment(
    "The gradient that automatic differentiation gives exactly at the corners of hard tanh, ReLU6, "
    "hard sigmoid and hard SiLU, in float32, in PyTorch and in Keras with TensorFlow.",
    "Both frameworks on one CPU",
    _corners,
)

# --- Trained to the plateau -----------------------------------------------------------------------


def sign(z: Tensor) -> Tensor:
    """−1 below 0, else 1: ``torch.sign`` has a third value at 0."""
    import torch

    return torch.where(z >= 0, 1.0, -1.0).to(z.dtype)


def clipped_sign(z: Tensor) -> Tensor:
    """A hard sign; backwards hard tanh's slope (Hubara et al., 2016)."""
    line = z.clamp(-1, 1)
    return line + (sign(z) - line).detach()


def plain_sign(z: Tensor) -> Tensor:
    """A hard sign; backwards the identity (Bengio et al., 2013)."""
    return z + (sign(z) - z).detach()


def spread_sigmoid(z: Tensor) -> Tensor:
    """Sigmoid of 3z: behind batch norm it uses its range, where sigmoid of z is nearly a line."""
    return (3 * z).sigmoid()


def spread_hard_sigmoid(z: Tensor) -> Tensor:
    """Its twin: the corners, at 3, lie one standard deviation out."""
    import torch

    return torch.nn.functional.hardsigmoid(3 * z)


_BATCH = {"init": "lecun_normal", "normalization": "batch"}
ARMS: dict[str, dict[str, Any]] = {
    "ReLU": FAIR["relu"],
    "ReLU6": {"activation": "relu6", "init": "he_normal"},
    "tanh": {"activation": "tanh", **own_start(1)},
    "hard tanh": {"activation": "hard_tanh", **own_start(1)},
    "SiLU": {"activation": "silu", **own_start(GAINS["silu"])},
    "hard SiLU": {"activation": "hard_silu", **own_start(1.567)},  # the critical gain
    "sigmoid": {"activation": "sigmoid", **_BATCH},
    "hard sigmoid": {"activation": "hard_sigmoid", **_BATCH},
    "sign, clipped": {"activation": clipped_sign, **own_start(1)},
    "sign, plain": {"activation": plain_sign, **own_start(1)},
    "sigmoid of 3z": {"activation": spread_sigmoid, **_BATCH},
    "hard sigmoid of 3z": {"activation": spread_hard_sigmoid, **_BATCH},
}
TWINS = {
    "ReLU and ReLU6": ("ReLU", "ReLU6"),
    "tanh and its twin": ("tanh", "hard tanh"),
    "SiLU and its twin": ("SiLU", "hard SiLU"),
    "sigmoid and its twin, batch norm": ("sigmoid of 3z", "hard sigmoid of 3z"),
}
FEW_BITS = ("ReLU", "ReLU6", "tanh", "hard tanh", "SiLU", "hard SiLU")
"""The arms whose networks are rounded."""
BITS = (8, 6, 4)
CUT = 0.999
"""The share of a layer's numbers that a range which is cut off still covers."""
DEPTH = 3

# --- In few bits ----------------------------------------------------------------------------------


def levels(low: float, high: float, bits: int) -> tuple[float, int, int]:
    """Scale, zero point and largest level of the range that holds ``low``, ``high`` and 0."""
    low, high, top = min(low, 0.0), max(high, 0.0), 2**bits - 1
    scale = (high - low) / top or 1.0
    return scale, round(-low / scale), top


def few_bits(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    """``x``, each number replaced by the nearest level of a range."""
    scale, zero, top = levels(low, high, bits)
    return (((x / scale).round() + zero).clamp(0, top) - zero) * scale


def coarse_weights(weight: Tensor, bits: int) -> Tensor:
    """Weights in symmetric levels, a scale for each output."""
    top = 2 ** (bits - 1) - 1
    scale: Tensor = weight.abs().amax(1, keepdim=True).clamp_min(1e-12) / top
    return (weight / scale).round() * scale


def outputs(
    network: nn.Sequential,
    x: Tensor,
    calibration: Tensor,
    bits: int,
    *,
    hidden_only: bool = False,
    cut: float = 1.0,
) -> Tensor:
    """Logits of a network of linear layers and activations whose numbers have few bits.

    The ranges are those of the float network on ``calibration``; ``cut``: the share of the numbers
    at each end that they cover. ``hidden_only``: weights and inputs stay as they are.
    """
    import torch

    def between(values: Tensor) -> tuple[float, float]:
        ends = np.quantile(values.numpy(), (1 - cut, cut))
        return float(ends[0]), float(ends[1])

    with torch.no_grad():
        if not hidden_only:
            x = few_bits(x, *between(calibration), bits)
        for layer in network:
            calibration = layer(calibration)
            if isinstance(layer, torch.nn.Linear):
                weight = layer.weight if hidden_only else coarse_weights(layer.weight, bits)
                x = torch.nn.functional.linear(x, weight, layer.bias)
            else:
                x = few_bits(layer(x), *between(calibration), bits)
    return x


def rounded_accuracies(network: nn.Sequential, split: Any) -> dict[str, float]:
    """Test accuracy as trained, in float16, in int8, and with hidden numbers of few bits.

    Also ``largest``: the largest number of a hidden layer on the training data, over the layers.
    """
    import torch

    x, seen = (torch.as_tensor(part, dtype=torch.float32) for part in (split.x_test, split.x_train))
    network = network.float().eval()

    def accuracy(logits: Tensor) -> float:
        return float(np.mean(logits.argmax(1).numpy() == split.y_test))

    with torch.no_grad():
        found = {"float32": accuracy(network(x))}
        found["int8"] = accuracy(outputs(network, x, seen, 8))
        for bits, (name, cut) in itertools.product(BITS, {"largest": 1.0, "cut": CUT}.items()):
            logits = outputs(network, x, seen, bits, hidden_only=True, cut=cut)
            found[f"{bits} bits, {name}"] = accuracy(logits)
        largest = 0.0
        for layer in list(network)[:-1]:
            seen = layer(seen)
            if not isinstance(layer, torch.nn.Linear):
                largest = max(largest, float(seen.max()))
        found["largest"] = largest
        found["float16"] = accuracy(network.half()(x.half()))
    return found


def hard_cell(data: str, depth: int, arm: str, **settings: Any) -> pd.DataFrame:
    """A contest's cell; for the arms in ``FEW_BITS`` with what rounding makes of its networks.

    They are trained a second time, from the same seeds at the same rate: the same networks.
    """
    table = contest_cell(data, depth, arm, **settings)
    if arm not in FEW_BITS:
        return table
    own = networks(settings, arm, depth) | {"lr": float(table.lr.iloc[0])}
    rows = []
    for split, part in enumerate(splits_of(data, **settings["options"][data])):
        result = trained(part, arm, own)
        for network, seed in zip(result.networks, result.seed_of, strict=True):
            found = {} if network is None else rounded_accuracies(network, part)
            rows.append({"split": split, "seed": seed, **found})
    return table.merge(pd.DataFrame(rows), on=["split", "seed"], validate="1:1")


CONTEST = replace(
    contest(
        "contest_hard",
        "Hard functions, their smooth twins and signs, three hidden layers",
        ARMS,
        data={"digits": ({}, 15), "mnist1d": (OPTIONS["mnist1d"], 8)},
        depths=(DEPTH,),
        batch_size=64,
    ),
    task=hard_cell,
)
STUDIES = (CONTEST,)
AS_TWINS = Ahead(CONTEST, pairs=TWINS, factor="pair")


def lost(arm: str, column: str, data: str) -> Array:
    """Points of accuracy that rounding costs, (splits, seeds)."""
    table = load(CONTEST.name, arm=arm, data=data)
    return grid_of(table.assign(lost=100 * (table.float32 - table[column])), "lost")


LESS = "accuracy lost, ReLU's less ReLU6's"
BETTER = "accuracy saved by cutting the range off"
COST = "accuracy lost"
DATA = CONTEST.axes["data"]


def _by_bits(one: tuple[str, str], other: tuple[str, str], level: Level) -> dict[Case, Any]:
    """The first's loss less the second's, by data and bits; (arm, range) each."""
    places = list(itertools.product(DATA, BITS))
    found: dict[Case, Any] = {}
    for data, bits in places:
        losses = [lost(arm, f"{bits} bits, {name}", data) for arm, name in (one, other)]
        sure = level(len(places))
        found[TITLES[data], f"{bits} bits"], _ = over_splits(losses[0] - losses[1], sure)
    return found


def _means(*pairs: tuple[str, str]) -> dict[str, Any]:
    """For the notes: what was lost, by arm and range, by data and bits."""
    return {
        f"{arm}, {'whole range' if name == 'largest' else 'cut off'}": {
            f"{TITLES[data]}, {bits} bits": float(
                np.nanmean(lost(arm, f"{bits} bits, {name}", data))
            )
            for data, bits in itertools.product(DATA, BITS)
        }
        for arm, name in pairs
    }


_NETWORKS = (
    f"The networks of the contest of chapter 13 (digits and MNIST-1D, {DEPTH} hidden layers of 64, "
    f"trained to the plateau, {SPLITS} splits with {SEEDS} seeds each), "
)
_HIDDEN = (
    "after training: the outputs of every hidden layer rounded to 8, 6 and 4 bits, evenly spaced "
    "levels"
)
_SCOPE = f"Small networks · digits, MNIST-1D · {PAIRED}"


@experiment(
    f"{_NETWORKS}{_HIDDEN} from 0 to the largest that the training data gave. Test accuracy lost "
    "by networks of ReLU less that lost by those of ReLU6, paired by split and seed.",
    _SCOPE,
    CONTEST.name,
)
def ends_at_six(root: int, level: Level) -> Evidence:
    pairs = ("ReLU", "largest"), ("ReLU6", "largest")
    cases = _by_bits(*pairs, level)
    return {LESS: Measured(cases, ("data", "bits"), notes=_means(*pairs))}


@experiment(
    f"{_NETWORKS}{_HIDDEN}, of ReLU: up to the largest number that the training data gave, and up "
    f"to what {100 * CUT:g} % of its numbers stay below. Test accuracy lost with the first less "
    "that with the second.",
    _SCOPE,
    CONTEST.name,
)
def cut_off(root: int, level: Level) -> Evidence:
    pairs = ("ReLU", "largest"), ("ReLU", "cut")
    cases = _by_bits(*pairs, level)
    return {BETTER: Measured(cases, ("data", "bits"), notes=_means(*pairs))}


def _cost(column: str, level: Level) -> Evidence:
    places = list(itertools.product(FEW_BITS, DATA))
    cases: dict[Case, Any] = {}
    for arm, data in places:
        cases[arm, TITLES[data]], _ = over_splits(lost(arm, column, data), level(len(places)))
    return {COST: Measured(cases, ("function", "data"))}


INT8 = Experiment(
    f"{_NETWORKS}after training: weights in 8 bits with a scale for each output, inputs and "
    "hidden outputs in 8 bits over the range of the training data; test accuracy lost.",
    _SCOPE,
    lambda root, level: _cost("int8", level),
    study=CONTEST.name,
)
FLOAT16 = Experiment(
    f"{_NETWORKS}weights and arithmetic in float16; test accuracy lost.",
    _SCOPE,
    lambda root, level: _cost("float16", level),
    study=CONTEST.name,
)
