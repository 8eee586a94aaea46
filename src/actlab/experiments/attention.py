"""Attention: what a place of a sequence takes from the others, its scale, and its masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.study import root_seeds
from actlab.trial import Evidence, Level, Measured, experiment

Array = npt.NDArray[np.float64]

PLACES, FEATURES, HEADS = 6, 8, 2

# --- The layers -----------------------------------------------------------------------------------


def in_torch(seed: int, **options: Any) -> Any:
    """PyTorch's MultiheadAttention in float64, its biases drawn too; batch first."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = torch.nn.MultiheadAttention(
            FEATURES, HEADS, batch_first=True, dtype=torch.float64, **options
        )
        with torch.no_grad():
            for weight in layer.parameters():
                weight.normal_(0, 0.5)
    return layer


def in_keras(layer: Any) -> Any:
    """Keras's MultiHeadAttention with the weights of PyTorch's."""
    import keras

    twin = keras.layers.MultiHeadAttention(HEADS, FEATURES // HEADS, dtype="float64")
    twin.build((None, None, FEATURES), (None, None, FEATURES))
    twin.set_weights(carried(layer))
    return twin


def carried(layer: Any) -> list[Array]:
    """The weights of PyTorch's MultiheadAttention as Keras's layer takes them.

    Query, key and value: (features, heads, size), bias (heads, size); then the way out, (heads,
    size, features).
    """
    heads = layer.num_heads
    found = []
    for weight, bias in zip(
        layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3), strict=True
    ):
        matrix, offset = (part.detach().numpy() for part in (weight, bias))
        found += [matrix.T.reshape(len(matrix), heads, -1), offset.reshape(heads, -1)]
    out = layer.out_proj
    matrix = out.weight.detach().numpy().T
    return [*found, matrix.reshape(heads, -1, matrix.shape[1]), out.bias.detach().numpy()]


# --- Does it treat each place by itself? ----------------------------------------------------------

ELSEWHERE = "other places that change"


def changed_elsewhere(function: Callable[[Array], Any], seed: int) -> float:
    """Per cent of the other places whose output changes with a number of one place."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1, PLACES, FEATURES))
    other = x.copy()
    other[0, 2, 0] += 1
    before, after = (np.asarray(function(given))[0] for given in (x, other))
    moved = (before != after).any(axis=1)
    return 100 * float(np.delete(moved, 2).mean())


def _by_torch(module: Any, x: Array) -> Any:
    import torch

    return module(torch.from_numpy(x)).detach().numpy()


@experiment(
    f"A sequence of {PLACES} places with {FEATURES} numbers each; one number at one place is "
    "changed: at how many of the other places the output changes. The notes have the same of "
    "PyTorch's neighbours in the starting document's list.",
    "Both frameworks, random weights",
)
def apart(root: int, level: Level) -> Evidence:
    import keras
    import torch
    from torch.nn import functional

    layer = in_torch(root)
    twin, bare = in_keras(layer), keras.layers.Attention(dtype="float64")

    def torch_layer(x: Array) -> Any:
        given = torch.from_numpy(x)
        return layer(given, given, given)[0].detach().numpy()

    def torch_function(x: Array) -> Any:
        given = torch.from_numpy(x)
        return functional.scaled_dot_product_attention(given, given, given).numpy()

    functions: dict[str, Callable[[Array], Any]] = {
        "nn.MultiheadAttention": torch_layer,
        "scaled_dot_product_attention": torch_function,
        "keras.layers.MultiHeadAttention": lambda x: twin(x, x),
        "keras.layers.Attention": lambda x: bare([x, x]),
    }
    cases = {name: changed_elsewhere(function, root) for name, function in functions.items()}
    others = {
        "nn.Tanhshrink": torch.nn.Tanhshrink(),
        "nn.Softmax(-1)": torch.nn.Softmax(-1),
        "nn.LogSoftmax(-1)": torch.nn.LogSoftmax(-1),
        "nn.PReLU": torch.nn.PReLU(dtype=torch.float64),
    }
    notes = {name: changed_elsewhere(partial(_by_torch, f), root) for name, f in others.items()}
    return {ELSEWHERE: Measured.exact(cases, "layer", notes=notes)}


# --- The scale ------------------------------------------------------------------------------------

LEFT = "slope that a typical query is left with"
SIZES = (4, 16, 64, 256, 1024)
KEYS, QUERIES = 64, 200


def slope(shares: Array) -> Array:
    """Frobenius norm of the softmax's Jacobian, diag(p) − p pᵀ, for each row."""
    square, cube = (shares**2).sum(-1), (shares**3).sum(-1)
    size: Array = np.sqrt(np.maximum(square - 2 * cube + square**2, 0))
    return size


def slopes(d: int, seed: int) -> tuple[Array, Array]:
    """Of every query the slope of its softmax, by bare products and by products over √d."""
    from scipy.special import softmax

    rng = np.random.default_rng([seed, d])
    scores = rng.normal(size=(QUERIES, d)) @ rng.normal(size=(KEYS, d)).T
    return slope(softmax(scores, -1)), slope(softmax(scores / d**0.5, -1))


@experiment(
    f"{QUERIES} queries and {KEYS} keys of d standard normal numbers: the size of the softmax's "
    "slope (the Frobenius norm of its Jacobian) at their products, of that at the products over "
    "√d. The median over the queries, twenty seeds.",
    "Random queries, 64 random keys · 20 seeds",
)
def scale(root: int, level: Level) -> Evidence:
    cases, means = {}, {}
    for d in SIZES:
        runs = [slopes(d, seed) for seed in root_seeds(root)]
        share = [100 * np.median(bare) / np.median(scaled) for bare, scaled in runs]
        cases[f"d = {d:,}"] = stats.mean_interval(share, level(len(SIZES)))
        means[f"d = {d:,}"] = float(np.mean([100 * b.mean() / s.mean() for b, s in runs]))
    return {LEFT: Measured.of(cases, "size", notes={"by the mean query instead (%)": means})}


# --- The same in both frameworks ------------------------------------------------------------------

GAP = "largest difference"


@experiment(
    "PyTorch's MultiheadAttention and Keras's MultiHeadAttention with its weights, in float64, on "
    "the same sequences; the masks of the one are the negation of those of the other.",
    "Both frameworks, random weights",
)
def same(root: int, level: Level) -> Evidence:
    import torch

    layer = in_torch(root)
    twin = in_keras(layer)
    x = np.random.default_rng(root).normal(size=(3, PLACES, FEATURES))
    padding = np.arange(PLACES) < np.array([[6], [4], [2]])  # True: a word
    causal = np.tri(PLACES, dtype=bool)
    calls: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "no mask": ({}, {}),
        "a causal mask": ({"attn_mask": torch.from_numpy(~causal)}, {"use_causal_mask": True}),
        "padding": (
            {"key_padding_mask": torch.from_numpy(~padding)},
            {"attention_mask": padding[:, None, :]},
        ),
    }
    given = torch.from_numpy(x)
    cases = {
        name: float(
            np.abs(
                layer(given, given, given, **ours)[0].detach().numpy()
                - np.asarray(twin(x, x, **theirs))
            ).max()
        )
        for name, (ours, theirs) in calls.items()
    }
    return {GAP: Measured.exact(cases, "mask")}


# --- Masks ----------------------------------------------------------------------------------------

MARKED, BLANK = "weight on what is marked True", "NaN in the row of that query"


def masked(mask: npt.NDArray[np.bool_], seed: int) -> dict[str, Callable[[], Array]]:
    """Call → the weights (queries, keys) under a boolean mask of that shape.

    Each value is a unit vector of its own, so that what comes out are the weights themselves.
    """
    import keras
    import torch
    from torch.nn import functional

    rng = np.random.default_rng(seed)
    n, m = mask.shape
    q, k = rng.normal(size=(1, n, FEATURES)), rng.normal(size=(1, m, FEATURES))
    v = np.eye(m)[None]
    layer = in_torch(seed)
    twin = in_keras(layer)
    tq, tk, tv, tm = map(torch.from_numpy, (q, k, v, mask))

    def torch_layer(**given: Any) -> Array:
        found: Array = layer(tq, tk, tk, **given)[1][0].detach().numpy()
        return found

    def torch_function() -> Array:
        found: Array = functional.scaled_dot_product_attention(tq, tk, tv, tm)[0].numpy()
        return found

    def heads(x: Array) -> Any:
        return keras.ops.convert_to_tensor(x[:, :, None])

    return {
        "nn.MultiheadAttention, attn_mask": lambda: torch_layer(attn_mask=tm),
        "nn.MultiheadAttention, key_padding_mask": lambda: torch_layer(key_padding_mask=tm[:1]),
        "scaled_dot_product_attention": torch_function,
        "keras.layers.MultiHeadAttention": lambda: np.asarray(
            twin(q, k, attention_mask=mask[None], return_attention_scores=True)[1]
        )[0].mean(0),
        "keras.layers.Attention": lambda: np.asarray(
            keras.layers.Attention(dtype="float64")([q, v, k], mask=[None, mask[:1]])
        )[0],
        "keras.ops.dot_product_attention": lambda: np.asarray(
            keras.ops.dot_product_attention(heads(q), heads(k), heads(v), mask=mask[None, None])
        )[0, :, 0],
    }


@experiment(
    "A boolean mask that is True at two of five keys: how much of the attention weight lies on "
    "these two, by the argument that it is handed to.",
    "Both frameworks, random queries and keys",
)
def polarity(root: int, level: Level) -> Evidence:
    mask = np.zeros((3, 5), bool)
    mask[:, :2] = True
    calls = masked(mask, root)
    cases = {name: 100 * float(weights()[:, :2].sum(1).mean()) for name, weights in calls.items()}
    return {MARKED: Measured.exact(cases, "call")}


def _torch_paths(seed: int) -> Iterable[tuple[str, Array]]:
    """PyTorch's layer where the first query may look at nothing, by call path."""
    import torch

    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(1, 4, FEATURES)))
    drop = torch.zeros(4, 4, dtype=torch.bool)
    drop[0] = True
    for name, training, wanted in (
        ("nn.MultiheadAttention, weights wanted", True, True),
        ("nn.MultiheadAttention, need_weights=False", True, False),
        ("nn.MultiheadAttention, need_weights=False, evaluation", False, False),
    ):
        layer = in_torch(seed).train(training)
        with torch.inference_mode(not training):
            out = layer(x, x, x, attn_mask=drop, need_weights=wanted)[0]
        yield name, out[0].detach().numpy()


@experiment(
    "The first query may look at no key at all, the others at some: how many numbers of its row "
    "are NaN, by call path.",
    "Both frameworks on the CPU, random queries and keys",
)
def empty(root: int, level: Level) -> Evidence:
    mask = np.ones((3, 5), bool)
    mask[0] = False
    rows: Mapping[str, Array] = dict(_torch_paths(root)) | {
        name: masked(mask, root)[name]()
        for name in (
            "scaled_dot_product_attention",
            "keras.layers.MultiHeadAttention",
            "keras.ops.dot_product_attention",
        )
    }
    cases = {name: 100 * float(np.isnan(found[0]).mean()) for name, found in rows.items()}
    return {BLANK: Measured.exact(cases, "call")}
