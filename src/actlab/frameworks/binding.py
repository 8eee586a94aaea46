"""From a record's place to the object in the framework, and the arguments to give it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import ml_dtypes
import numpy as np
import numpy.typing as npt

from actlab import inputs
from actlab.catalog import REQUIRED, Activation, ParameterError, Place

Array = npt.NDArray[np.float64]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
"""The four floating formats that both frameworks have, by their common name."""

TITLES = {"torch": "PyTorch", "keras": "Keras"}


class UnavailableError(LookupError):
    """The framework has neither the function nor a recipe for it; the message says who has it."""


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype called ``dtype``; raises ``ValueError`` naming the four that exist."""
    return DTYPES[inputs.choice(dtype, "dtype", list(DTYPES))]


def rounded(x: npt.ArrayLike, dtype: str) -> npt.NDArray[Any]:
    """``x`` in ``dtype``: the numbers that the framework is really given (any shape)."""
    with np.errstate(all="ignore"):
        return inputs.array(x, "x").astype(np.float64).astype(numpy_dtype(dtype))


class Limits(NamedTuple):
    """The numbers that a format is bounded by, as float64."""

    eps: float
    tiny: float  # the smallest normal number
    largest: float
    smallest: float  # the smallest subnormal number


def limits(dtype: str) -> Limits:
    """The limits of a format (bfloat16 is unknown to ``numpy.finfo``)."""
    info = ml_dtypes.finfo(numpy_dtype(dtype))  # type: ignore[no-untyped-call]
    return Limits(
        float(info.eps),
        float(info.smallest_normal),
        float(info.max),
        float(info.smallest_subnormal),
    )


def find(path: str) -> Any:
    """The object at a dotted path such as ``"torch.nn.functional.relu"``."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def jacobian_axis(record: Activation) -> int | Literal["all"] | None:
    """The axis along which a record's outputs depend on its inputs (None: on their own only)."""
    if record.kind == "elementwise":
        return None
    return "all" if record.kind == "layer" else record.axis


def places_of(record: Activation, framework: str | None = None) -> list[Place]:
    """Where the record lives now, in one framework or in both."""
    names = TITLES if framework is None else (framework,)
    return [place for name in names for place in record.where(name)]


def arguments(record: Activation, place: Place, params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, under the framework's names, that make ``place`` compute this function.

    Raises :class:`~actlab.catalog.ParameterError` for a parameter that the record does not have,
    and for a value that this place can not be given.
    """
    passed = dict(place.fixed)
    for name, value in record.resolve(params).items():
        target = place.names.get(name, name)
        if target in place.arguments and target not in place.fixed:
            # The record's own default is no wish: PyTorch overflows at softplus's infinity.
            if name not in place.keeps or value != record.defaults[name]:
                passed[target] = value
        elif name in params and value != place.settings.get(name, record.defaults[name]):
            takes = ", ".join(place.arguments) or "nothing"
            raise ParameterError(
                f"{place.path} can not be given {name}={value!r}; it takes {takes}."
            )
    for axis in {"dim", "axis"} & place.arguments.keys():
        passed.setdefault(axis, record.axis)
    missing = [n for n, v in place.arguments.items() if v is REQUIRED and n not in passed]
    if missing:
        raise ParameterError(
            f"{place.path} needs {', '.join(missing)}, which the record of {record.name} does not "
            "map."
        )
    return passed


def required(record: Activation, place: Place) -> dict[str, Any]:
    """The arguments of a call that leaves everything to the framework that it can decide."""
    passed = arguments(record, place, {})
    return {
        name: value
        for name, value in passed.items()
        if name in place.fixed or place.arguments[name] is REQUIRED
    }


def choose(
    record: Activation, framework: str, params: Mapping[str, Any], recipes: Mapping[str, type]
) -> Place | type:
    """The first place of ``framework`` that can be given these parameters, else the recipe.

    Raises :class:`~actlab.catalog.ParameterError` where places exist but none takes the parameters,
    and :class:`UnavailableError` where the framework has nothing at all.
    """
    record.resolve(params)  # an unknown parameter is the caller's mistake, whatever we have
    refusal: ParameterError | None = None
    for place in record.where(framework):
        try:
            arguments(record, place, params)
        except ParameterError as error:
            refusal = refusal or error
        else:
            return place
    if record.name in recipes:
        return recipes[record.name]
    if refusal is not None:
        raise refusal
    others = [TITLES[name] for name in TITLES if record.where(name)]
    raise UnavailableError(
        f"{TITLES[framework]} has no {record.name}, and the course has no recipe for it; "
        + (f"{' and '.join(others)} has it." if others else "neither framework has it.")
    )
