"""Whatever settings are drawn, an ensemble is what a plain ``torch.nn`` loop is.

Two networks are trained by the engine and one by one by :mod:`tests.ensemble.reference`, in the
same dtype; a third time in float64, which tells how much rounding does to these settings. The
engine may be off by a few times what the plain loop is off.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st

from actlab import catalog, ensemble
from actlab.ensemble import activations, network, optimisers, training
from tests.ensemble import reference

ACTIVATIONS = ensemble.hidden_activations()
DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
TIMES = 8
SEEDS = (3, 8)
EPOCHS = 2


@functools.cache
def small_data():
    rng = np.random.default_rng(0)
    x, y = 2 * rng.normal(size=(44, 6)), rng.integers(0, 3, 44)
    return x[:30], y[:30], x[30:], y[30:]


@st.composite
def parameters(draw, record):
    """Some of a record's parameters, moved to a neighbour of an example or of the default."""
    drawn = {}
    for p in record.parameters:
        if draw(st.booleans()):
            value = draw(st.sampled_from((p.default, *p.examples)))
            if isinstance(value, float) and math.isfinite(value):
                # A float32, as PyTorch rounds α to one in CELU's gradient whatever the dtype.
                value = float(np.float32(value * draw(st.sampled_from((1.0, 0.9, 1.3)))))
            assume(p.check(value))
            drawn[p.name] = value
    return drawn


@st.composite
def arms(draw, names=ACTIVATIONS):
    """The settings of an arm, and a dtype to train it in."""
    record = catalog.get(draw(st.sampled_from(names)))
    number = st.sampled_from
    decay = number((0.0, 0.03, {"weights": 0.1, "activation": 0.2}, {"biases": 0.3}))
    residual = draw(st.booleans())
    own = {
        "activation": record.name,
        "params": draw(parameters(record)),
        "hidden": draw(number(((5,), (6, 6), (7, 4, 4), (3, 8)))),
        "init": draw(number(("torch", "keras", "he_normal", "orthogonal"))),
        "gain": draw(number((1.0, 0.5, 2.0))),
        "bias": draw(number((None, 0.2))),
        "optimizer": draw(number(("sgd", "sgd", "adam", "adamw"))),
        "lr": draw(number((0.003, 0.03))),
        "momentum": draw(number((0.0, 0.9))),
        "weight_decay": draw(decay),
        "eps": 1e-2,  # else Adam blows up the rounding of a gradient that should be zero
        "batch_size": draw(number((30, 16, 8, 7))),
        "normalization": draw(number((None, None, "batch", "layer"))),
        "residual": residual,
        "branch_gain": draw(number((1.0, 0.5))) if residual else 1.0,
        "dropout": draw(number((0.0, 0.0, 0.3))),
        "alpha_dropout": draw(st.booleans()),
        "clip_norm": draw(number((None, None, 0.5))),
    }
    try:
        return ensemble.Settings(**own), draw(st.sampled_from(list(DTYPES)))
    except catalog.ParameterError:
        assume(False)


def plain(arm, seed, dtype):
    """Losses, logits and weights of the plain loop, as one float64 vector."""
    x, y, x_valid, _ = small_data()
    losses, model, logits = reference.train(arm, seed, x, y, EPOCHS, dtype, 3, x_valid)
    parts = [
        torch.tensor(losses, dtype=torch.float64),
        logits.flatten(),
        *(p.flatten() for p in model.parameters()),
    ]
    return torch.cat([p.detach().double() for p in parts])


def ours(arm, dtype):
    """The same of the engine's networks, computed together."""
    result = ensemble.train(
        small_data(), arms={"arm": dataclasses.asdict(arm) | {"activation": arm.activation}},
        seeds=SEEDS, epochs=EPOCHS, dtype=dtype, chunk=2, progress=False,
    )  # fmt: skip
    vectors = []
    for i in range(len(SEEDS)):
        model = result.member(i).eval()
        weights = list(model.parameters())
        logits = model(torch.as_tensor(small_data()[2]).to(weights[0].dtype))
        parts = [torch.from_numpy(result.train_loss[i]), logits, *weights]
        vectors.append(torch.cat([p.detach().double().flatten() for p in parts]))
    return vectors


def excess(arm, dtype):
    """How far the engine is off, in units of what rounding does; infinite where one is not."""
    worst = 0.0
    for found, seed in zip(ours(arm, dtype), SEEDS, strict=True):
        expected, exact = plain(arm, seed, DTYPES[dtype]), plain(arm, seed, torch.float64)
        if not expected.isfinite().all():  # an exponential of an exponential
            if found.isfinite().all():
                return math.inf
            continue
        size = exact.abs().max().item()
        rounding = (expected - exact).abs().max() + 4 * torch.finfo(DTYPES[dtype]).eps * size
        distance = (found - expected).abs().max() / rounding
        worst = max(worst, distance.nan_to_num(math.inf).item())
    return worst


def search(examples, *phases):
    return settings(
        max_examples=examples,
        phases=phases,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@given(arms())
@search(150, Phase.generate, Phase.shrink)
def test_an_ensemble_is_what_a_plain_loop_is(drawn):
    assert excess(*drawn) <= TIMES


def two_percent(f):
    """A kernel with a gradient that is too large."""
    if pair := activations.kernel(f):
        pair = dataclasses.replace(
            pair, backward=lambda g, s, right=pair.backward: (right(g, s), g.mul_(1.02))
        )
    return pair


FAULTS = {
    "a gradient": lambda patch: patch.setattr(network, "kernel", two_percent),
    "normalisation": lambda patch: patch.setattr(network.Normalisation, "eps", 1e-3),
    "alpha dropout": lambda patch: patch.setattr(network.Dropout, "limit", -1.7),
    "clipping": lambda patch: patch.setattr(
        optimisers, "clip", lambda p, limit, n, right=optimisers.clip: right(p, 1.02 * limit, n)
    ),
    "decay": lambda patch: patch.setattr(optimisers.AdamW, "decay", optimisers.Adam.decay),
    "a batch": lambda patch: patch.setattr(
        training,
        "cross_entropy",
        lambda z, y, out=None, right=training.cross_entropy: (
            (loss := right(z, y, out)),
            loss[1].mul_(128 / (127 + len(y[0]))),
        )[0],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_comparison_can_fail(fault, monkeypatch):
    """A few dozen draws find what is wrong."""
    FAULTS[fault](monkeypatch)
    find(arms(), lambda drawn: excess(*drawn) > TIMES, settings=search(150, Phase.generate))
