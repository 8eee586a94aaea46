"""The hub's files follow from the measured table; what a class took is on record."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from actlab_class import hub

from tests.notebooks import gates
from tests.surfaces import hub as trial
from tests.surfaces import pins

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "hub" / "Dockerfile").read_text("utf-8")
PAGE = (ROOT / "book" / "hub.md").read_text("utf-8")


def test_the_values_are_those_of_the_table(chapters):
    text = hub.VALUES.read_text("utf-8")
    assert text == hub.values(chapters, gates.repository_address()), (
        "run: PYTHONPATH=book/_ext python -m actlab_class.hub"
    )
    user = yaml.safe_load(text)["singleuser"]
    limit, least = (int(user["memory"][key].removesuffix("M")) for key in ("limit", "guarantee"))
    for lesson in chapters:
        assert least / 1.6 < lesson.measured["peak_mb"] + hub.measured()["server_mb"] <= limit
    assert user["lifecycleHooks"]["postStart"]["exec"]["command"][:3] == [
        "gitpuller", gates.repository_address(), "main"
    ]  # fmt: skip


def test_a_larger_chapter_moves_the_limit_and_the_machines(chapters):
    before = hub.limit_mb(chapters)
    chapters[0].measured["peak_mb"] += 1000
    try:
        assert hub.limit_mb(chapters) > before
        people, memory, cores = next(hub.machines(chapters))
    finally:
        chapters[0].measured["peak_mb"] -= 1000
    assert int(people) * before / 1000 < int(memory.removesuffix(" GB"))
    assert int(cores) >= 1


def test_the_page_sets_the_limit_of_the_table(chapters):
    said = re.search(r"limits\.memory (\d+(?:\.\d+)?)G", PAGE)[1]
    assert float(said) == hub.limit_mb(chapters) / 1000


def test_a_link_opens_the_learners_edition(chapters):
    for lesson in chapters:
        link = urlsplit(hub.link(lesson.name, gates.repository_address(), hub="https://h.org"))
        query = parse_qs(link.query)
        assert (link.netloc, link.path) == ("h.org", "/hub/user-redirect/git-pull")
        assert query["repo"] == [gates.repository_address()]
        folder, _, path = query["urlpath"][0].removeprefix("lab/tree/").partition("/")
        assert gates.repository_address().endswith(f"/{folder}")
        assert (ROOT / path).is_file()


def dockerfile_problems(text):
    """What the container file copies or installs and is not there or not exact."""
    problems = []
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        problems += [f"no {name}" for name in sources if not (ROOT / name).exists()]
    installed = re.findall(r"--requirement (\S+)", text)
    copied = dict(reversed(line.split()) for line in re.findall(r"^COPY (\S+ \S+)$", text, re.M))
    if [copied.get(name) for name in installed] != [".binder/requirements.txt"]:
        problems.append("not the CPU builds of .binder/requirements.txt")
    tried = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    for name, version in (pin.split("==") for pin in trial.PYTHON):
        if tried.get(name.upper()) != version or f"{name}==${{{name.upper()}}}" not in text:
            problems.append(f"another {name} than the one that was tried")
    if not re.search(r"^USER (?!root)", text, re.MULTILINE):
        problems.append("runs as root")
    if "FROM python:3.11-" not in text:
        problems.append("another Python than the one that was measured")
    return problems


def test_the_container_has_the_exact_cpu_builds_and_copies_what_is_there():
    assert dockerfile_problems(DOCKERFILE) == []
    assert pins.BINDER.read_text("utf-8") == pins.binder()


@pytest.mark.parametrize(("old", "new", "said"), [
    ("COPY src ", "COPY source ", "no source"),
    ("COPY .binder/requirements.txt", "COPY requirements.txt", "not the CPU builds"),
    ("USER jovyan", "USER root", "runs as root"),
    ("JUPYTERHUB=6", "JUPYTERHUB=5", "another jupyterhub"),
    ("nbgitpuller==${NBGITPULLER}", "nbgitpuller", "another nbgitpuller"),
    ("python:3.11-", "python:3.14-", "another Python"),
])  # fmt: skip
def test_a_careless_container_is_seen(old, new, said):
    assert old in DOCKERFILE
    assert any(said in one for one in dockerfile_problems(DOCKERFILE.replace(old, new)))


def test_the_page_uses_the_files_that_are_there():
    for name in re.findall(r"\bhub/[\w.]+\w", PAGE):
        assert (ROOT / name).exists() or name == "hub/data", name


# --- the trial ------------------------------------------------------------------------------------


def test_a_class_of_ten_ran_on_a_real_hub_and_nobody_failed(chapters):
    result = json.loads(trial.RESULTS.read_text("utf-8"))
    assert trial.wrong(result) == []
    assert result["users"] >= 10
    assert result["chapter"] in {lesson.name for lesson in chapters}
    assert 0 < result["server_mb"] < result["learner_mb"]
    text = hub.fragment(chapters, gates.repository_address())
    assert f"{result['learner_mb'] / 1000:.1f} GB each" in text
    for kind, said in result["conflicts"].items():
        assert f"{kind[1:]} | {said}" in hub.update()


@pytest.mark.parametrize(("change", "said"), [
    ({"problems": ["learner3: NameError: x"]}, "learner3: NameError"),
    ({"seconds": trial.PATIENCE + 1}, "instead of at most"),
    ({"conflicts": {}}, "edited by both: None instead of kept"),
])  # fmt: skip
def test_a_class_that_went_wrong_is_told(change, said):
    result = {**json.loads(trial.RESULTS.read_text("utf-8")), **change}
    assert any(said in one for one in trial.wrong(result))
