"""Which activation trains to the better network: every arm tuned, on several splits, to the end.

A contest has one cell for each data set, depth and arm (:func:`contest_cell`). What its networks
had come to early is noted, too: a lead that is gone at the end was a matter of who starts fastest.

Three things were laid down before the contests were decided. A network that diverged is left out
together with its twins; but where more than a fifth of an arm's networks diverged at the rate that
was tuned for it, they count as chance: that is what the arm comes to. The chance of seeds and
splits is covered by Student's interval over the means of the splits. And a lead that hangs on one
split is none: the interval is widened to cover the 95 % interval without any one of the splits.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.experiments.together import least, shared
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load, part_of, table_of
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above

if TYPE_CHECKING:
    from actlab.ensemble import Result

When = Literal["once", "four times", "plateau"]

SPLITS, SEEDS, TUNING_SEEDS = 5, 4, 2  # of each split: 20 networks are reported, 10 tuned with
PAIRED = f"{SPLITS} splits with {SEEDS} paired seeds each"
TUNING = range(1000, 1000 + TUNING_SEEDS)
PATIENCE, LONGEST = 20, 300  # epochs without improvement; and at most
TITLES = {"digits": "digits", "mnist1d": "MNIST-1D", "fashion_mnist": "Fashion-MNIST"}
TITLES |= {"wine": "wine", "breast_cancer": "breast cancer"}
TITLES |= {"election": "the election study", "marriages": "the survey on marriages"}

# --- Arms, by their settings ----------------------------------------------------------------------

RANDOM_SLOPES = (1 / 8, 1 / 3)  # RReLU's range in PyTorch


def _he(activation: str, square: float, **more: Any) -> dict[str, Any]:
    """With He's start for a mean square slope a²: variance 2 / ((1 + a²) n) (2015, eq. 15)."""
    return {"activation": activation, "init": "he_normal", "gain": (1 + square) ** -0.5, **more}


def leaky(slope: float, activation: str = "leaky_relu") -> dict[str, Any]:
    """The settings of an arm of one fixed slope, which is 0 for ReLU."""
    if slope == 0:
        return _he("relu", 0)
    return _he(activation, slope**2, params={"negative_slope": slope})


prelu = partial(leaky, activation="prelu")  # learns one slope per layer, from this one (not 0)


def rrelu() -> dict[str, Any]:
    """The settings of an arm with random slopes: the mean square is mean² + variance."""
    low, high = RANDOM_SLOPES
    return _he("rrelu", ((low + high) / 2) ** 2 + (high - low) ** 2 / 12)


# Each activation with the initialisation that suits it; the last arm is there to be unfair.
FAIR: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu", "init": "lecun_normal"},
    "relu": {"activation": "relu", "init": "he_normal"},
    "elu": {"activation": "elu", "init": "he_normal"},
    "gelu": {"activation": "gelu", "init": "he_normal"},
    "tanh": {"activation": "tanh", "init": "glorot_normal"},
    "relu + batch norm": {"activation": "relu", "init": "he_normal", "normalization": "batch"},
    "relu, PyTorch default": {"activation": "relu", "init": "torch"},
}
# What is left of the larger data sets, so that many networks can be trained to the end.
OPTIONS: dict[str, dict[str, Any]] = {
    "mnist1d": {"size": 2_000},
    "fashion_mnist": {"size": 3_000},
    "marriages": {"size": 500},
}

# --- Training -------------------------------------------------------------------------------------


def splits_of(data: str, **options: Any) -> list[datasets.Dataset]:
    """A data set, split in all the ways that networks are trained on."""
    return [datasets.load(data, seed=split, **options) for split in range(SPLITS)]


def transformed(data: datasets.Dataset, shift: float, stretch: float) -> datasets.Dataset:
    """The same data with inputs ``shift + stretch · x``."""
    parts = ("x_train", "x_valid", "x_test")
    return replace(data, **{part: shift + stretch * getattr(data, part) for part in parts})


def networks(settings: Mapping[str, Any], arm: str, depth: int) -> dict[str, Any]:
    """How an arm of a contest with these ``settings`` is built and trained, but for its rate."""
    return {**settings["common"], **settings["arms"][arm], "hidden": (settings["width"],) * depth}


def trained(part: datasets.Dataset, arm: str, own: Mapping[str, Any], **options: Any) -> Result:
    """The networks of one arm on one split, trained to the plateau or as ``options`` say."""
    from actlab import ensemble

    usual = {"seeds": range(SEEDS), "epochs": LONGEST, "patience": PATIENCE, "progress": False}
    return ensemble.train(part, arms={arm: own}, **{**usual, **options})


def contest_cell(
    data: str, depth: int, arm: str, *, patience: int | None = None, **settings: Any
) -> pd.DataFrame:
    """Tune one arm on one data set, then train it to the plateau: one row per network.

    ``settings``: as :func:`contest` declares them; an arm's ``inputs`` are a shift and a stretch of
    the standardised data. ``accuracy_1``, ``accuracy_4``, ``accuracy``: on the test set, of the
    weights with the best validation loss after 1 × epochs, after four times as many, and at the
    plateau, where the network had ``ran`` for so many. A network that diverged is NaN.
    """
    from actlab import ensemble

    own, once = networks(settings, arm, depth), settings["epochs"][data]
    change = own.pop("inputs", (0.0, 1.0))
    splits = [transformed(part, *change) for part in splits_of(data, **settings["options"][data])]
    run: dict[str, Any] = {"patience": patience or PATIENCE, "progress": False}
    tuned = ensemble.fair_rate(splits, own, TUNING, metric="valid_loss", epochs=4 * once, **run)
    own["lr"] = tuned.rate
    run |= {"report_at": (once, 4 * once), "keep_weights": False}
    results = [trained(part, arm, own, **run) for part in splits]
    columns = {
        "lr": tuned.rate,
        "edge": tuned.at_edge,
        "accuracy_1": [result.at(once).test_accuracy for result in results],
        "accuracy_4": [result.at(4 * once).test_accuracy for result in results],
        "accuracy": [result.test_accuracy for result in results],
        "valid_loss": [np.nanmin(r.valid_loss, axis=1, initial=np.inf) for r in results],
        "ran": [np.isfinite(result.valid_loss).sum(1) for result in results],
        "diverged": [result.diverged for result in results],
    }
    return table_of(columns, split=range(len(splits)), seed=range(SEEDS))


def contest(
    name: str,
    title: str,
    arms: Mapping[str, Mapping[str, Any]],
    *,
    data: Mapping[str, tuple[Mapping[str, Any], int]],
    depths: Sequence[int],
    width: int = 64,
    only: Callable[[Mapping[str, Any]], bool] = lambda cell: True,
    patience: int | None = None,
    **common: Any,
) -> Study:
    """Declare a contest. ``data``: name → options of :func:`actlab.data.load`, and 1 × epochs.

    ``patience``: where ``PATIENCE`` epochs would end a network that waits at chance.
    """
    axes = {"data": tuple(data), "depth": tuple(depths), "arm": tuple(arms)}
    settings = {
        "arms": dict(arms),
        "options": {part: options for part, (options, _) in data.items()},
        "epochs": {part: once for part, (_, once) in data.items()},
        "width": width,
        "common": common,
        **({"patience": patience} if patience else {}),
    }
    return Study(name=name, title=title, task=contest_cell, axes=axes, only=only, settings=settings)


# --- The slopes -----------------------------------------------------------------------------------

LEAKY = contest(
    "contest_leaky",
    "Six slopes against each other, three data sets, two depths",
    {
        "ReLU": leaky(0),
        "leaky 0.01": leaky(0.01),
        "leaky 0.18": leaky(1 / 5.5),  # the better one of the two slopes of Xu et al. (2015)
        "leaky 0.3": leaky(0.3),
        "PReLU": prelu(0.25),
        "RReLU": rrelu(),
    },
    data={"digits": ({}, 15), "mnist1d": ({}, 12), "fashion_mnist": ({"size": 2_000}, 8)},
    depths=(5, 10),
    batch_size=64,
)
STUDIES = (LEAKY,)

# --- Who is ahead ---------------------------------------------------------------------------------

COLUMNS: dict[When, str] = {"once": "accuracy_1", "four times": "accuracy_4", "plateau": "accuracy"}
CHANCE = {"wine": 1 / 3, "breast_cancer": 1 / 2, "election": 1 / 2, "marriages": 1 / 2}
TOLERATED = 0.2  # of an arm's networks may diverge and be left out


def accuracies(table: pd.DataFrame, arm: str, when: When = "plateau", **where: Any) -> Array:
    """Test accuracies in per cent, (splits, seeds); NaN where few networks diverged."""
    part = part_of(table, arm=arm, **where)
    shares = grid_of(part, COLUMNS[when])
    if np.isnan(shares).mean() > TOLERATED:
        shares = np.nan_to_num(shares, nan=CHANCE.get(part.data.iloc[0], 0.1))
    return 100 * shares


def over_splits(values: Array, confidence: float) -> tuple[Interval, bool]:
    """The mean of (splits, seeds) and its interval; whether one split decides on which side of 0.

    The interval is that over the means of the splits (:func:`actlab.stats.nested_interval`),
    widened to cover the 95 % interval without any one of them. NaN are left out.
    """
    means = np.nanmean(values[~np.isnan(values).all(1)], axis=1)
    found = stats.mean_interval(means, confidence)
    every = [found, *(stats.mean_interval(np.delete(means, i)) for i in range(len(means)))]
    ends = (found.mean, min(one.low for one in every), max(one.high for one in every))
    mean, low, high = (round(end, 9) for end in ends)
    wide = Interval(mean, low, high, int(np.isfinite(values).sum()), confidence=confidence)
    return wide, low <= 0 <= high and not found.low <= 0 <= found.high


def floor(values: Array, confidence: float = 0.95) -> float:
    """How far two means of the same arm drift apart by other seeds, on the same splits."""
    rows = [row[~np.isnan(row)] for row in values]
    return stats.nested_noise_floor([row for row in rows if len(row)], confidence)


class Lasting(Experiment):
    """An experiment whose ``measure`` also takes ``when``; without it, the plateau is meant."""

    measure: Callable[..., Evidence]

    def lengths(self) -> dict[str, Lasting]:
        """The same question after the shorter trainings."""
        at = {when: partial(self.measure, when=when) for when in COLUMNS if when != "plateau"}
        return {f"trained {when}": replace(self, measure=measure) for when, measure in at.items()}


@dataclass(frozen=True)
class Ahead:
    """How far one arm of a contest is ahead of another, by data set and depth.

    - ``over``: one rival, or several: then the lead is over whichever comes nearest.
    - ``pairs``: instead of these two, what is compared → the arm and its rivals; ``factor`` says
      what they are (a break, a network).
    - ``where``: column → the value that is looked at alone.

    Raises ``ValueError`` for an arm that the contest does not have.
    """

    study: Study
    arm: str = ""
    over: str | tuple[str, ...] = ()
    when: When = "plateau"
    pairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    factor: str = "break"
    where: Mapping[str, Any] = field(default_factory=dict)

    quantity = "lead in test accuracy"

    def __post_init__(self) -> None:
        study, arms = self.study.name, self.study.axes["arm"]
        for name in itertools.chain(*self.compared.values()):
            if name not in arms:
                raise ValueError(f"{study} has no arm {name!r}: it has {', '.join(arms)}.")

    @property
    def compared(self) -> Mapping[str, tuple[str, ...]]:
        """What is compared → the arm and its rivals."""
        over = (self.over,) if isinstance(self.over, str) else self.over
        return self.pairs or {"": (self.arm, *over)}

    @property
    def scope(self) -> str:
        """Networks, data, seeds and splits."""
        data = ", ".join(TITLES[name] for name in self.study.axes["data"])
        return f"Small networks · {data} · {PAIRED}"

    @property
    def factors(self) -> tuple[str, ...]:
        """What the cases differ in."""
        pairs = (self.factor,) if self.pairs else ()
        depths = len(self.study.axes.get("depth", ())) > 1 and "depth" not in self.where
        return (*pairs, "data", "depth") if depths else (*pairs, "data")

    def places(self) -> dict[Case, tuple[tuple[str, ...], pd.DataFrame]]:
        """Case → the arm and its rivals, and the rows of the table in which to look."""
        axes = list(self.factors[1:] if self.pairs else self.factors)
        parts = load(self.study.name, **self.where).groupby(axes, sort=False)
        found = {}
        for (what, names), (key, part) in itertools.product(self.compared.items(), parts):
            case = tuple(TITLES.get(str(value), str(value)) for value in key)
            found[(what, *case) if self.pairs else case] = (names, part)
        return found

    def __call__(self, root: int, level: Level) -> Evidence:
        """The paired lead in every case, over seeds and splits, whatever the ``root``."""
        places = self.places()
        sure = level(len(places))
        cases: dict[Case, Interval] = {}
        floors: dict[Case, float] = {}
        notes: dict[str, dict[str, Any]] = defaultdict(dict)
        for case, (names, part) in places.items():
            where = ", ".join(case)
            ours, *rivals = (accuracies(part, arm, self.when) for arm in names)
            leads = [ours - theirs for theirs in rivals]
            means = [float(np.nanmean(lead)) for lead in leads]
            nearest = int(np.argmin(means))
            surely, hang = zip(*(over_splits(lead, sure) for lead in leads), strict=True)
            corrected = [over_splits(lead, shared(sure, len(leads)))[0] for lead in leads]
            cases[case] = found = least(surely, sure, corrected)
            floors[case] = floor(rivals[nearest])
            notes["lead by split"][where] = np.nanmean(leads[nearest], axis=1).tolist()
            if len(rivals) > 1:
                notes["lead by rival"][where] = dict(zip(names[1:], means, strict=True))
            if any(hang) and found.low <= 0 <= found.high:
                notes["hangs on one split"][where] = True
            lost = 100 * part.groupby("arm").diverged.mean()[list(names)]
            if lost.any():
                notes["networks that diverged (%)"][where] = lost.to_dict()
        return {self.quantity: Measured(cases, self.factors, floors, dict(notes))}

    def lengths(self) -> dict[str, Ahead]:
        """The same question after the other lengths of training."""
        others = [when for when in COLUMNS if when != self.when]
        return {f"trained {when}": replace(self, when=when) for when in others}

    def words(self) -> str:
        """The experiment in prose."""
        pairs = []
        for what, (ours, *rivals) in self.compared.items():
            title = f"{what}: " if what else ""
            nearest = "whichever comes nearest of " if len(rivals) > 1 else ""
            pairs.append(f"{title}{ours} against {nearest}{listed(rivals)}")
        done = method(self.study.settings.get("patience", PATIENCE))
        return f"{self.study.title}; {self.study.words()}. {done} {'; '.join(pairs)}."


def method(patience: int = PATIENCE) -> str:
    """What all contests have in common, in prose."""
    return (
        f"Data split in {SPLITS} ways, {SEEDS} seeds each, paired; each arm with a start that "
        f"suits it and a learning rate chosen with {SPLITS * TUNING_SEEDS} other networks; trained "
        f"until the validation loss has not improved for {patience} epochs. Networks that "
        "diverged are left out in pairs, but count as chance where they are more than a fifth. "
        "Every interval is widened to cover what is found without any one split."
    )


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


# "A beats B": ahead beyond chance, in all settings at once; refuted where B is ahead beyond chance.
BEATS = Rule({Ahead.quantity: above(0, "points")}, together=True)
