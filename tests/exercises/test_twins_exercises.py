"""The checkers of the twins: right answers pass, each usual mistake gets its own hint."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab import stats
from actlab.exercises import twins as check
from tests.exercises.judge import judge

# --- A port -----------------------------------------------------------------------------------


def to_keras(model, turn=True, bias=True, slope=None, gelu=None, drop=None, functional=False):
    parts = []
    for module in model:
        if isinstance(module, nn.Linear):
            part = keras.layers.Dense(module.out_features)
            part.build((None, module.in_features))
            weight, shift = module.weight.detach().numpy(), module.bias.detach().numpy()
            square = weight.shape[0] == weight.shape[1]
            kernel = weight if square and not turn else weight.T
            part.set_weights([kernel, shift if bias else 0 * shift])
        elif isinstance(module, nn.LeakyReLU):
            given = module.negative_slope if slope is None else slope
            part = keras.layers.LeakyReLU(negative_slope=given)
        elif isinstance(module, nn.GELU):
            part = keras.layers.Activation(gelu or "gelu")
        else:
            part = keras.layers.Activation(type(module).__name__.lower())
        if drop is None or not isinstance(module, drop):
            parts.append(part)
    if functional:
        x = h = keras.Input((6,))
        for part in parts:
            h = part(h)
        return keras.Model(x, h)
    return keras.Sequential(parts)


def to_torch(model, turn=True, slope=None, approximate="none"):
    parts = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            kernel, bias = map(torch.tensor, layer.get_weights())
            part = nn.Linear(*kernel.shape)
            square = kernel.shape[0] == kernel.shape[1]
            part.weight.data = kernel if square and not turn else kernel.T
            part.bias.data = bias
        elif isinstance(layer, keras.layers.LeakyReLU):
            part = nn.LeakyReLU(float(layer.negative_slope) if slope is None else slope)
        else:
            kinds = {"relu": nn.ReLU(), "tanh": nn.Tanh(), "gelu": nn.GELU(approximate)}
            part = kinds[layer.activation.__name__]
        parts.append(part)
    return nn.Sequential(*parts)


def either_way(model):
    return to_keras(model) if isinstance(model, nn.Module) else to_torch(model)


class _Subclassed(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.weights = [[torch.tensor(w) for w in layer.get_weights()] for layer in layers]
        self.functions = [layer for layer in layers if not layer.get_weights()]

    def forward(self, x):
        rest = iter([w for w in self.weights if w])
        f = [torch.relu, torch.tanh, nn.functional.gelu]
        f += [lambda x: nn.functional.leaky_relu(x, float(self.functions[3].negative_slope))]
        for g in f:
            kernel, bias = next(rest)
            x = g(x @ kernel + bias)
        kernel, bias = next(rest)
        return x @ kernel + bias


def as_a_function(model):
    twin = to_keras(model)
    return tf.function(lambda x: twin(x, training=False))


def in_double(model):
    return to_torch(model).double()


@pytest.mark.parametrize(
    ("port", "hint"),
    [
        (to_keras, None),
        (to_torch, None),
        (either_way, None),
        (lambda model: to_keras(model, functional=True), None),
        (lambda model: _Subclassed(model.layers), None),
        (as_a_function, None),
        (in_double, None),
        (lambda model: torch.jit.trace(to_torch(model), torch.zeros(2, 6)), None),
        (lambda model: to_keras(model, turn=False), "lie the wrong way round"),
        (lambda model: to_torch(model, turn=False), "lie the wrong way round"),
        (lambda model: to_keras(model, bias=False), "biases have got lost"),
        (lambda model: to_keras(model, slope=0.3), "Keras's default"),
        (lambda model: to_torch(model, slope=0.01), "PyTorch's default"),
        (lambda model: to_torch(model, approximate="tanh"), "approximation by tanh"),
        (lambda model: to_keras(model, gelu="relu"), "your twin has ReLU"),
        (lambda model: to_keras(model, gelu="silu"), "your twin has SiLU"),
        (lambda model: to_keras(model, drop=(nn.ReLU, nn.Tanh, nn.GELU, nn.LeakyReLU)), "linear"),
        (lambda model: to_keras(model, drop=nn.Tanh), "Compare layer by layer"),
        (lambda model: to_keras(list(model)[:-1]), "expected outputs of shape"),
        (lambda model: model, "of the framework it came from"),
        (lambda model: None, "got NoneType"),
        (lambda model: model.no_such_thing, "no_such_thing"),
        (to_keras(nn.Sequential(nn.Linear(6, 6))), "One of the two directions is enough"),
        (1, "must be a function"),
    ],
)
def test_port(port, hint):
    judge(check.check_port, port, hint)


# --- The same losses --------------------------------------------------------------------------


def in_torch(
    weights,
    batches,
    turn=False,
    bias=True,
    dtype=torch.float32,
    f=nn.Tanh,
    reduction="mean",
    late=False,
    twice=False,
    steps=True,
    **options,
):
    parts = []
    for w, b in weights:
        layer = nn.Linear(w.shape[1], w.shape[0])
        square = w.shape[0] == w.shape[1]
        layer.weight.data = torch.tensor(w.T if turn and square else w)
        layer.bias.data = torch.tensor(b) if bias else torch.zeros(len(b))
        parts += [layer, f()]
    model = nn.Sequential(*parts[:-1], *([nn.Softmax(1)] if twice else [])).to(dtype)
    sgd = torch.optim.SGD(model.parameters(), **{"lr": 0.05, "momentum": 0.9, **options})
    losses = []
    for inputs, labels in batches:
        x, y = torch.tensor(inputs).to(dtype), torch.tensor(labels)
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y, reduction=reduction)
        loss.backward()
        if steps:
            sgd.step()
        if late:
            loss = nn.functional.cross_entropy(model(x), y)
        losses.append(loss.item())
    return losses


def _keras_model(weights):
    layers = [keras.layers.Dense(len(b), "tanh") for _, b in weights[:-1]]
    model = keras.Sequential([keras.Input((5,)), *layers, keras.layers.Dense(3)])
    model.set_weights([part for w, b in weights for part in (w.T, b)])
    return model


ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def in_keras(weights, batches, reset=True, lr=0.05):
    model = _keras_model(weights)
    model.compile(keras.optimizers.SGD(lr, momentum=0.9), ENTROPY)
    losses, total = [], 0.0
    for i, (x, y) in enumerate(batches, 1):
        model.reset_metrics()
        total += (loss := float(model.train_on_batch(x, y)))
        losses.append(loss if reset else total / i)
    return losses


def with_a_tape(weights, batches):
    model, sgd = _keras_model(weights), keras.optimizers.SGD(0.05, momentum=0.9)
    losses = []
    for x, y in batches:
        with tf.GradientTape() as tape:
            losses.append(ENTROPY(y, model(x)))
        sgd.apply(tape.gradient(losses[-1], model.trainable_variables), model.trainable_variables)
    return tf.stack(losses)


def by_fit(weights, batches):
    class Note(keras.callbacks.Callback):
        losses: list = []  # noqa: RUF012

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"] * (batch + 1) - sum(self.losses))

    model = _keras_model(weights)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), ENTROPY)
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    Note.losses = []
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[Note()])
    return Note.losses


def by_hand(weights, batches):
    return check.trace(weights, batches)


def in_place(weights, batches):
    found = check.trace(weights, batches)
    weights[0][0][...] = 0
    weights.clear()
    batches.clear()
    return torch.tensor(found)


@pytest.mark.parametrize(
    ("retrace", "hint"),
    [
        (in_torch, None),
        (in_keras, None),
        (with_a_tape, None),
        (by_fit, None),
        (by_hand, None),
        (in_place, None),
        (lambda w, b: in_torch(w, b, dtype=torch.float64), None),
        (lambda w, b: np.array(in_torch(w, b))[:, None], None),
        (lambda w, b: in_torch(w, b, turn=True), "lies the wrong way round"),
        (lambda w, b: in_torch(w, b, bias=False), "biases were not copied"),
        (lambda w, b: in_torch(w, b, momentum=0), "without momentum"),
        (lambda w, b: in_torch(w, b, nesterov=True), "Nesterov"),
        (lambda w, b: in_torch(w, b, f=nn.ReLU), "have ReLU"),
        (lambda w, b: in_torch(w, b, f=nn.Identity), "no activation"),
        (lambda w, b: in_torch(w, b, reduction="sum"), "the sum over the batch"),
        (lambda w, b: in_torch(w, b, late=True), "after its step"),
        (lambda w, b: in_torch(w, b, twice=True), "a softmax too many"),
        (lambda w, b: in_torch(w, b, lr=0.01), "Keras's default"),
        (lambda w, b: in_torch(w, b, lr=0.2), "the steps differ"),
        (lambda w, b: in_torch(w, b, steps=False), "never takes a step"),
        (lambda w, b: in_keras(w, b, reset=False), "the mean of all so far"),
        (lambda w, b: in_torch([(0 * m, c) for m, c in w], b), "did not arrive"),
        (lambda w, b: in_torch(w, b[:-1]), "as many losses"),
        (lambda w, b: None, "is a return missing"),
        (lambda w, b: [str(b)] * 25, "expected numbers"),
        (lambda w: w, "TypeError"),
        ("losses", "must be a function"),
    ],
)
def test_retrace(retrace, hint):
    judge(check.check_retrace, retrace, hint)


def test_by_hand_is_what_both_frameworks_do():
    """Its gradients were derived on paper: let autograd look at them."""
    rng = np.random.default_rng(5)
    weights = [(rng.normal(size=(4, 5)), rng.normal(size=4)), (rng.normal(size=(3, 4)), np.ones(3))]
    batches = [(rng.normal(size=(7, 5)), rng.integers(0, 3, 7)) for _ in range(20)]
    for options in ({}, {"nesterov": True}, {"momentum": 0.0}):
        found = check.trace(weights, batches, check.Variant(**options))
        assert np.allclose(found, in_torch(weights, batches, dtype=torch.float64, **options))
    twice = check.trace(weights, batches, check.Variant(softmax_twice=True, activation="relu"))
    torchs = in_torch(weights, batches, dtype=torch.float64, twice=True, f=nn.ReLU)
    assert np.allclose(twice, torchs)


# --- No difference ----------------------------------------------------------------------------


def rule(difference, margin=1.0):
    if -margin < difference.low and difference.high < margin:
        return "holds"
    if difference.low >= margin or difference.high <= -margin:
        return "refuted"
    return "not shown"


def lopsided(d):
    """Of worse no more than half a point, of better up to two."""
    if d.low > -0.5 and d.high < 2:
        return "holds"
    return "refuted" if d.low > 2 or d.high < -0.5 else "not shown"


def strict_about_refuting(d):
    """Different means different from 0, and by more than the margin for sure."""
    return "refuted" if abs(d.mean) - (d.high - d.low) / 2 > 3 else rule(d)


FOUND = stats.Interval(0.1, -0.3, 0.5, 20)


@pytest.mark.parametrize(
    ("decision", "hint"),
    [
        ((rule, FOUND), None),
        ([FOUND, rule], None),
        ((lambda d: rule(d, 0.25), FOUND), None),
        ((lambda d: stats.verdict_from_difference(d, 2, "equivalent"), FOUND), None),
        ((lopsided, FOUND), None),
        ((strict_about_refuting, FOUND), None),
        ((rule, stats.paired_difference(np.arange(20.0), np.ones(20))), None),
        ((lambda d: "holds" if d.low < 0 < d.high else "refuted", FOUND), "lets no difference"),
        ((lambda d: "refuted" if d.low > 1 or d.high < -1 else "holds", FOUND), "shows nothing"),
        ((lambda d: "holds" if abs(d.mean) < 1 else "refuted", FOUND), "shows nothing"),
        ((lambda d: "holds" if rule(d) == "holds" else "refuted", FOUND), "the opposite"),
        ((lambda d: "holds" if rule(d) == "holds" else "not shown", FOUND), "instead of 'refuted'"),
        ((lambda d: "holds" if d.low > 1 else "refuted", FOUND), "instead of 'holds'"),
        ((lambda d: rule(d, 40), FOUND), "your margin is 40 points"),
        ((lambda d: rule(d, 0), FOUND), "instead of 'holds'"),
        ((lambda d: rule(d) == "holds", FOUND), "must return a word"),
        ((rule, stats.Interval(0.1, -0.3, 0.5, 5)), "comes from 5 networks"),
        ((rule, stats.Interval(96, 95, 97, 20)), "looks like an accuracy"),
        ((rule, ...), "the measured interval"),
        (rule, "the pair (rule, difference)"),
    ],
)
def test_no_difference(decision, hint):
    judge(check.check_no_difference, decision, hint)
