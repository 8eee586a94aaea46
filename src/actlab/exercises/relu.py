"""Checkers of the chapter "ReLU, and who killed it"."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlab.exercises.decision import plain
from actlab.exercises.feedback import Feedback, checker, expect
from actlab.exercises.observe import Array, compare, curve, run, watch

MOST_DEAD = 0.3  # of the units of layers 6 to 10
LEAST_SPREAD = 0.03  # of the last layer's outputs between inputs, relative to their mean
SIZES = (1e-6, 1e3)  # of the last layer's outputs (root mean square), where the inputs have 1


@checker("the answer must be a function; leave out the brackets of the call")
def check_dead_share(answer: Any) -> str:
    """Exercise 2.1: a function from activations (inputs, units) to the share of dead units."""
    dying = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.0, 0.0]])
    share = _share(answer, dying)
    for wrong, hint in (
        (
            0.75,
            "this is the share of zeros among all activations. A unit that rests on most inputs is "
            "not dead; it is dead if it is zero on every input.",
        ),
        (
            0.0,
            "no unit was found dead, but units 0 and 2 are zero on all three inputs. Inputs are "
            "the rows here and units the columns: along which axis do you ask 'all'?",
        ),
        (2, "this is the number of dead units; the share divides it by all units."),
        (50, "50 is the share in per cent; as a number it is 0.5."),
        (2 / 3, "you divide by the number of inputs; a share of the units divides by the units."),
        (1.0, "'zero on some input' is not 'zero on every input': units 1 and 3 do fire."),
    ):
        expect(not np.isclose(share, wrong), hint)
    expect(
        np.isclose(share, 0.5),
        f"expected 0.5 (2 of 4 units are zero on every input), got {share:g}.",
    )
    share = _share(answer, np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    expect(
        not np.isclose(share, 1 / 3),
        "a unit that outputs 1 for both inputs was counted dead. It does not tell them apart, but "
        "dead is what outputs 0 every time.",
    )
    expect(
        share == 0.0,
        f"every unit fires on the second input, so nothing is dead, but you found {share:g}. "
        "'Zero on some input' is not 'zero on every input'.",
    )
    expect(
        np.isclose(_share(answer, np.array([[1.0, 0.0], [-1.0, 0.0]])), 0.5),
        "a unit with outputs +1 and -1 (a leaky one, say) was counted dead: a mean or a sum of 0 "
        "does not mean that every output is 0.",
    )
    return "zero on every input, counted per unit, divided by the units."


@checker("expected an nn.Sequential or a Keras model")
def check_born_alive(answer: Any) -> str:
    """Exercise 2.2: ten hidden layers of 64 units (PyTorch or Keras), born alive.

    The answer is a module, a Keras model or a function that takes 64 inputs. What a start draws is
    chance, so the bounds lie far from both sides: see :func:`vital_signs`.
    """
    x = np.random.default_rng(0).standard_normal((2000, 64)).astype(np.float32)
    seen = watch(answer, x, training=True)
    layers = [layer.after for layer in seen.layers("relu")]
    out = float(np.sqrt(np.mean(seen.output**2)))
    expect(out != 0, "the network returns 0 for every input: all of its last layer is dead.")
    expect(
        out < SIZES[1],
        f"the signal explodes: the inputs have size 1, the outputs {out:.1e}. What does one layer "
        "multiply the mean square by, and for which variance of the weights is that 1?",
    )
    dead, spread, size, distinct = vital_signs(layers)
    expect(
        distinct > 0.5,
        "the units of a layer all compute the same, because their weights are the same, and they "
        "would learn the same: a layer of one unit. Weights have to be drawn at random.",
    )
    expect(
        len(layers) == 10,
        f"expected ten ReLU layers that cut something off, found {len(layers)}; keep the "
        "architecture, change the start.",
    )
    expect(
        all(layer.shape[1:] == (64,) for layer in layers),
        f"expected 64 units in every layer, found {[layer[0].size for layer in layers]}.",
    )
    expect(
        dead < MOST_DEAD,
        f"{dead:.0%} of the units in layers 6 to 10 are dead. Compare the spread of the signal "
        "that reaches them with the size of their biases: which of the two should go?",
    )
    expect(
        spread > LEAST_SPREAD,
        f"few units are dead, but in the last layer the outputs differ by only {spread:.1%} of "
        "their mean from input to input: the biases still drown the signal.",
    )
    expect(
        SIZES[0] < size < SIZES[1],
        f"the units live, but the inputs have size 1 and the last layer's outputs "
        f"{size:.1e}. Which variance of the weights makes up for the half that a ReLU cuts off?",
    )
    assert is_alive(dead, spread, size, distinct)
    return f"{dead:.0%} dead in layers 6 to 10, and the last layer still sees its input."


def vital_signs(layers: list[Array]) -> tuple[float, float, float, float]:
    """What a network of ten ReLU layers is judged by, from their outputs (inputs, units).

    The share of dead units in layers 6 to 10; the last layer's spread between inputs, relative to
    its mean; its size (root mean square); the share of its living units that are no copies.
    """
    if not layers:
        return 0.0, 0.0, 0.0, 1.0
    last = layers[-1].reshape(len(layers[-1]), -1)
    deep = [np.all(layer == 0, axis=0).mean() for layer in layers[5:]]
    spread = float(last.std(0).mean() / max(abs(last.mean()), 1e-30))
    living = last[:, np.any(last != 0, axis=0)].T
    alike = np.unique(np.round(living / np.abs(living).max(initial=1e-300), 5), axis=0)
    size = float(np.sqrt(np.mean(last**2)))
    return float(np.mean(deep or 0)), spread, size, len(alike) / len(living) if len(living) else 1.0


def is_alive(dead: float, spread: float, size: float, distinct: float) -> bool:
    """Whether these :func:`vital_signs` are those of a network that is born alive."""
    sized = SIZES[0] < size < SIZES[1]
    return dead < MOST_DEAD and spread > LEAST_SPREAD and sized and distinct > 0.5


@checker("the answer must be a function of x")
def check_ported_relu(answer: Any) -> str:
    """Exercise 2.3: the old call ``relu(x, alpha=0.1, max_value=6, threshold=1)`` of today.

    The answer is a function of a NumPy array, PyTorch tensor or Keras tensor.
    """
    # Not the threshold itself: there Keras's code gives 0 where its documentation says x.
    x = np.array([-2.0, -0.5, 0.0, 0.5, 0.999, 1.001, 2.0, 5.999, 6.0, 7.0, 100.0], np.float32)
    below, above = 0.1 * (x - 1), np.minimum(x, 6)
    got, _ = curve(answer, x)
    # Keras: x from the threshold on, clipped from above; alpha * (x - threshold) below it.
    compare(
        x,
        got,
        np.where(x >= 1, above, below),
        (np.maximum(x, 0), "this is the plain ReLU; all three arguments are lost."),
        (
            np.clip(x, 0, 6),
            "this is ReLU6: max_value is there, but neither the threshold nor the slope below it.",
        ),
        (got[-1] > 6, f"x = 100 must be clipped to max_value = 6, you return {got[-1]:g}."),
        (
            np.isclose(got[0], 0),
            "below the threshold there is a slope of 0.1 (the old alpha, now negative_slope); you "
            "return 0 for x = -2.",
        ),
        (
            np.isclose(got[0], -0.2),
            "for x = -2 you return 0.1 · x. Keras measures the slope from the threshold: "
            "0.1 · (x − threshold).",
        ),
        (
            np.where(x >= 1, np.minimum(x - 1, 6), below),
            "above the threshold you return x − 1; what passes it passes unchanged, as x.",
        ),
        (
            np.where(x >= 0, above, below),
            "you bend at 0, but the threshold is 1: for x = 0.5 you return 0.5.",
        ),
        atol=1e-5,
    )
    return "the same curve as the old call, at every kink."


MANY_DEAD, WELL = 0.25, 0.9  # of the hidden units; of the test images


def check_dead_but_right(answer: Any, digits: Any) -> Feedback:
    """Exercise 2.4: a trained network of which a quarter is dead, and yet right.

    The answer is a PyTorch module or a Keras model with ten outputs; ``digits`` is the data set
    (:func:`actlab.data.load`). Dead units are counted on its training images, over all ReLU
    layers together; right answers on its test images.
    """

    @checker("expected a trained nn.Module or Keras model of 64 inputs and 10 outputs")
    def judge(answer: Any) -> str:
        seen = watch(answer, digits.x_train, training=False)
        layers = [layer.after for layer in seen.layers("relu")]
        logits = watch(answer, digits.x_test, training=False).output
        expect(
            logits.shape == (len(digits.x_test), 10),
            f"expected ten outputs for every image, got the shape {logits.shape}.",
        )
        expect(
            np.isfinite(logits).all(),
            "some outputs are NaN or infinite: the training diverged. Take a smaller rate, or an "
            "optimiser that stands it.",
        )
        expect(layers, "no ReLU layer was found that ever cuts anything off.")
        dead = [np.all(layer == 0, axis=0).ravel() for layer in layers]
        share = float(np.concatenate(dead).mean())
        right = float((logits.argmax(1) == digits.y_test).mean())
        expect(
            right > 0.25,
            f"it is right on {right:.0%} of the images, no better than chance: either it was not "
            f"trained, or nothing can pass any more ({share:.0%} of its units are dead).",
        )
        expect(
            share >= MANY_DEAD,
            f"it is right on {right:.0%}, but only {share:.0%} of its hidden units are dead. Which "
            "optimiser, at how many times its best rate, kills more in the chapter's picture?",
        )
        expect(
            right >= WELL,
            f"{share:.0%} of its units are dead, and it is right on {right:.0%} only. Train it for "
            "longer, or a little more gently.",
        )
        return f"{share:.0%} of the hidden units are dead, and {right:.0%} of the digits right."

    return judge(answer)


@checker("the answer must be a function of two arrays")
def check_own_rule(answer: Any) -> str:
    """Exercise 2.5: a rule for "it is ReLU, the function, that kills": from shares to a verdict.

    The answer takes the dead shares of some networks as they were drawn and, in the same order,
    those of the same networks after a change that leaves the function alone. It returns
    ``"holds"``, ``"refuted"`` or ``"not shown"``.
    """
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.47, 0.02, 20)
    told = {
        kind: _word(answer, drawn[: len(after)], after)
        for kind, after in {
            "spared": rng.normal(0.06, 0.01, 20),
            "killed": drawn + rng.normal(0, 0.005, 20),
            "noisy": np.array([0.02, 0.47, 0.08, 0.46]),
        }.items()
    }
    expect(
        len(set(told.values())) > 1,
        f"it always says {told['spared']!r}. What would the numbers have to be for another word?",
    )
    expect(
        (told["spared"], told["killed"]) != ("holds", "refuted"),
        "it is the wrong way round: the claim is that the function kills. Where nearly all units "
        "live again although the function is the same, it is refuted.",
    )
    expect(
        told["spared"] == "refuted",
        "47 % dead as drawn, 6 % after the change, in all of twenty networks: the function is the "
        f"same and the units live. Your rule says {told['spared']!r}.",
    )
    expect(
        told["killed"] == "holds",
        "47 % dead as drawn and 47 % after the change, in all of twenty networks: the change does "
        f"not help. Your rule says {told['killed']!r}.",
    )
    expect(
        told["noisy"] == "not shown",
        "of four networks two are saved and two are not: the mean says little. Your rule says "
        f"{told['noisy']!r}. Ask also how far the networks lie apart, say with an interval.",
    )
    return "it can say all three words, and it looks at the spread before it says the first two."


def _word(answer: Any, before: Array, after: Array) -> str:
    told = run(answer, before.copy(), after.copy())
    word = plain(told)
    expect(word, f'expected "holds", "refuted" or "not shown", got {told!r}.')
    return str(word)


def _share(answer: Any, activations: Array) -> float:
    share = watch(answer, activations).output
    return float(share.item()) if share.size == 1 else np.nan
