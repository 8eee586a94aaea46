"""Is ELU's gradient closer to the natural gradient, and is it because of the mean.

The Fisher matrix of a small network is computed exactly: F = E_x[ Jᵀ (diag(p) − p pᵀ) J ] with J
the derivative of the logits by all parameters (Amari, 1998). The natural gradient is
(F + δ)⁻¹ g; damping δ is needed because F is never of full rank.

To tell the mean from the curve: subtracting its mean from every hidden unit's activation and adding
it back through the next layer's biases leaves the network's function, its loss and all slopes f' as
they were. Only the means are gone, and with them the coordinates in which the gradient is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab import data as datasets
from actlab import study
from actlab.claims.elu_selu import CHAPTER, DOCUMENT_ELU, grade, interval, on_both_roots
from actlab.claims.ledger import Claim, Evidence, Verdict
from actlab.claims.relu import root_seeds

if TYPE_CHECKING:
    import pandas as pd

    from actlab.plots import Plot

WIDTH, HIDDEN = 12, 3
DAMPINGS = (0.1, 0.01, 0.001)  # times the mean eigenvalue


class Shifted(nn.Module):
    """f(z) − c, one c for every unit; :func:`centred` gives c back behind it."""

    def __init__(self, function: nn.Module, c: Tensor) -> None:
        super().__init__()
        self.function, self.c = function, c

    def forward(self, z: Tensor) -> Any:
        """(samples, units) in and out."""
        return self.function(z) - self.c


def network(activation: str, features: int, classes: int, seed: int) -> nn.Sequential:
    """Three hidden layers of 12 units, He's start, float64."""
    kind = {"relu": nn.ReLU, "elu": nn.ELU}[activation]
    sizes = [features, *(WIDTH,) * HIDDEN, classes]
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for i in range(len(sizes) - 1):
            linear = nn.Linear(sizes[i], sizes[i + 1], dtype=torch.float64)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [linear, kind()]
    return nn.Sequential(*layers[:-1])


@torch.no_grad()
def centred(model: nn.Sequential, x: Tensor) -> nn.Sequential:
    """The same function, with every hidden activation's mean over ``x`` moved to 0."""
    modules: list[nn.Module] = []
    signal, means = x, torch.zeros(x.shape[1], dtype=x.dtype)
    for module in model:
        signal = module(signal)
        if isinstance(module, nn.Linear):
            copy = nn.Linear(module.in_features, module.out_features, dtype=x.dtype)
            copy.weight.copy_(module.weight)
            copy.bias.copy_(module.bias + module.weight @ means)
            modules.append(copy)
        else:
            means = signal.mean(0)
            modules.append(Shifted(module, means))
    return nn.Sequential(*modules)


def jacobian(model: nn.Sequential, x: Tensor) -> Tensor:
    """Derivatives of the logits by all parameters, (samples, classes, parameters)."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def logits(values: dict[str, Tensor], row: Tensor) -> Tensor:
        result: Tensor = torch.func.functional_call(model, values, (row[None],))[0]
        return result

    found = torch.func.vmap(torch.func.jacrev(logits), (None, 0))(parameters, x)
    return torch.cat([found[name].flatten(2) for name in parameters], 2)


def geometry(model: nn.Sequential, x: Tensor, y: Tensor) -> dict[str, float]:
    """How curved the way is: the gradient against the natural gradient, and the Fisher matrix.

    - ``cosine_…``: between gradient and natural gradient, for each damping;
    - ``condition``: the largest eigenvalue of the Fisher matrix over the mean one;
    - ``mean_activation``: size of the hidden units' means, as a share of the root mean square.
    """
    with torch.no_grad():
        signal, shares = x, []
        for module in model:
            signal = module(signal)
            if not isinstance(module, nn.Linear):
                shares.append((signal.mean(0).norm() / signal.square().mean(0).sum().sqrt()).item())
        j = jacobian(model, x)
        p = torch.softmax(signal, 1)
        error = p - nn.functional.one_hot(y, p.shape[1])
        gradient = torch.einsum("nc,ncp->p", error, j) / len(x)
        # A root of diag(p) − p pᵀ: (I − p 1ᵀ) diag(√p), so that F = Σ rows ᵀ rows / n.
        rows = (j - torch.einsum("nc,ncp->np", p, j)[:, None]) * p.sqrt()[..., None]
        rows = rows.flatten(0, 1)
        eigenvalues, vectors = torch.linalg.eigh(rows.T @ rows / len(x))
        along = vectors.T @ gradient
        mean = eigenvalues.mean()
        found = {}
        for damping in DAMPINGS:
            natural = along / (eigenvalues + damping * mean)
            cosine = torch.dot(along, natural) / (along.norm() * natural.norm())
            found[f"cosine_{damping:g}"] = cosine.item()
    return {
        **found,
        "condition": (eigenvalues[-1] / mean).item(),
        "mean_activation": float(np.mean(shares)),
    }


def learn(model: nn.Sequential, x: Tensor, y: Tensor, steps: int = 150) -> nn.Sequential:
    """Full-batch gradient descent with momentum, in place."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return model


def small_digits(count: int = 300) -> tuple[Tensor, Tensor]:
    """Digits of 4×4 pixels (means of 2×2 blocks), standardised: (count, 16) and their labels."""
    digits = datasets.load("digits")
    images = torch.from_numpy(digits.x_train[:count]).double().view(-1, 1, 8, 8)
    x = nn.functional.avg_pool2d(images, 2).flatten(1)
    return (x - x.mean()) / x.std(), torch.from_numpy(digits.y_train[:count])


def study_() -> pd.DataFrame:
    """ReLU and ELU, as they are and centred, before and after 150 steps; two roots × 20 seeds."""
    import pandas as pd

    x, y = small_digits()
    rows = []
    for root in (0, 1):
        for seed in root_seeds(root):
            for name in ("relu", "elu"):
                model = network(name, x.shape[1], 10, seed)
                for when in ("start", "trained"):
                    if when == "trained":
                        learn(model, x, y)
                    for arm, arms_model in ((name, model), (f"{name} centred", centred(model, x))):
                        found = geometry(arms_model, x, y)
                        rows.append({"root": root, "seed": seed, "when": when, "arm": arm, **found})
    table = pd.DataFrame(rows)
    floats = table.columns[table.dtypes == "float64"]
    return table.astype(dict.fromkeys(floats, "float32"))


def _values(table: pd.DataFrame, arm: str, when: str, column: str) -> np.ndarray[Any, Any]:
    part = table[(table.arm == arm) & (table.when == when)].sort_values("seed")
    return np.asarray(part[column], dtype=np.float64)


def mean_figure(table: pd.DataFrame, damping: float = 0.01) -> Plot:
    """Size of the mean activation against the cosine, before and after training (one root)."""
    from actlab import plots

    arms = {
        "relu": "ReLU",
        "relu centred": "ReLU, centred",
        "elu": "ELU",
        "elu centred": "ELU, centred",
    }
    parts: list[Plot] = []
    axes = plots.figure(2, height=3.6, sharey=True)[1]
    for ax, (when, title) in zip(
        axes, {"start": "Untrained", "trained": "Trained"}.items(), strict=True
    ):
        places: dict[str, list[tuple[float, float]]] = {}
        sentences = []
        for arm, name in arms.items():
            x, y = (
                interval(_values(table, arm, when, column))
                for column in ("mean_activation", f"cosine_{damping:g}")
            )
            own = name.split(",")[0]
            hue = plots.colour(own.lower())
            face = "white" if "centred" in name else hue
            ax.plot([x[0], x[0]], y[1:], color=hue)
            marker = plots.MARKERS[own == "ELU"]
            ax.plot(x[0], y[0], marker, color=hue, mfc=face, markersize=8, label=name)
            places[own] = [*places.get(own, []), (x[0], y[0])]
            sentences.append(f"{name} mean {x[0]:.2f}, cosine {y[0]:.2f} [{y[1]:.2f}, {y[2]:.2f}]")
        for own, ends in places.items():
            line = np.array(ends).T
            ax.plot(*line, color=plots.colour(own.lower()), linewidth=1, linestyle=":", zorder=1)
        ax.set_xlim(-0.06, 1.0)
        ax.set_ylim(0, 1)
        lead = places["ELU"][0][1] - places["ReLU"][0][1]
        plots.label(
            ax,
            title=f"{title}: ELU {lead:+.2f}",
            x="mean activation (share of its size)",
            y="" if parts else "cosine, gradient and natural one",
        )
        parts.append(plots.Plot(ax, f"{when}: {'; '.join(sentences)}."))
    axes[0].legend()
    return plots.Plot(axes[0], f"Dots with 95 % intervals. {plots.panels(parts)}")


def _compare(seed: int, pairs: Sequence[tuple[str, str]]) -> Evidence:
    """Cosines of the first arm of each pair minus those of the second, and what else was found."""
    table = study.load("elu_fisher")
    table = table[table.root == seed]
    cosines = {
        f"{a}, {when}": {
            f"{damping:g}": interval(
                _values(table, a, when, f"cosine_{damping:g}")
                - _values(table, b, when, f"cosine_{damping:g}")
            )
            for damping in DAMPINGS
        }
        for a, b in pairs
        for when in ("start", "trained")
    }
    others = {
        f"{arm}, {when}": {
            column: float(_values(table, arm, when, column).mean())
            for column in ("mean_activation", "condition")
        }
        for arm in dict.fromkeys(arm for pair in pairs for arm in pair[::-1])
        for when in ("start", "trained")
    }
    return {"cosine_difference": cosines, "others": others}


def _decide(evidence: Evidence, against: str) -> tuple[Verdict, str]:
    differences = evidence["cosine_difference"]
    closer = {
        case: [d for d, (_, low, _) in by.items() if low > 0] for case, by in differences.items()
    }
    cases = sum(len(dampings) for dampings in differences.values())
    larger = sum(map(len, closer.values()))
    smaller = sum(high < 0 for by in differences.values() for _, _, high in by.values())
    text = (
        f"The cosine is larger than {against} in {larger} of {cases} cases and smaller "
        f"in {smaller}. Difference at dampings {', '.join(f'{d:g}' for d in DAMPINGS)}: "
        + "; ".join(
            f"{case} {', '.join(f'{mean:+.2f}' for mean, _, _ in dampings.values())}"
            for case, dampings in differences.items()
        )
        + ". Size of the mean activations, and largest Fisher eigenvalue over the mean one: "
        + "; ".join(
            f"{name} {e['mean_activation']:.2f} and {e['condition']:.0f}"
            for name, e in evidence["others"].items()
        )
    )
    if larger == cases:
        return "holds", f"{text}."
    parts = [
        case + ("" if len(dampings) == len(DAMPINGS) else f" at damping {', '.join(dampings)}")
        for case, dampings in closer.items()
        if dampings
    ]
    return grade(parts, cases, text, refuted=smaller == cases)


_EXPERIMENT = (
    "Digits of 4×4 pixels, three hidden layers of 12 units, He's start, 20 seeds, before and after "
    "150 steps of training: the exact Fisher matrix, and the cosine between the gradient and the "
    "natural gradient at three dampings (0.1, 0.01 and 0.001 of the mean eigenvalue)"
)
_NEITHER: dict[str, Any] = {
    "cosine_difference": {"elu, start": {"0.1": [-0.2, -0.3, -0.1]}},
    "others": {},
}

_CLAIMS = (
    Claim(
        id="elu-natural-gradient",
        statement="ELU brings the gradient closer to the natural gradient than ReLU does.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=f"{_EXPERIMENT}; ELU against ReLU.",
        rule=(
            "Holds if the cosine is larger (paired 95 % interval above 0) in all six cases (before "
            "and after training, three dampings); holds when … in some; refuted if it is smaller "
            "in all."
        ),
        measure=lambda seed: _compare(seed, [("elu", "relu")]),
        decide=lambda evidence: _decide(evidence, "ReLU's"),
        otherwise=_NEITHER,
        cheap=False,
    ),
    Claim(
        id="elu-mean-zero",
        statement="Mean activations closer to 0 bring the gradient closer to the natural gradient.",
        source=DOCUMENT_ELU,
        chapter=CHAPTER,
        experiment=(
            f"{_EXPERIMENT}; each network against itself with every hidden unit's mean moved to 0 "
            "and the next layer's biases corrected, which is the same function of the input."
        ),
        rule=(
            "Holds if centring makes the cosine larger (paired 95 % interval above 0) in all 12 "
            "cases (ReLU and ELU, before and after training, three dampings); holds when … in "
            "some; refuted if it makes it smaller in all."
        ),
        measure=lambda seed: _compare(seed, [("relu centred", "relu"), ("elu centred", "elu")]),
        decide=lambda evidence: _decide(evidence, "without centring"),
        otherwise=_NEITHER,
        cheap=False,
    ),
)
CLAIMS = tuple(map(on_both_roots, _CLAIMS))
