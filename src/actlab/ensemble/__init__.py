"""The lab: train hundreds of small networks at once, one tensor axis being the network.

>>> from actlab import data, ensemble
>>> result = ensemble.train(data.load("digits"), arms=["relu", "tanh"], seeds=20, lr=0.05)
>>> result.to_frame().groupby("arm")["test_accuracy"].mean()

To read the code, start with :mod:`~actlab.ensemble.network` (the networks and their gradient),
then :mod:`~actlab.ensemble.training` (the loop); :mod:`~actlab.ensemble.initial` has everything
a seed decides.
"""

from __future__ import annotations

from actlab.ensemble.initial import INITIALISERS, data_order, initial_weights
from actlab.ensemble.network import Networks
from actlab.ensemble.result import Result
from actlab.ensemble.settings import Settings, cross, hidden_activations
from actlab.ensemble.training import train
from actlab.ensemble.tuning import Tuning, fair_rate, fair_rates, tune
from actlab.ensemble.watching import PROBES, Snapshot

__all__ = [
    "INITIALISERS",
    "PROBES",
    "Networks",
    "Result",
    "Settings",
    "Snapshot",
    "Tuning",
    "cross",
    "data_order",
    "fair_rate",
    "fair_rates",
    "hidden_activations",
    "initial_weights",
    "train",
    "tune",
]
