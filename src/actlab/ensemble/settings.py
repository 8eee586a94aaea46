"""What one arm of an experiment is, and what must be true before any work starts."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch

from actlab import catalog, inputs
from actlab.catalog import Activation
from actlab.catalog.record import Kind
from actlab.ensemble.activations import Function, check, function
from actlab.ensemble.initial import INITIALISERS, Bias, Initialiser, initial_weights
from actlab.probes.batches import Batches

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
    if (value is None or isinstance(value, str)) and value in names:
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
    return inputs.is_real(value) and bool(0 < value < 1e38)  # or float32 is soon exceeded


def _share(value: Any) -> bool:
    return inputs.is_real(value) and bool(0 <= value < 1)


def _count(value: Any) -> bool:
    return inputs.is_integer(value) and bool(value > 0)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One way to build and train a network: an *arm* of an experiment, before any seed is chosen.

    - ``activation``, ``params``: a name of :mod:`actlab.catalog` and its parameters; or a function
      of one's own from a tensor (examples, units) to another (no weights, no noise).
    - ``hidden``: the widths of the hidden layers.
    - ``init``, ``gain``, ``bias``: see :mod:`actlab.ensemble.initial`; ``bias=None`` keeps the
      rule that belongs to ``init``, a number fills every bias with it, ``"torch"`` draws it as
      ``nn.Linear`` does. ``init`` may be a function ``(shape, generator) -> weights``, ``bias``
      one ``(weights, layer) -> biases``, with the layer's number from 0.
    - ``optimizer``: ``"sgd"`` (``lr``, ``momentum``, ``weight_decay``), ``"adam"`` or ``"adamw"``
      (``lr``, ``betas``, ``eps``, ``weight_decay``), each exactly as in :mod:`torch.optim`.
      ``weight_decay`` is one number for everything that is learned, or numbers by kind:
      ``{"weights": 1e-3, "activation": 0}`` (also ``biases``, ``normalization``; 0 if left out).
    - ``batch_size``: the last, smaller batch of an epoch is used too.
    - ``normalization``: ``"batch"`` or ``"layer"``, between the matrix and the activation.
    - ``residual``: adds a block's input to its output wherever the two widths agree; the initial
      weights of those blocks are multiplied by ``branch_gain``. Without normalisation a start made
      for plain layers lets the signal grow from block to block; 1/(number of blocks) bounds that.
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
    bias: float | str | Bias | None = None
    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float | Mapping[str, float] = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    batch_size: int = 128
    normalization: str | None = None
    residual: bool = False
    branch_gain: float = 1.0
    dropout: float = 0.0
    alpha_dropout: bool = False
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        # NumPy's numbers, and tensors without an axis, are as good as Python's.
        for f in fields(self):
            object.__setattr__(self, f.name, inputs.number(getattr(self, f.name)))
        for name, such_as in (("hidden", "(64, 64)"), ("betas", "(0.9, 0.999)")):
            values = tuple(inputs.several(getattr(self, name), name, such_as))
            object.__setattr__(self, name, values)
        if not isinstance(self.params, Mapping):
            raise TypeError(f"params={self.params!r}: expected a mapping from names to values.")
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
        if not callable(self.activation):
            plain = self.record.resolve(self.params)
            object.__setattr__(self, "params", {name: plain[name] for name in self.params})
        _ = self.function  # raises where PyTorch cannot be given the parameters
        if not callable(self.init):
            known("init", self.init, INITIALISERS)
        known("optimizer", self.optimizer, OPTIMIZERS)
        decays = self.weight_decay
        if isinstance(decays, Mapping):
            for kind in decays:
                known("kind of weight_decay", kind, KINDS)
            decays = {kind: inputs.number(decay) for kind, decay in decays.items()}
            object.__setattr__(self, "weight_decay", decays)
        known("normalization", self.normalization, NORMALIZATIONS)
        for name, valid, expected in (
            ("hidden", all(map(_count, self.hidden)), "positive integers"),
            ("lr", _positive(self.lr), "a positive number below 1e38"),
            ("gain", _positive(self.gain), "a positive number below 1e38"),
            ("eps", _positive(self.eps), "a positive number below 1e38"),
            ("momentum", _share(self.momentum), "a number in [0, 1)"),
            ("betas", len(self.betas) == 2 and all(map(_share, self.betas)), "two in [0, 1)"),
            ("dropout", _share(self.dropout), "a share in [0, 1)"),
            ("batch_size", _count(self.batch_size), "at least 1, an integer"),
            ("residual", isinstance(self.residual, bool), "True or False"),
            (
                "branch_gain",
                _positive(self.branch_gain) and (self.residual or self.branch_gain == 1),
                "a positive number below 1e38, and 1 without residual=True",
            ),
            ("alpha_dropout", isinstance(self.alpha_dropout, bool), "True or False"),
            (
                "weight_decay",
                all(
                    _positive(decay) or (inputs.is_real(decay) and decay == 0)
                    for decay in (decays.values() if isinstance(decays, Mapping) else [decays])
                ),
                "zero or a positive number, or such numbers by kind, below 1e38",
            ),
            ("clip_norm", self.clip_norm is None or _positive(self.clip_norm), "None or positive"),
            (
                "bias",
                self.bias is None
                or (isinstance(self.bias, str) and self.bias == "torch")
                or callable(self.bias)
                or inputs.is_real(self.bias),
                'None, "torch", a number or a function',
            ),
        ):
            if not valid:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected {expected}.")

    @property
    def record(self) -> Activation:
        """The activation's record; raises ``UnknownActivationError`` with the nearest names.

        ``TypeError`` where the activation is a function of one's own.
        """
        if callable(self.activation):
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
        free = {"activation", "params", "init", "gain", "branch_gain", "bias", "lr"}
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
        if not isinstance(own, Mapping):
            raise TypeError(
                f"arm {name!r}: expected a mapping of settings, such as "
                f'{{"activation": "relu"}}, got {own!r}.'
            )
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
    arms = inputs.several(arms, "arms", '["relu", "tanh"]')
    names = [label(activation) for activation in arms]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"arms: {', '.join(twice)} given more than once.")
    return {name: {"activation": own} for name, own in zip(names, arms, strict=True)}


def cross(**choices: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Every combination of the given settings, as arms.

    >>> list(cross(activation=["relu", "tanh"], lr=[0.1, 0.01]))
    ['relu, lr=0.1', 'relu, lr=0.01', 'tanh, lr=0.1', 'tanh, lr=0.01']

    Raises ``ValueError`` where two combinations would have the same name, ``TypeError`` for a
    single choice that is not in a list.
    """
    arms: dict[str, dict[str, Any]] = {}
    lists = [inputs.several(values, key, f"[{values!r}]") for key, values in choices.items()]
    for values in itertools.product(*lists):
        own = dict(zip(choices, values, strict=True))
        name = ", ".join(label(v) if k == "activation" else f"{k}={v}" for k, v in own.items())
        if name in arms:
            raise ValueError(f"two arms would be called {name!r}: give each choice once.")
        arms[name] = own
    return arms


def make_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """``20`` means ``range(20)``.

    Raises ``ValueError`` for none, negative or repeated seeds and for what is no integer, and
    ``TypeError`` for what is neither a number nor several.
    """
    many = inputs.number(seeds)
    if inputs.is_integer(many):
        chosen = tuple(range(many))
    else:
        chosen = tuple(inputs.several(many, "seeds", "20 or [0, 1, 2]"))
    if not chosen:
        raise ValueError(f"seeds={seeds!r}: at least one seed is needed.")
    if not all(inputs.is_integer(s) and 0 <= s < 2**63 for s in chosen) or (
        len(set(chosen)) < len(chosen)
    ):
        raise ValueError(f"seeds={seeds!r}: expected different integers, none negative.")
    return chosen


@dataclass(frozen=True)
class Split:
    """One part of the data: ``x`` (n, features) and ``y`` (n,), as tensors."""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device) -> Split:
        """The same on another device."""
        return Split(self.x.to(device), self.y.to(device))


PARTS = ("train", "valid", "test")


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

        The tuple is ``x_train, y_train[, x_valid, y_valid[, x_test, y_test]]``; for what an array
        may be, see :func:`actlab.inputs.array`. A ``DataLoader``, a ``Dataset`` of PyTorch or a
        ``tf.data.Dataset`` of pairs (x, y) is read into memory: one is the training part, of a
        tuple of them the second is the validation and the third the test part.

        Unless the data set says how many classes there are, its labels must be 0 to k - 1, all of
        them used. Raises ``ValueError`` or ``TypeError`` that names the array, what was wrong and
        what to do.
        """
        arrays = separate(data)
        splits = {
            part: _split((f"x_{part}", f"y_{part}"), (x, y), dtype)
            for part, x, y in zip(PARTS, arrays[::2], arrays[1::2], strict=True)
            if x is not None
        }
        n_features = splits["train"].x.shape[1]
        n_classes = getattr(data, "n_classes", None)
        if n_classes is None:
            n_classes = _classes([split.y for split in splits.values()])
        n_classes = inputs.integer(n_classes, "n_classes", 2)
        for part, split in splits.items():
            _check_fit(split, (f"x_{part}", f"y_{part}"), n_features, n_classes)
        train, valid, test = (splits[part].to(device) if part in splits else None for part in PARTS)
        assert train is not None
        return cls(train, valid, test, n_features, n_classes)

    def also(self, pair: Any, name: str) -> Split:
        """More examples ``(x, y)`` of the same kind; errors call them ``name``."""
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"{name}: expected a pair (x, y), got {type(pair).__name__}.")
        names = (f"{name}: x", f"{name}: y")
        split = _split(names, pair, self.train.x.dtype)
        _check_fit(split, names, self.n_features, self.n_classes)
        return split.to(self.train.x.device)


def separate(data: Any) -> list[Any]:
    """``x_train, y_train, x_valid, …, y_test`` as they came, ``None`` for what is missing.

    Raises ``TypeError`` for what holds no such arrays, ``ValueError`` for an x without its y.
    """
    names = [f"{axis}_{part}" for part in PARTS for axis in "xy"]
    sources = data if isinstance(data, (tuple, list)) else [data]
    if 1 <= len(sources) <= 3 and all(map(_gives_batches, sources)):
        pairs = [_read(source, part) for part, source in zip(PARTS, sources, strict=False)]
        data = [array for pair in pairs for array in pair]
    if hasattr(data, "x_train"):
        arrays = [getattr(data, name, None) for name in names]
    elif isinstance(data, (tuple, list)) and data and all(map(_is_pair, data)):
        raise TypeError(
            "data has the layout ((x_train, y_train), (x_test, y_test)) of "
            "keras.datasets.*.load_data(): give one tuple x_train, y_train[, x_valid, y_valid[, "
            "x_test, y_test]]; a validation part is yours to take from the training part."
        )
    elif isinstance(data, (tuple, list)) and len(data) in (2, 4, 6):
        arrays = [*data, *[None] * (6 - len(data))]
    else:
        raise TypeError(
            "data: expected an actlab.data.Dataset or a tuple x_train, y_train"
            f"[, x_valid, y_valid[, x_test, y_test]], got {type(data).__name__}."
        )
    if arrays[0] is None or arrays[1] is None:
        raise ValueError("data: x_train and y_train are needed.")
    for i in (2, 4):
        if (arrays[i] is None) != (arrays[i + 1] is None):
            given, missing = (i, i + 1) if arrays[i + 1] is None else (i + 1, i)
            raise ValueError(f"data: {names[given]} is given and {names[missing]} is missing.")
    return arrays


def _gives_batches(source: Any) -> bool:
    """Something of PyTorch, TensorFlow or Keras that is iterated over, batch by batch."""
    kinds = (torch.utils.data.DataLoader, torch.utils.data.Dataset)
    return isinstance(source, kinds) or hasattr(source, "cardinality")


def _read(source: Any, part: str) -> tuple[Any, Any]:
    """All of x and y that it gives. Raises ``ValueError`` where there is no y, or more than it."""
    batches = list(Batches(source, batch_size=1024, name=f"the {part} data"))
    if any(batch.y is None or batch.weight is not None for batch in batches):
        raise ValueError(f"the {part} data: expected pairs (x, y), without sample weights.")
    x, y = (
        [inputs.array(getattr(batch, axis), f"{axis}_{part}") for batch in batches] for axis in "xy"
    )
    return np.concatenate(x), np.concatenate(y)


def _is_pair(value: Any) -> bool:
    """A tuple or list of features and their labels, rather than an array of two rows."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    try:
        x, y = (inputs.array(part, "") for part in value)
    except TypeError:
        return False
    return bool(x.ndim >= 2 and y.ndim >= 1 and len(x) == len(y))


def _split(names: tuple[str, str], given: Sequence[Any], dtype: torch.dtype) -> Split:
    """Features (n, features) in ``dtype`` and labels (n,), each checked by itself."""
    x, y = inputs.array(given[0], names[0]), inputs.labels(given[1], names[1])
    if x.ndim > 2:
        raise ValueError(
            f"{names[0]} has shape {x.shape}: expected (n, features); flatten images first, with "
            ".reshape(len(x), -1)."
        )
    if x.ndim != 2 or len(x) != len(y) or not len(x):
        hint = "; a single feature is a column: .reshape(-1, 1)" if x.ndim == 1 else ""
        raise ValueError(
            f"{names[0]} has shape {x.shape} and {names[1]} {y.shape}: expected (n, features) and "
            f"(n,) with the same n > 0{hint}."
        )
    if not x.shape[1]:
        raise ValueError(f"{names[0]} has shape {x.shape}: there is no feature to learn from.")
    wide = np.float64 if dtype == torch.float64 else np.float32
    with np.errstate(all="ignore"):  # what is too large becomes infinite and is found below
        tensor = torch.from_numpy(np.require(x, wide, ["C", "W"])).to(dtype)
    if not (finite := tensor.isfinite().all(1)).all():
        row = int((~finite).nonzero()[0])
        what, remedy = "NaN, infinity or missing values", "clean the data first"
        if np.isfinite(x).all():
            what, remedy = f"numbers too large for {str(dtype)[6:]}", "scale the data"
        raise ValueError(f"{names[0]} holds {what} (first in row {row}): {remedy}.")
    return Split(tensor, torch.from_numpy(y))


def _check_fit(split: Split, names: tuple[str, str], n_features: int, n_classes: int) -> None:
    """Raise ``ValueError`` where a part does not go with the training data."""
    if split.x.shape[1] != n_features:
        raise ValueError(
            f"{names[0]} has {split.x.shape[1]} features, the training data {n_features}."
        )
    if split.y.max() >= n_classes:
        raise ValueError(
            f"{names[1]} holds labels from {split.y.min()} to {split.y.max()}: expected 0 to "
            f"{n_classes - 1}."
        )


def _classes(labels: Sequence[torch.Tensor]) -> int:
    """How many classes the training labels (the first) have, none of which may be unused."""
    n_classes = int(labels[0].max()) + 1
    counts = torch.bincount(torch.cat(list(labels)), minlength=n_classes)[:n_classes]
    if len(unused := (counts == 0).nonzero().flatten().tolist()):
        shown = ", ".join(map(str, unused[:3])) + (", …" if len(unused) > 3 else "")
        raise ValueError(
            f"y_train holds labels up to {n_classes - 1}, and {len(unused)} below it are nowhere "
            f"used ({shown}): {inputs.NUMBERED}"
        )
    if n_classes < 2:
        raise ValueError("y_train holds one class only: there is nothing to tell apart.")
    return n_classes


def check_fit(arms: Mapping[str, Settings], data: Data) -> None:
    """Raise ``ValueError`` where an arm's batches or own initial weights do not suit the data."""
    n = len(data.train)
    for name, arm in arms.items():
        if callable(arm.init) or callable(arm.bias):
            try:
                initial_weights(arm, arm.layer_sizes(data.n_features, data.n_classes), 0)
            except (TypeError, ValueError) as error:
                raise type(error)(f"arm {name!r}: {error}") from error
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
