"""Cheat rows: data with evidence behind them, and defaults that come from the catalog."""

import re

import pytest

from actlab import catalog, claims
from actlab.trial import Row

ROWS = [(chapter, row) for chapter, rows in claims.rows().items() for row in rows]


def row(activation="relu", **changes):
    words = {"use": "always", "start": "He", "trap": "none", "evidence": ("relu-revive",)}
    return Row(activation=activation, **(words | changes))


@pytest.mark.parametrize(("chapter", "row"), ROWS, ids=[row.activation for _, row in ROWS])
def test_a_row_names_what_exists_and_fits_on_the_sheet(chapter, row):
    assert row.title
    assert row.defaults("torch") or row.defaults("keras")
    for claim in map(claims.get, row.evidence):
        assert claim.recorded().verdict
    assert all(len(words) <= 90 for words in (row.use, row.start, row.trap))


def test_an_activation_has_one_row():
    names = [row.activation for _, row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("activation", "keras", "torch", "differ"),
    [
        ("relu", ["layers.ReLU()"], ["nn.ReLU()"], False),
        ("tanh", ["activations.tanh"], ["nn.Tanh()"], False),
        (
            "leaky_relu",
            ["layers.LeakyReLU(negative_slope=0.3)", "activations.leaky_relu(negative_slope=0.2)"],
            ["nn.LeakyReLU(negative_slope=0.01)"],
            True,
        ),
        (
            "prelu",
            ["layers.PReLU(alpha_initializer='Zeros')"],
            ["nn.PReLU(init=0.25)"],
            True,
        ),
        ("rrelu", [], ["nn.RReLU(lower=0.125, upper=0.3333)"], False),
        ("softmax", ["layers.Softmax(axis=-1)"], ["nn.Softmax(dim=None)"], True),
    ],
)
def test_defaults_come_from_the_catalog(activation, keras, torch, differ):
    found = row(activation)
    assert found.defaults("keras") == keras
    assert found.defaults("torch") == torch
    assert found.differ == differ


def test_what_a_notebook_shows():
    shown = claims.cheat("relu")
    assert "ReLU\n  When: " in repr(shown)
    html = shown._repr_html_()
    assert '<th scope="row">PyTorch</th><td><code>nn.ReLU()</code></td>' in html
    for name in claims.rows()["02_relu"][0].evidence:
        verdict = claims.get(name).recorded().verdict
        assert re.search(
            rf"{verdict}</span> <a href=\"../book/reference/claims.html#on-trial-{name}\">", html
        )


def test_what_needs_arguments_is_shown_without_them():
    attention = row("multi_head_attention")
    assert attention.defaults("torch") == ["nn.MultiheadAttention()"]
    assert attention.defaults("keras") == ["layers.MultiHeadAttention()"]
    assert row("rrelu").defaults("keras") == []


def test_clear_errors(monkeypatch):
    from actlab.claims import relu

    with pytest.raises(KeyError, match="no chapter is called 'rellu': the nearest are relu"):
        claims.cheat("rellu")
    monkeypatch.setattr(relu, "CHEAT", (row(evidence=("no-such-claim",)),))
    with pytest.raises(KeyError, match="unknown claim 'no-such-claim'"):
        claims.cheat("relu")
    monkeypatch.setattr(relu, "CHEAT", (row("relux"),))
    with pytest.raises(KeyError, match="relux"):
        claims.cheat("relu")
    monkeypatch.delattr(relu, "CHEAT")
    with pytest.raises(LookupError, match=r"write CHEAT = \(Row"):
        claims.cheat("relu")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"use": " "}, "Row: use is ' '; expected a few words"),
        ({"trap": None}, "Row: trap is None"),
        ({"evidence": ()}, "expected a tuple of claim ids, at least one"),
        ({"evidence": "relu-revive"}, "expected a tuple of claim ids"),
    ],
)
def test_a_row_without_words_or_evidence_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        row(**changes)


def test_every_activation_of_both_libraries_has_a_chapter():
    assert set(claims.homes()) == set(catalog.names())


def test_a_chapter_says_which_records_it_is_about():
    homes = claims.homes()
    family = set(catalog.families()["softmax"])
    chapters = {"08_softmax", "09_softmax_family"}
    assert {name for name, chapter in homes.items() if chapter in chapters} == family
