"""How often chance refuses a right answer, or lets a wrong one pass: many draws, one file.

``python -m tests.exercises.draws`` draws networks at their start and judges them by the checkers'
own numbers (it takes minutes); ``draws.json`` keeps the counts. ``test_draws.py`` draws a few
anew, and compares.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch

from actlab.exercises import relu, sigmoid_tanh

FILE = Path(__file__).with_name("draws.json")
DRAWS = 3000  # with none refused, 95 % sure of less than 1 in 1,000
BATCH = 20


def uniform(draws, variance):
    """Weights (draws, 64, 64) with 64 · Var(w) = variance."""
    return (torch.rand(draws, 64, 64) * 2 - 1) * math.sqrt(3 * variance / 64)


def normal(draws, variance):
    return torch.randn(draws, 64, 64) * math.sqrt(variance / 64)


def orthogonal(draws, variance):
    q, r = torch.linalg.qr(torch.randn(draws, 64, 64))
    return q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None] * math.sqrt(variance)


def default_biases(draws):
    return (torch.rand(draws, 1, 64) * 2 - 1) / 8


BORN = {  # name: (right, weights, their variance, biases)
    "He normal": (True, normal, 2, False),
    "He uniform": (True, uniform, 2, False),
    "orthogonal": (True, orthogonal, 2, False),
    "Glorot": (True, uniform, 1, False),
    "PyTorch's weights without its biases": (True, uniform, 1 / 3, False),
    "He normal with PyTorch's biases": (True, normal, 2, True),
    "PyTorch's default": (False, uniform, 1 / 3, True),
}
SIGMOID = {  # name: (right, weights, their variance, centred, batch norm)
    "orthogonal × 4, centred": (True, orthogonal, 16, True, False),
    "normal × 4, centred": (True, normal, 16, True, False),
    "normal × 5, centred": (True, normal, 25, True, False),
    "batch norm, PyTorch's weights": (True, uniform, 1 / 3, False, True),
    "batch norm, Glorot": (True, uniform, 1, False, True),
    "Glorot": (False, uniform, 1, False, False),
    "orthogonal × 4": (False, orthogonal, 16, False, False),
    "orthogonal × 10": (False, orthogonal, 100, False, False),
    "orthogonal × 10, centred": (False, orthogonal, 100, True, False),
}


@torch.no_grad()
def born(draws, weights, variance, biases):
    """For each draw whether ``check_born_alive`` would take it: (draws,)."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2000, 64)).astype(np.float32))
    h, layers = x.expand(draws, 2000, 64), []
    for _ in range(10):
        shift = default_biases(draws) if biases else torch.zeros(draws, 1, 64)
        h = torch.relu(torch.baddbmm(shift, h, weights(draws, variance)))
        layers.append(h.numpy())
    return [relu.is_alive(*relu.vital_signs([layer[i] for layer in layers])) for i in range(draws)]


def learns(draws, weights, variance, centred, norm):
    """For each draw whether ``check_deep_sigmoid`` would take it: (draws,)."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((512, 64)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, 10, 512))
    h, matrices, outputs = x.expand(draws, 512, 64), [], []
    for i in range(10):
        matrices.append(weights(draws, variance).requires_grad_())
        shift = -matrices[i].detach().sum(1, keepdim=True) / 2 if centred and i else 0
        z = h @ matrices[i] + shift
        if norm:
            z = (z - z.mean(1, keepdim=True)) / (z.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
        h = torch.sigmoid(z)
        outputs.append(h.detach().double().numpy())
    logits = h @ ((torch.rand(draws, 64, 10) * 2 - 1) / 8)
    losses = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), y.expand(draws, 512), reduction="none"
    )
    found = torch.autograd.grad(losses.mean(1).sum(), matrices)
    return [
        sigmoid_tanh.is_repaired(
            sigmoid_tanh.gradient_ratio([g[i].double().numpy() for g in found], [*range(10)]),
            *sigmoid_tanh.slope_and_spread([output[i] for output in outputs]),
        )
        for i in range(draws)
    ]


def taken(judge, settings, draws):
    """How many of so many draws the checker takes."""
    return sum(sum(judge(BATCH, *settings)) for _ in range(draws // BATCH))


def main(draws):
    """Go on where the file ends; a case is kept as soon as it is counted."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    counts = kept["taken"] if kept.get("draws") == draws else {}
    for judge, cases in ((born, BORN), (learns, SIGMOID)):
        for name, (_, *settings) in cases.items():
            key = f"{judge.__name__}: {name}"
            if key in counts:
                continue
            torch.manual_seed(0)
            counts[key] = taken(judge, settings, draws)
            print(key, counts[key], "of", draws, flush=True)
            text = json.dumps({"draws": draws, "taken": counts}, indent=2, ensure_ascii=False)
            FILE.write_text(text + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS)
