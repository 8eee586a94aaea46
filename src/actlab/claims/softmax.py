"""Chapter "Softmax, and its silent mistakes": the sentences on trial."""

from actlab.experiments import shares, twice
from actlab.trial import Claim, Row, Rule, above, at_least, at_most, exactly

DOCUMENT = "starting document, section Softmax"

HOME = ("softmax", "log_softmax", "softmin", "softmax2d")

CLAIMS = (
    Claim(
        id="softmax-makes-probabilities",
        statement="Softmax turns any real vector into probabilities that sum to 1.",
        source=DOCUMENT,
        asks=shares.any_vector,
        by=Rule({shares.APART: at_most(4), shares.LOWEST: at_least(0)}),
    ),
    Claim(
        id="softmax-open-interval",
        statement="The outputs of softmax lie in (0, 1), ends excluded.",
        source=DOCUMENT,
        asks=shares.open_interval,
        by=Rule({shares.ENDS: exactly(0, "%")}),
    ),
    Claim(
        id="softmax-twice-harms",
        statement="A softmax before a loss that has its own makes a network worse.",
        source="PyTorch's and Keras's forums, again and again",
        asks=twice.harm,
        by=Rule({twice.LOST: above(2, "points", clear=2)}),
    ),
    Claim(
        id="softmax-log-twice-harmless",
        statement="A log-softmax before a loss that has its own changes nothing.",
        source="the same forums, more rarely",
        asks=shares.log_twice,
        by=Rule({shares.MOVED: at_most(1e-4)}, of="framework"),
    ),
    Claim(
        id="softmax-overflows",
        statement="Softmax overflows when its inputs are large.",
        source="every text that shows its formula in code",
        asks=shares.overflow,
        by=Rule({shares.LOST: above(0, "%")}),
    ),
    Claim(
        id="softmax-log-of",
        statement="log(softmax(x)) is log_softmax(x).",
        source="the formula; "
        "[pytorch #1835](https://github.com/pytorch/pytorch/issues/1835) found that it is not",
        asks=shares.log_of_softmax,
        by=Rule({shares.OFF: exactly(0, "%")}),
    ),
    Claim(
        id="softmax-from-logits",
        statement="In Keras the softmax may as well be in the model (from_logits=False).",
        source="most Keras tutorials, which end in Dense(10, activation='softmax')",
        asks=shares.from_logits,
        by=Rule({shares.OFF: exactly(0, "%")}, of="call path"),
        remarks=(
            "The last two paths were added on 29 November 2026, when it was known that the first "
            "three agree."
        ),
    ),
)

CHEAT = (
    Row(
        activation="softmax",
        use="Shares of one whole. Give losses the scores, not the shares.",
        start="No weights of its own. Small first scores: the first loss is log(classes).",
        trap="A wrong axis, a second softmax, a single unit: no error, and the loss falls.",
        evidence=("softmax-twice-harms", "softmax-open-interval", "softmax-from-logits"),
    ),
    Row(
        activation="log_softmax",
        use="The logarithm of shares: losses, products of small probabilities.",
        start="As for softmax. cross_entropy and from_logits have it inside.",
        trap="log(softmax(x)) is −∞ where a share is rounded to 0, and its gradient NaN.",
        evidence=("softmax-log-of", "softmax-log-twice-harmless"),
    ),
)
