"""What chapter 9 says in words is what the studies and the frameworks say."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.optimize

from actlab import claims
from actlab.catalog import get
from actlab.experiments import calibration, vocabulary

TEXT = (Path(__file__).parents[2] / "notebooks/09_softmax_family.py").read_text("utf-8")
WORDS = " ".join(TEXT.replace("\n# ", " ").split())


def test_the_study_has_the_data_and_seeds_that_the_text_says():
    table = calibration.load(calibration.CALIBRATION.name)
    assert "four data sets, five splits and four seeds" in WORDS
    assert (table.data.nunique(), table.split.nunique()) == (4, 5)
    assert (table.groupby(["data", "split", "stage", "view"]).seed.nunique() == 4).all()
    assert f"in each of {calibration.BINS} bins" in WORDS


def test_on_the_digits_there_is_nothing_to_gain():
    found = claims.get("softmax-read-as-probability").recorded().measured[calibration.GAP]
    gap = found.cases["digits", "early"]
    assert -2 < gap.low <= 0 <= gap.high < 2
    saved = claims.get("softmax-temperature-calibrates").recorded().measured[calibration.SAVED]
    assert saved.cases["digits", "early"].low <= 0


def test_the_threshold_of_the_worked_example():
    x = np.array([1.0, 0.8, 0.1, -1.0])
    solved = scipy.optimize.brentq(lambda cut: np.maximum(x - cut, 0).sum() - 1, -2, 1)
    assert solved == pytest.approx(0.4)
    assert get("sparsemax").reference(x) == pytest.approx([0.6, 0.4, 0, 0])
    assert "the shares are 0.6, 0.4, 0 and 0" in WORDS


@pytest.mark.parametrize("scores", [[1.0, 0.8, 0.1, -1.0], [1.0, 0.9, 0.9, 0.5]])
def test_the_sparsemax_of_keras_is_wrong_where_two_classes_are_left(scores):
    """When a new Keras mends this, the text, the figure and the cheat row have to change."""
    x = np.array(scores)
    assert (get("sparsemax").reference(x) > 0).sum() >= 2
    shares = np.asarray(keras.activations.sparsemax(x[None]))[0]
    ordered = np.cumsum(np.sort(x)[::-1])
    kept = (get("sparsemax").reference(x) > 0).sum()
    told = np.maximum(x - (ordered[:kept].sum() - 1) / kept, 0)  # "adds up the sums"
    assert shares == pytest.approx(told)
    assert abs(shares.sum() - 1) > 0.1


def test_the_clusters_are_those_of_the_study():
    assert vocabulary.cutoffs(13_070) == (13_070 // 20, 13_070 // 4)
    assert "cutoffs = [V // 20, V // 4]" in TEXT


def test_the_ledger_has_as_many_more_as_the_chapter_says():
    calls = re.findall(r"claims\.trial\((.*?)\)", TEXT, re.DOTALL)
    shown = set(re.findall(r'"([a-z-]+)"', " ".join(calls)))
    known = {claim.id for claim in claims.all() if claim.chapter == "09_softmax_family"}
    assert shown < known
    assert len(known - shown) == 7
    assert "Seven more claims of this chapter" in WORDS
