"""The page "What the lab costs": the committed benchmark as tables, a figure, and its reasons."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
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
WORKS = ("digits, width 64", "digits, width 32", "Fashion-MNIST")
UNITS = {"networks": "networks trained together", "width": "units per layer"}

INTRODUCTION = """\
# What the lab costs

Every experiment in this course trains at least twenty networks where others train one. What does
that cost, against what you would write instead? All contenders below do the same work in one run,
in turns: draw initial weights, then train by SGD with momentum on shuffled batches of
{batch_size}. Warming up is not counted, and of {rounds} rounds the fastest counts, because whatever
else the machine does only adds time (by up to {spread:.0%} between two rounds of one and the same
contender, so read the ratios with that in mind). *Peak* is the fastest rate at which the machine
multiplies matrices of the same sizes when it does nothing else.

The run shown here took {seconds:.0f} s on {machine}. `python -m benchmarks.ensemble` measures it
again on your machine."""

READING = """\
Small networks are where it pays: one of them cannot keep a processor busy, and most of the time
goes into calling its operations. Networks of 784-512-256-256-128-10 units keep it busy alone, so
there training them together gains little.

The `DataLoader` loop and the tight loop are PyTorch, one network after another; the tight one has
no modules, no loader and no optimiser object. Keras `fit` appears twice. A loop over seeds builds,
compiles and traces a model for each of them, and that is its first row; the second counts only
what a model costs once its graph is traced."""

PROFILE = """\
Of what a training step computes on one core, {products:.0%} of the time goes into the three batched
matrix products. They run there at {rate:.0%} of the speed that the same products reach on their
own, because between two of them other operands pass through the core's cache. The rest reads and
writes memory: activations, biases, the loss, the update. By the clock, one core reaches {one:.0%}
of its peak in this short run, and {cores} cores reach {several:.0%} of theirs in the long one. A
compiled step that fuses these operations would give more, but compiling one takes longer than the
experiments of a chapter."""


def read(root: Path) -> dict[str, Any]:
    """The committed result."""
    result: dict[str, Any] = json.loads((root / RESULTS).read_text("utf-8"))
    return result


def page(result: dict[str, Any]) -> str:
    """The page's Markdown; its figure is ``curves/benchmark.png``."""
    measured = result[WORKS[0]]
    profile = result["profile"]
    about = {
        "batch_size": measured["batch_size"],
        "rounds": max(len(seconds) for seconds in measured["rounds"].values()),
        "spread": max(max(seconds) / min(seconds) for seconds in measured["rounds"].values()) - 1,
        "seconds": result["seconds"],
        "machine": machine.sentence(result["machine"]),
    }
    alt = plots.panels(growth(result))
    reasons = {
        "products": profile["products"],
        "rate": profile["products_of_peak"],
        "one": profile["one_core"],
        "cores": result["machine"]["cores"],
        "several": measured["ensemble"][target_n(result)]["share_of_matmul_peak"],
    }
    operations = [
        (name.removeprefix("aten::").replace("_", "\\_"), f"{share:.1%}")
        for name, share in profile["shares"].items()
    ]
    blocks = [
        INTRODUCTION.format(**about),
        speeds(result),
        READING,
        "## What was to be reached",
        f"Targets were set before the engine was built, for N = {target_n(result)} on the digits:",
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
        if work not in result:
            continue
        measured, rows = result[work], []
        best = max(row["networks_per_second"] for row in measured["ensemble"].values())
        for name, title in TITLES.items():
            rate = 1 / measured["seconds_per_network"][name]
            rows.append((title, f"{rate:.2g}", f"{best / rate:.1f} × slower"))
        for n, row in measured["ensemble"].items():
            share = f"{row['share_of_matmul_peak']:.0%} of peak"
            rows.append((f"ensemble of {n}", f"{row['networks_per_second']:.3g}", share))
        layers = "-".join(map(str, measured["sizes"]))
        blocks.append(
            f"**{work}**: networks of {layers} units, {measured['examples']:,} examples; "
            f"epochs: {measured['epochs']}"
        )
        blocks.append(table(("Trained by", "Per second", "That is"), rows))
    return "\n\n".join(blocks)


def target_n(result: dict[str, Any]) -> str:
    """The number of networks that the targets are about, if it was measured."""
    counts = result[WORKS[0]]["ensemble"]
    return "128" if "128" in counts else max(counts, key=int)


def targets(result: dict[str, Any]) -> str:
    """What was to be reached, what was measured, and whether that is enough."""
    rows = []
    for row in result["targets"]:
        peak = row["against"] == "peak"
        title = "share of peak" if peak else f"over {TITLES[row['against']]}"
        form = "{:.0%}" if peak else "{:.1f} ×"
        measured = form.format(row["measured"])
        rows.append(
            (
                f"{row['width']} wide, {title}",
                form.format(row["target"]),
                measured if row["reached"] else f"**{measured}, missed**",
            )
        )
    return table(("What", "Target", "Measured"), rows)


def growth(result: dict[str, Any], axes: Sequence[Any] | None = None) -> list[plots.Plot]:
    """Three panels: cost per network and step against N, width and depth; both axes in logs."""
    from matplotlib.ticker import LogLocator

    if axes is None:
        axes = plots.figure(rows=3, height=7.2)[1]
    drawn = []
    for ax, (name, measured) in zip(axes, result["growth"].items(), strict=True):
        x, y = [int(v) for v in measured], [1e6 * v for v in measured.values()]
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
