"""One floor imports only from the floors below it, at the top of its files and inside functions.

``MAY`` is the plan of the house. Outside of it stand two lazy doors (a record asks the frameworks
for its own implementation, ``record.torch()``; ``stats.interval_plot`` and its two kin are old
addresses of figures), and the commands (``__main__``), which nobody imports.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from actlab import claims

SRC = Path(__file__).parents[1] / "src"
PACKAGE = "actlab"

_ANYONE = {"inputs", "machine"}  # conversions of what people bring; a description of the machine
MAY: dict[str, set[str]] = {
    "inputs": set(),
    "machine": set(),
    "catalog": set(),
    "data": set(),
    "stats": set(),
    "recipes": set(),
    "frameworks": {"catalog", "recipes"},
    "theory": {"catalog"},
    "plots": {"catalog", "stats"},
    "probes": {"catalog", "frameworks", "recipes"},
    "ensemble": {"catalog", "data", "probes"},
    "twin": {"ensemble"},
    "study": {"data", "ensemble"},
    "trial": {"catalog", "stats", "study"},
    "experiments": {
        *("catalog", "data", "ensemble", "frameworks", "probes", "recipes"),
        *("stats", "study", "theory", "trial", "twin"),
    },
    "claims": {"catalog", "experiments", "trial"},
    "exercises": {"catalog", "data", "frameworks", "probes", "stats"},
    "report": {
        *("catalog", "data", "ensemble", "experiments", "frameworks"),
        *("plots", "stats", "theory"),
    },
    "predict": set(),
    "doctor": {"data"},
    "callbacks": {"probes"},  # an old address
}
# These modules may ask that room, inside a function.
LAZY_DOORS = {("actlab.catalog.record", "frameworks"), ("actlab.stats", "plots")}
FRAMEWORKS = ("torch", "tensorflow", "keras")

Import = tuple[str, str]  # who, whom


def sources(root: Path = SRC) -> dict[str, str]:
    """Module → its source text."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text("utf-8")
    return found


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def imports(modules: Mapping[str, str], types: bool = True) -> Iterator[Import]:
    """Every import of one of these modules by another, wherever in the file it stands.

    ``types``: also those that only a type checker follows.
    """
    for who, text in modules.items():
        tree = parsed(text) if types else Running().visit(ast.parse(text))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{who} imports relatively: name the module"
                targets = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for target in targets:
                whom = target
                while whom and whom not in modules:  # a name in a module: the module
                    whom = whom.rpartition(".")[0]
                if whom and whom != who:
                    yield who, whom


class Running(ast.NodeTransformer):
    """Leaves out what stands below ``if TYPE_CHECKING``: it never runs."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def outside(module: str) -> bool:
    return module.endswith("__main__") or module == PACKAGE


def upward(modules: Mapping[str, str]) -> list[str]:
    """The imports that the plan does not allow."""
    found = []
    for who, whom in imports(modules):
        here, there = room(who), room(whom)
        if here == there or outside(who) or not there:
            continue
        if (who, there) not in LAZY_DOORS and there not in MAY[here] | _ANYONE:
            found.append(f"{who} imports {whom}")
    return found


def circles(modules: Mapping[str, str]) -> list[str]:
    """A chain of modules that import each other when they run, or nothing."""
    graph: dict[str, set[str]] = {}
    for who, whom in imports(modules, types=False):
        inward = whom.startswith(f"{who}.") or who.startswith(f"{whom}.")  # a package and its rooms
        if not inward and (who, room(whom)) not in LAZY_DOORS:
            graph.setdefault(who, set()).add(whom)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


HOUSE = sources()


def test_every_room_is_in_the_plan():
    assert {room(module) for module in HOUSE if "." in module} == set(MAY)


def test_the_plan_has_no_circle():
    list(graphlib.TopologicalSorter(MAY).static_order())


def test_each_floor_imports_only_from_below():
    assert upward(HOUSE) == []


def test_no_modules_import_each_other():
    assert circles(HOUSE) == []


def test_a_lazy_door_is_lazy():
    for module, behind in LAZY_DOORS:
        top = [node for node in ast.parse(HOUSE[module]).body if not isinstance(node, ast.If)]
        text = "\n".join(ast.unparse(n) for n in top if isinstance(n, ast.Import | ast.ImportFrom))
        rooms = [
            {room(whom) for who, whom in imports(house) if who == module}
            for house in (HOUSE | {module: text}, HOUSE)
        ]
        assert behind in rooms[1] - rooms[0]


def test_nobody_imports_a_command():
    assert not [pair for pair in imports(HOUSE) if pair[1].endswith("__main__")]


def test_a_record_file_imports_no_other_chapter_and_holds_no_function():
    among = {who for who, whom in imports(HOUSE) if room(whom) == "claims"}
    for name, text in HOUSE.items():
        if name.startswith("actlab.claims.") and not outside(name):
            assert name not in among
            kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
            assert not [n.lineno for n in ast.walk(ast.parse(text)) if isinstance(n, kinds)], name
            assert len(text.splitlines()) <= 300, name


# What later families brought to the same rooms.
LATER = {
    f"actlab.{name}"
    for name in (
        *("claims.choosing", "claims.softmax", "claims.softmax_family", "experiments.calibration"),
        *("experiments.grand", "experiments.standing", "experiments.unfair", "study.grid"),
        *("experiments.shares", "experiments.twice", "experiments.vocabulary"),
        *("claims.self_gated", "experiments.self_gated", "claims.gates", "experiments.gates"),
        *("claims.attention", "experiments.attention"),
        *("claims.smooth", "experiments.smooth", "experiments.counts"),
        *("claims.hard", "experiments.hard"),
        *("claims.shrinkage", "experiments.shrinkage"),
        *("claims.cost", "experiments.roofline", "experiments.timing"),
        "trial.cheat",  # the rows of the cheat sheet, which came with the teaching
    )
}


def test_a_claim_costs_at_most_eighty_lines():
    """Claims, experiments, trial, studies and theory: of the first five chapters, and of all.

    The plan gives the first 81 claims 6,500 lines; at that price come the later ones, too.
    """
    rooms = ("claims", "experiments", "trial", "study", "theory")
    size = {name: len(text.splitlines()) for name, text in HOUSE.items() if room(name) in rooms}
    assert sum(lines for name, lines in size.items() if name not in LATER) <= 6500
    assert sum(size.values()) <= len(claims.all()) * 6500 / 81


@pytest.mark.parametrize("what", ["actlab.claims", "actlab.study"])
def test_reading_the_ledger_imports_no_framework(what):
    code = f"""
import sys
import {what}
from actlab import claims
for claim in claims.all():
    claim.experiment, claim.rule, claim.recorded(), claim.asks.scope
print([name for name in {FRAMEWORKS} if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("actlab.stats", "from actlab.study import run", "actlab.stats imports actlab.study"),
        ("actlab.theory", "from actlab import experiments", "actlab.theory imports actlab.exp"),
        ("actlab.data", "import actlab.claims as c", "actlab.data imports actlab.claims"),
        (
            "actlab.trial.rule",
            "def f():\n    from actlab.experiments.contest import Ahead",
            "actlab.trial.rule imports actlab.experiments.contest",
        ),
    ],
)
def test_an_import_from_above_is_found(module, line, found):
    changed = HOUSE | {module: f"{HOUSE[module]}\n{line}\n"}
    assert any(fault.startswith(found) for fault in upward(changed))


def test_a_circle_is_found_also_where_it_is_lazy():
    lazy = "\ndef f():\n    from actlab.trial.rule import Rule\n"
    changed = HOUSE | {"actlab.trial.bound": HOUSE["actlab.trial.bound"] + lazy}
    assert "actlab.trial.rule" in circles(changed)
