"""The benchmark measures what it says: same work, honest counts, a report that can be read."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from benchmarks import ensemble as bench


@pytest.fixture(scope="module")
def work():
    return bench.work_on("digits", (32, 32), 25, 400, "cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def accuracy(work, network):
    with torch.no_grad():
        return (network(work.x).argmax(1) == work.y).float().mean().item()


def last_of(stacked):
    """The last of the stacked networks, as a function."""
    weights = [w[-1] for w in stacked]

    def forward(x):
        for i in range(0, len(weights) - 2, 2):
            x = torch.relu(x @ weights[i].T + weights[i + 1])
        return x @ weights[-2].T + weights[-1]

    return forward


def test_every_contender_really_trains(work):
    """Twenty-five epochs bring each of them to the same place, so none skips a part of the work."""
    weights = bench.tight_loop(work, 1)

    def tight(x):
        for i in range(0, len(weights) - 2, 2):
            x = torch.relu(torch.addmm(weights[i + 1], x, weights[i].T))
        return torch.addmm(weights[-1], x, weights[-2].T)

    reached = {
        "dataloader": accuracy(work, bench.dataloader(work, 1)),
        "tight_loop": accuracy(work, tight),
        "torch_vmap": accuracy(work, last_of(bench.torch_vmap(work, 2))),
        "ensemble": bench.train_ensemble(work, 2),
    }
    loss = reached.pop("ensemble").train_loss[:, -1].max()
    assert min(reached.values()) > 0.95, reached
    assert loss < 0.25


def test_flops_are_those_of_the_matrix_products(work):
    """Counted by PyTorch itself, in the plain network."""
    from torch.utils.flop_counter import FlopCounterMode

    one = bench.Work(work.x, work.y, work.hidden, 1)
    with FlopCounterMode(display=False) as counter:
        bench.dataloader(one, 1)
    assert counter.get_total_flops() == one.flops


def test_the_quick_run(monkeypatch, tmp_path):
    """Without JAX, whose compiling alone would take longer than all the rest."""
    pytest.importorskip("keras")
    monkeypatch.setattr(bench, "JAX_PYTHON", tmp_path / "none")
    result = bench.measure(quick=True, device="cpu")
    assert json.loads(json.dumps(result)) == result
    for work in ("digits, width 64", "digits, width 32"):
        measured = result[work]
        assert {"dataloader", "tight_loop", *bench.KERAS} == set(measured["seconds_per_network"])
        assert set(measured["peers"]["8"]) == {"torch_vmap"}
        assert measured["jax"] is None
        for row in measured["ensemble"].values():
            assert 0 < row["share_of_matmul_peak"] < 1.05
            assert row["seconds_per_network"] > 0
    profile = result["profile"]
    assert 0 < profile["products"] < 1
    assert 0 < profile["products_of_peak"] < 1.1
    assert 0 < profile["one_core"] < 1.1
    assert 0 < profile["calling"] < 1.1


@pytest.mark.skipif(not bench.JAX_PYTHON.exists(), reason="needs the benchmark's own environment")
def test_jax_trains_the_same_networks(work):
    with bench.Jax(bench.Work(work.x, work.y, (16,), 25), [5]) as jax:
        assert jax.about["accuracy"] > 0.95
        first, second = jax.seconds(), jax.seconds()
    assert set(first) == {"jax_vmap, N=5", "jax_map of 4, N=5"}
    assert set(second) == set(first)


def measured(**factors):
    """A run in which every contender is beaten by so much, and JAX or the peak by so much."""
    share = factors.pop("peak", 0.6)
    names = ["dataloader", "tight_loop", *bench.KERAS]
    row = {"times_faster": {**dict.fromkeys(names, 50), **factors}, "share_of_matmul_peak": share}
    return {f"digits, width {w}": {"ensemble": {"128": row, "8": row}} for w in (64, 32)}


def reached(runs):
    rows = bench.targets(runs)
    return {(r["width"], r["networks"], r["against"]): r["reached"] for r in rows}


def test_targets_can_be_missed():
    assert all(reached([measured(jax=2)]).values())
    missed = reached([measured(jax=1.9, peak=0.59, dataloader=6.9)])
    assert {key for key, there in missed.items() if not there} == {
        (64, 128, "dataloader"),
        (64, 128, "jax"),
        (64, 128, "peak"),
        (32, 128, "dataloader"),
        (32, 128, "jax"),
    }


def test_the_median_of_the_runs_decides():
    """One good run of three is luck; what was measured in none is not reached."""
    runs = [measured(jax=2.5), measured(jax=1.9), measured(jax=1.8)]
    row = next(r for r in bench.targets(runs) if r["against"] == "jax")
    assert (row["measured"], row["range"], row["reached"]) == (1.9, [1.8, 2.5], False)
    row = next(r for r in bench.targets([measured()]) if r["against"] == "jax")
    assert (row["measured"], row["range"], row["reached"]) == (None, None, False)


def test_the_committed_results_tell_no_secrets():
    for path in bench.RESULTS.glob("*.json"):
        text = path.read_text()
        assert not any(f"/{folder}/" in text for folder in ("home", "root", "tmp", "work", "usr"))
        result = json.loads(text)
        assert result["quick"] is False
        for run in result["runs"]:
            assert np.isfinite(run["digits, width 64"]["matmul_peak_gflops"])
        assert bench.targets(result["runs"]) == result["targets"]
