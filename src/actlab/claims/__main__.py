"""``python -m actlab.claims [chapter ...]``: evaluate with root seed 0, file the verdicts.

The claims' words are filed every time; ``python -m actlab.claims words`` files nothing else.
"""

from __future__ import annotations

import sys

from actlab import claims
from actlab.claims.ledger import file_wordings, record

file_wordings(claims.all())
findings = []
for claim in claims.all():
    if not sys.argv[1:] or claim.chapter in sys.argv[1:]:
        finding = claim.evaluate()
        findings.append(finding)
        print(f"{claim.id}: {finding}", flush=True)
record(findings)
