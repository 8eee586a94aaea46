"""Seeds, chunks, divergence, early stopping, probes, interruption, tuning, and bad input."""

from __future__ import annotations

import functools
import io
import signal
import sys
import threading
import time
import types

import numpy as np
import pandas as pd
import pytest
import torch

from actlab import catalog, data, ensemble
from actlab.ensemble import training, tuning
from actlab.ensemble.settings import Data
from tests.ensemble import reference

SMALL = {"hidden": (16, 16), "batch_size": 64, "epochs": 3, "lr": 0.05}


@functools.cache
def digits():
    """A third of digits, so that tests stay quick."""
    d = data.load("digits")
    part = (d.x_train[:350], d.y_train[:350], d.x_valid[:120], d.y_valid[:120])
    return (*part, d.x_test[:120], d.y_test[:120])


def values(result):
    """Everything measured, as one array; for bitwise comparison."""
    curves = np.hstack([result.train_loss, result.valid_loss, result.valid_accuracy])
    ends = np.stack([result.test_loss, result.test_accuracy], 1)
    with torch.no_grad():
        weights = [torch.cat([p.flatten() for p in n.parameters()]) for n in result.networks]
    return np.hstack([curves, ends, np.stack(weights)])


# --- The same seed, the same result ---------------------------------------------------------------

SPLITS = {
    "sgd": {},
    "adam, layer norm": {"optimizer": "adam", "lr": 0.001, "normalization": "layer"},
    "dropout, batch norm": {"dropout": 0.2, "normalization": "batch"},
    "softsign by autograd, clipped": {"activation": "softsign", "clip_norm": 1.0},
    "random slopes": {"activation": "rrelu", "residual": True},
}


@pytest.mark.parametrize("option", SPLITS)
def test_the_same_bits_however_it_is_split(option):
    """Chunks of 7, 3 and 1 and another number of threads; and once more the same."""
    settings = {**SMALL, **SPLITS[option]}
    threads = torch.get_num_threads()
    runs = [ensemble.train(digits(), seeds=7, chunk=c, **settings) for c in (7, 3, 1, 7)]
    try:
        torch.set_num_threads(3 - min(threads, 2))  # 2 where it was 1, else 1
        runs.append(ensemble.train(digits(), seeds=7, **settings))
    finally:
        torch.set_num_threads(threads)
    for other in runs[1:]:
        np.testing.assert_array_equal(values(runs[0]), values(other))


def test_a_chunk_of_one_may_differ_in_the_last_bit():
    """For odd shapes the matrix library picks its kernel by the number of networks."""
    x, y = digits()[0][:, :13], digits()[1]
    settings = {"hidden": (300,), "batch_size": 7, "epochs": 1, "lr": 0.05}
    one, four = (ensemble.train((x, y), seeds=4, chunk=c, **settings) for c in (1, 4))
    np.testing.assert_allclose(one.train_loss, four.train_loss, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_neighbours_do_not_matter(optimizer):
    """Neither their activations nor their learning rates."""
    tanh = {"activation": "tanh", "lr": 0.01}
    others = {"relu": {"activation": "relu", "lr": 0.02}, "gelu": {"activation": "gelu"}}
    settings = {**SMALL, "optimizer": optimizer, "seeds": [1, 4, 2]}
    alone = ensemble.train(digits(), arms={"tanh": tanh}, **settings)
    among = ensemble.train(digits(), arms={**others, "tanh": tanh}, chunk=9, **settings)
    np.testing.assert_array_equal(values(alone), values(among)[among.index("tanh")])


def test_threads_are_left_as_they_were():
    before = torch.get_num_threads()
    ensemble.train(digits(), seeds=4, **SMALL)
    assert torch.get_num_threads() == before
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [before]


def test_arms_of_one_seed_are_paired():
    """Matched initial weights (the same ranks) and, with the same settings, the same result."""
    arms = {"a": {"init": "he_normal"}, "b": {"init": "glorot_uniform"}, "c": {"init": "he_normal"}}
    sizes = [(9, 5), (5, 3)]
    a, b = (
        ensemble.initial_weights(ensemble.Settings(hidden=(5,), **arms[k]), sizes, 3) for k in "ab"
    )
    for (wa, _), (wb, _) in zip(a, b, strict=True):
        assert torch.equal(wa.flatten().argsort(), wb.flatten().argsort())
    result = ensemble.train(digits(), arms=arms, seeds=2, **SMALL)
    by_arm = result.by_arm("train_loss")
    np.testing.assert_array_equal(by_arm["a"], by_arm["c"])
    assert (by_arm["a"] != by_arm["b"]).all()


def test_more_networks_than_fit_are_split():
    """On the CPU the working set of every chunk stays within the cache's share."""
    split = Data.of(digits(), torch.float32, torch.device("cpu"))
    settings = ensemble.Settings()
    bytes_each = training.member_bytes(settings, split)
    pieces = training.default_pieces(settings, 3000, split, torch.device("cpu"))
    assert pieces % torch.get_num_threads() == 0
    assert 3000 / pieces * bytes_each <= training.CACHE_BYTES
    # The estimate is of the right size: compare with what the networks really hold.
    networks = ensemble.Networks([settings], [0], 64, 10, dtype=torch.float32, device="cpu")
    weights = sum(p.value.numel() + p.gradient.numel() for p in networks.parameters) * 4
    assert weights < bytes_each < 4 * weights


# --- What comes of it -----------------------------------------------------------------------------


def test_it_learns_and_the_numbers_are_those_of_the_networks():
    result = ensemble.train(
        digits(), arms=["relu", "tanh"], seeds=3, **{**SMALL, "epochs": 30}, init="he_normal"
    )
    assert (result.test_accuracy > 0.8).all()
    x, y = torch.as_tensor(digits()[4]), torch.as_tensor(digits()[5])
    for arm in result.arms:
        for seed in range(3):
            i = result.index(arm, seed)[0]
            logits = result.member(arm, seed)(x)
            assert (logits.argmax(1) == y).float().mean().item() == pytest.approx(
                result.test_accuracy[i]
            )
            loss = torch.nn.functional.cross_entropy(logits, y).item()
            assert loss == pytest.approx(result.test_loss[i], rel=1e-5)
    frame = result.to_frame()
    assert list(frame["arm"]) == ["relu"] * 3 + ["tanh"] * 3
    assert len(result.history()) == 6 * 30
    np.testing.assert_array_equal(result.by_arm()["tanh"], result.test_accuracy[3:])


def test_a_diverged_network_is_nan_and_flagged():
    arms = {"sane": {"lr": 0.05}, "mad": {"lr": 1e6}}
    result = ensemble.train(
        digits(), arms=arms, seeds=2, **{k: SMALL[k] for k in SMALL if k != "lr"}
    )
    assert result.diverged.tolist() == [False, False, True, True]
    assert np.isnan(result.by_arm()["mad"]).all()
    assert np.isnan(result.train_loss[2:]).all()
    assert np.isfinite(result.by_arm()["sane"]).all()
    assert "2 diverged" in repr(result)
    # Its neighbours in the batch noticed nothing.
    alone = ensemble.train(digits(), arms={"sane": {}}, seeds=2, **SMALL)
    np.testing.assert_array_equal(alone.train_loss, result.train_loss[:2])


def test_an_infinite_validation_loss_is_a_divergence_too():
    x, y, x_valid, y_valid = digits()[:4]
    far = np.full_like(x_valid, 3e38)
    result = ensemble.train((x, y, far, y_valid), seeds=2, **SMALL)
    assert result.diverged.all()
    assert np.isnan(result.by_arm("valid_loss")["relu"]).all()
    assert not ensemble.train((x, y, x_valid, y_valid), seeds=2, **SMALL).diverged.any()


def test_probes_stop_where_a_network_diverges_or_is_stopped():
    """What a broken network does is not an observation: its "dead" units are NaN, not 0 or 1."""
    arms = {"sane": {"lr": 0.05}, "mad": {"lr": 1e6}}
    rest = {k: SMALL[k] for k in SMALL if k != "lr"}
    result = ensemble.train(digits(), arms=arms, seeds=2, probe="dead", **rest)
    assert np.isfinite(result.probe("dead_share", "sane")).all()
    assert np.isfinite(result.probe("dead_share", "mad")[:, 0]).all()  # before training
    assert (result.probe_steps("mad") == [0]).all()
    late = {"patience": 1, "lr": 0.3, "epochs": 30}
    stopped = ensemble.train(digits(), seeds=4, probe="dead", **{**SMALL, **late})
    reached = np.isfinite(stopped.probe("dead_share", "relu")).all(2).sum(1) - 1
    assert reached.max() < 30
    np.testing.assert_array_equal(reached, stopped.best_epoch)


def test_early_stopping_keeps_the_best_weights():
    settings = {**SMALL, "epochs": 40, "lr": 0.3, "hidden": (32,)}
    full = ensemble.train(digits(), seeds=4, **settings)
    stopped = ensemble.train(digits(), seeds=4, patience=3, **settings)
    for i in range(4):
        curve, best = full.valid_loss[i], np.inf
        for epoch, loss in enumerate(curve, start=1):  # the rule, the slow way
            if loss < best:
                best, best_epoch = loss, epoch
            if epoch - best_epoch >= 3:
                break
        assert stopped.best_epoch[i] == best_epoch
        np.testing.assert_array_equal(stopped.valid_loss[i, :epoch], curve[:epoch])
        assert np.isnan(stopped.valid_loss[i, epoch:]).all()
        x, y = (torch.as_tensor(a) for a in digits()[2:4])
        kept = torch.nn.functional.cross_entropy(stopped.member(i)(x), y).item()
        assert kept == pytest.approx(best, rel=1e-5)
    assert len(set(stopped.best_epoch)) > 1, "every network stops at its own time"
    assert not np.isnan(stopped.by_arm("valid_loss")["relu"]).any()


def test_bfloat16_learns_with_float32_weights():
    settings = {**SMALL, "epochs": 10}
    result = ensemble.train(digits(), seeds=2, dtype="bfloat16", **settings)
    full = ensemble.train(digits(), seeds=2, **settings)
    assert next(result.member(0).parameters()).dtype == torch.float32
    np.testing.assert_allclose(result.train_loss, full.train_loss, atol=0.05)
    assert (result.train_loss != full.train_loss).any()


def test_every_option_runs_in_bfloat16():
    arms = {
        "bn": {"normalization": "batch"},
        "ln": {"normalization": "layer", "activation": "prelu"},
        "drop": {"dropout": 0.1, "activation": "rrelu", "residual": True},
        "adam": {"optimizer": "adam", "lr": 0.001, "clip_norm": 1.0},
    }
    result = ensemble.train(digits(), arms=arms, seeds=1, dtype="bfloat16", **SMALL)
    assert np.isfinite(result.train_loss).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_gpu_gives_what_the_cpu_gives(dtype):
    cpu = ensemble.train(digits(), seeds=3, device="cpu", **SMALL)
    gpu = ensemble.train(digits(), seeds=3, dtype=dtype, **SMALL)
    assert gpu.device.startswith("cuda")
    tolerance = 1e-4 if dtype == "float32" else 0.1
    np.testing.assert_allclose(gpu.train_loss, cpu.train_loss, atol=tolerance)


def test_results_by_wrong_names():
    result = ensemble.train(digits(), seeds=1, keep_weights=False, **SMALL)
    with pytest.raises(KeyError, match="no arm 'tanh'; there are 'relu'"):
        result.index("tanh")
    with pytest.raises(KeyError, match="no seed 9"):
        result.index("relu", 9)
    with pytest.raises(KeyError, match="no result 'accuracy'; there are train_loss"):
        result.by_arm("accuracy")
    with pytest.raises(KeyError, match="no probe 'dead'; there are none"):
        result.probe("dead", "relu")
    with pytest.raises(RuntimeError, match="keep_weights=True"):
        result.member("relu", 0)


# --- Probes ---------------------------------------------------------------------------------------


def brute_force(arm, seed, steps):
    """The plain network after so many steps, and its hidden activations and gradients."""
    x, y = (torch.as_tensor(a) for a in digits()[:2])
    network = reference.build(arm, seed, 64, 10, torch.float32)
    optimiser = torch.optim.SGD(network.parameters(), lr=arm.lr, momentum=arm.momentum)
    orders, done = ensemble.data_order(seed, len(x)), 0
    while done < steps:
        for batch in next(orders).split(arm.batch_size):
            if done < steps:
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
                optimiser.step()
                done += 1
    optimiser.zero_grad()
    hidden, pre, h = [], [], x
    for block in list(network)[:-1]:
        pre.append(block[0](h))
        h = block(h)
        hidden.append(h)
    torch.nn.functional.cross_entropy(network(x), y).backward()
    return network, x, hidden, pre


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_probes_see_what_a_plain_network_shows(activation):
    settings = {**SMALL, "init": "kaiming_normal", "activation": activation, "lr": 0.2}
    steps = [0, 4, 13]
    result = ensemble.train(
        digits(), seeds=[2, 5], probe=list(ensemble.PROBES), probe_at=steps, **settings
    )
    arm = result.arms[activation]
    assert result.probe_steps(activation).tolist() == steps
    for s, seed in enumerate([2, 5]):
        for t, step in enumerate(steps):
            network, x, hidden, pre = brute_force(arm, seed, step)
            seen = {name: result.probe(name, activation)[s, t] for name in result.probes[0][0]}
            dead = [(h == 0).all(0) for h in hidden]
            np.testing.assert_array_equal(seen["dead_units"], torch.cat(dead))
            close = functools.partial(np.testing.assert_allclose, rtol=2e-4, atol=1e-6)
            close(seen["dead_share"], [d.float().mean() for d in dead])
            close(seen["activation_mean"], [h.mean().item() for h in hidden])
            close(seen["activation_variance"], [h.var(correction=0).item() for h in hidden])
            size = [h.abs().mean(0) for h in hidden]
            close(seen["dormant_share"], [(a / a.mean() <= 0.025).float().mean() for a in size])
            linears = [m for m in network.modules() if isinstance(m, torch.nn.Linear)]
            norms = [m.weight.grad.norm().item() for m in linears]
            close(seen["gradient_norm"], norms)
            ratios = [m.weight.grad.norm().item() / m.weight.norm().item() for m in linears]
            close(seen["gradient_ratio"], ratios)
            low, high = catalog.get(activation).saturates_beyond(0.01)
            flat = [((z <= low) | (z >= high)).double().mean().item() for z in pre]
            np.testing.assert_allclose(seen["saturation_share"], flat, atol=2e-4)
            jacobians = torch.func.vmap(torch.func.jacrev(network))(x[:32])
            close(seen["jacobian_norm"], torch.linalg.svdvals(jacobians)[:, 0].detach())


def test_fates_of_units_agree_with_a_loop_over_them():
    options = {**SMALL, "hidden": (12, 20), "init": "he_normal", "lr": 1.5, "epochs": 4}
    steps = [0, 1, 2, 4, 8, 12]
    result = ensemble.train(digits(), seeds=3, probe="dead", probe_at=steps, **options)
    fates = result.fates("relu")
    layers = (slice(0, 12), slice(12, 32))
    for s, masks in enumerate(result.probe("dead_units", "relu")):
        for layer, units in enumerate(layers):
            for t in range(len(steps)):
                counts = dict.fromkeys(fates, 0)
                for was in masks[: t + 1, units].T:  # one unit's looks so far
                    counts["dead"] += was[-1] == 1
                    counts["born_dead"] += was[0] == 1
                    counts["died"] += was[0] == 0 and was[-1] == 1
                    counts["ever_dead"] += 1 in was
                    counts["revived"] += 1 in was and was[-1] == 0
                for name, count in counts.items():
                    assert fates[name][s, t, layer] == pytest.approx(count / (12, 20)[layer])
    assert fates["died"].max() > 0  # or the loop had nothing to find
    assert fates["revived"].max() > 0
    with pytest.raises(KeyError, match="no probe 'dead_units'; there are activation_mean"):
        ensemble.train(digits(), seeds=1, probe="moments", **SMALL).fates("relu")


def test_probes_change_nothing():
    options = {"normalization": "batch", "dropout": 0.2, **SMALL}
    watched = ensemble.train(
        digits(), seeds=3, probe=list(ensemble.PROBES), probe_at=range(19), **options
    )
    np.testing.assert_array_equal(
        values(watched), values(ensemble.train(digits(), seeds=3, **options))
    )


def test_probes_at_every_epoch_and_functions_of_ones_own():
    steps = []

    def spread(snapshot):
        steps.append((snapshot.step, snapshot.epoch))
        assert [a.shape[1:] for a in snapshot.activations] == [(40, 16), (40, 16)]
        return {"spread": torch.stack([w.std((1, 2)) for w in snapshot.weights], 1)}

    x, y = digits()[:2]
    result = ensemble.train(
        digits(),
        arms=["relu", "gelu"],
        seeds=2,
        chunk=1,
        probe=spread,
        probe_data=(x[:40], y[:40]),
        **SMALL,
    )
    assert result.probe("spread", "gelu").shape == (2, 4, 3)
    assert sorted(set(steps)) == [(0, 0), (6, 1), (12, 2), (18, 3)]
    assert len(steps) == 16


def test_a_probe_that_forgets_a_network():
    with pytest.raises(ValueError, match=r"probe 'x' returned shape .* one row per network"):
        ensemble.train(digits(), seeds=3, probe=lambda s: {"x": [1.0]}, chunk=3, **SMALL)
    with pytest.raises(ValueError, match="unknown probe 'deadd': did you mean dead"):
        ensemble.train(digits(), probe="deadd", **SMALL)


# --- Interruption, progress -----------------------------------------------------------------------


def test_ctrl_c_returns_what_was_reached():
    def interrupt(snapshot):
        if snapshot.step == 8:  # in the middle of the second epoch
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.2)
        return {"step": np.full(len(snapshot.networks), snapshot.step)}

    before = signal.getsignal(signal.SIGINT)
    result = ensemble.train(
        digits(), seeds=4, chunk=4, probe=interrupt, probe_at=range(100), **{**SMALL, "epochs": 50}
    )
    assert result.interrupted
    assert "interrupted" in repr(result)
    assert signal.getsignal(signal.SIGINT) is before
    assert np.isfinite(result.train_loss[:, 0]).all()
    assert np.isnan(result.train_loss[:, 1:]).all()
    assert (result.best_epoch == 1).all()
    assert np.isfinite(result.test_accuracy).all()
    assert result.member(0)(torch.as_tensor(digits()[0])).isfinite().all()


def test_chunks_not_begun_are_nan_after_an_interruption():
    once = threading.Lock()  # two chunks run at a time, and a second Ctrl-C would mean it

    def interrupt(snapshot):
        if once.acquire(blocking=False):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.2)
        return {}

    result = ensemble.train(
        digits(), seeds=6, chunk=1, probe=interrupt, probe_at=[3], **{**SMALL, "epochs": 2}
    )
    assert result.interrupted
    assert np.isnan(result.train_loss[-1]).all()
    assert result.best_epoch[-1] == 0
    with pytest.raises(RuntimeError, match="not kept"):
        result.member(5)


def test_an_error_in_one_chunk_stops_the_others():
    begun = []

    def fail(snapshot):
        begun.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ensemble.train(digits(), seeds=50, chunk=1, probe=fail, **SMALL)
    assert len(begun) < 50


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("terminal", "environment", "argument", "shown"),
    [
        (True, None, None, True),
        (False, None, None, False),
        (True, "0", None, False),
        (False, None, True, True),
        (True, None, False, False),
    ],
)
def test_the_bar_shows_only_where_somebody_looks(
    monkeypatch, terminal, environment, argument, shown
):
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    monkeypatch.delenv("ACTLAB_PROGRESS", raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if environment is not None:
        monkeypatch.setenv("ACTLAB_PROGRESS", environment)
    with training.make_bar(argument, 10) as bar:
        assert bar.disable is not shown
        assert not shown or bar.delay == 2


def test_nothing_is_printed(capfd):
    ensemble.train(digits(), seeds=2, **SMALL)
    assert capfd.readouterr() == ("", "")


# --- Tuning ---------------------------------------------------------------------------------------


def test_tuning_finds_the_rate_that_a_search_by_hand_finds():
    arms = {"relu": {"activation": "relu"}, "sigmoid": {"activation": "sigmoid", "hidden": (16,)}}
    lrs = (1e-5, 0.05, 0.2, 1e5)
    options = {k: SMALL[k] for k in ("hidden", "batch_size", "epochs")}
    tuning = ensemble.tune(digits(), arms=arms, lrs=lrs, seeds=2, **options)
    for name, own in arms.items():
        scores = {}
        for lr in lrs:
            one = ensemble.train(digits(), arms={name: own}, lr=lr, seeds=2, **options)
            scores[lr] = one.valid_accuracy[:, -1].mean(), -one.valid_loss[:, -1].mean()
        best = max((lr for lr in lrs if not np.isnan(scores[lr][0])), key=scores.get)
        assert tuning.lr[name] == best
        assert tuning.arms[name] == {**own, "lr": best}
    assert tuning.at_edge == ()
    assert tuning.table["chosen"].sum() == 2
    relu = tuning.table[tuning.table["arm"] == "relu"]
    assert relu.loc[relu["lr"] == 1e5, "diverged"].item() == 1


def test_a_rate_that_loses_a_network_never_wins(monkeypatch):
    """However good its survivors are."""
    rates = {
        0.01: [0.5, 0.5, 0.5],
        0.1: [0.6, 0.6, 0.6],
        1.0: [0.9, np.nan, 0.9],
        10.0: [np.nan] * 3,
    }

    def pretend(data, arms, seeds, **options):
        rows = [
            {"arm": arm, "valid_accuracy": a, "valid_loss": 1 - a, "diverged": np.isnan(a)}
            for arm in arms
            for a in rates[float(arm.split("=")[1])]
        ]
        return types.SimpleNamespace(to_frame=lambda: pd.DataFrame(rows))

    monkeypatch.setattr(tuning, "train", pretend)
    for metric in ("valid_accuracy", "valid_loss"):
        found = ensemble.tune(digits(), arms=["relu"], lrs=rates, seeds=3, metric=metric)
        assert found.lr == {"relu": 0.1}
        assert found.table.diverged.tolist() == pytest.approx([0, 0, 1 / 3, 1])


def test_tuning_warns_at_the_edge_and_refuses_when_all_diverge():
    options = {k: SMALL[k] for k in ("hidden", "batch_size", "epochs")}
    with pytest.warns(UserWarning, match="edge of .* for relu"):
        tuning = ensemble.tune(digits(), arms=["relu"], lrs=(1e-6, 1e-5), seeds=1, **options)
    assert tuning.at_edge == ("relu",)
    with pytest.raises(ValueError, match="relu: some network diverged with every learning rate"):
        ensemble.tune(digits(), arms=["relu"], lrs=(1e6, 1e7), seeds=1, **options)


@pytest.mark.filterwarnings("ignore:the best learning rate")
def test_tuning_never_sees_the_test_set(monkeypatch):
    seen = []
    real = Data.of
    monkeypatch.setattr(Data, "of", lambda *a: seen.append(real(*a)) or seen[-1])
    d = data.load("digits")
    ensemble.tune(d, lrs=(0.01, 0.05, 0.1), seeds=1, hidden=(8,), epochs=1)
    assert [s.test for s in seen] == [None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lrs": ()}, "at least one"),
        ({"lrs": (0.1, 0.1)}, "different learning rates"),
        ({"metric": "test_accuracy"}, "expected 'valid_accuracy'"),
        ({"lr": 0.1}, "lr is what is tuned"),
    ],
)
def test_tuning_with_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        ensemble.tune(digits(), **{"lrs": (0.1,), "seeds": 1, **arguments})


def test_tuning_needs_validation_data():
    with pytest.raises(ValueError, match="needs validation data"):
        ensemble.tune(digits()[:2], seeds=1)


# --- Bad input: an error before any work ----------------------------------------------------------


def spoiled(index, position, value):
    arrays = [np.array(a) for a in digits()]
    if isinstance(value, float) and index % 2:
        arrays[index] = arrays[index].astype(float)
    arrays[index][position] = value
    return tuple(arrays)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"data": spoiled(0, (3, 3), np.nan)}, "x_train holds NaN"),
        ({"data": spoiled(2, (3, 3), np.inf)}, "x_valid holds NaN, infinity"),
        ({"data": spoiled(1, 3, -1)}, "y_train holds labels from -1 to 9: expected 0 to k - 1"),
        ({"data": spoiled(5, 3, 10)}, "y_test holds labels from 0 to 10: expected 0 to 9"),
        ({"data": spoiled(1, 3, 1.5)}, "y_train holds 1.5 .row 3.: expected class numbers"),
        ({"data": (digits()[0], digits()[1][:9])}, "expected .n, features. and .n,. with the same"),
        ({"data": (digits()[0].reshape(-1, 8, 8), digits()[1])}, "flatten images first"),
        ({"data": (*digits()[:2], digits()[2][:, :9], digits()[3])}, "x_valid has 9 features"),
        ({"data": digits()[0]}, "expected an actlab.data.Dataset or a tuple"),
        ({"data": digits()[:3]}, "expected an actlab.data.Dataset or a tuple"),
        ({"batch_size": 351}, "batch_size=351 is larger than the 350 training examples"),
        ({"batch_size": 349, "normalization": "batch"}, "leaves a batch of one example"),
        ({"batch_size": 0}, "batch_size=0: expected at least 1"),
        ({"init": "he_norml"}, "unknown init 'he_norml': did you mean he_normal"),
        ({"optimizer": "adagrad"}, "unknown optimizer 'adagrad'"),
        ({"normalization": "group"}, "unknown normalization 'group'"),
        ({"activation": "rellu"}, "unknown activation 'rellu': the nearest are relu"),
        ({"activation": "multi_head_attention"}, "cannot follow a hidden layer"),
        ({"activation": "leaky_relu", "params": {"slope": 1}}, "has no parameter 'slope'"),
        ({"lr": -0.1}, "lr=-0.1: expected a positive number"),
        ({"lr": 0.0}, "lr=0.0: expected a positive number"),
        ({"lr": float("nan")}, "lr=nan: expected a positive number"),
        ({"lr": "fast"}, "lr='fast': expected a positive number"),
        ({"gain": 0}, "gain=0: expected"),
        ({"branch_gain": 0, "residual": True}, "branch_gain=0: expected a positive number"),
        ({"branch_gain": 0.5}, "branch_gain=0.5: expected .*1 without residual=True"),
        ({"momentum": 1.0}, "momentum=1.0: expected a number in .0, 1."),
        ({"dropout": 1.0}, "dropout=1.0: expected a share"),
        ({"weight_decay": -1e-4}, "weight_decay=-0.0001: expected zero"),
        ({"clip_norm": 0}, "clip_norm=0: expected None or positive"),
        ({"bias": "keras"}, "bias='keras': expected"),
        ({"hidden": (16, 0)}, "hidden=.16, 0.: expected positive integers"),
        ({"betas": (0.9,)}, "betas=.0.9,.: expected two"),
        ({"seeds": 0}, "seeds=0: at least one"),
        ({"seeds": []}, "at least one"),
        ({"seeds": [1, 1]}, "expected different integers"),
        ({"seeds": [-1]}, "expected different integers, none negative"),
        ({"epochs": 0}, "epochs=0: expected a positive integer"),
        ({"epochs": 1.5}, "epochs=1.5: expected a positive integer"),
        ({"patience": 0}, "patience=0: expected"),
        ({"patience": 2, "data": digits()[:2]}, "patience needs validation data"),
        ({"chunk": 0}, "chunk=0: expected"),
        ({"dtype": "float8"}, "unknown dtype 'float8': did you mean float"),
        ({"learning_rate": 0.1}, "unknown setting 'learning_rate'"),
        ({"arms": {}}, "arms is empty"),
        ({"arms": "relu"}, "did you mean .\"relu\"."),
        ({"arms": ["relu", "tanh", "relu"]}, "relu given more than once"),
        ({"arms": {"a": {"momentm": 0.1}}}, "arm 'a': unknown setting 'momentm': .* momentum"),
        ({"probe": "dead", "probe_data": (np.zeros((4, 3)), np.zeros(4, int))}, "has 3 features"),
    ],
)  # fmt: skip
def test_bad_input(bad, message, monkeypatch):
    monkeypatch.setattr(training, "run_all", lambda *_: pytest.fail("work has started"))
    given = {"data": digits(), "seeds": 2, **SMALL, **bad}
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        ensemble.train(given.pop("data"), **given)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="PyTorch sees no GPU here; use device=None"):
        ensemble.train(digits(), device="cuda", **SMALL)


def test_cross():
    arms = ensemble.cross(activation=["relu", "tanh"], lr=[0.1, 0.01])
    assert list(arms) == ["relu, lr=0.1", "relu, lr=0.01", "tanh, lr=0.1", "tanh, lr=0.01"]
    assert arms["tanh, lr=0.1"] == {"activation": "tanh", "lr": 0.1}
    with pytest.raises(ValueError, match=r"two arms would be called 'lr=0\.1'"):
        ensemble.cross(lr=[0.1, 0.1])
