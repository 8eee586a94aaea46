"""``make processors``: all chapters as an older processor, or another number of cores, runs them.

    python -m tests.surfaces.processors [avx2 | old | old_one_core] [--chapters NAME ...]

The libraries choose their code by the processor, so the last bits differ, and training makes much
of little. What a chapter prints must not tell: text outputs, tables and alt texts are compared
with the committed ones, letter by letter, and pictures as an eye would. (What this very processor
prints is compared by ``tests.notebooks.compare``.) The results go to ``processors.json``.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.notebooks import compare, execute, pictures

from . import runs

RESULTS = runs.HERE / "processors.json"


@dataclass(frozen=True)
class Processor:
    """The variables that make the libraries' choice, and the cores that a kernel may use."""

    variables: Mapping[str, str] = field(default_factory=dict)
    cores: int = 2


def _instructions(pytorch: str, onednn: str, mkl: str) -> dict[str, str]:
    """What PyTorch itself, the matrix library of both frameworks, and PyTorch's other one use."""
    return {
        "ATEN_CPU_CAPABILITY": pytorch,
        "ONEDNN_MAX_CPU_ISA": onednn,
        "MKL_CBWR": mkl,
    }


_OLD = _instructions("default", "SSE41", "COMPATIBLE")
PROCESSORS = {
    "avx2": Processor(_instructions("avx2", "AVX2", "AVX2")),  # what most machines have
    "old": Processor(_OLD),
    "old_one_core": Processor(_OLD | {"OMP_NUM_THREADS": "1"}, cores=1),
}


def differences(committed: Any, again: Any) -> Iterator[str]:
    """Where a run prints something else than is committed, with the first lines that differ."""
    for number, (old, new) in enumerate(zip(committed.cells, again.cells, strict=True), 1):
        if old.cell_type != "code":
            continue
        before, after = printed(old), printed(new)
        for kind in before.keys() | after.keys():
            one, other = (side.get(kind, "").splitlines() for side in (before, after))
            changed = [
                line
                for line in difflib.unified_diff(one, other, "", "", n=0, lineterm="")
                if line[:1] in "-+" and line[:3] not in ("---", "+++")
            ]
            if changed:
                yield f"cell {number}, {kind}: " + " ".join(line[:300] for line in changed[:6])
        for one, other in zip(
            *map(compare.shown_pictures, (old.outputs, new.outputs)), strict=False
        ):
            if seen := pictures.difference(one, other):
                yield f"cell {number}, picture: {seen}"


def printed(cell: Any) -> dict[str, str]:
    """What a cell says, by kind of output; pictures are represented by their alt texts."""
    said: dict[str, str] = {}
    for output in cell.outputs:
        if output.output_type == "stream":
            pieces = {output.name: output.text}
        elif output.output_type == "error":
            pieces = {"error": f"{output.ename}: {output.evalue}"}
        else:
            pieces = {k: v for k, v in output.data.items() if not k.startswith("image/")}
            pieces |= {f"alt text ({k})": v.get("alt", "") for k, v in output.metadata.items()}
        for kind, text in pieces.items():
            said[kind] = said.get(kind, "") + str(text)
    return said


def main(arguments: Sequence[str]) -> int:
    """Run the chosen chapters on the chosen processors; 0 when they all print the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="processor", help=", ".join(PROCESSORS))
    parser.add_argument("--chapters", nargs="+", default=[], metavar="NAME")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(PROCESSORS):
        parser.error(f"no processor {sorted(unknown)[0]!r}: there are {', '.join(PROCESSORS)}")
    chapters = [path.with_suffix(".ipynb") for path in execute.chosen(given.chapters)]
    execute.prepare()
    cores = sorted(os.sched_getaffinity(0))
    bad = 0
    for name in given.names or PROCESSORS:
        processor = PROCESSORS[name]
        os.sched_setaffinity(0, cores[: processor.cores])
        environment = {**os.environ, **processor.variables}
        about = runs.about([sys.executable], environment)
        about["variables"] = dict(processor.variables)
        for chapter in chapters:
            result = runs.run(
                chapter,
                differences,
                execute.QUIET,
                command=[sys.executable],
                environment=environment,
            )
            runs.report(name, chapter.stem, result)
            runs.store(RESULTS, name, about, {chapter.stem: result})
            bad += bool(result["problems"])
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
