"""The same training in JAX, timed on request. Runs in an environment of its own (`make bench`).

    python benchmarks/jax_peer.py work.npz

``work.npz`` holds ``x``, ``y``, ``hidden``, ``epochs``, ``batch``, ``lr``, ``momentum`` and
``counts``, the numbers of networks. It compiles and says so; then it answers every line on standard
input with one line of JSON: seconds per network, by number of networks and form. The forms are
``vmap`` (all networks at once) and ``map of 4``, ``map of 8`` (``lax.map`` over batches of so many
under ``vmap``); after the first line only the faster one of these is timed again.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

BATCHES = (4, 8)  # networks at once under lax.map


def training(work: Any) -> Callable[[Any, Any, Any], Any]:
    """One network's training, from a key to its weights: SGD with momentum, shuffled batches."""
    n, features = work["x"].shape
    widths = [features, *work["hidden"].tolist(), int(work["y"].max()) + 1]
    batch, epochs = int(work["batch"]), int(work["epochs"])
    lr, momentum = float(work["lr"]), float(work["momentum"])
    whole = n - n % batch

    def loss(weights: Any, x: Any, y: Any) -> Any:
        for w, b in weights[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = weights[-1]
        log_p = jax.nn.log_softmax(x @ w + b)
        return -jnp.take_along_axis(log_p, y[:, None], 1).mean()

    def train(key: Any, x: Any, y: Any) -> Any:
        start, order = jax.random.split(key)
        weights = []
        for (i, o), own in zip(
            itertools.pairwise(widths), jax.random.split(start, len(widths) - 1), strict=True
        ):
            kw, kb = jax.random.split(own)
            bound = i**-0.5  # as nn.Linear draws them
            weights.append(
                (
                    jax.random.uniform(kw, (i, o), minval=-bound, maxval=bound),
                    jax.random.uniform(kb, (o,), minval=-bound, maxval=bound),
                )
            )

        def step(state: Any, rows: Any) -> tuple[Any, None]:
            weights, velocity = state
            gradient = jax.grad(loss)(weights, x[rows], y[rows])
            velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, gradient)
            return (jax.tree.map(lambda w, v: w - lr * v, weights, velocity), velocity), None

        def epoch(state: Any, key: Any) -> tuple[Any, None]:
            rows = jax.random.permutation(key, n)
            state, _ = jax.lax.scan(step, state, rows[:whole].reshape(-1, batch))
            return (step(state, rows[whole:])[0] if n > whole else state), None

        state = (weights, jax.tree.map(jnp.zeros_like, weights))
        return jax.lax.scan(epoch, state, jax.random.split(order, epochs))[0][0]

    return train


def accuracy(weights: Any, x: Any, y: Any) -> float:
    """Of the last network, on the data it was trained on."""
    for w, b in weights[:-1]:
        x = jax.nn.relu(x @ w[-1] + b[-1])
    w, b = weights[-1]
    return float(((x @ w[-1] + b[-1]).argmax(1) == y).mean())


def main() -> None:
    """Compile, report, then time on request."""
    work = np.load(sys.argv[1])
    x, y = jnp.asarray(work["x"]), jnp.asarray(work["y"])
    train = training(work)
    forms = {}
    for n in work["counts"].tolist():
        forms["vmap", n] = jax.jit(jax.vmap(train, (0, None, None)))
        for size in BATCHES:
            if size < n:
                forms[f"map of {size}", n] = jax.jit(
                    lambda keys, x, y, size=size: jax.lax.map(
                        lambda key: train(key, x, y), keys, batch_size=size
                    )
                )
    keys = {n: jax.random.split(jax.random.key(0), n) for _, n in forms}
    began, compiled = time.perf_counter(), {}
    for (form, n), function in forms.items():
        compiled[form, n] = function.lower(keys[n], x, y).compile()
    report = {
        "jax": jax.__version__,
        "compile_seconds": (time.perf_counter() - began) / len(forms),
        "accuracy": accuracy(next(iter(compiled.values()))(next(iter(keys.values())), x, y), x, y),
    }
    print(json.dumps(report), flush=True)
    fastest: dict[int, str] = {}
    for _ in sys.stdin:
        seconds: dict[str, dict[str, float]] = {}
        for (form, n), function in compiled.items():
            if form != "vmap" and fastest.get(n, form) != form:
                continue
            started = time.perf_counter()
            jax.block_until_ready(function(keys[n], x, y))
            seconds.setdefault(str(n), {})[form] = (time.perf_counter() - started) / n
        for n_text, by_form in seconds.items():
            maps = {form: value for form, value in by_form.items() if form != "vmap"}
            if maps:
                fastest.setdefault(int(n_text), min(maps, key=lambda form: maps[form]))
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
