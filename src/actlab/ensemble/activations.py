"""An activation inside the ensemble: forward, and the gradient by hand where that is faster.

There is one way from a record and its parameters to a function: :func:`function` builds what
PyTorch has (with PyTorch's own defaults where the record leaves them to it), and a kernel takes
its numbers from that object. The formulas below are PyTorch's own kernels, called directly, so
the result is what autograd would have computed; for everything without an entry autograd does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actlab.catalog import Activation

Function = Callable[[Tensor], Any]
"""From a tensor to one of its shape, by operations that autograd can differentiate."""

aten = torch.ops.aten


@dataclass(frozen=True)
class Kernel:
    """``forward(z, y)`` writes f(z) into ``y``; ``backward(g, s)`` turns df into dz in place.

    ``s`` is the output y where ``from_output`` (then ``y`` may be ``z`` itself: one buffer
    fewer to fill), else the input z. Only where the output says exactly what the derivative is,
    or where PyTorch itself asks no more of it (sigmoid, tanh): an ELU's output has lost the
    derivative eᶻ, which for z = -17 is smaller than the last digit of y = eᶻ - 1.
    """

    forward: Callable[[Tensor, Tensor], Any]
    backward: Callable[[Tensor, Tensor], Any]
    from_output: bool = True


class BinaryStep(nn.Module):
    """1 where x ≥ 0, else 0 (NaN stays NaN), with gradient 0; neither framework has it."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, any floating dtype."""
        return torch.clamp(torch.floor(x) + 1, 0, 1)


def _hard_tanh(low: float, high: float) -> Kernel:
    # A bound that the dtype must round does not tell clipped outputs from others: bfloat16 has
    # the fewest digits of those we compute in.
    exact = all(float(torch.tensor(b, dtype=torch.bfloat16)) == b for b in (low, high))
    return Kernel(
        lambda z, y: torch.clamp(z, low, high, out=y),
        lambda g, s: aten.hardtanh_backward.grad_input(g, s, low, high, grad_input=g),
        from_output=exact,
    )


def _elu(alpha: float, scale: float = 1.0, negative: float = 1.0) -> Kernel:
    return Kernel(
        lambda z, y: aten.elu.out(z, alpha, scale, negative, out=y),
        lambda g, z: aten.elu_backward.grad_input(
            g, alpha, scale, negative, False, z, grad_input=g
        ),
        from_output=False,
    )


def _leaky_relu(slope: float) -> Kernel:
    # A positive slope keeps the sign, and the sign is all that the derivative needs.
    return Kernel(
        lambda z, y: aten.leaky_relu.out(z, slope, out=y),
        lambda g, s: aten.leaky_relu_backward.grad_input(g, s, slope, slope > 0, grad_input=g),
        from_output=slope > 0,
    )


def _gelu(approximate: str) -> Kernel:
    return Kernel(
        lambda z, y: aten.gelu.out(z, approximate=approximate, out=y),
        lambda g, z: aten.gelu_backward.grad_input(g, z, approximate=approximate, grad_input=g),
        from_output=False,
    )


def _softplus(beta: float, threshold: float) -> Kernel:
    return Kernel(
        lambda z, y: aten.softplus.out(z, beta, threshold, out=y),
        lambda g, z: aten.softplus_backward.grad_input(g, z, beta, threshold, grad_input=g),
        from_output=False,
    )


KERNELS: dict[type[nn.Module], Callable[[Any], Kernel]] = {
    nn.Identity: lambda f: Kernel(lambda z, y: y if y is z else y.copy_(z), lambda g, y: g),
    BinaryStep: lambda f: Kernel(lambda z, y: y.copy_(f(z)), lambda g, y: g.zero_()),
    nn.ReLU: lambda f: Kernel(
        lambda z, y: torch.clamp_min(z, 0, out=y),
        lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
    ),
    nn.LeakyReLU: lambda f: _leaky_relu(f.negative_slope),
    nn.ReLU6: lambda f: _hard_tanh(f.min_val, f.max_val),
    nn.Hardtanh: lambda f: _hard_tanh(f.min_val, f.max_val),
    nn.ELU: lambda f: _elu(f.alpha),
    nn.SELU: lambda f: _elu(1.6732632423543772, 1.0507009873554805),
    nn.CELU: lambda f: _elu(f.alpha, 1.0, 1.0 / f.alpha),
    nn.GELU: lambda f: _gelu(f.approximate),
    nn.SiLU: lambda f: Kernel(
        lambda z, y: aten.silu.out(z, out=y),
        lambda g, z: aten.silu_backward.grad_input(g, z, grad_input=g),
        from_output=False,
    ),
    nn.Mish: lambda f: Kernel(
        lambda z, y: aten.mish.out(z, out=y),
        lambda g, z: g.copy_(aten.mish_backward(g, z)),
        from_output=False,
    ),
    nn.Hardswish: lambda f: Kernel(
        lambda z, y: aten.hardswish.out(z, out=y),
        lambda g, z: g.copy_(aten.hardswish_backward(g, z)),
        from_output=False,
    ),
    nn.Sigmoid: lambda f: Kernel(
        lambda z, y: torch.sigmoid(z, out=y),
        lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g),
    ),
    nn.Tanh: lambda f: Kernel(
        lambda z, y: torch.tanh(z, out=y),
        lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g),
    ),
    nn.Softplus: lambda f: _softplus(f.beta, f.threshold),
}
"""By the class of ``torch.nn`` that :func:`function` gives."""


def function(record: Activation, params: Mapping[str, Any]) -> Function:
    """The activation of one network, differentiable by autograd."""
    if record.name == "binary_step":
        return BinaryStep()
    made: Function = record.torch(**params)
    return made


def check(own: Function) -> None:
    """Raise ``ValueError`` where a function of one's own can not follow a hidden layer.

    It must have no weights and draw no numbers, and keep the shape of a (examples, units) tensor.
    """
    if isinstance(own, nn.Module) and any(True for _ in own.parameters()):
        raise ValueError(f"activation={own!r} has weights, which nobody would train here.")
    x = torch.linspace(-2, 2, 12).view(3, 4)
    try:
        first, second = (own(x.clone().requires_grad_().clone()) for _ in range(2))
    except Exception as error:
        raise ValueError(
            f"activation={own!r} fails on a tensor of shape (3, 4): {error}"
        ) from error
    if not isinstance(first, Tensor) or (first.shape, first.dtype) != (x.shape, x.dtype):
        what = f"{first.dtype} {tuple(first.shape)}" if isinstance(first, Tensor) else repr(first)
        raise ValueError(f"activation={own!r} turns a torch.float32 (3, 4) tensor into {what}.")
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise ValueError(
            f"activation={own!r} gives something else at every call: a network's noise must come "
            "from its own seed (rrelu and dropout do that)."
        )


def kernel(function: Function) -> Kernel | None:
    """The hand-written pair for a function, or ``None`` where autograd has to do it."""
    make = KERNELS.get(type(function))  # type: ignore[arg-type]
    return make(function) if make else None
