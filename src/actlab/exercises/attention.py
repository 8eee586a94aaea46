"""Checkers of the chapter "Attention: a softmax in the middle"."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import compare, numbers, returned, run, watch
from actlab.exercises.own import own_rule

Array = npt.NDArray[Any]
LARGE = 0.1  # mean square error of the largest number that is still right
SHARES = re.compile(r"softmax|attention|(?:^|::)exp2?_?(?:\.|$)")  # what makes shares of scores


def _shares(scores: Array, axis: int = 1) -> Array:
    found = catalog.get("softmax").reference(np.moveaxis(scores, axis, -1))
    return np.moveaxis(found, -1, axis)


@checker("the answer must be a function of query, key, value and mask")
def check_attend(answer: Any) -> str:
    """Exercise 11.1: scaled dot-product attention of one sequence; True in the mask: look here."""
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(5, 16)), rng.normal(size=(5, 16))
    value, mask = rng.normal(size=(5, 3)), np.tri(5, dtype=bool)
    mask[4, :3] = False
    arrays = [part.astype(np.float32) for part in (query, key, value)]
    got = returned(answer, *arrays, mask)
    expect(
        got.shape == (5, 3),
        f"five queries and values of three numbers: expected (5, 3), got {got.shape}.",
    )
    expect(
        np.isfinite(got).all(),
        "some of it is NaN or infinite: multiply nothing by −∞, and let no row be masked wholly.",
    )
    bare = query @ key.T
    scores = bare / 4

    def attended(scores: Array, seen: Array = mask, axis: int = 1) -> Array:
        return _shares(np.where(seen, scores, -1e30), axis) @ value

    inverted = attended(scores, ~mask)[1:4]  # queries that see something either way
    compare(
        np.arange(got.size).reshape(got.shape),
        got,
        attended(scores),
        (np.allclose(got[1:4], inverted, 1e-4), "the mask is inverted: True means look here."),
        (attended(bare), "you do not divide the scores by √d."),
        (attended(bare / 16), "you divide by d; its root is wanted."),
        (attended(bare / 3**0.5), "d is the number of features of a query, not of a value."),
        (attended(scores, np.ones_like(mask)), "your mask changes nothing."),
        (
            attended(scores, axis=0),
            "your softmax goes over the queries: the shares of each *query* add up to 1.",
        ),
        (
            np.where(mask, _shares(scores), 0) @ value,
            "you mask the shares, behind the softmax, so they no longer add up to 1: mask the "
            "scores.",
        ),
        (
            _shares(np.where(mask, scores, 0)) @ value,
            "you set masked scores to 0, and e⁰ is 1: set them to −∞, or as good as.",
        ),
        rtol=1e-4,
        atol=1e-5,
    )
    return "scaled, masked and weighted."


@checker("the answer must be a function of Keras's weights and a number of heads")
def check_to_torch(answer: Any) -> str:
    """Exercise 11.2: from the weights of Keras's layer to the four arrays of PyTorch's."""
    heads, size = 3, 4
    d = heads * size
    rng = np.random.default_rng(0)
    shapes = [(d, heads, size), (heads, size)] * 3 + [(heads, size, d), (d,)]
    weights = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    found = run(lambda: answer([w.copy() for w in weights], heads))
    expect(
        isinstance(found, (tuple, list)) and len(found) == 4,
        "expected four arrays: in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias.",
    )
    in_weight, in_bias, out_weight, out_bias = map(numbers, found)
    for name, part, shape in (
        ("in_proj_weight", in_weight, (3 * d, d)),
        ("in_proj_bias", in_bias, (3 * d,)),
        ("out_proj.weight", out_weight, (d, d)),
        ("out_proj.bias", out_bias, (d,)),
    ):
        expect(part.shape == shape, f"{name}: expected shape {shape}, got {part.shape}.")
    flat = [w.reshape(d, d) for w in weights[0:6:2]]
    right = np.concatenate([w.T for w in flat])
    expect(
        not np.allclose(in_weight, np.concatenate(flat)),
        "in_proj_weight is not transposed: PyTorch has a row for each output.",
    )
    wrong = [w.transpose(0, 2, 1).reshape(d, d).T for w in weights[0:6:2]]
    expect(
        not np.allclose(in_weight, np.concatenate(wrong)),
        "in_proj_weight: its rows go head after head, not number after number.",
    )
    for order in ((1, 0, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1)):
        expect(
            not np.allclose(in_weight, np.concatenate([flat[i].T for i in order])),
            "in_proj_weight: query, key, value is the order.",
        )
    expect(np.allclose(in_weight, right), "in_proj_weight has other numbers than Keras's layer.")
    expect(
        np.allclose(in_bias, np.concatenate([b.ravel() for b in weights[1:6:2]])),
        "in_proj_bias: query, key and value one after the other, each head after head.",
    )
    out = weights[6].reshape(d, d)
    expect(not np.allclose(out_weight, out), "out_proj.weight is not transposed.")
    expect(np.allclose(out_weight, out.T), "out_proj.weight has other numbers than Keras's layer.")
    expect(np.allclose(out_bias, weights[7]), "out_proj.bias is the last array, as it is.")
    return "PyTorch's layer would give what Keras's gives."


@checker("expected a PyTorch module or a Keras model, after training")
def check_largest(answer: Any) -> str:
    """Exercise 11.3: the largest of eight numbers, said at every place, by attention."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(500, 8, 1)).astype(np.float32)
    seen = watch(answer, x, training=False)
    said = seen.output
    expect(said.shape == x.shape, f"expected an array {x.shape}, got {said.shape}.")
    expect(np.isfinite(said).all(), "its outputs are infinite or NaN: take a smaller rate.")
    largest = x.max(1, keepdims=True)
    error = float(((said - largest) ** 2).mean())
    changed = x.copy()
    changed[:, 3] += 0.5
    after = watch(answer, changed, training=False).output
    expect(
        not np.allclose(np.delete(after, 3, 1), np.delete(said, 3, 1), atol=1e-6),
        "each place answers for itself: a change at the fourth place is seen at no other. "
        "Attention has to join them.",
    )
    order = rng.permutation(8)
    turned = watch(answer, x[:, order], training=False).output
    whatever = np.allclose(turned, said[:, order], atol=1e-3)
    if not any(map(SHARES.search, seen.names)):
        expect(
            whatever,
            "if the numbers come in another order, it gives something else. Attention does not "
            "know about order; is there a layer that joins the places with weights of their own?",
        )
        raise Wrong(
            "the places are joined, but by no attention: nothing in it makes shares of scores, as "
            "a softmax does. A maximum or a mean over the places is none."
        )
    expect(
        error < LARGE,
        f"its mean square error is {error:.2f}; below {LARGE} is wanted (who always says the mean "
        f"has {largest.var():.2f}). Was it trained, on new sequences in every step, for long "
        "enough?",
    )
    return f"a mean square error of {error:.3f}{', whatever the order' * whatever}."


@checker("the answer must be three things: rule, without, divided", calls=False)
def check_scale_rule(answer: Any) -> str:
    """Exercise 11.4: ``rule, without, divided``: a rule of one's own and test errors by seed."""
    return own_rule(answer, ("without", "divided"), "the division makes the test error smaller")
