"""What chance does to an answer was measured: ``draws.json``, made by ``tests.exercises.draws``."""

import json

import pytest
import torch
from scipy.stats import beta

from tests.exercises import draws

MEASURED = json.loads(draws.FILE.read_text())
CASES = pytest.mark.parametrize(
    ("judge", "name", "right", "settings"),
    [
        pytest.param(judge, name, right, settings, id=f"{judge.__name__}: {name}")
        for judge, cases in ((draws.born, draws.BORN), (draws.learns, draws.SIGMOID))
        for name, (right, *settings) in cases.items()
    ],
)


def most(errors, of):
    """The upper end of a 95 % interval for a probability (Clopper and Pearson)."""
    return float(beta.ppf(0.95, errors + 1, of - errors))


@CASES
def test_chance_decides_less_than_once_in_a_thousand(judge, name, right, settings):
    of, taken = MEASURED["draws"], MEASURED["taken"][f"{judge.__name__}: {name}"]
    assert most(of - taken if right else taken, of) < 0.001


@CASES
def test_a_few_new_draws_agree(judge, name, right, settings):
    torch.manual_seed(1)
    assert judge(8, *settings) == [right] * 8


def test_the_measure_can_fail():
    """A start halfway between right and wrong is taken at times, and so would be seen."""
    torch.manual_seed(0)
    assert 0 < sum(draws.learns(40, draws.orthogonal, 10, True, False)) < 40
    assert most(1, MEASURED["draws"]) > 0.001
