"""Attention and the adaptive softmax against loops in mpmath, and their derivatives likewise."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from actlab import catalog
from actlab.catalog import ParameterError

from .properties import bends

DIGITS = 40
# Sums of a few dozen products in float64; the exact answers are of the order of 1.
TOLERANCE = 2e-14


def rows(matrix):
    return [[mp.mpf(float(v)) for v in row] for row in np.asarray(matrix)]


def vector(values):
    return [mp.mpf(float(v)) for v in values]


def affine(x, weight, bias=None):
    """x Wᵀ + b, entry by entry."""
    offset = [mp.mpf(0)] * len(weight) if bias is None else bias
    return [
        [mp.fsum(w * v for w, v in zip(unit, row, strict=True)) + b
         for unit, b in zip(weight, offset, strict=True)]
        for row in x
    ]  # fmt: skip


def log_softmax(x):
    total = mp.log(mp.fsum(mp.exp(v) for v in x))
    return [v - total for v in x]


def attend(scores, value, mask):
    out = []
    for i, row in enumerate(scores):
        seen = [m for m in range(len(row)) if mask is None or mask[i][m] is not None]
        weights = [mp.exp(row[m] + (mask[i][m] if mask else 0)) for m in seen]
        total = mp.fsum(weights)
        out.append([
            mp.fsum(w * value[m][k] for w, m in zip(weights, seen, strict=True)) / total
            for k in range(len(value[0]))
        ])  # fmt: skip
    return out


def dot_scores(query, key, scale):
    return [[scale * mp.fsum(a * b for a, b in zip(q, k, strict=True)) for k in key] for q in query]


def combine_masks(mask, causal, n, m):
    """None where a query must not look, else what is added to its score."""
    if mask is None and not causal:
        return None
    given = np.broadcast_to(np.ones(1, bool) if mask is None else mask, (n, m))
    table = []
    for i in range(n):
        table.append([])
        for j in range(m):
            barred = (causal and j > i) or (given.dtype == bool and not given[i, j])
            added = 0 if given.dtype == bool else mp.mpf(float(given[i, j]))
            table[-1].append(None if barred or added == -mp.inf else added)
    return table


def scaled_dot_product(x, key=None, value=None, mask=None, causal=False, scale=None):
    key = x if key is None else rows(key)
    value = key if value is None else rows(value)
    scale = 1 / mp.sqrt(len(x[0])) if scale is None else mp.mpf(scale)
    table = combine_masks(mask, causal, len(x), len(key))
    return attend(dot_scores(x, key, scale), value, table)


def additive(x, key=None, value=None, mask=None, causal=False, scale=None):
    key = x if key is None else rows(key)
    value = key if value is None else rows(value)
    scale = [1] * len(x[0]) if scale is None else vector(scale)
    scores = [
        [mp.fsum(s * mp.tanh(a + b) for s, a, b in zip(scale, q, k, strict=True)) for k in key]
        for q in x
    ]
    return attend(scores, value, combine_masks(mask, causal, len(x), len(key)))


def multi_head(x, num_heads, num_key_value_heads=None, key=None, value=None, mask=None,
               causal=False, **weights):  # fmt: skip
    key = x if key is None else rows(key)
    value = key if value is None else rows(value)
    groups = num_key_value_heads or num_heads
    table = combine_masks(mask, causal, len(x), len(key))

    def project(role, sequence):
        bias = weights.get(f"{role}_bias")
        return affine(sequence, rows(weights[f"{role}_weight"]),
                      None if bias is None else vector(bias))  # fmt: skip

    def head_of(sequence, head, heads):
        size = len(sequence[0]) // heads
        return [row[head * size : (head + 1) * size] for row in sequence]

    q_all, k_all, v_all = project("query", x), project("key", key), project("value", value)
    together = [[] for _ in x]
    for head in range(num_heads):
        shared = head * groups // num_heads
        q = head_of(q_all, head, num_heads)
        k, v = head_of(k_all, shared, groups), head_of(v_all, shared, groups)
        for row, part in zip(together, attend(dot_scores(q, k, 1 / mp.sqrt(len(q[0]))), v, table),
                             strict=True):  # fmt: skip
            row.extend(part)
    return project("output", together)


def adaptive(x, head_weight, tails, head_bias=None):
    out = []
    for row in x:
        bias = None if head_bias is None else vector(head_bias)
        head = log_softmax(affine([row], rows(head_weight), bias)[0])
        frequent = len(head) - len(tails)
        line = head[:frequent]
        for number, (down, up) in enumerate(tails):
            logits = affine(affine([row], rows(down)), rows(up))[0]
            line += [head[frequent + number] + p for p in log_softmax(logits)]
        out.append(line)
    return out


RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(size=shape)


X = normal(3, 4)
HEADS = {
    "num_heads": 2,
    "query_weight": normal(6, 4),
    "key_weight": normal(6, 4),
    "value_weight": normal(4, 4),
    "output_weight": normal(5, 4),
}
BIASES = {
    "query_bias": normal(6),
    "key_bias": normal(6),
    "value_bias": normal(4),
    "output_bias": normal(5),
}
GROUPED = {
    "num_heads": 4,
    "num_key_value_heads": 2,
    "query_weight": normal(8, 4),
    "key_weight": normal(4, 4),
    "value_weight": normal(6, 4),
    "output_weight": normal(3, 12),
}
MASK = np.array([[True, False, True], [True, True, False], [False, False, True]])
TAILS = [(normal(2, 4), normal(3, 2)), (normal(1, 4), normal(4, 1))]

CASES = {
    "scaled_dot_product_attention": (scaled_dot_product, {}),
    "scaled_dot_product_attention causal": (scaled_dot_product, {"causal": True}),
    "scaled_dot_product_attention scale 1": (scaled_dot_product, {"scale": 1.0}),
    "scaled_dot_product_attention key": (scaled_dot_product, {"key": normal(5, 4)}),
    "scaled_dot_product_attention key, value": (
        scaled_dot_product,
        {"key": normal(5, 4), "value": normal(5, 2), "mask": normal(3, 5)},
    ),
    "scaled_dot_product_attention value": (scaled_dot_product, {"value": normal(3, 2)}),
    "scaled_dot_product_attention mask": (scaled_dot_product, {"mask": MASK}),
    "scaled_dot_product_attention mask, causal": (
        scaled_dot_product,
        {"mask": np.array([True, False, True]), "causal": True},
    ),
    "scaled_dot_product_attention added mask, causal": (
        scaled_dot_product,
        {"mask": normal(3, 3), "causal": True},
    ),
    "additive_attention": (additive, {}),
    "additive_attention scale": (additive, {"scale": normal(4), "causal": True}),
    "additive_attention key, value": (additive, {"key": normal(2, 4), "value": normal(2, 3)}),
    "multi_head_attention": (multi_head, HEADS),
    "multi_head_attention biases": (multi_head, {**HEADS, **BIASES, "causal": True}),
    "multi_head_attention cross": (
        multi_head,
        {**HEADS, "key": normal(5, 3), "key_weight": normal(6, 3), "value_weight": normal(4, 3)},
    ),
    "multi_head_attention own value": (
        multi_head,
        {**HEADS, "key": normal(5, 3), "key_weight": normal(6, 3), "value": normal(5, 4)},
    ),
    "grouped_query_attention": (multi_head, GROUPED),
    "grouped_query_attention mask": (multi_head, {**GROUPED, "mask": MASK}),
    "adaptive_log_softmax": (adaptive, {"head_weight": normal(5, 4), "tails": TAILS}),
    "adaptive_log_softmax bias": (
        adaptive,
        {"head_weight": normal(5, 4), "tails": TAILS, "head_bias": normal(5)},
    ),
    "adaptive_log_softmax no tail": (adaptive, {"head_weight": normal(5, 4), "tails": []}),
}


def test_every_layer_record_is_a_case() -> None:
    names = {r.name for r in catalog.records() if r.kind == "layer"}
    assert {case.split()[0] for case in CASES} == names


@pytest.mark.parametrize("case", CASES)
def test_value(case) -> None:
    formula, params = CASES[case]
    got = catalog.get(case.split()[0]).reference(X, **params)
    with mp.workdps(DIGITS):
        exact = np.array(formula(rows(X), **params), dtype=float)
    np.testing.assert_allclose(got, exact, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_derivative(case) -> None:
    formula, params = CASES[case]
    got = catalog.get(case.split()[0]).derivative(X, **params)
    with mp.workdps(DIGITS):
        step = mp.mpf(10) ** -18
        for at in np.ndindex(X.shape):
            sides = []
            for sign in (1, -1):
                moved = rows(X)
                moved[at[0]][at[1]] += sign * step
                sides.append(formula(moved, **params))
            slope = [[(a - b) / (2 * step) for a, b in zip(*r, strict=True)]
                     for r in zip(*sides, strict=True)]  # fmt: skip
            exact = np.array(slope, dtype=float)
            np.testing.assert_allclose(got[(..., *at)], exact, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_a_batch_is_its_sequences(case) -> None:
    record = catalog.get(case.split()[0])
    params = dict(CASES[case][1])
    x = np.stack([X, X[::-1] * 0.5])
    for name in ("key", "value"):
        if params.get(name) is not None:
            params[name] = np.stack([params[name], params[name] + 1.0])
    value, slope = record.reference(x, **params), record.derivative(x, **params)
    assert slope.shape == value.shape + x.shape
    for i in range(2):
        own = {k: v[i] if k in ("key", "value") else v for k, v in params.items()}
        np.testing.assert_allclose(value[i], record.reference(x[i], **own), atol=1e-15)
        np.testing.assert_allclose(slope[i, :, :, i], record.derivative(x[i], **own), atol=1e-15)
    assert (slope[0, :, :, 1] == 0).all()
    assert (slope[1, :, :, 0] == 0).all()


def test_adaptive_softmax_takes_one_vector_and_sums_to_one() -> None:
    record = catalog.get("adaptive_log_softmax")
    params = CASES["adaptive_log_softmax bias"][1]
    value = record.reference(X[0], **params)
    assert value.shape == (10,)
    assert record.derivative(X[0], **params).shape == (10, 4)
    assert np.exp(value).sum() == pytest.approx(1.0, abs=1e-14)


def test_layers_reach_beyond_any_bound_they_do_not_state() -> None:
    for case, (_, params) in CASES.items():
        record = catalog.get(case.split()[0])
        said = record.properties.range
        values = np.concatenate([record.reference(s * X, **params).ravel() for s in (1, 1e7, -1e7)])
        assert values.min() > said.lower
        assert values.max() < said.upper or said.upper == 0 >= values.max()
        moved = {k: v * 1e7 for k, v in params.items() if k in ("value", "key")}
        values = np.concatenate(
            [record.reference(s * X, **{**params, **moved}).ravel() for s in (1, 1e7, -1e7)]
        )
        assert math.isinf(said.lower)
        assert values.min() < -1e5
        if math.isinf(said.upper):
            assert values.max() > 1e5
        else:
            assert values.max() == pytest.approx(said.upper, abs=1e-9)


@pytest.mark.parametrize("case", ["scaled_dot_product_attention", "additive_attention",
                                  "multi_head_attention", "grouped_query_attention",
                                  "adaptive_log_softmax"])  # fmt: skip
def test_layers_are_smooth(case) -> None:
    record, params = catalog.get(case), CASES[case][1]

    assert (
        bends(lambda x: record.reference(x, **params), X.shape, width=0.04, reach=0.2)
        == record.properties.smoothness
    )


BAD = [
    ("scaled_dot_product_attention", X[0], {}, r"\(…, positions, features\), got shape \(4,\)"),
    ("scaled_dot_product_attention", X, {"key": normal(5, 3)}, r"key has 3 features, expected 4"),
    ("scaled_dot_product_attention", X, {"key": normal(2, 5, 4)}, r"key of shape \(2, 5, 4\)"),
    ("scaled_dot_product_attention", X, {"value": normal(5, 4)}, "5 values and 3 keys"),
    ("scaled_dot_product_attention", X, {"mask": MASK[:, :2]}, r"mask of shape \(3, 2\)"),
    ("additive_attention", X, {"scale": normal(3)}, r"scale of shape \(3,\)"),
    ("multi_head_attention", X, {**HEADS, "query_weight": normal(6, 3)}, "query_weight of shape"),
    ("multi_head_attention", X, {**HEADS, "key_weight": normal(8, 4)}, "3 query and 4 key"),
    ("multi_head_attention", X, {**HEADS, "num_heads": 5}, "6 rows, not a multiple of 5 heads"),
    ("multi_head_attention", X, {**HEADS, "key_bias": normal(5)}, "key_bias of shape"),
    ("multi_head_attention", X, {**HEADS, "output_weight": normal(5, 3)}, "output_weight of shape"),
    ("adaptive_log_softmax", X, {"head_weight": normal(5, 3), "tails": []}, "takes 3 features"),
    ("adaptive_log_softmax", X, {"head_weight": normal(2, 4), "tails": TAILS}, "got 2 rows"),
    (
        "adaptive_log_softmax",
        X,
        {"head_weight": normal(5, 4), "tails": [TAILS[0], (normal(2, 4), normal(3, 1))]},
        r"tail 1 needs weights of shapes \(h, 4\)",
    ),
]


@pytest.mark.parametrize(("name", "x", "params", "message"), BAD)
def test_wrong_shapes_say_which(name, x, params, message) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        catalog.get(name).reference(x, **params)


def test_missing_weights_are_named() -> None:
    with pytest.raises(ParameterError, match="needs a value for num_heads, query_weight"):
        catalog.get("multi_head_attention").reference(X)


def test_heads_must_share_evenly() -> None:
    with pytest.raises(ParameterError, match="num_heads a multiple of num_key_value_heads"):
        catalog.get("grouped_query_attention").reference(X, **{**GROUPED, "num_heads": 3})
