"""The studies of softplus and its relatives are what the claims say they are."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_poisson_deviance

from actlab import theory
from actlab.experiments import counts, smooth
from actlab.study import load


def test_the_starts_of_the_contest():
    assert smooth.ARMS["softplus"]["gain"] == round(theory.critical_gain("softplus"), 2)
    start = smooth.ARMS["exponential"]
    gain, bias = start["gain"], start["bias"]
    size = theory.normal_mean(lambda z: np.exp(gain * z + bias) ** 2)
    assert size == pytest.approx(1)


def test_the_formula_on_paper_is_wrong_where_it_overflows_and_where_it_forgets():
    value, gradient = smooth.wrong("softplus", "PyTorch", "float32", own=False)
    assert value[smooth.GRID > 89].all()
    assert gradient[smooth.GRID > 89].all()
    assert not value[np.abs(smooth.GRID) < 5].any()
    assert value[smooth.GRID == -20].all()
    assert not gradient[smooth.GRID == -20].any()
    for name in ("softplus", "log_sigmoid"):
        for dtype in ("float32", "bfloat16", "float16"):
            assert not smooth.wrong(name, "PyTorch", dtype, own=True).any()


def test_a_sharp_softplus_keeps_inputs_apart_as_relu_does():
    found = {name: smooth.apart(count=3, **arm) for name, arm in smooth.RECTIFIERS.items()}
    for spread in found.values():
        assert spread.shape == (3, 30)
    left = {name: (spread[:, -1] / spread[:, 0]).mean() for name, spread in found.items()}
    assert left["softplus"] < 0.7 * left["softplus, β = 10"]


def test_both_tables_have_twenty_networks_of_each_kind():
    contest = load(smooth.CONTEST.name)
    assert (contest.groupby(["data", "depth", "arm"]).size() == 20).all()
    assert set(contest.arm) == set(smooth.ARMS)
    assert not contest.edge.any()
    assert (load(smooth.SATURATED.name).groupby(["activation", "gain"]).size() == 20).all()
    assert (load(counts.VISITS.name).groupby("output").size() == 20).all()


def test_saturation_counts_flat_slopes():
    found = smooth.saturated_cell("tanh", smooth.LARGE, 0, lr=0.03, epochs=1)
    assert len(found) == 4
    assert found.before.between(0.4, 0.8).all()  # |z| > 3 of a normal z with sd 6: 0.62


def test_the_deviance_is_scikit_learns():
    rng = np.random.default_rng(0)
    y, rate = rng.poisson(2, 500), rng.uniform(0.1, 5, 500)
    found = counts.deviance(torch.tensor(y, dtype=torch.float64), torch.tensor(rate))
    assert float(found) == pytest.approx(mean_poisson_deviance(y, rate))


def test_a_linear_model_of_counts_comes_to_its_optimum():
    found = counts.counts_cell("exponential", 0, train=2_000)
    assert found.deviance.std() < 1e-3  # it has one optimum, whatever the start
    assert 3.5 < found.deviance.mean() < 4.5
