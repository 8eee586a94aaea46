"""What chapter 14 says in words is what the studies and the functions say."""

import inspect
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from torch.nn import functional

from actlab import catalog, claims, study
from actlab.exercises import shrinkage as exercises
from actlab.experiments import shrinkage

CHAPTER = (Path(__file__).parents[2] / "notebooks/14_shrinkage.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# ", " ").replace(" > ", " ").split())


def recorded(name):
    return claims.get(name).recorded()


def test_the_worked_numbers():
    assert r"the answer 1.2 costs $0.5 \cdot 1.2 = 0.6$" in WORDS
    assert pytest.approx(0.6) == 0.5 * 1.2
    assert "$1.2^2 / 2 = 0.72$" in WORDS
    assert pytest.approx(0.72) == 1.2**2 / 2
    assert "$0.9^2 / 2 = 0.405$" in WORDS
    assert pytest.approx(0.405) == 0.9**2 / 2
    assert "`Hardshrink(0.5)` charges 0.125" in WORDS
    assert 0.5**2 / 2 == 0.125
    assert r"$2.9\, \sigma$" in WORDS
    universal = math.sqrt(2 * math.log(64))
    assert round(universal, 1) == 2.9
    assert "the largest is mostly below" in WORDS
    assert 0.7 < math.erf(universal / math.sqrt(2)) ** 64 < 0.9
    assert r"= 9.3\, \sigma^2" in WORDS
    assert round(1 + universal**2, 1) == 9.3
    assert "$g = 1.365$" in WORDS
    assert CHAPTER.count("gain=1.365") == 2
    assert shrinkage.GAINS["soft shrink"] == 1.365
    row = next(row for row in claims.rows()["14_shrinkage"] if row.activation == "tanh_shrink")
    assert "variance 2.8/n" in row.start
    assert round(shrinkage.GAINS["tanh shrink"] ** 2, 1) == 2.8


def test_both_libraries_have_one_half():
    assert r"as both libraries have it, with $\lambda = 0.5$" in WORDS
    assert catalog.get("soft_shrink").defaults == {"threshold": 0.5}
    default = inspect.signature(keras.activations.soft_shrink).parameters["threshold"].default
    assert default == torch.nn.Softshrink().lambd == 0.5


def test_what_a_threshold_that_is_a_tensor_does():
    assert "refuses a `Parameter`" in WORDS
    limit = torch.nn.Parameter(torch.tensor(0.5))
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(TypeError):
        functional.softshrink(x, limit)
    assert "the gradient is cut off without a word" in WORDS
    functional.softshrink(x, limit.item()).sum().backward()
    assert limit.grad is None
    assert "Keras' `soft_shrink` takes a variable and sends a gradient back to it" in WORDS
    import tensorflow as tf

    threshold = keras.Variable(0.5)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(keras.activations.soft_shrink(tf.ones(3), threshold))
    assert float(tape.gradient(y, threshold.value)) == -3


def test_denoising():
    soft = recorded("soft-denoises-best")
    assert "The library is right" in WORDS
    assert soft.verdict == "holds"
    assert "saves between a tenth and a third of hard shrink's error" in WORDS
    saved = [found.mean for found in soft.measured[shrinkage.SOFTER].cases.values()]
    assert 10 < min(saved) < 12
    assert 30 < max(saved) < 34
    added = recorded("universal-threshold")
    assert "suits hard shrink under strong noise" in WORDS
    assert added.verdict == "holds when …"
    assert {case[0] for case in added.decision.passing} == {"hard shrink"}
    means = {case: found.mean for case, found in added.measured[shrinkage.UNIVERSAL].cases.items()}
    assert "Soft shrink it costs a third more at least, and up to four times the error" in WORDS
    costs = [mean for case, mean in means.items() if case[0] == "soft shrink"]
    assert 33 < min(costs) < 40
    assert 290 < max(costs) < 340


def test_the_exercises_numbers():
    assert f"below {exercises.ENOUGH} is wanted; the best soft threshold comes to " in WORDS
    assert f"comes to {exercises.SOFT}." in WORDS
    assert exercises.NOISE == 0.5


def test_lista_against_ista_and_fista():
    cases = recorded("lista-ten-times").decision.passing
    assert "Nine in ten it is against ISTA" in WORDS
    assert {layers for layers, rival in cases if rival == "ISTA"} == set(shrinkage.DEPTHS.values())
    assert "loses that clearly to a single layer only" in WORDS
    assert [layers for layers, rival in cases if rival == "FISTA"] == ["1 layer"]
    assert "Five layers come hardly nearer than three" in WORDS
    error = study.load(shrinkage.LISTA.name).groupby("layers").error.mean()
    assert 0.85 * error[3] < error[5] < error[3]


def test_hidden_layers():
    lead = "lead in test accuracy"
    assert recorded("relu-beats-shrink").verdict == "not shown"
    assert "On 500 noisy signals of MNIST-1D" in WORDS
    assert shrinkage.CONTEST.settings["options"]["mnist1d"]["size"] == 500
    cases = recorded("tanh-beats-shrink").measured[lead].cases
    assert "Against tanh they are [behind on the digits](../book/reference/claims.md)" in WORDS
    assert all(found.low > 0 for (_, data), found in cases.items() if data == "digits")
    assert "and two of them ahead on MNIST-1D" in WORDS
    ahead = [found.high < 0 for (_, data), found in cases.items() if data == "MNIST-1D"]
    assert sum(ahead) == 2
    found = recorded("shrink-keeps-size")
    assert found.decision.passing == (("hard shrink",),)
    assert "with weights 4 % above theory's it stands" in WORDS
    (kept,) = found.measured.values()
    assert kept.notes["times theory's size"]["hard shrink"] == 1.04
    assert "one layer does what takes the algorithm fifty steps" in WORDS
    steps = study.load(shrinkage.LISTA.name).groupby("layers").ista.mean()
    assert round(steps[1], -1) == 50


def kept(record, gain, layers):
    """The share of digits whose signal is within a factor of ten of that in the first layer."""
    found = shrinkage.sizes(record, gain, (0, 1, 2))
    with np.errstate(divide="ignore"):
        return (abs(np.log10(found[:, layers - 1] / found[:, 0])) < 1).mean()


@pytest.mark.parametrize("name", shrinkage.GAINS)
def test_what_depth_does(name):
    """A gain a little larger than that which keeps a size of 1 does serve hard shrink."""
    assert "What rules soft and tanh shrink out is *depth*: there, no gain suits them" in WORDS
    assert "Soft shrink takes from the small" in WORDS
    gains = shrinkage.GAINS[name] * np.array([0.95, 1, 1.03, 1.1])
    best = max(kept(shrinkage.RECORDS[name], gain, 30) for gain in gains)
    assert best > 0.9 if name == "hard shrink" else best < 0.2
    assert "In a network of three layers this has only begun" in WORDS
    assert kept(shrinkage.RECORDS[name], shrinkage.GAINS[name], 3) > 0.9


def test_the_way_to_the_code_is_about_as_long():
    ratio = study.load(shrinkage.LISTA.name).groupby("layers").threshold.mean()
    assert "at 7 times ISTA's with five layers, at 34 times with one" in WORDS
    assert (round(ratio[5]), round(ratio[1])) == (7, 34)
    assert "The way to the code is as long for all of them" in WORDS
    total = ratio * ratio.index.to_numpy()
    assert total.max() < 1.2 * total.min()


def test_a_chapter_is_the_home_of_its_records():
    homes = claims.homes()
    family = set(catalog.families()["shrink"])
    assert {name for name, chapter in homes.items() if chapter == "14_shrinkage"} == family


def test_tanh_shrinks_price():
    t = np.array([6.0])
    price = np.log(np.cosh(t)) - np.tanh(t) ** 2 / 2
    assert "The price of a large $u$ is nearly $|u|$" in WORDS
    assert abs(price / (t - np.tanh(t)) - 1) < 0.05
