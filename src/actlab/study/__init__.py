"""The large experiments: declared once, run here or on a cluster, resumed, committed, loaded.

``python -m actlab.study`` lists them, ``python -m actlab.study NAME`` runs one; a chapter reads
the result with :func:`load` and shows it next to a small live run.
"""

from actlab.study.declared import Cell, Study, StudyError, root_seeds
from actlab.study.run import run
from actlab.study.store import grid_of, load, part_of, table_of

__all__ = ["Cell", "Study", "StudyError", "root_seeds", "run"]
__all__ += ["grid_of", "load", "part_of", "table_of"]
