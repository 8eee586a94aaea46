"""The rule of a claim: its prose, its decision and the examples that test it, from one record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from actlab.stats import Interval
from actlab.trial.bound import Bound
from actlab.trial.measured import Case, Evidence, Measured

Verdict = Literal["holds", "holds when …", "refuted", "not shown"]


@dataclass(frozen=True)
class Decision:
    """What a rule made of the evidence."""

    verdict: Verdict
    passing: tuple[Case, ...]  # those that meet every bound
    against: tuple[Case, ...]  # those that oppose one of them
    condition: str = ""  # for *holds when …*: what exactly the passing cases have in common


@dataclass(frozen=True)
class Example:
    """Invented evidence that the rule must decide this way, and why."""

    evidence: Evidence
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Rule:
    """When a claim holds: in each case, every quantity's interval has to lie within its bound."""

    bounds: Mapping[str, Bound]  # quantity, in words → where the claim puts it
    # In how many cases the opposite has to be shown; one refutes a claim about every case.
    refuted_if: Literal["all", "any"] = "all"
    partial: bool = True  # whether *holds when …* is a possible answer, where some cases pass
    together: bool = False  # the intervals hold for all cases at once (Bonferroni's correction)
    of: str = "setting"  # what a case is: a setting, a function, a data set
    null: float = 0.0  # the value of a quantity when nothing is going on
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.bounds:
            raise ValueError("a rule needs a bound.")
        if self.refuted_if == "any" and self.partial:
            both = "where some cases pass and one opposes, both would be right; choose one."
            raise ValueError(f"refuted_if='any' and partial: {both}")

    def level(self, cases: int) -> float:
        """The confidence of each interval when there are so many cases."""
        return 1 - (1 - self.confidence) / cases if self.together else self.confidence

    def decide(self, evidence: Evidence) -> Decision:
        """Apply the rule. Raises ``ValueError`` if the evidence is about something else."""
        first = self._checked(evidence)
        found = {
            case: [(bound, evidence[what].cases[case]) for what, bound in self.bounds.items()]
            for case in first.cases
        }
        passing = tuple(case for case, of in found.items() if all(b.met(one) for b, one in of))
        against = tuple(case for case, of in found.items() if any(b.opposed(one) for b, one in of))
        verdict: Verdict = "not shown"
        if found and len(passing) == len(found):
            verdict = "holds"
        elif against and (len(against) == len(found) or self.refuted_if == "any"):
            verdict = "refuted"
        elif passing and self.partial:
            return Decision("holds when …", passing, against, first.condition(passing))
        return Decision(verdict, passing, against)

    def _checked(self, evidence: Evidence) -> Measured:
        if evidence.keys() != self.bounds.keys():
            raise ValueError(
                f"the rule asks for {', '.join(self.bounds)}; measured was {', '.join(evidence)}."
            )
        first = next(iter(evidence.values()))
        for what, measured in evidence.items():
            if list(measured.cases) != list(first.cases):
                raise ValueError(f"{what} was measured in other cases than the rest.")
            wanted = self.level(len(measured.cases))
            for case, found in measured.cases.items():
                if found.low < found.high and not math.isclose(found.confidence, wanted):
                    sure = f"{found.confidence:.4g} confidence; the rule needs {wanted:.4g}"
                    raise ValueError(f"{what}, {measured.title(case)}: an interval of {sure}.")
        return first

    def prose(self) -> str:
        """The rule in words, as it stands in the ledger."""
        zones = " and ".join(f"the {what} is {b.words()}" for what, b in self.bounds.items())
        other = " or ".join(f"the {what} is {b.other_side()}" for what, b in self.bounds.items())
        sure = f"{self.confidence * 100:.4g} % interval"
        if self.together:
            sure += f", corrected for all {self.of}s together"
        partly = "; holds when … if in some, and then says in which" if self.partial else ""
        how = "every" if self.refuted_if == "all" else "any"
        return (
            f"Holds if in every {self.of} {zones} (the whole {sure}){partly}; refuted if in {how} "
            f"{self.of} {other} (the whole interval); otherwise not shown."
        )

    def reachable(self, half_width: float | Mapping[str, float]) -> dict[Verdict, bool]:
        """Which verdicts can come out when intervals are so wide on either side (by quantity).

        An interval has to fit into the zone, and where :attr:`null` lies on the other side also
        around it: else a study of this size could never refute the claim although nothing is
        going on. (A bound at ``null`` itself is refuted by an effect of the opposite sign.)
        """
        fits = refutable = True
        for what, bound in self.bounds.items():
            half = half_width[what] if isinstance(half_width, Mapping) else half_width
            fits &= bound.high - bound.low > 2 * half or (half == 0 and bound.closed)
            if self.null in (bound.low - bound.clear, bound.high + bound.clear):
                continue
            around = Interval(self.null, self.null - half, self.null + half, n=2)
            refutable &= bound.opposed(around) or not bound.opposed(_point(self.null))
            fits &= bound.met(around) or not bound.low < self.null < bound.high
        found: dict[Verdict, bool] = {"holds": fits, "refuted": refutable}
        return found | ({"holds when …": fits} if self.partial else {})

    def examples(self) -> list[Example]:
        """Invented evidence for every clause: each end of each bound, just inside and just outside.

        A test feeds them to :meth:`decide`: a rule that cannot lose is not a rule.
        """
        cases: list[Case] = [(f"{self.of} {i}",) for i in (1, 2, 3)]
        inside = {what: dict.fromkeys(cases, _inside(bound)) for what, bound in self.bounds.items()}
        mixed: Verdict = "holds when …" if self.partial else "not shown"
        alone = ("holds", "refuted") if self.refuted_if == "any" else ("holds",)
        found = []
        for what, bound in self.bounds.items():
            for interval, verdict, why in _around(bound, self.level(len(cases))):
                in_one = verdict if verdict in alone else mixed  # where the others pass
                for where, expected in ((cases, verdict), (cases[:1], in_one)):
                    changed = inside | {what: inside[what] | dict.fromkeys(where, interval)}
                    evidence = {name: Measured(of, (self.of,)) for name, of in changed.items()}
                    how = f"{what} {why} in {len(where)} of {len(cases)} {self.of}s"
                    found.append(Example(evidence, expected, how))
        return found


def _around(bound: Bound, confidence: float) -> Iterator[tuple[Interval, Verdict, str]]:
    """Intervals at the ends of a bound, with the verdict where every case is like that, and why."""
    zone, other_side = bound.words(), bound.other_side()
    yield _inside(bound), "holds", zone
    for end, outwards in ((bound.low, -1), (bound.high, 1)):
        if math.isinf(end):
            continue
        # A distance that matters to nobody, small beside the zone and beside its end.
        step = outwards * 1e-6 * min(abs(end) or 1.0, bound.high - bound.low or math.inf)
        edge = end + outwards * bound.clear  # the other side begins here
        yield _point(edge + step), "refuted", other_side
        low, high = sorted((end - step, edge + step))
        # The mean must not matter: once it lies where the claim puts it, once beyond.
        for mean in (end - step / 2, edge + step / 2):
            straddling = Interval(mean, low, high, 2, confidence=confidence)
            yield straddling, "not shown", f"on both sides of {zone}"
        if bound.low < bound.high:  # the smallest room inside that end
            yield _point(end - step), "holds", f"just {zone}"
        if bound.clear:  # nothing is shown between the zone and its other side
            for value in (end + step, edge - step):
                yield _point(value), "not shown", f"neither {zone} nor {other_side}"


# About every case: one that shows the opposite refutes it.
in_every = partial(Rule, refuted_if="any", partial=False)


def _point(value: float) -> Interval:
    return Interval(value, value, value, n=2)


def _inside(bound: Bound) -> Interval:
    low = bound.low if math.isfinite(bound.low) else bound.high - 2 * (abs(bound.high) or 1.0)
    high = bound.high if math.isfinite(bound.high) else bound.low + 2 * (abs(bound.low) or 1.0)
    return _point((low + high) / 2)
