"""Looking into a PyTorch model: what its layers give, and its input-output Jacobian."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from actlab.probes.statistics import ActivationStats, LayerStats
from actlab.recipes.torch import RECIPES

# --- The input-output Jacobian -------------------------------------------------------------------


def input_output_jacobian(model: nn.Module | Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Every sample's Jacobian of the outputs by the inputs: (1, samples, outputs, inputs).

    ``x``: (samples, ...), flattened to inputs; likewise the outputs. A module is looked at in
    evaluation mode (so samples do not meet in a batch norm) and left as it was.
    """
    with _evaluating(model), torch.enable_grad():
        x = x.detach().requires_grad_()
        y = model(x).flatten(1)
        # One backward pass per output, for all samples at once: sample i's outputs depend on
        # sample i's inputs alone.
        rows = [
            torch.autograd.grad(y[:, i].sum(), x, retain_graph=True)[0] for i in range(y.shape[1])
        ]
    return torch.stack([row.flatten(1) for row in rows], 1)[None]


def jacobian_singular_values(
    model: nn.Module | Callable[[Tensor], Tensor] | Tensor, x: Tensor | None = None, k: int = 1
) -> Tensor:
    """The ``k`` largest singular values of the input-output Jacobian: (networks, samples, k).

    Give a model and inputs ``x`` (samples, ...), or the Jacobians themselves (networks, samples,
    outputs, inputs). Raises ``ValueError`` if there are not so many.
    """
    if not isinstance(model, Tensor):
        if x is None:
            raise ValueError("a model needs inputs: jacobian_singular_values(model, x).")
        model = input_output_jacobian(model, x)
    most = min(model.shape[-2:])
    if not 1 <= k <= most:
        raise ValueError(
            f"k={k}: a Jacobian of {' × '.join(map(str, model.shape[-2:]))} has 1 to {most} "
            "singular values."
        )
    values: Tensor = torch.linalg.svdvals(model)
    return values[..., :k]


# --- Looking into a plain module -----------------------------------------------------------------

ACTIVATIONS: tuple[type[nn.Module], ...] = (
    *(
        kind
        for kind in vars(nn.modules.activation).values()
        if isinstance(kind, type)
        and issubclass(kind, nn.Module)
        and kind not in (nn.Module, nn.MultiheadAttention)
    ),
    *RECIPES.values(),
)
"""The modules that :func:`record` listens to unless told otherwise."""

Layers = type[nn.Module] | str | Iterable[type[nn.Module] | str] | None


def record(
    model: nn.Module,
    x: Tensor,
    layers: Layers = None,
    *,
    what: Literal["output", "input"] = "output",
    unit_axis: int | None = None,
) -> dict[str, Tensor]:
    """Run ``model(x)`` and keep what comes out of its layers: name → (1, samples, units).

    - ``layers``: ``None`` for every activation module, or classes (``nn.Linear``) and names (as in
      ``model.named_modules()``), one or several.
    - ``what``: ``"input"`` keeps what enters the layers instead: the pre-activations.
    - ``unit_axis``: the axis of the units. By default the last of (samples, units) and the
      channels of (samples, channels, height, width[, depth]), whose positions count as samples.
      Three axes may be either: say 1 for (samples, channels, length), -1 for (samples, steps,
      units).

    A module that runs several times is kept once per call, as ``name``, ``name:2`` … The model
    runs in evaluation mode without gradients; its mode is restored and the hooks are removed,
    also after an error. Copies are kept, so that in-place layers spoil nothing.

    Raises ``ValueError`` for names that the model has not, if no layer matches or none ran, and
    for a layer whose output is not one tensor of at least two axes.
    """
    chosen = _choose(model, layers)
    seen: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()

    def keep(name: str, value: Any) -> None:
        calls[name] += 1
        key = name if calls[name] == 1 else f"{name}:{calls[name]}"
        seen[key] = _by_unit(key, value, unit_axis)

    handles = []
    try:
        for name, module in chosen.items():
            if what == "output":
                hook = partial(lambda name, _module, _inputs, output: keep(name, output), name)
                handles.append(module.register_forward_hook(hook))
            else:
                before = partial(lambda name, _module, inputs: keep(name, inputs[0]), name)
                handles.append(module.register_forward_pre_hook(before))
        with _evaluating(model), torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise ValueError(f"none of the layers {', '.join(chosen)} was called by the model.")
    return seen


def layer_stats(
    model: nn.Module,
    x: Tensor,
    layers: Layers = None,
    *,
    what: Literal["output", "input"] = "output",
    unit_axis: int | None = None,
    batch_size: int = 2048,
) -> dict[str, LayerStats]:
    """:func:`record` batch by batch, keeping only the statistics: name → :class:`LayerStats`."""
    stats, names = ActivationStats(), list[str]()
    for batch in torch.split(x, batch_size):
        seen = record(model, batch, layers, what=what, unit_axis=unit_axis)
        names = list(seen)
        stats.update(seen.values())
    return dict(zip(names, stats.result(), strict=True))


def _choose(model: nn.Module, layers: Layers) -> dict[str, nn.Module]:
    modules = dict(model.named_modules())
    have = f"it has {', '.join(name for name in modules if name) or 'no modules inside'}"
    wanted = ACTIVATIONS if layers is None else layers
    wanted = (wanted,) if isinstance(wanted, (type, str)) else tuple(wanted)
    kinds = tuple(item for item in wanted if isinstance(item, type))
    names = [item for item in wanted if isinstance(item, str)]
    if unknown := [name for name in names if name not in modules]:
        raise ValueError(f"the model has no module {', '.join(map(repr, unknown))}; {have}.")
    chosen = {
        name: module
        for name, module in modules.items()
        if name in names or isinstance(module, kinds)
    }
    if not chosen:
        kind = "activation module" if layers is None else " or ".join(k.__name__ for k in kinds)
        raise ValueError(
            f"the model has no {kind or 'layer asked for'}; {have}. Name the layers to look at (a "
            "function such as torch.relu is no module: what it gives cannot be seen)."
        )
    return chosen


def _by_unit(name: str, value: Any, unit_axis: int | None) -> Tensor:
    """(samples, ..., units, ...) → a copy (1, samples · positions, units)."""
    if not isinstance(value, Tensor) or value.dim() < 2:
        kind = (
            f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value)
        )
        raise ValueError(f"layer {name!r}: expected one tensor (samples, ..., units), got {kind}.")
    if unit_axis is None:
        if value.dim() == 3:
            raise ValueError(
                f"layer {name!r} has shape {tuple(value.shape)}: say unit_axis=1 for (samples, "
                "channels, length) or unit_axis=-1 for (samples, steps, units)."
            )
        unit_axis = 1
    return value.detach().movedim(unit_axis, -1).flatten(0, -2)[None].clone()


@contextlib.contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode for the time of a look; each module's own mode afterwards."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
