"""Activations as PyTorch computes them.

>>> from actlab import catalog
>>> from actlab.frameworks import torch as framework
>>> framework.values(catalog.get("leaky_relu"), [-2.0, 3.0], "float16", negative_slope=0.1)
array([-0.19995117,  3.        ])
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from actlab.catalog import Activation, Place
from actlab.frameworks import layers
from actlab.frameworks.binding import (
    Array,
    arguments,
    choose,
    find,
    jacobian_axis,
    rounded,
)

if TYPE_CHECKING:
    import torch


def build(record: Activation, /, **params: Any) -> Callable[..., Any]:
    """The function as PyTorch has it, ready to call on a tensor (modules are in ``eval`` mode).

    ``params`` bear the record's names. The first place in ``torch`` that takes them is built (an
    ``nn.Module``, or a function with its arguments bound), else the recipe of
    :mod:`actlab.recipes.torch`.

    Raises :class:`~actlab.catalog.ParameterError` for parameters and
    :class:`~actlab.frameworks.binding.UnavailableError` where there is neither.
    """
    return _build(record, None, params)


def at(
    record: Activation, place: Place, /, *, dtype: str | None = None, **params: Any
) -> Callable[..., Any]:
    """The function at one place, whichever it is: a module in ``eval`` mode or a function.

    A module with weights of its own holds them in ``dtype`` if one is given.
    """
    return call(place, arguments(record, place, params), dtype=dtype)


def call(
    place: Place, passed: Mapping[str, Any], *, dtype: str | None = None
) -> Callable[..., Any]:
    """The object at ``place`` with these arguments of its own: a module, or a function of x."""
    target = find(place.path)
    if place.is_class:
        import torch

        has_weights = "init" in passed
        own = {"dtype": getattr(torch, dtype)} if dtype and has_weights else {}
        module: Callable[..., Any] = target(**passed, **own).eval()
        return module
    if "weight" in passed:  # a tensor, of the input's own dtype
        return lambda x: target(x, x.new_tensor([passed["weight"]]))
    return functools.partial(target, **passed)


def tensor(x: npt.ArrayLike, dtype: str) -> torch.Tensor:
    """``x`` rounded to ``dtype``, as a tensor on the CPU."""
    import torch

    exact = rounded(x, dtype).astype(np.float64)  # NumPy has no bfloat16 to hand over
    return torch.from_numpy(exact).to(getattr(torch, dtype))


def values(record: Activation, x: npt.ArrayLike, dtype: str, /, **params: Any) -> Array:
    """f(x) as PyTorch returned it in ``dtype`` (``x`` is rounded to it first), in float64."""
    return evaluate(_build(record, dtype, params), x, dtype)


def gradients(record: Activation, x: npt.ArrayLike, dtype: str, /, **params: Any) -> Array:
    """f'(x) as autograd returned it in ``dtype``, in float64; shapes as ``record.derivative``."""
    axis = jacobian_axis(record)
    return differentiate(_build(record, dtype, params), x, dtype, axis=axis)


def evaluate(function: Callable[..., Any], x: npt.ArrayLike, dtype: str) -> Array:
    """Call a module or function on ``x`` in ``dtype``; float64 array of what it returned."""
    import torch

    inputs = tensor(x, dtype)
    with torch.no_grad():
        return _to_numpy(_in(function, dtype)(inputs))


def differentiate(
    function: Callable[..., Any],
    x: npt.ArrayLike,
    dtype: str,
    *,
    axis: int | Literal["all"] | None = None,
) -> Array:
    """Its gradient by autograd: f' of an elementwise f, or the Jacobian (``catalog.Kind``).

    ``axis`` is the one along which outputs depend on inputs; "all" if every output may depend on
    every input.
    """
    import torch

    inputs = tensor(x, dtype).requires_grad_()
    outputs = _in(function, dtype)(inputs.clone())  # a function may work in place
    if axis is None:
        return _to_numpy(torch.autograd.grad(outputs, inputs, torch.ones_like(outputs))[0])

    def row(seed: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(outputs, inputs, seed, retain_graph=True)[0]

    if axis == "all":
        seeds = torch.eye(outputs.numel(), dtype=outputs.dtype).reshape(-1, *outputs.shape)
        rows = torch.stack([row(seed) for seed in seeds])
        return _to_numpy(rows.reshape(*outputs.shape, *inputs.shape))
    by_output = []
    for i in range(outputs.shape[axis]):
        one = torch.zeros_like(outputs)
        one.select(axis, i).fill_(1)
        by_output.append(row(one).movedim(axis, -1))
    return _to_numpy(torch.stack(by_output, dim=axis - 1))


def _build(record: Activation, dtype: str | None, params: dict[str, Any]) -> Callable[..., Any]:
    from actlab.recipes.torch import RECIPES

    if record.kind == "layer" and record.name in layers.TORCH:
        return layers.TORCH[record.name](dtype or "float32", record.resolve(params))
    found = choose(record, "torch", params, RECIPES)
    if isinstance(found, Place):
        return at(record, found, dtype=dtype, **params)
    module: Callable[..., Any] = found(**params).eval()
    return module


def _in(function: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """Cast a module's own weights; functions have none."""
    import torch

    if isinstance(function, torch.nn.Module):
        return function.to(getattr(torch, dtype))
    return function


def _to_numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().double().numpy()
    return array
