"""Is the difference real? Intervals, paired tests, many arms at once, and the rule that decides.

One *arm* is one way of doing it (an activation, an initialisation); one *value* is the result of
one seed. A diverged network reports NaN. No function here averages it away: it raises, unless
``nan="drop"`` asks to go on without it, and then the result says how many were dropped. Dropping
flatters an arm that diverges; to count its failures, score them (chance accuracy, say) instead.
"""

from __future__ import annotations

import itertools
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from actlab import inputs

Array = npt.NDArray[np.float64]
OnNaN = Literal["raise", "drop"]
Verdict = Literal["holds", "refuted", "not shown"]


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval, from ``n`` values (``n_dropped`` more were NaN)."""

    mean: float
    low: float
    high: float
    n: int
    n_dropped: int = 0
    confidence: float = 0.95

    _sign = ""
    _unit = " %"

    def format(self, digits: int | None = None, percent: bool = False) -> str:
        """``0.871 [0.868, 0.874] (n=20)``, or with ``percent`` ``87.1 % [86.8, 87.4] (n=20)``."""
        digits = (1 if percent else 3) if digits is None else digits
        # "z": a rounded -0.0001 reads 0.000, not -0.000.
        mean, low, high = (
            f"{value * (100 if percent else 1):{self._sign}z.{digits}f}"
            for value in (self.mean, self.low, self.high)
        )
        notes = ", ".join([f"n={self.n}", *self._notes()])
        return f"{mean}{self._unit if percent else ''} [{low}, {high}] ({notes})"

    def __str__(self) -> str:
        return self.format()

    def _notes(self) -> list[str]:
        level = [f"{self.confidence:.4g} confidence"] if self.confidence != 0.95 else []
        return level + ([f"{self.n_dropped} dropped"] if self.n_dropped else [])


@dataclass(frozen=True)
class Difference(Interval):
    """The mean of the paired differences ``a - b``, its interval, and whether it could be chance.

    ``p`` is the paired t-test's, ``p_wilcoxon`` the signed-rank test's (both two-sided, not
    corrected for other comparisons); ``effect`` is Cohen's d_z, the mean difference in standard
    deviations of the differences. When all differences are equal and not 0, the interval has no
    width, ``p`` is 0 and ``effect`` infinite: look at ``p_wilcoxon``, which counts the pairs.
    """

    p: float = field(kw_only=True)
    p_wilcoxon: float = field(kw_only=True)
    effect: float = field(kw_only=True)

    _sign = "+"
    _unit = " points"

    def _notes(self) -> list[str]:
        return [p_text(self.p), *super()._notes()]

    __str__ = Interval.__str__


def mean_interval(
    values: npt.ArrayLike,
    confidence: float = 0.95,
    method: Literal["t", "bootstrap"] = "t",
    *,
    seed: int = 0,
    nan: OnNaN = "raise",
) -> Interval:
    """The mean of ``values`` (shape ``(n,)``, one per seed) and its confidence interval.

    ``"t"`` is Student's interval; ``"bootstrap"`` the bias-corrected and accelerated one of
    9,999 resamples (Efron, 1987), for skewed values. Both want independent values.
    Raises ``ValueError`` for NaN (see the module), fewer than two values, or a wrong shape.
    """
    _check_confidence(confidence)
    inputs.choice(method, "method", ("t", "bootstrap"))
    seed = inputs.integer(seed, "seed", 0)
    x, dropped = _clean(_array(values, "values"), nan)
    ends = _interval(x, confidence, method, seed)
    return Interval(*ends, len(x), dropped, confidence)


def _interval(x: Array, confidence: float, method: str, seed: int) -> tuple[float, float, float]:
    """Mean, low and high."""
    if x.max() == x.min():  # no spread: scipy would give NaN
        return float(x[0]), float(x[0]), float(x[0])
    x, scale = _scaled(x)
    mean = x.mean()
    if method == "t":
        low, high = stats.t.interval(confidence, len(x) - 1, loc=mean, scale=stats.sem(x))
    else:
        rng = np.random.default_rng(seed)
        low, high = stats.bootstrap(
            (x,), np.mean, confidence_level=confidence, random_state=rng
        ).confidence_interval
    with np.errstate(over="ignore"):  # an end that float64 can not hold is infinite
        mean, low, high = np.ldexp([mean, low, high], scale)
    return float(mean), float(low), float(high)


def _scaled(x: Array) -> tuple[Array, int]:
    """``x`` and the exponent k: x · 2⁻ᵏ lies within ±1, where no square is too large or too small.

    A power of two changes no digit (but of numbers 10³⁰⁷ times smaller than the largest).
    """
    exponent = int(np.frexp(np.abs(x).max())[1])
    return np.ldexp(x, -exponent), exponent


def nested_interval(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of ``values`` (splits, seeds) and an interval that covers both chances.

    The seeds are nested in the splits, so only the splits are independent: the interval is
    Student's over the means of the splits, which holds whatever share of the spread is theirs
    (and is wide where splits are few). ``n`` counts all values.
    Raises ``ValueError`` for NaN, fewer than two splits, or a wrong shape.
    """
    x = _array(values, "values", 2)
    if not np.isfinite(x).all():
        raise ValueError(
            f"{int((~np.isfinite(x)).sum())} of {x.size} values are NaN or infinite: diverged "
            "networks? Score them (chance accuracy, say) to count the failures."
        )
    found = mean_interval(x.mean(axis=1), confidence)
    return Interval(found.mean, found.low, found.high, x.size, confidence=confidence)


def share_interval(
    successes: int,
    total: int,
    confidence: float = 0.95,
    method: Literal["wilson", "exact"] = "wilson",
) -> Interval:
    """The share ``successes / total`` of independent trials and its Wilson or exact interval.

    The trials must be independent: 30 networks that diverged or not are, the 1,000 units of one
    network are not (take one share per network and :func:`mean_interval` for those).
    """
    _check_confidence(confidence)
    inputs.choice(method, "method", ("wilson", "exact"))
    total = inputs.integer(total, "total", 1, 2**53)
    successes = inputs.integer(successes, "successes", 0, total)
    found = stats.binomtest(successes, total).proportion_ci(confidence, method)
    share = successes / total
    return Interval(share, float(found.low), float(found.high), total, 0, confidence)


def paired_difference(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    confidence: float = 0.95,
    method: Literal["t", "bootstrap"] = "t",
    *,
    seed: int = 0,
    nan: OnNaN = "raise",
) -> Difference:
    """``a - b``, pair by pair: ``a[i]`` and ``b[i]`` share seed, data order and initial weights.

    Both have shape ``(n,)``. ``confidence``, ``method``, ``seed``: see :func:`mean_interval`.
    Raises ``ValueError`` for unequal lengths, for two Series whose indexes differ (they would be
    paired wrongly), and for NaN in either arm (``nan="drop"`` drops the whole pair).
    """
    if isinstance(a, pd.Series) and isinstance(b, pd.Series) and not a.index.equals(b.index):
        raise ValueError("a and b have different indexes: align them first (b = b.loc[a.index]).")
    x, y = _array(a, "a"), _array(b, "b")
    if len(x) != len(y):
        raise ValueError(f"a has {len(x)} values and b has {len(y)}: pairs need equal lengths.")
    pairs, dropped = _clean(np.column_stack([x, y]), nan, ("a", "b"))
    inputs.choice(method, "method", ("t", "bootstrap"))
    seed = inputs.integer(seed, "seed", 0)
    d, halves = _differences(pairs[:, 0], pairs[:, 1])
    ends = _interval(d, confidence, method, seed)
    if d.max() > d.min():
        scaled, _ = _scaled(d)
        effect = float(scaled.mean() / scaled.std(ddof=1))
        p = float(stats.ttest_1samp(scaled, 0).pvalue)
    else:  # one and the same difference in every pair: scipy would divide by zero
        effect = math.copysign(math.inf, d[0]) if d[0] else 0.0
        p = 0.0 if d[0] else 1.0
    with np.errstate(over="ignore"):
        mean, low, high = map(float, np.ldexp(ends, halves))
    return Difference(
        *(mean, low, high, len(d), dropped, confidence),
        p=p,
        p_wilcoxon=_wilcoxon(d),
        effect=effect,
    )


def noise_floor(values: npt.ArrayLike, n: int | None = None, confidence: float = 0.95) -> float:
    """How far two means of the *same* arm drift apart by the choice of seeds alone.

    The 95 % half-width of the difference of two fresh, independent ``n``-seed means (``n``: as
    many as there are ``values``), given the spread ``s`` of these values: ``t · s · √(2 / n)``,
    with Student's t for ``len(values) - 1`` degrees of freedom; exact for normal values. An
    effect below it can't be seen by comparing two unpaired means. (Pairing removes shared noise,
    so a paired difference may be real and yet smaller.) In the unit of ``values``.
    """
    _check_confidence(confidence)
    x, _ = _clean(_array(values, "values"), "raise")
    n = len(x) if n is None else inputs.integer(n, "n", 1)
    t = stats.t.ppf((1 + confidence) / 2, len(x) - 1)
    if x.max() == x.min():
        return 0.0
    x, scale = _scaled(x)
    with np.errstate(over="ignore"):
        return float(np.ldexp(t * x.std(ddof=1) * np.sqrt(2 / n), scale))


def nested_noise_floor(groups: Sequence[npt.ArrayLike], confidence: float = 0.95) -> float:
    """:func:`noise_floor` where arms share their splits: how far other *seeds* move the mean.

    ``groups``: the values of each split. What differs between splits is common to both arms, so
    only the spread ``s`` within them counts, with its n - splits degrees of freedom.
    Raises ``ValueError`` where no group has two values.
    """
    _check_confidence(confidence)
    rows = [_array(group, "groups") for group in groups]
    n = sum(len(row) for row in rows)
    if n <= len(rows):
        raise ValueError("groups: no group has two values; nothing is known of their spread.")
    variance = sum(float(((row - row.mean()) ** 2).sum()) for row in rows) / (n - len(rows))
    t = float(stats.t.ppf((1 + confidence) / 2, n - len(rows)))
    return t * float(np.sqrt(2 * variance / n))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Many arms over the same blocks; made by :func:`compare`.

    - ``table``: the values, rows = blocks, columns = arms, best mean rank first;
      ``ranks``: the same shape, 1 = best in its block, ties share their mean rank.
    - ``friedman_statistic``, ``friedman_p``: is any arm different at all?
    - ``pairs``: one row per pair, see :meth:`to_frame`; ``noise_floor``: per arm, see
      :func:`noise_floor`; ``n_dropped``: blocks left out because an arm was NaN there.
    """

    table: pd.DataFrame
    ranks: pd.DataFrame
    friedman_statistic: float
    friedman_p: float
    pairs: pd.DataFrame
    noise_floor: pd.Series
    confidence: float
    n_dropped: int

    @property
    def mean_ranks(self) -> pd.Series:
        """Mean rank of each arm, best (lowest) first."""
        return self.ranks.mean()

    @property
    def smallest_p(self) -> float:
        """A bound: with this few blocks and this many arms no corrected p can be smaller.

        When it is not below ``1 - confidence``, "no pair differs" says nothing about the arms.
        """
        return min(1.0, len(self.pairs) * 2.0 ** (1 - len(self.table)))

    @property
    def p_values(self) -> pd.DataFrame:
        """Holm-corrected p of every pair as a symmetric matrix with ones on the diagonal."""
        arms = self.table.columns
        matrix = pd.DataFrame(np.eye(len(arms)), index=arms, columns=arms)
        for row in self.pairs.itertuples():
            matrix.loc[row.a, row.b] = matrix.loc[row.b, row.a] = row.p_holm
        return matrix

    def significant(self, a: str, b: str) -> bool:
        """Whether arms ``a`` and ``b`` differ, at a family-wise error of ``1 - confidence``."""
        for arm in (a, b):
            if arm not in list(self.table.columns):
                raise ValueError(f"no arm {arm!r}; the arms are {', '.join(self.table.columns)}.")
        return bool(self.p_values.loc[a, b] < 1 - self.confidence)

    def to_frame(self) -> pd.DataFrame:
        """One row per pair, ``a`` the better ranked.

        ``difference`` (a - b) with a Bonferroni-simultaneous t interval ``low, high``,
        ``noise_floor`` (the larger of the two arms'), Wilcoxon's ``p``, ``p_holm``, and
        ``significant`` (by ``p_holm``; the interval is a second opinion and may differ).
        """
        return self.pairs.copy()


def compare(
    table: pd.DataFrame | Mapping[str, npt.ArrayLike],
    confidence: float = 0.95,
    higher_is_better: bool = True,
    nan: OnNaN = "raise",
) -> Comparison:
    """Compare three or more arms: Friedman's test, mean ranks, pairwise Wilcoxon with Holm.

    ``table``: rows = blocks (seeds, or data sets), columns = arms. If the blocks are seeds of one
    data set, the answer is about that data set. Holm keeps the chance of *any* false pair below
    ``1 - confidence``, whatever Friedman says (Demšar, 2006; Benavoli et al., 2016).
    Raises ``ValueError`` for fewer than three arms or two blocks, repeated arms and NaN
    (``nan="drop"`` drops the whole block), ``TypeError`` for what are not numbers.
    """
    from statsmodels.stats.multitest import multipletests

    _check_confidence(confidence)
    frame = _table(table)
    frame.columns = frame.columns.astype(str)
    if frame.shape[1] < 3:
        raise ValueError(f"{frame.shape[1]} arms: expected three or more; paired_difference: two.")
    if not frame.columns.is_unique:
        raise ValueError(f"an arm is there twice: {', '.join(frame.columns)}.")
    values, dropped = _clean(_array(frame, "table", 2), nan, tuple(frame.columns))
    ranks = stats.rankdata(-values if higher_is_better else values, axis=1)
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    arms, values, ranks = frame.columns[order], values[:, order], ranks[:, order]
    # Friedman's statistic is 0/0 when every block is one single tie: nothing differs.
    tied = bool((np.ptp(ranks, axis=1) == 0).all())
    friedman = (0.0, 1.0) if tied else stats.friedmanchisquare(*values.T)
    floors = [noise_floor(column, confidence=confidence) for column in values.T]
    indices = list(itertools.combinations(range(len(arms)), 2))
    simultaneous = 1 - (1 - confidence) / len(indices)
    columns = ["a", "b", "difference", "low", "high", "noise_floor", "p"]
    rows = []
    for i, j in indices:
        d = paired_difference(values[:, i], values[:, j], simultaneous)
        floor = max(floors[i], floors[j])
        rows.append((arms[i], arms[j], d.mean, d.low, d.high, floor, d.p_wilcoxon))
    pairs = pd.DataFrame(rows, columns=columns)
    pairs["p_holm"] = multipletests(pairs["p"], method="holm")[1]
    pairs["significant"] = pairs["p_holm"] < 1 - confidence
    return Comparison(
        pd.DataFrame(values, columns=arms),
        pd.DataFrame(ranks, columns=arms),
        float(friedman[0]),
        float(friedman[1]),
        pairs,
        pd.Series(floors, index=arms),
        confidence,
        dropped,
    )


def _table(table: Any) -> pd.DataFrame:
    """A frame as it is, or one of columns that came in whatever kinds of arrays."""
    if isinstance(table, pd.DataFrame):
        return table.copy()
    if not isinstance(table, Mapping):
        raise TypeError(
            "table: expected a data frame or a mapping from arms to values, got "
            f"{type(table).__name__}."
        )
    indexes = [values.index for values in table.values() if isinstance(values, pd.Series)]
    if any(not index.equals(indexes[0]) for index in indexes):
        raise ValueError("table: the arms have different indexes: align them first.")
    columns = {arm: _array(values, f"table[{arm!r}]") for arm, values in table.items()}
    if len({len(values) for values in columns.values()}) > 1:
        sizes = ", ".join(f"{len(values)} in {arm}" for arm, values in columns.items())
        raise ValueError(f"table: expected one value of every arm a block, got {sizes}.")
    return pd.DataFrame(columns)


def verdict_from_difference(
    difference: Interval,
    smallest_interesting: float = 0.0,
    claim: Literal["better", "not worse", "equivalent"] = "better",
) -> Verdict:
    """What an interval of ``a - b`` (higher is better) says about a claim on ``a`` and ``b``.

    With δ = ``smallest_interesting`` >= 0, the smallest difference anyone should care about,
    fixed before the run in the unit of the difference, the claims are statements about the true
    mean difference μ:

    - ``"better"``: μ > δ (superiority by a margin; for δ = 0 plain superiority);
    - ``"not worse"``: μ > -δ (non-inferiority);
    - ``"equivalent"``: |μ| < δ (two one-sided tests).

    *holds* when every value in the interval agrees with the claim, *refuted* when none does,
    *not shown* when some do. So a difference of +0.1 to +0.3 refutes "better by more than 0.5",
    real as it is. A 95 % interval errs towards *holds* or *refuted* in at most 2.5 % of studies
    at each boundary. "Worse" is "better" with ``a`` and ``b`` exchanged.
    """
    if not isinstance(difference, Interval):
        raise TypeError(f"expected an Interval or a Difference, got {type(difference).__name__}.")
    inputs.choice(claim, "claim", ("better", "not worse", "equivalent"))
    low, high = difference.low, difference.high
    margin = inputs.number(smallest_interesting)
    if not inputs.is_real(margin):
        raise ValueError(f"smallest_interesting={margin!r}: expected a number >= 0.")
    if not (np.isfinite(margin) and margin >= 0 and np.isfinite([low, high]).all()):
        raise ValueError(
            f"expected a finite interval and a smallest interesting difference >= 0, "
            f"got [{low}, {high}] and {margin}."
        )
    if claim == "equivalent":
        if margin == 0:
            raise ValueError("equivalence needs smallest_interesting > 0: nothing is exactly 0.")
        agrees, contradicts = -margin < low and high < margin, low >= margin or high <= -margin
    else:
        bound = margin if claim == "better" else -margin
        agrees, contradicts = low > bound, high <= bound
    return "holds" if agrees else "refuted" if contradicts else "not shown"


def __getattr__(name: str) -> Any:
    """The figures of these results, under the names they had before :mod:`actlab.plots` drew them.

    A door and no more: nothing in this module draws, and matplotlib is not imported for numbers.
    """
    if name in ("interval_plot", "rank_plot", "critical_difference_diagram"):
        from actlab import plots

        return plots.rows if name == "interval_plot" else getattr(plots, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def p_text(p: float) -> str:
    """A p-value as a reader wants it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _check_confidence(confidence: float) -> None:
    if not inputs.is_real(inputs.number(confidence)) or not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: expected a share between 0 and 1, like 0.95.")


def _array(values: Any, name: str, ndim: int = 1) -> Array:
    x = inputs.array(values, name).astype(np.float64)
    if x.ndim != ndim:
        raise ValueError(f"{name}: expected {ndim} axis (one value per seed), got shape {x.shape}.")
    return x


def _clean(rows: Array, nan: OnNaN, names: Sequence[str] = ()) -> tuple[Array, int]:
    """The finite rows and how many were not; raises unless ``nan="drop"``."""
    inputs.choice(nan, "nan", ("raise", "drop"))
    broken = ~np.isfinite(rows)
    bad = broken.any(axis=1) if rows.ndim == 2 else broken
    dropped = int(bad.sum())
    if dropped and nan == "raise":
        counts = zip(names, np.atleast_1d(broken.sum(axis=0)), strict=False)
        where = ", ".join(f"{count} in {name}" for name, count in counts if count)
        raise ValueError(
            f"{dropped} of {len(rows)} are NaN or infinite{where and f' ({where})'}: diverged "
            "networks? Score them (chance accuracy, say) to count the failures, or pass "
            "nan='drop' to leave them out; the result then tells how many."
        )
    if len(rows) - dropped < 2:
        raise ValueError(f"expected at least two finite values, got {len(rows) - dropped}.")
    return rows[~bad], dropped


def _differences(a: Array, b: Array) -> tuple[Array, int]:
    """The differences d and an exponent k: a - b = d · 2ᵏ, each to 12 digits of its own pair.

    0.91 - 0.90 and 0.81 - 0.80 are a tie but differ in the last bit, which would break ties at
    random in the ranks and call rounding errors an effect. The last digit that counts is a power
    of ten, so that pairs of different size can tie; one huge pair takes no digit from the others.
    ``k`` is above 0 only where a difference may be too large for float64.
    """
    larger = np.maximum(np.abs(a), np.abs(b))
    k = 2 if larger.max() > sys.float_info.max / 4 else 0
    differences = np.ldexp(a, -k) - np.ldexp(b, -k)
    digits = [12 - math.floor(math.log10(size)) if size else 0 for size in larger.tolist()]
    return np.array([round(d, n) for d, n in zip(differences.tolist(), digits, strict=True)]), k


def _wilcoxon(d: Array) -> float:
    with warnings.catch_warnings():  # SciPy before 1.13 warns of ties, zeros and small samples
        warnings.simplefilter("ignore", UserWarning)
        return float(stats.wilcoxon(d).pvalue) if d.any() else 1.0
