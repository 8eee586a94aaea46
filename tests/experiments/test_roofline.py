"""Ratios to a copy in the same round, pages that are counted, and functions that are compiled."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import torch

from actlab import catalog
from actlab.experiments import roofline
from actlab.study import StudyError


def surely(cases):
    return 0.95


CELLS = [(f, m) for f in roofline.FRAMEWORKS for m in ("plain", "compiled")]
NAMES = roofline.ROOFLINE.settings["activations"]


def functions(seconds):
    """Twenty rounds; ``seconds``: (framework, mode, dtype, activation, work) → how long."""
    rng = np.random.default_rng(0)
    rows = []
    for framework, mode in CELLS:
        for dtype, batch in roofline.ROOFLINE.settings["sizes"]:
            keys = [(roofline.COPY, roofline.COPY)]
            written = (roofline.RELU, roofline.ELU, roofline.TWIN)
            keys += [(name, work) for name in (*NAMES, *written) for work in ("forward", "both")]
            for round_ in range(20):
                slow = 5 if round_ == 3 else 1 + 0.01 * rng.random()
                for name, work in keys:
                    one = seconds(framework, mode, dtype, name, work)
                    rows.append((framework, mode, dtype, batch, name, work, round_, slow * one))
    columns = ["framework", "mode", "dtype", "batch", "activation", "work", "round", "seconds"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def timed(monkeypatch):
    def give(table):
        monkeypatch.setattr(roofline, "load", lambda name: table)

    return give


def test_the_share_of_the_bandwidth_counts_two_arrays_there_and_five_both_ways(timed):
    def seconds(framework, mode, dtype, name, work):
        return {"copy": 4.0, "forward": 8.0, "both": 20.0}[work]

    timed(functions(seconds))
    both = roofline.shares()["keras", "compiled"]["gelu"]
    there = roofline.shares(work="forward")["torch", "plain"]["relu"]
    assert np.allclose(both, 50)
    assert np.allclose(there, 50)
    (measured,) = roofline.bound(0, surely).values()
    assert measured.factors == ("where", "activation")
    assert len(measured.cases) == 4 * len(NAMES)
    assert measured.cases["Keras, eager", "GELU"].mean == pytest.approx(50)
    assert {one.n for one in measured.cases.values()} == {20}


def test_an_interval_covers_what_is_found_without_any_fifth_of_the_rounds():
    rng = np.random.default_rng(0)
    rounds = {root: [(("it",), 10 + rng.normal(0, 1, 20))] for root in roofline.ROOTS}
    (found,) = roofline._found(lambda root: rounds[root], surely).values()
    parts = [roofline.middle(values, 0.95) for [(_, values)] in rounds.values()]
    assert found.mean == parts[0].mean
    assert found.low == min(part.low for part in parts)
    assert found.high == max(part.high for part in parts)


@pytest.mark.parametrize(("twin", "sign"), [(1.1, -1), (1.5, 0), (1.9, 1)])
def test_the_exponential_is_the_reason_if_more_than_half_goes_with_it(timed, twin, sign):
    times = {roofline.RELU: 1.0, roofline.ELU: 2.0, roofline.TWIN: twin}
    timed(functions(lambda f, m, d, name, w: times.get(name, 1.0)))
    slower, measured = roofline.exponential(0, surely).values()
    assert (
        set(measured.cases)
        == set(slower.cases)
        == {
            (framework, work)
            for framework in ("PyTorch", "Keras")
            for work in ("forward", "forward and backward")
        }
    )
    for case, found in measured.cases.items():
        assert slower.cases[case].mean == pytest.approx(100)
        assert found.mean == pytest.approx(100 * (twin - 1 - 0.5), abs=1e-6)
        assert np.sign(round(found.mean, 6)) == sign


def test_what_is_not_slower_has_no_reason_to_be(timed):
    """ELU faster than ReLU, and its twin faster still: less than half of an extra time below 0."""
    times = {roofline.RELU: 2.0, roofline.ELU: 1.0, roofline.TWIN: 0.9}
    timed(functions(lambda f, m, d, name, w: times.get(name, 1.0)))
    found = roofline.exponential(0, surely)
    assert all(one.high < 0 for one in found[roofline.HALF].cases.values())
    assert roofline.REASON.decide(found).verdict == "refuted"


def test_bfloat16_and_the_faster_one_are_ratios_within_a_round(timed):
    def seconds(framework, mode, dtype, name, work):
        return (0.5 if dtype == "bfloat16" else 1.0) * (0.8 if name == "gelu_tanh" else 1.0)

    timed(functions(seconds))
    (half,) = roofline.half_the_bytes(0, surely).values()
    assert all(found.mean == pytest.approx(50, abs=1) for found in half.cases.values())
    (saved,) = roofline.saved("gelu_tanh", "gelu", 0, surely).values()
    assert len(saved.cases) == 8
    assert all(found.mean == pytest.approx(20) for found in saved.cases.values())


def test_a_step_is_compared_with_relus_in_the_same_round(timed):
    rows = [
        (f, m, net, i, name, (3 if i == 5 else 1) * (1.5 if name == "elu" else 1.0))
        for f, m in CELLS
        for net in roofline.NETWORKS
        for i in range(10)
        for name in roofline.STEPS.settings["activations"]
    ]
    columns = ["framework", "mode", "network", "round", "activation", "seconds"]
    timed(pd.DataFrame(rows, columns=columns))
    (measured,) = roofline.in_a_step(0, surely).values()
    assert len(measured.cases) == 4 * 3 * 5
    for (where, _, name), found in measured.cases.items():
        assert found.mean == pytest.approx(50 if name == "ELU" else 0)
        assert where != "Keras, eager"  # Keras's training steps are graphs


def test_memory_is_counted_beyond_relu_and_beside_the_same_module(timed):
    keep = {"linear": 1.0, "relu": 1.0, "gelu": 2.0, "silu in place": 1.0}
    rows = [
        (f, m, i, name, 6 * keep.get(name, 2.0) + 0.01 * i)
        for f, m in [*CELLS, ("keras", "graph")]
        for i in range(5)
        for name in (*roofline.MEMORY.settings["activations"], *roofline.IN_PLACE)
    ]
    columns = ["framework", "mode", "round", "activation", "arrays"]
    timed(pd.DataFrame(rows, columns=columns))
    (more,) = roofline.more_memory(0, surely).values()
    assert more.cases["Keras, graph", "GELU"].mean == pytest.approx(1)
    assert more.cases["PyTorch, eager", "GELU"].low == pytest.approx(1)
    (less,) = roofline.less_in_place(0, surely).values()
    assert less.cases["SiLU",].mean == pytest.approx(1)
    assert less.cases["ReLU",].mean == pytest.approx(-1)


# --- The instruments ------------------------------------------------------------------------------


def test_elu_without_the_exponential_has_its_ends_and_its_slope():
    elu = catalog.get("elu")
    x = torch.tensor([-1e6, -1e-3, 0.0, 1e-3, 5.0], dtype=torch.float64, requires_grad=True)
    for name in (roofline.ELU, roofline.TWIN):
        y = roofline._torch_function(name)(x)
        assert np.allclose(y.detach(), elu.reference(x.detach().numpy()), atol=2e-6)
        (slope,) = torch.autograd.grad(y.sum(), x)
        assert np.allclose(slope, elu.derivative(x.detach().numpy()), atol=3e-3)
    for name in (roofline.ELU, roofline.TWIN, roofline.RELU):
        written = roofline._keras_function(name)(x.detach().numpy())
        assert np.allclose(written, roofline._torch_function(name)(x).detach(), atol=1e-6)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_every_function_and_step_can_be_timed(framework, monkeypatch):
    monkeypatch.setattr(roofline, "UNITS", 8)
    rows = roofline.function_cell(
        framework,
        "plain",
        activations=("relu",),
        sizes=(("float32", 2), ("bfloat16", 1)),
        rounds=2,
        calls=1,
    )
    assert (rows.seconds > 0).all()
    assert len(rows) == 2 * 2 * (1 + 2 * 4)
    for network in roofline.NETWORKS:
        rows = roofline.step_cell(
            framework, "plain", network, activations=("relu", "linear"), rounds=1, calls=1
        )
        assert list(rows.activation) == ["relu", "linear"]


def test_in_place_is_compared_with_new_memory_in_the_same_round(timed, monkeypatch):
    monkeypatch.setattr(roofline, "UNITS", 8)
    rows = roofline.place_cell(4, rounds=2, calls=1)
    assert len(rows) == 2 * (1 + 2 * len(roofline.IN_PLACE))
    seconds = {"copy": 1.0, "new memory": 5.0, "in place": 2.0}
    rows["seconds"] = rows.work.map(seconds)
    timed(pd.concat([rows.assign(batch=256), rows.assign(batch=2_048)]))
    monkeypatch.setattr(roofline, "UNITS", 4_096)
    (measured,) = roofline.faster_in_place(0, surely).values()
    assert len(measured.cases) == 2 * len(roofline.IN_PLACE)
    assert measured.cases["32 MiB", "ReLU"].mean == pytest.approx(60)


def test_what_is_compiled_has_a_code_object_of_its_own(monkeypatch):
    """PyTorch runs the ninth function of one code object uncompiled, and only warns."""
    seen = []
    monkeypatch.setattr(torch, "compile", lambda f, **options: seen.append(f) or f)
    for i in range(3):
        assert roofline.compiled_alone(lambda x, i=i: x + i)(1) == 1 + i
    assert len({id(f.__code__) for f in seen}) == 3


PEAKS = """
import numpy as np
from actlab.experiments import roofline

roofline.own_pages()
size = 2**24

def hold(arrays):
    found = [np.ones(size // 8) for _ in range(arrays)]
    return sum(one[0] for one in found)

print(roofline.peak(lambda: hold(4)) / size)
print(roofline.peak(lambda: sum(np.ones(size // 8)[0] for _ in range(4))) / size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak")
def test_the_peak_of_memory_is_that_of_what_is_held_at_once():
    """In a process of its own, which then keeps the allocator's changed habits to itself."""
    told = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True)
    at_once, in_turn = map(float, told.stdout.split())
    assert at_once == pytest.approx(4, rel=0.05)
    assert in_turn < 2.5


@pytest.mark.parametrize(("framework", "title"), roofline.FRAMEWORKS.items())
def test_without_a_gpu_the_same_command_says_so(framework, title):
    """TensorFlow would compute on the CPU, and say nothing."""
    if torch.cuda.is_available() or tf.config.list_physical_devices("GPU"):
        pytest.skip("there is one")
    run = {"activations": (), "rounds": 1, "device": "cuda"}
    with pytest.raises(StudyError, match=f"{title} finds no CUDA device"):
        roofline.function_cell(framework, "plain", sizes=(), calls=1, **run)
    with pytest.raises(StudyError, match=f"{title} finds no CUDA device"):
        roofline.memory_cell(framework, "plain", depth=1, width=1, batch=1, **run)
    if framework == "torch":
        with pytest.raises(StudyError, match="PyTorch finds no CUDA device"):
            roofline.place_cell(1, rounds=1, calls=1, device="cuda")


def test_each_study_has_its_twin_on_a_gpu():
    for here, there in zip(
        (roofline.ROOFLINE, roofline.STEPS, roofline.MEMORY, roofline.PLACES),
        roofline.ON_GPU,
        strict=True,
    ):
        assert there.name == f"{here.name}_gpu"
        assert there.gpu
        assert not here.gpu
        assert there.settings["device"] == "cuda"


def test_the_peak_on_a_gpu_is_above_what_was_there(monkeypatch):
    held = {"now": 100, "most": 900}
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: held.update(most=100))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: held["now"])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: held["most"])
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert roofline.peak_on_gpu(lambda: held.update(most=350), "torch") == 250
    memory = tf.config.experimental
    monkeypatch.setattr(memory, "reset_memory_stats", lambda device: held.update(most=100))
    told = {"current": "now", "peak": "most"}
    monkeypatch.setattr(
        memory, "get_memory_info", lambda device: {key: held[of] for key, of in told.items()}
    )
    assert roofline.peak_on_gpu(lambda: held.update(most=350), "keras") == 250


def test_whatever_waits_the_gradient_is_the_same(monkeypatch):
    """By what is kept the ways are told apart: a mask has a quarter of the output's bytes."""
    made = {}
    monkeypatch.setattr(roofline, "UNITS", 64)
    monkeypatch.setattr(roofline, "compiled_alone", lambda function: function)
    monkeypatch.setattr(roofline, "in_turns", lambda calls, *rest: made.update(calls))
    roofline.mask_cell(4, rounds=1, calls=1)
    ways = (roofline.WHOLE, roofline.MASK, roofline.OUTPUT)
    slopes = [made[roofline.RELU, way]()[0] for way in ways]
    assert all(torch.equal(slope, slopes[0]) for slope in slopes)
    assert set(slopes[0].unique().tolist()) == {0, 1}

    def kept(way):
        seen = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: seen.append(tensor.nbytes) or tensor, lambda tensor: tensor
        ):
            made[roofline.RELU, way]()
        return sum(seen)

    assert kept(roofline.OUTPUT) == 4 * kept(roofline.MASK)


@pytest.mark.parametrize("compiled", [False, True])
def test_forward_and_backward_does_compute_the_output(compiled):
    """XLA leaves out what nobody reads: of one program of both the forward pass would be gone."""
    forward, both = roofline.keras_functions("elu", (4, 9), "float32", compiled, "cpu")
    x = forward.args[-1]
    slope = catalog.get("elu").derivative(x.numpy().astype(float))
    assert np.allclose(both(), slope, atol=1e-6)
    if compiled:
        alone = inspect.getclosurevars(both).nonlocals["function"]
        assert alone is forward.func
        assert alone._jit_compile
        assert np.allclose(alone(x), catalog.get("elu").reference(x.numpy().astype(float)))
