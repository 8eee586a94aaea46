"""What passes through networks that nobody has trained: signals on the way up, gradients down.

Networks are drawn by :func:`draw`; :func:`signals` says what every layer does with the inputs,
:func:`weight_gradients` and :func:`output_gradients` what comes back: all (seeds, layers).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actlab import data
from actlab.stats import Array

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from actlab.ensemble import Networks
    from actlab.ensemble.network import Mode

BATCH = 64  # inputs at a time: twenty networks of fifty layers then take 140 MB


def centred_orthogonal(shape: tuple[int, int], generator: Generator) -> Tensor:
    """Orthogonal weights × 4 whose rows sum to zero: a sigmoid network that starts as a tanh one.

    σ(z) = (1 + tanh(z/2)) / 2. The weights of the next layer meet the constant 1/2 with their
    row sum; where that is zero the layer sees tanh(z/2) / 2, whose slope at 0 is 1/4.
    """
    import torch

    from actlab.ensemble import INITIALISERS

    u = torch.rand(shape, generator=generator, dtype=torch.float64)
    weight = INITIALISERS["orthogonal"][0](u, 1.0)
    return 4 * (weight - weight.mean(1, keepdim=True))


STARTS: dict[str, dict[str, Any]] = {
    "PyTorch default": {"init": "torch"},
    "Glorot": {"init": "glorot_normal"},
    "LeCun": {"init": "lecun_normal"},
    "orthogonal": {"init": "orthogonal"},
    "He": {"init": "he_normal"},
}
"""The settings that belong to :data:`actlab.theory.STARTS`."""


def digits(count: int = 256) -> tuple[Array, npt.NDArray[np.int64]]:
    """The first training digits, each scaled to a mean square of 1: (count, 64) and labels."""
    some = data.load("digits")
    x = some.x_train[:count].astype(np.float64)
    return x / np.sqrt((x**2).mean(1, keepdims=True)), some.y_train[:count]


def draw(
    seeds: Iterable[int], *, features: int = 64, dtype: str = "float64", **settings: Any
) -> Networks:
    """One untrained network of ten classes per seed; ``settings`` of :func:`actlab.ensemble.train`.

    In float64: through fifty sigmoid layers a gradient shrinks below the smallest float32.
    """
    import torch

    from actlab.ensemble import Networks, Settings

    drawn = tuple(seeds)
    arms = [Settings(**settings)] * len(drawn)
    kind, cpu = getattr(torch, dtype), torch.device("cpu")
    return Networks(arms, drawn, features, 10, dtype=kind, device=cpu)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Cores that split operations as small as these wait for each other after every one."""
    import torch

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)


@one_core()
def outputs(networks: Networks, x: Any, mode: Mode = "observe") -> list[Tensor]:
    """What each hidden layer hands on to the next, skip connections and dropout included.

    ``x`` (samples, features); per layer (networks, samples, units), in memory that the next call
    overwrites. Units are dropped in the ``mode`` ``"train"`` alone.
    """
    import torch

    rows = torch.as_tensor(x, dtype=networks.dtype)
    networks.forward(rows.mT.expand(len(networks), -1, -1), mode)
    return [linear.inputs.mT for linear in networks.linears[1:]]


class Signals(NamedTuple):
    """What enters each layer's activation over all inputs; (seeds, layers) each."""

    spread: Array  # from input to input: root mean square of the units' standard deviations
    offset: Array  # from zero: root mean square of the units' means
    dead: Array  # share of units for which it is ≤ 0 for every input
    always_on: Array  # and > 0 for every input, where a rectifier is the identity


@one_core()
def signals(networks: Networks, x: Any) -> Signals:
    """Pass inputs ``x`` (samples, features) through."""
    import torch

    from actlab import probes

    inside, firing = probes.ActivationStats(), probes.ActivationStats()
    for rows in torch.split(torch.as_tensor(x), BATCH):
        outputs(networks, rows)
        inside.update(block.preactivation.mT for block in networks.hidden)
        firing.update((block.preactivation.mT > 0).float() for block in networks.hidden)
    columns = (
        [layer.variance.mean(1).sqrt() for layer in inside.result()],
        [layer.mean.square().mean(1).sqrt() for layer in inside.result()],
        [(layer.mean == 0).double().mean(1) for layer in firing.result()],
        [(layer.mean == 1).double().mean(1) for layer in firing.result()],
    )
    return Signals(*(torch.stack(column, 1).numpy() for column in columns))


@one_core()
def weight_gradients(networks: Networks, x: Any, y: npt.ArrayLike) -> Array:
    """Gradient norm of each hidden layer's weights for one example, root mean square over all.

    Of the cross-entropy behind a softmax; ``x`` (examples, features), ``y`` (examples,).
    """
    import torch

    from actlab.ensemble.network import cross_entropy

    x, labels = torch.as_tensor(x, dtype=networks.dtype), torch.as_tensor(y)
    total = torch.zeros(len(networks.hidden), len(networks), dtype=torch.float64)
    for rows, wanted in zip(torch.split(x, BATCH), torch.split(labels, BATCH), strict=True):
        with torch.inference_mode():
            logits = networks.forward(rows.mT.expand(len(networks), -1, -1), "observe")
            _, g = cross_entropy(logits, wanted.expand(len(networks), -1))
            g = networks.output.backward(g * len(rows), 0.0)
            for layer, block in reversed([*enumerate(networks.hidden)]):
                skip = g.clone()
                for part in reversed(block.parts[1:]):
                    g = part.backward(g, 0.0)
                # One example's gradient is the outer product of these two.
                squares = g.square().sum(1) * block.linear.inputs.square().sum(1)
                total[layer] += squares.sum(1)
                g = block.linear.backward(g, 0.0)
                g = g + skip if block.residual else g
    return (total / len(labels)).sqrt().T.numpy()


@one_core()
def output_gradients(networks: Networks, x: Any, seed: int = 0) -> Array:
    """Norm of the gradient that comes back to each layer's outputs, over units and inputs.

    Of a random linear read-out of the last layer. (Gradients of the *weights* hide a signal that
    fades on the way up: in a ReLU network they are of one size in all layers, because where the
    error is smaller the inputs are larger by as much.)
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(len(networks.hidden), len(networks), dtype=torch.float64)
    for rows in torch.split(torch.as_tensor(x), BATCH):
        last = outputs(networks, rows)[-1].mT
        g = torch.randn(last.shape, generator=generator, dtype=torch.float64).to(last.dtype)
        with torch.inference_mode():
            for layer, block in reversed([*enumerate(networks.hidden)]):
                total[layer] += g.double().square().sum((1, 2))
                g = block.backward(g, 0.0)
    return total.sqrt().T.numpy()


def decades(norms: Array) -> Array:
    """log10 of gradient norms (seeds, layers), relative to the last layer's."""
    return np.asarray(np.log10(norms / norms[:, -1:]))
