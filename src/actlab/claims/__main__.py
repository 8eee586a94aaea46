"""``python -m actlab.claims``: evaluate every claim with root seed 0 and record the verdicts."""

from __future__ import annotations

from actlab import claims
from actlab.claims.ledger import record

findings = []
for claim in claims.all():
    finding = claim.evaluate()
    findings.append(finding)
    print(f"{claim.id}: {finding}", flush=True)
record(findings)
