"""What two kinds of exercise have in common: a network that was trained, a rule of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from actlab import catalog, data
from actlab.exercises.decision import WORDS, plain
from actlab.exercises.feedback import expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import Array, numbers, told, watch, weights

ENOUGH = 0.93  # of the test digits; the untrained answer a tenth
CHANCE = 0.2
FEWEST = 10  # seeds
ELSEWHERE: tuple[tuple[data.Scale | None, str], ...] = (
    ("unit", "from 0 to 1"),
    (None, "from 0 to 16"),
)
OTHERS = ("relu", "tanh", "gelu", "silu", "elu", "selu", "celu")


def trained(answer: Any, activation: str, layers: int) -> str:
    """Judge a network with ``layers`` hidden layers of ``activation`` by the test digits.

    It takes pixels as in ``actlab.data.load("digits")`` and returns 10 logits, or probabilities.
    """
    digits = data.load("digits")
    seen = watch(answer, digits.x_test.astype(np.float32), training=False)
    said = seen.output
    expect(said.shape == (len(digits.y_test), 10), f"expected 10 logits, got {said.shape[1:]}.")
    expect(
        np.isfinite(said).all(),
        "its outputs are infinite or NaN: it diverged. Try a smaller learning rate; and if you "
        "wrote the activation yourself, is its gradient safe for large inputs?",
    )
    found = len(seen.layers(activation))
    if found != layers:
        title = catalog.get(activation).title
        others = {name: len(seen.layers(name)) for name in OTHERS if name != activation}
        name = max(others, key=lambda other: others[other])
        instead = (
            f", and {others[name]} of {catalog.get(name).title}"
            if others[name] and not found
            else ""
        )
        raise Wrong(f"expected {layers} hidden layers of {title}, found {found}{instead}.")

    def right(outputs: Array) -> float:
        return float((outputs.argmax(1) == digits.y_test).mean())

    share = right(said)
    if share >= ENOUGH:
        return f"it is right about {share:.0%} of digits that it has never seen."
    expect(weights(answer), "nothing in it can learn: it must be a module or model with weights.")
    for scale, words in ELSEWHERE:
        pixels = data.load("digits", scale=scale).x_test.astype(np.float32)
        there = float(
            (watch(answer, pixels, training=False).output.argmax(1) == digits.y_test).mean()
        )
        expect(
            there < ENOUGH,
            f"it is right about {share:.0%} of the test digits, and about {there:.0%} if their "
            f'pixels go {words}. Train it on the pixels of data.load("digits") as they are: with '
            "mean 0 and standard deviation 1.",
        )
    raise Wrong(
        f"it is right about {share:.0%} of the test digits; {ENOUGH:.0%} are wanted. "
        + (
            "That is about chance: was it trained? If it was, does every label stand beside its "
            "own digit, and does the optimiser know the network's parameters?"
            if share < CHANCE
            else "It has learned something: give it more epochs, or another learning rate."
        )
    )


def paired(
    answer: Any, names: tuple[str, str], fewest: int = FEWEST, *, zeros: bool = True
) -> tuple[Callable[[Array, Array], str], Array, Array]:
    """What the rule of an answer ``rule, first, second`` says of two arrays; and the two measured.

    One number for each of at least ``fewest`` seeds, the same for both, of which none is below 0
    (without ``zeros``: all above); ``names``: of the two arrays. The rule gets copies.
    """
    first, second = names
    expect(
        isinstance(answer, (tuple, list)) and len(answer) == 3 and callable(answer[0]),
        f"expected three things, rule, {first}, {second}: a function, and the numbers measured of "
        "either.",
    )
    rule = answer[0]
    ours, theirs = (numbers(part) for part in answer[1:])
    expect(
        ours.ndim == 1 and ours.shape == theirs.shape,
        "expected one number for each seed and the same seeds for both, got shapes "
        f"{ours.shape} and {theirs.shape}.",
    )
    n = len(ours)
    expect(n >= fewest, f"{n} seeds: who is ahead may be chance. Measure at least {fewest}.")
    both = np.array([ours, theirs])
    expect(
        np.isfinite(both).all() and (both >= 0 if zeros else both > 0).all(),
        f"some of the numbers are NaN, infinite or {'below' if zeros else 'not above'} 0. Say what "
        "a network counts that diverged or never got there, such as the last epoch, the most "
        "steps, or chance.",
    )
    expect(
        not np.array_equal(ours, theirs),
        "both have the very same numbers, seed by seed. Were both measured on the same networks?",
    )

    def says(one: Array, two: Array) -> str:
        said = told(rule, one, two)
        word = plain(said)
        expect(word, f"the rule says {said!r}; expected one of {', '.join(WORDS)}.")
        return str(word)

    return says, ours, theirs


def expect_doubt(words: Sequence[str]) -> None:
    """What a rule says where chance alone is at work, once to either side."""
    said = next((word for word in words if word != "not shown"), "not shown")
    expect(
        said == "not shown",
        "if the two differ by no more than chance (their means by a third of the standard error), "
        f"the rule says {said!r}. "
        + (
            "Not to have shown it is not to have shown the opposite; and if your rule has a "
            "margin, it must be smaller than what so few networks can tell apart."
            if set(words) == {"refuted"}
            else "Does it look at the means alone? Ask how far apart chance would put them."
        ),
    )


def own_rule(answer: Any, names: tuple[str, str], claim: str, *, zeros: bool = True) -> str:
    """Judge ``rule, first, second``: a rule of one's own, and what it was applied to.

    ``rule(first, second)`` takes two arrays with a number for each seed and says "holds" (the
    second is smaller: ``claim``), "refuted" or "not shown". Before it may decide, it is tried on
    invented numbers of as many seeds and of the same size. ``names``, ``zeros``: as in `paired`.
    """
    first, second = names
    says, ours, theirs = paired(answer, names, zeros=zeros)
    n = len(ours)
    rng = np.random.default_rng(0)
    wobble = rng.uniform(0.95, 1.05, (2, n))
    size = float(np.median(ours) or np.mean(ours) or np.mean(theirs))
    large, small = size * wobble * [[1.0], [0.4]]
    expect(
        says(large, small) == "holds",
        f"if {second} is less than half of {first} with every one of {n} seeds, the rule says "
        f"{says(large, small)!r}, not 'holds'. 'Holds' means here: {claim}.",
    )
    expect(
        says(small, large) == "refuted",
        f"if {second} is more than twice {first} with every one of {n} seeds, the opposite of the "
        f"claim, the rule says {says(small, large)!r}. A rule that cannot lose is no rule.",
    )
    noise = rng.standard_normal(n)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    expect_doubt(
        [
            says(large, large * (1 + 0.1 * (noise + sign * 0.3 / math.sqrt(n))))  # a t of about 0.3
            for sign in (1, -1)
        ]
    )
    single = large.copy()
    single[0] *= 0.5
    for pair in ((large, single), (single, large)):
        expect(
            says(*pair) == "not shown",
            f"if a single one of {n} seeds differs, by half, and the others are equal, the rule "
            f"says {says(*pair)!r}. One network decides it.",
        )
    return (
        "the rule can win, lose and leave it open. Of what you measured "
        f"({first} {ours.mean():.3g}, {second} {theirs.mean():.3g} on average, {n} seeds) it says: "
        f"{says(ours, theirs)}."
    )
