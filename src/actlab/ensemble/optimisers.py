"""SGD, Adam and AdamW over an ensemble, step for step those of :mod:`torch.optim`.

Every network has its own learning rate, and its own gradient norm where one is clipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from actlab.ensemble.network import Networks, Parameter
from actlab.ensemble.settings import Settings


class Optimiser:
    """Holds one learning rate per network and applies gradients to the parameters.

    ``keep`` is the share of the old gradient that the backward pass leaves in place: SGD's
    momentum *is* that running sum, so it needs no buffer and no pass of its own.
    """

    keep = 0.0

    def __init__(self, networks: Networks, arms: Sequence[Settings]) -> None:
        self.settings, self.networks = arms[0], networks
        like = networks.output.weight.value
        lr = torch.tensor([arm.lr for arm in arms], dtype=torch.float64).to(like.device, like.dtype)
        # One learning rate for all: one call updates all parameters of all networks.
        alike = len(set(lr.tolist())) == 1

        def rate(p: Parameter) -> Tensor:
            return lr[0] if alike else lr[p.members].view(-1, 1, 1)

        self.parameters = [networks.everything] if alike else networks.parameters
        self.lr = [rate(p) for p in self.parameters]
        decay = self.settings.weight_decay
        by_kind = isinstance(decay, Mapping)
        shares = [
            (p, float(decay.get(p.kind, 0) if isinstance(decay, Mapping) else decay))
            for p in (networks.parameters if by_kind else self.parameters)
        ]
        self.decays = [(p, share, rate(p)) for p, share in shares if share]

    def step(self) -> None:
        """Clip, add the weight decay, update."""
        if self.settings.clip_norm is not None:
            clip(self.networks.parameters, self.settings.clip_norm, len(self.networks))
        for p, share, lr in self.decays:
            self.decay(p, share, lr)
        for index, p in enumerate(self.parameters):
            self.update(index, p, self.lr[index])

    def decay(self, p: Parameter, share: float, lr: Tensor) -> None:
        """The gradient of the L2 penalty."""
        p.gradient.add_(p.value, alpha=share)

    def update(self, index: int, p: Parameter, lr: Tensor) -> None:
        """Change one parameter."""
        raise NotImplementedError


class SGD(Optimiser):
    """v ← μ v + g, w ← w − lr · v (Polyak, 1964), with v kept where the gradient is."""

    def __init__(self, networks: Networks, arms: Sequence[Settings]) -> None:
        super().__init__(networks, arms)
        self.clipped: list[Tensor] = []
        if self.settings.clip_norm is None:
            self.keep = self.settings.momentum
        elif self.settings.momentum:  # only the new gradient is clipped, so v needs its own place
            self.clipped = [torch.zeros_like(p.value) for p in self.parameters]

    def update(self, index: int, p: Parameter, lr: Tensor) -> None:
        """One step of heavy-ball momentum."""
        step = p.gradient
        if self.clipped:
            step = self.clipped[index].mul_(self.settings.momentum).add_(step)
        p.value.addcmul_(step, lr, value=-1)


class Adam(Optimiser):
    """Kingma & Ba, 2015; weight decay is the L2 penalty, as in ``torch.optim.Adam``."""

    def __init__(self, networks: Networks, arms: Sequence[Settings]) -> None:
        super().__init__(networks, arms)
        self.steps = 0
        self.mean = [torch.zeros_like(p.value) for p in self.parameters]
        self.square = [torch.zeros_like(p.value) for p in self.parameters]

    def step(self) -> None:
        """Count the step (for the bias correction), then update."""
        self.steps += 1
        super().step()

    def update(self, index: int, p: Parameter, lr: Tensor) -> None:
        """One step, with the bias of both averages corrected."""
        b1, b2 = self.settings.betas
        mean, square = self.mean[index], self.square[index]
        mean.lerp_(p.gradient, 1 - b1)
        square.mul_(b2).addcmul_(p.gradient, p.gradient, value=1 - b2)
        # The gradient has been used up: its buffer holds the denominator.
        denominator = torch.sqrt(square, out=p.gradient).div_((1 - b2**self.steps) ** 0.5)
        step = torch.div(mean, denominator.add_(self.settings.eps), out=denominator)
        p.value.addcmul_(step, lr, value=-1 / (1 - b1**self.steps))


class AdamW(Adam):
    """Adam with weights that shrink by lr · decay, whatever their gradient (Loshchilov, 2019)."""

    def decay(self, p: Parameter, share: float, lr: Tensor) -> None:
        """Straight on the weights."""
        p.value.mul_(1 - lr * share)


def clip(parameters: Sequence[Parameter], limit: float, n_networks: int) -> None:
    """Scale each network's gradient down to norm ``limit``, as ``clip_grad_norm_`` does."""
    squares = torch.zeros_like(parameters[0].gradient[:1, :1, :1]).repeat(n_networks, 1, 1)
    for p in parameters:
        squares[p.members] += p.gradient.square().sum((1, 2), keepdim=True)
    factor = (limit / (squares.sqrt() + 1e-6)).clamp_max_(1)
    for p in parameters:
        p.gradient.mul_(factor[p.members])


def make_optimiser(networks: Networks, arms: Sequence[Settings]) -> Optimiser:
    """The optimiser that the arms of this chunk share."""
    return {"sgd": SGD, "adam": Adam, "adamw": AdamW}[arms[0].optimizer](networks, arms)
