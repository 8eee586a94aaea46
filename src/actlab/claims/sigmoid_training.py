"""Chapter "Sigmoid and tanh": what trains, what does not, and whether centring helps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from actlab import data as datasets
from actlab import ensemble, plots, probes, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import TUTORIAL, root_seeds
from actlab.claims.sigmoid_tanh import (
    ACTIVATIONS,
    CENTRED,
    CHAPTER,
    STARTS,
    TANH_SECTION,
    Array,
    centred_orthogonal,
    interval,
)
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot

CHANCE = 0.1  # all data sets here have ten classes of about equal size
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
ADAM_RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
TUNING_SEEDS = 2


def tuning_seeds(root: int) -> range:
    """Seeds to choose the learning rate with; none of :func:`root_seeds` is among them."""
    return range(1000 * root + 500, 1000 * root + 500 + TUNING_SEEDS)


# --- When does a deep sigmoid network train? -----------------------------------------------------

DEEP: dict[str, Any] = {"hidden": (64,) * 10, "batch_size": 64, "momentum": 0.9}
DEEP_EPOCHS = 30
DEEP_CHECKS = (0, 1, 3, 10, 30)  # epochs at which the gradients are looked at

CRITICAL_GAIN = 10.15  # critical_gain("sigmoid") to two digits (a test computes it)

DEEP_ARMS: dict[str, dict[str, Any]] = {
    "PyTorch default": {"activation": "sigmoid", "init": "torch"},
    "Keras default": {"activation": "sigmoid", "init": "keras"},
    "orthogonal": {"activation": "sigmoid", "init": "orthogonal"},
    "orthogonal × 4": {"activation": "sigmoid", "init": "orthogonal", "gain": 4.0},
    "orthogonal, critical": {
        "activation": "sigmoid",
        "init": "orthogonal",
        "gain": CRITICAL_GAIN,
    },
    CENTRED: {"activation": "sigmoid", "init": centred_orthogonal},
    "Adam": {"activation": "sigmoid", "init": "keras", "optimizer": "adam", "momentum": 0.0},
    "batch norm": {"activation": "sigmoid", "init": "keras", "normalization": "batch"},
    "residual": {"activation": "sigmoid", "init": "keras", "residual": True},
    "tanh, Keras default": {"activation": "tanh", "init": "keras"},
    "ReLU, He": {"activation": "relu", "init": "he_normal"},
}
REFERENCE = "tanh, Keras default"
# Three times as deep, to see what orthogonal weights are for.
VERY_DEEP: dict[str, Any] = {"hidden": (64,) * 30, "batch_size": 64, "momentum": 0.9}
VERY_DEEP_EPOCHS = 20
VERY_DEEP_RATES = (0.0001, 0.0003, *LEARNING_RATES)
VERY_DEEP_ARMS: dict[str, dict[str, Any]] = {
    CENTRED: DEEP_ARMS[CENTRED],
    "tanh, orthogonal": {"activation": "tanh", "init": "orthogonal"},
    "ReLU, He": DEEP_ARMS["ReLU, He"],
    "ReLU, orthogonal × √2": {
        "activation": "relu",
        "init": "orthogonal",
        "gain": math.sqrt(2),
    },
}
RELU_ARMS = ("ReLU, He", "ReLU, orthogonal × √2")


def gradient_sizes(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: gradient norm of every linear layer's weights, (networks, layers)."""
    return {"gradient": probes.gradient_norms(snapshot.gradients, snapshot.weights).gradient.T}


def best_rate(
    data: Any, arm: Mapping[str, Any], rates: Sequence[float], seeds: Iterable[int], **common: Any
) -> float:
    """The learning rate with the best mean validation accuracy (diverged counts as chance)."""
    result = ensemble.train(
        data,
        arms={f"{lr:g}": {**arm, "lr": lr} for lr in rates},
        seeds=seeds,
        keep_weights=False,
        progress=False,
        **common,
    )
    means = [
        float(np.nan_to_num(scores, nan=CHANCE).mean())
        for scores in result.by_arm("valid_accuracy").values()
    ]
    return rates[int(np.argmax(means))]


def deep_study() -> pd.DataFrame:
    """Ten layers of sigmoids, and two references; see :func:`_deep_table`."""
    return _deep_table(DEEP_ARMS, DEEP, DEEP_EPOCHS, DEEP_CHECKS, LEARNING_RATES)


def very_deep_study() -> pd.DataFrame:
    """Thirty layers; see :func:`_deep_table`."""
    checks = (0, VERY_DEEP_EPOCHS)
    return _deep_table(VERY_DEEP_ARMS, VERY_DEEP, VERY_DEEP_EPOCHS, checks, VERY_DEEP_RATES)


def _deep_table(
    arms: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    epochs: int,
    checks: Sequence[int],
    sgd_rates: Sequence[float],
) -> pd.DataFrame:
    """Deep networks on digits: rate tuned on two seeds, then 20 others; two roots.

    One row per network and checked epoch: ``valid_accuracy`` and ``train_loss`` of that epoch,
    ``test_accuracy`` of the last, ``first`` and ``last``: log10 of the gradient norm of the first
    and of the last hidden layer over all training digits.
    """
    import pandas as pd

    digits = datasets.load("digits")
    per_epoch = math.ceil(len(digits.y_train) / common["batch_size"])
    tables = []
    for root, (name, arm) in itertools.product((0, 1), arms.items()):
        settings = {**common, **arm}
        rates = ADAM_RATES if arm.get("optimizer") == "adam" else sgd_rates
        lr = best_rate(digits, settings, rates, tuning_seeds(root), epochs=epochs)
        result = ensemble.train(
            digits,
            arms={name: {**settings, "lr": lr}},
            seeds=root_seeds(root),
            epochs=epochs,
            probe=gradient_sizes,
            probe_at=[per_epoch * epoch for epoch in checks],
            keep_weights=False,
            progress=False,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            gradients = np.log10(result.probe("gradient", name))
        for step, epoch in enumerate(checks):
            tables.append(
                pd.DataFrame(
                    {
                        "arm": name,
                        "root": root,
                        "seed": result.seed_of,
                        "lr": lr,
                        "edge": lr in (rates[0], rates[-1]),
                        "epoch": epoch,
                        "train_loss": result.train_loss[:, max(epoch, 1) - 1],
                        "valid_accuracy": result.valid_accuracy[:, max(epoch, 1) - 1],
                        "test_accuracy": result.test_accuracy,
                        "diverged": result.diverged,
                        "first": gradients[:, step, 0],
                        "last": gradients[:, step, -2],
                    }
                )
            )
    return _compact(pd.concat(tables, ignore_index=True))


def _compact(table: pd.DataFrame) -> pd.DataFrame:
    for column in table.columns[table.dtypes == "float64"]:
        if column != "lr":
            table[column] = table[column].round(4).astype("float32")
    for column in table.columns[table.dtypes == "int64"]:
        table[column] = table[column].astype("int32")
    return table


def final_accuracy(table: pd.DataFrame, arm: str) -> Array:
    """Test accuracies of one arm, seed by seed; a diverged network counts as chance."""
    part = table[table.arm == arm].drop_duplicates("seed").sort_values("seed")
    return np.asarray(part.test_accuracy.fillna(CHANCE), dtype=np.float64)


def _deep_accuracy(seed: int) -> Evidence:
    table = study.load("deep_sigmoid")
    table = table[table.root == seed]
    return {
        "accuracy": {arm: interval(final_accuracy(table, arm)) for arm in DEEP_ARMS},
        "edge": sorted(set(table[table.edge].arm)),
    }


def _decide_deep(evidence: Evidence) -> tuple[Verdict, str]:
    accuracy = dict(evidence["accuracy"])
    mark = accuracy[REFERENCE][0] - 0.05
    sigmoids = [name for name in accuracy if not name.startswith(("tanh", "ReLU"))]
    works = [name for name in sigmoids if accuracy[name][1] > mark]
    fails = [name for name in sigmoids if accuracy[name][2] < mark]
    numbers = "; ".join(f"{name} {accuracy[name][0]:.1%}" for name in sigmoids)
    text = (
        f"Test accuracy on digits with ten hidden layers: {numbers}. Tanh with Keras's default "
        f"reaches {accuracy[REFERENCE][0]:.1%}, ReLU with He's {accuracy['ReLU, He'][0]:.1%}"
    )
    if len(fails) == len(sigmoids):
        return "holds", f"{text}."
    if len(works) == len(sigmoids):
        return "refuted", f"{text}."
    if works and fails:
        return "holds when …", f"… nothing else is done than this: {'; '.join(fails)}. {text}."
    return "not shown", f"{text}."


def _isometry(seed: int) -> Evidence:
    table = study.load("very_deep_sigmoid")
    table = table[table.root == seed]
    accuracy = {arm: final_accuracy(table, arm) for arm in VERY_DEEP_ARMS}
    return {
        "accuracy": {arm: interval(values) for arm, values in accuracy.items()},
        "minus_relu": {
            name: {relu: _difference(accuracy[name], accuracy[relu]) for relu in RELU_ARMS}
            for name in ("tanh, orthogonal", CENTRED)
        },
        "edge": sorted(set(table[table.edge].arm)),
    }


def _difference(a: Array, b: Array, confidence: float = 0.95) -> list[float]:
    found = stats.paired_difference(a, b, confidence)
    return [found.mean, found.low, found.high]


def _decide_isometry(evidence: Evidence) -> tuple[Verdict, str]:
    differences, accuracy, edge = (evidence[k] for k in ("minus_relu", "accuracy", "edge"))
    better = [name for name, d in differences.items() if all(low > 0 for _, low, _ in d.values())]
    starts = " and ".join(f"{accuracy[relu][0]:.1%} ({relu})" for relu in RELU_ARMS)
    numbers = "; ".join(
        f"{name} {100 * mean:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"
        for name, d in differences.items()
        for mean, low, high in [min(d.values())]
    )
    text = (
        f"With thirty layers ReLU reaches {starts}; against the better of the two: {numbers}"
        + (f" (best rate at the edge of the grid: {', '.join(edge)})" if edge else "")
    ).replace("-", "−")
    if len(better) == len(differences):
        return "holds", f"{text}."
    if better:
        return "holds when …", f"… 'sigmoid' means {better[0]}. {text}."
    if all(min(high for _, _, high in d.values()) <= 0.01 for d in differences.values()):
        return "refuted", f"{text}."
    return "not shown", f"{text}."


# --- Does training bring a vanished gradient back? -----------------------------------------------

TRAINED_DEPTHS = (2, 10, 50)
TRAINED: dict[str, Any] = {"batch_size": 32, "momentum": 0.9}
TRAINED_EPOCHS = 3
TRAINED_RATES = (0.0003, 0.003, 0.03, 0.3)
# Between square layers LeCun's weights are Glorot's, so four starts stand for five.
TRAINED_STARTS = ("PyTorch default", "Glorot", "orthogonal", "He")
VANISHED = -3.0  # decades: the first layer gets less than a thousandth of the last one's gradient
SMALLEST = -45.0  # what float32 rounds to zero, in decades


def trained_gradients_study() -> pd.DataFrame:
    """Gradient norms before, after one and after three epochs: activations × starts × depths.

    Digits; the learning rate is tuned on two seeds by validation loss, then 20 others train; two
    roots. One row per network, look and layer: log10 of the gradient norm over 256 training
    digits. All layers of 2 and 10; of 50 the first and every tenth.
    """
    import pandas as pd

    digits = datasets.load("digits")
    looked_at = (digits.x_train[:256], digits.y_train[:256])
    per_epoch = math.ceil(len(digits.y_train) / TRAINED["batch_size"])
    looks = {epoch: epoch * per_epoch for epoch in (0, 1, TRAINED_EPOCHS)}
    tables = []
    for root, depth, activation, start in itertools.product(
        (0, 1), TRAINED_DEPTHS, ACTIVATIONS, TRAINED_STARTS
    ):
        arm = {**TRAINED, "hidden": (64,) * depth, "activation": activation}
        arm["init"] = STARTS[start].init
        lr = _lowest_loss(digits, arm, tuning_seeds(root))
        result = ensemble.train(
            digits,
            arms={"it": {**arm, "lr": lr}},
            seeds=root_seeds(root),
            epochs=TRAINED_EPOCHS,
            probe=gradient_sizes,
            probe_at=list(looks.values()),
            probe_data=looked_at,
            keep_weights=False,
            progress=False,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            norms = np.maximum(np.log10(result.probe("gradient", "it")), SMALLEST)
        missing = len(looks) - norms.shape[1]  # where all networks have diverged
        norms = np.pad(norms, [(0, 0), (0, missing), (0, 0)], constant_values=np.nan)
        layers = [1, *range(10, 51, 10)] if depth == 50 else list(range(1, depth + 1))
        for (look, epoch), layer in itertools.product(enumerate(looks), layers):
            tables.append(
                pd.DataFrame(
                    {
                        "root": root,
                        "depth": depth,
                        "activation": activation,
                        "start": start,
                        "lr": lr,
                        "seed": result.seed_of,
                        "epoch": epoch,
                        "layer": layer,
                        "log_norm": norms[:, look, layer - 1],
                        "valid_accuracy": result.valid_accuracy[:, -1],
                    }
                )
            )
    return _compact(pd.concat(tables, ignore_index=True))


def _lowest_loss(data: Any, arm: Mapping[str, Any], seeds: Iterable[int]) -> float:
    """The rate with the lowest mean validation loss (a diverged network's loss is infinite)."""
    result = ensemble.train(
        data,
        arms={f"{lr:g}": {**arm, "lr": lr} for lr in TRAINED_RATES},
        seeds=seeds,
        epochs=TRAINED_EPOCHS,
        keep_weights=False,
        progress=False,
    )
    losses = [
        float(np.nan_to_num(loss, nan=np.inf).mean())
        for loss in result.by_arm("valid_loss").values()
    ]
    return TRAINED_RATES[int(np.argmin(losses))]


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


def _trained_gradients(seed: int) -> Evidence:
    table = study.load("gradients_in_training")
    table = table[table.root == seed]
    ratios = {}
    for depth, activation, start in itertools.product(TRAINED_DEPTHS, ACTIVATIONS, TRAINED_STARTS):
        before, after = (
            trained_ratio(table, activation, start, depth, epoch) for epoch in (0, TRAINED_EPOCHS)
        )
        trained = np.isfinite(after)  # the others have diverged
        ratios[f"{activation}, {start}, {depth} layers"] = [
            _interval_or_constant(values[trained]) for values in (before, after)
        ]
    return {"before_and_after": ratios}


def _interval_or_constant(values: Array) -> list[float]:
    """:func:`interval`; three NaN of nothing, three times the value where all are the same.

    (They are where float32 rounds every network's gradient to zero.)
    """
    if not values.size:
        return [math.nan] * 3
    return interval(values) if np.ptp(values) else [float(values[0])] * 3


def _decide_trained_gradients(evidence: Evidence) -> tuple[Verdict, str]:
    cases = evidence["before_and_after"]
    gone = [name for name, (before, _) in cases.items() if before[2] < VANISHED]
    still = [name for name in gone if cases[name][1][2] < VANISHED]
    back = [name for name in gone if cases[name][1][1] > VANISHED]
    lost = [
        name
        for name, (before, after) in cases.items()
        if before[1] > VANISHED and after[2] < VANISHED
    ]
    text = (
        f"Of {len(cases)} cases {len(gone)} start with a vanished gradient; after "
        f"{TRAINED_EPOCHS} epochs of SGD with momentum it is still gone in {len(still)} of them "
        f"and back in {len(back)}{_in_brackets(back)}. In {len(lost)} others it vanishes during "
        f"training{_in_brackets(lost)}"
    )
    if gone and len(still) == len(gone):
        return "holds", f"{text}."
    if still and back:
        return "holds when …", f"… the case is one of {len(still)} out of {len(gone)}. {text}."
    if gone and len(back) == len(gone):
        return "refuted", f"{text}."
    return "not shown", f"{text}."


def _in_brackets(names: Sequence[str]) -> str:
    return f" ({'; '.join(names)})" if names else ""


# --- The published failure: a sigmoid network at 10 % --------------------------------------------

# The tutorial's training on Fashion-MNIST in [-1, 1], and its results for one seed in PyTorch and
# in JAX: test accuracy in per cent.
PUBLISHED_ACCURACY = {"PyTorch": 10.00, "JAX": 78.46}
PUBLISHED: dict[str, Any] = {
    "activation": "sigmoid",
    "batch_size": 256,
    "momentum": 0.9,
    "init": "torch",
    "lr": 0.01,
}
PUBLISHED_HIDDEN = (512, 256, 256, 128)
PUBLISHED_EPOCHS = 50
PATIENCE = 7
QUARTER = tuple(width // 4 for width in PUBLISHED_HIDDEN)
FAILURE_EPOCHS = 25
FAILURE_ARMS: dict[str, dict[str, Any]] = {
    "as published": {},
    "learning rate × 10": {"lr": 0.1},
    "Keras default": {"init": "keras"},
}
OFF_THE_PLATEAU = 0.2  # twice chance


def published_split() -> tuple[Any, ...]:
    """Fashion-MNIST in [-1, 1], split as the tutorial does: by PyTorch's generator, seed 42."""
    images = datasets.load("fashion_mnist", scale="symmetric")
    rows = np.concatenate([images.rows_train, images.rows_valid])
    x, y = (
        np.concatenate([getattr(images, f"{axis}_train"), getattr(images, f"{axis}_valid")])
        for axis in "xy"
    )
    place = np.argsort(rows)  # from the published order to ours
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(42)).numpy()
    train, valid = place[order[:50_000]], place[order[50_000:]]
    return x[train], y[train], x[valid], y[valid], images.x_test, images.y_test


def published_stop(accuracy: Array, patience: int = PATIENCE) -> tuple[int | None, int]:
    """The epoch at which the tutorial stops, and the one whose weights it keeps (both from 1).

    ``accuracy``: validation accuracy after each epoch. It stops once ``patience`` epochs have
    passed since the best one, and a tie is no improvement; ``None`` if it goes on to the end.
    """
    best = 0
    for epoch in range(1, len(accuracy)):
        if accuracy[epoch] > accuracy[best]:
            best = epoch
        elif best <= epoch - patience:
            return epoch + 1, best + 1
    return None, best + 1


def failure_study() -> pd.DataFrame:
    """The published run at a quarter of its width, without its early stopping: 20 seeds × 2 roots.

    And with ten times its learning rate, and with Keras's initialisation, for fewer epochs. One
    row per network and epoch: validation accuracy and training loss.
    """
    import pandas as pd

    split = published_split()
    tables = []
    for root in (0, 1):
        for name, arm in FAILURE_ARMS.items():
            result = ensemble.train(
                split,
                arms={name: {**PUBLISHED, "hidden": QUARTER, **arm}},
                seeds=root_seeds(root),
                epochs=6 if arm else FAILURE_EPOCHS,
                keep_weights=False,
                progress=False,
            )
            tables.append(result.history().assign(root=root))
    return _compact(pd.concat(tables, ignore_index=True))


def full_size_study() -> pd.DataFrame:
    """The published run at its own size, three seeds, all 50 epochs, without early stopping."""
    result = ensemble.train(
        published_split(),
        arms={"full size": {**PUBLISHED, "hidden": PUBLISHED_HIDDEN}},
        seeds=3,
        epochs=PUBLISHED_EPOCHS,
        keep_weights=False,
        progress=False,
    )
    test = dict(zip(result.seed_of.tolist(), result.test_accuracy.tolist(), strict=True))
    history = result.history()
    return _compact(history.assign(test_accuracy=history.seed.map(test)))


def accuracy_paths(table: pd.DataFrame, arm: str) -> Array:
    """Validation accuracy of one arm of :func:`failure_study`: (seeds, epochs)."""
    wide = table[table.arm == arm].pivot(index="seed", columns="epoch", values="valid_accuracy")
    return np.asarray(wide, dtype=np.float64)


def plateau(path: Array) -> float:
    """The first epoch (from 1) whose accuracy is off the plateau; NaN where it never is."""
    off = np.flatnonzero(path > OFF_THE_PLATEAU)
    return float(off[0] + 1) if off.size else math.nan


def _failure(seed: int) -> Evidence:
    table = study.load("sigmoid_failure")
    table = table[table.root == seed]
    paths = {arm: accuracy_paths(table, arm) for arm in FAILURE_ARMS}
    published = paths["as published"]
    kept = np.array([path[published_stop(path)[1] - 1] for path in published])
    lengths = {arm: np.array([plateau(path) for path in found]) for arm, found in paths.items()}
    return {
        "left": float(np.isfinite(lengths["as published"]).mean()),
        "stopped_at_chance": float((kept < OFF_THE_PLATEAU).mean()),
        "plateau": {
            arm: [float(f) for f in np.nanquantile(values, [0.5, 0.0, 1.0])]
            for arm, values in lengths.items()
        },
        "left_by_arm": {arm: float(np.isfinite(v).mean()) for arm, v in lengths.items()},
        "last_accuracy": {arm: float(found[:, -1].mean()) for arm, found in paths.items()},
    }


def _decide_failure(evidence: Evidence) -> tuple[Verdict, str]:
    left, stopped = evidence["left"], evidence["stopped_at_chance"]
    spans = "; ".join(
        f"{arm} {middle:g} (from {low:g} to {high:g})"
        for arm, (middle, low, high) in evidence["plateau"].items()
    )
    text = (
        f"{left:.0%} of 20 networks leave chance within {FAILURE_EPOCHS} epochs if they may; the "
        f"published early stopping ends {stopped:.0%} of them while they are still there. Median "
        f"epoch at which those that leave it do so: {spans}"
    )
    if left < 0.1:
        return "holds", f"{text}."
    if left >= 0.9 and stopped >= 0.1:
        return "holds when …", f"… training is stopped before it begins. {text}."
    if left >= 0.9:
        return "refuted", f"{text}."
    return "not shown", f"{text}."


# --- Does centring help? -------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """A curve on trial: its function, its slope at 0, whether it is odd, and its start.

    ``gain``: on LeCun's weights.
    """

    function: Callable[[Tensor], Tensor]
    slope: float
    centred: bool
    gain: float = 1.0


CURVES: dict[str, Curve] = {
    "tanh": Curve(torch.tanh, 1, True),
    "tanh + 1": Curve(lambda z: torch.tanh(z) + 1, 1, False),
    "σ(4x) − ½": Curve(lambda z: torch.sigmoid(4 * z) - 0.5, 1, True),
    "σ(4x)": Curve(lambda z: torch.sigmoid(4 * z), 1, False),
    "2σ(x) − 1": Curve(lambda z: 2 * torch.sigmoid(z) - 1, 0.5, True),
    "σ(x) − ½": Curve(lambda z: torch.sigmoid(z) - 0.5, 0.25, True),
    "σ(x)": Curve(torch.sigmoid, 0.25, False),
    "σ(x) − ½, weights × 4": Curve(lambda z: torch.sigmoid(z) - 0.5, 0.25, True, gain=4),
    "σ(x), weights × 4": Curve(torch.sigmoid, 0.25, False, gain=4),
}
# Each pair has the same curve and the same start; only the offset differs.
CENTRING_PAIRS = (
    ("tanh", "tanh + 1"),
    ("σ(4x) − ½", "σ(4x)"),
    ("σ(x) − ½", "σ(x)"),
    ("σ(x) − ½, weights × 4", "σ(x), weights × 4"),
)
SLOPE_PAIR = ("σ(4x) − ½", "σ(x) − ½")  # both centred, the same range; slope 1 against 1/4
RACE_HIDDEN = (64,) * 5
RACE_STEPS = 400
RACE_EVERY = 5
RACE_TARGETS = {"digits": 0.95, "mnist1d": 0.3}
RACE_RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def race(
    data: Any,
    curve: Curve,
    seeds: Sequence[int],
    rates: Sequence[float],
    *,
    target: float,
    steps: int = RACE_STEPS,
    every: int = RACE_EVERY,
    hidden: Sequence[int] = RACE_HIDDEN,
    batch_size: int = 64,
    momentum: float = 0.9,
) -> tuple[npt.NDArray[np.int64], Array]:
    """Steps until the validation accuracy first reaches ``target``, and how accurate it is then.

    One network per seed and rate, all of them at once; plain autograd, because the ensemble
    knows the curves of the catalog only. Weights and data order are the ensemble's for the same
    seed. Looks every ``every`` steps; ``steps + every`` where the target is not reached. Both
    results have shape (rates, seeds).
    """
    train = [torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)]
    valid = [torch.from_numpy(data.x_valid), torch.from_numpy(data.y_valid)]
    settings = ensemble.Settings(hidden=tuple(hidden), init="lecun_normal", gain=curve.gain)
    sizes = settings.layer_sizes(data.n_features, data.n_classes)
    drawn = [ensemble.initial_weights(settings, sizes, seed) for _ in rates for seed in seeds]
    weights = [torch.stack([net[i][0] for net in drawn]).float() for i in range(len(sizes))]
    biases = [torch.stack([net[i][1] for net in drawn]).float()[:, None] for i in range(len(sizes))]
    parameters = [p.requires_grad_() for p in (*weights, *biases)]
    velocity = [torch.zeros_like(p) for p in parameters]
    lr = torch.tensor([rate for rate in rates for _ in seeds]).view(-1, 1, 1)
    batches = _batches([ensemble.data_order(seed, len(train[1])) for seed in seeds], batch_size)

    def logits(x: Tensor) -> Tensor:
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            x = curve.function(torch.baddbmm(bias, x, weight.mT))
        return torch.baddbmm(biases[-1], x, weights[-1].mT)

    reached = np.full(len(drawn), steps + every)
    accuracy = np.zeros(len(drawn))
    for step in range(1, steps + 1):
        rows = next(batches).repeat(len(rates), 1)
        scores = logits(train[0][rows])
        # The networks share nothing, so the sum of their losses gives each its own gradient.
        loss = (
            torch.nn.functional.cross_entropy(
                scores.flatten(0, 1), train[1][rows].flatten(), reduction="sum"
            )
            / rows.shape[1]
        )
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, v, g in zip(parameters, velocity, gradients, strict=True):
                p.sub_(lr * v.mul_(momentum).add_(g))
            if step % every:
                continue
            hits = logits(valid[0].expand(len(drawn), -1, -1)).argmax(2) == valid[1]
            accuracy = hits.double().mean(1).numpy()
        first = (reached > steps) & (accuracy >= target)
        reached[first] = step
        if (reached <= steps).all():
            break
    shape = (len(rates), len(seeds))
    return reached.reshape(shape), accuracy.reshape(shape)


def _batches(orders: Sequence[Any], size: int) -> Any:
    """Batches (seeds, size) of example numbers, epoch after epoch; a last, smaller one is kept."""
    while True:
        yield from torch.stack([next(order) for order in orders]).split(size, 1)  # type: ignore[no-untyped-call]


def centring_study() -> pd.DataFrame:
    """Steps to the target of every curve: rate tuned on two seeds, then 20 others; two roots."""
    import pandas as pd

    tables = []
    for name, target in RACE_TARGETS.items():
        data = datasets.load(name)
        for root in (0, 1):
            for label, curve in CURVES.items():
                tried, _ = race(data, curve, tuning_seeds(root), RACE_RATES, target=target)
                best = int(tried.mean(1).argmin())
                seeds = root_seeds(root)
                steps, _ = race(data, curve, seeds, [RACE_RATES[best]], target=target)
                tables.append(
                    pd.DataFrame(
                        {
                            "data": name,
                            "root": root,
                            "curve": label,
                            "lr": RACE_RATES[best],
                            "edge": best in (0, len(RACE_RATES) - 1),
                            "seed": list(seeds),
                            "steps": steps[0],
                        }
                    )
                )
    return _compact(pd.concat(tables, ignore_index=True))


def steps_to_target(table: pd.DataFrame, data: str, curve: str) -> Array:
    """Steps of one arm of :func:`centring_study`, seed by seed."""
    part = table[(table.data == data) & (table.curve == curve)].sort_values("seed")
    return np.asarray(part.steps, dtype=np.float64)


def _speed_up(table: pd.DataFrame, data: str, fast: str, slow: str, level: float) -> list[float]:
    """How many times as many steps ``slow`` needs: geometric mean and interval, paired."""
    ratio = np.log(steps_to_target(table, data, slow) / steps_to_target(table, data, fast))
    found = stats.mean_interval(ratio, level)
    return [math.exp(value) for value in (found.mean, found.low, found.high)]


def _centring(seed: int) -> Evidence:
    table = study.load("centring")
    table = table[table.root == seed]
    cases = [(data, *pair) for data in RACE_TARGETS for pair in CENTRING_PAIRS]
    level = 1 - 0.05 / len(cases)  # all intervals together err in at most 5 % of studies
    reached = (table.steps <= RACE_STEPS).groupby([table.data, table.curve]).mean()
    return {
        "ratio": {
            f"{fast} against {slow}, {data}": _speed_up(table, data, fast, slow, level)
            for data, fast, slow in cases
        },
        "slope_ratio": {data: _speed_up(table, data, *SLOPE_PAIR, 0.95) for data in RACE_TARGETS},
        "tanh_against_sigmoid": {
            data: _speed_up(table, data, "tanh", "σ(x)", 0.95) for data in RACE_TARGETS
        },
        "not_always_reached": {
            f"{curve}, {data}": float(share)
            for (data, curve), share in reached.items()
            if share < 1
        },
    }


def _ratio(values: Sequence[float]) -> str:
    return "{:.1f} [{:.1f}, {:.1f}]".format(*values)


def _decide_centring(evidence: Evidence) -> tuple[Verdict, str]:
    ratios = evidence["ratio"]
    faster = [name for name, (_, low, _) in ratios.items() if low > 1.1]
    not_faster = [name for name, (_, _, high) in ratios.items() if high <= 1.1]
    never = [name for name, share in evidence.get("not_always_reached", {}).items() if share == 0]
    bounds = [name for name in ratios if name.split(" against ")[1] in never]
    ends = [min(ratios, key=lambda name: ratios[name][0]), max(ratios, key=lambda n: ratios[n][0])]
    span = " to ".join(f"{_ratio(ratios[name])} ({name})" for name in ends)
    slope = ", ".join(
        f"{mean:.1f} on {data}" for data, (mean, *_) in evidence["slope_ratio"].items()
    )
    text = (
        f"The uncentred curve needs more steps than its centred twin in {len(faster)} of "
        f"{len(ratios)} comparisons, by factors from {span}"
        + (f"; {len(bounds)} are lower bounds, as the lifted curve never arrives" if bounds else "")
        + f". A four times smaller slope costs, at the same weights, a factor of {slope}"
    )
    if len(faster) == len(ratios):
        return "holds", f"{text}."
    if len(not_faster) == len(ratios):
        return "refuted", f"{text}."
    if faster:
        return "holds when …", f"… the case is one of {len(faster)} of {len(ratios)}. {text}."
    return "not shown", f"{text}."


# --- Figures -------------------------------------------------------------------------------------


def accuracy_rows(table: pd.DataFrame, arms: Iterable[str], title: str) -> Plot:
    """Test accuracy of each arm of :func:`deep_study`, best first, with its interval."""
    found = {arm: stats.mean_interval(final_accuracy(table, arm)) for arm in arms}
    ordered = dict(sorted(found.items(), key=lambda item: -item[1].mean))
    hues = {arm: plots.colour(DEEP_ARMS[arm]["activation"]) for arm in ordered}
    plot = stats.interval_plot(ordered, colours=hues, label="test accuracy (%)", percent=True)
    plot.ax.axvline(100 * CHANCE, color=plots.INK, linestyle=":", linewidth=1)
    plot.ax.set_title(title)
    return Plot(plot.ax, f"{plot.alt} A dotted line marks chance, 10 %.", plot.artists)


def first_layer_in_training(
    table: pd.DataFrame, arms: Iterable[str], *, title: str, ax: Any | None = None
) -> Plot:
    """The first layer's gradient norm during training, one line per arm of :func:`deep_study`."""
    ax = plots.axis(ax, height=3.8)
    sentences, artists = [], {}
    for i, arm in enumerate(arms):
        part = table[(table.arm == arm) & ~table.diverged]
        ends = part.groupby("epoch")["first"].quantile([0.5, 0.25, 0.75]).unstack()
        artists[arm] = plots.band(
            ax,
            ends.index,
            *(10.0 ** ends[share] for share in (0.5, 0.25, 0.75)),
            label=arm,
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
        )
        middle = ends[0.5]
        sentences.append(f"{arm} from 10^{middle.iloc[0]:.1f} to 10^{middle.iloc[-1]:.1f}")
    ax.set_yscale("log")
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.35))
    plots.label(ax, title=title, x="epochs of training", y="gradient norm of the first layer")
    alt = (
        "Line plot, logarithmic, of the first layer's gradient norm during training (median and "
        f"quartiles over the seeds): {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def before_and_after(table: pd.DataFrame, depth: int, *, title: str, ax: Any | None = None) -> Plot:
    """First over last hidden layer's gradient, before (hollow) and after training (filled).

    One row per activation and start of :func:`trained_gradients_study`; means over the seeds.
    """
    ax = plots.axis(ax, height=4.8)
    rows: list[str] = []
    sentences, artists = [], {}
    for activation, start in itertools.product(ACTIVATIONS, TRAINED_STARTS):
        before, after = (
            trained_ratio(table, activation, start, depth, epoch) for epoch in (0, TRAINED_EPOCHS)
        )
        ends = 10 ** np.array([np.nanmean(before), np.nanmean(after)])
        row, name = len(rows), f"{activation}, {start}"
        rows.append(name)
        style = {"color": plots.colour(activation), "markersize": 7}
        ax.plot(ends, [row, row], color=style["color"], linewidth=1)
        ax.plot(ends[0], row, "o", markerfacecolor="white", **style)
        artists[name] = ax.plot(ends[1], row, "o", **style)[0]
        sentences.append("{} 10^{:.1f} and 10^{:.1f}".format(name, *np.log10(ends)))
    for label, face in (("before", "white"), (f"after {TRAINED_EPOCHS} epochs", plots.INK)):
        ax.plot([], [], "o", color=plots.INK, markerfacecolor=face, label=label)
    ax.axvline(10**VANISHED, color=plots.INK, linestyle=":", linewidth=1)
    ax.set_xscale("log")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.legend(loc="lower left")
    plots.label(ax, title=title, x="gradient norm, first / last hidden layer", y="")
    alt = (
        f"First over last hidden layer's gradient norm with {depth} hidden layers, before and "
        f"after training: {'; '.join(sentences)}. A dotted line marks a thousandth."
    )
    return Plot(ax, alt, artists)


def profiles_in_training(
    table: pd.DataFrame, cases: Iterable[tuple[str, str]], depth: int, *, title: str
) -> Plot:
    """Gradient norm by layer, relative to the last, before (dotted) and in training (solid).

    ``cases``: (activation, start) of :func:`trained_gradients_study`; means over the seeds.
    """
    ax = plots.axis(None, height=3.8)
    looks = {0: ":", 1: "--", TRAINED_EPOCHS: "-"}
    sentences, artists = [], {}
    for (activation, start), (epoch, dashes) in itertools.product(cases, looks.items()):
        part = table[
            (table.activation == activation)
            & (table.start == start)
            & (table.depth == depth)
            & (table.epoch == epoch)
        ]
        means = part.groupby("layer").log_norm.mean()
        relative = means - means[depth]
        name = f"{activation}, {start}"
        (artists[f"{name}, {epoch}"],) = ax.plot(
            relative.index, 10.0**relative, dashes, marker="o", color=plots.colour(activation)
        )
        sentences.append(f"{name}, epoch {epoch}: 10^{relative.iloc[0]:.1f}")
    for activation, start in cases:
        ax.plot([], [], color=plots.colour(activation), label=f"{activation}, {start}")
    for epoch, dashes in looks.items():
        ax.plot([], [], dashes, color=plots.INK, label=f"epoch {epoch}" if epoch else "before")
    ax.set_yscale("log")
    ax.legend()
    plots.label(
        ax,
        title=title,
        x="hidden layer (1 is nearest the input)",
        y="gradient norm / last hidden layer's",
    )
    alt = (
        f"Gradient norm by layer, relative to the last of {depth} hidden layers; at the first "
        f"layer: {'; '.join(sentences)}."
    )
    return Plot(ax, alt, artists)


def escapes(table: pd.DataFrame, arm: str, *, title: str, ax: Any | None = None) -> Plot:
    """Validation accuracy of every network of :func:`failure_study`, and where it would stop.

    A cross marks the epoch at which the published early stopping would end the network.
    """
    ax = plots.axis(ax, height=3.6)
    paths = accuracy_paths(table, arm)
    epochs = np.arange(1, paths.shape[1] + 1)
    lines, stops = [], []
    for path in paths:
        lines += ax.plot(epochs, 100 * path, color=plots.NEUTRAL[0], linewidth=1, alpha=0.6)
        stop, _ = published_stop(path)
        if stop is not None:
            stops.append((stop, 100 * path[stop - 1]))
    at = np.array(stops).reshape(-1, 2)
    crosses = ax.plot(*at.T, "x", color=plots.NEUTRAL[1], markersize=8, mew=2, zorder=5)
    ax.plot([], [], "x", color=plots.NEUTRAL[1], mew=2, label="published early stopping")
    ax.set_ylim(0, 100)
    ax.legend(loc="upper left")
    plots.label(ax, title=title, x="epochs of training", y="validation accuracy (%)")
    off = np.array([plateau(path) for path in paths])
    alt = (
        f"Validation accuracy of {len(paths)} networks over {len(epochs)} epochs. All start near "
        f"10 %; {np.isfinite(off).sum()} rise above 20 %, the first at epoch {np.nanmin(off):.0f}, "
        f"the last at epoch {np.nanmax(off):.0f}. Crosses mark where early stopping ends "
        f"{len(stops)} of them, {int((at[:, 1] < 100 * OFF_THE_PLATEAU).sum())} below 20 %."
    )
    return Plot(ax, alt, {"paths": lines, "stops": crosses})


def race_rows(table: pd.DataFrame, data: str, *, title: str, ax: Any | None = None) -> Plot:
    """Steps to the target for every curve: geometric mean and interval, centred ones in blue."""
    ax = plots.axis(ax, height=3.6)
    sentences, artists = [], {}
    for row, (name, curve) in enumerate(CURVES.items()):
        steps = steps_to_target(table, data, name)
        mean, low, high = np.exp(
            interval(np.log(steps)) if np.ptp(steps) else [np.log(steps[0])] * 3
        )
        hue = plots.NEUTRAL[0] if curve.centred else plots.NEUTRAL[1]
        ax.plot([low, high], [row, row], color=hue)
        done = (steps <= RACE_STEPS).all()
        artists[name] = ax.plot(mean, row, "o", color=hue, mfc=hue if done else "white", ms=7)
        sentences.append(f"{name} {mean:.0f}" + ("" if done else " (some never arrive)"))
    for label, hue in (("centred", plots.NEUTRAL[0]), ("not centred", plots.NEUTRAL[1])):
        ax.plot([], [], "o-", color=hue, label=label)
    ax.set_yticks(range(len(CURVES)), CURVES)
    ax.set_ylim(len(CURVES) - 0.5, -0.5)
    ax.set_xscale("log")
    ax.set_xticks([50, 100, 200, 400], ["50", "100", "200", "400"])
    ax.set_xticks([], minor=True)
    ax.legend()
    plots.label(ax, title=title, x="steps to the target (hollow: some never arrive)", y="")
    alt = f"Steps to the target accuracy on {data}, geometric means: {'; '.join(sentences)}."
    return Plot(ax, alt, artists)


PENNINGTON = "[Pennington et al., 2017](https://arxiv.org/abs/1711.04735)"

CLAIMS = (
    Claim(
        id="sigmoid-stuck-at-chance",
        statement=(
            "On Fashion-MNIST a network of four sigmoid layers does not get beyond chance, because "
            "its gradients are too small."
        ),
        source=TUTORIAL,
        chapter=CHAPTER,
        experiment=(
            "The published run (its data, split, batches, learning rate and initialisation) at a "
            "quarter of its width, 25 epochs without early stopping, 20 seeds; its early stopping "
            "applied afterwards to the recorded validation accuracies."
        ),
        rule=(
            "Holds if fewer than a tenth of the networks exceed 20 % validation accuracy; holds "
            "when … at least nine tenths do, but early stopping would have ended at least a tenth "
            "before; refuted if at least nine tenths do and early stopping ends fewer."
        ),
        measure=_failure,
        decide=_decide_failure,
        otherwise={
            "left": 0.0,
            "stopped_at_chance": 1.0,
            "plateau": {"as published": [math.nan, math.nan, math.nan]},
        },
        cheap=False,
    ),
    Claim(
        id="gradient-stays-vanished",
        statement="A gradient that has vanished before training stays vanished during training.",
        source="[Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html), asked on",
        chapter=CHAPTER,
        experiment=(
            "Digits; 2, 10 and 50 hidden layers of 64; sigmoid, tanh, ReLU and SELU under four "
            "starts; three epochs of SGD at a learning rate tuned for each case (four rates, "
            "validation loss), 20 seeds: gradient norm of the first hidden layer over that of the "
            "last, before and after."
        ),
        rule=(
            "Vanished: below 1/1,000 (95 % interval of the mean logarithm). Of the cases that are "
            "vanished at the start: holds if all still are after training; holds when … some are "
            "and some have come back (interval above 1/1,000); refuted if all have come back."
        ),
        measure=_trained_gradients,
        decide=_decide_trained_gradients,
        otherwise={
            "before_and_after": {"sigmoid, Glorot, 10 layers": [[-5, -5.1, -4.9], [-1, -1.1, -0.9]]}
        },
        cheap=False,
    ),
    Claim(
        id="sigmoid-deep-does-not-train",
        statement="Never use sigmoids in hidden layers: a deep network of them does not train.",
        source="common advice; starting document, section Sigmoid (vanishing gradient)",
        chapter=CHAPTER,
        experiment=(
            "Digits, ten hidden layers of 64, 30 epochs. Sigmoid networks started in six ways "
            "(SGD with momentum), with Adam, with batch norm, with residual connections; the "
            "learning rate of each tuned on validation data over eight half-decades (Adam: six), "
            "then 20 other seeds."
        ),
        rule=(
            "A way works if the 95 % interval of its test accuracy lies above that of tanh under "
            "Keras's default minus 5 points, and fails if it lies below. Holds if all ways fail; "
            "holds when … some fail and some work; refuted if all work."
        ),
        measure=_deep_accuracy,
        decide=_decide_deep,
        otherwise={
            "accuracy": {
                "Keras default": [0.1, 0.09, 0.11],
                REFERENCE: [0.95, 0.94, 0.96],
                "ReLU, He": [0.96, 0.95, 0.97],
            },
            "edge": [],
        },
        cheap=False,
    ),
    Claim(
        id="sigmoid-beats-deep-relu",
        statement=(
            "Well initialised (orthogonal) sigmoidal networks train better than deep ReLU networks."
        ),
        source=PENNINGTON,
        chapter=CHAPTER,
        experiment=(
            "Digits, thirty hidden layers of 64, 20 epochs: orthogonal tanh and the centred "
            "orthogonal sigmoid against ReLU with He's and with orthogonal weights × √2; the rate "
            "of each tuned over ten half-decades, then 20 other seeds, paired."
        ),
        rule=(
            "A network is better if both differences of its test accuracy to ReLU's are above 0 "
            "(95 % intervals). Holds if both networks are better; holds when … only one is; "
            "refuted if neither is and neither can be better by more than 1 point."
        ),
        measure=_isometry,
        decide=_decide_isometry,
        otherwise={
            "accuracy": {relu: [0.96, 0.95, 0.97] for relu in RELU_ARMS},
            "minus_relu": {
                name: {relu: [-0.2, -0.3, -0.1] for relu in RELU_ARMS}
                for name in ("tanh, orthogonal", CENTRED)
            },
            "edge": [],
        },
        cheap=False,
    ),
    Claim(
        id="tanh-centring-speeds-up",
        statement="Being centred on zero speeds up convergence.",
        source=TANH_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Four pairs of curves that differ by a constant only, from the same start; digits and "
            "MNIST-1D, five hidden layers of 64; steps until 95 % (30 %) validation accuracy; the "
            "learning rate of each curve tuned for it over eight half-decades, then 20 other "
            "seeds, paired. Networks that do not arrive within 400 steps count with 405."
        ),
        rule=(
            "Ratio of steps, uncentred over centred, geometric mean; intervals corrected for eight "
            "comparisons. Holds if all lie above 1.1; holds when … some do; refuted if all lie at "
            "or below 1.1."
        ),
        measure=_centring,
        decide=_decide_centring,
        otherwise={
            "ratio": {"tanh against tanh + 1, digits": [1.0, 0.95, 1.05]},
            "slope_ratio": {"digits": [1.0, 0.9, 1.1]},
        },
        cheap=False,
    ),
)
