"""Scripts and style sheets that only some pages need: which, and by what sign in their HTML."""

from __future__ import annotations

from typing import Any

NEEDS = (
    ("data-actlab=", "lab/boot.js", "lab/lab.css"),
    ("data-translate=", "translate.js", "translate.css"),
    ("data-filters=", "lists.js", "lists.css"),
    ('class="entries"', "", "lists.css"),
    ('class="trials"', "", "lists.css"),
    ('class="trials"', "", "front.css"),
)
"""A sign, the script and the style sheet that go with it."""


def add(app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Load on a page what it needs and no more."""
    body = context.get("body", "")
    for sign, script, style in NEEDS:
        if sign in body:
            if script:
                app.add_js_file(script, defer="defer")
            app.add_css_file(style)
