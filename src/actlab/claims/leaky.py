"""Chapter "Leaky, parametric, randomised, thresholded": the sentences on trial."""

from functools import partial

from actlab.experiments import cost, decay, pointwise, sleeping, slopes
from actlab.experiments.contest import BEATS, LEAKY, Ahead
from actlab.trial import Claim, Row, Rule, above, below, exactly, in_every

said = partial(Claim, source="starting document, section Leaky ReLU")
RRELU_DOCUMENT = "starting document, section RReLU"
RANKING = "the ranking at the end of the starting document"
HE = "[He et al., 2015](https://arxiv.org/abs/1502.01852)"
XU = "[Xu et al., 2015](https://arxiv.org/abs/1505.00853)"
GAIN = above(0, "points")

HOME = ("leaky_relu", "prelu", "rrelu", "threshold", "thresholded_relu")

CLAIMS = (
    # --- What it is ---
    said(
        id="leaky-typical-slope",
        statement="The slope of a leaky ReLU is typically 0.01.",
        asks=pointwise.default_slopes,
        by=Rule({"default slope": exactly(0.01)}, of="place"),
    ),
    said(
        id="leaky-latency",
        statement="Leaky ReLU is a good option if runtime latency is a priority.",
        asks=cost.extra(cost.LEAKY_COST, ("leaky_relu",), ("batch 1", "batch 256")),
        by=Rule({cost.EXTRA: below(5, "%")}),
    ),
    Claim(
        id="rrelu-not-in-keras",
        statement="Keras has no implementation of RReLU.",
        source=RRELU_DOCUMENT,
        asks=pointwise.rrelu_in_keras,
        by=in_every({"number of RReLUs": exactly(0)}, of="module"),
        remarks="The course has a recipe.",
    ),
    # --- Dead or asleep ---
    said(
        id="leaky-never-dead",
        statement="The small slope ensures that leaky ReLUs never die.",
        asks=sleeping.never_dead,
        by=in_every({"largest share of dead units": exactly(0, "%")}),
        remarks="A leaky unit that is not dead may still be asleep: see the next claim.",
    ),
    said(
        id="leaky-cures-sleep",
        statement="Leaky ReLU solves ReLU's problem of dead units.",
        asks=sleeping.cured,
        by=Rule({"share of sleepers beyond half of ReLU's": below(0, "points")}, together=True),
    ),
    said(
        id="leaky-backprop",
        statement="The small slope enables backpropagation, even for negative input.",
        asks=sleeping.regained,
        by=Rule({"share of the accuracy regained": above(50, "%")}, together=True, of="depth"),
        remarks=(
            "A first rule asked for 5 points below the waking network; with one hidden layer that "
            "lay inside the interval, and the verdict changed with the seeds."
        ),
    ),
    # --- Better than ReLU ---
    said(
        id="leaky-beats-relu",
        statement="Leaky ReLU outperforms ReLU.",
        asks=Ahead(LEAKY, "leaky 0.01", over="ReLU"),
        by=BEATS,
    ),
    Claim(
        id="leaky-steeper-better",
        statement="A leaky ReLU with a larger slope (1/5.5) is better than one with 0.01.",
        source=XU,
        asks=Ahead(LEAKY, "leaky 0.18", over="leaky 0.01"),
        by=BEATS,
    ),
    Claim(
        id="prelu-beats-relu",
        statement="PReLU outperforms ReLU.",
        source=f"{HE}; {RANKING}",
        asks=Ahead(LEAKY, "PReLU", over="ReLU"),
        by=BEATS,
        remarks="One learned slope per layer, from 0.25.",
    ),
    Claim(
        id="rrelu-beats-relu",
        statement="RReLU outperforms ReLU.",
        source=f"{XU}; {RANKING}",
        asks=Ahead(LEAKY, "RReLU", over="ReLU"),
        by=BEATS,
        remarks="Slopes drawn from 1/8 to 1/3.",
    ),
    Claim(
        id="prelu-depends-on-problem",
        statement="A disadvantage of PReLU is that it performs differently on different problems.",
        source="starting document, section PReLU",
        asks=slopes.spread,
        by=Rule({"relative spread of the lead": above(1)}, together=True, of="rival", null=1),
    ),
    # --- Learned and drawn slopes ---
    Claim(
        id="prelu-first-layer",
        statement="PReLU learns a large slope in the first layer and smaller ones deeper down.",
        source=HE,
        asks=slopes.falling,
        by=Rule({"rank correlation of slope and layer": below(-0.3, clear=0.3)}, together=True),
        remarks="The paper saw it in a convolutional network on photographs.",
    ),
    Claim(
        id="prelu-large-data",
        statement="PReLU is worth a try when the training set is large.",
        source=RRELU_DOCUMENT,
        asks=slopes.large,
        by=Rule({slopes.LARGEST: GAIN, slopes.GROWTH: GAIN}, together=True, of="data set"),
    ),
    Claim(
        id="rrelu-overfitting",
        statement="RReLU is worth a try when the network overfits.",
        source=f"{RRELU_DOCUMENT}; {XU}",
        asks=slopes.overfitted,
        by=Rule({slopes.SMALLEST: above(0.5, "points")}, together=True, of="data set"),
    ),
    # --- Weight decay ---
    Claim(
        id="prelu-decay-to-relu",
        statement="Weight decay pushes the slopes of PReLU to zero, and so towards ReLU.",
        source=f"{HE}, and the warning in PyTorch's documentation of PReLU",
        asks=decay.change,
        by=Rule({"change of the mean slope": below(-5, "%", clear=5)}, together=True),
    ),
    Claim(
        id="prelu-decay-hurts",
        statement="For good performance weight decay must not be used on the slopes of PReLU.",
        source="PyTorch's documentation of PReLU",
        asks=decay.spared,
        by=BEATS,
    ),
    Claim(
        id="prelu-decay-scale",
        statement=(
            "Under decay learned slopes grow to make up for shrinking weights; where the size of "
            "a signal does not matter, decay makes them smaller."
        ),
        source="our explanation of what decay did to the slopes",
        asks=decay.normalised,
        by=Rule(
            {
                "change of the slopes of layers 1 to 4": below(0),
                "change of the slope of layer 5": above(0),
            },
            partial=False,
            of="data set",
        ),
    ),
)

CHEAT = (
    Row(
        activation="leaky_relu",
        use="In place of ReLU, with a steep slope (0.2 to 0.3); 0.01 is hardly another function.",
        start="He's for its slope a: variance 2/((1 + a²) n), biases 0",
        trap="One name, three default slopes. Name the slope.",
        evidence=("leaky-beats-relu", "leaky-steeper-better", "leaky-typical-slope"),
    ),
    Row(
        activation="prelu",
        use="Where nothing says which slope; a fixed one of its size does as well.",
        start="He's for its first slope; slopes from 0.25, one a channel",
        trap="Keras learns one slope for every pixel. Decay of the weights makes slopes grow.",
        evidence=("prelu-beats-relu", "prelu-large-data", "prelu-decay-to-relu"),
    ),
    Row(
        activation="rrelu",
        use="Hardly: against overfitting it does no more than a fixed slope.",
        start="He's for its mean square slope",
        trap="In training mode every call gives another answer.",
        evidence=("rrelu-beats-relu", "rrelu-overfitting"),
    ),
)
