"""Checkers of the chapter "Sigmoid and tanh: saturation and vanishing gradients"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.guard import Wrong
from actlab.exercises.observe import (
    Array,
    Seen,
    compare,
    curve,
    gradients,
    numbers,
    owners,
    run,
    watch,
    weights,
)
from actlab.exercises.own import expect_doubt, paired

READY_MADE = ("logsigmoid", "softplus", "logexpit", "binarycrossentropywithlogits")
TOLERATED = 0.03  # decades: over four standard errors with a sample of 1,000
LEAST_SLOPE = 0.1  # of a sigmoid, on average; 1/4 is the most
LEAST_SPREAD = 0.02  # of the last layer's outputs between inputs
RATIOS = (0.03, 10.0)  # of the first layer's gradient to the last hidden layer's
TRAINED = 0.85  # of the test digits; ten layers of sigmoids as they come stay at a tenth
AT_CHANCE = 0.2  # at most; a network that says the same of every digit is right about a tenth
ALIKE = 0.05  # logits that differ by less from digit to digit
FEWEST = 5  # seeds of each arm


@checker("the answer must be a function of x")
def check_log_sigmoid(answer: Any) -> str:
    """Exercise 3.1: log σ(x) without underflow or overflow, in float32.

    The answer is a function of a NumPy array, PyTorch tensor or Keras tensor.
    """
    x = np.array([-1000, -104, -90, -20, -1, 0, 1, 16, 20, 60, 1000], np.float32)
    got, names = curve(answer, x)
    at = {float(value): result for value, result in zip(x, got, strict=True)}
    ready = [
        name for name in names if name.replace("_", "").rpartition(":")[2].startswith(READY_MADE)
    ]
    expect(
        not ready,
        "the numbers are right, but they come from a ready-made function "
        f"({', '.join(ready)}). Write it yourself, of exp, log1p and the like: the point is to see "
        "what keeps it finite.",
    )
    compare(
        x,
        got,
        catalog.get("log_sigmoid").reference(x),
        (
            np.isclose(at[0.0], 0.5),
            "at 0 you return 0.5: this is σ itself; its logarithm is wanted.",
        ),
        (
            np.isclose(at[0.0], math.log(2)),
            "the sign: σ is below 1, so its log is negative. (Softplus of −x is −log σ(x).)",
        ),
        (
            np.isclose(at[0.0], math.log10(0.5)),
            "at 0 you return −0.301, the logarithm to base 10; the natural one is wanted.",
        ),
        (
            not np.isfinite(at[-1000.0]),
            f"at x = −1000 you return {at[-1000.0]}, but log σ(−1000) is −1000. Either σ has "
            "underflown to 0 before the log, or e^1000 has overflown. Rewrite it so that the "
            "exponential only ever sees −|x|.",
        ),
        (
            not np.isfinite(at[1000.0]),
            f"negative inputs are fine now, but at x = 1000 you return {at[1000.0]}: this side "
            "overflows instead. Let the exponential see −|x| on both sides.",
        ),
        (
            at[-1000.0] > -999,
            f"at x = −1000 you return {at[-1000.0]:.4g}, but log σ(−1000) is −1000. A small number "
            "added under the logarithm, or a clipped input, keeps it finite and wrong.",
        ),
        (
            np.minimum(x, 0),
            "this is min(x, 0), the straight lines that the curve approaches: at 0 it is −0.69.",
        ),
        (
            at[20.0] == 0,
            "nearly: at x = 20 you return exactly 0 instead of about −2e-9. In float32 1 + e^−20 "
            "is 1; there is a function that computes log(1 + t) for a small t.",
        ),
        rtol=1e-4,
        atol=0,
    )
    return "finite and exact from −1000 to 1000."


@checker("the answer must be a function of name, variance and q")
def check_decades(answer: Any) -> str:
    """Exercise 3.2: ``decades(name, variance, q)``, the predicted slope of log10 ‖gradient‖.

    ``name`` of the activation, ``variance``: units × Var(weight), ``q``: the variance of the
    pre-activations. Sampling is fine: 0.03 decades are tolerated.
    """
    z = np.linspace(-9, 9, 4000)
    w = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    for name, variance, q in (("sigmoid", 1.0, 0.26), ("tanh", 5.0, 1.7), ("relu", 2.0, 2.0)):
        slope = catalog.get(name).derivative(math.sqrt(q) * z)
        squares, mean = float(w @ slope**2), float(w @ slope)
        right = math.log10(variance * squares) / 2
        result = numbers(run(answer, name, variance, q))
        expect(
            result.size == 1,
            f"expected one number, got an array of shape {result.shape}: average it.",
        )
        got = float(result.item())
        if abs(got - right) < TOLERATED:
            continue
        steepest = float(catalog.get(name).derivative(0.0))
        unscaled = float(w @ catalog.get(name).derivative(q * z) ** 2)
        for wrong, hint in (
            (-right, "the sign: a gradient that shrinks loses decades, so the answer is negative."),
            (2 * right, "this is the change of the *mean square*; the norm is its root."),
            (math.log(variance * squares) / 2, "a decade is a power of ten, not of e."),
            (
                math.sqrt(variance * squares),
                "this is the factor; its logarithm to base 10 is wanted.",
            ),
            (
                variance * squares,
                "this is χ itself; the logarithm to base 10 of its root is wanted.",
            ),
            (
                math.log10(squares) / 2,
                "the weights are missing: their variance multiplies the mean squared slope.",
            ),
            (
                math.log10(variance**2 * squares) / 2,
                "the root is missing over the weights' variance: the mean square is multiplied by "
                "it once.",
            ),
            (
                math.log10(variance * mean**2) / 2,
                "this is the square of the mean slope; the mean of the squared slope is wanted.",
            ),
            (
                math.log10(variance * steepest**2 + 1e-99) / 2,
                "this is the slope at 0; average over pre-activations of variance q.",
            ),
            (
                math.log10(variance * unscaled) / 2,
                "q is the variance of the pre-activations; their standard deviation is its root.",
            ),
        ):
            expect(
                abs(got - wrong) > 0.01,
                f"for {name} with variance {variance:g} and q = {q:g}: {hint}",
            )
        expect(
            False,
            f"for {name} with variance {variance:g} and q = {q:g} expected {right:.3f} decades per "
            f"layer, got {got:.3f}.",
        )
    return "the root of variance × mean squared slope, in decades."


@checker("expected a PyTorch module or a Keras model")
def check_deep_sigmoid(answer: Any) -> str:
    """Exercise 3.3: ten sigmoid layers of 64 units whose first layer learns, too.

    The answer is a PyTorch module or a Keras model from 64 inputs to 10 logits. (Call it before
    training.) What a start draws is chance, so the bounds lie far from both sides.
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((512, 64)).astype(np.float32)
    y = rng.integers(0, 10, 512)
    seen = watch(answer, x, training=True)
    outputs = ten_layers(seen)
    logits = seen.output
    expect(
        not np.allclose(logits.sum(1), 1, atol=1e-3),
        "the outputs add up to 1: these are probabilities, and logits are wanted. Leave out the "
        "softmax; the loss has its own.",
    )
    expect(weights(answer), "nothing in it can learn: it must be a module or model with weights.")
    ratio = gradient_ratio(gradients(answer, x, y), owners(answer, x[:67], "sigmoid"))
    slope, spread = slope_and_spread(outputs)
    expect(np.isfinite(ratio), "the gradients are infinite or NaN: the weights are far too large.")
    expect(
        slope > LEAST_SLOPE,
        f"the sigmoids are saturated: their mean slope is {slope:.3f}, and 1/4 is the most. If the "
        "first layer gets a gradient at all, then because huge weights blow up the little that is "
        "left. How large must they be to make up for 1/4, and no more?",
    )
    expect(
        ratio > 1e-4,
        f"the first layer's gradient is {ratio:.0e} of the last hidden layer's. A sigmoid's slope "
        "is at most 1/4: by how much must the weights be larger to make up for it?",
    )
    expect(
        ratio > RATIOS[0],
        f"better: the first layer gets {ratio:.1%} of the last hidden layer's gradient. What is "
        "left is the offset: every sigmoid sends about 1/2 up, times all of a unit's weights. "
        "Which bias takes that away again? (Or normalise each unit over the batch.)",
    )
    expect(
        ratio < RATIOS[1],
        f"now the gradient explodes: {ratio:.0f} times as large in the first layer.",
    )
    expect(
        spread > LEAST_SPREAD,
        f"the gradients are fine, but the last layer's outputs differ by {spread:.0e} from input "
        "to input: it does not see them any more.",
    )
    assert is_repaired(ratio, slope, spread)
    return f"the first layer gets {ratio:.1g} times the last hidden layer's gradient."


def ten_layers(seen: Seen) -> list[Array]:
    """The outputs of the ten sigmoid layers; :class:`Wrong` where the network is another one."""
    outputs = [layer.after for layer in seen.layers("sigmoid")]
    expect(
        outputs,
        "no sigmoid was found in it: no nn.Sigmoid, no Keras activation of that name, nothing that "
        "computes the same. The sigmoids stay.",
    )
    expect(
        len(outputs) == 10 and all(output.shape[1:] == (64,) for output in outputs),
        f"expected ten sigmoid layers of 64 units, found {[o[0].size for o in outputs]}; keep the "
        "architecture and the sigmoids, change what surrounds them.",
    )
    shape = seen.output.shape
    expect(shape == (seen.samples, 10), f"expected 10 logits, got shape {shape[1:]}.")
    return outputs


def slope_and_spread(outputs: list[Array]) -> tuple[float, float]:
    """The sigmoids' mean slope in all layers, and the last one's spread between inputs."""
    slope = np.mean([(output * (1 - output)).mean() for output in outputs])
    return float(slope), float(outputs[-1].std(0).mean())


def is_repaired(ratio: float, slope: float, spread: float) -> bool:
    """Whether these are the numbers of a network whose first layer learns."""
    return RATIOS[0] < ratio < RATIOS[1] and slope > LEAST_SLOPE and spread > LEAST_SPREAD


def gradient_ratio(found: list[Array], layers: list[int | None]) -> float:
    """The first layer's gradient norm over the tenth's; biases and norms' scales left out."""
    norms = np.zeros(11)
    for gradient, layer in zip(found, layers, strict=True):
        if layer is not None:
            norms[layer] += np.sum(gradient**2)
    for layer in (0, 9):
        expect(
            norms[layer] > 0 or np.isnan(norms).any(),
            f"the weight matrix of layer {layer + 1} gets no gradient at all: is it frozen?",
        )
    return float(np.sqrt(norms[0] / norms[9]))


@checker("expected a PyTorch module or a Keras model, after training")
def check_trained(answer: Any) -> str:
    """Exercise 3.4: ten sigmoid layers of 64 units that were trained on the digits.

    The answer takes pixels as in ``actlab.data.load("digits")``, (digits, 64), and returns 10
    logits (or probabilities) for each. It is judged by the test digits.
    """
    digits = data.load("digits")

    def accuracy(pixels: Any) -> tuple[float, Array]:
        seen = watch(answer, np.asarray(pixels, np.float32), training=False)
        ten_layers(seen)
        return float((seen.output.argmax(1) == digits.y_test).mean()), seen.output

    share, said = accuracy(digits.x_test)
    expect(
        np.isfinite(said).all(),
        "its outputs are infinite or NaN: it diverged. Try a smaller learning rate.",
    )
    if share > TRAINED:
        return f"it is right about {share:.0%} of the test digits, through ten layers of sigmoids."
    expect(weights(answer), "nothing in it can learn: it must be a module or model with weights.")
    others = {
        "from 0 to 1": data.load("digits", scale="unit"),
        "from 0 to 16": data.load("digits", scale=None),
    }
    for words, other in others.items():
        elsewhere, _ = accuracy(other.x_test)
        expect(
            elsewhere <= TRAINED,
            f"it is right about {share:.0%} of the test digits, and about {elsewhere:.0%} if their "
            f'pixels go {words}. Train it on the pixels of data.load("digits") as they are: they '
            "have mean 0 and standard deviation 1.",
        )
    apart = float(said.std(0).mean())
    if share > AT_CHANCE:
        hint = "it has left chance. Give it more epochs, or another learning rate."
    elif apart > ALIKE:
        hint = (
            "that is chance, although it says different things of different digits. Does every "
            "label stand beside its own digit, or is the learning rate too large?"
        )
    else:
        hint = (
            f"that is chance: what it says differs by {apart:.0e} from digit to digit. Was it "
            "trained? If so, see with gradient_norms whether anything arrives in its first layer. "
            "If nothing does, then not more epochs but another start is called for, or another "
            "way to build it."
        )
    raise Wrong(
        f"it is right about {share:.0%} of the test digits, more than {TRAINED:.0%} are wanted: "
        f"{hint}"
    )


@checker("the answer must be three things: rule, centred, lifted", calls=False)
def check_own_rule(answer: Any) -> str:
    """Exercise 3.5: ``rule, centred, lifted``; a rule of one's own and what it was applied to.

    ``rule(centred, lifted)`` takes two arrays, a number for each seed (smaller is better), and
    returns "holds" (the lifted curve is slower), "refuted" or "not shown". It is tried on invented
    numbers of as many seeds and of the same size before it may decide.
    """
    says, centred, lifted = paired(answer, ("centred", "lifted"), FEWEST, zeros=False)
    n, middle = len(centred), float(np.median(centred))
    rng = np.random.default_rng(0)
    wobble = rng.uniform(0.9, 1.1, (2, n))
    fast, slow = middle * wobble[0], 3 * middle * wobble[1]
    expect(
        says(fast, slow) == "holds",
        f"if lifted takes three times as much with every one of {n} seeds, the rule says "
        f"{says(fast, slow)!r}. It can hardly ever say 'holds': use more seeds, or another rule.",
    )
    expect(
        says(slow, fast) == "refuted",
        f"if lifted takes a third with every one of {n} seeds, the opposite of the claim, the rule "
        f"says {says(slow, fast)!r}. A rule that cannot lose is no rule.",
    )
    one = middle * (1 + 0.1 * wobble[0])
    noise = rng.standard_normal(n)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    expect_doubt(
        [
            says(one, one + 0.2 * middle * (noise + sign * 0.3 / math.sqrt(n)))  # a t of 0.3
            for sign in (1, -1)
        ]
    )
    for sign in (1, -1):
        single = one.copy()
        single[0] *= 4.0**sign
        expect(
            says(one, single) == "not shown",
            f"if a single one of {n} seeds differs, by a factor of four, and the others are equal, "
            f"the rule says {says(one, single)!r}. One network decides it.",
        )
    ratio = float(np.exp(np.mean(np.log(lifted / centred))))
    return (
        f"the rule can win, lose and leave it open. Of your {n} seeds, in which lifted takes "
        f"{ratio:.2f} times as much, it says: {says(centred, lifted)}."
    )
