"""A study is done once, cell by cell: killed, resumed, on a cluster, it gives the same table."""

import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actlab.study import Study, StudyError, load, run, store
from actlab.study.__main__ import main

HERE = Path(__file__).parent


def toss(data, seed, n, log=None, die_once=None, pause=0.0):
    """A cell's rows: random numbers that depend on the cell alone."""
    if log:
        with open(log, "a") as file:
            file.write(f"{data} {seed}\n")
    if die_once and not Path(die_once).exists():
        Path(die_once).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(pause)
    rng = np.random.default_rng([seed, len(data)])
    return pd.DataFrame({"value": rng.random(n)})


def broken(data, seed, n):
    if data == "mnist1d":
        raise RuntimeError("the lights went out")
    return toss(data, seed, n)


def make(task=toss, **settings):
    return Study(
        name="tosses",
        title="Random numbers",
        task=task,
        axes={"data": ("digits", "mnist1d"), "seed": (0, 1, 2)},
        settings={"n": 3, **settings},
    )


@pytest.fixture(autouse=True)
def results(monkeypatch, tmp_path):
    folder = tmp_path / "results"
    monkeypatch.setattr(store, "RESULTS", folder)
    return folder


def quietly(study, *args, **kwargs):
    return run(study, *args, say=lambda text: None, **kwargs)


def test_the_table_has_the_cells_in_front_and_in_order(results):
    table = quietly(make())
    assert list(table.columns) == ["data", "seed", "value"]
    assert list(zip(table.data, table.seed, strict=True))[::3] == [
        (d, s) for d in ("digits", "mnist1d") for s in (0, 1, 2)
    ]
    again = load("tosses")
    pd.testing.assert_frame_equal(again, table)
    assert again.attrs["grid"] == make().digest
    assert again.attrs["words"] == "data (2) × seed (3): 6 cells"
    assert again.attrs["machine"]["cores"] >= 1
    assert sorted(path.name for path in results.iterdir()) == ["checksums.json", "tosses.parquet"]
    assert json.loads((results / "checksums.json").read_text()) == {
        "tosses": store.checksums(table)
    }


def test_a_limit_stops_and_a_later_run_goes_on_without_repeating(tmp_path):
    log = tmp_path / "log"
    study = make(log=str(log), pause=0.05)
    assert quietly(study, limit=0.06) is None
    before = log.read_text().splitlines()
    assert 0 < len(before) < 6
    quietly(study)
    done = log.read_text().splitlines()
    assert len(done) == len(set(done)) == 6


def test_a_failed_cell_is_named_the_others_are_kept_and_the_old_table_too():
    whole = quietly(make())
    other = dataclasses.replace(make(), task=broken)
    with pytest.raises(StudyError, match=r"3 of 6 cells .* failed: data mnist1d, seed 0 \(Runtime"):
        quietly(other, again=True)
    pd.testing.assert_frame_equal(load("tosses"), whole)
    assert len(list(store.parts_folder(other).glob("*.parquet"))) == 3
    pd.testing.assert_frame_equal(quietly(make(), again=True), whole)  # only what was missing


def test_a_finished_study_and_another_grid_are_not_overwritten():
    quietly(make())
    with pytest.raises(StudyError, match="is finished"):
        quietly(make())
    longer = make(n=4)
    with pytest.raises(StudyError, match="of another grid"):
        quietly(longer)
    with pytest.raises(StudyError, match="of another grid"):
        store.check_grid(longer)
    store.check_grid(make())
    assert len(quietly(longer, again=True)) == 24


CHILD = """
import sys
from actlab.study import run, store
from pathlib import Path
from tests.study.test_study import make
store.RESULTS = Path(sys.argv[1])
run(make(log=sys.argv[2], pause=0.4))
"""


def start(results, log):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(results), str(log)],
        cwd=HERE.parents[1],
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition, seconds=60):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.05)


def test_a_killed_run_loses_the_cell_it_was_in_and_no_other(results, tmp_path):
    log = tmp_path / "log"
    study = make(log=str(log), pause=0.4)
    child = start(results, log)
    wait_for(lambda: len(list(store.parts_folder(study).glob("*.parquet"))) >= 2)
    with pytest.raises(StudyError, match="being run by another process"):
        quietly(study)  # two runs of one study do not collide
    child.kill()
    child.wait()
    kept = len(list(store.parts_folder(study).glob("*.parquet")))
    assert 2 <= kept < 6
    table = quietly(study)
    done = log.read_text().splitlines()
    assert len(set(done)) == 6
    assert len(done) <= 7  # at most the cell that was cut off was begun twice
    store.RESULTS = results / "other"
    pd.testing.assert_frame_equal(quietly(make(log=str(log))), table)


def test_half_a_file_is_never_seen(results, monkeypatch):
    import pyarrow.parquet as pq

    quietly(make())
    whole = load("tosses")

    def cut(table, path, **_):
        Path(path).write_bytes(b"half a")
        raise OSError("no space left on device")

    monkeypatch.setattr(pq, "write_table", cut)
    with pytest.raises(OSError, match="no space"):
        quietly(make(n=4), again=True)
    pd.testing.assert_frame_equal(load("tosses"), whole)


def test_a_cluster_gives_the_same_table_though_a_worker_is_killed(tmp_path):
    distributed = pytest.importorskip("distributed")
    whole = quietly(make())
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with cluster:
        flag = tmp_path / "died"
        study = make(die_once=str(flag), pause=0.02)
        table = quietly(study, cluster.scheduler_address, again=True)
    assert flag.exists()  # a worker did die
    pd.testing.assert_frame_equal(table, whole)


def test_no_scheduler_no_hang(monkeypatch):
    monkeypatch.setattr(importlib.import_module("actlab.study.run"), "PATIENCE", "1s")
    with pytest.raises(StudyError, match="no Dask scheduler answers at 'tcp://127"):
        quietly(make(), "tcp://127.0.0.1:9")


def test_timings_refuse_a_cluster_and_a_busy_machine(monkeypatch):
    timing = dataclasses.replace(make(), quiet=True)
    with pytest.raises(StudyError, match="without --scheduler"):
        quietly(timing, "tcp://127.0.0.1:9")
    monkeypatch.setattr(os, "getloadavg", lambda: (8.0, 8.0, 8.0))
    with pytest.raises(StudyError, match="is busy"):
        quietly(timing)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert len(quietly(timing)) == 18


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "No Good"}, "lower-case"),
        ({"axes": {}}, "no cell"),
        ({"axes": {"data": ()}}, "is empty"),
        ({"axes": {"data": ("a", "a")}}, "twice"),
        ({"axes": {"data": (("a",),)}}, "expected numbers"),
        ({"axes": {"n": (1,)}}, "axis and setting"),
        ({"only": lambda cell: False}, "no cell"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused_when_it_is_declared(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(make(), **change)


def test_the_command_lists_and_names_the_nearest(capsys, monkeypatch):
    assert main([]) == 0
    assert "relu_training" in capsys.readouterr().out
    assert main(["relu_trainig"]) == 2
    assert "relu_training" in capsys.readouterr().out
