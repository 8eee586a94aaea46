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
``dense``, ``dense:2`` … ``TimeDistributed`` runs its layer once for all steps.

The data may be arrays, tensors or data frames (a list or dict of them for several inputs), or a
source of batches: a ``tf.data.Dataset``, a ``PyDataset``, a ``DataLoader``, a generator.

Put these callbacks before those that read the logs (``CSVLogger``, ``EarlyStopping``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import torch

from actlab.probes import statistics
from actlab.probes.batches import Batches, leaves, mapped, to_numpy
from actlab.probes.events import Layer, Sight, numbered, say_unseen
from actlab.probes.keras import Array, Observer, gradients, is_built, is_kernel, looking


class _Probe(keras.callbacks.Callback):
    """When to look; a subclass says at what."""

    def __init__(self, x: Any, batch_size: int) -> None:
        super().__init__()
        self.data = Batches(x, batch_size=batch_size)
        self.record: dict[str, list[Array]] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.record = {}
        if not is_built(self.model):  # training would do it now
            self.model(mapped(to_numpy, next(iter(self.data)).x), training=False)
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

        self.told: set[str] = set()

    def look(self) -> dict[str, float]:
        sight = Sight()
        with looking(self.model):
            for batch in self.data:
                observer = Observer(self.model, sight.add, names=self.names)
                observer.run(batch.x)
                sight.unseen |= observer.unseen
                sight.end(observer.flow)
        layers = sight.layers if self.names is not None else sight.hidden()
        have = ", ".join(layer.name for layer in observer.layers)
        if not layers and self.names is not None:
            raise ValueError(f"the model called none of the layers {', '.join(self.names)}.")
        if not layers:
            raise ValueError(
                f"no hidden layer with an activation was found: name them; the model has {have}."
                + "".join(f" Not looked at: {name} ({why})." for name, why in sight.unseen.items())
            )
        if self.names is None:
            say_unseen({name: why for name, why in sight.unseen.items() if name not in self.told})
            self.told |= sight.unseen.keys()
        numbers: dict[str, float] = {}
        for name, layer in layers.items():
            numbers |= self.measure(name, layer)
        return numbers

    def measure(self, name: str, layer: Layer) -> dict[str, float]:
        """File one layer in the record and return its entries for the logs."""
        raise NotImplementedError


class DeadUnits(_ActivationProbe):
    """Share of units that are zero for every input of ``x``: ``dead_share/<layer>`` in the logs.

    ``x``: data as for ``model.predict``; give all of the training data for the definition of the
    book. A unit of a convolution is a channel, dead if it is zero at every position. ``layers``
    names the layers to look at; by default all hidden activations: layers with an ``activation``
    other than linear and softmax, activation layers, and activation functions that the model calls
    by itself (``keras.ops.relu(x)`` is ``relu`` in a functional model, ``block.relu()`` in the
    ``call`` of ``block``). Hidden are those that a layer with weights reads: an output layer's is
    not looked at. Recurrent layers, whose activations are out of reach, are named in a warning.
    ``threshold``: the largest absolute value that still counts as zero.

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

    def measure(self, name: str, layer: Layer) -> dict[str, float]:
        self.file(name, statistics.dead_units(layer.stats, self.threshold)[0])
        return {f"dead_share/{name}": float(statistics.dead_share(layer.stats, self.threshold))}


class LayerMoments(_ActivationProbe):
    """Mean and variance of each layer's activations: ``mean/<layer>`` and ``variance/<layer>``.

    Over all units and all inputs of ``x`` together; arguments as for :class:`DeadUnits`.
    ``record[layer]`` is a list of arrays (2,): mean and variance.
    """

    def measure(self, name: str, layer: Layer) -> dict[str, float]:
        moments = statistics.moments(layer.stats)
        mean, variance = float(moments.mean), float(moments.variance)
        self.file(name, [mean, variance])
        return {f"mean/{name}": mean, f"variance/{name}": variance}


class GradientNorms(_Probe):
    """Gradient norm of each layer's weights, and its ratio to the weights' own norm.

    ``x`` and ``y``: arrays as for ``model.fit``, with ``sample_weight`` where training has it; or
    ``x`` alone: a source of batches (x, y) or (x, y, sample_weight).

    The gradient is that of the loss the model was compiled with: of its mean over all of ``x``
    and ``y``, however the loss itself reduces (batch by batch, in inference mode). Where the
    optimiser scales the loss (mixed_float16), so does this, and unscales the gradient. A layer's
    weights are its kernels (trainable weights with at least two axes; biases are left out). The
    logs get ``gradient_norm/<layer>`` and ``gradient_ratio/<layer>``; ``record[layer]`` is a list
    of arrays (2,): norm and ratio.

    Needs the TensorFlow backend. Raises ``ValueError`` for another one, if ``x`` and ``y`` differ
    in length, or if the model has no such weights.
    """

    def __init__(
        self, x: Any, y: Any = None, batch_size: int = 1024, sample_weight: Any = None
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "GradientNorms needs Keras's TensorFlow backend, not "
                f"{keras.backend.backend()}: set KERAS_BACKEND=tensorflow before importing keras."
            )
        if y is not None:
            counts = [len(leaf) for data in (x, y) for leaf in leaves(data)[:1]]
            if counts[0] != counts[1]:
                raise ValueError(f"x has {counts[0]} samples, but y has {counts[1]}.")
            x = (x, y) if sample_weight is None else (x, y, sample_weight)
        super().__init__(x, batch_size)

    def look(self) -> dict[str, float]:
        kernels = [v for v in self.model.trainable_variables if is_kernel(v)]
        if not kernels:
            raise ValueError("the model has no trainable weights with two axes or more.")
        found = gradients(self.model, self.data, kernels)
        numbers: dict[str, float] = {}
        for name, members in _by_layer(kernels).items():
            weights = [keras.ops.convert_to_numpy(kernels[i]) for i in members]
            # A weight that the loss does not depend on has the gradient 0.
            slopes = [np.zeros(kernels[i].shape) if (g := found[i]) is None else g for i in members]
            got = statistics.gradient_norms([_joined(slopes)], [_joined(weights)])
            norm, ratio = float(got.gradient), float(got.ratio)
            self.file(name, [norm, ratio])
            numbers |= {f"gradient_norm/{name}": norm, f"gradient_ratio/{name}": ratio}
        return numbers


def _joined(arrays: list[Array]) -> torch.Tensor:
    """All the numbers of some arrays: (1, how many)."""
    return torch.from_numpy(np.concatenate([np.ravel(array) for array in arrays])[None])


def _by_layer(variables: list[Any]) -> dict[str, list[int]]:
    """Name of the layer → the numbers of its variables."""
    owners: dict[str, list[int]] = {}
    for i, variable in enumerate(variables):
        owners.setdefault(variable.path.rpartition("/")[0], []).append(i)
    calls: Counter[str] = Counter()
    return {numbered(path.rpartition("/")[2], calls): members for path, members in owners.items()}
