"""Decay acts on the part it is given to, and our loop is the ensemble where both can do it."""

import pytest

from actlab import data, ensemble
from actlab.experiments import contest, decay, slopes

DIGITS = data.load("digits", size=256)


def slopes_of(found):
    return [found[f"slope{layer}"] for layer in range(1, 6)]


@pytest.mark.parametrize("optimiser", ["SGD", "AdamW"])
def test_our_loop_is_the_ensemble_where_both_can_do_it(optimiser):
    both = 0.01 if optimiser == "SGD" else 0.0  # the ensemble's Adam has no decoupled decay
    ours = decay.train_with_decay(DIGITS, 4, 2, optimiser=optimiser, weights=both, slopes=both)
    settings = {
        "optimizer": "sgd" if optimiser == "SGD" else "adam",
        "lr": decay.OPTIMISERS[optimiser][0],
        "weight_decay": both,
    }
    theirs = ensemble.train(
        DIGITS,
        arms={"prelu": {**contest.prelu(decay.START), **settings}},
        seeds=[4],
        epochs=2,
        hidden=(64,) * 5,
        batch_size=decay.BATCH,
    )
    assert slopes_of(ours) == pytest.approx(slopes.learned(theirs)[0], abs=1e-3)
    assert max(abs(slope - decay.START) for slope in slopes_of(ours)) > 0.003
    assert ours["accuracy"] == pytest.approx(theirs.test_accuracy[0], abs=0.01)


def test_decay_acts_on_the_part_it_is_given_to():
    none, weights, leaks = (
        decay.train_with_decay(DIGITS, 0, 2, weights=w, slopes=s)
        for w, s in ((0, 0), (0.3, 0), (0, 0.3))
    )
    assert weights["size"] < 0.9 * none["size"]
    assert sum(slopes_of(leaks)) < sum(slopes_of(none))
