"""The site's own Sphinx extension: what the book does that Jupyter Book does not.

- :mod:`.reference` writes the pages that derive from the catalog and the ledger, before Sphinx
  looks for pages;
- :mod:`.front` puts verdicts, the score and the curves on the front page;
- :mod:`.lab` gives the live lab and the explorers their data and puts them into pages;
- :mod:`.placed` says where in the chapters they stand;
- :mod:`.boxes` dresses ``> **Predict.** …`` and its like as boxes;
- :mod:`.code` tells lines of code apart, so that they wrap on a phone;
- :mod:`.predictions` covers the answers to predictions until the reader opens them;
- :mod:`.quizzes` asks five questions at the end of a chapter;
- :mod:`.terms` links a chapter's words to the glossary;
- :mod:`.words` lets the search find things by their other names;
- :mod:`.assets` loads scripts and styles on the pages that need them;
- :mod:`.mathml` converts formulas; :mod:`.head` describes a page to others;
- :mod:`.feed` tells of changed rules;
- :mod:`.finish` and :mod:`.lighter` make the finished HTML lighter, steadier and more accessible.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from myst_nb.sphinx_ import SphinxNbRenderer
from sphinx.highlighting import PygmentsBridge

from actlab_site import (
    assets,
    boxes,
    code,
    finish,
    front,
    head,
    lab,
    mathml,
    placed,
    predictions,
    quizzes,
    reference,
    terms,
    words,
)


def setup(app: Any) -> dict[str, Any]:
    """Register the parts with Sphinx."""
    # Before sphinx-external-toc (priority 500) reads the table of contents from disk.
    app.connect("config-inited", _write_reference, priority=100)
    app.add_directive("front", front.Front)
    app.add_transform(boxes.BoxTransform)
    app.add_transform(predictions.PredictionTransform)
    predictions.keep_answers(SphinxNbRenderer)
    app.add_transform(quizzes.QuizTransform)
    app.add_transform(lab.PieceTransform)
    app.add_transform(placed.PlacedTransform)
    app.add_transform(words.WordTransform)
    app.add_transform(terms.TermTransform)
    PygmentsBridge.html_formatter = code.Lines
    app.add_html_math_renderer("mathml", (mathml.visit_inline, None), (mathml.visit_block, None))
    app.connect("html-page-context", assets.add)
    app.connect("html-page-context", head.add)
    # Behind the theme, which writes the colours of code when all else is done.
    app.connect("build-finished", finish.finish_site, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_reference(app: Any, _config: Any) -> None:
    reference.write_pages(Path(app.srcdir))
    lab.write(Path(app.srcdir))
