"""A claim on trial, and what was found: both are records, and every word follows from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from actlab import study
from actlab.trial.bound import digits
from actlab.trial.measured import Case, Evidence, Level, Measured
from actlab.trial.rule import Decision, Rule, Verdict

VERDICTS = Path(__file__).parents[1] / "claims" / "verdicts.json"
HISTORY = VERDICTS.with_name("history.json")


class Asks(Protocol):
    """An experiment that a claim can be tried by."""

    @property
    def cheap(self) -> bool:
        """Whether it runs in seconds, so that the tests run it again from other root seeds."""

    @property
    def scope(self) -> str:
        """What the finding is about, briefly: networks, data, seeds and splits."""

    def words(self) -> str:
        """What is done, in prose; without running anything."""

    def __call__(self, root: int, level: Level) -> Evidence:
        """Measure from a root seed; ``level``: the confidence of each of so many intervals."""


@dataclass(frozen=True)
class Experiment:
    """What a claim asks, where a function of its own measures it.

    - ``prose``: what is done; ``scope``: what the finding is about, briefly.
    - ``measure(root, level)``: the evidence from a root seed; see :class:`Asks`.
    - ``study``: the name of the committed table that it reads, if it does. Without one it takes
      seconds, and the tests run it again from other root seeds.
    """

    prose: str
    scope: str
    measure: Callable[[int, Level], Evidence] = field(repr=False)
    study: str = ""

    @property
    def cheap(self) -> bool:
        """Whether it runs, instead of reading a table."""
        return not self.study

    def words(self) -> str:
        """``prose``."""
        return self.prose

    def __call__(self, root: int, level: Level) -> Evidence:
        """Measure from a root seed."""
        return self.measure(root, level)


def experiment(
    prose: str, scope: str, study: str = ""
) -> Callable[[Callable[[int, Level], Evidence]], Experiment]:
    """Decorate what measures: the name is then that of the whole :class:`Experiment`."""
    return lambda measure: Experiment(prose, scope, measure, study)


@dataclass(frozen=True)
class Amendment:
    """A rule that was changed after a result had been seen.

    ``until``: the day of the change; ``rule`` and ``verdict``: as they were until then;
    ``known``: why it was changed, and what was known by then.
    """

    until: str
    rule: str
    verdict: Verdict
    known: str


@dataclass(frozen=True)
class Finding:
    """What the rule made of the evidence."""

    claim: str
    decision: Decision
    measured: Evidence
    because: str

    @property
    def verdict(self) -> Verdict:
        """*holds*, *holds when …*, *refuted* or *not shown*."""
        return self.decision.verdict

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers, as JSON can hold them."""
        return {what: measured.to_json() for what, measured in self.measured.items()}

    def __str__(self) -> str:
        return f"{self.verdict.upper()}: {self.because}"

    def _repr_markdown_(self) -> str:
        return f"> **Verdict: {self.verdict}.** {self.because}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence on trial: a record, without a function of its own.

    - ``statement``: the claim in our words; ``source``: where it stands.
    - ``asks``: the experiment; ``by``: the rule. Both say themselves in prose.
    - ``remarks``: what a reader has to know besides.
    """

    id: str
    statement: str
    source: str
    asks: Asks
    by: Rule
    chapter: str = ""  # filled in by the ledger, from the module that holds the record
    remarks: str = ""

    @property
    def amended(self) -> tuple[Amendment, ...]:
        """Earlier rules and their verdicts, the oldest first, from the committed history."""
        entries = json.loads(HISTORY.read_text("utf-8")).get(self.id, ())
        return tuple(Amendment(**entry) for entry in entries)

    @property
    def experiment(self) -> str:
        """What is done, in prose."""
        return " ".join(filter(None, (self.asks.words(), self.remarks)))

    @property
    def rule(self) -> str:
        """How it is decided, in prose."""
        return self.by.prose()

    @property
    def cheap(self) -> bool:
        """Whether it runs in seconds."""
        return self.asks.cheap

    def evaluate(self, seed: int = 0) -> Finding:
        """Run the experiment from root seed ``seed`` and decide."""
        return self.decided(self.asks(seed, self.by.level))

    def decided(self, evidence: Evidence) -> Finding:
        """What the rule makes of evidence that is there already."""
        decision = self.by.decide(evidence)
        return Finding(self.id, decision, evidence, sentence(self.by, decision, evidence))

    def recorded(self) -> Finding:
        """The committed finding (root seed 0), without running anything.

        Raises ``KeyError`` where the claim has not been recorded yet.
        """
        stored = self.filed["evidence"]
        return self.decided({what: Measured.from_json(part) for what, part in stored.items()})

    @property
    def filed(self) -> dict[str, Any]:
        """The committed entry as it stands: verdict, evidence, cost of the study, and so on."""
        entry: dict[str, Any] = json.loads(VERDICTS.read_text("utf-8"))[self.id]
        return entry

    def _repr_markdown_(self) -> str:
        return (
            f"> **Claim.** {self.statement} ({self.source})\n>\n"
            f"> *Experiment.* {self.experiment}\n>\n> *Rule.* {self.rule}"
        )


def record(cases: Iterable[tuple[Claim, Finding]]) -> None:
    """File the verdicts that the book shows, beside those already there.

    With each goes what its page tells besides: the cost of the study behind it, and the verdicts at
    other lengths of training. ``python -m actlab.claims [chapter ...]`` calls this.
    """
    table = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    kept = ("claim", "verdict", "because", "evidence")
    for claim, found in cases:
        table[claim.id] = {name: getattr(found, name) for name in kept} | _besides(claim)
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    VERDICTS.write_text(text + "\n", "utf-8")


def _besides(claim: Claim) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if name := getattr(claim.asks, "study", ""):
        about = study.load(getattr(name, "name", name)).attrs
        machines = about.get("machines", [about["machine"]])
        told["cost"] = {
            "minutes": round(about["seconds"] / 60, 1),
            "machines": list(dict.fromkeys(f"{m['cpu']}, {m['cores']} cores" for m in machines)),
            "command": about["command"],
        }
    if lengths := getattr(claim.asks, "lengths", None):
        told["lengths"] = {
            name: claim.by.decide(asks(0, claim.by.level)).verdict
            for name, asks in lengths().items()
        }
    return told


def sentence(rule: Rule, decision: Decision, evidence: Evidence) -> str:
    """The finding in one plain sentence: where the numbers lie, and what could have been seen."""
    what, bound = next(iter(rule.bounds.items()))  # the first quantity is the one to talk about
    measured, unit = evidence[what], bound.unit
    cases = list(measured.cases)
    if not cases:
        return f"Nothing to judge: no {rule.of} was found in which the question arises."
    if decision.verdict == "holds when …":
        rest = [case for case in cases if case not in decision.passing]
        return (
            f"… {decision.condition}: there the {what} is "
            f"{_span(measured, decision.passing, unit)}, elsewhere {_span(measured, rest, unit)}."
        )
    every = "both" if len(cases) == 2 else f"all {len(cases)}"
    where = f"In {every} {rule.of}s the" if len(cases) > 1 else "The"
    telling: Iterable[Case] = cases
    if decision.verdict == "refuted" and len(decision.against) < len(cases):
        telling = decision.against
        shown = "; ".join(map(measured.title, decision.against[:3]))
        where = f"In {len(decision.against)} of {len(cases)} {rule.of}s ({shown}) the"
    text = f"{where} {what} is {_span(measured, telling, unit)}"
    if decision.verdict == "not shown":
        seen = digits(measured.half_width(), unit).lstrip("+")
        text += f"; a difference of {seen} {unit}".rstrip() + " could have been missed"
        if hanging := measured.notes.get("hangs on one split"):
            text += f"; {len(hanging)} hang{'s' * (len(hanging) == 1)} on one split"
    return f"{text}."


def _span(measured: Measured, cases: Iterable[Case], unit: str) -> str:
    """``+0.3 to +1.2 points``; one case with its interval."""
    found = [measured.cases[case] for case in cases]
    means = [interval.mean for interval in found]
    ends = (digits(min(means), unit), digits(max(means), unit))
    text = " to ".join(dict.fromkeys(ends))
    if len(found) == 1 and found[0].low < found[0].high:
        text += f" [{digits(found[0].low, unit)}, {digits(found[0].high, unit)}]"
    return f"{text} {unit}".rstrip()
