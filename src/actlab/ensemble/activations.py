"""An activation inside the ensemble: forward, and the gradient by hand where that is faster.

The formulas below are PyTorch's own kernels, called directly, so the result is what autograd
would have computed; for every record without an entry autograd itself does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actlab.catalog import Activation

aten = torch.ops.aten


@dataclass(frozen=True)
class Kernel:
    """``forward(z, y)`` writes f(z) into ``y``; ``backward(g, s)`` turns df into dz in place.

    ``s`` is the output y where ``from_output`` (then ``y`` may be ``z`` itself: one buffer
    fewer to fill), else the input z.
    """

    forward: Callable[[Tensor, Tensor], Any]
    backward: Callable[[Tensor, Tensor], Any]
    from_output: bool = True


def _hard_tanh(min_val: float, max_val: float) -> Kernel:
    return Kernel(
        lambda z, y: torch.clamp(z, min_val, max_val, out=y),
        lambda g, y: aten.hardtanh_backward.grad_input(g, y, min_val, max_val, grad_input=g),
    )


def _elu(alpha: float, scale: float = 1.0, negative: float = 1.0) -> Kernel:
    # The derivative from the output, y + αλ, needs α ≥ 0 to tell the two branches apart.
    return Kernel(
        lambda z, y: aten.elu.out(z, alpha, scale, negative, out=y),
        lambda g, s: aten.elu_backward.grad_input(
            g, alpha, scale, negative, alpha >= 0, s, grad_input=g
        ),
        from_output=alpha >= 0,
    )


def _leaky_relu(negative_slope: float) -> Kernel:
    return Kernel(
        lambda z, y: aten.leaky_relu.out(z, negative_slope, out=y),
        lambda g, s: aten.leaky_relu_backward.grad_input(
            g, s, negative_slope, negative_slope > 0, grad_input=g
        ),
        from_output=negative_slope > 0,
    )


def _gelu(approximate: str) -> Kernel:
    return Kernel(
        lambda z, y: aten.gelu.out(z, approximate=approximate, out=y),
        lambda g, z: aten.gelu_backward.grad_input(g, z, approximate=approximate, grad_input=g),
        from_output=False,
    )


KERNELS: dict[str, Callable[..., Kernel]] = {
    "linear": lambda: Kernel(lambda z, y: y if y is z else y.copy_(z), lambda g, y: g),
    "binary_step": lambda: Kernel(
        lambda z, y: torch.heaviside(z, torch.ones_like(z[:1, :1, :1]), out=y),
        lambda g, y: g.zero_(),
    ),
    "relu": lambda: Kernel(
        lambda z, y: torch.clamp_min(z, 0, out=y),
        lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
    ),
    "leaky_relu": _leaky_relu,
    "relu6": lambda: _hard_tanh(0.0, 6.0),
    "hard_tanh": _hard_tanh,
    "elu": _elu,
    "selu": lambda: _elu(1.6732632423543772, 1.0507009873554805),
    "celu": lambda alpha: _elu(alpha, 1.0, 1.0 / alpha),
    "gelu": lambda: _gelu("none"),
    "gelu_tanh": lambda: _gelu("tanh"),
    "silu": lambda: Kernel(
        lambda z, y: aten.silu.out(z, out=y),
        lambda g, z: aten.silu_backward.grad_input(g, z, grad_input=g),
        from_output=False,
    ),
    "sigmoid": lambda: Kernel(
        lambda z, y: torch.sigmoid(z, out=y),
        lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g),
    ),
    "tanh": lambda: Kernel(
        lambda z, y: torch.tanh(z, out=y),
        lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g),
    ),
    "softplus": lambda beta, threshold: Kernel(
        lambda z, y: aten.softplus.out(z, beta, threshold, out=y),
        lambda g, z: aten.softplus_backward.grad_input(g, z, beta, threshold, grad_input=g),
        from_output=False,
    ),
}


def function(record: Activation, params: Mapping[str, Any]) -> Callable[[Tensor], Tensor]:
    """The activation of one network, differentiable by autograd (the step has nothing to give)."""
    if record.name == "binary_step":  # neither framework has it
        return binary_step
    made: Callable[[Tensor], Tensor] = record.torch(**params)
    return made


def binary_step(x: Tensor) -> Tensor:
    """1 where x ≥ 0, else 0."""
    return (x >= 0).to(x.dtype)


def kernel(record: Activation, params: Mapping[str, Any]) -> Kernel | None:
    """The hand-written pair for a record, or ``None`` where autograd has to do it."""
    make = KERNELS.get(record.name)
    return make(**record.resolve(params)) if make else None
