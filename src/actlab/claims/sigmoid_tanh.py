"""Chapter "Sigmoid and tanh": what the curves are, and how gradients fade through them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from actlab import catalog, ensemble, plots, stats, study
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds
from actlab.plots import Plot

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

CHAPTER = "03_sigmoid_tanh"
SIGMOID_SECTION = "starting document, section Sigmoid"
TANH_SECTION = "starting document, section TanH"

# --- How a gradient fades: theory and measurement ------------------------------------------------

WIDTH = 64  # as many units as digits has pixels: then every weight matrix is square


def centred_orthogonal(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Orthogonal weights × 4 whose rows sum to zero: a sigmoid network that starts as a tanh one.

    σ(z) = (1 + tanh(z/2)) / 2. The weights of the next layer meet the constant 1/2 with their
    row sum; where that is zero the layer sees tanh(z/2) / 2, whose slope at 0 is 1/4.
    """
    weight = ensemble.INITIALISERS["orthogonal"][0](
        torch.rand(shape, generator=generator, dtype=torch.float64), 1.0
    )
    return 4 * (weight - weight.mean(1, keepdim=True))


@dataclass(frozen=True)
class Start:
    """One way to draw the weights of square layers.

    ``variance``: units × variance of a weight; ``bias``: units × variance of a bias;
    ``init``: what :func:`actlab.ensemble.train` calls it; ``centred``: the rows sum to zero, so
    that a layer does not see a constant in its inputs.
    """

    variance: float
    init: Any
    bias: float = 0.0
    centred: bool = False


STARTS = {
    "PyTorch default": Start(1 / 3, "torch", bias=1 / 3),
    "Glorot": Start(1.0, "glorot_normal"),
    "LeCun": Start(1.0, "lecun_normal"),
    "orthogonal": Start(1.0, "orthogonal"),
    "He": Start(2.0, "he_normal"),
}
CENTRED = "orthogonal × 4, centred"
CENTRED_START = Start(16.0, centred_orthogonal, centred=True)
ACTIVATIONS = ("sigmoid", "tanh", "relu", "selu")
DEPTHS = (2, 5, 10, 20, 50)


@cache
def _normal_quadrature() -> tuple[Array, Array]:
    """Nodes and weights of E[f(z)] ≈ Σ w f(z) for a standard normal z.

    Evenly spaced: spectrally accurate for smooth curves, and an even number of nodes leaves out
    the kink at 0 (Gauss's nodes are too far apart once the curve saturates).
    """
    z = np.linspace(-9, 9, 4000)
    w = np.exp(-(z**2) / 2)
    return z, w / w.sum()


def mean_square(activation: str, variance: float, *, slope: bool = False) -> float:
    """E[f(z)²], or with ``slope`` E[f'(z)²], for a normal z of mean 0 and this variance."""
    z, w = _normal_quadrature()
    record = catalog.get(activation)
    curve = record.derivative if slope else record.reference
    return float(w @ curve(math.sqrt(variance) * z) ** 2)


def mean_output(activation: str, variance: float) -> float:
    """E[f(z)] for a normal z of mean 0 and this variance."""
    z, w = _normal_quadrature()
    return float(w @ catalog.get(activation).reference(math.sqrt(variance) * z))


@dataclass(frozen=True)
class MeanField:
    """What the theory of wide networks expects, one number per hidden layer in each field.

    - ``variance``: of the layer's pre-activations, over units and over draws of the weights.
    - ``factor``: by which the mean square of the gradient shrinks (or grows) when it passes back
      through this layer's slopes and the weights above them:
      units × Var(weight) × E[f'(z)²]. Below 1 it vanishes, above 1 it explodes.
    - ``signal``: mean square of the layer's inputs.
    """

    variance: Array
    factor: Array
    signal: Array

    def gradient(self) -> Array:
        """Expected gradient norm of each layer's weights, relative to the last hidden layer's."""
        # log, because fifty sigmoid layers underflow.
        back = np.append(np.cumsum(np.log(self.factor[:-1])[::-1])[::-1], 0.0)
        forth = np.log(self.signal / self.signal[-1])
        result: Array = np.exp((back + forth) / 2)
        return result

    @property
    def decades_per_layer(self) -> float:
        """Slope of log10(gradient norm) per layer on the way back, deep inside the network."""
        return float(np.log10(self.factor[-1]) / 2)


def mean_field(activation: str, start: Start, depth: int, width: int = WIDTH) -> MeanField:
    """Follow the variance of the signal from layer to layer (Schoenholz et al., 2017, eq. 3–5).

    The input has mean square 1. ``start.variance`` and ``start.bias`` as in :class:`Start`.
    """
    rows = []
    signal, offset = 1.0, 0.0
    for _ in range(depth):
        seen = signal - offset**2 if start.centred else signal
        variance = start.variance * seen + start.bias / width
        factor = start.variance * mean_square(activation, variance, slope=True)
        rows.append((variance, factor, signal))
        signal, offset = mean_square(activation, variance), mean_output(activation, variance)
    return MeanField(*(np.array(column) for column in zip(*rows, strict=True)))


def critical_gain(activation: str, depth: int = 200) -> float:
    """The factor on orthogonal (or LeCun's) weights at which gradients keep their size.

    Looked for between 1 and 20; raises ``ValueError`` where there is none.
    """
    from scipy.optimize import brentq

    def excess(gain: float) -> float:
        return float(mean_field(activation, Start(gain**2, None), depth).factor[-1]) - 1

    return float(brentq(excess, 1, 20, xtol=1e-6))


def gradient_profile(
    x: Array,
    y: npt.NDArray[np.int64],
    *,
    activation: str,
    init: Any,
    depth: int,
    seed: int,
    gain: float = 1.0,
    width: int = WIDTH,
) -> Array:
    """Gradient norm of every hidden layer's weights for one example: root mean square over ``x``.

    ``x`` (examples, features), ``y`` (examples,); ``depth`` hidden layers before a softmax with
    cross-entropy; ``init`` and ``gain`` as in :func:`actlab.ensemble.train`. In float64, and by
    hand: through fifty sigmoid layers the gradient shrinks below the smallest float32.
    """
    record = catalog.get(activation)
    settings = ensemble.Settings(
        activation=activation, hidden=(width,) * depth, init=init, gain=gain
    )
    sizes = settings.layer_sizes(x.shape[1], int(y.max()) + 1)
    layers = [
        (weight.numpy(), bias.numpy())
        for weight, bias in ensemble.initial_weights(settings, sizes, seed)
    ]
    signal, inputs, slopes = x, [], []
    for weight, bias in layers[:-1]:
        inputs.append(signal)
        z = signal @ weight.T + bias
        slopes.append(record.derivative(z))
        signal = record.reference(z)
    logits = signal @ layers[-1][0].T + layers[-1][1]
    gradient = catalog.get("softmax").reference(logits)
    gradient[np.arange(len(y)), y] -= 1
    norms = []
    for (weight, _), slope, h in zip(layers[:0:-1], slopes[::-1], inputs[::-1], strict=True):
        gradient = (gradient @ weight) * slope
        # The gradient of one example's weights is the outer product of these two.
        squares = (gradient**2).sum(1) * (h**2).sum(1)
        norms.append(math.sqrt(squares.mean()))
    return np.array(norms[::-1])


def some_digits(count: int = 256) -> tuple[Array, npt.NDArray[np.int64]]:
    """The first training digits, scaled to a mean square of 1 each: (count, 64) and labels."""
    from actlab import data

    digits = data.load("digits")
    x = digits.x_train[:count].astype(np.float64)
    return x / np.sqrt((x**2).mean(1, keepdims=True)), digits.y_train[:count]


def gradients_study() -> pd.DataFrame:
    """Gradient norms at the start: activations × starts × depths, two roots × 20 seeds.

    ``log_norm`` is log10 of :func:`gradient_profile`; of depths below the largest only the first
    and the last hidden layer are kept.
    """
    import pandas as pd

    x, y = some_digits()
    arms = [(a, name, start.init) for a in ACTIVATIONS for name, start in STARTS.items()]
    arms.append(("sigmoid", CENTRED, centred_orthogonal))
    rows = []
    for root in (0, 1):
        for seed in root_seeds(root):
            for activation, name, init in arms:
                for depth in DEPTHS:
                    norms = gradient_profile(
                        x, y, activation=activation, init=init, depth=depth, seed=seed
                    )
                    layers = range(depth) if depth == max(DEPTHS) else (0, depth - 1)
                    rows += [
                        (root, seed, activation, name, depth, layer + 1, np.log10(norms[layer]))
                        for layer in layers
                    ]
    columns = ["root", "seed", "activation", "start", "depth", "layer", "log_norm"]
    table = pd.DataFrame(rows, columns=columns)
    table["log_norm"] = table.log_norm.round(3).astype("float32")
    for column in ("root", "seed", "depth", "layer"):
        table[column] = table[column].astype("int16")
    return table


def profile(table: pd.DataFrame, activation: str, start: str, depth: int = 50) -> Array:
    """log10 gradient norms of one arm of :func:`gradients_study`: (seeds, layers)."""
    part = table[(table.activation == activation) & (table.start == start) & (table.depth == depth)]
    wide = part.pivot(index="seed", columns="layer", values="log_norm")
    return np.asarray(wide, dtype=np.float64)


def live_profiles(
    activation: str, init: Any, depth: int, seeds: int = 20, gain: float = 1.0
) -> Array:
    """log10 of :func:`gradient_profile`, relative to the last layer, on digits: (seeds, depth)."""
    x, y = some_digits()
    norms = np.log10(
        [
            gradient_profile(
                x, y, activation=activation, init=init, depth=depth, seed=seed, gain=gain
            )
            for seed in range(seeds)
        ]
    )
    result: Array = norms - norms[:, -1:]
    return result


# --- Figures -------------------------------------------------------------------------------------


def _lines(
    ax: Any,
    x: npt.ArrayLike,
    measured: Mapping[str, Array],
    expected: Mapping[str, Array],
    *,
    styles: Mapping[str, Mapping[str, Any]],
    marker: str = "",
) -> Mapping[str, Any]:
    """Measured log10 values (seeds, points) as lines with bands, the theory as dots over them."""
    artists = {}
    for i, (name, values) in enumerate(measured.items()):
        ends = 10 ** np.array(
            [interval(column) if np.ptp(column) else [column[0]] * 3 for column in values.T]
        )
        style = {"color": plots.NEUTRAL[i % len(plots.NEUTRAL)], **styles.get(name, {})}
        artists[name] = plots.band(ax, x, *ends.T, label=name, marker=marker, **style)
        if name in expected:
            artists[f"theory, {name}"] = ax.plot(
                x, 10 ** expected[name], ".", color=plots.INK, markersize=4, zorder=5
            )[0]
    if expected:
        ax.plot([], [], ".", color=plots.INK, label="theory")
    ax.set_yscale("log")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return artists


def fading(
    measured: Mapping[str, Array],
    expected: Mapping[str, Array] | None = None,
    *,
    title: str,
    styles: Mapping[str, Mapping[str, Any]] | None = None,
    ax: Any | None = None,
) -> Plot:
    """Gradient norms layer by layer, relative to the last: ``measured`` log10, (seeds, layers).

    ``expected``: the theory's log10, (layers,), for some of the labels; drawn as dots.
    """
    ax = plots.axis(ax, height=3.8)
    depth = next(iter(measured.values())).shape[1]
    layers = np.arange(1, depth + 1)
    artists = _lines(ax, layers, measured, expected or {}, styles=styles or {})
    y = "gradient norm / last hidden layer's"
    plots.label(ax, title=title, x="hidden layer (1 is nearest the input)", y=y)
    ends = "; ".join(f"{name} 10^{v[:, 0].mean():.1f}" for name, v in measured.items())
    dots = " Black dots, the theory, lie on the lines." if expected else ""
    alt = (
        f"Line plot, logarithmic, of the gradient norm of each of {depth} hidden layers relative "
        f"to the last one's. At the first layer: {ends}.{dots} Bands are 95 % intervals."
    )
    return Plot(ax, alt, artists)


def by_depth(table: pd.DataFrame, activation: str, *, title: str, ax: Any | None = None) -> Plot:
    """First over last hidden layer's gradient norm against depth, one line per initialisation.

    Where initialisations coincide (as Glorot's and LeCun's do between layers of one width) one
    line is drawn for all.
    """
    ax = plots.axis(ax, height=3.8)
    part = table[table.activation == activation]
    groups = {
        "PyTorch default": "PyTorch default",
        "Glorot, LeCun": "Glorot",
        "orthogonal": "orthogonal",
        "He": "He",
    }
    measured, expected = {}, {}
    for name, start in groups.items():
        profiles = {depth: profile(part, activation, start, depth) for depth in DEPTHS}
        measured[name] = np.stack([v[:, 0] - v[:, -1] for v in profiles.values()], 1)
        expected[name] = np.log10(
            [mean_field(activation, STARTS[start], depth).gradient()[0] for depth in DEPTHS]
        )
    styles = {"orthogonal": {"linestyle": "--"}}
    artists = _lines(ax, DEPTHS, measured, expected, styles=styles, marker="o")
    plots.label(ax, title=title, x="hidden layers", y="gradient norm, first / last")
    ends = "; ".join(f"{name} 10^{v[:, -1].mean():.1f}" for name, v in measured.items())
    alt = (
        f"Line plot, logarithmic, for {activation}: gradient norm of the first hidden layer over "
        f"that of the last, for networks of {', '.join(map(str, DEPTHS))} hidden layers. At "
        f"{DEPTHS[-1]} layers: {ends}. Black dots, the theory, lie on the lines."
    )
    return Plot(ax, alt, artists)


def interval(values: npt.ArrayLike) -> list[float]:
    """Mean and 95 % interval as a list, for the evidence."""
    found = stats.mean_interval(values)
    return [found.mean, found.low, found.high]


def _numbers(values: Sequence[float], form: str = ".2f") -> str:
    mean, low, high = values
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"


INNER = slice(9, 40)  # layers 10 to 40 of 50: away from the input and from the loss


def _slopes(seed: int) -> Evidence:
    table = study.load("gradients_at_start")
    table = table[table.root == seed]
    layers = np.arange(50)[INNER]
    cases = {}
    for activation in ACTIVATIONS:
        for name, start in STARTS.items():
            norms = profile(table, activation, name)[:, INNER]
            # Per seed the least-squares slope over the layers; back through the network is down.
            measured = -np.polyfit(layers, norms.T, 1)[0]
            expected = -np.polyfit(layers, np.log10(theory(activation, start)[INNER]), 1)[0]
            cases[f"{activation}, {name}"] = [*interval(measured), float(expected)]
    return {"decades_per_layer": cases}


def theory(activation: str, start: Start, depth: int = 50) -> Array:
    """:meth:`MeanField.gradient` of a deep network."""
    return mean_field(activation, start, depth).gradient()


def _decide_slopes(evidence: Evidence) -> tuple[Verdict, str]:
    cases = evidence["decades_per_layer"]
    errors = {name: abs(mean - expected) for name, (mean, _, _, expected) in cases.items()}
    good = [name for name, error in errors.items() if error < 0.02]
    worst = max(errors, key=lambda name: errors[name])
    span = [mean for mean, *_ in cases.values()]
    text = (
        f"Between {min(span):.2f} and {max(span):+.2f} decades per layer were measured; the "
        f"largest error of the prediction is {errors[worst]:.3f} ({worst})"
    )
    if len(good) == len(cases):
        return "holds", f"{text}."
    if good:
        return "holds when …", f"… the case is one of {len(good)} out of {len(cases)}. {text}."
    return "refuted", f"{text}."


def _first_over_last(seed: int) -> Evidence:
    table = study.load("gradients_at_start")
    table = table[table.root == seed]
    return {
        "log_ratio": {
            name: interval(np.diff(profile(table, "sigmoid", name, 20)[:, ::-1])[:, 0])
            for name in (*STARTS, CENTRED)
        }
    }


def _decide_vanishing(evidence: Evidence) -> tuple[Verdict, str]:
    ratios = evidence["log_ratio"]
    gone = [name for name, (_, _, high) in ratios.items() if high < -3]
    numbers = "; ".join(f"10^{mean:.1f} ({name})" for name, (mean, _, _) in ratios.items())
    text = f"Over twenty layers it changes by a factor of {numbers}".replace("^-", "^−")
    if len(gone) == len(ratios):
        return "holds", f"{text}."
    if gone:
        return "holds when …", f"… the weights are not drawn for this curve. {text}."
    return "refuted", f"{text}."


# --- What the curves are: exact claims, in both frameworks ---------------------------------------

DTYPES = ("float32", "float64")


def _frameworks() -> dict[str, Any]:
    from actlab.frameworks import keras, torch

    return {"PyTorch": torch, "Keras": keras}


def _two_softmax(seed: int) -> Evidence:
    """Largest relative difference of σ(x) and softmax([x, 0])₀, in units of machine epsilon."""
    x = np.random.default_rng(seed).uniform(-30, 30, 10_000)
    pairs = np.stack([x, np.zeros_like(x)], 1)
    worst = {}
    for name, framework in _frameworks().items():
        for dtype in DTYPES:
            single = framework.values(catalog.get("sigmoid"), x, dtype)
            double = framework.values(catalog.get("softmax"), pairs, dtype)[:, 0]
            difference = np.abs(single - double) / double
            worst[f"{name} {dtype}"] = float(difference.max() / np.finfo(dtype).eps)
    return {"epsilons": worst}


def _decide_two_softmax(evidence: Evidence) -> tuple[Verdict, str]:
    worst = max(evidence["epsilons"].values())
    if worst > 10:
        return "refuted", f"The two differ by up to {worst:.0f} machine epsilons."
    return "holds", (
        "Over 10,000 logits, in float32 and float64 and in both frameworks, the two differ by a "
        "few machine epsilons at most. It is the second *logit* that is 0, not the second "
        "probability."
    )


def _smooth_gradient(seed: int) -> Evidence:
    """Largest change of the slope between neighbours, over their distance."""
    h = 1e-3
    x = np.random.default_rng(seed).uniform(0, h) + np.arange(-10, 10, h)
    record = catalog.get("sigmoid")
    return {
        "curvature": {
            name: float(np.abs(np.diff(framework.gradients(record, x, "float64"))).max() / h)
            for name, framework in _frameworks().items()
        }
    }


def _decide_smooth_gradient(evidence: Evidence) -> tuple[Verdict, str]:
    largest = max(evidence["curvature"].values())
    limit = 1 / (6 * math.sqrt(3))
    text = (
        f"the slope changes by at most {largest:.4f} times the step (the largest curvature is "
        f"1/(6√3) = {limit:.4f})"
    )
    if largest <= 1.001 * limit:
        return "holds", f"In both frameworks {text}."
    return "refuted", f"A jump was found: {text}."


def _output_jumps(seed: int) -> Evidence:
    """Largest change of the output over a step of 1e-6, by whether the gradient is smooth."""
    h = 1e-6
    rng = np.random.default_rng(seed)
    jumps: dict[str, dict[str, float]] = {"smooth": {}, "not smooth": {}}
    for record in catalog.records():
        known = all(isinstance(v, float | int | str | None) for v in record.defaults.values())
        if record.kind != "elementwise" or record.stochastic or not known:
            continue
        properties = record.properties
        kinks = [kink for kink in properties.kinks if abs(kink) < 5]
        x = np.concatenate([rng.uniform(-5, 5, 10_000), *([k - h / 2] for k in kinks)])
        change = np.abs(record.reference(x + h) - record.reference(x)).max()
        kind = "smooth" if properties.smoothness >= 1 else "not smooth"
        jumps[kind][record.name] = float(change / h)
    return {kind: dict(sorted(found.items())) for kind, found in jumps.items()}


def _decide_output_jumps(evidence: Evidence) -> tuple[Verdict, str]:
    rough = evidence["not smooth"]
    calm = [name for name, slope in rough.items() if slope < 1000]
    jump = [name for name in rough if name not in calm]
    if not calm:
        return "holds", f"Without a smooth gradient the output jumps: {', '.join(jump)}."
    return "refuted", (
        f"{len(calm)} of {len(rough)} functions without a smooth gradient have no jump in their "
        f"output either, ReLU among them ({', '.join(jump)} jump). What limits a change of the "
        "output is the size of the slope, not its smoothness."
    )


def _beyond_five(seed: int) -> Evidence:
    """How far σ is from its limits at ±5 and beyond; where it comes within 0.001."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([[5.0], 5 + rng.exponential(3, 10_000)])
    record = catalog.get("sigmoid")
    errors = []
    for framework in _frameworks().values():
        errors += [
            np.abs(framework.values(record, -x, "float32")).max(),
            np.abs(framework.values(record, x, "float32") - 1).max(),
        ]
    low, high = record.saturates_beyond(0.01)
    return {
        "largest_error": float(max(errors)),
        "slope_left": float(record.derivative(5.0) / record.derivative(0.0)),
        "slope_below_1_percent": [low, high],
    }


def _decide_beyond_five(evidence: Evidence) -> tuple[Verdict, str]:
    error, slope = evidence["largest_error"], evidence["slope_left"]
    text = (
        f"Beyond ±5 the sigmoid is within {error:.4f} of 0 or 1, in both frameworks; at ±5 it "
        f"still has {slope:.1%} of its largest slope, and less than 1 % from "
        f"±{evidence['slope_below_1_percent'][1]:.2f} on"
    )
    return ("holds" if error <= 0.01 else "refuted"), f"{text}."


def _layer_outputs(activation: str, init: Any, seed: int, depth: int = 10) -> list[Array]:
    """Outputs of each hidden layer of an untrained network for some digits: (256, 64) each."""
    record = catalog.get(activation)
    signal, _ = some_digits()
    settings = ensemble.Settings(activation=activation, hidden=(WIDTH,) * depth, init=init)
    sizes = settings.layer_sizes(signal.shape[1], 10)
    outputs = []
    for weight, bias in ensemble.initial_weights(settings, sizes, seed)[:-1]:
        signal = record.reference(signal @ weight.numpy().T + bias.numpy())
        outputs.append(signal)
    return outputs


def _used_range(seed: int) -> Evidence:
    """How much of (0, 1) a unit of the first and of the tenth layer uses, from digit to digit."""
    spans = []
    for one in root_seeds(seed):
        low, high = np.quantile(_layer_outputs("sigmoid", "glorot_uniform", one), [0.05, 0.95], 1)
        spans.append((high - low).mean(1))
    return {"span": [interval(column) for column in np.array(spans).T]}


def _decide_used_range(evidence: Evidence) -> tuple[Verdict, str]:
    first, last = evidence["span"][0], evidence["span"][-1]
    text = (
        f"from digit to digit a unit of the first layer moves over {first[0]:.2f} of its range "
        f"(0, 1), a unit of the tenth over {last[0]:.1g}. Bounded is not normalised"
    )
    if last[1] > 0.5:
        return "holds", f"In an untrained network {text}."
    return ("refuted" if last[2] < 0.1 else "not shown"), f"In an untrained network {text}."


def _offset(seed: int) -> Evidence:
    x = np.random.default_rng(seed).standard_normal(100_000)
    record = catalog.get("sigmoid")
    return {
        name: interval(framework.values(record, x, "float32"))
        for name, framework in _frameworks().items()
    }


def _decide_offset(evidence: Evidence) -> tuple[Verdict, str]:
    mean, low, high = evidence["PyTorch"]
    text = (
        f"For a standard normal input the mean output is {mean:.3f} [{low:.3f}, {high:.3f}]; every "
        "output is positive. (Whether that does harm is another claim.)"
    )
    return ("holds" if low > 0.1 or high < -0.1 else "refuted"), text


def _tanh_identity(seed: int) -> Evidence:
    """Compare tanh x with 2σ(2x) − 1: absolutely, in machine epsilons, and relatively near zero."""
    x = np.random.default_rng(seed).uniform(-20, 20, 10_000)
    tiny = 10.0 ** np.arange(-1.0, -11.0, -1)
    worst, relative = {}, {}
    for name, framework in _frameworks().items():
        for dtype in DTYPES:

            def pair(at: Array, framework: Any = framework, dtype: str = dtype) -> Any:
                # The argument is doubled in the framework's own precision: it is exact.
                doubled = framework.values(catalog.get("sigmoid"), 2 * at, dtype)
                combined = (2 * doubled.astype(dtype) - 1).astype(np.float64)
                return framework.values(catalog.get("tanh"), at, dtype), combined

            tanh, other = pair(x)
            worst[f"{name} {dtype}"] = float(np.abs(tanh - other).max() / np.finfo(dtype).eps)
            tanh, other = pair(tiny)
            relative[f"{name} {dtype}"] = float(np.abs(other / tanh - 1).max())
    return {"epsilons": worst, "relative_near_zero": relative}


def _decide_tanh_identity(evidence: Evidence) -> tuple[Verdict, str]:
    worst = max(evidence["epsilons"].values())
    lost = evidence["relative_near_zero"]["PyTorch float32"]
    if worst > 10:
        return "refuted", f"The two sides differ by up to {worst:.0f} machine epsilons."
    return "holds", (
        "Both sides agree to a few machine epsilons, in both precisions and frameworks, so tanh is "
        "a sigmoid, stretched and centred. (Do not compute it so: for inputs near zero the float32 "
        f"difference loses up to {lost:.0%} of the value.)"
    )


def _tanh_shape(seed: int) -> Evidence:
    h = 1e-3
    x = np.random.default_rng(seed).uniform(0, h) + np.arange(-8, 8, h)
    found = {}
    for name, framework in _frameworks().items():
        y = framework.values(catalog.get("tanh"), x, "float64")
        slope = framework.gradients(catalog.get("tanh"), x, "float64")
        rising = np.flatnonzero(np.diff(np.sign(np.diff(slope))) != 0)
        found[name] = {
            "rises": bool((np.diff(y) >= 0).all()),
            "largest_slope": float((np.abs(np.diff(y)) / h).max()),
            "largest_curvature": float((np.abs(np.diff(slope)) / h).max()),
            "turning_points": x[rising + 1].tolist(),
        }
    return found


def _decide_tanh_shape(evidence: Evidence) -> tuple[Verdict, str]:
    good = all(
        found["rises"]
        and found["largest_slope"] <= 1.001
        and found["largest_curvature"] <= 0.771
        and len(found["turning_points"]) == 1
        and abs(found["turning_points"][0]) < 0.01
        for found in evidence.values()
    )
    if good:
        return "holds", (
            "It rises everywhere, its slope never exceeds 1 nor changes faster than 4/(3√3) times "
            "the step, and turns from rising to falling once, at 0: an S, in both frameworks."
        )
    return "refuted", "It falls, jumps, or bends more than once."


def _labels(seed: int) -> Evidence:
    """Ask a network with a tanh output for labels of −2 and 2, and see who gives way."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((200, 5)).astype(np.float32)
    y = np.where(x[:, :1] > 0, 2.0, -2.0).astype(np.float32)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y.copy())
    largest, losses = [], []
    for one in root_seeds(seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(one)
            model = torch.nn.Sequential(
                torch.nn.Linear(5, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1), torch.nn.Tanh()
            )
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(100):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(inputs), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        losses.append(loss.item())
        largest.append(float(model(inputs).detach().abs().max()))
    return {
        "labels_changed": bool((labels.numpy() != y).any()),
        "largest_output": max(largest),
        "loss": interval(losses),
    }


def _decide_labels(evidence: Evidence) -> tuple[Verdict, str]:
    if evidence["labels_changed"]:
        return "holds", "The labels were changed."
    return "refuted", (
        "The labels stay what they are; it is the *outputs* that end at ±1. Asked for labels of "
        f"±2, 20 trained networks give at most {evidence['largest_output']:.3f} and keep a squared "
        f"error of {_numbers(evidence['loss'])}. Scaling the labels is up to you."
    )


def _centred_outputs(seed: int) -> Evidence:
    """Mean output of each layer over units and inputs, and of single units over the inputs."""
    layers: dict[str, list[list[float]]] = {}
    units: dict[str, list[float]] = {}
    for name, start in STARTS.items():
        means, single = [], []
        for one in root_seeds(seed):
            outputs = _layer_outputs("tanh", start.init, one)
            means.append([float(output.mean()) for output in outputs])
            single.append(float(np.abs(outputs[-1].mean(0)).max()))
        layers[name] = [interval(column) for column in np.array(means).T]
        units[name] = interval(single)
    return {"layer_mean": layers, "most_off_unit": units}


def _decide_centred_outputs(evidence: Evidence) -> tuple[Verdict, str]:
    ends = [abs(e) for layer in evidence["layer_mean"].values() for i in layer for e in i[1:]]
    off = max(evidence["most_off_unit"].values(), key=lambda i: i[0])
    text = (
        f"over five initialisations and ten layers the mean output of a layer stays within "
        f"{max(ends):.3f} of 0. That is the average of a layer; the most off-centre single unit of "
        f"the tenth layer has a mean of up to ±{off[0]:.2f}"
    )
    if max(ends) < 0.1:
        return "holds", f"Before training, {text}."
    return "refuted", f"Before training, {text}."


def _expensive(seed: int) -> Evidence:
    """The sigmoid's time over ReLU's in the same round: mean and 95 % interval."""
    from actlab.claims import cost

    table = study.load("activation_cost")
    half = table[table["round"] % 2 == seed % 2]  # the two root seeds are halves of the rounds
    return {
        f"{framework} {what}": interval(cost.ratios(half, framework, what)["sigmoid"])
        for framework in ("torch", "keras")
        for what in ("function", "step")
    }


def _decide_expensive(evidence: Evidence) -> tuple[Verdict, str]:
    alone = [evidence[f"{framework} function"] for framework in ("torch", "keras")]
    steps = [evidence[f"{framework} step"] for framework in ("torch", "keras")]
    text = (
        f"Alone it takes {alone[0][0]:.1f} times as long as ReLU in PyTorch and {alone[1][0]:.1f} "
        f"times in Keras; a training step takes {steps[0][0]:.2f} and {steps[1][0]:.2f} times as "
        "long"
    )
    function = all(low > 1.5 for _, low, _ in alone)
    step = all(low > 1.05 for _, low, _ in steps)
    if function and step:
        return "holds", f"{text} (on a CPU)."
    if function or step:
        what = "the function alone is timed" if function else "whole steps are timed"
        return "holds when …", f"… {what}. {text} (on a CPU)."
    return "refuted", f"{text} (on a CPU)."


CLAIMS = (
    Claim(
        id="sigmoid-two-softmax",
        statement="The sigmoid is a softmax over two values of which the second is 0.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment=(
            "σ(x) against the first output of softmax([x, 0]) at 10,000 random x from −30 to 30, "
            "both frameworks, float32 and float64."
        ),
        rule=(
            "Holds if the relative difference is at most 10 machine epsilons everywhere; refuted "
            "if it is larger anywhere."
        ),
        measure=_two_softmax,
        decide=_decide_two_softmax,
        otherwise={"epsilons": {"PyTorch float32": 1e4}},
    ),
    Claim(
        id="sigmoid-smooth-gradient",
        statement="The sigmoid has a smooth gradient.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment="Gradients at 20,000 neighbouring inputs from −10 to 10, both frameworks.",
        rule=(
            "Holds if the gradient never changes faster than the sigmoid's largest curvature, "
            "1/(6√3), times the step (within 0.1 %); refuted if it does anywhere."
        ),
        measure=_smooth_gradient,
        decide=_decide_smooth_gradient,
        otherwise={"curvature": {"PyTorch": 1000.0, "Keras": 0.0962}},
    ),
    Claim(
        id="sigmoid-no-jumps",
        statement="It is the smooth gradient that prevents jumps in the output values.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment=(
            "The largest change of the output over a step of 1e-6, for every elementwise function "
            "of the catalog, at 10,000 random inputs and across every kink."
        ),
        rule=(
            "Holds if every function without a smooth gradient jumps (changes by more than 1,000 "
            "steps); refuted if one of them does not."
        ),
        measure=_output_jumps,
        decide=_decide_output_jumps,
        otherwise={"smooth": {"tanh": 1.0}, "not smooth": {"relu": 1e6}},
    ),
    Claim(
        id="sigmoid-beyond-five",
        statement="Below −5 the sigmoid is close to 0, above 5 it is close to 1.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment="Outputs at ±5 and at 10,000 random inputs beyond, both frameworks.",
        rule="Holds if every output is within 0.01 of its limit; refuted if one is not.",
        measure=_beyond_five,
        decide=_decide_beyond_five,
        otherwise={
            "largest_error": 0.05,
            "slope_left": 0.1,
            "slope_below_1_percent": [-8.0, 8.0],
        },
    ),
    Claim(
        id="sigmoid-normalises",
        statement="Its range from 0 to 1 normalises each neuron's output and makes it clear.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Ten sigmoid layers of 64 units, Glorot's start, 256 digits, 20 seeds: how far a "
            "unit's output moves from digit to digit, from its 5th to its 95th percentile."
        ),
        rule=(
            "Holds if a unit of the tenth layer moves over more than half of its range (95 % "
            "interval); refuted if over less than a tenth."
        ),
        measure=_used_range,
        decide=_decide_used_range,
        otherwise={"span": [[0.6, 0.5, 0.7], [0.7, 0.6, 0.8]]},
    ),
    Claim(
        id="sigmoid-not-zero-centred",
        statement="The outputs of the sigmoid are not centred on zero.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment="The mean of 100,000 outputs for standard normal inputs, both frameworks.",
        rule=(
            "Holds if the 95 % interval of the mean lies more than 0.1 away from 0; refuted "
            "otherwise."
        ),
        measure=_offset,
        decide=_decide_offset,
        otherwise={"PyTorch": [0.0, -0.01, 0.01], "Keras": [0.0, -0.01, 0.01]},
    ),
    Claim(
        id="gradient-slope-predicted",
        statement=(
            "Going back through a layer, a gradient changes by the root of units × weight variance "
            "× mean squared slope."
        ),
        source="[Schoenholz et al., 2017](https://arxiv.org/abs/1611.01232)",
        chapter=CHAPTER,
        experiment=(
            "Fifty hidden layers of 64 units, before training, 256 digits, 20 seeds; sigmoid, "
            "tanh, ReLU and SELU under five initialisations; slope of log10 of the weights' "
            "gradient norm over layers 10 to 40, against the theory of infinitely wide networks "
            "(that factor, times the change of the signal that the weights receive)."
        ),
        rule=(
            "Holds if in all 20 cases the mean slope is within 0.02 decades per layer of the "
            "prediction; holds when … in some; refuted if in none."
        ),
        measure=_slopes,
        decide=_decide_slopes,
        otherwise={"decades_per_layer": {"sigmoid, He": [-0.5, -0.51, -0.49, 0.0]}},
        cheap=False,
    ),
    Claim(
        id="sigmoid-vanishing",
        statement="The gradient vanishes in deep networks of sigmoids.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Twenty hidden layers of 64 units, before training, 256 digits, 20 seeds: gradient "
            "norm of the first layer over that of the last hidden layer, for five initialisations "
            "and for orthogonal weights × 4 whose rows sum to zero."
        ),
        rule=(
            "It vanishes where the ratio is below 1/1,000 (95 % interval of its logarithm). Holds "
            "if so under all six; holds when … under some; refuted if under none."
        ),
        measure=_first_over_last,
        decide=_decide_vanishing,
        otherwise={"log_ratio": {"Glorot": [-0.1, -0.2, 0.0]}},
        cheap=False,
    ),
    Claim(
        id="sigmoid-expensive",
        statement="The sigmoid is computationally expensive.",
        source=SIGMOID_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Forward and backward over a million numbers, and a training step of a "
            "784-[512, 256, 256, 128]-10 network, both frameworks, on a CPU, in interleaved "
            "rounds; time relative to ReLU's in the same round."
        ),
        rule=(
            "Holds if the function alone takes more than 1.5 times as long as ReLU and makes a "
            "training step more than 5 % slower, in both frameworks (95 % intervals); holds when … "
            "only one of the two is so in both; refuted otherwise."
        ),
        measure=_expensive,
        decide=_decide_expensive,
        otherwise={
            "torch function": [3.0, 2.9, 3.1],
            "keras function": [3.0, 2.9, 3.1],
            "torch step": [1.3, 1.2, 1.4],
            "keras step": [1.3, 1.2, 1.4],
        },
        cheap=False,
    ),
    Claim(
        id="tanh-s-shaped",
        statement="Tanh is an S-shaped, continuous, differentiable function.",
        source=TANH_SECTION,
        chapter=CHAPTER,
        experiment="Outputs and gradients at 16,000 neighbouring inputs, both frameworks.",
        rule=(
            "Holds if it never falls, its slope never exceeds 1, the slope never changes faster "
            "than the largest curvature 4/(3√3) times the step (within 0.2 %), and turns once, "
            "within 0.01 of 0; refuted otherwise."
        ),
        measure=_tanh_shape,
        decide=_decide_tanh_shape,
        otherwise={
            "PyTorch": {
                "rises": True,
                "largest_slope": 50.0,
                "largest_curvature": 0.7,
                "turning_points": [0.0],
            }
        },
    ),
    Claim(
        id="tanh-is-sigmoid",
        statement="Tanh is like the sigmoid, but centred on zero: tanh x = 2σ(2x) − 1.",
        source=TANH_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Both sides at 10,000 random x from −20 to 20, both frameworks, float32 and float64."
        ),
        rule=(
            "Holds if they differ by at most 10 machine epsilons everywhere (absolutely: both lie "
            "between −1 and 1); refuted if by more anywhere."
        ),
        measure=_tanh_identity,
        decide=_decide_tanh_identity,
        otherwise={
            "epsilons": {"PyTorch float32": 1e5},
            "relative_near_zero": {"PyTorch float32": 1.0},
        },
    ),
    Claim(
        id="tanh-scales-labels",
        statement="Tanh scales the labels to the range from −1 to 1.",
        source=TANH_SECTION,
        chapter=CHAPTER,
        experiment=(
            "20 small networks with a tanh output are trained on labels of −2 and 2; the labels "
            "are compared with what they were, and with the outputs."
        ),
        rule="Holds if the labels were changed; refuted if they are bit for bit what they were.",
        measure=_labels,
        decide=_decide_labels,
        otherwise={"labels_changed": True, "largest_output": 1.0, "loss": [0.0, 0.0, 0.0]},
    ),
    Claim(
        id="tanh-centred-layers",
        statement="With tanh each layer's output is centred on 0 at the beginning of training.",
        source=TANH_SECTION,
        chapter=CHAPTER,
        experiment=(
            "Ten tanh layers of 64 units, before training, 256 digits, five initialisations, 20 "
            "seeds: mean output of each layer over units and inputs."
        ),
        rule=(
            "Holds if the 95 % interval of every layer's mean lies within 0.1 of 0, under every "
            "initialisation; refuted otherwise."
        ),
        measure=_centred_outputs,
        decide=_decide_centred_outputs,
        otherwise={
            "layer_mean": {"Glorot": [[0.5, 0.4, 0.6]]},
            "most_off_unit": {"Glorot": [0.5, 0.4, 0.6]},
        },
    ),
)
