"""``make notebooks``: run every chapter from its ``.py`` and store what came out.

    python -m tests.notebooks.execute [name ...]

Each ``notebooks/NAME.py`` becomes ``NAME.ipynb``, executed in a fresh kernel on two cores. The
setup cell and the numbers of the header line are written into both, and the learner's edition is
made (``notebooks/learner/NAME.ipynb``, see :mod:`.learner`). Files change only when every
cell ran; an error leaves both as they were. On a busy machine the seconds stay those of before.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from actlab import data

from . import gates, learner, teaching

# What makes a run repeatable: no network, no GPU, two threads, nothing on stderr.
ENVIRONMENT = {
    "ACTLAB_OFFLINE": "1",
    "ACTLAB_PROGRESS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "2",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

# What C++ code writes to file descriptor 2 (TensorFlow: which processor this is) stays on the
# terminal; what Python writes to sys.stderr is stored, and a gate refuses it.
QUIET = "--IPKernelApp.capture_fd_output=False"


def prepare() -> None:
    """Put this process, and so the kernels it starts, into the standard surroundings."""
    os.environ.update(ENVIRONMENT)
    if path := os.environ.get("PYTHONPATH"):  # a kernel starts in the chapter's folder
        absolute = (str(Path(part).absolute()) for part in path.split(os.pathsep) if part)
        os.environ["PYTHONPATH"] = os.pathsep.join(absolute)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def execute(source: Path, repository: str, *, timeout: int = 300) -> Any:
    """Run the chapter at ``source`` (``.py``) and rewrite it and its ``.ipynb``; return the latter.

    Raises :class:`nbclient.exceptions.CellExecutionError` and its kin, with both files untouched.
    """
    nb = jupytext.reads(source.read_text("utf-8"), fmt="py:percent")
    for cell in nb.cells:
        if "setup" in cell.metadata.get("tags", ()):
            cell.source = gates.setup_source(repository)
    earlier = seconds_before(source.with_suffix(".ipynb")) if is_busy() else None
    measured = run_cells(nb, source.parent, QUIET, timeout=timeout)
    measured["seconds"] = earlier or measured["seconds"]
    carry_alt_text(nb)
    teaching.collapse(nb)
    _write_header(nb, **measured)
    name_cells(nb)
    nb.metadata = nbformat.from_dict(
        {"actlab": measured, "kernelspec": gates.KERNEL, "language_info": {"name": "python"}}
    )
    nb.nbformat, nb.nbformat_minor = 4, 5
    nbformat.validate(nb)
    replace(source.with_suffix(".ipynb"), nbformat.writes(nb) + "\n")
    replace(source, gates.source_text(nb))
    learner.write(source, nb, repository)
    return nb


class _Kernels(KernelSpecManager):
    """Knows one kernel: IPython under a given command, such as another environment's Python."""

    command: Sequence[str] = ()

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        launch = [*self.command, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=launch, display_name=kernel_name, language="python")


def run_cells(
    nb: Any,
    folder: Path,
    *options: str,
    command: Sequence[str] = (sys.executable,),
    environment: Mapping[str, str] | None = None,
    timeout: int = 300,
    allow_errors: bool = False,
) -> dict[str, float]:
    """Execute in place; return the seconds it took and the kernel's peak memory in MB.

    ``options`` are the kernel's, ``command`` starts its Python, ``environment`` is all that it
    sees of ours (by default what we have). Raises what nbclient raises; with ``allow_errors`` an
    error in a cell is one of its outputs, and the next cell runs.
    """
    peak = 0.0
    kernels = _Kernels()
    kernels.command = command

    def look(**_: Any) -> None:
        nonlocal peak
        peak = max(peak, _peak_mb(client.km.provisioner.pid))

    client = NotebookClient(
        nb,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
        timeout=timeout,
        allow_errors=allow_errors,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=look,
        extra_arguments=["--IPKernelApp.log_level=ERROR", *options],
    )
    start = time.perf_counter()
    client.execute(cleanup_kc=True, **({} if environment is None else {"env": dict(environment)}))
    return {"seconds": round(time.perf_counter() - start, 1), "peak_mb": round(peak)}


def is_busy() -> bool:
    """Whether other programs share our cores: a chapter's time then tells about them."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)


def seconds_before(path: Path) -> float | None:
    """What the chapter took when it was executed last, if it ever was."""
    stored = nbformat.read(path, 4).metadata.get("actlab", {}) if path.exists() else {}
    return stored.get("seconds")


def _peak_mb(pid: int) -> float:
    """The most that a process and its children ever held in memory, each at its own peak."""
    kernel = psutil.Process(pid)
    total = 0.0
    for process in (kernel, *kernel.children(recursive=True)):
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            total += int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024
        except (OSError, IndexError):  # it has just ended, or this is no Linux
            if process.is_running():
                total += process.memory_info().rss
    return total / 1e6


def carry_alt_text(nb: Any) -> None:
    """Copy the alt text that a figure brought along to where the book looks for it."""
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            for kind, metadata in output.get("metadata", {}).items():
                if kind.startswith("image/") and "alt" in metadata:
                    cell.metadata["mystnb"] = {"image": {"alt": metadata["alt"]}}


def _write_header(nb: Any, seconds: float, peak_mb: float) -> None:
    """Put the measured numbers into the header, unless the old ones still agree with them."""
    header = gates.HEADER.search(nb.cells[0].source) if nb.cells else None
    if header is None:  # a gate says so
        return
    said_seconds, said_gb = int(header["seconds"]), float(header["gb"])
    if not gates.agrees(said_seconds, seconds, 5) or said_seconds == 0:
        said_seconds = 5 * max(1, round(seconds / 5))
    if not gates.agrees(said_gb, peak_mb / 1000, 0.1) or said_gb == 0:
        said_gb = max(0.1, peak_mb / 1000)
    line = (
        f"{teaching.reading_minutes(nb)} minutes to read, exercises apart · "
        f"runs in about {said_seconds} s and "
        f"{said_gb:.1f} GB on 2 cores"
    )
    old = header[0].split(" · needs")[0]
    nb.cells[0].source = nb.cells[0].source.replace(old, line, 1)


def name_cells(nb: Any) -> None:
    """Ids made from the content, so that a cell keeps its id when others come and go."""
    seen: dict[str, int] = {}
    for cell in nb.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"


def replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def chosen(names: Sequence[str], folder: Path = gates.FOLDER) -> list[Path]:
    """The sources with these names (all without names); exits naming the nearest otherwise."""
    sources = {path.stem: path for path in sorted(folder.glob("*.py"))}
    if not sources:
        sys.exit(f"There is no chapter (.py) in {folder}.")
    for name in (stems := [Path(name).stem for name in names]):
        if name not in sources:
            nearest = difflib.get_close_matches(name, sources, n=3, cutoff=0.3) or sources
            sys.exit(f"There is no chapter {name!r}; the nearest are {', '.join(nearest)}.")
    return [sources[stem] for stem in stems or sources]


def without_data(paths: Sequence[Path]) -> list[Path]:
    """Those of the files that use Fashion-MNIST, if this machine does not have it."""
    if data.available("fashion_mnist"):
        return []
    return [path for path in paths if "fashion_mnist" in path.read_text("utf-8")]


def main(names: Sequence[str], folder: Path = gates.FOLDER, repository: str | None = None) -> int:
    """Run the chapters, say what each cost and what the gates say; 0 when all is well."""
    prepare()
    failures = 0
    sources = chosen(names, folder)
    if unlike := without_data(sources):
        sys.exit(f"{unlike[0].name} would run on other data than it tells of.{data.THREE_WAYS}")
    for source in sources:
        print(f"{source.stem} …", end=" ", flush=True)
        try:
            nb = execute(source, repository or gates.repository_address())
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"failed; its files are as they were.\n{error}")
            failures += 1
            continue
        cost = nb.metadata.actlab
        kept = " (as before: this machine is busy)" if is_busy() else ""
        print(f"{cost.seconds:.0f} s{kept}, {cost.peak_mb:.0f} MB")
        problems = gates.check(gates.read(source.with_suffix(".ipynb"), repository))
        print("".join(f"  {problem}\n" for problem in problems), end="")
        failures += bool(problems)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
