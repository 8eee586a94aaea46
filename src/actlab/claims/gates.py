"""Chapter "Gates: one map decides what the other may say": the sentences on trial."""

from actlab.experiments import gates
from actlab.experiments.gates import leads
from actlab.trial import Claim, Row, Rule, above, within

DAUPHIN = "[Dauphin and colleagues, 2016](https://arxiv.org/abs/1612.08083)"
SHAZEER = "[Shazeer, 2020](https://arxiv.org/abs/2002.05202)"

LONGER = (
    "Rerun on 29 November 2026 with larger networks, other splits and longer training, when it was "
    "known that networks of 2,022 weights, whose losses still fell after 3,000 steps, had shown "
    "nothing. All ran for 8,000 steps, and more than a fifth had their best loss at the last look: "
    "for these it is no plateau."
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
        asks=gates.SAME,
        by=Rule({gates.APART: within(-0.04, 0.04, "nats")}, together=True, of="network"),
        remarks=LONGER,
    ),
    Claim(
        id="gates-faster",
        statement="A gate makes training faster.",
        source=DAUPHIN,
        asks=gates.RACE,
        by=Rule({gates.FASTER: above(0, "%")}, together=True),
        remarks=f"{LONGER} Rates were chosen for the loss, and GLU's is twice ReLU's: at equal "
        "rates, tried since on other splits, GLU saved nothing.",
    ),
)

CHEAT = (
    Row(
        activation="glu",
        use="The feed-forward block of a transformer, where papers show a lead; our small ones "
        "none.",
        start="As the plain block; two thirds of its hidden width cost as many weights.",
        trap="The gate is the second half in nn.GLU and keras.activations.glu.",
        evidence=("gates-beat-plain", "gates-bilinear-enough", "gates-faster"),
    ),
)
