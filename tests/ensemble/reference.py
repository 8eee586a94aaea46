"""The slow, obvious way: one ``nn.Sequential``, autograd, ``torch.optim``."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from actlab.ensemble import Settings, data_order, initial_weights
from actlab.ensemble.initial import noise_stream


class Replayed(nn.Module):
    """A layer with noise, drawn from the member's own stream as (units, examples)."""

    def __init__(self, stream, draw, apply):
        super().__init__()
        self.stream, self.draw, self.apply_noise = stream, draw, apply

    def forward(self, x):
        if not self.training:
            return self.apply_noise(x, None)
        return self.apply_noise(x, self.draw(torch.empty(x.T.shape, dtype=x.dtype), self.stream).T)


class Skip(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return x + self.block(x)


def dropout(settings, stream):
    p = settings.dropout

    def apply(x, mask):
        if mask is None:
            return x
        if not settings.alpha_dropout:
            return x * mask / (1 - p)
        low = -1.0507009873554805 * 1.6732632423543772
        a = ((1 - p) * (1 + p * low**2)) ** -0.5
        return a * (x * mask + low * (1 - mask)) - a * p * low

    return Replayed(stream, lambda m, s: m.bernoulli_(1 - p, generator=s), apply)


def activation(settings, stream, dtype):
    if settings.record.name == "prelu":
        return nn.PReLU(
            init=settings.record.resolve(settings.params)["negative_slope"], dtype=dtype
        )
    if settings.record.name == "rrelu":
        bounds = settings.record.resolve(settings.params)
        low, high = bounds["lower"], bounds["upper"]

        def apply(x, slope):
            return torch.where(x > 0, x, x * ((low + high) / 2 if slope is None else slope))

        return Replayed(stream, lambda m, s: m.uniform_(low, high, generator=s), apply)

    class Function(nn.Module):
        def forward(self, x):
            if settings.record.name == "binary_step":
                # Plus a gradient of zero: without any, torch.optim would not even decay.
                return torch.heaviside(x.detach(), torch.ones(1, dtype=x.dtype)) + 0 * x
            return settings.record.torch(**settings.params)(x)

    return Function()


def build(settings: Settings, seed: int, n_features: int, n_classes: int, dtype) -> nn.Sequential:
    """Written out by hand, without anything of ``actlab.ensemble.network``."""
    sizes = settings.layer_sizes(n_features, n_classes)
    weights = initial_weights(settings, sizes, seed)
    stream = noise_stream(seed)
    widths = [n_features, *settings.hidden]
    modules = []
    for (fan_in, fan_out), (weight, bias), out in itertools.zip_longest(
        sizes, weights, settings.hidden
    ):
        linear = nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            linear.to(dtype).weight.copy_(weight)
            linear.bias.copy_(bias)
        if out is None:
            modules.append(linear)
            break
        block = [linear]
        if settings.normalization == "batch":
            block.append(nn.BatchNorm1d(fan_out))
        if settings.normalization == "layer":
            block.append(nn.LayerNorm(fan_out))
        block.append(activation(settings, stream, dtype))
        if settings.dropout:
            block.append(dropout(settings, stream))
        if settings.residual and widths[len(modules)] == out:
            modules.append(Skip(nn.Sequential(*block)))
        else:
            modules.append(nn.Sequential(*block))
    return nn.Sequential(*modules).to(dtype)


KINDS = {
    nn.LayerNorm: {"weight": "normalization", "bias": "normalization"},
    nn.BatchNorm1d: {"weight": "normalization", "bias": "normalization"},
    nn.PReLU: {"weight": "activation"},
    nn.Linear: {"weight": "weights", "bias": "biases"},
}


def make_optimiser(settings, network):
    """That of ``torch.optim``, with a group for every parameter."""
    decay = settings.weight_decay
    if not isinstance(decay, dict):
        decay = dict.fromkeys(("weights", "biases", "normalization", "activation"), decay)
    groups = [
        {"params": [p], "weight_decay": decay.get(KINDS[type(m)][name], 0)}
        for m in network.modules()
        for name, p in m.named_parameters(recurse=False)
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum)
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return make(groups, lr=settings.lr, betas=settings.betas, eps=settings.eps)


def train(settings, seed, x, y, epochs, dtype, n_classes, x_valid=None):
    """Returns the mean loss of every epoch, the trained network and its logits on ``x_valid``.

    In bfloat16 the weights are kept in float32, as mixed precision does it everywhere.
    """
    x, y = torch.as_tensor(x).to(dtype), torch.as_tensor(y)
    stored = torch.float32 if dtype == torch.bfloat16 else dtype
    network = build(settings, seed, x.shape[1], n_classes, stored)
    optimiser = make_optimiser(settings, network)

    def logits_of(x):
        if dtype == stored:
            return network(x)
        narrow = {
            f"{path}.{name}": p.to(dtype)
            for path, m in network.named_modules()
            for name, p in m.named_parameters(recurse=False)
            if not isinstance(m, nn.BatchNorm1d | nn.LayerNorm)  # torch does these in float32
        }
        return torch.func.functional_call(network, narrow, (x,)).float()

    losses = []
    orders = data_order(seed, len(x))
    for _ in range(epochs):
        order, total = next(orders), 0.0
        for batch in order.split(settings.batch_size):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(logits_of(x[batch]), y[batch])
            if loss.requires_grad:
                loss.backward()
            if settings.clip_norm is not None:
                nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            optimiser.step()
            total += loss.item() * len(batch)
        losses.append(total / len(x))
    network.eval()
    with torch.no_grad():
        logits = network(torch.as_tensor(x_valid).to(stored)) if x_valid is not None else None
    return losses, network, logits
