"""Soft, hard and tanh shrink: what they minimise, sparse codes, denoising, and hidden layers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog, data, stats
from actlab.experiments.contest import FAIR, SEEDS, SPLITS, Ahead, contest, over_splits
from actlab.experiments.self_gated import own_start
from actlab.experiments.untrained import digits
from actlab.stats import Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float64]


def soft(x: Array, threshold: float) -> Array:
    """The catalog's soft shrink of finite numbers, four times as fast."""
    return np.asarray(x - x.clip(-threshold, threshold))


def hard(x: Array, threshold: float) -> Array:
    """The catalog's hard shrink of finite numbers."""
    return x * (np.abs(x) > threshold)


# --- The cheapest answer --------------------------------------------------------------------------

DEARER = "cost above the cheapest answer's"
PRICES = (0.1, 0.5, 2.0)
INPUTS, ANSWERS = np.linspace(-4, 4, 801), np.linspace(-5, 5, 10_001)


def cost(u: Array, x: Array, price: float, kind: str) -> Array:
    """Half the squared distance of the answer u from x, and a price of its size or of any size."""
    size = np.abs(u) if kind == "size" else (u != 0).astype(float)
    total: Array = (u - x) ** 2 / 2 + price * size
    return total


@experiment(
    "At 801 inputs from −4 to 4 and three prices: the cost of the function's answer, less that of "
    "the cheapest of 10,001 answers from −5 to 5. The cost is half the squared distance from the "
    "input plus the price times the answer's size (soft shrink, the threshold is the price), or "
    "plus the price of any answer but 0 (hard shrink, the threshold is √(2 · price)).",
    "The functions themselves",
)
def cheapest(root: int, level: Level) -> Evidence:
    cases: dict[Case, Interval] = {}
    for price in PRICES:
        answers = {
            "soft shrink": ("size", soft(INPUTS, price)),
            "hard shrink": ("count", hard(INPUTS, (2 * price) ** 0.5)),
        }
        for name, (kind, answer) in answers.items():
            least = cost(ANSWERS, INPUTS[:, None], price, kind).min(1)
            worst = round(float((cost(answer, INPUTS, price, kind) - least).max()), 12)
            cases[name, f"price {price:g}"] = Interval(worst, worst, worst, 1)
    return {DEARER: Measured(cases, ("function", "price"))}


# --- Sparse codes ---------------------------------------------------------------------------------

PRICE, ATOMS, EXACT = 0.1, 64, 400  # EXACT: steps after which a code counts as found


def unit_digits(split: int) -> tuple[Array, Array, Array]:
    """Training, validation and test digits, each with mean 0 and length 1."""
    some = data.load("digits", seed=split)
    found = []
    for part in (some.x_train, some.x_valid, some.x_test):
        x = part - part.mean(1, keepdims=True, dtype=np.float64)
        found.append(x / np.linalg.norm(x, axis=1, keepdims=True))
    return found[0], found[1], found[2]


def codes(x: Array, atoms: Array, steps: int, fast: bool = True) -> list[Array]:
    """The codes of ``x`` (rows) after every step of FISTA, or of ISTA; ``atoms`` are rows, too."""
    size = float(np.linalg.norm(atoms, 2)) ** 2
    z = ahead = np.zeros((len(x), len(atoms)))
    t, found = 1.0, []
    for _ in range(steps):
        new = soft(ahead + (x - ahead @ atoms) @ atoms.T / size, PRICE / size)
        later = (1 + (1 + 4 * t * t) ** 0.5) / 2
        ahead = new + (t - 1) / later * (new - z) if fast else new
        z, t = new, later
        found.append(z)
    return found


def dictionary(x: Array, seed: int, rounds: int = 10) -> Array:
    """Atoms of length 1 learned from ``x``: codes, then least squares, in turn; digits at first."""
    rng = np.random.default_rng(seed)
    atoms = x[rng.permutation(len(x))[:ATOMS]]
    for _ in range(rounds):
        z = codes(x, atoms, 30)[-1]
        atoms = np.asarray(np.linalg.solve(z.T @ z + 1e-3 * np.eye(ATOMS), z.T @ x), float)
        length = np.linalg.norm(atoms, axis=1, keepdims=True)
        fresh = x[rng.permutation(len(x))[:ATOMS]]  # for atoms that nobody uses
        atoms = np.where(length > 1e-3, atoms / np.maximum(length, 1e-3), fresh)
    return atoms


def missed(found: Array, wanted: Array) -> float:
    """Squared error of codes over their squared size."""
    return float(((found - wanted) ** 2).sum() / (wanted**2).sum())


def ways(x: Array, atoms: Array, wanted: Array, steps: int = EXACT) -> dict[str, list[float]]:
    """What ISTA and FISTA miss after every step."""
    return {
        name: [missed(z, wanted) for z in codes(x, atoms, steps, fast)]
        for name, fast in (("ISTA", False), ("FISTA", True))
    }


def points(values: Mapping[float, float]) -> dict[float, Interval]:
    """A line of a figure without intervals."""
    return {place: Interval(value, value, value, 1) for place, value in values.items()}


def lista(atoms: Array, layers: int) -> tuple[list[Tensor], Callable[[Tensor], Tensor]]:
    """What ``layers`` equal layers learn (W, S, a threshold for each atom) and their code."""
    import torch

    size = float(np.linalg.norm(atoms, 2)) ** 2
    start = (
        atoms.T / size,
        np.eye(len(atoms)) - atoms @ atoms.T / size,
        np.full(len(atoms), PRICE / size),
    )
    w, s, threshold = learned = [
        torch.tensor(part, dtype=torch.float32, requires_grad=True) for part in start
    ]

    def code(x: Tensor) -> Tensor:
        z = torch.zeros(len(x), len(atoms))
        for _ in range(layers):
            v = x @ w + z @ s
            z = torch.relu(v - threshold) - torch.relu(-v - threshold)
        return z

    return list(learned), code


def lista_cell(split: int, *, seeds: int, layers: tuple[int, ...], epochs: int) -> pd.DataFrame:
    """A dictionary for each seed, its codes, and networks that learn to guess them.

    One row per seed and number of layers: the ``error`` on test digits at the best validation
    error, how many steps of ``ista`` and ``fista`` come as near, and the mean learned ``threshold``
    over that of ISTA.
    """
    import torch

    rows = []
    for seed in range(seeds):
        parts = unit_digits(split)
        atoms = dictionary(parts[0], 1000 * split + seed)
        exact = [codes(x, atoms, EXACT)[-1] for x in parts]
        way = ways(parts[2], atoms, exact[2])
        x, valid, test = (torch.tensor(part, dtype=torch.float32) for part in parts)
        wanted = torch.tensor(exact[0], dtype=torch.float32)
        size = float(np.linalg.norm(atoms, 2)) ** 2
        for depth in layers:
            torch.manual_seed(1000 * split + seed)
            learned, code = lista(atoms, depth)
            optimiser = torch.optim.Adam(learned, lr=2e-3)
            best = (np.inf, 0.0, 0.0)
            for _ in range(epochs):
                for batch in torch.randperm(len(x)).split(64):  # type: ignore[no-untyped-call]
                    loss = (code(x[batch]) - wanted[batch]).square().sum(1).mean()
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                with torch.no_grad():
                    now = missed(code(valid).double().numpy(), exact[1])
                    if now < best[0]:
                        error = missed(code(test).double().numpy(), exact[2])
                        best = (now, error, float(learned[2].mean()) * size / PRICE)
            steps = {name.lower(): 1 + sum(e > best[1] for e in es) for name, es in way.items()}
            rows.append({"seed": seed, "layers": depth, "error": best[1], **steps})
            rows[-1]["threshold"] = best[2]
    return pd.DataFrame(rows)


DEPTHS = {1: "1 layer", 3: "3 layers", 5: "5 layers"}
LISTA = Study(
    name="lista",
    title="Layers that learn to guess sparse codes of digits, and the steps that they replace",
    task=lista_cell,
    axes={"split": tuple(range(1, 1 + SPLITS))},  # on split 0 it was tried out
    settings={"seeds": SEEDS, "layers": tuple(DEPTHS), "epochs": 60},
)
SAVED = "share of steps saved"
APART = "distance of the learned threshold from ISTA's"


def _wide(table: pd.DataFrame, layers: int, column: str) -> Array:
    part = table[table.layers == layers]
    return np.asarray(part.pivot(index="split", columns="seed", values=column), dtype=float)


_LISTA = (
    f"Digits of mean 0 and length 1, {ATOMS} atoms learned from them, a price of {PRICE:g}: codes "
    f"from {EXACT} steps of FISTA. Networks of 1, 3 and 5 layers z ← softshrink(x W + z S) that "
    "start as ISTA learn to guess them (Adam, 60 epochs, weights of the best validation error). "
)
_SCOPE = f"Sparse codes of digits · {SPLITS} splits with {SEEDS} dictionaries each"


@experiment(
    f"{_LISTA}How many steps of ISTA and of FISTA come as near to the codes of test digits, and "
    "which share of them the layers save.",
    _SCOPE,
    LISTA.name,
)
def saves(root: int, level: Level) -> Evidence:
    table = load(LISTA.name)
    cases: dict[Case, Interval] = {}
    for layers, rival in itertools.product(DEPTHS, ("ista", "fista")):
        saved = 100 * (1 - layers / _wide(table, layers, rival))
        cases[DEPTHS[layers], rival.upper()], _ = over_splits(saved, level(2 * len(DEPTHS)))
    means = table.groupby("layers")[["error", "ista", "fista"]].mean()
    notes = {title: means.loc[layers].to_dict() for layers, title in DEPTHS.items()}
    return {SAVED: Measured(cases, ("layers", "rival"), notes=notes)}


@experiment(
    f"{_LISTA}The mean of the learned thresholds against ISTA's, the price over the step, in "
    "powers of ten.",
    _SCOPE,
    LISTA.name,
)
def thresholds(root: int, level: Level) -> Evidence:
    table = load(LISTA.name)
    cases: dict[str, Interval] = {}
    notes: dict[str, Any] = {}
    for layers, title in DEPTHS.items():
        ratio = _wide(table, layers, "threshold")
        far = np.abs(np.log10(ratio))
        cases[title], _ = over_splits(far, level(len(DEPTHS)))
        notes[title] = {"learned over ISTA's": float(ratio.mean())}
    return {APART: Measured.of(cases, "layers", notes=notes)}


# --- Denoising ------------------------------------------------------------------------------------

NOISES = (0.25, 0.5, 1.0)
THRESHOLDS_TRIED = np.arange(0, 4.01, 0.1)  # in units of the noise
BASES = ("cosines", "principal components")
SOFTER, UNIVERSAL = "error saved by soft shrink", "error added"


def basis(name: str, x: Array) -> tuple[Array, Array]:
    """64 orthonormal rows, and the image that is taken away first; ``x``: training digits."""
    if name == "cosines":
        from scipy.fft import dctn

        rows = np.eye(64).reshape(64, 8, 8)
        found: Array = dctn(rows, axes=(1, 2), norm="ortho").reshape(64, 64).T
        return found, np.full(64, x.mean())
    # A pixel that never changes has no component; those that do not are its own rows. Left to the
    # decomposition, these rows would be any rotation, another one on another processor.
    mean, still = x.mean(0), np.ptp(x, axis=0) == 0
    components = np.zeros((x.shape[1] - still.sum(), x.shape[1]))
    components[:, ~still] = np.linalg.svd((x - mean)[:, ~still], full_matrices=False)[2]
    return np.concatenate([components, np.eye(x.shape[1])[still]]), mean


def errors(split: int, seed: int, noise: float, name: str) -> dict[str, dict[str, float]]:
    """Function → mean squared error on test digits, by how the threshold was found."""
    some = data.load("digits", seed=split)
    rng = np.random.default_rng((split, seed, round(100 * noise)))
    x, valid, test = (p.astype(float) for p in (some.x_train, some.x_valid, some.x_test))
    rows, mean = basis(name, x)
    clean = [(part - mean) @ rows.T for part in (valid, test)]
    # The pixels' noise: so a row's sign, which is the processor's choice, changes nothing.
    noisy = [part + noise * rng.standard_normal(part.shape) @ rows.T for part in clean]

    def error(function: Callable[[Array, float], Array], part: int, threshold: float) -> float:
        kept = function(noisy[part], threshold)
        return float(((kept - clean[part]) ** 2).mean())

    found = {}
    for title, function in (("soft shrink", soft), ("hard shrink", hard)):
        tried = [error(function, 0, noise * size) for size in THRESHOLDS_TRIED]
        chosen = float(THRESHOLDS_TRIED[int(np.argmin(tried))])
        found[title] = {
            "chosen": error(function, 1, noise * chosen),
            "universal": error(function, 1, noise * float(np.sqrt(2 * np.log(64)))),
            "threshold": chosen,
        }
    return found


@cache
def _denoised(root: int) -> dict[tuple[str, float], list[list[Any]]]:
    return {
        (name, noise): [
            [errors(SPLITS * root + split, seed, noise, name) for seed in range(SEEDS)]
            for split in range(SPLITS)
        ]
        for name, noise in itertools.product(BASES, NOISES)
    }


def _each(tables: list[list[Any]], title: str, what: str) -> Array:
    return np.array([[found[title][what] for found in row] for row in tables])


_NOISY = (
    "Digits (pixels with a standard deviation of 1) with normal noise of a quarter, half and all "
    "of that, in the basis of 8 × 8 cosines and in that of the training digits' principal "
    "components. A threshold for all coefficients, of 41 from 0 to 4 times the noise the best on "
    "validation digits; mean squared error on test digits. "
)
_NOISES = f"Noisy digits · {SPLITS} splits with {SEEDS} draws of noise each"


@experiment(f"{_NOISY}Soft against hard shrink, each with its own threshold.", _NOISES)
def soft_or_hard(root: int, level: Level) -> Evidence:
    cases: dict[Case, Interval] = {}
    notes: dict[str, Any] = {}
    for (name, noise), tables in _denoised(root).items():
        by = {title: _each(tables, title, "chosen") for title in ("soft shrink", "hard shrink")}
        saved = 100 * (1 - by["soft shrink"] / by["hard shrink"])
        case = (name, f"noise {noise:g}")
        cases[case], _ = over_splits(saved, level(len(BASES) * len(NOISES)))
        notes[", ".join(case)] = {title: float(found.mean()) for title, found in by.items()}
    return {SOFTER: Measured(cases, ("basis", "noise"), notes=notes)}


@experiment(
    f"{_NOISY}The same with σ √(2 log 64), 2.9 times the noise: how much larger the error is.",
    _NOISES,
)
def universal_serves(root: int, level: Level) -> Evidence:
    cases: dict[Case, Interval] = {}
    notes: dict[str, Any] = {}
    for (name, noise), tables in _denoised(root).items():
        for title in ("soft shrink", "hard shrink"):
            ratio = _each(tables, title, "universal") / _each(tables, title, "chosen")
            case = (title, name, f"noise {noise:g}")
            cases[case], _ = over_splits(100 * (ratio - 1), level(2 * len(BASES) * len(NOISES)))
            mean = float(_each(tables, title, "threshold").mean())
            notes[", ".join(case)] = {"chosen threshold over the noise": mean}
    return {UNIVERSAL: Measured(cases, ("function", "basis", "noise"), notes=notes)}


# --- Hidden layers --------------------------------------------------------------------------------

# The factor on LeCun's weights with which a signal of mean square 1 keeps it, to three decimals.
GAINS = {"soft shrink": 1.365, "hard shrink": 1.015, "tanh shrink": 1.665}
RECORDS = {name: name.replace(" ", "_") for name in GAINS}
OTHERS = {"ReLU": ("relu", 2**0.5), "tanh": ("tanh", 1.0)}
DEEP, WIDE = 30, 128
LARGER = (1.0, 1.02, 1.04, 1.06, 1.08, 1.1)
"""Weights are tried so many times as large: theory's size is that of infinitely wide layers."""
KEPT = "share of digits that keep their size"


def sizes(record: str, gain: float, seeds: tuple[int, ...], count: int = 100) -> Array:
    """Root mean square of every digit's outputs, (seeds, layers, digits), before training."""
    x, _ = digits(count)
    function = catalog.get(record).reference
    found = np.empty((len(seeds), DEEP, count))
    for i, seed in enumerate(seeds):
        rng, h = np.random.default_rng(seed), x
        for layer in range(DEEP):
            n = h.shape[1]
            h = function(h @ rng.normal(0, gain / n**0.5, (n, WIDE)))
            found[i, layer] = np.sqrt((h**2).mean(1))
    return found


@experiment(
    "Untrained networks of 30 layers of 128 units, 100 digits of mean square 1, 20 networks for "
    "each function: the share of digits whose signal in the last layer is within a factor of ten "
    "of that in the first. Weights of the size with which a layer keeps a mean square of 1, or up "
    "to a tenth more, in six steps: whichever keeps most in ten other networks.",
    "Untrained networks of 30 × 128 units · digits · 20 seeds",
)
def keeps(root: int, level: Level) -> Evidence:
    seeds = tuple(root_seeds(root, 30))

    def share(record: str, gain: float, seeds: tuple[int, ...] = seeds[:20]) -> Array:
        found = sizes(record, gain, seeds)
        with np.errstate(divide="ignore"):
            decades = np.abs(np.log10(found[:, -1] / found[:, 0]))
        return np.asarray(100 * (decades < 1).mean(1))

    def best(name: str) -> float:
        tried = {
            larger: share(RECORDS[name], larger * GAINS[name], seeds[20:]).mean()
            for larger in LARGER
        }
        return max(tried, key=tried.__getitem__)

    chosen = {name: best(name) for name in GAINS}
    cases = {
        name: stats.mean_interval(share(RECORDS[name], larger * GAINS[name]), level(len(GAINS)))
        for name, larger in chosen.items()
    }
    notes: dict[str, Any] = {
        "times theory's size": chosen,
        "kept": {name: float(share(*settings).mean()) for name, settings in OTHERS.items()},
    }
    return {KEPT: Measured.of(cases, "function", notes=notes)}


ARMS: Mapping[str, dict[str, Any]] = {
    "ReLU": FAIR["relu"],
    "tanh": FAIR["tanh"],
    **{name: {"activation": RECORDS[name], **own_start(gain)} for name, gain in GAINS.items()},
}
CONTEST = contest(
    "contest_shrinkage",
    "Shrinkage functions against ReLU and tanh, three hidden layers",
    ARMS,
    data={"digits": ({"size": 300}, 10), "mnist1d": ({"size": 500}, 8)},
    depths=(3,),
    width=32,
    batch_size=64,
)


def over(arm: str) -> Ahead:
    """How far ``arm`` is ahead of each of the three."""
    return Ahead(CONTEST, pairs={name: (arm, name) for name in GAINS}, factor="rival")


STUDIES = (LISTA, CONTEST)
