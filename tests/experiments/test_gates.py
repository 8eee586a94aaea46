"""The stacked networks of the trial of gates are the networks that the text describes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from actlab import claims
from actlab.experiments import gates
from actlab.study import load


def alone(arm, weights, letters):
    """The scores of one network, written plainly."""
    name, gated = gates.ARMS[arm]
    bend = nn.Identity() if name == "linear" else getattr(functional, name)
    parts = iter(weights.split([a * b for a, b in gates.layout(gated).values()]))
    shapes = iter(gates.layout(gated).values())

    def matrix():
        return next(parts).reshape(next(shapes))

    norm = nn.RMSNorm(gates.STREAM, eps=1e-6, elementwise_affine=False)
    stream = matrix()[letters].flatten(1)
    for _ in range(gates.BLOCKS):
        up, down = matrix(), matrix()
        z = norm(stream) @ up
        half = gates.HIDDEN[True]
        bent = z[:, :half] * bend(z[:, half:]) if gated else bend(z)
        stream = stream + bent @ down
    return norm(stream) @ matrix()


@pytest.mark.parametrize("arm", gates.ARMS)
def test_side_by_side_is_as_alone(arm):
    weights = gates.started(arm, [3, 4])
    letters = torch.randint(0, 27, (2, 5, gates.CONTEXT))
    both = gates.logits(weights, letters, arm)
    for own, given, scores in zip(weights, letters, both, strict=True):
        assert torch.allclose(scores, alone(arm, own, given), atol=1e-5)


def test_every_arm_has_as_many_weights_and_starts_as_large():
    assert gates.count(True) == gates.count(False)
    stream = gates.normed(torch.randn(4000, gates.STREAM))
    for arm, (name, gated) in gates.ARMS.items():
        own = gates.started(arm, range(20))
        at = len(gates.ALPHABET) * gates.layout(gated)["letters"][1]
        hidden = gates.HIDDEN[gated]
        width = 2 * hidden if gated else hidden
        up = own[:, at : at + gates.STREAM * width].reshape(20, gates.STREAM, width)
        down = own[:, at + gates.STREAM * width :][:, : hidden * gates.STREAM]
        z = stream @ up
        z = z[..., :hidden] * gates.curve(name, z[..., hidden:]) if gated else gates.curve(name, z)
        size = (z @ down.reshape(20, hidden, gates.STREAM)).square().mean()
        assert size == pytest.approx(1, rel=0.15), arm


def test_what_is_no_part_of_a_block_starts_alike():
    plain, gated = gates.started("ReLU", [7]), gates.started("SwiGLU", [7])
    letters = len(gates.ALPHABET) * gates.STREAM // gates.CONTEXT
    assert torch.equal(plain[:, :letters], gated[:, :letters])
    out = gates.STREAM * len(gates.ALPHABET)
    assert torch.equal(plain[:, -out:], gated[:, -out:])


def test_training_is_adam_and_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    windows = [rng.integers(0, 27, (n, gates.CONTEXT + 1)) for n in (50, 30, 30)]
    options = {"every": 5, "patience": 3, "batch": 8}
    valid, after = gates.fitted("GELU", [windows], [1], [0.01], marks=[5, 100], **options)
    assert len(valid) == valid.argmin() + 1 + 3  # noise cannot be learned: it ends by patience
    own = gates.started("GELU", [1])[0].requires_grad_()
    optimizer = torch.optim.Adam([own], 0.01)
    draw = np.random.default_rng(1)
    for _ in range(5 * (1 + int(valid.argmin()))):
        rows = torch.from_numpy(windows[0][draw.integers(50, size=8)])
        optimizer.zero_grad()
        functional.cross_entropy(alone("GELU", own, rows[:, :-1]), rows[:, -1]).backward()
        optimizer.step()
    test = torch.from_numpy(windows[2])
    expected = functional.cross_entropy(alone("GELU", own, test[:, :-1]), test[:, -1]).item()
    assert after[100] == pytest.approx([expected], abs=1e-3)


def test_the_parts_of_a_split_share_no_string(monkeypatch):
    texts = tuple(np.full(500, i % 27, np.uint8) for i in range(27))
    monkeypatch.setattr(gates, "spelled", lambda: texts)
    train, valid, test = map(np.unique, gates.split_letters(0))
    assert not np.intersect1d(train, valid).size
    assert not np.intersect1d(train, test).size
    assert not np.intersect1d(valid, test).size
    assert not np.array_equal(test, np.unique(gates.split_letters(1)[2]))


def test_the_study_is_whole_and_no_rate_lies_at_an_edge():
    table = load(gates.GATES.name)
    assert (table.groupby("arm").size() == 20).all()
    assert set(table.arm) == set(gates.ARMS)
    assert not table.edge.any()
    assert np.isfinite(table.loss).all()


def test_the_claims_say_who_saw_no_plateau():
    table = load(gates.GATES.name)
    assert (table.ran == 8_000).all()
    assert 1 / 5 < (table.best_at == table.ran).mean() < 1 / 4
    said = "All ran for 8,000 steps, and more than a fifth had their best loss at the last look"
    assert all(said in claim.experiment for claim in claims.all() if claim.chapter == "10_gates")
