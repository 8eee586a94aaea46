"""A claim on trial, and what was found: both are records, and every word follows from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from actlab.study import Study, load
from actlab.trial.bound import digits
from actlab.trial.measured import Case, Evidence, Level, Measured
from actlab.trial.rule import Decision, Rule, Verdict

VERDICTS = Path(__file__).parents[1] / "claims" / "verdicts.json"
HISTORY = VERDICTS.with_name("history.json")
Measure = Callable[[int, Level], Evidence]


class Asks(Protocol):
    """An experiment that a claim can be tried by."""

    @property
    def scope(self) -> str:
        """What the finding is about, briefly: networks, data, seeds and splits."""

    @property
    def study(self) -> Study | str:
        """Whose committed table it reads; without one it takes seconds, and tests run it again."""

    def words(self) -> str:
        """What is done, in prose; without running anything."""

    def __call__(self, root: int, level: Level) -> Evidence:
        """Measure from a root seed; ``level``: the confidence of each of so many intervals."""


@dataclass(frozen=True)
class Experiment:
    """What a claim asks (see :class:`Asks`), where a function of its own measures it."""

    prose: str
    scope: str
    measure: Measure = field(repr=False)
    study: str = ""

    def words(self) -> str:
        """``prose``."""
        return self.prose

    def __call__(self, root: int, level: Level) -> Evidence:
        """Measure from a root seed."""
        return self.measure(root, level)


def experiment(prose: str, scope: str, study: str = "") -> Callable[[Measure], Experiment]:
    """Decorate what measures: the name is then that of the whole :class:`Experiment`."""
    return lambda measure: Experiment(prose, scope, measure, study)


@dataclass(frozen=True)
class Amendment:
    """A rule that was changed when a result was known: what it was ``until`` that day, and why."""

    until: str
    rule: str
    verdict: Verdict
    known: str  # what was known by then


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
    """One sentence on trial: a record; its experiment and its rule say themselves in prose."""

    id: str
    statement: str  # the claim in our words
    source: str  # where it stands
    asks: Asks
    by: Rule
    chapter: str = ""  # filled in by the ledger, from the module that holds the record
    remarks: str = ""  # what a reader has to know besides

    @property
    def experiment(self) -> str:
        """What is done, in prose."""
        return f"{self.asks.words()} {self.remarks}".rstrip()

    @property
    def rule(self) -> str:
        """How it is decided, in prose."""
        return self.by.prose()

    @property
    def cheap(self) -> bool:
        """Whether it runs in seconds."""
        return not self.asks.study

    def evaluate(self, seed: int = 0) -> Finding:
        """Run the experiment from root seed ``seed`` and decide."""
        return self.decided(self.asks(seed, self.by.level))

    def decided(self, evidence: Evidence) -> Finding:
        """What the rule makes of evidence that is there already."""
        decision = self.by.decide(evidence)
        return Finding(self.id, decision, evidence, sentence(self.by, decision, evidence))

    def recorded(self) -> Finding:
        """The committed finding (root seed 0), without running anything; ``KeyError`` for none."""
        stored = self.filed["evidence"]
        return self.decided({what: Measured.from_json(part) for what, part in stored.items()})

    @property
    def filed(self) -> dict[str, Any]:
        """The committed entry as it stands: verdict, evidence, cost of the study, and so on."""
        entry: dict[str, Any] = json.loads(VERDICTS.read_text("utf-8"))[self.id]
        return entry

    @property
    def amended(self) -> tuple[Amendment, ...]:
        """Earlier rules and their verdicts, the oldest first, from the committed history."""
        entries = json.loads(HISTORY.read_text("utf-8")).get(self.id, ())
        return tuple(Amendment(**entry) for entry in entries)

    def _repr_markdown_(self) -> str:
        return (
            f"> **Claim.** {self.statement} ({self.source})\n>\n"
            f"> *Experiment.* {self.experiment}\n>\n> *Rule.* {self.rule}"
        )


def record(cases: Iterable[tuple[Claim, Finding]]) -> None:
    """File the verdicts that the book shows, beside those already there.

    With each goes the cost of the study behind it, and the verdicts at other lengths of training.
    """
    table = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    kept = ("claim", "verdict", "because", "evidence")
    for claim, found in cases:
        table[claim.id] = entry = {name: getattr(found, name) for name in kept}
        if study := claim.asks.study:
            about = load(study if isinstance(study, str) else study.name).attrs
            machines = about.get("machines", [about["machine"]])
            names = list(dict.fromkeys(f"{m['cpu']}, {m['cores']} cores" for m in machines))
            minutes = round(about["seconds"] / 60, 1)
            entry["cost"] = {"minutes": minutes, "machines": names, "command": about["command"]}
        if lengths := getattr(claim.asks, "lengths", None):
            trained = {when: asks(0, claim.by.level) for when, asks in lengths().items()}
            entry["lengths"] = {when: claim.by.decide(e).verdict for when, e in trained.items()}
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    VERDICTS.write_text(text + "\n", "utf-8")


def sentence(rule: Rule, decision: Decision, evidence: Evidence) -> str:
    """The finding in one plain sentence: where the numbers lie, and what could have been seen."""
    what, bound = next(iter(rule.bounds.items()))  # the first quantity is the one to talk about
    measured, unit, cases = evidence[what], bound.unit, tuple(evidence[what].cases)
    count, against = len(cases), decision.against
    if not cases:
        return f"Nothing to judge: no {rule.of} was found in which the question arises."
    if decision.verdict == "holds when …":
        rest = [case for case in cases if case not in decision.passing]
        there, elsewhere = (_span(measured, some, unit) for some in (decision.passing, rest))
        return f"… {decision.condition}: there the {what} is {there}, elsewhere {elsewhere}."
    every = "both" if count == 2 else f"all {count}"
    where = f"In {every} {rule.of}s the" if count > 1 else "The"
    if decision.verdict == "refuted" and len(against) < count:
        shown = "; ".join(map(measured.title, against[:3]))
        where, cases = f"In {len(against)} of {count} {rule.of}s ({shown}) the", against
    text = f"{where} {what} is {_span(measured, cases, unit)}"
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
    text = " to ".join(dict.fromkeys(digits(end, unit) for end in (min(means), max(means))))
    if len(found) == 1 and found[0].low < found[0].high:
        text += f" [{digits(found[0].low, unit)}, {digits(found[0].high, unit)}]"
    return f"{text} {unit}".rstrip()
