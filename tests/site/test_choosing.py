"""The page "Which one should I use?": no advice without its evidence, and none that outlives it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from actlab_site import choosing

from actlab import claims


def test_no_advice_outlives_its_evidence():
    assert choosing.outlived(claims.get) == []


@pytest.mark.parametrize("advice", choosing.ADVICE, ids=lambda advice: advice.case)
def test_another_verdict_is_noticed(advice, monkeypatch):
    for name in advice.stands_on:

        def get(asked, turned=name):
            other = SimpleNamespace(verdict="turned")
            return SimpleNamespace(recorded=lambda: other if asked == turned else real(asked))

        def real(asked):
            return claims.get(asked).recorded()

        assert [f"{name} is 'turned'" in said for said in choosing.outlived(get)] == [True] * sum(
            name in one.stands_on for one in choosing.ADVICE
        )


def test_every_advice_has_a_verdict_or_a_paper_behind_it():
    for advice in choosing.ADVICE:
        assert advice.stands_on or advice.literature
        assert all(address.startswith("https://") for _, address in advice.literature)


def test_an_unknown_claim_fails_the_build(monkeypatch):
    advice = replace(choosing.ADVICE[0], stands_on={"relu-is-best": "holds"})
    monkeypatch.setattr(choosing, "ADVICE", (advice,))
    with pytest.raises(KeyError, match="relu-is-best"):
        choosing.page(claims.get)


def test_the_page_has_every_case_and_every_line():
    text = choosing.page(claims.get)
    for advice in choosing.ADVICE:
        assert f"## {advice.case}\n" in text
    for pair in choosing.PAIRS:
        for line in (pair.torch, pair.keras, *(wrong.line for wrong in pair.wrong)):
            assert f"`{line}`" in text
