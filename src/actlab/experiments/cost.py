"""What an activation costs in time: alone, in a training step, and in inference.

Everything is timed in rounds in which the activations take turns, and compared within a round, so
that a busy moment hits all of them alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd

from actlab import catalog, inputs
from actlab.experiments import roofline
from actlab.experiments.contest import listed
from actlab.experiments.roofline import FRAMEWORKS
from actlab.experiments.timing import Call, in_turns, middle
from actlab.study import Study
from actlab.trial import Evidence, Experiment, Level, Measured, experiment

TASKS = {"function": "the function alone", "step": "a training step"}
TASKS |= {"batch 1": "inference of 1 example", "batch 256": "inference of 256 examples"}
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


def extra(study: Study, of: tuple[str, ...], tasks: tuple[str, ...]) -> Experiment:
    """How much more time than ReLU activations take, in per cent: what a claim about speed asks.

    ``of``: the activations in question; of several, the median one in each round counts.
    ``tasks``: see ``TASKS``; the cases are framework × task, or frameworks alone for one task.
    Raises ``ValueError`` for an activation or a task that the study does not time.
    """
    for name in of:
        inputs.choice(name, f"activation of {study.name}", study.settings["activations"])
    for task in tasks:
        inputs.choice(task, f"task of {study.name}", study.axes["what"])
    ours = listed(catalog.get(name).title for name in of)
    which = "the median one of " if len(of) > 1 else ""
    factors = ("framework", "task") if len(tasks) > 1 else ("framework",)

    @experiment(
        f"How much more time {which}{ours} takes than ReLU in the same round, both frameworks, on "
        f"a CPU: {listed(TASKS[task] for task in tasks)}. The function is timed forward and "
        "backward over a million numbers; steps and inference in a 784-[512, 256, 256, 128]-10 "
        "network. Means of the middle half of the rounds, with bootstrap intervals.",
        "Both frameworks on one CPU, float32 · a network of four hidden layers",
        study.name,
    )
    def measure(root: int, level: Level) -> Evidence:
        index, table = ["framework", "what", "round"], roofline.rounds_of(study.name, root)
        seconds = table.pivot(index=index, columns="activation", values="seconds")
        times = seconds[list(of)].div(seconds["relu"], axis=0).median(axis=1)
        sure = level(len(FRAMEWORKS) * len(tasks))
        cases = {
            (title, TASKS[task])[: len(factors)]: middle(100 * (times[name, task] - 1), sure)
            for (name, title), task in itertools.product(FRAMEWORKS.items(), tasks)
        }
        return {EXTRA: Measured.of(cases, *factors)}

    return measure
