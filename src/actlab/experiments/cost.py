"""What an activation costs in time: alone, in a training step, and in inference.

Everything is timed in rounds in which the activations take turns, and compared within a round, so
that a busy moment hits all of them alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.experiments.timing import Call, in_turns, middle
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

FRAMEWORKS = {"torch": "PyTorch", "keras": "Keras"}
TASKS = {
    "function": "the function alone",
    "step": "a training step",
    "batch 1": "inference of 1 example",
    "batch 256": "inference of 256 examples",
}
ELEMENTS = 1_000_000
# The network of UvA's tutorial 3, the baseline of several chapters, and its batch.
HIDDEN, BATCH = (512, 256, 256, 128), 256
CALLS = 5  # of which the fastest counts


def timing_cell(
    framework: str, what: str, *, activations: Sequence[str], rounds: int
) -> pd.DataFrame:
    """Seconds per call of one task: one row per round and activation."""
    make = _torch_call if framework == "torch" else _keras_call
    made = {(name,): make(what, name) for name in activations}
    return in_turns(made, ("activation",), rounds, CALLS)


def _torch_call(what: str, name: str) -> Call:
    """A task in PyTorch, ready to be timed."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(0)
    if what == "function":
        function = catalog.get(name).torch()
        numbers = torch.randn(ELEMENTS, generator=generator, requires_grad=True)
        ones = torch.ones(ELEMENTS)
        return lambda: torch.autograd.grad(function(numbers), numbers, ones)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise((784, *HIDDEN)):
        layers += [nn.Linear(a, b), catalog.get(name).torch()]
    model = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 10)).train(what == "step")
    x = torch.randn(_batch(what), 784, generator=generator)

    def inference() -> Any:
        with torch.inference_mode():
            return model(x)

    if what != "step":
        return inference
    y = torch.randint(10, (len(x),), generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _keras_call(what: str, name: str) -> Call:
    """The same task in Keras, compiled."""
    from actlab.frameworks.keras import start

    start()
    import keras
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
    layers: list[Any] = []
    for units in HIDDEN:  # a layer each: PReLU's slopes belong to one place
        made = catalog.get(name).keras()
        made = made if isinstance(made, keras.Layer) else keras.layers.Activation(made)
        layers += [keras.layers.Dense(units), made]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10)])
    rng = np.random.default_rng(0)
    x = rng.standard_normal((_batch(what), 784)).astype(np.float32)
    if what != "step":
        inputs = tf.constant(x)
        compiled = tf.function(lambda batch: model(batch, training=False))
        return lambda: compiled(inputs).numpy()
    y = rng.integers(0, 10, len(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
    return lambda: model.train_on_batch(x, y)


def _batch(what: str) -> int:
    return BATCH if what == "step" else int(what.removeprefix("batch "))


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
) -> dict[str, npt.NDArray[np.float64]]:
    """Seconds over those of ``over`` in the same round: activation → array (rounds,)."""
    part = table[(table.framework == framework) & (table.what == what)]
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
        for known, given, what in (
            (self.study.settings["activations"], (*self.of, *self.over), "activation"),
            (self.study.axes["what"], self.tasks, "task"),
        ):
            for name in given:
                if name not in known:
                    raise ValueError(
                        f"{self.study.name} times no {what} {name!r}: it has {', '.join(known)}."
                    )

    def __call__(self, root: int, level: Level) -> Evidence:
        """``root`` 0 looks at all rounds; each other one leaves another fifth of them out."""
        table = load(self.study.name)
        table = table[table["round"] % 5 != root - 1] if root else table
        levels = {"framework": tuple(FRAMEWORKS), "task": self.tasks, "rival": self.over}
        factors = tuple(name for name, several in levels.items() if len(several) > 1)
        combinations = list(itertools.product(*levels.values()))
        cases: dict[Case, Interval] = {}
        for framework, what, rival in combinations:
            times = relative(table, framework, what, rival)
            extra = 100 * (np.median([times[name] for name in self.of], axis=0) - 1)
            titles = (FRAMEWORKS[framework], TASKS[what], catalog.get(rival).title)
            words = dict(zip(levels, titles, strict=True))
            cases[tuple(words[name] for name in factors)] = middle(extra, level(len(combinations)))
        return {self.quantity: Measured(cases, factors)}

    def words(self) -> str:
        """The experiment in prose."""
        ours, theirs, tasks = (
            " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
            for names in (
                [catalog.get(name).title for name in self.of],
                [catalog.get(name).title for name in self.over],
                [TASKS[what] for what in self.tasks],
            )
        )
        which = "the median one of " if len(self.of) > 1 else ""
        return (
            f"How much more time {which}{ours} takes than {theirs} in the same round, both "
            f"frameworks, on a CPU: {tasks}. The function is timed forward and backward over a "
            "million numbers; steps and inference in a 784-[512, 256, 256, 128]-10 network. "
            "Means of the middle half of the rounds, with bootstrap intervals."
        )
