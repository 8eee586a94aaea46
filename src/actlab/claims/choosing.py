"""Chapter "Choosing": the most copied sentence about activations, on trial."""

from actlab.experiments import standing
from actlab.experiments.standing import BEATS, HELPFUL, PROBABLE, SHRINKS, pair
from actlab.trial import Claim

RANKING = "starting document, last section; a rule of thumb of A. Géron's Hands-On Machine Learning"
KIN = "Its kin: slopes 0.01 and 0.3, learned (PReLU) and drawn (RReLU), their mean."

CLAIMS = (
    Claim(
        id="ranking-whole",
        statement="SELU > ELU > Leaky ReLU (RReLU, PReLU) > ReLU > tanh > sigmoid.",
        source=RANKING,
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
    Claim(
        id="ranking-selu-elu",
        statement="SELU is better than ELU.",
        source=RANKING,
        asks=pair("SELU", "ELU"),
        by=BEATS,
    ),
    Claim(
        id="ranking-elu-leaky",
        statement="ELU is better than Leaky ReLU and its kin.",
        source=RANKING,
        asks=pair("ELU", standing.TIER),
        by=BEATS,
        remarks=KIN,
    ),
    Claim(
        id="ranking-leaky-relu",
        statement="Leaky ReLU and its kin are better than ReLU.",
        source=RANKING,
        asks=pair(standing.TIER, "ReLU"),
        by=BEATS,
        remarks=KIN,
    ),
    Claim(
        id="ranking-relu-tanh",
        statement="ReLU is better than tanh.",
        source=RANKING,
        asks=pair("ReLU", "tanh"),
        by=BEATS,
    ),
    Claim(
        id="ranking-tanh-sigmoid",
        statement="Tanh is better than the sigmoid.",
        source=RANKING,
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
