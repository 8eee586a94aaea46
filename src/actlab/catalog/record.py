"""What one activation function *is*: the record every page, table, test and figure derives from."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

Kind = Literal["elementwise", "vector", "gate", "layer"]
"""How the function acts on a tensor.

- ``elementwise``: one number in, one number out; the derivative has the shape of ``x``.
- ``vector``: every output along the last axis depends on every input along it (softmax);
  the derivative is the Jacobian, shape ``x.shape + (n,)``, entry ``[..., i, j] = df_i/dx_j``.
- ``gate``: halves the last axis (GLU); Jacobian of shape ``(..., n // 2, n)``.
- ``layer``: has weights of its own, passed to the reference as parameters (attention, adaptive
  softmax); the derivative is with respect to ``x``, shape ``output.shape + x.shape``.
"""


class UnknownActivationError(KeyError):
    """No record has this name; the message lists the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


class ParameterError(TypeError):
    """A parameter that the function does not take, or a value outside its domain."""


@dataclass(frozen=True)
class Parameter:
    """One number (or small object) that shapes the function, under the course's own name.

    ``default`` is the value of the paper or, where the paper has none, of PyTorch today.
    ``valid`` says in words which values are allowed; ``check`` tests a value.
    """

    name: str
    default: Any
    meaning: str
    valid: str = "any real number"
    check: Callable[[Any], bool] = field(default=lambda value: True, repr=False, compare=False)
    # More settings at which the property and parity tests look at the function.
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Interval:
    """A range of outputs: ``lower`` and ``upper``, and whether each is attained (``closed``)."""

    lower: float
    upper: float
    closed: tuple[bool, bool] = (False, False)

    def __str__(self) -> str:
        def number(value: float) -> str:
            return {math.inf: "∞", -math.inf: "−∞"}.get(value, f"{value:.4g}").replace("-", "−")

        left, right = "[" if self.closed[0] else "(", "]" if self.closed[1] else ")"
        return f"{left}{number(self.lower)}, {number(self.upper)}{right}"


@dataclass(frozen=True)
class Properties:
    """What can be said about the curve at one setting of its parameters, all of it checked.

    - ``range``: the smallest interval that holds every output for finite real input.
    - ``zero_centred``: the mean output for a standard normal input is exactly 0.
    - ``monotonic``: the curve never falls.
    - ``smoothness``: the k of C^k: -1 for a jump, 0 for a kink, 1 where only the second
      derivative jumps, ``math.inf`` for a smooth curve.
    - ``kinks``: where the derivative of order ``smoothness + 1`` jumps (the jump itself for -1).
    - ``saturation``: what happens to the derivative at (-inf, +inf): ``"hard"`` it is exactly 0
      from some point on, ``"soft"`` it tends to 0 without reaching it, ``None`` it does not
      vanish.
    - ``limits``: the value of f at (-inf, +inf).
    """

    range: Interval
    zero_centred: bool
    monotonic: bool
    smoothness: float
    kinks: tuple[float, ...] = ()
    saturation: tuple[Literal["hard", "soft"] | None, Literal["hard", "soft"] | None] = (None, None)
    limits: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True)
class Origin:
    """Who introduced the function: short citation ("Maas et al., 2013"), title, link."""

    citation: str
    title: str
    url: str


@dataclass(frozen=True)
class Place:
    """One object in one framework that computes the function.

    ``when`` is ``"now"`` (the installed versions) or ``"then"`` (Keras 2.4, PyTorch 1.7).
    ``arguments`` are the framework's own argument names with their defaults, in order, without
    the input tensor and without ``name``/``dtype``/``**kwargs``; a missing default is
    ``REQUIRED``. ``names`` maps the course's parameter names to the framework's where they
    differ. ``fixed`` are arguments to pass so that the object computes *this* record
    (``{"approximate": "tanh"}``).
    """

    path: str
    when: Literal["now", "then"] = "now"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def framework(self) -> Literal["torch", "keras"]:
        """Which library the path belongs to (``tf.keras…`` is Keras)."""
        return "torch" if self.path.startswith("torch.") else "keras"

    @property
    def is_class(self) -> bool:
        """A module or layer (CamelCase) rather than a function."""
        return self.path.rsplit(".", 1)[1][0].isupper()


class _Required:
    """The argument has no default."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


@dataclass(frozen=True, kw_only=True)
class Activation:
    """One activation function.

    ``forward`` and ``backward`` are the exact float64 reference and its derivative; call them
    through :meth:`reference` and :meth:`derivative`, which check the parameters first. At a
    kink ``backward`` gives the left derivative unless ``kink_note`` says otherwise; what each
    framework gives there is recorded in :mod:`actlab.frameworks`.
    """

    name: str
    title: str
    family: str
    summary: str
    formula: str
    origin: Origin
    forward: Callable[..., Array] = field(repr=False)
    backward: Callable[..., Array] = field(repr=False)
    describe: Callable[..., Properties] = field(repr=False)
    kind: Kind = "elementwise"
    parameters: tuple[Parameter, ...] = ()
    places: tuple[Place, ...] = ()
    aliases: tuple[str, ...] = ()
    stochastic: bool = False
    kink_note: str = ""

    @property
    def defaults(self) -> dict[str, Any]:
        """The course's default of every parameter."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    @property
    def properties(self) -> Properties:
        """The properties at the default parameters."""
        return self.properties_at()

    def properties_at(self, **params: Any) -> Properties:
        """The properties at the given parameters (an ELU's range depends on its alpha)."""
        return self.describe(**self.resolve(params))

    def resolve(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in the defaults and check names and values.

        Raises :class:`ParameterError` naming the parameters that exist, or the valid values.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in params.items():
            if name not in known:
                takes = ", ".join(known) if known else "no parameters"
                raise ParameterError(f"{self.name} has no parameter {name!r}; it takes {takes}.")
            if not known[name].check(value):
                raise ParameterError(
                    f"{self.name}: {name}={value!r} is not allowed; expected {known[name].valid}."
                )
        return {**self.defaults, **params}

    def reference(self, x: npt.ArrayLike, /, **params: Any) -> Array:
        """f(x) in float64, exact to a few ulp; overflow and underflow happen only where f does.

        ``x``: any shape for elementwise functions, else ``(..., n)`` along the last axis.
        Raises :class:`ParameterError` for parameters and ``TypeError`` for non-real input.
        """
        return self.forward(_as_real(self.name, x), **self.resolve(params))

    def derivative(self, x: npt.ArrayLike, /, **params: Any) -> Array:
        """f'(x) in float64 (see :data:`Kind` for the shape where f is not elementwise)."""
        return self.backward(_as_real(self.name, x), **self.resolve(params))

    def where(self, framework: str, when: str = "now") -> tuple[Place, ...]:
        """The places of this function in ``"torch"`` or ``"keras"``, ``"now"`` or ``"then"``."""
        return tuple(p for p in self.places if p.framework == framework and p.when == when)

    def torch(self, **params: Any) -> Any:
        """The function from PyTorch (or our recipe where PyTorch lacks it), ready to call."""
        from actlab.frameworks import torch as framework

        return framework.build(self, **params)

    def keras(self, **params: Any) -> Any:
        """The function from Keras (or our recipe where Keras lacks it), ready to call."""
        from actlab.frameworks import keras as framework

        return framework.build(self, **params)


def _as_real(name: str, x: npt.ArrayLike) -> Array:
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name}: expected real numbers (float or integer array), got dtype {array.dtype}."
        )
    return array.astype(np.float64)


class Catalog(Mapping[str, Activation]):
    """All records by name. Unknown names raise :class:`UnknownActivationError` with suggestions."""

    def __init__(self, records: Iterable[Activation]) -> None:
        self._records: dict[str, Activation] = {}
        self._aliases: dict[str, str] = {}
        for record in records:
            for name in (record.name, *record.aliases):
                if name in self._records or name in self._aliases:
                    raise ValueError(f"two records are called {name!r}")
                self._aliases[name] = record.name
            self._records[record.name] = record

    def __getitem__(self, name: str) -> Activation:
        key = str(name).lower().replace("-", "_").replace(" ", "_")
        if key in self._aliases:
            return self._records[self._aliases[key]]
        nearest = difflib.get_close_matches(key, self._aliases, n=3, cutoff=0.5)
        hint = f"the nearest are {', '.join(nearest)}" if nearest else "no name is near"
        raise UnknownActivationError(
            f"unknown activation {name!r}: {hint}; actlab.catalog.names() lists all "
            f"{len(self._records)}."
        )

    def __iter__(self) -> Any:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)
