"""Answers that several chapters' checkers share: trained networks, and rules of one's own."""

from functools import cache

import keras
import numpy as np
import tensorflow as tf
import torch
from torch import nn

from actlab import data, stats
from actlab.catalog.elu import SELU_ALPHA, SELU_SCALE
from tests.exercises.judge import judge

SEEDS = 20
RNG = np.random.default_rng(0)
MANY = RNG.uniform(8, 12, SEEDS)
FEW = MANY - RNG.uniform(1, 3, SEEDS)


def by_interval(first, second):
    saved = stats.mean_interval(first - second)
    if saved.low > 0:
        return "holds"
    return "refuted" if saved.high < 0 else "not shown"


def by_signs(first, second):
    """Unusual, and right: it counts seeds, and wants nearly all of them."""
    ahead = np.mean(second < first) - np.mean(second > first)
    return "Holds " if ahead > 0.7 else "REFUTED" if ahead < -0.7 else "not shown"


def in_pytorch(first, second):
    saved = first - second
    t = torch.mean(saved) / (torch.std(saved) / len(saved) ** 0.5)
    return "holds" if t > 2.3 else "refuted" if t < -2.3 else "not shown"


def in_tensorflow(first, second):
    saved = tf.cast(first - second, "float64")
    error = keras.ops.std(saved) / (saved.shape[0] - 1) ** 0.5
    t = tf.reduce_mean(saved).numpy() / error.numpy()
    return "holds" if t > 2.3 else "refuted" if t < -2.3 else "not shown"


def by_means(first, second):
    return "holds" if second.mean() < first.mean() else "refuted"


ANSWERS = [
    ((by_interval, MANY, FEW), None),
    ([by_interval, FEW, MANY], None),
    ((by_signs, MANY, FEW), None),
    ((by_interval, MANY.tolist(), FEW.tolist()), None),
    ((by_interval, torch.tensor(MANY), torch.tensor(FEW)), None),
    ((by_interval, keras.ops.array(MANY), keras.ops.array(FEW)), None),
    ((in_pytorch, torch.tensor(MANY), torch.tensor(FEW)), None),
    ((in_tensorflow, keras.ops.array(MANY), keras.ops.array(FEW)), None),
    ((by_interval, MANY / 100, FEW / 100), None),
    ((by_interval, MANY, np.where(FEW < 8, 0, FEW)), None),
    ((by_interval, np.where(MANY < 11, 0, MANY), FEW), None),
    ((lambda a, b: np.where(True, by_interval(a, b), ""), MANY, FEW), None),
    ((by_means, MANY, FEW), "no more than chance"),
    ((lambda a, b: "holds", MANY, FEW), "A rule that cannot lose"),
    ((lambda a, b: "not shown", MANY, FEW), "not 'holds'"),
    (
        (lambda a, b: {"not shown": "refuted"}.get(w := by_interval(a, b), w), MANY, FEW),
        "Not to have shown it is not to have shown the opposite",
    ),
    ((lambda a, b: by_interval(b, a), MANY, FEW), "'Holds' means here"),
    (
        (lambda a, b: "not shown" if np.allclose(a, b, 0.35) else by_means(a, b), MANY, FEW),
        "One network decides it",
    ),
    ((lambda a, b: by_interval(a, b) == "holds", MANY, FEW), "the rule says True"),
    ((lambda a, b: None, MANY, FEW), "the rule says None"),
    ((by_interval, MANY[:5], FEW[:5]), "5 seeds"),
    ((by_interval, MANY, FEW[:15]), "the same seeds"),
    ((by_interval, MANY, MANY), "the very same numbers"),
    ((by_interval, MANY, np.where(FEW < 8, np.nan, FEW)), "NaN, infinite or below 0"),
    ((by_interval, MANY, -FEW), "NaN, infinite or below 0"),
    ((by_interval, MANY), "expected three things"),
    ((MANY, FEW, by_interval), "expected three things"),
    (by_interval, "expected three things"),
    ((lambda a, b: undefined_name, MANY, FEW), "NameError"),  # noqa: F821
]


class ByHand(nn.Module):
    """ELU or SELU, whose negative side is an ELU or SELU of its own."""

    def __init__(self, scale, alpha):
        super().__init__()
        self.scale, self.alpha = scale, alpha

    def forward(self, x):
        left = self.scale * self.alpha * torch.expm1(x.clamp(max=0))
        return torch.where(x > 0, self.scale * x, left)


BY_HAND = {"elu": ByHand(1, 1), "selu": ByHand(SELU_SCALE, SELU_ALPHA)}


def by_hand(activation, layers):
    return nn.Sequential(
        *(
            part if isinstance(part, nn.Linear) else BY_HAND[activation]
            for part in network("torch", activation, layers)
        )
    )


def with_batch_norm(framework, activation, layers):
    """The same network, which batch norm does not change until it is trained on."""
    plain = network(framework, activation, layers)
    if framework == "torch":
        return nn.Sequential(*plain[:1], nn.BatchNorm1d(32), *plain[1:])
    first, *others = plain.layers
    norm, bend = keras.layers.BatchNormalization(), keras.layers.Activation(activation)
    dense = keras.layers.Dense(32)
    model = keras.Sequential([keras.Input((64,)), dense, norm, bend, *others])
    dense.set_weights(first.get_weights())
    return model


def try_trained(check, framework, activation, layers):
    """A trained network is right; others get the hint that is theirs."""
    judge(check, network(framework, activation, layers), None)
    if framework == "torch":
        judge(check, by_hand(activation, layers), None)
    judge(
        check,
        with_batch_norm(framework, activation, layers),
        "batch norm" if activation == "selu" else None,
    )
    judge(check, network(framework, activation, layers, epochs=0), "was it trained?")
    judge(check, network(framework, activation, layers - 1), f"expected {layers} hidden layers")
    judge(check, network(framework, "relu", layers, epochs=0), f"and {layers} of ReLU")
    judge(check, network(framework, activation, layers, epochs=1), "has learned something")
    judge(check, network(framework, activation, layers, scale="unit"), "go from 0 to 1")
    judge(check, network(framework, activation, layers, rate=1e6), "it diverged")
    judge(check, lambda x: x[:, :10], f"expected {layers} hidden layers")
    judge(check, "the network", "expected a PyTorch module or a Keras model")


@cache
def network(framework, activation, layers, epochs=25, scale="standardise", rate=0.02):
    digits = data.load("digits", scale=scale)
    start = "lecun_normal" if activation == "selu" else "he_normal"
    if framework == "keras":
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((64,))]
            + [keras.layers.Dense(32, activation, kernel_initializer=start) for _ in range(layers)]
            + [keras.layers.Dense(10)]
        )
        model.compile(
            optimizer=keras.optimizers.SGD(rate, momentum=0.9),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        if epochs:
            model.fit(digits.x_train, digits.y_train, batch_size=128, epochs=epochs, verbose=0)
        return model
    torch.manual_seed(0)
    kind = {"elu": nn.ELU, "selu": nn.SELU, "relu": nn.ReLU}[activation]
    parts = []
    for n in (64, *[32] * (layers - 1)):
        linear = nn.Linear(n, 32)
        nn.init.kaiming_normal_(
            linear.weight, nonlinearity="linear" if activation == "selu" else "relu"
        )
        parts += [linear, kind()]
    model = nn.Sequential(*parts, nn.Linear(32, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    x, y = torch.tensor(digits.x_train, dtype=torch.float32), torch.tensor(digits.y_train)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimiser.step()
    return model
