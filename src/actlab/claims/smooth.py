"""Chapter "Softplus and its smooth relatives": the sentences on trial."""

from actlab.experiments import counts, self_gated, smooth
from actlab.experiments.contest import BEATS, Ahead
from actlab.trial import Claim, Row, Rule, above, at_most, below, exactly

DUGAS = (
    "[Dugas and colleagues, 2000](https://proceedings.neurips.cc/paper/2000/hash/"
    "44968aece94f667e4095002d140b5896-Abstract.html)"
)
GLOROT_2010 = (
    "[Glorot and Bengio, 2010](https://proceedings.mlr.press/v9/glorot10a.html), sections 3 and 4"
)
GLOROT_2011 = "[Glorot, Bordes and Bengio, 2011](https://proceedings.mlr.press/v15/glorot11a.html)"
HE = "[He and colleagues, 2015](https://arxiv.org/abs/1502.01852), for rectifiers"
NELDER = "[Nelder and Wedderburn, 1972](https://doi.org/10.2307/2344614)"

HOME = ("softplus", "squareplus", "sparse_plus", "softsign", "log_sigmoid", "exponential")

CLAIMS = (
    Claim(
        id="softplus-near-relu",
        statement="Softplus is a smooth ReLU: near 0 below zero, near z above.",
        source=f"starting document, section Softplus; the function is from {DUGAS}",
        asks=smooth.near,
        by=Rule({smooth.GAP: at_most(0.1)}, of="place"),
        remarks="Near is a tenth of the spread of a standardised input.",
    ),
    Claim(
        id="softplus-on-paper",
        statement="log(1 + exp x) and log(sigmoid x) may be computed as they stand on paper.",
        source="everybody's first version",
        asks=smooth.ON_PAPER,
        by=Rule({smooth.WRONG: exactly(0, "%")}, of="case"),
        remarks="The functions had been tried out before the rule was written.",
    ),
    Claim(
        id="softplus-own-safe",
        statement="The frameworks' own softplus and log-sigmoid are safe, value and gradient.",
        source="[PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html)",
        asks=smooth.OWN,
        by=Rule({smooth.WRONG: exactly(0, "%")}, of="case"),
        remarks="The functions had been tried out before the rule was written.",
    ),
    Claim(
        id="softplus-he-start",
        statement="Softplus and squareplus are started as ReLU is, with He's weights.",
        source=HE,
        asks=smooth.blurs,
        by=Rule({smooth.BLURRED: below(1, "powers of ten")}, together=True, of="function"),
        remarks="ReLU's own loss is noted beside.",
    ),
    Claim(
        id="relu-beats-softplus",
        statement="ReLU trains to better networks than softplus: hard zeros help.",
        source=GLOROT_2011,
        asks=Ahead(smooth.CONTEST, "ReLU", over="softplus"),
        by=BEATS,
    ),
    Claim(
        id="softplus-no-dead",
        statement="Softplus leaves no unit dead.",
        source="the usual reason to take them in the place of ReLU",
        asks=smooth.never_silent,
        by=Rule({self_gated.LOST: below(20, "%")}, together=True),
    ),
    Claim(
        id="softsign-saturates-less",
        statement="Softsign saturates less than tanh.",
        source=GLOROT_2010,
        asks=smooth.saturates,
        by=Rule({smooth.LESS: above(0, "points")}, together=True, of="start"),
    ),
    Claim(
        id="softsign-bad-start",
        statement="After a start that saturates, softsign trains to better networks than tanh.",
        source=f"{GLOROT_2010}: softsign is more robust to the start",
        asks=Ahead(smooth.CONTEST, "softsign, large start", over="tanh, large start"),
        by=BEATS,
    ),
    Claim(
        id="exponential-hidden",
        statement="In hidden layers ReLU trains to better networks than the exponential.",
        source="[Keras](https://keras.io/api/layers/activations/), where it is an activation",
        asks=Ahead(smooth.CONTEST, "ReLU", over="exponential"),
        by=BEATS,
    ),
    Claim(
        id="exponential-for-counts",
        statement="Who predicts counts puts an exponential at the output: it predicts them best.",
        source=f"{NELDER}: the logarithm is the natural link of the Poisson distribution",
        asks=counts.for_counts,
        by=Rule({counts.BETTER: above(0, "%")}, together=True, of="rival"),
    ),
)

CHEAT = (
    Row(
        activation="softplus",
        use="Outputs that must be positive.",
        start="Few layers: ReLU's, variance 2/n. Many: with β = 10.",
        trap="log(1 + exp x) as on paper: NaN gradients from 89 on, in float16 from 11.5 on.",
        evidence=("softplus-near-relu", "softplus-on-paper", "softplus-he-start"),
    ),
    Row(
        activation="exponential",
        use="The rate of a count, at the output: weights become factors.",
        start="The last bias at the logarithm of the mean count.",
        trap="PoissonNLLLoss() has an exponential of its own, keras.losses.Poisson() has none.",
        evidence=("exponential-for-counts", "exponential-hidden"),
    ),
)
