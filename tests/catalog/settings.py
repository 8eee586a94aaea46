"""At which parameters the tests look at a record: the defaults, and each example in its turn."""

from __future__ import annotations

from typing import Any

import pytest

from actlab import catalog
from actlab.catalog import Activation

ELEMENTWISE = [record for record in catalog.records() if record.kind == "elementwise"]


def settings(record: Activation) -> list[dict[str, Any]]:
    """The parameter settings to test, complete."""
    changes = [{}] + [{p.name: value} for p in record.parameters for value in p.examples]
    return [record.resolve(change) for change in changes]


def label(record: Activation, params: dict[str, Any]) -> str:
    """A test id: the name, and what differs from the defaults."""
    changed = [f"{k}={v:.4g}" for k, v in params.items() if v != record.defaults[k]]
    return f"{record.name}({','.join(changed)})" if changed else record.name


def everywhere(records: list[Activation]) -> list[Any]:
    """pytest parameters (record, params) for all settings of all records."""
    return [
        pytest.param(record, params, id=label(record, params))
        for record in records
        for params in settings(record)
    ]
