"""Chapter "ReLU, and who killed it": its experiments and the claims that they try."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from actlab import catalog, plots, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.experiments import root_seeds

if TYPE_CHECKING:
    import pandas as pd

    from actlab.data import Dataset
    from actlab.plots import Plot

__all__ = ["TUTORIAL", "root_seeds"]  # until the others have moved

CHAPTER = "02_relu"
DOCUMENT = "starting document, section ReLU"

# The network of the published figures: ten hidden layers.
WIDTHS = (256,) * 5 + (128,) * 5
BATCH = 2_500  # keeps a whole pass below 50 MB
# "Deep" in the rules below: the layers behind the first half.
DEEP = slice(5, 10)

INITS = {
    "PyTorch default": "kaiming_uniform_(a=√5) weights, uniform biases",
    "same weights, zero bias": "PyTorch's weights, biases set to 0",
    "Keras default": "Glorot uniform weights, zero biases",
    "He": "He normal weights, zero biases",
}


def network(
    init: str,
    seed: int,
    features: int = 784,
    widths: Sequence[int] = WIDTHS,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """A deep fully connected network without its output layer, initialised the ``init`` way.

    Weights are drawn as PyTorch draws them from ``torch.manual_seed(seed)``; the other
    initialisations (see ``INITS``) then change them in place, so "same weights" means it.
    """
    if init not in INITS:
        raise ValueError(f"unknown initialisation {init!r}; expected one of {', '.join(INITS)}")
    sizes = [features, *widths]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        for layer in layers:
            if init == "Keras default":
                nn.init.xavier_uniform_(layer.weight)
            elif init == "He":
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if init != "PyTorch default":
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*(module for layer in layers for module in (layer, activation())))


@dataclass(frozen=True)
class LayerReport:
    """What one untrained layer does over a whole data set; one number per layer in each field.

    - ``dead``: share of units whose pre-activation is ≤ 0 for every input.
    - ``always_on``: share of units whose pre-activation is > 0 for every input; to those the
      activation is the identity.
    - ``spread``: how much pre-activations vary from input to input (root mean square over the
      units of the standard deviation over the inputs).
    - ``offset``: how far they sit from zero (root mean square over the units of the mean).
    """

    dead: npt.NDArray[np.float64]
    always_on: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]


@torch.no_grad()
def inspect_layers(model: nn.Sequential, batches: Iterable[Tensor]) -> LayerReport:
    """Pass batches of inputs (samples, features) through and report on each linear layer."""
    parts = []
    sizes = []
    for rows in batches:
        signal, layers = rows, []
        for module in model:
            signal = module(signal)
            if isinstance(module, nn.Linear):
                variance, mean = torch.var_mean(signal, 0, correction=0)
                layers.append((signal.amax(0), signal.amin(0), mean.double(), variance.double()))
        parts.append(layers)
        sizes.append(len(rows))

    def one(layer: int) -> tuple[float, float, float, float]:
        highest, lowest, means, variances = (
            torch.stack([part[layer][field] for part in parts]) for field in range(4)
        )
        share = (torch.tensor(sizes, dtype=torch.float64) / sum(sizes))[:, None]
        mean = (share * means).sum(0)
        # The law of total variance joins the batches without a second pass.
        variance = (share * (variances + (means - mean).square())).sum(0)
        return (
            (highest.amax(0) <= 0).double().mean().item(),
            (lowest.amin(0) > 0).double().mean().item(),
            variance.mean().sqrt().item(),
            mean.square().mean().sqrt().item(),
        )

    columns = zip(*(one(layer) for layer in range(len(parts[0]))), strict=True)
    return LayerReport(*(np.array(column) for column in columns))


@torch.no_grad()
def count_dead(model: nn.Sequential, x: Tensor) -> list[int]:
    """How many units of each ReLU layer are 0 for every row of ``x``; the plain way."""
    counts = []
    for module in model:
        x = module(x)
        if isinstance(module, nn.ReLU):
            counts.append(int((x == 0).all(0).sum()))
    return counts


def born_dead(
    x: Tensor, seeds: Iterable[int], inits: Iterable[str] = tuple(INITS), activation: str = "relu"
) -> pd.DataFrame:
    """Layer reports of untrained networks: one row per seed, initialisation and layer."""
    import pandas as pd

    module = type(catalog.get(activation).torch())
    rows = []
    for seed in seeds:
        for init in inits:
            model = network(init, seed, features=x.shape[1], activation=module)
            report = inspect_layers(model, torch.split(x, BATCH))
            for layer in range(len(report.dead)):
                rows.append(
                    {
                        "activation": activation,
                        "init": init,
                        "seed": seed,
                        "layer": layer + 1,
                        "dead": report.dead[layer],
                        "always_on": report.always_on[layer],
                        "spread": report.spread[layer],
                        "offset": report.offset[layer],
                    }
                )
    return pd.DataFrame(rows)


def born_dead_study() -> pd.DataFrame:
    """Two root seeds × 20 seeds on the 50,000 training images of Fashion-MNIST in [-1, 1]."""
    import pandas as pd

    from actlab import data

    images = torch.from_numpy(data.load("fashion_mnist", scale="symmetric").x_train)
    tables = []
    for root in (0, 1):
        seeds = root_seeds(root)
        for activation, inits in (
            ("relu", tuple(INITS)),
            ("silu", ("PyTorch default", "He")),
            ("tanh", ("PyTorch default", "Keras default")),
        ):
            table = born_dead(images, seeds, inits, activation)
            tables.append(table.assign(root=root))
    return pd.concat(tables, ignore_index=True)


def per_layer(table: pd.DataFrame, column: str, **where: Any) -> npt.NDArray[np.float64]:
    """One column of :func:`born_dead` as an array (seeds, layers), for the rows that match."""
    for key, value in where.items():
        table = table[table[key] == value]
    wide = table.pivot(index="seed", columns="layer", values=column)
    return np.asarray(wide, dtype=np.float64)


def relative_spread(table: pd.DataFrame, activation: str, init: str) -> npt.NDArray[np.float64]:
    """How much pre-activations differ between images, relative to their offset: (seeds, layers)."""
    spread, offset = (
        per_layer(table, column, activation=activation, init=init)
        for column in ("spread", "offset")
    )
    return spread / offset


def fading_signal(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """Under PyTorch's default: what differs between images against what is the same for all."""
    rows = {"activation": "relu", "init": "PyTorch default"}
    return plots.by_layer(
        {
            "differs from image to image": per_layer(table, "spread", **rows),
            "the same for every image": per_layer(table, "offset", **rows),
        },
        ax=ax,
        title="The signal fades …",
        y="size of the pre-activation",
        log=True,
    )


def tossed_coins(table: pd.DataFrame, ax: Any | None = None) -> Plot:
    """Under PyTorch's default: units that are on for no image, and units on for every image."""
    rows = {"activation": "relu", "init": "PyTorch default"}
    return plots.by_layer(
        {
            "on for no image (dead)": 100 * per_layer(table, "dead", **rows),
            "on for every image": 100 * per_layer(table, "always_on", **rows),
        },
        ax=ax,
        title="… and each unit tosses a coin",
        y="units (%)",
    )


def mean_squares(
    x: Tensor, seed: int, variance: float, depth: int = 30, width: int = 256
) -> npt.NDArray[np.float64]:
    """Mean square of each layer's ReLU output, weights normal with variance ``variance / n``.

    The bookkeeping of He et al. (2015, eq. 10): a ReLU layer multiplies it by ``variance / 2``.
    """
    generator = torch.Generator().manual_seed(seed)
    signal, result = x, []
    for _ in range(depth):
        n = signal.shape[1]
        weight = torch.randn(n, width, generator=generator) * (variance / n) ** 0.5
        signal = (signal @ weight).relu_()
        result.append(signal.square().mean().item())
    return np.array(result)


# Published by the UvA tutorial for one seed: dead units in per cent, layer by layer.
PUBLISHED_DEAD = (0.0, 0.0, 2.7, 10.6, 34.8, 46.9, 45.3, 47.7, 56.3, 43.8)


def published_replay(images: Dataset) -> pd.DataFrame:
    """The published run again: its seed (42), its split (PyTorch's, seed 42), all its images.

    ``images`` must be Fashion-MNIST in [-1, 1]; with other data the last column means nothing and
    is left out. One row per layer: dead units, their share in per cent, the published share.
    """
    import pandas as pd

    total = len(images.rows_train) + len(images.rows_valid)
    shuffled = torch.randperm(total, generator=torch.Generator().manual_seed(42)).numpy()
    chosen = shuffled[: len(images.rows_train)]

    def batches() -> Iterator[Tensor]:  # of the published training images, never copied as a whole
        for part, rows in (
            (images.x_train, images.rows_train),
            (images.x_valid, images.rows_valid),
        ):
            mine = np.flatnonzero(np.isin(rows, chosen))
            for start in range(0, len(mine), BATCH):
                yield torch.from_numpy(part[mine[start : start + BATCH]])

    model = network("PyTorch default", seed=42, features=images.n_features)
    report = inspect_layers(model, batches())
    columns = {
        "hidden layer": list(range(1, 11)),
        "units": list(WIDTHS),
        "dead units": [round(d * width) for d, width in zip(report.dead, WIDTHS, strict=True)],
        "dead (%)": [round(100 * dead, 2) for dead in report.dead],
    }
    if images.name == "fashion_mnist":
        columns["published (%)"] = list(PUBLISHED_DEAD)
    return pd.DataFrame(columns)


# --- The cheap claims: what the function itself does -------------------------------------------


def _negative_gradients(seed: int) -> Evidence:
    record = catalog.get("relu")
    rng = np.random.default_rng(seed)
    x = -(10.0 ** rng.uniform(-37, 37, 10_000)).astype(np.float32)
    from actlab.frameworks import keras, torch

    return {
        name: float(np.abs(framework.gradients(record, x, "float32")).max())
        for name, framework in (("PyTorch", torch), ("Keras", keras))
    }


def _decide_negative_gradients(evidence: Evidence) -> tuple[Verdict, str]:
    largest = max(evidence.values())
    if largest == 0:
        return "holds", "At 10,000 negative inputs both frameworks return a gradient of exactly 0."
    return "refuted", f"A gradient of {largest:.3g} was found at a negative input."


def _output_layer(seed: int) -> Evidence:
    """Share of exact zeros among the outputs of a random layer with ReLU, in both frameworks."""
    record = catalog.get("relu")
    z = np.random.default_rng(seed).standard_normal((1000, 10)).astype(np.float32)
    from actlab.frameworks import keras, torch

    outputs = [framework.values(record, z, "float32") for framework in (torch, keras)]
    return {
        "zero_share": float(np.mean([np.mean(output == 0) for output in outputs])),
        "minimum": float(np.min(outputs)),
    }


def _decide_output_layer(evidence: Evidence) -> tuple[Verdict, str]:
    zeros = evidence["zero_share"]
    if evidence["minimum"] < 0:
        return "refuted", f"An output of {evidence['minimum']:.3g} was found."
    if zeros > 0:
        return "refuted", (
            f"{zeros:.0%} of the outputs are exactly 0, in both frameworks. "
            "'Never negative' is right; 'always positive' is not."
        )
    return "holds", "Every output was above 0."


def _gradient_near_zero(seed: int) -> Evidence:
    record = catalog.get("relu")
    tiny = float(np.finfo(np.float32).smallest_normal)
    rng = np.random.default_rng(seed)
    x = np.array([tiny, *10.0 ** rng.uniform(-30, -1, 1000)], np.float32)
    from actlab.frameworks import keras, torch

    return {
        name: float(framework.gradients(record, x, "float32").min())
        for name, framework in (("PyTorch", torch), ("Keras", keras))
    }


def _decide_gradient_near_zero(evidence: Evidence) -> tuple[Verdict, str]:
    smallest = min(evidence.values())
    if smallest == 1:
        return "refuted", (
            "Down to the smallest normal float32 above 0, both frameworks return a gradient of "
            "exactly 1. Approaching zero changes nothing; crossing it does."
        )
    return "holds", f"The gradient falls to {smallest:.3g} before the input reaches 0."


# --- The headline: who killed the ReLU? --------------------------------------------------------


def _half_born_dead(seed: int) -> Evidence:
    table = study.load("born_dead")
    table = table[(table.root == seed) & (table.activation == "relu")]
    shares = {}
    for init in INITS:
        deep = per_layer(table, "dead", init=init)[:, DEEP].mean(axis=1)
        interval = stats.mean_interval(deep)
        shares[init] = [interval.mean, interval.low, interval.high]
    return {"deep_dead_share": shares}


def _decide_half_born_dead(evidence: Evidence) -> tuple[Verdict, str]:
    shares = evidence["deep_dead_share"]
    half = [init for init, (_, low, high) in shares.items() if low >= 0.4 and high <= 0.6]
    others = [mean for init, (mean, _, _) in shares.items() if init not in half]
    numbers = "; ".join(f"{init}: {mean:.0%}" for init, (mean, _, _) in shares.items())
    if len(half) == len(shares):
        return "holds", f"In layers 6 to 10, under every initialisation ({numbers})."
    if half:
        return "holds when …", (
            f"… the initialisation is {' or '.join(half)}. Elsewhere at most {max(others):.0%} of "
            f"the units in layers 6 to 10 are born dead ({numbers})."
        )
    return "refuted", f"Under no initialisation is it half ({numbers})."


def _biases_to_blame(seed: int) -> Evidence:
    table = study.load("born_dead")
    table = table[(table.root == seed) & (table.activation == "relu")]
    default, zeroed = (
        per_layer(table, "dead", init=init)[:, DEEP].mean(axis=1)
        for init in ("PyTorch default", "same weights, zero bias")
    )
    removed = stats.mean_interval(1 - zeroed / default)
    return {"removed_share": [removed.mean, removed.low, removed.high]}


def _decide_biases_to_blame(evidence: Evidence) -> tuple[Verdict, str]:
    mean, low, high = evidence["removed_share"]
    numbers = f"{mean:.0%} [{low:.0%}, {high:.0%}]"
    if low > 0.5:
        return "refuted", (
            f"With the very same weights, setting the biases to zero removes {numbers} of the "
            "dead units in layers 6 to 10. The function was not to blame; its start was."
        )
    if high < 0.5:
        return "holds", f"Zero biases remove only {numbers} of the dead units."
    return "not shown", f"Zero biases remove {numbers}; half lies inside the interval."


def _swish_rescues(seed: int) -> Evidence:
    """Last hidden layer: spread relative to offset, Swish over ReLU, same seeds, same start."""
    table = study.load("born_dead")
    table = table[table.root == seed]
    relative = {
        activation: relative_spread(table, activation, "PyTorch default")[:, -1]
        for activation in ("relu", "silu")
    }
    log_ratio = stats.mean_interval(np.log10(relative["silu"] / relative["relu"]))
    return {
        "relative_spread": {name: float(np.mean(value)) for name, value in relative.items()},
        "ratio": [float(10**value) for value in (log_ratio.mean, log_ratio.low, log_ratio.high)],
    }


def _decide_swish_rescues(evidence: Evidence) -> tuple[Verdict, str]:
    mean, low, high = evidence["ratio"]
    silu = evidence["relative_spread"]["silu"]
    numbers = (
        f"the spread between images, relative to the offset, is {silu:.1e} in the Swish network, "
        f"{mean:.2g} times that of ReLU [{low:.2g}, {high:.2g}]"
    )
    if high < 2:
        return "refuted", (
            f"Under the same start {numbers}. No output is exactly zero, and yet the last layer "
            "sees even less of the image."
        )
    if low > 10:
        return "holds", f"Under the same start {numbers}."
    return "not shown", f"Under the same start {numbers}."


TUTORIAL = (
    "[UvA deep-learning tutorial 3](https://uvadlc-notebooks.readthedocs.io/en/latest/"
    "tutorial_notebooks/tutorial3/Activation_Functions.html)"
)

CLAIMS = (
    Claim(
        id="relu-gradient-zero-negative",
        statement="The gradient of ReLU is 0 for negative input.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment="Gradients at 10,000 random negative inputs of all magnitudes, both frameworks.",
        rule="Holds if every gradient is exactly 0; refuted by a single other value.",
        measure=_negative_gradients,
        decide=_decide_negative_gradients,
        otherwise={"PyTorch": 0.0, "Keras": 0.01},
    ),
    Claim(
        id="relu-output-positive",
        statement="As an output layer, ReLU always gives a positive value.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment="10,000 outputs for standard normal pre-activations, both frameworks.",
        rule="Holds if every output is above 0; refuted if one is 0 or below.",
        measure=_output_layer,
        decide=_decide_output_layer,
        otherwise={"zero_share": 0.0, "minimum": 1e-6},
    ),
    Claim(
        id="relu-approach-zero",
        statement="As the input approaches 0, the gradient of ReLU becomes 0.",
        source=DOCUMENT,
        chapter=CHAPTER,
        experiment="Gradients at positive inputs down to the smallest normal float32.",
        rule="Holds if a gradient at a positive input is below 1; refuted if every one is 1.",
        measure=_gradient_near_zero,
        decide=_decide_gradient_near_zero,
        otherwise={"PyTorch": 1.0, "Keras": 0.5},
    ),
    Claim(
        id="relu-half-born-dead",
        statement=(
            "In a ten-layer ReLU network about half of the deep units are dead before training."
        ),
        source=TUTORIAL,
        chapter=CHAPTER,
        experiment=(
            "Ten hidden layers (5×256, 5×128), the 50,000 training images of Fashion-MNIST, 20 "
            "seeds, four initialisations; mean dead share of layers 6 to 10."
        ),
        rule=(
            "Holds if the 95 % interval lies within 40 % to 60 % under all four initialisations; "
            "holds when … under some; refuted under none."
        ),
        measure=_half_born_dead,
        decide=_decide_half_born_dead,
        otherwise={"deep_dead_share": {"PyTorch default": [0.5, 0.45, 0.55]}},
        cheap=False,
    ),
    Claim(
        id="relu-kills-itself",
        statement="It is ReLU, the function, that kills those units.",
        source=TUTORIAL,
        chapter=CHAPTER,
        experiment="The same networks, weights untouched, biases set to zero; paired by seed.",
        rule=(
            "Refuted if zero biases remove more than half of the dead units of layers 6 to 10 "
            "(lower end of the 95 % interval); holds if less than half (upper end)."
        ),
        measure=_biases_to_blame,
        decide=_decide_biases_to_blame,
        otherwise={"removed_share": [0.1, 0.05, 0.15]},
        cheap=False,
    ),
    Claim(
        id="relu-swish-rescues",
        statement="For very deep networks Swish is the cure, because it leaves no unit dead.",
        source=TUTORIAL,
        chapter=CHAPTER,
        experiment=(
            "The same start (PyTorch's default) with Swish in place of ReLU: how much the "
            "pre-activations of the last hidden layer vary from image to image, relative to "
            "their offset."
        ),
        rule=(
            "Holds if Swish keeps more than 10 times ReLU's relative spread (95 % interval, "
            "paired by seed); refuted if it keeps less than twice as much."
        ),
        measure=_swish_rescues,
        decide=_decide_swish_rescues,
        otherwise={"ratio": [50.0, 40.0, 60.0], "relative_spread": {"relu": 0.01, "silu": 0.5}},
        cheap=False,
    ),
)
