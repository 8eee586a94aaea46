"""Chapter "Can you believe a softmax?": the sentences on trial."""

from actlab.experiments import calibration, shares, vocabulary
from actlab.trial import Claim, Row, Rule, above, below, within

DOCUMENT = "starting document, section Softmax"
GUO = "[Guo and colleagues, 2017](https://arxiv.org/abs/1706.04599)"
MARTINS = "[Martins and Astudillo, 2016](https://arxiv.org/abs/1602.02068)"
JANG = (
    "[Jang and colleagues, 2016](https://arxiv.org/abs/1611.01144); [Maddison and colleagues, "
    "2016](https://arxiv.org/abs/1611.00712)"
)
GRAVE = "[Grave and colleagues, 2016](https://arxiv.org/abs/1609.04309)"

HOME = ("sparsemax", "gumbel_softmax", "adaptive_log_softmax")

CLAIMS = (
    Claim(
        id="softmax-read-as-probability",
        statement="The output of a softmax can be read as the probability of being right.",
        source=f"{DOCUMENT}: that is why it is used",
        asks=calibration.read,
        by=Rule({calibration.GAP: within(-2, 2, "points")}),
    ),
    Claim(
        id="softmax-longer-overconfident",
        statement="Training on beyond the best validation loss makes a network overconfident.",
        source=GUO,
        asks=calibration.longer,
        by=Rule({calibration.GROWN: above(0, "points")}, of="data set"),
    ),
    Claim(
        id="softmax-temperature-calibrates",
        statement="One temperature, fitted on held-out data, calibrates a network.",
        source=GUO,
        asks=calibration.scaled,
        by=Rule({calibration.GAP: within(-2, 2, "points"), calibration.SAVED: above(0)}),
    ),
    Claim(
        id="sigmoid-clear-predictions",
        statement="Outputs between 0 and 1 make predictions clear.",
        source="starting document, section Sigmoid",
        asks=calibration.clear_answers,
        by=Rule({calibration.CLEAR: above(50, "%"), calibration.WRONG: below(10, "%")}),
    ),
    Claim(
        id="sparsemax-exact-zeros",
        statement="Sparsemax gives most classes a probability of exactly 0.",
        source=MARTINS,
        asks=shares.sparse,
        by=Rule({shares.ZEROS: above(50, "%")}),
    ),
    Claim(
        id="gumbel-draws-the-softmax",
        statement="Hard draws of Gumbel-softmax are draws from the softmax, at any temperature.",
        source=JANG,
        asks=shares.gumbel_draws,
        by=Rule({shares.DRAWN: within(-0.5, 0.5, "points")}, together=True),
    ),
    Claim(
        id="gumbel-low-temperature-noisy",
        statement="The lower its temperature, the noisier the gradient of Gumbel-softmax.",
        source=JANG,
        asks=shares.gumbel_noise,
        by=Rule({shares.NOISE: above(1)}, of="temperature", null=1),
    ),
    Claim(
        id="adaptive-faster",
        statement="The adaptive softmax is faster than the full one.",
        source=GRAVE,
        asks=vocabulary.faster,
        by=Rule({vocabulary.SPEED: above(1, "times")}, null=1),
    ),
    Claim(
        id="adaptive-less-memory",
        statement="The adaptive softmax needs less memory than the full one.",
        source=GRAVE,
        asks=vocabulary.smaller,
        by=Rule({vocabulary.SAVED: above(0, "%")}),
    ),
    Claim(
        id="adaptive-no-worse",
        statement="The adaptive softmax predicts (nearly) as well as the full one.",
        source=GRAVE,
        asks=vocabulary.worse_loss,
        by=Rule({vocabulary.WORSE: below(0.05, "nats")}),
    ),
)

CHEAT = (
    Row(
        activation="sparsemax",
        use="Shares of which most are exactly 0.",
        start="Small scores leave more classes above 0.",
        trap="Keras's own is wrong where two classes are left. No cross-entropy behind it.",
        evidence=("sparsemax-exact-zeros",),
    ),
    Row(
        activation="gumbel_softmax",
        use="Draws from a softmax that let a gradient through.",
        start="Temperature 1, then lower: nearer to one class, noisier.",
        trap="It draws in evaluation mode, too.",
        evidence=("gumbel-draws-the-softmax", "gumbel-low-temperature-noisy"),
    ),
    Row(
        activation="adaptive_log_softmax",
        use="Thousands of classes of unequal frequency, such as words.",
        start="Classes sorted, the most frequent first.",
        trap="Slower than a full softmax where classes are few.",
        evidence=("adaptive-faster", "adaptive-less-memory", "adaptive-no-worse"),
    ),
)
