"""The measuring of the softmax chapter, on numbers whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.special import softmax as reference
from torch import nn

from actlab.experiments import calibration, shares, twice, vocabulary


def test_a_network_that_says_what_it_knows_has_hardly_any_calibration_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 200_000)
    right = rng.random(200_000) < confidence
    assert calibration.expected_error(confidence, right) < 0.01
    assert calibration.expected_error(confidence, right & (rng.random(200_000) < 0.5)) > 0.2


def test_the_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.55, 1.0])
    right = np.array([True, False, True, True])
    # Bins of a fifteenth: 0.95 and 0.95 and 1.0 share the last one, 0.55 has its own.
    expected = (abs(2.9 - 2) + abs(0.55 - 1)) / 4
    assert calibration.expected_error(confidence, right) == pytest.approx(expected)


@pytest.mark.parametrize("stretch", [0.5, 1.0, 4.0])
def test_the_temperature_that_was_put_in_is_found(stretch):
    rng = np.random.default_rng(1)
    calm = rng.normal(0, 2, (20_000, 4))
    labels = np.argmax(calm + rng.gumbel(size=calm.shape), 1)  # drawn from softmax(calm)
    assert calibration.fitted_temperature(stretch * calm, labels) == pytest.approx(
        stretch, rel=0.05
    )


def test_a_network_is_judged_by_its_largest_share():
    logits = np.log([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.08, 0.92]])
    found = calibration.judged(logits, np.array([0, 1, 1, 1]))
    assert found["accuracy"] == 0.75
    assert found["confidence"] == pytest.approx((0.95 + 0.95 + 0.6 + 0.92) / 4)
    assert found["clear"] == 0.75
    assert found["clear_wrong"] == pytest.approx(1 / 3)
    assert found["loss"] == pytest.approx(-np.log([0.95, 0.05, 0.6, 0.92]).mean())


def test_networks_side_by_side_are_trained_like_one_alone():
    from actlab import data

    wine = data.load("wine")
    both = twice.trained(wine, [0, 1], [0.1, 0.3], True, [2])[2]
    model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 3))
    start = twice.trained(wine, [0, 1], [0.0, 0.0], True, [1])[1]  # a rate of 0: the start
    with torch.no_grad():
        for weight, first in zip(model.parameters(), start, strict=True):
            weight.copy_(first[1].T.reshape(weight.shape))
    x, y = torch.from_numpy(wine.x_train), torch.from_numpy(wine.y_train)
    order = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(2):
        for rows in torch.randperm(len(x), generator=order).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]).softmax(1), y[rows]).backward()
            optimizer.step()
    test = torch.from_numpy(wine.x_test)
    with torch.no_grad():
        assert torch.allclose(model(test), twice.outputs(both, test)[1], atol=1e-5)


def test_the_second_softmax_is_not_in_the_score():
    weights = [torch.eye(2)[None], torch.zeros(1, 1, 2), torch.eye(2)[None], torch.zeros(1, 1, 2)]
    x, y = np.array([[3.0, 0.0], [0.0, 1.0]], np.float32), np.array([0, 0])
    accuracy, loss = twice.accuracy_and_loss(weights, x, y)
    assert accuracy == 0.5
    assert loss == pytest.approx(-np.log(reference(x, axis=1)[:, 0]).mean())
    weights[0] = weights[0] * float("nan")
    assert twice.accuracy_and_loss(weights, x, y) == (0.5, pytest.approx(np.log(2)))


def test_the_loss_of_two_logits_is_exact():
    gap = np.array([0.0, 3.0, 100.0])
    right = np.log(reference(np.stack([np.zeros(3), gap], 1)[:2], axis=1)[:, 0])
    assert shares.exact_log_share(gap)[:2] == pytest.approx(right)
    assert shares.exact_log_share(gap)[2] == -100


def test_what_is_off_counts_nan_and_infinity():
    assert shares.share_off(np.array([1.0, np.nan, -np.inf, 1.02]), np.ones(4)) == 75


def test_words_are_numbered_by_frequency_and_the_unknown_come_first():
    assert vocabulary.known(np.array([0, 1, 2, 3, 9]), 4).tolist() == [1, 2, 3, 0, 0]
    texts = [np.array([0, 1, 2, 3]), np.array([5, 0, 1])]
    assert vocabulary.windows(texts, 10).tolist() == [[1, 2, 3], [2, 3, 4], [6, 1, 2]]


def test_documentation_is_read_from_an_installed_package():
    texts = vocabulary.documentation("json")
    assert texts[0][:4] == ["json", "javascript", "object", "notation"]
    with pytest.raises(ModuleNotFoundError, match="no package 'nosuchpackage'"):
        vocabulary.documentation("nosuchpackage")


def test_both_layers_give_the_loss_of_their_probabilities():
    x, y = torch.randn(20, 32), torch.arange(20) * 5
    full, adaptive = (vocabulary.layer(kind, 32, 100) for kind in vocabulary.KINDS)
    log_p = full(x).log_softmax(1)
    assert torch.allclose(vocabulary.loss_of(full, x, y), -log_p[range(20), y].mean())
    log_p = adaptive.log_prob(x)
    assert torch.allclose(vocabulary.loss_of(adaptive, x, y), -log_p[range(20), y].mean())


def test_the_bytes_of_a_full_layer_are_its_weights_twice_and_what_it_keeps():
    x = torch.randn(10, 32)
    y = torch.zeros(10, dtype=torch.int64)
    found = vocabulary.kept_bytes(vocabulary.layer("full", 32, 1000), x, y)
    weights, logits = 4 * 32 * 1000, 4 * 10 * 1000
    assert 2 * weights + logits <= found <= 2 * weights + 2 * logits + x.nbytes + y.nbytes + 64
