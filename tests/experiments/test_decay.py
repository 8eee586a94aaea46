"""Decay acts on the part it is given to, and our loop is the ensemble where both can do it."""

import numpy as np
import pytest

from actlab import data, ensemble
from actlab.experiments import contest, decay, slopes

DIGITS = data.load("digits", size=256)


def slopes_of(found):
    return np.array([found[f"slope{layer}"] for layer in range(1, 6)])


@pytest.mark.parametrize("optimiser", ["SGD", "AdamW"])
def test_our_loop_is_the_ensemble_where_both_can_do_it(optimiser):
    both = 0.01 if optimiser == "SGD" else 0.0  # the ensemble's Adam has no decoupled decay
    ours = [
        decay.train_with_decay(DIGITS, seed, 2, optimiser=optimiser, weights=both, slopes=both)
        for seed in (3, 4)
    ]
    settings = {
        "optimizer": "sgd" if optimiser == "SGD" else "adam",
        "lr": decay.OPTIMISERS[optimiser][0],
        "weight_decay": both,
    }
    theirs = ensemble.train(
        DIGITS,
        arms={"prelu": {**contest.prelu(decay.START), **settings}},
        seeds=[3, 4],
        epochs=2,
        hidden=(64,) * 5,
        batch_size=decay.BATCH,
    )
    learned = np.array(list(map(slopes_of, ours)))
    assert learned == pytest.approx(slopes.learned(theirs), abs=1e-3)
    assert abs(learned - decay.START).max() > 0.01
    assert [one["accuracy"] for one in ours] == pytest.approx(theirs.by_arm()["prelu"], abs=0.01)


def test_decay_acts_on_the_part_it_is_given_to():
    none, weights, leaks = (
        decay.train_with_decay(DIGITS, 0, 2, weights=w, slopes=s)
        for w, s in ((0, 0), (0.3, 0), (0, 0.3))
    )
    assert weights["size"] < 0.9 * none["size"]
    assert slopes_of(leaks).mean() < slopes_of(none).mean()
