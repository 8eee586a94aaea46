"""The page on what the lab costs shows the committed numbers, missed targets included."""

from pathlib import Path

import pytest
from actlab_site import benchmark

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def result():
    return benchmark.read(ROOT)


def test_every_way_of_training_has_its_row(result):
    blocks = benchmark.speeds(result).split("\n\n")
    for work, text in zip(benchmark.WORKS, blocks[1::2], strict=True):
        rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
        assert len(rows) == len(benchmark.TITLES) + len(result[work]["ensemble"])
        fastest = max(float(row[1]) for row in rows if row[0].startswith("ensemble"))
        slow = next(row for row in rows if row[0] == benchmark.TITLES["tight_loop"])
        assert float(slow[2].split()[0]) == pytest.approx(fastest / float(slow[1]), rel=0.06)


def test_a_missed_target_is_said_to_be_missed():
    row = {"width": 64, "against": "peak", "target": 0.6, "measured": 0.59, "reached": False}
    assert benchmark.targets({"targets": [row]}).endswith("| 60% | **59%, missed** |")
    row |= {"measured": 0.61, "reached": True}
    assert benchmark.targets({"targets": [row]}).endswith("| 60% | 61% |")


def test_the_page_has_its_figure_with_alt_text_and_no_empty_slot(result):
    page = benchmark.page(result)
    assert ":alt: Panel A: Cost in microseconds" in page
    assert "{" not in page.replace("```{image}", "")
    drawn = benchmark.growth(result)
    labels = [plot.ax.get_xlabel() for plot in drawn]
    assert labels == [*benchmark.UNITS.values(), "hidden layers"]
