"""The rules as they were written down: their prose, and the numbers at which they turn.

``rules.json`` keeps both. A rule that is changed after its result was known goes red, whether its
words or its numbers were changed. Then the claim has to say so, with the date and what was known
(the rules of evidence ask for it), and ``python -m tests.claims.rules`` writes the file again.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("rules.json")
LADDER = sorted({s * m * 10.0**e for s in (-1, 1) for e in range(-4, 3) for m in (1, 2, 5)} | {0.0})
Leaf = tuple[Any, ...]


def written(claim: Any) -> dict[str, Any]:
    """What the golden file keeps of a claim.

    Of a record, whose rule speaks from the numbers that it decides by, the words are enough
    (``tests/trial/test_rule.py``).
    """
    if hasattr(claim, "by"):
        return {"rule": claim.rule}
    return {"rule": claim.rule, "turns at": turning_points(claim)}


def turning_points(claim: Any) -> list[float]:
    """The numbers at which the verdict turns.

    Numbers of the evidence are moved along a ladder; where the verdict changes, bisection finds
    the point. In the claim's invented evidence each is moved alone, and all of a kind (all lower
    ends, say) together; in recorded evidence, which has hundreds and changes when a study is run
    again, only all of a kind, and only points that stand in the rule's prose count.
    """
    invented, recorded = json.loads(json.dumps(claim.otherwise)), claim.recorded().evidence
    alone = [[leaf] for leaf in leaves(invented)]
    found = {p for some in (*alone, *_kinds(invented)) for p in _turns(claim, invented, some)}
    typed = _numbers(claim.rule)
    for some in _kinds(recorded):
        found |= {point for point in _turns(claim, recorded, some) if abs(point) in typed}
    return sorted(found)


def _numbers(prose: str) -> set[float]:
    """The numbers of a rule, as they stand and as shares."""
    typed = {float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", prose)}
    words = {"a tenth": 0.1, "a quarter": 0.25, "half a point": 0.005, "half": 0.5, "twice": 2.0}
    named = {number for word, number in words.items() if word in prose}
    shares = {float(f"{number / 100:.6g}") for number in typed}
    ratios = {float(f"{1 + sign * share:.6g}") for share in shares for sign in (-1, 1)}
    return typed | named | shares | ratios | {0.0}


def leaves(evidence: Any, path: Leaf = ()) -> Iterator[Leaf]:
    if isinstance(evidence, dict | list):
        items = evidence.items() if isinstance(evidence, dict) else enumerate(evidence)
        for key, value in items:
            yield from leaves(value, (*path, key))
    elif isinstance(evidence, int | float) and not isinstance(evidence, bool):
        yield path


def _kinds(evidence: Any) -> list[list[Leaf]]:
    kinds: dict[Any, list[Leaf]] = {}
    for leaf in leaves(evidence):
        kinds.setdefault(leaf[-1], []).append(leaf)
    return list(kinds.values())


def _turns(claim: Any, evidence: Any, leaves: list[Leaf]) -> Iterator[float]:
    def verdict(number: float) -> str:
        moved = copy.deepcopy(evidence)
        for leaf in leaves:
            place = moved
            for key in leaf[:-1]:
                place = place[key]
            place[leaf[-1]] = number
        try:
            return str(claim.decide(moved)[0])
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            return type(error).__name__  # such numbers cannot be measured

    seen = [verdict(number) for number in LADDER]
    for (below, before), (above, after) in pairwise(zip(LADDER, seen, strict=True)):
        if before == after:
            continue
        low, high = below, above
        for _ in range(45):
            middle = (low + high) / 2
            low, high = (middle, high) if verdict(middle) == before else (low, middle)
        yield float(f"{high:.6g}") if abs(high) > 1e-9 else 0.0


def main() -> None:
    """Write the golden file."""
    from actlab import claims

    table = {claim.id: written(claim) for claim in claims.all()}
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    GOLDEN.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
