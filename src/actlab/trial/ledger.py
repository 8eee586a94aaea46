"""Verdicts that are kept, and verdicts that are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from actlab import study
from actlab.trial import claim as records
from actlab.trial.card import card
from actlab.trial.claim import Claim, Finding


@dataclass(frozen=True)
class Trial:
    """Some claims with what was found, to be shown in a notebook."""

    cases: tuple[tuple[Claim, Finding], ...]

    def __repr__(self) -> str:
        return "\n\n".join(f"{claim.statement}\n{finding}" for claim, finding in self.cases)

    def _repr_html_(self) -> str:
        return "\n".join(card(claim, finding) for claim, finding in self.cases)


def record(cases: Iterable[tuple[Claim, Finding]]) -> None:
    """File the verdicts that the book shows, beside those already there.

    With each goes what its page tells besides: the cost of the study behind it, and the verdicts at
    other lengths of training. ``python -m actlab.claims [chapter ...]`` calls this.
    """
    path = records.VERDICTS
    table = json.loads(path.read_text("utf-8")) if path.exists() else {}
    kept = ("claim", "verdict", "because", "evidence")
    for claim, found in cases:
        table[claim.id] = {name: getattr(found, name) for name in kept} | _besides(claim)
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", "utf-8")


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
