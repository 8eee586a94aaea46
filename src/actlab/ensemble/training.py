"""Train many networks at once: chunks, epochs, early stopping, probes, interruption."""

from __future__ import annotations

import contextlib
import math
import operator
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm  # tqdm.auto warns in every kernel without ipywidgets

from actlab import inputs
from actlab.ensemble.activations import Function
from actlab.ensemble.initial import data_order
from actlab.ensemble.network import Buffer, Networks, cross_entropy
from actlab.ensemble.optimisers import make_optimiser
from actlab.ensemble.result import Result, empty
from actlab.ensemble.settings import Data, Settings, Split, check_fit, known, make_arms, make_seeds
from actlab.ensemble.watching import (
    BATCH,
    Probe,
    Watch,
    make_probes,
    make_steps,
    saturation,
)

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
# Networks whose working set fits a core's share of the cache are trained together on the CPU.
# Smaller chunks pay more for calling each operation, larger ones for memory traffic.
CACHE_BYTES = 5 * 2**20


def train(
    data: Any,
    *,
    arms: Mapping[str, Mapping[str, Any]] | Sequence[str | Function] | None = None,
    seeds: int | Iterable[int] = 20,
    epochs: int = 10,
    patience: int | None = None,
    until: Mapping[str, float] | None = None,
    report_at: Sequence[int] = (),
    probe: str | Probe | Sequence[str | Probe] | None = None,
    probe_at: Sequence[int] | Literal["epoch"] = "epoch",
    probe_data: Any = None,
    device: str | torch.device | None = None,
    dtype: str = "float32",
    chunk: int | None = None,
    keep_weights: bool = True,
    progress: bool | None = None,
    **settings: Any,
) -> Result:
    """Train every arm with every seed, all of them together, and return what came of each.

    >>> result = train(data, arms=["relu", "tanh"], seeds=20, lr=0.05, epochs=10)
    >>> result.by_arm("test_accuracy")["relu"]  # 20 numbers, one per seed

    ``data`` is an :class:`actlab.data.Dataset` or a tuple ``x_train, y_train[, x_valid,
    y_valid[, x_test, y_test]]`` with x (n, features) and y (n,) of 0 to k - 1, in arrays, tensors
    or data frames; or one to three sources of batches (x, y), such as a ``DataLoader`` or a
    ``tf.data.Dataset``, read into memory. ``settings`` are those
    of :class:`Settings` and hold for every arm; an arm may override any of them
    (``arms={"small": {"lr": 0.01}, "large": {"lr": 0.1}}``; :func:`cross` makes grids; a list is
    one of activations). Arms that share a seed share the order of the data and, where
    the shapes allow it, matched initial weights: compare them in pairs.

    - ``seeds``: how many (``20`` means 0 to 19), or which.
    - ``patience``: stop a network once its validation loss has not improved for so many epochs,
      and keep its best weights.
    - ``until``: stop a network once it is there: ``{"valid_accuracy": 0.9}`` (or more),
      ``{"valid_loss": 0.3}`` or ``{"train_loss": 0.3}`` (or less); of several, once all are. When
      that was stands in ``result.reached_epoch`` and ``.reached_step``.
    - ``report_at``: epochs after which to note what training had come to by then:
      ``result.at(15)`` is the result that ``epochs=15`` would have given (test figures of the best
      weights so far, under ``patience``), from one and the same run. Nothing is chosen by it.
    - ``probe``: what to watch: ``"dead"``, ``"dormant"``, ``"moments"``, ``"gradients"``,
      ``"saturation"``, ``"jacobian"`` (:mod:`actlab.ensemble.watching`), or functions from a
      :class:`Snapshot` to named arrays with one row per network; at the steps ``probe_at`` (0 is
      before training; ``"epoch"`` means 0 and after every epoch), on ``probe_data`` (x, y), by
      default the training data. Other steps cost nothing. A network that diverged or was stopped
      is not looked at any more: NaN.
    - ``device``: ``None`` takes the GPU if there is one. ``dtype``: ``float32``, ``float64`` or
      ``bfloat16`` (weights then stay in float32).
    - ``chunk``: networks computed together; chosen by memory and cache unless given. The results
      do not depend on it (for odd shapes the matrix library may round the last bit differently).
    - ``progress``: a bar for anything over two seconds; by default only on a terminal or in a
      notebook, and never when the environment says ``ACTLAB_PROGRESS=0``.

    Ctrl-C finishes the current step and returns what was reached, flagged ``interrupted``; a
    second one raises. Bad input raises ``ValueError`` or ``TypeError`` before any work starts.
    """
    known("dtype", dtype, DTYPES)
    epochs = inputs.integer(epochs, "epochs", 1)
    patience = None if patience is None else inputs.integer(patience, "patience", 1)
    chunk = None if chunk is None else min(inputs.integer(chunk, "chunk", 1), 2**31)
    arm_settings, seed_list = make_arms(arms, settings), make_seeds(seeds)
    place = pick_device(device)
    split = Data.of(data, DTYPES[dtype], place)
    check_fit(arm_settings, split)
    if patience is not None and split.valid is None:
        raise ValueError("patience needs validation data: give x_valid and y_valid.")
    check_until(until, split)
    noted = make_epochs(report_at, epochs)
    probes = make_probes(probe)
    own = [name for name, arm in arm_settings.items() if callable(arm.activation)]
    if own and saturation in probes:
        raise ValueError(
            f"the probe 'saturation' needs a record of the catalog; {', '.join(own)} has a "
            "function of its own."
        )
    looked_at = split.train if probe_data is None else split.also(probe_data, "probe_data")
    smallest = min(arm.batch_size for arm in arm_settings.values())
    steps = make_steps(probe_at, epochs * math.ceil(len(split.train) / smallest))

    result = empty(arm_settings, seed_list, epochs, str(place))
    result.earlier = {e: empty(arm_settings, seed_list, e, str(place)) for e in noted}
    members = [
        _Member(i, arm, seed)
        for i, (arm, seed) in enumerate((a, s) for a in arm_settings.values() for s in seed_list)
    ]
    watch = Watch(probes, steps, looked_at, threading.Lock())
    began = time.perf_counter()
    with _interruptible() as stop, make_bar(progress, len(members) * epochs) as bar:

        def work(group: list[_Member]) -> None:
            if not stop.is_set():
                with torch.inference_mode():  # an operation costs less to call than with no_grad
                    run = _Run(
                        group,
                        split,
                        result,
                        patience=patience,
                        until=until or {},
                        keep_weights=keep_weights,
                    )
                    run.train(epochs, watch, stop, bar)

        run_all(work, plan(members, split, place, chunk), place, stop)
    for each in (result, *result.earlier.values()):
        each.interrupted, each.seconds = stop.is_set(), time.perf_counter() - began
    return result


TARGETS = {"valid_accuracy": operator.ge, "valid_loss": operator.le, "train_loss": operator.le}
"""What ``until`` may name, and on which side of the number the target lies."""


def make_epochs(report_at: Any, epochs: int) -> tuple[int, ...]:
    """Raises ``ValueError`` unless all lie within the run, each given once."""
    chosen = tuple(inputs.several(report_at, "report_at", "[15, 60]"))
    inside = all(inputs.is_integer(e) and 1 <= e <= epochs for e in chosen)
    if not inside or len(set(chosen)) < len(chosen):
        raise ValueError(f"report_at={report_at!r}: expected different epochs from 1 to {epochs}.")
    return chosen


def check_until(until: Any, data: Data) -> None:
    """Raise ``ValueError`` for a target that nobody could see, or ``TypeError`` for none at all."""
    if until is None:
        return
    if not isinstance(until, Mapping) or not until:
        raise TypeError(f'until={until!r}: expected a mapping such as {{"valid_accuracy": 0.9}}.')
    for name, target in until.items():
        known("target of until", name, TARGETS)
        if not inputs.is_real(inputs.number(target)):
            raise ValueError(f"until: {name}={target!r}: expected a number.")
        if name != "train_loss" and data.valid is None:
            raise ValueError(f"until {name} needs validation data: give x_valid and y_valid.")


def run_all(
    work: Callable[[list[_Member]], None],
    chunks: Sequence[list[_Member]],
    device: torch.device,
    stop: threading.Event,
) -> None:
    """One worker per core, each with chunks of its own.

    Two cores that split every operation wait for each other after each of them, and badly so
    where other programs run too; two that train different networks wait once, at the end.
    """
    cores = torch.get_num_threads()
    workers = min(cores, len(chunks)) if device.type == "cpu" else 1
    if workers == 1:
        for chunk in chunks:
            work(chunk)
        return
    try:
        with ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(cores // workers,)
        ) as pool:
            jobs = [pool.submit(work, chunk) for chunk in chunks]
            try:
                for job in as_completed(jobs):
                    job.result()
            except BaseException:
                stop.set()  # an error in one chunk, or a second Ctrl-C: the others need not go on
                raise
    finally:
        torch.set_num_threads(cores)  # the workers' setting is the default of threads to come


def pick_device(device: str | torch.device | None) -> torch.device:
    """The GPU where there is one. Raises ``ValueError`` for a device this machine has not."""
    try:
        best = "cuda" if torch.cuda.is_available() else "cpu"
        chosen = torch.device(best if device is None else device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device={device!r}: expected a device of PyTorch: {error}") from error
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(f"device={device!r}: PyTorch sees no GPU here; use device=None.")
        # Or TensorFlow, once imported, takes all the memory that PyTorch has left.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    return chosen


@dataclass(frozen=True)
class _Member:
    """One network to train: its row in the result, its settings, its seed."""

    row: int
    settings: Settings
    seed: int


def plan(
    members: Sequence[_Member], data: Data, device: torch.device, chunk: int | None
) -> list[list[_Member]]:
    """Split the members into chunks of one structure that fit the cache or the GPU's memory."""
    groups: dict[tuple[Any, ...], list[_Member]] = {}
    for member in members:
        groups.setdefault(member.settings.structure, []).append(member)
    chunks = []
    for group in groups.values():
        # Neighbours with one activation are computed by one call.
        order: dict[str, int] = {}
        for m in group:
            order.setdefault(f"{m.settings.activation} {m.settings.params}", len(order))
        group.sort(key=lambda m: order[f"{m.settings.activation} {m.settings.params}"])
        if chunk is None:
            pieces = default_pieces(group[0].settings, len(group), data, device)
        else:
            pieces = math.ceil(len(group) / chunk)
        for rows in np.array_split(np.arange(len(group)), pieces):
            chunks.append([group[i] for i in rows])
    return chunks


def default_pieces(settings: Settings, n: int, data: Data, device: torch.device) -> int:
    """Into how many chunks to split ``n`` networks: each fits, and every core gets as many."""
    limit, workers = CACHE_BYTES, torch.get_num_threads()
    if device.type == "cuda":
        limit, workers = int(0.7 * torch.cuda.mem_get_info(device)[0]), 1
    needed = math.ceil(n * member_bytes(settings, data) / limit)
    return min(n, workers * math.ceil(needed / workers))


def member_bytes(settings: Settings, data: Data) -> int:
    """Roughly what one network touches in a training step: weights and gradients, activations."""
    sizes = settings.layer_sizes(data.n_features, data.n_classes)
    copies = 4 if settings.optimizer == "adam" else 2
    weights = copies * sum((i + 1) * o for i, o in sizes)
    per_layer = 1 + bool(settings.normalization) + 2 * bool(settings.dropout) + settings.residual
    widest = max(o for _, o in sizes)
    units = data.n_features + per_layer * sum(o for _, o in sizes) + 2 * widest
    return (weights + settings.batch_size * units) * data.train.x.dtype.itemsize


class _Run:
    """One chunk of networks from its first step to its last."""

    def __init__(
        self,
        members: Sequence[_Member],
        data: Data,
        result: Result,
        *,
        patience: int | None,
        until: Mapping[str, float],
        keep_weights: bool,
    ) -> None:
        self.members, self.data, self.result = members, data, result
        self.patience, self.until, self.keep_weights = patience, until, keep_weights
        arms = [m.settings for m in members]
        x = data.train.x
        seeds = [m.seed for m in members]
        with torch.inference_mode(False):  # a probe may want to differentiate by the weights
            self.networks = Networks(
                arms, seeds, data.n_features, data.n_classes, dtype=x.dtype, device=x.device
            )
        self.optimiser = make_optimiser(self.networks, arms)
        self.x, self.gradient = Buffer(), Buffer()
        self.rows = np.array([m.row for m in members])
        self.orders = [data_order(m.seed, len(data.train)) for m in members]
        self.batch_size = arms[0].batch_size
        self.running = np.ones(len(members), bool)
        self.done = 0  # epochs
        self.best_loss = np.full(len(members), np.inf)
        # The weights a network would be left with, where these are not those it has now.
        self.stored = np.zeros(len(members), bool)
        stops = patience is not None or until
        self.best = [s.clone() for _, s in self.networks.state] if stops else []

    def train(self, epochs: int, watch: Watch, stop: threading.Event, bar: Any) -> None:
        """Fill this chunk's rows of the result."""
        step, M, n = 0, len(self.members), len(self.data.train)
        records: list[Any] = [self.result.probes[row] for row in self.rows]
        watch(self.networks, records, 0, 0, epoch_end=True)
        for epoch in range(1, epochs + 1):
            order = torch.stack([next(o) for o in self.orders]).to(self.data.train.x.device)
            total = torch.zeros(M, dtype=torch.float64, device=order.device)
            for start in range(0, n, self.batch_size):
                total += self.step(order[:, start : start + self.batch_size])
                step += 1
                last = start + self.batch_size >= n
                if not last:
                    watch(self.networks, records, step, epoch, epoch_end=False)
                if stop.is_set():
                    break
            if stop.is_set() and not last:
                break
            self.record(epoch, (total / n).cpu().numpy())
            self.done = epoch
            if epoch in self.result.earlier:
                self.report(epoch)
            records = [r if on else None for r, on in zip(records, self.running, strict=True)]
            watch(self.networks, records, step, epoch, epoch_end=True)
            bar.update(M)
            if stop.is_set() or not self.running.any():
                bar.update(M * (epochs - epoch))
                break
        self.finish()

    def step(self, index: Tensor) -> Tensor:
        """One update on the examples ``index`` (M, batch); returns the summed losses (M,)."""
        M, batch = index.shape
        data, rows = self.data.train, index.reshape(-1)
        x = self.x(data.x, M, batch, data.x.shape[1])
        torch.index_select(data.x, 0, rows, out=x.view(M * batch, -1))
        logits = self.networks.forward(x.mT, "train")
        gradient = self.gradient(self.networks.output.weight.value, *logits.shape)
        losses, _ = cross_entropy(logits, data.y[index], out=gradient)
        self.networks.backward(gradient.to(logits.dtype), keep=self.optimiser.keep)
        self.optimiser.step()
        return losses.sum(1)

    def record(self, epoch: int, train_loss: np.ndarray[Any, Any]) -> None:
        """Write an epoch's curves for the networks still running; decide which go on."""
        result, column = self.result, epoch - 1
        loss = accuracy = train_loss
        if self.data.valid is not None:
            loss, accuracy = self.evaluate(self.data.valid)
        diverged = self.running & ~(np.isfinite(train_loss) & np.isfinite(loss))
        result.diverged[self.rows[diverged]] = True
        self.running &= ~diverged
        rows = self.rows[self.running]
        result.train_loss[rows, column] = train_loss[self.running]
        if self.data.valid is not None:
            result.valid_loss[rows, column] = loss[self.running]
            result.valid_accuracy[rows, column] = accuracy[self.running]
        there = self.running.copy() if self.until else np.zeros_like(self.running)
        seen = {"train_loss": train_loss, "valid_loss": loss, "valid_accuracy": accuracy}
        for name, target in self.until.items():
            there &= TARGETS[name](seen[name], target)
        result.reached_epoch[self.rows[there]] = epoch
        result.reached_step[self.rows[there]] = epoch * -(-len(self.data.train) // self.batch_size)
        if self.patience is None:
            result.best_epoch[rows] = epoch
            self.store(there)
            self.running &= ~there
            return
        better = self.running & (loss < self.best_loss)
        self.best_loss[better] = loss[better]
        result.best_epoch[self.rows[better]] = epoch
        self.store(better)
        self.running &= ~there & (epoch - result.best_epoch[self.rows] < self.patience)

    def store(self, chosen: np.ndarray[Any, Any]) -> None:
        """Set the weights of the chosen networks aside: they are the ones to keep so far."""
        if chosen.any():
            _copy(self.networks.state, self.best, chosen)
            self.stored |= chosen

    def restore(self) -> None:
        """Give every network the weights set aside for it, if any are."""
        if self.stored.any():
            places = [place for _, place in self.networks.state]
            members = [m for m, _ in self.networks.state]
            _copy(list(zip(members, self.best, strict=True)), places, self.stored)

    def evaluate(self, split: Split) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Mean loss and accuracy of every network, (M,) each."""
        M, n = len(self.members), len(split)
        loss = torch.zeros(M, dtype=torch.float64, device=split.x.device)
        hits = torch.zeros_like(loss)
        for start in range(0, n, BATCH):
            x, y = (t[start : start + BATCH] for t in (split.x, split.y))
            logits = self.networks.forward(x.mT.expand(M, -1, -1), "evaluate")
            hits += (logits.argmax(1) == y).sum(1)
            loss += cross_entropy(logits, y.expand(M, -1))[0].sum(1)
        return (loss / n).cpu().numpy(), (hits / n).cpu().numpy()

    def report(self, epoch: int, rows: np.ndarray[Any, Any] | None = None) -> None:
        """Write down what the networks (or those of ``rows``) have come to by this epoch."""
        rows = self.rows if rows is None else rows
        now, then = self.result, self.result.earlier[epoch]
        for name in ("train_loss", "valid_loss", "valid_accuracy"):
            getattr(then, name)[rows] = getattr(now, name)[rows, :epoch]
        for name in ("best_epoch", "reached_epoch", "reached_step", "diverged"):
            getattr(then, name)[rows] = getattr(now, name)[rows]
        state = [s for _, s in self.networks.state]
        kept = [s.clone() for s in state] if self.stored.any() else []
        self.restore()
        self.test(then, rows)
        for place, value in zip(state, kept, strict=bool(kept)):
            place.copy_(value)

    def test(self, result: Result, rows: np.ndarray[Any, Any]) -> None:
        """Mark the diverged networks of ``rows`` and look at the test set with the others."""
        bad = rows[result.diverged[rows]]
        for values in (result.train_loss, result.valid_loss, result.valid_accuracy):
            values[bad] = np.nan
        if self.data.test is None:
            return
        chosen = np.isin(self.rows, rows) & ~result.diverged[self.rows]
        chosen &= result.best_epoch[self.rows] > 0  # else interrupted before the first epoch ended
        loss, accuracy = self.evaluate(self.data.test)
        result.test_loss[self.rows[chosen]] = loss[chosen]
        result.test_accuracy[self.rows[chosen]] = accuracy[chosen]

    def finish(self) -> None:
        """Go back to the best weights, touch the test set, keep the networks."""
        result = self.result
        for later in [e for e in result.earlier if e > self.done]:
            self.report(later, self.rows[~self.running])  # nothing more would have come of them
        self.restore()
        self.test(result, self.rows)
        if self.keep_weights:
            for m, member in enumerate(self.members):
                if result.best_epoch[member.row] or result.diverged[member.row]:
                    with torch.inference_mode(False):  # or nobody could train it any further
                        result.networks[member.row] = self.networks.plain(m).cpu()


def _copy(
    source: Sequence[tuple[slice, Tensor]], target: Sequence[Tensor], chosen: np.ndarray[Any, Any]
) -> None:
    """Copy the state of the chosen networks."""
    for (members, value), place in zip(source, target, strict=True):
        mask = torch.as_tensor(chosen[members], device=value.device)
        place[mask] = value[mask]


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop at the next step; the second one raises."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals reach the main one
        yield stop
        return
    previous = signal.getsignal(signal.SIGINT)

    def request(signum: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, request)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)


def make_bar(progress: bool | None, total: int) -> Any:
    """A progress bar that appears after two seconds where somebody is looking."""
    if progress is None:
        notebook = "ipykernel" in sys.modules
        progress = os.environ.get("ACTLAB_PROGRESS") != "0" and (notebook or sys.stderr.isatty())
    return tqdm(total=total, delay=2, disable=not progress, unit="epoch", leave=False)
