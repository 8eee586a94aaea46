"""Whatever a framework calls an activation, ``catalog.get`` finds its record, and the right one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from actlab import catalog
from actlab.catalog.record import Catalog, Place, _spellings

RECORDS = catalog.records()
PLACES = [place for record in RECORDS for place in record.places]
SPELLINGS = sorted({spelling for place in PLACES for spelling in _spellings(place)})


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_is_found_by_all_its_own_names(record):
    for name in (record.name, *record.aliases, record.title):
        for written in (name, name.upper(), f" {name} ", name.replace("_", "-"), f"{name}()"):
            assert catalog.get(written) is record
        assert catalog.get(name.replace("_", " ")) is record


def test_every_path_of_every_place_finds_a_record_that_lives_there():
    for place in PLACES:
        found = catalog.get(place.path)
        assert any(own.path == place.path and not own.fixed for own in found.places)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LeakyReLU", "leaky_relu"),
        ("Hardsigmoid", "hard_sigmoid"),
        ("MultiheadAttention", "multi_head_attention"),
        ("nn.GELU", "gelu"),
        ("torch.nn.functional.gelu", "gelu"),
        ("F.relu", "relu"),
        ("functional.log_softmax", "log_softmax"),
        ("torch.Tensor.relu_", "relu"),
        ("keras.layers.ReLU", "relu"),  # with arguments also leaky, thresholded, ReLU6
        ("keras.layers.Attention", "scaled_dot_product_attention"),  # with arguments additive
        ("torch.nn.Threshold", "threshold"),
        ("keras.activations.swish", "silu"),
        ("tensorflow.keras.layers.ThresholdedReLU", "thresholded_relu"),
        ("tf.keras.activations.hard_sigmoid", "hard_sigmoid"),
        ("tf.nn.relu6", "relu6"),
        ("keras.ops.hard_swish", "hard_silu"),
        ("torch.exp", "exponential"),
        ("torch.heaviside", "binary_step"),
    ],
)
def test_names_as_people_write_them(name, expected):
    assert catalog.get(name).name == expected
    assert catalog.get(name.upper()).name == expected


def public(module, *, left_out=()):
    named = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    return [n for n in named if callable(getattr(module, n)) and n not in left_out]


def test_what_the_frameworks_list_as_activations_is_found():
    """The frameworks' own lists, so that a function they gain is noticed."""
    from torch.nn.modules import activation

    not_activations = ("deserialize", "get", "serialize")
    listed = [f"nn.{n}" for n in public(activation)]
    listed += [
        f"keras.activations.{n}" for n in public(keras.activations, left_out=not_activations)
    ]
    assert len(listed) > 50
    for path in listed:
        assert path.rpartition(".")[2].lower().replace("_", "") in {
            p.path.rpartition(".")[2].lower().replace("_", "") for p in catalog.get(path).places
        }


ROOTS = {"torch": torch, "keras": keras, "tf": tf}


def existing():
    """Spellings beyond the records' own paths that are functions in the installed frameworks."""
    own = {place.path for place in PLACES}
    for spelling in SPELLINGS + [a for r in RECORDS for a in r.aliases if "." in a]:
        root, _, rest = spelling.partition(".")
        found = ROOTS.get(root)
        for part in rest.split("."):
            found = getattr(found, part, None)
        if spelling not in own and found is not None and root in ROOTS:
            yield spelling, found


def test_paths_made_from_others_compute_that_very_function():
    """``torch.tanh``, ``tf.nn.elu`` and ``keras.ops.silu`` are in no record: are they those?"""
    x = np.array([[-3.0, -0.5, 0.25, 2.0]], np.float32)
    checked = []
    for spelling, function in existing():
        record = catalog.get(spelling)
        to_tensor = torch.from_numpy if spelling.startswith("torch") else tf.constant
        params = {"scale": 1.0} if record.name == "scaled_dot_product_attention" else {}
        arguments = {
            **({"dim": -1} if "torch" in spelling and record.kind == "vector" else {}),
            **({"values": torch.ones(1)} if spelling == "torch.heaviside" else {}),
            **({"x2": 1.0} if spelling == "keras.ops.heaviside" else {}),
        }
        if record.name in {"prelu", "rrelu", "threshold", "scaled_dot_product_attention", "celu"}:
            continue  # random, or not to be called with an input alone
        if record.name in {"leaky_relu", "soft_shrink", "hard_shrink"} and "torch" not in spelling:
            continue  # other defaults: the disagreements page is about them
        got = np.asarray(function(to_tensor(x.copy()), **arguments))
        tolerance = 1e-5 if record.name != "gelu" else 1e-3  # tf.nn.gelu approximates
        np.testing.assert_allclose(got, record.reference(x, **params), atol=tolerance)
        checked.append(spelling)
    assert len(checked) > 60, checked


@pytest.mark.parametrize(
    "name",
    ["nn.Linear", "F.linear", "keras.layers.Dense", "os.relu", "keras.ops.identity", "relu.", "."],
)
def test_other_things_are_not_taken_for_activations(name):
    with pytest.raises(catalog.UnknownActivationError):
        catalog.get(name)


def test_a_wrong_path_suggests_the_name():
    with pytest.raises(catalog.UnknownActivationError, match="the nearest are gelu"):
        catalog.get("keras.layers.GELU")


@pytest.mark.parametrize(
    ("thing", "hint"),
    [
        (torch.nn.GELU, "did you mean 'GELU'"),
        (torch.nn.LeakyReLU(0.3), "did you mean 'LeakyReLU'"),
        (torch.relu, "did you mean 'relu'"),
        (keras.layers.ELU, "did you mean 'ELU'"),
        (keras.activations.swish, "did you mean"),
        (catalog.get("mish"), "did you mean 'mish'"),
        (None, "got <class 'NoneType'>$"),
        (b"relu", "got <class 'bytes'>$"),
        (["relu"], "got <class 'list'>$"),
    ],
    ids=[
        "class",
        "module",
        "function",
        "layer",
        "keras function",
        "record",
        "none",
        "bytes",
        "list",
    ],
)
def test_what_is_no_name_is_refused_with_the_name_it_has(thing, hint):
    with pytest.raises(TypeError, match=hint):
        catalog.get(thing)


# --- Collisions -----------------------------------------------------------------------------------


def test_names_that_differ_only_in_spelling_collide():
    relu = catalog.get("relu")
    for record in (
        replace(relu, name="re_lu", title="Other"),
        replace(relu, name="other", title="ReLU"),
        replace(relu, name="other", title="Other", aliases=("Re-LU",)),
        relu,
    ):
        with pytest.raises(ValueError, match="two records are called"):
            Catalog([relu, record])


def test_an_object_without_a_plainest_record_is_an_error():
    relu = catalog.get("relu")
    place = Place("keras.layers.Sparkle")
    one, two = (replace(relu, name=n, title=n, places=(place,)) for n in ("one", "two"))
    with pytest.raises(ValueError, match="is one and two: which is the plainest"):
        Catalog([one, two])
    two = replace(two, places=(replace(place, fixed={"shine": 2}),))
    assert Catalog([one, two])["keras.layers.Sparkle"] is one
    assert Catalog([two, one])["Sparkle"] is one


def test_the_catalog_imports_no_framework():
    """The paths are made from the records alone."""
    code = "import sys; from actlab import catalog; catalog.get('nn.GELU'); print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "actlab.catalog" in modules
    assert not {"torch", "keras", "tensorflow", "pandas"} & set(modules.split())
