"""Checkers of the chapter "Softmax, and its silent mistakes"."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import is_keras, is_torch, number, returned, watch
from actlab.exercises.own import own_rule

FEW_WRONG = 0.93  # of the tumours: the share that has to be right


@checker("the answer must be a function of an array (examples, classes)")
def check_log_softmax(answer: Any) -> str:
    """Exercise 8.1: the log-softmax of every row, of any finite scores."""
    x = np.array(
        [
            [2.0, 1.0, 0.5, -1.0],
            [0.0, 0.0, 0.0, 0.0],
            [1000.0, 0.0, -1000.0, 999.0],
            [-500.0, -501.0, -502.0, -503.0],
            [3.0, -200.0, 0.5, 1.0],
        ],
        np.float32,
    )
    got = watch(answer, x).output
    right = catalog.get("log_softmax").reference(x.astype(float))
    expect(
        got.shape == x.shape,
        f"expected one number for each score, shape {x.shape}; got {got.shape}. Are all rows "
        "added up, or an axis lost?",
    )
    plain = x[0].astype(float)
    shares = np.exp(right[0])
    for wrong, hint in (
        (shares, "these are the shares themselves; their logarithm is asked for."),
        (
            plain - np.log(np.exp(plain).max()),
            "you subtract the largest score, but not the logarithm of the sum of exponentials.",
        ),
        (
            plain - plain.sum(),
            "you subtract the sum of the scores; it is the logarithm of the sum "
            "of their exponentials.",
        ),
        (-right[0], "the sign: shares are at most 1, so their logarithms are at most 0."),
        (right[0] / np.log(2), "this is the logarithm to base 2."),
        (right[0] / np.log(10), "this is the logarithm to base 10."),
    ):
        expect(not np.allclose(got[0], wrong, 1e-4, 1e-5), hint)
    over_batch = catalog.get("log_softmax").reference(x[:2].T.astype(float)).T
    small = watch(answer, x[:2]).output
    expect(
        not np.allclose(small, over_batch, 1e-4, 1e-5),
        "you add up over the examples, so that every column is a softmax. Every row is one "
        "example: the classes lie along axis 1.",
    )
    for broken, hint in (
        (
            np.isnan(got) | np.isneginf(got).all(1, keepdims=True),
            "no number: e to the power of 1000 is infinite. What may be subtracted from all scores "
            "without a change?",
        ),
        (
            ~np.isfinite(got),
            "−∞: the share was rounded to 0 before its logarithm was taken. Or is one largest "
            "score subtracted from all rows? Every row has its own.",
        ),
    ):
        if broken.any():
            row = int(broken.any(1).argmax())
            expect(False, f"for the scores {x[row].tolist()} you return {hint}")
    off = ~np.isclose(got, right, 1e-4, 1e-4)
    if off.any():
        row = int(off.any(1).argmax())
        told = f"expected {right[row].round(4).tolist()}, got {got[row].round(4).tolist()}"
        expect(False, f"for the scores {x[row].tolist()} {told}.")
    return "every row, and no score is too large or too small for it."


@checker("the answer must be a function of scores and labels")
def check_pixel_loss(answer: Any) -> str:
    """Exercise 8.2: the mean cross-entropy of pictures whose classes lie along axis 1."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (2, 5, 5, 5)).astype(np.float32)
    labels = rng.integers(0, 5, (2, 5, 5))

    def losses(axis: int, along: int = 1, times: int = 1) -> Any:
        """Of every pixel: shares made along one axis, the label's looked up along another."""
        given = np.moveaxis(scores.astype(float), axis, -1)
        for _ in range(times - 1):
            given = catalog.get("softmax").reference(given)
        logs = np.moveaxis(catalog.get("log_softmax").reference(given), -1, axis)
        return -np.take_along_axis(logs, np.expand_dims(labels, along), along)

    found = number(answer, scores, labels)
    right = losses(1)
    expect(
        not np.isclose(found, -right.mean(), 1e-3),
        f"the sign: you return {found:.3f}. The logarithm of a share is at most 0, and the loss is "
        "minus that.",
    )
    expect(
        not np.isclose(found, right.sum(), 1e-3),
        f"you return {found:.2f}, the sum over all pixels; their mean is asked for.",
    )
    expect(
        not np.isclose(found, right.sum() / len(scores), 1e-3),
        f"you return {found:.2f}, which is divided by the pictures alone: every pixel is an "
        "example.",
    )
    for axis, what in ((0, "the batch"), (2, "the height"), (3, "the width")):
        wrong = [losses(axis).mean()] + ([losses(axis, axis).mean()] if axis else [])
        expect(
            not np.isclose(found, wrong, 1e-3).any(),
            f"your softmax goes along axis {axis}, {what}. The classes lie along axis 1.",
        )
    expect(
        not np.isclose(found, losses(1, times=2).mean(), 1e-3),
        "a softmax too many: what goes into the loss are shares already, and it makes its own.",
    )
    expect(
        np.isclose(found, right.mean(), 1e-3),
        f"expected {right.mean():.4f}, got {found:.4f}. The mean over all pixels of −log of the "
        "right class's share; the classes lie along axis 1.",
    )
    scores = 300 * scores
    found, right = number(answer, scores, labels), losses(1)
    expect(
        np.isclose(found, right.mean(), 1e-3),
        f"with scores 300 times as large you return {found:.4g} instead of {right.mean():.4g}: a "
        "share was rounded to 0, or lifted, before its logarithm was taken.",
    )
    return "the loss of every pixel, however large its scores."


@checker("the answer must be a function of an array (n, 30), or a model")
def check_one_unit(answer: Any) -> str:
    """Exercise 8.3: the share of class 1 of every tumour, by a trained network with one unit."""
    tumours = data.load("breast_cancer")
    x, y = tumours.x_test, tumours.y_test
    if is_torch(answer) or is_keras(answer):
        found = watch(answer, x, training=False).output
    else:
        found = returned(answer, x)
    expect(
        found.shape in {(len(y),), (len(y), 1)},
        f"expected one share for each of {len(y)} examples, got shape {found.shape}. One unit is "
        "asked for, and class 1's share alone.",
    )
    found = found.ravel()
    expect(np.isfinite(found).all(), "some shares are NaN or infinite: did the training diverge?")
    expect(
        not np.allclose(found, 1),
        "every share is 1: a softmax over a single unit. What makes a share of one score?",
    )
    expect(
        not np.isclose(found.sum(), 1, atol=1e-3),
        "the shares of all examples add up to 1: a softmax over the batch.",
    )
    expect(
        (found >= 0).all() and (found <= 1).all(),
        f"they go from {found.min():.3g} to {found.max():.3g}: these are scores. What makes a "
        "share of one score?",
    )
    expect(
        not np.isin(found, (0, 1)).all(),
        "these are decisions, 0 or 1; the shares before rounding are asked for.",
    )
    share = float(((found > 0.5) == y).mean())
    expect(
        1 - share < FEW_WRONG,
        "these are the shares of class 0: turned round, they would be right.",
    )
    expect(
        share >= FEW_WRONG,
        f"right in {share:.0%} of new examples, {FEW_WRONG:.0%} are asked for. Was it trained, "
        "with a loss for one unit, long enough, and do labels and outputs have the same shape?",
    )
    return f"one unit, and right in {share:.0%} of examples that it has never seen."


@checker("the answer must be three things: rule, once, twice", calls=False)
def check_twice_rule(answer: Any) -> str:
    """Exercise 8.4: ``rule, once, twice``: a rule of one's own and accuracies by seed."""
    return own_rule(answer, ("once", "twice"), "the second softmax costs accuracy")
