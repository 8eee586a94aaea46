"""Every stated property is measured; and a wrong statement is found out, whichever it is."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from actlab import catalog
from actlab.catalog import Interval, Properties

from .properties import Observed, complaints, observe
from .settings import ELEMENTWISE, everywhere, settings

OTHERS = [record for record in catalog.records() if record.kind != "elementwise"]


@cache
def seen(name: str, at: int) -> Observed:
    record = catalog.get(name)
    params = settings(record)[at]
    return observe(record, params, record.properties_at(**params).kinks)


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_stated_properties_are_so(record, params) -> None:
    said = record.properties_at(**params)
    assert complaints(said, seen(record.name, settings(record).index(params))) == []


def wrong_statements(said: Properties):
    """Every way to be wrong by one field: (what, the statement)."""
    for field in ("zero_centred", "monotonic"):
        yield field, replace(said, **{field: not getattr(said, field)})
    for wrong in {-1, 0, 1, 2, math.inf} - {said.smoothness}:
        yield f"smoothness={wrong}", replace(said, smoothness=wrong)
    if said.kinks:
        yield "a kink less", replace(said, kinks=said.kinks[1:])
        yield "a kink moved", replace(said, kinks=(said.kinks[0] + 0.25, *said.kinks[1:]))
    yield "a kink more", replace(said, kinks=(*said.kinks, 1.75))
    for side in (0, 1):
        limits, ends = list(said.limits), list(said.saturation)
        for wrong in {-math.inf, math.inf, 0.0, 1.0, limits[side] + 0.01} - {limits[side]}:
            limits[side] = wrong
            yield f"limits={limits}", replace(said, limits=tuple(limits))
        for wrong in {None, "hard", "soft"} - {ends[side]}:
            ends[side] = wrong
            yield f"saturation={ends}", replace(said, saturation=tuple(ends))
    r = said.range
    for closed in {(a, b) for a in (True, False) for b in (True, False)} - {r.closed}:
        yield f"closed={closed}", replace(said, range=replace(r, closed=closed))
    for lower in {-math.inf, r.lower - 0.01, r.lower + 0.01, -2.0} - {r.lower}:
        yield f"lower={lower}", replace(said, range=replace(r, lower=lower))
    for upper in {math.inf, r.upper - 0.01, r.upper + 0.01, 50.0} - {r.upper}:
        yield f"upper={upper}", replace(said, range=replace(r, upper=upper))


@pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)
def test_a_wrong_statement_is_found_out(record) -> None:
    true = record.properties
    missed = [
        what
        for what, wrong in wrong_statements(true)
        if wrong != true and not complaints(wrong, seen(record.name, 0))
    ]
    assert missed == []


def test_the_complaint_names_the_property() -> None:
    relu = catalog.get("relu")
    lie = replace(relu, describe=lambda: replace(relu.properties, monotonic=False))
    assert complaints(lie.properties, seen("relu", 0)) == ["monotonic: the curve never falls"]
    lie = replace(relu, describe=lambda: replace(relu.properties, range=Interval(0, math.inf)))
    assert complaints(lie.properties, seen("relu", 0)) == ["range: the lower end 0 is attained"]


@pytest.mark.parametrize("record", OTHERS, ids=lambda record: record.name)
def test_what_has_no_meaning_between_vectors_is_not_stated(record) -> None:
    said = record.properties
    assert (said.zero_centred, said.monotonic, said.saturation, said.limits) == (None,) * 4
    assert said.kinks == ()


# |f'| at the threshold is the share it was asked for: by calculus, not by the code's own search.
THRESHOLDS = {
    "sigmoid": (-5.98644569, 5.98644569),  # s(1 − s) = 0.01 / 4
    "tanh": (-math.atanh(math.sqrt(0.99)), math.atanh(math.sqrt(0.99))),
    "softsign": (-9.0, 9.0),
    "elu": (math.log(0.01), math.inf),
    "softplus": (math.log(0.01 / 0.99), math.inf),
    "hard_tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "leaky_relu": (-math.inf, math.inf),
    "log_sigmoid": (-math.inf, -math.log(0.01 / 0.99)),
    "sparse_plus": (-0.98, math.inf),
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_saturation_threshold(name) -> None:
    assert catalog.get(name).saturates_beyond() == pytest.approx(THRESHOLDS[name], rel=1e-8)


@pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)
def test_beyond_the_threshold_the_derivative_stays_small(record) -> None:
    share = 0.005  # below the leaky functions' slopes: a leak is no saturation
    left, right = record.saturates_beyond(share)
    if math.isnan(left):
        assert record.name in {"binary_step", "exponential"}
        return
    steepest = np.abs(record.derivative([*np.linspace(-30, 30, 60_001), -1e9, 1e9])).max()
    for end, outward, saturates in zip((left, right), (-1, 1), record.properties.saturation,
                                       strict=True):  # fmt: skip
        assert math.isinf(end) == (saturates is None)
        if saturates:
            beyond = end + outward * np.geomspace(1e-6, 1e6, 200)
            assert (np.abs(record.derivative(beyond)) <= share * steepest * (1 + 1e-6)).all()
            just_inside = np.abs(record.derivative(end - outward * 1e-6))
            assert just_inside >= share * steepest * (1 - 1e-4)


def test_saturation_threshold_follows_the_parameters_and_the_share() -> None:
    assert catalog.get("hard_sigmoid").saturates_beyond(limit=2.5) == (-2.5, 2.5)
    assert catalog.get("celu").saturates_beyond(alpha=2.0)[0] == pytest.approx(2 * math.log(0.01))
    assert catalog.get("elu").saturates_beyond(share=0.5)[0] == pytest.approx(math.log(0.5))


def test_saturation_threshold_refuses_what_it_cannot_answer() -> None:
    with pytest.raises(TypeError, match="softmax is not elementwise"):
        catalog.get("softmax").saturates_beyond()
    with pytest.raises(ValueError, match=r"share=1\.5"):
        catalog.get("tanh").saturates_beyond(share=1.5)
