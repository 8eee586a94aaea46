"""Feed-forward blocks with and without a gate, of equally many weights, on the letters of a text.

A plain block is a linear map, a curve, and a map back. A gated one has two maps at its entrance:
the curve of the one, the gate, is multiplied with the other (Dauphin et al., 2016; Shazeer, 2020).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.experiments.contest import floor, listed, over_splits
from actlab.experiments.together import least, shared
from actlab.experiments.untrained import one_core
from actlab.experiments.vocabulary import documentation
from actlab.stats import Interval
from actlab.study import Study, grid_of, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, experiment

if TYPE_CHECKING:
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
    "ReGLU": ("relu", True),
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
    keeps each network's best weights, until it has not improved for ``patience`` looks: what it
    finds later counts no more. Ends when that is so for all, or after the last of ``marks``.
    Returns the validation losses, (looks, networks), NaN after a network's end, and the test
    losses of the best weights by mark: one that was not reached any more has those of the end.
    """
    import torch
    from torch.nn.functional import cross_entropy

    train, valid, test = zip(*texts, strict=True)
    weights = started(arm, seeds).requires_grad_()
    mean, square, best = (torch.zeros_like(weights) for _ in range(3))
    rate = torch.tensor(rates)[:, None]
    draws = [np.random.default_rng(seed) for seed in seeds]
    noted, found = [], {}
    lowest, since = np.full(len(seeds), np.inf), np.zeros(len(seeds), int)
    diverged = np.zeros(len(seeds), bool)
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
            now = np.where(since < patience, judged(weights, valid, arm), np.nan)
            noted.append(now)
            diverged |= (since < patience) & np.isnan(now)
            better = now < lowest
            lowest = np.where(better, now, lowest)
            best[better] = weights.detach()[better]
            since = np.where(better, 0, since + 1)
        ended = bool((since >= patience).all())
        if step in marks or ended:
            found[step] = np.where(diverged, np.nan, judged(best, test, arm))
        if ended:
            break
    return np.array(noted), {m: found[min(m, max(found))] for m in marks}


SPLITS = range(10, 20)  # with a network of each a rate is tuned


# --- The study ------------------------------------------------------------------------------------


def networks(seeds: int, tuning: bool = False) -> tuple[list[Any], list[int], dict[str, Any]]:
    """Of networks to report, or to tune with: texts, seeds of their own, columns of a table."""
    split, seed = np.repeat(SPLITS, seeds), np.tile(range(seeds), len(SPLITS))
    texts = {one: split_letters(one) for one in SPLITS}
    own = (100 * split + seed + (10_000 if tuning else 50)).tolist()
    return [texts[one] for one in split], own, {"split": split, "seed": seed}


def gates_cell(
    arm: str,
    *,
    once: int,
    tuned_for: int,
    longest: int,
    every: int,
    patience: int,
    batch: int,
    start: float,
    seeds: int,
) -> pd.DataFrame:
    """Tune the rate over all splits, then train to the plateau: one row per network.

    ``loss_1``, ``loss_4``, ``loss``: on the test text, of the weights with the best validation
    loss after ``once`` steps, four times as many and at the end; that one was at ``best_at``, and
    ``ran`` is the step at which the network had not improved for ``patience`` looks. Rates are
    compared by the best validation loss within ``tuned_for`` steps.
    """
    from actlab.ensemble.search import search

    options: dict[str, Any] = {"every": every, "patience": patience, "batch": batch}

    def score(rates: Sequence[float]) -> Mapping[float, Array]:
        texts, drawn, _ = networks(1, tuning=True)
        count = len(rates)
        each = np.repeat(rates, len(drawn)).tolist()
        valid, test = fitted(arm, texts * count, drawn * count, each, marks=[tuned_for], **options)
        lowest = np.where(np.isnan(test[tuned_for]), np.nan, np.nanmin(valid, axis=0))
        return dict(zip(rates, -lowest.reshape(count, -1), strict=True))

    with one_core():
        tuned = search(score, start)
        texts, drawn, columns = networks(seeds)
        marks = (once, 4 * once, longest)
        rates = [tuned.rate] * len(drawn)
        valid, after = fitted(arm, texts, drawn, rates, marks=marks, **options)
    looks = np.isfinite(valid)
    best = every * (1 + np.argmin(np.where(looks, valid, np.inf), axis=0))
    columns |= {"lr": tuned.rate, "edge": tuned.at_edge, "ran": every * looks.sum(0)}
    losses = dict(zip(("loss_1", "loss_4", "loss"), after.values(), strict=True))
    return pd.DataFrame({**columns, "best_at": best, **losses})


def speed_cell(
    arm: str, lr: float, *, steps: int, targets: Sequence[float], every: int, batch: int, seeds: int
) -> pd.DataFrame:
    """Networks of one arm at one rate: steps until the validation loss first is a target at most.

    One row per network; ``steps_T`` is NaN where T was not reached. ``tuning``: those by which
    the rate is chosen, which are not reported.
    """
    tables = []
    for tuning, count in ((True, 1), (False, seeds)):
        texts, drawn, columns = networks(count, tuning)
        rates = [lr] * len(drawn)
        options: dict[str, Any] = {"every": every, "patience": steps, "batch": batch}
        with one_core():
            valid, _ = fitted(arm, texts, drawn, rates, marks=[steps], **options)
        columns["tuning"] = tuning
        for target in targets:
            there = valid <= target
            first = every * (1 + there.argmax(0))
            columns[f"steps_{target:g}"] = np.where(there.any(0), first, np.nan)
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


GATES = Study(
    name="gates",
    title="The next letter of SciPy's documentation, by plain and by gated blocks",
    task=gates_cell,
    axes={"arm": tuple(ARMS)},
    settings={
        "once": 400,
        "tuned_for": 8_000,
        "longest": 40_000,
        "every": 200,
        "patience": 15,
        "batch": 64,
        "start": 0.01,
        "seeds": 4,
    },
)
RACES = {"GLU": "ReLU", "GEGLU": "GELU"}
SPEED = Study(
    name="gates_speed",
    title="Steps to three losses, by gated and by plain blocks, at seven rates",
    task=speed_cell,
    axes={
        "arm": tuple(name for pair in RACES.items() for name in pair),
        "lr": (0.003, 0.0056, 0.01, 0.018, 0.03, 0.056, 0.1),
    },
    settings={"steps": 2_400, "targets": (2.6, 2.4, 2.3), "every": 20, "batch": 64, "seeds": 2},
)
STUDIES = (GATES, SPEED)

# --- What the claims ask --------------------------------------------------------------------------

LEAD, APART, FASTER = "lead in test loss", "test loss beyond GEGLU's", "steps saved"
COLUMNS = {"once": "loss_1", "four times": "loss_4", "plateau": "loss"}


def values(arm: str, column: str = "loss") -> Array:
    """A column of the study, (splits, seeds); every network that was trained."""
    return grid_of(load(GATES.name), column, arm=arm)


FIRST = 2
"""Seeds of each split that were declared first. More were added when nothing had been shown, so
that it could be said that gates are alike; to ask them who leads would be to go on until one does.
"""


def first(arm: str, column: str = "loss") -> Array:
    """Of the networks that were declared first, (splits, seeds)."""
    return values(arm, column)[:, :FIRST]


def _lead(pairs: Mapping[str, Sequence[str]], level: Level) -> Evidence:
    """How far the rivals' loss is above the first one's; of several the nearest counts."""
    sure = level(len(pairs))
    cases: dict[Case, Interval] = {}
    floors: dict[Case, float] = {}
    notes: dict[str, Any] = {}
    for what, (ours, *rivals) in pairs.items():
        gaps = {rival: first(rival) - first(ours) for rival in rivals}
        found = [over_splits(gap, sure)[0] for gap in gaps.values()]
        corrected = [over_splits(gap, shared(sure, len(gaps)))[0] for gap in gaps.values()]
        cases[what,] = least(found, sure, corrected)
        nearest = min(gaps, key=lambda rival: float(np.nanmean(gaps[rival])))
        floors[what,] = floor(first(nearest))
        notes[what] = {
            f"trained {when}": float(np.nanmean(first(nearest, column) - first(ours, column)))
            for when, column in COLUMNS.items()
        }
    return {LEAD: Measured(cases, ("network",), floors, notes)}


_TASK = (
    f"The next letter of SciPy's documentation from the {CONTEXT} before it (small letters and "
    f"spaces, {TEXT:,} of them to train on): an embedding, {BLOCKS} blocks on a stream of {STREAM} "
    f"with a norm before each, no biases, {HIDDEN[False]} hidden units without and {HIDDEN[True]} "
    f"with a gate, {count(True):,} weights in either. Adam; {len(SPLITS)} splits of the text, "
    "paired."
)
_NETWORK = (
    f"{_TASK} A rate of its own for each arm, chosen with {len(SPLITS)} other networks by the best "
    f"of {GATES.settings['tuned_for']:,} steps; each network trained until its validation loss has "
    f"not improved for {GATES.settings['patience'] * GATES.settings['every']:,} steps, at most for "
    f"{GATES.settings['longest']:,}; {GATES.settings['seeds']} seeds for each split."
)


def _scope(study: Study, seeds: int | None = None) -> str:
    each = f"{len(SPLITS)} splits × {seeds or study.settings['seeds']} seeds"
    return f"Networks of {count(True):,} weights · letters of a text · {each}"


def leads(pairs: Mapping[str, Sequence[str]]) -> Experiment:
    """What is compared → the arm and its rivals: whichever comes nearest counts."""
    told = "; ".join(
        f"{ours} against {'the better of ' * (len(rivals) > 1)}{listed(rivals)}"
        for ours, *rivals in pairs.values()
    )
    return Experiment(
        f"{_NETWORK} Test loss, in nats per letter, of the first {FIRST} seeds (the others were "
        f"added when results were known): {told}.",
        _scope(GATES, FIRST),
        lambda root, level: _lead(pairs, level),
        study=GATES.name,
    )


@experiment(
    f"{_NETWORK} Test loss of each kind of gate minus that of GEGLU, in nats per letter.",
    _scope(GATES),
    GATES.name,
)
def same(root: int, level: Level) -> Evidence:
    others = [arm for arm in GATED if arm != "GEGLU"]
    gaps = {arm: values(arm) - values("GEGLU") for arm in others}
    sure = level(len(others))
    cases = {arm: over_splits(gap, sure)[0] for arm, gap in gaps.items()}
    floors: dict[Case, float] = {(arm,): floor(values("GEGLU")) for arm in others}
    return {APART: Measured.of(cases, "network", floors=floors)}


def steps_to(arm: str, lr: float, target: float, tuning: bool = False) -> Array:
    """Steps to a loss, (splits, seeds); one that never gets there counts as the longest run."""
    wide = grid_of(load(SPEED.name), f"steps_{target:g}", arm=arm, lr=lr, tuning=tuning)
    return np.nan_to_num(wide, nan=SPEED.settings["steps"])


def fastest(arm: str) -> float:
    """The rate with the fewest steps to the farthest target, by the networks for tuning."""
    farthest = min(SPEED.settings["targets"])
    return float(
        min(SPEED.axes["lr"], key=lambda lr: float(steps_to(arm, lr, farthest, tuning=True).mean()))
    )


@experiment(
    f"The same networks at {len(SPEED.axes['lr'])} rates, for {SPEED.settings['steps']:,} steps: "
    "how many of the plain block's steps a gated one saves until the validation loss is low enough "
    f"(looked at every {SPEED.settings['every']} steps), for three targets. The rate is that with "
    f"which {len(SPLITS)} other networks need the fewest steps to the lowest target: the gated "
    "block's own, and once more the plain block's for both. One that never gets there counts as "
    f"the longest run. {_TASK}",
    _scope(SPEED),
    SPEED.name,
)
def race(root: int, level: Level) -> Evidence:
    rates = {arm: fastest(arm) for pair in RACES.items() for arm in pair}
    cells = list(itertools.product(RACES.items(), SPEED.settings["targets"], (True, False)))
    cases: dict[Case, Interval] = {}
    for (arm, rival), target, own in cells:
        ours = steps_to(arm, rates[arm if own else rival], target)
        saved = 100 * (1 - ours / steps_to(rival, rates[rival], target))
        what = "a rate of its own" if own else "the plain block's rate"
        cases[f"{arm} over {rival}", what, f"a loss of {target:g}"], _ = over_splits(
            saved, level(len(cells))
        )
    return {FASTER: Measured(cases, ("network", "rate chosen", "target"), notes={"rate": rates})}
