"""The measuring of the chapter on attention, on numbers whose answer is known."""

import keras
import numpy as np
import pytest
import torch
from scipy.special import softmax

from actlab.experiments import attention


def test_the_slope_is_that_of_the_jacobian():
    scores = np.random.default_rng(0).normal(size=(3, 5))
    shares = softmax(scores, axis=-1)
    for row, found in zip(torch.from_numpy(scores), attention.slope(shares), strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda s: s.softmax(0), row)
        assert found == pytest.approx(float(torch.linalg.norm(jacobian)))


def test_a_function_that_joins_places_is_found_out():
    assert attention.changed_elsewhere(np.tanh, 0) == 0
    assert attention.changed_elsewhere(lambda x: x - x.mean(1, keepdims=True), 0) == 100
    half = attention.changed_elsewhere(lambda x: np.cumsum(x, axis=1), 0)
    assert half == pytest.approx(100 * 3 / 5)  # the three behind it


def test_weights_carried_over_make_the_same_layer_and_others_do_not():
    layer = attention.in_torch(1)
    x = np.random.default_rng(0).normal(size=(2, 4, attention.FEATURES))
    given = torch.from_numpy(x)
    ours = layer(given, given, given)[0].detach().numpy()
    assert np.allclose(attention.in_keras(layer)(x, x), ours)
    assert not np.allclose(attention.in_keras(attention.in_torch(2))(x, x), ours, atol=0.1)


@pytest.mark.parametrize("name", attention.masked(np.ones((2, 3), bool), 0))
def test_every_call_gives_shares(name):
    weights = attention.masked(np.ones((2, 3), bool), 0)
    if name.startswith("nn."):  # where True means: do not look
        weights = attention.masked(np.zeros((2, 3), bool), 0)
    found = weights[name]()
    assert found.shape == (2, 3)
    assert np.allclose(found.sum(1), 1)
    assert np.ptp(found) > 0.01


def test_dropout_falls_on_the_shares_that_keras_uses_and_not_on_those_it_shows():
    keras.utils.set_random_seed(0)
    layer = keras.layers.MultiHeadAttention(1, 4, dropout=0.5)
    x = np.random.default_rng(0).normal(size=(1, 6, 4)).astype(np.float32)
    layer(x, x)
    out, shown = layer(x, x, training=True, return_attention_scores=True)
    still = layer(x, x, training=False)
    assert np.allclose(np.asarray(shown).sum(-1), 1, atol=1e-5)
    assert not np.allclose(out, still, atol=0.01)
