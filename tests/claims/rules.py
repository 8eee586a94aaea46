"""The rules as they were written down: ``rules.json`` keeps their words.

A record's rule speaks from the numbers that it decides by (``tests/trial/test_rule.py``), so a rule
that is changed after its result was known goes red here. Then the claim's history has to say so,
with the day and what was known (the rules of evidence ask for it), and
``python -m tests.claims.rules`` writes the file again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("rules.json")


def written(claim: Any) -> dict[str, str]:
    """What the golden file keeps of a claim."""
    return {"rule": claim.rule}


def main() -> None:
    """Write the golden file."""
    from actlab import claims

    table = {claim.id: written(claim) for claim in claims.all()}
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True)
    GOLDEN.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
