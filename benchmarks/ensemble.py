"""What the ensemble costs, against what a reader would write instead.

    python -m benchmarks.ensemble --runs 3  # about ten minutes; writes results/ensemble-cpu.json
    python -m benchmarks.ensemble --quick   # half a minute, to see that it runs; writes nothing

Every run is a process of its own, and the median of the runs counts. All contenders do the same
work in one run, in turns: draw initial weights, then train by SGD with momentum on shuffled
batches, without looking at other data. Warming up and compiling are not counted.

- ``dataloader``: ``torch.utils.data.DataLoader``, ``nn.Sequential``, ``torch.optim.SGD``,
  one model after another;
- ``keras_fit``: a new model built, compiled and fitted by ``keras.Model.fit``, one after another;
- ``keras_traced``: the same, but only ``fit`` of a model whose graph was traced before;
- ``tight_loop``: by hand, as lean as PyTorch's autograd allows;
- ``ensemble``: :func:`actlab.ensemble.train`;
- ``torch_vmap``: many networks at once by ``torch.func``: ``vmap`` of ``grad``;
- ``jax_vmap``, ``jax_map``: the same by JAX, in an environment of its own (`make bench` makes it):
  ``jit`` of ``vmap``, and of ``lax.map`` over the better of two batch sizes of ``vmap``.

Small networks lose more by sharing their operations between cores than they gain, so the PyTorch
loops are timed with one thread and with all, and the faster one counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from actlab import data, ensemble, machine

RESULTS = Path(__file__).parent / "results"
BATCH, LR, MOMENTUM = 128, 0.05, 0.9
# At (width, networks): how many times as fast, or what share of the peak.
TARGETS: dict[tuple[int, int], dict[str, float]] = {
    (64, 128): {
        "dataloader": 7,
        "keras_fit": 50,
        "keras_traced": 50,
        "tight_loop": 4,
        "jax": 2,
        "peak": 0.6,
    },
    (32, 128): {"dataloader": 12, "tight_loop": 7, "jax": 2},
    (64, 8): {"jax": 1.3},
    (32, 8): {"jax": 1.3},
}
KERAS = ("keras_fit", "keras_traced")
PEERS = ("torch_vmap", "jax_vmap", "jax_map")
PEER_COUNTS = (8, 128)
JAX_PYTHON = Path(__file__).parents[1] / ".venv-bench" / "bin" / "python"
PRODUCTS = ("aten::baddbmm_", "aten::baddbmm", "aten::bmm")  # for dW, the output, dx


@dataclass(frozen=True)
class Work:
    """One network's training: fully connected ReLU layers on (x, y), so many epochs."""

    x: torch.Tensor
    y: torch.Tensor
    hidden: tuple[int, ...]
    epochs: int
    device: str = "cpu"

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """(units in, units out) of the linear layers."""
        widths = (self.x.shape[1], *self.hidden, int(self.y.max()) + 1)
        return list(itertools.pairwise(widths))

    @property
    def flops(self) -> int:
        """Of the matrix products alone: forward, weight gradient, input gradient but the first."""
        per_example = (
            sum(6 * i * o for i, o in self.sizes) - 2 * self.sizes[0][0] * self.sizes[0][1]
        )
        return per_example * len(self.x) * self.epochs

    def model(self) -> nn.Sequential:
        """As ``torch.nn`` makes it."""
        layers: list[nn.Module] = []
        for i, o in self.sizes:
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1]).to(self.device)


def work_on(name: str, hidden: Sequence[int], epochs: int, size: int | None, device: str) -> Work:
    """The work on (part of) a data set's training examples."""
    d = data.load(name, size=size)
    x, y = torch.as_tensor(d.x_train).to(device), torch.as_tensor(d.y_train).to(device)
    return Work(x, y, tuple(hidden), epochs, device)


# --- The contenders: each trains n networks -------------------------------------------------------


def dataloader(work: Work, n: int) -> nn.Module:
    """The usual loop; returns the last network."""
    for seed in range(n):
        torch.manual_seed(seed)
        model = work.model()
        optimiser = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
        dataset = torch.utils.data.TensorDataset(work.x, work.y)
        loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
        loss_function = nn.CrossEntropyLoss()
        for _ in range(work.epochs):
            for x, y in loader:
                optimiser.zero_grad()
                loss_function(model(x), y).backward()
                optimiser.step()
    return model


def tight_loop(work: Work, n: int) -> list[torch.Tensor]:
    """No modules, no loader, no optimiser object; returns the last network's weights."""
    for seed in range(n):
        torch.manual_seed(seed)
        linears = [m for m in work.model() if isinstance(m, nn.Linear)]
        weights = [p.detach().requires_grad_() for m in linears for p in (m.weight, m.bias)]
        velocities = [torch.zeros_like(w) for w in weights]
        for _ in range(work.epochs):
            order = torch.randperm(len(work.x), device=work.device)
            for x, y in zip(
                torch.split(work.x[order], BATCH), torch.split(work.y[order], BATCH), strict=True
            ):
                h = x
                for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
                    h = torch.relu(torch.addmm(b, h, w.t()))
                logits = torch.addmm(weights[-1], h, weights[-2].t())
                gradients = torch.autograd.grad(nn.functional.cross_entropy(logits, y), weights)
                with torch.no_grad():
                    torch._foreach_mul_(velocities, MOMENTUM)
                    torch._foreach_add_(velocities, gradients)
                    torch._foreach_add_(weights, velocities, alpha=-LR)
    return weights


def torch_vmap(work: Work, n: int) -> list[torch.Tensor]:
    """Stacked weights, and ``torch.func`` for the gradients; returns all networks' weights."""
    starts = []
    for seed in range(n):
        torch.manual_seed(seed)
        linears = [m for m in work.model() if isinstance(m, nn.Linear)]
        starts.append([p.detach() for m in linears for p in (m.weight, m.bias)])
    weights = [torch.stack(own) for own in zip(*starts, strict=True)]
    velocities = [torch.zeros_like(w) for w in weights]

    def loss(weights: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = torch.relu(nn.functional.linear(x, w, b))
        return nn.functional.cross_entropy(nn.functional.linear(x, *weights[-2:]), y)

    gradient = torch.func.vmap(torch.func.grad(loss))
    for _ in range(work.epochs):
        order = torch.stack([torch.randperm(len(work.x)) for _ in range(n)]).to(work.device)
        for rows in torch.split(order, BATCH, 1):
            gradients = gradient(weights, work.x[rows], work.y[rows])
            torch._foreach_mul_(velocities, MOMENTUM)
            torch._foreach_add_(velocities, gradients)
            torch._foreach_add_(weights, velocities, alpha=-LR)
    return weights


class Jax:
    """JAX in its own process and environment; :meth:`seconds` has it time itself once more."""

    def __init__(self, work: Work, counts: Sequence[int]) -> None:
        with tempfile.NamedTemporaryFile(suffix=".npz") as file:
            np.savez(
                file, x=work.x.cpu(), y=work.y.cpu(), hidden=work.hidden, epochs=work.epochs,
                batch=BATCH, lr=LR, momentum=MOMENTUM, counts=counts,
            )  # fmt: skip
            file.flush()
            self.process = subprocess.Popen(
                [JAX_PYTHON, Path(__file__).with_name("jax_peer.py"), file.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.about = self._answer()  # it has read the file by now

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("benchmarks/jax_peer.py gave no answer; its own message is above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def seconds(self) -> dict[str, float]:
        """Per network: form and number of networks, as in :func:`compare`."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return {
            f"jax_{form}, N={n}": value
            for n, forms in self._answer().items()
            for form, value in forms.items()
        }

    def __enter__(self) -> Jax:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def keras_model(work: Work) -> Any:
    """Built and compiled."""
    import keras

    layers = [keras.Input((work.x.shape[1],))]
    layers += [keras.layers.Dense(width, activation="relu") for width in work.hidden]
    model = keras.Sequential([*layers, keras.layers.Dense(work.sizes[-1][1])])
    model.compile(
        keras.optimizers.SGD(LR, momentum=MOMENTUM),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def time_keras(work: Work) -> tuple[float, float]:
    """Seconds for one network: all of it, and ``fit`` alone once its graph is traced."""
    x, y = work.x.cpu().numpy(), work.y.cpu().numpy()
    with Clock(work.device) as whole:
        model = keras_model(work)
        model.fit(x, y, batch_size=BATCH, epochs=work.epochs, verbose=0)
    with Clock(work.device) as traced:
        model.fit(x, y, batch_size=BATCH, epochs=work.epochs, verbose=0)
    return whole.seconds, traced.seconds


def train_ensemble(work: Work, n: int) -> ensemble.Result:
    """The same with the lab's engine."""
    return ensemble.train(
        (work.x.cpu(), work.y.cpu()), seeds=n, hidden=work.hidden, epochs=work.epochs,
        batch_size=BATCH, lr=LR, momentum=MOMENTUM, device=work.device, keep_weights=False,
        progress=False,
    )  # fmt: skip


# --- Measuring ------------------------------------------------------------------------------------


class Clock:
    """Wall time, with the GPU's queue emptied at both ends."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.seconds = 0.0

    def _synchronise(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def __enter__(self) -> Clock:
        self._synchronise()
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._synchronise()
        self.seconds = time.perf_counter() - self._began


@contextmanager
def threads(number: int) -> Iterator[None]:
    """PyTorch with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def seconds_each(contender: Callable[[Work, int], Any], work: Work, n: int) -> float:
    """Seconds per network."""
    with Clock(work.device) as clock:
        contender(work, n)
    return clock.seconds / n


def matmul_peak(work: Work, repeats: int, flops_per_timing: float = 2e9) -> float:
    """The best rate (flop/s) of batched products of any of the work's layers."""
    best = 0.0
    for fan_in, fan_out in set(work.sizes):
        for count in (4, 8, 16, 32, 64) if work.device == "cpu" else (64, 256, 1024):
            flops = 2 * count * fan_in * fan_out * BATCH
            if flops > 2e10 and count > 4:
                continue
            weight = torch.randn(count, fan_out, fan_in, device=work.device)
            x = torch.randn(count, fan_in, BATCH, device=work.device)
            out = torch.empty(count, fan_out, BATCH, device=work.device)
            calls = max(1, int(flops_per_timing / flops))
            for _ in range(repeats):
                with Clock(work.device) as clock:
                    for _ in range(calls):
                        torch.bmm(weight, x, out=out)
                best = max(best, calls * flops / clock.seconds)
    return best


def compare(
    work: Work, counts: Sequence[int], baseline_n: int, rounds: int, peer_counts: Sequence[int] = ()
) -> dict[str, Any]:
    """Seconds per network of every contender, round by round, and what follows from them."""
    cores = torch.get_num_threads()
    loops: dict[str, Callable[[Work, int], Any]] = {
        "dataloader": dataloader,
        "tight_loop": tight_loop,
    }
    short = Work(work.x, work.y, work.hidden, 1, work.device)
    for contender in (*loops.values(), train_ensemble, torch_vmap):
        contender(short, cores)
    time_keras(short)
    seconds: dict[str, list[float]] = {}
    peaks = []
    with ExitStack() as stack:
        jax = None
        if peer_counts and work.device == "cpu" and JAX_PYTHON.exists():
            jax = stack.enter_context(Jax(work, peer_counts))
        for _ in range(rounds):
            for name, loop in loops.items():
                for number in sorted({1, cores}):
                    with threads(number):
                        key = f"{name}, {number} thread{'s' * (number > 1)}"
                        seconds.setdefault(key, []).append(seconds_each(loop, work, baseline_n))
            for name, value in zip(KERAS, time_keras(work), strict=True):
                seconds.setdefault(name, []).append(value)
            for n in counts:
                once = seconds_each(train_ensemble, work, n)
                seconds.setdefault(f"ensemble, N={n}", []).append(once)
            for n in peer_counts:
                once = seconds_each(torch_vmap, work, n)
                seconds.setdefault(f"torch_vmap, N={n}", []).append(once)
            for key, value in (jax.seconds() if jax else {}).items():
                seconds.setdefault(key, []).append(value)
            peaks.append(matmul_peak(work, 5) if rounds > 1 else matmul_peak(work, 2, 5e7))
    # Of several rounds the fastest: whatever else the machine did only ever adds time.
    best = {name: min(values) for name, values in seconds.items()}
    best |= {name: min(v for k, v in best.items() if k.startswith(name)) for name in loops}
    peak = max(peaks)
    peers = {
        str(n): {
            name: min(times)
            for name in PEERS
            if (
                times := [
                    value
                    for key, value in best.items()
                    if key.startswith(name) and key.endswith(f", N={n}")
                ]
            )
        }
        for n in peer_counts
    }

    def faster(n: int) -> dict[str, float]:
        rivals = {**{name: best[name] for name in (*loops, *KERAS)}, **peers.get(str(n), {})}
        if in_jax := [value for name, value in rivals.items() if name.startswith("jax")]:
            rivals["jax"] = min(in_jax)
        return {name: value / best[f"ensemble, N={n}"] for name, value in rivals.items()}

    return {
        "sizes": [work.x.shape[1], *work.hidden, work.sizes[-1][1]],
        "examples": len(work.x),
        "epochs": work.epochs,
        "batch_size": BATCH,
        "flops_per_network": work.flops,
        "matmul_peak_gflops": peak / 1e9,
        "seconds_per_network": {name: best[name] for name in (*loops, *KERAS)},
        "peers": peers,
        "jax": jax.about if jax else None,
        "ensemble": {
            str(n): {
                "seconds_per_network": best[f"ensemble, N={n}"],
                "times_faster": faster(n),
                "share_of_matmul_peak": work.flops / best[f"ensemble, N={n}"] / peak,
            }
            for n in counts
        },
        "rounds": seconds,
    }


def growth(base: Work, epochs: int, n: int, values: dict[str, Sequence[int]]) -> dict[str, Any]:
    """Seconds per network and step against the number of networks, the width and the depth."""
    steps = epochs * -(-len(base.x) // BATCH)

    def cost(count: int, width: int, depth: int) -> float:
        work = Work(base.x, base.y, (width,) * depth, epochs, base.device)
        train_ensemble(Work(base.x, base.y, (width,) * depth, 1, base.device), min(count, 4))
        return min(seconds_each(train_ensemble, work, count) for _ in range(2)) / steps

    return {
        "networks": {str(v): cost(v, 64, 5) for v in values["networks"]},
        "width": {str(v): cost(n, v, 5) for v in values["width"]},
        "depth": {str(v): cost(n, 64, v) for v in values["depth"]},
    }


def profile(work: Work) -> dict[str, Any]:
    """Where a training step's time goes; one thread, so that the profiler sees it all.

    ``shares``: of the processor's time, by operation. ``products``: the share of the three batched
    matrix products together. ``products_of_peak``: how fast they run there, among everything else
    that wants the cache, against the fastest product measured on its own. ``one_core``: the share
    of that peak reached by the clock, which also counts what Python does between operations.
    ``calling``: what a network with one unit a layer takes, which is the price of calling the
    operations of a step at all, as a share of what eight networks of width 32 take together.
    """
    from torch.profiler import ProfilerActivity

    n = 24
    once = Work(work.x, work.y, work.hidden, min(work.epochs, 5), work.device)
    with threads(1):
        train_ensemble(once, n)  # warm
        peak = matmul_peak(work, 5)
        seconds = min(seconds_each(train_ensemble, once, n) for _ in range(3))
        with torch.profiler.profile(activities=[ProfilerActivity.CPU]) as seen:
            train_ensemble(once, n)
        few, least = (Work(work.x, work.y, (w,) * 5, once.epochs, work.device) for w in (32, 1))
        calls, together = (
            min(n * seconds_each(train_ensemble, job, n) for _ in range(5))
            for job, n in ((least, 1), (few, 8))
        )
    events = seen.key_averages()
    microseconds = {event.key: event.self_cpu_time_total for event in events}
    total = sum(microseconds.values())
    products = sum(microseconds[name] for name in PRODUCTS)
    shares = {name: spent / total for name, spent in microseconds.items()}
    return {
        "shares": dict(sorted(shares.items(), key=lambda item: -item[1])[:15]),
        "products": products / total,
        "products_of_peak": n * once.flops / (1e-6 * products) / peak,
        "one_core": once.flops / seconds / peak,
        "calling": calls / together,
    }


def measure(quick: bool = False, device: str | None = None) -> dict[str, Any]:
    """One whole run."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    epochs, rounds, baseline_n = (1, 1, 1) if quick else (10, 3, 3)
    counts: tuple[int, ...] = (1, 8) if quick else (1, 8, 32, 128)
    peer_counts = (8,) if quick else PEER_COUNTS
    if device == "cuda" and not quick:
        counts = (*counts, 1024, 4096)
    started = time.perf_counter()
    result: dict[str, Any] = {"device": device, "quick": quick, "machine": machine.describe()}
    size = 300 if quick else None
    for width in (64, 32):
        digits = work_on("digits", (width,) * 5, epochs, size, device)
        result[f"digits, width {width}"] = compare(digits, counts, baseline_n, rounds, peer_counts)
    if data.available("fashion_mnist"):
        fashion = work_on("fashion_mnist", (512, 256, 256, 128), 1, size or 10_000, device)
        result["Fashion-MNIST"] = compare(fashion, (1, 2) if quick else (1, 8), 1, 1)
    digits = work_on("digits", (64,) * 5, epochs, size, device)
    if device == "cpu":
        result["profile"] = profile(digits)
    result["growth"] = growth(
        digits,
        *((1, 4) if quick else (3, 32)),
        {
            "networks": (1, 4) if quick else (1, 2, 4, 8, 16, 32, 64, 128, 256),
            "width": (16, 32) if quick else (8, 16, 32, 64, 128, 256),
            "depth": (1, 2) if quick else (1, 2, 5, 10, 20, 40),
        },
    )
    result["seconds"] = time.perf_counter() - started
    return result


def targets(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was to be reached and what was: the median of the runs, the lowest and the highest.

    ``measured`` is ``None`` where no run has it (JAX is not there, or a quick run has fewer
    networks), and then the target is not reached.
    """
    rows = []
    for (width, n), wanted in TARGETS.items():
        seen = [run[f"digits, width {width}"]["ensemble"].get(str(n), {}) for run in runs]
        for name, target in wanted.items():
            shares = [row.get("share_of_matmul_peak") for row in seen]
            factors = [row.get("times_faster", {}).get(name) for row in seen]
            found = [v for v in (shares if name == "peak" else factors) if v is not None]
            measured = statistics.median(found) if found else None
            rows.append(
                {
                    "width": width,
                    "networks": n,
                    "against": name,
                    "target": target,
                    "measured": measured,
                    "range": [min(found), max(found)] if found else None,
                    "reached": measured is not None and measured >= target,
                }
            )
    return rows


def several(runs: int, arguments: Sequence[str]) -> dict[str, Any]:
    """So many whole runs, each in a process of its own, and what follows from them together."""
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        # What JAX compiled in the first run, the others need not compile again.
        around = {**os.environ, "JAX_COMPILATION_CACHE_DIR": folder}
        for number in range(1, runs + 1):
            print(f"run {number} of {runs} …", flush=True)
            file = Path(folder) / "run.json"
            module = [sys.executable, "-m", "benchmarks.ensemble", "--one", str(file), *arguments]
            subprocess.run(module, check=True, env=around)
            done.append(json.loads(file.read_text()))
            print(f"  {done[-1]['seconds']:.0f} s", flush=True)
    common = {name: done[0][name] for name in ("device", "quick", "machine")}
    own = [{key: value for key, value in run.items() if key not in common} for run in done]
    return {**common, "targets": targets(own), "runs": own}


def main() -> None:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(description="What the ensemble costs.")
    parser.add_argument("--runs", type=int, default=1, help="whole runs; the median counts")
    parser.add_argument("--quick", action="store_true", help="half a minute; writes nothing")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: the GPU if any")
    parser.add_argument("--one", metavar="FILE", help="one run, into a file")
    arguments = parser.parse_args()
    if arguments.one:
        run = measure(arguments.quick, arguments.device)
        Path(arguments.one).write_text(json.dumps(run))
        return
    if not JAX_PYTHON.exists():
        print(
            f"JAX is not measured: there is no {JAX_PYTHON.parents[1].name}; 'make bench' makes it "
            "from benchmarks/requirements.txt."
        )
    passed = ["--quick"] * arguments.quick
    passed += ["--device", arguments.device] if arguments.device else []
    result = several(arguments.runs, passed)
    print(machine.sentence(result["machine"]))
    for row in result["targets"]:
        measured = "not measured"
        if row["measured"] is not None:
            low, high = row["range"]
            measured = f"{row['measured']:.2f} ({low:.2f} to {high:.2f}) of {row['target']}"
            measured += " reached" if row["reached"] else " NOT reached"
        print(f"width {row['width']}, N={row['networks']}, {row['against']}: {measured}")
    if not arguments.quick:
        path = RESULTS / f"ensemble-{'cpu' if result['device'] == 'cpu' else 'gpu'}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
