"""What chapter 8 says in words is what the study and the frameworks say."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import torch

from actlab import data, study
from actlab.catalog import get
from actlab.experiments import twice

CHAPTER = (Path(__file__).parents[2] / "notebooks/08_softmax.py").read_text("utf-8")


def test_the_study_trains_twenty_networks_of_each_kind_on_two_data_sets():
    words = " ".join(CHAPTER.replace("\n# ", " ").split())
    assert "a third of the examples, twenty networks of each kind on two data sets" in words
    assert data.load("mnist1d").x_train.shape[0] == 3 * twice.SIZE
    assert (study.load(twice.TWICE.name).groupby(["data", "arm"]).size() == 20).all()
    assert len(twice.TITLES) == 2


def test_the_worked_numbers():
    p = get("softmax").reference(np.array([2.0, 1.0, 0.0, -1.0]))
    for said, true in ((2.72, math.e), (0.24, p[1]), (0.18, p[1] * (1 - p[1]))):
        assert str(said) in CHAPTER
        assert said == pytest.approx(true, abs=0.005)
    assert f"That of float16 is {torch.finfo(torch.float16).max:,.0f}" in CHAPTER


def test_a_second_softmax_of_ten_classes_has_a_floor():
    loss = -torch.eye(10)[0].softmax(0)[0].log().item()
    assert loss == pytest.approx(math.log(math.e + 9) - 1, abs=1e-6)
    assert r"\log(e + 9) - 1" in CHAPTER


def test_keras_lifts_shares_to_what_the_text_says():
    assert keras.config.epsilon() == 1e-7
    assert "$10^{-7}$" in CHAPTER


def test_pytorch_guesses_the_axis_that_the_text_says():
    with pytest.warns(UserWarning, match="Implicit dimension"):
        guessed = torch.nn.functional.softmax(torch.randn(8, 5, 10))
    assert torch.allclose(guessed.sum(0), torch.ones(5, 10))
    assert "of three axes it takes the first" in CHAPTER
