"""The gallery of report cards: whole, sortable, and honest about the faults that were put in."""

import re

import pytest
from actlab_site import cards

from actlab.report import published

CARDS = published.cards()
PAGES = dict(cards.pages(CARDS))


def test_every_published_function_has_a_card_and_a_page():
    assert list(CARDS) == [one.name for one in published.PUBLISHED]
    assert len([one for one in published.PUBLISHED if not one.broken]) >= 12
    assert len(PAGES) == len(CARDS) + 1


def test_faults_that_were_put_in_are_named_and_no_others():
    named = {one.name: [f.kind for f in CARDS[one.name].faults] for one in published.PUBLISHED}
    assert "NaN" in named["Softplus as written"]
    assert named["SiLU without a term"] == ["wrong slope"]
    assert named["ReLU in place"] == ["in place"]
    wrong = {"wrong slope", "in place", "slope at a kink", "dtype", "refused"}
    for one in published.PUBLISHED:
        if not one.broken:
            assert not wrong & set(named[one.name]), one.name


def test_the_cards_are_the_functions():
    """A card's curve is what its function computes today."""
    import torch

    for one in published.PUBLISHED:
        curve = CARDS[one.name].curve
        x = torch.tensor(curve["x"], dtype=torch.float64)
        assert one.function(x.clone()).tolist() == pytest.approx(curve["value"], rel=1e-6, abs=1e-7)


def test_the_table_has_a_line_for_each_with_its_numbers():
    text = PAGES["report-cards.md"]
    assert text.count("<tr data-item") == len(CARDS)
    for name, card in CARDS.items():
        (row,) = re.findall(rf'<tr data-item data-name="{re.escape(name)}".*', text)
        assert f"{card.cost[-1].median:.3g}" in row
        if card.trial:
            ahead = sum(duel.outcome == "ahead" for duel in card.trial.duels)
            assert f'data-ahead="{ahead}"' in row


@pytest.mark.site
def test_it_sorts_and_filters(page, address):
    page.goto(f"{address}/book/reference/report-cards.html")
    page.get_by_role("button", name="Time, in ReLUs").click()
    costs = page.eval_on_selector_all("[data-item]", "rows => rows.map(r => +r.dataset.cost)")
    assert costs == sorted(costs)
    page.get_by_label("with a fault").check()
    shown = page.eval_on_selector_all(
        "[data-item]:not([hidden])", "rows => rows.map(r => r.dataset.faults)"
    )
    assert shown
    assert all(shown)
    assert len(shown) < len(costs)
