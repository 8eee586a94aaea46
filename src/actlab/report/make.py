"""Making a report card."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from actlab import machine
from actlab.report import measured, numerics
from actlab.report.card import Card
from actlab.report.subject import subject


def report(
    f: Any,
    name: str | None = None,
    *,
    trial: bool = True,
    progress: bool | None = None,
    memory: dict[Any, Any] | None = None,
) -> Card:
    """A report card for any elementwise activation: faults, properties, start, cost, a fair trial.

    ``f``: a PyTorch module or function, a Keras layer or function, a record of the catalog or its
    name, or ``"module:function"``. With ``trial`` it is trained against ReLU, GELU and SiLU, each
    tuned alike, 20 networks on each of two data sets (two to three minutes on two cores).
    ``progress``: say on stderr what is being done; by default on a terminal. ``memory``: a dict in
    which the rivals are kept for the next card of this session.

    >>> card = actlab.report(lambda x: x * torch.sigmoid(1.7 * x), "sigmoid-weighted")
    >>> print(card); card.save("cards")

    Raises ``TypeError`` or ``ValueError``, with what to do, for what is no deterministic
    elementwise function of one of the two frameworks.
    """
    talk = sys.stderr.isatty() if progress is None else progress

    def say(what: str) -> None:
        if talk:
            print(f"{what} …", file=sys.stderr, flush=True)

    of = subject(f, name)
    say(f"{of.name}: values and slopes")
    with np.errstate(all="ignore"):
        found = numerics.properties(of.values)
        faults = numerics.faults(of, found)
    record = measured.as_record(of, found)
    threshold = (math.nan, math.nan)
    begin, duel, remarks = None, None, list(of.remarks)
    try:
        threshold = record.saturates_beyond()
        begin = measured.start(record)
    except (ValueError, FloatingPointError) as error:
        remarks.append(f"No start by theory: {error}")
    say(f"{of.name}: cost")
    cost = measured.cost(of)
    if trial:
        try:
            duel = measured.trial(of, begin.gain if begin else 1.0, threshold, say, memory=memory)
        except ValueError as error:
            remarks.append(f"No trial: {error}")
    return Card(
        name=of.name,
        framework={"torch": "PyTorch", "keras": "Keras"}[of.framework],
        remarks=tuple(remarks),
        faults=tuple(faults),
        properties=found,
        threshold=threshold,
        curve=numerics.curve(of),
        start=begin,
        cost=tuple(cost),
        trial=duel,
        machine=machine.describe(),
    )
