"""The page "The claims": every claim on trial, a line each; and a page of entries for each chapter.

An entry (finding, experiment, rule, all numbers) weighs about as much as thirty lines. All of them
on one page kept a phone busy for half a second.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes

from actlab import catalog
from actlab.frameworks.pages import search_form
from actlab.trial import Claim, Finding
from actlab.trial.bound import digits
from actlab.trial.card import KINDS, SIGNS, Scale, linked, numbers, picture, rect, written
from actlab_site.boxes import slug

INTRODUCTION = """\
# The claims on trial

What tutorials repeat, usually without a measurement. Behind each line are its source, the
experiment, the rule and all numbers; the [rules of evidence](../evidence.md) say what makes a
verdict."""

ENTRIES = """\
# Chapter {number} on trial

The {count} claims of {chapter}. Open one for its source, the experiment, the rule and all numbers.
[The ledger](claims.md) lists those of all chapters, and the [rules of evidence](../evidence.md)
say what makes a verdict."""

SMALL_PRINT = """\
Rules are written down before the run. Those of this page were all stated again later, as numbers
instead of sentences, some with another meaning, when results were known: each entry keeps the
earlier rule and its verdict. A test runs the quick ones again, from other seeds, and fails when a
verdict changes."""

LEGEND = """\
<p class="legend"><svg width="26" height="12" aria-hidden="true"><line class="in" x1="0" x2="26" \
y1="6" y2="6"/><circle class="in" cx="13" cy="6" r="4"/></svg> meets the claim \
<svg width="26" height="12" aria-hidden="true"><line class="out" x1="0" x2="26" y1="6" y2="6"/>\
<circle class="out" cx="13" cy="6" r="4"/></svg> does not, or not surely \
<svg width="18" height="12" aria-hidden="true"><rect class="zone" width="18" height="12" \
fill-opacity="0.16"/></svg> where the claim puts the dots; grey: the noise floor. Bars are \
intervals; 3/6: three of six cases meet the claim.</p>"""

# What a claim is about, read off its scope: the first that fits.
GROUNDS = {
    "untrained": ("untrained networks", r"\buntrained\b|\bat the start\b"),
    "trained": ("trained networks", r"\bseeds?\b|\bepochs\b|\bsplits\b|\bnetworks?\b.*\bXOR\b"),
    "computed": ("functions and frameworks", r""),
}


def pages(claims: Iterable[Claim], notebooks: Path) -> Iterator[tuple[str, str]]:
    """The ledger and each chapter's entries: names of files and their Markdown.

    ``notebooks``: the folder in which a claim's chapter is looked for.
    """
    tried = [(claim, recorded(claim)) for claim in claims]
    chapters = dict.fromkeys(claim.chapter for claim, _ in tried)
    titles = {name: _page_of(notebooks / f"{name}.ipynb") for name in chapters}
    rows = [line(claim, found, titles[claim.chapter]) for claim, found in tried]
    html = [score(claims_found(tried)), filters(tried, titles), *_table(rows), LEGEND]
    yield "claims.md", f"{INTRODUCTION}\n\n{_raw(*html)}\n\n{SMALL_PRINT}\n"
    for name, (title, link) in titles.items():
        own = [(claim, found) for claim, found in tried if claim.chapter == name]
        folds = [fold(claim, found, notebooks, (title, link)) for claim, found in own]
        chapter = f"*[{title}](../../notebooks/{name}.ipynb)*" if link else "a chapter to come"
        said = ENTRIES.format(number=int(_number(name)), count=len(own), chapter=chapter)
        body = _raw('<div class="entries">', *folds, "</div>", LEGEND)
        yield f"{entries(name)}.md", f"{said}\n\n{body}\n"


def _raw(*html: str) -> str:
    text = "\n".join(html)
    return f"```{{raw}} html\n{text}\n```"


def entries(chapter: str) -> str:
    """The page of a chapter's entries: ``claims-02-relu``."""
    return f"claims-{slug(chapter)}"


def address(claim: Any) -> str:
    """Where a claim's entry is, seen from the ledger."""
    return f"{entries(claim.chapter)}.html#{label(claim)}"


def miniature(claim: Claim, finding: Finding) -> str:
    """The first picture, for a line of a table: every case, without names and numbers.

    Empty where nothing was there to be measured. Filled are the cases that meet the whole claim.
    """
    what, bound = next(iter(claim.by.bounds.items()))
    measured, passing = finding.measured[what], set(finding.decision.passing)
    if not measured.cases:
        return ""
    scale, marks = Scale(measured, bound), []
    if measured.floors:
        top = max(measured.floors.values())
        marks.append(rect("floor", -top, top, scale))
    marks.append(rect("zone", *scale.zone, scale))
    for line, (case, found) in enumerate(measured.cases.items()):
        kind = "in" if case in passing else "out"
        at = f"{100 * (line + 0.5) / len(measured.cases):.3g}%"
        ends = scale.at(found.low), scale.at(found.high)
        width = f'x1="{ends[0]}" x2="{ends[1]}" y1="{at}" y2="{at}"'
        bar = f'<line class="{kind}" {width}/>' if found.low < found.high else ""
        marks.append(f'{bar}<circle class="{kind}" cx="{scale.at(found.mean)}" cy="{at}" r="3"/>')
    count = f"{len(passing)} of {len(measured.cases)}"
    label = escape(f"{what}: {count} {claim.by.of}s meet the claim")
    height = max(18, min(44, 9 * len(measured.cases)))
    return (
        f'<svg class="mini" role="img" aria-label="{label}" width="100%" height="{height}">'
        f"{''.join(marks)}</svg><small>{len(passing)}/{len(measured.cases)}</small>"
    )


def claims_found(tried: Iterable[tuple[Any, Finding | None]]) -> Counter[str]:
    """How many claims have each verdict."""
    return Counter(found.verdict for _, found in tried if found is not None)


def score(counts: Mapping[str, int], ledger: str = "") -> str:
    """The verdicts counted, as a bar and as links to the lines. ``ledger``: the page's address."""
    parts = [(KINDS[verdict], verdict, counts.get(verdict, 0)) for verdict in SIGNS]
    bar = "".join(
        f'<span class="{kind}" style="flex:{count}"></span>' for kind, _, count in parts if count
    )
    items = "".join(
        f'<li class="{kind}"><a href="{ledger}?verdict={kind}"><b>{count}</b> '
        f"{tag(verdict)}</a></li>"
        for kind, verdict, count in parts
    )
    return f'<div class="sbar" aria-hidden="true">{bar}</div>\n<ul class="score">{items}</ul>'


def tag(verdict: str) -> str:
    """A verdict as sign and word."""
    sign = f'<span aria-hidden="true">{SIGNS[verdict]}</span>'
    return f'<span class="tag {KINDS[verdict]}">{sign} {verdict}</span>'


def filters(tried: Sequence[tuple[Any, Any]], titles: Mapping[str, tuple[str, str]]) -> str:
    """Search, verdict, family, chapter, scope, amended: what ``lists.js`` filters by."""
    families = dict.fromkeys(family(claim) for claim, _ in tried)
    offered = {
        "verdict": ("Every verdict", [(KINDS[verdict], verdict) for verdict in SIGNS]),
        "family": ("Every family", [(name, family_words(name)) for name in families]),
        "chapter": (
            "Every chapter",
            [(_number(n), f"{int(_number(n))} {t[0]}") for n, t in titles.items()],
        ),
        "scope": ("Every scope", [(name, words) for name, (words, _) in GROUNDS.items()]),
    }
    box = ("amended", "rule amended")
    return search_form("ledger", "the claims", "claims", offered, box, count=len(tried))


def _table(rows: Sequence[str]) -> Iterator[str]:
    heads = (
        ("v", "rank", "Verdict"),
        ("c", "text", "Claim"),
        ("p", "share", "Evidence"),
        ("s", "scope", "Scope"),
        ("h", "chapter", "Chapter"),
        ("a", "amended", "Amended"),
    )
    yield (
        '<table class="ledger" id="ledger" role="table"><caption>Claims, verdicts '
        'and evidence</caption><thead role="rowgroup"><tr role="row">'
        + "".join(
            f'<th role="columnheader" scope="col" class="{kind}" data-key="{key}">{words}</th>'
            for kind, key, words in heads
        )
        + '</tr></thead><tbody role="rowgroup">'
    )
    yield from rows
    yield "</tbody></table>"
    yield (f'<label class="more"><input type="checkbox"> Show all {len(rows)} claims</label>')


def line(claim: Claim, found: Finding | None, chapter: tuple[str, str]) -> str:
    """One row of the table, whose claim leads to the whole entry."""
    number, amended = _number(claim.chapter), claim.amended
    about = {"verdict": "", "rank": "9", "share": "-1", "family": family(claim), "chapter": number}
    about |= {"scope": ground(claim), "amended": amended[-1].until if amended else ""}
    shown, small = "not recorded yet", ""
    if found is not None:
        kind = KINDS[found.verdict]
        cases = len(next(iter(found.measured.values())).cases)
        share = len(found.decision.passing) / cases if cases else -1
        about |= {"verdict": kind, "rank": str(list(KINDS).index(found.verdict))}
        about |= {"share": f"{share:.3f}"}
        shown, small = tag(found.verdict), miniature(claim, found)
    title, link = chapter
    named = f'title="{escape(title)}" aria-label="Chapter {int(number)}"'
    home = f'<a href="{link}" {named}>{int(number)}</a>'
    data = "".join(f' data-{key}="{value}"' for key, value in about.items())
    return (
        f'<tr role="row" id="{label(claim)}" data-item{data}>'
        f'<td role="cell" class="v">{shown}</td>'
        f'<th role="rowheader" scope="row" class="c"><a href="{address(claim)}">'
        f"{escape(claim.statement)}</a></th>"
        f'<td role="cell" class="p">{small}</td>'
        f'<td role="cell" class="s">{GROUNDS[about["scope"]][0]}</td>'
        f'<td role="cell" class="h">{home if link else int(number)}</td>'
        f'<td role="cell" class="a">{about["amended"] or "–"}</td></tr>'
    )


def fold(claim: Claim, found: Finding | None, notebooks: Path, chapter: tuple[str, str]) -> str:
    """One claim with its verdict, and behind them its entry."""
    shown = "not recorded yet" if found is None else tag(found.verdict)
    return (
        f'<details class="entry" id="{label(claim)}"><summary><span>{escape(claim.statement)}'
        f"</span>{shown}</summary>{entry(claim, found, notebooks, chapter)}</details>"
    )


def entry(claim: Claim, found: Finding | None, notebooks: Path, chapter: tuple[str, str]) -> str:
    """One claim in full: finding, pictures, experiment, rule, cost, all numbers, earlier rules."""
    about = [("Said by", linked(claim.source, "")), ("Scope", escape(claim.asks.scope))]
    about += [("Experiment", escape(claim.experiment))]
    if found is None:
        about.append(("Rule", escape(claim.rule)))
        return f'<div class="verdict-card plain">{_listed(about)}</div>'
    about.append((f"Rule, {written(claim)}", escape(claim.by.prose())))
    about += besides(claim, found)
    title, link = chapter
    if link and (heading := where(claim, notebooks / f"{claim.chapter}.ipynb")):
        anchor = f"{link}#{nodes.make_id(heading)}"
        about.append(
            ("In the chapter", f'<a href="{anchor}">{escape(title)}: {escape(heading)}</a>')
        )
    about += [
        (
            f"Until {old.until}",
            f"<em>{old.verdict}</em>, by this rule: {escape(f'{old.rule} {old.known}')}",
        )
        for old in claim.amended
    ]
    drawn = [
        picture(what, found.measured[what], bound)
        for what, bound in claim.by.bounds.items()
        if found.measured[what].cases
    ]
    notes = _notes(found)
    tables = [numbers(what, part, claim.by.bounds[what]) for what, part in found.measured.items()]
    tables += splits(notes.get("lead by split", {}))
    return "".join(
        [
            f'<div class="verdict-card plain {KINDS[found.verdict]}">',
            f'<p class="finding">{escape(found.because)}</p>',
            *drawn,
            f'<details class="fold"><summary>All numbers</summary>{"".join(tables)}</details>',
            _listed(about),
            f'<p class="more"><a href="#{label(claim)}">Link to this entry</a></p></div>',
        ]
    )


def besides(claim: Claim, found: Finding) -> list[tuple[str, str]]:
    """What could have been seen, what hangs on one split, other lengths of training, the cost."""
    about, seen = [], []
    for what, part in found.measured.items():
        unit = claim.by.bounds[what].unit
        if part.half_width():
            size = digits(part.half_width(), unit).lstrip("+")
            seen.append(escape(f"{what}: {size} {unit}".rstrip()))
    if seen:
        about.append(("Smallest effect that could have been seen", "; ".join(seen)))
    if hanging := _notes(found).get("hangs on one split"):
        about.append(("Hangs on one split, and is not counted", escape("; ".join(hanging))))
    if lengths := claim.filed.get("lengths"):
        others = "; ".join(f"{name}: <em>{verdict}</em>" for name, verdict in lengths.items())
        about.append(("At other lengths of training", others))
    if cost := claim.filed.get("cost"):
        machines = escape("; ".join(cost["machines"]))
        command = f"<code>{escape(cost['command'])}</code>"
        about.append(("Cost", f"{cost['minutes']:.0f} minutes ({machines}); {command}"))
    return about


def _notes(found: Finding) -> dict[str, Any]:
    return {name: note for part in found.measured.values() for name, note in part.notes.items()}


def _listed(about: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{head}</dt><dd>{text}</dd>" for head, text in about) + "</dl>"


def splits(leads: Mapping[str, Sequence[float]]) -> list[str]:
    """Every case of a contest, split by split."""
    if not leads:
        return []
    count = len(next(iter(leads.values())))
    heads = "".join(f'<th scope="col">split {i + 1}</th>' for i in range(count))
    rows = "".join(
        f'<tr><th scope="row">{escape(case)}</th>'
        + "".join(f"<td>{digits(lead, 'points')}</td>" for lead in found)
        + "</tr>"
        for case, found in leads.items()
    )
    return [
        '<table class="numbers"><thead><tr><td>Lead, split by split (points)</td>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table>"
    ]


def family(claim: Any) -> str:
    """The family of the catalog that a claim's name begins with (``selu-deep``), or ``any``."""
    word = claim.id.partition("-")[0]
    for record in catalog.records():
        if word in (record.name, record.name.partition("_")[0]):
            return record.family
    return "any"


def family_words(name: str) -> str:
    """A family by its first member: ``ELU and its kin``."""
    if name == "any":
        return "any function"
    first = catalog.get(catalog.families()[name][0])
    return f"{first.title.split(' (')[0]} and its kin"


def ground(claim: Any) -> str:
    """Which of :data:`GROUNDS` a claim stands on."""
    scope = claim.asks.scope
    return next(
        name for name, (_, sign) in GROUNDS.items() if re.search(sign, scope, re.IGNORECASE)
    )


def _page_of(notebook: Path) -> tuple[str, str]:
    """Title and link as HTML needs it."""
    title, link = chapter_of(notebook)
    return title, link.replace(".ipynb", ".html")


def _number(chapter: str) -> str:
    return chapter.partition("_")[0]


def where(claim: Any, notebook: Path) -> str:
    """The section of the chapter in which the claim's card stands, or nothing."""
    if not notebook.exists():
        return ""
    heading = ""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell.get("cell_type") == "markdown":
            found = re.findall(r"^#{2,} (.+)$", text, re.MULTILINE)
            heading = found[-1] if found else heading
        elif f'"{claim.id}"' in text:
            return heading
    return ""


def verdict(claim: Any) -> str:
    """The recorded verdict, or a plain statement that there is none yet."""
    found = recorded(claim)
    return "not recorded yet" if found is None else str(found.verdict)


def recorded(claim: Any) -> Finding | None:
    """What is on file, or None where a claim was not tried yet."""
    try:
        found: Finding = claim.recorded()
    except (KeyError, FileNotFoundError):
        return None
    return found


def label(claim: Any) -> str:
    """Where a claim's line stands in the ledger, and its entry on the chapter's page."""
    return f"on-trial-{slug(claim.id)}"


def link(claim: Any) -> str:
    """A claim that leads to its entry, as HTML for a page beside the ledger."""
    return f'<a href="{address(claim)}">{escape(claim.statement)}</a>'


def chapter_of(path: Path) -> tuple[str, str]:
    """The chapter's title and link, or its bare name while the notebook does not exist."""
    if not path.exists():
        return path.stem.split("_", 1)[-1].replace("_", " ").capitalize(), ""
    title = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"]).splitlines()[0]
    return title.lstrip("# "), f"../../notebooks/{path.name}"
