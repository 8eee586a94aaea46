"""Checkers of the chapter "What does an activation cost?"."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import compare, curve, is_torch, numbers, run
from actlab.exercises.own import own_rule, trained

Array = npt.NDArray[Any]


@checker("expected a function of the output")
def check_slope_from_output(answer: Any) -> str:
    """Exercise 15.1: softplus's slope, from its output alone."""
    softplus = catalog.get("softplus")
    x = np.linspace(-4, 6, 21).astype(np.float32)
    y = softplus.reference(x).astype(np.float32)
    right = softplus.derivative(x)
    got, _ = curve(answer, y)
    compare(
        y,
        got,
        right,
        (
            softplus.derivative(y),
            "this is the slope if the number given were the *input*. Given is the output y: write "
            "eˣ in terms of y first.",
        ),
        (np.exp(-y), "nearly: this is one minus the slope."),
        (1 + np.exp(-y), "look at the sign: a slope of softplus is never above 1."),
        (y, "that is the output itself; how steep is softplus there?"),
        atol=0.01,  # for an answer in bfloat16
    )
    return "the slope needs nothing but the output: the input may be forgotten."


def burn(milliseconds: float) -> None:
    """Keep a core busy for so long."""
    ends = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < ends:
        pass


class Slow:
    """A function that takes so long, the first time longer, and at times is disturbed."""

    def __init__(self, takes: float, first: float, disturbed: tuple[int, ...], by: float) -> None:
        self.takes, self.first, self.disturbed, self.by = takes, first, disturbed, by
        self.calls = 0

    def __call__(self) -> None:
        """One call: busy, returns nothing."""
        extra = self.first if self.calls == 0 else 0.0
        extra += self.by if self.calls % 10 in self.disturbed else 0.0
        self.calls += 1
        burn(self.takes + extra)


NEAR = 0.2  # on both sides of the true ratio
TRIES = 5  # for the machine may be busy in earnest, too


@checker("expected a function of two functions that returns a ratio of seconds")
def check_fair_ratio(answer: Any) -> str:
    """Exercise 15.2: how many times as long as the second the first one takes, fairly."""
    for ratio, swapped in ((2.0, False), (0.5, True)):
        for _ in range(TRIES):
            quick, slow = Slow(1, 100, (3, 8), 15), Slow(2, 1, (4, 9), 15)
            found = numbers(run(answer, *((quick, slow) if swapped else (slow, quick))))
            expect(found.size == 1, f"expected one number, got {found.size} of them.")
            calls, got = min(quick.calls, slow.calls), float(found.item())
            if calls >= FEW and abs(got / ratio - 1) <= NEAR:
                break
        else:
            raise Wrong(_unfair(calls, got, ratio))
    return "neither the first call nor a disturbance moves it."


FEW = 5


def _unfair(calls: int, got: float, ratio: float) -> str:
    if calls < FEW:
        return (
            f"it was called {calls} times. A single call may be the one in which something else "
            "happened."
        )
    if abs(got * ratio - 1) <= NEAR:
        return "upside down: the first function's seconds over the second's."
    return (
        f"the first takes {ratio:g} times as long as the second and you say {got:.2g}. One of "
        "them takes 100 ms the first time, as a compiler would, and every now and then a call "
        "takes 15 ms longer, as on every computer. Call both once before the clock runs, and "
        "then do not let the disturbed calls count: the smallest or the median, not the mean."
    )


@checker("the answer must be a trained module or model")
def check_frugal(answer: Any) -> str:
    """Exercise 15.3: a trained network whose two softplus layers keep only their outputs."""
    said = trained(answer, "softplus", 2)
    if is_torch(answer):
        held = arrays_kept(answer)
        expect(held > 0, "nothing in it waits for a backward pass: are its weights frozen?")
        expect(
            held < 1.6,
            f"it reads the digits, and for each hidden layer it keeps {held:.1f} arrays; an output "
            "is one, and the next layer has to keep that anyway. In forward, save the output only.",
        )
        return f"{said} A hidden layer keeps one array."
    expect(
        not reads_input_again(answer),
        "it reads the digits, and its softplus keeps its input, from which the slope is computed. "
        "Give the layers a function with a gradient made from the output: ops.custom_gradient.",
    )
    return f"{said} Its backward pass does not ask for the input of softplus."


def reads_input_again(model: Any) -> bool:
    """Whether a Keras model computes a sigmoid of what went into softplus: its slope's formula."""
    import tensorflow as tf

    def gradients(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = model(x, training=False)
        return tape.gradient(outputs, x)

    example = tf.zeros((8, 64), model.compute_dtype)
    graph = tf.function(gradients, autograph=False).get_concrete_function(example).graph
    read = {
        kind: {op.inputs[0].ref() for op in graph.get_operations() if op.type == kind}
        for kind in ("Softplus", "Sigmoid")
    }
    return bool(read["Softplus"] & read["Sigmoid"])


def arrays_kept(model: Any) -> float:
    """Arrays per hidden layer that wait for a PyTorch model's backward pass, weights apart.

    Told by 4,096 examples more, so that what does not grow with the batch does not count.
    """
    import torch

    found = []
    parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
    dtype = next(model.parameters()).dtype
    widths = [p.shape[0] for p in model.parameters() if p.ndim == 2][:-1]
    for batch in (1_024, 5_120):
        x = torch.zeros(batch, 64, dtype=dtype)
        seen: dict[int, int] = {}
        leave = {*parameters, x.untyped_storage().data_ptr()}

        def keep(tensor: Any, seen: dict[int, int] = seen, leave: set[int] = leave) -> Any:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in leave:
                seen[storage.data_ptr()] = storage.nbytes()
            return tensor

        hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
        with torch.enable_grad(), hooks:
            model(x)
        found.append(sum(seen.values()))
    bytes_ = torch.empty((), dtype=dtype).itemsize
    return float((found[1] - found[0]) / (4_096 * sum(widths) * bytes_))


@checker("the answer must be three things: rule, exact, approximate", calls=False)
def check_speed_rule(answer: Any) -> str:
    """Exercise 15.4: ``rule, exact, approximate``: a rule and seconds, round by round."""
    try:
        claim = "the approximation takes less time"
        said = own_rule(answer, ("exact", "approximate"), claim, zeros=False)
    except Wrong as hint:
        raise Wrong(in_rounds(str(hint))) from None
    return in_rounds(said)


def in_rounds(words: str) -> str:
    """What is said of rules in all chapters, where rounds were measured and not networks."""
    for ours, here in (
        (
            "Say what a network counts that diverged or never got there, such as the last epoch, "
            "the most steps, or chance.",
            "Are they seconds? (A clock that says 0 ticks too slowly: time several calls at once.)",
        ),
        ("on the same networks", "with the same function"),
        *(("seed", "round"), ("network", "round")),
    ):
        words = words.replace(ours, here)
    return words
