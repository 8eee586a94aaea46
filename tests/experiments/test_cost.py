"""Time is compared within a round, and a busy moment moves nothing."""

import numpy as np
import pandas as pd
import pytest

from actlab.experiments import cost, roofline, timing


def surely(cases):
    return 0.95


def table(seconds, rounds=40, busy=()):
    """Rounds in which each activation takes so many seconds; in the ``busy`` ones ten times that.

    ``seconds``: activation → seconds; a framework or task does not matter.
    """
    rng = np.random.default_rng(0)
    rows = [
        (framework, what, name, i, one * (10 if i in busy else 1) * (1 + 0.01 * rng.random()))
        for framework in ("torch", "keras")
        for what in ("function", "step", "batch 1", "batch 256")
        for i in range(rounds)
        for name, one in seconds.items()
    ]
    return pd.DataFrame(rows, columns=["framework", "what", "activation", "round", "seconds"])


@pytest.fixture
def timed(monkeypatch):
    def load(seconds, **more):
        monkeypatch.setattr(roofline, "load", lambda name: table(seconds, **more))

    return load


def test_a_slower_one_takes_so_much_more_time(timed):
    timed({"relu": 1.0, "leaky_relu": 1.5, "elu": 3.0}, busy=(3, 4, 20))
    asked = cost.extra(cost.ACTIVATION_COST, ("elu",), ("function", "step"))
    found = asked(0, surely)["extra time"]
    assert found.factors == ("framework", "task")
    assert len(found.cases) == 4
    for interval in found.cases.values():
        assert interval.low < interval.mean < interval.high
        assert interval.mean == pytest.approx(200, abs=1)


def test_of_several_the_median_one_counts_and_a_single_task_is_no_factor(timed):
    timed({"relu": 1.0, "elu": 1.1, "tanh": 1.2, "mish": 9.0})
    found = cost.extra(cost.ACTIVATION_COST, ("elu", "tanh", "mish"), ("step",))(0, surely)
    measured = found["extra time"]
    assert list(measured.cases) == [("PyTorch",), ("Keras",)]
    assert measured.cases["Keras",].mean == pytest.approx(20, abs=0.5)


def test_another_root_leaves_rounds_out(timed):
    timed({"relu": 1.0, "elu": 1.5})
    asked = cost.extra(cost.ACTIVATION_COST, ("elu",), ("step",))
    counts = [asked(root, surely)["extra time"].cases["PyTorch",].n for root in (0, 1, 5)]
    assert counts == [40, 32, 32]


def test_the_middle_of_the_rounds_is_not_moved_by_a_busy_minute():
    calm = 1 + 0.01 * np.random.default_rng(1).standard_normal(40)
    disturbed = np.where(np.arange(40) < 6, 5.0, calm)
    assert abs(timing.middle(disturbed).mean - timing.middle(calm).mean) < 0.01
    assert timing.middle(calm, 0.99).high > timing.middle(calm, 0.9).high


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"of": ("gelu_tanh",)}, "activation of activation_cost='gelu_tanh': expected 'relu', "),
        ({"tasks": ("batch 1",)}, "task of activation_cost='batch 1': expected 'function' or"),
    ],
)
def test_what_is_not_timed_is_refused(changed, message):
    asked = {"of": ("elu",), "tasks": ("step",)} | changed
    with pytest.raises(ValueError, match=message):
        cost.extra(cost.ACTIVATION_COST, **asked)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_every_task_can_be_timed(framework, monkeypatch):
    monkeypatch.setattr(cost, "ELEMENTS", 100)
    for what in cost.TASKS:
        rows = cost.timing_cell(framework, what, activations=("relu", "tanh"), rounds=2)
        assert list(rows.activation) == ["relu", "tanh"] * 2
        assert (rows.seconds > 0).all()
