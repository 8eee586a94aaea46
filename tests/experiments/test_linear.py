"""Linear and step networks, where their logic could be wrong without anybody seeing."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import torch

from actlab import data, ensemble
from actlab.experiments import linear


def test_matrices_multiply_as_layers_follow_each_other():
    layers = linear.linear_layers(3, 5, seed=1)
    h = np.arange(5.0)
    one = np.linalg.multi_dot(layers[::-1])
    expected = h
    for layer in layers:
        expected = layer[:-1, :-1] @ expected + layer[:-1, -1]
    assert np.allclose(one @ [*h, 1], [*expected, 1])


def test_the_bound_of_rounding_is_kept_and_could_be_broken(monkeypatch):
    layers = linear.linear_layers(5, 64, seed=0)
    x = np.random.default_rng(0).standard_normal((100, 64))
    _, of_allowed = linear.collapse_gap(layers, x, "float32")
    assert 0 < of_allowed <= 1
    # Were float32 held to the rounding of float64, its real errors would be far too large.
    monkeypatch.setattr(np, "finfo", lambda _: SimpleNamespace(eps=2.0**-52))
    assert linear.collapse_gap(layers, x, "float32")[1] > 1


@pytest.mark.parametrize("smallest", [-149, -126])
def test_the_trick_is_zero_in_exact_arithmetic(smallest):
    layers = linear.xor_layers(smallest)
    assert linear.run_linear(layers, "exact") == [0, 0, 0, 0]
    one = np.linalg.multi_dot([np.array(layer, float) for layer in reversed(layers)])
    assert not one.any()


def test_the_same_linear_layers_compute_different_things_in_the_two_frameworks():
    gradual, flushed = (linear.xor_layers(smallest) for smallest in (-149, -126))
    assert linear.run_linear(gradual, "torch") == [0, 1, 1, 0]
    assert linear.run_linear(gradual, "keras") == [0, 1, 1, 2]
    assert linear.run_linear(flushed, "torch") == [0, 0, 0, 0]
    assert linear.run_linear(flushed, "keras") == [0, 1, 1, 0]


def test_a_corner_is_right_on_the_right_side_of_one_half():
    assert linear.corners([0.1, 0.9, 0.6, -2]) == 4
    assert linear.corners([0.1, 0.9, 0.6, 0.7]) == 3
    assert linear.corners([0, 1, 0, 0]) == 3
    assert linear.corners([0, 0, 0, 0]) == 2


def test_the_borrowed_slope_is_that_of_a_ramp():
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], requires_grad=True)
    y = linear.straight_through(x)
    y.sum().backward()
    assert y.tolist() == [0, 0, 1, 1, 1]
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


def test_a_step_stays_a_step_whatever_it_borrows():
    x = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    assert set(linear.straight_through(x).tolist()) == {0.0, 1.0}


def test_tuning_looks_at_the_tuning_seeds_only(monkeypatch):
    rows = [
        # (tuning, lr, seed, valid, test): 0.1 is best on the tuning seeds, 0.3 on the others
        (True, 0.1, 500, 0.9, 0.1),
        (True, 0.3, 500, 0.8, 0.2),
        (True, 1.0, 500, np.nan, 0.9),
        (False, 0.1, 1, 0.5, 0.7),
        (False, 0.1, 0, 0.5, 0.6),
        (False, 0.3, 0, 0.9, 0.9),
    ]
    columns = ["tuning", "lr", "seed", "valid_accuracy", "test_accuracy"]
    table = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(linear, "load", lambda name, arm: table)
    rate, accuracy = linear.tuned("a")
    assert rate == 0.1
    assert accuracy.tolist() == [0.6, 0.7]


def test_linear_layers_speed_up_training_at_a_shared_learning_rate():
    result = ensemble.train(
        data.load("digits"),
        arms=linear.DEPTHS,
        seeds=5,
        lr=0.01,
        keep_weights=False,
        progress=False,
    )
    shallow, deep = (result.by_arm("train_loss")[arm] for arm in linear.DEPTHS)
    assert (deep < shallow).all()


def test_one_cell_of_the_study_has_the_columns_of_its_table():
    from actlab import study

    options = {"digits": {"size": 200}}
    where = {"data": "digits", "root": 0, "tuning": True, "lr": 0.03}
    for arm in linear.ARMS:
        found = linear.cell(**where, arm=arm, options=options)
        assert {*found.columns, *where, "arm"} == set(study.load("linear_and_step").columns)
        assert list(found.seed) == list(range(500, 520))


def test_a_run_in_which_nothing_moves_is_broken_and_decides_nothing(monkeypatch):
    monkeypatch.setitem(linear.SETTINGS, "lr", 1e-60)  # no float32 is changed by so little
    with pytest.raises(RuntimeError, match="broken"):
        linear.stuck(0, lambda cases: 0.95)


def test_keras_warns_of_what_has_no_gradient():
    """The first chapter says so: of two variables, and the weights stay."""
    hidden = keras.layers.Dense(4, activation=lambda h: keras.ops.cast(h >= 0, h.dtype))
    model = keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = hidden.get_weights()[0]
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \[\S+, \S+\]"):
        model.fit(linear.XOR_X, linear.XOR_Y, verbose=0)
    assert np.array_equal(hidden.get_weights()[0], before)
