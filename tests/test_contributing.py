"""Every recipe of the page "Changing the course" is walked through, with the code that it shows."""

import re
from pathlib import Path
from types import SimpleNamespace

import jupytext
import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from actlab import catalog, claims, plots, predict, study
from actlab.catalog import tanh
from actlab.catalog.record import Catalog
from actlab.experiments.contest import BEATS, LEAKY, Ahead
from actlab.stats import Interval
from actlab.study import Study, store
from actlab.study.__main__ import main
from actlab.trial import Claim, Evidence, Level, Measured, Row, Rule, experiment, within
from actlab.trial.card import card
from tests.catalog import formulas
from tests.catalog.properties import complaints, observe
from tests.catalog.settings import settings
from tests.notebooks import gates, teaching

PAGE = Path(__file__).parents[1] / "book" / "contributing.md"


def recipe(title):
    """The Python code below one heading of the page, block by block."""
    text = PAGE.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks, f"the page has no recipe {title!r}"
    return blocks


def run(code, **names):
    """The names after running a block; a bare ``Claim(…)`` in it is called CLAIM."""
    exec(re.sub(r"^Claim\(", "CLAIM = Claim(", code, flags=re.MULTILINE), names)
    return names


def test_an_activation(monkeypatch):
    code, formula = recipe("Add an activation")
    record = run(code, **vars(tanh))["ISRU"]
    monkeypatch.setattr(catalog, "_CATALOG", Catalog([*catalog.records(), record]))
    assert catalog.get("ISRU") is record
    monkeypatch.setattr(formulas, "FORMULAS", dict(formulas.FORMULAS))
    run(formula, **vars(formulas))
    for params in settings(record):
        said = record.properties_at(**params)
        assert complaints(said, observe(record, params, said.kinks)) == []
        exact = formulas.precise("isru", params)
        for x in (-3.0, -0.5, 1e-9, 2.0):
            assert record.reference(x, **params) == pytest.approx(float(exact(x)), rel=1e-15)
            slope = float(formulas.slope(exact, mp.mpf(x)))
            assert record.derivative(x, **params) == pytest.approx(slope, rel=1e-14)


def test_a_claim_that_one_thing_beats_another():
    code, _ = recipe("Add a claim")
    assert len(code.splitlines()) <= 10
    record = run(code, Claim=Claim, Ahead=Ahead, LEAKY=LEAKY, BEATS=BEATS)["CLAIM"]
    assert "leaky 0.3 against ReLU" in record.experiment
    assert "above 0 points" in record.rule


def test_a_claim_with_an_experiment_of_its_own():
    names = {"np": np, "catalog": catalog, "Claim": Claim, "experiment": experiment}
    names |= {"Evidence": Evidence, "Level": Level, "Measured": Measured}
    record = run(recipe("Add a claim")[1], Rule=Rule, within=within, **names)["CLAIM"]
    found = record.evaluate()
    assert found.verdict == "holds when …"  # the sigmoid's is one unit high
    assert "tanh or softsign" in found.because
    assert record.id not in {claim.id for claim in claims.all()}
    assert found.because in card(record, found).replace("&#x27;", "'")
    for example in record.by.examples():
        assert record.by.decide(example.evidence).verdict == example.verdict


def test_a_study(tmp_path, monkeypatch):
    (code,) = recipe("Add a study")
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    declared = run(code, pd=pd, Study=Study)["SHALLOW"]
    monkeypatch.setattr("actlab.study.__main__.declared", lambda: {"shallow": declared})
    assert main(["shallow"]) == 0
    table = study.load("shallow")
    assert len(table) == 6
    assert table.accuracy.between(0, 1).all()


def title(plot):
    """Wherever the style in force puts it."""
    return "".join(plot.ax.get_title(loc=where) for where in ("left", "center", "right"))


def test_a_figure():
    from collections.abc import Mapping
    from typing import Any

    (code,) = recipe("Add a figure")
    names = {"Mapping": Mapping, "Any": Any, "Interval": Interval, "plots": plots}
    draw = run(code, Plot=plots.Plot, **names)["means"]
    found = {"ReLU": Interval(80, 79, 81, n=20), "tanh": Interval(85, 84, 86, n=20)}
    plot = draw(found)
    assert title(plot) == "tanh is the most accurate"
    assert "85" in plot.alt
    found["ReLU"] = Interval(90, 89, 91, n=20)
    other = draw(found)
    assert title(other) == "ReLU is the most accurate"
    assert other.alt != plot.alt
    plt.close("all")


def test_a_chapter():
    asked, row = recipe("Add a chapter")
    assert run(row, Row=Row)["CHEAT"] == claims.rows()["02_relu"]
    cells = jupytext.reads(asked, fmt="py:percent")
    (box,) = teaching.predictions(gates.Notebook("x", cells, None, ""))
    assert box.is_last
    assert [cell.cell_type for _, cell in box.answer] == ["code", "markdown"]
    said = []
    code = box.answer[0][1].source
    named = SimpleNamespace(
        pick=predict.pick, reveal=lambda text, **more: said.append((text, more))
    )
    run(code, predict=named, np=np, born_dead=lambda biases=1: 0.06 if biases == 0 else 0.47)
    ((text, more),) = said
    assert text == "13% of them"
    assert more["choice"] == "nearly none"
    assert {*more.values()} <= {*box.choices}
