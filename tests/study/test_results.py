"""The committed results can be read, and name their machine."""

import pytest

from actlab import machine, study
from actlab.study.whole import STUDIES

# A study may be declared before it was run (its rules are committed first); a chapter that reads
# one without a result fails by itself.
COMMITTED = sorted(path.stem for path in study.RESULTS.glob("*.parquet"))


@pytest.mark.parametrize("name", COMMITTED)
def test_every_result_is_of_a_known_study_and_names_its_machine(name):
    frame = study.load(name)
    assert len(frame)
    assert frame.attrs["command"] == f"python -m actlab.study {name}"
    text = machine.sentence(frame.attrs["machine"])
    assert "cores of" in text or "GPU" in text or "NVIDIA" in text
    assert "/" not in frame.attrs["machine"]["cpu"]


def test_there_are_results():
    assert {"born_dead", "relu_training", "activation_cost"} <= set(COMMITTED)
    assert set(STUDIES) <= set(COMMITTED)


def test_a_result_that_is_not_there_names_the_nearest():
    with pytest.raises(FileNotFoundError, match="born_dead"):
        study.load("born_deed")
