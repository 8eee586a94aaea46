"""GELU, SiLU, Mish and squared ReLU: who trains to the better network, who fades, who falls silent.

Layers keep the size of a signal if the weights' gain g makes E[f(gz)²] = 1. SELU comes back to
that point (:mod:`actlab.experiments.normalised`), ReLU stays where it is, and the self-gated leave
it: they halve what is small and pass what is large.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab import catalog, stats
from actlab.experiments import untrained
from actlab.experiments.contest import FAIR, OPTIONS, Ahead, contest
from actlab.experiments.normalised import moments, standardised
from actlab.experiments.together import share_of
from actlab.stats import Interval
from actlab.study import Study, load, root_seeds
from actlab.trial import Case, Evidence, Level, Measured, experiment

if TYPE_CHECKING:
    from torch import Tensor

    from actlab.ensemble import Snapshot

Array = npt.NDArray[np.float64]

# --- Curves and starts ----------------------------------------------------------------------------

BOTTOM = -0.7517915246935645  # where GELU is lowest


def flat_tail(z: Tensor) -> Tensor:
    """GELU that stays down: to the left of its lowest point it is level."""
    import torch

    return torch.nn.functional.gelu(z.clamp(min=BOTTOM))


def folded_tail(z: Tensor) -> Tensor:
    """GELU that goes on falling: left of its lowest point its slope has the other sign."""
    import torch

    y = torch.nn.functional.gelu(z)
    return torch.where(z < BOTTOM, 2 * catalog.get("gelu").properties.range.lower - y, y)


def squared_relu(z: Tensor) -> Tensor:
    """max(0, z)² (So et al., 2021)."""
    return z.relu().square()


# The factor on LeCun's weights with which a signal of mean square 1 keeps it, to three decimals.
GAINS = {"gelu": 1.468, "silu": 1.559, "mish": 1.451, "relu²": 0.904}


def own_start(gain: float) -> dict[str, Any]:
    """The settings of a start whose weights have variance gain² / n."""
    return {"init": "lecun_normal", "gain": gain}


_GELU = own_start(GAINS["gelu"])
_LAYER = {"init": "he_normal", "normalization": "layer"}
ARMS: dict[str, dict[str, Any]] = {
    "ReLU": FAIR["relu"],
    "GELU": {"activation": "gelu", **_GELU},
    "SiLU": {"activation": "silu", **own_start(GAINS["silu"])},
    "GELU, He's start": FAIR["gelu"],
    "Mish": {"activation": "mish", **own_start(GAINS["mish"])},
    "ReLU²": {"activation": squared_relu, **own_start(GAINS["relu²"])},
    "GELU by tanh": {"activation": "gelu_tanh", **_GELU},
    "GELU, flat tail": {"activation": flat_tail, **_GELU},
    "GELU, folded tail": {"activation": folded_tail, **_GELU},
    "ReLU, layer norm": {"activation": "relu", **_LAYER},
    "GELU, layer norm": {"activation": "gelu", **_LAYER},
    "SiLU, layer norm": {"activation": "silu", **_LAYER},
}
SHALLOW, DEEP = 4, 16
_DEEP = tuple(ARMS)[:4]
_SMALL: dict[str, Any] = {
    "data": {"digits": ({}, 12), "mnist1d": (OPTIONS["mnist1d"], 8)},
    "width": 32,
    "batch_size": 64,
}
CONTEST = contest(
    "contest_self_gated",
    "Self-gated activations, their twins and ReLU, with and without layer norm",
    ARMS,
    depths=(SHALLOW, DEEP),
    only=lambda cell: (
        cell["arm"] in _DEEP if cell["depth"] == DEEP else cell["arm"] != "GELU, He's start"
    ),
    **_SMALL,
)
# Without normalisation squared ReLU hardly trains; this was declared when that was known.
SQUARED = contest(
    "contest_squared",
    "Squared ReLU, ReLU and GELU behind layer norm",
    {
        "ReLU": ARMS["ReLU, layer norm"],
        "GELU": ARMS["GELU, layer norm"],
        "ReLU²": {"activation": squared_relu, **_LAYER},
    },
    depths=(SHALLOW,),
    **_SMALL,
)


def ahead(pairs: Mapping[str, tuple[str, ...]], depth: int = SHALLOW) -> Ahead:
    """Leads at one depth: what is compared → the arm and its rivals."""
    return Ahead(CONTEST, pairs=pairs, factor="network", where={"depth": depth})


def against_relu(name: str) -> Ahead:
    """With and without layer norm."""
    bare = {"no normalisation": (name, "ReLU")}
    return ahead(bare | {"layer norm": (f"{name}, layer norm", "ReLU, layer norm")})


# --- What fades before training -------------------------------------------------------------------

FADED = "size lost from layer 1 to layer 30"
SELF_GATED = {"GELU": "gelu", "SiLU": "silu", "Mish": "mish"}


def sizes(activation: str, root: int = 0, depth: int = 30, **start: Any) -> Array:
    """Root mean square of every layer's outputs, (seeds, layers), of untrained networks."""
    networks = untrained.draw(
        root_seeds(root, 50), hidden=(128,) * depth, activation=activation, **start
    )
    mean, sd = moments(networks, standardised())
    return np.hypot(mean, sd)


@experiment(
    "Untrained networks of 30 layers of 128 units, He's normal weights, biases 0, 50 networks for "
    "each function: how many powers of ten the root mean square of a layer's outputs loses from "
    "the first layer to the last.",
    "Untrained networks of 30 × 128 units · digits · 50 seeds",
)
def fades(root: int, level: Level) -> Evidence:
    lost = {}
    for title, name in ({"ReLU": "relu"} | SELF_GATED).items():
        found = sizes(name, root, init="he_normal")
        lost[title] = np.log10(found[:, 0] / found[:, -1])
    notes = {"ReLU": float(lost.pop("ReLU").mean())}
    cases = {title: stats.mean_interval(v, level(len(lost))) for title, v in lost.items()}
    return {FADED: Measured.of(cases, "function", notes=notes)}


# --- What two bytes can show ----------------------------------------------------------------------

DIFFER = "share of outputs that differ"


@experiment(
    "100,000 standard normal inputs, rounded to 16 bits: in how many the exact GELU and the tanh "
    "approximation, both computed in float64 and then rounded, are different numbers.",
    "Both formulas, computed exactly and rounded",
)
def seen(root: int, level: Level) -> Evidence:
    import torch

    z = torch.from_numpy(np.random.default_rng(root).standard_normal(100_000))
    cases = {}
    for dtype in (torch.float16, torch.bfloat16):
        given = z.to(dtype).double().numpy()
        one, other = (
            torch.from_numpy(catalog.get(name).reference(given)).to(dtype)
            for name in ("gelu", "gelu_tanh")
        )
        cases[str(dtype).removeprefix("torch.")] = 100 * float((one != other).double().mean())
    return {DIFFER: Measured.exact(cases, "arithmetic")}


# --- What falls silent in training ----------------------------------------------------------------

TOLERANCE = 1e-3  # an output that stays nearer to 0 than this on every input says nothing
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)


def largest_outputs(snapshot: Snapshot) -> Mapping[str, Any]:
    """Probe: the largest size of every hidden unit's output over all inputs, (networks, units)."""
    import torch

    return {"largest": torch.cat([layer.largest for layer in snapshot.stats], 1)}


def silent_cell(activation: str, lr: float, root: int, *, epochs: int) -> pd.DataFrame:
    """Digits, five hidden layers of 64, momentum: who says nothing any more.

    ``silent``: share of the hidden units whose output stays within ``TOLERANCE`` of 0 for every
    training input; ``zero``: is exactly 0. ``moved``: share of the test digits that a GELU network
    judges otherwise once its GELU is the tanh approximation. NaN where the network diverged.
    """
    import torch

    from actlab import data as datasets
    from actlab import ensemble

    data = datasets.load("digits")
    result = ensemble.train(
        data,
        arms={activation: {"activation": activation, "init": "he_normal", "lr": lr}},
        seeds=root_seeds(root),
        epochs=epochs,
        hidden=(64,) * 5,
        probe=largest_outputs,
        probe_at=[epochs * math.ceil(len(data.y_train) / 128)],
        progress=False,
    )
    frame = result.to_frame()[["seed", "diverged", "valid_accuracy"]].assign(
        silent=math.nan, zero=math.nan, moved=math.nan
    )
    x = torch.from_numpy(data.x_test).float()
    for row in np.flatnonzero(~result.diverged):
        largest = result.probe("largest", activation)[row, -1]
        frame.loc[row, ["silent", "zero"]] = (largest <= TOLERANCE).mean(), (largest == 0).mean()
        network = result.member(int(row))
        before = network(x).argmax(1)
        for module in network:
            if isinstance(module, torch.nn.GELU):
                module.approximate = "tanh"
        frame.loc[row, "moved"] = (network(x).argmax(1) != before).double().mean().item()
    return frame.astype(dict.fromkeys(("valid_accuracy", "silent", "zero", "moved"), "float32"))


SILENT = Study(
    name="self_gated_silent",
    title="Units that fall silent, by activation and learning rate",
    task=silent_cell,
    axes={"activation": ("relu", "gelu", "silu"), "lr": RATES, "root": (0, 1)},
    settings={"epochs": 20},
)
STUDIES = (CONTEST, SQUARED, SILENT)

LOST, MOVED = "share of networks with silent units", "share of test digits judged otherwise"


def lost(table: pd.DataFrame, functions: Mapping[str, str], level: Level) -> Measured:
    """Function and rate → how many networks lost units, per cent; ``functions``: title → name.

    A network that diverged counts among them; ``silent units (%)`` is about those that stand.
    """
    cases: dict[Case, Interval] = {}
    places = list(itertools.product(functions.items(), RATES))
    for (title, name), lr in places:
        part = table[(table.activation == name) & np.isclose(table.lr, lr)]
        count = int((part.diverged | (part.silent > 0.01)).sum())
        cases[title, f"{lr:g}"] = share_of(count, len(part), level(len(places)))
    silent = 100 * table.groupby(["activation", "lr"]).silent.mean()
    notes = {f"silent units (%), {name}, {lr:g}": share for (name, lr), share in silent.items()}
    return Measured(cases, ("function", "rate"), notes=notes)


_NETWORKS = (
    "Digits, five hidden layers of 64, He's start, momentum at five learning rates, 20 epochs, "
    "40 seeds"
)
_SCOPE = "Networks of 5 × 64 units · digits · 40 seeds"


@experiment(
    f"{_NETWORKS}, GELU and SiLU: in how many networks more than one hidden unit in a hundred "
    f"stays within {TOLERANCE:g} of 0 for every training input. Networks that diverged count too.",
    _SCOPE,
    SILENT.name,
)
def never_silent(root: int, level: Level) -> Evidence:
    """Both runs, whatever the ``root``."""
    functions = {title: SELF_GATED[title] for title in ("GELU", "SiLU")}
    return {LOST: lost(load(SILENT.name), functions, level)}


@experiment(
    f"{_NETWORKS}, exact GELU: how many test digits the trained network judges otherwise when its "
    "GELU is exchanged for the tanh approximation.",
    _SCOPE,
    SILENT.name,
)
def swapped(root: int, level: Level) -> Evidence:
    table = load(SILENT.name)
    part = table[(table.activation == "gelu") & ~table.diverged]
    groups = {f"{lr:g}": 100 * rows.moved for lr, rows in part.groupby("lr")}
    cases = {lr: stats.mean_interval(values, level(len(groups))) for lr, values in groups.items()}
    return {MOVED: Measured.of(cases, "rate")}
