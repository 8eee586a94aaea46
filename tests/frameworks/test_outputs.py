"""Output layers and losses: right pairs agree, wrong ones raise nothing and give another number."""

import pytest

from actlab import claims
from actlab.frameworks import outputs

WRONG = [(pair, wrong) for pair in outputs.PAIRS for wrong in pair.wrong]


@pytest.mark.parametrize("pair", outputs.PAIRS, ids=lambda pair: pair.task)
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_right_pair_gives_the_formulas_number(pair, framework):
    wanted = outputs.references()[pair.task]
    assert outputs.loss(framework, pair.line(framework)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(("pair", "wrong"), WRONG, ids=lambda one: getattr(one, "line", ""))
def test_a_wrong_pair_is_silent_and_gives_another_number(pair, wrong):
    got = outputs.loss(wrong.framework, wrong.line)
    assert got != pytest.approx(outputs.references()[pair.task], rel=0.02)


def test_every_pair_has_a_wrong_one_and_its_claims_are_decided():
    for pair in outputs.PAIRS:
        assert pair.wrong
        for name in pair.claims:
            assert claims.get(name).recorded().verdict


def test_the_reference_is_no_echo():
    with pytest.raises(AssertionError):
        test_a_right_pair_gives_the_formulas_number(
            outputs.Pair("a number", "", {}, "nn.L1Loss()(z1, target)", "", ()), "torch"
        )
