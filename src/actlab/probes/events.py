"""What an observer reports while a model runs, and gathering it over batches."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from actlab.probes.batches import leaves
from actlab.probes.flow import Flow
from actlab.probes.identify import Known
from actlab.probes.statistics import LayerStats

Role = Literal["activation", "weights", "recurrent"]


@dataclass(frozen=True)
class Event:
    """One call of one layer (or activation function), as an observer saw it.

    ``output`` and ``input``: (1, samples · positions, units). ``flat``: how many of the inputs lie
    where the activation has gone flat, and of how many; ``None`` where that is not known.
    ``owner``: the module or layer.
    """

    name: str
    kind: str
    role: Role
    output: Tensor
    known: Known | None = None
    input: Tensor | None = None
    flat: tuple[float, int] | None = None
    owner: Any = None


@dataclass
class Layer:
    """All that was seen of one layer, over calls and batches."""

    name: str
    kind: str
    role: Role
    known: Known | None
    stats: LayerStats
    flat: tuple[float, int] | None
    owner: Any

    @property
    def saturated(self) -> float | None:
        """The share of its inputs that lie where it has gone flat; NaN where they hold a NaN."""
        return None if self.flat is None else self.flat[0] / self.flat[1]


@dataclass
class Sight:
    """What a model showed: its layers in the order in which they ran, and what was not seen.

    ``output``: the activations that feed the model's output and no further weights.
    ``unseen``: name → why it was not looked at. ``linear``: pairs of layers with weights between
    which no activation was seen.
    """

    layers: dict[str, Layer] = field(default_factory=dict)
    output: set[str] = field(default_factory=set)
    unseen: dict[str, str] = field(default_factory=dict)
    linear: list[tuple[str, str]] = field(default_factory=list)

    @torch.no_grad()
    def add(self, event: Event) -> None:
        """Take in one event."""
        stats = LayerStats.of(event.output)
        if (seen := self.layers.get(event.name)) is None:
            self.layers[event.name] = Layer(
                event.name, event.kind, event.role, event.known, stats, event.flat, event.owner
            )
            return
        seen.stats = seen.stats.merge(stats)
        if seen.flat is not None and event.flat is not None:
            seen.flat = seen.flat[0] + event.flat[0], seen.flat[1] + event.flat[1]

    def end(self, flow: Flow) -> None:
        """Take in what the flow of one pass has shown."""
        names = {name for name, layer in self.layers.items() if layer.role == "activation"}
        self.output = names - flow.consumed
        self.linear = list(dict.fromkeys(flow.linear))
        self.unseen |= flow.unseen()

    def hidden(self) -> dict[str, Layer]:
        """The hidden activations."""
        return {
            name: layer
            for name, layer in self.layers.items()
            if layer.role == "activation" and name not in self.output
        }


@contextlib.contextmanager
def in_words(model: Any, x: Any) -> Iterator[None]:
    """Say what was going on when a model raises."""
    try:
        yield
    except Exception as error:
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in leaves(x))
        raise ValueError(
            f"the model {type(model).__name__} could not be run on inputs of shape {shapes}: "
            f"{type(error).__name__}: {error}"
        ) from error


def numbered(name: str, calls: Counter[str]) -> str:
    """The name itself the first time; then with a number: ``dense:2``."""
    calls[name] += 1
    return name if calls[name] == 1 else f"{name}:{calls[name]}"


def flat_count(value: Tensor, known: Known | None) -> tuple[float, int] | None:
    """How many numbers lie where the activation has gone flat (NaN if one of them is NaN)."""
    if known is None or not known.of_a_unit or (ends := known.flat) is None:
        return None
    value = value.detach().double()
    flat = ((value <= ends[0]) | (value >= ends[1])).sum()
    return (float("nan") if bool(value.isnan().any()) else float(flat)), value.numel()


def say_unseen(unseen: Mapping[str, str]) -> None:
    """One warning that names what was not looked at, and why."""
    if unseen:
        said = "; ".join(f"{name} ({why})" for name, why in unseen.items())
        warnings.warn(f"not looked at: {said}", stacklevel=3)
