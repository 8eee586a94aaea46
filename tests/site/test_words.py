"""Whatever a thing is called, the search leads to where it is explained."""

from __future__ import annotations

import pytest
from actlab_site import glossary, reference, words

from actlab import catalog

from . import pages

BEST = 5  # results that a reader looks at

SEARCH = """(query) => {
    const [text, ...parsed] = Search._parseQuery(query);
    return Search._performSearch(text, ...parsed).reverse().map(([name]) => name);
}"""


@pytest.fixture(scope="module")
def search(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=relu")
    page.wait_for_function("Search._index")
    yield lambda query: list(dict.fromkeys(page.evaluate(SEARCH, query)))
    page.close()


@pytest.mark.site
@pytest.mark.parametrize("term", glossary.GLOSSARY, ids=lambda term: term.name)
def test_a_term_is_found_by_all_of_its_names(search, term):
    for name in (term.name, *term.also):
        found = search(name)
        assert set(term.pages) & set(found[:BEST]), (name, found[:BEST])


@pytest.mark.site
@pytest.mark.parametrize("record", catalog.records(), ids=lambda record: record.name)
def test_an_activation_is_found_by_all_of_its_names(search, record):
    page = f"book/reference/family-{record.family.replace('_', '-')}"
    for name in words.names(record):
        assert page in search(name)[:BEST], (name, search(name)[:BEST])


@pytest.mark.site
@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("dead neurons", "notebooks/02_relu"),
        ("xavier", "notebooks/03_sigmoid_tanh"),
        ("BatchNormalization", "notebooks/20_twins"),
        ("batch normalization", "notebooks/20_twins"),
        ("offline", "book/how-to-run"),
        ("hooks", "notebooks/02_relu"),
        ("load_model", "book/reference/index"),
        ("swish", "book/reference/family-gelu"),
    ],
)
def test_what_readers_looked_for_in_vain_is_found(search, query, page):
    assert page in search(query)[:BEST], search(query)[:BEST]


@pytest.mark.site
def test_a_reader_who_types_gets_there(page, address):
    visit = pages.Visit(page, address).open("search.html?q=dead+neuron")
    page.wait_for_selector("#search-results li a")
    links = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    assert any("notebooks/02_relu.html" in link for link in links[:BEST])
    assert not visit.problems


def test_the_glossary_lists_every_term_with_its_other_names_in_order():
    text = glossary.page()
    listed = [term.name for term in glossary.GLOSSARY]
    assert listed == sorted(listed, key=str.lower)
    for term in glossary.GLOSSARY:
        assert f"\n{term.name}\n: {term.meaning}" in text
        for name in term.also:
            assert name in text
        for page in term.pages:
            assert f"{{doc}}`/{page}`" in text


def test_both_frameworks_words_are_known_then_and_now():
    relu = words.known()["book/reference/family-relu"]
    record = catalog.get("thresholded_relu")
    assert "ThresholdedReLU" in relu[reference.anchor(record)]
    gelu = words.known()["book/reference/family-gelu"]
    assert {"Hardswish", "hard_silu", "hard_swish"} <= {n for own in gelu.values() for n in own}
