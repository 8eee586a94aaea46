"""What networks without an activation compute, and how they train."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments import stepping
from actlab.experiments.pointwise import XOR_X, XOR_Y, corners
from actlab.experiments.seeds import root_seeds
from actlab.stats import Interval
from actlab.trial import Case, Evidence, Experiment, Level, Measured

Array = npt.NDArray[Any]

# --- One matrix -----------------------------------------------------------------------------------


def linear_layers(depth: int, width: int, seed: int) -> list[tuple[Array, Array]]:
    """Random layers h → W h + b as (W, b), float64; the size of the signal is kept."""
    rng = np.random.default_rng(seed)
    shape = (width, width)
    return [
        (rng.standard_normal(shape) / np.sqrt(width), rng.standard_normal(width))
        for _ in range(depth)
    ]


def homogeneous(weight: Array, bias: Array) -> Array:
    """One matrix for h → W h + b: it acts on h with a 1 below it."""
    below = np.zeros((1, weight.shape[1] + 1), weight.dtype)
    below[0, -1] = 1
    return np.concatenate([np.concatenate([weight, bias[:, None]], 1), below])


def collapse_gap(
    layers: Sequence[tuple[Array, Array]], x: Array, dtype: str
) -> tuple[float, float]:
    """How far the collapsed network is from the layered one, in floats of this type.

    ``x``: (inputs, width). Returns the largest deviation relative to the largest output, and the
    largest deviation relative to what rounding alone may cause, element by element: two ways to
    compute a product of L matrices of size n differ by at most 2 L γ |W_L| … |W_1| |x| with
    γ = n u / (1 - n u) and unit roundoff u, to first order in u (Higham, 2002, section 3.5).
    """
    matrices = [homogeneous(weight, bias).astype(dtype) for weight, bias in layers]
    signal = np.concatenate([x, np.ones((len(x), 1))], 1).T.astype(dtype)
    one = matrices[0]
    for matrix in matrices[1:]:
        one = matrix @ one
    collapsed, layered, largest = one @ signal, signal, np.abs(signal).astype(np.float64)
    for matrix in matrices:
        layered = matrix @ layered
        largest = np.abs(matrix).astype(np.float64) @ largest
    n, unit = len(one), float(np.finfo(dtype).eps) / 2
    allowed = 2 * len(layers) * n * unit / (1 - n * unit) * largest
    gap = np.abs(collapsed.astype(np.float64) - layered.astype(np.float64))
    return float(gap.max() / np.abs(layered).max()), float((gap / allowed).max())


def _collapse(root: int, level: Level) -> Evidence:
    x = np.random.default_rng(root).standard_normal((1000, 64))
    worst = {
        dtype: np.max(
            [
                collapse_gap(linear_layers(depth, 64, 100 * root + i), x, dtype)
                for depth in (2, 5, 20)
                for i in range(7)
            ],
            axis=0,
        )
        for dtype in ("float32", "float64")
    }
    notes = {f"largest deviation over largest output, {name}": w[0] for name, w in worst.items()}
    allowed = {name: float(w[1]) for name, w in worst.items()}
    return {"largest deviation": Measured.exact(allowed, "dtype", notes=notes)}


# --- XOR ------------------------------------------------------------------------------------------


def xor_layers(smallest: int) -> list[list[list[float]]]:
    """Linear layers that compute XOR in float32 and are zero in exact arithmetic.

    The second unit carries (x1 + x2) / 2 through numbers so small that a half is lost: it comes
    out as "x1 and x2". ``smallest`` is the exponent of the smallest number that survives: -149
    with gradual underflow (half of 2^-149 is a tie, and ties go to even), -126 where anything
    smaller is flushed to zero. After Foerster's "Nonlinear computation in deep linear networks"
    (2017).
    """
    down = smallest - 1
    first, second = 2.0 ** (down // 2), 2.0 ** (down - down // 2)
    up = 2.0 ** -(down // 2), 2.0 ** (-smallest + down // 2)
    return [
        [[1, 1]],
        [[1], [first]],
        [[1, 0], [0, second]],
        [[1, 0], [0, up[0]]],
        [[1, 0], [0, up[1]]],
        [[1, -2]],
    ]


def run_linear(layers: Sequence[Sequence[Sequence[Any]]], x: Array, how: str) -> list[float]:
    """The outputs of a linear network for the rows of ``x``: one number each.

    ``how``: ``"exact"`` (fractions), ``"one matrix"`` (collapsed first, in float64), ``"torch"``
    or ``"keras"`` (float32).
    """
    if how == "exact":
        signal = [[Fraction(float(v)) for v in row] for row in x]
        for layer in layers:
            signal = [
                [
                    sum((Fraction(w) * v for w, v in zip(unit, row, strict=True)), Fraction(0))
                    for unit in layer
                ]
                for row in signal
            ]
        return [float(row[0]) for row in signal]
    if how == "one matrix":
        one = np.eye(x.shape[1])
        for layer in layers:
            one = np.array(layer) @ one
        return [float(value) for value in (x @ one.T)[:, 0]]
    weights = [np.array(layer, np.float32) for layer in layers]
    if how == "torch":
        import torch

        tensor = torch.from_numpy(x)
        for weight in weights:
            tensor = torch.nn.functional.linear(tensor, torch.from_numpy(weight))
        return [float(value) for value in tensor[:, 0]]
    import keras

    signal = keras.ops.convert_to_tensor(x)
    for weight in weights:
        dense = keras.layers.Dense(len(weight), use_bias=False)
        dense.build(signal.shape)
        dense.set_weights([weight.T])
        signal = dense(signal)
    return [float(value) for value in np.array(signal)[:, 0]]


def train_xor(
    seeds: Iterable[int], hidden: tuple[int, ...] = (8, 8), dtype: str = "float32"
) -> dict[str, Array]:
    """Activation → how many of the four corners each trained network gets right, by seed."""
    from actlab import ensemble

    result = ensemble.train(
        (XOR_X, XOR_Y, XOR_X, XOR_Y),
        arms=["linear", "tanh", "relu"],
        seeds=seeds,
        epochs=400,
        hidden=hidden,
        init="glorot_uniform",
        batch_size=4,
        lr=0.1,
        keep_weights=False,
        progress=False,
        dtype=dtype,
    )
    right = result.by_arm("valid_accuracy")
    return {name: np.round(4 * share).astype(int) for name, share in right.items()}


def _xor(root: int, level: Level) -> Evidence:
    trained = train_xor(root_seeds(root))
    gradual, flushed = xor_layers(-149), xor_layers(-126)
    right = {
        ("exact arithmetic", "set by hand"): corners(run_linear(gradual, XOR_X, "exact")),
        ("PyTorch's float32", "set by hand"): corners(run_linear(gradual, XOR_X, "torch")),
        ("Keras's float32", "set by hand"): corners(run_linear(flushed, XOR_X, "keras")),
        ("PyTorch's float32", "trained"): int(trained["linear"].max()),
    }
    cases: dict[Case, Interval] = {
        case: Interval(count, count, count, n=1) for case, count in right.items()
    }
    notes = {f"of 20 trained, with all four: {n}": int(sum(c == 4)) for n, c in trained.items()}
    return {"number of corners right": Measured(cases, ("arithmetic", "weights"), notes=notes)}


# --- Training -------------------------------------------------------------------------------------


def _trains(root: int, level: Level) -> Evidence:
    from actlab import ensemble

    result = ensemble.train(
        datasets.load("digits"),
        arms=["linear"],
        seeds=root_seeds(root),
        hidden=(64, 64, 64),
        lr=0.03,
        keep_weights=False,
        progress=False,
    )
    found = stats.mean_interval(100 * result.by_arm()["linear"], level(1))
    return {"test accuracy": Measured.of({"digits": found}, "data")}


def _depth(root: int, level: Level) -> Evidence:
    accuracy, loss, rates = {}, {}, {}
    for name, table in stepping.tables(root).items():
        title = stepping.TITLES[name]
        shallow, deep = (stepping.tuned(table, arm) for arm in stepping.DEPTHS)
        losses = (
            np.log(stepping.tuned(table, arm, "train_loss", by="train_loss")[1])
            for arm in stepping.DEPTHS
        )
        without, with_ = losses
        accuracy[title] = stats.paired_difference(100 * deep[1], 100 * shallow[1], level(2))
        ratio = stats.paired_difference(with_, without, level(2))
        mean, low, high = (100 * float(np.expm1(v)) for v in (ratio.mean, ratio.low, ratio.high))
        loss[title] = Interval(mean, low, high, ratio.n, confidence=ratio.confidence)
        rates[title] = {"none": shallow[0], "three": deep[0]}
    return {
        "difference in test accuracy": Measured.of(
            accuracy, "data", notes={"learning rate by hidden layers": rates}
        ),
        "change of the training loss": Measured.of(loss, "data"),
    }


COLLAPSE = Experiment(
    prose=(
        "2, 5 and 20 random layers of 64 units with biases, 21 networks, 1,000 inputs: outputs "
        "layer by layer and by the product of the matrices; their largest difference, relative "
        "to the bound that rounding obeys (Higham, 2002)."
    ),
    scope="Random linear networks of 64 units, float32 and float64",
    measure=_collapse,
)
XOR = Experiment(
    prose=(
        "20 trained networks (two hidden layers of 8) for each of linear, tanh and ReLU, of which "
        "the best linear one counts; and linear layers built by hand, computed exactly (fractions) "
        "and in float32."
    ),
    scope="Linear networks on the four corners of XOR",
    measure=_xor,
)
TRAINS = Experiment(
    prose=(
        "Three hidden linear layers of 64 on the digits, PyTorch's start, SGD with momentum, ten "
        "epochs, 20 seeds; guessing gives 10 %."
    ),
    scope="Small linear networks · digits · 20 seeds",
    measure=_trains,
)
DEPTH = Experiment(
    prose=(
        "Three hidden linear layers of 64 against none, on digits and MNIST-1D (1,000 training "
        "examples), ten epochs, 20 seeds, paired; the learning rate of each tuned on 20 other "
        "seeds, for the accuracy and for the loss. A factor of 1.25 in the loss is +25 or −20 %."
    ),
    scope="Small linear networks · digits, MNIST-1D · 20 seeds",
    measure=_depth,
    study="linear_and_step",
)
