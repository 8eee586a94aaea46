"""What titles, summaries and meanings say in words, checked where it can be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actlab.catalog import get

X = np.linspace(-9, 9, 1801)


def test_tanh_is_a_stretched_sigmoid() -> None:
    stretched = 2 * get("sigmoid").reference(2 * X) - 1
    np.testing.assert_allclose(get("tanh").reference(X), stretched, atol=5e-16)


def test_sigmoid_is_a_softmax_against_zero() -> None:
    pairs = np.stack([X, np.zeros_like(X)], axis=-1)
    both = get("softmax").reference(pairs)[:, 0]
    np.testing.assert_allclose(get("sigmoid").reference(X), both, rtol=1e-15)


def test_sparse_sigmoid_is_a_sparsemax_against_zero() -> None:
    pairs = np.stack([X, np.zeros_like(X)], axis=-1)
    both = get("sparsemax").reference(pairs)[:, 0]
    np.testing.assert_allclose(get("sparse_sigmoid").reference(X), both, atol=5e-16)


def test_the_slopes_of_the_plus_functions_are_sigmoids() -> None:
    np.testing.assert_allclose(
        get("softplus").derivative(X), get("sigmoid").reference(X), rtol=1e-15
    )
    np.testing.assert_array_equal(
        get("sparse_plus").derivative(X), get("sparse_sigmoid").reference(X)
    )


def test_gelu_tanh_is_within_five_ten_thousandths_of_gelu() -> None:
    gap = np.abs(get("gelu").reference(X) - get("gelu_tanh").reference(X))
    assert 4e-4 < gap.max() < 5e-4


def test_mish_dips_deeper_than_silu_and_silu_deeper_than_gelu() -> None:
    depth = [get(name).properties.range.lower for name in ("mish", "silu", "gelu")]
    assert depth == sorted(depth)


def test_selu_keeps_mean_0_and_variance_1() -> None:
    # By Gauss–Legendre on either side of the kink, far enough out for the last bit.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    mean = square = 0.0
    for a, b in ((-12.0, 0.0), (0.0, 12.0)):
        z = (a + b) / 2 + (b - a) / 2 * nodes
        mass = (b - a) / 2 * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        y = get("selu").reference(z)
        mean += (mass * y).sum()
        square += (mass * y * y).sum()
    assert mean == pytest.approx(0.0, abs=1e-14)
    assert square == pytest.approx(1.0, abs=1e-14)


def test_parameters_mean_what_they_say() -> None:
    assert get("squareplus").reference(0.0, b=9.0) == 1.5
    assert get("celu").reference(-1e3, alpha=2.5) == -2.5
    assert get("elu").derivative(-0.0, alpha=2.5) == 2.5
    np.testing.assert_array_equal(
        get("hard_sigmoid").reference([-2.5, 0.0, 2.5], limit=2.5), [0.0, 0.5, 1.0]
    )
    assert get("soft_shrink").reference(0.5) == get("hard_shrink").reference(0.5) == 0.0


def test_rrelu_stands_at_its_mean_slope() -> None:
    mean = get("leaky_relu").reference(X, negative_slope=(1 / 8 + 1 / 3) / 2)
    np.testing.assert_array_equal(get("rrelu").reference(X), mean)


def test_softplus_with_a_threshold_drops_onto_the_line() -> None:
    softplus = get("softplus")
    just_beyond = np.nextafter(20.0, 30.0)
    assert softplus.reference(just_beyond, threshold=20.0) == just_beyond
    drop = softplus.reference(20.0, threshold=20.0) - 20.0
    assert drop == pytest.approx(math.log1p(math.exp(-20.0)), rel=1e-5)


def test_stacked_linear_functions_are_one() -> None:
    np.testing.assert_array_equal(get("linear").reference(X), X)
    assert not get("binary_step").derivative(X).any()
