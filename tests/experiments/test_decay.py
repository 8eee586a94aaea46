"""Decay acts on the part it is given to, and a cell of the study comes out as it is committed."""

import numpy as np
import pytest

from actlab.experiments import decay
from actlab.study import load


@pytest.mark.parametrize(
    ("optimiser", "decaying"), [("SGD", "everything"), ("AdamW", "slopes only")]
)
def test_a_cell_comes_out_as_it_is_committed(optimiser, decaying, monkeypatch):
    monkeypatch.setattr(decay, "root_seeds", lambda root: range(3))
    cell = {"data": "mnist1d", "optimiser": optimiser, "root": 0, "decaying": decaying}
    found = decay.decay_cell(**cell, **decay.DECAY.settings)
    committed = load("leaky_decay", **cell)
    assert {*found.columns, *cell} == set(committed.columns)
    committed = committed[committed.seed < 3]
    for column in found:
        np.testing.assert_allclose(found[column], committed[column], rtol=1e-6, err_msg=column)


def test_decay_acts_on_the_part_it_is_given_to(monkeypatch):
    monkeypatch.setattr(decay, "root_seeds", lambda root: range(1))
    monkeypatch.setitem(decay.EPOCHS, "digits", 1)
    monkeypatch.setitem(decay.OPTIMISERS, "SGD", (0.03, (0.1, 0.3)))
    none, weights, leaks = (
        decay.decay_cell("digits", "SGD", 0, decaying, dtype="float64").iloc[0]
        for decaying in ("nothing", "all but the slopes", "slopes only")
    )
    assert weights["size"] < 0.9 * none["size"]
    assert leaks[decay.SLOPES].mean() < none[decay.SLOPES].mean()
