"""What an activation costs beside what it moves: time over a copy's time, and memory kept.

An activation reads every number once and writes one; a copy does the same and computes nothing. So
the time of a copy of the same array, on the same machine in the same round, is the *roof* for
every elementwise function (`Williams et al., 2009 <https://doi.org/10.1145/1498765.1498785>`_): one
far below it waits for something else than numbers that are carried.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog
from actlab.experiments.timing import Call, in_turns, middle
from actlab.stats import Interval
from actlab.study import Study, StudyError, load
from actlab.trial import (
    Case,
    Evidence,
    Experiment,
    Level,
    Measured,
    Rule,
    above,
    at_most,
    below,
    experiment,
)

Array = npt.NDArray[np.float64]
FRAMEWORKS = {"torch": "PyTorch", "keras": "Keras"}
# Arrays moved at least, in and out: a copy's, and forward and backward together (the backward pass
# reads what was kept and the gradient that arrives, and writes one).
MOVED = {"copy": 2, "forward": 2, "both": 5}
UNITS = 4_096
COPY = "copy"
WHOLE, MASK, OUTPUT = "the compiler's choice", "a mask", "the output"
# ELU's shape without an exponential: the same limits, the same slope at 0.
TWIN, ELU, RELU = "ELU without exp", "ELU as written", "ReLU as written"
MODES = {
    "torch": {"plain": "PyTorch, eager", "compiled": "PyTorch, compiled"},
    "keras": {"plain": "Keras, eager", "compiled": "Keras, compiled"},
}
STEP_MODES = MODES | {"keras": {"plain": "Keras, graph", "compiled": "Keras, compiled"}}
NETWORKS = ("fully connected", "convolutional", "transformer")

# --- The function alone ---------------------------------------------------------------------------


def function_cell(
    framework: str,
    mode: str,
    *,
    activations: Sequence[str],
    sizes: Sequence[tuple[str, int]],
    rounds: int,
    calls: int,
    device: str = "cpu",
) -> pd.DataFrame:
    """Seconds of each function forward, and forward and backward; a row per round.

    ``sizes``: (dtype, batch); arrays are (batch, :data:`UNITS`). Raises ``StudyError`` where there
    is no such device.
    """
    _check(device, framework)
    make = torch_functions if framework == "torch" else keras_functions
    made: dict[tuple[str, int, str, str], Call] = {}
    for dtype, batch in sizes:
        made[dtype, batch, COPY, COPY] = _copy(batch, dtype, device)
        for name in (*activations, RELU, ELU, TWIN):
            calls_ = make(name, (batch, UNITS), dtype, mode == "compiled", device)
            for work, call in zip(("forward", "both"), calls_, strict=True):
                made[dtype, batch, name, work] = call
    return in_turns(made, ("dtype", "batch", "activation", "work"), rounds, calls)


def _check(device: str, framework: str) -> None:
    """A framework without a GPU would compute on the CPU, and TensorFlow would not say so."""
    if device != "cuda":
        return
    if framework == "torch":
        import torch

        there = torch.cuda.is_available()
    else:
        import tensorflow as tf

        there = bool(tf.config.list_physical_devices("GPU"))
    if not there:
        raise StudyError(
            f"{FRAMEWORKS[framework]} finds no CUDA device here: run this where there is one, with "
            "a build that uses it ('python -m actlab.doctor' says what is installed)."
        )


def _copy(batch: int, dtype: str, device: str) -> Call:
    import torch

    source = torch.ones(batch, UNITS, dtype=getattr(torch, dtype), device=device)
    target = torch.empty_like(source)
    return _waiting(lambda: target.copy_(source), device)


def _waiting(call: Call, device: str) -> Call:
    """The call and what it has set going: a GPU answers before it has done its work."""
    import torch

    if device != "cuda":
        return call

    def waited() -> None:
        call()
        torch.cuda.synchronize()

    return waited


def _tensorflow_on(device: str) -> Any:
    import tensorflow as tf

    return tf.device("/GPU:0" if device == "cuda" else "/CPU:0")


def _torch_function(name: str) -> Callable[[Any], Any]:
    import torch

    written = {
        RELU: lambda x: torch.where(x > 0, x, 0.0),
        ELU: lambda x: torch.where(x > 0, x, torch.expm1(x.clamp(max=0))),
        TWIN: lambda x: torch.where(x > 0, x, x.clamp(max=0) / (1 - x.clamp(max=0))),
    }
    return written.get(name) or catalog.get(name).torch()


def _keras_function(name: str) -> Callable[[Any], Any]:
    from keras import ops

    written = {
        RELU: lambda x: ops.where(x > 0, x, ops.zeros_like(x)),
        ELU: lambda x: ops.where(x > 0, x, ops.expm1(ops.minimum(x, 0))),
        TWIN: lambda x: ops.where(x > 0, x, ops.minimum(x, 0) / (1 - ops.minimum(x, 0))),
    }
    return written.get(name) or catalog.get(name).keras()


def torch_functions(
    name: str, shape: tuple[int, ...], dtype: str, compiled: bool, device: str
) -> tuple[Call, Call]:
    """The function of PyTorch alone, forward, and forward and backward."""
    import torch

    function = _torch_function(name)
    if compiled:
        function = compiled_alone(function)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator).to(device, getattr(torch, dtype))
    leaf, ones = x.clone().requires_grad_(), torch.ones_like(x)

    def forward() -> Any:
        with torch.no_grad():
            return function(x)

    def both() -> Any:
        return torch.autograd.grad(function(leaf), leaf, ones)

    return _waiting(forward, device), _waiting(both, device)


def compiled_alone(function: Callable[..., Any]) -> Callable[..., Any]:
    """By inductor, with a code object of its own.

    PyTorch keeps what it has compiled by code object, and after eight of them runs the ninth
    uncompiled: many activations in one process would share a lambda's.
    """
    import torch

    def alone(*arguments: Any) -> Any:
        return function(*arguments)

    alone.__code__ = alone.__code__.replace()
    return torch.compile(alone, fullgraph=True, dynamic=False)


def keras_functions(
    name: str, shape: tuple[int, ...], dtype: str, compiled: bool, device: str
) -> tuple[Call, Call]:
    """The same of Keras."""
    from actlab.frameworks.keras import start

    start()
    import tensorflow as tf

    function = _keras_function(name)
    if compiled:
        # By itself, as a network would have it: of one program forward and backward XLA leaves out
        # the output, which nobody reads, and with it the forward pass.
        function = tf.function(function, jit_compile=True)
    with _tensorflow_on(device):
        x = tf.cast(tf.random.stateless_normal(shape, seed=(0, 0)), dtype)
        ones = tf.ones_like(x)

    def both() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = function(x)
        return tape.gradient(outputs, x, ones)

    calls = (partial(function, x), both)
    if device == "cuda":  # one number is fetched, which waits for all of them
        first, second = (lambda call=call: call()[0, 0].numpy() for call in calls)
        return first, second
    return calls


def place_cell(batch: int, *, rounds: int, calls: int, device: str = "cpu") -> pd.DataFrame:
    """Seconds of PyTorch's modules without gradient, with ``inplace=True`` and without; by round.

    Each call first copies its input, which would else be another one the second time; the copy
    alone takes a turn, too. Raises ``StudyError`` where there is no such device.
    """
    import torch
    from torch import nn

    _check(device, "torch")
    x = torch.randn(batch, UNITS, generator=torch.Generator().manual_seed(0)).to(device)
    y = torch.empty_like(x)
    made: dict[tuple[str, str], Call] = {(COPY, COPY): _waiting(lambda: y.copy_(x), device)}

    def after_a_copy(function: Callable[[Any], Any]) -> None:
        function(y.copy_(x))

    for name, module in IN_PLACE.items():
        for place in (False, True):
            function = getattr(nn, module)(inplace=place)
            work = "in place" if place else "new memory"
            call = _waiting(partial(after_a_copy, function), device)
            made[name.removesuffix(" in place"), work] = call
    with torch.no_grad():
        return in_turns(made, ("activation", "work"), rounds, calls)


def mask_cell(batch: int, *, rounds: int, calls: int) -> pd.DataFrame:
    """Seconds of ReLU forward and backward, compiled, by what waits for the backward pass.

    ``WHOLE`` is ReLU as inductor makes it, and ELU likewise. The other two are put together from a
    forward and a backward half, each compiled by itself, and differ in what is handed from one to
    the other alone: a yes or no for every number (``MASK``), or the output (``OUTPUT``).
    """
    import torch

    x = torch.randn(batch, UNITS, generator=torch.Generator().manual_seed(0), requires_grad=True)
    ones = torch.ones_like(x)

    def halves(forward: Callable[[Any], Any], backward: Callable[[Any, Any], Any]) -> Any:
        ahead, back = compiled_alone(forward), compiled_alone(backward)

        class Halves(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                y, kept = ahead(x)
                ctx.save_for_backward(kept)
                return y

            @staticmethod
            def backward(ctx: Any, gradient: Any) -> Any:
                (kept,) = ctx.saved_tensors
                return back(kept, gradient)

        return Halves.apply

    functions = {
        (RELU, WHOLE): compiled_alone(torch.relu),
        (ELU, WHOLE): compiled_alone(torch.nn.functional.elu),
        (RELU, MASK): halves(
            lambda x: (torch.relu(x), x > 0), lambda kept, g: torch.where(kept, g, 0.0)
        ),
        (RELU, OUTPUT): halves(
            lambda x: (y := torch.relu(x), y), lambda kept, g: torch.where(kept > 0, g, 0.0)
        ),
    }

    def both(function: Callable[[Any], Any]) -> Any:
        return torch.autograd.grad(function(x), x, ones)

    made = {key: partial(both, function) for key, function in functions.items()}
    return in_turns(made, ("activation", "kept"), rounds, calls)


# --- A training step ------------------------------------------------------------------------------


def step_cell(
    framework: str,
    mode: str,
    network: str,
    *,
    activations: Sequence[str],
    rounds: int,
    calls: int,
    device: str = "cpu",
) -> pd.DataFrame:
    """Seconds of one training step of each activation's network; a row per round."""
    _check(device, framework)
    make = _torch_step if framework == "torch" else _keras_step
    made = {
        (name,): _waiting(make(network, name, mode == "compiled", device), device)
        for name in activations
    }
    return in_turns(made, ("activation",), rounds, calls)


def batch_of(network: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], int]:
    """Inputs, labels and the number of classes: noise, for a clock does not read the digits."""
    rng = np.random.default_rng(0)
    if network == "transformer":
        return rng.integers(0, 64, (16, 64)), rng.integers(0, 64, (16, 64)), 64
    shape = (256, 784) if network == "fully connected" else (64, 28, 28, 1)
    return rng.standard_normal(shape).astype(np.float32), rng.integers(0, 10, shape[0]), 10


def _torch_step(network: str, name: str, compiled: bool, device: str) -> Call:
    import torch
    from torch import nn

    torch.manual_seed(0)
    inputs, labels, classes = batch_of(network)
    x, y = torch.from_numpy(inputs).to(device), torch.from_numpy(labels).to(device)
    if network == "convolutional":
        x = x.movedim(-1, 1).contiguous()
    model: Any = torch_network(network, catalog.get(name).torch, classes).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    ready = compiled_alone(model) if compiled else model

    def step() -> None:
        optimizer.zero_grad()
        outputs = ready(x).flatten(0, -2)
        nn.functional.cross_entropy(outputs, y.flatten()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def torch_network(network: str, activation: Callable[[], Any], classes: int) -> Any:
    """The network, new; ``activation`` makes a module for each place."""
    import torch
    from torch import nn

    if network == "fully connected":
        widths = (784, 512, 256, 256, 128)
        blocks = [m for a, b in itertools.pairwise(widths) for m in (nn.Linear(a, b), activation())]
        return nn.Sequential(*blocks, nn.Linear(widths[-1], classes))
    if network == "convolutional":
        return nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), activation()),
            *(nn.Conv2d(16, 32, 3, stride=2, padding=1), activation()),
            *(nn.Conv2d(32, 64, 3, stride=2, padding=1), activation()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes)),
        )

    class Transformer(nn.Module):
        """One pre-norm block: attention, then a feed-forward part four times as wide."""

        def __init__(self) -> None:
            super().__init__()
            width = 128
            self.embed = nn.Embedding(classes, width)
            self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
            self.attend = nn.MultiheadAttention(width, 4, batch_first=True)
            self.feed = nn.Sequential(
                nn.Linear(width, 4 * width), activation(), nn.Linear(4 * width, width)
            )
            self.head = nn.Linear(width, classes)

        def forward(self, tokens: torch.Tensor) -> Any:
            x = self.embed(tokens)
            z = self.norms[0](x)
            x = x + self.attend(z, z, z, need_weights=False)[0]
            return self.head(x + self.feed(self.norms[1](x)))

    return Transformer()


def _keras_step(network: str, name: str, compiled: bool, device: str) -> Call:
    from actlab.frameworks.keras import start

    start()
    import keras

    keras.utils.set_random_seed(0)
    x, y, classes = batch_of(network)
    model = keras_network(network, catalog.get(name).keras, classes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss, jit_compile=compiled)

    def step() -> None:
        with _tensorflow_on(device):
            model.train_on_batch(x, y)

    return step


def keras_network(network: str, activation: Callable[[], Any], classes: int) -> Any:
    """The same as :func:`torch_network`, in Keras."""
    import keras
    from keras import layers

    def apply() -> Any:
        made = activation()
        return made if isinstance(made, keras.Layer) else layers.Activation(made)

    if network == "transformer":
        width = 128
        tokens = keras.Input((64,), dtype="int32")
        x = layers.Embedding(classes, width)(tokens)
        z = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, width // 4)(z, z)
        z = layers.Dense(4 * width)(layers.LayerNormalization()(x))
        x = x + layers.Dense(width)(apply()(z))
        return keras.Model(tokens, layers.Dense(classes)(x))
    if network == "fully connected":
        parts = [keras.Input((784,))]
        for units in (512, 256, 256, 128):
            parts += [layers.Dense(units), apply()]
    else:
        parts = [keras.Input((28, 28, 1))]
        for filters, strides in ((16, 1), (32, 2), (64, 2)):
            parts += [layers.Conv2D(filters, 3, strides=strides, padding="same"), apply()]
        parts.append(layers.GlobalAveragePooling2D())
    return keras.Sequential([*parts, layers.Dense(classes)])


# --- Memory ---------------------------------------------------------------------------------------


def memory_cell(
    framework: str,
    mode: str,
    *,
    activations: Sequence[str],
    depth: int,
    width: int,
    batch: int,
    rounds: int,
    device: str = "cpu",
) -> pd.DataFrame:
    """The most memory that one training step of ``depth`` layers held at a time, for each.

    ``arrays``: in arrays (batch, width) of float32, above what was there before the step. Of a
    CPU's memory Linux alone tells the peak; elsewhere, and where there is no such device, raises
    ``StudyError``.
    """
    _check(device, framework)
    own_pages()
    make = _torch_chain if framework == "torch" else _keras_chain
    tell = peak if device == "cpu" else partial(peak_on_gpu, framework=framework)
    also = IN_PLACE if (framework, mode) == ("torch", "plain") else ()
    rows = []
    for name in (*activations, *also):
        call = make(name, mode, depth, width, batch, device=device)
        for _ in range(2):  # what is built once is no part of a step
            call()
        for round_ in range(rounds):
            rows.append((name, round_, tell(call) / (4 * batch * width)))
    return pd.DataFrame(rows, columns=["activation", "round", "arrays"])


def own_pages() -> None:
    """From now on every array gets pages of its own, given back when it is freed.

    Else it may lie in a hole that an earlier one left, and the peak would tell of the holes.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(-3, 2**20)  # M_MMAP_THRESHOLD


def peak(call: Call) -> int:
    """Bytes of the largest moment of a call above the moment before, as the kernel counts pages."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
        before = _pages("VmRSS")
        call()
        return _pages("VmHWM") - before
    except OSError as error:
        raise StudyError(f"the peak of memory cannot be read here ({error}): use Linux.") from None


def peak_on_gpu(call: Call, framework: str) -> int:
    """The same of a GPU's memory, as the framework's allocator counts it."""
    if framework == "torch":
        from torch import cuda

        cuda.reset_peak_memory_stats()
        before = cuda.memory_allocated()
        call()
        cuda.synchronize()
        return int(cuda.max_memory_allocated() - before)
    from tensorflow.config import experimental

    experimental.reset_memory_stats("GPU:0")
    before = experimental.get_memory_info("GPU:0")["current"]
    call()
    return int(experimental.get_memory_info("GPU:0")["peak"] - before)


def _pages(key: str) -> int:
    with open("/proc/self/status") as status:
        (kib,) = (line.split()[1] for line in status if line.startswith(key))
    return 1024 * int(kib)


IN_PLACE = {
    f"{name} in place": module
    for name, module in {
        **{"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU"},
        **{"selu": "SELU", "silu": "SiLU", "mish": "Mish"},
    }.items()
}


def _torch_chain(name: str, mode: str, depth: int, width: int, batch: int, *, device: str) -> Call:
    import torch
    from torch import nn

    if name in IN_PLACE:
        made = [getattr(nn, IN_PLACE[name])(inplace=True) for _ in range(depth)]
    else:
        made = [catalog.get(name).torch() for _ in range(depth)]
    linears = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)]).to(device)
    x = torch.randn(batch, width, generator=torch.Generator().manual_seed(0)).to(device)

    def loss() -> Any:
        h = x
        for linear, function in zip(linears, made, strict=True):
            h = function(linear(h))
        return h.sum()

    ready = compiled_alone(loss) if mode == "compiled" else loss
    return lambda: torch.autograd.grad(ready(), list(linears.parameters()))


def _keras_chain(name: str, mode: str, depth: int, width: int, batch: int, *, device: str) -> Call:
    from actlab.frameworks.keras import start

    start()
    import keras
    import tensorflow as tf

    function = catalog.get(name).keras()
    denses = [keras.layers.Dense(width) for _ in range(depth)]
    with _tensorflow_on(device):
        x = tf.random.stateless_normal((batch, width), seed=(0, 0))
        for dense in denses:
            dense(x[:1])

    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            h = x
            for dense in denses:
                h = function(dense(h))
            loss = tf.reduce_sum(h)
        return tape.gradient(loss, [v for dense in denses for v in dense.trainable_variables])

    if mode != "plain":
        step = tf.function(step, jit_compile=mode == "compiled")

    def call() -> None:
        with _tensorflow_on(device):
            for gradient in step(x):
                gradient[:1].numpy()

    return call


# --- Declared -------------------------------------------------------------------------------------

_AXES = {"framework": tuple(FRAMEWORKS), "mode": ("plain", "compiled")}
_FUNCTIONS: dict[str, Any] = {
    "activations": (
        *("relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "hard_silu"),
        *("mish", "softplus", "tanh", "sigmoid"),
    ),
    "rounds": 20,
    "calls": 2,
}
_STEPS: dict[str, Any] = {
    "activations": ("linear", "relu", "leaky_relu", "elu", "gelu", "silu", "tanh"),
    "rounds": 30,
    "calls": 3,
}


_MEMORY_OF: dict[str, Any] = {
    "activations": ("linear", *_FUNCTIONS["activations"]),
    **{"depth": 6, "width": 256, "batch": 8_192, "rounds": 5},
}


def _declared(device: str = "") -> tuple[Study, Study, Study, Study]:
    """The studies of one machine; a GPU's have names of their own."""
    name, where = ("_gpu", "a GPU") if device else ("", "a CPU")
    on = {"device": device} if device else {}
    # A GPU copies 32 MiB in less time than a call takes: there a gigabyte is large.
    batches = (256, 65_536) if device else (256, 2_048)
    sizes = (("float32", 1), *(("float32", n) for n in batches), ("bfloat16", batches[1]))
    gpu = bool(device)
    functions = Study(
        name=f"activation_roofline{name}",
        title=f"Twelve activations beside a copy of the same array, on {where}",
        task=function_cell,
        axes=_AXES,
        settings={**_FUNCTIONS, "sizes": sizes, **on},
        quiet=True,
        gpu=gpu,
    )
    steps = Study(
        name=f"activation_steps{name}",
        title=f"Seven activations in a training step of three networks, on {where}",
        task=step_cell,
        axes={**_AXES, "network": NETWORKS},
        settings={**_STEPS, **on},
        quiet=True,
        gpu=gpu,
    )
    memory = Study(
        name=f"activation_memory{name}",
        title=f"The most memory that a training step holds, activation by activation, on {where}",
        task=memory_cell,
        axes={"framework": tuple(FRAMEWORKS), "mode": ("plain", "graph", "compiled")},
        only=lambda cell: cell["mode"] != "graph" or cell["framework"] == "keras",
        settings={**_MEMORY_OF, **on},
        gpu=gpu,
    )
    places = Study(
        name=f"activation_places{name}",
        title=f"Six activations of PyTorch in place and into new memory, on {where}",
        task=place_cell,
        axes={"batch": batches},
        settings={"rounds": 20, "calls": 2, **on},
        quiet=True,
        gpu=gpu,
    )
    return functions, steps, memory, places


ROOFLINE, STEPS, MEMORY, PLACES = _declared()
ON_GPU = _declared("cuda")
MASKS = Study(
    name="activation_masks",
    title="Compiled ReLU by what it keeps for the backward pass",
    task=mask_cell,
    axes={"batch": (256, 2_048)},
    settings={"rounds": 20, "calls": 2},
    quiet=True,
)
STUDIES = (ROOFLINE, STEPS, MEMORY, PLACES, MASKS, *ON_GPU)

# --- What the claims ask --------------------------------------------------------------------------

ALL, FLOAT32 = 2_048, "float32"
EXTRA, SHARE, SAVED = "extra time", "share of bandwidth", "time saved"
ELUS = "extra time of ELU"
HALF = "extra time without the exponential, less half of ELU's"
BRAIN = "time in bfloat16 over that in float32"
ARRAYS, LESS = "extra arrays a layer", "arrays a layer saved"
GRAPH = {"keras": {"plain": "Keras, eager", "graph": "Keras, graph", "compiled": "Keras, compiled"}}
Times = dict[tuple[str, str], dict[tuple[str, str], Array]]


def times(root: int = 0, dtype: str = FLOAT32, batch: int = ALL) -> Times:
    """(framework, mode) → (activation, work) → seconds by round, each round on one machine."""
    table = rounds_of(ROOFLINE.name, root)
    part = table[(table.dtype == dtype) & (table.batch == batch)]
    return {
        (str(f), str(m)): {
            (str(name), str(work)): one.sort_values("round").seconds.to_numpy()
            for (name, work), one in cell.groupby(["activation", "work"])
        }
        for (f, m), cell in part.groupby(["framework", "mode"], sort=False)
    }


def rounds_of(name: str, root: int) -> pd.DataFrame:
    """``root`` 0 looks at all rounds; each other one leaves another fifth of them out."""
    table = load(name)
    return table[table["round"] % 5 != root - 1] if root else table


Found = Iterable[tuple[Case, Array]]
ROOTS = range(6)


def _found(values: Callable[[int], Found], level: Level) -> dict[Case, Interval]:
    """Of all rounds; each interval covers also what is found with any fifth of them left out."""
    runs = [dict(values(root)) for root in ROOTS]
    sure = level(len(runs[0]))
    cases = {}
    for case in runs[0]:
        found = [middle(run[case], sure) for run in runs]
        low, high = min(one.low for one in found), max(one.high for one in found)
        cases[case] = Interval(found[0].mean, low, high, found[0].n, confidence=sure)
    return cases


def _title(name: str) -> str:
    """Without what stands in brackets, unless that tells two of them apart."""
    title = catalog.get(name).title
    return title if name == "gelu_tanh" else title.split(" (")[0]


_ALONE = (
    f"Arrays of {ALL:,} × {UNITS:,} numbers of float32, forward and backward, in rounds in which "
    "all take turns; means of the middle half of the rounds, with bootstrap intervals."
)
_SCOPE = "Both frameworks on one CPU"


@experiment(
    f"{_ALONE} ReLU, ELU and ELU with x/(1 − x) in the place of exp(x) − 1 (the same limit, the "
    "same slope at 0), each written with the same three operations and compiled (inductor, XLA) "
    "into one loop each way. In per cent of ReLU's time.",
    _SCOPE,
    ROOFLINE.name,
)
def exponential(root: int, level: Level) -> Evidence:
    """In per cent of ReLU's time; all three compiled from what is written."""

    def values(part: int, asked: str) -> Found:
        for framework, title in FRAMEWORKS.items():
            seconds = times(part)[framework, "compiled"]
            for work, words in WORK.items():
                relu, elu, twin = (seconds[name, work] for name in (RELU, ELU, TWIN))
                extra, bare = 100 * (elu / relu - 1), 100 * (twin / relu - 1)
                yield (title, words), extra if asked == ELUS else bare - extra / 2

    factors = ("framework", "work")
    return {
        asked: Measured(_found(partial(values, asked=asked), level), factors)
        for asked in (ELUS, HALF)
    }


WORK = {"forward": "forward", "both": "forward and backward"}


def shares(root: int = 0, batch: int = ALL, dtype: str = FLOAT32, work: str = "both") -> Any:
    """Per cent of a copy's bandwidth: (framework, mode) → activation → by round."""
    return {
        cell: {
            name: 100 * MOVED[work] / MOVED[COPY] * seconds[COPY, COPY] / seconds[name, work]
            for name in _FUNCTIONS["activations"]
        }
        for cell, seconds in times(root, dtype, batch).items()
    }


@experiment(
    f"{_ALONE} A copy of the same array reads and writes all of it; forward and backward move two "
    "and a half times as much at least. The share is that of a copy's numbers per second.",
    _SCOPE,
    ROOFLINE.name,
)
def bound(root: int, level: Level) -> Evidence:
    """How much of the bandwidth of a copy is used."""

    def values(part: int) -> Found:
        return [
            ((MODES[f][m], _title(name)), values)
            for (f, m), by_name in shares(part).items()
            for name, values in by_name.items()
        ]

    return {SHARE: Measured(_found(values, level), ("where", "activation"))}


@experiment(f"{_ALONE} The same in bfloat16, which has half as many bytes.", _SCOPE, ROOFLINE.name)
def half_the_bytes(root: int, level: Level) -> Evidence:
    """The same function in both dtypes, in the same round."""

    def values(part: int) -> Found:
        full, half = times(part), times(part, "bfloat16")
        return [
            ((MODES[f][m], _title(name)), 100 * half[f, m][name, "both"] / seconds[name, "both"])
            for (f, m), seconds in full.items()
            for name in _FUNCTIONS["activations"]
        ]

    return {BRAIN: Measured(_found(values, level), ("where", "activation"))}


def saved(ours: str, theirs: str, root: int, level: Level) -> Evidence:
    """By how much one is faster than the other, in per cent of the slower one's time."""

    def values(part: int) -> Found:
        for (f, m), seconds in times(part).items():
            for work, title in WORK.items():
                one, other = seconds[ours, work], seconds[theirs, work]
                yield (MODES[f][m], title), 100 * (other - one) / np.maximum(one, other)

    return {SAVED: Measured(_found(values, level), ("where", "work"))}


def steps(root: int = 0, name: str = STEPS.name) -> pd.DataFrame:
    """Seconds over those of ReLU in the same round; one column per activation."""
    table = rounds_of(name, root)
    index = ["framework", "mode", "network", "round"]
    wide = table.pivot(index=index, columns="activation", values="seconds")
    return wide.div(wide["relu"], axis=0)


@experiment(
    "A training step (forward, backward, SGD) of a fully connected network (784-512-256-256-"
    "128-10, batch 256), a convolutional one (three layers, batch 64 of 28 × 28) and a transformer "
    "block (128 wide, 16 texts of 64 tokens), in rounds in which all activations take turns; extra "
    "time over ReLU's in the same round. Means of the middle half, with bootstrap intervals.",
    _SCOPE,
    STEPS.name,
)
def in_a_step(root: int, level: Level) -> Evidence:
    """Extra time of a whole step, over that with ReLU."""

    def values(part: int) -> Found:
        return [
            (
                (STEP_MODES[str(f)][str(m)], str(net), _title(str(name))),
                100 * (part[name] - 1).to_numpy(),
            )
            for (f, m, net), part in steps(part).groupby(
                ["framework", "mode", "network"], sort=False
            )
            for name in part
            if name not in ("relu", "linear")
        ]

    return {EXTRA: Measured(_found(values, level), ("where", "network", "activation"))}


def held(root: int = 0) -> pd.DataFrame:
    """Arrays per layer at the peak of a step, beyond those without activation: rounds in rows."""
    table = rounds_of(MEMORY.name, root)
    index = ["framework", "mode", "round"]
    wide = table.pivot(index=index, columns="activation", values="arrays")
    return wide / MEMORY.settings["depth"]


def _spread(values: Any) -> Interval:
    """Pages are counted, not sampled: the interval reaches from the least count to the most."""
    return Interval(float(values.mean()), float(values.min()), float(values.max()), len(values))


_MEMORY = (
    "The largest amount of memory that a training step of six layers of 256 units held on 8,192 "
    "examples, above what was there before, as Linux counts it; in arrays of the size of one "
    "layer's output."
)


@experiment(_MEMORY, _SCOPE, MEMORY.name)
def more_memory(root: int, level: Level) -> Evidence:
    """Over ReLU; whatever the level."""
    cases: dict[Case, Interval] = {}
    for (f, m), part in held(root).groupby(["framework", "mode"], sort=False):
        where = (MODES | GRAPH)[str(f)][str(m)]
        for name in ("elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "tanh"):
            cases[where, _title(name)] = _spread(part[name] - part["relu"])
    return {ARRAYS: Measured(cases, ("where", "activation"))}


@experiment(
    f"{_MEMORY} Each module of PyTorch with inplace=True against the same without.",
    "PyTorch on one CPU, eager",
    MEMORY.name,
)
def less_in_place(root: int, level: Level) -> Evidence:
    """Against the same module without it; whatever the level."""
    part = held(root).loc[("torch", "plain")]
    cases: dict[Case, Interval] = {}
    for both in IN_PLACE:
        name = both.removesuffix(" in place")
        cases[(_title(name),)] = _spread(part[name] - part[both])
    return {LESS: Measured(cases, ("activation",))}


def places(root: int = 0) -> dict[tuple[int, str], Array]:
    """(batch, activation) → per cent of the time, with a copy before it, that in place saves.

    By round. The copy cannot be taken off: alone it meets another cache than before a function.
    """
    table = rounds_of(PLACES.name, root)
    wide = table.pivot(index=["batch", "round"], columns=["activation", "work"], values="seconds")
    return {
        (int(batch), name): 100 * (1 - part[name, "in place"] / part[name, "new memory"]).to_numpy()
        for batch, part in wide.groupby("batch")
        for name in (both.removesuffix(" in place") for both in IN_PLACE)
    }


@experiment(
    "Six modules of PyTorch without gradient, with inplace=True and without, in rounds in which "
    "all take turns, on arrays of 4 and of 32 MiB; in either case with a copy of the input before "
    "it. Means of the middle half of the rounds, with bootstrap intervals.",
    "PyTorch on one CPU, eager",
    PLACES.name,
)
def faster_in_place(root: int, level: Level) -> Evidence:
    """By how much in place is faster."""

    def values(part: int) -> Found:
        return [
            ((f"{4 * batch * UNITS / 2**20:.0f} MiB", _title(name)), saved)
            for (batch, name), saved in places(part).items()
        ]

    return {SAVED: Measured(_found(values, level), ("array", "activation"))}


# --- What the chapter draws -----------------------------------------------------------------------

Groups = dict[str, dict[str, Interval]]


def by_size(names: Sequence[str]) -> Groups:
    """PyTorch op by op, forward: activation → size of the array → share of a copy's speed."""
    sizes = {"16 KiB": 1, "4 MiB": 256, "32 MiB": ALL}
    found = {size: shares(batch=n, work="forward")["torch", "plain"] for size, n in sizes.items()}
    return {_title(n): {size: middle(of[n]) for size, of in found.items()} for n in names}


def copied() -> float:
    """Gigabytes a second that a copy of the large array reads and writes, in the middle round."""
    seconds = times()["torch", "plain"][COPY, COPY]
    return MOVED[COPY] * 4 * ALL * UNITS / float(np.median(seconds)) / 1e9


def by_what_is_kept() -> Groups:
    """Compiled ReLU, both ways: array → what waits → time over that of ELU (per cent)."""
    table = load(MASKS.name)
    wide = table.pivot(index=["batch", "round"], columns=["activation", "kept"], values="seconds")
    return {
        f"{4 * batch * UNITS / 2**20:.0f} MiB": {
            kept: middle(100 * part[RELU, kept] / part[ELU, WHOLE])
            for kept in (WHOLE, MASK, OUTPUT)
        }
        for batch, part in wide.groupby("batch")
    }


def reached(framework: str) -> Groups:
    """Forward and backward: where → activation → share of a copy's speed."""
    found = shares()
    return {
        title: {_title(name): middle(of) for name, of in found[framework, mode].items()}
        for mode, title in MODES[framework].items()
    }


def without_exponential(framework: str) -> float:
    """The share of ELU's extra time over ReLU that goes with the exponential, forward."""
    of = times()[framework, "compiled"]
    relu, full, bare = (of[name, "forward"] for name in (RELU, ELU, TWIN))
    return float(np.median((full - bare) / relu) / np.median(full / relu - 1))


def memory(names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns of a table: arrays a layer beyond those without activations, op by op, to a tenth."""
    mean = held().groupby(["framework", "mode"]).mean()
    mean = mean.sub(mean["linear"], axis=0).clip(lower=0).round(1)
    columns: dict[str, list[Any]] = {"activation": list(names)}
    for framework, title in FRAMEWORKS.items():
        columns[title] = [float(mean.loc[(framework, "plain"), name]) for name in names]
    return columns


def share_of_a_step(name: str) -> Groups:
    """Where → network → per cent of a training step that are gone without the activation."""
    table = steps()
    return {
        title: {
            network: middle(100 * (1 - part["linear"] / part[name]))
            for network, part in table.loc[framework, mode].groupby("network", sort=False)
        }
        for framework, modes in STEP_MODES.items()
        for mode, title in modes.items()
    }


def on_a_gpu() -> str:
    """Whether the studies have been run on a GPU, in a sentence."""
    try:
        machines = {load(study.name).attrs["machine"]["gpu"] for study in ON_GPU}
    except FileNotFoundError:
        return "not measured yet"
    return f"measured on {', '.join(sorted(machines))}"


# --- As experiments -------------------------------------------------------------------------------


def faster(ours: str, theirs: str) -> Experiment:
    """One against the other, forward alone and with the backward pass."""
    return Experiment(
        f"{_ALONE} {_title(ours)} against {_title(theirs)} in the same round, in per cent of the "
        "slower one's time.",
        _SCOPE,
        partial(saved, ours, theirs),
        study=ROOFLINE.name,
    )


REASON = Rule(
    {ELUS: above(0, "% of ReLU's time"), HALF: below(0, "% of ReLU's time")}, together=True
)
BOUNDED = Rule({SHARE: above(50, "%")}, together=True)
HALVED = Rule({BRAIN: at_most(60, "%")}, together=True)
FASTER = Rule({SAVED: above(30, "%")}, together=True)
HARDLY = Rule({EXTRA: below(30, "%")}, together=True)
MORE, SPARED = Rule({ARRAYS: above(0.5)}), Rule({LESS: above(0.5)})
