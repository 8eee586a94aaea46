"""Committed studies: they can be read, name their machine, and are never half-written."""

import pandas as pd
import pytest

from actlab import machine, study


@pytest.fixture
def one_study(monkeypatch, tmp_path):
    monkeypatch.setattr(study, "RESULTS", tmp_path)
    monkeypatch.setattr(study, "STUDIES", {"tiny": f"{__name__}:tiny"})
    return tmp_path


def tiny():
    return pd.DataFrame({"seed": [0, 1], "dead": [0.25, 0.5]})


def broken():
    raise RuntimeError("the lights went out")


def test_round_trip(one_study):
    study.run("tiny")
    frame = study.load("tiny")
    pd.testing.assert_frame_equal(frame, tiny(), check_like=False)
    assert frame.attrs["command"] == "python -m actlab.study tiny"
    assert frame.attrs["machine"]["cores"] >= 1


def test_a_broken_run_keeps_the_old_result(one_study, monkeypatch):
    study.run("tiny")
    monkeypatch.setattr(study, "STUDIES", {"tiny": f"{__name__}:broken"})
    with pytest.raises(RuntimeError, match="lights"):
        study.run("tiny")
    assert len(study.load("tiny")) == 2
    assert [path.name for path in one_study.iterdir()] == ["tiny.parquet"]


def test_errors_say_what_to_do(one_study):
    with pytest.raises(KeyError, match="tiny"):
        study.load("tinny")
    with pytest.raises(FileNotFoundError, match=r"python -m actlab\.study tiny"):
        study.load("tiny")


# A study may be registered before it was run (its rules are committed first); a chapter that
# reads one without a result fails by itself.
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
