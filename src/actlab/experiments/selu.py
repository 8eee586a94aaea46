"""SELU on trial: what it costs to break one of its requirements, and its rivals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actlab import catalog, stats
from actlab import data as datasets
from actlab.catalog.elu import SELU_ALPHA
from actlab.experiments import contest, normalised, untrained
from actlab.experiments.contest import FAIR
from actlab.experiments.together import size
from actlab.stats import Array, Interval
from actlab.study import Study, grid_of, load, root_seeds
from actlab.trial import Case, Evidence, Level, Measured, Rule, above, experiment

if TYPE_CHECKING:
    from torch import nn

# --- Broken, untrained ----------------------------------------------------------------------------

INTACT = "as the paper asks"
# Label → settings (``inputs``: a shift and a stretch of the standardised data), and in words.
CONDITIONS: dict[str, tuple[dict[str, Any], str]] = {
    INTACT: ({}, INTACT),
    "He normal": ({"init": "he_normal"}, "He's weights"),
    "PyTorch default": ({"init": "torch"}, "PyTorch's start"),
    "skip connections": ({"residual": True}, "skip connections"),
    "plain dropout 10 %": ({"dropout": 0.1}, "plain dropout 10 %"),
    "input: mean 5, sd 5": ({"inputs": (5.0, 5.0)}, "inputs of mean 5 and sd 5"),
    "Glorot uniform": ({"init": "keras"}, "Glorot's weights"),
    "orthogonal": ({"init": "orthogonal"}, "orthogonal weights"),
    "input: sd 0.1": ({"inputs": (0.0, 0.1)}, "inputs of sd 0.1"),
    "alpha dropout 10 %": ({"dropout": 0.1, "alpha_dropout": True}, "alpha dropout 10 %"),
}
# Under these three curves are trained; under the others SELU is alone.
BROKEN = ("He normal", "skip connections", "input: mean 5, sd 5")
# The kink is the jump of SELU's slope at 0. CELU with the same α has the same floor and no kink.
CURVES: dict[str, dict[str, Any]] = {
    "selu": {"activation": "selu"},
    "elu": {"activation": "elu"},
    "without kink": {"activation": "celu", "params": {"alpha": SELU_ALPHA}},
}


def untrained_moments(
    condition: str, root: int = 0, depth: int = 30, width: int = 128
) -> tuple[Array, Array]:
    """Mean and standard deviation of untrained SELU networks' layers, (seeds, layers) each."""
    settings = {**normalised.SELU, **CONDITIONS[condition][0], "hidden": (width,) * depth}
    shift, stretch = settings.pop("inputs", (0.0, 1.0))
    networks = untrained.draw(root_seeds(root), **settings)
    return normalised.moments(networks, shift + stretch * normalised.standardised(), drop=True)


def drift(sd: Array, confidence: float) -> Interval:
    """How far the layer furthest off is from standard deviation 1, in powers of ten, either way."""
    found = [stats.mean_interval(v, confidence) for v in np.log10(sd.T[normalised.SETTLED])]
    return size(normalised.furthest(found))


# --- Broken, trained ------------------------------------------------------------------------------

WIDTH = 32
SMALL = {"digits": ({}, 12), "mnist1d": (contest.OPTIONS["mnist1d"], 8)}
TRAINED = contest.contest(
    "contest_broken",
    "SELU, ELU and a curve without kink under broken requirements",
    {
        f"{curve} | {condition}": {"init": "lecun_normal", **CURVES[curve], **settings}
        for condition, (settings, _) in CONDITIONS.items()
        for curve in CURVES
        if curve == "selu" or condition in BROKEN
    },
    data=SMALL,
    depths=(12,),
    width=WIDTH,
)

LOST, DRIFT = "accuracy lost", "drift of the standard deviation"
# 0.0969 powers of ten: outside of 0.8 to 1.25.
NEEDS = Rule({LOST: above(0, "points"), DRIFT: above(0.0969, "powers of ten")}, together=True)


def costs(*breaks: str, what: str, beside: str = INTACT) -> contest.Lasting:
    """What a SELU network loses by each break: test accuracy, and its normalisation.

    ``breaks``: conditions; ``what``: those in words; ``beside``: the one that counts as intact.
    """
    said = {CONDITIONS[label][1]: label for label in breaks}
    intact = f"selu | {beside}"
    pairs = {words: (intact, f"selu | {label}") for words, label in said.items()}

    def measure(root: int, level: Level, when: contest.When = "plateau") -> Evidence:
        asked = contest.Ahead(TRAINED, pairs=pairs, when=when)
        (lead,) = asked(root, level).values()
        parts = {case: part for case, (_, part) in asked.places().items()}
        floors = {at: contest.floor(contest.accuracies(parts[at], intact, when)) for at in parts}
        notes = {name: note for name, note in lead.notes.items() if name == "hangs on one split"}
        sds = {words: untrained_moments(label, root)[1] for words, label in said.items()}
        drifts = {at: drift(sds[at[0]], level(len(parts))) for at in parts}
        lost = replace(lead, floors=floors, notes=notes)
        return {LOST: lost, DRIFT: Measured(drifts, lead.factors)}

    return contest.Lasting(
        "SELU networks, intact and broken in one point: untrained ones (30 layers of 128 units, "
        "100 digits, 20 networks), of whose layers 11 to 30 the one counts whose standard "
        "deviation is furthest from 1 (a factor of 1.25 is 0.0969 powers of ten); and trained ones "
        f"({TRAINED.words()}). {contest.method()} Broken by {what}.",
        f"Networks of 12 × {WIDTH} units, untrained ones of 30 × 128 · digits, MNIST-1D · "
        f"{contest.PAIRED}",
        measure,
        TRAINED.name,
    )


ELU_LEAD = contest.Ahead(
    TRAINED, pairs={CONDITIONS[c][1]: (f"elu | {c}", f"selu | {c}") for c in BROKEN}
)
BEYOND = "gain of the curve without kink beyond half of ELU's"
KINK = Rule({BEYOND: above(0, "points")}, together=True)


@experiment(
    f"{ELU_LEAD.words()} Where ELU is ahead of SELU: how much a CELU with SELU's α (the same "
    "floor, no kink) gains on SELU, less half of what ELU gains.",
    ELU_LEAD.scope,
    TRAINED.name,
)
def smooth(root: int, level: Level) -> Evidence:
    (leads,) = ELU_LEAD(root, contest.BEATS.level).values()
    ahead = {case: at for case, at in ELU_LEAD.places().items() if leads.cases[case].low > 0}
    cases: dict[Case, Interval] = {}
    for case, ((elu, selu), part) in ahead.items():
        arms = (elu, selu, selu.replace("selu", "without kink"))
        ours, theirs, curved = (contest.accuracies(part, arm) for arm in arms)
        beyond = curved - theirs - (ours - theirs) / 2
        cases[case], _ = contest.over_splits(beyond, level(len(ahead)))
    return {BEYOND: Measured(cases, ELU_LEAD.factors)}


# --- Stacks, tables, the tutorial -----------------------------------------------------------------

RIVALS = ("relu", "elu", "gelu", "tanh")
DEEP = contest.contest(
    "contest_stacks",
    "SELU and five rivals in deep plain stacks",
    {arm: FAIR[arm] for arm in ("selu", *RIVALS, "relu + batch norm")},
    data={**SMALL, "fashion_mnist": ({"size": 2_000}, 5)},
    depths=(8, 16),
    width=WIDTH,
    only=lambda cell: cell["depth"] == 16 or cell["data"] == "digits",
    batch_size=64,
)
TABULAR = ("relu", "elu", "tanh", "relu + batch norm")
FOUR = ("wine", "breast_cancer", "election", "marriages")
TABLES = contest.contest(
    "contest_tables",
    "SELU and four rivals on four tables",
    {arm: FAIR[arm] for arm in ("selu", *TABULAR)},
    data={name: (contest.OPTIONS.get(name, {}), 30) for name in FOUR},
    depths=(8,),
    width=32,
    batch_size=32,
)
# The tutorial compares SELU with alpha dropout to ReLU with plain dropout: three things at once.
REPLAY = contest.contest(
    "contest_replay",
    "The network of SELU's authors, its start, its curve and its dropout taken apart",
    {
        "ReLU, PyTorch default": FAIR["relu, PyTorch default"],
        "ReLU": FAIR["relu"],
        "ReLU, dropout": {**FAIR["relu"], "dropout": 0.05},
        "SELU": FAIR["selu"],
        "SELU, dropout": {**FAIR["selu"], "dropout": 0.05},
        "SELU, alpha dropout": {**FAIR["selu"], "dropout": 0.05, "alpha_dropout": True},
    },
    data=SMALL,
    depths=(2,),
    width=128,
    momentum=0.0,
)


def linear_cell(data: str, root: int, *, splits: int, strengths: Sequence[float]) -> pd.DataFrame:
    """Logistic regression on many splits, its strength C chosen on the validation part."""
    from sklearn.linear_model import LogisticRegression

    rows = []
    for split in root_seeds(root, splits):
        part = datasets.load(data, seed=split, **contest.OPTIONS.get(data, {}))
        models = [LogisticRegression(C=c, max_iter=5_000) for c in strengths]
        fits = [model.fit(part.x_train, part.y_train) for model in models]
        best = max(fits, key=lambda fit: fit.score(part.x_valid, part.y_valid))
        rows.append((split, best.C, np.float32(best.score(part.x_test, part.y_test))))
    return pd.DataFrame(rows, columns=["seed", "C", "test_accuracy"])


LINEAR = Study(
    name="linear_tables",
    title="Logistic regression on the splits of the four tables",
    task=linear_cell,
    axes={"data": TABLES.axes["data"], "root": (0, 1)},
    settings={"splits": 20, "strengths": (0.01, 0.1, 1.0, 10.0)},
)


class BesideLinear(contest.Ahead):
    """A lead on tables, with that over a linear model on the same splits in the notes."""

    def __call__(self, root: int, level: Level) -> Evidence:
        """See :class:`Ahead`."""
        ((quantity, found),) = super().__call__(root, level).items()
        linear, notes = load(LINEAR.name, root=0), dict(found.notes)
        for (title,), (_, part) in self.places().items():
            its = 100 * grid_of(linear, "test_accuracy", "seed", "root", data=part.data.iloc[0])
            networks = contest.accuracies(part, self.arm, self.when)
            lead, _ = contest.over_splits(networks - its[: contest.SPLITS], 0.95)
            notes[f"{title}, over logistic regression"] = [lead.mean, lead.low, lead.high]
        return {quantity: replace(found, notes=notes)}

    def words(self) -> str:
        """The experiment in prose."""
        return f"{super().words()} Beside it, logistic regression on the same splits."


DEEP_LEAD = contest.Ahead(DEEP, "selu", over=RIVALS)
ON_TABLES = BesideLinear(TABLES, "selu", over=TABULAR)
REPLAYED = contest.Ahead(
    REPLAY,
    pairs={
        "no dropout": ("SELU", "ReLU"),
        "plain dropout": ("SELU, dropout", "ReLU, dropout"),
        "dropout as published": ("SELU, alpha dropout", "ReLU, dropout"),
    },
    factor="change",
)

# --- Convolutions ---------------------------------------------------------------------------------

VARIANCES = {"selu": 1.0, "relu": 2.0}  # n · Var(w): LeCun's and He's


def convolutional(activation: str, data: datasets.Dataset, seed: int) -> nn.Sequential:
    """Three convolutions (8, 16, 32 channels) with two poolings, and one linear layer."""
    import torch
    from torch import nn

    act = catalog.get(activation).torch
    shape = data.image_shape or (data.n_features,)
    convolution: Any = partial(nn.Conv1d, kernel_size=5, padding=2)
    pool: nn.Module = nn.MaxPool1d(2)
    if len(shape) == 2:
        convolution, pool = partial(nn.Conv2d, kernel_size=3, padding=1), nn.MaxPool2d(2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Unflatten(1, (1, *shape)),
            *(convolution(1, 8), act(), pool),
            *(convolution(8, 16), act(), pool),
            *(convolution(16, 32), act(), nn.Flatten()),
            nn.Linear(32 * math.prod(side // 4 for side in shape), data.n_classes),
        )
        for part in model.parameters():
            if part.ndim == 1:
                nn.init.zeros_(part)
            else:
                nn.init.normal_(part, std=math.sqrt(VARIANCES[activation] / part[0].numel()))
    return model


def learn(
    activation: str, data: datasets.Dataset, seed: int, lr: float, *, epochs: int, once: int = 1
) -> dict[str, Any]:
    """Train one by SGD (momentum 0.9, batches of 64) until nothing more comes of it.

    That is when the validation loss has not improved for ``PATIENCE`` epochs, or after ``epochs``.
    Returns what :func:`actlab.experiments.contest.contest_cell` notes of a network; ``valid_loss``
    is the best one, and infinite where the network diverged.
    """
    import torch
    from torch.nn.functional import cross_entropy

    model = convolutional(activation, data, seed)
    x, x_valid, x_test = map(torch.from_numpy, (data.x_train, data.x_valid, data.x_test))
    y, y_valid, y_test = map(torch.from_numpy, (data.y_train, data.y_valid, data.y_test))
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    losses: list[float] = []  # of validation, after each epoch
    right: list[float] = []  # test accuracy, after each epoch
    for epoch in range(epochs):
        for rows in torch.split(torch.randperm(len(y), generator=order), 64):
            optimiser.zero_grad()
            cross_entropy(model(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            losses.append(cross_entropy(model(x_valid), y_valid).item())
            right.append((model(x_test).argmax(1) == y_test).double().mean().item())
        if diverged := not math.isfinite(losses[-1]):
            losses, right = [math.inf], [math.nan]
        if diverged or epoch - np.argmin(losses) >= contest.PATIENCE:
            break
    looks = {"accuracy_1": once, "accuracy_4": 4 * once, "accuracy": epochs}
    stood = {name: right[np.argmin(losses[:look])] for name, look in looks.items()}
    return {"valid_loss": min(losses), **stood, "ran": epoch + 1, "diverged": diverged}


def convolution_cell(data: str, arm: str, *, epochs: int) -> pd.DataFrame:
    """One arm on digits (2-D) or MNIST-1D (1-D), as in a contest: one row per network."""
    from actlab.ensemble.search import search

    splits = contest.splits_of(data, **contest.OPTIONS.get(data, {}))

    def losses(lr: float) -> Array:
        places = itertools.product(splits, contest.TUNING)
        return np.array([learn(arm, *at, lr, epochs=4 * epochs)["valid_loss"] for at in places])

    chosen = search(lambda rates: {lr: -losses(lr) for lr in rates})
    rows = [
        {"split": i, "seed": seed, "lr": chosen.rate, "edge": chosen.at_edge}
        | learn(arm, part, seed, chosen.rate, epochs=contest.LONGEST, once=epochs)
        for (i, part), seed in itertools.product(enumerate(splits), range(contest.SEEDS))
    ]
    return pd.DataFrame(rows)


CONVOLUTIONS = Study(
    name="contest_convolution",
    title="Three convolutions and a linear layer: SELU from LeCun's start, ReLU from He's",
    task=convolution_cell,
    axes={"data": ("digits", "mnist1d"), "arm": tuple(VARIANCES)},
    settings={"epochs": 5},
)
CONVOLUTIONAL_LEAD = contest.Ahead(CONVOLUTIONS, "selu", over="relu")
STUDIES = (TRAINED, DEEP, TABLES, REPLAY, LINEAR, CONVOLUTIONS)
