"""Layers hold the same weights in both frameworks and must then compute the same."""

from __future__ import annotations

import numpy as np
import pytest

from actlab import catalog
from actlab.catalog import ParameterError
from actlab.frameworks import keras, torch
from actlab.frameworks.binding import DTYPES, limits, rounded

FRAMEWORKS = {"torch": torch, "keras": keras}
# Heads of 4 numbers: for 1/√4 is exact, and Keras rounds that factor to float32 (a recorded
# difference, which is not what is looked for here).
FEATURES, HEADS, POSITIONS = 8, 2, 2

# A result is a sum of up to a few dozen products of numbers of order 1, after a softmax of such
# sums: each of the about 30 roundings on the way may cost one unit in the last place.
ROUNDINGS = 32


def draws(seed):
    generator = np.random.default_rng(seed)
    return lambda *shape: generator.normal(size=shape)


def attention_weights(seed, key_value_heads=HEADS):
    draw = draws(seed)
    size = FEATURES // HEADS
    rows = {"query": HEADS, "key": key_value_heads, "value": key_value_heads, "output": HEADS}
    weights = {f"{role}_weight": draw(count * size, FEATURES) for role, count in rows.items()}
    weights["key_weight"] = draw(key_value_heads * size, FEATURES)
    weights["output_weight"] = draw(FEATURES, FEATURES)
    return weights | {f"{role}_bias": draw(len(weights[f"{role}_weight"])) for role in rows}


def cases():
    draw = draws(1)
    x = draw(POSITIONS, FEATURES)
    other = {"key": draw(5, FEATURES), "value": draw(5, FEATURES)}
    square = np.array([[True, True], [False, True]])
    oblong = np.array([[True, False, True, True, False]] * POSITIONS)
    heads = {"num_heads": HEADS, **attention_weights(2)}
    plain = {name: value for name, value in heads.items() if not name.endswith("_bias")}
    grouped = {"num_heads": HEADS, "num_key_value_heads": 1, **attention_weights(3, 1)}
    head, tails = (
        draw(5, FEATURES),
        [(draw(4, FEATURES), draw(3, 4)), (draw(2, FEATURES), draw(2, 2))],
    )
    attention = [{}, {"causal": True}, other]
    masked = [{"mask": square}, {"mask": square, "causal": True}, {**other, "mask": oblong}]
    for params in (*attention, {"scale": 1.0}):
        yield "scaled_dot_product_attention", x, params, "torch keras"
    for params in (*masked, {"mask": np.where(square, 0.5, -1.0), "causal": True}):
        yield "scaled_dot_product_attention", x, params, "torch"
    for params in (*attention, {"scale": draw(FEATURES)}):
        yield "additive_attention", x, params, "keras"
    for params in (*attention, *masked):
        yield "multi_head_attention", x, {**heads, **params}, "torch keras"
        yield "grouped_query_attention", x, {**grouped, **params}, "keras"
    yield "multi_head_attention", x, plain, "torch keras"
    yield "adaptive_log_softmax", x, {"head_weight": head, "tails": tails}, "torch keras"
    biased = {"head_weight": head, "tails": tails, "head_bias": draw(5)}
    yield "adaptive_log_softmax", x, biased, "torch keras"


CASES = list(cases())


def in_dtype(value, dtype):
    """The weights as the framework holds them (masks and counts stay)."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return rounded(value, dtype).astype(np.float64)
    if isinstance(value, list | tuple):
        return [in_dtype(element, dtype) for element in value]
    return value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_same_weights_same_values_and_gradients(case, dtype):
    name, x, params, sides = CASES[case]
    record = catalog.get(name)
    x, params = in_dtype(x, dtype), {key: in_dtype(value, dtype) for key, value in params.items()}
    value, gradient = record.reference(x, **params), record.derivative(x, **params)
    eps = limits(dtype).eps
    for side in sides.split():
        got = FRAMEWORKS[side].values(record, x, dtype, **params)
        assert np.abs(got - value).max() <= ROUNDINGS * eps * (1 + np.abs(value).max()), side
        got = FRAMEWORKS[side].gradients(record, x, dtype, **params)
        assert got.shape == gradient.shape
        assert np.abs(got - gradient).max() <= ROUNDINGS * eps * (1 + np.abs(gradient).max()), side


def test_wrong_weights_are_seen():
    """The check above can fail: a weight off by 1 % in one of the two."""
    _, x, params, _ = next(case for case in CASES if case[0] == "multi_head_attention")
    record = catalog.get("multi_head_attention")
    wrong = {**params, "key_weight": 1.01 * params["key_weight"]}
    got = keras.values(record, x, "float32", **wrong)
    assert np.abs(got - record.reference(x, **params)).max() > 1e-3


def test_a_batch_of_sequences():
    name, x, params, _ = next(case for case in CASES if case[0] == "multi_head_attention")
    batch = np.stack([x, -x])
    for side in FRAMEWORKS.values():
        together = side.values(catalog.get(name), batch, "float64", **params)
        assert np.allclose(together[1], side.values(catalog.get(name), -x, "float64", **params))


@pytest.mark.parametrize(
    ("side", "name", "params", "message"),
    [
        ("keras", "scaled_dot_product_attention", {"mask": np.eye(2, dtype=bool)}, "whole queries"),
        ("keras", "scaled_dot_product_attention", {"mask": np.zeros((2, 2))}, "boolean mask"),
        ("torch", "multi_head_attention", {"query_weight": np.ones((2, 8))}, "8 features"),
    ],
)
def test_what_a_layer_can_not_be(side, name, params, message):
    _, x, own, _ = next(case for case in CASES if case[0] == name)
    with pytest.raises(ParameterError, match=message):
        FRAMEWORKS[side].values(catalog.get(name), x, "float32", **{**own, **params})


def test_clusters_of_odd_sizes_have_no_keras_layer():
    *_, params, _ = next(case for case in CASES if case[0] == "adaptive_log_softmax")
    odd = [params["tails"][1], params["tails"][0]]
    with pytest.raises(ParameterError, match="powers of one number"):
        keras.build(catalog.get("adaptive_log_softmax"), **{**params, "tails": odd})


def test_prelu_learns_the_same_slope():
    """The gradient of the slope itself, the sum of x over the negative inputs."""
    import tensorflow as tf

    x = np.array([-2.0, -0.5, 0.0, 3.0])
    record = catalog.get("prelu")
    module = torch.build(record, negative_slope=0.1)
    module(torch.tensor(x, "float32")).sum().backward()
    layer = keras.build(record, negative_slope=0.1)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(keras.tensor(x[:, None], "float32")))
    slope = tape.gradient(total, layer.trainable_variables)[0]
    assert module.weight.grad.item() == pytest.approx(-2.5)
    assert np.asarray(slope).sum() == pytest.approx(-2.5)
