"""Chapter "Gates: one map decides what the other may say": the sentences on trial."""

from actlab.experiments import gates
from actlab.experiments.gates import leads
from actlab.trial import Claim, Row, Rule, above, within

DAUPHIN = "[Dauphin and colleagues, 2016](https://arxiv.org/abs/1612.08083)"
SHAZEER = "[Shazeer, 2020](https://arxiv.org/abs/2002.05202)"

LONGER = (
    "Run a third time on 30 November 2026, each network until its own plateau, when it was known "
    "that 8,000 steps, at whose end more than a fifth of the networks were still improving, had "
    "shown nothing."
)
MORE = (
    "Twenty networks of each arm could not have said that gates are alike; when that was seen, "
    "twenty more were added, and this claim alone looks at them."
)

HOME = ("glu",)

AHEAD = Rule({gates.LEAD: above(0, "nats")}, together=True, of="network")

CLAIMS = (
    Claim(
        id="gates-beat-plain",
        statement="GEGLU and SwiGLU predict better than ReLU and GELU with as many weights.",
        source=SHAZEER,
        asks=leads({name: (name, "ReLU", "GELU") for name in ("GEGLU", "SwiGLU")}),
        by=AHEAD,
        remarks=LONGER,
    ),
    Claim(
        id="gates-any-helps",
        statement="Any gate helps: GLU, GEGLU, SwiGLU, ReGLU and the bilinear block all beat ReLU.",
        source=SHAZEER,
        asks=leads({name: (name, "ReLU") for name in gates.GATED}),
        by=AHEAD,
        remarks="Written on 30 November 2026, when the two runs before had shown nothing of four "
        "of the five.",
    ),
    Claim(
        id="gates-bilinear-enough",
        statement="The product alone does it: a bilinear block, without any curve, beats ReLU's.",
        source=SHAZEER,
        asks=leads({"bilinear": ("bilinear", "ReLU")}),
        by=AHEAD,
        remarks=LONGER,
    ),
    Claim(
        id="gates-curve-hardly-matters",
        statement="Which curve sits in the gate hardly matters.",
        source=f"{SHAZEER}, where all gates lie within 0.04 of each other",
        asks=gates.same,
        by=Rule({gates.APART: within(-0.04, 0.04, "nats")}, together=True, of="network"),
        remarks=f"{LONGER} {MORE} The paper counts per piece of a word, here it is per letter: the "
        "same 0.04 is a wider zone.",
    ),
    Claim(
        id="gates-faster",
        statement="A gate makes training faster.",
        source=DAUPHIN,
        asks=gates.race,
        by=Rule({gates.FASTER: above(0, "%")}, together=True),
        remarks="Asked anew on 30 November 2026: before, rates were chosen for the loss, GLU's was "
        "twice ReLU's, and one look in 200 steps was coarse. At equal rates, tried on other "
        "splits, GLU had saved nothing.",
    ),
)

CHEAT = (
    Row(
        activation="glu",
        use="A transformer's feed-forward block. Papers show a lead; our small ones none.",
        start="As the plain block; two thirds of its hidden width cost as many weights.",
        trap="The gate is the second half in nn.GLU and keras.activations.glu.",
        evidence=("gates-any-helps", "gates-beat-plain", "gates-faster"),
    ),
)
