"""``make bundle``: everything for a room without a network, as one folder and one zip.

    python -m actlab_class.bundle [--into FOLDER]

The site, the book as one PDF, the slides, the editions, the course itself (with the folder
``wheels``, if `make wheels` has filled it), lists of the packages for macOS and Windows, the data
that may be passed on, a page to start from, checksums, and ``verify.py``, which names a file that
was half copied. What is packed has to be built before.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from actlab import data
from actlab_class import lessons, verify, wheels
from actlab_class.lessons import Lesson

ROOT = Path(__file__).resolve().parents[3]
NAME = "activation-functions"
WHEELS = "wheels"
LISTS = "lists"
PDF = f"{NAME}.pdf"
FASHION = "data/fashion-mnist"


class BundleError(RuntimeError):
    """What is missing, and the command that makes it."""


@dataclass(frozen=True)
class Part:
    """A folder of the bundle: from where, and which command makes it."""

    source: Path
    made_by: str


def parts(root: Path) -> dict[str, Part]:
    """What is built before: folder of the bundle → where it comes from."""
    built = root / "_build"
    return {
        "site": Part(built / "html", "make book"),
        "pdf": Part(built / "pdf", "make pdf"),
        "slides": Part(built / "slides", "make slides"),
        "editions": Part(built / "editions", "make editions"),
    }


def pack(target: Path, root: Path = ROOT) -> Path:
    """Make the folder ``target`` anew; raises :class:`BundleError` where a part is not built."""
    for name, part in parts(root).items():
        if not part.source.is_dir() or not any(part.source.iterdir()):
            raise BundleError(f"{name} is not built: run '{part.made_by}' first.")
    if lacking := unfetched(root):
        raise BundleError(
            f"the folder {WHEELS} lacks {', '.join(lacking[:5])}, which the course has asked for "
            "since: run 'make wheels' again."
        )
    lists = {name: listed(name, root) for name in wheels.SYSTEMS}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    hidden = shutil.ignore_patterns(".built", ".nojekyll", ".buildinfo")
    for name, part in parts(root).items():
        shutil.copytree(part.source, target / name, ignore=hidden)
    for name in tracked(root):
        copy(root / name, target / "course" / name)
    for name, text in lists.items():
        (target / LISTS).mkdir(exist_ok=True)
        (target / LISTS / f"{name}.txt").write_text(text, "utf-8")
    fetched = (root / WHEELS).is_dir()
    if fetched:
        shutil.copytree(root / WHEELS, target / "course" / WHEELS)
    fashion = data.folder()
    if fashion:
        for name in data.FASHION_MNIST_FILES:
            copy(fashion / name, target / FASHION / name)
        (target / FASHION / "LICENSE").write_text(licence(root), "utf-8")
    shutil.copy(Path(verify.__file__), target / "verify.py")
    found = lessons.all_of(root / "notebooks")
    (target / "index.html").write_text(start(found, fetched, bool(fashion), version(root)), "utf-8")
    (target / verify.SUMS).write_text("".join(sums(target)), "utf-8")
    return target


def listed(name: str, root: Path) -> str:
    """The list of a system's packages; raises :class:`BundleError` where it is not today's."""
    path = wheels.path_of(name, root)
    text = path.read_text("utf-8") if path.is_file() else ""
    if wrong := wheels.problems(name, text, root):
        raise BundleError(
            f"{path.name}, the list of packages for {wheels.SYSTEMS[name].title}, is not that of "
            f"requirements.txt ({'; '.join(wrong[:3])}): run "
            "'PYTHONPATH=book/_ext .venv/bin/python -m actlab_class.wheels', with a network."
        )
    return text


def unfetched(root: Path) -> list[str]:
    """The packages of ``requirements.txt`` that are not in ``wheels``; none without that folder."""
    if not (root / WHEELS).is_dir():
        return []
    names = (re.match(r"(.+?)-(\d[^-+]*)", path.name) for path in (root / WHEELS).iterdir())
    there = {(plain(found[1]), found[2].removesuffix(".tar.gz")) for found in names if found}
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", (root / "requirements.txt").read_text("utf-8"), re.M)
    return [f"{name}=={version}" for name, version in pins if (plain(name), version) not in there]


def plain(name: str) -> str:
    """A package's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def copy(source: Path, target: Path) -> None:
    """One file, with its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def tracked(root: Path) -> list[str]:
    """The files of the course itself."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        raise BundleError("this is no git repository: make the bundle in a clone of the course.")
    names = listed.stdout.decode().split("\0")
    return [name for name in names if name and (root / name).is_file()]


def version(root: Path) -> str:
    """As in ``pyproject.toml``."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def licence(root: Path) -> str:
    """The MIT licence of Fashion-MNIST, which has to go with it."""
    text = (root / "LICENSE").read_text("utf-8")
    holder = "Copyright (c) 2017 Zalando SE, https://tech.zalando.com"
    return re.sub(r"^Copyright .*$", holder, text, flags=re.MULTILINE)


def sums(target: Path) -> Iterator[str]:
    """Size and checksum of every file; ``sha256sum --check`` reads it, too."""
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        name = path.relative_to(target).as_posix()
        if name != verify.SUMS:
            yield f"# {path.stat().st_size}\n{verify.digest(path)}  {name}\n"


def start(found: Sequence[Lesson], fetched: bool, fashion: bool, release: str) -> str:
    """The page to open first."""
    rows = "\n".join(
        f'<tr><th scope="row"><a href="site/notebooks/{one.name}.html">{escape(one.title)}</a></th>'
        f"<td>{one.minutes} min</td>"
        f'<td><a href="slides/{one.name}.html">slides</a></td>'
        f'<td><a href="editions/learner/{one.name}.ipynb">learner</a></td>'
        f'<td><a href="editions/live/{one.name}.ipynb">live</a></td>'
        f'<td><a href="editions/solutions/{one.name}.ipynb">solutions</a></td>'
        f'<td><a href="editions/instructor/{one.name}.ipynb">instructor</a></td></tr>'
        for one in found
    )
    packages = (
        "The packages are in <code>course/wheels</code>; they are for machines like the one that "
        "packed them (Linux, the same Python)."
        if fetched
        else "The packages are not in this bundle: <code>make lab</code> needs a network, or a "
        "folder <code>course/wheels</code> from <code>make wheels</code>."
    )
    into = f"course/{WHEELS}"
    elsewhere = "\n".join(
        f'<dt><a href="{LISTS}/{name}.txt">{escape(system.title)}</a></dt>'
        f'<dd><pre tabindex="0">{wheels.command(name, into, LISTS)}</pre></dd>'
        for name, system in wheels.SYSTEMS.items()
    )
    place = f"export ACTLAB_DATA=$PWD/{FASHION}\n" if fashion else ""
    missing = "" if fashion else "<p>Fashion-MNIST is not in this bundle: chapters use digits.</p>"
    return PAGE.format(
        release=release, rows=rows, packages=packages, elsewhere=elsewhere, place=place,
        missing=missing, pdf=PDF,
    )  # fmt: skip


PAGE = r"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Activation Functions in Keras and PyTorch: a room without a network</title>
<style>
body {{ max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1d2530; background: #fff;
  font: 1.05rem/1.55 system-ui, sans-serif; }}
h1, h2 {{ line-height: 1.2; }}
a {{ color: #12558c; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .4rem .8rem; border-bottom: 1px solid #cbd2d9; text-align: left; }}
td:nth-child(2) {{ white-space: nowrap; }}
dd {{ margin: 0; }}
pre {{ padding: .7rem 1rem; background: #f2f4f7; white-space: pre-wrap; overflow-wrap: anywhere; }}
</style></head><body><main>
<h1>Activation Functions in Keras and PyTorch</h1>
<p>Version {release}, complete without a network. <strong><a href="site/index.html">Read the
course</a></strong>, also as <a href="pdf/{pdf}">one PDF</a>, or see
<a href="site/book/teaching.html">what instructors need</a>.</p>
<h2>Chapters</h2>
<div tabindex="0" role="region" aria-label="Chapters"><table>
{rows}
</table></div>
<h2>Is this copy whole?</h2>
<pre tabindex="0">python3 verify.py</pre>
<h2>Run the chapters</h2>
<pre tabindex="0">{place}cd course
make lab</pre>
<p>{packages}</p>
{missing}
<h3>On macOS or Windows</h3>
<p>While there is a network, one command on any machine fetches the packages of another system,
exactly those of its list, and refuses a file whose checksum differs. Put the version of Python that
the room has in place of 3.12 (3.11 and 3.13 are listed, too).</p>
<dl>
{elsewhere}
</dl>
<p>The folder <code>course/wheels</code> can hold the packages of several systems. Then, in
<code>course</code>: <code>make lab</code> on macOS; on Windows</p>
<pre tabindex="0">py -3.12 -m venv .venv
.venv\Scripts\python -m pip install --no-index --find-links wheels -r requirements.txt
.venv\Scripts\python -m pip install --no-deps --no-build-isolation -e .
.venv\Scripts\jupyter lab --notebook-dir=notebooks</pre>
<h3>Is everything there?</h3>
<p><code>.venv/bin/python -m actlab.doctor</code> says whether everything is there. One open
chapter at a time is enough for a machine with little memory.</p>
<h2>Serve it to a room</h2>
<pre tabindex="0">python3 -m http.server 8000</pre>
<p>and everybody on the same network opens this machine's address, port 8000.</p>
</main></body></html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the folder and the zip, and look whether they are whole."""
    parser = argparse.ArgumentParser(prog="make bundle", description="For a room without network.")
    parser.add_argument("--into", type=Path, default=ROOT / "_build" / "bundle")
    into = parser.parse_args(arguments).into
    target = pack(into / f"{NAME}-{version(ROOT)}")
    if verify.main(str(target)):
        return 1
    archive = Path(shutil.make_archive(str(target), "zip", into, target.name))
    for path, size in weights(target, archive).items():
        print(f"{path}: {size / 1e6:,.0f} MB")
    return 0


def weights(target: Path, archive: Path) -> Mapping[str, int]:
    """Bytes of the folder and of the zip."""
    whole = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return {target.name: whole, archive.name: archive.stat().st_size}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BundleError, data.DataError) as error:
        sys.exit(str(error))
