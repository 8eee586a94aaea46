"""What the libraries offer is asked of them."""

import inspect

import torch
from torch import nn

from actlab.experiments import libraries


def test_the_defaults_are_those_of_the_libraries():
    found = libraries.default_slopes(0, lambda cases: 0.95)["default slope"].cases
    assert found["PyTorch", "the layer"].mean == nn.LeakyReLU().negative_slope
    function = inspect.signature(torch.nn.functional.leaky_relu).parameters["negative_slope"]
    assert found["PyTorch", "the function"].mean == function.default
