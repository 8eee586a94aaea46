"""What the libraries offer is asked of them, and the catalog knows the same."""

import torch
from torch import nn

from actlab import data
from actlab.experiments import libraries


def test_another_slope_changes_a_leaky_network_only():
    digits = data.load("digits")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 16), nn.LeakyReLU(0.3), nn.Linear(16, 10))
    x = torch.from_numpy(digits.x_test)
    with torch.no_grad():
        here = float((network(x).argmax(1).numpy() == digits.y_test).mean())
    assert libraries.accuracy_with_slope(network, digits, 0.3) == here
    assert libraries.accuracy_with_slope(network, digits, -3.0) != here
    assert network[1].negative_slope == 0.3


def test_the_defaults_then_and_now():
    table = libraries.default_slopes()
    now = table[table.when == "now"].set_index("where").default
    found = libraries.DEFAULT_SLOPES(0, lambda cases: 0.95)["default slope"].cases
    places = {
        "torch.nn.LeakyReLU": ("PyTorch", "the layer"),
        "torch.nn.functional.leaky_relu": ("PyTorch", "the function"),
        "keras.layers.LeakyReLU": ("Keras", "the layer"),
        "keras.activations.leaky_relu": ("Keras", "the function"),
    }
    assert {path: found[case].mean for path, case in places.items()} == dict(now[list(places)])
    assert set(table[table.when == "then"].default) == {0.01, 0.0, 0.3}
