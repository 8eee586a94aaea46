"""Equivalent models give equal numbers, however they are written, and the right ones.

The same weights in PyTorch and in Keras; what is expected comes from a plain loop in float64.
"""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from actlab import catalog, probes
from actlab.callbacks import DeadUnits, GradientNorms

K = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype("float32")
Y = RNG.integers(0, 3, 60)
WEIGHT = RNG.uniform(0.2, 2.0, 60).astype("float32")
DRAW = np.random.default_rng(7)
KERNELS = [DRAW.normal(size=s).astype("float32") * 0.8 for s in ((5, 7), (7, 6), (6, 3))]
BIASES = [DRAW.normal(size=s).astype("float32") * 0.3 for s in (7, 6, 3)]
BIASES[0][0] = -50  # for a ReLU dead, for others saturated
KERNELS[0][:, 1] *= 0.004  # small, if not dormant
BIASES[0][1] = 0.001


# --- What is expected ----------------------------------------------------------------------------


def expected(name, x=X, **params):
    """Per hidden activation: units, mean, spread, dead, dormant, saturated."""
    record = catalog.get(name)
    low, high = record.saturates_beyond(**params)
    h, rows = x.reshape(-1, x.shape[-1]).astype(float), []
    for kernel, bias in zip(KERNELS[:-1], BIASES[:-1], strict=True):
        z = h @ kernel.astype(float) + bias
        h = record.reference(z, **params)
        sizes = np.abs(h).mean(0)
        dead, dormant = (h == 0).all(0).mean(), (sizes <= 0.025 * sizes.mean()).mean()
        flat = ((z <= low) | (z >= high)).mean()
        rows.append([h.shape[1], h.mean(), math.sqrt(h.var(0).mean()), dead, dormant, flat])
    return rows


def expected_gradients(name, weight=None, **params):
    """The norm of the mean cross-entropy's gradient by each kernel, with autograd in float64."""
    kernels = [torch.tensor(k, dtype=torch.float64, requires_grad=True) for k in KERNELS]
    h = torch.tensor(X, dtype=torch.float64)
    for i, (kernel, bias) in enumerate(zip(kernels, BIASES, strict=True)):
        h = h @ kernel + torch.tensor(bias)
        h = h if i == 2 else catalog.get(name).torch(**params)(h)
    losses = functional.cross_entropy(h, torch.tensor(Y), reduction="none")
    (losses if weight is None else losses * torch.tensor(weight)).mean().backward()
    return [float(kernel.grad.norm()) for kernel in kernels]


def seen(found):
    """What a checkup says of the hidden activations, in the order of the expected numbers."""
    return [
        [row.units, row.mean, row.spread, row.dead, row.dormant, row.saturated]
        for row in found.layers
        if row.dead is not None and not row.output
    ]


def slopes(found):
    return [row.gradient for row in found.layers if row.gradient is not None]


# --- The same model in many forms ----------------------------------------------------------------

ACTIVATIONS = {
    "relu": (nn.ReLU, functional.relu),
    "elu": (nn.ELU, functional.elu),
    "tanh": (nn.Tanh, torch.tanh),
    "sigmoid": (nn.Sigmoid, torch.sigmoid),
    "silu": (nn.SiLU, functional.silu),
    "gelu": (nn.GELU, functional.gelu),
}


def linears():
    layers = []
    for kernel, bias in zip(KERNELS, BIASES, strict=True):
        layer = nn.Linear(*kernel.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(kernel).T)
            layer.bias.copy_(torch.tensor(bias))
        layers.append(layer)
    return layers


class Called(nn.Module):
    """The activation as a function, or under another name."""

    def __init__(self, function):
        super().__init__()
        self.first, self.second, self.third = linears()
        self.function = function

    def forward(self, x):
        return self.third(self.function(self.second(self.function(self.first(x)))))


class Own(nn.Module):
    """Somebody's own activation module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class InPlace(nn.Module):
    """In place, where the function can be (the others in a module of their own)."""

    def __init__(self, name):
        super().__init__()
        self.layers = nn.ModuleList(linears())
        self.name = name

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x)
            x = getattr(x, f"{self.name}_")()
        return self.layers[-1](x)


def in_modules(make):
    first, second, third = linears()
    return nn.Sequential(first, make(), nn.Sequential(second, make()), nn.Dropout(0.5), third)


def torch_forms(name):
    module, function = ACTIVATIONS[name]
    yield "modules", in_modules(module)
    yield "functions", Called(function)
    yield "catalog", Called(catalog.get(name).torch())
    yield "compiled", torch.compile(in_modules(module))
    inner = in_modules(module)
    inner[2].compile()
    inner[1] = torch.compile(inner[1])
    yield "compiled inside", inner
    normed = in_modules(module)
    nn.utils.parametrizations.weight_norm(normed[0])
    yield "weight norm", normed
    yield "own module", in_modules(lambda: Own(function))
    yield (
        "channels as positions",
        nn.Sequential(nn.Unflatten(0, (-1, 4)), in_modules(module), nn.Flatten(0, 1)),
    )
    if name in ("relu", "elu", "silu"):
        yield "in place", in_modules(lambda: module(inplace=True))
    if name in ("relu", "tanh", "sigmoid"):
        yield "method in place", InPlace(name)
    if name == "relu":
        yield "clamp", Called(lambda x: x.clamp(min=0))
        yield "maximum", Called(lambda x: torch.maximum(x, torch.zeros(())))


class Subclassed(keras.Model):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.dense = [K.Dense(7), K.Dense(6), K.Dense(3)]

    def call(self, x):
        for layer in self.dense[:-1]:
            x = self.function(layer(x))
        return self.dense[-1](x)


class Traced(Subclassed):
    @tf.function(jit_compile=True)
    def call(self, x):
        return super().call(x)


class OwnLayer(K.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def filled(model, shape=(5,)):
    model(np.zeros((1, *shape), "float32"))
    model.set_weights([w for pair in zip(KERNELS, BIASES, strict=True) for w in pair])
    return model


def functional_model(between):
    x = inputs = keras.Input((5,))
    for units in (7, 6):
        x = between(K.Dense(units)(x))
    return keras.Model(inputs, K.Dense(3)(x))


def sequential(*activation, wrap=lambda layer: layer, shape=(5,), dtype=None):
    layers = [wrap(K.Dense(u, *activation, dtype=dtype)) for u in (7, 6)]
    return keras.Sequential([keras.Input(shape), *layers, K.Dropout(0.5), wrap(K.Dense(3))])


def keras_forms(name):
    function = getattr(keras.activations, name)
    yield "string", filled(sequential(name))
    yield "function", filled(sequential(function))
    yield "lambda", filled(sequential(lambda x: 1 * function(x)))
    yield "layer", filled(functional_model(lambda x: K.Activation(name)(x)))  # noqa: PLW0108
    yield "operation", filled(functional_model(function))
    yield "subclassed", filled(Subclassed(function))
    yield "traced", filled(Traced(function))
    yield "own layer", filled(functional_model(lambda x: OwnLayer(function)(x)))  # noqa: PLW0108
    yield "nested", keras.Sequential([keras.Input((5,)), filled(sequential(name))])
    if name not in ("gelu",):
        yield "ops", filled(functional_model(getattr(keras.ops, name)))
        yield "tensorflow", filled(Subclassed(getattr(tf.nn, name)))
        yield "tensorflow, called inside", filled(Subclassed(lambda x: 1 * getattr(tf.nn, name)(x)))
    if name == "relu":
        yield "relu layer", filled(functional_model(lambda x: K.ReLU()(x)))  # noqa: PLW0108
        yield "maximum", filled(functional_model(lambda x: keras.ops.maximum(x, 0)))
        yield "eager maximum", filled(Subclassed(lambda x: keras.ops.maximum(x, 0.0)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_form_of_a_model_gives_the_same_numbers(name):
    want, gradients = expected(name), expected_gradients(name)
    unknown = {"lambda", "own module", "own layer"}  # functions that nobody can know from outside
    for label, model in (*torch_forms(name), *keras_forms(name)):
        found = probes.checkup(model, (X, Y), show=False, batch_size=40)
        got = seen(found)
        if label in unknown:
            assert [row.pop() for row in got] == [None, None], label
        compared = [row[:-1] for row in want] if label in unknown else want
        np.testing.assert_allclose(got, compared, rtol=2e-5, atol=1e-6, err_msg=label)
        if label != "weight norm":  # whose gradient is that of other weights
            np.testing.assert_allclose(slopes(found), gradients, rtol=2e-4, err_msg=label)
        assert len(slopes(found)) == 3, label
        assert not [note for note in found.notes if "not looked at" in note], label
        assert found.samples == 60
    if name == "relu":
        assert want[0][3] == 1 / 7  # so that something was there to be counted


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_any_batch_size_gives_the_same_numbers(batch_size):
    want, gradients = expected("relu"), expected_gradients("relu", WEIGHT)
    for model in (in_modules(nn.ReLU), filled(sequential("relu"))):
        found = probes.checkup(model, (X, Y, WEIGHT), batch_size=batch_size, show=False)
        np.testing.assert_allclose(seen(found), want, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(slopes(found), gradients, rtol=2e-4)


class PyData(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]


def forms_of_data():
    import pandas as pd

    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    yield "NumPy", (X, Y)
    yield "float64", (X.astype(float), Y)
    yield "Fortran order, other byte order", (np.asfortranarray(X).astype(">f4"), Y[::1])
    yield "backwards", (X[::-1], Y[::-1])
    yield "torch", (torch.tensor(X), torch.tensor(Y))
    yield "with a graph", (torch.tensor(X, requires_grad=True) * 1, torch.tensor(Y))
    yield "TensorFlow", (tf.constant(X), tf.constant(Y))
    yield "pandas", (pd.DataFrame(X), pd.Series(Y))
    yield "DataLoader", torch.utils.data.DataLoader(pairs, batch_size=13, shuffle=True)
    yield "Dataset", pairs
    yield "tf.data", tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(60).batch(13)
    yield "PyDataset", PyData()
    yield "generator", ((X[i : i + 9], Y[i : i + 9]) for i in range(0, 60, 9))
    yield "list of batches", iter([(X[:50], Y[:50]), (X[50:], Y[50:])])


def test_data_may_come_in_any_form():
    want, gradients = expected("relu"), expected_gradients("relu")
    models = [in_modules(nn.ReLU), filled(sequential("relu"))]
    for make in range(len([*forms_of_data()])):
        for model in models:
            label, data = [*forms_of_data()][make]
            found = probes.checkup(model, data, show=False)
            np.testing.assert_allclose(seen(found), want, rtol=2e-5, atol=1e-6, err_msg=label)
            np.testing.assert_allclose(slopes(found), gradients, rtol=2e-4, err_msg=label)
            assert found.samples == 60


def test_callbacks_and_layer_stats_take_the_same_data():
    model = filled(sequential("relu"))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    gradients = expected_gradients("relu")
    for label, data in forms_of_data():
        dead, norms = DeadUnits(data), None
        dead.set_model(model)
        assert [*dead.look().values()] == pytest.approx([1 / 7, 0]), label
        if label not in ("generator", "list of batches"):  # read by now
            norms = GradientNorms(*data) if isinstance(data, tuple) else GradientNorms(data)
            norms.set_model(model)
            np.testing.assert_allclose([*norms.look().values()][::2], gradients, rtol=2e-4)
    for label, data in forms_of_data():
        x = data[0] if isinstance(data, tuple) else data
        stats = probes.layer_stats(in_modules(nn.ReLU), x)
        assert [float(probes.dead_share(s)) for s in stats.values()] == [
            pytest.approx(1 / 7), 0,
        ], label  # fmt: skip


# --- Losses --------------------------------------------------------------------------------------


def torch_sum(outputs, labels):
    return functional.cross_entropy(outputs, labels, reduction="sum")


def keras_sum(labels, outputs):
    losses = keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)
    return keras.ops.sum(losses)


@pytest.mark.parametrize("batch_size", [60, 25])
def test_any_reduction_of_the_loss_gives_the_gradient_of_its_mean(batch_size):
    want = expected_gradients("tanh")
    model = in_modules(nn.Tanh)
    losses = [
        *(nn.CrossEntropyLoss(reduction=r) for r in ("mean", "sum", "none")),
        functional.cross_entropy,
        torch_sum,
        lambda outputs, labels: functional.cross_entropy(outputs, labels, reduction="none"),
    ]
    for loss in losses:
        found = probes.checkup(model, (X, Y), loss=loss, batch_size=batch_size, show=False)
        np.testing.assert_allclose(slopes(found), want, rtol=2e-4)
        assert getattr(loss, "reduction", "x") in ("mean", "sum", "none", "x")
    assert losses[1].reduction == "sum"  # put back

    other = filled(sequential("tanh"))
    own = keras.losses.SparseCategoricalCrossentropy
    for reduction in ("sum_over_batch_size", "sum", None):
        loss = own(from_logits=True, reduction=reduction)
        other.compile("sgd", loss)
        for given in (None, loss):
            found = probes.checkup(other, (X, Y), loss=given, batch_size=batch_size, show=False)
            np.testing.assert_allclose(slopes(found), want, rtol=2e-4)
        probe = GradientNorms(X, Y, batch_size=batch_size)
        probe.set_model(other)
        np.testing.assert_allclose([*probe.look().values()][::2], want, rtol=2e-4)
        assert loss.reduction == reduction
    other.compile("sgd", keras_sum)
    for given in (None, keras_sum):
        found = probes.checkup(other, (X, Y), loss=given, batch_size=batch_size, show=False)
        np.testing.assert_allclose(slopes(found), want, rtol=2e-4)


def test_sample_weights_count_as_in_training():
    want = expected_gradients("tanh", WEIGHT)
    assert not np.allclose(want, expected_gradients("tanh"), rtol=0.01)
    model = filled(sequential("tanh"))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for size in (60, 13):
        probe = GradientNorms(X, Y, batch_size=size, sample_weight=WEIGHT)
        probe.set_model(model)
        np.testing.assert_allclose([*probe.look().values()][::2], want, rtol=2e-4)
        for reduction in ("mean", "sum"):
            loss = nn.CrossEntropyLoss(reduction=reduction)
            found = probes.checkup(
                in_modules(nn.Tanh), (X, Y, WEIGHT), loss=loss, batch_size=size, show=False
            )
            np.testing.assert_allclose(slopes(found), want, rtol=2e-4)


def test_labels_left_out_and_class_weights_do_not_depend_on_the_batches():
    labels = torch.tensor(Y).clone()
    labels[:20] = -100
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 0.5]))
    model = in_modules(nn.Tanh)
    outputs = model.eval()(torch.tensor(X))
    kernels = [p for p in model.parameters() if p.dim() == 2]
    want = [float(g.norm()) for g in torch.autograd.grad(loss(outputs, labels), kernels)]
    for size in (60, 25):  # 25: the first batch has only five labels
        found = probes.checkup(model, (X, labels), loss=loss, batch_size=size, show=False)
        np.testing.assert_allclose(slopes(found), want, rtol=2e-4)


def test_a_mask_does_not_make_the_gradient_depend_on_the_batches():
    keras.utils.set_random_seed(0)
    tokens = np.arange(1, 41).reshape(10, 4) % 9 + 1
    tokens[:5, 1:] = 0  # the first half is one token long
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), K.Embedding(10, 3, mask_zero=True), K.Dense(2)]
    )
    model.compile("sgd", "mse")
    y = np.random.default_rng(0).normal(size=(10, 4, 2))
    got = []
    for size in (10, 5, 3):
        probe = GradientNorms(tokens, y, batch_size=size)
        probe.set_model(model)
        got.append([*probe.look().values()])
    np.testing.assert_allclose(got[1], got[0], rtol=1e-4)
    np.testing.assert_allclose(got[2], got[0], rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_gives_the_same_numbers_as_far_as_it_goes(policy):
    want, gradients = expected("relu"), expected_gradients("relu")
    model = filled(sequential("relu", dtype=policy))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    found = probes.checkup(model, (X, Y), show=False)
    np.testing.assert_allclose(seen(found), want, atol=0.02)
    np.testing.assert_allclose(slopes(found), gradients, rtol=0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = probes.checkup(in_modules(nn.ReLU), (X, Y), show=False)
    np.testing.assert_allclose(seen(found), want, atol=0.02)
    np.testing.assert_allclose(slopes(found), gradients, rtol=0.05)


def test_a_small_gradient_in_float16_is_what_training_gets():
    """Unscaled it would be 0: float16 ends at 6e-8."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).standard_normal((64, 16)).astype("float32")
    y = np.arange(64) % 10

    def deep(policy):
        hidden = [K.Dense(64, "sigmoid", dtype=policy, name=f"h{i}") for i in range(10)]
        layers = [keras.Input((16,)), *hidden, K.Dense(10, dtype="float32")]
        return keras.Sequential(layers)

    plain, half, without = deep("float32"), deep("mixed_float16"), deep("mixed_float16")
    for other in (half, without):
        other.set_weights(plain.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    got = {}
    for label, model in (("plain", plain), ("half", half), ("without", without)):
        scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
        model.compile(scaling if label == "half" else "sgd", loss, auto_scale_loss=False)
        probe = GradientNorms(x, y)
        probe.set_model(model)
        got[label] = probe.look()["gradient_norm/h0"]
        if label == "half":
            scale = float(scaling.initial_scale)
    assert 1e-8 < got["plain"] < 1e-5
    np.testing.assert_allclose(got["half"], got["plain"], rtol=0.1)
    assert got["without"] == 0  # as in such a training
    assert scale == 2.0**15  # the optimiser's own scale has not moved
    found = probes.checkup(half, (x, y), show=False)
    np.testing.assert_allclose(found.layers[0].gradient, got["plain"], rtol=0.1)


# --- Layouts -------------------------------------------------------------------------------------

IMAGES = RNG.normal(size=(6, 4, 5, 2)).astype("float32")  # five rows, five channels below: a trap
FILTERS = RNG.normal(size=(2, 2, 2, 5)).astype("float32")
SHIFT = np.array([-40, 0, 0.1, 0, -0.2], "float32")


class Moved(nn.Module):
    """A convolution whose channels are brought to the end before the activation."""

    def __init__(self, conv, move):
        super().__init__()
        self.conv, self.move, self.out = conv, move, nn.Linear(5, 2)

    def forward(self, x):
        return self.out(functional.relu(self.move(self.conv(x))).flatten(1, 2).mean(1))


def conv(padding=1):
    layer = nn.Conv2d(2, 5, 2, padding=padding)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(FILTERS).permute(3, 2, 0, 1))
        layer.bias.copy_(torch.tensor(SHIFT))
    return layer


def runs_channels_first():
    """TensorFlow convolves channels first on a CPU only with oneDNN, which not every CPU gets."""
    x, filters = np.zeros((1, 1, 3, 3), "float32"), np.zeros((2, 2, 1, 1), "float32")
    try:
        tf.nn.conv2d(x, filters, 1, "VALID", "NCHW")
    except tf.errors.UnimplementedError:
        return False
    return True


def test_channels_are_units_first_or_last_moved_or_not():
    first = np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))
    z = functional.conv2d(
        torch.tensor(first, dtype=torch.float64), conv().weight.double(), conv().bias.double(),
        padding=1,
    ).detach()  # fmt: skip
    h = z.relu().numpy().transpose(0, 2, 3, 1).reshape(-1, 5)
    sizes = h.mean(0)
    dead, dormant = (h == 0).all(0).mean(), (sizes <= 0.025 * sizes.mean()).mean()
    flat = float((z <= 0).double().mean())
    want = [5, h.mean(), math.sqrt(h.var(0).mean()), dead, dormant, flat]
    assert dead == 0.2
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2))
    models = [
        nn.Sequential(conv(), nn.ReLU(), head),
        nn.Sequential(conv(), nn.BatchNorm2d(5, eps=0), nn.ReLU(inplace=True), head),
        Moved(conv(), lambda x: x.permute(0, 2, 3, 1)),
        Moved(conv(), lambda x: x.movedim(1, -1)),
        Moved(conv(), lambda x: x.transpose(1, 3)),
        Moved(conv(), lambda x: torch.moveaxis(x, 1, 3).contiguous() + 0.0),
        Moved(conv(), lambda x: x.flatten(2).transpose(1, 2).unflatten(1, x.shape[2:])),
        nn.Sequential(conv(), nn.Flatten(2), nn.ReLU(), nn.Flatten(), nn.Linear(150, 2)),
        nn.Sequential(conv().to(memory_format=torch.channels_last), nn.ReLU(), head),
    ]  # fmt: skip
    for model in models:
        np.testing.assert_allclose(
            seen(probes.checkup(model, first, show=False)), [want], rtol=1e-4
        )
        stats = probes.layer_stats(model, first, batch_size=4)
        assert [float(probes.dead_share(s)) for s in stats.values()] == [0.2]

    def images(layout, *middle, activation=None):
        shape = (4, 5, 2) if layout == "channels_last" else (2, 4, 5)
        pad = K.ZeroPadding2D(1, data_format=layout)
        layer = K.Conv2D(5, 2, activation=activation, data_format=layout)
        end = [K.GlobalAveragePooling2D(data_format=layout), K.Dense(2)]
        model = keras.Sequential([keras.Input(shape), pad, layer, *middle, *end])
        layer.set_weights([FILTERS, SHIFT])
        return model

    last, front = "channels_last", "channels_first"
    cases = [
        (images(last, activation="relu"), IMAGES),
        (images(last, K.ReLU()), IMAGES),
        (images(front, activation="relu"), first),
        (images(front, K.ReLU()), first),
        (images(front, K.Dropout(0.5), K.BatchNormalization(1, epsilon=0), K.ReLU()), first),
        (images(front, K.Activation("relu", dtype="mixed_bfloat16")), first),
    ]
    for i, (model, x) in enumerate(cases):
        if x is first and not runs_channels_first():
            with pytest.raises(ValueError, match="only supports the NHWC"):
                probes.checkup(model, x, show=False)
            continue
        got = seen(probes.checkup(model, x, show=False))
        np.testing.assert_allclose(got, [want], rtol=1e-4 if i < 5 else 0.02, err_msg=str(i))
        probe = DeadUnits(x)
        probe.set_model(model)
        assert [*probe.look().values()] == [pytest.approx(0.2)]
    if not runs_channels_first():
        return
    permuted = keras.Sequential(
        [*images(front).layers[:2], K.Permute((2, 3, 1)), K.ReLU(), K.Flatten(), K.Dense(2)]
    )
    permuted.build((None, 2, 4, 5))
    np.testing.assert_allclose(seen(probes.checkup(permuted, first, show=False)), [want], rtol=1e-4)


def test_time_distributed_counts_as_one_layer_over_all_steps():
    x = X.reshape(12, 5, 5)
    want = expected("relu", x)
    timed = filled(sequential("relu", wrap=K.TimeDistributed, shape=(5, 5)), (5, 5))
    whole = K.TimeDistributed(filled(sequential("relu")))
    wrapped = keras.Sequential([keras.Input((5, 5)), whole])
    plain = filled(sequential("relu", shape=(5, 5)), (5, 5))
    for model in (plain, timed, wrapped, in_modules(nn.ReLU)):
        np.testing.assert_allclose(seen(probes.checkup(model, x, show=False)), want, rtol=1e-4)
    for model in (plain, timed, wrapped):
        probe = DeadUnits(x)
        probe.set_model(model)
        assert [*probe.look().values()] == [pytest.approx(1 / 7), 0]
        assert len(probe.record) == 2


def test_a_unit_that_fires_at_one_step_only_is_not_dead():
    x = -np.ones((16, 7, 4), "float32")
    x[:, 3, 0] = 1
    kernel = np.zeros((4, 5), "float32")
    kernel[0, 0] = 1
    for wrap in (lambda layer: layer, K.TimeDistributed):
        dense = K.Dense(5, "relu", name="d")
        model = keras.Sequential([keras.Input((7, 4)), wrap(dense), K.Flatten(), K.Dense(1)])
        dense.set_weights([kernel, np.array([0, 1, 1, 1, -1], "float32")])
        probe = DeadUnits(x)
        probe.set_model(model)
        assert probe.look() == {"dead_share/d": pytest.approx(0.2)}


# --- At random -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_are_the_same_in_both_frameworks(seed):
    rng = np.random.default_rng(seed)
    names = [
        "relu",
        "leaky_relu",
        "elu",
        "selu",
        "softplus",
        "tanh",
        "sigmoid",
        "hard_tanh",
        "silu",
    ]
    widths = [int(rng.integers(2, 9)) for _ in range(rng.integers(3, 6))]
    chosen = [names[i] for i in rng.integers(0, len(names), len(widths) - 1)]
    params = [{"negative_slope": 0.2} if name == "leaky_relu" else {} for name in chosen]
    x = rng.normal(size=(int(rng.integers(5, 40)), 4)).astype("float32")
    y = rng.normal(size=(len(x), widths[-1])).astype("float32")
    drawn = rng.normal(size=len(x)) ** 2 if rng.random() < 0.5 else None
    modules, layers, size = [], [keras.Input((4,))], 4
    for i, width in enumerate(widths):
        linear = nn.Linear(size, width)
        with torch.no_grad():
            linear.bias[rng.integers(width)] -= 30 * (i < len(chosen))
        modules.append(linear)
        size = width
        if i == len(chosen):
            layers.append(K.Dense(width))
        elif rng.random() < 0.5:
            modules.append(catalog.get(chosen[i]).torch(**params[i]))
            layers.append(K.Dense(width, chosen[i]))
        else:
            modules.append(Own(catalog.get(chosen[i]).torch(**params[i])))
            layers += [K.Dense(width), K.Activation(chosen[i])]
    ours, theirs = nn.Sequential(*modules), keras.Sequential(layers)
    theirs.set_weights(
        [p.detach().numpy().T for m in modules if isinstance(m, nn.Linear) for p in m.parameters()]
    )
    data = (x, y) if drawn is None else (x, y, drawn)
    sizes = [int(rng.integers(1, 50)) for _ in range(2)]
    theirs.compile("sgd", keras.losses.MeanSquaredError(["sum", None][seed % 2]))
    a = probes.checkup(
        ours, data, loss=nn.MSELoss(reduction=["none", "sum"][seed % 2]), batch_size=sizes[0],
        show=False,
    )  # fmt: skip
    b = probes.checkup(theirs, data, batch_size=sizes[1], show=False)
    for left, right in zip(seen(a), seen(b), strict=True):
        if left[-1] is not None:  # somebody's own module: nobody knows what is flat there
            np.testing.assert_allclose(left[-1], right[-1], atol=1e-6)
        np.testing.assert_allclose(left[:-1], right[:-1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(slopes(a), slopes(b), rtol=1e-3)
