"""What other versions change is told activation by activation; with ours, nothing is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import torch
import yaml

from actlab import catalog
from actlab.frameworks import differences, parity
from actlab.frameworks.differences import Change, Difference, Witness

from . import changes

ROOT = Path(__file__).parents[2]
WEEKLY = ROOT / ".github" / "workflows" / "weekly.yml"
V1, V2 = {"torch": "1"}, {"torch": "2"}


def told(rows):
    return [dataclasses.astuple(row) for row in rows]


# --- names and defaults ---------------------------------------------------------------------------


def test_with_the_versions_of_the_course_no_name_and_no_default_changed():
    assert told([*changes.names(), *changes.defaults()]) == []


def test_a_name_that_vanished_and_one_that_is_new_are_told(monkeypatch):
    monkeypatch.delattr(keras.activations, "sparse_plus")
    monkeypatch.setattr(torch.nn, "FancyReLU", torch.nn.ReLU, raising=False)
    assert told(changes.names()) == [
        ("sparse_plus", "name gone", "`keras.activations.sparse_plus`", "there", "–"),
        (changes.UNKNOWN, "new name", "`torch.nn.FancyReLU`", "–", "there"),
    ]
    assert told(changes.defaults()) == []  # of what is gone nothing more is said


def test_another_default_and_arguments_that_came_went_or_moved_are_told(monkeypatch):
    def leaky_relu(input, negative_slope=0.02, inplace=False, steep=None):
        """Another slope, and one argument more."""

    def elu(input, inplace=False, alpha=1.0):
        """The other way round."""

    def celu(input, alpha=1.0):
        """One argument less."""

    for function in (leaky_relu, elu, celu):
        monkeypatch.setattr(torch.nn.functional, function.__name__, function)
    path = "torch.nn.functional"
    assert told(changes.defaults()) == [
        ("leaky_relu", "default", f"`{path}.leaky_relu(negative_slope)`", "`0.01`", "`0.02`"),
        ("leaky_relu", "new argument", f"`{path}.leaky_relu(steep)`", "–", "`None`"),
        ("elu", "order of arguments", f"`{path}.elu`", "alpha, inplace", "inplace, alpha"),
        ("celu", "argument gone", f"`{path}.celu(inplace)`", "`False`", "–"),
    ]


# --- values ---------------------------------------------------------------------------------------

SIGMOID = catalog.get("sigmoid")


@pytest.fixture(scope="module")
def recorded():
    return differences.load()


def test_with_the_versions_of_the_course_no_value_changed(recorded):
    """Of one activation; tests/frameworks/test_parity.py looks at all of them."""
    assert told(changes.values(recorded, [SIGMOID])) == []


def test_other_values_are_told_with_a_line_that_shows_them(recorded, monkeypatch):
    real = torch.nn.functional.sigmoid
    monkeypatch.setattr(torch.nn.functional, "sigmoid", lambda x: real(x) * 1.001)
    rows = list(changes.values(recorded, [SIGMOID]))
    assert {row.activation for row in rows} == {"sigmoid"}
    row = next(r for r in rows if r.what.startswith("value: fewer") and "float32" in r.what)
    assert row.where.startswith("`torch.nn.functional.sigmoid(torch.tensor([")
    exact, _, said = row.before.partition(" is ")
    assert said == "exact"
    assert float(row.now) == pytest.approx(1.001 * float(exact), rel=1e-4)


def difference(result, **other):
    """That torch's tanh returns ``result`` at a half."""
    shown = Witness(
        0.5, float(np.tanh(0.5)), (result, float(np.tanh(0.5))), "keras.activations.tanh"
    )
    said = ("tanh", {}, "value", "wrong", "float32", "+", ("torch.nn.Tanh",), (0.25, 0.5), 3, 1e9)
    return dataclasses.replace(Difference(*said, shown), **other)


def test_a_difference_that_is_gone_is_told_with_what_it_was_and_what_is_now():
    [row] = changes.rows([Change("torch.nn.Tanh", difference(0.7), None)])
    assert (row.activation, row.before, row.now) == ("tanh", "0.7", "0.462117")
    assert "torch.nn.Tanh()" in row.where
    assert row.what == "value: an ordinary number, but off by more than 1 % (float32)"


def test_results_are_written_with_the_digits_that_tell_them_apart():
    was = float(np.tanh(np.float32(0.5))) + 1e-8
    [row] = changes.rows([Change("torch.nn.Tanh", difference(was), None)])
    assert row.before == f"{was:.9g}"
    assert row.now != row.before
    assert row.now[:8] == row.before[:8] == "0.462117"


def test_one_change_in_two_formats_is_one_row_and_a_moved_one_has_both_extents():
    half = difference(0.7, dtype="float16")
    rows = changes.rows([Change("torch.nn.Tanh", one, None) for one in (difference(0.7), half)])
    assert [row.what.rpartition(" (")[2] for row in rows] == ["float32, float16)"]
    now = float(torch.tanh(torch.tensor(0.5)))
    moved = difference(now, span=(0.5, 0.5), inputs=1, witness=None)
    [row] = changes.rows([Change("torch.nn.Tanh", difference(now), moved)])
    assert (row.before, row.now) == ("3 inputs from 0.25 to 0.5", "1 input: 0.5")
    [row] = changes.rows([Change("torch.nn.Tanh", difference(now), difference(now, error=5e9))])
    ends = " times the unavoidable error"
    assert (row.before, row.now) == (f"1e+09{ends}", f"5e+09{ends}")


def test_a_use_that_gives_something_else_is_told_by_the_call_that_changed(recorded, monkeypatch):
    at, use = next((n, one) for n, one in enumerate(recorded) if not one.places)
    first, *others = use.witness.results
    other = dataclasses.replace(
        use, witness=dataclasses.replace(use.witness, results=("ValueError", *others))
    )
    monkeypatch.setattr(parity, "differences_by_use", lambda: (d for d in recorded if not d.places))
    assert list(changes.uses(recorded)) == []
    [row] = changes.uses([*recorded[:at], other, *recorded[at + 1 :]])
    assert (row.activation, row.where) == (use.record, f"`{use.calls[0]}`"), row
    assert row.before == "ValueError"
    assert row.now == "".join(changes.written(first))


def test_what_cannot_be_measured_is_said_and_the_others_are_measured(recorded, monkeypatch):
    def measure(records, **_):
        raise TypeError("swish() takes no alpha\nand more")

    monkeypatch.setattr(parity, "measure", measure)
    [row] = changes.values(recorded, [SIGMOID])
    assert row.now == "not measured: TypeError: swish() takes no alpha"


# --- the page -------------------------------------------------------------------------------------


def test_the_page_has_a_table_for_each_activation_that_changed_and_counts_the_others():
    rows = [
        changes.Row("elu", "default", "`a|b`", "`1`", "`2`"),
        changes.Row("relu", "name gone", "`c`", "there", "–"),
        changes.Row(changes.UNKNOWN, "new name", "`d`", "–", "there"),
    ]
    text = changes.page(rows, V1, V2)
    assert "torch 2, beside what is recorded of torch 1." in text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## In no record yet", "## ReLU", "## ELU"]
    assert r"| default | `a\|b` | `1` | `2` |" in text
    count = len(catalog.names())
    assert f"{count - 2} of {count} activations are as they are recorded." in text
    assert f"{count} of {count} activations" in changes.page([], V1, V1)


def test_on_github_it_becomes_the_summary_of_the_job(tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setattr(changes, "values", lambda *_: [changes.Row("elu", "?", "", "1", "2")])
    monkeypatch.setattr(changes, "uses", lambda *_: [])
    assert changes.main([]) == 0  # news are no failure
    assert "## ELU" in capsys.readouterr().out
    assert summary.read_text("utf-8").startswith("# What changed for each activation")


def test_an_environment_that_is_none_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        changes.main(["oldest"])
    assert "no environment 'oldest': there are lowest, colab, newest" in capsys.readouterr().err


def opening_problems(text):
    """What keeps the weekly run from opening with the page, for the lowest and newest versions."""
    workflow = yaml.safe_load(text)
    triggers = workflow[True]  # YAML takes `on` for a truth
    job = workflow["jobs"]["surfaces"]
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("make")]
    said = []
    if not any(one["cron"].split()[4].isdigit() for one in triggers.get("schedule", ())):
        said.append("is not run every week")
    if not {"lowest", "newest"} <= {*job["strategy"]["matrix"]["environment"]}:
        said.append("not the lowest and the newest versions")
    if commands[:1] != ["make changes NAMES=${{ matrix.environment }}"]:
        said.append("does not begin with what changed")
    if commands[1:] != ["make surfaces NAMES=${{ matrix.environment }}"]:
        said.append("does not run the chapters")
    return said


def test_the_weekly_run_opens_with_what_changed():
    assert opening_problems(WEEKLY.read_text("utf-8")) == []


@pytest.mark.parametrize(("old", "new", "said"), [
    ('    - cron: "17 4 * * 1"', '    - cron: "17 4 1 * *"', "not run every week"),
    ("[lowest, colab, newest]", "[colab, newest]", "not the lowest"),
    ("      - run: make changes NAMES=${{ matrix.environment }}\n", "", "does not begin"),
    ("      - run: make surfaces NAMES=${{ matrix.environment }}\n", "", "does not run"),
])  # fmt: skip
def test_a_weekly_run_that_does_not_is_seen(old, new, said):
    text = WEEKLY.read_text("utf-8")
    assert old in text
    assert any(said in one for one in opening_problems(text.replace(old, new)))
