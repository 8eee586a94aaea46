"""The generated pages hold what the catalog holds, and only change when it does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from actlab_site import curves, ledger, reference, starting
from actlab_site.tables import table

from actlab import catalog, claims
from actlab.catalog import REQUIRED, Place
from actlab.trial.card import KINDS

RECORDS = {record.name: record for record in catalog.records()}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("root")
    reference.write_pages(root)
    return root / reference.FOLDER


def test_every_activation_has_an_entry_a_card_and_pictures(written):
    families = "".join(path.read_text() for path in written.glob("family-*.md"))
    gallery = (written / "index.md").read_text()
    for record in RECORDS.values():
        assert f"({reference.anchor(record)})=\n## {record.title}\n" in families
        page = f"family-{record.family.replace('_', '-')}.html#{reference.anchor(record)}"
        assert f'<a href="{page}">' in gallery
        assert (written / "curves" / f"{record.name}.png").exists() == curves.drawable(record)
    assert gallery.count("<svg") == sum(map(curves.drawable, RECORDS.values()))


def test_writing_again_changes_nothing_and_sweeps_up_what_is_left_over(written):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files(written)}
    (written / "family-old.md").write_text("# Gone")
    reference.write_pages(written.parents[1])
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files(written)}
    assert after == before


def test_the_ledger_and_the_disagreements_are_written_where_they_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(reference.catalog, "records", lambda: ())
    monkeypatch.setattr(reference.catalog, "families", dict)
    monkeypatch.setattr(reference.curves, "poster", lambda records: b"")
    monkeypatch.setattr(reference, "_disagreements", lambda: "# Disagreements")
    monkeypatch.setattr(reference, "_claims", lambda: ())
    always = ["index.md", "then-and-now.md", "curves/all.png"]
    assert [name for name, _ in reference.pages(tmp_path)] == always
    entries = "".join(f"- file: {reference.FOLDER}/{n}\n" for n in ("claims", "disagreements"))
    (tmp_path / "_toc.yml").write_text(entries)
    more = ["disagreements.md", "claims.md"]
    assert [name for name, _ in reference.pages(tmp_path)] == [*always, *more]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_pages_are_written_without_a_framework():
    code = (
        "import sys\nfrom actlab_site import reference\n"
        "from actlab import catalog\n"
        "reference.gallery(catalog.records()), reference.then_and_now(catalog.records())\n"
        "print([m for m in ('torch', 'tensorflow', 'keras') if m in sys.modules])"
    )
    extension = Path(reference.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=extension
    )
    assert result.stdout.strip() == "[]"


def test_an_entry_tells_formula_parameters_properties_places_and_origin():
    text = reference.entry(RECORDS["leaky_relu"])
    record = RECORDS["leaky_relu"]
    for piece in (
        record.summary,
        record.formula,
        record.origin.url,
        "`negative_slope`",
        "| Smoothness | kink at 0 |",
        "| Monotonic | yes |",
        "| `torch.nn.LeakyReLU(negative_slope=0.01, inplace=False)` |",
        "| `tf.keras.layers.LeakyReLU(alpha=0.3)` | `keras.layers.LeakyReLU(negative_slope=0.3)` |",
    ):
        assert piece in text, piece


def test_then_and_now_lists_what_changed_and_nothing_that_did_not():
    text = reference.then_and_now(RECORDS.values())
    assert "| `keras.layers.LeakyReLU` | `alpha=0.3` | `negative_slope=0.3` |" in text
    assert "- `tf.keras.activations.hard_sigmoid`: Was clip(0.2 x + 0.5, 0, 1)" in text
    assert "| `torch.nn.GELU` | – | `approximate='none'` |" in text
    assert "`torch.nn.Tanh()`" not in text
    assert "- Mish: `torch.nn.Mish()`" in text
    assert "- Thresholded ReLU: `tf.keras.layers.ThresholdedReLU(theta=…)`" in text


def test_places_differ_by_name_order_and_default_but_not_by_how_a_number_is_written():
    then = Place("torch.f", when="then", arguments={"beta": 1, "dim": REQUIRED})
    assert not reference.differ(then, Place("torch.f", arguments={"beta": 1.0, "dim": REQUIRED}))
    assert reference.differ(then, Place("torch.f", arguments={"dim": REQUIRED, "beta": 1}))
    assert reference.differ(then, Place("torch.f", arguments={"beta": 2, "dim": REQUIRED}))
    assert reference.differ(then, Place("torch.f", arguments={"b": 1, "dim": REQUIRED}))
    assert reference.signature(then) == "`torch.f(beta=1, dim)`"


def test_only_what_differs_is_shown():
    then = Place("torch.f", when="then", arguments={"alpha": 0.3, "dim": REQUIRED, "out": None})
    now = Place("torch.f", arguments={"slope": 0.2, "dim": REQUIRED, "out": None, "axis": -1})
    assert reference.only(then, now) == "`alpha=0.3`"
    assert reference.only(now, then) == "`slope=0.2`, `axis=-1`"
    fewer = Place("torch.f", arguments={"dim": REQUIRED, "out": None})
    assert reference.only(fewer, then) == "–"
    turned = Place("torch.f", arguments={"out": None, "dim": REQUIRED})
    assert reference.only(turned, fewer) == "another order"


@pytest.mark.parametrize(
    ("order", "kinks", "words"),
    [
        (-1, (0.0,), "jump at 0"),
        (0, (-3.0, 3.0), "kink at −3, 3"),
        (1, (0.0,), "C¹, no further at 0"),
        (float("inf"), (), "smooth"),
    ],
)
def test_smoothness_in_words(order, kinks, words):
    assert reference.smoothness(order, kinks) == words


@pytest.mark.parametrize("name", [n for n, r in RECORDS.items() if curves.drawable(r)])
def test_the_drawn_curve_is_the_reference_torn_only_where_it_breaks(name):
    record = RECORDS[name]
    x, f, slope = curves.grid(record)
    for kink in record.properties.kinks:
        at = x == kink
        assert at.any()
        assert np.isnan(slope[at]).any()
        assert np.isnan(f[at]).any() == (record.properties.smoothness < 0)
    whole = ~np.isnan(f) & ~np.isnan(slope)
    expected, expected_slope = curves.curve(record, x[whole])
    np.testing.assert_array_equal(f[whole], expected)
    np.testing.assert_array_equal(slope[whole], expected_slope)
    assert whole.sum() > curves.POINTS * 0.9


def test_the_alt_text_gives_values_that_are_to_be_seen():
    alt = curves.alt_text(RECORDS["relu"])
    assert "The output is 0 at −2, 0 at 0, 2 at 2; the slope is 0 at −2, 1 at 2." in alt
    assert "first of three outputs" in curves.alt_text(RECORDS["softmax"])


def test_a_table_survives_bars_and_line_breaks():
    assert table(("a",), [("x | y\nz",)]) == "| a |\n| --- |\n| x \\| y z |"


TRIED = claims.get("relu-output-positive")
NEW = replace(TRIED, id="relu-x", statement="ReLU is fast.")


def test_the_ledger_shows_claims_with_and_without_a_verdict(tmp_path):
    files = dict(ledger.pages([TRIED, NEW], tmp_path))
    text = files["claims.md"]
    first, second = text.split('<tr role="row"')[2:]
    assert 'id="on-trial-relu-output-positive"' in first
    assert 'data-verdict="refuted" data-rank="2"' in first
    assert 'class="tag refuted"' in first
    address = "claims-02-relu.html#on-trial-relu-output-positive"
    assert f'<a href="{address}">{TRIED.statement}</a>' in first
    assert f'data-amended="{TRIED.amended[-1].until}"' in first
    assert 'class="mini"' in first
    assert "not recorded yet" in second
    assert 'data-verdict=""' in second
    assert 'data-amended=""' in second
    assert "notebooks" not in second  # no chapter yet
    # What the feed and the page of the starting document say of them:
    assert [ledger.verdict(claim) for claim in (TRIED, NEW)] == ["refuted", "not recorded yet"]
    (tmp_path / "02_relu.ipynb").write_text('{"cells": [{"source": ["# Who did it\\n", "x"]}]}')
    linked = dict(ledger.pages([NEW], tmp_path))
    assert 'href="../../notebooks/02_relu.html" title="Who did it"' in linked["claims.md"]
    assert "[Who did it](../../notebooks/02_relu.ipynb)" in linked["claims-02-relu.md"]
    # The entries have a page of their own, with the same ids:
    assert list(files) == ["claims.md", "claims-02-relu.md"]
    first, second = files["claims-02-relu.md"].split('<details class="entry"')[1:]
    assert first.startswith(' id="on-trial-relu-output-positive"')
    assert f"<dt>Until {TRIED.amended[-1].until}</dt>" in first
    assert f"<span>{NEW.statement}</span>not recorded yet</summary>" in second
    assert reference.source_of("book/reference/claims-02-relu") == "src/actlab/claims/relu.py"


def test_an_entry_tells_what_it_cost_and_what_could_have_been_seen(tmp_path):
    claim = claims.get("relu-half-born-dead")
    text = ledger.entry(claim, claim.recorded(), tmp_path, ("ReLU", ""))
    assert "<dt>Smallest effect that could have been seen</dt>" in text
    assert "<code>python -m actlab.study born_dead</code>" in text


def test_the_score_counts_every_verdict():
    tried = [(claim, claim.recorded()) for claim in claims.all()]
    counts = ledger.claims_found(tried)
    assert sum(counts.values()) == len(tried)
    html = ledger.score(counts, "claims.html")
    for verdict, kind in KINDS.items():
        assert f'href="claims.html?verdict={kind}"><b>{counts[verdict]}</b>' in html


@pytest.mark.parametrize(
    ("claim", "family", "ground"),
    [
        ("relu-half-born-dead", "relu", "untrained"),
        ("selu-deep", "elu", "trained"),
        ("sigmoid-two-softmax", "sigmoid", "computed"),
        ("why-linear-xor", "any", "trained"),
        ("prelu-first-layer", "leaky", "trained"),
    ],
)
def test_family_and_scope_of_a_claim_are_read_off_its_record(claim, family, ground):
    assert ledger.family(claims.get(claim)) == family
    assert ledger.ground(claims.get(claim)) == ground


def test_the_starting_document_shows_what_became_of_each_sentence():
    leaky = replace(TRIED, source="starting document, section Leaky ReLU")
    text = starting.page([leaky, replace(TRIED, source="nobody")])
    head, _, rest = text.partition("## Leaky ReLU")
    assert "refuted" in rest.partition("##")[0]
    assert "| refuted" not in head
    assert "| With ReLU a network converges quickly. | no verdict; what" in text
    assert "## The ranking" not in text  # nobody tried it, in this list
    with pytest.raises(ValueError, match="no section Maxout"):
        starting.page([replace(TRIED, source="starting document, section Maxout")])


def test_every_section_that_the_claims_name_exists():
    named = {starting.section(claim.source) for claim in claims.all()} - {None}
    assert named <= set(starting.SECTIONS)
    assert {"ReLU", "the ranking"} <= named


def test_an_entry_links_to_the_chapter_of_its_record(tmp_path):
    assert "Taught and tried" not in reference.entry(RECORDS["softmin"], tmp_path)
    (tmp_path / "08_softmax.ipynb").write_text('{"cells": [{"source": ["# Softmax, say"]}]}')
    for name, linked in (("softmin", True), ("relu", False)):
        text = reference.entry(RECORDS[name], tmp_path)
        link = "in the chapter [Softmax, say](../../notebooks/08_softmax.ipynb)."
        assert (link in text) == linked
