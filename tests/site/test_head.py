"""What others see of a page: description, card, feed."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import pytest
from actlab_site import feed, head
from docutils import nodes
from docutils.utils import new_document

from actlab import claims

from . import pages
from .conftest import SITE
from .test_site import NAMES

LONG = "A first sentence that says what the page is about, and says it well. " * 4


def test_the_description_is_what_a_page_says_first():
    tree = new_document("page")
    section = nodes.section("", nodes.title("", "Title"))
    section += nodes.paragraph("", "", nodes.strong("", "34 minutes to read, exercises apart " * 3))
    section += nodes.paragraph("", LONG)
    tree += section
    text = head.described(tree)
    assert text.startswith("A first sentence")
    assert text.endswith("well.")
    section.insert(1, nodes.raw("", f'<p class="lead"><b>98 things</b> {LONG}</p>', format="html"))
    assert head.described(tree).startswith("98 things A first")
    assert head.described(new_document("empty")) == ""


def test_a_long_sentence_ends_in_whole_words():
    text = head.shortened("word " * 100)
    assert len(text) <= head.LONGEST
    assert text.endswith("word…")


@pytest.mark.site
@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("book/", "notebooks/"))])
def test_every_page_has_a_description_and_a_card(name):
    text = (SITE / name).read_text("utf-8")
    (description,) = re.findall(r'<meta name="description" content="([^"]+)"', text)
    assert 40 <= len(unescape(description)) <= head.LONGEST
    image = re.search(r'<meta property="og:image" content="([^"]+)"', text)[1]
    assert (SITE / head.CARD).is_file()
    assert image.endswith(head.CARD)
    up = "../" * name.count("/")
    assert f'href="{up}{feed.NAME}"' in text


@pytest.mark.site
def test_descriptions_differ_from_page_to_page():
    found = [
        re.search(r'<meta name="description" content="([^"]+)"', p.read_text("utf-8"))
        for p in pages.html_files(SITE)
    ]
    texts = [match[1] for match in found if match]
    assert len(set(texts)) > 0.9 * len(texts)


def test_the_feed_tells_of_every_changed_rule_the_latest_first():
    every = claims.all()
    text = feed.feed(every, "A course", "https://course.example/here/")
    root = ElementTree.fromstring(text)
    names = {"a": "http://www.w3.org/2005/Atom"}
    entries = root.findall("a:entry", names)
    assert len(entries) == sum(len(claim.amended) for claim in every)
    days = [entry.findtext("a:updated", namespaces=names) for entry in entries]
    assert days == sorted(days, reverse=True)
    assert root.findtext("a:updated", namespaces=names) == days[0]
    ids = [entry.findtext("a:id", namespaces=names) for entry in entries]
    assert len(set(ids)) == len(ids)
    link = entries[0].find("a:link", names).get("href")
    assert link.startswith("https://course.example/here/book/reference/claims.html#on-trial-")


def test_a_feed_without_amendments_is_a_feed():
    claim = replace(claims.get("relu-output-positive"), id="never-amended")
    root = ElementTree.fromstring(feed.feed([claim], "A course", "https://course.example"))
    assert root.findall("{http://www.w3.org/2005/Atom}entry") == []


@pytest.mark.site
def test_the_links_of_the_feed_lead_somewhere():
    root = ElementTree.parse(SITE / feed.NAME).getroot()
    ids = pages.parse(SITE / "book" / "reference" / "claims.html").ids
    for link in root.iterfind("{*}entry/{*}link"):
        assert link.get("href").partition("#")[2] in ids
