"""What an answer computes, step by step, whatever it is written in.

An answer may be a function of NumPy arrays, PyTorch or TensorFlow tensors or plain numbers, a
module, a layer or a model: nested, subclassed, scripted, with or without biases, in any floating
format. It is called with a copy of the inputs, and every array that it computes on the way is
noted: by a dispatch mode in PyTorch, an operation callback in TensorFlow, an array that notes
what is done to it in NumPy. Layers are then *found in the numbers*: where one array is the
activation of an earlier one, there is a layer of that activation, however it was written.

>>> seen = watch(network, x)
>>> [layer.after.shape for layer in seen.layers("relu")]
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import ml_dtypes
import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises import guard
from actlab.exercises.feedback import expect
from actlab.exercises.guard import Wrong, limited

Array = npt.NDArray[np.float64]
Result = TypeVar("Result")
OWN_FILES = (__file__, guard.__file__, contextlib.__file__)


class Step(NamedTuple):
    """An array computed on the way: the samples first, in float64; ``eps`` of its own format."""

    value: Array
    eps: float


class Layer(NamedTuple):
    """What went into an activation and what came out, the samples first, and its step's number."""

    before: Array
    after: Array
    step: int


@dataclass
class Seen:
    """A call of an answer: what it returned, the names of the operations, and the steps."""

    samples: int
    result: Any = None
    names: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)

    @property
    def output(self) -> Array:
        """What it returned, as numbers; raises :class:`Wrong` if it is none."""
        return numbers(self.result)

    def note(self, name: str, value: Array | None, eps: float = 0.0) -> None:
        """File an operation, and its value if that is an array with the samples on some axis."""
        self.names.add(name.lower())
        if value is None or self.samples not in value.shape:
            return
        value = np.moveaxis(value, value.shape.index(self.samples), 0)
        last = self.steps[-1].value if self.steps else None
        if last is None or last.shape != value.shape or not np.array_equal(last, value, True):
            self.steps.append(Step(value.copy(), eps))

    def meet(self, value: Any) -> None:
        """File an array that is used, if it is new: changed in place, or made of truth values."""
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fbiu":
            return
        array = value.astype(np.float64)
        if self.samples in array.shape:
            array = np.moveaxis(array, array.shape.index(self.samples), 0)
            if not any(np.array_equal(step.value, array, True) for step in self.steps):
                self.steps.append(
                    Step(array, _eps(value.dtype if value.dtype.kind == "f" else "f4"))
                )

    def layers(self, activation: str) -> list[Layer]:
        """The layers of an elementwise activation of the catalog, found by their values, in order.

        A layer on which the activation is the identity is none, nor is a part of another: written
        by hand, ELU holds the ELU of its negative side.
        """
        function = catalog.get(activation).reference
        with np.errstate(all="ignore"):
            images = [np.asarray(function(step.value)) for step in self.steps]
        found: list[Layer] = []
        taken: set[int] = set()
        for j, (after, eps) in enumerate(self.steps):
            for i in reversed(range(j)):
                before = self.steps[i].value
                if (
                    i not in taken
                    and before.shape == after.shape
                    and _near(images[i], after, eps)
                    and not _near(before, after, eps)
                ):
                    inner = [k for k, layer in enumerate(found) if _is_part(layer.before, before)]
                    found = [layer for k, layer in enumerate(found) if k not in inner]
                    found.append(Layer(before, after, j))
                    taken.add(i)
                    break
        return found


def _is_part(inner: Array, outer: Array) -> bool:
    """Whether one input is the other on one side of a bend, and constant on the other side."""
    if inner.shape != outer.shape:
        return False
    same = inner == outer
    return bool(same.any() and not same.all() and np.ptp(inner[~same]) == 0)


def _near(a: Array, b: Array, eps: float) -> bool:
    """Equal, up to a few roundings in the format they were computed in."""
    few = max(1e-6, 8 * eps)
    top = float(np.max(np.abs(b), initial=0))
    rtol, atol = 1e-4 + few, few * top if np.isfinite(top) else 0.0
    x, y = a.flat[0], b.flat[0]  # which mostly decides
    if abs(x - y) > rtol * abs(y) + atol:
        return False
    return np.allclose(a[:1], b[:1], rtol, atol, True) and np.allclose(a, b, rtol, atol, True)


# --- Calling an answer -------------------------------------------------------------------------


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it once with these arguments; :class:`Wrong` whatever may happen."""

    def attempt() -> Any:
        with limited():
            return function(*arguments)

    return first([attempt])


def watch(answer: Any, data: Any, *, training: bool | None = None, each: bool = False) -> Seen:
    """Call it with ``data`` (an array, or lists of arrays) and look on.

    A function gets NumPy's arrays, PyTorch's and TensorFlow's in turn, until it takes them;
    ``each``: and the numbers one by one. A module or model gets tensors of its own format, and
    runs in the mode ``training`` if one is given. Raises :class:`Wrong` if nothing works.
    """
    samples = len(data)

    def attempt(give: Callable[[Array], Any], call: Callable[[Any], Any] = answer) -> Seen:
        seen = Seen(samples)
        with _watching(seen):
            if isinstance(data, np.ndarray):
                seen.note("input", data.astype(float), _eps(np.float32))
            given = _map(give, data)
            with limited():
                seen.result = call(_noting(given, seen) if give is np.array else given)
        seen.meet(_bare(seen.result))
        return seen

    if is_torch(answer):
        if training is not None:
            answer.train(training)
        own = next((p for p in answer.parameters() if p.is_floating_point()), None)
        return first([lambda: attempt(lambda array: _torch(array, own))])
    if is_keras(answer):
        mode = {} if training is None else {"training": training}
        return first([lambda: attempt(_tensorflow, lambda x: answer(x, **mode))])
    one_by_one = [lambda: attempt(np.ravel, lambda x: [answer(v) for v in x.tolist()])]
    return first(
        [
            lambda: attempt(np.array),
            lambda: attempt(_torch),
            *(one_by_one if each else []),
            lambda: attempt(_tensorflow),
        ]
    )


def returned(answer: Any, *arrays: npt.NDArray[Any]) -> Array:
    """What a function makes of NumPy's arrays, or else of PyTorch's or TensorFlow's tensors.

    Unlike :func:`watch` it looks at nothing on the way, so the answer may take several arrays, call
    ``model.predict`` or train something. A PyTorch module gets tensors of its own format, and a
    function may call one in float64.
    """

    def attempt(give: Callable[[npt.NDArray[Any]], Any]) -> Array:
        with limited():
            return numbers(answer(*map(give, arrays)))

    if is_torch(answer):
        own = next((p for p in answer.parameters() if p.is_floating_point()), None)
        return first([partial(attempt, partial(_floats, like=own))])
    return first([partial(attempt, give) for give in (np.copy, _torch, _doubles, _tensorflow)])


def told(answer: Any, *arrays: npt.NDArray[Any]) -> Any:
    """What a function says of copies of NumPy's arrays, or else of either framework's tensors."""

    def attempt(give: Callable[[npt.NDArray[Any]], Any]) -> Any:
        with limited():
            return answer(*map(give, arrays))

    return first([partial(attempt, give) for give in (np.copy, _torch, _tensorflow)])


def number(answer: Any, *arrays: npt.NDArray[Any]) -> float:
    """The one number that a function makes of arrays (:func:`returned`)."""
    value = returned(answer, *arrays)
    expect(value.size == 1, f"expected one number, got {value.size} of them.")
    return float(value.item())


def slopes(answer: Any, x: npt.NDArray[Any]) -> tuple[Array, Array | None]:
    """Values and slopes of an elementwise answer; None where no gradient comes back at all."""

    def in_torch() -> tuple[Any, Any]:
        import torch

        leaf = _torch(_column(answer, x)).requires_grad_()
        with limited(), torch.enable_grad():
            result = answer(leaf.clone())  # which it may change in place
            if not isinstance(result, torch.Tensor):
                raise TypeError(f"for a tensor it returned {_kind(result)}")
            if not result.requires_grad:
                return result, None
            return result, torch.autograd.grad(result.sum(), leaf, allow_unused=True)[0]

    def in_tensorflow() -> tuple[Any, Any]:
        given = _tensorflow(_column(answer, x))
        import tensorflow as tf

        with limited(), tf.GradientTape(persistent=True) as tape:
            tape.watch(given)
            result = answer(given)
            if not tf.is_tensor(result):
                raise TypeError(f"for a tensor it returned {_kind(result)}")
            with tape.stop_recording():
                return result, tape.gradient(result, given)

    attempts = [] if is_keras(answer) else [in_torch]
    value, slope = first(attempts if is_torch(answer) else [*attempts, in_tensorflow])
    flat = _flat(answer, numbers(value))
    return flat, None if slope is None else _flat(answer, numbers(slope))


def pulls(
    answer: Any, weights: npt.NDArray[Any], *arrays: npt.NDArray[Any]
) -> tuple[Array, list[Array | None]]:
    """Values of a function of tensors, and the gradient of their weighted sum by each of these.

    None where no gradient comes back. Raises :class:`Wrong` where the values have another shape
    than ``weights``.
    """

    def checked(result: Any, tensor: bool) -> Any:
        if not tensor:
            raise TypeError(f"for tensors it returned {_kind(result)}")
        got = tuple(result.shape)
        expect(got == weights.shape, f"expected the shape {weights.shape}, got {got}.")
        return result

    def in_torch() -> tuple[Any, Any]:
        import torch

        leaves = [_torch(array).requires_grad_() for array in arrays]
        with limited(), torch.enable_grad():
            result = answer(*(leaf.clone() for leaf in leaves))
            result = checked(result, isinstance(result, torch.Tensor))
            if not result.requires_grad:
                return result, [None] * len(leaves)
            total = (result * _torch(weights)).sum()
            return result, torch.autograd.grad(total, leaves, allow_unused=True)

    def in_tensorflow() -> tuple[Any, Any]:
        given = [_tensorflow(array) for array in arrays]
        import tensorflow as tf

        with limited(), tf.GradientTape() as tape:
            tape.watch(given)
            result = answer(*given)
            total = tf.reduce_sum(checked(result, tf.is_tensor(result)) * weights)
        return result, tape.gradient(total, given)

    value, found = first([in_torch, in_tensorflow])
    return numbers(value), [None if one is None else numbers(one) for one in found]


def curve(answer: Any, x: npt.NDArray[Any]) -> tuple[Array, set[str]]:
    """Values of an elementwise answer, and the names of the operations it is made of."""
    seen = watch(answer, _column(answer, x), each=True)
    got = _flat(answer, seen.output)
    expect(got.shape == x.shape, f"expected the shape of the input {x.shape}, got {got.shape}.")
    return got, seen.names


def compare(
    x: npt.NDArray[Any],
    got: Array,
    right: npt.NDArray[Any],
    *mistakes: tuple[Any, str],
    rtol: float = 1e-5,
    atol: float = 1e-6,
) -> None:
    """Expect the right curve. A mistake is a wrong curve, or a truth value, and its hint."""
    for wrong, hint in mistakes:
        same = np.allclose(got, wrong, 1e-4, 1e-6) if np.ndim(wrong) else wrong
        expect(not same, hint)
    off = ~np.isclose(got, right, rtol, atol)
    expect(
        not off.any(),
        f"for x = {x[off][:1]} expected {np.float32(right[off][:1])}, got "
        f"{np.float32(got[off][:1])}.",
    )


def _column(answer: Any, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One number per sample, as a layer expects it; a function gets them in a row."""
    return x[:, None] if is_torch(answer) or is_keras(answer) else x


def _flat(answer: Any, array: Array) -> Array:
    layer = is_torch(answer) or is_keras(answer)
    return array[:, 0] if layer and array.ndim == 2 and array.shape[1] == 1 else array


def first(attempts: Sequence[Callable[[], Result]]) -> Result:
    """What the first attempt gives that raises nothing, else the error of the one that got on."""
    errors = []
    for attempt in attempts:
        try:
            return attempt()
        except Wrong:
            raise
        except Exception as error:
            errors.append(error)
    told = max(errors, key=_progress)
    raise Wrong(f"your code stopped with {type(told).__name__}: {told}. Mend that first.")


def _progress(error: Exception) -> int:
    """How far the answer's own code got: a function written for PyTorch fails early in NumPy."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename not in OWN_FILES:
            return frame.f_lasti
    return -1


# --- The three kinds of array ------------------------------------------------------------------


def is_torch(answer: Any) -> bool:
    """A PyTorch module, scripted or not."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(answer, torch.nn.Module)


def is_keras(answer: Any) -> bool:
    """A Keras layer or model."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(answer, keras.layers.Layer)


def numbers(value: Any) -> Array:
    """What an answer returned as a new array in float64; :class:`Wrong` if it is no number."""
    expect(value is not None, "your code returned None: is a return missing at its end?")
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = (value if value.element_size() > 2 else value.float()).numpy()  # bfloat16
        if isinstance(value, (list, tuple)):
            return np.array([numbers(part) for part in value])
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise Wrong(f"expected numbers, your code returned {_kind(value)}.") from None


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__}"


def _map(function: Callable[[Any], Any], data: Any) -> Any:
    """The same lists and tuples with other arrays in them."""
    if isinstance(data, (list, tuple)):
        return type(data)(_map(function, part) for part in data)
    return function(data)


def _torch(array: npt.NDArray[Any], like: Any = None) -> Any:
    import torch

    tensor = torch.tensor(array, device="cpu")
    return tensor if like is None else tensor.to(like.device, like.dtype)


def _floats(array: npt.NDArray[Any], like: Any) -> Any:
    """Whole numbers, such as labels, stay whole."""
    return _torch(array, like if array.dtype.kind == "f" else None)


def _doubles(array: npt.NDArray[Any]) -> Any:
    return _torch(array.astype(np.float64) if array.dtype.kind == "f" else array)


def _tensorflow(array: npt.NDArray[Any]) -> Any:
    from actlab.frameworks import keras

    keras.start()
    import tensorflow as tf

    return tf.constant(array)


def _noting(data: Any, seen: Seen) -> Any:
    """NumPy's arrays as arrays that note what is done to them, and whose results do."""

    def noted(name: str, result: Any) -> Any:
        if not isinstance(result, np.ndarray) or result.dtype.kind != "f":
            seen.note(name, None)  # what is chosen by a comparison is noted again
            return result.view(Noting) if isinstance(result, np.ndarray) else result
        seen.note(name, result, _eps(result.dtype))
        return result.view(Noting)

    def met(values: Any) -> Any:
        bare = _bare(values)
        for value in bare:
            seen.meet(value)
        return bare

    class Noting(np.ndarray[Any, Any]):
        def __array_ufunc__(
            self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any
        ) -> Any:
            if out is not None:
                options["out"] = _bare(out)
            return noted(ufunc.__name__, getattr(ufunc, method)(*met(inputs), **options))

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
            bare = {name: _bare(value) for name, value in kwargs.items()}
            return noted(func.__name__, func(*met(args), **bare))

    return _map(lambda array: array.view(Noting), data)


def _eps(dtype: Any) -> float:
    return float(ml_dtypes.finfo(dtype).eps)  # type: ignore[no-untyped-call]  # bfloat16, too


def _bare(data: Any) -> Any:
    """The plain arrays; their memory is the same."""
    return _map(lambda v: v.view(np.ndarray) if isinstance(v, np.ndarray) else v, data)


@contextlib.contextmanager
def _watching(seen: Seen) -> Iterator[None]:
    """Note every operation of PyTorch and, once it is loaded, of TensorFlow."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    # Below autograd, so it sees into scripted modules as well.
    class Look(TorchDispatchMode):  # type: ignore[no-untyped-call]
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # True would import the compiler, which takes seconds

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            first = result[0] if isinstance(result, (tuple, list)) and result else result
            if isinstance(first, torch.Tensor) and first.is_floating_point():
                seen.note(func.name(), numbers(first), torch.finfo(first.dtype).eps)
            else:
                seen.note(func.name(), None)
            return result

    with Look():  # type: ignore[no-untyped-call]
        if "tensorflow" not in sys.modules:
            yield
            return
        import tensorflow as tf
        from tensorflow.python.framework import op_callbacks

        def called(kind: Any, _: Any, __: Any, outputs: Any, *___: Any, graph: Any = None) -> Any:
            name = kind.decode() if isinstance(kind, bytes) else kind
            first = outputs[0] if outputs and graph is None else None
            if first is not None and first.dtype.is_floating:
                seen.note(name, numbers(first), _eps(first.dtype.as_numpy_dtype))
            else:
                seen.note(name, None)
            return outputs

        eager = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        op_callbacks.add_op_callback(called)
        try:
            yield
        finally:
            op_callbacks.remove_op_callback(called)
            tf.config.run_functions_eagerly(eager)


# --- Models ------------------------------------------------------------------------------------


def weights(model: Any) -> list[Any]:
    """What a module or model learns; nothing for a plain function."""
    if is_torch(model):
        return [parameter for parameter in model.parameters() if parameter.requires_grad]
    return list(model.trainable_variables) if is_keras(model) else []


def write(weight: Any, values: npt.NDArray[Any]) -> None:
    """Set a weight of either framework to these numbers."""
    if hasattr(weight, "assign"):
        weight.assign(values.astype(np.float32))
        return
    import torch

    with torch.no_grad():
        weight.copy_(torch.from_numpy(values))


def gradients(model: Any, x: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> list[Array]:
    """The gradient of the cross-entropy of the model's logits, by every one of its weights."""
    learned = weights(model)
    if is_torch(model):
        import torch

        model.train()
        with limited(), torch.enable_grad():
            logits = model(_torch(x, learned[0]))
            loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
            found = torch.autograd.grad(loss, learned, allow_unused=True)
    else:
        import keras
        import tensorflow as tf

        with limited(), tf.GradientTape() as tape:
            logits = model(_tensorflow(x), training=True)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
        found = tape.gradient(loss, [weight.value for weight in learned])
    return [np.zeros(1) if gradient is None else numbers(gradient) for gradient in found]


def mixes(model: Any, x: npt.NDArray[Any], activation: str) -> bool:
    """Whether in training one sample's way to a layer hangs on the others, as in batch norm.

    The first half of ``x`` is seen twice beside the other half, and once beside its double; what
    a dropout draws is the same every time.
    """
    half = len(x) // 2

    def look(batch: npt.NDArray[Any]) -> list[Array]:
        with guard.untouched(model):
            seen = watch(model, batch, training=True)
        return [layer.before[:half] for layer in seen.layers(activation)]

    other = np.concatenate([x[:half], 2 * x[half:]])
    return any(
        np.array_equal(one, again) and not np.allclose(one, beside, 1e-3, 1e-4)
        for one, again, beside in zip(look(x), look(x), look(other), strict=False)
    )


def owners(model: Any, x: npt.NDArray[Any], activation: str) -> list[int | None]:
    """Of each of the model's weight matrices, the first layer of ``activation`` it acts on.

    Found by shaking the matrix; one that acts on later steps alone gets the number of layers, and
    a weight with fewer than two axes (a bias, a norm's scale) None.
    """

    def look() -> list[Array]:
        return [layer.after for layer in watch(model, x, training=False).layers(activation)]

    before = look()
    rng = np.random.default_rng(0)
    found: list[int | None] = []
    for weight in weights(model):
        old = numbers(weight)
        if old.ndim < 2:
            found.append(None)
            continue
        write(weight, old * rng.uniform(0.9, 1.1, old.shape))
        moved = [not np.allclose(a, b, 1e-6, 1e-9) for a, b in zip(before, look(), strict=False)]
        write(weight, old)
        found.append(moved.index(True) if True in moved else len(before))
    return found
