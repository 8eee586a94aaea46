"""A chapter's start, silent and as the text uses it; and what a measurement was made on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from actlab import machine

# What a chapter does, up to a training step in double precision, of which TensorFlow warns too.
CHAPTER = """
import json, os, keras, numpy as np, torch
layers = [keras.Input((4,), dtype="float64"), keras.layers.Dense(3, dtype="float64")]
model = keras.Sequential(layers)
model.compile("sgd", "mse")
model.train_on_batch(np.zeros((8, 4)), np.zeros((8, 3)))
print(json.dumps([keras.config.backend(), torch.cuda.is_available()]))
"""


def run(code, **variables):
    ours = {**machine.SURROUNDINGS, "MPLBACKEND": ""}
    plain = {name: value for name, value in os.environ.items() if name not in ours} | variables
    return subprocess.run(
        [sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True
    )


def test_the_frameworks_start_silently_on_the_cpu_with_tensorflow_below_keras():
    start = "from actlab import machine\nmachine.prepare()\n"
    done = run(start + CHAPTER, KERAS_BACKEND="torch")
    assert done.stderr == ""
    assert done.stdout == '["tensorflow", false]\n'


def test_without_the_start_they_are_heard():
    # On a processor for which TensorFlow turns oneDNN off, it says other things.
    assert "oneDNN" in run(CHAPTER, TF_ENABLE_ONEDNN_OPTS="1").stderr


def test_another_backend_is_refused_and_nothing_is_changed(monkeypatch):
    keras = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    before = dict(os.environ)
    with pytest.raises(RuntimeError, match=r"already runs on 'jax'.*restart the kernel"):
        machine.prepare()
    assert dict(os.environ) == before


def test_tritons_llvm_is_loaded_before_tensorflows(tmp_path):
    """The other way round the process ends; PyTorch's CPU builds come without, so it is played."""
    (tmp_path / "triton.py").write_text("import sys\nassert 'tensorflow' not in sys.modules\n")
    start = "from actlab import machine\nmachine.prepare()\nimport sys\n"
    done = run(start + "print('triton' in sys.modules)", PYTHONPATH=str(tmp_path))
    assert done.stdout == "True\n"


def test_after_an_error_stderr_is_heard_again(capfd):
    with pytest.raises(OSError, match="Bad file descriptor"), machine._silent_stderr():
        os.write(2 * os.write(2, b"lost ") ** 9, b"an error")  # there is no such file
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"


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
