"""A race counts the steps of the ensemble's own networks."""

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import data, ensemble
from actlab.experiments import race

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
        assert curve.centred == (abs(float(values[3])) < 1e-12), name
    for level, lifted in race.LIFTED:
        a, b = race.CURVES[level], race.CURVES[lifted]
        assert a.centred
        assert not b.centred
        assert (a.base, a.stretch, a.height, a.gain) == (b.base, b.stretch, b.height, b.gain)


@pytest.mark.parametrize("name", ["tanh", "σ(x), weights × 4"])
def test_the_steps_are_those_of_the_catalogs_curve(name):
    curve, rates, steps = race.CURVES[name], [0.03, 0.1], 30
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
    got = race.race(
        DIGITS,
        race.settings_of(curve),
        [0, 1],
        rates,
        targets=targets,
        steps=steps,
        hidden=(16,) * 2,
        momentum=0.9,
    )
    assert got.shape == (2, 2, 2)
    for target, found in zip(targets, got, strict=True):
        for row, arm in zip(found, known.arms, strict=True):
            seen = known.probe("accuracy", arm)
            assert seen.shape == (2, 6)
            for reached, accuracy in zip(row, seen, strict=True):
                there = np.flatnonzero(accuracy >= target)
                assert reached == (5 * (there[0] + 1) if there.size else steps + 5)


@pytest.mark.parametrize("pair", race.LIFTED)
def test_biases_that_undo_the_lift_make_it_the_same_function_at_the_start(pair):
    x = torch.from_numpy(DIGITS.x_train[:20]).double()

    def logits(curve):
        settings = ensemble.Settings(
            activation=curve, init="lecun_normal", gain=curve.gain, bias=curve.bias
        )
        drawn = ensemble.initial_weights(settings, settings.layer_sizes(64, 10), 0)
        signal = x
        for weight, bias in drawn[:-1]:
            signal = curve(signal @ weight.T + bias)
        return signal @ drawn[-1][0].T + drawn[-1][1]

    level, lifted, undone = (race.SAME_START[name] for name in (*pair, f"{pair[1]}, undone"))
    torch.testing.assert_close(logits(undone), logits(level))
    assert (logits(lifted) - logits(level)).abs().max() > 0.01


def test_a_cell_tunes_over_all_splits_and_notes_every_target(monkeypatch):
    monkeypatch.setattr(race, "SPLITS", 2)
    asked = []

    def quick(split, own, seeds, rates, *, targets):
        asked.append((tuple(rates), tuple(targets)))
        one = [[abs(rate - 0.1) * 100 + 5] * len(seeds) for rate in rates]
        return np.array([one for _ in targets])

    monkeypatch.setattr(race, "race", quick)
    cell = race.same_start_cell("digits", "σ(x), undone", targets=race.SEVERAL)
    assert len(cell) == 2 * 2 * race.SEEDS
    assert set(cell.target) == {0.9, 0.95}
    assert set(cell.lr) == {0.0949}
    assert {targets for rates, targets in asked if len(rates) > 1} == {(0.95,)}


def test_who_never_arrives_counts_with_one_look_more():
    steps = race.race(
        DIGITS, race.settings_of(race.CURVES["tanh"]), [0], [0.1], targets=[2.0], steps=10
    )
    assert steps.tolist() == [[[15]]]
    diverged = race.race(
        DIGITS, race.settings_of(race.CURVES["σ(4x)"]), [0], [1e20], targets=[0.5], steps=10
    )
    assert diverged.tolist() == [[[15]]]


def test_the_ratio_is_the_lifted_ones_over_its_twins():
    rows = [
        (data, 0, curve, seed, 20.0 * (1 + seed) * (1 if race.CURVES[curve].centred else 3))
        for data in race.TARGETS
        for curve in race.CURVES
        for seed in range(3)
    ]
    table = pd.DataFrame(rows, columns=["data", "root", "curve", "seed", "steps"])
    found = race.times_as_many(table, "digits", "tanh", "tanh + 1")
    assert (found.mean, found.low) == pytest.approx((3, 3))
