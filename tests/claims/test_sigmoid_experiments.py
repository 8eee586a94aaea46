"""The experiments of the sigmoid chapter do what their descriptions say."""

import numpy as np
import pytest
import torch
from torch import nn

from actlab import data, ensemble
from actlab.claims import sigmoid_tanh as lab
from actlab.claims import sigmoid_training as training


def one_by_one(model, x, y):
    """Root mean square over the examples of every layer's gradient norm, by autograd."""
    linears = [module for module in model if isinstance(module, nn.Linear)]
    squares = []
    for xi, yi in zip(x, y, strict=True):
        loss = nn.functional.cross_entropy(model(xi[None]), yi[None])
        grads = torch.autograd.grad(loss, [layer.weight for layer in linears[:-1]])
        squares.append([float(grad.square().sum()) for grad in grads])
    return np.sqrt(np.mean(squares, 0))


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_the_gradient_profile_is_what_autograd_finds(activation):
    x, y = lab.some_digits(20)
    settings = ensemble.Settings(activation=activation, hidden=(64,) * 4, init="torch", gain=2.0)
    drawn = ensemble.initial_weights(settings, settings.layer_sizes(64, 10), seed=3)
    modules = []
    for weight, bias in drawn:
        layer = nn.Linear(*weight.T.shape, dtype=torch.float64)
        layer.load_state_dict({"weight": weight, "bias": bias})
        modules += [layer, nn.Sigmoid() if activation == "sigmoid" else nn.ReLU()]
    expected = one_by_one(nn.Sequential(*modules[:-1]), torch.from_numpy(x), torch.from_numpy(y))
    got = lab.gradient_profile(x, y, activation=activation, init="torch", depth=4, seed=3, gain=2.0)
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_the_theory_knows_the_known_cases():
    he = lab.mean_field("relu", lab.STARTS["He"], 10)
    np.testing.assert_allclose(he.factor, 1)  # He et al., 2015
    np.testing.assert_allclose(he.signal, 1)
    np.testing.assert_allclose(he.gradient(), 1)
    glorot = lab.mean_field("relu", lab.STARTS["Glorot"], 10)
    np.testing.assert_allclose(glorot.factor, 0.5)
    # SELU's fixed point (Klambauer et al., 2017): variance 1 stays 1.
    np.testing.assert_allclose(lab.mean_field("selu", lab.STARTS["LeCun"], 50).signal[-1], 1, 1e-4)


def test_the_critical_gain_is_the_one_that_the_study_uses():
    assert lab.critical_gain("sigmoid") == pytest.approx(training.CRITICAL_GAIN, abs=0.005)
    assert lab.mean_field("sigmoid", lab.Start(16.0, None), 50).factor[-1] < 0.5
    assert lab.mean_field("sigmoid", lab.CENTRED_START, 50).factor[-1] > 0.95


def test_a_centred_sigmoid_network_starts_as_a_tanh_network():
    weight = lab.centred_orthogonal((64, 64), torch.Generator().manual_seed(0))
    h = torch.randn(64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(weight @ torch.sigmoid(h), weight @ torch.tanh(h / 2) / 2)
    values = torch.linalg.svdvals(weight)
    torch.testing.assert_close(values[:-1], torch.full((63,), 4.0, dtype=torch.float64))
    assert values[-1] < 1e-10


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_the_race_trains_as_the_ensemble_does(name):
    digits = data.load("digits")
    label = {"tanh": "tanh", "sigmoid": "σ(x), weights × 4"}[name]
    steps = 17  # one epoch, its last and smaller batch included
    curve = training.CURVES[label]
    _, got = training.race(digits, curve, [0, 1], [0.03, 0.1], target=2.0, steps=steps, every=steps)
    result = ensemble.train(
        digits,
        arms={f"{lr}": {"lr": lr} for lr in (0.03, 0.1)},
        seeds=2,
        epochs=1,
        activation=name,
        init="lecun_normal",
        gain=curve.gain,
        hidden=training.RACE_HIDDEN,
        batch_size=64,
        progress=False,
    )
    expected = np.stack(list(result.by_arm("valid_accuracy").values()))
    assert np.abs(got - expected).max() < 2.5 / len(digits.y_valid)  # float32 ties
    assert np.ptp(expected) > 0.05


def test_a_race_ends_when_everybody_has_arrived():
    digits = data.load("digits")
    steps, accuracy = training.race(
        digits, training.CURVES["tanh"], [0, 1], [0.1], target=0.5, steps=60
    )
    assert steps.shape == (1, 2)
    assert (steps < 60).all()
    assert (accuracy > 0.4).all()


@pytest.mark.parametrize(
    ("accuracy", "stop", "kept"),
    [
        ([0.1] * 20, 8, 1),  # a tie is no improvement
        ([0.1] * 7, None, 1),
        ([0.1, 0.2] + [0.1] * 20, 9, 2),
        ([0.1] * 7 + [0.2] + [0.1] * 3, None, 8),  # just in time
        (np.linspace(0, 1, 20), None, 20),
    ],
)
def test_the_published_stopping_rule(accuracy, stop, kept):
    assert training.published_stop(np.array(accuracy)) == (stop, kept)


def test_the_published_split_is_the_tutorials():
    try:
        x_train, y_train, x_valid, y_valid, _, y_test = training.published_split()
    except data.DataError as reason:
        pytest.skip(str(reason))
    assert (len(x_train), len(x_valid), len(y_test)) == (50_000, 10_000, 10_000)
    # PyTorch's generator shuffles within classes, too: the shares are not equal.
    counts = np.bincount(y_valid)
    assert counts.sum() == 10_000
    assert 900 < counts.min() < 1000 < counts.max() < 1100
    assert (np.bincount(y_train) + counts == 6000).all()


def test_tuning_never_sees_the_seeds_of_the_study():
    from actlab.claims.relu import root_seeds

    for root in (0, 1):
        assert not set(training.tuning_seeds(root)) & {*root_seeds(0), *root_seeds(1)}


def test_gradients_in_training_are_those_of_the_mean_loss(monkeypatch):
    monkeypatch.setattr(training, "ACTIVATIONS", ("tanh",))
    monkeypatch.setattr(training, "TRAINED_DEPTHS", (2,))
    monkeypatch.setattr(training, "TRAINED_STARTS", ("He",))
    monkeypatch.setattr(training, "TRAINED_RATES", (0.03,))
    monkeypatch.setattr(training, "root_seeds", lambda root: (10 * root, 10 * root + 1))
    table = training.trained_gradients_study()
    assert len(table) == 2 * 2 * 3 * 2  # roots × seeds × looks × layers
    assert (table[table.epoch == 3].valid_accuracy > 0.5).all()

    digits = data.load("digits")
    settings = ensemble.Settings(activation="tanh", hidden=(64, 64), init="he_normal")
    drawn = ensemble.initial_weights(settings, settings.layer_sizes(64, 10), seed=11)
    modules = []
    for weight, bias in drawn:
        layer = nn.Linear(*weight.T.shape)
        layer.load_state_dict({"weight": weight, "bias": bias})
        modules += [layer, nn.Tanh()]
    model = nn.Sequential(*modules[:-1])
    x, y = (torch.from_numpy(part[:256]) for part in (digits.x_train, digits.y_train))
    nn.functional.cross_entropy(model(x), y).backward()
    expected = [model[0].weight.grad.norm().log10(), model[2].weight.grad.norm().log10()]
    found = table[(table.seed == 11) & (table.epoch == 0)].sort_values("layer").log_norm
    np.testing.assert_allclose(found, expected, atol=1e-3)
    ratio = training.trained_ratio(table[table.root == 1], "tanh", "He", 2, 0)
    np.testing.assert_allclose(ratio[1], expected[0] - expected[1], atol=1e-3)


def test_networks_that_have_diverged_and_gradients_of_zero_have_an_interval():
    assert np.isnan(training._interval_or_constant(np.array([]))).all()
    assert training._interval_or_constant(np.array([-45.0, -45.0])) == [-45, -45, -45]
    assert training._interval_or_constant(np.array([0.0, 2.0]))[0] == 1
