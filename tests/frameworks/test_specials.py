"""The differences in use: true on the call path that each names, and on the others as it says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from actlab.frameworks import lines
from actlab.frameworks.differences import load, same_results
from actlab.frameworks.specials import BITE, SPECIALS

PATHS = [(key, call) for key, special in SPECIALS.items() for call in special.calls]


def of(call):
    return np.ravel(lines.run(call)).tolist()


@pytest.mark.parametrize("key", SPECIALS, ids=lambda key: "-".join(key).replace(" ", "_"))
def test_every_entry_names_its_call_path_and_shows_others(key):
    special = SPECIALS[key]
    assert special.path.endswith(".")
    assert special.others
    assert special.both == (special.category == "shared")
    assert len(set(special.calls)) == len(special.calls)


COMPILED = [
    (key, call)
    for key, call in PATHS
    if "compiled by XLA" in SPECIALS[key].path
    and call.startswith(("keras.", "tf.reshape", "keras_gradient"))
]


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "XLA"])
@pytest.mark.parametrize(("key", "call"), COMPILED, ids=lambda value: None)
def test_what_is_said_of_graphs_and_xla(key, call, compiled):
    if "EinsumDense" in call:  # makes weights, which a graph may only do once
        return
    wrapped = lines.run(f"tf.function(lambda: {call}, jit_compile={compiled})()")
    eager = lines.run(call)
    if isinstance(eager, str):  # the kernel that refuses is then found missing
        assert isinstance(wrapped, str)
    else:
        np.testing.assert_allclose(wrapped, eager, rtol=1e-6)


# --- Attention, on every path -------------------------------------------------------------------

MASKS = {"half": ([True, False], [False, True]), "whole": ([True, True], [False, False])}
"""Of the tokens 1 and 3: True is *do not look* (PyTorch), and the same for Keras."""


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("kind", ["bool", "float", "padding"])
@pytest.mark.parametrize("mask", MASKS)
def test_pytorch_masks(mask, kind, weights, average, dropout):
    """``need_weights`` decides on NaN or 0; nothing else does."""
    import torch

    layer = torch.nn.MultiheadAttention(1, 1, bias=False, batch_first=True, dropout=dropout)
    for weight in layer.parameters():
        torch.nn.init.ones_(weight)
    query, tokens = torch.ones(1, 1, 1), torch.tensor([[[1.0], [3.0]]])
    off = torch.tensor([MASKS[mask][0]])
    if kind == "padding":
        given = {"key_padding_mask": off}
    else:
        numbers = torch.zeros(1, 2).masked_fill(off, -torch.inf)
        given = {"attn_mask": off if kind == "bool" else numbers}
    expected = 3.0 if mask == "half" else float("nan") if weights else 0.0
    for grad, training in itertools.product((True, False), (False, True)):
        if training and dropout and mask == "half":
            continue  # random
        with torch.set_grad_enabled(grad):
            output, _ = layer.train(training)(
                query, tokens, tokens, need_weights=weights, average_attn_weights=average, **given
            )
        np.testing.assert_allclose(output.detach().numpy().item(), expected)


@pytest.mark.parametrize(
    ("route", "dtype"),
    [
        *[("eager", dtype) for dtype in ("float32", "mixed_float16", "mixed_bfloat16", "float64")],
        ("graph", "float32"),
        ("XLA", "float32"),
    ],
)
@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("mask", MASKS)
def test_keras_masks(mask, dropout, scores, route, dtype):
    """Dropout (set, not in use) and the scores decide on 0 or the mean; nothing else does."""
    import keras
    import tensorflow as tf

    layer = keras.layers.MultiHeadAttention(
        1, 1, dropout=dropout, use_bias=False, kernel_initializer="ones", dtype=dtype
    )
    query, tokens = tf.ones([1, 1, 1]), tf.constant([[[1.0], [3.0]]])
    layer(query, tokens)
    on = tf.constant([[MASKS[mask][1]]])

    def call(on):
        found = layer(query, tokens, attention_mask=on, return_attention_scores=scores)
        return found[0] if scores else found

    function = call if route == "eager" else tf.function(call, jit_compile=route == "XLA")
    expected = 3.0 if mask == "half" else 0.0 if dropout or scores else 2.0
    assert np.asarray(function(on)).astype(float).item() == expected


# --- keras.ops.add ------------------------------------------------------------------------------


def test_keras_add_goes_wrong_exactly_where_the_entry_says():
    import keras

    for batch, positions, heads in itertools.product((1, 2), (1, 2, 3), (2, 3)):
        for features, size in ((1, 1), (2, 1), (3, 1), (2, 2), (3, 3)):
            x = np.zeros((batch, positions, heads, features), "float32")
            bias = np.arange(1.0, 1 + heads * size, dtype="float32").reshape(heads, size)
            right = np.array_equal(keras.ops.add(x, bias), x + bias)
            assert right == (size > 1 or heads not in (positions, features)), (x.shape, bias.shape)
            np.testing.assert_array_equal(keras.ops.subtract(x, bias), x - bias)


# --- The data -----------------------------------------------------------------------------------


def test_all_of_them_are_recorded():
    recorded = {(d.record, d.side): d for d in load() if not d.places}
    assert set(recorded) == set(SPECIALS)
    for key, difference in recorded.items():
        assert len(difference.witness.results) == len(SPECIALS[key].calls)
        alike = same_results(*difference.witness.results[:2])
        assert alike == SPECIALS[key].both


def test_the_five_that_bite_are_recorded():
    recorded = {(d.record, d.side) for d in load() if d.category != "special"}
    assert len(set(BITE)) == 5
    assert set(BITE) <= recorded


def test_the_entry_on_masks_is_not_true_of_every_path():
    """Its first statement was: NaN in PyTorch, 0 in Keras. Each is one path of several."""
    _, special = next(item for item in SPECIALS.items() if item[0][1] == "all masked")
    results = [of(call)[0] for call in special.calls]
    pytorch = [r for call, r in zip(special.calls, results, strict=True) if "torch" in call]
    keras = [r for call, r in zip(special.calls, results, strict=True) if "torch" not in call]
    assert {str(r) for r in pytorch} == {"nan", "0.0"}
    assert set(keras) == {2.0, 0.0}
