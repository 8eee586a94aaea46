"""Where a signal comes from: what is known of a tensor while a model runs."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

USUAL = "*"


@dataclass(frozen=True)
class Trace:
    """What is known of one tensor.

    - ``axis``: of its units, counted from the end (-1: the last); ``None`` where unknown.
    - ``since``: the activations that lead here through no further weights.
    - ``source``: the layer with weights that it comes from, if there is one such layer and no
      activation since.
    - ``bent``: what has been done to it since that is not linear and no activation either:
      ``USUAL`` for attention, pooling or normalisation, else the operation's name.
    """

    axis: int | None = None
    since: frozenset[str] = frozenset()
    source: str | None = None
    bent: frozenset[str] = frozenset()


class Flow:
    """Traces of the tensors of one pass, and what follows from them.

    ``consumed``: the activations that some layer with weights has read. Those are the hidden
    ones; the others are the output layer's. ``linear``: pairs of layers with weights between
    which nothing bent the signal. ``bent``: pairs between which something did that is no
    activation function that we know, and what.
    """

    def __init__(self) -> None:
        self._traces: dict[int, tuple[Any, Trace]] = {}
        self.consumed: set[str] = set()
        self.linear: list[tuple[str, str]] = []
        self.bent: list[tuple[str, str, frozenset[str]]] = []
        self.latest: tuple[tuple[int, ...], Trace] | None = None

    def of(self, tensor: Any) -> Trace | None:
        """What is known of a tensor; ``None`` if it was never met."""
        reference, trace = self._traces.get(id(tensor), (None, None))
        return trace if reference is not None and reference() is tensor else None

    def put(self, tensor: Any, trace: Trace) -> None:
        """File what is known of a tensor."""
        self._traces[id(tensor)] = (weakref.ref(tensor), trace)
        self.latest = (tuple(tensor.shape), trace)

    @staticmethod
    def join(traces: Iterable[Trace | None]) -> Trace:
        """What is known of a result made from several tensors, its axis apart."""
        known = [trace for trace in traces if trace is not None]
        sources = {trace.source for trace in known}
        return Trace(
            since=frozenset[str]().union(*(trace.since for trace in known)),
            source=sources.pop() if len(sources) == 1 else None,
            bent=frozenset[str]().union(*(trace.bent for trace in known)),
        )

    def consume(self, trace: Trace | None, name: str, *, linear: bool = True) -> None:
        """A layer with weights reads what ``trace`` describes.

        ``linear``: whether it does no more than multiply (attention bends the signal itself).
        """
        if trace is None:
            return
        self.consumed |= trace.since
        if trace.source is None or trace.source == name:
            return
        if strange := trace.bent - {USUAL}:
            self.bent.append((trace.source, name, strange))
        elif not trace.bent and linear:
            self.linear.append((trace.source, name))

    def activated(self, tensor: Any, name: str, axis: int | None = None) -> None:
        """The activation ``name`` has given ``tensor``."""
        trace = self.of(tensor) or Trace(axis)
        since = trace.since | {name}
        self.put(tensor, Trace(axis if trace.axis is None else trace.axis, since))

    def unseen(self) -> dict[str, str]:
        """Operations that take the place of an activation: where, and why they were left out."""
        return {
            f"{', '.join(sorted(bent))} between {source} and {to}": "no activation function of "
            "the framework"
            for source, to, bent in self.bent
        }


def after_reshape(before: tuple[int, ...], axis: int, after: tuple[int, ...]) -> int | None:
    """Where the units' axis (from the end) is after a reshape, if it is still one axis."""
    if len(after) <= 2:
        return -1
    units, position = before[axis], len(before) + axis
    if position < len(after) and after[: position + 1] == before[: position + 1]:
        return position - len(after)
    tail = before[axis:]
    if after[axis:] == tail:
        return axis
    places = [i for i, size in enumerate(after) if size == units]
    return places[0] - len(after) if len(places) == 1 else None
