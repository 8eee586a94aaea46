"""What the adaptive softmax costs and saves on the words of a real text."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import stats
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    import torch
    from torch import nn

Words = npt.NDArray[np.int64]

# --- The text -------------------------------------------------------------------------------------


def documentation(package: str = "scipy") -> list[list[str]]:
    """Every documentation string of an installed package, as lower-case words, file by file.

    The text lies on every reader's disk and its licence is that of the package.
    """
    import re

    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise ModuleNotFoundError(f"there is no package {package!r} to read: install it with pip.")
    texts = []
    for path in sorted(Path(places[0]).rglob("*.py")):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                texts.append(re.findall(r"[a-z]+", (ast.get_docstring(node) or "").lower()))
    return [words for words in texts if len(words) > 2]


@cache
def numbered(package: str = "scipy") -> tuple[tuple[Words, ...], tuple[str, ...]]:
    """The texts as word numbers, the most frequent word first, and the words in that order."""
    texts = documentation(package)
    counts = Counter(word for text in texts for word in text)
    words = sorted(counts, key=lambda word: (-counts[word], word))
    place = {word: i for i, word in enumerate(words)}
    return tuple(np.array([place[w] for w in text]) for text in texts), tuple(words)


def windows(texts: Sequence[Words], vocabulary: int) -> Words:
    """Every three words in a row, (n, 3), as numbers below ``vocabulary`` (:func:`known`)."""
    runs = [np.lib.stride_tricks.sliding_window_view(text, 3) for text in texts]
    return known(np.concatenate(runs), vocabulary)


def known(numbers: Words, vocabulary: int) -> Words:
    """The most frequent words as 1, 2, …; all that lie beyond the vocabulary as 0.

    Together these are frequent, and the adaptive softmax wants frequent classes first.
    """
    return np.where(numbers < vocabulary - 1, numbers + 1, 0)


def cutoffs(vocabulary: int) -> tuple[int, int]:
    """Where the two clusters begin: a twentieth and a quarter of the vocabulary."""
    return vocabulary // 20, vocabulary // 4


# --- Two layers -----------------------------------------------------------------------------------


def layer(kind: str, features: int, vocabulary: int) -> nn.Module:
    """``full``: a linear layer for a cross-entropy; ``adaptive``: PyTorch's own module."""
    from torch import nn

    if kind == "full":
        return nn.Linear(features, vocabulary, bias=False)
    return nn.AdaptiveLogSoftmaxWithLoss(features, vocabulary, cutoffs(vocabulary))


def loss_of(output: nn.Module, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean of −log p(target) by either layer."""
    from torch import nn
    from torch.nn.functional import cross_entropy

    if isinstance(output, nn.AdaptiveLogSoftmaxWithLoss):
        found: torch.Tensor = output(features, target).loss
        return found
    return cross_entropy(output(features), target)


def kept_bytes(output: nn.Module, features: torch.Tensor, target: torch.Tensor) -> int:
    """Bytes that one step holds: the weights, their gradient, and what waits for the backward pass.

    Every storage counts once.
    """
    import torch

    weights = {p.untyped_storage().data_ptr(): p.nbytes for p in output.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss_of(output, features, target)
    return 2 * sum(weights.values()) + sum(kept.values())


# --- Time and memory ------------------------------------------------------------------------------


def targets(vocabulary: int, batch: int, seed: int) -> Words:
    """Words drawn from the text; beyond its own vocabulary, by Zipf's law (1 / rank)."""
    rng = np.random.default_rng(seed)
    texts, words = numbered()
    if vocabulary <= len(words):
        return known(rng.choice(np.concatenate(texts), batch), vocabulary)
    shares = 1 / np.arange(1, vocabulary + 1)
    drawn: Words = rng.choice(vocabulary, batch, p=shares / shares.sum())
    return drawn


def cost_cell(
    vocabulary: int, *, features: int, batch: int, rounds: int, calls: int
) -> pd.DataFrame:
    """Processor seconds of one thread for forward and backward, in rounds that take turns."""
    import time

    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = []
        made = {kind: layer(kind, features, vocabulary) for kind in KINDS}
        for round_ in range(-1, rounds):  # the first one only warms up
            x = torch.randn(batch, features, generator=torch.Generator().manual_seed(round_ + 1))
            y = torch.from_numpy(targets(vocabulary, batch, round_ + 1))
            for kind, output in made.items():
                seconds = []
                for _ in range(calls):
                    leaf = x.clone().requires_grad_()
                    output.zero_grad()
                    began = time.thread_time()
                    loss_of(output, leaf, y).backward()  # type: ignore[no-untyped-call]
                    seconds.append(time.thread_time() - began)
                size = kept_bytes(output, x.clone().requires_grad_(), y)
                weights = sum(p.numel() for p in output.parameters())
                rows.append((round_, kind, min(seconds), size, weights))
    finally:
        torch.set_num_threads(threads)
    columns = ["round", "kind", "seconds", "bytes", "weights"]
    return pd.DataFrame(rows, columns=columns).query("round >= 0")


KINDS = ("full", "adaptive")
COST = Study(
    name="softmax_cost",
    title="A full and an adaptive softmax, forward and backward, as the vocabulary grows",
    task=cost_cell,
    axes={"vocabulary": (500, 2_000, 8_000, 32_000, 128_000)},
    settings={"features": 64, "batch": 128, "rounds": 12, "calls": 2},
)

# --- Loss -----------------------------------------------------------------------------------------


def model(kind: str, vocabulary: int, features: int, seed: int) -> tuple[nn.Module, nn.Module]:
    """Two words in: their vectors side by side, a hidden layer of ReLUs; and the output layer."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = nn.Sequential(
            nn.Embedding(vocabulary, features // 2),
            nn.Flatten(),
            nn.Linear(features, features),
            nn.ReLU(),
        )
        return body, layer(kind, features, vocabulary)


def fitted(
    kind: str,
    vocabulary: int,
    parts: tuple[Words, Words],
    seed: int,
    lr: float,
    *,
    features: int,
    batch: int,
    marks: Sequence[int],
) -> list[float]:
    """Train with Adam; the mean −log p of the next word on the held-out part, at each mark."""
    import torch

    body, output = model(kind, vocabulary, features, seed)
    optimizer = torch.optim.Adam([*body.parameters(), *output.parameters()], lr=lr)
    train, held_out = (torch.from_numpy(part) for part in parts)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for step in range(1, max(marks) + 1):
        rows = train[torch.randint(len(train), (batch,), generator=generator)]
        optimizer.zero_grad()
        loss_of(output, body(rows[:, :2]), rows[:, 2]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step in marks:
            with torch.inference_mode():
                losses.append(float(loss_of(output, body(held_out[:, :2]), held_out[:, 2])))
    return losses


def split_text(split: int, vocabulary: int) -> Iterator[Words]:
    """Training, validation and test windows: every fifth documentation string is a test string."""
    texts, _ = numbered()
    rng = np.random.default_rng(split)
    for wanted in ((2, 3, 4), (1,), (0,)):
        part = windows([t for i, t in enumerate(texts) if (i + split) % 5 in wanted], vocabulary)
        yield part if len(wanted) > 1 else rng.choice(part, 2_000, replace=False)


def loss_cell(
    vocabulary: int,
    kind: str,
    *,
    splits: Sequence[int],
    rates: Sequence[float],
    tuning_seeds: int,
    seeds: int,
    marks: Sequence[int],
    features: int,
    batch: int,
) -> pd.DataFrame:
    """Tune the rate over all splits, then train; one row per network."""
    options: dict[str, Any] = {"features": features, "batch": batch}
    parts = {split: tuple(split_text(split, vocabulary)) for split in splits}
    valid = []
    for lr in rates:
        tried = [
            fitted(
                kind,
                vocabulary,
                (train, held),
                10_000 + 100 * split + i,
                lr,
                marks=marks[:1],
                **options,
            )[0]
            for split, (train, held, _) in parts.items()
            for i in range(tuning_seeds)
        ]
        valid.append(float(np.mean(tried)))
    best = rates[int(np.argmin(valid))]
    rows = []
    for split, (train, _, test) in parts.items():
        for seed in range(100 * split, 100 * split + seeds):
            early, late = fitted(
                kind, vocabulary, (train, test), seed, best, marks=marks, **options
            )
            rows.append((split, seed, best, best in (rates[0], rates[-1]), early, late))
    columns = ["split", "seed", "lr", "edge", "loss_early", "loss_late"]
    return pd.DataFrame(rows, columns=columns)


LOSS = Study(
    name="softmax_words",
    title="The next word of SciPy's documentation, by a full and an adaptive softmax",
    task=loss_cell,
    axes={"vocabulary": (500, 2_000), "kind": KINDS},
    settings={
        "splits": (0, 1, 2, 3, 4),
        "rates": (0.003, 0.01, 0.03, 0.1),
        "tuning_seeds": 2,
        "seeds": 4,
        "marks": (60, 180),
        "features": 32,
        "batch": 64,
    },
)
STUDIES = (COST, LOSS)

# --- What the claims ask --------------------------------------------------------------------------

SPEED = "speed-up"
SAVED = "memory saved"
WORSE = "extra test loss"


def by_round(column: str, root: int = 0) -> dict[int, npt.NDArray[np.float64]]:
    """Vocabulary → full over adaptive in the same round, for the ``seconds`` or the ``bytes``."""
    table = load(COST.name)
    table = table[table["round"] % 5 != root - 1] if root else table
    wide = table.pivot(index=["vocabulary", "round"], columns="kind", values=column)
    ratio = wide["full"] / wide["adaptive"]
    return {int(size): part.to_numpy() for size, part in ratio.groupby("vocabulary")}


_COST = (
    "One layer on 64 features, a batch of 128, forward and backward: PyTorch's "
    "AdaptiveLogSoftmaxWithLoss, clusters from a twentieth and a quarter of the words, against a "
    "linear layer with the cross-entropy. The targets are words of SciPy's documentation, beyond "
    "its 13,000 different ones drawn by Zipf's law (1 / rank)."
)


@experiment(
    f"{_COST} Processor time of one thread, full over adaptive in the same round, 12 rounds.",
    "PyTorch on one core · 64 features, batch 128",
    COST.name,
)
def faster(root: int, level: Level) -> Evidence:
    from actlab.experiments.timing import middle

    found = by_round("seconds", root)
    cases = {f"{size:,} words": middle(times, level(len(found))) for size, times in found.items()}
    return {SPEED: Measured.of(cases, "vocabulary")}


@experiment(
    f"{_COST} Bytes of the weights, of as large a gradient, and of what the forward pass keeps "
    "for the backward pass.",
    "PyTorch · 64 features, batch 128",
    COST.name,
)
def smaller(root: int, level: Level) -> Evidence:
    found = by_round("bytes", root)
    cases = {
        f"{size:,} words": stats.mean_interval(100 * (1 - 1 / times), level(len(found)))
        for size, times in found.items()
    }
    return {SAVED: Measured.of(cases, "vocabulary")}


def extra_loss(column: str, root: int = 0, confidence: float = 0.95) -> dict[int, stats.Interval]:
    """Vocabulary → adaptive minus full, paired by split and seed."""
    table = load(LOSS.name)
    table = table[table.split != root - 1] if root else table
    wide = table.pivot(index=["vocabulary", "split", "seed"], columns="kind", values=column)
    gap = (wide["adaptive"] - wide["full"]).sort_index()
    found = {}
    for size, part in gap.groupby("vocabulary"):
        splits = part.index.get_level_values("split").nunique()
        values = part.to_numpy().reshape(splits, -1)  # the seeds of each split stand together
        found[int(size)] = stats.nested_interval(values, confidence)
    return found


@experiment(
    "The next word of SciPy's documentation from the two before it: two word vectors of 16, a "
    "hidden layer of 32 ReLUs, Adam, 180 steps of 64 words; learning rate tuned for each layer "
    "(four rates, ten networks); five splits, four seeds each, paired. Test loss of the adaptive "
    "layer minus that of the full one, in nats.",
    "A two-word model of SciPy's documentation · 5 splits × 4 seeds",
    LOSS.name,
)
def worse_loss(root: int, level: Level) -> Evidence:
    sizes = LOSS.axes["vocabulary"]
    found = extra_loss("loss_late", root, level(len(sizes)))
    early = extra_loss("loss_early", root)
    cases: dict[Case, stats.Interval] = {(f"{n:,} words",): found[n] for n in sizes}
    notes = {
        f"{n:,} words": {"extra loss after a third of the training": early[n].mean} for n in sizes
    }
    return {WORSE: Measured(cases, ("vocabulary",), notes=notes)}
