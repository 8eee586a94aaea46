"""Where results are: one Parquet file a study, and one a finished cell while it is being run."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actlab.study.declared import Cell, Study, StudyError, digest

RESULTS = Path(__file__).parents[1] / "results"


def load(name: str, **where: Any) -> pd.DataFrame:
    """The rows of a committed table; ``.attrs``: its ``machines``, ``seconds``, ``command``.

    ``where``: as in :func:`part_of`. Raises ``FileNotFoundError`` naming the nearest studies.
    """
    path = RESULTS / f"{name}.parquet"
    if not path.exists():
        have = sorted(p.stem for p in RESULTS.glob("*.parquet"))
        nearest = ", ".join(difflib.get_close_matches(name, have, n=3, cutoff=0.3))
        hint = f"the nearest are {nearest}" if nearest else "nothing is called nearly so"
        raise FileNotFoundError(
            f"study {name!r} has no result: {hint}; 'python -m actlab.study {name}' runs one that "
            "is declared."
        )
    frame = read(path)  # on sums and logarithms of float64 processors agree, of float32 not
    wide = dict.fromkeys(frame.columns[frame.dtypes == "float32"], "float64")
    return part_of(frame.astype(wide), **where)


def part_of(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The rows in which every column has its value."""
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def grid_of(
    table: pd.DataFrame, values: str, rows: str = "split", columns: str = "seed", **where: Any
) -> npt.NDArray[np.float64]:
    """One column as an array, by two others: (splits, seeds), for the rows that match."""
    wide = part_of(table, **where).pivot(index=rows, columns=columns, values=values)
    return np.asarray(wide, dtype=np.float64)


def table_of(values: Mapping[str, Any], **axes: Sequence[Any]) -> pd.DataFrame:
    """Arrays with a dimension for each of ``axes`` as columns, a row per place; undoes `grid_of`.

    Each axis is a column, too. ``values`` broadcast as NumPy's arrays do.
    """
    index = pd.MultiIndex.from_product(axes.values(), names=axes)
    shape = [len(levels) for levels in axes.values()]
    columns = {name: np.broadcast_to(array, shape).ravel() for name, array in values.items()}
    return pd.DataFrame(columns, index=index).reset_index()


def read(path: Path) -> pd.DataFrame:
    """A table with what is known about it in ``.attrs``."""
    import pyarrow.parquet as pq  # here, because the book is built without it

    table = pq.read_table(path)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    frame.attrs.update(json.loads(table.schema.metadata[b"actlab"]))
    return frame


def checksums(frame: pd.DataFrame) -> dict[str, str]:
    """Column → fingerprint of its values, whichever version of Parquet or pandas holds them."""
    return {
        str(name): digest([None if pd.isna(value) else value for value in column.tolist()])
        for name, column in frame.items()
    }


def write(path: Path, frame: pd.DataFrame) -> None:
    """With its ``.attrs``, whole or not at all: a reader never sees half, a kill leaves the old.

    A result (not a part of one) leaves its :func:`checksums` in ``checksums.json`` beside it:
    tests tell by them that no cell was changed since it was measured.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"actlab": json.dumps(frame.attrs)})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.replace(path)
        if path.parent == RESULTS:
            manifest = RESULTS / "checksums.json"
            known = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
            known[path.stem] = checksums(frame)
            unfinished.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
            unfinished.replace(manifest)
    finally:
        unfinished.unlink(missing_ok=True)


def parts_folder(study: Study) -> Path:
    """Where the finished cells of this grid lie until the table is whole."""
    return RESULTS / "parts" / f"{study.name}-{study.digest}"


def part(study: Study, cell: Cell) -> Path:
    """The file of one cell."""
    return parts_folder(study) / f"{digest(cell)}.parquet"


def check_grid(study: Study) -> bool:
    """Whether there is a table. Raises :class:`StudyError` if it came from another grid."""
    path = RESULTS / f"{study.name}.parquet"
    if path.exists() and (found := read(path).attrs.get("grid")) != study.digest:
        raise StudyError(
            f"the results of {study.name} are of another grid ({found}) than the one declared "
            f"({study.digest}). 'python -m actlab.study {study.name} --again' runs the declared "
            "one and replaces them when it is done; until then they stay."
        )
    return path.exists()
