"""``make hub``: a class on a real JupyterHub, which runs the first half of a chapter.

    python -m tests.surfaces.hub [--users 10] [--chapter 05_elu]

JupyterHub, nbgitpuller and the proxy are installed into ``_build/hub`` (pip and npm, 100 MB),
beside the packages of the course. Every user gets a server of their own, fetches the course from a
copy of this one as the links of the page do, and runs the first half of the learner's edition, all
side by side. Then a learner's file meets an update. What was measured goes to ``hub.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil

from actlab import machine
from tests.notebooks import execute, gates

from . import runs

RESULTS = runs.HERE / "hub.json"
FOLDER = gates.ROOT / "_build" / "hub"
PYTHON = ("jupyterhub==6.1.1", "nbgitpuller==1.3.0")
PROXY = "configurable-http-proxy@5.3.0"
COURSE = "course"  # the folder in which a learner finds the course
PATIENCE = 1200  # seconds for the whole class, on a machine that has other things to do

CONFIG = """
import sys
c = get_config()
load_subconfig({ours!r})  # what the page tells to put on a machine
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args += ["--allow-root", "--ServerApp.disable_check_xsrf=True"]
c.Spawner.environment |= {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
c.JupyterHub.services = [{{"name": "class", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{
    "name": "class", "services": ["class"],
    "scopes": ["admin:users", "admin:servers", "access:servers"],
}}]
"""


class HubError(RuntimeError):
    """What went wrong, and what the hub said last."""


# --- what is installed ----------------------------------------------------------------------------


def installed(folder: Path = FOLDER) -> Path:
    """The hub's own Python, with the packages of the course behind its own."""
    python = folder / "venv" / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PYTHON], check=True)
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    ours = Path(psutil.__file__).parents[1]  # where the course's packages are
    (packages / "course.pth").write_text(f"{ours}\n{gates.ROOT / 'src'}\n")
    if not (folder / "node_modules" / ".bin" / "configurable-http-proxy").exists():
        if not shutil.which("npm"):
            raise HubError("the proxy needs Node: install nodejs and npm, then try again.")
        subprocess.run(["npm", "install", "--silent", "--no-audit", PROXY], cwd=folder, check=True)
    return python


def free_port() -> int:
    """One that nobody listens to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# --- the hub --------------------------------------------------------------------------------------


class Hub:
    """A running hub, spoken to as its own service."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.port, self.token = free_port(), secrets.token_hex(16)
        self.folder, self.python = folder, python
        self.log = FOLDER / "hub.log"  # stays, to be read

    @contextlib.contextmanager
    def running(self) -> Iterator[Hub]:
        """Start it, and end it with everything it started."""
        course = {name: os.environ[name] for name in ("ACTLAB_DATA",) if name in os.environ}
        config = self.folder / "config.py"
        config.write_text(
            CONFIG.format(
                port=self.port,
                hub=free_port(),
                proxy=free_port(),
                command=str(FOLDER / "node_modules" / ".bin" / "configurable-http-proxy"),
                folder=self.folder,
                environment={**course, "ACTLAB_OFFLINE": "1", "ACTLAB_PROGRESS": "0"},
                token=self.token,
                ours=str(gates.ROOT / "hub" / "tljh.py"),
                patience=PATIENCE,
            )
        )
        command = [str(self.python), "-m", "jupyterhub", "--config", str(config)]
        with self.log.open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "TMPDIR": str(self.folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.wait(lambda: self.ask("GET", "/hub/api/") is not None, 120)
            yield self
        finally:
            # They are its children, and theirs.
            family = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 60) -> Any:
        """JSON, or None where nobody answers (yet)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code in (404, 424, 502, 503):  # not there yet
                return None
            raise HubError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
        except OSError:
            return None
        return json.loads(text) if text.startswith(("{", "[")) else text

    def wait(self, ready: Any, seconds: float) -> None:
        """Until something is so; raises :class:`HubError` with the end of the log."""
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                said = "\n".join(self.log.read_text().splitlines()[-15:])
                raise HubError(f"not ready within {seconds:.0f} s:\n{said}")
            time.sleep(0.5)

    # --- one learner ---

    def spawn(self, user: str) -> float:
        """Start a learner's server; the seconds it took."""
        begin = time.monotonic()
        (self.folder / "homes" / user).mkdir(parents=True)
        self.ask("POST", f"/hub/api/users/{user}")
        self.ask("POST", f"/hub/api/users/{user}/server", {})
        self.wait(lambda: self.ask("GET", f"/user/{user}/api/status") is not None, PATIENCE)
        return time.monotonic() - begin

    def pull(self, user: str, repository: str) -> str:
        """Fetch or update the course as the links do; what nbgitpuller said."""
        query = {"repo": repository, "branch": "main", "targetpath": COURSE}
        path = f"/user/{user}/git-pull/api?{urlencode(query)}"
        said = str(self.ask("GET", path, timeout=PATIENCE))
        if '"phase": "finished"' not in said:
            raise HubError(f"{user}: the course was not fetched: {said[-500:]}")
        return said

    def run(self, user: str, path: str) -> list[str]:
        """Run the first half of a notebook's code; the errors."""
        import websocket

        found = self.ask("GET", f"/user/{user}/api/contents/{quote(path)}?content=1")
        code = [cell["source"] for cell in found["content"]["cells"] if cell["cell_type"] == "code"]
        kernel = self.ask("POST", f"/user/{user}/api/kernels", {"path": path})
        if not kernel:
            raise HubError(f"{user}: no kernel was started")
        address = f"ws://127.0.0.1:{self.port}/user/{user}/api/kernels/{kernel['id']}/channels"
        socket_ = websocket.create_connection(
            address, timeout=PATIENCE, header=[f"Authorization: token {self.token}"]
        )
        errors = []
        for source in code[: len(code) // 2]:
            number = secrets.token_hex(8)
            socket_.send(json.dumps(_request(number, source)))
            while True:
                message = json.loads(socket_.recv())
                if message["parent_header"].get("msg_id") != number:
                    continue
                if message["msg_type"] == "execute_reply":
                    content = message["content"]
                    if content["status"] != "ok":
                        errors.append(f"{user}: {content.get('ename')}: {content.get('evalue')}")
                    break
        socket_.close()
        return errors


def _request(number: str, source: str) -> dict[str, Any]:
    header = {"msg_id": number, "username": "", "session": number, "version": "5.3"}
    return {
        "channel": "shell",
        "header": {**header, "msg_type": "execute_request", "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": {"code": source, "silent": False, "store_history": True, "allow_stdin": False},
    }


def memory(users: Sequence[str]) -> dict[str, dict[str, float]]:
    """The peak of each learner, in MB: the server with all that it started; the kernel alone."""
    found: dict[str, dict[str, float]] = {user: {"learner": 0.0, "kernel": 0.0} for user in users}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            user = process.environ().get("JUPYTERHUB_USER", "")
            if user in found:
                words = " ".join(process.cmdline())
                kind = "kernel" if "ipykernel" in words else "learner"
                found[user][kind] = max(found[user][kind], execute._peak_mb(process.pid))
    return found


# --- a learner's file and an update ---------------------------------------------------------------


def conflict(hub: Hub, user: str, origin: Path) -> dict[str, str]:
    """What becomes of a learner's work when the course changes under it; kind → what happened."""
    home = hub.folder / "homes" / user / COURSE
    chapters = sorted((home / "notebooks" / "learner").glob("*.ipynb"))
    edited, deleted, other = chapters[:3]
    mine = edited.read_text("utf-8").replace('"cells": [', '"cells":  [', 1)
    edited.write_text(mine, "utf-8")
    deleted.unlink()
    (home / "notes.md").write_text("mine\n")
    for path, text in {  # what the instructor changes meanwhile
        edited.relative_to(home): edited.read_text("utf-8") + "\n",
        other.relative_to(home): other.read_text("utf-8") + "\n",
        Path("notes.md"): "the instructor's\n",
    }.items():
        (origin / path).write_text(text, "utf-8")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "An update")
    hub.pull(user, origin.as_uri())
    moved = [path for path in home.glob("notes_*.md") if path.read_text() == "mine\n"]
    return {
        "edited by both": "kept" if edited.read_text("utf-8").startswith(mine[:500]) else "lost",
        "deleted by the learner": "fetched again" if deleted.exists() else "stays deleted",
        "edited by the instructor alone": (
            "updated" if other.read_text("utf-8").endswith("\n\n") else "stale"
        ),
        "of the same name as a new one": "moved aside" if moved else "lost",
    }


def git(folder: Path, *arguments: str) -> None:
    """A git command of somebody who has no settings."""
    identity = ("-c", "user.name=class", "-c", "user.email=class@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def copy_of_the_course(folder: Path) -> Path:
    """A repository with what is committed here, to fetch from."""
    origin = folder / "origin"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-hardlinks", str(gates.ROOT), str(origin)], check=True
    )
    git(origin, "checkout", "--quiet", "-B", "main")
    return origin


# --- a class --------------------------------------------------------------------------------------


def measure(people: int, chapter: str) -> dict[str, Any]:
    """A class of so many runs the first half of a chapter; what it took, and what went wrong."""
    python = installed()
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:  # short, as a socket's path must be
        return measured(people, chapter, Path(folder), python)


def measured(people: int, chapter: str, folder: Path, python: Path) -> dict[str, Any]:
    """The same, in a folder."""
    origin = copy_of_the_course(folder)
    users = [f"learner{n}" for n in range(1, people + 1)]
    problems: list[str] = []
    lock = threading.Lock()

    def learner(user: str) -> tuple[float, float]:
        spawned, begin = hub.spawn(user), time.monotonic()
        hub.pull(user, origin.as_uri())
        found = hub.run(user, f"{COURSE}/notebooks/learner/{chapter}.ipynb")
        with lock:
            problems.extend(found)
        print(f"{user}: server {spawned:.0f} s, half a chapter", flush=True)
        return spawned, time.monotonic() - begin

    with Hub(folder, python).running() as hub, ThreadPoolExecutor(people) as pool:
        begin = time.monotonic()
        times = list(pool.map(learner, users))
        whole = time.monotonic() - begin
        peaks = memory(users)
        after = conflict(hub, users[0], origin)
    return {
        "day": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "versions": dict(name.split("==") for name in PYTHON) | dict([PROXY.split("@")]),
        "chapter": chapter,
        "users": people,
        "seconds": round(whole),
        "seconds_to_start": round(max(spawned for spawned, _ in times)),
        "learner_mb": round(max(peak["learner"] for peak in peaks.values())),
        "server_mb": round(max(peak["learner"] - peak["kernel"] for peak in peaks.values())),
        "conflicts": after,
        "problems": problems,
    }


def wrong(result: Mapping[str, Any]) -> list[str]:
    """What must not be in a result."""
    said = list(result["problems"])
    wanted = {
        "edited by both": "kept",
        "deleted by the learner": "fetched again",
        "edited by the instructor alone": "updated",
        "of the same name as a new one": "moved aside",
    }
    said += [
        f"{kind}: {result['conflicts'].get(kind)} instead of {right}"
        for kind, right in wanted.items()
        if result["conflicts"].get(kind) != right
    ]
    if result["seconds"] > PATIENCE:
        said.append(f"the class took {result['seconds']} s instead of at most {PATIENCE}")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, store, say what went wrong."""
    parser = argparse.ArgumentParser(prog="make hub", description="A class on a real JupyterHub.")
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--chapter", default="05_elu")
    parser.add_argument("--into", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    result = measure(chosen.users, chosen.chapter)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    execute.replace(chosen.into, text + "\n")
    print(text)
    found = wrong(result)
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HubError as error:
        sys.exit(str(error))
