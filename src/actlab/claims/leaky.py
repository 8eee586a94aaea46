"""Chapter "Leaky, parametric, randomised, thresholded": live experiments, cheap claims, cost."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from actlab import catalog, data, ensemble, stats, study
from actlab.claims import cost
from actlab.claims.leaky_asleep import COMA
from actlab.claims.leaky_training import (
    CHAPTER,
    DOCUMENT,
    RRELU_DOCUMENT,
    Array,
    as_list,
    leaky,
    learned_slopes,
    prelu,
)
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds

if TYPE_CHECKING:
    import pandas as pd

    from actlab.ensemble import Snapshot

# --- The trap: one name, three slopes ------------------------------------------------------------


def default_slopes() -> pd.DataFrame:
    """Every place that the catalog knows for Leaky ReLU, then and now, with its default slope."""
    import pandas as pd

    record = catalog.get("leaky_relu")
    rows = []
    for place in record.places:
        argument = place.names.get("negative_slope", "negative_slope")
        if not place.in_place:
            rows.append((place.when, place.path, argument, place.default("negative_slope")))
    frame = pd.DataFrame(rows, columns=["when", "where", "argument", "default"])
    return frame.sort_values("when", ascending=False, kind="stable")


def accuracy_with_slope(network: nn.Sequential, images: Any, slope: float) -> float:
    """Test accuracy of a trained network whose leaky units are given another slope."""
    changed = [nn.LeakyReLU(slope) if isinstance(m, nn.LeakyReLU) else m for m in network]
    with torch.no_grad():
        x = torch.from_numpy(images.x_test).to(next(network.parameters()).dtype)
        logits = nn.Sequential(*changed)(x)
    return float((logits.argmax(1).numpy() == images.y_test).mean())


def ported_with(
    images: Any,
    trained_with: float,
    slopes: Sequence[float],
    depths: Sequence[int],
    dtype: str = "float32",
) -> dict[str, Array]:
    """Train with one slope, run with others: slope → accuracies in per cent (20 seeds, depths)."""
    arms = {
        f"{depth}": {**leaky(trained_with), "hidden": (64,) * depth, "lr": 0.03} for depth in depths
    }
    result = ensemble.train(images, arms=arms, seeds=20, epochs=12, dtype=dtype, progress=False)

    def accuracies(depth: int, slope: float) -> list[float]:
        members = [result.member(f"{depth}", seed) for seed in range(20)]
        return [100 * accuracy_with_slope(member, images, slope) for member in members]

    return {
        f"{slope:g}": np.array([accuracies(depth, slope) for depth in depths]).T for slope in slopes
    }


# --- Asleep: what is left of the gradient --------------------------------------------------------


def first_gradients(snapshot: Snapshot) -> dict[str, torch.Tensor]:
    """Probe: size of the gradient of every linear layer's weights, (networks, layers)."""
    sizes = [gradient.flatten(1).norm(dim=1) for gradient in snapshot.gradients]
    return {"gradient": torch.stack(sizes, 1)}


def gradients_asleep(images: Any, slopes: Sequence[float], depth: int = 5) -> dict[str, Array]:
    """Gradient of each hidden layer's weights before training, every unit asleep; over 20 seeds.

    Relative to the same network with biases of 0. Slope → (seeds, hidden layers).
    """
    found = {}
    for slope in slopes:
        own = {**leaky(slope), **COMA, "hidden": (64,) * depth}
        result = ensemble.train(
            images,
            arms={"asleep": own, "awake": {**own, "bias": 0.0}},
            seeds=20,
            epochs=1,
            lr=1e-6,
            probe=first_gradients,
            probe_at=[0],
            keep_weights=False,
            progress=False,
            dtype="float64",
        )
        asleep, awake = (result.probe("gradient", arm)[:, 0, :-1] for arm in ("asleep", "awake"))
        found[f"slope {slope:g}"] = asleep / awake
    return found


# --- PReLU: what weight decay does to a slope ----------------------------------------------------


def decayed_slopes(
    images: Any,
    decays: Sequence[float],
    seeds: Iterable[int] = range(20),
    normalization: str | None = None,
    dtype: str = "float32",
) -> dict[str, Array]:
    """Learned slopes (seeds, 5 layers) under SGD with decay on everything, slopes included."""
    arms = {f"weight decay {decay:g}": {**prelu(0.25), "weight_decay": decay} for decay in decays}
    result = ensemble.train(
        images,
        arms=arms,
        seeds=seeds,
        epochs=10,
        lr=0.03,
        batch_size=64,
        normalization=normalization,
        dtype=dtype,
        progress=False,
    )
    slopes = np.array([list(found.values()) for found in learned_slopes(result)])
    return {arm: slopes[result.index(arm)] for arm in arms}


def _decay_and_scale(seed: int) -> Evidence:
    """Change of the mean slope by decay under batch norm: layers 1 to 4, and the last one."""
    found = decayed_slopes(data.load("digits"), (0, 0.01), root_seeds(seed), "batch")
    change = found["weight decay 0.01"] - found["weight decay 0"]
    return {
        "normalised": as_list(stats.mean_interval(change[:, :-1].mean(1))),
        "last": as_list(stats.mean_interval(change[:, -1])),
    }


def _decide_decay_and_scale(evidence: Evidence) -> tuple[Verdict, str]:
    before, last = (
        "{:+.2f} [{:+.2f}, {:+.2f}]".format(*evidence[where]) for where in ("normalised", "last")
    )
    text = (
        f"With batch norm in every hidden layer, decay changes the slopes of layers 1 to 4, whose "
        f"output is normalised again, by {before}, and that of layer 5, which feeds the output "
        f"layer directly, by {last}."
    )
    if evidence["normalised"][2] < 0 < evidence["last"][1]:
        return "holds", text
    return ("refuted" if evidence["normalised"][1] > 0 else "not shown"), text


# --- Cost ----------------------------------------------------------------------------------------

COSTS = ("relu", "leaky_relu", "prelu", "rrelu")
ROUNDS = 120
BATCHES = (1, 256)


def cost_study() -> pd.DataFrame:
    """Seconds per call, interleaved: a training ``step``, inference of ``batch 1``, ``batch 256``.

    The network is that of :mod:`actlab.claims.cost`; each number is the fastest of five calls, so
    that a busy machine disturbs little.
    """
    import pandas as pd

    timers: dict[tuple[str, str, str], Callable[[], Any]] = {}
    for name in COSTS:
        timers |= {("torch", what, name): call for what, call in _torch_calls(name).items()}
        timers |= {("keras", what, name): call for what, call in _keras_calls(name).items()}
    for call in timers.values():  # tracing, allocation and first touch are not what we ask
        for _ in range(3):
            call()
    rows = []
    for round_ in range(ROUNDS):
        for (framework, what, name), call in timers.items():
            seconds = []
            for _ in range(5):
                started = time.perf_counter()
                call()
                seconds.append(time.perf_counter() - started)
            rows.append((framework, what, name, round_, min(seconds)))
    return pd.DataFrame(rows, columns=["framework", "what", "activation", "round", "seconds"])


def _torch_calls(name: str) -> dict[str, Callable[[], Any]]:
    sizes = (784, *cost.HIDDEN)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), catalog.get(name).torch()]
    model = nn.Sequential(*layers, nn.Linear(cost.HIDDEN[-1], 10)).eval()

    def inference(batch: int) -> Callable[[], Any]:
        x = torch.randn(batch, 784, generator=torch.Generator().manual_seed(0))

        def call() -> Any:
            with torch.inference_mode():
                return model(x)

        return call

    calls = {f"batch {batch}": inference(batch) for batch in BATCHES}
    return {"step": cost.torch_step(name), **calls}


def _keras_calls(name: str) -> dict[str, Callable[[], Any]]:
    from actlab.frameworks.keras import start

    start()
    import keras
    import tensorflow as tf

    layers: list[Any] = []
    for units in cost.HIDDEN:  # a layer each: PReLU's slopes belong to one place
        layers += [keras.layers.Dense(units), catalog.get(name).keras()]
    layers = [x if isinstance(x, keras.Layer) else keras.layers.Activation(x) for x in layers]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((cost.BATCH, 784)).astype(np.float32)
    y = rng.integers(0, 10, cost.BATCH)
    compiled = tf.function(lambda inputs: model(inputs, training=False))

    def inference(batch: int) -> Callable[[], Any]:
        inputs = tf.constant(x[:batch])
        return lambda: compiled(inputs).numpy()

    calls = {f"batch {batch}": inference(batch) for batch in BATCHES}
    return {"step": lambda: model.train_on_batch(x, y), **calls}


def cost_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Time relative to ReLU's in the same round: one row per framework, activation and task.

    The median over the rounds, which a busy moment cannot move, with its bootstrap interval.
    """
    import pandas as pd

    keys = ["framework", "what", "round"]
    wide = table.pivot(index=keys, columns="activation", values="seconds")
    ratio = wide.div(wide["relu"], axis=0).drop(columns="relu")
    rng = np.random.default_rng(0)
    rows = []
    for (framework, what), part in ratio.groupby(["framework", "what"], sort=False):
        for name in part.columns:
            drawn = rng.choice(part[name].to_numpy(), (2_000, len(part)))
            low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
            rows.append((framework, what, name, part[name].median(), low, high))
    columns = ["framework", "what", "activation", "median", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _latency(seed: int) -> Evidence:
    """Inference with Leaky ReLU relative to ReLU; the root seeds are halves of the rounds."""
    table = study.load("leaky_cost")
    ratios = cost_ratios(table[table["round"] % 2 == seed % 2])
    evidence: dict[str, Any] = {"inference": {}, "step": {}}
    for row in ratios.itertuples():
        where = f"{'PyTorch' if row.framework == 'torch' else 'Keras'}, {row.what}"
        if row.activation == "leaky_relu" and row.what != "step":
            evidence["inference"][where] = [row.median, row.low, row.high]
        if row.what == "step":
            evidence["step"][f"{where}, {row.activation}"] = row.median
    return evidence


def _decide_latency(evidence: Evidence) -> tuple[Verdict, str]:
    times = evidence["inference"]
    fast = [where for where, (_, _, high) in times.items() if high < 1.05]
    slow = [where for where, (_, low, _) in times.items() if low > 1.05]
    numbers = "; ".join(
        f"{where} {mean:.2f} [{low:.2f}, {high:.2f}]" for where, (mean, low, high) in times.items()
    )
    text = f"Inference with Leaky ReLU, in times that of ReLU: {numbers}."
    if len(fast) == len(times):
        return "holds", text
    if len(slow) == len(times):
        return "refuted", text
    if fast:
        return "holds when …", f"… it is {' or '.join(fast)}. {text}"
    return "not shown", text


# --- The cheap claims ----------------------------------------------------------------------------


def _installed_defaults(seed: int) -> Evidence:
    """The default slopes, asked of the libraries themselves (the seed changes nothing)."""
    from actlab.frameworks.keras import start

    start()
    import keras

    places = {
        "torch.nn.LeakyReLU": torch.nn.LeakyReLU,
        "torch.nn.functional.leaky_relu": torch.nn.functional.leaky_relu,
        "keras.layers.LeakyReLU": keras.layers.LeakyReLU,
        "keras.activations.leaky_relu": keras.activations.leaky_relu,
    }
    return {
        path: float(inspect.signature(place).parameters["negative_slope"].default)
        for path, place in places.items()
    }


def _decide_typical(evidence: Evidence) -> tuple[Verdict, str]:
    same = [path for path, slope in evidence.items() if slope == 0.01]
    numbers = "; ".join(f"{path} {slope:g}" for path, slope in evidence.items())
    if len(same) == len(evidence):
        return "holds", f"Defaults: {numbers}."
    if same:
        return "holds when …", f"… you mean PyTorch. Defaults: {numbers}."
    return "refuted", f"Defaults: {numbers}."


def _rrelu_in_keras(seed: int) -> Evidence:
    """Names that sound like RReLU in Keras's public modules (the seed changes nothing)."""
    from actlab.frameworks.keras import start

    start()
    import keras

    modules = {"layers": keras.layers, "activations": keras.activations, "ops": keras.ops}
    names = [f"keras.{module}.{name}" for module, found in modules.items() for name in dir(found)]
    hits = [name for name in names if "rrelu" in name.lower() or "randomizedrelu" in name.lower()]
    return {"looked_at": len(names), "found": hits}


def _decide_rrelu_in_keras(evidence: Evidence) -> tuple[Verdict, str]:
    if evidence["found"]:
        return "refuted", f"There is {', '.join(evidence['found'])}."
    return "holds", (
        "None of the public names in keras.layers, keras.activations and keras.ops is an RReLU, "
        "in today's Keras either. The course has a recipe."
    )


CLAIMS = (
    Claim(
        id="leaky-typical-slope",
        statement="The slope of a leaky ReLU is typically 0.01.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment="The defaults of the two functions and two layers, read from the libraries.",
        rule=(
            "Holds if all four defaults are 0.01; holds when … for the framework where they are; "
            "refuted if none is."
        ),
        measure=_installed_defaults,
        decide=_decide_typical,
        otherwise={"torch.nn.LeakyReLU": 0.01, "keras.layers.LeakyReLU": 0.01},
    ),
    Claim(
        id="leaky-latency",
        statement="Leaky ReLU is a good option if runtime latency is a priority.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment=(
            "A 784-[512, 256, 256, 128]-10 network on the CPU, inference of 1 and of 256 "
            "examples in both frameworks; 120 interleaved rounds, the fastest of five calls each, "
            "relative to ReLU's in the same round; medians with bootstrap intervals."
        ),
        rule=(
            "Holds if in all four cases it takes less than 5 % longer than ReLU (upper end of the "
            "95 % interval), holds when … in some, refuted if in all it takes more (lower end)."
        ),
        measure=_latency,
        decide=_decide_latency,
        otherwise={
            "inference": {"PyTorch, batch 1": [1.5, 1.4, 1.6], "Keras, batch 1": [1.5, 1.4, 1.6]},
            "step": {},
        },
        cheap=False,
    ),
    Claim(
        id="prelu-decay-scale",
        statement=(
            "Under decay learned slopes grow to make up for shrinking weights; where the size of "
            "a signal does not matter, decay makes them smaller."
        ),
        source="our explanation of what decay did to the slopes",
        chapter=CHAPTER,
        experiment=(
            "Digits, five hidden layers with batch norm before each PReLU, SGD with decay 0.01 on "
            "everything against none, 20 seeds, paired: change of the learned slopes."
        ),
        rule=(
            "Holds if the mean slope of layers 1 to 4 falls and that of layer 5, which no batch "
            "norm follows, rises (95 % intervals); refuted if that of layers 1 to 4 rises."
        ),
        measure=_decay_and_scale,
        decide=_decide_decay_and_scale,
        otherwise={"normalised": [0.1, 0.05, 0.15], "last": [0.1, 0.05, 0.15]},
    ),
    Claim(
        id="rrelu-not-in-keras",
        statement="Keras has no implementation of RReLU.",
        source=RRELU_DOCUMENT,
        chapter=CHAPTER,
        experiment="All public names of keras.layers, keras.activations and keras.ops.",
        rule="Holds if none of them is an RReLU; refuted by a single one.",
        measure=_rrelu_in_keras,
        decide=_decide_rrelu_in_keras,
        otherwise={"looked_at": 500, "found": ["keras.layers.RReLU"]},
    ),
)
