"""Decay acts on the part it is given to, and a cell of the study comes out as it is committed."""

import numpy as np
import pytest

from actlab.experiments import decay
from actlab.study import load

SLOPES = [f"slope{layer}" for layer in range(1, 6)]


@pytest.mark.parametrize(
    ("optimiser", "decaying"), [("SGD", "everything"), ("AdamW", "slopes only")]
)
def test_the_committed_cell_was_a_plain_loop_and_comes_out_of_the_ensemble(
    optimiser, decaying, monkeypatch
):
    monkeypatch.setattr(decay, "root_seeds", lambda root: range(3))
    cell = {"data": "mnist1d", "optimiser": optimiser, "root": 0, "decaying": decaying}
    found = decay.decay_cell(**cell)
    committed = load("leaky_decay", **cell)
    assert {*found.columns, *cell} == set(committed.columns)
    committed = committed[committed.seed < 3]
    np.testing.assert_allclose(found.strength, committed.strength, rtol=1e-6)
    assert list(found.seed) == list(committed.seed)
    # In float32 paths part after some hundred steps; the slopes lie between −0.2 and 1.1.
    np.testing.assert_allclose(found[SLOPES], committed[SLOPES], atol=0.1)
    np.testing.assert_allclose(found["size"], committed["size"], atol=0.02)
    np.testing.assert_allclose(found.accuracy, committed.accuracy, atol=0.05)


def test_decay_acts_on_the_part_it_is_given_to(monkeypatch):
    monkeypatch.setattr(decay, "root_seeds", lambda root: range(1))
    monkeypatch.setitem(decay.EPOCHS, "digits", 1)
    monkeypatch.setitem(decay.OPTIMISERS, "SGD", (0.03, (0.1, 0.3)))
    none, weights, leaks = (
        decay.decay_cell("digits", "SGD", 0, decaying).iloc[0]
        for decaying in ("nothing", "all but the slopes", "slopes only")
    )
    assert weights["size"] < 0.9 * none["size"]
    assert leaks[SLOPES].mean() < none[SLOPES].mean()
