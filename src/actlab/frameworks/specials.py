"""Differences that no grid of inputs shows: the axis, the dtype, the mask, the scale.

Each is two lines of code (after :data:`actlab.frameworks.lines.PREAMBLE`), and others that take
another path to the same thing: through the function or the layer, with or without the weights of
attention, in training, compiled. What they return is measured like everything else and stored in
``differences.json``.
"""

from __future__ import annotations

from dataclasses import dataclass

from actlab.frameworks import lines


@dataclass(frozen=True)
class Special:
    """One difference in the use of a function: the sentence that states it, and its lines.

    ``torch`` and ``keras`` are the lines that differ, called as ``path`` says. ``others`` are on
    other paths; what the sentence says of those stands in their results. ``both`` marks a trap
    that the two share: it is on the page although their results are the same.
    """

    record: str
    slug: str
    category: str
    sentence: str
    torch: str
    keras: str
    path: str
    others: tuple[str, ...] = ()
    both: bool = False

    @property
    def calls(self) -> tuple[str, ...]:
        """PyTorch's line, Keras's, and those on other paths."""
        return self.torch, self.keras, *self.others

    def results(self) -> tuple[object, ...]:
        """What the lines return (lists or numbers), or the names of their errors."""
        returned = (lines.run(call) for call in self.calls)
        return tuple(r if isinstance(r, str) else r.tolist() for r in returned)


DEFAULTS = "Both called with their defaults, eagerly."
ALIKE = "Function and layer alike, eagerly or compiled by XLA."

_ALL = (
    Special(
        "softmax",
        "axis",
        "default",
        "Without an axis, Keras normalises along the last one; PyTorch guesses (with a warning): "
        "axis 0 for tensors of 1 or 3 dimensions, otherwise axis 1. On a batch of sequences it "
        "normalises over the batch. Softmin and log-softmax guess alike.",
        "torch.nn.Softmax()(torch.zeros(2, 3, 4))[0, 0]",
        "keras.layers.Softmax()(tf.zeros([2, 3, 4]))[0, 0]",
        ALIKE,
        (
            "torch.nn.functional.softmax(torch.zeros(2, 3, 4))[0, 0]",
            "torch.nn.Softmin()(torch.zeros(2, 3, 4))[0, 0]",
            "keras.activations.softmax(tf.zeros([2, 3, 4]))[0, 0]",
        ),
    ),
    Special(
        "scaled_dot_product_attention",
        "scale",
        "default",
        "PyTorch divides the products by the square root of the number of features, as the paper "
        "does; Keras's Attention layer does not. (Its MultiHeadAttention and its function "
        "keras.ops.dot_product_attention do.)",
        "torch.nn.functional.scaled_dot_product_attention(*[2 * torch.eye(2)[None]] * 3)[0]",
        "keras.layers.Attention()([2 * tf.eye(2)[None]] * 2)[0]",
        "With the weights returned or not, with dropout or not.",
        (
            "keras.layers.Attention(dropout=0.5)([2 * tf.eye(2)[None]] * 2, "
            "return_attention_scores=True)[0][0]",
            "keras.ops.dot_product_attention(*[2 * tf.eye(2)[None, :, None]] * 3)[0, :, 0]",
        ),
    ),
    Special(
        "multi_head_attention",
        "mask",
        "default",
        "In a boolean mask, True means *do not look here* to PyTorch's MultiheadAttention and "
        "*look here* to Keras (and to PyTorch's own scaled_dot_product_attention). Shown is what a "
        "query finds on two tokens, 1 and 3, under the mask (True, False); for the mask of padding "
        "(key_padding_mask) it is the weights.",
        "torch_attention([True, False])",
        "keras_attention([True, False])",
        "Whether the weights are returned or not, with either kind of mask.",
        (
            "torch_attention([True, False], need_weights=False)",
            "torch.nn.MultiheadAttention(1, 1)(torch.ones(1, 1), *[torch.ones(2, 1)] * 2, "
            "key_padding_mask=torch.tensor([True, False]))[1]",
            "keras_attention([True, False], return_attention_scores=True)",
            "keras_attention([True, False], dropout=0.5)",
            "torch.nn.functional.scaled_dot_product_attention(torch.ones(1, 1), "
            "*[torch.tensor([[1.0], [3.0]])] * 2, attn_mask=torch.tensor([[True, False]]))",
        ),
    ),
    Special(
        "multi_head_attention",
        "batch",
        "default",
        "PyTorch takes (positions, batch, features) unless told batch_first=True, Keras (batch, "
        "positions, features). Both accept the other's order without a word and attend across "
        "the batch. Shown is the shape of the attention weights for an input of shape (2, 3, 4): "
        "PyTorch gives (batch, queries, keys), the mean over the heads, Keras (batch, heads, "
        "queries, keys); told not to average, so does PyTorch.",
        "torch.nn.MultiheadAttention(4, 1)(*[torch.ones(2, 3, 4)] * 3)[1].shape",
        "keras.layers.MultiHeadAttention(1, 4)(*[tf.ones([2, 3, 4])] * 2, "
        "return_attention_scores=True)[1].shape",
        "With PyTorch's defaults, and Keras told to return the weights.",
        (
            "torch.nn.MultiheadAttention(4, 1)(*[torch.ones(2, 3, 4)] * 3, "
            "average_attn_weights=False)[1].shape",
            "torch.nn.MultiheadAttention(4, 1, batch_first=True)(*[torch.ones(2, 3, 4)] * 3)[1]"
            ".shape",
        ),
    ),
    Special(
        "multi_head_attention",
        "all masked",
        "not finite",
        "A query that is allowed to look at no token at all gets NaN from PyTorch and from Keras "
        "the mean of all tokens, as if there were no mask. Shown is what a query finds on the "
        "tokens 1 and 3. It hangs on the path: PyTorch gives 0 with need_weights=False (and so "
        "does scaled_dot_product_attention), Keras 0 as soon as the layer has dropout (in "
        "inference too) or is told return_attention_scores=True. The layers Attention and "
        "GroupQueryAttention give the mean, too.",
        "torch_attention([True, True])",
        "keras_attention([False, False])",
        DEFAULTS,
        (
            "torch_attention([True, True], need_weights=False)",
            "torch_attention([True, True], average_attn_weights=False)",
            "torch.nn.functional.scaled_dot_product_attention(torch.ones(1, 1), "
            "*[torch.tensor([[1.0], [3.0]])] * 2, attn_mask=torch.tensor([[False, False]]))",
            "keras_attention([False, False], return_attention_scores=True)",
            "keras_attention([False, False], dropout=0.5)",
            "keras_attention([False, False], training=True)",
            "keras.layers.Attention()([tf.ones([1, 1, 1]), tf.constant([[[1.0], [3.0]]])], "
            "mask=[None, tf.constant([[False, False]])])[0]",
            "keras.layers.GroupQueryAttention(1, 1, 1, use_bias=False, "
            'kernel_initializer="ones")(tf.ones([1, 1, 1]), tf.constant([[[1.0], [3.0]]]), '
            "attention_mask=tf.constant([[[False, False]]]))[0]",
        ),
    ),
    Special(
        "relu",
        "dtype",
        "default",
        "A PyTorch module without weights computes in the dtype it is given (one with weights, "
        "such as PReLU, refuses another than its own). A Keras *layer* (not the function) first "
        "casts its input to its own dtype, float32 by default, so float64 loses digits.",
        "torch.nn.ReLU()(torch.tensor([0.1], dtype=torch.float64))",
        'keras.layers.ReLU()(tf.constant([0.1], "float64"))',
        "Through a layer made without a dtype, eagerly or compiled by XLA.",
        (
            'keras.activations.relu(tf.constant([0.1], "float64"))',
            'keras.layers.ReLU(dtype="float64")(tf.constant([0.1], "float64"))',
            "torch.nn.PReLU()(torch.tensor([0.1], dtype=torch.float64))",
        ),
    ),
    Special(
        "gelu",
        "approximation",
        "default",
        "keras.activations.gelu, Keras's layers and PyTorch's gelu are exact by default; "
        "keras.ops.gelu is the tanh approximation unless told otherwise.",
        "torch.nn.functional.gelu(torch.tensor([2.0]))",
        "keras.ops.gelu(tf.constant([2.0]))",
        "Through keras.ops only, eagerly or compiled by XLA.",
        (
            "keras.ops.gelu(tf.constant([2.0]), approximate=False)",
            "keras.activations.gelu(tf.constant([2.0]))",
            'keras.layers.Activation("gelu")(tf.constant([2.0]))',
        ),
    ),
    Special(
        "softmax",
        "many classes",
        "wrong",
        "The probabilities of 70,000 equal scores in float16, compiled by XLA: every one is 0 in "
        "Keras (70,000 is more than float16 can hold, and so infinite). Eagerly it depends on the "
        "processor: 0 without special instructions for float16. PyTorch adds up in float32.",
        "torch.nn.functional.softmax(torch.zeros(1, 70000, dtype=torch.float16), dim=-1)[0, :2]",
        "tf.function(keras.activations.softmax, jit_compile=True)"
        '(tf.zeros([1, 70000], "float16"))[0, :2]',
        "Keras compiled (jit_compile=True), function and layer alike.",
        (
            "tf.function(keras.activations.softmax, jit_compile=True)"
            '(tf.zeros([1, 70000], "float32"))[0, :2]',
        ),
    ),
    Special(
        "multi_head_attention",
        "float64",
        "digits",
        "In float64, Keras's MultiHeadAttention has the accuracy of float32: it rounds the factor "
        "1/√d to float32 on the way, as does keras.ops.dot_product_attention. Shown are the "
        "attention weights for scores of √2 and 0.",
        "torch.nn.functional.scaled_dot_product_attention(torch.ones(1, 1, 2).double(), "
        "torch.tensor([[[1.0, 1.0], [0.0, 0.0]]]).double(), torch.eye(2).double()[None])[0, 0]",
        'keras.layers.MultiHeadAttention(1, 2, kernel_initializer="ones", dtype="float64")('
        'tf.ones([1, 1, 1], "float64"), tf.constant([[[1.0], [0.0]]], "float64"), '
        "return_attention_scores=True)[1][0, 0, 0]",
        "With the weights returned or not, layer and function alike.",
        (
            'keras.ops.dot_product_attention(tf.ones([1, 1, 1, 2], "float64"), '
            'tf.constant([[[[1.0, 1.0]], [[0.0, 0.0]]]], "float64"), '
            'tf.constant([[[[1.0, 0.0]], [[0.0, 1.0]]]], "float64"))[0, 0, 0]',
        ),
    ),
    Special(
        "sigmoid",
        "integers",
        "refused",
        "PyTorch's sigmoid promotes integers to float32, Keras's refuses them. It is no rule: both "
        "promote for tanh, both keep integers for ReLU, and both refuse them for GELU.",
        "torch.nn.functional.sigmoid(torch.tensor([0, 2]))",
        "keras.activations.sigmoid(tf.constant([0, 2]))",
        ALIKE,
        (
            'keras.layers.Activation("sigmoid")(tf.constant([0, 2]))',
            "torch.nn.functional.tanh(torch.tensor([0, 2]))",
            "keras.activations.tanh(tf.constant([0, 2]))",
            "torch.nn.functional.gelu(torch.tensor([0, 2]))",
            "keras.activations.gelu(tf.constant([0, 2]))",
        ),
    ),
    Special(
        "multi_head_attention",
        "biases of small heads",
        "wrong",
        "keras.ops.add puts numbers in the wrong place. On TensorFlow it takes a second argument "
        "with only one axis longer than 1 for the bias of a layer and lays that axis along the "
        "*last* or else the *second* axis of the first argument if the lengths fit, wherever "
        "broadcasting would put it. A head of size 1 meets this where there are as many heads as "
        "positions: shown are 2 positions × 2 heads × 1 number, all 0, plus the heads' biases 1 "
        "and 2. The sign + and keras.ops.subtract broadcast; EinsumDense, of which "
        "MultiHeadAttention is made, adds with keras.ops.add.",
        "(torch.zeros(1, 2, 2, 1) + torch.tensor([[1.0], [2.0]])).flatten()",
        "tf.reshape(keras.ops.add(tf.zeros([1, 2, 2, 1]), tf.constant([[1.0], [2.0]])), [-1])",
        "Eagerly or compiled by XLA.",
        (
            "tf.reshape(tf.zeros([1, 2, 2, 1]) + tf.constant([[1.0], [2.0]]), [-1])",
            "tf.reshape(keras.ops.add(tf.constant([[1.0], [2.0]]), tf.zeros([1, 2, 2, 1])), [-1])",
            "tf.reshape(keras.ops.add(tf.zeros([1, 3, 2, 1]), tf.constant([[1.0], [2.0]])), [-1])",
            'keras.layers.EinsumDense("abc,cde->abde", (2, 2, 1), bias_axes="de", '
            "bias_initializer=lambda shape, dtype: tf.constant([[1.0], [2.0]]))"
            "(tf.zeros([1, 2, 1]))[0, :, :, 0]",
        ),
    ),
    Special(
        "selu",
        "alpha dropout at rate 1",
        "refused",
        "A rate of 1 drops every unit. PyTorch's alpha dropout, SELU's companion, then gives 0; "
        "Keras accepts the rate, runs in inference, and raises in the first step of training. "
        "Ordinary dropout at rate 1 gives 0 in both.",
        "torch.nn.AlphaDropout(1.0)(torch.ones(3))",
        "keras.layers.AlphaDropout(1.0)(tf.ones([3]), training=True)",
        "In training.",
        (
            "torch.nn.AlphaDropout(1.0).eval()(torch.ones(3))",
            "keras.layers.AlphaDropout(1.0)(tf.ones([3]))",
            "torch.nn.Dropout(1.0)(torch.ones(3))",
            "keras.layers.Dropout(1.0)(tf.ones([3]), training=True)",
        ),
    ),
    Special(
        "softmax",
        "one unit",
        "shared",
        "A softmax over a single unit is 1 whatever comes in, and its gradient is 0: such an "
        "output says yes to everything and the network below it learns nothing. Neither framework "
        "warns. One unit wants a sigmoid. Shown are the outputs and the gradients for the scores "
        "-3 and 5.",
        "torch.nn.functional.softmax(torch.tensor([[-3.0], [5.0]]), dim=-1)",
        "keras.activations.softmax(tf.constant([[-3.0], [5.0]]))",
        ALIKE,
        (
            "torch_gradient(torch.nn.Softmax(dim=-1), torch.tensor([[-3.0], [5.0]]))",
            "keras_gradient(keras.layers.Softmax(), tf.constant([[-3.0], [5.0]]))",
        ),
        both=True,
    ),
)

SPECIALS = {(special.record, special.slug): special for special in _ALL}
"""By record and slug."""

BITE = (
    ("softmax", "axis"),
    ("multi_head_attention", "mask"),
    ("multi_head_attention", "all masked"),
    ("softmax", "one unit"),
    ("leaky_relu", ""),
)
"""Five that will bite you, first of all: record and slug ("" is its difference by default)."""
