"""An answer can not hang, end or litter the learner's kernel, whatever it does."""

import os
import random
import signal
import sys
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab.exercises import elu, guard, leaky, relu, selu, sigmoid_tanh, why_nonlinear


def own_rule(rule):
    return sigmoid_tanh.check_own_rule((rule, [1.0, 2, 3, 4, 5], [2.0, 3, 4, 5, 6]))


CHECKERS = [
    why_nonlinear.check_collapse,
    why_nonlinear.check_xor,
    why_nonlinear.check_borrowed_slope,
    relu.check_dead_share,
    relu.check_born_alive,
    relu.check_ported_relu,
    sigmoid_tanh.check_log_sigmoid,
    sigmoid_tanh.check_decades,
    sigmoid_tanh.check_deep_sigmoid,
    sigmoid_tanh.check_trained,
    own_rule,
    leaky.check_ported_layer,
    leaky.check_slope_per_channel,
    leaky.check_slopes_spared,
    leaky.check_ported_threshold,
    elu.check_safe_elu,
    elu.check_celu_from_elu,
    elu.check_trained_elu,
    selu.check_self_normalising,
    selu.check_trained_selu,
]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(guard, "LIMIT", 0.3)
    # As in a notebook: where another test left a handler of its own, there is no telling.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def raises(error):
    def answer(*_):
        raise error

    return answer


def for_ever(*_):
    while True:
        pass


def stubborn(*_):
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def deaf(*_):
    """It hears at times: when the clock strikes outside of its ``try``."""
    while True:
        try:
            n = 0
            while n < 10:
                n += 1
        except:  # noqa: E722
            pass
        for _ in range(10):
            n += 1


def asleep(*_):
    time.sleep(600)


@pytest.mark.parametrize("check", CHECKERS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (for_ever, "still running"),
        (lambda *_: sys.exit(), "calls exit"),
        (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raises(ValueError("my own")), "ValueError: my own"),
        (lambda *_: answer_again(*_), "NameError"),  # noqa: F821
    ],
    ids=["loops", "exits", "interrupts", "raises", "name"],
)
def test_every_checker_survives(check, answer, hint):
    feedback = check(answer)
    assert not feedback.ok
    assert hint in feedback.message


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (stubborn, "still running"),
        (deaf, "still running"),
        (asleep, "still running"),
        (raises(SystemExit(3)), "calls exit"),
        (raises(GeneratorExit()), "GeneratorExit"),
        (raises(MemoryError()), "MemoryError"),
    ],
)
def test_stops_what_does_not_want_to_be_stopped(answer, hint):
    assert hint in sigmoid_tanh.check_log_sigmoid(answer).message


def test_a_loop_in_the_backward_pass_is_stopped_too():
    class Backward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx, gradient):
            for_ever()

    assert "still running" in why_nonlinear.check_borrowed_slope(Backward.apply).message


def test_an_endless_recursion_is_reported():
    def answer(x):
        return answer(x)

    assert "RecursionError" in sigmoid_tanh.check_log_sigmoid(answer).message


@pytest.mark.parametrize("answer", [for_ever, stubborn, deaf])
def test_stops_loops_outside_the_main_thread(answer):
    said = []
    thread = threading.Thread(
        target=lambda: said.append(sigmoid_tanh.check_log_sigmoid(answer).message)
    )
    thread.start()
    thread.join(30)
    assert "still running" in said[0]


def test_a_right_answer_passes_outside_the_main_thread():
    said = []
    thread = threading.Thread(
        target=lambda: said.append(leaky.check_ported_layer(nn.LeakyReLU(0.3)))
    )
    thread.start()
    thread.join(30)
    assert said[0].ok


def test_a_key_pressed_is_no_mistake_of_the_answer():
    def pressed(x):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        sigmoid_tanh.check_log_sigmoid(pressed)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_timer_goes_on():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        assert not sigmoid_tanh.check_log_sigmoid(for_ever).ok
        assert not rung
        time.sleep(1.5)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def state():
    return (
        np.random.get_state()[1].tolist(),
        random.getstate(),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
        keras.config.dtype_policy().name,
        tf.config.functions_run_eagerly(),
        np.geterr(),
        np.get_printoptions(),
        sys.getrecursionlimit(),
        sys.stdout,
        signal.getsignal(signal.SIGALRM),
    )


def litters(x):
    np.random.seed(1)
    random.seed(1)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    keras.config.set_floatx("float64")
    keras.config.set_epsilon(1e-3)
    keras.config.set_image_data_format("channels_first")
    keras.config.set_dtype_policy("mixed_float16")
    tf.config.run_functions_eagerly(True)
    np.seterr(all="ignore")
    np.set_printoptions(precision=2)
    sys.setrecursionlimit(5000)
    sys.stdout = None
    return np.where(x > 0, x, 0.3 * x)


def test_global_state_is_put_back():
    before = state()
    assert leaky.check_ported_layer(litters).ok
    assert state() == before


def test_global_state_is_put_back_after_an_error():
    before = state()
    assert not leaky.check_ported_layer(lambda x: litters(x) / 0 @ 1).ok
    assert state() == before


def torch_model():
    torch.manual_seed(0)
    layers = (nn.Linear(64, 64), nn.BatchNorm1d(64), nn.Sigmoid(), nn.Dropout(0.1))
    return nn.Sequential(*(module for _ in range(10) for module in layers), nn.Linear(64, 10))


def keras_model():
    layers = [
        layer
        for _ in range(10)
        for layer in (
            keras.layers.Dense(64),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("sigmoid"),
            keras.layers.Dropout(0.1),
        )
    ]
    return keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10)])


@pytest.mark.parametrize("training", [True, False])
def test_a_torch_model_is_left_as_it_was(training, monkeypatch):
    monkeypatch.setattr(guard, "LIMIT", 60.0)
    model = torch_model().train(training)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for check in (sigmoid_tanh.check_deep_sigmoid, selu.check_self_normalising):
        check(model)
    assert all(module.training == training for module in model.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_keras_model_is_left_as_it_was(monkeypatch):
    monkeypatch.setattr(guard, "LIMIT", 60.0)
    model = keras_model()
    before = [np.array(variable) for variable in model.variables]
    for check in (sigmoid_tanh.check_deep_sigmoid, selu.check_self_normalising):
        check(model)
    after = [np.array(variable) for variable in model.variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_little_print_is_shown_and_much_is_cut(capsys):
    def loud(x):
        print("shape", x.shape)
        print("noise " * 100_000)
        print("more noise", file=sys.stderr)
        return np.where(x > 0, x, 0.3 * x)

    assert leaky.check_ported_layer(loud).ok
    out, err = capsys.readouterr()
    assert out.startswith("shape (6,)")
    assert len(out) < guard.PAPER + 200
    assert "characters more" in out
    assert not err


def test_the_inputs_are_copies():
    seen = []

    def remembers(x):
        seen.append(np.array(x))
        x *= 0
        return x

    for _ in range(2):
        assert not leaky.check_ported_layer(remembers).ok
    assert all(np.array_equal(x, seen[0]) for x in seen)
