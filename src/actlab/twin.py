"""The same network, twice: one set of weights, one data order, trained by Keras and by PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from actlab import inputs
from actlab.ensemble import Settings, data_order, initial_weights
from actlab.ensemble.settings import Data, check_fit, known, make_arms

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Twins:
    """The loss of every step, (steps,) each, and the two trained models."""

    torch_loss: Array
    keras_loss: Array
    torch_model: torch.nn.Sequential
    keras_model: Any

    @property
    def largest_difference(self) -> float:
        """The largest distance between the two curves."""
        return float(np.abs(self.torch_loss - self.keras_loss).max())


def keras_twin(
    data: Any, *, seed: int = 0, epochs: int = 1, dtype: str = "float32", **settings: Any
) -> Twins:
    """Train one network in PyTorch and in Keras from the same weights on the same batches.

    ``data`` and ``settings`` as in :func:`actlab.ensemble.train`: activation and its ``params``,
    ``hidden``, ``init``, ``optimizer`` (``sgd`` with momentum, ``adam``), ``lr``, ``batch_size``.
    Both models are what a reader would write: ``torch.nn`` layers with ``torch.optim``, ``Dense``
    layers with ``keras.optimizers``. Raises ``ValueError`` for settings whose Keras counterpart
    differs in more than its spelling (normalisation, dropout, clipping, residual, decay).
    """
    epochs, seed = inputs.integer(epochs, "epochs", 1), inputs.integer(seed, "seed", 0)
    known("dtype", dtype, ("float32", "float64"))
    (arm,) = make_arms({"twins": {}}, settings).values()
    plain = Settings()
    for name in ("normalization", "residual", "dropout", "clip_norm", "weight_decay"):
        if getattr(arm, name) != getattr(plain, name):
            raise ValueError(
                f"{name} is not part of the twins: leave it at {getattr(plain, name)}."
            )
    if arm.record.kind == "gate":
        raise ValueError(f"{arm.record.name} halves its input: the twins have no such layer.")
    split = Data.of(data, getattr(torch, dtype), torch.device("cpu"))
    check_fit({"twins": arm}, split)
    sizes = arm.layer_sizes(split.n_features, split.n_classes)
    weights = initial_weights(arm, sizes, seed)
    orders = data_order(seed, len(split.train))
    batches = [b for _ in range(epochs) for b in torch.split(next(orders), arm.batch_size)]
    torch_loss, torch_model = _train_torch(arm, weights, split, batches)
    keras_loss, keras_model = _train_keras(arm, weights, split, batches, dtype)
    return Twins(np.array(torch_loss), np.array(keras_loss), torch_model, keras_model)


def _train_torch(
    arm: Settings, weights: Any, data: Data, batches: Any
) -> tuple[list[float], torch.nn.Sequential]:
    modules: list[torch.nn.Module] = []
    for weight, bias in weights:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=data.train.x.dtype)
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules += [linear, arm.record.torch(**arm.params)]
    model = torch.nn.Sequential(*modules[:-1])  # the output layer has no activation
    optimiser: torch.optim.Optimizer
    if arm.optimizer == "sgd":
        optimiser = torch.optim.SGD(model.parameters(), lr=arm.lr, momentum=arm.momentum)
    else:
        optimiser = torch.optim.Adam(model.parameters(), lr=arm.lr, betas=arm.betas, eps=arm.eps)
    losses = []
    for batch in batches:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(data.train.x[batch]), data.train.y[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    return losses, model


def _train_keras(
    arm: Settings, weights: Any, data: Data, batches: Any, dtype: str
) -> tuple[list[float], Any]:
    import keras

    model = keras.Sequential([keras.Input((data.n_features,), dtype=dtype)])
    for width in arm.hidden:
        activation = arm.record.keras(**arm.params)
        model.add(keras.layers.Dense(width, activation=activation, dtype=dtype))
    model.add(keras.layers.Dense(data.n_classes, dtype=dtype))
    # Keras keeps a kernel as (in, out), PyTorch as (out, in).
    model.set_weights([a for weight, bias in weights for a in (weight.numpy().T, bias.numpy())])
    if arm.optimizer == "sgd":
        optimiser = keras.optimizers.SGD(arm.lr, momentum=arm.momentum)
    else:
        # Keras adds epsilon before the bias correction, PyTorch after it: the twins' curves
        # differ by that, most of all in the first steps.
        optimiser = keras.optimizers.Adam(arm.lr, *arm.betas, epsilon=arm.eps)
    model.compile(optimiser, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = data.train.x.numpy(), data.train.y.numpy()
    losses = []
    for batch in batches:
        model.reset_metrics()  # before 3.15 Keras reports the mean over all steps so far
        losses.append(float(model.train_on_batch(x[batch], y[batch])))
    return losses, model
