"""Leads, speed and sleep in tables made up."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from actlab.experiments import convolution, rivals, saturated
from actlab.study import Study


def table(**arms):
    rows = [
        {"data": "digits", "arm": arm, "root": root, "seed": seed, "test_accuracy": score}
        for arm, runs in arms.items()
        for root, run in enumerate(runs)
        for seed, score in enumerate(run)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_scores_are_per_run_in_the_order_of_seeds_and_the_diverged_count_as_chance():
    made = table(selu=[(0.9, 0.8), (0.7, math.nan)], relu=[(0.5, 0.5), (0.5, 0.5)])
    first, second = rivals.scores(made, arm="selu")
    assert first.tolist() == pytest.approx([90, 80])
    assert second.tolist() == pytest.approx([70, 10])


def test_a_lead_is_over_the_nearest_rival_and_paired(monkeypatch):
    made = table(
        selu=[(0.9, 0.8, 0.7), (0.9, 0.8, 0.7)],
        relu=[(0.8, 0.7, 0.6), (0.88, 0.78, 0.68)],
        tanh=[(0.85, 0.75, 0.65), (0.8, 0.7, 0.6)],
    )
    monkeypatch.setattr(rivals, "load", lambda name: made)
    lead = rivals.Lead("made_up", "selu", ("relu", "tanh"), "Numbers.", "Nothing.")
    found = lead(0, lambda n: 0.95)[lead.quantity]
    interval = found.cases["digits",]
    # Against tanh 5 and 10 points, against ReLU 10 and 2: both runs, the nearest.
    assert (interval.low, interval.mean, interval.high) == pytest.approx((2, 6, 10), abs=1e-6)
    assert found.notes["digits"] == pytest.approx({"relu": 6, "tanh": 7.5})


def test_epochs_to_interpolates_and_says_when_it_was_never_reached():
    losses = np.array([[1.0, 0.1, 0.01], [0.05, 0.01, 0.001], [1.0, 1.0, 1.0], [np.nan] * 3])
    epochs = rivals.epochs_to(losses, math.sqrt(0.1))
    assert epochs == pytest.approx([1.5, 1.0, 3.0, 3.0])


def test_networks_that_sleep_and_those_that_diverged_both_count(monkeypatch):
    rows = [
        {
            "activation": "elu",
            "lr": lr,
            "root": root,
            "seed": seed,
            "diverged": lr == 0.3 or (lr == 0.1 and seed < 5),
            "asleep": 0.5 if lr == 0.1 and seed > 14 else 0.01,
        }
        for lr in saturated.ASLEEP.axes["lr"]
        for root in (0, 1)
        for seed in range(20)
    ]
    made = pd.DataFrame(rows)
    made = made[made.lr < 0.3]  # the old table has no row where all diverged
    made["lr"] = made.lr.astype("float32")
    monkeypatch.setattr(saturated, "load", lambda name: made)
    found = saturated.asleep(0, lambda n: 0.95)[saturated.LOST].cases
    means = {rate: round(interval.mean) for (rate,), interval in found.items()}
    assert means == {"0.003": 0, "0.01": 0, "0.03": 0, "0.1": 50, "0.3": 100}


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_the_convolutional_network_starts_and_answers_as_it_should(name):
    from actlab import data

    loaded = data.load(name)
    model = convolution.network("relu", loaded, seed=0)
    with torch.no_grad():
        assert model(torch.from_numpy(loaded.x_test[:5])).shape == (5, 10)
    weight = model[7].weight  # the third convolution
    assert float(weight.detach().var() * weight[0].numel()) == pytest.approx(2, rel=0.2)


def small(study, **settings):
    """The first cell of a study, cut short."""
    cell = next(study.cells())
    return study.task(**cell, **{**study.settings, **settings})


@pytest.mark.parametrize(
    ("study", "settings"),
    [
        (rivals.DEEP, {"epochs": {"digits": 1}}),
        (rivals.REPLAY, {"epochs": 1}),
        (rivals.LINEAR, {"splits": 2, "strengths": (0.1, 1.0)}),
        (saturated.ASLEEP, {"epochs": 1}),
        (convolution.CONVOLUTIONS, {"epochs": 0, "rates": (0.01,)}),
    ],
    ids=lambda value: value.name if isinstance(value, Study) else "",
)
def test_a_cell_can_be_run_again_and_has_the_columns_of_the_table(study, settings):
    from actlab.study import load

    rows = small(study, **settings)
    have = set(load(study.name).columns)
    losses = {column for column in have if column.startswith("loss_")}
    assert set(rows.columns) | set(study.axes) >= have - losses
