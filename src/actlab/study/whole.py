"""The studies of the first five chapters that are still run as a whole, by a function each.

Each leaves this list when it is declared as a :class:`Study` with cells.
"""

from __future__ import annotations

import importlib
import time

from actlab.study import store

STUDIES = {
    "linear_and_step": "actlab.claims.why_nonlinear:tuned_study",
    "choice_digits": "actlab.claims.choice:digits_study",
    "choice_mnist1d": "actlab.claims.choice:mnist1d_study",
    "born_dead": "actlab.claims.relu:born_dead_study",
    "relu_training": "actlab.claims.relu_training:training_study",
}


def run(name: str) -> int:
    """Run one from the start and store its table; returns the number of its rows."""
    from actlab import machine

    module, function = STUDIES[name].split(":")
    started = time.perf_counter()
    frame = getattr(importlib.import_module(module), function)()
    about = {
        "machine": machine.describe(),
        "seconds": round(time.perf_counter() - started, 1),
        "command": f"python -m actlab.study {name}",
    }
    store.write(store.RESULTS / f"{name}.parquet", frame, about)
    return len(frame)
