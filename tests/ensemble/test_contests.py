"""Functions of one's own, decay by kind, targets, and what had come of it by a certain epoch."""

from __future__ import annotations

import functools
import itertools
import signal
import threading

import numpy as np
import pytest
import torch
from torch import nn

from actlab import data, ensemble

SMALL = {"hidden": (16, 12), "batch_size": 64, "lr": 0.05}


@functools.cache
def digits():
    d = data.load("digits")
    part = (d.x_train[:300], d.y_train[:300], d.x_valid[:120], d.y_valid[:120])
    return (*part, d.x_test[:120], d.y_test[:120])


def everything(result):
    """All curves and ends, and the weights where they were kept."""
    names = ("train_loss", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy")
    names = (*names, "best_epoch", "reached_epoch", "reached_step", "diverged")
    return {name: getattr(result, name) for name in names}


def same(a, b):
    for name, values in everything(a).items():
        np.testing.assert_array_equal(values, everything(b)[name], err_msg=name)


# --- A function of one's own ----------------------------------------------------------------------


class Ramp(torch.autograd.Function):
    """The step forward, the slope of a ramp backward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * (ctx.saved_tensors[0].abs() <= 1)


def by_units(x):
    """Not elementwise: the softmax of an example's units, times their number."""
    return torch.softmax(x, -1) * x.shape[-1]


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (torch.sin, "sin"),
        (by_units, "by_units"),
        (nn.ELU(0.7, inplace=True), "ELU"),
        (Ramp.apply, "apply"),
    ],
)
def test_a_function_of_ones_own_trains_as_in_a_plain_loop(own, name):
    arms = [own, "tanh"]
    result = ensemble.train(digits(), arms=arms, seeds=2, epochs=2, chunk=4, **SMALL)
    assert list(result.arms) == [name, "tanh"]
    for seed in range(2):
        settings = result.arms[name]
        sizes = settings.layer_sizes(64, 10)
        layers = []
        for weight, bias in ensemble.initial_weights(settings, sizes, seed):
            layers.append(nn.Linear(weight.shape[1], weight.shape[0]))
            layers[-1].load_state_dict({"weight": weight, "bias": bias})
        step = torch.optim.SGD(
            itertools.chain(*(layer.parameters() for layer in layers)), lr=0.05, momentum=0.9
        )
        x, y = map(torch.as_tensor, digits()[:2])
        order = ensemble.data_order(seed, len(x))
        for batch in itertools.chain(*(next(order).split(64) for _ in range(2))):
            step.zero_grad()
            signal_ = x[batch]
            for layer in layers[:-1]:
                signal_ = own(layer(signal_))
            nn.functional.cross_entropy(layers[-1](signal_), y[batch]).backward()
            step.step()
        trained = [m for m in result.member(name, seed) if isinstance(m, nn.Linear)]
        for ours, theirs in zip(trained, layers, strict=True):
            torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(ours.bias, theirs.bias, rtol=1e-4, atol=1e-6)


def test_a_module_of_ones_own_uses_its_kernel_and_keeps_its_mode():
    own = nn.SELU()
    arms = {"mine": {"activation": own}, "theirs": {"activation": "selu"}}
    result = ensemble.train(digits(), arms=arms, seeds=1, epochs=1, **SMALL)
    assert result.train_loss[0] == result.train_loss[1]
    result.member("mine", 0).eval()
    assert own.training


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (nn.PReLU(), "has weights, which nobody would train"),
        (nn.Dropout(0.5), "something else at every call"),
        (lambda x: x.sum(), r"turns a torch.float32 \(3, 4\) tensor into torch.float32 \(\)"),
        (lambda x: x > 0, "into torch.bool"),
        (lambda x: None, "into None"),
        (lambda x: x.numpy(), r"fails on a tensor of shape \(3, 4\)"),
    ],
)
def test_what_is_no_activation(own, message):
    with pytest.raises(ValueError, match=message):
        ensemble.Settings(activation=own)


def test_what_a_function_has_not():
    with pytest.raises(ValueError, match=r"functools\.partial"):
        ensemble.Settings(activation=torch.sin, params={"alpha": 1.0})
    with pytest.raises(TypeError, match="sin is a function, which has no record"):
        _ = ensemble.Settings(activation=torch.sin).record
    with pytest.raises(ValueError, match="'saturation' needs a record of the catalog; sin has"):
        ensemble.train(digits(), activation=torch.sin, probe="saturation", epochs=1, **SMALL)
    with pytest.raises(ValueError, match="sin given more than once"):
        ensemble.train(digits(), arms=[torch.sin, torch.sin], epochs=1, **SMALL)
    tuning = ensemble.tune(digits(), arms=[torch.sin], lrs=(0.05,), seeds=1, epochs=1)
    assert list(tuning.lr) == ["sin"]


# --- Decay by kind --------------------------------------------------------------------------------


def decayed(result, i, optimizer, decays, options):
    """The plain loop with parameter groups; returns the parameters."""
    settings, seed = list(result.arms.values())[i], 0
    layers = []
    for weight, bias in ensemble.initial_weights(settings, settings.layer_sizes(64, 10), seed):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": weight, "bias": bias})
        layers += [linear, nn.LayerNorm(len(bias)), nn.PReLU(init=0.25)]
    model = nn.Sequential(*layers[:-2])
    kinds = {
        "weights": [m.weight for m in model if isinstance(m, nn.Linear)],
        "biases": [m.bias for m in model if isinstance(m, nn.Linear)],
        "normalization": [p for m in model if isinstance(m, nn.LayerNorm) for p in m.parameters()],
        "activation": [p for m in model if isinstance(m, nn.PReLU) for p in m.parameters()],
    }
    groups = [{"params": own, "weight_decay": decays.get(k, 0)} for k, own in kinds.items()]
    step = getattr(torch.optim, optimizer)(groups, **options)
    x, y = map(torch.as_tensor, digits()[:2])
    order = ensemble.data_order(seed, len(x))
    for batch in itertools.chain(*(next(order).split(64) for _ in range(3))):
        step.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        step.step()
    return list(model.parameters())


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("SGD", {"lr": 0.05, "momentum": 0.9}),
        ("Adam", {"lr": 0.003, "eps": 1e-3}),
        ("AdamW", {"lr": 0.003, "eps": 1e-3}),
    ],
)
def test_decay_by_kind_is_that_of_parameter_groups(optimizer, options):
    """And arms with rates of their own, which are updated one by one, decay alike."""
    decays = [
        {"weights": 0.1, "activation": 0.5},
        {"biases": 0.3, "normalization": 0.2},
        dict.fromkeys(("weights", "biases", "normalization", "activation"), 0.2),
    ]
    common = {"hidden": (9, 7), "batch_size": 64, "activation": "prelu", "normalization": "layer"}
    common |= {"optimizer": optimizer.lower(), **options}
    for decay in decays:
        result = ensemble.train(
            digits(),
            arms={"one": {}, "two": {"lr": 2 * options["lr"]}},
            seeds=1,
            epochs=3,
            chunk=2,
            weight_decay=decay,
            **common,
        )
        for i, factor in enumerate((1, 2)):
            own = {**options, "lr": factor * options["lr"]}
            plain = decayed(result, i, optimizer, decay, own)
            for ours, theirs in zip(result.member(i).parameters(), plain, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    alike = ensemble.train(digits(), seeds=1, epochs=3, weight_decay=0.2, **common)
    same(alike, ensemble.train(digits(), seeds=1, epochs=3, weight_decay=decays[-1], **common))


def test_kinds_that_do_not_exist():
    with pytest.raises(ValueError, match=r"unknown kind of weight_decay 'slopes'.*activation"):
        ensemble.Settings(weight_decay={"slopes": 0.1})
    with pytest.raises(ValueError, match="expected zero or a positive number, or such numbers"):
        ensemble.Settings(weight_decay={"weights": -0.1})


# --- Targets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "target"), [("valid_accuracy", 0.8), ("valid_loss", 0.9), ("train_loss", 0.7)]
)
def test_a_network_stops_where_the_whole_run_first_meets_the_target(name, target):
    options = {**SMALL, "seeds": 5, "epochs": 14}
    whole = ensemble.train(digits(), **options)
    stopped = ensemble.train(digits(), until={name: target}, chunk=3, **options)
    curve = getattr(whole, name)
    met = curve >= target if name == "valid_accuracy" else curve <= target
    first = np.where(met.any(1), met.argmax(1) + 1, 0)
    assert len(set(first)) > 1, "every network stops at its own time"
    np.testing.assert_array_equal(stopped.by_arm("reached_epoch")["relu"], first)
    np.testing.assert_array_equal(stopped.reached_step, 5 * first)
    x, y = map(torch.as_tensor, digits()[2:4])
    for i, epoch in enumerate(np.where(first, first, 14)):
        np.testing.assert_array_equal(stopped.train_loss[i, :epoch], whole.train_loss[i, :epoch])
        assert np.isnan(stopped.train_loss[i, epoch:]).all()
        assert stopped.best_epoch[i] == epoch
        loss = nn.functional.cross_entropy(stopped.member(i)(x), y).item()
        assert loss == pytest.approx(whole.valid_loss[i, epoch - 1], rel=1e-5)


def test_several_targets_are_met_together_and_patience_still_keeps_the_best():
    options = {**SMALL, "seeds": 3, "epochs": 20, "lr": 0.2}
    whole = ensemble.train(digits(), **options)
    until = {"valid_accuracy": 0.85, "train_loss": 0.3}
    result = ensemble.train(digits(), until=until, patience=20, **options)
    met = (whole.valid_accuracy >= 0.85) & (whole.train_loss <= 0.3)
    first = np.where(met.any(1), met.argmax(1) + 1, 0)
    assert 0 in first
    assert first.max() > 1
    np.testing.assert_array_equal(result.reached_epoch, first)
    for i, epoch in enumerate(np.where(first, first, 20)):
        assert result.best_epoch[i] == whole.valid_loss[i, :epoch].argmin() + 1


def test_targets_that_make_no_sense():
    for until, message in (
        ({"valid_acc": 0.9}, "unknown target of until 'valid_acc': did you mean valid_accuracy"),
        ({"valid_loss": "low"}, "valid_loss='low': expected a number"),
        ({}, "expected a mapping such as"),
        (0.9, "expected a mapping such as"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            ensemble.train(digits(), until=until, **SMALL)
    with pytest.raises(ValueError, match="until valid_loss needs validation data"):
        ensemble.train(digits()[:2], until={"valid_loss": 1.0}, **SMALL)


# --- What had come of it by then ------------------------------------------------------------------

REPORTS = {
    "to the end": {},
    "patience": {"patience": 2, "lr": 0.5},
    "a target": {"until": {"valid_accuracy": 0.85}},
    "batch norm, adam": {"patience": 3, "normalization": "batch", "optimizer": "adam", "lr": 0.02},
}


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_is_the_result_of_the_shorter_run(option):
    options = {**SMALL, "seeds": 5, **REPORTS[option]}
    options = {**options, "arms": {"sane": {}, "mad": {"lr": 3.0, "init": "he_normal", "gain": 2}}}
    long = ensemble.train(digits(), epochs=12, report_at=[7, 2, 12], chunk=4, **options)
    for epochs in (2, 7, 12):
        short = ensemble.train(digits(), epochs=epochs, keep_weights=False, **options)
        same(long.at(epochs), short)
        assert long.at(epochs).by_arm().keys() == {"sane", "mad"}
    same(long, short)
    plain = ensemble.train(digits(), epochs=12, chunk=4, **options)
    for ours, theirs in zip(long.networks, plain.networks, strict=True):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_array_equal(a.detach(), b.detach())


def test_a_network_that_diverges_later_had_a_result():
    # Weights that turn round and double at every step.
    arms = {"slow ruin": {"weight_decay": 60.0, "momentum": 0.0}, "sane": {}}
    result = ensemble.train(digits(), arms=arms, seeds=3, epochs=20, report_at=[1], **SMALL)
    assert result.diverged.tolist() == [True] * 3 + [False] * 3
    assert not result.at(1).diverged.any()
    for what in ("train_loss", "valid_accuracy", "test_accuracy"):
        assert np.isnan(result.by_arm(what)["slow ruin"]).all()
        assert np.isfinite(result.at(1).by_arm(what)["slow ruin"]).all()


def test_reports_that_were_not_asked_for():
    result = ensemble.train(digits(), seeds=1, epochs=2, report_at=(1,), **SMALL)
    with pytest.raises(KeyError, match="nothing was noted at epoch 2; report_at had 1"):
        result.at(2)
    with pytest.raises(RuntimeError, match="not kept"):
        result.at(1).member(0)
    for wrong in ((0,), (3,), (1, 1), (1.5,)):
        with pytest.raises(ValueError, match="expected different epochs from 1 to 2"):
            ensemble.train(digits(), epochs=2, report_at=wrong, **SMALL)


@pytest.mark.parametrize("step", [2, 12])
def test_an_interruption_leaves_what_was_not_reached_empty(step):
    """In the first epoch: nothing at all; in the third: what the first had come to."""

    def interrupt(snapshot):
        if snapshot.step == step:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            while not stopped(snapshot):
                pass
        return {}

    def stopped(snapshot):
        return signal.getsignal(signal.SIGINT) is before

    before = signal.getsignal(signal.SIGINT)
    result = ensemble.train(
        digits(), seeds=2, chunk=2, epochs=9, report_at=(1, 5), probe=interrupt,
        probe_at=[step], **SMALL
    )  # fmt: skip
    assert result.interrupted
    assert result.at(5).interrupted
    assert np.isnan(result.at(5).test_accuracy).all()
    assert np.isfinite(result.at(1).test_accuracy).all() == (step > 5)
    assert np.isfinite(result.test_accuracy).all() == (step > 5)
    if step < 5:
        assert not result.best_epoch.any()
        with pytest.raises(RuntimeError, match="not kept"):
            result.member(0)
