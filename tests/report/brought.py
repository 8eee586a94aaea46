"""Activations as people bring them: some are right, and some have a fault each."""

import torch


def penalised(x):
    """Xu et al. (2016)."""
    return torch.where(x > 0, torch.tanh(x), 0.25 * torch.tanh(x))


def naive_softplus(x):
    return torch.log(1 + torch.exp(x))


def in_place(x):
    return x.relu_()


def detached(x):
    return torch.where(x > 0, x, 0.1 * x.detach())


def widened(x):
    return torch.tanh(x.double())


def root(x):
    return torch.sign(x) * torch.sqrt(torch.abs(x))


class _HalfTheSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(x)


def half_the_slope(x):
    return _HalfTheSlope.apply(x)


class TwoAtZero(torch.nn.Module):
    """A ReLU that reports the slope 2 at its kink."""

    def forward(self, x):
        return x.relu() + 2 * (x == 0) * (x - x.detach())
