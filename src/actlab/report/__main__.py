"""``python -m actlab.report module:function``: a page and JSON about any activation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from actlab import machine


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one card; 0 where no fault was found, 1 where one was, 2 where it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m actlab.report", description=__doc__)
    parser.add_argument("function", help="module:function, or the name of a record")
    parser.add_argument("--name", help="what to call it")
    parser.add_argument("--into", type=Path, default=Path(), help="the folder for page and JSON")
    parser.add_argument("--no-trial", action="store_true", help="leave out the training")
    given = parser.parse_args(arguments)
    machine.prepare()
    sys.path.insert(0, "")
    from actlab.report.make import report

    try:
        card = report(given.function, given.name, trial=not given.no_trial, progress=True)
        page = card.save(given.into)
    except (TypeError, ValueError, KeyError, FileExistsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(card)
    print(f"The card: {page}")
    return 1 if card.faults else 0


if __name__ == "__main__":
    sys.exit(main())
