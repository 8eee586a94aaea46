"""The lab and the explorers as a reader meets them: in the built site, in a browser."""

from __future__ import annotations

import gzip
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from actlab_site import lab
from docutils import nodes
from docutils.utils import new_document

from actlab import theory

from . import pages
from .conftest import ROOT
from .test_kernels import FOLDER, RECORDS, deterministic, load
from .test_lab_core import DEFAULTS

pytestmark = pytest.mark.site

PARTS = {
    "lab": ("kernels", "catalog", "draw", "core", "digits", "worker", "lab"),
    "explore": ("kernels", "catalog", "draw", "theory", "explore"),
    "signals": ("kernels", "catalog", "draw", "theory", "core", "signals"),
}
BUDGET = 60_000
STEP = ".al-transport button >> nth=1"
SMALL = "data=digits&net=2x8&seed=1&speed=3&two=1"
LANES = "a=relu,he,zero,1,sgd,0.1&b=tanh,glorot,zero,1,adam,0.01"


def digits_of(part):
    return json.loads("{" + re.findall(rf'"{part}":\[[\d,]+\]', lab.digits_script())[0] + "}")[part]


def opened(page, address, piece, state=""):
    """The piece's own page in this state, once it is there and has looked."""
    page.set_default_timeout(120_000)  # a test machine may be busy
    visit = pages.Visit(page, address).open(f"book/{piece}.html" + (f"#{state}" if state else ""))
    page.wait_for_selector("[data-actlab][data-live]")
    if piece == "lab":
        page.wait_for_function("document.querySelector('.al-say')?.textContent")
    else:
        page.wait_for_selector(".al-plot svg")
    return visit


def test_the_lab_weighs_no_more_than_it_may():
    sizes = f"{lab.SIZE} to\ntrain on and {sum(digits_of('valid'))} to validate"
    assert sizes in (ROOT / "book" / "lab.md").read_text("utf-8")
    names = {name for parts in PARTS.values() for name in parts} | {"boot"}
    scripts = {path.stem: path.read_bytes() for path in FOLDER.glob("*.js")}
    scripts["catalog"] = lab.catalog_script().encode()
    assert set(scripts) == names
    style = (FOLDER / "lab.css").read_bytes()
    for piece, parts in PARTS.items():
        loaded = [style, scripts["boot"], *(scripts[name] for name in parts)]
        weight = sum(len(gzip.compress(text)) for text in loaded)
        assert weight <= BUDGET, f"{piece}: {weight} bytes"


@pytest.mark.parametrize("piece", PARTS)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_piece_is_accessible_and_fits(page, address, piece, width):
    page.set_viewport_size({"width": width, "height": 900})
    visit = opened(page, address, piece)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    page.wait_for_timeout(300)
    found = []
    for theme in ("light", "dark"):
        page.evaluate(
            """(theme) => {
                document.documentElement.dataset.mode = theme;
                document.documentElement.dataset.theme = theme;
                document.getAnimations().forEach((animation) => animation.finish());
            }""",
            theme,
        )
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(pages.AXE)
        result = page.evaluate("axe.run('main', {resultTypes: ['violations'], preload: false})")
        found += [
            f"{theme}: {violation['id']}: {' '.join(node['html'].split())[:160]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert not visit.problems + found, pages.listed(visit.problems + found)


def test_it_plays_pauses_and_steps_and_a_link_reproduces_the_run(page, address, browser):
    opened(page, address, "lab", f"{SMALL}&{LANES}")
    page.click(STEP)
    page.wait_for_function("document.querySelector('.al-count').textContent === 'step 1'")
    page.click(".al-primary")
    page.wait_for_function("+document.querySelector('.al-count').textContent.slice(5) > 30")
    page.click(".al-primary")
    page.wait_for_function("location.hash.includes('steps=')")
    page.wait_for_timeout(500)
    steps = int(re.search(r"steps=(\d+)", page.url)[1])
    read = "document.querySelector('[data-actlab]').lab.lanes.map((l) => [l.step, l.look?.loss])"
    first = page.evaluate(read)
    assert [step for step, _ in first] == [steps, steps]
    other = browser.new_context().new_page()
    other.set_default_timeout(120_000)
    other.goto(page.url)
    other.wait_for_function(
        f"document.querySelector('[data-actlab]')?.lab?.lanes.every((l) => l.look?.step >= {steps})"
    )
    assert other.evaluate(read) == first
    other.context.close()


@pytest.mark.parametrize(
    ("piece", "state", "said"),
    [
        ("lab", "a=magic,he,zero,1,sgd,0.1", "the activation “magic”"),
        ("lab", "net=99x32", "from 1 to 10, and shown is 10"),
        ("lab", "a=relu,he,zero,1,sgd,1e9", "the learning rate “1e9”"),
        ("lab", "a=relu,he", "the optimiser “”"),
        ("lab", "preset=nothing", "the experiment “nothing”"),
        ("lab", "a=hard_tanh:1:-1,he,zero,1,sgd,0.1", "expects min_val < max_val"),
        ("explore", "f=magic", "the activation “magic”"),
        ("explore", "f=elu:-3", "alpha “-3”"),
        ("explore", "f=relu&range=1e99", "the range “1e99”"),
        ("signals", "a=relu,he,1&depth=5000", "the depth “5000”"),
        ("signals", "a=relu,nowhere,1", "the start “nowhere”"),
    ],
)
def test_a_bad_link_opens_in_a_safe_state_and_says_so(page, address, piece, state, said):
    visit = opened(page, address, piece, state)
    assert said in page.inner_text(".al-note")
    assert not visit.problems


def test_a_link_takes_names_as_the_catalog_does(page, address):
    opened(page, address, "explore", "f=LeakyReLU:0.3,Swish")
    assert page.locator(".al-note").is_hidden()
    assert "negative_slope=0.3" in page.inner_text(".al-code >> nth=0")
    assert "#f=leaky_relu:0.3,silu" in page.url


def test_a_diverging_network_says_so_and_stops(page, address):
    wild = "a=exponential,he,plus,10,sgd,3&b=relu,he,zero,1,sgd,0.1"
    opened(page, address, "lab", f"{SMALL.replace('two=1', 'two=0')}&{wild}")
    page.click(".al-primary")
    page.wait_for_function("document.querySelector('.al-say').textContent.includes('diverged')")
    page.wait_for_function("document.querySelector('.al-primary').textContent === 'Play'")
    assert "It has stopped" in page.inner_text(".al-say")


def test_it_runs_without_workers_and_from_the_disk(browser, address, site):
    for home, blocked in ((address, True), (site.as_uri(), False)):
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(120_000)
        if blocked:
            page.add_init_script("delete globalThis.Worker")
        page.goto(f"{home}/book/lab.html#{SMALL}&{LANES}")
        page.wait_for_function("document.querySelector('.al-say')?.textContent")
        page.click(STEP)
        page.wait_for_function("document.querySelector('.al-count').textContent === 'step 1'")
        context.close()


def test_without_javascript_a_sentence_stands_in_its_place(browser, address):
    for piece in PARTS:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{address}/book/{piece}.html")
        assert "JavaScript" in page.inner_text(".al-fallback")
        context.close()


def test_the_grid_is_walked_with_the_keyboard(page, address):
    opened(page, address, "lab", f"{SMALL}&{LANES}")
    assert page.get_attribute(".al-net >> nth=0", "role") == "grid"
    page.focus(".al-cell[tabindex='0']")
    for key, where in (
        ("ArrowDown", "Layer 1, unit 2"),
        ("ArrowRight", "Layer 2, unit 2"),
        ("End", "Layer 2, unit 8"),
        ("ArrowLeft", "Layer 1, unit 8"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.ariaLabel").startswith(where)
    assert "input above zero for" in page.evaluate("document.activeElement.ariaLabel")
    assert page.locator(".al-net >> nth=0").locator("[tabindex='0']").count() == 1


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_starts_by_itself_for_who_wants_no_motion(browser, address, motion):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    opened(page, address, "lab")
    assert page.inner_text(".al-primary") == "Play"
    page.click("[data-preset=vanish]")
    assert page.inner_text(".al-primary") == ("Play" if motion == "reduce" else "Pause")
    context.close()


@pytest.fixture(scope="module")
def own(browser):
    page = browser.new_page()
    load(page, "draw", "theory", "core", "explore", "signals")
    yield page
    page.close()


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_explorers_say_is_what_python_says(own, name):
    record, params = deterministic(name)
    start = "DEFAULT = Object.fromEntries(ActLab.catalog[name].parameters.map((p) => "
    start += "[p.name, p.default]))"
    for sd in (0.5, 2.0):
        mine = own.evaluate(
            f"""([name, sd]) => {{
                const {start};
                return ActLab.explore.moments(ActLab.kernel(name, DEFAULT), sd);
            }}""",
            [name, sd],
        )
        rows = theory.layers(record, theory.Start(1.0), 1, variance=sd**2, **params)
        for key, right in (("mean", rows.mean), ("spread", rows.sd), ("factor", rows.factor)):
            assert mine[key] == pytest.approx(right[0], rel=1e-9, abs=1e-9)
    depth = 1 if name == "exponential" else 3
    found = own.evaluate(
        f"""([name, depth]) => {{
            const {start};
            const row = {{act: name, params: DEFAULT, start: "torch", gain: 1.5}};
            return ActLab.compute(row, depth, 1).theory;
        }}""",
        [name, depth],
    )
    known = theory.Start(1.5**2 / 3, 1 / 3)
    right = theory.together(record, known, depth, count=128, **params)
    for layer, row in enumerate(found):
        assert row["spread"] == pytest.approx(right.spread[layer], rel=1e-6, abs=1e-8)
        assert row["dead"] == pytest.approx(right.dead[layer], abs=1e-7)


LINES = """([name, changed]) => ["torch", "keras"].map((framework) => {
    const own = ActLab.catalog[name].parameters.map((p) => [p.name, p.default]);
    const params = {...Object.fromEntries(own), ...changed};
    return ActLab.explore.lines({act: name, params}, framework);
})"""


def examples(record):
    """The defaults, and another setting of every parameter that has a slider."""
    yield {}
    changed = {}
    for parameter in record.parameters:
        shown = lab.slider(parameter)
        if "low" in shown:
            usable = [e for e in parameter.examples if shown["low"] <= e <= shown["high"]]
            changed[parameter.name] = usable[0]
    if changed:
        yield changed


@pytest.mark.parametrize("name", RECORDS)
def test_the_lines_to_copy_compute_this_very_function(own, name):
    import keras
    import torch

    record, x = RECORDS[name], np.linspace(-4, 4, 33).astype(np.float32)
    counts = []
    for params in examples(record):
        torchs, kerases = own.evaluate(LINES, [name, params])
        for line in torchs:
            value = eval(line, {"torch": torch, "x": torch.tensor(x)})
            value = value.eval()(torch.tensor(x)) if isinstance(value, torch.nn.Module) else value
            close(value.detach().numpy(), record, x, params, line)
        for line in kerases:
            value = eval(line, {"keras": keras, "x": keras.ops.convert_to_tensor(x[None])})
            value = value(x[None]) if isinstance(value, keras.layers.Layer) else value
            close(keras.ops.convert_to_numpy(value)[0], record, x, params, line)
        counts.append((len(torchs), len(kerases)))
    assert counts[0][0] > 0 or not record.where("torch")
    assert counts[0][1] > 0 or not [p for p in record.where("keras") if not p.settings]


def close(value, record, x, params, line):
    right = record.reference(x, **params)
    np.testing.assert_allclose(value, right, 1e-5, 1e-6, err_msg=line)


def test_a_lone_link_to_a_piece_becomes_the_piece():
    home = "https://course.example/here/"
    assert lab.asked(f"{home}book/explore.html#f=relu", home) == ("explore", "f=relu")
    assert lab.asked(f"{home}book/lab.html", home) == ("lab", "")
    assert lab.asked(f"{home}book/evidence.html#f=relu", home) is None
    assert lab.asked("https://elsewhere.example/book/lab.html", home) is None
    assert "&amp;" in lab.frame("signals", "a=relu,he,1&depth=3")
    assert DEFAULTS["batch"] == 32  # as the page trains


HOME = "https://course.example/here/"


def paragraph(address, *before):
    link = nodes.reference("", "Move it", refuri=address)
    return nodes.paragraph("", "", *before, link)


def test_links_to_pieces_in_a_page():
    document = new_document("page")
    document.settings.env = SimpleNamespace(
        docname="notebooks/02_relu", config=SimpleNamespace(html_baseurl=HOME)
    )
    document += paragraph(f"{HOME}book/explore.html#f=relu")
    document += paragraph(f"{HOME}book/lab.html#preset=relu", nodes.Text("Or look: "))
    document += paragraph(f"{HOME}book/evidence.html")
    lab.PieceTransform(document).apply()
    kinds = [type(node).__name__ for node in document.children]
    assert kinds == ["raw", "paragraph", "raw", "paragraph", "paragraph"]
    assert 'data-actlab="explore" data-state="f=relu"' in document[0].astext()
    assert document[1]["classes"] == ["al-fallback"]
    addresses = [link["refuri"] for link in document.findall(nodes.reference)]
    assert addresses == [
        "../book/explore.html#f=relu",
        "../book/lab.html#preset=relu",
        f"{HOME}book/evidence.html",
    ]
    assert document[0].astext().count("<div") == document[2].astext().count("</div>")


@pytest.mark.parametrize("name", RECORDS)
def test_a_reference_entry_has_its_explorer_and_the_table_leads_back(site, name):
    record = RECORDS[name]
    page = f"family-{record.family.replace('_', '-')}"
    text = (site / "book" / "reference" / f"{page}.html").read_text("utf-8")
    assert f'data-actlab="explore" data-state="f={name}"' in text
    assert f'id="activation-{name.replace("_", "-")}"' in text
    assert "lab/boot.js" in text
    assert "lab/boot.js" not in (site / "book" / "evidence.html").read_text("utf-8")
