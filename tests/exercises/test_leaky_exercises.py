"""The checkers of the leaky chapter: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab.exercises import leaky
from tests.exercises import rules
from tests.exercises.judge import judge


class _OwnLayer(keras.layers.Layer):
    def call(self, x):
        return keras.ops.maximum(x, 0.3 * x)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (nn.LeakyReLU(0.3), None),
        (nn.LeakyReLU(0.3, inplace=True), None),
        (torch.jit.script(nn.LeakyReLU(0.3)), None),
        (nn.Sequential(nn.Identity(), nn.LeakyReLU(0.3)), None),
        (nn.PReLU(init=0.3), None),
        (nn.RReLU(0.3, 0.3), None),
        (nn.LeakyReLU(0.3).double(), None),
        (keras.layers.LeakyReLU(), None),
        (keras.layers.LeakyReLU(negative_slope=0.3), None),
        (keras.layers.ReLU(negative_slope=0.3), None),
        (keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.3)), None),
        (keras.Sequential([keras.Input((1,)), keras.layers.LeakyReLU(negative_slope=0.3)]), None),
        (keras.layers.Activation(lambda x: tf.nn.leaky_relu(x, 0.3)), None),
        (_OwnLayer(), None),
        (lambda x: np.where(x > 0, x, 0.3 * x), None),
        (lambda x: torch.where(x > 0, x, 0.3 * x), None),
        (lambda x: x if x > 0 else 0.3 * x, None),
        (nn.LeakyReLU(), "PyTorch's default"),
        (keras.activations.leaky_relu, "default of the function"),
        (nn.ReLU(), "plain ReLU"),
        (nn.LeakyReLU(-0.3), "the sign"),
        (lambda x: np.where(x > 0, x, x / 0.3), "upside down"),
        (nn.LeakyReLU(0.1), "yours is 0.1"),
        (nn.ELU(), "yours is 0.632"),
        (nn.LeakyReLU, "this is a class"),
        (keras.layers.LeakyReLU, "this is a class"),
        (0.3, "must be a layer"),
        (lambda x: 0.3 * x, "must pass unchanged"),
        (lambda x: np.where(x > -2, np.where(x > 0, x, 0.3 * x), -0.6), "not constant"),
        (lambda x: x[:2], "expected the shape"),
        (lambda x: keras.layers.LeakyReLU(alfa=0.3)(x), "alfa"),
    ],
)
def test_ported_layer(answer, hint):
    judge(leaky.check_ported_layer, answer, hint)


def torch_cnn(first, second, convolution=nn.Conv2d):
    return nn.Sequential(
        *(convolution(1, 16, 3, padding=1), first, nn.Conv2d(16, 32, 3, padding=1), second)
    )


class _OwnSlopes(nn.Module):
    def __init__(self, shape, inside=True):
        super().__init__()
        self.slopes = nn.Parameter(torch.full(shape, 0.1)) if inside else torch.full(shape, 0.1)

    def forward(self, x):
        return torch.where(x > 0, x, self.slopes * x)


class _Subclassed(nn.Module):
    """The slopes in one tensor, the larger layer registered first, and a head behind."""

    def __init__(self):
        super().__init__()
        self.second, self.first = nn.Conv2d(16, 32, 5), nn.Conv2d(1, 16, 5)
        self.slopes = nn.Parameter(torch.zeros(48))

    def forward(self, x):
        x = nn.functional.prelu(self.first(x), self.slopes[:16])
        x = nn.functional.prelu(nn.functional.max_pool2d(self.second(x), 2), self.slopes[16:])
        return x.mean((2, 3))


def keras_cnn(head=(), functional=False, given_input=True, activation=None, **arguments):
    own = activation or (lambda: keras.layers.PReLU(**arguments))
    layers = [
        layer
        for channels in (16, 32)
        for layer in (keras.layers.Conv2D(channels, 3, padding="same"), own())
    ]
    if functional:
        x = h = keras.Input((28, 28, 1))
        for layer in layers:
            h = layer(h)
        return keras.Model(x, h)
    return keras.Sequential([*([keras.Input((28, 28, 1))] if given_input else []), *layers, *head])


class _KerasSubclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = [keras_cnn(shared_axes=[1, 2])]

    def call(self, x):
        return self.inner[0](x)


def frozen(model):
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.PReLU)
    return model


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(32)), None),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(32, init=0.0)), None),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(32)).double(), None),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(32)).to(memory_format=torch.channels_last), None),
        (lambda: torch.jit.script(torch_cnn(nn.PReLU(16), nn.PReLU(32))), None),
        (lambda: nn.Sequential(*torch_cnn(nn.PReLU(16), nn.PReLU(32)), nn.Flatten(),
                               nn.LazyLinear(10)), None),
        (lambda: torch_cnn(_OwnSlopes((16, 1, 1)), _OwnSlopes((32, 1, 1))), None),
        (_Subclassed, None),
        (lambda: keras_cnn(shared_axes=[1, 2]), None),
        (lambda: keras_cnn(shared_axes=[1, 2], given_input=False), None),
        (lambda: keras_cnn(shared_axes=[1, 2], functional=True), None),
        (lambda: keras_cnn(shared_axes=[1, 2], alpha_initializer="he_normal"), None),
        (lambda: keras_cnn(shared_axes=[1, 2], head=[keras.layers.GlobalMaxPool2D(),
                                                      keras.layers.Dense(10)]), None),
        (_KerasSubclassed, None),
        (lambda: torch_cnn(nn.PReLU(), nn.PReLU()), "single slope"),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU()), "found 16 and 1"),
        (lambda: torch_cnn(nn.PReLU(16), nn.PReLU(7)), "your code stopped with"),
        (lambda: torch_cnn(nn.PReLU(16), nn.ReLU()), "found 1"),
        (lambda: torch_cnn(nn.PReLU(16), nn.LeakyReLU(0.25)), "found 1 that learn"),
        (lambda: torch_cnn(nn.LeakyReLU(), nn.LeakyReLU()), "found 0 that learn"),
        (lambda: torch_cnn(_OwnSlopes((16, 1, 1), False), _OwnSlopes((32, 1, 1))), "found 1 that"),
        (lambda: torch_cnn(_OwnSlopes((16, 28, 28)), _OwnSlopes((32, 28, 28))), "for every pixel"),
        (lambda: torch_cnn(nn.Identity(), nn.Identity()), "found 0"),
        (lambda: nn.Sequential(nn.Conv2d(1, 32, 3), nn.PReLU(32), nn.Conv2d(32, 16, 3),
                               nn.PReLU(16)), "the other way round"),
        (lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.PReLU(16)), "RuntimeError"),
        (keras_cnn, "one for every pixel"),
        (lambda: keras_cnn(shared_axes=[1, 2, 3]), "single slope"),
        (lambda: keras_cnn(shared_axes=[3]), "one for every pixel"),
        (lambda: keras_cnn(activation=keras.layers.LeakyReLU), "found 0 that learn"),
        (lambda: frozen(keras_cnn(shared_axes=[1, 2])), "found 0 that learn"),
        (lambda: keras.Sequential([keras.layers.PReLU()]), "no shape yet"),
        (lambda: 48, "expected an nn.Module or a Keras model"),
    ],
)  # fmt: skip
def test_slope_per_channel(answer, hint):
    judge(leaky.check_slope_per_channel, answer(), hint)


def groups(model, *, decay=0.1, everything=False, forget=False, kind=torch.optim.AdamW, lr=0.1):
    slopes = [p for m in model if isinstance(m, nn.PReLU) for p in m.parameters()]
    others = [p for m in model if isinstance(m, nn.Linear) for p in m.parameters()]
    if everything:
        return kind(model.parameters(), lr=lr, weight_decay=decay)
    if forget:
        return kind(others, lr=lr, weight_decay=decay)
    parts = [{"params": others}, {"params": slopes, "weight_decay": 0.0}]
    return kind(parts, lr=lr, weight_decay=decay)


def keras_adamw(model, spare=True, kind=keras.optimizers.AdamW, **names):
    optimiser = kind(0.1, weight_decay=0.1)
    slopes = [layer.alpha for layer in model.layers if isinstance(layer, keras.layers.PReLU)]
    if spare:
        optimiser.exclude_from_weight_decay(**(names or {"var_list": slopes}))
    return optimiser


def only_first(model):
    rest = [*model[1:].parameters()]
    parts = [{"params": model[0].parameters()}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.SGD(parts, lr=0.1, weight_decay=0.1)


def by_axes(model):
    few = [p for p in model.parameters() if p.dim() < 2]
    many = [p for p in model.parameters() if p.dim() > 1]
    parts = [{"params": many}, {"params": few, "weight_decay": 0.0}]
    return torch.optim.AdamW(parts, lr=0.1, weight_decay=0.1)


def by_name(model):
    units = {name for name, module in model.named_modules() if isinstance(module, nn.PReLU)}
    sorts = {True: [], False: []}
    for name, parameter in model.named_parameters():
        sorts[name.rpartition(".")[0] in units].append(parameter)
    optimiser = torch.optim.SGD(sorts[True], lr=0.01)
    optimiser.add_param_group({"params": sorts[False], "weight_decay": 0.001})
    return optimiser


class _Own:
    """Decay by hand, around an optimiser that has none."""

    def __init__(self, model, rate=0.01):
        self.model, self.rate = model, rate
        self.inner = torch.optim.Adam(model.parameters())

    def step(self):
        self.inner.step()
        with torch.no_grad():
            for module in self.model:
                if isinstance(module, nn.Linear):
                    for parameter in module.parameters():
                        parameter.mul_(1 - self.rate)


def frozen_slopes(model):
    for module in model:
        module.requires_grad_(not isinstance(module, nn.PReLU))
    return groups(model)


def kernels_only(model):
    optimiser = keras.optimizers.AdamW(0.1, weight_decay=0.1)
    optimiser.exclude_from_weight_decay(var_names=["alpha", "bias"])
    return optimiser


def compiled(model):
    model.compile(keras_adamw(model), "mse")
    return model.optimizer


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (groups, None),
        (lambda model: groups(model, lr=1e-5, decay=1e-3), None),
        (lambda model: groups(model, kind=torch.optim.SGD), None),
        (lambda model: groups(model, kind=torch.optim.Adam), None),
        (lambda model: groups(model, kind=torch.optim.RMSprop), None),
        (by_name, None),
        (lambda model: _Own(model), None),
        (keras_adamw, None),
        (lambda model: keras_adamw(model, var_names=["alpha"]), None),
        (lambda model: keras_adamw(model, var_names=["p_re_lu"]), None),
        (lambda model: keras_adamw(model, kind=keras.optimizers.SGD), None),
        (compiled, None),
        (lambda model: groups(model, everything=True), "the slopes shrank"),
        (lambda model: groups(model, everything=True, kind=torch.optim.Adam), "the slopes shrank"),
        (lambda model: torch.optim.AdamW(model.parameters()), "the slopes shrank"),
        (lambda model: torch.optim.Adam(model.parameters()), "nothing decays"),
        (lambda model: groups(model, decay=0.0), "nothing decays"),
        (lambda model: groups(model, forget=True), "do not learn"),
        (frozen_slopes, "do not learn"),
        (lambda model: _Own(model, rate=-0.01), "the wrong sign"),
        (only_first, "only a part"),
        (by_axes, "the biases are spared"),
        (kernels_only, "the biases are spared"),
        (lambda model: keras_adamw(model, spare=False), "the slopes shrank"),
        (lambda model: keras.optimizers.Adam(0.1), "nothing decays"),
        (lambda model: [p for layer in model.layers for p in layer.weights], "return an optimiser"),
        (lambda model: torch.optim.AdamW(model.parameter()), "AttributeError"),
        (lambda model: None, "must return an optimiser"),
        (lambda model: model, "must return an optimiser"),
        (torch.optim.AdamW, "this is a class"),
        (0.1, "must be a function"),
    ],
)
def test_slopes_spared(answer, hint):
    judge(leaky.check_slopes_spared, answer, hint)


class _OwnThreshold(nn.Module):
    def forward(self, x):
        return x * (x > 0.5)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (nn.Threshold(0.5, 0.0), None),
        (nn.Threshold(0.5, 0.0, inplace=True), None),
        (torch.jit.script(nn.Threshold(0.5, 0.0)), None),
        (_OwnThreshold(), None),
        (keras.layers.ReLU(threshold=0.5), None),
        (keras.layers.Lambda(lambda x: keras.ops.where(x > 0.5, x, 0.0)), None),
        (keras.Sequential([keras.Input((1,)), keras.layers.ReLU(threshold=0.5)]), None),
        (lambda x: np.where(x > 0.5, x, 0), None),
        (lambda x: torch.where(x > 0.5, x, 0), None),
        (lambda x: keras.activations.relu(x, threshold=0.5), None),
        (lambda x: x if x > 0.5 else 0, None),
        (lambda x: x.masked_fill_(x <= 0.5, 0), None),
        (nn.Threshold(0.5, 0.5), "not the threshold"),
        (nn.Threshold(1.0, 0.0), "the old default"),
        (keras.layers.ReLU(threshold=1.0), "the old default"),
        (nn.ReLU(), "plain ReLU"),
        (nn.Hardshrink(0.5), "cuts on both sides"),
        (nn.Softshrink(0.5), "for x = [-3.]"),
        (lambda x: np.maximum(x - 0.5, 0), "moves the curve"),
        (lambda x: (x > 0.5) * 1.0, "this is a step"),
        (lambda x: np.where(x > 0.5, 2 * x, 0), "for x = [0.51]"),
        (nn.Threshold, "this is a class"),
        (1, "must be a layer"),
        (lambda x: x[1:], "expected the shape"),
    ],
)
def test_ported_threshold(answer, hint):
    judge(leaky.check_ported_threshold, answer, hint)


# --- Exercise 4.4: a network that sleeps ----------------------------------------------------------


def loop(network, x, y, optimiser, epochs=20):
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimiser.step()


def by(kind, epochs=20, **options):
    return lambda network, x, y: loop(network, x, y, kind(network.parameters(), **options), epochs)


def fresh_biases(network, x, y):
    for module in network[:-1:2]:
        nn.init.zeros_(module.bias)
    by(torch.optim.SGD, 5, lr=0.05, momentum=0.9)(network, x, y)


def another(network, x, y):
    """Returns a network of its own, batch norm inside, and leaves the given one asleep."""
    normed = [part for layer in network for part in (layer, nn.BatchNorm1d(64))][:-1]
    own = nn.Sequential(*normed)
    by(torch.optim.SGD, 10, lr=0.05, momentum=0.9)(own, x, y)
    return own


def only_returned(network, x, y):
    torch.manual_seed(1)
    own = nn.Sequential(nn.Linear(64, 32, dtype=torch.float64), nn.Tanh(),
                        nn.Linear(32, 10, dtype=torch.float64))  # fmt: skip
    by(torch.optim.Adam, 10, lr=0.01)(own, x.double(), y)
    return own


def normalised(network, x, y):
    """Adam by hand: every gradient divided by its own size."""
    size = [torch.zeros_like(p) for p in network.parameters()]
    for _ in range(20):
        for batch in torch.randperm(len(x)).split(64):
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            with torch.no_grad():
                for s, p in zip(size, network.parameters(), strict=True):
                    s.mul_(0.99).add_(0.01 * p.grad**2)
                    p.sub_(0.003 * p.grad / (s.sqrt() + 1e-30))
                    p.grad = None


def keras_fit(optimiser, epochs=20):
    def wake(network, x, y):
        crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(optimiser(), crossentropy, jit_compile=False)
        network.fit(x, y, 64, epochs=epochs, verbose=0)

    return wake


def keras_tape(network, x, y):
    optimiser = keras.optimizers.Adam(0.01)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(part, labels):
        with tf.GradientTape() as tape:
            loss = crossentropy(labels, network(part, training=True))
        found = tape.gradient(loss, network.trainable_variables)
        optimiser.apply(found, network.trainable_variables)

    for _ in range(20):
        for i in range(0, 1024, 64):
            step(x[i : i + 64], y[i : i + 64])
    return network


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (by(torch.optim.Adam, lr=0.01), None),
        (by(torch.optim.Rprop, lr=0.01), None),
        (normalised, None),
        (fresh_biases, None),
        (another, None),
        (only_returned, None),
        (keras_fit(lambda: keras.optimizers.Adam(0.01)), None),
        (keras_tape, None),
        (by(torch.optim.SGD, 5, lr=0.1, momentum=0.9), "it still sleeps"),
        (by(torch.optim.Adam, 5, lr=0.001), "a larger rate"),
        (by(torch.optim.Adam, 3, lr=0.01), "more epochs"),
        (by(torch.optim.SGD, 2, lr=1e30), "NaN or infinity"),
        (lambda network, x, y: None, "as it was"),
        (lambda network, x, y: network, "as it was"),
        (lambda network, x, y: setattr(network[-1], "out_features", 3), "as it was"),
        (lambda network, x, y: nn.Linear(64, 3), "of shape (359, 3)"),
        (lambda network, x: None, "TypeError"),
        (lambda network, x, y: network.fit(x, y), "AttributeError"),
        (nn.Linear, "this is a class"),
        (0.8, "must be a function"),
    ],
)
def test_wake(answer, hint):
    judge(leaky.check_wake, answer, hint)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_wake_takes_the_default_precision(kind):
    torch.set_default_dtype(kind)
    try:
        judge(leaky.check_wake, fresh_biases, None)
    finally:
        torch.set_default_dtype(torch.float32)


# --- Exercise 4.5: a rule of one's own ------------------------------------------------------------


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_leaky_rule(answer, hint):
    judge(leaky.check_leaky_rule, answer, hint)
