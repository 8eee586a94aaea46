"""The search for a learning rate, on invented landscapes whose best rate is known."""

import numpy as np
import pytest

from actlab import data, ensemble
from actlab.ensemble.search import LARGEST, SMALLEST, search

SEEDS = 10


def hill(peak, width=1.0, seeds=SEEDS):
    def score(rates):
        return {r: np.full(seeds, 1 - (np.log10(r / peak) / width) ** 2) for r in rates}

    return score


@pytest.mark.parametrize("peak", [1e-5, 3e-4, 0.004, 0.03, 0.05, 0.4, 7.0, 90.0])
def test_the_grid_grows_until_the_best_lies_inside_and_is_refined(peak):
    found = search(hill(peak))
    assert abs(np.log10(found.rate / peak)) <= 1 / 8 + 1e-3  # half a quarter-decade
    assert not found.at_edge
    assert min(found.values) < found.rate < max(found.values)
    assert max(found.values.values()) == found.values[found.rate]


def test_a_cliff_that_one_seed_in_ten_falls_off_is_not_chosen():
    def score(rates):
        found = hill(0.3)(rates)
        for rate, values in found.items():
            if rate > 0.15:
                values[3] = 0.1  # the mean alone would still choose this side
        return found

    chosen = search(score).rate
    assert chosen <= 0.15

    def means(rates):
        return {r: np.full(SEEDS, v.mean()) for r, v in score(rates).items()}

    assert search(means).rate > 0.15


def test_a_rate_that_loses_one_network_loses():
    def score(rates):
        found = hill(0.3, width=3.0)(rates)
        for rate, values in found.items():
            if rate > 0.06:
                values[0] = np.nan
        return found

    found = search(score)
    assert found.rate <= 0.06
    lost = [value for rate, value in found.values.items() if rate > 0.06]
    assert lost
    assert set(lost) == {-np.inf}  # no mean of the others, and no NaN that no order knows


def test_where_all_diverge_smaller_rates_are_tried_and_the_end_is_an_error():
    def score(rates):
        return {r: np.full(SEEDS, 0.5 if r < 1e-4 else np.nan) for r in rates}

    assert search(score).rate < 1e-4
    with pytest.raises(ValueError, match="diverged with every learning rate"):
        search(lambda rates: {r: np.full(SEEDS, np.nan) for r in rates})


def test_an_endless_slope_ends_at_the_limit_and_says_so():
    up = search(lambda rates: {r: np.full(SEEDS, np.log(r)) for r in rates})
    assert up.at_edge
    assert up.rate > LARGEST / 10
    down = search(lambda rates: {r: np.full(SEEDS, -np.log(r)) for r in rates})
    assert down.at_edge
    assert down.rate < SMALLEST * 10


def test_ties_go_to_the_second_column_and_then_to_the_middle():
    def score(rates):
        return {r: np.stack([np.ones(SEEDS), hill(0.01)([r])[r]], 1) for r in rates}

    assert search(score).rate == pytest.approx(0.01, rel=0.3)
    flat = search(lambda rates: {r: np.ones(SEEDS) for r in rates})
    assert min(flat.values) < flat.rate < max(flat.values)


def test_nothing_is_trained_twice():
    seen = []

    def score(rates):
        seen.extend(rates)
        return hill(2.0)(rates)

    search(score)
    assert len(seen) == len(set(seen)) <= 10


def test_arms_that_are_tuned_together_get_the_rates_they_get_alone():
    """One of them searches longer than the others: its start is a hundred times too small."""
    parts = [data.load("wine", seed=split) for split in range(2)]
    arms = {
        "relu": {"activation": "relu", "init": "he_normal"},
        "mish, normalised": {"activation": "mish", "normalization": "batch"},
        "small": {"activation": "linear", "gain": 0.01},
    }
    run = {"metric": "valid_loss", "epochs": 4, "hidden": (8,), "batch_size": 32, "progress": False}
    alone = {name: ensemble.fair_rate(parts, own, [7, 8], **run) for name, own in arms.items()}
    assert ensemble.fair_rates(parts, arms, [7, 8], **run) == alone
    assert len({len(choice.values) for choice in alone.values()}) > 1
    with pytest.raises(TypeError, match="lr is what is chosen"):
        ensemble.fair_rates(parts, {**arms, "own": {"lr": 0.1}}, [7, 8], **run)
