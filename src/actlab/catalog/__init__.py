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
    "places",
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
    """The record of one activation, by any of its names.

    These are the course's own name, its aliases and title, and whatever PyTorch or Keras calls it,
    now or in Keras 2.4, bare or with a path: ``"LeakyReLU"``, ``"nn.GELU"``, ``"F.relu"``,
    ``"tf.nn.relu"``, ``"keras.activations.swish"``. Case, ``_``, hyphens and spaces do not matter.
    Where one object computes several functions, by its arguments, the name gives the plainest:
    ``"keras.layers.ReLU"`` is ReLU, not the leaky one. Whether a framework has the function at
    just that path is not looked up: the record's ``places`` say where it is.

    Raises :class:`UnknownActivationError`, which lists the nearest names, and ``TypeError`` for
    what is no name (a class, a function, a record).
    """
    return _CATALOG[name]


def places(name: str) -> list[tuple[Activation, Place]]:
    """Every object of either framework, now or then, of that name, and what it can compute.

    ``name`` as for :func:`get`. An object that computes several functions, by its arguments,
    stands there with each of them; for what is no framework's name the list is empty.
    """
    return _CATALOG.places(name)


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
