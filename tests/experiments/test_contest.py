"""A contest on data of a few rows: what is noted is what happened, and the interval is honest."""

import numpy as np
import pytest

from actlab import data, stats
from actlab.experiments import contest
from actlab.study import run, store


@pytest.fixture
def study(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(contest, "SPLITS", 3)
    monkeypatch.setattr(contest, "SEEDS", 2)
    monkeypatch.setattr(contest, "PATIENCE", 3)
    monkeypatch.setattr(contest, "LONGEST", 12)
    arms = {"ReLU": contest.leaky(0), "leaky 0.3": contest.leaky(0.3)}
    return contest.contest(
        "tiny", "Two slopes", arms, data={"wine": ({}, 2)}, depths=(1, 2), width=4, batch_size=16
    )


@pytest.fixture
def tiny(study):
    return run(study, say=lambda text: None)


def test_every_network_is_there_with_its_split_rate_and_three_looks(tiny):
    assert len(tiny) == 2 * 2 * 3 * 2
    assert tiny.groupby(["depth", "arm"]).lr.nunique().max() == 1  # one rate for all splits
    assert (tiny.ran <= 12).all()
    assert tiny.loc[~tiny.diverged, ["accuracy_1", "accuracy_4", "accuracy"]].notna().all(None)


def test_the_plateau_is_what_a_plain_run_gives(tiny):
    from actlab import ensemble

    row = tiny[(tiny.depth == 2) & (tiny.arm == "leaky 0.3") & (tiny.split == 1)].iloc[0]
    settings = {**contest.leaky(0.3), "hidden": (4, 4), "batch_size": 16, "lr": row.lr}
    plain = ensemble.train(
        data.load("wine", seed=1),
        arms={"it": settings},
        seeds=[row.seed],
        epochs=12,
        patience=3,
        progress=False,
    )
    assert plain.test_accuracy[0] == row.accuracy
    assert np.isfinite(plain.valid_loss[0]).sum() == row.ran


def test_a_leaky_start_keeps_the_signal():
    from actlab import theory

    for slope in (0.01, 0.18, 0.3):
        gain = contest.leaky(slope)["gain"]
        layers = theory.layers("leaky_relu", theory.Start(2 * gain**2), 30, negative_slope=slope)
        np.testing.assert_allclose(layers.mean**2 + layers.sd**2, 1)


def test_a_nested_interval_covers_the_truth_where_a_flat_one_does_not():
    """Splits that differ as much as seeds do: 95 % must mean 95 %, of new splits too."""
    rng = np.random.default_rng(0)
    nested = flat = 0
    for _ in range(600):
        values = rng.normal(size=(5, 1)) + rng.normal(size=(5, 4))
        found, naive = stats.nested_interval(values), stats.mean_interval(values.ravel())
        nested += found.low < 0 < found.high
        flat += naive.low < 0 < naive.high
    assert 0.93 < nested / 600 < 0.97
    assert flat / 600 < 0.8


def test_a_nested_interval_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="diverged"):
        stats.nested_interval([[0.1, np.nan], [0.2, 0.3]])
    with pytest.raises(ValueError, match="at least two"):
        stats.nested_interval([[0.1, 0.2]])
    with pytest.raises(ValueError, match="expected 2 axis"):
        stats.nested_interval([0.1, 0.2])


def test_a_contest_may_wait_longer_and_others_keep_their_grid():
    arms = {"ReLU": contest.leaky(0)}
    usual, patient = (
        contest.contest("tiny", "One", arms, data={"wine": ({}, 2)}, depths=(1,), patience=wait)
        for wait in (None, 100)
    )
    assert "patience" not in usual.settings
    assert patient.settings["patience"] == 100
    assert usual.digest != patient.digest


def test_patience_reaches_the_training(tiny, monkeypatch):
    monkeypatch.setattr(contest, "LONGEST", 40)
    settings = {
        "arms": {"it": contest.leaky(0)},
        "options": {"wine": {}},
        "epochs": {"wine": 2},
        "width": 4,
        "common": {"batch_size": 16},
    }
    cell = contest.contest_cell("wine", 1, "it", **settings, patience=40)
    assert (cell.ran == 40).all()
