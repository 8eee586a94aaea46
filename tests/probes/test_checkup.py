"""The checkup of any model: what it finds, says, leaves alone and refuses."""

import random
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
import yaml
from torch import nn
from torch.nn import functional

from actlab import probes
from actlab.callbacks import DeadUnits
from actlab.probes import report

K = keras.layers
ROOT = Path(__file__).parents[2]


def rng(seed=0):
    return np.random.default_rng(seed)


def look(model, data, **options):
    return probes.checkup(model, data, show=False, **options)


def rows(found):
    return {row.name: row for row in found.layers}


def about(found):
    return [remark.about for remark in found.remarks]


def stack(activation, depth=10, width=32, gain=1.0, bias=0.0):
    torch.manual_seed(0)
    layers = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        nn.init.normal_(linear.weight, std=gain / width**0.5)
        nn.init.constant_(linear.bias, bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


X = rng().normal(size=(200, 32)).astype("float32")
Y = np.arange(200) % 3

# --- What is wrong, and what is not --------------------------------------------------------------


def test_a_healthy_network_gets_no_remark():
    assert look(stack(nn.ReLU, 4, gain=2**0.5), (X, Y)).remarks == ()
    assert look(stack(nn.Tanh), (X, Y)).remarks == ()


def test_half_of_a_layer_dead():
    model = stack(nn.ReLU, 3, gain=2**0.5)
    with torch.no_grad():
        model[2].bias[:16] = -100
    found = look(model, X)
    assert about(found) == ["dead"]
    remark = found.remarks[0]
    assert remark.layer == "3"
    assert remark.text.startswith("Half of the 32 units of layer 3 are dead")
    assert rows(found)["3"].dead == 0.5
    assert rows(found)["3"].dormant >= 0.5
    assert rows(found)["1"].dead == 0
    assert "02_relu" in remark.chapter


def test_a_dead_layer_stops_all_learning_before_it():
    model = stack(nn.ReLU, 3, gain=2**0.5)
    with torch.no_grad():
        model[4].bias[:] = -100
    found = look(model, (X, Y))
    assert about(found) == ["dead", "gradient"]
    assert "nothing passes" in found.remarks[0].text
    assert "No gradient at all reaches 0, 2, 4" in found.remarks[1].text


def test_dormant_units_are_not_called_dead():
    model = stack(nn.ReLU, 2, gain=2**0.5)
    with torch.no_grad():
        model[0].weight[:10] *= 1e-3
    found = look(model, X)
    assert about(found) == ["dormant"]
    assert (rows(found)["1"].dead, rows(found)["1"].dormant) == (0, 10 / 32)
    assert "04_leaky" in found.remarks[0].chapter


@pytest.mark.parametrize("make", [nn.Sigmoid, nn.Tanh])
def test_saturation(make):
    found = look(stack(make, 1, gain=30.0), X)
    assert about(found) == ["saturated"]
    assert rows(found)["1"].saturated > 0.5
    assert "03_sigmoid_tanh" in found.remarks[0].chapter


def test_half_of_a_relu_on_its_flat_side_is_as_it_should_be():
    row = rows(look(stack(nn.ReLU, 1), X))["1"]
    assert 0.4 < row.saturated < 0.6


@pytest.mark.parametrize(("gain", "verb"), [(0.4, "shrinks"), (4.0, "grows")])
def test_a_signal_that_vanishes_or_explodes(gain, verb):
    found = look(stack(lambda: nn.LeakyReLU(0.5), gain=gain), X)
    assert about(found) == ["signal"]
    assert f"The signal {verb} by a factor of" in found.remarks[0].text
    factor = float(re.search(r"factor of ([\d.]+) a layer", found.remarks[0].text)[1])
    step = gain * (1.25 / 2) ** 0.5  # the mean square of a slope that is 1 or 0.5
    np.testing.assert_allclose(factor, max(step, 1 / step), rtol=0.15)


def test_deep_sigmoids():
    found = look(stack(nn.Sigmoid, 8), (X, Y))
    assert "gradient" in about(found)
    assert "On its way back the gradient shrinks by a factor of" in found.remarks[-1].text
    norms = [row.gradient for row in found.layers if row.gradient is not None]
    assert norms[0] < 1e-3 * norms[-1]


def test_two_linear_layers_in_a_row():
    model = nn.Sequential(
        nn.Linear(32, 8), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)
    )
    assert about(look(model, X)) == ["linear"]
    layers = [keras.Input((32,)), K.Dense(8), K.Dropout(0.5), K.Dense(8, "relu"), K.Dense(3)]
    found = look(keras.Sequential(layers), X)
    assert about(found) == ["linear"]
    assert "01_why_nonlinear" in found.remarks[0].chapter


def test_numbers_that_are_not_finite():
    for odd in (np.nan, np.inf):
        model = stack(nn.ReLU, 3)
        with torch.no_grad():
            model[2].bias[0] = odd
        found = look(model, (X, Y))
        assert about(found)[0] == "diverged"
        assert found.remarks[0].layer == "2"
        assert np.isfinite(rows(found)["1"].spread)
        str(found)
    x = X.copy()
    x[3, 3] = np.nan
    layers = [keras.Input((32,)), K.Dense(8, "relu"), K.Dense(3)]
    found = look(keras.Sequential(layers), x)
    assert about(found) == ["diverged"]
    assert np.isnan(found.layers[0].dead)
    assert np.isnan(found.layers[0].saturated)


def test_every_remark_has_a_chapter_and_its_address_has_one_source(monkeypatch):
    for name in report.CHAPTERS.values():
        assert (ROOT / "notebooks" / f"{name}.ipynb").exists(), name
    site = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]
    assert report.chapter("02_relu") == f"{site.rstrip('/')}/notebooks/02_relu.html"
    for known, address in [
        ((None, None), "notebooks/02_relu.ipynb"),
        (("https://a.org/b/", None), "https://a.org/b/notebooks/02_relu.html"),
        (
            (None, "https://github.com/a/b"),
            "https://github.com/a/b/blob/HEAD/notebooks/02_relu.ipynb",
        ),
    ]:
        monkeypatch.setattr(report, "addresses", lambda known=known: known)
        assert report.chapter("02_relu") == address


# --- What is dead --------------------------------------------------------------------------------


def test_a_unit_that_never_leaves_minus_one_is_not_dead():
    """Dead is zero for every input. An ELU at -1 is saturated: it still says something."""
    stuck = torch.full((1, 5, 1), -1.0)
    assert not probes.dead_units(stuck).any()
    assert probes.LayerStats.of(stuck).largest.item() == 1
    stats = probes.ActivationStats().update([stuck]).update([torch.zeros(1, 5, 1)]).result()[0]
    assert not probes.dead_units(stats).any()
    for name, first, second in [
        ("elu", nn.ELU(), K.ELU()),
        ("leaky_relu", nn.LeakyReLU(0.1), K.LeakyReLU(0.1)),
    ]:
        model = nn.Sequential(nn.Linear(32, 8), first, nn.Linear(8, 3))
        with torch.no_grad():
            model[0].bias[:4] = -60
        layers = [keras.Input((32,)), K.Dense(8), second, K.Dense(3)]
        other = keras.Sequential(layers)
        other.set_weights([p.detach().numpy().T for p in model.parameters()])
        for each in (model, other):
            row = next(row for row in look(each, X).layers if row.dead is not None)
            assert row.dead == 0
            assert (row.saturated >= 0.5) == (name == "elu")
        probe = DeadUnits(X)
        probe.set_model(other)
        assert [*probe.look().values()] == [0]


# --- Which layers --------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.down = nn.Conv2d(before, after, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.down(x)
        return self.relu(out)


def resnet():
    torch.manual_seed(0)
    stem = [nn.Conv2d(3, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)]
    blocks = [Residual(8, 8, 1), Residual(8, 12, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4))


def test_a_residual_network():
    x = torch.randn(20, 3, 8, 8)
    found = look(resnet(), (x, torch.arange(20) % 4), batch_size=8)
    assert [row.name for row in found.layers] == [
        "0", "2", "3.conv1", "3.relu", "3.conv2", "3.relu:2", "4.conv1", "4.relu", "4.conv2",
        "4.down", "4.relu:2", "7",
    ]  # fmt: skip
    by = rows(found)
    assert [by[name].units for name in ("0", "3.relu:2", "4.down", "7")] == [8, 8, 12, 4]
    assert not any(row.output for row in found.layers)
    assert [n for n, row in by.items() if row.gradient] == [
        "0", "3.conv1", "3.conv2", "4.conv1", "4.conv2", "4.down", "7",
    ]  # fmt: skip
    assert not found.remarks
    assert "not looked at" not in str(found)


class Reader(nn.Module):
    def __init__(self, **options):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, **options)
        self.word, self.place = nn.Embedding(30, 16), nn.Parameter(torch.randn(1, 6, 16))
        self.encoder, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(16, 2)

    def forward(self, words, *, mask=None):
        h = self.encoder(self.word(words) + self.place, src_key_padding_mask=mask)
        return self.head(h.mean(1))


@pytest.mark.parametrize("options", [{}, {"activation": "gelu"}, {"activation": nn.Tanh()}])
def test_a_transformer_with_keyword_inputs(options):
    torch.manual_seed(0)
    model = Reader(**options)
    data = {"words": torch.randint(0, 30, (20, 6)), "mask": torch.zeros(20, 6, dtype=torch.bool)}
    found = look(model, (data, torch.arange(20) % 2))
    hidden = [row for row in found.layers if row.dead is not None]
    assert [row.units for row in hidden] == [32, 32]
    assert all(row.name.startswith(f"encoder.layers.{i}.") for i, row in enumerate(hidden))
    attention = rows(found)["encoder.layers.0.self_attn"]
    loss = functional.cross_entropy(model.eval()(data["words"]), torch.arange(20) % 2)
    own = [p for n, p in model.named_parameters() if "0.self_attn" in n and p.dim() == 2]
    norm = sum(g.square().sum() for g in torch.autograd.grad(loss, own)) ** 0.5
    np.testing.assert_allclose(attention.gradient, float(norm), rtol=1e-4)
    assert "weights of no layer that ran: place" in found.notes
    assert torch.backends.mha.get_fastpath_enabled()


def test_attention_in_keras_is_one_layer():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 8))
    h = K.Dense(16)(inputs)
    h = K.LayerNormalization()(h + K.MultiHeadAttention(2, 4, name="attention")(h, h))
    h = keras.ops.gelu(K.Dense(32)(h), approximate=False)
    outputs = K.Dense(2)(K.GlobalAveragePooling1D()(K.Dense(16)(h)))
    found = look(keras.Model(inputs, outputs), (rng().normal(size=(20, 6, 8)), np.arange(20) % 2))
    assert [row.kind for row in found.layers][:3] == ["Dense", "MultiHeadAttention", "Dense"]
    assert rows(found)["attention"].gradient > 0
    assert rows(found)["gelu"].saturated is not None
    assert [row.name for row in found.layers if row.dead is not None] == ["gelu"]
    assert not [note for note in found.notes if "no layer" in note or "not looked" in note]


def test_recurrent_layers_are_looked_at_from_outside_and_named():
    torch.manual_seed(0)

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 1)

        def forward(self, x):
            return self.out(self.lstm(x)[0][:, -1])

    x = rng().normal(size=(20, 5, 4)).astype("float32")
    found = look(Tagger(), (x, rng().normal(size=(20, 1))))
    assert [row.kind for row in found.layers] == ["LSTM", "Linear"]
    assert rows(found)["lstm"].units == 6
    assert rows(found)["lstm"].dead == 0
    assert rows(found)["lstm"].gradient > 0
    assert "not looked at: the inside of lstm (LSTM applies its activations inside)" in found.notes
    with pytest.warns(UserWarning, match=r"not looked at: gru \(GRU applies"):
        probes.record(nn.ModuleList([nn.GRU(4, 4), nn.ReLU()]).apply(lambda m: None) and Both(), x)

    model = keras.Sequential(
        [keras.Input((5, 4)), K.LSTM(6, name="lstm"), K.Dense(3, "relu", name="d"), K.Dense(1)]
    )
    found = look(model, (x, rng().normal(size=(20, 1))))
    assert [row.kind for row in found.layers] == ["LSTM", "Dense", "Dense"]
    assert rows(found)["lstm"].gradient > 0
    note = "not looked at: the inside of lstm (applies its activations inside, step by step)"
    assert note in found.notes
    probe = DeadUnits(x)
    probe.set_model(model)
    with pytest.warns(UserWarning, match="not looked at: lstm"):
        assert list(probe.look()) == ["dead_share/d"]


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.act = nn.GRU(4, 4, batch_first=True), nn.ReLU()

    def forward(self, x):
        return self.act(self.gru(x)[0])


def test_an_output_layer_is_not_judged_as_hidden():
    """What decides: no layer with weights reads what the activation gives."""

    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk, self.first, self.second = nn.Linear(32, 8), nn.Linear(8, 1), nn.Linear(8, 1)
            self.act, self.relu = nn.Sigmoid(), nn.ReLU()

        def forward(self, x):
            features = self.relu(self.trunk(x))
            first = self.act(self.first(features)).squeeze(-1)
            return first, torch.relu(self.second(features)) * 2, features

    found = look(Heads(), X)
    assert [row.name for row in found.layers if row.output] == ["act", "relu()"]
    assert not rows(found)["relu"].output

    inputs = keras.Input((32,))
    features = K.Dense(8, "relu", name="hidden")(inputs)
    first = K.Reshape((1, 1))(K.Dense(1, "sigmoid", name="first")(features))
    second = 2 * keras.ops.relu(K.Dense(1)(features))
    model = keras.Model(inputs, [first, second, features])
    assert {row.name for row in look(model, X).layers if row.output} == {"first", "relu"}
    probe = DeadUnits(X)
    probe.set_model(model)
    assert list(probe.look()) == ["dead_share/hidden"]
    probe = DeadUnits(X, layers=["first"])
    probe.set_model(model)
    assert list(probe.look()) == ["dead_share/first"]

    names = {"dtype": "mixed_bfloat16"}
    layers = [K.Dense(8, "relu", name="hidden", **names), K.Dense(1, "sigmoid", **names)]
    half = keras.Sequential([keras.Input((32,)), *layers, K.Activation("linear", dtype="float32")])
    probe = DeadUnits(X)
    probe.set_model(half)
    assert list(probe.look()) == ["dead_share/hidden"]


def test_what_takes_the_place_of_an_activation_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(32, 8), nn.Linear(8, 8), nn.Linear(8, 1)

        def forward(self, x):
            h = self.a(x)
            h = h * (h > 0)
            return self.c(torch.tanh(self.b(h)))

    note = "gt, mul between a and b (no activation function of the framework)"
    assert f"not looked at: {note}" in look(Odd(), X).notes
    with pytest.warns(UserWarning, match=re.escape(note)):
        assert list(probes.record(Odd(), X)) == ["tanh()"]
    script = torch.jit.script(stack(nn.ReLU, 1))
    found = look(nn.Sequential(script, nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)), X)
    assert "not looked at: 0 (scripted: look at the original)" in found.notes
    with pytest.raises(ValueError, match=r"no layers to look at.*the model \(scripted"):
        look(script, X)

    inputs = keras.Input((32,))
    h = K.Dense(8, name="a")(inputs)
    h = K.Dense(8, "relu", name="b")(h * keras.ops.cast(h > 0, "float32"))
    found = look(keras.Model(inputs, K.Dense(1)(h)), X)
    assert any("between a and b (no activation function" in note for note in found.notes)


def test_tied_shared_and_nested_layers():
    torch.manual_seed(0)

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.word, self.mix, self.act = nn.Embedding(9, 6), nn.Linear(6, 6), nn.Tanh()

        def forward(self, x):
            h = self.word(x)
            for _ in range(2):
                h = self.act(self.mix(h))
            return functional.linear(h, self.word.weight)

    tokens = torch.randint(0, 9, (30, 5))
    model = Tied()
    found = look(model, (tokens, tokens))
    assert [row.name for row in found.layers] == ["word", "mix", "act", "mix:2", "act:2"]
    assert rows(found)["mix"].gradient == rows(found)["mix:2"].gradient > 0
    assert not any(row.output for row in found.layers)
    outputs = model.eval()(tokens).movedim(-1, 1)
    gradient = torch.autograd.grad(functional.cross_entropy(outputs, tokens), [model.word.weight])[
        0
    ]
    np.testing.assert_allclose(rows(found)["word"].gradient, float(gradient.norm()), rtol=1e-4)


def test_several_inputs_and_outputs_in_keras():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    tower = keras.Sequential([K.Dense(5, "elu", name="inner")], name="tower")
    both = K.Concatenate()([tower(left), tower(right)])
    first = K.Dense(1, "sigmoid", name="first")(both)
    second = K.Dense(2, name="second")(K.Dense(3, "relu", name="middle")(both))
    model = keras.Model({"left": left, "right": right}, [first, second])
    x = {"left": rng(0).normal(size=(20, 4)), "right": rng(1).normal(size=(20, 4))}
    y = [np.arange(20).reshape(20, 1) % 2, rng(2).normal(size=(20, 2))]
    assert {"inner", "inner:2", "middle", "first", "second"} == set(rows(look(model, x)))
    with pytest.raises(ValueError, match=r"gives 2 outputs.*loss="):
        look(model, (x, y))
    model.compile("sgd", ["binary_crossentropy", keras.losses.MeanSquaredError("sum")])
    assert all(row.gradient > 0 for row in look(model, (x, y)).layers)


# --- Losses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "labels", "words"),
    [
        ((3, None), np.arange(50) % 3, "cross-entropy of logits"),
        ((3, "softmax"), np.arange(50) % 3, "cross-entropy of probabilities"),
        ((3, "softmax"), (np.arange(50) % 3).astype(float), "cross-entropy of probabilities"),
        ((3, None), np.eye(3)[np.arange(50) % 3], "cross-entropy of logits"),
        ((3, "softmax"), np.eye(3)[np.arange(50) % 3], "cross-entropy of probabilities"),
        ((1, None), np.arange(50) % 2, "binary cross-entropy of logits"),
        ((1, "sigmoid"), (np.arange(50) % 2)[:, None], "binary cross-entropy of probabilities"),
        ((3, "sigmoid"), rng().integers(0, 2, (50, 3)), "binary cross-entropy of probabilities"),
        ((1, None), rng().normal(size=50), "mean squared error"),
        ((3, None), rng().normal(size=(50, 3)), "mean squared error"),
    ],
)
def test_the_loss_is_inferred_from_the_labels_and_said(last, labels, words):
    keras.utils.set_random_seed(0)
    theirs = keras.Sequential([keras.Input((32,)), K.Dense(8, "tanh"), K.Dense(*last)])
    ends = {None: [], "softmax": [nn.Softmax(-1)], "sigmoid": [nn.Sigmoid()]}[last[1]]
    ours = nn.Sequential(nn.Linear(32, 8), nn.Tanh(), nn.Linear(8, last[0]), *ends)
    with torch.no_grad():
        for parameter, weight in zip(ours.parameters(), theirs.get_weights(), strict=True):
            parameter.copy_(torch.tensor(weight.T))
    got = []
    for model in (ours, theirs):
        found = look(model, (X[:50], labels), batch_size=20)
        assert f"gradient of the mean loss ({words}, inferred" in found.notes[0]
        got.append([row.gradient for row in found.layers if row.gradient is not None])
    np.testing.assert_allclose(*got, rtol=1e-3)


def test_positions_have_classes_too():
    torch.manual_seed(0)
    labels = rng().integers(0, 4, (5, 6, 6))
    images = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Conv2d(3, 4, 1))
    found = look(images, (rng().normal(size=(5, 2, 6, 6)), labels))
    assert "cross-entropy of logits" in found.notes[0]
    steps = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    found = look(steps, (rng().normal(size=(5, 6, 2)), labels[..., 0]))
    assert "cross-entropy of logits" in found.notes[0]


# --- What is left alone --------------------------------------------------------------------------


class Busy(nn.Module):
    """Does to itself, and to its input, what a look must not leave behind."""

    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(9, 4, max_norm=0.1)  # rewrites its weights when read
        self.bn, self.out = nn.BatchNorm1d(4), nn.Linear(4, 3)
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("last", torch.zeros(3))

    def forward(self, x):
        h = self.word(x.clone())
        x += 1
        self.count += 1
        self.last = h[0].detach()
        h = self.bn(h) + torch.rand(4) + random.random() + np.random.rand()  # noqa: NPY002
        return self.out(h.relu_())


def test_a_pytorch_model_and_its_data_are_left_as_they_were():
    torch.manual_seed(0)
    model = Busy()
    model.word.weight.data *= 100
    model.out.weight.grad = torch.full((3, 4), 7.0)
    model.bn.eval()
    x, y = torch.arange(8), torch.arange(8) % 3
    state = {name: value.clone() for name, value in model.state_dict().items()}
    held = [model.word.weight, model.last]
    chance = torch.random.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    own = torch.Generator().manual_seed(3)
    shuffled = own.get_state()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=4, shuffle=True, generator=own
    )
    for data in ((x, y), loader):
        probes.checkup(model, data, show=False)
    probes.record(model, x)
    probes.layer_stats(model, x)
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert held[0] is model.word.weight
    assert held[1] is model.last
    assert torch.equal(model.out.weight.grad, torch.full((3, 4), 7.0))
    assert model.word.weight.grad is None
    assert (model.training, model.bn.training, model.out.training) == (True, False, True)
    assert torch.equal(x, torch.arange(8))
    assert torch.equal(own.get_state(), shuffled)
    assert torch.equal(torch.random.get_rng_state(), chance[0])
    assert random.getstate() == chance[1]
    assert (np.random.get_state()[1] == chance[2]).all()  # noqa: NPY002
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_first_layer_in_place_spoils_nothing():
    for first in (nn.ReLU(inplace=True), nn.Hardtanh(inplace=True), nn.ELU(inplace=True)):
        model = nn.Sequential(first, nn.Linear(4, 3), nn.ReLU(inplace=True), nn.Linear(3, 2))
        for x in (torch.randn(16, 4), rng().normal(size=(16, 4)).astype("float32")):
            before = np.array(x)
            probes.record(model, x)
            probes.record(model, x, what="input")
            probes.layer_stats(model, x)
            probes.checkup(model, (x, np.arange(16) % 2), show=False)
            jacobian = probes.input_output_jacobian(model, x)
            probes.jacobian_singular_values(model, x)
            np.testing.assert_array_equal(x, before)
        plain = nn.Sequential(type(first)(), model[1], nn.ReLU(), model[3])
        torch.testing.assert_close(jacobian, probes.input_output_jacobian(plain, x))


def test_a_keras_model_is_left_as_it_was():
    keras.utils.set_random_seed(0)

    class Counting(K.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.count.assign_add(1.0)
            return x + keras.random.uniform((1, 8), seed=self.seed)

        seed = None

    layers = [K.Dense(8), K.BatchNormalization(), K.ReLU(), K.Dropout(0.5), Counting(), K.Dense(3)]
    model = keras.Sequential([keras.Input((32,)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    before = [np.array(v.numpy()) for v in variables]
    chance = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    x = X.copy()
    probes.checkup(model, (x, Y), show=False)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)
    assert random.getstate() == chance[0]
    assert (np.random.get_state()[1] == chance[1]).all()  # noqa: NPY002
    np.testing.assert_array_equal(x, X)
    assert not tf.config.functions_run_eagerly()
    assert all("call" not in vars(layer) for layer in layers)
    assert keras.activations.relu.__module__.startswith("keras.")
    assert not hasattr(keras.ops.relu, "__wrapped__") or keras.ops.relu.__name__ == "relu"


def test_everything_is_put_back_after_an_error():
    class Fussy(K.Layer):
        def call(self, x):
            raise RuntimeError("not today")

    inputs = keras.Input((32,))
    dense = K.Dense(4, "relu")
    fussy = Fussy()
    fussy.compute_output_shape = lambda shape: shape
    model = keras.Model(inputs, fussy(dense(inputs)))
    functions = keras.ops.relu, keras.activations.relu, tf.nn.relu, dense.activation
    with pytest.raises(ValueError, match=r"(?s)not be run on inputs of shape .200, 32.*not today"):
        look(model, X)
    assert functions == (keras.ops.relu, keras.activations.relu, tf.nn.relu, dense.activation)
    assert "call" not in vars(dense)
    assert not tf.config.functions_run_eagerly()


# --- What is refused -----------------------------------------------------------------------------


def test_what_can_not_be_checked_is_refused_with_a_reason():
    model = stack(nn.ReLU, 1)
    endless = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10).repeat()
    for data, words in [
        (X[:0], "one length above 0"),
        ((X, Y[:7]), r"one length above 0, got \[7, 200\]"),
        (X[:, :5], r"could not be run on inputs of shape \(200, 5\).*RuntimeError"),
        ("x", "expected an array.*got str"),
        ([[1, 2], [3, 4]], "expected an array.*got list with int inside"),
        (None, "expected an array.*got NoneType"),
        ((X, Y, Y, Y), "got a tuple of 4"),
        (iter([]), "gave no data"),
        (endless, r"never ends.*\.take"),
        (np.full((3, 32), "a"), "could not be run.*expected real numbers"),
        ((X, Y + 1), "labels from 1 to 3 for 3 outputs: expected class numbers from 0 to 2"),
        ((X, rng().normal(size=(200, 2))), r"labels of shape \(200, 2\).*fit outputs of shape"),
    ]:
        with pytest.raises(ValueError, match=words):
            look(model, data)
    with pytest.raises(ValueError, match=r"loss can not be computed.*\(200, 3\).*\(200,\)"):
        look(model, (X, Y.astype(float)), loss=nn.MSELoss())
    one = nn.Sequential(nn.Linear(32, 1))
    with pytest.raises(ValueError, match="target size"):  # PyTorch would broadcast to (200, 200)
        look(one, (X, Y.astype("float32")), loss=nn.MSELoss())
    for size in (0, 2.5, True, "8"):
        with pytest.raises(ValueError, match=f"batch_size={size!r}: expected a positive"):
            look(model, X, batch_size=size)
    for other, words in [
        (nn.ReLU, "got the class ReLU"),
        (np.tanh, "got ufunc"),
        (None, "NoneType"),
    ]:
        with pytest.raises(TypeError, match=words):
            look(other, X)
    with pytest.raises(ValueError, match="no layers to look at"):
        look(nn.Flatten(), X)
    with pytest.raises(ValueError, match="lazy modules without weights"):
        look(nn.Sequential(nn.LazyLinear(3)), X)
    with pytest.raises(ValueError, match="no weights yet"):
        look(keras.Sequential([K.Dense(3)]), X)
    theirs = keras.Sequential([keras.Input((32,)), K.Dense(3)])
    with pytest.raises(ValueError, match="could not be run on inputs of shape"):
        look(theirs, X[:, :5])
    theirs.compile("sgd", "mse")
    with pytest.raises(
        ValueError, match=r"loss can not be computed from outputs of shape \(200, 3\)"
    ):
        look(theirs, (X, rng().normal(size=(200, 2))))


def test_frozen_weights_and_a_caller_without_gradients():
    model = stack(nn.ReLU, 2, gain=2**0.5)
    want = [row.gradient for row in look(model, (X, Y)).layers]
    with torch.inference_mode():
        assert [row.gradient for row in look(model, (X, Y)).layers] == want
    with torch.no_grad():
        assert [row.gradient for row in look(model, (X, Y)).layers] == want
    model[0].requires_grad_(False)
    found = look(model, (X, Y))
    assert [row.gradient for row in found.layers] == [None, *want[1:]]
    model.requires_grad_(False)
    assert not any(row.gradient for row in look(model, (X, Y)).layers)


def test_half_precision_in_pytorch_scales_its_loss_too():
    torch.manual_seed(0)
    layers = [part for _ in range(10) for part in (nn.Linear(32, 32), nn.Sigmoid())]
    model = nn.Sequential(*layers, nn.Linear(32, 3))
    want = look(model, (X, Y)).layers[0].gradient
    assert want < 1e-7  # below the smallest float16
    found = look(model.half(), (X, Y), loss=lambda a, b: functional.cross_entropy(a.float(), b))
    np.testing.assert_allclose(found.layers[0].gradient, want, rtol=0.2)


# --- How it is shown -----------------------------------------------------------------------------


def test_it_prints_one_table_and_returns_it(capsys):
    model = stack(nn.ReLU, 3, gain=2**0.5)
    with torch.no_grad():
        model[2].bias[:16] = -100
    found = probes.checkup(model, (X, Y))
    printed = capsys.readouterr().out
    assert printed == f"{found}\n"
    lines = printed.splitlines()
    assert lines[0] == "Sequential: 7 layers on 200 samples"
    heads = ["layer", "kind", "units", "spread", "dead", "dormant", "saturated", "gradient"]
    assert lines[2].split() == heads
    assert max(map(len, lines)) <= 72 or max(lines, key=len).startswith("  https://")
    assert [line.split()[0] for line in lines[4:11]] == list("0123456")
    assert "50 %" in lines[7]
    assert "! Half of the 32 units of layer 3 are dead" in printed
    assert "/notebooks/02_relu.html" in printed
    frame = found.frame
    assert list(frame.index) == list("0123456")
    assert frame.loc["3", "dead"] == 0.5
    assert "gradient" not in str(look(model, X)).splitlines()[2]
    assert repr(found) == "<Checkup of Sequential: 7 layers on 200 samples, 1 remarks>"


def test_the_page_version_is_escaped_and_linked():
    class Odd(nn.Sequential):
        pass

    Odd.__name__ = "<b>Odd"
    model = Odd(nn.Linear(32, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        model[0].bias[:] = -100
    page = look(model, X)._repr_html_()
    assert "<b>Odd" not in page
    assert "&lt;b&gt;Odd" in page
    assert page.count("<tr>") == 4
    assert re.search(r'<a href="https://[^"]+/02_relu.html">02_relu</a>', page)


def test_the_example_in_the_book_prints_what_the_book_shows(capsys):
    page = (ROOT / "book" / "how-to-run.md").read_text("utf-8")
    code, shown = re.search(
        r"```python\n(.*?checkup.*?)```\s+```text\n(.*?)```", page, re.DOTALL
    ).groups()
    exec(compile(code, "how-to-run.md", "exec"), {})
    printed = capsys.readouterr().out.strip()
    assert re.sub(r"https://.*(?=/notebooks/)", "https://…", printed) == shown.strip()
