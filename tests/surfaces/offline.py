"""``make rehearse``: the half-day track from a bundle, in a room without a network, by the clock.

    python -m tests.surfaces.offline [--bundle ZIP]

As root, a new account is made on this machine and removed again; else it is your own, with an empty
home. The zip of ``make bundle`` (with the packages of ``make wheels``) is unpacked there, in a
network namespace that has nothing but itself and without any of our settings. There, step by step:
is the copy whole, ``make`` installs, the doctor looks, the bundle is served to the room, JupyterLab
opens, and the track is taught row by row (see :mod:`.track`). What each took goes to
``offline.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actlab import machine
from tests.notebooks import execute, gates

from . import runs, track

from actlab_class import guide  # isort: skip  # teaching says where it is
from actlab_class.bundle import FASHION, PDF  # isort: skip

RESULTS = runs.HERE / "offline.json"
TRACK = guide.TRACKS[1]
ACCOUNT = "rehearsal"
PATIENCE = 3000  # seconds for one step, on a machine that has other things to do
# Both answer where there is a network: one of the packages' index, one of the site's host.
OUTSIDE = ("pypi.org", "github.com")

# Serves a folder as the start page tells, and fetches what a room opens.
SERVED = """
import subprocess, sys, time, urllib.request
server = subprocess.Popen([sys.executable, "-m", "http.server", "8000", "--bind", "127.0.0.1"],
                          stderr=subprocess.DEVNULL)
try:
    for name in sys.argv[1:]:
        for attempt in range(100):
            try:
                size = len(urllib.request.urlopen("http://127.0.0.1:8000/" + name).read())
                break
            except OSError as error:
                if attempt == 99 or hasattr(error, "code"):
                    sys.exit(f"{name}: {error}")
                time.sleep(0.1)
        print(name, size)
        assert size > 1000, name
finally:
    server.terminate()
"""

# Gives the command of the start page and waits until JupyterLab answers.
LAB = """
import json, os, signal, subprocess, sys, time, urllib.request
lab = subprocess.Popen(["make", "lab"], start_new_session=True)
try:
    for _ in range(1200):
        try:
            said = json.load(urllib.request.urlopen("http://127.0.0.1:8888/api"))
            print("JupyterLab answers:", said)
            break
        except OSError:
            if lab.poll() is not None:
                sys.exit("make lab has ended")
            time.sleep(0.25)
    else:
        sys.exit("JupyterLab does not answer")
finally:
    os.killpg(lab.pid, signal.SIGTERM)
"""


class OfflineError(RuntimeError):
    """What is missing for a rehearsal."""


def newest(folder: Path = gates.ROOT / "_build" / "bundle") -> Path:
    """The zip of the last ``make bundle``."""
    found = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise OfflineError("there is no bundle: run 'make wheels' and 'make bundle' first.")
    return found[-1]


@contextlib.contextmanager
def account(name: str = ACCOUNT) -> Iterator[tuple[str, Path]]:
    """A new account and its empty home; where none can be made, "" and an empty folder."""
    if os.geteuid() != 0 or not shutil.which("useradd") or not shutil.which("setpriv"):
        with tempfile.TemporaryDirectory(prefix="room-") as folder:
            yield "", Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="room-") as folder:
        home = Path(folder) / name
        os.chmod(folder, 0o755)
        made = subprocess.run(
            ["useradd", "--create-home", "--home-dir", str(home), "--skel", "/etc/skel", name],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise OfflineError(
                f"no new account {name!r} ({made.stderr.strip()}): if it was left by a rehearsal "
                f"that was cut off, remove it with 'userdel {name}'."
            )
        try:
            yield name, home
        finally:
            subprocess.run(["userdel", name], capture_output=True, check=False)


def alone(
    command: Sequence[str], folder: Path, who: str = "", home: Path | None = None, **more: str
) -> tuple[int, str]:
    """Run a command without a network and without our settings; status, and what it said.

    As the account ``who``; without one, as whoever we are.
    """
    if not shutil.which("unshare"):
        raise OfflineError("network namespaces need Linux and util-linux (unshare).")
    # `lo` is part of a kernel's own connections; a new namespace has it switched off.
    inside = 'ip link set lo up 2>/dev/null || true; exec "$@"'
    outer = ["unshare", "--net"] if who else ["unshare", "--map-root-user", "--net"]
    become = ["setpriv", "--reuid", who, "--regid", who, "--init-groups"] if who else []
    done = subprocess.run(
        [*outer, "sh", "-c", inside, "sh", *become, *command],
        cwd=folder,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(home or folder),
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            **more,
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


def taught() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The chapters of the track, and the exercises that are done in the room."""
    for step in TRACK.steps:
        if not isinstance(step, str):
            yield step


def rehearse(bundle: Path) -> dict[str, Any]:
    """All steps; those behind one that fails are not tried."""
    steps: dict[str, Any] = {}
    rows: list[Any] = []
    with account() as (who, home):
        answered = reaches(home)
        copy = home / bundle.stem
        course = copy / "course"
        python = str(course / ".venv" / "bin" / "python")
        opened = ["site/book/index.html", "slides/02_relu.html", f"pdf/{PDF}", "index.html"]
        result = home / "track.json"
        for name, command, place in (
            # Python's own unpacking forgets which files are programs.
            ("unpack", ["unzip", "-q", str(bundle)], home),
            ("verify", ["python3", "verify.py"], copy),
            ("install", ["make", ".venv/.ready"], course),
            ("doctor", [python, "-m", "actlab.doctor"], copy),
            ("serve the room", ["python3", "-c", SERVED, *opened], copy),
            ("open JupyterLab", ["python3", "-c", LAB], course),
            (
                "teach the track",
                [python, "-m", "tests.surfaces.track", str(copy), str(result)],
                course,
            ),
        ):
            begin = time.monotonic()
            data = str(copy / FASHION)
            status, said = alone(command, place, who, home, ACTLAB_DATA=data)
            steps[name] = {"seconds": round(time.monotonic() - begin), "status": status}
            print(f"{name}: {steps[name]['seconds']} s, status {status}", flush=True)
            if status:
                print(said[-3000:], flush=True)
                break
        if result.exists():
            rows = json.loads(result.read_text("utf-8"))
    return {
        "day": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "bundle_mb": round(bundle.stat().st_size / 1e6),
        "new_account": bool(who),
        "track": TRACK.title,
        "taught": [[name, [*exercises]] for name, exercises in taught()],
        "reached": answered,
        "steps": steps,
        "rows": rows,
    }


STEPS = (
    *("unpack", "verify", "install", "doctor", "serve the room", "open JupyterLab"),
    "teach the track",
)


def wrong(result: Mapping[str, Any]) -> list[str]:
    """What must not be in a result."""
    said = [f"{host} could be reached" for host in result["reached"]]
    for name in STEPS:
        if name not in result["steps"]:
            said.append(f"{name}: was not tried")
        elif result["steps"][name]["status"]:
            said.append(f"{name}: ended with status {result['steps'][name]['status']}")
    return said + track.wrong(result["rows"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, store, say what went wrong."""
    parser = argparse.ArgumentParser(prog="make rehearse", description="A room without a network.")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--into", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    result = rehearse((chosen.bundle or newest()).resolve())
    execute.replace(chosen.into, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    found = wrong(result)
    print("\n".join(found) or "All of it works without a network.")
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OfflineError as error:
        sys.exit(str(error))
