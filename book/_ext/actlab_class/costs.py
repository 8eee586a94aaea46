"""The page of seconds and memory: every chapter on every surface on which it was run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from actlab_site.tables import table

from actlab_class import lessons
from actlab_class.lessons import Lesson

RESULTS = ("tests/surfaces/environments.json", "tests/surfaces/processors.json")
SURFACES = {
    "lowest": "the oldest versions that the course takes",
    "colab": "the versions of Colab",
    "newest": "the newest versions",
    "avx2": "a processor with AVX2",
    "old": "a processor without AVX2",
    "old_one_core": "such a processor, one core",
}
ROOM = 2000  # MB that Binder gives, and many a hub


def page(found: Sequence[Lesson], root: Path, repository: str) -> str:
    """The page's Markdown."""
    surfaces = results(root)
    prints = {
        lesson.name: lessons.fingerprint(
            json.loads((root / "notebooks" / f"{lesson.name}.ipynb").read_text("utf-8")), repository
        )
        for lesson in found
    }
    peaks = [lesson.measured["peak_mb"] for lesson in found]
    blocks = [
        "# What a chapter costs",
        "Seconds from the first cell to the last, and the most memory that its kernel ever held, "
        "in GB. The first pair is that of the chapter as you read it, on two cores; it stands at "
        "the chapter's top, too.",
        table(
            ("Chapter", "Seconds", "Memory"),
            [(link(one), seconds(one.measured), memory(one.measured)) for one in found],
        ),
        f"**One open chapter at a time in {ROOM / 1000:g} GB.** The smallest takes "
        f"{min(peaks) / 1000:.1f} GB and the largest {max(peaks) / 1000:.1f}, so two do not fit "
        "into what Binder gives, or a small hub. Shut one down (*Kernel, Shut Down Kernel*) before "
        "you open the next.",
        "## Elsewhere",
        "Every chapter is also run with other versions and as on other processors. A star marks "
        "the run of an earlier text of the chapter.",
    ]
    for name, result in surfaces:
        blocks += [
            f"### With {SURFACES.get(name, name)}",
            f"{result['day']}, {machine(result['machine'])}.",
            table(("Chapter", "Seconds", "Memory"), list(rows(found, result["chapters"], prints))),
        ]
    return "\n\n".join(blocks) + "\n"


def results(root: Path) -> list[tuple[str, dict[str, Any]]]:
    """Surface → what was measured there, in the order of :data:`SURFACES`."""
    known: dict[str, Any] = {}
    for name in RESULTS:
        if (root / name).exists():
            known |= json.loads((root / name).read_text("utf-8"))
    order = [*SURFACES, *sorted(known.keys() - SURFACES.keys())]
    return [(name, known[name]) for name in order if name in known]


def rows(
    found: Sequence[Lesson], measured: dict[str, Any], prints: dict[str, str]
) -> Iterator[tuple[str, ...]]:
    """One row for every chapter; a dash for what was not measured."""
    for lesson in found:
        cost = measured.get(lesson.name, {})
        star = "*" if cost and cost["code"] != prints[lesson.name] else ""
        yield link(lesson), seconds(cost, star), memory(cost, star)


def link(lesson: Lesson) -> str:
    """The chapter's title, which leads to it."""
    return f"[{lesson.title}](../../notebooks/{lesson.name}.ipynb)"


def seconds(cost: dict[str, Any], star: str = "") -> str:
    """``24``."""
    return f"{cost['seconds']:.0f}{star}" if "seconds" in cost else "–"


def memory(cost: dict[str, Any], star: str = "") -> str:
    """``1.5``."""
    return f"{cost['peak_mb'] / 1000:.1f}{star}" if "peak_mb" in cost else "–"


def machine(known: dict[str, Any]) -> str:
    """Cores and versions, in words."""
    cores = "one core" if known["cores"] == 1 else f"{known['cores']} cores"
    return (
        f"{cores}, Python {known['python']}, PyTorch {known['torch']}, TensorFlow "
        f"{known['tensorflow']}, Keras {known['keras']}"
    )
