"""``python -m actlab.study [NAME ...]``: list the studies, or run some of them."""

from __future__ import annotations

import argparse
import difflib
import importlib
import pkgutil
import sys

from actlab.study import Study, StudyError, grid, run, store


def declared() -> dict[str, Study]:
    """Every study that an experiment declares, by name."""
    from actlab import experiments

    found: dict[str, Study] = {}
    for module in pkgutil.iter_modules(experiments.__path__, "actlab.experiments."):
        for study in getattr(importlib.import_module(module.name), "STUDIES", ()):
            if study.name in found:
                raise StudyError(f"two studies are called {study.name!r}")
            found[study.name] = study
    return found


def main(arguments: list[str] | None = None) -> int:
    """List or run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m actlab.study", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="none: list them all")
    grid.offer(parser)
    parser.add_argument("--scheduler", help="address of a Dask scheduler, tcp://HOST:PORT")
    parser.add_argument("--again", action="store_true", help="also where there is a result")
    parser.add_argument("--limit", type=float, help="start no further cell after so many minutes")
    parser.set_defaults(limit=float("inf"))
    chosen = parser.parse_args(arguments)
    studies = declared()
    if unknown := [name for name in chosen.names if name not in studies]:
        nearest = difflib.get_close_matches(unknown[0], studies, n=3, cutoff=0.3) or list(studies)
        print(f"unknown study {unknown[0]!r}: the nearest are {', '.join(nearest)}")
        return 2
    if not chosen.names and not chosen.grid:
        for name, study in studies.items():
            path = store.RESULTS / f"{name}.parquet"
            state = f"{store.read(path).attrs['seconds'] / 60:.0f} min" if path.exists() else "–"
            print(f"{name:24} {state:>8}  {study.title}")
        return 0
    try:
        for study in grid.asked(chosen, studies):
            run(study, chosen.scheduler, again=chosen.again, limit=60 * chosen.limit)
    except StudyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
