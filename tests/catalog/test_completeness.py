"""The installed libraries have no activation that the catalog lacks."""

from __future__ import annotations

import keras
import pytest
import torch
from keras.src.activations import ALL_OBJECTS_DICT

from actlab import catalog

from .exclusions import EXCLUDED
from .installed import placed, public


def findings() -> list[str]:
    """What is missing, gone, or said twice: one line each."""
    lines = []
    for module, excluded in EXCLUDED.items():
        known, there = placed(module), public(module)
        for name in sorted(there - known - excluded):
            lines.append(
                f"{module}.{name} is new: read what it does. If it is an activation function, add "
                "a Place (or a record) in actlab/catalog; if not, add its name to "
                "tests/catalog/exclusions.py."
            )
        for name in sorted((known | excluded) - there):
            where = "the catalog" if name in known else "tests/catalog/exclusions.py"
            lines.append(f"{module}.{name} is gone from the library but still in {where}.")
        for name in sorted(known & excluded):
            lines.append(f"{module}.{name} is in the catalog and among the exclusions.")
    return lines


def test_the_catalog_is_complete() -> None:
    assert findings() == []


def test_what_the_libraries_themselves_list_as_activations_is_in_the_catalog() -> None:
    # A second look, which no mistake in the exclusions can spoil.
    assert set(torch.nn.modules.activation.__all__) <= placed("torch.nn")
    assert set(ALL_OBJECTS_DICT) == placed("keras.activations")


@pytest.mark.parametrize(
    ("home", "path"),
    [
        (torch.nn, "torch.nn.FancyReLU"),
        (torch.nn.functional, "torch.nn.functional.fancy_relu"),
        (keras.activations, "keras.activations.fancy_relu"),
        (keras.layers, "keras.layers.FancyReLU"),
    ],
)
def test_a_new_activation_turns_it_red(monkeypatch, home, path) -> None:
    name = path.rsplit(".", 1)[1]
    monkeypatch.setattr(home, name, torch.nn.ReLU, raising=False)
    (line,) = findings()
    assert line.startswith(f"{path} is new")
    assert "add" in line


def test_an_exclusion_that_is_gone_turns_it_red(monkeypatch) -> None:
    monkeypatch.delattr(torch.nn, "NLLLoss2d")
    assert findings() == [
        "torch.nn.NLLLoss2d is gone from the library but still in tests/catalog/exclusions.py."
    ]


def test_an_activation_that_is_gone_turns_it_red(monkeypatch) -> None:
    monkeypatch.delattr(keras.activations, "sparse_plus")
    assert findings() == [
        "keras.activations.sparse_plus is gone from the library but still in the catalog."
    ]


def test_a_record_that_is_missing_turns_it_red(monkeypatch) -> None:
    others = tuple(r for r in catalog.records() if r.name != "hard_silu")
    monkeypatch.setattr(catalog, "records", lambda: others)
    assert {line.split()[0] for line in findings()} == {
        "torch.nn.Hardswish",
        "torch.nn.functional.hardswish",
        "keras.activations.hard_silu",
        "keras.activations.hard_swish",
    }


def test_an_activation_hidden_among_the_exclusions_turns_it_red(monkeypatch) -> None:
    hidden = EXCLUDED["torch.nn"] | {"Mish"}
    monkeypatch.setitem(EXCLUDED, "torch.nn", hidden)
    assert findings() == ["torch.nn.Mish is in the catalog and among the exclusions."]
