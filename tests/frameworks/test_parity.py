"""The recorded differences are true: nothing new, nothing gone; and this check can fail."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from actlab import catalog
from actlab.frameworks import differences, inputs, keras, lines, parity, torch
from actlab.frameworks.binding import DTYPES, limits, places_of
from actlab.frameworks.cases import CATEGORIES, INACCURATE, ULPS, Case, classify, groups
from actlab.frameworks.differences import Difference, Witness, compare, load, save

HINT = (
    "look at what changed; if it is the frameworks' doing, record it with\n"
    "    python -m actlab.frameworks.parity record\n"
    "if it is another processor's, add it with\n"
    "    python -m actlab.frameworks.parity add"
)


@pytest.fixture(scope="module")
def recorded():
    return load()


@pytest.fixture(scope="module")
def measured():
    return parity.measure(witnesses=False)


def of(differences_, name):
    return [difference for difference in differences_ if difference.record == name]


# --- the gate -----------------------------------------------------------------------------------


def test_nothing_new_and_nothing_gone(recorded, measured):
    problems = compare(recorded, measured)
    then, now = differences.recorded_versions(), differences.versions()
    versions = "" if then == now else f"\nrecorded with {then}, measured with {now}"
    assert not problems, "\n".join(problems) + f"\n{HINT}{versions}"


def test_what_is_recorded_is_measured_with_these_versions():
    assert differences.recorded_versions() == differences.versions()


@pytest.mark.parametrize("category", sorted({d.category for d in load() if d.clear}))
def test_a_dropped_entry_is_new(recorded, measured, category):
    dropped = next(d for d in recorded if d.category == category and d.clear)
    remaining = [difference for difference in recorded if difference is not dropped]
    problems = compare(remaining, measured)
    assert problems
    assert all(
        problem.startswith(f"new: {dropped.quantity} of {dropped.record}") for problem in problems
    )


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_invented_entry_is_gone(recorded, measured, category):
    invented = Difference(
        "tanh", {}, "value", category, "float16", "+", ("torch.nn.Tanh",), (0.25, 0.5), 3, 1e9, None
    )
    problems = compare([*recorded, invented], measured)
    assert [problem.split(":")[0] for problem in problems] == ["gone"]
    assert "torch.nn.Tanh" in problems[0]
    assert CATEGORIES[category] in problems[0]


def test_an_entry_of_another_extent_has_moved(recorded, measured):
    old = next(d for d in recorded if d.category == "not finite" and d.clear and d.places)
    moved = dataclasses.replace(old, span=(old.span[0], old.span[0] / 2))
    others = [difference for difference in recorded if difference is not old]
    problems = compare([*others, moved], measured)
    assert problems
    assert all(problem.startswith("moved: ") for problem in problems)


def test_a_changed_framework_is_noticed(recorded, monkeypatch):
    """PyTorch's ReLU with another slope at 0 and its Sigmoid off by a thousandth."""
    import torch as library

    def relu(x, inplace=False):
        return library.where(x >= 0, x, 0 * x)

    def sigmoid(x):
        return library.sigmoid(x) * 1.001

    monkeypatch.setattr(library.nn.functional, "relu", relu)
    monkeypatch.setattr(library.nn.functional, "sigmoid", sigmoid)
    names = ("relu", "sigmoid")
    now = parity.measure([catalog.get(name) for name in names], witnesses=False)
    problems = compare(
        [d for name in names for d in of(recorded, name) if d.dtype and d.places], now
    )
    new = "\n".join(problem for problem in problems if problem.startswith("new"))
    assert "gradient of relu in float32: the gradient (or the value, at a jump) at a kink" in new
    assert "torch.nn.functional.relu" in new
    assert "value of sigmoid in float32: fewer correct digits than the format holds" in new


def test_measuring_twice_gives_the_same(measured):
    again = parity.measure([catalog.get("softsign")], witnesses=False)
    assert repr(again) == repr(of(measured, "softsign"))


# --- what is recorded ---------------------------------------------------------------------------


def test_two_lines_of_code_show_every_difference(recorded):
    """Every line is run, and gives what is recorded."""
    wrong = []
    for difference in recorded:
        shown = difference.witness
        if shown is None or not difference.everywhere:
            continue
        assert len(difference.calls) == len(shown.results)
        for call, result in zip(difference.calls, shown.results, strict=True):
            returned = lines.run(call)
            # The last digits are the processor's; the difference itself is not.
            expected = np.squeeze(np.asarray(result)) if not isinstance(result, str) else result
            if isinstance(returned, str) or isinstance(expected, str):
                same = isinstance(returned, str) and returned == expected
            else:
                flat = np.squeeze(returned[0] if difference.places else returned)
                eps = limits(difference.dtype).eps if difference.dtype else 1e-6
                ulps = 4 if difference.dtype in ("float16", "bfloat16") else 16
                same = np.allclose(flat, expected, rtol=ulps * eps, atol=0.0, equal_nan=True)
            if not same:
                wrong.append(f"{call} gave {returned}, recorded is {result}")
    assert not wrong, "\n".join(wrong)


def test_every_witness_shows_a_difference(recorded):
    """The first result is off by more than the tolerance, or differs from the second."""
    for difference in recorded:
        shown = difference.witness
        if shown is None or difference.category == "length" or not difference.places:
            continue
        case = Case.of(catalog.get(difference.record), difference.setting, difference.dtype)
        if difference.category in ("refused", "default"):
            assert shown.results[0] != shown.results[1]
        elif not case.names:
            at = np.flatnonzero(case.x == shown.x) if shown.x == shown.x else [len(case.x) - 1]
            one = case.pick(np.asarray(at)[-1:])
            got = np.array([shown.results[0]], dtype=np.float64)
            category = classify(one, difference.quantity, got)[0][0]
            assert category == difference.category or {category, difference.category} <= set(
                INACCURATE
            )


def test_every_place_is_measured(monkeypatch):
    """Modules and functions, layers and functions: each is called, values and gradients."""
    seen = set()
    original = Case.evaluate

    def evaluate(self, place, quantity, x=None):
        seen.add((place.path, quantity))
        return original(self, place, quantity, x)

    monkeypatch.setattr(Case, "evaluate", evaluate)
    record = catalog.get("leaky_relu")
    parity.measure([record], witnesses=False)
    assert seen == {(p.path, q) for p in places_of(record) for q in ("value", "gradient")}


def test_known_findings(recorded):
    """A few that were found by hand: the record must hold them."""

    def holds(name, category, path, quantity="value"):
        return any(
            d.category == category and d.quantity == quantity and path in d.places
            for d in of(recorded, name)
        )

    assert holds("leaky_relu", "default", "keras.layers.LeakyReLU")
    assert holds("sparsemax", "wrong", "keras.activations.sparsemax")
    assert holds("squareplus", "not finite", "keras.activations.squareplus")
    assert holds("celu", "kink", "keras.activations.celu", "gradient")
    assert holds("relu", "special", "torch.nn.ReLU", "gradient")
    assert holds("elu", "lost", "keras.activations.elu")
    assert holds("relu", "subnormal result", "keras.activations.relu")
    assert holds("softmax", "default", "keras") or "axis" in {
        d.side for d in of(recorded, "softmax")
    }


def test_the_file_is_small_and_strict_json():
    text = differences.PATH.read_text(encoding="utf-8")
    assert len(text) < 300_000

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    assert json.loads(text, parse_constant=refuse)["ulps"] == ULPS


def test_saving_and_loading_keeps_everything(recorded, tmp_path):
    path = tmp_path / "again.json"
    save(recorded, path)
    assert repr(load(path)) == repr(recorded)
    assert path.read_text(encoding="utf-8") == differences.PATH.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_check_says_what_is_wrong_and_fails(recorded, measured, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parity, "measure", lambda witnesses: measured)
    whole, short = tmp_path / "whole.json", tmp_path / "short.json"
    save(recorded, whole)
    save([d for d in recorded if d.record != "celu"], short)
    assert parity.main(["check", str(whole)]) == 0
    assert parity.main(["check", str(short)]) == 1
    assert "new: gradient of celu" in capsys.readouterr().out


def test_what_other_processors_do_not_show_is_marked():
    here = [example("torch.nn.ReLU"), example("torch.nn.Tanh")]
    there = [example("torch.nn.Tanh"), example("torch.nn.GELU")]
    marks = {d.places[0]: d.everywhere for d in differences.merged(here, there)}
    assert marks == {"torch.nn.ReLU": False, "torch.nn.Tanh": True, "torch.nn.GELU": False}
    assert compare(differences.merged(here, there), here) == []
    assert compare(differences.merged(here, there), there) == []


def example(path, **changes):
    shown = Witness(1.0, 0.5, (1.0, 0.5))
    base = Difference(
        "relu", {}, "value", "wrong", "float32", "+", (path,), (1.0, 2.0), 2, 99.0, shown
    )
    return dataclasses.replace(base, **changes)


def test_roundings_near_the_tolerance_may_come_and_go():
    slight = example("torch.nn.ReLU", category="digits", error=1.5 * ULPS)
    assert compare([slight], []) == compare([], [slight]) == []
    worse = dataclasses.replace(slight, error=3.0 * ULPS)
    assert compare([worse], [])
    assert compare([], [worse])
    much_worse = dataclasses.replace(slight, error=30.0 * ULPS)
    assert compare([worse], [much_worse])[0].startswith("moved")


def test_agreement_of_the_frameworks():
    assert Witness(1.0, 0.0, (math.nan, math.nan)).agree
    assert Witness(1.0, 1.0, (2.0, 2.0001)).agree
    assert not Witness(1.0, 1.0, (2.0, 1.0)).agree
    assert not Witness(1.0, 0.0, (math.nan, 0.0)).agree
    assert Witness(math.nan, math.nan, (0.01, 0.0100001)).agree
    assert not Witness(math.nan, math.nan, (0.01, 0.0)).agree
    assert not Witness(1.0, 1.0, (math.inf, 1.0)).agree
    assert Witness(1.0, 1.0, (math.inf, math.inf)).agree
    assert not Witness(1.0, 0.5, ("RuntimeError", 0.5)).agree
    assert not Witness(1.0, 0.5, (1.0,)).agree
    assert not Witness([1.0], [1.0, 0.0], ([1.0], [1.0, 0.0])).agree


# --- what counts --------------------------------------------------------------------------------


def verdicts(name, quantity, dtype, x, got, **setting):
    """Categories of invented results at some of the inputs."""
    case = Case.of(catalog.get(name), setting, dtype)
    case = case.pick(np.concatenate([np.flatnonzero(case.x == value) for value in x]))
    return classify(case, quantity, np.asarray(got, dtype=np.float64))[0].tolist()


def test_every_category_can_be_seen():
    assert verdicts("tanh", "value", "float32", [1.0], [np.tanh(1.0)]) == [""]
    assert verdicts("tanh", "value", "float32", [1.0], [np.tanh(1.0) + 3e-7]) == [""]
    assert verdicts("tanh", "value", "float32", [1.0], [np.tanh(1.0) + 3e-6]) == ["digits"]
    assert verdicts("tanh", "value", "float32", [1.0], [0.7]) == ["wrong"]
    assert verdicts("tanh", "value", "float32", [1.0], [np.nan]) == ["not finite"]
    assert verdicts("tanh", "value", "float32", [np.inf], [np.nan]) == ["special"]
    assert verdicts("sigmoid", "value", "float32", [-20.0], [0.0]) == ["lost"]
    assert (
        verdicts("relu", "gradient", "float32", [1.0, 0.0, 0.0], [1, 1, 1, 1, 1])[1:]
        == ["kink"] * 4
    )
    assert verdicts("relu", "gradient", "float32", [limits("float32").smallest], [0.0]) == [
        "subnormal input"
    ]
    assert verdicts("exponential", "value", "float16", [-10.0], [0.0]) == ["subnormal result"]


def test_overflow_is_no_fault_where_the_exact_result_overflows():
    assert verdicts("exponential", "value", "float16", [12.0], [np.inf]) == [""]
    assert verdicts("exponential", "value", "float16", [12.0], [-np.inf]) == ["wrong"]
    assert verdicts("exponential", "value", "float16", [10.0], [np.inf]) == ["not finite"]


def test_conditioning_excuses_what_the_input_costs_and_no_more():
    """exp(20) in float32: half an ulp of x is 10 ulp of the result."""
    exact = np.exp(20.0)
    eps = limits("float32").eps
    assert verdicts("exponential", "value", "float32", [20.0], [exact * (1 + 80 * eps)]) == [""]
    assert verdicts("exponential", "value", "float32", [20.0], [exact * (1 + 90 * eps)]) != [""]


def test_a_jump_beside_a_number_excuses_nothing():
    kink = 0.5
    above = float(np.nextafter(np.float32(kink), np.float32(1)))
    assert verdicts("hard_shrink", "gradient", "float32", [above], [0.0]) == ["kink"]
    assert verdicts("hard_shrink", "gradient", "float32", [above], [1.0]) == [""]


def test_rows_are_judged_as_a_whole():
    case = Case.of(catalog.get("softmax"), {}, "float32")
    got = case.exact["value"].copy()
    assert list(groups(case, "value", got)) == []
    got[case.names.index("ordinary")] += 0.5
    got[case.names.index("a NaN")] = 0.0
    assert [(g.category, g.span) for g in groups(case, "value", got)] == [
        ("wrong", ("ordinary",)),
        ("special", ("a NaN",)),
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_hold_every_edge(dtype):
    kinks = (0.0, 0.3)
    x = inputs.points(dtype, kinks)
    assert np.all(np.diff(x[:-1]) >= 0)
    assert np.isnan(x[-1])
    edges = inputs.edges(dtype, kinks)
    present = [np.any((x == e) & (np.signbit(x) == np.signbit(e))) for e in edges[:-1]]
    assert all(present)
    _, tiny, largest, smallest = limits(dtype)
    for edge in (tiny, largest, smallest, np.inf):
        assert {edge, -edge} <= set(x.tolist())
    zeros = x[x == 0]
    assert np.signbit(zeros).tolist() == [True, False]
    assert any(smallest < value < tiny for value in x)
    if dtype in ("float16", "bfloat16"):
        assert np.unique(x).size == 2**16 - 2 * (2 ** (10 if dtype == "float16" else 7) - 1)


def test_sides_are_kept_apart():
    case = Case.of(catalog.get("hard_sigmoid"), {}, "float32")
    got = case.exact["gradient"].copy()
    got[np.isin(case.x, [-3.0, 3.0])] += 1
    got[np.isinf(case.x)] = np.nan
    found = {(g.category, g.side) for g in groups(case, "gradient", got)}
    assert found == {("kink", "-3"), ("kink", "3"), ("special", "-inf"), ("special", "inf")}


def test_subnormals_are_flushed_by_tensorflow_and_not_by_pytorch():
    """Not by accident of our own arithmetic: the plainest function, an array, both sides."""
    x = np.full(64, 1e-40)
    relu = catalog.get("relu")
    assert (torch.values(relu, x, "float32") > 0).all()
    assert (keras.values(relu, x, "float32") == 0).all()


# --- recording ----------------------------------------------------------------------------------


def test_a_witness_is_the_plainest_input_that_a_line_reproduces():
    case = Case.of(catalog.get("celu"), {}, "float32")
    found = [d for d in parity.differences_in(case) if d.category == "kink"]
    assert [(d.side, d.witness.x, d.witness.results) for d in found] == [("0", 0.0, (2.0, 1.0))]
    assert found[0].calls[0] == (
        "keras_gradient(lambda x: keras.activations.celu(x, alpha=1.0), "
        'tf.constant([0.0], "float32"))'
    )
    assert found[0].calls[1].startswith("torch_gradient(")


def test_a_difference_that_no_line_shows_is_not_recorded(monkeypatch):
    monkeypatch.setattr(parity.lines, "run", lambda call: np.array([1.0]))
    case = Case.of(catalog.get("celu"), {}, "float32")
    with pytest.raises(RuntimeError, match="no line of code shows"):
        list(parity.differences_in(case))


def test_recording_measures_here_and_as_on_lesser_processors(tmp_path, monkeypatch, capsys):
    here = [example("torch.nn.ReLU"), example("torch.nn.ReLU6")]
    ran = []

    def run(command, env, check):
        ran.append((command[1:4], env))
        save(here[:1], type(tmp_path)(command[-1]))

    monkeypatch.setattr(parity, "measure", lambda: here)
    monkeypatch.setattr(parity.subprocess, "run", run)
    target = tmp_path / "differences.json"
    assert parity.main(["record", str(target)]) == 0
    assert [d.everywhere for d in load(target)] == [True, False]
    for (command, env), variant in zip(ran, parity.VARIANTS, strict=True):
        assert env.items() >= variant.items()
        assert command == ["-m", "actlab.frameworks.parity", "measure"]
    assert "gone: value of relu" in capsys.readouterr().out


def test_adding_keeps_what_another_processor_showed(tmp_path, monkeypatch):
    """What is new gets a witness, what is not seen here a mark; the uses are measured anew."""
    target = tmp_path / "differences.json"
    both, only_there = example("torch.nn.ReLU"), example("torch.nn.Tanh")
    only_here = example("torch.nn.GELU", record="gelu")
    use = dataclasses.replace(
        only_here, record="softmax", side="axis", places=(), dtype="", category="default"
    )
    save([dataclasses.replace(use, side="gone"), both, only_there], target)

    def measure(records=None, *, witnesses=True):
        if records is not None:
            assert [record.name for record in records] == ["gelu"]
            return [only_here]
        assert not witnesses
        return [use, both, dataclasses.replace(only_here, witness=None)]

    monkeypatch.setattr(parity, "measure", measure)
    monkeypatch.setattr(parity, "differences_by_use", lambda: iter([use]))

    def elsewhere(line, env, check):
        assert line[1:4] == ["-m", "actlab.frameworks.parity", "uses"]
        save([use], type(tmp_path)(line[-1]))

    monkeypatch.setattr(parity.subprocess, "run", elsewhere)
    assert parity.main(["add", str(target)]) == 0
    found = {(d.record, d.side, d.places): d for d in load(target)}
    marks = {key: d.everywhere for key, d in found.items()}
    assert marks == {
        ("softmax", "axis", ()): True,
        ("relu", "+", ("torch.nn.ReLU",)): True,
        ("relu", "+", ("torch.nn.Tanh",)): False,
        ("gelu", "+", ("torch.nn.GELU",)): False,
    }
    assert all(difference.witness for difference in found.values())


def test_nothing_is_added_to_what_other_versions_showed(tmp_path, monkeypatch):
    target = tmp_path / "differences.json"
    save([example("torch.nn.ReLU")], target)
    before = target.read_text(encoding="utf-8")
    monkeypatch.setattr(parity, "versions", lambda: {"torch": "1.0"})
    with pytest.raises(SystemExit, match="other versions"):
        parity.main(["add", str(target)])
    assert target.read_text(encoding="utf-8") == before


def test_an_interrupted_recording_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "differences.json"
    save([example("torch.nn.ReLU")], target)
    before = target.read_text(encoding="utf-8")

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(parity, "measure", fail)
    with pytest.raises(KeyboardInterrupt):
        parity.main(["record", str(target)])
    assert target.read_text(encoding="utf-8") == before
