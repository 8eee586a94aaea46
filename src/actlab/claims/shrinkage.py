"""Chapter "Shrinkage": the sentences on trial."""

from actlab.experiments import shrinkage
from actlab.experiments.contest import BEATS
from actlab.trial import Claim, Row, Rule, above, at_most, below

DONOHO_1994 = "[Donoho and Johnstone, 1994](https://doi.org/10.1093/biomet/81.3.425)"
DAUBECHIES = "[Daubechies, Defrise and De Mol, 2004](https://doi.org/10.1002/cpa.20042)"
GREGOR = "[Gregor and LeCun, 2010](https://icml.cc/Conferences/2010/papers/449.pdf)"
SKIMAGE = (
    "[scikit-image](https://scikit-image.org/docs/stable/api/skimage.restoration.html), of "
    "denoise_wavelet's soft mode"
)
SCHOENHOLZ = "[Schoenholz and colleagues, 2017](https://arxiv.org/abs/1611.01232)"

HOME = ("soft_shrink", "hard_shrink", "tanh_shrink")

CLAIMS = (
    Claim(
        id="shrink-cheapest-answer",
        statement="Soft shrink is the proximal operator of the absolute value, hard shrink that of "
        "the count.",
        source=f"{DAUBECHIES} for the absolute value; both functions are from {DONOHO_1994}",
        asks=shrinkage.cheapest,
        by=Rule({shrinkage.DEARER: at_most(1e-6)}, of="case"),
        remarks="It follows on paper; here every answer is tried.",
    ),
    Claim(
        id="lista-ten-times",
        statement="A few trained layers of soft shrink save nine of ten steps to a sparse code.",
        source=f"{GREGOR}: ten times less computation for the same error",
        asks=shrinkage.saves,
        by=Rule({shrinkage.SAVED: above(90, "%")}, together=True),
        remarks="Tried out on a split that is not counted. The paper compares with coordinate "
        "descent and with FISTA.",
    ),
    Claim(
        id="lista-threshold",
        statement="The threshold that LISTA learns is near ISTA's, the price over the step.",
        source=f"{GREGOR}: a layer is a step of ISTA with everything in it learned",
        asks=shrinkage.thresholds,
        by=Rule({shrinkage.APART: at_most(0.3, "powers of ten")}, together=True),
        remarks="Near is within a factor of two. Tried out on a split that is not counted.",
    ),
    Claim(
        id="soft-denoises-best",
        statement="Against added noise the soft threshold comes nearer to the image than the hard.",
        source=SKIMAGE,
        asks=shrinkage.soft_or_hard,
        by=Rule({shrinkage.SOFTER: above(0, "%")}, together=True),
    ),
    Claim(
        id="universal-threshold",
        statement="The universal threshold σ √(2 log n) needs no tuning.",
        source=f"{DONOHO_1994}: near the best possible in the worst case",
        asks=shrinkage.universal_serves,
        by=Rule({shrinkage.UNIVERSAL: below(10, "%")}, together=True),
        remarks="No tuning is needed where it would save less than a tenth of the squared error.",
    ),
    Claim(
        id="shrink-keeps-size",
        statement="With weights of the right size thirty layers keep a signal's size.",
        source=f"{SCHOENHOLZ}, of tanh: at the critical start signals go on for ever",
        asks=shrinkage.keeps,
        by=Rule({shrinkage.KEPT: above(90, "%")}, together=True, of="function"),
        remarks="ReLU's and tanh's own are noted beside. Asked anew on 30 November 2026: with "
        "theory's size alone none passed, and it was known that a few per cent more carry hard "
        "shrink through, and the others not.",
    ),
    Claim(
        id="relu-beats-shrink",
        statement="In hidden layers ReLU trains to better networks than a shrinkage function.",
        source="[PyTorch](https://docs.pytorch.org/docs/stable/nn.html) lists them among the "
        "activations, and nearly nobody takes them for it",
        asks=shrinkage.over("ReLU"),
        by=BEATS,
    ),
    Claim(
        id="tanh-beats-shrink",
        statement="In hidden layers tanh trains to better networks than a shrinkage function.",
        source="the usual choice among odd functions, as these are",
        asks=shrinkage.over("tanh"),
        by=BEATS,
    ),
)

CHEAT = (
    Row(
        activation="soft_shrink",
        use="A step towards a sparse code; against noise, better than hard shrink.",
        start="As a step of ISTA: W = Dᵀ/L, S = I − D Dᵀ/L, the threshold λ/L.",
        trap="PyTorch's threshold is a plain number: to learn it, write two ReLUs.",
        evidence=("shrink-cheapest-answer", "lista-ten-times", "soft-denoises-best"),
    ),
    Row(
        activation="hard_shrink",
        use="What is large must stay exactly as it is.",
        start="A threshold chosen on validation data; under strong noise the universal one serves.",
        trap="A threshold t is a fee of t²/2, and no gradient reaches it.",
        evidence=("shrink-cheapest-answer", "universal-threshold"),
    ),
    Row(
        activation="tanh_shrink",
        use="A soft shrink of threshold 1 without corners; in a few layers on noisy signals.",
        start="Three layers: weights of variance 2.8/n. Thirty: there is none.",
        trap="Its slope at 0 is 0, and what is small is lost in a few layers.",
        evidence=("shrink-keeps-size", "relu-beats-shrink"),
    ),
)
