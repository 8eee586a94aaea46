"""A track of the instructor's guide as it is taught, from the files of a bundle, by the clock.

    python -m tests.surfaces.track BUNDLE RESULT [--track "Half a day"]

Row by row of the plan: the cells of the live-coding edition, in which every blank is filled with
what the instructor's edition says to type; and of each exercise that is done in the room the blank,
which its checker must refuse with a hint, and every solution, with which it must be content. What
the machine took for each row goes to RESULT, beside the minutes of the plan.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import start_new_kernel

from tests.notebooks import gates
from tests.notebooks.teaching import lessons

from actlab_class import guide  # isort: skip  # teaching says where it is

TIMEOUT = 900  # seconds for one cell, on a machine that has other things to do
WAITING = 0.5  # of a row's minutes, for which a room may wait for its machines
LAST = "Key points"  # behind the exercises
_TYPE = re.compile(r"^> \*\*Instructor\.\*\* Type this: (live .+)\.$", re.MULTILINE)


class TrackError(RuntimeError):
    """A track that cannot be taught from these files."""


@dataclass(frozen=True)
class Cell:
    """Something to run in a row of the plan; ``wants``: what a checker has to say of it."""

    row: str
    source: str
    wants: bool | None = None


# --- what is run ----------------------------------------------------------------------------------


def sections(nb: Any) -> Iterator[tuple[str, str]]:
    """Every code cell of an edition, with the row of the plan that it belongs to."""
    title = nb.cells[0].source.partition("\n")[0].removeprefix("# ")
    for kind, name, held in lessons.pieces(lessons.items(nb)):
        row = {"opening": title, "closing": LAST}.get(kind, name)
        for item in held:
            if kind == "exercise" and item.kind == "markdown":
                found = re.search(r"^> \*\*(Exercise [\d.]+?)\.\*\*", item.source, re.MULTILINE)
                row = found[1] if found else row
            if item.kind == "code":
                yield row, item.source


def typed(nb: Any) -> dict[int, str]:
    """Number of a blank → the whole cell, as the instructor's edition has it behind its note."""
    found: dict[int, str] = {}
    for note, cell in zip(nb.cells, nb.cells[1:], strict=False):
        if note.cell_type == "markdown" and (said := _TYPE.search(note.source)):
            for number in re.findall(r"live (\d+)", said[1]):
                found[int(number)] = cell.source
    return found


def cells(folder: Path, name: str, exercises: Sequence[str]) -> Iterator[Cell]:
    """What is run of a chapter: sections, then for each exercise its blank and its solutions."""
    live, solved, notes = (
        nbformat.read(folder / kind / f"{name}.ipynb", as_version=4)
        for kind in ("live", "solutions", "instructor")
    )
    whole = typed(notes)
    blanks: dict[str, list[str]] = {}
    last: list[Cell] = []
    for row, source in sections(live):
        if row.startswith("Exercise "):
            blanks.setdefault(row, []).append(source)
            continue
        if row == LAST:
            last.append(Cell(row, source))
            continue
        numbers = [int(number) for number in re.findall(r"\.\.\.  # live (\d+)", source)]
        if lacking := [number for number in numbers if number not in whole]:
            raise TrackError(f"{name}: the instructor is not told what to type for {lacking}.")
        yield Cell(row, whole[numbers[0]] if numbers else source)
    answers: dict[str, list[str]] = {}
    for row, source in sections(solved):
        answers.setdefault(row, []).append(source)
    for number in exercises:
        row = f"Exercise {number}"
        if not blanks.get(row) or not answers.get(row):
            raise TrackError(f"{name}: {row} is not in the editions.")
        yield from (Cell(row, source, wants=False) for source in blanks[row])
        yield from (Cell(row, source, wants=True) for source in answers[row])
    yield from last


# --- running it -----------------------------------------------------------------------------------


class Kernel:
    """A kernel of the Python that runs this, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_new_kernel(cwd=str(folder))

    def run(self, source: str) -> tuple[float, str, dict[str, Any]]:
        """Seconds; an error, or nothing; ``ok`` and ``message`` of the last value."""
        begin = time.monotonic()
        reply = self.client.execute_interactive(
            source,
            timeout=TIMEOUT,
            allow_stdin=False,
            output_hook=lambda _: None,
            # Not `_`, which a chapter's own loops may have taken.
            user_expressions={name: f"Out[len(In) - 1].{name}" for name in ("ok", "message")},
        )["content"]
        seconds = time.monotonic() - begin
        if reply["status"] != "ok":
            return seconds, f"{reply.get('ename', '?')}: {reply.get('evalue', '')}", {}
        said = reply["user_expressions"]
        known = {k: v["data"]["text/plain"] for k, v in said.items() if v["status"] == "ok"}
        return seconds, "", known

    def close(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def judged(cell: Cell, error: str, said: Mapping[str, str]) -> str:
    """What went wrong with a cell, or nothing."""
    if error or cell.wants is None:
        return error
    if said.get("ok") != str(cell.wants):
        return f"the checker says {said.get('message', 'nothing')}, to {cell.source[:60]!r}"
    if not cell.wants and "no answer yet" not in said.get("message", ""):
        return f"the checker's hint is {said.get('message')}"
    return ""


def teach(bundle: Path, track: guide.Track, run: Any = None) -> list[dict[str, Any]]:
    """The rows of the plan with what the machine took for each, and what went wrong."""
    known = {lesson.name: lesson for lesson in lessons.all_of(gates.FOLDER)}
    planned: list[dict[str, Any]] = [
        {"what": row.what, "minutes": row.minutes, "seconds": 0.0, "cells": 0, "problems": []}
        for row in guide.plan(track, known)
    ]
    at = 0
    for step in track.steps:
        if isinstance(step, str):
            continue
        name, exercises = step
        kernel = Kernel(bundle / "editions" / "live") if run is None else None
        try:
            for cell in cells(bundle / "editions", name, exercises):
                at = row_of(cell.row, planned, at)
                seconds, error, said = (run or kernel.run)(cell.source)
                planned[at]["seconds"] += seconds
                planned[at]["cells"] += 1
                if problem := judged(cell, error, said):
                    planned[at]["problems"].append(f"{name}: {problem}")
        finally:
            if kernel is not None:
                kernel.close()
    return [{**row, "seconds": round(row["seconds"], 1)} for row in planned]


def row_of(title: str, planned: Sequence[Mapping[str, Any]], start: int) -> int:
    """The row of a title, from ``start`` on: a plan may have two rows called "Key points"."""
    for number in range(start, len(planned)):
        if planned[number]["what"] == title:
            return number
    raise TrackError(f"the plan has no row {title!r} behind {planned[start]['what']!r}.")


def wrong(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What must not be in a result: errors, and rows in which a room waits too long."""
    said = [f"{row['what']}: {problem}" for row in rows for problem in row["problems"]]
    if not any(row["cells"] for row in rows):
        said.append("nothing was run")
    for row in rows:
        if row["seconds"] > 60 * row["minutes"] * WAITING:
            took = f"the machine takes {row['seconds']:.0f} s of {row['minutes']} minutes"
            said.append(f"{row['what']}: {took}")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Teach a track, store what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--track", default=guide.TRACKS[1].title)
    chosen = parser.parse_args(arguments)
    tracks = {track.title: track for track in guide.TRACKS}
    if chosen.track not in tracks:
        parser.error(f"no track {chosen.track!r}: there are {', '.join(tracks)}")
    rows = teach(chosen.bundle.resolve(), tracks[chosen.track])
    chosen.result.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    for row in rows:
        print(f"{row['minutes']:3} min {row['seconds']:6.1f} s  {row['what']}", flush=True)
    found = wrong(rows)
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TrackError as error:
        sys.exit(str(error))
