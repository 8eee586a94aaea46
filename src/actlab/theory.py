"""What the theory of wide networks expects of a layer before training: moments, gradients, gain.

In a wide fully connected layer whose weights are independent with mean 0, the pre-activations of
one input are normal with mean 0, and their variance is the mean square of what comes in times
n · Var(w), plus the bias's variance (Neal, 1996; Poole et al., 2016; Schoenholz et al., 2017,
eq. 3–5). Everything here follows from means over that normal: no network is drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.polynomial.legendre import leggauss

from actlab import catalog
from actlab.catalog import Activation

Array = npt.NDArray[np.float64]

# Gauss–Legendre on panels (their ends, in standard deviations; nodes and weights within one). They
# halve towards 0, so that neither the kink most activations have at 0 nor a curve that saturates
# within a thousandth of a standard deviation falls between the nodes; beyond 12 the normal holds
# less than 1e-32. Where every node of one integral has another integral inside, fewer must do.
_Panels = tuple[Array, Array, Array]
_FINE: _Panels = (np.array([0.0, *(2.0 ** np.arange(-12, 4)), 12.0]), *leggauss(16))
_COARSE: _Panels = (np.array([0.0, 2.0**-6, 2.0**-4, 2.0**-2, 1.0, 2.5, 5.0, 8.0]), *leggauss(8))


def normal_mean(
    function: Callable[[Array], Array], variance: float = 1.0, kinks: Sequence[float] = ()
) -> float:
    """E[function(z)] for z ~ N(0, variance), to about 12 digits.

    ``function`` keeps the shape of an array; ``kinks``: where besides 0 it or its slope jumps.
    Raises ``ValueError`` for a negative or non-finite variance.
    """
    if not 0 <= variance < math.inf:
        raise ValueError(f"variance={variance!r}: expected a finite number, not negative.")
    z, density = _normal(math.sqrt(variance), kinks, _FINE)
    return float(function(z) @ density)


def _normal(sd: float, kinks: Sequence[float], panels: _Panels) -> tuple[Array, Array]:
    """Nodes and weights for means over N(0, sd²), with panels that end at the kinks."""
    if sd == 0:
        return np.zeros(1), np.ones(1)
    edges, nodes, shares = panels
    at = [kink / sd for kink in kinks if abs(kink / sd) < edges[-1]]
    ends = np.unique(np.concatenate([-edges, edges, at]))
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    t = (middle[:, None] + half[:, None] * nodes).ravel()
    weights = (half[:, None] * shares).ravel()
    return sd * t, weights * np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class Start:
    """How the weights of layers of one ``width`` n are drawn: n · Var(w) and n · Var(b).

    ``centred``: the weights of every unit sum to zero, so that a layer does not see what its inputs
    have in common. Only a random bias asks for the width.
    """

    weight_variance: float = 1.0
    bias_variance: float = 0.0
    centred: bool = False
    width: int = 64


# The usual initialisations between layers of one width.
STARTS = dict.fromkeys(("Glorot", "LeCun", "orthogonal"), Start(1.0))
STARTS |= {"He": Start(2.0), "PyTorch default": Start(1 / 3, 1 / 3)}


@dataclass(frozen=True)
class Layers:
    """What the theory expects layer by layer, (depth,) each.

    On the way back through a layer the mean square of the gradient changes by ``factor``, which is
    n · Var(w) · E[f'(z)²]: below 1 it vanishes, above 1 it explodes.
    """

    variance: Array  # of the pre-activations, over units and over draws of the weights
    mean: Array  # of the activations, likewise
    sd: Array
    factor: Array
    signal: Array  # mean square of the layer's inputs

    def gradient(self) -> Array:
        """Expected gradient norm of each layer's weights over the last layer's: (depth,)."""
        # Logarithms, because fifty sigmoid layers underflow.
        back = np.append(np.cumsum(np.log(self.factor[:-1])[::-1])[::-1], 0.0)
        forth = np.log(self.signal / self.signal[-1])
        return np.asarray(np.exp((back + forth) / 2))

    @property
    def decades_per_layer(self) -> float:
        """Slope of log10(gradient norm) per layer on the way back, deep inside the network."""
        return float(np.log10(self.factor[-1]) / 2)


def layers(
    activation: str | Activation,
    start: Start = STARTS["LeCun"],
    depth: int = 1,
    *,
    mean: float = 0.0,
    variance: float = 1.0,
    **params: Any,
) -> Layers:
    """Follow the moments of a signal, from this mean and variance, through ``depth`` layers.

    Raises ``TypeError`` for an activation that is not elementwise.
    """
    record, average = _averages(activation, params)
    rows: list[tuple[float, ...]] = []
    for _ in range(depth):
        signal = mean**2 + variance
        if rows and signal == rows[-1][-1] and (not start.centred or mean == rows[-1][1]):
            rows.append(rows[-1])  # arrived at a fixed point, to the last bit
            continue
        seen = variance if start.centred else signal
        before = start.weight_variance * seen + start.bias_variance / start.width
        factor = start.weight_variance * average(record.derivative, 2, before)
        mean = average(record.reference, 1, before)
        variance = max(average(record.reference, 2, before) - mean**2, 0.0)
        rows.append((before, mean, math.sqrt(variance), factor, signal))
    return Layers(*np.transpose(rows))


@dataclass(frozen=True)
class Together:
    """What becomes of inputs that have nothing in common, (depth,) each."""

    correlation: Array  # of two inputs' pre-activations
    spread: Array  # standard deviation of a unit's activation between the inputs
    dead: Array  # share of units that are 0 for every one of them


def together(
    activation: str | Activation, start: Start, depth: int, *, count: int = 256, **params: Any
) -> Together:
    """Follow ``count`` independent inputs of mean square 1 through layers (Poole et al., 2016).

    Pre-activations are jointly normal, and given what the inputs share they are independent. Raises
    ``TypeError`` for an activation that is not elementwise, ``ValueError`` for a centred start.
    """
    record, average = _averages(activation, params)
    if start.centred:
        raise ValueError("together: a centred start's weights are not independent.")
    kinks = record.properties_at(**params).kinks
    square, apart = 1.0, 1.0  # mean square, and how much of it differs from input to input
    rows: list[tuple[float, ...]] = []
    for _ in range(depth):
        variance = start.weight_variance * square + start.bias_variance / start.width
        own = math.sqrt(start.weight_variance * apart)
        common = math.sqrt(max(variance - own**2, 0.0))
        correlation = common**2 / variance if variance else 0.0
        square = average(record.reference, 2, variance)
        apart, dead = 0.0, 0.0
        for middle, weight in zip(*_normal(common, kinks, _COARSE), strict=True):
            s, density = _normal(own, [kink - middle for kink in kinks], _COARSE)
            outputs = record.reference(middle + s, **params)
            mean = float(outputs @ density) / float(density.sum())
            apart += weight * float((outputs - mean) ** 2 @ density)
            dead += weight * min(float((outputs == 0) @ density), 1.0) ** count
        apart = min(apart, square)
        rows.append((correlation, math.sqrt(apart), dead))
    return Together(*np.transpose(rows))


def critical_gain(activation: str | Activation, depth: int = 200, **params: Any) -> float:
    """The factor on orthogonal (or LeCun's) weights at which gradients keep their size for good.

    It makes the gradient factor 1 in the last of ``depth`` layers: the edge of chaos (Schoenholz et
    al., 2017). Raises ``ValueError`` where none between 0.1 and 30 does.
    """
    from scipy.optimize import brentq

    record, average = _averages(activation, params)

    @np.errstate(over="ignore", invalid="ignore")
    def excess(gain: float) -> float:
        signal = 1.0
        try:  # of each layer only the mean square matters here: three times as fast as `layers`
            for _ in range(depth - 1):
                before, signal = signal, average(record.reference, 2, gain**2 * signal)
                if math.isclose(signal, before, rel_tol=1e-14):
                    break
            return gain**2 * average(record.derivative, 2, gain**2 * signal) - 1
        except (ValueError, OverflowError):  # the signal has grown beyond all numbers
            return math.inf

    for low, high in itertools.pairwise(np.geomspace(0.1, 30, 12)):
        if excess(low) < 0 <= excess(high) < math.inf:
            return float(brentq(excess, low, high, xtol=1e-8))
    raise ValueError(
        f"{record.name} has no critical gain between 0.1 and 30: whatever the size "
        "of the weights, its gradients vanish or explode."
    )


def _averages(
    activation: str | Activation, params: Mapping[str, Any]
) -> tuple[Activation, Callable[[Callable[..., Array], int, float], float]]:
    """The record, and (curve of the record, power, variance) → E[curve(z)^power]."""
    record = catalog.get(activation) if isinstance(activation, str) else activation
    if record.kind != "elementwise" or record.stochastic:
        raise TypeError(f"{record.name}: the theory is about deterministic elementwise functions.")
    kinks = record.properties_at(**params).kinks

    def average(curve: Callable[..., Array], power: int, over: float) -> float:
        return normal_mean(lambda z: curve(z, **params) ** power, over, kinks)

    return record, average
