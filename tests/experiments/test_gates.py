"""The stacked networks of the trial of gates are the networks that the text describes."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

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
    assert (table.groupby("arm").size() == 40).all()
    assert set(table.arm) == set(gates.ARMS)
    assert not table.edge.any()
    assert np.isfinite(table.loss).all()


def test_every_network_ran_to_its_own_plateau():
    table = load(gates.GATES.name)
    settings = gates.GATES.settings
    assert (table.ran - table.best_at == settings["patience"] * settings["every"]).all()


def test_a_network_that_has_ended_counts_no_more():
    """Side by side with one that goes on, it is what it would have been alone."""
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 27, (n, gates.CONTEXT + 1)) for n in (50, 30, 30)]
    rows = np.tile(np.arange(gates.CONTEXT + 1), (50, 1))
    options = {"marks": [60], "every": 5, "patience": 2, "batch": 8}
    both, after = gates.fitted("GELU", [noise, [rows] * 3], [1, 2], [0.03, 0.01], **options)
    alone, own = gates.fitted("GELU", [noise], [1], [0.03], **options)
    ended = len(alone)
    assert ended < len(both)
    assert np.isnan(both[ended:, 0]).all()
    assert np.isfinite(both[:, 1]).all()
    assert both[:ended, 0] == pytest.approx(alone[:, 0], rel=1e-4)
    assert after[60][0] == pytest.approx(own[60][0], rel=1e-4)


def test_a_network_that_diverged_has_no_loss():
    rows = np.tile(np.arange(gates.CONTEXT + 1), (50, 1))
    options = {"marks": [20], "every": 5, "patience": 9, "batch": 8}
    texts = [[rows] * 3] * 2
    _, after = gates.fitted("bilinear", texts, [1, 2], [0.01, 1e30], **options)
    assert np.isfinite(after[20]).tolist() == [True, False]


def test_speed_is_compared_at_rates_within_those_tried():
    table = load(gates.SPEED.name)
    sizes = table.groupby(["arm", "lr", "tuning"]).size().unstack()
    assert (sizes[False] == 20).all()
    assert (sizes[True] == 10).all()
    tried = gates.SPEED.axes["lr"]
    for pair in gates.RACES.items():
        assert {gates.fastest(arm) for arm in pair} <= set(tried[1:-1])


def test_the_fastest_rate_is_that_of_other_networks(monkeypatch):
    table = load(gates.SPEED.name)
    told = table.copy()
    told.loc[~told.tuning & (told.lr == 0.1), "steps_2.3"] = 1
    monkeypatch.setattr(gates, "load", lambda name, **where: told)
    assert gates.fastest("ReLU") < 0.1
    told.loc[told.tuning & (told.lr == 0.003), "steps_2.3"] = 1
    assert gates.fastest("ReLU") == 0.003
