"""A race counts the steps of the ensemble's own networks."""

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import claims, data, ensemble
from actlab.experiments import contest, race
from actlab.study import load

DIGITS = data.load("digits")


def test_the_curves_are_what_they_are_called():
    z = torch.linspace(-3, 3, 7, dtype=torch.float64)
    sigmoid = torch.sigmoid
    expected = {
        "tanh": torch.tanh(z),
        "tanh + 1": torch.tanh(z) + 1,
        "σ(4x) − ½": sigmoid(4 * z) - 0.5,
        "σ(4x)": sigmoid(4 * z),
        "2σ(x) − 1": 2 * sigmoid(z) - 1,
        "σ(x) − ½": sigmoid(z) - 0.5,
        "σ(x)": sigmoid(z),
    }
    for name, values in expected.items():
        curve = race.CURVES[name]
        torch.testing.assert_close(curve(z), values)
    for level, lifted in race.LIFTED:
        a, b = race.CURVES[level], race.CURVES[lifted]
        assert a(z)[3] == 0
        assert b(z)[3] > 0
        assert (a.base, a.stretch, a.height, a.gain) == (b.base, b.stretch, b.height, b.gain)


@pytest.mark.parametrize("name", ["tanh", "σ(x), weights × 4"])
def test_the_steps_are_those_of_the_catalogs_curve(name, monkeypatch):
    monkeypatch.setattr(race, "STEPS", 30)
    curve, rates = race.CURVES[name], [0.03, 0.1]
    known = ensemble.train(
        DIGITS,
        arms={f"{rate:g}": {"lr": rate} for rate in rates},
        seeds=2,
        epochs=2,
        activation=curve.base,
        init="lecun_normal",
        gain=curve.gain,
        hidden=(16,) * 2,
        batch_size=64,
        probe=race.validation_accuracy,
        probe_at=range(5, 31, 5),
        probe_data=(DIGITS.x_valid, DIGITS.y_valid),
        progress=False,
    )
    targets = [0.3, 0.6]
    own = {**race.SAME_START[name], "hidden": (16,) * 2}
    got, seen_at_best = race.race(DIGITS, own, [0, 1], rates, targets)
    assert got.shape == (2, 2, 2)
    for row, arm in zip(seen_at_best, known.arms, strict=True):
        assert row.tolist() == known.probe("accuracy", arm).max(1).tolist()
    for target, found in zip(targets, got, strict=True):
        for row, arm in zip(found, known.arms, strict=True):
            seen = known.probe("accuracy", arm)
            assert seen.shape == (2, 6)
            for reached, accuracy in zip(row, seen, strict=True):
                there = np.flatnonzero(accuracy >= target)
                assert reached == (5 * (there[0] + 1) if there.size else 35)


@pytest.mark.parametrize("pair", race.LIFTED)
def test_biases_that_undo_the_lift_make_it_the_same_function_at_the_start(pair):
    x = torch.from_numpy(DIGITS.x_train[:20]).double()

    def logits(own):
        settings, curve = ensemble.Settings(**own), own["activation"]
        drawn = ensemble.initial_weights(settings, settings.layer_sizes(64, 10), 0)
        signal = x
        for weight, bias in drawn[:-1]:
            signal = curve(signal @ weight.T + bias)
        return signal @ drawn[-1][0].T + drawn[-1][1]

    level, lifted, undone = (race.SAME_START[name] for name in (*pair, f"{pair[1]}, undone"))
    torch.testing.assert_close(logits(undone), logits(level))
    assert (logits(lifted) - logits(level)).abs().max() > 0.01


def test_a_cell_tunes_over_all_splits_and_notes_every_target(monkeypatch):
    monkeypatch.setattr(contest, "SPLITS", 2)
    asked = []

    def quick(split, own, seeds, rates, targets):
        asked.append((tuple(rates), tuple(targets)))
        one = [[abs(rate - 0.1) * 100 + 5] * len(seeds) for rate in rates]
        return np.array([one for _ in targets]), np.zeros((len(rates), len(seeds)))

    monkeypatch.setattr(race, "race", quick)
    cell = race.same_start_cell("digits", "σ(x), undone", targets=race.SEVERAL)
    assert len(cell) == 2 * 2 * contest.SEEDS
    assert set(cell.target) == {0.9, 0.95}
    assert set(cell.lr) == {0.0949}
    assert {targets for rates, targets in asked if len(rates) > 1} == {(0.95,)}


def test_who_never_arrives_counts_with_one_look_more(monkeypatch):
    monkeypatch.setattr(race, "STEPS", 10)
    tanh, steep = (race.SAME_START[name] for name in ("tanh", "σ(4x)"))
    steps, _ = race.race(DIGITS, tanh, [0], [0.1], [2.0])
    assert steps.tolist() == [[[15]]]
    diverged, seen = race.race(DIGITS, steep, [0], [1e20], [0.5])
    assert diverged.tolist() == [[[15]]]
    assert 0 <= seen.item() < 0.5


def test_where_nobody_arrives_the_rate_that_comes_nearest_is_chosen(monkeypatch):
    monkeypatch.setattr(contest, "SPLITS", 2)

    def slow(split, own, seeds, rates, targets):
        near = [[1 - abs(np.log10(rate / 3))] * len(seeds) for rate in rates]
        return np.full((len(targets), len(rates), len(seeds)), 405), np.array(near)

    monkeypatch.setattr(race, "race", slow)
    cell = race.same_start_cell("digits", "σ(x)", targets=race.SEVERAL)
    assert set(cell.lr) == {3.0}
    assert set(cell.steps) == {405}


@pytest.fixture
def raced(monkeypatch):
    """Lifted curves take three times as many steps, half as many where the lift is undone."""
    lifted = {name for _, name in race.LIFTED}
    factor = {name: 3.0 if name in lifted else 1.0 for name in race.CURVES}
    factor |= {f"{lifted}, undone": 0.5 for _, lifted in race.LIFTED}
    rows = [
        {**cell, "target": target, "split": split, "seed": seed}
        | {"steps": 20.0 * (1 + seed) * factor[cell["curve"]]}
        for cell in race.RACE.cells()
        for target in race.SEVERAL[cell["data"]]
        for split in range(5)
        for seed in range(4)
    ]
    table = pd.DataFrame(rows)
    monkeypatch.setattr(race, "load", lambda name: table)
    return table


def test_the_ratio_is_the_lifted_ones_over_its_twins(raced):
    found = race.times_as_many(raced, "digits", 0.95, ("tanh", "tanh + 1"))
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((3, 3, 3, 20))


def test_both_starts_and_every_target_are_cases(raced):
    (found,) = race.lifting(0, lambda n: 0.95).values()
    assert found.factors == ("data", "target", "curve", "same")
    assert len(found.cases) == 2 * 2 * 4 * 2
    for case, interval in found.cases.items():
        assert interval.mean == pytest.approx(3 if case[-1] == "weights" else 0.5), case
    assert found.notes["of a slope four times smaller"]["digits, 90 %"] == pytest.approx(1)
    assert found.notes["share that arrives"] == {}  # the slowest needs 240 of the 400


def test_the_claim_says_who_never_arrives():
    table = load(race.RACE.name)
    arrived = (table.steps <= race.STEPS).groupby([table.data, table.target, table.curve]).any()
    lost = {key for key, there in arrived.items() if not there}
    assert ("mnist1d", 0.4, "σ(x) − ½") in lost
    assert {curve for *_, curve in lost} == {"σ(x)", "σ(x), undone", "σ(x) − ½"}
    assert [key for key in lost if key[2] == "σ(x) − ½"] == [("mnist1d", 0.4, "σ(x) − ½")]
    assert "Neither σ(x) nor its twin" in claims.get("tanh-centring-speeds-up").experiment
    assert not table.edge.any()
