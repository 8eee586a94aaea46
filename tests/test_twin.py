"""The same network in Keras and in PyTorch: one loss curve."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from actlab import data, ensemble, twin

# 18 steps of SGD agree to float32's rounding. Adam divides by a running gradient size plus
# epsilon, and Keras adds it before the bias correction, PyTorch after: gradients of epsilon's
# size are scaled differently, and that difference is real.
TOLERANCE = {"sgd": 1e-5, "adam": 1e-3}


def digits():
    d = data.load("digits")
    return d.x_train, d.y_train


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu", "selu", "gelu"])
@pytest.mark.parametrize("optimizer", TOLERANCE)
def test_one_curve(activation, optimizer):
    lr = 0.05 if optimizer == "sgd" else 0.001
    twins = twin.keras_twin(
        digits(), seed=3, epochs=2, activation=activation, hidden=(32, 32), init="keras",
        optimizer=optimizer, lr=lr,
    )  # fmt: skip
    assert twins.torch_loss.shape == twins.keras_loss.shape == (18,)
    assert twins.largest_difference <= TOLERANCE[optimizer]
    assert twins.torch_loss[-1] < twins.torch_loss[0] - 0.05
    x = digits()[0][:50]
    with torch.no_grad():
        theirs = twins.torch_model(torch.as_tensor(x)).numpy()
    np.testing.assert_allclose(twins.keras_model(x).numpy(), theirs, atol=20 * TOLERANCE[optimizer])


def test_the_ensemble_is_a_third():
    settings = {"activation": "tanh", "hidden": (32, 32), "lr": 0.05}
    twins = twin.keras_twin(digits(), seed=3, **settings)
    result = ensemble.train(digits(), seeds=[3], epochs=1, **settings)
    sizes = [128] * 8 + [len(digits()[0]) - 8 * 128]
    mean = np.average(twins.keras_loss, weights=sizes)
    assert result.train_loss[0, 0] == pytest.approx(mean, abs=1e-5)


def test_a_keras_that_reports_running_means(monkeypatch):
    """Before 3.15 ``train_on_batch`` does not reset the metrics."""
    keras_3_15 = keras.Model.train_on_batch

    def keras_3_10(self, x, y):
        reset, self.reset_metrics = self.reset_metrics, lambda: None
        try:
            return keras_3_15(self, x, y)
        finally:
            self.reset_metrics = reset

    monkeypatch.setattr(keras.Model, "train_on_batch", keras_3_10)
    twins = twin.keras_twin(digits(), activation="tanh", hidden=(32, 32), lr=0.05)
    assert twins.largest_difference <= TOLERANCE["sgd"]


def test_the_comparison_can_fail(monkeypatch):
    """A slightly different function in one of the two frameworks is seen."""
    from actlab.catalog import Activation, get

    exact = Activation.keras
    monkeypatch.setattr(Activation, "keras", lambda self, **_: exact(get("gelu_tanh")))
    twins = twin.keras_twin(digits(), activation="gelu", hidden=(32, 32), lr=0.05)
    assert twins.largest_difference > TOLERANCE["sgd"]


def test_what_the_twins_cannot_do():
    with pytest.raises(ValueError, match="dropout is not part of the twins"):
        twin.keras_twin(digits(), dropout=0.1)
    with pytest.raises(ValueError, match="glu halves its input"):
        twin.keras_twin(digits(), activation="glu")
    with pytest.raises(ValueError, match="batch_size=9999 is larger"):
        twin.keras_twin(digits(), batch_size=9999)
