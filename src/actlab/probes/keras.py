"""Looking into a Keras model: what its layers give, and the gradients of its loss."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import torch

from actlab.probes import identify
from actlab.probes.batches import Batch, leaves, mapped, to_numpy
from actlab.probes.events import Event, Role, Sight, flat_count, in_words, numbered
from actlab.probes.flow import USUAL, Flow, Trace, after_reshape
from actlab.probes.gradients import Inferred, infer, shape_error, single_output
from actlab.probes.identify import Known
from actlab.probes.torch import same_randomness
from actlab.recipes import keras as recipes

Array = npt.NDArray[Any]

OWN_LAYER = (
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    recipes.RReLU,
    recipes.ThresholdedReLU,
)
NOT_OF_A_HIDDEN_UNIT = ("linear", "softmax", "log_softmax", "sparsemax")
# One layer to the reader, several inside.
WHOLE = tuple(
    kind
    for name in ("MultiHeadAttention", "GroupQueryAttention")
    if (kind := getattr(keras.layers, name, None)) is not None
)
# Layers and operations by class name, as for PyTorch in actlab.probes.torch.
LINEAR = {
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
    "GaussianNoise", "AlphaDropout", "Flatten", "Reshape", "Permute", "RepeatVector", "Masking",
    "BatchNormalization", "Normalization", "Rescaling", "Add", "Subtract", "Average", "Concatenate",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "ActivityRegularization", "InputLayer", "Identity", "Activation", "Transpose",
    "GetItem", "Mean", "Sum", "Squeeze", "ExpandDims", "Cast", "Split", "Swapaxes", "Moveaxis",
    "Stack", "Divide", "TrueDivide", "Negative", "Pad", "BroadcastTo", "StopGradient", "Resizing",
}  # fmt: skip
NO_ACTIVATION = {
    "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization",
    "SpectralNormalization", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "Softmax", "Attention", "AdditiveAttention",
    "Matmul", "Einsum", "Dot", "Normalize", "LayerNorm",
}  # fmt: skip


def look(model: Any, batches: Iterable[Any]) -> Sight:
    """All layers of a model over batches of inputs, for a table: see :class:`Sight`."""
    sight = Sight()
    with looking(model):
        for x in batches:
            observer = Observer(model, sight.add, everything=True)
            with in_words(model, x):
                observer.run(x)
            sight.unseen |= observer.unseen
            sight.end(observer.flow)
    return sight


# --- The observer --------------------------------------------------------------------------------


@dataclass
class _Frame:
    """A layer that is running."""

    layer: Any
    role: Role | None = None
    known: Known | None = None
    input: torch.Tensor | None = None
    flat: tuple[float, int] | None = None
    # A leaf of the user's own without weights: an activation, if it calls an activation function.
    perhaps: bool = False
    calls: int = 0
    ran_inside: bool = False
    name: str = ""
    trace: Trace | None = None
    # TimeDistributed runs its layer once a step: all its calls are one.
    names: dict[tuple[Any, int], str] = field(default_factory=dict)
    step: Counter[Any] = field(default_factory=Counter)


class Observer:
    """Reports what layers give while a model runs once, eagerly.

    Keras has no forward hooks, so each layer's own ``call`` is covered for the time being; the
    attribute is set past Keras's tracking and removed again, also after an error. The same goes
    for the operations of a functional graph, and for the functions of Keras and TensorFlow that a
    ``call`` may use.

    ``names``: look at what these layers give, and at nothing else.
    """

    def __init__(
        self,
        model: Any,
        report: Callable[[Event], None],
        *,
        names: list[str] | None = None,
        everything: bool = False,
    ) -> None:
        self.model, self.report, self.everything = model, report, everything
        self.names = names
        self.layers = model._flatten_layers(include_self=False)
        have = f"the model has {', '.join(layer.name for layer in self.layers)}."
        known = {layer.name for layer in self.layers}
        if unknown := [name for name in names or () if name not in known]:
            raise ValueError(f"no layer is called {', '.join(map(repr, unknown))}; {have}")
        self.flow = Flow()
        self.unseen: dict[str, str] = {}
        self._events: set[str] = set()
        self._stack: list[_Frame] = []
        self._calls: Counter[str] = Counter()
        self._quiet = False

    def run(self, x: Any) -> Any:
        """Run the model in inference mode and return its outputs."""
        with contextlib.ExitStack() as stack:
            for operation in self._operations():
                stack.enter_context(self._covered(operation))
            if self.names is None:
                stack.enter_context(self._functions_covered())
            return self.model(mapped(to_numpy, x), training=False)

    def _operations(self) -> Iterator[Any]:
        """All layers, and the operations of functional graphs that are no layers."""
        seen: set[int] = set()
        graphs = [self.model, *self.layers]
        operations = [o for graph in graphs for o in getattr(graph, "operations", ())]
        for operation in (*self.layers, *operations):
            if id(operation) not in seen and operation is not self.model:
                seen.add(id(operation))
                yield operation

    # --- Layers ---

    @contextlib.contextmanager
    def _covered(self, layer: Any) -> Iterator[None]:
        own = vars(layer).get("call")
        call, activation = layer.call, vars(layer).get("activation")

        @functools.wraps(call)
        def heard(*args: Any, **kwargs: Any) -> Any:
            if self._quiet:
                return call(*args, **kwargs)
            frame = self._enter(layer, (args, kwargs))
            self._quiet = frame.role == "recurrent" or isinstance(layer, WHOLE)
            try:
                output = call(*args, **kwargs)
            finally:
                self._quiet = False
                self._stack.pop()
            self._leave(frame, tensors_of((args, kwargs)), output)
            return output

        def applied(z: Any, *args: Any, **kwargs: Any) -> Any:
            if self._stack and self._stack[-1].layer is layer and not self._quiet:
                frame = self._stack[-1]
                frame.flat = flat_count(_as_torch(z), frame.known)
            return function(z, *args, **kwargs)

        # Functions only: a layer given as activation is found by itself, and Keras tracks it.
        function: Callable[..., Any] = activation if inspect.isroutine(activation) else _nothing
        listens = self.everything and function is activation
        try:
            object.__setattr__(layer, "call", heard)
            if listens:
                object.__setattr__(layer, "activation", functools.wraps(function)(applied))
            yield
        finally:
            if own is not None:
                object.__setattr__(layer, "call", own)
            else:
                object.__delattr__(layer, "call")
            if listens:
                object.__setattr__(layer, "activation", activation)

    def _enter(self, layer: Any, given: Any) -> _Frame:
        frame, inputs = _Frame(layer), tensors_of(given)
        for above in self._stack:
            above.ran_inside = True
            if _is_timed(above.layer) and above.layer.layer is layer:
                above.step.clear()
        self._give_role(frame, given, inputs)
        frame.name, frame.trace = self._name(layer.name, layer), self._trace_of(inputs)
        if _multiplies(layer):
            if frame.trace is None:  # it may come from any of them
                self.flow.consumed |= self._events
            else:
                self.flow.consume(frame.trace, frame.name, linear=not isinstance(layer, WHOLE))
        self._stack.append(frame)
        return frame

    def _give_role(self, frame: _Frame, given: Any, inputs: list[Any]) -> None:
        """Decide what the layer is looked at for, and read what enters it."""
        layer = frame.layer
        if self.names is not None:
            frame.role = "activation" if layer.name in self.names else None
        elif any(above.role == "activation" for above in self._stack):
            return
        elif _is_recurrent(layer):
            frame.role = "recurrent"
            self.unseen[layer.name] = "applies its activations inside, step by step"
        elif (found := _activation(layer, given)) is not None:
            frame.role, frame.known = "activation", found.known
            if self.everything and found.of_input and inputs:
                frame.flat = flat_count(_as_torch(inputs[0]), found.known)
        elif owns_kernel(layer) or isinstance(layer, WHOLE):
            frame.role = "weights"
        else:
            own = isinstance(layer, keras.layers.Layer) and not _parts(layer)
            frame.perhaps = own and not type(layer).__module__.startswith("keras.")

    def _leave(self, frame: _Frame, inputs: list[Any], output: Any) -> None:
        layer, outputs, name = frame.layer, tensors_of(output), frame.name
        if frame.perhaps and frame.calls == 1 and len(outputs) == 1:
            frame.role = "activation"
        self._follow(frame, inputs, outputs)
        wanted = frame.role is not None and (self.everything or frame.role == "activation")
        if not wanted:
            return
        value = outputs[0] if self.everything and outputs else output
        kind = type(layer).__name__
        assert frame.role is not None
        self.report(
            Event(
                name,
                kind,
                frame.role,
                self._by_unit(layer, value),
                frame.known,
                frame.input,
                frame.flat,
                layer,
            )
        )

    def _name(self, name: str, key: Any) -> str:
        for frame in self._stack:
            if _is_timed(frame.layer):
                frame.step[id(key)] += 1
                place = (name, frame.step[id(key)])
                if place not in frame.names:
                    frame.names[place] = numbered(name, self._calls)
                return frame.names[place]
        return numbered(name, self._calls)

    # --- Functions ---

    @contextlib.contextmanager
    def _functions_covered(self) -> Iterator[None]:
        """Listen to activation functions that a ``call`` uses without a layer around them."""
        names = [name for name in identify.functions("keras") if name not in NOT_OF_A_HIDDEN_UNIT]
        heard: dict[int, Callable[..., Any]] = {}
        covered: list[tuple[Any, str, Any]] = []
        try:
            for home in _homes():
                for name in (*names, "maximum"):
                    function = vars(home).get(name)
                    if callable(function):
                        heard[id(function)] = self._hearing(name, function)
                        covered.append((vars(home), name, function))
            for layer in (self.model, *self.layers):
                covered += [found for found in _held(layer) if id(found[2]) in heard]
            for place, name, function in covered:
                _set(place, name, heard[id(function)])
            yield
        finally:
            for place, name, function in reversed(covered):
                _set(place, name, function)

    def _hearing(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def alone(*args: Any, **kwargs: Any) -> Any:
            self._quiet = True  # one function may be made of others
            try:
                return function(*args, **kwargs)
            finally:
                self._quiet = False

        @functools.wraps(function)
        def heard(*args: Any, **kwargs: Any) -> Any:
            value = args[0] if args else next(iter(kwargs.values()), None)
            part = any(frame.role == "activation" for frame in self._stack)
            odd = name == "maximum" and not _with_zero(args, kwargs)
            if self._quiet or part or odd or not tensors_of(value):
                return function(*args, **kwargs)
            if self._stack and self._stack[-1].perhaps:
                self._stack[-1].calls += 1
                return alone(*args, **kwargs)
            known = _called("relu" if name == "maximum" else name, args[1:], kwargs)
            flat = flat_count(_as_torch(value), known) if self.everything else None
            output = alone(*args, **kwargs)
            inside = [frame.layer.name for frame in self._stack[-1:]]
            label = self._name(".".join([*inside, f"{name}()"]), name)
            for above in self._stack:
                above.ran_inside = True
            trace = self._trace_of([value]) or Trace()
            self.flow.put(output, replace(trace, axis=_axis_of(trace.axis, output)))
            self.flow.activated(output, label)
            self._events.add(label)
            array = self._by_unit(None, output)
            self.report(Event(label, f"{name}()", "activation", array, known, None, flat))
            return output

        return heard

    # --- Where signals come from ---

    def _trace_of(self, inputs: list[Any]) -> Trace | None:
        known = [trace for tensor in inputs if (trace := self.flow.of(tensor)) is not None]
        if known:
            axis = next((t.axis for t in known if t.axis is not None), None)
            return replace(self.flow.join(known), axis=axis)
        # Cast to another precision, or through operations that are no layers: the latest result
        # of the same shape is the best guess.
        if self.flow.latest and inputs and self.flow.latest[0] == tuple(inputs[0].shape):
            return self.flow.latest[1]
        return None

    def _follow(self, frame: _Frame, inputs: list[Any], outputs: list[Any]) -> None:
        """File where the outputs come from."""
        layer, trace = frame.layer, frame.trace
        layout = _layout(layer, outputs)
        inner = next((t for tensor in outputs if (t := self.flow.of(tensor))), None)
        if frame.ran_inside and (inner or self.flow.latest):
            trace = inner or (self.flow.latest or ((), Trace()))[1]
            trace = trace if trace.axis is not None else replace(trace, axis=layout)
        elif _multiplies(layer):
            embeds = "Embedding" in type(layer).__name__ or frame.role == "recurrent"
            trace = Trace(
                axis=layout,
                source=None if embeds else frame.name,
                bent=frozenset({USUAL} if isinstance(layer, WHOLE) else ()),
            )
        elif trace is not None:
            trace = self._passed(layer, trace, inputs, outputs)
        for tensor in outputs:
            filed = trace or Trace(layout)
            self.flow.put(tensor, replace(filed, axis=_axis_of(filed.axis, tensor)))
            if frame.role == "activation":
                self._events.add(frame.name)
                self.flow.activated(tensor, frame.name)

    def _passed(self, layer: Any, trace: Trace, inputs: list[Any], outputs: list[Any]) -> Trace:
        """What is known after a layer without weights."""
        kind = type(layer).__name__
        if kind in NO_ACTIVATION:
            trace = replace(trace, bent=trace.bent | {USUAL})
        elif kind not in LINEAR and not (kind == "Multiply" and len(inputs) == 1):
            trace = replace(trace, bent=trace.bent | {layer.name})
        if not inputs or not outputs or trace.axis is None:
            return trace
        before, after = tuple(inputs[0].shape), tuple(outputs[0].shape)
        moves = getattr(layer, "dims", None) or getattr(layer, "axes", None)
        if kind in ("Permute", "Transpose") and moves is not None:
            order = (0, *moves) if kind == "Permute" else tuple(moves)
            return replace(trace, axis=order.index(len(before) + trace.axis) - len(after))
        if kind == "Transpose":
            return replace(trace, axis=-1 - (len(before) + trace.axis))
        if len(after) != len(before) or kind == "Reshape":
            return replace(trace, axis=after_reshape(before, trace.axis, after))
        return trace

    def _by_unit(self, layer: Any, output: Any) -> torch.Tensor:
        """(samples, ..., units, ...) → (1, samples · ..., units)."""
        shape = getattr(output, "shape", None)
        if shape is None or len(shape) < 1 or (len(shape) < 2 and not self.everything):
            kind = type(output).__name__ if shape is None else f"shape {tuple(shape)}"
            name = getattr(layer, "name", "a function")
            raise ValueError(
                f"layer {name!r} gives {kind}; expected one tensor (samples, ..., units). "
                "Choose others with layers=[...]."
            )
        value = _as_torch(output)
        if value.dim() == 1:
            return value[None, :, None]
        trace = self.flow.of(output)
        axis = None if trace is None else _axis_of(trace.axis, output)
        if axis is None:
            axis = -1
            if value.dim() >= 4 and keras.config.image_data_format() == "channels_first":
                axis = 1
        return value.movedim(axis, -1).reshape(1, -1, value.shape[axis])


def _axis_of(axis: int | None, tensor: Any) -> int | None:
    return axis if axis is None or len(tensor.shape) >= -axis else None


def _nothing(z: Any) -> Any:
    return z


def _held(layer: Any) -> Iterator[tuple[Any, str, Any]]:
    """Functions that a layer of the user's own refers to by other names: where, and as what.

    Its attributes (``self.act = tf.nn.relu``), and what its ``call`` and functions among its
    attributes find in their module (``from keras.ops import relu``) or around them.
    """
    if type(layer).__module__.startswith("keras."):
        return
    call = type(layer).call
    functions = [inspect.unwrap(getattr(call, "python_function", call))]
    for name, value in vars(layer).items():
        if inspect.isroutine(value):
            yield vars(layer), name, value
            functions.append(inspect.unwrap(value))
    for function in functions:
        for cell in getattr(function, "__closure__", None) or ():
            with contextlib.suppress(ValueError):  # an empty cell
                yield cell, "cell_contents", cell.cell_contents
        for name in getattr(getattr(function, "__code__", None), "co_names", ()):
            if name in function.__globals__:
                yield function.__globals__, name, function.__globals__[name]


def _set(place: Any, name: str, value: Any) -> None:
    if isinstance(place, dict):
        place[name] = value
    else:
        setattr(place, name, value)


def _homes() -> list[Any]:
    """The modules in which activation functions are looked up while a model runs."""
    # Every function and layer of Keras, however it was imported, ends in its backend.
    backend: Any = importlib.import_module("keras.src.backend")
    homes = [keras.activations, keras.ops, backend.nn, backend.numpy]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        homes += [tf, tf.nn, tf.math]
    return homes


def _called(name: str, args: Any, kwargs: Any) -> Known | None:
    return identify.of_call(identify.functions("keras").get(name, []), args, kwargs)


def _with_zero(args: Any, kwargs: Any) -> bool:
    """A ReLU in other words: ``maximum(x, 0)``."""
    return any(
        isinstance(value, (int, float)) and value == 0 for value in (*args, *kwargs.values())
    )


@dataclass(frozen=True)
class _Activation:
    """What a layer applies, and whether to what it is given (not to what it has computed)."""

    known: Known | None
    of_input: bool


def _activation(layer: Any, given: Any) -> _Activation | None:
    """The activation that a layer (or an operation of a graph) applies to hidden units, if any."""
    if not isinstance(layer, keras.layers.Layer):
        return _operation(layer, given)
    if isinstance(layer, OWN_LAYER):
        return _Activation(identify.of_module(layer, "keras"), True)
    if isinstance(layer, recipes.ActivationWith):
        known = _called(layer.activation, (), layer.arguments)
        return _of_a_unit(layer.activation, _Activation(known, True))
    activation = getattr(layer, "activation", None)
    # A layer given as an activation is found by itself.
    if activation is None or isinstance(activation, keras.layers.Layer):
        return None
    name = getattr(activation, "__name__", str(activation))
    known = _called(name, (), {}) if _is_keras_own(name, activation) else None
    return _of_a_unit(name, _Activation(known, False))


def _is_keras_own(name: str, activation: Any) -> bool:
    try:
        # What the observer has put around it is not the user's.
        return bool(keras.activations.get(name) is inspect.unwrap(activation))
    except ValueError:  # no function of Keras has this name
        return False


def _of_a_unit(name: str, found: _Activation) -> _Activation | None:
    return None if name in NOT_OF_A_HIDDEN_UNIT else found


def _operation(operation: Any, given: Any) -> _Activation | None:
    """Of an operation in a functional graph: ``keras.ops.relu(x)`` becomes a ``Relu``."""
    kind = type(operation).__name__.lower()
    if kind == "maximum" and _with_zero(*given):
        return _Activation(_called("relu", (), {}), True)
    for name, places in identify.functions("keras").items():
        if name.replace("_", "") == kind and name not in NOT_OF_A_HIDDEN_UNIT:
            arguments = {argument for _, place in places for argument in place.arguments}
            given = {a: v for a in arguments if (v := getattr(operation, a, None)) is not None}
            return _Activation(identify.of_call(places, (), given), True)
    return None


def _is_timed(layer: Any) -> bool:
    return isinstance(layer, keras.layers.TimeDistributed)


def _is_recurrent(layer: Any) -> bool:
    return isinstance(layer, keras.layers.RNN) or hasattr(layer, "state_size")


def _parts(layer: Any) -> list[Any]:
    return list(layer._flatten_layers(include_self=False, recursive=False))


def owns_kernel(layer: Any) -> bool:
    """Whether weights with two axes or more are the layer's own (not those of its parts)."""
    return bool(kernels_of(layer, own=True))


def kernels_of(layer: Any, *, own: bool = False) -> list[Any]:
    """The weights with two axes or more: the layer's own, with those of its parts if it has any.

    Parts count where the reader sees one layer: the cell of a recurrent layer, the projections
    of an attention layer.
    """
    if not isinstance(layer, keras.layers.Layer):
        return []
    inside: set[int] = set()
    if own or not (_is_recurrent(layer) or isinstance(layer, WHOLE)):
        inside = {id(weight) for part in _parts(layer) for weight in part.weights}
    return [weight for weight in layer.weights if is_kernel(weight) and id(weight) not in inside]


def is_kernel(weight: Any) -> bool:
    """Two axes or more, and no bias (those of an attention layer have an axis for the heads)."""
    return len(weight.shape) >= 2 and not weight.name.endswith("bias")


def _multiplies(layer: Any) -> bool:
    """Whether a layer multiplies its input by weights."""
    whole = isinstance(layer, WHOLE) or _is_recurrent(layer)
    return whole or (owns_kernel(layer) and not isinstance(layer, OWN_LAYER))


def _layout(layer: Any, outputs: list[Any]) -> int | None:
    """The axis of the units after a layer with weights, counted from the end."""
    if getattr(layer, "data_format", None) == "channels_first" and outputs:
        return 1 - len(outputs[0].shape)
    if isinstance(layer, keras.layers.Layer) and owns_kernel(layer):
        return -1
    return None


def tensors_of(data: Any) -> list[Any]:
    """All tensors of Keras's backend in a structure."""
    return [leaf for leaf in leaves(data) if keras.ops.is_tensor(leaf)]


def _as_torch(tensor: Any) -> torch.Tensor:
    array = keras.ops.convert_to_numpy(tensor)
    return torch.tensor(array.astype(np.result_type(array, np.float32), copy=False))


def is_built(model: Any) -> bool:
    """Whether all the weights are there."""
    layers = model._flatten_layers(include_self=False)
    return bool(model.built or all(layer.built for layer in layers))


# --- Leaving a model as it was -------------------------------------------------------------------


@contextlib.contextmanager
def looking(model: Any) -> Iterator[None]:
    """For the time of a look: functions run eagerly; all variables are put back afterwards."""
    if not is_built(model):
        raise ValueError(
            f"the model {model.name!r} has no weights yet; a look would create them. Call it on a "
            "batch (or model.build) first."
        )
    variables = [*model.variables, *model.metrics_variables]
    before = [to_numpy(variable.value).copy() for variable in variables]
    try:
        with same_randomness(), _eager():
            yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            now = to_numpy(variable.value)
            if now.tobytes() != value.tobytes():
                variable.assign(value)


@contextlib.contextmanager
def _eager() -> Iterator[None]:
    """No compiled graph: it lets nobody look inside."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    eager = tf.config.functions_run_eagerly()
    try:
        tf.config.run_functions_eagerly(True)
        yield
    finally:
        tf.config.run_functions_eagerly(eager)


# --- Gradients -----------------------------------------------------------------------------------


def gradients(
    model: Any, batches: Iterable[Batch], variables: list[Any], loss: Any = None
) -> list[Array | None]:
    """Of the mean loss over all samples, by the variables, in float64, in inference mode.

    ``loss``: a Keras loss (name, object or function of labels and outputs); by default the one
    the model was compiled with. Whatever its reduction, it is the mean that is differentiated,
    with the sample weights and the regularisation that training uses. Where the optimiser scales
    the loss, as in mixed_float16, it is scaled here too, and the gradient unscaled. ``None`` for
    a variable that the loss does not depend on.
    """
    total: list[Array | None] = [None] * len(variables)
    samples = 0.0
    with looking(model), _averaging(model, loss) as value_of:
        for batch in batches:
            found, count = _batch_gradients(model, batch, variables, value_of)
            samples += count
            for i, gradient in enumerate(found):
                if gradient is not None:
                    total[i] = count * gradient + (0 if (old := total[i]) is None else old)
    return [None if gradient is None else gradient / samples for gradient in total]


def _batch_gradients(
    model: Any, batch: Batch, variables: list[Any], value_of: Callable[..., Any]
) -> tuple[list[Array | None], float]:
    """The gradients of one batch's mean loss, and how many samples that mean counts."""
    import tensorflow as tf

    x, y, weight = (mapped(to_numpy, part) for part in (batch.x, batch.y, batch.weight))
    scale = _loss_scale(model)
    while True:
        with tf.GradientTape() as tape:
            outputs = model(x, training=False)
            try:
                value = value_of(x, y, outputs, weight)
            except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
                raise shape_error(outputs, y, error) from error
            scaled = value * scale
        found = [
            # convert_to_tensor: an embedding's gradient comes as a list of rows.
            None if g is None else keras.ops.convert_to_numpy(tf.convert_to_tensor(g))
            for g in tape.gradient(scaled, variables)
        ]
        finite = all(g is None or np.isfinite(g).all() for g in found)
        if finite or scale <= 1 or not np.isfinite(float(value)):
            break
        scale /= 2  # as the optimiser would
    count = float(len(leaves(x)[0]))
    masks = [getattr(output, "_keras_mask", None) for output in leaves(outputs)]
    if len(masks) == 1 and masks[0] is not None:  # the mean is over what the mask leaves
        count = float(np.sum(keras.ops.convert_to_numpy(masks[0])))
    return [None if g is None else g.astype(np.float64) / scale for g in found], count


def loss_of(model: Any, batches: Iterable[Batch], loss: Any) -> tuple[Any, str]:
    """The loss to differentiate (``None`` for the model's own), and what it is in words."""
    if loss is not None:
        return loss, str(getattr(loss, "name", getattr(loss, "__name__", loss)))
    if model.compiled and (model.loss is not None or model.losses):
        return None, "the one the model was compiled with"
    batch = next(iter(batches))
    with looking(model):
        outputs = single_output(model(mapped(to_numpy, batch.x), training=False))
    meant = infer(to_numpy(outputs), to_numpy(single_output(batch.y)))
    said = f"{meant.words()}, inferred from the labels: give loss= for another"
    return functools.partial(_inferred_values, meant), said


def _inferred_values(meant: Inferred, labels: Any, outputs: Any) -> Any:
    """The inferred loss, one value a sample (or position)."""
    ops = keras.ops
    if meant.kind == "classes":
        outputs = ops.moveaxis(outputs, meant.axis, -1)
        labels = ops.reshape(labels, outputs.shape[:-1])
        return keras.losses.sparse_categorical_crossentropy(labels, outputs, meant.logits)
    labels = ops.cast(ops.reshape(labels, outputs.shape), outputs.dtype)
    if meant.kind == "onehot":
        return keras.losses.categorical_crossentropy(labels, outputs, meant.logits)
    if meant.kind == "binary":
        # One value an output: the loss averages over the last axis.
        pair = ops.expand_dims(labels, -1), ops.expand_dims(outputs, -1)
        return keras.losses.binary_crossentropy(*pair, meant.logits)
    return ops.square(outputs - labels)


@contextlib.contextmanager
def _averaging(model: Any, loss: Any) -> Iterator[Callable[..., Any]]:
    """The mean loss of a batch as a function of inputs, labels, outputs and sample weights."""
    given = leaves(model.loss if loss is None else loss)
    objects = [item for item in given if isinstance(item, keras.losses.Loss)]
    functions = [item for item in given if callable(item) and item not in objects]
    reductions = [item.reduction for item in objects]
    own = None if loss is None else keras.losses.get(loss)
    if own is not None and not isinstance(own, keras.losses.Loss):
        function = own
        own = lambda y, out, sample_weight: keras.ops.mean(  # noqa: E731
            _weighted(function(y, out), sample_weight)
        )

    def total(x: Any, y: Any, outputs: Any, weight: Any) -> Any:
        if own is not None:
            return own(y, outputs, sample_weight=weight)
        takes = inspect.signature(model.compute_loss).parameters
        inference = {"training": False} if "training" in takes else {}
        return model.compute_loss(x, y, outputs, weight, **inference)

    def value_of(x: Any, y: Any, outputs: Any, weight: Any) -> Any:
        added = sum(map(keras.ops.sum, model.losses), 0.0)
        value = total(x, y, outputs, weight)
        value = value if own is None else value + added
        if not functions:
            return value
        # A function may give the sum of the losses: then twice the samples give twice the loss.
        twice = mapped(lambda t: keras.ops.concatenate([t, t]), [y, outputs, weight])
        doubled = total(x, *twice) - (added if own is None else 0.0)
        once = value - added
        is_sum = np.isclose(float(doubled), 2 * float(once), rtol=1e-3) and float(once) != 0
        return once / len(leaves(outputs)[0]) + added if is_sum else value

    try:
        for item in objects:
            item.reduction = "sum_over_batch_size"
        yield value_of
    finally:
        for item, reduction in zip(objects, reductions, strict=True):
            item.reduction = reduction


def _weighted(values: Any, weight: Any) -> Any:
    if weight is None:
        return values
    values = keras.ops.reshape(values, (len(values), -1))
    return values * keras.ops.cast(keras.ops.reshape(weight, (len(weight), -1)), values.dtype)


def _loss_scale(model: Any) -> float:
    """What training would multiply the loss by before it differentiates."""
    optimiser = getattr(model, "optimizer", None)
    if isinstance(optimiser, keras.optimizers.LossScaleOptimizer):
        scale = optimiser.dynamic_scale if optimiser.built else optimiser.initial_scale
        return float(scale)
    half = any(
        getattr(layer, "compute_dtype", None) == "float16"
        for layer in model._flatten_layers(include_self=True)
    )
    # A model not yet compiled: what compile() would wrap its optimiser with.
    return 2.0**15 if optimiser is None and half else 1.0
