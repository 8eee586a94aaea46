"""What a JupyterHub needs for the course: limits from the measured table, links, machine sizes.

PYTHONPATH=book/_ext python -m actlab_class.hub      writes hub/values.yaml
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from actlab_site.tables import table

from actlab_class import lessons
from actlab_class.lessons import Lesson

ROOT = Path(__file__).resolve().parents[3]
VALUES = ROOT / "hub" / "values.yaml"
SYSTEM_MB = 1000  # the machine itself, and the hub
STEP_MB = 500  # a limit is rounded up to it
MORE = 1.2  # what learners add to a chapter: a figure, an exercise, a cell of their own
ROOMS = (10, 25, 50)
HUB = "https://HUB"
COURSE = "activation-functions"


def largest(found: Sequence[Lesson]) -> float:
    """The most memory that a learner with one open chapter takes, in MB."""
    return max(lesson.measured["peak_mb"] for lesson in found) + measured()["server_mb"]


def measured(path: Path = ROOT / "tests" / "surfaces" / "hub.json") -> dict[str, Any]:
    """What a class took on a real hub (``make hub``)."""
    return dict(json.loads(path.read_text("utf-8")))


def limit_mb(found: Sequence[Lesson]) -> int:
    """The memory limit of one learner: the largest chapter and a fifth more, rounded up."""
    return STEP_MB * math.ceil(MORE * largest(found) / STEP_MB)


def values(found: Sequence[Lesson], repository: str) -> str:
    """``hub/values.yaml`` of Zero to JupyterHub."""
    limit = f"{limit_mb(found)}M"
    least = f"{STEP_MB * math.ceil(min(one.measured['peak_mb'] for one in found) / STEP_MB)}M"
    return f"""\
# Values for Zero to JupyterHub, written by `python -m actlab_class.hub` from the measured table:
#   helm upgrade --install hub jupyterhub/jupyterhub --values hub/values.yaml
# The image, which hub/Dockerfile makes, is yours to name.
singleuser:
  image:
    name: REGISTRY/activation-functions
    tag: "1"
  # One open chapter at a time: the largest takes {largest(found) / 1000:.1f} GB with its server.
  memory:
    guarantee: {least}
    limit: {limit}
  cpu:
    guarantee: 0.25
    limit: 2
  defaultUrl: /lab
  storage:
    capacity: 1Gi
  lifecycleHooks:
    postStart:
      exec:
        # Fetches the course when a learner's machine starts, and merges what has changed since.
        command: [gitpuller, {repository}, main, {COURSE}]
cull:
  enabled: true
  timeout: 3600
  every: 300
prePuller:
  hook:
    enabled: true
"""


def link(name: str, repository: str, hub: str = HUB, branch: str = "main") -> str:
    """The address that fetches the course and opens the learner's edition of a chapter."""
    folder = repository.rstrip("/").rpartition("/")[2]
    path = f"lab/tree/{folder}/notebooks/learner/{name}.ipynb"
    query = urlencode({"repo": repository, "branch": branch, "urlpath": path}, quote_via=quote)
    return f"{hub}/hub/user-redirect/git-pull?{query}"


def machines(found: Sequence[Lesson]) -> Iterator[tuple[str, str, str]]:
    """Learners → memory and cores of one machine for all of them."""
    for people in ROOMS:
        memory = (people * largest(found) + SYSTEM_MB) / 1000
        yield str(people), f"{math.ceil(memory)} GB", str(math.ceil(people / 4))


def fragment(found: Sequence[Lesson], repository: str) -> str:
    """What the page says in numbers."""
    seen = measured()
    blocks = [
        f"On {seen['day']} {seen['users']} learners spawned their servers and ran the first half "
        f"of [a chapter](../notebooks/{seen['chapter']}.ipynb) side by side on a real JupyterHub "
        f"({seen['versions']['jupyterhub']}), on a machine of {seen['machine']['cores']} cores "
        f"that had other things to do: {seen['seconds'] / 60:.0f} minutes for all of them, at most "
        f"{seen['learner_mb'] / 1000:.1f} GB each, of which JupyterLab's server is "
        f"{seen['server_mb'] / 1000:.1f}; {len(seen['problems']) or 'no'} cells failed.",
        f"The largest chapter takes {max(o.measured['peak_mb'] for o in found) / 1000:.1f} GB and "
        f"the server {seen['server_mb'] / 1000:.1f} beside it; with a fifth more for what learners "
        f"add, the limit of one learner is **{limit_mb(found) / 1000:g} GB**, with one open "
        "chapter at a time.",
        table(("Learners at once", "Memory", "Cores"), list(machines(found))),
        "Links that fetch the course into a learner's folder, and open a chapter; put your own "
        "hub's address in place of `HUB`:",
        "\n\n".join(f"{one.title}:\n\n```text\n{link(one.name, repository)}\n```" for one in found),
    ]
    return "\n\n".join(blocks) + "\n"


def update() -> str:
    """What became of a learner's files in the trial."""
    rows = [(kind[0].upper() + kind[1:], said) for kind, said in measured()["conflicts"].items()]
    return table(("A learner's file", "After an update"), rows) + "\n"


def repository(root: Path = ROOT) -> str:
    """As in ``_config.yml``."""
    from actlab_site import reference

    return reference.repository(root)


if __name__ == "__main__":
    VALUES.write_text(values(lessons.all_of(ROOT / "notebooks"), repository()), "utf-8")
    print(json.dumps({"written": VALUES.relative_to(ROOT).as_posix()}))
