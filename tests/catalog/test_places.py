"""Where the functions live: names, arguments, defaults; today's from the libraries themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actlab import catalog
from actlab.catalog import REQUIRED, Place

from .installed import actual_arguments

NOW = [(r, p) for r in catalog.records() for p in r.places if p.when == "now"]
ALL = [(r, p) for r in catalog.records() for p in r.places]


def ids(pairs: list[tuple[Any, Place]]) -> list[str]:
    return [f"{record.name}-{place.when}-{place.path}" for record, place in pairs]


@pytest.mark.parametrize(("record", "place"), NOW, ids=ids(NOW))
def test_arguments_and_defaults_are_the_installed_ones(record, place) -> None:
    assert list(place.arguments.items()) == list(actual_arguments(place.path).items())


def test_a_wrong_default_or_order_is_found_out() -> None:
    place = catalog.get("leaky_relu").where("torch")[0]
    actual = list(actual_arguments(place.path).items())
    for wrong in ({"negative_slope": 0.02, "inplace": False},
                  {"inplace": False, "negative_slope": 0.01},
                  {"slope": 0.01, "inplace": False}):  # fmt: skip
        assert list(replace(place, arguments=wrong).arguments.items()) != actual


@pytest.mark.parametrize(("record", "place"), ALL, ids=ids(ALL))
def test_places_speak_of_their_own_arguments_and_the_records_parameters(record, place) -> None:
    parameters = {p.name for p in record.parameters}
    assert set(place.names) <= parameters
    assert set(place.names.values()) <= set(place.arguments)
    assert set(place.fixed) <= set(place.arguments)
    assert set(place.settings) <= parameters
    assert set(place.keeps) <= parameters & set(place.arguments)
    assert place.path.startswith(
        {"now": ("torch.nn.", "keras."), "then": ("torch.nn.", "tf.keras.")}[place.when]
    )


def test_no_place_is_listed_twice_for_one_record() -> None:
    for record in catalog.records():
        keys = [(p.path, p.when, str(p.fixed)) for p in record.places]
        assert len(keys) == len(set(keys)), record.name


def test_questions_a_place_answers() -> None:
    leaky = catalog.get("leaky_relu")
    slopes = {(p.when, p.path): p.default("negative_slope") for p in leaky.places}
    assert slopes["now", "torch.nn.LeakyReLU"] == 0.01
    assert slopes["now", "keras.activations.leaky_relu"] == 0.2
    assert slopes["now", "keras.layers.LeakyReLU"] == 0.3
    assert slopes["then", "tf.keras.layers.LeakyReLU"] == 0.3
    assert [p.framework for p in leaky.where("keras", "then")] == ["keras", "keras"]
    then = catalog.get("hard_sigmoid").where("keras", "then")[0]
    assert then.default("limit") == 2.5
    with pytest.raises(KeyError):
        catalog.get("softplus").where("keras")[0].default("beta")
    assert catalog.get("relu").where("torch")[2].in_place
    assert not catalog.get("relu").where("torch")[0].in_place
    assert catalog.get("relu").where("torch")[0].is_class


# What the documentation of the two old versions says, for every signature that the course's
# starting point lists: PyTorch 1.7.0 and Keras 2.4.0.
R = REQUIRED
THEN = {
    "tf.keras.activations.relu": {"alpha": 0.0, "max_value": None, "threshold": 0},
    "tf.keras.layers.LeakyReLU": {"alpha": 0.3},
    "torch.nn.LeakyReLU": {"negative_slope": 0.01, "inplace": False},
    "tf.keras.layers.PReLU": {
        "alpha_initializer": "zeros",
        "alpha_regularizer": None,
        "alpha_constraint": None,
        "shared_axes": None,
    },
    "torch.nn.PReLU": {"num_parameters": 1, "init": 0.25},
    "torch.nn.RReLU": {"lower": 0.125, "upper": 1 / 3, "inplace": False},
    "tf.keras.layers.ThresholdedReLU": {"theta": 1.0},
    "torch.nn.Threshold": {"threshold": R, "value": R, "inplace": False},
    "tf.keras.activations.elu": {"alpha": 1.0},
    "torch.nn.ELU": {"alpha": 1.0, "inplace": False},
    "tf.keras.activations.selu": {},
    "torch.nn.SELU": {"inplace": False},
    "tf.keras.activations.sigmoid": {},
    "torch.nn.Sigmoid": {},
    "tf.keras.activations.tanh": {},
    "torch.nn.Tanh": {},
    "tf.keras.activations.softmax": {"axis": -1},
    "torch.nn.Softmax": {"dim": None},
    "tf.keras.activations.softplus": {},
    "torch.nn.Softplus": {"beta": 1, "threshold": 20},
    "tf.keras.activations.softsign": {},
    "torch.nn.Softsign": {},
    "tf.keras.activations.exponential": {},
    "torch.nn.ReLU": {"inplace": False},
    "torch.nn.ReLU6": {"inplace": False},
    "torch.nn.CELU": {"alpha": 1.0, "inplace": False},
    "torch.nn.GELU": {},
    "torch.nn.SiLU": {"inplace": False},
    "torch.nn.Softmin": {"dim": None},
    "torch.nn.Softmax2d": {},
    "torch.nn.Softshrink": {"lambd": 0.5},
    "torch.nn.Hardshrink": {"lambd": 0.5},
    "torch.nn.Hardsigmoid": {"inplace": False},
    "torch.nn.Hardtanh": {
        "min_val": -1.0,
        "max_val": 1.0,
        "inplace": False,
        "min_value": None,
        "max_value": None,
    },
    "torch.nn.Hardswish": {"inplace": False},
    "torch.nn.LogSigmoid": {},
    "torch.nn.LogSoftmax": {"dim": None},
    "torch.nn.AdaptiveLogSoftmaxWithLoss": {
        "in_features": R,
        "n_classes": R,
        "cutoffs": R,
        "div_value": 4.0,
        "head_bias": False,
    },
    "torch.nn.MultiheadAttention": {
        "embed_dim": R,
        "num_heads": R,
        "dropout": 0.0,
        "bias": True,
        "add_bias_kv": False,
        "add_zero_attn": False,
        "kdim": None,
        "vdim": None,
    },
    "torch.nn.Tanhshrink": {},
}


@pytest.mark.parametrize("path", THEN)
def test_arguments_then_are_those_of_the_old_documentation(path) -> None:
    found = [p.arguments for r in catalog.records() for p in r.places
             if p.when == "then" and p.path == path]  # fmt: skip
    assert found
    for arguments in found:
        assert list(arguments.items()) == list(THEN[path].items())


def test_what_did_not_exist_then_has_no_place_then() -> None:
    then = {p.path.rsplit(".", 1)[1] for _, p in ALL if p.when == "then"}
    assert not then & {"Mish", "mish", "scaled_dot_product_attention", "leaky_relu6", "squareplus"}
    assert catalog.get("gelu_tanh").where("torch", "then") == ()
    keras_then = {p.path for _, p in ALL if p.when == "then" and p.framework == "keras"}
    assert keras_then >= {f"tf.keras.layers.{n}" for n in (
        "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax")}  # fmt: skip


def test_keras_hard_sigmoid_then_is_the_record_at_another_limit() -> None:
    x = np.linspace(-4, 4, 801)
    then = catalog.get("hard_sigmoid").where("keras", "then")[0]
    np.testing.assert_allclose(
        catalog.get("hard_sigmoid").reference(x, **then.settings),
        np.clip(0.2 * x + 0.5, 0, 1),
        atol=1e-15,
    )
