"""How much of a gradient is lost on its way back through untrained layers, by start."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actlab import stats
from actlab.experiments import normalised, untrained
from actlab.experiments.seeds import root_seeds
from actlab.trial import Evidence, Experiment, Level, Measured

STARTS: dict[str, dict[str, Any]] = {
    "LeCun": {"init": "lecun_normal"},
    "He": {"init": "he_normal"},
    "¾ LeCun": {"init": "lecun_normal", "gain": 0.75},
    "PyTorch default": {"init": "torch"},
}


def decades_lost(activation: str, depth: int, root: int, **start: Any) -> npt.NDArray[np.float64]:
    """Powers of ten that a gradient loses from the last layer to the first, (networks,)."""
    networks = untrained.draw(
        root_seeds(root), hidden=(128,) * depth, activation=activation, **start
    )
    norms = untrained.output_gradients(networks, normalised.standardised(), root)
    return -untrained.decades(norms)[:, 0]


def saved(root: int, level: Level) -> Evidence:
    """What ELU saves of ReLU's loss, under the starts by which ReLU loses more than half a power.

    Without such a start there is nothing to weaken, and no case.
    """
    found = {
        name: [decades_lost(activation, 30, root, **start) for activation in ("relu", "elu")]
        for name, start in STARTS.items()
    }
    vanishing = {
        name: pair for name, pair in found.items() if stats.mean_interval(pair[0]).low > 0.5
    }
    cases = {
        name: stats.mean_interval(relu - elu, level(len(vanishing)))
        for name, (relu, elu) in vanishing.items()
    }
    notes = {
        name: {"ReLU": float(r.mean()), "ELU": float(e.mean())} for name, (r, e) in found.items()
    }
    return {"loss that ELU saves": Measured.of(cases, "start", notes=notes)}


SAVED = Experiment(
    "Untrained networks of 30 layers of 128 units, ELU and ReLU with the same weights, four "
    "initialisations, 20 networks: how many powers of ten the gradient of the layers' outputs "
    "loses from the last layer to the first. Counted are the initialisations under which ReLU "
    "loses more than half a power of ten.",
    "Untrained networks of 30 × 128 units · digits · 20 paired seeds",
    saved,
)


def lost(root: int, level: Level) -> Evidence:
    """What SELU's gradient loses over 50 layers, by start."""
    cases = {
        name: stats.mean_interval(decades_lost("selu", 50, root, **start), level(len(STARTS)))
        for name, start in STARTS.items()
    }
    return {"loss of the gradient": Measured.of(cases, "start")}


LOST = Experiment(
    "Untrained SELU networks of 50 layers of 128 units under four initialisations, 20 networks: "
    "how many powers of ten the gradient of the layers' outputs loses from the last layer to the "
    "first (below 0: it grows on the way back).",
    "Untrained networks of 50 × 128 units · digits · 20 seeds",
    lost,
)
