"""Chapter "ELU and CELU": the claims on trial."""

from functools import partial

from actlab.experiments import cost, fading, fisher, race, sleeping
from actlab.trial import Claim, Row, Rule, above, at_most, below, in_every

said = partial(Claim, source="starting document, section ELU")

HOME = ("elu", "celu")

CLAIMS = (
    said(
        id="elu-saturates",
        statement="As its input falls, ELU levels off at a negative value, −α.",
        asks=sleeping.levels_off,
        by=in_every({"distance from −α": at_most(1, "millionths of α")}),
    ),
    said(
        id="elu-costs-more",
        statement="ELU is slower to compute than ReLU and its kin, because of the exponential.",
        asks=cost.extra(cost.ACTIVATION_COST, of=("elu",), tasks=("function", "step")),
        by=Rule({cost.EXTRA: above(0, "%")}, together=True),
        remarks="Of its kin ReLU alone; whether the exponential is the reason was not asked.",
    ),
    said(
        id="elu-vanishing",
        statement="ELU weakens the vanishing of gradients.",
        asks=fading.elu_saves,
        by=Rule({"loss that ELU saves": above(0, "powers of ten")}, together=True, of="start"),
    ),
    said(
        id="elu-faster",
        statement="An ELU network converges in fewer epochs than a ReLU network.",
        asks=race.faster,
        by=Rule({"share of steps saved": above(0, "%")}, together=True),
    ),
    said(
        id="elu-no-dead",
        statement="ELU leaves no unit dead.",
        asks=sleeping.asleep,
        by=Rule({sleeping.LOST: below(20, "%")}, together=True, of="learning rate"),
    ),
    said(
        id="elu-natural-gradient",
        statement="ELU brings the gradient closer to the natural gradient than ReLU does.",
        asks=fisher.ELU_OVER_RELU,
        by=fisher.CLOSER,
    ),
    said(
        id="elu-mean-zero",
        statement="Mean activations closer to 0 bring the gradient closer to the natural gradient.",
        asks=fisher.CENTRED,
        by=fisher.CLOSER,
    ),
)

CHEAT = (
    Row(
        activation="elu",
        use="Hidden layers of a plain deep stack that is to learn in fewer epochs than with ReLU.",
        start="He: weights of variance 2/n, biases 0",
        trap="By hand with where(), its gradient becomes NaN; at too large a rate its units sleep.",
        evidence=("elu-faster", "elu-no-dead", "elu-costs-more"),
    ),
)
