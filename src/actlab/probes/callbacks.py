# ruff: noqa: D102  (on_train_begin and on_epoch_end are Keras's own hooks; the classes say what)
# mypy: allow-subclassing-any
"""The probes as Keras callbacks: dead units, moments and gradient norms after every epoch.

Each takes a probe data set, looks at the model before training and after every epoch, and writes
one number per layer into the logs, so that it stands in ``history.history`` beside the loss:

>>> history = model.fit(x, y, callbacks=[DeadUnits(x)], ...)
>>> history.history["dead_share/dense_1"]

The whole picture, unit by unit, stays in the callback's ``record``: layer name → one array per
look, the first of them before training. A new ``fit`` starts a new record. The definitions are
those of :mod:`actlab.probes`.

Any Keras model will do: Sequential, functional, subclassed or nested. The layers are listened to
while the model runs eagerly in inference mode (no dropout; batch norm with its moving averages),
so neither the graph that ``fit`` compiled nor the weights are touched. A layer that runs several
times in one pass, and layers that share a name, are told apart in the order in which they run:
``dense``, ``dense:2`` …

Put these callbacks before those that read the logs (``CSVLogger``, ``EarlyStopping``).
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import torch

from actlab import probes
from actlab.probes import ActivationStats, LayerStats
from actlab.recipes import keras as recipes

Array = npt.NDArray[Any]


class _Probe(keras.callbacks.Callback):
    """When to look; a subclass says at what."""

    def __init__(self, x: Any, batch_size: int) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size!r} is not allowed; expected at least 1.")
        self.x = _arrays("x", x)
        self.samples = _count(self.x)
        self.batch_size = batch_size
        self.record: dict[str, list[Array]] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.record = {}
        self.look()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seen = self.look()
        if logs is not None:
            logs.update(seen)

    def look(self) -> dict[str, float]:
        """Look at the model now: file it in ``record`` and return what goes into the logs."""
        raise NotImplementedError

    def file(self, name: str, values: Any) -> None:
        """Append to the record of one layer."""
        self.record.setdefault(name, []).append(np.asarray(values))


class _ActivationProbe(_Probe):
    """Gathers the statistics of activations; a subclass turns them into numbers."""

    def __init__(self, x: Any, layers: Iterable[str] | None = None, batch_size: int = 1024) -> None:
        super().__init__(x, batch_size)
        if isinstance(layers, str):
            layers = [layers]
        self.names = None if layers is None else list(layers)

    def look(self) -> dict[str, float]:
        layers = _choose(self.model, self.names)
        stats, names = ActivationStats(), list[str]()
        for start in range(0, self.samples, self.batch_size):
            with _listening(layers) as seen:
                self.model(_rows(self.x, start, self.batch_size), training=False)
            if not seen:
                called = ", ".join(layer.name for layer in layers)
                raise ValueError(f"the model called none of the layers {called}.")
            names = list(seen)
            stats.update(seen.values())
        numbers: dict[str, float] = {}
        for name, layer in zip(names, stats.result(), strict=True):
            numbers |= self.measure(name, layer)
        return numbers

    def measure(self, name: str, layer: LayerStats) -> dict[str, float]:
        """File one layer in the record and return its entries for the logs."""
        raise NotImplementedError


class DeadUnits(_ActivationProbe):
    """Share of units that are zero for every input of ``x``: ``dead_share/<layer>`` in the logs.

    ``x``: arrays as for ``model.predict``; give all of the training data for the definition of the
    book. A unit of a convolution is a channel, dead if it is zero at every position. ``layers``
    names the layers to look at; by default all hidden activations: layers with an ``activation``
    other than linear and softmax, and activation layers. ``threshold``: the largest absolute
    value that still counts as zero.

    ``record[layer]`` is a list of boolean arrays (units,), before training and after each epoch.
    """

    def __init__(
        self,
        x: Any,
        layers: Iterable[str] | None = None,
        threshold: float = 0.0,
        batch_size: int = 1024,
    ) -> None:
        super().__init__(x, layers, batch_size)
        if not threshold >= 0:
            raise ValueError(f"threshold={threshold!r} is not allowed; expected a number >= 0.")
        self.threshold = threshold

    def measure(self, name: str, layer: LayerStats) -> dict[str, float]:
        self.file(name, probes.dead_units(layer, self.threshold)[0])
        return {f"dead_share/{name}": float(probes.dead_share(layer, self.threshold))}


class LayerMoments(_ActivationProbe):
    """Mean and variance of each layer's activations: ``mean/<layer>`` and ``variance/<layer>``.

    Over all units and all inputs of ``x`` together; arguments as for :class:`DeadUnits`.
    ``record[layer]`` is a list of arrays (2,): mean and variance.
    """

    def measure(self, name: str, layer: LayerStats) -> dict[str, float]:
        moments = probes.moments(layer)
        mean, variance = float(moments.mean), float(moments.variance)
        self.file(name, [mean, variance])
        return {f"mean/{name}": mean, f"variance/{name}": variance}


class GradientNorms(_Probe):
    """Gradient norm of each layer's weights, and its ratio to the weights' own norm.

    The gradient is that of the loss the model was compiled with, over all of ``x`` and ``y``
    (batch by batch, in inference mode). A layer's weights are its kernels (trainable weights with
    at least two axes; biases are left out). The logs get ``gradient_norm/<layer>`` and
    ``gradient_ratio/<layer>``; ``record[layer]`` is a list of arrays (2,): norm and ratio.

    Needs the TensorFlow backend. Raises ``ValueError`` for another one, if ``x`` and ``y`` differ
    in length, or if the model has no such weights.
    """

    def __init__(self, x: Any, y: Any, batch_size: int = 1024) -> None:
        super().__init__(x, batch_size)
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "GradientNorms needs Keras's TensorFlow backend, not "
                f"{keras.backend.backend()}: set KERAS_BACKEND=tensorflow before importing keras."
            )
        self.y = _arrays("y", y)
        if _count(self.y) != self.samples:
            raise ValueError(f"x has {self.samples} samples, but y has {_count(self.y)}.")

    def look(self) -> dict[str, float]:
        kernels = [v for v in self.model.trainable_variables if len(v.shape) >= 2]
        if not kernels:
            raise ValueError("the model has no trainable weights with two axes or more.")
        gradients = self._gradients(kernels)
        numbers: dict[str, float] = {}
        for name, members in _by_layer(kernels).items():
            weights = [keras.ops.convert_to_numpy(kernels[i]) for i in members]
            got = probes.gradient_norms(
                [_joined([gradients[i] for i in members])], [_joined(weights)]
            )
            norm, ratio = float(got.gradient), float(got.ratio)
            self.file(name, [norm, ratio])
            numbers |= {f"gradient_norm/{name}": norm, f"gradient_ratio/{name}": ratio}
        return numbers

    def _gradients(self, variables: list[Any]) -> list[Array]:
        """Of the mean loss over all samples, in float64."""
        import tensorflow as tf

        total = [np.zeros(v.shape) for v in variables]
        for start in range(0, self.samples, self.batch_size):
            x, y = (_rows(data, start, self.batch_size) for data in (self.x, self.y))
            with tf.GradientTape() as tape:
                outputs = self.model(x, training=False)
                loss = self.model.compute_loss(x, y, outputs, training=False)
            for i, gradient in enumerate(tape.gradient(loss, variables)):
                if gradient is not None:  # a weight that the loss does not depend on
                    share = _count(x) / self.samples
                    # convert_to_tensor: an embedding's gradient comes as a list of rows.
                    total[i] += share * keras.ops.convert_to_numpy(tf.convert_to_tensor(gradient))
        return total


# --- Finding layers and listening to them --------------------------------------------------------


def _choose(model: Any, names: list[str] | None) -> list[Any]:
    """The layers named, or all hidden activations; sub-models and sub-layers included."""
    layers = model._flatten_layers(include_self=False)
    have = f"the model has {', '.join(layer.name for layer in layers)}."
    if names is None:
        chosen = [layer for layer in layers if _is_hidden_activation(layer)]
        if not chosen:
            raise ValueError(f"no layer with an activation was found: name them; {have}")
        return chosen
    known = {layer.name for layer in layers}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no layer is called {', '.join(map(repr, unknown))}; {have}")
    return [layer for layer in layers if layer.name in names]


def _is_hidden_activation(layer: Any) -> bool:
    if isinstance(layer, OWN_LAYER):
        return True
    activation = getattr(layer, "activation", None)
    # A layer given as an activation is found by itself. Recurrent layers and cells apply theirs
    # inside, step by step: what comes out is not it.
    if isinstance(activation, keras.layers.Layer) or hasattr(layer, "state_size"):
        return False
    name = getattr(activation, "__name__", activation)
    return name is not None and name not in NOT_OF_A_HIDDEN_UNIT


OWN_LAYER = (
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    recipes.RReLU,
    recipes.ThresholdedReLU,
)
NOT_OF_A_HIDDEN_UNIT = ("linear", "softmax", "log_softmax", "sparsemax")


@contextlib.contextmanager
def _listening(layers: list[Any]) -> Iterator[dict[str, torch.Tensor]]:
    """Collect what the layers give while the model runs: name → (1, samples, units).

    Keras has no forward hooks, so each layer's own ``call`` is covered for the time being; the
    attribute is set past Keras's tracking and removed again, also after an error.
    """
    seen: dict[str, torch.Tensor] = {}
    calls: Counter[str] = Counter()

    def cover(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def heard(*args: Any, **kwargs: Any) -> Any:
            output = call(*args, **kwargs)
            seen[_numbered(layer.name, calls)] = _by_unit(layer, output)
            return output

        return heard

    covered = {id(layer): (layer, vars(layer).get("call")) for layer in layers}
    try:
        for layer, _ in covered.values():
            object.__setattr__(layer, "call", cover(layer, layer.call))
        yield seen
    finally:
        for layer, own in covered.values():
            if own is not None:
                object.__setattr__(layer, "call", own)
            elif "call" in vars(layer):
                object.__delattr__(layer, "call")


def _by_unit(layer: Any, output: Any) -> torch.Tensor:
    """(samples, ..., units), or units at axis 1 in channels_first, → (1, samples · ..., units)."""
    shape = getattr(output, "shape", None)
    if shape is None or len(shape) < 2:
        kind = type(output).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"layer {layer.name!r} gives {kind}; expected one tensor (samples, ..., units). "
            "Choose others with layers=[...]."
        )
    array = keras.ops.convert_to_numpy(output)
    image = len(shape) >= 4
    layout = getattr(layer, "data_format", keras.config.image_data_format() if image else None)
    array = np.moveaxis(array, 1 if layout == "channels_first" else -1, -1)
    array = array.reshape(1, -1, array.shape[-1])
    return torch.tensor(array.astype(np.result_type(array, np.float32), copy=False))


def _joined(arrays: list[Array]) -> torch.Tensor:
    """All the numbers of some arrays: (1, how many)."""
    return torch.from_numpy(np.concatenate([np.ravel(array) for array in arrays])[None])


def _by_layer(variables: list[Any]) -> dict[str, list[int]]:
    """Name of the layer → the numbers of its variables."""
    owners: dict[str, list[int]] = {}
    for i, variable in enumerate(variables):
        owners.setdefault(variable.path.rpartition("/")[0], []).append(i)
    calls: Counter[str] = Counter()
    return {_numbered(path.rpartition("/")[2], calls): members for path, members in owners.items()}


def _numbered(name: str, calls: Counter[str]) -> str:
    """The name itself the first time; then with a number: ``dense:2``."""
    calls[name] += 1
    return name if calls[name] == 1 else f"{name}:{calls[name]}"


# --- The probe data ------------------------------------------------------------------------------


def _arrays(name: str, data: Any) -> Any:
    """An array, or a structure of arrays of one length, as NumPy arrays."""
    leaves = keras.tree.flatten(data)
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise ValueError(
            f"{name}: expected an array, or a list or dict of arrays (one per input), got "
            f"{type(data).__name__}."
        )
    lengths = {len(leaf) for leaf in leaves}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(f"{name}: expected arrays of one length above 0, got {sorted(lengths)}.")
    return keras.tree.map_structure(np.asarray, data)


def _count(data: Any) -> int:
    return len(keras.tree.flatten(data)[0])


def _rows(data: Any, start: int, count: int) -> Any:
    return keras.tree.map_structure(lambda array: array[start : start + count], data)
