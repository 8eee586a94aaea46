# ruff: noqa: D102  (forward and extra_repr are PyTorch's own hooks; the class describes them)
"""For PyTorch: the activations that only Keras has, as modules.

All of them are plain tensor code, so that autograd, ``torch.func``, ``torch.compile``,
``torch.export``, ``torch.jit``, ``torch.fx`` and every device work as they do for the modules of
``torch.nn``. None has weights: a ``state_dict`` gains no
entry.

A trap they all avoid: ``torch.where`` also differentiates the branch that was *not* taken, and
0 · ∞ is NaN. So no branch may overflow, divide by zero or meet an infinity for any input.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (everybody's name for it)


# Functions of their own, so that torch.fx, which can not follow an ``if``, takes each as one step.
@torch.fx.wrap
def _squareplus(x: Tensor, width: float) -> Tensor:
    if x.dtype == torch.float16:  # hypot(0, 0) has no slope, and a narrow width may round to 0
        width = max(width, 2.0**-12)
    elif x.dtype != torch.float64:
        width = max(width, 2.0**-124)
    infinite = x.isinf()
    finite = x.masked_fill(infinite, 0.0)  # the slope of √(x² + b) at ±inf would be inf / inf
    # |x| with slope -1 at 0 (abs has 0), which with relu's 0 there gives the true slope 1/2.
    size = torch.where(finite > 0, finite, -finite)
    bound = torch.scalar_tensor(width, dtype=x.dtype, device=x.device)
    root = torch.hypot(finite, bound)
    # Halves first, as the sum may overflow; b as width · width, as 1 / sum² may.
    bend = bound / 4 * (bound / (root / 2 + size / 2))
    return F.relu(x) + bend.masked_fill(infinite, 0.0)


@torch.fx.wrap
def _sparsemax(x: Tensor, dim: int) -> Tensor:
    if not x.is_floating_point():
        raise TypeError(f"Sparsemax: expected a floating-point tensor, got {x.dtype}.")
    if dim < -x.dim() or dim >= x.dim() or x.size(dim) == 0:
        raise ValueError(
            f"Sparsemax: expected a tensor with at least one entry along dim={dim}, "
            f"got shape {list(x.shape)}."
        )
    z = x if x.dtype == torch.float64 else x.float()
    # Only differences count: shifted, the running sums below neither overflow nor cancel.
    z = z - z.amax(dim, keepdim=True).detach()
    ordered = z.sort(dim, descending=True).values
    excess = ordered.cumsum(dim) - 1
    count = torch.arange(1, x.size(dim) + 1, device=x.device, dtype=z.dtype)
    count = count.view([-1] + [1] * ((x.dim() - 1 - dim) % x.dim()))
    support = (ordered * count > excess).sum(dim, keepdim=True).clamp(min=1)  # 0 for NaN
    threshold = excess.gather(dim, support - 1) / support
    return F.relu(z - threshold).to(x.dtype)


class Squareplus(nn.Module):
    """Squareplus, (x + √(x² + b)) / 2: a softplus without exponentials (Barron, 2021).

    ``b > 0`` sets how far the bend reaches (0 would be ReLU); any shape, any floating dtype.

    The formula as written loses every digit for large negative x (√(x² + b) rounds to |x|) and
    x² overflows float16 beyond 255. This module computes the same curve as
    max(x, 0) + b / (2 (√(x² + b) + |x|)), in which nothing cancels and nothing overflows.

    Raises ``ValueError`` unless b is positive and finite.
    """

    def __init__(self, b: float = 4.0) -> None:
        super().__init__()
        if not (math.isfinite(b) and b > 0):
            raise ValueError(
                f"Squareplus: b={b!r} is not allowed; expected a positive, finite number "
                "(b = 0 would be ReLU: use torch.nn.ReLU)."
            )
        self.b = float(b)

    def forward(self, x: Tensor) -> Tensor:
        return _squareplus(x, math.sqrt(self.b))

    def extra_repr(self) -> str:
        return f"b={self.b:g}"


class SparsePlus(nn.Module):
    """SparsePlus: 0 below -1, (x + 1)² / 4 up to 1, x above; its slope is SparseSigmoid.

    A softplus that is exactly zero from -1 down; any shape, any floating dtype.
    """

    def forward(self, x: Tensor) -> Tensor:
        parabola = (F.hardtanh(x) + 1).square() / 4  # hardtanh keeps the unused branch finite
        return torch.where(x >= 1, x, parabola)


class SparseSigmoid(nn.Module):
    """SparseSigmoid: (x + 1) / 2, cut off at 0 and 1 (Blondel, Martins & Niculae, 2019).

    Its slope is 0 at both kinks, as in Keras; any shape, any floating dtype.
    """

    def forward(self, x: Tensor) -> Tensor:
        return (F.hardtanh(x) + 1) / 2


class Sparsemax(nn.Module):
    """Sparsemax: the nearest point of the probability simplex (Martins & Astudillo, 2016).

    Like softmax along ``dim``, but small inputs get exactly zero. Any shape with at least one
    dimension; float16 and bfloat16 are computed in float32, as PyTorch's softmax does. Inputs of
    ``-inf`` (a mask) get 0 as long as one input along ``dim`` is finite.

    Raises ``TypeError`` for integers, ``ValueError`` for a scalar, a ``dim`` that x has not, or
    nothing along it.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return _sparsemax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Exponential(nn.Module):
    """The exponential function as an activation; any shape, any floating dtype."""

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


RECIPES: dict[str, type[nn.Module]] = {
    "squareplus": Squareplus,
    "sparsemax": Sparsemax,
    "sparse_plus": SparsePlus,
    "sparse_sigmoid": SparseSigmoid,
    "exponential": Exponential,
}
"""Name of the catalog's record → the module that computes it."""
