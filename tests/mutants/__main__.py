"""``make mutants``: put small faults in, one at a time, and count how many the tests see.

    python -m tests.mutants [word ...]    # only those with a word in their file or reason

It works on copies of the tree; the tree itself stays as it is. First the chosen tests must pass
without a fault. Exit status 1 where fewer than 95 % are seen.
"""

from __future__ import annotations

import os
import queue
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .table import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
ENOUGH = 0.95
WORKERS = 2
TIMEOUT = 600  # seconds; a fault that makes a test hang has been seen
PASSED, FAILED, INTERRUPTED = 0, 1, 2  # pytest's exit codes; the last for an import that fails


def copy(to: Path) -> Path:
    """The files of the repository as they are now, with the same environment."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in {os.fsdecode(name) for name in names if name}:
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    (to / ".venv").symlink_to(sys.prefix)
    return to


def pytest(tree: Path, arguments: str) -> int:
    """Run tests in a copy; pytest's exit code, or ``FAILED`` where it took too long."""
    first, *more = shlex.split(arguments)
    paths = [first, *(a for a in more if a.endswith(".py") or "::" in a)]
    options = [a for a in more if a not in paths]
    # Without plugins that no unit test needs: nbval takes seconds to load.
    without = [f"-pno:{name}" for name in ("cacheprovider", "nbval", "hypothesispytest", "xdist")]
    command = [sys.executable, "-m", "pytest", "-x", "-q", *without]
    environment = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1", "CI": ""}
    try:
        return subprocess.run(
            [*command, *(f"tests/{path}" for path in paths), *options],
            cwd=tree,
            env=os.environ | environment,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return FAILED


def tried(mutant: Mutant, tree: Path) -> tuple[int, float]:
    """pytest's exit code with the fault in, and the seconds it took."""
    path, started = tree / mutant.file, time.perf_counter()
    before = path.read_bytes()
    try:
        mutant.put_in(tree)
        return pytest(tree, mutant.tests), time.perf_counter() - started
    finally:
        path.write_bytes(before)


def main(words: list[str]) -> int:
    """Try them and print the score; 0 where enough were seen."""
    chosen = [m for m in MUTANTS if not words or any(w in f"{m.file} {m.why}" for w in words)]
    if not chosen:
        sys.exit(f"No fault has {' or '.join(words)} in its file or reason.")
    started, survivors = time.perf_counter(), []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees: queue.Queue[Path] = queue.Queue()
        for number in range(WORKERS):
            trees.put(copy(Path(folder) / f"{number}"))

        def lend(work: object, *arguments: object) -> object:
            tree = trees.get()
            try:
                return work(*arguments, tree)  # type: ignore[operator]
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(WORKERS) as pool:
            selections = sorted({mutant.tests for mutant in chosen})
            print(f"{len(selections)} selections of tests without a fault …", flush=True)
            codes = pool.map(lambda s: lend(lambda s, tree: pytest(tree, s), s), selections)
            broken = [s for s, code in zip(selections, codes, strict=True) if code != PASSED]
            if broken:
                sys.exit("These do not pass, or select nothing: " + "; ".join(broken))
            jobs = pool.map(lambda m: lend(tried, m), chosen)
            for mutant, (code, seconds) in zip(chosen, jobs, strict=True):  # type: ignore[misc]
                seen = code in (FAILED, INTERRUPTED)
                survivors += [] if seen else [mutant]
                state = "seen    " if seen else "SURVIVES"
                print(f"{state} {seconds:4.0f} s  {mutant.file}: {mutant.why}", flush=True)
    share = 1 - len(survivors) / len(chosen)
    for mutant in survivors:
        print(f"\nsurvived {mutant.tests}: {mutant.why}\n  - {mutant.old}\n  + {mutant.new}")
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} faults were seen ({share:.0%}); "
          f"{minutes:.0f} minutes")  # fmt: skip
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
