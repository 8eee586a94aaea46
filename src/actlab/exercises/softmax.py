"""Checkers of the chapter "Softmax and its family"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import Array, first, is_keras, is_torch, numbers, run, watch

FEW_RIGHT, APART = 0.92, 0.03  # of the trained digits: accuracy, confidence minus accuracy


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


def _examples(seed: int, stretch: float) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Logits whose best temperature is about ``stretch``: labels drawn at 1, then stretched."""
    rng = np.random.default_rng(seed)
    calm = rng.normal(0, 1.5, (800, 5))
    noise = rng.gumbel(size=calm.shape)
    return (stretch * calm).astype(np.float32), np.argmax(calm + noise, 1)


def _loss(logits: npt.NDArray[Any], labels: npt.NDArray[np.int64], temperature: float) -> float:
    log_p = catalog.get("log_softmax").reference(logits.astype(float) / temperature)
    return -float(log_p[np.arange(len(labels)), labels].mean())


def _best(logits: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> float:
    grid = np.geomspace(0.05, 20, 400)
    return float(grid[np.argmin([_loss(logits, labels, one) for one in grid])])


@checker("the answer must be a function of logits and labels")
def check_temperature(answer: Any) -> str:
    """Exercise 8.2: the temperature with the smallest cross-entropy, as one number."""
    for seed, stretch in ((0, 3.0), (1, 0.4)):
        logits, labels = _examples(seed, stretch)
        found = _number(answer, logits, labels)
        best = _best(logits, labels)
        expect(
            not np.isclose(found, _loss(logits, labels, best), rtol=0.01),
            f"you return the smallest loss, {found:.3f}; the temperature that has it is asked for.",
        )
        expect(
            not np.isclose(found, 1 / best, rtol=0.06),
            f"for these logits {best:.2f} is best, and you return {found:.2f}, its inverse: the "
            "logits are divided by the temperature, not multiplied.",
        )
        expect(
            not np.isclose(found, np.log(best), rtol=0.06),
            f"you return {found:.2f}, the logarithm of the best temperature {best:.2f}.",
        )
        expect(
            not np.isclose(found, 1) or np.isclose(best, 1, rtol=0.05),
            f"you return 1, which changes nothing; for these logits {best:.2f} is best.",
        )
        expect(found > 0, f"a temperature is positive; you return {found:.3g}.")
        side = "larger" if found < best else "smaller"
        expect(
            np.isclose(found, best, rtol=0.05),
            f"you return {found:.3g}, with a loss of {_loss(logits, labels, found):.4f}; a {side} "
            f"one has {_loss(logits, labels, best):.4f}. Does your search go far enough, and does "
            "it look at the loss (the accuracy does not depend on the temperature)?",
        )
    return "it finds the temperature of a network that is too sure, and of one that is too shy."


def _number(answer: Any, logits: Any, labels: Any) -> float:
    value = _returned(answer, logits, labels)
    expect(value.size == 1, f"expected one temperature, got {value.size} numbers.")
    return float(value.item())


def _returned(answer: Any, *arrays: npt.NDArray[Any]) -> Array:
    """What a function makes of NumPy's arrays, or else of PyTorch's or TensorFlow's tensors.

    Unlike :func:`actlab.exercises.observe.watch` it looks at nothing on the way, so the answer may
    call ``model.predict`` or train something.
    """

    def in_torch() -> Any:
        import torch

        return numbers(run(answer, *(torch.from_numpy(one.copy()) for one in arrays)))

    def in_tensorflow() -> Any:
        from actlab.frameworks import keras

        keras.start()
        import tensorflow as tf

        return numbers(run(answer, *(tf.constant(one) for one in arrays)))

    plain = lambda: numbers(run(answer, *(one.copy() for one in arrays)))  # noqa: E731
    return first([plain, in_torch, in_tensorflow])


@checker("the answer must be a function of an array (n, 64), or a model")
def check_probabilities(answer: Any) -> str:
    """Exercise 8.3: shares (n, 10) of digits by a network that was trained to be believed."""
    from actlab import data

    digits = data.load("digits")
    if is_torch(answer) or is_keras(answer):
        shares = watch(answer, digits.x_test, training=False).output
    else:
        shares = _returned(answer, digits.x_test)
    expect(
        shares.shape == (len(digits.y_test), 10),
        f"expected shares of shape ({len(digits.y_test)}, 10), got {shares.shape}.",
    )
    expect(np.isfinite(shares).all(), "some shares are NaN or infinite: did the training diverge?")
    sums = shares.sum(1)
    expect(
        not np.allclose(shares.sum(0), 1, atol=1e-3),
        "your columns sum to 1 and your rows do not: the softmax goes over the examples.",
    )
    expect(
        (shares >= 0).all() or not np.allclose(np.exp(shares).sum(1), 1, atol=1e-3),
        "these are logarithms of shares; take their exponential.",
    )
    expect(
        (shares >= 0).all() and np.allclose(sums, 1, atol=1e-2),
        f"a row sums to {sums[0]:.3g}: these are scores, not shares. What turns scores into "
        "shares?",
    )
    accuracy = float((shares.argmax(1) == digits.y_test).mean())
    confidence = float(shares.max(1).mean())
    told = f"accuracy {accuracy:.1%}, mean confidence {confidence:.1%}"
    expect(
        accuracy >= FEW_RIGHT,
        f"{told}: right on {FEW_RIGHT:.0%} is asked for. Was the network trained at all, for long "
        "enough, at a rate that is neither too small nor too large?",
    )
    expect(
        shares.max() > 0.232,
        f"{told}. No share is above e / (e + 9) = 23.2 %: a softmax of a softmax.",
    )
    gap = confidence - accuracy
    expect(
        gap < APART,
        f"{told}: too sure. Stop earlier, or divide the logits by a temperature above 1.",
    )
    expect(
        gap > -APART,
        f"{told}: too shy. Is there a softmax too many, or a temperature too high? Or train on.",
    )
    return f"{told}: it may be believed."


@checker("the answer must be a function of low and high")
def check_verdict(answer: Any) -> str:
    """Exercise 8.4: one's own rule, from the ends of an interval of lost accuracy to a verdict.

    The bound is the reader's own, from 0 to 10 points.
    """
    words = ("holds", "refuted", "not shown")

    def said(low: float, high: float) -> str:
        word = run(answer, low, high)
        expect(
            isinstance(word, str) and word in words,
            f"for an interval from {low:g} to {high:g} you return {word!r}; expected one of "
            f"{', '.join(words)}.",
        )
        return str(word)

    sure, against, wide = said(20, 30), said(-30, -20), said(-30, 40)
    expect(
        not (sure == "refuted" and against == "holds"),
        "the sign: the numbers are points of accuracy that are *lost*; 20 to 30 lost speak for "
        "the claim.",
    )
    expect(sure == "holds", f"from 20 to 30 points are lost, and you say {sure!r}.")
    expect(
        wide != "holds",
        "an interval from −30 to 40 says nothing, and you say 'holds': do you look at the middle "
        "of the interval, or at its upper end? The *whole* interval has to lie above the bound.",
    )
    expect(
        wide != "refuted",
        "an interval from −30 to 40 says nothing, and you say 'refuted'. Refuted is not what is "
        "left over: the whole interval has to lie on the other side.",
    )
    expect(
        against == "refuted",
        f"twenty points and more are *won*, and you say {against!r}: could your rule ever refute "
        "the claim?",
    )
    points = np.linspace(-30, 30, 601)
    verdicts = [said(point, point) for point in points.tolist()]
    changes = [i for i in range(1, len(points)) if verdicts[i] != verdicts[i - 1]]
    for i, point in enumerate(points):
        if -1 <= point <= 11:
            continue
        right = "refuted" if point < 0 else "holds"
        expect(
            verdicts[i] == right,
            f"exactly {point:.1f} points are lost, beyond doubt, and you say {verdicts[i]!r}.",
        )
    expect(
        len(changes) <= 2,
        "for intervals without width your verdict changes more than twice as the loss grows.",
    )
    bound = float(points[changes[-1]])
    expect(
        said(bound - 15, bound + 15) == "not shown",
        f"your bound lies near {bound:.1f} points; an interval that reaches 15 to both sides of it "
        "shows nothing.",
    )
    return f"a rule that can hold, refute and say nothing; your bound lies near {bound:.1f} points."
