"""The page "The claims": every claim on trial with its rule and its recorded verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes

from actlab.trial import Claim
from actlab.trial.bound import digits
from actlab.trial.card import card
from actlab_site.boxes import slug
from actlab_site.tables import table

INTRODUCTION = """\
# The claims on trial

Each of these sentences is repeated in tutorials, usually without a measurement. Here each has an
experiment, a rule, and the verdict the rule gave: *holds*, *holds when …*, *refuted* or
*not shown*. Rules are written down before the run. Those below were all stated again later, as
numbers instead of sentences, some with another meaning, when results were known; each entry keeps
the earlier rule and its verdict. A test runs the quick ones again, from other seeds, and fails when
a verdict changes."""


def page(claims: Iterable[Any], notebooks: Path) -> str:
    """The page's Markdown. ``notebooks``: the folder in which a claim's chapter is looked for."""
    chapters: dict[str, list[Any]] = {}
    for claim in claims:
        chapters.setdefault(claim.chapter, []).append(claim)
    blocks = [INTRODUCTION]
    for chapter, members in chapters.items():
        title, link = chapter_of(notebooks / f"{chapter}.ipynb")
        blocks.append(f"## {title}")
        if link:
            blocks.append(f"The runs and figures are in the chapter [{title}]({link}).")
        rows = [(f"[{c.statement}](#{label(c)})", verdict(c)) for c in members]
        blocks.append(table(("Claim", "Verdict"), rows))
        for claim in members:
            blocks.append(entry(claim))
            if link and (heading := where(claim, notebooks / f"{chapter}.ipynb")):
                anchor = f"{link}#{nodes.make_id(heading)}"
                blocks.append(f"**In the chapter.** [{heading}]({anchor})")
    return "\n\n".join(blocks) + "\n"


def entry(claim: Claim) -> str:
    """One claim in full: card, experiment, what could have been seen, cost, earlier decisions."""
    lines = [f"({label(claim)})=", f"### {claim.statement}"]
    if (finding := _recorded(claim)) is None:
        return "\n\n".join([*lines, claim.experiment, claim.rule])
    about = [("Experiment", claim.experiment)]
    seen = []
    for what, found in finding.measured.items():
        unit = claim.by.bounds[what].unit
        if found.half_width():
            size = digits(found.half_width(), unit).lstrip("+")
            seen.append(f"{what}: {size} {unit}".rstrip())
    if seen:
        about.append(("Smallest effect that could have been seen", "; ".join(seen) + "."))
    notes = {k: v for found in finding.measured.values() for k, v in found.notes.items()}
    if hanging := notes.get("hangs on one split"):
        about.append(("Hangs on one split, and is not counted", f"{'; '.join(hanging)}."))
    if lengths := claim.filed.get("lengths"):
        others = "; ".join(f"{name}: *{verdict}*" for name, verdict in lengths.items())
        about.append(("At other lengths of training", f"{others}."))
    if cost := claim.filed.get("cost"):
        where = "; ".join(cost["machines"])
        about.append(("Cost", f"{cost['minutes']:.0f} minutes ({where}); `{cost['command']}`."))
    lines += [
        f"```{{raw}} html\n{card(claim, finding, reference='')}\n```",
        *(f"**{head}.** {text}" for head, text in about),
        *splits(notes.get("lead by split", {})),
    ]
    if claim.amended:
        lines.append("**Earlier decisions.**")
        lines += [
            f"- Until {old.until}: *{old.verdict}*, by this rule: {old.rule} {old.known}"
            for old in claim.amended
        ]
    return "\n\n".join(lines)


def splits(leads: Mapping[str, Sequence[float]]) -> list[str]:
    """Every case of a contest, split by split, folded."""
    if not leads:
        return []
    heads = ("Lead (points)", *(f"split {i + 1}" for i in range(len(next(iter(leads.values()))))))
    rows = [(case, *(digits(lead, "points") for lead in found)) for case, found in leads.items()]
    return [f":::{{dropdown}} Every case, split by split\n{table(heads, rows)}\n:::"]


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
    found = _recorded(claim)
    return "not recorded yet" if found is None else str(found.verdict)


def _recorded(claim: Any) -> Any:
    try:
        return claim.recorded()
    except (KeyError, FileNotFoundError):
        return None


def label(claim: Any) -> str:
    """Where a claim's entry stands on the page."""
    return f"on-trial-{slug(claim.id)}"


def chapter_of(path: Path) -> tuple[str, str]:
    """The chapter's title and link, or its bare name while the notebook does not exist."""
    if not path.exists():
        return path.stem.split("_", 1)[-1].replace("_", " ").capitalize(), ""
    title = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"]).splitlines()[0]
    return title.lstrip("# "), f"../../notebooks/{path.name}"
