"""The geometry against a loop, and centring against the function it must not change."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from actlab.experiments import fisher
from actlab.trial import Measured


def test_centring_leaves_the_function_alone_and_no_mean():
    x, y = fisher.small_digits(30)
    model = fisher.network("elu", seed=0)
    moved = fisher.centred(model, x)
    assert torch.allclose(model(x), moved(x), atol=1e-12)
    assert fisher.geometry(model, x, y)["mean_activation"] > 0.1
    assert fisher.geometry(moved, x, y)["mean_activation"] == pytest.approx(0, abs=1e-9)


def test_the_fisher_matrix_against_a_loop():
    x, y = fisher.small_digits(12)
    model = fisher.network("relu", seed=1)
    probabilities = torch.softmax(model(x), 1).detach()
    parameters = list(model.parameters())
    matrix = 0
    for i in range(len(x)):
        for c in range(10):  # the expectation over the labels that the network itself predicts
            log_p = torch.log_softmax(model(x[i : i + 1]), 1)[0, c]
            g = torch.cat([p.flatten() for p in torch.autograd.grad(log_p, parameters)])
            matrix = matrix + probabilities[i, c] * torch.outer(g, g) / len(x)
    eigenvalues = torch.linalg.eigvalsh(matrix)
    loss = nn.functional.cross_entropy(model(x), y)
    gradient = torch.cat([p.flatten() for p in torch.autograd.grad(loss, parameters)])
    damped = matrix + 0.01 * eigenvalues.mean() * torch.eye(len(matrix))
    expected = torch.cosine_similarity(gradient, torch.linalg.solve(damped, gradient), dim=0)
    found = fisher.geometry(model, x, y)
    assert found["condition"] == pytest.approx(float(eigenvalues[-1] / eigenvalues.mean()))
    assert found["cosine_0.01"] == pytest.approx(float(expected), abs=1e-6)


def test_training_stops_at_the_loss_or_after_the_steps():
    x, y = fisher.small_digits(50)
    model = fisher.network("elu", seed=0)
    fisher.learn(model, x, y, 1_000, loss=1.0)
    there = nn.functional.cross_entropy(model(x), y).item()
    assert 0.7 < there <= 1.0
    fisher.learn(model, x, y, 3)
    assert nn.functional.cross_entropy(model(x), y).item() != there


def test_after_as_many_steps_elu_has_come_further_down():
    x, y = fisher.small_digits()
    losses = {}
    for name in ("relu", "elu"):
        model = fisher.network(name, seed=1)
        fisher.learn(model, x, y, 150)
        losses[name] = nn.functional.cross_entropy(model(x), y).item()
    assert losses["elu"] < losses["relu"]


def test_the_smallest_gain_of_the_dampings_counts_in_both_runs(monkeypatch):
    rows = [
        {
            "root": root,
            "seed": seed,
            "when": when,
            "arm": arm,
            "condition": 9.0,
            "mean_activation": 0.5,
            **{
                f"cosine_{damping:g}": 0.1 + (arm == "elu") * (0.1 * i - 0.1 * root) + 0.01 * seed
                for i, damping in enumerate(fisher.DAMPINGS)
            },
        }
        for root in (0, 1)
        for seed in range(5)
        for when in fisher.STAGES
        for arm in ("relu", "elu")
    ]
    table = pd.DataFrame(rows)
    early = table.when.isin(["start", "trained"])
    stages = {fisher.AT_STEPS.name: table[early], fisher.AT_LOSS.name: table[~early]}
    monkeypatch.setattr(fisher, "load", stages.__getitem__)
    found = fisher.closer("", {"it": ("elu", "relu")})(0, lambda n: 0.95)[fisher.GAIN]
    assert isinstance(found, Measured)
    assert len(found.cases) == len(fisher.STAGES)
    gain = found.cases["it", "before training"]
    assert (gain.mean, gain.low, gain.high) == pytest.approx((-0.05, -0.1, 0.0))


@pytest.mark.parametrize("study", fisher.STUDIES, ids=lambda study: study.name)
def test_the_committed_rows_are_those_of_the_cells(study):
    from actlab.study import load

    table = load(study.name)
    cells = len(list(study.cells()))
    assert len(table) == cells * 20 * 2 * len(study.settings["stages"])
    assert np.isfinite(table.select_dtypes("number")).all(None)
