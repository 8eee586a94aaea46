"""What people bring to the ensemble works, or is refused before any work with what to do."""

from __future__ import annotations

import dataclasses
import functools
import signal
import threading
import time
import types

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import torch

from actlab import ensemble, twin
from actlab.ensemble import training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 1)
SMALL = {"arms": ["relu"], "seeds": 1, "epochs": 1, "hidden": (4,), "batch_size": 30}


def parts(x=X, y=Y):
    return (x[:50], y[:50], x[50:70], y[50:70], x[70:], y[70:])


def outcome(data, **options):
    result = ensemble.train(data, **{**SMALL, **options})
    return np.hstack([result.train_loss[:, -1], result.valid_loss[:, -1], result.test_loss])


@functools.cache
def usual():
    return outcome(parts())


# --- Data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        parts(X.astype(np.float64)),
        parts(X.astype(">f4"), Y.astype(">i2")),
        parts(np.asfortranarray(X), Y.astype(float)),
        parts(X[::-1][::-1], Y[:, None]),
        parts(pd.DataFrame(X), pd.Series(Y)),
        parts(pd.DataFrame(X).convert_dtypes(), pd.Series(Y).convert_dtypes()),
        parts(torch.tensor(X, requires_grad=True), torch.tensor(Y)),
        parts(tf.constant(X), tf.constant(Y, tf.uint8)),
        parts(X.tolist(), Y.tolist()),
        list(parts()),
        types.SimpleNamespace(
            **dict(
                zip(
                    ("x_train", "y_train", "x_valid", "y_valid", "x_test", "y_test"),
                    parts(),
                    strict=True,
                )
            )
        ),
    ],
    ids=[
        *("float64", "byte order", "columns, float labels", "reversed, label column", "pandas"),
        *("nullable pandas", "torch", "tensorflow", "lists", "a list of parts", "any data set"),
    ],
)
def test_the_same_result_whatever_the_data_come_in(given):
    np.testing.assert_array_equal(outcome(given), usual())


def datasets(kind):
    """The three parts as a framework gives them, batch by batch."""
    x, y = parts()[::2], parts()[1::2]
    for each in zip(x, y, strict=True):
        if kind == "tf":
            yield tf.data.Dataset.from_tensor_slices(each).batch(8)
            continue
        dataset = torch.utils.data.TensorDataset(*map(torch.tensor, each))
        yield dataset if kind == "dataset" else torch.utils.data.DataLoader(dataset, batch_size=8)


@pytest.mark.parametrize("kind", ["tf", "dataset", "loader"])
def test_data_that_come_in_batches(kind):
    np.testing.assert_array_equal(outcome(tuple(datasets(kind))), usual())
    alone = ensemble.train(next(datasets(kind)), **SMALL)
    np.testing.assert_array_equal(alone.train_loss, ensemble.train(parts()[:2], **SMALL).train_loss)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (tf.data.Dataset.from_tensor_slices(X).batch(8), "the train data: expected pairs"),
        (tf.data.Dataset.from_tensor_slices((X, Y, Y)).batch(8), "without sample weights"),
        (tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat(), "never ends"),
        (tf.data.Dataset.from_tensor_slices((X[:0], Y[:0])).batch(8), "gave no data"),
        (torch.utils.data.TensorDataset(torch.ones(8, 1, 4, 4), torch.zeros(8)), "flatten images"),
    ],
)
def test_batches_that_cannot_be_used(source, message):
    with pytest.raises(ValueError, match=message):
        ensemble.train(source, **SMALL)


def test_read_only_files_are_fine_and_nothing_is_written_to(tmp_path, recwarn):
    np.save(tmp_path / "x.npy", X)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(outcome(parts(x)), usual())
    assert not [w for w in recwarn if "writable" in str(w.message)]
    before = X.copy(), Y.copy()
    outcome(parts(), normalization="batch", probe="gradients")
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])


def test_two_classes_as_booleans():
    outcome(parts(X, X[:, 0] > 0))


def replaced(position, value):
    given = list(parts())
    given[position] = value
    return tuple(given)


ODD = np.where(Y == 1, 5, Y)
LARGE = np.where(X[3, 1] == X, 1e300, X.astype(float))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (((X, Y), (X, Y)), r"keras\.datasets.*one tuple x_train, y_train"),
        ([(X, Y), [X, Y], (X, Y)], r"load_data\(\)"),
        (parts(LARGE), r"x_train holds numbers too large for float32 .first in row 3.: scale"),
        (replaced(0, np.zeros((50, 0))), r"x_train has shape \(50, 0\): there is no feature"),
        (replaced(0, X[:50, 0]), r"x_train has shape \(50,\).*\.reshape\(-1, 1\)"),
        (replaced(0, np.ones((50, 4, 4))), r"flatten images first, with \.reshape\(len\(x\), -1\)"),
        (replaced(0, X[:0]), "with the same n > 0"),
        (replaced(2, None), "data: y_valid is given and x_valid is missing"),
        (replaced(5, None), "data: x_test is given and y_test is missing"),
        (replaced(0, None), "x_train and y_train are needed"),
        (replaced(0, X[:50] + 1j), "x_train: expected real numbers.*complex"),
        (replaced(0, X[:50].astype(str)), "x_train: expected real numbers.*text"),
        (replaced(0, pd.DataFrame(X[:50]).mask(X[:50] > 2).convert_dtypes()), "x_train holds NaN"),
        (parts(X, ODD), r"labels up to 5, and 3 below it are nowhere used .1, 3, 4.: .*np\.unique"),
        (parts(X, np.where(Y == 0, -1, Y)), r"y_train holds labels from -1 to 2: .*np\.unique"),
        (parts(X, np.eye(3)[Y]), r"y_train has shape \(50, 3\).*y_train\.argmax\(1\)"),
        (parts(X, Y + 0.5), "y_train holds [01].5 .row 0.: expected class numbers"),
        (parts(X, np.array(list("abc"))[Y]), "y_train: expected real numbers.*text"),
        (parts(X, Y * 0), "y_train holds one class only"),
        (replaced(5, Y[70:] + 3), "y_test holds labels from 3 to [45]: expected 0 to 2"),
        ({"x_train": X}, "expected an actlab.data.Dataset or a tuple.*got dict"),
        (None, "got NoneType"),
    ],
)
def test_data_that_cannot_be_used(data, message, monkeypatch):
    monkeypatch.setattr(training, "run_all", lambda *_: pytest.fail("work has started"))
    for ask in (ensemble.train, ensemble.tune, twin.keras_twin):
        if ask is ensemble.tune and message.startswith("y_test"):
            continue  # it does not even look
        options = SMALL if ask is not twin.keras_twin else {"hidden": (4,)}
        with pytest.raises((ValueError, TypeError), match=message):
            ask(data, **options)


def test_a_class_may_be_missing_in_the_training_part_of_a_named_set():
    """Such a set says itself how many classes there are."""
    from actlab import data

    wine = data.load("wine")
    some = wine.y_train != 1
    less = dataclasses.replace(wine, x_train=wine.x_train[some], y_train=wine.y_train[some])
    result = ensemble.train(less, **{**SMALL, "epochs": 1})
    assert result.member(0)[-1].out_features == 3


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "whole"), [(np.float64, np.int64), (np.float16, np.uint8), (np.array, np.array),
                        (torch.tensor, torch.tensor), (float, int)],
)  # fmt: skip
def test_numbers_of_all_kinds(kind, whole):
    options = {
        **{"lr": kind(0.125), "momentum": kind(0.5), "weight_decay": kind(0.25), "gain": kind(2.0)},
        **{"clip_norm": kind(1.0), "dropout": kind(0.25), "bias": kind(0.5), "eps": kind(0.5)},
        **{"epochs": whole(2), "seeds": whole(2), "batch_size": whole(25), "chunk": whole(1)},
        **{"hidden": [whole(4), whole(3)], "betas": [kind(0.5), kind(0.75)], "patience": whole(2)},
        **{"probe": "dead", "probe_at": [whole(0), whole(4)], "report_at": [whole(1)]},
        **{"params": {"negative_slope": kind(0.5)}, "activation": "leaky_relu"},
    }
    result = ensemble.train(parts(), **options)
    settings = result.arms["leaky_relu"]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        inside = value if isinstance(value, tuple) else [value]
        assert all(isinstance(v, (int, float, str, dict, type(None))) for v in inside)
        assert not any(isinstance(v, np.generic) for v in inside)
    assert type(settings.params["negative_slope"]) is float
    assert result.probe_steps("leaky_relu").tolist() == [0, 4]
    assert result.member(whole(1)) is result.member("leaky_relu", whole(1))


def test_decay_by_kind_and_targets_too():
    result = ensemble.train(
        parts(),
        **SMALL,
        weight_decay={"weights": np.float32(0.5)},
        until={"valid_loss": np.float32(0.1)},
    )
    assert result.arms["relu"].weight_decay == {"weights": 0.5}


@pytest.mark.filterwarnings("ignore:the best learning rate")
def test_a_list_of_rates_as_an_array():
    tuning = ensemble.tune(
        parts(), **SMALL, lrs=np.array([0.01, 0.1, 1e-4], np.float32), metric="valid_loss"
    )
    assert all(type(lr) is float for lr in tuning.lr.values())
    arms = ensemble.cross(lr=np.array([0.5, 0.25]), activation=("relu", "tanh"))
    assert next(iter(arms)) == "lr=0.5, relu"


BAD = [
    ({"seeds": [0.5]}, "seeds=.0.5.: expected different integers"),
    ({"seeds": "12"}, "seeds='12': expected a list, such as 20 or"),
    ({"seeds": 2.0}, "seeds=2.0: expected a list"),
    ({"seeds": True}, "seeds=True: expected a list"),
    ({"seeds": [True, False]}, "expected different integers"),
    ({"seeds": [2**63]}, "expected different integers"),
    ({"seeds": None}, "seeds=None: expected"),
    ({"epochs": True}, "epochs=True: expected a positive integer"),
    ({"epochs": "3"}, "epochs='3': expected a positive integer"),
    ({"patience": 2.0}, "patience=2.0: expected a positive integer"),
    ({"chunk": np.nan}, "chunk=nan: expected a positive integer"),
    ({"probe": "dead", "probe_at": [-1]}, "a step of probe_at=-1: expected an integer from 0 to 2"),
    ({"probe": "dead", "probe_at": [0, 3]}, "a step of probe_at=3: .* from 0 to 2"),
    ({"probe": "dead", "probe_at": [0.5]}, "a step of probe_at=0.5"),
    ({"probe": "dead", "probe_at": "epochs"}, r"probe_at='epochs': expected .* or \"epoch\""),
    ({"probe": "dead", "probe_at": 1}, "probe_at=1: expected a list"),
    ({"probe": 3}, "probe=3: expected a list"),
    ({"probe": [None]}, "unknown probe None"),
    ({"probe": "dead", "probe_data": X}, r"probe_data: expected a pair \(x, y\), got ndarray"),
    ({"probe": "dead", "probe_data": 5}, r"probe_data: expected a pair \(x, y\), got int"),
    ({"probe": "gradients", "probe_data": (X, Y + 1)}, "probe_data: y holds labels from 1 to 3: "
     "expected 0 to 2"),
    ({"probe": "dead", "probe_data": (X[:, :2], Y)}, "probe_data: x has 2 features"),
    ({"probe": "dead", "probe_data": (X * np.nan, Y)}, "probe_data: x holds NaN"),
    ({"probe": "dead", "probe_data": (X[:0], Y[:0])}, "same n > 0"),
    ({"hidden": 8}, "hidden=8: expected a list, such as .64, 64."),
    ({"hidden": "88"}, "hidden='88': expected a list"),
    ({"hidden": (8.0,)}, "hidden=.8.0,.: expected positive integers"),
    ({"hidden": (True,)}, "expected positive integers"),
    ({"betas": 0.9}, "betas=0.9: expected a list"),
    ({"lr": True}, "lr=True: expected a positive number"),
    ({"lr": [0.1]}, "lr=.0.1.: expected a positive number"),
    ({"lr": "0.1"}, "lr='0.1': expected a positive number"),
    ({"lr": 1e300}, "lr=1e.300: expected a positive number below"),
    ({"lr": 10**400}, "expected a positive number below"),
    ({"weight_decay": 1e300}, "weight_decay=1e.300: expected zero or .*below 1e38"),
    ({"weight_decay": {"weights": True}}, "weight_decay"),
    ({"momentum": np.nan}, "momentum=nan: expected a number in"),
    ({"dropout": False}, "dropout=False: expected a share"),
    ({"bias": np.inf}, "bias=inf: expected None"),
    ({"bias": True}, "bias=True: expected None"),
    ({"batch_size": 16.0}, "batch_size=16.0: expected at least 1, an integer"),
    ({"residual": "no"}, "residual='no': expected True or False"),
    ({"alpha_dropout": 1}, "alpha_dropout=1: expected True or False"),
    ({"params": None}, "params=None: expected a mapping"),
    ({"params": [0.1]}, "params=.*: expected a mapping"),
    ({"arms": None, "activation": None}, "activation, got <class 'NoneType'>"),
    ({"init": None}, "unknown init None"),
    ({"init": lambda shape, generator: None}, "arm 'relu': init: expected real numbers"),
    ({"init": lambda shape, generator: np.ones(shape[::-1])}, "init gave shape .3, 4. when asked "
     "for .4, 3.: expected"),
    ({"init": lambda shape, generator: np.full(shape, np.nan)}, "init gave NaN or infinity"),
    ({"bias": lambda weights, layer: weights}, "bias gave shape .* when asked "),
    ({"arms": {"a": "relu"}}, "arm 'a': expected a mapping of settings"),
    ({"arms": 3}, "arms=3: expected a list"),
    ({"arms": [3]}, "expected the name of an activation"),
    ({"device": "gpu"}, "device='gpu': expected a device of PyTorch"),
    ({"device": 1.5}, "device=1.5: expected a device"),
    ({"report_at": [2]}, "report_at=.2.: expected different epochs from 1 to 1"),
    ({"report_at": 1}, "report_at=1: expected a list"),
    ({"until": {"train_loss": True}}, "expected a number"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_numbers_and_names_that_are_none(bad, message, monkeypatch):
    monkeypatch.setattr(training, "run_all", lambda *_: pytest.fail("work has started"))
    with pytest.raises((ValueError, TypeError), match=message):
        ensemble.train(parts(), **{**SMALL, **bad})


def test_an_initialisation_of_ones_own_may_give_numpy():
    own = outcome(parts(), init=lambda shape, generator: np.eye(*shape, dtype=np.float32))
    same = outcome(parts(), init=lambda shape, generator: torch.eye(*shape))
    np.testing.assert_array_equal(own, same)


# --- Probes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "error", "message"),
    [
        (None, TypeError, "probe 'spy' returned NoneType: expected a dict from names to arrays"),
        (np.ones(3), TypeError, "probe 'spy' returned ndarray"),
        ({"it": None}, TypeError, "probe 'it': expected real numbers"),
        ({"it": ["a", "b", "c"]}, TypeError, "probe 'it': expected real numbers"),
        ({"it": 3.0}, ValueError, r"probe 'it' returned shape \(\) for 3 networks"),
        ({"it": np.ones((2, 3))}, ValueError, r"shape \(2, 3\) for 3 networks"),
    ],
)
def test_a_probe_that_gives_something_else(seen, error, message):
    def spy(snapshot):
        return seen

    with pytest.raises(error, match=message):
        ensemble.train(parts(), **{**SMALL, "seeds": 3}, chunk=3, probe=spy)


def test_a_probe_may_give_tensors_lists_and_complex_numbers():
    def spy(snapshot):
        n = len(snapshot.networks)
        weights = snapshot.weights[0]
        return {
            "tensor": weights.clone().requires_grad_(),
            "list": [1] * n,
            "complex": torch.linalg.eigvals(weights[:, :3, :3]),
        }

    result = ensemble.train(parts(), **{**SMALL, "seeds": 3}, probe=spy)
    assert result.probe("tensor", "relu").shape == (3, 2, 4, 3)
    assert result.probe("complex", "relu").dtype.kind == "c"


# --- Tuning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"arms": {"a": {"lr": 0.1}, "b": {}}}, "^a: lr is what is tuned, and would replace"),
        ({"lrs": 0.1}, "lrs=0.1: expected a list"),
        ({"lrs": "0.1"}, "lrs='0.1': expected a list"),
        ({"lrs": [0.1, -1.0]}, "lrs=.0.1, -1.0.: expected positive numbers"),
        ({"lrs": [np.nan]}, "expected positive numbers"),
        ({"lrs": [True]}, "expected positive numbers"),
        ({"lrs": ["0.1"]}, "expected positive numbers"),
        ({"metric": None}, "metric=None: expected"),
        ({"seeds": "1"}, "seeds='1': expected"),
    ],
)
def test_tuning_that_makes_no_sense(bad, message, monkeypatch):
    monkeypatch.setattr(training, "run_all", lambda *_: pytest.fail("work has started"))
    with pytest.raises((ValueError, TypeError), match=message):
        ensemble.tune(parts(), **{**SMALL, **bad})


def test_one_fair_rate_refuses_a_rate_of_the_arms_own():
    with pytest.raises(TypeError, match="lr is what is chosen"):
        ensemble.fair_rate([parts()], {"lr": 0.1})
    with pytest.raises(ValueError, match="start=0: expected a positive number"):
        ensemble.fair_rate([parts()], {}, start=0)


@pytest.mark.parametrize("single", ["relu", 0.1, None])
def test_a_choice_of_one_goes_into_a_list(single):
    with pytest.raises(TypeError, match=r"expected a list, such as \["):
        ensemble.cross(activation=single)


# --- Results --------------------------------------------------------------------------------------


def test_results_that_are_not_there():
    result = ensemble.train(parts(), **{**SMALL, "seeds": 2})
    for ask in (
        lambda: result.member(2),
        lambda: result.member(-1),
        lambda: result.member(np.int64(7)),
        lambda: result.member(0, 1),
        lambda: result.member("relu", 5),
        lambda: result.index("relu", "0"),
        lambda: result.by_arm("arm"),
        lambda: result.by_arm(["test_loss"]),
    ):
        with pytest.raises(KeyError, match=r"no (network|seed|result) .*there are"):
            ask()


def test_nothing_is_reached_before_the_first_epoch_has_ended():
    """After Ctrl-C in the first epoch every figure is NaN, those of the test set too."""

    def interrupt(snapshot):
        if snapshot.step == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.2)
        return {}

    result = ensemble.train(
        parts(), **{**SMALL, "epochs": 50, "seeds": 2}, chunk=2, probe=interrupt, probe_at=[1]
    )
    assert result.interrupted
    for name in ("train_loss", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy"):
        assert np.isnan(getattr(result, name)).all(), name
    assert (result.best_epoch == 0).all()


# --- Twins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"seed": 0.5}, "seed=0.5: expected zero or a positive integer"),
        ({"epochs": 0}, "epochs=0: expected a positive integer"),
        ({"dtype": "float8"}, "unknown dtype 'float8'"),
        ({"dtype": "int32"}, "unknown dtype 'int32'"),
        ({"learning_rate": 0.1}, "unknown setting 'learning_rate'"),
    ],
)
def test_twins_of_nothing(bad, message):
    with pytest.raises((ValueError, TypeError), match=message):
        twin.keras_twin(parts(), **{"hidden": (4,), "batch_size": 25, **bad})
