"""``python -m actlab.doctor`` says whether this machine is ready for the course.

It looks at Python, the packages, memory, the disk and the data, and trains a small network for a
second in each framework. It says of every fault, in a sentence, what to do about it; the exit
status is 1 if there is one. What the course can do without is a note.

A framework is loaded in a process of its own, because one that was built for another processor
ends the process that loads it. This file is also read by a Python that is too old for the course.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest
CHAPTER_MB = 1500  # the most that a chapter may take; the notebooks' gates keep it
DISK_MB = 500  # for notebooks, figures, the data of a download
FRAMEWORKS = {"PyTorch": "torch", "Keras": "keras"}
NEEDED = ("torch", "tensorflow", "keras", "numpy")
INSTALL = "run 'make lab' in the course's folder, which installs everything into .venv"
PATIENCE = 300  # seconds for a framework to start and to train

OK, NOTE, FAULT = "ok", "note", "FAULT"


@dataclass(frozen=True)
class Found:
    """What a look at one thing found: a fault needs the remedy, a note may have one."""

    what: str
    state: str
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        """One line, and the remedy under it."""
        below = f"\n{'':20}→ {self.remedy}" if self.remedy else ""
        return f"{self.state:>6}  {self.what:<12}{self.says}{below}"


def main() -> int:
    """Look at everything, print it; the exit status."""
    found = []
    for one in look():
        found.append(one)
        print(one, flush=True)
    faults = sum(one.state == FAULT for one in found)
    notes = sum(one.state == NOTE for one in found)
    if faults:
        print(f"\n{faults} fault{'s' * (faults > 1)}: see the arrow{'s' * (faults > 1)} above.")
    else:
        print("\nReady" + (", with what the notes say." if notes else "."))
    return int(faults > 0)


def look() -> Iterator[Found]:
    """Everything, the quick things first."""
    yield (running := python(sys.version_info[:2]))
    if running.state == FAULT:  # every other complaint would only follow from this one
        return
    yield packages(dict(versions()))
    yield notebook()
    yield memory(memory_mb())
    yield disk(Path.cwd())
    yield data()
    for name in FRAMEWORKS:
        yield training(name)


# --- Python and its packages ----------------------------------------------------------------------


def python(version: tuple[int, ...]) -> Found:
    """Whether the course knows this Python."""
    said = ".".join(map(str, version))
    if PYTHONS[0] <= tuple(version) <= PYTHONS[1]:
        return Found("Python", OK, said)
    wanted = " to ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    return Found(
        "Python", FAULT, f"{said}, and the course needs {wanted}",
        "install one of these, then run 'make lab' in the course's folder: it finds it.",
    )  # fmt: skip


def versions() -> Iterator[tuple[str, str | None]]:
    """Package → its version, or None; with the frameworks, everything that actlab asks for."""
    for name in dict.fromkeys((*NEEDED, *bounds())):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, None


def bounds() -> dict[str, str]:
    """Package → the lowest version that the course takes, as its own metadata say."""
    try:
        asked = metadata.requires("actlab") or []
    except metadata.PackageNotFoundError:  # used from its folder, without installing it
        return {}
    return dict(re.findall(r"^([\w.-]+)>=([\w.]+)$", "\n".join(asked), re.MULTILINE))


def packages(known: Mapping[str, str | None]) -> Found:
    """Whether everything is installed, and new enough. TensorFlow's CPU build counts, too."""
    known = dict(known)
    if not known.get("tensorflow") and find_spec("tensorflow"):  # tensorflow-cpu, -macos, …
        known["tensorflow"] = "present"
    missing = [name for name, version in known.items() if version is None]
    old = [
        f"{name} {known[name]} (at least {least})"
        for name, least in bounds().items()
        if known.get(name) and numbers(known[name] or "") < numbers(least)
    ]
    if missing:
        return Found("Packages", FAULT, f"missing: {', '.join(missing)}", f"{INSTALL}.")
    if old:
        return Found("Packages", FAULT, f"too old: {', '.join(old)}", f"{INSTALL}.")
    return Found("Packages", OK, ", ".join(f"{name} {known[name]}" for name in NEEDED))


def numbers(version: str) -> tuple[int, ...]:
    """``2.13.0+cpu`` → (2, 13, 0); what is no version counts as new enough."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else (sys.maxsize,)


def notebook() -> Found:
    """Whether a notebook can be run with this Python."""
    if find_spec("ipykernel"):
        return Found("Notebooks", OK, "this Python can run them")
    return Found("Notebooks", FAULT, "this Python has no kernel for them", f"{INSTALL}.")


# --- Memory and disk ------------------------------------------------------------------------------


def memory_mb(root: Path = Path("/")) -> float | None:
    """Megabytes that are free for us: of the machine, or of a container that allows less."""
    free = []
    try:
        status = (root / "proc/meminfo").read_text()
        free.append(int(re.findall(r"MemAvailable:\s+(\d+) kB", status)[0]) * 1024 / 1e6)
    except (OSError, IndexError):  # no Linux: what is in the machine must do
        try:
            free.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)
        except (AttributeError, ValueError, OSError):  # Windows
            return None
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        group = root / "sys/fs/cgroup"
        try:
            most, now = (int((group / name).read_text()) for name in (limit, used))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        free.append((most - now) / 1e6)
    return min(free)


def memory(free: float | None) -> Found:
    """Whether a chapter fits, and a second one beside it."""
    chapter = f"{CHAPTER_MB / 1000:g} GB"
    if free is None:
        return Found("Memory", NOTE, f"cannot be read here; a chapter takes up to {chapter}")
    said = f"{free / 1000:.1f} GB free"
    if free < CHAPTER_MB:
        return Found(
            "Memory", FAULT, f"{said}, and a chapter takes up to {chapter}",
            "close other programs, or shut down other chapters (Kernel, Shut Down Kernel).",
        )  # fmt: skip
    if free < 2 * CHAPTER_MB:
        return Found(
            "Memory", NOTE, f"{said}: enough for one open chapter at a time",
            "shut a chapter down (Kernel, Shut Down Kernel) before you open the next.",
        )  # fmt: skip
    return Found("Memory", OK, said)


def disk(folder: Path) -> Found:
    """Whether there is room where the work is done and where temporary files go."""
    for place in (folder, Path(tempfile.gettempdir())):
        free = shutil.disk_usage(place).free / 1e6
        if free < DISK_MB:
            return Found(
                "Disk", FAULT, f"{free:.0f} MB free on the disk of {place}",
                f"make room there: {DISK_MB} MB at least.",
            )  # fmt: skip
    return Found("Disk", OK, f"{shutil.disk_usage(folder).free / 1e9:.0f} GB free")


# --- Data -----------------------------------------------------------------------------------------


def data() -> Found:
    """Whether Fashion-MNIST is here and whole; without it the chapters take smaller data."""
    from actlab import data

    chosen = os.environ.get("ACTLAB_DATA")
    again = "copy the four files once more, from a machine where this line says ok."
    try:
        if data.available("fashion_mnist"):
            data.verify("fashion_mnist")
            return Found("Data", OK, "Fashion-MNIST is here and whole")
    except data.DataError as error:
        return Found("Data", FAULT, str(error).splitlines()[0], again)
    if chosen:
        folder = Path(chosen).expanduser()
        missing = [name for name in data.FASHION_MNIST_FILES if not (folder / name).is_file()]
        return Found("Data", FAULT, f"ACTLAB_DATA={chosen} lacks {', '.join(missing)}", again)
    return Found(
        "Data", NOTE, "no Fashion-MNIST: the chapters use handwritten digits and say so",
        "to have it, sudo apt install dataset-fashion-mnist, or set ACTLAB_DATA to a folder with "
        "its four files.",
    )  # fmt: skip


# --- Training -------------------------------------------------------------------------------------

START = """
import json, sys, time
begin = time.perf_counter()
import numpy as np
rng = np.random.default_rng(0)
x = rng.standard_normal((256, 32)).astype("float32")
y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
"""
STEPS = {
    "torch": """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
def step():
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
""",
    "keras": """
import keras
assert keras.config.backend() == "tensorflow", f"the backend is {keras.config.backend()}"
keras.utils.set_random_seed(0)
layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((32,)), *layers])
loss = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss)
def step():
    model.reset_metrics()
    return float(model.train_on_batch(x, y))
""",
}
END = """
started, losses = time.perf_counter(), [step()]
while time.perf_counter() < started + 1 or len(losses) < 20:
    losses.append(step())
print(json.dumps({"start": started - begin, "losses": [losses[0], losses[-1]], "n": len(losses)}))
"""


def training(name: str) -> Found:
    """Start a framework in a process of its own, and train for a second."""
    from actlab import machine

    module = FRAMEWORKS[name]
    done: Any
    try:
        done = subprocess.run(
            [sys.executable, "-c", START + STEPS[module] + END],
            env={**os.environ, **machine.SURROUNDINGS},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return Found(
            name, FAULT, f"did not train within {PATIENCE / 60:.0f} minutes",
            "close what else this machine is doing, then try again.",
        )  # fmt: skip
    if done.returncode:
        return failed(name, done.returncode, done.stderr)
    said = json.loads(done.stdout.splitlines()[-1])
    return judged(name, said)


def judged(name: str, said: Mapping[str, Any]) -> Found:
    """Whether the loss fell."""
    first, last = said["losses"]
    if last < first:
        return Found(
            name, OK, f"starts in {said['start']:.0f} s, trains {said['n']:,} steps in a second"
        )
    return Found(
        name, FAULT, f"trains wrongly: the loss went from {first:.3g} to {last:.3g}",
        f"this build does not suit the machine: delete .venv, then {INSTALL}.",
    )  # fmt: skip


def failed(name: str, status: int, stderr: str) -> Found:
    """What a framework's end means."""
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "")[:200]
    died = signal.Signals(-status).name if status < 0 else ""  # Windows has no SIGKILL to name
    if died == "SIGILL":
        return Found(
            name, FAULT, "was built for another processor (SIGILL)",
            "use Colab or another machine: its builds need a processor with AVX.",
        )  # fmt: skip
    if died == "SIGKILL":
        return Found(
            name, FAULT, "was ended by the system, for want of memory most likely (SIGKILL)",
            "close other programs and chapters, then try again.",
        )  # fmt: skip
    if found := re.search(r"No module named '([\w.]+)'", last):
        return Found(name, FAULT, f"does not start: {found[1]} is missing", f"{INSTALL}.")
    return Found(
        name, FAULT, f"does not train: {last or f'status {status}'}",
        f"delete .venv, then {INSTALL}.",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
