"""What softmax and its relatives do to numbers: range, sum, overflow, logarithms, zeros, draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from actlab import catalog, stats
from actlab.trial import Case, Evidence, Level, Measured, experiment

Array = npt.NDArray[Any]
Call = Callable[[Array], Array]

DTYPES = ("float32", "float16", "bfloat16")
GAPS = np.arange(0, 200.25, 0.25)
"""How far two logits are apart where the loss is looked at."""


def in_both(name: str, dtype: str) -> Iterator[tuple[str, Call]]:
    """PyTorch's and Keras's own function of a vector, along the last axis, in one format.

    Each takes float64 numbers, rounds them to the format, and gives its outputs as float64.
    """
    import torch

    from actlab.frameworks.keras import start

    start()
    import keras

    ours = getattr(torch.nn.functional, name)
    theirs = getattr(keras.activations, name)

    def in_torch(x: Array) -> Array:
        given = torch.from_numpy(x).to(getattr(torch, dtype))
        return np.asarray(ours(given, dim=-1).double().numpy())

    def in_keras(x: Array) -> Array:
        given = keras.ops.cast(keras.ops.convert_to_tensor(x), dtype)
        found = theirs(given, axis=-1)
        return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(found, "float64")))

    yield "PyTorch", in_torch
    yield "Keras", in_keras


def off_from_one(shares: Array) -> float:
    """The largest distance of a row's exact sum from 1."""
    return float(np.abs(shares.sum(-1) - 1).max())


_BOTH = "Both frameworks on one CPU, three formats"


@experiment(
    "Softmax of 600 random vectors of 2, 10 and 1,000 numbers, their sizes from a thousandth to "
    "ten thousand; what it returns is added up exactly. A step is the distance from 1 to the "
    "next number of the format.",
    _BOTH,
)
def any_vector(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    sizes = 10.0 ** rng.uniform(-3, 4, (200, 1))
    vectors = [sizes * rng.uniform(-1, 1, (200, n)) for n in (2, 10, 1_000)]
    lowest, apart = {}, {}
    for dtype in DTYPES:
        step = float(ml_dtypes.finfo(dtype).eps)  # type: ignore[no-untyped-call]
        for framework, softmax in in_both("softmax", dtype):
            found = [softmax(x) for x in vectors]
            lowest[framework, dtype] = min(float(one.min()) for one in found)
            apart[framework, dtype] = max(map(off_from_one, found)) / step
    return {APART: _exact(apart, BOTH), LOWEST: _exact(lowest, BOTH)}


@experiment(
    "Softmax of 200 vectors of 10 and of 10,000 normal numbers, of standard deviation 1 (an "
    "untrained network) and 30 (one that is very sure).",
    _BOTH,
)
def open_interval(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    ends = {}
    for classes, spread in itertools.product((10, 10_000), (1, 30)):
        x = rng.normal(0, spread, (200, classes))
        for dtype in DTYPES:
            for framework, softmax in in_both("softmax", dtype):
                case = (framework, dtype, f"{classes:,} classes", f"{spread}")
                found = softmax(x)
                ends[case] = 100 * float(np.mean((found == 0) | (found == 1)))
    factors = ("framework", "arithmetic", "classes", "input sd")
    return {ENDS: _exact(ends, factors)}


@experiment(
    "Softmax of 200 vectors of 10 numbers of both signs, up to 10³⁸ (30,000 in float16).", _BOTH
)
def overflow(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    lost = {}
    for dtype in DTYPES:
        top = 3e4 if dtype == "float16" else 1e38
        x = top * rng.uniform(-1, 1, (200, 10))
        for framework, softmax in in_both("softmax", dtype):
            lost[framework, dtype] = 100 * float(np.mean(~np.isfinite(softmax(x))))
    return {LOST: _exact(lost, BOTH)}


def exact_log_share(gap: Array) -> Array:
    """Log of the smaller of two shares whose logits are so far apart, in float64."""
    return -(gap + np.log1p(np.exp(-gap)))


def share_off(found: Array, right: Array) -> float:
    """Per cent of the numbers that are more than 1 % off."""
    return 100 * float(np.mean(~(np.abs(found - right) <= 0.01 * np.abs(right))))


@experiment(
    "Two logits, 0 to 200 apart in steps of a quarter: the logarithm of the smaller share, taken "
    "of what softmax returned; it is wrong where it is more than 1 % off the exact one.",
    _BOTH,
)
def log_of_softmax(root: int, level: Level) -> Evidence:
    x = np.stack([np.zeros_like(GAPS), GAPS], axis=1)
    off, gone, notes = {}, {}, {}
    for dtype in DTYPES:
        right = exact_log_share(GAPS)
        both = zip(in_both("softmax", dtype), in_both("log_softmax", dtype), strict=True)
        for (framework, softmax), (_, log_softmax) in both:
            with np.errstate(divide="ignore"):
                # The share is rounded to the format; its logarithm is taken as well as can be.
                found = np.log(softmax(x)[:, 0])
            off[framework, dtype] = share_off(found, right)
            gone[framework, dtype] = float(GAPS[np.isneginf(found)].min(initial=math.inf))
            notes[f"{framework}, {dtype}"] = {
                "−∞ from a gap of": gone[framework, dtype],
                "log_softmax: gaps more than 1 % off (%)": share_off(log_softmax(x)[:, 0], right),
            }
    return {OFF: _exact(off, BOTH, notes)}


PATHS = {
    "called directly": 1,
    "in a tf.function": 1,
    "in a compiled model": 20,
    "after tf.nn.softmax": 1,
    "after a reshape": 1,
}
"""How probabilities reach Keras's loss; and every which of the gaps is looked at."""


def keras_losses(path: str) -> Array:
    """Keras's loss of probabilities (``from_logits=False``) on one of ``PATHS``.

    One number for each of the gaps that are looked at; the smaller logit is the right one.
    """
    from actlab.frameworks.keras import start

    start()
    import keras
    import tensorflow as tf

    gaps = GAPS[:: PATHS[path]]
    x = np.stack([np.zeros_like(gaps), gaps], axis=1).astype(np.float32)
    y = np.zeros(len(gaps), np.int64)
    if path == "in a compiled model":
        model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=False))
        losses = []
        for i in range(len(x)):
            model.reset_metrics()  # else it returns the mean of all so far
            losses.append(model.test_on_batch(x[i : i + 1], y[i : i + 1]))
        return np.array(losses)

    def loss(logits: Any) -> Any:
        softmax = tf.nn.softmax if path == "after tf.nn.softmax" else keras.activations.softmax
        shares = softmax(logits)
        if path == "after a reshape":
            shares = keras.ops.reshape(shares, (len(gaps), 2))
        return keras.losses.sparse_categorical_crossentropy(y, shares, from_logits=False)

    run = tf.function(loss) if path == "in a tf.function" else loss
    return np.asarray(run(tf.constant(x)))


@experiment(
    "Two logits, 0 to 200 apart, float32: Keras's cross-entropy of their softmax with "
    "from_logits=False, the smaller one being right; wrong where it is more than 1 % off the "
    "exact one; on five call paths (the model ends in Softmax(), the reshape stands behind it).",
    "Keras on TensorFlow, float32",
)
def from_logits(root: int, level: Level) -> Evidence:
    off, notes = {}, {}
    for path, every in PATHS.items():
        found = keras_losses(path).astype(np.float64)
        off[(path,)] = share_off(found, -exact_log_share(GAPS[::every]))
        notes[path] = {"largest loss": float(found.max())}
    return {OFF: _exact(off, ("call path",), notes)}


@experiment(
    "500 vectors of ten normal logits of standard deviation 10, float32: the cross-entropy (which "
    "takes a log-softmax itself) of the logits and of their log-softmax, and its gradients.",
    "Both frameworks on one CPU, float32",
)
def log_twice(root: int, level: Level) -> Evidence:
    """Cross-entropy of logits and of their log-softmax: loss and gradient, float32."""
    import torch

    from actlab.frameworks.keras import start

    start()
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(root)
    x = rng.normal(0, 10, (500, 10)).astype(np.float32)
    y = rng.integers(0, 10, 500)
    apart = {}

    def in_torch(log: bool) -> Array:
        logits = torch.from_numpy(x).requires_grad_()
        given = logits.log_softmax(-1) if log else logits
        loss = torch.nn.functional.cross_entropy(given, torch.from_numpy(y), reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        return np.append(logits.grad.numpy(), loss.item() / len(y))

    def in_keras(log: bool) -> Array:
        logits = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            given = keras.activations.log_softmax(logits) if log else logits
            losses = keras.losses.sparse_categorical_crossentropy(y, given, from_logits=True)
            loss = tf.reduce_sum(losses)
        return np.append(np.asarray(tape.gradient(loss, logits)), float(loss) / len(y))

    for framework, run in (("PyTorch", in_torch), ("Keras", in_keras)):
        apart[(framework,)] = float(np.abs(run(True) - run(False)).max())
    return {MOVED: _exact(apart, ("framework",))}


@experiment(
    "Sparsemax of 50 vectors of 10 and of 1,000 normal numbers of standard deviation 0.1, 1 "
    "and 10.",
    "The exact function",
)
def sparse(root: int, level: Level) -> Evidence:
    rng = np.random.default_rng(root)
    sparse, soft = catalog.get("sparsemax").reference, catalog.get("softmax").reference
    zeros, notes = {}, {}
    for classes, spread in itertools.product((10, 1_000), (0.1, 1, 10)):
        x = rng.normal(0, spread, (50, classes))
        case = (f"{classes:,} classes", f"{spread:g}")
        zeros[case] = 100 * float(np.mean(sparse(x) == 0))
        notes[f"softmax, {classes:,} classes, sd {spread:g}"] = 100 * float(np.mean(soft(x) == 0))
    return {ZEROS: _exact(zeros, ("classes", "input sd"), notes)}


SCORES = (2.0, 1.0, 0.0, -1.0)


@experiment(
    "400,000 hard draws of PyTorch's gumbel_softmax from the scores 2, 1, 0 and −1 at three "
    "temperatures; how often each class came, minus its softmax.",
    "PyTorch, four classes",
)
def gumbel_draws(root: int, level: Level) -> Evidence:
    import torch
    from torch.nn.functional import gumbel_softmax

    n = 400_000
    p = catalog.get("softmax").reference(np.array(SCORES))
    taus = (0.1, 1.0, 10.0)
    cases: dict[Case, stats.Interval] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(root)
        for tau in taus:
            drawn = gumbel_softmax(torch.tensor(SCORES).expand(n, -1), tau=tau, hard=True)
            for score, hits, right in zip(SCORES, drawn.sum(0).tolist(), p, strict=True):
                found = stats.share_interval(round(hits), n, level(len(taus) * len(SCORES)))
                mean, low, high = (100 * (x - right) for x in (found.mean, found.low, found.high))
                case = (f"τ = {tau:g}", f"score {score:g}".replace("-", "−"))
                cases[case] = stats.Interval(mean, low, high, n, confidence=found.confidence)
    return {DRAWN: Measured(cases, ("temperature", "class"))}


@experiment(
    "The gradient of a weighted sum of soft draws by the four scores, 20 times 5,000 draws, the "
    "same noise at every temperature; its variance over that at τ = 1.",
    "PyTorch, four classes",
)
def gumbel_noise(root: int, level: Level) -> Evidence:
    import torch
    from torch.nn.functional import gumbel_softmax

    worth = torch.tensor([1.0, -1.0, 2.0, 0.5])
    noise: dict[float, list[float]] = {}
    taus = (0.1, 0.5, 1.0)
    with torch.random.fork_rng(devices=[]):
        for tau in taus:
            torch.manual_seed(root)
            noise[tau] = []
            for _ in range(20):
                logits = torch.tensor(SCORES).expand(5_000, -1).clone().requires_grad_()
                (gumbel_softmax(logits, tau=tau) @ worth).sum().backward()  # type: ignore[no-untyped-call]
                assert logits.grad is not None
                noise[tau].append(float(logits.grad.var(0).sum()))
    cases = {
        f"τ = {tau:g}": stats.mean_interval(
            np.array(noise[tau]) / np.array(noise[1.0]), level(len(taus) - 1)
        )
        for tau in taus[:-1]
    }
    return {NOISE: Measured.of(cases, "temperature")}


def _exact(cases: dict[Any, float], factors: tuple[str, ...], notes: Any = None) -> Measured:
    found = {case: stats.Interval(value, value, value, n=1) for case, value in cases.items()}
    return Measured(found, factors, notes=notes or {})


BOTH = ("framework", "arithmetic")
APART = "largest distance of the sum from 1 in steps of the format"
LOWEST = "smallest output"
ENDS = "share of outputs that are exactly 0 or 1"
LOST = "share of outputs that are NaN or infinite"
OFF = "share of gaps with a wrong logarithm"
MOVED = "largest change of the loss or of a gradient"
ZEROS = "share of outputs that are exactly 0"
DRAWN = "frequency of a class minus its probability"
NOISE = "variance of the gradient over that at τ = 1"
