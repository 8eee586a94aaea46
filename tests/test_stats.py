"""Intervals cover, tests agree with scipy, corrections with hand computation, verdicts at edges."""

import gc
import math
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from actlab import plots, stats
from actlab.stats import Interval

ARMS = {"relu": 0.86, "tanh": 0.84, "elu": 0.88, "selu": 0.8801}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    return pd.DataFrame({name: rng.normal(mean, 0.01, 20) for name, mean in ARMS.items()})


@pytest.fixture(scope="module")
def comparison(table):
    return stats.compare(table)


# --- one arm ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "confidence"), [(5, 0.95), (20, 0.95), (20, 0.8)])
def test_t_interval_covers_the_true_mean_as_often_as_it_says(n, confidence):
    samples = np.random.default_rng(0).normal(3.0, 2.0, (1000, n))
    found = [stats.mean_interval(sample, confidence) for sample in samples]
    covered = np.mean([i.low <= 3.0 <= i.high for i in found])
    # Four standard errors of a share of 1000; a normal instead of a t quantile misses it at n=5.
    assert abs(covered - confidence) < 4 * math.sqrt(confidence * (1 - confidence) / 1000)


def test_bootstrap_interval_covers_nearly_as_often_for_skewed_values():
    samples = np.random.default_rng(1).exponential(1.0, (250, 30))
    found = [stats.mean_interval(sample, method="bootstrap") for sample in samples]
    below = np.mean([i.high < 1.0 for i in found])
    above = np.mean([i.low > 1.0 for i in found])
    assert 0.88 < 1 - below - above < 0.98
    # It leans the way the values do, which a t interval can't.
    skew = [i.high - i.mean > i.mean - i.low for i in found]
    assert np.mean(skew) > 0.9


def test_mean_interval_is_scipys():
    x = np.random.default_rng(2).normal(size=12)
    found = stats.mean_interval(x, 0.9)
    expected = scipy_stats.ttest_1samp(x, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert (found.mean, found.n, found.confidence) == (pytest.approx(x.mean()), 12, 0.9)


def test_bootstrap_is_repeatable_and_follows_its_seed():
    x = np.random.default_rng(2).exponential(size=15)
    first, again, other = (stats.mean_interval(x, method="bootstrap", seed=s) for s in (0, 0, 1))
    assert first == again
    assert first != other
    assert first.low == pytest.approx(other.low, abs=0.05)


@pytest.mark.parametrize("method", ["t", "bootstrap"])
def test_values_without_spread_have_an_interval_without_width(method):
    found = stats.mean_interval([0.1] * 7, method=method)
    assert (found.mean, found.low, found.high, found.n) == (0.1, 0.1, 0.1, 7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_diverged_member_is_never_averaged_away(bad):
    values = [0.8, bad, 0.9, bad, 1.0]
    with pytest.raises(ValueError, match="2 of 5 are NaN or infinite"):
        stats.mean_interval(values)
    with pytest.raises(ValueError, match="2 of 5 are NaN or infinite"):
        stats.noise_floor(values)
    found = stats.mean_interval(values, nan="drop")
    assert (found.mean, found.n, found.n_dropped) == (pytest.approx(0.9), 3, 2)
    assert "n=3" in str(found)
    assert "2 dropped" in str(found)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: stats.mean_interval([0.5]), ValueError, "at least two finite values, got 1"),
        (lambda: stats.mean_interval([]), ValueError, "got 0"),
        (lambda: stats.mean_interval([1.0, np.nan], nan="drop"), ValueError, "got 1"),
        (lambda: stats.mean_interval(0.5), ValueError, r"got shape \(\)"),
        (lambda: stats.mean_interval([[1.0, 2.0]]), ValueError, r"got shape \(1, 2\)"),
        (lambda: stats.mean_interval(["a", "b"]), TypeError, "values: expected real numbers"),
        (lambda: stats.mean_interval([1, 2], 95), ValueError, "confidence=95"),
        (lambda: stats.mean_interval([1, 2], method="z"), ValueError, "'t' or 'bootstrap'"),
        (lambda: stats.mean_interval([1, 2], nan="ignore"), ValueError, "'raise' or 'drop'"),
        (lambda: stats.noise_floor([1, 2], n=0), ValueError, "n=0"),
    ],
)
def test_bad_values_are_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_interval_reads_well():
    found = Interval(0.8714, 0.86849, 0.8738, 20)
    assert str(found) == "0.871 [0.868, 0.874] (n=20)"
    assert found.format(percent=True) == "87.1 % [86.8, 87.4] (n=20)"
    assert found.format(2) == "0.87 [0.87, 0.87] (n=20)"
    assert str(Interval(-0.0001, -0.5, 0.5, 9, 1, 0.99)) == (
        "0.000 [-0.500, 0.500] (n=9, 0.99 confidence, 1 dropped)"
    )


@pytest.mark.parametrize("method", ["wilson", "exact"])
def test_share_interval_is_scipys_and_stays_inside_0_and_1(method):
    found = stats.share_interval(7, 20, method=method)
    expected = scipy_stats.binomtest(7, 20).proportion_ci(0.95, method)
    assert (found.mean, found.low, found.high, found.n) == (
        0.35,
        expected.low,
        expected.high,
        20,
    )
    none, all_ = (stats.share_interval(k, 20, method=method) for k in (0, 20))
    assert none.low == 0 < none.high < 0.2
    assert all_.low > 0.8
    assert all_.high == 1


def test_wilson_interval_by_hand():
    # k = 5 of n = 10: centre (p + z²/2n) / (1 + z²/n), half-width by Wilson (1927).
    z = 1.959963984540054
    half = z / (1 + z**2 / 10) * math.sqrt(0.25 / 10 + z**2 / 400)
    found = stats.share_interval(5, 10)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


@pytest.mark.parametrize(
    ("successes", "total"), [(-1, 5), (6, 5), (0, 0), (2.5, 5), (True, 5), (1, "5"), (math.nan, 5)]
)
def test_impossible_shares_are_refused(successes, total):
    with pytest.raises(ValueError, match=r"(successes|total)=.*: expected"):
        stats.share_interval(successes, total)


def test_counts_may_be_numpys():
    assert stats.share_interval(np.int64(7), np.uint8(20)) == stats.share_interval(7, 20)
    assert stats.noise_floor([1.0, 2.0], n=np.int32(2)) == stats.noise_floor([1.0, 2.0], n=2)


def test_noise_floor_covers_the_difference_of_two_fresh_means_of_the_same_arm():
    rng = np.random.default_rng(4)
    n, inside = 6, []
    for _ in range(1000):
        seen, one, two = rng.normal(0.9, 0.02, (3, n))
        inside.append(abs(one.mean() - two.mean()) <= stats.noise_floor(seen))
    assert abs(np.mean(inside) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 1000)


def test_noise_floor_shrinks_with_the_root_of_the_seeds_asked_for():
    x = np.random.default_rng(5).normal(size=20)
    assert stats.noise_floor(x, n=80) == pytest.approx(stats.noise_floor(x) / 2)
    assert stats.noise_floor([0.5] * 5) == 0


# --- numbers of any size ----------------------------------------------------------------------

SIZES = [-1060, -700, -330, -40, -1, 3, 500, 1000]  # powers of two: no digit changes


@pytest.mark.parametrize("power", SIZES)
@pytest.mark.parametrize("method", ["t", "bootstrap"])
def test_an_interval_grows_with_the_unit_and_with_nothing_else(power, method):
    """Squares of 1e-200 are 0 and of 1e300 infinite: neither may reach the interval."""
    x = np.random.default_rng(11).integers(2**10, 2**11, 14) / 2.0**11
    small, large = (
        stats.mean_interval(x, method=method),
        stats.mean_interval(np.ldexp(x, power), method=method),
    )
    if power < -1000:  # what is left of a mean among subnormal numbers are a few digits
        assert large.low < large.mean < large.high
        assert large.mean == pytest.approx(np.ldexp(small.mean, power), rel=1e-3, abs=0)
        return
    for end in ("mean", "low", "high"):
        assert getattr(large, end) == np.ldexp(getattr(small, end), power)


@pytest.mark.parametrize("power", SIZES)
def test_a_difference_grows_with_the_unit_and_its_p_does_not_change(power):
    rng = np.random.default_rng(12)
    a, b = rng.integers(2**10, 2**11, (2, 12)) / 2.0**11
    small = stats.paired_difference(a, b)
    large = stats.paired_difference(np.ldexp(a, power), np.ldexp(b, power))
    assert (large.p, large.effect) == pytest.approx((small.p, small.effect), rel=1e-9)
    assert large.p_wilcoxon == small.p_wilcoxon
    assert large.low == pytest.approx(np.ldexp(small.low, power), rel=1e-3, abs=0)
    assert stats.noise_floor(np.ldexp(a, power)) == pytest.approx(
        np.ldexp(stats.noise_floor(a), power), rel=1e-3, abs=0
    )


@pytest.mark.parametrize("factor", [1e-250, 1e-13, 0.1, 3.0, 7e11, 1e290])
def test_any_factor_moves_everything_alike(factor):
    rng = np.random.default_rng(13)
    a, b = rng.normal(1.0, 0.3, (2, 10))
    small, large = stats.paired_difference(a, b), stats.paired_difference(factor * a, factor * b)
    for end in ("mean", "low", "high"):
        assert getattr(large, end) == pytest.approx(
            factor * getattr(small, end), rel=1e-9, abs=1e-11 * factor
        )
    assert large.p_wilcoxon == small.p_wilcoxon
    assert large.p == pytest.approx(small.p, rel=1e-8)
    one, ten = stats.mean_interval(a), stats.mean_interval(factor * a)
    assert (ten.low, ten.high) == pytest.approx(
        (factor * one.low, factor * one.high), rel=1e-13, abs=0
    )


@pytest.mark.parametrize("shift", [-3.0, 1e-9, 1e6])
def test_a_shift_moves_the_interval_and_not_its_width(shift):
    x = np.random.default_rng(14).normal(size=9)
    here, there = stats.mean_interval(x), stats.mean_interval(x + shift)
    assert (there.low, there.high) == pytest.approx((here.low + shift, here.high + shift))
    assert there.high - there.low == pytest.approx(here.high - here.low, rel=1e-8)
    assert stats.noise_floor(x + shift) == pytest.approx(stats.noise_floor(x), rel=1e-8)
    both = stats.paired_difference(x + shift, x[::-1] + shift)
    assert both.p == pytest.approx(stats.paired_difference(x, x[::-1]).p, rel=1e-6)


def test_extreme_samples():
    tiny, huge = 5e-324, sys.float_info.max
    found = stats.mean_interval([1e-200, 2e-200, 3e-200])
    half = scipy_stats.t.ppf(0.975, 2) / math.sqrt(3) * 1e-200
    assert (found.low, found.high) == pytest.approx(
        (2e-200 - half, 2e-200 + half), rel=1e-12, abs=0
    )
    found = stats.mean_interval([0.0, tiny, tiny * 7])
    assert found.low < found.mean < found.high  # subnormal spread: not a width of zero
    found = stats.mean_interval([huge, huge, 0.9 * huge])
    assert found.mean == pytest.approx(huge / 3 * 2.9)
    assert (found.low < huge, found.high) == (True, math.inf)  # no float64 is large enough
    assert stats.mean_interval([huge] * 3).high == huge
    assert stats.mean_interval([tiny] * 3).low == tiny
    assert stats.mean_interval([0.0, -0.0]).mean == 0
    assert stats.noise_floor([1e-200, 3e-200]) > 0
    assert stats.noise_floor([huge, -huge]) == math.inf
    opposite = stats.paired_difference([huge, huge, huge], [-huge, -huge, 0.0])
    assert opposite.mean == math.inf
    assert opposite.p == pytest.approx(scipy_stats.ttest_1samp([2, 2, 1], 0).pvalue)
    assert opposite.effect == pytest.approx(np.mean([2, 2, 1]) / np.std([2, 2, 1], ddof=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stats.compare({"a": [huge, 1.0], "b": [-huge, 2.0], "c": [tiny, 0.0]})


@pytest.mark.parametrize("position", [0, 4, 9])
@pytest.mark.parametrize("large", [1e13, 1e100, 1e300])
def test_one_huge_pair_does_not_erase_the_others(position, large):
    a = np.insert(1.5 + 0.01 * np.arange(9), position, large)
    b = np.insert(1.0 + 0.01 * np.arange(9), position, 1.0)
    found = stats.paired_difference(a, b)
    assert found.p_wilcoxon == pytest.approx(scipy_stats.wilcoxon(a - b).pvalue)
    assert found.p_wilcoxon == pytest.approx(2 / 2**10)
    assert found.p == pytest.approx(scipy_stats.ttest_rel(a / large, b / large).pvalue)
    # The nine equal differences are still a tie, a tenth of another size is none.
    assert stats.paired_difference(b, b * (1 + 1e-15)).p == 1


def test_ties_are_kept_between_pairs_of_different_size():
    b = np.array([0.02, 0.3, 4.0, 52.0, 600.0, 7000.0])
    found = stats.paired_difference(b + 0.1, b)
    assert (found.low, found.high, found.p) == (found.mean, found.mean, 0)
    assert found.mean == 0.1


# --- two arms --------------------------------------------------------------------------------


def test_paired_difference_is_scipys():
    rng = np.random.default_rng(6)
    b = rng.normal(0.85, 0.05, 20)
    a = b + rng.normal(0.01, 0.01, 20)
    found = stats.paired_difference(a, b)
    t = scipy_stats.ttest_rel(a, b)
    interval = t.confidence_interval()
    assert found.p == pytest.approx(t.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_wilcoxon == pytest.approx(scipy_stats.wilcoxon(a, b).pvalue)
    assert found.effect == pytest.approx((a - b).mean() / (a - b).std(ddof=1))
    # Pairing is the point: the same values unpaired are far from telling the arms apart.
    assert found.p < 0.01 < 0.3 < scipy_stats.ttest_ind(a, b).pvalue
    boot = stats.paired_difference(a, b, method="bootstrap")
    assert boot.mean == found.mean
    assert boot.low != found.low
    assert boot.p == found.p


def test_exchanging_the_arms_turns_the_sign_and_nothing_else():
    a, b = np.random.default_rng(7).normal(size=(2, 9))
    ab, ba = stats.paired_difference(a, b), stats.paired_difference(b, a)
    assert (ab.mean, ab.low, ab.effect) == pytest.approx((-ba.mean, -ba.high, -ba.effect))
    assert (ab.p, ab.p_wilcoxon) == pytest.approx((ba.p, ba.p_wilcoxon))


def test_identical_arms_do_not_differ():
    found = stats.paired_difference([0.9, 0.8, 0.7], [0.9, 0.8, 0.7])
    assert (found.mean, found.low, found.high) == (0, 0, 0)
    assert (found.p, found.p_wilcoxon, found.effect) == (1, 1, 0)


def test_rounding_errors_are_neither_an_effect_nor_broken_ties():
    # 0.3 - 0.2, 0.4 - 0.3 … differ in the last bit; they are one and the same difference.
    b = np.arange(1, 9) / 10
    found = stats.paired_difference(b + 0.1, b)
    assert (found.low, found.high, found.p) == (found.mean, found.mean, 0)
    assert found.mean == pytest.approx(0.1)
    assert found.effect == math.inf
    assert found.p_wilcoxon == pytest.approx(2 / 2**8)
    assert stats.paired_difference(b, b * (1 + 1e-15)).p == 1


def test_a_pair_with_a_diverged_member_is_dropped_whole():
    a, b = [1.0, np.nan, 3.0, 4.0], [0.5, 2.0, np.inf, 1.0]
    with pytest.raises(ValueError, match=r"2 of 4 are NaN or infinite \(1 in a, 1 in b\)"):
        stats.paired_difference(a, b)
    found = stats.paired_difference(a, b, nan="drop")
    assert (found.mean, found.n, found.n_dropped) == (1.75, 2, 2)


def test_pairs_that_are_none_are_refused():
    with pytest.raises(ValueError, match="a has 3 values and b has 2"):
        stats.paired_difference([1, 2, 3], [1, 2])
    seeds = pd.Series([1.0, 2.0, 4.0], index=[0, 1, 2])
    shuffled = seeds.loc[[2, 0, 1]]
    with pytest.raises(ValueError, match="different indexes"):
        stats.paired_difference(seeds, shuffled)
    assert stats.paired_difference(seeds, shuffled.loc[seeds.index]).mean == 0


def test_difference_shows_its_sign():
    found = stats.Difference(0.012, -0.003, 0.027, 20, p=0.0004, p_wilcoxon=0.2, effect=0.4)
    assert str(found) == "+0.012 [-0.003, +0.027] (n=20, p < 0.001)"
    assert found.format(percent=True) == "+1.2 points [-0.3, +2.7] (n=20, p < 0.001)"


# --- many arms -------------------------------------------------------------------------------


def test_compare_is_friedman_and_wilcoxon_of_scipy(table, comparison):
    friedman = scipy_stats.friedmanchisquare(*table.to_numpy().T)
    assert (comparison.friedman_statistic, comparison.friedman_p) == pytest.approx(friedman)
    ranks = table.rank(axis=1, ascending=False).mean().sort_values()
    pd.testing.assert_series_equal(comparison.mean_ranks, ranks)
    assert list(comparison.mean_ranks.index)[-1] == "tanh"
    frame = comparison.to_frame()
    assert len(frame) == 6
    for row in frame.itertuples():
        a, b = table[row.a], table[row.b]
        assert row.p == pytest.approx(scipy_stats.wilcoxon(a, b).pvalue)
        assert row.difference == pytest.approx(a.mean() - b.mean())
        assert row.noise_floor == max(stats.noise_floor(a), stats.noise_floor(b))
        simultaneous = scipy_stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 6)
        assert (row.low, row.high) == pytest.approx((simultaneous.low, simultaneous.high))
    assert comparison.significant("elu", "tanh")
    assert comparison.significant("tanh", "elu")
    assert not comparison.significant("elu", "selu")
    assert not comparison.significant("elu", "elu")


def test_holm_by_hand():
    # Without ties or zeros Wilcoxon's p is exact, so all of it can be counted. Six blocks:
    # c is below a and b in all six: p = 2/2^6 = 1/32 twice. b beats a by 1 … 5 and loses by 6:
    # rank sum 6 of 21; of the 64 subsets of {1…6}, 14 have a sum <= 6: p = 2 · 14/64 = 7/16.
    a = np.zeros(6)
    b = np.array([1.0, 2, 3, 4, 5, -6])
    c = np.array([-11.0, -12, -13, -14, -15, -17])
    found = stats.compare({"a": a, "b": b, "c": c}, confidence=0.9)
    frame = found.to_frame().set_index(["a", "b"])
    assert frame.loc[("b", "a"), "p"] == pytest.approx(7 / 16)
    assert frame.loc[("b", "c"), "p"] == pytest.approx(1 / 32)
    assert frame.loc[("a", "c"), "p"] == pytest.approx(1 / 32)
    # Holm: the smallest times 3, the next times 2 but not below the first, the last times 1.
    assert frame.loc[("b", "c"), "p_holm"] == pytest.approx(3 / 32)
    assert frame.loc[("a", "c"), "p_holm"] == pytest.approx(3 / 32)
    assert frame.loc[("b", "a"), "p_holm"] == pytest.approx(7 / 16)
    assert found.smallest_p == pytest.approx(3 / 32)
    assert found.significant("a", "c")
    # At 5 % the uncorrected 1/32 would be significant, the corrected 3/32 is not.
    strict = stats.compare({"a": a, "b": b, "c": c})
    assert not strict.significant("a", "c")
    assert not strict.to_frame()["significant"].any()
    # Ranks by hand: b first five times, then a; c always last.
    assert found.mean_ranks.to_dict() == pytest.approx({"b": 7 / 6, "a": 11 / 6, "c": 3.0})


def test_correction_keeps_the_chance_of_any_false_pair_below_five_percent():
    rng = np.random.default_rng(8)
    # statsmodels collects garbage at every correction: let it not walk through all of pandas.
    gc.freeze()
    # Ten blocks and no ties keep Wilcoxon exact and quick; five equal arms make ten pairs.
    studies = [
        stats.compare(dict(zip("abcde", rng.normal(size=(5, 10)), strict=True))).to_frame()
        for _ in range(40)
    ]
    gc.unfreeze()
    uncorrected = np.mean([(frame["p"] < 0.05).any() for frame in studies])
    corrected = np.mean([frame["significant"].any() for frame in studies])
    assert uncorrected > 0.15
    assert corrected < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 40)


def test_lower_is_better_turns_the_ranks_round(table, comparison):
    losses = stats.compare(-table, higher_is_better=False)
    pd.testing.assert_frame_equal(losses.ranks, comparison.ranks)
    assert losses.mean_ranks.index[0] == comparison.mean_ranks.index[0]
    assert stats.compare(table, higher_is_better=False).mean_ranks.index[0] == "tanh"


def test_ties_share_their_rank_and_all_tied_is_no_difference():
    found = stats.compare({"a": [1.0, 2, 3], "b": [1.0, 2, 3], "c": [0.0, 0, 0]})
    assert found.mean_ranks.to_dict() == {"a": 1.5, "b": 1.5, "c": 3.0}
    same = stats.compare({"a": [1.0, 2, 3], "b": [1.0, 2, 3], "c": [1.0, 2, 3]})
    assert (same.friedman_statistic, same.friedman_p) == (0, 1)
    assert not same.to_frame()["significant"].any()


def test_compare_counts_what_it_drops(table):
    broken = table.copy()
    broken.loc[[3, 8], "relu"] = np.nan
    broken.loc[8, "tanh"] = np.inf
    with pytest.raises(ValueError, match=r"2 of 20 are NaN.*\(2 in relu, 1 in tanh\)"):
        stats.compare(broken)
    found = stats.compare(broken, nan="drop")
    assert (found.n_dropped, len(found.table)) == (2, 18)
    expected = stats.compare(table.drop([3, 8]))
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"a": [1, 2], "b": [2, 1]}, ValueError, "2 arms: expected three or more"),
        ({"a": [1], "b": [2], "c": [3]}, ValueError, "at least two"),
        ({"a": [1, 2], "b": [2, 1], "c": ["x", "y"]}, TypeError, r"table\['c'\]: expected real"),
        ({"a": [1, 2], "b": [2, 1], "c": [1]}, ValueError, "got 2 in a, 2 in b, 1 in c"),
        (
            {"a": pd.Series([1, 2]), "b": pd.Series([1, 2], [1, 0]), "c": [1, 2]},
            ValueError,
            "different indexes: align them",
        ),
        ([[1, 2, 3], [3, 4, 5]], TypeError, "a mapping from arms to values, got list"),
        (pd.DataFrame(np.ones((3, 3)), columns=["a", "b", "a"]), ValueError, "twice: a, b, a"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(bad, error, message):
    with pytest.raises(error, match=message):
        stats.compare(bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.rank_plot("relu"),
        lambda: stats.critical_difference_diagram(None),
        lambda: stats.interval_plot({"relu": 0.9}),
        lambda: stats.verdict_from_difference(0.3),
    ],
)
def test_what_is_no_result_is_refused(call):
    with pytest.raises(TypeError, match=r"expected .*, got (str|NoneType|float)\.$"):
        call()


def test_the_figures_of_results_keep_their_names():
    assert stats.interval_plot is plots.rows
    assert stats.rank_plot is plots.rank_plot
    assert stats.critical_difference_diagram is plots.critical_difference_diagram
    with pytest.raises(AttributeError, match="no attribute 'pie_plot'"):
        _ = stats.pie_plot


def test_an_unknown_arm_names_those_there_are(comparison):
    with pytest.raises(ValueError, match=r"no arm 'swish'; the arms are .*tanh"):
        comparison.significant("relu", "swish")


def test_to_frame_gives_a_copy(comparison):
    frame = comparison.to_frame()
    frame["p_holm"] = 0.0
    assert not comparison.significant("elu", "selu")


# --- verdicts --------------------------------------------------------------------------------

VERDICTS = [
    # claim, low, high, smallest interesting, verdict
    ("better", 0.1, 0.3, 0.0, "holds"),
    ("better", -0.1, 0.3, 0.0, "not shown"),
    ("better", -0.3, -0.1, 0.0, "refuted"),
    ("better", 0.0, 0.3, 0.0, "not shown"),  # 0 itself is not better
    ("better", -0.3, 0.0, 0.0, "refuted"),
    ("better", 0.0, 0.0, 0.0, "refuted"),  # the very same results
    ("better", 0.1, 0.3, 0.1, "not shown"),  # exactly the margin is not more than it
    ("better", 0.11, 0.3, 0.1, "holds"),
    ("better", 0.02, 0.1, 0.1, "refuted"),  # real, but too small to matter
    ("better", 0.02, 0.11, 0.1, "not shown"),
    ("not worse", -0.09, 0.3, 0.1, "holds"),
    ("not worse", -0.1, 0.3, 0.1, "not shown"),
    ("not worse", -0.3, -0.1, 0.1, "refuted"),
    ("not worse", -0.3, -0.09, 0.1, "not shown"),
    ("equivalent", -0.09, 0.09, 0.1, "holds"),
    ("equivalent", 0.02, 0.09, 0.1, "holds"),  # a real difference may still be negligible
    ("equivalent", -0.1, 0.05, 0.1, "not shown"),
    ("equivalent", -0.05, 0.1, 0.1, "not shown"),
    ("equivalent", -0.2, 0.2, 0.1, "not shown"),
    ("equivalent", 0.1, 0.2, 0.1, "refuted"),
    ("equivalent", -0.2, -0.1, 0.1, "refuted"),
    ("equivalent", 0.09, 0.2, 0.1, "not shown"),
]


@pytest.mark.parametrize(("claim", "low", "high", "margin", "expected"), VERDICTS)
def test_verdict_at_and_around_its_boundaries(claim, low, high, margin, expected):
    found = Interval((low + high) / 2, low, high, 20)
    assert stats.verdict_from_difference(found, margin, claim) == expected


@pytest.mark.parametrize(
    ("found", "margin", "claim", "message"),
    [
        (Interval(0, -1, 1, 9), -0.1, "better", ">= 0"),
        (Interval(0, -1, 1, 9), math.nan, "better", ">= 0"),
        (Interval(math.nan, math.nan, math.nan, 9), 0.1, "better", "finite interval"),
        (Interval(0, -1, 1, 9), 0.0, "equivalent", "smallest_interesting > 0"),
        (Interval(0, -1, 1, 9), 0.1, "worse", "expected 'better', 'not worse' or 'equivalent'"),
    ],
)
def test_verdicts_without_a_meaning_are_refused(found, margin, claim, message):
    with pytest.raises(ValueError, match=message):
        stats.verdict_from_difference(found, margin, claim)


def test_verdict_errs_as_rarely_as_it_says():
    rng = np.random.default_rng(9)
    # The truth lies exactly on the boundary, where "more than 0.5" is just false.
    verdicts = [
        stats.verdict_from_difference(stats.mean_interval(rng.normal(0.5, 1, 20)), 0.5)
        for _ in range(1000)
    ]
    limit = 0.025 + 4 * math.sqrt(0.025 * 0.975 / 1000)
    assert 0 < verdicts.count("holds") / 1000 < limit
    assert 0 < verdicts.count("refuted") / 1000 < limit
