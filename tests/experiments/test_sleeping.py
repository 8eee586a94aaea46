"""Who is asleep, who is dead, and what a sleeping network hands on."""

import numpy as np
import torch

from actlab import ensemble
from actlab.experiments import dying, sleeping


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
        probe=["dead", sleeping.sleeping_units],
        probe_at=[0],
    )
    for arm in ("relu", "leaky_relu"):
        assert result.probe("asleep", arm)[0, 0].tolist() == [0, 1]
    assert result.probe("dead_units", "relu")[0, 0].tolist() == [0, 1]
    assert result.probe("dead_units", "leaky_relu")[0, 0].tolist() == [0, 0]


def test_the_coma_puts_every_unit_to_sleep(monkeypatch):
    monkeypatch.setattr(sleeping, "COMA_RATES", (0.1,))
    monkeypatch.setattr(sleeping, "COMA_EPOCHS", 1)
    monkeypatch.setattr(dying, "root_seeds", lambda root: range(1))
    table = sleeping.coma(root=1)
    asleep = table[table.arm == "coma"].groupby("slope").asleep.min()
    assert asleep[[0.0, 0.01, 0.1]].min() == 1
    assert asleep[0.3] > 0.95
    assert table[table.arm == "awake"].asleep.max() < 0.05
