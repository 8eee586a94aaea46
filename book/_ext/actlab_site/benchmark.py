"""The page "What the lab costs": the committed benchmark as tables, a figure, and its reasons."""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from actlab import machine, plots
from actlab_site.tables import table

RESULTS = "benchmarks/results/ensemble-cpu.json"
# No code in the tables: the site keeps those with code wide, and lets them scroll on a phone.
TITLES = {
    "dataloader": "DataLoader loop",
    "keras_fit": "Keras fit",
    "keras_traced": "Keras fit, traced",
    "tight_loop": "tight loop by hand",
}
PEERS = {
    "torch_vmap": "torch.func.vmap",
    "jax_vmap": "JAX, vmap",
    "jax_map": "JAX, lax.map of vmap",
}
SECONDS = "seconds_per_network"
AGAINST = {**TITLES, **PEERS, "jax": "the faster JAX form"}
WORKS = ("digits, width 64", "digits, width 32", "Fashion-MNIST")
UNITS = {"networks": "networks trained together", "width": "units per layer"}

INTRODUCTION = """\
# What the lab costs

Every experiment in this course trains at least twenty networks where others train one. What does
that cost, against what you would write instead? All contenders below do the same work in one run,
in turns: draw initial weights, then train by SGD with momentum on shuffled batches of
{batch_size}. Warming up and compiling are not counted, and of the rounds of a run the fastest
counts, because whatever else the machine does only adds time. {runs}
*Peak* is the fastest rate at which the machine multiplies matrices of the same sizes when it does
nothing else.

Measured in {seconds:.0f} s on {machine}. `make bench` measures it again on your machine."""

ONE_RUN = "Shown is one whole run."
SEVERAL_RUNS = """\
Shown is the median of {n} whole runs, each in a process of its own, with the lowest and the highest
in brackets."""

READING = """\
Small networks are where it pays: one of them cannot keep a processor busy, and most of the time
goes into calling its operations. Networks of 784-512-256-256-128-10 units keep it busy alone, so
there training them together gains little.

The `DataLoader` loop and the tight loop are PyTorch, one network after another; the tight one has
no modules, no loader and no optimiser object. Keras `fit` appears twice. A loop over seeds builds,
compiles and traces a model for each of them, and that is its first row; the second counts only
what a model costs once its graph is traced."""

TOGETHER = """\
Others train many networks at once too: PyTorch's own `torch.func.vmap`, and JAX, which compiles the
whole training, loop and all, either for all networks (`jit` of `vmap`) or for a few of them at a
time (`lax.map` over batches of `vmap`; the better of two batch sizes). {compiling}"""

COMPILING = """\
Compiling is not counted: it takes JAX {seconds:.0f} s for each form and each number of networks."""
NO_JAX = "JAX was not there when this was measured."

PROFILE = """\
Of what a training step computes on one core, {products:.0%} of the time goes into the three batched
matrix products. They run there at {rate:.0%} of the speed that the same products reach on their
own, because between two of them other operands pass through the core's cache. The rest reads and
writes memory: activations, biases, the loss, the update. By the clock, one core reaches {one:.0%}
of its peak in this short run; {cores} cores reach {several:.0%} of theirs in the long one.{few}"""

FEW = """

Where networks are few and small, something else weighs, too: Python calls the operations of a step
one by one. For a network with a single unit in each layer that takes {calling:.0%} of the time of
eight networks of 32 units together, and hardly anything of it is arithmetic. What is compiled
whole, as JAX does it, does not pay that price."""


def read(root: Path) -> dict[str, Any]:
    """The committed result."""
    result: dict[str, Any] = json.loads((root / RESULTS).read_text("utf-8"))
    return result


def median(result: dict[str, Any], value: Callable[[dict[str, Any]], Any]) -> float:
    """Of one number, over the runs."""
    return statistics.median(value(run) for run in result["runs"])


def spread(result: dict[str, Any], form: str, value: Callable[[dict[str, Any]], Any]) -> str:
    """Median (lowest–highest) over the runs; the median alone where there is but one."""
    found = [value(run) for run in result["runs"]]
    text = form.format(statistics.median(found))
    return text + (f" ({form.format(min(found))}–{form.format(max(found))})" if found[1:] else "")


def page(result: dict[str, Any]) -> str:
    """The page's Markdown; its figure is ``curves/benchmark.png``."""
    runs, first = result["runs"], result["runs"][0]
    about = {
        "batch_size": first[WORKS[0]]["batch_size"],
        "runs": SEVERAL_RUNS.format(n=len(runs)) if runs[1:] else ONE_RUN,
        "seconds": sum(run["seconds"] for run in runs),
        "machine": machine.sentence(result["machine"]),
    }
    n = target_n(result)
    reasons = {
        "products": median(result, lambda run: run["profile"]["products"]),
        "rate": median(result, lambda run: run["profile"]["products_of_peak"]),
        "one": median(result, lambda run: run["profile"]["one_core"]),
        "cores": result["machine"]["cores"],
        "several": median(result, lambda run: run[WORKS[0]]["ensemble"][n]["share_of_matmul_peak"]),
        "few": "",
    }
    if "calling" in first["profile"]:
        calling = median(result, lambda run: run["profile"]["calling"])
        reasons["few"] = FEW.format(calling=calling)
    operations = [
        (name.removeprefix("aten::").replace("_", "\\_"), f"{share:.1%}")
        for name, share in first["profile"]["shares"].items()
    ]
    alt = plots.panels(growth(result))
    blocks = [
        INTRODUCTION.format(**about),
        speeds(result),
        READING,
        *together(result),
        "## What was to be reached",
        "Each target is about so many networks of a width on the digits, trained together:",
        targets(result),
        "## How the cost grows",
        f"```{{image}} curves/benchmark.png\n:alt: {alt}\n```",
        "## Where the time goes",
        PROFILE.format(**reasons),
        table(("Operation", "Time"), operations),
    ]
    return "\n\n".join(blocks) + "\n"


def speeds(result: dict[str, Any]) -> str:
    """One table per work, narrow enough for a phone: a row per way of training it."""
    blocks = []
    for work in WORKS:
        measured = result["runs"][0].get(work)
        if measured is None:
            continue
        counts = measured["ensemble"]

        def best(run: dict[str, Any], work: str = work) -> float:
            return min(row["seconds_per_network"] for row in run[work]["ensemble"].values())

        rows = []
        for name, title in TITLES.items():

            def seconds(run: dict[str, Any], work: str = work, name: str = name) -> float:
                value: float = run[work]["seconds_per_network"][name]
                return value

            rate = spread(result, "{:.2g}", lambda run, own=seconds: 1 / own(run))
            slower = median(result, lambda run, own=seconds, best=best: own(run) / best(run))
            rows.append((title, rate, f"{slower:.1f} × slower"))
        for n in counts:

            def row(run: dict[str, Any], work: str = work, n: str = n) -> dict[str, float]:
                found: dict[str, float] = run[work]["ensemble"][n]
                return found

            rate = spread(
                result, "{:.3g}", lambda run, own=row: 1 / own(run)["seconds_per_network"]
            )
            share = spread(result, "{:.0%}", lambda run, own=row: own(run)["share_of_matmul_peak"])
            rows.append((f"ensemble of {n}", rate, f"{share} of peak"))
        layers = "-".join(map(str, measured["sizes"]))
        blocks.append(
            f"**{work}**: networks of {layers} units, {measured['examples']:,} examples; "
            f"epochs: {measured['epochs']}"
        )
        blocks.append(table(("Trained by", "Per second", "That is"), rows))
    return "\n\n".join(blocks)


def together(result: dict[str, Any]) -> list[str]:
    """Those who train many networks at once, for every work and number they were timed with."""
    first, rows = result["runs"][0], []
    for work in WORKS:
        for n, peers in first.get(work, {}).get("peers", {}).items():
            for name in (name for name in PEERS if name in peers):

                def factor(
                    run: dict[str, Any], work: str = work, n: str = n, name: str = name
                ) -> float:
                    value: float = run[work]["ensemble"][n]["times_faster"][name]
                    return value

                what = f"{n} networks, {work.removeprefix('digits, ')}: {PEERS[name]}"
                rows.append((what, f"{spread(result, '{:.1f}', factor)} × slower"))
    if not rows:
        return []
    compiled = first[WORKS[0]]["jax"]
    compiling = COMPILING.format(seconds=compiled["compile_seconds"]) if compiled else NO_JAX
    return [TOGETHER.format(compiling=compiling), table(("Against", "Than the ensemble"), rows)]


def target_n(result: dict[str, Any]) -> str:
    """The number of networks that most targets are about, if it was measured."""
    counts = result["runs"][0][WORKS[0]]["ensemble"]
    return "128" if "128" in counts else max(counts, key=int)


def targets(result: dict[str, Any]) -> str:
    """What was to be reached, what was measured, and whether that is enough."""
    rows = []
    for row in result["targets"]:
        peak = row["against"] == "peak"
        title = "share of peak" if peak else f"over {AGAINST[row['against']]}"
        form = "{:.0%}" if peak else "{:.1f} ×"
        if row["measured"] is None:
            measured = "**not measured**"
        else:
            measured = form.format(row["measured"])
            low, high = row["range"]
            if low < high:
                measured += f" ({form.format(low)} to {form.format(high)})"
            measured = measured if row["reached"] else f"**{measured}, missed**"
        what = f"{row['networks']} of width {row['width']}, {title}"
        rows.append((what, form.format(row["target"]), measured))
    return table(("What", "Target", "Measured"), rows)


def growth(result: dict[str, Any], axes: Sequence[Any] | None = None) -> list[plots.Plot]:
    """Three panels: cost per network and step against N, width and depth; both axes in logs."""
    from matplotlib.ticker import LogLocator

    if axes is None:
        axes = plots.figure(rows=3, height=7.2)[1]
    drawn = []
    runs = [run["growth"] for run in result["runs"]]
    for ax, (name, measured) in zip(axes, runs[0].items(), strict=True):
        x = [int(v) for v in measured]
        each = [[1e6 * run[name][v] for run in runs] for v in measured]
        y = [statistics.median(values) for values in each]
        ax.vlines(x, [min(v) for v in each], [max(v) for v in each], color=plots.NEUTRAL[0])
        ax.loglog(x, y, marker="o", color=plots.NEUTRAL[0])
        ax.set_xticks(x, [str(v) for v in x])
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        what = UNITS.get(name, "hidden layers")
        factor = y[-1] / y[0]
        title = f"{x[-1] / x[0]:.0f} times the {name}: {factor:.0f} times the cost"
        if name == "networks":
            title = f"One network of {x[-1]} costs {factor:.0%} of one alone"
        plots.label(ax, title=title, x=what, y="µs per step")
        alt = (
            f"Cost in microseconds of one training step of one network against {what}, both axes "
            f"logarithmic: from {y[0]:.0f} at {x[0]} to {y[-1]:.0f} at {x[-1]}."
        )
        drawn.append(plots.Plot(ax, alt))
    return drawn


def picture(result: dict[str, Any]) -> bytes:
    """The figure as a PNG."""
    import matplotlib.pyplot as plt

    figure = growth(result)[0].ax.figure
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()
