"""The gradient of a PyTorch model's mean loss, and a loss for models that bring none."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (everybody's name for it)

from actlab.probes.batches import Batch, leaves, mapped, to_numpy, to_torch
from actlab.probes.torch import call, looking, unwrapped

Array = npt.NDArray[Any]

HALF_SCALE = 2.0**16
"""What the loss is multiplied by where numbers are float16: as ``torch.amp.GradScaler`` begins."""

# --- A loss for a model that brings none ---------------------------------------------------------


@dataclass(frozen=True)
class Inferred:
    """The loss that fits outputs and labels.

    ``kind``: ``"classes"`` (labels are class numbers along ``axis`` of the outputs), ``"onehot"``,
    ``"binary"`` or ``"squares"``. ``logits``: whether the outputs are yet to become probabilities.
    """

    kind: str
    logits: bool = True
    axis: int = -1

    def words(self) -> str:
        """For the reader."""
        if self.kind == "squares":
            return "mean squared error"
        of = "logits" if self.logits else "probabilities"
        return f"{'binary ' if self.kind == 'binary' else ''}cross-entropy of {of}"


def infer(outputs: Array, labels: Array) -> Inferred:
    """Which loss was meant, from the outputs of a model and the labels alone.

    Raises ``ValueError`` if the labels fit the outputs in no way.
    """
    whole = labels.dtype.kind in "iub"
    binary = bool(np.isin(labels, (0, 1)).all())
    shares = bool((outputs >= 0).all() and (outputs <= 1).all())
    if outputs.shape == (*labels.shape, 1):
        labels = labels[..., None]
    if outputs.shape == labels.shape:
        several = outputs.ndim > 1 and outputs.shape[-1] > 1
        sums = outputs.astype(float).sum(-1) if several else np.zeros(1)
        if several and binary and (labels.sum(-1) == 1).all():
            return Inferred("onehot", not (shares and np.allclose(sums, 1, atol=1e-2)))
        if binary and (whole or shares or several):
            return Inferred("binary", not shares)
        return Inferred("squares")
    squeezed = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    for axis in (-1, 1):
        if outputs.ndim > 1 and np.delete(outputs.shape, axis).tolist() == [*squeezed.shape]:
            sums = outputs.astype(float).sum(axis)
            if whole or (labels == np.round(labels)).all():
                classes = outputs.shape[axis]
                if labels.min() < 0 or labels.max() >= classes:
                    raise ValueError(
                        f"labels from {labels.min()} to {labels.max()} for {classes} outputs: "
                        f"expected class numbers from 0 to {classes - 1}."
                    )
                return Inferred("classes", not (shares and np.allclose(sums, 1, atol=1e-2)), axis)
    raise ValueError(
        f"labels of shape {labels.shape} ({labels.dtype}) fit outputs of shape {outputs.shape} in "
        "no usual way: expected one class number a sample, or the shape of the outputs. Give "
        "loss=... if you mean another."
    )


SMALLEST = 1e-7
"""Probabilities are kept away from 0 by this before their logarithm is taken, as Keras does."""


def inferred_values(meant: Inferred, outputs: Tensor, labels: Tensor) -> Tensor:
    """The inferred loss of PyTorch outputs, one value a sample (or position)."""
    if meant.kind == "classes":
        outputs = outputs.movedim(meant.axis, 1)
        labels = labels.reshape(outputs.shape[0], *outputs.shape[2:]).long()
        logs = outputs.log_softmax(1) if meant.logits else outputs.clamp(min=SMALLEST).log()
        return F.nll_loss(logs, labels, reduction="none")
    labels = labels.reshape(outputs.shape).to(outputs.dtype)
    if meant.kind == "onehot":
        logs = outputs.log_softmax(-1) if meant.logits else outputs.clamp(min=SMALLEST).log()
        return -(labels * logs).sum(-1)
    if meant.kind == "binary" and meant.logits:
        return F.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
    if meant.kind == "binary":
        inside = outputs.clamp(SMALLEST, 1 - SMALLEST)
        return F.binary_cross_entropy(inside, labels, reduction="none")
    return (outputs - labels).square()


def single_output(outputs: Any) -> Any:
    """The one tensor that a model gives, or its logits. Raises ``ValueError`` for several."""
    named = getattr(outputs, "logits", None)
    if named is None and isinstance(outputs, Mapping):
        named = outputs.get("logits")
    found = leaves(outputs) if named is None else [named]
    if len(found) != 1:
        raise ValueError(
            f"the model gives {len(found)} outputs: say how they are judged with loss=..."
        )
    return found[0]


def shape_error(outputs: Any, labels: Any, error: Exception) -> ValueError:
    """In words, that a loss could not be computed."""

    def shapes(data: Any) -> str:
        return ", ".join(str(tuple(getattr(leaf, "shape", ()))) for leaf in leaves(data)) or "none"

    return ValueError(
        f"the loss can not be computed from outputs of shape {shapes(outputs)} and labels of "
        f"shape {shapes(labels)}: {error}"
    )


# --- The gradient --------------------------------------------------------------------------------

Loss = Callable[[Any, Any], Tensor]


def gradients(
    model: nn.Module, batches: Iterable[Batch], loss: Loss | None = None
) -> tuple[dict[int, Tensor | None], str]:
    """Of the mean loss over all samples, by each trainable weight with two axes or more.

    ``loss``: a function or module of outputs and labels; by default one is inferred. Whatever its
    reduction, it is the mean that is differentiated, in evaluation mode. Where numbers are
    float16 the loss is scaled and the gradient unscaled, as training does.

    Returns the gradients by the parameters' ``id``, in float64 (``None`` where the loss does not
    depend on it), and the loss in words. ``.grad`` is not touched.
    """
    model = unwrapped(model)
    kernels = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]
    total: dict[int, Tensor | None] = {id(kernel): None for kernel in kernels}
    samples, words = 0.0, ""
    half = any(p.dtype == torch.float16 for p in kernels) or (
        torch.is_autocast_enabled() and torch.get_autocast_dtype("cuda") == torch.float16
    )
    scale = HALF_SCALE if half else 1.0
    # cuDNN differentiates recurrent layers in training mode only.
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(looking(model))
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        stack.enter_context(torch.enable_grad())
        meant: Inferred | None = None
        for batch in batches:
            x, y, weight = (
                mapped(lambda leaf: to_torch(leaf, model).clone(), part)
                for part in (batch.x, batch.y, batch.weight)
            )
            outputs = call(model, x)
            if loss is None:
                out, label = single_output(outputs), single_output(y)
                meant = meant or infer(to_numpy(out), to_numpy(label))
                words = meant.words()
                value, count = _mean(_inferred(meant), out, label, weight)
            else:
                words = getattr(loss, "__name__", type(loss).__name__)
                value, count = _mean(loss, outputs, y, weight)
            found = _scaled_gradients(value, kernels, scale)
            samples += count
            for kernel, gradient in zip(kernels, found, strict=True):
                if gradient is not None:
                    old = total[id(kernel)]
                    total[id(kernel)] = count * gradient + (0 if old is None else old)
    return {key: None if g is None else g / samples for key, g in total.items()}, words


def _scaled_gradients(value: Tensor, kernels: list[Any], scale: float) -> list[Tensor | None]:
    if not kernels or not value.requires_grad:  # all of it is frozen
        return [None] * len(kernels)
    while True:
        found = torch.autograd.grad(
            value * scale, kernels, retain_graph=scale > 1, allow_unused=True
        )
        dense = [g.to_dense() if g is not None and g.is_sparse else g for g in found]
        finite = all(g is None or bool(g.isfinite().all()) for g in dense)
        if finite or scale <= 1 or not bool(value.isfinite()):
            return [None if g is None else g.double() / scale for g in dense]
        scale /= 2  # as training would


def _inferred(meant: Inferred) -> Loss:
    return lambda outputs, labels: inferred_values(meant, outputs, labels)


def _mean(loss: Loss, outputs: Any, labels: Any, weight: Any) -> tuple[Tensor, float]:
    """The mean loss of a batch, and of how many values it is the mean."""
    n = float(len(leaves(labels)[0]))
    try:
        with _reduction(loss, "none" if weight is not None else "mean") as reduces:
            value = _called(loss, outputs, labels)
        once = float(value.detach().mean())
        if value.dim() > 0:
            if weight is not None:
                flat = value.reshape(len(value), -1)
                value = flat * weight.reshape(len(weight), -1).to(flat.dtype)
            return value.mean(), float(value.numel())
        if weight is not None:
            raise ValueError("sample weights need a loss of one value a sample (reduction='none').")
        with torch.no_grad(), _reduction(loss, "sum"):
            if reduces:  # a mean may leave out labels or weigh classes: the sum tells how many
                total = float(_called(loss, outputs, labels))
                own = total / once if once else n
                return value, own if np.isfinite(own) else n
            doubled = float(_called(loss, *(mapped(_twice, part) for part in (outputs, labels))))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise shape_error(outputs, labels, error) from error
    if once != 0 and np.isclose(doubled, 2 * once, rtol=1e-3):
        value = value / n  # the function gives a sum
    return value, n


def _twice(tensor: Tensor) -> Tensor:
    return torch.cat([tensor, tensor])


def _called(loss: Loss, outputs: Any, labels: Any) -> Tensor:
    with warnings.catch_warnings():
        # PyTorch broadcasts (n, 1) against (n,) to (n, n) and only warns.
        warnings.filterwarnings("error", message="Using a target size")
        try:
            value = loss(outputs, labels)
        except UserWarning as warning:
            raise ValueError(str(warning).split(". ")[0]) from None
    if not isinstance(value, Tensor):
        raise TypeError(f"the loss gave {type(value).__name__}; expected a tensor.")
    return value


@contextlib.contextmanager
def _reduction(loss: Any, reduction: str) -> Iterator[bool]:
    """Another reduction for the time being, where the loss has one that can be set."""
    own = getattr(loss, "reduction", None)
    if own not in ("mean", "sum", "none"):
        yield False
        return
    try:
        loss.reduction = reduction
        yield True
    finally:
        loss.reduction = own
