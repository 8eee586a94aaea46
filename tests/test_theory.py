"""The theory of wide networks knows the known cases."""

import numpy as np
import pytest

from actlab import theory
from actlab.experiments import deep, fading


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
    assert gain == pytest.approx(deep.CRITICAL_GAIN, abs=0.005)
    factors = theory.layers("sigmoid", theory.Start(gain**2), 200).factor
    assert factors[-1] == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="no critical gain"):
        theory.critical_gain("binary_step", depth=5)


def test_larger_weights_do_not_help_a_sigmoid_unless_they_are_centred():
    assert theory.layers("sigmoid", theory.Start(16.0), 50).factor[-1] < 0.5
    assert theory.layers("sigmoid", fading.THEORY[fading.CENTRED], 50).factor[-1] > 0.95
