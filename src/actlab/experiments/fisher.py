"""Is the gradient closer to the natural gradient, and is it because of the mean activations.

The Fisher matrix of a small network is computed exactly: F = E_x[ Jᵀ (diag(p) − p pᵀ) J ] with J
the derivative of the logits by all parameters (Amari, 1998). The natural gradient is
(F + δ)⁻¹ g; damping δ is needed because F is never of full rank.

To tell the mean from the curve: subtracting its mean from every hidden unit's activation and adding
it back through the next layer's biases leaves the network's function, its loss and all slopes f' as
they were. Only the means are gone, and with them the coordinates in which the gradient is taken.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from actlab.experiments.seeds import root_seeds
from actlab.experiments.together import in_both, least, shared
from actlab.stats import Interval
from actlab.study import Study, grid_of, load
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTH, HIDDEN = 12, 3
DAMPINGS = (0.1, 0.01, 0.001)  # times the mean eigenvalue
STAGES = {
    "start": "before training",
    "trained": "after 150 steps",
    "loss 1": "at a loss of 1",
    "loss 0.3": "at a loss of 0.3",
}
LONGEST = 2_000  # steps to a loss; whoever is not there by then is looked at as it is


def network(activation: str, features: int, classes: int, seed: int) -> nn.Sequential:
    """Three hidden layers of 12 units, He's start, float64."""
    import torch
    from torch import nn

    kind = {"relu": nn.ReLU, "elu": nn.ELU}[activation]
    sizes = [features, *(WIDTH,) * HIDDEN, classes]
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for into, out in itertools.pairwise(sizes):
            linear = nn.Linear(into, out, dtype=torch.float64)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [linear, kind()]
    return nn.Sequential(*layers[:-1])


def centred(model: nn.Sequential, x: Tensor) -> nn.Sequential:
    """The same function, with every hidden activation's mean over ``x`` moved to 0."""
    import torch
    from torch import nn

    class Shifted(nn.Module):
        """f(z) − c, one c for every unit; the next layer's biases give c back."""

        def __init__(self, function: nn.Module, c: Tensor) -> None:
            super().__init__()
            self.function, self.c = function, c

        def forward(self, z: Tensor) -> Any:
            return self.function(z) - self.c

    moved = copy.deepcopy(model)
    with torch.no_grad():
        for i in range(1, len(model), 2):  # the activations; a linear layer follows
            means = model[: i + 1](x).mean(0)
            moved[i] = Shifted(model[i], means)
            moved[i + 1].bias += model[i + 1].weight @ means
    return moved


def jacobian(model: nn.Sequential, x: Tensor) -> Tensor:
    """Derivatives of the logits by all parameters, (samples, classes, parameters)."""
    import torch

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
    import torch
    from torch import nn

    with torch.no_grad():
        hidden = [model[: i + 1](x) for i in range(1, len(model), 2)]
        shares = [h.mean(0).norm() / h.square().mean(0).sum().sqrt() for h in hidden]
        j = jacobian(model, x)
        p = torch.softmax(model(x), 1)
        error = p - nn.functional.one_hot(y, p.shape[1])
        gradient = torch.einsum("nc,ncp->p", error, j) / len(x)
        # A root of diag(p) − p pᵀ: (I − p 1ᵀ) diag(√p), so that F = Σ rows ᵀ rows / n.
        rows = (j - torch.einsum("nc,ncp->np", p, j)[:, None]) * p.sqrt()[..., None]
        rows = rows.flatten(0, 1)
        eigenvalues, vectors = torch.linalg.eigh(rows.T @ rows / len(x))
        along = vectors.T @ gradient
        mean = eigenvalues.mean()
        cosines = {}
        for damping in DAMPINGS:
            natural = along / (eigenvalues + damping * mean)
            cosine = torch.cosine_similarity(along, natural, dim=0)
            cosines[f"cosine_{damping:g}"] = cosine.item()
    return {
        **cosines,
        "condition": (eigenvalues[-1] / mean).item(),
        "mean_activation": torch.stack(shares).mean().item(),
    }


def learn(model: nn.Sequential, x: Tensor, y: Tensor, steps: int, loss: float = 0.0) -> None:
    """Full-batch gradient descent with momentum, in place: so many steps, or to that loss."""
    import torch
    from torch import nn

    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        now = nn.functional.cross_entropy(model(x), y)
        if now.item() <= loss:
            return
        now.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def small_digits(count: int = 300) -> tuple[Tensor, Tensor]:
    """Digits of 4×4 pixels (means of 2×2 blocks), standardised: (count, 16) and their labels."""
    import torch
    from torch import nn

    from actlab import data

    digits = data.load("digits")
    images = torch.from_numpy(digits.x_train[:count]).double().view(-1, 1, 8, 8)
    x = nn.functional.avg_pool2d(images, 2).flatten(1)
    return (x - x.mean()) / x.std(), torch.from_numpy(digits.y_train[:count])


def fisher_cell(root: int, activation: str, *, stages: Mapping[str, tuple[int, float]]) -> Any:
    """One activation as it is and centred, at every stage; stage → most steps, and the loss."""
    x, y = small_digits()
    rows: list[dict[str, Any]] = []
    for seed in root_seeds(root):
        for when, (steps, loss) in stages.items():
            model = network(activation, x.shape[1], 10, seed)
            learn(model, x, y, steps, loss)
            for arm, its in ((activation, model), (f"{activation} centred", centred(model, x))):
                rows.append({"seed": seed, "when": when, "arm": arm, **geometry(its, x, y)})
    table = pd.DataFrame(rows)
    floats = table.columns[table.dtypes == "float64"]
    return table.astype(dict.fromkeys(floats, "float32"))


_AXES = {"root": (0, 1), "activation": ("relu", "elu")}
AT_STEPS = Study(
    name="elu_fisher",
    title="Gradient and natural gradient before training and after 150 steps",
    task=fisher_cell,
    axes=_AXES,
    settings={"stages": {"start": (0, 0.0), "trained": (150, 0.0)}},
)
AT_LOSS = Study(
    name="fisher_at_loss",
    title="Gradient and natural gradient when the loss is the same",
    task=fisher_cell,
    axes=_AXES,
    settings={"stages": {"loss 1": (LONGEST, 1.0), "loss 0.3": (LONGEST, 0.3)}},
)
STUDIES = (AT_STEPS, AT_LOSS)


def closer(pairs: Mapping[str, tuple[str, str]], root: int, level: Level) -> Evidence:
    """The smallest gain in cosine over the dampings, of the first arm of a pair on the second.

    ``pairs``: the level of a factor → two arms. Both runs are looked at, whatever the ``root``.
    """
    table = pd.concat([load(study.name) for study in STUDIES], ignore_index=True)
    table["seed"] %= 1000  # within its run
    sure = level(len(pairs) * len(STAGES))
    cases: dict[Case, Interval] = {}
    notes: dict[str, float] = {}
    for (name, arms), (when, words) in itertools.product(pairs.items(), STAGES.items()):
        read = partial(grid_of, table, rows="root", columns="seed", when=when)
        gains = []
        for damping in DAMPINGS:
            ours, theirs = (read(f"cosine_{damping:g}", arm=arm) for arm in arms)
            gain = in_both(ours - theirs, shared(sure, len(DAMPINGS)))
            gains.append(gain)
            notes[f"{name}, {words}, damping {damping:g}"] = gain.mean
        cases[name, words] = least(gains, sure)
        for column in ("mean_activation", "condition"):
            what = f"{arms[0]}, {words}, {column.replace('_', ' ')}"
            notes[what] = float(read(column, arm=arms[0]).mean())
    return {GAIN: Measured(cases, ("activation", "when"), notes=notes)}


GAIN = "smallest gain in cosine"
CLOSER = Rule({GAIN: above(0)}, together=True)

_PROSE = (
    "Digits of 4×4 pixels, three hidden layers of 12 units, He's start, two runs of 20 seeds; "
    "before training, after 150 steps, and when the training loss has come down to 1 and to 0.3: "
    "the exact Fisher matrix, and the cosine between the gradient and the natural gradient at "
    "three dampings (0.1, 0.01 and 0.001 of the mean eigenvalue), the smallest gain of which counts"
)
_SCOPE = "Networks of 3 × 12 units · small digits · 2 runs with 20 paired seeds each"


ELU_OVER_RELU = Experiment(
    f"{_PROSE}; ELU against ReLU.",
    _SCOPE,
    partial(closer, {"ELU over ReLU": ("elu", "relu")}),
    study=AT_STEPS.name,
)
CENTRED = Experiment(
    f"{_PROSE}; each network against itself with every hidden unit's mean moved to 0 and the next "
    "layer's biases corrected, which is the same function of the input.",
    _SCOPE,
    partial(closer, {"ReLU": ("relu centred", "relu"), "ELU": ("elu centred", "elu")}),
    study=AT_STEPS.name,
)
