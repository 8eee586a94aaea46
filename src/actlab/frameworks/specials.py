"""Differences that no grid of inputs shows: the axis, the dtype, the mask, the scale.

Each is two lines of code (after :data:`actlab.frameworks.lines.PREAMBLE`); what they return is
measured like everything else and stored in ``differences.json``.
"""

from __future__ import annotations

from dataclasses import dataclass

from actlab.frameworks import lines


@dataclass(frozen=True)
class Special:
    """One difference in the use of a function: the sentence that states it and two lines."""

    record: str
    slug: str
    category: str
    sentence: str
    torch: str
    keras: str

    def results(self) -> tuple[object, ...]:
        """What the two lines return (lists or numbers), or the names of their errors."""
        returned = (lines.run(call) for call in (self.torch, self.keras))
        return tuple(r if isinstance(r, str) else r.tolist() for r in returned)


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
    ),
    Special(
        "scaled_dot_product_attention",
        "scale",
        "default",
        "PyTorch divides the products by the square root of the number of features, as the paper "
        "does; Keras's Attention layer does not (its MultiHeadAttention does).",
        "torch.nn.functional.scaled_dot_product_attention(*[2 * torch.eye(2)[None]] * 3)[0]",
        "keras.layers.Attention()([2 * tf.eye(2)[None]] * 2)[0]",
    ),
    Special(
        "multi_head_attention",
        "mask",
        "default",
        "In a boolean mask, True means *do not look here* to PyTorch's MultiheadAttention and "
        "*look here* to Keras (and to PyTorch's own scaled_dot_product_attention). Shown are the "
        "attention weights on two keys under the mask (True, False).",
        "torch.nn.MultiheadAttention(1, 1)(torch.ones(1, 1), *[torch.ones(2, 1)] * 2, "
        "attn_mask=torch.tensor([[True, False]]))[1][0]",
        "keras.layers.MultiHeadAttention(1, 1)(tf.ones([1, 1, 1]), tf.ones([1, 2, 1]), "
        "attention_mask=tf.constant([[[True, False]]]), return_attention_scores=True)[1][0, 0, 0]",
    ),
    Special(
        "multi_head_attention",
        "batch",
        "default",
        "PyTorch takes (positions, batch, features) unless told batch_first=True, Keras (batch, "
        "positions, features). Both accept the other's order without a word and attend across "
        "the batch. Shown is the shape of the attention weights for an input of shape (2, 3, 4): "
        "PyTorch gives (batch, queries, keys), Keras (batch, heads, queries, keys).",
        "torch.nn.MultiheadAttention(4, 1)(*[torch.ones(2, 3, 4)] * 3)[1].shape",
        "keras.layers.MultiHeadAttention(1, 4)(*[tf.ones([2, 3, 4])] * 2, "
        "return_attention_scores=True)[1].shape",
    ),
    Special(
        "multi_head_attention",
        "all masked",
        "not finite",
        "A query that may look nowhere gets the weights NaN in PyTorch and 0 in Keras.",
        "torch.nn.MultiheadAttention(1, 1)(torch.ones(1, 1), *[torch.ones(2, 1)] * 2, "
        "attn_mask=torch.tensor([[True, True]]))[1][0]",
        "keras.layers.MultiHeadAttention(1, 1)(tf.ones([1, 1, 1]), tf.ones([1, 2, 1]), "
        "attention_mask=tf.constant([[[False, False]]]), return_attention_scores=True)[1][0, 0, 0]",
    ),
    Special(
        "relu",
        "dtype",
        "default",
        "A PyTorch module computes in the dtype it is given. A Keras *layer* (not the function) "
        "first casts its input to its own dtype, float32 by default, so float64 loses digits.",
        "torch.nn.ReLU()(torch.tensor([0.1], dtype=torch.float64))",
        'keras.layers.ReLU()(tf.constant([0.1], "float64"))',
    ),
    Special(
        "gelu",
        "approximation",
        "default",
        "keras.activations.gelu and PyTorch's functional.gelu are exact by default; keras.ops.gelu "
        "is the tanh approximation unless told otherwise.",
        "torch.nn.functional.gelu(torch.tensor([2.0]))",
        "keras.ops.gelu(tf.constant([2.0]))",
    ),
    Special(
        "softmax",
        "many classes",
        "wrong",
        "The probabilities of 70,000 equal scores in float16: every one is 0 in Keras (70,000 is "
        "more than float16 can hold, and so infinite).",
        "torch.nn.functional.softmax(torch.zeros(1, 70000, dtype=torch.float16), dim=-1)[0, :2]",
        'keras.activations.softmax(tf.zeros([1, 70000], "float16"))[0, :2]',
    ),
    Special(
        "multi_head_attention",
        "float64",
        "digits",
        "In float64, Keras's MultiHeadAttention has the accuracy of float32: it rounds the factor "
        "1/√d to float32 on the way. Shown are the attention weights for scores of √2 and 0.",
        "torch.nn.functional.scaled_dot_product_attention(torch.ones(1, 1, 2).double(), "
        "torch.tensor([[[1.0, 1.0], [0.0, 0.0]]]).double(), torch.eye(2).double()[None])[0, 0]",
        'keras.layers.MultiHeadAttention(1, 2, kernel_initializer="ones", dtype="float64")('
        'tf.ones([1, 1, 1], "float64"), tf.constant([[[1.0], [0.0]]], "float64"), '
        "return_attention_scores=True)[1][0, 0, 0]",
    ),
    Special(
        "sigmoid",
        "integers",
        "refused",
        "PyTorch promotes integers to float32, Keras refuses them.",
        "torch.nn.functional.sigmoid(torch.tensor([0, 2]))",
        "keras.activations.sigmoid(tf.constant([0, 2]))",
    ),
)

SPECIALS = {(special.record, special.slug): special for special in _ALL}
"""By record and slug."""
