"""The published run: its split, its stopping rule, and who is beyond chance."""

import numpy as np
import pandas as pd
import pytest

from actlab import data
from actlab.experiments import plateau


@pytest.mark.parametrize(
    ("accuracy", "stop", "kept"),
    [
        ([0.1] * 20, 8, 1),  # a tie is no improvement
        ([0.1] * 7, None, 1),
        ([0.1, 0.2] + [0.1] * 20, 9, 2),
        ([0.1] * 7 + [0.2] + [0.1] * 3, None, 8),  # just in time
        (np.linspace(0, 1, 20), None, 20),
    ],
)
def test_the_published_stopping_rule(accuracy, stop, kept):
    assert plateau.published_stop(np.array(accuracy)) == (stop, kept)


def test_the_published_split_is_the_tutorials():
    try:
        x_train, y_train, x_valid, y_valid, _, y_test = plateau.published_split()
    except data.DataError as reason:
        pytest.skip(str(reason))
    assert (len(x_train), len(x_valid), len(y_test)) == (50_000, 10_000, 10_000)
    # PyTorch's generator shuffles within classes, too: the shares are not equal.
    counts = np.bincount(y_valid)
    assert counts.sum() == 10_000
    assert 900 < counts.min() < 1000 < counts.max() < 1100
    assert (np.bincount(y_train) + counts == 6000).all()


def test_early_stopping_is_applied_to_the_recorded_courses(monkeypatch):
    late = [0.1] * 20 + [0.5] * 5  # leaves chance, but too late for the published stop
    soon = [0.1] * 5 + [0.5] * 20
    courses = {"as published": [late, late, late, soon], "learning rate × 10": [soon] * 4}
    courses["Keras default"] = [soon] * 4
    rows = [
        (arm, seed, epoch + 1, value)
        for arm, several in courses.items()
        for seed, course in enumerate(several)
        for epoch, value in enumerate(course)
    ]
    table = pd.DataFrame(rows, columns=["arm", "seed", "epoch", "valid_accuracy"])
    monkeypatch.setattr(plateau, "load", lambda name: table)
    (found,) = plateau.beyond_chance(0, lambda n: 0.95).values()
    assert found.cases["with the published early stopping",].mean == pytest.approx(25)
    assert found.cases["without early stopping",].mean == pytest.approx(100)
    (fewer,) = plateau.beyond_chance(1, lambda n: 0.95).values()  # without seed 0
    assert fewer.cases["with the published early stopping",].mean == pytest.approx(100 / 3)
