"""Looking into a PyTorch model: what its layers give, and its input-output Jacobian."""

from __future__ import annotations

import contextlib
import inspect
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from actlab.probes import identify
from actlab.probes.batches import Batches, mapped, tensors_of, to_torch
from actlab.probes.events import Event, Role, Sight, flat_count, in_words, numbered, say_unseen
from actlab.probes.flow import USUAL, Flow, Trace, after_reshape
from actlab.probes.identify import Known
from actlab.probes.statistics import LayerStats
from actlab.recipes.torch import RECIPES

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
"""The modules that are activations, as :func:`record` listens to them unless told otherwise."""

Layers = type[nn.Module] | str | Iterable[type[nn.Module] | str] | None
What = Literal["output", "input"]

# --- What comes out of the layers ----------------------------------------------------------------


def record(
    model: nn.Module,
    x: Any,
    layers: Layers = None,
    *,
    what: What = "output",
    unit_axis: int | None = None,
) -> dict[str, Tensor]:
    """Run the model on ``x`` and keep what its layers give: name → (1, samples, units).

    - ``x``: a tensor or array (samples, ...); a tuple or list of them for several inputs, a dict
      for inputs by name. It is copied: no layer in place can spoil it.
    - ``layers``: ``None`` for every activation, or classes (``nn.Linear``) and names (as in
      ``model.named_modules()``), one or several. An activation is a module of :data:`ACTIVATIONS`,
      a module of your own that applies an activation function and has no weights, or a call of
      such a function outside of them (``torch.relu(h)``, ``h.tanh()``), kept under the name of
      the module that calls it: ``"block.relu()"``.
    - ``what``: ``"input"`` keeps what enters the layers instead: the pre-activations.
    - ``unit_axis``: the axis of the units. By default the last after linear layers, the channels
      after convolutions, also where axes were moved since; all other positions count as samples.
      Where none of these came before, it is the last of two axes and the second of four or more;
      three may be either: say 1 for (samples, channels, length), -1 for (samples, steps, units).

    A layer that runs several times is kept once per call, as ``name``, ``name:2`` … The model
    runs eagerly (compiled or not), in evaluation mode, without gradients, and is left as it was,
    also after an error. Recurrent and scripted modules, whose activations are out of reach, and
    operations that take the place of an activation without being one are named in a warning.

    Raises ``ValueError`` for names that the model has not, if no layer matches or none ran, and
    for a layer whose output is not one tensor of at least two axes.
    """
    seen: dict[str, list[Tensor]] = {}

    def keep(event: Event) -> None:
        value = event.output if what == "output" else event.input
        assert value is not None
        seen.setdefault(event.name, []).append(value)

    observer = _observe(model, x, keep, layers, what=what, unit_axis=unit_axis)
    if layers is None:
        say_unseen(observer.unseen | observer.flow.unseen())
    return {name: torch.cat(pieces, 1) for name, pieces in seen.items()}


def layer_stats(
    model: nn.Module,
    x: Any,
    layers: Layers = None,
    *,
    what: What = "output",
    unit_axis: int | None = None,
    batch_size: int = 2048,
) -> dict[str, LayerStats]:
    """:func:`record` batch by batch, keeping only the statistics: name → :class:`LayerStats`.

    ``x``: as for :func:`record`, or a ``DataLoader`` or any other source of batches.
    """
    sight = Sight()

    def keep(event: Event) -> None:
        value = event.output if what == "output" else event.input
        assert value is not None
        sight.add(replace(event, output=value))

    unseen: dict[str, str] = {}
    with looking(model):
        for batch in Batches(x, batch_size=batch_size):
            observer = _observe(model, batch.x, keep, layers, what=what, unit_axis=unit_axis)
            unseen |= observer.unseen | observer.flow.unseen()
    if layers is None:
        say_unseen(unseen)
    return {name: layer.stats for name, layer in sight.layers.items()}


def look(model: nn.Module, batches: Iterable[Any]) -> Sight:
    """All layers of a model over batches of inputs, for a table: see :class:`Sight`."""
    sight = Sight()
    with looking(model):
        for x in batches:
            observer = _Observer(model, sight.add, everything=True)
            with in_words(model, x):
                observer.run(x)
            sight.unseen |= observer.unseen
            sight.end(observer.flow)
    return sight


def _observe(
    model: nn.Module,
    x: Any,
    keep: Callable[[Event], None],
    layers: Layers,
    *,
    what: What,
    unit_axis: int | None,
) -> _Observer:
    chosen = None if layers is None else _choose(unwrapped(model), layers)
    called = 0

    def count(event: Event) -> None:
        nonlocal called
        called += 1
        keep(event)

    observer = _Observer(model, count, chosen=chosen, what=what, unit_axis=unit_axis)
    with looking(model):
        observer.run(x)
    if not called:
        names = _named(unwrapped(model))
        if chosen is None:
            modules = [n for n, m in names.items() if isinstance(m, ACTIVATIONS)]
            if not modules:
                said = "".join(f" Not looked at: {n} ({w})." for n, w in observer.unseen.items())
                raise ValueError(
                    "the model has no activation module and calls no activation function; it has "
                    f"{', '.join(n for n in names if n) or 'no modules inside'}. Name the layers "
                    f"to look at.{said}"
                )
        else:
            modules = [*chosen]
        raise ValueError(f"none of the layers {', '.join(modules)} was called by the model.")
    return observer


def _choose(model: nn.Module, layers: Layers) -> dict[str, nn.Module]:
    modules = _named(model)
    have = f"it has {', '.join(name for name in modules if name) or 'no modules inside'}"
    wanted = (layers,) if isinstance(layers, (type, str)) else tuple(layers or ())
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
        kind = " or ".join(k.__name__ for k in kinds)
        raise ValueError(f"the model has no {kind or 'layer asked for'}; {have}.")
    return chosen


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, where ``torch.compile`` has wrapped it."""
    while isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
        model = inner
    return model


def _named(model: nn.Module) -> dict[str, nn.Module]:
    """Every module inside by its name, without what ``torch.compile`` and parametrisations add."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        parts = name.split(".")
        if "parametrizations" not in parts:  # those give weights, not signals
            found[".".join(part for part in parts if part != "_orig_mod")] = module
    return found


def owns_kernel(module: nn.Module) -> bool:
    """Whether weights with two axes or more are the module's own (not those of its parts)."""
    own = [*module.parameters(recurse=False), *_parametrised(module)]
    return any(weight.dim() >= 2 for weight in own)


def _parametrised(module: nn.Module) -> Iterable[Tensor]:
    """The weights that are computed from others, as by ``weight_norm``."""
    lists = getattr(module, "parametrizations", None)
    return lists.parameters() if nn.utils.parametrize.is_parametrized(module) and lists else ()


# --- The observer --------------------------------------------------------------------------------

# Functions that multiply by weights, and the axis of the units in what they give.
WEIGHTED: dict[Any, int] = {
    nn.functional.linear: -1,
    nn.functional.bilinear: -1,
    nn.functional.embedding: -1,
    nn.functional.embedding_bag: -1,
    nn.functional.multi_head_attention_forward: -1,
    **{
        getattr(nn.functional, f"{kind}{n}d"): -n - 1
        for kind in ("conv", "conv_transpose")
        for n in (1, 2, 3)
    },
}
RECURRENT = {
    "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell",
    "rnn_relu_cell",
}  # fmt: skip
# Weighted if one of the factors is a parameter.
PRODUCTS = {
    "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "baddbmm", "einsum", "tensordot",
    "mv", "addbmm", "inner",
}  # fmt: skip
MOVING = {
    "permute", "transpose", "transpose_", "swapaxes", "swapdims", "movedim", "moveaxis", "t",
    "__get__",
}  # fmt: skip
RESHAPING = {"reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "reshape_as"}
LINEAR = {
    *MOVING, *RESHAPING, "add", "__add__", "__radd__", "add_", "__iadd__", "sub", "__sub__",
    "__rsub__", "sub_", "__isub__", "neg", "__neg__", "div", "__truediv__", "div_", "__itruediv__",
    "contiguous", "clone", "detach", "to", "float", "half", "double", "bfloat16", "type", "type_as",
    "cpu", "cuda", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
    "feature_alpha_dropout", "batch_norm", "mean", "sum", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "cat", "concat", "stack",
    "pad", "__getitem__", "chunk", "split", "unbind", "narrow", "select", "expand", "repeat",
    "roll", "interpolate", "pixel_shuffle", "unfold", "fold", "channel_shuffle", "index_select",
}  # fmt: skip
MULTIPLYING = {"mul", "__mul__", "__rmul__", "mul_", "__imul__", "multiply"}
# Not linear, but nobody takes them for the activation of a hidden unit.
NO_ACTIVATION = {
    *PRODUCTS, *RECURRENT, "scaled_dot_product_attention", "softmax", "log_softmax", "_softmax",
    "layer_norm", "group_norm", "instance_norm", "rms_norm", "local_response_norm", "normalize",
    "max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "lp_pool1d", "lp_pool2d", "masked_fill", "masked_fill_", "cumsum",
    "var", "std", "rsqrt", "pack_padded_sequence", "amax", "argmax", "topk", "sort", "gather",
    "scatter_add", "scatter", "index_add", "bernoulli", "multi_head_attention_forward",
    "boolean_dispatch", "max_pool1d_with_indices", "max_pool2d_with_indices",
}  # fmt: skip


@dataclass
class _Frame:
    """A module that is running."""

    name: str
    module: nn.Module
    role: Role | None = None
    known: Known | None = None
    input: Tensor | None = None
    flat: tuple[float, int] | None = None
    # A leaf of the user's own without weights: an activation, if it calls an activation function.
    perhaps: bool = False
    calls: int = 0
    multiplied: bool = False


class _Observer(TorchFunctionMode):
    """Reports what layers give while a model runs once.

    Hooks tell which module is running; as a mode for torch functions it sees the calls of
    activation functions in between, and follows the signal from layer to layer.
    """

    def __init__(
        self,
        model: nn.Module,
        report: Callable[[Event], None],
        *,
        chosen: Mapping[str, nn.Module] | None = None,
        what: What = "output",
        unit_axis: int | None = None,
        everything: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.report = unwrapped(model), report
        self.chosen = None if chosen is None else {id(m) for m in chosen.values()}
        self.what, self.unit_axis, self.everything = what, unit_axis, everything
        self.flow = Flow()
        self.unseen: dict[str, str] = {}
        self._stack: list[_Frame] = []
        self._calls: Counter[str] = Counter()
        self._functions = identify.torch_functions()
        self._weights: dict[int, Tensor] = {}  # tensors made of parameters alone
        self._busy = False  # what the observer itself computes is no part of the model

    def run(self, x: Any) -> Any:
        """Run the model on a copy of ``x`` and return its outputs."""
        handles = []
        x = mapped(lambda leaf: to_torch(leaf, self.model).clone(), x)
        try:
            for name, module in _named(self.model).items():
                if isinstance(module, torch.jit.ScriptModule):
                    if not isinstance(getattr(module, "_parent", None), torch.jit.ScriptModule):
                        self.unseen[name or "the model"] = "scripted: look at the original"
                    continue
                handles += self._listen(name, module)
            with torch.no_grad(), self:
                return call(self.model, x)
        finally:
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    # --- Modules ---

    def _listen(self, name: str, module: nn.Module) -> list[Any]:
        def before(module: nn.Module, args: Any, kwargs: Any) -> None:
            with self._aside():
                self._enter(name, module, next(iter(tensors_of((args, kwargs))), None))

        def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            with self._aside():
                self._leave(self._stack.pop(), output)

        return [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after, with_kwargs=True, always_call=True),
        ]

    def _enter(self, name: str, module: nn.Module, value: Tensor | None) -> None:
        frame = _Frame(name, module)
        inside = any(above.role == "activation" for above in self._stack)
        if self.chosen is not None:
            if id(module) in self.chosen:
                frame.role = "weights"
        elif inside:
            pass
        elif isinstance(module, ACTIVATIONS):
            frame.role = "activation"
            frame.known = identify.of_module(module, "torch")
        elif isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            frame.role = "recurrent" if self.everything else None
            self.unseen[name] = f"{type(module).__name__} applies its activations inside"
        elif self.everything and owns_kernel(module):
            frame.role = "weights"
        elif not type(module).__module__.startswith("torch.nn."):
            frame.perhaps = not owns_kernel(module) and not [*module.children()]
        if value is not None and value.dim() and (frame.role or frame.perhaps):
            if frame.role == "activation":
                frame.flat = flat_count(value, frame.known) if self.everything else None
            if self.what == "input":
                frame.input = self._by_unit(name, value)
        self._stack.append(frame)

    def _leave(self, frame: _Frame, output: Any) -> None:
        value = output
        if frame.role == "recurrent" and isinstance(output, tuple):
            value = output[0]
        if isinstance(value, nn.utils.rnn.PackedSequence):
            value = value.data
        if output is None:  # the module raised
            return
        if frame.perhaps and frame.calls == 1 and isinstance(value, Tensor):
            frame.role = "activation"
        if frame.role is None or (frame.role == "weights" and self._only_holds(frame)):
            return
        name = frame.name
        if frame.role != "recurrent":  # a cell runs once a step
            name = numbered(name, self._calls)
        if isinstance(value, tuple) and self.everything:  # attention gives its weights too
            value = value[0]
        if frame.role == "activation" and isinstance(value, Tensor):
            self.flow.activated(value, name)
        if self.everything and frame.known is not None and not frame.known.of_a_unit:
            return  # a softmax
        self.report(
            Event(
                name,
                type(frame.module).__name__,
                frame.role,
                self._by_unit(name, value),
                frame.known,
                frame.input,
                frame.flat,
                frame.module,
            )
        )

    def _only_holds(self, frame: _Frame) -> bool:
        """Whether a module has parts and uses its weights for no product (a position, say)."""
        parts = any(name != "parametrizations" for name, _ in frame.module.named_children())
        return self.chosen is None and parts and not frame.multiplied

    # --- Functions ---

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Let a function run, note what it does to the signal, and report an activation."""
        kwargs = kwargs or {}
        inputs = [] if self._busy else list(tensors_of((args, kwargs)))
        if not inputs:
            return func(*args, **kwargs)
        traces = [self.flow.of(tensor) for tensor in inputs]
        op = _Op(func, args, kwargs, inputs, [tuple(t.shape) for t in inputs], traces)
        call = self._recognise(op)
        if call is not None:  # now: the function may work in place
            if self.everything:
                call.flat = flat_count(inputs[0], call.known)
            if self.what == "input":
                call.input = self._by_unit(call.name, inputs[0])
        output = func(*args, **kwargs)
        self._follow(op, output)
        if call is not None and isinstance(output, Tensor):
            call.name = numbered(call.name, self._calls)
            self.flow.activated(output, call.name)
            value = self._by_unit(call.name, output)
            kind = f"{op.name}()"
            self.report(
                Event(call.name, kind, "activation", value, call.known, call.input, call.flat)
            )
        return output

    def _recognise(self, op: _Op) -> _Call | None:
        """The activation function that is called, unless it is part of an activation module."""
        places = self._functions.get(op.func, RELU if _cuts_at_zero(op) else None)
        value = op.args[0] if op.args else op.kwargs.get("input")
        if places is None or not isinstance(value, Tensor) or value.dim() == 0:
            return None
        beside = op.func in self._functions  # a clamp's bounds are no arguments of relu
        rest = {key: given for key, given in op.kwargs.items() if key != "input" and beside}
        known = identify.of_call(places, op.args[1:] if beside else (), rest)
        if self._made_of_weights(value) or (known is not None and not known.of_a_unit):
            return None
        for frame in reversed(self._stack):
            if frame.role == "activation" or frame.perhaps:
                frame.calls += 1
                return None
        if self.chosen is not None:
            return None
        within = self._stack[-1].name if self._stack else ""
        return _Call(f"{within}.{op.name}()" if within else f"{op.name}()", known)

    def _made_of_weights(self, tensor: Tensor) -> bool:
        return isinstance(tensor, nn.Parameter) or self._weights.get(id(tensor)) is tensor

    def _follow(self, op: _Op, output: Any) -> None:
        """File where the outputs come from."""
        outputs = list(tensors_of(output))
        signal = [i for i, tensor in enumerate(op.inputs) if not self._made_of_weights(tensor)]
        if not signal:
            self._weights |= {id(tensor): tensor for tensor in outputs}
            return
        met = [i for i in signal if op.traces[i] is not None]
        weights = any(t.dim() >= 2 for i, t in enumerate(op.inputs) if i not in signal)
        if op.func in WEIGHTED or op.name in RECURRENT or (op.name in PRODUCTS and weights):
            owner = next((f for f in reversed(self._stack) if owns_kernel(f.module)), None)
            layer = f"{op.name}()" if owner is None else owner.name
            if owner is not None:
                owner.multiplied = True
            for i in met:
                self.flow.consume(op.traces[i], layer, linear="attention" not in op.name)
            trace = Trace(
                axis=WEIGHTED.get(op.func, -1),
                source=None if op.name in RECURRENT or "embedding" in op.name else layer,
                bent=frozenset({USUAL} if "attention" in op.name else ()),
            )
            for tensor in outputs:
                self.flow.put(tensor, trace)
            return
        if not met:
            return
        joined = self.flow.join(op.traces[i] for i in met)
        if op.name in NO_ACTIVATION:
            joined = replace(joined, bent=joined.bent | {USUAL})
        elif op.name not in LINEAR and not (op.name in MULTIPLYING and len(met) == 1):
            joined = replace(joined, bent=joined.bent | {op.name})
        for tensor in outputs:
            # Units are those of the first signal with as many axes as the result, else the first.
            first = next((i for i in met if len(op.shapes[i]) == tensor.dim()), met[0])
            self.flow.put(tensor, replace(joined, axis=_axis_after(op, first, tensor)))

    # --- What is reported ---

    def _by_unit(self, name: str, value: Any) -> Tensor:
        """(samples, ..., units, ...) → a copy (1, samples · positions, units)."""
        called = name.endswith(")")
        if isinstance(value, Tensor) and value.dim() == 1 and (called or self.everything):
            value = value[:, None]
        if not isinstance(value, Tensor) or value.dim() < 2:
            kind = (
                f"a tensor of shape {tuple(value.shape)}"
                if isinstance(value, Tensor)
                else type(value)
            )
            raise ValueError(
                f"layer {name!r}: expected one tensor (samples, ..., units), got {kind}."
            )
        trace = self.flow.of(value)
        axis = self.unit_axis
        if axis is None and trace is not None:
            axis = trace.axis
        if axis is None:
            if value.dim() == 3 and not self.everything:
                raise ValueError(
                    f"layer {name!r} has shape {tuple(value.shape)}: say unit_axis=1 for (samples, "
                    "channels, length) or unit_axis=-1 for (samples, steps, units)."
                )
            axis = 1 if value.dim() != 3 else -1
        return value.detach().movedim(axis, -1).flatten(0, -2)[None].clone()


@dataclass(frozen=True)
class _Op:
    """A call of a function: its tensors as they were before it."""

    func: Any
    args: Any
    kwargs: Any
    inputs: list[Tensor]
    shapes: list[tuple[int, ...]]
    traces: list[Trace | None]

    @property
    def name(self) -> str:
        """Without the underscore of a function in place."""
        name: str = getattr(self.func, "__name__", "")
        return name if name.endswith("__") else name.rstrip("_")


@dataclass
class _Call:
    """A call of an activation function."""

    name: str
    known: Known | None
    input: Tensor | None = None
    flat: tuple[float, int] | None = None


RELU = identify.functions("torch")["relu"]


def _cuts_at_zero(op: _Op) -> bool:
    """A ReLU in other words: ``x.clamp(min=0)``, ``torch.maximum(x, zero)``."""
    args = dict(enumerate(op.args))
    if op.name in ("clamp", "clip", "clamp_min"):
        low = args.get(1, op.kwargs.get("min"))
        return (
            not isinstance(low, Tensor) and low == 0 and args.get(2, op.kwargs.get("max")) is None
        )
    if op.name in ("maximum", "max", "fmax"):
        other = args.get(1, op.kwargs.get("other"))
        return isinstance(other, Tensor) and not other.any()
    return False


def _axis_after(op: _Op, first: int, output: Tensor) -> int | None:
    """Where the units of an operation's input are in its output."""
    trace, before, after = op.traces[first], op.shapes[first], tuple(output.shape)
    if trace is None or trace.axis is None or len(before) < -trace.axis:
        return None
    if op.name in MOVING and op.args and len(after) == len(before):
        # Where the one axis of another size goes, the units go.
        odd = torch.empty([2 + (i == len(before) + trace.axis) for i in range(len(before))])
        moved = op.func(odd.to("meta"), *op.args[1:], **op.kwargs)
        return [*moved.shape].index(3) - len(after)
    if len(after) != len(before) or op.name in RESHAPING:
        return after_reshape(before, trace.axis, after)
    return trace.axis


# --- Leaving a model as it was -------------------------------------------------------------------


def call(model: Callable[..., Any], x: Any) -> Any:
    """``model(x)``; a dict goes by name and a list by position where ``forward`` takes them so."""
    try:
        signature = inspect.signature(getattr(model, "forward", model))
    except (TypeError, ValueError):
        return model(x)
    if isinstance(x, Mapping) and _binds(signature, **x):
        return model(**x)
    if isinstance(x, (list, tuple)) and _binds(signature, *x):
        return model(*x)
    return model(x)


def _binds(signature: inspect.Signature, *args: Any, **kwargs: Any) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


@contextlib.contextmanager
def looking(model: Any) -> Iterator[None]:
    """For the time of a look: evaluation mode, eager, slow paths, and everything put back after.

    Put back are each module's mode, parameters and buffers (an ``Embedding`` with ``max_norm``
    rewrites its weights even then), and the states of the random generators.
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.callback(_put_back, module, module.training, dict(module._buffers))
        stack.enter_context(_kept([*_tensors(modules)]))
        stack.enter_context(same_randomness())
        stack.enter_context(_eager())
        for module in modules:
            module.training = False
        yield


def _put_back(module: nn.Module, training: bool, buffers: dict[str, Any]) -> None:
    module.training = training
    if any(module._buffers.get(name) is not buffer for name, buffer in buffers.items()):
        module._buffers.update(buffers)


def _tensors(modules: list[nn.Module]) -> Iterator[Tensor]:
    seen: set[int] = set()
    for module in modules:
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor


@contextlib.contextmanager
def _kept(tensors: list[Tensor]) -> Iterator[None]:
    if any(nn.parameter.is_lazy(tensor) for tensor in tensors):
        raise ValueError(
            "the model has lazy modules without weights yet; a look would create them. Call the "
            "model on a batch first."
        )
    copies = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, copy in zip(tensors, copies, strict=True):
                if not torch.equal(tensor, copy):
                    tensor.copy_(copy)


@contextlib.contextmanager
def same_randomness() -> Iterator[None]:
    """The random generators of PyTorch, NumPy and Python go on afterwards as if not used."""
    own, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (the caller's, to restore)
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    try:
        with torch.random.fork_rng(list(devices)):
            yield
    finally:
        random.setstate(own)
        np.random.set_state(numpys)  # noqa: NPY002


@contextlib.contextmanager
def _eager() -> Iterator[None]:
    """No compiled graph and no fused transformer layer: neither lets anybody look inside."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    # From PyTorch 2.6; without Dynamo, which takes seconds to import, nothing was compiled.
    stance = getattr(torch.compiler, "set_stance", None) if "torch._dynamo" in sys.modules else None
    try:
        with stance("force_eager") if stance else contextlib.nullcontext():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


# --- The input-output Jacobian -------------------------------------------------------------------


def input_output_jacobian(model: nn.Module | Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Every sample's Jacobian of the outputs by the inputs: (1, samples, outputs, inputs).

    ``x``: (samples, ...), flattened to inputs; likewise the outputs. A module is looked at in
    evaluation mode (so samples do not meet in a batch norm) and left as it was.
    """
    with looking(model), torch.enable_grad():
        x = to_torch(x, model).detach().clone().requires_grad_()
        # A copy goes in: the first layer may work in place, which no leaf of a graph allows.
        y = model(x.clone())
        if not isinstance(y, Tensor):
            raise TypeError(f"the model gives {type(y).__name__}; expected one tensor.")
        y = y.flatten(1)
        # One backward pass per output, for all samples at once: sample i's outputs depend on
        # sample i's inputs alone.
        rows = [
            torch.autograd.grad(y[:, i].sum(), x, retain_graph=True, materialize_grads=True)[0]
            for i in range(y.shape[1])
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
