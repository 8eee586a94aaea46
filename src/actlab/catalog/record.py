"""What one activation function *is*: the record every page, table, test and figure derives from."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actlab import inputs

Array = npt.NDArray[np.float64]

Kind = Literal["elementwise", "vector", "gate", "layer"]
"""How the function acts on a tensor.

- ``elementwise``: one number in, one number out; the derivative has the shape of ``x``.
- ``vector``: every output along the record's ``axis`` (the last, unless it says otherwise)
  depends on every input along it (softmax); the derivative is the Jacobian, shape
  ``x.shape + (n,)``: the entry ``[..., i, ..., j]`` is df_i/dx_j at that position.
- ``gate``: halves the last axis (GLU); Jacobian of shape ``(..., n // 2, n)``.
- ``layer``: has weights or further inputs, passed to the reference as parameters (attention,
  adaptive softmax); the derivative is with respect to ``x``, shape ``output.shape + x.shape``.
"""


class UnknownActivationError(KeyError):
    """No record has this name; the message lists the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


class ParameterError(TypeError):
    """A parameter that the function does not take, or a value outside its domain."""


class _Required:
    """There is no default."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


@dataclass(frozen=True)
class Parameter:
    """One number (or small object) that shapes the function, under the course's own name.

    ``default`` is the value of the paper or, where the paper has none, of PyTorch today;
    ``REQUIRED`` where there is none to have (a layer's weights).
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
class Constraint:
    """What the parameters must satisfy together: in words, and as a test of all of them."""

    text: str
    holds: Callable[..., bool] = field(repr=False, compare=False)


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


Saturation = tuple[Literal["hard", "soft"] | None, Literal["hard", "soft"] | None]


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

    Where f is not elementwise, ``range`` is that of a single output (of two or more inputs) and
    ``smoothness`` counts the joint derivatives; the others mean nothing there and are ``None``.
    """

    range: Interval
    smoothness: float
    zero_centred: bool | None = None
    monotonic: bool | None = None
    kinks: tuple[float, ...] = ()
    saturation: Saturation | None = None
    limits: tuple[float, float] | None = None


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
    the input tensor and without ``name``/``dtype``/``device``/``**kwargs`` and private ones; a
    missing default is ``REQUIRED``. ``names`` maps the course's parameter names to the
    framework's where they differ. ``fixed`` are arguments to pass so that the object computes
    *this* record (``{"approximate": "tanh"}``).

    ``settings`` are parameters of the record at which it describes what the object computes and
    that the object does not let you change (Keras 2.4's ``hard_sigmoid`` reaches its ends at
    2.5, not at 3). ``keeps`` names parameters that stay at the framework's own default unless
    the caller gives another value than the record's: they serve its arithmetic, not the function
    (softplus's threshold).
    """

    path: str
    when: Literal["now", "then"] = "now"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    note: str = ""

    @property
    def framework(self) -> Literal["torch", "keras"]:
        """Which library the path belongs to (``tf.keras…`` is Keras)."""
        return "torch" if self.path.startswith("torch.") else "keras"

    @property
    def is_class(self) -> bool:
        """A module or layer (CamelCase) rather than a function."""
        return self.path.rsplit(".", 1)[1][0].isupper()

    @property
    def in_place(self) -> bool:
        """Overwrites its input (PyTorch's trailing underscore)."""
        return self.path.endswith("_")

    def default(self, parameter: str) -> Any:
        """The framework's own default of a *course* parameter.

        Raises ``KeyError`` where the object neither takes nor fixes that parameter.
        """
        if parameter in self.settings:
            return self.settings[parameter]
        return self.arguments[self.names.get(parameter, parameter)]


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
    axis: int = -1
    parameters: tuple[Parameter, ...] = ()
    constraint: Constraint | None = None
    places: tuple[Place, ...] = ()
    aliases: tuple[str, ...] = ()
    stochastic: bool = False
    kink_note: str = ""

    @property
    def defaults(self) -> dict[str, Any]:
        """The course's default of every parameter (``REQUIRED`` where there is none)."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    @property
    def properties(self) -> Properties:
        """The properties at the default parameters."""
        return self.properties_at()

    def properties_at(self, **params: Any) -> Properties:
        """The properties at the given parameters (an ELU's range depends on its alpha)."""
        return self.describe(**self._checked(params))

    def resolve(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in the defaults and check names and values.

        Raises :class:`ParameterError` naming the parameters that exist, the valid values, or
        those that are missing.
        """
        complete = self._checked(params)
        missing = [name for name, value in complete.items() if value is REQUIRED]
        if missing:
            raise ParameterError(f"{self.name} needs a value for {', '.join(missing)}.")
        return complete

    def _checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = {parameter.name: parameter for parameter in self.parameters}
        params = {name: _plain(value) for name, value in params.items()}
        for name, value in params.items():
            if name not in known:
                takes = ", ".join(known) if known else "no parameters"
                raise ParameterError(f"{self.name} has no parameter {name!r}; it takes {takes}.")
            if not known[name].check(value):
                raise ParameterError(
                    f"{self.name}: {name}={value!r} is not allowed; expected {known[name].valid}."
                )
        complete = {**self.defaults, **params}
        known_all = not any(value is REQUIRED for value in complete.values())
        if self.constraint and known_all and not self.constraint.holds(**complete):
            given = ", ".join(f"{name}={value!r}" for name, value in complete.items())
            raise ParameterError(f"{self.name}: {self.constraint.text} is expected, got {given}.")
        return complete

    def reference(self, x: npt.ArrayLike, /, **params: Any) -> Array:
        """f(x) in float64, exact to a few ulp; overflow and underflow happen only where f does.

        ``x``: any shape for elementwise functions, else ``(..., n)`` along the last axis.
        Raises :class:`ParameterError` for parameters, ``TypeError`` for non-real input and
        ``ValueError`` for a shape that the function cannot take.
        """
        return self._apply(self.forward, x, params)

    def derivative(self, x: npt.ArrayLike, /, **params: Any) -> Array:
        """f'(x) in float64 (see :data:`Kind` for the shape where f is not elementwise)."""
        return self._apply(self.backward, x, params)

    def _apply(
        self, function: Callable[..., Array], x: npt.ArrayLike, params: Mapping[str, Any]
    ) -> Array:
        array = inputs.array(x, self.name).astype(np.float64)
        along = self.kind in ("vector", "gate")
        if along and (array.ndim < -self.axis or array.shape[self.axis] == 0):
            raise ValueError(
                f"{self.name} works along axis {self.axis}, which must not be missing or empty; "
                f"got shape {array.shape}."
            )
        # exp(-1000) is 0 and exp(1000) is inf: the right answers, not worth a warning.
        with np.errstate(all="ignore"):
            return np.asarray(function(array, **self.resolve(params)))

    def saturates_beyond(self, share: float = 0.01, **params: Any) -> tuple[float, float]:
        """Where learning stops: |f'| stays below ``share`` of its largest value outside (a, b).

        Returns (a, b), found numerically from :meth:`derivative` to about 10 digits; at a hard
        end it is the kink. ``-inf`` or ``inf`` on a side where the derivative does not vanish
        (or not before 1e9), and (nan, nan) where its largest value is 0, infinite or NaN.

        Raises ``TypeError`` where the function is not elementwise and ``ValueError`` for a
        ``share`` outside (0, 1).
        """
        if self.kind != "elementwise":
            raise TypeError(f"{self.name} is not elementwise: it has no saturation threshold.")
        share = inputs.number(share)
        if not (inputs.is_real(share) and 0 < share < 1):
            raise ValueError(f"share={share!r} is not allowed; expected a number in (0, 1).")

        def steepness(x: npt.ArrayLike) -> Array:
            return np.abs(self.derivative(x, **params))

        kinks = self.properties_at(**params).kinks
        reach = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, 6001), np.geomspace(1e3, 1e9, 601)])
        grid = np.unique([c + s * reach for c in (0.0, *kinks) for s in (-1, 1)])
        size = steepness(grid)
        peak = int(size.argmax())
        low, high = grid[max(peak - 1, 0)], grid[min(peak + 1, grid.size - 1)]
        largest = max(size[peak], steepness(np.linspace(low, high, 10_001)).max())
        if not 0 < largest < math.inf:
            return math.nan, math.nan

        def edge(inside: float, outside: float) -> float:
            for _ in range(60):
                middle = (inside + outside) / 2
                if steepness(middle) >= share * largest:
                    inside = middle
                else:
                    outside = middle
            near = [kink for kink in kinks if math.isclose(kink, inside, abs_tol=1e-12)]
            return near[0] if near else float(inside)

        alive = np.flatnonzero(size >= share * largest)
        first, last = int(alive[0]), int(alive[-1])
        left = -math.inf if first == 0 else edge(grid[first], grid[first - 1])
        right = math.inf if last == grid.size - 1 else edge(grid[last], grid[last + 1])
        return left, right

    def where(self, framework: str, when: str = "now") -> tuple[Place, ...]:
        """The places of this function in ``"torch"`` or ``"keras"``, ``"now"`` or ``"then"``.

        Raises ``ValueError`` for any other word.
        """
        inputs.choice(framework, "framework", ("torch", "keras"))
        inputs.choice(when, "when", ("now", "then"))
        return tuple(p for p in self.places if p.framework == framework and p.when == when)

    def torch(self, **params: Any) -> Any:
        """The function from PyTorch (or our recipe where PyTorch lacks it), ready to call."""
        from actlab.frameworks import torch as framework

        return framework.build(self, **params)

    def keras(self, **params: Any) -> Any:
        """The function from Keras (or our recipe where Keras lacks it), ready to call."""
        from actlab.frameworks import keras as framework

        return framework.build(self, **params)


def _plain(value: Any) -> Any:
    """A parameter's value as Python's or NumPy's own: a narrow one would narrow the results."""
    value = inputs.number(value)
    if hasattr(value, "__array__") and not isinstance(value, np.ndarray):
        try:
            return inputs.array(value, "")
        except TypeError:  # the parameter's own check says what it may be
            return value
    return value


# The same object under other names: what the path of a place begins with → where it also stands.
_SAME_PLACES = {
    "torch.nn.": ("torch.nn.",),
    "torch.nn.functional.": ("torch.nn.functional.", "torch.", "torch.special.", "torch.Tensor."),
    "keras.layers.": ("keras.layers.", "layers."),
    "keras.activations.": (
        *("keras.activations.", "activations.", "keras.ops.", "ops."),
        *("tf.nn.", "tf.math.", "tf."),
    ),
}
# How people begin a path → how it begins here.
_SHORT = (
    ("tensorflow.", "tf."),
    ("tf.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("nn.", "torch.nn."),
    ("f.", "torch.nn.functional."),
    ("functional.", "torch.nn.functional."),
)


def _key(name: str) -> str:
    """One spelling for all: small letters, no ``_``, hyphens or spaces, the path in full."""
    path, dot, last = name.strip().lower().removesuffix("()").rpartition(".")
    for given, full in _SHORT:
        if f"{path}.".startswith(given):
            path = full[:-1] + path[len(given) - 1 :]
    return path + dot + last.translate(str.maketrans("", "", "_- ()"))


class Catalog(Mapping[str, Activation]):
    """All records, by every name that they or the frameworks' objects have.

    Raises ``ValueError`` where two records have the same name, or where of the records that one
    framework's object computes none is the plainest: the one of the same name, or else the only
    one that needs no further arguments. Unknown names raise :class:`UnknownActivationError` with
    suggestions.
    """

    def __init__(self, records: Iterable[Activation]) -> None:
        self._records: dict[str, Activation] = {}
        self._keys: dict[str, str] = {}
        self._readable: dict[str, str] = {}  # key → the spelling to suggest
        for record in records:
            if record.name in self._records:
                raise ValueError(f"two records are called {record.name!r}")
            self._records[record.name] = record
            for name in (record.name, *record.aliases, record.title):
                if self._keys.setdefault(_key(name), record.name) != record.name:
                    raise ValueError(f"two records are called {name!r}")
            for name in (record.name, *record.aliases):
                self._readable.setdefault(_key(name), name)
        computed: dict[str, dict[str, bool]] = {}
        for record in self._records.values():
            for place in record.places:
                for spelling in _spellings(place):
                    further = computed.setdefault(spelling, {})
                    further[record.name] = bool(place.fixed) and further.get(record.name, True)
                last = place.path.rpartition(".")[2].lower()
                self._readable.setdefault(_key(last), last)
        for spelling, further in computed.items():
            self._keys.setdefault(_key(spelling), self._plainest(spelling, further))

    def _plainest(self, spelling: str, further: Mapping[str, bool]) -> str:
        own = self._keys.get(_key(spelling.rpartition(".")[2]), "")
        if own in further:
            return own
        plain = [name for name, needs_more in further.items() if not needs_more]
        if len(plain) != 1:
            raise ValueError(f"{spelling} is {' and '.join(further)}: which is the plainest?")
        return plain[0]

    def __getitem__(self, name: Any) -> Activation:
        if not isinstance(name, str):
            own = getattr(name, "name", getattr(name, "__name__", type(name).__name__))
            hint = f"; did you mean {own!r}?" if own in self else ""
            raise TypeError(f"expected the name of an activation, got {type(name)}{hint}")
        if (key := _key(name)) in self._keys:
            return self._records[self._keys[key]]
        last = name.strip().lower().rpartition(".")[2].replace("-", "_").replace(" ", "_")
        nearest = difflib.get_close_matches(last, self._readable.values(), n=3, cutoff=0.5)
        hint = f"the nearest are {', '.join(nearest)}" if nearest else "no name is near"
        raise UnknownActivationError(
            f"unknown activation {name!r}: {hint}; actlab.catalog.names() lists all "
            f"{len(self._records)}."
        )

    def places(self, name: str) -> list[tuple[Activation, Place]]:
        """Every object of that name, bare or with a path, with the record it can compute."""
        key = _key(name)
        return [
            (record, place)
            for record in self._records.values()
            for place in record.places
            if any(_key(spelling) == key for spelling in _spellings(place))
        ]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _key(name) in self._keys

    def __iter__(self) -> Any:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


def _spellings(place: Place) -> Iterator[str]:
    """The bare name of a framework's object and the paths it has there."""
    begin, _, last = place.path.removeprefix("tf.").rpartition(".")
    yield last
    for same in _SAME_PLACES[f"{begin}."]:
        yield same + last
