"""Chapter "What does an activation cost?": the sentences on trial."""

from actlab.experiments import roofline
from actlab.trial import Claim, Row

LOOKED = "What a few activations keep was seen before the rule was written."

CLAIMS = (
    Claim(
        id="cost-exponential",
        statement="ELU is slower than ReLU because of the exponential.",
        source="starting document, section ELU",
        asks=roofline.exponential,
        by=roofline.REASON,
        remarks="The reason is what takes more than half of the extra time away with it.",
    ),
    Claim(
        id="cost-memory-bound",
        statement="An activation is bound by memory: its arithmetic is free.",
        source="said of GPUs, by [He, 2022](https://horace.io/brrr_intro.html) and many more",
        asks=roofline.bound,
        by=roofline.BOUNDED,
        remarks="Bound is what has half of a copy's speed at least. On a GPU: not measured yet.",
    ),
    Claim(
        id="cost-bfloat16",
        statement="In bfloat16 an activation takes half the time.",
        source="practice: half as many bytes to move",
        asks=roofline.half_the_bytes,
        by=roofline.HALVED,
        remarks="Half is anything up to 60 %.",
    ),
    Claim(
        id="cost-gelu-tanh",
        statement="The tanh approximation makes GELU faster, by 30 % and more.",
        source="[Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415), where speed is "
        "worth the cost of exactness",
        asks=roofline.faster("gelu_tanh", "gelu"),
        by=roofline.FASTER,
    ),
    Claim(
        id="cost-hard-silu",
        statement="Hard SiLU is faster than SiLU, by 30 % and more.",
        source="[Howard and colleagues, 2019](https://arxiv.org/abs/1905.02244), of phones",
        asks=roofline.faster("hard_silu", "silu"),
        by=roofline.FASTER,
    ),
    Claim(
        id="cost-step",
        statement="In a training step it hardly matters which activation one takes.",
        source="practice: the time is in the matrix products",
        asks=roofline.in_a_step,
        by=roofline.HARDLY,
        remarks="Hardly is less than 30 % of ReLU's step.",
    ),
    Claim(
        id="cost-memory-smooth",
        statement="Smooth activations need more memory in training than ReLU.",
        source="practice",
        asks=roofline.more_memory,
        by=roofline.MORE,
        remarks=LOOKED,
    ),
    Claim(
        id="cost-in-place",
        statement="inplace=True saves memory in training.",
        source="practice, from PyTorch's modules that offer it",
        asks=roofline.less_in_place,
        by=roofline.SPARED,
        remarks=LOOKED,
    ),
    Claim(
        id="cost-in-place-faster",
        statement="inplace=True makes an activation faster, by 30 % and more.",
        source="practice",
        asks=roofline.faster_in_place,
        by=roofline.FASTER,
        remarks="Asked when ReLU was known to take four times a copy's time on 32 MiB. The copy "
        "before it was taken off at first, which on 4 MiB saved more than there was.",
    ),
)

CHEAT = (
    Row(
        activation="gelu_tanh",
        use="Where weights were trained with it. It is no way to be fast.",
        start="GELU's.",
        trap="In Keras, op by op, a layer holds seven arrays more than with ReLU.",
        evidence=("cost-gelu-tanh", "cost-memory-smooth"),
    ),
)
