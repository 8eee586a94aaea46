"""What an activation costs in time: alone, in a training step, and in inference.

Everything is timed in rounds in which the activations take turns, and compared within a round, so
that a busy moment hits all of them alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from actlab import catalog, inputs
from actlab.experiments import roofline
from actlab.experiments.contest import listed
from actlab.experiments.roofline import FRAMEWORKS
from actlab.experiments.timing import Call, in_turns, middle
from actlab.stats import Interval
from actlab.study import Study
from actlab.trial import Case, Evidence, Experiment, Level, Measured, experiment

TASKS = {
    "function": "the function alone",
    "step": "a training step",
    "batch 1": "inference of 1 example",
    "batch 256": "inference of 256 examples",
}
NETWORK, CLASSES = "fully connected", 10  # that of UvA's tutorial 3
ELEMENTS = 1_000_000
CALLS = 5  # of which the fastest counts


def timing_cell(
    framework: str, what: str, *, activations: Sequence[str], rounds: int
) -> pd.DataFrame:
    """Seconds per call of one task: one row per round and activation."""
    if what == "step":
        run: dict[str, Any] = {"activations": activations, "rounds": rounds, "calls": CALLS}
        return roofline.step_cell(framework, "plain", NETWORK, **run)
    make = _torch_call if framework == "torch" else _keras_call
    made = {(name,): make(what, name) for name in activations}
    return in_turns(made, ("activation",), rounds, CALLS)


def _torch_call(what: str, name: str) -> Call:
    """The function forward and backward, or inference, in PyTorch, ready to be timed."""
    import torch

    if what == "function":
        return roofline.torch_functions(name, (ELEMENTS,), "float32", False, "cpu")[1]
    model = roofline.torch_network(NETWORK, catalog.get(name).torch, CLASSES).eval()
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(int(what.removeprefix("batch ")), 784, generator=noise)

    return torch.inference_mode()(lambda: model(x))


def _keras_call(what: str, name: str) -> Call:
    """The same in Keras, compiled."""
    from actlab.frameworks.keras import start

    start()
    import tensorflow as tf

    if what == "function":
        _, both = roofline.keras_functions(name, (ELEMENTS,), "float32", False, "cpu")
        traced = tf.function(both)
        return lambda: traced().numpy()[:1]
    model = roofline.keras_network(NETWORK, catalog.get(name).keras, CLASSES)
    x = tf.random.stateless_normal((int(what.removeprefix("batch ")), 784), seed=(0, 0))
    compiled = tf.function(lambda batch: model(batch, training=False))
    return lambda: compiled(x).numpy()


ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
    *("mish", "softplus", "tanh", "sigmoid"),
)
ACTIVATION_COST = Study(
    name="activation_cost",
    title="Ten activations alone and in a training step",
    task=timing_cell,
    axes={"framework": tuple(FRAMEWORKS), "what": ("function", "step")},
    settings={"activations": ACTIVATIONS, "rounds": 80},
    quiet=True,
)
LEAKY_COST = Study(
    name="leaky_cost",
    title="ReLU and three leaky relatives in a training step and in inference",
    task=timing_cell,
    axes={"framework": tuple(FRAMEWORKS), "what": ("step", "batch 1", "batch 256")},
    settings={"activations": ("relu", "leaky_relu", "prelu", "rrelu"), "rounds": 120},
    quiet=True,
)
STUDIES = (ACTIVATION_COST, LEAKY_COST)

EXTRA = "extra time"


def extra(
    study: Study, of: tuple[str, ...], tasks: tuple[str, ...], over: tuple[str, ...] = ("relu",)
) -> Experiment:
    """How much more time activations take than others, in per cent: what a claim about speed asks.

    - ``of``: the activations in question; of several, the median one in each round counts.
    - ``over``: those they are compared with, one by one; ``tasks``: see ``TASKS``.

    The cases are framework × task × rival (a factor of one level is left out). Raises
    ``ValueError`` for an activation or a task that the study does not time.
    """
    for name in (*of, *over):
        inputs.choice(name, f"activation of {study.name}", study.settings["activations"])
    for task in tasks:
        inputs.choice(task, f"task of {study.name}", study.axes["what"])
    ours, theirs = (listed(catalog.get(name).title for name in names) for names in (of, over))
    which = "the median one of " if len(of) > 1 else ""

    @experiment(
        f"How much more time {which}{ours} takes than {theirs} in the same round, both "
        f"frameworks, on a CPU: {listed(TASKS[task] for task in tasks)}. The function is timed "
        "forward and backward over a million numbers; steps and inference in a 784-[512, 256, "
        "256, 128]-10 network. Means of the middle half of the rounds, with bootstrap intervals.",
        "Both frameworks on one CPU, float32 · a network of four hidden layers",
        study.name,
    )
    def measure(root: int, level: Level) -> Evidence:
        index = ["framework", "what", "round"]
        table = roofline.rounds_of(study.name, root)
        seconds = table.pivot(index=index, columns="activation", values="seconds")
        places = list(itertools.product(FRAMEWORKS, tasks, over))
        told = (True, len(tasks) > 1, len(over) > 1)
        cases: dict[Case, Interval] = {}
        for framework, task, rival in places:
            here = seconds.loc[framework, task]
            times = np.median(here[list(of)].div(here[rival], axis=0), axis=1)
            names = (FRAMEWORKS[framework], TASKS[task], catalog.get(rival).title)
            case = tuple(itertools.compress(names, told))
            cases[case] = middle(100 * (times - 1), level(len(places)))
        factors = tuple(itertools.compress(("framework", "task", "rival"), told))
        return {EXTRA: Measured(cases, factors)}

    return measure
