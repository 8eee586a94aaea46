"""What a card has besides the curve: a start by theory, the cost, and a small fair trial."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data, ensemble, theory
from actlab.catalog import Activation, Properties
from actlab.catalog.record import Origin
from actlab.experiments.contest import PATIENCE, SEEDS, SPLITS, TUNING_SEEDS, floor, over_splits
from actlab.experiments.together import shared
from actlab.report.card import Cost, Duel, Start, Trial
from actlab.report.subject import Subject

Array = npt.NDArray[np.float64]
Say = Callable[[str], None]

# --- Start ----------------------------------------------------------------------------------------

DEPTH, FAR = 10, 100  # where units are counted, and where gradients have settled


def as_record(subject: Subject, found: Properties) -> Activation:
    """The subject in the form in which the theory and the pictures take it."""
    return Activation(
        name=subject.name,
        title=subject.name,
        family="brought",
        summary="",
        formula="",
        origin=Origin("", "", ""),
        forward=subject.values,
        backward=subject.slopes,
        describe=lambda: found,
    )


def start(record: Activation) -> Start:
    """The critical gain, or else the one that keeps the size of the signal, and what comes of it.

    Raises ``ValueError`` where values or slopes are not finite for ordinary input.
    """
    gain, why = _gain(record)
    starts = {
        "LeCun": theory.Start(1.0),
        "He": theory.Start(2.0),
        f"LeCun × {gain:.4g}": theory.Start(gain**2),
    }
    decades, dead = {}, {}
    for name, own in starts.items():
        with np.errstate(all="ignore"):
            try:
                decades[name] = theory.layers(record, own, FAR).decades_per_layer
                dead[name] = float(theory.together(record, own, DEPTH).dead[-1])
            except (ValueError, OverflowError):  # the signal has grown beyond all numbers
                decades[name], dead[name] = math.inf, 0.0
    return Start(gain, why, decades, dead)


def _gain(record: Activation) -> tuple[float, str]:
    from scipy.optimize import brentq

    try:
        return theory.critical_gain(record), "gradients keep their size however deep the network"
    except ValueError:
        pass

    def excess(gain: float) -> float:
        return theory.normal_mean(lambda z: record.reference(z) ** 2, gain**2) - 1

    grid = np.geomspace(0.1, 30, 25)
    with np.errstate(all="ignore"):
        signs = [excess(g) for g in grid]
    for low, high, a, b in zip(grid, grid[1:], signs, signs[1:], strict=False):
        if a < 0 <= b < math.inf:
            gain = float(brentq(excess, low, high))
            return gain, "the signal keeps its size; no gain keeps that of the gradients"
    return 1.0, "no gain between 0.1 and 30 keeps the size of the signal or of the gradients"


# --- Cost -----------------------------------------------------------------------------------------

ELEMENTS, ROUNDS = 2**18, 21
CALLS = 5  # of which the fastest counts: a busy moment says nothing about a function


def cost(subject: Subject, elements: int = ELEMENTS, rounds: int = ROUNDS) -> list[Cost]:
    """Time on ``elements`` float32 numbers against ReLU's, the two by turns."""
    ours, relu = subject.function, catalog.get("relu")
    theirs = relu.torch() if subject.framework == "torch" else relu.keras()
    make = _torch_tasks if subject.framework == "torch" else _keras_tasks
    found = []
    tasks = [make(function, elements) for function in (ours, theirs)]
    for task in tasks[0]:
        calls = [own[task] for own in tasks]
        for call in calls * 3:
            call()
        ratios = []
        for i in range(rounds):
            seconds = {}
            for which in (0, 1) if i % 2 else (1, 0):
                seconds[which] = min(_seconds(calls[which]) for _ in range(CALLS))
            ratios.append(seconds[0] / seconds[1])
        low, median, high = statistics.quantiles(ratios, n=4)
        found.append(Cost(task, median, low, high))
    return found


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _torch_tasks(function: Callable[..., Any], elements: int) -> dict[str, Callable[[], Any]]:
    import torch

    x = torch.randn(elements, generator=torch.Generator().manual_seed(0))
    own, ones = x.clone().requires_grad_(), torch.ones(elements)

    def forward() -> Any:
        with torch.inference_mode():
            return function(x.clone())

    return {
        "forward": forward,
        "forward and backward": lambda: torch.autograd.grad(function(own * 1), own, ones),
    }


def _keras_tasks(function: Callable[..., Any], elements: int) -> dict[str, Callable[[], Any]]:
    import tensorflow as tf

    x = tf.random.stateless_normal((elements,), seed=(0, 0))

    @tf.function  # type: ignore[untyped-decorator]
    def forward() -> Any:
        return function(x)

    @tf.function  # type: ignore[untyped-decorator]
    def both() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, unconnected_gradients="zero")

    return {
        "forward": lambda: forward().numpy()[:1],
        "forward and backward": lambda: both().numpy()[:1],
    }


# --- Trial ----------------------------------------------------------------------------------------

RIVALS = ("relu", "gelu", "silu")
NETWORK: dict[str, Any] = {"hidden": (48,) * 4, "batch_size": 64, "init": "lecun_normal"}
# Data set → what is left of it, and how many epochs are tuned with.
DATA: dict[str, tuple[dict[str, Any], int]] = {
    "digits": ({}, 40),
    "mnist1d": ({"size": 2_000}, 40),
}
LONGEST = 200


def trial(
    subject: Subject,
    gain: float,
    threshold: tuple[float, float],
    say: Say = lambda _: None,
    *,
    datasets: Mapping[str, tuple[Mapping[str, Any], int]] = DATA,
    longest: int = LONGEST,
    patience: int = PATIENCE,
    memory: dict[tuple[str, str], tuple[float, Array]] | None = None,
) -> Trial:
    """Tune and train the subject and its rivals on every data set: 20 networks each.

    ``gain``: the factor on LeCun's start; the rivals have those that the theory gives them.
    ``threshold``: outside of these two inputs a unit hardly learns. ``say`` is told what is done.
    ``memory``: the rivals' learning rates and scores, for another trial of the same size.
    """
    arms: dict[str, dict[str, Any]] = {
        subject.name: {"activation": subject.trained(), "gain": gain},
        **{name: {"activation": name, "gain": _gain(catalog.get(name))[0]} for name in RIVALS},
    }
    accuracy: dict[str, dict[str, float]] = {}
    rates: dict[str, dict[str, float]] = {}
    stopped: dict[str, float] = {}
    duels: list[Duel] = []
    diverged = 0
    for place, (options, epochs) in datasets.items():
        splits = [data.load(place, seed=i, **options) for i in range(SPLITS)]
        scores: dict[str, Array] = {}
        rates[place], accuracy[place] = {}, {}
        for arm, own in arms.items():
            if memory and (place, arm) in memory:
                rates[place][arm], scores[arm] = memory[place, arm]
                accuracy[place][arm] = float(scores[arm].mean())
                continue
            say(f"{place}: {arm}")
            settings = {**NETWORK, **own}
            run: dict[str, Any] = {"patience": patience, "progress": False, "keep_weights": False}
            tuned = ensemble.fair_rate(
                splits,
                settings,
                range(1000, 1000 + TUNING_SEEDS),
                metric="valid_loss",
                epochs=epochs,
                **{**run, "patience": max(2, patience // 2)},
            )
            rates[place][arm] = tuned.rate
            watch: dict[str, Any] = {}
            if arm == subject.name and np.isfinite(threshold).any():
                watch = {"probe": _stopped(threshold)}
            found, shares = [], []
            for part in splits:
                if watch:
                    watch["probe_data"] = (part.x_train[:200], part.y_train[:200])
                result = ensemble.train(
                    part,
                    arms={arm: {**settings, "lr": tuned.rate}},
                    seeds=SEEDS,
                    epochs=longest,
                    **run,
                    **watch,
                )
                got = 100 * np.where(result.diverged, 1 / part.n_classes, result.test_accuracy)
                found.append(got)
                if arm == subject.name:
                    diverged += int(result.diverged.sum())
                if watch:
                    path = result.probe("stopped", arm)
                    shares += [row[np.isfinite(row)][-1] for row in path if np.isfinite(row).any()]
            scores[arm] = np.array(found)
            accuracy[place][arm] = float(scores[arm].mean())
            if memory is not None and arm in RIVALS:
                memory[place, arm] = rates[place][arm], scores[arm]
            if shares:
                stopped[place] = float(np.mean(shares))
        sure = shared(0.95, len(RIVALS))
        for rival in RIVALS:
            lead, _ = over_splits(scores[subject.name] - scores[rival], sure)
            duels.append(Duel(place, rival, lead, floor(scores[rival], sure)))
    networks = SPLITS * SEEDS * len(datasets)
    return Trial(accuracy, rates, duels, stopped, diverged, networks, method(patience))


def method(patience: int = PATIENCE) -> str:
    """How a trial is done, in words."""
    layers = NETWORK["hidden"]
    return (
        f"{len(layers)} layers of {layers[0]} units; every arm with its start by theory and a "
        f"learning rate chosen with {SPLITS * TUNING_SEEDS} other networks; {SPLITS} splits of the "
        f"data with {SEEDS} seeds each, trained until the validation loss has not improved for "
        f"{patience} epochs. The {len(RIVALS)} intervals of a data set hold together at 95 %."
    )


def _stopped(threshold: tuple[float, float]) -> Callable[..., dict[str, Any]]:
    low, high = threshold

    def stopped(snapshot: Any) -> dict[str, Any]:
        alive: list[Any] = []
        for batch in snapshot.batches(preactivations=True):
            learns = [((z > low) & (z < high)).any(1) for z in batch]
            alive = [a | b for a, b in zip(alive, learns, strict=True)] if alive else learns
        return {"stopped": 1 - sum(layer.float().mean(1) for layer in alive) / len(alive)}

    return stopped
