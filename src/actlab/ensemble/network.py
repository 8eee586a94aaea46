"""Many fully connected networks as one: the leading axis of every tensor is the network.

Each part does a batched forward pass and, by hand, the matching backward pass; :meth:`Part.plain`
gives the ordinary ``torch.nn`` module of one network, to which a test compares it.

Shapes are (networks, units, examples). With the examples *last*, bias and batch statistics run
along contiguous memory and the output layer, with its few classes, is a wide matrix instead of
a thin one, which a processor multiplies several times faster. Buffers are allocated once and
reused: fresh memory at every step would cost as much as the small matrix products.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from actlab.ensemble.activations import Kernel, kernel
from actlab.ensemble.initial import initial_weights, noise_stream
from actlab.ensemble.settings import Settings, label

Mode = Literal["train", "observe", "evaluate"]
"""``observe`` is ``train`` without its side effects: batch statistics are used but not
remembered, and nothing is dropped. Probes look at a network in this mode."""


@dataclass
class Parameter:
    """Weights to learn, for the networks ``members`` of the ensemble; axis 0 is the network.

    ``kind`` is one of :data:`~actlab.ensemble.settings.KINDS`.
    """

    kind: str
    value: Tensor
    members: slice
    gradient: Tensor

    @classmethod
    def of(cls, kind: str, value: Tensor, members: slice = slice(None)) -> Parameter:
        """With a gradient of zero, which takes no memory before :func:`_in_one_block` gives it."""
        return cls(kind, value, members, value.new_zeros(()).expand_as(value))

    def add_gradient(self, gradient: Tensor, keep: float) -> None:
        """Update: gradient ← keep · gradient + new."""
        if keep:
            torch.add(gradient, self.gradient, alpha=keep, out=self.gradient)
        else:
            self.gradient.copy_(gradient)


class Buffer:
    """One block of memory, seen as (networks, units, examples) for whatever shape is asked."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)
        self._views: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, like: Tensor, *shape: int) -> Tensor:
        """Memory of this shape, with the dtype and device of ``like``; its content is stale."""
        view = self._views.get(shape)
        if view is None:
            size = shape[0] * shape[1] * shape[2]
            if size > self._memory.numel():
                self._memory = torch.empty(size, dtype=like.dtype, device=like.device)
                self._views = {}
            view = self._views[shape] = self._memory[:size].view(shape)
        return view


class Part:
    """A step of the forward pass that knows its own backward pass."""

    parameters: Sequence[Parameter] = ()
    statistics: Sequence[Tensor] = ()

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        """(networks, units in, examples) → (networks, units out, examples)."""
        raise NotImplementedError

    def backward(self, g: Tensor, keep: float) -> Tensor:
        """Loss gradient at the output → at the input; adds to the parameters' gradients.

        May overwrite ``g``. ``keep`` is the share of the old gradients that stays (momentum).
        """
        raise NotImplementedError

    def plain(self, i: int) -> nn.Module:
        """The same part of network ``i`` alone."""
        raise NotImplementedError


class Linear(Part):
    """z = W x + b, with W (networks, units out, units in) as in ``nn.Linear``."""

    needs_dx = True

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype, dx: Buffer) -> None:
        self.weight = Parameter.of("weights", weight)
        self.bias = Parameter.of("biases", bias.unsqueeze(2))
        self.parameters = (self.weight, self.bias)
        self.dtype = dtype
        self._z, self._dx = Buffer(), dx
        self.x: Tensor | None = None
        self.w: Tensor | None = None
        self.dx: Tensor | None = None

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        weight, bias = self.weight.value, self.bias.value
        if self.dtype != weight.dtype:
            weight, bias = weight.to(self.dtype), bias.to(self.dtype)
        if x is not self.x:  # the same buffers come again and again
            self.x, self.x_mt = x, x.mT
            self.z = self._z(x, x.shape[0], weight.shape[1], x.shape[2])
            self.dx = None
        if weight is not self.w:
            self.w, self.w_mt = weight, weight.mT
        return torch.baddbmm(bias, weight, x, out=self.z)

    def backward(self, g: Tensor, keep: float) -> Tensor:
        if self.dtype == self.weight.value.dtype:
            # The matrix product itself adds to the old gradient: no pass over memory for it.
            self.weight.gradient.baddbmm_(g, self.x_mt, beta=keep)
        else:
            self.weight.add_gradient(torch.bmm(g, self.x_mt), keep)
        self.bias.add_gradient(g.sum(2, keepdim=True), keep)
        if not self.needs_dx:  # the first layer: nobody asks for the gradient of the data
            return g
        if self.dx is None:
            self.dx = self._dx(g, *self.x_mt.mT.shape)
        return torch.bmm(self.w_mt, g, out=self.dx)

    @property
    def inputs(self) -> Tensor:
        """What came in last, (networks, units in, examples), until the next forward pass."""
        if self.x is None:
            raise RuntimeError("nothing has passed through yet: call forward first.")
        return self.x

    def plain(self, i: int) -> nn.Module:
        weight, bias = self.weight.value[i], self.bias.value[i, :, 0]
        module = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        module.load_state_dict({"weight": weight, "bias": bias})
        return module


class Normalisation(Part):
    """Batch norm (mean and variance over examples) or layer norm (over units), then scale, shift.

    Ioffe & Szegedy, 2015; Ba et al., 2016. Constants are those of ``torch.nn``.
    """

    eps = 1e-5
    momentum = 0.1

    def __init__(self, kind: str, like: Tensor, dtype: torch.dtype) -> None:
        self.axis = 2 if kind == "batch" else 1
        self.dtype = dtype
        self.scale = Parameter.of("normalization", torch.ones_like(like).unsqueeze(2))
        self.shift = Parameter.of("normalization", torch.zeros_like(like).unsqueeze(2))
        self.parameters = (self.scale, self.shift)
        if kind == "batch":
            self.mean, self.variance = torch.zeros_like(self.scale.value), self.scale.value.clone()
            self.statistics = (self.mean, self.variance)
        self._y = Buffer()

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        if self.axis == 2 and mode == "evaluate":
            mean, variance = self.mean.to(x.dtype), self.variance.to(x.dtype)
        else:
            variance, mean = torch.var_mean(x, self.axis, correction=0, keepdim=True)
        if self.axis == 2 and mode == "train":
            unbiased = variance * (x.shape[2] / (x.shape[2] - 1))
            self.mean.lerp_(mean.to(self.mean.dtype), self.momentum)
            self.variance.lerp_(unbiased.to(self.mean.dtype), self.momentum)
        self.inverse_sd = torch.rsqrt(variance + self.eps)
        self.normal = x.sub_(mean).mul_(self.inverse_sd)
        scale, shift = self.scale.value.to(self.dtype), self.shift.value.to(self.dtype)
        return torch.addcmul(shift, scale, self.normal, out=self._y(x, *x.shape))

    def backward(self, g: Tensor, keep: float) -> Tensor:
        self.scale.add_gradient((g * self.normal).sum(2, keepdim=True), keep)
        self.shift.add_gradient(g.sum(2, keepdim=True), keep)
        # What the mean and the variance take away: the part of g along 1 and along the output.
        g.mul_(self.scale.value.to(self.dtype))
        along = (g * self.normal).mean(self.axis, keepdim=True)
        g.sub_(g.mean(self.axis, keepdim=True)).addcmul_(self.normal, along, value=-1)
        return g.mul_(self.inverse_sd)

    def plain(self, i: int) -> nn.Module:
        scale, shift = (p.value[i, :, 0] for p in self.parameters)
        state = {"weight": scale, "bias": shift}
        if self.axis == 1:
            module: nn.Module = nn.LayerNorm(len(scale), dtype=scale.dtype)
        else:
            module = nn.BatchNorm1d(len(scale), dtype=scale.dtype)
            mean, variance = (s[i, :, 0] for s in self.statistics)
            state |= {"running_mean": mean, "running_var": variance}
        module.load_state_dict(state, strict=False)
        return module


class ByKernel(Part):
    """An activation with forward and backward kernels (:mod:`actlab.ensemble.activations`)."""

    def __init__(self, settings: Settings, found: Kernel) -> None:
        self.kernel, self.settings = found, settings
        self._y = Buffer()

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        # In place where the gradient allows it and no probe wants to see what came in.
        in_place = self.kernel.from_output and mode != "observe"
        y = x if in_place else self._y(x, *x.shape)
        self.kernel.forward(x, y)
        self.saved = y if self.kernel.from_output else x
        return y

    def backward(self, g: Tensor, keep: float) -> Tensor:
        self.kernel.backward(g, self.saved)
        return g

    def plain(self, i: int) -> nn.Module:
        return plain_activation(self.settings)


class ByAutograd(Part):
    """Any other record: PyTorch's function and autograd's gradient."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.function = settings.function
        # A vector function or a gate works along the last axis; ours are the units, on axis 1.
        self.elementwise = settings.kind == "elementwise"

    def _apply(self, x: Tensor) -> Tensor:
        y: Tensor = self.function(x) if self.elementwise else self.function(x.mT).mT
        return y

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        if mode == "evaluate":
            return self._apply(x)
        with torch.inference_mode(False), torch.enable_grad():
            self.x = x.clone().requires_grad_()
            self.y = self._apply(self.x.clone())  # once more, as some functions work in place
        return self.y.detach()

    def backward(self, g: Tensor, keep: float) -> Tensor:
        with torch.inference_mode(False):
            (gradient,) = torch.autograd.grad(self.y, self.x, g, allow_unused=True)
        # A step function's output does not depend on its input as far as autograd can see.
        return torch.zeros_like(self.x) if gradient is None else gradient

    def plain(self, i: int) -> nn.Module:
        return plain_activation(self.settings)


class PReLU(Part):
    """max(0, z) + slope · min(0, z) with one learned slope per layer (He et al., 2015)."""

    def __init__(self, settings: Settings, like: Tensor, members: slice) -> None:
        slope = settings.record.resolve(settings.params)["negative_slope"]
        start = torch.full_like(like[members, :1, None], slope)
        self.slope = Parameter.of("activation", start, members)
        self.parameters = (self.slope,)

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        self.x = x
        return torch.where(x > 0, x, self.slope.value.to(x.dtype) * x)

    def backward(self, g: Tensor, keep: float) -> Tensor:
        below = g * self.x.clamp_max(0)
        self.slope.add_gradient(below.sum((1, 2), keepdim=True), keep)
        return torch.where(self.x > 0, g, self.slope.value.to(g.dtype) * g)

    def plain(self, i: int) -> nn.Module:
        module = nn.PReLU(dtype=self.slope.value.dtype)
        module.load_state_dict({"weight": self.slope.value[i, 0]})
        return module


class RReLU(Part):
    """A negative slope drawn anew for every unit and example in training, its mean after."""

    def __init__(self, settings: Settings, noise: Sequence[torch.Generator]) -> None:
        self.settings, self.noise = settings, noise
        resolved = settings.record.resolve(settings.params)
        self.lower, self.upper = resolved["lower"], resolved["upper"]

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        self.slope = torch.full_like(x, (self.lower + self.upper) / 2)
        if mode == "train":
            for slope, stream in zip(self.slope, self.noise, strict=True):
                slope.uniform_(self.lower, self.upper, generator=stream)
        self.slope[x > 0] = 1
        return x * self.slope

    def backward(self, g: Tensor, keep: float) -> Tensor:
        return g.mul_(self.slope)

    def plain(self, i: int) -> nn.Module:
        return nn.RReLU(self.lower, self.upper)


class Mixed(Part):
    """Different activations for different networks: each part works on its own slice."""

    def __init__(self, parts: Sequence[tuple[slice, Part]]) -> None:
        self.parts = parts
        self.parameters = [p for _, part in parts for p in part.parameters]
        self._y, self._dx = Buffer(), Buffer()

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        pieces = [part.forward(x[members], mode) for members, part in self.parts]
        return torch.cat(pieces, out=self._y(x, len(x), *pieces[0].shape[1:]))

    def backward(self, g: Tensor, keep: float) -> Tensor:
        pieces = [part.backward(g[members], keep) for members, part in self.parts]
        return torch.cat(pieces, out=self._dx(g, len(g), *pieces[0].shape[1:]))

    def plain(self, i: int) -> nn.Module:
        members, part = next(p for p in self.parts if p[0].start <= i < p[0].stop)
        return part.plain(i - members.start)


class Dropout(Part):
    """Drop a share of the units, or with ``alpha`` send them to SELU's lower limit.

    Alpha dropout (Klambauer et al., 2017) then scales and shifts so that an input of mean 0 and
    variance 1 keeps both.
    """

    limit = -1.7580993408473766  # -λα of SELU

    def __init__(self, share: float, alpha: bool, noise: Sequence[torch.Generator]) -> None:
        self.share, self.alpha, self.noise = share, alpha, noise
        keep = 1 - share
        self.scale = (keep * (1 + share * self.limit**2)) ** -0.5 if alpha else 1 / keep
        self._mask, self._y = Buffer(), Buffer()
        self.mask: Tensor | None = None

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        self.mask = None
        if mode != "train":
            return x
        self.mask = self._mask(x, *x.shape)
        for mask, stream in zip(self.mask, self.noise, strict=True):
            mask.bernoulli_(1 - self.share, generator=stream)
        y = torch.mul(x, self.mask, out=self._y(x, *x.shape))
        if self.alpha:
            # Kept: scale·(x − limit·share); dropped: scale·(limit − limit·share).
            y.sub_(self.mask, alpha=self.limit).add_(self.limit * (1 - self.share))
        return y.mul_(self.scale)

    def backward(self, g: Tensor, keep: float) -> Tensor:
        return g if self.mask is None else g.mul_(self.mask).mul_(self.scale)

    def plain(self, i: int) -> nn.Module:
        return nn.AlphaDropout(self.share) if self.alpha else nn.Dropout(self.share)


class Residual(nn.Sequential):
    """x + block(x), for the plain networks."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)  # type: ignore[no-any-return, no-untyped-call]


class Block:
    """Linear, normalisation, activation, dropout; with ``residual``, plus the input."""

    def __init__(
        self, linear: Linear, rest: Sequence[Part], activates: Part, residual: bool
    ) -> None:
        self.linear, self.activates, self.residual = linear, activates, residual
        self.parts: Sequence[Part] = (linear, *rest)
        self._sum, self._skip = Buffer(), Buffer()

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        y = x
        for part in self.parts:
            if part is self.activates:
                self.preactivation = y
            y = part.forward(y, mode)
        self.activation = y
        return torch.add(x, y, out=self._sum(x, *y.shape)) if self.residual else y

    def backward(self, g: Tensor, keep: float) -> Tensor:
        adds = self.residual and self.linear.needs_dx
        skip = self._skip(g, *g.shape).copy_(g) if adds else None
        for part in reversed(self.parts):
            g = part.backward(g, keep)
        return g if skip is None else g.add_(skip)

    def plain(self, i: int) -> list[nn.Module]:
        modules = [part.plain(i) for part in self.parts]
        return [Residual(*modules)] if self.residual else modules


class Networks:
    """M networks of one structure: ``arms[m]`` and ``seeds[m]`` say what network m is."""

    def __init__(
        self,
        arms: Sequence[Settings],
        seeds: Sequence[int],
        n_features: int,
        n_classes: int,
        *,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        shape = arms[0]
        sizes = shape.layer_sizes(n_features, n_classes)
        # Network by network, so that a network does not depend on its neighbours.
        initial = [initial_weights(a, sizes, s) for a, s in zip(arms, seeds, strict=True)]
        # bfloat16 has too few digits to add a small step to a weight: keep those in float32.
        stored = torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype
        noise = [noise_stream(seed, device) for seed in seeds]

        # A gradient is used up by the next layer down, so two buffers taking turns are enough.
        dx = (Buffer(), Buffer())

        def linear(layer: int) -> Linear:
            weight, bias = (
                torch.stack([member[layer][part] for member in initial]).to(device, stored)
                for part in (0, 1)
            )
            return Linear(weight, bias, dtype, dx[layer % 2])

        self.groups = _groups(arms)
        self.hidden: list[Block] = []
        for layer, (width_in, _) in enumerate(sizes[:-1]):
            first, rest = linear(layer), list[Part]()
            like = first.bias.value[:, :, 0]
            if shape.normalization:
                rest.append(Normalisation(shape.normalization, like, dtype))
            activates = _activation(self.groups, like, noise)
            rest.append(activates)
            if shape.dropout:
                rest.append(Dropout(shape.dropout, shape.alpha_dropout, noise))
            residual = shape.residual and width_in == shape.hidden[layer]
            self.hidden.append(Block(first, rest, activates, residual))
        self.output = linear(len(sizes) - 1)
        self.linears[0].needs_dx = False
        self.n_classes, self.dtype = n_classes, dtype
        self.everything = _in_one_block(self.parameters, len(arms))

    def __len__(self) -> int:
        return len(self.output.weight.value)

    @property
    def linears(self) -> list[Linear]:
        """The linear layers, first to last (the output layer included)."""
        return [*(block.linear for block in self.hidden), self.output]

    @property
    def parts(self) -> Iterator[Part]:
        """Every part, in the order of the forward pass."""
        for block in self.hidden:
            yield from block.parts
        yield self.output

    @property
    def parameters(self) -> list[Parameter]:
        """Everything that is learned."""
        return [p for part in self.parts for p in part.parameters]

    @property
    def state(self) -> list[tuple[slice, Tensor]]:
        """Everything that training changes: parameters and batch norm's running statistics."""
        everyone = slice(0, len(self))
        learned = [(p.members, p.value) for p in self.parameters]
        return learned + [(everyone, s) for part in self.parts for s in part.statistics]

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        """(networks, features, examples) → logits (networks, classes, examples).

        The result lives in a buffer that the next call overwrites.
        """
        if not torch.is_inference_mode_enabled():  # to enter it costs as much as five operations
            with torch.inference_mode():
                return self.forward(x, mode)
        for block in self.hidden:
            x = block.forward(x, mode)
        return self.output.forward(x, mode)

    def backward(self, g: Tensor, keep: float = 0.0) -> Tensor:
        """From the loss gradient at the logits to every parameter's gradient.

        Returns the gradient at the input if ``linears[0].needs_dx``, else nothing of use.
        """
        if not torch.is_inference_mode_enabled():
            with torch.inference_mode():
                return self.backward(g, keep)
        g = self.output.backward(g, keep)
        for block in reversed(self.hidden):
            g = block.backward(g, keep)
        return g

    def plain(self, i: int) -> nn.Sequential:
        """Network ``i`` as an ordinary ``nn.Sequential`` on (examples, features), a copy."""
        modules = [m for block in self.hidden for m in block.plain(i)]
        return nn.Sequential(*modules, self.output.plain(i))


def _in_one_block(parameters: Sequence[Parameter], n_networks: int) -> Parameter:
    """Move all parameters into one block of memory, so that one call can update everything."""
    values = torch.cat([p.value.flatten() for p in parameters])
    gradients = torch.zeros_like(values)
    start = 0
    for p in parameters:
        stop = start + p.value.numel()
        p.value = values[start:stop].view_as(p.value)
        p.gradient = gradients[start:stop].view_as(p.gradient)
        start = stop
    everyone = slice(0, n_networks)
    return Parameter("everything", values.view(1, 1, -1), everyone, gradients.view(1, 1, -1))


_MINUS = torch.tensor(-1.0)


def cross_entropy(logits: Tensor, y: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Loss of every example (networks, examples) and the gradient of their mean at the logits.

    ``logits`` (networks, classes, examples), ``y`` (networks, examples); the gradient is written
    to ``out`` if given.
    """
    if logits.dtype in (torch.bfloat16, torch.float16):
        logits = logits.float()
    log_p = torch.log_softmax(logits, 1, out=out)
    index = y.unsqueeze(1)
    losses = log_p.gather(1, index)
    gradient = log_p.exp_().scatter_add_(1, index, _MINUS.to(losses).expand_as(losses))
    return losses.squeeze(1).neg_(), gradient.div_(y.shape[1])


def plain_activation(settings: Settings) -> nn.Module:
    """The activation of one network as a module."""
    apply = settings.function
    # A copy: one's own module must not change its mode when a trained network does.
    return (
        copy.deepcopy(apply)
        if isinstance(apply, nn.Module)
        else _Function(apply, label(settings.activation))
    )


class _Function(nn.Module):
    """A function of ``torch`` dressed as a module."""

    def __init__(self, function: Callable[[Tensor], Any], name: str) -> None:
        super().__init__()
        self.function, self.name = function, name

    def forward(self, x: Tensor) -> Any:
        return self.function(x)

    def extra_repr(self) -> str:
        return self.name


def _groups(arms: Sequence[Settings]) -> list[tuple[slice, Settings]]:
    """Neighbours with the same activation: which networks, and the settings of the first."""
    starts = [
        m
        for m, arm in enumerate(arms)
        if m == 0 or (arm.activation, arm.params) != (arms[m - 1].activation, arms[m - 1].params)
    ]
    stops = [*starts[1:], len(arms)]
    return [(slice(i, j), arms[i]) for i, j in zip(starts, stops, strict=True)]


def _activation(
    groups: Sequence[tuple[slice, Settings]], like: Tensor, noise: Sequence[torch.Generator]
) -> Part:
    """One part for all networks, or a :class:`Mixed` one where they differ."""
    parts: list[tuple[slice, Part]] = []
    for members, arm in groups:
        name = arm.record.name if isinstance(arm.activation, str) else None
        if name == "prelu":
            part: Part = PReLU(arm, like, members)
        elif name == "rrelu":
            part = RReLU(arm, noise[members])
        elif found := kernel(arm.function):
            part = ByKernel(arm, found)
        else:
            part = ByAutograd(arm)
        parts.append((members, part))
    return parts[0][1] if len(parts) == 1 else Mixed(parts)
