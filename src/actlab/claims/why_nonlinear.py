"""Chapter "Start here: why non-linear at all": its experiments and the claims that they try."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from actlab import catalog, ensemble, plots, stats, study
from actlab import data as datasets
from actlab.catalog import Activation
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.data import Dataset
from actlab.ensemble.settings import Settings
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]

CHAPTER = "01_why_nonlinear"
DOCUMENT = "starting document, introduction"

# The four corners of the square, and whether the two inputs differ.
XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR_Y = np.array([0, 1, 1, 0])


# --- What the catalog says ---------------------------------------------------------------------


def functions() -> list[Activation]:
    """The deterministic records that act on one number at a time."""
    return [r for r in catalog.records() if r.kind == "elementwise" and not r.stochastic]


def random_inputs(seed: int, n: int = 10_000) -> Array:
    """Numbers of both signs and of all sizes from a thousandth to a thousand."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-3, 3, n)
    return np.where(rng.random(n) < 0.5, -size, size)


def within(record: Activation, x: Array, limit: float = 1.0) -> bool:
    """Whether every output for the inputs ``x`` lies between -limit and limit."""
    return bool(np.abs(record.reference(x)).max() <= limit)


def silent_share(record: Activation, x: Array) -> float:
    """For which share of the inputs ``x`` the output is exactly 0."""
    return float(np.mean(record.reference(x) == 0))


def additivity_gap(record: Activation, seed: int) -> float:
    """The largest deviation of f(a + b) from f(a) + f(b), which is 0 for a linear function."""
    a, b = np.random.default_rng(seed).integers(-8, 9, (2, 1000)) / 4  # their sums are exact
    gap = record.reference(a + b) - record.reference(a) - record.reference(b)
    return float(np.abs(gap).max())


# --- Linear networks ---------------------------------------------------------------------------


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
        tensor = torch.from_numpy(x)
        for weight in weights:
            tensor = nn.functional.linear(tensor, torch.from_numpy(weight))
        return [float(value) for value in tensor[:, 0]]
    import keras

    signal = keras.ops.convert_to_tensor(x)
    for weight in weights:
        dense = keras.layers.Dense(len(weight), use_bias=False)
        dense.build(signal.shape)
        dense.set_weights([weight.T])
        signal = dense(signal)
    return [float(value) for value in np.array(signal)[:, 0]]


def solves_xor(outputs: Sequence[float]) -> bool:
    """Whether the four outputs are on the right sides of one half."""
    return [value > 0.5 for value in outputs] == [bool(y) for y in XOR_Y]


def train_xor(
    seeds: Iterable[int], hidden: tuple[int, ...] = (8, 8), dtype: str = "float32"
) -> dict[str, Array]:
    """Activation → how many of the four corners each trained network gets right, by seed."""
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


# Matched start and data order; the tanh networks are there to show that the run can move weights.
STEP_SETTINGS: dict[str, Any] = {"hidden": (64, 64), "lr": 0.03, "init": "glorot_uniform"}


@cache
def stuck(
    seeds: tuple[int, ...], epochs: int = 10, dtype: str = "float32"
) -> tuple[ensemble.Result, dict[str, float]]:
    """Train step and tanh networks on the digits, and see how far the hidden weights moved.

    Returns the result, with the gradients before training as a probe, and, per activation, the
    largest change of any hidden weight or bias.
    """
    digits = datasets.load("digits")
    names = ["binary_step", "tanh"]
    result = ensemble.train(
        digits,
        arms=names,
        seeds=seeds,
        epochs=epochs,
        probe="gradients",
        probe_at=(0,),
        progress=False,
        dtype=dtype,
        **STEP_SETTINGS,
    )
    moved = {}
    for name in names:
        sizes = result.arms[name].layer_sizes(digits.n_features, digits.n_classes)
        moved[name] = 0.0
        for seed in seeds:
            start = ensemble.initial_weights(result.arms[name], sizes, seed)
            linear = [m for m in result.member(name, seed) if isinstance(m, nn.Linear)]
            for (weight, bias), layer in zip(start[:-1], linear[:-1], strict=True):
                for before, after in ((weight, layer.weight), (bias, layer.bias)):
                    change = (after.detach() - before.to(after.dtype)).abs().max().item()
                    moved[name] = max(moved[name], change)
    return result, moved


# --- A borrowed derivative ---------------------------------------------------------------------


class StraightThrough(torch.autograd.Function):
    """The step forward; backward the derivative of a ramp: 1 from -1 to 1, else 0.

    Hinton (2012, lecture 9); Bengio, Léonard and Courville (2013), "Estimating or propagating
    gradients through stochastic neurons".
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """1 where x ≥ 0, else 0."""
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Let the gradient through near the jump."""
        (x,) = ctx.saved_tensors
        gradient: Tensor = grads[0] * (x.abs() <= 1)
        return gradient


def straight_through(x: Tensor) -> Tensor:
    """The step with the borrowed derivative."""
    return StraightThrough.apply(x)  # type: ignore[no-any-return, no-untyped-call]


def train_batched(
    data: Dataset,
    activation: Callable[[Tensor], Tensor],
    seeds: Sequence[int],
    epochs: int = 10,
    batch_size: int = 128,
    *,
    dtype: str = "float32",
    **settings: Any,
) -> dict[str, Array]:
    """Accuracies by seed, for an activation that is in no catalog: a plain loop with autograd.

    Start, data order and optimiser are those of :func:`actlab.ensemble.train`, so its networks
    and these can be compared in pairs. SGD with momentum; ``settings`` are those of ``Settings``.
    Returns ``valid_accuracy`` and ``test_accuracy``.
    """
    own = Settings(activation="linear", batch_size=batch_size, **settings)
    number = getattr(torch, dtype)
    sizes = own.layer_sizes(data.n_features, data.n_classes)
    starts = [ensemble.initial_weights(own, sizes, seed) for seed in seeds]
    layers = [
        tuple(
            torch.stack([start[i][part].to(number) for start in starts]).requires_grad_()
            for part in (0, 1)
        )
        for i in range(len(sizes))
    ]
    optimiser = torch.optim.SGD(itertools.chain(*layers), lr=own.lr, momentum=own.momentum)
    x, y = torch.from_numpy(data.x_train).to(number), torch.from_numpy(data.y_train)

    def outputs(signal: Tensor) -> Tensor:  # (seeds, examples, features) → (…, classes)
        for i, (weight, bias) in enumerate(layers):
            signal = torch.baddbmm(bias[:, None], signal, weight.mT)
            signal = activation(signal) if i < len(layers) - 1 else signal
        return signal

    orders = [ensemble.data_order(seed, len(y)) for seed in seeds]
    for _ in range(epochs):
        rows = torch.stack([next(order) for order in orders])
        for batch in torch.split(rows, batch_size, 1):
            optimiser.zero_grad()
            logits = outputs(x[batch])
            # A sum over the networks: each one gets the gradient of its own mean loss.
            loss = nn.functional.cross_entropy(logits.mT, y[batch], reduction="none")
            loss.mean(1).sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    found = {}
    for part in ("valid", "test"):
        inputs, labels = (torch.from_numpy(getattr(data, f"{axis}_{part}")) for axis in "xy")
        with torch.no_grad():
            right = outputs(inputs.to(number).expand(len(seeds), -1, -1)).argmax(-1) == labels
        found[f"{part}_accuracy"] = right.double().mean(1).numpy()
    return found


# --- Two comparisons in which every arm gets its own learning rate ------------------------------

MATCHED_DATA: dict[str, dict[str, Any]] = {"digits": {}, "mnist1d": {"size": 1_000}}
DEPTHS: dict[str, dict[str, Any]] = {
    arm: {"activation": "linear", "hidden": hidden, "init": "glorot_uniform"}
    for arm, hidden in (("no hidden layer", ()), ("three linear layers", (64, 64, 64)))
}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def tuned_study() -> pd.DataFrame:
    """Linear networks with and without depth, step networks with and without a borrowed slope.

    Every arm at every rate, on two data sets, from two roots; 20 seeds to tune (``tuning``) and
    20 others to compare. One row per network.
    """
    import pandas as pd

    tables = []
    for (name, options), root in itertools.product(MATCHED_DATA.items(), (0, 1)):
        data = datasets.load(name, **options)
        arms = {**DEPTHS, "step": {**STEP_SETTINGS, "activation": "binary_step"}}
        for tuning, (arm, own), lr in itertools.product((True, False), arms.items(), RATES):
            seeds = [(500 if tuning else 0) + seed for seed in root_seeds(root)]
            settings = {**own, "lr": lr}
            one = {"arm": settings}
            result = ensemble.train(data, arms=one, seeds=seeds, keep_weights=False, progress=False)
            found = {arm: result.to_frame()}
            if arm == "step":
                del settings["activation"]
                borrowed = train_batched(data, straight_through, seeds, **settings)
                found["borrowed slope"] = pd.DataFrame({"seed": seeds, **borrowed})
            where = {"data": name, "root": root, "tuning": tuning, "lr": lr}
            tables += [frame.assign(**where, arm=what) for what, frame in found.items()]
    measures = ["train_loss", "valid_accuracy", "test_accuracy"]
    table = pd.concat(tables, ignore_index=True)
    table[measures] = table[measures].astype("float32")
    return table[["data", "root", "tuning", "arm", "lr", "seed", *measures]]


def tuned(
    table: pd.DataFrame, arm: str, what: str = "test_accuracy", by: str = "valid_accuracy"
) -> tuple[float, Array]:
    """The learning rate that is best for an arm on the tuning seeds, and ``what`` on the others.

    ``table``: the rows of one data set and root of :func:`tuned_study`. ``by``: a loss is
    minimised, an accuracy maximised; a rate at which a network diverged is out.
    """
    rows = table[table.arm == arm]
    sign = -1 if "loss" in by else 1
    score = sign * rows[rows.tuning].groupby("lr")[by].apply(lambda v: v.mean(skipna=False))
    best = float(score.idxmax())
    chosen = rows[~rows.tuning & (rows.lr == best)].sort_values("seed")
    return best, chosen[what].to_numpy(np.float64)


def tables(root: int) -> dict[str, pd.DataFrame]:
    """The rows of one root of the study, by data set."""
    table = study.load("linear_and_step")
    return {name: table[(table.root == root) & (table.data == name)] for name in MATCHED_DATA}


# --- Figures -----------------------------------------------------------------------------------


def three_kinds(ax: Any | None = None) -> Plot:
    """The step, the line and one curve that is neither."""
    records = [catalog.get(name) for name in ("binary_step", "linear", "tanh")]
    return plots.curves(records, ax=ax, limits=(-3.0, 3.0), title="A step, a line, a curve")


def loss_curves(result: ensemble.Result, titles: dict[str, str], title: str) -> Plot:
    """Training loss by epoch of some arms (activations): mean and 95 % interval over the seeds."""
    ax = plots.axis(None, height=3.4)
    history = result.history()
    artists, sentences = {}, []
    hues = [plots.colour(result.arms[arm].record.name) for arm in titles]
    hues = hues if len(set(hues)) == len(hues) else list(plots.NEUTRAL)
    for i, (arm, name) in enumerate(titles.items()):
        wide = history[history.arm == arm].pivot(index="seed", columns="epoch", values="train_loss")
        ends = [stats.mean_interval(wide[epoch]) for epoch in wide.columns]
        artists[arm] = plots.band(
            ax,
            list(wide.columns),
            [e.mean for e in ends],
            [e.low for e in ends],
            [e.high for e in ends],
            label=name,
            color=hues[i],
            marker=plots.MARKERS[i],
        )
        sentences.append(f"{name} falls from {ends[0].mean:.2f} to {ends[-1].mean:.2f}")
    ax.set_ylim(bottom=0)
    ax.set_xticks(list(wide.columns))
    ax.legend()
    plots.label(ax, title=title, x="epoch", y="training loss (nats)")
    alt = f"Training loss by epoch: {'; '.join(sentences)}. Bands are 95 % intervals over seeds."
    return Plot(ax, alt, artists)


# --- The claims --------------------------------------------------------------------------------


def _ends(values: Any) -> list[float]:
    interval = stats.mean_interval(values)
    return [round(100 * v, 3) for v in (interval.mean, interval.low, interval.high)]


def _readable(text: str) -> str:
    return text.replace("mnist1d", "MNIST-1D")


def _percent(interval: Sequence[float]) -> str:
    return f"{interval[0]:.1f} % [{interval[1]:.1f}, {interval[2]:.1f}]"


def _bounded(seed: int) -> Evidence:
    x = random_inputs(seed)
    inside = [record.name for record in functions() if within(record, x)]
    return {"inside": inside, "of": len(functions())}


def _decide_bounded(evidence: Evidence) -> tuple[Verdict, str]:
    inside, of = evidence["inside"], evidence["of"]
    if len(inside) == of:
        return "holds", f"All {of} functions of the catalog stay between −1 and 1."
    names = ", ".join(catalog.get(name).title for name in inside)
    if 2 * len(inside) > of:
        return "holds when …", f"… it is one of these {len(inside)} of {of}: {names}."
    return "refuted", (
        f"Only {len(inside)} of the {of} functions of the catalog stay between −1 and 1: {names}. "
        "The usual ones for hidden layers have no upper end."
    )


def _on_or_off(seed: int) -> Evidence:
    x = np.random.default_rng(seed).uniform(-10, 10, 10_000)
    silent = [record.name for record in functions() if silent_share(record, x) > 0.01]
    return {"silent": silent, "of": len(functions())}


def _decide_on_or_off(evidence: Evidence) -> tuple[Verdict, str]:
    silent, of = evidence["silent"], evidence["of"]
    if len(silent) == of:
        return "holds", f"All {of} functions of the catalog have inputs for which they are silent."
    names = ", ".join(catalog.get(name).title for name in silent)
    if 2 * len(silent) > of:
        return "holds when …", f"… it is one of these {len(silent)} of {of}: {names}."
    return "refuted", (
        f"Only {len(silent)} of {of} functions are exactly 0 over a range of inputs ({names}). "
        "The others turn a signal up or down; they do not switch it off."
    )


def _third_kind(seed: int) -> Evidence:
    # Two step units, by hand: "at least one" and "both"; the output is their difference.
    step = catalog.get("binary_step").reference
    total = XOR_X.sum(1)
    outputs = step(total - 0.5) - step(total - 1.5)
    return {
        "gap": {n: additivity_gap(catalog.get(n), seed) for n in ("linear", "binary_step")},
        "step_solves_xor": solves_xor(outputs.tolist()),
    }


def _decide_third_kind(evidence: Evidence) -> tuple[Verdict, str]:
    gap, solves = evidence["gap"], evidence["step_solves_xor"]
    if gap["binary_step"] > 0 and solves:
        return "refuted", (
            f"The step misses f(a + b) = f(a) + f(b) by up to {gap['binary_step']:g} (the line by "
            f"{gap['linear']:g}), and two step units compute XOR, which no line can. It is "
            "non-linear. What it lacks is a slope."
        )
    if gap["binary_step"] == 0 and not solves:
        return "holds", "The step behaves like a linear function in both tests."
    return "not shown", "The two tests disagree."


def _collapse(seed: int) -> Evidence:
    x = np.random.default_rng(seed).standard_normal((1000, 64))
    worst: dict[str, list[float]] = {}
    for dtype in ("float32", "float64"):
        gaps = [
            collapse_gap(linear_layers(depth, 64, 100 * seed + i), x, dtype)
            for depth in (2, 5, 20)
            for i in range(7)
        ]
        worst[dtype] = [max(gap) for gap in zip(*gaps, strict=True)]
    return {"relative_and_of_allowed": worst}


def _decide_collapse(evidence: Evidence) -> tuple[Verdict, str]:
    worst = evidence["relative_and_of_allowed"]
    numbers = ", ".join(f"{relative:.0e} in {dtype}" for dtype, (relative, _) in worst.items())
    if all(of_allowed <= 1 for _, of_allowed in worst.values()):
        return "holds", (
            "One matrix gives the same outputs to within rounding: the largest deviation, "
            f"relative to the largest output, is about {numbers}: less than rounding may cause."
        )
    return "refuted", f"The outputs differ by more than rounding can explain ({numbers})."


@cache
def _digits_linear(seed: int) -> list[float]:
    result = ensemble.train(
        datasets.load("digits"),
        arms=["linear"],
        seeds=root_seeds(seed),
        hidden=(64, 64, 64),
        lr=0.03,
        keep_weights=False,
        progress=False,
    )
    return _ends(result.by_arm()["linear"])


def _linear_trains(seed: int) -> Evidence:
    return {"accuracy": _digits_linear(seed)}


def _decide_linear_trains(evidence: Evidence) -> tuple[Verdict, str]:
    accuracy = evidence["accuracy"]
    if accuracy[1] > 50:
        return "refuted", (
            f"Three hidden linear layers, trained by backpropagation: test accuracy "
            f"{_percent(accuracy)} on ten digits. The slope of the function is constant; the "
            "gradient is not, because weights and errors are in it."
        )
    if accuracy[2] < 20:
        return "holds", f"Test accuracy stays at {_percent(accuracy)}."
    return "not shown", f"Test accuracy {_percent(accuracy)}."


def _linear_depth(seed: int) -> Evidence:
    found = {}
    for name, table in tables(seed).items():
        shallow, deep = DEPTHS
        rates, accuracy, loss = {}, {}, {}
        for arm in DEPTHS:
            rates[arm], accuracy[arm] = tuned(table, arm)
            loss[arm] = np.log(tuned(table, arm, "train_loss", by="train_loss")[1])
        difference = stats.paired_difference(accuracy[deep], accuracy[shallow])
        ratio = stats.paired_difference(loss[deep], loss[shallow])
        found[name] = {
            "lr": rates,
            "difference": [100 * v for v in (difference.mean, difference.low, difference.high)],
            "loss_ratio": [float(np.exp(v)) for v in (ratio.mean, ratio.low, ratio.high)],
        }
    return found


def _decide_linear_depth(evidence: Evidence) -> tuple[Verdict, str]:
    same, other = [], []
    for name, case in evidence.items():
        _, low, high = case["difference"]
        _, less, more = case["loss_ratio"]
        if low > -1 and high < 1 and less > 0.8 and more < 1.25:
            same.append(name)
        if low > 1 or high < -1 or more < 0.8 or less > 1.25:
            other.append(name)
    numbers = "; ".join(
        f"{_readable(name)}: {case['difference'][0]:+z.1f} points of test accuracy "
        f"[{case['difference'][1]:+z.1f}, {case['difference'][2]:+z.1f}], "
        f"{case['loss_ratio'][0]:.2f} times the training loss "
        f"[{case['loss_ratio'][1]:.2f}, {case['loss_ratio'][2]:.2f}], best learning rates "
        f"{' and '.join(f'{lr:g}' for lr in reversed(case['lr'].values()))}"
        for name, case in evidence.items()
    )
    what = "Three linear hidden layers against none, each with its own learning rate"
    if len(same) == len(evidence):
        return "holds", f"{what}: {numbers}."
    if len(other) == len(evidence):
        return "refuted", f"{what}: {numbers}. The functions are the same; the way to them is not."
    if same and len(same) + len(other) == len(evidence):
        return "holds when …", f"… the data are {_readable(' or '.join(same))}. {what}: {numbers}."
    return "not shown", f"{what}: {numbers}."


def _step_stuck(seed: int) -> Evidence:
    return {"moved": stuck(tuple(root_seeds(seed)))[1]}


def _decide_step_stuck(evidence: Evidence) -> tuple[Verdict, str]:
    moved = evidence["moved"]
    if moved["tanh"] == 0:
        return "not shown", "Not even the tanh networks moved: the run was broken."
    if moved["binary_step"] == 0:
        return "holds", (
            "In 20 step networks no hidden weight moved by a single bit, while from the same start "
            f"those of the tanh networks moved by up to {moved['tanh']:.2f}."
        )
    return "refuted", f"A hidden weight of a step network moved by {moved['binary_step']:.3g}."


def _step_classes(seed: int) -> Evidence:
    result = ensemble.train(
        datasets.load("digits"),
        arms=["binary_step"],
        seeds=root_seeds(seed),
        hidden=(256,),
        init="glorot_uniform",
        lr=0.03,
        keep_weights=False,
        progress=False,
    )
    return {"accuracy": _ends(result.by_arm()["binary_step"])}


def _decide_step_classes(evidence: Evidence) -> tuple[Verdict, str]:
    accuracy = evidence["accuracy"]
    if accuracy[1] > 80:
        return "refuted", (
            f"256 step units that never learn, and an output layer that does: {_percent(accuracy)} "
            "test accuracy on ten classes."
        )
    if accuracy[2] < 20:
        return "holds", f"Test accuracy on ten classes stays at {_percent(accuracy)}."
    return "not shown", f"Test accuracy on ten classes: {_percent(accuracy)}."


def _step_borrowed(seed: int) -> Evidence:
    found = {}
    for name, table in tables(seed).items():
        borrowed, stuck_ = (tuned(table, arm)[1] for arm in ("borrowed slope", "step"))
        gain = stats.paired_difference(borrowed, stuck_)
        found[name] = {
            "accuracy": {"stuck": _ends(stuck_), "borrowed slope": _ends(borrowed)},
            "gain": [100 * v for v in (gain.mean, gain.low, gain.high)],
        }
    return found


def _decide_step_borrowed(evidence: Evidence) -> tuple[Verdict, str]:
    numbers = "; ".join(
        f"{_readable(name)}: {case['accuracy']['borrowed slope'][0]:.1f} % instead of "
        f"{case['accuracy']['stuck'][0]:.1f} %"
        for name, case in evidence.items()
    )
    if all(case["gain"][1] > 1 for case in evidence.values()):
        return "refuted", (
            f"Forward the step, backward the slope of a ramp: {numbers} test accuracy. What "
            "training needs is a direction, and that may be borrowed."
        )
    if all(case["gain"][2] < 1 for case in evidence.values()):
        return "holds", f"A borrowed slope does not help ({numbers})."
    return "not shown", f"With a borrowed slope {numbers}."


def _linear_xor(seed: int) -> Evidence:
    corners = train_xor(root_seeds(seed))
    gradual, flushed = xor_layers(-149), xor_layers(-126)
    return {
        "trained_solving": {name: int(np.sum(right == 4)) for name, right in corners.items()},
        "best_linear_corners": int(corners["linear"].max()),
        "exact": solves_xor(run_linear(gradual, XOR_X, "exact")),
        "float32, PyTorch": solves_xor(run_linear(gradual, XOR_X, "torch")),
        "float32, Keras": solves_xor(run_linear(flushed, XOR_X, "keras")),
    }


def _decide_linear_xor(evidence: Evidence) -> tuple[Verdict, str]:
    trained = evidence["trained_solving"]
    if trained["linear"] or evidence["exact"]:
        return "refuted", "A linear network gets all four corners right, in exact arithmetic too."
    floats = [name for name in ("PyTorch", "Keras") if evidence[f"float32, {name}"]]
    numbers = (
        f"Of 20 trained networks each, {trained['linear']} linear, {trained['tanh']} tanh and "
        f"{trained['relu']} ReLU networks get all four corners right"
    )
    if floats:
        return "holds when …", (
            f"… the arithmetic is exact. {numbers}. But linear layers built by hand solve it in "
            f"the float32 of {' and '.join(floats)}: they use the rounding of tiny numbers as a "
            "non-linearity."
        )
    return "holds", f"{numbers}; no linear network built by hand does, in float32 either."


CIRCULATION = "in circulation, next to the document's three kinds"

CLAIMS = (
    Claim(
        id="why-output-range",
        statement="An activation brings each unit's output into the range 0 to 1 or −1 to 1.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "Every function of the catalog that acts on single numbers, at 10,000 random inputs of "
            "both signs between a thousandth and a thousand."
        ),
        rule=(
            "Holds if all stay within −1 and 1, holds when … more than half do, refuted if fewer."
        ),
        measure=_bounded,
        decide=_decide_bounded,
        otherwise={"inside": [record.name for record in functions()], "of": len(functions())},
    ),
    Claim(
        id="why-on-or-off",
        statement="The activation decides whether a unit is activated or not.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "The same functions at 10,000 inputs between −10 and 10; the share for which the "
            "output is exactly 0."
        ),
        rule=(
            "'Not activated' is an output of exactly 0 for more than 1 % of the inputs. Holds if "
            "all have that, holds when … more than half do, refuted if fewer."
        ),
        measure=_on_or_off,
        decide=_decide_on_or_off,
        otherwise={"silent": [record.name for record in functions()], "of": len(functions())},
    ),
    Claim(
        id="why-third-kind",
        statement="Step functions are a kind of their own beside the non-linear ones.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "Whether f(a + b) = f(a) + f(b) at 1,000 pairs, and whether two step units with "
            "weights set by hand compute XOR."
        ),
        rule=(
            "Refuted (the step is non-linear) if it breaks the equation and computes XOR; holds if "
            "it does neither; else not shown."
        ),
        measure=_third_kind,
        decide=_decide_third_kind,
        otherwise={"gap": {"linear": 0.0, "binary_step": 0.0}, "step_solves_xor": False},
    ),
    Claim(
        id="why-linear-collapses",
        statement="A deep network of linear layers computes nothing that one matrix does not.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "2, 5 and 20 random layers of 64 units with biases, 21 networks, 1,000 inputs: outputs "
            "layer by layer and by the product of the matrices, in float32 and float64."
        ),
        rule=(
            "Holds if no output differs by more than the bound that rounding obeys (Higham, 2002); "
            "refuted if one does."
        ),
        measure=_collapse,
        decide=_decide_collapse,
        otherwise={"relative_and_of_allowed": {"float32": [0.1, 1e4], "float64": [0.1, 1e13]}},
    ),
    Claim(
        id="why-linear-xor",
        statement="No linear network, however deep, can compute XOR.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "20 trained networks (two hidden layers of 8) for each of linear, tanh and ReLU; and "
            "linear layers built by hand, computed exactly (fractions) and in float32."
        ),
        rule=(
            "Refuted if a trained linear network or exact arithmetic gets all four corners right; "
            "holds when … only float32 does; holds if none does."
        ),
        measure=_linear_xor,
        decide=_decide_linear_xor,
        otherwise={
            "trained_solving": {"linear": 3, "tanh": 20, "relu": 20},
            "best_linear_corners": 4,
            "exact": True,
            "float32, PyTorch": True,
            "float32, Keras": True,
        },
    ),
    Claim(
        id="why-linear-no-backprop",
        statement=(
            "With linear activations backpropagation is impossible, because their derivative is "
            "constant."
        ),
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "Three hidden linear layers of 64 on the digits, PyTorch's start, SGD with momentum, "
            "ten epochs, 20 seeds; test accuracy."
        ),
        rule=(
            "Guessing gives 10 %. Holds if the 95 % interval lies below 20 %, refuted if above "
            "50 %; else not shown."
        ),
        measure=_linear_trains,
        decide=_decide_linear_trains,
        otherwise={"accuracy": [10.0, 9.0, 11.0]},
    ),
    Claim(
        id="why-linear-depth",
        statement="Hidden layers without an activation change nothing, in training either.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "Three hidden linear layers of 64 against none, on digits and MNIST-1D (1,000 training "
            "examples), ten epochs, 20 seeds, paired; the learning rate of each tuned on 20 "
            "other seeds, for the accuracy and for the loss."
        ),
        rule=(
            "On a data set it holds if the test accuracies agree within 1 point and the training "
            "losses within a factor of 1.25 (95 % intervals), and is refuted if one of the two "
            "lies wholly outside. Verdict: the same on both, or holds when … on one."
        ),
        measure=_linear_depth,
        decide=_decide_linear_depth,
        otherwise={
            name: {
                "difference": [0.0, -0.1, 0.1],
                "loss_ratio": [1.0, 0.95, 1.05],
                "lr": {"no hidden layer": 0.1, "three linear layers": 0.1},
            }
            for name in ("digits", "mnist1d")
        },
        cheap=False,
    ),
    Claim(
        id="why-step-stuck",
        statement="Below a step function, gradient descent learns nothing.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "Two hidden layers of 64 on the digits, ten epochs, 20 seeds; step and tanh networks "
            "from the same start: the largest change of any hidden weight or bias."
        ),
        rule=(
            "Holds if in the step networks none changes at all while in the tanh networks some do; "
            "refuted if one changes."
        ),
        measure=_step_stuck,
        decide=_decide_step_stuck,
        otherwise={"moved": {"binary_step": 1e-6, "tanh": 0.5}},
    ),
    Claim(
        id="why-step-classes",
        statement="A network of step functions is of no use for more than two classes.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "One hidden layer of 256 steps on the digits (ten classes), ten epochs, 20 seeds; test "
            "accuracy."
        ),
        rule=(
            "Guessing gives 10 %. Holds if the 95 % interval lies below 20 %, refuted if above "
            "80 %; else not shown."
        ),
        measure=_step_classes,
        decide=_decide_step_classes,
        otherwise={"accuracy": [10.0, 9.0, 11.0]},
    ),
    Claim(
        id="why-step-borrowed",
        statement="To be trained by gradients, a function must have a gradient.",
        source=CIRCULATION,
        chapter=CHAPTER,
        experiment=(
            "Step networks (two hidden layers of 64) on digits and MNIST-1D (1,000 training "
            "examples) as they are, and with the slope of a ramp put in on the way back; learning "
            "rate of each tuned on 20 other seeds, 20 seeds, paired."
        ),
        rule=(
            "Refuted if the borrowed slope gains more than 1 point of test accuracy on both data "
            "sets (95 % interval); holds if it gains less on both; else not shown."
        ),
        measure=_step_borrowed,
        decide=_decide_step_borrowed,
        otherwise={
            name: {
                "accuracy": {"stuck": [80.0, 79.0, 81.0], "borrowed slope": [80.2, 79.0, 81.4]},
                "gain": [0.2, -0.1, 0.5],
            }
            for name in ("digits", "mnist1d")
        },
        cheap=False,
    ),
)
