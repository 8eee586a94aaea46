"""Leads of short trainings in tables made up."""

import math

import pandas as pd
import pytest

from actlab.experiments import rivals


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
