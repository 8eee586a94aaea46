"""Checkers of the chapter "Gates: one map decides what the other may say"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import Seen, compare, number, returned, watch
from actlab.exercises.own import ENOUGH, own_rule

Array = npt.NDArray[Any]
CURVES = tuple(
    name
    for name in catalog.names()
    if catalog.get(name).kind == "elementwise" and name not in ("linear", "exponential")
)  # an exponential may belong to probabilities at the end


@checker("the answer must be a function of an array")
def check_geglu(answer: Any) -> str:
    """Exercise 10.1: value times the exact GELU of the gate, the second half of the last axis."""
    x = np.random.default_rng(0).normal(size=(4, 3, 8)).astype(np.float32)
    got = returned(answer, x)
    expect(
        got.shape == (4, 3, 4),
        f"from an array of shape {x.shape} expected {(4, 3, 4)}, got {got.shape}: the last axis is "
        "halved, and no other.",
    )
    value, gate = np.split(x.astype(float), 2, axis=-1)
    f = {name: catalog.get(name).reference for name in ("gelu", "gelu_tanh", "sigmoid", "silu")}
    even, odd = x[..., ::2].astype(float), x[..., 1::2].astype(float)
    compare(
        x[..., :4],
        got,
        value * f["gelu"](gate),
        (gate * f["gelu"](value), "you bend the first half: the second one is the gate."),
        (value * f["sigmoid"](gate), "this is GLU: its gate goes through a sigmoid."),
        (value * f["silu"](gate), "this is SwiGLU: its gate goes through SiLU."),
        (value * gate, "this is the bilinear unit: the gate has no curve yet."),
        (f["gelu"](value * gate), "you bend the product; only the gate goes through GELU."),
        (f["gelu"](value) * f["gelu"](gate), "you bend both halves; the value stays as it is."),
        (even * f["gelu"](odd), "you take every other number; halves are asked for."),
        (value * f["gelu_tanh"](gate), "this is the tanh approximation of GELU."),
    )
    return "value and gate are where they belong."


@checker("the answer must be a function of two whole numbers")
def check_width(answer: Any) -> str:
    """Exercise 10.2: the smallest multiple that gives a gated block as many weights as a plain."""
    for plain, multiple in ((16_384, 256), (256, 8), (120, 8), (48, 1), (100, 64)):
        found = number(lambda _, p=plain, m=multiple: answer(p, m), np.zeros(1))
        exact = 2 * plain / 3
        right = math.ceil(exact / multiple) * multiple
        told = f"for a plain width of {plain:,} and multiples of {multiple} you return {found:g}"
        expect(
            found != math.ceil(plain / multiple) * multiple or found == right,
            f"{told}: as wide as the plain block, which costs half as many weights again.",
        )
        expect(
            found < 1.4 * plain,
            f"{told}. A gated block has three matrices instead of two: is it to be narrower or "
            "wider?",
        )
        expect(found % multiple == 0, f"{told}, which is no multiple of {multiple}.")
        expect(
            found >= exact,
            f"{told}: {3 * found:g} columns and rows of weights against {2 * plain}. At least as "
            "many are asked for: round up.",
        )
        expect(found == right, f"{told}; {right} would do.")
    return "as many weights, and a width that the hardware likes."


def _products(seen: Seen) -> list[bool]:
    """Of every array that is a product of two earlier ones: whether these were different."""
    found = []
    for k, (after, _) in enumerate(seen.steps):
        earlier = [step.value for step in seen.steps[:k] if step.value.shape == after.shape]
        earlier += [  # the two halves of one map, of which a split shows the first alone
            half
            for step in seen.steps[:k]
            if step.value.shape == (*after.shape[:-1], 2 * after.shape[-1])
            for half in np.split(step.value, 2, axis=-1)
        ]
        for j, one in enumerate(earlier):
            for other in earlier[: j + 1]:
                if np.allclose(after[:4], (one * other)[:4], 1e-4, 1e-5) and np.allclose(
                    after, one * other, 1e-4, 1e-5
                ):
                    found.append(one is not other)
    return found


@checker("expected a PyTorch module or a Keras model, after training")
def check_bilinear(answer: Any) -> str:
    """Exercise 10.3: right about 93 % of the digits by products of linear maps alone."""
    digits = data.load("digits")
    seen = watch(answer, digits.x_test.astype(np.float32), training=False)
    said = seen.output
    expect(said.shape == (len(digits.y_test), 10), f"expected 10 logits, got {said.shape[1:]}.")
    expect(np.isfinite(said).all(), "its outputs are infinite or NaN: take a smaller rate.")
    for name in CURVES:
        expect(
            not seen.layers(name),
            f"there is a layer of {catalog.get(name).title} in it. Do without: two linear maps of "
            "the same input, multiplied number by number.",
        )
    bends = {"abs", "sin", "cos"} & {name.split("::")[-1].split(".")[0] for name in seen.names}
    expect(not bends, f"there is a curve in it, {', '.join(bends)}. Do without.")
    shares = any("softmax" in name for name in seen.names)
    expect(
        not shares or np.allclose(said.sum(1), 1, atol=1e-3),
        "there is a softmax inside it. Do without, but for the probabilities at its end.",
    )
    products = _products(seen)
    if not products:
        x = digits.x_test.astype(np.float32)
        between = watch(answer, (x + x[::-1]) / 2, training=False).output
        straight = np.allclose(between, (said + said[::-1]) / 2, 1e-3, 1e-3)
        raise Wrong(
            "no array in it is the product of two others"
            + (", so it is a linear model" if straight else ", number by number")
            + ". Multiply two linear maps of the same input."
        )
    expect(any(products), "it squares one map; give the gate a map of its own.")
    share = float((said.argmax(1) == digits.y_test).mean())
    expect(
        share >= ENOUGH,
        f"it is right about {share:.0%} of the test digits; {ENOUGH:.0%} are wanted. Was it "
        "trained, for long enough, and at a rate that suits it?",
    )
    return f"right about {share:.0%} of the test digits, without a curve."


@checker("the answer must be three things: rule, plain, gated", calls=False)
def check_gate_rule(answer: Any) -> str:
    """Exercise 10.4: ``rule, plain, gated``: a rule of one's own and test losses by seed."""
    return own_rule(answer, ("plain", "gated"), "the gate makes the test loss smaller")
