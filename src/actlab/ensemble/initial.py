"""Initial weights, data order and noise: everything a seed decides.

**A name of Keras draws as Keras does, a name of PyTorch as PyTorch does**, bias included:

=====================  =============================================  ======================
``init``               weights, fan_in → fan_out                       bias
=====================  =============================================  ======================
``torch``              U(±1/√fan_in), the default of ``nn.Linear``     U(±1/√fan_in)
``xavier_uniform``     U(±√(6/(fan_in+fan_out)))                       U(±1/√fan_in)
``xavier_normal``      N(0, 2/(fan_in+fan_out))                        U(±1/√fan_in)
``kaiming_uniform``    U(±√(6/fan_in))                                 U(±1/√fan_in)
``kaiming_normal``     N(0, 2/fan_in)                                  U(±1/√fan_in)
``keras``              ``glorot_uniform``, the default of ``Dense``    0
``glorot_uniform``     U(±√(6/(fan_in+fan_out)))                       0
``glorot_normal``      normal cut at 2 sd, variance 2/(fan_in+fan_out) 0
``he_uniform``         U(±√(6/fan_in))                                 0
``he_normal``          normal cut at 2 sd, variance 2/fan_in           0
``lecun_uniform``      U(±√(3/fan_in))                                 0
``lecun_normal``       normal cut at 2 sd, variance 1/fan_in           0
``orthogonal``         orthonormal rows or columns                     0
=====================  =============================================  ======================

(``torch.nn.init`` leaves the bias of ``nn.Linear`` alone: hence the third column.) ``gain``
multiplies the weights, never the bias; ``branch_gain`` those of blocks that add to their input.

Every weight comes from *one* uniform number, turned into its distribution by the quantile
function. So two arms that share a seed and a shape start from matched weights, whatever their
initialisations, and a network's weights depend on nothing but its own seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from actlab import inputs

if TYPE_CHECKING:
    from actlab.ensemble.settings import Settings

Bias = Callable[[Tensor, int], Tensor]
"""Maps a layer's weights (units out, units in) and its number, from 0, to biases (units out,)."""

Initialiser = Callable[[tuple[int, int], torch.Generator], Tensor]
"""Maps a shape (units out, units in) and a generator to float64 weights of that shape."""

_CUT = torch.special.ndtr(torch.tensor(2.0, dtype=torch.float64))
# Cutting a normal at 2 sd shrinks it by this factor, which Keras makes up for.
_CUT_SD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / (2 * float(_CUT) - 1))


def _uniform(u: Tensor, variance: float) -> Tensor:
    return u.sub_(0.5).mul_(2 * math.sqrt(3 * variance))


def _normal(u: Tensor, variance: float) -> Tensor:
    normal: Tensor = torch.special.ndtri(u)
    return normal * math.sqrt(variance)


def _truncated(u: Tensor, variance: float) -> Tensor:
    normal: Tensor = torch.special.ndtri((1 - _CUT) + u * (2 * _CUT - 1))
    return normal * (math.sqrt(variance) / _CUT_SD)


def _orthogonal(u: Tensor, variance: float) -> Tensor:
    """Haar-distributed (Saxe et al., 2014): QR of a normal matrix, signs fixed by R's diagonal."""
    tall = _normal(u, 1.0) if u.shape[0] >= u.shape[1] else _normal(u, 1.0).T
    columns, r = torch.linalg.qr(tall)
    q: Tensor = columns * torch.diagonal(r).sign()
    return q if u.shape[0] >= u.shape[1] else q.T


_Quantile = Callable[[Tensor, float], Tensor]  # may overwrite its first argument
_Variance = Callable[[int, int], float]
INITIALISERS: dict[str, tuple[_Quantile, _Variance, bool]] = {
    "torch": (_uniform, lambda i, o: 1 / (3 * i), True),
    "xavier_uniform": (_uniform, lambda i, o: 2 / (i + o), True),
    "xavier_normal": (_normal, lambda i, o: 2 / (i + o), True),
    "kaiming_uniform": (_uniform, lambda i, o: 2 / i, True),
    "kaiming_normal": (_normal, lambda i, o: 2 / i, True),
    "keras": (_uniform, lambda i, o: 2 / (i + o), False),
    "glorot_uniform": (_uniform, lambda i, o: 2 / (i + o), False),
    "glorot_normal": (_truncated, lambda i, o: 2 / (i + o), False),
    "he_uniform": (_uniform, lambda i, o: 2 / i, False),
    "he_normal": (_truncated, lambda i, o: 2 / i, False),
    "lecun_uniform": (_uniform, lambda i, o: 1 / i, False),
    "lecun_normal": (_truncated, lambda i, o: 1 / i, False),
    "orthogonal": (_orthogonal, lambda i, o: 1.0, False),
}
"""Name → (quantile function, variance from fan_in and fan_out, bias as ``nn.Linear`` draws it)."""


def generator(seed: int, purpose: str) -> torch.Generator:
    """A stream of its own for each seed and purpose, the same on every machine."""
    words = [seed, *purpose.encode()]
    state = np.random.SeedSequence(words).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))


def initial_weights(
    settings: Settings, sizes: Sequence[tuple[int, int]], seed: int
) -> list[tuple[Tensor, Tensor]]:
    """(weight, bias) of every linear layer, float64, shapes (out, in) and (out,)."""
    weight_stream, bias_stream = generator(seed, "weights"), generator(seed, "biases")
    layers = []
    for layer, (fan_in, fan_out) in enumerate(sizes):
        if callable(settings.init):
            shape = (fan_out, fan_in)
            weight = _own("init", settings.init(shape, weight_stream), shape)
            torch_bias = False
        else:
            quantile, variance, torch_bias = INITIALISERS[settings.init]
            u = torch.rand(fan_out, fan_in, generator=weight_stream, dtype=torch.float64)
            weight = quantile(u.clamp_min_(2.0**-53), variance(fan_in, fan_out))
        gain = settings.gain
        if settings.residual and layer < len(settings.hidden) and fan_in == settings.hidden[layer]:
            gain *= settings.branch_gain
        weight = weight * gain if gain != 1 else weight
        if callable(settings.bias):
            bias = _own("bias", settings.bias(weight, layer), (fan_out,))
        elif settings.bias == "torch" or (settings.bias is None and torch_bias):
            u = torch.rand(fan_out, generator=bias_stream, dtype=torch.float64)
            bias = _uniform(u, 1 / (3 * fan_in))
        else:
            bias = torch.full((fan_out,), float(settings.bias or 0), dtype=torch.float64)
        layers.append((weight, bias))
    return layers


def _own(name: str, given: Any, shape: tuple[int, ...]) -> Tensor:
    """What somebody's own function gives, checked."""
    values = torch.tensor(inputs.array(given, name), dtype=torch.float64)
    if values.shape != shape or not values.isfinite().all():
        what = f"shape {tuple(values.shape)}" if values.shape != shape else "NaN or infinity"
        expected = "weights (units out, units in)" if name == "init" else "biases (units out,)"
        raise ValueError(f"{name} gave {what} when asked for {shape}: expected finite {expected}.")
    return values


def data_order(seed: int, n: int) -> Iterator[Tensor]:
    """The order in which a seed sees its ``n`` training examples, epoch after epoch."""
    stream = generator(seed, "order")
    while True:
        yield torch.randperm(n, generator=stream)


def noise_stream(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Where a seed's dropout masks and random slopes come from, layer by layer, step by step."""
    state = generator(seed, "noise").initial_seed()
    return torch.Generator(torch.device(device)).manual_seed(state)
