"""A claim is a record; its sentence is plain, short and true to the numbers."""

import itertools
import re

import pytest

from actlab.experiments.contest import BEATS, LEAKY, Ahead
from actlab.stats import Interval
from actlab.trial import Claim, Experiment, Measured, Rule, above, exactly, sentence


def lead(*means, half=0.3):
    cases = [("digits", "5"), ("digits", "10"), ("MNIST-1D", "5"), ("MNIST-1D", "10")]
    found = {
        case: Interval(mean, mean - half, mean + half, n=20)
        for case, mean in zip(cases, means, strict=True)
    }
    return {"lead in test accuracy": Measured(found, ("data", "depth"))}


def asked(*means):
    return Experiment(
        prose="Numbers that we made up.",
        scope="Nothing.",
        measure=lambda root, level: lead(*(mean + root for mean in means)),
    )


def claim(*means, **rule):
    return Claim(
        id="made-up",
        statement="A beats B.",
        source="nobody",
        chapter="04_leaky",
        asks=asked(*means),
        by=Rule({"lead in test accuracy": above(0.5, "points")}, **rule),
    )


@pytest.mark.parametrize(
    ("means", "verdict", "because"),
    [
        (
            (1.0, 2.0, 3.0, 4.0),
            "holds",
            "In all 4 settings the lead in test accuracy is +1 to +4 points.",
        ),
        (
            (0.1, 0.0, 3.0, 1.25),
            "holds when …",
            "… on MNIST-1D: there the lead in test accuracy is +1.2 to +3 points, elsewhere 0 to "
            "+0.1 points.",
        ),
        (
            (0.1, 0.0, -0.2, -3.0),
            "refuted",
            "In all 4 settings the lead in test accuracy is −3 to +0.1 points.",
        ),
        (
            (0.6, 0.0, 0.6, 0.6),
            "not shown",
            "In all 4 settings the lead in test accuracy is 0 to +0.6 points; a difference of 0.3 "
            "points could have been missed.",
        ),
    ],
)
def test_the_sentence_says_what_was_found(means, verdict, because):
    found = claim(*means).evaluate()
    assert (found.verdict, found.because) == (verdict, because)
    assert len(found.because.split()) <= 30
    assert str(found) == f"{verdict.upper()}: {because}"


def test_one_counter_example_is_named():
    found = claim(1.0, 1.0, -1.0, 1.0, refuted_if="any", partial=False).evaluate()
    assert found.verdict == "refuted"
    assert found.because == (
        "In 1 of 4 settings (on MNIST-1D, with 5 hidden layers) the lead in test accuracy is "
        "−1 [−1.3, −0.7] points."
    )


def test_the_root_reaches_the_experiment_and_the_record_says_itself():
    assert claim(0.0, 0.0, 0.0, 0.0).evaluate(seed=1).verdict == "holds"
    text = claim(1, 1, 1, 1)._repr_markdown_()
    assert re.search(r"\*Rule\.\* Holds if in every setting the lead in test accuracy", text)
    assert "Numbers that we made up." in text


def test_an_exact_number_needs_no_interval():
    rule = Rule({"gradient": exactly(0)}, refuted_if="any", partial=False, of="framework")
    found = rule.decide({"gradient": Measured.exact({"PyTorch": 0.0, "Keras": 0.0}, "framework")})
    assert found.verdict == "holds"


def test_a_beats_claim_needs_no_function():
    record = Claim(
        id="leaky-beats-relu",
        statement="Leaky ReLU outperforms ReLU.",
        source="nobody",
        asks=Ahead(LEAKY, "leaky 0.01", over="ReLU"),
        by=BEATS,
    )
    assert not record.cheap
    assert "above 0 points" in record.rule
    assert "36 cells" in record.experiment
    with pytest.raises(ValueError, match=r"no arm 'leaky 0.02': it has ReLU, leaky 0.01"):
        Ahead(LEAKY, "leaky 0.02", over="ReLU")


def test_two_of_two_are_both():
    rule = Rule({"lead": above(0)}, of="framework")
    two = {"lead": Measured.exact({"PyTorch": 1.0, "Keras": 2.0}, "framework")}
    assert sentence(rule, rule.decide(two), two) == "In both frameworks the lead is 1 to 2."


def test_where_the_question_does_not_arise_nothing_is_shown():
    rule = Rule({"lead": above(0)})
    nothing = {"lead": Measured({})}
    decision = rule.decide(nothing)
    assert decision.verdict == "not shown"
    assert "no setting was found" in sentence(rule, decision, nothing)


def test_the_first_quantity_of_the_rule_is_the_one_to_talk_about():
    two = Rule({"lead": above(0, "points"), "growth": above(0, "points")})
    found = Interval(1.0, 0.5, 1.5, n=20)
    parts = {"growth": Measured.of({"digits": found}), "lead": Measured.of({"digits": found})}
    assert sentence(two, two.decide(parts), parts).startswith("The lead is +1 [")


@pytest.mark.parametrize(
    ("left_out", "condition"),
    [
        ([("digits", "SGD")], "everywhere but on digits, with SGD"),
        ([("digits", "SGD"), ("digits", "Adam")], "on MNIST-1D or wine"),
        (
            [("digits", "SGD"), ("MNIST-1D", "SGD"), ("wine", "Adam"), ("wine", "SGD")],
            "on digits or MNIST-1D, with Adam",
        ),
        (
            [("digits", "SGD"), ("MNIST-1D", "Adam"), ("wine", "SGD")],
            "on digits, with Adam; on MNIST-1D, with SGD; on wine, with Adam",
        ),
        (
            [("digits", "SGD"), ("wine", "SGD"), ("wine", "Adam")],
            "on digits, with Adam; on MNIST-1D, with SGD or Adam",
        ),
    ],
)
def test_a_condition_is_said_in_as_few_words_as_the_cases_allow(left_out, condition):
    cases = [(data, how) for data in ("digits", "MNIST-1D", "wine") for how in ("SGD", "Adam")]
    found = Measured({case: Interval(0, 0, 0, 1) for case in cases}, ("data", "optimiser"))
    assert found.condition([case for case in cases if case not in left_out]) == condition


def test_many_cases_without_anything_in_common_are_counted():
    pairs = list(itertools.product("abcdefg", "12345678"))
    found = {case: Interval(0.0, -1.0, 1.0, n=9) for case in pairs}
    measured = Measured(found, ("letter", "digit"))
    diagonal = [case for case in pairs if "abcdefg".index(case[0]) == int(case[1]) - 1]
    assert measured.condition(diagonal) == "in 7 of 56 cases"
    assert measured.condition(diagonal[:6]).count("; ") == 5
