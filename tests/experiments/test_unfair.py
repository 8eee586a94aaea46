"""Rankings that a careless comparison gives, and times to targets, on invented results."""

import numpy as np
import pandas as pd
import pytest

from actlab.experiments import unfair

ARMS = {"ReLU": 0.70, "tanh": 0.72, "GELU": 0.74}  # their true accuracies


def table(noise=0.0, **columns):
    rng = np.random.default_rng(1)
    rows = [
        {
            "data": data,
            "network": "2 layers",
            "norm": "none",
            "arm": arm,
            "split": split,
            "seed": seed,
            "accuracy": level + noise * rng.normal(),
            "accuracy_5": 1 - level,  # who ends best starts last
            "tolerant": 1.0,
            "loss_tuned": 0.5,
            "loss_untuned": level,
            "diverged": False,
            "target_1": 2 if arm == "ReLU" else 6,
            "target_2": {"ReLU": 0, "tanh": 20, "GELU": 8}[arm],
            "target_3": 0,
            "seconds": 4.0 if arm == "GELU" else 1.0,
        }
        for data in ("digits", "wine")
        for arm, level in ARMS.items()
        for split in range(5)
        for seed in range(4)
    ]
    return pd.DataFrame(rows).assign(**columns)


FAIR = unfair.ranking(table())


def test_a_fair_ranking_is_that_of_the_true_accuracies():
    assert FAIR.to_dict() == {"GELU": 1, "tanh": 2, "ReLU": 3}
    assert list(FAIR.index) == ["GELU", "tanh", "ReLU"]


@pytest.mark.parametrize("broken", [{"when": "accuracy_5"}, {"tuned": False}])
def test_to_stop_early_or_not_to_tune_turns_it_round(broken):
    found = unfair.ranking(table(), **broken)
    assert list(found.index) == ["ReLU", "tanh", "GELU"]
    assert unfair.turned(FAIR, found) == 100


def test_one_network_and_the_luckiest_of_twenty_follow_chance():
    noisy = table(noise=0.1)
    ones = [unfair.ranking(noisy, network=(s, k)) for s in range(5) for k in range(4)]
    shares = [unfair.turned(FAIR, one) for one in ones]
    assert min(shares) < 20 < 50 < max(shares)
    highest = noisy.groupby(["data", "arm"]).accuracy.max().unstack()
    lucky = unfair.ranking(noisy, best=True)
    assert lucky.to_dict() == highest.rank(axis=1, ascending=False).mean().to_dict()


def test_one_data_set_is_looked_at_alone():
    found = table()
    found.loc[(found.data == "wine") & (found.arm == "ReLU"), "accuracy"] = 0.9
    assert unfair.ranking(found, data="wine").index[0] == "ReLU"
    assert unfair.ranking(found, data="digits").equals(FAIR)
    with pytest.raises(ValueError, match="nothing to rank"):
        unfair.ranking(found, data="iris")


def test_a_network_that_diverged_is_ranked_as_one_that_guesses():
    found = table()
    found.loc[found.arm == "GELU", "accuracy"] = np.nan
    assert unfair.ranking(found).index[-1] == "GELU"


def test_pairs_that_turn_and_ties():
    tied = pd.Series({"GELU": 1.5, "tanh": 1.5, "ReLU": 3.0})
    assert unfair.turned(FAIR, FAIR) == 0
    assert unfair.turned(FAIR, tied) == pytest.approx(100 / 6)


def test_times_to_targets_and_their_profile():
    times = unfair.to_targets(table())
    assert len(times) == 4  # two targets on two data sets; nobody reached the third
    assert np.isinf(times.xs("2", level="target").ReLU).all()
    shares = unfair.profile(times)
    assert shares.loc[1].to_dict() == {"ReLU": 50, "tanh": 0, "GELU": 50}
    assert shares.loc[3].to_dict() == {"ReLU": 50, "tanh": 100, "GELU": 100}
    in_seconds = unfair.profile(unfair.to_targets(table(), seconds=True))
    assert in_seconds.loc[1].to_dict() == {"ReLU": 50, "tanh": 50, "GELU": 0}
    assert (np.diff(shares, axis=0) >= 0).all()


def test_how_an_arm_behaves():
    found = table()
    lowest = (found.arm == "tanh") & (found.split == 4) & (found.seed == 3)
    found.loc[lowest, "accuracy"] = 0.52
    found.loc[found.arm == "GELU", "diverged"] = True
    told = unfair.summary(found)
    assert list(told.index) == ["ReLU", "tanh", "GELU"]
    assert told.worst.round(6).to_dict() == {"ReLU": 0, "tanh": 19, "GELU": 0}
    assert told.untuned.to_dict() == pytest.approx({"ReLU": 1.4, "tanh": 1.44, "GELU": 1.48})
    assert told.diverged.to_dict() == {"ReLU": 0, "tanh": 0, "GELU": 100}
