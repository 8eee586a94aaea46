"""What the libraries have under a name, with which default, and what a wrong one costs."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from actlab.stats import Interval
from actlab.trial import Case, Evidence, Level, Measured, experiment


@experiment(
    "The default slopes of torch.nn.LeakyReLU, torch.nn.functional.leaky_relu, "
    "keras.layers.LeakyReLU and keras.activations.leaky_relu, asked of the libraries.",
    "The installed versions of PyTorch and Keras",
)
def default_slopes(root: int, level: Level) -> Evidence:
    import torch

    keras = _started("keras")
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


@experiment(
    "All public names of keras.layers, keras.activations and keras.ops.",
    "The installed version of Keras",
)
def rrelu_in_keras(root: int, level: Level) -> Evidence:
    modules = ("keras.layers", "keras.activations", "keras.ops")
    names = {module: dir(_started(module)) for module in modules}
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


def _started(module: str) -> Any:
    from actlab.frameworks.keras import start

    start()
    return importlib.import_module(module)
