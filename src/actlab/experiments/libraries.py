"""What the libraries have under a name, with which default, and what a wrong one costs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab.stats import Interval
from actlab.trial import Case, Evidence, Experiment, Level, Measured

if TYPE_CHECKING:
    pass

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
