"""The large experiments: run by a command, committed as compact Parquet with their machine.

``python -m actlab.study born_dead`` runs one, ``python -m actlab.study`` all of them (hours on
two cores). A chapter reads the result with :func:`load` and shows it next to a small live run.
"""

from __future__ import annotations

import difflib
import importlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

RESULTS = Path(__file__).with_name("results")

# Name → the function that runs it, as "module:function"; imported only when it is run.
STUDIES = {
    "linear_and_step": "actlab.claims.why_nonlinear:tuned_study",
    "choice_digits": "actlab.claims.choice:digits_study",
    "choice_mnist1d": "actlab.claims.choice:mnist1d_study",
    "born_dead": "actlab.claims.relu:born_dead_study",
    "activation_cost": "actlab.claims.cost:study",
    "relu_training": "actlab.claims.relu_training:training_study",
    "elu_asleep": "actlab.claims.elu_selu_training:asleep_study",
    "elu_fisher": "actlab.claims.elu_natural_gradient:study_",
    "selu_broken": "actlab.claims.elu_selu_training:broken_study",
    "selu_cnn": "actlab.claims.selu_cnn:study_",
    "selu_deep": "actlab.claims.elu_selu_training:deep_study",
    "selu_moments": "actlab.claims.elu_selu_training:moments_study",
    "selu_replay": "actlab.claims.elu_selu_training:replay_study",
    "selu_tabular": "actlab.claims.elu_selu_training:tabular_study",
    "leaky_asleep": "actlab.claims.leaky_asleep:asleep_study",
    "leaky_contest": "actlab.claims.leaky_training:contest_study",
    "leaky_contest_fashion": "actlab.claims.leaky_training:contest_fashion_study",
    "leaky_cost": "actlab.claims.leaky:cost_study",
    "leaky_decay": "actlab.claims.leaky_decay:decay_study",
    "leaky_sizes": "actlab.claims.leaky_training:sizes_study",
    "gradients_at_start": "actlab.claims.sigmoid_tanh:gradients_study",
    "gradients_in_training": "actlab.claims.sigmoid_training:trained_gradients_study",
    "deep_sigmoid": "actlab.claims.sigmoid_training:deep_study",
    "very_deep_sigmoid": "actlab.claims.sigmoid_training:very_deep_study",
    "centring": "actlab.claims.sigmoid_training:centring_study",
    "sigmoid_failure": "actlab.claims.sigmoid_training:failure_study",
    "sigmoid_failure_full": "actlab.claims.sigmoid_training:full_size_study",
}


def load(name: str) -> pd.DataFrame:
    """The committed table of one study; ``.attrs``: its ``machine``, ``seconds``, ``command``.

    Raises ``KeyError`` naming the nearest studies, or ``FileNotFoundError`` with the command to
    run where a study has no result yet.
    """
    import pyarrow.parquet as pq

    _known(name)
    path = RESULTS / f"{name}.parquet"
    if not path.exists():
        raise FileNotFoundError(
            f"study {name!r} has no result yet: run 'python -m actlab.study {name}'"
        )
    table = pq.read_table(path)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    frame.attrs.update(json.loads(table.schema.metadata[b"actlab"]))
    return frame


def run(name: str) -> pd.DataFrame:
    """Run one study from the start and store its table; nothing is stored unless it finishes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from actlab import machine

    _known(name)
    module, function = STUDIES[name].split(":")
    started = time.perf_counter()
    frame: pd.DataFrame = getattr(importlib.import_module(module), function)()
    about = {
        "machine": machine.describe(),
        "seconds": round(time.perf_counter() - started, 1),
        "command": f"python -m actlab.study {name}",
    }
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"actlab": json.dumps(about)})
    RESULTS.mkdir(exist_ok=True)
    unfinished = RESULTS / f".{name}.part"
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(RESULTS / f"{name}.parquet")
    return frame


def _known(name: str) -> None:
    if name not in STUDIES:
        nearest = difflib.get_close_matches(name, STUDIES, n=3, cutoff=0.3) or list(STUDIES)
        raise KeyError(f"unknown study {name!r}: the nearest are {', '.join(nearest)}")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or list(STUDIES):
        rows = len(run(chosen))
        print(f"{chosen}: {rows} rows", flush=True)
