"""Looking into the networks while they train, without slowing the steps nobody looks at."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actlab import inputs, probes
from actlab.ensemble.network import Networks, cross_entropy
from actlab.ensemble.settings import Settings, Split, known

BATCH = 256
"""Examples looked at together, in probes and in evaluation."""

Probe = Callable[["Snapshot"], Mapping[str, Any]]
"""From a snapshot to named arrays with one row per network."""

Records = Sequence[dict[int, dict[str, Any]] | None]
"""Network by network: step → probe → what it saw."""


class Snapshot:
    """The networks of a chunk at one step, as a probe sees them; reading it changes nothing.

    Dropout is off and batch norm uses the statistics of what it is shown. M networks.
    """

    def __init__(self, networks: Networks, data: Split, step: int, epoch: int) -> None:
        self.networks, self.data, self.step, self.epoch = networks, data, step, epoch

    def batches(self, size: int = BATCH, *, preactivations: bool = False) -> Iterator[list[Tensor]]:
        """Activations (M, samples, units) of every hidden layer, a few samples at a time.

        With ``preactivations``, what enters the activation functions instead. Buffers are reused:
        take what you need from one batch before asking for the next.
        """
        for start in range(0, len(self.data), size):
            x = self.data.x[start : start + size].mT.expand(len(self.networks), -1, -1)
            self.networks.forward(x, "observe")
            yield [
                (block.preactivation if preactivations else block.activation).mT
                for block in self.networks.hidden
            ]

    @cached_property
    def stats(self) -> list[probes.LayerStats]:
        """Per hidden layer, what every unit did over all of the probe data, in little memory."""
        gathered = probes.ActivationStats()
        for batch in self.batches():
            gathered.update(batch)
        return gathered.result()

    @cached_property
    def activations(self) -> list[Tensor]:
        """Per hidden layer, (M, samples, units), for all of the probe data at once."""
        pieces = [[a.clone() for a in batch] for batch in self.batches()]
        return [torch.cat(layer, 1) for layer in zip(*pieces, strict=True)]

    @property
    def weights(self) -> list[Tensor]:
        """Per linear layer, (M, units out, units in); not a copy."""
        return [linear.weight.value for linear in self.networks.linears]

    @cached_property
    def gradients(self) -> list[Tensor]:
        """Per linear layer, (M, units out, units in): of the mean loss over the probe data."""
        n = len(self.data)
        with self._own_gradients():
            for start in range(0, n, BATCH):
                x, y = (t[start : start + BATCH] for t in (self.data.x, self.data.y))
                logits = self.networks.forward(x.mT.expand(len(self.networks), -1, -1), "observe")
                _, g = cross_entropy(logits, y.expand(len(self.networks), -1))
                self.networks.backward((g * (len(y) / n)).to(logits.dtype), keep=1.0)
            return [linear.weight.gradient for linear in self.networks.linears]

    def jacobian(self, samples: int = 32) -> Tensor:
        """Slopes d logits / d x at the first samples: (M, samples, classes, features).

        With batch norm the examples of a batch depend on each other; this is each one's own
        logits by the batch's inputs summed, as backpropagation gives it.
        """
        x = self.data.x[:samples].mT.expand(len(self.networks), -1, -1)
        rows = []
        with self._own_gradients():
            for c in range(self.networks.n_classes):
                g = torch.zeros_like(self.networks.forward(x, "observe"))
                g[:, c] = 1
                rows.append(self.networks.backward(g).mT.clone())
        return torch.stack(rows, 2)

    @property
    def groups(self) -> list[tuple[slice, Settings]]:
        """Neighbouring networks with one activation, and the settings of their first."""
        return self.networks.groups

    @contextlib.contextmanager
    def _own_gradients(self) -> Iterator[None]:
        """Leave the optimiser's running gradients alone while we compute others."""
        parameters, first = self.networks.parameters, self.networks.linears[0]
        kept = [p.gradient for p in parameters]
        for p in parameters:
            p.gradient = torch.zeros_like(p.value)
        first.needs_dx = True
        try:
            yield
        finally:
            first.needs_dx = False
            for p, gradient in zip(parameters, kept, strict=True):
                p.gradient = gradient


def dead(snapshot: Snapshot) -> dict[str, Tensor]:
    """Units that are zero on every example of the probe data.

    ``dead_share`` (layers,), and ``dead_units`` (units of all hidden layers, first to last) as
    0 or 1. From these :meth:`Result.fates` follows the born dead, the died and the revived.
    """
    return {
        "dead_share": _by_layer([probes.dead_share(layer) for layer in snapshot.stats]),
        "dead_units": torch.cat([probes.dead_units(layer) for layer in snapshot.stats], 1),
    }


def dormant(snapshot: Snapshot) -> dict[str, Tensor]:
    """``dormant_share`` (layers,): units whose mean size is at most 2.5 % of their layer's."""
    shares = [probes.dormant_units(layer).double().mean(1) for layer in snapshot.stats]
    return {"dormant_share": _by_layer(shares)}


def moments(snapshot: Snapshot) -> dict[str, Tensor]:
    """``activation_mean`` and ``activation_variance`` (layers,)."""
    found = [probes.moments(layer) for layer in snapshot.stats]
    return {
        "activation_mean": _by_layer([m.mean for m in found]),
        "activation_variance": _by_layer([m.variance for m in found]),
    }


def gradients(snapshot: Snapshot) -> dict[str, Tensor]:
    """``gradient_norm``, ``weight_norm`` and their ratio ``gradient_ratio`` (linear layers,)."""
    norms = probes.gradient_norms(snapshot.gradients, snapshot.weights)
    return {
        "gradient_norm": norms.gradient.T,
        "weight_norm": norms.weight.T,
        "gradient_ratio": norms.ratio.T,
    }


def saturation(snapshot: Snapshot) -> dict[str, Tensor]:
    """``saturation_share`` (layers,): pre-activations where the slope is below 1 % of its best."""
    total: list[Tensor] = []
    for batch in snapshot.batches(preactivations=True):
        shares = [torch.cat([_saturated(s, z[m]) for m, s in snapshot.groups]) for z in batch]
        weight = batch[0].shape[1] / len(snapshot.data)
        total = [weight * new + (total[i] if total else 0) for i, new in enumerate(shares)]
    return {"saturation_share": _by_layer(total)}


def jacobian(snapshot: Snapshot) -> dict[str, Tensor]:
    """``jacobian_norm`` (32 examples,): the largest singular value of d logits / d input."""
    values = probes.jacobian_singular_values(snapshot.jacobian(), k=1)
    return {"jacobian_norm": values[:, :, 0]}


PROBES: dict[str, Probe] = {
    "dead": dead,
    "dormant": dormant,
    "moments": moments,
    "gradients": gradients,
    "saturation": saturation,
    "jacobian": jacobian,
}
"""The probes that :func:`actlab.ensemble.train` knows by name."""


def _by_layer(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values), 1)


def _saturated(settings: Settings, z: Tensor) -> Tensor:
    return probes.saturation_share(z, settings.record, **settings.params)


def make_probes(probe: Any) -> list[Probe]:
    """One probe or several, by name or as functions.

    Raises ``ValueError`` for unknown names, ``TypeError`` for what is neither.
    """
    if probe is None:
        return []
    one = callable(probe) or isinstance(probe, str)
    chosen = [probe] if one else inputs.several(probe, "probe", '["dead"]')
    for p in chosen:
        if not callable(p):
            known("probe", p, PROBES)
    return [p if callable(p) else PROBES[p] for p in chosen]


def make_steps(at: Any, last: int) -> Any:
    """``"epoch"`` as it is, or the set of steps at which to look.

    Raises ``ValueError`` for what is no step of the run, whose last one is ``last``, and
    ``TypeError`` for what is no list.
    """
    if isinstance(at, str) and at == "epoch":
        return at
    steps = inputs.several(at, "probe_at", '[0, 100], or "epoch"')
    return frozenset(inputs.integer(step, "a step of probe_at", 0, last) for step in steps)


class Watch:
    """When the probes look, and at what."""

    def __init__(self, probes: Sequence[Probe], at: Any, data: Split, lock: threading.Lock) -> None:
        self.probes, self.at, self.data, self.lock = probes, at, data, lock

    def __call__(
        self, networks: Networks, records: Records, step: int, epoch: int, *, epoch_end: bool
    ) -> None:
        """Call every probe if this is one of its steps.

        ``records`` has a place per network, or ``None`` for one that diverged or was stopped.
        """
        wanted = epoch_end if self.at == "epoch" else step in self.at
        if not self.probes or not wanted:
            return
        snapshot = Snapshot(networks, self.data, step, epoch)
        for probe in self.probes:
            # A probe may well keep notes of its own, and autograd is open to it.
            with self.lock, torch.inference_mode(False), torch.no_grad():
                seen = probe(snapshot)
            if not isinstance(seen, Mapping):
                raise TypeError(
                    f"probe {getattr(probe, '__name__', probe)!r} returned {type(seen).__name__}: "
                    "expected a dict from names to arrays with one row per network."
                )
            for name, values in seen.items():
                rows = inputs.array(values, f"probe {name!r}", "biufc")
                if rows.ndim == 0 or len(rows) != len(records):
                    raise ValueError(
                        f"probe {name!r} returned shape {rows.shape} for {len(records)} networks: "
                        "expected one row per network."
                    )
                for record, row in zip(records, rows, strict=True):
                    if record is not None:
                        record.setdefault(step, {})[name] = np.array(row)
