"""A claim as data: what was measured, the bound it is held against, the rule, the finding.

No functions decide here that a record could state: a rule's prose, its decision and the
examples that test it come from the same fields (:class:`Rule`), so they cannot drift apart.
"""

from actlab.trial.bound import Bound, above, at_least, at_most, below, exactly, within
from actlab.trial.cheat import Row
from actlab.trial.claim import Claim, Experiment, Finding, experiment, sentence
from actlab.trial.measured import Case, Evidence, Level, Measured
from actlab.trial.rule import Decision, Rule, Verdict, in_every

__all__ = ["Bound", "above", "at_least", "at_most", "below", "exactly", "within"]
__all__ += ["Case", "Decision", "Evidence", "Level", "Measured", "Rule", "Verdict"]
__all__ += ["Claim", "Experiment", "Finding", "Row", "experiment", "in_every", "sentence"]
