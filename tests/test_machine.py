"""What a measurement was made on is told truly, and nothing that is nobody's business."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from actlab import machine


def test_the_versions_are_the_installed_ones():
    found = machine.describe()
    for name in ("numpy", "torch", "tensorflow", "keras"):
        assert found[name] == version(name).split("+")[0]
    assert found["python"] == platform.python_version()
    assert machine._version("no-such-package") is None


def test_the_machine_is_this_one_and_unnamed():
    found = machine.describe()
    assert 1 <= found["cores"] <= (os.cpu_count() or 1)
    assert found["memory_gib"] >= 1
    assert platform.node() not in str(found)
    assert str(Path.home()) not in str(found)


def test_the_sentence_has_every_number():
    found = machine.describe()
    said = machine.sentence(found)
    for name in ("memory_gib", "python", "torch", "tensorflow", "keras"):
        assert str(found[name]) in said
