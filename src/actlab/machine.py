"""What a measurement was made on, in words that mean something elsewhere."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


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
