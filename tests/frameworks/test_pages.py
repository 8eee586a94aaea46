"""The page of disagreements: made from the data, and every line of code on it does what it says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from actlab.frameworks import compiled, lines, pages
from actlab.frameworks.binding import limits, rounded
from actlab.frameworks.cases import CATEGORIES
from actlab.frameworks.differences import load
from actlab.frameworks.specials import SPECIALS

SPECIAL_CALLS = {call for special in SPECIALS.values() for call in special.calls}


@pytest.fixture(scope="module")
def page():
    return pages.disagreements()


@pytest.fixture(scope="module")
def apart():
    return pages.sorted_out(load())[0]


def fences(page):
    return re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def test_every_line_of_code_gives_what_stands_behind_it(page):
    preamble, *blocks = fences(page)
    assert preamble == lines.PREAMBLE
    machine = {
        line
        for group in processor_groups()
        for line in pages.code([group], named=False).splitlines()
    }
    ran = 0
    for line in (line for block in blocks for line in block.splitlines()):
        if line.startswith("# ") or line in machine:
            continue
        call, _, said = line.rpartition("  # ")
        returned = lines.run(call)
        ran += 1
        if isinstance(returned, str):
            assert said == returned, line
            continue
        numbers = [float(word) for word in re.sub(r"[\[\]]", "", said).split(", ")]
        got = np.ravel(returned)[: len(numbers)]
        assert same_number(numbers, got, line), line
    assert ran > 150


def same_number(numbers, got, line):
    """Whether what stands there is what came, but for last digits (the processor's)."""
    named = re.search(r"bfloat16|float16|float32|float64", line)
    special = line.rpartition("  # ")[0] in SPECIAL_CALLS  # written with nine digits
    dtype = named[0] if named and not special else "float32"
    eps, _, _, smallest = limits(dtype)
    ulps = 4 if dtype in ("float16", "bfloat16") else 16
    said = rounded(numbers, dtype).astype(np.float64)  # 1e-45 is how 1.4e-45 is written
    came = rounded(got, dtype).astype(np.float64)
    return np.allclose(came, said, rtol=ulps * eps, atol=smallest / 2, equal_nan=True)


def test_another_number_is_noticed():
    assert same_number([-5e-07], [-4.76837158e-07], "float16")
    assert not same_number([0.0], [5.96e-08], "float16")
    assert not same_number([0.1], [0.10001], "float32")
    assert not same_number([0.0], [1e-45], "float32")
    assert not same_number([1.0], [np.nan], "float32")


def processor_groups():
    """What only some processors show."""
    apart, alike, alone = pages.sorted_out(load())
    every = [group for groups in apart.values() for group in groups] + alike + alone
    return [group for group in every if not any(difference.everywhere for difference in group)]


def test_the_first_paragraph_is_plain_and_its_numbers_are_computed(page):
    first = page.split("\n\n")[1]
    torch, keras = (
        float(lines.run(call)[0])
        for call in (
            "torch.nn.LeakyReLU()(torch.tensor([-2.0]))",
            "keras.layers.LeakyReLU()(tf.constant([-2.0]))",
        )
    )
    assert f"`torch.nn.LeakyReLU` turns -2 into {torch:.3g}" in first
    assert f"`keras.layers.LeakyReLU` turns -2 into {keras:.3g}" in first
    assert torch != keras
    assert max(len(sentence.split()) for sentence in re.split(r"(?<=\.) ", first)) < 30
    assert not re.search("float16|ULP|reference|units", first)


def test_every_entry_in_use_says_how_it_was_called(page):
    for special in SPECIALS.values():
        assert f"{special.sentence} *How called:* {special.path}" in page


def test_what_compilers_change_is_on_the_page(page):
    section = page.split("## What a compiler changes\n")[1].split("\n## ")[0]
    changes = compiled.load()
    rows = re.findall(r"^\| (?!---|compiler)(.*) \|$", section, flags=re.MULTILINE)
    assert {row.split(" | ")[0] for row in rows} == {change.route for change in changes}
    kinds = {(c.route, c.record, c.quantity, c.before * c.better, c.after) for c in changes}
    assert len(rows) == len(kinds)
    assert "You may compile" in section


def test_two_lines_for_every_disagreement_show_different_results(apart):
    for groups in apart.values():
        for group in groups:
            written = pages.code([group], named=False).splitlines()[1:-1]
            said = [line.rpartition("  # ")[2] for line in written]
            assert len(written) >= 2, group
            assert len(set(said)) > 1, group


def test_the_order_is_that_of_the_categories(page, apart):
    assert list(apart) == [name for name in CATEGORIES if name in apart]
    titles = [pages.HEADINGS[category][0] for category in apart]
    kinds = re.findall(r'<details class="kind".*?<b>(.*?)</b>', page)
    assert kinds == [*titles, "Only one of them has it"]
    found = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    rest = ["What a compiler changes", "Where they agree"]
    assert found == ["Five that will bite you", "All of them", *rest]


def test_within_a_section_what_is_everywhere_and_in_float32_comes_first(apart):
    for groups in apart.values():
        ranks = [pages.plainness(group) for group in groups]
        assert ranks == sorted(ranks)


def test_every_disagreement_is_on_the_page(page, apart):
    shown = "\n".join(fences(page))
    for groups in apart.values():
        for group in groups:
            for call in pages.chosen(group).calls:
                assert call in shown


@pytest.mark.parametrize("bite", pages.FIVE, ids=lambda bite: bite.title)
def test_the_five_have_an_entry_and_a_line_that_mends_them(page, apart, bite):
    (group,) = [group for group in apart[bite.category] if pages._is(bite, group)]
    assert f'href="#{pages.anchor(group)}"' in page
    assert f'id="{pages.anchor(group)}"' in page
    other = "torch" if bite.like == "keras" else "keras"
    mended, broken = (pages.result_in(group, name) for name in (bite.like, other))
    assert mended != broken
    assert f"{bite.fix}  # {mended}" in page  # another test runs it
    assert bite.fix.startswith(other)


def test_every_entry_is_folded_has_an_address_of_its_own_and_can_be_filtered(page):
    items = re.findall(r'<details class="entry" id="([^"]+)" data-item (.*?)>', page)
    names = [name for name, _ in items]
    assert len(names) > 40
    assert len(set(names)) == len(names)
    for menu in ("kind", "function"):
        offered = page.split(f'<select name="{menu}"')[1].split("</select>")[0]
        values = set(re.findall(r'value="([^"]+)"', offered))
        has = {v for _, data in items for v in re.search(f'data-{menu}="(.*?)"', data)[1].split()}
        assert has == values
    assert page.count("<details") == page.count("</details>")


def test_what_stands_outside_of_html_is_plain_markdown(page):
    """Tables, formulas and fenced Python."""
    fence = r"^```(?:python|\{raw\} html)\n.*?^```$"
    outside = re.sub(fence, "", page, flags=re.MULTILINE | re.DOTALL)
    assert ":::" not in outside
    assert "```" not in outside
    outside = re.sub(r'<a href="#[^>]*>More</a>', "More", outside)
    assert "<" not in re.sub(r"\$[^$\n]*\$", "", outside)
    for row in re.findall(r"^\|.*$", outside, flags=re.MULTILINE):
        assert row.endswith("|")
    for match in re.finditer(r"^(\|.*\|)\n(\| (?:--- \| ?)+)$", outside, flags=re.MULTILINE):
        assert match[1].count("|") == match[2].count("|")
    assert outside.count("$") % 2 == 0


def test_reasons_are_given_for_what_is_there(page):
    keys = {(difference.record, difference.category) for difference in load()}
    assert set(pages.NOTES) <= keys
    assert set(pages.HEADINGS) == set(CATEGORIES)
    missing = [key for key, note in pages.NOTES.items() if note not in page]
    assert missing == []


def test_the_page_is_of_a_size_to_be_read(page):
    assert len(page) < 130_000
