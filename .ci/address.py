"""``make address URL=https://github.com/OWNER/REPO``: this copy of the course lives there.

The address stands in ``_config.yml`` (from which the site's buttons are made), in the setup cell of
every chapter, in the README and in ``pyproject.toml``, because each is read where the others are
not. This replaces it in all of them, and the address of the site along with it; it runs nothing,
and the outputs of the chapters stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = r"(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?)/(?P<repo>[A-Za-z0-9._-]{1,100})"
SETTING = re.compile(rf"^  url: https://github\.com/{NAME}$", re.MULTILINE)


def parse(url: str) -> tuple[str, str]:
    """Owner and name of a repository on GitHub; raises ``ValueError`` with what was expected."""
    text = re.sub(r"^(git@github\.com:|https?://(www\.)?github\.com/)", "", url.strip())
    text = re.sub(r"(\.git)?/*$", "", text)
    found = re.fullmatch(NAME, text)
    if found is None or "--" in found["owner"] or set(found["repo"]) == {"."}:
        raise ValueError(
            f"{url!r} is not the address of a repository on GitHub: expected "
            "URL=https://github.com/OWNER/REPO (Colab and Binder open no other host)."
        )
    return found["owner"], found["repo"]


def site(owner: str, repo: str) -> str:
    """Where GitHub Pages shows the site of a repository."""
    home = f"https://{owner.lower()}.github.io/"
    return home if repo.lower() == f"{owner.lower()}.github.io" else f"{home}{repo}/"


def current(root: Path = ROOT) -> tuple[str, str]:
    """Owner and name as they stand in ``_config.yml``."""
    found = SETTING.search((root / "_config.yml").read_text("utf-8"))
    if found is None:
        raise ValueError("_config.yml names no repository: set repository.url there first.")
    return found["owner"], found["repo"]


def replaced(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The text with the repository and its site at the new address."""
    text = text.replace(site(*old), site(*new))
    # Only in addresses (of GitHub, Binder, Colab), and not where a longer name begins alike.
    home = rf"\b(github\.com[/:]|gh/|github/){re.escape('/'.join(old))}(?![\w-]|\.(?!git\b)\w)"
    return re.sub(home, lambda found: found[1] + "/".join(new), text)


def replaced_notebook(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The same for a notebook, in its sources only; a cell's id is made from its source."""
    for cell in json.loads(text)["cells"]:
        after = [replaced(line, old, new) for line in cell["source"]]
        ids = [_id(cell["cell_type"], "".join(lines)) for lines in (cell["source"], after)]
        for change in (ids, *zip(cell["source"], after, strict=True)):
            if change[0] != change[1]:
                text = text.replace(*(json.dumps(part, ensure_ascii=False) for part in change))
    return text


def _id(kind: str, source: str) -> str:
    return hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:8]


def main(url: str, root: Path = ROOT) -> list[str]:
    """Set the address in every tracked file; returns the names of those that changed."""
    new, old = parse(url), current(root)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    changed: dict[Path, str] = {}
    for name in listed.stdout.decode().split("\0"):
        path = root / name
        if not name or path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:  # a picture, a table
            continue
        change = replaced_notebook if path.suffix == ".ipynb" else replaced
        if (after := change(text, old, new)) != text:
            changed[path] = after
    for path, text in changed.items():  # nothing is written before everything could be read
        path.write_bytes(text.encode())
    return [path.relative_to(root).as_posix() for path in changed]


if __name__ == "__main__":
    try:
        names = main(sys.argv[1] if len(sys.argv) == 2 else "")
    except ValueError as error:
        sys.exit(str(error))
    except (OSError, subprocess.CalledProcessError):
        sys.exit("This is no git repository: clone your fork of the course, and work there.")
    print("\n".join(names) or "Nothing to do: that is the address already.")
    owner, repo = current()
    print(f"The site will be at {site(owner, repo)}")
