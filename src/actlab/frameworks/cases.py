"""What counts as a difference between a framework's results and the float64 reference.

A function evaluated in a format of precision ``eps`` can not be expected to be better than the
rounding of its input and of its output: for y = f(x) that is ``eps * (|x f'(x)| + |f(x)|)``. A
result passes when it lies within :data:`ULPS` times that, plus the smallest normal number of the
format. For the gradient, f' takes the place of f, and ``x f''`` is read off the derivative at the
two neighbours of x (the smaller change of the two, so that a jump between them excuses nothing).
An infinite result passes where the exact one overflows. A result of zero where the exact one is a
subnormal number of the format is always a difference.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actlab.catalog import Activation, Place
from actlab.frameworks import inputs, keras, torch
from actlab.frameworks.binding import Array, limits, rounded

ULPS = 4
"""How many times the unavoidable error a result may be off: one rounding for each of about four
operations in a row, which is what these formulas take when every step is done in the format."""

CATEGORIES = {
    "default": "the same name without arguments is another function",
    "not finite": "NaN or infinity from an ordinary number",
    "wrong": "an ordinary number, but off by more than 1 %",
    "kink": "the gradient (or the value, at a jump) at a kink",
    "refused": "an error instead of a result",
    "shared": "a trap that the two share",
    "special": "±infinity or NaN in",
    "length": "a number alone and the same number in an array",
    "lost": "not one correct digit left of a small result",
    "digits": "fewer correct digits than the format holds",
    "subnormal input": "a subnormal number in, taken for zero",
    "subnormal result": "a subnormal number out, given as zero",
}
"""The kinds of difference, most surprising first."""

INACCURATE = ("wrong", "lost", "digits")

Quantity = Literal["value", "gradient"]
FRAMEWORKS = {"torch": torch, "keras": keras}


def compared(record: Activation) -> bool:
    """Whether a grid of inputs can compare the places of this record.

    Not layers, which need weights, and not what draws new noise whenever it is called; those have
    tests of their own.
    """
    return record.kind != "layer" and record.name != "gumbel_softmax"


@dataclass(frozen=True)
class Case:
    """One record at one setting in one dtype: the inputs and the exact answers.

    For an elementwise function ``x`` has the shape (m,), the exact value and gradient likewise.
    For functions of a row ``x`` is (m, n), the values (m, k), the gradients (m, k, n).
    ``unit`` is the unavoidable error of each answer.
    """

    record: Activation
    setting: Mapping[str, Any]
    dtype: str
    x: Array
    names: tuple[str, ...]
    kinks: tuple[float, ...]
    exact: Mapping[Quantity, Array]
    unit: Mapping[Quantity, Array]

    @classmethod
    def of(cls, record: Activation, setting: Mapping[str, Any], dtype: str) -> Case:
        """The case with all of its inputs."""
        if record.kind == "elementwise":
            names: tuple[str, ...] = ()
            kinks = record.properties_at(**setting).kinks
            x = inputs.points(dtype, kinks, sparse=bool(setting))
        else:
            rows = inputs.rows(dtype)
            names, kinks, x = tuple(rows), (), np.stack(list(rows.values()))
        value, gradient = _exact(record, setting, x)
        eps = limits(dtype).eps
        with np.errstate(all="ignore"):
            reach = gradient * x if not names else np.abs(gradient * x[:, None]).sum(axis=-1)
            change = _change_of_gradient(record, setting, x, gradient, dtype)
            unit: dict[Quantity, Array] = {
                "value": eps * (np.abs(_finite(reach)) + np.abs(_finite(value))),
                "gradient": eps * np.abs(_finite(gradient)) + change,
            }
        exact: dict[Quantity, Array] = {"value": value, "gradient": gradient}
        return cls(record, setting, dtype, x, names, kinks, exact, unit)

    def evaluate(self, place: Place, quantity: Quantity, x: Array | None = None) -> Array:
        """What the framework returns at ``place``."""
        side = FRAMEWORKS[place.framework]
        function = side.at(self.record, place, dtype=self.dtype, **self.setting)
        return self.call(function, place.framework, quantity, x)

    def call(
        self,
        function: Callable[..., Any],
        framework: str,
        quantity: Quantity,
        x: Array | None = None,
    ) -> Array:
        """What a function of this framework returns."""
        side = FRAMEWORKS[framework]
        x = self.x if x is None else x
        if self.record.kind == "elementwise":
            ask = side.evaluate if quantity == "value" else side.differentiate
            result: Array = ask(function, x, self.dtype)
            return result
        axis = self.record.axis
        x = x.reshape(*x.shape, *[1] * (-axis - 1))
        if quantity == "value":
            got = side.evaluate(function, x, self.dtype)
        else:
            got = side.differentiate(function, x, self.dtype, axis=axis)
        reshaped: Array = got.reshape(len(x), *self.exact[quantity].shape[1:])
        return reshaped

    def pick(self, indices: npt.NDArray[np.intp]) -> Case:
        """The same case with some of its inputs only."""
        names = tuple(self.names[i] for i in indices) if self.names else ()
        return dataclasses.replace(
            self,
            x=self.x[indices],
            names=names,
            exact={q: a[indices] for q, a in self.exact.items()},
            unit={q: a[indices] for q, a in self.unit.items()},
        )

    def of_output(self, output: int) -> Case:
        """The same case with the gradients of one output only."""
        only = slice(output, output + 1)
        exact: dict[Quantity, Array] = {"gradient": self.exact["gradient"][:, only]}
        unit: dict[Quantity, Array] = {"gradient": self.unit["gradient"][:, only]}
        return dataclasses.replace(self, exact=exact, unit=unit)


def _exact(record: Activation, setting: Mapping[str, Any], x: Array) -> tuple[Array, Array]:
    """Value and derivative, whatever the axis, with that axis last."""
    inner = x if record.kind == "elementwise" else x.reshape(*x.shape, *[1] * (-record.axis - 1))
    value, gradient = record.reference(inner, **setting), record.derivative(inner, **setting)
    if record.kind == "elementwise":
        return value, gradient
    return value.reshape(len(x), -1), gradient.reshape(len(x), -1, x.shape[-1])


def _change_of_gradient(
    record: Activation, setting: Mapping[str, Any], x: Array, gradient: Array, dtype: str
) -> Array:
    """How much f' changes when x (each element of a row in turn) moves to its next neighbour."""
    typed = rounded(x, dtype)
    columns = [...] if record.kind == "elementwise" else [(..., j) for j in range(x.shape[-1])]
    total = np.zeros_like(gradient)
    for column in columns:
        changes = []
        for direction in (-np.inf, np.inf):
            moved = x.copy()
            moved[column] = np.nextafter(typed[column], typed.dtype.type(direction))
            changes.append(np.abs(_exact(record, setting, moved)[1] - gradient))
        total += _finite(np.fmin(*changes))
    return total


def _finite(array: Array) -> Array:
    return np.where(np.isfinite(array), array, 0.0)


def classify(case: Case, quantity: Quantity, got: Array) -> tuple[npt.NDArray[np.object_], Array]:
    """Category of every result ("" where it passes) and its error in unavoidable errors."""
    exact, unit = case.exact[quantity], case.unit[quantity]
    _, tiny, largest, smallest = limits(case.dtype)
    x = case.x

    def any_of(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        if mask.ndim == 1:
            return mask
        joined = mask.any(axis=-1).reshape(-1, *[1] * (exact.ndim - 1))  # true of the whole row
        return np.broadcast_to(joined, exact.shape)

    with np.errstate(all="ignore"):
        target = rounded(exact, case.dtype).astype(np.float64)
        error = np.abs(got - exact)
        fine = (got == target) | (np.isnan(got) & np.isnan(exact)) | (error <= ULPS * unit + tiny)
        fine |= (
            np.isinf(got)
            & (np.sign(got) == np.sign(exact))
            & (np.abs(exact) + ULPS * unit >= largest)
        )
        small = (np.abs(target) < tiny) & (np.abs(target) >= 4 * smallest)
        flushed = small & (got == 0)
        relative = error / np.abs(exact)
        multiple = np.nan_to_num(error / (unit + tiny), nan=np.inf)
    category = np.full(exact.shape, "", dtype=object)
    special = any_of(~np.isfinite(x))
    category[~fine] = "digits"
    category[~fine & (relative >= 0.5)] = "lost"
    category[~fine & (error > 0.01 * np.maximum(np.abs(exact), 1))] = "wrong"
    gross = np.isin(category, ("wrong", "lost"))
    category[gross & any_of((x != 0) & (np.abs(x) < tiny))] = "subnormal input"
    category[flushed & (category != "subnormal input")] = "subnormal result"
    for kink in case.kinks:  # and next to it
        near = inputs.beside(rounded([kink], case.dtype))
        there = np.isin(x, near) & ((np.abs(x) >= tiny) | (x == 0))
        category[there & np.isin(category, ("wrong", "lost"))] = "kink"
    category[~fine & ~np.isfinite(got) & np.isfinite(target)] = "not finite"
    slight = (category == "digits") & np.isfinite(error)
    category[~fine & special & ~slight] = "special"
    return category, multiple


@dataclass(frozen=True)
class Group:
    """Inputs that differ in one way; ``shown`` are the indices of those that a witness may show."""

    category: str
    side: str
    span: tuple[Any, ...]
    inputs: int
    error: float
    shown: npt.NDArray[np.intp]

    @property
    def name(self) -> tuple[Any, ...]:
        """Groups of two places with the same name are the same difference."""
        return self.category, self.side, str(self.span), self.inputs


def groups(case: Case, quantity: Quantity, got: Array) -> Iterator[Group]:
    """Gather what differs by category and side of zero; all loss of accuracy is one category."""
    category, errors = classify(case, quantity, got)
    rows = category.reshape(len(case.x), -1)
    worst = errors.reshape(len(case.x), -1)
    for kinds in (INACCURATE, *((name,) for name in CATEGORIES if name not in INACCURATE)):
        for side, members in _sides(case, kinds, np.any(np.isin(rows, kinds), axis=1)).items():
            indices = np.flatnonzero(members)
            if not indices.size:
                continue
            named = next(kind for kind in kinds if (rows[indices] == kind).any())
            shown = indices[(rows[indices] == named).any(axis=1)]
            if case.names:
                span: tuple[Any, ...] = tuple(case.names[i] for i in shown)
            else:
                span = (float(case.x[shown[0]]), float(case.x[shown[-1]]))
            differing = np.where(np.isin(rows, kinds), worst, 0.0)[indices]
            yield Group(named, side, span, shown.size, float(differing.max()), shown)


def _sides(
    case: Case, kinds: tuple[str, ...], members: npt.NDArray[np.bool_]
) -> dict[str, npt.NDArray[np.bool_]]:
    if case.names:
        return {"": members}
    if kinds == ("special",):
        return {str(x): members & np.equal(case.x, x) for x in (-math.inf, math.inf)} | {
            "nan": members & np.isnan(case.x)
        }
    if kinds == ("kink",):
        near = {k: inputs.beside(rounded([k], case.dtype)) for k in case.kinks}
        return {f"{k:g}": members & np.isin(case.x, near[k]) for k in case.kinks}
    return {"-": members & np.signbit(case.x), "+": members & ~np.signbit(case.x)}
