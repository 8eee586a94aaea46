"""``python -m actlab.claims [chapter ...]``: evaluate with root seed 0, file the verdicts."""

from __future__ import annotations

import sys

from actlab import claims
from actlab.trial.claim import record

cases = []
for claim in claims.all():
    if not sys.argv[1:] or claim.chapter in sys.argv[1:]:
        cases.append((claim, claim.evaluate()))
        print(f"{claim.id}: {cases[-1][1]}", flush=True)
record(cases)
