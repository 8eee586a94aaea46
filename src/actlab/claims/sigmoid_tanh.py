"""Chapter "Sigmoid and tanh": the claims on trial."""

from functools import partial

from actlab.experiments import fading, plateau, pointwise, race
from actlab.experiments.contest import BEATS
from actlab.experiments.cost import ACTIVATION_COST, EXTRA, extra
from actlab.trial import Claim, Row, Rule, above, at_most, below, exactly, in_every, within

said_of_sigmoid = partial(Claim, source="starting document, section Sigmoid")
said_of_tanh = partial(Claim, source="starting document, section TanH")

HOME = ("sigmoid", "tanh")

CLAIMS = (
    said_of_sigmoid(
        id="sigmoid-two-softmax",
        statement="The sigmoid is a softmax over two values of which the second is 0.",
        asks=pointwise.two_softmax,
        by=in_every({"largest difference": at_most(10, "machine epsilons")}),
        remarks="It is the second logit that is 0, not the second probability.",
    ),
    said_of_sigmoid(
        id="sigmoid-smooth-gradient",
        statement="The sigmoid has a smooth gradient.",
        asks=pointwise.smooth_slope,
        by=in_every({pointwise.BEND: at_most(1.001, "of the largest curvature")}, of="framework"),
    ),
    said_of_sigmoid(
        id="sigmoid-no-jumps",
        statement="It is the smooth gradient that prevents jumps in the output values.",
        asks=pointwise.jumps,
        by=in_every({"largest change": above(1000, "steps")}, of="function"),
        remarks=(
            "Were it so, every function without a smooth gradient would jump. What limits a change "
            "of the output is the size of the slope, not its smoothness."
        ),
    ),
    said_of_sigmoid(
        id="sigmoid-beyond-five",
        statement="Below −5 the sigmoid is close to 0, above 5 it is close to 1.",
        asks=pointwise.beyond_five,
        by=in_every({"distance from the limit": at_most(0.01)}),
    ),
    said_of_sigmoid(
        id="sigmoid-normalises",
        statement="Its range from 0 to 1 normalises each neuron's output and makes it clear.",
        asks=fading.used_range,
        by=Rule({fading.USED: above(50, "%", clear=40)}, partial=False, of="layer"),
        remarks="Bounded is not normalised.",
    ),
    said_of_sigmoid(
        id="sigmoid-not-zero-centred",
        statement="The outputs of the sigmoid are not centred on zero.",
        asks=pointwise.offset,
        by=Rule({"mean output's distance from 0": above(0.1)}, of="framework"),
        remarks="Whether that does harm is another claim.",
    ),
    Claim(
        id="gradient-slope-predicted",
        statement=(
            "Going back through a layer, a gradient changes by the root of units × weight variance "
            "× mean squared slope."
        ),
        source="[Schoenholz et al., 2017](https://arxiv.org/abs/1611.01232)",
        asks=fading.prediction,
        by=Rule({"error of the prediction": within(-0.02, 0.02, "decades per layer")}, of="case"),
    ),
    said_of_sigmoid(
        id="sigmoid-vanishing",
        statement="The gradient vanishes in deep networks of sigmoids.",
        asks=fading.vanishing,
        by=Rule({"gradient ratio": below(-3, "decades")}, of="start"),
    ),
    said_of_sigmoid(
        id="sigmoid-expensive",
        statement="The sigmoid is computationally expensive.",
        asks=extra(ACTIVATION_COST, of=("sigmoid",), tasks=("function", "step")),
        by=Rule({EXTRA: above(50, "%")}),
        remarks="Expensive is what takes half as long again as ReLU.",
    ),
    said_of_tanh(
        id="tanh-s-shaped",
        statement="Tanh is an S-shaped, continuous, differentiable function.",
        asks=pointwise.s_shape,
        by=in_every(
            {
                "number of turning points": exactly(1),
                "turning point's distance from 0": at_most(0.01),
                "deepest fall": at_most(0),
                "steepest slope": at_most(1.001),
                pointwise.BEND: at_most(1.002, "of the largest curvature"),
            },
            of="framework",
        ),
    ),
    said_of_tanh(
        id="tanh-is-sigmoid",
        statement="Tanh is like the sigmoid, but centred on zero: tanh x = 2σ(2x) − 1.",
        asks=pointwise.tanh_is_sigmoid,
        by=in_every({"largest difference": at_most(10, "machine epsilons")}),
        remarks=(
            "Do not compute it so: for inputs near zero the difference of two float32 numbers "
            "loses the value."
        ),
    ),
    said_of_tanh(
        id="tanh-scales-labels",
        statement="Tanh scales the labels to the range from −1 to 1.",
        asks=pointwise.labels,
        by=Rule({"squared error": below(0.5)}, partial=False, of="case"),
        remarks="It is the outputs that end at ±1. Scaling the labels is up to you.",
    ),
    said_of_tanh(
        id="tanh-centred-layers",
        statement="With tanh each layer's output is centred on 0 at the beginning of training.",
        asks=fading.centred_layers,
        by=in_every({"mean output": within(-0.1, 0.1)}, of="layer"),
        remarks="That is the average of a layer; single units may lie far off.",
    ),
    Claim(
        id="sigmoid-stuck-at-chance",
        statement=(
            "On Fashion-MNIST a network of four sigmoid layers does not get beyond chance, because "
            "its gradients are too small."
        ),
        source=(
            "[UvA deep-learning tutorial 3](https://uvadlc-notebooks.readthedocs.io/en/latest/"
            "tutorial_notebooks/tutorial3/Activation_Functions.html)"
        ),
        asks=plateau.beyond_chance,
        by=Rule({"share of networks beyond chance": below(50, "%")}, of="run"),
        remarks=(
            "The tutorial's own JAX edition, whose network is right more than three times in four, "
            "says that it waits at chance at first and then learns."
        ),
    ),
    Claim(
        id="gradient-stays-vanished",
        statement="A gradient that has vanished before training stays vanished during training.",
        source="[Glorot & Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html), asked on",
        asks=fading.stays_vanished,
        by=Rule({"gradient ratio after training": below(-3, "decades")}, of="case"),
    ),
    Claim(
        id="sigmoid-deep-does-not-train",
        statement="Never use sigmoids in hidden layers: a deep network of them does not train.",
        source="common advice; starting document, section Sigmoid (vanishing gradient)",
        asks=plateau.TRAINS,
        by=Rule({"test accuracy": below(50, "%")}, of="way"),
        remarks=(
            "After 300 epochs all were stopped; four in five of those with Adam and nearly half of "
            "those with batch norm were still getting better."
        ),
    ),
    Claim(
        id="sigmoid-beats-deep-relu",
        statement=(
            "Well initialised (orthogonal) sigmoidal networks train better than deep ReLU networks."
        ),
        source="[Pennington et al., 2017](https://arxiv.org/abs/1711.04735)",
        asks=plateau.AHEAD_OF_RELU,
        by=BEATS,
        remarks="Asked of the thirty layers.",
    ),
    said_of_tanh(
        id="tanh-centring-speeds-up",
        statement="Being centred on zero speeds up convergence.",
        asks=race.lifting,
        by=Rule({"ratio of steps": above(1)}, together=True, of="comparison", null=1.0),
        remarks=(
            "Neither σ(x) nor its twin reaches 40 % on MNIST-1D in time: their ratio of 1 says "
            "nothing."
        ),
    ),
)

CHEAT = (
    Row(
        activation="sigmoid",
        use="Outputs that are probabilities; hidden layers only with a start or norm made for it.",
        start="Orthogonal × 4, summing to zero for every unit; or any, with batch norm",
        trap="From either framework's own start a deep stack stays at chance for long.",
        evidence=("sigmoid-vanishing", "sigmoid-deep-does-not-train", "sigmoid-stuck-at-chance"),
    ),
    Row(
        activation="tanh",
        use="Where outputs shall be bounded: of the two curves the one that is centred.",
        start="Glorot's, or orthogonal weights",
        trap="PyTorch's own start has a third of the variance: in deep stacks gradients fade.",
        evidence=("tanh-centred-layers", "tanh-centring-speeds-up", "gradient-slope-predicted"),
    ),
)
