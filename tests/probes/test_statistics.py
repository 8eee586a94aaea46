"""Every probe against a slow, obvious brute force: loops over networks, units and samples."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from actlab import catalog, probes
from actlab.recipes.torch import Squareplus


def rng(seed=0):
    return np.random.default_rng(seed)


def layer(seed=0, networks=3, samples=40, units=7):
    """ReLU-like activations with dead, almost dead, always-on and sign-changing units."""
    h = np.maximum(rng(seed).normal(size=(networks, samples, units)), 0)
    h[0, :, 1] = 0
    h[1, :, :2] = 0
    h[1, -1, 1] = 1e-30  # alive, if barely
    h[2, :, 3] *= 0.01
    h[2, :, 4] = np.where(np.arange(samples) % 2, 1.0, -1.0)  # mean 0, and very much alive
    return h


def as_tensor(h, dtype=torch.float64):
    return torch.from_numpy(h).to(dtype)


def brute_dead(h, threshold=0.0):
    networks, samples, units = h.shape
    dead = np.ones((networks, units), bool)
    for m in range(networks):
        for u in range(units):
            for s in range(samples):
                if abs(h[m, s, u]) > threshold:
                    dead[m, u] = False
    return dead


def brute_scores(h):
    scores = np.zeros((h.shape[0], h.shape[2]))
    for m in range(h.shape[0]):
        sizes = [sum(abs(v) for v in h[m, :, u]) / h.shape[1] for u in range(h.shape[2])]
        for u, size in enumerate(sizes):
            scores[m, u] = size / (sum(sizes) / len(sizes))
    return scores


# --- Units ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.01, 1.5])
def test_dead_units_are_those_that_never_leave_zero(threshold):
    h = layer()
    dead = probes.dead_units(as_tensor(h), threshold)
    expected = brute_dead(h, threshold)
    np.testing.assert_array_equal(dead, expected)
    assert 0 < expected.sum() < expected.size
    shares = [sum(row) / len(row) for row in expected.tolist()]
    np.testing.assert_allclose(probes.dead_share(as_tensor(h), threshold), shares, rtol=1e-15)


@pytest.mark.parametrize("tau", [0.0, 0.025, 1.0])
def test_dormant_units_are_those_far_below_the_average_of_their_layer(tau):
    h = layer()
    np.testing.assert_allclose(probes.dormant_scores(as_tensor(h)), brute_scores(h), rtol=1e-12)
    dormant = probes.dormant_units(as_tensor(h), tau).numpy()
    np.testing.assert_array_equal(dormant, brute_scores(h) <= tau)
    assert dormant.any()
    assert not dormant.all()


def test_dormant_is_not_dead():
    h = layer()
    dead, dormant = probes.dead_units(as_tensor(h)), probes.dormant_units(as_tensor(h))
    assert not dead[2, 3]
    assert dormant[2, 3]
    assert (dormant | ~dead).all()  # every dead unit is dormant


def test_a_silent_layer_is_dormant_throughout():
    h = torch.zeros(2, 5, 3)
    assert probes.dormant_units(h).all()
    assert (probes.dormant_scores(h) == 0).all()


def test_fates_follow_each_unit():
    before = np.array([[True, True, False, False]])
    after = np.array([[True, False, True, False]])
    fates = probes.fates(torch.from_numpy(before), torch.from_numpy(after))
    for u, (b, a) in enumerate(zip(before[0], after[0], strict=True)):
        assert fates.dead_before[0, u] == b
        assert fates.died[0, u] == ((not b) and a)
        assert fates.revived[0, u] == (b and not a)
        assert fates.stayed_dead[0, u] == (b and a)


def test_revival_is_seen_in_a_network_whose_bias_is_lifted():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    nn.init.ones_(model[0].weight)
    model[0].bias.data = torch.tensor([-5.0, -5.0, 0.0])
    before = probes.dead_units(probes.record(model, x)["1"])
    model[0].bias.data = torch.tensor([0.0, -5.0, -5.0])
    fates = probes.fates(before, probes.dead_units(probes.record(model, x)["1"]))
    assert fates.dead_before.tolist() == [[True, True, False]]
    assert fates.revived.tolist() == [[True, False, False]]
    assert fates.died.tolist() == [[False, False, True]]


# --- Moments, saturation -------------------------------------------------------------------------


def test_moments_pool_units_and_samples():
    h = layer(seed=1) + 5
    got = probes.moments(as_tensor(h))
    for m in range(len(h)):
        values = [v for row in h[m] for v in row]
        mean = sum(values) / len(values)
        variance = sum((v - mean) ** 2 for v in values) / len(values)
        np.testing.assert_allclose(got.mean[m], mean, rtol=1e-13)
        np.testing.assert_allclose(got.variance[m], variance, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "params"),
    [("sigmoid", {}), ("tanh", {}), ("relu", {}), ("elu", {"alpha": 0.7}), ("hard_tanh", {})],
)
@pytest.mark.parametrize("share", [0.01, 0.2])
def test_saturation_counts_where_the_slope_has_gone(name, params, share):
    z = rng(2).normal(scale=4, size=(2, 30, 5))
    record = catalog.get(name)
    steepest = max(abs(record.derivative(v, **params)) for v in np.linspace(-5, 5, 1001))
    expected = []
    for network in z:
        slopes = [abs(record.derivative(v, **params)) for row in network for v in row]
        expected.append(sum(s < share * steepest for s in slopes) / len(slopes))
    assert min(expected) > 0
    assert max(expected) < 1
    for activation in (name, record):
        got = probes.saturation_share(as_tensor(z), activation, share, **params)
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_saturation_needs_a_slope():
    z = torch.zeros(1, 2, 3)
    with pytest.raises(TypeError, match="not elementwise"):
        probes.saturation_share(z, "softmax")
    with pytest.raises(ValueError, match="no steepest slope"):
        probes.saturation_share(z, "binary_step")
    with pytest.raises(KeyError, match="nearest"):
        probes.saturation_share(z, "sigmoyd")


# --- Gathering batch by batch --------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[100], [1] * 100, [7, 60, 33]])
def test_batch_by_batch_gives_what_all_at_once_gives(sizes):
    layers = [layer(1, samples=100) + 100, layer(2, samples=100, units=5)]
    stats = probes.ActivationStats()
    start = 0
    for size in sizes:
        stats.update(as_tensor(h[:, start : start + size]) for h in layers)
        start += size
    for h, got in zip(layers, stats.result(), strict=True):
        assert got.samples == 100
        np.testing.assert_array_equal(probes.dead_units(got), brute_dead(h))
        np.testing.assert_allclose(probes.dormant_scores(got), brute_scores(h), rtol=1e-12)
        for m in range(h.shape[0]):
            for u in range(h.shape[2]):
                values = h[m, :, u].tolist()
                mean = sum(values) / 100
                variance = sum((v - mean) ** 2 for v in values) / 100
                np.testing.assert_allclose(got.mean[m, u], mean, rtol=1e-12, atol=1e-15)
                np.testing.assert_allclose(got.variance[m, u], variance, rtol=1e-9, atol=1e-20)
                np.testing.assert_equal(float(got.largest[m, u]), max(abs(v) for v in values))


def test_a_unit_that_fires_in_the_last_batch_only_is_alive():
    stats = probes.ActivationStats()
    for value in (0.0, 0.0, 1e-30):
        stats.update([torch.full((1, 5, 1), value)])
    assert not probes.dead_units(stats.result()[0]).any()


def test_variance_in_float32_does_not_cancel():
    h = rng(3).normal(loc=3000, scale=0.5, size=(1, 1000, 2))
    stats = probes.ActivationStats()
    for part in np.split(h, 10, axis=1):
        stats.update([as_tensor(part, torch.float32)])
    np.testing.assert_allclose(stats.result()[0].variance[0], h[0].var(0), rtol=0.01)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_activations_are_added_up_in_float32(dtype):
    h = as_tensor(rng(4).random((1, 20_000, 2)), dtype)
    stats = probes.LayerStats.of(h)
    np.testing.assert_allclose(stats.mean[0], h.double()[0].mean(0), rtol=1e-5)
    np.testing.assert_allclose(stats.size[0], h.double()[0].mean(0), rtol=1e-5)


def test_a_diverged_network_is_nan_not_dead_nor_alive():
    h = layer()
    h[1, 3, 2] = np.nan
    h[1, :, 0] = 0
    tensor = as_tensor(h)
    stats = probes.ActivationStats().update([tensor[:, :20]]).update([tensor[:, 20:]]).result()[0]
    for source in (tensor, stats):
        assert np.isnan(probes.dead_share(source)).tolist() == [False, True, False]
        assert np.isnan(probes.dormant_scores(source)).any(1).tolist() == [False, True, False]
        assert np.isnan(probes.moments(source).mean).tolist() == [False, True, False]
        assert np.isnan(probes.moments(source).variance).tolist() == [False, True, False]
    share = probes.saturation_share(tensor, "relu")
    assert np.isnan(share).tolist() == [False, True, False]


# --- Gradients -----------------------------------------------------------------------------------


def brute_norm(values):
    return math.sqrt(sum(v * v for v in np.asarray(values, float).ravel().tolist()))


def test_gradient_norms_by_layer_and_network():
    weights = [rng(5).normal(size=(3, 4, 2)), rng(6).normal(size=(3, 5))]
    gradients = [rng(7).normal(size=(3, 4, 2)), rng(8).normal(size=(3, 5))]
    got = probes.gradient_norms([as_tensor(g) for g in gradients], [as_tensor(w) for w in weights])
    for i in range(2):
        for m in range(3):
            g, w = brute_norm(gradients[i][m]), brute_norm(weights[i][m])
            np.testing.assert_allclose(got.gradient[i, m], g, rtol=1e-13)
            np.testing.assert_allclose(got.weight[i, m], w, rtol=1e-13)
            np.testing.assert_allclose(got.ratio[i, m], g / w, rtol=1e-13)


def test_a_vanished_gradient_is_small_not_zero():
    gradient = torch.full((1, 4), 1e-30)
    got = probes.gradient_norms([gradient], [torch.ones(1, 4)])
    np.testing.assert_allclose(got.gradient, 2e-30, rtol=1e-6)
    assert float(torch.linalg.vector_norm(gradient**2)) == 0  # what float32 would have said


def test_update_ratios_by_layer_and_network():
    before = [rng(9).normal(size=(2, 3, 4)), rng(10).normal(size=(2, 5))]
    after = [w + 0.01 * rng(i).normal(size=w.shape) for i, w in enumerate(before)]
    got = probes.update_ratios([as_tensor(w) for w in before], [as_tensor(w) for w in after])
    for i in range(2):
        for m in range(2):
            expected = brute_norm(after[i][m] - before[i][m]) / brute_norm(before[i][m])
            np.testing.assert_allclose(got[i, m], expected, rtol=1e-12)


@pytest.mark.parametrize("function", [probes.gradient_norms, probes.update_ratios])
def test_gradients_that_do_not_fit_are_refused(function):
    a, b = torch.ones(2, 3), torch.ones(2, 4)
    for pair in (([a], [b]), ([a, a], [a]), ([], []), ([torch.ones(3)], [torch.ones(3)])):
        with pytest.raises(ValueError, match="one tensor"):
            function(*pair)


# --- The Jacobian --------------------------------------------------------------------------------


def deep(activation=nn.Tanh):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), activation(), nn.Dropout(0.5), nn.Linear(6, 3)
    ).double()


def test_jacobian_equals_finite_differences_and_leaves_the_model_alone():
    model = deep()
    model[1].running_mean.copy_(torch.randn(6))
    model[3].eval()
    x = torch.randn(5, 4, dtype=torch.float64)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    jacobian = probes.input_output_jacobian(model, x)
    assert jacobian.shape == (1, 5, 3, 4)
    assert [module.training for module in model.modules()] == modes == [True] * 4 + [False, True]
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not x.requires_grad
    model.eval()
    step = 1e-6
    with torch.no_grad():
        for s in range(5):
            for j in range(4):
                moved = torch.zeros(4, dtype=torch.float64)
                moved[j] = step
                column = (model((x[s] + moved)[None]) - model((x[s] - moved)[None])) / (2 * step)
                np.testing.assert_allclose(jacobian[0, s, :, j], column[0], atol=1e-8)


def test_singular_values_are_those_of_the_eigenvalues():
    model, x = deep(nn.ELU), torch.randn(6, 4, dtype=torch.float64)
    got = probes.jacobian_singular_values(model, x, k=3)
    assert got.shape == (1, 6, 3)
    for s, jacobian in enumerate(probes.input_output_jacobian(model, x)[0].numpy()):
        squares = np.linalg.eigvalsh(jacobian @ jacobian.T)[::-1]
        np.testing.assert_allclose(got[0, s], np.sqrt(squares), rtol=1e-9)
    several = torch.randn(2, 5, 3, 4)
    top = probes.jacobian_singular_values(several, k=1)
    assert top.shape == (2, 5, 1)
    np.testing.assert_allclose(top[1, 2, 0], np.linalg.norm(several[1, 2], 2), rtol=1e-5)


def test_jacobian_of_a_linear_map_is_its_matrix_also_of_images():
    matrix = torch.randn(2, 12)
    jacobian = probes.input_output_jacobian(
        lambda x: x.flatten(1) @ matrix.T, torch.randn(3, 3, 2, 2)
    )
    for s in range(3):
        torch.testing.assert_close(jacobian[0, s], matrix)


def test_singular_values_refuse_what_is_not_there():
    with pytest.raises(ValueError, match="3 × 4 has 1 to 3"):
        probes.jacobian_singular_values(torch.randn(1, 2, 3, 4), k=4)
    with pytest.raises(ValueError, match="needs inputs"):
        probes.jacobian_singular_values(deep())


# --- Looking into a module -----------------------------------------------------------------------


def test_record_keeps_what_the_activations_give():
    model, x = deep(nn.ReLU), torch.randn(9, 4, dtype=torch.float64)
    seen = probes.record(model, x)
    assert list(seen) == ["2"]
    weight, bias = model[0].weight.detach().numpy(), model[0].bias.detach().numpy()
    for s in range(9):
        z = (weight @ x[s].numpy() + bias) / math.sqrt(1 + model[1].eps)  # batch norm, untrained
        np.testing.assert_allclose(seen["2"][0, s], np.maximum(z, 0), rtol=1e-12)
    entered = probes.record(model, x, what="input")["2"]
    np.testing.assert_allclose(np.maximum(entered, 0), seen["2"])
    assert (entered < 0).any()


def test_record_counts_every_position_of_a_convolution():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 6), nn.ReLU())
    with torch.no_grad():
        model[0].bias[:] = torch.tensor([-9.0, 0, 0, -0.6, 0])  # channel 0 never fires
        model[0].weight[4] = 0  # channel 4 neither
        model[3].bias[2] = -9
    x = torch.rand(8, 1, 4, 4)
    seen = probes.record(model, x)
    channels = torch.relu(model[0](x)).detach().numpy()
    assert seen["1"].shape == (1, 8 * 2 * 2, 5)
    dead = probes.dead_units(seen["1"])[0]
    for c in range(5):
        fires = any(channels[s, c, i, j] > 0 for s in range(8) for i in range(2) for j in range(2))
        assert bool(dead[c]) == (not fires)
    assert dead.tolist()[0] == dead.tolist()[4] is True
    assert not dead.all()
    hidden = torch.relu(model[3](torch.from_numpy(channels).flatten(1))).detach().numpy()
    np.testing.assert_array_equal(probes.dead_units(seen["4"]), brute_dead(hidden[None]))
    assert probes.dead_units(seen["4"])[0, 2]
    values = [channels[s, 1, i, j] for s in range(8) for i in range(2) for j in range(2)]
    np.testing.assert_allclose(
        probes.layer_stats(model, x, batch_size=3)["1"].mean[0, 1], np.mean(values), rtol=1e-5
    )


def test_three_axes_need_to_be_told_apart_where_no_layer_says_which_are_units():
    model = nn.Sequential(nn.ReLU())
    x = torch.randn(4, 3, 5)
    with pytest.raises(ValueError, match=r"unit_axis=1 .* unit_axis=-1"):
        probes.record(model, x)
    y = model(x).detach()
    np.testing.assert_array_equal(
        probes.record(model, x, unit_axis=1)["0"][0], y.movedim(1, -1).reshape(20, 3)
    )
    np.testing.assert_array_equal(probes.record(model, x, unit_axis=-1)["0"][0], y.reshape(12, 5))


def test_channels_are_the_units_after_a_convolution_and_features_after_a_linear_layer():
    x = torch.randn(4, 2, 6)
    conv = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU())
    y = conv(x).detach()
    np.testing.assert_array_equal(probes.record(conv, x)["1"][0], y.movedim(1, -1).reshape(20, 3))
    linear = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
    np.testing.assert_array_equal(
        probes.record(linear, x)["1"][0], linear(x).detach().reshape(8, 5)
    )


def test_in_place_layers_spoil_nothing():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Hardtanh(0.1, 0.2, inplace=True)
    )
    x = torch.randn(6, 4)
    seen = probes.record(model, x, [nn.Linear, "1"])
    z = model[0](x).detach()
    torch.testing.assert_close(seen["0"][0], z)
    torch.testing.assert_close(seen["1"][0], z.clamp(min=0))
    torch.testing.assert_close(probes.record(model, x, "1", what="input")["1"][0], z)


def test_a_shared_module_is_kept_once_per_call():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.act = nn.Linear(3, 4), nn.Linear(4, 2), nn.ReLU()

        def forward(self, x):
            return self.act(self.second(self.act(self.first(x))))

    model, x = Shared(), torch.randn(5, 3)
    seen = probes.record(model, x)
    assert list(seen) == ["act", "act:2"]
    hidden = model.first(x).relu().detach()
    torch.testing.assert_close(seen["act"][0], hidden)
    torch.testing.assert_close(seen["act:2"][0], model.second(hidden).relu().detach())


def test_recipes_are_activations_too_and_attention_is_not():
    model = nn.Sequential(nn.Linear(3, 3), Squareplus())
    assert list(probes.record(model, torch.randn(2, 3))) == ["1"]
    assert nn.ReLU in probes.ACTIVATIONS
    assert nn.MultiheadAttention not in probes.ACTIVATIONS
    assert nn.Module not in probes.ACTIVATIONS


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("what", ["output", "input"])
def test_hooks_are_removed_and_modes_restored_also_after_an_error(what):
    model = deep()
    model[3].eval()
    modes = [module.training for module in model.modules()]
    probes.record(model, torch.randn(5, 4, dtype=torch.float64), what=what)
    assert hooks(model) == 0
    with pytest.raises(RuntimeError):
        probes.record(model, torch.randn(5, 7, dtype=torch.float64), what=what)
    assert hooks(model) == 0
    assert [module.training for module in model.modules()] == modes
    assert torch.is_grad_enabled()


def test_record_sees_the_model_without_dropout_and_does_not_feed_batch_norm():
    model, x = deep(), torch.randn(5, 4, dtype=torch.float64)
    before = model[1].running_mean.clone()
    dropped = probes.record(model, x, nn.Dropout)["3"]
    torch.testing.assert_close(dropped, probes.record(model, x)["2"])
    assert torch.equal(model[1].running_mean, before)
    assert not dropped.requires_grad


def test_layers_that_are_not_there_are_named():
    model, x = deep(), torch.randn(2, 4, dtype=torch.float64)
    with pytest.raises(ValueError, match="no module 'relu1'; it has 0, 1, 2, 3, 4"):
        probes.record(model, x, ["relu1", "2"])
    with pytest.raises(ValueError, match="no Conv2d; it has 0, 1"):
        probes.record(model, x, nn.Conv2d)
    with pytest.raises(ValueError, match="no activation module"):
        probes.record(nn.Sequential(nn.Linear(4, 4)).double(), x)
    unused = nn.ModuleList([nn.Linear(4, 2), nn.ReLU()]).double()
    unused.forward = unused[0].forward
    with pytest.raises(ValueError, match="none of the layers 1 was called"):
        probes.record(unused, x)
    lstm = nn.Sequential(nn.LSTM(4, 3)).double()
    with pytest.raises(ValueError, match="layer '0': expected one tensor"):
        probes.record(lstm, x, nn.LSTM)


def test_activations_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"activations\[None\]"):
        probes.dead_units(torch.zeros(5, 3))
    with pytest.raises(ValueError, match="none of them 0"):
        probes.dead_units(torch.zeros(1, 0, 3))
    stats = probes.ActivationStats().update([torch.zeros(2, 5, 3)])
    with pytest.raises(ValueError, match="a batch of 2 layers, after 1"):
        stats.update([torch.zeros(2, 5, 3)] * 2)
    with pytest.raises(ValueError, match=r"\(2, 4\) \(networks, units\) does not continue"):
        stats.update([torch.zeros(2, 5, 4)])
    assert stats.result()[0].samples == 5  # what was gathered before is still there
    with pytest.raises(RuntimeError, match="no batch"):
        probes.ActivationStats().result()
    with pytest.raises(ValueError, match="two boolean masks"):
        probes.fates(torch.zeros(1, 2), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="two boolean masks"):
        probes.fates(torch.zeros(1, 2, dtype=torch.bool), torch.zeros(1, 3, dtype=torch.bool))
