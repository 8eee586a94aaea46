"""The functions along an axis (softmax and its kin, GLU): values, Jacobians and properties."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from actlab import catalog

from .properties import bends
from .test_references import in_ulp

DIGITS = 50
NOISE = [0.3, -1.1, 2.0, 0.7, -0.2, 1.5]


def softmax(x):
    total = mp.fsum(mp.exp(v) for v in x)
    return [mp.exp(v) / total for v in x]


def sparsemax(x):
    """The projection on the simplex: above the largest of the thresholds of the k largest."""
    ordered = sorted(x, reverse=True)
    tau = max((mp.fsum(ordered[:k]) - 1) / k for k in range(1, len(x) + 1))
    return [max(v - tau, mp.mpf(0)) for v in x]


def glu(x):
    half = len(x) // 2
    return [a / (1 + mp.exp(-b)) for a, b in zip(x[:half], x[half:], strict=True)]


# name → (formula of a vector, parameters, ulp of what the answer may be off)
CASES = {
    "softmax": (softmax, {}),
    "log_softmax": (lambda x: [mp.log(p) for p in softmax(x)], {}),
    "softmin": (lambda x: softmax([-v for v in x]), {}),
    "softmax2d": (softmax, {}),
    "sparsemax": (sparsemax, {}),
    "gumbel_softmax": (softmax, {}),
    "gumbel_softmax cold": (lambda x: softmax([v / mp.mpf(0.3) for v in x]), {"tau": 0.3}),
    "gumbel_softmax noisy": (
        lambda x: softmax([(v + mp.mpf(g)) / 2 for v, g in zip(x, NOISE, strict=True)]),
        {"tau": 2.0, "noise": np.array(NOISE)},
    ),
    "glu": (glu, {}),
}

INPUTS = {
    "moderate": [0.3, -1.7, 2.1, 0.9, -0.4, 1.3],
    "equal": [1.25] * 6,
    "one far ahead": [40.0, -3.0, 0.1, 2.0, 1.0, -7.0],
    "far apart": [-350.3, 210.7, 340.2, -90.1, 339.4, 0.0],
    "subnormal shares": [0.0, -708.9, -730.3, -744.2, -745.0, -2.0],
    "huge": [1e30, 1e30, -1e38, 3.0, 1e29, 1e30],
    "tiny": [1e-300, -1e-300, 5e-324, 0.0, -0.0, 1e-10],
    "almost nothing left": [1.0, 1e-17, -0.5, -2.0, 0.0, -1e-17],
    "a whole unit": [0.0, 1.0, 0.5, 0.25, -1.0, 0.75],
}
VALUE_ULP = 4
SLOPE_ULP = 8


def run(case, x):
    """Value (n,) and Jacobian (n, n) of a case at a vector, whatever axis the record works on."""
    _, params = CASES[case]
    record = catalog.get(case.split()[0])
    shape = (len(x), 1, 1) if record.axis == -3 else (len(x),)
    value = record.reference(np.reshape(x, shape), **params)
    slope = record.derivative(np.reshape(x, shape), **params)
    return value.ravel(), slope.reshape(value.size, len(x))


def test_every_vector_and_gate_record_is_a_case() -> None:
    names = {r.name for r in catalog.records() if r.kind in ("vector", "gate")}
    assert {case.split()[0] for case in CASES} == names


@pytest.mark.parametrize("x", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("case", CASES)
def test_value_to_a_few_ulp(case, x) -> None:
    formula, _ = CASES[case]
    with mp.workdps(700):
        exact = formula([mp.mpf(v) for v in x])
        errors = [in_ulp(g, e) for g, e in zip(run(case, x)[0], exact, strict=True)]
    assert max(errors) <= VALUE_ULP, errors


# At these inputs an output of sparsemax just reaches 0; they have a test of their own.
ON_A_KINK = {("sparsemax", "a whole unit")}


@pytest.mark.parametrize(
    ("case", "at"), [(case, at) for case in CASES for at in INPUTS if (case, at) not in ON_A_KINK]
)
def test_jacobian_to_a_few_ulp(case, at) -> None:
    x = INPUTS[at]
    formula = CASES[case][0]
    got = run(case, x)[1]
    with mp.workdps(700):
        point = [mp.mpf(v) for v in x]
        for j, x_j in enumerate(point):
            step = mp.mpf(10) ** -350 * max(1, abs(x_j))
            up, down = (formula([*point[:j], x_j + s * step, *point[j + 1 :]]) for s in (1, -1))
            for i, (a, b) in enumerate(zip(up, down, strict=True)):
                error = in_ulp(got[i, j], (a - b) / (2 * step), at_least=1e-330)
                assert error <= SLOPE_ULP, (i, j, got[i, j], error)


def test_the_largest_numbers_do_not_overflow() -> None:
    x = [1e308, -1.7e308, 1e308]
    assert catalog.get("softmax").reference(x).tolist() == [0.5, 0.0, 0.5]
    assert catalog.get("softmin").reference(x).tolist() == [0.0, 1.0, 0.0]
    assert catalog.get("sparsemax").reference(x).tolist() == [0.5, 0.0, 0.5]
    assert catalog.get("log_softmax").reference(x)[0] == -math.log(2)
    assert catalog.get("log_softmax").reference([1e308, 0.0])[1] == -1e308


def test_rows_are_handled_one_by_one() -> None:
    x = np.random.default_rng(1).normal(size=(3, 2, 4, 6))
    for case, (_, params) in CASES.items():
        record = catalog.get(case.split()[0])
        value, slope = record.reference(x, **params), record.derivative(x, **params)
        if record.axis == -3:
            assert value.shape == x.shape
            assert slope.shape == (*x.shape, 2)
            one = record.reference(x[1, :, 2, 3].reshape(2, 1, 1))
            np.testing.assert_allclose(value[1, :, 2, 3], one.ravel(), rtol=1e-15)
            one = record.derivative(x[1, :, 2, 3].reshape(2, 1, 1))
            np.testing.assert_allclose(slope[1, :, 2, 3], one.reshape(2, 2), rtol=1e-14)
            continue
        n = 3 if record.kind == "gate" else 6
        assert value.shape == (3, 2, 4, n)
        assert slope.shape == (3, 2, 4, n, 6)
        np.testing.assert_allclose(value[2, 1, 3], record.reference(x[2, 1, 3], **params))
        np.testing.assert_allclose(slope[2, 1, 3], record.derivative(x[2, 1, 3], **params))


def test_sparsemax_at_a_kink_stays_zero() -> None:
    # With (1, 0) the second output has just reached 0: the derivative is that of staying there.
    assert catalog.get("sparsemax").reference([1.0, 0.0]).tolist() == [1.0, 0.0]
    assert (catalog.get("sparsemax").derivative([1.0, 0.0]) == 0).all()
    equal = catalog.get("sparsemax").derivative([2.0, 2.0, 2.0])
    np.testing.assert_allclose(equal, np.eye(3) - 1 / 3)


def exact_sparsemax(row):
    """Outputs and support in rational numbers: the only subset of the inputs that is consistent."""
    z = [Fraction(v) for v in row]
    for support in itertools.product([False, True], repeat=len(z)):
        inside = [v for v, member in zip(z, support, strict=True) if member]
        tau = (sum(inside) - 1) / len(inside) if inside else max(z)
        if all((v > tau) == member for v, member in zip(z, support, strict=True)) and inside:
            return [max(v - tau, Fraction(0)) for v in z], support
    raise AssertionError(row)


def sparsemax_rows():
    """Rows near every edge: shifted, scaled, tied, with outputs that are almost nothing."""
    yield from ([1.0, 10.0**-digits, -(10.0**-digits)] for digits in range(3, 320, 13))
    yield [1.0, 5e-324]  # half of the smallest number: the output rounds to 0
    yield [-1.0, 0.2, 2.3, -1.8, -1.8, 1.9, 1.6, -0.5]
    yield [1e308, 1e308, -1e308]
    rng = np.random.default_rng(8)
    for shift in (0.0, 1.0, -0.1, 1e8, -1e15, 2.0**52, 1e300):
        for scale in (1e-300, 1e-17, 1e-8, 0.3, 2.0, 1e8):
            row = shift + rng.normal(size=5) * scale
            yield row.tolist()
            yield [row[0], row[0], row[0] - 1, row[0] - (1 - scale), row[1]]
            yield [row[0], row[0] - 0.5 * (1 - 2.0**-53), *row[:2] - 0.5]


def test_sparsemax_is_the_exact_result_rounded_once() -> None:
    record, small = catalog.get("sparsemax"), 0
    for row in sparsemax_rows():
        exact, support = exact_sparsemax(row)
        assert record.reference(row).tolist() == [float(v) for v in exact], row
        n = sum(support)
        slope = [
            [(i == j) - 1 / n if a and b else 0.0 for j, b in enumerate(support)]
            for i, a in enumerate(support)
        ]
        np.testing.assert_allclose(record.derivative(row), slope, rtol=1e-15, err_msg=str(row))
        small += any(0 < v < 1e-9 for v in exact)
    assert small > 10


def test_hard_gumbel_is_one_hot_with_the_soft_derivative() -> None:
    record = catalog.get("gumbel_softmax")
    x = [0.3, 2.0, -1.0]
    assert record.reference(x, hard=True, tau=0.5).tolist() == [0.0, 1.0, 0.0]
    noise = np.array([5.0, 0.0, 0.0])
    assert record.reference(x, hard=True, noise=noise).tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_array_equal(record.derivative(x, hard=True), record.derivative(x))


@pytest.mark.parametrize("case", CASES)
def test_nan_and_infinite_winners_give_nan(case) -> None:
    bad = {"softmin": -np.inf}.get(case, np.inf)
    for at in (np.nan, bad):
        x = [0.1, at, 0.2, 1.0, 0.5, 0.4]
        value, slope = run(case, x)
        if case == "glu":  # each output has its own pair of inputs
            assert np.isnan(value).tolist() == [False, bool(np.isnan(at)), False]
            continue
        assert np.isnan(value).all()
        assert np.isnan(slope).all()


def test_a_minus_infinity_is_a_masked_entry() -> None:
    for name in ("softmax", "gumbel_softmax", "sparsemax"):
        value = catalog.get(name).reference([0.5, -np.inf, 0.25])
        np.testing.assert_array_equal(value[[0, 2]], catalog.get(name).reference([0.5, 0.25]))
        assert value[1] == 0
    assert catalog.get("log_softmax").reference([0.5, -np.inf, 0.25])[1] == -np.inf


# --- properties ---------------------------------------------------------------------------------


def along_axis(record, params):
    """The record as a function of (…, 6), whatever axis it works on."""
    if record.axis == -1:
        return lambda x: record.reference(x, **params)
    return lambda x: record.reference(x[..., None, None], **params)[..., 0, 0]


def observed_range(record, params):
    """Outputs for inputs of which some are near each other and others far apart."""
    rng = np.random.default_rng(5)
    near = rng.uniform(-15, 15, size=(4000, 6)) * min(params.get("tau", 1), 1)
    far = rng.uniform(-1e6, 1e6, size=(4000, 6))
    function = along_axis(record, params)
    return function(near), function(far)


FLAT = [r for r in catalog.records() if r.kind in ("vector", "gate")]


@pytest.mark.parametrize("record", FLAT, ids=lambda record: record.name)
def test_stated_range_and_smoothness_are_so(record) -> None:
    for params in [{}] + [{p.name: v} for p in record.parameters for v in p.examples]:
        said = record.properties_at(**params)
        assert range_complaints(said.range, record, params) == []
        assert bends(along_axis(record, params), (6,)) == said.smoothness


def range_complaints(said, record, params):
    near, far = observed_range(record, params)
    found = []
    for side, bound, end in ((0, said.lower, np.min), (1, said.upper, np.max)):
        outward = 2 * side - 1
        if outward * end(far) > outward * bound or outward * end(near) > outward * bound:
            found.append(f"values beyond {bound}")
        if math.isinf(bound) and outward * end(far) < 1e4:
            found.append(f"values do not go to {bound}")
        if not math.isinf(bound) and abs(end(far) - bound) > 1e-9:
            found.append(f"values do not reach for {bound}")
        # Within ±15 (times tau) no smooth tail has been rounded to its limit yet.
        if not math.isinf(bound) and said.closed[side] != bool((near == bound).any()):
            found.append(f"{bound} attained or not")
    return found


def test_a_wrong_range_is_found_out() -> None:
    from actlab.catalog import Interval

    softmax_, sparsemax_ = catalog.get("softmax"), catalog.get("sparsemax")
    assert range_complaints(Interval(0, 2), softmax_, {})
    assert range_complaints(Interval(0, 0.9), softmax_, {})
    assert range_complaints(Interval(0, 1, (True, True)), softmax_, {})
    assert range_complaints(Interval(0, 1), sparsemax_, {})
    assert range_complaints(Interval(-math.inf, math.inf), softmax_, {})
    assert range_complaints(Interval(-5, 0), catalog.get("log_softmax"), {})
    assert range_complaints(Interval(-1, 1), catalog.get("glu"), {})


def test_smoothness_tells_jump_kink_and_smooth_apart() -> None:
    assert bends(along_axis(catalog.get("gumbel_softmax"), {"hard": True}), (6,)) == -1
    assert bends(catalog.get("sparsemax").reference, (6,)) == 0
    assert bends(catalog.get("softmax").reference, (6,)) == math.inf


# --- shapes -------------------------------------------------------------------------------------


def test_wrong_shapes_say_which() -> None:
    with pytest.raises(ValueError, match=r"glu halves the last axis.*got 5 .*shape \(2, 5\)"):
        catalog.get("glu").reference(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"softmax works along axis -1.*shape \(\)"):
        catalog.get("softmax").reference(1.0)
    with pytest.raises(ValueError, match=r"softmax works along axis -1.*shape \(3, 0\)"):
        catalog.get("softmax").derivative(np.zeros((3, 0)))
    with pytest.raises(ValueError, match=r"softmax2d works along axis -3.*shape \(4, 4\)"):
        catalog.get("softmax2d").reference(np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"noise of shape \(3,\).*shape \(4,\)"):
        catalog.get("gumbel_softmax").reference(np.zeros(4), noise=np.zeros(3))
