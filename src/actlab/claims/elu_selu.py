"""Chapter "ELU, CELU, SELU": how signals pass through untrained networks, and the claims on it.

The theory is that of a wide layer with random weights of mean 0: the pre-activations of one input
are normal with mean 0, and their variance is the mean square of what comes in times n · Var(w).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from actlab import catalog, ensemble, probes, stats
from actlab import data as datasets
from actlab import study as studies
from actlab.claims import cost
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds

if TYPE_CHECKING:
    from actlab.plots import Plot

Array = npt.NDArray[np.float64]

CHAPTER = "05_elu_selu"
DOCUMENT_ELU = "starting document, section ELU"
DOCUMENT_SELU = "starting document, section SELU"
PAPER = "[Klambauer et al., 2017](https://arxiv.org/abs/1706.02515)"

SELU_LIMIT = catalog.get("selu").properties.range.lower  # −λα, where SELU saturates

# "Normalised" in the rules below: the 95 % intervals of mean and standard deviation inside these.
MEAN_BAND = (-0.2, 0.2)
SD_BAND = (0.8, 1.25)
# An attracting fixed point needs some layers to attract: the rules look from the 11th to the 30th.
SETTLED = slice(10, 30)

# --- Theory ------------------------------------------------------------------------------------

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
# Half of a standard normal, 0 to 12 standard deviations. (Gauss–Hermite nodes would straddle the
# kink at 0 and lose all but three digits.)
_T = 6 * (_NODES + 1)
_DENSITY = 6 * _WEIGHTS * np.exp(-(_T**2) / 2) / math.sqrt(2 * math.pi)


def gaussian_mean(function: Any, variance: npt.ArrayLike = 1.0) -> Array:
    """E[function(z)] for z ~ N(0, variance), to about 12 digits even with a kink at 0.

    ``function`` maps arrays to arrays; the result has the shape of ``variance``.
    """
    z = np.sqrt(np.asarray(variance, dtype=float))[..., None] * _T
    result: Array = (function(z) + function(-z)) @ _DENSITY
    return result


def moment_map(
    activation: str, mean: npt.ArrayLike, variance: npt.ArrayLike, weight_variance: float = 1.0
) -> tuple[Array, Array]:
    """Mean and variance behind one wide layer, given those in front of it.

    ``weight_variance`` is n · Var(w): 1 for LeCun's initialisation, 2 for He's.
    """
    f = catalog.get(activation).reference
    incoming = weight_variance * (np.square(mean) + np.asarray(variance, dtype=float))
    after = gaussian_mean(f, incoming)
    return after, gaussian_mean(lambda z: f(z) ** 2, incoming) - after**2


def theory(
    activation: str,
    depth: int,
    mean: float = 0.0,
    variance: float = 1.0,
    weight_variance: float = 1,
) -> tuple[Array, Array]:
    """Mean and standard deviation behind layers 1 to ``depth``: the map applied again and again."""
    means, variances = [], []
    for _ in range(depth):
        m, v = moment_map(activation, mean, variance, weight_variance)
        mean, variance = float(m), float(v)
        means.append(mean)
        variances.append(variance)
    return np.array(means), np.sqrt(variances)


def contraction(activation: str, step: float = 1e-4) -> float:
    """What one layer leaves of a small deviation of the variance from 1 (mean 0, LeCun)."""
    low, high = (float(moment_map(activation, 0, 1 + d)[1]) for d in (-step, step))
    return (high - low) / (2 * step)


def gradient_growth(activation: str, weight_variance: float = 1.0, **params: float) -> float:
    """By how much a layer multiplies the mean square of a gradient that passes it backwards.

    n · Var(w) · E[f'(z)²] with z ~ N(0, n · Var(w)) (Poole et al., 2016).
    """
    slope = catalog.get(activation).derivative
    return weight_variance * float(
        gaussian_mean(lambda z: slope(z, **params) ** 2, weight_variance)
    )


# --- Untrained networks ------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """An untrained network: one row of the break-it matrix.

    - ``weight_variance``, ``bias_variance``: times the number of a layer's inputs n.
    - ``skip``: adds a layer's input to its output (from the second layer on).
    - ``dropout``: the share dropped behind every layer, by alpha dropout if ``alpha``.
    - ``shift``, ``stretch``: of the standardised input.
    """

    activation: str = "selu"
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    skip: bool = False
    dropout: float = 0.0
    alpha: bool = False
    shift: float = 0.0
    stretch: float = 1.0
    width: int = 128


BREAK_IT = {
    "as the paper asks": Start(),
    "gain 3/4": Start(weight_variance=9 / 16),
    "He normal": Start(weight_variance=2.0),
    "PyTorch default": Start(weight_variance=1 / 3, bias_variance=1 / 3),
    "input: mean 5, sd 5": Start(shift=5.0, stretch=5.0),
    "input: sd 0.1": Start(stretch=0.1),
    "plain dropout 5 %": Start(dropout=0.05),
    "plain dropout 10 %": Start(dropout=0.1),
    "alpha dropout 10 %": Start(dropout=0.1, alpha=True),
    "skip connections": Start(skip=True),
    "16 units a layer": Start(width=16),
}


def hidden_layers(
    x: Tensor,
    start: Start,
    depth: int,
    seed: int = 0,
    networks: int = 20,
    *,
    noise: int = 0,
) -> Iterator[Tensor]:
    """The outputs of every layer of ``networks`` random networks, each (networks, samples, units).

    ``x`` is (samples, features), standardised. Equal seeds and widths give equal weights (up to
    their variance), so two starts can be compared in pairs; ``noise`` seeds the dropout.
    """
    generator = torch.Generator().manual_seed(seed)
    drops = torch.Generator().manual_seed(noise)
    f = catalog.get(start.activation).torch()
    signal = (start.shift + start.stretch * x).expand(networks, -1, -1)
    for layer in range(depth):
        n = signal.shape[2]
        # In float32 the draws themselves depend on the processor, in the last bit.
        weight = torch.randn(networks, n, start.width, generator=generator, dtype=x.dtype)
        bias = torch.randn(networks, 1, start.width, generator=generator, dtype=x.dtype)
        bias *= math.sqrt(start.bias_variance / n)
        out = f(torch.baddbmm(bias, signal, weight * math.sqrt(start.weight_variance / n)))
        if start.dropout:
            out = _drop(out, start.dropout, start.alpha, drops)
        signal = out + signal if start.skip and layer else out
        yield signal


def _drop(y: Tensor, share: float, alpha: bool, generator: torch.Generator) -> Tensor:
    """Dropout or alpha dropout in training, as PyTorch has them, from a generator of its own."""
    kept = torch.empty_like(y).bernoulli_(1 - share, generator=generator)
    dropped: Tensor = y * kept / (1 - share)
    if alpha:
        scale = math.sqrt((1 - share) * (1 + share * SELU_LIMIT**2))
        dropped = (y * kept + SELU_LIMIT * (1 - kept) - share * SELU_LIMIT) / scale
    return dropped


@torch.no_grad()
def layer_moments(
    x: Tensor, start: Start, depth: int = 30, seed: int = 0, networks: int = 20
) -> tuple[Array, Array]:
    """Mean and standard deviation over all units and samples, (networks, depth) each."""
    pairs = [
        torch.var_mean(signal.double(), (1, 2), correction=0)
        for signal in hidden_layers(x, start, depth, seed, networks)
    ]
    return (
        torch.stack([mean for _, mean in pairs], 1).numpy(),
        torch.stack([variance for variance, _ in pairs], 1).sqrt().numpy(),
    )


def gradient_norms(
    x: Tensor, start: Start, depth: int = 50, seed: int = 0, networks: int = 20
) -> Array:
    """Norm of the gradient that backpropagation brings to every layer, (networks, depth).

    With respect to the layers' outputs, for a random linear read-out of the last one. (Gradients
    of the *weights* would hide a fading signal: in a ReLU network they are of one size in all
    layers, because what fades on the way back is as large where it fades on the way forward.)
    """
    signals = list(hidden_layers(x.clone().requires_grad_(), start, depth, seed, networks))
    read_out = torch.randn(signals[-1].shape, generator=torch.Generator().manual_seed(seed))
    gradients = torch.autograd.grad((signals[-1] * read_out).sum(), signals)
    return torch.stack([g.double().flatten(1).norm(dim=1) for g in gradients], 1).numpy()


def decades_lost(norms: Array) -> Array:
    """Powers of ten that a gradient loses from the last layer to the first, (networks,)."""
    lost: Array = np.log10(norms[:, -1] / norms[:, 0])
    return lost


@torch.no_grad()
def engine_moments(x: Tensor, depth: int, seeds: range, **settings: Any) -> tuple[Array, Array]:
    """Like :func:`layer_moments`, for the lab's own networks: settings of ``ensemble.Settings``."""
    arm = ensemble.Settings(hidden=(128,) * depth, **settings)
    networks = ensemble.Networks(
        [arm] * len(seeds), seeds, x.shape[1], 2, dtype=x.dtype, device=x.device
    )
    networks.forward(x.mT.expand(len(seeds), -1, -1), "observe")
    found = [probes.moments(block.activation.mT) for block in networks.hidden]
    return (
        torch.stack([m.mean for m in found], 1).double().numpy(),
        torch.stack([m.variance for m in found], 1).double().sqrt().numpy(),
    )


@torch.no_grad()
def resemblance(
    x: Tensor, start: Start, labels: Tensor, depth: int = 50, seed: int = 0
) -> tuple[Array, Array]:
    """How 20 untrained networks see the likeness of samples, (networks, depth) each.

    First the mean cosine between the activations of two different samples; then how well classes
    are told apart: the share of samples whose most similar other sample is of their own class.
    """
    cosines, shares = [], []
    n = len(x)
    for signal in hidden_layers(x, start, depth, seed):
        unit = torch.nn.functional.normalize(signal, dim=2)
        similar = unit @ unit.mT
        cosines.append((similar.double().sum((1, 2)) - n) / (n * (n - 1)))
        similar.diagonal(dim1=1, dim2=2).fill_(-2)
        shares.append((labels[similar.argmax(2)] == labels).double().mean(1))
    return torch.stack(cosines, 1).numpy(), torch.stack(shares, 1).numpy()


@torch.no_grad()
def repeatability(
    x: Tensor, start: Start, depth: int = 16, seed: int = 0, networks: int = 20
) -> Array:
    """What dropout leaves of the signal, (networks, depth).

    The same inputs pass the same weights twice, under two draws of dropout; the cosine between
    the two vectors of activations, averaged over the samples: 1 is all signal, 0 all noise.
    """
    first, second = (hidden_layers(x, start, depth, seed, networks, noise=draw) for draw in (1, 2))
    cosines = [torch.cosine_similarity(a, b, dim=2) for a, b in zip(first, second, strict=True)]
    return torch.stack([c.double().mean(1) for c in cosines], 1).numpy()


# --- Figures -----------------------------------------------------------------------------------


def flow_figure(ax: Any | None = None) -> Plot:
    """Where one SELU layer takes mean and standard deviation, and the path of a few starts."""
    from actlab import plots

    ax = plots.axis(ax, height=4.2, width=6.0)
    means, sds = np.meshgrid(np.linspace(-1.5, 1.5, 13), np.linspace(0.15, 2.55, 13))
    to_mean, to_variance = moment_map("selu", means, sds**2)
    ax.quiver(
        *(means, sds, to_mean - means, np.sqrt(to_variance) - sds),
        **{"angles": "xy", "scale_units": "xy", "scale": 3.0, "width": 0.003, "color": "#8a919b"},
    )
    for i, (mean, sd) in enumerate(((-1.4, 2.4), (1.4, 2.4), (-1.2, 0.3), (1.2, 0.3))):
        path_mean, path_sd = theory("selu", 30, mean, sd**2)
        ax.plot(
            *([mean, *path_mean], [sd, *path_sd]),
            color=plots.NEUTRAL[i],
            marker=plots.MARKERS[i],
            markersize=5,
            linewidth=1.5,
        )
    ax.plot([0], [1], "*", color=plots.INK, markersize=20, zorder=5)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    ax.annotate("fixed point (0, 1)", (0, 1), (-0.12, 1.02), ha="right", bbox=box)
    plots.label(
        ax,
        title="Every path through SELU layers ends at mean 0, sd 1",
        x="mean of the activations",
        y="standard deviation",
    )
    return plots.Plot(
        ax,
        "Arrows in the plane of mean and standard deviation show one third of the step that a "
        "SELU layer makes. Four paths of thirty layers, from the four corners, first jump close "
        "to the mean 0 and then creep along one curve to the fixed point at mean 0, standard "
        "deviation 1.",
    )


def deep_figure(moments: Mapping[str, tuple[Array, Array]]) -> Plot:
    """Mean and standard deviation in every network, layer by layer, and what theory says.

    ``moments``: ``"selu"`` and ``"relu"`` → (networks, layers) twice, from LeCun's and He's start.
    """
    from actlab import plots

    axes = plots.figure(2, 2, height=5.4, sharex=True, sharey="row")[1]
    parts: list[Plot] = []
    for column, (name, both) in zip(axes.T, moments.items(), strict=True):
        layers = np.arange(1, both[0].shape[1] + 1)
        expected = theory(name, len(layers), weight_variance={"selu": 1.0, "relu": 2.0}[name])
        for ax, values, limit in zip(column, both, expected, strict=True):
            ax.plot(layers, values.T, color=plots.colour(name), linewidth=0.8, alpha=0.6)
            ax.plot(layers, limit, color=plots.INK, linestyle="--", label="infinitely wide")
        mean, sd = (values[:, -1] for values in both)
        title = catalog.get(name).title
        first = "" if parts else "mean", "" if parts else "standard deviation"
        plots.label(column[0], title=f"{title}, {len(sd)} networks", x="", y=first[0])
        plots.label(
            column[1],
            title=f"… {sd.max() / sd.min():.1f}-fold apart",
            x="hidden layer",
            y=first[1],
        )
        alt = (
            f"Mean (above) and standard deviation (below) of the activations in {len(sd)} {title} "
            f"networks by layer; in layer {len(layers)} the means are {mean.min():.2f} to "
            f"{mean.max():.2f} and the standard deviations {sd.min():.2f} to {sd.max():.2f}, where "
            f"the theory of infinitely wide layers, a dashed line, says {expected[0][-1]:.2f} and "
            f"{expected[1][-1]:.2f}."
        )
        parts.append(plots.Plot(column[0], alt))
    axes[1, 0].set_yscale("log")
    axes[1, 0].set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    for ax in axes[1]:
        ax.minorticks_off()
    axes[1, 0].legend(loc="lower left")
    return plots.Plot(axes[0, 0], plots.panels(parts))


def resemblance_figure(
    seen: Mapping[str, tuple[Array, Array]], starts: Mapping[str, Start]
) -> Plot:
    """Mean cosine and share told apart, by layer; ``seen``: label → :func:`resemblance`."""
    from actlab import plots

    left, right = plots.figure(2, height=3.6)[1]
    styles = {name: plots.line_style(start.activation) for name, start in starts.items()}
    cosines = plots.by_layer(
        {name: cosine for name, (cosine, _) in seen.items()},
        ax=left,
        title="All alike, or all different …",
        y="cosine of two pictures",
        styles=styles,
    )
    shares = plots.by_layer(
        {name: 100 * share for name, (_, share) in seen.items()},
        ax=right,
        title="… and the digit is forgotten",
        y="nearest of the same digit (%)",
        styles=styles,
    )
    for ax in (left, right):
        ax.set_xlabel("hidden layer")
    left.set_ylim(-0.05, 1.05)
    right.set_ylim(0, 100)
    left.get_legend().remove()
    return plots.Plot(left, plots.panels([cosines, shares]))


def break_it_figure(results: Mapping[str, tuple[Array, Array]], ax: Any | None = None) -> Plot:
    """A row per way to break it, a column per layer; colour is the standard deviation.

    ``results``: label → mean and standard deviation, (networks, layers) each.
    """
    from matplotlib.colors import LogNorm

    from actlab import plots

    ax = plots.axis(ax, height=1.7 + 0.36 * len(results))
    table = np.array([sd.mean(0) for _, sd in results.values()])
    image = ax.imshow(
        table, cmap="RdBu_r", norm=LogNorm(0.1, 10), aspect="auto", interpolation="nearest"
    )
    ax.grid(False)
    ax.set_yticks(range(len(results)), list(results))
    ax.set_xticks([0, 9, 19, 29], ["1", "10", "20", "30"])
    ends = [
        (_number(mean[:, -1].mean()), _number(sd[:, -1].mean())) for mean, sd in results.values()
    ]
    right = ax.secondary_yaxis("right")
    texts = [f"{mean:>6} {sd:>6}" for mean, sd in ends]
    right.set_yticks(range(len(results)), texts, fontfamily="DejaVu Sans Mono", fontsize=10)
    right.set_ylabel("mean and sd behind layer 30")
    right.tick_params(length=0)
    bar = ax.figure.colorbar(
        image, ax=ax, location="bottom", shrink=0.7, extend="both", ticks=[0.1, 0.3, 1, 3, 10]
    )
    bar.ax.set_xticklabels(["0.1", "0.3", "1", "3", "10"])
    bar.ax.minorticks_off()
    bar.set_label("standard deviation")
    lost = [name for name, result in results.items() if not normalised(*result)]
    plots.label(
        ax,
        title=f"{len(lost)} of {len(results)} networks lose mean 0, sd 1",
        x="hidden layer",
        y="",
    )
    rows = "; ".join(
        f"{name} {mean} and {sd}" for name, (mean, sd) in zip(results, ends, strict=True)
    )
    return plots.Plot(
        ax,
        "Heat map of the standard deviation of the activations, one row per way to build the "
        f"network, one column per layer. Mean and standard deviation at layer 30 are: {rows}. "
        f"Outside the bands in layers 11 to 30: {', '.join(lost)}.",
        {"image": image},
    )


# --- Claims: the function itself ---------------------------------------------------------------


def interval(values: npt.ArrayLike) -> list[float]:
    """Mean and ends of the 95 % interval, as evidence is stored."""
    found = stats.mean_interval(values)
    return [found.mean, found.low, found.high]


def on_both_roots(claim: Claim) -> Claim:
    """The claim, decided by both root seeds of its study: where they differ it is not shown."""
    measure = functools.cache(claim.measure)  # every evaluation needs both

    def decide(evidence: Evidence) -> tuple[Verdict, str]:
        (verdict, because), (other, because_other) = map(claim.decide, evidence["roots"])
        if verdict == other:
            condition, condition_other = (b.partition(". ")[0] for b in (because, because_other))
            if verdict == "holds when …" and condition != condition_other:
                because += f" The other run says: {condition_other}."
            return verdict, because
        numbers = because.partition(". ")[2] if because.startswith("…") else because
        return "not shown", f"Two runs disagree ({verdict}; {other}). The first: {numbers}"

    return dataclasses.replace(
        claim,
        rule=f"{claim.rule} Not shown if its two runs disagree.",
        measure=lambda seed: {"roots": [measure(seed), measure(1 - seed)]},
        decide=decide,
        otherwise={"roots": [claim.otherwise, claim.otherwise]},
    )


def grade(
    good: Sequence[str], count: int, text: str, *, refuted: bool = True, when: str = "it is"
) -> tuple[Verdict, str]:
    """Holds if all ``count`` cases are ``good``, holds when … some are, else ``refuted`` or not.

    ``text`` is a sentence without its full stop that gives the numbers.
    """
    if len(good) == count:
        return "holds", f"{text}."
    if good:
        return "holds when …", f"… {when} {'; '.join(good)}. {text}."
    return ("refuted" if refuted else "not shown"), f"{text}."


def normalised(mean: Array, sd: Array, layers: slice = SETTLED) -> bool:
    """Whether the intervals of mean and standard deviation stay in their bands in these layers."""
    return all(
        band[0] < end.low and end.high < band[1]
        for values, band in ((mean, MEAN_BAND), (sd, SD_BAND))
        for end in map(stats.mean_interval, values.T[layers])
    )


def digits_in(count: int = 100) -> Tensor:
    """The first standardised training digits, (count, 64)."""
    return torch.from_numpy(datasets.load("digits").x_train[:count])


def _saturation(seed: int) -> Evidence:
    from actlab.frameworks import keras, torch

    record = catalog.get("elu")
    x = -np.random.default_rng(seed).uniform(20, 1000, 1000)
    grid = -np.arange(0, 120, 0.25)
    errors, silent = [], {}
    for name, framework in (("PyTorch", torch), ("Keras", keras)):
        for alpha in (0.5, 1.0, 2.0):
            y = framework.values(record, x, "float32", alpha=alpha)
            errors.append(float(np.abs(y / alpha + 1).max()))
        silent[name] = float(grid[framework.gradients(record, grid, "float32") == 0].max())
    return {"largest_error": max(errors), "gradient_zero_below": silent}


def _decide_saturation(evidence: Evidence) -> tuple[Verdict, str]:
    if evidence["largest_error"] > 1e-6:
        return "refuted", f"An output is off −α by {evidence['largest_error']:.2g} of it."
    silent = evidence["gradient_zero_below"]
    return "holds", (
        "Below −20 both frameworks return −α to seven digits, for every α tried. The gradient "
        f"tells them apart: in float32 it is exactly 0 from {silent['Keras']:g} on in Keras, "
        f"which computes it from the output, and from {silent['PyTorch']:g} on in PyTorch, "
        "which computes it from the input."
    )


def _costs(seed: int) -> Evidence:
    """Seconds of ELU relative to ReLU and leaky ReLU; the root seeds are the halves of the runs."""
    table = studies.load("activation_cost")
    half = table[table["round"] % 2 == seed % 2]
    return {
        f"{framework} {what}": {
            rival: interval(cost.ratios(half, framework, what, rival)["elu"])
            for rival in ("relu", "leaky_relu")
        }
        for framework in ("torch", "keras")
        for what in ("function", "step")
    }


def _decide_costs(evidence: Evidence) -> tuple[Verdict, str]:
    alone = [
        evidence[f"{f} function"][r] for f in ("torch", "keras") for r in evidence[f"{f} step"]
    ]
    steps = {f: evidence[f"{f} step"]["relu"] for f in ("torch", "keras")}
    text = (
        f"Forward and backward alone, ELU takes {min(a[0] for a in alone):.1f} to "
        f"{max(a[0] for a in alone):.1f} times as long as ReLU and leaky ReLU; a whole training "
        f"step takes {steps['torch'][0]:.2f} times as long as with ReLU in PyTorch and "
        f"{steps['keras'][0]:.2f} times in Keras"
    )
    slower_alone = all(low > 1 for _, low, _ in alone)
    slower_step = all(low > 1.05 for _, low, _ in steps.values())
    if slower_alone and slower_step:
        return "holds", f"{text}."
    if slower_alone:
        return "holds when …", f"… the function is timed alone. {text}."
    no_slower = any(high < 1.05 for _, _, high in alone)
    return ("refuted" if no_slower else "not shown"), f"{text}."


# --- Claims: signals in untrained networks -----------------------------------------------------

_STARTS = {
    "LeCun normal": (1.0, 0.0),
    "He normal": (2.0, 0.0),
    "gain 3/4": (9 / 16, 0.0),
    "PyTorch default": (1 / 3, 1 / 3),
}


def _lost_gradients(activation: str, seed: int, depth: int) -> dict[str, Array]:
    x = digits_in()
    return {
        name: decades_lost(gradient_norms(x, Start(activation, weights, biases), depth, seed))
        for name, (weights, biases) in _STARTS.items()
    }


def _elu_gradient(seed: int) -> Evidence:
    elu, relu = (_lost_gradients(name, seed, 30) for name in ("elu", "relu"))
    return {
        name: {
            "relu": interval(relu[name]),
            "elu": interval(elu[name]),
            "saved": interval(relu[name] - elu[name]),
        }
        for name in _STARTS
    }


def _decide_elu_gradient(evidence: Evidence) -> tuple[Verdict, str]:
    vanishing = {name: e for name, e in evidence.items() if e["relu"][1] > 0.5}
    saved = [name for name, e in vanishing.items() if e["saved"][1] > 0]
    text = "Over 30 layers a gradient loses, in powers of ten: " + "; ".join(
        f"{name} ReLU {e['relu'][0]:.1f}, ELU {e['elu'][0]:.1f}" for name, e in evidence.items()
    )
    # Without a start under which ReLU's gradient vanishes there is nothing to hold.
    return grade(saved, len(vanishing) or 1, text, when="the start is")


def _selu_gradient(seed: int) -> Evidence:
    return {name: interval(lost) for name, lost in _lost_gradients("selu", seed, depth=50).items()}


def _decide_selu_gradient(evidence: Evidence) -> tuple[Verdict, str]:
    kept = [name for name, (_, _, high) in evidence.items() if high < 1]
    text = "Over 50 layers the gradient loses, in powers of ten: " + "; ".join(
        f"{name} {mean:+.1f}" for name, (mean, _, _) in evidence.items()
    )
    if min(mean for mean, _, _ in evidence.values()) < 0:
        text += " (minus: it grows on the way back)"
    return grade(kept, len(evidence), text, when="the start is")


def _attraction(seed: int) -> Evidence:
    """Layer 30, for inputs far from mean 0 and standard deviation 1."""
    ends = {}
    for shift in (-2.0, 0.0, 2.0):
        for stretch in (0.1, 1.0, 5.0):
            start = Start(shift=shift, stretch=stretch)
            mean, sd = layer_moments(digits_in(), start, 30, seed)
            ends[f"mean {shift:g}, sd {stretch:g}"] = {
                "mean": interval(mean[:, -1]),
                "sd": interval(sd[:, -1]),
            }
    return {"ends": ends}


def _decide_attraction(evidence: Evidence) -> tuple[Verdict, str]:
    ends = evidence["ends"]
    there = [
        name
        for name, e in ends.items()
        if e["mean"][1] > -0.1 and e["mean"][2] < 0.1 and e["sd"][1] > 0.9 and e["sd"][2] < 1.1
    ]
    sds = [e["sd"][0] for e in ends.values()]
    text = (
        f"{len(there)} of {len(ends)} kinds of input, with means from −2 to 2 and standard "
        "deviations from 0.1 to 5, come out of layer 30 within 0.1 of mean 0 and standard "
        f"deviation 1 (standard deviations from {min(sds):.2f} to {max(sds):.2f})"
    )
    return grade(there, len(ends), text, when="the input is one of")


def _gain(seed: int) -> Evidence:
    gain = torch.nn.init.calculate_gain("selu")
    mean, sd = layer_moments(digits_in(), Start(weight_variance=gain**2), 30, seed)
    return {
        "gain": gain,
        "normalised": normalised(mean, sd),
        "sd": {str(layer): interval(sd[:, layer - 1]) for layer in (1, 10, 30)},
    }


def _decide_gain(evidence: Evidence) -> tuple[Verdict, str]:
    sds = ", ".join(f"{sd[0]:.2f} after layer {layer}" for layer, sd in evidence["sd"].items())
    text = f"With the gain {evidence['gain']:g} the standard deviation is {sds}."
    if evidence["normalised"]:
        return "holds", text
    high = evidence["sd"]["30"][2]
    return ("refuted" if high < SD_BAND[0] else "not shown"), text


# --- Claims: the four requirements -------------------------------------------------------------

_INITS = {
    "Glorot uniform": "keras",
    "orthogonal": "orthogonal",
    "He normal": "he_normal",
    "PyTorch default": "torch",
}


def _kept(mean: Array, sd: Array) -> dict[str, Any]:
    return {
        "kept": normalised(mean, sd),
        "mean": interval(mean[:, -1]),
        "sd": interval(sd[:, -1]),
    }


def _accuracy_lost(seed: int, broken: str, intact: str = "as the paper asks") -> Evidence:
    """Test accuracy, intact minus broken, both tuned: data set → interval, in points."""
    from actlab.claims.elu_selu_training import accuracies

    table = studies.load("selu_broken")
    return {
        data: interval(
            100
            * (
                accuracies(table, seed, data, "selu", intact)
                - accuracies(table, seed, data, "selu", broken)
            )
        )
        for data in sorted(table.data.unique())
    }


def _without_lecun(seed: int) -> Evidence:
    moments = {
        name: engine_moments(digits_in(), 30, root_seeds(seed), activation="selu", init=init)
        for name, init in _INITS.items()
    }
    return {
        name: {**_kept(*found), "lost": _accuracy_lost(seed, name)}
        for name, found in moments.items()
    }


def _without(*broken: str, against: Mapping[str, str] | None = None) -> Any:
    """How the claims on the other three requirements measure: these rows of the matrix."""

    def measure(seed: int) -> Evidence:
        evidence = {}
        for name in broken:
            found = layer_moments(digits_in(), BREAK_IT[name], 30, seed)
            intact = (against or {}).get(name, "as the paper asks")
            evidence[name] = {**_kept(*found), "lost": _accuracy_lost(seed, name, intact)}
        return evidence

    return measure


def decide_requirement(evidence: Evidence) -> tuple[Verdict, str]:
    """The rule shared by the four requirements (see ``_RULE``)."""
    off = [name for name, e in evidence.items() if not e["kept"]]
    costly = [name for name, e in evidence.items() if all(v[1] > 0 for v in e["lost"].values())]
    text = "; ".join(
        f"{name}: standard deviation {_number(e['sd'][0])} at layer 30, accuracy lost "
        + " and ".join(f"{v[0]:.1f} points ({data})" for data, v in e["lost"].items())
        for name, e in evidence.items()
    )
    if len(off) == len(costly) == len(evidence):
        return "holds", f"Breaking it costs both. {text[0].upper()}{text[1:]}."
    if not off and not costly:
        free = all(v[2] < 1 for e in evidence.values() for v in e["lost"].values())
        verdict: Verdict = "refuted" if free else "not shown"
        return verdict, f"Breaking it costs neither, as far as can be seen. {text}."
    both = [name for name in off if name in costly]
    parts = [
        f"the break is {' or '.join(names)}{purpose}"
        for names, purpose in (
            (both, ""),
            ([n for n in off if n not in both], " and you want normalisation"),
            ([n for n in costly if n not in both], " and you want accuracy"),
        )
        if names
    ]
    return "holds when …", f"… {', or '.join(parts)}. {text}."


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}" if abs(value) < 100 else f"{value:,.0f}"


_MATRIX = (
    "Untrained SELU networks (30 layers of 128 units, 100 digits, 20 networks), and trained ones "
    "(12 layers of 64 units, digits and 2,000 examples of MNIST-1D, learning rate tuned for each, "
    "20 seeds), intact and broken in this one point: "
)
_RULE = (
    "A way of breaking it costs normalisation if a 95 % interval leaves −0.2 to 0.2 for the mean "
    "or 0.8 to 1.25 for the standard deviation in any of layers 11 to 30, and costs accuracy if "
    "the 95 % interval of the test accuracy lost (paired) lies above 0 on both data sets. Holds if "
    "every way tried costs both; holds when … some cost one of the two; refuted if none costs "
    "either and the intervals of the accuracy lost end below 1 point."
)
_KEPT: dict[str, Any] = {"kept": True, "mean": [0.0, 0.0, 0.0], "sd": [1.0, 1.0, 1.0]}
_FREE = {"digits": [0.0, -0.5, 0.5], "mnist1d": [0.0, -0.5, 0.5]}
_LOST: dict[str, Any] = {"kept": False, "mean": [0.0, 0.0, 0.0], "sd": [0.1, 0.1, 0.1]}
_DEAR = {"digits": [5.0, 4.0, 6.0], "mnist1d": [5.0, 4.0, 6.0]}

_CLAIMS = (
    Claim(
        id="elu-saturates",
        statement="As its input falls, ELU levels off at a negative value, −α.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            "Outputs at 1,000 random inputs between −1000 and −20 for α = 0.5, 1 and 2, both "
            "frameworks; and where their gradients become exactly 0."
        ),
        rule="Holds if every output is −α to a millionth of it; refuted by a single other one.",
        measure=_saturation,
        decide=_decide_saturation,
        otherwise={"largest_error": 0.1, "gradient_zero_below": {"PyTorch": -104, "Keras": -17}},
    ),
    Claim(
        id="elu-costs-more",
        statement="ELU is slower to compute than ReLU and its kin, because of the exponential.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            "Forward and backward over a million numbers, and a whole training step of a "
            "784-[512, 256, 256, 128]-10 network, both frameworks, CPU; time relative to ReLU's "
            "and leaky ReLU's in the same round."
        ),
        rule=(
            "Holds if ELU alone takes longer than both (95 % interval above 1) in both frameworks "
            "and a training step takes more than 5 % longer than with ReLU in both; holds when … "
            "only the first is so; refuted if ELU alone takes less than 5 % longer than one of the "
            "two in a framework (95 % interval below 1.05)."
        ),
        measure=_costs,
        decide=_decide_costs,
        otherwise={
            f"{framework} {what}": {"relu": [0.9, 0.8, 0.99], "leaky_relu": [0.9, 0.8, 0.99]}
            for framework in ("torch", "keras")
            for what in ("function", "step")
        },
        cheap=False,
    ),
    Claim(
        id="elu-vanishing",
        statement="ELU weakens the vanishing of gradients.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            "Untrained networks of 30 layers of 128 units, ELU and ReLU with the same weights, "
            "four initialisations, 20 networks: how many powers of ten the gradient of the layers' "
            "outputs loses from the last layer to the first."
        ),
        rule=(
            "Counted are the initialisations under which ReLU loses more than half a power of ten. "
            "Holds if ELU loses less under all of them (paired 95 % interval); holds when … under "
            "some; refuted under none."
        ),
        measure=_elu_gradient,
        decide=_decide_elu_gradient,
        otherwise={
            "PyTorch default": {
                "relu": [5.0, 4.9, 5.1],
                "elu": [6.0, 5.9, 6.1],
                "saved": [-1.0, -1.2, -0.8],
            }
        },
    ),
    Claim(
        id="selu-attracting",
        statement=(
            "Mean 0 and variance 1 are a stable, attracting fixed point of a SELU layer: the "
            "signal returns to them from elsewhere."
        ),
        source=PAPER,
        chapter=CHAPTER,
        experiment=(
            "Nine kinds of input (means −2, 0, 2; standard deviations 0.1, 1, 5) through 30 "
            "untrained SELU layers of 128 units, LeCun normal, 20 networks."
        ),
        rule=(
            "Holds if behind layer 30 the 95 % intervals of mean and standard deviation lie within "
            "0.1 of 0 and 1 for all nine; holds when … for some; refuted for none."
        ),
        measure=_attraction,
        decide=_decide_attraction,
        otherwise={"ends": {"mean 0, sd 1": {"mean": [1.0, 0.9, 1.1], "sd": [3.0, 2.9, 3.1]}}},
    ),
    Claim(
        id="selu-gain",
        statement="The gain that suits SELU is the one that calculate_gain('selu') returns.",
        source=(
            "[torch.nn.init.calculate_gain]"
            "(https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain)"
        ),
        chapter=CHAPTER,
        experiment=(
            "Untrained SELU networks of 30 layers of 128 units, weights normal with standard "
            "deviation gain/√n, 20 networks."
        ),
        rule=(
            "Holds if mean and standard deviation stay within −0.2 to 0.2 and 0.8 to 1.25 in "
            "layers 11 to 30 (95 % intervals); refuted if the standard deviation of layer 30 lies "
            "below 0.8."
        ),
        measure=_gain,
        decide=_decide_gain,
        otherwise={"gain": 1.0, "normalised": True, "sd": {"30": [1.0, 0.98, 1.02]}},
    ),
    Claim(
        id="selu-vanishing",
        statement="Self-normalisation solves the problem of vanishing gradients.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=(
            "Untrained SELU networks of 50 layers of 128 units under four initialisations, 20 "
            "networks: how many powers of ten the gradient of the layers' outputs loses from the "
            "last layer to the first."
        ),
        rule=(
            "Holds if it loses less than one power of ten (95 % interval) under all four; holds "
            "when … under some; refuted under none."
        ),
        measure=_selu_gradient,
        decide=_decide_selu_gradient,
        otherwise={"LeCun normal": [3.0, 2.9, 3.1], "PyTorch default": [5.0, 4.9, 5.1]},
    ),
    Claim(
        id="selu-needs-lecun",
        statement="Self-normalisation needs every weight to be drawn by lecun_normal.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_MATRIX}Glorot uniform, orthogonal, He normal, PyTorch's default.",
        rule=_RULE,
        measure=_without_lecun,
        decide=decide_requirement,
        otherwise={"Glorot uniform": {**_KEPT, "lost": _FREE}},
        cheap=False,
    ),
    Claim(
        id="selu-needs-standardised",
        statement="Self-normalisation needs standardised inputs.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_MATRIX}inputs of mean 5 and sd 5 (like raw digits), inputs of sd 0.1.",
        rule=_RULE,
        measure=_without("input: mean 5, sd 5", "input: sd 0.1"),
        decide=decide_requirement,
        otherwise={"input: sd 0.1": {**_LOST, "lost": _DEAR}},
        cheap=False,
    ),
    Claim(
        id="selu-needs-sequential",
        statement="Self-normalisation needs a purely sequential architecture.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_MATRIX}a skip connection around every layer.",
        rule=_RULE,
        measure=_without("skip connections"),
        decide=decide_requirement,
        otherwise={"skip connections": {**_KEPT, "lost": _FREE}},
        cheap=False,
    ),
    Claim(
        id="selu-needs-alpha-dropout",
        statement="If a self-normalising network uses dropout, it has to be alpha dropout.",
        source=DOCUMENT_SELU,
        chapter=CHAPTER,
        experiment=f"{_MATRIX}plain dropout at 5 % and 10 %, against alpha dropout at that rate.",
        rule=_RULE,
        measure=_without(
            "plain dropout 5 %",
            "plain dropout 10 %",
            against={
                "plain dropout 5 %": "alpha dropout 5 %",
                "plain dropout 10 %": "alpha dropout 10 %",
            },
        ),
        decide=decide_requirement,
        otherwise={"plain dropout 10 %": {**_LOST, "lost": _DEAR}},
        cheap=False,
    ),
)
CLAIMS = tuple(claim if claim.cheap else on_both_roots(claim) for claim in _CLAIMS)
