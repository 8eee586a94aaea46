"""What one arm of an experiment is, and what must be true before any work starts."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch

from actlab import catalog
from actlab.catalog import Activation
from actlab.catalog.record import Kind
from actlab.ensemble.activations import Function, check, function
from actlab.ensemble.initial import INITIALISERS, Initialiser

OPTIMIZERS = ("sgd", "adam", "adamw")
NORMALIZATIONS = (None, "batch", "layer")
KINDS = ("weights", "biases", "normalization", "activation")
"""The kinds of parameters: matrices, biases, scales and shifts, learned slopes."""


def hidden_activations() -> tuple[str, ...]:
    """The records that can follow a fully connected hidden layer."""
    # Of the random ones only RReLU draws from each network's own stream.
    return tuple(
        record.name
        for record in catalog.records()
        if record.kind != "layer"
        and record.name != "softmax2d"
        and (not record.stochastic or record.name == "rrelu")
    )


def known(what: str, value: Any, names: Iterable[Any]) -> None:
    """Raise ``ValueError`` naming the nearest of ``names`` unless ``value`` is one of them."""
    names = list(names)
    if value in names:
        return
    nearest = difflib.get_close_matches(str(value), [str(name) for name in names], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(nearest)}? " if nearest else ""
    raise ValueError(f"unknown {what} {value!r}: {hint}known are {', '.join(map(str, names))}.")


def label(activation: str | Function) -> str:
    """What to call an activation: its name, or that of a function."""
    if isinstance(activation, str):
        return activation
    return str(getattr(activation, "__name__", type(activation).__name__))


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0


def _share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One way to build and train a network: an *arm* of an experiment, before any seed is chosen.

    - ``activation``, ``params``: a name of :mod:`actlab.catalog` and its parameters; or a function
      of one's own from a tensor (examples, units) to another (no weights, no noise).
    - ``hidden``: the widths of the hidden layers.
    - ``init``, ``gain``, ``bias``: see :mod:`actlab.ensemble.initial`; ``bias=None`` keeps the
      rule that belongs to ``init``, a number fills every bias with it, ``"torch"`` draws it as
      ``nn.Linear`` does. ``init`` may be a function ``(shape, generator) -> weights``.
    - ``optimizer``: ``"sgd"`` (``lr``, ``momentum``, ``weight_decay``), ``"adam"`` or ``"adamw"``
      (``lr``, ``betas``, ``eps``, ``weight_decay``), each exactly as in :mod:`torch.optim`.
      ``weight_decay`` is one number for everything that is learned, or numbers by kind:
      ``{"weights": 1e-3, "activation": 0}`` (also ``biases``, ``normalization``; 0 if left out).
    - ``batch_size``: the last, smaller batch of an epoch is used too.
    - ``normalization``: ``"batch"`` or ``"layer"``, between the matrix and the activation.
    - ``residual``: adds a block's input to its output wherever the two widths agree.
    - ``dropout``: the share dropped after every activation; ``alpha_dropout=True`` makes it the
      kind that keeps mean and variance under SELU (Klambauer et al., 2017).
    - ``clip_norm``: the largest gradient norm allowed, over all weights of one network.

    Raises ``ValueError`` or ``TypeError`` that says which field is wrong and what it may be.
    """

    activation: str | Function = "relu"
    params: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[int, ...] = (64,) * 5
    init: str | Initialiser = "torch"
    gain: float = 1.0
    bias: float | str | None = None
    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float | Mapping[str, float] = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    batch_size: int = 128
    normalization: str | None = None
    residual: bool = False
    dropout: float = 0.0
    alpha_dropout: bool = False
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if callable(self.activation):
            if self.params:
                raise ValueError(
                    f"params={self.params!r} belong to a name of the catalog; bind those of a "
                    "function with functools.partial."
                )
            check(self.activation)
        elif self.record.name not in (usable := hidden_activations()):
            raise ValueError(
                f"{self.record.name} cannot follow a hidden layer here (it has weights or noise of "
                f"its own, or wants images); those that can are {', '.join(usable)}."
            )
        _ = self.function  # raises where PyTorch cannot be given the parameters
        if not callable(self.init):
            known("init", self.init, INITIALISERS)
        known("optimizer", self.optimizer, OPTIMIZERS)
        decays = self.weight_decay
        for kind in decays if isinstance(decays, Mapping) else ():
            known("kind of weight_decay", kind, KINDS)
        known("normalization", self.normalization, NORMALIZATIONS)
        for name, valid, expected in (
            ("hidden", all(isinstance(w, int) and w > 0 for w in self.hidden), "positive integers"),
            ("lr", _positive(self.lr), "a positive number"),
            ("gain", _positive(self.gain), "a positive number"),
            ("eps", _positive(self.eps), "a positive number"),
            ("momentum", _share(self.momentum), "a number in [0, 1)"),
            ("betas", len(self.betas) == 2 and all(map(_share, self.betas)), "two in [0, 1)"),
            ("dropout", _share(self.dropout), "a share in [0, 1)"),
            ("batch_size", isinstance(self.batch_size, int) and self.batch_size > 0, "at least 1"),
            (
                "weight_decay",
                all(
                    _positive(decay) or decay == 0
                    for decay in (decays.values() if isinstance(decays, Mapping) else [decays])
                ),
                "zero or a positive number, or such numbers by kind",
            ),
            ("clip_norm", self.clip_norm is None or _positive(self.clip_norm), "None or positive"),
            (
                "bias",
                self.bias in (None, "torch") or isinstance(self.bias, (int, float)),
                'None, "torch" or a number',
            ),
        ):
            if not valid:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected {expected}.")

    @property
    def record(self) -> Activation:
        """The activation's record; raises ``UnknownActivationError`` with the nearest names.

        ``TypeError`` where the activation is a function of one's own.
        """
        if not isinstance(self.activation, str):
            raise TypeError(f"{label(self.activation)} is a function, which has no record.")
        return catalog.get(self.activation)

    @property
    def function(self) -> Function:
        """The activation of one network, as PyTorch code."""
        if not isinstance(self.activation, str):
            return self.activation
        return function(self.record, self.params)

    @property
    def kind(self) -> Kind:
        """Of the activation; a function of one's own may use all units of an example."""
        return self.record.kind if isinstance(self.activation, str) else "vector"

    @property
    def structure(self) -> tuple[Any, ...]:
        """What two networks must share to be computed as one tensor.

        Everything else (activation, initial weights, learning rate) may differ from one network
        to the next inside a chunk.
        """
        free = {"activation", "params", "init", "gain", "bias", "lr"}
        shape = tuple(getattr(self, f.name) for f in fields(self) if f.name not in free)
        return (
            *(tuple(v.items()) if isinstance(v, Mapping) else v for v in shape),
            self.kind == "gate",
        )

    def layer_sizes(self, n_features: int, n_classes: int) -> list[tuple[int, int]]:
        """(units in, units out) of every linear layer; a gate needs twice the units it leaves."""
        doubled = 2 if self.kind == "gate" else 1
        widths = [n_features, *self.hidden]
        pairs = [(i, doubled * o) for i, o in itertools.pairwise(widths)]
        return [*pairs, (widths[-1], n_classes)]


def make_arms(
    arms: Mapping[str, Mapping[str, Any]] | Sequence[str | Function] | None,
    common: Mapping[str, Any],
) -> dict[str, Settings]:
    """The settings of every arm: ``common`` ones, overridden by the arm's own.

    A list is one of activations. Raises ``ValueError`` for unknown or repeated names.
    """
    arms = by_name([common.get("activation", "relu")] if arms is None else arms)
    if not arms:
        raise ValueError("arms is empty: give at least one arm.")
    names = [f.name for f in fields(Settings)]
    for name, own in arms.items():
        for key in (*common, *own):
            try:
                known("setting", key, names)
            except ValueError as error:
                raise TypeError(f"arm {name!r}: {error}") from None
    return {name: Settings(**{**common, **own}) for name, own in arms.items()}


def by_name(
    arms: Mapping[str, Mapping[str, Any]] | Sequence[str | Function],
) -> Mapping[str, Mapping[str, Any]]:
    """Arms as they are, or an arm for each of a list of activations."""
    if isinstance(arms, str):
        raise TypeError(f'arms={arms!r}: expected a mapping or a list; did you mean ["{arms}"]?')
    if isinstance(arms, Mapping):
        return arms
    names = [label(activation) for activation in arms]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"arms: {', '.join(twice)} given more than once.")
    return {name: {"activation": own} for name, own in zip(names, arms, strict=True)}


def cross(**choices: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Every combination of the given settings, as arms.

    >>> list(cross(activation=["relu", "tanh"], lr=[0.1, 0.01]))
    ['relu, lr=0.1', 'relu, lr=0.01', 'tanh, lr=0.1', 'tanh, lr=0.01']

    Raises ``ValueError`` where two combinations would have the same name.
    """
    arms: dict[str, dict[str, Any]] = {}
    for values in itertools.product(*choices.values()):
        own = dict(zip(choices, values, strict=True))
        name = ", ".join(label(v) if k == "activation" else f"{k}={v}" for k, v in own.items())
        if name in arms:
            raise ValueError(f"two arms would be called {name!r}: give each choice once.")
        arms[name] = own
    return arms


def make_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """``20`` means ``range(20)``. Raises ``ValueError`` for none, negative or repeated seeds."""
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(s) for s in seeds)
    if not chosen:
        raise ValueError(f"seeds={seeds!r}: at least one seed is needed.")
    if min(chosen) < 0 or len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds={seeds!r}: expected different integers, none negative.")
    return chosen


@dataclass(frozen=True)
class Split:
    """One part of the data: ``x`` (n, features) and ``y`` (n,), as tensors."""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Data:
    """Training, validation and test part (the last two may be missing), checked."""

    train: Split
    valid: Split | None
    test: Split | None
    n_features: int
    n_classes: int

    @classmethod
    def of(cls, data: Any, dtype: torch.dtype, device: torch.device) -> Data:
        """From an :class:`actlab.data.Dataset` or a tuple of 2, 4 or 6 arrays.

        The tuple is ``x_train, y_train[, x_valid, y_valid[, x_test, y_test]]``. Raises
        ``ValueError`` or ``TypeError`` that names the array, what was wrong and what to do.
        """
        parts = ("train", "valid", "test")
        if hasattr(data, "x_train"):
            arrays = [getattr(data, f"{axis}_{part}") for part in parts for axis in "xy"]
        elif isinstance(data, (tuple, list)) and len(data) in (2, 4, 6):
            arrays = list(data)
        else:
            raise TypeError(
                "data: expected an actlab.data.Dataset or a tuple x_train, y_train"
                f"[, x_valid, y_valid[, x_test, y_test]], got {type(data).__name__}."
            )
        arrays = [None if array is None else np.asarray(array) for array in arrays]
        n_classes = getattr(data, "n_classes", None)
        splits: list[Split | None] = [None, None, None]
        for i, (part, x, y) in enumerate(zip(parts, arrays[::2], arrays[1::2], strict=False)):
            if x is None or y is None:
                continue
            n_classes = _check_split(part, x, y, n_classes)
            splits[i] = Split(
                torch.as_tensor(x).to(device, dtype), torch.as_tensor(y).to(device, torch.int64)
            )
        train, valid, test = splits
        if train is None or n_classes is None:
            raise ValueError("data: x_train and y_train are needed.")
        n_features = train.x.shape[1]
        for part, split in zip(parts, splits, strict=True):
            if split is not None and split.x.shape[1] != n_features:
                raise ValueError(
                    f"x_{part} has {split.x.shape[1]} features, x_train has {n_features}."
                )
        return cls(train, valid, test, n_features, n_classes)


def _check_split(
    part: str, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], n_classes: int | None
) -> int:
    """Check one part; returns the number of classes (from the training labels unless given)."""
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or not len(x):
        raise ValueError(
            f"x_{part} has shape {x.shape} and y_{part} {y.shape}: expected (n, features) and "
            "(n,) with the same n > 0; flatten images first."
        )
    if x.dtype.kind not in "fiub" or not np.isfinite(x).all():
        raise ValueError(f"x_{part} holds NaN, infinity or non-numbers: clean the data first.")
    if y.dtype.kind not in "iu":
        raise ValueError(f"y_{part} has dtype {y.dtype}: expected integer class numbers.")
    n_classes = int(y.max()) + 1 if n_classes is None else n_classes
    if y.min() < 0 or y.max() >= n_classes:
        raise ValueError(
            f"y_{part} holds labels from {y.min()} to {y.max()}: expected 0 to {n_classes - 1}."
        )
    return n_classes


def check_fit(arms: Mapping[str, Settings], data: Data) -> None:
    """Raise ``ValueError`` where an arm's batches do not suit the data."""
    n = len(data.train)
    for name, arm in arms.items():
        if arm.batch_size > n:
            raise ValueError(
                f"arm {name!r}: batch_size={arm.batch_size} is larger than the {n} training "
                "examples; choose a smaller one."
            )
        if arm.normalization == "batch" and 1 in (arm.batch_size, n % arm.batch_size):
            raise ValueError(
                f"arm {name!r}: batch_size={arm.batch_size} leaves a batch of one example of {n}, "
                "which has no variance for batch normalisation; choose another."
            )
