"""The real thing, at every place, and what is said to those who ask for what is not there."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from actlab import catalog
from actlab.catalog import Activation, ParameterError, Place
from actlab.frameworks import keras, torch
from actlab.frameworks.binding import (
    UnavailableError,
    arguments,
    find,
    limits,
    places_of,
    required,
    rounded,
)
from actlab.frameworks.cases import compared

FRAMEWORKS = {"torch": torch, "keras": keras}
# Wrong in this version wherever two numbers share the result; test_parity demands that the
# recorded differences say so.
BROKEN = "keras.activations.sparsemax"
PLACES = [
    (record.name, place.path)
    for record in catalog.records()
    if compared(record)
    for place in places_of(record)
    if place.path != BROKEN
]
RECORDS = [
    (record.name, framework)
    for record in catalog.records()
    for framework in FRAMEWORKS
    if compared(record)
    and record.name != "binary_step"  # neither has it
    and BROKEN not in [place.path for place in record.where(framework)]
]
RECIPES = {
    "torch": ["exponential", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus"],
    "keras": ["rrelu", "softmin", "softmax2d"],
}


def place_of(name, path):
    return next(place for place in places_of(catalog.get(name)) if place.path == path)


def inputs_for(record):
    if record.kind == "elementwise":
        return np.array([-2.0, -0.75, 0.25, 0.75, 2.5])
    row = np.array([[0.5, -1.0, 2.0, 0.25], [1.5, 1.0, -0.5, 0.0]])
    return row.reshape(*row.shape, *[1] * (-record.axis - 1))


@pytest.mark.parametrize(("name", "path"), PLACES)
def test_every_place_computes_its_record(name, path):
    record, place = catalog.get(name), place_of(name, path)
    side, x = FRAMEWORKS[place.framework], inputs_for(record)
    function = side.at(record, place, dtype="float32")
    assert np.allclose(side.evaluate(function, x, "float32"), record.reference(x), atol=1e-6)
    axis = None if record.kind == "elementwise" else record.axis
    got = side.differentiate(function, x, "float32", axis=axis)
    assert got.shape == record.derivative(x).shape
    assert np.allclose(got, record.derivative(x), atol=1e-6)


@pytest.mark.parametrize(("name", "framework"), RECORDS)
def test_values_and_gradients_of_every_record(name, framework):
    """From a place or from the course's recipe; at the defaults and at other parameters."""
    record, side = catalog.get(name), FRAMEWORKS[framework]
    x = inputs_for(record)
    for params in ({}, *({p.name: p.examples[0]} for p in record.parameters if p.examples)):
        try:
            got = side.values(record, x, "float64", **params)
        except ParameterError as refusal:
            assert "can not be given" in str(refusal)  # noqa: PT017 (only some places can)
            continue
        assert np.allclose(got, record.reference(x, **params), atol=1e-6)
        slope = side.gradients(record, x, "float64", **params)
        assert np.allclose(slope, record.derivative(x, **params), atol=1e-6)


def test_build_gives_the_frameworks_own_object():
    import keras as keras_library
    import torch as torch_library

    elu = catalog.get("elu").torch(alpha=0.5)
    assert isinstance(elu, torch_library.nn.ELU)
    assert elu.alpha == 0.5
    assert catalog.get("leaky_relu").keras(negative_slope=0.3).func is (
        keras_library.activations.leaky_relu
    )
    prelu = catalog.get("prelu").keras()
    assert isinstance(prelu, keras_library.layers.PReLU)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_recipes_fill_the_gaps(framework):
    import importlib

    module = importlib.import_module(f"actlab.recipes.{framework}")
    assert set(RECIPES[framework]) <= set(module.RECIPES)
    for name in RECIPES[framework]:
        assert isinstance(FRAMEWORKS[framework].build(catalog.get(name)), module.RECIPES[name])


def test_a_random_module_is_built_for_inference():
    rrelu = catalog.get("rrelu").torch()
    x = torch.tensor([-1.0] * 4, "float32")
    assert rrelu(x).tolist() == pytest.approx([-(1 / 8 + 1 / 3) / 2] * 4)


def test_softplus_keeps_pytorchs_own_threshold():
    assert catalog.get("softplus").torch().threshold == 20
    assert catalog.get("softplus").torch(threshold=5.0).threshold == 5


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_unknown_parameters_name_those_that_exist(framework):
    with pytest.raises(ParameterError, match="has no parameter 'slope'; it takes negative_slope"):
        FRAMEWORKS[framework].build(catalog.get("leaky_relu"), slope=0.1)
    with pytest.raises(ParameterError, match="takes no parameters"):
        FRAMEWORKS[framework].values(catalog.get("relu"), [1.0], "float32", threshold=1)


def test_parameters_that_no_place_takes():
    with pytest.raises(
        ParameterError, match=r"keras\.activations\.softplus can not be given beta=3\.0"
    ):
        catalog.get("softplus").keras(beta=3.0)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_neither_framework_has(framework):
    with pytest.raises(UnavailableError, match="neither framework has it"):
        FRAMEWORKS[framework].build(catalog.get("binary_step"))


def test_what_only_the_other_framework_has(monkeypatch):
    from actlab.recipes import torch as recipes

    monkeypatch.setattr(recipes, "RECIPES", {})
    with pytest.raises(UnavailableError, match=r"PyTorch has no squareplus.*; Keras has it\."):
        catalog.get("squareplus").torch()


def test_unknown_dtypes_name_the_four():
    with pytest.raises(
        ValueError, match="'float8': expected 'float16', 'bfloat16', 'float32' or 'float64'"
    ):
        torch.values(catalog.get("relu"), [1.0], "float8")


def test_a_place_that_needs_more_than_the_record_knows():
    place = Place("torch.nn.functional.relu", arguments={"missing": catalog.REQUIRED})
    with pytest.raises(ParameterError, match="needs missing, which the record of relu"):
        arguments(catalog.get("relu"), place, {})


def test_required_arguments_only():
    record = catalog.get("threshold")
    by_path = {place.path: required(record, place) for place in places_of(record)}
    assert by_path["torch.nn.Threshold"] == {"threshold": 1.0, "value": 0.0}
    slope = catalog.get("leaky_relu")
    assert all(required(slope, place) == {} for place in places_of(slope))


def test_paths_that_lead_nowhere_are_not_hidden():
    with pytest.raises(AttributeError):
        find("torch.nn.functional.no_such_function")


def test_inputs_are_rounded_to_the_format_first():
    third = 1 / 3
    for dtype, digits in (("float16", 11), ("bfloat16", 8), ("float32", 24)):
        got = torch.values(catalog.get("linear"), [third], dtype)[0]
        assert got == keras.values(catalog.get("linear"), [third], dtype)[0]
        assert 0 < abs(got - third) <= 2.0 ** -(digits + 2)
        assert float(rounded(third, dtype)) == got


def test_limits_of_the_formats():
    assert limits("float16") == (2.0**-10, 2.0**-14, 65504.0, 2.0**-24)
    assert limits("bfloat16")[:2] == (2.0**-7, 2.0**-126)


def test_frameworks_are_imported_only_when_used():
    code = (
        "import sys, actlab.frameworks.torch, actlab.frameworks.keras, actlab.frameworks.pages;"
        "sys.exit(any(m in sys.modules for m in ('torch', 'keras', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_another_keras_backend_is_refused(monkeypatch):
    import keras as library

    monkeypatch.setattr(library.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"'jax', expected 'tensorflow': set .*KERAS_BACKEND"):
        keras.start.__wrapped__()


def test_a_gpu_is_shared(monkeypatch):
    import tensorflow as tf

    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"the {kind}"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on))
    )
    keras.start.__wrapped__()
    assert grown == [("the GPU", True)]


def test_gumbel_softmax_is_softmax_of_noisy_scores():
    """The one that draws its own noise: drawn again from the same seed and given to the record."""
    import torch as library

    record = catalog.get("gumbel_softmax")
    x = torch.tensor([[0.5, -1.0, 2.0, 0.25]], "float64")
    function = torch.at(record, places_of(record)[0], tau=0.5)
    library.manual_seed(0)
    got = function(x)
    library.manual_seed(0)
    noise = -library.empty_like(x).exponential_().log()
    assert np.allclose(got.numpy(), record.reference(x.numpy(), tau=0.5, noise=noise.numpy()))


def test_every_record_has_a_test_of_its_own_kind():
    """Nothing falls between the comparison by grid, the layers and the one that draws noise."""
    from .test_layers import CASES

    layers = {name for name, *_ in CASES}
    missing = [
        record.name
        for record in catalog.records()
        if not compared(record) and record.name not in layers | {"gumbel_softmax"}
    ]
    assert missing == []
    assert all(isinstance(record, Activation) for record in catalog.records())
