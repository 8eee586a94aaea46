"""Chapter "Start here: why non-linear at all": the sentences on trial."""

from functools import partial

from actlab.experiments import choice, linear, pointwise
from actlab.trial import Claim, Row, Rule, above, at_most, below, exactly, in_every, within

said = partial(Claim, source="starting document, introduction")
in_circulation = partial(Claim, source="in circulation, next to the document's three kinds")

HOME = ("linear", "binary_step")

CLAIMS = (
    said(
        id="why-output-range",
        statement="An activation brings each unit's output into the range 0 to 1 or −1 to 1.",
        asks=pointwise.outside,
        by=in_every({"share of outputs outside −1 to 1": exactly(0, "%")}, of="function"),
    ),
    said(
        id="why-on-or-off",
        statement="The activation decides whether a unit is activated or not.",
        asks=pointwise.silent,
        by=in_every({"share of inputs without any output": above(1, "%")}, of="function"),
    ),
    said(
        id="why-third-kind",
        statement="Step functions are a kind of their own beside the non-linear ones.",
        asks=linear.step_bends,
        by=Rule({linear.GAP: exactly(0), linear.CORNERS: at_most(3)}, partial=False, of="function"),
    ),
    in_circulation(
        id="why-linear-collapses",
        statement="A deep network of linear layers computes nothing that one matrix does not.",
        asks=linear.collapse,
        by=in_every({linear.DEVIATION: at_most(1, "of what rounding allows")}, of="number format"),
    ),
    in_circulation(
        id="why-linear-xor",
        statement="No linear network, however deep, can compute XOR.",
        asks=linear.xor,
        by=Rule({"number of corners right": at_most(3)}, of="network"),
    ),
    in_circulation(
        id="why-linear-no-backprop",
        statement=(
            "With linear activations backpropagation is impossible, because their derivative is "
            "constant."
        ),
        asks=linear.TRAINS,
        by=Rule({"test accuracy": below(20, "%", clear=30)}, partial=False, null=10),
    ),
    in_circulation(
        id="why-linear-depth",
        statement="Hidden layers without an activation change nothing, in training either.",
        asks=linear.depth,
        by=Rule(
            {linear.ACCURACY: within(-1, 1, "points"), linear.LOSS: within(-20, 25, "%")},
            of="data set",
        ),
    ),
    in_circulation(
        id="why-step-stuck",
        statement="Below a step function, gradient descent learns nothing.",
        asks=linear.stuck,
        by=Rule({"largest change of a hidden weight": exactly(0)}, partial=False),
    ),
    in_circulation(
        id="why-step-classes",
        statement="A network of step functions is of no use for more than two classes.",
        asks=linear.CLASSES,
        by=Rule({"test accuracy": below(20, "%", clear=60)}, partial=False, null=10),
    ),
    in_circulation(
        id="why-step-borrowed",
        statement="To be trained by gradients, a function must have a gradient.",
        asks=linear.borrowed,
        by=Rule({"gain from a borrowed slope": below(5, "points")}, partial=False, of="data set"),
    ),
    said(
        id="choice-crucial",
        statement="In building and training a network the choice of the activation is crucial.",
        asks=choice.crucial,
        by=Rule({choice.LEAD: above(0, "points"), choice.GAIN: above(2, "points")}, together=True),
    ),
    said(
        id="choice-experiment-pays",
        statement="Trying different activations for different problems gives better results.",
        asks=choice.experimenting,
        by=Rule({"gain of the best of seven over ReLU": above(0, "points")}, of="data set"),
    ),
    Claim(
        id="choice-order-stable",
        statement=(
            "Which of two activations is the better one does not depend on the learning rate, the "
            "initialisation and the depth."
        ),
        source="what every ranking takes for granted, the starting document's included",
        asks=choice.order,
        by=Rule({"share of pairs that turn round": at_most(10, "%", clear=40)}),
    ),
)

CHEAT = (
    Row(
        activation="linear",
        use="In the last layer (logits, regression), never between two layers.",
        start="Glorot",
        trap="Between layers it is nothing: the whole stack is one matrix.",
        evidence=("why-linear-collapses", "why-linear-no-backprop"),
    ),
)
