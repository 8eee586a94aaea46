"""Run chapters somewhere else, and keep what came of it in a committed file.

``environments`` and ``processors`` use this: each states its surfaces in one table.
"""

from __future__ import annotations

import copy
import datetime
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from packaging.requirements import Requirement

from tests.notebooks import execute, gates
from tests.notebooks.teaching import lessons

HERE = Path(__file__).parent
TIMEOUT = 900  # seconds a cell: some of these machines are slow

# No variable of the Makefile or of `make notebooks`: a reader's machine has none of them either.
# A progress bar would count as a complaint, and nothing may be fetched.
_OURS = {*execute.ENVIRONMENT, "PYTHONPATH", "JPY_PARENT_PID"}
PLAIN = {name: value for name, value in os.environ.items() if name not in _OURS} | {
    "ACTLAB_OFFLINE": "1",
    "ACTLAB_PROGRESS": "0",
}


def run(
    chapter: Path,
    problems: Callable[[Any, Any], Iterable[str]],
    *options: str,
    command: Sequence[str],
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """Run a committed chapter; its cost, and what ``problems(committed, again)`` finds in it."""
    committed = gates.read(chapter).nb
    again = copy.deepcopy(committed)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
            cell.metadata.pop("mystnb", None)
    try:
        cost = execute.run_cells(
            again,
            chapter.parent,
            *options,
            command=command,
            environment=environment,
            timeout=TIMEOUT,
            allow_errors=True,
        )
        found = list(problems(committed, again))
    except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
        cost, found = {}, [f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"]
    # Enough to know what it was; where a library lies on this machine is no part of it.
    found = [re.sub(r"(?:/[\w.+-]+)+/", "", text)[:500] for text in found]
    return {"code": fingerprint(committed), **cost, "problems": found}


def fingerprint(nb: Any) -> str:
    """Changes when the code of a chapter does, but not with its prose or our own address."""
    return lessons.fingerprint(nb, gates.repository_address())


def about(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """What a Python runs on (``machine``) and with (``versions`` of what the package needs)."""
    code = (
        "import json, sys; from importlib.metadata import version; from actlab import machine; "
        "versions = {name: version(name) for name in sys.argv[1:]}; "
        "print(json.dumps({'machine': machine.describe(), 'versions': versions}))"
    )
    names = [requirement.name for requirement in dependencies()]
    done = subprocess.run(
        [*command, "-c", code, *names], env=environment, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def dependencies() -> list[Requirement]:
    """What the package needs, with its lower bounds."""
    project = tomllib.loads((gates.ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"]]


def results(path: Path) -> dict[str, Any]:
    """The committed results: surface → ``day``, ``machine``, ``versions``, ``chapters``."""
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def store(path: Path, surface: str, about: Mapping[str, Any], chapters: Mapping[str, Any]) -> None:
    """Put these chapters' results on this surface into the file, beside the others' there."""
    everything = results(path)
    known = everything.get(surface, {}).get("chapters", {})
    names = {chapter.stem for chapter in gates.FOLDER.glob("*.ipynb")}
    kept = {name: result for name, result in known.items() if name in names}
    everything[surface] = {
        "day": datetime.date.today().isoformat(),
        **about,
        "chapters": dict(sorted((kept | dict(chapters)).items())),
    }
    text = json.dumps(dict(sorted(everything.items())), indent=1, ensure_ascii=False)
    execute.replace(path, text + "\n")


def stale(path: Path, surfaces: Iterable[str]) -> list[str]:
    """What the file does not say of today's chapters, one sentence each."""
    stored = results(path)
    said = []
    for surface in surfaces:
        chapters = stored.get(surface, {}).get("chapters", {})
        for chapter in sorted(gates.FOLDER.glob("*.ipynb")):
            if chapter.stem not in chapters:
                said.append(f"{surface}: {chapter.stem} never ran there")
            elif chapters[chapter.stem]["code"] != fingerprint(gates.read(chapter).nb):
                said.append(f"{surface}: {chapter.stem} has changed since it ran there")
    return said


def failures(path: Path) -> list[str]:
    """The problems that the file holds, one sentence each."""
    return [
        f"{surface}, {name}: {problem}"
        for surface, result in results(path).items()
        for name, chapter in result["chapters"].items()
        for problem in chapter["problems"]
    ]


def report(surface: str, name: str, result: Mapping[str, Any]) -> None:
    """One line for a terminal, and one for every problem."""
    cost = f"{result['seconds']:.0f} s, {result['peak_mb']:.0f} MB" if "seconds" in result else "–"
    print(f"{surface}: {name}: {'ok' if not result['problems'] else 'FAILED'}, {cost}", flush=True)
    for problem in result["problems"]:
        print(f"  {problem}", flush=True)
