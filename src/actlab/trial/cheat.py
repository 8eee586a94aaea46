"""Cheat rows: what to remember of an activation, each with the claims that it stands on.

A row is data. What the frameworks do by default is not typed: it comes from the catalog.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from actlab import catalog
from actlab.trial import card
from actlab.trial.claim import Claim

FRAMEWORKS = {"keras": "Keras", "torch": "PyTorch"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One activation in a few words."""

    activation: str  # its name in the catalog
    use: str  # when to take it
    start: str  # how to draw its weights
    trap: str  # what goes wrong
    evidence: tuple[str, ...]  # the ids of the claims that say so, at least one

    def __post_init__(self) -> None:
        for name in ("activation", "use", "start", "trap"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"Row: {name} is {value!r}; expected a few words.")
        if not isinstance(self.evidence, tuple) or not self.evidence:
            raise ValueError(
                f"Row of {self.activation}: evidence is {self.evidence!r}; expected a tuple of "
                "claim ids, at least one: an entry without a verdict behind it is folklore."
            )

    @property
    def title(self) -> str:
        """The activation's title."""
        return catalog.get(self.activation).title

    def defaults(self, framework: str) -> list[str]:
        """How ``framework`` calls it and with which defaults, shortest first; may be empty."""
        return [call for call, _ in self._calls(framework)]

    @property
    def differ(self) -> bool:
        """Whether calls of the two frameworks (or two of one) differ in a default."""
        calls = [call for framework in FRAMEWORKS for call in self._calls(framework)]
        return len({tuple(map(str, values)) for _, values in calls}) > 1

    def _calls(self, framework: str) -> Iterator[tuple[str, list[Any]]]:
        """The first class, and the first function if its defaults differ: the call, its values."""
        record = catalog.get(self.activation)
        places = [place for place in record.where(framework) if not place.in_place]
        classes = [place for place in places if place.is_class]
        functions = [place for place in places if not place.is_class]
        seen: list[list[Any]] = []
        for place in (*classes[:1], *functions[:1]):
            wanted = [place.names.get(name, name) for name in record.defaults] + ["dim", "axis"]
            given = {name: place.arguments[name] for name in wanted if name in place.arguments}
            values = list(given.values())
            if seen and (catalog.REQUIRED in values or values in seen):
                continue
            seen.append(values)
            optional = {name: v for name, v in given.items() if v is not catalog.REQUIRED}
            arguments = ", ".join(
                f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
                for name, value in optional.items()
            )
            call = place.path.partition(".")[2].replace("nn.functional.", "F.")
            if arguments or place.is_class:
                call += f"({arguments})"
            yield call, list(optional.values())


@dataclass(frozen=True)
class Cheat:
    """Rows with the claims they stand on, to be shown at the end of a chapter."""

    rows: tuple[Row, ...]
    claims: Mapping[str, Claim]

    def __repr__(self) -> str:
        texts = []
        for row in self.rows:
            said = (f"  {name}: {', '.join(said)}" for name, said, _ in lines(row))
            texts.append("\n".join([row.title, *said]))
        return "\n\n".join(texts)

    def _repr_html_(self) -> str:
        html = []
        for row in self.rows:
            html.append(f'<tr><th colspan="2" scope="colgroup">{escape(row.title)}</th></tr>')
            for name, said, code in lines(row):
                parts = (f"<code>{escape(one)}</code>" if code else escape(one) for one in said)
                html.append(card.line(name, " ".join(parts)))
            html.append(card.line("Evidence", "<br>".join(map(self._verdict, row.evidence))))
        return f'<table class="cheat">{"".join(html)}</table>'

    def _verdict(self, name: str) -> str:
        claim, verdict = self.claims[name], self.claims[name].recorded().verdict
        sign = f'<span class="{card.KINDS[verdict]}">{card.SIGNS[verdict]} {verdict}</span>'
        return f'{sign} <a href="{card.ENTRY}{name}">{escape(claim.statement)}</a>'


def lines(row: Row) -> Iterator[tuple[str, list[str], bool]]:
    """What a row says, line by line: a name, what is said under it, and whether that is code."""
    yield "When", [row.use], False
    yield "Start", [row.start], False
    for name, title in FRAMEWORKS.items():
        calls = row.defaults(name)
        yield title, calls or ["does not have it"], bool(calls)
    yield "Trap", [row.trap], False
