"""What every record holds, how references behave at the edges, and what bad input is told."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import replace
from fractions import Fraction
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import catalog
from actlab.catalog import ParameterError, UnknownActivationError
from actlab.catalog.record import REQUIRED, Catalog

from .settings import ELEMENTWISE, everywhere

RECORDS = catalog.records()
each = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
each_elementwise = pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)

FAMILIES = [
    "basic",
    "relu",
    "leaky",
    "elu",
    "sigmoid",
    "tanh",
    "gelu",
    "softplus",
    "shrink",
    "softmax",
    "gated",
    "attention",
]


def test_families_come_in_the_courses_order() -> None:
    assert list(catalog.families()) == FAMILIES
    assert sum(catalog.families().values(), ()) == catalog.names()
    assert tuple(r.name for r in RECORDS) == catalog.names()


@each
def test_a_record_is_filled_in(record) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", record.name)
    assert record.family in FAMILIES
    assert record.title.strip()
    assert record.summary.endswith(".")
    assert re.fullmatch(r".+, (1[89]|20)\d\d", record.origin.citation)
    assert len(record.origin.title) > 8
    for parameter in record.parameters:
        assert parameter.meaning.strip()
        assert parameter.valid.strip()
        assert parameter.default is REQUIRED or parameter.check(parameter.default)
        assert all(parameter.check(value) for value in parameter.examples)


@each
def test_the_formula_is_latex_that_matplotlib_or_mathjax_can_read(record) -> None:
    formula = record.formula
    assert formula.strip()
    assert "$" not in formula
    assert formula.count("{") == formula.count("}")
    assert formula.count(r"\left") == formula.count(r"\right")
    assert formula.count(r"\begin") == formula.count(r"\end")
    commands = set(re.findall(r"\\([A-Za-z]+)", formula))
    assert commands <= KNOWN_COMMANDS


KNOWN_COMMANDS = {
    "alpha",
    "approx",
    "begin",
    "beta",
    "dots",
    "end",
    "frac",
    "ge",
    "lambda",
    "lceil",
    "le",
    "left",
    "log",
    "mathcal",
    "max",
    "min",
    "odot",
    "operatorname",
    "Phi",
    "pi",
    "quad",
    "rceil",
    "right",
    "sigma",
    "sim",
    "sqrt",
    "sum",
    "tanh",
    "tau",
    "text",
    "tfrac",
    "theta",
    "top",
}


@each
def test_links_are_https_and_well_formed(record) -> None:
    parts = urlsplit(record.origin.url)
    assert parts.scheme == "https"
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", parts.netloc)
    assert len(parts.path) > 1
    assert " " not in record.origin.url
    if parts.netloc == "arxiv.org":
        assert re.fullmatch(r"/abs/\d{4}\.\d{4,5}", parts.path)
    if parts.netloc == "doi.org":
        assert re.fullmatch(r"/10\.\d{4,9}/\S+", parts.path)


def test_an_http_link_or_a_broken_formula_is_found_out() -> None:
    relu = catalog.get("relu")
    with pytest.raises(AssertionError):
        test_links_are_https_and_well_formed(
            replace(relu, origin=replace(relu.origin, url="http://arxiv.org/abs/1234.5678"))
        )
    with pytest.raises(AssertionError):
        test_the_formula_is_latex_that_matplotlib_or_mathjax_can_read(
            replace(relu, formula=r"\frac{x}{2")
        )


@pytest.mark.parametrize(
    ("record", "parameter"),
    [pytest.param(r, p, id=f"{r.name}.{p.name}") for r in RECORDS for p in r.parameters],
)
def test_a_bad_value_is_refused_and_the_good_ones_are_named(record, parameter) -> None:
    for bad in ("0.1", object(), math.nan, {}):
        with pytest.raises(ParameterError, match=re.escape(parameter.valid)) as caught:
            record.reference(np.zeros((2, 2)), **{parameter.name: bad})
        assert f"{record.name}: {parameter.name}=" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("elu", {"alpha": -1.0}, "alpha=-1.0 is not allowed; expected a positive number"),
        ("softplus", {"beta": 0}, "beta=0 is not allowed"),
        ("softplus", {"threshold": -math.inf}, "a positive number or infinity"),
        ("thresholded_relu", {"theta": -0.1}, "zero or a positive number"),
        ("leaky_relu", {"negative_slope": math.inf}, "any real number"),
        ("leaky_relu", {"negative_slope": True}, "any real number"),
        ("leaky_relu", {"negative_slope": [0.1]}, "any real number"),
        ("rrelu", {"lower": 0.5, "upper": 0.1}, "lower ≤ upper is expected, got lower=0.5, upper"),
        ("hard_tanh", {"min_val": 2.0}, "min_val < max_val is expected"),
        ("elu", {"beta": 1}, "elu has no parameter 'beta'; it takes alpha"),
        ("relu", {"alpha": 1}, "relu has no parameter 'alpha'; it takes no parameters"),
        ("elu", {"alpha": "1.0"}, "alpha='1.0' is not allowed"),
        ("elu", {"alpha": np.array([1.0])}, "is not allowed; expected a positive number"),
        ("elu", {"alpha": np.bool_(True)}, "alpha=True is not allowed"),
        ("leaky_relu", {"negative_slope": np.float32("inf")}, "negative_slope=inf is not allowed"),
        ("leaky_relu", {"negative_slope": 10**400}, "is not allowed; expected any real number"),
    ],
)
def test_parameter_errors_say_what_is_expected(name, params, message) -> None:
    for ask in ("reference", "derivative"):
        with pytest.raises(ParameterError, match=re.escape(message)):
            getattr(catalog.get(name), ask)([0.0], **params)
    with pytest.raises(ParameterError, match=re.escape(message)):
        catalog.get(name).properties_at(**params)


@pytest.mark.parametrize(
    "kind", [np.float16, np.float32, np.float64, np.array, torch.tensor, Fraction]
)
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("elu", {"alpha": 1.5}),
        ("leaky_relu", {"negative_slope": 0.125}),
        ("softplus", {"beta": 2.0, "threshold": 20.0}),
        ("hard_tanh", {"min_val": -0.5, "max_val": 0.75}),
        ("celu", {"alpha": 0.5}),
    ],
)
def test_a_narrow_number_does_not_narrow_the_result(name, params, kind) -> None:
    """A float32 parameter made float32 results; overflow came with it (softplus)."""
    record = catalog.get(name)
    x = np.array([-700.1, -1.1, -0.1, 0.3, 19.7, 1e30])
    narrow = {key: kind(value) for key, value in params.items()}
    for ask in ("reference", "derivative"):
        got = getattr(record, ask)(x, **narrow)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, getattr(record, ask)(x, **params))
    assert all(type(value) is float for value in record.resolve(narrow).values())
    assert record.properties_at(**narrow) == record.properties_at(**params)
    assert record.saturates_beyond(np.float32(0.5), **narrow) == record.saturates_beyond(
        0.5, **params
    )


def test_input_may_be_a_tensor_or_a_nullable_column() -> None:
    relu = catalog.get("relu")
    for x in (
        torch.tensor([-1.0, 2.0], requires_grad=True),
        torch.tensor([-1.0, 2.0], dtype=torch.bfloat16),
        pd.Series([-1, 2], dtype="Int64"),
        np.array([-1.0, 2.0], dtype=">f4"),
    ):
        np.testing.assert_array_equal(relu.reference(x), [0.0, 2.0])


def test_a_layers_weights_may_be_tensors() -> None:
    x, key = np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]])
    attention = catalog.get("sdpa")
    np.testing.assert_array_equal(
        attention.reference(x, key=torch.tensor(key, requires_grad=True)),
        attention.reference(x, key=key),
    )


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(UnknownActivationError, match=r"'leeky_relu'.*leaky_relu"):
        catalog.get("leeky_relu")
    with pytest.raises(UnknownActivationError, match="no name is near"):
        catalog.get("zzzzzzzzzz")
    with pytest.raises(KeyError):
        catalog.get("")


def test_names_are_forgiving() -> None:
    assert catalog.get("Leaky-ReLU") is catalog.get("leaky relu") is catalog.get("leaky_relu")
    assert catalog.get("swish") is catalog.get("SiLU")
    assert catalog.get("hardswish").name == "hard_silu"


@pytest.mark.parametrize("words", [("pytorch",), ("keras", "today"), (None,), (["torch"],)])
def test_places_elsewhere_are_none(words) -> None:
    with pytest.raises(ValueError, match=r"expected ('torch' or 'keras'|'now' or 'then')\."):
        catalog.get("relu").where(*words)


def test_two_records_cannot_share_a_name() -> None:
    relu = catalog.get("relu")
    with pytest.raises(ValueError, match="two records are called 'relu'"):
        Catalog([relu, replace(relu, name="other", aliases=("relu",))])


@each
def test_complex_text_and_object_input_is_refused(record) -> None:
    for bad in (np.array([1 + 2j]), np.array(["1"]), np.array([None])):
        for ask in (record.reference, record.derivative):
            with pytest.raises(
                TypeError, match=f"{record.name}: expected real numbers.*{bad.dtype}"
            ):
                ask(bad)


# --- the edges of the elementwise functions -----------------------------------------------------


@each_elementwise
def test_scalars_lists_integers_and_shapes(record) -> None:
    assert record.reference(0.5).shape == ()
    assert record.reference([[1, 2, 3], [4, 5, 6]]).shape == (2, 3)
    assert record.derivative(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert record.reference(np.arange(3, dtype=np.int8)).dtype == np.float64
    assert record.derivative(np.ones(2, dtype=np.float32)).dtype == np.float64


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_no_warning_and_nan_only_from_nan(record, params) -> None:
    largest = np.finfo(float).max
    x = np.array([-np.inf, -largest, -1e200, -800, -1, -5e-324, -0.0, 0.0, 5e-324, 1, 800, 1e200,
                  largest, np.inf])  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, slope = record.reference(x, **params), record.derivative(x, **params)
        assert not np.isnan(value).any()
        assert not np.isnan(slope).any()
        assert np.isnan(record.reference([np.nan, 1.0], **params)).tolist() == [True, False]
        assert np.isnan(record.derivative([np.nan, 1.0], **params)).tolist() == [True, False]
    assert (x == np.sort(x)).all()  # the input was left alone


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_infinities_give_the_limits(record, params) -> None:
    said = record.properties_at(**params)
    assert tuple(record.reference([-np.inf, np.inf], **params)) == said.limits
    far = record.derivative([-1e30, 1e30], **params)
    ends = record.derivative([-np.inf, np.inf], **params)
    for slope, end, saturates in zip(far, ends, said.saturation, strict=True):
        assert end == (0 if saturates else slope)


# f(-0.0) is -0.0 where f passes a sign through; 0.0 where it sets things to zero.
PLUS_ZERO_AT_MINUS_ZERO = {
    "relu", "relu6", "threshold", "thresholded_relu", "hard_shrink", "soft_shrink",
}  # fmt: skip


@each_elementwise
def test_signed_zeros(record) -> None:
    plus, minus = record.reference([0.0, -0.0])
    if plus != 0:
        assert plus == minus
        return
    assert not np.signbit(plus)
    assert np.signbit(minus) == (record.name not in PLUS_ZERO_AT_MINUS_ZERO)


KINK_SLOPES = {  # derivative at each kink in order, as the kink_note has it
    "binary_step": [0],
    "relu": [0],
    "relu6": [0, 0],
    "threshold": [0],
    "thresholded_relu": [0],
    "leaky_relu": [0.01],
    "prelu": [0.25],
    "rrelu": [(1 / 8 + 1 / 3) / 2],
    "elu": [1],
    "celu": [1],
    "selu": [1.0507009873554805 * 1.6732632423543772],
    "hard_sigmoid": [0, 0],
    "sparse_sigmoid": [0, 0],
    "hard_tanh": [0, 0],
    "softsign": [1],
    "hard_silu": [0, 1.5],
    "sparse_plus": [0, 1],
    "soft_shrink": [0, 0],
    "hard_shrink": [0, 0],
}


@each_elementwise
def test_the_derivative_at_a_kink_is_the_stated_one(record) -> None:
    kinks = record.properties.kinks
    assert bool(kinks) == (record.name in KINK_SLOPES)
    if kinks:
        np.testing.assert_allclose(record.derivative(kinks), KINK_SLOPES[record.name], rtol=1e-15)
        assert record.kink_note or record.properties.smoothness >= 1


def test_kinks_that_only_a_parameter_makes() -> None:
    elu, softplus = catalog.get("elu"), catalog.get("softplus")
    assert elu.derivative(0.0, alpha=2.0) == 2.0
    assert elu.kink_note
    assert softplus.derivative(20.0, threshold=20.0) == softplus.derivative(20.0) < 1.0
    assert softplus.derivative(np.nextafter(20.0, 30), threshold=20.0) == 1.0
    assert softplus.kink_note


def test_intervals_read_well() -> None:
    assert str(catalog.get("relu").properties.range) == "[0, ∞)"
    assert str(catalog.get("log_softmax").properties.range) == "(−∞, 0)"
    assert str(catalog.get("relu6").properties.range) == "[0, 6]"
    assert str(catalog.get("gelu").properties.range) == "[−0.17, ∞)"
