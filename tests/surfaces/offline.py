"""``make rehearse``: the bundle in a room without a network, by the clock.

    python -m tests.surfaces.offline [--bundle ZIP] [--chapters 02_relu 06_selu]

Unpacks the zip of ``make bundle`` (with the packages of ``make wheels``) into an empty folder, in a
network namespace that has nothing but itself and without any of our settings. There, step by step:
is the copy whole, ``make`` installs, the doctor looks, and the learner's editions of the half-day
track run from top to bottom. What each step took goes to ``offline.json``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actlab import machine
from tests.notebooks import execute, gates

from . import runs

RESULTS = runs.HERE / "offline.json"
TRACK = ("02_relu", "06_selu")  # of half a day
PATIENCE = 3000  # seconds for one step, on a machine that has other things to do
# Both answer where there is a network: one of the packages' index, one of the site's host.
OUTSIDE = ("pypi.org", "github.com")

RUN = """
import sys, nbformat
from nbclient import NotebookClient
for path in sys.argv[1:]:
    nb = nbformat.read(path, 4)
    NotebookClient(nb, timeout=900, kernel_name="python3").execute()
    print(path, "ran")
"""


class OfflineError(RuntimeError):
    """What is missing for a rehearsal."""


def newest(folder: Path = gates.ROOT / "_build" / "bundle") -> Path:
    """The zip of the last ``make bundle``."""
    found = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise OfflineError("there is no bundle: run 'make wheels' and 'make bundle' first.")
    return found[-1]


def alone(command: Sequence[str], folder: Path, **variables: str) -> tuple[int, str]:
    """Run a command without a network and without our settings; status, and what it said."""
    if not shutil.which("unshare"):
        raise OfflineError("network namespaces need Linux and util-linux (unshare).")
    # `lo` is part of a kernel's own connections; a new namespace has it switched off.
    inside = 'ip link set lo up 2>/dev/null || true; exec "$@"'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "sh", "-c", inside, "sh", *command],
        cwd=folder,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder),
            "PIP_CONFIG_FILE": os.devnull,
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


def reaches(folder: Path) -> list[str]:
    """The hosts that answer in there: none."""
    code = (
        "import socket, sys\n"
        "for host in sys.argv[1:]:\n"
        "    try: socket.create_connection((host, 443), 3); print(host)\n"
        "    except OSError: pass"
    )
    return alone(["python3", "-c", code, *OUTSIDE], folder)[1].split()


def rehearse(bundle: Path, chapters: Sequence[str]) -> dict[str, Any]:
    """All steps; those behind one that fails are not tried."""
    steps: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="room-") as room:
        folder = Path(room)
        begin = time.monotonic()
        # Python's own unpacking forgets which files are programs.
        subprocess.run(["unzip", "-q", str(bundle), "-d", room], check=True)
        [copy] = [path for path in folder.iterdir() if path.is_dir()]
        steps["unpack"] = {"seconds": round(time.monotonic() - begin), "status": 0}
        answered = reaches(folder)
        data = str(copy / "data" / "fashion-mnist")
        python = str(copy / "course" / ".venv" / "bin" / "python")
        learners = [str(copy / "editions" / "learner" / f"{name}.ipynb") for name in chapters]
        for name, command, place in (
            ("verify", ["python3", "verify.py"], copy),
            ("install", ["make", ".venv/.ready"], copy / "course"),
            ("doctor", [python, "-m", "actlab.doctor"], copy),
            ("run the half-day track", [python, "-c", RUN, *learners], copy),
        ):
            begin = time.monotonic()
            status, said = alone(command, place, ACTLAB_DATA=data)
            steps[name] = {"seconds": round(time.monotonic() - begin), "status": status}
            print(f"{name}: {steps[name]['seconds']} s, status {status}", flush=True)
            if status:
                print(said[-3000:], flush=True)
                break
    return {
        "day": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "bundle_mb": round(bundle.stat().st_size / 1e6),
        "chapters": list(chapters),
        "reached": answered,
        "steps": steps,
    }


STEPS = ("unpack", "verify", "install", "doctor", "run the half-day track")


def wrong(result: Mapping[str, Any]) -> list[str]:
    """What must not be in a result."""
    said = [f"{host} could be reached" for host in result["reached"]]
    for name in STEPS:
        if name not in result["steps"]:
            said.append(f"{name}: was not tried")
        elif result["steps"][name]["status"]:
            said.append(f"{name}: ended with status {result['steps'][name]['status']}")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, store, say what went wrong."""
    parser = argparse.ArgumentParser(prog="make rehearse", description="A room without a network.")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--chapters", nargs="+", default=TRACK)
    parser.add_argument("--into", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    result = rehearse(chosen.bundle or newest(), chosen.chapters)
    execute.replace(chosen.into, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    found = wrong(result)
    print("\n".join(found) or "All of it works without a network.")
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OfflineError as error:
        sys.exit(str(error))
