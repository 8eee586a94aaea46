"""The checkers of the chapter on softplus: right answers pass, mistakes get their hint."""

import copy

import keras
import numpy as np
import pytest
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from actlab import data
from actlab.exercises import smooth
from tests.exercises import rules
from tests.exercises.judge import judge


def by_where(x):
    """Right in value; the branch that is not chosen overflows."""
    return -torch.where(x > 20, x, torch.log1p(torch.exp(x)))


def by_hand(x):
    return -(torch.maximum(x, torch.zeros_like(x)) + torch.log1p(torch.exp(-x.abs())))


def by_relu(x):
    """Right but at 0, where neither of the two corners has a slope."""
    return -(torch.relu(x) + torch.log1p(torch.exp(-x.abs())))


def without_log1p(x):
    return -(torch.relu(x) + torch.log(1 + torch.exp(-x.abs())))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: -functional.softplus(x), None),
        (lambda x: functional.logsigmoid(-x), None),
        (lambda x: keras.activations.log_sigmoid(-x), None),
        (by_relu, "right but for the slope at exactly 0"),
        (lambda x: -ops.logaddexp(x, ops.zeros_like(x)), "right but for the slope at exactly 0"),
        (by_hand, None),
        (lambda x: torch.log(1 - torch.sigmoid(x)), "Where is σ(x) exactly 1?"),
        (lambda x: -torch.log(1 + torch.exp(x)), "Where is σ(x) exactly 1?"),
        (by_where, "What 'where' does not choose"),
        (without_log1p, "There is log1p"),
        (functional.logsigmoid, "this is log σ(x)"),
        (functional.softplus, "the sign"),
        (lambda x: -functional.softplus(x).detach(), "no gradient comes back"),
        (lambda x: -2 * functional.softplus(x), "expected"),
        (0.5, "expected a function"),
    ],
)
def test_log_of_one_minus_sigmoid(answer, hint):
    judge(smooth.check_log1mexp, answer, hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda y: y + torch.log(-torch.expm1(-y)), None),
        (lambda y: y + ops.log(-ops.expm1(-y)), None),
        (lambda y: y + np.log(-np.expm1(-y)), None),
        (lambda y: np.where(y < 80, np.log(np.expm1(np.minimum(y, 80))), y), None),
        (lambda y: torch.log(torch.exp(y) - 1), "take the logarithm of the product"),
        (lambda y: np.log(np.expm1(y)), "take the logarithm of the product"),
        (lambda y: y + torch.log(1 - torch.exp(-y)), "There is expm1"),
        (torch.log, "this undoes the exponential"),
        (functional.softplus, "this is softplus itself"),
        (lambda y: y, "expected"),
        (3, "expected a function"),
    ],
)
def test_the_way_back(answer, hint):
    judge(smooth.check_inverse, answer, hint)


def network(epochs=10):
    torch.manual_seed(0)
    x, y = smooth._visits()
    x, y = torch.from_numpy(x), torch.from_numpy(y).float()
    model = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Linear(16, 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(256):
            optimiser.zero_grad()
            nn.PoissonNLLLoss()(model(x[rows])[:, 0], y[rows]).backward()
            optimiser.step()
    return model.eval()


class Exp(nn.Module):
    def forward(self, z):
        return torch.exp(z)


@pytest.fixture(scope="module")
def good():
    return network()


def regression():
    """Poisson regression, by Newton's method."""
    x, y = smooth._visits()
    x = np.column_stack([np.ones(len(x)), x]).astype(float)
    w = np.zeros(10)
    w[0] = np.log(y.mean())
    for _ in range(20):
        rate = np.exp(x @ w)
        w += np.linalg.solve(x.T @ (x * rate[:, None]), x.T @ (y - rate))
    return w


def test_visits(good):
    w = regression()
    x, y = smooth._visits()
    linear = np.exp(w[0] + x @ w[1:])
    assert round(smooth._deviance(y, linear), 2) == smooth.LINEAR > smooth.ENOUGH
    twin = keras.Sequential(
        [keras.Input((9,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "exponential")]
    )
    twin.set_weights([part.detach().numpy().T for part in good.parameters()])
    double = copy.deepcopy(good).double()
    for answer, hint in [
        (nn.Sequential(good, Exp()), None),
        (lambda x: torch.exp(good(x)[:, 0]), None),
        (nn.Sequential(double, Exp()), None),
        (lambda x: torch.exp(double(x)[:, 0]), None),
        (double, "these are *logarithms*"),
        (twin, None),
        (lambda x: twin.predict(x, verbose=0), None),
        (good, "these are *logarithms*"),
        (lambda x: np.exp(w[0] + x @ w[1:]), "Give it a hidden layer"),
        (lambda x: np.full(len(x), 2.86), "every row gets the same rate"),
        (lambda x: 2.9 + 5 * x[:, 0], "of the rates are below 0"),
        (lambda x: np.where(np.arange(len(x)) < 2, -1, 2.8), "2 of the rates are below 0"),
        (lambda x: torch.exp(torch.exp(good(x)[:, 0])), "one too many"),
        (lambda x: np.exp(x) * np.nan, "expected one rate"),
        (lambda x: x[:, 0] * np.nan, "infinite or NaN"),
        (2.86, "expected a function"),
    ]:
        judge(smooth.check_visits, answer, hint)


def test_visits_are_those_of_the_package():
    x, y = data.visits()
    assert x.shape == (20190, 9)
    assert y.max() == 77
    assert (y == y.round()).all()


@pytest.mark.parametrize(("answer", "hint"), rules.ANSWERS)
def test_own_rule(answer, hint):
    judge(smooth.check_softplus_rule, answer, hint)
