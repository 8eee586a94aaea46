"""What people bring: every kind of array and number, and what is told where it is none."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import tensorflow as tf
import torch

from actlab import inputs

X = np.random.default_rng(0).normal(size=(6, 3))
FRAME = pd.DataFrame(X)


def memmap(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


class Wrapped:
    """As polars, JAX and others hand over their numbers."""

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype=dtype)


SAME = {
    "array": X,
    "list": X.tolist(),
    "other byte order": X.astype(">f8"),
    "reversed": X[::-1][::-1],
    "in columns": np.asfortranarray(X),
    "every second": np.repeat(X, 2, axis=0)[::2],
    "read-only": np.broadcast_to(X, X.shape),
    "matrix": np.asmatrix(X),
    "objects": X.astype(object),
    "masked, nothing missing": np.ma.array(X),
    "sparse": scipy.sparse.csr_matrix(X),
    "frame": FRAME,
    "nullable frame": FRAME.convert_dtypes(),
    "arrow frame": FRAME.astype("float64[pyarrow]"),
    "series in a list": [FRAME.loc[i].convert_dtypes() for i in range(6)],
    "torch with gradient": torch.tensor(X, requires_grad=True),
    "torch parameter": torch.nn.Parameter(torch.tensor(X)),
    "torch transposed": torch.tensor(X.T.copy()).T,
    "torch sparse": torch.tensor(X).to_sparse(),
    "tensors in a list": [torch.tensor(row, requires_grad=True) for row in X],
    "tensorflow": tf.constant(X),
    "tensorflow variable": tf.Variable(X),
    "keras variable": keras.Variable(X, dtype="float64"),
    "__array__": Wrapped(),
}


@pytest.mark.parametrize("given", SAME)
def test_the_same_numbers_whatever_they_come_in(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = inputs.array(SAME[given], "x")
    assert type(found) is np.ndarray
    assert found.flags.c_contiguous
    assert found.dtype == np.float64
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, X)


def test_a_file_is_not_read_into_memory_twice(tmp_path):
    file = memmap(tmp_path)
    assert np.shares_memory(inputs.array(file, "x"), file)
    assert np.shares_memory(inputs.array(X, "x"), X)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pd.Series([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.Series([True, None], dtype="boolean"), [1, np.nan]),
        (pd.Series([1, None], dtype="int64[pyarrow]"), [1, np.nan]),
        (pd.array([1, None]), [1, np.nan]),
        (
            pd.DataFrame({"a": [1, None], "b": [True, False]}).convert_dtypes(),
            [[1, 1], [np.nan, 0]],
        ),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), [1, np.nan, 3]),
        (np.ma.masked_invalid([1.0, np.inf]), [1, np.nan]),
    ],
    ids=repr,
)
def test_missing_is_nan(given, expected):
    np.testing.assert_array_equal(inputs.array(given, "x"), expected)


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (torch.ones(2, dtype=torch.bfloat16), "float32"),
        (torch.ones(2).to(torch.float8_e4m3fn), "float32"),
        (tf.ones(2, tf.bfloat16), "float32"),
        (torch.ones(2, dtype=torch.float16), "float16"),
        (torch.ones(2, dtype=torch.bool), "bool"),
        (np.ones(2, np.uint8), "uint8"),
        (pd.Series([1, 1], dtype="category"), "int64"),
        (pd.DataFrame({"a": [1, 1], "b": [True, True]}), "int64"),
        ([True, True], "bool"),
        ([10**30, 1], "float64"),
        (range(2), "int64"),
        (3, "int64"),
    ],
    ids=repr,
)
def test_dtypes(given, dtype):
    assert inputs.array(given, "x").dtype == dtype


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["1", "2"], "got dtype <U1: turn text into numbers first"),
        (b"12", "turn text into numbers first"),
        ([1.0, None], r"dtype object, with None \(NoneType\) inside"),
        (pd.DataFrame({"a": [1], "b": ["red"]}), r"with 'red' \(str\) inside"),
        (pd.Series(["a"], dtype="category"), r"with 'a' \(str\) inside"),
        ([Decimal(1)], "Decimal"),
        ([[1, 2], [3]], "a list that can not be read as an array"),
        ([torch.ones(2), torch.ones(3)], "a list that can not be read as an array"),
        (X + 1j, "got dtype complex128"),
        (torch.ones(2, dtype=torch.cfloat), "got dtype complex64"),
        (pd.date_range("2020", periods=2), "got dtype datetime64"),
        (np.zeros(2, [("a", int)]), "got dtype"),
        (None, r"in an array or a list, got None \(NoneType\)"),
        ({"a": 1}, r"got \{'a': 1\} \(dict\)"),
        ((i for i in [1]), r"\(generator\)"),
        (torch.ones(2, device="meta"), "a Tensor that can not be read as an array"),
        (keras.Input((3,)), "a KerasTensor that can not be read as an array"),
        (tf.ragged.constant([[1], [1, 2]]), "got dtype object"),
        ([10**400], "an integer inside is too large"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_numbers(bad, message):
    with pytest.raises(TypeError, match=f"^the data: .*{message}"):
        inputs.array(bad, "the data")


def test_complex_where_it_is_asked_for():
    assert inputs.array(X + 1j, "x", "biufc").dtype == complex


# --- Labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        [0, 2, 1],
        np.array([0, 2, 1], np.uint8),
        np.array([0.0, 2.0, 1.0], ">f4"),
        np.array([[0], [2], [1]]),
        pd.Series([0, 2, 1], dtype="Int64"),
        torch.tensor([0, 2, 1]),
        tf.constant([[0.0], [2.0], [1.0]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels(given):
    found = inputs.labels(given, "y")
    assert (found.dtype, found.shape, found.tolist()) == (np.int64, (3,), [0, 2, 1])


def test_booleans_are_two_classes():
    assert inputs.labels(X[:, 0] > 0, "y").tolist() == (X[:, 0] > 0).astype(int).tolist()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0, 0.5], "y holds 0.5 .row 1.: expected class numbers"),
        ([0.0, np.nan], "y holds nan .row 1."),
        (pd.Series([0, None], dtype="Int64"), "y holds nan .row 1."),
        ([-1, 1], r"from -1 to 1: .*np\.unique\(y, return_inverse=True\)"),
        (np.array([0, 2**63], np.uint64), "y holds the label 9223372036854775808"),
        (np.eye(3), r"one-hot rows become that by y\.argmax\(1\)"),
        (np.eye(3, dtype=bool), "argmax"),
        (
            [[0, 1], [1, 1]],
            r"shape \(2, 2\): expected \(n,\), one class number a row; not one row each",
        ),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (3, r"shape \(\)"),
    ],
    ids=repr,
)
def test_labels_that_are_none(bad, message):
    with pytest.raises(ValueError, match=message):
        inputs.labels(bad, "y")


def test_names_are_no_labels():
    with pytest.raises(TypeError, match=r"y: expected real numbers.*text"):
        inputs.labels(["cat", "dog"], "y")


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.array(3), 3),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        (torch.tensor(3), 3),
        (tf.constant(3), 3),
        (tf.constant(0.5, tf.bfloat16), 0.5),
        (Fraction(1, 2), 0.5),
        (True, True),
        (3, 3),
    ],
    ids=repr,
)
def test_numbers_become_pythons(given, expected):
    found = inputs.number(given)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("other", [None, "3", [3], np.array([3]), torch.ones(1), 1j, Decimal(3)])
def test_anything_else_stays_as_it_is(other):
    assert inputs.number(other) is other


@pytest.mark.parametrize("bad", [True, 2.0, "2", None, [2], np.float64(2), np.nan, -1, 11, 2j])
def test_integers_that_are_none(bad):
    with pytest.raises(ValueError, match=r"^n=.*: expected an integer from 0 to 10\.$"):
        inputs.integer(bad, "n", 0, 10)


def test_what_an_integer_may_be_is_said():
    assert inputs.integer(np.int16(0), "n", 0) == 0
    with pytest.raises(ValueError, match=r"n=-1: expected zero or a positive integer\."):
        inputs.integer(-1, "n", 0)
    with pytest.raises(ValueError, match=r"n=0: expected a positive integer\."):
        inputs.integer(0, "n", 1)
    with pytest.raises(ValueError, match=r"n=1: expected an integer of at least 2\."):
        inputs.integer(1, "n", 2)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, True, "1", None, 10**400])
def test_real_is_finite_and_no_bool(value):
    assert not inputs.is_real(inputs.number(value))


@pytest.mark.parametrize("bad", ["mean", None, 3, ["t"], X, FRAME, pd.NA])
def test_words_that_are_none(bad):
    with pytest.raises(ValueError, match=r"^method=(.|\n)*: expected 'a', 'b' or 'c'\.$"):
        inputs.choice(bad, "method", ("a", "b", "c"))
    assert inputs.choice(np.str_("b"), "method", ("a", "b")) == "b"


@pytest.mark.parametrize("bad", [3, None, "34", b"34", torch.tensor(3), np.array(3), pd.NA])
def test_one_is_not_several(bad):
    with pytest.raises(TypeError, match=r"^sizes=.*: expected a list, such as \[3\]\.$"):
        inputs.several(bad, "sizes", "[3]")


@pytest.mark.parametrize(
    "given",
    [
        *([1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2]), range(1, 3), iter([1, 2])),
        *(pd.Series([1, 2]), {1: "a", 2: "b"}.keys()),
    ],
)
def test_several(given):
    found = inputs.several(given, "sizes", "[3]")
    assert found == [1, 2]
    assert all(type(value) is int for value in found)
