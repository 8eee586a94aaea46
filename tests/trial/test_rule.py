"""Prose, decision and examples of a rule come from the same fields, and none can be idle."""

import dataclasses
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.stats import Interval
from actlab.trial import Bound, Measured, Rule, above, at_least, at_most, below, exactly, within

BOUNDS = {
    "above": above(0.5, "points"),
    "below": below(-2, "%"),
    "at least": at_least(0.01),
    "at most": at_most(0.0),
    "within": within(40, 60, "%"),
    "exactly": exactly(1),
    "exactly zero": exactly(0),
    "far above": above(20, "points", clear=15),
    "far within": within(-1, 1, clear=0.5),
    "at least, or nothing like it": at_least(0.9, clear=0.4),
}


def rules():
    for (name, bound), how, together in itertools.product(
        BOUNDS.items(), (("all", True), ("all", False), ("any", False)), (True, False)
    ):
        refuted_if, partial = how
        yield pytest.param(
            Rule({"lead": bound}, refuted_if=refuted_if, partial=partial, together=together),
            id=f"{name}, {refuted_if}, {'partial' if partial else 'whole'}, {together}",
        )
    yield pytest.param(Rule({"gain": above(1, "points"), "lead": above(0, "points")}), id="two")


@pytest.mark.parametrize("rule", rules())
def test_every_clause_has_an_example_and_the_rule_decides_it_so(rule):
    found = rule.examples()
    for example in found:
        assert rule.decide(example.evidence).verdict == example.verdict, example.why
    expected = {"holds", "refuted", "not shown"} | ({"holds when …"} if rule.partial else set())
    assert {example.verdict for example in found} == expected


@pytest.mark.parametrize("rule", rules())
def test_every_field_is_heard_by_an_example_or_by_the_prose(rule):
    """Move a threshold or turn a clause, and the examples of the old rule go red."""
    examples = rule.examples()

    def passes(other):
        return all(other.decide(e.evidence).verdict == e.verdict for e in examples)

    assert passes(rule)
    for what, bound in rule.bounds.items():
        for end in ("low", "high"):
            value = getattr(bound, end)
            if abs(value) == float("inf"):
                continue
            shift = 0.01 * (abs(value) or 1.0)
            for moved in (value - shift, value + shift):
                ends = {"low": bound.low, "high": bound.high} | {end: moved}
                if ends["low"] > ends["high"]:
                    continue
                changed = dataclasses.replace(bound, **ends)
                other = dataclasses.replace(rule, bounds={**rule.bounds, what: changed})
                assert not passes(other)
                assert other.prose() != rule.prose()
    flipped = {"refuted_if": "any", "partial": False}
    if rule.refuted_if == "any":
        flipped = {"refuted_if": "all"}
    assert not passes(dataclasses.replace(rule, **flipped))
    assert dataclasses.replace(rule, **flipped).prose() != rule.prose()
    assert dataclasses.replace(rule, confidence=0.9).prose() != rule.prose()
    assert dataclasses.replace(rule, together=not rule.together).prose() != rule.prose()


@pytest.mark.parametrize("method", ["met", "opposed"])
@pytest.mark.parametrize("name", [n for n in BOUNDS if not n.startswith("exactly")])
def test_a_bound_that_looks_at_the_mean_alone_is_found_out(name, method, monkeypatch):
    rule = Rule({"lead": BOUNDS[name]})
    real = getattr(Bound, method)

    def by_the_mean(self, found):
        return real(self, Interval(found.mean, found.mean, found.mean, n=2))

    monkeypatch.setattr(Bound, method, by_the_mean)
    assert any(rule.decide(e.evidence).verdict != e.verdict for e in rule.examples())


intervals = st.tuples(st.floats(-100, 100), st.floats(0, 20)).map(
    lambda pair: Interval(pair[0], pair[0] - pair[1], pair[0] + pair[1], n=20)
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(BOUNDS.values())), st.lists(intervals, min_size=1, max_size=6))
def test_holds_and_refuted_are_never_both_right(bound, found):
    for interval in found:
        assert not (bound.met(interval) and bound.opposed(interval))
    cases = Measured.of({f"case {i}": interval for i, interval in enumerate(found)})
    decision = Rule({"it": bound}).decide({"it": cases})
    assert not set(decision.passing) & set(decision.against)
    if decision.verdict == "refuted":  # the opposite was shown, never a default
        assert all(bound.opposed(interval) for interval in found)
    if decision.verdict == "not shown":
        assert not decision.passing


def test_prose_says_every_clause():
    rule = Rule({"lead in test accuracy": above(0.5, "points")}, together=True)
    assert rule.prose() == (
        "Holds if in every setting the lead in test accuracy is above 0.5 points (the whole 95 % "
        "interval, corrected for all settings together); holds when … if in some, and then says in "
        "which; refuted if in every setting the lead in test accuracy is at or below 0.5 points "
        "(the whole interval); otherwise not shown."
    )


def test_a_condition_is_found_and_said_in_the_readers_words():
    cases = [(d, n) for d in ("digits", "MNIST-1D", "Fashion-MNIST") for n in ("5", "10")]
    point = Interval(1, 1, 1, n=1)
    measured = Measured(dict.fromkeys(cases, point), ("data", "depth"))
    assert measured.condition([("MNIST-1D", "5"), ("MNIST-1D", "10")]) == "on MNIST-1D"
    assert measured.condition([c for c in cases if c[1] == "10"]) == "with 10 hidden layers"
    assert measured.condition(cases[1:]) == f"everywhere but {measured.title(cases[0])}"
    one = Measured({("1",): point, ("3",): point}, ("depth",))
    assert one.condition([("1",)]) == "with 1 hidden layer"
    assert (
        measured.condition([("digits", "10"), ("MNIST-1D", "10")])
        == "on digits or MNIST-1D, with 10 hidden layers"
    )
    scattered = measured.condition([("digits", "5"), ("MNIST-1D", "10")])
    assert (
        scattered == "on digits, with 5 hidden layers; on MNIST-1D, with 10 hidden layers"
    )  # no combination of levels singles them out, so they are named


def test_reachable_sees_a_rule_that_could_never_say_refuted():
    lead = Rule({"lead": above(0.5, "points")})
    assert lead.reachable(0.4) == {"holds": True, "refuted": True, "holds when …": True}
    assert not lead.reachable(0.6)["refuted"]  # nothing is going on, and the study can't say so
    assert Rule({"lead": above(0)}).reachable(0.01)["refuted"]  # by a lead of the other one
    assert not Rule({"lead": above(20, clear=15)}).reachable(6)["refuted"]
    assert Rule({"x": exactly(0)}, partial=False).reachable(0.0) == {"holds": True, "refuted": True}
    both = Rule({"lead": above(0.5), "gain": above(5)})
    assert not both.reachable({"lead": 0.6, "gain": 1.0})["refuted"]
    assert both.reachable({"lead": 0.4, "gain": 1.0})["refuted"]
    same = Rule({"difference": within(-1, 1, "points")})
    assert same.reachable(0.9)["holds"]
    assert not same.reachable(1.1)["holds"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rule({}), "needs a bound"),
        (lambda: Rule({"x": above(0)}, refuted_if="any"), "both would be right"),
        (lambda: within(2, 1), "low <= high"),
        (lambda: within(1, 1), "holds no number"),
        (lambda: above(float("nan")), "low <= high"),
        (lambda: above(float("-inf")), "could not be missed"),
        (lambda: above(1, clear=-1), "a distance of 0 or more"),
        (lambda: Measured({("a", "b"): Interval(0, 0, 0, n=1)}), "one level for each"),
        (lambda: Measured.of({"a": Interval(0, 1, 2, n=1)}), "no interval"),
        (lambda: Measured.exact({"a": float("nan")}), "no interval"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_evidence_about_something_else_is_refused():
    rule = Rule({"lead": above(0)}, together=True)
    one = Measured.of({"a": Interval(1, 0.5, 1.5, n=20), "b": Interval(1, 0.5, 1.5, n=20)})
    with pytest.raises(ValueError, match=r"0\.95 confidence; the rule needs 0\.975"):
        rule.decide({"lead": one})
    with pytest.raises(ValueError, match="asks for lead; measured was gain"):
        rule.decide({"gain": one})
    two = Rule({"lead": above(0), "gain": above(0)})
    with pytest.raises(ValueError, match="other cases"):
        two.decide({"lead": one, "gain": Measured.exact({"a": 1.0})})


def test_measured_survives_json():
    measured = Measured(
        {("digits", "5"): Interval(1.5, 1, 2, n=20, confidence=0.99)},
        ("data", "depth"),
        {("digits", "5"): 0.3},
        {"diverged": 2},
    )
    assert Measured.from_json(json.loads(json.dumps(measured.to_json()))) == measured
