"""Run the cells of a study, here or on a Dask cluster; nothing finished is ever repeated."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from actlab import machine
from actlab.study import store
from actlab.study.declared import Cell, Study, StudyError

# A core that somebody else uses for more than this share of the last minute is not ours.
BUSY = 0.25
PATIENCE = "20s"  # for a scheduler to answer
Job = tuple[Cell, Callable[[], pd.DataFrame]]


def run(
    study: Study,
    scheduler: str | None = None,
    *,
    again: bool = False,
    limit: float = math.inf,
    say: Callable[[str], None] = print,
) -> pd.DataFrame | None:
    """Do every cell that is not done yet, join the parts, and store the table.

    - ``scheduler``: the address of a Dask scheduler; without one the cells run here, one by one.
    - ``again``: also where there is a finished table; it is replaced when the new one is whole.
    - ``limit``: start no further cell after so many seconds, and return ``None`` if any is missing.

    Each finished cell is a file of its own: a run that is killed loses the cell it was in, and a
    later one goes on. Raises :class:`StudyError` where nothing may be run (there is a table, the
    study runs already, the machine is busy, no scheduler answers), or when cells failed, after all
    the others were done.
    """
    import filelock  # here, because the book is built without it

    if not again and store.check_grid(study):
        raise StudyError(
            f"{study.name} is finished: {study.words()}. --again runs it from the start."
        )
    if study.quiet:
        _check_quiet(study, scheduler)
    folder = store.parts_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / "running.lock", timeout=0):
            frame = _run(study, scheduler, limit, say)
    except filelock.Timeout:
        raise StudyError(
            f"{study.name} is being run by another process on these files; two would do the same "
            "work twice. Wait for it, or run another study."
        ) from None
    if frame is not None:
        shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return frame


def _run(
    study: Study, scheduler: str | None, limit: float, say: Callable[[str], None]
) -> pd.DataFrame | None:
    cells = list(study.cells())
    missing = [cell for cell in cells if not store.part(study, cell).exists()]
    say(f"{study.name}: {study.words()}, {len(cells) - len(missing)} of them done")
    ends = time.monotonic() + limit
    due = (cell for cell in missing if time.monotonic() <= ends)
    work: Iterator[Job] = ((cell, partial(perform, study, cell)) for cell in due)
    if scheduler is not None:
        work = _there(study, missing, scheduler)
    failed: dict[str, str] = {}
    left = len(missing)
    for cell, result in work:
        name = ", ".join(f"{axis} {value}" for axis, value in cell.items())
        left -= 1
        try:
            rows = result()
        except Exception as error:  # the other cells go on; it is reported at the end
            failed[name] = f"{type(error).__name__}: {error}"
            say(f"  failed: {name}: {failed[name]}")
        else:
            store.write(store.part(study, cell), rows)
            say(f"  {name}: {rows.attrs['seconds']:.0f} s; {left} to go")
    if failed:
        listing = "; ".join(f"{name} ({why})" for name, why in failed.items())
        raise StudyError(
            f"{len(failed)} of {len(cells)} cells of {study.name} failed: {listing}. The others "
            "are kept; running the study again does only what is missing."
        )
    if left:
        say(f"{study.name}: {left} cells to go; run it again to go on")
        return None
    return _join(study, cells)


def perform(study: Study, cell: Cell) -> pd.DataFrame:
    """Do one cell: its rows, with the cell in front; ``.attrs``: what they were made on."""
    started = time.perf_counter()
    rows = study.task(**cell, **study.settings)
    if not len(rows):
        raise StudyError("the task gave no rows")
    rows = rows.drop(columns=list(cell), errors="ignore")
    for axis, value in reversed(cell.items()):
        rows.insert(0, axis, value)
    seconds = round(time.perf_counter() - started, 1)
    rows.attrs = {"machine": machine.describe(), "seconds": seconds}
    return rows


def _there(study: Study, cells: list[Cell], scheduler: str) -> Iterator[Job]:
    """The same on a cluster. A cell whose worker dies is given to another one."""
    try:
        from distributed import Client, as_completed

        client = Client(scheduler, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except ImportError:
        raise StudyError(
            "a cluster needs Dask: python -m pip install 'dask[distributed]'"
        ) from None
    except (OSError, ValueError) as error:
        raise StudyError(
            f"no Dask scheduler answers at {scheduler!r} ({error}): start one with "
            "'dask scheduler', or leave --scheduler out to run here."
        ) from None
    with client:
        needs = {"GPU": 1} if study.gpu else {}
        how = {"pure": False, "retries": 2, "resources": needs}
        jobs = {client.submit(perform, study, cell, **how): cell for cell in cells}
        for job in as_completed(jobs):  # type: ignore[no-untyped-call]
            yield jobs[job], job.result
            job.release()


def _join(study: Study, cells: list[Cell]) -> pd.DataFrame:
    """One table of all parts, in the order of the cells: the same wherever they were done."""
    parts = [store.read(store.part(study, cell)) for cell in cells]
    used = [part.attrs["machine"] for part in parts]
    machines = [one for i, one in enumerate(used) if one not in used[:i]]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs = {"title": study.title, "grid": study.digest, "words": study.words()}
    frame.attrs |= {"machine": machines[0], "machines": machines}
    frame.attrs["seconds"] = round(sum(part.attrs["seconds"] for part in parts), 1)
    frame.attrs["command"] = f"python -m actlab.study {study.name}"
    store.write(store.RESULTS / f"{study.name}.parquet", frame)
    return frame


def _check_quiet(study: Study, scheduler: str | None) -> None:
    if scheduler is not None:
        raise StudyError(
            f"{study.name} measures time, which workers that share machines would spoil: run it "
            "here, without --scheduler, on a quiet machine."
        )
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # Windows does not say
    cores = os.cpu_count() or 1
    if load > BUSY * cores:
        raise StudyError(
            f"{study.name} measures time, and this machine is busy (load {load:.1f} on {cores} "
            f"cores; at most {BUSY * cores:.1f} is allowed): wait until it is quiet."
        )
