"""Whether the output of a softmax may be read as the probability of being right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import data as datasets
from actlab import stats
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Level, Measured, experiment

Array = npt.NDArray[np.float64]

BINS = 15  # of the expected calibration error, as in Guo et al., 2017
SURE = 0.9  # what counts as a clear answer
TITLES = {
    "digits": "digits",
    "mnist1d": "MNIST-1D",
    "fashion_mnist": "Fashion-MNIST",
    "marriages": "marriages",
}
STAGES = {"best": "early", "end": "late"}  # the weights of the best validation loss, the last

# --- What is measured of one network --------------------------------------------------------------


def log_probabilities(logits: npt.ArrayLike, temperature: float = 1.0) -> Array:
    """The log-softmax of (n, classes) logits divided by a temperature."""
    from scipy.special import log_softmax

    return np.asarray(log_softmax(np.asarray(logits, np.float64) / temperature, axis=1))


def expected_error(confidence: Array, right: npt.NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error: |accuracy − confidence| in bins of equal width, by their size.

    ``confidence`` and ``right``: (n,), the largest probability and whether its class was right.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def fitted_temperature(logits: npt.ArrayLike, labels: npt.NDArray[np.int64]) -> float:
    """The temperature with the smallest mean loss on these examples, between 1/20 and 20."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(log_probabilities(logits, np.exp(log_temperature))[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-np.log(20), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def judged(
    logits: npt.ArrayLike, labels: npt.NDArray[np.int64], temperature: float = 1.0
) -> dict[str, float]:
    """Accuracy, confidence, loss and calibration of one network on one set of examples.

    ``ece_floor``: the mean expected error of a *perfectly* calibrated network that says the same
    (labels drawn from its own probabilities), which is not 0 where examples are few.
    ``clear``: share of answers above 90 %; ``clear_wrong``: share of those that are wrong (NaN if
    there are none).
    """
    log_p = log_probabilities(logits, temperature)
    p = np.exp(log_p)
    confidence = p.max(1)
    right = p.argmax(1) == labels
    clear = confidence > SURE
    rng = np.random.default_rng(0)
    lucky = rng.random((20, len(labels))) < confidence
    return {
        "accuracy": float(right.mean()),
        "confidence": float(confidence.mean()),
        "loss": -float(log_p[np.arange(len(labels)), labels].mean()),
        "ece": expected_error(confidence, right),
        "ece_floor": float(np.mean([expected_error(confidence, one) for one in lucky])),
        "clear": float(clear.mean()),
        "clear_wrong": float((~right[clear]).mean()) if clear.any() else float("nan"),
    }


# --- The study ------------------------------------------------------------------------------------


def calibration_cell(
    data: str,
    split: int,
    stage: str,
    *,
    seeds: int,
    epochs: int,
    sizes: Mapping[str, int],
    network: Mapping[str, Any],
) -> pd.DataFrame:
    """Train on one split; judge on its test set, as it is and at the validated temperature."""
    import torch

    from actlab import ensemble

    loaded = datasets.load(data, seed=split, size=sizes.get(data))
    result = ensemble.train(
        loaded,
        arms={"relu": {**network}},
        seeds=range(100 * split, 100 * split + seeds),
        epochs=epochs,
        patience=epochs if stage == "best" else None,  # keeps the best, runs to the end
        progress=False,
    )
    rows = []
    for seed, model in zip(result.seed_of, result.networks, strict=True):
        assert model is not None, "a network diverged at this rate"
        with torch.inference_mode():
            valid, test = (
                model(torch.from_numpy(x)).numpy() for x in (loaded.x_valid, loaded.x_test)
            )
        fitted = fitted_temperature(valid, loaded.y_valid)
        for name, temperature in (("as it is", 1.0), ("scaled", fitted)):
            found = judged(test, loaded.y_test, temperature)
            rows.append({"seed": seed, "view": name, "temperature": temperature, **found})
    return pd.DataFrame(rows)


CALIBRATION = Study(
    name="softmax_calibration",
    title="How sure classifiers are and how often they are right, before and after scaling",
    task=calibration_cell,
    axes={"data": tuple(TITLES), "split": (0, 1, 2, 3, 4), "stage": tuple(STAGES)},
    settings={
        "seeds": 4,
        "epochs": 40,
        "sizes": {"mnist1d": 1_500, "fashion_mnist": 1_000, "marriages": 1_500},
        "network": {"hidden": (64, 64), "init": "he_normal", "lr": 0.03, "batch_size": 64},
    },
)
STUDIES = (CALIBRATION,)

# --- What the claims ask --------------------------------------------------------------------------


def by_split(table: pd.DataFrame, column: str) -> Array:
    """One column as (splits, seeds)."""
    return np.array([part[column].to_numpy() for _, part in table.groupby("split", sort=True)])


def _table(root: int) -> pd.DataFrame:
    """All splits for root 0; each other root leaves another one out."""
    table = load(CALIBRATION.name)
    return table[table.split != root - 1] if root else table


def _percent(values: Array, confidence: float) -> Interval:
    return stats.nested_interval(100 * values, confidence)


def settings(view: str, root: int = 0) -> dict[Case, pd.DataFrame]:
    """(data, stage) in the reader's words → the rows of all its networks, in one ``view``."""
    table = _table(root)
    table = table[table["view"] == view]
    return {
        (title, words): table[(table.data == name) & (table.stage == stage)]
        for name, title in TITLES.items()
        for stage, words in STAGES.items()
    }


FACTORS = ("data", "stage")


def _overconfidence(root: int, level: Level, view: str) -> Measured:
    found = settings(view, root)
    sure = level(len(found))
    cases, notes = {}, {}
    for case, part in found.items():
        cases[case] = _percent(by_split(part, "confidence") - by_split(part, "accuracy"), sure)
        means = part[["accuracy", "ece", "ece_floor"]].mean()
        notes[", ".join(case)] = {
            "accuracy (%)": 100 * means.accuracy,
            "expected calibration error (points)": 100 * means.ece,
            "the same of a perfectly calibrated network (points)": 100 * means.ece_floor,
        }
    return Measured(cases, FACTORS, notes=notes)


_PROSE = (
    "Two hidden layers of 64 ReLUs, He's start, 40 epochs on all of digits and on 1,000 to 1,500 "
    "examples of MNIST-1D, Fashion-MNIST and the two-class marriages; five splits, four seeds "
    "each; early (the "
    "weights of the best validation loss) and late (the last ones)."
)
_SCOPE = "Networks of 2 × 64 ReLUs · four data sets · 5 splits × 4 seeds"


@experiment(
    f"{_PROSE} On the test set: the mean of the largest probability minus the accuracy.",
    _SCOPE,
    CALIBRATION.name,
)
def read(root: int, level: Level) -> Evidence:
    return {GAP: _overconfidence(root, level, "as it is")}


@experiment(
    f"{_PROSE} One temperature a network is fitted on the validation examples and divides the "
    "logits; the same gap on the test set, and the test loss before minus after.",
    _SCOPE,
    CALIBRATION.name,
)
def scaled(root: int, level: Level) -> Evidence:
    before, after = settings("as it is", root), settings("scaled", root)
    saved = {
        case: stats.nested_interval(
            by_split(before[case], "loss") - by_split(after[case], "loss"), level(len(before))
        )
        for case in before
    }
    return {GAP: _overconfidence(root, level, "scaled"), SAVED: Measured(saved, FACTORS)}


@experiment(
    f"{_PROSE} The gap of the last weights minus that of the best ones.", _SCOPE, CALIBRATION.name
)
def longer(root: int, level: Level) -> Evidence:
    found = settings("as it is", root)
    best, end = STAGES.values()
    cases, lost = {}, {}
    for title in TITLES.values():
        gap = {
            words: by_split(found[title, words], "confidence")
            - by_split(found[title, words], "accuracy")
            for words in (best, end)
        }
        cases[title] = _percent(gap[end] - gap[best], level(len(TITLES)))
        lost[title] = 100 * float(
            found[title, best].accuracy.mean() - found[title, end].accuracy.mean()
        )
    return {GROWN: Measured.of(cases, "data", notes={"accuracy lost meanwhile (points)": lost})}


@experiment(
    f"{_PROSE} How many test examples get an answer above 90 %, and how many of these answers "
    "are wrong. With two classes the softmax is a sigmoid of the difference of the logits.",
    _SCOPE,
    CALIBRATION.name,
)
def clear_answers(root: int, level: Level) -> Evidence:
    clear, wrong = {}, {}
    found = settings("as it is", root)
    for case, part in found.items():
        sure = level(len(found))
        clear[case] = _percent(by_split(part, "clear"), sure)
        wrong[case] = _percent(by_split(part.fillna({"clear_wrong": 0.0}), "clear_wrong"), sure)
    return {CLEAR: Measured(clear, FACTORS), WRONG: Measured(wrong, FACTORS)}


GAP = "confidence minus accuracy"
SAVED = "test loss that scaling saves"
GROWN = "growth of confidence minus accuracy"
CLEAR = "share of answers above 90 %"
WRONG = "share of wrong ones among those"
