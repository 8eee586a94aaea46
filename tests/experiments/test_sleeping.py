"""Who is asleep, who is dead, and what a sleeping network hands on."""

import numpy as np
import pytest
import torch

from actlab import ensemble
from actlab.experiments import sleeping


def test_a_sleeping_unit_is_one_that_is_never_positive():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [2.0, 0.5]], np.float32)

    def init(shape, generator):  # the second unit sees minus the sum of absolute values
        first = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
        return first if shape == (2, 2) else torch.zeros(shape, dtype=torch.float64)

    result = ensemble.train(
        (x, np.array([0, 1, 0, 1])),
        arms={name: {"activation": name} for name in ("relu", "leaky_relu")},
        seeds=1,
        epochs=1,
        hidden=(2,),
        init=init,
        bias=-0.5,
        batch_size=4,
        probe=sleeping.sleeping_units,
        probe_at=[0],
    )
    for arm in ("relu", "leaky_relu"):
        assert result.probe("asleep", arm)[0, 0].tolist() == [0, 1]
    assert result.probe("dead", "relu")[0, 0].tolist() == [0, 1]
    assert result.probe("dead", "leaky_relu")[0, 0].tolist() == [0, 0]


def test_the_coma_puts_every_unit_to_sleep(monkeypatch):
    monkeypatch.setattr(sleeping, "COMA_RATES", (0.1,))
    monkeypatch.setattr(sleeping, "COMA_EPOCHS", 1)
    table = sleeping.coma(root=1, seeds=1)
    asleep = table[table.arm == "coma"].groupby("slope").asleep.min()
    assert asleep[[0.0, 0.01, 0.1]].min() == 1
    assert asleep[0.3] > 0.95
    assert table[table.arm == "awake"].asleep.max() < 0.05


def test_every_sleeping_layer_above_costs_a_factor_of_the_slope():
    found = sleeping.gradients_asleep((0.1,), depth=3)["slope 0.1"]
    assert found.shape == (20, 3)
    below = found[:, :-1] / found[:, 1:]
    assert np.median(below) == pytest.approx(0.1, rel=0.5)


def test_what_is_told_of_a_data_set_is_in_the_table():
    table = sleeping.load("leaky_asleep")
    found = sleeping.shares("mnist1d", root=1)
    rows = table[(table.root == 1) & (table.data == "mnist1d") & (table.arm == "leaky 0.3")]
    rows = rows[(rows.lr == 0.1) & ~rows.diverged]
    assert found["leaky 0.3"][0.1].mean == pytest.approx(100 * rows.asleep.mean(), rel=1e-6)
    assert found["leaky 0.3"][0.1].n == len(rows)
