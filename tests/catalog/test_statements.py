"""What a record says in words and LaTeX is so: its formula, the year of its origin, its notes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actlab import catalog

from .latex import UnreadableError, definitions, value
from .settings import ELEMENTWISE, everywhere

# --- The formula --------------------------------------------------------------------------------

# Parameter → its symbol in the formula.
SYMBOLS = {
    "threshold": r"\theta",
    "value": "v",
    "theta": r"\theta",
    "negative_slope": "a",
    "lower": "l",
    "upper": "u",
    "alpha": r"\alpha",
    "limit": "L",
    "min_val": "m",
    "max_val": "M",
    "beta": r"\beta",
    "b": "b",
    "tau": r"\tau",
}
OF_RECORD = {("soft_shrink", "threshold"): r"\lambda", ("hard_shrink", "threshold"): r"\lambda"}
X = np.unique([*np.linspace(-8, 8, 161), *np.linspace(-1.01, 1.01, 5)])
# A formula with rounded constants (SELU's) has four digits after the point.
DIGITS = {"selu": 2e-4}


def symbols(record: Any, params: dict[str, Any], **given: Any) -> dict[str, Any]:
    known = {OF_RECORD.get((record.name, p), SYMBOLS[p]): v for p, v in params.items()} | given
    return definitions(record.formula, known) | known


def assert_formula(record: Any, expected: Any, known: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):
        for side in value(record.formula, known):
            np.testing.assert_allclose(
                side, expected, rtol=DIGITS.get(record.name, 1e-7), atol=1e-7
            )


@pytest.mark.parametrize(("record", "params"), everywhere(ELEMENTWISE))
def test_the_formula_gives_the_reference(record, params) -> None:
    if record.name == "softplus":  # its formula is that without a threshold
        params = params | {"threshold": np.inf}
    assert_formula(record, record.reference(X, **params), symbols(record, params, x=X))


def test_the_formula_of_hard_tanh_states_the_defaults() -> None:
    record = catalog.get("hard_tanh")
    said = definitions(record.formula, {})
    assert said == {SYMBOLS[name]: default for name, default in record.defaults.items()}


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_the_formula_of_a_vector_function(name) -> None:
    record, x = catalog.get(name), np.array([0.5, -1.0, 2.0, 0.0])
    for i, expected in enumerate(record.reference(x)):
        assert_formula(record, expected, {"x": x, "i": i})


def test_the_formula_of_softmax2d() -> None:
    record, x = catalog.get("softmax2d"), np.random.default_rng(0).normal(size=(3, 2, 2))
    expected = record.reference(x)
    for (c, h, w), wanted in np.ndenumerate(expected):
        assert_formula(record, wanted, {"x": x, "c": c, "h": h, "w": w})


def test_the_formula_of_gumbel_softmax() -> None:
    record, x = catalog.get("gumbel_softmax"), np.array([0.5, -1.0, 2.0])
    noise = np.array([0.2, -0.3, 1.0])
    for i, expected in enumerate(record.reference(x, tau=0.7, noise=noise)):
        assert_formula(record, expected, {"x": x, "g": noise, r"\tau": 0.7, "i": i})


def test_the_formula_of_glu() -> None:
    record, x = catalog.get("glu"), np.array([0.5, -1.0, 2.0, -0.3])
    assert_formula(record, record.reference(x), {"a": x[:2], "b": x[2:]})


def test_the_formula_of_attention() -> None:
    record = catalog.get("scaled_dot_product_attention")
    q, k, v = np.random.default_rng(0).normal(size=(3, 4, 5))
    expected = record.reference(q, key=k, value=v)
    assert_formula(record, expected, {"Q": q, "K": k, "V": v, "d": 5.0})


# Weights of their own shapes, a threshold found by search, a draw among clusters: read by people.
NOT_READ = {
    "sparsemax", "adaptive_log_softmax", "additive_attention", "multi_head_attention",
    "grouped_query_attention",
}  # fmt: skip


def test_every_formula_is_computed_or_excused() -> None:
    read = {record.name for record in ELEMENTWISE} | {
        "softmax", "log_softmax", "softmin", "softmax2d", "gumbel_softmax", "glu",
        "scaled_dot_product_attention",
    }  # fmt: skip
    assert read ^ NOT_READ == set(catalog.names())


def wrong_formulas(formula: str) -> set[str]:
    """Small slips: another sign, number, function, relation."""
    slips = {
        "+": "-", "-": "+", "max": "min", "min": "max", r"\le": r"\ge", ">": "<", "x^3": "x^2",
        "2": "3", "6": "5", "1 +": "2 +", r"\tanh": r"\sigma", "e^": "2^",
    }  # fmt: skip
    found = set()
    main = formula.split(r", \quad", maxsplit=1)[0]
    for old, new in slips.items():
        for match in re.finditer(re.escape(old), main):
            found.add(main[: match.start()] + new + main[match.end() :])
    return {wrong for wrong in found if not re.search(r"\\[A-Za-z]*(?:tag|\+)", wrong)}


@pytest.mark.parametrize("record", ELEMENTWISE, ids=lambda record: record.name)
def test_a_slip_in_the_formula_is_found_out(record) -> None:
    params = record.defaults
    known = symbols(record, params, x=X)
    expected = record.reference(X, **params)
    missed = []
    for wrong in wrong_formulas(record.formula):
        slipped = replace(record, formula=wrong)
        try:
            assert_formula(slipped, expected, known)
        except (AssertionError, UnreadableError):
            continue
        missed.append(wrong)
    assert missed == []


# --- The origin ---------------------------------------------------------------------------------

# The year in which that volume appeared, where the address does not have it.
VOLUMES = {
    "10.1007/BF02478259": 1943,  # Bulletin of Mathematical Biophysics 5
    "10.2307/2344614": 1972,  # Journal of the Royal Statistical Society A 135
    "10.1038/323533a0": 1986,  # Nature 323
    "10.1007/3-540-49430-8_2": 1998,  # Lecture Notes in Computer Science 1524
    "10.1109/18.382009": 1995,  # IEEE Transactions on Information Theory 41
    "10.1093/biomet/81.3.425": 1994,  # Biometrika 81
}


def year_of(url: str) -> int | None:
    """The year that an address tells: arXiv's number, a year in the path, ACL's letter code."""
    if match := re.search(r"arxiv\.org/abs/(\d\d)\d\d\.", url):
        return 2000 + int(match[1])
    if match := re.search(r"aclanthology\.org/[A-Z](\d\d)-", url):
        return 2000 + int(match[1])
    doi = url.partition("doi.org/")[2]
    if doi in VOLUMES:
        return VOLUMES[doi]
    path = re.sub(r"/hash/.*", "", url)
    years = {int(year) for year in re.findall(r"(?<!\d)(19\d\d|20\d\d)(?!\d)", path)}
    return years.pop() if len(years) == 1 else None


@pytest.mark.parametrize("record", catalog.records(), ids=lambda record: record.name)
def test_the_year_is_that_of_the_address(record) -> None:
    assert int(record.origin.citation[-4:]) == year_of(record.origin.url)


def test_a_wrong_year_is_found_out() -> None:
    for record in catalog.records():
        year = int(record.origin.citation[-4:])
        origin = replace(record.origin, citation=record.origin.citation[:-4] + str(year + 1))
        with pytest.raises(AssertionError):
            test_the_year_is_that_of_the_address(replace(record, origin=origin))


# --- The notes on kinks -------------------------------------------------------------------------


def note_problems(record: Any) -> list[str]:
    """What a kink note says about the derivative at the record's kinks and is not so."""
    said = record.properties
    slopes = dict(zip(said.kinks, map(float, record.derivative(said.kinks)), strict=True))
    sides = {
        kink: [float(record.derivative(kink + side * 1e-9)) for side in (-1, 1)]
        for kink in said.kinks
    }
    selu = 1.0507009873554805 * 1.6732632423543772
    words = {"a": record.defaults.get("negative_slope"), "α": record.defaults.get("alpha")}
    if record.name == "rrelu":
        words["a"] = sum(record.defaults.values()) / 2
    numbers = {"0": 0.0, "3/2": 1.5, "λα": selu, **words}
    problems = []
    for at, value_ in re.findall(
        r"[Aa]t ([−\d]+|both kinks|both jumps|0 and at 6|the threshold|θ|the jump) "
        r"(?:the derivative|it) is (?:given as )?([\w/]+)",
        record.kink_note,
    ):
        one = re.fullmatch(r"[−\d]+", at)
        kinks = [float(at.replace("−", "-"))] if one else list(said.kinks)
        for kink in kinks:
            if kink not in slopes or numbers.get(value_) is None:
                problems.append(f"{at}: {value_}?")
            elif not np.isclose(slopes[kink], numbers[value_]):
                problems.append(f"at {kink} it is {slopes[kink]}, not {value_}")
    note = record.kink_note
    for kink, (left, right) in sides.items():
        if "left one" in note and not np.isclose(slopes[kink], left):
            problems.append(f"at {kink} it is not the left one")
        if "right one" in note and not np.isclose(slopes[kink], right):
            problems.append(f"at {kink} it is not the right one")
        if "flat" in note and not (slopes[kink] == 0 == min(abs(left), abs(right))):
            problems.append(f"at {kink} it is not that of the flat side")
    if not problems and not re.search(r"derivative|it is", note):
        problems.append("the note says nothing of the derivative")
    return problems


KINKED = [r for r in ELEMENTWISE if r.properties.kinks and r.properties.smoothness < 1]


@pytest.mark.parametrize("record", KINKED, ids=lambda record: record.name)
def test_a_kink_note_is_so(record) -> None:
    assert note_problems(record) == []


@pytest.mark.parametrize("record", KINKED, ids=lambda record: record.name)
def test_a_wrong_kink_note_is_found_out(record) -> None:
    note = record.kink_note
    wrong = {re.sub(r"is (given as )?\S+?([,:]|$)", r"is \g<1>7\2", note, count=1)}
    if "left one" in note:
        wrong.add(note.replace("left one", "right one"))
    for lie in wrong - {note}:
        assert note_problems(replace(record, kink_note=lie)), lie
    assert wrong != {note}
