"""The theory of wide networks knows the known cases."""

import numpy as np
import pytest

from actlab import theory
from actlab.experiments import plateau


def test_fixed_points_that_papers_derive():
    he = theory.layers("relu", theory.STARTS["He"], 10)
    for field in (he.factor, he.signal, he.gradient()):  # He et al., 2015
        np.testing.assert_allclose(field, 1)
    np.testing.assert_allclose(theory.layers("relu", theory.STARTS["Glorot"], 10).factor, 0.5)
    # SELU's fixed point (Klambauer et al., 2017): variance 1 stays 1.
    signal = theory.layers("selu", theory.STARTS["LeCun"], 50).signal[-1]
    np.testing.assert_allclose(signal, 1, 1e-4)


def test_an_input_that_is_not_centred_counts_with_its_mean():
    shifted = theory.layers("relu", theory.Start(2.0), 1, mean=3.0, variance=1.0)
    np.testing.assert_allclose(shifted.variance, 2.0 * (9 + 1))


def test_the_critical_gain_keeps_the_gradient_and_is_the_one_that_a_study_uses():
    gain = theory.critical_gain("sigmoid")
    assert gain == pytest.approx(plateau.CRITICAL_GAIN, abs=0.005)
    factors = theory.layers("sigmoid", theory.Start(gain**2), 200).factor
    assert factors[-1] == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="no critical gain"):
        theory.critical_gain("binary_step", depth=5)


def test_larger_weights_do_not_help_a_sigmoid_unless_they_are_centred():
    assert theory.layers("sigmoid", theory.Start(16.0), 50).factor[-1] < 0.5
    centred = theory.Start(16.0, centred=True)
    assert theory.layers("sigmoid", centred, 50).factor[-1] > 0.95


def test_several_inputs_become_alike_as_the_arc_cosine_kernel_says():
    found = theory.together("relu", theory.STARTS["He"], 8, count=64)
    c, spread = 0.0, []
    for layer in range(8):  # Cho and Saul, 2009; He's start keeps the mean square at 1
        assert found.correlation[layer] == pytest.approx(c, abs=2e-4)
        angle = np.arccos(c)
        c = (np.sin(angle) + (np.pi - angle) * c) / np.pi
        spread.append(np.sqrt(1 - c))
    np.testing.assert_allclose(found.spread, spread, 1e-3)
    assert found.dead[0] == pytest.approx(0.5**64, rel=1e-3)
    assert (np.diff(found.dead) > 0).all()


def test_units_are_dead_as_often_as_in_networks_that_are_drawn():
    expected = theory.together("relu", theory.STARTS["He"], 12, count=50)
    rng = np.random.default_rng(0)
    dead, n = np.zeros(12), 512
    for _ in range(4):
        h = rng.normal(size=(50, n))
        for layer in range(12):
            h = np.maximum(h @ rng.normal(0, np.sqrt(2 / n), (n, n)), 0)
            dead[layer] += (h == 0).all(0).mean() / 4
    np.testing.assert_allclose(expected.dead, dead, atol=0.03)
    assert dead[-1] > 0.1  # there is something to be right about


def test_theory_of_several_inputs_refuses_what_it_is_not_about():
    with pytest.raises(TypeError, match="elementwise"):
        theory.together("softmax", theory.Start(), 1)
    with pytest.raises(ValueError, match="centred"):
        theory.together("relu", theory.Start(centred=True), 1)
