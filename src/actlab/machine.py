"""What a measurement was made on, in words that mean something elsewhere; and a quiet start."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Small networks are quickest on the CPU, where every machine gets the text's numbers; and
# TensorFlow, on a GPU, would take all of its memory.
SURROUNDINGS = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def prepare() -> None:
    """Load the frameworks as the chapters use them: on the CPU, Keras on TensorFlow, silently.

    For the first cell of a notebook. Raises ``RuntimeError`` where Keras already runs on another
    backend, which only a new kernel can change.
    """
    if keras := sys.modules.get("keras"):
        backend = keras.config.backend()
        if backend != "tensorflow":
            raise RuntimeError(
                f"Keras already runs on {backend!r} and this course needs TensorFlow: restart the "
                "kernel and run this cell first."
            )
    os.environ.update(SURROUNDINGS)
    # TensorFlow's log tells of the processor before it reads its own level. Errors are raised all
    # the same. PyTorch comes first: its CUDA builds complain of what TensorFlow leaves behind, and
    # their compiler, Triton, brings an LLVM that ends the process if it is loaded after
    # TensorFlow's (PyTorch 2.15 loads it as soon as an optimiser is made).
    with warnings.catch_warnings(), _silent_stderr():
        warnings.simplefilter("ignore")
        for framework in ("torch", "triton", "tensorflow", "keras"):
            if framework != "triton" or find_spec("triton"):
                importlib.import_module(framework)


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """What is written to file descriptor 2, by C++ code too, is dropped."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def describe() -> dict[str, Any]:
    """Processor, cores, memory, GPU and library versions; no names, no paths."""
    import torch

    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "torch", "tensorflow", "keras")},
    }


def sentence(machine: dict[str, Any]) -> str:
    """One line for a caption: "2 cores of AMD EPYC, 24 GiB, torch 2.13.0, keras 3.15.1"."""
    where = machine["gpu"] or f"{machine['cores']} cores of {machine['cpu']}"
    return (
        f"{where}, {machine['memory_gib']} GiB, Python {machine['python']}, "
        f"torch {machine['torch']}, TensorFlow {machine['tensorflow']}, Keras {machine['keras']}"
    )


def _processor() -> str:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # a sandbox may not show it
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package).split("+")[0]
    except metadata.PackageNotFoundError:
        return None
