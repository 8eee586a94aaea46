"""The course's one source of truth: a record for every activation function.

>>> from actlab import catalog
>>> catalog.get("leaky_relu").formula
"""

from __future__ import annotations

from actlab.catalog import (
    attention,
    basic,
    elu,
    gated,
    gelu,
    leaky,
    relu,
    shrink,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from actlab.catalog.record import (
    REQUIRED,
    Activation,
    Catalog,
    Constraint,
    Interval,
    Origin,
    Parameter,
    ParameterError,
    Place,
    Properties,
    UnknownActivationError,
)

__all__ = [
    "REQUIRED",
    "Activation",
    "Constraint",
    "Interval",
    "Origin",
    "Parameter",
    "ParameterError",
    "Place",
    "Properties",
    "UnknownActivationError",
    "families",
    "get",
    "names",
    "records",
]

_MODULES = (
    basic,
    relu,
    leaky,
    elu,
    sigmoid,
    tanh,
    gelu,
    softplus,
    shrink,
    softmax,
    gated,
    attention,
)
_CATALOG = Catalog(record for module in _MODULES for record in module.RECORDS)


def get(name: str) -> Activation:
    """The record of one activation, by name or alias (case, hyphens and spaces do not matter).

    Raises :class:`UnknownActivationError`, which lists the nearest names.
    """
    return _CATALOG[name]


def names() -> tuple[str, ...]:
    """Every name, family by family."""
    return tuple(_CATALOG)


def records() -> tuple[Activation, ...]:
    """Every record, family by family."""
    return tuple(_CATALOG.values())


def families() -> dict[str, tuple[str, ...]]:
    """Family → the names in it, in the course's order."""
    grouped: dict[str, list[str]] = {}
    for record in _CATALOG.values():
        grouped.setdefault(record.family, []).append(record.name)
    return {family: tuple(members) for family, members in grouped.items()}
