"""The references and derivatives against mpmath, in units in the last place."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

from actlab import catalog

from .formulas import FORMULAS, digits, precise, slope
from .settings import ELEMENTWISE, everywhere

# How many units in the last place of the exact result an answer may be off.
VALUE_ULP = 5
SLOPE_ULP = 6
# Where a derivative crosses zero between two terms that cancel: there (and within 0.3 of it) an
# answer may be off by that many ulp of the terms, which are of the order of 1/2.
CROSSINGS = {"gelu": -0.75179, "gelu_tanh": -0.75246, "silu": -1.27846, "mish": -1.19243}

SIZES = [
    5e-324, 3e-310, 2.2250738585072014e-308, 1.7e-155, 3e-54, 1e-20, 1.1e-16, 1e-8, 1e-5,
    1.5, 1.5000001, 1.9999999, 2.0, 20.5, 37.4, 38.3, 354.0, 372.9, 708.5, 720.0, 744.0, 746.0,
    1e3, 1e5, 1e10, 1.4e154, 1e200, 1e308, 1.7976931348623157e308,
]  # fmt: skip


def grid(kinks: tuple[float, ...]) -> np.ndarray:
    rng = np.random.default_rng(7)
    dense = np.linspace(-8.03, 8.07, 301)
    tails = np.concatenate([s * rng.uniform(a, b, 10) for s in (-1, 1) for a, b in
                            [(0, 1), (8, 40), (40, 400), (400, 750)]])  # fmt: skip
    edges = np.concatenate([[-s for s in SIZES], SIZES])
    at = np.array(kinks)
    beside = np.concatenate([np.nextafter(at, -np.inf), np.nextafter(at, np.inf)])
    return np.unique(np.concatenate([dense, tails, edges, beside]))


def in_ulp(got: float, exact: mp.mpf, at_least: float = 0.0) -> float:
    """|got − exact| in ulp of the exact result (of ``at_least``, if that is larger)."""
    largest = np.finfo(float).max
    if math.isinf(got):
        return 0.0 if got * exact > 0 and abs(exact) > largest * (1 - 1e-15) else math.inf
    unit = math.ulp(max(float(min(abs(exact), mp.mpf(largest))), at_least))
    return float(abs(mp.mpf(got) - exact) / mp.mpf(unit))


def test_every_elementwise_record_has_an_independent_formula() -> None:
    assert set(FORMULAS) == {record.name for record in ELEMENTWISE}


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_value_to_a_few_ulp(record, params) -> None:
    formula = precise(record.name, params)
    kinks = record.properties_at(**params).kinks
    x = np.concatenate([grid(kinks), kinks, [0.0, -0.0]])
    for at, got in zip(x, record.reference(x, **params), strict=True):
        with mp.workdps(digits(at, params)):
            error = in_ulp(got, formula(mp.mpf(at)))
        assert error <= VALUE_ULP, f"f({at!r}) = {got!r} is {error:.3g} ulp off"


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_derivative_to_a_few_ulp(record, params) -> None:
    formula = precise(record.name, params)
    kinks = record.properties_at(**params).kinks
    x = grid(kinks)
    x = x[~np.isin(x, kinks)]
    crossing = CROSSINGS.get(record.name, math.inf)
    for at, got in zip(x, record.derivative(x, **params), strict=True):
        with mp.workdps(digits(at, params)):
            floor = 0.5 if abs(at - crossing) < 0.3 else 0.0
            error = in_ulp(got, slope(formula, mp.mpf(at)), at_least=floor)
        assert error <= SLOPE_ULP, f"f'({at!r}) = {got!r} is {error:.3g} ulp off"


def test_a_reference_a_few_ulp_too_far_off_is_found_out() -> None:
    tanh = catalog.get("tanh")
    off = 1 + 20 * np.finfo(float).eps
    with pytest.raises(AssertionError, match="ulp off"):
        test_value_to_a_few_ulp(replace(tanh, forward=lambda x: np.tanh(x) * off), {})
    with pytest.raises(AssertionError, match="ulp off"):
        test_derivative_to_a_few_ulp(replace(tanh, backward=lambda x: tanh.backward(x) * off), {})
    # What is right near 0 and wrong in the tail, where 1 − tanh² has no digits left:
    with pytest.raises(AssertionError, match="ulp off"):
        test_derivative_to_a_few_ulp(replace(tanh, backward=lambda x: 1 - np.tanh(x) ** 2), {})
