"""The translations made beforehand are today's, and every one can go stale and be noticed."""

import random

import pytest

from actlab.frameworks import phrasebook

BOOK = phrasebook.load()
RNG = random.Random(0)
SPELLINGS = phrasebook.spellings()


def asked():
    """(spelling, arguments): some of each number of arguments, drawn once."""
    every = [(name, given) for name, places in SPELLINGS.items()
             for given in phrasebook.variants(places)]  # fmt: skip
    return RNG.sample(every, 120)


def stale(book, spelling, given, when=None):
    key = phrasebook._key(spelling) + phrasebook.written(given)
    number = book["lines"]["None"].get(key)
    has = None if number is None else book["answers"][number]
    return has != phrasebook.answer(spelling, given, when)


def test_the_committed_answers_are_todays():
    assert [one for one in asked() if stale(BOOK, *one)] == []


def test_a_stale_answer_is_noticed():
    key = "leakyrelu(alpha=#)"
    number = BOOK["lines"]["None"][key]
    answers = [*BOOK["answers"]]
    answers[number] = answers[number].replace("negative_slope", "alpha")
    assert stale({**BOOK, "answers": answers}, "LeakyReLU", {"alpha": "#"})
    without = {k: v for k, v in BOOK["lines"]["None"].items() if k != key}
    lines = {**BOOK["lines"], "None": without}
    assert stale({**BOOK, "lines": lines}, "LeakyReLU", {"alpha": "#"})


def test_a_number_is_a_gap_and_a_time_makes_a_difference():
    answer = BOOK["answers"][BOOK["lines"]["None"]["keras.layers.leakyrelu(alpha=#)"]]
    assert "negative_slope={0}" in answer
    assert "called negative_slope today" in answer
    assert BOOK["lines"]["then"]
    assert len(BOOK["answers"]) > 100


@pytest.mark.parametrize("name", ["relu", "torch.nn.GELU", "keras.activations.softmax"])
def test_what_everybody_writes_is_there(name):
    assert phrasebook._key(name) + "()" in BOOK["lines"]["None"]
