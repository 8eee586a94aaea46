"""The built site, page by page: in a browser with the network closed, and read as files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from . import pages
from .conftest import ROOT, SITE

pytestmark = pytest.mark.site

NAMES = [path.relative_to(SITE).as_posix() for path in pages.html_files(SITE)]
NOTEBOOKS = [n for n in NAMES if (ROOT / n).with_suffix(".ipynb").is_file()]


def test_the_site_is_built_and_up_to_date(site):
    assert "book/index.html" in NAMES
    assert (site / "index.html").is_file()
    assert (site / ".nojekyll").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_keeps_to_itself_is_accessible_and_fits_a_phone(page, address, name):
    problems = pages.browser_problems(page, address, name)
    assert not problems, pages.listed(problems)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere_and_images_have_alt_text_and_size(site, name):
    problems = pages.link_problems(site / name, site) + pages.image_problems(site / name)
    assert not problems, pages.listed(problems)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_chapter_fits_a_desk_and_a_phone(page, address, name):
    page.goto(f"{address}/{name}")
    problems = pages.chapter_problems(page)
    assert not problems, pages.listed(problems)


@pytest.mark.parametrize("published", [True, False])
def test_a_lost_reader_finds_back_from_any_depth_and_under_any_prefix(page, site, published):
    """GitHub Pages shows 404.html at the address that was asked for, however deep."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    text = (site / "404.html").read_text("utf-8")
    assert settings["title"] in text
    prefix = urlsplit(settings["html"]["baseurl"]).path
    assert f'<base href="{prefix}">' in text
    asked = []
    page.route("**/*", lambda route: asked.append(route.request.url) or answer(route))
    home = f"http://course.example{prefix if published else '/'}"

    def answer(route):
        route.fulfill(status=404, content_type="text/html", body=text)

    page.goto(f"{home}no/such/page.html")
    assert len(asked) == 1  # it has all that it needs inside
    links = page.eval_on_selector_all("a", "all => all.map(a => a.href)")
    assert f"{home}book/index.html" in links
    for name in NOTEBOOKS:
        assert f"{home}{name}" in links
    page.fill("input[name=q]", "dead units")
    page.click("button")
    assert page.url == f"{home}search.html?q=dead+units"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_not_carry_what_it_does_not_need(site, name):
    text = (site / name).read_text("utf-8")
    assert "scripts/fontawesome.js" not in text
    assert "require.js" not in text


def test_every_notebook_has_a_page(site):
    expected = [
        p.relative_to(ROOT).with_suffix(".html") for p in (ROOT / "notebooks").glob("*.ipynb")
    ]
    assert sorted(map(Path, NOTEBOOKS)) == sorted(expected)


def test_every_generated_page_is_in_the_table_of_contents(site):
    written = {path.stem for path in (ROOT / "book" / "reference").glob("*.md")}
    shown = {path.stem for path in (site / "book" / "reference").glob("*.html")}
    assert written == shown, "list the missing ones in _toc.yml"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_launch_buttons_open_this_very_notebook(site, name):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert pages.launch_problems(site / name, name, settings, ROOT) == []


@pytest.fixture(scope="module")
def tracked():
    """The files that the branch holds."""
    command = ["git", "ls-files", "-z"]
    return subprocess.check_output(command, cwd=ROOT, text=True).split("\0")


def learners_links(site, chapter):
    return pages.parse(site / "notebooks" / f"{chapter}.html").links


def test_the_branch_of_the_buttons_is_the_one_that_is_published():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert ci[True]["push"]["branches"] == [settings["repository"]["branch"]]
    assert f"refs/heads/{settings['repository']['branch']}'" in ci["jobs"]["publish"]["if"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_binder_and_colab_open_the_learners_edition(site, name, tracked):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    chapter = Path(name).stem
    links = learners_links(site, chapter)
    assert pages.opened_problems(links, chapter, settings, ROOT, tracked) == []


@pytest.mark.parametrize(("old", "new", "said"), [
    ("learner/", "", "not the learner's edition"),
    ("learner/02_relu", "learner/02_rule", "not in the repository"),
    ("actlab-course/", "another/", "the repository another/"),
    ("/main", "/master", "the branch master"),
    ("https://mybinder.org", "https://binder.org", "Binder: 0 buttons"),
    ("https://colab.", "https://co-lab.", "Colab: 0 buttons"),
])  # fmt: skip
def test_a_button_to_something_else_is_seen(site, tracked, old, new, said):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    links = [link.replace(old, new) for link in learners_links(site, "02_relu")]
    problems = pages.opened_problems(links, "02_relu", settings, ROOT, tracked)
    assert any(said in problem for problem in problems), problems


def test_the_font_of_the_formulas_is_what_it_says_it_is(site):
    assert (site / "_static" / "vendor" / "stix-two-math" / "math.woff").is_file()
    assert pages.manifest_problems(ROOT / "book" / "static" / "vendor" / "stix-two-math") == []
