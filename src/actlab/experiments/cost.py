"""What an activation costs in time: alone, in a training step, and in inference.

Everything is timed in rounds in which the activations take turns, and compared within a round, so
that a busy moment hits all of them alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from actlab import catalog, inputs
from actlab.experiments.contest import listed
from actlab.experiments.roofline import FRAMEWORKS, keras_network, step_cell, torch_network
from actlab.experiments.timing import Call, in_turns, middle
from actlab.stats import Array, Interval
from actlab.study import Study, load, part_of
from actlab.trial import Case, Evidence, Level, Measured

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
        return step_cell(framework, "plain", NETWORK, **run)
    make = _torch_call if framework == "torch" else _keras_call
    made = {(name,): make(what, name) for name in activations}
    return in_turns(made, ("activation",), rounds, CALLS)


def _torch_call(what: str, name: str) -> Call:
    """The function forward and backward, or inference, in PyTorch, ready to be timed."""
    import torch

    generator = torch.Generator().manual_seed(0)
    if what == "function":
        function = catalog.get(name).torch()
        numbers = torch.randn(ELEMENTS, generator=generator, requires_grad=True)
        ones = torch.ones(ELEMENTS)
        return lambda: torch.autograd.grad(function(numbers), numbers, ones)
    model = torch_network(NETWORK, catalog.get(name).torch, CLASSES).eval()
    x = torch.randn(int(what.removeprefix("batch ")), 784, generator=generator)

    def inference() -> Any:
        with torch.inference_mode():
            return model(x)

    return inference


def _keras_call(what: str, name: str) -> Call:
    """The same in Keras, compiled."""
    from actlab.frameworks.keras import start

    start()
    import tensorflow as tf

    if what == "function":
        function = catalog.get(name).keras()
        numbers = tf.random.stateless_normal((ELEMENTS,), seed=(0, 0))

        @tf.function  # type: ignore[untyped-decorator]
        def forward_and_backward() -> Any:
            with tf.GradientTape() as tape:
                tape.watch(numbers)
                outputs = function(numbers)
            return tape.gradient(outputs, numbers)

        return lambda: forward_and_backward().numpy()[:1]
    model = keras_network(NETWORK, catalog.get(name).keras, CLASSES)
    x = tf.random.stateless_normal((int(what.removeprefix("batch ")), 784), seed=(0, 0))
    compiled = tf.function(lambda batch: model(batch, training=False))
    return lambda: compiled(x).numpy()


ACTIVATION_COST = Study(
    name="activation_cost",
    title="Ten activations alone and in a training step",
    task=timing_cell,
    axes={"framework": tuple(FRAMEWORKS), "what": ("function", "step")},
    settings={
        "activations": (
            *("relu", "leaky_relu", "elu", "selu", "gelu", "silu"),
            *("mish", "softplus", "tanh", "sigmoid"),
        ),
        "rounds": 80,
    },
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


def relative(
    table: pd.DataFrame, framework: str, what: str, over: str = "relu"
) -> dict[str, Array]:
    """Seconds over those of ``over`` in the same round: activation → array (rounds,)."""
    part = part_of(table, framework=framework, what=what)
    wide = part.pivot(index="round", columns="activation", values="seconds")
    return {str(name): (wide[name] / wide[over]).to_numpy() for name in wide.columns}


@dataclass(frozen=True)
class Extra:
    """How much more time activations take than others: what a claim about speed asks.

    - ``of``: the activations in question; of several, the median one in each round counts.
    - ``over``: those they are compared with, one by one; ``tasks``: see ``TASKS``.

    The quantity is in per cent; the cases are framework × task × rival (a factor of one level is
    left out). Raises ``ValueError`` for an activation or a task that the study does not time.
    """

    study: Study
    of: tuple[str, ...]
    tasks: tuple[str, ...]
    over: tuple[str, ...] = ("relu",)

    quantity = "extra time"
    cheap = False
    scope = "Both frameworks on one CPU, float32 · a network of four hidden layers"

    def __post_init__(self) -> None:
        for name in (*self.of, *self.over):
            inputs.choice(
                name, f"activation of {self.study.name}", self.study.settings["activations"]
            )
        for task in self.tasks:
            inputs.choice(task, f"task of {self.study.name}", self.study.axes["what"])

    def __call__(self, root: int, level: Level) -> Evidence:
        """``root`` 0 looks at all rounds; each other one leaves another fifth of them out."""
        table = load(self.study.name)
        table = table[table["round"] % 5 != root - 1] if root else table
        levels = {"framework": tuple(FRAMEWORKS), "task": self.tasks, "rival": self.over}
        factors = tuple(name for name, several in levels.items() if len(several) > 1)
        places = list(itertools.product(*levels.values()))
        cases: dict[Case, Interval] = {}
        for framework, what, rival in places:
            times = relative(table, framework, what, rival)
            extra = 100 * (np.median([times[name] for name in self.of], axis=0) - 1)
            titles = {"framework": FRAMEWORKS[framework], "task": TASKS[what]}
            titles["rival"] = catalog.get(rival).title
            cases[tuple(titles[name] for name in factors)] = middle(extra, level(len(places)))
        return {self.quantity: Measured(cases, factors)}

    def words(self) -> str:
        """The experiment in prose."""
        ours, theirs = (
            listed(catalog.get(name).title for name in names) for names in (self.of, self.over)
        )
        tasks = listed(TASKS[what] for what in self.tasks)
        which = "the median one of " if len(self.of) > 1 else ""
        return (
            f"How much more time {which}{ours} takes than {theirs} in the same round, both "
            f"frameworks, on a CPU: {tasks}. The function is timed forward and backward over a "
            "million numbers; steps and inference in a 784-[512, 256, 256, 128]-10 network. "
            "Means of the middle half of the rounds, with bootstrap intervals."
        )
