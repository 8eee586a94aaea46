"""What the libraries have under a name, with which default, and what a wrong one costs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab import catalog
from actlab.experiments.contest import leaky
from actlab.stats import Interval
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]


def _default_slopes(root: int, level: Level) -> Evidence:
    import torch

    from actlab.frameworks.keras import start

    start()
    import keras

    places: dict[Case, Any] = {
        ("PyTorch", "the layer"): torch.nn.LeakyReLU,
        ("PyTorch", "the function"): torch.nn.functional.leaky_relu,
        ("Keras", "the layer"): keras.layers.LeakyReLU,
        ("Keras", "the function"): keras.activations.leaky_relu,
    }
    cases = {}
    for case, place in places.items():
        slope = float(inspect.signature(place).parameters["negative_slope"].default)
        cases[case] = Interval(slope, slope, slope, n=1)
    return {"default slope": Measured(cases, ("framework", "place"))}


DEFAULT_SLOPES = Experiment(
    prose=(
        "The default slopes of torch.nn.LeakyReLU, torch.nn.functional.leaky_relu, "
        "keras.layers.LeakyReLU and keras.activations.leaky_relu, asked of the libraries."
    ),
    scope="The installed versions of PyTorch and Keras",
    measure=_default_slopes,
)


def _names_of_rrelu(root: int, level: Level) -> Evidence:
    from actlab.frameworks.keras import start

    start()
    import keras

    modules = {"layers": keras.layers, "activations": keras.activations, "ops": keras.ops}
    names = {f"keras.{module}": dir(found) for module, found in modules.items()}
    hits = {
        module: [n for n in found if "rrelu" in n.lower() or "randomizedrelu" in n.lower()]
        for module, found in names.items()
    }
    counts = {module: float(len(found)) for module, found in hits.items()}
    notes = {
        "names looked at": sum(map(len, names.values())),
        "found": [f"{module}.{name}" for module, found in hits.items() for name in found],
    }
    return {"number of RReLUs": Measured.exact(counts, "module", notes=notes)}


RRELU_IN_KERAS = Experiment(
    prose="All public names of keras.layers, keras.activations and keras.ops.",
    scope="The installed version of Keras",
    measure=_names_of_rrelu,
)


def default_slopes() -> pd.DataFrame:
    """Every place that the catalog knows for Leaky ReLU, then and now, with its default slope."""
    import pandas as pd

    record = catalog.get("leaky_relu")
    rows = []
    for place in record.places:
        argument = place.names.get("negative_slope", "negative_slope")
        if not place.in_place:
            rows.append((place.when, place.path, argument, place.default("negative_slope")))
    frame = pd.DataFrame(rows, columns=["when", "where", "argument", "default"])
    return frame.sort_values("when", ascending=False, kind="stable")


def accuracy_with_slope(network: Any, images: Any, slope: float) -> float:
    """Test accuracy of a trained network whose leaky units are given another slope."""
    import torch
    from torch import nn

    changed = [nn.LeakyReLU(slope) if isinstance(m, nn.LeakyReLU) else m for m in network]
    with torch.no_grad():
        x = torch.from_numpy(images.x_test).to(next(network.parameters()).dtype)
        logits = nn.Sequential(*changed)(x)
    return float((logits.argmax(1).numpy() == images.y_test).mean())


def ported_with(
    images: Any,
    trained_with: float,
    slopes: Sequence[float],
    depths: Sequence[int],
    dtype: str = "float32",
) -> dict[str, Array]:
    """Train with one slope, run with others: slope → accuracies in per cent (20 seeds, depths)."""
    from actlab import ensemble

    arms = {
        f"{depth}": {**leaky(trained_with), "hidden": (64,) * depth, "lr": 0.03} for depth in depths
    }
    result = ensemble.train(images, arms=arms, seeds=20, epochs=12, dtype=dtype, progress=False)

    def accuracies(depth: int, slope: float) -> list[float]:
        members = [result.member(f"{depth}", seed) for seed in range(20)]
        return [100 * accuracy_with_slope(member, images, slope) for member in members]

    return {
        f"{slope:g}": np.array([accuracies(depth, slope) for depth in depths]).T for slope in slopes
    }
