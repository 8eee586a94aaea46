"""What other sites and search engines see of a page: its description, and a card to share.

The description is the page's first paragraph; a picture is the same for all of them.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes

from actlab_site import feed

LONGEST = 160
"""Characters that search engines show."""
SHORTEST = 50
CARD = "_images/all.png"


def described(tree: nodes.document) -> str:
    """What a page says first, short, in whole words.

    That is its first paragraph, but for one that is all bold (a chapter's line of facts).
    """
    for node in tree.findall(lambda n: isinstance(n, (nodes.paragraph, nodes.raw))):
        said = [child for child in node.children if child.astext().strip()]
        if isinstance(node, nodes.raw):
            lead = re.match(r'<p class="lead">(.*?)</p>', node.astext())
            text = re.sub(r"<[^>]+>", "", lead[1]) if lead else ""
        elif isinstance(node.parent, nodes.section) and not isinstance(said[0], nodes.strong):
            text = " ".join(node.astext().split())
        else:
            continue
        if len(text) >= SHORTEST:
            return shortened(text)
    return ""


def shortened(text: str, longest: int = LONGEST) -> str:
    """Whole sentences, as many as fit; else whole words and an ellipsis."""
    if len(text) <= longest:
        return text
    sentences = re.match(rf"(.{{60,{longest - 1}}}[.?!])(?=\s)", text)
    if sentences:
        return sentences[1]
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def add(app: Any, page: str, _template: str, context: dict[str, Any], tree: Any) -> None:
    """Put description and card into the head of a page."""
    if tree is None:
        return
    text = described(tree) or f"{app.config.html_title}: a measured course."
    title = re.sub(r"<[^>]+>", "", context.get("title", "")) or app.config.html_title
    home = app.config.html_baseurl.rstrip("/")
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:description": text,
        "og:url": f"{home}/{page}.html",
        "og:image": f"{home}/{CARD}",
        "og:image:alt": "Small curves of all activation functions, each with its name",
        "twitter:card": "summary_large_image",
    }
    lines = [f'<meta name="description" content="{escape(text)}" />']
    lines += [f'<meta property="{key}" content="{escape(value)}" />' for key, value in tags.items()]
    up = "../" * page.count("/")
    lines.append(
        f'<link rel="alternate" type="application/atom+xml" title="{feed.TITLE}" '
        f'href="{up}{feed.NAME}" />'
    )
    context["metatags"] = context.get("metatags", "") + "\n".join(lines) + "\n"
