"""What lies at the top for people and tools says the same as what it tells of."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
LICENCE = (ROOT / "LICENSE").read_text("utf-8")


def text(name):
    return (ROOT / name).read_text("utf-8")


def citation_problems(cff):
    """Where a citation is not of this course, or names somebody who is not in the licence."""
    holder = re.search(r"Copyright \(c\) \d{4} (.+)", LICENCE)[1]
    wanted = {
        "cff-version": "1.2.0",
        "title": SETTINGS["title"],
        "authors": [{"name": holder}],
        "version": PROJECT["version"],
        "license": ["MIT", "CC-BY-4.0"],
        "repository-code": SETTINGS["repository"]["url"],
        "url": SETTINGS["html"]["baseurl"],
    }
    found = yaml.safe_load(cff)
    return [key for key, value in wanted.items() if found.get(key) != value]


def test_the_citation_is_of_this_course():
    assert citation_problems(text("CITATION.cff")) == []


@pytest.mark.parametrize(("old", "new", "key"), [
    ("version: 0.1.0", "version: 0.2.0", "version"),
    ("The actlab authors", "Jane Doe", "authors"),
    ("  - CC-BY-4.0\n", "", "license"),
    ("actlab-course/", "another/", "repository-code"),
])  # fmt: skip
def test_a_wrong_citation_is_seen(old, new, key):
    cff = text("CITATION.cff")
    assert old in cff
    assert key in citation_problems(cff.replace(old, new))


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == PROJECT["version"]
    assert versions == sorted(versions, key=lambda v: [*map(int, v.split("."))], reverse=True)


def test_text_and_code_have_their_licences_and_the_readme_says_so():
    assert PROJECT["license"] == "MIT"
    assert "MIT License" in LICENCE
    address = "https://creativecommons.org/licenses/by/4.0/"
    assert address in text("LICENSE-TEXT.md")
    assert f"]({CC_BY})" in text("LICENSE-TEXT.md")
    assert address in SETTINGS["html"]["extra_footer"]
    told = text("README.md").partition("## Licence")[2]
    for name in ("LICENSE", "LICENSE-TEXT.md", "CITATION.cff", "CHANGELOG.md"):
        assert f"]({name})" in told


CC_BY = "LICENSE-CC-BY-4.0.txt"
TEXT = (ROOT / "LICENSE-TEXT.md").read_text("utf-8")


def wording_problems(legal):
    """Where the wording of the text's licence is not complete, or not that of Creative Commons."""
    said = [f"Section {n}" for n in range(1, 9) if f"\nSection {n} -- " not in legal]
    # Of the words alone, so that another wrapping of the lines is no change.
    words = hashlib.sha256(" ".join(legal.split()).encode()).hexdigest()
    return said if words == WORDS else [*said, "other words"]


WORDS = "1f5a529dc95849305307f0d6861169d8cae9e99807e4abcec68ef9ad19235652"


def test_the_full_wording_of_the_texts_licence_is_here():
    assert wording_problems(text(CC_BY)) == []
    assert wording_problems(text(CC_BY).replace("\n\n", "\n\n\n")) == []


@pytest.mark.parametrize(("old", "new", "said"), [
    ("Section 5 -- ", "Section 9 -- ", "Section 5"),
    ("irrevocable", "revocable", "other words"),
])  # fmt: skip
def test_another_wording_is_seen(old, new, said):
    legal = text(CC_BY)
    assert old in legal
    assert said in wording_problems(legal.replace(old, new))


def test_what_others_made_is_named_with_its_licence():
    """What lies in ``book/static/vendor`` is neither ours nor under our licences."""
    vendor = ROOT / "book" / "static" / "vendor"
    row = re.search(r"^\| (.*), in `book/static/vendor` \| (.*), beside it \|$", TEXT, re.M)
    [folder] = vendor.iterdir()
    assert folder.name == row[1].partition(",")[0].lower().replace(" ", "-")
    assert row[2].removesuffix(" 1.1").upper() in (folder / "LICENSE").read_text("utf-8")


def hooks(config):
    """The commands that the hooks run; raises for one that would fetch something."""
    [repository] = yaml.safe_load(config)["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert (hook["language"], hook["pass_filenames"]) == ("system", False), hook["id"]
    return [hook["entry"] for hook in repository["hooks"]]


def linted(makefile):
    """The commands of ``make lint``."""
    rule = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in rule.splitlines()]


def test_the_hooks_are_what_make_lint_runs():
    assert hooks(text(".pre-commit-config.yaml")) == linted(text("Makefile"))
    another = text("Makefile").replace("\t$(BIN)/mypy\n", "")
    assert hooks(text(".pre-commit-config.yaml")) != linted(another)


def test_a_hook_from_the_network_is_refused():
    config = text(".pre-commit-config.yaml").replace("repo: local", "repo: https://example.org")
    with pytest.raises(AssertionError):
        hooks(config)


@pytest.mark.parametrize("name", [".github/CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-TEXT.md"])
def test_their_links_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)#:]+)\)", text(name)):
        assert ((ROOT / name).parent / link).exists(), link
