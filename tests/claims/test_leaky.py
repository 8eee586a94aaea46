"""The experiments of the leaky chapter, on networks small enough to know the answer."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from actlab import data, ensemble
from actlab.claims import leaky, leaky_asleep, leaky_decay
from actlab.claims import leaky_training as training


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 1.0])
def test_the_fair_start_is_the_gain_of_pytorch(slope):
    gain = training.leaky(slope)["gain"] * math.sqrt(2)  # he_normal brings the √2
    assert gain == pytest.approx(nn.init.calculate_gain("leaky_relu", slope))


def test_the_mean_square_of_a_random_slope():
    drawn = np.random.default_rng(0).uniform(training.LOWER, training.UPPER, 1_000_000)
    expected = (1 + np.mean(drawn**2)) ** -0.5
    assert training.rrelu()["gain"] == pytest.approx(expected, rel=1e-4)


def test_a_sleeping_unit_is_one_that_is_never_positive():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [2.0, 0.5]], np.float32)

    def init(shape, generator):  # the second unit sees minus the sum of absolute values
        first = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
        return first if shape == (2, 2) else torch.zeros(shape, dtype=torch.float64)

    result = ensemble.train(
        (x, np.array([0, 1, 0, 1])),
        arms={name: {"activation": name} for name in ("relu", "leaky_relu")},
        seeds=1,
        epochs=1,
        hidden=(2,),
        init=init,
        bias=-0.5,
        batch_size=4,
        probe=leaky_asleep.sleeping_units,
        probe_at=[0],
    )
    for arm in ("relu", "leaky_relu"):
        assert result.probe("asleep", arm)[0, 0].tolist() == [0, 1]
    assert result.probe("dead", "relu")[0, 0].tolist() == [0, 1]
    assert result.probe("dead", "leaky_relu")[0, 0].tolist() == [0, 0]


def test_the_coma_puts_every_unit_to_sleep(monkeypatch):
    monkeypatch.setattr(leaky_asleep, "COMA_RATES", (0.1,))
    monkeypatch.setattr(leaky_asleep, "COMA_EPOCHS", 1)
    table = leaky_asleep.coma(root=1, seeds=1)
    asleep = table[table.arm == "coma"].groupby("slope").asleep.min()
    assert asleep[[0.0, 0.01, 0.1]].min() == 1
    assert asleep[0.3] > 0.95
    assert table[table.arm == "awake"].asleep.max() < 0.05


@pytest.mark.parametrize("optimiser", ["SGD", "AdamW"])
def test_our_loop_is_the_ensemble_where_both_can_do_it(optimiser, monkeypatch):
    digits = data.load("digits", size=256)
    decay = 0.01 if optimiser == "SGD" else 0.0  # the ensemble's Adam has no decoupled decay
    ours = leaky_decay.train_with_decay(
        digits, [3, 4], 2, optimiser=optimiser, weights=decay, slopes=decay
    )
    settings = {
        "optimizer": "sgd" if optimiser == "SGD" else "adam",
        "lr": leaky_decay.OPTIMISERS[optimiser][0],
        "weight_decay": decay,
    }
    theirs = ensemble.train(
        digits,
        arms={"prelu": {**training.prelu(leaky_decay.START), **settings}},
        seeds=[3, 4],
        epochs=2,
        hidden=(64,) * 5,
        batch_size=leaky_decay.BATCH,
    )
    slopes = pd.DataFrame(training.learned_slopes(theirs)).to_numpy()
    assert ours.slopes == pytest.approx(slopes, abs=1e-3)
    assert abs(ours.slopes - leaky_decay.START).max() > 0.01
    assert ours.accuracy == pytest.approx(theirs.by_arm()["prelu"], abs=0.01)


def test_decay_acts_on_the_part_it_is_given_to():
    digits = data.load("digits", size=256)
    none, weights, slopes = (
        leaky_decay.train_with_decay(digits, [0], 2, weights=w, slopes=s)
        for w, s in ((0, 0), (0.3, 0), (0, 0.3))
    )
    assert weights.size < 0.9 * none.size
    assert slopes.slopes.mean() < none.slopes.mean()


def test_another_slope_changes_a_leaky_network_only():
    digits = data.load("digits")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 16), nn.LeakyReLU(0.3), nn.Linear(16, 10))
    x = torch.from_numpy(digits.x_test)
    with torch.no_grad():
        here = float((network(x).argmax(1).numpy() == digits.y_test).mean())
    assert leaky.accuracy_with_slope(network, digits, 0.3) == here
    assert leaky.accuracy_with_slope(network, digits, -3.0) != here
    assert network[1].negative_slope == 0.3


def test_the_defaults_then_and_now():
    table = leaky.default_slopes()
    now = table[table.when == "now"].set_index("where").default
    assert {**now, **leaky._installed_defaults(0)} == now.to_dict()
    assert set(table[table.when == "then"].default) == {0.01, 0.0, 0.3}


def test_examples_are_repeated_to_the_length_of_the_largest_set():
    x, y, x_valid, *_ = training.repeated("mnist1d", 200)
    assert len(x) == len(y) == training.SIZES["mnist1d"][-1]
    assert len(np.unique(x, axis=0)) == 200
    assert len(x_valid) <= 1_000


def test_an_advantage_is_paired_by_seed():
    rows = [
        {"data": "mnist1d", "arm": arm, "seed": seed, "size": size, "test_accuracy": accuracy}
        for seed in (0, 1)
        for size in (10, 20)
        for arm, accuracy in (("fixed", 0.5), ("learned", 0.5 + seed / 10 + size / 1000))
    ]
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    found = training.advantage(table, "mnist1d", "learned")
    assert found == pytest.approx(np.array([[0.01, 0.02], [0.11, 0.12]]))
    table.loc[(table.arm == "learned") & (table.seed == 1), "test_accuracy"] = np.nan
    assert training.advantage(table, "mnist1d", "learned")[1] == pytest.approx([-0.4, -0.4])
