"""A claim, the experiment that tries it, the rule that decides it, and what was found.

The rule is written before the run. To keep us honest every claim also carries ``otherwise``:
evidence which would have led to another verdict. A test feeds it to the rule; a rule that
cannot lose is not a rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Verdict = Literal["holds", "holds when …", "refuted", "not shown"]
Evidence = Mapping[str, Any]

VERDICTS = Path(__file__).with_name("verdicts.json")


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
class Claim:
    """One folk claim on trial.

    - ``statement``: the claim in our words; ``source``: where it stands.
    - ``experiment`` and ``rule``: what is done and how it is decided, in words.
    - ``measure(seed)`` runs the experiment from a root seed and returns its numbers;
      ``decide(evidence)`` applies the rule and returns the verdict and the reason.
    - ``otherwise``: invented evidence that the rule must decide differently.
    - ``cheap``: seconds, not minutes: re-run in the tests with other root seeds. The others read
      a committed study (:mod:`actlab.study`), which holds more than one root seed.
    """

    id: str
    statement: str
    source: str
    chapter: str
    experiment: str
    rule: str
    measure: Callable[[int], Evidence] = field(repr=False)
    decide: Callable[[Evidence], tuple[Verdict, str]] = field(repr=False)
    otherwise: Evidence = field(repr=False)
    cheap: bool = True

    def evaluate(self, seed: int = 0) -> Finding:
        """Run the experiment from root seed ``seed`` and decide."""
        evidence = self.measure(seed)
        verdict, because = self.decide(evidence)
        return Finding(self.id, verdict, because, evidence)

    def recorded(self) -> Finding:
        """The committed verdict (root seed 0), without running anything.

        Raises ``KeyError`` where the claim has not been recorded yet.
        """
        return Finding(**json.loads(VERDICTS.read_text())[self.id])

    def _repr_markdown_(self) -> str:
        return (
            f"> **Claim.** {self.statement} ({self.source})\n>\n"
            f"> *Experiment.* {self.experiment}\n>\n> *Rule.* {self.rule}"
        )


@dataclass(frozen=True)
class Trial:
    """Some claims with what was found, to be shown in a notebook."""

    cases: tuple[tuple[Claim, Finding], ...]

    def __repr__(self) -> str:
        return "\n\n".join(f"{claim.statement}\n{finding}" for claim, finding in self.cases)

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            f"> **Claim.** {claim.statement} ({claim.source})\n\n{finding._repr_markdown_()}"
            for claim, finding in self.cases
        )


def record(findings: list[Finding]) -> None:
    """File the verdicts that the book shows, beside those already there.

    ``python -m actlab.claims [chapter ...]`` calls this.
    """
    table = json.loads(VERDICTS.read_text("utf-8")) if VERDICTS.exists() else {}
    table.update({finding.claim: asdict(finding) for finding in findings})
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    VERDICTS.write_text(text + "\n", "utf-8")
