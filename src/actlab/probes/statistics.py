"""Numbers from activations, gradients and weights: dead and dormant units, moments, norms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actlab import catalog
from actlab.catalog import Activation

# --- Statistics of one layer's units, gathered in one pass ---------------------------------------


@dataclass(frozen=True)
class LayerStats:
    """What every unit of one layer did over ``samples`` inputs; float64, (networks, units) each.

    - ``largest``: the largest absolute activation.
    - ``size``: the mean absolute activation.
    - ``mean``, ``variance``: over the samples (the variance divides by their number).
    """

    samples: int
    largest: Tensor
    size: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, activations: Tensor) -> LayerStats:
        """From activations (networks, samples, units). Raises ``ValueError`` for other shapes."""
        if activations.dim() != 3 or 0 in activations.shape:
            raise ValueError(
                "expected activations of shape (networks, samples, units), none of them 0, got "
                f"{tuple(activations.shape)}; for one network add an axis: activations[None]."
            )
        if activations.dtype in (torch.float16, torch.bfloat16):
            activations = activations.float()
        variance, mean = torch.var_mean(activations, 1, correction=0)
        sizes = activations.abs()
        return cls(
            samples=activations.shape[1],
            largest=sizes.amax(1).double(),
            size=sizes.mean(1).double(),
            mean=mean.double(),
            variance=variance.double(),
        )

    def merge(self, other: LayerStats) -> LayerStats:
        """The statistics of both sets of samples together.

        The variance is joined by the law of total variance, which does not cancel as the mean
        of squares minus the square of the mean would.
        """
        if self.mean.shape != other.mean.shape:
            raise ValueError(
                f"a batch of {tuple(other.mean.shape)} (networks, units) does not continue one of "
                f"{tuple(self.mean.shape)}."
            )
        samples = self.samples + other.samples
        share = other.samples / samples
        shift = other.mean - self.mean
        return LayerStats(
            samples=samples,
            largest=torch.maximum(self.largest, other.largest),
            size=self.size + share * (other.size - self.size),
            mean=self.mean + share * shift,
            variance=(1 - share) * self.variance
            + share * other.variance
            + share * (1 - share) * shift.square(),
        )


class ActivationStats:
    """Gathers :class:`LayerStats` batch by batch, in the memory of one batch.

    >>> stats = ActivationStats()
    >>> for batch in snapshot.batches():
    ...     stats.update(batch)
    >>> [dead_share(layer) for layer in stats.result()]
    """

    def __init__(self) -> None:
        self._layers: list[LayerStats] = []

    @torch.no_grad()
    def update(self, activations: Iterable[Tensor]) -> ActivationStats:
        """Add a batch: per layer, (networks, samples, units); returns itself.

        Raises ``ValueError`` if it has not the layers, networks and units of those before.
        """
        batch = [LayerStats.of(layer) for layer in activations]
        if self._layers and len(batch) != len(self._layers):
            raise ValueError(f"a batch of {len(batch)} layers, after {len(self._layers)}.")
        if self._layers:
            batch = [seen.merge(new) for seen, new in zip(self._layers, batch, strict=True)]
        self._layers = batch
        return self

    def result(self) -> list[LayerStats]:
        """Per layer, what was gathered. Raises ``RuntimeError`` before the first batch."""
        if not self._layers:
            raise RuntimeError("no batch was added yet: call update(activations) first.")
        return self._layers


def _stats(layer: Tensor | LayerStats) -> LayerStats:
    return layer if isinstance(layer, LayerStats) else LayerStats.of(layer)


# --- Dead, dormant, revived ----------------------------------------------------------------------


def dead_units(layer: Tensor | LayerStats, threshold: float = 0.0) -> Tensor:
    """Which units are zero (absolutely at most ``threshold``) on every input: (networks, units).

    A unit that always gives another value, such as an ELU that never leaves -1, is saturated and
    not dead: what it gives still counts in the next layer. Found before the first training step,
    the dead are the units *born dead*.
    """
    return _stats(layer).largest <= threshold


def dead_share(layer: Tensor | LayerStats, threshold: float = 0.0) -> Tensor:
    """The share of dead units: (networks,)."""
    stats = _stats(layer)
    return _share(dead_units(stats, threshold), stats.largest)


def dormant_scores(layer: Tensor | LayerStats) -> Tensor:
    """A unit's mean absolute activation over that of its layer: (networks, units).

    The score of Sokar et al. (2023): 1 is average, 0 is dead. All are 0 where a layer is silent.
    """
    size = _stats(layer).size
    average = size.mean(1, keepdim=True)
    return torch.where(average == 0, 0.0, size / average)


def dormant_units(layer: Tensor | LayerStats, tau: float = 0.025) -> Tensor:
    """Which units score at most ``tau`` (Sokar et al., 2023): (networks, units)."""
    return dormant_scores(layer) <= tau


@dataclass(frozen=True)
class Fates:
    """What became of the units between two looks; boolean, the shape of the masks compared.

    With the first look before training, ``dead_before`` are the units born dead.
    """

    dead_before: Tensor
    died: Tensor
    revived: Tensor
    stayed_dead: Tensor


def fates(before: Tensor, after: Tensor) -> Fates:
    """Compare two masks of :func:`dead_units`, taken on the same inputs.

    Raises ``ValueError`` if they are not boolean or differ in shape.
    """
    if before.dtype != torch.bool or after.dtype != torch.bool or before.shape != after.shape:
        raise ValueError(
            "expected two boolean masks of one shape (from dead_units), got "
            f"{before.dtype} {tuple(before.shape)} and {after.dtype} {tuple(after.shape)}."
        )
    return Fates(before, ~before & after, before & ~after, before & after)


# --- Moments and saturation ----------------------------------------------------------------------


@dataclass(frozen=True)
class Moments:
    """Mean and variance of all of a layer's activations, units and samples together: (networks,).

    (The variance divides by their number.)
    """

    mean: Tensor
    variance: Tensor


def moments(layer: Tensor | LayerStats) -> Moments:
    """The mean and the variance of a layer's activations, one of each per network."""
    stats = _stats(layer)
    variance, mean = torch.var_mean(stats.mean, 1, correction=0)
    return Moments(mean, stats.variance.mean(1) + variance)


def saturation_share(
    preactivations: Tensor, activation: str | Activation, share: float = 0.01, **params: Any
) -> Tensor:
    """How many pre-activations lie where the function has gone flat, as a share: (networks,).

    Flat is where the slope stays below ``share`` of the function's steepest, from there on
    outwards (:meth:`actlab.catalog.Activation.saturates_beyond`); the negative half line of ReLU
    is flat. ``preactivations``: (networks, samples, units), what enters the activation;
    ``activation``: a record of the catalog or its name; ``params``: its parameters.

    Raises ``TypeError`` if the function is not elementwise, ``ValueError`` if its slope has no
    largest value above 0.
    """
    activation = catalog.get(activation) if isinstance(activation, str) else activation
    low, high = activation.saturates_beyond(share, **params)
    if math.isnan(low):
        raise ValueError(f"{activation.name} has no steepest slope to compare with.")
    preactivations = preactivations.double()  # a half-precision bound would lie elsewhere
    flat = (preactivations <= low) | (preactivations >= high)
    return _share(flat.flatten(1), preactivations.flatten(1))


def _share(mask: Tensor, values: Tensor) -> Tensor:
    """The share of ``mask`` per row, NaN where the row's values hold a NaN."""
    return mask.double().mean(1).masked_fill(values.isnan().any(1), torch.nan)


# --- Gradients -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GradientNorms:
    """Euclidean norms by layer and network: (layers, networks) each, float64.

    ``ratio`` is gradient / weight; ``inf`` or NaN where all weights are 0.
    """

    gradient: Tensor
    weight: Tensor
    ratio: Tensor


def gradient_norms(gradients: Sequence[Tensor], weights: Sequence[Tensor]) -> GradientNorms:
    """Norms of gradients and weights, layer by layer.

    ``gradients`` and ``weights``: per layer one tensor (networks, ...). For a plain model after
    ``loss.backward()``: ``[p.grad[None] for p in ...]`` and ``[p[None] for p in ...]``.

    Squares are added in float64: in float32 a norm below 1e-23 would already be 0, and a
    vanishing gradient is what one looks for. Raises ``ValueError`` if the shapes do not match.
    """
    _check_pairs("gradients", gradients, "weights", weights)
    gradient, weight = _norms(gradients), _norms(weights)
    return GradientNorms(gradient, weight, gradient / weight)


def update_ratios(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """How far a step moved the weights, relative to their norm before it: (layers, networks).

    ``before`` and ``after``: per layer the weights (networks, ...), two copies.
    """
    _check_pairs("before", before, "after", after)
    moved = [b.double() - a.double() for a, b in zip(before, after, strict=True)]
    return _norms(moved) / _norms(before)


def _norms(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(
        [
            torch.linalg.vector_norm(_dense(t).flatten(1), dim=1, dtype=torch.float64)
            for t in tensors
        ]
    )


def _dense(tensor: Tensor) -> Tensor:
    return tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()


def _check_pairs(name: str, a: Sequence[Tensor], other: str, b: Sequence[Tensor]) -> None:
    shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (a, b)]
    if shapes[0] != shapes[1] or not a or any(len(shape) < 2 for shape in shapes[0]):
        raise ValueError(
            f"{name} of shapes {shapes[0]} and {other} of shapes {shapes[1]}: expected one tensor "
            "(networks, ...) per layer, the same shapes in both."
        )
