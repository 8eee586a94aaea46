"""A claim, the experiment that tries it, the rule that decides it, and what was found.

The rule is written before the run. To keep us honest every claim also carries ``otherwise``:
evidence which would have led to another verdict. A test feeds it to the rule; a rule that
cannot lose is not a rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from actlab.trial import Claim as Record
from actlab.trial.card import card

Verdict = Literal["holds", "holds when …", "refuted", "not shown"]
Evidence = Mapping[str, Any]

VERDICTS = Path(__file__).with_name("verdicts.json")
WORDINGS = Path(__file__).with_name("wordings.json")


@dataclass(frozen=True)
class Finding:
    """The verdict on one claim, the sentence that gives the reason, and the numbers behind it."""

    claim: str
    verdict: Verdict
    because: str
    evidence: Evidence = field(repr=False)

    def __str__(self) -> str:
        return f"{self.verdict.upper()}: {self.because}"

    def _repr_markdown_(self) -> str:
        return f"> **Verdict: {self.verdict}.** {self.because}"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A claim in words: all that its reader needs, without the code that tries it.

    - ``statement``: the claim in our words; ``source``: where it stands.
    - ``experiment`` and ``rule``: what is done and how it is decided.
    """

    id: str
    statement: str
    source: str
    chapter: str
    experiment: str
    rule: str

    def recorded(self) -> Finding:
        """The committed verdict (root seed 0), without running anything.

        Raises ``KeyError`` where the claim has not been recorded yet.
        """
        return Finding(**json.loads(VERDICTS.read_text("utf-8"))[self.id])

    def _repr_markdown_(self) -> str:
        return (
            f"> **Claim.** {self.statement} ({self.source})\n>\n"
            f"> *Experiment.* {self.experiment}\n>\n> *Rule.* {self.rule}"
        )


@dataclass(frozen=True, kw_only=True)
class Claim(Wording):
    """One folk claim on trial.

    - ``measure(seed)`` runs the experiment from a root seed and returns its numbers;
      ``decide(evidence)`` applies the rule and returns the verdict and the reason.
    - ``otherwise``: invented evidence that the rule must decide differently.
    - ``cheap``: seconds, not minutes: re-run in the tests with other root seeds. The others read
      a committed study (:mod:`actlab.study`), which holds more than one root seed.
    """

    measure: Callable[[int], Evidence] = field(repr=False)
    decide: Callable[[Evidence], tuple[Verdict, str]] = field(repr=False)
    otherwise: Evidence = field(repr=False)
    cheap: bool = True

    def evaluate(self, seed: int = 0) -> Finding:
        """Run the experiment from root seed ``seed`` and decide."""
        evidence = self.measure(seed)
        verdict, because = self.decide(evidence)
        return Finding(self.id, verdict, because, evidence)


@dataclass(frozen=True)
class Trial:
    """Some claims with what was found, to be shown in a notebook."""

    cases: tuple[tuple[Any, Any], ...]

    def __repr__(self) -> str:
        return "\n\n".join(f"{claim.statement}\n{finding}" for claim, finding in self.cases)

    def _repr_html_(self) -> str | None:
        """Verdict cards, where every claim is a record."""
        if not all(isinstance(claim, Record) for claim, _ in self.cases):
            return None
        return "\n".join(card(claim, finding) for claim, finding in self.cases)

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            f"> **Claim.** {claim.statement} ({claim.source})\n\n{finding._repr_markdown_()}"
            for claim, finding in self.cases
        )


def record(findings: Iterable[Any]) -> None:
    """File the verdicts that the book shows, beside those already there.

    ``python -m actlab.claims [chapter ...]`` calls this.
    """
    table = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    kept = ("claim", "verdict", "because", "evidence")
    table |= {found.claim: {name: getattr(found, name) for name in kept} for found in findings}
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    VERDICTS.write_text(text + "\n", "utf-8")


def wordings() -> tuple[Wording, ...]:
    """Every claim's words as filed, chapter by chapter; no experiment is imported."""
    return tuple(Wording(**entry) for entry in json.loads(WORDINGS.read_text("utf-8")))


def file_wordings(claims: Iterable[Any]) -> None:
    """File what :func:`wordings` reads. ``python -m actlab.claims`` calls this."""
    names = [part.name for part in fields(Wording)]
    table = [{name: getattr(claim, name) for name in names} for claim in claims]
    WORDINGS.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", "utf-8")
