"""The studies of the first five chapters that are still run as a whole, by a function each.

Each leaves this list when it is declared as a :class:`Study` with cells.
"""

from __future__ import annotations

import importlib
import time

from actlab.study import store

STUDIES: dict[str, str] = {}


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
