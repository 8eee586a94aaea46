"""What a training run gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from actlab import inputs
from actlab.ensemble.settings import Settings

Array = npt.NDArray[Any]


@dataclass(kw_only=True)
class Result:
    """N networks, arm by arm and within an arm seed by seed.

    Everything not reached is NaN: the epochs after an early stop or an interruption, and every
    result of a network that ``diverged`` (its loss became infinite or NaN). Accuracies are
    shares between 0 and 1.

    - ``arm_of``, ``seed_of``: (N,) what network i is; ``arms`` holds the settings by name.
    - ``train_loss``: (N, epochs) mean loss over the epoch's batches, as they were met.
    - ``valid_loss``, ``valid_accuracy``: (N, epochs) after each epoch.
    - ``test_loss``, ``test_accuracy``: (N,) of the kept weights; nothing is chosen by them.
    - ``best_epoch``: (N,) the epoch, counted from 1, whose weights are kept: the best under
      early stopping, else the last; 0 where none was finished.
    - ``reached_epoch``, ``reached_step``: (N,) when ``until`` was met, counted from 1; 0 if never.
    - ``earlier``: what ``report_at`` asked for, see :meth:`at`.
    - ``probe_steps``: the steps at which probes looked (0 is before training), by arm.
    """

    arms: dict[str, Settings]
    arm_of: Array
    seed_of: Array
    train_loss: Array
    valid_loss: Array
    valid_accuracy: Array
    test_loss: Array
    test_accuracy: Array
    best_epoch: Array
    reached_epoch: Array
    reached_step: Array
    diverged: Array
    interrupted: bool = False
    seconds: float = 0.0
    device: str = "cpu"
    networks: list[nn.Sequential | None] = field(default_factory=list, repr=False)
    probes: list[dict[int, dict[str, Any]]] = field(default_factory=list, repr=False)
    earlier: dict[int, Result] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.arm_of)

    def __repr__(self) -> str:
        notes = [f"{self.diverged.sum()} diverged"] if self.diverged.any() else []
        notes += ["interrupted"] if self.interrupted else []
        return (
            f"<{len(self)} networks: {len(self.arms)} arms × {len(self) // len(self.arms)} seeds"
            f"{''.join(f', {note}' for note in notes)}>"
        )

    def index(self, arm: str | None = None, seed: int | None = None) -> Array:
        """The numbers of the networks of an arm, of a seed, or of both.

        Raises ``KeyError`` naming what there is.
        """
        if arm is not None and arm not in self.arms:
            raise KeyError(f"no arm {arm!r}; there are {', '.join(map(repr, self.arms))}.")
        chosen = np.ones(len(self), bool)
        chosen &= True if arm is None else self.arm_of == arm
        seed = inputs.number(seed)
        chosen &= seed is None or (inputs.is_integer(seed) and self.seed_of == seed)
        if not chosen.any():
            raise KeyError(f"no seed {seed!r}; there are {sorted(set(self.seed_of.tolist()))}.")
        return np.flatnonzero(chosen)

    def at(self, epoch: int) -> Result:
        """The result as it was after so many epochs: what training no longer would have given.

        Without networks and probes. A network that had stopped by then is as it was left; one that
        diverged later had not yet. Raises ``KeyError`` for an epoch that was not in ``report_at``.
        """
        if epoch not in self.earlier:
            known = ", ".join(map(str, self.earlier)) or "none"
            raise KeyError(f"nothing was noted at epoch {epoch!r}; report_at had {known}.")
        return self.earlier[epoch]

    def by_arm(self, what: str = "test_accuracy") -> dict[str, Array]:
        """Arm → one value per seed, in the order of the seeds: ready for :mod:`actlab.stats`.

        ``what`` is ``test_accuracy``, ``test_loss``, or ``train_loss``, ``valid_loss``,
        ``valid_accuracy`` of the kept epoch (diverged networks are NaN), or ``reached_epoch``,
        ``reached_step``.
        """
        frame = self.to_frame().assign(
            reached_epoch=self.reached_epoch, reached_step=self.reached_step
        )
        if not isinstance(what, str) or what not in list(frame.columns[2:]):
            raise KeyError(f"no result {what!r}; there are {', '.join(frame.columns[2:])}.")
        return {arm: frame.loc[frame["arm"] == arm, what].to_numpy() for arm in self.arms}

    def to_frame(self) -> pd.DataFrame:
        """One row per network; curves are given at the kept epoch."""
        rows = np.arange(len(self))
        kept = np.maximum(self.best_epoch - 1, 0)
        return pd.DataFrame(
            {
                "arm": self.arm_of,
                "seed": self.seed_of,
                **{
                    name: getattr(self, name)[rows, kept]
                    for name in ("train_loss", "valid_loss", "valid_accuracy")
                },
                "test_loss": self.test_loss,
                "test_accuracy": self.test_accuracy,
                "best_epoch": self.best_epoch,
                "diverged": self.diverged,
            }
        )

    def history(self) -> pd.DataFrame:
        """One row per network and epoch (from 1): train_loss, valid_loss, valid_accuracy."""
        n, epochs = self.train_loss.shape
        return pd.DataFrame(
            {
                "arm": np.repeat(self.arm_of, epochs),
                "seed": np.repeat(self.seed_of, epochs),
                "epoch": np.tile(np.arange(1, epochs + 1), n),
                **{
                    name: getattr(self, name).ravel()
                    for name in ("train_loss", "valid_loss", "valid_accuracy")
                },
            }
        )

    def member(self, arm: Any, seed: int | None = None) -> nn.Sequential:
        """One trained network as a plain ``nn.Sequential``, by arm and seed or by number.

        Raises ``KeyError`` if there is none, ``RuntimeError`` if weights were not kept.
        """
        i: Any = inputs.number(arm)
        if not inputs.is_integer(i):
            i = int(self.index(arm, seed)[0])
        elif seed is not None or not 0 <= i < len(self):
            raise KeyError(f"no network {i}: there are 0 to {len(self) - 1}, or arm and seed.")
        network: nn.Sequential | None = self.networks[i] if self.networks else None
        if network is None:
            raise RuntimeError(
                f"the weights of network {i} were not kept: train with keep_weights=True "
                "(and without interrupting before it began)."
            )
        return network

    def probe(self, name: str, arm: str) -> Array:
        """What one probe saw in an arm: (seeds, steps, ...); NaN for what was not reached.

        The steps are ``result.probe_steps(arm)``. Raises ``KeyError`` naming what there is.
        """
        steps = self.probe_steps(arm)
        seen = [self.probes[i] for i in self.index(arm)]
        names = sorted({key for member in seen for record in member.values() for key in record})
        if name not in names:
            raise KeyError(f"no probe {name!r}; there are {', '.join(names) or 'none'}.")
        first = next(r[name] for member in seen for r in member.values() if name in r)
        missing = np.full(np.shape(first), np.nan)
        return np.array([[m.get(s, {}).get(name, missing) for s in steps] for m in seen])

    def fates(self, arm: str) -> dict[str, Array]:
        """What became of the units, from the probe ``"dead"``: (seeds, steps, hidden layers) each.

        Shares of a layer's units at each probed step: ``dead`` now; ``born_dead`` (the same at
        the first step); ``died``: dead now and alive at the first step; ``ever_dead``: dead at
        any step so far; ``revived``: dead at an earlier step, firing now. NaN where not reached.
        Raises ``KeyError`` if the probe ``"dead"`` was not among the probes.
        """
        dead = self.probe("dead_units", arm)
        ever = np.maximum.accumulate(dead, axis=1)
        units = {
            "dead": dead,
            "born_dead": np.broadcast_to(dead[:, :1], dead.shape),
            "died": dead * (1 - dead[:, :1]),
            "ever_dead": ever,
            "revived": ever * (1 - dead),
        }
        borders = np.cumsum(self.arms[arm].hidden)[:-1]
        return {
            name: np.stack([layer.mean(2) for layer in np.split(values, borders, axis=2)], axis=2)
            for name, values in units.items()
        }

    def probe_steps(self, arm: str) -> Array:
        """The steps at which the probes looked at an arm's networks; 0 is before training."""
        return np.array(sorted({step for i in self.index(arm) for step in self.probes[i]}))


def empty(arms: Mapping[str, Settings], seeds: Sequence[int], epochs: int, device: str) -> Result:
    """A result in which nothing has been reached yet."""
    n = len(arms) * len(seeds)

    def curve(*shape: int) -> Array:
        return np.full((n, *shape), np.nan)

    return Result(
        arms=dict(arms),
        arm_of=np.repeat(np.array(list(arms), dtype=object), len(seeds)),
        seed_of=np.tile(np.array(seeds), len(arms)),
        train_loss=curve(epochs),
        valid_loss=curve(epochs),
        valid_accuracy=curve(epochs),
        test_loss=curve(),
        test_accuracy=curve(),
        best_epoch=np.zeros(n, int),
        reached_epoch=np.zeros(n, int),
        reached_step=np.zeros(n, int),
        diverged=np.zeros(n, bool),
        device=device,
        networks=[None] * n,
        probes=[{} for _ in range(n)],
    )
