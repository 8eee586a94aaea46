"""Checkers of the chapter "Choosing: which one is better, and how would you know?"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import data, stats
from actlab.exercises.decision import WORDS, plain
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import number, returned
from actlab.exercises.own import own_rule

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

# --- 18.1 -----------------------------------------------------------------------------------------

SPREADS = ((1.2, 0.5), (3.0, 0.6), (1.0, 1.5))  # s and the effect, in points


@checker("the answer must be a function of a spread and an effect")
def check_seeds_needed(answer: Any) -> str:
    """Exercise 18.1: the smallest n with 2 s √(2 / n) < effect; Student's t is welcome, too."""
    for s, effect in SPREADS:
        found = number(lambda _, s=s, effect=effect: answer(s, effect), np.zeros(1))
        right = np.floor(8 * (s / effect) ** 2) + 1
        told = f"for s = {s:g} and an effect of {effect:g} you say {found:g}"
        if s > effect:  # elsewhere mistakes and roundings are alike
            expect(
                not np.isclose(found, right / 2, atol=2),
                f"{told}: so many bring the noise of *one* mean below it. Two are compared, and "
                "the noise of both counts: that is the 2 below the root.",
            )
            expect(
                not np.isclose(found, 2 * 2**0.5 * s / effect, atol=1),
                f"{told}. Is the square missing? n stands below a root: half the effect takes "
                "four times the networks.",
            )
        expect(found > 0, f"{told}, which is no number of networks.")
        expect(
            found == round(found),
            f"{told}. Networks come in whole numbers: round up, or you stay below the floor.",
        )
        floor = 2 * s * (2 / found) ** 0.5
        expect(
            found > 1 and min(2, _student(found)) * s * (2 / found) ** 0.5 <= effect * (1 + 1e-9),
            f"{told}, with which the noise floor is {floor:.3g}: the effect is not above it. Was "
            "it rounded down?",
        )
        expect(
            found <= right + 2,
            f"{told}, with which the noise floor is {floor:.3g}. Fewer would have done: take the "
            "smallest n.",
        )
    return "half the effect, four times the networks."


def _student(n: float) -> float:
    """Student's t in the place of the 2, for two sets of ``n`` networks."""
    from scipy.stats import t

    return float(t.ppf(0.975, 2 * n - 2))


# --- 18.2 -----------------------------------------------------------------------------------------

# p-values whose order, stop or strictness tell one mistake from another
SERIES = (
    (0.015, 0.3, 0.002, 0.02),
    (0.02, 0.5, 0.024),
    (0.04, 0.001, 0.013, 0.02, 0.9),
    (0.6, 0.7),
    (0.0126, 0.03, 0.7, 0.9),
    (0.016, 0.04, 0.9, 0.016),
)


def _holm(p: Array) -> npt.NDArray[np.bool_]:
    order = np.argsort(p)
    below = np.minimum.accumulate(p[order] < 0.05 / np.arange(len(p), 0, -1))
    stands = np.zeros(len(p), dtype=bool)
    stands[order] = below
    return stands


def _goes_on(p: Array) -> npt.NDArray[np.bool_]:
    """Holm's bounds, without the stop."""
    ranks = np.argsort(np.argsort(p))
    return np.asarray(p < 0.05 / (len(p) - ranks))


def _sidak(p: Array) -> npt.NDArray[np.bool_]:
    """Holm's steps with Šidák's bounds, a little wider: the default of statsmodels."""
    order = np.argsort(p)
    bounds = 1 - 0.95 ** (1 / np.arange(len(p), 0, -1))
    stands = np.zeros(len(p), dtype=bool)
    stands[order] = np.minimum.accumulate(p[order] < bounds)
    return stands


@checker("the answer must be a function of an array of p-values")
def check_holm(answer: Any) -> str:
    """Exercise 18.2: which of several p-values stand at 5 % after Holm's correction."""
    for values in SERIES:
        p = np.array(values)
        found = returned(answer, p)
        right = _holm(p)
        given = "of " + ", ".join(f"{value:g}" for value in values)
        expect(
            found.shape == p.shape,
            f"{given} you return {found.size} values; expected a truth value for each.",
        )
        expect(
            np.isin(found, (0, 1)).all(),
            f"{given} you return {found.round(4).tolist()}; expected a truth value for each: "
            "corrected p-values are one step short of it, compare them with 0.05.",
        )
        for wrong, hint in (
            (p < 0.05, "that is without any correction."),
            (
                _goes_on(p),
                "Holm stops at the first that is not small enough; a larger one that is below its "
                "own bound does not stand any more.",
            ),
            (
                p < 0.05 / len(p),
                "that is Bonferroni's correction, which is right, and throws away some that Holm "
                "keeps: only the smallest has to be below 0.05/m.",
            ),
            (
                _sidak(p),
                "the bounds are Šidák's, 1 − 0.95^(1/m), which suit independent tests; Holm's are "
                '0.05/m (in statsmodels method="holm", which is not its default).',
            ),
            (right[np.argsort(p)], "your answer is in the order of size, not in that of the p."),
            (~right, "you mark those that fall."),
        ):
            same = np.array_equal(found, wrong) and not np.array_equal(wrong, right)
            expect(not same, f"{given}: {hint}")
        expect(
            np.array_equal(found, right),
            f"{given} stand {right.sum()}, by you {int(found.sum())}: go from the smallest up, "
            "0.05/m, 0.05/(m − 1), …",
        )
    return "of many comparisons it keeps what stands."


# --- 18.3 and 18.4 --------------------------------------------------------------------------------


@checker("the answer must be three things: rule, relu, yours", calls=False)
def check_own_contest(answer: Any) -> str:
    """Exercise 18.3: ``rule, relu, yours``: a rule of one's own and test errors by seed."""
    return own_rule(answer, ("relu", "yours"), "yours makes the test error smaller")


KNOWN = ("digits", "mnist1d")  # what the chapter's small trial has
NEEDED = ("data", "arm", "split", "seed", "accuracy")
ENOUGH = 20  # networks of an arm on a data set


@checker("the answer must be three things: table, rival, verdicts", calls=False)
def check_own_trial(answer: Any) -> str:
    """Exercise 18.4: ``table, rival, verdicts``: a trial of one's own, decided by data set."""
    expect(
        isinstance(answer, (tuple, list)) and len(answer) == 3,
        "expected three things, table, rival, verdicts.",
    )
    table, rival, verdicts = answer
    verdicts = verdicts.to_dict() if hasattr(verdicts, "to_dict") else verdicts  # of pandas
    missing = [name for name in NEEDED if name not in getattr(table, "columns", ())]
    expect(
        not missing,
        f"the table lacks {', '.join(missing)}. Expected all rows that the cells gave, with "
        ".assign(**cell), one below the other.",
    )
    arms = sorted(set(table.arm))
    expect(rival != "ReLU", "ReLU against itself: the rival has to be another function.")
    for name in (rival, "ReLU"):
        expect(name in arms, f"the table has no arm {name!r}; it has {', '.join(arms)}.")
    places = list(dict.fromkeys(table.data))
    expect(len(places) > 1, f"only {places[0]}: one data set is not data in general. Take two.")
    expect(
        set(places) - set(KNOWN),
        f"{' and '.join(places)}: these the chapter's trial had. Bring in another data set.",
    )
    expect(
        isinstance(verdicts, Mapping) and set(verdicts) == set(places),
        f"expected a verdict for each of {', '.join(places)}: a dict from data set to word.",
    )
    told = {}
    for place in places:
        word = plain(verdicts[place])
        expect(word, f"{place}: {verdicts[place]!r}; expected one of {', '.join(WORDS)}.")
        told[place] = str(word)
        leads = _leads(table[table.data == place], place, rival)
        _judge(place, str(word), leads, 1 - 0.05 / len(places))
    words = ", ".join(f"{place} {word}" for place, word in told.items())
    return f"your trial says of {rival} against ReLU: {words}."


def _leads(part: pd.DataFrame, place: str, rival: str) -> Array:
    """Points by which the rival is ahead, (splits, seeds), over all networks of a data set."""
    chance = 1 / data.load(place).n_classes
    scores = part.assign(accuracy=part.accuracy.astype(float).fillna(chance))
    wide = scores.pivot_table(index=["split", "seed"], columns="arm", values="accuracy")
    lead = wide[rival] - wide["ReLU"]
    n = int(lead.notna().sum())
    expect(n >= ENOUGH, f"{place}: {n} pairs of networks; take at least {ENOUGH}.")
    leads = 100 * lead.unstack("seed")
    expect(len(leads) > 1, f"{place}: one split is a seed of its own. Take several.")
    expect(leads.notna().to_numpy().all(), f"{place}: not every split has every seed of both arms.")
    found: Array = leads.to_numpy(float)
    return found


def _judge(place: str, word: str, leads: Array, sure: float) -> None:
    """Refuse a word that no interval supports: not that of all pairs, nor that of the splits.

    ``sure``: the confidence at which something must be shown, all data sets corrected for.
    """
    pairs = stats.mean_interval(leads.ravel())
    level = sure if word == "not shown" else 0.95
    both = (stats.mean_interval(leads.ravel(), level), stats.nested_interval(leads, level))
    ahead, behind = ([way(one) for one in both] for way in (_above, _below))
    said = f"{place}: the rival leads by {pairs.format(digits=2)} points, and you say {word!r}. "
    if word == "not shown":
        expect(
            not (all(ahead) or all(behind)),
            f"{said}Pairs and splits agree about the side: here something is shown.",
        )
        return
    wanted, other = (ahead, behind) if word == "holds" else (behind, ahead)
    expect(
        any(wanted),
        said
        + (
            "It is the other way round."
            if any(other)
            else "An interval that holds 0 shows nothing, neither the one nor the other."
        ),
    )


def _above(found: stats.Interval) -> bool:
    return found.low > 0


def _below(found: stats.Interval) -> bool:
    return found.high < 0
