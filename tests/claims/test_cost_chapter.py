"""What chapter 15 says in words is what the studies and the functions say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from actlab import claims
from actlab.exercises import own
from actlab.experiments import roofline

CHAPTER = (Path(__file__).parents[2] / "notebooks/15_cost.py").read_text("utf-8")
WORDS = " ".join(CHAPTER.replace("\n# ", " ").replace(" > ", " ").split())


def recorded(name):
    return claims.get(name).recorded()


def test_the_worked_numbers():
    assert "forward and backward together carry five arrays, where a copy carries two" in (
        WORDS.lower()
    )
    assert roofline.MOVED == {"copy": 2, "forward": 2, "both": 5}
    assert "If a copy takes 4 ms, they take 10 at least; a function that takes 40" in WORDS
    assert 4 / 2 * 5 == 10
    assert "at a quarter of the roof" in WORDS
    assert "At $-1$ it is $-0.5$, where ELU is $-0.63$" in WORDS
    x = torch.tensor([-1.0])
    assert roofline._torch_function(roofline.TWIN)(x).item() == -0.5
    assert round(functional.elu(x).item(), 2) == -0.63
    assert "where the output $y$ is 0.6 it is 0.64" in WORDS
    assert round(1 - 0.6**2, 2) == 0.64
    assert "Where the output is $-0.5$, the slope is 0.5" in WORDS
    x = torch.log(torch.tensor(0.5)).requires_grad_()
    functional.elu(x).backward()
    assert x.grad.item() == pytest.approx(0.5)
    assert "to read 93 % of the test digits" in WORDS
    assert own.ENOUGH == 0.93
    rows, units = 2_048, roofline.UNITS
    assert "(eight million numbers)" in WORDS
    assert round(rows * units / 1e6) == 8
    assert rows == roofline.ALL


PAGES = """
import resource
from keras import ops
import torch

def new_pages(call):
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

x = torch.ones(2_048, 4_096)
same = ops.ones((2_048, 4_096))
print(new_pages(lambda: torch.relu(x)), new_pages(lambda: ops.relu(same)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts them")
def test_pytorch_fetches_new_pages_and_tensorflow_keeps_its_own():
    assert "TensorFlow keeps its memory" in WORDS
    habits = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if habits.exists() and "[always]" in habits.read_text():
        pytest.skip("pages are larger here")
    told = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)
    pytorch, tensorflow = map(int, told.stdout.split())
    assert pytorch >= 8_192
    assert tensorflow < 1_000


def test_what_is_near_the_roof():
    """And that a copy is a roof is an expectation: leaky ReLU on 4 MiB is faster."""
    assert "no activation should be faster than a copy" in WORDS
    assert "Half of Keras's functions, op by op, are near the roof, with an exponential or" in WORDS
    near = [case for case, *_ in recorded("cost-memory-bound").decision.passing]
    assert near.count("Keras, eager") == 6
    assert ("Keras, eager", "ELU") in recorded("cost-memory-bound").decision.passing
    assert len(roofline.reached("keras")["Keras, eager"]) == 12
    leaky = roofline.by_size(("leaky_relu",))["Leaky ReLU"]
    assert leaky["4 MiB"].mean > 110


def test_why_leaky_relu_keeps_its_input():
    assert "a negative slope may be given as a negative number" in WORDS
    x = torch.tensor([-1.0, 1.0])
    assert functional.leaky_relu(x, -1.0).tolist() == [1, 1]


def seconds_of(framework, mode):
    return roofline.times()[framework, mode]


def test_new_memory_comes_page_by_page():
    assert "page by page of 4 KiB, when they are first touched: 8,192 times for 32 MiB" in WORDS
    assert 8_192 * 4 == 32 * 1_024
    assert 4 * roofline.ALL * roofline.UNITS == 32 * 2**20
    assert "On 4 MiB it is about as fast as a copy, on 32 MiB it is not" in WORDS
    relu = roofline.by_size(("relu",))["ReLU"]
    assert relu["4 MiB"].low < 100 < relu["4 MiB"].high
    assert relu["32 MiB"].high < 33
    faster = recorded("cost-in-place-faster")
    assert {case for case, *_ in faster.decision.passing} == {"4 MiB", "32 MiB"}
    assert len([case for case in faster.decision.passing if case[0] == "32 MiB"]) == 6


def test_relu_is_the_slowest_when_it_is_compiled():
    assert "Compiled, ReLU is the *slowest* of all, with leaky ReLU" in WORDS
    found = roofline.reached("torch")["PyTorch, compiled"]
    order = sorted(found, key=lambda name: found[name].mean)
    assert set(order[:2]) == {"ReLU", "Leaky ReLU"}
    assert "the transformer block is *faster* with GELU than with ReLU" in WORDS
    (step,) = recorded("cost-step").measured.values()
    assert step.cases["PyTorch, compiled", "transformer", "GELU"].high < 0
    assert "convolutional network takes two thirds longer with leaky ReLU" in WORDS
    leaky = step.cases["PyTorch, compiled", "convolutional", "Leaky ReLU"]
    assert leaky.mean == pytest.approx(100 * 2 / 3, abs=3)


def test_the_share_of_a_step():
    assert "Up to a quarter of the step is GELU's, in the convolutional network" in WORDS
    found = {
        (where, network): share.mean
        for where, by_network in roofline.share_of_a_step("gelu").items()
        for network, share in by_network.items()
    }
    assert max(found, key=found.get) == ("PyTorch, eager", "convolutional")
    assert max(found.values()) == pytest.approx(25, abs=1)


def test_what_the_compiler_keeps_of_relu_is_a_yes_or_no():
    """By the same rules as inductor's, without its C++."""
    assert "keeps a mask for the way back, a yes or no for every number" in WORDS
    relu = torch.compile(torch.relu, backend="aot_eager_decomp_partition")
    kept = []
    x = torch.randn(64, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        relu(x)
    assert [tensor.dtype for tensor in kept] == [torch.bool]


def test_what_is_said_of_the_verdicts():
    assert "Forward the document is right about the reason" in WORDS
    reason = recorded("cost-exponential")
    assert reason.decision.passing == (("PyTorch", "forward"), ("Keras", "forward"))
    assert "in PyTorch ELU is then no slower than the strange ReLU" in WORDS
    assert reason.measured[roofline.ELUS].cases["PyTorch", "forward and backward"].high < 0
    assert "in Keras its twin without the exponential is no faster than ELU" in WORDS
    seconds = seconds_of("keras", "compiled")
    full, bare = (np.median(seconds[name, "both"]) for name in (roofline.ELU, roofline.TWIN))
    assert full < 1.05 * bare
    assert "is slower in seven of eight cases, up to three times and more" in WORDS
    (saved,) = recorded("cost-gelu-tanh").measured.values()
    assert sum(found.high < 0 for found in saved.cases.values()) == 7
    longest = 1 / (1 + min(found.mean for found in saved.cases.values()) / 100)
    assert 3 < longest < 4
    assert len(saved.cases) == 8
    assert "in the eighth, forward by XLA, it saves a third" in WORDS
    assert saved.cases["Keras, compiled", "forward"].mean == pytest.approx(100 / 3, abs=4)
    assert recorded("cost-gelu-tanh").verdict == "not shown"
    assert "That hard SiLU saves 30 % of SiLU's time was [not shown]" in WORDS
    assert recorded("cost-hard-silu").verdict == "not shown"
    assert "are [not everywhere half the time]" in WORDS
    assert recorded("cost-bfloat16").verdict == "holds when …"


def test_what_is_said_of_memory():
    held = roofline.held().groupby(["framework", "mode"]).mean()
    plain = held.loc["torch", "plain"]
    assert "without any activation a training step holds about one array a layer" in WORDS
    assert round(plain["linear"]) == 1
    assert "With tanh it holds as many" in WORDS
    assert plain["tanh"] == pytest.approx(plain["linear"], abs=0.01)
    keras = held.loc["keras", "plain"]
    assert "five arrays in six are 0.8" in WORDS
    assert round(5 / 6, 1) == 0.8 == round(plain["elu"] - plain["linear"], 1)
    assert roofline.MEMORY.settings["depth"] == 6
    assert "run op by op, it holds several times as many" in WORDS
    assert keras["gelu"] > 3 * keras["linear"]
    assert "In place ReLU saves nothing in training" in WORDS
    saved = {name: plain[name] - plain[f"{name} in place"] for name in ("relu", "elu", "mish")}
    assert saved == pytest.approx({"relu": 0, "elu": 0.83, "mish": 0}, abs=0.02)
    trap = next(row for row in claims.rows()["15_cost"]).trap
    assert "seven arrays more than with ReLU" in trap
    assert round(keras["gelu_tanh"] - keras["relu"]) == 7
    assert "`fit` makes a graph of it first, and puts aside fewer" in WORDS
    assert held.loc["keras", "graph"]["gelu_tanh"] < 0.7 * keras["gelu_tanh"]


def test_it_is_the_mask_that_makes_compiled_relu_slow():
    """What was measured, and that the compiler does keep one: with the mask alone it is as slow."""
    assert "It is the mask, kept because it has a quarter of the output's bytes." in WORDS
    ways = roofline.by_what_is_kept()["32 MiB"]
    whole, mask, output = (ways[w] for w in (roofline.WHOLE, roofline.MASK, roofline.OUTPUT))
    assert whole.low < mask.high
    assert mask.low < whole.high
    assert output.high < 100 < 200 < mask.low
    assert torch.ones(8, dtype=torch.bool).nbytes * 4 == torch.ones(8).nbytes


def test_the_speed_of_a_copy_is_that_of_the_table(monkeypatch):
    """Read and written: 2 arrays of 32 MiB in 4 ms are 16.8 gigabytes a second."""
    seconds = {("torch", "plain"): {(roofline.COPY, roofline.COPY): np.array([0.004, 0.004, 9])}}
    monkeypatch.setattr(roofline, "times", lambda: seconds)
    assert roofline.copied() == pytest.approx(2 * 2**25 / 0.004 / 1e9)
