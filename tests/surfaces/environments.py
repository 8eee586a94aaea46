"""``make surfaces``: all chapters under the oldest, Colab's and the newest versions.

    python -m tests.surfaces.environments [lowest | colab | newest ...] [--chapters NAME ...]

Each environment is made from the table below with uv, in ``_build/environments`` (``--into``). On
Linux PyTorch brings CUDA with it, about 7 GB each; ``UV_TORCH_BACKEND=cpu`` asks for its CPU
builds. Outputs differ between versions and are not compared: no cell may fail or complain, and
every figure must be there with its alt text. The results go to ``environments.json``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.notebooks import execute, gates

from . import runs

RESULTS = runs.HERE / "environments.json"
FOLDER = gates.ROOT / "_build" / "environments"


@dataclass(frozen=True)
class Environment:
    """A Python, how versions are chosen within our bounds, and those that are given."""

    python: str
    resolution: str = "highest"
    pins: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """What is installed: this package with its dependencies, the pins, and a kernel."""
        return ("ipykernel>=6.17", *self.pins)


ENVIRONMENTS = {
    # uv reads the bounds from pyproject.toml and takes the lowest version within each.
    "lowest": Environment("3.11", "lowest-direct"),
    "colab": Environment(
        "3.13",
        pins=(
            "torch==2.11.0",
            "tensorflow==2.20.0",
            "keras==3.13.2",
            "numpy==2.1.3",
            "pandas==2.2.3",
            "ipython==7.34.0",
        ),
    ),
    "newest": Environment("3.13"),
}


def unmet(name: str, versions: Mapping[str, str]) -> list[str]:
    """Where the versions of a run are not those that the table asks for."""
    environment = ENVIRONMENTS[name]
    wanted = [Requirement(pin) for pin in environment.pins]
    if environment.resolution == "lowest-direct":  # >=2.4 asks for some 2.4
        wanted = [
            Requirement(f"{known.name}=={spec.version}.*")
            for known in runs.dependencies()
            for spec in known.specifier
        ]
    return [
        f"{name}: {w.name} was {versions.get(w.name, 'missing')} instead of {w.specifier}"
        for w in wanted
        if w.name not in versions or not w.specifier.contains(versions[w.name], prereleases=True)
    ]


def uv(*arguments: str) -> None:
    """Run uv, which stands beside our own Python."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    program = shutil.which("uv", path=path)
    if program is None:
        sys.exit("uv is missing, which builds the environments: pip install uv")
    subprocess.run([program, *arguments], check=True)


def build(name: str, folder: Path) -> Path:
    """Make the environment unless it is there already; return its Python."""
    environment = ENVIRONMENTS[name]
    place = folder / name
    python = place / "bin" / "python"
    uv("venv", "--quiet", "--allow-existing", "--python", environment.python, str(place))
    uv(
        # --upgrade: or what an earlier run left there would stay, within the bounds, not at them.
        *("pip", "install", "--quiet", "--upgrade", "--python", str(python)),
        *("--resolution", environment.resolution, "--editable", str(gates.ROOT)),
        *environment.requirements,
    )
    return python


def problems(committed: Any, again: Any) -> Iterator[str]:
    """What went wrong in a run: errors, complaints, figures that are missing or not described."""
    execute.carry_alt_text(again)
    notebook = gates.Notebook("", again, None, "")
    for gate in (gates.ran_top_to_bottom, gates.has_described_figures):
        yield from gate(notebook)
    for number, (old, new) in enumerate(zip(committed.cells, again.cells, strict=True), 1):
        if old.cell_type != "code":
            continue
        for output in new.outputs:
            if output.output_type == "error":
                yield f"cell {number}: {output.ename}: {output.evalue}"
            elif output.get("name") == "stderr":
                yield f"cell {number}: wrote to stderr: {output.text.strip()}"
        shown, wanted = (
            sum("image/png" in o.get("data", {}) for o in c.outputs) for c in (new, old)
        )
        if shown != wanted:
            yield f"cell {number}: {shown} figures instead of {wanted}"


def main(arguments: Sequence[str]) -> int:
    """Run the chosen chapters in the chosen environments; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="environment", help=", ".join(ENVIRONMENTS))
    parser.add_argument("--chapters", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the environments are")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(ENVIRONMENTS):
        parser.error(f"no environment {sorted(unknown)[0]!r}: there are {', '.join(ENVIRONMENTS)}")
    chapters = [path.with_suffix(".ipynb") for path in execute.chosen(given.chapters)]
    bad = 0
    for name in given.names or ENVIRONMENTS:
        command = [str(build(name, given.into.resolve()))]
        about = runs.about(command, runs.PLAIN)
        for chapter in chapters:
            result = runs.run(chapter, problems, command=command, environment=runs.PLAIN)
            runs.report(name, chapter.stem, result)
            runs.store(RESULTS, name, about, {chapter.stem: result})
            bad += bool(result["problems"])
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
