"""Is the gradient closer to the natural gradient, and is it because of the mean activations.

The Fisher matrix of a small network is computed exactly: F = E_x[ Σ_c p_c ∇log p_c ∇log p_cᵀ ] with
p_c the probability of class c (Amari, 1998). The natural gradient is (F + δ)⁻¹ g; damping δ is
needed because F is never of full rank.

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

from actlab import data
from actlab.experiments.together import in_both, least, shared
from actlab.stats import Interval
from actlab.study import Study, grid_of, load, root_seeds
from actlab.trial import Case, Evidence, Experiment, Level, Measured, Rule, above, experiment

if TYPE_CHECKING:
    from torch import Tensor, nn

SIZES = (16, 12, 12, 12, 10)  # of the layers
DAMPINGS = (0.1, 0.01, 0.001)  # times the mean eigenvalue
STAGES = {"start": "before training", "trained": "after 150 steps"}
STAGES |= {"loss 1": "at a loss of 1", "loss 0.3": "at a loss of 0.3"}
LONGEST = 2_000  # steps to a loss; whoever is not there by then is looked at as it is


def network(activation: str, seed: int) -> nn.Sequential:
    """Three hidden layers of 12 units, He's start, float64."""
    import torch
    from torch import nn

    kind = {"relu": nn.ReLU, "elu": nn.ELU}[activation]
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for into, out in itertools.pairwise(SIZES):
            linear = nn.Linear(into, out, dtype=torch.float64)
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
            nn.init.zeros_(linear.bias)
            layers += [linear, kind()]
    return nn.Sequential(*layers[:-1])


def centred(model: nn.Sequential, x: Tensor) -> nn.Sequential:
    """The same function, with every hidden activation's mean over ``x`` moved to 0."""
    import torch

    moved = copy.deepcopy(model)
    with torch.no_grad():
        for i in range(1, len(model), 2):  # the activations; a linear layer follows
            c = model[: i + 1](x).mean(0)
            moved[i].register_forward_hook(lambda unit, z, outputs, c=c: outputs - c)
            moved[i + 1].bias += model[i + 1].weight @ c
    return moved


def geometry(model: nn.Sequential, x: Tensor, y: Tensor) -> dict[str, float]:
    """How curved the way is: the gradient against the natural gradient, and the Fisher matrix.

    - ``cosine_…``: between gradient and natural gradient, for each damping;
    - ``condition``: the largest eigenvalue of the Fisher matrix over the mean one;
    - ``mean_activation``: size of the hidden units' means, as a share of the root mean square.
    """
    import torch
    from torch.func import functional_call, jacrev, vmap

    def log_p(parameters: dict[str, Tensor], row: Tensor) -> Tensor:
        return torch.log_softmax(functional_call(model, parameters, (row[None],))[0], 0)

    with torch.no_grad():
        hidden = [model[: i + 1](x) for i in range(1, len(model), 2)]
        shares = [h.mean(0).norm() / h.square().mean(0).sum().sqrt() for h in hidden]
        slopes = vmap(jacrev(log_p), (None, 0))(dict(model.named_parameters()), x)
        slope = torch.cat([part.flatten(2) for part in slopes.values()], 2)  # (n, classes, weights)
        gradient = -slope[torch.arange(len(x)), y].mean(0)
        rows = (torch.softmax(model(x), 1).sqrt()[..., None] * slope).flatten(0, 1)
        eigenvalues, vectors = torch.linalg.eigh(rows.T @ rows / len(x))
        along, mean = vectors.T @ gradient, eigenvalues.mean()
        found = {"condition": eigenvalues[-1] / mean, "mean_activation": torch.stack(shares).mean()}
        for damping in DAMPINGS:
            natural = along / (eigenvalues + damping * mean)
            found[f"cosine_{damping:g}"] = torch.cosine_similarity(along, natural, dim=0)
    return {what: value.item() for what, value in found.items()}


def learn(model: nn.Sequential, x: Tensor, y: Tensor, steps: int, loss: float = 0.0) -> None:
    """Full-batch gradient descent with momentum, in place: so many steps, or to that loss."""
    import torch

    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        now = torch.nn.functional.cross_entropy(model(x), y)
        if now.item() <= loss:
            return
        now.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def small_digits(count: int = 300) -> tuple[Tensor, Tensor]:
    """Digits of 4×4 pixels (means of 2×2 blocks), standardised: (count, 16) and their labels."""
    import torch

    digits = data.load("digits")
    images = torch.from_numpy(digits.x_train[:count]).double().view(-1, 1, 8, 8)
    x = torch.nn.functional.avg_pool2d(images, 2).flatten(1)
    return (x - x.mean()) / x.std(), torch.from_numpy(digits.y_train[:count])


def fisher_cell(root: int, activation: str, *, stages: Mapping[str, Any]) -> pd.DataFrame:
    """One activation as it is and centred, at every stage; stage → most steps, and the loss."""
    x, y = small_digits()
    rows = []
    for seed, (when, stage) in itertools.product(root_seeds(root), stages.items()):
        model = network(activation, seed)
        learn(model, x, y, *stage)
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

GAIN = "smallest gain in cosine"
CLOSER = Rule({GAIN: above(0)}, together=True)


def closer(prose: str, pairs: Mapping[str, tuple[str, str]]) -> Experiment:
    """The smallest gain in cosine over the dampings, of the first arm of a pair on the second.

    ``pairs``: the level of a factor → two arms. Both runs are looked at, whatever the ``root``.
    """

    @experiment(
        "Digits of 4×4 pixels, three hidden layers of 12 units, He's start, two runs of 20 seeds; "
        "before training, after 150 steps, and when the training loss has come down to 1 and to "
        "0.3: the exact Fisher matrix, and the cosine between the gradient and the natural "
        "gradient at three dampings (0.1, 0.01 and 0.001 of the mean eigenvalue), the smallest "
        f"gain of which counts; {prose}",
        "Networks of 3 × 12 units · small digits · 2 runs with 20 paired seeds each",
        AT_STEPS.name,
    )
    def measure(root: int, level: Level) -> Evidence:
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
                gains.append(in_both(ours - theirs, shared(sure, len(DAMPINGS))))
                notes[f"{name}, {words}, damping {damping:g}"] = gains[-1].mean
            cases[name, words] = least(gains, sure)
            for what in ("mean_activation", "condition"):
                note = f"{arms[0]}, {words}, {what.replace('_', ' ')}"
                notes[note] = float(read(what, arm=arms[0]).mean())
        return {GAIN: Measured(cases, ("activation", "when"), notes=notes)}

    return measure


ELU_OVER_RELU = closer("ELU against ReLU.", {"ELU over ReLU": ("elu", "relu")})
CENTRED = closer(
    "each network against itself with every hidden unit's mean moved to 0 and the next layer's "
    "biases corrected, which is the same function of the input.",
    {"ReLU": ("relu centred", "relu"), "ELU": ("elu centred", "elu")},
)
