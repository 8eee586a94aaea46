"""Decay acts on the part it is given to, and our loop is the ensemble where both can do it."""

import pytest

from actlab import data, ensemble
from actlab.experiments import contest, decay, slopes


@pytest.mark.parametrize("optimiser", ["SGD", "AdamW"])
def test_our_loop_is_the_ensemble_where_both_can_do_it(optimiser):
    digits = data.load("digits", size=256)
    both = 0.01 if optimiser == "SGD" else 0.0  # the ensemble's Adam has no decoupled decay
    ours = decay.train_with_decay(digits, [3, 4], 2, optimiser=optimiser, weights=both, slopes=both)
    settings = {
        "optimizer": "sgd" if optimiser == "SGD" else "adam",
        "lr": decay.OPTIMISERS[optimiser][0],
        "weight_decay": both,
    }
    theirs = ensemble.train(
        digits,
        arms={"prelu": {**contest.prelu(decay.START), **settings}},
        seeds=[3, 4],
        epochs=2,
        hidden=(64,) * 5,
        batch_size=decay.BATCH,
    )
    assert ours.slopes == pytest.approx(slopes.learned(theirs), abs=1e-3)
    assert abs(ours.slopes - decay.START).max() > 0.01
    assert ours.accuracy == pytest.approx(theirs.by_arm()["prelu"], abs=0.01)


def test_decay_acts_on_the_part_it_is_given_to():
    digits = data.load("digits", size=256)
    none, weights, leaks = (
        decay.train_with_decay(digits, [0], 2, weights=w, slopes=s)
        for w, s in ((0, 0), (0.3, 0), (0, 0.3))
    )
    assert weights.size < 0.9 * none.size
    assert leaks.slopes.mean() < none.slopes.mean()
