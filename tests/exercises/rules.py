"""Answers that several chapters' checkers share: trained networks, and rules of one's own."""

from functools import cache

import keras
import numpy as np
import torch
from torch import nn

from actlab import data, stats
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


def by_means(first, second):
    return "holds" if second.mean() < first.mean() else "refuted"


ANSWERS = [
    ((by_interval, MANY, FEW), None),
    ([by_interval, FEW, MANY], None),
    ((by_signs, MANY, FEW), None),
    ((by_interval, MANY.tolist(), FEW.tolist()), None),
    ((by_interval, torch.tensor(MANY), torch.tensor(FEW)), None),
    ((by_interval, keras.ops.array(MANY), keras.ops.array(FEW)), None),
    ((by_interval, MANY / 100, FEW / 100), None),
    ((by_means, MANY, FEW), "no more than chance"),
    ((lambda a, b: "holds", MANY, FEW), "A rule that cannot lose"),
    ((lambda a, b: "not shown", MANY, FEW), "not 'holds'"),
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
    ((by_interval, MANY, np.where(FEW < 8, np.nan, FEW)), "NaN, infinite or not above 0"),
    ((by_interval, MANY), "expected three things"),
    ((MANY, FEW, by_interval), "expected three things"),
    (by_interval, "expected three things"),
    ((lambda a, b: undefined_name, MANY, FEW), "NameError"),  # noqa: F821
]


def try_trained(check, framework, activation, layers):
    """A trained network is right; others get the hint that is theirs."""
    judge(check, network(framework, activation, layers), None)
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
