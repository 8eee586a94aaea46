"""Chapter "GELU, SiLU, Mish: gates of their own": the sentences on trial."""

from actlab.experiments import self_gated
from actlab.experiments.contest import BEATS, Ahead
from actlab.trial import Claim, Row, Rule, at_most, below

HENDRYCKS = "[Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)"
RAMACHANDRAN = "[Ramachandran and colleagues, 2017](https://arxiv.org/abs/1710.05941)"
MISRA = "[Misra, 2019](https://arxiv.org/abs/1908.08681)"
SO = "[So and colleagues, 2021](https://arxiv.org/abs/2109.08668)"
HAYOU = "[Hayou and colleagues, 2019](https://arxiv.org/abs/1902.06853)"
PYTORCH = "[pytorch #39853](https://github.com/pytorch/pytorch/issues/39853)"
GERON = "the table of initialisations in a popular book (Géron, 2022), chapter 11"

HOME = ("gelu", "gelu_tanh", "silu", "mish")

CLAIMS = (
    Claim(
        id="gelu-beats-relu",
        statement="GELU trains to better networks than ReLU.",
        source=HENDRYCKS,
        asks=self_gated.against_relu("GELU"),
        by=BEATS,
    ),
    Claim(
        id="swish-beats-relu",
        statement="Put Swish in the place of ReLU, and the network becomes better.",
        source=RAMACHANDRAN,
        asks=self_gated.against_relu("SiLU"),
        by=BEATS,
    ),
    Claim(
        id="mish-beats-swish",
        statement="Mish trains to better networks than Swish and ReLU.",
        source=MISRA,
        asks=self_gated.ahead({"no normalisation": ("Mish", "SiLU", "ReLU")}),
        by=BEATS,
    ),
    Claim(
        id="relu2-beats",
        statement="Squared ReLU trains to better networks than ReLU and GELU.",
        source=f"{SO}, for language models",
        asks=self_gated.ahead({"no normalisation": ("ReLU²", "ReLU", "GELU")}),
        by=BEATS,
        remarks="Its language models have a norm in every block: see the next claim.",
    ),
    Claim(
        id="relu2-normalised",
        statement="Behind a layer norm squared ReLU trains to better networks than ReLU and GELU.",
        source=SO,
        asks=Ahead(self_gated.SQUARED, "ReLU²", over=("ReLU", "GELU")),
        by=BEATS,
        remarks=(
            "Put on trial on 29 November 2026, when it was known that without normalisation "
            "squared ReLU hardly trains."
        ),
    ),
    Claim(
        id="gelu-dip",
        statement="The dip below zero, after which the curve rises again, makes a better network.",
        source=f"{RAMACHANDRAN}: the bump of Swish",
        asks=self_gated.ahead({"twins": ("GELU", "GELU, flat tail", "GELU, folded tail")}),
        by=BEATS,
        remarks="The twins have GELU's start, and GELU's curve wherever GELU rises.",
    ),
    Claim(
        id="gelu-exact-better",
        statement="The exact GELU trains to a better network than its tanh approximation.",
        source=f"{PYTORCH}: why an author of GELU would not approximate it any more",
        asks=self_gated.ahead({"no normalisation": ("GELU", "GELU by tanh")}),
        by=BEATS,
    ),
    Claim(
        id="gelu-approximation-unseen",
        statement="In numbers of 16 bits the tanh approximation cannot be told from GELU.",
        source='"a very slight difference": [tvm #14814](https://github.com/apache/tvm/pull/14814)',
        asks=self_gated.seen,
        by=Rule({self_gated.DIFFER: at_most(1, "%")}, of="format"),
    ),
    Claim(
        id="gelu-swap",
        statement="A network trained with the exact GELU may be run with the tanh approximation.",
        source="[tinygrad #16162](https://github.com/tinygrad/tinygrad/pull/16162) doubts it",
        asks=self_gated.swapped,
        by=Rule({self_gated.MOVED: below(0.5, "%")}, together=True, of="learning rate"),
    ),
    Claim(
        id="gelu-he-start",
        statement="GELU, Swish and Mish are started as ReLU is, with He's weights.",
        source=GERON,
        asks=self_gated.fades,
        by=Rule({self_gated.FADED: below(0.5, "powers of ten")}, together=True, of="function"),
        remarks=(
            "A start is meant to keep the size of the signal; ReLU's loss is noted beside. It was "
            "20 networks first (all three functions lost as much), too few for a 'holds'."
        ),
    ),
    Claim(
        id="gelu-own-start",
        statement="In a deep stack GELU trains better from a start of its own than from He's.",
        source=f"{HAYOU}: start where signals neither die nor explode",
        asks=self_gated.ahead({"16 layers": ("GELU", "GELU, He's start")}, self_gated.DEEP),
        by=BEATS,
    ),
    Claim(
        id="smooth-goes-deeper",
        statement="In deep stacks smooth functions (GELU, Swish) train better than ReLU.",
        source=HAYOU,
        asks=self_gated.ahead(
            {"GELU": ("GELU", "ReLU"), "SiLU": ("SiLU", "ReLU")}, self_gated.DEEP
        ),
        by=BEATS,
    ),
    Claim(
        id="self-gated-no-dead",
        statement="GELU and SiLU leave no unit dead.",
        source="most texts that introduce them after ReLU",
        asks=self_gated.never_silent,
        by=Rule({self_gated.LOST: below(20, "%")}, together=True),
    ),
)

CHEAT = (
    Row(
        activation="gelu",
        use="Behind a norm; where weights come with it. That it ends ahead was not shown.",
        start="Behind a norm, any. Without one, variance 2.16/n; even then it drifts.",
        trap="keras.ops.gelu approximates by default, Dense('gelu') and nn.GELU() do not.",
        evidence=("gelu-beats-relu", "gelu-he-start", "gelu-swap"),
    ),
    Row(
        activation="silu",
        use="As GELU. Without a norm it ended ahead of ReLU on one data set of two.",
        start="Behind a norm, any. Without one, variance 2.43/n; even then it drifts.",
        trap="From He's start the signal fades to less than a thousandth in thirty layers.",
        evidence=("swish-beats-relu", "gelu-he-start", "self-gated-no-dead"),
    ),
)
