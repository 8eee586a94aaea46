"""A study on a SLURM cluster: ``python cluster/slurm.py grand_trial --grid cluster/trial.toml``.

On a login node, with ``python -m pip install dask-jobqueue 'dask[distributed]'``. Every job is one
worker on one core; ``--jobs 24`` asks for as many. ``--show`` prints the job file and asks for
nothing. All else is handed to ``python -m actlab.study``. A job that is killed loses the cell it
was in, which another worker gets; if this program is killed, the same line goes on from there.
"""

import argparse
import sys

from dask_jobqueue import SLURMCluster

from actlab.study.__main__ import main

JOB = {
    "cores": 1,
    "processes": 1,
    "memory": "3GB",
    "walltime": "02:00:00",
    "job_script_prologue": ["export OMP_NUM_THREADS=1"],
    "python": sys.executable,
}


def run(arguments: list[str] | None = None) -> int:
    """Start the jobs and run the study on them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=24)
    parser.add_argument("--show", action="store_true", help="print the job file, and no more")
    chosen, study = parser.parse_known_args(arguments)
    with SLURMCluster(**JOB) as cluster:
        if chosen.show:
            print(cluster.job_script())
            return 0
        cluster.scale(jobs=chosen.jobs)
        return main([*study, "--scheduler", cluster.scheduler_address])


if __name__ == "__main__":
    sys.exit(run())
