"""What :mod:`actlab.experiments.cost` replaces, for the chapters that have not moved."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import catalog

if TYPE_CHECKING:
    import pandas as pd

ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid"),
)
ROUNDS = 40
ELEMENTS = 1_000_000
# The network of UvA's tutorial 3, the baseline of several chapters, and its batch.
HIDDEN = (512, 256, 256, 128)
BATCH = 256


def study() -> pd.DataFrame:
    """Seconds per call, in interleaved rounds so that a busy moment hits every activation alike.

    ``what`` is ``"function"`` (forward and backward over a million float32) or ``"step"`` (one
    training step of the 784-[512, 256, 256, 128]-10 network, batch 256, plain SGD).
    """
    import pandas as pd

    timers: dict[tuple[str, str, str], Callable[[], Any]] = {}
    for name in ACTIVATIONS:
        timers["torch", "function", name] = _torch_function(name)
        timers["keras", "function", name] = _keras_function(name)
        timers["torch", "step", name] = torch_step(name)
        timers["keras", "step", name] = _keras_step(name)
    for timer in timers.values():  # tracing, allocation and first touch are not what we ask
        for _ in range(3):
            timer()
    rows = []
    for round_ in range(ROUNDS):
        for (framework, what, name), timer in timers.items():
            repeats = 5
            started = time.perf_counter()
            for _ in range(repeats):
                timer()
            seconds = (time.perf_counter() - started) / repeats
            rows.append((framework, what, name, round_, seconds))
    columns = ["framework", "what", "activation", "round", "seconds"]
    return pd.DataFrame(rows, columns=columns)


def ratios(
    table: pd.DataFrame, framework: str, what: str, to: str = "relu"
) -> dict[str, npt.NDArray[np.float64]]:
    """Seconds relative to those of ``to`` in the same round, activation → array (rounds,)."""
    part = table[(table.framework == framework) & (table.what == what)]
    wide = part.pivot(index="round", columns="activation", values="seconds")
    return {name: (wide[name] / wide[to]).to_numpy() for name in ACTIVATIONS}


def _torch_function(name: str) -> Callable[[], Any]:
    import torch

    function = catalog.get(name).torch()
    x = torch.randn(ELEMENTS, generator=torch.Generator().manual_seed(0), requires_grad=True)
    ones = torch.ones(ELEMENTS)
    return lambda: torch.autograd.grad(function(x), x, ones)


def _keras_function(name: str) -> Callable[[], Any]:
    function = catalog.get(name).keras()
    import tensorflow as tf

    x = tf.random.stateless_normal((ELEMENTS,), seed=(0, 0))

    @tf.function  # type: ignore[untyped-decorator]
    def forward_and_backward() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    return lambda: forward_and_backward().numpy()[:1]


def torch_step(name: str) -> Callable[[], Any]:
    """One training step of a small network with this activation in PyTorch, ready to be timed."""
    import itertools

    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, 784, generator=generator)
    y = torch.randint(10, (BATCH,), generator=generator)
    sizes = (784, *HIDDEN)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), catalog.get(name).torch()]
    model = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 10)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _keras_step(name: str) -> Callable[[], Any]:
    from actlab.frameworks.keras import start

    start()
    import keras

    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, 784)).astype(np.float32)
    y = rng.integers(0, 10, BATCH)
    function = catalog.get(name).keras()
    hidden = [keras.layers.Dense(units, activation=function) for units in HIDDEN]
    model = keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
    return lambda: model.train_on_batch(x, y)
