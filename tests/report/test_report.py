"""Report cards: what is found is what is there, and what is wrong is named."""

import dataclasses
import json
import math
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import actlab
from actlab import catalog
from actlab.report import __main__ as command
from actlab.report import card, measured, numerics
from actlab.report.subject import subject

from . import brought

ELEMENTWISE = [r.name for r in catalog.records() if r.kind == "elementwise" and not r.stochastic]
TINY = {"digits": ({"size": 300}, 2)}


def named(value):
    """The name of a function, which unlike its address is the same in every process."""
    return getattr(value, "__name__", type(value).__name__ if callable(value) else str(value))


def near(one, other):
    return one == other or math.isclose(one, other, abs_tol=1e-3)


# --- Properties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_is_found_is_what_the_record_says(name):
    record = catalog.get(name)
    want, got = record.properties, numerics.properties(record.reference)
    smooth = want.smoothness if want.smoothness < 2 else math.inf
    assert (got.smoothness, got.zero_centred, got.monotonic, got.saturation) == (
        smooth,
        want.zero_centred,
        want.monotonic,
        want.saturation,
    )
    if smooth < 2:
        assert len(got.kinks) == len(want.kinks)
        assert all(map(near, got.kinks, want.kinks))
    assert all(map(near, got.limits, want.limits))
    assert near(got.range.lower, want.range.lower)
    assert near(got.range.upper, want.range.upper)
    assert got.range.closed == want.range.closed


def test_kinks_at_odd_places_and_several():
    for places in ((0.0,), (-1.2345,), (-2.0, 0.001, 2.5), (-7.3, -7.1)):
        found = numerics.properties(lambda x, p=places: sum(np.abs(x - k) for k in p))
        assert found.smoothness == 0
        assert found.kinks == pytest.approx(places, abs=1e-4)
    jump = numerics.properties(lambda x: np.where(x > 0.7, x + 0.1, x))
    assert (jump.smoothness, jump.kinks) == (-1, (0.7,))
    assert numerics.properties(lambda x: np.sin(20 * x)).smoothness == math.inf


# --- Faults ---------------------------------------------------------------------------------------


def faults(function):
    of = subject(function)
    return numerics.faults(of, numerics.properties(of.values))


@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        (brought.naive_softplus, "overflow", r"float16: the value is infinite from x = 11.* on"),
        (brought.naive_softplus, "NaN", r"float32: the slope is NaN from x = (8|9)\d.* on"),
        (brought.in_place, "in place", "overwrites the tensor"),
        (brought.detached, "wrong slope", "on 50 % .* gives 0, finite differences 0.1"),
        (brought.half_the_slope, "wrong slope", "gives .*, finite differences"),
        (brought.widened, "dtype", "turns float16 into float64"),
        (brought.root, "not finite", "float64: the slope is NaN at x = 0"),
        (brought.TwoAtZero, "slope at a kink", "x = 0 .* gives 2; .* 0 and 1"),
    ],
)
def test_a_fault_is_named(function, kind, says):
    found = faults(function)
    assert any(f.kind == kind and re.search(says, f.text) for f in found), found


@pytest.mark.parametrize(
    "function",
    [
        *("relu", "elu", "softplus", "hard_silu", "tanh_shrink"),
        *(brought.penalised, torch.tanh, torch.nn.PReLU(), torch.nn.SELU, keras.activations.silu),
        *(keras.layers.LeakyReLU(negative_slope=0.3), keras.layers.ELU(), tf.nn.softsign),
    ],
    ids=named,
)
def test_where_there_is_no_fault_none_is_found(function):
    assert faults(function) == []


def test_faults_come_first_on_the_card():
    found = actlab.report(brought.half_the_slope, trial=False)
    assert str(found).splitlines()[1].startswith("- wrong slope: ")
    assert '<li class="fault">wrong slope: ' in found.page()


# --- What is brought ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brings", "error", "says"),
    [
        (5, TypeError, "cannot be called: expected a PyTorch module"),
        ("relluu", KeyError, "the nearest are relu"),
        ("softmax", ValueError, "not elementwise: every output"),
        ("binary_step", ValueError, "PyTorch has no binary_step"),
        ("nowhere:f", ValueError, "no module 'nowhere' can be imported"),
        ("tests.report.brought:gone", ValueError, "has no 'gone'"),
        (torch.nn.Softmax(-1), ValueError, "not elementwise: what it makes of a number"),
        (torch.nn.Linear(4, 4), ValueError, "not elementwise"),
        (torch.nn.GLU, ValueError, "turns shape (3, 4) into (3, 2)"),
        (torch.nn.Threshold, TypeError, "a class that needs arguments"),
        (lambda x: x.sum(), ValueError, "turns shape (3, 4) into ()"),
        (lambda x: x + torch.rand_like(x), ValueError, "something else at every call"),
        (lambda x: 1 / 0, ValueError, "division by zero"),
        (lambda x: np.tanh(x.detach()) if x.requires_grad else x, ValueError, "cannot be diff"),
        (keras.layers.PReLU(), ValueError, "has 4 weights"),
    ],
    ids=named,
)
def test_what_no_card_can_be_made_of_is_refused(brings, error, says):
    with pytest.raises(error, match=re.escape(says)):
        actlab.report(brings, trial=False)


def test_what_had_to_be_assumed_is_said():
    own = torch.nn.PReLU()
    assert "1 parameter of its own" in str(actlab.report(own, trial=False))
    noisy = torch.nn.Dropout(0.5)
    assert "In training it computes something else" in str(actlab.report(noisy, trial=False))
    assert noisy.training  # the caller's own is as it was
    assert own.weight.requires_grad


def test_a_keras_function_trains_as_its_twin_in_pytorch():
    x = torch.linspace(-3, 3, 40).view(8, 5)
    for theirs, ours in ((keras.activations.silu, "silu"), (keras.layers.ELU(), "elu")):
        one = x.clone().requires_grad_()
        other = x.clone().requires_grad_()
        a, b = subject(theirs).trained()(one), subject(ours).trained()(other)
        torch.testing.assert_close(a, b)
        a.square().sum().backward()
        b.square().sum().backward()
        torch.testing.assert_close(one.grad, other.grad)


# --- Start, cost, trial ---------------------------------------------------------------------------


def test_the_start_is_the_theorys():
    found = actlab.report("relu", trial=False).start
    assert found.gain == pytest.approx(math.sqrt(2), abs=1e-6)
    assert found.decades["He"] == pytest.approx(0, abs=1e-9)
    assert found.decades["LeCun"] == pytest.approx(math.log10(0.5) / 2)
    flat = actlab.report(lambda x: 0 * x + 0.5, trial=False)
    assert flat.start.gain == 1
    assert "no gain between 0.1 and 30" in str(flat)


def test_an_equal_function_is_not_told_apart_and_a_useless_one_is_behind():
    run = {"datasets": TINY, "longest": 4, "patience": 2}
    run["memory"] = {}
    same = measured.trial(subject(torch.relu, "mine"), 2**0.5, (0.0, math.inf), **run)
    assert len(run["memory"]) == len(measured.RIVALS)
    assert [duel.rival for duel in same.duels] == list(measured.RIVALS)
    assert same.duels[0].lead.mean == 0
    assert same.duels[0].outcome == "no difference seen"
    assert same.accuracy["digits"]["mine"] == same.accuracy["digits"]["relu"]
    assert same.networks == 20
    assert 0 <= same.stopped["digits"] < 0.5
    flat = measured.trial(subject(lambda x: 0 * x, "flat"), 1.0, (math.nan, math.nan), **run)
    assert {duel.outcome for duel in flat.duels} == {"behind"}
    assert flat.stopped == {}
    for rival in measured.RIVALS:  # remembered, not trained again
        assert flat.accuracy["digits"][rival] == same.accuracy["digits"][rival]


def test_a_slow_function_costs_more():
    def slow(x):
        for _ in range(12):
            x = torch.tanh(x)
        return x

    costs = measured.cost(subject(slow), elements=2**14, rounds=7)
    assert [c.task for c in costs] == ["forward", "forward and backward"]
    assert all(2 < c.low <= c.median <= c.high for c in costs)


# --- The card -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made():
    found = measured.trial(
        subject(brought.penalised), 1.0, (-3, 3), datasets=TINY, longest=3, patience=2
    )
    plain = actlab.report(brought.penalised, "penalised <tanh>", trial=False)
    trial = card.Trial(
        {k: {"penalised <tanh>": v["penalised"], **v} for k, v in found.accuracy.items()},
        *(found.rates, found.duels, {"digits": 0.25}, 2, found.networks, found.method),
    )
    return dataclasses.replace(plain, trial=trial)


def test_the_sentences_have_what_was_found(made):
    said = str(made)
    assert "No fault found" in said
    assert "LeCun's weights times" in said
    assert "25 % of its units" in said
    assert "2 of its 20 networks diverged" in said
    for duel in made.trial.duels:
        assert card.TITLES[duel.rival] in said


def test_the_page_needs_nothing_else_and_describes_its_pictures(made):
    page = made.page()
    assert "<h1>Report card: penalised &lt;tanh&gt;</h1>" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    alts = re.findall(r'<img class="figure" alt="([^"]+)"', page)
    assert "4 layers of 48 units" in page
    assert "5 splits of the data with 4 seeds each" in page
    assert len(alts) == 2
    assert all(len(alt) > 40 for alt in alts)
    assert "Panel A" in alts[0]


def test_the_json_is_json_and_has_every_number(made):
    found = json.loads(made.to_json())
    assert found["properties"]["range"]["lower"] == pytest.approx(-0.25, abs=1e-4)
    assert found["trial"]["duels"][0]["outcome"] in ("ahead", "behind", "no difference seen")
    assert found["faults"] == []
    again = card.Card.from_dict(found)
    assert again == made
    assert again.page() == made.page()
    with pytest.raises(ValueError, match="no report card: KeyError: 'trial'"):
        card.Card.from_dict({name: value for name, value in found.items() if name != "trial"})


def test_a_saved_card_is_shown_without_a_framework(made, tmp_path):
    path = made.save(tmp_path).with_suffix(".json")
    code = (
        "import json, sys; from actlab.report.card import Card; "
        f"page = Card.from_dict(json.load(open({str(path)!r}))).page(); "
        "print(len(page), [m for m in ('torch', 'tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(made.page())} []\n"


def test_nothing_is_overwritten(made, tmp_path):
    page = made.save(tmp_path / "cards")
    assert page.name == "penalised__tanh.html"
    before = page.read_bytes()
    with pytest.raises(FileExistsError, match="is there already"):
        made.save(tmp_path / "cards")
    assert page.read_bytes() == before
    (tmp_path / "cards" / "other.json").touch()
    with pytest.raises(FileExistsError):
        made.save(tmp_path / "cards", "other")
    assert not (tmp_path / "cards" / "other.html").exists()


def test_the_command(tmp_path, capsys):
    into = ["--no-trial", "--into", str(tmp_path)]
    assert command.main(["tests.report.brought:penalised", *into]) == 0
    assert "Report card: penalised" in capsys.readouterr().out
    assert command.main(["tests.report.brought:naive_softplus", *into, "--name", "n"]) == 1
    assert (tmp_path / "n.json").exists()
    assert command.main(["tests.report.brought:gone", *into]) == 2
    assert "has no 'gone'" in capsys.readouterr().err
    assert command.main(["tests.report.brought:penalised", *into]) == 2  # it is there already


def test_the_module_can_be_called_before_and_after_it_is_imported():
    assert actlab.report is __import__("actlab.report").report
    with pytest.raises(AttributeError, match="no attribute 'cards'"):
        actlab.cards  # noqa: B018
