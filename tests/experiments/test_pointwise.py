"""Functions of numbers agree with the catalog, defaults are asked of the libraries."""

import inspect

import torch
from torch import nn

from actlab.experiments import pointwise


def test_ranges_by_sampling_agree_with_the_catalog():
    (shares,) = pointwise.outside(0, lambda cases: 0.95).values()
    for record in pointwise.functions():
        found = record.properties.range
        inside = shares.cases[(record.title,)].mean == 0
        assert inside == (found.lower >= -1 and found.upper <= 1), record.name


def test_the_defaults_are_those_of_the_libraries():
    found = pointwise.default_slopes(0, lambda cases: 0.95)["default slope"].cases
    assert found["PyTorch", "the layer"].mean == nn.LeakyReLU().negative_slope
    function = inspect.signature(torch.nn.functional.leaky_relu).parameters["negative_slope"]
    assert found["PyTorch", "the function"].mean == function.default
