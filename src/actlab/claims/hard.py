"""Chapter "Hard and clipped": the sentences on trial."""

from actlab.experiments import hard
from actlab.experiments.contest import BEATS, Ahead
from actlab.trial import Claim, Row, Rule, above, below, exactly, in_every

HOWARD = (
    "[Howard and colleagues, 2019](https://arxiv.org/abs/1905.02244), section 5.2: no discernible "
    "difference in accuracy"
)
SANDLER = (
    "[Sandler and colleagues, 2018](https://arxiv.org/abs/1801.04381): taken for its robustness "
    "in arithmetic of low precision"
)
MIGACZ = (
    "[Migacz, 2017](https://on-demand.gputechconf.com/gtc/2017/presentation/"
    "s7310-8-bit-inference-with-tensorrt.pdf), where the range is cut off"
)
KRISHNAMOORTHI = (
    "[Krishnamoorthi, 2018](https://arxiv.org/abs/1806.08342), of convolutional networks"
)
LITERT = (
    "[LiteRT](https://ai.google.dev/edge/litert/models/post_training_quantization): a minimal loss"
)
HUBARA = (
    "[Hubara and colleagues, 2016](https://arxiv.org/abs/1602.02830), section 1.3: it worsens "
    "significantly without"
)

HOME = ("relu6", "hard_tanh", "hard_sigmoid", "sparse_sigmoid", "hard_silu")

CLAIMS = (
    Claim(
        id="hard-corners-equal",
        statement="PyTorch and Keras give hard functions the same gradient at their corners.",
        source="who carries a network from one to the other",
        asks=hard.CORNERS,
        by=in_every({hard.APART: exactly(0)}, of="corner"),
        remarks="The gradients were known before the rule was written.",
    ),
    Claim(
        id="smooth-beats-hard",
        statement="A smooth function trains to better networks than its hard twin.",
        source=f"the fear behind every smooth one. Against it: {HOWARD}",
        asks=hard.AS_TWINS,
        by=BEATS,
        remarks="ReLU is ReLU6's twin here: the one without an end. The last pair was asked anew "
        "on 30 November 2026: behind a batch norm that begins at a scale of 1 hard sigmoid was far "
        "behind, and it was known that a scale of 3 suits it better. Now both have that.",
    ),
    Claim(
        id="hard-float16",
        statement="Inference in float16 costs less than half a point of accuracy.",
        source=LITERT,
        asks=hard.FLOAT16,
        by=Rule({hard.COST: below(0.5, "points")}, together=True),
    ),
    Claim(
        id="hard-int8",
        statement="Eight bits after training cost less than two points of accuracy.",
        source=KRISHNAMOORTHI,
        asks=hard.INT8,
        by=Rule({hard.COST: below(2, "points")}, together=True),
    ),
    Claim(
        id="relu6-low-precision",
        statement="ReLU6 is robust in few bits: its networks lose less accuracy than ReLU's.",
        source=SANDLER,
        asks=hard.ends_at_six,
        by=Rule({hard.LESS: above(0, "points")}, together=True),
    ),
    Claim(
        id="relu-cut-range",
        statement="A range that is cut off in calibration loses less than the whole one.",
        source=MIGACZ,
        asks=hard.cut_off,
        by=Rule({hard.BETTER: above(0, "points")}, together=True),
    ),
    Claim(
        id="sign-clipped-gradient",
        statement="Straight-through trains better where the gradient is cancelled beyond ±1.",
        source=HUBARA,
        asks=Ahead(hard.CONTEST, "sign, clipped", over="sign, plain"),
        by=BEATS,
    ),
)

CHEAT = (
    Row(
        activation="hard_sigmoid",
        use="Gates on small processors.",
        start="Sigmoid's. Behind batch norm it is nearly a line.",
        trap="In Keras 2 it ended at ±2.5, since Keras 3 at ±3: old networks compute otherwise.",
        evidence=("smooth-beats-hard", "hard-corners-equal"),
    ),
    Row(
        activation="hard_silu",
        use="Where SiLU is too dear.",
        start="SiLU's.",
        trap="Between −3 and −1.5 a larger input gives a smaller output.",
        evidence=("smooth-beats-hard", "hard-corners-equal"),
    ),
    Row(
        activation="relu6",
        use="As ReLU. That it is more robust in few bits was not shown.",
        start="ReLU's.",
        trap="Beyond 6 a unit learns nothing, as below 0.",
        evidence=("relu6-low-precision", "relu-cut-range", "smooth-beats-hard"),
    ),
    Row(
        activation="hard_tanh",
        use="Its slope, behind a hard sign: straight-through.",
        start="Tanh's.",
        trap="At exactly ±1 the gradient is 0 in PyTorch and 1 in Keras.",
        evidence=("sign-clipped-gradient", "hard-corners-equal"),
    ),
)
