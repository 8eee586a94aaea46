"""Sleepers in tables made up, small convolutional networks, and cells that can be run again."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import claims, data
from actlab.experiments import contest, plateau, race, selu, sleeping
from actlab.study import load, part_of


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
        for lr in sleeping.ELU_ASLEEP.axes["lr"]
        for root in (0, 1)
        for seed in range(20)
    ]
    made = pd.DataFrame(rows)
    made = made[made.lr < 0.3]  # the old table has no row where all diverged
    monkeypatch.setattr(sleeping, "load", lambda name, **where: part_of(made, **where))
    found = sleeping.asleep(0, lambda n: 0.95)[sleeping.LOST].cases
    means = {rate: round(interval.mean) for (rate,), interval in found.items()}
    assert means == {"0.003": 0, "0.01": 0, "0.03": 0, "0.1": 50, "0.3": 100}


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_the_convolutional_network_starts_and_answers_as_it_should(name):
    loaded = data.load(name)
    model = selu.convolutional("relu", loaded, seed=0)
    with torch.no_grad():
        assert model(torch.from_numpy(loaded.x_test[:5])).shape == (5, 10)
    weight = model[7].weight  # the third convolution
    assert float(weight.detach().var() * weight[0].numel()) == pytest.approx(2, rel=0.2)


def test_a_convolutional_network_learns_and_says_when_it_stood_where(monkeypatch):
    loaded = data.load("digits")
    monkeypatch.setattr(contest, "PATIENCE", 2)
    found = selu.learn("selu", loaded, 0, lr=0.05, epochs=3)
    assert 0.5 < found["accuracy_1"] < found["accuracy_4"] == found["accuracy"]
    assert (found["ran"], found["diverged"]) == (3, False)
    still = selu.learn("selu", loaded, 0, lr=1e-12, epochs=9)  # nothing moves: it is ended
    assert still["ran"] < 9
    model = selu.convolutional("selu", loaded, seed=0)
    right = model(torch.from_numpy(loaded.x_test)).argmax(1).numpy() == loaded.y_test
    assert still["accuracy"] == pytest.approx(right.mean())
    lost = selu.learn("selu", loaded, 0, lr=1e9, epochs=3)
    assert lost["diverged"]
    assert math.isinf(lost["valid_loss"])
    assert all(math.isnan(lost[name]) for name in ("accuracy", "accuracy_1", "accuracy_4"))


def test_the_linear_model_stands_beside_the_networks_on_the_same_splits():
    rows = selu.linear_cell("wine", 0, splits=2, strengths=(0.1, 1.0))
    known = load("linear_tables")
    known = known[(known.data == "wine") & known.seed.isin([0, 1])]
    assert set(rows.columns) == {"seed", "C", "test_accuracy"}
    assert rows.test_accuracy.mean() == pytest.approx(known.test_accuracy.mean(), abs=0.05)


def test_what_is_broken_is_one_thing():
    arms = selu.TRAINED.settings["arms"]
    intact = arms[f"selu | {selu.INTACT}"]
    for name, settings in arms.items():
        if name.startswith("selu"):
            changed = {k for k in {*intact, *settings} if intact.get(k) != settings.get(k)}
            assert len(changed - {"alpha_dropout"}) == (settings != intact), name
    assert arms["elu | input: mean 5, sd 5"]["inputs"] == (5.0, 5.0)


def test_what_a_break_costs_is_paired_and_its_networks_are_drawn(monkeypatch):
    lost = {"Glorot uniform": 2, "alpha dropout 10 %": 5, "plain dropout 10 %": 6}

    def score(arm, split, seed):
        return 90 + split + seed - lost.get(arm.removeprefix("selu | "), 0)

    def trained(when):
        table = made_up(selu.TRAINED, score)
        table[contest.COLUMNS[when]] -= 0.1 * (table.arm == "selu | Glorot uniform")
        return table

    monkeypatch.setattr(contest, "load", lambda name: trained("once"))
    drifts = {"Glorot uniform": 0.5, "plain dropout 10 %": 0.1}
    moments = {name: (None, np.full((20, 30), 10.0**off)) for name, off in drifts.items()}
    monkeypatch.setattr(selu, "untrained_moments", lambda name, root: moments[name])
    intact = selu.costs("Glorot uniform", "plain dropout 10 %", what="two ways")
    beside = selu.costs("plain dropout 10 %", what="one", beside="alpha dropout 10 %")
    found = intact(0, lambda n: 0.95)
    accuracy = {case: one.mean for case, one in found[selu.LOST].cases.items()}
    assert accuracy == pytest.approx(
        {
            ("Glorot's weights", "digits"): 2,
            ("Glorot's weights", "MNIST-1D"): 2,
            ("plain dropout 10 %", "digits"): 6,
            ("plain dropout 10 %", "MNIST-1D"): 6,
        }
    )
    assert found[selu.DRIFT].cases["Glorot's weights", "digits"].mean == pytest.approx(0.5)
    paired = beside(0, lambda n: 0.95)[selu.LOST]
    assert paired.cases["plain dropout 10 %", "digits"].mean == pytest.approx(1)
    once = intact.lengths()["trained once"](0, lambda n: 0.95)
    assert once[selu.LOST].cases["Glorot's weights", "digits"].mean == pytest.approx(12)
    assert "two ways" in intact.words()


def test_the_curve_without_the_kink_is_asked_only_where_elu_leads(monkeypatch):
    gained = {
        "elu | He normal": 2,
        "without kink | He normal": 3,
        "elu | skip connections": -1,
        "without kink | skip connections": 3,
    }
    table = made_up(selu.TRAINED, lambda arm, split, seed: 80 + split + seed + gained.get(arm, 0))
    monkeypatch.setattr(contest, "load", lambda name: table)
    (found,) = selu.smooth(0, lambda n: 0.95).values()
    assert {case: one.mean for case, one in found.cases.items()} == pytest.approx(
        {("He's weights", "digits"): 2, ("He's weights", "MNIST-1D"): 2}
    )


def test_a_way_trains_if_it_is_right_about_half_of_the_digits(monkeypatch):
    table = made_up(plateau.TO_THE_END, lambda arm, split, seed: 10 if arm == "orthogonal" else 90)
    table.loc[table.depth == 30, "accuracy"] = 0.5
    monkeypatch.setattr(plateau, "load", lambda name: table)
    (found,) = plateau.TRAINS(0, lambda n: 0.95).values()
    means = {way: one.mean for (way,), one in found.cases.items()}
    assert means == pytest.approx(dict.fromkeys(plateau.WAYS, 90) | {"orthogonal": 10})
    assert set(found.notes) == {"tanh, Keras default", "ReLU, He"}
    assert set(plateau.TRAINS.lengths()) == {"trained once", "trained four times"}


def test_the_claim_says_who_was_stopped_while_getting_better():
    table = load(plateau.TO_THE_END.name)
    assert not table.edge.any()
    stopped = (table.ran >= contest.LONGEST).groupby([table.depth, table.arm]).mean()[10]
    assert stopped["Adam"] == pytest.approx(4 / 5)
    assert 0.4 < stopped["batch norm"] < 0.5
    assert stopped.drop(["Adam", "batch norm"]).max() <= 1 / 4
    said = claims.get("sigmoid-deep-does-not-train").experiment
    assert "four in five of those with Adam and nearly half of those with batch norm" in said


def test_from_pytorchs_start_selu_only_starts_slowly():
    table = load(selu.TRAINED.name)
    assert not table.edge.any()
    assert table.ran.max() < contest.LONGEST
    digits = 100 * table[table.data == "digits"].groupby("arm")[["accuracy_1", "accuracy"]].mean()
    behind = digits.loc[f"selu | {selu.INTACT}"] - digits.loc["selu | PyTorch default"]
    assert behind.accuracy_1 > 10  # "far behind", says the chapter
    assert abs(behind.accuracy) < 1


def test_inputs_are_moved_and_stretched():
    loaded = data.load("wine")
    moved = contest.transformed(loaded, 5.0, 0.5)
    np.testing.assert_allclose(moved.x_test, 5 + 0.5 * loaded.x_test, rtol=1e-6)
    assert (moved.y_test == loaded.y_test).all()


def made_up(study, score):
    """A table of this contest; ``score(arm, split, seed)``: in per cent."""
    rows = [
        {**cell, "split": split, "seed": seed, "diverged": False}
        | {name: score(cell["arm"], split, seed) / 100 for name in contest.COLUMNS.values()}
        for cell in study.cells()
        for split in range(5)
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


def test_the_linear_lead_stands_in_the_notes(monkeypatch):
    table = made_up(selu.TABLES, lambda arm, split, seed: 101 if arm == "selu" else 100)
    monkeypatch.setattr(contest, "load", lambda name: table)
    linear = pd.DataFrame(
        [
            {"data": name, "root": 0, "seed": split, "test_accuracy": 0.99}
            for name in selu.TABLES.axes["data"]
            for split in range(20)
        ]
    )
    monkeypatch.setattr(selu, "load", lambda name, root: linear)
    found = selu.ON_TABLES(0, lambda n: 0.95)[contest.Ahead.quantity]
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
    (found,) = race.faster(0, lambda n: 0.95).values()
    assert len(found.cases) == 4
    for interval in found.cases.values():
        assert (interval.low, interval.mean, interval.high) == pytest.approx((50, 50, 50))


def test_a_sleeping_cell_has_the_columns_of_the_table():
    cell = next(sleeping.ELU_ASLEEP.cells())
    rows = sleeping.elu_cell(**cell, epochs=1)
    assert set(rows.columns) | set(cell) >= set(load("elu_asleep").columns)
