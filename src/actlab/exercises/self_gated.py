"""Checkers of the chapter "GELU, SiLU, Mish: every number its own gate"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from actlab import catalog, data
from actlab.exercises.feedback import checker, expect
from actlab.exercises.observe import mixes, number, run, watch
from actlab.exercises.own import own_rule, trained

Array = npt.NDArray[Any]
Z, DENSITY = np.polynomial.hermite_e.hermegauss(80)
DENSITY = DENSITY / DENSITY.sum()


def _out(function: Any, gain: float) -> float:
    """E[f(gain · z)²] for a standard normal z."""
    return float(function(gain * Z) ** 2 @ DENSITY)


@checker("the answer must be a function of a function")
def check_own_gain(answer: Any) -> str:
    """Exercise 7.1: from a function f of NumPy arrays to the gain with E[f(gain · z)²] = 1."""
    for name in ("silu", "mish", "relu"):
        f = catalog.get(name).reference
        right = brentq(lambda gain, f=f: _out(f, gain) - 1, 0.1, 30)
        title = catalog.get(name).title
        found = number(lambda _, f=f: answer(f), np.zeros(1))
        told = f"for {title} you return {found:.3f}"
        if name != "relu":  # of which all of these are right, or the same
            expect(
                not np.isclose(found, 2**0.5, rtol=2e-3), f"{told}: He's gain, which suits ReLU."
            )
            expect(
                not np.isclose(found, _out(f, 1) ** -0.5, rtol=2e-3),
                f"{told}: 1 / √E[f(z)²]. Put it into the function, and look again: f bends, so "
                "twice the input is not twice the output.",
            )
        expect(
            not np.isclose(found, right**2, rtol=2e-3),
            f"{told}, the variance of the weights times n; the gain is its root.",
        )
        expect(
            np.isclose(found, right, rtol=5e-3),
            f"{told}, with which a signal of mean square 1 comes out with {_out(f, found):.3f}.",
        )
    return "a signal of mean square 1 keeps it, through SiLU, Mish and ReLU."


KINDS = ("exact", "tanh", "sigmoid")


def _gelus(x: Array) -> dict[str, Array]:
    x = np.asarray(x, dtype=np.float64)
    exact, tanh = (catalog.get(name).reference(x) for name in ("gelu", "gelu_tanh"))
    return {
        "exact": exact,
        "tanh": tanh,
        "sigmoid": catalog.get("silu").reference(1.702 * x) / 1.702,
    }


@checker("the answer must be a function of a function")
def check_which_gelu(answer: Any) -> str:
    """Exercise 7.2: say of a function of float32 arrays which of ``KINDS`` it is."""
    for kind in KINDS:
        for noise in (0.0, 2e-7):  # another library rounds otherwise

            def mystery(x: Any, kind: str = kind, noise: float = noise) -> Any:
                given = np.asarray(x, dtype=np.float32)
                found = _gelus(given)[kind] * (1 + noise * np.cos(1e3 * given))
                return found.astype(np.float32)

            said = run(answer, mystery)
            expect(said in KINDS, f"you say {said!r}; expected one of {', '.join(KINDS)}.")
            expect(
                noise == 0 or said == kind,
                f"rounded a little otherwise, as another library would, {kind} is {said!r} to you. "
                "Ask which one is nearest, not which one is equal.",
            )
            expect(
                said == kind,
                f"of the {kind} one you say {said!r}. Where do you look? At 0 and far out all "
                "three agree; they are furthest apart where x is 2 or 3, on either side.",
            )
    return "exact, tanh or sigmoid: you can tell."


@checker("expected a PyTorch module or a Keras model, after training")
def check_deep_gelu(answer: Any) -> str:
    """Exercise 7.3: eight hidden layers of GELU, trained on the digits without batch norm."""
    digits = data.load("digits")
    kinds = ("gelu", "gelu_tanh")
    seen = watch(answer, digits.x_test, training=False)
    kind = max(kinds, key=lambda name: len(seen.layers(name)))
    praise = trained(answer, kind, layers=8)
    expect(
        not mixes(answer, digits.x_valid, kind),
        "in training, what becomes of an input hangs on the others in its batch: that is batch "
        "norm. Do without: a start of its own, or layer norm.",
    )
    return praise


@checker("the answer must be three things: rule, twin, dip", calls=False)
def check_dip_rule(answer: Any) -> str:
    """Exercise 7.4: ``rule, twin, dip``: a rule of one's own and test errors by seed."""
    return own_rule(answer, ("twin", "dip"), "the dip makes the test error smaller")
