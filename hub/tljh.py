"""For /opt/tljh/config/jupyterhub_config.d/course.py: many learners' kernels on one machine.

Kernels that start at one moment draw the same ports, and some die ("Address already in use").
Sockets in files have no such trouble; their paths must be short, so they lie below /tmp.
"""

import tempfile

c = get_config()  # noqa: F821  # JupyterHub gives it
c.Spawner.args = ["--KernelManager.transport=ipc"]
c.Spawner.environment = {
    "JUPYTER_RUNTIME_DIR": lambda spawner: f"{tempfile.gettempdir()}/jupyter-{spawner.user.name}",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "2",
}
