"""The committed results can be read, name their machine, and are as they were measured."""

import ast
import inspect
import json
import textwrap

import pytest

from actlab import machine, study
from actlab.study import store
from actlab.study.__main__ import declared

# A study may be declared before it was run (its rules are committed first); a chapter that reads
# one without a result fails by itself.
COMMITTED = sorted(path.stem for path in store.RESULTS.glob("*.parquet"))


@pytest.mark.parametrize("name", COMMITTED)
def test_every_result_is_of_a_known_study_and_names_its_machine(name):
    frame = study.load(name)
    assert len(frame)
    assert frame.attrs["command"] == f"python -m actlab.study {name}"
    text = machine.sentence(frame.attrs["machine"])
    assert "cores of" in text or "GPU" in text or "NVIDIA" in text
    assert "/" not in frame.attrs["machine"]["cpu"]


CHECKSUMS = json.loads((store.RESULTS / "checksums.json").read_text("utf-8"))


@pytest.mark.parametrize("name", COMMITTED)
def test_no_cell_was_changed_since_it_was_measured(name):
    """Results change by ``python -m actlab.study``, which writes the checksums as well."""
    assert store.checksums(study.load(name)) == CHECKSUMS.get(name)


def test_no_checksum_is_left_over():
    assert sorted(CHECKSUMS) == COMMITTED


@pytest.mark.parametrize("column", study.load("born_dead").columns)
def test_a_changed_cell_is_found_out(column):
    frame = study.load("born_dead")
    numbers = frame[column].dtype.kind in "iuf"
    changed = frame[column].iloc[7] + 0.05 if numbers else frame[column].iloc[7] + "!"
    frame[column] = [*frame[column].iloc[:7], changed, *frame[column].iloc[8:]]
    found = store.checksums(frame)
    differ = {name for name in found if found[name] != CHECKSUMS["born_dead"][name]}
    assert differ == {column}


def test_a_lost_a_doubled_and_a_reordered_row_are_found_out():
    frame = study.load("born_dead")
    for other in (frame.iloc[1:], frame.iloc[[0, *range(len(frame))]], frame.iloc[::-1]):
        assert store.checksums(other) != CHECKSUMS["born_dead"]


def test_the_way_of_storing_does_not_matter():
    frame = store.read(store.RESULTS / "gradients_at_start.parquet").head(1000)
    widths = {"float32": "float64", "int16": "int64", "str": "object"}
    wide = frame.astype({name: widths[str(kind)] for name, kind in frame.dtypes.items()})
    assert store.checksums(wide) == store.checksums(frame)


def test_what_is_stored_in_float32_is_reckoned_with_in_float64():
    """The logarithm of a float32 has other last digits on another processor."""
    stored = store.read(store.RESULTS / "selu_moments.parquet")
    loaded = study.load("selu_moments")
    assert "float32" in set(map(str, stored.dtypes))
    assert "float32" not in set(map(str, loaded.dtypes))
    assert loaded.attrs == stored.attrs
    assert store.checksums(loaded) == store.checksums(stored)


def test_there_are_results():
    assert {"born_dead", "relu_training", "activation_cost"} <= set(COMMITTED)
    assert set(COMMITTED) <= set(declared())


def test_a_result_that_is_not_there_names_the_nearest():
    with pytest.raises(FileNotFoundError, match="born_dead"):
        study.load("born_deed")


@pytest.mark.parametrize(
    "task", dict.fromkeys(one.task for one in declared().values()), ids=lambda f: f.__name__
)
def test_no_setting_of_a_study_is_swallowed(task):
    """A result obtained with other settings is another result: the task has to look at them."""
    assert swallowed(task) == []


def swallowed(task):
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(task))).body
    rest = [function.args.kwarg] if function.args.kwarg else []
    names = [one.arg for one in (*function.args.args, *function.args.kwonlyargs, *rest)]
    body = ast.Module(function.body, [])
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    return [name for name in names if name not in used]


def test_a_setting_that_is_swallowed_is_seen():
    def task(data, **settings):
        return data

    assert swallowed(task) == ["settings"]
