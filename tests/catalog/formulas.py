"""Every elementwise activation once more, in mpmath, straight from its definition.

Written independently of :mod:`actlab.catalog`, in the plainest form there is: no rearranging
against cancellation, only more digits. ``precise`` decides how many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

Formula = Callable[..., mp.mpf]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def elu(x, alpha):
    return x if x > 0 else alpha * (mp.exp(x) - 1)


def leaky(x, negative_slope):
    return x if x > 0 else negative_slope * x


def clip(x, low, high):
    return low if x < low else high if x > high else x


def softplus(x, beta, threshold):
    return x if beta * x > threshold else mp.log(1 + mp.exp(beta * x)) / beta


def selu(x):
    alpha = mp.mpf("1.6732632423543772848170429916717")
    scale = mp.mpf("1.0507009873554804934193349852946")
    return scale * elu(x, alpha)


def gelu_tanh(x):
    inner = mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)
    return x / 2 * (1 + mp.tanh(inner))


def gelu(x):
    if x < -1e4:  # mpmath's erfc gives up out there, where it is below e^(-5e7)
        return mp.mpf(0)
    return x * mp.erfc(-x / mp.sqrt(2)) / 2


def sparse_plus(x):
    return mp.mpf(0) if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4


FORMULAS: dict[str, Formula] = {
    "linear": lambda x: x,
    "binary_step": lambda x: mp.mpf(x >= 0),
    "relu": lambda x: x if x > 0 else mp.mpf(0),
    "relu6": lambda x: clip(x, mp.mpf(0), mp.mpf(6)),
    "threshold": lambda x, threshold, value: x if x > threshold else value,
    "thresholded_relu": lambda x, theta: x if x > theta else mp.mpf(0),
    "leaky_relu": leaky,
    "prelu": leaky,
    "rrelu": lambda x, lower, upper: leaky(x, (lower + upper) / 2),
    "elu": elu,
    "celu": lambda x, alpha: x if x > 0 else alpha * (mp.exp(x / alpha) - 1),
    "selu": selu,
    "exponential": mp.exp,
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: mp.log(sigmoid(x)),
    "hard_sigmoid": lambda x, limit: clip((x + limit) / (2 * limit), mp.mpf(0), mp.mpf(1)),
    "sparse_sigmoid": lambda x: clip((x + 1) / 2, mp.mpf(0), mp.mpf(1)),
    "tanh": mp.tanh,
    "hard_tanh": lambda x, min_val, max_val: max(min_val, min(x, max_val)),
    "softsign": lambda x: x / (1 + abs(x)),
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mp.tanh(mp.log(1 + mp.exp(x))),
    "hard_silu": lambda x: x * clip(x + 3, mp.mpf(0), mp.mpf(6)) / 6,
    "softplus": softplus,
    "squareplus": lambda x, b: (x + mp.sqrt(x * x + b)) / 2,
    "sparse_plus": sparse_plus,
    "soft_shrink": lambda x, threshold: x - clip(x, -threshold, threshold),
    "hard_shrink": lambda x, threshold: x if abs(x) > threshold else mp.mpf(0),
    "tanh_shrink": lambda x: x - mp.tanh(x),
}


def digits(x: float, params: dict[str, Any]) -> int:
    """Decimal digits to work with so that at least 50 of the result are right.

    Far out and near 0 the plain formulas cancel: 1 - tanh(300) has 260 leading nines,
    sqrt(x² + b) - |x| at 1e300 takes 600 digits, and so does x - tanh(x) at 1e-300.
    """
    near, far = abs(float(x)), abs(float(x)) * max(params.get("beta", 1.0), 1.0)
    for small, large, enough in ((1e-3, 4, 60), (1e-8, 8, 90), (1e-8, 800, 420)):
        if small < near and far < large:
            return enough
    return 800


def precise(name: str, params: dict[str, Any]) -> Formula:
    """The formula at these parameters, as a function of one number."""
    exact = {key: mp.mpf(value) for key, value in params.items()}
    formula = FORMULAS[name]
    return lambda x: formula(x, **exact)


def slope(formula: Formula, x: mp.mpf) -> mp.mpf:
    """The derivative of a formula by mpmath's differences; x must be a number away from kinks."""
    return mp.diff(formula, x, relative=abs(x) > 1)
