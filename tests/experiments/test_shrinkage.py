"""The studies of the shrinkage functions are what the claims say they are."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso

from actlab import catalog, theory
from actlab.experiments import shrinkage
from actlab.study import load


def test_the_fast_functions_are_the_catalogs():
    x = np.linspace(-3, 3, 601)
    for function, name in ((shrinkage.soft, "soft_shrink"), (shrinkage.hard, "hard_shrink")):
        assert np.allclose(function(x, 0.7), catalog.get(name).reference(x, threshold=0.7))


def test_another_answer_would_be_dearer():
    x = shrinkage.INPUTS
    ours = shrinkage.cost(shrinkage.soft(x, 0.5), x, 0.5, "size")
    for other in (shrinkage.hard(x, 0.5), shrinkage.soft(x, 0.4), x):
        assert (shrinkage.cost(other, x, 0.5, "size") - ours).max() > 1e-3
    assert shrinkage.cost(np.zeros(1), np.ones(1), 3.0, "count") == 0.5
    assert shrinkage.cost(np.ones(1), np.ones(1), 3.0, "count") == 3.0


@pytest.fixture(scope="module")
def parts():
    train, _, test = shrinkage.unit_digits(0)
    return shrinkage.dictionary(train, 0, rounds=3), test[:3]


def test_digits_and_atoms_have_length_one(parts):
    for x in parts:
        assert np.allclose(np.linalg.norm(x, axis=1), 1)
    assert parts[0].shape == (shrinkage.ATOMS, 64)


def test_codes_are_those_of_scikit_learn(parts):
    atoms, x = parts
    lasso = Lasso(shrinkage.PRICE / 64, fit_intercept=False, tol=1e-10, max_iter=100_000)
    wanted = np.array([lasso.fit(atoms.T, row).coef_ for row in x])
    fast = shrinkage.codes(x, atoms, shrinkage.EXACT)
    slow = shrinkage.codes(x, atoms, shrinkage.EXACT, fast=False)
    assert np.allclose(fast[-1], wanted, atol=1e-4)
    assert shrinkage.missed(slow[-1], wanted) < 0.01
    assert shrinkage.missed(fast[29], wanted) < shrinkage.missed(slow[29], wanted)
    assert shrinkage.missed(0 * wanted, wanted) == 1


def test_untrained_layers_are_steps_of_ista(parts):
    atoms, x = parts
    learned, code = shrinkage.lista(atoms, 3)
    with torch.no_grad():
        found = code(torch.tensor(x, dtype=torch.float32)).numpy()
    assert np.allclose(found, shrinkage.codes(x, atoms, 3, fast=False)[-1], atol=1e-5)
    assert [tuple(part.shape) for part in learned] == [(64, 64), (64, 64), (64,)]


@pytest.mark.parametrize("name", shrinkage.BASES)
def test_a_basis_is_orthonormal(name):
    x = np.random.default_rng(0).normal(size=(100, 64))
    rows, mean = shrinkage.basis(name, x)
    assert np.allclose(rows @ rows.T, np.eye(64))
    assert mean.shape == (64,)


def test_pixels_that_never_change_are_components_of_their_own():
    x = np.random.default_rng(0).normal(size=(100, 64))
    x[:, [3, 60]] = 1.0
    rows, _ = shrinkage.basis("principal components", x)
    assert np.allclose(rows @ rows.T, np.eye(64))
    assert np.array_equal(rows[-2:], np.eye(64)[[3, 60]])


def test_the_signs_of_the_components_change_nothing(monkeypatch):
    """A decomposition gives each with either sign, by the processor."""
    found = shrinkage.errors(0, 0, 0.5, "principal components")
    given = shrinkage.basis

    def turned(name, x):
        rows, mean = given(name, x)
        return rows * np.where(np.arange(len(rows)) % 2, 1, -1)[:, None], mean

    monkeypatch.setattr(shrinkage, "basis", turned)
    again = shrinkage.errors(0, 0, 0.5, "principal components")
    for title, by in found.items():
        assert by == pytest.approx(again[title], rel=1e-9)


def test_without_a_threshold_the_noise_stays():
    found = shrinkage.errors(0, 0, 1.0, "cosines")
    for by in found.values():
        assert by["chosen"] < 1.02  # the noise's own mean square is 1
        assert 0 <= by["threshold"] <= 4


def test_the_starts_keep_a_signal_of_size_one():
    for name, gain in shrinkage.GAINS.items():
        record = catalog.get(shrinkage.RECORDS[name])
        kinks = record.properties_at().kinks
        kept = theory.normal_mean(lambda z, f=record.reference: f(z) ** 2, gain**2, kinks)
        assert kept == pytest.approx(1, abs=2e-3)
        assert shrinkage.ARMS[name]["gain"] == gain


def test_sizes_of_a_linear_network_stay():
    found = shrinkage.sizes("linear", 1.0, (0, 1), count=5)
    assert found.shape == (2, 30, 5)
    assert np.abs(np.log10(found)).max() < 0.5


def test_both_tables_have_twenty_of_each_kind():
    contest = load(shrinkage.CONTEST.name)
    assert (contest.groupby(["data", "arm"]).size() == 20).all()
    assert set(contest.arm) == set(shrinkage.ARMS)
    assert not contest.edge.any()
    codes = load(shrinkage.LISTA.name)
    assert (codes.groupby("layers").size() == 20).all()
    assert 0 not in set(codes.split)
    assert (codes[["ista", "fista"]] <= shrinkage.EXACT).all(axis=None)
