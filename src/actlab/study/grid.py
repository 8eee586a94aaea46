"""A study by its preset, or from a grid in a readable file; and how far it has come."""

from __future__ import annotations

import argparse
import inspect
import tomllib
from collections.abc import Mapping
from pathlib import Path

from actlab.study import store
from actlab.study.declared import Study, StudyError


def offer(parser: argparse.ArgumentParser) -> None:
    """What a command may say of all this."""
    parser.add_argument("--preset", help="full (if nothing is said), or another, such as small")
    parser.add_argument("--grid", type=Path, help="a TOML file; results are kept beside it")
    parser.add_argument("--progress", action="store_true", help="how far it is; runs nothing")


def asked(chosen: argparse.Namespace, studies: Mapping[str, Study]) -> list[Study]:
    """The studies that a command wants run; none where it asks how far they are, which is printed.

    A grid's results are kept beside its file from now on. Raises ``StudyError`` for an unknown
    preset, and for a file that makes no study.
    """
    if chosen.grid is None:
        which = chosen.preset or "full"
        found = [preset(studies, name, which) for name in chosen.names]
    elif len(chosen.names) == 1 and not chosen.preset:
        found = [read(chosen.grid, studies[chosen.names[0]], studies)]
        store.RESULTS = chosen.grid.absolute().parent
    else:
        raise StudyError("--grid belongs to one study, and stands in the place of --preset.")
    if chosen.progress:
        print(*map(progress, found), sep="\n")
        return []
    return found


def preset(studies: Mapping[str, Study], name: str, which: str) -> Study:
    """``full`` is the study itself; any other preset is a study called ``NAME_PRESET``.

    Raises ``StudyError`` that names the presets there are.
    """
    presets = {"full": name} | {
        other.removeprefix(f"{name}_"): other for other in studies if other.startswith(f"{name}_")
    }
    if which not in presets:
        raise StudyError(f"{name} has no preset {which!r}: it has {', '.join(presets)}.")
    return studies[presets[which]]


def read(path: Path, like: Study, taken: Mapping[str, Study]) -> Study:
    """The grid in a TOML file, for the trial that ``like`` does.

    Its keys are the arguments of ``like.build``; the name is the file's unless it says another.
    Raises ``StudyError`` that names the file and what is wrong in it.
    """
    if like.build is None:
        raise StudyError(f"{like.name} takes no grid of one's own: --grid is for others.")
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StudyError(f"no grid can be read at {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not TOML: {error}") from None
    known = inspect.signature(like.build).parameters
    if unknown := [key for key in said if key not in known]:
        raise StudyError(f"{path}: unknown key {unknown[0]!r}; known are {', '.join(known)}.")
    if (name := said.setdefault("name", path.stem)) in taken:
        raise StudyError(f"{path}: {name!r} is a study of the course; give yours another name.")
    for key, value in said.items():
        if isinstance(known[key].default, tuple) and not isinstance(value, list):
            raise StudyError(f'{path}: {key} = {value!r}; expected a list, ["…", "…"].')
    try:
        return like.build(**said)
    except (StudyError, TypeError, ValueError) as error:
        raise StudyError(f"{path}: {error}") from None


def progress(study: Study) -> str:
    """How many cells are done, where they lie, and what the rest will take at this pace."""
    cells = list(study.cells())
    first, *_ = study.axes
    if (store.RESULTS / f"{study.name}.parquet").exists():
        return f"{study.name}: finished"
    done = [cell for cell in cells if store.part(study, cell).exists()]
    seconds = sum(store.read(store.part(study, cell)).attrs["seconds"] for cell in done)
    lines = [
        f"{study.name}: {len(done)} of {len(cells)} cells done, {seconds / 60:.1f} min of work"
    ]
    if done and len(done) < len(cells):
        rest = seconds / len(done) * (len(cells) - len(done))
        lines[0] += f"; about {rest / 60:.0f} min to go for one worker"
    width = max(len(str(value)) for value in study.axes[first])
    for value in study.axes[first]:
        row = "".join("█" if cell in done else "·" for cell in cells if cell[first] == value)
        lines.append(f"  {value!s:{width}}  {row}")
    return "\n".join(lines)
