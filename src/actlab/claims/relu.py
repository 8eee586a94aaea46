"""Chapter "ReLU, and who killed it": the sentences on trial."""

from functools import partial

from actlab.experiments import cost, dying, pointwise
from actlab.trial import Claim, Row, Rule, above, below, exactly, in_every, within

DOCUMENT = "starting document, section ReLU"
TUTORIAL = (
    "[UvA deep-learning tutorial 3](https://uvadlc-notebooks.readthedocs.io/en/latest/"
    "tutorial_notebooks/tutorial3/Activation_Functions.html)"
)
_OTHERS = tuple(n for n in cost.ACTIVATION_COST.settings["activations"] if n != "relu")

HOME = ("relu",)

said = partial(Claim, source=DOCUMENT)

CLAIMS = (
    said(
        id="relu-gradient-zero-negative",
        statement="The gradient of ReLU is 0 for negative input.",
        asks=pointwise.relu_slopes,
        by=in_every({"largest gradient": exactly(0)}, of="framework"),
    ),
    said(
        id="relu-output-positive",
        statement="As an output layer, ReLU always gives a positive value.",
        asks=pointwise.relu_outputs,
        by=in_every({"share of outputs at or below 0": exactly(0, "%")}, of="framework"),
    ),
    said(
        id="relu-approach-zero",
        statement="As the input approaches 0, the gradient of ReLU becomes 0.",
        asks=pointwise.relu_near_zero,
        by=Rule({"smallest gradient above 0": below(1)}, partial=False, of="framework", null=1),
    ),
    Claim(
        id="relu-half-born-dead",
        statement=(
            "In a ten-layer ReLU network about half of the deep units are dead before training."
        ),
        source=TUTORIAL,
        asks=dying.born,
        by=Rule({"share of deep units that are born dead": within(40, 60, "%")}, of="start"),
    ),
    Claim(
        id="relu-kills-itself",
        statement="It is ReLU, the function, that kills those units.",
        source=f"what the advice to take another function takes for granted; {TUTORIAL}",
        asks=dying.spared,
        by=Rule({dying.SPARED: below(50, "%")}, together=True, of="start"),
    ),
    Claim(
        id="relu-swish-rescues",
        statement="For very deep networks Swish is the cure, because it leaves no unit dead.",
        source=TUTORIAL,
        asks=dying.swish,
        by=Rule({"gain in relative spread": above(1, "powers of ten", clear=0.7)}, partial=False),
        remarks="0.3 powers of ten are a factor of 2.",
    ),
    said(
        id="relu-dead-stops-learning",
        statement="With dead ReLUs the network can no longer backpropagate or learn.",
        asks=dying.half_dead,
        by=Rule({"loss of test accuracy": above(20, "points", clear=15)}, partial=False),
    ),
    said(
        id="relu-some-die",
        statement="Some ReLUs die during training and from then on only output 0.",
        asks=dying.died,
        by=Rule({"share of networks that lose units": above(50, "%")}, together=True),
    ),
    Claim(
        id="relu-half-die-large-lr",
        statement="With a large learning rate half of the ReLUs may die.",
        source=(
            f"{DOCUMENT}; 'as much as 40%' in [CS231n](https://cs231n.github.io/neural-networks-1/)"
        ),
        asks=dying.dead_at_largest,
        by=Rule({"share of dead units": above(50, "%")}, together=True),
    ),
    said(
        id="relu-revive",
        statement="Dead ReLUs may come back to life during training.",
        asks=dying.revived,
        by=Rule({dying.REVIVED: above(50, "%")}, together=True),
    ),
    Claim(
        id="relu-dead-hurts",
        statement="A network with more dead units is a worse network.",
        source="what every dead-ReLU warning takes for granted",
        asks=dying.dead_and_accuracy,
        by=Rule({dying.RANKS: below(0)}, together=True, of="comparison"),
    ),
    said(
        id="relu-fastest",
        statement="ReLU is the best choice when speed matters.",
        asks=cost.extra(cost.ACTIVATION_COST, _OTHERS, tasks=("step",)),
        by=Rule({cost.EXTRA: above(5, "%")}, of="framework"),
    ),
)

CHEAT = (
    Row(
        activation="relu",
        use="The baseline of every hidden layer.",
        start="He: weights of variance 2/n, biases 0",
        trap="PyTorch's own start: in deep plain stacks half of the units are born dead.",
        evidence=("relu-half-born-dead", "relu-kills-itself"),
    ),
)
