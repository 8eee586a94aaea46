"""Sleepers in tables made up, small convolutional networks, and cells that can be run again."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import data
from actlab.experiments import broken, contest, convolution, race, saturated, stacks
from actlab.study import load


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
    loaded = data.load(name)
    model = convolution.network("relu", loaded, seed=0)
    with torch.no_grad():
        assert model(torch.from_numpy(loaded.x_test[:5])).shape == (5, 10)
    weight = model[7].weight  # the third convolution
    assert float(weight.detach().var() * weight[0].numel()) == pytest.approx(2, rel=0.2)


def test_a_convolutional_network_learns():
    loaded = data.load("digits")
    model = convolution.network("selu", loaded, seed=0)
    convolution.learn(model, loaded, lr=0.05, seed=0, epochs=2)
    assert convolution.accuracy(model, loaded.x_test, loaded.y_test) > 0.5
    lost = convolution.learn(model, loaded, lr=1e9, seed=0, epochs=1)
    assert math.isnan(convolution.accuracy(lost, loaded.x_test, loaded.y_test))


def test_the_linear_model_stands_beside_the_networks_on_the_same_splits():
    rows = stacks.linear_cell("wine", 0, splits=2, strengths=(0.1, 1.0))
    known = load("linear_tables")
    known = known[(known.data == "wine") & known.seed.isin([0, 1])]
    assert set(rows.columns) == {"seed", "C", "test_accuracy"}
    assert rows.test_accuracy.mean() == pytest.approx(known.test_accuracy.mean(), abs=0.05)


def test_what_is_broken_is_one_thing():
    arms = stacks.REQUIREMENTS.settings["arms"]
    intact = arms[f"selu | {broken.INTACT}"]
    for name, settings in arms.items():
        if name.startswith("selu"):
            changed = {k for k in {*intact, *settings} if intact.get(k) != settings.get(k)}
            assert len(changed - {"alpha_dropout"}) == (settings != intact), name
    assert arms["elu | input: mean 5, sd 5"]["inputs"] == (5.0, 5.0)


def test_inputs_are_moved_and_stretched():
    loaded = data.load("wine")
    moved = contest.transformed(loaded, 5.0, 0.5)
    np.testing.assert_allclose(moved.x_test, 5 + 0.5 * loaded.x_test, rtol=1e-6)
    assert (moved.y_test == loaded.y_test).all()


def made_up(questions, score):
    """A table of the contest of these questions; ``score(arm, split, seed)``: in per cent."""
    study = questions[0].study
    rows = [
        {**cell, "split": split, "seed": seed, "diverged": False}
        | {name: score(cell["arm"], split, seed) / 100 for name in contest.COLUMNS.values()}
        for cell in study.cells()
        for split in range(5)
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


def test_the_linear_lead_stands_in_the_notes(monkeypatch):
    table = made_up([stacks.ON_TABLES], lambda arm, split, seed: 101 if arm == "selu" else 100)
    monkeypatch.setattr(contest, "load", lambda name: table)
    linear = pd.DataFrame(
        [
            {"data": name, "seed": split, "test_accuracy": 0.99}
            for name in stacks.TABLES.axes["data"]
            for split in range(20)
        ]
    )
    monkeypatch.setattr(stacks, "load", lambda name: linear)
    found = stacks.ON_TABLES(0, lambda n: 0.95)[contest.Ahead.quantity]
    assert found.cases["wine",].mean == pytest.approx(1)
    assert found.notes["wine, over logistic regression"] == pytest.approx([2, 2, 2])


def test_elu_saves_steps_where_it_needs_fewer(monkeypatch):
    rows = [
        {**cell, "split": split, "seed": seed, "target": target}
        | {"steps": 30.0 * (1 + seed) * (2 if cell["arm"] == "relu" else 1)}
        for cell in race.KINDS.cells()
        for target in race.KINDS.settings["targets"][cell["data"]]
        for split in range(5)
        for seed in range(4)
    ]
    monkeypatch.setattr(race, "load", lambda name: pd.DataFrame(rows))
    (found,) = race.FASTER(0, lambda n: 0.95).values()
    assert len(found.cases) == 4
    for interval in found.cases.values():
        assert (interval.low, interval.mean, interval.high) == pytest.approx((50, 50, 50))


def test_a_sleeping_cell_has_the_columns_of_the_table():
    cell = next(saturated.ASLEEP.cells())
    rows = saturated.asleep_cell(**cell, epochs=1)
    assert set(rows.columns) | set(cell) >= set(load("elu_asleep").columns)
