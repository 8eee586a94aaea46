"""The first contest of slopes: one split, short training. A longer one is declared beside it.

Until :data:`actlab.experiments.contest.LEAKY` has its results, the claims are decided by this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from actlab import data as datasets
from actlab import stats
from actlab.experiments.contest import CHANCE, LEAKY, LEAKY_ARMS, TITLES, Ahead
from actlab.experiments.seeds import root_seeds
from actlab.experiments.slopes import learned, tuned, with_fewer
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]


def cell(data: str, root: int, depth: int, arm: str) -> pd.DataFrame:
    """One arm with its own rate: accuracies, and for PReLU the learned slopes."""
    from actlab import ensemble

    part = with_fewer(datasets.load(data, **LEAKY.settings["options"][data]))
    settings = {**LEAKY_ARMS[arm], "hidden": (64,) * depth, "batch_size": 64}
    epochs = LEAKY.settings["epochs"][data]
    lr, edge = tuned(part, settings, root, epochs)
    result = ensemble.train(
        part,
        arms={arm: {**settings, "lr": lr}},
        seeds=root_seeds(root),
        epochs=epochs,
        progress=False,
    )
    table = result.to_frame().drop(columns=["best_epoch", "valid_loss", "test_loss"])
    slopes = {f"slope{i}": column for i, column in enumerate(learned(result).T, 1)}
    return table.assign(lr=lr, edge=edge, **slopes)


def _declared(name: str, title: str, *data: str) -> Study:
    axes = {"root": (0, 1), "depth": LEAKY.axes["depth"], "arm": tuple(LEAKY_ARMS)}
    return Study(name=name, title=title, task=cell, axes={"data": data, **axes})


STUDIES = (
    _declared("leaky_contest", "Six slopes, short training", "digits", "mnist1d"),
    _declared("leaky_contest_fashion", "Six slopes, short training: images", "fashion_mnist"),
)


def table(root: int) -> pd.DataFrame:
    """Both committed tables; ``accuracy``: in per cent, a diverged network is at chance.

    All 40 networks of an arm, 20 of each of two tunings; each ``root`` but 0 leaves a tenth out.
    """
    import pandas as pd

    both = pd.concat([load(study.name) for study in STUDIES], ignore_index=True)
    both = both[both.seed % 10 != root - 1] if root else both
    return both.assign(accuracy=100 * both.test_accuracy.fillna(CHANCE))


def settings(root: int) -> dict[Case, pd.DataFrame]:
    """The rows of each data set and depth."""
    groups = table(root).groupby(["data", "depth"], sort=False)
    return {(TITLES[str(name)], str(depth)): part for (name, depth), part in groups}


def accuracies(part: pd.DataFrame, arm: str) -> Array:
    """Test accuracies of one arm in per cent, in the order of its seeds."""
    return np.asarray(part[part.arm == arm].sort_values("seed").accuracy, dtype=np.float64)


_PROSE = (
    "Five and ten hidden layers of 64 on digits, MNIST-1D and 2,000 images of Fashion-MNIST; each "
    "arm with He's start for its own slope and its own learning rate (of four, by five other "
    "seeds), tuned twice; 8 to 15 epochs; 20 seeds for each tuning, paired."
)
_SCOPE = f"Fully connected layers of 64 · {', '.join(TITLES.values())} · one split, 40 seeds"


@dataclass(frozen=True)
class FirstAhead:
    """How far one arm was ahead of another, per data set and depth."""

    arm: str
    over: str

    quantity = Ahead.quantity
    cheap = False
    scope = _SCOPE
    study = STUDIES[0].name

    def __call__(self, root: int, level: Level) -> Evidence:
        """Paired differences in points."""
        cases, floors = {}, {}
        for case, part in (places := settings(root)).items():
            ours, theirs = (accuracies(part, arm) for arm in (self.arm, self.over))
            cases[case] = stats.paired_difference(ours, theirs, level(len(places)))
            floors[case] = stats.noise_floor(theirs)
        return {self.quantity: Measured(cases, ("data", "depth"), floors)}

    def words(self) -> str:
        """The experiment in prose."""
        return f"{_PROSE} {self.arm} against {self.over}."


def leads(
    arms: tuple[str, ...], over: str = "ReLU", confidence: float = 1 - 0.05 / 6
) -> tuple[dict[str, dict[str, Interval]], dict[str, float]]:
    """What :func:`actlab.plots.rows` draws: arm → setting → lead; setting → noise floor."""

    def name(case: Case) -> str:
        return f"{case[0]}, {case[1]} layers"

    found = {arm: FirstAhead(arm, over)(0, lambda n: confidence)[Ahead.quantity] for arm in arms}
    floors = {name(case): floor for case, floor in found[arms[0]].floors.items()}
    return {arm: {name(c): i for c, i in m.cases.items()} for arm, m in found.items()}, floors


def _spread(root: int, level: Level) -> Evidence:
    """Spread over the settings of PReLU's lead over ReLU, relative to each other arm's."""
    parts = list(settings(root).values())
    rng = np.random.default_rng(root)
    count = len(accuracies(parts[0], "ReLU"))
    draws = rng.integers(0, count, (2_000, len(parts), count))  # resampled within each setting

    def spreads(arm: str) -> tuple[float, Array]:
        ahead = np.array([accuracies(p, arm) - accuracies(p, "ReLU") for p in parts])
        resampled = np.take_along_axis(ahead[None], draws, axis=2).mean(2)
        return float(ahead.mean(1).std(ddof=1)), resampled.std(1, ddof=1)

    own, own_draws = spreads("PReLU")
    rivals = [arm for arm in LEAKY_ARMS if arm not in ("ReLU", "PReLU")]
    cases: dict[str, Interval] = {}
    notes = {"PReLU": own}
    for arm in rivals:
        other, other_draws = spreads(arm)
        notes[arm] = other
        confidence = level(len(rivals))
        tail = (1 - confidence) / 2
        low, high = np.quantile(own_draws / other_draws, (tail, 1 - tail))
        cases[arm] = Interval(own / other, float(low), float(high), count, confidence=confidence)
    about = {"spread of the lead over ReLU (points)": notes}
    return {"relative spread of the lead": Measured.of(cases, "rival", notes=about)}


SPREAD = Experiment(
    prose=(
        f"{_PROSE} How much the lead over ReLU varies between the six settings, as a standard "
        "deviation: PReLU's divided by that of every other arm; seeds resampled 2,000 times."
    ),
    scope=_SCOPE,
    measure=_spread,
    study=STUDIES[0].name,
)


def learned_slopes(part: pd.DataFrame, depth: int) -> Array:
    """The learned slopes (networks, layers) of the PReLU arm; diverged networks are left out."""
    rows = part[(part.arm == "PReLU") & ~part.diverged].sort_values("seed")
    return np.asarray(rows[[f"slope{i}" for i in range(1, depth + 1)]], dtype=np.float64)


def by_layer(depth: int, root: int = 0) -> dict[str, Array]:
    """Data set → learned slopes (networks, layers)."""
    places = settings(root).items()
    return {name: learned_slopes(part, depth) for (name, d), part in places if d == str(depth)}


def _falling(root: int, level: Level) -> Evidence:
    """Rank correlation of slope and layer in each network."""
    from scipy.stats import spearmanr

    cases: dict[Case, Interval] = {}
    every = []
    for case, part in (places := settings(root)).items():
        slopes = learned_slopes(part, int(case[1]))
        ranks = [float(spearmanr(np.arange(len(row)), row).statistic) for row in slopes]
        cases[case] = stats.mean_interval(ranks, level(len(places)))
        every.append(slopes.ravel())
    joined = np.concatenate(every)
    notes = {
        "slopes below 0 (%)": 100 * float((joined < 0).mean()),
        "slopes above 1 (%)": 100 * float((joined > 1).mean()),
    }
    return {"rank correlation of slope and layer": Measured(cases, ("data", "depth"), notes=notes)}


FALLING = Experiment(
    prose=f"{_PROSE} Rank correlation of learned slope and layer in each PReLU network.",
    scope=_SCOPE,
    measure=_falling,
    study=STUDIES[0].name,
)
