"""Checkers of the chapter "Can you believe a softmax?"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import is_keras, is_torch, number, returned, watch
from actlab.exercises.own import own_rule

FEW_RIGHT, APART = 0.92, 0.03  # of the trained digits: accuracy, confidence minus accuracy


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
    """Exercise 9.1: the temperature with the smallest cross-entropy, as one number."""
    for seed, stretch in ((0, 3.0), (1, 0.4)):
        logits, labels = _examples(seed, stretch)
        found = number(answer, logits, labels)
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


@checker("the answer must be a function of an array (n, 64), or a model")
def check_probabilities(answer: Any) -> str:
    """Exercise 9.2: shares (n, 10) of digits by a network that was trained to be believed."""
    digits = data.load("digits")
    if is_torch(answer) or is_keras(answer):
        shares = watch(answer, digits.x_test, training=False).output
    else:
        shares = returned(answer, digits.x_test)
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


@checker("the answer must be a function of scores and a number of draws")
def check_draws(answer: Any) -> str:
    """Exercise 9.3: class numbers, drawn as often as the softmax of the scores says."""
    scores, n = np.array([2.0, 0.5, 0.0, -1.0], np.float32), 20_000
    found = returned(lambda given: answer(given, n), scores)
    expect(
        found.shape != (n, len(scores)),
        f"expected {n:,} class numbers, got a table: which place of each row is the largest?",
    )
    expect(found.shape == (n,), f"expected shape ({n},), got {found.shape}.")
    expect(
        np.isin(found, range(len(scores))).all(),
        f"expected class numbers from 0 to {len(scores) - 1}, got {found[:4].tolist()} …",
    )
    shares = np.bincount(found.astype(int), minlength=len(scores)) / n
    told = " ".join(f"{share:.3f}" for share in shares)
    expect(
        shares.max() < 1,
        "every draw is the same class: every draw needs noise of its own for every class, and more "
        "of it than uniform noise between 0 and 1.",
    )
    rng = np.random.default_rng(0)
    gumbel = rng.gumbel(size=(n, len(scores)))
    for noise, hint in (
        (-gumbel, "the noise has the wrong sign: it is −log(−log u), whose long tail goes up."),
        (rng.standard_normal(gumbel.shape), "is your noise normal? Only Gumbel's makes a softmax."),
        (-np.log(rng.random(gumbel.shape)), "is your noise −log u? There is a second logarithm."),
        (2 * gumbel, "the noise is twice too large, or the scores were halved."),
        (gumbel * 1e6, "the scores make no difference: all classes come equally often."),
    ):
        wrong = np.bincount((scores + noise).argmax(1), minlength=len(scores)) / n
        expect(not np.allclose(shares, wrong, atol=0.02), f"the shares are {told}: {hint}")
    right = catalog.get("softmax").reference(scores.astype(float))
    wanted = " ".join(f"{share:.3f}" for share in right)
    expect(
        np.allclose(shares, right, atol=0.02),
        f"the shares are {told}; those of the softmax are {wanted}.",
    )
    return "thrown as often as the softmax says."


@checker("the answer must be three things: rule, before, after", calls=False)
def check_scaling_rule(answer: Any) -> str:
    """Exercise 9.4: ``rule, before, after``: a rule of one's own and calibration errors by seed."""
    return own_rule(answer, ("before", "after"), "scaling makes the calibration error smaller")
