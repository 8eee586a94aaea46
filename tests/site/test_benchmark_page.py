"""The page on what the lab costs shows the committed numbers, missed targets included."""

import copy
from pathlib import Path

import pytest
from actlab_site import benchmark

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def result():
    return benchmark.read(ROOT)


def again(result, factor):
    """The same with a second run that is slower by a factor, and JAX beside it."""
    runs = [copy.deepcopy(result["runs"][0]) for _ in range(2)]
    for run, times in zip(runs, (1, factor), strict=True):
        for work in benchmark.WORKS:
            for row in run[work]["ensemble"].values():
                row["seconds_per_network"] *= times
            if "width" in work:
                run[work]["jax"] = {"jax": "1.0", "compile_seconds": 8.0}
                run[work]["peers"] = {"8": dict.fromkeys(benchmark.PEERS, 0.05)}
                factors = run[work]["ensemble"]["8"]["times_faster"]
                factors |= dict.fromkeys(benchmark.PEERS, 3.0 / times)
    return {**result, "runs": runs}


def test_every_way_of_training_has_its_row(result):
    blocks = benchmark.speeds(result).split("\n\n")
    for work, text in zip(benchmark.WORKS, blocks[1::2], strict=True):
        rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
        assert len(rows) == len(benchmark.TITLES) + len(result["runs"][0][work]["ensemble"])
        rates = {row[0]: float(row[1].split()[0]) for row in rows}
        fastest = max(rate for name, rate in rates.items() if name.startswith("ensemble"))
        slow = next(row for row in rows if row[0] == benchmark.TITLES["tight_loop"])
        assert float(slow[2].split()[0]) == pytest.approx(fastest / rates[slow[0]], rel=0.1)


def test_several_runs_show_their_median_and_their_spread(result):
    two = again(result, 2.0)
    seconds = result["runs"][0]["digits, width 64"]["ensemble"]["128"]["seconds_per_network"]
    low, high = f"{1 / (2 * seconds):.3g}", f"{1 / seconds:.3g}"
    middle = f"{(1 / seconds + 1 / (2 * seconds)) / 2:.3g}"
    assert f"| ensemble of 128 | {middle} ({low}–{high}) |" in benchmark.speeds(two)
    assert "median of 2 whole runs" in benchmark.page(two)
    drawn = benchmark.growth(two)
    assert len(drawn) == 3


def test_the_peers_are_on_the_page(result):
    text = "\n".join(benchmark.together(again(result, 2.0)))
    for title in benchmark.PEERS.values():
        assert f"| 8 networks, width 64: {title} | 2.2 (1.5–3.0) × slower |" in text
    assert "it takes JAX 8 s" in text


def test_a_missed_target_is_said_to_be_missed():
    row = {"width": 64, "networks": 128, "against": "peak", "target": 0.6}
    for measured, text in (
        (
            {"measured": 0.59, "range": [0.58, 0.6], "reached": False},
            "**59% (58% to 60%), missed**",
        ),
        ({"measured": 0.61, "range": [0.61, 0.61], "reached": True}, "61%"),
        ({"measured": None, "range": None, "reached": False}, "**not measured**"),
    ):
        assert benchmark.targets({"targets": [row | measured]}).endswith(f"| 60% | {text} |")


def test_the_page_has_its_figure_with_alt_text_and_no_empty_slot(result):
    page = benchmark.page(result)
    assert ":alt: Panel A: Cost in microseconds" in page
    assert "{" not in page.replace("```{image}", "")
    drawn = benchmark.growth(result)
    labels = [plot.ax.get_xlabel() for plot in drawn]
    assert labels == [*benchmark.UNITS.values(), "hidden layers"]
