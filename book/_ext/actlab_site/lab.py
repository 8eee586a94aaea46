"""What the live lab and the explorers take from Python: the catalog as a script, and the digits.

``catalog.js`` is written at every build, from the records; ``digits.js`` needs scikit-learn, which
the build does without, and is committed (``PYTHONPATH=src:book/_ext python -m actlab_site.lab``
writes it; a test compares it with what :mod:`actlab.data` loads).

A piece stands on a page of its own, or in another page: where a paragraph is nothing but a link to
one of these pages, ``[Open it in the function explorer](…/book/explore.html#f=relu)``, the book
shows the piece in its place. Everywhere else, and without JavaScript, it is the link.
"""

from __future__ import annotations

import json
import math
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from sphinx.transforms import SphinxTransform

from actlab import catalog, plots
from actlab.catalog import REQUIRED, Activation, Parameter, Place
from actlab.frameworks import phrasebook

FOLDER = "book/static/lab"
SIZE = 800
"""Training digits in the page: of the 1,079 of the course's first split, as many as fit."""
DARK = "#121212"
"""The dark theme's ground, on which a colour is lifted until it can be told from it."""
CONTRAST = 4.5

PIECES = ("lab", "explore", "signals")

# Arguments that are no plain numbers.
_WRITTEN = {"alpha_initializer": "keras.initializers.Constant({})", "weight": "torch.tensor({})"}


def write(root: Path) -> None:
    """Write what scripts are given into the book's static files, where it changed."""
    texts = {f"{FOLDER}/catalog.js": catalog_script(), "book/static/phrasebook.js": phrases()}
    for name, text in texts.items():
        path = root / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def phrases() -> str:
    """``PHRASEBOOK``: the translations made beforehand, as a script: a file cannot be fetched."""
    return f"globalThis.PHRASEBOOK={phrasebook.PATH.read_text('utf-8').strip()};\n"


def offered() -> list[Activation]:
    """The records that the lab and the explorers offer: one number in, one number out."""
    return [record for record in catalog.records() if record.kind == "elementwise"]


def catalog_script() -> str:
    """``ActLab.catalog``: name → what a page must know of the record, in the course's order."""
    entries = ",\n".join(f"{json.dumps(r.name)}:{_literal(entry(r))}" for r in offered())
    return f"// Written at the build from actlab.catalog.\nActLab.catalog={{\n{entries}\n}};\n"


def entry(record: Activation) -> dict[str, Any]:
    """Title, colours, parameters and places of one record."""
    light = plots.colour(record.name)
    return {
        "title": record.title,
        "family": record.family,
        "aliases": list(record.aliases),
        "light": light,
        "dark": lifted(light),
        "random": record.stochastic,
        "smoothness": record.properties.smoothness,
        "parameters": [slider(parameter) for parameter in record.parameters],
        "constraint": record.constraint.text if record.constraint else "",
        "torch": [place(record, p) for p in record.where("torch") if not p.in_place],
        "keras": [place(record, p) for p in record.where("keras")],
    }


def slider(parameter: Parameter) -> dict[str, Any]:
    """A parameter's default and the range that a page offers of it, inside of what is allowed.

    A parameter whose default is no finite number has no slider.
    """
    known = {"name": parameter.name, "default": parameter.default, "meaning": parameter.meaning}
    if not math.isfinite(parameter.default):
        return known
    finite = [v for v in parameter.examples if isinstance(v, float) and math.isfinite(v)]
    high = 2 * max(1.0, abs(parameter.default), *map(abs, finite))
    low = next(v for v in (-high, 0.0, 0.05) if parameter.check(v))
    return known | {"low": low, "high": high, "valid": parameter.valid}


def place(record: Activation, where: Place) -> dict[str, Any]:
    """One object of a framework: what must be given to it, and how its arguments are called.

    ``takes``: the record's parameter → how it is written; ``stays``: the value of those that
    cannot be given.
    """
    takes, stays = {}, {}
    for parameter in record.parameters:
        name = where.names.get(parameter.name, parameter.name)
        if name in where.arguments and name not in where.fixed:
            if parameter.name not in where.keeps:
                takes[parameter.name] = f"{name}={_WRITTEN.get(name, '{}')}"
        elif parameter.name not in where.keeps:
            stays[parameter.name] = where.settings.get(parameter.name, parameter.default)
    unknown = [n for n, v in where.arguments.items() if v is REQUIRED and n not in where.fixed]
    assert len(unknown) <= len(takes), f"{where.path} needs {unknown}"
    return {
        "path": where.path,
        "layer": where.is_class,
        "fixed": [f"{name}={value!r}" for name, value in where.fixed.items()],
        "takes": takes,
        "stays": stays,
    }


def _literal(value: Any) -> str:
    """A JavaScript literal (JSON, and infinity)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def lifted(colour: str, ground: str = DARK, contrast: float = CONTRAST) -> str:
    """The colour mixed with white until it has this contrast with the ground."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    base = [int(ground[i : i + 2], 16) for i in (1, 3, 5)]
    for step in range(101):
        mixed = [round(v + (255 - v) * step / 100) for v in rgb]
        if (_luminance(mixed) + 0.05) / (_luminance(base) + 0.05) >= contrast:
            break
    return "#" + "".join(f"{v:02x}" for v in mixed)


def _luminance(rgb: list[int]) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in _unit(rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _unit(rgb: list[int]) -> list[float]:
    return [v / 255 for v in rgb]


def digits_script() -> str:
    """``ActLab.digits``: a letter a pixel (a is 0, q is 16), pixel by pixel, sorted by class.

    ``train`` and ``valid`` count the digits of each class. The split is the course's.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    from actlab import data

    raw = load_digits()
    split = data.load("digits", seed=0, size=SIZE)
    rows = {"train": split.rows_train, "valid": split.rows_valid}
    rows = {part: r[np.argsort(raw.target[r], kind="stable")] for part, r in rows.items()}
    pixels = raw.data[np.concatenate([*rows.values()])].astype(int).T.ravel()
    counts = {part: np.bincount(raw.target[r]).tolist() for part, r in rows.items()}
    letters = "".join(map(chr, 97 + pixels))
    return (
        f"// {split.title}: {split.source}\n"
        "// Written by actlab_site.lab; the split is that of actlab.data.\n"
        f'ActLab.digits={_literal(counts)[:-1]},"pixels":"{letters}"}};\n'
    )


# --- pieces in pages ------------------------------------------------------------------------------


def frame(piece: str, state: str, *, brief: bool = False) -> str:
    """The opening tag of the place of a piece; what follows up to ``</div>`` is its fallback.

    A ``brief`` lab shows less, and has its settings folded.
    """
    small = " data-brief" if brief else ""
    return f'<div data-actlab="{piece}"{small} data-state="{escape(state)}">'


BESIDE = "It needs JavaScript; the picture and the table on this page say the same."


def folded(piece: str, state: str, summary: str, fallback: str = BESIDE) -> str:
    """A piece that appears when a reader opens it: HTML, as its ``fallback`` is."""
    return (
        f'<details class="al-embed"><summary>{escape(summary)}</summary>\n'
        f'{frame(piece, state)}<p class="al-fallback">{fallback}</p></div></details>'
    )


def asked(address: str, home: str) -> tuple[str, str] | None:
    """Which piece in which state an address of the published site asks for, if it does."""
    pages = "|".join(PIECES)
    match = re.fullmatch(rf"{re.escape(home.rstrip('/'))}/book/({pages})\.html(?:#(.*))?", address)
    return None if match is None else (match[1], unquote(match[2] or ""))


class PieceTransform(SphinxTransform):
    """Links to the pieces lead into this very copy of the site; those that stand alone become them.

    An embedded piece keeps its link as the fallback.
    """

    default_priority = 260

    def apply(self, **_: Any) -> None:
        """Change the page in place."""
        up = "../" * self.env.docname.count("/")
        for link in list(self.document.findall(nodes.reference)):
            found = asked(link.get("refuri", ""), self.config.html_baseurl)
            if found is None:
                continue
            piece, state = found
            link["refuri"] = f"{up}book/{piece}.html" + (f"#{state}" if state else "")
            parent = link.parent
            alone = [node for node in parent.children if node.astext().strip()] == [link]
            if not (isinstance(parent, nodes.paragraph) and alone):
                continue
            # Raw on both sides: a container of docutils' would take on the theme's ".container".
            opening = f'<div class="al-embed">{frame(piece, state)}'
            parent.replace_self(
                [
                    nodes.raw("", opening, format="html"),
                    nodes.paragraph("", "", *parent.children, classes=["al-fallback"]),
                    nodes.raw("", "</div></div>", format="html"),
                ]
            )


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[3]
    (root / FOLDER / "digits.js").write_text(digits_script(), encoding="utf-8")
    write(root)
