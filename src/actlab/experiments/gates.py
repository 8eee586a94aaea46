"""Feed-forward blocks with and without a gate, of equally many weights, on the letters of a text.

A plain block is a linear map, a curve, and a map back. A gated one has two maps at its entrance:
the curve of the one, the gate, is multiplied with the other (Dauphin et al., 2016; Shazeer, 2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab.experiments.contest import floor, listed, over_splits
from actlab.experiments.together import least, shared
from actlab.experiments.vocabulary import documentation
from actlab.stats import Interval
from actlab.study import Study, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

Array = npt.NDArray[np.float64]
Letters = npt.NDArray[np.int64]

# --- The text -------------------------------------------------------------------------------------

ALPHABET = " abcdefghijklmnopqrstuvwxyz"
CONTEXT = 8  # letters that a network sees before it guesses the next one
TEXT = 100_000  # letters to train on
JUDGED = 2_000  # places of the validation, and of the test text


@cache
def spelled() -> tuple[Letters, ...]:
    """Every documentation string of SciPy as letter numbers, a space behind every word."""
    return tuple(
        np.frombuffer(bytes(max(0, b - 96) for b in f"{' '.join(words)} ".encode()), np.uint8)
        for words in documentation()
    )


def split_letters(split: int) -> tuple[Letters, Letters, Letters]:
    """Training, validation and test windows, (n, CONTEXT + 1): every fifth string is a test string.

    The strings come in an order of the split's own.
    """
    texts = spelled()
    order = np.random.default_rng(split).permutation(len(texts))
    parts = []
    for wanted, letters in (((2, 3, 4), TEXT), ((1,), JUDGED), ((0,), JUDGED)):
        chosen = [texts[i] for i in order if (i + split) % 5 in wanted]
        run = np.concatenate(chosen)[: letters + CONTEXT].astype(np.int64)
        parts.append(np.lib.stride_tricks.sliding_window_view(run, CONTEXT + 1))
    train, valid, test = parts
    return train, valid, test


# --- The networks ---------------------------------------------------------------------------------

ARMS: dict[str, tuple[str, bool]] = {  # name → curve, and whether it is a gate
    "ReLU": ("relu", False),
    "GELU": ("gelu", False),
    "bilinear": ("linear", True),
    "GLU": ("sigmoid", True),
    "GEGLU": ("gelu", True),
    "SwiGLU": ("silu", True),
}
GATED = tuple(name for name, (_, gated) in ARMS.items() if gated)
STREAM, BLOCKS = 32, 2
HIDDEN = {False: 48, True: 32}  # units of a plain and of a gated block


def curve(name: str, z: Tensor) -> Tensor:
    """A curve of the catalog by PyTorch's function; ``linear`` passes everything."""
    import torch

    found: Tensor = z if name == "linear" else getattr(torch.nn.functional, name)(z)
    return found


def layout(gated: bool) -> dict[str, tuple[int, int]]:
    """The weights of a network: matrix → (inputs, outputs). A gated block's entrance is double."""
    hidden, letters = HIDDEN[gated], len(ALPHABET)
    shapes = {"letters": (letters, STREAM // CONTEXT)}
    for block in range(BLOCKS):
        shapes[f"up {block}"] = (STREAM, 2 * hidden if gated else hidden)
        shapes[f"down {block}"] = (hidden, STREAM)
    return shapes | {"out": (STREAM, letters)}


def count(gated: bool) -> int:
    """How many weights a network has."""
    return sum(a * b for a, b in layout(gated).values())


def started(arm: str, seeds: Sequence[int]) -> Tensor:
    """Weights of untrained networks, (networks, weights).

    Every block gives its output the mean square of its input, whatever its curve f: the way back
    has variance 1 / (hidden · E[f(z)²]). What is no part of a block starts alike in all arms.
    """
    import torch

    name, gated = ARMS[arm]
    normal = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    passed = float(curve(name, normal).square().mean())
    rows = []
    for seed in seeds:
        parts = []
        for number, (matrix, (a, b)) in enumerate(layout(gated).items()):
            own = torch.Generator().manual_seed(1000 * seed + number)
            variance = 1.0 if matrix == "letters" else 1 / a
            variance /= passed if matrix.startswith("down") else 1.0
            parts.append(torch.randn(a * b, generator=own) * variance**0.5)
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def logits(weights: Tensor, letters: Tensor, arm: str) -> Tensor:
    """Scores of the next letter, (networks, n, 27), for contexts (networks, n, CONTEXT)."""
    import torch
    from torch.nn import functional

    name, gated = ARMS[arm]
    shapes, n = layout(gated), len(weights)
    parts = weights.split([a * b for a, b in shapes.values()], 1)  # type: ignore[no-untyped-call]
    own = {
        matrix: part.reshape(n, *shape)
        for (matrix, shape), part in zip(shapes.items(), parts, strict=True)
    }
    apart = letters + len(ALPHABET) * torch.arange(n)[:, None, None]
    stream = functional.embedding(apart, own["letters"].flatten(0, 1)).flatten(2)
    for block in range(BLOCKS):
        z = normed(stream) @ own[f"up {block}"]
        if gated:
            value, gate = z.chunk(2, -1)
            z = value * curve(name, gate)
        else:
            z = curve(name, z)
        stream = stream + z @ own[f"down {block}"]
    scores: Tensor = normed(stream) @ own["out"]
    return scores


def normed(x: Tensor) -> Tensor:
    """Every row of mean square 1."""
    found: Tensor = x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
    return found


def judged(weights: Tensor, windows: Sequence[Letters], arm: str) -> Array:
    """The mean −log p of the next letter, (networks,), each on its own text; NaN if it diverged."""
    import torch

    losses = []
    for own, text in zip(weights.split(1), windows, strict=True):  # type: ignore[no-untyped-call]
        given = torch.tensor(text)
        with torch.no_grad():
            log_p = logits(own, given[None, :, :-1], arm)[0].log_softmax(-1)
        losses.append(-log_p[range(len(given)), given[:, -1]].double().mean().item())
    return np.where(np.isfinite(losses), losses, np.nan)


def fitted(
    arm: str,
    texts: Sequence[Sequence[Letters]],
    seeds: Sequence[int],
    rates: Sequence[float],
    *,
    marks: Sequence[int],
    every: int,
    patience: int,
    batch: int,
) -> tuple[Array, dict[int, Array]]:
    """Train with Adam, side by side, a network for each text, seed and rate.

    ``texts``: of each network its training, validation and test windows. A seed draws the start
    and the batches, alike for every arm. Looks at the validation text ``every`` so many steps and
    keeps each network's best weights; ends after the last of ``marks``, or when none has improved
    for ``patience`` looks. Returns the validation losses, (looks, networks), and the test losses
    of the best weights by mark: one that was not reached any more has those of the end.
    """
    import torch
    from torch.nn.functional import cross_entropy

    train, valid, test = zip(*texts, strict=True)
    weights = started(arm, seeds).requires_grad_()
    mean, square, best = (torch.zeros_like(weights) for _ in range(3))
    rate = torch.tensor(rates)[:, None]
    draws = [np.random.default_rng(seed) for seed in seeds]
    noted, found = [], {}
    lowest, since = np.full(len(seeds), np.inf), 0
    for step in range(1, max(marks) + 1):
        drawn = [
            text[rng.integers(len(text), size=batch)]
            for text, rng in zip(train, draws, strict=True)
        ]
        rows = torch.from_numpy(np.stack(drawn))
        scores = logits(weights, rows[..., :-1], arm).flatten(0, 1)
        loss = cross_entropy(scores, rows[..., -1].flatten(), reduction="sum") / batch
        (slope,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            mean.lerp_(slope, 0.1)
            square.lerp_(slope.square(), 0.001)
            size = (square / (1 - 0.999**step)).sqrt_().add_(1e-8)
            weights -= rate * (mean / (1 - 0.9**step)) / size
        if step % every == 0:
            now = judged(weights, valid, arm)
            noted.append(now)
            better = now < lowest
            lowest = np.where(better, now, lowest)
            best[better] = weights.detach()[better]
            since = 0 if better.any() else since + 1
        if step in marks or since == patience:
            found[step] = np.where(np.isfinite(now), judged(best, test, arm), np.nan)
        if since == patience:
            break
    return np.array(noted), {m: found[min(m, max(found))] for m in marks}


SPLITS, SEEDS = range(10, 20), 2  # of each split: 20 networks are reported, 10 tuned with


# --- The study ------------------------------------------------------------------------------------


def gates_cell(
    arm: str,
    *,
    once: int,
    longest: int,
    targets: Sequence[float],
    every: int,
    patience: int,
    batch: int,
    start: float,
) -> pd.DataFrame:
    """Tune the rate over all splits, then train to the plateau: one row per network.

    ``loss_1``, ``loss_4``, ``loss``: on the test text, of the weights with the best validation
    loss after ``once`` steps, four times as many and at the end (it was at ``best_at``);
    ``steps_T``: until the validation loss was T at most, NaN if never.
    """
    import pandas as pd
    import torch

    from actlab.ensemble.search import search

    options: dict[str, Any] = {"every": every, "patience": patience, "batch": batch}
    texts = {split: split_letters(split) for split in SPLITS}

    def score(rates: Sequence[float]) -> Mapping[float, Array]:
        grid = [(split, rate) for rate in rates for split in SPLITS]
        own, each = zip(*grid, strict=True)
        seeds = [10_000 + split for split in own]
        valid, _ = fitted(arm, [texts[i] for i in own], seeds, each, marks=[4 * once], **options)
        lowest = np.where(np.isnan(valid[-1]), np.nan, valid.min(axis=0))
        return dict(zip(rates, -lowest.reshape(len(rates), -1), strict=True))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tuned = search(score, start)
        split, seed = np.repeat(SPLITS, SEEDS), np.tile(range(SEEDS), len(SPLITS))
        marks = (once, 4 * once, longest * once)
        valid, after = fitted(
            arm,
            [texts[i] for i in split],
            (100 * split + seed + 50).tolist(),
            [tuned.rate] * len(split),
            marks=marks,
            **options,
        )
    finally:
        torch.set_num_threads(threads)
    columns = dict(zip(("loss_1", "loss_4", "loss"), after.values(), strict=True))
    for target in targets:
        there = valid <= target
        steps = every * (1 + there.argmax(0))
        columns[f"steps_{target:g}"] = np.where(there.any(0), steps, np.nan)
    best = every * (1 + np.argmin(np.nan_to_num(valid, nan=np.inf), axis=0))
    own = {"split": split, "seed": seed, "lr": tuned.rate, "edge": tuned.at_edge}
    return pd.DataFrame({**own, "ran": every * len(valid), "best_at": best, **columns})


GATES = Study(
    name="gates",
    title="The next letter of SciPy's documentation, by plain and by gated blocks",
    task=gates_cell,
    axes={"arm": tuple(ARMS)},
    settings={
        "once": 400,
        "longest": 20,
        "targets": (2.6, 2.4, 2.3),
        "every": 200,
        "patience": 6,
        "batch": 64,
        "start": 0.01,
    },
)
STUDIES = (GATES,)

# --- What the claims ask --------------------------------------------------------------------------

LEAD, APART, FASTER = "lead in test loss", "test loss beyond GEGLU's", "steps saved"
COLUMNS = {"once": "loss_1", "four times": "loss_4", "plateau": "loss"}


def values(arm: str, column: str = "loss") -> Array:
    """A column of the study, (splits, seeds)."""
    table = load(GATES.name)
    wide = table[table.arm == arm].pivot(index="split", columns="seed", values=column)
    return np.asarray(wide, dtype=float)


def _lead(pairs: Mapping[str, Sequence[str]], level: Level) -> Evidence:
    """How far the rivals' loss is above the first one's; of several the nearest counts."""
    sure = level(len(pairs))
    cases: dict[Case, Interval] = {}
    floors: dict[Case, float] = {}
    notes: dict[str, Any] = {}
    for what, (ours, *rivals) in pairs.items():
        gaps = {rival: values(rival) - values(ours) for rival in rivals}
        found = [over_splits(gap, sure)[0] for gap in gaps.values()]
        corrected = [over_splits(gap, shared(sure, len(gaps)))[0] for gap in gaps.values()]
        cases[what,] = least(found, sure, corrected)
        nearest = min(gaps, key=lambda rival: float(np.nanmean(gaps[rival])))
        floors[what,] = floor(values(nearest))
        notes[what] = {
            f"trained {when}": float(np.nanmean(values(nearest, column) - values(ours, column)))
            for when, column in COLUMNS.items()
        }
    return {LEAD: Measured(cases, ("network",), floors, notes)}


_NETWORK = (
    f"The next letter of SciPy's documentation from the {CONTEXT} before it (small letters and "
    f"spaces, {TEXT:,} of them to train on): an embedding, {BLOCKS} blocks on a stream of {STREAM} "
    f"with a norm before each, no biases, {HIDDEN[False]} hidden units without and {HIDDEN[True]} "
    f"with a gate, {count(True):,} weights in either. Adam; {len(SPLITS)} splits of the text, "
    f"{SEEDS} seeds each, paired; a rate of its own for each arm, chosen with {len(SPLITS)} "
    "other networks; trained until no validation loss falls any more, or for twenty times the "
    "shortest training."
)
_SCOPE = (
    f"Networks of {count(True):,} weights · letters of a text · "
    f"{len(SPLITS)} splits × {SEEDS} seeds"
)


def leads(pairs: Mapping[str, Sequence[str]]) -> Experiment:
    """What is compared → the arm and its rivals: whichever comes nearest counts."""
    told = "; ".join(
        f"{ours} against {'the better of ' * (len(rivals) > 1)}{listed(rivals)}"
        for ours, *rivals in pairs.values()
    )
    return Experiment(
        f"{_NETWORK} Test loss, in nats per letter: {told}.",
        _SCOPE,
        lambda root, level: _lead(pairs, level),
        study=GATES.name,
    )


def _apart(root: int, level: Level) -> Evidence:
    others = [arm for arm in GATED if arm != "GEGLU"]
    gaps = {arm: values(arm) - values("GEGLU") for arm in others}
    sure = level(len(others))
    cases = {arm: over_splits(gap, sure)[0] for arm, gap in gaps.items()}
    floors: dict[Case, float] = {(arm,): floor(values("GEGLU")) for arm in others}
    return {APART: Measured.of(cases, "network", floors=floors)}


SAME = Experiment(
    f"{_NETWORK} Test loss of each kind of gate minus that of GEGLU, in nats per letter.",
    _SCOPE,
    _apart,
    study=GATES.name,
)
RACES = {"GLU": "ReLU", "GEGLU": "GELU"}


def _faster(root: int, level: Level) -> Evidence:
    settings = GATES.settings
    longest = settings["longest"] * settings["once"]
    cells = [(arm, target) for arm in RACES for target in settings["targets"]]
    cases: dict[Case, Interval] = {}
    for arm, target in cells:
        ours, theirs = (
            np.nan_to_num(values(name, f"steps_{target:g}"), nan=longest)
            for name in (arm, RACES[arm])
        )
        saved = over_splits(100 * (1 - ours / theirs), level(len(cells)))[0]
        cases[f"{arm} over {RACES[arm]}", f"a loss of {target:g}"] = saved
    return {FASTER: Measured(cases, ("network", "target"))}


RACE = Experiment(
    f"{_NETWORK} How many of its steps a gated network saves until the validation loss is low "
    f"enough (looked at every {GATES.settings['every']} steps), for three targets; one that never "
    "gets there counts as the longest run.",
    _SCOPE,
    _faster,
    study=GATES.name,
)
