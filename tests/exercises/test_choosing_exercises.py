"""The checkers of chapter "Choosing" know wrong answers, and right ones in unusual clothes."""

import math
from functools import cache

import keras
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from actlab.exercises import choosing
from tests.exercises import rules
from tests.exercises.judge import judge

# --- 18.1 -----------------------------------------------------------------------------------------


def seeds(s, effect):
    return math.floor(8 * (s / effect) ** 2) + 1


def by_student(s, effect):
    """Unusual, and right: Student's t in the place of the 2."""
    n = 2
    while scipy_stats.t.ppf(0.975, 2 * n - 2) * s * math.sqrt(2 / n) >= effect:
        n += 1
    return n


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (seeds, None),
        (by_student, None),
        (lambda s, e: np.ceil(8 * (s / e) ** 2), None),
        (lambda s, e: torch.ceil(torch.tensor(8 * (s / e) ** 2)), None),
        (lambda s, e: keras.ops.ceil(8 * (s / e) ** 2), None),
        (lambda s, e: max(2, math.ceil(8 * (s / e) ** 2)), None),
        (lambda s, e: int(8 * (s / e) ** 2), "Was it rounded down?"),
        (lambda s, e: math.ceil(1.09 * 8 * (s / e) ** 2), "Fewer would have done"),
        (lambda s, e: 8 * (s / e) ** 2, "whole numbers"),
        (lambda s, e: math.ceil(4 * (s / e) ** 2), "Two are compared"),
        (lambda s, e: math.ceil(2 * 2**0.5 * s / e), "Is the square missing?"),
        (lambda s, e: math.ceil(2 * (s / e) ** 2), "is not above it"),
        (lambda s, e: 2 * seeds(s, e), "Fewer would have done"),
        (lambda s, e: -seeds(s, e), "no number of networks"),
        (lambda s, e: [seeds(s, e)] * 2, "expected one number"),
        (lambda s, e: None, "returned None"),
        (lambda s: 47, "TypeError"),
        (47, "must be a function"),
    ],
)
def test_seeds_needed(answer, hint):
    judge(choosing.check_seeds_needed, answer, hint)


# --- 18.2 -----------------------------------------------------------------------------------------


def by_package(p):
    return multipletests(p, alpha=0.05, method="holm")[0]


def holm(p):
    """The smallest, then the same question about the others."""
    p = np.asarray(p)
    if not len(p) or p.min() >= 0.05 / len(p):
        return [False] * len(p)
    first = int(p.argmin())
    others = holm(np.delete(p, first))
    return [*others[:first], True, *others[first:]]


def never_stops(p):
    ranks = np.argsort(np.argsort(p))
    return p < 0.05 / (len(p) - ranks)


def by_rank_of_value(p):
    """Of two equal ones it takes the later place, and with it the wider bound, for both."""
    ranks = {value: rank for rank, value in enumerate(sorted(p))}
    below = {value: value < 0.05 / (len(p) - rank) for value, rank in ranks.items()}
    return [all(below[other] for other in p if other <= value) for value in p]


def in_pytorch(p):
    values, order = torch.sort(p)
    below = torch.cumprod((values < 0.05 / torch.arange(len(p), 0, -1)).int(), 0).bool()
    return torch.empty_like(below).index_copy(0, order, below)


def by_pandas(p):
    ordered = pd.Series(p).sort_values()
    return (ordered < 0.05 / np.arange(len(ordered), 0, -1)).cummin().sort_index()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (holm, None),
        (in_pytorch, None),
        (by_pandas, None),
        (by_package, None),
        (lambda p: torch.tensor(holm(p)), None),
        (lambda p: keras.ops.array(holm(p)), None),
        (lambda p: np.array(holm(p), int), None),
        (lambda p: p < 0.05, "without any correction"),
        (lambda p: p < 0.05 / len(p), "Bonferroni's"),
        (never_stops, "Holm stops at the first"),
        (lambda p: holm(np.sort(p)), "in the order of size"),
        (lambda p: multipletests(p)[0], "Šidák's"),
        (by_rank_of_value, "of 0.016, 0.04, 0.9, 0.016 stand 0, by you 2"),
        (lambda p: ~np.array(holm(p)), "those that fall"),
        (lambda p: multipletests(p, method="holm")[1], "corrected p-values"),
        (lambda p: multipletests(p, alpha=0.05, method="fdr_bh")[0], "of "),
        (lambda p: np.flatnonzero(holm(p)), "a truth value for each"),
        (lambda p: sum(holm(p)), "a truth value for each"),
        (lambda p: None, "returned None"),
        (holm(np.array([0.01, 0.2])), "must be a function"),
    ],
)
def test_holm(answer, hint):
    judge(choosing.check_holm, answer, hint)


def test_the_series_tell_the_mistakes_apart():
    """Each mistake gives something else than Holm somewhere."""
    arrays = [np.array(values) for values in choosing.SERIES]
    for p in arrays:
        assert choosing._holm(p).tolist() == holm(p)
    for wrong in (lambda p: p < 0.05, lambda p: p < 0.05 / len(p), never_stops):
        assert any(wrong(p).tolist() != holm(p) for p in arrays)


# --- 18.3 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_contest(answer, hint):
    judge(choosing.check_own_contest, answer, hint)


# --- 18.4 -----------------------------------------------------------------------------------------

LEADS = {"wine": 0.05, "breast_cancer": 0.0, "digits": -0.05}
RIGHT = {"wine": "holds", "breast_cancer": "not shown", "digits": "refuted"}


@cache
def trial(splits=5, seeds=4, places=("wine", "breast_cancer", "digits")):
    """A rival that is better, equal and worse; a network of ReLU's diverged."""
    rng = np.random.default_rng(5)
    rows = []
    for place in places:
        for network in ("2 layers", "4 layers"):
            for split in range(splits):
                for seed in range(seeds):
                    level = 0.8 + 0.02 * rng.standard_normal()
                    ahead = LEADS[place] + 0.01 * rng.standard_normal()
                    for arm, accuracy in (("ReLU", level), ("softsign", level + ahead)):
                        rows.append((place, network, arm, split, seed, accuracy))
    names = ["data", "network", "arm", "split", "seed", "accuracy"]
    return pd.DataFrame(rows, columns=names)


def without(**where):
    table = trial()
    for column, value in where.items():
        table = table[table[column] != value]
    return table


def said(**words):
    return {**RIGHT, **words}


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((trial(), "softsign", RIGHT), None),
        ([trial(), "softsign", RIGHT], None),
        ((trial().sample(frac=1, random_state=0), "softsign", RIGHT), None),
        ((trial(), "softsign", {place: word.upper() for place, word in RIGHT.items()}), None),
        ((trial(8, 3), "softsign", RIGHT), None),
        ((trial(), "softsign", pd.Series(RIGHT)), None),
        ((trial().astype({"data": "category", "arm": "category"}), "softsign", RIGHT), None),
        ((trial(), "softsign", said(breast_cancer="refuted")), "shows nothing"),
        ((trial(), "softsign", said(breast_cancer="holds")), "shows nothing"),
        ((trial(), "softsign", said(wine="refuted")), "the other way round"),
        ((trial(), "softsign", said(digits="holds")), "the other way round"),
        ((trial(), "softsign", said(wine="not shown")), "something is shown"),
        ((trial(), "softsign", said(wine="better")), "expected one of holds"),
        ((trial(), "softsign", {"wine": "holds"}), "a verdict for each of"),
        ((trial(), "softsign", "holds"), "a verdict for each of"),
        ((trial(), "ReLU", RIGHT), "ReLU against itself"),
        ((trial(), "Softsign", RIGHT), "no arm 'Softsign'; it has ReLU, softsign"),
        ((without(arm="ReLU"), "softsign", RIGHT), "no arm 'ReLU'"),
        ((trial(places=("wine",)), "softsign", {"wine": "holds"}), "Take two"),
        ((trial(2, 2), "softsign", RIGHT), "take at least 20"),
        ((trial(1, 20), "softsign", RIGHT), "Take several"),
        ((trial().drop(columns="split"), "softsign", RIGHT), "the table lacks split"),
        ((RIGHT, "softsign", RIGHT), "the table lacks data"),
        ((trial(), "softsign"), "expected three things"),
        (trial(), "expected three things"),
    ],
)
def test_own_trial(answer, hint):
    judge(choosing.check_own_trial, answer, hint)


def test_the_minutes_own_data_sets_are_not_enough():
    table = trial().replace({"wine": "mnist1d"})
    table = table[table.data != "breast_cancer"]
    verdicts = {"mnist1d": "holds", "digits": "refuted"}
    judge(choosing.check_own_trial, (table, "softsign", verdicts), "Bring in another data set")


def test_a_network_that_diverged_counts_as_guessing():
    table = trial().copy()
    table.loc[(table.arm == "softsign") & (table.data == "wine"), "accuracy"] = np.nan
    judge(choosing.check_own_trial, (table, "softsign", said(wine="refuted")), None)
    judge(choosing.check_own_trial, (table, "softsign", RIGHT), "the other way round")


def test_the_praise_says_what_the_trial_found():
    feedback = choosing.check_own_trial((trial(), "softsign", RIGHT))
    for place, word in RIGHT.items():
        assert f"{place} {word}" in feedback.message
