"""What a report card is about: any elementwise activation, as one function of two frameworks."""

from __future__ import annotations

import copy
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.catalog import Activation
from actlab.frameworks import keras as in_keras
from actlab.frameworks import torch as in_torch
from actlab.frameworks.binding import UnavailableError

Array = npt.NDArray[np.float64]

PRECISIONS = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Subject:
    """An activation that can be called, differentiated and trained with.

    - ``function``: as it came, ready to call on a tensor of its ``framework``.
    - ``remarks``: what had to be done or assumed, in sentences.
    """

    name: str
    framework: Literal["torch", "keras"]
    function: Callable[..., Any]
    remarks: tuple[str, ...] = ()

    def values(self, x: npt.ArrayLike, dtype: str = "float64") -> Array:
        """f(x) as the framework computes it in ``dtype``, in float64; the shape of ``x``."""
        room: Any = in_torch if self.framework == "torch" else in_keras
        with np.errstate(all="ignore"):
            found: Array = room.evaluate(self.function, x, dtype)
        return found

    def slopes(self, x: npt.ArrayLike, dtype: str = "float64") -> Array:
        """f'(x) as the framework's automatic differentiation gives it, likewise."""
        room: Any = in_torch if self.framework == "torch" else in_keras
        with np.errstate(all="ignore"):
            found: Array = room.differentiate(self.function, x, dtype)
        return found

    def dtype(self, dtype: str) -> str:
        """The dtype of what it returns for a tensor of this one."""
        room: Any = in_torch if self.framework == "torch" else in_keras
        out = self.function(room.tensor(np.linspace(-2, 2, 12).reshape(3, 4), dtype))
        return str(getattr(out.dtype, "name", out.dtype)).removeprefix("torch.")

    def trained(self) -> Callable[..., Any]:
        """A function of a PyTorch tensor that autograd differentiates, to train networks with."""
        return self.function if self.framework == "torch" else _bridge(self.function)


def subject(f: Any, name: str | None = None) -> Subject:
    """Whatever somebody brings, ready for a report card.

    ``f``: a record of the catalog or its name; a PyTorch module or function; a Keras layer or
    function; or ``"module:function"``. ``name``: what to call it.

    Raises ``TypeError`` for what cannot be called and ``ValueError``, with what to do, for a
    function that fails, returns another shape or dtype, draws random numbers, or is not
    elementwise.
    """
    if isinstance(f, str):
        f = _imported(f) if ":" in f else catalog.get(f)
    if isinstance(f, Activation):
        if f.kind != "elementwise":
            raise ValueError(
                f"{f.name} is not elementwise: every output depends on several inputs. A report "
                "card is about functions of one number."
            )
        try:
            made = f.torch()
        except UnavailableError as error:
            raise ValueError(f"{f.name}: {error}") from error
        return _checked(Subject(name or f.title, *_framework(made, f.name, [])))
    if isinstance(f, type):
        try:
            f = f()
        except TypeError as error:
            raise TypeError(
                f"{f.__name__} is a class that needs arguments ({error}): give an object of it."
            ) from error
    if not callable(f):
        raise TypeError(
            f"{f!r} cannot be called: expected a PyTorch module or function, a Keras layer or "
            "function, the name of a record, or 'module:function'."
        )
    own = name or str(getattr(f, "__name__", type(f).__name__))
    remarks: list[str] = []
    return _checked(Subject(own, *_framework(f, own, remarks), tuple(remarks)))


def _imported(path: str) -> Any:
    """The object at ``module:function``; raises ``ValueError`` where there is none."""
    module, _, place = path.partition(":")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{path!r}: no module {module!r} can be imported ({error}); start the command in the "
            "folder where it lies, or install it."
        ) from error
    for part in place.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{path!r}: {found.__name__} has no {part!r}.")
        found = getattr(found, part)
    return found


def _framework(
    f: Any, name: str, remarks: list[str]
) -> tuple[Literal["torch", "keras"], Callable[..., Any]]:
    """Which framework's function it is, found by calling it; layers are set to inference."""
    import torch

    if isinstance(f, torch.nn.Module):
        f = copy.deepcopy(f).eval()  # the caller's own stays in its mode
        if _differs_in_training(f):
            remarks.append(
                "In training it computes something else (noise, or statistics of the batch): this "
                "card is about inference."
            )
        if count := sum(p.numel() for p in f.parameters()):
            remarks.append(
                f"It has {count} parameter{'s' * (count > 1)} of its own, kept here at the value "
                "with which it came."
            )
        return "torch", lambda x: _in(f, x.dtype)(x)
    if hasattr(f, "trainable_weights"):  # a layer of Keras
        in_keras.start()
        f(in_keras.tensor(np.zeros((3, 4)), "float32"))
        if count := int(sum(np.prod(w.shape) for w in f.trainable_weights)):
            raise ValueError(
                f"{name} has {count} weights, one for each unit perhaps: give a function with "
                "those numbers in it."
            )
        return "keras", _of_layer(f)
    failed = {}
    for framework, room in (("torch", in_torch), ("keras", in_keras)):
        try:
            out = f(room.tensor(np.linspace(-2, 2, 12).reshape(3, 4), "float32"))
            if isinstance(out, torch.Tensor) if framework == "torch" else hasattr(out, "numpy"):
                return framework, f  # type: ignore[return-value]
            failed[framework] = f"returns {type(out).__name__}"
        except Exception as error:
            failed[framework] = f"{type(error).__name__}: {error}"
    raise ValueError(
        f"{name} works neither on a PyTorch tensor ({failed['torch']}) nor on one of TensorFlow "
        f"({failed['keras']})."
    )


def _differs_in_training(module: Any) -> bool:
    import torch

    x = torch.linspace(-2, 2, 12).view(3, 4)
    with torch.no_grad(), torch.random.fork_rng([]):
        try:
            return not torch.equal(copy.deepcopy(module).train()(x), copy.deepcopy(module)(x))
        except Exception:  # what fails is told of later
            return False


def _in(module: Any, dtype: Any) -> Any:
    """The module with what it holds in this dtype, without gradients of its own."""
    import torch

    if not any(True for _ in module.state_dict()):
        return module
    other = copy.deepcopy(module).to(dtype)
    for parameter in other.parameters():
        parameter.requires_grad_(False)
    return other if isinstance(other, torch.nn.Module) else module


def _of_layer(layer: Any) -> Callable[..., Any]:
    """A Keras layer that computes in the dtype of what it is fed."""
    import keras

    made: dict[str, Any] = {}

    def call(x: Any) -> Any:
        kind = x.dtype.name
        if kind not in made:
            config = layer.get_config()
            made[kind] = type(layer).from_config({**config, "dtype": kind})
        out = made[kind](x, training=False) if _takes_training(layer) else made[kind](x)
        return keras.ops.convert_to_tensor(out)

    return call


def _takes_training(layer: Any) -> bool:
    return "training" in inspect.signature(layer.call).parameters


def _checked(found: Subject) -> Subject:
    """The same, once it is known to be a deterministic function of single numbers."""
    x = np.linspace(-2.1, 2, 12).reshape(3, 4)
    for dtype in ("float32", "float64"):
        try:
            first = found.values(x, dtype)
        except Exception as error:
            raise ValueError(
                f"{found.name} fails on a {dtype} tensor of shape (3, 4): "
                f"{type(error).__name__}: {error}"
            ) from error
        if first.shape != x.shape:
            raise ValueError(
                f"{found.name} turns shape (3, 4) into {first.shape}: a report card is about "
                "functions of one number, which keep the shape."
            )
        if not np.array_equal(first, found.values(x, dtype), equal_nan=True):
            raise ValueError(
                f"{found.name} gives something else at every call: fix its random numbers, or "
                "give the function that it is on average."
            )
        try:
            alone = np.array([found.values([[one]], dtype).ravel() for one in x.ravel()])
            same = np.allclose(alone, first.reshape(-1, 1), rtol=1e-4, atol=1e-6, equal_nan=True)
        except Exception:  # layers of a fixed width
            same = False
        if not same:
            raise ValueError(
                f"{found.name} is not elementwise: what it makes of a number depends on the others "
                "beside it. A report card is about functions of one number."
            )
        try:
            found.slopes(x, dtype)
        except Exception as error:
            raise ValueError(
                f"{found.name} cannot be differentiated: {type(error).__name__}: {error} Write it "
                "with the framework's own operations."
            ) from error
    return found


def _bridge(function: Callable[..., Any]) -> Callable[..., Any]:
    """A Keras function between PyTorch tensors, its gradient taken by TensorFlow's tape."""
    import tensorflow as tf
    import torch

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x, unconnected_gradients="zero")

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            flat = x.detach().contiguous().numpy().reshape(-1)
            y, slope = both(tf.constant(flat))
            ctx.save_for_backward(torch.from_numpy(slope.numpy()).view(x.shape))
            return torch.from_numpy(y.numpy()).view(x.shape)

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            (slope,) = ctx.saved_tensors
            grad: torch.Tensor = grads[0] * slope
            return grad

    def bridged(x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = Bridge.apply(x)  # type: ignore[no-untyped-call]
        return out

    return bridged
