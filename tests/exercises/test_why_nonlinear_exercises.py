"""The checkers of the first chapter: right answers pass, each usual mistake gets its own hint."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from actlab import data, stats
from actlab.exercises import why_nonlinear as check
from tests.exercises.judge import judge


def _collapse(layers, order=1, bias_through=True, keep_bias=True, stop=None):
    weight, bias = layers[0]
    for w, b in layers[1:stop]:
        bias = (w @ bias if bias_through else bias) + b
        weight = w @ weight if order == 1 else weight @ w
    return weight, bias if keep_bias else 0 * bias


def _affine_trick(layers):
    """One matrix more: (W b; 0 1), multiplied up."""
    big = [np.block([[w, b[:, None]], [np.zeros(w.shape[1]), 1]]) for w, b in layers]
    product = functools.reduce(lambda a, b: b @ a, big)
    return product[:-1, :-1], product[:-1, -1]


def _probing(layers):
    """Ask the network itself: the bias is f(0), the columns of W are f(e) - f(0)."""

    def network(h):
        for w, b in layers:
            h = w @ h + b
        return h

    bias = network(np.zeros(layers[0][0].shape[1]))
    return np.array([network(e) - bias for e in np.eye(layers[0][0].shape[1])]).T, bias


def _in_place(layers):
    weight, bias = layers.pop(0)
    while layers:
        w, b = layers.pop(0)
        bias = np.add(w @ bias, b, out=b)
        weight = w @ weight
    return [weight, bias]


def _only_tensors(layers):
    weight, bias = layers[0][0].clone(), layers[0][1].clone()
    for w, b in layers[1:]:
        weight, bias = torch.mm(w, weight), torch.mv(w, bias).add_(b)
    return weight, bias


def _only_tensorflow(layers):
    weight, bias = layers[0]
    for w, b in layers[1:]:
        weight, bias = tf.matmul(w, weight), tf.linalg.matvec(w, bias) + b
    return weight, bias


def _recursive(layers):
    *rest, (w, b) = layers
    if not rest:
        return w, b
    weight, bias = _recursive(rest)
    return w @ weight, w @ bias + b


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_collapse, None),
        (lambda layers: tuple(torch.from_numpy(part) for part in _collapse(layers)), None),
        (lambda layers: tuple(map(keras.ops.convert_to_tensor, _collapse(layers))), None),
        (_affine_trick, None),
        (_probing, None),
        (_in_place, None),
        (_only_tensors, None),
        (_only_tensorflow, None),
        (_recursive, None),
        (lambda layers: [part.tolist() for part in _collapse(layers)], None),
        (lambda layers: _collapse(layers, order=-1), "wrong order"),
        (lambda layers: (_collapse(layers)[0].T, _collapse(layers)[1]), "transpose"),
        (lambda layers: _collapse(layers, keep_bias=False), "got lost"),
        (lambda layers: _collapse(layers, bias_through=False), "only added up"),
        (lambda layers: (_collapse(layers)[0], np.array([9.0, 9.0])), "the bias should be"),
        (lambda layers: (2 * _collapse(layers)[0], layers[0][1]), "the matrix should be"),
        (lambda layers: _collapse(layers, stop=2), "reach every layer"),
        (lambda layers: (_collapse(layers)[0], layers[-1][0] @ layers[0][1] + layers[-1][1])
         if len(layers) == 2 else (_collapse(layers)[0], layers[-1][1]), "Carry matrix and bias"),
        (lambda layers: _collapse(layers) if len(layers) > 1 else ([[0.0]], [0.0]), "single one"),
        (lambda layers: _collapse(layers) if len(layers) < 3 else
         (_collapse(layers)[0], layers[-1][1]), "Carry matrix and bias"),
        (lambda layers: _collapse(layers)[0], "a pair (W, b)"),
        (lambda layers: print(_collapse(layers)), "a pair (W, b)"),
        (lambda layers: (1.0, 2.0), "a matrix and a vector"),
        (lambda layers: (_collapse(layers)[0], _collapse(layers)[1][:, None]), "a vector"),
        (lambda layers: ("W", "b"), "expected numbers"),
        ("W", "must be a function"),
    ],
)  # fmt: skip
def test_collapse(answer, hint):
    judge(check.check_collapse, answer, hint)


def _torch_xor(last=(1.0, -2.0), bias=(0.0, -1.0), hidden=2, out_bias=0.0, kind=nn.ReLU):
    model = nn.Sequential(nn.Linear(2, hidden), kind(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[0].weight[:2] = 1.0
        model[0].bias[:2] = torch.tensor(bias)
        model[2].weight[0, :2] = torch.tensor(last)
        model[2].bias += out_bias
    return model


def _one_unit_per_direction(x, relu):
    """relu(x₀ − x₁) + relu(x₁ − x₀), with no bias."""
    return relu(x @ [[1.0, -1.0], [-1.0, 1.0]]) @ [[1.0], [1.0]]


class _Subclassed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.ModuleDict({"first": nn.Linear(2, 2, bias=False)})
        self.inner["first"].weight.data = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])

    def forward(self, x):
        h = self.inner["first"](x)
        return (h * (h > 0)).sum(-1)


class _KerasSubclassed(keras.Model):
    def call(self, x):
        h = tf.matmul(x, [[1.0, 1.0], [1.0, 1.0]]) + [0.0, -1.0]
        return tf.matmul((h + abs(h)) / 2, [[1.0], [-2.0]])


def _keras_xor(kind="relu", dtype=None, functional=False):
    hidden, last = keras.layers.Dense(2, kind, dtype=dtype), keras.layers.Dense(1, dtype=dtype)
    if functional:
        x = keras.Input((2,))
        inner = keras.Sequential([keras.Input((2,)), hidden])
        model = keras.Model(x, last(inner(x)))
    else:
        model = keras.Sequential([keras.Input((2,)), hidden, last])
    model.set_weights([np.ones((2, 2)), np.array([0, -1]), np.array([[1], [-2]]), np.zeros(1)])
    return model


def _in_place(x):
    z = x @ np.ones((2, 2)) + [0, -1]
    z[z < 0] = 0
    return z @ [1, -2]


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (_torch_xor, None),
        (lambda: _in_place, None),
        (_keras_xor, None),
        (lambda: _torch_xor().double(), None),
        (lambda: _torch_xor().half(), None),
        (lambda: torch.jit.script(_torch_xor()), None),
        (lambda: torch.jit.trace(_torch_xor(), torch.zeros(4, 2)), None),
        (lambda: nn.Sequential(nn.Sequential(*_torch_xor()), nn.Flatten(0)), None),
        (lambda: _torch_xor(kind=lambda: nn.ReLU(inplace=True)), None),
        (lambda: _torch_xor(kind=lambda: nn.PReLU(init=0.0)), None),
        (lambda: _torch_xor(kind=lambda: nn.Threshold(0.0, 0.0)), None),
        (_Subclassed, None),
        (lambda: lambda x: _torch_xor()(x), None),
        (lambda: torch.vmap(_torch_xor()), None),
        (lambda: lambda x: torch.relu(x @ torch.ones(2, 2) - torch.tensor([0.0, 1.0]))
         @ torch.tensor([1.0, -2.0]), None),
        (lambda: lambda x: _one_unit_per_direction(x, lambda z: np.maximum(0, z)), None),
        (lambda: lambda x: np.where(x.sum(1) > 0, x.sum(1), 0) - 2 * np.clip(x.sum(1) - 1, 0, None),
         None),
        (lambda: lambda x: x[:, 0] + x[:, 1] - 2 * torch.relu(x.sum(1) - 1), None),
        (lambda: _keras_xor(functional=True), None),
        (lambda: _keras_xor(kind=keras.layers.ReLU()), None),
        (lambda: _keras_xor(dtype="float64"), None),
        (lambda: _keras_xor(dtype="mixed_float16"), None),
        (_KerasSubclassed, None),
        (lambda: tf.function(_keras_xor()), None),
        (lambda: lambda x: abs(x[:, 0] - x[:, 1]), "an absolute value does the work"),
        (lambda: lambda x: (x[:, :1] - x[:, 1:]).abs(), "an absolute value does the work"),
        (lambda: lambda x: keras.ops.abs(x[:, 0] - x[:, 1]), "an absolute value does the work"),
        (lambda: lambda x: (x[:, 0] != x[:, 1]) * 1.0, "no ReLU unit was seen"),
        (lambda: lambda x: x[:, 0] + x[:, 1] - 2 * x[:, 0] * x[:, 1], "no ReLU unit was seen"),
        (lambda: lambda x: x.amax(1) - x.amin(1), "no ReLU unit was seen"),
        (lambda: _torch_xor(bias=(0.0, 0.0)), "still linear"),
        (lambda: nn.Linear(2, 1), "still linear"),
        (lambda: _torch_xor(kind=nn.Identity), "still linear"),
        (lambda: _keras_xor(kind="linear"), "still linear"),
        (lambda: _torch_xor(last=(-1.0, 2.0), out_bias=1.0), "this is the opposite"),
        (lambda: _torch_xor(last=(1.0, -1.0)), "expected 0, 1, 1, 0"),
        (lambda: _keras_xor(kind="sigmoid"), "expected 0, 1, 1, 0"),
        (lambda: _torch_xor(hidden=8), "with 33 weights"),
        (lambda: nn.Sequential(*_torch_xor(), nn.ReLU()), "with 3 ReLU units"),
        (lambda: nn.Linear(2, 3), "expected four outputs"),
        (lambda: nn.Linear(3, 1), "RuntimeError"),
        (lambda: nn.Sequential, "this is a class"),
        (lambda: lambda: _torch_xor(), "takes no arguments"),
        (lambda: list(_torch_xor()), "can be called"),
        (lambda: "XOR", "can be called"),
    ],
)  # fmt: skip
def test_xor(model, hint):
    judge(check.check_xor, model(), hint)


def _borrowed(x, slope=lambda x: x.clamp(-1, 1), step=lambda x: (x >= 0).to(x.dtype)):
    return slope(x) + (step(x) - slope(x)).detach()


def _borrowed_in_keras(x):
    ramp = keras.ops.clip(x, -1.0, 1.0)
    return ramp + keras.ops.stop_gradient(keras.ops.cast(x >= 0, "float32") - ramp)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * (ctx.saved_tensors[0].abs() <= 1)


class _Module(nn.Module):
    def forward(self, x):
        ramp = nn.functional.hardtanh(x)
        return torch.heaviside(x, torch.ones(())).sub_(ramp).detach() + ramp


@tf.custom_gradient
def _in_tensorflow(x):
    return tf.cast(x >= 0, x.dtype), lambda gradient: gradient * tf.cast(abs(x) < 1, x.dtype)


@keras.ops.custom_gradient
def _custom_in_keras(x):
    step = keras.ops.where(x >= 0, 1.0, 0.0)
    return step, lambda gradient: keras.ops.where(keras.ops.abs(x) <= 1, gradient, 0.0)


class _Layer(keras.layers.Layer):
    def call(self, x):
        return _borrowed_in_keras(x)


def _with_hook(x):
    step = torch.where(x >= 0, 1.0, 0.0) + 0 * x
    step.register_hook(lambda gradient: gradient)
    return step + (x.clip(-1, 1) - x.clip(-1, 1).detach())


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (_borrowed, None),
        (_borrowed_in_keras, None),
        (_Step.apply, None),
        (_Module(), None),
        (_in_tensorflow, None),
        (_custom_in_keras, None),
        (_Layer(), None),
        (_with_hook, None),
        (torch.jit.script(_Module()), None),
        (tf.function(_borrowed_in_keras), None),
        (lambda x: (x >= 0) + nn.Hardtanh()(x) - nn.Hardtanh()(x).data, None),
        (lambda x: _borrowed(x, slope=lambda x: (x.clamp(-1, 1) + 1) / 2), "slope between −1"),
        (lambda x: _borrowed(x, slope=lambda x: x), "passes everywhere"),
        (lambda x: _borrowed(x, slope=lambda x: 3 * x.clamp(-1, 1)), "slope is 1"),
        (lambda x: _borrowed(x, slope=torch.sigmoid), "that of another curve"),
        (lambda x: _borrowed(x, slope=torch.tanh), "that of another curve"),
        (lambda x: _borrowed(x, slope=lambda x: -x.clamp(-1, 1)), "the wrong sign"),
        (lambda x: (x >= 0).to(x.dtype), "still zero, or there is none"),
        (lambda x: x.clamp(-1, 1).detach() + (x >= 0) - x.clamp(-1, 1).detach(), "still zero"),
        (lambda x: keras.ops.cast(x >= 0, "float32"), "still zero, or there is none"),
        (torch.sign, "this is the sign"),
        (torch.sigmoid, "this is the sigmoid"),
        (lambda x: x.clamp(-1, 1), "the ramp itself"),
        (nn.Hardtanh(), "the ramp itself"),
        (lambda x: _borrowed(x, step=lambda x: (x > 0).to(x.dtype)), "At 0 the step is 1"),
        (lambda x: _borrowed(x, step=lambda x: (x < 0).to(x.dtype)), "the step goes down"),
        (lambda x: _borrowed(x)[:3], "expected the shape"),
        (lambda x: x.no_such_method(), "no_such_method"),
        (lambda x: np.heaviside(x, 1), "your code stopped with"),
        (_Step, "_Step.apply"),
        (1.0, "must be a function"),
    ],
)
def test_borrowed_slope(answer, hint):
    judge(check.check_borrowed_slope, answer, hint)


def _step(h):
    return (h >= 0).to(h.dtype)


class _Lambda(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@functools.cache
def _trained(units=32, epochs=30, learns_below=True):
    """Weights (units in, units out) and biases of a network of steps, trained on the digits."""
    torch.manual_seed(0)
    digits = data.load("digits")
    x, y = torch.tensor(digits.x_train), torch.tensor(digits.y_train)
    below, above = nn.Linear(64, units).float(), nn.Linear(units, 10).float()
    optimizer = torch.optim.Adam([*below.parameters(), *above.parameters()], lr=0.01)
    activation = _borrowed if learns_below else _step
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            logits = above(activation(below(x[batch])))
            nn.functional.cross_entropy(logits, y[batch]).backward()
            optimizer.step()
    layers = (below.weight.T, below.bias, above.weight.T, above.bias)
    return [part.detach().numpy() for part in layers]


def _network(*ends, activation=_borrowed, form=_trained, dtype=torch.float32):
    w, b, v, c = form()
    below, above = nn.Linear(64, w.shape[1]), nn.Linear(w.shape[1], 10)
    for layer, weight, bias in ((below, w, b), (above, v, c)):
        layer.weight.data, layer.bias.data = torch.tensor(weight.T), torch.tensor(bias)
    return nn.Sequential(below, _Lambda(activation), above, *ends).to(dtype)


def _signs():
    """The same network, whose units say −1 and 1."""
    w, b, v, c = _trained()
    return [w, b, v / 2, c + v.sum(0) / 2]


def _keras_network(last=None, activation=_borrowed_in_keras, form=_trained):
    w, *rest = form()
    layers = [keras.layers.Dense(w.shape[1], activation), keras.layers.Dense(10, last)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.set_weights([w, *rest])
    return model


def _in_numpy(x):
    w, b, v, c = _trained()
    return np.where(x @ w + b >= 0, 1.0, 0.0) @ v + c


def _by_truth_values(x):
    w, b, v, c = _trained()
    return (x @ w + b >= 0) @ v + c


def _by_type(x):
    w, b, v, c = _trained()
    return (x @ w + b >= 0).astype(int) @ v + c


def _by_assignment(x):
    w, b, v, c = _trained()
    z = x @ w + b
    steps = np.zeros_like(z)
    steps[z >= 0] = 1
    return steps @ v + c


def _with_a_way_past(x):
    w, b, v, c = map(torch.tensor, _trained())
    return _step(x @ w + b) @ v + c + 0.3 * x[:, :10]


def _elsewhere():
    """Steps that jump at 1/2, and down: the same code, by other weights."""
    w, b, v, c = _trained()
    return [-w, 0.5 - b, v, c]


def _two_layers(x):
    """A second layer of steps that passes the first one on."""
    w, b, v, c = map(torch.tensor, _trained())
    return _step(_step(x @ w + b) - 0.5) @ v + c


@pytest.mark.parametrize(
    ("network", "hint"),
    [
        (_network, None),
        (lambda: _network(activation=_step), None),
        (lambda: _network(activation=_Step.apply), None),
        (lambda: _network(dtype=torch.float64), None),
        (lambda: _network(nn.Softmax(1)), None),
        (lambda: _network(nn.LogSoftmax(1)), None),
        (lambda: _network(activation=torch.sign, form=_signs), None),
        (lambda: torch.jit.trace(_network(), torch.zeros(2, 64)), None),
        (lambda: lambda x: _network()(x), None),
        (lambda: _network(activation=lambda h: (h <= 0.5).to(h.dtype), form=_elsewhere), None),
        (lambda: _network(activation=lambda h: torch.sigmoid(h).round()), None),
        (lambda: _in_numpy, None),
        (lambda: _by_truth_values, None),
        (lambda: _by_type, None),
        (lambda: _by_assignment, None),
        (lambda: _two_layers, None),
        (_keras_network, None),
        (lambda: _keras_network("softmax"), None),
        (lambda: _keras_network(activation=keras.ops.sign, form=_signs), None),
        (lambda: _keras_network(activation=_Layer()), None),
        (lambda: tf.function(_keras_network()), None),
        (lambda: _network(form=lambda: _trained(learns_below=False)), "Do they move?"),
        (lambda: _keras_network(form=lambda: _trained(learns_below=False)), "Do they move?"),
        (lambda: _network(form=lambda: _trained(epochs=0)), "hardly more than by guessing"),
        (lambda: _network(form=lambda: _trained(units=40)), "40 step units in a layer"),
        (lambda: _network(activation=nn.Hardtanh()), "without steps"),
        (lambda: _network(activation=nn.ReLU()), "without steps"),
        (lambda: _keras_network(activation="sigmoid"), "without steps"),
        (lambda: _keras_network(activation=None), "without steps"),
        (lambda: _with_a_way_past, "nothing passes the steps by"),
        (lambda: _network(nn.Linear(10, 3)), "10 scores each"),
        (lambda: _Lambda, "this is a class"),
        (lambda: nn.Linear(63, 10), "RuntimeError"),
    ],
)
def test_step_network(network, hint):
    judge(check.check_step_network, network(), hint)


def _rule(gain, bound=1.0):
    if gain.low > bound:
        return "holds"
    return "refuted" if gain.high <= bound else "not shown"


class _Judge:
    def __call__(self, interval):
        return stats.verdict_from_difference(interval, 2)


def _without_end(gain):
    if gain.low > 1:
        return "holds"
    if gain.high < 1:
        return "refuted"
    return None


def _indifferent(gain):
    if gain.low > 5:
        return "holds"
    return "refuted" if gain.high < -5 else "not shown"


GAIN = stats.Interval(1.5, 0.5, 2.5, 20)


@pytest.mark.parametrize(
    ("decision", "hint"),
    [
        ((_rule, GAIN), None),
        ((lambda gain: np.where(True, _rule(gain), ""), GAIN), None),
        ([_rule, GAIN], None),
        ((GAIN, _rule), None),
        ((lambda gain: _rule(gain, 0), GAIN), None),
        ((lambda gain: _rule(gain, 7.5).upper(), GAIN), None),
        ((lambda gain: _rule(gain).replace(" ", "_"), GAIN), None),
        ((lambda g: "not shown" if g.low <= 1 < g.high else _rule(g), GAIN), None),
        ((_Judge(), GAIN), None),
        ((_rule, stats.paired_difference(np.arange(20.0), np.zeros(20))), None),
        ((lambda g: "holds" if g.mean > 1 else "refuted", GAIN), "A mean alone decides nothing"),
        ((lambda g: "holds" if g.low > 1 else "refuted", GAIN), "not to have shown the opposite"),
        ((lambda g: "holds" if g.high > 1 else "refuted", GAIN), "A mean alone"),
        ((lambda g: "holds" if g.low > 1 else "not shown", GAIN), "nothing can refute"),
        ((lambda g: _rule(stats.Interval(-g.mean, -g.high, -g.low, 20)), GAIN), "so it holds"),
        ((_indifferent, GAIN), None),
        ((lambda g: _rule(g, 40), GAIN), "your bound lies at 40 points"),
        ((lambda g: _rule(g, -3), GAIN), "choose a bound from 0 on"),
        ((lambda g: _rule(g) == "holds", GAIN), "must return a word"),
        ((_without_end, GAIN), "is a return missing"),
        ((lambda g: "yes" if g.low > 1 else "no", GAIN), "your rule says 'yes'"),
        ((lambda g: g.lower > 1, GAIN), "AttributeError"),
        ((_rule, stats.Interval(1.5, 0.5, 2.5, 3)), "comes from 3 networks"),
        ((_rule, stats.Interval(95.5, 95, 96, 20)), "looks like an accuracy"),
        ((_rule, 1.5), "the measured interval"),
        ((_rule, ...), "the measured interval"),
        (("holds", GAIN), "must be your rule"),
        (_rule, "the pair (rule, gain)"),
    ],
)  # fmt: skip
def test_decision(decision, hint):
    judge(check.check_decision, decision, hint)


def test_no_answer_is_not_an_error():
    assert "no answer yet" in check.check_collapse(...).message
