"""The page's functions are the catalog's and its theory is ``actlab.theory``, record by record."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from actlab_site import lab

from actlab import theory
from actlab.catalog import tanh
from tests.catalog.settings import settings

from .conftest import ROOT

pytestmark = pytest.mark.site

FOLDER = ROOT / lab.FOLDER
RECORDS = {record.name: record for record in lab.offered()}
X = np.unique(np.concatenate([np.linspace(-30, 30, 241), np.linspace(-3, 3, 97), [1e-9, -1e-9]]))
STARTS = {"torch": "PyTorch default", "he": "He", "lecun": "LeCun"}


def load(page, *names, folder: Path = FOLDER):
    """Scripts of the lab in an empty page, and the catalog as it is now."""
    page.add_script_tag(path=folder / "kernels.js")
    page.add_script_tag(content=lab.catalog_script())
    for name in names:
        page.add_script_tag(path=folder / f"{name}.js")
    return page


@pytest.fixture(scope="module")
def own(browser):
    page = browser.new_page()
    yield load(page, "theory")
    page.close()


def literal(params):
    return json.dumps(params)


def values(page, name, params, x=X):
    found = page.evaluate(
        f"""([name, xs]) => {{
            const k = ActLab.kernel(name, {literal(params)});
            return [k.f, k.d, k.s].map((g) => xs.map(g)).concat([k.kinks]);
        }}""",
        [name, x.tolist()],
    )
    return [np.array(row, dtype=float) for row in found]


def complaints(page, record, params):
    """What of a kernel is not as its record says."""
    f, d, s, kinks = values(page, record.name, params)
    found, at = [], literal(params)
    rights = (record.reference(X, **params), record.derivative(X, **params))
    for what, mine, right in zip(("f", "f′"), (f, d), rights, strict=True):
        wrong = ~np.isclose(mine, right, rtol=2e-12, atol=1e-300)
        if wrong.any():
            i = np.flatnonzero(wrong)[0]
            found.append(f"{record.name} {at}: {what}({X[i]}) is {mine[i]}, not {right[i]}")
    if kinks.tolist() != sorted(record.properties_at(**params).kinks):
        found.append(f"{record.name} {at}: kinks {kinks.tolist()}")
    h = 1e-5
    away = np.all([abs(X - k) > 2 * h for k in kinks] or [X == X], axis=0)
    left, right = (record.derivative(X + side * h, **params) for side in (-1, 1))
    slope = (right - left) / (2 * h)
    scale = np.maximum(1.0, abs(slope))
    if (off := abs(s - slope)[away] / scale[away]).size and off.max() > 1e-6:
        found.append(f"{record.name} {at}: f″ is off by {off.max():.1e}")
    return found


@pytest.mark.parametrize("name", RECORDS)
def test_a_kernel_is_the_record(own, name):
    record = RECORDS[name]
    found = [text for params in settings(record) for text in complaints(own, record, params)]
    assert not found, "\n".join(found)


def test_every_elementwise_record_has_a_kernel_and_no_kernel_lacks_a_record(own):
    assert sorted(own.evaluate("ActLab.kernels")) == sorted(RECORDS)
    assert own.evaluate("Object.keys(ActLab.catalog)") == list(RECORDS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("elu: (p) => exponentialSide(1, p.alpha, 1", "elu: (p) => exponentialSide(1, 1, 1", "elu"),
        ("share = below(x)", "share = below(x * 1.000001)", "gelu {}: f("),
        ("d: (x) => (abs(x) < limit", "d: (x) => (abs(x) <= limit", "hard_sigmoid"),
        ("s: (x) => -2 * sign(x)", "s: (x) => -3 * sign(x)", "softsign {}: f″"),
        ("kinks: a === 1 ? none : [0]", "kinks: none", "leaky_relu"),
    ],
)
def test_a_wrong_kernel_is_noticed(page, tmp_path, old, new, said):
    source = (FOLDER / "kernels.js").read_text("utf-8")
    assert old in source
    (tmp_path / "kernels.js").write_text(source.replace(old, new), encoding="utf-8")
    load(page, folder=tmp_path)
    name = said.split()[0]
    record = RECORDS[name]
    found = [text for params in settings(record) for text in complaints(page, record, params)]
    assert any(said in text for text in found), found


def test_the_kernel_that_the_page_on_changing_the_course_shows_is_right(page, tmp_path):
    recipe = (ROOT / "book" / "contributing.md").read_text("utf-8")
    (record,) = re.findall(r"^```python\n(def _isru.*?)^```", recipe, re.DOTALL | re.MULTILINE)
    (kernel,) = re.findall(r"^```js\n(.*?)^```", recipe, re.DOTALL | re.MULTILINE)
    names = dict(vars(tanh))
    exec(record, names)
    source = (FOLDER / "kernels.js").read_text("utf-8")
    with_it = source.replace("const KERNELS = {\n", f"const KERNELS = {{\n{kernel}\n", 1)
    (tmp_path / "kernels.js").write_text(with_it, encoding="utf-8")
    load(page, folder=tmp_path)
    found = [t for p in settings(names["ISRU"]) for t in complaints(page, names["ISRU"], p)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", RECORDS)
def test_saturation_begins_where_the_catalog_says(own, name):
    record = RECORDS[name]
    for params in settings(record):
        call = f"ActLab.saturatesBeyond(ActLab.kernel(name, {literal(params)}))"
        mine = own.evaluate(f"(name) => {call}", name)
        right = record.saturates_beyond(**params)
        np.testing.assert_allclose(mine, right, rtol=1e-8, err_msg=f"{name} {params}")


def deterministic(name):
    """The record that the theory is about: RReLU as it is after training is a leaky ReLU."""
    if name != "rrelu":
        return RECORDS[name], {}
    low, high = RECORDS[name].defaults.values()
    return RECORDS["leaky_relu"], {"negative_slope": (low + high) / 2}


@pytest.mark.parametrize("name", RECORDS)
def test_the_theory_is_the_courses_theory(own, name):
    record, params = deterministic(name)
    depth = 1 if name == "exponential" else 3  # e^z soon exceeds all numbers
    for short, title in STARTS.items():
        gain = 1.2
        found = own.evaluate(
            """([name, start, gain, depth]) => {
                const entry = ActLab.catalog[name];
                const params = Object.fromEntries(entry.parameters.map((p) => [p.name, p.default]));
                const k = ActLab.kernel(name, params), t = ActLab.theory;
                const at = { ...t.STARTS[start] };
                at.weights *= gain ** 2;
                const rows = t.layers(k, at, depth);
                return {rows, gradient: t.gradient(rows), together: t.together(k, at, depth)};
            }""",
            [name, short, gain, depth],
        )
        known = theory.STARTS[title]
        start = theory.Start(known.weight_variance * gain**2, known.bias_variance)
        rows = theory.layers(record, start, depth, **params)
        for field in ("variance", "mean", "sd", "factor", "signal"):
            mine = [row[field] for row in found["rows"]]
            np.testing.assert_allclose(mine, getattr(rows, field), 1e-9, 1e-10, err_msg=field)
        if name != "binary_step":  # no gradient at all
            gradient = np.array(found["gradient"], dtype=float)
            np.testing.assert_allclose(gradient, rows.gradient(), 1e-8)
        many = theory.together(record, start, depth, **params)
        for field in ("correlation", "spread", "dead"):
            mine = [row[field] for row in found["together"]]
            np.testing.assert_allclose(mine, getattr(many, field), 1e-7, 1e-7, err_msg=field)


def test_no_activation_is_lost_and_every_colour_can_be_told_from_the_ground():
    for record in lab.offered():
        entry = lab.entry(record)
        for colour, ground in ((entry["light"], "#ffffff"), (entry["dark"], lab.DARK)):
            rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (colour, ground)]
            a, b = sorted(map(lab._luminance, rgb))
            assert (b + 0.05) / (a + 0.05) >= 3, record.name


def test_a_slider_stays_inside_of_what_is_allowed():
    for record in lab.offered():
        for parameter, shown in zip(
            record.parameters, lab.entry(record)["parameters"], strict=True
        ):
            if "low" in shown:
                assert shown["low"] <= parameter.default <= shown["high"]
                assert parameter.check(shown["low"])
                assert parameter.check(shown["high"])
