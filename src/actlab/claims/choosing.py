"""Chapter "Choosing": the most copied sentence about activations, on trial."""

from functools import partial

from actlab.experiments import standing
from actlab.experiments.standing import BEATS, HELPFUL, PROBABLE, SHRINKS, pair
from actlab.trial import Claim

RANKING = "starting document, last section; a rule of thumb of A. Géron's Hands-On Machine Learning"
KIN = "Its kin: slopes 0.01 and 0.3, learned (PReLU) and drawn (RReLU), their mean."

ranked = partial(Claim, source=RANKING)

CLAIMS = (
    ranked(
        id="ranking-whole",
        statement="SELU > ELU > Leaky ReLU (RReLU, PReLU) > ReLU > tanh > sigmoid.",
        asks=standing.whole_order,
        by=PROBABLE,
    ),
    Claim(
        id="ranking-helps",
        statement="The order SELU > … > sigmoid points in the right direction on every problem.",
        source=f"how the ranking is used; {RANKING}",
        asks=standing.agreement,
        by=HELPFUL,
    ),
    ranked(
        id="ranking-selu-elu",
        statement="SELU is better than ELU.",
        asks=pair("SELU", "ELU"),
        by=BEATS,
    ),
    ranked(
        id="ranking-elu-leaky",
        statement="ELU is better than Leaky ReLU and its kin.",
        asks=pair("ELU", standing.TIER),
        by=BEATS,
        remarks=KIN,
    ),
    ranked(
        id="ranking-leaky-relu",
        statement="Leaky ReLU and its kin are better than ReLU.",
        asks=pair(standing.TIER, "ReLU"),
        by=BEATS,
        remarks=KIN,
    ),
    ranked(
        id="ranking-relu-tanh",
        statement="ReLU is better than tanh.",
        asks=pair("ReLU", "tanh"),
        by=BEATS,
    ),
    ranked(
        id="ranking-tanh-sigmoid",
        statement="Tanh is better than the sigmoid.",
        asks=pair("tanh", "sigmoid"),
        by=BEATS,
    ),
    Claim(
        id="choosing-matters-less",
        statement="With normalisation or residual connections the choice matters less.",
        source="practice; Mishkin et al. (2017) saw it with batch normalisation on ImageNet",
        asks=standing.helped,
        by=SHRINKS,
    ),
)
