"""Who is ahead, in tables made up: pairs, splits, the nearest rival, and networks that diverged."""

import numpy as np
import pandas as pd
import pytest

from actlab import stats
from actlab.experiments import contest


def table(**arms):
    """Accuracies in per cent, arm → (splits, seeds), on two data sets."""
    rows = [
        {
            "data": data,
            "depth": 5,
            "arm": arm,
            "split": split,
            "seed": seed,
            "accuracy": value / 100,
            "accuracy_1": value / 200,
            "accuracy_4": value / 100,
            "diverged": bool(np.isnan(value)),
        }
        for data in ("digits", "wine")
        for arm, splits in arms.items()
        for split, seeds in enumerate(splits)
        for seed, value in enumerate(seeds)
    ]
    return pd.DataFrame(rows)


def asked(monkeypatch, made, arm="", over=(), **more):
    monkeypatch.setattr(contest, "load", lambda name: made)
    arms = {name: {} for name in made.arm.unique()}
    study = contest.contest(
        "made_up", "Numbers", arms, data={"digits": ({}, 1), "wine": ({}, 1)}, depths=(5,)
    )
    return contest.Ahead(study, arm, over, **more)


RNG = np.random.default_rng(0)
BASE = 80 + RNG.normal(size=(5, 4)) + 3 * RNG.normal(size=(5, 1))
NOISE = RNG.normal(size=(5, 4)) / 10


def test_a_lead_is_paired_and_its_floor_knows_the_seeds_alone(monkeypatch):
    question = asked(monkeypatch, table(a=BASE + 2 + NOISE, b=BASE), "a", "b")
    found = question(0, lambda cases: 0.95)[question.quantity]
    assert list(found.cases) == [("digits",), ("wine",)]
    assert found.factors == ("data",)
    interval = found.cases["digits",]
    assert interval.mean == pytest.approx((2 + NOISE).mean())
    assert interval.low > 1.7
    spread = np.sqrt(BASE.var(axis=1, ddof=1).mean())
    assert found.floors["digits",] == pytest.approx(2.1314 * spread * np.sqrt(2 / 20), rel=1e-4)
    assert found.notes["lead by split"]["wine"] == pytest.approx((2 + NOISE).mean(1).tolist())
    once = question.lengths()["trained once"](0, lambda cases: 0.95)[question.quantity]
    assert once.cases["digits",].mean == pytest.approx(interval.mean / 2)


def test_an_arm_that_the_contest_does_not_have_is_named(monkeypatch):
    with pytest.raises(ValueError, match="made_up has no arm 'tanh': it has a, b"):
        asked(monkeypatch, table(a=BASE, b=BASE), "a", ("b", "tanh"))


def test_a_lead_that_hangs_on_one_split_is_none():
    steady = np.array([[2.2], [1.8], [2.1], [1.9], [2.0]])
    hangs = np.array([[0.1], [0.6], [0.1], [0.6], [2.4]])
    found, on_one = contest.over_splits(steady, 0.95)
    assert found.low > 0
    assert not on_one
    plain = stats.mean_interval(steady.ravel(), 0.95)
    assert (found.low, found.high) < (plain.low, np.inf)
    # Sure with all splits, but only at a low confidence: without the last one it is not.
    found, on_one = contest.over_splits(hangs, 0.8)
    assert stats.mean_interval(hangs.ravel(), 0.8).low > 0 > found.low
    assert on_one
    for i in range(5):
        one = stats.mean_interval(np.delete(hangs.ravel(), i))
        assert found.low <= one.low <= one.high <= found.high


def test_the_nearest_rival_counts(monkeypatch):
    made = table(a=BASE + 2 + NOISE, b=BASE, c=BASE + 1.5)
    question = asked(monkeypatch, made, "a", ("b", "c"))
    found = question(0, lambda cases: 0.95)[question.quantity]
    assert found.cases["digits",].mean == pytest.approx((0.5 + NOISE).mean())
    assert found.notes["lead by rival"]["digits"]["b"] == pytest.approx((2 + NOISE).mean())
    assert "whichever comes nearest of b and c" in question.words()


def test_a_pair_is_left_out_where_one_of_it_diverged(monkeypatch):
    some = BASE.copy()
    some[0, 1] = some[3, 2] = np.nan
    question = asked(monkeypatch, table(a=some + 2, b=BASE), "a", "b")
    found = question(0, lambda cases: 0.95)[question.quantity]
    assert found.cases["digits",].n == 18
    assert found.cases["digits",].mean == pytest.approx(2)
    assert found.notes["networks that diverged (%)"]["digits"] == {"a": 10.0, "b": 0.0}


@pytest.mark.parametrize(("data", "chance"), [("digits", 10), ("wine", 100 / 3)])
def test_where_more_than_a_fifth_diverged_they_count_as_chance(data, chance):
    many = BASE.copy()
    many[:4, 0] = np.nan  # a fifth of twenty: those are left out
    left = contest.accuracies(table(a=many), "a", data=data)
    assert np.isnan(left).sum() == 4
    many[4, 0] = np.nan
    assert contest.accuracies(table(a=many), "a", data=data)[:, 0] == pytest.approx(chance)


def test_pairs_are_cases_of_their_own(monkeypatch):
    made = table(**{"x | one": BASE + 3 + NOISE, "y | one": BASE, "x | two": BASE, "y | two": BASE})
    pairs = {"one": ("x | one", "y | one"), "2": ("x | two", "y | two")}
    question = asked(monkeypatch, made, pairs=pairs)
    found = question(0, lambda cases: 0.95)[question.quantity]
    assert found.factors == ("break", "data")
    assert list(found.cases) == [("one", "digits"), ("one", "wine"), ("2", "digits"), ("2", "wine")]
    assert found.cases["one", "wine"].low > 0
    assert found.cases["2", "wine"].mean == 0


def test_without_anything_going_on_an_interval_covers_zero_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        values = rng.normal(size=(5, 1)) + rng.normal(size=(5, 4))
        found, _ = contest.over_splits(values, 0.95)
        covered += found.low <= 0 <= found.high
    assert covered / 400 > 0.95
