"""The card says what was found, in words and in a picture that a reader can trust."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from actlab.stats import Interval
from actlab.trial import Claim, Experiment, Measured, Rule, above, within
from actlab.trial.card import ROWS, Scale, card, grouped, linked, picture

CASES = {
    ("digits", "5"): Interval(-0.5, -1.7, 0.7, n=20),
    ("digits", "10"): Interval(2.0, 1.0, 3.0, n=20),
}
AHEAD = above(0, "points")
LEAD = Measured(CASES, ("data", "depth"), dict.fromkeys(CASES, 1.0))


def claim(measured=LEAD, bound=AHEAD):
    return Claim(
        id="made-up",
        statement="A <b>beats</b> B.",
        source="nobody",
        asks=Experiment("Made up.", "Small networks · digits", lambda root, level: {}),
        by=Rule({"lead in test accuracy": bound}),
    )


def shown(measured=LEAD, bound=AHEAD):
    on_trial = claim(measured, bound)
    return card(on_trial, on_trial.decided({"lead in test accuracy": measured}))


class Text(HTMLParser):
    """What is left where tags are stripped, and whether the tags are balanced."""

    def __init__(self):
        super().__init__()
        self.said, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.said.append(data)


def test_it_reads_without_pictures_and_styles():
    reader = Text()
    reader.feed(shown())
    assert reader.open == []
    text = " ".join(" ".join(reader.said).split())
    for part in (
        "“A <b>beats</b> B.”",  # escaped, not markup
        "◐ holds when …",
        "Small networks · digits",
        "… with 10 hidden layers: there the lead in test accuracy is +2 [+1, +3] points",
        "digits, 5 layers",
        "The claim needs: above 0 points.",
        "Rule, written before the run.",
        "± 1",
    ):
        assert part in text


def test_the_picture_shows_each_interval_where_it_is():
    html = picture("lead", LEAD, above(0, "points"))
    scale = Scale(LEAD, above(0, "points"))
    dots = re.findall(r'<circle class="(in|out)" cx="([\d.]+%)"', html)
    assert dots == [("out", scale.at(-0.5)), ("in", scale.at(2.0))]
    labels = re.findall(r'aria-label="([^"]+)"', html)
    assert labels[0].endswith("5 layers: −1.7 to +0.7, not within the claim")
    assert labels[1].endswith("+1 to +3, within the claim")
    zone = re.search(r'class="zone" x="([\d.]+%)" width="([\d.]+)%"', html)
    assert zone[1] == scale.at(0)
    assert float(zone[1][:-1]) + float(zone[2]) == pytest.approx(100, abs=0.02)


@pytest.mark.parametrize("moved", [0.4, -0.4])
def test_a_moved_interval_changes_the_picture(moved):
    case = ("digits", "5")
    old = CASES[case]
    other = Measured(
        CASES | {case: Interval(old.mean, old.low, old.high + moved, n=20)}, ("data", "depth")
    )
    assert picture("lead", other, above(0)) != picture("lead", LEAD, above(0))


def test_everything_lies_on_the_scale():
    for bound in (above(0), within(-1, 1), above(50, clear=10)):
        scale = Scale(LEAD, bound)
        for value in (*scale.zone, *scale.ticks, -1.7, 3.0):
            assert 0 <= float(scale.at(value)[:-1]) <= 100
        assert 2 <= len(scale.ticks) <= 7


def test_many_cases_share_rows():
    many = {
        (f"data {d}", str(n)): Interval(d, d - 1, d + 1, n=20) for d in range(4) for n in range(5)
    }
    measured = Measured(many, ("data", "depth"))
    rows = grouped(measured)
    assert len(rows) <= ROWS
    assert sorted(case for _, cases in rows for case in cases) == sorted(many)
    assert "of 4" in picture("lead", measured, above(0.5)) or "of 5" in picture(
        "lead", measured, above(0.5), []
    )


def test_sources_are_linked():
    text = linked("[He & al., 2015](https://arxiv.org/abs/1502.01852); the starting document, end")
    assert '<a href="https://arxiv.org/abs/1502.01852">He &amp; al., 2015</a>' in text
    assert 'starting-document.html">starting document</a>, end' in text


def test_a_claim_about_nothing_has_no_picture():
    nothing = Measured({}, ("data", "depth"))
    assert 'class="intervals"' not in shown(nothing)
    assert "Nothing to judge" in shown(nothing)


def test_each_quantity_is_held_against_its_own_bound():
    """A case that fails by the other quantity still meets this one."""
    rule = Rule({"lead": above(0), "gain": above(0)})
    found = {
        "lead": Measured.of({"digits": Interval(2, 1, 3, n=20)}),
        "gain": Measured.of({"digits": Interval(-2, -3, -1, n=20)}),
    }
    on_trial = replace(claim(), by=rule)
    html = card(on_trial, on_trial.decided(found))
    lead, gain = html.split('<table class="intervals">')[1:3]
    assert "1 to 3, within the claim" in lead
    assert "−3 to −1, not within the claim" in gain


def test_a_rule_that_was_changed_says_so():
    assert "Rule, written before the run." in shown()
    changed = replace(claim(), id="relu-dead-hurts")
    html = card(changed, changed.decided({"lead in test accuracy": LEAD}))
    assert "written before the run" not in html
    assert f"Rule, changed on {changed.amended[-1].until}, when results were known" in html


def test_a_name_in_a_quantity_keeps_its_capitals():
    text = picture("loss of ReLU", LEAD, AHEAD)
    assert "<caption>Loss of ReLU (points); shaded" in text
