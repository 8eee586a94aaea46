"""A prediction's answer: the right choice, one line of Markdown, and clear refusals."""

import math

import numpy as np
import pytest

from actlab import predict

LIMITS = {"nearly none": 0.1, "about half": 0.6, "as many as before": 1}


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        (-3, "nearly none"),
        (0.1, "nearly none"),
        (np.nextafter(0.1, 1), "about half"),
        (np.float32(0.5), "about half"),
        (np.array([0.7]), "as many as before"),
        (1, "as many as before"),
    ],
)
def test_the_first_choice_whose_limit_is_at_least_the_value(value, choice):
    assert predict.pick(value, LIMITS) == choice


def test_the_last_choice_may_be_open():
    assert predict.pick(math.inf, {"few": 10, "many": math.inf}) == "many"


@pytest.mark.parametrize(
    ("value", "limits", "error", "says"),
    [
        (math.nan, LIMITS, ValueError, "value: is NaN: nothing was measured"),
        (1.5, LIMITS, ValueError, "value: 1.5 lies above every limit .1 is the largest"),
        ("0.5", LIMITS, TypeError, "value: expected real numbers"),
        ([0.5, 0.6], LIMITS, TypeError, "value: expected one number, got 2 of them"),
        (0.5, [("few", 1)], TypeError, "limits: expected a mapping"),
        (0.5, {"few": 1}, ValueError, "limits: expected two to four choices, got 1"),
        (0.5, {"few": 1, "many": 1}, ValueError, "limits: expected upper limits that rise"),
        (0.5, {"few": 1, "many": math.nan}, ValueError, r"limits\['many'\]: is NaN"),
        (0.5, {"few": 1, "": 2}, ValueError, "limits: expected one line of text"),
        (0.5, {1: 1, "many": 2}, TypeError, "limits: expected text, got 1"),
    ],
)
def test_bad_input_is_refused(value, limits, error, says):
    with pytest.raises(error, match=says):
        predict.pick(value, limits)


@pytest.fixture
def shown(monkeypatch):
    """What ``reveal`` shows, as Markdown."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)

    def reveal(*args, **kwargs):
        predict.reveal(*args, **kwargs)
        return outputs.pop().data

    return reveal


def test_what_is_revealed(shown):
    assert shown("6 % of the units", choice="nearly none") == (
        "> **Measured.** 6 % of the units: *nearly none*."
    )
    assert shown("6 % of the units.", choice="few", folklore="as many as before") == (
        "> **Measured.** 6 % of the units: *few*. The folklore says: *as many as before*."
    )


@pytest.mark.parametrize(
    ("measured", "kwargs", "error", "says"),
    [
        ("", {"choice": "few"}, ValueError, "measured: expected one line"),
        ("6 %\nof it", {"choice": "few"}, ValueError, "measured: expected one line"),
        (0.06, {"choice": "few"}, TypeError, "measured: expected text, got 0.06"),
        ("6 %", {"choice": None}, TypeError, "choice: expected text"),
        ("6 %", {"choice": "few", "folklore": " "}, ValueError, "folklore: expected one line"),
    ],
)
def test_a_bad_reveal_is_refused(measured, kwargs, error, says):
    with pytest.raises(error, match=says):
        predict.reveal(measured, **kwargs)
