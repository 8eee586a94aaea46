"""Which function of the catalog an object of PyTorch or Keras computes, and at which parameters.

The way back from :mod:`actlab.frameworks.binding`: a record's places say which object computes it
with which arguments; here an object and its arguments lead to the record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from actlab import catalog
from actlab.catalog import Activation, Place
from actlab.frameworks.binding import find

# Arguments that say how a function is computed or trained, not which function it is.
BESIDE_THE_FUNCTION = {"inplace", "training", "num_parameters", "init", "shared_axes"}


@dataclass(frozen=True)
class Known:
    """A record of the catalog at some parameters."""

    name: str
    params: tuple[tuple[str, float], ...] = ()

    @property
    def record(self) -> Activation:
        """The record itself."""
        return catalog.get(self.name)

    @property
    def of_a_unit(self) -> bool:
        """Whether it acts on units (a softmax shares one unit of mass among them)."""
        return self.record.kind in ("elementwise", "gate") and self.name != "linear"

    @property
    def flat(self) -> tuple[float, float] | None:
        """Outside of which inputs the slope has gone; ``None`` where that means nothing."""
        return _flat(self)


@cache
def _flat(known: Known) -> tuple[float, float] | None:
    try:
        low, high = known.record.saturates_beyond(**dict(known.params))
    except (TypeError, ValueError):  # not elementwise, or parameters that the record does not take
        return None
    return None if math.isnan(low) else (low, high)


def of_module(module: Any, framework: str) -> Known | None:
    """What an activation module or layer computes, by its class and its own attributes."""
    found = None
    for record, place in _classes(framework).get(type(module), ()):
        if record.name == "prelu":  # its slopes are weights: one number, or no one record
            slopes = [float(w) for p in module.parameters() for w in p] if _small(module) else []
            return Known(record.name, (("negative_slope", slopes[0]),) if len(slopes) == 1 else ())
        values = {name: getattr(module, name, default) for name, default in place.arguments.items()}
        found = found or _at(record, place, values)
    return found


def _small(module: Any) -> bool:
    return hasattr(module, "num_parameters") and module.num_parameters == 1


def of_call(
    places: Iterable[tuple[Activation, Place]], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Known | None:
    """What a call of an activation function computes; ``args`` are those after the tensor."""
    for record, place in places:
        values = {**place.arguments, **dict(zip(place.arguments, args, strict=False)), **kwargs}
        if known := _at(record, place, values):
            return known
    return None


def _at(record: Activation, place: Place, values: Mapping[str, Any]) -> Known | None:
    """The record at the parameters that these argument values mean, if they mean it at all."""
    own = {place.names.get(p.name, p.name): p.name for p in record.parameters}
    params: list[tuple[str, float]] = []
    for argument, value in values.items():
        if argument not in place.arguments or argument in BESIDE_THE_FUNCTION:
            continue
        if argument in place.fixed or argument not in own:
            expected = place.fixed.get(argument, place.arguments[argument])
            if record.kind == "elementwise" and value != expected:
                return None
        else:
            try:
                params.append((own[argument], float(value)))
            except (TypeError, ValueError):  # a tensor of slopes, or an argument that is required
                return Known(record.name)
    return Known(record.name, tuple(params))


@cache
def _classes(framework: str) -> dict[type, list[tuple[Activation, Place]]]:
    found: dict[type, list[tuple[Activation, Place]]] = {}
    for record, place in _places(framework):
        if place.is_class and isinstance(kind := _find(place.path), type):
            found.setdefault(kind, []).append((record, place))
    return found


@cache
def functions(framework: str) -> dict[str, list[tuple[Activation, Place]]]:
    """The activation functions of a framework, by the last part of their name."""
    found: dict[str, list[tuple[Activation, Place]]] = {}
    for record, place in _places(framework):
        if not place.is_class:
            found.setdefault(place.path.rpartition(".")[2], []).append((record, place))
    return found


def _places(framework: str) -> list[tuple[Activation, Place]]:
    records = [catalog.get(name) for name in catalog.names()]
    return [(record, place) for record in records for place in record.where(framework)]


def _find(path: str) -> Any:
    try:
        return find(path)
    except (ImportError, AttributeError):  # older than the function
        return None


@cache
def torch_functions() -> dict[Callable[..., Any], list[tuple[Activation, Place]]]:
    """Every callable of PyTorch that is an activation function: in functional, torch, Tensor."""
    import torch

    homes = (torch.nn.functional, torch, torch.Tensor, torch._C._nn)
    found: dict[Callable[..., Any], list[tuple[Activation, Place]]] = {}
    for name, places in functions("torch").items():
        if places[0][0].kind == "layer":
            continue
        for home in homes:
            for spelling in (name, f"{name}_"):
                if callable(function := getattr(home, spelling, None)):
                    found.setdefault(function, places)
    return found
