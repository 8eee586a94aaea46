"""Gradients at the start and in training are those of plain autograd; readers read them right."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from actlab import data, ensemble
from actlab.experiments import fading, untrained
from actlab.study import Study


def plain(init, seed, activation=nn.Tanh):
    settings = ensemble.Settings(activation="tanh", hidden=(64, 64), init=init)
    modules = []
    for weight, bias in ensemble.initial_weights(settings, settings.layer_sizes(64, 10), seed):
        layer = nn.Linear(*weight.T.shape)
        layer.load_state_dict({"weight": weight, "bias": bias})
        modules += [layer, activation()]
    return nn.Sequential(*modules[:-1])


def small(study, **axes):
    """The same study with fewer cells: what its task gives."""
    assert isinstance(study, Study)
    return study.task(**axes, **study.settings)


def test_gradients_at_the_start_have_a_row_for_each_network_and_layer():
    cell = small(fading.AT_START, activation="sigmoid", start=fading.CENTRED, depth=2)
    assert len(cell) == 2 * 20 * 2
    cell = cell.assign(activation="sigmoid", start=fading.CENTRED, depth=2)
    assert fading.profile(cell, start=fading.CENTRED, root=1).shape == (20, 2)
    start = fading.STARTS[fading.CENTRED]
    networks = untrained.draw(range(20), activation="sigmoid", hidden=(64, 64), **start)
    norms = untrained.weight_gradients(networks, *untrained.digits())
    first = fading.first_over_last(cell, root=0)
    np.testing.assert_allclose(first, untrained.decades(norms)[:, 0], atol=2e-3)


def test_gradients_in_training_are_those_of_the_mean_loss():
    settings = {**fading.IN_TRAINING.settings, "rates": (0.03,)}
    cell = fading.training_cell(0, 2, "tanh", "He", **settings)
    table = cell.assign(activation="tanh", start="He", depth=2)
    assert len(table) == 20 * 3 * 2  # seeds × looks × layers
    assert (table[table.epoch == 3].valid_accuracy > 0.5).all()
    digits, model = data.load("digits"), plain("he_normal", 11)
    x, y = (torch.from_numpy(part[:256]) for part in (digits.x_train, digits.y_train))
    nn.functional.cross_entropy(model(x), y).backward()
    expected = [float(model[i].weight.grad.norm().log10()) for i in (0, 2)]
    found = table[(table.seed == 11) & (table.epoch == 0)].sort_values("layer").log_norm
    np.testing.assert_allclose(found, expected, atol=1e-3)
    ratio = fading.first_over_last(table, start="He", epoch=0)
    np.testing.assert_allclose(ratio[11], expected[0] - expected[1], atol=1e-3)


def in_training(before, after):
    """A table in which every case of every depth has these ratios, seed by seed."""
    rows = [
        (0, depth, activation, start, seed, epoch, layer, value if layer == 1 else 0.0)
        for depth in (2, 10, 50)
        for activation in fading.ACTIVATIONS
        for start in fading.TRAINED_STARTS
        for epoch, values in ((0, before), (3, after))
        for seed, value in enumerate(values)
        for layer in (1, depth)
    ]
    columns = ["root", "depth", "activation", "start", "seed", "epoch", "layer", "log_norm"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("before", "after", "cases", "lost"),
    [
        ([-5.0, -5.1, -4.9], [-1.0, -1.1, -0.9], 48, 0),  # came back: asked, and it counts
        ([-1.0, -1.1, -0.9], [-5.0, -5.1, -4.9], 0, 48),  # was not vanished: not asked
        ([-5.0, -5.1, -4.9], [np.nan] * 3, 0, 0),  # all have diverged
        ([-45.0] * 3, [-45.0] * 3, 48, 0),  # float32 rounds all of them to zero
    ],
)
def test_what_is_asked_is_what_has_vanished_at_the_start(monkeypatch, before, after, cases, lost):
    monkeypatch.setattr(fading, "load", lambda name, root: in_training(before, after))
    (found,) = fading.stays_vanished(0, lambda n: 0.95).values()
    assert len(found.cases) == cases
    assert len(found.notes["vanished during training"]) == lost
    for interval in found.cases.values():
        assert interval.mean == pytest.approx(np.mean(after))
