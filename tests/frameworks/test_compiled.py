"""What compilers change: the record is true, and a change that is not in it is found."""

from __future__ import annotations

import json
import shutil

import pytest

from actlab.frameworks import compiled, differences
from actlab.frameworks.compiled import ROUTES, changes_in, load, measure, save, tried


@pytest.fixture(scope="module")
def recorded():
    return load()


# Those in which something is recorded and something is not; each takes seconds.
SAMPLE = {
    "tf.function": ["relu", "sparsemax"],
    "XLA": ["relu", "elu", "selu", "hard_silu"],
    "torch.compile": ["relu", "elu"],
}


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_recorded_is_so(recorded, route):
    if route == "torch.compile" and shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler")
    measured = {change.key for change in measure([route], SAMPLE[route])}
    expected = {c.key for c in recorded if c.route == route and c.record in SAMPLE[route]}
    assert expected <= measured
    assert not {key for key in measured if key[1] == "relu"}
    assert expected


def test_the_record_is_of_these_versions_and_of_every_compiler(recorded):
    stored = json.loads(compiled.PATH.read_text(encoding="utf-8"))
    assert stored["versions"] == differences.versions()
    assert {change.route for change in recorded} == set(ROUTES)
    assert all(len(tried(route)) > 30 for route in ROUTES)
    assert {change.record for change in recorded} <= {n for r in ROUTES for n in tried(r)}


def test_saving_and_loading_keeps_everything(recorded, tmp_path):
    save(recorded, tmp_path / "again.json")
    assert repr(load(tmp_path / "again.json")) == repr(recorded)


def test_a_compiler_that_errs_is_found_out(monkeypatch):
    from actlab import catalog

    monkeypatch.setattr(compiled, "compile_by", lambda route, f: lambda x: 1.02 * f(x))
    found = list(changes_in("XLA", catalog.get("relu")))
    assert {(c.before, c.after) for c in found if c.quantity == "value"} >= {("", "wrong")}

    def refuse(route, f):
        def fail(x):
            raise TypeError("no kernel")

        return fail

    monkeypatch.setattr(compiled, "compile_by", refuse)
    assert {c.after for c in changes_in("XLA", catalog.get("relu"))} == {"refused"}
    monkeypatch.setattr(compiled, "compile_by", lambda route, f: f)
    assert list(changes_in("XLA", catalog.get("relu"))) == []
