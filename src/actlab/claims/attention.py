"""Chapter "Attention: a softmax in the middle": the sentences on trial."""

from actlab.experiments import attention
from actlab.trial import Claim, Row, Rule, above, below, exactly

DOCUMENT = "starting document, the additional functions of PyTorch"
VASWANI = "[Vaswani and colleagues, 2017](https://arxiv.org/abs/1706.03762)"
INVERSE = "[LLMs-from-scratch #1061](https://github.com/rasbt/LLMs-from-scratch/issues/1061)"
BLANK = "[pytorch #103963](https://github.com/pytorch/pytorch/issues/103963)"

HOME = (
    "scaled_dot_product_attention",
    "additive_attention",
    "multi_head_attention",
    "grouped_query_attention",
)

CLAIMS = (
    Claim(
        id="attention-is-activation",
        statement="Attention is an activation function, so it treats each place by itself.",
        source=f"{DOCUMENT}, among which MultiheadAttention stands",
        asks=attention.apart,
        by=Rule({attention.ELSEWHERE: exactly(0, "%")}, of="layer"),
    ),
    Claim(
        id="attention-scale",
        statement="Without the division by √d the softmax saturates: hardly a slope is left.",
        source=VASWANI,
        asks=attention.scale,
        by=Rule({attention.LEFT: below(10, "%")}, together=True, of="size", null=100),
    ),
    Claim(
        id="attention-frameworks-equal",
        statement="With the same weights both frameworks' multi-head attentions are the same.",
        source="what every port relies on",
        asks=attention.same,
        by=Rule({attention.GAP: below(1e-6)}, of="mask"),
    ),
    Claim(
        id="attention-mask-polarity",
        statement="In a boolean mask True means: look here.",
        source=f"{INVERSE}: who took one for the other",
        asks=attention.polarity,
        by=Rule({attention.MARKED: above(99.9, "%")}, of="call"),
    ),
    Claim(
        id="attention-blank-row",
        statement="A query that may look at nothing gives NaN.",
        source=BLANK,
        asks=attention.empty,
        by=Rule({attention.BLANK: exactly(100, "%")}, of="call"),
    ),
)

CHEAT = (
    Row(
        activation="multi_head_attention",
        use="Where a place needs what stands at others: sequences, sets, patches.",
        start="Glorot's; in Keras key_dim is the size of one head: features over heads.",
        trap="True in a mask means drop in nn.MultiheadAttention, and keep for all others here.",
        evidence=("attention-mask-polarity", "attention-blank-row", "attention-is-activation"),
    ),
    Row(
        activation="scaled_dot_product_attention",
        use="The middle of it, when the projections are your own.",
        start="Queries and keys of size 1; it divides by √d.",
        trap="keras.layers.Attention does not divide by √d.",
        evidence=("attention-scale",),
    ),
)
