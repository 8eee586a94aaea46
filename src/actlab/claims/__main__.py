"""``python -m actlab.claims [chapter ...]``: evaluate with root seed 0, file the verdicts."""

from __future__ import annotations

import sys

from actlab import claims
from actlab.claims.ledger import record

findings = []
for claim in claims.all():
    if not sys.argv[1:] or claim.chapter in sys.argv[1:]:
        finding = claim.evaluate()
        findings.append(finding)
        print(f"{claim.id}: {finding}", flush=True)
record(findings)
